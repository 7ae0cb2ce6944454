/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * transaction: all of a plan or nothing, whatever happens in the middle of it.
 *
 *     lock
 *       snapshot     durable, while sshd judges        nothing is changed yet:
 *       judge        sshd's verdict, or refused          a leftover is swept
 *       journal      durable                           ---------------------------
 *       prepare      the new files beside the old        from here on recovery
 *       apply        names exchanged, durable            puts the old ones back
 *       activate     listeners reloaded, proven
 *       state        durable: THIS IS THE COMMIT       ---------------------------
 *       tidy         temporaries                         from here on recovery
 *       journal gone                                     only tidies up
 *     unlock
 *
 * A close is brought to its end instead of put back, by recovery too, once its files are in place:
 * a listener that does not reload, or a record that can't be written, is then said loudly.
 */
#ifndef ROOTLATCH_TRANSACTION_TRANSACTION_H
#define ROOTLATCH_TRANSACTION_TRANSACTION_H

#include "toggle/toggle.h"

/* Called at each step with a line for --verbose. */
struct transaction_events {
	void (*step)(void *ctx, const char *text);
	void *ctx;
};

/* Carries out a plan; one that changes nothing is judged and writes nothing. The store must not be
 * locked by us yet. On failure
 * everything is as before, and err->code says how well that is known: ERROR_REFUSED (nothing
 * was touched), ERROR_FAILED (rolled back), ERROR_IN_DOUBT (a person must look; a close may be
 * done all the same), ERROR_BUSY. *ret_reloaded counts the listeners that were reloaded. */
int transaction_commit(struct store *store, const struct toggle_context *c,
		       struct toggle_plan *p, unsigned wait_seconds,
		       const struct transaction_events *events,
		       size_t *ret_reloaded, struct error *err) _must_check_;

struct recovery {
	bool found;       /* a transaction that was cut off */
	bool finished;    /* it was committed, or is now. Otherwise: undone */
	bool closing;     /* it was a close */
	char id[PLAN_ID_LEN + 1];
	char *command;
	char *toggle;
	size_t swept;     /* leftovers of transactions that never began */
	size_t reloaded;  /* listeners */
	struct error remarks; /* of the undoing; ERROR_NONE: none */
};

#define RECOVERY_INIT { .found = false }
#define _cleanup_recovery_ _cleanup_(recovery_release)

void recovery_release(struct recovery *r);

/* True when there is something to recover, or, without the lock, somebody at work: a journal. */
bool recovery_is_needed(const struct store *store);

/* Finishes or undoes what was cut off, and sweeps leftovers. May itself be cut off anywhere and
 * called again. The lock must be held. */
int recovery_run(const struct store *store, struct recovery *ret, struct error *err) _must_check_;

#endif

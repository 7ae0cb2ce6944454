/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * journal: the transaction in flight. It is there, whole and sealed, from before the first
 * change until the state that includes it is durable; so its presence means: recover first.
 * It holds generic steps and the listeners to reload, and nothing of toggles.
 */
#ifndef ROOTLATCH_STORE_JOURNAL_H
#define ROOTLATCH_STORE_JOURNAL_H

#include "store/state.h"

struct journal {
	struct plan plan;
	char *command;      /* "open", for messages */
	char *toggle;
	char *config;       /* the sshd instance's main file */
	int64_t generation; /* of the state once this is committed */
	int64_t at_ns;
	bool same_boot;     /* it was begun since this host was booted */
	json_t *daemons;    /* list of sshd_daemon_to_json(): what apply may have reloaded */
	bool reloads;       /* it concerns sshd at all */
	bool closing;       /* it closes something: recovery brings it to its end if it can */
	struct state after; /* closing: the state once that is done */
};

#define JOURNAL_INIT { .plan = PLAN_INIT }
#define _cleanup_journal_ _cleanup_(journal_release)

void journal_release(struct journal *j);

bool journal_exists(const struct store *s);
/* Writes it, but does not begin it. `plan`, `daemons` and `after` are borrowed. No list of `daemons`:
 * sshd is not concerned. */
int journal_prepare(const struct store *s, const struct plan *plan, const char *command,
		  const char *toggle, const char *config, const json_t *daemons, bool closing,
		  const struct state *after, struct error *err) _must_check_;
/* From here on there is a transaction. Durable when it returns. */
int journal_begin(const struct store *s, struct error *err) _must_check_;
int journal_read(const struct store *s, struct journal *ret, struct error *err) _must_check_;
/* From the body of a journal whose seal was right. ERROR_REFUSED for what is never written. */
int journal_from_json(const json_t *body, struct journal *ret, struct error *err) _must_check_;
/* Durable: the transaction is over, one way or the other. */
int journal_end(const struct store *s, struct error *err) _must_check_;

#endif

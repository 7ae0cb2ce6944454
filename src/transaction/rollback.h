/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rollback: back to the old files first, all of them; then the listeners, for they may have seen
 * the new ones; then what is left over. Each may be cut off and called again.
 */
#ifndef ROOTLATCH_TRANSACTION_ROLLBACK_H
#define ROOTLATCH_TRANSACTION_ROLLBACK_H

#include "plan/plan.h"
#include "service/sshd.h"

/* Undoes the steps, last first. ERROR_IN_DOUBT when one can't be. Remarks of their undoing go to
 * `remarks`, whose code stays ERROR_NONE when there are none. */
int rollback_files(const struct host *h, const struct plan *plan, struct error *remarks,
		   struct error *err) _must_check_;

/* Once the files are as they shall stay: whatever listens with `config` now, started by whomever and
 * whenever, is made to read them, with proof. Where nothing listens, the first of the `n` that did
 * before is started again. `failed` (or NULL) is one that did not manage its reload just now.
 * ERROR_IN_DOUBT when it can't be done. */
int rollback_listeners(const struct host *h, const char *config,
		       const struct sshd_daemon *before, size_t n,
		       const struct sshd_daemon *failed, size_t *ret_reloaded,
		       struct error *err) _must_check_;

/* What to do about an error that stays: unless its hint has it already. Returns -1. */
int rollback_hint(struct error *err);

/* Whether a listener lives and has any of the sockets that it had. */
bool rollback_serves(const struct sshd_daemon *d);

/* Removes the files beside the targets; the folders get the times that they had. */
int rollback_tidy(const struct host *h, const struct plan *plan, struct error *err) _must_check_;

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rollback: back to the old files first, all of them; then each listener, if it may have seen the
 * new ones; then what is left over. Each may be cut off and called again.
 */
#ifndef ROOTLATCH_TRANSACTION_ROLLBACK_H
#define ROOTLATCH_TRANSACTION_ROLLBACK_H

#include "plan/plan.h"
#include "service/sshd.h"

/* Undoes the steps, last first. ERROR_IN_DOUBT when one can't be. */
int rollback_files(const struct host *h, const struct plan *plan, struct error *err)
	_must_check_;

/* For a commit that fails: the first `n` listeners were told to reload, and the last of them did
 * not manage when `last_failed`. Each is made to read the old files, or started again when it died
 * of the new ones. ERROR_IN_DOUBT when that fails. */
int rollback_listeners(const struct host *h, const char *config, struct sshd_daemon *daemons,
		       size_t n, bool last_failed, struct error *err) _must_check_;

/* For recovery, which comes later, perhaps after a boot: whatever listens now with `config` may
 * have read the new files, and is made to read the old ones. Where nothing listens, the first of
 * the `n` that did before is started again. */
int rollback_any_listeners(const struct host *h, const char *config, struct sshd_daemon *daemons,
			   size_t n, size_t *ret_reloaded, struct error *err) _must_check_;

/* Removes the files beside the targets. */
int rollback_tidy(const struct host *h, const struct plan *plan, struct error *err) _must_check_;

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Back to the old files first, all of them; then each listener, if it may have seen the new ones.
 */
#include "host/file.h"
#include "service/sshd_judge.h"
#include "service/sshd_reload.h"
#include "transaction/transaction.h"

static int revert_steps(const struct host *h, const struct plan *plan, struct error *err)
{
	struct error first = ERROR_INIT;

	/* one that can't be put back is no reason to leave the others */
	for (size_t i = plan->len; i > 0; i--) {
		struct error why = ERROR_INIT;

		if (step_revert(h, &plan->steps[i - 1], &why) < 0 && first.code == ERROR_NONE)
			first = why;
	}
	if (first.code == ERROR_NONE)
		return 0;
	first.code = ERROR_IN_DOUBT;
	*err = first;
	return -1;
}

/* A reload of files that sshd rejects would end it: with those, it keeps what it has loaded. */
static int require_valid(const struct host *h, const char *config, const struct sshd_daemon *d,
			 struct error *err)
{
	_cleanup_(sshd_answers_release) struct sshd_answers answers = SSHD_ANSWERS_INIT;
	struct sshd_connection connection;

	sshd_connection_default(d, 0, &connection);
	if (sshd_judge(h, d, config, NULL, 0, &connection, &answers, err) < 0)
		return -1;
	return sshd_judge_require_valid(&answers, "sshd does not accept the files that were put "
						  "back", err);
}

static int bring_back(const struct host *h, const char *config, struct sshd_daemon *d,
		      struct error *err)
{
	struct sshd_daemon again = SSHD_DAEMON_INIT;
	struct sshd_proof proof;
	struct error why = ERROR_INIT;

	if (require_valid(h, config, d, err) < 0)
		return -1;
	if (host_process_alive(&d->process) && sshd_reload(h, d, 0, &proof, &why) == 0)
		return 0;
	/* alive, but it did not take the signal: it never loaded anything else, and when it
	 * wakes up it will find the old files */
	if (host_process_alive(&d->process))
		return 0;
	if (sshd_start(h, d, 0, &again, err) < 0)
		return -1;
	sshd_daemon_release(&again);
	return 0;
}

int transaction_rollback(const struct host *h, const struct plan *plan, const char *config,
			 struct sshd_daemon *daemons, size_t n_daemons, size_t *ret_reloaded,
			 struct error *err)
{
	*ret_reloaded = 0;
	if (revert_steps(h, plan, err) < 0)
		return -1;
	for (size_t i = 0; i < n_daemons; i++) {
		if (bring_back(h, config, &daemons[i], err) < 0) {
			err->code = ERROR_IN_DOUBT;
			return error_prefix(err, "the files are as before, but not sshd");
		}
		++*ret_reloaded;
	}
	for (size_t i = 0; i < plan->on_abort.len; i++)
		if (host_file_unlink_lazily(h, plan->on_abort.items[i], err) < 0)
			return -1;
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "transaction/rollback.h"

#include <signal.h>

#include "base/seeded.h"
#include "host/clock.h"
#include "service/sshd_judge.h"
#include "service/sshd_reload.h"

#define BACK_WITHIN_NS (10 * NSEC_PER_SEC) /* a listener that is alive */

int rollback_files(const struct host *h, const struct plan *plan, struct error *remarks,
		   struct error *err)
{
	struct error first = ERROR_INIT;

	/* one that can't be put back is no reason to leave the others */
	for (size_t i = plan->len; i > (SEEDED("undo-half") ? 1 : 0); i--) {
		struct error why = ERROR_INIT;

		if (step_revert(h, &plan->steps[i - 1], &why) == 0)
			continue;
		if (why.code == ERROR_DIFFERENT)
			*remarks = why;
		else if (first.code == ERROR_NONE)
			first = why;
	}
	if (first.code == ERROR_NONE)
		return 0;
	first.code = ERROR_IN_DOUBT;
	*err = first;
	return -1;
}

int rollback_hint(struct error *err)
{
	return strstr(err->hint, "`rootlatch recover`") != NULL ? -1 :
	       error_hint_add(err, "`rootlatch recover` tries again.");
}

int rollback_tidy(const struct host *h, const struct plan *plan, struct error *err)
{
	for (size_t i = 0; i < plan->on_abort.len && !SEEDED("litter"); i++) {
		_cleanup_free_ char *copy = step_copy_path(plan->on_abort.items[i], err);

		if (copy == NULL || host_file_unlink_lazily(h, copy, err) < 0 ||
		    host_file_unlink(h, plan->on_abort.items[i], err) < 0)
			return -1;
	}
	return plan_settle_times(h, plan, &plan->on_abort, false, err);
}

static int listener_in_doubt(struct error *err)
{
	err->code = ERROR_IN_DOUBT;
	return error_prefix(err, "the files are in place, but not sshd");
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

/* How many of the sockets from before it still has. */
static size_t sockets_kept(const struct sshd_daemon *d)
{
	_cleanup_host_sockets_ struct host_sockets held = HOST_SOCKETS_INIT;

	if (host_process_sockets(d->process.pid, &d->sockets, &held, NULL) < 0)
		return 0;
	return held.len;
}

bool rollback_serves(const struct sshd_daemon *d)
{
	return host_process_alive(&d->process) && sockets_kept(d) > 0;
}

/* With all of its old sockets it did not take the signal: whenever it wakes up to it, it will find
 * the old files. */
static bool never_reacted(const struct sshd_daemon *failed, const struct sshd_daemon *d)
{
	return failed != NULL && failed->process.pid == d->process.pid &&
	       failed->process.start_ticks == d->process.start_ticks &&
	       sockets_kept(failed) == failed->sockets.len;
}

/* Alive, and serving nothing: it hangs in the middle of the reload that we asked for, and nobody
 * gets in any more. Its sessions are processes of their own. */
static int end_hung(const struct host *h, const struct sshd_daemon *failed, struct error *err)
{
	if (failed == NULL || !host_process_alive(&failed->process) || rollback_serves(failed))
		return 0;
	if (host_process_signal(h, &failed->process, SIGKILL, err) < 0)
		return -1;
	for (int i = 0; i < 100 && host_process_alive(&failed->process); i++)
		clock_sleep_ms(10);
	return 0;
}

/* What a supervisor started meanwhile may have read the new files, so it reads again in any case. */
static int start_again(const struct host *h, const char *config, const struct sshd_daemon *d,
		       struct error *err)
{
	_cleanup_sshd_daemon_ struct sshd_daemon again = SSHD_DAEMON_INIT;
	struct sshd_proof proof;

	if (require_valid(h, config, d, err) < 0 || sshd_start(h, d, 0, &again, err) < 0)
		return -1;
	return sshd_reload(h, &again, 0, &proof, err);
}

static int reload_found(const struct host *h, const char *config, struct sshd_daemons *found,
			const struct sshd_daemon *failed, size_t *reloaded, struct error *err)
{
	for (size_t i = 0; i < found->len; i++) {
		struct sshd_daemon *d = &found->items[i];
		struct sshd_proof proof;

		if (never_reacted(failed, d))
			continue;
		if (require_valid(h, config, d, err) < 0 || sshd_reload(h, d, 0, &proof, err) < 0)
			return -1;
		++*reloaded;
	}
	return 0;
}

static bool lives_one(const struct sshd_daemon *daemons, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (host_process_alive(&daemons[i].process))
			return true;
	return false;
}

/* One that was told to reload a moment ago listens nowhere until it has read its files. A second one
 * would have to fight with it for the port. */
static int find_listeners(const struct host *h, const char *config,
			  const struct sshd_daemon *before, size_t n, struct sshd_daemons *ret,
			  struct error *err)
{
	int64_t end = clock_boottime_ns() + BACK_WITHIN_NS;

	for (;;) {
		if (sshd_find(h, config, ret, err) < 0)
			return -1;
		if (ret->len > 0 || !lives_one(before, n) || clock_boottime_ns() >= end)
			return 0;
		sshd_daemons_release(ret);
		clock_sleep_ms(10);
	}
}

int rollback_listeners(const struct host *h, const char *config,
		       const struct sshd_daemon *before, size_t n,
		       const struct sshd_daemon *failed, size_t *ret_reloaded, struct error *err)
{
	_cleanup_sshd_daemons_ struct sshd_daemons found = SSHD_DAEMONS_INIT;

	*ret_reloaded = 0;
	if (end_hung(h, failed, err) < 0 ||
	    find_listeners(h, config, before, n, &found, err) < 0 ||
	    reload_found(h, config, &found, failed, ret_reloaded, err) < 0)
		return listener_in_doubt(err);
	if (found.len == 0 && n > 0 && start_again(h, config, &before[0], err) < 0)
		return listener_in_doubt(err);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Waiting is a short sequence of growing intervals on a descriptor that tells of the daemon's
 * death: few system calls, the same ones each time.
 */
#include "service/sshd_reload.h"

#include <signal.h>
#include <stdio.h>

#include "host/clock.h"
#include "service/sshd_manager.h"

#define FIRST_INTERVAL_MS 2
#define LONGEST_INTERVAL_MS 50
#define BANNER_TIMEOUT_MS 1000
#define COMMAND_TIMEOUT_MS 90000 /* what systemd itself gives a job */

static unsigned next_interval(unsigned ms)
{
	return 2 * ms < LONGEST_INTERVAL_MS ? 2 * ms : LONGEST_INTERVAL_MS;
}

static int64_t deadline_of(unsigned timeout_ms)
{
	return clock_boottime_ns() +
	       (int64_t)(timeout_ms != 0 ? timeout_ms : SSHD_RELOAD_TIMEOUT_MS) * 1000000;
}

static unsigned left_ms(int64_t deadline_ns)
{
	int64_t left = (deadline_ns - clock_boottime_ns()) / 1000000;

	return left > 0 ? (unsigned)left : 0;
}

/* ---- commands */

static int run(const struct host *h, const char *const *argv, struct error *err)
{
	const struct host_command cmd = { .argv = (char *const *)argv,
					  .timeout_ms = COMMAND_TIMEOUT_MS };
	_cleanup_host_outcome_ struct host_outcome outcome = HOST_OUTCOME_INIT;

	/* its status is not asked: what came of it is looked at */
	return host_run(h, &cmd, &outcome, err);
}

static int systemctl(const struct host *h, const char *verb, const char *unit, struct error *err)
{
	/* the start limit of a unit that was restarted often would take its socket down */
	const char *const reset[] = { "/usr/bin/systemctl", "reset-failed", unit, NULL };
	const char *const act[] = { "/usr/bin/systemctl", verb, unit, NULL };

	if (run(h, reset, err) < 0)
		return -1;
	return run(h, act, err);
}

/* ---- proof */

/* Each address that was served is served again, by a socket that was not there before. */
static bool sockets_are_new(const struct host_sockets *before, const struct host_sockets *now)
{
	for (size_t i = 0; i < before->len; i++) {
		const struct host_socket *s = host_sockets_at(now, &before->items[i]);

		if (s == NULL || host_sockets_hold_inode(before, s->inode))
			return false;
	}
	return true;
}

static bool sockets_are_there(const struct host_sockets *before, const struct host_sockets *now)
{
	for (size_t i = 0; i < before->len; i++)
		if (host_sockets_at(now, &before->items[i]) == NULL)
			return false;
	return true;
}

static int died(const struct sshd_daemon *d, struct error *err)
{
	char name[SSHD_DAEMON_NAME_MAX];

	return error_set(err, ERROR_FAILED, "%s ended at the reload", sshd_daemon_name(d, name));
}

static int too_late(const struct sshd_daemon *d, struct error *err)
{
	char name[SSHD_DAEMON_NAME_MAX];

	(void)error_set(err, ERROR_FAILED, "%s did not reload in time: it has no new socket",
			sshd_daemon_name(d, name));
	return error_hint(err, "It runs, but it does not react. /proc/%d/status tells whether it is "
			  "stopped;\nits log tells what it waits for.", (int)d->process.pid);
}

/* Waits for new sockets of the same process. `before` are the old ones. */
static int wait_for_new_sockets(const struct host *h, struct sshd_daemon *d,
				const struct host_sockets *before, int watch_fd,
				int64_t deadline_ns, struct error *err)
{
	unsigned interval = FIRST_INTERVAL_MS;

	for (;;) {
		_cleanup_host_sockets_ struct host_sockets all = HOST_SOCKETS_INIT;
		unsigned left = left_ms(deadline_ns);

		if (host_process_wait(watch_fd, interval < left ? interval : left) ||
		    !host_process_alive(&d->process))
			return died(d, err);
		interval = next_interval(interval);
		if (host_process_has_other_socket(d->process.pid, before)) {
			if (sshd_daemon_refresh(h, d, err) < 0)
				return -1;
			if (sockets_are_new(before, &d->sockets))
				return 0;
		}
		if (left == 0)
			return too_late(d, err);
	}
}

/* The banner shows that what listens also serves. Its absence proves nothing: a server that is
 * too busy says something else, one with a hosts.deny(5) closes, or is silent while it asks DNS. */
static bool answers_with_banner(const struct sshd_daemon *d)
{
	char line[256];

	return host_net_first_line(&d->sockets.items[0], BANNER_TIMEOUT_MS, line,
				   sizeof(line)) == 0 && strncmp(line, "SSH-2.0-", 8) == 0;
}

/* ---- how each kind is reloaded and started */

/* From its HUP until it listens again sshd ignores the signal, and it reads its files in between: a
 * reload that somebody else asked for just now has to end first, or ours would be lost. */
static int wait_until_it_hears(const struct sshd_daemon *d, int watch_fd, int64_t deadline_ns,
			       struct error *err)
{
	unsigned interval = FIRST_INTERVAL_MS;

	while (!host_process_catches(d->process.pid, SIGHUP)) {
		unsigned left = left_ms(deadline_ns);

		if (host_process_wait(watch_fd, interval < left ? interval : left) ||
		    !host_process_alive(&d->process))
			return died(d, err);
		if (left == 0)
			return too_late(d, err);
		interval = next_interval(interval);
	}
	return 0;
}

/* Without a socket it is in the middle of a reload that somebody asked for a moment ago, even though it
 * caught the signal when it was looked at. */
static int wait_until_it_listens(const struct host *h, struct sshd_daemon *d, int watch_fd,
				 int64_t deadline_ns, struct error *err)
{
	for (;;) {
		if (wait_until_it_hears(d, watch_fd, deadline_ns, err) < 0 ||
		    sshd_daemon_refresh(h, d, err) < 0)
			return -1;
		if (d->sockets.len > 0)
			return 0;
		if (left_ms(deadline_ns) == 0)
			return too_late(d, err);
		clock_sleep_ms(FIRST_INTERVAL_MS);
	}
}

static int reload_by_signal(const struct host *h, struct sshd_daemon *d, int64_t deadline_ns,
			    struct error *err)
{
	_cleanup_host_sockets_ struct host_sockets before = HOST_SOCKETS_INIT;
	_cleanup_close_ int watch_fd = host_process_watch(&d->process);

	if (wait_until_it_listens(h, d, watch_fd, deadline_ns, err) < 0)
		return -1;
	before = d->sockets;
	d->sockets = (struct host_sockets)HOST_SOCKETS_INIT;
	if (host_process_signal(h, &d->process, SIGHUP, err) == 0 &&
	    wait_for_new_sockets(h, d, &before, watch_fd, deadline_ns, err) == 0)
		return 0;
	/* where it listened is what sshd_start has to bring back */
	host_sockets_release(&d->sockets);
	d->sockets = before;
	before = (struct host_sockets)HOST_SOCKETS_INIT;
	return -1;
}

/* The listener that now has the configuration of `d` and serves its addresses; or 1: none yet. */
static int find_successor(const struct host *h, const struct sshd_daemon *d,
			  struct sshd_daemon *ret, struct error *err)
{
	_cleanup_sshd_daemons_ struct sshd_daemons all = SSHD_DAEMONS_INIT;

	if (sshd_find(h, d->config, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.len; i++) {
		const struct host_process *p = &all.items[i].process;

		if ((p->pid == d->process.pid && p->start_ticks == d->process.start_ticks) ||
		    !sockets_are_there(&d->sockets, &all.items[i].sockets))
			continue;
		*ret = all.items[i];
		all.items[i] = (struct sshd_daemon)SSHD_DAEMON_INIT;
		return 0;
	}
	return 1;
}

static int wait_for_successor(const struct host *h, const struct sshd_daemon *d,
			      int64_t deadline_ns, struct sshd_daemon *ret, struct error *err)
{
	unsigned interval = FIRST_INTERVAL_MS;

	for (;;) {
		int r = find_successor(h, d, ret, err);

		/* what looks wrong while it starts may be right in the end */
		if (r == 0 || left_ms(deadline_ns) == 0)
			return r;
		clock_sleep_ms(interval);
		interval = next_interval(interval);
	}
}

/* A HUP would make it drop the socket that systemd gave it. */
static int reload_by_restart(const struct host *h, struct sshd_daemon *d, int64_t deadline_ns,
			     struct error *err)
{
	_cleanup_sshd_daemon_ struct sshd_daemon next = SSHD_DAEMON_INIT;
	char name[SSHD_DAEMON_NAME_MAX];
	int r;

	if (systemctl(h, "try-restart", d->unit, err) < 0)
		return -1;
	r = wait_for_successor(h, d, deadline_ns, &next, err);
	if (r > 0)
		return error_set(err, ERROR_FAILED, "%s was restarted, but no new process listens",
				 sshd_daemon_name(d, name));
	if (r < 0)
		return -1;
	sshd_daemon_release(d);
	*d = next;
	next = (struct sshd_daemon)SSHD_DAEMON_INIT;
	return 0;
}

static int start_unit(const struct host *h, const struct sshd_daemon *d, struct error *err)
{
	return systemctl(h, "start", d->unit, err);
}

static int start_script(const struct host *h, const struct sshd_daemon *d, struct error *err)
{
	const char *const argv[] = { d->unit, "start", NULL };

	return run(h, argv, err);
}

static int start_arguments(const struct host *h, const struct sshd_daemon *d, struct error *err)
{
	return host_spawn_detached(h, d->argv.items, d->cwd != NULL ? d->cwd : "/", NULL, err);
}

static const struct {
	int (*reload)(const struct host *h, struct sshd_daemon *d, int64_t deadline_ns,
		      struct error *err);
	int (*start)(const struct host *h, const struct sshd_daemon *d, struct error *err);
	bool by_arguments_too; /* when that does not bring it back */
} methods[] = {
	[SSHD_BARE] = { reload_by_signal, start_arguments, false },
	[SSHD_INIT] = { reload_by_signal, start_script, true },
	[SSHD_SERVICE] = { reload_by_signal, start_unit, true },
	[SSHD_SOCKET] = { reload_by_restart, start_unit, false },
};

/* ---- */

static int reload(const struct host *h, struct sshd_daemon *d, int64_t deadline_ns,
		  struct sshd_proof *proof, struct error *err)
{
	proof->old_inode = d->sockets.len > 0 ? d->sockets.items[0].inode : 0;
	if (methods[d->manager].reload(h, d, deadline_ns, err) < 0)
		return -1;
	proof->process = d->process;
	proof->new_inode = d->sockets.items[0].inode;
	proof->answered = answers_with_banner(d);
	return 0;
}

int sshd_reload(const struct host *h, struct sshd_daemon *daemon, unsigned timeout_ms,
		struct sshd_proof *ret_proof, struct error *err)
{
	int64_t started_ns = clock_boottime_ns();
	struct sshd_proof proof = { .answered = false };

	if (reload(h, daemon, deadline_of(timeout_ms), &proof, err) < 0)
		return error_prefix(err, "reloading");
	proof.took_ms = (unsigned)((clock_boottime_ns() - started_ns) / 1000000);
	*ret_proof = proof;
	return 0;
}

static int not_back(const struct sshd_daemon *d, const char *why, struct error *err)
{
	_cleanup_buffer_ struct buffer command = BUFFER_INIT;

	for (size_t i = 0; i < d->argv.len; i++)
		if (buffer_printf(&command, NULL, " %s", d->argv.items[i]) < 0)
			break;
	(void)error_set(err, ERROR_IN_DOUBT, "sshd does not run any more, and could not be started "
			"again: %s", why);
	return error_hint(err, "A person must look, before the last session ends. It ran as:%.512s",
			  command.data != NULL ? command.data : "");
}

int sshd_start(const struct host *h, const struct sshd_daemon *daemon, unsigned timeout_ms,
	       struct sshd_daemon *ret, struct error *err)
{
	_cleanup_sshd_daemon_ struct sshd_daemon next = SSHD_DAEMON_INIT;
	struct error why = ERROR_INIT;
	/* a supervisor may have been faster, and then there must not be two */
	int r = find_successor(h, daemon, &next, &why);

	if (r != 0 && methods[daemon->manager].start(h, daemon, NULL) == 0)
		r = wait_for_successor(h, daemon, deadline_of(timeout_ms), &next, &why);
	if (r != 0 && methods[daemon->manager].by_arguments_too &&
	    start_arguments(h, daemon, NULL) == 0)
		r = wait_for_successor(h, daemon, deadline_of(timeout_ms), &next, &why);
	if (r != 0)
		return not_back(daemon, r < 0 ? why.message : "it does not listen", err);
	if (ret == daemon)
		sshd_daemon_release(ret);
	*ret = next;
	next = (struct sshd_daemon)SSHD_DAEMON_INIT;
	return 0;
}

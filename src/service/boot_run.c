/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a stop or a start said is quoted, never believed. A stop is done when all that ran before
 * has gone (the same pid and start time) and nothing has come anew; a start, when something runs,
 * and still does a moment later.
 *
 * The times add up to less than the minute that a step's command gets (plan/step.h).
 */
#include "service/boot_run.h"

#include <stdio.h>

#include "base/text.h"
#include "host/clock.h"
#include "host/net.h"
#include "service/boot_control.h"
#include "service/boot_processes.h"
#include "service/sshd_manager.h"

#define COMMAND_MS 30000
#define AGAIN_MS 15000 /* to start what a failed stop took down */
#define STATUS_MS 5000
#define WITHIN_MS 20000
#define WITHIN_AFTER_FAILURE_MS 5000 /* it said itself that it failed */
#define ALL_WITHIN_MS 40000          /* the command and the wait */
#define ASK_AFTER_MS 2000 /* that long without a process: it may be a service without any */
#define SETTLE_MS 200
#define POLL_FIRST_MS 10
#define POLL_MAX_MS 250
#define NAMED_MAX 6

void boot_run_release(struct boot_run *r)
{
	free(r->processes);
	strings_release(&r->listens);
	*r = (struct boot_run)BOOT_RUN_INIT;
}

/* Whether one of the units that start it is there to do so. */
static int read_starters(const struct host *h, const struct boot_service *s, bool *ret_active,
			 struct error *err)
{
	for (size_t i = 0; i < s->unit.sockets.len && !*ret_active; i++) {
		_cleanup_boot_control_unit_ struct boot_control_unit u = BOOT_CONTROL_UNIT_INIT;

		if (boot_control_read_unit(h, s->unit.sockets.items[i], &u, err) < 0)
			return -1;
		*ret_active = u.active || !u.settled;
	}
	return 0;
}

static int read_systemd(const struct host *h, const struct boot_service *s,
			struct boot_processes *ret, bool *ret_active, struct error *err)
{
	_cleanup_boot_control_unit_ struct boot_control_unit u = BOOT_CONTROL_UNIT_INIT;

	/* a template: what runs is made of it, under names of its own */
	if (s->unit.name != NULL && strstr(s->unit.name, "@.") != NULL)
		return 0;
	if (boot_control_read_own_unit(h, s, &u, err) < 0 ||
	    boot_processes_of_unit(h, u.cgroup, u.main_pid, ret, err) < 0)
		return -1;
	*ret_active = u.active || !u.settled;
	return read_starters(h, s, ret_active, err);
}

/* ---- as it runs */

static int add_ports(const struct boot_processes *p, const struct host_sockets *all,
		     const char *protocol, struct strings *ret, struct error *err)
{
	for (size_t i = 0; i < p->len; i++) {
		_cleanup_host_sockets_ struct host_sockets held = HOST_SOCKETS_INIT;

		if (host_process_sockets(p->items[i].pid, all, &held, err) < 0)
			return -1;
		for (size_t k = 0; k < held.len; k++) {
			char text[32];

			(void)snprintf(text, sizeof(text), "%u/%s%s", held.items[k].port, protocol,
				       held.items[k].family == AF_INET6 ? "6" : "");
			if (!strings_contain(ret, text) && strings_add(ret, text, err) < 0)
				return -1;
		}
	}
	return 0;
}

static int read_ports(const struct host *h, const struct boot_processes *p, struct strings *ret,
		      struct error *err)
{
	_cleanup_host_sockets_ struct host_sockets tcp = HOST_SOCKETS_INIT, udp = HOST_SOCKETS_INIT;

	if (p->len == 0)
		return 0;
	if (host_net_listeners(h, &tcp, err) < 0 || host_net_receivers(h, &udp, err) < 0)
		return -1;
	if (add_ports(p, &tcp, "tcp", ret, err) < 0)
		return -1;
	return add_ports(p, &udp, "udp", ret, err);
}

static int read_processes(const struct host *h, const struct boot_service *s,
			  struct boot_processes *ret, bool *ret_active, struct error *err)
{
	if (sshd_manager_is_systemd(h))
		return read_systemd(h, s, ret, ret_active, err);
	return boot_processes_of_script(h, s->name, ret, err);
}

int boot_run_read(const struct host *h, const struct boot_service *s, struct boot_run *ret,
		  struct error *err)
{
	_cleanup_boot_processes_ struct boot_processes p = BOOT_PROCESSES_INIT;
	_cleanup_boot_run_ struct boot_run r = BOOT_RUN_INIT;

	if (!host_is_live(h))
		return 0;
	if (read_processes(h, s, &p, &r.active, err) < 0 || read_ports(h, &p, &r.listens, err) < 0)
		return error_prefix(err, "the processes of %s", s->name);
	r.active |= p.len > 0;
	r.processes = TAKE_PTR(p.items);
	r.len = p.len;
	*ret = r;
	r = (struct boot_run)BOOT_RUN_INIT;
	return 0;
}

static int64_t deadline_after(const struct host_outcome *o, int64_t begun_ns)
{
	unsigned ms = o->status == 0 && !o->timed_out ? WITHIN_MS : WITHIN_AFTER_FAILURE_MS;
	int64_t own = clock_boottime_ns() + (int64_t)ms * 1000000;
	int64_t all = begun_ns + (int64_t)ALL_WITHIN_MS * 1000000;

	return own < all ? own : all;
}

static unsigned next_poll(unsigned ms)
{
	return 2 * ms < POLL_MAX_MS ? 2 * ms : POLL_MAX_MS;
}

/* ---- stop */

static bool any_alive(const struct boot_run *r)
{
	for (size_t i = 0; i < r->len; i++)
		if (host_process_alive(&r->processes[i]))
			return true;
	return false;
}

static bool any_gone(const struct boot_run *r)
{
	for (size_t i = 0; i < r->len; i++)
		if (!host_process_alive(&r->processes[i]))
			return true;
	return false;
}

static bool holds(const struct boot_run *r, const struct host_process *p)
{
	for (size_t i = 0; i < r->len; i++)
		if (r->processes[i].pid == p->pid && r->processes[i].start_ticks == p->start_ticks)
			return true;
	return false;
}

/* *ret_now is the last look at it, without what is known to live. True: all of it is gone. */
static int wait_until_gone(const struct host *h, const struct boot_service *s,
			   const struct boot_run *before, int64_t deadline_ns, bool *ret_gone,
			   struct boot_run *ret_now, struct error *err)
{
	for (unsigned ms = POLL_FIRST_MS;; ms = next_poll(ms)) {
		bool late = clock_boottime_ns() >= deadline_ns, alive = any_alive(before);

		boot_run_release(ret_now);
		if ((late || !alive) && boot_run_read(h, s, ret_now, err) < 0)
			return -1;
		*ret_gone = !alive && !ret_now->active;
		if (*ret_gone || late)
			return 0;
		clock_sleep_ms(ms);
	}
}

static int name_one(const struct host_process *p, size_t *n, struct buffer *ret, struct error *err)
{
	char name[HOST_PROCESS_NAME_MAX];

	if (!host_process_alive(p))
		return 0;
	if ((*n)++ >= NAMED_MAX)
		return 0;
	(void)host_process_name(p->pid, name);
	if (buffer_printf(ret, err, "%spid %d (", *n > 1 ? ", " : "", (int)p->pid) < 0 ||
	    text_escape(slice_of(name, strlen(name)), false, ret, err) < 0)
		return -1;
	return buffer_append_str(ret, ")", err);
}

static int name_left(const struct boot_run *before, const struct boot_run *now, struct buffer *ret,
		     struct error *err)
{
	size_t n = 0;

	for (size_t i = 0; i < before->len; i++)
		if (name_one(&before->processes[i], &n, ret, err) < 0)
			return -1;
	for (size_t i = 0; i < now->len; i++)
		if (!holds(before, &now->processes[i]) &&
		    name_one(&now->processes[i], &n, ret, err) < 0)
			return -1;
	if (n == 0)
		return buffer_append_str(ret, "its unit, or one that starts it, is active", err);
	if (n > NAMED_MAX && buffer_printf(ret, err, " and %zu more", n - NAMED_MAX) < 0)
		return -1;
	return buffer_append_str(ret, n > 1 ? " still run" : " still runs", err);
}

static int not_stopped(const struct boot_service *s, const struct boot_run *before,
		       const struct boot_run *now, const struct host_outcome *o, struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;

	if (name_left(before, now, &text, err) < 0 || boot_control_add_words(o, &text, err) < 0)
		return -1;
	return error_set(err, ERROR_FAILED, "%s did not stop: %s", s->name, text.data);
}

/* What a half stop took down shall not stay down. */
static void start_again(const struct host *h, const struct boot_service *s,
			const struct boot_run *before, struct error *err)
{
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;

	if (before->len > 0 && !any_gone(before))
		return;
	boot_control_reset_failed(h, s);
	if (boot_control_run(h, s, "start", AGAIN_MS, &o, NULL) < 0)
		error_ignore(error_hint(err, "It could not be started again."));
	else
		error_ignore(error_hint(err, "It was told to start again (status %d).", o.status));
}

static int stop(const struct host *h, const struct boot_service *s, const struct boot_run *before,
		struct error *err)
{
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
	_cleanup_boot_run_ struct boot_run now = BOOT_RUN_INIT;
	int64_t begun_ns = clock_boottime_ns();
	bool gone = false;

	if (boot_control_run(h, s, "stop", COMMAND_MS, &o, err) < 0 ||
	    wait_until_gone(h, s, before, deadline_after(&o, begun_ns), &gone, &now, err) < 0)
		return error_prefix(err, "stopping %s", s->name);
	if (gone)
		return 0;
	error_ignore(not_stopped(s, before, &now, &o, err));
	start_again(h, s, before, err);
	return -1;
}

int boot_run_stop(const struct host *h, const struct boot_service *s, struct error *err)
{
	_cleanup_boot_run_ struct boot_run before = BOOT_RUN_INIT;

	if (boot_run_read(h, s, &before, err) < 0)
		return -1;
	if (!before.active)
		return 0;
	return stop(h, s, &before, err);
}

/* ---- start */

/* An init script that starts no daemon has its own word for "it is so". */
static int script_says_running(const struct host *h, const struct boot_service *s, bool *ret,
			       struct error *err)
{
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;

	if (boot_control_run(h, s, "status", STATUS_MS, &o, err) < 0)
		return -1;
	*ret = o.status == 0 && !o.timed_out;
	return 0;
}

static int unit_runs(const struct host *h, const struct boot_service *s, bool *ret,
		     struct error *err)
{
	_cleanup_boot_control_unit_ struct boot_control_unit u = BOOT_CONTROL_UNIT_INIT;

	if (boot_control_waits(s)) {
		*ret = false;
		return read_starters(h, s, ret, err);
	}
	if (boot_control_read_own_unit(h, s, &u, err) < 0)
		return -1;
	*ret = u.active || u.leaves_nothing;
	return 0;
}

/* Processes that were there before a start that failed are no proof of it. */
static int processes_run(const struct host *h, const struct boot_service *s,
			 const struct boot_run *before, bool believed, bool *ret,
			 struct error *err)
{
	_cleanup_boot_processes_ struct boot_processes p = BOOT_PROCESSES_INIT;

	if (boot_processes_of_script(h, s->name, &p, err) < 0)
		return -1;
	*ret = believed && p.len > 0;
	for (size_t i = 0; i < p.len; i++)
		*ret |= !holds(before, &p.items[i]);
	return 0;
}

static int runs(const struct host *h, const struct boot_service *s, const struct boot_run *before,
		const struct host_outcome *o, bool *ret, struct error *err)
{
	if (sshd_manager_is_systemd(h))
		return unit_runs(h, s, ret, err);
	return processes_run(h, s, before, o->status == 0, ret, err);
}

/* It runs, and still does a moment later. */
static int wait_for_processes(const struct host *h, const struct boot_service *s,
			      const struct boot_run *before, const struct host_outcome *o,
			      int64_t deadline_ns, bool *ret_up, struct error *err)
{
	bool was_up = false;

	for (unsigned ms = POLL_FIRST_MS;; ms = next_poll(ms)) {
		bool late = clock_boottime_ns() >= deadline_ns;

		if (runs(h, s, before, o, ret_up, err) < 0)
			return -1;
		if ((*ret_up && was_up) || late)
			return 0;
		was_up = *ret_up;
		clock_sleep_ms(was_up ? SETTLE_MS : ms);
	}
}

static int wait_until_up(const struct host *h, const struct boot_service *s,
			 const struct boot_run *before, const struct host_outcome *o,
			 int64_t begun_ns, bool *ret_up, struct error *err)
{
	int64_t deadline_ns = deadline_after(o, begun_ns);
	int64_t ask_ns = clock_boottime_ns() + (int64_t)ASK_AFTER_MS * 1000000;
	bool asks = o->status == 0 && !sshd_manager_is_systemd(h);

	if (asks && ask_ns < deadline_ns) {
		if (wait_for_processes(h, s, before, o, ask_ns, ret_up, err) < 0 ||
		    (!*ret_up && script_says_running(h, s, ret_up, err) < 0))
			return -1;
		if (*ret_up)
			return 0;
	}
	if (wait_for_processes(h, s, before, o, deadline_ns, ret_up, err) < 0)
		return -1;
	return *ret_up || !asks ? 0 : script_says_running(h, s, ret_up, err);
}

static int not_started(const struct boot_service *s, const struct host_outcome *o,
		       struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;

	if (boot_control_add_words(o, &text, err) < 0)
		return -1;
	return error_set(err, ERROR_FAILED, "%s did not start: it does not run%s", s->name, text.data);
}

static int start(const struct host *h, const struct boot_service *s, struct error *err)
{
	_cleanup_boot_run_ struct boot_run before = BOOT_RUN_INIT;
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
	int64_t begun_ns = clock_boottime_ns();
	bool up = false;

	if (boot_run_read(h, s, &before, err) < 0)
		return error_prefix(err, "starting %s", s->name);
	boot_control_reset_failed(h, s);
	if (boot_control_run(h, s, "start", COMMAND_MS, &o, err) < 0 ||
	    wait_until_up(h, s, &before, &o, begun_ns, &up, err) < 0)
		return error_prefix(err, "starting %s", s->name);
	return up ? 0 : not_started(s, &o, err);
}

int boot_run_start(const struct host *h, const struct boot_service *s, struct error *err)
{
	if (!host_is_live(h))
		return error_set(err, ERROR_REFUSED, "%s: nothing can be started in an image", s->name);
	return start(h, s, err);
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A transient timer of systemd (systemd-run(1)), where there is no cron. It is named after the
 * toggle's id, which stays the same when the deadline changes.
 */
#include "base/path.h"
#include "deadline/closer.h"
#include "service/sshd_manager.h"

#define SYSTEMCTL "/usr/bin/systemctl"
#define SYSTEMD_RUN "/usr/bin/systemd-run"

static int run_argv(const struct closer_context *c, const char *id, struct strings *ret,
		    struct error *err)
{
	static const char *const options[] = { "--on-calendar=*:*:00",
					       "--timer-property=AccuracySec=1s", "--collect",
					       "--quiet" };

	if (strings_add(ret, SYSTEMD_RUN, err) < 0 ||
	    strings_addf(ret, err, "--unit=rootlatch-%s", id) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strings_add(ret, options[i], err) < 0)
			return -1;
	return closer_reap_argv(c, ret, err);
}

static int systemctl_argv(const char *verb, const char *option, const char *id, struct strings *ret,
			  struct error *err)
{
	if (strings_add(ret, SYSTEMCTL, err) < 0 || strings_add(ret, verb, err) < 0 ||
	    (option != NULL && strings_add(ret, option, err) < 0))
		return -1;
	return strings_addf(ret, err, "rootlatch-%s.timer", id);
}

static int verify_argv(const char *id, struct strings *ret, struct error *err)
{
	return systemctl_argv("is-active", "--quiet", id, ret, err);
}

static int timer_is_active(const struct host *h, const char *id, bool *ret_is, struct error *err)
{
	_cleanup_host_outcome_ struct host_outcome outcome = HOST_OUTCOME_INIT;
	_cleanup_strings_ struct strings argv = STRINGS_INIT;
	struct host_command cmd = { .timeout_ms = 10000 };

	if (verify_argv(id, &argv, err) < 0)
		return -1;
	cmd.argv = argv.items;
	if (host_run(h, &cmd, &outcome, err) < 0)
		return -1;
	*ret_is = outcome.status == 0;
	return 0;
}

/* What can't be had here; NULL when it can. Static. */
static const char *find_obstacle(const struct closer_context *c, const struct strings *argv)
{
	if (!host_file_exists(c->host, SYSTEMD_RUN) || !host_file_exists(c->host, SYSTEMCTL))
		return "systemd-run is not there";
	if (!closer_argv_is_plain(argv))
		return "systemd can't run a program, or be told a state folder, with such a name";
	return NULL;
}

static int add_start(const struct closer_job *j, struct error *err)
{
	struct step s = { .kind = STEP_RUN, .after_mtime_ns = -1 };

	if (run_argv(j->c, j->toggle->id, &s.argv, err) < 0 ||
	    systemctl_argv("stop", NULL, j->toggle->id, &s.undo, err) < 0 ||
	    verify_argv(j->toggle->id, &s.verify, err) < 0) {
		step_release(&s);
		return -1;
	}
	return plan_add(j->plan, &s, err);
}

/* Where systemd does not run the host there is nothing missing that one could have. */
static int systemd_arm(struct closer_job *j, bool *ret_armed, struct error *err)
{
	_cleanup_strings_ struct strings argv = STRINGS_INIT;
	bool active = false;
	const char *why;

	if (strings_contain(&j->toggle->closers, closer_cron.name) ||
	    !sshd_manager_is_systemd(j->c->host))
		return 0;
	if (closer_reap_argv(j->c, &argv, err) < 0)
		return -1;
	why = find_obstacle(j->c, &argv);
	if (why != NULL)
		return strings_add(j->missing, why, err);
	if (timer_is_active(j->c->host, j->toggle->id, &active, err) < 0)
		return -1;
	*ret_armed = true;
	return active ? 0 : add_start(j, err);
}

static int add_stop(const struct closer_context *c, const char *id, struct plan *plan,
		    struct error *err)
{
	struct step s = { .kind = STEP_RUN, .after_mtime_ns = -1, .verify_fails = true };

	if (systemctl_argv("stop", NULL, id, &s.argv, err) < 0 ||
	    run_argv(c, id, &s.undo, err) < 0 || verify_argv(id, &s.verify, err) < 0) {
		step_release(&s);
		return -1;
	}
	return plan_add(plan, &s, err);
}

/* A timer that is gone, or can't be asked for, must not stand in the way of a close. */
static int systemd_disarm(struct closer_context *c, const struct state_toggle *was,
			  struct plan *plan, struct state *after, struct strings *left,
			  struct error *err)
{
	bool active = false;

	if (was == NULL || !strings_contain(&was->closers, closer_systemd.name) ||
	    !sshd_manager_is_systemd(c->host) ||
	    timer_is_active(c->host, was->id, &active, NULL) < 0 || !active)
		return 0;
	return add_stop(c, was->id, plan, err);
}

static int systemd_is_armed(struct closer_context *c, const struct state_toggle *t, bool *ret_is,
			    struct strings *lost, struct error *err)
{
	if (sshd_manager_is_systemd(c->host) && timer_is_active(c->host, t->id, ret_is, err) < 0)
		return -1;
	return *ret_is ? 0 : strings_addf(lost, err, "rootlatch-%s.timer is not active", t->id);
}

const struct closer closer_systemd = {
	.name = "systemd",
	.arm = systemd_arm,
	.disarm = systemd_disarm,
	.is_armed = systemd_is_armed,
};

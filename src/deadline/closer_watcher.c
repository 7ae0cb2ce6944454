/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The watcher is a process of ours (watch.c) that holds the lock of a file in /run named after the
 * transaction that started it. It ends when that file goes.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/path.h"
#include "deadline/closer.h"

/* Its folders are made by the watcher; here nothing is written. */
static int check_folders(const struct host *h, struct error *err)
{
	static const char *const dirs[] = { DEADLINE_RUN_DIR, DEADLINE_WATCH_DIR };

	if (faccessat(h->root_fd, "run", W_OK, AT_EACCESS) < 0)
		return error_sys(err, ERROR_REFUSED, errno, "/run can't be written to");
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (host_file_exists(h, dirs[i]) && host_dir_check_own(h, dirs[i], err) < 0)
			return -1;
	return 0;
}

static int fill_argv(const struct closer_job *j, const char *file, struct strings *argv,
		     struct error *err)
{
	const struct state_toggle *t = j->toggle;
	/* the clock since boot means nothing to one that outlives the boot */
	bool this_boot_only = t->boot != NULL && t->boot[0] != '\0';

	if (strings_add(argv, j->c->program, err) < 0 || strings_add(argv, "watch", err) < 0 ||
	    strings_add(argv, "--file", err) < 0 || strings_add(argv, file, err) < 0 ||
	    strings_add(argv, "--toggle", err) < 0 || strings_add(argv, t->name, err) < 0 ||
	    strings_add(argv, "--until-real", err) < 0 ||
	    strings_addf(argv, err, "%lld", (long long)t->until_ns) < 0 ||
	    strings_add(argv, "--until-boot", err) < 0 ||
	    strings_addf(argv, err, "%lld", this_boot_only ? (long long)t->until_boot_ns : 0) < 0 ||
	    strings_add(argv, "--state-dir", err) < 0)
		return -1;
	return strings_add(argv, j->c->store->dir, err);
}

static int watcher_arm(struct closer_job *j, bool *ret_armed, struct error *err)
{
	struct step s = { .kind = STEP_START, .after_mtime_ns = -1 };
	struct error why = ERROR_INIT;

	if (!host_is_live(j->c->host))
		return strings_add(j->missing, "no process of ours can watch over a folder", err);
	if (check_folders(j->c->host, &why) < 0)
		return strings_addf(j->missing, err, "a watcher can't have its file: %s", why.message);
	s.path = path_join(DEADLINE_WATCH_DIR, j->plan->id, err);
	if (s.path == NULL || fill_argv(j, s.path, &s.argv, err) < 0 ||
	    (j->toggle->watch = str_dup(s.path, err)) == NULL) {
		step_release(&s);
		return -1;
	}
	*ret_armed = true;
	return plan_add(j->plan, &s, err);
}

static bool has_watcher(const struct state_toggle *t)
{
	return t->watch != NULL && path_is_below(t->watch, DEADLINE_WATCH_DIR);
}

static int watcher_disarm(struct closer_context *c, const struct state_toggle *was,
			  struct plan *plan, struct state *after, struct strings *left,
			  struct error *err)
{
	if (was == NULL || !has_watcher(was) || !host_file_exists(c->host, was->watch))
		return 0;
	return strings_add(&plan->on_commit, was->watch, err);
}

static int watcher_is_armed(struct closer_context *c, const struct state_toggle *t, bool *ret_is,
			    struct strings *lost, struct error *err)
{
	*ret_is = has_watcher(t) && host_file_is_locked(c->host, t->watch);
	return *ret_is ? 0 : strings_add(lost, "its watcher is gone", err);
}

const struct closer closer_watcher = {
	.name = "watcher",
	.arm = watcher_arm,
	.disarm = watcher_disarm,
	.is_armed = watcher_is_armed,
};

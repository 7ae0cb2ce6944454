/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The snapshot of a plan with links, modes and times: its manifest, and its restore.sh.
 */
#include "fault_host.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/clock.h"
#include "store/snapshot.h"
#include "test_restore.h"

#define DIR "/lib"
#define ONE DIR "/snapshots/0badcafe"

#define OLD "one\ntw\xf6\n"
#define NEW "one\nthree\n"
#define REPLACED "/etc/replaced"
#define TWIN "/etc/.replaced"
#define RC "/etc/it's $(touch pwned) rc2.d"
#define STARTED RC "/S02a -n"
#define STOPPED RC "/K02a -n"
#define SCRIPT "/etc/script"
#define MASK "/etc/wants/mask"
#define WANTED "/etc/wanted"
#define MASKED RC "/mask"
#define MASK_TWIN RC "/.mask~"
#define MASKED_WAS "-n ../it's /dev/null"
#define LINK_TARGET "-n ../it's $(touch pwned)/a"
#define MTIME 1234567890000000007

static struct store store = STORE_INIT;
static struct plan plan = PLAN_INIT;

static void enter(void)
{
	struct error err = ERROR_INIT;

	box_enter();
	box_mkdir("/etc", 0755);
	box_mkdir(DIR, 0700);
	box_ok(store_init(&store, &box()->host, DIR, &err));
}

static void leave(void)
{
	plan_release(&plan);
	store_release(&store);
	box_leave();
}

TestSuite(store_restore_small, .init = enter, .fini = leave, .timeout = 60);

/* Without any sshd. */
static void create(const char *command, const char *toggle)
{
	const struct snapshot_info i = { .command = command,
					 .toggle = toggle,
					 .by = "alice" };
	struct error err = ERROR_INIT;

	error_ignore(snapshot_remove(&store, "0badcafe", NULL));
	box_ok(snapshot_create(&store, &plan, &i, &err));
}

static void add_file(const char *path, const char *temp)
{
	struct step s = {
		.path = strdup(path),
		.temp = strdup(temp),
		.before = digest_of(OLD, strlen(OLD)),
		.after = digest_of(NEW, strlen(NEW)),
		.before_bytes = slice_of(OLD, strlen(OLD)),
		.after_bytes = slice_of(NEW, strlen(NEW)),
		.meta = { .mode = 0640, .mtime_ns = MTIME },
	};
	struct error err = ERROR_INIT;

	box_ok(plan_add(&plan, &s, &err));
}

static void add_small(struct step s)
{
	struct error err = ERROR_INIT;

	s.after_mtime_ns = -1;
	box_ok(plan_add(&plan, &s, &err));
}

static void add_undone_command(const char *argv, const char *undo)
{
	struct step s = { .kind = STEP_RUN };
	struct error err = ERROR_INIT;

	box_ok(strings_add(&s.argv, argv, &err));
	if (undo != NULL) {
		box_ok(strings_add(&s.undo, undo, &err));
		box_ok(strings_add(&s.undo, "it's an $argument", &err));
	}
	box_ok(plan_add(&plan, &s, &err));
}

/* What disable does of a service: as paths of this machine, for the script. */
static void plan_disable(void)
{
	plan_release(&plan);
	memcpy(plan.id, "0badcafe", 9);
	add_undone_command("/bin/true", box_path("/reload"));
	add_small((struct step){ .kind = STEP_TIMES,
				 .path = strdup(box_path(RC)),
				 .mtime_before_ns = MTIME,
				 .mtime_after_ns = -1 });
	add_small((struct step){ .kind = STEP_TIMES,
				 .path = strdup(box_path(SCRIPT)),
				 .mtime_before_ns = -1,
				 .mtime_after_ns = 5 });
	add_small((struct step){ .kind = STEP_RENAME,
				 .path = strdup(box_path(STARTED)),
				 .to = strdup(box_path(STOPPED)),
				 .target = strdup(LINK_TARGET) });
	add_small((struct step){ .kind = STEP_MODE,
				 .path = strdup(box_path(SCRIPT)),
				 .mode_before = 04750,
				 .mode_after = 0644 });
	add_small((struct step){ .kind = STEP_DELINK,
				 .path = strdup(box_path(WANTED)),
				 .target = strdup("/lib/a.service"),
				 .mtime_ns = MTIME });
	add_small((struct step){ .kind = STEP_RELINK,
				 .path = strdup(box_path(MASKED)),
				 .temp = strdup(box_path(MASK_TWIN)),
				 .target = strdup(MASKED_WAS),
				 .new_target = strdup("/dev/null"),
				 .mtime_ns = MTIME,
				 .new_mtime_ns = -1 });
	add_small((struct step){ .kind = STEP_LINK,
				 .path = strdup(box_path(MASK)),
				 .target = strdup("/dev/null"),
				 .made_folder = true,
				 .mtime_ns = -1 });
	add_file(box_path(REPLACED), box_path(TWIN));
	add_undone_command("/bin/reload", box_path("/reload"));
}

static void snapshot_disable(void)
{
	plan_disable();
	create("disable", "service/it's a");
}

static void set_time(const char *path, int64_t ns)
{
	const struct timespec times[2] = { timespec_of_ns(ns), timespec_of_ns(ns) };

	cr_assert(eq(int, utimensat(AT_FDCWD, box_path(path), times, AT_SYMLINK_NOFOLLOW),
		     0));
}

static void clear_service(void)
{
	static const char *const files[] = { STARTED, STOPPED,     SCRIPT,   MASK,
					     WANTED,  REPLACED,    MASKED,   MASK_TWIN,
					     TWIN,    "/reloaded", "/etc/wants/theirs" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		(void)unlink(box_path(files[i]));
	(void)rmdir(box_path("/etc/wants"));
	box_mkdir(RC, 0755);
}

static void set_enabled(void)
{
	clear_service();
	box_write(SCRIPT, "a\n");
	cr_assert(eq(int, chmod(box_path(SCRIPT), 04750), 0));
	cr_assert(eq(int, symlink(LINK_TARGET, box_path(STARTED)), 0));
	cr_assert(eq(int, symlink("/lib/a.service", box_path(WANTED)), 0));
	cr_assert(eq(int, symlink(MASKED_WAS, box_path(MASKED)), 0));
	box_write(REPLACED, OLD);
	set_time(MASKED, MTIME);
	set_time(WANTED, MTIME);
	set_time(STARTED, MTIME);
	set_time(RC, MTIME);
}

/* By the steps themselves. */
static void set_disabled(void)
{
	struct host live = HOST_INIT;
	struct error err = ERROR_INIT;

	set_enabled();
	box_ok(host_init(&live, "/", NULL, NULL, &err));
	for (size_t i = 0; i < plan.len; i++)
		if (step_is_small(&plan.steps[i])) {
			box_ok(step_prepare(&live, &plan.steps[i], &err));
			box_ok(step_apply(&live, &plan.steps[i], &err));
		}
	host_release(&live);
	/* as a commit does */
	cr_assert(eq(int, unlink(box_path(MASK_TWIN)), 0));
	box_write(REPLACED, NEW);
	box_write("/reload", "#!/bin/sh\nprintf '<%s>' \"$@\" >>\"${0}ed\"\n");
	cr_assert(eq(int, chmod(box_path("/reload"), 0755), 0));
}

static char *look_at_service(bool times)
{
	static const char *const paths[] = { STARTED, STOPPED, MASK, WANTED, MASKED, RC };
	struct buffer b = BUFFER_INIT;
	struct error err = ERROR_INIT;

	box_ok(buffer_printf(&b, &err, "%s %s %s %04o %s", box_names("/etc"), box_names(RC),
			     box_names("/etc/wants"), (unsigned)box_mode(SCRIPT),
			     box_text(REPLACED)));
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		char target[128] = "";
		struct stat st = { .st_ino = 0 };

		if (readlink(box_path(paths[i]), target, sizeof(target) - 1) < 0)
			target[0] = '\0';
		(void)lstat(box_path(paths[i]), &st);
		box_ok(buffer_printf(&b, &err, "%s %lld\n", target,
				     times ? (long long)timespec_ns(st.st_mtim) : 0));
	}
	return b.data;
}

Test(store_restore_small, has_links_modes_and_times_in_the_manifest)
{
	static const char *const kinds[] = { "run",    "times",  "times", "rename", "mode",
					     "delink", "relink", "link",  "run" };
	_cleanup_json_ json_t *manifest = NULL;
	struct error err = ERROR_INIT;
	const json_t *steps;

	snapshot_disable();
	box_str(box_names(ONE), " 8.before 8.middle manifest.json restore.sh");
	box_ok(snapshot_read(&store, "0badcafe", &manifest, &err));
	cr_expect(json_get_string(manifest, "config", NULL) == NULL);
	cr_expect(eq(sz, json_array_size(json_object_get(manifest, "files")), 1));
	steps = json_object_get(manifest, "steps");
	cr_assert(eq(sz, json_array_size(steps), ARRAY_SIZE(kinds)));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct step s = { 0 };

		box_str(json_get_string(json_array_get(steps, i), "kind", ""), kinds[i]);
		box_ok(step_from_json(json_array_get(steps, i), &s, &err));
		if (s.kind == STEP_RENAME) {
			box_str(s.to, box_path(STOPPED));
			box_str(s.target, LINK_TARGET);
		}
		if (s.kind == STEP_RELINK) {
			box_str(s.target, MASKED_WAS);
			box_str(s.new_target, "/dev/null");
		}
		step_release(&s);
	}
}

Test(store_restore_small, has_no_commands_of_a_plan_of_files_in_the_manifest)
{
	_cleanup_json_ json_t *manifest = NULL;
	struct error err = ERROR_INIT;

	memcpy(plan.id, "0badcafe", 9);
	add_file("/etc/a", "/etc/.a");
	add_undone_command("/bin/arm", "/bin/disarm");
	create("open", "root-login");
	box_ok(snapshot_read(&store, "0badcafe", &manifest, &err));
	cr_expect(eq(sz, json_array_size(json_object_get(manifest, "steps")), 0));
	cr_expect(strstr(box_text(ONE "/restore.sh"), "disarm") == NULL);
	cr_expect(strstr(box_text(ONE "/restore.sh"), "check_small") == NULL);
}

static struct host_outcome restore_and_listen(size_t n)
{
	return run(shell(n, box_path(ONE "/restore.sh"), NULL));
}

static int restore(size_t n)
{
	_cleanup_host_outcome_ struct host_outcome o = restore_and_listen(n);

	return o.status;
}

Test(store_restore_small, has_a_script_that_restores_links_modes_and_times)
{
	unsigned asked = 0;

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		bool exact = strstr(shells[i], "busybox") ==
			     NULL; /* its own touch may know less */
		_cleanup_free_ char *before = NULL, *after = NULL, *again = NULL;
		_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;

		if (shell(i, NULL, NULL) == NULL)
			continue;
		asked++;
		snapshot_disable();
		set_enabled();
		before = look_at_service(exact);
		set_disabled();
		o = restore_and_listen(i);
		cr_expect(eq(int, o.status, 0), "%s: %s", shells[i], o.err.data);
		box_str(o.err.data, "", "%s", shells[i]);
		cr_expect(strstr(o.out.data, "rootlatch revert service/it's a\n") != NULL,
			  "%s", o.out.data);
		cr_expect(strstr(o.out.data, "sshd") == NULL, "%s", o.out.data);
		after = look_at_service(exact);
		box_str(after, before, "%s", shells[i]);
		/* once, though two steps are undone by it */
		box_str(box_text("/reloaded"), "<it's an $argument>", "%s", shells[i]);
		/* again: nothing to do */
		cr_expect(eq(int, restore(i), 0), "%s", shells[i]);
		again = look_at_service(exact);
		box_str(again, before, "%s", shells[i]);
		box_str(box_text("/reloaded"), "<it's an $argument>", "%s", shells[i]);
		cr_expect(ne(int, access(box_path(ONE "/pwned"), F_OK), 0));
	}
	if (asked == 0)
		cr_skip_test("neither dash nor busybox");
}

/* The twin may be there, without its time; and, where the link leads to a folder, be all there is. */
static void expect_relink_goes_on(void)
{
	for (int away = 0; away < 2; away++) {
		_cleanup_free_ char *before = NULL, *after = NULL;

		set_enabled();
		before = look_at_service(true);
		set_disabled();
		cr_assert(eq(int, symlink(MASKED_WAS, box_path(MASK_TWIN)), 0));
		if (away)
			cr_assert(eq(int, unlink(box_path(MASKED)), 0));
		cr_expect(eq(int, restore(0), 0), "away %d", away);
		after = look_at_service(true);
		box_str(after, before, "away %d", away);
	}
}

/* One at a time: as if it had been cut off anywhere. */
Test(store_restore_small, has_a_script_that_goes_on_where_it_was_cut_off)
{
	if (access(shells[0], X_OK) < 0)
		cr_skip_test("no dash");
	snapshot_disable();
	for (size_t n = 0; n < plan.len; n++) {
		_cleanup_free_ char *before = NULL, *after = NULL;
		struct host live = HOST_INIT;
		struct error err = ERROR_INIT;

		set_enabled();
		before = look_at_service(true);
		set_disabled();
		box_ok(host_init(&live, "/", NULL, NULL, &err));
		for (size_t i = plan.len; i > n; i--)
			if (step_is_small(&plan.steps[i - 1]))
				box_ok(step_revert(&live, &plan.steps[i - 1], &err));
		host_release(&live);
		(void)unlink(box_path(MASK_TWIN)); /* as a rollback does */
		cr_expect(eq(int, restore(0), 0), "from step %zu", n);
		after = look_at_service(true);
		box_str(after, before, "from step %zu", n);
	}
	expect_relink_goes_on();
	/* a folder that lost its link already */
	set_disabled();
	cr_assert(eq(int, unlink(box_path(MASK)), 0));
	cr_expect(eq(int, restore(0), 0));
	box_str(box_names("/etc/wants"), "(none)");
	/* or got another one */
	set_disabled();
	box_write("/etc/wants/theirs", "");
	cr_expect(eq(int, restore(0), 0));
	box_str(box_names("/etc/wants"), " theirs");
	clear_service();
}

static void edit_service(int what)
{
	static const char *const paths[] = { STOPPED, STOPPED, SCRIPT, WANTED,
					     MASK,    STARTED, MASKED, MASKED };

	if (what == 2) {
		cr_assert(eq(int, chmod(box_path(SCRIPT), 0755), 0));
		return;
	}
	(void)unlink(box_path(paths[what]));
	if (what != 1 && what != 7)
		cr_assert(eq(int, symlink("/theirs", box_path(paths[what])), 0));
}

Test(store_restore_small, has_a_script_that_leaves_links_and_modes_which_were_changed)
{
	static const char *const words[] = { "S02a", "S02a", "script", "wanted",
					     "mask", "S02a", "/mask was changed", "/mask was changed" };

	if (access(shells[0], X_OK) < 0)
		cr_skip_test("no dash");
	snapshot_disable();
	for (int i = 0; i < (int)ARRAY_SIZE(words); i++) {
		_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
		_cleanup_free_ char *before = NULL, *after = NULL;

		set_disabled();
		edit_service(i);
		before = look_at_service(true);
		o = restore_and_listen(0);
		cr_expect(eq(int, o.status, 3), "row %d: %s", i, o.err.data);
		cr_expect(strstr(o.err.data, "refused, nothing was changed: ") != NULL,
			  "%s", o.err.data);
		cr_expect(strstr(o.err.data, words[i]) != NULL, "row %d: %s", i,
			  o.err.data);
		after = look_at_service(true);
		box_str(after, before, "row %d", i);
		box_str(box_text("/reloaded"), "(none)", "row %d", i);
	}
	clear_service();
}

/* mv(1) would put something into the folder. */
Test(store_restore_small, has_a_script_that_restores_a_link_to_a_folder)
{
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
		char target[128] = "";

		if (shell(i, NULL, NULL) == NULL)
			continue;
		plan_release(&plan);
		memcpy(plan.id, "0badcafe", 9);
		add_small((struct step){ .kind = STEP_RELINK,
					 .path = strdup(box_path("/etc/link")),
					 .temp = strdup(box_path("/etc/.link~")),
					 .target = strdup("one"),
					 .new_target = strdup("two"),
					 .mtime_ns = -1,
					 .new_mtime_ns = -1 });
		create("disable", "service/a");
		box_mkdir("/etc/one", 0755);
		box_mkdir("/etc/two", 0755);
		(void)unlink(box_path("/etc/link"));
		cr_assert(eq(int, symlink("two", box_path("/etc/link")), 0));
		o = restore_and_listen(i);
		cr_expect(eq(int, o.status, 0), "%s: %s", shells[i], o.err.data);
		box_str(o.err.data, "", "%s", shells[i]);
		cr_expect(gt(int, (int)readlink(box_path("/etc/link"), target, sizeof(target) - 1), 0));
		box_str(target, "one", "%s", shells[i]);
		box_str(box_names("/etc"), " link one two", "%s", shells[i]);
		box_str(box_names("/etc/one"), "", "%s", shells[i]);
		box_str(box_names("/etc/two"), "", "%s", shells[i]);
	}
}

Test(store_restore_small, has_a_script_for_services_that_shellcheck_finds_nothing_in)
{
	char *argv[] = { (char *)"/usr/bin/shellcheck",
			 (char *)"-s",
			 (char *)"sh",
			 (char *)"-e",
			 (char *)"SC2016", /* the names are hostile */
			 (char *)box_path(ONE "/restore.sh"),
			 NULL };

	if (access(argv[0], X_OK) < 0)
		cr_skip_test("no shellcheck");
	snapshot_disable();
	{
		_cleanup_host_outcome_ struct host_outcome o = run(argv);

		cr_expect(eq(int, o.status, 0), "%s", o.out.data);
	}
}

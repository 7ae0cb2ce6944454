/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The protocol with links, modes and times: a service is switched off, its order computed anew, and
 * back on, in whatever moment it is cut off.
 */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <rootlatch.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api.h"
#include "host/clock.h"
#include "store/journal.h"
#include "test_recover.h"

#define OFF_ID "0badcafe"
#define ON_ID "0badf00d"
#define RC "/etc/rc2.d"
#define STARTED RC "/S02a"
#define STOPPED RC "/K02a"
#define SCRIPT "/etc/init.d/a"
#define DEPEND "/etc/init.d/.depend.start"
#define DEPEND_TEMP "/etc/init.d/.new~"
#define WANTS "/etc/wants"
#define WANTED WANTS "/a.service"
#define MASKS "/etc/masks"
#define MASK MASKS "/a.service"
#define ODD RC "/odd"
#define ODD_TEMP RC "/.odd~"
#define OLD "TARGETS = a z\n"
#define NEW "TARGETS = z\n"

static struct store store = STORE_INIT;
static char *enabled, *disabled; /* all that can be seen */

static int judge(const struct toggle_context *c, struct toggle_plan *p, struct error *err)
{
	return 0;
}

static const struct toggle_kind toy = { .name = "toy", .judge = judge };

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void remove_all(const char *path)
{
	(void)nftw(box_path(path), remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int64_t mtime(const char *path)
{
	struct stat st = { .st_ino = 0 };

	(void)lstat(box_path(path), &st);
	return timespec_ns(st.st_mtim);
}

static void set_mtime(const char *path, int64_t s)
{
	const struct timespec times[2] = { { .tv_sec = s },
					   { .tv_sec = s, .tv_nsec = 7 } };

	cr_assert(eq(int, utimensat(AT_FDCWD, box_path(path), times, AT_SYMLINK_NOFOLLOW),
		     0));
}

static void make_link(const char *path, const char *target, int64_t s)
{
	cr_assert(eq(int, symlink(target, box_path(path)), 0));
	set_mtime(path, s);
}

static void set_scene(void)
{
	remove_all("/etc");
	remove_all("/lib");
	box_mkdir("/etc", 0755);
	box_mkdir("/etc/init.d", 0755);
	box_mkdir(RC, 0755);
	box_mkdir(WANTS, 0755);
	make_link(STARTED, "../init.d/a", 1000000001);
	make_link(WANTED, "/lib/a.service", 1000000002);
	make_link(ODD, "../../dev/null", 1000000009);
	box_write(SCRIPT, "#!/bin/sh\n");
	cr_assert(eq(int, chmod(box_path(SCRIPT), 0750), 0));
	box_write(DEPEND, OLD);
	set_mtime(SCRIPT, 1000000003);
	set_mtime(DEPEND, 1000000004);
	set_mtime("/etc/init.d", 1000000005);
	set_mtime(RC, 1000000006);
	set_mtime(WANTS, 1000000007);
	set_mtime("/etc", 1000000008);
}

/* Every name, its mode, owner, time, target or bytes; the times of folders where that is asked. */
static char *look(bool folder_times)
{
	static const char *const paths[] = { "/etc", "/etc/init.d", RC,      WANTS,
					     MASKS,  STARTED,       STOPPED, SCRIPT,
					     DEPEND, WANTED,        MASK,    ODD };
	struct buffer b = BUFFER_INIT;
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_free_ char *seen = NULL;
		char target[128] = "";
		bool folder = i < 5;

		if (folder && !folder_times && access(box_path(paths[i]), F_OK) == 0)
			set_mtime(paths[i], 1);
		seen = box_look(paths[i]);
		if (readlink(box_path(paths[i]), target, sizeof(target) - 1) < 0)
			target[0] = '\0';
		box_ok(buffer_printf(&b, &err, "%s: %s -> %s%s\n", paths[i], seen, target,
				     folder ? box_names(paths[i]) : ""));
	}
	return b.data;
}

/* ---- plans */

struct job {
	struct state state;
	struct toggle_plan *plan;
	struct toggle_context context;
	struct host_file file;
};

static void job_release(struct job *j)
{
	toggle_plan_free(&j->plan);
	host_file_release(&j->file);
	state_release(&j->state);
}

#define _cleanup_job_ _cleanup_(job_release)

static void begin_job(struct job *j, const char *command, const char *id,
		      const char *undoes)
{
	struct error err = ERROR_INIT;

	*j = (struct job){ .state = STATE_INIT };
	box_ok(state_read(&store, &j->state, &err));
	box_ok(toggle_plan_new("toy", command, &j->plan, &err));
	j->plan->kind = &toy;
	free(j->plan->config);
	j->plan->config =
		strdup(box_path("/etc/ssh/sshd_config")); /* that no sshd reads */
	j->context = (struct toggle_context){ .host = &box()->host,
					      .state = &j->state,
					      .store = &store,
					      .config = j->plan->config };
	memcpy(j->plan->plan.id, id, PLAN_ID_LEN + 1);
	box_ok(state_copy(&j->state, &j->plan->after, &err));
	j->plan->after.generation++;
	j->plan->changes = true;
	j->plan->reloads = false; /* as those of services */
	j->plan->snapshot = (struct snapshot_info){ .command = j->plan->command,
						    .toggle = "toy",
						    .by = "root" };
	box_ok(state_add_event(&j->plan->after, id, command, "toy", undoes, 1, &err));
}

static void add(struct job *j, struct step s)
{
	struct error err = ERROR_INIT;

	s.after_mtime_ns = -1;
	box_ok(plan_add(&j->plan->plan, &s, &err));
}

static void add_times(struct job *j, const char *path, int64_t before_ns,
		      int64_t after_ns)
{
	add(j, (struct step){ .kind = STEP_TIMES,
			      .path = strdup(path),
			      .mtime_before_ns = before_ns,
			      .mtime_after_ns = after_ns });
}

static void add_depend(struct job *j, const char *after, int64_t mtime_ns)
{
	struct host_file *f = &j->file;
	struct error err = ERROR_INIT;
	struct step s;

	box_ok(host_file_read(&box()->host, DEPEND, HOST_READ_TARGET, f, &err));
	s = (struct step){
		.kind = STEP_REPLACE,
		.path = strdup(DEPEND),
		.temp = strdup(DEPEND_TEMP),
		.before = f->digest,
		.before_bytes = slice_of(f->bytes.data, f->bytes.len),
		.after = digest_of(after, strlen(after)),
		.after_bytes = slice_of(after, strlen(after)),
		.after_mtime_ns = mtime_ns,
		.meta = f->meta,
		.dev = f->dev,
		.ino = f->ino,
		.ctime_ns = f->ctime_ns,
	};
	box_ok(strings_add(&j->plan->plan.on_abort, s.temp, &err));
	box_ok(strings_add(&j->plan->plan.on_commit, s.temp, &err));
	box_ok(plan_add(&j->plan->plan, &s, &err));
}

static void add_relink(struct job *j, const char *target, const char *new_target,
		       int64_t new_mtime_ns)
{
	struct error err = ERROR_INIT;

	box_ok(strings_add(&j->plan->plan.on_abort, ODD_TEMP, &err));
	box_ok(strings_add(&j->plan->plan.on_commit, ODD_TEMP, &err));
	add(j, (struct step){ .kind = STEP_RELINK,
			      .path = strdup(ODD),
			      .temp = strdup(ODD_TEMP),
			      .target = strdup(target),
			      .new_target = strdup(new_target),
			      .mtime_ns = mtime(ODD),
			      .new_mtime_ns = new_mtime_ns });
}

static const char *const folders[] = { "/etc", "/etc/init.d", RC, WANTS };

static void plan_off(struct job *j)
{
	struct state_toggle t = { .name = strdup("toy"),
				  .id = OFF_ID,
				  .by = strdup("root"),
				  .placement = strdup("runtime"),
				  .allow = strdup("yes"),
				  .was = strdup("no"),
				  .is = strdup("yes"),
				  .config = strdup("/etc/ssh/sshd_config"),
				  .boot = strdup("") };
	struct error err = ERROR_INIT;

	begin_job(j, "disable", OFF_ID, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		add_times(j, folders[i], mtime(folders[i]), -1);
	add_depend(j, NEW, 1200000000000000009);
	add(j, (struct step){ .kind = STEP_RENAME,
			      .lazy = true,
			      .path = strdup(STARTED),
			      .to = strdup(STOPPED),
			      .target = strdup("../init.d/a") });
	add(j, (struct step){ .kind = STEP_MODE,
			      .path = strdup(SCRIPT),
			      .mode_before = 0750,
			      .mode_after = 0644 });
	add(j, (struct step){ .kind = STEP_DELINK,
			      .path = strdup(WANTED),
			      .made_folder = true,
			      .target = strdup("/lib/a.service"),
			      .mtime_ns = mtime(WANTED) });
	add(j, (struct step){ .kind = STEP_LINK,
			      .path = strdup(MASK),
			      .made_folder = true,
			      .target = strdup("/dev/null"),
			      .mtime_ns = 1200000000000000008 });
	add_relink(j, "../../dev/null", "/dev/null", 1200000000000000010);
	box_ok(state_add_toggle(&j->plan->after, &t, &err));
}

static void plan_on(struct job *j, bool closing)
{
	begin_job(j, "revert", ON_ID, OFF_ID);
	j->plan->closing = closing;
	for (size_t i = 0; i < 3; i++)
		add_times(j, folders[i], mtime(folders[i]), -1);
	add_relink(j, "/dev/null", "../../dev/null", 1000000009000000007);
	add(j, (struct step){ .kind = STEP_DELINK,
			      .path = strdup(MASK),
			      .made_folder = true,
			      .target = strdup("/dev/null"),
			      .mtime_ns = mtime(MASK) });
	add(j, (struct step){ .kind = STEP_LINK,
			      .path = strdup(WANTED),
			      .made_folder = true,
			      .target = strdup("/lib/a.service"),
			      .mtime_ns = 1000000002000000007 });
	add(j, (struct step){ .kind = STEP_MODE,
			      .path = strdup(SCRIPT),
			      .mode_before = 0644,
			      .mode_after = 0750 });
	add(j, (struct step){ .kind = STEP_RENAME,
			      .lazy = true,
			      .path = strdup(STOPPED),
			      .to = strdup(STARTED),
			      .target = strdup("../init.d/a") });
	add_depend(j, OLD, 1000000004000000007);
	state_remove_toggle(&j->plan->after, "toy");
}

/* The times that the folders had: what comes last in an undo. */
static void add_folder_times(struct job *j)
{
	add_times(j, WANTS, -1, 1000000007000000007);
	add_times(j, RC, -1, 1000000006000000007);
	add_times(j, "/etc/init.d", -1, 1000000005000000007);
	add_times(j, "/etc", -1, 1000000008000000007);
}

static int commit(struct job *j, struct error *err)
{
	size_t reloaded;

	return transaction_commit(&store, &j->context, j->plan, 0, NULL, &reloaded, err);
}

static int recover(struct error *err)
{
	_cleanup_recovery_ struct recovery r = RECOVERY_INIT;

	return recover_store(&store, &r, err);
}

static void switch_off(void)
{
	_cleanup_job_ struct job j = { .plan = NULL };
	struct error err = ERROR_INIT;

	plan_off(&j);
	box_ok(commit(&j, &err));
}

static void enter(void)
{
	struct error err = ERROR_INIT;

	box_enter();
	box_ok(store_init(&store, &box()->host, "/lib", &err));
	set_scene();
	switch_off();
	disabled = look(false);
	set_scene();
	enabled = look(false);
	set_scene();
}

static void leave(void)
{
	free(enabled);
	free(disabled);
	store_release(&store);
	box_leave();
}

TestSuite(transaction_small, .init = enter, .fini = leave, .timeout = 240);

/* ---- what must be so */

static bool is_recorded(void)
{
	_cleanup_state_ struct state s = STATE_INIT;
	struct error err = ERROR_INIT;

	box_ok(state_read(&store, &s, &err));
	return state_find_toggle(&s, "toy") != NULL;
}

/* The host is what the state says; true when that is disabled. */
static bool expect_recovered(const char *what)
{
	_cleanup_free_ char *is = NULL;
	struct error err = ERROR_INIT;
	bool off;

	cr_assert(eq(int, recover(&err), 0), "%s: %s (%s)", what, err.message, err.hint);
	cr_expect(not(journal_exists(&store)), "%s: the journal is there", what);
	off = is_recorded();
	is = look(false);
	box_str(is, off ? disabled : enabled, "%s", what);
	return off;
}

static const char *describe(const char *what, int kind, unsigned n)
{
	static char text[128];

	(void)snprintf(text, sizeof(text), "%s, kind %d, call %u, %s", what, kind, n,
		       box()->fault.last);
	return text;
}

/* To the last nanosecond, those of the folders too, by a revert and by a rollback. */
Test(transaction_small, switches_off_and_back_on_exactly)
{
	_cleanup_free_ char *before = look(true), *after = NULL;
	_cleanup_job_ struct job j = { .plan = NULL };
	struct error err = ERROR_INIT;
	struct stat st;

	switch_off();
	cr_expect(eq(uint, box_mode(SCRIPT), 0644));
	box_str(box_names(RC), " K02a odd");
	box_str(box_names("/etc"), " init.d masks rc2.d");
	box_str(box_text(DEPEND), NEW);
	cr_assert(eq(int, lstat(box_path(DEPEND), &st), 0));
	cr_expect(eq(i64, timespec_ns(st.st_mtim), 1200000000000000009));
	plan_on(&j, true);
	add_folder_times(&j);
	/* the temporary of a file goes after the commit, which must not show in its folder */
	box_ok(commit(&j, &err));
	after = look(true);
	box_str(after, before);
	cr_expect(not(is_recorded()));
}

Test(transaction_small, is_rolled_back_with_the_times_of_the_folders)
{
	_cleanup_free_ char *before = look(true), *after = NULL;
	_cleanup_job_ struct job j = { .plan = NULL };
	struct error err = ERROR_INIT;

	plan_off(&j);
	/* a step that can't be done: it is found when all others are */
	add_times(&j, "/none/such", -1, 5);
	box_fails(commit(&j, &err), ERROR_FAILED, "/none");
	cr_expect(strstr(err.hint, "rolled back, everything is as before") != NULL, "%s",
		  err.hint);
	after = look(true);
	box_str(after, before);
	cr_expect(not(is_recorded()));
}

/* ---- something goes wrong */

static void fail_everywhere(int way, enum fault_kind kind)
{
	for (unsigned n = 1;; n++) {
		_cleanup_job_ struct job j = { .plan = NULL };
		struct error err = ERROR_INIT;
		bool hit, off;
		int r;

		set_scene();
		if (way > 0)
			switch_off();
		if (way > 0)
			plan_on(&j, way == 2);
		else
			plan_off(&j);
		fault_arm(&box()->fault, kind, n, EIO);
		box()->fault.only =
			kind == FAULT_DONE ? ~(unsigned)FAULT_RENAME : FAULT_ANY;
		r = commit(&j, &err);
		hit = fault_disarm(&box()->fault);
		off = expect_recovered(
			describe(way > 0 ? "revert" : "disable", (int)kind, n));
		if (r == 0)
			cr_expect(eq(int, off, way == 0), "%s: said done",
				  describe("", way, n));
		else if (err.code != ERROR_IN_DOUBT)
			cr_expect(eq(int, off, way > 0), "%s: %s", describe("", way, n),
				  err.message);
		if (!hit) {
			cr_expect(eq(int, r, 0), "%s", err.message);
			cr_expect(gt(uint, n, 100u));
			return;
		}
	}
}

Test(transaction_small, is_all_or_nothing_whatever_call_fails)
{
	for (int way = 0; way < 3; way++) {
		fail_everywhere(way, FAULT_ERROR);
		fail_everywhere(way, FAULT_DONE);
	}
}

struct death {
	struct job *job; /* NULL: a recovery */
	unsigned at;
};

static void die(void *ctx)
{
	const struct death *d = ctx;

	(void)umask(077);
	fault_arm(&box()->fault, FAULT_DIE, d->at, 0);
	_exit((d->job != NULL ? commit(d->job, NULL) : recover(NULL)) < 0);
}

/* True when it died. */
static bool die_committing(int way, unsigned n)
{
	_cleanup_job_ struct job j = { .plan = NULL };
	struct death d = { .job = &j, .at = n };
	int status;

	set_scene();
	if (way > 0)
		switch_off();
	if (way > 0)
		plan_on(&j, way == 2);
	else
		plan_off(&j);
	status = box_fork(die, &d);
	cr_assert(status == 0 || status == FAULT_DEATH, "call %u: status %d", n, status);
	return status == FAULT_DEATH;
}

Test(transaction_small, is_all_or_nothing_wherever_the_process_dies)
{
	for (int way = 0; way < 3; way++) {
		unsigned n = 1;

		for (bool died = true; died; n++) {
			died = die_committing(way, n);
			(void)expect_recovered(describe("death", way, n));
		}
		cr_expect(gt(uint, n, 100u));
	}
}

/* Also when its recovery dies. */
Test(transaction_small, puts_the_times_of_folders_back_wherever_the_process_dies)
{
	_cleanup_free_ char *before = look(true);
	unsigned n = 1;

	for (bool died = true; died; n += 3) {
		_cleanup_free_ char *after = NULL;
		struct death d = { .at = 1 + n % 40 };
		struct error err = ERROR_INIT;

		died = die_committing(0, n);
		(void)box_fork(die, &d);
		box_ok(recover(&err));
		after = look(true);
		if (!is_recorded())
			box_str(after, before, "%s", describe("death", 0, n));
	}
	cr_expect(gt(uint, n, 100u));
}

Test(transaction_small, is_recovered_in_the_end_wherever_a_recovery_dies)
{
	for (unsigned n = 1; die_committing((int)n % 3, n); n += 17) {
		bool died = true;

		for (unsigned m = 1; died; m++) {
			struct death d = { .at = m };

			if (m > 1)
				(void)die_committing((int)n % 3, n);
			died = box_fork(die, &d) == FAULT_DEATH;
			(void)expect_recovered(describe("recovery", (int)n, m));
		}
	}
}

/* ---- show */

static void make_handle(struct rootlatch **ret)
{
	const struct rootlatch_options o = { .root = box()->path, .state_dir = "/lib" };
	struct rootlatch_error err = { 0 };

	cr_assert(eq(int, rootlatch_new(&o, ret, &err), 0), "%s", err.message);
}

/* By `show ID`. */
static char *diff_of(const char *id)
{
	struct rootlatch_result *result = NULL;
	struct rootlatch_error err = { 0 };
	struct rootlatch *r = NULL;
	json_t *doc;
	char *diff;

	make_handle(&r);
	cr_assert(eq(int, rootlatch_show(r, id, &result, &err), 0), "%s", err.message);
	doc = json_loads(rootlatch_result_json(result), 0, NULL);
	diff = strdup(json_get_string(json_array_get(json_object_get(doc, "results"), 0),
				      "diff", ""));
	json_decref(doc);
	rootlatch_result_free(result);
	rootlatch_free(r);
	return diff;
}

/* By --diff. */
static char *diff_of_plan(struct job *j)
{
	struct rootlatch_plan plan = { .plan = j->plan };
	struct rootlatch_error err = { 0 };
	char *diff = NULL;

	make_handle(&plan.r);
	cr_assert(eq(int, rootlatch_plan_diff(&plan, &diff, &err), 0), "%s", err.message);
	rootlatch_free(plan.r);
	return diff;
}

#define LINES_OFF                                                    \
	"rename " STARTED " -> K02a\nmode   " SCRIPT " 750 -> 644\n" \
	"remove " WANTED " -> /lib/a.service\nlink   " MASK " -> /dev/null\n" \
	"relink " ODD " ../../dev/null -> /dev/null\n"
#define LINES_ON                                                              \
	"relink " ODD " /dev/null -> ../../dev/null\n"                       \
	"remove " MASK " -> /dev/null\nlink   " WANTED " -> /lib/a.service\n" \
	"mode   " SCRIPT " 644 -> 750\nrename " STOPPED " -> S02a\n"
#define DIFF_OFF "--- " DEPEND "\n+++ " DEPEND "\n@@ -1 +1 @@\n-" OLD "+" NEW
#define DIFF_ON "--- " DEPEND "\n+++ " DEPEND "\n@@ -1 +1 @@\n-" NEW "+" OLD

Test(transaction_small, shows_links_and_modes_before_the_diffs)
{
	_cleanup_job_ struct job off = { .plan = NULL }, on = { .plan = NULL };
	_cleanup_free_ char *planned = NULL, *was_off = NULL, *was_on = NULL;
	struct error err = ERROR_INIT;
	struct step run = { .kind = STEP_RUN };

	plan_off(&off);
	planned = diff_of_plan(&off);
	box_str(planned, LINES_OFF DIFF_OFF);
	box_ok(commit(&off, &err));
	was_off = diff_of(OFF_ID);
	box_str(was_off, LINES_OFF DIFF_OFF);
	plan_on(&on, false);
	box_ok(commit(&on, &err));
	was_on = diff_of(ON_ID);
	box_str(was_on, LINES_ON DIFF_ON);
	/* what it runs, too */
	free(planned);
	box_ok(strings_add(&run.argv, "/bin/systemctl", &err));
	box_ok(strings_add(&run.argv, "daemon-reload", &err));
	box_ok(plan_add(&on.plan->plan, &run, &err));
	planned = diff_of_plan(&on);
	cr_expect(strstr(planned, "\nrun    systemctl daemon-reload\n") != NULL, "%s",
		  planned);
}

/* Its result says that in better words. */
Test(transaction_small, shows_no_commands_of_an_opening)
{
	_cleanup_job_ struct job j = { .plan = NULL };
	_cleanup_free_ char *planned = NULL;
	struct step run = { .kind = STEP_RUN };
	struct error err = ERROR_INIT;

	begin_job(&j, "open", OFF_ID, NULL);
	box_ok(strings_add(&run.argv, "/bin/arm", &err));
	box_ok(plan_add(&j.plan->plan, &run, &err));
	add_depend(&j, NEW, -1);
	planned = diff_of_plan(&j);
	box_str(planned, DIFF_OFF);
}

/* It can be taken back without us, and shown, though no file has new bytes. */
Test(transaction_small, keeps_a_snapshot_of_modes_alone)
{
	_cleanup_job_ struct job j = { .plan = NULL };
	_cleanup_free_ char *shown = NULL;
	struct error err = ERROR_INIT;

	begin_job(&j, "disable", OFF_ID, NULL);
	add(&j, (struct step){ .kind = STEP_MODE,
			       .path = strdup(SCRIPT),
			       .mode_before = 0750,
			       .mode_after = 0644 });
	box_ok(commit(&j, &err));
	box_str(box_names("/lib/snapshots/" OFF_ID), " manifest.json restore.sh");
	shown = diff_of(OFF_ID);
	box_str(shown, "mode   " SCRIPT " 750 -> 644\n");
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * RELINK: a symbolic link gets another target, and its own inode comes back.
 */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/clock.h"
#include "plan/step.h"

#define DIR "/etc/system"
#define PATH DIR "/a.service"
#define TEMP DIR "/.rootlatch-0badcafe-a.service~"
#define OLD "../../dev/null"
#define NEW "/dev/null"
#define OTHER "/lib/a.service"
#define OLD_TIME 1234567890000000005
#define NEW_TIME 1300000000000000007

static struct step step;
static char *before; /* all that can be seen */

static const struct host *host(void)
{
	return &box()->host;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void clear(void)
{
	(void)nftw(box_path("/etc"), remove_one, 8, FTW_DEPTH | FTW_PHYS);
	step_release(&step);
	free(before);
	before = NULL;
}

static void make_link(const char *path, const char *target, int64_t mtime_ns)
{
	const struct timespec times[2] = { timespec_of_ns(1), timespec_of_ns(mtime_ns) };

	cr_assert(eq(int, symlink(target, box_path(path)), 0));
	cr_assert(eq(int, utimensat(AT_FDCWD, box_path(path), times, AT_SYMLINK_NOFOLLOW),
		     0));
}

static const char *target_of(const char *path)
{
	static char target[128];
	ssize_t len = readlink(box_path(path), target, sizeof(target) - 1);

	target[len > 0 ? len : 0] = '\0';
	return target;
}

/* Of what stays when all is tidied up. */
static char *look(void)
{
	_cleanup_free_ char *seen = box_look(PATH);
	struct buffer b = BUFFER_INIT;
	struct error err = ERROR_INIT;

	box_ok(buffer_printf(&b, &err, "%s -> %s", seen, target_of(PATH)));
	return b.data;
}

static ino_t inode(const char *path)
{
	struct stat st = { .st_ino = 0 };

	(void)lstat(box_path(path), &st);
	return st.st_ino;
}

static void set_scene(void)
{
	clear();
	box_mkdir("/etc", 0755);
	box_mkdir(DIR, 0755);
	make_link(PATH, OLD, OLD_TIME);
	step = (struct step){
		.kind = STEP_RELINK,
		.path = strdup(PATH),
		.temp = strdup(TEMP),
		.target = strdup(OLD),
		.new_target = strdup(NEW),
		.mtime_ns = OLD_TIME,
		.new_mtime_ns = NEW_TIME,
	};
	before = look();
}

static void set_prepared_scene(void)
{
	struct error err = ERROR_INIT;

	set_scene();
	box_ok(step_prepare(host(), &step, &err));
}

static void set_applied_scene(void)
{
	struct error err = ERROR_INIT;

	set_prepared_scene();
	box_ok(step_apply(host(), &step, &err));
}

/* Somebody removed the old link, which has to be made again. */
static void set_lost_scene(void)
{
	set_applied_scene();
	cr_assert(eq(int, unlink(box_path(TEMP)), 0));
}

static void leave(void)
{
	clear();
	box_leave();
}

TestSuite(plan_relink, .init = box_enter, .fini = leave, .timeout = 120);

static int apply(struct error *err)
{
	return step_prepare(host(), &step, err) < 0 ? -1 : step_apply(host(), &step, err);
}

static int revert(struct error *err)
{
	return step_revert(host(), &step, err);
}

static int finish(struct error *err)
{
	return step_finish(host(), &step, err);
}

/* What is done, from where. */
static const struct act {
	const char *what;
	void (*scene)(void);
	int (*act)(struct error *err);
} acts[] = {
	{ "apply", set_scene, apply },
	{ "finish", set_scene, finish },
	{ "finish, prepared", set_prepared_scene, finish },
	{ "revert", set_applied_scene, revert },
	{ "revert, the old one is lost", set_lost_scene, revert },
};

static const char *describe(const struct act *a, const char *what, unsigned n)
{
	static char text[4096];

	(void)snprintf(text, sizeof(text), "%s, call %u, %s: %s", a->what, n,
		       box()->fault.last, what);
	return text;
}

static void expect_old(const struct act *a, const char *what, unsigned n)
{
	_cleanup_free_ char *is = look();

	box_str(is, before, "%s", describe(a, what, n));
}

static void expect_new(const struct act *a, const char *what, unsigned n)
{
	struct stat st = { .st_ino = 0 };

	(void)lstat(box_path(PATH), &st);
	box_str(target_of(PATH), NEW, "%s", describe(a, what, n));
	cr_expect(eq(i64, timespec_ns(st.st_mtim), NEW_TIME), "%s", describe(a, what, n));
}

/* As a commit, and an abort, does with temp. */
static void expect_tidy(void)
{
	struct error err = ERROR_INIT;

	box_ok(host_file_unlink(host(), TEMP, &err));
	box_str(box_names(DIR), " a.service");
}

Test(plan_relink, does_it_and_takes_it_back)
{
	const struct act *a = &acts[0];
	struct error err = ERROR_INIT;
	bool can = false;
	ino_t old;

	set_scene();
	old = inode(PATH);
	box_ok(step_check(host(), &step, &err));
	box_ok(step_prepare(host(), &step, &err));
	expect_old(a, "prepared", 0);
	box_str(box_names(DIR), " .rootlatch-0badcafe-a.service~ a.service");
	box_ok(step_apply(host(), &step, &err));
	expect_new(a, "applied", 0);
	box_str(target_of(TEMP), OLD);
	cr_expect(inode(TEMP) == old);
	box_ok(step_can_finish(host(), &step, &can, &err));
	cr_expect(can);
	box_ok(finish(&err));
	expect_new(a, "finished", 0);
	for (int again = 0; again < 2; again++) {
		box_ok(revert(&err));
		expect_old(a, "reverted", 0);
		cr_expect(inode(PATH) == old);
	}
	expect_tidy();
}

Test(plan_relink, makes_a_link_of_now_where_no_time_is_asked)
{
	struct error err = ERROR_INIT;
	struct stat st;

	set_scene();
	step.new_mtime_ns = -1;
	box_ok(apply(&err));
	cr_assert(eq(int, lstat(box_path(PATH), &st), 0));
	cr_expect(gt(i64, timespec_ns(st.st_mtim), NEW_TIME));
	box_str(target_of(PATH), NEW);
}

/* A link may lead to a folder, which nothing is put into. */
Test(plan_relink, points_from_one_folder_to_another)
{
	struct error err = ERROR_INIT;

	set_scene();
	box_mkdir("/etc/one", 0755);
	box_mkdir("/etc/two", 0755);
	free(step.target);
	step.target = strdup("/etc/one");
	cr_assert(eq(int, unlink(box_path(PATH)), 0));
	make_link(PATH, "/etc/one", OLD_TIME);
	free(step.new_target);
	step.new_target = strdup("../two");
	box_ok(step_check(host(), &step, &err));
	box_ok(apply(&err));
	box_str(target_of(PATH), "../two");
	box_ok(revert(&err));
	box_str(target_of(PATH), "/etc/one");
	box_str(box_names("/etc/one"), "");
	box_str(box_names("/etc/two"), "");
}

/* ---- something goes wrong */

static void fail_everywhere(const struct act *a, enum fault_kind kind)
{
	for (unsigned n = 1;; n++) {
		struct error err = ERROR_INIT;
		bool hit;
		int r;

		a->scene();
		fault_arm(&box()->fault, kind, n, EIO);
		r = a->act(&err);
		hit = fault_disarm(&box()->fault);
		if (r == 0)
			(a->act == revert ? expect_old : expect_new)(a, "said done", n);
		cr_expect(ne(int, err.code, ERROR_IN_DOUBT), "%s",
			  describe(a, err.message, n));
		if (!hit) {
			cr_expect(eq(int, r, 0), "%s", err.message);
			cr_expect(gt(uint, n, 5u));
			return;
		}
		err = (struct error)ERROR_INIT;
		box_ok(revert(&err));
		expect_old(a, "reverted", n);
		expect_tidy();
	}
}

Test(plan_relink, loses_nothing_whatever_call_fails)
{
	static const enum fault_kind kinds[] = { FAULT_ERROR, FAULT_ERROR_ON,
						 FAULT_DONE };

	for (size_t i = 0; i < ARRAY_SIZE(acts) * ARRAY_SIZE(kinds); i++)
		fail_everywhere(&acts[i / 3], kinds[i % 3]);
}

struct death {
	const struct act *act;
	unsigned at;
};

static void die(void *ctx)
{
	const struct death *d = ctx;
	struct error err = ERROR_INIT;

	(void)umask(077);
	fault_arm(&box()->fault, FAULT_DIE, d->at, 0);
	_exit(d->act->act(&err) < 0);
}

static void die_everywhere(const struct act *a, int (*end)(struct error *err))
{
	int status = FAULT_DEATH;
	unsigned n = 1;

	for (; status == FAULT_DEATH; n++) {
		struct death d = { .act = a, .at = n };
		struct error err = ERROR_INIT;
		const char *target;
		bool can = false;

		a->scene();
		status = box_fork(die, &d);
		cr_assert(status == 0 || status == FAULT_DEATH, "call %u: %d", n, status);
		target = target_of(PATH);
		cr_expect(strcmp(target, OLD) == 0 || strcmp(target, NEW) == 0, "%s",
			  describe(a, target, n));
		box_ok(step_can_finish(host(), &step, &can, &err));
		cr_expect(can, "%s", describe(a, "can be finished", n));
		for (int again = 0; again < 2; again++) {
			box_ok(end(&err));
			(end == revert ? expect_old : expect_new)(a, "end", n);
		}
		expect_tidy();
	}
	cr_expect(gt(uint, n, 5u));
}

Test(plan_relink, is_reverted_and_finished_wherever_the_process_dies)
{
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		die_everywhere(&acts[i], revert);
		die_everywhere(&acts[i], finish);
	}
}

/* What is there already may be there for a power loss to take away again; and a link that was not
 * synced before it came to its place may be gone then. */
Test(plan_relink, is_durable_only_after_the_folder_was_synced)
{
	static const struct {
		void (*scene)(void);
		int (*act)(struct error *err);
		unsigned syncs;
	} rows[] = {
		{ set_scene, apply, 2 },       { set_scene, finish, 2 },
		{ set_lost_scene, revert, 2 }, { set_applied_scene, revert, 2 },
		{ set_prepared_scene, revert, 1 }, { set_applied_scene, finish, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (unsigned n = 1; n <= rows[i].syncs; n++) {
			struct error err = ERROR_INIT;

			rows[i].scene();
			fault_arm(&box()->fault, FAULT_ERROR, n, EIO);
			box()->fault.only = FAULT_FSYNC;
			cr_expect(eq(int, rows[i].act(&err), -1), "row %zu, %u", i, n);
			cr_expect(fault_disarm(&box()->fault), "row %zu, %u", i, n);
		}
	}
}

Test(plan_relink, is_the_same_when_every_call_is_interrupted)
{
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		const struct act *a = &acts[i];
		struct error err = ERROR_INIT;

		a->scene();
		fault_arm(&box()->fault, FAULT_INTERRUPT, 0, 0);
		box_ok(a->act(&err));
		(void)fault_disarm(&box()->fault);
		(a->act == revert ? expect_old : expect_new)(a, "interrupted", 0);
	}
}

/* ---- somebody else */

/* NULL: a file; "": nothing. */
static void put(const char *target)
{
	(void)unlink(box_path(PATH));
	if (target == NULL)
		box_write(PATH, "a file\n");
	else if (target[0] != '\0')
		make_link(PATH, target, OLD_TIME);
}

static void put_meanwhile(void *ctx)
{
	put(ctx);
}

static const char *const theirs[] = { OTHER, NEW, NULL, "" };

Test(plan_relink, refuses_what_changed_since_it_was_planned)
{
	for (size_t i = 0; i < ARRAY_SIZE(theirs); i++) {
		_cleanup_free_ char *now = NULL, *after = NULL;
		struct error err = ERROR_INIT;

		set_prepared_scene();
		put(theirs[i]);
		now = look();
		box_fails(step_check(host(), &step, &err), ERROR_REFUSED, PATH);
		box_fails(step_apply(host(), &step, &err), ERROR_REFUSED,
			  PATH " was changed by somebody else in this very moment");
		/* theirs stays, and the rollback is none the less complete */
		err = (struct error)ERROR_INIT;
		box_ok(revert(&err));
		after = look();
		box_str(after, now, "row %zu", i);
		box_str(target_of(TEMP), NEW, "row %zu", i);
	}
}

Test(plan_relink, puts_back_what_changed_in_the_last_instant)
{
	for (size_t i = 0; i < 3; i++) {
		_cleanup_free_ char *now = NULL, *after = NULL, *reverted = NULL;
		struct error err = ERROR_INIT;

		set_prepared_scene();
		put(theirs[i]);
		now = look();
		put(OLD);
		fault_arm(&box()->fault, FAULT_NONE, 1, 0);
		box()->fault.only = FAULT_RENAME;
		box()->fault.meanwhile = put_meanwhile;
		box()->fault.meanwhile_ctx = (void *)theirs[i];
		box_fails(step_apply(host(), &step, &err), ERROR_REFUSED,
			  "was changed by somebody else in this very moment");
		(void)fault_disarm(&box()->fault);
		after = look();
		if (theirs[i] != NULL)
			box_str(after, now, "row %zu", i);
		else
			box_str(box_text(PATH), "a file\n");
		err = (struct error)ERROR_INIT;
		box_ok(revert(&err));
		reverted = look();
		box_str(reverted, after, "row %zu", i);
	}
}

/* Cut off before it could see what it had taken away. */
Test(plan_relink, puts_back_what_it_took_away_unseen)
{
	static const char *const unseen[] = { OTHER, NULL };

	for (size_t i = 0; i < ARRAY_SIZE(unseen); i++) {
		struct error err = ERROR_INIT;

		set_prepared_scene();
		put(unseen[i]);
		cr_assert(eq(int,
			     renameat2(AT_FDCWD, box_path(PATH), AT_FDCWD, box_path(TEMP),
				       RENAME_EXCHANGE),
			     0));
		for (int again = 0; again < 2; again++) {
			box_ok(revert(&err));
			if (unseen[i] != NULL)
				box_str(target_of(PATH), unseen[i]);
			else
				box_str(box_text(PATH), "a file\n");
		}
		expect_tidy();
	}
}

/* It would come back with another time, or as root's. */
Test(plan_relink, refuses_what_would_not_come_back_the_same)
{
	struct error err = ERROR_INIT;

	set_scene();
	step.mtime_ns++;
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED,
		  "was changed by somebody else");
	step.mtime_ns = -1;
	box_ok(step_check(host(), &step, &err));
	cr_assert(eq(int, lchown(box_path(PATH), 0, 12), 0));
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED,
		  PATH " belongs to 0:12, not to root");
}

Test(plan_relink, does_not_take_a_temporary_of_somebody_else)
{
	struct error err = ERROR_INIT;

	set_scene();
	box_write(TEMP, "");
	box_fails(step_prepare(host(), &step, &err), ERROR_FAILED, TEMP);
	expect_old(&acts[0], "not prepared", 0);
}

Test(plan_relink, is_in_doubt_about_what_is_neither_old_nor_new)
{
	static const char *const odd[] = { OTHER, NULL, "" };

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		_cleanup_free_ char *now = NULL, *after = NULL;
		struct error err = ERROR_INIT;
		bool can = true;

		set_applied_scene();
		put(odd[i]);
		now = look();
		box_fails(revert(&err), ERROR_IN_DOUBT,
			  i == 2 ? PATH " is gone" : PATH " was changed meanwhile");
		cr_expect(strstr(err.hint, "It was a symbolic link to " OLD) != NULL, "%s",
			  err.hint);
		box_fails(finish(&err), ERROR_IN_DOUBT, "was changed meanwhile");
		err = (struct error)ERROR_INIT;
		box_ok(step_can_finish(host(), &step, &can, &err));
		cr_expect(not(can), "row %zu", i);
		after = look();
		box_str(after, now, "row %zu", i);
		/* what the hint says works */
		put(OLD);
		box_ok(revert(&err));
		box_str(target_of(PATH), OLD);
		expect_tidy();
	}
}

/* ---- what can't be changed */

static bool set_immutable(bool on)
{
	int fd = open(box_path(DIR), O_RDONLY), flags = 0, r = -1;

	if (fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
		flags = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
		r = ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
	if (fd >= 0)
		(void)close(fd);
	return r == 0;
}

Test(plan_relink, names_a_folder_that_is_immutable)
{
	struct error err = ERROR_INIT;

	set_scene();
	if (!set_immutable(true))
		cr_skip_test("no immutable flag on this filesystem");
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED, DIR " is immutable");
	box_fails(apply(&err), ERROR_FAILED, "not permitted");
	err = (struct error)ERROR_INIT;
	box_ok(revert(&err));
	cr_expect(set_immutable(false));
	expect_old(&acts[0], "refused", 0);
	expect_tidy();
}

Test(plan_relink, names_a_folder_that_is_read_only)
{
	struct error err = ERROR_INIT;

	if (!box()->is_private)
		cr_skip_test("no mount namespaces here");
	set_scene();
	cr_assert(eq(int, mount(box_path(DIR), box_path(DIR), NULL, MS_BIND, NULL), 0));
	cr_assert(eq(int,
		     mount(NULL, box_path(DIR), NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL),
		     0));
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED,
		  "lies on a read-only filesystem");
	box_fails(apply(&err), ERROR_FAILED, "Read-only file system");
	err = (struct error)ERROR_INIT;
	box_ok(revert(&err));
	cr_assert(eq(int, umount(box_path(DIR)), 0));
	expect_old(&acts[0], "refused", 0);
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * LINK, DELINK, RENAME: symbolic links come, go and change their names.
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

#include "plan/step.h"

#define DIR "/etc/rc2.d"
#define PATH DIR "/S02a"
#define TO DIR "/K02a"
#define TARGET "../init.d/a"
#define OTHER "../init.d/b"
#define WANTS "/etc/wants"
#define WANTED WANTS "/a.service"
#define MTIME 1234567890000000005

static const struct row {
	enum step_kind kind;
	const char *path;
	bool made_folder;
	const char *before, *after; /* the names in its folder */
} rows[] = {
	{ STEP_LINK, PATH, false, " S01z", " S01z S02a" },
	{ STEP_LINK, WANTED, true, "(none)", " a.service" },
	{ STEP_DELINK, PATH, false, " S01z S02a", " S01z" },
	{ STEP_RENAME, PATH, false, " S01z S02a", " K02a S01z" },
	{ STEP_DELINK, WANTED, true, " a.service", "(none)" },
};

static const struct row *row;
static struct step step;
static char *before, *after; /* all that can be seen of the folders */

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
	free(after);
	before = after = NULL;
}

static void make_link(const char *path, const char *target)
{
	const struct timespec times[2] = { { .tv_sec = 1 },
					   { .tv_sec = 1234567890, .tv_nsec = 5 } };

	cr_assert(eq(int, symlink(target, box_path(path)), 0));
	cr_assert(eq(int, utimensat(AT_FDCWD, box_path(path), times, AT_SYMLINK_NOFOLLOW),
		     0));
}

static void append_look(struct buffer *b, const char *path)
{
	_cleanup_free_ char *look = box_look(path);
	struct error err = ERROR_INIT;
	char target[128] = "";

	if (readlink(box_path(path), target, sizeof(target) - 1) < 0)
		target[0] = '\0';
	box_ok(buffer_printf(b, &err, "%s: %s -> %s\n", path, look, target));
}

static char *look(void)
{
	static const char *const paths[] = { PATH, TO, DIR "/S01z", WANTED };
	struct buffer b = BUFFER_INIT;
	struct error err = ERROR_INIT;

	box_ok(buffer_printf(&b, &err, "%s, %s (%04o)\n", box_names(DIR),
			     box_names(WANTS), (unsigned)box_mode(WANTS)));
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		append_look(&b, paths[i]);
	return b.data;
}

static void set_scene(const struct row *r)
{
	clear();
	row = r;
	box_mkdir("/etc", 0755);
	box_mkdir(DIR, 0755);
	make_link(DIR "/S01z", "../init.d/z");
	if (r->made_folder && r->kind == STEP_DELINK)
		box_mkdir(WANTS, 0755);
	if (r->kind != STEP_LINK)
		make_link(r->path, TARGET);
	step = (struct step){
		.kind = r->kind,
		.path = strdup(r->path),
		.to = r->kind == STEP_RENAME ? strdup(TO) : NULL,
		.target = strdup(TARGET),
		.made_folder = r->made_folder,
		.mtime_ns = MTIME,
	};
	before = look();
}

static void set_applied_scene(const struct row *r)
{
	struct error err = ERROR_INIT;

	set_scene(r);
	box_ok(step_apply(host(), &step, &err));
	after = look();
}

static void leave(void)
{
	clear();
	box_leave();
}

TestSuite(plan_link, .init = box_enter, .fini = leave, .timeout = 120);

static int apply(struct error *err)
{
	return step_apply(host(), &step, err);
}

static int revert(struct error *err)
{
	return step_revert(host(), &step, err);
}

static int finish(struct error *err)
{
	return step_finish(host(), &step, err);
}

static const char *describe(const char *what, unsigned n)
{
	static char text[128];

	(void)snprintf(text, sizeof(text), "%s, %s%s, call %u, %s", what,
		       step_kind_name(step.kind),
		       step.made_folder ? " with its folder" : "", n, box()->fault.last);
	return text;
}

static void expect_look(const char *wanted, const char *what, unsigned n)
{
	_cleanup_free_ char *is = look();

	box_str(is, wanted, "%s", describe(what, n));
}

static const char *names(void)
{
	return box_names(row->made_folder ? WANTS : DIR);
}

/* The same scene, and what it looks like when it is done; into the caller's hands. */
static char *look_applied(const struct row *r)
{
	char *ret;

	set_applied_scene(r);
	ret = after;
	after = NULL;
	return ret;
}

static ino_t inode(const char *path)
{
	struct stat st = { .st_ino = 0 };

	(void)lstat(box_path(path), &st);
	return st.st_ino;
}

Test(plan_link, does_it_and_takes_it_back)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;
		ino_t old;

		set_scene(&rows[i]);
		old = inode(PATH);
		box_str(names(), rows[i].before);
		box_ok(step_check(host(), &step, &err));
		box_ok(step_prepare(host(), &step, &err));
		expect_look(before, "prepared", 0);
		box_ok(apply(&err));
		box_str(names(), rows[i].after);
		box_ok(finish(&err));
		box_str(names(), rows[i].after);
		if (rows[i].kind == STEP_RENAME)
			cr_expect(inode(TO) == old);
		if (rows[i].made_folder && rows[i].kind == STEP_LINK)
			cr_expect(eq(uint, box_mode(WANTS), 0755));
		for (int again = 0; again < 2; again++) {
			box_ok(revert(&err));
			expect_look(before, "reverted", 0);
		}
		if (rows[i].kind == STEP_RENAME)
			cr_expect(inode(PATH) == old);
	}
}

Test(plan_link, makes_a_link_of_now_or_of_then)
{
	struct error err = ERROR_INIT;
	struct stat st;

	set_applied_scene(&rows[0]);
	cr_assert(eq(int, lstat(box_path(PATH), &st), 0));
	cr_expect(eq(i64, st.st_mtim.tv_sec, 1234567890));
	cr_expect(eq(i64, st.st_mtim.tv_nsec, 5));
	set_scene(&rows[0]);
	step.mtime_ns = -1;
	box_ok(apply(&err));
	cr_assert(eq(int, lstat(box_path(PATH), &st), 0));
	cr_expect(gt(i64, st.st_mtim.tv_sec, 1234567890));
}

/* umask 077 is what we run with. */
Test(plan_link, makes_a_folder_that_everybody_can_enter)
{
	mode_t old = umask(077);

	set_applied_scene(&rows[1]);
	cr_expect(eq(uint, box_mode(WANTS), 0755));
	cr_expect(eq(uint, umask(old), 077));
}

Test(plan_link, leaves_a_folder_that_somebody_put_something_into)
{
	struct error err = ERROR_INIT;

	set_applied_scene(&rows[1]);
	make_link(WANTS "/theirs", "x");
	box_ok(revert(&err));
	box_str(box_names(WANTS), " theirs");
	/* nor one that was there before */
	set_scene(&rows[1]);
	box_mkdir(WANTS, 0755);
	step.made_folder = false;
	box_ok(apply(&err));
	box_ok(revert(&err));
	box_str(box_names(WANTS), "");
}

/* ---- something goes wrong */

Test(plan_link, loses_nothing_whatever_call_fails)
{
	static int (*const acts[])(struct error *) = { apply, finish };
	static const enum fault_kind kinds[] = { FAULT_ERROR, FAULT_ERROR_ON,
						 FAULT_DONE };

	for (size_t k = 0; k < ARRAY_SIZE(rows) * ARRAY_SIZE(kinds) * ARRAY_SIZE(acts);
	     k++) {
		const struct row *r = &rows[k / 6];
		_cleanup_free_ char *applied = look_applied(r);

		for (unsigned n = 1;; n++) {
			struct error err = ERROR_INIT;
			bool hit;
			int result;

			set_scene(r);
			fault_arm(&box()->fault, kinds[k / 2 % 3], n, EIO);
			result = acts[k % 2](&err);
			hit = fault_disarm(&box()->fault);
			if (result == 0)
				expect_look(applied, "done", n);
			cr_expect(ne(int, err.code, ERROR_IN_DOUBT), "%s: %s",
				  describe("done", n), err.message);
			if (!hit) {
				cr_expect(eq(int, result, 0), "%s", err.message);
				cr_expect(gt(uint, n, 5u));
				break;
			}
			err = (struct error)ERROR_INIT;
			box_ok(revert(&err));
			expect_look(before, "reverted", n);
		}
	}
}

Test(plan_link, is_put_back_in_the_end_whatever_call_fails)
{
	static const enum fault_kind kinds[] = { FAULT_ERROR, FAULT_ERROR_ON,
						 FAULT_DONE };

	for (size_t k = 0; k < ARRAY_SIZE(rows) * ARRAY_SIZE(kinds); k++) {
		for (unsigned n = 1;; n++) {
			struct error err = ERROR_INIT;
			bool hit;
			int result;

			set_applied_scene(&rows[k / 3]);
			fault_arm(&box()->fault, kinds[k % 3], n, EIO);
			result = revert(&err);
			hit = fault_disarm(&box()->fault);
			if (result == 0)
				expect_look(before, "said reverted", n);
			if (!hit) {
				cr_expect(eq(int, result, 0), "%s", err.message);
				cr_expect(gt(uint, n, 5u));
				break;
			}
			err = (struct error)ERROR_INIT;
			box_ok(revert(&err));
			expect_look(before, "again", n);
		}
	}
}

struct death {
	int (*act)(struct error *err);
	unsigned at;
};

static void die(void *ctx)
{
	const struct death *d = ctx;
	struct error err = ERROR_INIT;

	(void)umask(077);
	fault_arm(&box()->fault, FAULT_DIE, d->at, 0);
	_exit(d->act(&err) < 0);
}

static void die_everywhere(const struct row *r, int (*act)(struct error *),
			   int (*end)(struct error *))
{
	_cleanup_free_ char *applied = look_applied(r);
	int status = FAULT_DEATH;
	unsigned n = 1;

	for (; status == FAULT_DEATH; n++) {
		struct death d = { .act = act, .at = n };
		struct error err = ERROR_INIT;
		bool can = false;

		(act == revert ? set_applied_scene : set_scene)(r);
		status = box_fork(die, &d);
		cr_assert(status == 0 || status == FAULT_DEATH, "call %u: %d", n, status);
		box_ok(step_can_finish(host(), &step, &can, &err));
		cr_expect(can, "%s", describe("death", n));
		for (int again = 0; again < 2; again++) {
			box_ok(end(&err));
			expect_look(end == revert ? before : applied, "end", n);
		}
	}
	cr_expect(gt(uint, n, 5u));
}

Test(plan_link, is_reverted_and_finished_wherever_the_process_dies)
{
	static int (*const acts[])(struct error *) = { apply, revert, finish };

	for (size_t i = 0; i < ARRAY_SIZE(rows) * ARRAY_SIZE(acts); i++) {
		die_everywhere(&rows[i / 3], acts[i % 3], revert);
		die_everywhere(&rows[i / 3], acts[i % 3], finish);
	}
}

/* What is there already may be there for a power loss to take away again. */
Test(plan_link, is_durable_only_after_a_folder_was_synced)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows) * 2; i++) {
		int (*act)(struct error *) = i % 2 ? finish : revert;
		struct error err = ERROR_INIT;

		if (rows[i / 2].made_folder &&
		    (act == revert) == (rows[i / 2].kind == STEP_LINK))
			continue; /* not even the folder is there */
		(i % 2 ? set_applied_scene : set_scene)(&rows[i / 2]);
		fault_arm(&box()->fault, FAULT_ERROR, 1, EIO);
		box()->fault.only = FAULT_FSYNC;
		cr_expect(eq(int, act(&err), -1), "row %zu", i);
		cr_expect(fault_disarm(&box()->fault));
		box_ok(act(&err));
	}
}

Test(plan_link, is_the_same_when_every_call_is_interrupted)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;

		set_applied_scene(&rows[i]);
		fault_arm(&box()->fault, FAULT_INTERRUPT, 0, 0);
		box_ok(revert(&err));
		expect_look(before, "reverted", 0);
		box_ok(finish(&err));
		(void)fault_disarm(&box()->fault);
		expect_look(after, "finished", 0);
	}
}

/* ---- somebody else */

static void replace_link(const char *path, const char *target)
{
	(void)unlink(box_path(path));
	if (target != NULL)
		make_link(path, target);
	else
		box_write(path, "a file\n");
}

Test(plan_link, refuses_what_changed_since_it_was_planned)
{
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (int file = 0; file < 2; file++) {
			_cleanup_free_ char *theirs = NULL;

			set_scene(&rows[i]);
			if (rows[i].made_folder)
				box_mkdir(WANTS, 0755);
			replace_link(rows[i].path, file ? NULL : OTHER);
			theirs = look();
			box_fails(step_check(host(), &step, &err), ERROR_REFUSED,
				  "by somebody else");
			cr_expect(strstr(err.message, rows[i].path) != NULL, "%s",
				  err.message);
			box_fails(apply(&err), ERROR_REFUSED, "by somebody else");
			expect_look(theirs, "refused", 0);
		}
	}
	set_scene(&rows[2]);
	cr_assert(eq(int, unlink(box_path(PATH)), 0));
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED, "No such file");
	set_scene(&rows[3]);
	make_link(TO, "x");
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED,
		  TO " was made by somebody else");
	box_fails(apply(&err), ERROR_REFUSED, TO " was made by somebody else");
	/* which stays, and the rollback is none the less complete */
	box_ok(revert(&err));
	box_str(box_names(DIR), " K02a S01z S02a");
	set_scene(&rows[1]);
	box_mkdir(WANTS, 0755);
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED,
		  WANTS " was made by somebody else");
}

/* It would come back with another time, or as root's. */
Test(plan_link, refuses_to_take_away_what_would_not_come_back_the_same)
{
	struct error err = ERROR_INIT;

	set_scene(&rows[2]);
	step.mtime_ns = MTIME + 1;
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED,
		  "was changed by somebody else");
	step.mtime_ns = -1;
	box_ok(step_check(host(), &step, &err));
	cr_assert(eq(int, lchown(box_path(PATH), 0, 12), 0));
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED,
		  PATH " belongs to 0:12, not to root");
}

Test(plan_link, is_in_doubt_about_what_is_neither_old_nor_new)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows) * 2; i++) {
		_cleanup_free_ char *theirs = NULL;
		struct error err = ERROR_INIT;
		bool can = true;

		set_applied_scene(&rows[i / 2]);
		if (rows[i / 2].made_folder)
			box_mkdir(WANTS, 0755);
		replace_link(rows[i / 2].path, i % 2 ? NULL : OTHER);
		theirs = look();
		box_fails(revert(&err), ERROR_IN_DOUBT, "was changed meanwhile");
		cr_expect(strstr(err.message, rows[i / 2].path) != NULL, "%s",
			  err.message);
		box_fails(finish(&err), ERROR_IN_DOUBT, "was changed meanwhile");
		box_ok(step_can_finish(host(), &step, &can, &err));
		cr_expect(not(can), "row %zu", i);
		expect_look(theirs, "in doubt", 0);
	}
}

Test(plan_link, is_in_doubt_about_a_renamed_link_that_is_gone_or_twice_there)
{
	struct error err = ERROR_INIT;
	bool can = true;

	set_applied_scene(&rows[3]);
	cr_assert(eq(int, unlink(box_path(TO)), 0));
	box_fails(revert(&err), ERROR_IN_DOUBT, PATH " is gone");
	cr_expect(strstr(err.hint, TARGET) != NULL, "%s", err.hint);
	box_ok(step_can_finish(host(), &step, &can, &err));
	cr_expect(not(can));
	/* what the hint says works */
	make_link(PATH, TARGET);
	box_ok(revert(&err));
	expect_look(before, "by hand", 0);
	set_applied_scene(&rows[3]);
	make_link(PATH, TARGET);
	box_fails(revert(&err), ERROR_IN_DOUBT, "one of them is not ours");
}

/* systemctl(1) does that. */
Test(plan_link, comes_back_with_a_folder_that_went_meanwhile)
{
	struct error err = ERROR_INIT;
	mode_t old;

	set_applied_scene(&rows[2]);
	cr_assert(eq(int, unlink(box_path(DIR "/S01z")), 0));
	cr_assert(eq(int, rmdir(box_path(DIR)), 0));
	old = umask(077);
	box_ok(revert(&err));
	(void)umask(old);
	box_str(box_names(DIR), " S02a");
	cr_expect(eq(uint, box_mode(DIR), 0755));
}

/* ---- what can't be changed */

static bool set_immutable(const char *path, bool on)
{
	int fd = open(box_path(path), O_RDONLY), flags = 0, r = -1;

	if (fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
		flags = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
		r = ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
	if (fd >= 0)
		(void)close(fd);
	return r == 0;
}

/* That is written to. */
static const char *folder_of(const struct row *r)
{
	return !r->made_folder ? DIR : r->kind == STEP_LINK ? "/etc" : WANTS;
}

Test(plan_link, names_a_folder_that_is_immutable)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *folder = folder_of(&rows[i]);
		struct error err = ERROR_INIT;

		set_scene(&rows[i]);
		if (!set_immutable(folder, true))
			cr_skip_test("no immutable flag on this filesystem");
		box_fails(step_check(host(), &step, &err), ERROR_REFUSED, "is immutable");
		cr_expect(strstr(err.message, folder) != NULL, "%s", err.message);
		box_fails(apply(&err), ERROR_FAILED, "not permitted");
		cr_expect(strstr(err.message, folder) != NULL, "%s", err.message);
		err = (struct error)ERROR_INIT;
		box_ok(revert(&err));
		cr_expect(set_immutable(folder, false));
		expect_look(before, "refused", 0);
	}
}

Test(plan_link, names_a_folder_that_is_read_only)
{
	if (!box()->is_private)
		cr_skip_test("no mount namespaces here");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *folder = folder_of(&rows[i]);
		struct error err = ERROR_INIT;

		set_scene(&rows[i]);
		cr_assert(
			eq(int,
			   mount(box_path(folder), box_path(folder), NULL, MS_BIND, NULL),
			   0));
		cr_assert(eq(int,
			     mount(NULL, box_path(folder), NULL,
				   MS_BIND | MS_REMOUNT | MS_RDONLY, NULL),
			     0));
		box_fails(step_check(host(), &step, &err), ERROR_REFUSED,
			  "lies on a read-only filesystem");
		cr_expect(strstr(err.message, folder) != NULL, "%s", err.message);
		box_fails(apply(&err), ERROR_FAILED, "Read-only file system");
		err = (struct error)ERROR_INIT;
		box_ok(revert(&err));
		cr_assert(eq(int, umount(box_path(folder)), 0));
		expect_look(before, "refused", 0);
	}
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * UNLINK: a file goes, and can come back as it was.
 */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "plan/step.h"

#define DIR "/run"
#define NAME "opening.conf"
#define TEMP_NAME ".rootlatch-0badcafe-opening.conf~"
#define COPY_NAME ".rootlatch_0badcafe-opening.conf~"
#define PATH DIR "/" NAME
#define TEMP DIR "/" TEMP_NAME
#define SAVED "/state/0.before"
#define OLD "PermitRootLogin yes\n"

static struct step step;
static struct host_file target = HOST_FILE_INIT;
static char *old_look;

static const struct host *host(void)
{
	return &box()->host;
}

static void clear(void)
{
	static const char *const paths[] = { PATH, TEMP, DIR "/" COPY_NAME, SAVED };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		(void)unlink(box_path(paths[i]));
	(void)rmdir(box_path(DIR));
	step_release(&step);
	host_file_release(&target);
	free(old_look);
	old_look = NULL;
}

static void plan_step(void)
{
	struct error err = ERROR_INIT;

	box_ok(host_file_read(host(), PATH, HOST_READ_TARGET, &target, &err));
	step = (struct step){
		.kind = STEP_UNLINK,
		.path = strdup(PATH),
		.temp = strdup(TEMP),
		.saved = strdup(SAVED),
		.before = target.digest,
		.before_bytes = slice_of(target.bytes.data, target.bytes.len),
		.after_mtime_ns = -1,
		.meta = target.meta,
		.dev = target.dev,
		.ino = target.ino,
		.ctime_ns = target.ctime_ns,
	};
}

static void set_scene(void)
{
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1234567890, .tv_nsec = 5 } };
	struct error err = ERROR_INIT;

	clear();
	box_mkdir(DIR, 0755);
	box_mkdir("/state", 0700);
	box_write(PATH, OLD);
	cr_assert(eq(int, chmod(box_path(PATH), 0644), 0));
	cr_assert(eq(int, utimensat(AT_FDCWD, box_path(PATH), times, 0), 0));
	box_ok(host_file_create(host(), SAVED, slice_of(OLD, strlen(OLD)), 0600,
				1234567890000000005, &err));
	old_look = box_look(PATH);
	plan_step();
}

static void enter(void)
{
	box_enter();
	set_scene();
}

static void leave(void)
{
	clear();
	box_leave();
}

TestSuite(plan_unlink, .init = enter, .fini = leave, .timeout = 60);

static void set_unlinked_scene(void)
{
	struct error err = ERROR_INIT;

	set_scene();
	box_ok(step_apply(host(), &step, &err));
}

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

static ino_t inode(const char *path)
{
	struct stat st = { .st_ino = 0 };

	(void)lstat(box_path(path), &st);
	return st.st_ino;
}

/* The file at path or at temp, to the last attribute, and at one of them alone. */
static bool is_there(const char *what, unsigned n)
{
	bool there = access(box_path(PATH), F_OK) == 0;
	_cleanup_free_ char *look = box_look(there ? PATH : TEMP);

	box_str(look, old_look, "%s, call %u, %s", what, n, box()->fault.last);
	box_str(box_names(DIR), there ? " " NAME : " " TEMP_NAME, "%s, call %u, %s", what, n,
		box()->fault.last);
	return there;
}

Test(plan_unlink, takes_it_away_and_puts_it_back)
{
	struct error err = ERROR_INIT;
	ino_t old = inode(PATH);

	(void)setxattr(box_path(PATH), "user.note", "n", 1, 0);
	free(old_look);
	old_look = box_look(PATH);
	step_release(&step);
	host_file_release(&target);
	plan_step();
	box_ok(step_check(host(), &step, &err));
	box_ok(step_prepare(host(), &step, &err));
	cr_expect(is_there("prepared", 0));
	box_ok(step_apply(host(), &step, &err));
	cr_expect(not(is_there("applied", 0)));
	box_ok(step_revert(host(), &step, &err));
	cr_expect(is_there("reverted", 0));
	cr_expect(inode(PATH) == old);
	box_ok(step_revert(host(), &step, &err));
	cr_expect(is_there("again", 0));
}

Test(plan_unlink, loses_nothing_whatever_call_fails)
{
	static int (*const acts[])(struct error *) = { apply, finish };
	static const enum fault_kind kinds[] = { FAULT_ERROR, FAULT_ERROR_ON, FAULT_DONE };

	for (size_t k = 0; k < ARRAY_SIZE(kinds) * ARRAY_SIZE(acts); k++) {
		for (unsigned n = 1;; n++) {
			struct error err = ERROR_INIT;
			ino_t old;
			int r;

			set_scene();
			old = inode(PATH);
			fault_arm(&box()->fault, kinds[k / 2], n, EIO);
			r = acts[k % 2](&err);
			if (!fault_disarm(&box()->fault)) {
				cr_expect(eq(int, r, 0), "%s", err.message);
				cr_expect(not(is_there("done", n)));
				cr_expect(gt(uint, n, 8u));
				break;
			}
			if (is_there("apply", n))
				cr_expect(eq(int, r, -1), "call %u, %s", n, box()->fault.last);
			cr_expect(ne(int, err.code, ERROR_IN_DOUBT), "call %u, %s: %s", n,
				  box()->fault.last, err.message);
			err = (struct error)ERROR_INIT;
			box_ok(revert(&err));
			cr_expect(is_there("reverted", n), "call %u, %s", n, box()->fault.last);
			cr_expect(inode(PATH) == old, "call %u, %s", n, box()->fault.last);
		}
	}
}

Test(plan_unlink, is_put_back_in_the_end_whatever_call_fails)
{
	static const enum fault_kind kinds[] = { FAULT_ERROR, FAULT_ERROR_ON, FAULT_DONE };

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		for (unsigned n = 1;; n++) {
			struct error err = ERROR_INIT;
			int r;

			set_unlinked_scene();
			fault_arm(&box()->fault, kinds[k], n, EIO);
			r = revert(&err);
			if (!fault_disarm(&box()->fault)) {
				cr_expect(eq(int, r, 0));
				cr_expect(gt(uint, n, 5u));
				break;
			}
			if (!is_there("revert", n))
				cr_expect(eq(int, r, -1), "call %u, %s", n, box()->fault.last);
			err = (struct error)ERROR_INIT;
			box_ok(revert(&err));
			cr_expect(is_there("again", n), "call %u, %s", n, box()->fault.last);
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

	fault_arm(&box()->fault, FAULT_DIE, d->at, 0);
	_exit(d->act(&err) < 0);
}

Test(plan_unlink, is_reverted_and_finished_wherever_the_process_dies)
{
	static int (*const acts[])(struct error *) = { apply, revert, finish };
	static int (*const ends[])(struct error *) = { revert, finish };

	for (size_t i = 0; i < ARRAY_SIZE(acts) * ARRAY_SIZE(ends); i++) {
		int status = FAULT_DEATH;
		unsigned n = 1;

		for (; status == FAULT_DEATH; n++) {
			struct death d = { .act = acts[i / 2], .at = n };
			struct error err = ERROR_INIT;
			bool can = false;

			if (d.act == revert)
				set_unlinked_scene();
			else
				set_scene();
			status = box_fork(die, &d);
			cr_assert(status == 0 || status == FAULT_DEATH, "call %u: %d", n, status);
			(void)is_there("death", n);
			box_ok(step_can_finish(host(), &step, &can, &err));
			cr_expect(can, "call %u", n);
			box_ok(ends[i % 2](&err));
			cr_expect(eq(int, is_there("end", n), ends[i % 2] == revert), "call %u", n);
			box_ok(ends[i % 2](&err));
		}
		cr_expect(gt(uint, n, 5u));
	}
}

Test(plan_unlink, is_durable_only_after_a_folder_was_synced)
{
	static int (*const acts[])(struct error *) = { finish, revert };

	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		struct error err = ERROR_INIT;

		if (acts[i] == finish)
			set_unlinked_scene();
		else
			set_scene();
		fault_arm(&box()->fault, FAULT_ERROR, 1, EIO);
		box()->fault.only = FAULT_FSYNC;
		cr_expect(eq(int, acts[i](&err), -1), "row %zu", i);
		cr_expect(fault_disarm(&box()->fault));
		box_ok(acts[i](&err));
	}
}

Test(plan_unlink, is_the_same_when_every_call_is_interrupted_or_short)
{
	static const enum fault_kind kinds[] = { FAULT_INTERRUPT, FAULT_ONE_BYTE };

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct error err = ERROR_INIT;

		set_scene();
		fault_arm(&box()->fault, kinds[k], 0, 0);
		box_ok(apply(&err));
		cr_expect(not(is_there("applied", 0)));
		box_ok(revert(&err));
		cr_expect(is_there("reverted", 0));
		box_ok(finish(&err));
		(void)fault_disarm(&box()->fault);
		cr_expect(not(is_there("finished", 0)));
	}
}

/* ---- somebody else */

Test(plan_unlink, refuses_what_changed_since_it_was_planned)
{
	struct error err = ERROR_INIT;

	box_write(PATH, OLD);
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED, "was changed by somebody else");
	box_fails(apply(&err), ERROR_REFUSED, "was changed by somebody else");
	box_str(box_names(DIR), " " NAME);
	cr_assert(eq(int, unlink(box_path(PATH)), 0));
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED, "No such file");
}

static void write_theirs(void *ctx)
{
	box_write(PATH, ctx);
}

static void rename_theirs(void *ctx)
{
	box_write(DIR "/theirs", ctx);
	cr_assert(eq(int, rename(box_path(DIR "/theirs"), box_path(PATH)), 0));
}

Test(plan_unlink, puts_back_what_somebody_wrote_in_the_last_instant)
{
	static void (*const ways[])(void *) = { write_theirs, rename_theirs };
	static const char *const texts[] = { "PermitRootLogin On.\n", "longer" OLD, "" };

	for (size_t i = 0; i < ARRAY_SIZE(ways) * ARRAY_SIZE(texts) * 2; i++) {
		const char *text = texts[i % 3];
		struct error err = ERROR_INIT;

		set_scene();
		if (i >= 6) /* a recovery has digests alone */
			step.before_bytes = slice_of(NULL, 0);
		fault_arm(&box()->fault, FAULT_NONE, 1, 0);
		box()->fault.only = FAULT_RENAME;
		box()->fault.meanwhile = ways[i / 3 % 2];
		box()->fault.meanwhile_ctx = (void *)text;
		box_fails(apply(&err), ERROR_REFUSED, "was changed by somebody else in this very");
		(void)fault_disarm(&box()->fault);
		box_str(box_text(PATH), text, "row %zu", i);
		box_str(box_names(DIR), " " NAME, "row %zu", i);
		/* nothing of ours is there: theirs stays */
		box_ok(revert(&err));
		box_str(box_text(PATH), text, "row %zu", i);
	}
}

/* The process died before it could put theirs back. */
Test(plan_unlink, puts_back_what_was_taken_away_by_a_hair)
{
	struct error err = ERROR_INIT;

	set_unlinked_scene();
	box_write(TEMP, "theirs\n");
	box_ok(revert(&err));
	box_str(box_text(PATH), "theirs\n");
	box_ok(revert(&err));
	box_str(box_names(DIR), " " NAME);
}

Test(plan_unlink, does_not_touch_what_somebody_made_in_its_place)
{
	struct error err = ERROR_INIT;
	bool can = true;

	set_unlinked_scene();
	box_write(PATH, "theirs\n");
	box_fails(revert(&err), ERROR_IN_DOUBT, "was changed meanwhile");
	cr_expect(strstr(err.hint, TEMP) != NULL, "%s", err.hint);
	box_str(box_text(PATH), "theirs\n");
	box_str(box_text(TEMP), OLD);
	box_ok(step_can_finish(host(), &step, &can, &err));
	cr_expect(not(can));
	box_fails(finish(&err), ERROR_IN_DOUBT, "was changed meanwhile");
	/* what the hint says works, whichever way recovery goes then */
	box_write(PATH, OLD);
	box_ok(revert(&err));
	box_ok(finish(&err));
	box_str(box_names(DIR), " " TEMP_NAME);
}

static void make_theirs(void *ctx)
{
	box_write(PATH, "theirs\n");
}

Test(plan_unlink, does_not_come_back_over_what_somebody_made_in_the_last_instant)
{
	struct error err = ERROR_INIT;

	set_unlinked_scene();
	fault_arm(&box()->fault, FAULT_NONE, 1, 0);
	box()->fault.only = FAULT_RENAME;
	box()->fault.meanwhile = make_theirs;
	box_fails(revert(&err), ERROR_REFUSED, "was made by somebody else");
	(void)fault_disarm(&box()->fault);
	box_str(box_text(PATH), "theirs\n");
	box_str(box_text(TEMP), OLD);
}

Test(plan_unlink, does_not_take_somebody_s_file_for_its_own)
{
	struct error err = ERROR_INIT;

	box_write(TEMP, "theirs\n");
	box_fails(apply(&err), ERROR_REFUSED, TEMP " was made by somebody else");
	box_str(box_text(TEMP), "theirs\n");
	box_str(box_text(PATH), OLD);
}

/* ---- both names are gone */

static void lose(bool with_folder)
{
	set_unlinked_scene();
	cr_assert(eq(int, unlink(box_path(TEMP)), 0));
	if (with_folder)
		cr_assert(eq(int, rmdir(box_path(DIR)), 0));
}

Test(plan_unlink, comes_back_from_the_copy)
{
	for (int with_folder = 0; with_folder < 2; with_folder++) {
		struct error err = ERROR_INIT;

		lose(with_folder);
		/* left by one that was cut off */
		if (!with_folder)
			box_write(DIR "/" COPY_NAME, "half");
		box_ok(revert(&err));
		cr_expect(is_there("made again", (unsigned)with_folder));
		box_ok(revert(&err));
	}
}

Test(plan_unlink, comes_back_from_the_copy_in_the_end_whatever_call_fails)
{
	static const enum fault_kind kinds[] = { FAULT_ERROR, FAULT_ERROR_ON, FAULT_DONE,
						 FAULT_DIE };

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		for (unsigned n = 1;; n++) {
			struct death d = { .act = revert, .at = n };
			struct error err = ERROR_INIT;
			bool hit;

			lose(true);
			if (kinds[k] == FAULT_DIE) {
				hit = box_fork(die, &d) == FAULT_DEATH;
			} else {
				fault_arm(&box()->fault, kinds[k], n, ENOSPC);
				(void)!revert(&err);
				hit = fault_disarm(&box()->fault);
			}
			if (access(box_path(PATH), F_OK) == 0)
				box_str(box_text(PATH), OLD, "call %u, %s", n, box()->fault.last);
			err = (struct error)ERROR_INIT;
			box_ok(revert(&err));
			cr_expect(is_there("again", n), "call %u, %s", n, box()->fault.last);
			if (!hit) {
				cr_expect(gt(uint, n, 15u));
				break;
			}
		}
	}
}

Test(plan_unlink, stays_lost_with_its_folder_when_it_has_no_copy)
{
	struct error err = ERROR_INIT;
	bool can = false;

	lose(true);
	free(step.saved);
	step.saved = NULL;
	box_ok(revert(&err));
	box_str(box_names(""), " state");
	box_ok(step_can_finish(host(), &step, &can, &err));
	cr_expect(can);
	box_ok(finish(&err));
	box_str(box_names(""), " state");
}

Test(plan_unlink, is_in_doubt_without_the_file_and_without_a_good_copy)
{
	struct error err = ERROR_INIT;

	lose(false);
	box_write(SAVED, "altered\n");
	box_fails(revert(&err), ERROR_IN_DOUBT, "is not what was saved");
	free(step.saved);
	step.saved = NULL;
	box_fails(revert(&err), ERROR_IN_DOUBT, "is gone, and with it the old " PATH);
	box_str(box_names(DIR), "");
}

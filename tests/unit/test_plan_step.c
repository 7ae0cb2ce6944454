/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "plan/plan.h"

#define CONF "/etc/conf"
#define TEMP "/etc/.rootlatch-0badcafe-conf"
#define SAVED "/state/0.before"
#define OLD "PermitRootLogin no\n"
#define NEW "PermitRootLogin yes\n"

static struct step step;
static struct host_file target = HOST_FILE_INIT;
static char *old_look;

static const struct host *host(void)
{
	return &box()->host;
}

/* As planning leaves it: from OLD to NEW. */
static void plan_step(void)
{
	struct error err = ERROR_INIT;

	step_release(&step);
	host_file_release(&target);
	box_ok(host_file_read(host(), CONF, HOST_READ_TARGET, &target, &err));
	step = (struct step){
		.path = strdup(CONF),
		.temp = strdup(TEMP),
		.saved = strdup(SAVED),
		.before = target.digest,
		.after = digest_of(NEW, strlen(NEW)),
		.before_bytes = slice_of(target.bytes.data, target.bytes.len),
		.after_bytes = slice_of(NEW, strlen(NEW)),
		.after_mtime_ns = -1,
		.meta = target.meta,
		.dev = target.dev,
		.ino = target.ino,
		.ctime_ns = target.ctime_ns,
	};
}

/* The folder as it is before anything happens. */
static void set_scene(void)
{
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1234567890, .tv_nsec = 5 } };
	struct error err = ERROR_INIT;

	box_mkdir("/etc", 0755);
	box_mkdir("/state", 0700);
	(void)unlink(box_path(TEMP));
	(void)unlink(box_path(CONF));
	(void)unlink(box_path(SAVED));
	box_write(CONF, OLD);
	cr_assert(eq(int, chmod(box_path(CONF), 0640), 0));
	cr_assert(eq(int, chown(box_path(CONF), 0, 12), 0));
	(void)setxattr(box_path(CONF), "user.note", "n", 1, 0);
	cr_assert(eq(int, utimensat(AT_FDCWD, box_path(CONF), times, 0), 0));
	box_ok(host_file_create(host(), SAVED, slice_of(OLD, strlen(OLD)), 0600,
				1234567890000000005, &err));
	free(old_look);
	old_look = box_look(CONF);
	plan_step();
}

static void enter(void)
{
	box_enter();
	set_scene();
}

static void leave(void)
{
	step_release(&step);
	host_file_release(&target);
	free(old_look);
	box_leave();
}

TestSuite(plan_step, .init = enter, .fini = leave, .timeout = 60);

/* Applied: path new, temp old. */
static void set_applied_scene(void)
{
	struct error err = ERROR_INIT;

	set_scene();
	box_ok(step_prepare(host(), &step, &err));
	box_ok(step_apply(host(), &step, &err));
	box_str(box_text(CONF), NEW);
}

static ino_t inode(const char *path)
{
	struct stat st = { .st_ino = 0 };

	(void)lstat(box_path(path), &st);
	return st.st_ino;
}

#define EXPECT_OLD(...)                                 \
	do {                                            \
		char *look_ = box_look(CONF);           \
							\
		box_str(look_, old_look, ##__VA_ARGS__); \
		free(look_);                            \
	} while (0)

/* Its bytes are all the old ones or all the new ones; the rest is as it was in either case. */
static bool is_old_or_new(const char *where, unsigned n)
{
	bool is_old = strcmp(box_text(CONF), OLD) == 0;

	box_str(box_text(CONF), is_old ? OLD : NEW, "%s, call %u, %s", where, n,
		box()->fault.last);
	cr_expect(eq(uint, box_mode(CONF), 0640), "%s, call %u, %s", where, n, box()->fault.last);
	if (is_old)
		EXPECT_OLD("%s, call %u, %s", where, n, box()->fault.last);
	return is_old;
}

Test(plan_step, exchanges_the_two_and_back_again)
{
	struct error err = ERROR_INIT;
	ino_t old = inode(CONF);

	box_ok(step_check(host(), &step, &err));
	box_ok(step_prepare(host(), &step, &err));
	EXPECT_OLD();
	box_str(box_text(TEMP), NEW);
	cr_expect(eq(uint, box_mode(TEMP), 0640));
	box_ok(step_apply(host(), &step, &err));
	box_str(box_text(CONF), NEW);
	box_str(box_text(TEMP), OLD);
	cr_expect(inode(TEMP) == old);
	box_ok(step_revert(host(), &step, &err));
	EXPECT_OLD();
	cr_expect(inode(CONF) == old);
	box_ok(step_revert(host(), &step, &err));
	EXPECT_OLD();
}

Test(plan_step, is_wholly_old_or_new_whatever_call_fails)
{
	static const enum fault_kind kinds[] = { FAULT_ERROR, FAULT_ERROR_ON, FAULT_DONE };
	static const int errors[] = { EIO, ENOSPC, EMFILE };

	for (size_t k = 0; k < ARRAY_SIZE(kinds) * ARRAY_SIZE(errors); k++) {
		for (unsigned n = 1;; n++) {
			struct error err = ERROR_INIT;
			bool failed, is_old;
			int r;

			set_scene();
			fault_arm(&box()->fault, kinds[k / 3], n, errors[k % 3]);
			r = step_prepare(host(), &step, &err);
			if (r < 0) {
				EXPECT_OLD("prepare, call %u, %s", n, box()->fault.last);
			} else {
				r = step_apply(host(), &step, &err);
			}
			failed = fault_disarm(&box()->fault);
			is_old = is_old_or_new("apply", n);
			if (!failed) {
				cr_expect(eq(int, r, 0), "%s", err.message);
				cr_expect(not(is_old));
				cr_expect(gt(uint, n, 20u));
				break;
			}
			/* a closed folder that could not be read again says nothing of the names */
			cr_expect(eq(int, r, -1), "call %u, %s", n, box()->fault.last);
			cr_expect(ne(int, err.code, ERROR_IN_DOUBT), "call %u, %s: %s", n,
				  box()->fault.last, err.message);
			err = (struct error)ERROR_INIT;
			box_ok(step_revert(host(), &step, &err));
			EXPECT_OLD("reverted after call %u, %s", n, box()->fault.last);
		}
	}
}

Test(plan_step, is_put_back_in_the_end_whatever_call_fails)
{
	static const enum fault_kind kinds[] = { FAULT_ERROR, FAULT_ERROR_ON, FAULT_DONE };

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		for (unsigned n = 1;; n++) {
			struct error err = ERROR_INIT;
			ino_t old;
			int r;

			set_applied_scene();
			old = inode(TEMP);
			fault_arm(&box()->fault, kinds[k], n, EIO);
			r = step_revert(host(), &step, &err);
			if (!fault_disarm(&box()->fault)) {
				cr_expect(eq(int, r, 0));
				break;
			}
			(void)is_old_or_new("revert", n);
			if (r == 0)
				EXPECT_OLD("revert, call %u, %s", n, box()->fault.last);
			err = (struct error)ERROR_INIT;
			box_ok(step_revert(host(), &step, &err));
			EXPECT_OLD("again after call %u, %s", n, box()->fault.last);
			/* the old file itself, when it was there all along */
			cr_expect(inode(CONF) == old, "kind %d, call %u, %s: another file", kinds[k],
				  n, box()->fault.last);
		}
	}
}

static void die_applying(void *ctx)
{
	struct error err = ERROR_INIT;

	fault_arm(&box()->fault, FAULT_DIE, *(unsigned *)ctx, 0);
	_exit(step_prepare(host(), &step, &err) < 0 || step_apply(host(), &step, &err) < 0);
}

/* Who prepared it may have died before it synced. */
Test(plan_step, is_finished_with_durable_bytes)
{
	struct error err = ERROR_INIT;

	box_ok(step_prepare(host(), &step, &err));
	fault_arm(&box()->fault, FAULT_ERROR, 1, EIO);
	box()->fault.only = FAULT_FSYNC;
	cr_expect(eq(int, step_finish(host(), &step, &err), -1));
	cr_expect(fault_disarm(&box()->fault));
	EXPECT_OLD("it was installed before it was durable");
	box_ok(step_finish(host(), &step, &err));
	box_str(box_text(CONF), NEW);
}

/* With the owner, mode and attributes, or not at all. */
Test(plan_step, is_brought_to_its_end_or_put_back_wherever_the_process_dies)
{
	unsigned n = 1, n_finished = 0;
	int status = FAULT_DEATH;

	for (; status == FAULT_DEATH; n++) {
		struct error err = ERROR_INIT;
		bool can = false;

		set_scene();
		step.after_mtime_ns = 987654321000000001;
		status = box_fork(die_applying, &n);
		cr_assert(status == 0 || status == FAULT_DEATH, "call %u: %d", n, status);
		(void)is_old_or_new("death", n);
		box_ok(step_can_finish(host(), &step, &can, &err));
		if (can) {
			_cleanup_host_file_ struct host_file now = HOST_FILE_INIT;

			box_ok(step_finish(host(), &step, &err));
			box_str(box_text(CONF), NEW, "call %u", n);
			box_ok(host_file_read(host(), CONF, HOST_READ_TARGET, &now, &err));
			cr_expect(host_meta_equal(&now.meta, &step.meta), "call %u", n);
			cr_expect(eq(i64, now.meta.mtime_ns, 987654321000000001), "call %u", n);
			box_ok(step_finish(host(), &step, &err));
			n_finished++;
		}
		box_ok(step_revert(host(), &step, &err));
		EXPECT_OLD("call %u", n);
	}
	cr_expect(gt(uint, n, 20u));
	cr_expect(gt(uint, n_finished, 5u));
}

/* What a failed fsync may have lost is not durable because the names look right. */
Test(plan_step, is_durable_only_after_a_folder_was_synced)
{
	struct error err = ERROR_INIT;

	set_applied_scene();
	fault_arm(&box()->fault, FAULT_ERROR, 1, EIO);
	box()->fault.only = FAULT_FSYNC;
	cr_expect(eq(int, step_revert(host(), &step, &err), -1));
	cr_expect(fault_disarm(&box()->fault));
	EXPECT_OLD();
	/* a recovery that was cut off between rename and fsync looks the same to the next one */
	fault_arm(&box()->fault, FAULT_NONE, 0, 0);
	box()->fault.only = FAULT_FSYNC;
	box_ok(step_revert(host(), &step, &err));
	cr_expect(ge(uint, box()->fault.calls, 1u), "the folder was not synced");
	(void)fault_disarm(&box()->fault);
}

Test(plan_step, is_the_same_when_every_call_is_interrupted_or_short)
{
	static const enum fault_kind kinds[] = { FAULT_INTERRUPT, FAULT_ONE_BYTE };

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct error err = ERROR_INIT;

		set_scene();
		fault_arm(&box()->fault, kinds[k], 0, 0);
		box_ok(step_check(host(), &step, &err));
		box_ok(step_prepare(host(), &step, &err));
		box_ok(step_apply(host(), &step, &err));
		box_ok(step_revert(host(), &step, &err));
		(void)fault_disarm(&box()->fault);
		EXPECT_OLD();
		box_str(box_text(TEMP), NEW);
	}
}

/* ---- somebody else */

Test(plan_step, refuses_what_changed_since_it_was_planned)
{
	struct error err = ERROR_INIT;

	box_write(CONF, OLD);
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED, "was changed by somebody else");
	set_scene();
	cr_assert(eq(int, chmod(box_path(CONF), 0600), 0));
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED, "was changed by somebody else");
	set_scene();
	box_write("/etc/other", OLD);
	cr_assert(eq(int, rename(box_path("/etc/other"), box_path(CONF)), 0));
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED, "was changed by somebody else");
	box_fails(step_apply(host(), &step, &err), ERROR_REFUSED, "was changed by somebody else");
	box_str(box_text(CONF), OLD);
	cr_assert(eq(int, unlink(box_path(CONF)), 0));
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED, "No such file");
	box_str(box_text(TEMP), "(none)");
}

static void write_theirs(void *ctx)
{
	box_write(CONF, ctx);
}

static void rename_theirs(void *ctx)
{
	box_write("/etc/theirs", ctx);
	cr_assert(eq(int, rename(box_path("/etc/theirs"), box_path(CONF)), 0));
}

Test(plan_step, puts_back_what_somebody_wrote_in_the_last_instant)
{
	static void (*const ways[])(void *) = { write_theirs, rename_theirs };
	/* as long as ours, longer, empty */
	static const char *const texts[] = { "PermitRootLogin On\n", "PermitRootLogin no\n# x\n", "" };

	for (size_t i = 0; i < ARRAY_SIZE(ways) * ARRAY_SIZE(texts); i++) {
		struct error err = ERROR_INIT;

		set_scene();
		box_ok(step_prepare(host(), &step, &err));
		fault_arm(&box()->fault, FAULT_NONE, 1, 0);
		box()->fault.only = FAULT_RENAME;
		box()->fault.meanwhile = ways[i / 3];
		box()->fault.meanwhile_ctx = (void *)texts[i % 3];
		box_fails(step_apply(host(), &step, &err), ERROR_REFUSED,
			  "was changed by somebody else in this very moment");
		(void)fault_disarm(&box()->fault);
		box_str(box_text(CONF), texts[i % 3]);
		box_str(box_text(TEMP), NEW);
	}
}

Test(plan_step, does_not_touch_what_is_neither_old_nor_new)
{
	struct error err = ERROR_INIT;

	set_applied_scene();
	box_write(CONF, "theirs\n");
	box_fails(step_revert(host(), &step, &err), ERROR_IN_DOUBT, "was changed meanwhile");
	cr_expect(strstr(err.hint, TEMP) != NULL, "%s", err.hint);
	box_str(box_text(CONF), "theirs\n");
	box_str(box_text(TEMP), OLD);
	cr_assert(eq(int, unlink(box_path(CONF)), 0));
	box_fails(step_revert(host(), &step, &err), ERROR_IN_DOUBT, "is gone");
	box_str(box_names("/etc"), " .rootlatch-0badcafe-conf");
	cr_assert(eq(int, symlink("elsewhere", box_path(CONF)), 0));
	box_fails(step_revert(host(), &step, &err), ERROR_IN_DOUBT, "was changed meanwhile");
	cr_assert(eq(int, unlink(box_path(CONF)), 0));
	cr_assert(eq(int, mkfifo(box_path(CONF), 0600), 0));
	box_fails(step_revert(host(), &step, &err), ERROR_IN_DOUBT, "was changed meanwhile");
}

Test(plan_step, comes_back_from_the_copy_when_the_old_file_is_gone)
{
	static const char *const instead[] = { NULL, NEW };

	for (size_t i = 0; i < ARRAY_SIZE(instead); i++) {
		struct error err = ERROR_INIT;

		set_applied_scene();
		cr_assert(eq(int, unlink(box_path(TEMP)), 0));
		if (instead[i] != NULL)
			box_write(TEMP, instead[i]);
		box_ok(step_revert(host(), &step, &err));
		EXPECT_OLD("row %zu", i);
	}
}

/* It came out of path when ours was put there, and nobody has looked at it yet. */
Test(plan_step, gives_back_what_somebody_wrote_in_the_last_instant)
{
	struct error err = ERROR_INIT;
	bool can = true;

	set_applied_scene();
	box_write(TEMP, "somebody's\n");
	box_ok(step_can_finish(host(), &step, &can, &err));
	cr_expect(not(can));
	for (int again = 0; again < 2; again++) {
		box_ok(step_revert(host(), &step, &err));
		box_str(box_text(CONF), "somebody's\n");
		box_str(box_text(TEMP), NEW);
	}
}

static void write_target(void *ctx)
{
	box_write(CONF, "somebody's\n");
}

Test(plan_step, is_not_reverted_over_what_somebody_writes_meanwhile)
{
	struct error err = ERROR_INIT;

	set_applied_scene();
	fault_arm(&box()->fault, FAULT_NONE, 1, 0);
	box()->fault.only = FAULT_RENAME;
	box()->fault.meanwhile = write_target;
	box_fails(step_revert(host(), &step, &err), ERROR_IN_DOUBT, "in this very moment");
	(void)fault_disarm(&box()->fault);
	box_str(box_text(CONF), "somebody's\n");
	box_str(box_text(TEMP), OLD);
}

Test(plan_step, comes_back_from_the_copy_in_the_end_whatever_call_fails)
{
	static const enum fault_kind kinds[] = { FAULT_ERROR, FAULT_ERROR_ON, FAULT_DONE };

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		for (unsigned n = 1;; n++) {
			struct error err = ERROR_INIT;
			int r;

			set_applied_scene();
			cr_assert(eq(int, unlink(box_path(TEMP)), 0));
			fault_arm(&box()->fault, kinds[k], n, ENOSPC);
			r = step_revert(host(), &step, &err);
			if (!fault_disarm(&box()->fault)) {
				cr_expect(eq(int, r, 0));
				break;
			}
			(void)is_old_or_new("revert from the copy", n);
			err = (struct error)ERROR_INIT;
			box_ok(step_revert(host(), &step, &err));
			EXPECT_OLD("again after call %u, %s", n, box()->fault.last);
		}
	}
}

Test(plan_step, is_in_doubt_without_the_old_file_and_without_a_good_copy)
{
	struct error err = ERROR_INIT;

	set_applied_scene();
	cr_assert(eq(int, unlink(box_path(TEMP)), 0));
	box_write(SAVED, "altered\n");
	box_fails(step_revert(host(), &step, &err), ERROR_IN_DOUBT, "is not what was saved");
	cr_assert(eq(int, chmod(box_path(SAVED), 0644), 0));
	box_fails(step_revert(host(), &step, &err), ERROR_REFUSED, "may have been altered");
	cr_assert(eq(int, unlink(box_path(SAVED)), 0));
	cr_expect(eq(int, step_revert(host(), &step, &err), -1));
	free(step.saved);
	step.saved = NULL;
	box_fails(step_revert(host(), &step, &err), ERROR_IN_DOUBT, "is gone, and with it the old");
	box_str(box_text(CONF), NEW);
	box_str(box_names("/etc"), " conf");
}

/* ---- preparing */

Test(plan_step, does_not_take_somebody_s_file_for_its_own)
{
	struct error err = ERROR_INIT;

	box_write(TEMP, "theirs\n");
	box_fails(step_prepare(host(), &step, &err), ERROR_FAILED, "File exists");
	box_str(box_text(TEMP), "theirs\n");
	EXPECT_OLD();
	cr_assert(eq(int, unlink(box_path(TEMP)), 0));
	cr_assert(eq(int, symlink("conf", box_path(TEMP)), 0));
	cr_expect(eq(int, step_prepare(host(), &step, &err), -1));
	EXPECT_OLD();
}

Test(plan_step, is_not_prepared_without_the_owner_mode_and_attributes)
{
	struct error err = ERROR_INIT;

	step.meta.attrs = digest_of("others", 6);
	box_fails(step_prepare(host(), &step, &err), ERROR_FAILED, "could not be copied");
	box_str(box_names("/etc"), " conf");
	plan_step();
	step.meta.gid = 99;
	box_fails(step_prepare(host(), &step, &err), ERROR_FAILED, "could not be copied");
	box_str(box_names("/etc"), " conf");
	EXPECT_OLD();
}

Test(plan_step, that_is_ready_must_be_what_was_put_aside)
{
	struct error err = ERROR_INIT;

	step.ready = true;
	box_fails(step_prepare(host(), &step, &err), ERROR_REFUSED, "No such file");
	box_write(TEMP, "altered\n");
	box_fails(step_prepare(host(), &step, &err), ERROR_REFUSED, "was altered");
	box_str(box_text(TEMP), "altered\n");
	box_write(TEMP, NEW);
	box_ok(step_prepare(host(), &step, &err));
	box_ok(step_apply(host(), &step, &err));
	box_str(box_text(CONF), NEW);
}

Test(plan_step, lies_hidden_beside_its_file)
{
	struct error err = ERROR_INIT;
	char *temp = plan_temp_path(CONF, "0badcafe", &err);
	char *top = plan_temp_path("/f", "0badcafe", &err);

	cr_expect(eq(int, strncmp(temp, TEMP, strlen(TEMP)), 0), "%s", temp);
	cr_expect(eq(int, strncmp(top, "/.rootlatch-0badcafe-f", 22), 0), "%s", top);
	free(temp);
	free(top);
}

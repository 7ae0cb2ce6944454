/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * TIMES: the mtime of a file, a folder or a link, and nothing else of it.
 */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/clock.h"
#include "plan/step.h"

#define BEFORE 1234567890000000005
#define AFTER 1300000000999999999
#define OTHER 1400000000000000000
#define ATIME 1000000000000000007

static const char *const paths[] = { "/file", "/folder", "/link" };

static struct step step;

static const struct host *host(void)
{
	return &box()->host;
}

static void set_mtime(const char *path, int64_t ns)
{
	const struct timespec times[2] = { timespec_of_ns(ATIME), timespec_of_ns(ns) };

	cr_assert(eq(int, utimensat(AT_FDCWD, box_path(path), times, AT_SYMLINK_NOFOLLOW),
		     0));
}

static void set_scene(const char *path)
{
	step_release(&step);
	step = (struct step){ .kind = STEP_TIMES,
			      .path = strdup(path),
			      .mtime_before_ns = BEFORE,
			      .mtime_after_ns = AFTER };
	set_mtime(path, BEFORE);
}

static void enter(void)
{
	box_enter();
	box_write("/file", "bytes\n");
	box_mkdir("/folder", 0755);
	cr_assert(eq(int, symlink("file", box_path("/link")), 0));
	set_mtime("/file", OTHER);
}

static void leave(void)
{
	step_release(&step);
	box_leave();
}

TestSuite(plan_times, .init = enter, .fini = leave, .timeout = 60);

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

static int64_t mtime(const char *path)
{
	struct stat st = { .st_ino = 0 };

	(void)lstat(box_path(path), &st);
	return timespec_ns(st.st_mtim);
}

/* Nor is the atime touched, nor what a link leads to. */
static void expect_mtime(int64_t wanted, const char *what)
{
	struct stat st = { .st_ino = 0 };

	cr_expect(eq(i64, mtime(step.path), wanted), "%s: %s", step.path, what);
	(void)lstat(box_path(step.path), &st);
	cr_expect(eq(i64, timespec_ns(st.st_atim), ATIME), "%s: %s", step.path, what);
	if (strcmp(step.path, "/link") == 0)
		cr_expect(eq(i64, mtime("/file"), OTHER), "%s", what);
}

static const char *scene(size_t i)
{
	const char *path = paths[i % ARRAY_SIZE(paths)];

	set_scene(path);
	set_mtime("/file", strcmp(path, "/file") == 0 ? BEFORE : OTHER);
	return path;
}

Test(plan_times, sets_it_and_puts_it_back)
{
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct error err = ERROR_INIT;

		(void)scene(i);
		box_ok(step_check(host(), &step, &err));
		box_ok(step_prepare(host(), &step, &err));
		expect_mtime(BEFORE, "prepared");
		box_ok(apply(&err));
		expect_mtime(AFTER, "applied");
		box_ok(revert(&err));
		expect_mtime(BEFORE, "reverted");
		box_ok(finish(&err));
		expect_mtime(AFTER, "finished");
	}
}

/* First in a plan for what comes back last, or last in it. */
Test(plan_times, leaves_it_where_there_is_nothing_to_set)
{
	struct error err = ERROR_INIT;
	bool can = false;

	(void)scene(1);
	step.mtime_after_ns = -1;
	box_ok(apply(&err));
	expect_mtime(BEFORE, "applied");
	set_mtime("/folder", OTHER); /* the steps behind it do that */
	box_ok(finish(&err));
	expect_mtime(OTHER, "finished");
	box_ok(revert(&err));
	expect_mtime(BEFORE, "reverted");
	(void)scene(1);
	step.mtime_before_ns = -1;
	set_mtime("/folder", OTHER);
	box_ok(step_check(host(), &step, &err));
	box_ok(revert(&err));
	expect_mtime(OTHER, "reverted");
	box_ok(apply(&err));
	expect_mtime(AFTER, "applied");
	box_ok(step_can_finish(host(), &step, &can, &err));
	cr_expect(can);
}

Test(plan_times, refuses_what_changed_since_it_was_planned)
{
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct error err = ERROR_INIT;
		const char *path = scene(i);

		set_mtime(path, BEFORE + 1);
		box_fails(step_check(host(), &step, &err), ERROR_REFUSED,
			  "was changed by somebody else");
		cr_expect(strstr(err.message, path) != NULL, "%s", err.message);
	}
}

Test(plan_times, has_nothing_to_put_back_where_nothing_is)
{
	static const char *const gone[] = { "/gone", "/gone/below", "/file/below" };

	for (size_t i = 0; i < ARRAY_SIZE(gone); i++) {
		struct error err = ERROR_INIT;

		step_release(&step);
		step = (struct step){ .kind = STEP_TIMES,
				      .path = strdup(gone[i]),
				      .mtime_before_ns = BEFORE,
				      .mtime_after_ns = AFTER };
		box_ok(revert(&err));
		box_ok(finish(&err));
		box_fails(apply(&err), ERROR_FAILED, "");
		box_fails(step_check(host(), &step, &err), ERROR_REFUSED, gone[i]);
	}
}

Test(plan_times, is_set_in_the_end_whatever_call_fails)
{
	static int (*const acts[])(struct error *) = { apply, finish, revert };
	static const enum fault_kind kinds[] = { FAULT_ERROR, FAULT_ERROR_ON,
						 FAULT_DONE };

	for (size_t k = 0; k < ARRAY_SIZE(paths) * ARRAY_SIZE(acts) * ARRAY_SIZE(kinds);
	     k++) {
		for (unsigned n = 1;; n++) {
			int (*act)(struct error *) = acts[k / 3 % 3];
			struct error err = ERROR_INIT;
			bool hit;
			int r;

			set_mtime(scene(k / 9), act == revert ? AFTER : BEFORE);
			fault_arm(&box()->fault, kinds[k % 3], n, EIO);
			r = act(&err);
			hit = fault_disarm(&box()->fault);
			if (r == 0)
				expect_mtime(act == revert ? BEFORE : AFTER,
					     box()->fault.last);
			if (!hit) {
				cr_expect(eq(int, r, 0), "%s", err.message);
				cr_expect(gt(uint, n, 3u));
				break;
			}
			cr_expect(eq(int, r, -1), "%s, call %u, %s", step.path, n,
				  box()->fault.last);
			box_ok(revert(&err));
			expect_mtime(BEFORE, "reverted");
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

Test(plan_times, is_reverted_and_finished_wherever_the_process_dies)
{
	static int (*const acts[])(struct error *) = { apply, revert, finish };

	for (size_t i = 0; i < ARRAY_SIZE(paths) * ARRAY_SIZE(acts) * 2; i++) {
		int status = FAULT_DEATH;

		for (unsigned n = 1; status == FAULT_DEATH; n++) {
			struct death d = { .act = acts[i / 2 % 3], .at = n };
			struct error err = ERROR_INIT;

			set_mtime(scene(i / 6), d.act == revert ? AFTER : BEFORE);
			status = box_fork(die, &d);
			cr_assert(status == 0 || status == FAULT_DEATH, "call %u: %d", n,
				  status);
			box_ok((i % 2 ? finish : revert)(&err));
			expect_mtime(i % 2 ? AFTER : BEFORE, "end");
		}
	}
}

/* One that is right may be right in memory alone. */
Test(plan_times, is_durable_only_after_a_sync)
{
	for (size_t i = 0; i < ARRAY_SIZE(paths) * 2; i++) {
		struct error err = ERROR_INIT;
		int (*act)(struct error *) = i % 2 ? finish : revert;

		set_mtime(scene(i / 2), act == revert ? BEFORE : AFTER);
		fault_arm(&box()->fault, FAULT_ERROR, 1, EIO);
		box()->fault.only = FAULT_FSYNC;
		cr_expect(eq(int, act(&err), -1), "row %zu", i);
		cr_expect(fault_disarm(&box()->fault));
		box_ok(act(&err));
	}
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MODE: a regular file gets another mode, and its own back.
 */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plan/step.h"

#define PATH "/script"

static struct step step;
static char *before, *after;

static const struct host *host(void)
{
	return &box()->host;
}

static void set_scene(void)
{
	const struct timespec times[2] = { { .tv_sec = 1 },
					   { .tv_sec = 1234567890, .tv_nsec = 5 } };

	(void)unlink(box_path(PATH));
	box_write(PATH, "#!/bin/sh\n");
	cr_assert(eq(int, chown(box_path(PATH), 0, 12), 0));
	cr_assert(eq(int, utimensat(AT_FDCWD, box_path(PATH), times, 0), 0));
	cr_assert(eq(int, chmod(box_path(PATH), 0644), 0));
	free(after);
	after = box_look(PATH);
	cr_assert(eq(int, chmod(box_path(PATH), 0750), 0));
	free(before);
	before = box_look(PATH);
}

static void enter(void)
{
	box_enter();
	set_scene();
	step = (struct step){ .kind = STEP_MODE,
			      .path = strdup(PATH),
			      .mode_before = 0750,
			      .mode_after = 0644 };
}

static void leave(void)
{
	step_release(&step);
	free(before);
	free(after);
	box_leave();
}

TestSuite(plan_mode, .init = enter, .fini = leave, .timeout = 60);

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

static void set_applied_scene(void)
{
	struct error err = ERROR_INIT;

	set_scene();
	box_ok(apply(&err));
}

static void expect_look(const char *wanted, const char *what, unsigned n)
{
	_cleanup_free_ char *is = box_look(PATH);

	box_str(is, wanted, "%s, call %u, %s", what, n, box()->fault.last);
}

Test(plan_mode, sets_it_and_puts_it_back)
{
	struct error err = ERROR_INIT;

	box_ok(step_check(host(), &step, &err));
	box_ok(step_prepare(host(), &step, &err));
	expect_look(before, "prepared", 0);
	box_ok(apply(&err));
	expect_look(after, "applied", 0);
	for (int again = 0; again < 2; again++) {
		box_ok(revert(&err));
		expect_look(before, "reverted", 0);
	}
	for (int again = 0; again < 2; again++) {
		box_ok(finish(&err));
		expect_look(after, "finished", 0);
	}
	step.mode_before = 06755;
	box_ok(revert(&err));
	cr_expect(eq(uint, box_mode(PATH), 06755));
}

Test(plan_mode, is_one_or_the_other_whatever_call_fails)
{
	static int (*const acts[])(struct error *) = { apply, finish, revert };
	static const enum fault_kind kinds[] = { FAULT_ERROR, FAULT_ERROR_ON,
						 FAULT_DONE };

	for (size_t k = 0; k < ARRAY_SIZE(acts) * ARRAY_SIZE(kinds); k++) {
		for (unsigned n = 1;; n++) {
			int (*act)(struct error *) = acts[k / 3];
			struct error err = ERROR_INIT;
			bool hit;
			int r;

			(act == revert ? set_applied_scene : set_scene)();
			fault_arm(&box()->fault, kinds[k % 3], n, EIO);
			r = act(&err);
			hit = fault_disarm(&box()->fault);
			if (r == 0)
				expect_look(act == revert ? before : after, "done", n);
			cr_expect(ne(int, err.code, ERROR_IN_DOUBT), "call %u: %s", n,
				  err.message);
			if (!hit) {
				cr_expect(eq(int, r, 0), "%s", err.message);
				cr_expect(gt(uint, n, 5u));
				break;
			}
			err = (struct error)ERROR_INIT;
			box_ok(revert(&err));
			expect_look(before, "reverted", n);
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

Test(plan_mode, is_reverted_and_finished_wherever_the_process_dies)
{
	static int (*const acts[])(struct error *) = { apply, revert, finish };

	for (size_t i = 0; i < ARRAY_SIZE(acts) * 2; i++) {
		int status = FAULT_DEATH;
		unsigned n = 1;

		for (; status == FAULT_DEATH; n++) {
			struct death d = { .act = acts[i / 2], .at = n };
			struct error err = ERROR_INIT;
			bool can = false;

			(d.act == revert ? set_applied_scene : set_scene)();
			status = box_fork(die, &d);
			cr_assert(status == 0 || status == FAULT_DEATH, "call %u: %d", n,
				  status);
			box_ok(step_can_finish(host(), &step, &can, &err));
			cr_expect(can, "call %u", n);
			box_ok((i % 2 ? finish : revert)(&err));
			expect_look(i % 2 ? after : before, "end", n);
		}
		cr_expect(gt(uint, n, 5u));
	}
}

Test(plan_mode, is_durable_only_after_the_file_was_synced)
{
	for (int i = 0; i < 2; i++) {
		int (*act)(struct error *) = i ? finish : revert;
		struct error err = ERROR_INIT;

		(i ? set_applied_scene : set_scene)();
		fault_arm(&box()->fault, FAULT_ERROR, 1, EIO);
		box()->fault.only = FAULT_FSYNC;
		cr_expect(eq(int, act(&err), -1), "row %d", i);
		cr_expect(fault_disarm(&box()->fault));
		box_ok(act(&err));
	}
}

/* ---- somebody else */

static void put_there(int what)
{
	(void)unlink(box_path(PATH));
	if (what == 0)
		cr_assert(eq(int, symlink("/etc/shadow", box_path(PATH)), 0));
	else if (what == 1)
		cr_assert(eq(int, mkfifo(box_path(PATH), 0750), 0));
	else if (what == 2)
		box_mkdir(PATH, 0750);
}

Test(plan_mode, leaves_alone_what_is_no_regular_file)
{
	static const char *const words[] = { "is a symbolic link to /etc/shadow",
					     "is not a regular file",
					     "is not a regular file" };

	for (int i = 0; i < 3; i++) {
		_cleanup_free_ char *theirs = NULL;
		struct error err = ERROR_INIT;
		bool can = true;

		put_there(i);
		theirs = box_look(PATH);
		box_fails(step_check(host(), &step, &err), ERROR_REFUSED, words[i]);
		cr_expect(strstr(err.message, PATH) != NULL, "%s", err.message);
		box_fails(apply(&err), ERROR_REFUSED, words[i]);
		box_fails(revert(&err), ERROR_IN_DOUBT, words[i]);
		box_fails(finish(&err), ERROR_IN_DOUBT, words[i]);
		box_ok(step_can_finish(host(), &step, &can, &err));
		cr_expect(not(can), "row %d", i);
		expect_look(theirs, "no file", (unsigned)i);
		(void)remove(box_path(PATH));
	}
}

Test(plan_mode, leaves_a_mode_that_somebody_else_set)
{
	struct error err = ERROR_INIT;
	bool can = true;

	cr_assert(eq(int, chmod(box_path(PATH), 0700), 0));
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED,
		  PATH " has the mode 0700");
	box_fails(apply(&err), ERROR_REFUSED, PATH " has the mode 0700");
	box_fails(revert(&err), ERROR_IN_DOUBT, PATH " has the mode 0700");
	cr_expect(strstr(err.hint, "0750") != NULL, "%s", err.hint);
	box_fails(finish(&err), ERROR_IN_DOUBT, PATH " has the mode 0700");
	box_ok(step_can_finish(host(), &step, &can, &err));
	cr_expect(not(can));
	cr_expect(eq(uint, box_mode(PATH), 0700));
	/* done already, by somebody else */
	cr_assert(eq(int, chmod(box_path(PATH), 0644), 0));
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED,
		  "was changed by somebody else");
	cr_assert(eq(int, unlink(box_path(PATH)), 0));
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED, PATH);
	box_fails(revert(&err), ERROR_IN_DOUBT, PATH);
}

Test(plan_mode, names_a_file_that_is_immutable)
{
	int fd = open(box_path(PATH), O_RDONLY), flags = FS_IMMUTABLE_FL;
	struct error err = ERROR_INIT;

	if (ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0) {
		(void)close(fd);
		cr_skip_test("no immutable flag on this filesystem");
	}
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED, PATH " is immutable");
	box_fails(apply(&err), ERROR_FAILED, PATH ": Operation not permitted");
	err = (struct error)ERROR_INIT;
	box_ok(revert(&err));
	flags = 0;
	cr_expect(eq(int, ioctl(fd, FS_IOC_SETFLAGS, &flags), 0));
	(void)close(fd);
	expect_look(before, "immutable", 0);
}

static void set_theirs(void *ctx)
{
	(void)chmod(box_path(PATH), 0600);
}

/* A filesystem that takes the call and does nothing. */
Test(plan_mode, reads_back_what_it_set)
{
	struct error err = ERROR_INIT;

	fault_arm(&box()->fault, FAULT_NONE, 1, 0);
	box()->fault.only = FAULT_FSYNC;
	box()->fault.meanwhile = set_theirs;
	box_fails(apply(&err), ERROR_FAILED, PATH " has the mode 0600, not 0644");
	(void)fault_disarm(&box()->fault);
}

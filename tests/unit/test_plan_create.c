/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * CREATE: a file of ours where there was none.
 */
#include "fault_host.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plan/step.h"

#define DIR "/run/rootlatch"
#define NAME "opening.conf"
#define TEMP_NAME ".rootlatch-0badcafe-opening.conf~"
#define PATH DIR "/" NAME
#define TEMP DIR "/" TEMP_NAME
#define NEW "Match Address 192.0.2.10\nPermitRootLogin yes\n"

static struct step step;

static const struct host *host(void)
{
	return &box()->host;
}

/* A host that was just booted. */
static void set_scene(void)
{
	step_release(&step);
	(void)unlink(box_path(PATH));
	(void)unlink(box_path(TEMP));
	(void)rmdir(box_path(DIR));
	(void)rmdir(box_path("/run"));
	box_str(box_names(""), "");
	step = (struct step){
		.kind = STEP_CREATE,
		.path = strdup(PATH),
		.temp = strdup(TEMP),
		.after = digest_of(NEW, strlen(NEW)),
		.after_bytes = slice_of(NEW, strlen(NEW)),
		.after_mtime_ns = -1,
		.meta = { .mode = 0644 },
	};
}

static void enter(void)
{
	box_enter();
	set_scene();
}

static void leave(void)
{
	step_release(&step);
	box_leave();
}

TestSuite(plan_create, .init = enter, .fini = leave, .timeout = 60);

static int create(struct error *err)
{
	return step_prepare(host(), &step, err) < 0 ? -1 : step_apply(host(), &step, err);
}

static void set_created_scene(void)
{
	struct error err = ERROR_INIT;

	set_scene();
	box_ok(create(&err));
	box_str(box_text(PATH), NEW);
}

/* Nothing, or our file whole; said of `what`. */
static bool is_there(const char *what, unsigned n)
{
	if (access(box_path(PATH), F_OK) < 0)
		return false;
	box_str(box_text(PATH), NEW, "%s, call %u, %s", what, n, box()->fault.last);
	cr_expect(eq(uint, box_mode(PATH), 0644), "%s, call %u, %s", what, n, box()->fault.last);
	return true;
}

Test(plan_create, makes_it_and_takes_it_away_again)
{
	struct error err = ERROR_INIT;

	(void)umask(077);
	box_ok(step_check(host(), &step, &err));
	box_ok(step_prepare(host(), &step, &err));
	box_str(box_names(DIR), " " TEMP_NAME);
	cr_expect(eq(uint, box_mode("/run"), 0755));
	cr_expect(eq(uint, box_mode(DIR), 0700));
	box_ok(step_check(host(), &step, &err));
	box_ok(step_apply(host(), &step, &err));
	box_str(box_names(DIR), " " NAME);
	cr_expect(is_there("applied", 0));
	box_ok(step_revert(host(), &step, &err));
	box_str(box_names(DIR), "");
	box_ok(step_revert(host(), &step, &err));
}

Test(plan_create, leaves_a_folder_as_it_is)
{
	struct error err = ERROR_INIT;

	box_mkdir("/run", 0755);
	box_mkdir(DIR, 0750);
	box_ok(create(&err));
	cr_expect(eq(uint, box_mode(DIR), 0750));
}

Test(plan_create, is_whole_or_not_there_whatever_call_fails)
{
	static const enum fault_kind kinds[] = { FAULT_ERROR, FAULT_ERROR_ON, FAULT_DONE };
	static const int errors[] = { EIO, ENOSPC };

	for (size_t k = 0; k < ARRAY_SIZE(kinds) * ARRAY_SIZE(errors); k++) {
		for (unsigned n = 1;; n++) {
			struct error err = ERROR_INIT;
			int r;

			set_scene();
			fault_arm(&box()->fault, kinds[k / 2], n, errors[k % 2]);
			r = create(&err);
			if (!fault_disarm(&box()->fault)) {
				cr_expect(eq(int, r, 0), "%s", err.message);
				cr_expect(is_there("done", n));
				cr_expect(gt(uint, n, 20u));
				break;
			}
			if (!is_there("create", n))
				cr_expect(eq(int, r, -1), "call %u, %s", n, box()->fault.last);
			cr_expect(ne(int, err.code, ERROR_IN_DOUBT), "call %u, %s: %s", n,
				  box()->fault.last, err.message);
			err = (struct error)ERROR_INIT;
			box_ok(step_revert(host(), &step, &err));
			cr_expect(not(is_there("reverted", n)), "call %u, %s", n, box()->fault.last);
		}
	}
}

Test(plan_create, is_gone_in_the_end_whatever_call_fails)
{
	static const enum fault_kind kinds[] = { FAULT_ERROR, FAULT_ERROR_ON, FAULT_DONE };

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		for (unsigned n = 1;; n++) {
			struct error err = ERROR_INIT;
			bool there;
			int r;

			set_created_scene();
			fault_arm(&box()->fault, kinds[k], n, EIO);
			r = step_revert(host(), &step, &err);
			if (!fault_disarm(&box()->fault)) {
				cr_expect(eq(int, r, 0));
				cr_expect(gt(uint, n, 5u));
				break;
			}
			there = is_there("revert", n);
			cr_expect(r < 0 || !there, "call %u, %s", n, box()->fault.last);
			err = (struct error)ERROR_INIT;
			box_ok(step_revert(host(), &step, &err));
			cr_expect(not(is_there("again", n)), "call %u, %s", n, box()->fault.last);
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

static int revert(struct error *err)
{
	return step_revert(host(), &step, err);
}

static int finish(struct error *err)
{
	return step_finish(host(), &step, err);
}

Test(plan_create, is_whole_or_not_there_wherever_the_process_dies)
{
	int status = FAULT_DEATH;
	unsigned n_finished = 0;

	for (unsigned n = 1; status == FAULT_DEATH; n++) {
		struct death d = { .act = create, .at = n };
		struct error err = ERROR_INIT;
		bool can = false, there;

		set_scene();
		status = box_fork(die, &d);
		cr_assert(status == 0 || status == FAULT_DEATH, "call %u: %d", n, status);
		there = is_there("death", n);
		cr_expect(there || status == FAULT_DEATH);
		/* forwards, where all that it takes is there */
		box_ok(step_can_finish(host(), &step, &can, &err));
		if (can) {
			box_ok(finish(&err));
			cr_expect(is_there("finished", n), "call %u", n);
			box_ok(finish(&err));
		}
		n_finished += can;
		cr_expect(can || !there, "call %u: it is there, and can't be finished", n);
		/* and backwards */
		box_ok(revert(&err));
		cr_expect(not(is_there("reverted", n)), "call %u", n);
	}
	cr_expect(gt(uint, n_finished, 3u));
}

Test(plan_create, is_reverted_and_finished_wherever_the_process_dies)
{
	static int (*const acts[])(struct error *) = { revert, finish };

	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		int status = FAULT_DEATH;
		unsigned n = 1;

		for (; status == FAULT_DEATH; n++) {
			struct death d = { .act = acts[i], .at = n };
			struct error err = ERROR_INIT;

			set_scene();
			box_ok(step_prepare(host(), &step, &err));
			if (acts[i] == revert)
				box_ok(step_apply(host(), &step, &err));
			status = box_fork(die, &d);
			(void)is_there("death", n);
			box_ok(acts[i](&err));
			cr_expect(eq(int, is_there("again", n), acts[i] == finish), "call %u", n);
		}
		cr_expect(gt(uint, n, 5u));
	}
}

/* A rename that nobody synced may not outlive a power loss, however right the names look. */
Test(plan_create, is_durable_only_after_a_folder_was_synced)
{
	static int (*const acts[])(struct error *) = { revert, finish };

	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		struct error err = ERROR_INIT;

		set_created_scene();
		if (acts[i] == revert)
			cr_assert(eq(int, unlink(box_path(PATH)), 0));
		fault_arm(&box()->fault, FAULT_ERROR, 1, EIO);
		box()->fault.only = FAULT_FSYNC;
		cr_expect(eq(int, acts[i](&err), -1), "row %zu", i);
		cr_expect(fault_disarm(&box()->fault));
		box_ok(acts[i](&err));
	}
}

/* Who prepared it may have died before it synced. */
Test(plan_create, is_finished_with_durable_bytes)
{
	struct error err = ERROR_INIT;

	box_ok(step_prepare(host(), &step, &err));
	fault_arm(&box()->fault, FAULT_ERROR, 1, EIO);
	box()->fault.only = FAULT_FSYNC;
	cr_expect(eq(int, finish(&err), -1));
	cr_expect(fault_disarm(&box()->fault));
	cr_expect(not(is_there("finish", 1)), "it was installed before it was durable");
	box_ok(finish(&err));
	cr_expect(is_there("finish", 2));
}

Test(plan_create, is_the_same_when_every_call_is_interrupted_or_short)
{
	static const enum fault_kind kinds[] = { FAULT_INTERRUPT, FAULT_ONE_BYTE };

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct error err = ERROR_INIT;

		set_scene();
		fault_arm(&box()->fault, kinds[k], 0, 0);
		box_ok(create(&err));
		cr_expect(is_there("created", 0));
		box_ok(revert(&err));
		(void)fault_disarm(&box()->fault);
		box_str(box_names(DIR), "");
	}
}

/* ---- somebody else */

Test(plan_create, refuses_where_something_is)
{
	struct error err = ERROR_INIT;

	box_mkdir("/run", 0755);
	box_mkdir(DIR, 0700);
	cr_assert(eq(int, symlink("nowhere", box_path(PATH)), 0));
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED, "was made by somebody else");
	cr_expect(strstr(err.hint, "Nothing was changed") != NULL, "%s", err.hint);
	cr_assert(eq(int, unlink(box_path(PATH)), 0));
	box_write(PATH, NEW);
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED, "was made by somebody else");
	/* what can't be looked for may be there */
	fault_arm(&box()->fault, FAULT_ERROR_ON, 1, EIO);
	box_fails(step_check(host(), &step, &err), ERROR_REFUSED, "Input/output error");
	(void)fault_disarm(&box()->fault);
}

static void make_theirs(void *ctx)
{
	box_write(PATH, ctx);
}

Test(plan_create, does_not_replace_what_somebody_made_in_the_last_instant)
{
	struct error err = ERROR_INIT;

	box_ok(step_prepare(host(), &step, &err));
	fault_arm(&box()->fault, FAULT_NONE, 1, 0);
	box()->fault.only = FAULT_RENAME;
	box()->fault.meanwhile = make_theirs;
	box()->fault.meanwhile_ctx = (void *)"theirs\n";
	box_fails(step_apply(host(), &step, &err), ERROR_REFUSED,
		  PATH " was made by somebody else in this very moment");
	(void)fault_disarm(&box()->fault);
	box_str(box_text(PATH), "theirs\n");
	/* it was never ours: it stays */
	box_ok(revert(&err));
	box_str(box_text(PATH), "theirs\n");
	box_str(box_text(TEMP), NEW);
}

Test(plan_create, does_not_take_away_what_somebody_edited)
{
	struct error err = ERROR_INIT;
	bool can = true;

	set_created_scene();
	box_write(PATH, "theirs\n");
	box_fails(revert(&err), ERROR_IN_DOUBT, "was changed meanwhile");
	cr_expect(strstr(err.hint, "rootlatch recover") != NULL, "%s", err.hint);
	box_ok(step_can_finish(host(), &step, &can, &err));
	cr_expect(not(can));
	box_fails(finish(&err), ERROR_IN_DOUBT, "was changed meanwhile");
	box_str(box_text(PATH), "theirs\n");
	/* what the hint says works */
	cr_assert(eq(int, unlink(box_path(PATH)), 0));
	box_ok(revert(&err));
}

Test(plan_create, is_reverted_already_after_a_reboot)
{
	struct error err = ERROR_INIT;
	bool can = true;

	box_ok(revert(&err));
	box_ok(step_can_finish(host(), &step, &can, &err));
	cr_expect(not(can));
	box_str(box_names(""), "");
	box_write("/run", "a file where the folder was");
	box_ok(revert(&err));
	cr_assert(eq(int, unlink(box_path("/run")), 0));
}

/* ---- preparing */

Test(plan_create, does_not_take_somebody_s_file_for_its_own)
{
	struct error err = ERROR_INIT;

	box_mkdir("/run", 0755);
	box_mkdir(DIR, 0700);
	box_write(TEMP, "theirs\n");
	box_fails(step_prepare(host(), &step, &err), ERROR_FAILED, "File exists");
	box_str(box_text(TEMP), "theirs\n");
}

Test(plan_create, is_not_prepared_where_others_can_write)
{
	struct error err = ERROR_INIT;

	box_mkdir("/run", 0755);
	box_mkdir(DIR, 0777);
	box_fails(step_prepare(host(), &step, &err), ERROR_REFUSED, "others than root can write");
	box_str(box_names(DIR), "");
}

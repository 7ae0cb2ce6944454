/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * START and RUN, with real processes. They are of this machine and not of the box, so that the host
 * is this machine too; what they touch lies in the box.
 */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/clock.h"
#include "plan/step.h"

static struct host live = HOST_INIT;
static struct step step;

static void enter(void)
{
	struct error err = ERROR_INIT;

	box_enter();
	box_ok(host_init(&live, "/", &fault_ops, &box()->fault, &err));
}

static void leave(void)
{
	step_release(&step);
	host_release(&live);
	box_leave();
}

TestSuite(plan_command, .init = enter, .fini = leave, .timeout = 120);

/* A shell that runs `script` in the box's folder. */
static void set_command(struct strings *argv, const char *script)
{
	struct error err = ERROR_INIT;

	strings_release(argv);
	box_ok(strings_add(argv, "/bin/sh", &err));
	box_ok(strings_add(argv, "-c", &err));
	box_ok(strings_addf(argv, &err, "cd %s || exit 9; %s", box_path(""), script));
}

static int apply(struct error *err)
{
	return step_apply(&live, &step, err);
}

static int revert(struct error *err)
{
	return step_revert(&live, &step, err);
}

static int finish(struct error *err)
{
	return step_finish(&live, &step, err);
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

/* ---- START */

/* It locks the file before that has its name, and ends with it; in any case after a minute or two,
 * so that a test which fails leaves nothing behind. */
#define WATCHER \
	": >alive; exec 9>watch/new; flock -n 9 || exit; mv watch/new watch/held; " \
	"i=0; while [ -e watch/held ] && [ $((i += 1)) -lt 6000 ]; do sleep 0.01; done; rm alive"

static void set_start(void)
{
	step_release(&step);
	step = (struct step){ .kind = STEP_START, .path = strdup(box_path("/watch/held")) };
	set_command(&step.argv, WATCHER);
	(void)unlink(box_path("/watch/held"));
}

static void wait_for(const char *path, bool there)
{
	for (int i = 0; i < 6000 && (access(box_path(path), F_OK) == 0) != there; i++)
		clock_sleep_ms(10);
	cr_assert(eq(int, access(box_path(path), F_OK) == 0, there), "%s", path);
}

static void expect_ended(void)
{
	wait_for("/alive", false);
	box_str(box_names("/watch"), "");
}

Test(plan_command, starts_a_process_that_ends_with_its_file)
{
	struct error err = ERROR_INIT;
	bool can = false;

	set_start();
	box_ok(step_check(&live, &step, &err));
	box_ok(step_prepare(&live, &step, &err));
	cr_expect(eq(uint, box_mode("/watch"), 0700));
	box_ok(apply(&err));
	box_str(box_names("/watch"), " held");
	cr_expect(host_file_is_locked(&live, step.path));
	box_fails(step_check(&live, &step, &err), ERROR_REFUSED, "was made by somebody else");
	box_ok(step_can_finish(&live, &step, &can, &err));
	cr_expect(can);
	box_ok(finish(&err));
	box_str(box_names("/watch"), " held");
	box_ok(revert(&err));
	expect_ended();
	box_ok(revert(&err));
}

Test(plan_command, is_not_started_over_the_file_of_another)
{
	struct error err = ERROR_INIT;
	int fd;

	set_start();
	box_mkdir("/watch", 0700);
	box_write("/watch/held", "");
	fd = open(step.path, O_RDONLY | O_CLOEXEC);
	cr_assert(eq(int, flock(fd, LOCK_EX), 0));
	box_fails(apply(&err), ERROR_REFUSED, "was made by somebody else");
	(void)close(fd);
	box_str(box_names(""), " watch");
}

/* After a reboot there is neither the process nor the folder. */
Test(plan_command, is_reverted_already_when_all_is_gone)
{
	struct error err = ERROR_INIT;

	set_start();
	box_ok(revert(&err));
	box_ok(finish(&err));
	box_str(box_names(""), "");
}

/* How many calls are made before it is started. */
static unsigned count_calls_before(void)
{
	struct error err = ERROR_INIT;

	fault_arm(&box()->fault, FAULT_NONE, 0, 0);
	box_ok(step_check(&live, &step, &err));
	return box()->fault.calls;
}

Test(plan_command, ends_a_start_that_failed_or_died_anywhere)
{
	static const enum fault_kind kinds[] = { FAULT_ERROR, FAULT_DONE, FAULT_DIE };

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		unsigned before = 1;

		/* behind them it looks for the lock, again and again */
		for (unsigned n = 1; n <= before + 4; n++) {
			struct death d = { .act = apply, .at = n };
			struct error err = ERROR_INIT;
			int r;

			set_start();
			box_ok(step_prepare(&live, &step, &err));
			before = count_calls_before();
			if (kinds[k] == FAULT_DIE) {
				r = box_fork(die, &d) == 0 ? 0 : -1;
			} else {
				fault_arm(&box()->fault, kinds[k], n, EIO);
				r = apply(&err);
				(void)fault_disarm(&box()->fault);
				cr_expect(eq(int, r, n <= before ? -1 : 0), "call %u", n);
			}
			if (n > before)
				wait_for("/watch/held", true);
			if (r == 0)
				cr_expect(host_file_is_locked(&live, step.path), "call %u", n);
			box_ok(revert(&err));
			expect_ended();
		}
	}
}

Test(plan_command, says_so_when_a_process_does_not_come_up)
{
	struct error err = ERROR_INIT;

	set_start();
	box_ok(step_prepare(&live, &step, &err));
	set_command(&step.argv, ": >watch/held");
	box_fails(apply(&err), ERROR_FAILED, "did not come up");
	cr_expect(strstr(err.message, step.path) != NULL, "%s", err.message);
	box_ok(revert(&err));
	box_str(box_names("/watch"), "");
	step.argv.items[0][0] = 'x';
	box_fails(apply(&err), ERROR_FAILED, "No such file");
}

/* ---- RUN */

static void set_run(const char *argv, const char *undo, const char *verify)
{
	step_release(&step);
	step = (struct step){ .kind = STEP_RUN };
	set_command(&step.argv, argv);
	if (undo != NULL)
		set_command(&step.undo, undo);
	if (verify != NULL)
		set_command(&step.verify, verify);
	(void)unlink(box_path("/on"));
}

#define ON "echo >>runs; : >on"
#define OFF "echo >>undone; rm on"
#define IS_ON "[ -e on ]"

Test(plan_command, runs_and_undoes_and_reads_back_what_it_did)
{
	struct error err = ERROR_INIT;
	bool can = false;

	set_run(ON, OFF, IS_ON);
	box_ok(step_check(&live, &step, &err));
	box_ok(step_prepare(&live, &step, &err));
	box_str(box_names(""), "");
	/* nothing was done: there is nothing to undo */
	box_ok(revert(&err));
	box_str(box_names(""), "");
	box_ok(apply(&err));
	box_str(box_names(""), " on runs");
	box_ok(step_can_finish(&live, &step, &can, &err));
	cr_expect(can);
	box_ok(finish(&err));
	box_str(box_text("/runs"), "\n");
	box_ok(revert(&err));
	box_str(box_names(""), " runs undone");
	box_ok(revert(&err));
	box_str(box_text("/undone"), "\n");
	box_ok(finish(&err));
	box_str(box_names(""), " on runs undone");
	box_str(box_text("/runs"), "\n\n");
}

/* A command that takes something away, so that verify fails then. */
Test(plan_command, runs_what_makes_its_verify_fail)
{
	struct error err = ERROR_INIT;

	set_run("rm on", ": >on", IS_ON);
	step.verify_fails = true;
	box_write("/on", "");
	box_ok(revert(&err));
	box_ok(apply(&err));
	box_str(box_names(""), "");
	box_ok(finish(&err));
	box_ok(revert(&err));
	box_str(box_names(""), " on");
	box_ok(finish(&err));
	box_str(box_names(""), "");
}

Test(plan_command, does_not_believe_an_exit_status)
{
	struct error err = ERROR_INIT;

	/* 0, and nothing done */
	set_run("echo; echo first; echo second", OFF, IS_ON);
	box_fails(apply(&err), ERROR_FAILED, "had no effect (status 0): first");
	box_str(strrchr(err.message, ':'), ": first");
	cr_expect(strstr(err.message, "/bin/sh -c") != NULL, "%s", err.message);
	/* complaints are worth more than output; both are anybody's text */
	set_run("echo out; printf 'not \\033[31mred\\nmore\\n' >&2; exit 5", OFF, IS_ON);
	box_fails(apply(&err), ERROR_FAILED, "had no effect (status 5): not \\x1b[31mred");
	set_run("exit 0", OFF, IS_ON);
	box_fails(finish(&err), ERROR_FAILED, "it said nothing");
	/* not 0, and done all the same */
	set_run(ON "; exit 5", OFF, IS_ON);
	box_ok(apply(&err));
	/* an undo likewise */
	set_command(&step.undo, "echo no >&2");
	box_fails(revert(&err), ERROR_IN_DOUBT, "did not undo it (status 0): no");
	cr_expect(strstr(err.hint, "rootlatch recover") != NULL, "%s", err.hint);
	set_command(&step.undo, OFF "; exit 5");
	box_ok(revert(&err));
}

Test(plan_command, goes_by_the_status_when_there_is_nothing_else)
{
	struct error err = ERROR_INIT;

	set_run(ON, OFF, NULL);
	box_ok(apply(&err));
	box_ok(revert(&err));
	box_str(box_names(""), " runs undone");
	box_fails(revert(&err), ERROR_IN_DOUBT, "did not undo it (status 1): rm: ");
	set_run("echo why >&2; exit 7", NULL, NULL);
	box_fails(apply(&err), ERROR_FAILED, "had no effect (status 7): why");
	box_fails(finish(&err), ERROR_FAILED, "had no effect (status 7): why");
	box_ok(revert(&err));
}

Test(plan_command, is_in_doubt_when_nothing_undoes_what_is_in_effect)
{
	struct error err = ERROR_INIT;

	set_run(ON, NULL, IS_ON);
	box_ok(revert(&err));
	box_ok(apply(&err));
	box_fails(revert(&err), ERROR_IN_DOUBT, "is in effect, and nothing undoes it");
	box_str(box_names(""), " on runs");
}

Test(plan_command, says_what_an_undo_remarks)
{
	struct error err = ERROR_INIT;

	step.kind = STEP_RUN;
	set_command(&step.argv, ":");
	set_command(&step.undo, "rm -f made; echo 'but \033[1mso'; exit 10");
	box_ok(apply(&err));
	box_fails(revert(&err), ERROR_DIFFERENT, "but \\x1b[1mso");
	/* one that is read back has no say in it */
	set_command(&step.verify, "test -e made");
	set_command(&step.undo, "exit 10");
	box_write("/made", "");
	box_fails(revert(&err), ERROR_IN_DOUBT, "did not undo it (status 10)");
}

/* A command of ours is not what people know: it says itself what happened, and what to do. */
static void set_own(struct strings *argv, const char *verb)
{
	struct error err = ERROR_INIT;

	strings_release(argv);
	box_ok(strings_add(argv, box_path("/own"), &err));
	box_ok(strings_add(argv, "service-run", &err));
	box_ok(strings_add(argv, verb, &err));
	box_ok(strings_add(argv, "food", &err));
}

Test(plan_command, repeats_what_a_command_of_ours_says)
{
	struct error err = ERROR_INIT;
	char said[800], script[1000];

	(void)memset(said, 'x', sizeof(said) - 1);
	said[sizeof(said) - 1] = '\0';
	(void)snprintf(script, sizeof(script), "#!/bin/sh\ncat >&2 <<'END'\nfood did not %s: \033[1m%s\n"
		       "  It was told to.\n  Twice.\nEND\nexit 1\n", "$3", "because of its cause");
	step.kind = STEP_RUN;
	box_write("/own", script);
	cr_assert(eq(int, chmod(box_path("/own"), 0755), 0));
	set_own(&step.argv, "stop");
	set_own(&step.undo, "start");
	cr_assert(eq(int, apply(&err), -1));
	box_str(err.message, "food did not $3: \\x1b[1mbecause of its cause");
	box_str(err.hint, "It was told to.\nTwice.");
	err = (struct error)ERROR_INIT;
	cr_assert(eq(int, revert(&err), -1));
	cr_expect(eq(int, err.code, ERROR_IN_DOUBT));
	box_str(err.message, "food did not $3: \\x1b[1mbecause of its cause");
	box_str(err.hint, "It was told to.\nTwice.\n`rootlatch recover` tries again. If that fails, too, "
		"start food by hand first.");
	(void)snprintf(script, sizeof(script), "#!/bin/sh\necho %s >&2; exit 1\n", said);
	box_write("/own", script);
	box_fails(apply(&err), ERROR_FAILED, said);
	box_write("/own", "#!/bin/sh\nexit 3\n");
	box_fails(apply(&err), ERROR_FAILED, "food: the stop had no effect, and it said nothing (status 3)");
}

Test(plan_command, takes_no_answer_for_none)
{
	struct error err = ERROR_INIT;

	set_run(ON, OFF, "echo why >&2; kill -9 $$");
	box_fails(apply(&err), ERROR_FAILED, "gave no answer (status 137): why");
	box_fails(revert(&err), ERROR_FAILED, "gave no answer");
	box_fails(finish(&err), ERROR_FAILED, "gave no answer");
	step.verify_fails = true;
	box_fails(apply(&err), ERROR_FAILED, "gave no answer");
	set_run(ON, OFF, IS_ON);
	step.verify.items[0][0] = 'x';
	box_fails(apply(&err), ERROR_FAILED, "No such file");
	box_fails(revert(&err), ERROR_FAILED, "No such file");
}

/* Of an image it is the image's own command that runs. */
Test(plan_command, never_runs_on_this_machine_what_is_meant_for_an_image)
{
	struct error err = ERROR_INIT;

	set_run(ON, OFF, IS_ON);
	box_fails(step_apply(&box()->host, &step, &err), ERROR_FAILED, "No such file");
	box_str(box_names(""), "");
}

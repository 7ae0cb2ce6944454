/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The protocol with every kind of step: an opening makes a file in /run, edits one in /etc, and may
 * start a process and run a command; its close takes all that back.
 */
#include "fault_host.h"

#include <errno.h>
#include <ftw.h>
#include <rootlatch.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/clock.h"
#include "store/journal.h"
#include "test_recover.h"

#define OPEN_ID "0badcafe"
#define CLOSE_ID "0badf00d"
#define OLD "old\n"
#define NEW "new\n"
#define EDITED "/etc/a"
#define EDITED_TEMP "/etc/.a~"
#define MADE "/run/rootlatch/made"
#define MADE_TEMP "/run/rootlatch/.made~"
#define WATCH "/run/watch/held"
#define WATCH_TEMP "/run/watch/.held~"

static struct host live = HOST_INIT; /* this machine, for what runs */
static const struct host *host;
static struct store store = STORE_INIT;
static char *old_look;

/* A path of the box as the host has it. */
static const char *at(const char *path)
{
	return host == &live ? box_path(path) : path;
}

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

static void set_scene(void)
{
	remove_all("/etc");
	remove_all("/run");
	remove_all("/lib");
	box_mkdir("/etc", 0755);
	box_mkdir("/run", 0755);
	box_write(EDITED, OLD);
	cr_assert(eq(int, chmod(box_path(EDITED), 0640), 0));
	free(old_look);
	old_look = box_look(EDITED);
}

static void set_host(const struct host *h)
{
	struct error err = ERROR_INIT;

	host = h;
	store_release(&store);
	box_ok(store_init(&store, host, at("/lib"), &err));
	set_scene();
}

static void enter(void)
{
	box_enter();
	set_host(&box()->host);
}

static void leave(void)
{
	free(old_look);
	store_release(&store);
	host_release(&live);
	box_leave();
}

TestSuite(transaction_kinds, .init = enter, .fini = leave, .timeout = 300);

/* ---- plans */

struct job {
	struct state state;
	struct toggle_plan *plan;
	struct toggle_context context;
	struct host_file files[3];
};

static void job_release(struct job *j)
{
	toggle_plan_free(&j->plan);
	for (size_t i = 0; i < ARRAY_SIZE(j->files); i++)
		host_file_release(&j->files[i]);
	state_release(&j->state);
}

#define _cleanup_job_ _cleanup_(job_release)

static void begin_job(struct job *j, const char *command, const char *id, const char *undoes)
{
	struct error err = ERROR_INIT;

	*j = (struct job){ .state = STATE_INIT };
	box_ok(state_read(&store, &j->state, &err));
	box_ok(toggle_plan_new("toy", command, &j->plan, &err));
	j->plan->kind = &toy;
	free(j->plan->config);
	j->plan->config = strdup(box_path("/etc/ssh/sshd_config")); /* that no sshd reads */
	j->context = (struct toggle_context){ .host = host, .state = &j->state, .store = &store,
					      .config = j->plan->config };
	memcpy(j->plan->plan.id, id, PLAN_ID_LEN + 1);
	box_ok(state_copy(&j->state, &j->plan->after, &err));
	j->plan->after.generation++;
	j->plan->changes = true;
	j->plan->snapshot = (struct snapshot_info){ .command = j->plan->command, .toggle = "toy",
						    .by = "root", .config = j->plan->config,
						    .sshd = "/usr/sbin/sshd" };
	box_ok(state_add_event(&j->plan->after, id, command, "toy", undoes, 1, &err));
}

/* From the file as it is; for REPLACE to `after`. */
static void add_changing(struct job *j, enum step_kind kind, const char *path, const char *temp,
			 const char *after, bool closing, size_t n)
{
	struct host_file *f = &j->files[n];
	struct error err = ERROR_INIT;
	struct step s;

	box_ok(host_file_read(host, at(path), HOST_READ_TARGET, f, &err));
	s = (struct step){
		.kind = kind,
		.path = strdup(at(path)),
		.temp = strdup(at(temp)),
		.ready = closing,
		.before = f->digest,
		.before_bytes = slice_of(f->bytes.data, f->bytes.len),
		.after_mtime_ns = -1,
		.meta = f->meta,
		.dev = f->dev,
		.ino = f->ino,
		.ctime_ns = f->ctime_ns,
	};
	if (after != NULL) {
		s.after = digest_of(after, strlen(after));
		s.after_bytes = slice_of(after, strlen(after));
	}
	if (closing)
		box_ok(strings_add(&j->plan->plan.on_commit, s.temp, &err));
	if (!closing || kind == STEP_UNLINK)
		box_ok(strings_add(&j->plan->plan.on_abort, s.temp, &err));
	box_ok(plan_add(&j->plan->plan, &s, &err));
}

static void add_made(struct job *j)
{
	struct step s = { .kind = STEP_CREATE,
			  .path = strdup(at(MADE)),
			  .temp = strdup(at(MADE_TEMP)),
			  .after = digest_of(NEW, strlen(NEW)),
			  .after_bytes = slice_of(NEW, strlen(NEW)),
			  .after_mtime_ns = -1,
			  .meta = { .mode = 0644 } };
	struct error err = ERROR_INIT;

	box_ok(strings_add(&j->plan->plan.on_abort, s.temp, &err));
	box_ok(plan_add(&j->plan->plan, &s, &err));
}

static void add_command(struct strings *argv, const char *script)
{
	struct error err = ERROR_INIT;

	box_ok(strings_add(argv, "/bin/sh", &err));
	box_ok(strings_add(argv, "-c", &err));
	box_ok(strings_addf(argv, &err, "cd %s || exit 9; %s", box_path(""), script));
}

/* What has to be in force before anything is opened. */
static void prepend_processes(struct job *j)
{
	struct step start = { .kind = STEP_START, .path = strdup(at(WATCH)) };
	struct step run = { .kind = STEP_RUN };
	struct error err = ERROR_INIT;

	add_command(&start.argv, ": >alive; exec 9>run/watch/new; flock -n 9 || exit; mv run/watch/new "
				 "run/watch/held; i=0; while [ -e run/watch/held ] && "
				 "[ $((i += 1)) -lt 6000 ]; do sleep 0.01; done; rm alive");
	add_command(&run.argv, "mkdir armed");
	add_command(&run.undo, "rmdir armed");
	add_command(&run.verify, "[ -d armed ]");
	box_ok(plan_prepend(&j->plan->plan, &start, &err));
	box_ok(plan_prepend(&j->plan->plan, &run, &err));
}

static void plan_open(struct job *j)
{
	struct state_toggle t = { .name = strdup("toy"), .id = OPEN_ID, .by = strdup("root"),
				  .placement = strdup("runtime"), .allow = strdup("yes"),
				  .was = strdup("no"), .is = strdup("yes"),
				  .config = strdup("/etc/ssh/sshd_config"), .boot = strdup("") };
	struct error err = ERROR_INIT;

	begin_job(j, "open", OPEN_ID, NULL);
	add_made(j);
	add_changing(j, STEP_REPLACE, EDITED, EDITED_TEMP, NEW, false, 0);
	box_ok(state_add_toggle(&j->plan->after, &t, &err));
}

static void plan_close(struct job *j)
{
	begin_job(j, "close", CLOSE_ID, OPEN_ID);
	j->plan->closing = true;
	add_changing(j, STEP_UNLINK, MADE, MADE_TEMP, NULL, true, 0);
	add_changing(j, STEP_REPLACE, EDITED, EDITED_TEMP, OLD, true, 1);
	state_remove_toggle(&j->plan->after, "toy");
}

static void note_event(void *ctx, const char *text)
{
	struct error err = ERROR_INIT;

	box_ok(strings_add(ctx, text, &err));
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

static void open_it(void)
{
	_cleanup_job_ struct job j = { .plan = NULL };
	struct error err = ERROR_INIT;

	plan_open(&j);
	box_ok(commit(&j, &err));
}

/* ---- what must be so */

static bool is_recorded(void)
{
	_cleanup_state_ struct state s = STATE_INIT;
	struct error err = ERROR_INIT;

	box_ok(state_read(&store, &s, &err));
	return state_find_toggle(&s, "toy") != NULL;
}

/* The host is what the state says, and nothing else is there; true when that is open. */
static bool expect_settled(const char *what, bool rebooted)
{
	bool recorded = is_recorded();
	const char *names = box_names("/run/rootlatch");

	cr_expect(not(journal_exists(&store)), "%s: the journal is there", what);
	if (recorded) {
		box_str(names, rebooted ? "(none)" : " made", "%s", what);
		box_str(box_text(EDITED), NEW, "%s", what);
		box_str(box_names("/etc"), " .a~ a", "%s", what);
	} else {
		_cleanup_free_ char *look = box_look(EDITED);

		cr_expect(strcmp(names, "") == 0 || strcmp(names, "(none)") == 0, "%s: %s", what,
			  names);
		box_str(look, old_look, "%s", what);
		box_str(box_names("/etc"), " a", "%s", what);
	}
	return recorded;
}

static bool expect_recovered(const char *what, bool rebooted)
{
	_cleanup_recovery_ struct recovery again = RECOVERY_INIT;
	struct error err = ERROR_INIT;

	cr_assert(eq(int, recover(&err), 0), "%s: %s (%s)", what, err.message, err.hint);
	(void)expect_settled(what, rebooted);
	box_ok(recover_store(&store, &again, &err));
	cr_expect(not(again.found), "%s", what);
	return expect_settled(what, rebooted);
}

static const char *describe(const char *what, enum fault_kind kind, unsigned n)
{
	static char text[128];

	(void)snprintf(text, sizeof(text), "%s, kind %d, call %u, %s", what, (int)kind, n,
		       box()->fault.last);
	return text;
}

Test(transaction_kinds, makes_a_file_and_takes_it_away)
{
	_cleanup_job_ struct job j = { .plan = NULL };
	struct error err = ERROR_INIT;

	open_it();
	cr_expect(expect_settled("opened", false));
	box_str(box_names("/lib/snapshots/" OPEN_ID),
		" 0.before 0.middle 1.before 1.middle manifest.json restore.sh");
	plan_close(&j);
	box_ok(commit(&j, &err));
	cr_expect(not(expect_settled("closed", false)));
	/* all its bytes were there already */
	box_str(box_names("/lib/snapshots"), " " OPEN_ID);
	(void)expect_recovered("closed", false);
}

/* ---- something goes wrong */

static void fail_everywhere(bool closing, enum fault_kind kind)
{
	for (unsigned n = 1;; n++) {
		_cleanup_job_ struct job j = { .plan = NULL };
		struct error err = ERROR_INIT;
		const char *what;
		bool hit, open;
		int r;

		set_scene();
		if (closing)
			open_it();
		(closing ? plan_close : plan_open)(&j);
		fault_arm(&box()->fault, kind, n, EIO);
		/* a rename that says it failed was not done: that much is asked of a filesystem */
		box()->fault.only = kind == FAULT_DONE ? ~(unsigned)FAULT_RENAME : FAULT_ANY;
		r = commit(&j, &err);
		hit = fault_disarm(&box()->fault);
		what = describe(closing ? "close" : "open", kind, n);
		if (kind == FAULT_ERROR && r < 0)
			cr_expect(err.code != ERROR_IN_DOUBT || closing, "%s: %s", what, err.message);
		open = expect_recovered(what, false);
		if (r == 0)
			cr_expect(eq(int, open, !closing), "%s: said done", what);
		else if (err.code != ERROR_IN_DOUBT)
			cr_expect(eq(int, open, closing), "%s: %s", what, err.message);
		if (!hit) {
			cr_expect(eq(int, r, 0), "%s", err.message);
			cr_expect(gt(uint, n, 50u));
			return;
		}
	}
}

Test(transaction_kinds, is_all_or_nothing_whatever_call_fails)
{
	fail_everywhere(false, FAULT_ERROR);
	fail_everywhere(true, FAULT_ERROR);
	fail_everywhere(false, FAULT_DONE);
	fail_everywhere(true, FAULT_DONE);
}

struct death {
	struct job *job; /* NULL: a recovery */
	unsigned at;
	unsigned only;   /* enum fault_op */
};

static void die(void *ctx)
{
	const struct death *d = ctx;

	fault_arm(&box()->fault, FAULT_DIE, d->at, 0);
	box()->fault.only = d->only;
	_exit((d->job != NULL ? commit(d->job, NULL) : recover(NULL)) < 0);
}

/* True when it died. */
static bool die_committing(bool closing, unsigned n)
{
	_cleanup_job_ struct job j = { .plan = NULL };
	struct death d = { .job = &j, .at = n };
	int status;

	set_scene();
	if (closing)
		open_it();
	(closing ? plan_close : plan_open)(&j);
	status = box_fork(die, &d);
	cr_assert(status == 0 || status == FAULT_DEATH, "call %u: status %d", n, status);
	return status == FAULT_DEATH;
}

Test(transaction_kinds, is_all_or_nothing_wherever_the_process_dies)
{
	for (int row = 0; row < 4; row++) {
		bool closing = row & 1, rebooted = row & 2;
		unsigned n = 1;

		for (bool died = true; died; n++) {
			const char *what = rebooted ? "death and reboot" : "death";

			died = die_committing(closing, n);
			if (rebooted)
				remove_all("/run");
			(void)expect_recovered(describe(what, FAULT_DIE, n), rebooted);
		}
		cr_expect(gt(uint, n, 50u));
	}
}

Test(transaction_kinds, is_recovered_in_the_end_wherever_a_recovery_dies)
{
	for (unsigned n = 1; die_committing(n % 2 == 0, n); n += 7) {
		bool died = true;

		for (unsigned m = 1; died; m++) {
			struct death d = { .at = m };

			(void)die_committing(n % 2 == 0, n);
			died = box_fork(die, &d) == FAULT_DEATH;
			(void)expect_recovered(describe("recovery", FAULT_DIE, n * 1000 + m), false);
		}
	}
}

/* ---- somebody else */

static void write_theirs(void *ctx)
{
	if (access(box_path("/run/rootlatch"), F_OK) == 0)
		box_write(MADE, "theirs\n");
}

/* In every instant in which a name changes. */
Test(transaction_kinds, is_put_back_when_somebody_writes_in_the_last_instant)
{
	for (int closing = 0; closing < 2; closing++) {
		unsigned n_refused = 0, n_done = 0;

		for (unsigned n = 1; n_done < 3; n++) {
			_cleanup_job_ struct job j = { .plan = NULL };
			struct error err = ERROR_INIT;
			int r;

			set_scene();
			if (closing)
				open_it();
			(closing ? plan_close : plan_open)(&j);
			fault_arm(&box()->fault, FAULT_NONE, n, 0);
			box()->fault.only = FAULT_RENAME;
			box()->fault.meanwhile = write_theirs;
			r = commit(&j, &err);
			(void)fault_disarm(&box()->fault);
			if (r == 0) {
				n_done++; /* they wrote before there was a folder, or afterwards */
				continue;
			}
			cr_expect(eq(int, err.code, ERROR_REFUSED), "rename %u: %s", n, err.message);
			box_str(box_text(MADE), "theirs\n", "rename %u", n);
			box_str(box_text(EDITED), closing ? NEW : OLD, "rename %u", n);
			box_str(box_names("/run/rootlatch"), " made", "rename %u", n);
			cr_expect(not(journal_exists(&store)), "rename %u", n);
			cr_expect(eq(int, is_recorded(), closing), "rename %u", n);
			n_refused++;
		}
		cr_expect(ge(uint, n_refused, 1u), "closing %d", closing);
	}
}

/* ---- with processes */

static void expect_ended(void)
{
	for (int i = 0; i < 6000 && access(box_path("/alive"), F_OK) == 0; i++)
		clock_sleep_ms(10);
	cr_expect(ne(int, access(box_path("/alive"), F_OK), 0), "it lives on");
}

static void set_live(void)
{
	struct error err = ERROR_INIT;

	if (!box()->is_private)
		cr_skip_test("no mount namespaces here");
	box_ok(host_init(&live, "/", &fault_ops, &box()->fault, &err));
	set_host(&live);
}

Test(transaction_kinds, starts_and_runs_what_comes_first)
{
	static const char *const wanted[] = { "/bin/sh", WATCH, MADE, EDITED };
	_cleanup_strings_ struct strings said = STRINGS_INIT;
	const struct transaction_events events = { .step = note_event, .ctx = &said };
	_cleanup_job_ struct job open = { .plan = NULL }, close = { .plan = NULL };
	struct step disarm = { .kind = STEP_RUN };
	struct error err = ERROR_INIT;
	size_t reloaded;

	set_live();
	plan_open(&open);
	prepend_processes(&open);
	box_ok(transaction_commit(&store, &open.context, open.plan, 0, &events, &reloaded, &err));
	cr_assert(ge(sz, said.len, ARRAY_SIZE(wanted)));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		box_str(said.items[i], i == 0 ? wanted[i] : box_path(wanted[i]));
	cr_expect(expect_settled("opened", false));
	cr_expect(host_file_is_locked(host, at(WATCH)));
	box_str(box_names("/armed"), "");
	/* the numbers of the files are not those of their places */
	box_str(box_names("/lib/snapshots/" OPEN_ID),
		" 0.before 0.middle 1.before 1.middle manifest.json restore.sh");
	plan_close(&close);
	add_changing(&close, STEP_UNLINK, WATCH, WATCH_TEMP, NULL, true, 2);
	add_command(&disarm.argv, "rmdir armed");
	add_command(&disarm.verify, "[ -d armed ]");
	disarm.verify_fails = true;
	box_ok(plan_add(&close.plan->plan, &disarm, &err));
	box_ok(commit(&close, &err));
	cr_expect(not(expect_settled("closed", false)));
	box_str(box_names("/armed"), "(none)");
	box_str(box_names("/lib/snapshots"), " " OPEN_ID);
	expect_ended();
	box_str(box_names("/run/watch"), "");
}

/* At every name that changes it fails, or dies. */
Test(transaction_kinds, undoes_what_was_started_and_run)
{
	static const enum fault_kind kinds[] = { FAULT_ERROR, FAULT_DIE };
	unsigned undone = 0;

	set_live();
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		bool hit = true;

		for (unsigned n = 1; hit; n++) {
			_cleanup_job_ struct job j = { .plan = NULL };
			struct death d = { .job = &j, .at = n, .only = FAULT_RENAME };
			struct error err = ERROR_INIT;
			bool open;

			set_scene();
			plan_open(&j);
			prepend_processes(&j);
			if (kinds[k] == FAULT_DIE) {
				hit = box_fork(die, &d) == FAULT_DEATH;
			} else {
				fault_arm(&box()->fault, kinds[k], n, EIO);
				box()->fault.only = FAULT_RENAME;
				error_ignore(commit(&j, &err));
				hit = fault_disarm(&box()->fault);
			}
			undone += access(box_path("/armed"), F_OK) == 0;
			open = expect_recovered(describe("open", kinds[k], n), false);
			cr_expect(eq(int, access(box_path("/armed"), F_OK) == 0, open), "call %u", n);
			cr_expect(eq(int, host_file_is_locked(host, at(WATCH)), open), "call %u", n);
			(void)unlink(box_path(WATCH));
			(void)rmdir(box_path("/armed"));
			expect_ended();
		}
	}
	cr_expect(gt(uint, undone, 5u));
}

/* What an undo remarks keeps nothing from going back, and is told. */
static void prepend_remark(struct job *j)
{
	struct step run = { .kind = STEP_RUN };
	struct error err = ERROR_INIT;

	add_command(&run.argv, ":");
	add_command(&run.undo, "echo nobody was told; exit 10");
	box_ok(plan_prepend(&j->plan->plan, &run, &err));
}

Test(transaction_kinds, goes_back_and_tells_what_an_undo_remarks)
{
	_cleanup_job_ struct job failing = { .plan = NULL }, dying = { .plan = NULL };
	struct death d = { .job = &dying, .at = 3, .only = FAULT_RENAME };
	_cleanup_recovery_ struct recovery r = RECOVERY_INIT;
	struct error err = ERROR_INIT;

	set_live();
	plan_open(&failing);
	prepend_remark(&failing);
	fault_arm(&box()->fault, FAULT_ERROR, d.at, EIO);
	box()->fault.only = FAULT_RENAME;
	box_fails(commit(&failing, &err), ERROR_FAILED, "Input/output error");
	cr_assert(fault_disarm(&box()->fault));
	box_str(err.hint, "It was rolled back, everything is as before.\nBut nobody was told");
	cr_expect(not(journal_exists(&store)));
	plan_open(&dying);
	prepend_remark(&dying);
	cr_assert(eq(int, box_fork(die, &d), FAULT_DEATH));
	cr_assert(journal_exists(&store));
	box_ok(store_lock(&store, false, 0, &err));
	box_ok(recovery_run(&store, &r, &err));
	store_unlock(&store);
	cr_expect(r.found && !r.finished);
	box_str(r.remarks.message, "nobody was told");
	cr_expect(not(journal_exists(&store)));
	cr_expect(not(is_recorded()));
}

/* ---- show */

static char *diff_of(const char *id)
{
	const struct rootlatch_options o = { .root = box()->path, .state_dir = "/lib" };
	struct rootlatch_result *result = NULL;
	struct rootlatch_error err = { 0 };
	struct rootlatch *r = NULL;
	json_t *doc;
	char *diff;

	cr_assert(eq(int, rootlatch_new(&o, &r, &err), 0), "%s", err.message);
	cr_assert(eq(int, rootlatch_show(r, id, &result, &err), 0), "%s", err.message);
	doc = json_loads(rootlatch_result_json(result), 0, NULL);
	diff = strdup(json_get_string(json_array_get(json_object_get(doc, "results"), 0), "diff", ""));
	json_decref(doc);
	rootlatch_result_free(result);
	rootlatch_free(r);
	return diff;
}

#define DIFF_OLD_NEW "--- /etc/a\n+++ /etc/a\n@@ -1 +1 @@\n-old\n+new\n"
#define DIFF_NEW_OLD "--- /etc/a\n+++ /etc/a\n@@ -1 +1 @@\n-new\n+old\n"
#define DIFF_MADE "--- /dev/null\n+++ " MADE "\n@@ -0,0 +1 @@\n+new\n"
#define DIFF_GONE "--- " MADE "\n+++ /dev/null\n@@ -1 +0,0 @@\n-new\n"

static void expect_diff(const char *id, const char *wanted)
{
	char *diff = diff_of(id);

	box_str(diff, wanted, "%s", id);
	free(diff);
}

/* The bytes of what a close unlinks are in the snapshot of the opening, or in its own. */
Test(transaction_kinds, shows_what_was_made_and_what_went)
{
	for (int row = 0; row < 3; row++) {
		_cleanup_job_ struct job j = { .plan = NULL };
		struct error err = ERROR_INIT;

		set_scene();
		open_it();
		expect_diff(OPEN_ID, DIFF_MADE DIFF_OLD_NEW);
		plan_close(&j);
		/* a close that writes its file anew has a snapshot of its own */
		if (row >= 1) {
			struct step *s = &j.plan->plan.steps[1];

			s->ready = false;
			free(s->temp);
			s->temp = strdup("/etc/.b~");
			box_ok(strings_add(&j.plan->plan.on_commit, s->temp, &err));
		}
		if (row == 2)
			j.plan->plan.steps[0].ready = false;
		box_ok(commit(&j, &err));
		box_str(box_text(EDITED), OLD);
		box_str(box_names("/lib/snapshots"), row == 0 ? " " OPEN_ID : " " OPEN_ID " " CLOSE_ID);
		expect_diff(CLOSE_ID, DIFF_GONE DIFF_NEW_OLD);
		expect_diff(OPEN_ID, DIFF_MADE DIFF_OLD_NEW);
	}
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The protocol, on a kind that is a toy: it has three files, no daemon and nobody to judge. What
 * goes wrong goes wrong at every single system call in turn.
 */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/clock.h"
#include "store/journal.h"
#include "test_recover.h"

#define N_FILES 3
#define OPEN_ID "0badcafe"
#define CLOSE_ID "0badf00d"
#define CONFIG_ "/etc/ssh/sshd_config"

static const char *const paths[N_FILES] = { "/etc/a", "/etc/b", "/etc/c" };
static const char *const twins[N_FILES] = { "/etc/.a~", "/etc/.b~", "/etc/.c~" };
static const char *const olds[N_FILES] = { "old a\n", "", "old c, which is longer\n" };
static const char *const news[N_FILES] = { "new a\n", "new b\n", "" };

static char *old_looks[N_FILES];
static struct store store = STORE_INIT;
static int judged; /* what the toy's judge answers */

static const struct host *host(void)
{
	return &box()->host;
}

static int toy_judge(const struct toggle_context *c, struct toggle_plan *p, struct error *err)
{
	return judged == 0 ? 0 : error_set(err, ERROR_REFUSED, "the judge says no");
}

static const struct toggle_kind toy = { .name = "toy", .judge = toy_judge };

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void forget_looks(void)
{
	for (size_t i = 0; i < N_FILES; i++) {
		free(old_looks[i]);
		old_looks[i] = NULL;
	}
}

/* A host on which nothing ever happened. */
static void set_scene(void)
{
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1234567890, .tv_nsec = 7 } };

	(void)nftw(box_path("/etc"), remove_one, 8, FTW_DEPTH | FTW_PHYS);
	(void)nftw(box_path("/lib"), remove_one, 8, FTW_DEPTH | FTW_PHYS);
	box_mkdir("/etc", 0755);
	forget_looks();
	for (size_t i = 0; i < N_FILES; i++) {
		box_write(paths[i], olds[i]);
		cr_assert(eq(int, chmod(box_path(paths[i]), 0640), 0));
		cr_assert(eq(int, chown(box_path(paths[i]), 0, 12), 0));
		cr_assert(eq(int, utimensat(AT_FDCWD, box_path(paths[i]), times, 0), 0));
		old_looks[i] = box_look(paths[i]);
	}
	judged = 0;
}

static void enter(void)
{
	struct error err = ERROR_INIT;

	box_enter();
	box_ok(store_init(&store, host(), "/lib", &err));
	set_scene();
}

static void leave(void)
{
	forget_looks();
	store_release(&store);
	box_leave();
}

TestSuite(transaction, .init = enter, .fini = leave, .timeout = 300);

/* ---- the toy's plans */

struct job {
	struct state state; /* what it was planned on */
	struct toggle_plan *plan;
	struct host_file files[N_FILES];
	struct toggle_context context;
};

static void job_release(struct job *j)
{
	toggle_plan_free(&j->plan);
	for (size_t i = 0; i < N_FILES; i++)
		host_file_release(&j->files[i]);
	state_release(&j->state);
}

#define _cleanup_job_ _cleanup_(job_release)

static struct step *add_step(struct job *j, size_t i, const char *saved, const char *after)
{
	const struct host_file *f = &j->files[i];
	struct error err = ERROR_INIT;
	struct step s;

	box_ok(host_file_read(host(), paths[i], HOST_READ_TARGET, &j->files[i], &err));
	s = (struct step){
		.path = strdup(paths[i]),
		.temp = strdup(twins[i]),
		.saved = saved != NULL ? strdup(saved) : NULL,
		.before = f->digest,
		.after = digest_of(after, strlen(after)),
		.before_bytes = slice_of(f->bytes.data, f->bytes.len),
		.after_bytes = slice_of(after, strlen(after)),
		.after_mtime_ns = -1,
		.meta = f->meta,
		.dev = f->dev,
		.ino = f->ino,
		.ctime_ns = f->ctime_ns,
	};
	box_ok(plan_add(&j->plan->plan, &s, &err));
	return &j->plan->plan.steps[i];
}

static void begin_job(struct job *j, const char *command, const char *id)
{
	struct error err = ERROR_INIT;

	*j = (struct job){ .state = STATE_INIT };
	box_ok(state_read(&store, &j->state, &err));
	box_ok(toggle_plan_new("toy", command, &j->plan, &err));
	j->plan->kind = &toy;
	j->context = (struct toggle_context){ .host = host(), .state = &j->state, .store = &store,
					      .config = CONFIG_ };
	memcpy(j->plan->plan.id, id, PLAN_ID_LEN + 1);
	box_ok(state_copy(&j->state, &j->plan->after, &err));
	j->plan->after.generation++;
	j->plan->changes = true;
	j->plan->snapshot = (struct snapshot_info){ .command = j->plan->command, .toggle = "toy",
						    .by = "root", .config = CONFIG_,
						    .sshd = "/usr/sbin/sshd" };
	box_ok(state_add_event(&j->plan->after, id, command, "toy", NULL, 1, &err));
}

static void record_open(struct job *j)
{
	struct state_toggle t = { .name = strdup("toy"), .id = OPEN_ID, .by = strdup("root"),
				  .placement = strdup("in-place"), .allow = strdup("yes"),
				  .was = strdup("no"), .is = strdup("yes"), .config = strdup(CONFIG_) };
	struct error err = ERROR_INIT;

	box_ok(state_add_toggle(&j->plan->after, &t, &err));
	for (size_t i = 0; i < N_FILES; i++) {
		const struct step *s = &j->plan->plan.steps[i];
		struct state_file f = { .path = strdup(s->path), .twin = strdup(s->temp),
					.saved = strdup(s->saved), .base = s->before,
					.base_meta = s->meta, .left = s->after, .left_meta = s->meta };

		box_ok(state_add_file(&j->plan->after, &f, &err));
	}
}

static void plan_open(struct job *j)
{
	struct error err = ERROR_INIT;

	begin_job(j, "open", OPEN_ID);
	for (size_t i = 0; i < N_FILES; i++) {
		char saved[64];

		(void)snprintf(saved, sizeof(saved), "/lib/snapshots/" OPEN_ID "/%zu.before", i);
		(void)add_step(j, i, saved, news[i]);
		box_ok(strings_add(&j->plan->plan.on_abort, twins[i], &err));
	}
	record_open(j);
}

static void plan_close(struct job *j)
{
	struct error err = ERROR_INIT;

	begin_job(j, "close", CLOSE_ID);
	j->plan->closing = true;
	memcpy(j->plan->undoes, OPEN_ID, sizeof(j->plan->undoes));
	for (size_t i = 0; i < N_FILES; i++) {
		add_step(j, i, NULL, olds[i])->ready = true;
		box_ok(strings_add(&j->plan->plan.on_commit, twins[i], &err));
		state_remove_file(&j->plan->after, paths[i]);
	}
	state_remove_toggle(&j->plan->after, "toy");
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

enum where { ALL_OLD, ALL_NEW, MIXED };

/* Every file wholly old or new; the old ones to the last attribute. */
static enum where look_around(const char *what)
{
	size_t n_old = 0;

	for (size_t i = 0; i < N_FILES; i++) {
		bool is_old = strcmp(box_text(paths[i]), olds[i]) == 0;

		box_str(box_text(paths[i]), is_old ? olds[i] : news[i], "%s: %s", what, paths[i]);
		cr_expect(eq(uint, box_mode(paths[i]), 0640), "%s: %s", what, paths[i]);
		if (is_old) {
			_cleanup_free_ char *look = box_look(paths[i]);

			box_str(look, old_looks[i], "%s: %s", what, paths[i]);
		}
		n_old += is_old;
	}
	return n_old == 0 ? ALL_NEW : n_old == N_FILES ? ALL_OLD : MIXED;
}

static bool is_recorded(void)
{
	_cleanup_state_ struct state s = STATE_INIT;
	struct error err = ERROR_INIT;

	box_ok(state_read(&store, &s, &err));
	return state_find_toggle(&s, "toy") != NULL;
}

/* All files are what the state says, and nothing else is there. */
static enum where expect_settled(const char *what)
{
	bool recorded = is_recorded();
	enum where w = look_around(what);
	const char *snapshots = box_names("/lib/snapshots");

	cr_expect(eq(int, w, recorded ? ALL_NEW : ALL_OLD), "%s: %s", what,
		  recorded ? "recorded as applied" : "recorded as normal");
	box_str(box_names("/etc"), recorded ? " .a~ .b~ .c~ a b c" : " a b c", "%s", what);
	cr_expect(not(journal_exists(&store)), "%s: the journal is there", what);
	snapshots = box_names("/lib/snapshots");
	if (recorded)
		box_str(snapshots, " " OPEN_ID, "%s", what);
	else
		cr_expect(strcmp(snapshots, "(none)") == 0 || strcmp(snapshots, "") == 0 ||
				  strcmp(snapshots, " " OPEN_ID) == 0, "%s: %s", what, snapshots);
	return w;
}

/* Recovery leaves it settled, and finds nothing more to do the second time. */
static enum where expect_recovered(const char *what)
{
	struct error err = ERROR_INIT;
	_cleanup_recovery_ struct recovery again = RECOVERY_INIT;
	int r = recover(&err);

	cr_assert(eq(int, r, 0), "%s: %s (%s)", what, err.message, err.hint);
	(void)expect_settled(what);
	box_ok(recover_store(&store, &again, &err));
	cr_expect(not(again.found), "%s", what);
	cr_expect(eq(sz, again.swept, 0), "%s", what);
	return expect_settled(what);
}

static const char *describe(const char *what, enum fault_kind kind, unsigned n)
{
	static char text[128];

	(void)snprintf(text, sizeof(text), "%s, kind %d, call %u, %s", what, (int)kind, n,
		       box()->fault.last);
	return text;
}

/* ---- nothing goes wrong */

Test(transaction, does_all_of_it_and_undoes_all_of_it)
{
	_cleanup_job_ struct job j = { .plan = NULL };
	struct error err = ERROR_INIT;

	open_it();
	cr_expect(eq(int, expect_settled("opened"), ALL_NEW));
	box_str(box_names("/lib/snapshots/" OPEN_ID), " 0.before 0.middle 1.before 1.middle 2.before "
						       "2.middle manifest.json restore.sh");
	plan_close(&j);
	box_ok(commit(&j, &err));
	cr_expect(eq(int, expect_settled("closed"), ALL_OLD));
	(void)expect_recovered("closed");
}

/* The snapshot of a transaction that nobody can look up any more. */
Test(transaction, forgets_the_oldest_when_the_history_is_full)
{
	_cleanup_job_ struct job open = { .plan = NULL }, close = { .plan = NULL };
	struct error err = ERROR_INIT;

	open_it();
	box_mkdir("/lib/snapshots/01d01d01", 0700);
	plan_close(&close);
	box_ok(commit(&close, &err));
	box_str(box_names("/lib/snapshots"), " 01d01d01 " OPEN_ID);
	box_ok(snapshot_remove(&store, OPEN_ID, &err));
	plan_open(&open);
	for (size_t i = 0; i < STATE_HISTORY_MAX; i++)
		box_ok(state_add_event(&open.plan->after, OPEN_ID, "open", "toy", NULL, 1, &err));
	box_ok(commit(&open, &err));
	box_str(box_names("/lib/snapshots"), " " OPEN_ID);
	(void)expect_recovered("opened again");
}

Test(transaction, is_the_same_when_every_call_is_interrupted_or_short)
{
	static const enum fault_kind kinds[] = { FAULT_INTERRUPT, FAULT_ONE_BYTE };

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		_cleanup_job_ struct job open = { .plan = NULL }, close = { .plan = NULL };
		struct error err = ERROR_INIT;

		set_scene();
		plan_open(&open);
		fault_arm(&box()->fault, kinds[k], 0, 0);
		box_ok(commit(&open, &err));
		(void)fault_disarm(&box()->fault);
		cr_expect(eq(int, expect_settled("opened"), ALL_NEW));
		plan_close(&close);
		fault_arm(&box()->fault, kinds[k], 0, 0);
		box_ok(commit(&close, &err));
		box_ok(recover(&err));
		(void)fault_disarm(&box()->fault);
		cr_expect(eq(int, expect_settled("closed"), ALL_OLD));
	}
}

Test(transaction, is_refused_before_anything_is_touched)
{
	struct error err = ERROR_INIT;

	{
		_cleanup_job_ struct job j = { .plan = NULL };

		plan_open(&j);
		judged = -1;
		box_fails(commit(&j, &err), ERROR_REFUSED, "the judge says no");
		cr_expect(eq(int, expect_settled("the judge"), ALL_OLD));
		box_str(box_names("/lib/snapshots"), "");
		judged = 0;
	}
	{
		_cleanup_job_ struct job j = { .plan = NULL };

		plan_open(&j);
		box_write("/etc/b", "theirs\n");
		box_fails(commit(&j, &err), ERROR_REFUSED, "was changed by somebody else");
		box_str(box_text("/etc/b"), "theirs\n");
		box_str(box_text("/etc/a"), olds[0]);
		box_str(box_names("/etc"), " a b c");
	}
}

Test(transaction, is_refused_when_another_was_faster)
{
	_cleanup_job_ struct job first = { .plan = NULL }, second = { .plan = NULL };
	struct error err = ERROR_INIT;

	plan_open(&first);
	plan_open(&second);
	box_ok(commit(&first, &err));
	box_fails(commit(&second, &err), ERROR_BUSY, "changed this host in this moment");
	cr_expect(eq(int, expect_settled("once"), ALL_NEW));
}

static void write_theirs(void *ctx)
{
	box_write("/etc/c", "theirs\n");
}

/* Somebody writes to the last file when the first ones are installed already. */
Test(transaction, is_put_back_when_somebody_writes_in_the_last_instant)
{
	_cleanup_job_ struct job j = { .plan = NULL };
	struct error err = ERROR_INIT;
	unsigned renames;

	/* count, to know which rename is that of the third file: the last before the state's */
	plan_open(&j);
	fault_arm(&box()->fault, FAULT_NONE, 0, 0);
	box()->fault.only = FAULT_RENAME;
	box_ok(commit(&j, &err));
	renames = box()->fault.calls;
	for (unsigned n = 1; n <= renames; n++) {
		_cleanup_job_ struct job again = { .plan = NULL };
		int r;

		set_scene();
		plan_open(&again);
		fault_arm(&box()->fault, FAULT_NONE, n, 0);
		box()->fault.only = FAULT_RENAME;
		box()->fault.meanwhile = write_theirs;
		err = (struct error)ERROR_INIT;
		r = commit(&again, &err);
		(void)fault_disarm(&box()->fault);
		if (r == 0)
			continue; /* they wrote to what was installed: that is drift */
		cr_expect(eq(int, err.code, ERROR_REFUSED), "rename %u: %s", n, err.message);
		box_str(box_text("/etc/a"), olds[0], "rename %u", n);
		box_str(box_text("/etc/b"), olds[1], "rename %u", n);
		box_str(box_text("/etc/c"), "theirs\n", "rename %u", n);
		box_str(box_names("/etc"), " a b c", "rename %u", n);
		cr_expect(not(journal_exists(&store)), "rename %u", n);
		cr_expect(not(is_recorded()), "rename %u", n);
	}
}

struct last_instant {
	void (*plan)(struct job *j);
	unsigned rename; /* before which they write */
	unsigned call;   /* of those after it, where the process dies */
};

static void write_theirs_and_die(void *ctx)
{
	const struct last_instant *t = ctx;

	write_theirs(NULL);
	fault_arm(&box()->fault, FAULT_DIE, t->call, 0);
	box()->fault.only = FAULT_ANY;
}

static void commit_in_last_instant(void *ctx)
{
	struct last_instant *t = ctx;
	_cleanup_job_ struct job j = { .plan = NULL };
	struct error err = ERROR_INIT;

	t->plan(&j);
	fault_arm(&box()->fault, FAULT_NONE, t->rename, 0);
	box()->fault.only = FAULT_RENAME;
	box()->fault.meanwhile = write_theirs_and_die;
	box()->fault.meanwhile_ctx = t;
	(void)commit(&j, &err);
}

/* Wherever it dies after that, what they wrote is what recovery leaves there. */
static unsigned deaths_after_theirs(void (*plan)(struct job *), const char *what, unsigned rename)
{
	unsigned call = 1;

	for (;; call++) {
		struct last_instant t = { .plan = plan, .rename = rename, .call = call };
		struct error err = ERROR_INIT;
		int ended;

		set_scene();
		if (plan == plan_close)
			open_it();
		ended = box_fork(commit_in_last_instant, &t);
		(void)recover(&err);
		box_str(box_text("/etc/c"), "theirs\n", "%s, rename %u, call %u: %s", what, rename,
			call, err.message);
		if (ended != FAULT_DEATH)
			return call - 1;
	}
}

Test(transaction, loses_nobodys_edit_wherever_the_process_dies)
{
	static const struct {
		const char *what;
		void (*plan)(struct job *j);
	} jobs[] = { { "open", plan_open }, { "close", plan_close } };

	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++) {
		unsigned deaths = 0;

		/* the journal's, those of the three files, the state's */
		for (unsigned rename = 1; rename <= 5; rename++)
			deaths += deaths_after_theirs(jobs[i].plan, jobs[i].what, rename);
		cr_expect(gt(uint, deaths, 50), "%s", jobs[i].what);
	}
}

static void fill_up(void)
{
	static char block[4096];
	int fd = open(box_path("/lib/ballast"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	while (write(fd, block, sizeof(block)) > 0)
		;
	cr_assert(eq(int, errno, ENOSPC));
	(void)close(fd);
}

/* What closing will need was written when it was opened, also on a host's very first opening. */
Test(transaction, closes_on_a_full_disk)
{
	_cleanup_job_ struct job j = { .plan = NULL };
	struct error err = ERROR_INIT;

	if (!box()->is_private)
		cr_skip_test("no mount namespaces here");
	box_mkdir("/lib", 0700);
	if (mount("tmpfs", box_path("/lib"), "tmpfs", 0, "size=512k,mode=0700") < 0)
		cr_skip_test("no tmpfs can be mounted here");
	open_it();
	fill_up();
	plan_close(&j);
	box_ok(commit(&j, &err));
	cr_expect(eq(int, expect_settled("closed"), ALL_OLD));
}

/* ---- something goes wrong */

static void fail_everywhere(bool closing, enum fault_kind kind, int error)
{
	for (unsigned n = 1;; n++) {
		_cleanup_job_ struct job j = { .plan = NULL };
		struct error err = ERROR_INIT;
		enum where w, before = closing ? ALL_NEW : ALL_OLD;
		const char *what;
		bool hit;
		int r;

		set_scene();
		if (closing)
			open_it();
		(closing ? plan_close : plan_open)(&j);
		fault_arm(&box()->fault, kind, n, error);
		/* a rename that says it failed was not done: that much is asked of a filesystem */
		box()->fault.only = kind == FAULT_DONE ? ~(unsigned)FAULT_RENAME : FAULT_ANY;
		r = commit(&j, &err);
		hit = fault_disarm(&box()->fault);
		what = describe(closing ? "close" : "open", kind, n);
		if (!hit) {
			cr_expect(eq(int, r, 0));
			cr_expect(gt(uint, n, 50u), "%u calls", n);
			return;
		}
		w = look_around(what);
		if (r == 0)
			cr_expect(eq(int, w, closing ? ALL_OLD : ALL_NEW), "%s: said done", what);
		else if (err.code != ERROR_IN_DOUBT)
			cr_expect(eq(int, w, before), "%s: code %d: %s", what, (int)err.code,
				  err.message);
		else if (kind != FAULT_ERROR_ON)
			/* one call failed, and there is nothing that a person has to look at */
			cr_expect(closing && w == ALL_OLD, "%s: in doubt: %s", what, err.message);
		if (r < 0 && err.code == ERROR_REFUSED && kind == FAULT_ERROR)
			cr_expect(eq(int, w, before), "%s", what);
		/* as the command line says it: refused, failed, a person must look */
		if (r < 0)
			cr_expect(err.code == ERROR_REFUSED || err.code == ERROR_FAILED ||
					  err.code == ERROR_BUSY || err.code == ERROR_IN_DOUBT,
				  "%s: code %d: %s", what, (int)err.code, err.message);
		(void)expect_recovered(what);
		/* what was said to be done stays done, what was undone stays undone */
		if (r == 0)
			cr_expect(eq(int, look_around(what), closing ? ALL_OLD : ALL_NEW), "%s", what);
		else if (err.code != ERROR_IN_DOUBT)
			cr_expect(eq(int, look_around(what), before), "%s: came back", what);
	}
}

Test(transaction, opens_all_or_nothing_whatever_call_fails)
{
	fail_everywhere(false, FAULT_ERROR, EIO);
	fail_everywhere(false, FAULT_ERROR, ENOSPC);
	fail_everywhere(false, FAULT_ERROR, EMFILE);
}

Test(transaction, closes_all_or_nothing_whatever_call_fails)
{
	fail_everywhere(true, FAULT_ERROR, EIO);
	fail_everywhere(true, FAULT_ERROR, ENOSPC);
}

Test(transaction, is_all_or_nothing_when_a_call_was_done_that_says_it_failed)
{
	fail_everywhere(false, FAULT_DONE, EIO);
	fail_everywhere(true, FAULT_DONE, EIO);
}

Test(transaction, is_all_or_nothing_when_every_call_fails_from_one_on)
{
	fail_everywhere(false, FAULT_ERROR_ON, EIO);
	fail_everywhere(true, FAULT_ERROR_ON, EROFS);
}

/* ---- the process dies */

struct death {
	struct job *job; /* NULL: a recovery */
	unsigned at;
};

static void die(void *ctx)
{
	const struct death *d = ctx;

	fault_arm(&box()->fault, FAULT_DIE, d->at, 0);
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

Test(transaction, is_all_or_nothing_wherever_the_process_dies)
{
	for (int closing = 0; closing < 2; closing++) {
		unsigned n = 1;

		for (; die_committing(closing, n); n++) {
			const char *what = describe(closing ? "close, death" : "open, death",
						    FAULT_DIE, n);

			(void)look_around(what);
			(void)expect_recovered(what);
		}
		cr_expect(gt(uint, n, 50u));
		(void)expect_settled("nobody died");
	}
}

/* Recovery is cut off at every call of its own, then runs again. Of each recovery it is every third
 * call, and of consecutive ones others; with FULL=1 all of them. */
static void cut_off_recovery(bool closing, enum fault_kind kind)
{
	const unsigned stride = getenv("FULL") != NULL ? 1 : 3;

	for (unsigned n = 1; die_committing(closing, n); n += 13) {
		for (unsigned m = 1 + n % stride;; m += stride) {
			struct error err = ERROR_INIT;
			const char *what;
			bool hit;

			(void)die_committing(closing, n);
			if (kind == FAULT_DIE) {
				struct death d = { .at = m };

				hit = box_fork(die, &d) == FAULT_DEATH;
			} else {
				int r;

				fault_arm(&box()->fault, kind, m, EIO);
				r = recover(&err);
				hit = fault_disarm(&box()->fault);
				what = describe("recovery", kind, m);
				if (r == 0)
					(void)look_around(what);
			}
			what = describe(closing ? "recovery of a close" : "recovery of an open", kind,
					n * 1000 + m);
			(void)expect_recovered(what);
			if (!hit)
				break;
		}
	}
}

Test(transaction, is_recovered_in_the_end_whatever_call_of_a_recovery_fails)
{
	cut_off_recovery(false, FAULT_ERROR);
	cut_off_recovery(true, FAULT_ERROR);
}

Test(transaction, is_recovered_in_the_end_wherever_a_recovery_dies)
{
	cut_off_recovery(false, FAULT_DIE);
	cut_off_recovery(true, FAULT_DIE);
}

/* ---- what must stop a recovery */

Test(transaction, is_not_recovered_from_a_torn_journal_or_state)
{
	static const char *const names[] = { "/lib/journal", "/lib/state.json" };
	unsigned torn = 0;

	for (unsigned n = 1; die_committing(true, n); n += 5) {
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			struct error err = ERROR_INIT;
			enum where w;
			char half[4096];

			(void)die_committing(true, n);
			if (access(box_path("/lib/journal"), F_OK) < 0)
				continue;
			(void)snprintf(half, sizeof(half), "%.200s", box_text(names[i]));
			box_write(names[i], half);
			w = look_around("before");
			box_fails(recover(&err), ERROR_REFUSED, "torn or was altered");
			cr_expect(eq(int, look_around("after"), w), "call %u", n);
			torn++;
		}
	}
	cr_expect(gt(uint, torn, 4u));
}

Test(transaction, that_is_not_known_is_nothing_to_recover)
{
	struct error err = ERROR_INIT;

	cr_expect(not(recovery_is_needed(&store)));
	box_ok(recover(&err));
	box_str(box_names(""), " etc");
}

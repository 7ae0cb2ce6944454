/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A root login is opened and closed, judged by the real sshd, and every system call of it fails in
 * turn. No daemon runs.
 */
#include "fault_host.h"
#include "test_service_fixture.h"

#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/journal.h"
#include "test_config.h"
#include "test_recover.h"

#define STATE "/run/state"
#define INCLUDED "/etc/ssh/included.conf"
#define MAIN_BEFORE "Include " INCLUDED "\nPermitRootLogin forced-commands-only\n"
#define INCLUDED_BEFORE "PermitRootLogin no\n"

static struct fault fault;
static struct host host = HOST_INIT; /* the whole machine, as the test's namespace shows it */
static struct store store = STORE_INIT;
static char *looks[2];
static const char *const files[2] = { CONFIG, INCLUDED };

static void enter(void)
{
	struct error err = ERROR_INIT;

	fixture_enter();
	assert_ok(host_init(&host, "/", &fault_ops, &fault, &err));
	assert_ok(store_init(&store, &host, STATE, &err));
}

static void leave(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
		free(looks[i]);
	store_release(&store);
	host_release(&host);
	fixture_leave();
}

TestSuite(toggle_faults, .init = enter, .fini = leave, .timeout = 300);

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

/* box_look() of a box that is the whole machine */
static char *look(const char *path)
{
	box()->path[0] = '\0';
	return box_look(path);
}

static void set_scene(void)
{
	(void)nftw(STATE, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	cr_assert(eq(int, system("rm -f /etc/ssh/.[!.]*"), 0));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		(void)unlink(files[i]);
		fixture_write(files[i], i == 0 ? MAIN_BEFORE : INCLUDED_BEFORE);
		free(looks[i]);
		looks[i] = look(files[i]);
	}
}

struct job {
	struct state state;
	struct toggle_context context;
	struct toggle_plan *plan;
};

static void job_release(struct job *j)
{
	toggle_plan_free(&j->plan);
	state_release(&j->state);
}

#define _cleanup_job_ _cleanup_(job_release)

static int plan(struct job *j, bool closing, struct error *err)
{
	static const struct toggle_terms terms = { .allow = "yes", .by = "root", .keep = true,
						   .placement = TOGGLE_IN_PLACE };

	*j = (struct job){ .state = STATE_INIT };
	j->context = (struct toggle_context){ .host = &host, .state = &j->state, .store = &store,
					      .lens_dir = lens_dir(), .config = CONFIG };
	if (state_read(&store, &j->state, err) < 0 ||
	    toggle_plan_new("root-login", closing ? "close" : "open", &j->plan, err) < 0)
		return -1;
	return closing ? j->plan->kind->plan_undo(&j->context, &terms, j->plan, err) :
			 j->plan->kind->plan_apply(&j->context, &terms, j->plan, err);
}

static int commit(struct job *j, struct error *err)
{
	size_t reloaded;

	return transaction_commit(&store, &j->context, j->plan, 0, NULL, &reloaded, err);
}

static void open_it(void)
{
	_cleanup_job_ struct job j = { .plan = NULL };
	struct error err = ERROR_INIT;

	assert_ok(plan(&j, false, &err));
	assert_ok(commit(&j, &err));
}

/* Both files as they were, to the last attribute; or both edited. */
static bool is_old(const char *what, unsigned n)
{
	unsigned old = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *now = look(files[i]);

		old += strcmp(now, looks[i]) == 0;
		cr_expect(strcmp(now, looks[i]) == 0 || strstr(now, "#rootlatch:") != NULL,
			  "%s, call %u, %s: %s", what, n, fault.last, now);
	}
	cr_expect(ne(uint, old, 1u), "%s, call %u, %s: one of two", what, n, fault.last);
	return old == ARRAY_SIZE(files);
}

static void expect_settled(const char *what, unsigned n)
{
	_cleanup_recovery_ struct recovery r = RECOVERY_INIT;
	_cleanup_state_ struct state s = STATE_INIT;
	struct error err = ERROR_INIT;
	bool old, recorded;

	cr_assert(eq(int, recover_store(&store, &r, &err), 0), "%s, call %u, %s: %s", what, n,
		  fault.last, err.message);
	old = is_old(what, n);
	assert_ok(state_read(&store, &s, &err));
	recorded = state_find_toggle(&s, "root-login") != NULL;
	cr_expect(eq(int, recorded, !old), "%s, call %u, %s", what, n, fault.last);
	cr_expect(not(journal_exists(&store)), "%s, call %u, %s", what, n, fault.last);
	if (old)
		cr_expect(eq(int, system("test -z \"$(ls -A /etc/ssh | grep '^\\.')\""), 0),
			  "%s, call %u, %s: something is left", what, n, fault.last);
}

static void fail_everywhere(bool closing, int error)
{
	const char *what = closing ? "close" : "open";

	for (unsigned n = 1;; n++) {
		_cleanup_job_ struct job j = { .plan = NULL };
		struct error err = ERROR_INIT;
		bool hit, old;
		int r;

		set_scene();
		if (closing)
			open_it();
		assert_ok(plan(&j, closing, &err));
		fault_arm(&fault, FAULT_ERROR, n, error);
		r = commit(&j, &err);
		hit = fault_disarm(&fault);
		old = is_old(what, n);
		if (r == 0)
			cr_expect(eq(int, old, closing), "%s, call %u, %s", what, n, fault.last);
		else if (err.code != ERROR_IN_DOUBT)
			cr_expect(eq(int, old, !closing), "%s, call %u, %s: code %d", what, n,
				  fault.last, (int)err.code);
		else
			cr_expect(closing && old, "%s, call %u, %s: in doubt: %s", what, n, fault.last,
				  err.message);
		expect_settled(what, n);
		if (!hit) {
			cr_expect(eq(int, r, 0), "%s", err.message);
			cr_expect(gt(uint, n, 40u));
			return;
		}
	}
}

Test(toggle_faults, opens_all_or_nothing_whatever_call_fails)
{
	fail_everywhere(false, ENOSPC);
}

Test(toggle_faults, closes_all_or_nothing_whatever_call_fails)
{
	fail_everywhere(true, EIO);
}

/* Planning writes nothing, so it may fail, or not, and nothing is different. */
Test(toggle_faults, changes_nothing_whatever_call_of_planning_fails)
{
	for (unsigned n = 1;; n++) {
		_cleanup_job_ struct job j = { .plan = NULL };
		struct error err = ERROR_INIT;
		bool hit;
		int r;

		set_scene();
		fault_arm(&fault, FAULT_ERROR, n, EMFILE);
		r = plan(&j, false, &err);
		hit = fault_disarm(&fault);
		cr_expect(is_old("plan", n));
		cr_expect(ne(int, access(STATE, F_OK), 0), "call %u, %s", n, fault.last);
		if (r < 0)
			cr_expect(ne(int, err.code, ERROR_IN_DOUBT), "call %u, %s: %s", n, fault.last,
				  err.message);
		if (!hit) {
			cr_expect(eq(int, r, 0), "%s", err.message);
			return;
		}
	}
}

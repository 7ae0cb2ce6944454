/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deadline/deadline.h"

#define HEX "0123456789abcdef"

static const struct host *host(void)
{
	return &box()->host;
}

static void enter(void)
{
	box_enter();
	box_mkdir("/run", 0755);
}

TestSuite(deadline, .init = enter, .fini = box_leave, .timeout = 60);

/* ---- whether it is due */

#define HOUR (3600 * NSEC_PER_SEC)
#define NOON (1772371800 * NSEC_PER_SEC)
#define HERE "b-1-0123456789abcdef"

Test(deadline, is_due_by_the_clock_the_time_since_boot_and_the_boot)
{
	static const struct {
		const char *what;
		int64_t until_ns, until_boot_ns;
		const char *boot;
		int64_t real_ns, boot_ns;
		const char *now_boot;
		enum deadline_due wanted;
	} rows[] = {
		{ "before", NOON, HOUR, HERE, NOON - 1, HOUR - 1, HERE, DEADLINE_NOT_DUE },
		{ "at the time", NOON, HOUR, HERE, NOON, HOUR - 1, HERE, DEADLINE_PASSED },
		{ "long after", NOON, HOUR, HERE, NOON + HOUR, 2 * HOUR, HERE, DEADLINE_PASSED },
		{ "clock set back", NOON, HOUR, HERE, NOON - HOUR, HOUR, HERE, DEADLINE_ELAPSED },
		{ "clock set forward", NOON, HOUR, HERE, NOON + 1, 1, HERE, DEADLINE_PASSED },
		{ "another boot", NOON, HOUR, HERE, NOON - 1, 1, "b-2-0123456789abcdef",
		  DEADLINE_REBOOTED },
		{ "another boot, late", NOON, HOUR, HERE, NOON + 1, HOUR, "c-1-0123456789abcdef",
		  DEADLINE_REBOOTED },
		{ "the token is gone", NOON, HOUR, HERE, NOON - 1, 1, "b-1-", DEADLINE_REBOOTED },
		{ "nothing can be told", NOON, HOUR, HERE, NOON - 1, 1, "-", DEADLINE_REBOOTED },
		{ "kept", 0, 0, "", NOON, HOUR, HERE, DEADLINE_NOT_DUE },
		{ "kept, as it is made", 0, 0, NULL, NOON, HOUR, HERE, DEADLINE_NOT_DUE },
		{ "kept for this boot", 0, 0, HERE, NOON, HOUR, HERE, DEADLINE_NOT_DUE },
		{ "kept for another boot", 0, 0, HERE, NOON, HOUR, "b-2-", DEADLINE_REBOOTED },
		{ "a service, before", NOON, HOUR, "", NOON - 1, 2 * HOUR, HERE, DEADLINE_NOT_DUE },
		{ "a service, after", NOON, HOUR, "", NOON, 0, "x-", DEADLINE_PASSED },
		{ "a service, no second clock", NOON, 0, NULL, NOON - 1, HOUR, HERE,
		  DEADLINE_NOT_DUE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct state_toggle t = { .until_ns = rows[i].until_ns,
						.until_boot_ns = rows[i].until_boot_ns,
						.boot = (char *)rows[i].boot };
		struct deadline_now now = { .real_ns = rows[i].real_ns, .boot_ns = rows[i].boot_ns };

		(void)strcpy(now.boot, rows[i].now_boot);
		cr_expect(eq(int, (int)deadline_is_due(&t, &now), (int)rows[i].wanted), "%s",
			  rows[i].what);
	}
}

Test(deadline, says_why_it_is_due)
{
	static const enum deadline_due all[] = { DEADLINE_NOT_DUE, DEADLINE_PASSED, DEADLINE_ELAPSED,
						 DEADLINE_REBOOTED };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		for (size_t j = 0; j < i; j++)
			cr_expect(ne(str, (char *)deadline_due_text(all[i]),
				     (char *)deadline_due_text(all[j])));
}

/* ---- the identity of a boot */

static const char *identity(bool create)
{
	static char ids[4][DEADLINE_BOOT_MAX];
	static unsigned next;
	char *ret = ids[next++ % ARRAY_SIZE(ids)];
	struct error err = ERROR_INIT;

	box_ok(deadline_boot_identity(host(), create, ret, &err));
	return ret;
}

Test(deadline, identity_has_three_parts_and_stays)
{
	char kernel[CLOCK_BOOT_MAX];
	const char *first = identity(true), *token = strrchr(first, '-') + 1;
	struct error err = ERROR_INIT;

	box_ok(clock_boot_identity(kernel, &err));
	cr_expect(eq(int, strncmp(first, kernel, strlen(kernel)), 0));
	cr_expect(eq(sz, strlen(first), strlen(kernel) + 1 + DEADLINE_TOKEN_LEN));
	cr_expect(eq(sz, strspn(token, HEX), DEADLINE_TOKEN_LEN));
	box_str(box_text(DEADLINE_BOOT_FILE), token);
	cr_expect(eq(int, box_mode(DEADLINE_BOOT_FILE), 0600));
	cr_expect(eq(int, box_mode(DEADLINE_RUN_DIR), 0700));
	box_str(identity(true), first);
	box_str(identity(false), first);
	box_str(box_names(DEADLINE_RUN_DIR), " boot");
}

Test(deadline, identity_is_another_one_after_the_token_went)
{
	char first[DEADLINE_BOOT_MAX];

	(void)strcpy(first, identity(true));
	cr_assert(eq(int, unlink(box_path(DEADLINE_BOOT_FILE)), 0));
	cr_expect(ne(str, (char *)identity(false), first));
	cr_expect(ne(str, (char *)identity(true), first));
}

static bool has_token(const char *id)
{
	return id[strlen(id) - 1] != '-';
}

Test(deadline, identity_without_a_token_ends_so_and_makes_none)
{
	cr_expect(not(has_token(identity(false))));
	box_str(box_names("/run"), "");
	box_mkdir(DEADLINE_RUN_DIR, 0700);
	cr_expect(not(has_token(identity(false))));
	box_str(box_names(DEADLINE_RUN_DIR), "");
}

static void link_elsewhere(void)
{
	box_write("/run/elsewhere", HEX);
	cr_assert(eq(int, chmod(box_path("/run/elsewhere"), 0600), 0));
	cr_assert(eq(int, symlink("../elsewhere", box_path(DEADLINE_BOOT_FILE)), 0));
}

Test(deadline, token_that_is_odd_is_none_when_read_and_refused_when_made)
{
	static const struct {
		const char *what, *text;
		mode_t mode;
		uid_t uid;
	} rows[] = {
		{ "empty", "", 0600, 0 },
		{ "torn", "0123456789abcde", 0600, 0 },
		{ "longer", HEX "0", 0600, 0 },
		{ "with a newline", HEX "\n", 0600, 0 },
		{ "no digits", "0123456789ABCDEF", 0600, 0 },
		{ "written by anybody", HEX, 0666, 0 },
		{ "somebody else's", HEX, 0600, 65534 },
		{ "a link", NULL, 0, 0 },
		{ "right", HEX, 0600, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool right = strcmp(rows[i].what, "right") == 0;
		struct error err = ERROR_INIT;
		char id[DEADLINE_BOOT_MAX];

		box_mkdir(DEADLINE_RUN_DIR, 0700);
		(void)unlink(box_path(DEADLINE_BOOT_FILE));
		if (rows[i].text == NULL) {
			link_elsewhere();
		} else {
			box_write(DEADLINE_BOOT_FILE, rows[i].text);
			cr_assert(eq(int, chmod(box_path(DEADLINE_BOOT_FILE), rows[i].mode), 0));
			cr_assert(eq(int, chown(box_path(DEADLINE_BOOT_FILE), rows[i].uid, 0), 0));
		}
		cr_expect(eq(int, has_token(identity(false)), right), "%s", rows[i].what);
		if (right)
			cr_expect(has_token(identity(true)));
		else
			box_fails(deadline_boot_identity(host(), true, id, &err), ERROR_REFUSED,
				  DEADLINE_BOOT_FILE);
		box_str(box_text(DEADLINE_BOOT_FILE), rows[i].text != NULL ? rows[i].text : HEX, "%s",
			rows[i].what);
	}
}

Test(deadline, token_is_not_made_in_a_folder_that_is_anybodys)
{
	struct error err = ERROR_INIT;
	char id[DEADLINE_BOOT_MAX];

	box_mkdir(DEADLINE_RUN_DIR, 0755);
	box_fails(deadline_boot_identity(host(), true, id, &err), ERROR_REFUSED, DEADLINE_RUN_DIR);
	box_str(box_names(DEADLINE_RUN_DIR), "");
}

/* ---- two at once */

static void somebody_is_quicker(void *ctx)
{
	box_write(DEADLINE_BOOT_FILE, "feedfacefeedface");
	cr_assert(eq(int, chmod(box_path(DEADLINE_BOOT_FILE), 0600), 0));
}

static void somebody_sweeps(void *ctx)
{
	cr_assert(eq(int, system("rm -f /run/box" DEADLINE_BOOT_FILE ".*"), 0));
}

static void meanwhile(void (*what)(void *ctx))
{
	struct fault *f = &box()->fault;

	fault_arm(f, FAULT_NONE, 1, 0);
	f->only = FAULT_RENAME;
	f->meanwhile = what;
}

Test(deadline, token_of_whoever_was_quicker_counts)
{
	const char *id;

	meanwhile(somebody_is_quicker);
	id = identity(true);
	cr_expect(not(fault_disarm(&box()->fault)));
	box_str(strrchr(id, '-') + 1, "feedfacefeedface");
	box_str(box_names(DEADLINE_RUN_DIR), " boot");
}

Test(deadline, token_that_was_swept_while_it_was_made_is_made_again)
{
	if (!box()->is_private)
		cr_skip_test("no mounts of its own");
	meanwhile(somebody_sweeps);
	cr_expect(has_token(identity(true)));
	cr_expect(gt(uint, box()->fault.calls, 1));
	box_str(box_names(DEADLINE_RUN_DIR), " boot");
}

/* ---- when calls fail */

Test(deadline, token_is_whole_or_not_there_whatever_fails)
{
	static const enum fault_kind kinds[] = { FAULT_ERROR, FAULT_ONE_BYTE, FAULT_INTERRUPT };
	struct fault *f = &box()->fault;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		for (unsigned n = 1;; n++) {
			struct error err = ERROR_INIT;
			char id[DEADLINE_BOOT_MAX];
			bool hit;
			int r;

			fault_arm(f, kinds[k], n, EIO);
			r = deadline_boot_identity(host(), true, id, &err);
			hit = fault_disarm(f);
			cr_expect(eq(int, r, hit && kinds[k] == FAULT_ERROR ? r : 0), "%s",
				  err.message);
			if (r == 0)
				box_str(box_names(DEADLINE_RUN_DIR), " boot", "call %u", n);
			/* nothing is in the way of the next one */
			cr_expect(has_token(identity(true)), "call %u: %s", n, f->last);
			(void)unlink(box_path(DEADLINE_BOOT_FILE));
			if (!hit || kinds[k] != FAULT_ERROR)
				break;
		}
	}
}

Test(deadline, identity_that_could_not_be_looked_at_is_an_error_not_another_boot)
{
	struct fault *f = &box()->fault;
	struct deadline_now now;
	struct error err = ERROR_INIT;

	(void)identity(true);
	fault_arm(f, FAULT_ERROR, 1, EMFILE);
	box_fails(deadline_now_read(host(), &now, &err), ERROR_FAILED, DEADLINE_BOOT_FILE);
	cr_expect(fault_disarm(f));
	box_ok(deadline_now_read(host(), &now, &err));
	cr_expect(has_token(now.boot));
}

/* ---- setting it */

Test(deadline, is_set_by_both_clocks_for_this_boot)
{
	struct state_toggle t = { .boot = strdup("old") };
	int64_t until = clock_realtime_ns() + HOUR, before = clock_boottime_ns();
	struct deadline_now now;
	struct error err = ERROR_INIT;

	box_ok(deadline_set(&t, host(), until, true, &err));
	cr_expect(eq(i64, t.until_ns, until));
	/* an hour from now, less what passed since `until` was taken */
	cr_expect(le(i64, t.until_boot_ns, clock_boottime_ns() + HOUR));
	cr_expect(ge(i64, t.until_boot_ns, before + HOUR - 60 * NSEC_PER_SEC));
	box_str(t.boot, identity(false));
	box_ok(deadline_now_read(host(), &now, &err));
	cr_expect(eq(int, (int)deadline_is_due(&t, &now), (int)DEADLINE_NOT_DUE));
	now.real_ns = until;
	cr_expect(eq(int, (int)deadline_is_due(&t, &now), (int)DEADLINE_PASSED));
	state_toggle_release(&t);
}

Test(deadline, that_can_not_be_set_leaves_the_toggle_alone)
{
	struct state_toggle t = { .boot = strdup("old"), .until_ns = 7 };
	struct error err = ERROR_INIT;

	box_write(DEADLINE_RUN_DIR, "");
	box_fails(deadline_set(&t, host(), NOON, true, &err), ERROR_REFUSED, DEADLINE_BOOT_FILE);
	box_str(t.boot, "old");
	cr_expect(eq(i64, t.until_ns, 7));
	state_toggle_release(&t);
}

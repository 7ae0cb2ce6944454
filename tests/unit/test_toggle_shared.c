/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Two sshd instances which include the same file: two toggles, two edits of ours one on the other.
 */
#include "fault_host.h"
#include "test_service_fixture.h"

#include <rootlatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test_config.h"

#define SHARED "/etc/ssh/shared.conf"
#define OTHER "/etc/ssh/other_config"
#define BEFORE "# by hand\nPermitRootLogin no # never\nX11Forwarding no\n"

static struct rootlatch *a, *b;
static struct stat first_seen;

static struct rootlatch *new_handle(const char *config)
{
	const struct rootlatch_options o = { .state_dir = "/run/state", .lens_dir = lens_dir(),
					     .sshd_config = config };
	struct rootlatch_error err = { 0 };
	struct rootlatch *r = NULL;

	assert_ok(rootlatch_new(&o, &r, &err));
	return r;
}

static void enter(void)
{
	fixture_enter();
	fixture_write(CONFIG, "Include " SHARED "\nPort 22\n");
	fixture_write(OTHER, "Include " SHARED "\nPort 2200\n");
	fixture_write(SHARED, BEFORE);
	cr_assert(eq(int, stat(SHARED, &first_seen), 0));
	a = new_handle(CONFIG);
	b = new_handle(OTHER);
}

static void leave(void)
{
	rootlatch_free(a);
	rootlatch_free(b);
	fixture_leave();
}

TestSuite(toggle_shared, .init = enter, .fini = leave, .timeout = 60);

static void open_one(struct rootlatch *r, const char *allow)
{
	const struct rootlatch_terms terms = { .allow = allow, .keep = true, .placement = ROOTLATCH_IN_PLACE };
	struct rootlatch_result *result = NULL;
	struct rootlatch_plan *plan = NULL;
	struct rootlatch_error err = { 0 };

	assert_ok(rootlatch_plan_apply(r, rootlatch_root_login(r), &terms, &plan, &err));
	assert_ok(rootlatch_commit(plan, &result, &err));
	cr_assert(strstr(rootlatch_result_json(result), "\"applied\"") != NULL, "%s",
		  rootlatch_result_json(result));
	rootlatch_result_free(result);
	rootlatch_plan_free(plan);
}

/* The status of the result: 4 when sshd says yes all the same. */
static int close_one(struct rootlatch *r)
{
	struct rootlatch_result *result = NULL;
	struct rootlatch_plan *plan = NULL;
	struct rootlatch_error err = { 0 };
	int status;

	assert_ok(rootlatch_plan_revert(r, rootlatch_root_login(r), &plan, &err));
	assert_ok(rootlatch_commit(plan, &result, &err));
	status = rootlatch_result_status(result);
	rootlatch_result_free(result);
	rootlatch_plan_free(plan);
	return status;
}

static const char *text_of(const char *path)
{
	static char text[4096];
	FILE *f = fopen(path, "r");

	cr_assert(f != NULL);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	(void)fclose(f);
	return text;
}

/* The one that is not commented out. */
static const char *live_value(void)
{
	static char value[64];
	const char *line = strstr(text_of(SHARED), "\nPermitRootLogin ");

	value[0] = '\0';
	if (line != NULL)
		(void)sscanf(line, "\nPermitRootLogin %63s", value);
	return value;
}

static void expect_as_before(void)
{
	struct stat now;

	expect_str(text_of(SHARED), BEFORE);
	cr_assert(eq(int, stat(SHARED, &now), 0));
	cr_expect(now.st_mtim.tv_sec == first_seen.st_mtim.tv_sec &&
		  now.st_mtim.tv_nsec == first_seen.st_mtim.tv_nsec);
	cr_expect(eq(uint, now.st_mode, first_seen.st_mode));
	cr_expect(eq(int, system("test -z \"$(ls -A /etc/ssh | grep '^\\.')\""), 0));
}

Test(toggle_shared, is_as_before_when_the_last_is_closed_first)
{
	open_one(a, "prohibit-password");
	open_one(b, "yes");
	expect_str(live_value(), "yes");
	cr_expect(eq(int, close_one(b), ROOTLATCH_OK));
	expect_str(live_value(), "prohibit-password");
	cr_expect(eq(int, close_one(a), ROOTLATCH_OK));
	expect_as_before();
}

Test(toggle_shared, is_as_before_when_the_first_is_closed_first)
{
	open_one(a, "prohibit-password");
	open_one(b, "yes");
	/* what stays open is the other toggle's: neither more nor less than it was */
	(void)close_one(a);
	expect_str(live_value(), "yes");
	cr_expect(eq(int, close_one(b), ROOTLATCH_OK));
	expect_as_before();
}

Test(toggle_shared, keeps_what_somebody_wrote_between_and_closes_all_the_same)
{
	static const char *const orders[] = { "ab", "ba" };

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		char text[4096];

		fixture_write(SHARED, BEFORE);
		open_one(a, "prohibit-password");
		(void)snprintf(text, sizeof(text), "%s# between\n", text_of(SHARED));
		fixture_write(SHARED, text);
		open_one(b, "yes");
		for (const char *p = orders[i]; *p != '\0'; p++)
			(void)close_one(*p == 'a' ? a : b);
		expect_str(text_of(SHARED), BEFORE "# between\n", "order %s", orders[i]);
	}
}

/* After a close by meaning, too, the base of the next opening is what is there then. */
Test(toggle_shared, is_as_before_again_and_again)
{
	for (int round = 0; round < 2; round++) {
		open_one(a, "prohibit-password");
		open_one(b, "yes");
		(void)close_one(round == 0 ? a : b);
		(void)close_one(round == 0 ? b : a);
		expect_as_before();
	}
}

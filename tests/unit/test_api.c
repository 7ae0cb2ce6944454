/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The public header alone, and the JSON that scripts depend on. sshd is asked, none runs.
 */
#include "fault_host.h"
#include "test_service_fixture.h"

#include <fcntl.h>
#include <jansson.h>
#include <rootlatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_config.h"

#define STATE "/run/state"
#define BEFORE "Port 22\nPermitRootLogin no\nPermitRootLogin forced-commands-only\n"

static void enter(void)
{
	fixture_enter();
}

TestSuite(api, .init = enter, .fini = fixture_leave, .timeout = 60);

static unsigned events;

static void count_event(void *ctx, const char *event)
{
	cr_expect(eq(ptr, ctx, &events));
	cr_expect(ne(sz, strlen(event), 0));
	events++;
}

static struct rootlatch_options options(void)
{
	return (struct rootlatch_options){ .state_dir = STATE, .lens_dir = lens_dir(),
					   .event = count_event, .event_ctx = &events };
}

static struct rootlatch *new_handle(void)
{
	const struct rootlatch_options o = options();
	struct rootlatch_error err = { 0 };
	struct rootlatch *r = NULL;

	assert_ok(rootlatch_new(&o, &r, &err));
	return r;
}

/* The document of a result, which is released. */
static json_t *document(struct rootlatch_result *result, int status)
{
	json_t *doc = json_loads(rootlatch_result_json(result), JSON_REJECT_DUPLICATES, NULL);

	cr_assert(doc != NULL, "%s", rootlatch_result_json(result));
	cr_expect(eq(int, rootlatch_result_status(result), status), "%s",
		  rootlatch_result_json(result));
	rootlatch_result_free(result);
	return doc;
}

static json_t *first(const json_t *doc)
{
	return json_array_get(json_object_get(doc, "results"), 0);
}

static const char *string_in(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "(no text)";
}

/* "name:type name:type ...", type one of s i b a o n, or several of them. */
static void expect_members(const json_t *o, const char *what, const char *wanted)
{
	static const struct {
		char letter;
		json_type type;
	} types[] = { { 's', JSON_STRING }, { 'i', JSON_INTEGER }, { 'b', JSON_TRUE },
		      { 'b', JSON_FALSE },  { 'a', JSON_ARRAY },   { 'o', JSON_OBJECT },
		      { 'n', JSON_NULL } };
	char name[64], allowed[16];
	int used;

	for (const char *p = wanted; sscanf(p, " %63[^:]:%15s%n", name, allowed, &used) == 2;
	     p += used) {
		const json_t *member = json_object_get(o, name);
		bool right = false;

		cr_expect(member != NULL, "%s: no \"%s\"", what, name);
		for (size_t i = 0; member != NULL && i < ARRAY_SIZE(types); i++)
			right |= types[i].type == json_typeof(member) &&
				 strchr(allowed, types[i].letter) != NULL;
		cr_expect(right, "%s: \"%s\" is not %s", what, name, allowed);
	}
}

#define DOCUMENT "schema:i command:s ok:b changed:b results:a "

static int open_with(struct rootlatch *r, const struct rootlatch_terms *terms,
		     struct rootlatch_result **ret, struct rootlatch_error *err)
{
	struct rootlatch_plan *plan = NULL;
	int status = rootlatch_plan_apply(r, rootlatch_root_login(r), terms, &plan, err);

	if (status == 0)
		status = rootlatch_commit(plan, ret, err);
	rootlatch_plan_free(plan);
	return status;
}

static const struct rootlatch_terms terms = { .reason = "move \xc3\xa4", .keep = true,
					      .placement = ROOTLATCH_IN_PLACE };

static json_t *open_it(struct rootlatch *r)
{
	struct rootlatch_result *result = NULL;
	struct rootlatch_error err = { 0 };

	assert_ok(open_with(r, &terms, &result, &err));
	return document(result, ROOTLATCH_OK);
}

static json_t *close_it(struct rootlatch *r)
{
	struct rootlatch_result *result = NULL;
	struct rootlatch_plan *plan = NULL;
	struct rootlatch_error err = { 0 };

	assert_ok(rootlatch_plan_revert(r, rootlatch_root_login(r), &plan, &err));
	assert_ok(rootlatch_commit(plan, &result, &err));
	rootlatch_plan_free(plan);
	return document(result, ROOTLATCH_OK);
}

static const char *file_text(void)
{
	static char text[4096];
	FILE *f = fopen(CONFIG, "r");

	cr_assert(f != NULL);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	(void)fclose(f);
	return text;
}

static void expect_file(const char *wanted)
{
	expect_str(file_text(), wanted);
}

static bool is_open(void)
{
	return strstr(file_text(), "\nPermitRootLogin yes\n") != NULL;
}

/* ---- a handle */

static int new_as_nobody(void)
{
	const struct rootlatch_options o = options();
	struct rootlatch_error err = { 0 };
	struct rootlatch *r = NULL;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(1);
		_exit(rootlatch_new(&o, &r, &err) == 0 ? 2 : r != NULL ? 3 : err.code);
	}
	cr_assert(eq(int, waitpid(pid, &status, 0), pid));
	return WEXITSTATUS(status);
}

Test(api, is_for_root)
{
	cr_expect(eq(int, new_as_nobody(), ROOTLATCH_NOT_PERMITTED));
}

Test(api, refuses_a_host_that_it_can_not_use)
{
	static const struct {
		struct rootlatch_options options;
		int code;
	} rows[] = {
		{ { .root = "/none" }, ROOTLATCH_REFUSED },
		{ { .root = "/etc/passwd" }, ROOTLATCH_REFUSED },
		{ { .root = "/a\nb" }, ROOTLATCH_USAGE },
		{ { .state_dir = "/a\x1b[2J" }, ROOTLATCH_USAGE },
		{ { .sshd_config = "/a\tb" }, ROOTLATCH_USAGE },
		{ { .lens_dir = "/a\nb" }, ROOTLATCH_USAGE },
		{ { .state_dir = "/run" }, ROOTLATCH_REFUSED }, /* others can read it */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rootlatch_error err = { 0 };
		struct rootlatch *r = NULL;

		cr_expect(eq(int, rootlatch_new(&rows[i].options, &r, &err), -1), "row %zu", i);
		cr_expect(eq(int, err.code, rows[i].code), "row %zu: %s", i, err.message);
		cr_expect(r == NULL, "row %zu", i);
		cr_expect(ne(sz, strlen(err.message), 0), "row %zu", i);
		cr_expect(eq(int, rootlatch_new(&rows[i].options, &r, NULL), -1), "row %zu", i);
	}
	rootlatch_free(NULL);
	rootlatch_plan_free(NULL);
	rootlatch_result_free(NULL);
}

Test(api, names_its_toggle_after_the_file)
{
	struct rootlatch_options o = options();
	struct rootlatch *r = new_handle();
	struct rootlatch_error err = { 0 };

	expect_str(rootlatch_root_login(r), "root-login");
	rootlatch_free(r);
	o.sshd_config = "/srv/../srv//x/./sshd_config";
	assert_ok(rootlatch_new(&o, &r, &err));
	expect_str(rootlatch_root_login(r), "root-login@/srv/x/sshd_config");
	rootlatch_free(r);
	cr_expect(ne(int, access(STATE, F_OK), 0));
}

/* ---- what is refused */

Test(api, refuses_terms_that_it_can_not_keep)
{
	static char long_reason[502];
	const struct {
		struct rootlatch_terms terms;
		int code;
	} rows[] = {
		{ { .allow = "no", .keep = true, .placement = ROOTLATCH_IN_PLACE }, ROOTLATCH_USAGE },
		{ { .allow = "YES", .keep = true, .placement = ROOTLATCH_IN_PLACE }, ROOTLATCH_USAGE },
		{ { .allow = "yes\nPermitEmptyPasswords yes", .keep = true, .placement = ROOTLATCH_IN_PLACE },
		  ROOTLATCH_USAGE },
		{ { .reason = "a\nb", .keep = true, .placement = ROOTLATCH_IN_PLACE }, ROOTLATCH_USAGE },
		{ { .reason = "\x1b[2J", .keep = true, .placement = ROOTLATCH_IN_PLACE }, ROOTLATCH_USAGE },
		{ { .reason = "\xe4", .keep = true, .placement = ROOTLATCH_IN_PLACE }, ROOTLATCH_USAGE },
		{ { .reason = long_reason, .keep = true, .placement = ROOTLATCH_IN_PLACE }, ROOTLATCH_USAGE },
		{ { .keep = false, .placement = ROOTLATCH_IN_PLACE }, ROOTLATCH_USAGE },
	};
	struct rootlatch *r = new_handle();

	fixture_write(CONFIG, BEFORE);
	memset(long_reason, 'x', sizeof(long_reason) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rootlatch_error err = { 0 };
		struct rootlatch_plan *plan = NULL;

		cr_expect(eq(int, rootlatch_plan_apply(r, "root-login", &rows[i].terms, &plan, &err),
			     -1), "row %zu", i);
		cr_expect(eq(int, err.code, rows[i].code), "row %zu: %s", i, err.message);
		cr_expect(plan == NULL, "row %zu", i);
		assert_contains(err.hint, "Nothing was changed");
	}
	rootlatch_free(r);
	expect_file(BEFORE);
	cr_expect(ne(int, access(STATE, F_OK), 0));
}

/* A name that is not safe is refused; any other that is none is a mistake in writing. */
Test(api, refuses_what_is_no_toggle)
{
	static const struct {
		const char *name;
		int code;
	} rows[] = {
		{ "", ROOTLATCH_USAGE },
		{ "root", ROOTLATCH_USAGE },
		{ "forced-commands", ROOTLATCH_USAGE },
		{ "root-login@", ROOTLATCH_REFUSED },
		{ "root-login@etc/x", ROOTLATCH_REFUSED },
		{ "root-login@/a\nb", ROOTLATCH_REFUSED },
		{ "root-login@/\xe4", ROOTLATCH_REFUSED },
		{ "\x1b[2J", ROOTLATCH_REFUSED },
		{ "service/../ssh", ROOTLATCH_REFUSED },
		{ "service/", ROOTLATCH_REFUSED },
	};
	struct rootlatch *r = new_handle();
	struct rootlatch_plan *plan = NULL;
	struct rootlatch_error err = { 0 };

	fixture_write(CONFIG, BEFORE);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *name = rows[i].name;

		cr_expect(eq(int, rootlatch_plan_apply(r, name, &terms, &plan, &err), -1), "%s", name);
		cr_expect(eq(int, err.code, rows[i].code), "%s: %s", name, err.message);
		cr_expect(strpbrk(err.message, "\x1b\n") == NULL, "row %zu", i);
		cr_expect(eq(int, rootlatch_plan_revert(r, name, &plan, &err), -1), "%s", name);
		cr_expect(eq(int, err.code, rows[i].code), "%s: %s", name, err.message);
		cr_expect(plan == NULL);
	}
	cr_expect(eq(int, rootlatch_plan_apply(r, "service/ssh", &terms, &plan, &err), -1));
	cr_expect(eq(int, err.code, ROOTLATCH_USAGE), "%s", err.message);
	rootlatch_free(r);
}

Test(api, refuses_to_open_a_service)
{
	struct rootlatch *r = new_handle();
	struct rootlatch_plan *plan = NULL;
	struct rootlatch_error err = { 0 };

	cr_expect(eq(int, rootlatch_plan_apply(r, "service/ssh", &terms, &plan, &err), -1));
	cr_expect(eq(int, err.code, ROOTLATCH_USAGE), "%s", err.message);
	rootlatch_free(r);
}

Test(api, refuses_a_configuration_that_sshd_does_not_accept)
{
	struct rootlatch *r = new_handle();
	struct rootlatch_result *result = NULL;
	struct rootlatch_error err = { 0 };

	fixture_write(CONFIG, "Prot 22\nPermitRootLogin no\n");
	cr_expect(eq(int, open_with(r, &terms, &result, &err), -1));
	cr_expect(eq(int, err.code, ROOTLATCH_REFUSED), "%s", err.message);
	expect_file("Prot 22\nPermitRootLogin no\n");
	rootlatch_free(r);
}

/* ---- a whole life */

Test(api, shows_what_it_would_do_and_does_not_do_it)
{
	struct rootlatch *r = new_handle();
	struct rootlatch_plan *plan = NULL;
	struct rootlatch_result *result = NULL;
	struct rootlatch_error err = { 0 };
	char *diff = NULL;
	json_t *doc;

	fixture_write(CONFIG, BEFORE);
	assert_ok(rootlatch_plan_apply(r, "root-login", &terms, &plan, &err));
	assert_ok(rootlatch_plan_diff(plan, &diff, &err));
	assert_contains(diff, "--- " CONFIG);
	assert_contains(diff, "\n+PermitRootLogin yes\n");
	assert_contains(diff, "\n-PermitRootLogin forced-commands-only\n");
	free(diff);
	assert_ok(rootlatch_plan_judge(plan, &result, &err));
	doc = document(result, ROOTLATCH_DIFFERENT);
	cr_expect(json_object_get(doc, "changed") == json_false());
	cr_expect(json_object_get(first(doc), "changed") == json_false());
	expect_str(string_in(first(doc), "value"), "yes");
	json_decref(doc);
	rootlatch_plan_free(plan);
	rootlatch_free(r);
	expect_file(BEFORE);
	cr_expect(ne(int, access(STATE, F_OK), 0));
}

Test(api, opens_and_closes_and_says_so)
{
	struct rootlatch *r = new_handle();
	struct stat before, after;
	json_t *doc;
	char id[16];

	fixture_write(CONFIG, BEFORE);
	cr_assert(eq(int, stat(CONFIG, &before), 0));
	doc = open_it(r);
	cr_expect(is_open());
	cr_expect(gt(uint, events, 0u));
	expect_members(doc, "open", DOCUMENT);
	expect_str(string_in(doc, "command"), "open");
	cr_expect(json_object_get(doc, "ok") == json_true());
	cr_expect(json_object_get(doc, "changed") == json_true());
	cr_assert(eq(sz, json_array_size(json_object_get(doc, "results")), 1));
	expect_members(first(doc), "open", "host:s toggle:s id:s state:s changed:b until:n "
		       "effective:s placement:s files:a warnings:a was:s value:s");
	expect_str(string_in(first(doc), "state"), "applied");
	expect_str(string_in(first(doc), "was"), "no");
	expect_str(string_in(first(doc), "value"), "yes");
	expect_str(string_in(first(doc), "placement"), "in-place");
	expect_str(json_string_value(json_array_get(json_object_get(first(doc), "files"), 0)), CONFIG);
	(void)snprintf(id, sizeof(id), "%s", string_in(first(doc), "id"));
	cr_expect(eq(sz, strspn(id, "0123456789abcdef"), 8));
	json_decref(doc);

	/* the same again is no change */
	doc = open_it(r);
	cr_expect(json_object_get(doc, "changed") == json_false());
	expect_str(string_in(first(doc), "state"), "applied");
	expect_str(string_in(first(doc), "id"), id);
	json_decref(doc);

	doc = close_it(r);
	expect_str(string_in(doc, "command"), "close");
	expect_str(string_in(first(doc), "state"), "normal");
	expect_str(string_in(first(doc), "undoes"), id);
	expect_str(string_in(first(doc), "value"), "no");
	expect_str(json_string_value(json_array_get(json_object_get(first(doc), "restored"), 0)),
		   CONFIG);
	json_decref(doc);
	expect_file(BEFORE);
	cr_assert(eq(int, stat(CONFIG, &after), 0));
	cr_expect(before.st_ino == after.st_ino);
	cr_expect(before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
		  before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
	doc = close_it(r);
	cr_expect(json_object_get(doc, "changed") == json_false());
	json_decref(doc);
	rootlatch_free(r);
}

Test(api, refuses_other_terms_while_it_is_open)
{
	const struct rootlatch_terms other = { .allow = "prohibit-password", .keep = true,
					       .placement = ROOTLATCH_IN_PLACE };
	struct rootlatch *r = new_handle();
	struct rootlatch_result *result = NULL;
	struct rootlatch_error err = { 0 };

	fixture_write(CONFIG, BEFORE);
	json_decref(open_it(r));
	cr_expect(eq(int, open_with(r, &other, &result, &err), -1));
	cr_expect(eq(int, err.code, ROOTLATCH_REFUSED));
	assert_contains(err.message, "is open already");
	json_decref(close_it(r));
	rootlatch_free(r);
}

static json_t *status_of(struct rootlatch *r, int status)
{
	struct rootlatch_result *result = NULL;
	struct rootlatch_error err = { 0 };

	assert_ok(rootlatch_status(r, NULL, &result, &err));
	return document(result, status);
}

static json_t *check_of(struct rootlatch *r, int status)
{
	struct rootlatch_result *result = NULL;
	struct rootlatch_error err = { 0 };

	assert_ok(rootlatch_check(r, &result, &err));
	return document(result, status);
}

Test(api, tells_what_is_open_and_whether_the_host_agrees)
{
	struct rootlatch *r = new_handle();
	json_t *doc;

	fixture_write(CONFIG, BEFORE);
	doc = status_of(r, ROOTLATCH_OK);
	expect_members(doc, "status", DOCUMENT);
	expect_members(first(doc), "normal", "host:s toggle:s state:s changed:b value:s effective:s "
		       "files:a differences:a warnings:a");
	expect_str(string_in(first(doc), "state"), "normal");
	expect_str(string_in(first(doc), "value"), "no");
	json_decref(doc);
	cr_expect(ne(int, access(STATE, F_OK), 0));

	(void)setenv("SUDO_USER", "alice", 1);
	json_decref(open_it(r));
	doc = status_of(r, ROOTLATCH_OK);
	expect_members(first(doc), "applied", "host:s toggle:s id:s state:s changed:b since:s until:n "
		       "by:s reason:s effective:s placement:s files:a warnings:a");
	expect_str(string_in(first(doc), "state"), "applied");
	expect_str(string_in(first(doc), "by"), "alice");
	expect_str(string_in(first(doc), "reason"), "move \xc3\xa4");
	/* RFC 3339, UTC */
	cr_expect(eq(sz, strlen(string_in(first(doc), "since")), 20));
	cr_expect(eq(chr, string_in(first(doc), "since")[19], 'Z'));
	json_decref(doc);
	doc = check_of(r, ROOTLATCH_OK);
	expect_members(doc, "check", DOCUMENT);
	json_decref(doc);

	fixture_write(CONFIG, "# mine\n" BEFORE);
	doc = status_of(r, ROOTLATCH_OK);
	expect_str(string_in(first(doc), "state"), "drifted");
	cr_expect(json_array_size(json_object_get(first(doc), "differences")) > 0);
	json_decref(doc);
	json_decref(check_of(r, ROOTLATCH_DIFFERENT));
	rootlatch_free(r);
}

Test(api, finds_markers_without_a_state)
{
	struct rootlatch *r = new_handle();
	const json_t *strays;
	json_t *doc;

	fixture_write(CONFIG, "#rootlatch:0badcafe# PermitRootLogin no\nPermitRootLogin yes\n");
	doc = check_of(r, ROOTLATCH_DIFFERENT);
	strays = json_object_get(json_array_get(json_object_get(doc, "results"), 0), "strays");
	cr_assert(eq(sz, json_array_size(strays), 1));
	assert_contains(json_string_value(json_array_get(strays, 0)), CONFIG " line 1");
	json_decref(doc);
	rootlatch_free(r);
}

static int revert_fails_with(struct rootlatch *r)
{
	struct rootlatch_plan *plan = NULL;
	struct rootlatch_error err = { 0 };

	cr_assert(eq(int, rootlatch_plan_revert(r, "root-login", &plan, &err), -1));
	return err.code;
}

/* What it reads while another is at work may be the half of what that one does. */
Test(api, blames_nobody_while_another_is_at_work)
{
	struct rootlatch *r = new_handle();
	int lock;

	fixture_write(CONFIG, "#rootlatch:0badcafe# PermitRootLogin no\nPermitRootLogin yes\n");
	cr_expect(eq(int, revert_fails_with(r), ROOTLATCH_IN_DOUBT));
	cr_assert(eq(int, mkdir(STATE, 0700), 0));
	lock = open(STATE "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert(eq(int, flock(lock, LOCK_EX), 0));
	cr_expect(eq(int, revert_fails_with(r), ROOTLATCH_BUSY));
	(void)close(lock);
	cr_expect(eq(int, revert_fails_with(r), ROOTLATCH_IN_DOUBT));
	rootlatch_free(r);
}

Test(api, remembers_what_was_done)
{
	struct rootlatch *r = new_handle();
	struct rootlatch_result *result = NULL;
	struct rootlatch_error err = { 0 };
	json_t *doc;
	char id[16];

	fixture_write(CONFIG, BEFORE);
	doc = open_it(r);
	(void)snprintf(id, sizeof(id), "%s", string_in(first(doc), "id"));
	json_decref(doc);

	assert_ok(rootlatch_show(r, id, &result, &err));
	doc = document(result, ROOTLATCH_OK);
	expect_members(doc, "show", DOCUMENT);
	expect_members(first(doc), "show", "host:s toggle:s id:s command:s at:s by:s reason:s diff:s "
		       "restore:s applied:b");
	assert_contains(string_in(first(doc), "diff"), "\n+PermitRootLogin yes\n");
	cr_expect(json_object_get(first(doc), "applied") == json_true());
	cr_expect(eq(int, access(string_in(first(doc), "restore"), R_OK), 0));
	json_decref(doc);
	json_decref(close_it(r));

	id[4] = '\0';
	assert_ok(rootlatch_show(r, id, &result, &err));
	json_decref(document(result, ROOTLATCH_OK));
	cr_expect(eq(int, rootlatch_show(r, "ffffffff", &result, &err), -1));
	cr_expect(eq(int, err.code, ROOTLATCH_REFUSED));
	cr_expect(eq(int, rootlatch_show(r, "../../x", &result, &err), -1));
	cr_expect(eq(int, err.code, ROOTLATCH_USAGE));

	assert_ok(rootlatch_log(r, NULL, 0, 0, &result, &err));
	doc = document(result, ROOTLATCH_OK);
	expect_members(doc, "log", DOCUMENT "unreadable:i");
	cr_assert(eq(sz, json_array_size(json_object_get(doc, "results")), 2));
	expect_members(first(doc), "log", "at:s event:s command:s toggle:s id:s by:s");
	expect_str(string_in(first(doc), "event"), "opened");
	json_decref(doc);
	assert_ok(rootlatch_log(r, "root-login@/other", 0, 0, &result, &err));
	doc = document(result, ROOTLATCH_OK);
	cr_expect(eq(sz, json_array_size(json_object_get(doc, "results")), 0));
	json_decref(doc);
	rootlatch_free(r);
}

Test(api, has_nothing_to_recover_and_makes_nothing)
{
	struct rootlatch *r = new_handle();
	struct rootlatch_result *result = NULL;
	struct rootlatch_error err = { 0 };
	json_t *doc;

	fixture_write(CONFIG, BEFORE);
	assert_ok(rootlatch_recover(r, &result, &err));
	doc = document(result, ROOTLATCH_OK);
	expect_members(doc, "recover", DOCUMENT);
	cr_expect(json_object_get(doc, "changed") == json_false());
	json_decref(doc);
	cr_expect(ne(int, access(STATE, F_OK), 0));
	rootlatch_free(r);
}

Test(api, says_what_failed_in_the_same_shape)
{
	const struct rootlatch_error err = { .code = ROOTLATCH_REFUSED, .message = "no \xe4 \x1b",
					     .hint = "one\ntwo" };
	char *text = rootlatch_error_json(NULL, "open", NULL, &err);
	json_t *doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const json_t *error = json_object_get(first(doc), "error");

	expect_members(doc, "error", DOCUMENT);
	cr_expect(json_object_get(doc, "ok") == json_false());
	expect_members(first(doc), "error", "host:s error:o changed:b");
	expect_members(error, "error", "code:i message:s hint:s");
	expect_str(string_in(error, "message"), "no \\xe4 \\x1b");
	expect_str(string_in(error, "hint"), "one\ntwo");
	json_decref(doc);
	free(text);
}

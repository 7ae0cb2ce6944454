/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_config.h"

#include "config/marker.h"
#include "config/sshd_opening.h"

#define MAIN "/etc/ssh/sshd_config"
#define OURS "/run/rootlatch/sshd/main.conf"
#define HEAD "#rootlatch:0badcafe#\n# Made by rootlatch: root may log in"
#define CLOSE "# `rootlatch close` removes this file."

static struct strings list(const char *a, const char *b)
{
	static char *items[3];

	items[0] = (char *)a;
	items[1] = (char *)b;
	return (struct strings){ .items = items, .len = a == NULL ? 0 : b == NULL ? 1 : 2 };
}

static const struct {
	struct sshd_opening o;
	const char *from[2];
	const char *text;
} openings[] = {
	{ { .allow = "yes", .runtime = true }, { NULL },
	  HEAD ".\n" CLOSE " So does a reboot.\nPermitRootLogin yes\n" },
	{ { .allow = "yes" }, { NULL }, HEAD ".\n" CLOSE "\nPermitRootLogin yes\n" },
	{ { .allow = "yes", .everybody_matched = true }, { NULL },
	  HEAD ".\n" CLOSE "\nMatch all\n    PermitRootLogin yes\n" },
	{ { .allow = "prohibit-password", .runtime = true }, { "192.0.2.10", "2001:db8::/32" },
	  HEAD ", but not with a password, from the addresses below.\n" CLOSE
	  " So does a reboot.\n"
	  "Match Address 192.0.2.10,2001:db8::/32\n    PermitRootLogin prohibit-password\n" },
	/* A condition beats all others anyway. */
	{ { .allow = "yes", .everybody_matched = true }, { "192.0.2.10", NULL },
	  HEAD ", from the addresses below.\n" CLOSE
	  "\nMatch Address 192.0.2.10\n    PermitRootLogin yes\n" },
	{ { .allow = "forced-commands-only" }, { NULL },
	  "#rootlatch:0badcafe#\n"
	  "# Made by rootlatch: root may run the commands that its keys are bound to.\n" CLOSE
	  "\nPermitRootLogin forced-commands-only\n" },
	{ { .allow = "no" }, { NULL },
	  "#rootlatch:0badcafe#\n# Made by rootlatch: root may not log in.\n" CLOSE
	  "\nPermitRootLogin no\n" },
};

Test(config_sshd_opening, says_what_it_is_and_opens)
{
	for (size_t i = 0; i < ARRAY_SIZE(openings); i++) {
		const struct strings from = list(openings[i].from[0], openings[i].from[1]);
		struct sshd_opening o = openings[i].o;
		_cleanup_buffer_ struct buffer made = BUFFER_INIT;
		struct error err = ERROR_INIT;

		o.id = "0badcafe";
		o.from = i % 2 == 0 || from.len > 0 ? &from : NULL;
		cr_assert(eq(int, sshd_opening_text(&o, &made, &err), 0), "%s", err.message);
		cr_expect(eq(str, made.data, (char *)openings[i].text));
	}
}

static int remember(void *ctx, const struct marker *m)
{
	char *out = ctx;

	sprintf(out + strlen(out), "%zu %s%s;", m->number, m->id,
		m->original.data != NULL ? " wraps" : "");
	return 0;
}

Test(config_sshd_opening, has_a_marker_that_the_scan_finds)
{
	const struct sshd_opening o = { .id = "0badcafe", .allow = "yes" };
	_cleanup_buffer_ struct buffer made = BUFFER_INIT;
	struct error err = ERROR_INIT;
	char found[64] = "";

	cr_assert(eq(int, sshd_opening_text(&o, &made, &err), 0));
	cr_expect(eq(int, marker_scan(slice_of(made.data, made.len), remember, found), 0));
	cr_expect(eq(str, found, (char *)"1 0badcafe;"));
}

/* The opening as sshd reads it, before an administrator's files of all sorts. */
Test(config_sshd_opening, decides_as_our_own_reading_of_sshd_says)
{
	static const struct {
		struct sshd_opening o;
		const char *from;
		const char *theirs;
		const char *deciding; /* for connections without a network condition */
		enum sshd_scope scope; /* of our line */
	} rows[] = {
		{ { .allow = "yes" }, NULL, "PermitRootLogin no\n", "yes", SSHD_SCOPE_GLOBAL },
		{ { .allow = "yes" }, NULL, "Match all\nPermitRootLogin no\n", "no",
		  SSHD_SCOPE_GLOBAL },
		{ { .allow = "yes", .everybody_matched = true }, NULL,
		  "PermitRootLogin no\nMatch User root\nPermitRootLogin no\n", "yes",
		  SSHD_SCOPE_ROOT },
		{ { .allow = "yes" }, "192.0.2.1", "PermitRootLogin no\n", "no",
		  SSHD_SCOPE_NETWORK },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct strings from = list(rows[i].from, NULL);
		struct sshd_opening o = rows[i].o;
		_cleanup_sshd_closure_ struct sshd_closure c = SSHD_CLOSURE_INIT;
		_cleanup_buffer_ struct buffer made = BUFFER_INIT, base = BUFFER_INIT;
		_cleanup_free_ char *include = NULL;
		struct test_file files[] = { { MAIN, NULL }, { OURS, NULL }, { NULL, NULL } };
		struct error err = ERROR_INIT;

		o.id = "0badcafe";
		o.from = &from;
		cr_assert(eq(int, sshd_opening_text(&o, &made, &err), 0), "%s", err.message);
		cr_assert(eq(int, sshd_include_text(OURS, &include, &err), 0));
		cr_assert(eq(int, buffer_printf(&base, &err, "%s\n%s", include, rows[i].theirs), 0));
		files[0].text = base.data;
		files[1].text = made.data;
		cr_assert(eq(int, test_closure(files, &c, &err), 0), "%s", err.message);
		cr_expect(eq(str, c.directives[sshd_closure_deciding(&c)].value,
			     (char *)rows[i].deciding), "row %zu", i);
		for (size_t d = 0; d < c.directives_len; d++)
			if (c.directives[d].file == 1 &&
			    c.directives[d].keyword == SSHD_PERMIT_ROOT_LOGIN)
				cr_expect(eq(int, c.directives[d].scope, rows[i].scope));
	}
}

Test(config_sshd_opening, refuses_what_would_be_no_such_file)
{
	static const struct {
		const char *id, *allow, *from;
		enum error_code code;
	} rows[] = {
		{ "0badcaf", "yes", NULL, ERROR_REFUSED },
		{ "0badcafE", "yes", NULL, ERROR_REFUSED },
		{ "0badcafe", "maybe", NULL, ERROR_USAGE },
		{ "0badcafe", "yes\nPort 23", NULL, ERROR_USAGE },
		{ "0badcafe", "", NULL, ERROR_USAGE },
		{ "0badcafe", "yes", "", ERROR_FAILED },
		{ "0badcafe", "yes", "192.0.2.1\nPermitRootLogin yes", ERROR_FAILED },
		{ "0badcafe", "yes", "192.0.2.1 User bob", ERROR_FAILED },
		{ "0badcafe", "yes", "!192.0.2.1", ERROR_FAILED },
		{ "0badcafe", "yes", "*", ERROR_FAILED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct strings from = list(rows[i].from, NULL);
		const struct sshd_opening o = { .id = rows[i].id,
						.allow = rows[i].allow,
						.from = &from };
		_cleanup_buffer_ struct buffer made = BUFFER_INIT;
		struct error err = ERROR_INIT;

		cr_expect(eq(int, sshd_opening_text(&o, &made, &err), -1), "row %zu", i);
		cr_expect(eq(int, err.code, rows[i].code), "row %zu", i);
		cr_expect(zero(sz, made.len), "row %zu", i);
	}
}

/* Back through our own cutting of lines, as sshd will read it. */
Test(config_sshd_opening, an_include_names_one_file_literally)
{
	static const struct {
		const char *path;
		const char *line;
	} rows[] = {
		{ OURS, "Include " OURS },
		{ "/etc/ssh/sshd_config.d/00-rootlatch.conf",
		  "Include /etc/ssh/sshd_config.d/00-rootlatch.conf" },
		{ "/a b/c", "Include \"/a b/c\"" },
		{ "/a=b", "Include \"/a=b\"" },
		{ "/a #b", "Include \"/a #b\"" },
		{ "/a\xc3\xa4{1,2}~!;$x", "Include /a\xc3\xa4{1,2}~!;$x" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strings_ struct strings args = STRINGS_INIT;
		_cleanup_free_ char *line = NULL;
		struct error err = ERROR_INIT;
		struct sshd_line l;

		cr_assert(eq(int, sshd_include_text(rows[i].path, &line, &err), 0), "%s",
			  err.message);
		cr_expect(eq(str, line, (char *)rows[i].line));
		sshd_line_parse(text(line), &l);
		cr_assert(eq(int, l.keyword, SSHD_INCLUDE));
		cr_assert(eq(int, sshd_line_args(&l, text(line), &args, &err), 0));
		cr_assert(eq(sz, args.len, 1));
		cr_expect(eq(str, args.items[0], (char *)rows[i].path));
	}
}

Test(config_sshd_opening, an_include_that_sshd_would_read_otherwise_is_refused)
{
	static const char *const paths[] = {
		"",	 "a",	   "~/a",    "/a*",  "/a?",  "/a[b]", "/a]",   "/a\"b", "/a'b",
		"/a\\b", "/a\nb",  "/a\tb",  "/a\x7f", "/a//b", "/a/./b", "/a/../b",
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct error err = ERROR_INIT;
		char *line = NULL;

		cr_expect(eq(int, sshd_include_text(paths[i], &line, &err), -1), "%s", paths[i]);
		cr_expect(eq(int, err.code, ERROR_REFUSED), "%s", paths[i]);
		cr_expect(zero(ptr, strpbrk(err.message, "\n\t\x7f")), "%s", paths[i]);
		cr_expect(zero(ptr, line), "%s", paths[i]);
	}
}

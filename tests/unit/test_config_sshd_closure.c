/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_config.h"

#define MAIN "/etc/ssh/sshd_config"

/* "path:line value scope" of each PermitRootLogin, in order; then "= index of the
 * deciding". */
static char *read_all(const struct test_file *files)
{
	static const char *const scopes[] = { "global", "root", "network", "unknown",
					      "never" };
	_cleanup_sshd_closure_ struct sshd_closure c = SSHD_CLOSURE_INIT;
	struct error err = ERROR_INIT;
	char out[4096] = "";
	size_t n = 0, shown = 0, deciding;

	cr_assert(eq(int, test_closure(files, &c, &err), 0), "%s", err.message);
	deciding = sshd_closure_deciding(&c);
	for (size_t i = 0; i < c.directives_len; i++) {
		const struct sshd_directive *d = &c.directives[i];
		const char *path = strrchr(sshd_directive_path(&c, d), '/') + 1;

		if (d->keyword != SSHD_PERMIT_ROOT_LOGIN)
			continue;
		if (i == deciding)
			shown = n + 1;
		n++;
		sprintf(out + strlen(out), "%s:%zu %s %s; ", path,
			sshd_directive_number(&c, d), d->value, scopes[d->scope]);
	}
	sprintf(out + strlen(out), "= %zu", shown);
	return show(text(out));
}

static char *read_one(const char *file)
{
	const struct test_file files[] = { { MAIN, file }, { NULL, NULL } };

	return read_all(files);
}

/* Each asked of OpenSSH 9.2 by `sshd -T` with a full -C. */
Test(config_sshd_closure, finds_the_deciding_line_of_one_file)
{
	static const struct {
		const char *file;
		const char *wanted;
	} rows[] = {
		{ "", "= 0" },
		{ "Port 22\n#PermitRootLogin yes\n", "= 0" },
		{ "PermitRootLogin no\nPermitRootLogin yes\n",
		  "sshd_config:1 no global; sshd_config:2 yes global; = 1" },
		{ "PermitRootLogin no\nMatch all\nPermitRootLogin yes",
		  "sshd_config:1 no global; sshd_config:3 yes root; = 2" },
		{ "PermitRootLogin no\nMatch User bob\nPermitRootLogin yes\n",
		  "sshd_config:1 no global; sshd_config:3 yes never; = 1" },
		{ "Match User bob\nMatch User root\nPermitRootLogin yes\nPermitRootLogin no\n",
		  "sshd_config:3 yes root; sshd_config:4 no root; = 1" },
		{ "Match Address 10.0.0.0/8\n PermitRootLogin yes\n",
		  "sshd_config:2 yes network; = 0" },
		{ "Match Address 10.0.0.0/8\n PermitRootLogin yes\nMatch all\nPermitRootLogin no",
		  "sshd_config:2 yes network; sshd_config:4 no root; = 2" },
		{ "Match exec x\n PermitRootLogin \"yes\"\n",
		  "sshd_config:2 yes unknown; = 0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect(eq(str, read_one(rows[i].file), (char *)rows[i].wanted),
			  "file:\n%s", rows[i].file);
}

Test(config_sshd_closure, expands_includes_in_place_and_relative_to_etc_ssh)
{
	static const struct test_file files[] = {
		{ MAIN, "Include d/*\nPermitRootLogin no\nInclude /x \"/y\"\n" },
		{ "/etc/ssh/d/B.conf", "PermitRootLogin yes" },
		{ "/etc/ssh/d/a.conf", "PermitRootLogin forced-commands-only" },
		{ "/x", "PermitRootLogin without-password\n" },
		{ "/y", "PermitRootLogin prohibit-password\n" },
		{ NULL, NULL },
	};

	cr_expect(eq(str, read_all(files),
		     (char *)"B.conf:1 yes global; a.conf:1 forced-commands-only global; "
			     "sshd_config:2 no global; x:1 without-password global; "
			     "y:1 prohibit-password global; = 1"));
}

Test(config_sshd_closure, ends_a_match_with_its_file_and_nests_it_in_the_outer_one)
{
	static const struct test_file files[] = {
		{ MAIN, "Include /all\nPermitRootLogin no\n"
			"Match User bob\nInclude /all /plain\nPermitRootLogin no\n"
			"Match User root\nInclude /net /plain\nPermitRootLogin no\n" },
		{ "/all", "Match all\nPermitRootLogin yes\n" },
		{ "/plain", "PermitRootLogin yes\n" },
		{ "/net",
		  "PermitRootLogin yes\nMatch LocalPort 22\nPermitRootLogin yes\n" },
		{ NULL, NULL },
	};

	cr_expect(
		eq(str, read_all(files),
		   (char *)"all:2 yes root; sshd_config:2 no global; "
			   "all:2 yes never; plain:1 yes never; sshd_config:5 no never; "
			   "net:1 yes root; net:3 yes network; plain:1 yes root; "
			   "sshd_config:8 no root; = 1"));
}

Test(config_sshd_closure, loads_a_file_once_and_names_the_match_in_force)
{
	static const struct test_file files[] = {
		{ MAIN,
		  "Include /a\n  Match Address 192.0.2.0/24 # office\nInclude /a\n" },
		{ "/a", "\nPermitRootLogin yes\n" },
		{ NULL, NULL },
	};
	_cleanup_sshd_closure_ struct sshd_closure c = SSHD_CLOSURE_INIT;
	struct error err = ERROR_INIT;

	cr_assert(eq(int, test_closure(files, &c, &err), 0));
	cr_assert(eq(sz, c.files_len, 2));
	cr_assert(eq(sz, c.directives_len, 3));
	cr_expect(eq(str, c.files[1].path, (char *)"/a"));
	cr_expect(c.has_include);
	cr_expect(eq(sz, c.directives[0].match, SSHD_NONE));
	cr_expect(eq(int, c.directives[1].keyword, SSHD_MATCH));
	cr_expect(eq(sz, c.directives[2].match, 1));
	cr_expect(eq(sz, sshd_directive_number(&c, &c.directives[1]), 2));
	cr_expect(eq(str, show(sshd_directive_text(&c, &c.directives[1])),
		     (char *)"Match Address 192.0.2.0/24 # office"));
}

Test(config_sshd_closure, gives_each_match_the_one_around_it)
{
	static const struct test_file files[] = {
		{ MAIN, "Match User x\nMatch Host y\nInclude /a\nMatch all\n" },
		{ "/a", "Match User root\nMatch all\nPermitRootLogin no\n" },
		{ NULL, NULL },
	};
	static const size_t wanted[] = { SSHD_NONE, SSHD_NONE, 1, 1, 3, SSHD_NONE };
	_cleanup_sshd_closure_ struct sshd_closure c = SSHD_CLOSURE_INIT;
	struct error err = ERROR_INIT;

	cr_assert(eq(int, test_closure(files, &c, &err), 0));
	cr_assert(eq(sz, c.directives_len, ARRAY_SIZE(wanted)));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		cr_expect(eq(sz, c.directives[i].match, wanted[i]), "directive %zu", i);
}

Test(config_sshd_closure, knows_what_its_includes_would_find)
{
	static const struct test_file files[] = {
		{ MAIN, "Include d/*.conf /run/x.conf\nMatch User bob\nInclude \"/q q/[ab]\" ~/y\n"
			"Include d/*.conf\nInclude d/\\*\n" },
		{ "/run/x.conf", "Include deep\nInclude /run/x.conf.d/.*\n" },
		{ NULL, NULL },
	};
	static const char *const patterns[] = { "/etc/ssh/d/*.conf", "/run/x.conf", "/etc/ssh/deep",
						"/run/x.conf.d/.*", "/q q/[ab]", "~/y" };
	static const char *const found[] = { "/etc/ssh/d/a.conf", "/etc/ssh/d/00-x.conf",
					     "/run/x.conf", "/etc/ssh/deep", "/run/x.conf.d/.h", "/q q/a" };
	static const char *const not_found[] = { MAIN, "/etc/ssh/d/.a.conf", "/etc/ssh/d/e/a.conf",
						 "/etc/ssh/d/a.confx", "/run/X.conf", "/q q/c",
						 "/run/x.conf.d/h", "/root/y", "d/a.conf", "" };
	_cleanup_sshd_closure_ struct sshd_closure c = SSHD_CLOSURE_INIT;
	struct error err = ERROR_INIT;

	cr_assert(eq(int, test_closure(files, &c, &err), 0), "%s", err.message);
	cr_assert(eq(sz, c.patterns.len, ARRAY_SIZE(patterns) + 1));
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		cr_expect(eq(str, c.patterns.items[i], (char *)patterns[i]));
	cr_expect(eq(str, c.patterns.items[ARRAY_SIZE(patterns)], (char *)"/etc/ssh/d/\\*"));
	for (size_t i = 0; i < ARRAY_SIZE(found); i++)
		cr_expect(sshd_closure_would_read(&c, found[i]), "%s", found[i]);
	for (size_t i = 0; i < ARRAY_SIZE(not_found); i++)
		cr_expect(not(sshd_closure_would_read(&c, not_found[i])), "%s", not_found[i]);
	cr_expect(sshd_closure_would_read(&c, "/etc/ssh/d/*"));
}

/* A chain of files: /0 includes /1 and so on, up to the last. */
static void make_chain(struct test_file *files, char (*names)[16], char (*texts)[32],
		       size_t last)
{
	for (size_t i = 0; i <= last; i++) {
		sprintf(names[i], "/%zu", i);
		sprintf(texts[i], i < last ? "Include /%zu\n" : "PermitRootLogin yes\n",
			i + 1);
		files[i] = (struct test_file){ names[i], texts[i] };
	}
	files[last + 1] = (struct test_file){ NULL, NULL };
}

Test(config_sshd_closure, follows_16_includes_and_refuses_17)
{
	_cleanup_sshd_closure_ struct sshd_closure c = SSHD_CLOSURE_INIT;
	struct test_file files[20];
	char names[20][16], texts[20][32];
	struct error err = ERROR_INIT;

	make_chain(files, names, texts, 16);
	cr_assert(eq(int, test_closure(files, &c, &err), 0), "%s", err.message);
	cr_expect(eq(sz, sshd_closure_deciding(&c), 0));
	make_chain(files, names, texts, 17);
	cr_assert(eq(int, test_closure(files, &c, &err), -1));
	cr_expect(eq(int, err.code, ERROR_REFUSED));
	cr_expect(not(zero(ptr, strstr(err.message, "/0 line 1 -> /1 line 1 -> "))), "%s",
		  err.message);
	cr_expect(not(zero(ptr, strstr(err.message, "-> /17"))), "%s", err.message);
}

Test(config_sshd_closure, refuses_what_cannot_be_read_exactly)
{
	static const struct {
		const char *file;
		const char *message;
	} rows[] = {
		{ "\nInclude " MAIN "\n", "nested more than 16 deep" },
		{ "Include \"a\n", MAIN " line 1: a quote is not closed" },
		{ "\nMatch User \"a\n", MAIN " line 2: a quote is not closed" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct test_file files[] = { { MAIN, rows[i].file },
						   { NULL, NULL } };
		_cleanup_sshd_closure_ struct sshd_closure c = SSHD_CLOSURE_INIT;
		struct error err = ERROR_INIT;

		cr_assert(eq(int, test_closure(files, &c, &err), -1), "%s", rows[i].file);
		cr_expect(eq(int, err.code, ERROR_REFUSED), "%s", rows[i].file);
		cr_expect(not(zero(ptr, strstr(err.message, rows[i].message))), "%s",
			  err.message);
		cr_expect(eq(sz, c.files_len, 0));
	}
}

static int glob_anything(void *ctx, const char *pattern, struct strings *ret,
			 struct error *err)
{
	(void)ctx;
	return strings_add(ret, pattern, err);
}

Test(config_sshd_closure, passes_errors_of_its_callbacks_on_with_the_place)
{
	const struct test_file files[] = { { MAIN, "\nInclude /gone\n" },
					   { NULL, NULL } };
	const struct sshd_closure_io io = {
		.ctx = (void *)files,
		.glob = glob_anything,
		.load = test_load,
	};
	_cleanup_sshd_closure_ struct sshd_closure c = SSHD_CLOSURE_INIT;
	struct error err = ERROR_INIT;

	cr_assert(eq(int, sshd_closure_read(MAIN, NULL, &io, &c, &err), -1));
	cr_expect(eq(str, err.message, (char *)MAIN " line 2: no file /gone"));
}

/* Every file includes the next twice: 2^16 readings of the last. */
Test(config_sshd_closure, bounds_includes_that_multiply)
{
	_cleanup_sshd_closure_ struct sshd_closure c = SSHD_CLOSURE_INIT;
	struct test_file files[20];
	char names[20][16], texts[20][32];
	struct error err = ERROR_INIT;

	make_chain(files, names, texts, 16);
	for (size_t i = 0; i < 16; i++)
		sprintf(texts[i], "Include /%zu /%zu\n", i + 1, i + 1);
	cr_assert(eq(int, test_closure(files, &c, &err), -1));
	cr_expect(eq(int, err.code, ERROR_REFUSED));
	cr_expect(not(zero(ptr, strstr(err.message, "Includes are followed"))), "%s",
		  err.message);
}

Test(config_sshd_closure, knows_the_values_in_any_case)
{
	cr_expect(eq(int, sshd_permit_parse("yes"), SSHD_PERMIT_YES));
	cr_expect(eq(int, sshd_permit_parse("YES"), SSHD_PERMIT_YES));
	cr_expect(eq(int, sshd_permit_parse("No"), SSHD_PERMIT_NO));
	cr_expect(eq(int, sshd_permit_parse("without-password"),
		     SSHD_PERMIT_PROHIBIT_PASSWORD));
	cr_expect(eq(int, sshd_permit_parse("Prohibit-Password"),
		     SSHD_PERMIT_PROHIBIT_PASSWORD));
	cr_expect(eq(int, sshd_permit_parse("forced-commands-only"),
		     SSHD_PERMIT_FORCED_COMMANDS_ONLY));
	cr_expect(eq(int, sshd_permit_parse("yes "), SSHD_PERMIT_INVALID));
	cr_expect(eq(int, sshd_permit_parse(""), SSHD_PERMIT_INVALID));
	cr_expect(eq(int, sshd_permit_parse("ye"), SSHD_PERMIT_INVALID));
}

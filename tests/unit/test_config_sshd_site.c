/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_config.h"

#include "config/sshd_site.h"

#define MAIN "/etc/ssh/sshd_config"
#define FOLDER "/etc/ssh/sshd_config.d"
#define OURS FOLDER "/00-rootlatch.conf"

/* The site of a main file, beside files that are empty; "line 1" when it is there. */
static char *site(const char *main_text, const char *a, const char *b)
{
	const struct test_file files[] = {
		{ MAIN, main_text }, { a, "" }, { a != NULL ? b : NULL, "" }, { NULL, NULL },
	};
	_cleanup_sshd_closure_ struct sshd_closure c = SSHD_CLOSURE_INIT;
	_cleanup_free_ char *path = NULL;
	struct error err = ERROR_INIT;

	cr_assert(eq(int, test_closure(files, &c, &err), 0), "%s: %s", main_text, err.message);
	cr_assert(eq(int, sshd_site_find(&c, &path, &err), 0), "%s", err.message);
	return show(text(path != NULL ? path : "line 1"));
}

Test(config_sshd_site, is_the_folder_that_is_included_before_anything_else)
{
	static const struct {
		const char *text;
		const char *site;
	} rows[] = {
		/* Debian's */
		{ "# head\n\nInclude /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n", OURS },
		{ "Port 22\nUsePAM yes\nInclude sshd_config.d/*.conf\nPermitRootLogin no\n", OURS },
		{ "include \"sshd_config.d/*\" # all\r\nMatch all\r\n", OURS },
		{ "Include=/etc/ssh/sshd_config.d/[0-9]?-*.conf", OURS },
		{ "Include " OURS "\n", OURS },
		{ "Include /etc/ssh/sshd_config.d/00-rootlatch\\.conf\n", OURS },
		{ "Include /a/b*/nothing /etc/ssh/sshd_config.d/*.conf\n", "line 1" },
		{ "Include /etc/ssh/sshd_config.d/*.conf /a/*\n", OURS },
		{ "Include \"/a b/*.conf\"\n", "/a b/00-rootlatch.conf" },
		{ "Include *.conf\n", "/etc/ssh/00-rootlatch.conf" },
		{ "Include /*.conf\n", "/00-rootlatch.conf" },
		/* Something decides before it, or there is none. */
		{ "", "line 1" },
		{ "Port 22\n", "line 1" },
		{ "PermitRootLogin no\nInclude sshd_config.d/*.conf\n", "line 1" },
		{ "Match User bob\nInclude sshd_config.d/*.conf\n", "line 1" },
		{ "Include /a/*.cnf\nInclude sshd_config.d/*.conf\n", "line 1" },
		{ "Include\nInclude sshd_config.d/*.conf\n", "line 1" },
		{ "Include \"\"\n", "line 1" },
		/* It would not read a file of that name. */
		{ "Include sshd_config.d/*.cfg\n", "line 1" },
		{ "Include sshd_config.d/[1-9]*.conf\n", "line 1" },
		{ "Include sshd_config.d/local.conf\n", "line 1" },
		{ "Include sshd_config.d/\n", "line 1" },
		{ "Include sshd_config.d\n", "line 1" },
		{ "Include sshd_config.d/*/x.conf\n", "line 1" },
		/* Which folder that is depends. */
		{ "Include /etc/ssh/*/*.conf\n", "line 1" },
		{ "Include /etc/ss?/x/*.conf\n", "line 1" },
		{ "Include /etc/[s]sh/*.conf\n", "line 1" },
		{ "Include /etc/ss[h/*.conf\n", "line 1" },
		{ "Include /etc/ss\\\\h/*.conf\n", "line 1" },
		{ "Include ../ssh/sshd_config.d/*.conf\n", "line 1" },
		{ "Include /etc//ssh/*.conf\n", "line 1" },
		{ "Include ./sshd_config.d/*.conf\n", "line 1" },
		{ "Include ~/*.conf\n", "line 1" },
		{ "Include ~root/*.conf\n", "line 1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect(eq(str, site(rows[i].text, NULL, NULL), (char *)rows[i].site), "%s",
			  rows[i].text);
}

Test(config_sshd_site, is_line_1_when_sshd_reads_another_file_of_the_folder_first)
{
	static const char debian[] = "Include " FOLDER "/*\n";
	static const struct {
		const char *a, *b;
		const char *site;
	} rows[] = {
		{ FOLDER "/10-a.conf", FOLDER "/50-cloud-init.conf", OURS },
		{ FOLDER "/00-s.conf", NULL, OURS },
		{ FOLDER "/00-rootlatch.conf.dpkg-old", NULL, OURS },
		{ FOLDER "/00-local.conf", NULL, "line 1" },
		{ FOLDER "/00-Z.conf", FOLDER "/10-a.conf", "line 1" },
		{ FOLDER "/0.conf", NULL, "line 1" },
		{ FOLDER "/00-rootlatch", NULL, "line 1" },
		{ OURS, NULL, "line 1" },
		{ FOLDER "/00-rootlatch.conf", FOLDER "/10-a.conf", "line 1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect(eq(str, site(debian, rows[i].a, rows[i].b), (char *)rows[i].site), "%s",
			  rows[i].a);
}

/* What other Includes read comes later, whatever its name. */
Test(config_sshd_site, does_not_care_about_files_that_come_later)
{
	cr_expect(eq(str,
		     site("Include sshd_config.d/*\nInclude /a/*\n", "/a/00-a.conf", "/a/1"),
		     (char *)OURS));
	cr_expect(eq(str,
		     site("Include sshd_config.d/*\nInclude sshd_config.d/0/*\n", FOLDER "/0/x", NULL),
		     (char *)OURS));
	cr_expect(eq(str, site("Include /b/*.conf /a/*\n", "/a/00-a.conf", NULL),
		     (char *)"/b/00-rootlatch.conf"));
}

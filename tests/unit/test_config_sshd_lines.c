/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Each row was asked of OpenSSH 9.2: `sshd -T` on the one line.
 */
#include "test_config.h"

#include "config/sshd_lines.h"

static const struct {
	const char *line;
	const char *value;   /* NULL: sshd sees no PermitRootLogin here */
	const char *written; /* the value with its quotes, when they differ */
} values[] = {
	{ "PermitRootLogin yes", "yes", NULL },
	{ "permitrootlogin yes", "yes", NULL },
	{ "PERMITROOTLOGIN YES", "YES", NULL },
	{ "  \t\r PermitRootLogin yes", "yes", NULL },
	{ "PermitRootLogin\tyes", "yes", NULL },
	{ "PermitRootLogin\ryes", "yes", NULL },
	{ "PermitRootLogin \r yes", "yes", NULL },
	{ "PermitRootLogin=yes", "yes", NULL },
	{ "PermitRootLogin = yes", "yes", NULL },
	{ "PermitRootLogin =\tyes", "yes", NULL },
	{ "PermitRootLogin\r=\ryes", "yes", NULL },
	{ "PermitRootLogin == yes", "=", NULL },
	{ "PermitRootLogin yes \t\r", "yes", NULL },
	{ "PermitRootLogin yes\f", "yes", NULL },
	{ "PermitRootLogin yes \f \r", "yes", NULL },
	{ "PermitRootLogin yes # note", "yes", NULL },
	{ "PermitRootLogin yes# note", "yes#", NULL },
	{ "PermitRootLogin yes no", "yes", NULL },
	{ "PermitRootLogin \"yes\"", "yes", "\"yes\"" },
	{ "PermitRootLogin 'yes'", "yes", "'yes'" },
	{ "PermitRootLogin y\"e\"s", "yes", "y\"e\"s" },
	{ "PermitRootLogin \"\"'yes'", "yes", "\"\"'yes'" },
	{ "PermitRootLogin \"yes\" # \"", "yes", "\"yes\"" },
	{ "PermitRootLogin \"a b\" c", "a b", "\"a b\"" },
	{ "PermitRootLogin a\\ b", "a b", "a\\ b" },
	{ "PermitRootLogin \"a\\ b\"", "a\\ b", "\"a\\ b\"" },
	{ "PermitRootLogin \\yes", "\\yes", NULL },
	{ "PermitRootLogin a\\'b", "a'b", "a\\'b" },
	{ "\"PermitRootLogin\" yes", "yes", NULL },
	{ "\"PermitRootLogin\"yes", "yes", NULL },
	{ "\"PermitRootLogin\" = yes", "=", NULL },
	{ "\"PermitRootLogin\"\"yes\"", "yes", "\"yes\"" },
	{ "Permit\"RootLogin\" yes", "yes", NULL },
	{ "PermitRootLogin\"\" yes", "yes", NULL },
	{ "=PermitRootLogin yes", "yes", NULL },
	{ "\"\"PermitRootLogin yes", "yes", NULL },
	{ "= = PermitRootLogin yes", NULL, NULL },
	{ "\"PermitRootLogin yes", NULL, NULL },
	{ "PermitRootLogin\" yes", NULL, NULL },
	{ "Permit\"Root\"Login yes", NULL, NULL },
	{ "\fPermitRootLogin yes", NULL, NULL },
	{ "#PermitRootLogin yes", NULL, NULL },
	{ " \t#PermitRootLogin yes", NULL, NULL },
	{ "\"#\" PermitRootLogin yes", NULL, NULL },
	{ ";PermitRootLogin yes", NULL, NULL },
	{ "\xef\xbb\xbfPermitRootLogin yes", NULL, NULL },
	{ "PermitRootLogin\xa0yes", NULL, NULL },
	{ "PermitRootLoginX yes", NULL, NULL },
	{ "PermitRootLogi yes", NULL, NULL },
	{ "====", NULL, NULL },
	{ "", NULL, NULL },
	{ " \t\r\f", NULL, NULL },
	/* Lines without a value; sshd rejects the file. */
	{ "PermitRootLogin", "", NULL },
	{ "PermitRootLogin # note", "", NULL },
	{ "PermitRootLogin =", "", NULL },
};

Test(config_sshd_lines, reads_a_line_as_sshd_does)
{
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		const char *line = values[i].line;
		const char *written = values[i].written;
		struct sshd_line l;
		char value[SSHD_VALUE_MAX];

		sshd_line_parse(text(line), &l);
		cr_expect(eq(int, l.keyword == SSHD_PERMIT_ROOT_LOGIN,
			     values[i].value != NULL),
			  "line: %s", line);
		if (l.keyword != SSHD_PERMIT_ROOT_LOGIN || values[i].value == NULL)
			continue;
		sshd_line_value(&l, text(line), value, sizeof(value));
		cr_expect(eq(str, value, (char *)values[i].value), "line: %s", line);
		if (written == NULL)
			written = values[i].value;
		cr_expect(eq(str, show(slice_of(line + l.value_offset, l.value_len)),
			     (char *)written),
			  "line: %s", line);
	}
}

Test(config_sshd_lines, finds_the_three_keywords_with_number_offset_and_end)
{
	static const char file[] = "Port 22\n"
				   "\tMatch User root\r\n"
				   "\r\n"
				   "  include x y\n"
				   "PermitRootLogin no";
	_cleanup_sshd_lines_ struct sshd_lines lines = SSHD_LINES_INIT;
	struct error err = ERROR_INIT;

	cr_assert(eq(int, sshd_lines_scan("f", text(file), &lines, &err), 0));
	cr_assert(eq(sz, lines.len, 3));
	cr_expect(eq(int, lines.items[0].keyword, SSHD_MATCH));
	cr_expect(eq(sz, lines.items[0].number, 2));
	cr_expect(eq(sz, lines.items[0].offset, 8));
	cr_expect(eq(sz, lines.items[0].len, 18));
	cr_expect(eq(int, lines.items[0].eol_len, 2));
	cr_expect(eq(sz, lines.items[0].keyword_offset, 1));
	cr_expect(eq(sz, lines.items[0].value_offset, 7));
	cr_expect(eq(int, lines.items[1].keyword, SSHD_INCLUDE));
	cr_expect(eq(sz, lines.items[1].number, 4));
	cr_expect(eq(int, lines.items[1].eol_len, 1));
	cr_expect(eq(str, show(sshd_line_text(&lines.items[1], text(file))),
		     (char *)"include x y"));
	cr_expect(eq(int, lines.items[2].keyword, SSHD_PERMIT_ROOT_LOGIN));
	cr_expect(eq(sz, lines.items[2].number, 5));
	cr_expect(eq(int, lines.items[2].eol_len, 0));
}

Test(config_sshd_lines, finds_nothing_in_an_empty_text)
{
	_cleanup_sshd_lines_ struct sshd_lines lines = SSHD_LINES_INIT;
	struct error err = ERROR_INIT;

	cr_assert(eq(int, sshd_lines_scan("f", slice_of(NULL, 0), &lines, &err), 0));
	cr_expect(eq(sz, lines.len, 0));
	cr_assert(eq(int, sshd_lines_scan("f", text("\n\r\n#"), &lines, &err), 0));
	cr_expect(eq(sz, lines.len, 0));
}

Test(config_sshd_lines, refuses_a_nul_byte_with_its_line)
{
	static const char file[] = "Port 22\nPermitRootLogin no\0 x\n";
	_cleanup_sshd_lines_ struct sshd_lines lines = SSHD_LINES_INIT;
	struct error err = ERROR_INIT;

	cr_assert(
		eq(int,
		   sshd_lines_scan("/f", slice_of(file, sizeof(file) - 1), &lines, &err),
		   -1));
	cr_expect(eq(int, err.code, ERROR_REFUSED));
	cr_expect(not(zero(ptr, strstr(err.message, "/f line 2: a NUL byte"))), "%s",
		  err.message);
	cr_expect(ne(chr, err.hint[0], '\0'));
}

static char *args_of(const char *line)
{
	_cleanup_strings_ struct strings args = STRINGS_INIT;
	struct error err = ERROR_INIT;
	struct sshd_line l;
	char joined[1024] = "";

	sshd_line_parse(text(line), &l);
	cr_assert(ne(int, l.keyword, SSHD_OTHER), "line: %s", line);
	if (sshd_line_args(&l, text(line), &args, &err) < 0)
		return show(text("refused"));
	for (size_t i = 0; i < args.len; i++) {
		strcat(joined, "|");
		strcat(joined, args.items[i]);
	}
	return show(text(joined));
}

Test(config_sshd_lines, cuts_the_arguments_of_include_and_match_by_their_own_rules)
{
	static const struct {
		const char *line;
		const char *args;
	} rows[] = {
		{ "Include a b\tc # d", "|a|b|c" },
		{ "Include \"a b\" c\\ d 'e\"f' g=h", "|a b|c d|e\"f|g=h" },
		{ "Include a'b'c #\"", "|abc" },
		{ "Include \"a", "refused" },
		{ "Include a 'b", "refused" },
		{ "Include", "" },
		{ "Match User root", "|User|root" },
		{ "Match User=root  =Group adm", "|User|root|Group|adm" },
		{ "Match User \"root\"Group adm", "|User|root|Group|adm" },
		{ "Match User 'root'", "|User|'root'" },
		{ "Match User ro\\ot", "|User|ro\\ot" },
		{ "Match \"User\" \"root, bob\"", "|User|root, bob" },
		{ "Match User root\rGroup adm", "|User|root|Group|adm" },
		{ "Match all # note", "|all" },
		{ "Match User root \"#\" x", "|User|root" },
		{ "Match User root#x", "|User|root#x" },
		{ "Match User root \"# x", "refused" },
		{ "Match all==", "|all" },
		{ "Match == User root", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect(eq(str, args_of(rows[i].line), (char *)rows[i].args),
			  "line: %s", rows[i].line);
}

Test(config_sshd_lines, cuts_a_long_value_and_terminates_it)
{
	char line[70000] = "PermitRootLogin ";
	struct sshd_line l;
	char value[8];

	memset(line + strlen(line), 'x', sizeof(line) - 100);
	sshd_line_parse(text(line), &l);
	cr_assert(eq(int, l.keyword, SSHD_PERMIT_ROOT_LOGIN));
	cr_expect(eq(sz, l.value_len, strlen(line) - 16));
	sshd_line_value(&l, text(line), value, sizeof(value));
	cr_expect(eq(str, value, (char *)"xxxxxxx"));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_config.h"

#include "config/sshd_plan.h"

#define MAIN "/etc/ssh/sshd_config"
#define ID "#rootlatch:0badcafe#"

static int plan(const struct sshd_closure *closure, const char *value,
		struct sshd_plan *ret, struct error *err)
{
	_cleanup_config_augeas_ struct config_augeas *augeas = NULL;

	if (config_augeas_new(lens_dir(), &augeas, err) < 0)
		return -1;
	return sshd_plan_permit_root_login(closure, value, "0badcafe", augeas, ret, err);
}

/* Every changed file as "path:\ntext", then the notes as "!kind line-of-match ". */
static char *plan_all(const struct test_file *files, const char *value)
{
	_cleanup_sshd_closure_ struct sshd_closure c = SSHD_CLOSURE_INIT;
	_cleanup_sshd_plan_ struct sshd_plan p = SSHD_PLAN_INIT;
	static const char *const kinds[] = { "overridden", "network", "unknown" };
	struct error err = ERROR_INIT;
	char out[8192] = "";

	cr_assert(eq(int, test_closure(files, &c, &err), 0), "%s", err.message);
	cr_assert(eq(int, plan(&c, value, &p, &err), 0), "%s", err.message);
	for (size_t i = 0; i < p.files_len; i++)
		sprintf(out + strlen(out), "%s%s%s",
			i > 0 || p.files[i].file > 0 ? c.files[p.files[i].file].path : "",
			i > 0 || p.files[i].file > 0 ? ":\n" : "", p.files[i].text.data);
	for (size_t i = 0; i < p.notes_len; i++)
		sprintf(out + strlen(out), "!%s %zu ", kinds[p.notes[i].kind],
			sshd_directive_number(&c, &c.directives[p.notes[i].match]));
	return show(text(out));
}

static char *plan_one(const char *file, const char *value)
{
	const struct test_file files[] = { { MAIN, file }, { NULL, NULL } };

	return plan_all(files, value);
}

Test(config_sshd_plan, changes_one_file_in_place)
{
	static const struct {
		const char *file;
		const char *value;
		const char *wanted;
	} rows[] = {
		/* The procedure of 2009. */
		{ "Port 22\nPermitRootLogin no\nUsePAM yes\nPermitRootLogin forced-commands-only\n",
		  "yes",
		  "Port 22\n" ID
		  " PermitRootLogin no\nPermitRootLogin yes\nUsePAM yes\n" ID
		  " PermitRootLogin forced-commands-only\n" },
		{ "PermitRootLogin no\nPermitRootLogin no\nPermitRootLogin YES\n", "yes",
		  ID " PermitRootLogin no\nPermitRootLogin yes\n" ID
		     " PermitRootLogin no\nPermitRootLogin YES\n" },
		{ "x y\r\n permitrootlogin = \"no\" # note \r\nz y", "yes",
		  "x y\r\n" ID "  permitrootlogin = \"no\" # note \r\n"
		  " permitrootlogin = \"yes\" # note \r\nz y" },
		{ "PermitRootLogin no", "forced-commands-only",
		  ID " PermitRootLogin no\nPermitRootLogin forced-commands-only" },
		{ "PermitRootLogin no\r", "yes",
		  ID " PermitRootLogin no\nPermitRootLogin yes\r" },
		/* None there. */
		{ "", "yes", ID "\nPermitRootLogin yes\n" },
		{ "Port 22\r\n#PermitRootLogin no\r\n", "no",
		  ID "\r\nPermitRootLogin no\r\nPort 22\r\n#PermitRootLogin no\r\n" },
		{ "Match User bob\nPermitRootLogin no", "yes",
		  ID "\nPermitRootLogin yes\nMatch User bob\nPermitRootLogin no" },
		{ "Port 22", "prohibit-password",
		  ID "\nPermitRootLogin prohibit-password\nPort 22" },
		/* As wanted already, in word or in meaning. */
		{ "PermitRootLogin yes\nPermitRootLogin no\n", "yes", "" },
		{ "PermitRootLogin Yes\n", "yes", "" },
		{ "PermitRootLogin without-password\n", "prohibit-password", "" },
		{ "PermitRootLogin no\nMatch all\nPermitRootLogin yes\n", "yes", "" },
		/* In a Match that holds for root everywhere, alone. */
		{ "PermitRootLogin no\nMatch User root\n\tPermitRootLogin no\n"
		  "Match all\nPermitRootLogin no\n",
		  "yes",
		  "PermitRootLogin no\nMatch User root\n" ID " \tPermitRootLogin no\n"
		  "\tPermitRootLogin yes\nMatch all\nPermitRootLogin no\n!overridden 2 " },
		/* Conditions that stay in force. */
		{ "PermitRootLogin no\nMatch Address 192.0.2.1\nPermitRootLogin no\n"
		  "PermitRootLogin no\nMatch Exec x\nPermitRootLogin no\n"
		  "Match LocalPort 22\nPermitRootLogin yes\n",
		  "yes",
		  ID
		  " PermitRootLogin no\nPermitRootLogin yes\nMatch Address 192.0.2.1\n"
		  "PermitRootLogin no\nPermitRootLogin no\nMatch Exec x\nPermitRootLogin no\n"
		  "Match LocalPort 22\nPermitRootLogin yes\n!network 2 !unknown 5 " },
		{ "PermitRootLogin yes\nMatch Host x\nPermitRootLogin no\n", "yes",
		  "!network 2 " },
		/* Behind the block that decides, a condition has no say. */
		{ "Match Host x\nPermitRootLogin no\nMatch all\nPermitRootLogin no\n"
		  "Match Host y\nPermitRootLogin no\n",
		  "yes",
		  "Match Host x\nPermitRootLogin no\nMatch all\n" ID
		  " PermitRootLogin no\n"
		  "PermitRootLogin yes\nMatch Host y\nPermitRootLogin no\n"
		  "!network 1 !overridden 3 " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect(eq(str, plan_one(rows[i].file, rows[i].value),
			     (char *)rows[i].wanted),
			  "file:\n%s", rows[i].file);
}

Test(config_sshd_plan, sets_the_line_in_the_file_that_decides_and_disables_in_all_others)
{
	static const struct test_file files[] = {
		{ MAIN, "Include /etc/ssh/d/*\nPermitRootLogin no\n" },
		{ "/etc/ssh/d/1.conf", "Port 22\n" },
		{ "/etc/ssh/d/2.conf", "PermitRootLogin no\n" },
		{ "/etc/ssh/d/3.conf",
		  "PermitRootLogin forced-commands-only\nMatch User bob\n"
		  "PermitRootLogin no\n" },
		{ NULL, NULL },
	};

	cr_expect(eq(str, plan_all(files, "yes"),
		     (char *)"Include /etc/ssh/d/*\n" ID " PermitRootLogin no\n"
			     "/etc/ssh/d/2.conf:\n" ID
			     " PermitRootLogin no\nPermitRootLogin yes\n"
			     "/etc/ssh/d/3.conf:\n" ID
			     " PermitRootLogin forced-commands-only\n"
			     "Match User bob\nPermitRootLogin no\n"));
}

Test(config_sshd_plan, edits_a_file_once_that_is_included_twice)
{
	static const struct test_file files[] = {
		{ MAIN, "Include /a\nInclude /a\n" },
		{ "/a", "PermitRootLogin no\nPermitRootLogin no\n" },
		{ NULL, NULL },
	};

	cr_expect(eq(str, plan_all(files, "yes"),
		     (char *)"/a:\n" ID " PermitRootLogin no\nPermitRootLogin yes\n" ID
			     " PermitRootLogin no\n"));
}

Test(config_sshd_plan, leaves_a_line_alone_that_a_match_reads_too)
{
	static const struct test_file files[] = {
		{ MAIN,
		  "Include /a\nPermitRootLogin no\nMatch Address 192.0.2.1\nInclude /a\n" },
		{ "/a", "PermitRootLogin no\n" },
		{ NULL, NULL },
	};

	cr_expect(eq(str, plan_all(files, "yes"),
		     (char *)ID "\nPermitRootLogin yes\nInclude /a\n" ID
				" PermitRootLogin no\n"
				"Match Address 192.0.2.1\nInclude /a\n!network 3 "));
}

Test(config_sshd_plan, gives_records_that_undo_it)
{
	static const struct test_file files[] = {
		{ MAIN,
		  "Include /a\r\n PermitRootLogin \"no\" # x\r\nPermitRootLogin no" },
		{ "/a", "PermitRootLogin forced-commands-only\n" },
		{ NULL, NULL },
	};
	_cleanup_sshd_closure_ struct sshd_closure c = SSHD_CLOSURE_INIT;
	_cleanup_sshd_plan_ struct sshd_plan p = SSHD_PLAN_INIT;
	struct error err = ERROR_INIT;

	cr_assert(eq(int, test_closure(files, &c, &err), 0));
	cr_assert(eq(int, plan(&c, "yes", &p, &err), 0), "%s", err.message);
	cr_assert(eq(sz, p.files_len, 2));
	cr_expect(eq(sz, p.deciding, 0));
	for (size_t i = 0; i < p.files_len; i++) {
		_cleanup_marker_result_ struct marker_result result = MARKER_RESULT_INIT;
		const struct sshd_plan_file *f = &p.files[i];

		cr_assert(eq(int,
			     marker_edit_revert(slice_of(f->text.data, f->text.len),
						&f->edit, NULL, &result, &err),
			     0));
		cr_assert(eq(int, result.verdict, MARKER_REVERTED));
		cr_expect(eq(str, result.text.data, (char *)files[f->file].text));
	}
}

Test(config_sshd_plan, says_where_it_failed)
{
	static const struct {
		const char *file;
		const char *value;
		enum error_code code;
		const char *message;
	} rows[] = {
		{ "Port 22\n", "maybe", ERROR_USAGE,
		  "not a value of PermitRootLogin: maybe" },
		{ "Port 22\n", "", ERROR_USAGE, "not a value of PermitRootLogin" },
		{ "\nPermitRootLogin n\x04o\n", "yes", ERROR_REFUSED, MAIN " line 2: " },
		{ "\nPermitRootLogin\n", "yes", ERROR_REFUSED, MAIN " line 2: " },
		{ ID "\nPort 22\n", "yes", ERROR_REFUSED,
		  MAIN ": the ID 0badcafe is in use" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct test_file files[] = { { MAIN, rows[i].file },
						   { NULL, NULL } };
		_cleanup_sshd_closure_ struct sshd_closure c = SSHD_CLOSURE_INIT;
		_cleanup_sshd_plan_ struct sshd_plan p = SSHD_PLAN_INIT;
		struct error err = ERROR_INIT;

		cr_assert(eq(int, test_closure(files, &c, &err), 0));
		cr_expect(eq(int, plan(&c, rows[i].value, &p, &err), -1), "%s",
			  rows[i].file);
		cr_expect(eq(int, err.code, rows[i].code), "%s", err.message);
		cr_expect(not(zero(ptr, strstr(err.message, rows[i].message))), "%s",
			  err.message);
		cr_expect(zero(sz, p.files_len));
	}
}

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
		/* Of one block the first line decides. */
		{ "PermitRootLogin yes\nMatch Address 192.0.2.1\nPermitRootLogin yes\n"
		  "PermitRootLogin no\n",
		  "yes", "" },
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

/* The blocks as "!kind line-of-match ", with the file where it is not the main one; then
 * the flags. */
static char *blocks_of(const struct test_file *files, const char *value)
{
	static const char *const kinds[] = { "overridden", "network", "unknown" };
	_cleanup_sshd_closure_ struct sshd_closure c = SSHD_CLOSURE_INIT;
	_cleanup_sshd_blocks_ struct sshd_blocks b = SSHD_BLOCKS_INIT;
	struct error err = ERROR_INIT;
	char out[1024] = "";

	cr_assert(eq(int, test_closure(files, &c, &err), 0), "%s", err.message);
	cr_assert(eq(int, sshd_plan_blocks(&c, value, &b, &err), 0), "%s", err.message);
	for (size_t i = 0; i < b.len; i++) {
		const struct sshd_directive *d = &c.directives[b.items[i].match];

		cr_expect(eq(sz, c.directives[b.items[i].directive].match, b.items[i].match));
		sprintf(out + strlen(out), "!%s %s%zu ", kinds[b.items[i].kind],
			d->file > 0 ? c.files[d->file].path : "",
			sshd_directive_number(&c, d));
	}
	sprintf(out + strlen(out), "%s%s", b.has_root ? "R" : "", b.has_network ? "N" : "");
	return show(text(out));
}

#define NO "PermitRootLogin no\n"
#define YES "PermitRootLogin yes\n"

Test(config_sshd_plan, finds_the_blocks_that_contradict_a_value_read_first)
{
	static const struct {
		const char *file;
		const char *included; /* as /a */
		const char *value;
		const char *blocks;
	} rows[] = {
		{ "", "", "yes", "" },
		{ NO NO, "", "yes", "" },
		{ NO "Match User bob\n" NO, "", "yes", "" },
		/* For root everywhere. */
		{ "Match all\n" NO, "", "yes", "!overridden 1 R" },
		{ NO "Match User root\n" NO, "", "yes", "!overridden 2 R" },
		{ "Match User root\n" YES, "", "yes", "" },
		{ "Match User root\nPermitRootLogin without-password\n", "", "prohibit-password", "" },
		{ "Match User root\n" YES, "", "prohibit-password", "!overridden 1 R" },
		{ "Match User root\nX11Forwarding no\nMatch all\n" NO, "", "yes", "!overridden 3 R" },
		/* The first of them decides. */
		{ "Match User root\n" YES "Match all\n" NO, "", "yes", "" },
		{ "Match User root\n" NO "Match all\n" NO, "", "yes", "!overridden 1 R" },
		{ "Match User root\n" YES "Match Address 192.0.2.1\n" NO, "", "yes", "" },
		{ "Match User root\n" YES NO, "", "yes", "" },
		{ "Match User root\n" NO YES, "", "yes", "!overridden 1 R" },
		/* Network conditions, and what nobody knows. */
		{ NO "Match Address 192.0.2.1\n" NO, "", "yes", "!network 2 N" },
		{ "Match Address 192.0.2.1\n" YES, "", "yes", "" },
		{ "Match Address 192.0.2.1\n" YES NO, "", "yes", "" },
		{ "Match Address 192.0.2.1\n" NO YES NO, "", "yes", "!network 1 N" },
		{ "Match Exec x\n" NO, "", "yes", "!unknown 1 N" },
		{ "Match User bob Address 192.0.2.1\n" NO, "", "yes", "" },
		{ "Match Address 192.0.2.1\n" NO "Match Host x\n" YES "Match Exec x\n" NO
		  "Match LocalPort 22\n" NO, "", "yes", "!network 1 !unknown 5 !network 7 N" },
		/* Both: before the one that holds everywhere a condition has a say, behind it not. */
		{ "Match Address 192.0.2.1\n" NO "Match all\n" NO, "", "yes",
		  "!network 1 !overridden 3 RN" },
		{ "Match Address 192.0.2.1\n" NO "Match all\n" YES, "", "yes", "!network 1 N" },
		{ "Match Address 192.0.2.1\n" YES "Match all\n" NO, "", "yes", "!overridden 3 R" },
		{ "Match all\n" NO "Match Address 192.0.2.1\n" NO, "", "yes", "!overridden 1 R" },
		/* A file within a block: conditions add up, and the block's own line comes when
		 * it is read. */
		{ "Match Address 192.0.2.1\nInclude /a\n", NO, "yes", "!network 1 N" },
		{ "Match Address 192.0.2.1\nInclude /a\n", "Match User root\n" NO, "yes",
		  "!network /a1 N" },
		{ "Match Address 192.0.2.1\n" YES "Include /a\n", "Match User root\n" NO, "yes", "" },
		{ "Match Address 192.0.2.1\nInclude /a\n" NO, "Match User root\n" YES, "yes",
		  "!network 1 N" },
		{ "Match User root\nInclude /a\n" YES, "Match Address 192.0.2.1\n" NO, "yes",
		  "!network /a1 N" },
		{ "Match User root\nInclude /a\n" NO, "Match Address 192.0.2.1\n" NO, "yes",
		  "!network /a1 !overridden 1 RN" },
		{ "Match Host x\nInclude /a\nMatch Host y\n" NO, YES, "yes", "!network 3 N" },
		{ "Match User bob\nInclude /a\nMatch all\nInclude /a\n", "Match User root\n" NO,
		  "yes", "!overridden /a1 R" },
		/* Behind the end of the file, its Match holds no more. */
		{ "Include /a\n" NO, "Match all\nPort 22\n", "yes", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct test_file files[] = {
			{ MAIN, rows[i].file },
			{ "/a", rows[i].included },
			{ NULL, NULL },
		};

		cr_expect(eq(str, blocks_of(files, rows[i].value), (char *)rows[i].blocks),
			  "file:\n%s\nincluded:\n%s", rows[i].file, rows[i].included);
	}
}

Test(config_sshd_plan, finds_no_blocks_for_what_is_no_value)
{
	const struct test_file files[] = { { MAIN, "" }, { NULL, NULL } };
	_cleanup_sshd_closure_ struct sshd_closure c = SSHD_CLOSURE_INIT;
	_cleanup_sshd_blocks_ struct sshd_blocks b = SSHD_BLOCKS_INIT;
	struct error err = ERROR_INIT;

	cr_assert(eq(int, test_closure(files, &c, &err), 0));
	cr_expect(eq(int, sshd_plan_blocks(&c, "maybe", &b, &err), -1));
	cr_expect(eq(int, err.code, ERROR_USAGE));
}

static int plan_block(const struct sshd_closure *c, struct sshd_plan *ret, struct error *err)
{
	char *items[] = { (char *)"192.0.2.10", (char *)"2001:db8::/32", NULL };
	const struct strings from = { .items = items, .len = 2 };

	return sshd_plan_block_before_match(c, &from, "yes", "0badcafe", ret, err);
}

#define BLOCK                                                                          \
	ID "\nMatch Address 192.0.2.10,2001:db8::/32\n" ID "\n    PermitRootLogin yes\n"
#define BLOCK_CRLF                                                                     \
	ID "\r\nMatch Address 192.0.2.10,2001:db8::/32\r\n" ID                        \
	   "\r\n    PermitRootLogin yes\r\n"
#define B "#rootlatch:bbbbbbbb#"

Test(config_sshd_plan, puts_a_block_before_the_first_match)
{
	static const struct {
		const char *file;
		const char *wanted;
	} rows[] = {
		{ NO "Match User bob\n" YES "Match all\n", NO BLOCK "Match User bob\n" YES "Match all\n" },
		{ "Match User bob", BLOCK "Match User bob" },
		{ "a b\r\n\r\n  MATCH all # x\r\n", "a b\r\n\r\n" BLOCK_CRLF "  MATCH all # x\r\n" },
		{ "#Match all\nMatch all\n", "#Match all\n" BLOCK "Match all\n" },
		{ "Include /a\nMatch all\n", "Include /a\n" BLOCK "Match all\n" },
		/* Another block of ours stays whole. */
		{ NO B "\nMatch Address ::1\n" B "\n\t" NO "Match all\n",
		  NO BLOCK B "\nMatch Address ::1\n" B "\n\t" NO "Match all\n" },
		{ B "\n" B "\nMatch all\n", BLOCK B "\n" B "\nMatch all\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct test_file files[] = { { MAIN, rows[i].file }, { "/a", NO }, { NULL, NULL } };
		_cleanup_sshd_closure_ struct sshd_closure c = SSHD_CLOSURE_INIT, then = SSHD_CLOSURE_INIT;
		_cleanup_marker_result_ struct marker_result result = MARKER_RESULT_INIT;
		_cleanup_sshd_plan_ struct sshd_plan p = SSHD_PLAN_INIT;
		struct test_file made[] = { { MAIN, NULL }, { "/a", NO }, { NULL, NULL } };
		struct error err = ERROR_INIT;

		cr_assert(eq(int, test_closure(files, &c, &err), 0));
		cr_assert(eq(int, plan_block(&c, &p, &err), 0), "%s: %s", rows[i].file, err.message);
		cr_assert(eq(sz, p.files_len, 1));
		cr_expect(zero(sz, p.files[0].file + p.notes_len));
		cr_expect(eq(str, p.files[0].text.data, (char *)rows[i].wanted));
		cr_expect(eq(sz, p.deciding, sshd_closure_deciding(&c)));
		cr_assert(eq(int,
			     marker_edit_revert(slice_of(p.files[0].text.data, p.files[0].text.len),
						&p.files[0].edit, NULL, &result, &err), 0));
		cr_assert(eq(int, result.verdict, MARKER_REVERTED));
		cr_expect(eq(str, result.text.data, (char *)rows[i].file));

		/* The first Match that sshd reads is ours, on those addresses. */
		made[0].text = p.files[0].text.data;
		cr_assert(eq(int, test_closure(made, &then, &err), 0));
		for (size_t d = 0; d < then.directives_len; d++) {
			if (then.directives[d].keyword != SSHD_MATCH)
				continue;
			cr_assert(eq(int, then.directives[d].scope, SSHD_SCOPE_NETWORK));
			cr_expect(eq(int, then.directives[d + 1].keyword, SSHD_PERMIT_ROOT_LOGIN));
			cr_expect(eq(str, then.directives[d + 1].value, (char *)"yes"));
			cr_expect(eq(sz, then.directives[d + 1].match, d));
			break;
		}
	}
}

Test(config_sshd_plan, puts_a_block_nowhere_else)
{
	static const struct {
		const char *file;
		const char *included; /* as /a */
		const char *message, *hint;
	} rows[] = {
		{ "", "", MAIN " has no Match", "Nothing was changed. It can be opened without --from" },
		{ NO "#Match all\n", "", "would swallow every line", "" },
		/* It would come back within our block. */
		{ B " " NO "Match all\n", "", MAIN ": line 2: stands behind a marker", "" },
		{ B " " NO B "\nMatch all\n", "", MAIN ": line 2: stands behind a marker", "" },
		{ "Include /a\nMatch all\n", "Match all\n", "/a line 1: a Match that is read before",
		  "Nothing was changed." },
		{ "Include /a\n", "Match all\n", "/a line 1: a Match that is read before", "" },
		{ ID "\nMatch all\n", "", MAIN ": the ID 0badcafe is in use", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct test_file files[] = {
			{ MAIN, rows[i].file },
			{ "/a", rows[i].included },
			{ NULL, NULL },
		};
		_cleanup_sshd_closure_ struct sshd_closure c = SSHD_CLOSURE_INIT;
		_cleanup_sshd_plan_ struct sshd_plan p = SSHD_PLAN_INIT;
		struct error err = ERROR_INIT;

		cr_assert(eq(int, test_closure(files, &c, &err), 0));
		cr_expect(eq(int, plan_block(&c, &p, &err), -1), "%s", rows[i].file);
		cr_expect(eq(int, err.code, ERROR_REFUSED), "%s", rows[i].file);
		cr_expect(not(zero(ptr, strstr(err.message, rows[i].message))), "%s", err.message);
		cr_expect(not(zero(ptr, strstr(err.hint, rows[i].hint))), "%s", err.hint);
		cr_expect(zero(sz, p.files_len));
	}
}

Test(config_sshd_plan, puts_no_block_for_what_is_no_value_and_no_address)
{
	const struct test_file files[] = { { MAIN, "Match all\n" }, { NULL, NULL } };
	char *items[] = { (char *)"::1", NULL };
	const struct strings none = STRINGS_INIT, one = { .items = items, .len = 1 };
	_cleanup_sshd_closure_ struct sshd_closure c = SSHD_CLOSURE_INIT;
	_cleanup_sshd_plan_ struct sshd_plan p = SSHD_PLAN_INIT;
	struct error err = ERROR_INIT;

	cr_assert(eq(int, test_closure(files, &c, &err), 0));
	cr_expect(eq(int, sshd_plan_block_before_match(&c, &one, "maybe", "0badcafe", &p, &err), -1));
	cr_expect(eq(int, err.code, ERROR_USAGE));
	cr_expect(eq(int, sshd_plan_block_before_match(&c, &none, "yes", "0badcafe", &p, &err), -1));
	cr_expect(eq(int, err.code, ERROR_FAILED));
	cr_expect(zero(sz, p.files_len));
}

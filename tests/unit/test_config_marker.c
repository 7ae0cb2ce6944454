/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_config.h"

#include "config/marker.h"

#define A "#rootlatch:aaaaaaaa#"
#define B "#rootlatch:bbbbbbbb#"

static void apply(const char *base, const char *id, const struct marker_change *changes,
		  size_t n, struct buffer *made, struct edit *edit)
{
	struct error err = ERROR_INIT;

	cr_assert(eq(int, marker_edit_apply(text(base), id, changes, n, made, edit, &err),
		     0),
		  "%s: %s", base, err.message);
}

static struct marker_change change(enum edit_kind kind, size_t line, const char *ours)
{
	return (struct marker_change){
		.kind = kind,
		.line = line,
		.ours = ours != NULL ? text(ours) : slice_of(NULL, 0),
	};
}

static const struct {
	const char *base;
	enum edit_kind kind;
	size_t line;
	const char *made; /* our line is "new" */
} changes[] = {
	{ "a\nold\nb\n", EDIT_DISABLE, 2, "a\n" A " old\nb\n" },
	{ "a\r\n\told \r\nb\r\n", EDIT_DISABLE, 2, "a\r\n" A " \told \r\nb\r\n" },
	{ "a\nold", EDIT_DISABLE, 2, "a\n" A " old" },
	{ "old\r", EDIT_DISABLE, 1, A " old\r" },
	{ "a\nold\nb\n", EDIT_SET, 2, "a\n" A " old\nnew\nb\n" },
	{ "a\r\nold\r\nb\r\n", EDIT_SET, 2, "a\r\n" A " old\r\nnew\r\nb\r\n" },
	{ "a\nold\r\nb\n", EDIT_SET, 2, "a\n" A " old\r\nnew\r\nb\n" },
	{ "a\nold", EDIT_SET, 2, "a\n" A " old\nnew" },
	{ "a\r\nold", EDIT_SET, 2, "a\r\n" A " old\r\nnew" },
	{ "a\nold\r", EDIT_SET, 2, "a\n" A " old\nnew\r" },
	{ "old", EDIT_SET, 1, A " old\nnew" },
	{ "x\xe9\xff\n", EDIT_SET, 1, A " x\xe9\xff\nnew\n" },
	{ "a\nb\n", EDIT_INSERT, 1, A "\nnew\na\nb\n" },
	{ "a\nb\n", EDIT_INSERT, 2, "a\n" A "\nnew\nb\n" },
	{ "a\nb\n", EDIT_INSERT, 3, "a\nb\n" A "\nnew\n" },
	{ "a\r\nb\r\n", EDIT_INSERT, 1, A "\r\nnew\r\na\r\nb\r\n" },
	{ "a", EDIT_INSERT, 1, A "\nnew\na" },
	{ "", EDIT_INSERT, 1, A "\nnew\n" },
	{ "\n", EDIT_INSERT, 1, A "\nnew\n\n" },
};

Test(config_marker, changes_a_line_and_takes_it_back)
{
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		const struct marker_change c =
			change(changes[i].kind, changes[i].line,
			       changes[i].kind != EDIT_DISABLE ? "new" : NULL);
		_cleanup_marker_result_ struct marker_result result = MARKER_RESULT_INIT;
		_cleanup_buffer_ struct buffer made = BUFFER_INIT;
		_cleanup_edit_ struct edit edit = EDIT_INIT;
		struct error err = ERROR_INIT;

		apply(changes[i].base, "aaaaaaaa", &c, 1, &made, &edit);
		cr_expect(eq(str, made.data, (char *)changes[i].made));
		cr_assert(eq(sz, edit.len, 1));
		cr_assert(eq(int,
			     marker_edit_revert(slice_of(made.data, made.len), &edit,
						NULL, &result, &err),
			     0),
			  "%s", err.message);
		cr_assert(eq(int, result.verdict, MARKER_REVERTED), "%s",
			  changes[i].made);
		cr_expect(eq(str, result.text.data, (char *)changes[i].base));
	}
}

Test(config_marker, records_what_it_did)
{
	const struct marker_change wanted[] = {
		change(EDIT_INSERT, 1, "first"),
		change(EDIT_SET, 2, "new"),
		change(EDIT_DISABLE, 4, NULL),
	};
	_cleanup_buffer_ struct buffer made = BUFFER_INIT;
	_cleanup_edit_ struct edit edit = EDIT_INIT;

	apply("a\n old\r\nb\nc # x", "0123abcd", wanted, 3, &made, &edit);
	cr_expect(eq(str, made.data,
		     (char *)"#rootlatch:0123abcd#\nfirst\na\n"
			     "#rootlatch:0123abcd#  old\r\nnew\r\nb\n"
			     "#rootlatch:0123abcd# c # x"));
	cr_assert(eq(sz, edit.len, 3));
	cr_expect(eq(str, edit.id, (char *)"0123abcd"));
	cr_expect(eq(int, edit.changes[0].kind, EDIT_INSERT));
	cr_expect(zero(ptr, edit.changes[0].original));
	cr_expect(eq(str, edit.changes[0].ours, (char *)"first"));
	cr_expect(eq(int, edit.changes[1].kind, EDIT_SET));
	cr_expect(eq(str, edit.changes[1].original, (char *)" old"));
	cr_expect(eq(str, edit.changes[1].ours, (char *)"new"));
	cr_expect(eq(int, edit.changes[2].kind, EDIT_DISABLE));
	cr_expect(eq(str, edit.changes[2].original, (char *)"c # x"));
	cr_expect(zero(ptr, edit.changes[2].ours));
}

Test(config_marker, refuses_changes_that_could_not_be_undone)
{
	static const struct {
		const char *base;
		const char *id;
		struct {
			enum edit_kind kind;
			size_t line;
			const char *ours;
		} c[2];
	} rows[] = {
		{ "a\n", "aaaaaaa", { { EDIT_DISABLE, 1, NULL } } },
		{ "a\n", "AAAAAAAA", { { EDIT_DISABLE, 1, NULL } } },
		{ "a\n", "aaaaaaaaa", { { EDIT_DISABLE, 1, NULL } } },
		{ "a\n", "aaaaaaaa", { { EDIT_DISABLE, 2, NULL } } },
		{ "a\n", "aaaaaaaa", { { EDIT_DISABLE, 3, NULL } } },
		{ "a\n", "aaaaaaaa", { { EDIT_DISABLE, 0, NULL } } },
		{ "", "aaaaaaaa", { { EDIT_SET, 1, "new" } } },
		{ "a\n", "aaaaaaaa", { { EDIT_INSERT, 3, "new" } } },
		{ "a", "aaaaaaaa", { { EDIT_INSERT, 2, "new" } } },
		{ " \t\r\n", "aaaaaaaa", { { EDIT_DISABLE, 1, NULL } } },
		{ B " a\nb\n", "aaaaaaaa", { { EDIT_DISABLE, 1, NULL } } },
		{ B " a\nb\n", "aaaaaaaa", { { EDIT_INSERT, 2, "new" } } },
		{ "a\nb\n",
		  "aaaaaaaa",
		  { { EDIT_DISABLE, 2, NULL }, { EDIT_DISABLE, 1, NULL } } },
		{ "a\nb\n",
		  "aaaaaaaa",
		  { { EDIT_INSERT, 1, "new" }, { EDIT_DISABLE, 1, NULL } } },
		{ "a\n" A " b\n", "aaaaaaaa", { { EDIT_DISABLE, 1, NULL } } },
		{ "a # rootlatch:aaaaaaaa\n", "aaaaaaaa", { { EDIT_DISABLE, 1, NULL } } },
		{ "a\n", "aaaaaaaa", { { EDIT_SET, 1, "" } } },
		{ "a\n", "aaaaaaaa", { { EDIT_SET, 1, " \t" } } },
		{ "a\n", "aaaaaaaa", { { EDIT_SET, 1, "b\nc" } } },
		{ "a\n", "aaaaaaaa", { { EDIT_SET, 1, "b\r" } } },
		{ "a\n", "aaaaaaaa", { { EDIT_SET, 1, B " x" } } },
		{ "a\nb\r\r", "aaaaaaaa", { { EDIT_SET, 2, "new" } } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct marker_change c[2];
		_cleanup_buffer_ struct buffer made = BUFFER_INIT;
		_cleanup_edit_ struct edit edit = EDIT_INIT;
		struct error err = ERROR_INIT;
		size_t n = rows[i].c[1].line != 0 ? 2 : 1;

		for (size_t j = 0; j < n; j++)
			c[j] = change(rows[i].c[j].kind, rows[i].c[j].line,
				      rows[i].c[j].ours);
		cr_expect(eq(int,
			     marker_edit_apply(text(rows[i].base), rows[i].id, c, n,
					       &made, &edit, &err),
			     -1),
			  "row %zu: %s", i, rows[i].base);
		cr_expect(eq(int, err.code, ERROR_REFUSED), "row %zu", i);
		cr_expect(zero(sz, made.len + edit.len), "row %zu", i);
	}
}

/* What somebody made of the text since. The edit is: line 2 of "a\nold\nb\nalso\n" set to
 * new, line 4 disabled: */
#define MADE "a\n" A " old\nnew\nb\n" A " also\n"

static const struct {
	const char *now;
	enum marker_verdict verdict;
	const char *result; /* reverted: the text; conflict: the difference */
	const char *message;
} drifts[] = {
	{ MADE, MARKER_REVERTED, "a\nold\nb\nalso\n", NULL },
	{ "x\n" MADE "y\n", MARKER_REVERTED, "x\na\nold\nb\nalso\ny\n", NULL },
	{ "a\r\n" A " old\r\nnew\r\nb\r\n" A " also\r\n", MARKER_REVERTED,
	  "a\r\nold\r\nb\r\nalso\r\n", NULL },
	{ "a\n" A " old\nnew\nb\n" A " also", MARKER_REVERTED, "a\nold\nb\nalso", NULL },
	{ A " also\nb\na\n" A " old\nnew", MARKER_REVERTED, "also\nb\na\nold", NULL },
	{ "new\n" MADE "new\n", MARKER_REVERTED, "new\na\nold\nb\nalso\nnew\n", NULL },
	{ "a\nold\nb\nalso\n", MARKER_GONE, NULL, NULL },
	{ "", MARKER_GONE, NULL, NULL },
	{ "newer\n#new\nnew # x\n", MARKER_GONE, NULL, NULL },
	/* The marker alone was removed: the first, the second, both. */
	{ "a\nnew\nb\n" A " also\n", MARKER_CONFLICT, "-" A " old",
	  "written 2 times and is there 1" },
	{ "a\n" A " old\nnew\nb\n", MARKER_CONFLICT, "-" A " also",
	  "written 2 times and is there 1" },
	{ "a\n\tnew \nb\n", MARKER_CONFLICT, "-" A " old\n-" A " also",
	  "line 2: our line stands" },
	{ B " new\nother\n", MARKER_CONFLICT, "-" A " old\n-" A " also",
	  "line 1: our line stands" },
	/* Copied. */
	{ MADE A " also\n", MARKER_CONFLICT, "+" A " also", "there 3 times (line 2, 5, 6)" },
	{ MADE MADE, MARKER_CONFLICT, "+" A " old\n+" A " also",
	  "there 4 times (line 2, 5, 7, 10)" },
	{ MADE "# " A " also\n", MARKER_CONFLICT, "", "there 3 times" },
	/* Changed. */
	{ "a\n" A " old\nnewer\nb\n" A " also\n", MARKER_CONFLICT, "-new\n+newer",
	  "(line 2, 5)" },
	{ "a\n" A " old\n\nnew\nb\n" A " also\n", MARKER_CONFLICT, "+", "(line 2, 6)" },
	{ "a\n" A " old\nb\n" A " also\nnew\n", MARKER_CONFLICT, "+b", "(line 2, 4)" },
	{ "a\n" A " older\nnew\nb\n" A " also\n", MARKER_CONFLICT,
	  "-" A " old\n+" A " older\n+new", NULL },
	{ "a\n" A " old \nnew\nb\n" A " also\n", MARKER_CONFLICT,
	  "-" A " old\n+" A " old \n+new", NULL },
	{ "a\n" A "old\nnew\nb\n" A "also\n", MARKER_CONFLICT, "-" A " old\n-" A " also",
	  "was changed" },
	{ "a\n " A " old\nnew\nb\n " A " also\n", MARKER_CONFLICT,
	  "-" A " old\n-" A " also", "was changed" },
	{ "a\n" A " old", MARKER_CONFLICT, "-new\n-" A " also", NULL },
	{ "a\n" A " old\n" B " new\nother\n" A " also\n", MARKER_CONFLICT, "", NULL },
	{ "a\n" A "\nnew\nb\n" A " also\n", MARKER_CONFLICT, "-" A " old\n+" A "\n+new",
	  NULL },
};

Test(config_marker, takes_out_its_own_change_alone_or_says_why_not)
{
	for (size_t i = 0; i < ARRAY_SIZE(drifts); i++) {
		_cleanup_marker_result_ struct marker_result result = MARKER_RESULT_INIT;
		_cleanup_edit_ struct edit edit = { .id = "aaaaaaaa" };
		const char *now = drifts[i].now;
		struct error err = ERROR_INIT;

		cr_assert(eq(int, edit_add(&edit, EDIT_SET, "old", "new", &err), 0));
		cr_assert(eq(int, edit_add(&edit, EDIT_DISABLE, "also", NULL, &err), 0));
		cr_assert(eq(int,
			     marker_edit_revert(text(now), &edit, NULL, &result, &err),
			     0));
		cr_expect(eq(int, result.verdict, drifts[i].verdict), "text:\n%s\n%s",
			  now, result.conflict.message);
		if (result.verdict == MARKER_REVERTED)
			cr_expect(eq(str, result.text.data, (char *)drifts[i].result),
				  "%s", now);
		else
			cr_expect(zero(sz, result.text.len));
		if (result.verdict != MARKER_CONFLICT)
			continue;
		cr_expect(eq(int, result.conflict.code, ERROR_REFUSED));
		cr_expect(eq(str, result.conflict.hint, (char *)drifts[i].result),
			  "text:\n%s", now);
		if (drifts[i].message != NULL)
			cr_expect(not(zero(ptr, strstr(result.conflict.message,
						       drifts[i].message))),
				  "text:\n%s\n%s", now, result.conflict.message);
	}
}

/* The disabled line and the set one may read alike, and so may what follows. */
Test(config_marker, tells_changes_of_equal_lines_apart_by_their_order)
{
	const struct marker_change c[] = {
		change(EDIT_SET, 1, "yes"),
		change(EDIT_DISABLE, 2, NULL),
	};
	_cleanup_marker_result_ struct marker_result result = MARKER_RESULT_INIT;
	_cleanup_buffer_ struct buffer made = BUFFER_INIT;
	_cleanup_edit_ struct edit edit = EDIT_INIT;
	struct error err = ERROR_INIT;

	apply("no\nno\nyes\n", "aaaaaaaa", c, 2, &made, &edit);
	cr_expect(eq(str, made.data, (char *)A " no\nyes\n" A " no\nyes\n"));
	cr_assert(eq(int,
		     marker_edit_revert(slice_of(made.data, made.len), &edit, NULL,
					&result, &err),
		     0));
	cr_assert(eq(int, result.verdict, MARKER_REVERTED));
	cr_expect(eq(str, result.text.data, (char *)"no\nno\nyes\n"));
}

Test(config_marker, leaves_an_edit_without_changes_alone)
{
	_cleanup_marker_result_ struct marker_result result = MARKER_RESULT_INIT;
	const struct edit edit = { .id = "aaaaaaaa" };
	struct error err = ERROR_INIT;

	cr_assert(
		eq(int, marker_edit_revert(text("a\n"), &edit, NULL, &result, &err), 0));
	cr_expect(eq(int, result.verdict, MARKER_REVERTED));
	cr_expect(eq(str, result.text.data, (char *)"a\n"));
}

static int collect(void *ctx, const struct marker *m)
{
	char *out = ctx;

	sprintf(out + strlen(out), "%zu@%zu %s [%s]; ", m->number, m->offset, m->id,
		m->original.data != NULL ? show(m->original) : "-");
	return strstr(out, "stop") != NULL ? 7 : 0;
}

Test(config_marker, finds_all_markers_and_nothing_else)
{
	char out[1024] = "";

	cr_expect(eq(int,
		     marker_scan(text("#rootlatch:0000000g# x\n"
				      "# rootlatch:00000000# x\n" A " old\r\n x\n" B "\n"
				      " " A " indented\n"
				      "#rootlatch:00000000\n"
				      "#rootlatch:00000000#x\n"
				      "#rootlatch:00000001# "),
				 collect, out),
		     0));
	cr_expect(eq(str, out,
		     (char *)"3@47 aaaaaaaa [old]; 5@76 bbbbbbbb [-]; "
			     "9@170 00000001 []; "));
	out[0] = '\0';
	cr_expect(eq(int, marker_scan(text(A " stop\n" A " more\n"), collect, out), 7));
	cr_expect(eq(int, marker_scan(slice_of(NULL, 0), collect, out), 0));
}

Test(config_marker, takes_no_malformed_record)
{
	_cleanup_edit_ struct edit edit = EDIT_INIT;
	struct error err = ERROR_INIT;

	cr_expect(eq(int, edit_add(&edit, EDIT_SET, "a\nb", "c", &err), -1));
	cr_expect(eq(int, edit_add(&edit, EDIT_SET, "a", "c\n", &err), -1));
	cr_expect(eq(int, edit_add(&edit, EDIT_SET, "a", NULL, &err), -1));
	cr_expect(eq(int, edit_add(&edit, EDIT_DISABLE, "a", "b", &err), -1));
	cr_expect(eq(int, edit_add(&edit, EDIT_DISABLE, NULL, NULL, &err), -1));
	cr_expect(eq(int, edit_add(&edit, EDIT_INSERT, "a", "b", &err), -1));
	cr_expect(eq(int, edit_add(&edit, (enum edit_kind)9, "a", "b", &err), -1));
	cr_expect(eq(sz, edit.len, 0));
}

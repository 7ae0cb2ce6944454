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
		{ "a\nb\n",
		  "aaaaaaaa",
		  { { EDIT_INSERT, 1, "new" }, { EDIT_SET, 1, "new" } } },
		{ "a\nb\n",
		  "aaaaaaaa",
		  { { EDIT_DISABLE, 1, NULL }, { EDIT_INSERT, 1, "new" } } },
		{ "a\nb\n",
		  "aaaaaaaa",
		  { { EDIT_SET, 1, "new" }, { EDIT_SET, 1, "new" } } },
		{ "a\nb\n",
		  "aaaaaaaa",
		  { { EDIT_INSERT, 2, "new" }, { EDIT_INSERT, 1, "new" } } },
		{ B "\na\n",
		  "aaaaaaaa",
		  { { EDIT_INSERT, 2, "new" }, { EDIT_INSERT, 2, "new" } } },
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

Test(config_marker, several_lines_of_ours_go_in_front_of_one)
{
	static const struct {
		const char *base;
		size_t line;
		const char *made;
	} rows[] = {
		{ "a\nb\n", 2, "a\n" A "\none\n" A "\n\ttwo\n" A "\none\nb\n" },
		{ "a\r\nb", 1, A "\r\none\r\n" A "\r\n\ttwo\r\n" A "\r\none\r\na\r\nb" },
		{ "", 1, A "\none\n" A "\n\ttwo\n" A "\none\n" },
		{ "a\n", 2, "a\n" A "\none\n" A "\n\ttwo\n" A "\none\n" },
		{ B "\nb\n", 1, A "\none\n" A "\n\ttwo\n" A "\none\n" B "\nb\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct marker_change c[] = {
			change(EDIT_INSERT, rows[i].line, "one"),
			change(EDIT_INSERT, rows[i].line, "\ttwo"),
			change(EDIT_INSERT, rows[i].line, "one"),
		};
		_cleanup_marker_result_ struct marker_result result = MARKER_RESULT_INIT;
		_cleanup_buffer_ struct buffer made = BUFFER_INIT;
		_cleanup_edit_ struct edit edit = EDIT_INIT;
		struct error err = ERROR_INIT;

		apply(rows[i].base, "aaaaaaaa", c, 3, &made, &edit);
		cr_expect(eq(str, made.data, (char *)rows[i].made));
		cr_assert(eq(sz, edit.len, 3));
		cr_expect(eq(str, edit.changes[1].ours, (char *)"\ttwo"));
		cr_assert(eq(int,
			     marker_edit_revert(slice_of(made.data, made.len), &edit,
						NULL, &result, &err),
			     0));
		cr_assert(eq(int, result.verdict, MARKER_REVERTED), "%s", rows[i].made);
		cr_expect(eq(str, result.text.data, (char *)rows[i].base));
	}
}

Test(config_marker, lines_of_ours_go_between_lines_that_are_changed)
{
	const struct marker_change c[] = {
		change(EDIT_SET, 1, "new"),
		change(EDIT_INSERT, 2, "one"),
		change(EDIT_INSERT, 2, "two"),
		change(EDIT_DISABLE, 3, NULL),
		change(EDIT_INSERT, 4, "one"),
	};
	_cleanup_marker_result_ struct marker_result result = MARKER_RESULT_INIT;
	_cleanup_buffer_ struct buffer made = BUFFER_INIT;
	_cleanup_edit_ struct edit edit = EDIT_INIT;
	struct error err = ERROR_INIT;

	apply("a\nb\nc\nd\n", "aaaaaaaa", c, ARRAY_SIZE(c), &made, &edit);
	cr_expect(eq(str, made.data,
		     (char *)A " a\nnew\n" A "\none\n" A "\ntwo\nb\n" A " c\n" A "\none\nd\n"));
	cr_assert(eq(int,
		     marker_edit_revert(slice_of(made.data, made.len), &edit, NULL,
					&result, &err),
		     0));
	cr_assert(eq(int, result.verdict, MARKER_REVERTED), "%s", result.conflict.message);
	cr_expect(eq(str, result.text.data, (char *)"a\nb\nc\nd\n"));
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

/* A block of ours before a Match of the administrator's, and what they made of it: */
#define BLOCK A "\nMatch Address ::1\n" A "\n\tPermitRootLogin yes\n"
#define THEIRS "Match User bob\n\tX11Forwarding no\n"

static const struct {
	const char *now;
	enum marker_verdict verdict;
	const char *result; /* as above */
} block_drifts[] = {
	{ "a\n" BLOCK THEIRS, MARKER_REVERTED, "a\n" THEIRS },
	/* Theirs was moved, alone or with ours, or went away. */
	{ THEIRS "a\n" BLOCK, MARKER_REVERTED, THEIRS "a\n" },
	{ THEIRS BLOCK "a\n", MARKER_REVERTED, THEIRS "a\n" },
	{ BLOCK THEIRS "Match all\na\n", MARKER_REVERTED, THEIRS "Match all\na\n" },
	{ BLOCK "a\n", MARKER_REVERTED, "a\n" },
	/* Something came between our lines, or they were torn apart. */
	{ "a\n" A "\nMatch Address ::1\n\n# x\n" A "\n\tPermitRootLogin yes\n" THEIRS,
	  MARKER_REVERTED, "a\n\n# x\n" THEIRS },
	{ A "\n\tPermitRootLogin yes\na\n" A "\nMatch Address ::1\n" THEIRS, MARKER_REVERTED,
	  "a\n" THEIRS },
	{ "a\r\n" A "\r\nMatch Address ::1\r\n" A "\r\n\tPermitRootLogin yes\r\nb",
	  MARKER_REVERTED, "a\r\nb" },
	{ "a\n" A "\nMatch Address ::1\n" A "\n\tPermitRootLogin yes", MARKER_REVERTED, "a\n" },
	{ "a\n" THEIRS, MARKER_GONE, NULL },
	/* One half of it is not as it was. */
	{ A "\nMatch Address ::1\n\tPermitRootLogin yes\n" THEIRS, MARKER_CONFLICT, "-" A },
	{ "Match Address ::1\n" A "\n\tPermitRootLogin yes\n" THEIRS, MARKER_CONFLICT, "-" A },
	{ A "\nMatch Address ::1\n" THEIRS, MARKER_CONFLICT, "-" A "\n-\tPermitRootLogin yes" },
	{ A "\n\tPermitRootLogin yes\n" THEIRS, MARKER_CONFLICT, "-Match Address ::1\n-" A },
	{ A "\nMatch Address ::2\n" A "\n\tPermitRootLogin yes\n", MARKER_CONFLICT,
	  "-Match Address ::1\n+Match Address ::2" },
	{ A "\nMatch Address ::1\n" A "\n\tPermitRootLogin no\n", MARKER_CONFLICT,
	  "-\tPermitRootLogin yes\n+\tPermitRootLogin no" },
	{ A "\n" A "\nMatch Address ::1\n\tPermitRootLogin yes\n", MARKER_CONFLICT, "" },
	{ "a\n\tPermitRootLogin yes\n", MARKER_CONFLICT,
	  "-" A "\n-Match Address ::1\n-" A },
	{ BLOCK BLOCK, MARKER_CONFLICT, "+" A "\n+" A "\n+" A },
};

Test(config_marker, takes_out_a_block_of_ours_wherever_it_stands)
{
	for (size_t i = 0; i < ARRAY_SIZE(block_drifts); i++) {
		_cleanup_marker_result_ struct marker_result result = MARKER_RESULT_INIT;
		_cleanup_edit_ struct edit edit = { .id = "aaaaaaaa" };
		const char *now = block_drifts[i].now;
		struct error err = ERROR_INIT;

		cr_assert(eq(int, edit_add(&edit, EDIT_INSERT, NULL, "Match Address ::1", &err), 0));
		cr_assert(eq(int,
			     edit_add(&edit, EDIT_INSERT, NULL, "\tPermitRootLogin yes", &err), 0));
		cr_assert(eq(int, marker_edit_revert(text(now), &edit, NULL, &result, &err), 0));
		cr_expect(eq(int, result.verdict, block_drifts[i].verdict), "text:\n%s\n%s", now,
			  result.conflict.message);
		if (result.verdict == MARKER_REVERTED)
			cr_expect(eq(str, result.text.data, (char *)block_drifts[i].result), "%s",
				  now);
		if (result.verdict == MARKER_CONFLICT)
			cr_expect(eq(str, result.conflict.hint, (char *)block_drifts[i].result),
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

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Several edits of one file, taken out in every order: thousands of generated files
 * from a fixed seed. What must hold, whatever the order: the login is as the latest
 * edit that is still applied says, and with the last one the file is as it was.
 */
#include "test_config.h"

#include "config/marker.h"

#define EDITS 3

static unsigned int state;

static unsigned int pick(unsigned int n)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % n;
}

/* A file and the edits in force, oldest first. */
struct world {
	struct buffer file;
	struct edits edits;
	char values[EDITS * 4][32]; /* of edits, by their index */
	unsigned int made;
};

static void world_release(struct world *w)
{
	buffer_release(&w->file);
	edits_release(&w->edits);
}

static void random_file(struct buffer *file)
{
	static const char *const lines[] = {
		"PermitRootLogin no",
		"PermitRootLogin no",
		"permitrootlogin  yes",
		"  PermitRootLogin \"no\" # note",
		"PermitRootLogin=prohibit-password",
		"# PermitRootLogin yes",
		"Port 22",
		"",
		"  ",
		"#",
		"X11Forwarding no \t",
		"Banner /etc/\xe9",
		"#rootlatch:",
		"# #rootlatch:00000000# PermitRootLogin no",
	};
	const char *eol = pick(3) == 0 ? "\r\n" : "\n";
	unsigned int n = pick(9);
	struct error err = ERROR_INIT;

	for (unsigned int i = 0; i < n; i++) {
		cr_assert(
			eq(int,
			   buffer_append_str(file, lines[pick(ARRAY_SIZE(lines))], &err),
			   0));
		if (i + 1 == n && pick(3) == 0)
			return;
		cr_assert(eq(int,
			     buffer_append_str(file, pick(20) == 0 ? "\n" : eol, &err),
			     0));
	}
}

/* The first value in the file: there is no Match in it. */
static char *live_value(struct slice file)
{
	_cleanup_sshd_lines_ struct sshd_lines lines = SSHD_LINES_INIT;
	struct error err = ERROR_INIT;
	char value[32] = "-";

	cr_assert(eq(int, sshd_lines_scan("f", file, &lines, &err), 0));
	if (lines.len > 0)
		sshd_line_value(&lines.items[0], file, value, sizeof(value));
	return show(text(value));
}

static struct slice bytes(const struct buffer *b)
{
	return slice_of(b->data != NULL ? b->data : "", b->len);
}

/* As a plan does it: set the first, disable some of the others; or put a new one on
 * top. */
static void apply_random(struct world *w, unsigned int number)
{
	_cleanup_sshd_lines_ struct sshd_lines lines = SSHD_LINES_INIT;
	_cleanup_buffer_ struct buffer made = BUFFER_INIT;
	_cleanup_edit_ struct edit edit = EDIT_INIT;
	struct marker_change changes[32];
	struct error err = ERROR_INIT;
	char ours[64], id[MARKER_ID_LEN + 1];
	size_t n = 0;

	snprintf(id, sizeof(id), "%08x", number * 0x01010101u + 0xa0u);
	snprintf(ours, sizeof(ours), "%sPermitRootLogin value%u",
		 pick(2) == 0 ? "\t" : "", number);
	cr_assert(eq(int, sshd_lines_scan("f", bytes(&w->file), &lines, &err), 0));
	if (lines.len == 0 || (lines.items[0].number > 1 && pick(4) == 0))
		changes[n++] = (struct marker_change){ EDIT_INSERT, 1, text(ours) };
	for (size_t i = 0; i < lines.len && n < ARRAY_SIZE(changes); i++) {
		size_t line = lines.items[i].number;

		if (n == 0)
			changes[n++] =
				(struct marker_change){ EDIT_SET, line, text(ours) };
		else if (pick(2) == 0)
			changes[n++] = (struct marker_change){ .kind = EDIT_DISABLE,
							       .line = line };
	}
	cr_assert(
		eq(int,
		   marker_edit_apply(bytes(&w->file), id, changes, n, &made, &edit, &err),
		   0),
		"%s in:\n%s", err.message, show(bytes(&w->file)));
	snprintf(w->values[w->edits.len], sizeof(w->values[0]), "value%u", number);
	cr_assert(eq(int, edits_add(&w->edits, &edit, &err), 0));
	buffer_release(&w->file);
	w->file = made;
	made = (struct buffer)BUFFER_INIT;
}

/* Takes out the edit with this index; the records of the others become what revert
 * says. */
static void revert_one(struct world *w, size_t index)
{
	_cleanup_marker_result_ struct marker_result result = MARKER_RESULT_INIT;
	_cleanup_edits_ struct edits others = EDITS_INIT;
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < w->edits.len; i++)
		if (i != index)
			cr_assert(
				eq(int, edits_add(&others, &w->edits.items[i], &err), 0));
	cr_assert(eq(int,
		     marker_edit_revert(bytes(&w->file), &w->edits.items[index], &others,
					&result, &err),
		     0),
		  "%s", err.message);
	cr_assert(eq(int, result.verdict, MARKER_REVERTED), "%s: %s\n%s",
		  w->edits.items[index].id, result.conflict.message,
		  show(bytes(&w->file)));
	for (size_t i = index; i + 1 < w->edits.len; i++)
		memcpy(w->values[i], w->values[i + 1], sizeof(w->values[0]));
	buffer_release(&w->file);
	edits_release(&w->edits);
	w->file = result.text;
	w->edits = result.others;
	result.text = (struct buffer)BUFFER_INIT;
	result.others = (struct edits)EDITS_INIT;
}

static void expect_latest(const struct world *w, const struct buffer *base)
{
	if (w->edits.len > 0)
		cr_assert(eq(str, live_value(bytes(&w->file)),
			     (char *)w->values[w->edits.len - 1]),
			  "file:\n%s", show(bytes(&w->file)));
	else
		cr_assert(eq(str, show(bytes(&w->file)), show(bytes(base))));
}

Test(config_marker_orders, three_edits_come_out_in_every_order, .timeout = 60)
{
	static const size_t orders[][EDITS] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};

	for (unsigned int seed = 1; seed <= 2000; seed++) {
		for (size_t o = 0; o < ARRAY_SIZE(orders); o++) {
			_cleanup_buffer_ struct buffer base = BUFFER_INIT;
			struct world w = { .file = BUFFER_INIT, .edits = EDITS_INIT };
			size_t places[EDITS] = { 0, 1, 2 };
			struct error err = ERROR_INIT;

			state = seed * 2654435761u;
			random_file(&base);
			cr_assert(eq(int,
				     buffer_append(&w.file, base.data, base.len, &err),
				     0));
			for (unsigned int i = 0; i < EDITS; i++) {
				apply_random(&w, i + 1);
				expect_latest(&w, &base);
			}
			for (size_t i = 0; i < EDITS; i++) {
				revert_one(&w, places[orders[o][i]]);
				for (size_t p = orders[o][i] + 1; p < EDITS; p++)
					places[p]--;
				expect_latest(&w, &base);
			}
			world_release(&w);
		}
	}
}

Test(config_marker_orders, edits_come_and_go_at_random, .timeout = 60)
{
	for (unsigned int seed = 1; seed <= 3000; seed++) {
		_cleanup_buffer_ struct buffer base = BUFFER_INIT;
		struct world w = { .file = BUFFER_INIT, .edits = EDITS_INIT };
		struct error err = ERROR_INIT;

		state = seed * 2246822519u;
		random_file(&base);
		cr_assert(eq(int, buffer_append(&w.file, base.data, base.len, &err), 0));
		for (unsigned int step = 1; step <= 12 || w.edits.len > 0; step++) {
			if (step <= 12 && w.edits.len < EDITS && pick(5) < 3)
				apply_random(&w, step);
			else if (w.edits.len > 0)
				revert_one(&w, pick((unsigned int)w.edits.len));
			expect_latest(&w, &base);
		}
		world_release(&w);
	}
}

/* What an administrator adds in between stays, and does not get in the way. */
Test(config_marker_orders, lines_that_others_add_stay, .timeout = 60)
{
	for (unsigned int seed = 1; seed <= 2000; seed++) {
		_cleanup_buffer_ struct buffer base = BUFFER_INIT, expected = BUFFER_INIT;
		struct world w = { .file = BUFFER_INIT, .edits = EDITS_INIT };
		_cleanup_buffer_ struct buffer edited = BUFFER_INIT;
		struct error err = ERROR_INIT;

		state = seed * 3266489917u;
		random_file(&base);
		cr_assert(eq(int, buffer_append(&w.file, base.data, base.len, &err), 0));
		for (unsigned int i = 0; i < EDITS; i++)
			apply_random(&w, i + 1);
		cr_assert(eq(int,
			     buffer_printf(&edited, &err, "# mine\nMaxAuthTries 3\n%s",
					   w.file.data),
			     0));
		buffer_release(&w.file);
		w.file = edited;
		edited = (struct buffer)BUFFER_INIT;
		while (w.edits.len > 0)
			revert_one(&w, pick((unsigned int)w.edits.len));
		cr_assert(eq(int,
			     buffer_printf(&expected, &err, "# mine\nMaxAuthTries 3\n%s",
					   base.data != NULL ? base.data : ""),
			     0));
		cr_assert(eq(str, show(bytes(&w.file)), show(bytes(&expected))));
		world_release(&w);
	}
}

#define A "#rootlatch:aaaaaaaa#"
#define B "#rootlatch:bbbbbbbb#"

/* The example of marker.h, in bytes; also with an insert, and with a disabled insert. */
Test(config_marker_orders, the_record_of_the_edit_above_is_rebased)
{
	static const struct {
		const char *now;
		struct edit_change a, b;
		const char *without_a;
		struct edit_change b_then; /* ours and original NULL: no change left */
	} rows[] = {
		{ A " no\n" B " yes\nkeys\n",
		  { EDIT_SET, (char *)"no", (char *)"yes" },
		  { EDIT_SET, (char *)"yes", (char *)"keys" },
		  B " no\nkeys\n",
		  { EDIT_SET, (char *)"no", (char *)"keys" } },
		{ A "\n" B " yes\nkeys\nx",
		  { EDIT_INSERT, NULL, (char *)"yes" },
		  { EDIT_SET, (char *)"yes", (char *)"keys" },
		  B "\nkeys\nx",
		  { EDIT_INSERT, NULL, (char *)"keys" } },
		{ A " no\r\n" B " yes\r\nx",
		  { EDIT_SET, (char *)"no", (char *)"yes" },
		  { EDIT_DISABLE, (char *)"yes", NULL },
		  B " no\r\nx",
		  { EDIT_DISABLE, (char *)"no", NULL } },
		{ "x\n" A "\n" B " yes\ny\n",
		  { EDIT_INSERT, NULL, (char *)"yes" },
		  { EDIT_DISABLE, (char *)"yes", NULL },
		  "x\ny\n",
		  { EDIT_DISABLE, NULL, NULL } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_marker_result_ struct marker_result result = MARKER_RESULT_INIT;
		struct edit_change changes[] = { rows[i].a, rows[i].b };
		const struct edit a = { .id = "aaaaaaaa",
					.changes = &changes[0],
					.len = 1 };
		struct edit b = { .id = "bbbbbbbb", .changes = &changes[1], .len = 1 };
		const struct edits others = { .items = &b, .len = 1 };
		const struct edit_change *then;
		struct error err = ERROR_INIT;

		cr_assert(eq(int,
			     marker_edit_revert(text(rows[i].now), &a, &others, &result,
						&err),
			     0));
		cr_assert(eq(int, result.verdict, MARKER_REVERTED), "%s", rows[i].now);
		cr_expect(eq(str, result.text.data, (char *)rows[i].without_a));
		cr_assert(eq(sz, result.others.len, 1));
		if (rows[i].b_then.original == NULL && rows[i].b_then.ours == NULL) {
			cr_expect(eq(sz, result.others.items[0].len, 0));
			continue;
		}
		cr_assert(eq(sz, result.others.items[0].len, 1));
		then = &result.others.items[0].changes[0];
		cr_expect(eq(int, then->kind, rows[i].b_then.kind));
		cr_expect(eq(str, then->original != NULL ? then->original : (char *)"-",
			     rows[i].b_then.original != NULL ? rows[i].b_then.original :
							       (char *)"-"));
		cr_expect(eq(str, then->ours != NULL ? then->ours : (char *)"-",
			     rows[i].b_then.ours != NULL ? rows[i].b_then.ours :
							   (char *)"-"));
		/* The record of the caller is as it was. */
		cr_expect(eq(str, b.changes[0].original, rows[i].b.original));
	}
}

Test(config_marker_orders, a_line_wrapped_by_a_stranger_or_a_spoilt_edit_is_a_conflict)
{
	static const char now[] = A " no\n" B " yes\nkeys\n";
	struct edit_change a_change = { EDIT_SET, (char *)"no", (char *)"yes" };
	struct edit_change b_change = { EDIT_SET, (char *)"yes", (char *)"other" };
	const struct edit a = { .id = "aaaaaaaa", .changes = &a_change, .len = 1 };
	struct edit b = { .id = "bbbbbbbb", .changes = &b_change, .len = 1 };
	const struct edits others = { .items = &b, .len = 1 };
	_cleanup_marker_result_ struct marker_result result = MARKER_RESULT_INIT;
	struct error err = ERROR_INIT;

	cr_assert(eq(int, marker_edit_revert(text(now), &a, NULL, &result, &err), 0));
	cr_expect(eq(int, result.verdict, MARKER_CONFLICT));
	cr_assert(eq(int, marker_edit_revert(text(now), &a, &others, &result, &err), 0));
	cr_expect(eq(int, result.verdict, MARKER_CONFLICT));
}

/* Several lines of one edit before one line: a Match block of ours before the first of the
 * administrator's. Its lines are told apart from those of other edits, whatever came
 * first. */
static void apply_block(struct world *w, unsigned int number)
{
	_cleanup_sshd_lines_ struct sshd_lines lines = SSHD_LINES_INIT;
	_cleanup_buffer_ struct buffer made = BUFFER_INIT;
	_cleanup_edit_ struct edit edit = EDIT_INIT;
	char id[MARKER_ID_LEN + 1], match[64];
	struct marker_change changes[] = {
		{ EDIT_INSERT, 0, { .data = match } },
		{ EDIT_INSERT, 0, text("\tPermitRootLogin yes") },
		{ EDIT_INSERT, 0, text("\tPermitRootLogin no") },
	};
	struct error err = ERROR_INIT;
	size_t first = 0, n = 2 + pick(2);

	snprintf(id, sizeof(id), "%08x", number * 0x01010101u + 0xa0u);
	/* The addresses of two blocks may be the same. */
	changes[0].ours.len = (size_t)snprintf(match, sizeof(match), "Match Address 192.0.2.%u",
					       pick(2));
	cr_assert(eq(int, sshd_lines_scan("f", bytes(&w->file), &lines, &err), 0));
	while (first < lines.len && lines.items[first].keyword != SSHD_MATCH)
		first++;
	if (first == lines.len)
		return; /* another edit has commented out all of them */
	for (size_t i = 0; i < n; i++)
		changes[i].line = lines.items[first].number;
	/* Behind the marker of another edit nothing goes: before it, then. */
	while (marker_edit_apply(bytes(&w->file), id, changes, n, &made, &edit, &err) < 0) {
		cr_assert(not(zero(ptr, strstr(err.message, "stands behind a marker"))), "%s",
			  err.message);
		for (size_t i = 0; i < n; i++)
			changes[i].line--;
	}
	cr_assert(eq(sz, edit.len, n));
	cr_assert(eq(int, edits_add(&w->edits, &edit, &err), 0));
	buffer_release(&w->file);
	w->file = made;
	made = (struct buffer)BUFFER_INIT;
}

static void file_with_match(struct buffer *base, struct world *w)
{
	struct error err = ERROR_INIT;

	random_file(base);
	if (base->len > 0 && base->data[base->len - 1] != '\n')
		cr_assert(eq(int, buffer_append_str(base, "\n", &err), 0));
	cr_assert(eq(int,
		     buffer_append_str(base, "Match User bob\n\tPermitRootLogin no\nMatch all\n",
				       &err), 0));
	cr_assert(eq(int, buffer_append(&w->file, base->data, base->len, &err), 0));
}

Test(config_marker_orders, blocks_of_ours_come_and_go_among_other_edits, .timeout = 60)
{
	for (unsigned int seed = 1; seed <= 3000; seed++) {
		_cleanup_buffer_ struct buffer base = BUFFER_INIT;
		struct world w = { .file = BUFFER_INIT, .edits = EDITS_INIT };

		state = seed * 2654435761u;
		file_with_match(&base, &w);
		for (unsigned int step = 1; step <= 12 || w.edits.len > 0; step++) {
			unsigned int action = pick(6);

			if (step > 12 || w.edits.len == EDITS || action < 2) {
				if (w.edits.len > 0)
					revert_one(&w, pick((unsigned int)w.edits.len));
			} else if (action < 4) {
				apply_block(&w, step);
			} else {
				apply_random(&w, step);
			}
		}
		cr_assert(eq(str, show(bytes(&w.file)), show(bytes(&base))), "seed %u", seed);
		world_release(&w);
	}
}

/* The administrator moves the Match that a block of ours was put before to the top. */
Test(config_marker_orders, blocks_of_ours_come_out_when_the_match_behind_them_was_moved,
     .timeout = 60)
{
	static const char theirs[] = "Match User bob\n\tPermitRootLogin no\n";

	for (unsigned int seed = 1; seed <= 2000; seed++) {
		_cleanup_buffer_ struct buffer base = BUFFER_INIT, moved = BUFFER_INIT,
					       expected = BUFFER_INIT;
		struct world w = { .file = BUFFER_INIT, .edits = EDITS_INIT };
		struct error err = ERROR_INIT;
		char *at;

		state = seed * 3266489917u;
		file_with_match(&base, &w);
		for (unsigned int i = 0; i < EDITS; i++)
			apply_block(&w, i + 1);
		at = strstr(w.file.data, theirs);
		cr_assert(not(zero(ptr, at)));
		cr_assert(eq(int,
			     buffer_printf(&moved, &err, "%s%.*s%s", theirs, (int)(at - w.file.data),
					   w.file.data, at + strlen(theirs)), 0));
		at = strstr(base.data, theirs);
		cr_assert(eq(int,
			     buffer_printf(&expected, &err, "%s%.*s%s", theirs, (int)(at - base.data),
					   base.data, at + strlen(theirs)), 0));
		buffer_release(&w.file);
		w.file = moved;
		moved = (struct buffer)BUFFER_INIT;
		while (w.edits.len > 0)
			revert_one(&w, pick((unsigned int)w.edits.len));
		cr_assert(eq(str, show(bytes(&w.file)), show(bytes(&expected))), "seed %u", seed);
		world_release(&w);
	}
}

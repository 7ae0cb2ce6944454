/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The editors: what was applied is taken out again to the last byte, alone and two on top of each
 * other in both orders; and every byte outside of what was changed stays. The input is two lines of
 * wishes, "s3 d5 i2 i2" (set, disable, insert before line 3), the text, and perhaps "==" with a
 * text that somebody else made of it.
 */
#include "fuzz.h"

#include "config/marker.h"

#define CHANGES_MAX 8
#define ID_A "aaaaaaaa"
#define ID_B "bbbbbbbb"

static size_t read_wishes(struct slice line, const char *ours, struct marker_change *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < line.len && n < CHANGES_MAX; i++) {
		struct marker_change c = { .kind = EDIT_SET,
					   .ours = slice_of(ours, strlen(ours)) };

		if (line.data[i] == 'd')
			c = (struct marker_change){ .kind = EDIT_DISABLE };
		else if (line.data[i] == 'i')
			c.kind = EDIT_INSERT;
		else if (line.data[i] != 's')
			continue;
		while (i + 1 < line.len && line.data[i + 1] >= '0' &&
		       line.data[i + 1] <= '9' && c.line < 100000)
			c.line = c.line * 10 + (size_t)(line.data[++i] - '0');
		ret[n++] = c;
	}
	return n;
}

static bool same(const struct buffer *b, struct slice text)
{
	return slice_equal(slice_of(b->data, b->len), text);
}

static struct slice bytes(const struct buffer *b)
{
	return slice_of(b->data != NULL ? b->data : "", b->len);
}

/* Without the lines that hold the ID, and those directly behind that are ours, and with the
 * originals of the markers, the text is the one before: told without the code that reverts. */
static void check_outside(struct slice made, struct slice before, const struct edit *edit)
{
	size_t changed = 0;
	struct slice line, old;
	bool ours_next = false;

	while (fuzz_line(&made, &line)) {
		if (ours_next) {
			ours_next = false;
			continue;
		}
		if (line.len >= 20 && memcmp(line.data, "#rootlatch:" ID_A, 19) == 0) {
			const struct edit_change *c = &edit->changes[changed++];

			FUZZ_MUST(changed <= edit->len);
			ours_next = c->kind != EDIT_DISABLE;
			if (c->kind == EDIT_INSERT)
				continue;
			FUZZ_MUST(fuzz_line(&before, &old));
			FUZZ_MUST(memcmp(old.data, c->original, strlen(c->original)) ==
				  0);
			continue;
		}
		FUZZ_MUST(fuzz_line(&before, &old));
		/* the last line may have got the end that ours needs */
		if (old.len > 0 && line.len == old.len + 1 && line.data[old.len] == '\r')
			line.len--;
		FUZZ_MUST(slice_equal(line, old));
	}
	FUZZ_MUST(changed == edit->len && before.len == 0);
}

static int stop_at_ours(void *ctx, const struct marker *marker)
{
	const char *id = ctx;

	FUZZ_MUST(marker_id_valid(marker->id) && marker->number > 0);
	return strcmp(marker->id, id) == 0;
}

/* Whatever somebody made of the text: it is told, and with a reversal no marker of it is left. */
static void check_mangled(struct slice text, const struct edit *edit)
{
	_cleanup_marker_result_ struct marker_result r = MARKER_RESULT_INIT;
	struct error err = ERROR_INIT;
	char id[] = ID_A;

	(void)marker_scan(text, stop_at_ours, id);
	if (marker_edit_revert(text, edit, NULL, &r, &err) < 0)
		return;
	FUZZ_MUST(r.verdict == MARKER_REVERTED || r.text.len == 0);
	if (r.verdict == MARKER_CONFLICT)
		FUZZ_MUST(r.conflict.message[0] != '\0');
	else if (r.verdict == MARKER_REVERTED)
		FUZZ_MUST(marker_scan(bytes(&r.text), stop_at_ours, id) == 0);
	else
		FUZZ_MUST(marker_scan(text, stop_at_ours, id) == 0);
}

/* Takes `first` out of a text with both, then the other one: nothing may be left of either. */
static void check_both(struct slice text, const struct edit *first,
		       const struct edit *second, struct slice base)
{
	_cleanup_marker_result_ struct marker_result one = MARKER_RESULT_INIT,
						     two = MARKER_RESULT_INIT;
	_cleanup_edits_ struct edits others = EDITS_INIT;
	struct error err = ERROR_INIT;

	FUZZ_MUST(edits_add(&others, second, &err) == 0);
	FUZZ_MUST(marker_edit_revert(text, first, &others, &one, &err) == 0);
	FUZZ_MUST(one.verdict == MARKER_REVERTED);
	FUZZ_MUST(one.others.len == 1);
	FUZZ_MUST(marker_edit_revert(bytes(&one.text), &one.others.items[0], NULL, &two,
				     &err) == 0);
	if (two.verdict == MARKER_GONE)
		FUZZ_MUST(same(&one.text, base));
	else
		FUZZ_MUST(two.verdict == MARKER_REVERTED && same(&two.text, base));
}

FUZZ_TARGET(marker)
{
	_cleanup_buffer_ struct buffer made = BUFFER_INIT, both = BUFFER_INIT;
	_cleanup_marker_result_ struct marker_result r = MARKER_RESULT_INIT;
	_cleanup_edit_ struct edit a = EDIT_INIT, b = EDIT_INIT;
	struct slice rest = fuzz_input(data, size), wishes = slice_of("", 0), name, base;
	struct marker_change for_a[CHANGES_MAX], for_b[CHANGES_MAX];
	struct error err = ERROR_INIT;
	size_t n_a, n_b;

	(void)fuzz_line(&rest, &wishes);
	n_a = read_wishes(wishes, "PermitRootLogin yes", for_a);
	wishes = slice_of("", 0);
	(void)fuzz_line(&rest, &wishes);
	n_b = read_wishes(wishes, "\tPermitRootLogin prohibit-password", for_b);
	base = fuzz_part(&rest, &name);
	if (marker_edit_apply(base, ID_A, for_a, n_a, &made, &a, &err) < 0) {
		FUZZ_MUST(made.len == 0 && a.len == 0);
		return 0;
	}
	FUZZ_MUST(n_a == a.len);
	check_outside(bytes(&made), base, &a);
	if (rest.len > 0)
		check_mangled(rest, &a);
	FUZZ_MUST(marker_edit_revert(bytes(&made), &a, NULL, &r, &err) == 0);
	if (n_a == 0)
		return 0;
	FUZZ_MUST(r.verdict == MARKER_REVERTED && same(&r.text, base));
	if (n_b == 0 ||
	    marker_edit_apply(bytes(&made), ID_B, for_b, n_b, &both, &b, &err) < 0)
		return 0;
	check_both(bytes(&both), &b, &a, base);
	check_both(bytes(&both), &a, &b, base);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Why an edit cannot be taken out, said with line numbers and the difference.
 */
#include "config/marker_revert.h"

#include <stdio.h>

/* A message is for reading: no more than this of each. */
#define LINE_SHOWN 160
#define CHANGES_SHOWN 16

/* The line around a place, without blanks at its ends, and without a marker's prefix. */
static struct slice line_around(struct slice text, size_t at)
{
	struct text_line line;
	struct marker marker;

	while (at > 0 && text.data[at - 1] != '\n')
		at--;
	line = text_line_at(text, at);
	if (marker_parse(text, line, &marker))
		return slice_trim(marker.original);
	return slice_trim(text_line_slice(text, line));
}

static size_t number_at(struct slice text, size_t at)
{
	size_t number = 1;

	for (size_t i = 0; i < at; i++)
		number += text.data[i] == '\n' ? 1 : 0;
	return number;
}

/* The number of the first line that is `wanted`, live or wrapped; 0: none. */
static size_t find_line(struct slice text, const char *wanted)
{
	struct slice w = slice_trim(slice_of(wanted, strlen(wanted)));
	const char *p = text.data, *end = text.data + text.len;

	while (w.len > 0 && (p = memmem(p, (size_t)(end - p), w.data, w.len)) != NULL) {
		if (slice_equal(line_around(text, (size_t)(p - text.data)), w))
			return number_at(text, (size_t)(p - text.data));
		p = memchr(p, '\n', (size_t)(end - p));
		if (p == NULL)
			break;
	}
	return 0;
}

size_t marker_ours_line(struct slice text, const struct edit *edit)
{
	size_t number = 0;

	for (size_t c = 0; c < edit->len && number == 0; c++)
		if (edit->changes[c].ours != NULL)
			number = find_line(text, edit->changes[c].ours);
	return number;
}

__attribute__((format(printf, 3, 4))) static void add(char *s, size_t cap,
						      const char *fmt, ...)
{
	size_t used = strlen(s);
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(s + used, cap - used, fmt, args);
	va_end(args);
}

static void difference(struct error *e, const char *sign, struct slice line)
{
	add(e->hint, sizeof(e->hint), "%s%s%.*s", e->hint[0] != '\0' ? "\n" : "", sign,
	    (int)(line.len < LINE_SHOWN ? line.len : LINE_SHOWN), line.data);
}

static bool original_is(const struct marker *marker, const struct edit_change *change)
{
	if (change->original == NULL || marker->original.data == NULL)
		return change->original == NULL && marker->original.data == NULL;
	return slice_is(marker->original, change->original);
}

static bool same_original(const struct edit_change *a, const struct edit_change *b)
{
	if (a->original == NULL || b->original == NULL)
		return a->original == b->original;
	return strcmp(a->original, b->original) == 0;
}

/* Of changes whose markers read alike, the first ones are those that are still there. */
static bool marker_is_there(const struct reverting *r, const struct edit_change *change)
{
	size_t wanted = 1, found = 0;

	for (const struct edit_change *c = r->edit->changes; c < change; c++)
		wanted += same_original(c, change) ? 1 : 0;
	for (size_t i = 0; i < r->places.len; i++)
		if (r->places.items[i].edit == r->edit &&
		    original_is(&r->places.items[i].marker, change))
			found++;
	return found >= wanted;
}

/* What was written and is not there. */
static void show_missing(const struct reverting *r, const struct edit_change *change,
			 struct error *e)
{
	char prefix[MARKER_PREFIX_LEN + 3];
	const char *original = change->original != NULL ? change->original : "";
	bool there = marker_is_there(r, change);

	(void)snprintf(prefix, sizeof(prefix), "-%s%s#%s", MARKER_TAG, r->edit->id,
		       change->original != NULL ? " " : "");
	if (!there)
		difference(e, prefix, slice_of(original, strlen(original)));
	if (change->ours != NULL && find_line(r->text, change->ours) == 0)
		difference(e, "-", slice_of(change->ours, strlen(change->ours)));
}

/* What is there at a marker of the edit, and was not written. */
static void show_foreign(const struct reverting *r, const struct place *p,
			 struct error *e)
{
	bool marker_known = false, next_known = !p->has_next || p->next_is_marker;
	size_t disables = 0;

	for (size_t c = 0; c < r->edit->len && c < CHANGES_SHOWN; c++) {
		const struct edit_change *change = &r->edit->changes[c];

		if (!original_is(&p->marker, change))
			continue;
		marker_known = true;
		disables += change->kind == EDIT_DISABLE ? 1 : 0;
		if (change->ours != NULL && !next_known)
			next_known =
				slice_is(text_line_slice(r->text, p->next), change->ours);
	}
	if (!marker_known)
		difference(e, "+",
			   slice_of(r->text.data + p->marker.offset, p->marker.len));
	if (!next_known && disables == 0)
		difference(e, "+", text_line_slice(r->text, p->next));
}

/* A marker that was copied is as it was written, twice: the second one is the difference. */
static void show_copies(const struct reverting *r, struct error *e)
{
	for (size_t i = 0; i < r->places.len && i < CHANGES_SHOWN; i++) {
		const struct marker *m = &r->places.items[i].marker;

		for (size_t k = 0; k < i; k++) {
			const struct marker *first = &r->places.items[k].marker;

			if (r->places.items[i].edit == r->edit &&
			    r->places.items[k].edit == r->edit &&
			    slice_equal(m->original, first->original)) {
				difference(e, "+", slice_of(r->text.data + m->offset, m->len));
				break;
			}
		}
	}
}

static void show_difference(const struct reverting *r, struct error *e)
{
	size_t shown = 0;

	for (size_t c = 0; c < r->edit->len && c < CHANGES_SHOWN; c++)
		show_missing(r, &r->edit->changes[c], e);
	for (size_t i = 0; i < r->places.len && shown < CHANGES_SHOWN; i++) {
		if (r->places.items[i].edit == r->edit) {
			show_foreign(r, &r->places.items[i], e);
			shown++;
		}
	}
}

/* "3, 17": where the edit's markers stand. */
static void list_lines(const struct reverting *r, char *ret, size_t cap)
{
	size_t shown = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < r->places.len && shown <= CHANGES_SHOWN; i++) {
		if (r->places.items[i].edit != r->edit)
			continue;
		if (shown++ == CHANGES_SHOWN)
			add(ret, cap, ", ...");
		else
			add(ret, cap, "%s%zu", ret[0] != '\0' ? ", " : "",
			    r->places.items[i].marker.number);
	}
}

void marker_describe_conflict(const struct reverting *r, size_t mentions, size_t line,
			      struct error *ret)
{
	const char *id = r->edit->id;
	char lines[256];

	list_lines(r, lines, sizeof(lines));
	if (mentions == 0)
		error_set(ret, ERROR_REFUSED,
			  "line %zu: our line stands there without its "
			  "marker %s%s#",
			  line, MARKER_TAG, id);
	else if (lines[0] == '\0')
		error_set(ret, ERROR_REFUSED, "our marker %s%s# was changed", MARKER_TAG,
			  id);
	else if (mentions != r->edit->len)
		error_set(ret, ERROR_REFUSED,
			  "our marker %s%s# was written %zu times and is "
			  "there %zu times (line %s)",
			  MARKER_TAG, id, r->edit->len, mentions, lines);
	else
		error_set(ret, ERROR_REFUSED,
			  "our marker %s%s#, or our line behind it, is not "
			  "as it was written (line %s)",
			  MARKER_TAG, id, lines);
	show_difference(r, ret);
	if (mentions > r->edit->len)
		show_copies(r, ret);
}

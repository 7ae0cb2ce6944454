/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Finding markers, and making changes. A change only ever inserts bytes: the prefix
 * before a line, our line behind it. So the original line, and its end, stay where they
 * are.
 */
#include "config/marker.h"

#include <stdio.h>

#include "config/marker_text.h"
#include "config/splice.h"

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool marker_parse(struct slice text, struct text_line line, struct marker *ret)
{
	const size_t tag = sizeof(MARKER_TAG) - 1;
	const char *p = text.data + line.offset;

	if (line.len < MARKER_PREFIX_LEN || memcmp(p, MARKER_TAG, tag) != 0)
		return false;
	for (size_t i = 0; i < MARKER_ID_LEN; i++)
		if (!is_hex(p[tag + i]))
			return false;
	if (p[MARKER_PREFIX_LEN - 1] != '#')
		return false;
	if (line.len > MARKER_PREFIX_LEN && p[MARKER_PREFIX_LEN] != ' ')
		return false;
	*ret = (struct marker){
		.offset = line.offset,
		.len = line.len,
		.eol_len = line.eol_len,
	};
	memcpy(ret->id, p + tag, MARKER_ID_LEN);
	if (line.len > MARKER_PREFIX_LEN)
		ret->original = slice_of(p + MARKER_PREFIX_LEN + 1,
					 line.len - MARKER_PREFIX_LEN - 1);
	return true;
}

/* The next place of some bytes at or behind an offset; text.len when there is none. */
static size_t find(struct slice text, size_t offset, const char *what, size_t len)
{
	const char *p;

	if (offset >= text.len)
		return text.len;
	p = memmem(text.data + offset, text.len - offset, what, len);
	return p != NULL ? (size_t)(p - text.data) : text.len;
}

static size_t count_newlines(struct slice text, size_t from, size_t to)
{
	const char *p = text.data + from, *end = text.data + to;
	size_t n = 0;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		p++;
		n++;
	}
	return n;
}

int marker_scan(struct slice text, int (*found)(void *ctx, const struct marker *marker),
		void *ctx)
{
	size_t at = 0, counted = 0, number = 1;
	struct marker marker;
	int r;

	while ((at = find(text, at, MARKER_TAG, sizeof(MARKER_TAG) - 1)) < text.len) {
		if ((at == 0 || text.data[at - 1] == '\n') &&
		    marker_parse(text, text_line_at(text, at), &marker)) {
			number += count_newlines(text, counted, at);
			counted = at;
			marker.number = number;
			r = found(ctx, &marker);
			if (r != 0)
				return r;
		}
		at++;
	}
	return 0;
}

size_t marker_count_id(struct slice text, const char *id)
{
	char needle[sizeof(MARKER_TAG) + MARKER_ID_LEN];
	size_t at = 0, n = 0;

	/* Without the leading "#": whoever uncommented a marker has left the rest. */
	(void)snprintf(needle, sizeof(needle), "%s%s", &MARKER_TAG[1], id);
	while ((at = find(text, at, needle, strlen(needle))) < text.len) {
		at++;
		n++;
	}
	return n;
}

/* A text being changed, line after line. */
struct applying {
	struct slice text;
	struct slice eol;    /* where a line end is needed and there is none to copy */
	struct slice marker; /* the prefix without the blank */
	struct slice prefix; /* with it */
	struct text_line
		line; /* the current one; at the end of the text its offset is that */
	bool behind_marker;
	size_t number;
	struct splices splices;
	struct edit edit;
};

static struct slice file_eol(struct slice text)
{
	const char *newline = text.len > 0 ? memchr(text.data, '\n', text.len) : NULL;

	if (newline != NULL && newline > text.data && newline[-1] == '\r')
		return slice_of("\r\n", 2);
	return slice_of("\n", 1);
}

static void load_line(struct applying *a, size_t offset)
{
	a->line = (struct text_line){ .offset = offset };
	if (offset < a->text.len)
		a->line = text_line_at(a->text, offset);
}

/* Goes on to the line with a number. Past the last one there is one more to insert at. */
static bool go_to(struct applying *a, size_t number)
{
	struct marker marker;

	while (a->number < number) {
		if (a->line.offset == a->text.len)
			return false;
		a->behind_marker = marker_parse(a->text, a->line, &marker);
		load_line(a, text_line_next(a->line));
		a->number++;
	}
	return true;
}

/* Would the line be read back as these bytes with this end? A \r is the trap. */
static bool fits(struct slice line, struct slice eol)
{
	if (line.len == 0 || line.data[line.len - 1] != '\r')
		return true;
	return eol.len > 0 && eol.data[0] == '\r';
}

static int refuse(const struct applying *a, const char *why, struct error *err)
{
	return error_set(err, ERROR_REFUSED, "line %zu: %s", a->number, why);
}

static int check_ours(const struct applying *a, struct slice ours, struct slice eol,
		      struct error *err)
{
	struct marker marker;
	struct text_line line = { .len = ours.len };

	if (slice_trim(ours).len == 0 || memchr(ours.data, '\n', ours.len) != NULL ||
	    memchr(ours.data, '\0', ours.len) != NULL || !fits(ours, eol) ||
	    marker_parse(ours, line, &marker))
		return refuse(a, "our line would not be a line of its own", err);
	return 0;
}

static int record(struct applying *a, enum edit_kind kind, struct slice original,
		  struct slice ours, struct error *err)
{
	_cleanup_free_ char *original_copy = NULL, *ours_copy = NULL;

	if (kind != EDIT_INSERT) {
		original_copy = str_ndup(original.data, original.len, err);
		if (original_copy == NULL)
			return -1;
	}
	if (kind != EDIT_DISABLE) {
		ours_copy = str_ndup(ours.data, ours.len, err);
		if (ours_copy == NULL)
			return -1;
	}
	return edit_add(&a->edit, kind, original_copy, ours_copy, err);
}

static int apply_insert(struct applying *a, struct slice ours, struct error *err)
{
	size_t at = a->line.offset;

	if (a->behind_marker)
		return refuse(a, "stands behind a marker of ours; nothing can go between",
			      err);
	if (at == a->text.len && at > 0 && a->text.data[at - 1] != '\n')
		return refuse(a, "the line before has no end", err);
	if (check_ours(a, ours, a->eol, err) < 0)
		return -1;
	if (splices_add(&a->splices, at, 0, a->marker, err) < 0 ||
	    splices_add(&a->splices, at, 0, a->eol, err) < 0 ||
	    splices_add(&a->splices, at, 0, ours, err) < 0 ||
	    splices_add(&a->splices, at, 0, a->eol, err) < 0)
		return -1;
	return record(a, EDIT_INSERT, slice_of(NULL, 0), ours, err);
}

static int check_line(const struct applying *a, struct error *err)
{
	struct slice line = text_line_slice(a->text, a->line);
	struct marker marker;

	if (a->line.offset == a->text.len)
		return refuse(a, "is not there", err);
	if (marker_parse(a->text, a->line, &marker))
		return refuse(a, "is a marker of ours", err);
	if (slice_trim(line).len == 0)
		return refuse(a, "is blank", err);
	if (memchr(line.data, '\0', line.len) != NULL)
		return refuse(a, "has a NUL byte", err);
	return 0;
}

/* The line's end moves behind our line; the original gets one like it. */
static int apply_set(struct applying *a, struct slice ours, struct error *err)
{
	struct slice line = text_line_slice(a->text, a->line);
	struct slice eol = slice_of(line.data + line.len, a->line.eol_len);
	struct slice between = eol;
	size_t end = a->line.offset + line.len;

	if (eol.len == 0 || eol.data[eol.len - 1] != '\n')
		between = a->eol;
	if (!fits(line, between))
		return refuse(a, "ends in a carriage return that is no line end", err);
	if (check_ours(a, ours, eol, err) < 0)
		return -1;
	if (splices_add(&a->splices, a->line.offset, 0, a->prefix, err) < 0 ||
	    splices_add(&a->splices, end, 0, between, err) < 0 ||
	    splices_add(&a->splices, end, 0, ours, err) < 0)
		return -1;
	return record(a, EDIT_SET, line, ours, err);
}

static int apply_change(struct applying *a, const struct marker_change *change,
			struct error *err)
{
	if (change->line < a->number || !go_to(a, change->line)) {
		a->number = change->line;
		return refuse(a, "is not there, or out of order", err);
	}
	if (change->kind == EDIT_INSERT)
		return apply_insert(a, change->ours, err);
	if (check_line(a, err) < 0)
		return -1;
	if (change->kind == EDIT_SET)
		return apply_set(a, change->ours, err);
	if (splices_add(&a->splices, a->line.offset, 0, a->prefix, err) < 0)
		return -1;
	return record(a, EDIT_DISABLE, text_line_slice(a->text, a->line),
		      slice_of(NULL, 0), err);
}

/* Only inserts share a line: they all go in front of it, one behind the other. */
static bool may_follow(const struct marker_change *last, const struct marker_change *change)
{
	return change->line != last->line ||
	       (change->kind == EDIT_INSERT && last->kind == EDIT_INSERT);
}

static int apply_all(struct applying *a, const struct marker_change *changes, size_t len,
		     struct buffer *ret_text, struct error *err)
{
	for (size_t i = 0; i < len; i++) {
		if (i > 0 && !may_follow(&changes[i - 1], &changes[i])) {
			a->number = changes[i].line;
			return refuse(a, "is changed twice", err);
		}
		if (apply_change(a, &changes[i], err) < 0)
			return -1;
	}
	return splices_apply(&a->splices, a->text, ret_text, err);
}

int marker_edit_apply(struct slice text, const char *id,
		      const struct marker_change *changes, size_t len,
		      struct buffer *ret_text, struct edit *ret_edit, struct error *err)
{
	char prefix[MARKER_PREFIX_LEN + 2];
	struct applying a = { .text = text, .eol = file_eol(text), .number = 1 };
	int r;

	if (text.data == NULL)
		a.text = text = slice_of("", 0);
	if (!marker_id_valid(id))
		return error_set(err, ERROR_REFUSED, "not an ID of 8 hex digits: %.32s",
				 id);
	if (marker_count_id(text, id) > 0)
		return error_set(err, ERROR_REFUSED, "the ID %s is in use already", id);
	(void)snprintf(prefix, sizeof(prefix), "%s%s# ", MARKER_TAG, id);
	a.prefix = slice_of(prefix, MARKER_PREFIX_LEN + 1);
	a.marker = slice_of(prefix, MARKER_PREFIX_LEN);
	memcpy(a.edit.id, id, sizeof(a.edit.id));
	load_line(&a, 0);
	r = apply_all(&a, changes, len, ret_text, err);
	splices_release(&a.splices);
	if (r < 0) {
		edit_release(&a.edit);
		return -1;
	}
	edit_release(ret_edit);
	*ret_edit = a.edit;
	return 0;
}

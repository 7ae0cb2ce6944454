/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * marker_text: lines and markers as apply and revert both see them. Inside config/ only.
 *
 * A line's end is "\n", "\r\n", or at the end of the text nothing, or a "\r" that an
 * editor left there.
 */
#ifndef ROOTLATCH_CONFIG_MARKER_TEXT_H
#define ROOTLATCH_CONFIG_MARKER_TEXT_H

#include "config/marker.h"

#define MARKER_TAG "#rootlatch:"
/* The tag, the ID, and a "#"; an original follows behind one blank. */
#define MARKER_PREFIX_LEN (sizeof(MARKER_TAG) - 1 + MARKER_ID_LEN + 1)

struct text_line {
	size_t offset;
	size_t len;      /* without the end */
	size_t eol_len;
};

/* The line that begins at an offset below text.len. */
static inline struct text_line text_line_at(struct slice text, size_t offset)
{
	const char *start = text.data + offset;
	const char *newline = memchr(start, '\n', text.len - offset);
	struct text_line line = { .offset = offset };

	line.len = newline != NULL ? (size_t)(newline - start) : text.len - offset;
	line.eol_len = newline != NULL ? 1 : 0;
	if (line.len > 0 && start[line.len - 1] == '\r') {
		line.len--;
		line.eol_len++;
	}
	return line;
}

static inline size_t text_line_next(struct text_line line)
{
	return line.offset + line.len + line.eol_len;
}

static inline struct slice text_line_slice(struct slice text, struct text_line line)
{
	return slice_of(text.data + line.offset, line.len);
}

/* Without the blanks that sshd does not care about. */
static inline struct slice slice_trim(struct slice s)
{
	static const char blanks[] = " \t\r\f";

	while (s.len > 0 && memchr(blanks, s.data[0], sizeof(blanks) - 1) != NULL)
		s = slice_of(s.data + 1, s.len - 1);
	while (s.len > 0 && memchr(blanks, s.data[s.len - 1], sizeof(blanks) - 1) != NULL)
		s.len--;
	return s;
}

/* True, and *ret without number, when a line is one of our markers. */
bool marker_parse(struct slice text, struct text_line line, struct marker *ret);

/* How often an ID of ours stands in a text, as a marker or in a spoilt one. */
size_t marker_count_id(struct slice text, const char *id);

#endif

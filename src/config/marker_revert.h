/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * marker_revert: what taking an edit out and explaining why that cannot be done share.
 * Inside config/ only.
 */
#ifndef ROOTLATCH_CONFIG_MARKER_REVERT_H
#define ROOTLATCH_CONFIG_MARKER_REVERT_H

#include "config/marker.h"
#include "config/marker_text.h"
#include "config/splice.h"

/* A marker in the text, and the line behind it. */
struct place {
	struct marker marker;
	bool has_next;
	struct text_line next;
	bool next_is_marker;        /* it is the next place, too */
	const struct edit *edit;    /* whose marker; NULL: of nobody we know */
	size_t change;              /* its change, when the edit is assigned */
};

struct places {
	struct place *items;
	size_t len;
	size_t cap;
	struct slice text;
	struct error *err;
};

struct reverting {
	struct slice text;
	const struct edit *edit;
	const struct edits *others;
	struct places places;
	struct splices splices;
	struct edits changed;       /* copies of others, rebased as we go */
};

static inline bool slice_is(struct slice s, const char *text)
{
	return slice_equal(s, slice_of(text, strlen(text)));
}

/* Is this the marker of this change, with all that belongs to it, as it was written? */
bool marker_fits(const struct reverting *r, const struct place *p,
		 const struct edit_change *change);

/* The number of a line that is one of ours, live or wrapped; 0 when there is none. */
size_t marker_ours_line(struct slice text, const struct edit *edit);

/* Fills in message and hint. `mentions` of the edit's ID are in the text; where there are
 * none, our line stands at `line`. */
void marker_describe_conflict(const struct reverting *r, size_t mentions, size_t line,
			      struct error *ret);

#endif

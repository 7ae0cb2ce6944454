/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * marker: our changes of a configuration text, and how they are taken out again by
 * meaning, whatever others have changed around them since.
 *
 *   disable   L                ->   #rootlatch:ID# L
 *   set       L                ->   #rootlatch:ID# L
 *                                   L with the new value
 *   insert                     ->   #rootlatch:ID#
 *                                   our line
 *
 * Lines that belong together, a Match block of ours, are inserts one behind the other.
 *
 * ID is the transaction's, 8 lower-case hex digits. A later edit may set or disable the
 * line of an earlier one. Then their markers are a stack, oldest on top, and each wraps
 * the line of the one above it:
 *
 *   #rootlatch:A# PermitRootLogin no
 *   #rootlatch:B# PermitRootLogin yes
 *   PermitRootLogin prohibit-password
 *
 * Taking out A closes the gap: B then wraps what A wrapped, and B's record says so.
 *
 * Line ends are no part of a change: one that an editor converted is taken as it
 * stands.
 */
#ifndef ROOTLATCH_CONFIG_MARKER_H
#define ROOTLATCH_CONFIG_MARKER_H

#include "base/buffer.h"

#define MARKER_ID_LEN 8

enum edit_kind {
	EDIT_DISABLE,
	EDIT_SET,
	EDIT_INSERT,
};

/* One change as it was made. The strings have no line end and no NUL, but may hold any
 * other byte. Written to the state file. */
struct edit_change {
	enum edit_kind kind;
	char *original;   /* the line before; NULL of an insert */
	char *ours;       /* our live line; NULL of a disable */
};

/* All that one transaction changed in one file, in the order of the file. May be empty:
 * what it disabled was the inserted line of another, which is gone. */
struct edit {
	char id[MARKER_ID_LEN + 1];
	struct edit_change *changes;
	size_t len;
	size_t cap;
};

struct edits {
	struct edit *items;
	size_t len;
	size_t cap;
};

#define EDIT_INIT { .changes = NULL }
#define EDITS_INIT { .items = NULL }
#define _cleanup_edit_ _cleanup_(edit_release)
#define _cleanup_edits_ _cleanup_(edits_release)

void edit_release(struct edit *edit);
void edits_release(struct edits *edits);

/* For those who read records back: adds a copy of a change. NULL where the kind has none.
 * ERROR_REFUSED: a string with a newline, or strings that do not fit the kind. */
int edit_add(struct edit *edit, enum edit_kind kind, const char *original,
	     const char *ours, struct error *err) _must_check_;
int edit_copy(const struct edit *edit, struct edit *ret, struct error *err) _must_check_;

/* Adds a deep copy. */
int edits_add(struct edits *edits, const struct edit *edit, struct error *err)
	_must_check_;

bool marker_id_valid(const char *id);

/* A change that is wanted. */
struct marker_change {
	enum edit_kind kind;
	size_t line;           /* number from 1: the line to disable or set, or the line
				  before which to insert; 1 of an empty text is allowed */
	struct slice ours;     /* set, insert: our line without a line end */
};

/* Makes the changes, which are in the order of their lines, at most one a line, but for
 * inserts: several in front of the same line become several lines of ours in that order,
 * each with its own marker. On success *ret_text (empty before) is the new text,
 * *ret_edit (empty before) the record. ERROR_REFUSED: a bad ID, a line that is not there,
 * is blank or is a marker; lines out of order; an insert directly behind a marker; an ID
 * that the text already has. */
int marker_edit_apply(struct slice text, const char *id,
		      const struct marker_change *changes, size_t len,
		      struct buffer *ret_text, struct edit *ret_edit,
		      struct error *err) _must_check_;

enum marker_verdict {
	MARKER_REVERTED,  /* taken out, in *text */
	MARKER_GONE,      /* somebody else has taken it out; *text is empty */
	MARKER_CONFLICT,  /* cannot be told from somebody's edit; *text is empty */
};

struct marker_result {
	enum marker_verdict verdict;
	struct buffer text;
	struct edits others;    /* reverted: the other edits' records as they are now */
	struct error conflict;  /* conflict: what and where; the hint has the difference,
				   lines as diff -u writes them */
};

#define MARKER_RESULT_INIT { .text = BUFFER_INIT, .others = EDITS_INIT }
#define _cleanup_marker_result_ _cleanup_(marker_result_release)

void marker_result_release(struct marker_result *result);

/* Takes an edit out of a text. `others` are all other edits of ours that are applied to
 * the same file, in any order. A conflict is a result, not a failure.
 *
 * reverted: every marker of the edit stands there once, unchanged, and our lines
 * unchanged directly behind theirs (or wrapped by the marker of one of `others`). Where
 * they stand in the file does not matter. gone: neither the ID nor one of our lines is
 * in the text. */
int marker_edit_revert(struct slice text, const struct edit *edit,
		       const struct edits *others, struct marker_result *ret,
		       struct error *err) _must_check_;

struct marker {
	char id[MARKER_ID_LEN + 1];
	size_t number;          /* of its line, from 1 */
	size_t offset;          /* of its line in the text */
	size_t len;             /* of its line, without the line end */
	size_t eol_len;
	struct slice original;  /* data NULL: an insert */
};

/* Calls back for every marker of ours, of whatever edit, in order. Stops with the first
 * value other than 0 that the callback returns, and returns it. */
int marker_scan(struct slice text, int (*found)(void *ctx, const struct marker *marker),
		void *ctx);

#endif

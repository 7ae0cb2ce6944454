/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Taking an edit out. Each marker of the edit in the text is assigned to one change of
 * its record, or nothing is done at all. A change then is in one of four forms:
 *
 *   disabled        #X# L              ->  L
 *   set, live       #X# L  / ours      ->  L
 *   inserted, live  #X#    / ours      ->  nothing
 *   wrapped         #X# L  / #Y# ours  ->  #Y# L       (Y set or disabled our line)
 *                   #X#    / #Y# ours  ->  #Y#         (Y set it: Y has inserted now)
 *                   #X#    / #Y# ours  ->  nothing     (Y disabled it: no more to do)
 */
#include "config/marker_revert.h"

void marker_result_release(struct marker_result *result)
{
	buffer_release(&result->text);
	edits_release(&result->others);
	*result = (struct marker_result)MARKER_RESULT_INIT;
}

static int add_place(void *ctx, const struct marker *marker)
{
	struct places *p = ctx;
	size_t cap = p->cap != 0 ? p->cap * 2 : 8;
	size_t next = marker->offset + marker->len + marker->eol_len;
	struct place *items, *place;
	struct marker behind;

	if (p->len == p->cap) {
		items = reallocarray(p->items, cap, sizeof(*items));
		if (items == NULL)
			return error_oom(p->err);
		p->items = items;
		p->cap = cap;
	}
	place = &p->items[p->len++];
	*place = (struct place){ .marker = *marker, .has_next = next < p->text.len };
	if (place->has_next) {
		place->next = text_line_at(p->text, next);
		place->next_is_marker = marker_parse(p->text, place->next, &behind);
	}
	return 0;
}

static const struct edit *edit_of(const struct reverting *r, const char *id)
{
	if (strcmp(r->edit->id, id) == 0)
		return r->edit;
	for (size_t i = 0; i < r->others->len; i++)
		if (strcmp(r->others->items[i].id, id) == 0)
			return &r->others->items[i];
	return NULL;
}

/* Our line as it was written, directly behind the marker: live, or wrapped by another
 * edit. */
static bool ours_behind(const struct reverting *r, const struct place *p,
			const char *ours)
{
	if (!p->has_next)
		return false;
	if (!p->next_is_marker)
		return slice_is(text_line_slice(r->text, p->next), ours);
	return p[1].edit != NULL && p[1].edit != p->edit &&
	       p[1].marker.original.data != NULL && slice_is(p[1].marker.original, ours);
}

bool marker_fits(const struct reverting *r, const struct place *p,
		 const struct edit_change *change)
{
	if ((change->original == NULL) != (p->marker.original.data == NULL))
		return false;
	if (change->original != NULL && !slice_is(p->marker.original, change->original))
		return false;
	return change->ours == NULL || ours_behind(r, p, change->ours);
}

/* In the order of the record, as they were written. */
static bool assign_in_order(struct reverting *r, const struct edit *edit)
{
	size_t change = 0;

	for (size_t i = 0; i < r->places.len; i++) {
		struct place *p = &r->places.items[i];

		if (p->edit != edit)
			continue;
		if (change == edit->len || !marker_fits(r, p, &edit->changes[change]))
			return false;
		p->change = change++;
	}
	return change == edit->len;
}

/* Comparing all with all is for the handful of lines that a person moves about. */
#define UNIQUE_MAX 256

/* Somebody moved them: then each must fit one change only, and each change one marker. */
static bool assign_unique(struct reverting *r, const struct edit *edit)
{
	size_t markers = 0;

	for (size_t i = 0; i < r->places.len; i++)
		markers += r->places.items[i].edit == edit ? 1 : 0;
	if (markers != edit->len || markers > UNIQUE_MAX)
		return false;
	for (size_t c = 0; c < edit->len; c++) {
		struct place *only = NULL;

		for (size_t i = 0; i < r->places.len; i++) {
			struct place *p = &r->places.items[i];

			if (p->edit != edit || !marker_fits(r, p, &edit->changes[c]))
				continue;
			if (only != NULL)
				return false;
			only = p;
		}
		if (only == NULL)
			return false;
		only->change = c;
	}
	/* A marker that two changes share leaves another one without. */
	for (size_t i = 0; i < r->places.len; i++)
		for (size_t c = 0; r->places.items[i].edit == edit && c < edit->len; c++)
			if (c != r->places.items[i].change &&
			    marker_fits(r, &r->places.items[i], &edit->changes[c]))
				return false;
	return true;
}

/* Every mention of the ID must be a marker that fits: a spoilt one is somebody's edit. */
static bool assign(struct reverting *r, const struct edit *edit)
{
	return marker_count_id(r->text, edit->id) == edit->len &&
	       (assign_in_order(r, edit) || assign_unique(r, edit));
}

static int drop(struct reverting *r, size_t from, size_t to, struct slice put,
		struct error *err)
{
	return splices_add(&r->splices, from, to - from, put, err);
}

/* Where the original begins in a marker's line, and where the line's bytes end. */
static size_t original_at(const struct marker *m)
{
	return m->offset + MARKER_PREFIX_LEN + (m->original.data != NULL ? 1 : 0);
}

static size_t content_end(const struct marker *m)
{
	return m->offset + m->len;
}

static size_t line_end(const struct marker *m)
{
	return m->offset + m->len + m->eol_len;
}

static int replace_string(char **s, const char *value, struct error *err)
{
	char *copy = value != NULL ? str_dup(value, err) : NULL;

	if (value != NULL && copy == NULL)
		return -1;
	free(*s);
	*s = copy;
	return 0;
}

/* Marks a change of another edit as gone; edits_prune() takes it out. */
static void change_clear(struct edit_change *change)
{
	free(change->original);
	free(change->ours);
	change->original = NULL;
	change->ours = NULL;
}

static void edits_prune(struct edits *edits)
{
	for (size_t i = 0; i < edits->len; i++) {
		struct edit *e = &edits->items[i];
		size_t kept = 0;

		for (size_t c = 0; c < e->len; c++)
			if (e->changes[c].original != NULL || e->changes[c].ours != NULL)
				e->changes[kept++] = e->changes[c];
		e->len = kept;
	}
}

/* The line that y's marker wraps is ours; it goes, and y wraps what we wrapped. */
static int revert_wrapped(struct reverting *r, const struct place *x,
			  const struct place *y, struct error *err)
{
	const struct edit_change *change = &r->edit->changes[x->change];
	struct edit *rebased = &r->changed.items[y->edit - r->others->items];
	struct edit_change *theirs = &rebased->changes[y->change];
	struct slice nothing = slice_of("", 0);

	if (drop(r, x->marker.offset, line_end(&x->marker), nothing, err) < 0)
		return -1;
	if (change->kind == EDIT_SET) {
		if (drop(r, original_at(&y->marker), content_end(&y->marker),
			 x->marker.original, err) < 0)
			return -1;
		return replace_string(&theirs->original, change->original, err);
	}
	if (theirs->kind == EDIT_DISABLE) {
		change_clear(theirs);
		return drop(r, y->marker.offset, line_end(&y->marker), nothing, err);
	}
	theirs->kind = EDIT_INSERT;
	if (replace_string(&theirs->original, NULL, err) < 0)
		return -1;
	return drop(r, original_at(&y->marker) - 1, content_end(&y->marker), nothing,
		    err);
}

/* The line's end is the one that our line has now. */
static int revert_live(struct reverting *r, const struct place *x, struct error *err)
{
	const struct edit_change *change = &r->edit->changes[x->change];
	struct slice nothing = slice_of("", 0);

	if (change->kind == EDIT_INSERT)
		return drop(r, x->marker.offset, text_line_next(x->next), nothing, err);
	if (drop(r, x->marker.offset, original_at(&x->marker), nothing, err) < 0)
		return -1;
	if (change->kind == EDIT_DISABLE)
		return 0;
	return drop(r, content_end(&x->marker), x->next.offset + x->next.len, nothing,
		    err);
}

static int revert_all(struct reverting *r, struct error *err)
{
	int done = 0;

	for (size_t i = 0; i < r->places.len && done == 0; i++) {
		const struct place *x = &r->places.items[i];

		if (x->edit != r->edit)
			continue;
		if (r->edit->changes[x->change].kind != EDIT_DISABLE && x->next_is_marker)
			done = revert_wrapped(r, x, x + 1, err);
		else
			done = revert_live(r, x, err);
	}
	edits_prune(&r->changed);
	return done;
}

/* A line of ours that another edit wraps can be taken out only if that edit is whole. */
static bool wrappers_assigned(struct reverting *r)
{
	for (size_t i = 0; i + 1 < r->places.len; i++) {
		const struct place *x = &r->places.items[i];

		if (x->edit == r->edit && x->next_is_marker &&
		    r->edit->changes[x->change].kind != EDIT_DISABLE &&
		    !assign(r, x[1].edit))
			return false;
	}
	return true;
}

static int take_out(struct reverting *r, struct marker_result *ret, struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;

	if (revert_all(r, err) < 0 || splices_apply(&r->splices, r->text, &text, err) < 0)
		return -1;
	if (marker_count_id(slice_of(text.data, text.len), r->edit->id) != 0)
		return error_set(err, ERROR_FAILED, "a marker of %s would stay (a bug)",
				 r->edit->id);
	ret->verdict = MARKER_REVERTED;
	ret->text = text;
	text = (struct buffer)BUFFER_INIT;
	return 0;
}

static int revert(struct reverting *r, struct marker_result *ret, struct error *err)
{
	size_t mentions = marker_count_id(r->text, r->edit->id);
	size_t line = 0;

	if (r->edit->len > 0 && mentions == 0) {
		line = marker_ours_line(r->text, r->edit);
		if (line == 0) {
			ret->verdict = MARKER_GONE;
			return 0;
		}
	}
	if (mentions > 0 || r->edit->len == 0) {
		if (assign(r, r->edit) && wrappers_assigned(r))
			return take_out(r, ret, err);
	}
	ret->verdict = MARKER_CONFLICT;
	marker_describe_conflict(r, mentions, line, &ret->conflict);
	return 0;
}

static int prepare(struct reverting *r, struct error *err)
{
	r->places.text = r->text;
	r->places.err = err;
	if (marker_scan(r->text, add_place, &r->places) < 0)
		return -1;
	for (size_t i = 0; i < r->places.len; i++)
		r->places.items[i].edit = edit_of(r, r->places.items[i].marker.id);
	for (size_t i = 0; i < r->others->len; i++)
		if (edits_add(&r->changed, &r->others->items[i], err) < 0)
			return -1;
	return 0;
}

int marker_edit_revert(struct slice text, const struct edit *edit,
		       const struct edits *others, struct marker_result *ret,
		       struct error *err)
{
	static const struct edits none = EDITS_INIT;
	_cleanup_marker_result_ struct marker_result result = MARKER_RESULT_INIT;
	struct reverting r = {
		.text = text.data != NULL ? text : slice_of("", 0),
		.edit = edit,
		.others = others != NULL ? others : &none,
	};
	int done = prepare(&r, err);

	if (done == 0)
		done = revert(&r, &result, err);
	free(r.places.items);
	splices_release(&r.splices);
	if (done < 0) {
		edits_release(&r.changed);
		return -1;
	}
	result.others = r.changed;
	marker_result_release(ret);
	*ret = result;
	result = (struct marker_result)MARKER_RESULT_INIT;
	return 0;
}

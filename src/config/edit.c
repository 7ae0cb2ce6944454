/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The records of marker.h: plain memory, each string its own.
 */
#include "config/marker.h"

void edit_release(struct edit *edit)
{
	for (size_t i = 0; i < edit->len; i++) {
		free(edit->changes[i].original);
		free(edit->changes[i].ours);
	}
	free(edit->changes);
	*edit = (struct edit)EDIT_INIT;
}

void edits_release(struct edits *edits)
{
	for (size_t i = 0; i < edits->len; i++)
		edit_release(&edits->items[i]);
	free(edits->items);
	*edits = (struct edits)EDITS_INIT;
}

bool marker_id_valid(const char *id)
{
	return strlen(id) == MARKER_ID_LEN &&
	       strspn(id, "0123456789abcdef") == MARKER_ID_LEN;
}

static bool change_valid(enum edit_kind kind, const char *original, const char *ours)
{
	if (kind != EDIT_DISABLE && kind != EDIT_SET && kind != EDIT_INSERT)
		return false;
	if ((original != NULL) != (kind != EDIT_INSERT) ||
	    (ours != NULL) != (kind != EDIT_DISABLE))
		return false;
	return (original == NULL || strchr(original, '\n') == NULL) &&
	       (ours == NULL || strchr(ours, '\n') == NULL);
}

static int copy_or_null(const char *s, char **ret, struct error *err)
{
	*ret = s != NULL ? str_dup(s, err) : NULL;
	return s != NULL && *ret == NULL ? -1 : 0;
}

int edit_add(struct edit *edit, enum edit_kind kind, const char *original,
	     const char *ours, struct error *err)
{
	_cleanup_free_ char *original_copy = NULL, *ours_copy = NULL;
	size_t cap = edit->cap != 0 ? edit->cap * 2 : 4;
	struct edit_change *changes;

	if (!change_valid(kind, original, ours))
		return error_set(err, ERROR_REFUSED, "a record of an edit is malformed");
	if (copy_or_null(original, &original_copy, err) < 0 ||
	    copy_or_null(ours, &ours_copy, err) < 0)
		return -1;
	if (edit->len == edit->cap) {
		changes = reallocarray(edit->changes, cap, sizeof(*changes));
		if (changes == NULL)
			return error_oom(err);
		edit->changes = changes;
		edit->cap = cap;
	}
	edit->changes[edit->len++] = (struct edit_change){
		.kind = kind,
		.original = TAKE_PTR(original_copy),
		.ours = TAKE_PTR(ours_copy),
	};
	return 0;
}

int edit_copy(const struct edit *edit, struct edit *ret, struct error *err)
{
	_cleanup_edit_ struct edit copy = EDIT_INIT;

	memcpy(copy.id, edit->id, sizeof(copy.id));
	for (size_t i = 0; i < edit->len; i++) {
		const struct edit_change *c = &edit->changes[i];

		if (edit_add(&copy, c->kind, c->original, c->ours, err) < 0)
			return -1;
	}
	edit_release(ret);
	*ret = copy;
	copy = (struct edit)EDIT_INIT;
	return 0;
}

int edits_add(struct edits *edits, const struct edit *edit, struct error *err)
{
	size_t cap = edits->cap != 0 ? edits->cap * 2 : 4;
	struct edit copy = EDIT_INIT;
	struct edit *items;

	if (edits->len == edits->cap) {
		items = reallocarray(edits->items, cap, sizeof(*items));
		if (items == NULL)
			return error_oom(err);
		edits->items = items;
		edits->cap = cap;
	}
	if (edit_copy(edit, &copy, err) < 0)
		return -1;
	edits->items[edits->len++] = copy;
	return 0;
}

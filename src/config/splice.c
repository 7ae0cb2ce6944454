/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/splice.h"

void splices_release(struct splices *splices)
{
	free(splices->items);
	*splices = (struct splices)SPLICES_INIT;
}

int splices_add(struct splices *splices, size_t offset, size_t drop, struct slice put,
		struct error *err)
{
	size_t cap = splices->cap != 0 ? splices->cap * 2 : 8;
	struct splice *items;

	if (splices->len == splices->cap) {
		items = reallocarray(splices->items, cap, sizeof(*items));
		if (items == NULL)
			return error_oom(err);
		splices->items = items;
		splices->cap = cap;
	}
	splices->items[splices->len++] = (struct splice){
		.offset = offset,
		.drop = drop,
		.put = put,
	};
	return 0;
}

/* The length of the new text. */
static int check_order(const struct splices *splices, struct slice text, size_t *ret_len,
		       struct error *err)
{
	size_t done = 0, len = text.len;

	for (size_t i = 0; i < splices->len; i++) {
		const struct splice *s = &splices->items[i];

		if (s->offset < done || s->offset > text.len ||
		    s->drop > text.len - s->offset)
			return error_set(err, ERROR_FAILED,
					 "changes overlap or leave the text (a bug)");
		done = s->offset + s->drop;
		len = len - s->drop + s->put.len;
	}
	*ret_len = len;
	return 0;
}

/* Walks both texts in step, on its own account. */
static bool outside_equal(const struct splices *splices, struct slice text,
			  struct slice made)
{
	size_t old = 0, new = 0, same;

	for (size_t i = 0; i < splices->len; i++) {
		const struct splice *s = &splices->items[i];

		same = s->offset - old;
		if (same > made.len - new ||
		    memcmp(text.data + old, made.data + new, same) != 0)
			return false;
		old = s->offset + s->drop;
		new += same + s->put.len;
		if (new > made.len)
			return false;
	}
	same = text.len - old;
	return same == made.len - new &&
	       (same == 0 || memcmp(text.data + old, made.data + new, same) == 0);
}

int splices_apply(const struct splices *splices, struct slice text, struct buffer *ret,
		  struct error *err)
{
	_cleanup_buffer_ struct buffer made = BUFFER_INIT;
	size_t done = 0, len = 0;

	if (check_order(splices, text, &len, err) < 0 ||
	    buffer_reserve(&made, len, err) < 0)
		return -1;
	for (size_t i = 0; i < splices->len; i++) {
		const struct splice *s = &splices->items[i];

		if (buffer_append(&made, text.data + done, s->offset - done, err) < 0 ||
		    buffer_append(&made, s->put.data, s->put.len, err) < 0)
			return -1;
		done = s->offset + s->drop;
	}
	if (buffer_append(&made, text.data + done, text.len - done, err) < 0)
		return -1;
	if (!outside_equal(splices, text, slice_of(made.data, made.len)))
		return error_set(err, ERROR_FAILED,
				 "a byte outside our lines would have changed (a bug)");
	buffer_release(ret);
	*ret = made;
	made = (struct buffer)BUFFER_INIT;
	return 0;
}

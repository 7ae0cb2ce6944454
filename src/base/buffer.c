/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: len < cap whenever data is not NULL, and data[len] is NUL.
 */
#include "base/buffer.h"

#include <stdint.h>
#include <stdio.h>

void buffer_release(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer)BUFFER_INIT;
}

int buffer_reserve(struct buffer *b, size_t more, struct error *err)
{
	size_t cap = b->cap != 0 ? b->cap : 256;
	char *data;

	if (more > SIZE_MAX / 4 || b->len > SIZE_MAX / 4)
		return error_oom(err);
	while (cap < b->len + more + 1)
		cap *= 2;
	if (cap == b->cap)
		return 0;
	data = realloc(b->data, cap);
	if (data == NULL)
		return error_oom(err);
	b->data = data;
	b->cap = cap;
	b->data[b->len] = '\0';
	return 0;
}

int buffer_append(struct buffer *b, const void *bytes, size_t len, struct error *err)
{
	if (buffer_reserve(b, len, err) < 0)
		return -1;
	if (len > 0)
		memcpy(b->data + b->len, bytes, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int buffer_append_str(struct buffer *b, const char *s, struct error *err)
{
	return buffer_append(b, s, strlen(s), err);
}

int buffer_printf(struct buffer *b, struct error *err, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0)
		return error_oom(err);
	if (buffer_reserve(b, (size_t)n, err) < 0)
		return -1;
	va_start(args, fmt);
	(void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, args);
	va_end(args);
	b->len += (size_t)n;
	return 0;
}

void strings_release(struct strings *s)
{
	for (size_t i = 0; i < s->len; i++)
		free(s->items[i]);
	free(s->items);
	*s = (struct strings)STRINGS_INIT;
}

/* Takes `item`, also when it fails. */
static int strings_take(struct strings *s, char *item, struct error *err)
{
	_cleanup_free_ char *owned = item;

	if (owned == NULL)
		return -1;
	if (s->len + 2 > s->cap) {
		size_t cap = s->cap != 0 ? s->cap * 2 : 8;
		char **items = realloc(s->items, cap * sizeof(*items));

		if (items == NULL)
			return error_oom(err);
		s->items = items;
		s->cap = cap;
	}
	s->items[s->len++] = TAKE_PTR(owned);
	s->items[s->len] = NULL;
	return 0;
}

int strings_add(struct strings *s, const char *item, struct error *err)
{
	return strings_take(s, str_dup(item, err), err);
}

int strings_addn(struct strings *s, const char *item, size_t len, struct error *err)
{
	return strings_take(s, str_ndup(item, len, err), err);
}

int strings_addf(struct strings *s, struct error *err, const char *fmt, ...)
{
	char *item = NULL;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&item, fmt, args);
	va_end(args);
	if (n < 0)
		return error_oom(err);
	return strings_take(s, item, err);
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strings_sort(struct strings *s)
{
	if (s->len > 1)
		qsort(s->items, s->len, sizeof(*s->items), compare_strings);
}

int strings_copy(const struct strings *s, struct strings *ret, struct error *err)
{
	for (size_t i = 0; i < s->len; i++)
		if (strings_add(ret, s->items[i], err) < 0)
			return -1;
	return 0;
}

bool strings_equal(const struct strings *a, const struct strings *b)
{
	for (size_t i = 0; i < a->len && i < b->len; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return a->len == b->len;
}

bool strings_contain(const struct strings *s, const char *item)
{
	for (size_t i = 0; i < s->len; i++)
		if (strcmp(s->items[i], item) == 0)
			return true;
	return false;
}

char *str_dup(const char *s, struct error *err)
{
	return str_ndup(s, strlen(s), err);
}

char *str_ndup(const char *s, size_t len, struct error *err)
{
	char *copy = malloc(len + 1);

	if (copy == NULL) {
		(void)error_oom(err);
		return NULL;
	}
	if (len > 0)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *str_format(struct error *err, const char *fmt, ...)
{
	char *ret = NULL;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&ret, fmt, args);
	va_end(args);
	if (n < 0) {
		(void)error_oom(err);
		return NULL;
	}
	return ret;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * buffer: bytes that grow. `data` is always terminated by a NUL that `len` does not count,
 * and is never NULL after buffer_reserve or any append that succeeded.
 */
#ifndef ROOTLATCH_BASE_BUFFER_H
#define ROOTLATCH_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"

struct buffer {
	char *data;
	size_t len;
	size_t cap;
};

#define BUFFER_INIT { .data = NULL, .len = 0, .cap = 0 }
#define _cleanup_buffer_ _cleanup_(buffer_release)

void buffer_release(struct buffer *b);

/* Makes room for `more` bytes behind len. Fails with ENOMEM only. */
int buffer_reserve(struct buffer *b, size_t more, struct error *err) _must_check_;
int buffer_append(struct buffer *b, const void *bytes, size_t len, struct error *err)
	_must_check_;
int buffer_append_str(struct buffer *b, const char *s, struct error *err) _must_check_;
int buffer_printf(struct buffer *b, struct error *err, const char *fmt, ...)
	_printf_(3, 4) _must_check_;

/* A view of bytes that somebody else owns. */
struct slice {
	const char *data;
	size_t len;
};

static inline struct slice slice_of(const char *data, size_t len)
{
	return (struct slice){ .data = data, .len = len };
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Strings, owned; `items` has a NULL behind the last, so it can serve as an argv. */
struct strings {
	char **items;
	size_t len;
	size_t cap;
};

#define STRINGS_INIT { .items = NULL, .len = 0, .cap = 0 }
#define _cleanup_strings_ _cleanup_(strings_release)

void strings_release(struct strings *s);
int strings_add(struct strings *s, const char *item, struct error *err) _must_check_;
int strings_addn(struct strings *s, const char *item, size_t len, struct error *err)
	_must_check_;
int strings_addf(struct strings *s, struct error *err, const char *fmt, ...)
	_printf_(3, 4) _must_check_;
/* In byte order (strcmp(3)). */
void strings_sort(struct strings *s);
/* Adds copies of all of them. */
int strings_copy(const struct strings *s, struct strings *ret, struct error *err) _must_check_;
bool strings_equal(const struct strings *a, const struct strings *b); /* in the same order */
bool strings_contain(const struct strings *s, const char *item);

/* strdup(3) and asprintf(3) that report like everything else; NULL on failure. */
char *str_dup(const char *s, struct error *err) _must_check_;
char *str_ndup(const char *s, size_t len, struct error *err) _must_check_;
char *str_format(struct error *err, const char *fmt, ...) _printf_(2, 3) _must_check_;

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuzz: what the harnesses share. Each is one function that gets any bytes at all and checks what
 * must hold for them; libFuzzer calls it (`make fuzz`), or replay.c with the files of corpus/.
 *
 * A text in an input may be cut into parts by lines that begin with "==": so inputs stay readable.
 */
#ifndef ROOTLATCH_FUZZ_H
#define ROOTLATCH_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"

/* libFuzzer wants one function by its own name in each program, replay.c all of them in one. */
#ifdef FUZZ_ALONE
#define FUZZ_TARGET(name)                                             \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size); \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
#else
#define FUZZ_TARGET(name)                                  \
	int fuzz_##name(const uint8_t *data, size_t size); \
	int fuzz_##name(const uint8_t *data, size_t size)
#endif

/* Something must hold. It is said before the program ends, so that the report has it. */
#define FUZZ_MUST(what)                                                            \
	do {                                                                       \
		if (!(what)) {                                                     \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, \
				#what);                                            \
			abort();                                                   \
		}                                                                  \
	} while (0)

static inline struct slice fuzz_input(const uint8_t *data, size_t size)
{
	return slice_of((const char *)data, size);
}

/* A copy of its own size, so that one byte too far is seen. The caller frees it. */
static inline char *fuzz_string(struct slice s)
{
	char *copy = malloc(s.len + 1);

	FUZZ_MUST(copy != NULL);
	if (s.len > 0)
		memcpy(copy, s.data, s.len);
	copy[s.len] = '\0';
	return copy;
}

/* Cuts off the next line, *ret without its end. */
static inline bool fuzz_line(struct slice *rest, struct slice *ret)
{
	const char *end;

	if (rest->len == 0)
		return false;
	end = memchr(rest->data, '\n', rest->len);
	*ret = slice_of(rest->data, end != NULL ? (size_t)(end - rest->data) : rest->len);
	rest->data += ret->len + (end != NULL);
	rest->len -= ret->len + (end != NULL);
	return true;
}

/* Cuts off the next part: what comes before a line "==NAME" (or the end), which is cut off too.
 * *ret_name is the NAME, empty at the end. */
static inline struct slice fuzz_part(struct slice *rest, struct slice *ret_name)
{
	struct slice part = slice_of(rest->data, 0), line;

	*ret_name = slice_of("", 0);
	while (fuzz_line(rest, &line)) {
		if (line.len >= 2 && line.data[0] == '=' && line.data[1] == '=') {
			*ret_name = slice_of(line.data + 2, line.len - 2);
			break;
		}
		part.len = (size_t)(rest->data - part.data);
	}
	return part;
}

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * image: a few folders, as they were: every file with its bytes, mode, owner and mtime.
 */
#ifndef ROOTLATCH_TESTS_IMAGE_H
#define ROOTLATCH_TESTS_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct image_entry {
	char *path;
	struct stat st;
	char *bytes; /* of a file, or the target of a link; NUL after the last */
	size_t len;
};

struct image {
	struct image_entry *entries; /* a folder before what is in it */
	size_t count, room;
};

#define IMAGE_INIT \
	{          \
		0  \
	}

void image_capture(const char *const *roots, struct image *ret);
/* Makes the folders again what they were. What did not change keeps its inode. What is in the
 * folder `but` (or NULL) is left to others. */
void image_restore(const struct image *image, const char *const *roots, const char *but);
void image_release(struct image *image);

const struct image_entry *image_find(const struct image *image, const char *path);
/* Whether the same file is there with the same bytes, owner and mode; and the same mtime. */
bool image_entry_same(const struct image_entry *a, const struct image_entry *b);
bool image_entry_same_time(const struct image_entry *a, const struct image_entry *b);

#endif

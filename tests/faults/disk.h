/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * disk: what a filesystem that orders nothing by itself may have kept when the power went.
 *
 * Each call that changes something has effects: names in folders (those of one call at once: a
 * rename, an exchange), the bytes of a file, its mode, owner and time. An effect is durable once the
 * file, or for names the folder, was fsynced after it (for the time of a link that is the folder
 * too: there is no fsync of a link). Any other may be there or not, whatever became of those before
 * it; and of bytes a half, or nothing but their number.
 *
 * A moment is how the disk stands between two calls that had effects or made some durable.
 */
#ifndef ROOTLATCH_TESTS_DISK_H
#define ROOTLATCH_TESTS_DISK_H

#include "image.h"

struct disk;

/* All of `start` is durable. The roots outlive it. */
struct disk *disk_new(const struct image *start, const char *const *roots);
void disk_free(struct disk *d);

/* What `now` has and the last look had not are the effects of one call. True when there are any. */
bool disk_see(struct disk *d, const struct image *now);
/* A file or folder was fsynced; `data`: with fdatasync(2). True when that made something durable. */
bool disk_sync(struct disk *d, dev_t dev, ino_t ino, bool data);
bool disk_sync_all(struct disk *d);

size_t disk_moments(const struct disk *d); /* the last one's number */
size_t disk_effects(const struct disk *d);

enum disk_fate {
	DISK_LOST,
	DISK_KEPT,
	DISK_HALF, /* of the bytes only the first half was written */
	DISK_ZERO, /* the file has its size, but not the bytes */
};

/* Those effects that the power may take at a moment: their numbers go to `ret`, which has room for
 * all. */
size_t disk_pending(const struct disk *d, size_t moment, size_t *ret);
/* Whether an effect is of bytes, so that it can be torn. */
bool disk_is_bytes(const struct disk *d, size_t effect);
/* What an effect is, for messages. */
void disk_describe(const struct disk *d, size_t effect, char *text, size_t size);

/* The disk at a moment, when each pending effect has met its fate (by its number; the others' fates
 * do not matter). */
void disk_build(const struct disk *d, size_t moment, const enum disk_fate *fates,
		struct image *ret);

#endif

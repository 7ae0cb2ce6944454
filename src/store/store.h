/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * store: the state folder. One lock, held for a whole transaction and freed by the kernel when
 * its holder dies; and slots, the two files that are replaced again and again.
 *
 * A slot NAME has a spare twin NAME.spare with blocks to spare. A new content is written into
 * the spare, fsynced, and the two names are exchanged: a full disk can't stop a close.
 */
#ifndef ROOTLATCH_STORE_STORE_H
#define ROOTLATCH_STORE_STORE_H

#include "base/json.h"
#include "host/file.h"

#define STORE_DIR_DEFAULT "/var/lib/rootlatch"

struct store {
	const struct host *host;
	char *dir;   /* below the host's root */
	int lock_fd; /* -1: not held */
};

#define STORE_INIT { .lock_fd = -1 }
#define _cleanup_store_ _cleanup_(store_release)

/* Writes nothing: a state folder that is not there is an empty one. */
int store_init(struct store *s, const struct host *h, const char *dir, struct error *err)
	_must_check_;
void store_release(struct store *s);

/* "DIR/name", owned by the caller. */
char *store_path(const struct store *s, const char *name, struct error *err) _must_check_;
bool store_exists(const struct store *s);
/* ERROR_REFUSED when it is there and is not a folder of root's alone: what lies in it could be
 * anybody's. */
int store_check(const struct store *s, struct error *err) _must_check_;

/* Takes the lock; makes the folder first when `create`. ERROR_BUSY when another process has it
 * longer than wait_seconds. */
int store_lock(struct store *s, bool create, unsigned wait_seconds, struct error *err)
	_must_check_;
void store_unlock(struct store *s);
/* For those who only read: waits a moment for a transaction to end. False when one is at work all
 * the same, and nothing is locked. */
bool store_lock_shared(struct store *s) _must_check_;

bool slot_exists(const struct store *s, const char *name);
/* ENOENT in err->sys_errno when it is not there. */
int slot_read(const struct store *s, const char *name, struct buffer *ret, struct error *err)
	_must_check_;
/* Writes the spare, durably: nothing has happened yet. slot_switch then makes it the slot. */
int slot_fill(const struct store *s, const char *name, struct slice content, struct error *err)
	_must_check_;
int slot_switch(const struct store *s, const char *name, struct error *err) _must_check_;
/* Both. Durable when it returns. Where something that is not ours has the spare's name a new file is
 * written instead. */
int slot_write(const struct store *s, const char *name, struct slice content, struct error *err)
	_must_check_;
/* ERROR_REFUSED when something that is not ours has the spare's name. */
int slot_check_spare(const struct store *s, const char *name, struct error *err) _must_check_;
/* Gives the spare blocks for a content as long as the present one, and SLOT_RESERVE more; ENOSPC is
 * told now, not when they are needed. A filesystem without fallocate(2) makes no such promise. */
int slot_reserve(const struct store *s, const char *name, struct error *err) _must_check_;
/* The slot becomes the spare again: gone, but its blocks stay ours. Durable. */
int slot_clear(const struct store *s, const char *name, struct error *err) _must_check_;

#endif

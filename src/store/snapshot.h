/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * snapshot: what is needed to put back all that a transaction touches, in a folder that serves
 * without rootlatch too.
 *
 *     snapshots/ID/manifest.json   what, where, owner, mode, times, digests
 *                  N.before        the bytes of the file of step N as they were
 *                  N.middle        what differs in them as the transaction left them
 *                  boot.json       all that decides what is started at boot (service toggles)
 *                  restore.sh      the exact undo, POSIX sh
 *
 * Of a file that is made N.before is empty; one that is unlinked has no N.middle, and when its
 * bytes are in an earlier snapshot (ready) no N.before either. Links, modes and times are in the
 * manifest alone ("steps", as the journal has them), and so are the commands of a plan that has
 * any of those. Other steps are not in it.
 */
#ifndef ROOTLATCH_STORE_SNAPSHOT_H
#define ROOTLATCH_STORE_SNAPSHOT_H

#include "plan/plan.h"
#include "store/store.h"

struct snapshot_info {
	const char *command;
	const char *toggle;
	const char *by;
	const char *reason;   /* NULL: none */
	const char *config;   /* main file of the sshd instance; NULL: it is none of sshd's business,
			       * and restore.sh neither asks nor reloads it */
	const char *sshd;     /* its binary; NULL: as above */
	const char *pid_file; /* NULL: none is known */
	const struct strings *options; /* of its command line; NULL: none is known */
	const json_t *boot;   /* boot.json's body; NULL: this is about something else, sshd */
};

/* Where two versions of a file differ, in blocks of SNAPSHOT_BLOCK bytes of the old one, so that
 * dd(1) can put them together again: the new one is the old one's first `head` blocks, `middle`, and
 * the old one from block `tail` on. */
#define SNAPSHOT_BLOCK 512
struct snapshot_change {
	size_t head;
	size_t tail;
	struct slice middle; /* of the new one */
};
struct snapshot_change snapshot_compare(struct slice before, struct slice after);
/* The same of a step that changes a file. */
struct snapshot_change snapshot_compare_step(const struct step *step);

/* "DIR/snapshots/ID/N.before", N being the number of the step. Owned by the caller. */
char *snapshot_saved_path(const struct store *s, const char *id, size_t n, struct error *err)
	_must_check_;

/* A file as the transaction left it, empty when it was unlinked; `file` is its entry in the
 * manifest's "files". */
int snapshot_read_after(const struct store *s, const char *id, const json_t *file,
			struct buffer *ret, struct error *err) _must_check_;

/* Makes the whole folder, durable when it returns; removes it again when that fails. */
int snapshot_create(const struct store *s, const struct plan *plan,
		    const struct snapshot_info *info, struct error *err) _must_check_;

bool snapshot_exists(const struct store *s, const char *id);

/* manifest.json's body. */
int snapshot_read(const struct store *s, const char *id, json_t **ret_manifest,
		  struct error *err) _must_check_;

/* boot.json's body. */
int snapshot_read_boot(const struct store *s, const char *id, json_t **ret_boot,
		       struct error *err) _must_check_;

/* Removes every snapshot whose id is not among `keep`; counts them. */
int snapshot_sweep(const struct store *s, const struct strings *keep, size_t *ret_swept,
		   struct error *err) _must_check_;

int snapshot_remove(const struct store *s, const char *id, struct error *err) _must_check_;

/* The text of restore.sh. */
int restore_script(const struct plan *plan, const struct snapshot_info *info,
		   struct buffer *ret, struct error *err) _must_check_;

#endif

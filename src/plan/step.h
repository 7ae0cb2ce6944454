/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * step: one generic change, and its inverse. A step knows nothing of toggles: the journal keeps
 * steps, and recovery needs nothing else.
 *
 *     kind      prepare           apply                           revert
 *     REPLACE   temp: new bytes   path: new, temp: old            path: old, temp: new
 *     CREATE    temp: new bytes   path: new, no temp              no path
 *     UNLINK                      no path, temp: old              path: old, no temp
 *     START                       argv runs, and has made path    path goes, and with it argv
 *     RUN                         argv was run, verify agrees     undo was run, verify does not
 *
 * `temp` is a hidden file beside `path`. Replacing exchanges the two names in one call
 * (renameat2(2), RENAME_EXCHANGE), and so does reverting: the old file itself, with everything
 * that belongs to it, stays on the same filesystem, and putting it back needs no disk block.
 * Unlinking renames path to temp for the same reason.
 */
#ifndef ROOTLATCH_PLAN_STEP_H
#define ROOTLATCH_PLAN_STEP_H

#include "base/json.h"
#include "host/file.h"

enum step_kind {
	STEP_REPLACE,
	STEP_CREATE, /* a file of root's where there was none */
	STEP_UNLINK,
	STEP_START,  /* a process of ours that outlives us. It locks (flock(2)) the file `path`, which it
		      * makes once it is ready, and ends when that file goes */
	STEP_RUN,    /* a command whose effect is read back by another one */
};

struct step {
	enum step_kind kind;
	unsigned number;      /* of the files that a snapshot keeps of it; given by plan_add */
	char *path;           /* RUN: NULL */
	char *temp;           /* START, RUN: NULL */
	struct digest before; /* of the bytes at path, before and after; empty where there is no file */
	struct digest after;
	char *saved;          /* a copy of the bytes before, in the state folder */
	bool ready;           /* REPLACE: temp is there already, the old file of an earlier step.
			       * UNLINK: the bytes are in the snapshot of an earlier transaction */
	struct strings argv;   /* START, RUN: argv[0] is an absolute path */
	struct strings undo;   /* RUN; may be empty: there is nothing to undo */
	struct strings verify; /* RUN: exits 0 when argv is in effect; may be empty */
	bool verify_fails;     /* RUN: argv takes something back, verify exits with another status then */

	/* What follows is for applying only, and is not kept. The slices are the planner's. */
	struct slice before_bytes;
	struct slice after_bytes; /* unless ready */
	int64_t after_mtime_ns;   /* -1: now */
	struct host_meta meta;    /* of path as it was planned with; temp gets the same. CREATE: its
				   * mode; the owner is root */
	dev_t dev;                /* which file path was then */
	ino_t ino;
	int64_t ctime_ns;
};

void step_release(struct step *s);

/* "replace", "create", ... */
const char *step_kind_name(enum step_kind kind);
/* Whether it changes a file, whose bytes a snapshot keeps: REPLACE, CREATE, UNLINK. */
bool step_keeps_file(const struct step *s);
/* What it is about, for messages: its path, or the command. Belongs to the step. */
const char *step_name(const struct step *s);

/* Whether path is still the very file it was planned with, or (CREATE, START) nothing is there:
 * ERROR_REFUSED otherwise, and nothing was changed. */
int step_check(const struct host *h, const struct step *s, struct error *err) _must_check_;

/* Makes temp (durable), unless it is ready, in which case its digest is checked. CREATE, START: the
 * folders of path too, where they are missing. UNLINK, RUN: nothing is to be prepared. */
int step_prepare(const struct host *h, const struct step *s, struct error *err) _must_check_;

/* Does what the table above says, and makes that durable. What comes out at temp must be the bytes
 * of before: when somebody wrote in the last instant, they are put back and it is ERROR_REFUSED, as
 * it is when somebody made the file that CREATE was to make.
 * START: ERROR_FAILED when path is not held within 10 s. RUN: ERROR_FAILED when verify (without
 * one, its status) says that it had no effect; a command is ended after 60 s. */
int step_apply(const struct host *h, const struct step *s, struct error *err) _must_check_;

/* Whether what was begun can still be brought to its end: the new bytes are at path, or at temp
 * with the old ones (CREATE: nothing) at path; UNLINK: the old ones or nothing are at path. START
 * and RUN always can. */
int step_can_finish(const struct host *h, const struct step *s, bool *ret_can,
		    struct error *err) _must_check_;

/* Brings it to its end. May be called again after it was cut off anywhere. */
int step_finish(const struct host *h, const struct step *s, struct error *err) _must_check_;

/* Puts the old bytes back, from temp or, when that is gone, from `saved`. May be called again
 * after it was cut off anywhere. ERROR_IN_DOUBT for bytes that are neither old nor new.
 * A missing folder is a missing file: a reboot empties /run. An unlinked file that is lost with its
 * folder stays lost, unless it has a copy in `saved`. RUN: ERROR_IN_DOUBT when verify still says
 * that it is in effect, be it that there is no undo. */
int step_revert(const struct host *h, const struct step *s, struct error *err) _must_check_;

/* Where step_revert prepares what takes the place of a temp that is gone; for those who tidy up.
 * Owned by the caller. */
char *step_copy_path(const char *temp, struct error *err) _must_check_;

json_t *step_to_json(const struct step *s, struct error *err) _must_check_;
int step_from_json(const json_t *json, struct step *ret, struct error *err) _must_check_;

#endif

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
 *     LINK                        path -> target                  no path
 *     DELINK                      no path                         path -> target
 *     RELINK    temp -> new       path -> new_target, temp: old   path -> target, temp: new
 *     RENAME                      to -> target, no path           path -> target, no to
 *     MODE                        path: mode_after                path: mode_before
 *     TIMES                       path: mtime_after_ns            path: mtime_before_ns
 *
 * `temp` is a hidden file beside `path`. Replacing exchanges the two names in one call
 * (renameat2(2), RENAME_EXCHANGE), and so does reverting: the old file itself, with everything
 * that belongs to it, stays on the same filesystem, and putting it back needs no disk block. The same
 * goes for a link that is to point to something else. Unlinking renames path to temp for the same
 * reason. "-> target" is a symbolic link (symlink(7)); TIMES is for what other steps change by the
 * way, so it comes first in a plan where reverting shall set the time last, and last where applying
 * shall.
 */
#ifndef ROOTLATCH_PLAN_STEP_H
#define ROOTLATCH_PLAN_STEP_H

#include "base/json.h"
#include "host/file.h"

/* The exit status of a RUN's undo which did what matters, and has something to say all the same:
 * one line of its output. */
#define STEP_UNDO_REMARKS 10

enum step_kind {
	STEP_REPLACE,
	STEP_CREATE, /* a file of root's where there was none */
	STEP_UNLINK,
	STEP_START,  /* a process of ours that outlives us. It locks (flock(2)) the file `path`, which it
		      * makes once it is ready, and ends when that file goes */
	STEP_RUN,    /* a command whose effect is read back by another one */
	STEP_LINK,   /* a symbolic link where there was nothing */
	STEP_DELINK, /* a symbolic link of root's goes */
	STEP_RELINK, /* a symbolic link of root's points to something else from then on */
	STEP_RENAME, /* a symbolic link gets another name in its folder; its inode stays */
	STEP_MODE,   /* of a regular file, whose owner and bytes stay */
	STEP_TIMES,  /* the mtime of a file, folder or link */
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
	char *to;              /* RENAME: the new name, in the folder of path */
	char *target;          /* LINK, DELINK, RENAME: where the link points to, as it is written there;
				* RELINK: before */
	char *new_target;      /* RELINK: after; not the same */
	bool made_folder;      /* LINK: the folder of path is not there: it is made (0755), and goes
				* again with the link when it is empty then. DELINK: the folder goes
				* with the link when it is empty then (systemctl(1) does that), and is
				* made again with it; for one that is root's, 0755 */
	int64_t mtime_ns;      /* LINK: the link's own; -1: now. DELINK, RELINK: as it was; -1: no
				* matter */
	int64_t new_mtime_ns;  /* RELINK: the new link's own; -1: now */
	mode_t mode_before;    /* MODE: permission bits, with setuid, setgid and sticky */
	mode_t mode_after;
	int64_t mtime_before_ns; /* TIMES; -1: it is left as it is */
	int64_t mtime_after_ns;

	/* What follows is for applying only, and is not kept. The slices are the planner's. */
	struct slice before_bytes;
	struct slice after_bytes; /* unless ready */
	int64_t after_mtime_ns;   /* -1: now */
	struct host_meta meta;    /* of path as it was planned with; temp gets the same. CREATE: its
				   * mode; the owner is root */
	dev_t dev;                /* which file path was then */
	ino_t ino;
	int64_t ctime_ns;
	bool lazy;                /* RENAME: who applies the plan fsyncs the folder, see step_sync */
};

void step_release(struct step *s);

/* "replace", "create", ... */
const char *step_kind_name(enum step_kind kind);
/* Makes what a lazy step applied durable; once for all of them in one folder is enough. */
int step_sync(const struct host *h, const struct step *s, struct error *err) _must_check_;
/* Whether it changes a file, whose bytes a snapshot keeps: REPLACE, CREATE, UNLINK. */
bool step_keeps_file(const struct step *s);
/* What it is about, for messages: its path, or the command. Belongs to the step. */
const char *step_name(const struct step *s);

/* A link, a mode or a time: LINK, DELINK, RELINK, RENAME, MODE, TIMES. It is wholly described by the
 * step itself. */
bool step_is_small(const struct step *s);

/* Whether path is still the very file it was planned with, or (CREATE, START, LINK) nothing is
 * there; the link has its target, and nothing has the name that it gets; the mode, and the time,
 * are as before. What can't be changed (an immutable file or folder, a read-only filesystem) is
 * found here too. ERROR_REFUSED otherwise, and nothing was changed. */
int step_check(const struct host *h, const struct step *s, struct error *err) _must_check_;

/* Makes temp (durable), unless it is ready, in which case its digest is checked. CREATE, START: the
 * folders of path too, where they are missing. UNLINK, RUN and the small ones but RELINK: nothing is
 * to be prepared. */
int step_prepare(const struct host *h, const struct step *s, struct error *err) _must_check_;

/* Does what the table above says, and makes that durable. What comes out at temp must be the bytes
 * of before: when somebody wrote in the last instant, they are put back and it is ERROR_REFUSED, as
 * it is when somebody made the file that CREATE was to make.
 * LINK, DELINK, RELINK, RENAME, MODE: the same, when path (or to) is not as before.
 * START: ERROR_FAILED when path is not held within 10 s. RUN: ERROR_FAILED when verify (without
 * one, its status) says that it had no effect; a command is ended after 60 s. */
int step_apply(const struct host *h, const struct step *s, struct error *err) _must_check_;

/* Whether what was begun can still be brought to its end: the new bytes are at path, or at temp
 * with the old ones (CREATE: nothing) at path; UNLINK: the old ones or nothing are at path;
 * LINK, DELINK, RELINK, RENAME, MODE: it is as before or as after. START, RUN and TIMES always
 * can. */
int step_can_finish(const struct host *h, const struct step *s, bool *ret_can,
		    struct error *err) _must_check_;

/* Brings it to its end. May be called again after it was cut off anywhere. */
int step_finish(const struct host *h, const struct step *s, struct error *err) _must_check_;

/* Puts the old bytes back, from temp or, when that is gone, from `saved`. May be called again
 * after it was cut off anywhere. ERROR_IN_DOUBT for bytes that are neither old nor new.
 * A missing folder is a missing file: a reboot empties /run. An unlinked file that is lost with its
 * folder stays lost, unless it has a copy in `saved`. RUN: ERROR_IN_DOUBT when verify still says
 * that it is in effect, be it that there is no undo. LINK, DELINK, RELINK, RENAME, MODE:
 * ERROR_IN_DOUBT when it is neither as before nor as after; what else came to the name `to`, or to
 * the path of RELINK, before we could is left there. DELINK: a folder that is gone is made again.
 * TIMES: what is gone has no time, and is no error. RUN: ERROR_DIFFERENT with the remarks of an undo,
 * see STEP_UNDO_REMARKS. */
int step_revert(const struct host *h, const struct step *s, struct error *err) _must_check_;

/* Where step_revert prepares what takes the place of a temp that is gone; for those who tidy up.
 * Owned by the caller. */
char *step_copy_path(const char *temp, struct error *err) _must_check_;

/* One line of what a step changes, for people: "rename /etc/rc2.d/S02a -> K02a". Nothing for those
 * that change a file, whose diff says more, for START and TIMES, and for a RUN of true(1), which is
 * there for its undo. `reversed`: of its undoing. */
int step_describe(const struct step *s, bool reversed, struct buffer *ret, struct error *err)
	_must_check_;

json_t *step_to_json(const struct step *s, struct error *err) _must_check_;
int step_from_json(const json_t *json, struct step *ret, struct error *err) _must_check_;

#endif

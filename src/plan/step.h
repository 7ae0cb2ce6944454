/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * step: one generic change of one file, and its inverse. A step knows nothing of toggles: the
 * journal keeps steps, and recovery needs nothing else.
 *
 *     prepare            apply                        revert
 *     temp: new bytes -> path: new bytes, temp: old -> path: old bytes, temp: new
 *
 * `temp` is a hidden file beside `path`. Applying exchanges the two names in one call
 * (renameat2(2), RENAME_EXCHANGE), and so does reverting: the old file itself, with everything
 * that belongs to it, stays on the same filesystem, and putting it back needs no disk block.
 */
#ifndef ROOTLATCH_PLAN_STEP_H
#define ROOTLATCH_PLAN_STEP_H

#include "base/json.h"
#include "host/file.h"

struct step {
	char *path;
	char *temp;
	struct digest before; /* of the bytes at path, before and after */
	struct digest after;
	char *saved;          /* a copy of the bytes before, in the state folder */
	bool ready;           /* temp is there already: the old file of an earlier step */

	/* What follows is for applying only, and is not kept. The slices are the planner's. */
	struct slice before_bytes;
	struct slice after_bytes; /* unless ready */
	int64_t after_mtime_ns;   /* -1: now */
	struct host_meta meta;    /* of path as it was planned with; temp gets the same */
	dev_t dev;                /* which file path was then */
	ino_t ino;
	int64_t ctime_ns;
};

void step_release(struct step *s);

/* Whether path is still the very file it was planned with: ERROR_REFUSED otherwise, and
 * nothing was changed. */
int step_check(const struct host *h, const struct step *s, struct error *err) _must_check_;

/* Makes temp (durable), unless it is ready, in which case its digest is checked. */
int step_prepare(const struct host *h, const struct step *s, struct error *err) _must_check_;

/* Exchanges the two and makes that durable. What comes out at temp must be the bytes of
 * before: when somebody wrote in the last instant, they are put back and it is
 * ERROR_REFUSED. */
int step_apply(const struct host *h, const struct step *s, struct error *err) _must_check_;

/* Whether what was begun can still be brought to its end: the new bytes are at path, or at temp with
 * the old ones at path. */
int step_can_finish(const struct host *h, const struct step *s, bool *ret_can,
		    struct error *err) _must_check_;

/* Brings it to its end. May be called again after it was cut off anywhere. */
int step_finish(const struct host *h, const struct step *s, struct error *err) _must_check_;

/* Puts the old bytes back, from temp or, when that is gone, from `saved`. May be called again
 * after it was cut off anywhere. ERROR_IN_DOUBT for bytes that are neither old nor new. */
int step_revert(const struct host *h, const struct step *s, struct error *err) _must_check_;

/* Where step_revert prepares what takes the place of a temp that is gone; for those who tidy up.
 * Owned by the caller. */
char *step_copy_path(const char *temp, struct error *err) _must_check_;

json_t *step_to_json(const struct step *s, struct error *err) _must_check_;
int step_from_json(const json_t *json, struct step *ret, struct error *err) _must_check_;

#endif

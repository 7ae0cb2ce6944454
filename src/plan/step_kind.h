/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * step_kind: one row of functions a kind of step, and what those that change a file share. For
 * this room alone.
 */
#ifndef ROOTLATCH_PLAN_STEP_KIND_H
#define ROOTLATCH_PLAN_STEP_KIND_H

#include "plan/step.h"

struct step_ops {
	const char *name; /* in the journal and the manifest */
	int (*check)(const struct host *h, const struct step *s, struct error *err);
	int (*prepare)(const struct host *h, const struct step *s, struct error *err);
	int (*apply)(const struct host *h, const struct step *s, struct error *err);
	int (*can_finish)(const struct host *h, const struct step *s, bool *ret_can,
			  struct error *err);
	int (*finish)(const struct host *h, const struct step *s, struct error *err);
	int (*revert)(const struct host *h, const struct step *s, struct error *err);
};

extern const struct step_ops step_ops_replace;
extern const struct step_ops step_ops_create;
extern const struct step_ops step_ops_unlink;
extern const struct step_ops step_ops_start;
extern const struct step_ops step_ops_run;
extern const struct step_ops step_ops_link;
extern const struct step_ops step_ops_delink;
extern const struct step_ops step_ops_relink;
extern const struct step_ops step_ops_rename;
extern const struct step_ops step_ops_mode;
extern const struct step_ops step_ops_times;

/* ERROR_REFUSED for a name that no kind has. */
int step_kind_parse(const char *name, enum step_kind *ret, struct error *err) _must_check_;

/* For kinds that need nothing there. */
int step_no_op(const struct host *h, const struct step *s, struct error *err) _must_check_;
int step_always_can(const struct host *h, const struct step *s, bool *ret_can,
		    struct error *err) _must_check_;

enum step_position {
	STEP_BEFORE,  /* the old bytes */
	STEP_AFTER,   /* the new bytes */
	STEP_MISSING, /* nothing is there, or not even the folder */
	STEP_FOREIGN, /* somebody else's bytes */
};

/* What is at `path`, which is the step's path or temp. */
int step_locate(const struct host *h, const char *path, const struct step *s,
		enum step_position *ret, struct error *err) _must_check_;
/* Both at once. */
int step_locate_both(const struct host *h, const struct step *s, enum step_position *ret_at,
		     enum step_position *ret_aside, struct error *err) _must_check_;

/* ERROR_REFUSED unless path is the very file that it was planned with; unless nothing is there. */
int step_check_same(const struct host *h, const struct step *s, struct error *err) _must_check_;
int step_check_none(const struct host *h, const struct step *s, struct error *err) _must_check_;
/* Return -1. */
int step_refuse_changed(const struct step *s, struct error *err);
int step_refuse_made(const char *path, struct error *err);

/* Whether a file has the bytes that were planned with. */
bool step_bytes_are_before(const struct step *s, const struct host_file *f);

/* renameat2(2) of two names in the folder of path, and fsync of the folder. With RENAME_NOREPLACE
 * a file at `to` is ERROR_REFUSED, and nothing was done. */
int step_rename(const struct host *h, const struct step *s, const char *from, const char *to,
		unsigned flags, struct error *err) _must_check_;
/* The same without the fsync of the folder. */
int step_rename_lazily(const struct host *h, const struct step *s, const char *from,
		       const char *to, unsigned flags, struct error *err) _must_check_;

/* The folder of path: made (0700) where it is missing; fsynced where it is there, when the names in
 * it are right and nobody knows whether that is durable; there or not. */
int step_make_folder(const struct host *h, const struct step *s, struct error *err) _must_check_;
int step_sync_folder(const struct host *h, const struct step *s, struct error *err) _must_check_;
int step_find_folder(const struct host *h, const struct step *s, bool *ret_found,
		     struct error *err) _must_check_;

/* fsync of temp, for one that was prepared by a process that died. */
int step_sync_temp(const struct host *h, const struct step *s, struct error *err) _must_check_;

/* The copy of the old bytes in the state folder; ERROR_IN_DOUBT when there is none, or another. */
int step_read_saved(const struct host *h, const struct step *s, struct host_file *ret,
		    struct error *err) _must_check_;

/* ERROR_REFUSED unless path is root's link to `target`, of the time `mtime_ns`, in a folder that can be
 * changed. */
int step_check_link(const struct host *h, const struct step *s, struct error *err) _must_check_;
/* ERROR_IN_DOUBT: the link is neither what it was nor what we made it; `how`: "is gone". Returns -1. */
int step_link_in_doubt(const struct step *s, const char *how, struct error *err);

/* ERROR_IN_DOUBT: path is neither what it was nor what we made it. Returns -1. */
int step_in_doubt(const struct step *s, enum step_position at, enum step_position aside,
		  struct error *err);

#endif

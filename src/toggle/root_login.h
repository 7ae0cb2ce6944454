/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * root_login: PermitRootLogin of one sshd instance (sshd_config(5)), the kind `root-login`.
 */
#ifndef ROOTLATCH_TOGGLE_ROOT_LOGIN_H
#define ROOTLATCH_TOGGLE_ROOT_LOGIN_H

#include "config/sshd_plan.h"
#include "service/sshd_judge.h"
#include "toggle/sshd_files.h"
#include "toggle/toggle.h"

extern const struct toggle_kind root_login_kind;

/* What planning leaves for judging, and the bytes that the steps point into. */
struct toggle_judgement {
	bool opening;
	bool yes;
	char *allow;            /* the value that was asked for when opening */
	char *was;              /* closing: sshd's answer before the opening */
	struct sshd_files files;
	struct sshd_plan edit;  /* opening */
	struct host_file *targets; /* as they are now */
	struct host_file *twins;   /* closing: what was put aside */
	struct buffer *texts;      /* closing: what they become by meaning */
	size_t len;
	struct host_view *views;
	size_t n_views;
	struct sshd_connection connection;
	struct sshd_judge *before, *after;
	struct sshd_answers answers_before, answers_after;
};

/* A judgement with room for `len` files. It belongs to the plan from then on. */
int root_login_judgement_new(struct toggle_plan *p, struct error *err) _must_check_;
int root_login_judgement_reserve(struct toggle_judgement *j, size_t len, struct error *err)
	_must_check_;

/* Finds the listeners and lets sshd judge the files as they stand. Without any sshd nothing is
 * started (judgement->before stays NULL), and root_login_no_sshd() has the words for it. */
int root_login_judge_baseline(const struct toggle_context *c, struct toggle_plan *p,
			      struct error *err) _must_check_;
int root_login_no_sshd(const struct toggle_context *c, struct error *err);
/* Lets it judge them as the plan's steps would leave them. */
int root_login_judge_candidate(const struct toggle_context *c, struct toggle_plan *p,
			       struct error *err) _must_check_;

/* Keeps of daemons.others those that read a file of the plan's. */
void root_login_keep_sharing(const struct toggle_context *c, struct toggle_plan *p);

/* Warns of Match blocks for some connections that say something else than `value`, and counts
 * them. */
int root_login_exceptions(const struct sshd_closure *closure, const char *value,
			  struct toggle_warnings *warnings, size_t *ret_found, struct error *err)
	_must_check_;
/* "permitrootlogin no for everybody", or for all but those. Owned by the caller. */
char *root_login_effective(const struct sshd_answers *answers, size_t exceptions,
			   struct error *err) _must_check_;

/* Our own reloads are remembered, for a daemon without a pid file to tell the time by. */
void root_login_note_own_reload(const struct state *s, struct sshd_daemon *d);

/* Whether every listener would live through a reload: the first by `answers`, which are its own,
 * each other one (with options of its own, and another port) by asking it; of the files as they
 * are, or as the plan leaves them. What another one says of root is compared and warned of. */
int root_login_judge_reload(const struct toggle_context *c, struct toggle_plan *p,
			    const struct sshd_answers *answers, bool planned, struct error *err)
	_must_check_;

/* The files named that changed since a listener last read them. */
int root_login_newer(const struct toggle_context *c, struct toggle_plan *p,
		     struct strings *ret_newer, struct error *err) _must_check_;
/* Every answer but PermitRootLogin must be as before. */
int root_login_require_same(const struct toggle_judgement *j, struct error *err) _must_check_;
/* What restore.sh and the manifest have to know. */
void root_login_fill_snapshot(const struct toggle_terms *terms, struct toggle_plan *p);
int root_login_set_value(char **value, const struct sshd_answers *a, struct error *err)
	_must_check_;

int root_login_plan_open(const struct toggle_context *c, const struct toggle_terms *terms,
			 struct toggle_plan *p, struct error *err) _must_check_;
int root_login_judge_open(const struct toggle_context *c, struct toggle_plan *p,
			  struct error *err) _must_check_;
int root_login_plan_close(const struct toggle_context *c, const struct toggle_terms *terms,
			  struct toggle_plan *p, struct error *err) _must_check_;
int root_login_judge_close(const struct toggle_context *c, struct toggle_plan *p,
			   struct error *err) _must_check_;
int root_login_read(const struct toggle_context *c, const char *toggle, bool offline,
		    struct toggle_report *ret, struct error *err) _must_check_;
/* Nothing is recorded as open. Markers of ours all the same (a cloned image, a lost state folder) are
 * an opening that nobody would close: an error with this code. */
int root_login_require_no_strays(const struct toggle_context *c, const struct sshd_files *files,
				 enum error_code code, struct error *err) _must_check_;

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * root_login: PermitRootLogin of one sshd instance (sshd_config(5)), the kind `root-login`.
 */
#ifndef ROOTLATCH_TOGGLE_ROOT_LOGIN_H
#define ROOTLATCH_TOGGLE_ROOT_LOGIN_H

#include "base/address.h"
#include "config/sshd_plan.h"
#include "service/sshd_judge.h"
#include "toggle/sshd_files.h"
#include "toggle/toggle.h"
#include "toggle/undo.h"

extern const struct toggle_kind root_login_kind;

/* One connection that sshd is asked about, with the files as they are and as they would be. */
struct root_login_question {
	struct sshd_connection connection;
	char addr[ADDRESS_MAX]; /* of a source; what the connection points to */
	bool source;                 /* PermitRootLogin is meant to change for it */
	struct sshd_judge *before, *after;
	struct sshd_answers answers_before, answers_after;
};

/* One file as opening leaves it. */
struct root_login_change {
	char *path;
	bool made;     /* there is none yet */
	bool harmless; /* state.h */
	struct buffer text;
	struct edit edit;
	struct host_file target; /* as it is now, unless it is made */
};

/* What planning leaves for judging, and the bytes that the steps point into. */
struct toggle_judgement {
	bool opening;
	bool yes;
	bool force;              /* closing: that it gets closed is more than what else changes */
	char *allow;             /* the value that was asked for when opening */
	char *was;               /* closing: sshd's answer before the opening */
	struct strings from;
	struct sshd_files files; /* as they are */
	struct sshd_files base;  /* --replace: as they would be without the opening that makes room */
	struct sshd_plan edit;   /* opening in place, and the Match blocks that bear on it */
	struct sshd_blocks blocks; /* opening in a file of ours: those that bear on that */
	bool beats_all;          /* and it beats all of them */
	struct root_login_change *changes;
	size_t n_changes;
	struct host_view *base_views; /* what makes the base of the files */
	size_t n_base_views;
	struct host_view *views;
	size_t n_views;
	/* [0] is the first source, or everybody; the last, with sources, everybody else. None: there is
	 * no sshd to ask. */
	struct root_login_question *questions;
	size_t n_questions;
};

int root_login_judgement_new(struct toggle_plan *p, const struct strings *from,
			     struct error *err) _must_check_;

/* Finds the listeners and lets sshd judge the files as they stand (or their base). Without any sshd
 * nothing is started, no question is there, and root_login_no_sshd() has the words for it. */
int root_login_judge_baseline(const struct toggle_context *c, struct toggle_plan *p,
			      struct error *err) _must_check_;
int root_login_no_sshd(const struct toggle_context *c, struct error *err);
/* The plan's steps as sshd would see them. The caller frees the array; what it points to is the plan's. */
int root_login_views(const struct toggle_plan *p, struct host_view **ret, size_t *ret_n,
		     struct error *err) _must_check_;
/* Lets it judge them as the plan's steps would leave them. */
int root_login_judge_candidate(const struct toggle_context *c, struct toggle_plan *p,
			       struct error *err) _must_check_;
/* Waits for the answers; they may be asked for more than once. */
int root_login_finish_baseline(struct toggle_judgement *j, struct error *err) _must_check_;
int root_login_finish_candidate(struct toggle_judgement *j, struct error *err) _must_check_;
/* Those about everybody else: the last of them, or NULL without sources. */
const struct root_login_question *root_login_others(const struct toggle_judgement *j);
/* The connections to ask about, for these sources. The caller frees them by root_login_questions_free. */
int root_login_questions_new(const struct strings *from, const struct sshd_daemon *daemon,
			     struct root_login_question **ret, size_t *ret_n, struct error *err)
	_must_check_;
void root_login_questions_free(struct root_login_question *questions, size_t n);

/* root_login_place.c: fills the judgement's changes, and p->placement. */
int root_login_place(const struct toggle_context *c, const struct toggle_terms *terms,
		     struct toggle_plan *p, struct error *err) _must_check_;
/* Files of ours that are read before everything else, which hold `value` for everybody: what closes
 * when nothing else can be told apart. */
int root_login_place_overruling(const struct toggle_context *c, const char *value,
				struct toggle_plan *p, struct error *err) _must_check_;
/* The steps and records of the changes, on top of the steps that undo another opening. */
int root_login_add_changes(const struct toggle_context *c, struct toggle_plan *p,
			   struct error *err) _must_check_;

/* Keeps of daemons.others those that read a file of the plan's. */
void root_login_keep_sharing(const struct toggle_context *c, struct toggle_plan *p);
/* Whether another listener's files would include `path`. */
bool root_login_is_shared(const struct toggle_context *c, const struct toggle_plan *p,
			  const char *path);

/* Warns of Match blocks of others for some connections that say something else than `value`, and
 * counts them. Files that the state says we made are passed over. */
int root_login_exceptions(const struct toggle_context *c, const struct sshd_closure *closure,
			  const char *value, struct toggle_warnings *warnings, size_t *ret_found,
			  struct error *err) _must_check_;
/* "/etc/ssh/sshd_config line 7: Match Address 10.0.0.0/8 (PermitRootLogin no)" */
void root_login_describe_block(char *ret, size_t size, const struct sshd_closure *closure,
			       const struct sshd_note *note);
/* "permitrootlogin no for everybody", or for all but those; with `others`: "permitrootlogin yes for
 * 192.0.2.10, no for everybody else". Owned by the caller. */
char *root_login_effective(const struct sshd_answers *answers, const struct sshd_answers *others,
			   const struct strings *from, size_t exceptions, struct error *err)
	_must_check_;

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
/* Every answer but PermitRootLogin for the sources must be as before. */
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

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * closer: what ends a timed toggle by itself. Each hands over generic steps; what arms comes before
 * all other steps of a plan, what disarms behind them.
 *
 *     watcher   a process of ours, exact; ends with the boot
 *     cron      `reap` every minute, by a file in /etc/cron.d; survives a reboot
 *     systemd   the same by a transient timer, where there is no cron; ends with the boot
 *
 * A new one is a file and a row in the table in closer.c.
 */
#ifndef ROOTLATCH_DEADLINE_CLOSER_H
#define ROOTLATCH_DEADLINE_CLOSER_H

#include "deadline/deadline.h"
#include "plan/plan.h"
#include "store/state.h"

struct closer_context {
	const struct host *host;
	const struct store *store;
	char *program;        /* this one, absolute; what the closers run */
	struct strings texts; /* that the steps of its plans point to */
};

#define CLOSER_CONTEXT_INIT { .host = NULL }
#define _cleanup_closer_context_ _cleanup_(closer_context_release)

/* Borrows host and store. It has to outlive the plans that are made with it. */
int closer_context_init(struct closer_context *c, const struct host *h, const struct store *s,
			struct error *err) _must_check_;
void closer_context_release(struct closer_context *c);

/* ---- What others call. `after` is the state once the plan is carried out, `plan` has its id. On
 * failure neither is of use any more. */

/* Arms all closers that this host can have for a toggle of `after` whose deadline is set, and notes
 * them there. *ret_missing gets a line for each that can't be had, with the reason. None at all is
 * ERROR_REFUSED. A toggle without a deadline needs none. */
int deadline_arm(struct closer_context *c, const char *toggle, struct plan *plan,
		 struct state *after, struct strings *ret_missing, struct error *err)
	_must_check_;

/* The same for a toggle that was armed before, as `was`, and has another deadline now: it gets a new
 * watcher, and the old one ends with the commit. What is in force already stays as it is. */
int deadline_rearm(struct closer_context *c, const struct state_toggle *was, struct plan *plan,
		   struct state *after, struct strings *ret_missing, struct error *err)
	_must_check_;

/* Disarms what was armed for `was` (NULL: what an earlier disarming had to leave) and is needed by no
 * toggle of `after`. A closer's file that somebody else changed or took away is left as it is;
 * *ret_left gets those that can't be taken away now. */
int deadline_disarm(struct closer_context *c, const struct state_toggle *was, struct plan *plan,
		    struct state *after, struct strings *ret_left, struct error *err)
	_must_check_;

/* Whether any toggle has a deadline, and whether files of closers are there although none has. */
bool deadline_is_needed(const struct state *s);
bool deadline_has_leftovers(const struct state *s);

/* Which of the closers that were noted are in force now, by name ("reboot" among them when the toggle
 * does not outlive one), and a line for each that is not. Writes nothing. */
int deadline_look(struct closer_context *c, const struct state_toggle *t,
		  struct strings *ret_armed, struct strings *ret_lost, struct error *err)
	_must_check_;

/* Removes the files of watchers that nobody names any more, with which they end, and what was left
 * over beside them. Only those of this state folder. The lock must be held. */
int deadline_sweep(const struct closer_context *c, const struct state *state, struct error *err)
	_must_check_;
/* Removes tokens of a boot (deadline.h) that were never put into their place. Without the lock, as
 * they are made before there is a state folder. */
int deadline_sweep_tokens(const struct host *h, struct error *err) _must_check_;

/* ---- What a closer is made of */

#define CLOSER_OWNER "closers" /* of their files in the state; no toggle has that name */

struct closer_job {
	struct closer_context *c;
	struct state_toggle *toggle; /* in `after` */
	struct plan *plan;           /* of the steps that arm alone */
	struct state *after;
	struct strings *missing;     /* a line for why it can't be had */
};

struct closer {
	const char *name;
	const char *remedy; /* what to do to have it, behind "Nothing was changed. "; NULL */
	/* *ret_armed is false, and `missing` says why, when it can't be had. */
	int (*arm)(struct closer_job *j, bool *ret_armed, struct error *err);
	/* `was` may be NULL. */
	int (*disarm)(struct closer_context *c, const struct state_toggle *was,
		      struct plan *plan, struct state *after, struct strings *left,
		      struct error *err);
	/* Whether it is in force; if not, `lost` gets a line. */
	int (*is_armed)(struct closer_context *c, const struct state_toggle *t, bool *ret_is,
			struct strings *lost, struct error *err);
};

extern const struct closer closer_watcher;
extern const struct closer closer_cron;
extern const struct closer closer_systemd;

/* Adds PROGRAM reap --quiet --wait 50 [--state-dir DIR]. */
int closer_reap_argv(const struct closer_context *c, struct strings *ret, struct error *err)
	_must_check_;
/* The same for deadline_watch, which has no context. */
int closer_reap_argv_of(const char *program, const struct store *s, struct strings *ret,
			struct error *err) _must_check_;

/* False when a word of it would mean something to a shell, to cron(8) or to systemd. */
bool closer_argv_is_plain(const struct strings *argv);

/* The text of the file for cron, and where it goes. Owned by the caller. */
char *closer_cron_text(const struct closer_context *c, struct error *err) _must_check_;
char *closer_cron_path(const struct store *s, struct error *err) _must_check_;

/* Whether a daemon of root's that reads our /etc/cron.d is running; if not, *ret_why says it.
 * Static. */
int closer_cron_runs(const struct host *h, bool *ret_runs, const char **ret_why,
		     struct error *err) _must_check_;

#endif

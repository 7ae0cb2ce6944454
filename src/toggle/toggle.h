/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * toggle: one reversible setting of one host, and the table of their kinds. A kind reads the
 * host and the state and makes plans; it writes nothing and never touches the store.
 *
 *     plan_apply / plan_undo -> judge -> (the transaction installs) -> after is the state
 *
 * Planning starts sshd's judgements, and judge() waits for them, so that the transaction can
 * write its snapshot meanwhile.
 */
#ifndef ROOTLATCH_TOGGLE_TOGGLE_H
#define ROOTLATCH_TOGGLE_TOGGLE_H

#include "config/augeas.h"
#include "service/sshd.h"
#include "service/sshd_answers.h"
#include "store/snapshot.h"
#include "store/state.h"

enum toggle_placement { /* design decision 4 */
	TOGGLE_ANYWHERE,
	TOGGLE_RUNTIME,
	TOGGLE_DROP_IN,
	TOGGLE_IN_PLACE,
};

struct toggle_terms {
	const char *allow;  /* "yes", "prohibit-password", "forced-commands-only" */
	const char *reason; /* NULL: none */
	const char *by;     /* who asks */
	bool yes;           /* --yes: what needs a yes is meant */
	struct strings from; /* canonical (base/address.h); none: everybody */
	enum toggle_placement placement;
	bool keep;          /* no deadline */
	bool replace;       /* another opening of the toggle makes room */
	/* services */
	bool enable;        /* on, not off */
	bool now;           /* stopped or started at once, too */
	bool remove_links;  /* --method remove: the procedure of old */
	/* undoing */
	bool leave_harmless; /* what opens nothing by itself is not tidied up */
	bool force;          /* what can't be undone is overruled: closed beats tidy */
};

/* What a kind may look at. */
struct toggle_context {
	const struct host *host;
	const struct state *state;
	const struct store *store; /* for the paths of saved files only */
	const char *lens_dir;
	const char *config;        /* the sshd instance's main file */
};

struct toggle_warning {
	const char *kind; /* "note", or what it means: "blocks", "may-block", "exposes" */
	char *text; /* a line; printable */
	char *hint; /* lines, or "" */
};

struct toggle_warnings {
	struct toggle_warning *items;
	size_t len;
};

struct toggle_service { /* one service of a plan, for the result */
	char *toggle;
	char *name;
	const char *verdict; /* its toggle's state when this is done */
	bool changes;
	bool stops, starts;  /* at once */
	bool will_start;     /* at boot, when this is done */
	char *why;
	char *links_before, *links_after; /* boot_links_text */
	mode_t mode_before, mode_after;   /* of the script; 0: there is none */
	char *unit;          /* NULL: none */
	const char *unit_before, *unit_after; /* boot_unit_state_name */
	bool exact;          /* undo: everything is as it was, to the time of each link */
	bool others_stay;    /* undo: what somebody else changed of it stays, and was warned of */
	bool upgraded;       /* undo: the script is another one by now, and stays */
	char undoes[PLAN_ID_LEN + 1];
	int64_t since_ns;
};

struct toggle_boot;      /* service.h: the boot tree as it is and shall be */
struct toggle_judgement; /* a kind's own: what is under way */
struct toggle_undo;      /* undo.h */

struct toggle_plan {
	const struct toggle_kind *kind;
	char *toggle;
	char *command;        /* "open", "close": for the log and the history */
	char *config;
	struct plan plan;     /* no step, and after the same: nothing to do */
	bool changes;         /* the host or the state will differ */
	bool closing;         /* it takes something back: then it is better to get it done, and to
			       * say what is left, than to leave it open */
	struct state after;
	char undoes[PLAN_ID_LEN + 1];
	bool drops_foreign;   /* undo: a file of ours goes with what others wrote into it */
	bool keeps_snapshot;  /* even when it needs none: no other one says what it does */
	bool reloads;         /* the listeners have to read their files again */
	struct snapshot_info snapshot; /* borrowed from here and from the terms */
	/* To be reloaded: those that read the main file; as `others`, those with another main file
	 * that read one of the plan's all the same. */
	struct sshd_daemons daemons;
	struct toggle_warnings warnings;
	struct toggle_judgement *judgement;
	struct toggle_undo *undo;

	/* service toggles: all that are named, in one transaction; `toggle` has them with commas */
	struct strings toggles;
	struct toggle_service *services;
	size_t n_services;
	struct toggle_boot *boot;

	/* for the result */
	const char *verdict;  /* "applied", "normal": the toggle's state when this is done */
	char *was, *is;       /* sshd's value for root, once judged */
	char *effective;      /* the same as a sentence */
	char *placement;
	struct strings files; /* that are changed, or would be */
	struct strings restored; /* those that are byte-identical to before the opening again */
	struct strings removed;  /* those that were made for the opening */
	struct strings leftovers; /* undo: harmless files that could not be tidied up */
	struct strings from;
	int64_t until_ns;
	int64_t since_ns;     /* undo: when it was applied */
	bool still_open;      /* undo: ours is out, but sshd says more than before it was applied */
};

#define _cleanup_toggle_plan_ _cleanup_(toggle_plan_free)

struct toggle_report {
	bool applied;
	bool agrees;                /* the host is as the state has it */
	bool leftovers;             /* it is closed, but files of ours are still there */
	char *value;                /* sshd's for root; NULL when it was not asked */
	char *effective;
	struct strings differences; /* what does not agree, a line each */
	struct strings strays;      /* traces of ours that the state knows nothing of */
	struct strings facts;       /* service: a label and a value, alternately */
	bool starts;                /* service: at boot */
	struct toggle_warnings warnings;
};

#define TOGGLE_REPORT_INIT { .agrees = true }
#define _cleanup_toggle_report_ _cleanup_(toggle_report_release)

struct toggle_kind {
	const char *name; /* of the toggle, up to an @, or to the / that the name ends with */
	int (*plan_apply)(const struct toggle_context *c, const struct toggle_terms *terms,
			  struct toggle_plan *p, struct error *err);
	int (*plan_undo)(const struct toggle_context *c, const struct toggle_terms *terms,
			 struct toggle_plan *p, struct error *err);
	/* ERROR_REFUSED when the plan must not be carried out. */
	int (*judge)(const struct toggle_context *c, struct toggle_plan *p, struct error *err);
	void (*release)(struct toggle_judgement *j);
	/* Once all steps are applied: ERROR_FAILED unless the host is as planned. NULL: the steps and the
	 * reload have shown it. */
	int (*verify)(const struct toggle_context *c, const struct toggle_plan *p, struct error *err);
	int (*read)(const struct toggle_context *c, const char *toggle, bool offline,
		    struct toggle_report *ret, struct error *err);
};

/* NULL for a name of no kind. */
const struct toggle_kind *toggle_kind_find(const char *toggle);

/* "root-login" for the default instance, "root-login@/path" for another. Owned by the caller. */
char *toggle_name(const char *kind, const char *config, struct error *err) _must_check_;
/* The path behind the @; the default sshd_config otherwise. A pointer into `toggle`, or static. */
const char *toggle_config(const char *toggle);

/* Service toggles: NULL for a toggle of another kind. A pointer into `toggle`. */
const char *toggle_service_name(const char *toggle);
void toggle_boot_free(struct toggle_boot **boot);

int toggle_plan_new(const char *toggle, const char *command, struct toggle_plan **ret,
		    struct error *err) _must_check_;
void toggle_plan_free(struct toggle_plan **p);
void toggle_report_release(struct toggle_report *r);

int toggle_warn(struct toggle_warnings *w, struct error *err, const char *hint, const char *fmt,
		...) _printf_(4, 5) _must_check_;
void toggle_warnings_release(struct toggle_warnings *w);

#endif

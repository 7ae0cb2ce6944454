/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * state: which toggles are applied, since when, by whom, why, until when, and what undoes each.
 *
 * For each file that is edited there is one base image (what it was before the first of the
 * edits that are applied), the ordered edits, and what it was when we last left it.
 */
#ifndef ROOTLATCH_STORE_STATE_H
#define ROOTLATCH_STORE_STATE_H

#include "config/marker.h"
#include "host/process.h"
#include "plan/plan.h"
#include "store/store.h"

#define STATE_SCHEMA 1
#define STATE_HISTORY_MAX 50 /* transactions whose snapshot is kept for `show` */

/* What a service toggle did to one service, for undoing it by meaning. */
struct state_service {
	bool on;              /* what was asked for */
	bool stopped;         /* it ran, and was stopped: undoing starts it */
	bool started;         /* the other way round */
	bool removed;         /* its links were removed, not turned */
	mode_t mode_before;   /* of the script; 0: there is none */
	mode_t mode_after;
	struct digest script; /* of its bytes, as they were then */
	struct strings before; /* its links: the path, a blank, the target */
	struct strings after;
};

struct state_toggle {
	char *name; /* "root-login", "root-login@/srv/sshd_config" */
	char id[PLAN_ID_LEN + 1];
	int64_t since_ns;
	int64_t until_ns; /* 0: it is kept until somebody closes it */
	int64_t until_boot_ns; /* the same deadline on CLOCK_BOOTTIME, in the boot of `boot` */
	char *boot;       /* the boot that it does not outlive (deadline.h); "": any */
	char *watch;      /* the file that its watcher holds; "" or NULL: it has none */
	struct strings closers; /* what ends it: "watcher", "cron"; for status */
	struct strings from;    /* the sources that it is for; none: everybody */
	char *by;
	char *reason;     /* NULL: none was given */
	char *placement;  /* "runtime", "drop-in", "in-place" */
	char *allow;      /* the value that was asked for */
	char *was;        /* what sshd answered before, and after, for the (first) source */
	char *is;
	char *others;     /* what it answers for all other sources; "": there are none */
	char *config;     /* the main file of the sshd instance */
	struct strings closure; /* that file and all it included then */
	struct state_service *service; /* of a service toggle; otherwise NULL */
};

struct state_edit {
	char *toggle;
	struct edit edit; /* without changes in a file that is ours alone */
	bool harmless;    /* it opens nothing by itself: an Include line of a file that is gone, a
			   * closer's file. One that can't be tidied up outlives its toggle */
};

struct state_file {
	char *path;
	bool made;   /* there was none: base is empty, and so are twin and saved (or NULL) */
	char *twin;  /* the base itself, hidden beside the file */
	char *saved; /* its bytes in the state folder */
	struct digest base;
	struct host_meta base_meta;
	struct digest left;
	struct host_meta left_meta;
	struct state_edit *edits; /* in the order in which they were made */
	size_t len;
	size_t cap;
};

struct state_event { /* one committed transaction */
	char id[PLAN_ID_LEN + 1];
	char *command;
	char *toggle;
	char undoes[PLAN_ID_LEN + 1]; /* the transaction that a close took back, or "" */
	int64_t at_ns;
};

/* All that decides what is started at boot, as it was before transaction `id`: in that one's
 * snapshot. It can be put back as long as nobody but us has changed anything since. */
struct state_image {
	char id[PLAN_ID_LEN + 1];
	struct strings applied; /* state_service_ids of the tree that it is of */
};

struct state {
	struct digest seal; /* of the file it was read from; empty: there was none */
	int64_t generation; /* counts the committed transactions */
	struct state_toggle *toggles;
	size_t n_toggles;
	struct state_file *files;
	size_t n_files;
	struct state_event *events;
	size_t n_events;
	struct digest boot_left; /* of the links, modes and units as our last commit left them; empty:
				  * no service toggle is applied */
	struct state_image *images;
	size_t n_images;
	/* our last proven reload, for a daemon that leaves no pid file to tell its time by */
	struct host_process reloaded;
	int64_t reloaded_ns;
};

#define STATE_INIT { .generation = 0 }
#define _cleanup_state_ _cleanup_(state_release)

void state_release(struct state *s);
void state_toggle_release(struct state_toggle *t);
void state_service_free(struct state_service *s);
void state_file_release(struct state_file *f);

/* A missing one is an empty one. Torn, altered, newer, or not root's alone: ERROR_REFUSED. */
int state_read(const struct store *store, struct state *ret, struct error *err) _must_check_;
/* Makes room for what a later state_write needs, so that a full disk can't stop a close. Writes an
 * empty state where there is none. */
int state_reserve(const struct store *store, struct error *err) _must_check_;
/* Durable when it returns. */
int state_write(const struct store *store, const struct state *s, struct error *err)
	_must_check_;

/* ERROR_REFUSED when state_write had to, or will have to, do without its reserve (slot_write). */
int state_check_reserve(const struct store *store, struct error *err) _must_check_;

/* Whether state.json is still the one that `s` was read from. */
int state_is_current(const struct store *store, const struct state *s, bool *ret_is,
		     struct error *err) _must_check_;

int state_copy(const struct state *s, struct state *ret, struct error *err) _must_check_;

struct state_toggle *state_find_toggle(const struct state *s, const char *name);
struct state_file *state_find_file(const struct state *s, const char *path);

/* These take over what they are given, also on failure. */
int state_add_toggle(struct state *s, struct state_toggle *t, struct error *err) _must_check_;
int state_add_file(struct state *s, struct state_file *f, struct error *err) _must_check_;
int state_add_edit(struct state_file *f, const char *toggle, const struct edit *edit,
		   bool harmless, struct error *err) _must_check_;
/* The oldest fall off the end. */
int state_add_event(struct state *s, const char *id, const char *command, const char *toggle,
		    const char *undoes, int64_t at_ns, struct error *err) _must_check_;

int state_add_image(struct state *s, const char *id, const struct strings *applied,
		    struct error *err) _must_check_;
/* Those that lead back to a toggle which is not applied any more, or (`all`) every one. */
void state_drop_images(struct state *s, bool all);
/* "ID NAME" of each service toggle that is applied: one transaction's are undone one by one. */
int state_service_ids(const struct state *s, struct strings *ret, struct error *err)
	_must_check_;

void state_remove_toggle(struct state *s, const char *name);
void state_remove_file(struct state *s, const char *path);

/* Every id that names a snapshot which must stay. */
int state_ids(const struct state *s, struct strings *ret_ids, struct error *err) _must_check_;

json_t *state_meta_to_json(const struct host_meta *m);

#endif

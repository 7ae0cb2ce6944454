/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rootlatch: reversible openings of one host. A root login is opened for as long as a job needs
 * it and closed again, exactly; what was changed, by whom and why is remembered.
 *
 * The order of use:
 *
 *     rootlatch_process_harden      once, before anything else, in a program that runs as root
 *     rootlatch_new                 one host, one state folder, one sshd instance
 *     rootlatch_recover             what was cut off before is finished or undone
 *     rootlatch_plan_apply          what opening would do; nothing is written
 *     rootlatch_plan_diff           shown
 *     rootlatch_commit              done, all or nothing
 *     rootlatch_plan_revert, rootlatch_commit
 *
 * Functions return 0, or -1 with *err filled in; on failure outputs are left alone. `err` may be
 * NULL. Nothing here prints, exits or aborts. A handle is for one thread at a time. Times are
 * nanoseconds of CLOCK_REALTIME. Strings that go in are UTF-8 and are copied.
 *
 * Files: sshd_config(5), /var/lib/rootlatch (0700).
 */
#ifndef ROOTLATCH_H
#define ROOTLATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a failure means; also the exit status of rootlatch(8) (a contract: scripts depend on
 * it). Over several toggles the worst is given: 4, 1, 3, 69, 75, 77, 2, 0. */
enum rootlatch_status {
	ROOTLATCH_OK = 0,             /* done, or already so */
	ROOTLATCH_FAILED = 1,         /* failed; rolled back, everything is as before */
	ROOTLATCH_DIFFERENT = 2,      /* a check or a dry run found a difference */
	ROOTLATCH_REFUSED = 3,        /* refused before anything was touched */
	ROOTLATCH_IN_DOUBT = 4,       /* a person must look */
	ROOTLATCH_USAGE = 64,
	ROOTLATCH_UNREACHABLE = 69,
	ROOTLATCH_BUSY = 75,          /* another rootlatch holds the lock */
	ROOTLATCH_NOT_PERMITTED = 77, /* not root */
};

#define ROOTLATCH_MESSAGE_MAX 2048
#define ROOTLATCH_HINT_MAX 1024

struct rootlatch_error {
	int code;                            /* enum rootlatch_status */
	int sys_errno;                       /* errno(3), or 0 */
	char message[ROOTLATCH_MESSAGE_MAX]; /* what happened, and to what */
	char hint[ROOTLATCH_HINT_MAX];       /* what to do; may be empty, may have lines */
};

struct rootlatch;        /* one host */
struct rootlatch_plan;   /* what a change would do */
struct rootlatch_result; /* what was found or done */

/* Zeros mean the defaults. */
struct rootlatch_options {
	const char *root;        /* an image or chroot; default / */
	const char *state_dir;   /* below root; default /var/lib/rootlatch */
	const char *sshd_config; /* below root; default /etc/ssh/sshd_config */
	const char *lens_dir;    /* default: share/rootlatch/lenses beside the program, or where
				  * it was installed */
	unsigned wait_seconds;   /* for the lock */
	bool offline;            /* status: do not ask sshd */
	bool yes;                /* what needs a yes is meant */
	void (*event)(void *ctx, const char *text); /* a line at each step, or NULL */
	void *event_ctx;
};

/* Makes the process fit to act as root: descriptors 0-2 open, umask 077, SIGPIPE ignored, an
 * environment of our own (PATH, LC_ALL; SUDO_USER, DOAS_USER, TZ, TERM, NO_COLOR and COLUMNS are
 * kept). Call it first. */
int rootlatch_process_harden(struct rootlatch_error *err);

/* Opens a host. Writes nothing. ROOTLATCH_NOT_PERMITTED unless the effective user is root. The
 * handle is freed with rootlatch_free, which accepts NULL. */
int rootlatch_new(const struct rootlatch_options *options, struct rootlatch **ret,
		  struct rootlatch_error *err);
void rootlatch_free(struct rootlatch *r);

/* The toggle of the handle's sshd instance: "root-login", or "root-login@/path". It belongs to the
 * handle. */
const char *rootlatch_root_login(const struct rootlatch *r);

/* Where an opening is written. */
enum rootlatch_placement {
	ROOTLATCH_ANYWHERE, /* as it fits: with a deadline runtime, kept drop-in, otherwise in place */
	ROOTLATCH_RUNTIME,  /* a file in /run and one Include line: a reboot ends it */
	ROOTLATCH_DROP_IN,  /* the same file in a folder that sshd_config includes first */
	ROOTLATCH_IN_PLACE, /* the deciding line, where it stands */
};

struct rootlatch_terms {
	const char *allow;  /* "yes" (default), "prohibit-password", "forced-commands-only":
			     * PermitRootLogin in sshd_config(5) */
	const char *from;   /* for these sources alone: addresses and CIDR, comma separated. NULL:
			     * for everybody */
	const char *reason; /* why; may be NULL. No control characters, 500 bytes at most */
	int64_t until_ns;   /* then it ends by itself; at least 60 s ahead. 0: only with keep */
	bool keep;          /* until somebody closes it */
	enum rootlatch_placement placement;
	bool replace;       /* in the place of one with other terms, in one transaction */
};

/* Plans the opening of a toggle. Nothing is written. The plan is freed with rootlatch_plan_free,
 * which accepts NULL, and is good for one commit. */
int rootlatch_plan_apply(struct rootlatch *r, const char *toggle,
			 const struct rootlatch_terms *terms, struct rootlatch_plan **ret,
			 struct rootlatch_error *err);

/* Plans the undoing of a toggle: exact where nobody else touched the files, ours alone where
 * somebody did, ROOTLATCH_REFUSED with the difference where that can't be told apart. A toggle
 * that is not applied gives a plan that changes nothing. */
int rootlatch_plan_revert(struct rootlatch *r, const char *toggle, struct rootlatch_plan **ret,
			  struct rootlatch_error *err);
void rootlatch_plan_free(struct rootlatch_plan *plan);

/* Boot services, each a toggle "service/NAME". All of a plan are one transaction. */
struct rootlatch_service_terms {
	const char *const *services; /* names of init scripts or units, without a path or suffix */
	size_t n_services;
	bool enable;       /* on at boot; otherwise off */
	bool now;          /* started or stopped at once, too */
	bool remove_links; /* off by `update-rc.d -f NAME remove`, the procedure of old, which a
			    * reinstallation undoes; otherwise by `disable` and a masked unit */
	const char *reason; /* as in rootlatch_terms */
};

/* Plans switching boot services off or on: what update-rc.d(8) would do is rehearsed on a copy, in
 * a mount namespace, and nothing is written. ROOTLATCH_REFUSED for a service that is not known, whose
 * script is not root's or has no LSB header, and, without the handle's `yes`, for one that sshd
 * needs. */
int rootlatch_plan_services(struct rootlatch *r, const struct rootlatch_service_terms *terms,
			    struct rootlatch_plan **ret, struct rootlatch_error *err);

/* Plans the undoing of several service toggles as one transaction. */
int rootlatch_plan_revert_services(struct rootlatch *r, const char *const *toggles, size_t n,
				   struct rootlatch_plan **ret, struct rootlatch_error *err);

/* Plans another deadline for a toggle that has one; its scope stays as it is. An earlier one takes the
 * handle's `yes`. ROOTLATCH_REFUSED for a toggle that is not applied, or is kept. */
int rootlatch_plan_extend(struct rootlatch *r, const char *toggle, int64_t until_ns,
			  struct rootlatch_plan **ret, struct rootlatch_error *err);

/* What it would change in the files, as diff -u; empty when nothing. The caller frees it. */
int rootlatch_plan_diff(struct rootlatch_plan *plan, char **ret_text,
			struct rootlatch_error *err);

/* Lets sshd judge the plan, and says what committing would give; nothing is written
 * (--dry-run). Its status is ROOTLATCH_DIFFERENT when it would change something. The plan can't
 * be committed afterwards. */
int rootlatch_plan_judge(struct rootlatch_plan *plan, struct rootlatch_result **ret,
			 struct rootlatch_error *err);

/* Arms what ends it by itself, takes the lock, checks again what the plan stands on, and does all of it
 * or nothing. When it returns 0 the change is durable and every listener was reloaded, with
 * proof. A close that could not tidy up is done all the same: the result's status is
 * ROOTLATCH_IN_DOUBT then, and its "leftovers" are named. */
int rootlatch_commit(struct rootlatch_plan *plan, struct rootlatch_result **ret,
		     struct rootlatch_error *err);

/* What is applied, since when, by whom, until when, and whether the host agrees; of `toggle` alone
 * unless that is NULL. Writes nothing; waits a second at most for a transaction that is at work. */
int rootlatch_status(struct rootlatch *r, const char *toggle, struct rootlatch_result **ret,
		     struct rootlatch_error *err);

/* The same of several toggles; "service/NAME" is explained also where it was never touched. */
int rootlatch_status_of(struct rootlatch *r, const char *const *toggles, size_t n,
			struct rootlatch_result **ret, struct rootlatch_error *err);

/* The same for machines, with traces of ours that no state knows: the status of the result is
 * ROOTLATCH_DIFFERENT when something differs. */
int rootlatch_check(struct rootlatch *r, struct rootlatch_result **ret,
		    struct rootlatch_error *err);

/* True when something is past its deadline, or left something behind: rootlatch_reap has something to
 * do. */
bool rootlatch_is_overdue(struct rootlatch *r);

/* Reverts what is past its deadline, `spare` (or NULL) excepted, and tidies up what earlier reverts had
 * to leave behind. What can't be undone is overruled. One result a toggle; the status is the
 * worst of them, ROOTLATCH_OK when there was nothing to do. */
int rootlatch_reap(struct rootlatch *r, const char *spare, struct rootlatch_result **ret,
		   struct rootlatch_error *err);

/* What the watcher of an opening does, which rootlatch_commit starts as `rootlatch watch`: it holds
 * `file`, waits for the deadline on both clocks, and reaps. Returns when its file is gone. */
struct rootlatch_watch_terms {
	const char *file;
	const char *toggle;
	int64_t until_real_ns; /* CLOCK_REALTIME */
	int64_t until_boot_ns; /* CLOCK_BOOTTIME */
};
int rootlatch_watch(struct rootlatch *r, const struct rootlatch_watch_terms *terms,
		    struct rootlatch_error *err);

/* What a transaction about services runs as a command of its own, as `rootlatch service-run`: it
 * neither locks nor recovers. ROOTLATCH_FAILED names what did not end, or what a start said. */
int rootlatch_service_stop(struct rootlatch *r, const char *name, struct rootlatch_error *err);
int rootlatch_service_start(struct rootlatch *r, const char *name, struct rootlatch_error *err);
/* Whether any of it runs now, or stands ready to be started by a connection. */
int rootlatch_service_is_running(struct rootlatch *r, const char *name, bool *ret_running,
				 struct rootlatch_error *err);

/* True when a transaction was cut off, or is at work: rootlatch_recover has something to do. */
bool rootlatch_needs_recovery(const struct rootlatch *r);

/* Finishes or undoes a transaction that was cut off, and tidies up after it. */
int rootlatch_recover(struct rootlatch *r, struct rootlatch_result **ret,
		      struct rootlatch_error *err);

/* One transaction with its diff. `id` may be shortened as long as it is unique. */
int rootlatch_show(struct rootlatch *r, const char *id, struct rootlatch_result **ret,
		   struct rootlatch_error *err);

/* The events of a toggle (NULL: of all), oldest first; until_ns 0 means now. */
int rootlatch_log(struct rootlatch *r, const char *toggle, int64_t since_ns, int64_t until_ns,
		  struct rootlatch_result **ret, struct rootlatch_error *err);

/* For the log: a command of this handle's ended in `err`. Best effort. */
void rootlatch_log_failure(struct rootlatch *r, const char *command, const char *toggle,
			   const struct rootlatch_error *err);

/* All facts of a result as one JSON document (RFC 8259), without a final newline. It belongs to
 * the result. Times are UTC, RFC 3339. */
const char *rootlatch_result_json(const struct rootlatch_result *result);
int rootlatch_result_status(const struct rootlatch_result *result);
void rootlatch_result_free(struct rootlatch_result *result);

/* The same shape of document for a command that failed. The caller frees it; NULL without
 * memory. `r` and `toggle` may be NULL. */
char *rootlatch_error_json(struct rootlatch *r, const char *command, const char *toggle,
			   const struct rootlatch_error *err);

/* "0.1.0" */
const char *rootlatch_version(void);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * process: commands that we start, and processes that we look at. No shell, an environment of
 * our own, every descriptor closed but 0-2.
 */
#ifndef ROOTLATCH_HOST_PROCESS_H
#define ROOTLATCH_HOST_PROCESS_H

#include "base/buffer.h"
#include "host/host.h"

/* A file as the command shall see it: `bytes` at `path`, in a mount namespace of its own. It need
 * not exist, nor its folder: it is seen as root's, 0644, in folders of root's, 0755, beside all that
 * is really there. One without bytes over an existing file is an empty file, which to sshd is as
 * good as none. */
struct host_view {
	const char *path;
	struct slice bytes;
	bool gone; /* it stands for no file at all, and has no bytes: for those who list folders */
};

struct host_stage;

#define HOST_ENV_MAX 8

struct host_command {
	char *const *argv; /* argv[0] is an absolute path */
	const struct host_view *views; /* shown to the command alone (mount_namespaces(7)) */
	size_t n_views;
	struct slice input;      /* its standard input; empty without */
	bool private_mounts;     /* a mount namespace of its own, also without views */
	const char *missing_dir; /* with private_mounts: a folder to show when it is missing, empty
				  * and root's, 0755, as are those above it that are missing;
				  * sshd wants its /run/sshd. NULL: none */
	char *const *env;        /* NAME=value, HOST_ENV_MAX at most, with a NULL behind the last; in
				  * addition to PATH, LC_ALL and HOME. NULL: none */
	const struct host_stage *stage; /* host_tree_rehearse sets it, and nobody else */
	bool in_root;            /* chroot(2) to the host's root when that is not / */
	bool leaves_daemons;     /* what it starts may stay, and hold its output open: nobody waits for
				  * that, and writing to it fails (EPERM) once the command has ended.
				  * A session of its own, umask 022, in / */
	unsigned timeout_ms;     /* then it is killed; 0 means 60 s */
};

struct host_child; /* a command under way */

struct host_outcome {
	int status;         /* exit status, or 128 + signal */
	bool no_namespaces; /* the mount namespace was not to be had: nothing was run */
	bool timed_out;
	bool killed;        /* by a signal, or its status was lost: what it said is no answer */
	struct buffer out;
	struct buffer err;
};

#define HOST_OUTCOME_INIT { .status = -1 }
#define _cleanup_host_outcome_ _cleanup_(host_outcome_release)
#define _cleanup_host_child_ _cleanup_(host_child_stop)

void host_outcome_release(struct host_outcome *o);

/* Starts it and returns at once. What the command points to is used before this returns. */
int host_child_start(const struct host *h, const struct host_command *cmd,
		     struct host_child **ret_child, struct error *err) _must_check_;

/* Waits for it, takes its output (each stream is cut at 4 MiB), releases it. The exit status
 * of the command is no error here. */
int host_child_finish(struct host_child **child, struct host_outcome *ret_outcome,
		      struct error *err) _must_check_;

/* Kills and releases one that is not wanted any more. NULL is fine. */
void host_child_stop(struct host_child **child);

/* Both at once. */
int host_run(const struct host *h, const struct host_command *cmd,
	     struct host_outcome *ret_outcome, struct error *err) _must_check_;

/* A process, told apart from a later one with the same number by its start time. */
struct host_process {
	pid_t pid;
	uint64_t start_ticks; /* field 22 of proc_pid_stat(5), since boot */
};

/* Starts a command that shall outlive us (a daemon which puts itself into the background, or
 * stays): a session of its own, descriptors on /dev/null. Returns when it was executed. `ret` (or
 * NULL) gets the process, which may have ended since. */
int host_spawn_detached(const struct host *h, char *const *argv, const char *cwd,
			struct host_process *ret, struct error *err) _must_check_;

/* True while it runs (a zombie does not). */
bool host_process_alive(const struct host_process *p);

/* Reads its identity. -1 when there is none or it is a zombie. */
int host_process_of(pid_t pid, struct host_process *ret);

/* A small text below /proc, whole, or as far as it fits into `size` with a NUL behind it: its length, or
 * -1 and errno. */
ssize_t host_proc_read(const char *name, char *ret, size_t size);


/* CLOCK_REALTIME of its start, in nanoseconds, to a clock tick. */
int64_t host_process_started_ns(const struct host_process *p);

/* kill(2) for that very process. */
int host_process_signal(const struct host *h, const struct host_process *p, int sig,
			struct error *err) _must_check_;

#endif

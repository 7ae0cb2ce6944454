/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * host: the machine that is changed, seen through one table of system calls. Every path is
 * absolute and is resolved below `root` (openat2(2), RESOLVE_IN_ROOT), so that an image is
 * worked on exactly as a running host is.
 *
 * The table exists so that a test can let the Nth call fail or die. Interrupted and short
 * calls are finished here and nowhere else.
 */
#ifndef ROOTLATCH_HOST_HOST_H
#define ROOTLATCH_HOST_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "base/error.h"

struct host_ops {
	int (*open)(void *ctx, int dir, const char *path, int flags, mode_t mode,
		    uint64_t resolve);
	ssize_t (*read)(void *ctx, int fd, void *bytes, size_t len);
	ssize_t (*write)(void *ctx, int fd, const void *bytes, size_t len);
	int (*fsync)(void *ctx, int fd);
	int (*ftruncate)(void *ctx, int fd, off_t len);
	int (*fallocate)(void *ctx, int fd, int mode, off_t offset, off_t len);
	int (*fstatat)(void *ctx, int dir, const char *path, struct stat *st, int flags);
	int (*fchmod)(void *ctx, int fd, mode_t mode);
	int (*fchown)(void *ctx, int fd, uid_t uid, gid_t gid);
	int (*futimens)(void *ctx, int fd, const struct timespec times[2]);
	int (*utimensat)(void *ctx, int dir, const char *path, const struct timespec times[2],
			 int flags);
	int (*symlinkat)(void *ctx, const char *target, int dir, const char *path);
	ssize_t (*readlinkat)(void *ctx, int dir, const char *path, char *ret, size_t len);
	int (*mkdirat)(void *ctx, int dir, const char *path, mode_t mode);
	int (*renameat2)(void *ctx, int old_dir, const char *old_path, int new_dir,
			 const char *new_path, unsigned flags);
	int (*unlinkat)(void *ctx, int dir, const char *path, int flags);
	int (*flock)(void *ctx, int fd, int operation);
	int (*kill)(void *ctx, pid_t pid, int sig);
};

extern const struct host_ops host_ops_real;

struct host {
	const struct host_ops *ops;
	void *ctx;   /* handed to every operation */
	char *root;  /* "/" or the image's folder; owned */
	int root_fd; /* O_PATH */
};

#define HOST_INIT { .root_fd = -1 }
#define _cleanup_host_ _cleanup_(host_release)

/* Opens `root`. `ops` NULL means the real ones. */
int host_init(struct host *h, const char *root, const struct host_ops *ops, void *ctx,
	      struct error *err) _must_check_;
void host_release(struct host *h);

/* False when a folder other than / is worked on: nothing runs there. */
static inline bool host_is_live(const struct host *h)
{
	return h->root[0] == '/' && h->root[1] == '\0';
}

/* Who asks: the user behind sudo(8) or doas(1) when there is one, otherwise the real user's
 * name, otherwise "uid N". Escaped, for it is anybody's text. Owned by the caller. */
char *host_actor(struct error *err) _must_check_;

/* SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGTSTP wait from here on: the session that we run in may end in
 * the middle of a transaction. Commands that are started do not inherit it. */
void host_signals_hold(void);
void host_signals_release(void);

/* The folder that this program was started from, through /proc/self/exe; NULL when it can't be
 * told. Owned by the caller. */
char *host_program_dir(struct error *err) _must_check_;

/* What must be so before anything is done as root: fds 0-2 open, umask 077, an environment of
 * our own (PATH, LC_ALL, TZ and nothing else that a library would obey). reliability 27. */
int host_process_harden(struct error *err) _must_check_;

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fault_host: a host whose Nth system call goes wrong, and the folder that it works on. What
 * may go wrong is asked of the real calls: a call that is not hit does its real work.
 *
 *     for (unsigned n = 1;; n++) {
 *             fault_arm(&box->fault, FAULT_ERROR, n, EIO);
 *             ...
 *             if (!fault_disarm(&box->fault))
 *                     break;          // more than there are calls: every one had its turn
 *     }
 */
#ifndef ROOTLATCH_TESTS_FAULT_HOST_H
#define ROOTLATCH_TESTS_FAULT_HOST_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "base/buffer.h"
#include "host/host.h"

enum fault_kind {
	FAULT_NONE,
	FAULT_ERROR,     /* the Nth call fails with errno `error`, its work not done */
	FAULT_ERROR_ON,  /* so does every call from the Nth on */
	FAULT_DONE,      /* the Nth call does its work, and then says that it failed */
	FAULT_ONE_BYTE,  /* no read or write takes more than one byte */
	FAULT_INTERRUPT, /* each call that signal(7) lets fail with EINTR does so, the first time */
	FAULT_DIE,       /* the process is killed at the Nth call, before its work */
};

enum fault_op {
	FAULT_OPEN = 1 << 0,
	FAULT_READ = 1 << 1,
	FAULT_WRITE = 1 << 2,
	FAULT_FSYNC = 1 << 3,
	FAULT_TRUNCATE = 1 << 4,
	FAULT_ALLOCATE = 1 << 5,
	FAULT_STAT = 1 << 6,
	FAULT_CHMOD = 1 << 7,
	FAULT_CHOWN = 1 << 8,
	FAULT_TIMES = 1 << 9,
	FAULT_MKDIR = 1 << 10,
	FAULT_RENAME = 1 << 11,
	FAULT_UNLINK = 1 << 12,
	FAULT_LOCK = 1 << 13,
	FAULT_KILL = 1 << 14,
	FAULT_SYMLINK = 1 << 15,
	FAULT_READLINK = 1 << 16,
	FAULT_ANY = 0,
};

#define FAULT_DEATH (128 + SIGKILL) /* what box_fork gives for FAULT_DIE */

struct fault {
	enum fault_kind kind;
	unsigned only;   /* enum fault_op: the calls that count; 0: all */
	unsigned at;     /* the Nth of them, from 1 */
	int error;
	unsigned calls;  /* that were counted since fault_arm */
	unsigned hits;   /* that went wrong */
	bool interrupted; /* the last one was; now it goes through */
	char last[16];   /* the name of the call that went wrong last */
	/* Called before the Nth call, whatever the kind: somebody else, in that very moment. */
	void (*meanwhile)(void *ctx);
	void *meanwhile_ctx;
};

extern const struct host_ops fault_ops; /* ctx is a struct fault */

void fault_arm(struct fault *f, enum fault_kind kind, unsigned at, int error);
/* True when a call went wrong. Nothing goes wrong from then on. */
bool fault_disarm(struct fault *f);

/* A folder of the test's own, on a tmpfs that nobody else sees where that can be had. It goes with
 * the test. Skips the test, and says why, where it is not root's. */
struct box {
	struct fault fault;
	struct host host;       /* its root is the folder; calls fault_ops */
	char path[64];          /* the folder */
	bool is_private;        /* mounts of the test's own */
};

/* For TestSuite's .init and .fini. */
void box_enter(void);
void box_leave(void);
struct box *box(void);

/* Below the box; the whole path, one of 16 in turn. */
const char *box_path(const char *path);
void box_write(const char *path, const char *text);
void box_mkdir(const char *path, mode_t mode);
/* What is in a file, one of 8 in turn; "(none)" when it is not there. */
const char *box_text(const char *path);
/* The names in a folder, sorted, each behind a blank, one of 8 in turn; "(none)" for no folder. */
const char *box_names(const char *path);
mode_t box_mode(const char *path);

/* All that can be seen of a file but its inode and ctime: type, mode, owner, mtime, links,
 * attributes, bytes. "(none)" when it is not there. Owned by the caller. */
char *box_look(const char *path);

/* Runs it in a child: its exit status, 128 + signal. */
int box_fork(void (*run)(void *ctx), void *ctx);

/* Fails the test with the error's own words. */
#define box_ok(expr)                                                                          \
	do {                                                                                  \
		int box_ok_ = (expr);                                                         \
		cr_assert(eq(int, box_ok_, 0), "%s: %s (%s)", #expr, err.message, err.hint);  \
	} while (0)

/* It fails, with this code and these words. */
#define box_fails(expr, wanted_code, words)                                                   \
	do {                                                                                  \
		int box_fails_ = (err = (struct error)ERROR_INIT, (expr));                    \
		cr_expect(eq(int, box_fails_, -1), "%s", #expr);                              \
		cr_expect(eq(int, (int)err.code, (int)(wanted_code)), "%s: %s", #expr,        \
			  err.message);                                                       \
		cr_expect(strstr(err.message, (words)) != NULL, "\"%s\" is not in \"%s\"",    \
			  (words), err.message);                                              \
	} while (0)

/* Criterion's str takes no const. */
#define box_str(actual, expected, ...) \
	cr_expect(eq(str, (char *)(actual), (char *)(expected)), ##__VA_ARGS__)

#endif

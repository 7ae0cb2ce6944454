/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * watchers: the processes `rootlatch watch` that wait for a deadline. Each outlives the command
 * that started it, holds the lock of its file, and ends when that file goes. A watcher is no stray;
 * but there has to be one where something is open for a time, and none where nothing is.
 */
#ifndef ROOTLATCH_TESTS_WATCHERS_H
#define ROOTLATCH_TESTS_WATCHERS_H

#include <stdbool.h>
#include <sys/types.h>

#define WATCHERS_DIR "/run/rootlatch/watch"
#define WATCHERS_MAX 64

/* One that a host has to have, so that it can be started again. */
struct watcher {
	pid_t pid;
	char *argv[32];
	char *file; /* among argv */
	char *words;
};

struct watchers {
	struct watcher items[WATCHERS_MAX];
	unsigned len;
};

/* Whether a process is one, by its command line. */
bool watchers_is(pid_t pid);
/* Those alive. */
unsigned watchers_list(pid_t pids[WATCHERS_MAX]);
bool watchers_file_is_held(const char *file);

/* Waits until no more than `expected` are alive: how many are. */
unsigned watchers_settle(unsigned expected, unsigned patience_s);

/* Those alive, once nothing is going on. */
void watchers_capture(struct watchers *ret);
/* Ends all others; before the folders are put back. */
void watchers_end_others(struct watchers *w);
/* Starts again those that ended; after that. */
void watchers_start(struct watchers *w);

#endif

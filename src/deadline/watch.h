/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * watch: the process that waits for one deadline and has `reap` run then.
 *
 *     publish    its file, locked, with the timers standing
 *     begin      the transaction that started it ends; nobody's watcher ends with it
 *     wait       for the deadline, by both clocks
 *     close      reap; again after 5, 10, 20 ... 60 s while the toggle is still recorded
 *
 * In all of them it ends when its file goes. Nothing it meets on the way makes it give up: what it
 * can't find out it takes for "still open".
 */
#ifndef ROOTLATCH_DEADLINE_WATCH_H
#define ROOTLATCH_DEADLINE_WATCH_H

#include "deadline/deadline.h"
#include "store/store.h"

struct deadline_watch_terms {
	const struct host *host;
	struct store *store;    /* not locked */
	const char *file;       /* in DEADLINE_WATCH_DIR; its name is the arming transaction's id */
	const char *toggle;     /* for those who read the file */
	int64_t until_real_ns;  /* CLOCK_REALTIME */
	int64_t until_boot_ns;  /* CLOCK_BOOTTIME; 0: the wall clock alone */
	const char *program;    /* whose `reap` it is; NULL: this very one, even when its file is gone */
	unsigned retry_ms;      /* first pause after a reap that did not close; 0: 5 s */
};

/* Returns 0 when nobody needs it any more: its file was removed, or the toggle is not recorded with
 * it. An error is one that came before its file was published; nothing is left over then. Goes to
 * the root folder, for it must not keep another one busy. */
int deadline_watch(const struct deadline_watch_terms *terms, struct error *err) _must_check_;

/* The state folder that the watcher of this file serves; NULL when the file does not say. Owned by
 * the caller. */
char *deadline_watch_state_dir(const struct host *h, const char *file);

#endif

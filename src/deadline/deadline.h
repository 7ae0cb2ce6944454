/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * deadline: until when a toggle is applied, and whether that is over. An opening is over by the
 * wall clock, by the time since boot, and with the boot that it was made in: none of the three
 * can be turned back without another one noticing.
 *
 *     until_ns   boot   over when
 *     0          ""     never
 *     set        ""     the wall clock is past it, whatever was booted meanwhile
 *     0          set    another boot
 *     set        set    another boot; or the wall clock, or the clock since boot, is past it
 */
#ifndef ROOTLATCH_DEADLINE_DEADLINE_H
#define ROOTLATCH_DEADLINE_DEADLINE_H

#include "host/clock.h"
#include "store/state.h"

#define DEADLINE_RUN_DIR "/run/rootlatch"            /* 0700, gone with the boot */
#define DEADLINE_BOOT_FILE DEADLINE_RUN_DIR "/boot"  /* a token of this boot */
#define DEADLINE_WATCH_DIR DEADLINE_RUN_DIR "/watch" /* a file for each watcher, locked by it */

#define DEADLINE_TOKEN_LEN 16 /* hexadecimal digits */
#define DEADLINE_BOOT_MAX (CLOCK_BOOT_MAX + 1 + DEADLINE_TOKEN_LEN)

enum deadline_due {
	DEADLINE_NOT_DUE,
	DEADLINE_PASSED,   /* by the wall clock */
	DEADLINE_ELAPSED,  /* by the time since boot: the wall clock was set back */
	DEADLINE_REBOOTED,
};

struct deadline_now {
	int64_t real_ns; /* CLOCK_REALTIME */
	int64_t boot_ns; /* CLOCK_BOOTTIME */
	char boot[DEADLINE_BOOT_MAX];
};

/* Which boot this is: clock_boot_identity(), which hosts that share a kernel share too, "-", and a
 * token in /run. With `create` the token is made where there is none, and one that is not as we
 * make it is ERROR_REFUSED; without, both end the identity with the "-", and it equals none that
 * was recorded. A token that could not be looked at is ERROR_FAILED. */
int deadline_boot_identity(const struct host *h, bool create, char ret[DEADLINE_BOOT_MAX],
			   struct error *err) _must_check_;

/* Writes nothing. */
int deadline_now_read(const struct host *h, struct deadline_now *ret, struct error *err)
	_must_check_;

/* Whether the toggle's time is over. Pure. */
enum deadline_due deadline_is_due(const struct state_toggle *t, const struct deadline_now *now);

/* For messages: "its time is over". Static. */
const char *deadline_due_text(enum deadline_due due);

/* Fills in until_ns, until_boot_ns and boot; until_ns 0 binds the toggle to this boot alone. With
 * `create` the token of this boot is made where there is none, for nothing can be recorded without
 * it; that is all it writes. */
int deadline_set(struct state_toggle *t, const struct host *h, int64_t until_ns, bool create,
		 struct error *err) _must_check_;

#endif

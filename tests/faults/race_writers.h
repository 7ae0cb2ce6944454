/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * race_writers: rootlatches that start together, each with a command of its own. Some are killed at a
 * random moment; one that another was quicker than is started again, a few times.
 */
#ifndef ROOTLATCH_TESTS_RACE_WRITERS_H
#define ROOTLATCH_TESTS_RACE_WRITERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define WRITERS_MAX 64

struct writer {
	const char *command;
	bool json, waits, whole_group;
	long kill_ms; /* after the start, -1: it is not killed */
	pid_t pid;
	bool ended, hung;
	unsigned tries; /* that are left when others were quicker */
	int status, out, err;
};

/* What became of all of them, over all rounds. */
struct writers_counts {
	unsigned long ended, again, done, changed, refused, busy, failed, killed;
};

struct writers {
	char *tool;
	const char *const *commands;
	unsigned n_commands, n;
	uint64_t seed, random;
	bool edited; /* somebody else edits sshd_config: then a person may have to look */
	struct writer items[WRITERS_MAX];
	struct writers_counts counts;
};

uint64_t writers_random(struct writers *all);

/* Draws and runs them, until the last one has ended. */
void writers_run(struct writers *all);
/* False when one did not end as it should; `why` has room for JUDGE_WHY_MAX. */
bool writers_check(struct writers *all, char *why);
void writers_tell(const struct writers *all, unsigned round, const char *why);
/* After each run. */
void writers_release(struct writers *all);

#endif

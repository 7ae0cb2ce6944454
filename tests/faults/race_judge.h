/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * race_judge: what is left when all writers have ended. `recover`, `status` and `check` run, and
 * what they, the state file, sshd and the disk say must be the same; then all is reverted, and the host
 * must be what it was.
 */
#ifndef ROOTLATCH_TESTS_RACE_JUDGE_H
#define ROOTLATCH_TESTS_RACE_JUDGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "image.h"
#include "race_reader.h"

#define JUDGE_WHY_MAX 2048
#define JUDGE_SERVICES 3

struct judge {
	char *tool;
	int output_fd;
	pid_t daemon; /* 0: none runs */
	unsigned patience_s;
	/* The host as it was, and with each of the services as its toggle makes it. */
	struct image pristine, switched[JUDGE_SERVICES];
};

/* Runs `tool WORDS` to its end and gives its exit status; 255 when it was killed. What it printed is
 * in output_fd. */
int judge_run(const struct judge *j, const char *words);
/* The generation of the state, 0 without one. */
long long judge_generation(void);

/* Learns from a host on which nothing is applied; `legal` sees each host meanwhile. */
void judge_learn(struct judge *j, struct versions *legal);

/* Each is false when something is not as it should be, and `why` says what. */
bool judge_settled(const struct judge *j, char why[JUDGE_WHY_MAX]);
bool judge_reverted(const struct judge *j, char why[JUDGE_WHY_MAX]);

#endif

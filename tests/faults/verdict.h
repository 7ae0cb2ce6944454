/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * verdict: whether the host is whole after a kill: wholly as before or wholly as after, the
 * state file true, nothing left over, and the way back open.
 */
#ifndef ROOTLATCH_TESTS_VERDICT_H
#define ROOTLATCH_TESTS_VERDICT_H

#include <stdbool.h>
#include <sys/types.h>

#include "image.h"
#include "trace.h"

struct verdict_terms {
	char *tool; /* the program under test */
	int output_fd;
	struct image pristine;       /* before anything was ever done */
	struct image opened, closed; /* as a run without a kill leaves the host */
	unsigned mounts;
	pid_t daemon; /* 0: none runs */
};

struct verdict {
	bool opened; /* what the host is now */
	char why[600];
};

/* Each: true when all is well, else ret->why says what is not. */
bool verdict_whole(const struct verdict_terms *terms, struct verdict *ret);
/* Asks sshd too, and goes back to the pristine host. */
bool verdict_way_back(const struct verdict_terms *terms, struct verdict *ret);

/* Runs `tool words`; the words are split at blanks. True when it exits 0. */
bool verdict_tool(const struct verdict_terms *terms, const char *words,
		  struct verdict *ret);

#endif

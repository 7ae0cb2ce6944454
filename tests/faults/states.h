/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * states: the disks that a power loss may leave, moment by moment. Of the pending effects: all are
 * lost, or none; one alone is lost, or kept; those up to one are kept; one is torn, with the others
 * there or not. Where they are few, every combination.
 */
#ifndef ROOTLATCH_TESTS_STATES_H
#define ROOTLATCH_TESTS_STATES_H

#include "disk.h"

#define STATES_WHAT_MAX 400

struct state {
	size_t moment;
	bool said;   /* the command had said that it is done */
	char what[STATES_WHAT_MAX];
	struct image image;
};

struct states {
	const struct disk *disk;
	size_t first; /* moment */
	size_t said;  /* from this one on */
	bool few;     /* leave out the combinations */
	void (*visit)(void *ctx, const struct state *state);
	void *ctx;
	/* results: all, and those that no other was the same as, which were visited */
	size_t planned, different;
};

/* How many effects are so few that all their combinations are tried. */
#define STATES_FEW 6

void states_visit(struct states *s);

#endif

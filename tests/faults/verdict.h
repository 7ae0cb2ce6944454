/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * verdict: whether the host is whole after a kill: wholly as before or wholly as after, the
 * state file true, nothing left over, a watcher where one is due and none elsewhere, and the way
 * back open.
 */
#ifndef ROOTLATCH_TESTS_VERDICT_H
#define ROOTLATCH_TESTS_VERDICT_H

#include <stdbool.h>
#include <sys/types.h>

#include "claims.h"
#include "image.h"

/* The host as a run without a kill finds it, or leaves it. */
struct verdict_host {
	struct image image;
	struct claims claims;
	char status[CLAIMS_STATUS_MAX]; /* what `status` says of root-login */
	bool open; /* sshd would let root in */
};

struct verdict_terms {
	char *tool; /* the program under test */
	int output_fd;
	char headline[64]; /* how what is said of the command's success begins */
	struct image pristine; /* before anything was ever done */
	struct verdict_host before, after;
	bool services; /* they are the matter, and no login */
	bool overdue; /* before is what a boot made of an opening */
	bool emptied; /* and its watcher went with it */
	bool cut;     /* so it is with both hosts: the power was cut */
	unsigned mounts;
	unsigned patience_s; /* with a watcher that should end */
	pid_t daemon;        /* 0: none runs */
};

struct verdict {
	const struct verdict_host *host; /* which of the two the host is */
	bool tidied_later;
	char why[1600];
};

void verdict_look(const struct verdict_terms *terms, struct verdict_host *ret);

/* Each: true when all is well, else ret->why says what is not. */
/* Before anybody recovers: each file of sshd's by itself is the old one or the new one. */
bool verdict_untorn(const struct verdict_terms *terms, struct verdict *ret);
bool verdict_whole(const struct verdict_terms *terms, struct verdict *ret);
/* What a command says by its exit status is so. */
bool verdict_said(const struct verdict_terms *terms, int status, struct verdict *ret);
/* The same before anybody recovers: success has left the new targets and their state, and an error
 * the old ones; of status 4 nothing is asked. */
bool verdict_kept(const struct verdict_terms *terms, int status, struct verdict *ret);
/* For a close that said it could not tidy up (exit status 4): it is one all the same, and a later
 * reap makes up for that. */
bool verdict_left_over(const struct verdict_terms *terms, struct verdict *ret);
/* Asks sshd or the tool's `check` too, and goes back to the pristine host. */
bool verdict_way_back(const struct verdict_terms *terms, struct verdict *ret);

/* Of an image: a file that an opening may change, or make; and two of them, whatever IDs they have. */
bool verdict_is_target(const struct image_entry *e);
bool verdict_same_but_ids(const struct image_entry *a, const struct image_entry *b);
/* How many have this name, whatever ID is in it. */
unsigned verdict_count_alike(const struct image *image, const char *path);

/* Runs `tool words`; the words are split at blanks. True when it exits 0. */
bool verdict_tool(const struct verdict_terms *terms, const char *words,
		  struct verdict *ret);

#endif

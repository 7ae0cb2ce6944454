/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * order: the calls of one run that nothing interrupts, held against the rules that a power loss would
 * otherwise have to be lucky to find broken. Of the folders that outlive a boot:
 *
 *	a file is fsynced before it is renamed, and never made but with O_EXCL
 *	what sshd reads is renamed, never written, nor given its owner or mode where it lies
 *	before the first of that: journal and snapshot, with the folders they are in, are fsynced
 *	before the state is renamed: the folders of what it says
 *	before anything is said, and at the end: everything is
 */
#ifndef ROOTLATCH_TESTS_ORDER_H
#define ROOTLATCH_TESTS_ORDER_H

#include <limits.h>
#include <stdbool.h>

#include "trace.h"

#define ORDER_MARKS 128

/* A file or folder that was changed, and not fsynced since. */
struct order {
	const char *name; /* for messages */
	char marks[ORDER_MARKS][PATH_MAX];
	unsigned n_marks;
	unsigned calls, syncs, wrong;
};

/* For trace_hooks: each call of process 0. */
void order_see(void *order, const struct trace_call *call);
/* Behind the last. */
void order_end(struct order *o);

#endif

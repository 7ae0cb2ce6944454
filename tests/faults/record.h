/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * record: runs a command and its children call by call, and tells a disk (disk.h) what each of them
 * did to the folders that outlive a power loss.
 */
#ifndef ROOTLATCH_TESTS_RECORD_H
#define ROOTLATCH_TESTS_RECORD_H

#include "disk.h"
#include "trace.h"

/* A call that had effects, or made some durable. */
struct record_call {
	unsigned process, index;
	int number;
	size_t moment; /* behind it */
};

struct record {
	struct disk *disk;
	const char *const *roots; /* that outlive a power loss */
	struct record_call *calls;
	size_t n_calls;
	/* from this moment on the command has said on its standard output that it is done */
	size_t said;
};

/* `disk` is as the roots are. Calls and `said` are of this run; its exit status goes to ret_status. */
void record_run(struct record *r, char *const *argv, int output_fd, int *ret_status);
void record_release(struct record *r);

#endif

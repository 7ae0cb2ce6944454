/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * options: what a sweep was asked for.
 */
#ifndef ROOTLATCH_TESTS_OPTIONS_H
#define ROOTLATCH_TESTS_OPTIONS_H

#include <stdbool.h>

#include "trace.h"

#define WORKERS_MAX 16
#define AFTER_MAX 4

/* What a boot took away before the host is as PROGRAM finds it. */
enum options_boot {
	BOOT_NONE,
	BOOT_TOKEN, /* what tells it from the last one */
	BOOT_RUN,   /* all of /run/rootlatch, and the watchers */
};

struct options {
	const char *name;
	const char *after[AFTER_MAX + 1]; /* words, NULL behind the last: what is done before the
					   * host is as PROGRAM finds it */
	enum options_boot boot;
	const char *services; /* a shell command that makes them: services are the matter */
	bool list, daemon, cron, line_1, own, watcher, changes, recovered, order, process,
		all, verbose;
	unsigned kinds; /* calls fail, with these (inject.h), and nothing is killed; one bit each */
	unsigned stride, processes, way_back, workers, failures, enough, from, patience_s;
	struct trace_point at; /* one point alone, when at.call != 0 */
	unsigned recover_at;
	char **argv;
};

/* Exits when they make no sense. */
void options_parse(int argc, char **argv, struct options *ret);

#endif

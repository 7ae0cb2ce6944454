/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ROOTLATCH_TESTS_UNIT_TEST_RESTORE_H
#define ROOTLATCH_TESTS_UNIT_TEST_RESTORE_H

#include <string.h>
#include <unistd.h>

#include "fault_host.h"
#include "host/process.h"

static const char *const shells[] = { "/bin/dash", "/bin/busybox" };

/* argv of a shell with those arguments behind it; NULL when there is no such shell. */
static inline char **shell(size_t n, const char *one, const char *two)
{
	static char *argv[6];
	size_t len = 0;

	if (access(shells[n], X_OK) < 0)
		return NULL;
	argv[len++] = (char *)shells[n];
	if (strstr(shells[n], "busybox") != NULL)
		argv[len++] = (char *)"sh";
	argv[len++] = (char *)one;
	argv[len++] = (char *)two;
	argv[len] = NULL;
	return argv;
}

static inline struct host_outcome run(char **argv)
{
	struct host live = HOST_INIT;
	struct host_outcome o = HOST_OUTCOME_INIT;
	const struct host_command cmd = { .argv = argv };
	struct error err = ERROR_INIT;

	box_ok(host_init(&live, "/", NULL, NULL, &err));
	box_ok(host_run(&live, &cmd, &o, &err));
	host_release(&live);
	return o;
}

#endif

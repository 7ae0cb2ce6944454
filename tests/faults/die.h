/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * die: the harness itself is broken, which no verdict can be drawn from.
 */
#ifndef ROOTLATCH_TESTS_DIE_H
#define ROOTLATCH_TESTS_DIE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_SKIPPED 77
#define EXIT_BROKEN 99

/* Says where, as comments of TAP; errno may be about something older. */
#define die(...) die_with(EXIT_BROKEN, __VA_ARGS__)
#define skip(...) die_with(EXIT_SKIPPED, __VA_ARGS__)

#define die_with(code, ...)                                                     \
	do {                                                                    \
		int die_errno_ = errno;                                         \
		dprintf(STDOUT_FILENO, "# %s:%d: ", __FILE__, __LINE__);        \
		dprintf(STDOUT_FILENO, __VA_ARGS__);                            \
		dprintf(STDOUT_FILENO, " (errno: %s)\n", strerror(die_errno_)); \
		_exit(code);                                                    \
	} while (0)

#endif

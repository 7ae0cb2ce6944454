/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * seeded: bugs that are built in on purpose, so that a harness which finds nothing means something.
 *
 * SEEDED("name") is the constant false, and nothing of it is in the program, but for the one that the
 * tests build for themselves (tests/faults/seeded.t). That has all of them; which one it shows is in
 * the name by which it is called, rootlatch-NAME.
 */
#ifndef ROOTLATCH_BASE_SEEDED_H
#define ROOTLATCH_BASE_SEEDED_H

#include <stdbool.h>

#ifdef ROOTLATCH_SEEDED_BUGS

#include <errno.h>
#include <string.h>

#define SEEDED_MARK "seeded:"

static inline bool seeded_is(const char *bug)
{
	static const char prefix[] = "rootlatch-";
	const char *name = program_invocation_short_name;

	return strncmp(name, prefix, strlen(prefix)) == 0 &&
	       strcmp(name + strlen(prefix), bug + strlen(SEEDED_MARK)) == 0;
}

#define SEEDED(bug) seeded_is(SEEDED_MARK bug)
#else
#define SEEDED(bug) false
#endif

#endif

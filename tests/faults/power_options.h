/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * power_options: what `power` was asked for.
 */
#ifndef ROOTLATCH_TESTS_POWER_OPTIONS_H
#define ROOTLATCH_TESTS_POWER_OPTIONS_H

#include <stdbool.h>

#include "fixture.h"

struct power_options {
	const char *name, *after, *boot, *filesystem;
	struct fixture_terms host;
	unsigned stride, way_back, again, failures, only;
	bool list, few;
	char **argv;
};

/* Exits when they make no sense. */
void power_options_parse(int argc, char **argv, struct power_options *ret);

#endif

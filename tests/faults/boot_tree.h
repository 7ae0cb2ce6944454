/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * boot_tree: what decides at boot, folder by folder: links, scripts, .depend files and units.
 */
#ifndef ROOTLATCH_TESTS_BOOT_TREE_H
#define ROOTLATCH_TESTS_BOOT_TREE_H

#include "image.h"

/* Whether all of it is as in the reference, and nothing else is there; *ret_differs says what is not.
 * A time is compared where it is no accident of the run that left the reference: where the
 * reference has it from before that run, or from the pristine host. */
bool boot_tree_is(const struct image *now, const struct image *reference,
		  const struct image *before, const struct image *pristine, char *ret_differs,
		  size_t size);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * instant: what the host is in the very moment of the kill, before anything recovers it. Each file
 * is wholly old or wholly new, owner and mode too; nothing was changed without a journal, without the
 * snapshot, or without the lock; what is open will be closed; and what was said to be done is done.
 */
#ifndef ROOTLATCH_TESTS_INSTANT_H
#define ROOTLATCH_TESTS_INSTANT_H

#include "verdict.h"

/* True when all is well, else ret->why says what is not. `locked`: the lock was held, as far as that
 * matters. */
bool instant_whole(const struct verdict_terms *terms, bool locked, struct verdict *ret);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * race_editor: somebody else who edits sshd_config meanwhile. Each edit is one line more, put there by
 * a rename, as editors do, or appended. What was put there has to stay.
 */
#ifndef ROOTLATCH_TESTS_RACE_EDITOR_H
#define ROOTLATCH_TESTS_RACE_EDITOR_H

#include <stdbool.h>
#include <stdint.h>

struct editor;

/* Waits so long for what it wrote: a rootlatch may have to take back what it just put there. */
struct editor *editor_start(uint64_t seed, unsigned patience_s);
/* False when an edit was lost: `why` says which. */
bool editor_stop(struct editor *e, unsigned long *ret_edits, char *why, unsigned size);

#endif

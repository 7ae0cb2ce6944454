/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * restore_script: the parts that restore.sh is put together from. For this room alone.
 */
#ifndef ROOTLATCH_STORE_RESTORE_SCRIPT_H
#define ROOTLATCH_STORE_RESTORE_SCRIPT_H

#include "store/snapshot.h"

/* In single quotes. */
int restore_append_quoted(struct buffer *b, const char *s, struct error *err) _must_check_;

/* The functions check_small and undo_small, and each_small, which calls one of them for every link,
 * mode and time of the plan, last first. */
int restore_append_small(struct buffer *b, const struct plan *plan, struct error *err) _must_check_;

/* What undoes the commands of the plan, last first, each once. */
int restore_append_commands(struct buffer *b, const struct plan *plan, struct error *err)
	_must_check_;

#endif

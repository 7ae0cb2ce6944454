/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * undo: taking one toggle's edits out of the files that it edited or made. For each file:
 *
 *     as we left it, and no other edit   the old file itself comes back; one that we made goes
 *     ours alone                         goes, whatever stands in it
 *     edited by others, our lines clear  our lines are taken out, theirs stay
 *     our lines gone already             nothing to do there
 *     can't be told apart                refused, with the difference
 *
 * What is harmless (state.h) comes last: where it can't be tidied up, it stays in the record, and
 * the toggle is closed all the same.
 */
#ifndef ROOTLATCH_TOGGLE_UNDO_H
#define ROOTLATCH_TOGGLE_UNDO_H

#include "toggle/toggle.h"

/* Adds the steps to p->plan, which has its id, and takes the edits of p->toggle out of p->after, which is
 * a copy of the state. `t` is its record, or NULL: it is closed, and this is about what could
 * not be tidied up then. Without `tidy` what is harmless is left alone, and p->leftovers has
 * it. ERROR_REFUSED as above. */
int toggle_undo_files(const struct toggle_context *c, const struct state_toggle *t, bool tidy,
		      struct toggle_plan *p, struct error *err) _must_check_;

/* Forgets what was planned: for another try. */
void toggle_undo_reset(struct toggle_plan *p);

/* Whether the state has edits of a toggle: applied, or left over. */
bool toggle_has_edits(const struct state *s, const char *toggle);

void toggle_undo_free(struct toggle_undo **undo);

#endif

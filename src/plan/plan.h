/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * plan: the ordered steps from what the host is to what was asked, and what is to be tidied up
 * after them. Made without writing anything.
 */
#ifndef ROOTLATCH_PLAN_PLAN_H
#define ROOTLATCH_PLAN_PLAN_H

#include "plan/step.h"

#define PLAN_ID_LEN 8 /* hexadecimal digits; names the transaction for ever */

struct plan {
	char id[PLAN_ID_LEN + 1];
	struct step *steps;
	size_t len;
	size_t cap;
	struct strings on_commit; /* files beside the targets that are done with then */
	struct strings on_abort;
};

#define PLAN_INIT { .steps = NULL }
#define _cleanup_plan_ _cleanup_(plan_release)

void plan_release(struct plan *p);

/* A new id, different from what `taken` holds. */
int plan_new_id(char ret_id[PLAN_ID_LEN + 1], const struct strings *taken, struct error *err)
	_must_check_;

/* The hidden file beside `path` that belongs to transaction `id`. Owned by the caller. Include's
 * globs skip it for its leading dot, and those for hidden *.conf files for the ~ at its end. */
char *plan_temp_path(const char *path, const char *id, struct error *err) _must_check_;

/* Takes the step's content over, also on failure, and numbers it. */
int plan_add(struct plan *p, struct step *s, struct error *err) _must_check_;
/* The same, before all that are there: what has to be in force before anything else is done. */
int plan_prepend(struct plan *p, struct step *s, struct error *err) _must_check_;

/* Whether any step changes a link, a mode or a time. */
bool plan_has_small(const struct plan *p);

/* What is tidied up is in some folder, whose time it changes: those TIMES steps of the plan that are
 * about a folder of one of the `tidied` are done once more, as applied or as reverted. */
int plan_settle_times(const struct host *h, const struct plan *p, const struct strings *tidied,
		      bool applied, struct error *err) _must_check_;

json_t *plan_to_json(const struct plan *p, struct error *err) _must_check_;
int plan_from_json(const json_t *json, struct plan *ret, struct error *err) _must_check_;

/* strings as a JSON list of text, and back. */
json_t *strings_to_json(const struct strings *s, struct error *err) _must_check_;
int strings_from_json(const json_t *array, struct strings *ret, struct error *err) _must_check_;

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * errors: the points of a sweep where calls fail, and what a command may say after one of them:
 *
 *	0	the new, and no sync that this needed has failed
 *	4	a person must look: old or new, and recover makes it whole
 *	else	the old, with a message
 *
 * EINTR and short reads and writes are nobody's business: 0.
 */
#ifndef ROOTLATCH_TESTS_ERRORS_H
#define ROOTLATCH_TESTS_ERRORS_H

#include <stdbool.h>

#include "trace.h"
#include "verdict.h"

#define ERRORS_POINTS_MAX 65536

struct errors {
	unsigned n_points;
	struct trace_point points[ERRORS_POINTS_MAX];
};

/* Adds those of `calls`, a recorded run of this process, which make sense and that `shortest`, by
 * number, says are in every run. */
void errors_plan(unsigned process, const struct trace_calls *calls,
		 const unsigned shortest[TRACE_NUMBERS], unsigned kinds, struct errors *e);
/* Every stride-th of them, and the first of each call and kind. */
void errors_thin(struct errors *e, unsigned stride);

/* Before anybody recovers. False: v->why says what was said wrongly. */
bool errors_are_honest(const struct verdict_terms *terms, const struct trace_point *point,
		       const struct trace_outcome *o, struct verdict *v);
/* And it has warned that it is no more than that: what the host is after `recover` is not to be
 * compared. */
bool errors_are_by_meaning(const struct verdict_terms *terms);
/* Once it was recovered: what a close that said 4 left behind is tidied up by the next reap. */
bool errors_are_tidied(const struct verdict_terms *terms, const struct trace_outcome *o,
		       struct verdict *v);
/* And v->host is known. */
bool errors_fit(const struct verdict_terms *terms, const struct trace_outcome *o,
		struct verdict *v);

#endif

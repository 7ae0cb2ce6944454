/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "errors.h"

#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "die.h"
#include "fixture.h"

/* ---- The points */

void errors_plan(unsigned process, const struct trace_calls *calls,
		 const unsigned shortest[TRACE_NUMBERS], unsigned kinds, struct errors *e)
{
	for (size_t i = 0; i < calls->count; i++) {
		const struct trace_entry *c = &calls->items[i];

		if (c->nth == 0 || c->nth > shortest[c->number])
			continue;
		for (enum inject_kind kind = 0; kind < INJECT_KINDS; kind++) {
			if ((c->kinds & kinds & 1u << kind) == 0)
				continue;
			if (e->n_points == ERRORS_POINTS_MAX)
				die("more than %d points", ERRORS_POINTS_MAX);
			e->points[e->n_points++] =
				(struct trace_point){ .process = process,
						      .call = c->nth,
						      .mode = TRACE_ERROR,
						      .number = c->number,
						      .kind = kind };
		}
	}
}

void errors_thin(struct errors *e, unsigned stride)
{
	static bool seen[TRACE_NUMBERS][INJECT_KINDS];
	unsigned kept = 0;

	for (unsigned i = 0; i < e->n_points; i++) {
		const struct trace_point p = e->points[i];

		if (i % stride == stride - 1 || !seen[p.number][p.kind])
			e->points[kept++] = p;
		seen[p.number][p.kind] = true;
	}
	e->n_points = kept;
}

/* ---- What is said */

static bool __attribute__((format(printf, 2, 3)))
wrong(struct verdict *v, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(v->why, sizeof(v->why), format, args);
	va_end(args);
	return false;
}

/* The output itself may be what could not be written. */
static bool explains_itself(const struct verdict_terms *terms, const struct trace_point *point,
			    int status, struct verdict *v)
{
	char text[4000];

	if (point->number == SYS_write || status == 0)
		return true;
	claims_read_output(terms->output_fd, text, sizeof(text));
	if (text[0] == '\0')
		return wrong(v, "it exits %d, and says nothing", status);
	if (status == 4 && strstr(text, "a person must look") == NULL &&
	    strstr(text, "it is DONE") == NULL && strstr(text, "could not be tidied up") == NULL)
		return wrong(v, "it exits 4, and does not say why: %.300s", text);
	return true;
}

/* What stdio writes and libaugeas reads is lost to a signal, where one has a handler: nothing here
 * has. And what was written to a pipe at once is read at once. */
static bool is_harmless(const struct trace_point *point, const struct trace_outcome *o)
{
	if (strncmp(o->about, "pipe:", strlen("pipe:")) == 0 && point->kind != INJECT_EINTR)
		return false;
	if (strstr(o->about, ".aug") != NULL || strstr(o->about, "memfd:output") != NULL)
		return false;
	return inject_is_harmless(point->kind);
}

bool errors_are_honest(const struct verdict_terms *terms, const struct trace_point *point,
		       const struct trace_outcome *o, struct verdict *v)
{
	bool own = point->process == 0 && !o->loading;
	char text[400];
	int status;

	if (o->hung)
		return wrong(v, "hangs");
	/* ld.so itself does not always look */
	if (WIFSIGNALED(o->status) && own)
		return wrong(v, "is killed by signal %d", WTERMSIG(o->status));
	if (WIFSIGNALED(o->status))
		return true;
	status = WEXITSTATUS(o->status);
	claims_read_output(terms->output_fd, text, sizeof(text));
	if (own && status != 0 && is_harmless(point, o))
		return wrong(v, "it exits %d: %s", status, text);
	if (own && status == 0 && inject_is_sync(point->number) && !o->committed)
		return wrong(v, "it exits 0, and a sync has failed");
	return explains_itself(terms, point, status, v) && verdict_kept(terms, status, v);
}

/* Without its image a revert can't give folders their times back. */
bool errors_are_by_meaning(const struct verdict_terms *terms)
{
	char text[4000];

	claims_read_output(terms->output_fd, text, sizeof(text));
	return terms->services && strstr(text, "undone by meaning instead") != NULL;
}

static bool is_closed(void)
{
	static const char *const state[] = { FIXTURE_STATE, NULL };
	char why[CLAIMS_WHY_MAX];
	struct claims claims;
	struct image now;
	bool closed;

	image_capture(state, &now);
	closed = claims_of_state(&now, &claims, why) && !claims.applied;
	image_release(&now);
	return closed;
}

bool errors_are_tidied(const struct verdict_terms *terms, const struct trace_outcome *o,
		       struct verdict *v)
{
	if (!WIFEXITED(o->status) || WEXITSTATUS(o->status) != 4 || terms->services ||
	    terms->after.claims.applied || !is_closed())
		return true;
	return verdict_left_over(terms, v);
}

bool errors_fit(const struct verdict_terms *terms, const struct trace_outcome *o,
		struct verdict *v)
{
	int status = WEXITSTATUS(o->status);

	return WIFSIGNALED(o->status) || status == 4 ||
	       (status == 0) == (v->host == &terms->after) ||
	       wrong(v, "it exits %d, and after recover the host is %s", status,
		     v->host == &terms->after ? "as after" : "as before");
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * api: what stands behind the handles of rootlatch.h. A result is a JSON document from the start, so
 * that what is shown to people and what scripts get are the same facts.
 */
#ifndef ROOTLATCH_API_API_H
#define ROOTLATCH_API_API_H

#include <rootlatch.h>

#include "base/json.h"
#include "deadline/closer.h"
#include "toggle/toggle.h"

struct rootlatch {
	struct host host;
	struct store store;
	char *config;
	char *root_login; /* the toggle's name */
	char *lens_dir;   /* NULL: to be looked for */
	unsigned wait_seconds;
	bool offline;
	bool yes;
	void (*event)(void *ctx, const char *text);
	void *event_ctx;
};

struct rootlatch_plan {
	struct rootlatch *r;
	struct state state; /* what it was planned on */
	struct toggle_plan *plan;
	struct toggle_context context;
	char *config;
	char *by;
	char *reason;
	char *allow;
	struct toggle_terms terms;
	int64_t until_ns;  /* 0: none, or it is kept */
	struct closer_context closers;
	bool armed;
};

struct rootlatch_result {
	json_t *doc;
	char *text;
	int status;
};

/* Copies what went wrong out of the library. Returns -1. */
int api_error(struct rootlatch_error *out, const struct error *err);

/* A document of a command: {"schema", "command", "ok", "changed", "results"}. */
struct rootlatch_result *api_result_new(const char *command, struct error *err) _must_check_;
/* Takes `one` into "results". */
int api_result_add(struct rootlatch_result *result, json_t *one, struct error *err)
	_must_check_;
/* Sets "ok", "changed" and the status, and writes the text. */
int api_result_seal(struct rootlatch_result *result, int status, bool changed,
		    struct error *err) _must_check_;

/* Of two exit statuses the one that is given over several toggles. */
int api_worse(int a, int b);

/* The entry of "results" for a toggle that a command failed on; NULL without memory. */
json_t *api_failure_json(struct rootlatch *r, const char *toggle,
			 const struct rootlatch_error *err);

json_t *api_warnings_json(const struct toggle_warnings *w, struct error *err) _must_check_;
json_t *api_time_json(int64_t ns); /* null for 0 */

/* ERROR_REFUSED for a name that is not safe (a path, control characters), ERROR_USAGE for any other
 * that is not the name of a toggle. */
int api_check_toggle(const char *toggle, struct error *err) _must_check_;
/* A newer rootlatch may have kinds that this one does not know: those are left to it. */
bool api_knows_toggle(const char *toggle);

int api_plan_new(struct rootlatch *r, const char *toggle, const char *command,
		 struct rootlatch_plan **ret, struct error *err) _must_check_;
void api_plan_cleanup(struct rootlatch_plan **plan);
int api_plan_revert(struct rootlatch *r, const char *toggle, const char *command,
		    const struct toggle_terms *how, struct rootlatch_plan **ret,
		    struct error *err) _must_check_;
int api_plan_revert_services(struct rootlatch *r, const char *const *toggles, size_t n,
			     struct rootlatch_plan **ret, struct error *err) _must_check_;
/* A plan is made without the lock. What it was refused or failed for may never have been so, when another
 * was at work: that is ERROR_BUSY. Returns -1. */
int api_plan_refused(struct rootlatch_plan *plan, struct error *err);
/* The entries of a plan of service toggles; the log's lines of one that was carried out. */
int api_services_json(const struct rootlatch_plan *plan, bool done,
		      struct rootlatch_result *result, struct error *err) _must_check_;
void api_log_services(const struct rootlatch_plan *plan);
int api_check_reason(const char *reason, struct error *err) _must_check_;
/* Adds to a plan what arms the closers of its deadline, or disarms those of the toggle as it was.
 * Once a plan. `real`: it is going to be carried out. */
int api_arm(struct rootlatch_plan *plan, bool real, struct error *err) _must_check_;
/* Carries it out; a close whose tidying fails is done without it, and `plan` is then what was done. */
int api_commit(struct rootlatch_plan *plan, size_t *ret_reloaded, struct error *err)
	_must_check_;
/* ERROR_REFUSED for a deadline that is too near or too far. */
int api_check_window(int64_t until_ns, struct error *err) _must_check_;
json_t *api_change_json(const struct rootlatch_plan *plan, bool done, size_t reloaded,
			struct error *err) _must_check_;
int api_change_status(const struct toggle_plan *p);

/* The state as it is; the context that points to it. */
int api_context(struct rootlatch *r, const struct state *state, const char *config,
		struct toggle_context *ret, struct error *err) _must_check_;

/* The log's line for something that was done. */
void api_log(struct rootlatch *r, const char *event, const struct toggle_plan *p,
	     const char *by, const char *reason);

#define API_NO_FILE "/dev/null" /* for api_diff */

/* diff -u (diff(1)) of the file at `old_path` and `new_text`, or the other way round. */
int api_diff(const struct host *h, const char *old_path, struct slice new_text,
	     const char *old_label, const char *new_label, bool reversed, struct buffer *ret,
	     struct error *err) _must_check_;

#endif

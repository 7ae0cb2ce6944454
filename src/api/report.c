/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * status and check: what the state has, and whether the host agrees. They write nothing, and wait
 * for a transaction only as long as one usually takes.
 */
#include "api/api.h"
#include "transaction/transaction.h"

static const char *state_name(const struct toggle_report *report, bool in_doubt)
{
	if (in_doubt)
		return "in-doubt";
	if (!report->applied)
		return "normal";
	return report->agrees ? "applied" : "drifted";
}

static int put_record(json_t *one, const struct state_toggle *t, struct error *err)
{
	if (json_put(one, "id", json_string(t->id), err) < 0 ||
	    json_put(one, "since", api_time_json(t->since_ns), err) < 0 ||
	    json_put(one, "until", api_time_json(t->until_ns), err) < 0 ||
	    json_put(one, "by", json_foreign(t->by), err) < 0 ||
	    json_put(one, "reason", json_text(t->reason), err) < 0 ||
	    json_put(one, "from", strings_to_json(&t->from, err), err) < 0 ||
	    json_put(one, "allow", json_string(t->allow), err) < 0 ||
	    json_put(one, "was", json_string(t->was), err) < 0)
		return -1;
	return json_put(one, "placement", json_string(t->placement), err);
}

static json_t *files_of(const struct state *s, const char *toggle, struct error *err)
{
	_cleanup_json_ json_t *files = json_array();

	for (size_t i = 0; i < s->n_files; i++)
		for (size_t k = 0; k < s->files[i].len; k++)
			if (strcmp(s->files[i].edits[k].toggle, toggle) == 0 &&
			    json_push(files, json_string(s->files[i].path), err) < 0)
				return NULL;
	return json_incref(files);
}

/* A label and a value each. */
static json_t *facts_json(const struct strings *facts, struct error *err)
{
	_cleanup_json_ json_t *array = json_array();

	for (size_t i = 0; i + 1 < facts->len; i += 2) {
		json_t *one = json_pack("{s:s, s:o}", "label", facts->items[i], "value",
					json_foreign(facts->items[i + 1]));

		if (json_push(array, one, err) < 0)
			return NULL;
	}
	return json_incref(array);
}

static int put_service(json_t *one, const char *toggle, const struct toggle_report *report,
		       struct error *err)
{
	if (toggle_service_name(toggle) == NULL)
		return 0;
	if (json_put(one, "service", json_string(toggle_service_name(toggle)), err) < 0 ||
	    json_put(one, "starts_at_boot", json_boolean(report->starts), err) < 0)
		return -1;
	return json_put(one, "facts", facts_json(&report->facts, err), err);
}

static json_t *report_json(const struct toggle_context *c, const char *toggle,
			   const struct toggle_report *report, const struct strings *closers,
			   bool overdue, bool in_doubt, struct error *err)
{
	const struct state_toggle *t = state_find_toggle(c->state, toggle);
	_cleanup_json_ json_t *one = json_pack("{s:s, s:s, s:s, s:b, s:b}", "host", "localhost",
					       "toggle", toggle, "state",
					       state_name(report, in_doubt), "changed", 0, "agrees",
					       report->agrees && !in_doubt);

	if (one == NULL || (t != NULL && put_record(one, t, err) < 0) ||
	    put_service(one, toggle, report, err) < 0 ||
	    json_put(one, "value", json_foreign(report->value), err) < 0 ||
	    json_put(one, "effective", json_foreign(report->effective), err) < 0 ||
	    json_put(one, "files", files_of(c->state, toggle, err), err) < 0 ||
	    json_put(one, "closers", strings_to_json(closers, err), err) < 0 ||
	    json_put(one, "overdue", json_boolean(overdue), err) < 0 ||
	    json_put(one, "leftovers", json_boolean(report->leftovers), err) < 0 ||
	    json_put(one, "strays", strings_to_json(&report->strays, err), err) < 0 ||
	    json_put(one, "differences", strings_to_json(&report->differences, err), err) < 0 ||
	    json_put(one, "warnings", api_warnings_json(&report->warnings, err), err) < 0)
		return NULL;
	return json_incref(one);
}

struct survey {
	struct rootlatch *r;
	struct state state;
	struct rootlatch_result *result;
	bool at_work;  /* another rootlatch is in the middle of a transaction */
	bool in_doubt; /* one was cut off */
	bool differs;
	int status;    /* of those that could not be looked at */
};

static int differs(struct toggle_report *report, const char *line, struct error *err)
{
	report->agrees = false;
	return strings_add(&report->differences, line, err);
}

/* Which closers are in force, and whether they should have been at work by now. */
static int look_at_deadline(struct survey *s, const struct state_toggle *t,
			    struct toggle_report *report, struct strings *closers,
			    bool *ret_overdue, struct error *err)
{
	_cleanup_closer_context_ struct closer_context c = CLOSER_CONTEXT_INIT;
	_cleanup_strings_ struct strings lost = STRINGS_INIT;
	struct deadline_now now;
	enum deadline_due due;

	if (closer_context_init(&c, &s->r->host, &s->r->store, err) < 0 ||
	    deadline_look(&c, t, closers, &lost, err) < 0 ||
	    deadline_now_read(&s->r->host, &now, err) < 0)
		return -1;
	for (size_t i = 0; i < lost.len; i++)
		if (differs(report, lost.items[i], err) < 0)
			return -1;
	due = deadline_is_due(t, &now);
	*ret_overdue = due != DEADLINE_NOT_DUE;
	return *ret_overdue ? differs(report, deadline_due_text(due), err) : 0;
}

static int survey_one(struct survey *s, const char *toggle, struct error *err)
{
	_cleanup_toggle_report_ struct toggle_report report = TOGGLE_REPORT_INIT;
	const struct toggle_kind *kind = toggle_kind_find(toggle);
	const struct state_toggle *t = state_find_toggle(&s->state, toggle);
	_cleanup_strings_ struct strings closers = STRINGS_INIT;
	struct toggle_context c;
	bool overdue = false;

	if (api_check_toggle(toggle, err) < 0 ||
	    api_context(s->r, &s->state, toggle_config(toggle), &c, err) < 0 ||
	    kind->read(&c, toggle, s->r->offline, &report, err) < 0 ||
	    (t != NULL && host_is_live(&s->r->host) &&
	     look_at_deadline(s, t, &report, &closers, &overdue, err) < 0))
		return -1;
	s->differs |= !report.agrees || report.strays.len > 0;
	return api_result_add(s->result, report_json(&c, toggle, &report, &closers, overdue,
						     s->in_doubt, err), err);
}

/* The record is shown, and nothing else can be said of it. */
static int survey_unknown(struct survey *s, const char *toggle, struct error *err)
{
	_cleanup_toggle_report_ struct toggle_report report = TOGGLE_REPORT_INIT;
	const struct strings closers = STRINGS_INIT;
	struct toggle_context c;

	report.applied = true;
	s->differs = true;
	if (api_context(s->r, &s->state, s->r->config, &c, err) < 0 ||
	    differs(&report, "this rootlatch does not know its kind: a newer one has switched it, and "
		    "is needed to revert it", err) < 0)
		return -1;
	return api_result_add(s->result, report_json(&c, toggle, &report, &closers, false,
						     s->in_doubt, err), err);
}

/* All that is applied; the handle's own toggle in any case. */
static int survey_all(struct survey *s, struct error *err)
{
	if (state_find_toggle(&s->state, s->r->root_login) == NULL &&
	    survey_one(s, s->r->root_login, err) < 0)
		return -1;
	for (size_t i = 0; i < s->state.n_toggles; i++) {
		const char *toggle = s->state.toggles[i].name;

		if ((api_knows_toggle(toggle) ? survey_one(s, toggle, err) :
						survey_unknown(s, toggle, err)) < 0)
			return -1;
	}
	return 0;
}

/* One that is not there is no reason not to show the others. */
static int survey_failed(struct survey *s, const char *toggle, const struct error *why,
			 struct error *err)
{
	struct rootlatch_error failure = { 0 };

	(void)api_error(&failure, why);
	s->status = api_worse(s->status, failure.code);
	return api_result_add(s->result, api_failure_json(s->r, toggle, &failure), err);
}

static int survey_these(struct survey *s, const char *const *toggles, size_t n,
			struct error *err)
{
	if (n == 1)
		return survey_one(s, toggles[0], err);
	for (size_t i = 0; i < n; i++) {
		struct error why = ERROR_INIT;

		if (survey_one(s, toggles[i], &why) < 0 && survey_failed(s, toggles[i], &why, err) < 0)
			return -1;
	}
	return 0;
}

static int survey_run(struct survey *s, const char *const *toggles, size_t n, struct error *err)
{
	int r;

	/* with the lock a journal is one that was cut off */
	s->at_work = !store_lock_shared(&s->r->store);
	s->in_doubt = !s->at_work && recovery_is_needed(&s->r->store);
	r = state_read(&s->r->store, &s->state, err);
	if (r == 0)
		r = n > 0 ? survey_these(s, toggles, n, err) : survey_all(s, err);
	store_unlock(&s->r->store);
	return r;
}

static void survey_release(struct survey *s)
{
	state_release(&s->state);
	rootlatch_result_free(s->result);
}

static int seal(struct survey *s, int status, struct rootlatch_result **ret, struct error *err)
{
	if (json_put(s->result->doc, "at_work", json_boolean(s->at_work), err) < 0 ||
	    json_put(s->result->doc, "in_doubt", json_boolean(s->in_doubt), err) < 0 ||
	    json_put(s->result->doc, "offline", json_boolean(s->r->offline), err) < 0 ||
	    api_result_seal(s->result, status, false, err) < 0)
		return -1;
	*ret = TAKE_PTR(s->result);
	return 0;
}

int rootlatch_status(struct rootlatch *r, const char *toggle, struct rootlatch_result **ret,
		     struct rootlatch_error *out)
{
	return rootlatch_status_of(r, &toggle, toggle != NULL ? 1 : 0, ret, out);
}

int rootlatch_status_of(struct rootlatch *r, const char *const *toggles, size_t n,
			struct rootlatch_result **ret, struct rootlatch_error *out)
{
	struct error err = ERROR_INIT;
	_cleanup_(survey_release) struct survey s = { .r = r,
						      .result = api_result_new("status", &err) };

	if (s.result == NULL || survey_run(&s, toggles, n, &err) < 0 ||
	    seal(&s, s.in_doubt ? ROOTLATCH_IN_DOUBT : s.status, ret, &err) < 0)
		return api_error(out, &err);
	return 0;
}

int rootlatch_check(struct rootlatch *r, struct rootlatch_result **ret,
		    struct rootlatch_error *out)
{
	struct error err = ERROR_INIT;
	_cleanup_(survey_release) struct survey s = { .r = r,
						      .result = api_result_new("check", &err) };
	int status;

	if (s.result == NULL || survey_run(&s, NULL, 0, &err) < 0)
		return api_error(out, &err);
	/* what differs in the middle of a transaction tells nothing */
	status = s.in_doubt ? ROOTLATCH_IN_DOUBT :
		 !s.differs ? ROOTLATCH_OK :
		 s.at_work  ? ROOTLATCH_BUSY :
			      ROOTLATCH_DIFFERENT;
	if (seal(&s, status, ret, &err) < 0)
		return api_error(out, &err);
	return 0;
}

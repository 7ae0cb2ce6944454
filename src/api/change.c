/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Plans, and what becomes of them.
 */
#include "api/api.h"
#include "base/path.h"
#include "base/text.h"
#include "host/clock.h"
#include "transaction/transaction.h"

#define REASON_MAX 500

void rootlatch_plan_free(struct rootlatch_plan *plan)
{
	if (plan == NULL)
		return;
	toggle_plan_free(&plan->plan);
	state_release(&plan->state);
	free(plan->config);
	free(plan->by);
	free(plan->reason);
	free(plan->allow);
	free(plan);
}

static void cleanup_plan(struct rootlatch_plan **plan)
{
	rootlatch_plan_free(*plan);
}

static int check_terms(const struct rootlatch_terms *t, struct error *err)
{
	static const char *const values[] = { "yes", "prohibit-password", "forced-commands-only" };
	bool known = t->allow == NULL;

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		known |= t->allow != NULL && strcmp(t->allow, values[i]) == 0;
	if (!known) {
		(void)error_set(err, ERROR_USAGE, "--allow takes yes, prohibit-password or "
				"forced-commands-only");
		return error_hint(err, "Nothing was changed.");
	}
	if (t->reason != NULL && (strlen(t->reason) > REASON_MAX || !text_is_plain(t->reason))) {
		(void)error_set(err, ERROR_USAGE, "--reason takes one line of UTF-8 without control "
				"characters, at most %d bytes", REASON_MAX);
		return error_hint(err, "Nothing was changed.");
	}
	if (!t->keep) {
		(void)error_set(err, ERROR_REFUSED, "an opening that ends by itself needs somebody "
				"to end it, and this version keeps no deadlines yet");
		return error_hint(err, "Nothing was changed. --keep opens until you say "
				  "`rootlatch close`.");
	}
	if (!t->in_place) {
		(void)error_set(err, ERROR_REFUSED, "this version edits the deciding line where it "
				"stands, and nothing else yet");
		return error_hint(err, "Nothing was changed. --in-place says that this is meant.");
	}
	return 0;
}

int api_check_toggle(const char *toggle, struct error *err)
{
	_cleanup_buffer_ struct buffer shown = BUFFER_INIT;

	if (toggle_kind_find(toggle) != NULL && strlen(toggle) < 4096 && text_is_plain(toggle) &&
	    path_is_clean(toggle_config(toggle)))
		return 0;
	if (text_escape(slice_of(toggle, strnlen(toggle, 80)), false, &shown, err) < 0)
		return -1;
	(void)error_set(err, ERROR_USAGE, "%s is not the name of a toggle", shown.data);
	return error_hint(err, "Nothing was changed. root-login, or root-login@/path/to/sshd_config");
}

static int new_plan(struct rootlatch *r, const char *toggle, const char *command,
		    struct rootlatch_plan **ret, struct error *err)
{
	_cleanup_(cleanup_plan) struct rootlatch_plan *plan = calloc(1, sizeof(*plan));

	if (plan == NULL)
		return error_oom(err);
	plan->r = r;
	plan->by = host_actor(err);
	plan->config = str_dup(toggle_config(toggle), err);
	if (plan->by == NULL || plan->config == NULL)
		return -1;
	if (recovery_is_needed(&r->store)) {
		(void)error_set(err, ERROR_REFUSED, "a transaction was cut off, or is at work just "
				"now");
		return error_hint(err, "Nothing was changed. `rootlatch recover` finishes or undoes "
				  "it.");
	}
	if (state_read(&r->store, &plan->state, err) < 0 ||
	    api_context(r, &plan->state, plan->config, &plan->context, err) < 0 ||
	    toggle_plan_new(toggle, command, &plan->plan, err) < 0)
		return -1;
	*ret = TAKE_PTR(plan);
	return 0;
}

static int plan_apply(struct rootlatch *r, const char *toggle, const struct rootlatch_terms *t,
		      struct rootlatch_plan **ret, struct error *err)
{
	_cleanup_(cleanup_plan) struct rootlatch_plan *plan = NULL;
	struct toggle_terms terms = { .yes = r->yes };

	if (api_check_toggle(toggle, err) < 0 || check_terms(t, err) < 0 ||
	    new_plan(r, toggle, "open", &plan, err) < 0)
		return -1;
	plan->allow = str_dup(t->allow != NULL ? t->allow : "yes", err);
	if (plan->allow == NULL ||
	    (t->reason != NULL && (plan->reason = str_dup(t->reason, err)) == NULL))
		return -1;
	terms.allow = plan->allow;
	terms.reason = plan->reason;
	terms.by = plan->by;
	if (plan->plan->kind->plan_apply(&plan->context, &terms, plan->plan, err) < 0)
		return -1;
	*ret = TAKE_PTR(plan);
	return 0;
}

int rootlatch_plan_apply(struct rootlatch *r, const char *toggle,
			 const struct rootlatch_terms *terms, struct rootlatch_plan **ret,
			 struct rootlatch_error *out)
{
	struct error err = ERROR_INIT;

	return plan_apply(r, toggle, terms, ret, &err) < 0 ? api_error(out, &err) : 0;
}

static int plan_revert(struct rootlatch *r, const char *toggle, struct rootlatch_plan **ret,
		       struct error *err)
{
	_cleanup_(cleanup_plan) struct rootlatch_plan *plan = NULL;
	struct toggle_terms terms = { .yes = r->yes };

	if (api_check_toggle(toggle, err) < 0 || new_plan(r, toggle, "close", &plan, err) < 0)
		return -1;
	terms.by = plan->by;
	if (plan->plan->kind->plan_undo(&plan->context, &terms, plan->plan, err) < 0)
		return -1;
	*ret = TAKE_PTR(plan);
	return 0;
}

int rootlatch_plan_revert(struct rootlatch *r, const char *toggle, struct rootlatch_plan **ret,
			  struct rootlatch_error *out)
{
	struct error err = ERROR_INIT;

	return plan_revert(r, toggle, ret, &err) < 0 ? api_error(out, &err) : 0;
}

static int put_id(json_t *one, const struct toggle_plan *p, struct error *err)
{
	const char *id = p->changes ? p->plan.id : p->undoes;

	return json_put(one, "id", json_text(id[0] != '\0' ? id : NULL), err);
}

/* One entry of "results". */
static json_t *change_json(const struct rootlatch_plan *plan, bool done,
			   size_t reloaded, struct error *err)
{
	const struct toggle_plan *p = plan->plan;
	_cleanup_json_ json_t *one = json_pack("{s:s, s:s, s:s, s:b, s:b, s:n}", "host",
					       "localhost", "toggle", p->toggle, "state", p->verdict,
					       "changed", done, "would_change", p->changes, "until");

	if (put_id(one, p, err) < 0 ||
	    json_put(one, "was", json_foreign(p->was), err) < 0 ||
	    json_put(one, "value", json_foreign(p->is), err) < 0 ||
	    json_put(one, "effective", json_foreign(p->effective), err) < 0 ||
	    json_put(one, "placement", json_text(p->placement), err) < 0 ||
	    json_put(one, "since", api_time_json(p->since_ns), err) < 0 ||
	    json_put(one, "undoes", json_text(p->undoes[0] != '\0' ? p->undoes : NULL), err) < 0 ||
	    json_put(one, "files", strings_to_json(&p->files, err), err) < 0 ||
	    json_put(one, "restored", strings_to_json(&p->restored, err), err) < 0 ||
	    json_put(one, "still_open", json_boolean(p->still_open), err) < 0 ||
	    json_put(one, "daemons", json_integer((json_int_t)p->daemons.len), err) < 0 ||
	    json_put(one, "reloaded", json_integer((json_int_t)reloaded), err) < 0 ||
	    json_put(one, "warnings", api_warnings_json(&p->warnings, err), err) < 0)
		return NULL;
	return json_incref(one);
}

static int change_result(const struct rootlatch_plan *plan, int status, bool done,
			 size_t reloaded, struct rootlatch_result **ret, struct error *err)
{
	struct rootlatch_result *result = api_result_new(plan->plan->command, err);

	if (result == NULL)
		return -1;
	if (api_result_add(result, change_json(plan, done, reloaded, err), err) < 0 ||
	    api_result_seal(result, status, done, err) < 0) {
		rootlatch_result_free(result);
		return -1;
	}
	*ret = result;
	return 0;
}

int rootlatch_plan_judge(struct rootlatch_plan *plan, struct rootlatch_result **ret,
			 struct rootlatch_error *out)
{
	struct error err = ERROR_INIT;

	if (plan->plan->kind->judge(&plan->context, plan->plan, &err) < 0 ||
	    change_result(plan, plan->plan->changes ? ROOTLATCH_DIFFERENT : ROOTLATCH_OK, false,
			  0, ret, &err) < 0)
		return api_error(out, &err);
	return 0;
}

int rootlatch_commit(struct rootlatch_plan *plan, struct rootlatch_result **ret,
		     struct rootlatch_error *out)
{
	const struct transaction_events events = { .step = plan->r->event,
						   .ctx = plan->r->event_ctx };
	size_t reloaded = 0;
	struct error err = ERROR_INIT;
	int r;

	r = transaction_commit(&plan->r->store, &plan->context, plan->plan, plan->r->wait_seconds,
			       &events, &reloaded, &err);
	if (r < 0)
		return api_error(out, &err);
	if (plan->plan->changes)
		api_log(plan->r, plan->plan->undoes[0] != '\0' ? "closed" : "opened", plan->plan,
			plan->by, plan->reason);
	/* it is done, but it is not what was wanted: root still gets in */
	if (change_result(plan, plan->plan->still_open ? ROOTLATCH_IN_DOUBT : ROOTLATCH_OK,
			  plan->plan->changes, reloaded, ret, &err) < 0)
		return api_error(out, &err);
	return 0;
}

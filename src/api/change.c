/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Plans, and what becomes of them.
 */
#include "api/api.h"
#include "base/address.h"
#include "base/duration.h"
#include "base/path.h"
#include "base/text.h"
#include "host/clock.h"
#include "service/boot.h"
#include "transaction/transaction.h"

#define REASON_MAX 500
#define WINDOW_LEAST_S 60

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
	strings_release(&plan->terms.from);
	closer_context_release(&plan->closers);
	free(plan);
}

void api_plan_cleanup(struct rootlatch_plan **plan)
{
	rootlatch_plan_free(*plan);
}

int api_check_window(int64_t until_ns, struct error *err)
{
	int64_t left_ns = until_ns - clock_realtime_ns();

	if (left_ns < (WINDOW_LEAST_S - 1) * NSEC_PER_SEC) {
		(void)error_set(err, ERROR_REFUSED, "%s", left_ns < 0 ? "the deadline is past" :
				"a window under 60 s is too short to be of use");
		return error_hint(err, "Nothing was changed. --for 1h is the default.");
	}
	if (left_ns / NSEC_PER_SEC > DURATION_MAX_S) {
		(void)error_set(err, ERROR_REFUSED, "the deadline is more than a year away");
		return error_hint(err, "Nothing was changed. --keep opens until you say "
				  "`rootlatch close`.");
	}
	return 0;
}

static int check_deadline(const struct rootlatch *r, const struct rootlatch_terms *t,
			  struct error *err)
{
	if (t->keep && t->until_ns != 0) {
		(void)error_set(err, ERROR_USAGE, "--keep and a deadline exclude each other");
		return error_hint(err, "Nothing was changed.");
	}
	if (t->keep)
		return 0;
	if (t->until_ns == 0) {
		(void)error_set(err, ERROR_USAGE, "an opening needs a deadline, or --keep");
		return error_hint(err, "Nothing was changed.");
	}
	if (!host_is_live(&r->host)) {
		(void)error_set(err, ERROR_REFUSED, "nothing in an image would end it");
		return error_hint(err, "Nothing was changed. --keep opens until you say "
				  "`rootlatch close`.");
	}
	return api_check_window(t->until_ns, err);
}

int api_check_reason(const char *reason, struct error *err)
{
	if (reason == NULL || (strlen(reason) <= REASON_MAX && text_is_plain(reason)))
		return 0;
	(void)error_set(err, ERROR_USAGE, "--reason takes one line of UTF-8 without control "
			"characters, at most %d bytes", REASON_MAX);
	return error_hint(err, "Nothing was changed.");
}

static int check_terms(const struct rootlatch *r, const struct rootlatch_terms *t,
		       struct error *err)
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
	if (api_check_reason(t->reason, err) < 0)
		return -1;
	return check_deadline(r, t, err);
}

int api_check_toggle(const char *toggle, struct error *err)
{
	_cleanup_buffer_ struct buffer shown = BUFFER_INIT;
	bool known = toggle_kind_find(toggle) != NULL;
	bool safe = strlen(toggle) < 4096 && text_is_plain(toggle) &&
		    (known ? path_is_clean(toggle_config(toggle)) :
			     strchr(toggle, '/') == NULL);

	if (toggle_service_name(toggle) != NULL)
		return boot_name_check(toggle_service_name(toggle), err);
	if (known && safe)
		return 0;
	if (text_escape(slice_of(toggle, strnlen(toggle, 80)), false, &shown, err) < 0)
		return -1;
	(void)error_set(err, safe ? ERROR_USAGE : ERROR_REFUSED, "%s is not the name of a toggle",
			shown.data);
	return error_hint(err, "Nothing was changed. root-login, root-login@/path/to/sshd_config, "
			  "or service/NAME");
}

bool api_knows_toggle(const char *toggle)
{
	struct error ignored = ERROR_INIT;

	return api_check_toggle(toggle, &ignored) == 0;
}

/* With the lock a journal is one that was cut off. */
static int require_no_journal(struct rootlatch *r, struct error *err)
{
	bool cut_off;

	if (!store_lock_shared(&r->store)) {
		(void)error_set(err, ERROR_BUSY, "another rootlatch is at work");
		return error_hint(err, "Nothing was changed. Run the command again; `rootlatch status` "
				  "shows what the other one did.");
	}
	cut_off = recovery_is_needed(&r->store);
	store_unlock(&r->store);
	if (!cut_off)
		return 0;
	(void)error_set(err, ERROR_REFUSED, "a transaction was cut off");
	return error_hint(err, "Nothing was changed. `rootlatch recover` finishes or undoes it.");
}

int api_plan_new(struct rootlatch *r, const char *toggle, const char *command,
		 struct rootlatch_plan **ret, struct error *err)
{
	_cleanup_(api_plan_cleanup) struct rootlatch_plan *plan = calloc(1, sizeof(*plan));

	if (plan == NULL)
		return error_oom(err);
	plan->r = r;
	plan->terms.yes = r->yes;
	plan->closers = (struct closer_context)CLOSER_CONTEXT_INIT;
	plan->by = host_actor(err);
	plan->config = str_dup(toggle_config(toggle), err);
	if (plan->by == NULL || plan->config == NULL)
		return -1;
	if (recovery_is_needed(&r->store) && require_no_journal(r, err) < 0)
		return -1;
	if (state_read(&r->store, &plan->state, err) < 0 ||
	    api_context(r, &plan->state, plan->config, &plan->context, err) < 0 ||
	    toggle_plan_new(toggle, command, &plan->plan, err) < 0)
		return -1;
	plan->terms.by = plan->by;
	*ret = TAKE_PTR(plan);
	return 0;
}

/* Whether nobody is at work, and nobody has been since the plan's state was read. */
static bool is_steady(struct rootlatch_plan *plan)
{
	struct store *store = &plan->r->store;
	struct error ignored = ERROR_INIT;
	bool current = false;

	if (!store_lock_shared(store))
		return false;
	if (recovery_is_needed(store) ||
	    state_is_current(store, &plan->state, &current, &ignored) < 0)
		current = false;
	store_unlock(store);
	return current;
}

int api_plan_refused(struct rootlatch_plan *plan, struct error *err)
{
	if ((err->code != ERROR_REFUSED && err->code != ERROR_IN_DOUBT &&
	     err->code != ERROR_FAILED) || is_steady(plan))
		return -1;
	*err = (struct error)ERROR_INIT;
	(void)error_set(err, ERROR_BUSY, "another rootlatch is changing this host in this moment");
	return error_hint(err, "Nothing was changed. Run the command again.");
}

/* rootlatch_plan_services switches those. */
static int refuse_service(const char *toggle, struct error *err)
{
	(void)error_set(err, ERROR_USAGE, "%s is not opened, but switched on or off", toggle);
	return error_hint(err, "Nothing was changed.");
}

static int plan_apply(struct rootlatch *r, const char *toggle, const struct rootlatch_terms *t,
		      struct rootlatch_plan **ret, struct error *err)
{
	_cleanup_(api_plan_cleanup) struct rootlatch_plan *plan = NULL;

	if (api_check_toggle(toggle, err) < 0)
		return -1;
	if (toggle_service_name(toggle) != NULL)
		return refuse_service(toggle, err);
	if (check_terms(r, t, err) < 0 || api_plan_new(r, toggle, "open", &plan, err) < 0)
		return -1;
	plan->allow = str_dup(t->allow != NULL ? t->allow : "yes", err);
	if (plan->allow == NULL ||
	    (t->reason != NULL && (plan->reason = str_dup(t->reason, err)) == NULL) ||
	    (t->from != NULL && address_list_parse(t->from, &plan->terms.from, err) < 0))
		return -1;
	plan->until_ns = t->until_ns;
	plan->terms.allow = plan->allow;
	plan->terms.reason = plan->reason;
	plan->terms.keep = t->keep;
	plan->terms.replace = t->replace;
	plan->terms.placement = (enum toggle_placement)t->placement;
	if (plan->plan->kind->plan_apply(&plan->context, &plan->terms, plan->plan, err) < 0)
		return api_plan_refused(plan, err);
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

int api_plan_revert(struct rootlatch *r, const char *toggle, const char *command,
		    const struct toggle_terms *how, struct rootlatch_plan **ret,
		    struct error *err)
{
	_cleanup_(api_plan_cleanup) struct rootlatch_plan *plan = NULL;

	if (api_plan_new(r, toggle, command, &plan, err) < 0)
		return -1;
	plan->terms.leave_harmless = how->leave_harmless;
	plan->terms.force = how->force;
	if (plan->plan->kind->plan_undo(&plan->context, &plan->terms, plan->plan, err) < 0)
		return api_plan_refused(plan, err);
	*ret = TAKE_PTR(plan);
	return 0;
}

static int plan_revert(struct rootlatch *r, const char *toggle, struct rootlatch_plan **ret,
		       struct error *err)
{
	const struct toggle_terms how = { .force = false };

	if (api_check_toggle(toggle, err) < 0)
		return -1;
	if (toggle_service_name(toggle) != NULL)
		return api_plan_revert_services(r, &toggle, 1, ret, err);
	return api_plan_revert(r, toggle, "close", &how, ret, err);
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

static json_t *closers_json(const struct toggle_plan *p, struct error *err)
{
	const struct state_toggle *t = state_find_toggle(&p->after, p->toggle);

	_cleanup_json_ json_t *names = t != NULL ? strings_to_json(&t->closers, err) : json_array();

	if (names == NULL || (t != NULL && strcmp(t->placement, "runtime") == 0 &&
			      json_push(names, json_string("reboot"), err) < 0))
		return NULL;
	return json_incref(names);
}

/* One entry of "results". */
json_t *api_change_json(const struct rootlatch_plan *plan, bool done, size_t reloaded,
			struct error *err)
{
	const struct toggle_plan *p = plan->plan;
	_cleanup_json_ json_t *one = json_pack("{s:s, s:s, s:s, s:b, s:b}", "host",
					       "localhost", "toggle", p->toggle, "state", p->verdict,
					       "changed", done, "would_change", p->changes);

	if (put_id(one, p, err) < 0 ||
	    json_put(one, "was", json_foreign(p->was), err) < 0 ||
	    json_put(one, "value", json_foreign(p->is), err) < 0 ||
	    json_put(one, "effective", json_foreign(p->effective), err) < 0 ||
	    json_put(one, "placement", json_text(p->placement), err) < 0 ||
	    json_put(one, "since", api_time_json(p->since_ns), err) < 0 ||
	    json_put(one, "until", api_time_json(p->until_ns), err) < 0 ||
	    json_put(one, "from", strings_to_json(&p->from, err), err) < 0 ||
	    json_put(one, "closers", closers_json(p, err), err) < 0 ||
	    json_put(one, "undoes", json_text(p->undoes[0] != '\0' ? p->undoes : NULL), err) < 0 ||
	    json_put(one, "files", strings_to_json(&p->files, err), err) < 0 ||
	    json_put(one, "restored", strings_to_json(&p->restored, err), err) < 0 ||
	    json_put(one, "removed", strings_to_json(&p->removed, err), err) < 0 ||
	    json_put(one, "leftovers", strings_to_json(&p->leftovers, err), err) < 0 ||
	    json_put(one, "still_open", json_boolean(p->still_open), err) < 0 ||
	    json_put(one, "daemons", json_integer((json_int_t)p->daemons.len), err) < 0 ||
	    json_put(one, "sshd", json_text(sshd_daemons_presence(&p->daemons)), err) < 0 ||
	    json_put(one, "reloaded", json_integer((json_int_t)reloaded), err) < 0 ||
	    json_put(one, "warnings", api_warnings_json(&p->warnings, err), err) < 0)
		return NULL;
	return json_incref(one);
}

static int add_changes(const struct rootlatch_plan *plan, bool done, size_t reloaded,
		       struct rootlatch_result *result, struct error *err)
{
	if (plan->plan->toggles.len > 0)
		return api_services_json(plan, done, result, err);
	return api_result_add(result, api_change_json(plan, done, reloaded, err), err);
}

static int change_result(const struct rootlatch_plan *plan, int status, bool done,
			 size_t reloaded, struct rootlatch_result **ret, struct error *err)
{
	struct rootlatch_result *result = api_result_new(plan->plan->command, err);

	if (result == NULL)
		return -1;
	if (add_changes(plan, done, reloaded, result, err) < 0 ||
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

	if (api_arm(plan, false, &err) < 0 ||
	    plan->plan->kind->judge(&plan->context, plan->plan, &err) < 0 ||
	    change_result(plan, plan->plan->changes ? ROOTLATCH_DIFFERENT : ROOTLATCH_OK, false,
			  0, ret, &err) < 0)
		return api_error(out, &err);
	return 0;
}

static const char *event_of(const struct toggle_plan *p)
{
	if (p->closing)
		return "closed";
	if (strcmp(p->command, "extend") == 0)
		return "extended";
	return p->undoes[0] != '\0' ? "replaced" : "opened";
}

static int commit(struct rootlatch_plan *plan, size_t *ret_reloaded, struct error *err)
{
	const struct transaction_events events = { .step = plan->r->event,
						   .ctx = plan->r->event_ctx };

	if (api_arm(plan, true, err) < 0)
		return -1;
	if (transaction_commit(&plan->r->store, &plan->context, plan->plan, plan->r->wait_seconds,
			       &events, ret_reloaded, err) < 0)
		return -1;
	if (plan->plan->changes && plan->plan->toggles.len > 0)
		api_log_services(plan);
	else if (plan->plan->changes)
		api_log(plan->r, event_of(plan->plan), plan->plan, plan->by, plan->reason);
	return 0;
}

/* Closed beats tidy: when it was the tidying that failed, it is closed without. */
static int close_untidily(const struct rootlatch_plan *first, struct rootlatch_plan **ret,
			  size_t *ret_reloaded)
{
	const struct toggle_terms how = { .leave_harmless = true, .force = first->terms.force };
	_cleanup_(api_plan_cleanup) struct rootlatch_plan *plan = NULL;
	struct error err = ERROR_INIT;

	if (api_plan_revert(first->r, first->plan->toggle, first->plan->command, &how, &plan,
			    &err) < 0 ||
	    plan->plan->leftovers.len == 0 || commit(plan, ret_reloaded, &err) < 0)
		return -1;
	*ret = TAKE_PTR(plan);
	return 0;
}

/* What was planned before is freed with the other one. */
static void take_place(struct rootlatch_plan *plan, struct rootlatch_plan *other)
{
	struct rootlatch_plan mine = *plan;

	*plan = *other;
	*other = mine;
	plan->context.state = &plan->state;
	other->context.state = &other->state;
}

int api_commit(struct rootlatch_plan *plan, size_t *ret_reloaded, struct error *err)
{
	_cleanup_(api_plan_cleanup) struct rootlatch_plan *untidy = NULL;

	if (commit(plan, ret_reloaded, err) == 0)
		return 0;
	if (err->code != ERROR_FAILED || !plan->plan->closing ||
	    close_untidily(plan, &untidy, ret_reloaded) < 0)
		return -1;
	take_place(plan, untidy);
	if (toggle_warn(&plan->plan->warnings, err, "it opens nothing by itself; `rootlatch close` "
			"tries again", "what was left behind could not be tidied up: %s",
			err->message) < 0)
		return -1;
	*err = (struct error)ERROR_INIT;
	return 0;
}

/* It is done, but a person must look: root still gets in, or files of ours are left. */
int api_change_status(const struct toggle_plan *p)
{
	return p->still_open || p->leftovers.len > 0 ? ROOTLATCH_IN_DOUBT : ROOTLATCH_OK;
}

int rootlatch_commit(struct rootlatch_plan *plan, struct rootlatch_result **ret,
		     struct rootlatch_error *out)
{
	struct error err = ERROR_INIT;
	size_t reloaded = 0;

	if (api_commit(plan, &reloaded, &err) < 0 ||
	    change_result(plan, api_change_status(plan->plan), plan->plan->changes, reloaded, ret,
			  &err) < 0)
		return api_error(out, &err);
	return 0;
}

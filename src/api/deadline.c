/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Deadlines: armed before anything is opened, moved, and what is past them reverted.
 */
#include "api/api.h"
#include "base/when.h"
#include "deadline/watch.h"
#include "host/clock.h"

/* Bound to this boot: it has a deadline, or it is written where a reboot wipes it out. */
static bool is_bound(const struct rootlatch_plan *plan, const struct state_toggle *t)
{
	return plan->until_ns != 0 || strcmp(t->placement, "runtime") == 0;
}

/* What is missing stands in the hint, a line each: together they are wider than a terminal. */
static int warn_of_missing(struct rootlatch_plan *plan, const struct state_toggle *t,
			   const struct strings *missing, struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT, hint = BUFFER_INIT;

	if (missing->len == 0)
		return 0;
	if (buffer_append_str(&text, "nothing closes it by itself but ", err) < 0)
		return -1;
	for (size_t i = 0; i < t->closers.len; i++)
		if (buffer_printf(&text, err, "%s%s", i > 0 ? ", " : "the ", t->closers.items[i]) < 0)
			return -1;
	if (strcmp(t->placement, "runtime") == 0 &&
	    buffer_append_str(&text, " and a reboot", err) < 0)
		return -1;
	for (size_t i = 0; i < missing->len; i++)
		if (buffer_printf(&hint, err, "%s%s", i > 0 ? "\n" : "", missing->items[i]) < 0)
			return -1;
	return toggle_warn(&plan->plan->warnings, err, hint.data, "%s", text.data);
}

static int arm(struct rootlatch_plan *plan, bool real, struct error *err)
{
	struct toggle_plan *p = plan->plan;
	struct state_toggle *t = state_find_toggle(&p->after, p->toggle);
	const struct state_toggle *was = state_find_toggle(plan->context.state, p->toggle);
	_cleanup_strings_ struct strings missing = STRINGS_INIT;

	if (!is_bound(plan, t))
		return 0;
	if (deadline_set(t, plan->context.host, plan->until_ns, real, err) < 0)
		return -1;
	p->until_ns = t->until_ns;
	if (plan->until_ns == 0)
		return 0;
	if ((was != NULL && was->until_ns != 0 ?
		     deadline_rearm(&plan->closers, was, &p->plan, &p->after, &missing, err) :
		     deadline_arm(&plan->closers, p->toggle, &p->plan, &p->after, &missing, err)) < 0)
		return -1;
	return warn_of_missing(plan, t, &missing, err);
}

static int disarm(struct rootlatch_plan *plan, struct error *err)
{
	struct toggle_plan *p = plan->plan;
	const struct state_toggle *was = state_find_toggle(plan->context.state, p->toggle);
	_cleanup_strings_ struct strings left = STRINGS_INIT;

	if (deadline_disarm(&plan->closers, was, &p->plan, &p->after, &left, err) < 0)
		return -1;
	for (size_t i = 0; i < left.len; i++)
		if (toggle_warn(&p->warnings, err, "it runs `rootlatch reap`, which does nothing now; "
				"`rootlatch close` tries again", "%s could not be taken away",
				left.items[i]) < 0)
			return -1;
	return strings_copy(&left, &p->leftovers, err);
}

int api_arm(struct rootlatch_plan *plan, bool real, struct error *err)
{
	struct toggle_plan *p = plan->plan;
	const struct state_toggle *is = state_find_toggle(&p->after, p->toggle);

	if (!p->changes || plan->armed || !host_is_live(plan->context.host) || p->toggles.len > 0)
		return 0; /* a service has no deadline */
	plan->armed = true;
	if (closer_context_init(&plan->closers, plan->context.host, plan->context.store, err) < 0)
		return -1;
	if (is != NULL && is_bound(plan, is))
		return arm(plan, real, err);
	/* closed, or replaced by one that is kept */
	return disarm(plan, err);
}

/* ---- extend */

static int refuse_extend(const char *toggle, const char *what, const char *hint, struct error *err)
{
	(void)error_set(err, ERROR_REFUSED, "%s %s", toggle, what);
	return error_hint(err, "Nothing was changed. %s", hint);
}

static int check_extend(const struct rootlatch *r, const char *toggle, const struct state_toggle *t,
			int64_t until_ns, struct error *err)
{
	char until[WHEN_MAX];

	if (t == NULL)
		return refuse_extend(toggle, "is not open", "rootlatch open --for ...", err);
	if (t->until_ns == 0 && t->service != NULL)
		return refuse_extend(toggle, "has no deadline to move",
				     "`rootlatch revert` ends it.", err);
	if (t->until_ns == 0)
		return refuse_extend(toggle, "has no deadline to move",
				     "rootlatch open --replace --for ... gives it one.", err);
	if (until_ns >= t->until_ns || r->yes)
		return 0;
	when_format_local(t->until_ns, clock_realtime_ns(), until);
	(void)error_set(err, ERROR_REFUSED, "%s is open until %s, which is later", toggle, until);
	return error_hint(err, "Nothing was changed. --for counts from now. --yes shortens it.");
}

/* For a transaction that does not concern sshd. */
static void fill_snapshot(struct rootlatch_plan *plan)
{
	plan->plan->snapshot = (struct snapshot_info){
		.command = plan->plan->command,
		.toggle = plan->plan->toggle,
		.by = plan->by,
		.config = plan->plan->config,
		.sshd = SSHD_BINARY_DEFAULT,
		.pid_file = SSHD_PID_FILE_DEFAULT,
	};
}

static int plan_extend(struct rootlatch *r, const char *toggle, int64_t until_ns,
		       struct rootlatch_plan **ret, struct error *err)
{
	_cleanup_(api_plan_cleanup) struct rootlatch_plan *plan = NULL;
	_cleanup_strings_ struct strings taken = STRINGS_INIT;
	const struct state_toggle *t;
	struct toggle_plan *p;

	if (api_check_toggle(toggle, err) < 0 || api_check_window(until_ns, err) < 0 ||
	    api_plan_new(r, toggle, "extend", &plan, err) < 0)
		return -1;
	p = plan->plan;
	t = state_find_toggle(&plan->state, toggle);
	if (check_extend(r, toggle, t, until_ns, err) < 0 ||
	    state_ids(&plan->state, &taken, err) < 0 || plan_new_id(p->plan.id, &taken, err) < 0 ||
	    state_copy(&plan->state, &p->after, err) < 0)
		return -1;
	plan->until_ns = until_ns;
	p->changes = true;
	p->reloads = false;
	p->verdict = "applied";
	p->since_ns = t->since_ns;
	p->was = str_dup(t->was, err);
	p->is = str_dup(t->is, err);
	p->placement = str_dup(t->placement, err);
	fill_snapshot(plan);
	p->after.generation++;
	if (p->was == NULL || p->is == NULL || p->placement == NULL ||
	    strings_copy(&t->from, &p->from, err) < 0 ||
	    state_add_event(&p->after, p->plan.id, p->command, toggle, NULL, clock_realtime_ns(),
			    err) < 0)
		return -1;
	*ret = TAKE_PTR(plan);
	return 0;
}

int rootlatch_plan_extend(struct rootlatch *r, const char *toggle, int64_t until_ns,
			  struct rootlatch_plan **ret, struct rootlatch_error *out)
{
	struct error err = ERROR_INIT;

	return plan_extend(r, toggle, until_ns, ret, &err) < 0 ? api_error(out, &err) : 0;
}

/* ---- reap */

struct reaping {
	struct rootlatch *r;
	struct rootlatch_result *result;
	struct strings due;  /* toggles that are past their deadline, or left something behind */
	const char *spare;   /* NULL, or one that is left to its own command */
	bool closers_left;   /* files of closers that nobody needs */
	int status;
	bool changed;
};

static void reaping_release(struct reaping *k)
{
	rootlatch_result_free(k->result);
	strings_release(&k->due);
}

static int find_due(struct reaping *k, struct error *err)
{
	_cleanup_state_ struct state s = STATE_INIT;
	struct deadline_now now;

	if (!host_is_live(&k->r->host))
		return 0;
	if (state_read(&k->r->store, &s, err) < 0 ||
	    deadline_now_read(&k->r->host, &now, err) < 0)
		return -1;
	k->closers_left = deadline_has_leftovers(&s);
	for (size_t i = 0; i < s.n_toggles; i++)
		if (api_knows_toggle(s.toggles[i].name) &&
		    deadline_is_due(&s.toggles[i], &now) != DEADLINE_NOT_DUE &&
		    strings_add(&k->due, s.toggles[i].name, err) < 0)
			return -1;
	for (size_t i = 0; i < s.n_files; i++)
		for (size_t n = 0; n < s.files[i].len; n++) {
			const char *toggle = s.files[i].edits[n].toggle;

			if (api_knows_toggle(toggle) &&
			    state_find_toggle(&s, toggle) == NULL &&
			    !strings_contain(&k->due, toggle) &&
			    strings_add(&k->due, toggle, err) < 0)
				return -1;
		}
	return 0;
}

static int note_failure(struct reaping *k, const char *toggle, const struct error *why,
			struct error *err)
{
	struct rootlatch_error failure = { 0 };

	(void)api_error(&failure, why);
	rootlatch_log_failure(k->r, "reap", toggle, &failure);
	k->status = api_worse(k->status, failure.code);
	return api_result_add(k->result, api_failure_json(k->r, toggle, &failure), err);
}

/* Another one was quicker: where cron and a watcher are on time, one of them always is. */
static bool is_done(const struct reaping *k, const char *toggle, const struct error *why)
{
	struct reaping again = { .r = k->r };
	struct error ignored = ERROR_INIT;
	bool done = (why->code == ERROR_BUSY || why->code == ERROR_REFUSED) &&
		    find_due(&again, &ignored) == 0 && !strings_contain(&again.due, toggle);

	reaping_release(&again);
	return done;
}

/* It is closed, and what it left behind still waits for a person: that was said when it was closed, and
 * status and check go on saying it. */
static bool is_old_news(struct rootlatch *r, const char *toggle, const struct error *why)
{
	_cleanup_state_ struct state s = STATE_INIT;
	struct error ignored = ERROR_INIT;

	return why->code == ERROR_REFUSED && state_read(&r->store, &s, &ignored) == 0 &&
	       state_find_toggle(&s, toggle) == NULL;
}

static int reap_one(struct reaping *k, const char *toggle, struct error *err)
{
	_cleanup_(api_plan_cleanup) struct rootlatch_plan *plan = NULL;
	const struct toggle_terms how = { .force = true };
	struct error why = ERROR_INIT;
	size_t reloaded = 0;

	if (api_plan_revert(k->r, toggle, "reap", &how, &plan, &why) < 0 ||
	    api_commit(plan, &reloaded, &why) < 0)
		return is_done(k, toggle, &why) || is_old_news(k->r, toggle, &why) ?
			       0 : note_failure(k, toggle, &why, err);
	if (!plan->plan->changes)
		return 0;
	k->changed = true;
	k->status = api_worse(k->status, api_change_status(plan->plan));
	return api_result_add(k->result, api_change_json(plan, true, reloaded, err), err);
}

/* A transaction about nothing else. Nothing comes of it while the file still can't be taken away. */
static int tidy_closers(struct reaping *k, struct error *err)
{
	_cleanup_(api_plan_cleanup) struct rootlatch_plan *plan = NULL;
	_cleanup_strings_ struct strings taken = STRINGS_INIT;
	struct toggle_plan *p;
	size_t reloaded = 0;

	if (api_plan_new(k->r, k->r->root_login, "reap", &plan, err) < 0)
		return -1;
	p = plan->plan;
	if (state_ids(&plan->state, &taken, err) < 0 || plan_new_id(p->plan.id, &taken, err) < 0 ||
	    state_copy(&plan->state, &p->after, err) < 0)
		return -1;
	p->changes = true;
	p->reloads = false;
	if (api_arm(plan, true, err) < 0)
		return -1;
	if (p->plan.len == 0)
		return 0;
	fill_snapshot(plan);
	p->after.generation++;
	k->changed = true;
	return state_add_event(&p->after, p->plan.id, p->command, p->toggle, NULL, clock_realtime_ns(),
			       err) < 0 ? -1 : api_commit(plan, &reloaded, err);
}

static int reap(struct reaping *k, struct error *err)
{
	if (find_due(k, err) < 0)
		return -1;
	for (size_t i = 0; i < k->due.len; i++)
		if ((k->spare == NULL || strcmp(k->due.items[i], k->spare) != 0) &&
		    reap_one(k, k->due.items[i], err) < 0)
			return -1;
	if (k->closers_left && tidy_closers(k, err) < 0)
		return -1;
	return api_result_seal(k->result, k->status, k->changed, err);
}

int rootlatch_reap(struct rootlatch *r, const char *spare, struct rootlatch_result **ret,
		   struct rootlatch_error *out)
{
	struct error err = ERROR_INIT;
	_cleanup_(reaping_release) struct reaping k = { .r = r, .spare = spare };

	k.result = api_result_new("reap", &err);
	if (k.result == NULL || reap(&k, &err) < 0)
		return api_error(out, &err);
	*ret = TAKE_PTR(k.result);
	return 0;
}

bool rootlatch_is_overdue(struct rootlatch *r)
{
	struct reaping k = { .r = r };
	struct error ignored = ERROR_INIT;
	bool overdue;

	/* what can't be told is for the command itself to meet */
	overdue = find_due(&k, &ignored) == 0 && (k.due.len > 0 || k.closers_left);
	reaping_release(&k);
	return overdue;
}

/* ---- the watcher */

int rootlatch_watch(struct rootlatch *r, const struct rootlatch_watch_terms *t,
		    struct rootlatch_error *out)
{
	const struct deadline_watch_terms terms = {
		.file = t->file,
		.toggle = t->toggle,
		.until_real_ns = t->until_real_ns,
		.until_boot_ns = t->until_boot_ns,
		.host = &r->host,
		.store = &r->store,
	};
	struct error err = ERROR_INIT;

	return deadline_watch(&terms, &err) < 0 ? api_error(out, &err) : 0;
}

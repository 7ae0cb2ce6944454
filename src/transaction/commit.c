/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: the journal is durable before the first file beside a target is made, and stays
 * until the state that includes the change is durable, or until everything is as before.
 */
#include <stdio.h>

#include "host/clock.h"
#include "service/sshd_reload.h"
#include "store/journal.h"
#include "transaction/rollback.h"
#include "transaction/transaction.h"

struct commit {
	struct store *store;
	const struct host *host;
	const struct toggle_context *c;
	struct toggle_plan *p;
	const struct transaction_events *events;
	size_t reloaded;      /* listeners that were told to */
	bool last_failed;     /* the last of them did not manage */
};

static void step_event(const struct commit *k, const char *text)
{
	if (k->events != NULL && k->events->step != NULL)
		k->events->step(k->events->ctx, text);
}

static bool needs_snapshot(const struct plan *plan)
{
	for (size_t i = 0; i < plan->len; i++)
		if (!plan->steps[i].ready)
			return true;
	return false;
}

/* The plan was made without the lock: what it stands on must still be there. */
static int check_unchanged(const struct commit *k, struct error *err)
{
	_cleanup_state_ struct state now = STATE_INIT;

	if (journal_exists(k->store)) {
		(void)error_set(err, ERROR_BUSY, "another rootlatch was cut off in this moment");
		return error_hint(err, "Nothing was changed. Run the command again; it recovers "
				  "first.");
	}
	if (state_read(k->store, &now, err) < 0)
		return -1;
	if (now.generation != k->c->state->generation) {
		(void)error_set(err, ERROR_BUSY, "another rootlatch changed this host in this "
				"moment");
		return error_hint(err, "Nothing was changed. Run the command again.");
	}
	for (size_t i = 0; i < k->p->plan.len; i++)
		if (step_check(k->host, &k->p->plan.steps[i], err) < 0)
			return -1;
	return 0;
}

static int write_journal(const struct commit *k, struct error *err)
{
	_cleanup_json_ json_t *daemons = json_array();

	for (size_t i = 0; i < k->p->daemons.len; i++)
		if (json_push(daemons, sshd_daemon_to_json(&k->p->daemons.items[i], err), err) < 0)
			return -1;
	return journal_begin(k->store, &k->p->plan, k->p->command, k->p->toggle, k->p->config,
			     k->p->after.generation, daemons, err);
}

static int apply(const struct commit *k, struct error *err)
{
	for (size_t i = 0; i < k->p->plan.len; i++)
		if (step_prepare(k->host, &k->p->plan.steps[i], err) < 0)
			return -1;
	for (size_t i = 0; i < k->p->plan.len; i++) {
		step_event(k, k->p->plan.steps[i].path);
		if (step_apply(k->host, &k->p->plan.steps[i], err) < 0)
			return -1;
	}
	return 0;
}

static int activate(struct commit *k, struct error *err)
{
	for (size_t i = 0; i < k->p->daemons.len; i++) {
		struct sshd_daemon *d = &k->p->daemons.items[i];
		char name[SSHD_DAEMON_NAME_MAX];
		struct sshd_proof proof;

		step_event(k, sshd_daemon_name(d, name));
		k->reloaded = i + 1;
		k->last_failed = true;
		if (sshd_reload(k->host, d, 0, &proof, err) < 0)
			return -1;
		k->last_failed = false;
		k->p->after.reloaded = d->process;
		k->p->after.reloaded_ns = clock_realtime_ns();
	}
	return 0;
}

/* What went wrong stands first; how the host is now, behind it. */
static int roll_back(struct commit *k, struct error *err)
{
	struct error cause = *err, why = ERROR_INIT;

	step_event(k, "rolling back");
	if (rollback_files(k->host, &k->p->plan, &why) < 0 ||
	    rollback_listeners(k->host, k->p->config, k->p->daemons.items, k->reloaded,
			       k->last_failed, &why) < 0 ||
	    rollback_tidy(k->host, &k->p->plan, &why) < 0 || journal_end(k->store, &why) < 0) {
		(void)error_set(err, ERROR_IN_DOUBT, "%.900s; and then: %.900s", cause.message,
				why.message);
		return error_hint(err, "A person must look. %s%s`rootlatch recover` tries again.",
				  why.hint, why.hint[0] != '\0' ? "\n" : "");
	}
	/* a snapshot that stays would be swept by the next recovery */
	error_ignore(snapshot_remove(k->store, k->p->plan.id, NULL));
	if (cause.code != ERROR_REFUSED)
		cause.code = ERROR_FAILED;
	*err = cause;
	if (cause.code == ERROR_FAILED)
		(void)error_hint_add(err, "It was rolled back, everything is as before.");
	return -1;
}

/* After the commit nothing may fail: what can't be tidied now is tidied by the next recovery. */
static void tidy(const struct commit *k)
{
	bool tidied = true;

	for (size_t i = 0; i < k->p->plan.on_commit.len; i++)
		tidied &= host_file_unlink(k->host, k->p->plan.on_commit.items[i], NULL) == 0;
	if (tidied)
		error_ignore(journal_end(k->store, NULL));
}

static int carry_out(struct commit *k, struct error *err)
{
	/* from here on a failure is rolled back */
	if (apply(k, err) < 0 || activate(k, err) < 0 ||
	    state_write(k->store, &k->p->after, err) < 0)
		return roll_back(k, err);
	tidy(k);
	return 0;
}

static int prepare(struct commit *k, struct error *err)
{
	bool snapshot = needs_snapshot(&k->p->plan);

	if (check_unchanged(k, err) < 0)
		return -1;
	if (snapshot && snapshot_create(k->store, &k->p->plan, &k->p->snapshot, err) < 0)
		return -1;
	if (k->p->kind->judge(k->c, k->p, err) < 0 || write_journal(k, err) < 0) {
		if (snapshot)
			error_ignore(snapshot_remove(k->store, k->p->plan.id, NULL));
		return -1;
	}
	return 0;
}

int transaction_commit(struct store *store, const struct toggle_context *c,
		       struct toggle_plan *p, unsigned wait_seconds,
		       const struct transaction_events *events,
		       struct transaction_reload *ret_reload, struct error *err)
{
	struct commit k = { .store = store, .host = c->host, .c = c, .p = p, .events = events };
	int r;

	if (store_lock(store, true, wait_seconds, err) < 0)
		return -1;
	host_signals_hold();
	r = prepare(&k, err);
	if (r == 0)
		r = carry_out(&k, err);
	store_unlock(store);
	host_signals_release();
	if (r == 0)
		*ret_reload = (struct transaction_reload){ .needed = p->daemons.len > 0,
							   .count = k.reloaded };
	return r;
}

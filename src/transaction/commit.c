/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: the journal is durable before the first file beside a target is made, and stays
 * until the state that includes the change is durable, or until everything is as before.
 */
#include <stdio.h>

#include "base/seeded.h"
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
	struct sshd_daemons now;    /* the listeners, once the files were in place */
	struct sshd_daemon *failed; /* among them: the one that did not reload */
	bool activated;             /* some may have been told to reload */
	size_t reloaded;            /* how many have, with proof */
};

static void step_event(const struct commit *k, const char *text)
{
	if (k->events != NULL && k->events->step != NULL)
		k->events->step(k->events->ctx, text);
}

static bool needs_snapshot(const struct plan *plan)
{
	for (size_t i = 0; i < plan->len; i++)
		if (step_keeps_file(&plan->steps[i]) && !plan->steps[i].ready)
			return true;
	return plan_has_small(plan);
}

/* The plan was made without the lock: what it stands on must still be there. */
static int check_unchanged(const struct commit *k, struct error *err)
{
	bool current = false;

	if (journal_exists(k->store)) {
		(void)error_set(err, ERROR_BUSY, "another rootlatch was cut off in this moment");
		return error_hint(err, "Nothing was changed. Run the command again; it recovers "
				  "first.");
	}
	if (state_is_current(k->store, k->c->state, &current, err) < 0)
		return -1;
	if (!current) {
		(void)error_set(err, ERROR_BUSY, "another rootlatch changed this host in this "
				"moment");
		return error_hint(err, "Nothing was changed. Run the command again.");
	}
	for (size_t i = 0; i < k->p->plan.len; i++)
		if (step_check(k->host, &k->p->plan.steps[i], err) < 0)
			return -1;
	return 0;
}

static int prepare_journal(const struct commit *k, struct error *err)
{
	_cleanup_json_ json_t *daemons = json_array();

	for (size_t i = 0; i < k->p->daemons.len; i++)
		if (json_push(daemons, sshd_daemon_to_json(&k->p->daemons.items[i], err), err) < 0)
			return -1;
	return journal_prepare(k->store, &k->p->plan, k->p->command, k->p->toggle, k->p->config,
			     k->p->reloads ? daemons : NULL, k->p->closing, &k->p->after, err);
}

static bool is_same_folder(const struct step *a, const struct step *b)
{
	size_t len = (size_t)(strrchr(a->path, '/') - a->path) + 1;

	return strncmp(a->path, b->path, len) == 0 && strchr(b->path + len, '/') == NULL;
}

/* The last of those in a folder speaks for all. */
static int sync_lazy(const struct commit *k, struct error *err)
{
	const struct plan *plan = &k->p->plan;

	for (size_t i = 0; i < plan->len; i++) {
		size_t later = i + 1;

		if (!plan->steps[i].lazy)
			continue;
		while (later < plan->len && (!plan->steps[later].lazy ||
					     !is_same_folder(&plan->steps[i], &plan->steps[later])))
			later++;
		if (later == plan->len && step_sync(k->host, &plan->steps[i], err) < 0)
			return -1;
	}
	return 0;
}

static int apply(const struct commit *k, struct error *err)
{
	if (SEEDED("lock-early"))
		store_unlock(k->store);
	if (SEEDED("state-first") && state_write(k->store, &k->p->after, err) < 0)
		return -1;
	for (size_t i = 0; i < k->p->plan.len; i++)
		if (step_prepare(k->host, &k->p->plan.steps[i], err) < 0)
			return -1;
	for (size_t i = 0; i < k->p->plan.len; i++) {
		const struct step *step = &k->p->plan.steps[i];

		if (SEEDED("armed-late"))
			step = &k->p->plan.steps[k->p->plan.len - 1 - i];
		step_event(k, step_name(step));
		if (step_apply(k->host, step, err) < 0)
			return -1;
	}
	return sync_lazy(k, err);
}

static int reload_one(struct commit *k, struct sshd_daemon *d, struct error *err)
{
	char name[SSHD_DAEMON_NAME_MAX];
	struct sshd_proof proof;

	step_event(k, sshd_daemon_name(d, name));
	k->failed = d;
	if (sshd_reload(k->host, d, 0, &proof, err) < 0)
		return -1;
	k->failed = NULL;
	k->reloaded++;
	k->p->after.reloaded = d->process;
	k->p->after.reloaded_ns = clock_realtime_ns();
	return 0;
}

/* What listens now is what counts: since the plan was made one may have come, or come again. */
static int activate(struct commit *k, struct error *err)
{
	if (!k->p->reloads)
		return 0;
	k->activated = true;
	if (sshd_find(k->host, k->p->config, &k->now, err) < 0)
		return -1;
	for (size_t i = 0; i < k->now.len; i++)
		if (reload_one(k, &k->now.items[i], err) < 0)
			return -1;
	for (size_t i = 0; i < k->p->daemons.n_others; i++)
		if (reload_one(k, &k->p->daemons.others[i], err) < 0)
			return -1;
	return 0;
}

/* Whatever listens is made to read what stands on the disk now; what listened before is started
 * again if it is gone. */
static int settle_listeners(struct commit *k, struct error *err)
{
	const struct sshd_daemons *before = k->now.len > 0 ? &k->now : &k->p->daemons;
	size_t reloaded;

	return rollback_listeners(k->host, k->p->config, before->items, before->len, k->failed,
				  &reloaded, err);
}

static int put_back(struct commit *k, struct error *remarks, struct error *err)
{
	struct error ignored = ERROR_INIT;

	if (rollback_files(k->host, &k->p->plan, remarks, err) < 0) {
		/* what could be put back has to count, all the same */
		if (k->activated && !k->p->closing)
			error_ignore(settle_listeners(k, &ignored));
		return -1;
	}
	if (k->activated && settle_listeners(k, err) < 0)
		return -1;
	if (rollback_tidy(k->host, &k->p->plan, err) < 0)
		return -1;
	return journal_end(k->store, err);
}

/* What went wrong stands first; how the host is now, behind it. */
static int roll_back(struct commit *k, struct error *err)
{
	struct error cause = *err, why = ERROR_INIT, remarks = ERROR_INIT;

	step_event(k, "rolling back");
	if (put_back(k, &remarks, &why) < 0) {
		(void)error_set(err, ERROR_IN_DOUBT, "%.900s; and then: %.900s", cause.message,
				why.message);
		(void)error_hint(err, "%s", why.hint);
		return rollback_hint(err);
	}
	/* a snapshot that stays would be swept by the next recovery */
	error_ignore(snapshot_remove(k->store, k->p->plan.id, NULL));
	if (cause.code != ERROR_REFUSED)
		cause.code = ERROR_FAILED;
	*err = cause;
	if (cause.code == ERROR_FAILED)
		(void)error_hint_add(err, "It was rolled back, everything is as before.%s",
				     k->p->closing ? " The login is still OPEN." : "");
	if (remarks.code != ERROR_NONE)
		(void)error_hint_add(err, "But %s", remarks.message);
	return -1;
}

/* A full history lets go of its oldest transaction; `show` and a revert need its snapshot no more. */
static void forget_oldest(const struct commit *k)
{
	_cleanup_strings_ struct strings keep = STRINGS_INIT;
	size_t swept;

	if (k->p->after.n_events == STATE_HISTORY_MAX &&
	    state_ids(&k->p->after, &keep, NULL) == 0)
		error_ignore(snapshot_sweep(k->store, &keep, &swept, NULL));
}

/* After the commit nothing may fail: what can't be tidied now is tidied by the next recovery. */
static void tidy(const struct commit *k)
{
	bool tidied = true;

	for (size_t i = 0; i < k->p->plan.on_commit.len; i++)
		tidied &= host_file_unlink(k->host, k->p->plan.on_commit.items[i], NULL) == 0;
	error_ignore(plan_settle_times(k->host, &k->p->plan, &k->p->plan.on_commit, true, NULL));
	if (tidied)
		error_ignore(journal_end(k->store, NULL));
	forget_oldest(k);
}

static int verify(const struct commit *k, struct error *err)
{
	return k->p->kind->verify != NULL ? k->p->kind->verify(k->c, k->p, err) : 0;
}

/* What has to wait until the state is durable. */
static int seeded_before_state(const struct commit *k, struct error *err)
{
	if (SEEDED("said-early"))
		(void)dprintf(STDOUT_FILENO, "root may log in\n");
	if (SEEDED("snapshot-late"))
		return snapshot_create(k->store, &k->p->plan, &k->p->snapshot, err);
	if (SEEDED("journal-late"))
		return journal_begin(k->store, err);
	return SEEDED("journal-early") ? journal_end(k->store, err) : 0;
}

static int open_up(struct commit *k, struct error *err)
{
	/* from here on a failure is rolled back */
	if (apply(k, err) < 0 || activate(k, err) < 0 || verify(k, err) < 0 ||
	    seeded_before_state(k, err) < 0 || state_write(k->store, &k->p->after, err) < 0)
		return roll_back(k, err);
	tidy(k);
	return 0;
}

/* The files are closed. A listener that the reload ended is started again; one that goes on with
 * what it has loaded is left to a person. */
static int activate_closed(struct commit *k, struct error *err)
{
	struct error why = ERROR_INIT;

	if (activate(k, &why) == 0)
		return 0;
	if (k->failed != NULL && !rollback_serves(k->failed) && settle_listeners(k, &why) == 0)
		return 0;
	(void)error_set(err, ERROR_IN_DOUBT, "the files are closed, but sshd has not read them: %s",
			why.message);
	return error_hint(err, "%s%sRoot may still log in until sshd reloads, or is restarted.",
			  why.hint, why.hint[0] != '\0' ? "\n" : "");
}

/* It is recorded all the same; what would keep the next opening from being made is said now. */
static void tell_of_reserve(struct commit *k)
{
	struct error why = ERROR_INIT;

	if (state_check_reserve(k->store, &why) < 0 && why.code == ERROR_REFUSED)
		error_ignore(toggle_warn(&k->p->warnings, NULL, "take it away: nothing can be opened as long "
					 "as it is there", "the record was written to a new file: %s",
					 why.message));
}

static int close_down(struct commit *k, struct error *err)
{
	int r;

	if (apply(k, err) < 0)
		return roll_back(k, err);
	r = activate_closed(k, err);
	if (state_write(k->store, &k->p->after, r < 0 ? NULL : err) < 0) {
		if (r == 0)
			(void)error_prefix(err, "the login is closed, but that could not be recorded");
		err->code = ERROR_IN_DOUBT;
		return error_hint_add(err, "`rootlatch recover` records it.");
	}
	tell_of_reserve(k);
	tidy(k);
	return r;
}

static int prepare(struct commit *k, struct error *err)
{
	bool snapshot = k->p->keeps_snapshot || needs_snapshot(&k->p->plan);

	if (check_unchanged(k, err) < 0 ||
	    (!k->p->closing && state_reserve(k->store, err) < 0))
		return -1;
	if (snapshot && !SEEDED("snapshot-late") &&
	    snapshot_create(k->store, &k->p->plan, &k->p->snapshot, err) < 0)
		return -1;
	/* what is written up to here is written while sshd judges */
	if (prepare_journal(k, err) < 0 || k->p->kind->judge(k->c, k->p, err) < 0 ||
	    (!SEEDED("journal-late") && journal_begin(k->store, err) < 0)) {
		if (snapshot)
			error_ignore(snapshot_remove(k->store, k->p->plan.id, NULL));
		return -1;
	}
	return 0;
}

/* Nothing is to be done. That must not be said while somebody else is just doing it. */
static int judge_nothing(const struct commit *k, unsigned wait_seconds, struct error *err)
{
	int r = 0;

	if (store_exists(k->store) && store_lock(k->store, false, wait_seconds, err) < 0)
		return -1;
	if (store_exists(k->store))
		r = check_unchanged(k, err);
	if (r == 0)
		r = k->p->kind->judge(k->c, k->p, err);
	store_unlock(k->store);
	return r;
}

int transaction_commit(struct store *store, const struct toggle_context *c,
		       struct toggle_plan *p, unsigned wait_seconds,
		       const struct transaction_events *events,
		       size_t *ret_reloaded, struct error *err)
{
	struct commit k = { .store = store, .host = c->host, .c = c, .p = p, .events = events };
	int r;

	if (!p->changes)
		return judge_nothing(&k, wait_seconds, err);
	if (store_lock(store, true, wait_seconds, err) < 0)
		return -1;
	host_signals_hold();
	r = prepare(&k, err);
	if (r == 0)
		r = p->closing ? close_down(&k, err) : open_up(&k, err);
	store_unlock(store);
	host_signals_release();
	sshd_daemons_release(&k.now);
	if (r == 0)
		*ret_reloaded = k.reloaded;
	return r;
}

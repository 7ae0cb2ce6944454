/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 *     no journal                          sweep
 *     journal, state has its generation   it was committed: tidy, end the journal, sweep
 *     journal, state has not              roll back, end the journal, sweep
 *
 * Each arrow may be cut off and walked again: the state decides which one it is, and it does
 * not change while a journal is there.
 */
#include "service/sshd_judge.h"
#include "store/journal.h"
#include "transaction/rollback.h"
#include "transaction/transaction.h"

void recovery_release(struct recovery *r)
{
	free(r->command);
	free(r->toggle);
	*r = (struct recovery)RECOVERY_INIT;
}

bool recovery_is_needed(const struct store *store)
{
	return journal_exists(store);
}

struct daemons {
	struct sshd_daemon *items;
	size_t len;
};

static void daemons_release(struct daemons *d)
{
	for (size_t i = 0; i < d->len; i++)
		sshd_daemon_release(&d->items[i]);
	free(d->items);
}

static int read_daemons(const json_t *array, struct daemons *ret, struct error *err)
{
	ret->items = calloc(json_array_size(array) + 1, sizeof(*ret->items));
	if (ret->items == NULL)
		return error_oom(err);
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (sshd_daemon_from_json(json_array_get(array, i), &ret->items[i], err) < 0)
			return -1;
		ret->len++;
	}
	return 0;
}

static int undo(const struct store *store, const struct journal *j, struct recovery *r,
		struct error *err)
{
	_cleanup_(daemons_release) struct daemons daemons = { 0 };

	if (read_daemons(j->daemons, &daemons, err) < 0 ||
	    rollback_files(store->host, &j->plan, err) < 0)
		return -1;
	if (daemons.len > 0 &&
	    rollback_any_listeners(store->host, j->config, daemons.items,
				   j->same_boot ? daemons.len : 0, &r->reloaded, err) < 0)
		return -1;
	return rollback_tidy(store->host, &j->plan, err);
}

static int finish(const struct store *store, const struct journal *j, struct error *err)
{
	for (size_t i = 0; i < j->plan.on_commit.len; i++)
		if (host_file_unlink(store->host, j->plan.on_commit.items[i], err) < 0)
			return -1;
	return 0;
}

static int recover_journal(const struct store *store, const struct state *state,
			   struct recovery *r, struct error *err)
{
	_cleanup_journal_ struct journal j = JOURNAL_INIT;

	if (journal_read(store, &j, err) < 0)
		return -1;
	r->found = true;
	r->finished = state->generation >= j.generation;
	memcpy(r->id, j.plan.id, sizeof(r->id));
	r->command = TAKE_PTR(j.command);
	r->toggle = TAKE_PTR(j.toggle);
	if ((r->finished ? finish(store, &j, err) : undo(store, &j, r, err)) < 0 ||
	    journal_end(store, err) < 0) {
		err->code = ERROR_IN_DOUBT;
		return error_hint_add(err, "A person must look. `rootlatch recover` tries again.");
	}
	return 0;
}

/* Snapshots that nothing names are of transactions that never began, or that were undone. */
static int sweep(const struct store *store, const struct state *state, struct recovery *r,
		 struct error *err)
{
	_cleanup_strings_ struct strings keep = STRINGS_INIT;

	if (state_ids(state, &keep, err) < 0 ||
	    snapshot_sweep(store, &keep, &r->swept, err) < 0)
		return -1;
	return sshd_judge_sweep(store->host, err);
}

int recovery_run_locked(const struct store *store, struct recovery *ret, struct error *err)
{
	_cleanup_recovery_ struct recovery r = RECOVERY_INIT;
	_cleanup_state_ struct state state = STATE_INIT;

	if (state_read(store, &state, err) < 0)
		return -1;
	if (journal_exists(store) && recover_journal(store, &state, &r, err) < 0)
		return error_prefix(err, "recovering what was cut off");
	if (sweep(store, &state, &r, err) < 0)
		return -1;
	*ret = r;
	r = (struct recovery)RECOVERY_INIT;
	return 0;
}

int recovery_run(struct store *store, unsigned wait_seconds, struct recovery *ret,
		 struct error *err)
{
	int r;

	if (!store_exists(store)) {
		*ret = (struct recovery)RECOVERY_INIT;
		return 0;
	}
	if (store_lock(store, false, wait_seconds, err) < 0)
		return -1;
	r = recovery_run_locked(store, ret, err);
	store_unlock(store);
	return r;
}

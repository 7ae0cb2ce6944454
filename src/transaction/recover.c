/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 *     no journal                            sweep
 *     journal, the state has its generation it was committed: tidy, end the journal, sweep
 *     journal of a close that can be ended  end it, the state, tidy, end the journal, sweep
 *     any other journal                     roll back, end the journal, sweep
 *
 * Each line may be cut off and walked again. (A close that was rolled back half-way can still be
 * brought to its end by the next recovery, or not: both are whole.)
 */
#include <errno.h>

#include "base/seeded.h"
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

/* `daemons` counts only where they can be blamed on the transaction: not before this boot. */
static int reload(const struct store *store, const struct journal *j, struct recovery *r,
		  struct error *err)
{
	_cleanup_(daemons_release) struct daemons daemons = { 0 };

	if (!j->reloads)
		return 0;
	if (read_daemons(j->daemons, &daemons, err) < 0)
		return -1;
	return rollback_listeners(store->host, j->config, daemons.items,
				  j->same_boot ? daemons.len : 0, NULL, &r->reloaded, err);
}

static int undo(const struct store *store, const struct journal *j, struct recovery *r,
		struct error *err)
{
	struct error files = ERROR_INIT;
	bool back = rollback_files(store->host, &j->plan, &r->remarks, &files) == 0;

	/* of an opening that can't be undone wholly, what was taken away may be what lets root in:
	 * as long as sshd does not read that, it does */
	if ((back || !j->closing) && reload(store, j, r, err) < 0 && back)
		return -1;
	if (!back) {
		*err = files;
		return -1;
	}
	return rollback_tidy(store->host, &j->plan, err);
}

/* What nobody can remove just now is litter. A journal that waited for it would keep every other
 * toggle from being closed. */
static int tidy(const struct store *store, const struct journal *j, struct error *err)
{
	for (size_t i = 0; i < j->plan.on_commit.len; i++) {
		struct error why = ERROR_INIT;

		if (host_file_unlink(store->host, j->plan.on_commit.items[i], &why) < 0 &&
		    why.sys_errno != EROFS && why.sys_errno != EPERM) {
			*err = why;
			return -1;
		}
	}
	error_ignore(plan_settle_times(store->host, &j->plan, &j->plan.on_commit, true, NULL));
	return 0;
}

static int can_finish(const struct store *store, const struct journal *j, bool *ret_can,
		      struct error *err)
{
	*ret_can = j->closing;
	for (size_t i = 0; i < j->plan.len && *ret_can; i++)
		if (step_can_finish(store->host, &j->plan.steps[i], ret_can, err) < 0)
			return -1;
	return 0;
}

/* A close is brought to its end: an opening that somebody wanted closed is not opened again. */
static int finish(const struct store *store, const struct journal *j, struct recovery *r,
		  struct error *err)
{
	for (size_t i = 0; i < j->plan.len; i++)
		if (step_finish(store->host, &j->plan.steps[i], err) < 0)
			return -1;
	if (reload(store, j, r, err) < 0 || state_write(store, &j->after, err) < 0)
		return -1;
	return tidy(store, j, err);
}

static int settle(const struct store *store, const struct state *state, const struct journal *j,
		  struct recovery *r, struct error *err)
{
	bool can;

	r->finished = true;
	if (state->generation >= j->generation && !SEEDED("commit-forgotten"))
		return tidy(store, j, err);
	if (can_finish(store, j, &can, err) < 0)
		return -1;
	if (can)
		return finish(store, j, r, err);
	r->finished = false;
	return undo(store, j, r, err);
}

static int recover_journal(const struct store *store, const struct state *state,
			   struct recovery *r, struct error *err)
{
	_cleanup_journal_ struct journal j = JOURNAL_INIT;

	if (journal_read(store, &j, err) < 0)
		return -1;
	r->found = true;
	r->closing = j.closing;
	memcpy(r->id, j.plan.id, sizeof(r->id));
	if (SEEDED("recover-once") && journal_end(store, err) < 0)
		return -1;
	if (settle(store, state, &j, r, err) < 0 || journal_end(store, err) < 0) {
		err->code = ERROR_IN_DOUBT;
		return rollback_hint(err);
	}
	r->command = TAKE_PTR(j.command);
	r->toggle = TAKE_PTR(j.toggle);
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

int recovery_run(const struct store *store, struct recovery *ret, struct error *err)
{
	_cleanup_recovery_ struct recovery r = RECOVERY_INIT;
	_cleanup_state_ struct state state = STATE_INIT;

	if (state_read(store, &state, err) < 0)
		return -1;
	if (journal_exists(store)) {
		if (recover_journal(store, &state, &r, err) < 0)
			return error_prefix(err, "recovering what was cut off");
		state_release(&state);
		if (state_read(store, &state, err) < 0)
			return -1;
	}
	if (sweep(store, &state, &r, err) < 0)
		return -1;
	*ret = r;
	r = (struct recovery)RECOVERY_INIT;
	return 0;
}

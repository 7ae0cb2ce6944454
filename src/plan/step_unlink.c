/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: until the plan is committed the file itself lies at path or at temp, with all that
 * belongs to it. Only a reboot or a person can take it away from there.
 */
#include <stdio.h>

#include "plan/step_kind.h"

/* What comes out at temp must be the bytes that were planned with. */
static int move_aside(const struct host *h, const struct step *s, unsigned flags,
		      struct error *err)
{
	_cleanup_host_file_ struct host_file old = HOST_FILE_INIT;

	if (step_rename(h, s, s->path, s->temp, flags, err) < 0 ||
	    host_file_read(h, s->temp, HOST_READ_ANY, &old, err) < 0)
		return -1;
	if (step_bytes_are_before(s, &old))
		return 0;
	if (step_rename(h, s, s->temp, s->path, RENAME_NOREPLACE, err) < 0)
		return -1;
	return step_refuse_changed(s, err);
}

static int unlink_apply(const struct host *h, const struct step *s, struct error *err)
{
	if (step_check_same(h, s, err) < 0)
		return -1;
	return move_aside(h, s, RENAME_NOREPLACE, err);
}

static int unlink_can_finish(const struct host *h, const struct step *s, bool *ret_can,
			     struct error *err)
{
	enum step_position at;

	if (step_locate(h, s->path, s, &at, err) < 0)
		return -1;
	*ret_can = at == STEP_MISSING || at == STEP_BEFORE;
	return 0;
}

static int unlink_finish(const struct host *h, const struct step *s, struct error *err)
{
	enum step_position at;

	if (step_locate(h, s->path, s, &at, err) < 0)
		return -1;
	if (at == STEP_MISSING)
		return step_sync_folder(h, s, err);
	if (at == STEP_BEFORE)
		return move_aside(h, s, 0, err); /* temp would be tidied up next */
	return error_set(err, ERROR_IN_DOUBT, "%s was changed meanwhile", s->path);
}

/* From the copy in the state folder, which is 0600 whatever the file was. */
static int make_again(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_host_file_ struct host_file saved = HOST_FILE_INIT;
	_cleanup_free_ char *copy = NULL;

	if (step_read_saved(h, s, &saved, err) < 0)
		return -1;
	copy = step_copy_path(s->temp, err);
	if (copy == NULL || step_make_folder(h, s, err) < 0 ||
	    host_file_unlink_lazily(h, copy, err) < 0 ||
	    host_file_create(h, copy, slice_of(saved.bytes.data, saved.bytes.len), s->meta.mode,
			     saved.meta.mtime_ns, err) < 0)
		return -1;
	return step_rename(h, s, copy, s->path, RENAME_NOREPLACE, err);
}

/* Neither at path nor at temp. When the folder is gone too a reboot emptied /run, and there is
 * nothing to put back; but what has a copy is meant to outlive that. */
static int revert_lost(const struct host *h, const struct step *s, struct error *err)
{
	bool found;

	if (s->saved == NULL) {
		if (step_find_folder(h, s, &found, err) < 0)
			return -1;
		if (!found)
			return 0;
	}
	return make_again(h, s, err);
}

static int unlink_revert(const struct host *h, const struct step *s, struct error *err)
{
	enum step_position at, aside;

	if (step_locate_both(h, s, &at, &aside, err) < 0)
		return -1;
	if (at == STEP_BEFORE)
		return step_sync_folder(h, s, err);
	if (at == STEP_MISSING) {
		if (aside == STEP_MISSING)
			return revert_lost(h, s, err);
		/* also what somebody wrote in the last instant: it is what was taken away */
		return step_rename(h, s, s->temp, s->path, RENAME_NOREPLACE, err);
	}
	if (aside == STEP_MISSING)
		return 0; /* it was never taken away, or was put back: theirs stays */
	return step_in_doubt(s, at, aside, err);
}

const struct step_ops step_ops_unlink = {
	.name = "unlink",
	.check = step_check_same,
	.prepare = step_no_op,
	.apply = unlink_apply,
	.can_finish = unlink_can_finish,
	.finish = unlink_finish,
	.revert = unlink_revert,
};

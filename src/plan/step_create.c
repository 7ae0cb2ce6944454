/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: at path there is nothing, or our file, whole; never half of it, and never ours in the
 * place of somebody else's.
 */
#include <stdio.h>

#include "plan/step_kind.h"

/* Its mode, which comes last. Refused is also what others than root could write to, the folders
 * above it among them. */
static int check_made(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_host_file_ struct host_file made = HOST_FILE_INIT;

	if (host_file_read(h, s->temp, HOST_READ_TARGET | HOST_READ_META, &made, err) < 0)
		return -1;
	if (made.meta.mode == s->meta.mode)
		return 0;
	return error_set(err, ERROR_REFUSED, "%s has the mode %04o, not %04o", s->temp,
			 (unsigned)made.meta.mode, (unsigned)s->meta.mode);
}

static int create_prepare(const struct host *h, const struct step *s, struct error *err)
{
	if (step_make_folder(h, s, err) < 0 ||
	    host_file_create(h, s->temp, s->after_bytes, s->meta.mode, s->after_mtime_ns, err) < 0)
		return -1;
	if (check_made(h, s, err) < 0) {
		(void)host_file_unlink_lazily(h, s->temp, NULL);
		return -1;
	}
	return 0;
}

static int install(const struct host *h, const struct step *s, struct error *err)
{
	return step_rename(h, s, s->temp, s->path, RENAME_NOREPLACE, err);
}

static int create_can_finish(const struct host *h, const struct step *s, bool *ret_can,
			     struct error *err)
{
	enum step_position at, aside;
	struct error why = ERROR_INIT;

	if (step_locate_both(h, s, &at, &aside, err) < 0)
		return -1;
	*ret_can = at == STEP_AFTER;
	if (at != STEP_MISSING || aside != STEP_AFTER)
		return 0;
	/* one whose preparation was cut off may have the bytes, but not the mode */
	*ret_can = check_made(h, s, &why) == 0;
	if (*ret_can || why.code == ERROR_REFUSED)
		return 0;
	*err = why;
	return -1;
}

static int create_finish(const struct host *h, const struct step *s, struct error *err)
{
	enum step_position at;

	if (step_locate(h, s->path, s, &at, err) < 0)
		return -1;
	if (at == STEP_AFTER)
		return step_sync_folder(h, s, err);
	if (at == STEP_MISSING)
		return step_sync_temp(h, s, err) < 0 ? -1 : install(h, s, err);
	return error_set(err, ERROR_IN_DOUBT, "%s was changed meanwhile", s->path);
}

static int create_revert(const struct host *h, const struct step *s, struct error *err)
{
	enum step_position at, aside;

	if (step_locate_both(h, s, &at, &aside, err) < 0)
		return -1;
	if (at == STEP_AFTER)
		return host_file_unlink(h, s->path, err);
	if (at == STEP_MISSING)
		return step_sync_folder(h, s, err);
	if (aside == STEP_AFTER)
		return 0; /* ours was never put in place: theirs stays */
	(void)error_set(err, ERROR_IN_DOUBT, "%s was changed meanwhile: it is not what we made it",
			s->path);
	return error_hint(err, "It was not there before. Keep what you need of it elsewhere, remove "
			  "it, then `rootlatch recover`.");
}

const struct step_ops step_ops_create = {
	.name = "create",
	.check = step_check_none,
	.prepare = create_prepare,
	.apply = install,
	.can_finish = create_can_finish,
	.finish = create_finish,
	.revert = create_revert,
};

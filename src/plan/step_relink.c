/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: path is a link at every instant, the old one or the new one, whole; and until the plan
 * is committed the old one itself lies at path or at temp.
 */
#include "plan/step_kind.h"

static int locate(const struct host *h, const char *path, const struct step *s,
		  enum step_position *ret, struct error *err)
{
	_cleanup_free_ char *target = NULL;
	struct stat st;

	if (host_link_read(h, path, &target, &st, err) < 0)
		return -1;
	*ret = st.st_mode == 0                    ? STEP_MISSING :
	       target == NULL                     ? STEP_FOREIGN :
	       strcmp(target, s->target) == 0     ? STEP_BEFORE :
	       strcmp(target, s->new_target) == 0 ? STEP_AFTER :
						    STEP_FOREIGN;
	return 0;
}

static int relink_prepare(const struct host *h, const struct step *s, struct error *err)
{
	return host_link_create(h, s->temp, s->new_target, s->new_mtime_ns, err);
}

static int exchange(const struct host *h, const struct step *s, struct error *err)
{
	return step_rename(h, s, s->temp, s->path, RENAME_EXCHANGE, err);
}

/* What comes out at temp must be the old link. */
static int install(const struct host *h, const struct step *s, struct error *err)
{
	enum step_position aside;

	if (exchange(h, s, err) < 0 || locate(h, s->temp, s, &aside, err) < 0)
		return -1;
	if (aside == STEP_BEFORE)
		return 0;
	if (exchange(h, s, err) < 0)
		return -1;
	return step_refuse_changed(s, err);
}

static int relink_apply(const struct host *h, const struct step *s, struct error *err)
{
	enum step_position at;

	if (locate(h, s->path, s, &at, err) < 0)
		return -1;
	return at == STEP_BEFORE ? install(h, s, err) : step_refuse_changed(s, err);
}

static int relink_can_finish(const struct host *h, const struct step *s, bool *ret_can,
			     struct error *err)
{
	enum step_position at;

	if (locate(h, s->path, s, &at, err) < 0)
		return -1;
	*ret_can = at == STEP_BEFORE || at == STEP_AFTER;
	return 0;
}

/* One whose making was cut off may not have its time. */
static int make_temp(const struct host *h, const struct step *s, const char *target,
		     int64_t mtime_ns, struct error *err)
{
	if (host_file_unlink_lazily(h, s->temp, err) < 0)
		return -1;
	return host_link_create(h, s->temp, target, mtime_ns, err);
}

static int relink_finish(const struct host *h, const struct step *s, struct error *err)
{
	enum step_position at;

	if (locate(h, s->path, s, &at, err) < 0)
		return -1;
	if (at == STEP_AFTER)
		return step_sync_folder(h, s, err);
	if (at != STEP_BEFORE)
		return error_set(err, ERROR_IN_DOUBT, "%s was changed meanwhile", s->path);
	return make_temp(h, s, s->new_target, s->new_mtime_ns, err) < 0 ? -1 : install(h, s, err);
}

/* Somebody removed the old link beside path: one like it takes its place. */
static int put_back(const struct host *h, const struct step *s, enum step_position aside,
		    struct error *err)
{
	if (aside == STEP_MISSING) {
		if (make_temp(h, s, s->target, s->mtime_ns, err) < 0)
			return -1;
	} else if (aside == STEP_BEFORE && s->mtime_ns >= 0) {
		/* such a one, if its making was cut off */
		if (host_set_mtime(h, s->temp, s->mtime_ns, err) < 0)
			return -1;
	}
	/* also what somebody made of it in the last instant: it is what was taken away */
	return exchange(h, s, err);
}

static int relink_revert(const struct host *h, const struct step *s, struct error *err)
{
	enum step_position at, aside;

	if (locate(h, s->path, s, &at, err) < 0 || locate(h, s->temp, s, &aside, err) < 0)
		return -1;
	if (at == STEP_BEFORE)
		return step_sync_folder(h, s, err);
	if (aside == STEP_AFTER)
		return 0; /* ours was never put in place, or was taken back: theirs stays */
	if (at == STEP_AFTER)
		return put_back(h, s, aside, err);
	return step_link_in_doubt(s, at == STEP_MISSING ? "is gone" : "was changed meanwhile", err);
}

const struct step_ops step_ops_relink = {
	.name = "relink",
	.check = step_check_link,
	.prepare = relink_prepare,
	.apply = relink_apply,
	.can_finish = relink_can_finish,
	.finish = relink_finish,
	.revert = relink_revert,
};

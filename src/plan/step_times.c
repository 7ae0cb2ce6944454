/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * TIMES: the mtime of what other steps change by the way.
 */
#include <errno.h>
#include <sys/stat.h>

#include "host/clock.h"
#include "plan/step_kind.h"

static int times_check(const struct host *h, const struct step *s, struct error *err)
{
	struct stat st;

	if (s->mtime_before_ns < 0)
		return 0; /* it may even not be there yet */
	if (host_lstat(h, s->path, &st) < 0)
		return error_sys(err, ERROR_REFUSED, errno, "%s", s->path);
	return timespec_ns(st.st_mtim) == s->mtime_before_ns ?
		       0 :
		       step_refuse_changed(s, err);
}

static int times_apply(const struct host *h, const struct step *s, struct error *err)
{
	return s->mtime_after_ns < 0 ? 0 :
				       host_set_mtime(h, s->path, s->mtime_after_ns, err);
}

/* What is gone has no time. */
static int set_if_there(const struct host *h, const struct step *s, int64_t mtime_ns,
			struct error *err)
{
	struct error why = ERROR_INIT;

	if (mtime_ns < 0 || host_set_mtime(h, s->path, mtime_ns, &why) == 0)
		return 0;
	if (why.sys_errno == ENOENT || why.sys_errno == ENOTDIR)
		return 0;
	*err = why;
	return -1;
}

static int times_finish(const struct host *h, const struct step *s, struct error *err)
{
	return set_if_there(h, s, s->mtime_after_ns, err);
}

static int times_revert(const struct host *h, const struct step *s, struct error *err)
{
	return set_if_there(h, s, s->mtime_before_ns, err);
}

const struct step_ops step_ops_times = {
	.name = "times",
	.check = times_check,
	.prepare = step_no_op,
	.apply = times_apply,
	.can_finish = step_always_can,
	.finish = times_finish,
	.revert = times_revert,
};

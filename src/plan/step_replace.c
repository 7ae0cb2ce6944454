/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: path exists at every instant, wholly old or wholly new.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/seeded.h"
#include "host/meta.h"
#include "plan/step_kind.h"

static int read_meta(const struct host *h, const char *path, struct host_file *ret,
		     struct error *err)
{
	return host_file_read(h, path, HOST_READ_TARGET | HOST_READ_META, ret, err);
}

/* Owner, mode, ACL and attributes must have arrived before the file is installed. */
static int check_twin_meta(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_host_file_ struct host_file twin = HOST_FILE_INIT;

	if (read_meta(h, s->temp, &twin, err) < 0)
		return -1;
	if (host_meta_equal(&twin.meta, &s->meta) || SEEDED("mode-late"))
		return 0;
	return error_set(err, ERROR_FAILED, "%s: the owner, mode, ACL or extended attributes of "
			 "%s could not be copied to it", s->temp, s->path);
}

static int check_ready(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_host_file_ struct host_file twin = HOST_FILE_INIT;

	if (host_file_read(h, s->temp, HOST_READ_ANY, &twin, err) < 0)
		return -1;
	if (digest_equal(&twin.digest, &s->after))
		return 0;
	return error_set(err, ERROR_REFUSED, "%s was altered: it is not what was put aside for %s",
			 s->temp, s->path);
}

static int replace_prepare(const struct host *h, const struct step *s, struct error *err)
{
	if (s->ready)
		return check_ready(h, s, err);
	if (host_file_stage(h, s->temp, s->path, s->after_bytes, s->after_mtime_ns, err) < 0)
		return -1;
	if (check_twin_meta(h, s, err) < 0) {
		(void)host_file_unlink_lazily(h, s->temp, NULL);
		return -1;
	}
	return 0;
}

static int seeded_write_over(const struct host *h, const char *path, struct slice bytes,
			     struct error *err)
{
	_cleanup_close_ int fd = host_open(h, path, O_WRONLY | O_TRUNC, 0);

	return fd < 0 ? error_sys(err, ERROR_FAILED, errno, "%s", path) :
			host_write_all(h, fd, bytes, err);
}

static int seeded_copy_meta(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_close_ int fd = host_open(h, s->path, O_RDONLY, 0);

	return host_meta_copy(h, s->temp, fd, err);
}

static int exchange(const struct host *h, const struct step *s, struct error *err)
{
	return step_rename(h, s, s->temp, s->path, RENAME_EXCHANGE, err);
}

static int replace_apply(const struct host *h, const struct step *s, struct error *err)
{
	enum host_read_flags flags = s->before_bytes.data != NULL ? HOST_READ_NO_DIGEST : 0;
	_cleanup_host_file_ struct host_file old = HOST_FILE_INIT;

	if (SEEDED("in-place") && !s->ready)
		return -(seeded_write_over(h, s->path, s->after_bytes, err) < 0 ||
			 seeded_write_over(h, s->temp, s->before_bytes, err) < 0);
	if (step_check_same(h, s, err) < 0 || exchange(h, s, err) < 0 ||
	    (SEEDED("mode-late") && seeded_copy_meta(h, s, err) < 0) ||
	    host_file_read(h, s->temp, flags, &old, err) < 0)
		return -1;
	if (step_bytes_are_before(s, &old))
		return 0;
	if (exchange(h, s, err) < 0)
		return -1;
	return step_refuse_changed(s, err);
}

/* For a recovery, which has looked at path a moment ago: what comes out of it must be what it saw. */
static int exchange_for(const struct host *h, const struct step *s, enum step_position seen,
			struct error *err)
{
	enum step_position out;

	if (exchange(h, s, err) < 0 || step_locate(h, s->temp, s, &out, err) < 0)
		return -1;
	if (out == seen)
		return 0;
	if (exchange(h, s, err) < 0)
		return -1;
	return error_set(err, ERROR_IN_DOUBT, "%s was changed by somebody else in this very moment",
			 s->path);
}

/* One whose preparation was cut off has the new bytes already, but not the owner and mode. */
static int twin_is_complete(const struct host *h, const struct step *s, bool *ret_is,
			    struct error *err)
{
	_cleanup_host_file_ struct host_file twin = HOST_FILE_INIT, target = HOST_FILE_INIT;
	struct error why = ERROR_INIT;

	*ret_is = s->ready;
	if (s->ready)
		return 0;
	if (read_meta(h, s->temp, &twin, &why) == 0 && read_meta(h, s->path, &target, &why) == 0) {
		*ret_is = host_meta_equal(&twin.meta, &target.meta);
		return 0;
	}
	if (why.code == ERROR_REFUSED)
		return 0;
	*err = why;
	return -1;
}

static int replace_can_finish(const struct host *h, const struct step *s, bool *ret_can,
			      struct error *err)
{
	enum step_position at, aside;

	if (step_locate_both(h, s, &at, &aside, err) < 0)
		return -1;
	/* something else that came out of path was put there in that very moment: it goes back */
	*ret_can = at == STEP_AFTER && aside != STEP_FOREIGN;
	return at == STEP_BEFORE && aside == STEP_AFTER ? twin_is_complete(h, s, ret_can, err) : 0;
}

static int replace_finish(const struct host *h, const struct step *s, struct error *err)
{
	enum step_position at;

	if (step_locate(h, s->path, s, &at, err) < 0)
		return -1;
	if (at == STEP_AFTER)
		return step_sync_folder(h, s, err);
	if (at == STEP_BEFORE)
		return step_sync_temp(h, s, err) < 0 ? -1 : exchange_for(h, s, at, err);
	return error_set(err, ERROR_IN_DOUBT, "%s was changed meanwhile", s->path);
}

/* Somebody removed the old file beside path: the copy in the state folder takes its place. */
static int restore_saved(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_host_file_ struct host_file saved = HOST_FILE_INIT;
	_cleanup_free_ char *copy = NULL;

	if (step_read_saved(h, s, &saved, err) < 0)
		return -1;
	copy = step_copy_path(s->temp, err);
	if (copy == NULL || host_file_unlink_lazily(h, copy, err) < 0 ||
	    host_file_stage(h, copy, s->path, slice_of(saved.bytes.data, saved.bytes.len),
			    saved.meta.mtime_ns, err) < 0 ||
	    step_rename(h, s, copy, s->temp, 0, err) < 0)
		return -1;
	return exchange_for(h, s, STEP_AFTER, err);
}

/* What came out of path is beside it: the old file, or somebody's edit of the last instant, which was
 * not seen before the process was killed. */
static int replace_revert(const struct host *h, const struct step *s, struct error *err)
{
	enum step_position at, aside;

	if (step_locate_both(h, s, &at, &aside, err) < 0)
		return -1;
	switch (at) {
	case STEP_BEFORE:
		return step_sync_folder(h, s, err);
	case STEP_AFTER:
		return aside == STEP_BEFORE || aside == STEP_FOREIGN ?
			       exchange_for(h, s, at, err) :
			       restore_saved(h, s, err);
	case STEP_MISSING:
	case STEP_FOREIGN:
		if (aside == STEP_AFTER)
			return 0; /* ours was never put in place, or was taken back: theirs stays */
		break;
	}
	return step_in_doubt(s, at, aside, err);
}

const struct step_ops step_ops_replace = {
	.name = "replace",
	.check = step_check_same,
	.prepare = replace_prepare,
	.apply = replace_apply,
	.can_finish = replace_can_finish,
	.finish = replace_finish,
	.revert = replace_revert,
};

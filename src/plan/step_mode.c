/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MODE: chmod(2) of a regular file. No link is followed, and what the name leads to is asked of the
 * open file.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "plan/step_kind.h"

enum at {
	AT_BEFORE,
	AT_AFTER,
	AT_OTHER, /* another mode, another kind of file, or none */
};

/* `ret_why` is filled in for a file that is gone, or is not a regular one. */
static int locate(const struct host *h, const struct step *s, enum at *ret,
		  struct error *ret_why, struct error *err)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;

	if (host_file_read(h, s->path, HOST_READ_META, &f, ret_why) < 0) {
		if (ret_why->code != ERROR_REFUSED) {
			*err = *ret_why;
			return -1;
		}
		*ret = AT_OTHER;
		return 0;
	}
	if (f.meta.mode != s->mode_before && f.meta.mode != s->mode_after)
		(void)error_set(ret_why, ERROR_REFUSED,
				"%s has the mode %04o, where it was %04o "
				"and we made it %04o",
				s->path, (unsigned)f.meta.mode, (unsigned)s->mode_before,
				(unsigned)s->mode_after);
	*ret = f.meta.mode == s->mode_before ? AT_BEFORE :
	       f.meta.mode == s->mode_after  ? AT_AFTER :
					       AT_OTHER;
	return 0;
}

static int read_mode(const struct host *h, const struct step *s, int fd, mode_t *ret,
		     struct error *err)
{
	struct stat st;

	if (h->ops->fstatat(h->ctx, fd, "", &st, AT_EMPTY_PATH) < 0)
		return error_sys(err, ERROR_FAILED, errno, "%s", s->path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_REFUSED, "%s is not a regular file", s->path);
	*ret = st.st_mode & 07777;
	return 0;
}

static int set(const struct host *h, const struct step *s, mode_t mode, struct error *err)
{
	_cleanup_close_ int fd =
		host_open(h, s->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	mode_t is;

	if (fd < 0)
		return error_sys(err, ERROR_FAILED, errno, "%s", s->path);
	if (read_mode(h, s, fd, &is, err) < 0)
		return -1;
	if (is != mode && h->ops->fchmod(h->ctx, fd, mode) < 0)
		return error_sys(err, ERROR_FAILED, errno, "setting the mode of %s",
				 s->path);
	if (h->ops->fsync(h->ctx, fd) < 0)
		return error_sys(err, ERROR_FAILED, errno, "fsync of %s", s->path);
	if (read_mode(h, s, fd, &is, err) < 0)
		return -1;
	if (is == mode)
		return 0;
	return error_set(err, ERROR_FAILED, "%s has the mode %04o, not %04o", s->path,
			 (unsigned)is, (unsigned)mode);
}

static int require_before(const struct host *h, const struct step *s, struct error *err)
{
	struct error why = ERROR_INIT;
	enum at at;

	if (locate(h, s, &at, &why, err) < 0)
		return -1;
	if (at == AT_BEFORE)
		return 0;
	if (at == AT_AFTER || why.sys_errno != 0)
		(void)error_set(&why, ERROR_REFUSED,
				"%s was changed by somebody else in this very "
				"moment",
				s->path);
	*err = why;
	return error_hint(err,
			  "Nothing was changed. Look at it, then run the command again.");
}

static int mode_check(const struct host *h, const struct step *s, struct error *err)
{
	if (require_before(h, s, err) < 0)
		return -1;
	return host_require_changeable(h, s->path, err);
}

static int mode_apply(const struct host *h, const struct step *s, struct error *err)
{
	if (require_before(h, s, err) < 0)
		return -1;
	return set(h, s, s->mode_after, err);
}

static int mode_can_finish(const struct host *h, const struct step *s, bool *ret_can,
			   struct error *err)
{
	struct error why = ERROR_INIT;
	enum at at;

	if (locate(h, s, &at, &why, err) < 0)
		return -1;
	*ret_can = at != AT_OTHER;
	return 0;
}

/* Unless it was changed meanwhile. */
static int bring_to(const struct host *h, const struct step *s, mode_t mode,
		    struct error *err)
{
	struct error why = ERROR_INIT;
	enum at at;

	if (locate(h, s, &at, &why, err) < 0)
		return -1;
	if (at != AT_OTHER)
		return set(h, s, mode, err);
	*err = why;
	err->code = ERROR_IN_DOUBT;
	return error_hint(
		err,
		"It was a regular file with the mode %04o. Make it that again, then "
		"`rootlatch recover`.",
		(unsigned)s->mode_before);
}

static int mode_finish(const struct host *h, const struct step *s, struct error *err)
{
	return bring_to(h, s, s->mode_after, err);
}

static int mode_revert(const struct host *h, const struct step *s, struct error *err)
{
	return bring_to(h, s, s->mode_before, err);
}

const struct step_ops step_ops_mode = {
	.name = "mode",
	.check = mode_check,
	.prepare = step_no_op,
	.apply = mode_apply,
	.can_finish = mode_can_finish,
	.finish = mode_finish,
	.revert = mode_revert,
};

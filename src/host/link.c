/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Names and times: symbolic links as they are, never what they lead to; and the folders that
 * come and go with them.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "base/path.h"
#include "host/clock.h"
#include "host/file.h"

/* The folder of `path`; -1 with errno. */
static int open_folder(const struct host *h, const char *path, struct error *err)
{
	_cleanup_free_ char *folder = path_dirname(path, err);

	return folder == NULL ? -1 : host_open_dir(h, folder, err);
}

static bool is_missing(int why)
{
	return why == ENOENT || why == ENOTDIR;
}

static int sync_folder(const struct host *h, int dir, const char *path, struct error *err)
{
	if (h->ops->fsync(h->ctx, dir) < 0)
		return error_sys(err, ERROR_FAILED, errno, "fsync of the folder of %s",
				 path);
	return 0;
}

int host_link_read(const struct host *h, const char *path, char **ret_target,
		   struct stat *ret_st, struct error *err)
{
	_cleanup_close_ int dir = open_folder(h, path, NULL);
	char target[PATH_MAX], *copy;
	struct stat st;
	ssize_t len;

	if (dir < 0 || h->ops->fstatat(h->ctx, dir, path_basename(path), &st,
				       AT_SYMLINK_NOFOLLOW) < 0) {
		if (!is_missing(errno))
			return error_sys(err, ERROR_FAILED, errno, "%s", path);
		st = (struct stat){ .st_mode = 0 };
	}
	if (!S_ISLNK(st.st_mode)) {
		*ret_target = NULL;
		*ret_st = st;
		return 0;
	}
	len = h->ops->readlinkat(h->ctx, dir, path_basename(path), target,
				 sizeof(target));
	if (len < 0)
		return error_sys(err, ERROR_FAILED, errno, "reading the link %s", path);
	copy = str_ndup(target, (size_t)len, err);
	if (copy == NULL)
		return -1;
	*ret_target = copy;
	*ret_st = st;
	return 0;
}

static int set_mtime_in(const struct host *h, int dir, const char *path, int64_t mtime_ns,
			struct error *err)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
					   timespec_of_ns(mtime_ns) };

	if (h->ops->utimensat(h->ctx, dir, path_basename(path), times,
			      AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, ERROR_FAILED, errno, "setting the time of %s",
				 path);
	return 0;
}

int host_link_create(const struct host *h, const char *path, const char *target,
		     int64_t mtime_ns, struct error *err)
{
	_cleanup_close_ int dir = open_folder(h, path, err);

	if (dir < 0)
		return -1;
	if (h->ops->symlinkat(h->ctx, target, dir, path_basename(path)) < 0)
		return error_sys(err, ERROR_FAILED, errno, "making the link %s", path);
	if (mtime_ns >= 0 && set_mtime_in(h, dir, path, mtime_ns, err) < 0)
		return -1;
	return sync_folder(h, dir, path, err);
}

/* A link can't be opened for it; the filesystem's journal takes its inode along with its folder. */
static int sync_inode(const struct host *h, int dir, const char *path,
		      const struct stat *st, struct error *err)
{
	_cleanup_close_ int fd = -1;

	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return sync_folder(h, dir, path, err);
	fd = host_open(h, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0 || h->ops->fsync(h->ctx, fd) < 0)
		return error_sys(err, ERROR_FAILED, errno, "fsync of %s", path);
	return 0;
}

int host_set_mtime(const struct host *h, const char *path, int64_t mtime_ns,
		   struct error *err)
{
	_cleanup_close_ int dir = open_folder(h, path, err);
	struct stat st;

	if (dir < 0)
		return -1;
	if (h->ops->fstatat(h->ctx, dir, path_basename(path), &st, AT_SYMLINK_NOFOLLOW) <
	    0)
		return error_sys(err, ERROR_FAILED, errno, "%s", path);
	if (timespec_ns(st.st_mtim) != mtime_ns &&
	    set_mtime_in(h, dir, path, mtime_ns, err) < 0)
		return -1;
	return sync_inode(h, dir, path, &st, err);
}

int host_dir_make(const struct host *h, const char *path, struct error *err)
{
	_cleanup_close_ int dir = open_folder(h, path, err);
	mode_t mask;
	int r;

	if (dir < 0)
		return -1;
	/* a chmod of its own would leave, when we die before it, a folder that nobody can enter */
	mask = umask(022);
	r = h->ops->mkdirat(h->ctx, dir, path_basename(path), 0755);
	(void)umask(mask);
	if (r < 0 && errno != EEXIST)
		return error_sys(err, ERROR_FAILED, errno, "making the folder %s", path);
	return sync_folder(h, dir, path, err);
}

int host_dir_remove_empty(const struct host *h, const char *path, struct error *err)
{
	_cleanup_close_ int dir = -1;

	if (!host_file_exists(h, path))
		return 0;
	dir = open_folder(h, path, err);
	if (dir < 0)
		return -1;
	if (h->ops->unlinkat(h->ctx, dir, path_basename(path), AT_REMOVEDIR) < 0) {
		if (errno == ENOTEMPTY || errno == EEXIST)
			return 0;
		if (errno != ENOENT)
			return error_sys(err, ERROR_FAILED, errno,
					 "removing the folder %s", path);
	}
	return sync_folder(h, dir, path, err);
}

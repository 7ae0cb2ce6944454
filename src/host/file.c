/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: a file that is managed is opened O_NOFOLLOW | O_NONBLOCK, and what it is gets
 * checked on the descriptor, never on the name. A temporary is complete (bytes, owner, mode,
 * attributes, times, fsync) before anybody renames it.
 */
#include "host/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/file.h>

#include "base/path.h"
#include "base/seeded.h"
#include "host/clock.h"
#include "host/meta.h"

void host_file_release(struct host_file *f)
{
	buffer_release(&f->bytes);
	*f = (struct host_file)HOST_FILE_INIT;
}

bool host_meta_equal(const struct host_meta *a, const struct host_meta *b)
{
	return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
	       digest_equal(&a->attrs, &b->attrs);
}

/* openat2 wants a path relative to the root; "." is the root itself. */
static const char *below_root(const char *path)
{
	while (*path == '/')
		path++;
	return *path != '\0' ? path : ".";
}

static int open_below(const struct host *h, const char *path, int flags, mode_t mode)
{
	int fd;

	/* EAGAIN: somebody renamed a folder while the path was walked (openat2(2)) */
	do
		fd = h->ops->open(h->ctx, h->root_fd, below_root(path), flags | O_CLOEXEC, mode,
				  host_is_live(h) ? 0 : RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd;
}

int host_open(const struct host *h, const char *path, int flags, mode_t mode)
{
	return open_below(h, path, flags | O_NOFOLLOW, mode);
}

int host_open_following(const struct host *h, const char *path, int flags, struct error *err)
{
	int fd = open_below(h, path, flags, 0);

	if (fd < 0)
		return error_sys(err, ERROR_FAILED, errno, "%s", path);
	return fd;
}

int host_open_dir(const struct host *h, const char *path, struct error *err)
{
	int fd = open_below(h, path, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return error_sys(err, ERROR_FAILED, errno, "the folder %s", path);
	return fd;
}

/* The open folder of `path`, for the *at() calls. */
static int open_parent(const struct host *h, const char *path, struct error *err)
{
	_cleanup_free_ char *dir = path_dirname(path, err);

	return dir == NULL ? -1 : host_open_dir(h, dir, err);
}

int host_lstat(const struct host *h, const char *path, struct stat *ret_st)
{
	_cleanup_close_ int dir = open_parent(h, path, NULL);

	if (dir < 0)
		return -1;
	return h->ops->fstatat(h->ctx, dir, path_basename(path), ret_st, AT_SYMLINK_NOFOLLOW);
}

bool host_file_exists(const struct host *h, const char *path)
{
	struct stat st;

	/* what could not be looked for may be there */
	return host_lstat(h, path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

int host_read_all(const struct host *h, int fd, const struct stat *st, const char *path,
		  struct buffer *ret, struct error *err)
{
	_cleanup_buffer_ struct buffer b = BUFFER_INIT;

	if (st->st_size > (off_t)HOST_FILE_MAX)
		return error_set(err, ERROR_REFUSED, "%s: larger than %u MiB", path,
				 HOST_FILE_MAX >> 20);
	/* one byte more than it should have: the end is seen by the first read */
	if (buffer_reserve(&b, (size_t)st->st_size + 1, err) < 0)
		return -1;
	for (;;) {
		ssize_t n;

		if (b.len > HOST_FILE_MAX)
			return error_set(err, ERROR_REFUSED, "%s: larger than %u MiB", path,
					 HOST_FILE_MAX >> 20);
		if (b.cap - b.len < 2 && buffer_reserve(&b, 65536, err) < 0)
			return -1;
		n = h->ops->read(h->ctx, fd, b.data + b.len, b.cap - b.len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_sys(err, ERROR_FAILED, errno, "reading %s", path);
		if (n == 0)
			break;
		b.len += (size_t)n;
	}
	b.data[b.len] = '\0';
	*ret = b;
	b = (struct buffer)BUFFER_INIT;
	return 0;
}

static int check_own(const struct stat *st, const char *path, struct error *err)
{
	if (st->st_uid == 0 && (st->st_mode & 07777) == 0600 && st->st_nlink == 1)
		return 0;
	(void)error_set(err, ERROR_REFUSED, "%s is not as rootlatch left it (owner %u, mode %04o, "
			"%u links): it may have been altered", path, (unsigned)st->st_uid,
			(unsigned)(st->st_mode & 07777), (unsigned)st->st_nlink);
	return error_hint(err, "Nothing was changed. Look who wrote to it; when its content is "
			  "right: chown root: %s; chmod 600 %s", path, path);
}

int host_open_own(const struct host *h, const char *path, int flags, struct error *err)
{
	_cleanup_close_ int fd = host_open(h, path, flags | O_NONBLOCK | O_NOCTTY, 0600);
	struct stat st;

	/* a link, a folder, a FIFO that nobody reads */
	if (fd < 0 && errno != ELOOP && errno != EISDIR && errno != ENXIO)
		return error_sys(err, ERROR_FAILED, errno, "%s", path);
	if (fd >= 0 && h->ops->fstatat(h->ctx, fd, "", &st, AT_EMPTY_PATH) < 0)
		return error_sys(err, ERROR_FAILED, errno, "%s", path);
	if (fd >= 0 && S_ISREG(st.st_mode) && st.st_uid == 0 && st.st_nlink == 1)
		return TAKE_FD(fd);
	(void)error_set(err, ERROR_REFUSED, "%s is not a file of rootlatch's own%s", path,
			fd >= 0 && S_ISREG(st.st_mode) ? " (root's, and without another name)" :
							 ": not a regular file");
	return error_hint(err, "Look who put it there, and take it away.");
}

static int open_for_read(const struct host *h, const char *path, enum host_read_flags flags,
			 struct error *err)
{
	int nofollow = (flags & HOST_READ_FOLLOW) != 0 ? 0 : O_NOFOLLOW;
	int fd = open_below(h, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | nofollow, 0);
	_cleanup_free_ char *target = NULL;

	if (fd >= 0)
		return fd;
	if (errno != ELOOP)
		return error_sys(err, errno == ENOENT ? ERROR_REFUSED : ERROR_FAILED, errno, "%s",
				 path);
	target = host_link_target(h, path, NULL);
	(void)error_set(err, ERROR_REFUSED, "%s is a symbolic link to %s", path,
			target != NULL ? target : "something else");
	return error_hint(err, "Nothing was changed. Name the file itself, or put it in the "
			  "link's place.");
}

int host_file_read(const struct host *h, const char *path, enum host_read_flags flags,
		   struct host_file *ret_file, struct error *err)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	_cleanup_close_ int fd = open_for_read(h, path, flags, err);
	struct stat st;

	if (fd < 0)
		return -1;
	if (h->ops->fstatat(h->ctx, fd, "", &st, AT_EMPTY_PATH) < 0)
		return error_sys(err, ERROR_FAILED, errno, "%s", path);
	if (!S_ISREG(st.st_mode)) {
		(void)error_set(err, ERROR_REFUSED, "%s is not a regular file", path);
		return error_hint(err, "Nothing was changed. It is a folder, a device, a FIFO "
				  "or a socket.");
	}
	if ((flags & HOST_READ_OWN) != 0 && check_own(&st, path, err) < 0)
		return -1;
	if ((flags & HOST_READ_TARGET) != 0 && host_meta_check_target(h, fd, &st, path, err) < 0)
		return -1;
	if ((flags & HOST_READ_META) != HOST_READ_META &&
	    host_read_all(h, fd, &st, path, &f.bytes, err) < 0)
		return -1;
	if ((flags & HOST_READ_NO_DIGEST) == 0)
		f.digest = digest_of(f.bytes.data, f.bytes.len);
	if ((flags & HOST_READ_TARGET) != 0 && host_meta_read_attrs(fd, path, &f.meta, err) < 0)
		return -1;
	f.meta.mode = st.st_mode & 07777;
	f.meta.uid = st.st_uid;
	f.meta.gid = st.st_gid;
	f.meta.mtime_ns = timespec_ns(st.st_mtim);
	f.ctime_ns = timespec_ns(st.st_ctim);
	f.dev = st.st_dev;
	f.ino = st.st_ino;
	*ret_file = f;
	f = (struct host_file)HOST_FILE_INIT;
	return 0;
}

int host_write_all(const struct host *h, int fd, struct slice bytes, struct error *err)
{
	size_t done = 0;

	while (done < bytes.len) {
		ssize_t n = h->ops->write(h->ctx, fd, bytes.data + done, bytes.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_sys(err, ERROR_FAILED, errno, "writing");
		if (n == 0)
			return error_set(err, ERROR_FAILED, "writing: nothing was taken");
		done += (size_t)n;
		if (SEEDED("short-write"))
			break;
	}
	return 0;
}

bool host_file_is_locked(const struct host *h, const char *path)
{
	_cleanup_close_ int fd = host_open(h, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	int r;

	if (fd < 0)
		return false;
	do
		r = h->ops->flock(h->ctx, fd, LOCK_SH | LOCK_NB);
	while (r < 0 && errno == EINTR);
	return r < 0 && errno == EWOULDBLOCK;
}

/* Owner and attributes are those of `like`, or root's and none. */
static int set_meta(const struct host *h, int fd, const char *like, mode_t mode,
		    struct error *err)
{
	if (like != NULL)
		return host_meta_copy(h, like, fd, err);
	if (h->ops->fchmod(h->ctx, fd, mode) < 0)
		return error_sys(err, ERROR_FAILED, errno, "setting the mode");
	return 0;
}

/* A half-written file is no use to anybody: unlink it again. */
static int create_with(const struct host *h, const char *path, struct slice bytes, const char *like,
		       mode_t mode, int64_t mtime_ns, struct error *err)
{
	const int alone = SEEDED("no-excl") ? O_TRUNC : O_EXCL;
	_cleanup_close_ int fd = host_open(h, path, O_WRONLY | O_CREAT | alone, 0600);

	if (fd < 0)
		return error_sys(err, ERROR_FAILED, errno, "creating %s", path);
	if (host_write_all(h, fd, bytes, err) < 0 && !SEEDED("write-unchecked"))
		goto undo;
	if (mtime_ns >= 0) {
		const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
						   timespec_of_ns(mtime_ns) };

		if (h->ops->futimens(h->ctx, fd, times) < 0) {
			(void)error_sys(err, ERROR_FAILED, errno, "setting the time");
			goto undo;
		}
	}
	/* last, so that who finds it with its owner and mode knows that it has all the rest */
	if (!SEEDED("mode-late") && set_meta(h, fd, like, mode, err) < 0)
		goto undo;
	if (SEEDED("no-fsync-file"))
		return 0;
	if (h->ops->fsync(h->ctx, fd) < 0 && !SEEDED("fsync-unchecked")) {
		(void)error_sys(err, ERROR_FAILED, errno, "fsync");
		goto undo;
	}
	return 0;
undo:
	(void)host_file_unlink_lazily(h, path, NULL);
	return error_prefix(err, "%s", path);
}

int host_file_create(const struct host *h, const char *path, struct slice bytes, mode_t mode,
		     int64_t mtime_ns, struct error *err)
{
	return create_with(h, path, bytes, NULL, mode, mtime_ns, err);
}

int host_file_stage(const struct host *h, const char *path, const char *like,
		    struct slice bytes, int64_t mtime_ns, struct error *err)
{
	return create_with(h, path, bytes, like, 0, mtime_ns, err);
}

int host_dir_fsync(const struct host *h, const char *path, struct error *err)
{
	_cleanup_close_ int fd = host_open_dir(h, path, err);

	if (fd < 0)
		return -1;
	if (h->ops->fsync(h->ctx, fd) < 0)
		return error_sys(err, ERROR_FAILED, errno, "fsync of the folder %s", path);
	return 0;
}

static int fsync_fd(const struct host *h, int fd, const char *path, struct error *err)
{
	if (h->ops->fsync(h->ctx, fd) < 0)
		return error_sys(err, ERROR_FAILED, errno, "fsync of the folder of %s", path);
	return 0;
}

static int unlink_in(const struct host *h, const char *path, bool durable, struct error *err)
{
	_cleanup_close_ int dir = -1;

	if (!host_file_exists(h, path))
		return 0;
	dir = open_parent(h, path, err);
	if (dir < 0)
		return -1;
	if (h->ops->unlinkat(h->ctx, dir, path_basename(path), 0) < 0 && errno != ENOENT)
		return error_sys(err, ERROR_FAILED, errno, "removing %s", path);
	return durable ? fsync_fd(h, dir, path, err) : 0;
}

int host_file_unlink(const struct host *h, const char *path, struct error *err)
{
	return unlink_in(h, path, true, err);
}

int host_file_unlink_lazily(const struct host *h, const char *path, struct error *err)
{
	return unlink_in(h, path, false, err);
}

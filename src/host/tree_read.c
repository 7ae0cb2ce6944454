/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A folder is read from its own descriptor, and every entry from that of its folder: no name is
 * walked twice, and no link on the way. What an entry is, is what was opened; where that is
 * another thing than a moment ago, it is looked at once more.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>

#include "base/path.h"
#include "host/tree.h"

#define TRIES 16
#define DEPTH_MAX 16
#define FILE_MAX (16u << 20)
#define BYTES_MAX (64u << 20)

struct reader {
	const struct host *h;
	struct host_tree *tree;
	size_t bytes; /* held by now */
};

static int read_folder(struct reader *r, int fd, const char *path, unsigned depth,
		       struct error *err);

/* 1: it is something else by now. */
static int read_link(struct reader *r, int dir, const char *name, const char *path,
		     const struct stat *st, struct error *err)
{
	struct host_tree_entry *e;
	char target[PATH_MAX];
	ssize_t len = readlinkat(dir, name, target, sizeof(target));

	if (len < 0)
		return errno == EINVAL || errno == ENOENT ? 1 :
		       error_sys(err, ERROR_FAILED, errno, "reading the link %s", path);
	if (len == (ssize_t)sizeof(target))
		return error_sys(err, ERROR_FAILED, ENAMETOOLONG, "reading the link %s", path);
	e = host_tree_add(r->tree, path, st, err);
	if (e == NULL)
		return -1;
	e->target = str_ndup(target, (size_t)len, err);
	return e->target != NULL ? 0 : -1;
}

static int check_size(const struct reader *r, off_t size, const char *path, struct error *err)
{
	if (size > (off_t)FILE_MAX)
		return error_set(err, ERROR_REFUSED, "%s: larger than %u MiB", path,
				 FILE_MAX >> 20);
	if (r->bytes + (size_t)size > BYTES_MAX)
		return error_set(err, ERROR_REFUSED, "%s: with it there are more than %u MiB",
				 path, BYTES_MAX >> 20);
	return 0;
}

static int open_entry(struct reader *r, int dir, const char *name, int flags)
{
	int fd;

	do
		fd = r->h->ops->open(r->h->ctx, dir, name, flags | O_NOFOLLOW | O_CLOEXEC, 0, 0);
	while (fd < 0 && errno == EINTR);
	return fd;
}

static bool is_other_by_now(int why)
{
	return why == ENOENT || why == ELOOP || why == ENOTDIR || why == ENXIO || why == ESTALE;
}

static int read_file(struct reader *r, int dir, const char *name, const char *path,
		     struct error *err)
{
	_cleanup_close_ int fd = open_entry(r, dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct host_tree_entry *e;
	struct stat st;

	if (fd < 0)
		return is_other_by_now(errno) ? 1 :
		       error_sys(err, ERROR_FAILED, errno, "%s", path);
	if (r->h->ops->fstatat(r->h->ctx, fd, "", &st, AT_EMPTY_PATH) < 0)
		return error_sys(err, ERROR_FAILED, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return 1;
	if (check_size(r, st.st_size, path, err) < 0)
		return -1;
	e = host_tree_add(r->tree, path, &st, err);
	if (e == NULL || host_read_all(r->h, fd, &st, path, &e->bytes, err) < 0)
		return -1;
	r->bytes += e->bytes.len;
	return 0;
}

static int read_subfolder(struct reader *r, int dir, const char *name, const char *path,
			  unsigned depth, struct error *err)
{
	int fd = open_entry(r, dir, name, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return is_other_by_now(errno) ? 1 :
		       error_sys(err, ERROR_FAILED, errno, "the folder %s", path);
	return read_folder(r, fd, path, depth + 1, err);
}

static int read_entry(struct reader *r, int dir, const struct dirent *name, const char *path,
		      unsigned depth, struct error *err)
{
	struct stat st;

	/* of what it is said to be, nothing but the cheaper way depends */
	if (name->d_type == DT_REG)
		return read_file(r, dir, name->d_name, path, err);
	if (name->d_type == DT_DIR)
		return read_subfolder(r, dir, name->d_name, path, depth, err);
	if (r->h->ops->fstatat(r->h->ctx, dir, name->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : error_sys(err, ERROR_FAILED, errno, "%s", path);
	if (S_ISLNK(st.st_mode))
		return read_link(r, dir, name->d_name, path, &st, err);
	if (S_ISREG(st.st_mode))
		return read_file(r, dir, name->d_name, path, err);
	if (S_ISDIR(st.st_mode))
		return read_subfolder(r, dir, name->d_name, path, depth, err);
	return host_tree_add(r->tree, path, &st, err) != NULL ? 0 : -1;
}

static int read_name(struct reader *r, int dir, struct dirent *name, const char *folder,
		     unsigned depth, struct error *err)
{
	_cleanup_free_ char *path = path_join(folder, name->d_name, err);

	if (path == NULL)
		return -1;
	for (unsigned i = 0; i < TRIES; i++) {
		int got = read_entry(r, dir, name, path, depth, err);

		if (got <= 0)
			return got;
		name->d_type = DT_UNKNOWN;
	}
	return error_set(err, ERROR_FAILED, "%s is being changed all the time", path);
}

static int read_names(struct reader *r, DIR *dir, const char *path, unsigned depth,
		      struct error *err)
{
	struct dirent *name;

	while ((errno = 0, name = readdir(dir)) != NULL) {
		if (strcmp(name->d_name, ".") == 0 || strcmp(name->d_name, "..") == 0)
			continue;
		if (read_name(r, dirfd(dir), name, path, depth, err) < 0)
			return -1;
	}
	/* it was removed while it was read */
	if (errno != 0 && errno != ENOENT)
		return error_sys(err, ERROR_FAILED, errno, "the folder %s", path);
	return 0;
}

/* Takes the descriptor. */
static int read_folder(struct reader *r, int fd, const char *path, unsigned depth,
		       struct error *err)
{
	_cleanup_close_ int held = fd;
	struct stat st;
	DIR *dir;
	int got;

	if (depth > DEPTH_MAX)
		return error_set(err, ERROR_REFUSED, "%s: more than %d folders deep", path,
				 DEPTH_MAX);
	if (r->h->ops->fstatat(r->h->ctx, fd, "", &st, AT_EMPTY_PATH) < 0)
		return error_sys(err, ERROR_FAILED, errno, "the folder %s", path);
	if (host_tree_add(r->tree, path, &st, err) == NULL)
		return -1;
	dir = fdopendir(fd);
	if (dir == NULL)
		return error_sys(err, ERROR_FAILED, errno, "the folder %s", path);
	(void)TAKE_FD(held);
	got = read_names(r, dir, path, depth, err);
	(void)closedir(dir);
	return got;
}

static int open_folder(const struct host *h, const char *path)
{
	const char *below = path + strspn(path, "/");
	int fd;

	do
		fd = h->ops->open(h->ctx, h->root_fd, *below != '\0' ? below : ".",
				  O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
				  RESOLVE_NO_SYMLINKS);
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd;
}

static int refuse_folder(const char *path, int why, struct error *err)
{
	if (why != ELOOP && why != ENOTDIR)
		return error_sys(err, ERROR_FAILED, why, "the folder %s", path);
	(void)error_set(err, ERROR_REFUSED, why == ELOOP ? "%s is reached by a symbolic link" :
							   "%s is not a folder", path);
	return error_hint(err, "Nothing was changed. The folder itself has to be there.");
}

int host_tree_read_fd(const struct host *h, int fd, const char *path, struct host_tree *t,
		      struct error *err)
{
	struct reader r = { .h = h, .tree = t };

	for (size_t i = 0; i < t->len; i++)
		r.bytes += t->items[i].bytes.len;
	if (read_folder(&r, fd, path, 0, err) < 0)
		return -1;
	host_tree_sort(t);
	return 0;
}

int host_tree_read(const struct host *h, const struct strings *folders, struct host_tree *ret,
		   struct error *err)
{
	_cleanup_host_tree_ struct host_tree t = HOST_TREE_INIT;
	struct reader r = { .h = h, .tree = &t };

	for (size_t i = 0; i < folders->len; i++) {
		int fd = open_folder(h, folders->items[i]);

		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return refuse_folder(folders->items[i], errno, err);
		if (read_folder(&r, fd, folders->items[i], 0, err) < 0)
			return -1;
	}
	host_tree_sort(&t);
	*ret = t;
	t = (struct host_tree)HOST_TREE_INIT;
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is shown is written to a tmpfs that only this child sees, and bound over the real paths.
 * A file that is not there has nothing to be bound over, and its folder is a real one: the folder
 * is shown anew, as a copy on that tmpfs with all the real entries bound in, and the file is
 * written beside them.
 *
 * Invariant: nothing is made in a folder that does not lie on the tmpfs (struct scratch).
 * Nothing here allocates much or reports through struct error: it runs between fork and exec.
 */
#include "host/namespace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "base/path.h"
#include "host/file.h"

#define TRIES 16

static bool is_empty_dir(const char *path)
{
	const struct dirent *entry;
	size_t n = 0;
	DIR *dir = opendir(path);

	if (dir == NULL)
		return false;
	while (n <= 2 && (entry = readdir(dir)) != NULL)
		n++; /* "." and ".." */
	(void)closedir(dir);
	return n == 2;
}

static bool hides_a_view(const struct host *h, const struct host_command *cmd, const char *path)
{
	bool hides = !host_is_live(h) && path_is_below(h->root, path);

	for (size_t v = 0; v < cmd->n_views && host_is_live(h); v++)
		hides |= path_is_below(cmd->views[v].path, path);
	return hides;
}

/* A folder to mount the scratch tmpfs on. An empty one hides nothing, and the mount can stay for as
 * long as the child lives: unmounting it costs an RCU grace period, which may be more than sshd
 * itself. */
static const char *find_scratch(const struct host *h, const struct host_command *cmd,
				bool *ret_empty)
{
	static const char *const candidates[] = { "/media", "/mnt", "/srv", "/opt", "/home",
						  "/var/opt", "/var/local", "/tmp", "/var/tmp" };
	const char *usable = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(candidates); i++) {
		struct stat st;

		if (hides_a_view(h, cmd, candidates[i]) || lstat(candidates[i], &st) < 0 ||
		    !S_ISDIR(st.st_mode))
			continue;
		*ret_empty = is_empty_dir(candidates[i]);
		if (*ret_empty)
			return candidates[i];
		usable = candidates[i];
	}
	errno = ENOENT;
	return usable;
}

int namespace_bind(const char *source, int target_fd)
{
	char target[64];

	(void)snprintf(target, sizeof(target), "/proc/self/fd/%d", target_fd);
	return mount(source, target, "none", MS_BIND, NULL);
}

/* For an entry that is gone by now there is no twin. */
static int twin_failed(int copy, const char *name, int flags)
{
	int why = errno;

	(void)unlinkat(copy, name, flags);
	errno = why;
	return why == ENOENT || why == ESTALE ? 0 : -1;
}

static int copy_link(int real, int copy, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(real, name, target, sizeof(target) - 1);

	if (len < 0)
		return errno == ENOENT ? 0 : -1;
	target[len] = '\0';
	if (symlinkat(target, copy, name) < 0)
		return -1;
	/* in a sticky folder it depends on the owner whether it is followed (proc_sys_fs(5)) */
	return fchownat(copy, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW);
}

static int make_twin(const struct scratch *s, int real, int copy, const char *name)
{
	char from[64 + NAME_MAX], to[64 + NAME_MAX];
	struct stat st;

	if (fstatat(real, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0; /* gone, or not to be seen by the command either */
	if (S_ISLNK(st.st_mode))
		return copy_link(real, copy, name, &st);
	(void)snprintf(from, sizeof(from), "/proc/self/fd/%d/%s", real, name);
	(void)snprintf(to, sizeof(to), "/proc/self/fd/%d/%s", copy, name);
	if (!S_ISDIR(st.st_mode)) {
		if (mknodat(copy, name, S_IFREG | 0600, 0) < 0)
			return -1;
		return mount(from, to, "none", MS_BIND, NULL) < 0 ? twin_failed(copy, name, 0) : 0;
	}
	if (s->hides && st.st_dev == s->dev && st.st_ino == s->ino) {
		errno = EPERM; /* what lies below it could not be bound in: not in this way */
		return -1;
	}
	if (mkdirat(copy, name, 0700) < 0)
		return -1;
	return mount(from, to, "none", MS_BIND | MS_REC, NULL) < 0 ?
		       twin_failed(copy, name, AT_REMOVEDIR) : 0;
}

static int fill_from(const struct scratch *s, DIR *dir, int real, int copy)
{
	const struct dirent *entry;

	while (errno = 0, (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    make_twin(s, real, copy, entry->d_name) < 0)
			return -1;
	}
	return errno == 0 ? 0 : -1;
}

/* All or nothing: sshd passes over a file that its Include does not find. */
static int fill_copy(const struct scratch *s, int real, int copy)
{
	int fd = openat(real, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	int failed, why;

	if (dir == NULL)
		return -1;
	failed = fill_from(s, dir, real, copy);
	why = errno;
	(void)closedir(dir);
	errno = why;
	return failed;
}

static bool is_on_scratch(const struct scratch *s, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_dev == s->dev;
}

static bool is_same(int fd, const struct stat *st)
{
	struct stat other;

	return fstat(fd, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

/* A lookup of / itself stays below, one of its parent does not. */
int namespace_topmost(int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t len;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path));
	if (len < 0 || len == (ssize_t)sizeof(path))
		return -1;
	path[len] = '\0';
	return TEMP_FAILURE_RETRY(open(len > 1 ? path : "/..",
				       O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/* The root was shown anew: what is looked up from here on starts there. */
static int change_root(struct host *h, int copy)
{
	h->root_fd = fcntl(copy, F_DUPFD_CLOEXEC, 3);
	if (h->root_fd < 0 || !host_is_live(h))
		return h->root_fd < 0 ? -1 : 0;
	return fchdir(copy) < 0 ? -1 : chroot(".");
}

/* Shows the open folder `real` anew. Returns the copy, open. */
static int show_anew(struct host *h, struct scratch *s, int real)
{
	_cleanup_close_ int copy = -1;
	char path[128];
	struct stat st;
	bool is_root;

	(void)snprintf(path, sizeof(path), "%s/copy.%u", s->path, s->copies++);
	if (fstat(real, &st) < 0 || mkdir(path, 0700) < 0 ||
	    chown(path, st.st_uid, st.st_gid) < 0 || chmod(path, st.st_mode & 07777) < 0)
		return -1;
	is_root = is_same(h->root_fd, &st);
	/* first mounted, then filled: the other way round each entry would be bound twice */
	if (namespace_bind(path, real) < 0)
		return -1;
	copy = namespace_topmost(real);
	if (copy < 0)
		return -1;
	if (!is_on_scratch(s, copy)) {
		errno = EXDEV; /* somebody renamed it in this moment */
		return -1;
	}
	if (fill_copy(s, real, copy) < 0 || (is_root && change_root(h, copy) < 0))
		return -1;
	return TAKE_FD(copy);
}

/* The nearest folder above `path` that is there, with links followed below the root, and what is
 * missing below it. */
static int open_nearest(const struct host *h, const char *path, const char **ret_rest)
{
	size_t len = strlen(path);
	char dir[PATH_MAX];
	int fd;

	if (len >= sizeof(dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)memcpy(dir, path, len);
	do {
		while (len > 0 && dir[len - 1] != '/')
			len--;
		while (len > 0 && dir[len - 1] == '/')
			len--;
		dir[len] = '\0';
		fd = host_open_following(h, dir, O_PATH | O_DIRECTORY, NULL);
	} while (fd < 0 && errno == ENOENT && len > 0);
	*ret_rest = path + len;
	return fd;
}

/* An open folder on the scratch tmpfs where what is missing of `path` can be made. */
static int open_place(struct host *h, struct scratch *s, const char *path, const char **ret_rest)
{
	_cleanup_close_ int fd = open_nearest(h, path, ret_rest);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (st.st_dev != s->dev)
		return show_anew(h, s, fd);
	if (st.st_ino == s->ino) {
		errno = EPERM; /* by a link to where we work ourselves: not in this way */
		return -1;
	}
	return TAKE_FD(fd);
}

static int write_file(const struct host *h, int dir, const char *name, struct slice bytes)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	return fd < 0 ? -1 : host_write_all(h, fd, bytes, NULL);
}

static int next_name(const char **rest, char ret[NAME_MAX + 1])
{
	size_t len;

	*rest += strspn(*rest, "/");
	len = strcspn(*rest, "/");
	if (len > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)memcpy(ret, *rest, len);
	ret[len] = '\0';
	*rest += len;
	return 0;
}

/* A file (`bytes` NULL: a folder) that is not there, and the folders that it lacks. */
static int show_missing(struct host *h, struct scratch *s, const char *path,
			const struct slice *bytes)
{
	const char *rest;
	_cleanup_close_ int dir = open_place(h, s, path, &rest);
	char name[NAME_MAX + 1];

	while (dir >= 0) {
		int up = dir;

		if (next_name(&rest, name) < 0)
			return -1;
		if (*rest == '\0' && bytes != NULL)
			return write_file(h, dir, name, *bytes);
		if (mkdirat(dir, name, 0755) < 0)
			return -1;
		if (*rest == '\0')
			return 0;
		dir = openat(up, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		(void)close(up);
	}
	return -1;
}

/* In this moment somebody may make what is missing, our own parent for one: then it is looked at
 * once more. */
static int try_view(struct host *h, struct scratch *s, size_t number,
		    const struct host_view *view)
{
	_cleanup_close_ int fd = -1, target = host_open(h, view->path, O_PATH, 0);
	char path[128];

	if (target < 0)
		return errno == ENOENT ? show_missing(h, s, view->path, &view->bytes) : -1;
	(void)snprintf(path, sizeof(path), "%s/%zu", s->path, number);
	fd = TEMP_FAILURE_RETRY(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
	if (fd < 0 || host_write_all(h, fd, view->bytes, NULL) < 0)
		return -1;
	return namespace_bind(path, target);
}

static int show_view(struct host *h, struct scratch *s, size_t number,
		     const struct host_view *view)
{
	int r, tries = TRIES;

	do
		r = try_view(h, s, number, view);
	while (r < 0 && errno == EEXIST && --tries > 0);
	return r;
}

static int show_missing_dir(struct host *h, struct scratch *s, const char *path)
{
	int r, tries = TRIES;

	do
		r = host_file_exists(h, path) ? 0 : show_missing(h, s, path, NULL);
	while (r < 0 && errno == EEXIST && --tries > 0);
	return r;
}

/* sshd stops without a /dev/null, which an image need not have. */
static int show_dev_null(const struct host *h)
{
	_cleanup_close_ int have = host_open(h, "/dev/null", O_PATH, 0);
	char dev[4096], null[4200];
	struct stat st;

	if (have >= 0 && fstat(have, &st) == 0 && S_ISCHR(st.st_mode))
		return 0;
	(void)snprintf(dev, sizeof(dev), "%s/dev", h->root);
	(void)snprintf(null, sizeof(null), "%s/null", dev);
	if (mount("tmpfs", dev, "tmpfs", 0, "mode=0755,size=64k") < 0 ||
	    mknod(null, S_IFREG | 0600, 0) < 0)
		return -1;
	return mount("/dev/null", null, "none", MS_BIND, NULL);
}

int namespace_mount_scratch(const struct host *h, const struct host_command *cmd,
			    struct scratch *ret)
{
	bool empty = false;
	struct stat st;

	ret->path = find_scratch(h, cmd, &empty);
	if (ret->path == NULL || mount("tmpfs", ret->path, "tmpfs", 0, "mode=0700") < 0 ||
	    stat(ret->path, &st) < 0)
		return -1;
	ret->hides = !empty;
	ret->dev = st.st_dev;
	ret->ino = st.st_ino;
	return 0;
}

static int show_everything(struct host *h, const struct host_command *cmd)
{
	bool missing = cmd->missing_dir != NULL && !host_file_exists(h, cmd->missing_dir);
	struct scratch s = { .path = NULL };

	/* without a /dev what is rehearsed goes as far as it does in earnest */
	if (!host_is_live(h) && show_dev_null(h) < 0 && (cmd->stage == NULL || errno != ENOENT))
		return -1;
	if (cmd->stage != NULL)
		return stage_show(h, cmd);
	if (cmd->n_views == 0 && !missing)
		return 0;
	if (namespace_mount_scratch(h, cmd, &s) < 0)
		return -1;
	if (missing && show_missing_dir(h, &s, cmd->missing_dir) < 0)
		return -1;
	for (size_t i = 0; i < cmd->n_views; i++)
		if (show_view(h, &s, i, &cmd->views[i]) < 0)
			return -1;
	/* the binds keep it alive */
	return s.hides ? umount2(s.path, MNT_DETACH) : 0;
}

static int enter_root(const struct host *h)
{
	if (host_is_live(h))
		return 0;
	if (fchdir(h->root_fd) < 0 || chroot(".") < 0)
		return -1;
	return chdir("/");
}

static enum namespace_result enter_mounts(struct host *h, const struct host_command *cmd)
{
	mode_t mask;
	int failed;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		return NAMESPACE_UNAVAILABLE;
	/* the descriptor that we came with still leads into the mounts of the parent */
	h->root_fd = TEMP_FAILURE_RETRY(open(h->root, O_PATH | O_DIRECTORY | O_CLOEXEC));
	if (h->root_fd < 0)
		return NAMESPACE_FAILED;
	mask = umask(022); /* what is made has the modes that it was made with */
	failed = show_everything(h, cmd);
	/* what a rehearsed command makes is to be what anybody's would be: readable */
	if (cmd->stage == NULL)
		(void)umask(mask);
	if (failed < 0)
		return errno == EPERM || errno == EACCES ? NAMESPACE_UNAVAILABLE :
							   NAMESPACE_FAILED;
	return NAMESPACE_READY;
}

enum namespace_result namespace_enter(const struct host *h, const struct host_command *cmd)
{
	enum namespace_result result = NAMESPACE_READY;
	struct host inside = *h;

	if (cmd->private_mounts)
		result = enter_mounts(&inside, cmd);
	if (result == NAMESPACE_READY && cmd->in_root && enter_root(&inside) < 0)
		return NAMESPACE_FAILED;
	return result;
}

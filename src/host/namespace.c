/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The views are written to a tmpfs that only this child sees, and bound over the real paths.
 * Nothing here allocates much or reports through struct error: it runs between fork and exec.
 */
#include "host/namespace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "base/path.h"
#include "host/file.h"

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

static int bind_onto(const char *source, int target_fd, unsigned long flags)
{
	char target[64];

	(void)snprintf(target, sizeof(target), "/proc/self/fd/%d", target_fd);
	return mount(source, target, "none", MS_BIND | flags, NULL);
}

static int show_view(const struct host *h, const char *scratch, size_t number,
		     const struct host_view *view)
{
	char path[128];
	_cleanup_close_ int fd = -1, target = -1;

	(void)snprintf(path, sizeof(path), "%s/%zu", scratch, number);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || host_write_all(h, fd, view->bytes, NULL) < 0)
		return -1;
	target = host_open(h, view->path, O_PATH, 0);
	if (target < 0)
		return -1;
	return bind_onto(path, target, 0);
}

static int make_twin(const char *from, const char *to, const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return mkdir(to, 0700) < 0 ? -1 : mount(from, to, "none", MS_BIND | MS_REC, NULL);
	if (S_ISLNK(st->st_mode)) {
		char target[4096];
		ssize_t len = readlink(from, target, sizeof(target) - 1);

		if (len < 0)
			return -1;
		target[len] = '\0';
		return symlink(target, to);
	}
	if (mknod(to, S_IFREG | 0600, 0) < 0)
		return -1;
	return mount(from, to, "none", MS_BIND, NULL);
}

/* A new folder can't be made in the real parent, so the parent is shown anew: all its entries
 * bound in, and the one that is missing beside them. */
static int show_missing_dir(const struct host *h, const char *scratch, const char *path)
{
	const char *prefix = host_is_live(h) ? "" : h->root;
	char parent[2048], copy[128], from[4096], to[4096];
	const struct dirent *entry;
	DIR *dir;

	(void)snprintf(parent, sizeof(parent), "%s%.*s", prefix,
		       (int)(path_basename(path) - path), path);
	(void)snprintf(copy, sizeof(copy), "%s/parent", scratch);
	if (mkdir(copy, 0755) < 0 || chmod(copy, 0755) < 0)
		return -1;
	dir = opendir(parent);
	if (dir == NULL)
		return -1;
	while ((entry = readdir(dir)) != NULL) {
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(from, sizeof(from), "%s/%s", parent, entry->d_name);
		(void)snprintf(to, sizeof(to), "%s/%s", copy, entry->d_name);
		/* what can't be shown is no reason to fail: sshd will say what it misses */
		if (lstat(from, &st) == 0)
			(void)make_twin(from, to, &st);
	}
	(void)closedir(dir);
	(void)snprintf(to, sizeof(to), "%s/%s", copy, path_basename(path));
	if (mkdir(to, 0755) < 0 || chmod(to, 0755) < 0)
		return -1;
	return mount(copy, parent, "none", MS_BIND | MS_REC, NULL);
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

static int show_everything(const struct host *h, const struct host_command *cmd)
{
	bool missing = cmd->missing_dir != NULL && !host_file_exists(h, cmd->missing_dir);
	const char *scratch;
	bool empty;

	if (!host_is_live(h) && show_dev_null(h) < 0)
		return -1;
	if (cmd->n_views == 0 && !missing)
		return 0;
	scratch = find_scratch(h, cmd, &empty);
	if (scratch == NULL || mount("tmpfs", scratch, "tmpfs", 0, "mode=0700") < 0)
		return -1;
	if (missing && show_missing_dir(h, scratch, cmd->missing_dir) < 0)
		return -1;
	for (size_t i = 0; i < cmd->n_views; i++)
		if (show_view(h, scratch, i, &cmd->views[i]) < 0)
			return -1;
	/* the binds keep it alive */
	return empty ? 0 : umount2(scratch, MNT_DETACH);
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
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		return NAMESPACE_UNAVAILABLE;
	/* the descriptor that we came with still leads into the mounts of the parent */
	h->root_fd = open(h->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (h->root_fd < 0)
		return NAMESPACE_FAILED;
	if (show_everything(h, cmd) < 0)
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

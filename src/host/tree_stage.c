/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The child's part of a rehearsal, between fork and exec: every mount that it came with is
 * read-only from the first moment on, then a tmpfs of its own covers /run, the folders are written
 * out on it and bound over the real ones, and an empty folder of it covers it in turn.
 *
 * Invariant: the only files that can be written to, by the command and whatever it leaves running,
 * lie on that tmpfs.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/path.h"
#include "host/clock.h"
#include "host/namespace.h"
#include "host/tree.h"

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

#define SET_ALL_BELOW 0x8000 /* AT_RECURSIVE, which fcntl.h need not know */

/* struct mount_attr of mount_setattr(2), in case the headers are older. */
struct mount_attributes {
	uint64_t set, clear, propagation, userns;
};

/* What lies below another mount, or out of reach, is no way to write to. */
static bool is_out_of_reach(int why)
{
	return why == ENOENT || why == ENOTDIR || why == EINVAL || why == EACCES;
}

static int make_one_read_only(const struct mntent *m)
{
	unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY;

	/* what is not said again would be taken away */
	flags |= hasmntopt(m, "nosuid") != NULL ? MS_NOSUID : 0;
	flags |= hasmntopt(m, "nodev") != NULL ? MS_NODEV : 0;
	flags |= hasmntopt(m, "noexec") != NULL ? MS_NOEXEC : 0;
	return mount("none", m->mnt_dir, "none", flags, NULL) == 0 || is_out_of_reach(errno) ? 0 : -1;
}

/* For kernels before 5.12. */
static int make_each_read_only(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *m;
	int r = 0;

	if (mounts == NULL)
		return -1;
	while (r == 0 && (m = getmntent(mounts)) != NULL)
		r = make_one_read_only(m);
	(void)endmntent(mounts);
	return r;
}

static int make_read_only(void)
{
	struct mount_attributes attr = { .set = 1 }; /* MOUNT_ATTR_RDONLY */

	if (syscall(SYS_mount_setattr, AT_FDCWD, "/", SET_ALL_BELOW, &attr, sizeof(attr)) == 0)
		return 0;
	return errno == ENOSYS ? make_each_read_only() : -1;
}

static int write_file(const struct host *h, int root, const char *path,
		      const struct host_tree_entry *e)
{
	const struct timespec times[2] = { timespec_of_ns(e->mtime_ns),
					   timespec_of_ns(e->mtime_ns) };
	_cleanup_close_ int fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || host_write_all(h, fd, slice_of(e->bytes.data, e->bytes.len), NULL) < 0 ||
	    fchown(fd, e->uid, e->gid) < 0 || fchmod(fd, e->mode) < 0)
		return -1;
	return futimens(fd, times);
}

static int set_times(int root, const char *path, const struct host_tree_entry *e)
{
	const struct timespec times[2] = { timespec_of_ns(e->mtime_ns),
					   timespec_of_ns(e->mtime_ns) };

	return utimensat(root, path, times, AT_SYMLINK_NOFOLLOW);
}

static int write_link(int root, const char *path, const struct host_tree_entry *e)
{
	if (symlinkat(e->target, root, path) < 0 ||
	    fchownat(root, path, e->uid, e->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	return set_times(root, path, e);
}

static int write_entry(const struct host *h, int root, const char *path,
		       const struct host_tree_entry *e)
{
	switch (e->kind) {
	case HOST_TREE_FOLDER:
		if (mkdirat(root, path, 0700) < 0 || fchownat(root, path, e->uid, e->gid, 0) < 0)
			return -1;
		return fchmodat(root, path, e->mode, 0);
	case HOST_TREE_FILE:
		return write_file(h, root, path, e);
	case HOST_TREE_LINK:
		return write_link(root, path, e);
	case HOST_TREE_OTHER:
		break;
	}
	return 0;
}

/* Folder N becomes "N". The times of a folder last, when nothing is made in it any more. */
static int write_folder(const struct host *h, const struct host_stage *stage, int root, size_t n)
{
	const char *folder = stage->folders->items[n];
	const struct host_tree *t = stage->tree;
	char path[PATH_MAX + 32];

	for (size_t i = 0; i < 2 * t->len; i++) {
		bool again = i >= t->len;
		const struct host_tree_entry *e = &t->items[again ? i - t->len : i];
		int r;

		if (!path_is_below(e->path, folder) || (again && e->kind != HOST_TREE_FOLDER))
			continue;
		(void)snprintf(path, sizeof(path), "%zu%s", n, e->path + strlen(folder));
		r = again ? set_times(root, path, e) : write_entry(h, root, path, e);
		if (r < 0)
			return -1;
	}
	return 0;
}

/* It comes with another one that is shown. */
static bool is_inside_another(const struct host_stage *stage, size_t n)
{
	const char *path = stage->folders->items[n];

	for (size_t i = 0; i < stage->folders->len; i++) {
		const char *other = stage->folders->items[i];

		if (i != n && path_is_below(path, other) && host_tree_find(stage->tree, other) &&
		    (i < n || strcmp(path, other) != 0))
			return true;
	}
	return false;
}

bool stage_shows(const struct host_stage *stage, size_t n)
{
	const struct host_tree_entry *e = host_tree_find(stage->tree, stage->folders->items[n]);

	return e != NULL && e->kind == HOST_TREE_FOLDER && !is_inside_another(stage, n);
}

static int show_folders(const struct host *h, const struct host_stage *stage, int root,
			const int *real)
{
	for (size_t i = 0; i < stage->folders->len; i++) {
		char copy[64];

		if (real[i] < 0)
			continue;
		(void)snprintf(copy, sizeof(copy), "/proc/self/fd/%d/%zu", root, i);
		if (write_folder(h, stage, root, i) < 0 || namespace_bind(copy, real[i]) < 0)
			return -1;
	}
	return 0;
}

/* The copies lie below an empty folder then. */
static int cover(int root)
{
	char empty[64];

	(void)snprintf(empty, sizeof(empty), "/proc/self/fd/%d/empty", root);
	return mkdirat(root, "empty", 0755) < 0 ? -1 : namespace_bind(empty, root);
}

/* The descriptor is sent while no program of theirs has run yet. */
static int send_folder(int socket, int root)
{
	_cleanup_close_ int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .bytes = { 0 } };
	struct iovec byte = { .iov_base = (char[]){ 0 }, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &byte, .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	if (fd < 0)
		return -1;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	(void)memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return TEMP_FAILURE_RETRY(sendmsg(socket, &message, MSG_NOSIGNAL)) < 0 ? -1 : 0;
}

static int mount_on(int fd)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") < 0)
		return -1;
	return namespace_topmost(fd);
}

/* Where there is no /run there is nothing to hide, and some other place will do. */
static int show_elsewhere(const struct host *h, const struct host_command *cmd, const int *real)
{
	_cleanup_close_ int root = -1;
	struct scratch s;

	if (namespace_mount_scratch(h, cmd, &s) < 0)
		return -1;
	root = TEMP_FAILURE_RETRY(open(s.path, O_PATH | O_DIRECTORY | O_CLOEXEC));
	if (root < 0 || show_folders(h, cmd->stage, root, real) < 0 ||
	    send_folder(cmd->stage->socket, root) < 0)
		return -1;
	return umount2(s.path, MNT_DETACH);
}

static int show_below_run(const struct host *h, const struct host_stage *stage, int run,
			  const int *real)
{
	_cleanup_close_ int root = mount_on(run);

	if (root < 0 || show_folders(h, stage, root, real) < 0 || cover(root) < 0)
		return -1;
	return send_folder(stage->socket, root);
}

int stage_show(const struct host *h, const struct host_command *cmd)
{
	_cleanup_close_ int run = host_open_following(h, "/run", O_PATH | O_DIRECTORY, NULL);
	const struct host_stage *stage = cmd->stage;
	size_t n = stage->folders->len;
	_cleanup_free_ int *real = calloc(n + 1, sizeof(*real));

	if (real == NULL || (run < 0 && errno != ENOENT) || make_read_only() < 0)
		return -1;
	/* before anything is covered */
	for (size_t i = 0; i < n; i++) {
		real[i] = !stage_shows(stage, i) ? -1 :
			  host_open(h, stage->folders->items[i], O_PATH | O_DIRECTORY, 0);
		if (real[i] < 0 && stage_shows(stage, i) && errno != ENOENT)
			return -1;
	}
	/* the descriptors go with exec */
	return run >= 0 ? show_below_run(h, stage, run, real) : show_elsewhere(h, cmd, real);
}

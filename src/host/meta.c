/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: what can't be copied is an error, never silently lost; nothing is cleared that an
 * administrator set.
 */
#include "host/meta.h"

#include <acl/libacl.h>
#include <attr/libattr.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/acl.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include "base/path.h"

static int append_attr(int fd, const char *name, struct buffer *all, struct error *err)
{
	ssize_t len = fgetxattr(fd, name, NULL, 0);

	if (len < 0)
		return error_sys(err, ERROR_FAILED, errno, "attribute %s", name);
	if (buffer_printf(all, err, "%s %zd ", name, len) < 0 ||
	    buffer_reserve(all, (size_t)len, err) < 0)
		return -1;
	len = fgetxattr(fd, name, all->data + all->len, (size_t)len);
	if (len < 0)
		return error_sys(err, ERROR_FAILED, errno, "attribute %s", name);
	all->len += (size_t)len;
	all->data[all->len] = '\0';
	return 0;
}

static int list_attrs(int fd, struct strings *names, struct error *err)
{
	_cleanup_free_ char *list = NULL;
	ssize_t len = flistxattr(fd, NULL, 0);

	if (len < 0)
		return errno == ENOTSUP ? 0 : error_sys(err, ERROR_FAILED, errno, "attributes");
	if (len == 0)
		return 0;
	list = malloc((size_t)len);
	if (list == NULL)
		return error_oom(err);
	len = flistxattr(fd, list, (size_t)len);
	if (len < 0)
		return error_sys(err, ERROR_FAILED, errno, "attributes");
	for (char *p = list; p < list + len; p += strlen(p) + 1)
		if (strings_add(names, p, err) < 0)
			return -1;
	strings_sort(names);
	return 0;
}

int host_meta_read_attrs(int fd, const char *path, struct host_meta *meta, struct error *err)
{
	_cleanup_strings_ struct strings names = STRINGS_INIT;
	_cleanup_buffer_ struct buffer all = BUFFER_INIT;

	if (list_attrs(fd, &names, err) < 0)
		return error_prefix(err, "%s", path);
	for (size_t i = 0; i < names.len; i++)
		if (append_attr(fd, names.items[i], &all, err) < 0)
			return error_prefix(err, "%s", path);
	meta->attrs = digest_of(all.data != NULL ? all.data : "", all.len);
	return 0;
}

/* libattr leaves ACLs to libacl, unless asked; everything else is copied. */
static int copy_all_but_acl(const char *name, struct error_context *ctx)
{
	return strcmp(name, "system.posix_acl_access") != 0 &&
	       strcmp(name, "system.posix_acl_default") != 0;
}

int host_meta_copy(const struct host *h, const char *like, int fd, struct error *err)
{
	_cleanup_close_ int from = host_open(h, like, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;

	if (from < 0 || h->ops->fstatat(h->ctx, from, "", &st, AT_EMPTY_PATH) < 0)
		return error_sys(err, ERROR_FAILED, errno, "%s", like);
	if (h->ops->fchown(h->ctx, fd, st.st_uid, st.st_gid) < 0)
		return error_sys(err, ERROR_FAILED, errno, "setting the owner");
	if (attr_copy_fd(like, from, "the new file", fd, copy_all_but_acl, NULL) < 0)
		return error_sys(err, ERROR_FAILED, errno, "copying the extended attributes of %s",
				 like);
	/* chmod before the ACL, whose mask it would change */
	if (h->ops->fchmod(h->ctx, fd, st.st_mode & 07777) < 0)
		return error_sys(err, ERROR_FAILED, errno, "setting the mode");
	if (perm_copy_fd(like, from, "the new file", fd, NULL) < 0)
		return error_sys(err, ERROR_FAILED, errno, "copying the ACL of %s", like);
	return 0;
}

char *host_link_target(const struct host *h, const char *path, struct error *err)
{
	char target[4096];
	_cleanup_close_ int fd = host_open(h, path, O_PATH, 0);
	ssize_t len;

	if (fd < 0)
		return NULL;
	len = h->ops->readlinkat(h->ctx, fd, "", target, sizeof(target));
	if (len < 0)
		return NULL;
	return str_ndup(target, (size_t)len, err);
}

/* The real path of an open folder; its length, or -1. */
static ssize_t real_path(int fd, char *ret, size_t len)
{
	char link[64];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, ret, len - 1);
	if (n >= 0)
		ret[n] = '\0';
	return n;
}

char *host_canonical(const struct host *h, const char *path, struct error *err)
{
	_cleanup_free_ char *folder = path_dirname(path, err);
	char root[4096], real[4096];
	_cleanup_close_ int fd = -1;

	if (folder == NULL)
		return NULL;
	fd = host_open_dir(h, folder, NULL);
	/* the root's own name may have had links in it too */
	if (fd < 0 || real_path(fd, real, sizeof(real)) < 0 ||
	    real_path(h->root_fd, root, sizeof(root)) < 0 || !path_is_below(real, root))
		return str_dup(path, err);
	return path_join(host_is_live(h) ? real : real + strlen(root), path_basename(path), err);
}

static int refuse(struct error *err, const char *path, const char *reason, const char *remedy)
{
	(void)error_set(err, ERROR_REFUSED, "%s %s", path, reason);
	return error_hint(err, "Nothing was changed. %s", remedy);
}

static int check_flags(int fd, const char *path, struct error *err)
{
	int flags = 0;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return 0; /* a filesystem without such flags */
	if ((flags & FS_IMMUTABLE_FL) != 0)
		return refuse(err, path, "is immutable", "lsattr shows the flag, chattr -i "
			      "takes it away, if that is meant.");
	if ((flags & FS_APPEND_FL) != 0)
		return refuse(err, path, "is append-only", "lsattr shows the flag, chattr -a "
			      "takes it away, if that is meant.");
	return 0;
}

static int check_writable(int fd, const char *path, struct error *err)
{
	struct statvfs vfs;

	if (fstatvfs(fd, &vfs) == 0 && (vfs.f_flag & ST_RDONLY) != 0)
		return refuse(err, path, "lies on a read-only filesystem",
			      "It must be mounted read-write first.");
	return 0;
}

static int check_mount(int fd, const char *path, struct error *err)
{
	struct statx stx;

	if (check_writable(fd, path, err) < 0)
		return -1;
	if (statx(fd, "", AT_EMPTY_PATH, 0, &stx) == 0 &&
	    (stx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0 &&
	    (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0)
		return refuse(err, path, "is a mount point of its own (a bind mount)",
			      "It can't be replaced atomically here; change the file that is "
			      "mounted.");
	return 0;
}

int host_require_changeable(const struct host *h, const char *path, struct error *err)
{
	_cleanup_close_ int fd = host_open_following(h, path, O_RDONLY | O_NONBLOCK | O_NOCTTY,
						     NULL);

	if (fd < 0)
		return errno == ENOENT ? 0 : error_sys(err, ERROR_REFUSED, errno, "%s", path);
	return check_flags(fd, path, err) < 0 ? -1 : check_writable(fd, path, err);
}

int host_folder_require_writable(const struct host *h, const char *path, struct error *err)
{
	_cleanup_free_ char *dir = path_dirname(path, err);
	_cleanup_close_ int fd = -1;

	if (dir == NULL)
		return -1;
	fd = host_open_following(h, dir, O_PATH | O_DIRECTORY, NULL);
	return fd >= 0 ? check_writable(fd, dir, err) : 0;
}

/* Who can write to a folder can put another file into the place of ours; higher up, in a sticky
 * folder, only the owner of the entry can. */
int host_folders_require_trusted(const struct host *h, const char *path, struct error *err)
{
	_cleanup_free_ char *dir = path_dirname(path, err);
	bool direct = true;

	while (dir != NULL) {
		_cleanup_close_ int fd = host_open_following(h, dir, O_PATH | O_DIRECTORY, err);
		char *up;
		struct stat st;

		if (fd < 0)
			return -1;
		if (h->ops->fstatat(h->ctx, fd, "", &st, AT_EMPTY_PATH) < 0)
			return error_sys(err, ERROR_FAILED, errno, "the folder %s", dir);
		if (st.st_uid != 0 ||
		    ((st.st_mode & 022) != 0 && (direct || (st.st_mode & S_ISVTX) == 0))) {
			(void)error_set(err, ERROR_REFUSED, "%s: others than root can write to "
					"its folder %s (owner %u, mode %04o)", path, dir,
					(unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
			return error_hint(err, "Nothing was changed. Whoever can write there can put "
					  "another file into its place:\nkeep it where only root can.");
		}
		if (dir[1] == '\0')
			return 0;
		direct = false;
		up = path_dirname(dir, err);
		free(dir);
		dir = up;
	}
	return -1;
}

static int check_owner(const struct stat *st, const char *path, struct error *err)
{
	if (st->st_uid != 0)
		(void)error_set(err, ERROR_REFUSED, "%s belongs to uid %u, not to root", path,
				(unsigned)st->st_uid);
	else if ((st->st_mode & 022) != 0)
		(void)error_set(err, ERROR_REFUSED, "%s can be written by others than root "
				"(mode %04o)", path, (unsigned)(st->st_mode & 07777));
	else
		return 0;
	return error_hint(err, "Nothing was changed. chown root: %s; chmod go-w %s", path, path);
}

int host_meta_check_target(const struct host *h, int fd, const struct stat *st, const char *path,
			   struct error *err)
{
	if (st->st_nlink > 1) {
		(void)error_set(err, ERROR_REFUSED, "%s has %u hard links: replacing it would "
				"leave the others as they are", path, (unsigned)st->st_nlink);
		return error_hint(err, "Nothing was changed. find / -xdev -samefile %s lists them.",
				  path);
	}
	if (check_owner(st, path, err) < 0 || check_flags(fd, path, err) < 0 ||
	    check_mount(fd, path, err) < 0)
		return -1;
	return host_folders_require_trusted(h, path, err);
}

int host_file_require_trusted(const struct host *h, const char *path, struct error *err)
{
	struct stat st;

	if (host_lstat(h, path, &st) < 0)
		return error_sys(err, ERROR_REFUSED, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return refuse(err, path, "is not a regular file", "Run the program itself.");
	if (check_owner(&st, path, err) < 0)
		return -1;
	return host_folders_require_trusted(h, path, err);
}

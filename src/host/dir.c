/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Folders: made, listed, removed, and searched as sshd's Include searches them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>

#include "base/path.h"
#include "host/file.h"

int host_dir_check_own(const struct host *h, const char *path, struct error *err)
{
	struct stat st;

	if (host_lstat(h, path, &st) < 0)
		return error_sys(err, ERROR_FAILED, errno, "%s", path);
	if (S_ISDIR(st.st_mode) && st.st_uid == 0 && (st.st_mode & 07777) == 0700)
		return 0;
	(void)error_set(err, ERROR_REFUSED, "%s is not a folder of root's alone (owner %u, mode "
			"%04o)", path, (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
	return error_hint(err, "Nothing was changed. What lies in it could be anybody's. If it is "
			  "rootlatch's own, look who\ncould write to it and give it back to root, mode "
			  "700; otherwise name a folder that does not exist yet.");
}

static int make_dir(const struct host *h, const char *path, mode_t mode, struct error *err)
{
	_cleanup_free_ char *up = path_dirname(path, err);
	_cleanup_close_ int dir = -1;

	if (up == NULL)
		return -1;
	if (up[1] != '\0' && !host_file_exists(h, up) && make_dir(h, up, 0755, err) < 0)
		return -1;
	dir = host_open_dir(h, up, err);
	if (dir < 0)
		return -1;
	if (h->ops->mkdirat(h->ctx, dir, path_basename(path), mode) < 0)
		return errno == EEXIST ? 0 :
		       error_sys(err, ERROR_FAILED, errno, "making the folder %s", path);
	if (mode == 0755) {
		/* the umask is 077 */
		_cleanup_close_ int made = host_open(h, path, O_RDONLY | O_DIRECTORY, 0);

		if (made < 0 || h->ops->fchmod(h->ctx, made, mode) < 0)
			return error_sys(err, ERROR_FAILED, errno, "the folder %s", path);
	}
	if (h->ops->fsync(h->ctx, dir) < 0)
		return error_sys(err, ERROR_FAILED, errno, "fsync of the folder %s", up);
	return 0;
}

int host_dir_create(const struct host *h, const char *path, bool own, struct error *err)
{
	if (!host_file_exists(h, path) && make_dir(h, path, 0700, err) < 0)
		return -1;
	return own ? host_dir_check_own(h, path, err) : 0;
}

int host_dir_list(const struct host *h, const char *path, struct strings *ret_names,
		  struct error *err)
{
	_cleanup_close_ int fd = host_open_dir(h, path, NULL);
	struct dirent *entry;
	int failed = 0;
	DIR *dir;

	if (fd < 0)
		return errno == ENOENT ? 0 :
		       error_sys(err, ERROR_FAILED, errno, "the folder %s", path);
	dir = fdopendir(fd);
	if (dir == NULL)
		return error_sys(err, ERROR_FAILED, errno, "the folder %s", path);
	(void)TAKE_FD(fd);
	while (failed == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			failed = strings_add(ret_names, entry->d_name, err);
	}
	if (failed == 0 && errno != 0)
		failed = error_sys(err, ERROR_FAILED, errno, "the folder %s", path);
	(void)closedir(dir);
	strings_sort(ret_names);
	return failed;
}

int host_dir_remove(const struct host *h, const char *path, struct error *err)
{
	_cleanup_strings_ struct strings names = STRINGS_INIT;
	_cleanup_free_ char *up = path_dirname(path, err);
	_cleanup_close_ int fd = -1, up_fd = -1;

	if (up == NULL || host_dir_list(h, path, &names, err) < 0)
		return -1;
	fd = host_open(h, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return errno == ENOENT ? 0 :
		       error_sys(err, ERROR_FAILED, errno, "the folder %s", path);
	for (size_t i = 0; i < names.len; i++)
		if (h->ops->unlinkat(h->ctx, fd, names.items[i], 0) < 0 && errno != ENOENT)
			return error_sys(err, ERROR_FAILED, errno, "removing %s/%s", path,
					 names.items[i]);
	up_fd = host_open_dir(h, up, err);
	if (up_fd < 0)
		return -1;
	if (h->ops->unlinkat(h->ctx, up_fd, path_basename(path), AT_REMOVEDIR) < 0 &&
	    errno != ENOENT)
		return error_sys(err, ERROR_FAILED, errno, "removing the folder %s", path);
	return 0;
}

bool host_is_tmpfs(const struct host *h, const char *path)
{
	_cleanup_close_ int fd = -1;
	struct statfs fs;

	if (!host_is_live(h))
		return false;
	fd = host_open_following(h, path, O_PATH | O_DIRECTORY, NULL);
	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return false;
	return fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC;
}

/* What glob(3) and sshd pass over; everything else would leave out files that are there. */
static bool is_no_folder(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ELOOP || error == EACCES ||
	       error == ENAMETOOLONG;
}

/* One component more: a name as it is, or those of the folder that match. */
static int glob_component(const struct host *h, const char *dir, const char *component,
			  struct strings *ret, struct error *err)
{
	_cleanup_strings_ struct strings names = STRINGS_INIT;
	struct error why = ERROR_INIT;

	if (strpbrk(component, "*?[\\") == NULL)
		return strings_addf(ret, err, "%s/%s", dir, component);
	if (host_dir_list(h, dir[0] != '\0' ? dir : "/", &names, &why) < 0) {
		if (is_no_folder(why.sys_errno))
			return 0;
		if (err != NULL)
			*err = why;
		return -1;
	}
	for (size_t i = 0; i < names.len; i++)
		if (fnmatch(component, names.items[i], FNM_PERIOD) == 0 &&
		    strings_addf(ret, err, "%s/%s", dir, names.items[i]) < 0)
			return -1;
	return 0;
}

/* Not by glob(3), which passes over a folder that can't be read, as if there were nothing in it. And
 * in an image every folder is opened below its root: a link in it means the image's own files, and so
 * does `..`, where glob(3) would walk out. */
int host_glob(const struct host *h, const char *pattern, struct strings *ret_paths,
	      struct error *err)
{
	_cleanup_strings_ struct strings found = STRINGS_INIT;
	_cleanup_free_ char *copy = str_dup(pattern, err);
	char *save = NULL;

	if (copy == NULL || strings_add(&found, "", err) < 0)
		return -1;
	for (char *c = strtok_r(copy, "/", &save); c != NULL; c = strtok_r(NULL, "/", &save)) {
		_cleanup_strings_ struct strings next = STRINGS_INIT;

		for (size_t i = 0; i < found.len; i++)
			if (glob_component(h, found.items[i], c, &next, err) < 0)
				return -1;
		strings_release(&found);
		found = next;
		next = (struct strings)STRINGS_INIT;
	}
	strings_sort(&found);
	for (size_t i = 0; i < found.len; i++)
		if (host_file_exists(h, found.items[i]) &&
		    strings_add(ret_paths, found.items[i], err) < 0)
			return -1;
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * file: reading what is there, and the one place that replaces a file: a temporary beside
 * it, written, owner, ACL, extended attributes, mode and times set, fsync(2), rename(2),
 * fsync of the folder.
 *
 * No symbolic link, FIFO or device is ever followed or opened for its content.
 */
#ifndef ROOTLATCH_HOST_FILE_H
#define ROOTLATCH_HOST_FILE_H

#include "base/buffer.h"
#include "base/digest.h"
#include "host/host.h"

/* Nothing that rootlatch manages comes near this; a file that does is not read into memory. */
#define HOST_FILE_MAX (64u << 20)

struct host_meta {
	mode_t mode; /* permission bits, with setuid, setgid and sticky */
	uid_t uid;
	gid_t gid;
	int64_t mtime_ns;
	struct digest attrs; /* of all extended attributes, ACLs and labels among them */
};

struct host_file {
	struct buffer bytes;
	struct digest digest; /* of the bytes */
	struct host_meta meta;
	int64_t ctime_ns;
	dev_t dev;
	ino_t ino;
};

#define HOST_FILE_INIT { .bytes = BUFFER_INIT }
#define _cleanup_host_file_ _cleanup_(host_file_release)

void host_file_release(struct host_file *f);
bool host_meta_equal(const struct host_meta *a, const struct host_meta *b); /* but for times */

enum host_read_flags {
	/* Only its bytes are of interest: nothing but "a regular file" is asked of it. */
	HOST_READ_ANY = 0,
	/* It is going to be replaced: a symbolic link, a hard link, anything but a regular file,
	 * an owner other than root, group or other write permission on it or on a folder above
	 * it (further up, a sticky folder is fine), an immutable or append-only flag, a read-only filesystem
	 * and a file that is a mount point are each refused by name (ERROR_REFUSED). */
	HOST_READ_TARGET = 1,
	/* It is ours alone (state folder): root's, 0600, otherwise ERROR_REFUSED. */
	HOST_READ_OWN = 2,
	/* Read what a symbolic link points to, as sshd does: never for a file to be replaced. */
	HOST_READ_FOLLOW = 8,
	/* Not the bytes, and so no digest either. */
	HOST_READ_META = 16 | 4,
	/* Leave the digest empty: the caller will not compare. */
	HOST_READ_NO_DIGEST = 4,
};

/* Reads a file whole. A missing file is ENOENT in err->sys_errno. */
int host_file_read(const struct host *h, const char *path, enum host_read_flags flags,
		   struct host_file *ret_file, struct error *err) _must_check_;

/* ERROR_REFUSED unless only root can write to the file, and to the folders above it: a program that
 * is going to be run. */
int host_file_require_trusted(const struct host *h, const char *path, struct error *err)
	_must_check_;
/* The folders above alone. */
int host_folders_require_trusted(const struct host *h, const char *path, struct error *err)
	_must_check_;

/* ERROR_REFUSED when the folder of `path` lies on a read-only filesystem. One that is not there is fine. */
int host_folder_require_writable(const struct host *h, const char *path, struct error *err)
	_must_check_;

/* ERROR_REFUSED when the file or folder `path` is immutable or append-only, or lies on a read-only
 * filesystem. One that is not there is fine. */
int host_require_changeable(const struct host *h, const char *path, struct error *err)
	_must_check_;

/* True when there is anything at `path` (lstat(2)). */
bool host_file_exists(const struct host *h, const char *path);

/* True when another open file description holds a flock(2) on the file at `path`: while it is held
 * its process lives. A file that is not there, or can't be opened, is not locked. */
bool host_file_is_locked(const struct host *h, const char *path);

/* Writes a new file, O_EXCL, owned by root, with permission bits `mode`, whatever the umask (until
 * it is written it is 0600), and with `mtime_ns` unless that is negative; and fsyncs it (not its
 * folder). */
int host_file_create(const struct host *h, const char *path, struct slice bytes, mode_t mode,
		     int64_t mtime_ns, struct error *err) _must_check_;

/* The temporary for a replacement: a new file at `path`, on the same filesystem as `like`, with
 * the owner, mode, ACL, extended attributes and security label of `like` (an existing file), and
 * with `mtime_ns` unless that is negative. fsynced. What could not be copied is an error. */
int host_file_stage(const struct host *h, const char *path, const char *like,
		    struct slice bytes, int64_t mtime_ns, struct error *err) _must_check_;

/* unlink(2) and fsync of the folder. A file, or a folder, that is not there is success. */
int host_file_unlink(const struct host *h, const char *path, struct error *err) _must_check_;

/* unlink(2) alone, for files whose comeback after a power loss would do no harm. */
int host_file_unlink_lazily(const struct host *h, const char *path, struct error *err);

/* Where the symbolic link `path` points to, as it is written there (readlink(2)); owned by the caller.
 * NULL when something else, or nothing, is there. ret_st is of the link (lstat(2)); its st_mode is 0
 * for nothing. */
int host_link_read(const struct host *h, const char *path, char **ret_target, struct stat *ret_st,
		   struct error *err) _must_check_;

/* symlink(2), with `mtime_ns` unless that is negative, and fsync of the folder, which makes both
 * durable. What is there already is EEXIST in err->sys_errno. */
int host_link_create(const struct host *h, const char *path, const char *target, int64_t mtime_ns,
		     struct error *err) _must_check_;

/* Sets the mtime of a file, a folder, or a link itself (utimensat(2)), and makes that durable. One
 * that is right already is not touched. A path that is gone is ENOENT in err->sys_errno. */
int host_set_mtime(const struct host *h, const char *path, int64_t mtime_ns, struct error *err)
	_must_check_;

/* mkdir(2) 0755, whatever the umask, durable. One that is there is success. */
int host_dir_make(const struct host *h, const char *path, struct error *err) _must_check_;
/* rmdir(2), durable. One that is not empty stays, one that is not there is success. */
int host_dir_remove_empty(const struct host *h, const char *path, struct error *err) _must_check_;

/* mkdir(2) 0700 with all its parents (0755); an existing folder of root's is success. With
 * `own`, an existing one must be root's and 0700, otherwise ERROR_REFUSED. */
int host_dir_create(const struct host *h, const char *path, bool own, struct error *err)
	_must_check_;

/* ERROR_REFUSED unless it is a folder, no link to one, of root's, 0700. */
int host_dir_check_own(const struct host *h, const char *path, struct error *err) _must_check_;

/* Removes a folder with the plain files in it. Not there is success. */
int host_dir_remove(const struct host *h, const char *path, struct error *err) _must_check_;

/* The names in a folder, without "." and "..", in byte order. A missing folder has none. */
int host_dir_list(const struct host *h, const char *path, struct strings *ret_names,
		  struct error *err) _must_check_;

int host_dir_fsync(const struct host *h, const char *path, struct error *err) _must_check_;

/* True when the folder `path` lies in memory, so that a reboot empties it: tmpfs(5) or ramfs, by
 * statfs(2). False when it does not, when that can't be told, and on a host that is not live (what
 * is mounted there when it runs, nobody knows). */
bool host_is_tmpfs(const struct host *h, const char *path);

/* An open file descriptor of a path below the root, O_CLOEXEC | O_NOFOLLOW added. */
int host_open(const struct host *h, const char *path, int flags, mode_t mode);

/* The same for a file of ours that is written, made with mode 0600: refused where it is anything but a
 * regular file of root's with one link. */
int host_open_own(const struct host *h, const char *path, int flags, struct error *err)
	_must_check_;

/* The same through symbolic links, for what is looked at and not changed. */
int host_open_following(const struct host *h, const char *path, int flags, struct error *err);
/* An open folder, for the *at() calls. It may be reached through symbolic links. */
int host_open_dir(const struct host *h, const char *path, struct error *err);

/* Reads an open file to its end; `st` says how much there should be, `path` is for messages. More
 * than HOST_FILE_MAX is ERROR_REFUSED. */
int host_read_all(const struct host *h, int fd, const struct stat *st, const char *path,
		  struct buffer *ret, struct error *err) _must_check_;

/* Writes all of it. */
int host_write_all(const struct host *h, int fd, struct slice bytes, struct error *err)
	_must_check_;

/* glob(3) below the root: byte order, hidden files only when the pattern names the dot, as
 * sshd's Include does. No match is success with nothing added. */
int host_glob(const struct host *h, const char *pattern, struct strings *ret_paths,
	      struct error *err) _must_check_;

/* `path` with the symbolic links of its folder resolved (not of its last component), so that one
 * file has one name. A folder that is not there leaves it as it is. Owned by the caller. */
char *host_canonical(const struct host *h, const char *path, struct error *err) _must_check_;

/* lstat(2) below the root; -1 with errno. */
int host_lstat(const struct host *h, const char *path, struct stat *ret_st);

#endif

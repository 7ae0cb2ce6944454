/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What proc(5) shows of another process. Magic links (exe, root, ns/net) are followed here and
 * nowhere else; host_open never does.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "host/clock.h"
#include "host/file.h"
#include "host/net.h"

#define PROC_PATH_MAX 64

static const char *proc_path(pid_t pid, const char *name, char ret[PROC_PATH_MAX])
{
	(void)snprintf(ret, PROC_PATH_MAX, "/proc/%d/%s", (int)pid, name);
	return ret;
}

static char *read_link(pid_t pid, const char *name)
{
	char path[PROC_PATH_MAX], target[PATH_MAX];
	ssize_t len = readlink(proc_path(pid, name, path), target, sizeof(target) - 1);

	if (len < 0)
		return NULL;
	target[len] = '\0';
	return strdup(target);
}

char *host_process_exe(pid_t pid)
{
	static const char deleted[] = " (deleted)";
	char *exe = read_link(pid, "exe");
	size_t len = exe != NULL ? strlen(exe) : 0;

	if (len >= sizeof(deleted) && strcmp(exe + len - (sizeof(deleted) - 1), deleted) == 0)
		exe[len - (sizeof(deleted) - 1)] = '\0';
	return exe;
}

char *host_process_cwd(pid_t pid)
{
	return read_link(pid, "cwd");
}

int host_process_stat(pid_t pid, const char *path, struct stat *ret_st)
{
	char below[PROC_PATH_MAX + PATH_MAX];
	int len = snprintf(below, sizeof(below), "/proc/%d/root%s", (int)pid, path);

	if (len < 0 || (size_t)len >= sizeof(below)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return stat(below, ret_st);
}

static bool is_the_same(pid_t pid, const char *name, const char *own)
{
	struct stat ours, theirs;
	char path[PROC_PATH_MAX];

	return stat(own, &ours) == 0 && stat(proc_path(pid, name, path), &theirs) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

bool host_process_shares_net(pid_t pid)
{
	return is_the_same(pid, "ns/net", "/proc/self/ns/net");
}

bool host_process_shares_pids(pid_t pid)
{
	return is_the_same(pid, "ns/pid", "/proc/self/ns/pid");
}

bool host_process_shares_mounts(pid_t pid)
{
	return is_the_same(pid, "ns/mnt", "/proc/self/ns/mnt");
}

bool host_process_shares_root(pid_t pid)
{
	return is_the_same(pid, "root", "/proc/self/root");
}

/* The file is a text that the kernel makes, and may come in pieces. */
static ssize_t read_path(const char *path, char *ret, size_t len)
{
	_cleanup_close_ int fd = TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_CLOEXEC));
	size_t got = 0;

	if (fd < 0)
		return -1;
	while (got < len) {
		ssize_t n = TEMP_FAILURE_RETRY(read(fd, ret + got, len - got));

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

ssize_t host_proc_read(const char *name, char *ret, size_t size)
{
	char path[PROC_PATH_MAX];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%s", name);
	n = read_path(path, ret, size - 1);
	ret[n > 0 ? n : 0] = '\0';
	return n;
}

/* The text behind "\nKEY:" in /proc/PID/status; NULL when the process is gone. */
static const char *read_status(pid_t pid, const char *key, char *text, size_t len)
{
	char path[PROC_PATH_MAX];
	ssize_t n = read_path(proc_path(pid, "status", path), text, len - 1);
	const char *line;

	if (n <= 0)
		return NULL;
	text[n] = '\0';
	line = strstr(text, key);
	return line != NULL ? line + strlen(key) : NULL;
}

bool host_process_is_roots(pid_t pid)
{
	unsigned real, effective, saved, fs;
	char text[4096];
	const char *ids = read_status(pid, "\nUid:", text, sizeof(text));

	return ids != NULL && sscanf(ids, "%u %u %u %u", &real, &effective, &saved, &fs) == 4 &&
	       (real | effective | saved | fs) == 0;
}

bool host_process_catches(pid_t pid, int sig)
{
	char text[4096];
	const char *mask = read_status(pid, "\nSigCgt:", text, sizeof(text));

	return mask != NULL && (strtoull(mask, NULL, 16) >> (sig - 1) & 1) != 0;
}

pid_t host_process_parent(pid_t pid)
{
	char text[4096];
	const char *parent = read_status(pid, "\nPPid:", text, sizeof(text));

	return parent != NULL ? (pid_t)strtol(parent, NULL, 10) : 0;
}

/* The bytes of a small file of proc(5), as far as they fit; -1 when it can't be read. */
static ssize_t read_small(pid_t pid, const char *name, char *ret, size_t len)
{
	char path[PROC_PATH_MAX];

	return read_path(proc_path(pid, name, path), ret, len);
}

const char *host_process_name(pid_t pid, char ret[HOST_PROCESS_NAME_MAX])
{
	ssize_t n = read_small(pid, "comm", ret, HOST_PROCESS_NAME_MAX - 1);

	if (n > 0 && ret[n - 1] == '\n')
		n--;
	ret[n > 0 ? n : 0] = '\0';
	return ret;
}

int host_process_cmdline(pid_t pid, struct buffer *ret, struct error *err)
{
	ssize_t n;

	if (buffer_reserve(ret, PATH_MAX, err) < 0)
		return -1;
	n = read_small(pid, "cmdline", ret->data + ret->len, PATH_MAX);
	if (n < 0)
		return error_sys(err, ERROR_FAILED, errno, "process %d", (int)pid);
	ret->len += (size_t)n;
	ret->data[ret->len] = '\0';
	return 0;
}

static DIR *open_dir(const char *path)
{
	DIR *dir;

	do
		dir = opendir(path);
	while (dir == NULL && errno == EINTR);
	return dir;
}

static DIR *open_fds(pid_t pid)
{
	char path[PROC_PATH_MAX];

	return open_dir(proc_path(pid, "fd", path));
}

/* The inode of the next socket in an open /proc/PID/fd; false, and errno 0, at the end. */
static bool next_socket(DIR *dir, ino_t *ret_inode)
{
	const struct dirent *entry;

	while ((errno = 0, entry = readdir(dir)) != NULL) {
		char target[64];
		unsigned long inode;
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (len < 0)
			continue;
		target[len] = '\0';
		if (sscanf(target, "socket:[%lu]", &inode) == 1) {
			*ret_inode = inode;
			return true;
		}
	}
	return false;
}

/* A process that has ended holds none; of another it has to be known. */
static int mark_held(pid_t pid, const struct host_sockets *all, bool *held, struct error *err)
{
	DIR *dir = open_fds(pid);
	ino_t inode;
	int failed;

	while (dir != NULL && next_socket(dir, &inode))
		for (size_t i = 0; i < all->len; i++)
			held[i] |= all->items[i].inode == inode;
	failed = errno;
	if (dir != NULL)
		(void)closedir(dir);
	if (failed == 0 || failed == ENOENT || failed == ESRCH || failed == EACCES)
		return 0;
	return error_sys(err, ERROR_FAILED, failed, "the descriptors of process %d", (int)pid);
}

int host_process_sockets(pid_t pid, const struct host_sockets *all, struct host_sockets *ret,
			 struct error *err)
{
	_cleanup_host_sockets_ struct host_sockets found = HOST_SOCKETS_INIT;
	_cleanup_free_ bool *held = calloc(all->len + 1, sizeof(*held));

	if (held == NULL)
		return error_oom(err);
	if (mark_held(pid, all, held, err) < 0)
		return -1;
	for (size_t i = 0; i < all->len; i++)
		if (held[i] && host_sockets_add(&found, &all->items[i], err) < 0)
			return -1;
	*ret = found;
	found = (struct host_sockets)HOST_SOCKETS_INIT;
	return 0;
}

bool host_process_has_other_socket(pid_t pid, const struct host_sockets *known)
{
	DIR *dir = open_fds(pid);
	bool other = false;
	ino_t inode;

	while (dir != NULL && !other && next_socket(dir, &inode))
		other = !host_sockets_hold_inode(known, inode);
	if (dir != NULL)
		(void)closedir(dir);
	return other;
}

int host_process_watch(const struct host_process *p)
{
	int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);

	/* the number may have gone to another process before the descriptor held it */
	if (fd >= 0 && !host_process_alive(p)) {
		(void)close(fd);
		errno = ESRCH;
		return -1;
	}
	return fd;
}

bool host_process_wait(int watch_fd, unsigned timeout_ms)
{
	struct pollfd fds = { .fd = watch_fd, .events = POLLIN };
	int64_t until = clock_boottime_ns() + (int64_t)timeout_ms * 1000000;
	int n;

	do {
		int64_t left = (until - clock_boottime_ns() + 999999) / 1000000;

		n = poll(&fds, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

int host_process_list(pid_t **ret_pids, size_t *ret_n, struct error *err)
{
	_cleanup_free_ pid_t *pids = NULL;
	size_t n = 0, cap = 0;
	const struct dirent *entry;
	DIR *dir = open_dir("/proc");
	int failed;

	if (dir == NULL)
		return error_sys(err, ERROR_FAILED, errno, "/proc");
	while ((errno = 0, entry = readdir(dir)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		if (n == cap) {
			pid_t *more = reallocarray(pids, cap = cap != 0 ? 2 * cap : 256,
						   sizeof(*pids));

			if (more == NULL) {
				(void)closedir(dir);
				return error_oom(err);
			}
			pids = more;
		}
		pids[n++] = (pid_t)atoi(entry->d_name);
	}
	failed = errno;
	(void)closedir(dir);
	if (failed != 0)
		return error_sys(err, ERROR_FAILED, failed, "/proc");
	*ret_pids = TAKE_PTR(pids);
	*ret_n = n;
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The real operations, and what a process must be before it acts as root.
 */
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include "base/buffer.h"
#include "base/path.h"
#include "base/text.h"

#define ACTOR_MAX 64

/* For a kernel before 5.6: an image is walked one folder at a time, and a link in it is no way to
 * go (ELOOP), since nobody can tell where it leads. */
static int open_walking(int dir, const char *path, int flags, mode_t mode)
{
	int at = openat(dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	while (at >= 0) {
		size_t len = strcspn(path, "/");
		const char *rest = path + len + strspn(path + len, "/");
		bool last = *rest == '\0';
		char name[256];
		int next;

		if (len >= sizeof(name) || (len == 2 && path[0] == '.' && path[1] == '.')) {
			errno = len >= sizeof(name) ? ENAMETOOLONG : EXDEV;
			break;
		}
		(void)memcpy(name, path, len);
		name[len] = '\0';
		next = last ? openat(at, len > 0 ? name : ".", flags | O_NOFOLLOW, mode) :
			      openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		(void)close(at);
		if (last || next < 0)
			return next;
		at = next;
		path = rest;
	}
	if (at >= 0) {
		int why = errno;

		(void)close(at);
		errno = why;
	}
	return -1;
}

static int real_open(void *ctx, int dir, const char *path, int flags, mode_t mode,
		     uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)flags,
		.mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? mode : 0,
		.resolve = resolve,
	};
	int fd;

	/* below / openat(2) does the same */
	if (resolve == 0)
		return openat(dir, path, flags, mode);
	fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	if (fd < 0 && errno == ENOSYS)
		return open_walking(dir, path, flags, mode);
	return fd;
}

static ssize_t real_read(void *ctx, int fd, void *bytes, size_t len)
{
	return read(fd, bytes, len);
}

static ssize_t real_write(void *ctx, int fd, const void *bytes, size_t len)
{
	return write(fd, bytes, len);
}

static int real_fsync(void *ctx, int fd)
{
	return fsync(fd);
}

static int real_ftruncate(void *ctx, int fd, off_t len)
{
	return ftruncate(fd, len);
}

static int real_fallocate(void *ctx, int fd, int mode, off_t offset, off_t len)
{
	return fallocate(fd, mode, offset, len);
}

static int real_fstatat(void *ctx, int dir, const char *path, struct stat *st, int flags)
{
	return fstatat(dir, path, st, flags);
}

static int real_fchmod(void *ctx, int fd, mode_t mode)
{
	return fchmod(fd, mode);
}

static int real_fchown(void *ctx, int fd, uid_t uid, gid_t gid)
{
	return fchown(fd, uid, gid);
}

static int real_futimens(void *ctx, int fd, const struct timespec times[2])
{
	return futimens(fd, times);
}

static int real_utimensat(void *ctx, int dir, const char *path, const struct timespec times[2],
			  int flags)
{
	return utimensat(dir, path, times, flags);
}

static int real_symlinkat(void *ctx, const char *target, int dir, const char *path)
{
	return symlinkat(target, dir, path);
}

static ssize_t real_readlinkat(void *ctx, int dir, const char *path, char *ret, size_t len)
{
	return readlinkat(dir, path, ret, len);
}

static int real_mkdirat(void *ctx, int dir, const char *path, mode_t mode)
{
	return mkdirat(dir, path, mode);
}

static int real_renameat2(void *ctx, int old_dir, const char *old_path, int new_dir,
			  const char *new_path, unsigned flags)
{
	return renameat2(old_dir, old_path, new_dir, new_path, flags);
}

static int real_unlinkat(void *ctx, int dir, const char *path, int flags)
{
	return unlinkat(dir, path, flags);
}

static int real_flock(void *ctx, int fd, int operation)
{
	return flock(fd, operation);
}

static int real_kill(void *ctx, pid_t pid, int sig)
{
	return kill(pid, sig);
}

const struct host_ops host_ops_real = {
	.open = real_open,
	.read = real_read,
	.write = real_write,
	.fsync = real_fsync,
	.ftruncate = real_ftruncate,
	.fallocate = real_fallocate,
	.fstatat = real_fstatat,
	.fchmod = real_fchmod,
	.fchown = real_fchown,
	.futimens = real_futimens,
	.utimensat = real_utimensat,
	.symlinkat = real_symlinkat,
	.readlinkat = real_readlinkat,
	.mkdirat = real_mkdirat,
	.renameat2 = real_renameat2,
	.unlinkat = real_unlinkat,
	.flock = real_flock,
	.kill = real_kill,
};

int host_init(struct host *h, const char *root, const struct host_ops *ops, void *ctx,
	      struct error *err)
{
	_cleanup_free_ char *copy = str_dup(root, err);
	int fd;

	if (copy == NULL)
		return -1;
	fd = TEMP_FAILURE_RETRY(open(root, O_PATH | O_DIRECTORY | O_CLOEXEC));
	if (fd < 0)
		return error_sys(err, ERROR_REFUSED, errno, "%s can't be used as the root folder",
				 root);
	h->ops = ops != NULL ? ops : &host_ops_real;
	h->ctx = ctx;
	h->root = TAKE_PTR(copy);
	h->root_fd = fd;
	return 0;
}

void host_release(struct host *h)
{
	free(h->root);
	if (h->root_fd >= 0)
		(void)close(h->root_fd);
	*h = (struct host)HOST_INIT;
}

static const char *actor_name(void)
{
	static const char *const names[] = { "SUDO_USER", "DOAS_USER" };
	const struct passwd *pw;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *user = getenv(names[i]);

		if (user != NULL && user[0] != '\0')
			return user;
	}
	if (getuid() == 0)
		return "root";
	pw = getpwuid(getuid());
	return pw != NULL ? pw->pw_name : NULL;
}

char *host_actor(struct error *err)
{
	_cleanup_buffer_ struct buffer shown = BUFFER_INIT;
	const char *name = actor_name();

	if (name == NULL)
		return str_format(err, "uid %u", (unsigned)getuid());
	if (text_escape(slice_of(name, strnlen(name, ACTOR_MAX)), false, &shown, err) < 0)
		return NULL;
	return TAKE_PTR(shown.data);
}

static void change_signals(int how)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGQUIT);
	(void)sigaddset(&set, SIGTSTP);
	(void)sigprocmask(how, &set, NULL);
}

void host_signals_hold(void)
{
	change_signals(SIG_BLOCK);
}

void host_signals_release(void)
{
	change_signals(SIG_UNBLOCK);
}

char *host_program_dir(struct error *err)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len < 0) {
		(void)error_sys(err, ERROR_FAILED, errno, "/proc/self/exe");
		return NULL;
	}
	path[len] = '\0';
	return path_dirname(path, err);
}

static int open_standard_fds(struct error *err)
{
	for (;;) {
		int fd = TEMP_FAILURE_RETRY(open("/dev/null", O_RDWR));

		if (fd < 0)
			return error_sys(err, ERROR_FAILED, errno, "/dev/null");
		if (fd > STDERR_FILENO) {
			(void)close(fd);
			return 0;
		}
	}
}

/* The C library opens what TZ names as a file, a FIFO too, and would wait there: a name below its own
 * folder, a rule, or where the host's zone lies (tzset(3)). */
static bool is_safe_zone(const char *zone)
{
	static const char folder[] = "/usr/share/zoneinfo/";

	zone += *zone == ':';
	for (const char *p = zone; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return false;
	if (strstr(zone, "..") != NULL)
		return false;
	return zone[0] != '/' || strcmp(zone, "/etc/localtime") == 0 ||
	       strncmp(zone, folder, strlen(folder)) == 0;
}

static bool is_kept(const char *name, const char *value)
{
	return strlen(value) < 256 && (strcmp(name, "TZ") != 0 || is_safe_zone(value));
}

/* What a library would obey is taken out; what says who asks, and how to print, is kept. */
static int rebuild_environment(struct error *err)
{
	static const char *const kept[] = { "SUDO_USER", "DOAS_USER", "TZ", "TERM", "NO_COLOR",
					    "COLUMNS" };
	char *values[ARRAY_SIZE(kept)] = { NULL };
	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		const char *value = getenv(kept[i]);

		if (value == NULL || !is_kept(kept[i], value))
			continue;
		values[i] = strdup(value);
		failed |= values[i] == NULL;
	}
	failed |= clearenv();
	failed |= setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	failed |= setenv("LC_ALL", "C.UTF-8", 1);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		if (values[i] != NULL)
			failed |= setenv(kept[i], values[i], 1);
		free(values[i]);
	}
	return failed != 0 ? error_oom(err) : 0;
}

int host_process_harden(struct error *err)
{
	if (open_standard_fds(err) < 0)
		return -1;
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* EFBIG then, like any other write that fails */
	(void)signal(SIGCHLD, SIG_DFL); /* an inherited SIG_IGN loses the status of children */
	return rebuild_environment(err);
}

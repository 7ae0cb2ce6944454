/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "host/file.h"

/* ---- the operations */

/* Those that signal(7) and their own pages let fail with EINTR. */
#define INTERRUPTIBLE (FAULT_OPEN | FAULT_READ | FAULT_WRITE | FAULT_LOCK)

/* True when this call shall fail; errno is set. */
static bool goes_wrong(struct fault *f, enum fault_op op, const char *name)
{
	bool hit;

	if (f->only != FAULT_ANY && (f->only & op) == 0)
		return false;
	if (f->kind == FAULT_INTERRUPT) {
		if ((op & INTERRUPTIBLE) == 0)
			return false;
		f->interrupted = !f->interrupted;
		f->hits += f->interrupted;
		errno = EINTR;
		return f->interrupted;
	}
	f->calls++;
	if (f->calls == f->at && f->meanwhile != NULL)
		f->meanwhile(f->meanwhile_ctx);
	hit = f->kind == FAULT_ERROR_ON ? f->calls >= f->at :
	      f->kind == FAULT_ERROR || f->kind == FAULT_DONE || f->kind == FAULT_DIE ?
					  f->calls == f->at :
					  false;
	if (!hit)
		return false;
	if (f->kind == FAULT_DIE)
		(void)raise(SIGKILL); /* an exit would have its memory checked for leaks */
	f->hits++;
	(void)snprintf(f->last, sizeof(f->last), "%s", name);
	errno = f->error;
	return true;
}

/* `call` in full, but for what was ordered. What FAULT_DONE opened is not closed: nobody knows. */
#define FAULTY(op, name, call)                                          \
	do {                                                            \
		struct fault *f = ctx;                                  \
		bool wrong = goes_wrong(f, (op), (name));               \
									\
		if (wrong && f->kind == FAULT_DONE) {                   \
			(void)(call);                                   \
			errno = f->error;                               \
		}                                                       \
		return wrong ? -1 : (call);                             \
	} while (0)

static int fault_open(void *ctx, int dir, const char *path, int flags, mode_t mode,
		      uint64_t resolve)
{
	struct fault *f = ctx;

	/* what is opened and said to have failed would be a leak of the test's own */
	if (goes_wrong(f, FAULT_OPEN, "open")) {
		int fd = f->kind == FAULT_DONE ?
				 host_ops_real.open(NULL, dir, path, flags, mode, resolve) : -1;

		if (fd >= 0)
			(void)close(fd);
		errno = f->kind == FAULT_INTERRUPT ? EINTR : f->error;
		return -1;
	}
	return host_ops_real.open(NULL, dir, path, flags, mode, resolve);
}

static size_t at_most(const struct fault *f, size_t len)
{
	return f->kind == FAULT_ONE_BYTE && len > 1 ? 1 : len;
}

static ssize_t fault_read(void *ctx, int fd, void *bytes, size_t len)
{
	FAULTY(FAULT_READ, "read", host_ops_real.read(NULL, fd, bytes, at_most(f, len)));
}

static ssize_t fault_write(void *ctx, int fd, const void *bytes, size_t len)
{
	FAULTY(FAULT_WRITE, "write", host_ops_real.write(NULL, fd, bytes, at_most(f, len)));
}

static int fault_fsync(void *ctx, int fd)
{
	FAULTY(FAULT_FSYNC, "fsync", host_ops_real.fsync(NULL, fd));
}

static int fault_ftruncate(void *ctx, int fd, off_t len)
{
	FAULTY(FAULT_TRUNCATE, "ftruncate", host_ops_real.ftruncate(NULL, fd, len));
}

static int fault_fallocate(void *ctx, int fd, int mode, off_t offset, off_t len)
{
	FAULTY(FAULT_ALLOCATE, "fallocate",
	       host_ops_real.fallocate(NULL, fd, mode, offset, len));
}

static int fault_fstatat(void *ctx, int dir, const char *path, struct stat *st, int flags)
{
	FAULTY(FAULT_STAT, "fstatat", host_ops_real.fstatat(NULL, dir, path, st, flags));
}

static int fault_fchmod(void *ctx, int fd, mode_t mode)
{
	FAULTY(FAULT_CHMOD, "fchmod", host_ops_real.fchmod(NULL, fd, mode));
}

static int fault_fchown(void *ctx, int fd, uid_t uid, gid_t gid)
{
	FAULTY(FAULT_CHOWN, "fchown", host_ops_real.fchown(NULL, fd, uid, gid));
}

static int fault_futimens(void *ctx, int fd, const struct timespec times[2])
{
	FAULTY(FAULT_TIMES, "futimens", host_ops_real.futimens(NULL, fd, times));
}

static int fault_utimensat(void *ctx, int dir, const char *path, const struct timespec times[2],
			   int flags)
{
	FAULTY(FAULT_TIMES, "utimensat", host_ops_real.utimensat(NULL, dir, path, times, flags));
}

static int fault_symlinkat(void *ctx, const char *target, int dir, const char *path)
{
	FAULTY(FAULT_SYMLINK, "symlinkat", host_ops_real.symlinkat(NULL, target, dir, path));
}

static ssize_t fault_readlinkat(void *ctx, int dir, const char *path, char *ret, size_t len)
{
	FAULTY(FAULT_READLINK, "readlinkat", host_ops_real.readlinkat(NULL, dir, path, ret, len));
}

static int fault_mkdirat(void *ctx, int dir, const char *path, mode_t mode)
{
	FAULTY(FAULT_MKDIR, "mkdirat", host_ops_real.mkdirat(NULL, dir, path, mode));
}

static int fault_renameat2(void *ctx, int old_dir, const char *old_path, int new_dir,
			   const char *new_path, unsigned flags)
{
	FAULTY(FAULT_RENAME, "renameat2",
	       host_ops_real.renameat2(NULL, old_dir, old_path, new_dir, new_path, flags));
}

static int fault_unlinkat(void *ctx, int dir, const char *path, int flags)
{
	FAULTY(FAULT_UNLINK, "unlinkat", host_ops_real.unlinkat(NULL, dir, path, flags));
}

static int fault_flock(void *ctx, int fd, int operation)
{
	FAULTY(FAULT_LOCK, "flock", host_ops_real.flock(NULL, fd, operation));
}

static int fault_kill(void *ctx, pid_t pid, int sig)
{
	FAULTY(FAULT_KILL, "kill", host_ops_real.kill(NULL, pid, sig));
}

const struct host_ops fault_ops = {
	.open = fault_open,
	.read = fault_read,
	.write = fault_write,
	.fsync = fault_fsync,
	.ftruncate = fault_ftruncate,
	.fallocate = fault_fallocate,
	.fstatat = fault_fstatat,
	.fchmod = fault_fchmod,
	.fchown = fault_fchown,
	.futimens = fault_futimens,
	.utimensat = fault_utimensat,
	.symlinkat = fault_symlinkat,
	.readlinkat = fault_readlinkat,
	.mkdirat = fault_mkdirat,
	.renameat2 = fault_renameat2,
	.unlinkat = fault_unlinkat,
	.flock = fault_flock,
	.kill = fault_kill,
};

void fault_arm(struct fault *f, enum fault_kind kind, unsigned at, int error)
{
	*f = (struct fault){ .kind = kind, .at = at, .error = error };
}

bool fault_disarm(struct fault *f)
{
	bool went_wrong = f->hits > 0;

	f->kind = FAULT_NONE;
	f->meanwhile = NULL;
	f->only = FAULT_ANY;
	return went_wrong;
}

/* ---- the box */

static struct box the_box = { .host = HOST_INIT };

struct box *box(void)
{
	return &the_box;
}

void box_enter(void)
{
	struct error err = ERROR_INIT;

	if (geteuid() != 0)
		cr_skip_test("not root");
	(void)umask(022);
	the_box.is_private = unshare(CLONE_NEWNS) == 0 &&
			     mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0;
	if (the_box.is_private) {
		cr_assert(eq(int, mount("tmpfs", "/run", "tmpfs", 0, "mode=0755"), 0));
		(void)strcpy(the_box.path, "/run/box");
		cr_assert(eq(int, mkdir(the_box.path, 0755), 0));
	} else {
		(void)strcpy(the_box.path, "/tmp/rootlatch-unit.XXXXXX");
		cr_assert(mkdtemp(the_box.path) != NULL);
		cr_assert(eq(int, chmod(the_box.path, 0755), 0));
	}
	fault_arm(&the_box.fault, FAULT_NONE, 0, 0);
	box_ok(host_init(&the_box.host, the_box.path, &fault_ops, &the_box.fault, &err));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)remove(path);
	return 0;
}

void box_leave(void)
{
	host_release(&the_box.host);
	if (!the_box.is_private && the_box.path[0] != '\0')
		(void)nftw(the_box.path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *box_path(const char *path)
{
	static char paths[16][4200];
	static unsigned next;
	char *ret = paths[next++ % ARRAY_SIZE(paths)];

	(void)snprintf(ret, sizeof(paths[0]), "%s%s", the_box.path, path);
	return ret;
}

void box_write(const char *path, const char *text)
{
	FILE *f = fopen(box_path(path), "w");

	cr_assert(f != NULL, "%s: %s", path, strerror(errno));
	cr_assert(fputs(text, f) >= 0);
	cr_assert(eq(int, fclose(f), 0));
}

void box_mkdir(const char *path, mode_t mode)
{
	cr_assert(mkdir(box_path(path), mode) == 0 || errno == EEXIST, "%s: %s", path,
		  strerror(errno));
	cr_assert(eq(int, chmod(box_path(path), mode), 0));
}

const char *box_text(const char *path)
{
	static char texts[8][8192];
	static unsigned next;
	char *ret = texts[next++ % ARRAY_SIZE(texts)];
	FILE *f = fopen(box_path(path), "r");

	if (f == NULL)
		return "(none)";
	ret[fread(ret, 1, sizeof(texts[0]) - 1, f)] = '\0';
	(void)fclose(f);
	return ret;
}

const char *box_names(const char *path)
{
	static char ring[8][4096];
	static unsigned turn;
	char *names = ring[turn++ % ARRAY_SIZE(ring)];
	struct host real = { .ops = &host_ops_real, .root = (char *)"/", .root_fd = AT_FDCWD };
	struct strings list = STRINGS_INIT;
	struct error err = ERROR_INIT;

	if (access(box_path(path), F_OK) < 0)
		return "(none)";
	real.root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	box_ok(host_dir_list(&real, box_path(path), &list, &err));
	(void)close(real.root_fd);
	names[0] = '\0';
	for (size_t i = 0; i < list.len; i++) {
		cr_assert(lt(sz, strlen(names) + strlen(list.items[i]) + 2, sizeof(ring[0])));
		(void)strcat(strcat(names, " "), list.items[i]);
	}
	strings_release(&list);
	return names;
}

mode_t box_mode(const char *path)
{
	struct stat st = { .st_mode = 0 };

	(void)lstat(box_path(path), &st);
	return st.st_mode & 07777;
}

static void look_at_attributes(const char *path, struct buffer *b)
{
	char list[4096], value[4096];
	struct error err = ERROR_INIT;
	ssize_t len = llistxattr(path, list, sizeof(list));

	for (const char *p = list; len > 0 && p < list + len; p += strlen(p) + 1) {
		ssize_t n = lgetxattr(path, p, value, sizeof(value));

		box_ok(buffer_printf(b, &err, " %s=", p));
		for (ssize_t i = 0; i < n; i++)
			box_ok(buffer_printf(b, &err, "%02x", (unsigned char)value[i]));
	}
}

char *box_look(const char *path)
{
	struct buffer b = BUFFER_INIT;
	struct error err = ERROR_INIT;
	struct stat st;

	if (lstat(box_path(path), &st) < 0)
		return strdup("(none)");
	box_ok(buffer_printf(&b, &err, "%07o %u:%u %lld.%09ld links %u", (unsigned)st.st_mode,
			     (unsigned)st.st_uid, (unsigned)st.st_gid,
			     (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
			     (unsigned)st.st_nlink));
	look_at_attributes(box_path(path), &b);
	box_ok(buffer_printf(&b, &err, "\n%s", S_ISREG(st.st_mode) ? box_text(path) : ""));
	return b.data;
}

int box_fork(void (*run)(void *ctx), void *ctx)
{
	pid_t pid = fork();
	int status;

	cr_assert(pid >= 0);
	if (pid == 0) {
		run(ctx);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0)
		cr_assert(eq(int, errno, EINTR));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

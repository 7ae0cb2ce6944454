/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "inject.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "die.h"

#define NO_CALL (-1)

#define BIT(kind) (1u << INJECT_##kind)
#define READING (BIT(EIO) | BIT(EINTR))
#define SHORT (BIT(ONE) | BIT(HALF))
#define ROOM (BIT(ENOSPC) | BIT(EDQUOT))
#define NAMES (BIT(EIO) | BIT(EROFS) | BIT(ENOMEM) | ROOM)
#define DESCRIPTOR (BIT(EMFILE) | BIT(ENOMEM))
#define LOOKING (BIT(EIO) | BIT(ENOMEM))
#define MARKING (BIT(EIO) | BIT(EROFS) | BIT(ENOMEM))

/* What a call gives besides depends on how it is made: see kinds_of_open. */
struct row {
	int number;
	unsigned kinds;
	int count; /* the argument that says how many bytes; with SHORT */
};

static const struct row rows[] = {
	{ SYS_read, READING | SHORT, 2 },
	{ SYS_pread64, READING | SHORT, 2 },
	{ SYS_write, READING | ROOM | SHORT, 2 },
	{ SYS_pwrite64, READING | ROOM | SHORT, 2 },
	{ SYS_copy_file_range, READING | ROOM | BIT(ENOMEM) | SHORT, 4 },
	{ SYS_sendfile, READING | ROOM | BIT(ENOMEM) | SHORT, 3 },
	{ SYS_getrandom, BIT(EINTR) | SHORT, 1 },
	{ SYS_openat, READING | DESCRIPTOR, 0 },
	{ SYS_openat2, READING | DESCRIPTOR, 0 },
	{ SYS_open_tree, DESCRIPTOR, 0 },
	{ SYS_close, READING, 0 },
	{ SYS_newfstatat, LOOKING, 0 },
	{ SYS_fstat, LOOKING, 0 },
	{ SYS_statx, LOOKING, 0 },
	{ SYS_faccessat, LOOKING, 0 },
	{ SYS_faccessat2, LOOKING, 0 },
	{ SYS_readlinkat, LOOKING, 0 },
	{ SYS_fstatfs, LOOKING, 0 },
	{ SYS_statfs, LOOKING, 0 },
	{ SYS_getdents64, LOOKING, 0 },
	{ SYS_getcwd, BIT(ENOMEM), 0 },
	{ SYS_ioctl, LOOKING, 0 },
	{ SYS_fgetxattr, LOOKING, 0 },
	{ SYS_flistxattr, LOOKING, 0 },
	{ SYS_fsync, BIT(EIO) | BIT(EROFS) | ROOM, 0 },
	{ SYS_fdatasync, BIT(EIO) | BIT(EROFS) | ROOM, 0 },
	{ SYS_fallocate, BIT(EIO) | BIT(EINTR) | ROOM, 0 },
	{ SYS_ftruncate, BIT(EIO) | BIT(EROFS) | BIT(EINTR), 0 },
	{ SYS_renameat2, NAMES, 0 },
	{ SYS_renameat, NAMES, 0 },
	{ SYS_linkat, NAMES, 0 },
	{ SYS_symlinkat, NAMES, 0 },
	{ SYS_mkdirat, NAMES, 0 },
	{ SYS_unlinkat, MARKING, 0 },
	{ SYS_fchmod, MARKING, 0 },
	{ SYS_fchmodat, MARKING, 0 },
	{ SYS_fchown, MARKING | BIT(EDQUOT), 0 },
	{ SYS_fchownat, MARKING | BIT(EDQUOT), 0 },
	{ SYS_utimensat, MARKING, 0 },
	{ SYS_fsetxattr, MARKING | ROOM, 0 },
	{ SYS_fremovexattr, MARKING, 0 },
	{ SYS_mount, BIT(EIO) | BIT(ENOMEM), 0 },
	{ SYS_move_mount, BIT(ENOMEM), 0 },
	{ SYS_mount_setattr, BIT(ENOMEM), 0 },
	{ SYS_unshare, BIT(ENOMEM), 0 },
	{ SYS_setns, BIT(ENOMEM), 0 },
	{ SYS_flock, BIT(EINTR) | BIT(ENOMEM), 0 },
	{ SYS_pipe2, DESCRIPTOR, 0 },
	{ SYS_socket, DESCRIPTOR, 0 },
	{ SYS_socketpair, DESCRIPTOR, 0 },
	{ SYS_memfd_create, DESCRIPTOR, 0 },
	{ SYS_pidfd_open, DESCRIPTOR, 0 },
	{ SYS_timerfd_create, DESCRIPTOR, 0 },
	{ SYS_inotify_init1, DESCRIPTOR, 0 },
	{ SYS_dup, BIT(EMFILE), 0 },
	{ SYS_dup3, BIT(EMFILE), 0 },
	{ SYS_accept4, DESCRIPTOR | BIT(EINTR), 0 },
	{ SYS_connect, BIT(EINTR), 0 },
	{ SYS_sendto, BIT(EINTR) | BIT(ENOMEM), 0 },
	{ SYS_sendmsg, BIT(EINTR) | BIT(ENOMEM), 0 },
	{ SYS_recvfrom, BIT(EINTR) | BIT(ENOMEM), 0 },
	{ SYS_recvmsg, BIT(EINTR) | BIT(ENOMEM), 0 },
	{ SYS_ppoll, BIT(EINTR) | BIT(ENOMEM), 0 },
	{ SYS_wait4, BIT(EINTR), 0 },
	{ SYS_waitid, BIT(EINTR), 0 },
	{ SYS_clock_nanosleep, BIT(EINTR), 0 },
	{ SYS_mmap, BIT(ENOMEM), 0 },
	{ SYS_mprotect, BIT(ENOMEM), 0 },
	{ SYS_brk, BIT(ENOMEM), 0 },
	{ SYS_clone, BIT(ENOMEM), 0 },
	{ SYS_clone3, BIT(ENOMEM), 0 },
	{ SYS_execve, BIT(EIO) | DESCRIPTOR, 0 },
#ifdef SYS_open /* the older machines have these too */
	{ SYS_open, READING | DESCRIPTOR, 0 },
	{ SYS_access, LOOKING, 0 },
	{ SYS_readlink, LOOKING, 0 },
	{ SYS_stat, LOOKING, 0 },
	{ SYS_lstat, LOOKING, 0 },
	{ SYS_rename, NAMES, 0 },
	{ SYS_link, NAMES, 0 },
	{ SYS_symlink, NAMES, 0 },
	{ SYS_mkdir, NAMES, 0 },
	{ SYS_unlink, MARKING, 0 },
	{ SYS_rmdir, MARKING, 0 },
	{ SYS_chmod, MARKING, 0 },
	{ SYS_chown, MARKING | BIT(EDQUOT), 0 },
	{ SYS_poll, BIT(EINTR) | BIT(ENOMEM), 0 },
	{ SYS_vfork, BIT(ENOMEM), 0 },
	{ SYS_fork, BIT(ENOMEM), 0 },
#endif
};

static const struct {
	const char *name;
	int code; /* 0: not an error */
} kinds[INJECT_KINDS] = {
	[INJECT_EIO] = { "EIO", EIO },	     [INJECT_ENOSPC] = { "ENOSPC", ENOSPC },
	[INJECT_EROFS] = { "EROFS", EROFS }, [INJECT_EDQUOT] = { "EDQUOT", EDQUOT },
	[INJECT_EMFILE] = { "EMFILE", EMFILE }, [INJECT_ENOMEM] = { "ENOMEM", ENOMEM },
	[INJECT_EINTR] = { "EINTR", EINTR }, [INJECT_ONE] = { "one", 0 },
	[INJECT_HALF] = { "half", 0 },
};

const char *inject_name(enum inject_kind kind)
{
	return kinds[kind].name;
}

enum inject_kind inject_find(const char *name)
{
	enum inject_kind kind = 0;

	while (kind < INJECT_KINDS && strcmp(kinds[kind].name, name) != 0)
		kind++;
	return kind;
}

static const struct row *find_row(int number)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].number == number)
			return &rows[i];
	return NULL;
}

static bool peek(pid_t pid, uint64_t address, void *ret, size_t size)
{
	const struct iovec there = { .iov_base = (void *)(uintptr_t)address, .iov_len = size };
	const struct iovec here = { .iov_base = ret, .iov_len = size };

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)size;
}

static unsigned kinds_of_open(pid_t pid, const struct __ptrace_syscall_info *info)
{
	struct open_how how = { .flags = info->entry.args[info->entry.nr == SYS_openat ? 2 : 1] };
	unsigned more = 0;

	if (info->entry.nr == SYS_openat2 && !peek(pid, info->entry.args[2], &how, sizeof(how)))
		return 0;
	if ((how.flags & O_ACCMODE) != O_RDONLY || (how.flags & O_CREAT) != 0)
		more |= BIT(EROFS);
	if ((how.flags & O_CREAT) != 0)
		more |= ROOM;
	return more;
}

static bool is_open(int number)
{
#ifdef SYS_open
	if (number == SYS_open)
		return true;
#endif
	return number == SYS_openat || number == SYS_openat2;
}

unsigned inject_kinds(pid_t pid, const struct __ptrace_syscall_info *info)
{
	const struct row *row = find_row((int)info->entry.nr);
	unsigned found = row != NULL ? row->kinds : 0;

	if (is_open((int)info->entry.nr))
		found |= kinds_of_open(pid, info);
	if ((found & SHORT) != 0 && info->entry.args[row->count] < 2)
		found &= ~SHORT;
	if ((found & SHORT) != 0 && info->entry.args[row->count] < 4)
		found &= ~BIT(HALF); /* which is one */
	return found;
}

bool inject_is_harmless(enum inject_kind kind)
{
	return kind == INJECT_EINTR || kind == INJECT_ONE || kind == INJECT_HALF;
}

bool inject_is_sync(int number)
{
	return number == SYS_fsync || number == SYS_fdatasync;
}

static void peek_text(pid_t pid, uint64_t address, char *ret, size_t size)
{
	memset(ret, 0, size);
	/* it may end with its page */
	for (size_t i = 0; i < size - 1; i++)
		if (!peek(pid, address + i, ret + i, 1) || ret[i] == '\0')
			return;
}

static bool has_name(pid_t pid, uint64_t address, const char *name)
{
	char text[256], *slash;

	peek_text(pid, address, text, sizeof(text));
	slash = strrchr(text, '/');
	return strcmp(slash != NULL ? slash + 1 : text, name) == 0;
}

bool inject_renames(pid_t pid, const struct __ptrace_syscall_info *info, const char *name)
{
	const uint64_t *args = info->entry.args;

#ifdef SYS_rename
	if (info->entry.nr == SYS_rename)
		return has_name(pid, args[0], name) || has_name(pid, args[1], name);
#endif
	if (info->entry.nr != SYS_renameat && info->entry.nr != SYS_renameat2)
		return false;
	return has_name(pid, args[1], name) || has_name(pid, args[3], name);
}

/* A descriptor of a folder, and a name in it. */
static bool takes_name(int number)
{
	static const int taking[] = { SYS_openat,    SYS_openat2,    SYS_newfstatat, SYS_statx,
				      SYS_faccessat, SYS_faccessat2, SYS_readlinkat, SYS_renameat,
				      SYS_renameat2, SYS_linkat,     SYS_mkdirat,    SYS_unlinkat,
				      SYS_fchmodat,  SYS_fchownat,   SYS_utimensat };

	for (size_t i = 0; i < sizeof(taking) / sizeof(taking[0]); i++)
		if (taking[i] == number)
			return true;
	return false;
}

void inject_describe(pid_t pid, const struct __ptrace_syscall_info *info, char *ret, size_t size)
{
	char path[64], file[128], name[128] = "";
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, (int)info->entry.args[0]);
	n = readlink(path, file, sizeof(file) - 1);
	file[n > 0 ? n : 0] = '\0';
	if (takes_name((int)info->entry.nr))
		peek_text(pid, info->entry.args[1], name, sizeof(name));
	(void)snprintf(ret, size, "%s%s%s", file, file[0] != '\0' && name[0] != '\0' ? " " : "",
		       name);
}

/* ---- The registers */

#ifdef __x86_64__

/* The argument that is changed; NULL: none is, and the call is not made. */
static unsigned long long *changed(struct user_regs_struct *regs, int number, enum inject_kind kind)
{
	if (number == SYS_brk)
		return &regs->rdi;
	if (kinds[kind].code != 0)
		return NULL;
	switch (find_row(number)->count) {
	case 1:
		return &regs->rsi;
	case 2:
		return &regs->rdx;
	case 3:
		return &regs->r10;
	default:
		return &regs->r8;
	}
}

bool inject_enter(pid_t pid, int number, enum inject_kind kind, uint64_t *ret_argument)
{
	struct user_regs_struct regs;
	unsigned long long *argument;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0)
		return false;
	argument = changed(&regs, number, kind);
	*ret_argument = argument != NULL ? *argument : 0;
	if (number == SYS_brk)
		*argument = 0; /* it says where the end is, and leaves it there */
	else if (argument != NULL)
		*argument = kind == INJECT_ONE ? 1 : *argument / 2;
	else if (number != SYS_close)
		regs.orig_rax = (unsigned long long)NO_CALL;
	return ptrace(PTRACE_SETREGS, pid, NULL, &regs) == 0;
}

bool inject_leave(pid_t pid, int number, enum inject_kind kind, uint64_t before)
{
	struct user_regs_struct regs;
	unsigned long long *argument;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0)
		return false;
	argument = changed(&regs, number, kind);
	if (argument != NULL)
		*argument = before;
	else
		regs.rax = (unsigned long long)-kinds[kind].code;
	return ptrace(PTRACE_SETREGS, pid, NULL, &regs) == 0;
}

#else

bool inject_enter(pid_t pid, int number, enum inject_kind kind, uint64_t *ret_argument)
{
	skip("errors are injected on x86-64 alone");
}

bool inject_leave(pid_t pid, int number, enum inject_kind kind, uint64_t argument)
{
	return true;
}

#endif

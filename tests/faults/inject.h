/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * inject: which error makes sense as the result of which system call, and how a call that a traced
 * process is about to make is given it. The call is not executed then; but for close(2), which
 * closes whatever it says.
 */
#ifndef ROOTLATCH_TESTS_INJECT_H
#define ROOTLATCH_TESTS_INJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/types.h>

enum inject_kind {
	INJECT_EIO,
	INJECT_ENOSPC,
	INJECT_EROFS,
	INJECT_EDQUOT,
	INJECT_EMFILE,
	INJECT_ENOMEM,
	INJECT_EINTR,
	INJECT_ONE,  /* one byte is read or written */
	INJECT_HALF, /* half of them are */
	INJECT_KINDS
};

const char *inject_name(enum inject_kind kind);
/* INJECT_KINDS when there is none of that name. */
enum inject_kind inject_find(const char *name);

/* The kinds that make sense for a call at its entry, one bit each. */
unsigned inject_kinds(pid_t pid, const struct __ptrace_syscall_info *info);
/* Whether a program has to take it as if nothing had happened. */
bool inject_is_harmless(enum inject_kind kind);
/* Whether the call makes something durable. */
bool inject_is_sync(int number);
/* Whether the call renames to or from `name`, which has no folder. */
bool inject_renames(pid_t pid, const struct __ptrace_syscall_info *info, const char *name);

/* What a call at its entry is about, for who reads a report: the file of its descriptor, and the name
 * that it takes when that is its second argument. */
void inject_describe(pid_t pid, const struct __ptrace_syscall_info *info, char *ret, size_t size);

/* At the entry of the call, and at its exit: a call leaves the registers of its arguments as they were,
 * so the one that was changed is put back. False when the process was killed meanwhile. */
bool inject_enter(pid_t pid, int number, enum inject_kind kind, uint64_t *ret_argument);
bool inject_leave(pid_t pid, int number, enum inject_kind kind, uint64_t argument);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * error: what went wrong, in a struct on the caller's stack. Nothing here allocates, so
 * that running out of memory can be reported too.
 *
 * A function that can fail returns 0 or -1. On success it leaves *err alone; on failure it
 * fills it in, and leaves its outputs alone. `code` is the exit status of the command-line
 * contract, so that the meaning of a failure ("nothing was changed", "a person must look")
 * is decided where it is known, at the bottom.
 */
#ifndef ROOTLATCH_BASE_ERROR_H
#define ROOTLATCH_BASE_ERROR_H

#include <stdarg.h>

enum error_code {
	ERROR_NONE = 0,
	ERROR_FAILED = 1,         /* rolled back, everything is as before */
	ERROR_DIFFERENT = 2,      /* check or --dry-run found a difference */
	ERROR_REFUSED = 3,        /* refused before anything was touched */
	ERROR_IN_DOUBT = 4,       /* a person must look */
	ERROR_USAGE = 64,         /* sysexits.h EX_USAGE */
	ERROR_UNREACHABLE = 69,   /* EX_UNAVAILABLE */
	ERROR_BUSY = 75,          /* EX_TEMPFAIL: another rootlatch holds the lock */
	ERROR_NOT_PERMITTED = 77, /* EX_NOPERM */
};

#define ERROR_MESSAGE_MAX 2048
#define ERROR_HINT_MAX 1024

struct error {
	enum error_code code;
	int sys_errno;                    /* 0 when no system call was the cause */
	char message[ERROR_MESSAGE_MAX];  /* what happened, no final newline, no final stop */
	char hint[ERROR_HINT_MAX];        /* what to do; may be empty; may have several lines */
};

#define ERROR_INIT { .code = ERROR_NONE }

#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _must_check_ __attribute__((warn_unused_result))

/* For the few places that discard a result on purpose: gcc does not take a cast to void for
 * it. */
static inline void error_ignore(int result)
{
	(void)result;
}

/* Sets code and message, clears the hint. Always returns -1, so that callers can
 * `return error_set(...)`. err may be NULL: the caller does not want to know. */
int error_set(struct error *err, enum error_code code, const char *fmt, ...) _printf_(3, 4);

/* The same, with ": " and the text of sys_errno (strerror(3)) behind the message. */
int error_sys(struct error *err, enum error_code code, int sys_errno, const char *fmt, ...)
	_printf_(4, 5);

/* Puts "fmt: " before the message that is already there. Returns -1. */
int error_prefix(struct error *err, const char *fmt, ...) _printf_(2, 3);

/* Sets what to do about it. Returns -1. */
int error_hint(struct error *err, const char *fmt, ...) _printf_(2, 3);

/* Adds a line to what to do about it. Returns -1. */
int error_hint_add(struct error *err, const char *fmt, ...) _printf_(2, 3);

/* Out of memory, said without allocating. Returns -1. */
int error_oom(struct error *err);

#endif

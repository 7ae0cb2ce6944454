/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: message and hint are always terminated, and cut rather than grown.
 */
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void error_fill(struct error *err, enum error_code code, int sys_errno,
		       const char *fmt, va_list args)
{
	err->code = code;
	err->sys_errno = sys_errno;
	err->hint[0] = '\0';
	(void)vsnprintf(err->message, sizeof(err->message), fmt, args);
}

int error_set(struct error *err, enum error_code code, const char *fmt, ...)
{
	va_list args;

	if (err == NULL)
		return -1;
	va_start(args, fmt);
	error_fill(err, code, 0, fmt, args);
	va_end(args);
	return -1;
}

int error_sys(struct error *err, enum error_code code, int sys_errno, const char *fmt, ...)
{
	va_list args;
	size_t used;

	if (err == NULL)
		return -1;
	va_start(args, fmt);
	error_fill(err, code, sys_errno, fmt, args);
	va_end(args);
	used = strlen(err->message);
	(void)snprintf(err->message + used, sizeof(err->message) - used, ": %s",
		       strerror(sys_errno));
	return -1;
}

int error_prefix(struct error *err, const char *fmt, ...)
{
	char old[ERROR_MESSAGE_MAX];
	va_list args;
	size_t used;

	if (err == NULL)
		return -1;
	memcpy(old, err->message, sizeof(old));
	va_start(args, fmt);
	(void)vsnprintf(err->message, sizeof(err->message), fmt, args);
	va_end(args);
	used = strlen(err->message);
	(void)snprintf(err->message + used, sizeof(err->message) - used, ": %s", old);
	return -1;
}

int error_hint(struct error *err, const char *fmt, ...)
{
	va_list args;

	if (err == NULL)
		return -1;
	va_start(args, fmt);
	(void)vsnprintf(err->hint, sizeof(err->hint), fmt, args);
	va_end(args);
	return -1;
}

int error_hint_add(struct error *err, const char *fmt, ...)
{
	va_list args;
	size_t used;

	if (err == NULL)
		return -1;
	used = strlen(err->hint);
	if (used > 0 && used < sizeof(err->hint) - 1 && err->hint[used - 1] != '\n') {
		err->hint[used++] = '\n';
		err->hint[used] = '\0';
	}
	va_start(args, fmt);
	(void)vsnprintf(err->hint + used, sizeof(err->hint) - used, fmt, args);
	va_end(args);
	return -1;
}

int error_oom(struct error *err)
{
	return error_sys(err, ERROR_FAILED, ENOMEM, "not enough memory");
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <errno.h>

Test(base_error, sets_code_and_message_and_forgets_the_hint)
{
	struct error err = ERROR_INIT;

	(void)error_hint(&err, "an old one");
	cr_expect(eq(int, error_set(&err, ERROR_REFUSED, "%s line %d", "a file", 3), -1));
	cr_expect(eq(int, err.code, ERROR_REFUSED));
	cr_expect(eq(int, err.sys_errno, 0));
	box_str(err.message, "a file line 3");
	box_str(err.hint, "");
}

Test(base_error, says_what_the_system_said)
{
	struct error err = ERROR_INIT;

	cr_expect(eq(int, error_sys(&err, ERROR_FAILED, ENOSPC, "writing %s", "x"), -1));
	cr_expect(eq(int, err.sys_errno, ENOSPC));
	box_str(err.message, "writing x: No space left on device");
	cr_expect(eq(int, error_oom(&err), -1));
	cr_expect(eq(int, err.sys_errno, ENOMEM));
}

Test(base_error, puts_context_in_front_and_keeps_all_else)
{
	struct error err = ERROR_INIT;

	(void)error_sys(&err, ERROR_IN_DOUBT, EIO, "inner");
	(void)error_hint(&err, "look");
	cr_expect(eq(int, error_prefix(&err, "outer %d", 1), -1));
	box_str(err.message, "outer 1: inner: Input/output error");
	box_str(err.hint, "look");
	cr_expect(eq(int, err.code, ERROR_IN_DOUBT));
	cr_expect(eq(int, err.sys_errno, EIO));
}

Test(base_error, adds_lines_to_the_hint)
{
	struct error err = ERROR_INIT;

	(void)error_hint_add(&err, "one");
	(void)error_hint_add(&err, "two\n");
	(void)error_hint_add(&err, "three");
	box_str(err.hint, "one\ntwo\nthree");
}

Test(base_error, cuts_what_is_too_long_and_stays_terminated)
{
	static char text[3 * ERROR_MESSAGE_MAX];
	struct error err = ERROR_INIT;

	memset(text, 'x', sizeof(text) - 1);
	(void)error_set(&err, ERROR_FAILED, "%s", text);
	cr_expect(eq(sz, strlen(err.message), ERROR_MESSAGE_MAX - 1));
	(void)error_sys(&err, ERROR_FAILED, EIO, "%s", text);
	cr_expect(eq(sz, strlen(err.message), ERROR_MESSAGE_MAX - 1));
	(void)error_prefix(&err, "why");
	cr_expect(eq(sz, strlen(err.message), ERROR_MESSAGE_MAX - 1));
	cr_expect(strncmp(err.message, "why: xxx", 8) == 0);
	(void)error_prefix(&err, "%s", text);
	cr_expect(eq(sz, strlen(err.message), ERROR_MESSAGE_MAX - 1));
	(void)error_hint(&err, "%s", text);
	cr_expect(eq(sz, strlen(err.hint), ERROR_HINT_MAX - 1));
	(void)error_hint_add(&err, "more");
	cr_expect(eq(sz, strlen(err.hint), ERROR_HINT_MAX - 1));
	/* room for the newline alone */
	text[ERROR_HINT_MAX - 2] = '\0';
	(void)error_hint(&err, "%s", text);
	(void)error_hint_add(&err, "more");
	cr_expect(eq(sz, strlen(err.hint), ERROR_HINT_MAX - 1));
}

Test(base_error, takes_nobody_who_wants_to_know)
{
	cr_expect(eq(int, error_set(NULL, ERROR_FAILED, "x"), -1));
	cr_expect(eq(int, error_sys(NULL, ERROR_FAILED, EIO, "x"), -1));
	cr_expect(eq(int, error_prefix(NULL, "x"), -1));
	cr_expect(eq(int, error_hint(NULL, "x"), -1));
	cr_expect(eq(int, error_hint_add(NULL, "x"), -1));
	cr_expect(eq(int, error_oom(NULL), -1));
}

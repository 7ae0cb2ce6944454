/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A real sshd in mount and network namespaces of the test's own: /run is empty, /etc/ssh holds a
 * host key and the configuration that the test writes, nothing but loopback is there. A daemon
 * that is started here dies with the test, whatever becomes of the test.
 */
#ifndef ROOTLATCH_TESTS_SERVICE_FIXTURE_H
#define ROOTLATCH_TESTS_SERVICE_FIXTURE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "service/sshd.h"

#define CONFIG SSHD_CONFIG_DEFAULT

/* Skips the test, and says why, where it can't run. */
void fixture_enter(void);

void fixture_write(const char *path, const char *text);

/* Starts sshd as a child; `arguments` end with NULL, argv[0] is the path. Returns its pid once its
 * pid file `pid_file` is there (NULL: once it listens). */
pid_t fixture_start(const char *pid_file, const char *const *arguments);

/* `sshd -D` with the default file. */
pid_t fixture_start_default(void);

/* Ends everything that was started, and every daemon that took its place. */
void fixture_leave_daemons(void);

/* The same at the end of the test. */
void fixture_leave(void);

struct host *fixture_host(void);

/* Fails the test with the error's own words. */
#define assert_ok(expr)                                                                  \
	do {                                                                             \
		int ok_ = (expr);                                                        \
		cr_assert(eq(int, ok_, 0), "%s: %s (%s)", #expr, err.message, err.hint); \
	} while (0)

/* Criterion's str takes no const. */
#define expect_str(actual, expected, ...) \
	cr_expect(eq(str, (char *)(actual), (char *)(expected)), ##__VA_ARGS__)

#define assert_contains(text, part) \
	cr_assert(strstr((text), (part)) != NULL, "\"%s\" is not in \"%s\"", (part), (text))

#endif

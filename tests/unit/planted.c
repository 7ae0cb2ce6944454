/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Errors on purpose. Criterion runs each test in a process of its own, and a leak that is
 * found there does not fail the run: planted.t shows that ours fails all the same.
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Keeps the compiler from seeing through the pointer, and from removing the error. */
static void *volatile escaped;

Test(planted, leak)
{
	char *lost = malloc(64);

	memset(lost, 'x', 64);
	escaped = lost;
	escaped = NULL;
	lost = NULL;
	cr_assert(lost == NULL);
}

Test(planted, use_after_free)
{
	char *gone = malloc(64);

	memset(gone, 'x', 64);
	escaped = gone;
	free(gone);
	gone = escaped;
	cr_assert(gone[1] != '\0' || gone[2] == '\0' || gone[3] == gone[4]);
}

Test(planted, overflow)
{
	volatile int most = INT_MAX;

	most += 1;
	cr_assert(most == INT_MIN);
}

Test(planted, nothing)
{
	char *kept = malloc(64);

	memset(kept, 'x', 64);
	escaped = kept;
	cr_assert(kept[1] == 'x');
	free(escaped);
}

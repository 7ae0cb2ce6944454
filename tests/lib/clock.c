/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Loaded by LD_PRELOAD: the wall clock and the clock since boot of one process, set forward or back
 * by the seconds in CLOCK_REAL and CLOCK_BOOT. What the process waits for (timers, poll) goes by the
 * kernel's own clocks all the same, and what it starts has those as well, as it clears its environment.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long real_shift, boot_shift;

static long seconds_of(const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? strtol(value, NULL, 10) : 0;
}

__attribute__((constructor)) static void read_shifts(void)
{
	real_shift = seconds_of("CLOCK_REAL");
	boot_shift = seconds_of("CLOCK_BOOT");
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	/* not by the next clock_gettime(3): this one may be called before that is there */
	int r = (int)syscall(SYS_clock_gettime, id, t);

	if (r == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		t->tv_sec += real_shift;
	if (r == 0 && id == CLOCK_BOOTTIME)
		t->tv_sec += boot_shift;
	return r;
}

time_t time(time_t *ret)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &t);
	if (ret != NULL)
		*ret = t.tv_sec;
	return t.tv_sec;
}

int gettimeofday(struct timeval *ret, void *zone)
{
	struct timespec t = { 0 };

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &t) < 0)
		return -1;
	ret->tv_sec = t.tv_sec;
	ret->tv_usec = t.tv_nsec / 1000;
	return 0;
}

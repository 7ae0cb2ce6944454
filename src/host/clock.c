/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "host/process.h"

static int64_t clock_ns(clockid_t id)
{
	struct timespec t = { 0 };

	(void)clock_gettime(id, &t);
	return timespec_ns(t);
}

int64_t clock_realtime_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t clock_boottime_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

int clock_boot_identity(char ret[CLOCK_BOOT_MAX], struct error *err)
{
	struct host_process first;
	char id[37];

	errno = 0;
	if (host_proc_read("sys/kernel/random/boot_id", id, sizeof(id)) != (ssize_t)sizeof(id) - 1 ||
	    host_process_of(1, &first) < 0)
		return error_sys(err, ERROR_FAILED, errno, "this boot can't be told from another: "
				 "/proc/sys/kernel/random/boot_id, /proc/1/stat");
	(void)snprintf(ret, CLOCK_BOOT_MAX, "%s-%llu", id, (unsigned long long)first.start_ticks);
	return 0;
}

void clock_sleep_ms(unsigned ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

int host_random_hex(char *ret, size_t n, struct error *err)
{
	unsigned char raw[64];
	size_t got = 0;

	if (n > sizeof(raw))
		n = sizeof(raw);
	while (got < n) {
		ssize_t more = TEMP_FAILURE_RETRY(getrandom(raw + got, n - got, 0));

		if (more < 0)
			return error_sys(err, ERROR_FAILED, errno, "no random bytes from the kernel");
		got += (size_t)more;
	}
	for (size_t i = 0; i < n; i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", raw[i]);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * clock: the time of day, the time since boot, and which boot this is.
 */
#ifndef ROOTLATCH_HOST_CLOCK_H
#define ROOTLATCH_HOST_CLOCK_H

#include <stdint.h>

#include "host/host.h"

#define NSEC_PER_SEC 1000000000LL

/* Nanoseconds of CLOCK_REALTIME and CLOCK_BOOTTIME (clock_gettime(2)). */
int64_t clock_realtime_ns(void);
int64_t clock_boottime_ns(void);

/* Which boot this is: the boot id of proc_sys_kernel(5) and the start of process 1, for a
 * container shares its host's id. */
#define CLOCK_BOOT_MAX 64
int clock_boot_identity(char ret[CLOCK_BOOT_MAX], struct error *err) _must_check_;

/* Sleeps, EINTR included. */
void clock_sleep_ms(unsigned ms);

static inline int64_t timespec_ns(struct timespec t)
{
	return (int64_t)t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

static inline struct timespec timespec_of_ns(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / NSEC_PER_SEC, .tv_nsec = ns % NSEC_PER_SEC };
}


/* n random bytes as 2 * n lowercase hexadecimal digits (getrandom(2)); `ret` has room for
 * 2 * n + 1. */
int host_random_hex(char *ret, size_t n, struct error *err) _must_check_;

#endif

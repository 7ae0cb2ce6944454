/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cleanup: what a variable owns is released when it goes out of scope. TAKE_PTR and TAKE_FD
 * hand the ownership on. (The idea is systemd's, the attribute is GCC's and clang's.)
 */
#ifndef ROOTLATCH_BASE_CLEANUP_H
#define ROOTLATCH_BASE_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

/* Leaves errno, which the caller may be about to look at. */
static inline void cleanup_close(int *fd)
{
	int before = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = before;
}

#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)

#define TAKE_PTR(ptr)                          \
	({                                     \
		__typeof__(ptr) *take_ = &(ptr); \
		__typeof__(ptr) ret_ = *take_;   \
		*take_ = NULL;                 \
		ret_;                          \
	})

static inline int take_fd(int *fd)
{
	int ret = *fd;

	*fd = -1;
	return ret;
}

#define TAKE_FD(fd) take_fd(&(fd))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif

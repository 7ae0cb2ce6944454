/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * namespace: what a child does to its own view of the files between fork(2) and execve(2).
 * The real files are never touched (mount_namespaces(7)).
 */
#ifndef ROOTLATCH_HOST_NAMESPACE_H
#define ROOTLATCH_HOST_NAMESPACE_H

#include "host/process.h"

enum namespace_result {
	NAMESPACE_READY = 0,
	NAMESPACE_UNAVAILABLE, /* not allowed here: a container without CAP_SYS_ADMIN */
	NAMESPACE_FAILED,      /* errno says why */
};

/* Called in the child. Shows it the command's views and the folder that it misses, and enters
 * the root. */
enum namespace_result namespace_enter(const struct host *h, const struct host_command *cmd);

#endif

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

/* A tmpfs that the child alone sees. */
struct scratch {
	const char *path; /* where the tmpfs is mounted */
	bool hides;       /* something lies below it there */
	dev_t dev;        /* what lies on the tmpfs is told by its device */
	ino_t ino;        /* of its root */
	unsigned copies;  /* folders shown anew */
};

/* Where it hides nothing of the command's, if that can be had. 0, or -1 with errno, as are all of
 * these. */
int namespace_mount_scratch(const struct host *h, const struct host_command *cmd,
			    struct scratch *ret);
int namespace_bind(const char *source, int target_fd);
/* What is mounted on an open folder by now. */
int namespace_topmost(int fd);

/* host_tree_rehearse's part in the child. */
struct host_tree;
struct host_stage {
	const struct host_tree *tree;
	const struct strings *folders;
	int socket; /* an open folder is sent through it: the copy of folder N is "N" there */
};

int stage_show(const struct host *h, const struct host_command *cmd);
/* True when folder N is shown as a copy (if it is there). */
bool stage_shows(const struct host_stage *stage, size_t n);

/* Called in the child. Shows it the command's views and the folder that it misses, and enters
 * the root. */
enum namespace_result namespace_enter(const struct host *h, const struct host_command *cmd);

#endif

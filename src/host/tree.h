/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tree: whole folders, held in memory, and the rehearsal of a command that changes them. The
 * command is run in a mount namespace of its own (mount_namespaces(7)) where these folders are
 * copies: what it would do is known, and nothing was done.
 */
#ifndef ROOTLATCH_HOST_TREE_H
#define ROOTLATCH_HOST_TREE_H

#include "host/file.h"
#include "host/process.h"

enum host_tree_kind {
	HOST_TREE_FOLDER,
	HOST_TREE_FILE,
	HOST_TREE_LINK,
	HOST_TREE_OTHER, /* a device, FIFO or socket: noted, never copied */
};

struct host_tree_entry {
	char *path; /* absolute, below the host's root */
	enum host_tree_kind kind;
	mode_t mode; /* permission bits */
	uid_t uid;
	gid_t gid;
	nlink_t links;
	int64_t mtime_ns;
	char *target;       /* LINK: its text. Otherwise NULL */
	struct buffer bytes; /* FILE */
};

struct host_tree {
	struct host_tree_entry *items; /* by path, in byte order: a folder is before what is in it */
	size_t len;
	size_t cap;
};

#define HOST_TREE_INIT { .items = NULL }
#define _cleanup_host_tree_ _cleanup_(host_tree_release)

void host_tree_release(struct host_tree *t);

/* Reads these folders with all that is in them, no link followed. One that is not there adds
 * nothing; one that is reached by a link, or is none, is ERROR_REFUSED. What goes while it is read
 * is left out. */
int host_tree_read(const struct host *h, const struct strings *folders, struct host_tree *ret,
		   struct error *err) _must_check_;

/* Adds an open folder with all that is in it, as if it were at `path`. Takes the descriptor. When it
 * fails the tree can but be released. */
int host_tree_read_fd(const struct host *h, int fd, const char *path, struct host_tree *t,
		      struct error *err) _must_check_;

/* How a tree is read: a new last entry with what stat(2) says of it (NULL when there is no memory),
 * and when all are there, the order; of two with the same path one is kept. */
struct host_tree_entry *host_tree_add(struct host_tree *t, const char *path,
				      const struct stat *st, struct error *err) _must_check_;
void host_tree_sort(struct host_tree *t);

int host_tree_copy(const struct host_tree *t, struct host_tree *ret, struct error *err)
	_must_check_;

/* Of the bytes of a FILE. It costs more than reading them, so it is not kept for all. */
struct digest host_tree_digest(const struct host_tree_entry *e);
bool host_tree_same_bytes(const struct host_tree_entry *a, const struct host_tree_entry *b);

/* NULL when there is none. */
struct host_tree_entry *host_tree_find(const struct host_tree *t, const char *path);

/* Each in memory alone. An entry at that path is replaced, a folder with all that is in it. */
int host_tree_put(struct host_tree *t, const struct host_tree_entry *e, struct error *err)
	_must_check_; /* a copy of it */
/* Of root's, and as old as now. */
int host_tree_put_link(struct host_tree *t, const char *path, const char *target,
		       struct error *err) _must_check_;
/* With all that is in it. One that is not there is fine; `path` may be that of an entry. */
void host_tree_remove(struct host_tree *t, const char *path);

/* Runs `cmd` where `folders` hold what `t` says (those that have no entry in it, or that are not
 * there on the host, are not shown anew), /run is empty, all else is read-only, and the host's root
 * is its root. `ret_after` is what the command left of those that were shown: what it did not
 * touch keeps its times. cmd->views must be empty; SYSTEMD_OFFLINE=1 is put into its environment. As
 * with host_run, the command's own status is no error, and without namespaces
 * ret_outcome->no_namespaces is set and ret_after is empty. When it ends, or takes too long, its process
 * group is killed. Nothing outside of that namespace is changed, and nothing is left behind, also
 * when we are killed; a process of its that left the group is not waited for, and can write to the
 * copies alone. */
int host_tree_rehearse(const struct host *h, const struct host_tree *t,
		       const struct strings *folders, const struct host_command *cmd,
		       struct host_outcome *ret_outcome, struct host_tree *ret_after,
		       struct error *err) _must_check_;

#endif

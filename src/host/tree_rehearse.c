/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The parent's part of a rehearsal: it starts the command, waits for it, and reads the copies
 * through the descriptor that the child sent. The copies live as long as somebody holds that, or
 * runs among them, and no longer: there is nothing to clean up.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/path.h"
#include "host/namespace.h"
#include "host/tree.h"

static int receive_folder(int socket)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .bytes = { 0 } };
	char byte;
	struct iovec vec = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &vec, .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	const struct cmsghdr *c;
	int fd;

	/* the child has ended: what it had to send is there */
	if (TEMP_FAILURE_RETRY(recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)) <= 0)
		return -1;
	c = CMSG_FIRSTHDR(&message);
	if (c == NULL || c->cmsg_type != SCM_RIGHTS)
		return -1;
	(void)memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static int read_copy(const struct host *h, int root, const char *folder, size_t n,
		     struct host_tree *t, struct error *err)
{
	char name[24];
	int fd;

	(void)snprintf(name, sizeof(name), "%zu", n);
	do
		fd = h->ops->open(h->ctx, root, name,
				  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, 0);
	while (fd < 0 && errno == EINTR);
	if (fd < 0 && errno == ENOENT)
		return 0; /* it is not there on the host */
	if (fd < 0)
		return error_sys(err, ERROR_FAILED, errno, "the copy of %s", folder);
	return host_tree_read_fd(h, fd, folder, t, err);
}

static bool is_shown(const struct host_stage *stage, const struct host_tree *after,
		     const char *path)
{
	for (size_t i = 0; i < stage->folders->len; i++)
		if (path_is_below(path, stage->folders->items[i]) &&
		    host_tree_find(after, stage->folders->items[i]) != NULL)
			return true;
	return false;
}

/* What a copy can't be: a FIFO, a file with a second name, a folder of that filesystem. */
static int restore_rest(const struct host_stage *stage, struct host_tree *after, struct error *err)
{
	for (size_t i = 0; i < stage->tree->len; i++) {
		const struct host_tree_entry *was = &stage->tree->items[i];
		struct host_tree_entry *is = host_tree_find(after, was->path);
		_cleanup_free_ char *up = NULL;

		if (is != NULL && is->kind == was->kind &&
		    (is->kind == HOST_TREE_FOLDER || is->mtime_ns == was->mtime_ns))
			is->links = was->links;
		if (is != NULL || was->kind != HOST_TREE_OTHER ||
		    !is_shown(stage, after, was->path))
			continue;
		up = path_dirname(was->path, err);
		if (up == NULL ||
		    (host_tree_find(after, up) != NULL && host_tree_put(after, was, err) < 0))
			return -1;
	}
	return 0;
}

static int read_after(const struct host *h, const struct host_stage *stage, int socket,
		      struct host_tree *ret, struct error *err)
{
	_cleanup_close_ int root = receive_folder(socket);
	_cleanup_host_tree_ struct host_tree t = HOST_TREE_INIT;

	if (root < 0)
		return error_set(err, ERROR_FAILED, "the copies were lost");
	for (size_t i = 0; i < stage->folders->len; i++)
		if (stage_shows(stage, i) &&
		    read_copy(h, root, stage->folders->items[i], i, &t, err) < 0)
			return -1;
	if (restore_rest(stage, &t, err) < 0)
		return -1;
	*ret = t;
	t = (struct host_tree)HOST_TREE_INIT;
	return 0;
}

static int run_staged(const struct host *h, const struct host_command *cmd,
		      const struct host_stage *stage, struct host_outcome *ret_outcome,
		      struct error *err)
{
	char *env[HOST_ENV_MAX + 1] = { (char *)"SYSTEMD_OFFLINE=1" };
	struct host_command staged = *cmd;

	for (size_t i = 0; cmd->env != NULL && cmd->env[i] != NULL && i + 1 < HOST_ENV_MAX; i++)
		env[i + 1] = cmd->env[i];
	staged.stage = stage;
	staged.env = env;
	staged.private_mounts = true;
	staged.in_root = true;
	return host_run(h, &staged, ret_outcome, err);
}

int host_tree_rehearse(const struct host *h, const struct host_tree *t,
		       const struct strings *folders, const struct host_command *cmd,
		       struct host_outcome *ret_outcome, struct host_tree *ret_after,
		       struct error *err)
{
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
	struct host_stage stage = { .tree = t, .folders = folders };
	struct host_tree after = HOST_TREE_INIT;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_sys(err, ERROR_FAILED, errno, "rehearsing %s", cmd->argv[0]);
	stage.socket = pair[1];
	r = run_staged(h, cmd, &stage, &o, err);
	if (r == 0 && !o.no_namespaces)
		r = read_after(h, &stage, pair[0], &after, err);
	(void)close(pair[0]);
	(void)close(pair[1]);
	if (r < 0)
		return error_prefix(err, "rehearsing %s", cmd->argv[0]);
	*ret_outcome = o;
	o = (struct host_outcome)HOST_OUTCOME_INIT;
	*ret_after = after;
	return 0;
}

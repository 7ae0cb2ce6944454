/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * net: listening sockets, who holds them, and what can be seen of another process beyond its
 * number. All of it is about the machine that runs, never about an image.
 */
#ifndef ROOTLATCH_HOST_NET_H
#define ROOTLATCH_HOST_NET_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/buffer.h"
#include "host/host.h"
#include "host/process.h"

struct host_socket {
	int family; /* AF_INET or AF_INET6 */
	char address[INET6_ADDRSTRLEN];
	uint16_t port;
	uid_t uid; /* who made it */
	ino_t inode;
};

struct host_sockets {
	struct host_socket *items;
	size_t len;
	size_t cap;
};

#define HOST_SOCKETS_INIT { .items = NULL, .len = 0, .cap = 0 }
#define _cleanup_host_sockets_ _cleanup_(host_sockets_release)

void host_sockets_release(struct host_sockets *s);
int host_sockets_add(struct host_sockets *s, const struct host_socket *one, struct error *err)
	_must_check_;
bool host_sockets_hold_inode(const struct host_sockets *s, ino_t inode);
/* The socket at this address and port, or NULL. */
const struct host_socket *host_sockets_at(const struct host_sockets *s,
					  const struct host_socket *where);

/* "192.0.2.1:22" or "[2001:db8::1]:22" and back; false when it is neither. `ret` has room for
 * HOST_SOCKET_TEXT_MAX. */
#define HOST_SOCKET_TEXT_MAX (INET6_ADDRSTRLEN + 9)
const char *host_socket_text(const struct host_socket *s, char *ret);
bool host_socket_parse(const char *text, struct host_socket *ret);

/* Every TCP socket that listens in our network namespace, IPv4 first, then by port: by way of
 * sock_diag(7), and of /proc where that is not to be had. */
int host_net_listeners(const struct host *h, struct host_sockets *ret, struct error *err)
	_must_check_;

/* The second way by itself; adds to `ret`, in the kernel's order. */
int host_net_listeners_by_proc(const struct host *h, struct host_sockets *ret, struct error *err)
	_must_check_;

/* Every UDP socket there that is bound to a port and to no peer. */
int host_net_receivers(const struct host *h, struct host_sockets *ret, struct error *err)
	_must_check_;

/* Those of `all` that the process holds open, in the same order. A process that is gone holds
 * none. */
int host_process_sockets(pid_t pid, const struct host_sockets *all, struct host_sockets *ret,
			 struct error *err) _must_check_;

/* True when all of its user ids are root's. Whoever owns /proc/PID says less: a process that may not
 * be dumped looks like root's. */
bool host_process_is_roots(pid_t pid);

/* True when the process has a handler for the signal (SigCgt in proc_pid_status(5)). */
bool host_process_catches(pid_t pid, int sig);

/* True when the process holds a socket (of any kind) that is not among `known`. It is the cheap
 * question before the dear one. */
bool host_process_has_other_socket(pid_t pid, const struct host_sockets *known);

/* Tries to bind a TCP socket there as a server would (SO_REUSEADDR, IPV6_V6ONLY), and lets it
 * go again. 0, or an errno: EADDRNOTAVAIL, EADDRINUSE, EAFNOSUPPORT ... */
int host_net_try_bind(const struct host_socket *where);

/* Connects to a listening socket of this machine (a wildcard by way of loopback) and reads its
 * first line, at most len - 1 bytes. 0 when something was read, otherwise -1 with errno:
 * ETIMEDOUT, ECONNREFUSED, ECONNRESET, or 0 when the other side just closed. */
int host_net_first_line(const struct host_socket *where, unsigned timeout_ms, char *ret,
			size_t len);

/* The file that a process runs, with the " (deleted)" of a replaced one taken off; and its working
 * folder. NULL with errno. Owned by the caller. */
char *host_process_exe(pid_t pid);
char *host_process_cwd(pid_t pid);

/* stat(2) of an absolute path as that process sees it (its root, its mounts); -1 with errno. */
int host_process_stat(pid_t pid, const char *path, struct stat *ret_st);

/* True when it lives in our network namespace. */
bool host_process_shares_net(pid_t pid);

/* A descriptor that gets readable when the process ends (pidfd_open(2)), -1 where the kernel has
 * none; and waiting for that. True: it ended. A negative fd just sleeps. */
int host_process_watch(const struct host_process *p);
bool host_process_wait(int watch_fd, unsigned timeout_ms);

/* Its parent, 0 when there is none (any more), and its name (proc_pid_comm(5)), which may hold
 * anything; "" when it is gone. */
#define HOST_PROCESS_NAME_MAX 64
pid_t host_process_parent(pid_t pid);
const char *host_process_name(pid_t pid, char ret[HOST_PROCESS_NAME_MAX]);

/* Its arguments, NUL between them (proc_pid_cmdline(5)); -1 when it is gone. */
int host_process_cmdline(pid_t pid, struct buffer *ret, struct error *err) _must_check_;

/* True when it lives in our pid namespace; in our mount namespace; when its root folder is ours. */
bool host_process_shares_pids(pid_t pid);
bool host_process_shares_mounts(pid_t pid);
bool host_process_shares_root(pid_t pid);

/* All process numbers, in ascending order. */
int host_process_list(pid_t **ret_pids, size_t *ret_n, struct error *err)
	_must_check_;

#endif

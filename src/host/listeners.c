/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sock_diag(7) walks the few listening sockets; /proc/net/tcp walks the kernel's whole table of
 * connections, which takes milliseconds even when it is empty. So /proc is read only where
 * sock_diag is not to be had, and then as far as the first socket that does not listen: those
 * that do come first.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>

#include "host/file.h"
#include "host/net.h"

#define TCP_LISTEN_STATE 0x0A
#define UDP_UNCONNECTED_STATE 0x07 /* TCP_CLOSE, which to UDP is "no peer" */

/* ---- sock_diag */

static int ask(int fd, int family)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 body;
	} request = {
		.head = { .nlmsg_len = sizeof(request), .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .sdiag_family = (unsigned char)family, .sdiag_protocol = IPPROTO_TCP,
			  .idiag_states = 1u << TCP_LISTEN_STATE },
	};
	ssize_t n;

	do
		n = send(fd, &request, sizeof(request), 0);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(request) ? 0 : -1;
}

static int add_diag(const struct inet_diag_msg *m, struct host_sockets *ret)
{
	struct host_socket s = { .family = m->idiag_family, .port = ntohs(m->id.idiag_sport),
				 .uid = m->idiag_uid, .inode = m->idiag_inode };

	if (inet_ntop(s.family, m->id.idiag_src, s.address, sizeof(s.address)) == NULL)
		return -1;
	return host_sockets_add(ret, &s, NULL);
}

static int no_answer(const struct nlmsghdr *m)
{
	const struct nlmsgerr *e = NLMSG_DATA(m);

	errno = m->nlmsg_type == NLMSG_ERROR && m->nlmsg_len >= NLMSG_LENGTH(sizeof(*e)) ?
			-e->error : EAGAIN;
	return -1;
}

/* 1 at the end of the answer, 0 when more is to come, -1 with errno when there is no answer. */
static int take_messages(const struct nlmsghdr *m, size_t len, struct host_sockets *ret)
{
	for (; NLMSG_OK(m, len); m = NLMSG_NEXT(m, len)) {
		if (m->nlmsg_type == NLMSG_DONE)
			return 1;
		if (m->nlmsg_type != SOCK_DIAG_BY_FAMILY || (m->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
			return no_answer(m);
		if (add_diag(NLMSG_DATA(m), ret) < 0)
			return -1;
	}
	return 0;
}

static int diag_family(int fd, int family, struct host_sockets *ret)
{
	union {
		struct nlmsghdr head;
		char bytes[16384];
	} answer;
	int done = ask(fd, family);

	while (done == 0) {
		ssize_t n = recv(fd, &answer, sizeof(answer), MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || (size_t)n > sizeof(answer))
			return -1;
		done = take_messages(&answer.head, (size_t)n, ret);
	}
	return done > 0 ? 0 : -1;
}

static int diag_all(struct host_sockets *ret)
{
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd < 0 || diag_family(fd, AF_INET, ret) < 0)
		return -1;
	/* a kernel without IPv6 has an empty answer or none */
	return diag_family(fd, AF_INET6, ret) < 0 && errno != ENOENT ? -1 : 0;
}

/* ---- /proc/net/tcp, proc_net(5) */

/* Addresses stand there as 32-bit words in the machine's byte order (proc_net(5)). */
static bool parse_address(int family, const char *hex, char *ret)
{
	uint32_t words[4] = { 0 };
	size_t n = family == AF_INET6 ? 4 : 1;

	for (size_t i = 0; i < n; i++)
		if (sscanf(hex + 8 * i, "%8" SCNx32, &words[i]) != 1)
			return false;
	return inet_ntop(family, words, ret, INET6_ADDRSTRLEN) != NULL;
}

enum line { LINE_MATCHES, LINE_OTHER, LINE_HEAD };

struct table {
	const char *path;
	int family;
	unsigned state;   /* of the sockets that are asked for */
	bool comes_first; /* these, before all others */
};

static enum line parse_line(const struct table *t, const char *line, struct host_socket *ret)
{
	char local[64];
	unsigned port, state, uid;
	unsigned long inode;

	if (sscanf(line, " %*u: %63[0-9A-F]:%X %*[0-9A-F]:%*X %X %*X:%*X %*X:%*X %*X %u %*d %lu",
		   local, &port, &state, &uid, &inode) != 5)
		return LINE_HEAD;
	if (state != t->state)
		return LINE_OTHER;
	*ret = (struct host_socket){ .family = t->family, .port = (uint16_t)port, .uid = uid,
				     .inode = inode };
	return strlen(local) == (t->family == AF_INET6 ? 32 : 8) &&
	       parse_address(t->family, local, ret->address) ? LINE_MATCHES : LINE_HEAD;
}

/* Takes the whole lines at the front of `text`. 1 when there can't be more, 0 to go on, -1. */
static int take_lines(const struct table *t, char *text, size_t *ret_used,
		      struct host_sockets *ret, struct error *err)
{
	char *line = text;

	for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		struct host_socket s;

		*end = '\0';
		switch (parse_line(t, line, &s)) {
		case LINE_OTHER:
			if (t->comes_first)
				return 1;
			break;
		case LINE_MATCHES:
			if (host_sockets_add(ret, &s, err) < 0)
				return -1;
			break;
		case LINE_HEAD:
			break;
		}
	}
	*ret_used = (size_t)(line - text);
	return 0;
}

static int read_table(const struct host *h, const struct table *t, struct host_sockets *ret,
		      struct error *err)
{
	_cleanup_close_ int fd = host_open(h, t->path, O_RDONLY, 0);
	char text[16384];
	size_t len = 0;

	if (fd < 0) /* a kernel without IPv6 has no tcp6 */
		return errno == ENOENT ? 0 : error_sys(err, ERROR_FAILED, errno, "%s", t->path);
	for (;;) {
		ssize_t n = h->ops->read(h->ctx, fd, text + len, sizeof(text) - 1 - len);
		size_t used = 0;
		int done;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_sys(err, ERROR_FAILED, errno, "reading %s", t->path);
		if (n == 0)
			return 0;
		len += (size_t)n;
		text[len] = '\0';
		done = take_lines(t, text, &used, ret, err);
		if (done != 0)
			return done < 0 ? -1 : 0;
		memmove(text, text + used, len - used);
		len -= used;
	}
}

int host_net_listeners_by_proc(const struct host *h, struct host_sockets *ret, struct error *err)
{
	static const struct table tables[] = {
		{ "/proc/self/net/tcp", AF_INET, TCP_LISTEN_STATE, true },
		{ "/proc/self/net/tcp6", AF_INET6, TCP_LISTEN_STATE, true },
	};

	if (read_table(h, &tables[0], ret, err) < 0)
		return -1;
	return read_table(h, &tables[1], ret, err);
}

int host_net_receivers(const struct host *h, struct host_sockets *ret, struct error *err)
{
	static const struct table tables[] = {
		{ "/proc/self/net/udp", AF_INET, UDP_UNCONNECTED_STATE, false },
		{ "/proc/self/net/udp6", AF_INET6, UDP_UNCONNECTED_STATE, false },
	};
	_cleanup_host_sockets_ struct host_sockets all = HOST_SOCKETS_INIT;

	if (read_table(h, &tables[0], &all, err) < 0 || read_table(h, &tables[1], &all, err) < 0)
		return -1;
	*ret = all;
	all = (struct host_sockets)HOST_SOCKETS_INIT;
	return 0;
}

/* ---- */

static int compare_sockets(const void *a, const void *b)
{
	const struct host_socket *one = a, *two = b;

	if (one->family != two->family)
		return one->family < two->family ? -1 : 1;
	if (one->port != two->port)
		return one->port < two->port ? -1 : 1;
	return strcmp(one->address, two->address);
}

int host_net_listeners(const struct host *h, struct host_sockets *ret, struct error *err)
{
	_cleanup_host_sockets_ struct host_sockets all = HOST_SOCKETS_INIT;

	if (diag_all(&all) < 0) {
		host_sockets_release(&all);
		if (host_net_listeners_by_proc(h, &all, err) < 0)
			return -1;
	}
	if (all.len > 1)
		qsort(all.items, all.len, sizeof(*all.items), compare_sockets);
	*ret = all;
	all = (struct host_sockets)HOST_SOCKETS_INIT;
	return 0;
}

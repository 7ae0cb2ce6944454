/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

void host_sockets_release(struct host_sockets *s)
{
	free(s->items);
	*s = (struct host_sockets)HOST_SOCKETS_INIT;
}

int host_sockets_add(struct host_sockets *s, const struct host_socket *one, struct error *err)
{
	if (s->len == s->cap) {
		size_t cap = s->cap != 0 ? 2 * s->cap : 8;
		struct host_socket *items = reallocarray(s->items, cap, sizeof(*items));

		if (items == NULL)
			return error_oom(err);
		s->items = items;
		s->cap = cap;
	}
	s->items[s->len++] = *one;
	return 0;
}

static const struct host_socket *find_inode(const struct host_sockets *s, ino_t inode)
{
	for (size_t i = 0; i < s->len; i++)
		if (s->items[i].inode == inode)
			return &s->items[i];
	return NULL;
}

bool host_sockets_hold_inode(const struct host_sockets *s, ino_t inode)
{
	return find_inode(s, inode) != NULL;
}

const struct host_socket *host_sockets_at(const struct host_sockets *s,
					  const struct host_socket *where)
{
	for (size_t i = 0; i < s->len; i++)
		if (s->items[i].family == where->family && s->items[i].port == where->port &&
		    strcmp(s->items[i].address, where->address) == 0)
			return &s->items[i];
	return NULL;
}

const char *host_socket_text(const struct host_socket *s, char *ret)
{
	bool six = s->family == AF_INET6;

	(void)snprintf(ret, HOST_SOCKET_TEXT_MAX, "%s%s%s:%u", six ? "[" : "", s->address,
		       six ? "]" : "", (unsigned)s->port);
	return ret;
}

bool host_socket_parse(const char *text, struct host_socket *ret)
{
	const char *colon = strrchr(text, ':');
	bool bracket = text[0] == '[';
	const char *end = bracket && colon != NULL ? colon - 1 : colon;
	struct host_socket s = { .family = bracket ? AF_INET6 : AF_INET };
	char address[INET6_ADDRSTRLEN];
	unsigned char raw[sizeof(struct in6_addr)];
	unsigned long port;
	char *rest;
	size_t len;

	if (colon == NULL || (bracket && (end <= text || *end != ']')))
		return false;
	len = (size_t)(end - text) - bracket;
	if (len >= sizeof(address))
		return false;
	memcpy(address, text + bracket, len);
	address[len] = '\0';
	port = strtoul(colon + 1, &rest, 10);
	if (rest == colon + 1 || *rest != '\0' || port > UINT16_MAX ||
	    inet_pton(s.family, address, raw) != 1)
		return false;
	s.port = (uint16_t)port;
	(void)inet_ntop(s.family, raw, s.address, sizeof(s.address)); /* one spelling for each */
	*ret = s;
	return true;
}

static socklen_t socket_address(const struct host_socket *where, uint16_t port, bool reachable,
				struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *four = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	ret->ss_family = (sa_family_t)where->family;
	if (where->family == AF_INET6) {
		six->sin6_port = htons(port);
		(void)inet_pton(AF_INET6, where->address, &six->sin6_addr);
		if (reachable && IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr))
			six->sin6_addr = in6addr_loopback;
		return sizeof(*six);
	}
	four->sin_port = htons(port);
	(void)inet_pton(AF_INET, where->address, &four->sin_addr);
	if (reachable && four->sin_addr.s_addr == htonl(INADDR_ANY))
		four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(*four);
}

int host_net_try_bind(const struct host_socket *where)
{
	_cleanup_close_ int fd = socket(where->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage address;
	socklen_t len = socket_address(where, where->port, false, &address);
	int on = 1;

	if (fd < 0)
		return errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return errno;
	if (where->family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	return bind(fd, (const struct sockaddr *)&address, len) < 0 ? errno : 0;
}

static int connect_to(const struct host_socket *where, unsigned timeout_ms)
{
	const struct timeval patience = { .tv_sec = timeout_ms / 1000,
					  .tv_usec = (timeout_ms % 1000) * 1000 };
	_cleanup_close_ int fd = socket(where->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage address;
	socklen_t len = socket_address(where, where->port, true, &address);

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&address, len) < 0) {
		if (errno == EINPROGRESS || errno == EAGAIN)
			errno = ETIMEDOUT;
		return -1;
	}
	return TAKE_FD(fd);
}

int host_net_first_line(const struct host_socket *where, unsigned timeout_ms, char *ret, size_t len)
{
	_cleanup_close_ int fd = connect_to(where, timeout_ms);
	size_t got = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -1;
	while (got < len - 1 && memchr(ret, '\n', got) == NULL) {
		n = read(fd, ret + got, len - 1 - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	ret[got] = '\0';
	ret[strcspn(ret, "\r\n")] = '\0';
	if (got > 0)
		return 0;
	errno = n == 0 ? 0 : errno == EAGAIN ? ETIMEDOUT : errno;
	return -1;
}

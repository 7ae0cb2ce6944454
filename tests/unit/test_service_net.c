/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_service_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/net.h"

TestSuite(service_net, .init = fixture_enter, .fini = fixture_leave, .timeout = 30);

static const struct {
	const char *text;
	const char *again; /* NULL: not an address */
	int family;
	int port;
} addresses[] = {
	{ "127.0.0.1:22", "127.0.0.1:22", AF_INET, 22 },
	{ "0.0.0.0:65535", "0.0.0.0:65535", AF_INET, 65535 },
	{ "[::]:22", "[::]:22", AF_INET6, 22 },
	{ "[2001:DB8:0::1]:2222", "[2001:db8::1]:2222", AF_INET6, 2222 },
	{ "127.0.0.1:65536", NULL, 0, 0 },
	{ "127.0.0.1", NULL, 0, 0 },
	{ "127.0.0.1:", NULL, 0, 0 },
	{ "localhost:22", NULL, 0, 0 },
	{ "::1:22", NULL, 0, 0 },
	{ "[::1:22", NULL, 0, 0 },
	{ "[", NULL, 0, 0 },
	{ "]:1", NULL, 0, 0 },
	{ "[]:1", NULL, 0, 0 },
	{ "127.0.0.1:22 rdomain x", NULL, 0, 0 },
	{ "[fe80::1%eth0]:22", NULL, 0, 0 },
	{ "", NULL, 0, 0 },
};

Test(service_net_text, reads_and_writes_addresses)
{
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		char text[HOST_SOCKET_TEXT_MAX];
		struct host_socket s;
		bool ok = host_socket_parse(addresses[i].text, &s);

		cr_assert(eq(int, ok, addresses[i].again != NULL), "%s", addresses[i].text);
		if (!ok)
			continue;
		cr_expect(eq(int, s.family, addresses[i].family));
		cr_expect(eq(int, s.port, addresses[i].port));
		expect_str(host_socket_text(&s, text), addresses[i].again);
	}
}

static int listen_on(const char *text)
{
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct host_socket s;
	int fd, on = 1;

	cr_assert(host_socket_parse(text, &s));
	fd = socket(s.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s.family == AF_INET) {
		four.sin_port = htons(s.port);
		(void)inet_pton(AF_INET, s.address, &four.sin_addr);
		cr_assert(eq(int, bind(fd, (struct sockaddr *)&four, sizeof(four)), 0));
	} else {
		six.sin6_port = htons(s.port);
		(void)inet_pton(AF_INET6, s.address, &six.sin6_addr);
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
		cr_assert(eq(int, bind(fd, (struct sockaddr *)&six, sizeof(six)), 0));
	}
	cr_assert(eq(int, listen(fd, 8), 0));
	return fd;
}

/* /proc says the same as the kernel's other interface. */
static void expect_both_ways(const struct host_sockets *all)
{
	struct host_sockets proc = HOST_SOCKETS_INIT;
	struct error err = ERROR_INIT;

	assert_ok(host_net_listeners_by_proc(fixture_host(), &proc, &err));
	cr_expect(eq(sz, proc.len, all->len));
	for (size_t i = 0; i < all->len; i++) {
		const struct host_socket *s = host_sockets_at(&proc, &all->items[i]);

		cr_assert(s != NULL, "%s", all->items[i].address);
		cr_expect(eq(ulong, (unsigned long)s->inode, (unsigned long)all->items[i].inode));
		cr_expect(eq(uint, s->uid, all->items[i].uid));
	}
	host_sockets_release(&proc);
}

Test(service_net, lists_what_listens_and_nothing_else)
{
	static const char *const where[] = { "127.0.0.1:2001", "0.0.0.0:2002", "[::1]:2003",
					     "[::]:2004" };
	struct host_sockets all = HOST_SOCKETS_INIT, held = HOST_SOCKETS_INIT;
	struct error err = ERROR_INIT;
	struct host_socket s;
	int fds[4], client;

	for (size_t i = 0; i < ARRAY_SIZE(where); i++)
		fds[i] = listen_on(where[i]);
	{
		struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(2001),
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

		client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		cr_assert(eq(int, connect(client, (struct sockaddr *)&to, sizeof(to)), 0));
	}
	assert_ok(host_net_listeners(fixture_host(), &all, &err));
	cr_expect(eq(sz, all.len, 4));
	for (size_t i = 0; i < ARRAY_SIZE(where); i++) {
		cr_assert(host_socket_parse(where[i], &s));
		cr_expect(host_sockets_at(&all, &s) != NULL, "%s", where[i]);
	}
	assert_ok(host_process_sockets(getpid(), &all, &held, &err));
	cr_expect(eq(sz, held.len, 4));
	cr_expect(host_process_has_other_socket(getpid(), &held)); /* the client */
	expect_both_ways(&all);
	(void)close(client);
	(void)close(fds[3]);
	host_sockets_release(&held);
	assert_ok(host_process_sockets(getpid(), &all, &held, &err));
	cr_expect(eq(sz, held.len, 3));
	host_sockets_release(&all);
	host_sockets_release(&held);
}

Test(service_net, reads_a_table_longer_than_its_buffer)
{
	struct host_sockets all = HOST_SOCKETS_INIT;
	struct error err = ERROR_INIT;
	char text[64];

	for (int i = 0; i < 400; i++) {
		(void)snprintf(text, sizeof(text), "127.0.0.1:%d", 3000 + i);
		(void)listen_on(text);
	}
	assert_ok(host_net_listeners(fixture_host(), &all, &err));
	cr_expect(eq(sz, all.len, 400));
	expect_both_ways(&all);
	host_sockets_release(&all);
}

static const struct {
	const char *text;
	int result;
} binds[] = {
	{ "127.0.0.1:2100", 0 },
	{ "0.0.0.0:2100", 0 },
	{ "[::1]:2100", 0 },
	{ "10.99.0.1:2100", EADDRNOTAVAIL },
	{ "10.99.0.1:0", EADDRNOTAVAIL },
	{ "127.0.0.1:2101", EADDRINUSE },
	{ "127.0.0.1:0", 0 },
};

Test(service_net, tries_addresses_as_a_server_would)
{
	(void)listen_on("127.0.0.1:2101");
	for (size_t i = 0; i < ARRAY_SIZE(binds); i++) {
		struct host_socket s;

		cr_assert(host_socket_parse(binds[i].text, &s));
		cr_expect(eq(int, host_net_try_bind(&s), binds[i].result), "%s", binds[i].text);
	}
}

Test(service_net, tells_silence_from_a_closed_door)
{
	int fd = listen_on("0.0.0.0:2200");
	struct host_socket s;
	char line[64];

	cr_assert(host_socket_parse("0.0.0.0:2200", &s));
	cr_expect(eq(int, host_net_first_line(&s, 100, line, sizeof(line)), -1));
	cr_expect(eq(int, errno, ETIMEDOUT));
	(void)close(fd);
	cr_expect(eq(int, host_net_first_line(&s, 100, line, sizeof(line)), -1));
	cr_expect(eq(int, errno, ECONNREFUSED));
}

Test(service_net, sees_a_process_end)
{
	struct host_process p;
	pid_t pid = fork();
	int fd;

	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	cr_assert(eq(int, host_process_of(pid, &p), 0));
	fd = host_process_watch(&p);
	cr_assert(ge(int, fd, 0));
	cr_expect(not(host_process_wait(fd, 20)));
	cr_assert(eq(int, kill(pid, SIGKILL), 0));
	cr_expect(host_process_wait(fd, 2000));
	(void)waitpid(pid, NULL, 0);
	cr_expect(eq(int, host_process_watch(&p), -1));
	(void)close(fd);
}

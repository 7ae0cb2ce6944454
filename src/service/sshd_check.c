/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `sshd -t` passes, and the reload ends sshd: an address that this host does not have. sshd goes
 * on as long as it gets one socket, so this is refused only when it would get none, or lose one
 * that it has.
 */
#include "service/sshd_check.h"

#include <errno.h>
#include <stdio.h>

#include "host/clock.h"
#include "host/file.h"

/* Two clock ticks: start times are counted in ticks, file times in the kernel's jiffies. */
#define LOADED_TOLERANCE_NS (20 * 1000000LL)

/* 0 when sshd would get a socket there, otherwise the errno. */
static int try_address(const struct sshd_daemon *d, struct host_socket where)
{
	/* it frees its own port before it takes it again; whether the address is there is asked
	 * with a port of the kernel's choice */
	if (host_sockets_at(&d->sockets, &where) != NULL)
		where.port = 0;
	return host_net_try_bind(&where);
}

static const char *reason(int why)
{
	switch (why) {
	case EADDRNOTAVAIL:
		return "this host does not have the address";
	case EADDRINUSE:
		return "another program holds the port";
	case EAFNOSUPPORT:
		return "this host has no such addresses";
	default:
		return strerror(why);
	}
}

struct bindable {
	struct host_sockets good;
	struct buffer bad; /* "ListenAddress 10.0.0.9:22 (this host does not have the address)" */
};

static int try_all(const struct sshd_daemon *d, const struct sshd_answers *answers,
		   struct bindable *b, struct error *err)
{
	const char *value;

	for (size_t i = 0; (value = sshd_answers_nth(answers, "listenaddress", i)) != NULL; i++) {
		struct host_socket where;
		int why;

		if (!host_socket_parse(value, &where))
			continue; /* a zone or a routing domain: sshd's own business */
		why = try_address(d, where);
		if (why == 0 && host_sockets_add(&b->good, &where, err) < 0)
			return -1;
		if (why != 0 && buffer_printf(&b->bad, err, "%sListenAddress %s (%s)",
					      b->bad.len > 0 ? ", " : "", value, reason(why)) < 0)
			return -1;
	}
	return 0;
}

static int refuse_none(const struct sshd_daemon *d, const struct bindable *b, struct error *err)
{
	(void)error_set(err, ERROR_REFUSED, "a reload would stop sshd, it could not listen: %s",
			b->bad.data);
	return error_hint(err, "Nothing was changed. Mend ListenAddress or Port in %s; sshd -t "
			  "does not see it.", d->config);
}

static int refuse_lost(const struct sshd_daemon *d, const struct host_socket *lost,
		       const struct bindable *b, struct error *err)
{
	char text[HOST_SOCKET_TEXT_MAX];

	(void)error_set(err, ERROR_REFUSED, "after a reload sshd would not listen on %s any more%s%s",
			host_socket_text(lost, text), b->bad.len > 0 ? ": " : "",
			b->bad.len > 0 ? b->bad.data : "");
	return error_hint(err, "Nothing was changed. Mend ListenAddress or Port in %s, or reload "
			  "sshd yourself\nwhen that is meant.", d->config);
}

static int check(const struct sshd_daemon *d, const struct sshd_answers *answers, bool keep_all,
		 struct bindable *b, struct error *err)
{
	if (try_all(d, answers, b, err) < 0)
		return -1;
	if (b->good.len == 0)
		return b->bad.len > 0 ? refuse_none(d, b, err) : 0;
	for (size_t i = 0; keep_all && i < d->sockets.len; i++)
		if (host_sockets_at(&b->good, &d->sockets.items[i]) == NULL)
			return refuse_lost(d, &d->sockets.items[i], b, err);
	return 0;
}

int sshd_check_bindable(const struct host *h, const struct sshd_daemon *daemon,
			const struct sshd_answers *answers, bool keep_all, struct error *err)
{
	struct bindable b = { .good = HOST_SOCKETS_INIT, .bad = BUFFER_INIT };
	int failed;

	if (!host_is_live(h) || daemon == NULL || daemon->manager == SSHD_SOCKET)
		return 0;
	failed = check(daemon, answers, keep_all, &b, err);
	host_sockets_release(&b.good);
	buffer_release(&b.bad);
	return failed;
}

/* The ctime of a file, or of the link and what it leads to, whichever is later. Every change sets
 * ctime; mtime can only differ by somebody's setting it. */
static int64_t changed_ns(const struct host *h, const char *path)
{
	_cleanup_host_file_ struct host_file target = HOST_FILE_INIT;
	struct stat st;
	int64_t ns;

	if (host_lstat(h, path, &st) < 0)
		return 0;
	ns = timespec_ns(st.st_ctim);
	if (S_ISLNK(st.st_mode) &&
	    host_file_read(h, path, HOST_READ_FOLLOW | HOST_READ_NO_DIGEST, &target, NULL) == 0 &&
	    target.ctime_ns > ns)
		ns = target.ctime_ns;
	return ns;
}

int sshd_check_newer(const struct host *h, struct sshd_daemon *daemon,
		     const struct sshd_answers *answers, char *const *paths, size_t n,
		     struct strings *newer, struct error *err)
{
	const char *pid_file = answers != NULL ? sshd_answers_get(answers, "pidfile") : NULL;

	if (daemon == NULL)
		return 0;
	if (pid_file != NULL && sshd_daemon_note_pid_file(h, daemon, pid_file, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (changed_ns(h, paths[i]) > daemon->loaded_ns + LOADED_TOLERANCE_NS &&
		    strings_add(newer, paths[i], err) < 0)
			return -1;
	}
	return 0;
}

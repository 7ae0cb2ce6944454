/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_judge: sshd itself is asked, before anything is written, what it makes of a configuration:
 * `sshd -T` with the listener's own binary and options and a full -C, in a mount namespace
 * where the candidate's bytes stand at their real paths. Where mount namespaces are not allowed,
 * copies in /run/rootlatch/judge.* are judged instead, with their Includes led to one another.
 */
#ifndef ROOTLATCH_SERVICE_SSHD_JUDGE_H
#define ROOTLATCH_SERVICE_SSHD_JUDGE_H

#include "service/sshd.h"
#include "service/sshd_answers.h"

/* The connection that is asked about: sshd_config(5), Match. */
struct sshd_connection {
	const char *user;
	const char *host;
	const char *addr;
	const char *laddr;
	uint16_t lport;
	char laddr_room[INET6_ADDRSTRLEN]; /* what laddr may point to */
};

/* Reserved for ever (RFC 1112, section 4): no Match block means these but one that means all. */
#define SSHD_ADDR_ELSEWHERE "240.0.0.1"
#define SSHD_LADDR_ELSEWHERE "240.0.0.2"
/* The same for IPv6: out of the discard-only prefix (RFC 6666). */
#define SSHD_LADDR_ELSEWHERE_6 "100::2"

/* root from an address that no Match block singles out, to the listener's first socket (`daemon`
 * NULL: to `port`, 0 means 22). *ret must not be copied. */
void sshd_connection_default(const struct sshd_daemon *daemon, uint16_t port,
			     struct sshd_connection *ret);

/* The same from `addr`, an IPv4 or IPv6 address as text, which stands for the host's name too: to
 * the listener's first socket of that family, or to its first one when it has none. `addr` must
 * stay for as long as *ret. */
void sshd_connection_from(const struct sshd_daemon *daemon, const char *addr,
			  struct sshd_connection *ret);

struct sshd_judge; /* a judgement under way */
#define _cleanup_sshd_judge_ _cleanup_(sshd_judge_stop)

/* Starts it and returns at once. `daemon` NULL: no listener runs, the default binary is asked.
 * A view may be a file that is not there yet, and one without bytes shows a file as if it were gone
 * (see struct host_view). All that is pointed to must stay until the judgement is finished or
 * stopped. A missing /run/sshd is provided where none runs, or what would start it makes it. */
int sshd_judge_start(const struct host *h, const struct sshd_daemon *daemon, const char *config,
		     const struct host_view *views, size_t n_views,
		     const struct sshd_connection *connection, struct sshd_judge **ret,
		     struct error *err) _must_check_;

/* Waits for it and releases it, whatever comes of it. A file that sshd rejects is no error: see
 * ret->valid. */
int sshd_judge_finish(struct sshd_judge **judge, struct sshd_answers *ret, struct error *err)
	_must_check_;

/* Releases one that is not wanted any more. NULL is fine. */
void sshd_judge_stop(struct sshd_judge **judge);

/* Both at once. */
int sshd_judge(const struct host *h, const struct sshd_daemon *daemon, const char *config,
	       const struct host_view *views, size_t n_views,
	       const struct sshd_connection *connection, struct sshd_answers *ret,
	       struct error *err) _must_check_;

/* Whether that sshd has Include (8.2 and later). It is asked about a file with an Include and
 * nothing else in place of `config`; only the complaint that there is no such option means that it
 * has not. */
int sshd_judge_knows_include(const struct host *h, const struct sshd_daemon *daemon,
			     const char *config, bool *ret_knows, struct error *err) _must_check_;

/* ERROR_REFUSED with sshd's own words when `a` is not valid: "sshd does not accept its own
 * configuration as it stands" when that is what it is, `what` otherwise. */
int sshd_judge_require_valid(const struct sshd_answers *a, const char *what, struct error *err)
	_must_check_;

/* Removes the copies that a judge left that was killed. For recovery. */
int sshd_judge_sweep(const struct host *h, struct error *err) _must_check_;

#endif

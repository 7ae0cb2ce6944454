/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_check: would the listener live through a reload of its configuration as it stands, and
 * would the reload set something live that nobody asked for?
 */
#ifndef ROOTLATCH_SERVICE_SSHD_CHECK_H
#define ROOTLATCH_SERVICE_SSHD_CHECK_H

#include "service/sshd.h"
#include "service/sshd_answers.h"

/* Tries each `listenaddress` of the answers with bind(2). ERROR_REFUSED, naming the address, when
 * none could be had (sshd would end with "Cannot bind any address"), or, with `keep_all`, when one
 * that is served now would not be any more. Nothing to ask of a daemon that systemd hands its
 * socket to. */
int sshd_check_bindable(const struct host *h, const struct sshd_daemon *daemon,
			const struct sshd_answers *answers, bool keep_all, struct error *err)
	_must_check_;

/* Adds those of `paths` that changed (their ctime, which nobody can set) since the daemon last read
 * its configuration. `answers` names the pid file, whose time tells when that was; NULL is fine. A
 * missing file is passed over. */
int sshd_check_newer(const struct host *h, struct sshd_daemon *daemon,
		     const struct sshd_answers *answers, char *const *paths, size_t n,
		     struct strings *newer, struct error *err) _must_check_;

#endif

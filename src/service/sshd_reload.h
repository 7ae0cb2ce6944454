/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_reload: the running listener reads its files again, and that is proven.
 *
 *     HUP -> the same process -> a new listening socket at each old address -> it answers
 *                            \-> gone, or no new socket in time: an error
 *
 * Under a systemd socket a HUP would lose the socket, so there the service is restarted, and a
 * new process that answers is the proof.
 */
#ifndef ROOTLATCH_SERVICE_SSHD_RELOAD_H
#define ROOTLATCH_SERVICE_SSHD_RELOAD_H

#include "service/sshd.h"

#define SSHD_RELOAD_TIMEOUT_MS 10000

struct sshd_proof {
	struct host_process process; /* the listener; a new one under a socket */
	ino_t old_inode;             /* of its first socket, before and after */
	ino_t new_inode;
	bool answered;               /* with a banner, within a second. false proves nothing: it
				      * may be too busy, or not let loopback in */
	unsigned took_ms;
};

/* Reloads one listener and waits until that is proven; the daemon is refreshed. timeout_ms 0 means
 * SSHD_RELOAD_TIMEOUT_MS. ERROR_FAILED when it died ("sshd ... ended at the reload") or did not
 * come back in time; host_process_alive(&daemon->process) tells which. */
int sshd_reload(const struct host *h, struct sshd_daemon *daemon, unsigned timeout_ms,
		struct sshd_proof *ret_proof, struct error *err) _must_check_;

/* Starts a listener that died, as it was: its unit, its init script, or its own arguments; waits
 * until it listens where it did. One that is back already is left alone. *ret may be `daemon`
 * itself. ERROR_IN_DOUBT when it can't be brought back. */
int sshd_start(const struct host *h, const struct sshd_daemon *daemon, unsigned timeout_ms,
	       struct sshd_daemon *ret, struct error *err) _must_check_;

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_manager: who starts the sshd of this host: systemd, an init script, somebody by hand.
 */
#ifndef ROOTLATCH_SERVICE_SSHD_MANAGER_H
#define ROOTLATCH_SERVICE_SSHD_MANAGER_H

#include "service/sshd.h"

/* True where systemd is PID 1 (sd_booted(3)). */
bool sshd_manager_is_systemd(const struct host *h);

/* Fills in manager and unit of a listener whose other fields are known. */
int sshd_manager_detect(const struct host *h, struct sshd_daemon *d, struct error *err)
	_must_check_;

/* Where no listener runs: is there something that will start one? */
int sshd_manager_absence(const struct host *h, enum sshd_absence *ret, struct error *err)
	_must_check_;

/* The unit of a cgroup(7) path, when it is a service of the system's that is named after ssh:
 * "0::/system.slice/ssh.service" gives "ssh.service". NULL otherwise. Owned by the caller. */
char *sshd_unit_of_cgroup(const char *cgroups);

#endif

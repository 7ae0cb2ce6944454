/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * boot_processes: which processes are a boot service's. By the pid files of its script, by the
 * program that it runs, and whatever descends from these.
 *
 * Never a container's (another pid namespace, another root), never the session that we run in,
 * and of sshd the listener alone: a session outlives its service.
 */
#ifndef ROOTLATCH_SERVICE_BOOT_PROCESSES_H
#define ROOTLATCH_SERVICE_BOOT_PROCESSES_H

#include "host/process.h"

struct boot_processes {
	struct host_process *items; /* the main one first, then by age */
	size_t len;
};

#define BOOT_PROCESSES_INIT { .items = NULL }
#define _cleanup_boot_processes_ _cleanup_(boot_processes_release)

void boot_processes_release(struct boot_processes *p);

/* Those of the service with the script /etc/init.d/NAME, which may be missing. */
int boot_processes_of_script(const struct host *h, const char *name, struct boot_processes *ret,
			     struct error *err) _must_check_;

/* Those of the systemd unit with this control group, "/system.slice/foo.service", and this main
 * process (0: none). Where the group can't be read: the main one and its descendants. */
int boot_processes_of_unit(const struct host *h, const char *cgroup, pid_t main_pid,
			   struct boot_processes *ret, struct error *err) _must_check_;

#endif

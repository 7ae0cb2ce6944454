/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * boot_run: a boot service as it runs now: its processes, where they listen; stopping and
 * starting it. The exit status of an init script is not believed: its processes are looked at.
 */
#ifndef ROOTLATCH_SERVICE_BOOT_RUN_H
#define ROOTLATCH_SERVICE_BOOT_RUN_H

#include "host/process.h"
#include "service/boot.h"

struct boot_run {
	struct host_process *processes; /* of it, now; the main one first */
	size_t len;
	struct strings listens; /* "80/tcp", "13/tcp6", "123/udp", without repetition */
	bool active;            /* it has processes, or its unit or one that starts it is active or about
				 * to be: a unit may run without a process (RemainAfterExit=) */
};

#define BOOT_RUN_INIT { .processes = NULL }
#define _cleanup_boot_run_ _cleanup_(boot_run_release)

void boot_run_release(struct boot_run *r);

/* Not on a host that is not live (`--root`): nothing runs there. */
int boot_run_read(const struct host *h, const struct boot_service *s, struct boot_run *ret,
		  struct error *err) _must_check_;

/* Stops it, and the units that start it, and waits (20 s at most) until all its processes are gone.
 * One that does not run is success. ERROR_FAILED names what is still there; what went nevertheless
 * has been started again, as far as that goes. All of it takes less than a minute. */
int boot_run_stop(const struct host *h, const struct boot_service *s, struct error *err)
	_must_check_;

/* Starts it, and waits until it runs (systemd: is active). ERROR_FAILED, with what it said. */
int boot_run_start(const struct host *h, const struct boot_service *s, struct error *err)
	_must_check_;

#endif

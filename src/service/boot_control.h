/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * boot_control: the commands that stop and start a boot service, systemctl(1) or its init script, and
 * what systemd says of its unit. What these commands say of themselves proves nothing.
 */
#ifndef ROOTLATCH_SERVICE_BOOT_CONTROL_H
#define ROOTLATCH_SERVICE_BOOT_CONTROL_H

#include "host/process.h"
#include "service/boot.h"

struct boot_control_unit {
	bool active;
	bool settled;        /* neither on its way up nor down */
	bool leaves_nothing; /* Type=oneshot, and it did what it does */
	char *cgroup;        /* "/system.slice/foo.service"; may be empty */
	pid_t main_pid;      /* 0: none */
};

#define BOOT_CONTROL_UNIT_INIT { .active = false }
#define _cleanup_boot_control_unit_ _cleanup_(boot_control_unit_release)

void boot_control_unit_release(struct boot_control_unit *u);

/* One that systemd does not know is inactive. */
int boot_control_read_unit(const struct host *h, const char *name, struct boot_control_unit *ret,
			   struct error *err) _must_check_;
/* The service's own: s->unit.name, or NAME.service. */
int boot_control_read_own_unit(const struct host *h, const struct boot_service *s,
			       struct boot_control_unit *ret, struct error *err) _must_check_;

/* `verb` is stop, start, status, or what else the two understand. With systemd for the unit and all
 * that start it at once; otherwise of the script, which must be root's alone. Its status is no
 * error. */
int boot_control_run(const struct host *h, const struct boot_service *s, const char *verb,
		     unsigned timeout_ms, struct host_outcome *ret, struct error *err) _must_check_;

/* Whether it is for a timer or a path to start it: then that is what "start" starts, alone. */
bool boot_control_waits(const struct boot_service *s);

/* The start limit of a unit that was restarted often would take its socket down. */
void boot_control_reset_failed(const struct host *h, const struct boot_service *s);

/* Adds "; it said (status 1): WORDS": the first line of its complaints, or else of its output. */
int boot_control_add_words(const struct host_outcome *o, struct buffer *ret, struct error *err)
	_must_check_;

#endif

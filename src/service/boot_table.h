/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * boot_table: all of /proc, read once, in which the processes of a service are marked. Only
 * boot_processes and its like use it.
 */
#ifndef ROOTLATCH_SERVICE_BOOT_TABLE_H
#define ROOTLATCH_SERVICE_BOOT_TABLE_H

#include "host/net.h"
#include "host/process.h"
#include "service/boot_processes.h"

struct boot_entry {
	struct host_process process;
	pid_t parent;
	char *exe; /* NULL: a kernel thread */
	char name[HOST_PROCESS_NAME_MAX];
	bool is_us;  /* or an ancestor of ours */
	bool is_main;
	bool is_member;
	bool is_others;  /* another service's, by its pid file */
	bool ends_there; /* what descends from it is not the service's */
};

struct boot_table {
	const struct host *h;
	struct boot_entry *items;
	size_t len;
};

#define _cleanup_boot_table_ _cleanup_(boot_table_release)

void boot_table_release(struct boot_table *t);
int boot_table_read(struct boot_table *t, struct error *err) _must_check_;

/* NULL when there is none. */
struct boot_entry *boot_find(const struct boot_table *t, pid_t pid);

bool boot_runs_sshd(const struct boot_entry *e);
bool boot_is_sshd_session(const struct boot_entry *e);

void boot_mark(struct boot_entry *e);
/* Of all that are marked, but for those that are another service's. */
void boot_mark_descendants(const struct boot_table *t);
int boot_take_members(struct boot_table *t, struct boot_processes *ret, struct error *err)
	_must_check_;

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * boot_needs: the two halves of boot_service_carries_sshd. Both set *ret_why to a sentence, owned
 * by the caller, and leave it alone when sshd can do without the service.
 */
#ifndef ROOTLATCH_SERVICE_BOOT_NEEDS_H
#define ROOTLATCH_SERVICE_BOOT_NEEDS_H

#include "service/boot.h"

/* "ssh", "sshd", "ssh.socket" and the like. */
bool boot_needs_is_sshd(const char *name);

/* A file of the host, links followed; one that is not there, or is no regular file, is empty. */
int boot_needs_read(const struct host *h, const char *path, struct host_file *ret,
		    struct error *err) _must_check_;

/* Adds the words of a text, parted by blanks. */
int boot_needs_words(struct slice text, struct strings *ret, struct error *err) _must_check_;

/* By the headers of the init scripts and insserv.conf. */
int boot_needs_by_scripts(const struct host *h, struct config_augeas *augeas,
			  const struct host_tree *t, const char *name, char **ret_why,
			  struct error *err) _must_check_;

/* By systemd's units. */
int boot_needs_by_units(const struct host *h, const struct host_tree *t, const char *name,
			char **ret_why, struct error *err) _must_check_;

#endif

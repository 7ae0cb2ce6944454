/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_files: the Include closure of one sshd instance, read from the host, and the bytes it
 * stands on.
 */
#ifndef ROOTLATCH_TOGGLE_SSHD_FILES_H
#define ROOTLATCH_TOGGLE_SSHD_FILES_H

#include "config/sshd_closure.h"
#include "host/file.h"

struct sshd_files {
	const struct host *host;
	struct host_file *items; /* the bytes of closure.files, in the order of loading */
	size_t len;
	struct sshd_closure closure;
};

#define _cleanup_sshd_files_ _cleanup_(sshd_files_release)

/* Reads `config` and all that it includes. */
int sshd_files_read(const struct host *h, const char *config, struct sshd_files *ret,
		    struct error *err) _must_check_;
/* Adds their paths, in the order of reading. */
int sshd_files_paths(const struct sshd_files *f, struct strings *ret, struct error *err)
	_must_check_;
void sshd_files_release(struct sshd_files *f);

#endif

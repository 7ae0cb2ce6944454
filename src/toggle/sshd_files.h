/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_files: the Include closure of one sshd instance, read from the host, and the bytes it
 * stands on.
 */
#ifndef ROOTLATCH_TOGGLE_SSHD_FILES_H
#define ROOTLATCH_TOGGLE_SSHD_FILES_H

#include "config/sshd_closure.h"
#include "host/file.h"
#include "host/process.h"

struct sshd_files {
	const struct host *host;
	const struct host_view *views; /* the caller's; read instead of what is there */
	size_t n_views;
	struct host_file *items; /* the bytes of closure.files, in the order of loading; all zero
				  * for one that is a view, or reads as empty: see its text */
	size_t len;
	struct sshd_closure closure;
};

#define _cleanup_sshd_files_ _cleanup_(sshd_files_release)

/* Reads `config` and all that it includes. */
int sshd_files_read(const struct host *h, const char *config, struct sshd_files *ret,
		    struct error *err) _must_check_;
/* The same as it would be with the views in place: a view's bytes count instead of the file's, one
 * without bytes is an empty file, and one that is not there is found by an Include that names it.
 * The views and their bytes must stay for as long as *ret. */
int sshd_files_read_as(const struct host *h, const char *config, const struct host_view *views,
		       size_t n_views, struct sshd_files *ret, struct error *err) _must_check_;
/* Adds their paths, in the order of reading. */
int sshd_files_paths(const struct sshd_files *f, struct strings *ret, struct error *err)
	_must_check_;
void sshd_files_release(struct sshd_files *f);

#endif

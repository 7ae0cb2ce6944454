/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_staging: a configuration copied, with its Includes led to the copies, for a host where
 * no mount namespace is to be had. Only sshd_judge uses it.
 */
#ifndef ROOTLATCH_SERVICE_SSHD_STAGING_H
#define ROOTLATCH_SERVICE_SSHD_STAGING_H

#include "base/buffer.h"
#include "host/host.h"
#include "host/process.h"

#define SSHD_STAGING_PARENT "/run/rootlatch"
#define SSHD_STAGING_PREFIX "judge."

struct sshd_staging {
	char *dir;              /* SSHD_STAGING_PARENT "/" SSHD_STAGING_PREFIX RANDOM */
	struct strings real;    /* the files of the configuration, the main one first */
	struct strings copies;  /* and the copy of each */
};

#define SSHD_STAGING_INIT { .dir = NULL }

/* Copies `config` and all that it includes, with the bytes of `views` in place of what is on
 * the disk (a view may be a new file, which the globs then find). */
int sshd_staging_make(const struct host *h, const char *config, const struct host_view *views,
		      size_t n_views, struct sshd_staging *ret, struct error *err) _must_check_;

/* Removes the copies and releases it. */
void sshd_staging_remove(const struct host *h, struct sshd_staging *s);

/* Names the real files again in what sshd said about the copies. */
int sshd_staging_translate(const struct sshd_staging *s, struct slice text, struct buffer *ret,
			   struct error *err) _must_check_;

/* Removes what a killed one left. */
int sshd_staging_sweep(const struct host *h, struct error *err) _must_check_;

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_views: the files of a configuration as they would be, for those who read them themselves
 * instead of asking an sshd that is shown the views.
 */
#ifndef ROOTLATCH_SERVICE_SSHD_VIEWS_H
#define ROOTLATCH_SERVICE_SSHD_VIEWS_H

#include "base/buffer.h"
#include "host/process.h"

/* The view of `path`, by its very name; NULL when there is none. */
const struct host_view *sshd_views_find(const struct host_view *views, size_t n_views,
					const char *path);

/* What sshd's glob(3) would find for a full pattern of an Include, were the views on the disk: in
 * byte order, each once. */
int sshd_views_glob(const struct host *h, const struct host_view *views, size_t n_views,
		    const char *pattern, struct strings *ret_paths, struct error *err)
	_must_check_;

#endif

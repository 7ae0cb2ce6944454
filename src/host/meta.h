/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * meta: all of a file but its bytes: owner, mode, ACL, extended attributes, labels, flags; and
 * whether it is fit to be replaced by us.
 */
#ifndef ROOTLATCH_HOST_META_H
#define ROOTLATCH_HOST_META_H

#include "host/file.h"

/* Fills in meta->attrs from all extended attributes of `fd` (listxattr(7)). */
int host_meta_read_attrs(int fd, const char *path, struct host_meta *meta, struct error *err)
	_must_check_;

/* Gives the new file `fd` the owner, mode, ACL and attributes of the file at `like`. */
int host_meta_copy(const struct host *h, const char *like, int fd, struct error *err)
	_must_check_;

/* ERROR_REFUSED, with the reason by name, for a file that we must not replace (see
 * HOST_READ_TARGET). */
int host_meta_check_target(const struct host *h, int fd, const struct stat *st, const char *path,
			   struct error *err) _must_check_;

/* Where a symbolic link points to, for messages; NULL when it can't be read. Owned by the
 * caller. */
char *host_link_target(const struct host *h, const char *path, struct error *err) _must_check_;

#endif

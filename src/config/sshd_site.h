/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_site: where the one line goes that includes a file of ours, so that it is read
 * before anything else decides about PermitRootLogin.
 */
#ifndef ROOTLATCH_CONFIG_SSHD_SITE_H
#define ROOTLATCH_CONFIG_SSHD_SITE_H

#include "config/sshd_closure.h"

/* Sorts before what administrators and distributions ship (10-, 50-), as sshd sorts. */
#define SSHD_SITE_NAME "00-rootlatch.conf"

/* *ret_path: a file that is not there yet, in the folder that the main file includes
 * before any other Include, PermitRootLogin or Match; or NULL: line 1 of the main file
 * is the place. It is NULL, too, when the folder holds a file of that name, or one that
 * sshd reads before it, and when the Include can't be told to read it: a wildcard, a
 * backslash or .. in the folder's name, or ~. An Include with several patterns counts by
 * its first one.
 *
 * The caller frees *ret_path, and checks on the disk that the folder is there, is root's
 * and is read by this instance of sshd alone. Fails for want of memory only. */
int sshd_site_find(const struct sshd_closure *closure, char **ret_path, struct error *err)
	_must_check_;

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_pattern: the patterns of AllowUsers and its like (ssh_config(5), PATTERNS): * and ?,
 * nothing else. Case counts.
 */
#ifndef ROOTLATCH_SERVICE_SSHD_PATTERN_H
#define ROOTLATCH_SERVICE_SSHD_PATTERN_H

#include <stdbool.h>

enum sshd_match {
	SSHD_MATCH_NO,
	SSHD_MATCH_SOURCE, /* user@host: the user matches, the host decides */
	SSHD_MATCH_YES,
};

bool sshd_pattern_match(const char *text, const char *pattern);

/* One pattern of AllowUsers or DenyUsers against a user name. */
enum sshd_match sshd_pattern_user(const char *user, const char *pattern);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_match: for whom a Match line of sshd_config(5) holds, seen from root.
 */
#ifndef ROOTLATCH_CONFIG_SSHD_MATCH_H
#define ROOTLATCH_CONFIG_SSHD_MATCH_H

#include "base/buffer.h"

/* Ordered: of conditions that must all hold, the largest is the scope of the whole. */
enum sshd_scope {
	SSHD_SCOPE_GLOBAL,   /* no Match is in force */
	SSHD_SCOPE_ROOT,     /* Match blocks that hold for root from everywhere */
	SSHD_SCOPE_NETWORK,  /* for root, on some addresses, hosts, ports, rdomains */
	SSHD_SCOPE_UNKNOWN,  /* Exec, or a criterion that we do not know */
	SSHD_SCOPE_NEVER,    /* cannot hold for root */
};

/* What the arguments of a Match line mean for a login as root whose groups are these
 * names (getgrouplist(3); NULL: not known). Never SSHD_SCOPE_GLOBAL. */
enum sshd_scope sshd_match_scope(const struct strings *args,
				 const struct strings *groups);

/* Both conditions must hold: an Include inside a Match block. */
static inline enum sshd_scope sshd_scope_and(enum sshd_scope a, enum sshd_scope b)
{
	return a > b ? a : b;
}

/* PATTERNS of ssh_config(5): a comma-separated list of patterns with `*` and `?`, each
 * perhaps negated by `!`. 1: matches, 0: does not, -1: a negated pattern matches.
 * Case-sensitive. */
int sshd_pattern_list_match(const char *list, const char *s);

#endif

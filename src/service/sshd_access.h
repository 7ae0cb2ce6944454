/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_access: PermitRootLogin is one keyword of many. What else keeps root out, and what lets
 * in more than was meant, from sshd's answers for root and from root's account. Advice:
 * it decides nothing.
 */
#ifndef ROOTLATCH_SERVICE_SSHD_ACCESS_H
#define ROOTLATCH_SERVICE_SSHD_ACCESS_H

#include "host/host.h"
#include "service/sshd_answers.h"

enum sshd_finding_kind {
	SSHD_BLOCKS,    /* root stays out */
	SSHD_MAY_BLOCK, /* for some sources, or some ways to log in */
	SSHD_EXPOSES,   /* more is open than people mean */
};

const char *sshd_finding_kind_name(enum sshd_finding_kind kind); /* "blocks", "may-block", ... */

struct sshd_finding {
	enum sshd_finding_kind kind;
	char *text; /* one printable line, without a final stop */
	char *hint; /* what to do; may be empty, may have several lines */
};

struct sshd_findings {
	struct sshd_finding *items;
	size_t len;
	size_t cap;
};

#define SSHD_FINDINGS_INIT { .items = NULL, .len = 0, .cap = 0 }
#define _cleanup_sshd_findings_ _cleanup_(sshd_findings_release)

void sshd_findings_release(struct sshd_findings *f);

/* `answers` are those for root as it shall be (of the candidate). `everywhere`: the opening is not
 * limited to some sources. Files of root's that can't be read are passed over. */
int sshd_access_check(const struct host *h, const struct sshd_answers *answers, bool everywhere,
		      struct sshd_findings *ret, struct error *err) _must_check_;

#endif

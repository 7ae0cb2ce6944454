/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_access_checks: the table behind sshd_access, one row a check, in the order in which sshd
 * itself would come to it. Only sshd_access.c uses it.
 */
#ifndef ROOTLATCH_SERVICE_SSHD_ACCESS_CHECKS_H
#define ROOTLATCH_SERVICE_SSHD_ACCESS_CHECKS_H

#include "service/sshd_access.h"
#include "service/sshd_account.h"
#include "service/sshd_keys.h"

struct sshd_access {
	const struct host *h;
	const struct sshd_answers *answers;
	struct sshd_account account;
	struct sshd_keys key_files;
	bool everywhere;
	bool pam;
	bool by_key;      /* a key alone is accepted */
	bool by_password; /* a password alone is accepted */
	bool by_other;    /* Kerberos, GSSAPI, a trusted host */
	struct sshd_findings *found;
};

static inline bool sshd_access_is(const struct sshd_access *a, const char *keyword,
				  const char *value)
{
	return sshd_answers_is(a->answers, keyword, value);
}

/* Adds one; takes the text over. */
int sshd_findings_add(struct sshd_findings *f, enum sshd_finding_kind kind, struct buffer *text,
		      const char *hint, struct error *err) _must_check_;

/* NULL behind the last. */
extern int (*const sshd_access_checks[])(struct sshd_access *a, struct error *err);

#endif

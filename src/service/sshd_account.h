/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_account: root's account as the files of /etc have it (passwd(5), shadow(5), group(5)), of
 * an image as well as of the running host. Only sshd_access asks.
 */
#ifndef ROOTLATCH_SERVICE_SSHD_ACCOUNT_H
#define ROOTLATCH_SERVICE_SSHD_ACCOUNT_H

#include "base/buffer.h"
#include "host/host.h"

struct sshd_account {
	char *name; /* NULL: there is none, or it can't be read */
	char *home;
	char *shell;
	struct strings groups; /* the primary one first */
	char *hash;            /* NULL: no shadow entry */
	long changed_day;      /* days since 1970, -1 where the field is empty */
	long max_days;
	long inactive_days;
	long expires_day;
};

#define SSHD_ACCOUNT_INIT { .name = NULL }
#define _cleanup_sshd_account_ _cleanup_(sshd_account_release)

void sshd_account_release(struct sshd_account *a);

/* The first account with this name. What can't be read stays empty. */
int sshd_account_read(const struct host *h, const char *name, struct sshd_account *ret,
		      struct error *err) _must_check_;

enum sshd_expiry {
	SSHD_VALID,
	SSHD_PASSWORD_EXPIRED, /* it has to be changed first */
	SSHD_ACCOUNT_EXPIRED,
};

enum sshd_expiry sshd_account_expiry(const struct sshd_account *a, long today);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_keys: are there keys that would let root in? Only the files are looked at, and whether
 * StrictModes would have sshd ignore them. Only sshd_access asks.
 */
#ifndef ROOTLATCH_SERVICE_SSHD_KEYS_H
#define ROOTLATCH_SERVICE_SSHD_KEYS_H

#include "base/buffer.h"
#include "host/host.h"
#include "service/sshd_account.h"

struct sshd_keys {
	struct strings files;  /* those of AuthorizedKeysFile that hold a line that is no comment */
	struct strings unsafe; /* "/root/.ssh (mode 0775)": what StrictModes objects to */
};

#define SSHD_KEYS_INIT { .files = STRINGS_INIT, .unsafe = STRINGS_INIT }

void sshd_keys_release(struct sshd_keys *k);

/* `patterns` is the answer to authorizedkeysfile. */
int sshd_keys_look(const struct host *h, const struct sshd_account *account, const char *patterns,
		   bool strict, struct sshd_keys *ret, struct error *err) _must_check_;

/* %h, %u, %U and %% expanded, a relative one below the home (sshd_config(5), TOKENS). Owned by
 * the caller. */
char *sshd_keys_expand(const struct sshd_account *account, const char *pattern, size_t len,
		       struct error *err) _must_check_;

#endif

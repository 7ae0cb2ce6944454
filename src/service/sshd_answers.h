/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_answers: what `sshd -T` says of a configuration, one (keyword, value) a line, in sshd's
 * order. A keyword may come several times.
 */
#ifndef ROOTLATCH_SERVICE_SSHD_ANSWERS_H
#define ROOTLATCH_SERVICE_SSHD_ANSWERS_H

#include "base/buffer.h"

struct sshd_answer {
	const char *keyword; /* lower case */
	const char *value;   /* may be empty */
};

struct sshd_answers {
	bool valid;                /* false: sshd rejects the file, see complaints */
	struct strings complaints; /* of a valid one: warnings. Printable, one a line:
				    * "/etc/ssh/sshd_config line 7: Bad configuration option: Prot" */
	struct sshd_answer *items;
	size_t len;
	struct buffer text; /* what the items point into */
};

#define SSHD_ANSWERS_INIT { .valid = false }
#define _cleanup_sshd_answers_ _cleanup_(sshd_answers_release)

void sshd_answers_release(struct sshd_answers *a);

/* Of the output of `sshd -T` and of what it complained about. */
int sshd_answers_parse(struct slice out, struct slice err_out, int status,
		       struct sshd_answers *ret, struct error *err) _must_check_;

/* The first value of a keyword (any case), or NULL. */
const char *sshd_answers_get(const struct sshd_answers *a, const char *keyword);

/* The Nth value (from 0), or NULL. */
const char *sshd_answers_nth(const struct sshd_answers *a, const char *keyword, size_t n);

static inline bool sshd_answers_is(const struct sshd_answers *a, const char *keyword,
				   const char *value)
{
	const char *is = sshd_answers_get(a, keyword);

	return is != NULL && strcmp(is, value) == 0;
}

/* Adds a line to `differences` for each keyword whose values differ, but for those in `except`
 * (NULL behind the last): "allowusers: root admin -> admin". */
int sshd_answers_differ(const struct sshd_answers *before, const struct sshd_answers *after,
			const char *const *except, struct strings *differences, struct error *err)
	_must_check_;

/* A value of PermitRootLogin as sshd_config(5) spells it today ("without-password" is
 * "prohibit-password"). */
const char *sshd_permit_text(const char *value);

/* "permitrootlogin yes for everybody"; `who` as it shall stand behind "for". Owned by the
 * caller. */
char *sshd_answers_effective(const struct sshd_answers *a, const char *who, struct error *err)
	_must_check_;

/* All complaints, a line each, two blanks before each; for an error's hint. */
int sshd_answers_complaint_text(const struct sshd_answers *a, struct buffer *ret,
				struct error *err) _must_check_;

#endif

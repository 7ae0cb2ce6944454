/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_plan: the smallest change, in place, after which PermitRootLogin has the wanted
 * value for root on every connection that no network condition applies to.
 */
#ifndef ROOTLATCH_CONFIG_SSHD_PLAN_H
#define ROOTLATCH_CONFIG_SSHD_PLAN_H

#include "config/augeas.h"
#include "config/marker.h"
#include "config/sshd_closure.h"

enum sshd_note_kind {
	SSHD_NOTE_OVERRIDDEN, /* the line that we set stands in this Match block, which
				 holds for root everywhere */
	SSHD_NOTE_NETWORK,    /* this Match block stays in force for its connections, and
				 says something else. The network condition may be one
				 of the Matches around it: follow directive.match */
	SSHD_NOTE_UNKNOWN,    /* the same, when it holds: we cannot tell */
};

struct sshd_note {
	enum sshd_note_kind kind;
	size_t directive;     /* the PermitRootLogin: index of the closure's directives */
	size_t match;         /* its innermost Match: index of the closure's directives */
};

struct sshd_plan_file {
	size_t file;          /* index of the closure's files */
	struct buffer text;   /* the whole new text */
	struct edit edit;     /* what to keep for undoing it */
};

struct sshd_plan {
	size_t deciding;      /* index of the closure's directives, or SSHD_NONE */
	struct sshd_plan_file *files; /* none: the value is already as wanted */
	size_t files_len;
	struct sshd_note *notes;      /* one a block, in the order of reading */
	size_t notes_len;
	size_t notes_cap;
};

#define SSHD_PLAN_INIT { .deciding = SSHD_NONE }
#define _cleanup_sshd_plan_ _cleanup_(sshd_plan_release)

void sshd_plan_release(struct sshd_plan *plan);

/* Plans `PermitRootLogin value`. The deciding line is set where it stands; when it is a
 * global one, other global lines that contradict it are disabled where they stand. The
 * line is inserted as the first of the main file when there is none, even for sshd's
 * default, and when the deciding file is included a second time inside a Match, which
 * must stay as it is. A deciding value that means the same (without-password,
 * prohibit-password) counts as equal, and then nothing changes. `id` as in marker.h;
 * the texts of the closure are still needed. ERROR_USAGE: not a value of
 * PermitRootLogin. Others as marker_edit_apply() and sshd_value_set(), prefixed by path
 * and line. */
int sshd_plan_permit_root_login(const struct sshd_closure *closure, const char *value,
				const char *id, struct config_augeas *augeas,
				struct sshd_plan *ret, struct error *err) _must_check_;

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_plan: the smallest change, in place, after which PermitRootLogin has the wanted
 * value for root on every connection that no network condition applies to. And how the
 * administrator's own Match blocks bear on a value that is read before them.
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
};

/* The Match blocks that keep a value, put before everything else, from holding. */
struct sshd_blocks {
	struct sshd_note *items;      /* one a block, in the order of reading */
	size_t len;
	size_t cap;
	bool has_root;                /* SSHD_NOTE_OVERRIDDEN is among them, as the last */
	bool has_network;             /* SSHD_NOTE_NETWORK or SSHD_NOTE_UNKNOWN is */
};

#define SSHD_BLOCKS_INIT { .items = NULL }
#define _cleanup_sshd_blocks_ _cleanup_(sshd_blocks_release)

void sshd_blocks_release(struct sshd_blocks *blocks);

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

/* Which Match blocks say something else than `value` to root where they hold and no
 * block before them has decided: they beat a global line, wherever it stands. Without
 * has_root a global line read first does it for all connections that no network
 * condition applies to; with has_root alone a `Match all` read first does it for all.
 * With both neither does: it would override the conditions as well. ERROR_USAGE: not a
 * value of PermitRootLogin. */
int sshd_plan_blocks(const struct sshd_closure *closure, const char *value,
		     struct sshd_blocks *ret, struct error *err) _must_check_;

/* Plans, for an sshd that has no Include, PermitRootLogin `value` for the sources `from`
 * (entries of address.h, at least one): a Match block of ours in front of the first
 * Match line of the main file, so that it wins over all of them and ends where that one
 * begins. ret->deciding is what decides for all others, ret->notes stay empty.
 *
 * ERROR_REFUSED: there is no Match in the main file, and at the end of a file the block
 * would swallow what somebody appends; an included file has a Match that is read first;
 * what stands before the Match line is commented out by another edit of ours. Others as
 * marker_edit_apply() and sshd_opening_lines(). */
int sshd_plan_block_before_match(const struct sshd_closure *closure,
				 const struct strings *from, const char *value,
				 const char *id, struct sshd_plan *ret,
				 struct error *err) _must_check_;

#endif

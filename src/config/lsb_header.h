/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * lsb_header: the comment block of an init script which says what it provides, what it needs, and
 * in which runlevels it wants to run (LSB Core 5.0, "Comment Conventions for Init Scripts";
 * insserv(8)). Read through our own lens, lenses/rootlatch_lsb.aug; text in, values out, no I/O.
 */
#ifndef ROOTLATCH_CONFIG_LSB_HEADER_H
#define ROOTLATCH_CONFIG_LSB_HEADER_H

#include "base/buffer.h"
#include "config/augeas.h"

struct lsb_header {
	bool found;                   /* there is a BEGIN INIT INFO with its END */
	struct strings provides;      /* facilities; those of the system begin with $ */
	struct strings required_start;
	struct strings should_start;
	struct strings required_stop;
	struct strings should_stop;
	struct strings x_start_before;
	char *default_start;          /* "2 3 4 5", as it stands there; NULL: not said */
	char *default_stop;
	char *short_description;
};

#define LSB_HEADER_INIT { .found = false }
#define _cleanup_lsb_header_ _cleanup_(lsb_header_release)

void lsb_header_release(struct lsb_header *l);

/* `script`: the whole text of an init script, as it is. One without a header is no error: found is
 * false. A header that can't be read (an INIT INFO that does not end, binary bytes in it) is
 * ERROR_REFUSED and names the line. Without `augeas` it is the same, told without the lens: compiling
 * one takes longer than switching a service does. */
int lsb_header_parse(struct config_augeas *augeas, struct slice script, struct lsb_header *ret,
		     struct error *err) _must_check_;

/* Whether Required-Start of a script's header has one of these words: told without the lens, for
 * those who look for a few scripts among many. False for a header that can't be read. */
bool lsb_header_requires(struct slice script, const struct strings *facilities);

#endif

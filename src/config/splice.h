/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * splice: a list of places where a text changes, so that everything else can be shown
 * to be the same. Inside config/ only.
 */
#ifndef ROOTLATCH_CONFIG_SPLICE_H
#define ROOTLATCH_CONFIG_SPLICE_H

#include "base/buffer.h"

/* `drop` bytes at `offset` give way to `put`, which somebody else owns. */
struct splice {
	size_t offset;
	size_t drop;
	struct slice put;
};

struct splices {
	struct splice *items;
	size_t len;
	size_t cap;
};

#define SPLICES_INIT { .items = NULL }
#define _cleanup_splices_ _cleanup_(splices_release)

void splices_release(struct splices *splices);

/* In the order of their places. Several at the same offset are put one behind the
 * other. */
int splices_add(struct splices *splices, size_t offset, size_t drop, struct slice put,
		struct error *err) _must_check_;

/* Makes the new text, appended to *ret, which is empty. ERROR_FAILED when the places
 * are not in order or leave the text, or when a byte outside them is not the same in
 * the result. */
int splices_apply(const struct splices *splices, struct slice text, struct buffer *ret,
		  struct error *err) _must_check_;

#endif

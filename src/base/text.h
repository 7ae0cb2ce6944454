/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * text: foreign bytes made fit to be shown or kept.
 */
#ifndef ROOTLATCH_BASE_TEXT_H
#define ROOTLATCH_BASE_TEXT_H

#include <stdbool.h>

#include "base/buffer.h"

/* For people: control characters and bytes that are not UTF-8 become `\xHH`, so that nothing
 * reaches a terminal that it would obey. Newlines are kept when `lines` is set. */
int text_escape(struct slice s, bool lines, struct buffer *ret, struct error *err) _must_check_;

/* For files of ours, reversible: all but printable ASCII, and the backslash itself, become
 * `\xHH`. Owned by the caller. */
char *text_encode(const char *s, struct error *err) _must_check_;
/* The way back; NULL with ERROR_REFUSED for what text_encode never writes. */
char *text_decode(const char *s, struct error *err) _must_check_;

/* True for UTF-8 (RFC 3629) without control characters, neither C0, DEL nor C1. */
bool text_is_plain(const char *s);

#endif

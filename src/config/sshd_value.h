/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_value: the value of one sshd_config(5) directive line, read and replaced through
 * the lens lenses/rootlatch_sshd.aug. Everything on the line but the value stays byte
 * for byte: indent, spelling of the keyword, separator, simple quotes, comment, CR.
 */
#ifndef ROOTLATCH_CONFIG_SSHD_VALUE_H
#define ROOTLATCH_CONFIG_SSHD_VALUE_H

#include "config/augeas.h"

/* Keyword and first argument of a line (without its line end), without quotes around
 * them. A word with quotes or escapes inside is given as written. The caller frees
 * both. ERROR_REFUSED: not one of the lines that sshd_lines.h knows, or it has no
 * argument; others as config_augeas_get(). */
int sshd_value_get(struct config_augeas *augeas, struct slice line, char **ret_keyword,
		   char **ret_value, struct error *err) _must_check_;

/* Appends to *ret the line with `value` as its first argument. "yes" and 'yes' keep
 * their quotes, a word with quotes inside (y"e"s) loses them. `value` is letters,
 * digits and `-`. ERROR_FAILED: the result is not what was asked for, in every byte.
 * Others as above. */
int sshd_value_set(struct config_augeas *augeas, struct slice line, const char *value,
		   struct buffer *ret, struct error *err) _must_check_;

#endif

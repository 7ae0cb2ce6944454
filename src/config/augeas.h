/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * config_augeas: libaugeas, kept on a short leash. Text goes in and text comes out, one
 * fragment of a line at a time, or a few lines that are read only; no file but our lens is
 * ever read, none written.
 *
 * libaugeas is quadratic in put, aborts on a byte 0x04, and is not safe when memory
 * runs out. So it sees printable ASCII of bounded length only, before anything has been
 * written.
 *
 * AUGEAS_LENS_LIB in the environment is another place where libaugeas looks for a lens
 * that lens_dir lacks: a program with privileges clears it.
 */
#ifndef ROOTLATCH_CONFIG_AUGEAS_H
#define ROOTLATCH_CONFIG_AUGEAS_H

#include "base/buffer.h"

#define CONFIG_FRAGMENT_MAX 1024
#define CONFIG_LINES_MAX (16 * CONFIG_FRAGMENT_MAX)

struct config_augeas;

#define _cleanup_config_augeas_ _cleanup_(config_augeas_cleanup)

/* A handle that looks for lenses in lens_dir. Nothing is loaded before the first use. */
int config_augeas_new(const char *lens_dir, struct config_augeas **ret, struct error *err)
	_must_check_;
void config_augeas_free(struct config_augeas *augeas);

static inline void config_augeas_cleanup(struct config_augeas **augeas)
{
	config_augeas_free(*augeas);
}

/* The keyword (node label) and value (node value, or that of its child "word") of the
 * one directive in a fragment, as the lens, such as "Rootlatch_sshd.lns", sees them.
 * The caller frees both. ERROR_REFUSED: the lens cannot be loaded (the hint has the
 * folder), or does not accept the fragment, or the fragment is not printable ASCII or
 * too long. */
int config_augeas_get(struct config_augeas *augeas, const char *lens,
		      struct slice fragment, char **ret_keyword, char **ret_value,
		      struct error *err) _must_check_;

/* The same for all the directives of several lines, in order: those without a value have the
 * value "". The lines are printable ASCII, CONFIG_LINES_MAX bytes at most. Both outputs are
 * empty beforehand, and have as many items. Errors as above. */
int config_augeas_get_all(struct config_augeas *augeas, const char *lens,
			  struct slice lines, struct strings *ret_keywords,
			  struct strings *ret_values, struct error *err) _must_check_;

/* Appends to *ret the fragment with the directive's value replaced; a value that was
 * kept as a "word" node is replaced by a plain one. Errors as above, and ERROR_FAILED. */
int config_augeas_set(struct config_augeas *augeas, const char *lens,
		      struct slice fragment, const char *value, struct buffer *ret,
		      struct error *err) _must_check_;

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_opening: the text of a file of ours that opens the login, and the line that
 * includes it. What sshd reads first wins: a plain line beats every later global value,
 * a Match block beats every later value for those that it matches (sshd_config(5)). A
 * Match in a file of ours ends with that file.
 */
#ifndef ROOTLATCH_CONFIG_SSHD_OPENING_H
#define ROOTLATCH_CONFIG_SSHD_OPENING_H

#include "base/buffer.h"

struct sshd_opening {
	const char *id;             /* as in marker.h */
	const char *allow;          /* a value of PermitRootLogin */
	const struct strings *from; /* entries as address.h gives them; NULL or none:
				       everybody */
	bool everybody_matched;     /* without from: as a block that beats other blocks */
	bool runtime;               /* a reboot removes the file: it says so */
};

/* The directives alone, a line each without a line end: `Match Address` or `Match all`
 * and PermitRootLogin in it, or PermitRootLogin alone. Errors as sshd_opening_text(). */
int sshd_opening_lines(const struct sshd_opening *o, struct strings *ret,
		       struct error *err) _must_check_;

/* The whole file, appended to *ret: a marker of marker.h, words for who finds it, the
 * directives. ERROR_USAGE: not a value of PermitRootLogin; ERROR_REFUSED: not an ID;
 * ERROR_FAILED: entries of `from` that address.h never gives. */
int sshd_opening_text(const struct sshd_opening *o, struct buffer *ret,
		      struct error *err) _must_check_;

/* The line that includes one file (without a line end), for the caller to free.
 * ERROR_REFUSED: a path that is not absolute and clean, or has a character that sshd or
 * its glob(3) would not take as it is: wildcards, quotes, backslashes. */
int sshd_include_text(const char *path, char **ret_line, struct error *err) _must_check_;

#endif

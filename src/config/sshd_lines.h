/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_lines: the lines of one sshd_config(5) file, cut as OpenSSH's own parser cuts
 * them.
 *
 * OpenSSH reads a keyword with one set of rules and its arguments with another; both
 * are followed here to the letter (misc.c strdelim and argv_split, servconf.c
 * process_server_config_line), because a line that sshd sees and we do not, or the
 * reverse, is a login that is open while we call it closed. Nothing is judged: an
 * unknown keyword or a bad value is sshd's to reject.
 *
 * Only the directives that the editors need are kept, so that a file of 10^5 lines
 * costs nothing but one pass over its bytes.
 */
#ifndef ROOTLATCH_CONFIG_SSHD_LINES_H
#define ROOTLATCH_CONFIG_SSHD_LINES_H

#include "base/buffer.h"

enum sshd_keyword {
	SSHD_OTHER,
	SSHD_PERMIT_ROOT_LOGIN,
	SSHD_MATCH,
	SSHD_INCLUDE,
};

/* Offsets of the parts count from the first byte of the line. */
struct sshd_line {
	size_t number;          /* from 1 */
	size_t offset;          /* in the text */
	size_t len;             /* with the line end */
	unsigned char eol_len;  /* 0 at the end of the file, 1 "\n", 2 "\r\n" */
	enum sshd_keyword keyword;
	size_t keyword_offset;  /* the keyword as written, with its quotes */
	size_t keyword_len;
	size_t args_offset;     /* where the arguments begin; == args_end: none */
	size_t args_end;        /* behind it nothing but blanks and the line end */
	size_t value_offset;    /* the first argument as written, with its quotes */
	size_t value_len;       /* 0: there is none (sshd rejects such a line) */
};

struct sshd_lines {
	struct sshd_line *items;
	size_t len;
	size_t cap;
};

#define SSHD_LINES_INIT { .items = NULL, .len = 0, .cap = 0 }
#define _cleanup_sshd_lines_ _cleanup_(sshd_lines_release)

void sshd_lines_release(struct sshd_lines *lines);

/* Finds the PermitRootLogin, Match and Include lines of a text, in order. `path` is for
 * messages only. Refused (ERROR_REFUSED): a NUL byte. Linear in the text's length. */
int sshd_lines_scan(const char *path, struct slice text, struct sshd_lines *ret,
		    struct error *err) _must_check_;

/* Takes one line (without its line end) apart in the same way. *ret has number 1 and
 * offset 0; a line that is no directive of the three has the keyword SSHD_OTHER. */
void sshd_line_parse(struct slice line, struct sshd_line *ret);

/* The arguments of a directive, without quotes and escapes, up to a comment. `text` is the
 * text that the line was found in. A Match is cut by the rules for keywords, as OpenSSH
 * 9.2 does: = parts words, single quotes and backslashes are nothing special. Refused: a
 * quote that is not closed (sshd rejects it). */
int sshd_line_args(const struct sshd_line *line, struct slice text, struct strings *ret,
		   struct error *err) _must_check_;

/* The first argument without quotes and escapes, cut to cap - 1 bytes and terminated. */
void sshd_line_value(const struct sshd_line *line, struct slice text, char *ret,
		     size_t cap);

/* The line as one reads it in a message: without blanks at both ends and the line end. */
struct slice sshd_line_text(const struct sshd_line *line, struct slice text);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd_closure: everything that decides about PermitRootLogin, over the main file and
 * all that it includes, in the order in which sshd(8) reads it.
 *
 * sshd_config(5), measured on OpenSSH 9.2: the first global value wins; a value in a
 * Match block that holds beats every global one, wherever it stands; among blocks that
 * hold the first that sets the keyword wins. A Match in an included file ends with that
 * file, and an Include inside a Match depends on it.
 */
#ifndef ROOTLATCH_CONFIG_SSHD_CLOSURE_H
#define ROOTLATCH_CONFIG_SSHD_CLOSURE_H

#include "config/sshd_lines.h"
#include "config/sshd_match.h"

/* Where a relative Include pattern is looked for (OpenSSH's SSHDIR). */
#define SSHD_CONFIG_FOLDER "/etc/ssh"

#define SSHD_DEPTH_MAX 16           /* Includes within Includes, as sshd allows */
#define SSHD_FILES_MAX 4096         /* different files */
#define SSHD_READS_MAX 65536        /* patterns and files, counted each time */
#define SSHD_DIRECTIVES_MAX 1000000

/* How the closure gets at files. It makes no system call of its own. */
struct sshd_closure_io {
	void *ctx;
	/* The paths that match a pattern, in byte-wise order (glob(3) without flags, in
	 * the C locale); none is no error. `pattern` starts with / or, as sshd leaves
	 * it, with ~, which sshd does not expand. */
	int (*glob)(void *ctx, const char *pattern, struct strings *ret_paths,
		    struct error *err);
	/* The bytes of a file, which the caller keeps for as long as the closure lives.
	 * Called once a path. */
	int (*load)(void *ctx, const char *path, struct slice *ret_text,
		    struct error *err);
};

struct sshd_file {
	char *path;
	struct slice text;        /* the caller's */
	struct sshd_lines lines;
};

#define SSHD_NONE ((size_t)-1)
#define SSHD_VALUE_MAX 32         /* longer values are cut, and are no valid ones */

/* One PermitRootLogin or Match line each time that sshd reads it. */
struct sshd_directive {
	enum sshd_keyword keyword;
	enum sshd_scope scope;    /* of a Match: what holds from here on */
	size_t file;              /* index of files */
	size_t line;              /* index of its lines.items */
	size_t match;             /* the innermost Match in force: index of directives, or
				     SSHD_NONE; of a Match itself: the one around it */
	char value[SSHD_VALUE_MAX]; /* PermitRootLogin: as written, without quotes */
};

struct sshd_closure {
	struct sshd_file *files;  /* in the order of first reading; [0]: the main file */
	size_t files_len;
	size_t files_cap;
	struct sshd_directive *directives; /* in the order in which sshd reads them */
	size_t directives_len;
	size_t directives_cap;
	bool has_include;         /* any Include line, even one that matches no file */
	struct strings patterns;  /* of all Include lines, in full (sshd_include_pattern), in
				     the order of first reading, each once; also of those that
				     depend on a Match */
};

#define SSHD_CLOSURE_INIT { .files = NULL }
#define _cleanup_sshd_closure_ _cleanup_(sshd_closure_release)

void sshd_closure_release(struct sshd_closure *closure);

/* Reads the main file `path` and all that it includes. `groups` are the names of root's
 * groups (NULL: not known). Refused: a NUL byte, an unclosed quote, Includes nested too
 * deep (the chain is named) or too many. Errors of the callbacks are passed on,
 * prefixed by the place. */
int sshd_closure_read(const char *path, const struct strings *groups,
		      const struct sshd_closure_io *io, struct sshd_closure *ret,
		      struct error *err) _must_check_;

/* An argument of Include as sshd(8) gives it to glob(3): a relative one is looked for in
 * SSHD_CONFIG_FOLDER. Owned by the caller; NULL on failure. */
char *sshd_include_pattern(const char *argument, struct error *err) _must_check_;

/* True when glob(3) would find `path` by such a pattern, if it were there. By names alone:
 * of two that lead to one file through a link or a doubled slash the pattern's counts. */
bool sshd_include_finds(const char *pattern, const char *path);

/* True when some Include would find a file at `path`. It may depend on a Match. */
bool sshd_closure_would_read(const struct sshd_closure *closure, const char *path);

/* The PermitRootLogin that decides for root on a connection to which no network
 * condition and nothing unknown applies: index of directives, or SSHD_NONE (sshd's
 * default holds). */
size_t sshd_closure_deciding(const struct sshd_closure *closure);

const char *sshd_directive_path(const struct sshd_closure *closure,
				const struct sshd_directive *directive);
size_t sshd_directive_number(const struct sshd_closure *closure,
			     const struct sshd_directive *directive);
/* The line without blanks at both ends, for messages. */
struct slice sshd_directive_text(const struct sshd_closure *closure,
				 const struct sshd_directive *directive);

/* Values of PermitRootLogin. */
enum sshd_permit {
	SSHD_PERMIT_INVALID = -1,
	SSHD_PERMIT_NO,
	SSHD_PERMIT_FORCED_COMMANDS_ONLY,
	SSHD_PERMIT_PROHIBIT_PASSWORD, /* also without-password; sshd's default */
	SSHD_PERMIT_YES,
};

/* The meaning of a value, in any case of letters, as sshd reads it. */
enum sshd_permit sshd_permit_parse(const char *value);

#endif

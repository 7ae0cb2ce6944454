/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * boot_script: what the text of an init script tells of its processes: which programs, and which
 * pid files. It is read, never run: simple assignments are followed, and what would take a shell
 * to know is left out. Text in, values out, no I/O.
 */
#ifndef ROOTLATCH_SERVICE_BOOT_SCRIPT_H
#define ROOTLATCH_SERVICE_BOOT_SCRIPT_H

#include <stdbool.h>

#include "base/buffer.h"

struct boot_script {
	struct strings programs;  /* absolute paths, of DAEMON= and of start-stop-daemon(8) */
	struct strings names;     /* as processes are called: the service's own, the programs' */
	struct strings pid_files; /* absolute paths; those that bear a program's name last */
	size_t n_own;             /* the first of them: said by the script, or by its own name */
	struct buffer text;
};

#define BOOT_SCRIPT_INIT { .text = BUFFER_INIT }
#define _cleanup_boot_script_ _cleanup_(boot_script_release)

void boot_script_release(struct boot_script *s);

/* `text` may be empty: what a service of that name usually has is told all the same. */
int boot_script_parse(const char *name, struct slice text, struct boot_script *ret,
		      struct error *err) _must_check_;

/* Whether `word` stands in the text by itself, not within a longer word or path. */
bool boot_script_mentions(const struct boot_script *s, const char *word);

/* A shell or another program that runs scripts: that a process runs it tells nothing. */
bool boot_script_is_interpreter(const char *name);

#endif

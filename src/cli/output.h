/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * output: what people see, 80 columns wide. Every text is escaped on its way out.
 */
#ifndef ROOTLATCH_CLI_OUTPUT_H
#define ROOTLATCH_CLI_OUTPUT_H

#include "cli/cli.h"

#define OUTPUT_TIME_MAX 96

enum output_color {
	OUTPUT_PLAIN,
	OUTPUT_OPEN,      /* yellow */
	OUTPUT_ATTENTION, /* red */
};

/* A headline, with `right` from column 56 when it fits, and on a line of its own when not. */
void output_headline(const struct cli *cli, enum output_color color, const char *left,
		     const char *right);
/* "  label          value", the value wrapped at its blanks. NULL or "" prints nothing. */
void output_field(const char *label, const char *value);
void output_fieldf(const char *label, const char *fmt, ...) _printf_(2, 3);
/* The row of a table: its cells one after the other, each padded to the column where the next one
 * begins (0: there is none). One that is too wide pushes the next ones on, as far as they leave no room of their own. */
struct output_row {
	size_t column; /* where it is */
};
void output_cell(struct output_row *row, const char *value, size_t next);
/* The last one, cut to what is left of the line. False when it was cut. */
bool output_last_cell(struct output_row *row, const char *value);
/* The strings of a JSON list, a line each below one label. */
void output_list(const char *label, const json_t *list);
/* The strings of a JSON list behind one another: "a, b". NULL when there are none. The caller frees it. */
char *output_joined(const json_t *list);
/* "closes by      watcher, cron, the next reboot" */
void output_closers(const json_t *result);
/* "reloaded       no sshd is running ...", where it was not just the one daemon. */
void output_reloaded(const json_t *result);
/* Lines of what to do, on stderr, below what happened. */
void output_hint(const char *hint);
/* The warnings of a result, on stderr. */
void output_warnings(const json_t *result);
/* Foreign text with its newlines, escaped. */
void output_text(FILE *to, const char *text);
/* Of all results of a document. */
const json_t *output_first(const json_t *doc);
/* "14:37" and how long ago or still to go; "-" for null. */
void output_time(const json_t *result, const char *key, char ret[OUTPUT_TIME_MAX]);

#endif

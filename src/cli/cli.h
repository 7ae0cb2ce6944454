/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cli: the command line. A command is one file and one row in commands.c. It asks the library, and
 * prints from the same JSON document that --json shows.
 */
#ifndef ROOTLATCH_CLI_CLI_H
#define ROOTLATCH_CLI_CLI_H

#include <rootlatch.h>
#include <stdio.h>

#include "base/json.h"

struct cli;

struct cli_option {
	const char *name;
	char letter;      /* '\0': none */
	const char *arg;  /* what to call its argument in the help; NULL: it has none */
	const char *help;
	/* NULL in `value` where the option has no argument. -1 and err for a bad one. */
	int (*set)(struct cli *cli, const char *value, struct error *err);
};

struct cli_command {
	const char *name;
	const char *args;    /* for the usage line */
	const char *summary;
	const struct cli_option *options; /* besides the global ones; ends with a NULL name */
	bool hidden;         /* not listed: for our own use */
	size_t least, most;  /* arguments */
	/* Returns the exit status. */
	int (*run)(struct cli *cli);
};

struct cli {
	const struct cli_command *command;
	struct rootlatch_options options;
	struct rootlatch_terms terms;
	struct rootlatch_service_terms services;
	struct rootlatch *handle;
	bool dry_run, diff, json, quiet, verbose, color;
	bool changed; /* the host was changed */
	int64_t window_s;    /* --for; 0: not given */
	int64_t deadline_ns; /* --until; 0: not given */
	struct rootlatch_watch_terms watch;
	int64_t since_ns, until_ns;
	char **args;
	size_t n_args;
};

extern const struct cli_command *const cli_commands[]; /* NULL behind the last */
extern const struct cli_option cli_global_options[];

extern const struct cli_command command_open, command_close, command_revert, command_status,
	command_check, command_show, command_log, command_recover, command_extend, command_reap,
	command_watch, command_disable, command_enable, command_service_run;

/* What went wrong, on stderr, and with --json as a document on stdout. Returns err->code. Changes
 * and refusals of them are logged. `toggle` may be NULL. */
int cli_fail(struct cli *cli, const char *toggle, const struct rootlatch_error *err);
int cli_usage(struct cli *cli, const struct error *err);

/* The errors of single results: what cli_fail says of each, without its status. */
void cli_print_errors(const json_t *doc);

/* Recovers what was cut off, and says so. 0, or an exit status. */
int cli_recover_only(struct cli *cli);
/* Then closes what is past its deadline, but for `spare` (or NULL), and says so. What could not be
 * closed is no reason not to go on. */
int cli_recover_first(struct cli *cli, const char *spare);
void cli_print_failures(const json_t *doc);

/* --for and --until, and the deadline that they give: CLOCK_REALTIME, 0 without either. */
int cli_set_for(struct cli *cli, const char *value, struct error *err);
int cli_set_until(struct cli *cli, const char *value, struct error *err);
int64_t cli_deadline(const struct cli *cli);

/* `revert` of service toggles alone, in one transaction. */
int cli_revert_services(struct cli *cli);

/* Prints a result: as JSON, or through `print`, and frees it. Returns its status. */
int cli_finish(struct cli *cli, struct rootlatch_result *result,
	       void (*print)(struct cli *cli, const json_t *doc));

/* Carries a plan out, or shows what it would do (--dry-run, --diff), and frees it. */
int cli_carry_out(struct cli *cli, const char *toggle, struct rootlatch_plan *plan,
		  void (*print)(struct cli *cli, const json_t *doc));

void cli_help(FILE *to);
void cli_command_help(const struct cli_command *command);

#endif

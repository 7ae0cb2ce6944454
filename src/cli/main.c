/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rootlatch(8): options, then one command of the table.
 */
#include <errno.h>
#include <getopt.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cli.h"

#define OPTIONS_MAX 64
#define OPTION_BASE 256
#define OPTION_SHOWN 60

/* The global options and the command's own, as getopt_long(3) wants them. */
struct option_list {
	const struct cli_option *rows[OPTIONS_MAX];
	struct option longs[OPTIONS_MAX + 1];
	char shorts[3 * OPTIONS_MAX + 2];
	int len;
};

static void add_options(struct option_list *list, const struct cli_option *rows)
{
	size_t used = strlen(list->shorts);

	for (; rows != NULL && rows->name != NULL && list->len < OPTIONS_MAX; rows++) {
		list->rows[list->len] = rows;
		list->longs[list->len] = (struct option){
			.name = rows->name,
			.has_arg = rows->arg != NULL ? required_argument : no_argument,
			.val = OPTION_BASE + list->len,
		};
		if (rows->letter != '\0') {
			list->shorts[used++] = rows->letter;
			if (rows->arg != NULL)
				list->shorts[used++] = ':';
			list->shorts[used] = '\0';
		}
		list->len++;
	}
}

static const struct cli_option *option_of(const struct option_list *list, int value)
{
	if (value >= OPTION_BASE)
		return list->rows[value - OPTION_BASE];
	for (int i = 0; i < list->len; i++)
		if (list->rows[i]->letter == value)
			return list->rows[i];
	return NULL;
}

/* getopt(3) prints an option as it came, escape sequences and all: it is told to be silent. `value`
 * is what it returned, optopt the option where it knows it. */
static int refuse_option(const struct cli *cli, const struct option_list *list, int value,
			 const char *given, struct error *err)
{
	const struct cli_option *row = optopt != 0 ? option_of(list, optopt) : NULL;
	_cleanup_buffer_ struct buffer shown = BUFFER_INIT;
	const char letter[] = { '-', (char)optopt, '\0' };
	size_t len;

	if (optopt != 0 && row == NULL)
		given = letter;
	len = strlen(given);
	if (text_escape(slice_of(given, len < OPTION_SHOWN ? len : OPTION_SHOWN), false, &shown, err) < 0)
		return -1;
	if (row != NULL)
		(void)error_set(err, ERROR_USAGE, value == ':' ? "the option --%s needs %s" :
				"the option --%s takes no argument", row->name, row->arg);
	else
		(void)error_set(err, ERROR_USAGE, "the option %s is not known here", shown.data);
	return error_hint(err, "Nothing was changed. rootlatch %s%s--help",
			  cli->command != NULL ? cli->command->name : "",
			  cli->command != NULL ? " " : "");
}

static int parse(struct cli *cli, const char *before, const struct cli_option *own, int argc,
		 char **argv, struct error *err)
{
	struct option_list list = { .len = 0 };
	int value;

	(void)strcpy(list.shorts, before);
	add_options(&list, cli_global_options);
	add_options(&list, own);
	opterr = 0;
	while ((value = getopt_long(argc, argv, list.shorts, list.longs, NULL)) != -1) {
		if (value == '?' || value == ':')
			return refuse_option(cli, &list, value, argv[optind - 1], err);
		if (option_of(&list, value)->set(cli, optarg, err) < 0)
			return -1;
	}
	return 0;
}

static const struct cli_command *find_command(const char *name)
{
	for (const struct cli_command *const *c = cli_commands; *c != NULL; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

static int parse_all(struct cli *cli, int argc, char **argv, struct error *err)
{
	if (parse(cli, "+:", NULL, argc, argv, err) < 0)
		return -1;
	if (optind >= argc) {
		(void)error_set(err, ERROR_USAGE, "which command?");
		return error_hint(err, "rootlatch --help lists them.");
	}
	cli->command = find_command(argv[optind]);
	if (cli->command == NULL) {
		(void)error_set(err, ERROR_USAGE, "%.60s is not a command", argv[optind]);
		return error_hint(err, "Nothing was changed. rootlatch --help lists them.");
	}
	argc -= optind;
	argv += optind;
	optind = 0; /* anew, and now with arguments between the options (getopt(3)) */
	if (parse(cli, ":", cli->command->options, argc, argv, err) < 0)
		return -1;
	cli->args = argv + optind;
	cli->n_args = (size_t)(argc - optind);
	if (cli->n_args < cli->command->least || cli->n_args > cli->command->most) {
		(void)error_set(err, ERROR_USAGE, "%s takes %s", cli->command->name,
				cli->command->args[0] != '\0' ? cli->command->args :
								"no arguments");
		return error_hint(err, "Nothing was changed. rootlatch %s --help",
				  cli->command->name);
	}
	return 0;
}

static void print_step(void *ctx, const char *text)
{
	(void)fprintf(stderr, "rootlatch: %s\n", text);
}

/* What was printed must have arrived: a full disk behind a pipe is a failure too. After a change
 * it must not look as if that had been rolled back. */
static int flush(const struct cli *cli, int status)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || status != ROOTLATCH_OK)
		return status;
	if (!cli->changed) {
		(void)fprintf(stderr, "rootlatch: the output could not be written\n");
		return ROOTLATCH_FAILED;
	}
	(void)fprintf(stderr, "rootlatch: it is DONE, but the output could not be written; "
		      "`rootlatch status` shows it\n");
	return ROOTLATCH_IN_DOUBT;
}

int main(int argc, char **argv)
{
	struct cli cli = { .color = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL };
	struct rootlatch_error why = { 0 };
	struct error err = ERROR_INIT;
	int status;

	if (rootlatch_process_harden(&why) < 0) {
		(void)fprintf(stderr, "rootlatch: %s\n", why.message);
		return why.code;
	}
	for (int i = 1; i < argc; i++)
		cli.json |= strcmp(argv[i], "--json") == 0; /* also for what is wrong before it */
	if (parse_all(&cli, argc, argv, &err) < 0)
		return flush(&cli, cli_usage(&cli, &err));
	if (cli.verbose)
		cli.options.event = print_step;
	if (rootlatch_new(&cli.options, &cli.handle, &why) < 0)
		return flush(&cli, cli_fail(&cli, NULL, &why));
	status = cli.command->run(&cli);
	rootlatch_free(cli.handle);
	return flush(&cli, status);
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The table of commands, the options that all of them take, and the help made from both.
 */
#include <errno.h>
#include <stdlib.h>

#include "cli/cli.h"

const struct cli_command *const cli_commands[] = {
	&command_open,    &command_close,  &command_extend, &command_disable, &command_enable,
	&command_revert,  &command_status, &command_check,  &command_show,    &command_log,
	&command_recover, &command_reap,   &command_watch,  &command_service_run, NULL,
};

static int set_root(struct cli *cli, const char *value, struct error *err)
{
	cli->options.root = value;
	return 0;
}

static int set_state_dir(struct cli *cli, const char *value, struct error *err)
{
	cli->options.state_dir = value;
	return 0;
}

static int set_sshd_config(struct cli *cli, const char *value, struct error *err)
{
	cli->options.sshd_config = value;
	return 0;
}

static int set_wait(struct cli *cli, const char *value, struct error *err)
{
	unsigned long seconds;
	char *end;

	errno = 0;
	seconds = strtoul(value, &end, 10);
	/* strtoul(3) takes blanks and signs */
	if (errno != 0 || value[0] < '0' || value[0] > '9' || *end != '\0' || seconds > 86400)
		return error_set(err, ERROR_USAGE, "--wait takes seconds, up to 86400");
	cli->options.wait_seconds = (unsigned)seconds;
	return 0;
}

static int set_dry_run(struct cli *cli, const char *value, struct error *err)
{
	cli->dry_run = true;
	return 0;
}

static int set_diff(struct cli *cli, const char *value, struct error *err)
{
	cli->diff = true;
	return 0;
}

static int set_json(struct cli *cli, const char *value, struct error *err)
{
	cli->json = true;
	return 0;
}

static int set_offline(struct cli *cli, const char *value, struct error *err)
{
	cli->options.offline = true;
	return 0;
}

static int set_quiet(struct cli *cli, const char *value, struct error *err)
{
	cli->quiet = true;
	return 0;
}

static int set_verbose(struct cli *cli, const char *value, struct error *err)
{
	cli->verbose = true;
	return 0;
}

static int set_yes(struct cli *cli, const char *value, struct error *err)
{
	cli->options.yes = true;
	return 0;
}

static int set_no_color(struct cli *cli, const char *value, struct error *err)
{
	cli->color = false;
	return 0;
}

static int show_version(struct cli *cli, const char *value, struct error *err)
{
	(void)printf("rootlatch %s\n", rootlatch_version());
	exit(fflush(stdout) == 0 ? ROOTLATCH_OK : ROOTLATCH_FAILED);
}

static int show_help(struct cli *cli, const char *value, struct error *err)
{
	if (cli->command != NULL)
		cli_command_help(cli->command);
	else
		cli_help(stdout);
	exit(fflush(stdout) == 0 ? ROOTLATCH_OK : ROOTLATCH_FAILED);
}

const struct cli_option cli_global_options[] = {
	{ "dry-run", 'n', NULL, "write nothing, say what would be done", set_dry_run },
	{ "diff", '\0', NULL, "show the change as diff -u", set_diff },
	{ "json", '\0', NULL, "one JSON document on stdout", set_json },
	{ "sshd-config", '\0', "FILE", "another sshd instance", set_sshd_config },
	{ "state-dir", '\0', "DIR", "instead of /var/lib/rootlatch", set_state_dir },
	{ "root", '\0', "DIR", "an image or chroot instead of /", set_root },
	{ "wait", '\0', "SECONDS", "for another rootlatch to finish", set_wait },
	{ "offline", '\0', NULL, "status: do not ask sshd", set_offline },
	{ "yes", '\0', NULL, "what needs a yes is meant", set_yes },
	{ "quiet", '\0', NULL, "print errors only", set_quiet },
	{ "verbose", '\0', NULL, "print each step as it is done", set_verbose },
	{ "no-color", '\0', NULL, "no colour (also NO_COLOR)", set_no_color },
	{ "help", 'h', NULL, "this text", show_help },
	{ "version", '\0', NULL, "the version", show_version },
	{ .name = NULL },
};

static void print_options(FILE *to, const struct cli_option *o)
{
	for (; o != NULL && o->name != NULL; o++) {
		char left[64];

		(void)snprintf(left, sizeof(left), "%s%c%s--%s%s%s", o->letter != '\0' ? "-" : "  ",
			       o->letter != '\0' ? o->letter : ' ', o->letter != '\0' ? ", " : " ",
			       o->name, o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
		(void)fprintf(to, "  %-28s %s\n", left, o->help);
	}
}

void cli_help(FILE *to)
{
	(void)fputs("usage: rootlatch COMMAND [OPTION...]\n"
		    "\n"
		    "Opens a root login for as long as a job needs it, and closes it again, exactly;\n"
		    "switches boot services off, and back to what they were.\n"
		    "\n", to);
	for (const struct cli_command *const *c = cli_commands; *c != NULL; c++)
		if (!(*c)->hidden)
			(void)fprintf(to, "  %-10s %s\n", (*c)->name, (*c)->summary);
	(void)fputs("\nOptions of every command:\n", to);
	print_options(to, cli_global_options);
	(void)fputs("\nrootlatch COMMAND --help has the command's own options.\n"
		    "Exit status: 0 done, 1 failed and rolled back, 2 a difference was found,\n"
		    "3 refused and nothing changed, 4 a person must look, 64 usage, 75 another\n"
		    "rootlatch is at work, 77 not root.\n", to);
}

void cli_command_help(const struct cli_command *c)
{
	(void)printf("usage: rootlatch %s %s%s[OPTION...]\n\n%s\n", c->name, c->args,
		     c->args[0] != '\0' ? " " : "", c->summary);
	if (c->options != NULL) {
		(void)printf("\n");
		print_options(stdout, c->options);
	}
	(void)printf("\nOptions of every command:\n");
	print_options(stdout, cli_global_options);
}

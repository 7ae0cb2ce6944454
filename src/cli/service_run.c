/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * service-run: what the steps of a transaction about a service run, undo and verify with
 * (plan/step.h). What it says is one line, which the step quotes.
 */
#include "cli/cli.h"

#include "cli/output.h"

static int say(const struct rootlatch_error *err)
{
	output_text(stderr, err->message);
	(void)fputs("\n", stderr);
	output_hint(err->hint);
	return err->code;
}

static int run_stop(struct cli *cli, const char *name)
{
	struct rootlatch_error err = { 0 };

	return rootlatch_service_stop(cli->handle, name, &err) < 0 ? say(&err) : ROOTLATCH_OK;
}

static int run_start(struct cli *cli, const char *name)
{
	struct rootlatch_error err = { 0 };

	return rootlatch_service_start(cli->handle, name, &err) < 0 ? say(&err) : ROOTLATCH_OK;
}

static int run_stopped(struct cli *cli, const char *name)
{
	struct rootlatch_error err = { 0 };
	bool running;

	if (rootlatch_service_is_running(cli->handle, name, &running, &err) < 0)
		return say(&err);
	return running ? ROOTLATCH_FAILED : ROOTLATCH_OK;
}

static const struct {
	const char *verb;
	int (*run)(struct cli *cli, const char *name);
} verbs[] = {
	{ "stop", run_stop },
	{ "start", run_start },
	{ "stopped", run_stopped },
};

static int run_service_run(struct cli *cli)
{
	struct error none = ERROR_INIT;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(cli->args[0], verbs[i].verb) == 0)
			return verbs[i].run(cli, cli->args[1]);
	(void)error_set(&none, ERROR_USAGE, "service-run is started by disable and enable");
	(void)error_hint(&none, "Nothing was changed.");
	return cli_usage(cli, &none);
}

const struct cli_command command_service_run = {
	.name = "service-run",
	.args = "stop|start|stopped SERVICE",
	.summary = "a service's processes; started by disable and enable",
	.hidden = true,
	.least = 2,
	.most = 2,
	.run = run_service_run,
};

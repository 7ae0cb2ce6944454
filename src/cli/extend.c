/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * extend, and the options that name a deadline.
 */
#include "cli/output.h"

#include <time.h>

#include "base/duration.h"
#include "base/when.h"

int cli_set_for(struct cli *cli, const char *value, struct error *err)
{
	cli->deadline_ns = 0;
	return duration_parse(value, &cli->window_s, err);
}

int cli_set_until(struct cli *cli, const char *value, struct error *err)
{
	cli->window_s = 0;
	return when_parse(value, &cli->deadline_ns, err);
}

int64_t cli_deadline(const struct cli *cli)
{
	struct timespec now;

	if (cli->window_s == 0)
		return cli->deadline_ns;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return ((int64_t)now.tv_sec + cli->window_s) * 1000000000 + now.tv_nsec;
}

static const struct cli_option options[] = {
	{ "for", '\0', "DURATION", "from now on: 90m, 2h30m", cli_set_for },
	{ "until", '\0', "TIME", "the same, as a time of day or an ISO 8601 time", cli_set_until },
	{ .name = NULL },
};

static void print(struct cli *cli, const json_t *doc)
{
	const json_t *one = output_first(doc);
	char left[OUTPUT_TIME_MAX], until[OUTPUT_TIME_MAX], right[OUTPUT_TIME_MAX + 16];

	output_time(one, "until", until);
	(void)snprintf(left, sizeof(left), "%.60s %s", json_get_string(one, "toggle", ""),
		       cli->dry_run ? "would stay open" : "stays open");
	(void)snprintf(right, sizeof(right), "until %s", until);
	output_headline(cli, OUTPUT_OPEN, left, right);
	output_closers(one);
	if (cli->dry_run)
		output_field("", "nothing was changed (--dry-run)");
}

static int extend_one(struct cli *cli, const char *toggle)
{
	struct rootlatch_plan *plan = NULL;
	struct rootlatch_error err = { 0 };

	if (rootlatch_plan_extend(cli->handle, toggle, cli_deadline(cli), &plan, &err) < 0)
		return cli_fail(cli, toggle, &err);
	return cli_carry_out(cli, toggle, plan, print);
}

static int run(struct cli *cli)
{
	const char *own = rootlatch_root_login(cli->handle);
	const char *toggle = cli->n_args > 0 ? cli->args[0] : own;
	int status;

	if (cli->window_s == 0 && cli->deadline_ns == 0) {
		struct error none = ERROR_INIT;

		(void)error_set(&none, ERROR_USAGE, "until when? --for or --until");
		(void)error_hint(&none, "Nothing was changed.");
		return cli_usage(cli, &none);
	}
	status = cli_recover_first(cli, NULL);
	if (status != 0)
		return status;
	return extend_one(cli, strcmp(toggle, "root-login") == 0 ? own : toggle);
}

const struct cli_command command_extend = {
	.name = "extend",
	.args = "[TOGGLE]",
	.summary = "move the deadline of an opening",
	.options = options,
	.most = 1,
	.run = run,
};

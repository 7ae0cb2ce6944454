/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * show, log and recover.
 */
#include "cli/output.h"

#include "base/when.h"

static void print_show(struct cli *cli, const json_t *doc)
{
	const json_t *one = output_first(doc);
	const char *undoes = json_get_string(one, "undoes", NULL);
	const char *by = json_get_string(one, "by", NULL);
	char at[OUTPUT_TIME_MAX], title[128];

	output_time(one, "at", at);
	(void)snprintf(title, sizeof(title), "%s %s %s", json_get_string(one, "id", ""),
		       json_get_string(one, "command", ""), json_get_string(one, "toggle", ""));
	output_headline(cli, OUTPUT_PLAIN, title, json_get_bool(one, "applied") ? "applied" : "");
	output_fieldf("at", "%s%s%s", at, by != NULL ? ", by " : "", by != NULL ? by : "");
	output_field("why", json_get_string(one, "reason", NULL));
	output_field("undoes", undoes);
	output_field(undoes == NULL ? "undo by hand" : "its opening",
		     json_get_string(one, "restore", NULL));
	(void)putchar('\n');
	output_text(stdout, json_get_string(one, "diff", ""));
}

static int run_show(struct cli *cli)
{
	struct rootlatch_result *result = NULL;
	struct rootlatch_error err = { 0 };

	if (rootlatch_show(cli->handle, cli->args[0], &result, &err) < 0)
		return cli_fail(cli, NULL, &err);
	return cli_finish(cli, result, print_show);
}

static void print_event(const json_t *e)
{
	const char *detail = json_get_string(e, "message", json_get_string(e, "reason", ""));
	struct output_row row = { 0 };

	output_cell(&row, json_get_string(e, "at", ""), 21);
	output_cell(&row, json_get_string(e, "event", ""), 31);
	output_cell(&row, json_get_string(e, "toggle", "-"), 43);
	output_cell(&row, json_get_string(e, "id", "-"), 52);
	output_cell(&row, json_get_string(e, "by", "-"), 61);
	output_cell(&row, detail, 0);
	(void)putchar('\n');
}

static void print_log(struct cli *cli, const json_t *doc)
{
	const json_t *list = json_object_get(doc, "results");
	int64_t unreadable = json_get_int(doc, "unreadable", 0);

	for (size_t i = 0; i < json_array_size(list); i++)
		print_event(json_array_get(list, i));
	if (json_array_size(list) == 0)
		(void)printf("nothing is logged\n");
	if (unreadable > 0)
		(void)fprintf(stderr, "rootlatch: warning: %lld lines of the log can't be read\n",
			      (long long)unreadable);
}

static int run_log(struct cli *cli)
{
	struct rootlatch_result *result = NULL;
	struct rootlatch_error err = { 0 };
	const char *toggle = cli->n_args > 0 ? cli->args[0] : NULL;

	if (rootlatch_log(cli->handle, toggle, cli->since_ns, cli->until_ns, &result, &err) < 0)
		return cli_fail(cli, NULL, &err);
	return cli_finish(cli, result, print_log);
}

static int set_since(struct cli *cli, const char *value, struct error *err)
{
	return when_parse(value, &cli->since_ns, err);
}

static int set_until(struct cli *cli, const char *value, struct error *err)
{
	return when_parse(value, &cli->until_ns, err);
}

static const struct cli_option log_options[] = {
	{ "since", '\0', "TIME", "ISO 8601, for instance 2026-03-01T14:30", set_since },
	{ "until", '\0', "TIME", "", set_until },
	{ .name = NULL },
};

static void print_recover(struct cli *cli, const json_t *doc)
{
	const json_t *one = output_first(doc);

	if (!json_get_bool(one, "changed")) {
		output_headline(cli, OUTPUT_PLAIN, "nothing was cut off", "nothing to recover");
	} else {
		char title[128];

		(void)snprintf(title, sizeof(title), "transaction %s (%s) was %s",
			       json_get_string(one, "id", ""), json_get_string(one, "command", ""),
			       json_get_string(one, "how", ""));
		output_headline(cli, OUTPUT_PLAIN, title, "");
	}
	if (json_get_bool(one, "still_open"))
		output_headline(cli, OUTPUT_ATTENTION, "The login is still OPEN: close it again.", "");
	if (json_get_int(one, "swept", 0) > 0)
		output_fieldf("swept", "%lld leftover snapshots",
			      (long long)json_get_int(one, "swept", 0));
	if (json_get_int(one, "reloaded", 0) > 0)
		output_fieldf("reloaded", "%lld sshd listeners",
			      (long long)json_get_int(one, "reloaded", 0));
}

static int run_recover(struct cli *cli)
{
	struct rootlatch_result *result = NULL;
	struct rootlatch_error err = { 0 };

	if (rootlatch_recover(cli->handle, &result, &err) < 0)
		return cli_fail(cli, NULL, &err);
	return cli_finish(cli, result, print_recover);
}

const struct cli_command command_show = {
	.name = "show",
	.args = "ID",
	.summary = "one transaction, with its diff",
	.least = 1,
	.most = 1,
	.run = run_show,
};

const struct cli_command command_log = {
	.name = "log",
	.args = "[TOGGLE]",
	.summary = "what was done, when and by whom",
	.options = log_options,
	.most = 1,
	.run = run_log,
};

const struct cli_command command_recover = {
	.name = "recover",
	.args = "",
	.summary = "finish or undo what was cut off",
	.run = run_recover,
};

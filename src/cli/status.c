/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * status and check: the same facts, for people and for cron.
 */
#include "cli/output.h"

static const char *state_text(const json_t *one)
{
	const char *state = json_get_string(one, "state", "");

	if (strcmp(state, "applied") == 0)
		return "open";
	return strcmp(state, "normal") == 0 ? "-" : state;
}

static void print_row(struct cli *cli, const json_t *one)
{
	bool applied = json_get_string(one, "id", NULL) != NULL;
	bool timed = json_get_string(one, "until", NULL) != NULL;
	char until[OUTPUT_TIME_MAX];
	const char *on = cli->color && applied ? "\033[33m" : "";

	output_cell(json_get_string(one, "toggle", ""), 16);
	(void)fputs(on, stdout);
	output_cell(state_text(one), 9);
	(void)fputs(on[0] != '\0' ? "\033[0m" : "", stdout);
	output_time(one, "until", until);
	output_cell(!applied ? "-" : timed ? until : "you close it", 16);
	output_cell(json_get_string(one, "by", "-"), 7);
	output_cell(json_get_string(one, "reason", "-"), 0);
	(void)putchar('\n');
}

static void print_detail(const json_t *one)
{
	_cleanup_free_ char *sources = NULL;
	char since[OUTPUT_TIME_MAX];

	output_field("sshd says", json_get_string(one, "effective", NULL));
	output_list("DIFFERS", json_object_get(one, "differences"));
	output_list("STRAY", json_object_get(one, "strays"));
	if (json_get_string(one, "id", NULL) == NULL)
		return;
	output_time(one, "since", since);
	output_fieldf("since", "%s, transaction %s, %s", since, json_get_string(one, "id", ""),
		      json_get_string(one, "placement", ""));
	sources = output_joined(json_object_get(one, "from"));
	output_field("from", sources);
	output_closers(one);
	output_list("files", json_object_get(one, "files"));
}

static void print_verdict(struct cli *cli, const json_t *doc)
{
	const json_t *list = json_object_get(doc, "results");
	bool agrees = true;

	for (size_t i = 0; i < json_array_size(list); i++)
		agrees &= json_get_bool(json_array_get(list, i), "agrees") &&
			  json_array_size(json_object_get(json_array_get(list, i), "strays")) == 0;
	if (json_get_bool(doc, "at_work"))
		output_headline(cli, OUTPUT_PLAIN, "Another rootlatch is at work just now.", "");
	else if (json_get_bool(doc, "in_doubt"))
		output_headline(cli, OUTPUT_ATTENTION, "A transaction was cut off: `rootlatch "
				"recover` finishes or undoes it.", "");
	else if (!agrees)
		output_headline(cli, OUTPUT_ATTENTION, "The host does not agree.", "");
	else if (json_get_bool(doc, "offline"))
		output_headline(cli, OUTPUT_PLAIN, "The files agree; sshd was not asked "
				"(--offline).", "");
	else
		output_headline(cli, OUTPUT_PLAIN, "The host agrees with all of it.", "");
}

static void print(struct cli *cli, const json_t *doc)
{
	const json_t *list = json_object_get(doc, "results");

	(void)printf("%-16s %-9s %-16s %-7s %s\n", "TOGGLE", "STATE", "UNTIL", "BY", "WHY");
	for (size_t i = 0; i < json_array_size(list); i++) {
		print_row(cli, json_array_get(list, i));
		print_detail(json_array_get(list, i));
	}
	print_verdict(cli, doc);
}

static int run_status(struct cli *cli)
{
	struct rootlatch_result *result = NULL;
	struct rootlatch_error err = { 0 };
	const char *toggle = cli->n_args > 0 ? cli->args[0] : NULL;

	if (toggle != NULL && strcmp(toggle, "root-login") == 0)
		toggle = rootlatch_root_login(cli->handle);
	if (rootlatch_status(cli->handle, toggle, &result, &err) < 0)
		return cli_fail(cli, NULL, &err);
	return cli_finish(cli, result, print);
}

static int run_check(struct cli *cli)
{
	struct rootlatch_result *result = NULL;
	struct rootlatch_error err = { 0 };

	if (rootlatch_check(cli->handle, &result, &err) < 0)
		return cli_fail(cli, NULL, &err);
	return cli_finish(cli, result, print);
}

const struct cli_command command_status = {
	.name = "status",
	.args = "[TOGGLE]",
	.summary = "what is open, for whom, since when, by whom, until when",
	.most = 1,
	.run = run_status,
};

const struct cli_command command_check = {
	.name = "check",
	.args = "",
	.summary = "compare the host with the record; for cron and monitoring",
	.run = run_check,
};

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * status and check: the same facts, for people and for cron.
 */
#include "cli/output.h"

#define STATE_COLUMN 17
#define UNTIL_COLUMN 27
#define BY_COLUMN 44
#define WHY_COLUMN 52

static const char *state_text(const json_t *one)
{
	const char *state = json_get_string(one, "state", "");

	if (strcmp(state, "applied") == 0)
		return json_get_string(one, "service", NULL) == NULL ? "open" :
								       json_get_string(one, "allow", "");
	return strcmp(state, "normal") == 0 ? "-" : state;
}

/* False when there was no room for the whole reason. */
static bool print_row(struct cli *cli, const json_t *one)
{
	bool applied = json_get_string(one, "id", NULL) != NULL;
	bool timed = json_get_string(one, "until", NULL) != NULL;
	bool service = json_get_string(one, "service", NULL) != NULL;
	char until[OUTPUT_TIME_MAX];
	const char *on = cli->color && applied ? "\033[33m" : "";
	struct output_row row = { 0 };

	output_cell(&row, json_get_string(one, "toggle", ""), STATE_COLUMN);
	if (row.column > UNTIL_COLUMN) {
		(void)printf("\n%*s", STATE_COLUMN, "");
		row.column = STATE_COLUMN;
	}
	(void)fputs(on, stdout);
	output_cell(&row, state_text(one), UNTIL_COLUMN);
	(void)fputs(on[0] != '\0' ? "\033[0m" : "", stdout);
	output_time(one, "until", until);
	output_cell(&row, !applied || (service && !timed) ? "-" : timed ? until : "you close it",
		    BY_COLUMN);
	output_cell(&row, json_get_string(one, "by", "-"), WHY_COLUMN);
	return output_last_cell(&row, json_get_string(one, "reason", "-"));
}

static void print_facts(const json_t *one)
{
	const json_t *list = json_object_get(one, "facts");

	for (size_t i = 0; i < json_array_size(list); i++)
		output_field(json_get_string(json_array_get(list, i), "label", ""),
			     json_get_string(json_array_get(list, i), "value", ""));
}

static void print_service(const struct cli *cli, const json_t *one)
{
	const char *reason = json_get_string(one, "reason", NULL);
	char left[256], since[OUTPUT_TIME_MAX];

	(void)snprintf(left, sizeof(left), "%.100s %s", json_get_string(one, "service", ""),
		       json_get_bool(one, "starts_at_boot") ? "will start at boot" :
							      "does not start at boot");
	output_headline(cli, OUTPUT_PLAIN, left, "");
	output_field("why", json_get_string(one, "effective", NULL));
	print_facts(one);
	output_list("DIFFERS", json_object_get(one, "differences"));
	if (json_get_string(one, "id", NULL) == NULL)
		return;
	output_time(one, "since", since);
	output_fieldf("switched", "%s by %s, %s, transaction %s%s%s", json_get_string(one, "allow", ""),
		      json_get_string(one, "by", "?"), since, json_get_string(one, "id", ""),
		      reason != NULL ? ": " : "", reason != NULL ? reason : "");
	output_fieldf("undo", "rootlatch revert %s", json_get_string(one, "toggle", ""));
}

static void print_detail(const json_t *one)
{
	_cleanup_free_ char *sources = NULL;
	char since[OUTPUT_TIME_MAX];

	output_field(json_get_string(one, "service", NULL) != NULL ? "why" : "sshd says",
		     json_get_string(one, "effective", NULL));
	output_list("DIFFERS", json_object_get(one, "differences"));
	output_list("STRAY", json_object_get(one, "strays"));
	if (json_get_string(one, "id", NULL) == NULL)
		return;
	output_time(one, "since", since);
	if (json_get_string(one, "service", NULL) != NULL) {
		output_fieldf("since", "%s, transaction %s", since, json_get_string(one, "id", ""));
		return;
	}
	output_fieldf("since", "%s, transaction %s, %s", since, json_get_string(one, "id", ""),
		      json_get_string(one, "placement", ""));
	sources = output_joined(json_object_get(one, "from"));
	output_field("from", sources);
	output_closers(one);
	output_list("files", json_object_get(one, "files"));
}

static bool is_failure(const json_t *one)
{
	return json_object_get(one, "error") != NULL;
}

static void print_verdict(struct cli *cli, const json_t *doc)
{
	const json_t *list = json_object_get(doc, "results");
	bool agrees = true;

	for (size_t i = 0; i < json_array_size(list); i++)
		agrees &= is_failure(json_array_get(list, i)) ||
			  (json_get_bool(json_array_get(list, i), "agrees") &&
			   json_array_size(json_object_get(json_array_get(list, i), "strays")) == 0);
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
	bool whole;

	(void)printf("%-16s %-9s %-16s %-7s %s\n", "TOGGLE", "STATE", "UNTIL", "BY", "WHY");
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (is_failure(json_array_get(list, i)))
			continue;
		whole = print_row(cli, json_array_get(list, i));
		print_detail(json_array_get(list, i));
		if (!whole)
			output_field("reason", json_get_string(json_array_get(list, i), "reason", ""));
	}
	print_verdict(cli, doc);
}

/* What was asked for by name: services are explained, and only those. */
static void print_named(struct cli *cli, const json_t *doc)
{
	const json_t *list = json_object_get(doc, "results");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (!is_failure(json_array_get(list, i)) &&
		    json_get_string(json_array_get(list, i), "service", NULL) == NULL) {
			print(cli, doc);
			return;
		}
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!is_failure(json_array_get(list, i)))
			print_service(cli, json_array_get(list, i));
}

/* A name alone is a service's. */
static int name_toggles(const struct cli *cli, struct strings *ret, struct error *err)
{
	for (size_t i = 0; i < cli->n_args; i++) {
		const char *name = cli->args[i];
		bool own = strcmp(name, "root-login") == 0;
		bool toggle = own || strncmp(name, "root-login@", strlen("root-login@")) == 0 ||
			      strchr(name, '/') != NULL;

		if (strings_addf(ret, err, "%s%s", toggle ? "" : "service/",
				 own ? rootlatch_root_login(cli->handle) : name) < 0)
			return -1;
	}
	return 0;
}

static int run_status(struct cli *cli)
{
	_cleanup_strings_ struct strings toggles = STRINGS_INIT;
	struct rootlatch_result *result = NULL;
	struct rootlatch_error why = { 0 };
	_cleanup_json_ json_t *doc = NULL;
	struct error err = ERROR_INIT;
	int status;

	if (name_toggles(cli, &toggles, &err) < 0)
		return cli_usage(cli, &err);
	if (rootlatch_status_of(cli->handle, (const char *const *)toggles.items, toggles.len, &result,
				&why) < 0)
		return cli_fail(cli, NULL, &why);
	doc = json_loads(rootlatch_result_json(result), 0, NULL);
	status = cli_finish(cli, result, print_named);
	cli_print_errors(doc);
	return status;
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
	.args = "[TOGGLE | SERVICE...]",
	.summary = "what is open or switched off, since when, by whom, until when",
	.most = 64,
	.run = run_status,
};

const struct cli_command command_check = {
	.name = "check",
	.args = "",
	.summary = "compare the host with the record; for cron and monitoring",
	.run = run_check,
};

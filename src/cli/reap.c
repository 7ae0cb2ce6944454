/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * reap and watch: what the closers run.
 */
#include "cli/output.h"

#include <errno.h>
#include <stdlib.h>

static void print_one(struct cli *cli, const json_t *one)
{
	const json_t *failure = json_object_get(one, "error");
	char left[OUTPUT_TIME_MAX];

	(void)snprintf(left, sizeof(left), "%.60s %s", json_get_string(one, "toggle", ""),
		       failure != NULL ? "could not be closed" : "was closed, its time was up");
	output_headline(cli, failure != NULL ? OUTPUT_ATTENTION : OUTPUT_PLAIN, left, "");
	output_field("sshd says", json_get_string(one, "effective", NULL));
	output_list("left over", json_object_get(one, "leftovers"));
}

static void print(struct cli *cli, const json_t *doc)
{
	const json_t *list = json_object_get(doc, "results");

	for (size_t i = 0; i < json_array_size(list); i++)
		print_one(cli, json_array_get(list, i));
	if (json_array_size(list) == 0)
		output_headline(cli, OUTPUT_PLAIN, "nothing is past its deadline", "");
}

/* Of those that could not be closed, on stderr, whatever else is asked for. */
void cli_print_failures(const json_t *doc)
{
	const json_t *list = json_object_get(doc, "results");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		const json_t *failure = json_object_get(one, "error");

		if (failure == NULL)
			continue;
		(void)fputs("rootlatch: a person must look: ", stderr);
		output_text(stderr, json_get_string(one, "toggle", ""));
		(void)fputs(" is past its deadline and could not be closed: ", stderr);
		output_text(stderr, json_get_string(failure, "message", ""));
		(void)fputs("\n", stderr);
		output_hint(json_get_string(failure, "hint", ""));
	}
}

static int run_reap(struct cli *cli)
{
	struct rootlatch_result *result = NULL;
	struct rootlatch_error err = { 0 };
	_cleanup_json_ json_t *doc = NULL;
	int status = cli_recover_only(cli);

	if (status != 0)
		return status;
	if (cli->dry_run) {
		bool overdue = rootlatch_is_overdue(cli->handle);

		if (!cli->quiet)
			output_headline(cli, OUTPUT_PLAIN, overdue ? "something is past its deadline" :
					"nothing is past its deadline", "");
		return overdue ? ROOTLATCH_DIFFERENT : ROOTLATCH_OK;
	}
	if (rootlatch_reap(cli->handle, NULL, &result, &err) < 0)
		return cli_fail(cli, NULL, &err);
	doc = json_loads(rootlatch_result_json(result), 0, NULL);
	cli_print_failures(doc);
	return cli_finish(cli, result, print);
}

const struct cli_command command_reap = {
	.name = "reap",
	.args = "",
	.summary = "close what is past its deadline (the closers call it)",
	.run = run_reap,
};

static int set_file(struct cli *cli, const char *value, struct error *err)
{
	cli->watch.file = value;
	return 0;
}

static int set_toggle(struct cli *cli, const char *value, struct error *err)
{
	cli->watch.toggle = value;
	return 0;
}

static int set_number(const char *option, const char *value, int64_t *ret, struct error *err)
{
	char *end;

	errno = 0;
	*ret = strtoll(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || *ret <= 0)
		return error_set(err, ERROR_USAGE, "%s takes nanoseconds", option);
	return 0;
}

static int set_until_real(struct cli *cli, const char *value, struct error *err)
{
	return set_number("--until-real", value, &cli->watch.until_real_ns, err);
}

static int set_until_boot(struct cli *cli, const char *value, struct error *err)
{
	return set_number("--until-boot", value, &cli->watch.until_boot_ns, err);
}

static const struct cli_option watch_options[] = {
	{ "file", '\0', "FILE", "what it holds and lives by", set_file },
	{ "toggle", '\0', "TOGGLE", "what it closes", set_toggle },
	{ "until-real", '\0', "NS", "the deadline by the wall clock", set_until_real },
	{ "until-boot", '\0', "NS", "the deadline by the clock since boot", set_until_boot },
	{ .name = NULL },
};

static int run_watch(struct cli *cli)
{
	struct rootlatch_error err = { 0 };

	if (cli->watch.file == NULL || cli->watch.toggle == NULL || cli->watch.until_real_ns == 0 ||
	    cli->watch.until_boot_ns == 0) {
		struct error none = ERROR_INIT;

		(void)error_set(&none, ERROR_USAGE, "watch is started by open, with all its options");
		(void)error_hint(&none, "Nothing was changed.");
		return cli_usage(cli, &none);
	}
	return rootlatch_watch(cli->handle, &cli->watch, &err) < 0 ? cli_fail(cli, NULL, &err) :
								     ROOTLATCH_OK;
}

const struct cli_command command_watch = {
	.name = "watch",
	.args = "",
	.summary = "wait for one deadline; started by open",
	.hidden = true,
	.options = watch_options,
	.run = run_watch,
};

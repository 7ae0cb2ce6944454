/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the commands have in common: recover first, do or show, print once.
 */
#include "cli/output.h"

/* In exactly these words, so that people learn to look for them (the hints bring the others). */
static const char *state_of_host(int code)
{
	switch (code) {
	case ROOTLATCH_REFUSED:
		return "refused, nothing was changed: ";
	case ROOTLATCH_FAILED:
		return "failed: ";
	case ROOTLATCH_IN_DOUBT:
		return "a person must look: ";
	default:
		return "";
	}
}

static void print_error(const struct rootlatch_error *err)
{
	static const char said[] = "Nothing was changed. ";
	const char *hint = err->hint;

	(void)fprintf(stderr, "rootlatch: %s", state_of_host(err->code));
	output_text(stderr, err->message);
	(void)fputs("\n", stderr);
	/* it stands in the first line already */
	if (err->code == ROOTLATCH_REFUSED && strncmp(hint, said, strlen(said) - 1) == 0)
		hint += strlen(said) - 1 + (hint[strlen(said) - 1] == ' ');
	output_hint(hint);
}

void cli_print_errors(const json_t *doc)
{
	const json_t *list = json_object_get(doc, "results");

	(void)fflush(stdout);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_object_get(json_array_get(list, i), "error");
		struct rootlatch_error err = { .code = (int)json_get_int(one, "code", 0) };

		if (one == NULL)
			continue;
		(void)snprintf(err.message, sizeof(err.message), "%s", json_get_string(one, "message", ""));
		(void)snprintf(err.hint, sizeof(err.hint), "%s", json_get_string(one, "hint", ""));
		print_error(&err);
	}
}

static void print_error_json(struct cli *cli, const char *toggle,
			     const struct rootlatch_error *err)
{
	_cleanup_free_ char *doc = NULL;

	if (!cli->json)
		return;
	doc = rootlatch_error_json(cli->handle, cli->command != NULL ? cli->command->name : NULL,
				   toggle, err);
	(void)puts(doc != NULL ? doc : "{\"ok\": false}");
}

int cli_usage(struct cli *cli, const struct error *err)
{
	struct rootlatch_error why = { .code = ROOTLATCH_USAGE };

	memcpy(why.message, err->message, sizeof(why.message));
	memcpy(why.hint, err->hint, sizeof(why.hint));
	print_error(&why);
	print_error_json(cli, NULL, &why);
	return ROOTLATCH_USAGE;
}

int cli_fail(struct cli *cli, const char *toggle, const struct rootlatch_error *err)
{
	print_error(err);
	if (err->code == ROOTLATCH_FAILED && err->hint[0] == '\0')
		(void)fputs("  nothing was changed, everything is as before\n", stderr);
	print_error_json(cli, toggle, err);
	if (toggle != NULL && !cli->dry_run && err->code != ROOTLATCH_USAGE)
		rootlatch_log_failure(cli->handle, cli->command->name, toggle, err);
	return err->code;
}

int cli_finish(struct cli *cli, struct rootlatch_result *result,
	       void (*print)(struct cli *cli, const json_t *doc))
{
	const char *text = rootlatch_result_json(result);
	int status = rootlatch_result_status(result);
	_cleanup_json_ json_t *doc = json_loads(text, 0, NULL);
	const json_t *list = json_object_get(doc, "results");

	cli->changed = json_get_bool(doc, "changed");
	if (cli->json)
		(void)puts(text);
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!cli->quiet)
			output_warnings(json_array_get(list, i));
	if (!cli->json && !cli->quiet)
		print(cli, doc);
	rootlatch_result_free(result);
	return status;
}

int cli_recover_only(struct cli *cli)
{
	struct rootlatch_result *result = NULL;
	struct rootlatch_error err = { 0 };
	_cleanup_json_ json_t *doc = NULL;

	if (cli->dry_run || !rootlatch_needs_recovery(cli->handle))
		return 0;
	if (rootlatch_recover(cli->handle, &result, &err) < 0)
		return cli_fail(cli, NULL, &err);
	doc = json_loads(rootlatch_result_json(result), 0, NULL);
	if (json_get_bool(output_first(doc), "changed") && !cli->quiet)
		(void)fprintf(stderr, "rootlatch: transaction %s (%s) had been cut off; it was %s\n",
			      json_get_string(output_first(doc), "id", "?"),
			      json_get_string(output_first(doc), "command", "?"),
			      json_get_string(output_first(doc), "how", "?"));
	if (!cli->quiet)
		output_warnings(output_first(doc));
	rootlatch_result_free(result);
	return 0;
}

int cli_recover_first(struct cli *cli, const char *spare)
{
	struct rootlatch_result *result = NULL;
	struct rootlatch_error err = { 0 };
	_cleanup_json_ json_t *doc = NULL;
	const json_t *list;
	int status = cli_recover_only(cli);

	if (status != 0 || cli->dry_run || !rootlatch_is_overdue(cli->handle))
		return status;
	if (rootlatch_reap(cli->handle, spare, &result, &err) < 0)
		return cli_fail(cli, NULL, &err);
	doc = json_loads(rootlatch_result_json(result), 0, NULL);
	cli_print_failures(doc);
	list = json_object_get(doc, "results");
	for (size_t i = 0; i < json_array_size(list) && !cli->quiet; i++) {
		const json_t *one = json_array_get(list, i);

		output_warnings(one);
		if (json_get_bool(one, "changed"))
			(void)fprintf(stderr, "rootlatch: %s was past its deadline, and was closed "
				      "first\n", json_get_string(one, "toggle", "?"));
	}
	rootlatch_result_free(result);
	return 0;
}

/* The change matters more than its picture: without diff(1) it is done all the same. */
static void show_diff(struct cli *cli, struct rootlatch_plan *plan)
{
	struct rootlatch_error err = { 0 };
	_cleanup_free_ char *text = NULL;

	if (!cli->diff || cli->quiet)
		return;
	if (rootlatch_plan_diff(plan, &text, &err) < 0) {
		(void)fputs("rootlatch: warning: ", stderr);
		output_text(stderr, err.message);
		(void)fputs("\n", stderr);
		return;
	}
	/* with --json stdout is the document's */
	output_text(cli->json ? stderr : stdout, text);
}

int cli_carry_out(struct cli *cli, const char *toggle, struct rootlatch_plan *plan,
		  void (*print)(struct cli *cli, const json_t *doc))
{
	struct rootlatch_result *result = NULL;
	struct rootlatch_error err = { 0 };
	int r;

	show_diff(cli, plan);
	r = cli->dry_run ? rootlatch_plan_judge(plan, &result, &err) :
			   rootlatch_commit(plan, &result, &err);
	rootlatch_plan_free(plan);
	return r < 0 ? cli_fail(cli, toggle, &err) : cli_finish(cli, result, print);
}

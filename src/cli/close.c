/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * close and revert: the same, but for how the toggle is named.
 */
#include "cli/output.h"

static bool has(const json_t *list, const json_t *item)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_equal(json_array_get(list, i), item))
			return true;
	return false;
}

static void print_files(const struct cli *cli, const json_t *one)
{
	const json_t *files = json_object_get(one, "files");
	const json_t *restored = json_object_get(one, "restored");
	const json_t *removed = json_object_get(one, "removed");
	_cleanup_json_ json_t *edited = json_array();

	for (size_t i = 0; i < json_array_size(files); i++)
		if (!has(restored, json_array_get(files, i)) &&
		    !has(removed, json_array_get(files, i)))
			(void)json_array_append(edited, json_array_get(files, i));
	output_list(cli->dry_run ? "would restore" : "restored", restored);
	output_list(cli->dry_run ? "would remove" : "removed", removed);
	output_list(cli->dry_run ? "would edit" : "edited", edited);
	if (json_array_size(files) > 0 && json_array_size(edited) == 0 &&
	    json_array_size(json_object_get(one, "leftovers")) == 0)
		output_field("", json_array_size(restored) > 0 ?
			     "byte for byte as before the opening" : "all files are as before");
}

static void print_after(char ret[OUTPUT_TIME_MAX], const json_t *one)
{
	char since[OUTPUT_TIME_MAX];
	const char *paren;

	output_time(one, "since", since);
	paren = strchr(since, '(');
	(void)snprintf(ret, OUTPUT_TIME_MAX, "%s", "");
	if (paren != NULL)
		(void)snprintf(ret, OUTPUT_TIME_MAX, "closed after %.*s",
			       (int)(strcspn(paren + 1, ")") - strlen(" ago")), paren + 1);
}

static void print(struct cli *cli, const json_t *doc)
{
	const json_t *one = output_first(doc);
	bool closed = strcmp(json_get_string(one, "value", ""), "no") == 0;
	bool changed = json_get_bool(one, "would_change");
	char after[OUTPUT_TIME_MAX] = "";

	if (changed)
		print_after(after, one);
	if (json_get_bool(one, "still_open"))
		output_headline(cli, OUTPUT_ATTENTION, "root may STILL log in, not by rootlatch",
				after);
	else if (cli->dry_run && changed)
		output_headline(cli, OUTPUT_PLAIN, "the opening would be closed", "");
	else if (changed)
		output_headline(cli, OUTPUT_PLAIN, closed ? "root may not log in" :
				"root's login is no longer opened by rootlatch", after);
	else
		output_headline(cli, OUTPUT_PLAIN, "no root login is open by rootlatch",
				"nothing was changed");
	output_field("sshd says", json_get_string(one, "effective", NULL));
	print_files(cli, one);
	output_list("left over", json_object_get(one, "leftovers"));
	if (changed)
		output_reloaded(one);
	if (cli->dry_run && changed)
		output_field("", "nothing was changed (--dry-run)");
}

static int revert(struct cli *cli, const char *toggle)
{
	struct rootlatch_plan *plan = NULL;
	struct rootlatch_error err = { 0 };
	int status = cli_recover_first(cli, toggle);

	if (status != 0)
		return status;
	if (rootlatch_plan_revert(cli->handle, toggle, &plan, &err) < 0)
		return cli_fail(cli, toggle, &err);
	return cli_carry_out(cli, toggle, plan, print);
}

static int run_close(struct cli *cli)
{
	return revert(cli, rootlatch_root_login(cli->handle));
}

/* --sshd-config names the instance where the toggle itself does not. */
static int run_revert(struct cli *cli)
{
	bool own = strcmp(cli->args[0], "root-login") == 0;

	if (cli->n_args > 1 || strncmp(cli->args[0], "service/", strlen("service/")) == 0)
		return cli_revert_services(cli);
	return revert(cli, own ? rootlatch_root_login(cli->handle) : cli->args[0]);
}

const struct cli_command command_close = {
	.name = "close",
	.args = "",
	.summary = "undo an opening, exactly",
	.run = run_close,
};

const struct cli_command command_revert = {
	.name = "revert",
	.args = "TOGGLE...",
	.summary = "undo a toggle (root-login), or several of services",
	.least = 1,
	.most = 64,
	.run = run_revert,
};

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * close and revert: the same, but for how the toggle is named.
 */
#include "cli/output.h"

static void print_files(const struct cli *cli, const json_t *one)
{
	const json_t *files = json_object_get(one, "files");
	const json_t *restored = json_object_get(one, "restored");

	if (json_array_size(restored) > 0 && json_array_size(restored) == json_array_size(files)) {
		output_list(cli->dry_run ? "would restore" : "restored", restored);
		output_field("", "byte for byte as before the opening");
		return;
	}
	output_list(cli->dry_run ? "would edit" : "edited", files);
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
	if (changed && json_get_int(one, "daemons", 0) == 0)
		output_field("reloaded", "no sshd is running with this file: nothing to reload");
	if (cli->dry_run && changed)
		output_field("", "nothing was changed (--dry-run)");
}

static int revert(struct cli *cli, const char *toggle)
{
	struct rootlatch_plan *plan = NULL;
	struct rootlatch_error err = { 0 };
	int status = cli_recover_first(cli);

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
	.args = "TOGGLE",
	.summary = "undo a toggle (root-login)",
	.least = 1,
	.most = 1,
	.run = run_revert,
};

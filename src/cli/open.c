/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/output.h"

#include "base/duration.h"
#include "base/when.h"

static int set_allow(struct cli *cli, const char *value, struct error *err)
{
	cli->terms.allow = value;
	return 0;
}

static int set_reason(struct cli *cli, const char *value, struct error *err)
{
	cli->terms.reason = value;
	return 0;
}

static int set_keep(struct cli *cli, const char *value, struct error *err)
{
	cli->terms.keep = true;
	return 0;
}

/* Checked, so that a slip is told at once; what becomes of them is the library's to say. */
static int set_for(struct cli *cli, const char *value, struct error *err)
{
	int64_t seconds;

	if (duration_parse(value, &seconds, err) < 0)
		return -1;
	if (seconds < 60)
		return error_set(err, ERROR_USAGE, "--for: a window under 60 seconds is too short");
	cli->timed = true;
	return 0;
}

static int set_until(struct cli *cli, const char *value, struct error *err)
{
	int64_t ns;

	cli->timed = true;
	return when_parse(value, &ns, err);
}

static int set_in_place(struct cli *cli, const char *value, struct error *err)
{
	cli->terms.in_place = true;
	return 0;
}

static const struct cli_option options[] = {
	{ "allow", '\0', "VALUE", "yes (default), prohibit-password, forced-commands-only",
	  set_allow },
	{ "in-place", '\0', NULL, "edit the deciding line where it stands", set_in_place },
	{ "keep", '\0', NULL, "open until you close it", set_keep },
	{ "for", '\0', "DURATION", "refused: this version keeps no deadlines", set_for },
	{ "until", '\0', "TIME", "refused: this version keeps no deadlines", set_until },
	{ "reason", '\0', "TEXT", "why, for status and the log", set_reason },
	{ .name = NULL },
};

static const char *headline(const struct cli *cli, const json_t *one)
{
	const char *value = json_get_string(one, "value", "");

	if (cli->dry_run)
		return "root would be allowed to log in";
	if (strcmp(value, "prohibit-password") == 0)
		return "root may log in, with a key";
	if (strcmp(value, "forced-commands-only") == 0)
		return "root may log in, for forced commands only";
	return "root may log in";
}

static void print_reload(const json_t *one)
{
	int64_t daemons = json_get_int(one, "daemons", 0);

	if (daemons == 0)
		output_field("reloaded", "no sshd is running with this file: nothing to reload");
	else if (daemons > 1)
		output_fieldf("reloaded", "%lld sshd listeners", (long long)daemons);
}

static void print(struct cli *cli, const json_t *doc)
{
	const json_t *one = output_first(doc);
	bool applied = strcmp(json_get_string(one, "state", ""), "applied") == 0;
	bool changed = json_get_bool(one, "would_change");
	char since[OUTPUT_TIME_MAX];

	output_headline(cli, OUTPUT_OPEN, headline(cli, one),
			applied ? "until you close it" : "not by rootlatch");
	output_field("sshd says", json_get_string(one, "effective", NULL));
	if (!changed && applied) {
		output_time(one, "since", since);
		output_fieldf("already", "open since %s; nothing was changed", since);
	}
	output_list(cli->dry_run ? "would write" : "written", json_object_get(one, "files"));
	if (changed && !cli->dry_run)
		print_reload(one);
	if (applied && !cli->dry_run)
		output_field("close now", "rootlatch close");
	if (cli->dry_run)
		output_field("", "nothing was changed (--dry-run)");
}

static int run(struct cli *cli)
{
	const char *toggle = rootlatch_root_login(cli->handle);
	struct rootlatch_plan *plan = NULL;
	struct rootlatch_error err = { 0 };
	int status;

	if (cli->timed && cli->terms.keep) {
		struct error both = ERROR_INIT;

		(void)error_set(&both, ERROR_USAGE, "--keep and a deadline exclude each other");
		(void)error_hint(&both, "Nothing was changed.");
		return cli_usage(cli, &both);
	}
	status = cli_recover_first(cli);
	if (status != 0)
		return status;
	if (rootlatch_plan_apply(cli->handle, toggle, &cli->terms, &plan, &err) < 0)
		return cli_fail(cli, toggle, &err);
	return cli_carry_out(cli, toggle, plan, print);
}

const struct cli_command command_open = {
	.name = "open",
	.args = "",
	.summary = "let root log in",
	.options = options,
	.run = run,
};

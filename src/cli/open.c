/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/output.h"

#define DEFAULT_WINDOW_S 3600

static int set_allow(struct cli *cli, const char *value, struct error *err)
{
	cli->terms.allow = value;
	return 0;
}

static int set_from(struct cli *cli, const char *value, struct error *err)
{
	cli->terms.from = value;
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

static int set_replace(struct cli *cli, const char *value, struct error *err)
{
	cli->terms.replace = true;
	return 0;
}

static int place(struct cli *cli, enum rootlatch_placement placement, struct error *err)
{
	if (cli->terms.placement != ROOTLATCH_ANYWHERE && cli->terms.placement != placement) {
		(void)error_set(err, ERROR_USAGE, "--in-place, --drop-in and --runtime exclude each "
				"other");
		return error_hint(err, "Nothing was changed.");
	}
	cli->terms.placement = placement;
	return 0;
}

static int set_in_place(struct cli *cli, const char *value, struct error *err)
{
	return place(cli, ROOTLATCH_IN_PLACE, err);
}

static int set_drop_in(struct cli *cli, const char *value, struct error *err)
{
	return place(cli, ROOTLATCH_DROP_IN, err);
}

static int set_runtime(struct cli *cli, const char *value, struct error *err)
{
	return place(cli, ROOTLATCH_RUNTIME, err);
}

static const struct cli_option options[] = {
	{ "from", '\0', "ADDR,...", "for these addresses or networks alone", set_from },
	{ "for", '\0', "DURATION", "then it ends by itself: 90m, 2h30m (default: 1h)", cli_set_for },
	{ "until", '\0', "TIME", "the same, as a time of day or an ISO 8601 time", cli_set_until },
	{ "keep", '\0', NULL, "no deadline: open until you close it", set_keep },
	{ "reason", '\0', "TEXT", "why, for status and the log", set_reason },
	{ "allow", '\0', "VALUE", "yes (default), prohibit-password, forced-commands-only",
	  set_allow },
	{ "replace", '\0', NULL, "in the place of an opening with other terms", set_replace },
	{ "runtime", '\0', NULL, "a file in /run: a reboot ends it (default)", set_runtime },
	{ "drop-in", '\0', NULL, "a file below /etc (default with --keep)", set_drop_in },
	{ "in-place", '\0', NULL, "edit the deciding line where it stands", set_in_place },
	{ .name = NULL },
};

static const char *headline_value(const struct cli *cli, const json_t *one)
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

static void print_headline(const struct cli *cli, const json_t *one, bool applied)
{
	_cleanup_free_ char *sources = output_joined(json_object_get(one, "from"));
	char left[256], right[OUTPUT_TIME_MAX + 16], until[OUTPUT_TIME_MAX];

	(void)snprintf(left, sizeof(left), "%s%s%.180s", headline_value(cli, one),
		       sources != NULL ? " from " : "", sources != NULL ? sources : "");
	output_time(one, "until", until);
	(void)snprintf(right, sizeof(right), "until %s",
		       json_get_string(one, "until", NULL) != NULL ? until : "you close it");
	output_headline(cli, OUTPUT_OPEN, left, applied ? right : "not by rootlatch");
}

/* `rootlatch close` alone would say of the default instance that nothing is open. */
static void print_close(const json_t *one)
{
	const char *toggle = json_get_string(one, "toggle", "");

	if (strcmp(toggle, "root-login") == 0)
		output_field("close now", "rootlatch close");
	else
		output_fieldf("close now", "rootlatch revert '%s'", toggle);
}

static void print(struct cli *cli, const json_t *doc)
{
	const json_t *one = output_first(doc);
	bool applied = strcmp(json_get_string(one, "state", ""), "applied") == 0;
	bool changed = json_get_bool(one, "would_change");
	char since[OUTPUT_TIME_MAX];

	print_headline(cli, one, applied);
	output_field("sshd says", json_get_string(one, "effective", NULL));
	if (!changed && applied) {
		output_time(one, "since", since);
		output_fieldf("already", "open since %s; nothing was changed, the deadline is as it "
			      "was", since);
	}
	output_list(cli->dry_run ? "would write" : "written", json_object_get(one, "files"));
	if (changed && !cli->dry_run)
		output_reloaded(one);
	if (changed)
		output_closers(one);
	if (applied && !cli->dry_run)
		print_close(one);
	if (cli->dry_run)
		output_field("", "nothing was changed (--dry-run)");
}

static int run(struct cli *cli)
{
	const char *toggle = rootlatch_root_login(cli->handle);
	struct rootlatch_plan *plan = NULL;
	struct rootlatch_error err = { 0 };
	int status;

	if (!cli->terms.keep && cli->deadline_ns == 0)
		cli->window_s = cli->window_s != 0 ? cli->window_s : DEFAULT_WINDOW_S;
	cli->terms.until_ns = cli_deadline(cli);
	status = cli_recover_first(cli, NULL);
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

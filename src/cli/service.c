/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * disable, enable, and the revert of service toggles.
 */
#include "cli/output.h"

static int set_now(struct cli *cli, const char *value, struct error *err)
{
	cli->services.now = true;
	return 0;
}

static int set_reason(struct cli *cli, const char *value, struct error *err)
{
	cli->services.reason = value;
	return 0;
}

static int set_method(struct cli *cli, const char *value, struct error *err)
{
	if (strcmp(value, "disable") != 0 && strcmp(value, "remove") != 0) {
		(void)error_set(err, ERROR_USAGE, "--method takes disable or remove");
		return error_hint(err, "Nothing was changed.");
	}
	cli->services.remove_links = strcmp(value, "remove") == 0;
	return 0;
}

static const struct cli_option disable_options[] = {
	{ "now", '\0', NULL, "stop it at once, too", set_now },
	{ "method", '\0', "METHOD", "disable (default), or remove: the procedure of old", set_method },
	{ "reason", '\0', "TEXT", "why, for status and the log", set_reason },
	{ .name = NULL },
};

static const struct cli_option enable_options[] = {
	{ "now", '\0', NULL, "start it at once, too", set_now },
	{ "reason", '\0', "TEXT", "why, for status and the log", set_reason },
	{ .name = NULL },
};

/* ---- what was, or would be, done */

static const char *now_text(const struct cli *cli, const json_t *one)
{
	if (json_get_bool(one, "stopped"))
		return cli->dry_run ? " would be stopped and" : " is stopped and";
	if (json_get_bool(one, "started"))
		return cli->dry_run ? " would be started and" : " runs and";
	return "";
}

static const char *boot_text(const struct cli *cli, const json_t *one)
{
	bool starts = json_get_bool(one, "starts_at_boot");

	if (cli->dry_run)
		return starts ? "would start at boot" : "would stay off at boot";
	return starts ? "will start at boot" : "stays off at boot";
}

static void print_was(const char *label, const json_t *one, const char *is_key, const char *was_key)
{
	const char *is = json_get_string(one, is_key, NULL);
	const char *was = json_get_string(one, was_key, NULL);

	if (is == NULL)
		return;
	if (was == NULL || strcmp(is, was) == 0) {
		output_field(label, is);
		return;
	}
	output_field(label, is);
	output_fieldf("", "(was %s)", was);
}

static void print_mode(const json_t *one)
{
	const char *is = json_get_string(one, "mode", NULL);
	const char *was = json_get_string(one, "mode_before", NULL);

	if (is != NULL && was != NULL && strcmp(is, was) != 0)
		output_fieldf("script", "/etc/init.d/%s, mode %s -> %s",
			      json_get_string(one, "service", ""), was + 1, is + 1);
}

static void print_unit(const json_t *one)
{
	const char *unit = json_get_string(one, "unit", NULL);
	const char *is = json_get_string(one, "unit_state", NULL);
	const char *was = json_get_string(one, "unit_before", NULL);

	if (unit != NULL && is != NULL && was != NULL)
		output_fieldf("unit", "%s, %s%s%s%s", unit, is, strcmp(is, was) != 0 ? " (was " : "",
			      strcmp(is, was) != 0 ? was : "", strcmp(is, was) != 0 ? ")" : "");
}

static void print_details(const json_t *one)
{
	print_was("links", one, "links", "links_before");
	print_mode(one);
	print_unit(one);
}

/* The links go with a purge; the mask is not the package's. */
static const char *stays_off_text(const json_t *one)
{
	if (strcmp(json_get_string(one, "unit_state", ""), "masked") == 0)
		return "through upgrade, reinstall, reconfigure and purge (masked)";
	return "through upgrade, reinstall and reconfigure; a purge forgets it";
}

static void print_already(const struct cli *cli, const json_t *one)
{
	char left[256];

	(void)snprintf(left, sizeof(left), "%.100s %s", json_get_string(one, "service", ""),
		       json_get_bool(one, "starts_at_boot") ? "starts at boot already" :
							      "is off at boot already");
	output_headline(cli, OUTPUT_PLAIN, left, "nothing was changed");
	output_field("why", json_get_string(one, "effective", NULL));
}

static void print_change(struct cli *cli, const json_t *one)
{
	const char *name = json_get_string(one, "service", "");
	char left[256];

	if (!json_get_bool(one, "would_change")) {
		print_already(cli, one);
		return;
	}
	(void)snprintf(left, sizeof(left), "%.100s%s %s", name, now_text(cli, one),
		       boot_text(cli, one));
	output_headline(cli, OUTPUT_PLAIN, left, "");
	print_details(one);
	if (!json_get_bool(one, "starts_at_boot") && !cli->services.remove_links)
		output_field("stays off", stays_off_text(one));
	if (cli->dry_run)
		output_field("", "nothing was changed (--dry-run)");
	else
		output_fieldf("undo", "rootlatch revert service/%s", name);
}

/* Neither a script nor a unit is left. */
static bool is_gone(const json_t *one)
{
	return json_get_string(one, "mode", NULL) == NULL &&
	       strcmp(json_get_string(one, "unit_state", "none"), "none") == 0;
}

static void print_gone(struct cli *cli, const json_t *one)
{
	char left[256];

	(void)snprintf(left, sizeof(left), "%.100s is not on this host any more",
		       json_get_string(one, "service", ""));
	output_headline(cli, OUTPUT_PLAIN, left, "");
	print_details(one);
	output_field("", cli->dry_run ? "what was switched would be forgotten; nothing was changed "
					"(--dry-run)" :
					"what was switched is forgotten");
}

/* "is as before" is said of what is. */
static const char *back_text(const struct cli *cli, const json_t *one)
{
	bool starts = json_get_bool(one, "starts_at_boot");

	if (json_get_bool(one, "others_stay"))
		return cli->dry_run ? "would be as before, but for what others changed" :
		       starts ? "is back, but for what others changed: it will start at boot" :
				"is back, but for what others changed: it does not start at boot";
	return cli->dry_run ? "would be as before" :
	       starts ? "is as before: it will start at boot" :
			"is as before: it does not start at boot";
}

static void print_revert(struct cli *cli, const json_t *one)
{
	const char *name = json_get_string(one, "service", "");
	char left[256];

	if (!json_get_bool(one, "would_change")) {
		(void)snprintf(left, sizeof(left), "%.100s was not switched by rootlatch", name);
		output_headline(cli, OUTPUT_PLAIN, left, "nothing was changed");
		return;
	}
	if (is_gone(one)) {
		print_gone(cli, one);
		return;
	}
	(void)snprintf(left, sizeof(left), "%.100s%s %s", name, now_text(cli, one),
		       back_text(cli, one));
	output_headline(cli, OUTPUT_PLAIN, left, "");
	print_details(one);
	if (json_get_bool(one, "exact"))
		output_field("", "everything is as it was, links, order, modes and times");
	else if (json_get_bool(one, "others_stay"))
		output_field("", "what we changed and nobody else did is as it was; the rest stays as "
			     "it is now");
	else
		output_field("", "its own links, mode and unit are as they were; what was switched, "
			     "installed or ordered anew meanwhile stays");
	if (json_get_bool(one, "upgraded"))
		output_field("script", "it is another version by now (a package upgrade): that stays");
	if (cli->dry_run)
		output_field("", "nothing was changed (--dry-run)");
}

static void print_each(struct cli *cli, const json_t *doc,
		       void (*print)(struct cli *cli, const json_t *one))
{
	const json_t *list = json_object_get(doc, "results");

	for (size_t i = 0; i < json_array_size(list); i++)
		print(cli, json_array_get(list, i));
}

static void print_changes(struct cli *cli, const json_t *doc)
{
	print_each(cli, doc, print_change);
}

static void print_reverts(struct cli *cli, const json_t *doc)
{
	print_each(cli, doc, print_revert);
}

/* ---- the commands */

static int change(struct cli *cli, bool enable)
{
	struct rootlatch_plan *plan = NULL;
	struct rootlatch_error err = { 0 };
	int status = cli_recover_first(cli, NULL);

	if (status != 0)
		return status;
	cli->services.enable = enable;
	cli->services.services = (const char *const *)cli->args;
	cli->services.n_services = cli->n_args;
	if (rootlatch_plan_services(cli->handle, &cli->services, &plan, &err) < 0)
		return cli_fail(cli, NULL, &err);
	return cli_carry_out(cli, NULL, plan, print_changes);
}

static int run_disable(struct cli *cli)
{
	return change(cli, false);
}

static int run_enable(struct cli *cli)
{
	return change(cli, true);
}

int cli_revert_services(struct cli *cli)
{
	struct rootlatch_plan *plan = NULL;
	struct rootlatch_error err = { 0 };
	int status = cli_recover_first(cli, NULL);

	if (status != 0)
		return status;
	if (rootlatch_plan_revert_services(cli->handle, (const char *const *)cli->args, cli->n_args,
					   &plan, &err) < 0)
		return cli_fail(cli, cli->args[0], &err);
	return cli_carry_out(cli, cli->args[0], plan, print_reverts);
}

const struct cli_command command_disable = {
	.name = "disable",
	.args = "SERVICE...",
	.summary = "switch boot services off, so that they stay off",
	.options = disable_options,
	.least = 1,
	.most = 64,
	.run = run_disable,
};

const struct cli_command command_enable = {
	.name = "enable",
	.args = "SERVICE...",
	.summary = "switch boot services on (revert puts back what was)",
	.options = enable_options,
	.least = 1,
	.most = 64,
	.run = run_enable,
};

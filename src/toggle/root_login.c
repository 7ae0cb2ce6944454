/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What opening and closing have in common: finding the listeners, and letting sshd judge what
 * is there and what would be there, at the same time.
 */
#include "toggle/root_login.h"

#include <stdio.h>

#include "service/sshd_check.h"

int root_login_judgement_new(struct toggle_plan *p, struct error *err)
{
	p->judgement = calloc(1, sizeof(*p->judgement));
	return p->judgement == NULL ? error_oom(err) : 0;
}

int root_login_judgement_reserve(struct toggle_judgement *j, size_t len, struct error *err)
{
	j->targets = calloc(len + 1, sizeof(*j->targets));
	j->twins = calloc(len + 1, sizeof(*j->twins));
	j->texts = calloc(len + 1, sizeof(*j->texts));
	j->views = calloc(len + 1, sizeof(*j->views));
	if (j->targets == NULL || j->twins == NULL || j->texts == NULL || j->views == NULL)
		return error_oom(err);
	j->len = len;
	return 0;
}

static void judgement_free(struct toggle_judgement *j)
{
	sshd_judge_stop(&j->before);
	sshd_judge_stop(&j->after);
	sshd_answers_release(&j->answers_before);
	sshd_answers_release(&j->answers_after);
	sshd_files_release(&j->files);
	sshd_plan_release(&j->edit);
	for (size_t i = 0; i < j->len; i++) {
		host_file_release(&j->targets[i]);
		host_file_release(&j->twins[i]);
		buffer_release(&j->texts[i]);
	}
	free(j->targets);
	free(j->twins);
	free(j->texts);
	free(j->views);
	free(j->allow);
	free(j->was);
	free(j);
}

static const struct sshd_daemon *first_daemon(const struct toggle_plan *p)
{
	return p->daemons.len > 0 ? &p->daemons.items[0] : NULL;
}

int root_login_judge_baseline(const struct toggle_context *c, struct toggle_plan *p,
			      struct error *err)
{
	struct toggle_judgement *j = p->judgement;

	if (sshd_find(c->host, c->config, &p->daemons, err) < 0)
		return -1;
	if (p->daemons.len == 0 && !host_file_exists(c->host, SSHD_BINARY_DEFAULT))
		return 0; /* nobody to ask; whether that will do is the caller's to say */
	sshd_connection_default(first_daemon(p), 0, &j->connection);
	return sshd_judge_start(c->host, first_daemon(p), c->config, NULL, 0, &j->connection,
				&j->before, err);
}

int root_login_no_sshd(const struct toggle_context *c, struct error *err)
{
	(void)error_set(err, ERROR_REFUSED, "there is no %s%s to ask",
			host_is_live(c->host) ? "" : c->host->root, SSHD_BINARY_DEFAULT);
	return error_hint(err, "Nothing was changed. Without sshd nobody can tell what a change "
			  "would do.");
}

int root_login_judge_candidate(const struct toggle_context *c, struct toggle_plan *p,
			       struct error *err)
{
	struct toggle_judgement *j = p->judgement;

	for (size_t i = 0; i < p->plan.len; i++)
		j->views[j->n_views++] = (struct host_view){ .path = p->plan.steps[i].path,
							     .bytes = p->plan.steps[i].after_bytes };
	return sshd_judge_start(c->host, first_daemon(p), c->config, j->views, j->n_views,
				&j->connection, &j->after, err);
}

static int judge_listener(const struct toggle_context *c, struct toggle_plan *p,
			  const struct sshd_daemon *d, const char *config, bool planned,
			  struct sshd_answers *ret, struct error *err)
{
	struct sshd_connection connection;

	sshd_connection_default(d, 0, &connection);
	if (sshd_judge(c->host, d, config, p->judgement->views,
		       planned ? p->judgement->n_views : 0, &connection, ret, err) < 0)
		return -1;
	return sshd_judge_require_valid(ret, "sshd would not accept the configuration", err);
}

/* It has options of its own, so its answers are its own too. */
static int judge_other_listener(const struct toggle_context *c, struct toggle_plan *p,
				const struct sshd_daemon *d, const char *config, bool planned,
				struct error *err)
{
	_cleanup_(sshd_answers_release) struct sshd_answers answers = SSHD_ANSWERS_INIT;
	_cleanup_free_ char *value = NULL;
	char name[SSHD_DAEMON_NAME_MAX];

	if (judge_listener(c, p, d, config, planned, &answers, err) < 0 ||
	    sshd_check_bindable(c->host, d, &answers, !p->closing, err) < 0 ||
	    root_login_set_value(&value, &answers, err) < 0)
		return error_prefix(err, "%s", sshd_daemon_name(d, name));
	if (!planned || strcmp(value, p->is) == 0)
		return 0;
	p->still_open |= p->closing && sshd_permit_parse(value) > sshd_permit_parse(p->is);
	return toggle_warn(&p->warnings, err, "its options, or its own file, decide otherwise",
			   "%s says permitrootlogin %s", sshd_daemon_name(d, name), value);
}

int root_login_judge_reload(const struct toggle_context *c, struct toggle_plan *p,
			    const struct sshd_answers *answers, bool planned, struct error *err)
{
	if (p->daemons.len > 0 &&
	    sshd_check_bindable(c->host, &p->daemons.items[0], answers, !p->closing, err) < 0)
		return -1;
	for (size_t i = 1; i < p->daemons.len; i++)
		if (judge_other_listener(c, p, &p->daemons.items[i], c->config, planned, err) < 0)
			return -1;
	for (size_t i = 0; planned && i < p->daemons.n_others; i++)
		if (judge_other_listener(c, p, &p->daemons.others[i], p->daemons.others[i].config,
					 planned, err) < 0)
			return -1;
	return 0;
}

/* Whether an instance with another main file reads a file of the plan's. */
static bool shares_file(const struct toggle_context *c, const struct toggle_plan *p,
			const struct sshd_daemon *d)
{
	_cleanup_sshd_files_ struct sshd_files files = { 0 };
	_cleanup_strings_ struct strings paths = STRINGS_INIT;
	bool shared = false;

	if (sshd_files_read(c->host, d->config, &files, NULL) < 0 ||
	    sshd_files_paths(&files, &paths, NULL) < 0)
		return false; /* it can't be reloaded with such files anyway */
	for (size_t i = 0; i < p->plan.len; i++)
		shared |= strings_contain(&paths, p->plan.steps[i].path);
	return shared;
}

void root_login_keep_sharing(const struct toggle_context *c, struct toggle_plan *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->daemons.n_others; i++) {
		struct sshd_daemon *d = &p->daemons.others[i];

		if (shares_file(c, p, d))
			p->daemons.others[kept++] = *d;
		else
			sshd_daemon_release(d);
	}
	p->daemons.n_others = kept;
}

#define EXCEPTIONS_SHOWN 8

/* A block for some sources, or one that we can't tell, which says something else for root. */
static bool is_exception(const struct sshd_directive *d, const char *value)
{
	return d->keyword == SSHD_PERMIT_ROOT_LOGIN &&
	       (d->scope == SSHD_SCOPE_NETWORK || d->scope == SSHD_SCOPE_UNKNOWN) &&
	       sshd_permit_parse(d->value) != sshd_permit_parse(value);
}

int root_login_exceptions(const struct sshd_closure *closure, const char *value,
			  struct toggle_warnings *warnings, size_t *ret_found, struct error *err)
{
	*ret_found = 0;
	for (size_t i = 0; i < closure->directives_len; i++) {
		const struct sshd_directive *d = &closure->directives[i], *match;
		struct slice text;
		char hint[512];

		if (!is_exception(d, value) || d->match == SSHD_NONE)
			continue;
		if (++*ret_found > EXCEPTIONS_SHOWN)
			continue;
		match = &closure->directives[d->match];
		text = sshd_directive_text(closure, match);
		(void)snprintf(hint, sizeof(hint), "%s line %zu: %.*s (PermitRootLogin %s)",
			       sshd_directive_path(closure, match),
			       sshd_directive_number(closure, match), (int)text.len, text.data,
			       d->value);
		if (toggle_warn(warnings, err, hint, d->scope == SSHD_SCOPE_NETWORK ?
				"this Match block stays in force for its connections" :
				"this Match block may hold too, and says otherwise") < 0)
			return -1;
	}
	if (*ret_found > EXCEPTIONS_SHOWN)
		return toggle_warn(warnings, err, "", "and %zu more such blocks",
				   *ret_found - EXCEPTIONS_SHOWN);
	return 0;
}

char *root_login_effective(const struct sshd_answers *answers, size_t exceptions,
			   struct error *err)
{
	return sshd_answers_effective(answers, exceptions > 0 ? "all but the Match blocks named" :
								"everybody", err);
}

void root_login_note_own_reload(const struct state *s, struct sshd_daemon *d)
{
	if (s->reloaded.pid == d->process.pid &&
	    s->reloaded.start_ticks == d->process.start_ticks && s->reloaded_ns > d->loaded_ns)
		d->loaded_ns = s->reloaded_ns;
}

int root_login_newer(const struct toggle_context *c, struct toggle_plan *p,
		     struct strings *ret_newer, struct error *err)
{
	_cleanup_strings_ struct strings paths = STRINGS_INIT;

	if (sshd_files_paths(&p->judgement->files, &paths, err) < 0)
		return -1;
	for (size_t i = 0; i < p->daemons.len; i++) {
		root_login_note_own_reload(c->state, &p->daemons.items[i]);
		if (sshd_check_newer(c->host, &p->daemons.items[i], &p->judgement->answers_before,
				     paths.items, paths.len, ret_newer, err) < 0)
			return -1;
	}
	return 0;
}

int root_login_require_same(const struct toggle_judgement *j, struct error *err)
{
	static const char *const meant[] = { "permitrootlogin", NULL };
	_cleanup_strings_ struct strings differences = STRINGS_INIT;
	_cleanup_buffer_ struct buffer list = BUFFER_INIT;

	if (sshd_answers_differ(&j->answers_before, &j->answers_after, meant, &differences, err) < 0)
		return -1;
	if (differences.len == 0)
		return 0;
	for (size_t i = 0; i < differences.len; i++)
		if (buffer_printf(&list, err, "  %s\n", differences.items[i]) < 0)
			return -1;
	(void)error_set(err, ERROR_REFUSED, "sshd would change its answer to more than "
			"PermitRootLogin");
	return error_hint(err, "%sNothing was changed. Something in the files depends on the line "
			  "that we would edit.", list.data);
}

void root_login_fill_snapshot(const struct toggle_terms *terms, struct toggle_plan *p)
{
	const struct sshd_daemon *d = first_daemon(p);
	bool has_pid_file = d != NULL && d->pid_file != NULL;

	p->snapshot = (struct snapshot_info){
		.command = p->command,
		.toggle = p->toggle,
		.by = terms->by,
		.reason = terms->reason,
		.config = p->config,
		.sshd = d != NULL ? d->binary : SSHD_BINARY_DEFAULT,
		.pid_file = has_pid_file ? d->pid_file : SSHD_PID_FILE_DEFAULT,
		.options = d != NULL ? &d->options : NULL,
	};
}

int root_login_set_value(char **value, const struct sshd_answers *a, struct error *err)
{
	const char *answer = sshd_answers_get(a, "permitrootlogin");

	*value = str_dup(answer != NULL ? sshd_permit_text(answer) : "unknown", err);
	return *value == NULL ? -1 : 0;
}

static int judge(const struct toggle_context *c, struct toggle_plan *p, struct error *err)
{
	if (p->judgement == NULL)
		return 0;
	return p->judgement->opening ? root_login_judge_open(c, p, err) :
				       root_login_judge_close(c, p, err);
}

const struct toggle_kind root_login_kind = {
	.name = "root-login",
	.plan_apply = root_login_plan_open,
	.plan_undo = root_login_plan_close,
	.judge = judge,
	.release = judgement_free,
	.read = root_login_read,
};

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What opening and closing have in common: finding the listeners, and letting sshd judge what
 * is there and what would be there, at the same time.
 */
#include "toggle/root_login.h"

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
	if (p->daemons.len == 0 && !host_file_exists(c->host, SSHD_BINARY_DEFAULT)) {
		(void)error_set(err, ERROR_REFUSED, "there is no %s%s to ask",
				host_is_live(c->host) ? "" : c->host->root, SSHD_BINARY_DEFAULT);
		return error_hint(err, "Nothing was changed. Without sshd nobody can tell what a "
				  "change would do.");
	}
	sshd_connection_default(first_daemon(p), 0, &j->connection);
	return sshd_judge_start(c->host, first_daemon(p), c->config, NULL, 0, &j->connection,
				&j->before, err);
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

static int judge_other_listener(const struct toggle_context *c, struct toggle_plan *p, size_t n,
				bool planned, struct error *err)
{
	_cleanup_(sshd_answers_release) struct sshd_answers answers = SSHD_ANSWERS_INIT;
	const struct sshd_daemon *d = &p->daemons.items[n];
	struct sshd_connection connection;
	char name[SSHD_DAEMON_NAME_MAX];

	sshd_connection_default(d, 0, &connection);
	if (sshd_judge(c->host, d, c->config, p->judgement->views,
		       planned ? p->judgement->n_views : 0, &connection, &answers, err) < 0 ||
	    sshd_judge_require_valid(&answers, "sshd would not accept the configuration", err) < 0 ||
	    sshd_check_bindable(c->host, d, &answers, err) < 0)
		return error_prefix(err, "%s", sshd_daemon_name(d, name));
	return 0;
}

int root_login_judge_reload(const struct toggle_context *c, struct toggle_plan *p,
			    const struct sshd_answers *answers, bool planned, struct error *err)
{
	if (p->daemons.len > 0 &&
	    sshd_check_bindable(c->host, &p->daemons.items[0], answers, err) < 0)
		return -1;
	for (size_t i = 1; i < p->daemons.len; i++)
		if (judge_other_listener(c, p, i, planned, err) < 0)
			return -1;
	return 0;
}

/* Our own reloads are remembered, for a daemon without a pid file to tell the time by. */
static void note_own_reload(const struct state *s, struct sshd_daemon *d)
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
		note_own_reload(c->state, &p->daemons.items[i]);
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
	.strays = root_login_strays,
};

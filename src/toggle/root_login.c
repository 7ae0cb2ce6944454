/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What opening and closing have in common: finding the listeners, and letting sshd judge what
 * is there and what would be there, at the same time.
 */
#include "toggle/root_login.h"

#include <stdio.h>

#include "service/sshd_check.h"

int root_login_judgement_new(struct toggle_plan *p, const struct strings *from,
			     struct error *err)
{
	p->judgement = calloc(1, sizeof(*p->judgement));
	if (p->judgement == NULL)
		return error_oom(err);
	return strings_copy(from, &p->judgement->from, err);
}

void root_login_questions_free(struct root_login_question *questions, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sshd_judge_stop(&questions[i].before);
		sshd_judge_stop(&questions[i].after);
		sshd_answers_release(&questions[i].answers_before);
		sshd_answers_release(&questions[i].answers_after);
	}
	free(questions);
}

static void changes_free(struct toggle_judgement *j)
{
	for (size_t i = 0; i < j->n_changes; i++) {
		free(j->changes[i].path);
		buffer_release(&j->changes[i].text);
		edit_release(&j->changes[i].edit);
		host_file_release(&j->changes[i].target);
	}
	free(j->changes);
}

static void judgement_free(struct toggle_judgement *j)
{
	root_login_questions_free(j->questions, j->n_questions);
	changes_free(j);
	sshd_files_release(&j->files);
	sshd_files_release(&j->base);
	sshd_plan_release(&j->edit);
	sshd_blocks_release(&j->blocks);
	strings_release(&j->from);
	free(j->base_views);
	free(j->views);
	free(j->allow);
	free(j->was);
	free(j);
}

static const struct sshd_daemon *first_daemon(const struct toggle_plan *p)
{
	return p->daemons.len > 0 ? &p->daemons.items[0] : NULL;
}

/* An address that none of the sources holds; false when they hold everything. */
static bool find_elsewhere(const struct strings *from, const char **ret)
{
	static const char *const candidates[] = { SSHD_ADDR_ELSEWHERE, "255.255.255.254", "0.0.0.1",
						  "100::1", "::2" };

	for (size_t i = 0; i < ARRAY_SIZE(candidates); i++) {
		bool held = false;

		for (size_t k = 0; k < from->len; k++)
			held |= address_contains(from->items[k], candidates[i]);
		*ret = candidates[i];
		if (!held)
			return true;
	}
	return false;
}

int root_login_questions_new(const struct strings *from, const struct sshd_daemon *daemon,
			     struct root_login_question **ret, size_t *ret_n, struct error *err)
{
	struct root_login_question *q = calloc(from->len + 1, sizeof(*q));
	const char *elsewhere;
	size_t n = 0;

	if (q == NULL)
		return error_oom(err);
	for (; n < from->len; n++) {
		address_first(from->items[n], q[n].addr);
		sshd_connection_from(daemon, q[n].addr, &q[n].connection);
		q[n].source = true;
	}
	if (n == 0) {
		sshd_connection_default(daemon, 0, &q[n].connection);
		q[n++].source = true;
	} else if (find_elsewhere(from, &elsewhere)) {
		sshd_connection_from(daemon, elsewhere, &q[n++].connection);
	}
	*ret = q;
	*ret_n = n;
	return 0;
}

const struct root_login_question *root_login_others(const struct toggle_judgement *j)
{
	const struct root_login_question *last;

	if (j->n_questions == 0)
		return NULL;
	last = &j->questions[j->n_questions - 1];
	return last->source ? NULL : last;
}

int root_login_judge_baseline(const struct toggle_context *c, struct toggle_plan *p,
			      struct error *err)
{
	struct toggle_judgement *j = p->judgement;

	if (sshd_find(c->host, c->config, &p->daemons, err) < 0)
		return -1;
	if (p->daemons.len == 0 && !host_file_exists(c->host, SSHD_BINARY_DEFAULT))
		return 0; /* nobody to ask; whether that will do is the caller's to say */
	if (root_login_questions_new(&j->from, first_daemon(p), &j->questions, &j->n_questions,
				     err) < 0)
		return -1;
	for (size_t i = 0; i < j->n_questions; i++)
		if (sshd_judge_start(c->host, first_daemon(p), c->config, j->base_views,
				     j->n_base_views, &j->questions[i].connection, &j->questions[i].before, err) < 0)
			return -1;
	return 0;
}

int root_login_no_sshd(const struct toggle_context *c, struct error *err)
{
	(void)error_set(err, ERROR_REFUSED, "there is no %s%s to ask",
			host_is_live(c->host) ? "" : c->host->root, SSHD_BINARY_DEFAULT);
	return error_hint(err, "Nothing was changed. Without sshd nobody can tell what a change "
			  "would do.");
}

int root_login_views(const struct toggle_plan *p, struct host_view **ret, size_t *ret_n,
		     struct error *err)
{
	struct host_view *views = calloc(p->plan.len + 1, sizeof(*views));
	size_t n = 0;

	if (views == NULL)
		return error_oom(err);
	for (size_t i = 0; i < p->plan.len; i++)
		views[n++] = (struct host_view){ .path = p->plan.steps[i].path,
						 .bytes = p->plan.steps[i].after_bytes,
						 .gone = p->plan.steps[i].kind == STEP_UNLINK };
	*ret = views;
	*ret_n = n;
	return 0;
}

int root_login_judge_candidate(const struct toggle_context *c, struct toggle_plan *p,
			       struct error *err)
{
	struct toggle_judgement *j = p->judgement;

	if (root_login_views(p, &j->views, &j->n_views, err) < 0)
		return -1;
	for (size_t i = 0; i < j->n_questions; i++)
		if (sshd_judge_start(c->host, first_daemon(p), c->config, j->views, j->n_views,
				     &j->questions[i].connection, &j->questions[i].after, err) < 0)
			return -1;
	return 0;
}

int root_login_finish_baseline(struct toggle_judgement *j, struct error *err)
{
	for (size_t i = 0; i < j->n_questions; i++)
		if (j->questions[i].before != NULL &&
		    sshd_judge_finish(&j->questions[i].before, &j->questions[i].answers_before,
				      err) < 0)
			return -1;
	return 0;
}

int root_login_finish_candidate(struct toggle_judgement *j, struct error *err)
{
	for (size_t i = 0; i < j->n_questions; i++)
		if (j->questions[i].after != NULL &&
		    sshd_judge_finish(&j->questions[i].after, &j->questions[i].answers_after, err) < 0)
			return -1;
	return 0;
}

static int judge_listener(const struct toggle_context *c, struct toggle_plan *p,
			  const struct sshd_daemon *d, const char *config, bool planned,
			  struct sshd_answers *ret, struct error *err)
{
	const struct strings *from = &p->judgement->from;
	struct sshd_connection connection;
	char addr[ADDRESS_MAX];

	sshd_connection_default(d, 0, &connection);
	if (from->len > 0) {
		address_first(from->items[0], addr);
		sshd_connection_from(d, addr, &connection);
	}
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

static bool includes(const struct sshd_files *files, const char *path)
{
	for (size_t i = 0; i < files->closure.files_len; i++)
		if (strcmp(files->closure.files[i].path, path) == 0)
			return true;
	return sshd_closure_would_read(&files->closure, path);
}

/* Whether an instance with another main file reads, or would read, a file of the plan's. */
static bool shares_file(const struct toggle_context *c, const struct toggle_plan *p,
			const struct sshd_daemon *d)
{
	_cleanup_sshd_files_ struct sshd_files files = { 0 };
	bool shared = false;

	if (sshd_files_read(c->host, d->config, &files, NULL) < 0)
		return false; /* it can't be reloaded with such files anyway */
	for (size_t i = 0; i < p->plan.len; i++)
		if (p->plan.steps[i].path != NULL)
			shared |= includes(&files, p->plan.steps[i].path);
	return shared;
}

bool root_login_is_shared(const struct toggle_context *c, const struct toggle_plan *p,
			  const char *path)
{
	bool shared = false;

	for (size_t i = 0; i < p->daemons.n_others && !shared; i++) {
		_cleanup_sshd_files_ struct sshd_files files = { 0 };

		shared = sshd_files_read(c->host, p->daemons.others[i].config, &files, NULL) == 0 &&
			 includes(&files, path);
	}
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

static bool is_ours(const struct toggle_context *c, const struct sshd_closure *closure,
		    const struct sshd_note *note)
{
	const struct sshd_directive *d = &closure->directives[note->directive];
	const struct state_file *f = state_find_file(c->state, sshd_directive_path(closure, d));

	return f != NULL && f->made;
}

void root_login_describe_block(char *ret, size_t size, const struct sshd_closure *closure,
			       const struct sshd_note *note)
{
	const struct sshd_directive *d = &closure->directives[note->match];
	struct slice text = sshd_directive_text(closure, d);

	(void)snprintf(ret, size, "%s line %zu: %.*s (PermitRootLogin %s)",
		       sshd_directive_path(closure, d), sshd_directive_number(closure, d),
		       (int)text.len, text.data, closure->directives[note->directive].value);
}

static int warn_of_blocks(const struct toggle_context *c, const struct sshd_closure *closure,
			  const struct sshd_blocks *blocks, struct toggle_warnings *warnings,
			  size_t *ret_found, struct error *err)
{
	char hint[512];

	for (size_t i = 0; i < blocks->len; i++) {
		const struct sshd_note *note = &blocks->items[i];

		if (note->kind == SSHD_NOTE_OVERRIDDEN || is_ours(c, closure, note) ||
		    ++*ret_found > EXCEPTIONS_SHOWN)
			continue;
		root_login_describe_block(hint, sizeof(hint), closure, note);
		if (toggle_warn(warnings, err, hint, note->kind == SSHD_NOTE_NETWORK ?
				"this Match block stays in force for its connections" :
				"this Match block may hold too, and says otherwise") < 0)
			return -1;
	}
	if (*ret_found > EXCEPTIONS_SHOWN)
		return toggle_warn(warnings, err, "", "and %zu more such blocks",
				   *ret_found - EXCEPTIONS_SHOWN);
	return 0;
}

int root_login_exceptions(const struct toggle_context *c, const struct sshd_closure *closure,
			  const char *value, struct toggle_warnings *warnings, size_t *ret_found,
			  struct error *err)
{
	_cleanup_sshd_blocks_ struct sshd_blocks blocks = SSHD_BLOCKS_INIT;

	*ret_found = 0;
	if (sshd_permit_parse(value) == SSHD_PERMIT_INVALID)
		return 0;
	if (sshd_plan_blocks(closure, value, &blocks, err) < 0)
		return -1;
	return warn_of_blocks(c, closure, &blocks, warnings, ret_found, err);
}

static const char *permit_of(const struct sshd_answers *a)
{
	const char *value = sshd_answers_get(a, "permitrootlogin");

	return value != NULL ? sshd_permit_text(value) : "unknown";
}

char *root_login_effective(const struct sshd_answers *answers, const struct sshd_answers *others,
			   const struct strings *from, size_t exceptions, struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;

	if (from->len == 0 || (others != NULL && strcmp(permit_of(answers), permit_of(others)) == 0))
		return sshd_answers_effective(answers, exceptions > 0 ?
					      "all but the Match blocks named" : "everybody", err);
	if (buffer_printf(&text, err, "permitrootlogin %s for ", permit_of(answers)) < 0)
		return NULL;
	for (size_t i = 0; i < from->len; i++)
		if (buffer_printf(&text, err, "%s%s", i > 0 ? ", " : "", from->items[i]) < 0)
			return NULL;
	if (others != NULL &&
	    buffer_printf(&text, err, ", %s for %s", permit_of(others), exceptions > 0 ?
			  "all others but the Match blocks named" : "everybody else") < 0)
		return NULL;
	return TAKE_PTR(text.data);
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
		if (sshd_check_newer(c->host, &p->daemons.items[i],
				     &p->judgement->questions[0].answers_before,
				     paths.items, paths.len, ret_newer, err) < 0)
			return -1;
	}
	return 0;
}

static int collect_differences(const struct root_login_question *q, struct strings *ret,
			       struct error *err)
{
	static const char *const meant[] = { "permitrootlogin", NULL }, *const nothing[] = { NULL };

	/* a file that is valid for one connection and not for another: sshd will say which */
	if (!q->answers_before.valid || !q->answers_after.valid)
		return sshd_judge_require_valid(&q->answers_after, "sshd would not accept the "
						"configuration", err);
	return sshd_answers_differ(&q->answers_before, &q->answers_after,
				   q->source ? meant : nothing, ret, err);
}

int root_login_require_same(const struct toggle_judgement *j, struct error *err)
{
	_cleanup_strings_ struct strings differences = STRINGS_INIT;
	_cleanup_buffer_ struct buffer list = BUFFER_INIT;

	for (size_t i = 0; i < j->n_questions && differences.len == 0; i++)
		if (collect_differences(&j->questions[i], &differences, err) < 0)
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

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Whether the host still agrees with the record, and what sshd itself says.
 */
#include "service/sshd_check.h"
#include "toggle/root_login.h"

static int differs(struct toggle_report *r, struct error *err, const char *fmt, ...)
	_printf_(3, 4);

static int differs(struct toggle_report *r, struct error *err, const char *fmt, ...)
{
	char *line = NULL;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&line, fmt, args);
	va_end(args);
	if (n < 0)
		return error_oom(err);
	r->agrees = false;
	n = strings_add(&r->differences, line, err);
	free(line);
	return n;
}

static bool is_edited_by(const struct state_file *f, const char *toggle)
{
	for (size_t i = 0; i < f->len; i++)
		if (strcmp(f->edits[i].toggle, toggle) == 0)
			return true;
	return false;
}

/* What closing would put back. */
static int compare_twin(const struct host *h, const struct state_file *f,
			struct toggle_report *r, struct error *err)
{
	_cleanup_host_file_ struct host_file twin = HOST_FILE_INIT;
	struct error why = ERROR_INIT;

	if (!host_file_exists(h, f->twin))
		return differs(r, err, "%s, which closing would put back, is gone (a copy is kept)",
			       f->twin);
	if (host_file_read(h, f->twin, HOST_READ_ANY, &twin, &why) < 0)
		return differs(r, err, "%s", why.message);
	if (!digest_equal(&twin.digest, &f->base))
		return differs(r, err, "%s, which closing would put back, was altered (a copy is "
			       "kept)", f->twin);
	return 0;
}

static int compare_file(const struct host *h, const struct state_file *f,
			struct toggle_report *r, struct error *err)
{
	_cleanup_host_file_ struct host_file now = HOST_FILE_INIT;
	struct error why = ERROR_INIT;

	if (!host_file_exists(h, f->path))
		return differs(r, err, "%s is gone", f->path);
	if (host_file_read(h, f->path, HOST_READ_TARGET, &now, &why) < 0)
		return differs(r, err, "%s", why.message);
	if (!f->made && digest_equal(&now.digest, &f->base))
		return differs(r, err, "%s is as it was before the opening again", f->path);
	if (!digest_equal(&now.digest, &f->left))
		return differs(r, err, "%s was edited since we left it", f->path);
	if (f->made)
		return 0;
	if (!host_meta_equal(&now.meta, &f->left_meta))
		return differs(r, err, "%s has another owner, mode or attributes since we left it",
			       f->path);
	return f->base.hex[0] != '\0' ? compare_twin(h, f, r, err) : 0;
}

static int compare_files(const struct toggle_context *c, const char *toggle,
			 struct toggle_report *r, struct error *err)
{
	for (size_t i = 0; i < c->state->n_files; i++)
		if (is_edited_by(&c->state->files[i], toggle) &&
		    compare_file(c->host, &c->state->files[i], r, err) < 0)
			return -1;
	return 0;
}

static bool is_made(const struct state *s, const char *path)
{
	const struct state_file *f = state_find_file(s, path);

	return f != NULL && f->made;
}

/* A file that came or went may decide once ours is out, or may have taken ours along. */
static int compare_closure(const struct state *s, const struct state_toggle *t,
			   const struct strings *now, struct toggle_report *r, struct error *err)
{
	for (size_t i = 0; i < now->len; i++)
		if (!strings_contain(&t->closure, now->items[i]) && !is_made(s, now->items[i]) &&
		    differs(r, err, "%s is included now, and was not then", now->items[i]) < 0)
			return -1;
	for (size_t i = 0; i < t->closure.len; i++)
		if (!strings_contain(now, t->closure.items[i]) && !is_made(s, t->closure.items[i]) &&
		    differs(r, err, "%s was included then, and is not now", t->closure.items[i]) < 0)
			return -1;
	return 0;
}

/* A listener that has not read what stands on the disk makes every answer about the disk moot. */
static int compare_loaded(const struct toggle_context *c, struct sshd_daemons *daemons,
			  const struct sshd_answers *answers, const struct strings *paths,
			  struct toggle_report *r, struct error *err)
{
	_cleanup_strings_ struct strings newer = STRINGS_INIT;

	for (size_t i = 0; i < daemons->len; i++) {
		root_login_note_own_reload(c->state, &daemons->items[i]);
		if (sshd_check_newer(c->host, &daemons->items[i], answers, paths->items, paths->len,
				     &newer, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < newer.len; i++)
		if (differs(r, err, "sshd has not read %s since it was changed", newer.items[i]) < 0)
			return -1;
	return 0;
}

struct asking {
	const struct toggle_context *c;
	const struct state_toggle *t; /* NULL: not applied */
	const struct sshd_files *files;
	const struct strings *from;
	struct sshd_daemons daemons;
	struct root_login_question *questions;
	size_t n_questions;
};

static void asking_release(struct asking *a)
{
	root_login_questions_free(a->questions, a->n_questions);
	sshd_daemons_release(&a->daemons);
}

/* The first listener's answer is the one that is shown; another's is told when it differs. */
static int compare_others(const struct asking *a, struct toggle_report *r, struct error *err)
{
	for (size_t i = 1; i < a->daemons.len; i++) {
		_cleanup_(sshd_answers_release) struct sshd_answers answers = SSHD_ANSWERS_INIT;
		const struct sshd_daemon *d = &a->daemons.items[i];
		struct sshd_connection connection;
		char name[SSHD_DAEMON_NAME_MAX];
		const char *value;

		if (a->from->len > 0)
			sshd_connection_from(d, a->questions[0].addr, &connection);
		else
			sshd_connection_default(d, 0, &connection);
		if (sshd_judge(a->c->host, d, a->c->config, NULL, 0, &connection, &answers, err) < 0)
			return -1;
		value = sshd_answers_get(&answers, "permitrootlogin");
		value = value != NULL ? sshd_permit_text(value) : "unknown";
		if (strcmp(value, r->value) != 0 &&
		    toggle_warn(&r->warnings, err, "its options decide otherwise",
				"%s says permitrootlogin %s", sshd_daemon_name(d, name), value) < 0)
			return -1;
	}
	return 0;
}

static const struct sshd_answers *rest_of(const struct asking *a)
{
	const struct root_login_question *last = &a->questions[a->n_questions - 1];

	return last->source ? NULL : &last->answers_before;
}

static int compare_values(const struct asking *a, const char *rest, struct toggle_report *r,
			  struct error *err)
{
	if (a->t == NULL)
		return 0;
	if (strcmp(r->value, a->t->is) != 0 &&
	    differs(r, err, "sshd says permitrootlogin %s, not %s", r->value, a->t->is) < 0)
		return -1;
	if (rest_of(a) != NULL && strcmp(rest, a->t->others) != 0)
		return differs(r, err, "sshd says permitrootlogin %s for all others, not %s", rest,
			       a->t->others);
	return 0;
}

static int take_answers(const struct asking *a, struct toggle_report *r, struct error *err)
{
	const struct sshd_answers *first = &a->questions[0].answers_before, *rest = rest_of(a);
	_cleanup_free_ char *value = NULL;
	size_t exceptions;

	if (root_login_set_value(&r->value, first, err) < 0 ||
	    root_login_set_value(&value, rest != NULL ? rest : first, err) < 0 ||
	    root_login_exceptions(a->c, &a->files->closure, value, &r->warnings, &exceptions,
				  err) < 0)
		return -1;
	r->effective = root_login_effective(first, rest, a->from, exceptions, err);
	return r->effective == NULL ? -1 : compare_values(a, value, r, err);
}

static int ask(struct asking *a, const struct sshd_daemon *first, struct error *err)
{
	if (root_login_questions_new(a->from, first, &a->questions, &a->n_questions, err) < 0)
		return -1;
	for (size_t i = 0; i < a->n_questions; i++)
		if (sshd_judge_start(a->c->host, first, a->c->config, NULL, 0,
				     &a->questions[i].connection, &a->questions[i].before, err) < 0)
			return -1;
	for (size_t i = 0; i < a->n_questions; i++)
		if (sshd_judge_finish(&a->questions[i].before, &a->questions[i].answers_before,
				      err) < 0)
			return -1;
	return 0;
}

static int ask_sshd(const struct toggle_context *c, const struct state_toggle *t,
		    const struct sshd_files *files, const struct strings *paths,
		    struct toggle_report *r, struct error *err)
{
	const struct strings everybody = STRINGS_INIT;
	_cleanup_(asking_release) struct asking a = {
		.c = c,
		.t = t,
		.files = files,
		.from = t != NULL ? &t->from : &everybody,
		.daemons = SSHD_DAEMONS_INIT,
	};
	const struct sshd_answers *answers;
	const struct sshd_daemon *first;

	if (sshd_find(c->host, c->config, &a.daemons, err) < 0)
		return -1;
	first = a.daemons.len > 0 ? &a.daemons.items[0] : NULL;
	if (first == NULL && !host_file_exists(c->host, SSHD_BINARY_DEFAULT))
		return root_login_no_sshd(c, err);
	if (ask(&a, first, err) < 0)
		return -1;
	answers = &a.questions[0].answers_before;
	if (!answers->valid)
		return differs(r, err, "sshd does not accept its configuration: %s",
			       answers->complaints.len > 0 ? answers->complaints.items[0] :
							     "no reason");
	if (take_answers(&a, r, err) < 0 || compare_others(&a, r, err) < 0)
		return -1;
	return compare_loaded(c, &a.daemons, answers, paths, r, err);
}

struct stray_scan {
	const struct toggle_context *c;
	const struct sshd_file *file;
	struct strings *found;
	struct error *err;
};

static bool is_recorded(const struct state *s, const char *path, const char *id)
{
	const struct state_file *f = state_find_file(s, path);

	for (size_t i = 0; f != NULL && i < f->len; i++)
		if (strcmp(f->edits[i].edit.id, id) == 0)
			return true;
	return false;
}

static int stray_marker(void *ctx, const struct marker *m)
{
	const struct stray_scan *scan = ctx;

	if (is_recorded(scan->c->state, scan->file->path, m->id))
		return 0;
	return strings_addf(scan->found, scan->err, "%s line %zu: a marker of rootlatch's (%s) that "
			    "the state folder does not know", scan->file->path, m->number, m->id);
}

/* A cloned image, a lost disk, a copied line: markers that no record would ever take out. */
static int find_strays(const struct toggle_context *c, const struct sshd_files *files,
		       struct strings *ret, struct error *err)
{
	for (size_t i = 0; i < files->closure.files_len; i++) {
		struct stray_scan scan = { .c = c, .file = &files->closure.files[i], .found = ret,
					   .err = err };

		if (marker_scan(scan.file->text, stray_marker, &scan) != 0)
			return -1;
	}
	return 0;
}

/* It is closed, but not everything of ours could be taken away. */
static int tell_leftovers(const struct toggle_context *c, const char *toggle,
			  struct toggle_report *r, struct error *err)
{
	for (size_t i = 0; i < c->state->n_files; i++) {
		if (!is_edited_by(&c->state->files[i], toggle))
			continue;
		r->leftovers = true;
		if (differs(r, err, "%s still has what an earlier opening left: `rootlatch close` tries "
			    "to tidy up", c->state->files[i].path) < 0)
			return -1;
	}
	return 0;
}

int root_login_read(const struct toggle_context *c, const char *toggle, bool offline,
		    struct toggle_report *ret, struct error *err)
{
	const struct state_toggle *t = state_find_toggle(c->state, toggle);
	_cleanup_sshd_files_ struct sshd_files files = { 0 };
	_cleanup_strings_ struct strings paths = STRINGS_INIT;
	struct error why = ERROR_INIT;

	ret->applied = t != NULL;
	if ((t != NULL ? compare_files(c, toggle, ret, err) :
			 tell_leftovers(c, toggle, ret, err)) < 0)
		return -1;
	if (sshd_files_read(c->host, c->config, &files, &why) < 0) {
		if (differs(ret, err, "%s", why.message) < 0)
			return -1;
	} else if (sshd_files_paths(&files, &paths, err) < 0 ||
		   find_strays(c, &files, &ret->strays, err) < 0 ||
		   (t != NULL && compare_closure(c->state, t, &paths, ret, err) < 0)) {
		return -1;
	}
	if (offline)
		return 0;
	/* what can't be asked is one more thing that does not agree: the record is shown all the same */
	if (ask_sshd(c, t, &files, &paths, ret, &why) < 0)
		return differs(ret, err, "%s", why.message);
	return 0;
}

int root_login_require_no_strays(const struct toggle_context *c, const struct sshd_files *files,
				 enum error_code code, struct error *err)
{
	_cleanup_strings_ struct strings strays = STRINGS_INIT;

	if (find_strays(c, files, &strays, err) < 0)
		return -1;
	if (strays.len == 0)
		return 0;
	(void)error_set(err, code, "%s", strays.items[0]);
	return error_hint(err, "Nothing was changed. The login may be OPEN. Behind each marker "
			  "stands the original line:\nput it back, take out our line below it, "
			  "`sshd -t`, reload sshd.");
}

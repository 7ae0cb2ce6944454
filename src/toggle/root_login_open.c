/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Opening in place: the deciding PermitRootLogin line is set where it stands, what contradicts
 * it in the global section is commented out, and sshd's own answers show that nothing else
 * changed.
 */
#include "service/sshd_access.h"
#include "service/sshd_check.h"
#include "toggle/root_login.h"

#include <stdio.h>

#include "host/clock.h"

/* Opening what is open: the same terms are no error, others would silently replace them. */
static int already_open(const struct state_toggle *t, const struct toggle_terms *terms,
			struct toggle_plan *p, struct error *err)
{
	p->verdict = "applied";
	p->since_ns = t->since_ns;
	p->was = str_dup(t->was, err);
	p->is = str_dup(t->is, err);
	p->placement = str_dup(t->placement, err);
	if (p->was == NULL || p->is == NULL || p->placement == NULL)
		return -1;
	memcpy(p->undoes, t->id, sizeof(p->undoes));
	if (strcmp(t->allow, terms->allow) == 0)
		return 0;
	(void)error_set(err, ERROR_REFUSED, "%s is open already, with --allow %s", p->toggle,
			t->allow);
	return error_hint(err, "Nothing was changed. rootlatch close, then open it with other "
			  "terms.");
}

/* What the files say now is as open as was asked, or more: nothing of ours is needed, and nothing
 * of ours will close it. */
static bool open_by_others(const struct sshd_closure *closure, const char *allow)
{
	size_t deciding = sshd_closure_deciding(closure);
	enum sshd_permit now = deciding == SSHD_NONE ?
				       SSHD_PERMIT_PROHIBIT_PASSWORD :
				       sshd_permit_parse(closure->directives[deciding].value);

	return now != SSHD_PERMIT_INVALID && now >= sshd_permit_parse(allow);
}

/* It was read for its content; now whether it may be replaced is asked, of the very same file. */
static int check_target(const struct toggle_context *c, const struct host_file *read,
			const char *path, struct host_file *target, struct error *err)
{
	if (host_file_read(c->host, path, HOST_READ_TARGET | HOST_READ_META, target, err) < 0)
		return -1;
	if (target->dev == read->dev && target->ino == read->ino &&
	    target->ctime_ns == read->ctime_ns && target->meta.mtime_ns == read->meta.mtime_ns)
		return 0;
	return error_set(err, ERROR_REFUSED, "%s is being changed by somebody else", path);
}

static int fill_step(const struct toggle_context *c, struct toggle_plan *p, size_t n,
		     struct step *s, struct error *err)
{
	const struct sshd_plan_file *edit = &p->judgement->edit.files[n];
	const struct sshd_file *file = &p->judgement->files.closure.files[edit->file];
	const struct host_file *target = &p->judgement->targets[n];

	s->path = str_dup(file->path, err);
	s->temp = plan_temp_path(file->path, p->plan.id, err);
	s->saved = snapshot_saved_path(c->store, p->plan.id, n, err);
	if (s->path == NULL || s->temp == NULL || s->saved == NULL)
		return -1;
	s->before = digest_of(file->text.data, file->text.len);
	s->after = digest_of(edit->text.data, edit->text.len);
	s->before_bytes = file->text;
	s->after_bytes = slice_of(edit->text.data, edit->text.len);
	s->meta = target->meta;
	s->dev = target->dev;
	s->ino = target->ino;
	s->ctime_ns = target->ctime_ns;
	if (strings_add(&p->plan.on_abort, s->temp, err) < 0)
		return -1;
	return strings_add(&p->files, s->path, err);
}

static int add_step(const struct toggle_context *c, struct toggle_plan *p, size_t n,
		    struct error *err)
{
	struct toggle_judgement *j = p->judgement;
	size_t file = j->edit.files[n].file;
	struct step s = { .after_mtime_ns = -1 };

	/* files.items and closure.files are in the same order, that of their first reading */
	if (check_target(c, &j->files.items[file], j->files.closure.files[file].path,
			 &j->targets[n], err) < 0)
		return -1;
	if (fill_step(c, p, n, &s, err) < 0) {
		step_release(&s);
		return -1;
	}
	return plan_add(&p->plan, &s, err);
}

static int new_file_record(struct toggle_plan *p, const struct step *s, const struct edit *edit,
			   struct error *err)
{
	struct state_file f = {
		.path = str_dup(s->path, err),
		.twin = str_dup(s->temp, err),
		.saved = str_dup(s->saved, err),
		.base = s->before,
		.base_meta = s->meta,
		.left = s->after,
		.left_meta = s->meta,
	};

	if (f.path == NULL || f.twin == NULL || f.saved == NULL ||
	    state_add_edit(&f, p->toggle, edit, err) < 0) {
		state_file_release(&f);
		return -1;
	}
	return state_add_file(&p->after, &f, err);
}

/* A file that another toggle edits already keeps its base image, unless somebody else wrote to it
 * since: then the base is nobody's any more, and undoing goes by meaning alone. */
static int record_file(struct toggle_plan *p, size_t n, struct error *err)
{
	const struct step *s = &p->plan.steps[n];
	const struct edit *edit = &p->judgement->edit.files[n].edit;
	struct state_file *f = state_find_file(&p->after, s->path);

	if (f == NULL)
		return new_file_record(p, s, edit, err);
	if (!digest_equal(&f->left, &s->before))
		f->base.hex[0] = '\0';
	f->left = s->after;
	f->left_meta = s->meta;
	if (strings_add(&p->plan.on_commit, s->temp, err) < 0)
		return -1;
	return state_add_edit(f, p->toggle, edit, err);
}

static int record(const struct toggle_context *c, const struct toggle_terms *terms,
		  struct toggle_plan *p, struct error *err)
{
	int64_t now = clock_realtime_ns();
	struct state_toggle t = {
		.name = str_dup(p->toggle, err),
		.since_ns = now,
		.by = str_dup(terms->by, err),
		.reason = terms->reason != NULL ? str_dup(terms->reason, err) : NULL,
		.placement = str_dup("in-place", err),
		.allow = str_dup(terms->allow, err),
		.was = str_dup("", err), /* known when sshd has answered */
		.is = str_dup("", err),
		.config = str_dup(c->config, err),
	};

	memcpy(t.id, p->plan.id, sizeof(t.id));
	if (sshd_files_paths(&p->judgement->files, &t.closure, err) < 0 || t.name == NULL || t.by == NULL || (terms->reason != NULL && t.reason == NULL) ||
	    t.placement == NULL || t.allow == NULL || t.was == NULL || t.is == NULL ||
	    t.config == NULL) {
		state_toggle_release(&t);
		return -1;
	}
	if (state_add_toggle(&p->after, &t, err) < 0)
		return -1;
	for (size_t i = 0; i < p->plan.len; i++)
		if (record_file(p, i, err) < 0)
			return -1;
	p->after.generation++;
	return state_add_event(&p->after, p->plan.id, p->command, p->toggle, NULL, now, err);
}

static int make_edits(const struct toggle_context *c, const struct toggle_terms *terms,
		      struct toggle_plan *p, struct error *err)
{
	_cleanup_config_augeas_ struct config_augeas *augeas = NULL;
	_cleanup_strings_ struct strings taken = STRINGS_INIT;
	struct toggle_judgement *j = p->judgement;

	if (state_ids(c->state, &taken, err) < 0 || plan_new_id(p->plan.id, &taken, err) < 0 ||
	    config_augeas_new(c->lens_dir, &augeas, err) < 0 ||
	    sshd_plan_permit_root_login(&j->files.closure, terms->allow, p->plan.id, augeas,
					&j->edit, err) < 0 ||
	    root_login_judgement_reserve(j, j->edit.files_len, err) < 0)
		return -1;
	for (size_t i = 0; i < j->edit.files_len; i++)
		if (add_step(c, p, i, err) < 0)
			return -1;
	return 0;
}

int root_login_plan_open(const struct toggle_context *c, const struct toggle_terms *terms,
			 struct toggle_plan *p, struct error *err)
{
	const struct state_toggle *applied = state_find_toggle(c->state, p->toggle);
	struct toggle_judgement *j;

	if (applied != NULL)
		return already_open(applied, terms, p, err);
	if (root_login_judgement_new(p, err) < 0)
		return -1;
	j = p->judgement;
	j->opening = true;
	j->yes = terms->yes;
	j->allow = str_dup(terms->allow, err);
	if (j->allow == NULL || root_login_judge_baseline(c, p, err) < 0)
		return -1;
	if (j->before == NULL)
		return root_login_no_sshd(c, err);
	if (sshd_files_read(c->host, c->config, &j->files, err) < 0 ||
	    root_login_require_no_strays(c, &j->files, ERROR_REFUSED, err) < 0)
		return -1;
	if (open_by_others(&j->files.closure, terms->allow))
		return 0;
	p->placement = str_dup("in-place", err);
	if (p->placement == NULL || make_edits(c, terms, p, err) < 0 ||
	    root_login_judge_candidate(c, p, err) < 0 || state_copy(c->state, &p->after, err) < 0 ||
	    record(c, terms, p, err) < 0)
		return -1;
	root_login_fill_snapshot(terms, p);
	p->changes = true;
	p->verdict = "applied";
	return 0;
}

/* Why sshd would still say no, in the words of the one who has to find it. */
static int refuse_value(const struct toggle_plan *p, struct error *err)
{
	const struct toggle_judgement *j = p->judgement;

	(void)error_set(err, ERROR_REFUSED, "sshd would still answer permitrootlogin %s",
			p->is != NULL ? p->is : p->was);
	for (size_t i = 0; p->daemons.len > 0 && i < p->daemons.items[0].options.len; i++)
		if (strcasestr(p->daemons.items[0].options.items[i], "permitrootlogin") != NULL)
			return error_hint(err, "Nothing was changed. It was started with %s, "
					  "which beats the file.",
					  p->daemons.items[0].options.items[i]);
	for (size_t i = 0; i < j->edit.notes_len; i++) {
		const struct sshd_directive *d =
			&j->files.closure.directives[j->edit.notes[i].match];
		struct slice text = sshd_directive_text(&j->files.closure, d);

		return error_hint(err, "Nothing was changed. This block decides instead: %s line "
				  "%zu: %.*s", sshd_directive_path(&j->files.closure, d),
				  sshd_directive_number(&j->files.closure, d), (int)text.len,
				  text.data);
	}
	return error_hint(err, "Nothing was changed. `sshd -T -C user=root,...` shows what decides.");
}

static int warn_of_overridden(struct toggle_plan *p, struct error *err)
{
	const struct sshd_closure *closure = &p->judgement->files.closure;

	for (size_t i = 0; i < p->judgement->edit.notes_len; i++) {
		const struct sshd_note *note = &p->judgement->edit.notes[i];
		const struct sshd_directive *d = &closure->directives[note->match];
		struct slice text = sshd_directive_text(closure, d);
		char hint[512];

		if (note->kind != SSHD_NOTE_OVERRIDDEN)
			continue;
		(void)snprintf(hint, sizeof(hint), "%s line %zu: %.*s (PermitRootLogin %s)",
			       sshd_directive_path(closure, d), sshd_directive_number(closure, d),
			       (int)text.len, text.data,
			       closure->directives[note->directive].value);
		if (toggle_warn(&p->warnings, err, hint, "this Match block said otherwise and was "
				"changed") < 0)
			return -1;
	}
	return 0;
}

static int warn_of_access(const struct toggle_context *c, const struct sshd_answers *answers,
			  struct toggle_plan *p, struct error *err)
{
	_cleanup_(sshd_findings_release) struct sshd_findings found = SSHD_FINDINGS_INIT;

	if (sshd_access_check(c->host, answers, true, &found, err) < 0)
		return -1;
	for (size_t i = 0; i < found.len; i++) {
		if (toggle_warn(&p->warnings, err, found.items[i].hint, "%s", found.items[i].text) < 0)
			return -1;
		p->warnings.items[p->warnings.len - 1].kind =
			sshd_finding_kind_name(found.items[i].kind);
	}
	return 0;
}

static int refuse_newer(const struct strings *newer, struct error *err)
{
	_cleanup_buffer_ struct buffer list = BUFFER_INIT;

	for (size_t i = 0; i < newer->len; i++)
		if (buffer_printf(&list, err, "  %s\n", newer->items[i]) < 0)
			return -1;
	(void)error_set(err, ERROR_REFUSED, "files changed since sshd last read them; our reload "
			"would set that live");
	return error_hint(err, "%sNothing was changed. Reload sshd yourself first, or say --yes.",
			  list.data);
}

/* What a reload would do to the listeners as they are, our change aside. */
static int judge_reload(const struct toggle_context *c, struct toggle_plan *p, struct error *err)
{
	_cleanup_strings_ struct strings newer = STRINGS_INIT;

	if (root_login_judge_reload(c, p, &p->judgement->answers_before, false, err) < 0)
		return -1;
	if (p->judgement->yes)
		return 0;
	if (root_login_newer(c, p, &newer, err) < 0)
		return -1;
	return newer.len > 0 ? refuse_newer(&newer, err) : 0;
}

static int judge_open_by_others(const struct toggle_context *c, struct toggle_plan *p,
				struct error *err)
{
	size_t exceptions;

	if (sshd_permit_parse(p->was) < sshd_permit_parse(p->judgement->allow))
		return refuse_value(p, err);
	p->is = str_dup(p->was, err);
	if (p->is == NULL || root_login_exceptions(&p->judgement->files.closure, p->is,
						   &p->warnings, &exceptions, err) < 0)
		return -1;
	p->effective = root_login_effective(&p->judgement->answers_before, exceptions, err);
	if (p->effective == NULL ||
	    toggle_warn(&p->warnings, err, "nothing was changed, and nothing of rootlatch will "
			"close it", "root may log in by the administrator's own configuration") < 0)
		return -1;
	return warn_of_access(c, &p->judgement->answers_before, p, err);
}

static int complete_record(struct toggle_plan *p, struct error *err)
{
	struct state_toggle *t = state_find_toggle(&p->after, p->toggle);
	char *was = str_dup(p->was, err), *is = str_dup(p->is, err);

	if (was == NULL || is == NULL) {
		free(was);
		free(is);
		return -1;
	}
	free(t->was);
	free(t->is);
	t->was = was;
	t->is = is;
	return 0;
}

/* Opening a file that nobody reads lets nobody in. */
static int warn_of_absence(struct toggle_plan *p, struct error *err)
{
	const struct sshd_daemon *other = p->daemons.n_others > 0 ? &p->daemons.others[0] : NULL;
	_cleanup_free_ char *hint = NULL;

	if (p->daemons.len > 0 || other == NULL)
		return 0;
	hint = str_format(err, "--sshd-config %s is the file that it reads", other->config);
	if (hint == NULL)
		return -1;
	return toggle_warn(&p->warnings, err, hint, "the sshd that runs (pid %d) reads another "
			   "file, %s", (int)other->process.pid, other->config);
}

/* An edit of a file that two instances read would open both. */
static int require_not_shared(const struct toggle_context *c, struct toggle_plan *p,
			      struct error *err)
{
	root_login_keep_sharing(c, p);
	if (p->daemons.n_others == 0)
		return 0;
	(void)error_set(err, ERROR_REFUSED, "a file that would be edited is read by another sshd too "
			"(pid %d, %s)", (int)p->daemons.others[0].process.pid,
			p->daemons.others[0].config);
	return error_hint(err, "Nothing was changed. Set PermitRootLogin in %s itself, before its "
			  "Include: then that line is edited.", c->config);
}

static int complete(const struct toggle_context *c, struct toggle_plan *p, struct error *err)
{
	const struct toggle_judgement *j = p->judgement;
	size_t exceptions;

	if (root_login_judge_reload(c, p, &j->answers_after, true, err) < 0 ||
	    root_login_exceptions(&j->files.closure, p->is, &p->warnings, &exceptions, err) < 0)
		return -1;
	p->effective = root_login_effective(&j->answers_after, exceptions, err);
	if (p->effective == NULL || complete_record(p, err) < 0 || warn_of_overridden(p, err) < 0)
		return -1;
	return warn_of_access(c, &j->answers_after, p, err);
}

int root_login_judge_open(const struct toggle_context *c, struct toggle_plan *p,
			  struct error *err)
{
	struct toggle_judgement *j = p->judgement;

	if (sshd_judge_finish(&j->before, &j->answers_before, err) < 0 ||
	    sshd_judge_require_valid(&j->answers_before, "sshd does not accept its own "
				     "configuration as it stands", err) < 0 ||
	    root_login_set_value(&p->was, &j->answers_before, err) < 0)
		return -1;
	if (!p->changes)
		return judge_open_by_others(c, p, err);
	if (warn_of_absence(p, err) < 0 || require_not_shared(c, p, err) < 0 ||
	    judge_reload(c, p, err) < 0 || sshd_judge_finish(&j->after, &j->answers_after, err) < 0 ||
	    sshd_judge_require_valid(&j->answers_after, "sshd would not accept the edited "
				     "configuration", err) < 0 ||
	    root_login_set_value(&p->is, &j->answers_after, err) < 0 ||
	    root_login_require_same(j, err) < 0)
		return -1;
	if (sshd_permit_parse(p->is) != sshd_permit_parse(j->allow))
		return refuse_value(p, err);
	return complete(c, p, err);
}

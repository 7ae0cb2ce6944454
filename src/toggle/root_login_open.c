/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Planning an opening. What it may do to the files is sshd's to say (root_login_opened.c).
 */
#include "toggle/root_login.h"

#include "base/when.h"
#include "host/clock.h"

/* NULL: the same. */
static const char *other_term(const struct state_toggle *t, const struct toggle_terms *terms)
{
	static const char *const names[] = { [TOGGLE_RUNTIME] = "runtime",
					     [TOGGLE_DROP_IN] = "drop-in",
					     [TOGGLE_IN_PLACE] = "in-place" };

	if (strcmp(t->allow, terms->allow) != 0)
		return "another --allow";
	if (!strings_equal(&t->from, &terms->from))
		return "other sources";
	if ((t->until_ns == 0) != terms->keep)
		return terms->keep ? "a deadline" : "no deadline";
	/* where it was not possible, it was written in place */
	if (terms->placement != TOGGLE_ANYWHERE &&
	    strcmp(t->placement, names[terms->placement]) != 0)
		return "another placement";
	return NULL;
}

static int refuse_other(const struct state_toggle *t, const char *what, struct error *err)
{
	_cleanup_buffer_ struct buffer scope = BUFFER_INIT;
	char until[WHEN_MAX] = "you close it";

	for (size_t i = 0; i < t->from.len; i++)
		if (buffer_printf(&scope, err, "%s%s", i > 0 ? ", " : " from ", t->from.items[i]) < 0)
			return -1;
	if (t->until_ns != 0)
		when_format_local(t->until_ns, clock_realtime_ns(), until);
	(void)error_set(err, ERROR_REFUSED, "%s is open already, with %s: --allow %s%s until %s",
			t->name, what, t->allow, scope.len > 0 ? scope.data : ", for everybody,",
			until);
	return error_hint(err, "Nothing was changed. --replace puts these terms in its place; "
			  "`rootlatch extend` moves\nthe deadline; `rootlatch close` ends it.");
}

/* Opening what is open: the same terms are no error, others would silently replace them. */
static int already_open(const struct state_toggle *t, const struct toggle_terms *terms,
			struct toggle_plan *p, struct error *err)
{
	const char *other = other_term(t, terms);

	if (other != NULL)
		return refuse_other(t, other, err);
	p->verdict = "applied";
	p->since_ns = t->since_ns;
	p->until_ns = t->until_ns;
	p->was = str_dup(t->was, err);
	p->is = str_dup(t->is, err);
	p->placement = str_dup(t->placement, err);
	memcpy(p->undoes, t->id, sizeof(p->undoes));
	return p->was == NULL || p->is == NULL || p->placement == NULL ? -1 : 0;
}

/* The files say now what was asked, or more, for everybody: nothing of ours is needed, and nothing
 * of ours will close it. */
static bool open_by_closure(const struct sshd_closure *closure, const char *allow)
{
	size_t deciding = sshd_closure_deciding(closure);
	enum sshd_permit now = deciding == SSHD_NONE ?
				       SSHD_PERMIT_PROHIBIT_PASSWORD :
				       sshd_permit_parse(closure->directives[deciding].value);

	return now != SSHD_PERMIT_INVALID && now >= sshd_permit_parse(allow);
}

/* What sources get is for sshd to say. One that may do more already would be restricted by us. */
static int open_for_sources(struct toggle_judgement *j, bool *ret_open, struct error *err)
{
	enum sshd_permit allow = sshd_permit_parse(j->allow);

	*ret_open = true;
	if (root_login_finish_baseline(j, err) < 0)
		return -1;
	for (size_t i = 0; i < j->n_questions; i++) {
		const struct sshd_answers *a = &j->questions[i].answers_before;
		const char *value = sshd_answers_get(a, "permitrootlogin");

		if (j->questions[i].source)
			*ret_open &= a->valid && value != NULL && sshd_permit_parse(value) >= allow;
	}
	for (size_t i = 0; i < j->n_questions && !*ret_open; i++) {
		const char *value = sshd_answers_get(&j->questions[i].answers_before,
						     "permitrootlogin");

		if (!j->questions[i].source || value == NULL || sshd_permit_parse(value) <= allow)
			continue;
		(void)error_set(err, ERROR_REFUSED, "from %s root may log in with permitrootlogin %s "
				"already, and --allow %s would take that back", j->from.items[i],
				sshd_permit_text(value), j->allow);
		return error_hint(err, "Nothing was changed. Leave it out of --from.");
	}
	return 0;
}

static int open_by_others(struct toggle_judgement *j, bool *ret_open, struct error *err)
{
	if (j->from.len > 0)
		return open_for_sources(j, ret_open, err);
	*ret_open = open_by_closure(&j->files.closure, j->allow);
	return 0;
}

static int fill_record(const struct toggle_context *c, const struct toggle_terms *terms,
		       const struct toggle_plan *p, struct state_toggle *t, struct error *err)
{
	t->since_ns = clock_realtime_ns();
	t->name = str_dup(p->toggle, err);
	t->by = str_dup(terms->by, err);
	t->reason = terms->reason != NULL ? str_dup(terms->reason, err) : NULL;
	t->placement = str_dup(p->placement, err);
	t->allow = str_dup(terms->allow, err);
	t->was = str_dup("", err); /* these are known when sshd has answered */
	t->is = str_dup("", err);
	t->others = str_dup("", err);
	t->boot = str_dup("", err); /* and these when closers are armed */
	t->watch = str_dup("", err);
	t->config = str_dup(c->config, err);
	memcpy(t->id, p->plan.id, sizeof(t->id));
	if (t->name == NULL || t->by == NULL || (terms->reason != NULL && t->reason == NULL) ||
	    t->placement == NULL || t->allow == NULL || t->was == NULL || t->is == NULL ||
	    t->others == NULL || t->boot == NULL || t->watch == NULL || t->config == NULL)
		return -1;
	if (strings_copy(&terms->from, &t->from, err) < 0)
		return -1;
	return sshd_files_paths(p->judgement->base.closure.files_len > 0 ? &p->judgement->base :
									   &p->judgement->files,
				&t->closure, err);
}

static int record(const struct toggle_context *c, const struct toggle_terms *terms,
		  struct toggle_plan *p, struct error *err)
{
	struct state_toggle t = { .until_ns = 0 };
	int64_t now;

	if (fill_record(c, terms, p, &t, err) < 0) {
		state_toggle_release(&t);
		return -1;
	}
	now = t.since_ns;
	if (state_add_toggle(&p->after, &t, err) < 0)
		return -1;
	p->after.generation++;
	return state_add_event(&p->after, p->plan.id, p->command, p->toggle,
			       p->undoes[0] != '\0' ? p->undoes : NULL, now, err);
}

/* --replace: the files as they would be without the opening that makes room. The views point into
 * the steps' slices, which stay where they are. */
static int make_room(const struct toggle_context *c, const struct state_toggle *applied,
		     struct toggle_plan *p, struct error *err)
{
	struct toggle_judgement *j = p->judgement;

	memcpy(p->undoes, applied->id, sizeof(p->undoes));
	if (toggle_undo_files(c, applied, true, p, err) < 0)
		return -1;
	if (p->leftovers.len > 0)
		return error_set(err, ERROR_REFUSED, "%s can't be written", p->leftovers.items[0]);
	state_remove_toggle(&p->after, p->toggle);
	if (root_login_views(p, &j->base_views, &j->n_base_views, err) < 0)
		return -1;
	return sshd_files_read_as(c->host, c->config, j->base_views, j->n_base_views, &j->base, err);
}

static int plan_changes(const struct toggle_context *c, const struct toggle_terms *terms,
			struct toggle_plan *p, struct error *err)
{
	if (root_login_place(c, terms, p, err) < 0 || root_login_add_changes(c, p, err) < 0 ||
	    root_login_judge_candidate(c, p, err) < 0 || record(c, terms, p, err) < 0)
		return -1;
	root_login_fill_snapshot(terms, p);
	p->changes = true;
	p->verdict = "applied";
	return 0;
}

static int refuse_leftovers(const struct toggle_context *c, const struct toggle_plan *p,
			    struct error *err)
{
	if (state_find_toggle(c->state, p->toggle) != NULL || !toggle_has_edits(c->state, p->toggle))
		return 0;
	(void)error_set(err, ERROR_REFUSED, "what an earlier opening left behind could not be tidied up "
			"yet");
	return error_hint(err, "Nothing was changed. `rootlatch close` tries again, and says what is in "
			  "the way.");
}

static int begin(const struct toggle_context *c, const struct toggle_terms *terms,
		 struct toggle_plan *p, struct error *err)
{
	_cleanup_strings_ struct strings taken = STRINGS_INIT;
	struct toggle_judgement *j;

	if (root_login_judgement_new(p, &terms->from, err) < 0 ||
	    state_ids(c->state, &taken, err) < 0 || plan_new_id(p->plan.id, &taken, err) < 0 ||
	    state_copy(c->state, &p->after, err) < 0)
		return -1;
	j = p->judgement;
	j->opening = true;
	j->yes = terms->yes;
	j->allow = str_dup(terms->allow, err);
	return j->allow == NULL ? -1 : 0;
}

int root_login_plan_open(const struct toggle_context *c, const struct toggle_terms *terms,
			 struct toggle_plan *p, struct error *err)
{
	const struct state_toggle *applied = state_find_toggle(c->state, p->toggle);
	struct toggle_judgement *j;
	bool open = false;

	if (strings_copy(&terms->from, &p->from, err) < 0 || refuse_leftovers(c, p, err) < 0)
		return -1;
	if (applied != NULL && (!terms->replace || other_term(applied, terms) == NULL))
		return already_open(applied, terms, p, err);
	if (begin(c, terms, p, err) < 0 ||
	    (applied != NULL && make_room(c, applied, p, err) < 0) ||
	    root_login_judge_baseline(c, p, err) < 0)
		return -1;
	j = p->judgement;
	if (j->n_questions == 0)
		return root_login_no_sshd(c, err);
	if (sshd_files_read(c->host, c->config, &j->files, err) < 0 ||
	    root_login_require_no_strays(c, &j->files, ERROR_REFUSED, err) < 0 ||
	    (applied == NULL && open_by_others(j, &open, err) < 0))
		return -1;
	if (open) {
		p->plan.id[0] = '\0';
		return 0;
	}
	return plan_changes(c, terms, p, err);
}

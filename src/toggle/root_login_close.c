/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Planning a close. Where the edits can't be told from somebody else's and it must be closed all the
 * same (a deadline), a file of ours that is read first overrules them (design decision 7).
 */
#include "toggle/root_login.h"

#include <stdio.h>

#include "host/clock.h"
#include "service/sshd_check.h"

/* An opening in the place of another one: what closing it changes stands in no snapshot. */
static bool took_place(const struct state *s, const char *id)
{
	for (size_t i = 0; i < s->n_events; i++)
		if (strcmp(s->events[i].id, id) == 0)
			return s->events[i].undoes[0] != '\0';
	return false;
}

static int begin(const struct toggle_context *c, const struct state_toggle *t,
		 struct toggle_plan *p, struct error *err)
{
	_cleanup_strings_ struct strings taken = STRINGS_INIT;

	if (t != NULL) {
		p->keeps_snapshot = took_place(c->state, t->id);
		memcpy(p->undoes, t->id, sizeof(p->undoes));
		p->since_ns = t->since_ns;
		p->placement = str_dup(t->placement, err);
		p->judgement->was = str_dup(t->was, err);
		p->judgement->allow = str_dup(t->allow, err);
		if (p->placement == NULL || p->judgement->was == NULL ||
		    p->judgement->allow == NULL)
			return -1;
	}
	if (state_ids(c->state, &taken, err) < 0 || plan_new_id(p->plan.id, &taken, err) < 0)
		return -1;
	return state_copy(c->state, &p->after, err);
}

/* What each connection had before the opening, or less. */
static const char *strictest(const struct toggle_context *c, const struct state_toggle *t,
			     const struct sshd_closure *closure)
{
	const char *value = t->was;

	/* `was` is the first source's; the other ones may have had less, but not less than this */
	if (t->from.len > 0 && t->others[0] != '\0' &&
	    sshd_permit_parse(t->others) < sshd_permit_parse(value))
		value = t->others;
	for (size_t i = 0; i < closure->directives_len; i++) {
		const struct sshd_directive *d = &closure->directives[i];
		const struct state_file *own =
			state_find_file(c->state, sshd_directive_path(closure, d));

		if (d->keyword == SSHD_PERMIT_ROOT_LOGIN && (own == NULL || !own->made) &&
		    (d->scope == SSHD_SCOPE_NETWORK || d->scope == SSHD_SCOPE_UNKNOWN) &&
		    sshd_permit_parse(d->value) < sshd_permit_parse(value))
			value = d->value;
	}
	return sshd_permit_parse(value) == SSHD_PERMIT_INVALID ? "no" : value;
}

static int keep_edits_as_leftovers(struct toggle_plan *p, struct error *err)
{
	for (size_t i = 0; i < p->after.n_files; i++)
		for (size_t k = 0; k < p->after.files[i].len; k++)
			if (!p->after.files[i].edits[k].harmless &&
			    strcmp(p->after.files[i].edits[k].toggle, p->toggle) == 0 &&
			    strings_add(&p->leftovers, p->after.files[i].path, err) < 0)
				return -1;
	return 0;
}

static int overrule(const struct toggle_context *c, const struct state_toggle *t,
		    const struct error *why, struct toggle_plan *p, struct error *err)
{
	struct toggle_judgement *j = p->judgement;

	toggle_undo_reset(p);
	if (state_copy(c->state, &p->after, err) < 0 ||
	    toggle_warn(&p->warnings, err, "a file that sshd reads first closes it, and stays until "
			"`rootlatch close` can undo the rest", "the opening could not be undone: %s",
			why->message) < 0 ||
	    root_login_place_overruling(c, strictest(c, t, &j->files.closure), p, err) < 0 ||
	    root_login_add_changes(c, p, err) < 0)
		return -1;
	/* whoever they are, they get what the overruling file says */
	for (size_t i = 0; i < j->n_questions; i++)
		j->questions[i].source = true;
	return keep_edits_as_leftovers(p, err);
}

static int say_open(struct error *err)
{
	if (err->code == ERROR_REFUSED && strstr(err->hint, "still OPEN") == NULL)
		(void)error_hint_add(err, "The login is still OPEN.");
	return -1;
}

static int take_out(const struct toggle_context *c, const struct toggle_terms *terms,
		    const struct state_toggle *t, struct toggle_plan *p, struct error *err)
{
	struct error why = ERROR_INIT;

	if (toggle_undo_files(c, t, !terms->leave_harmless, p, &why) == 0)
		return 0;
	if (why.code == ERROR_REFUSED && terms->force && t != NULL &&
	    p->judgement->files.closure.files_len > 0)
		return overrule(c, t, &why, p, err) < 0 ? say_open(err) : 0;
	*err = why;
	return t != NULL ? say_open(err) : -1;
}

static int record(const struct toggle_context *c, const struct toggle_terms *terms,
		  const struct state_toggle *t, struct toggle_plan *p, struct error *err)
{
	state_remove_toggle(&p->after, p->toggle);
	p->after.generation++;
	root_login_fill_snapshot(terms, p);
	p->changes = true;
	p->closing = true;
	return state_add_event(&p->after, p->plan.id, p->command, p->toggle,
			       t != NULL ? t->id : NULL, clock_realtime_ns(), err);
}

/* The Include closure is wanted for warnings only; a closing does not depend on it. */
static void read_files_if_possible(const struct toggle_context *c, struct toggle_judgement *j)
{
	struct error ignored = ERROR_INIT;

	error_ignore(sshd_files_read(c->host, c->config, &j->files, &ignored));
}

/* Leftovers that still can't be tidied up: nothing is to be done. */
static bool nothing_came_of_it(const struct state_toggle *t, const struct toggle_plan *p)
{
	return t == NULL && p->plan.len == 0 && p->after.n_files > 0 &&
	       toggle_has_edits(&p->after, p->toggle);
}

int root_login_plan_close(const struct toggle_context *c, const struct toggle_terms *terms,
			  struct toggle_plan *p, struct error *err)
{
	const struct state_toggle *t = state_find_toggle(c->state, p->toggle);
	const struct strings everybody = STRINGS_INIT;

	if (t != NULL && strings_copy(&t->from, &p->from, err) < 0)
		return -1;
	if (root_login_judgement_new(p, t != NULL ? &t->from : &everybody, err) < 0 ||
	    root_login_judge_baseline(c, p, err) < 0)
		return -1;
	read_files_if_possible(c, p->judgement);
	if (t == NULL && !toggle_has_edits(c->state, p->toggle))
		return root_login_require_no_strays(c, &p->judgement->files, ERROR_IN_DOUBT, err);
	p->judgement->force = terms->force;
	if (begin(c, t, p, err) < 0 || take_out(c, terms, t, p, err) < 0)
		return -1;
	if (nothing_came_of_it(t, p))
		return 0;
	if (record(c, terms, t, p, err) < 0)
		return -1;
	if (p->plan.len == 0 || p->judgement->n_questions == 0)
		return 0;
	return root_login_judge_candidate(c, p, err);
}

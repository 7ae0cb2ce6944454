/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Whether a close may be carried out, and what root's login is like afterwards.
 */
#include "service/sshd_check.h"
#include "toggle/root_login.h"

static int still_open(struct error *err)
{
	return error_hint_add(err, "The login is still OPEN.");
}

/* Closing sets live what others wrote meanwhile. A login that stays open would be worse, so it is
 * said and not refused. */
static int warn_of_newer(const struct toggle_context *c, struct toggle_plan *p, struct error *err)
{
	_cleanup_strings_ struct strings newer = STRINGS_INIT;

	if (p->daemons.len == 0)
		return 0;
	if (root_login_newer(c, p, &newer, err) < 0)
		return -1;
	for (size_t i = 0; i < newer.len; i++)
		if (toggle_warn(&p->warnings, err, "the reload made it live",
				"%s was changed by others since sshd last read it",
				newer.items[i]) < 0)
			return -1;
	return 0;
}

static int judge_candidate(const struct toggle_context *c, struct toggle_plan *p,
			   struct error *err)
{
	struct toggle_judgement *j = p->judgement;
	struct error why = ERROR_INIT;

	if (root_login_finish_candidate(j, err) < 0)
		return -1;
	if (sshd_judge_require_valid(&j->questions[0].answers_after, "sshd would not accept its configuration "
				     "once our change is taken out", err) < 0)
		return still_open(err);
	/* an invalid baseline can't be compared with; it was not ours to mend */
	if (!j->questions[0].answers_before.valid || root_login_require_same(j, &why) == 0)
		return 0;
	if (why.code == ERROR_REFUSED && (j->force || p->drops_foreign))
		return toggle_warn(&p->warnings, err, why.hint, "with our change sshd changed its answer to "
				   "more than PermitRootLogin");
	*err = why;
	return still_open(err);
}

/* The toggle of another instance that has edited a file of this one's. */
static const char *other_opening(const struct toggle_plan *p)
{
	const struct sshd_closure *closure = &p->judgement->files.closure;

	for (size_t i = 0; i < closure->files_len; i++) {
		const struct state_file *f = state_find_file(&p->after, closure->files[i].path);

		if (f != NULL && f->len > 0)
			return f->edits[0].toggle;
	}
	return NULL;
}

/* Ours is out, but the host is not as before the opening; when sshd still says what was opened,
 * the close was of no use. */
static int warn_of_value(struct toggle_plan *p, struct error *err)
{
	const struct toggle_judgement *j = p->judgement;
	enum sshd_permit is = sshd_permit_parse(p->is);
	enum sshd_permit was = sshd_permit_parse(j->was != NULL ? j->was : p->is);

	if (j->was == NULL || is <= was)
		return 0;
	if (other_opening(p) != NULL)
		return toggle_warn(&p->warnings, err, "it is closed by itself", "another opening of "
				   "ours is still applied there: %s", other_opening(p));
	p->still_open = is >= sshd_permit_parse(j->allow);
	return toggle_warn(&p->warnings, err, p->still_open ?
			   "our change is out, but somebody's own line lets root in. A person must "
			   "look." : "that is somebody's own change, and it stays",
			   "sshd said permitrootlogin %s before the opening, and says %s now", j->was,
			   p->is);
}

/* Without any sshd nobody logs in through it, and the record is what there is to go by. */
static int judge_without_sshd(struct toggle_plan *p, struct error *err)
{
	if (!p->changes)
		return 0;
	p->is = str_dup(p->judgement->was != NULL ? p->judgement->was : "unknown", err);
	if (p->is == NULL)
		return -1;
	return toggle_warn(&p->warnings, err, "what it will say of the files once it is there, nobody "
			   "can tell", "there is no sshd on this host to ask");
}

static int set_effective(const struct toggle_context *c, struct toggle_plan *p, bool planned,
			 struct error *err)
{
	const struct toggle_judgement *j = p->judgement;
	const struct root_login_question *others = root_login_others(j), *q = &j->questions[0];
	const struct sshd_answers *rest = NULL;
	size_t exceptions;

	if (others != NULL)
		rest = planned ? &others->answers_after : &others->answers_before;
	if (root_login_exceptions(c, &j->files.closure, p->is, &p->warnings, &exceptions, err) < 0)
		return -1;
	p->effective = root_login_effective(planned ? &q->answers_after : &q->answers_before, rest,
					    &j->from, exceptions, err);
	return p->effective == NULL ? -1 : 0;
}

int root_login_judge_close(const struct toggle_context *c, struct toggle_plan *p,
			   struct error *err)
{
	struct toggle_judgement *j = p->judgement;
	bool planned = p->plan.len > 0;
	const struct sshd_answers *now;

	if (j->n_questions == 0)
		return judge_without_sshd(p, err);
	if (root_login_finish_baseline(j, err) < 0 || (planned && judge_candidate(c, p, err) < 0))
		return -1;
	now = planned ? &j->questions[0].answers_after : &j->questions[0].answers_before;
	if (j->questions[0].answers_before.valid &&
	    root_login_set_value(&p->was, &j->questions[0].answers_before, err) < 0)
		return -1;
	if (!now->valid)
		return sshd_judge_require_valid(now, "sshd does not accept its own configuration as "
						"it stands", err);
	if (root_login_set_value(&p->is, now, err) < 0 || set_effective(c, p, planned, err) < 0)
		return -1;
	if (!p->changes)
		return 0;
	root_login_keep_sharing(c, p);
	if (root_login_judge_reload(c, p, now, planned, err) < 0)
		return still_open(err);
	if (warn_of_value(p, err) < 0)
		return -1;
	return warn_of_newer(c, p, err);
}

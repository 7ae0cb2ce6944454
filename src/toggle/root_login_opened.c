/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Whether an opening may be carried out, and what root's login is like then: sshd's own answers
 * show that nothing else changes.
 */
#include "service/sshd_access.h"
#include "service/sshd_check.h"
#include "toggle/root_login.h"

#include <stdio.h>


/* What the changes were planned on. */
static const struct sshd_closure *planned_on(const struct toggle_judgement *j)
{
	return j->base.closure.files_len > 0 ? &j->base.closure : &j->files.closure;
}

/* Why sshd would still say no, in the words of the one who has to find it. */
static int refuse_value(const struct toggle_plan *p, struct error *err)
{
	const struct toggle_judgement *j = p->judgement;
	char block[512];

	(void)error_set(err, ERROR_REFUSED, "sshd would still answer permitrootlogin %s",
			p->is != NULL ? p->is : p->was);
	for (size_t i = 0; p->daemons.len > 0 && i < p->daemons.items[0].options.len; i++)
		if (strcasestr(p->daemons.items[0].options.items[i], "permitrootlogin") != NULL)
			return error_hint(err, "Nothing was changed. It was started with %s, "
					  "which beats the file.",
					  p->daemons.items[0].options.items[i]);
	if (j->edit.notes_len > 0) {
		root_login_describe_block(block, sizeof(block), planned_on(j), &j->edit.notes[0]);
		return error_hint(err, "Nothing was changed. This block decides instead: %s", block);
	}
	if (j->blocks.len > 0) {
		root_login_describe_block(block, sizeof(block), planned_on(j), &j->blocks.items[0]);
		return error_hint(err, "Nothing was changed. This block decides instead: %s\n`--from ADDR` "
				  "beats every Match block for the sources that you name.", block);
	}
	return error_hint(err, "Nothing was changed. `sshd -T -C user=root,...` shows what decides; `--from "
			  "ADDR` beats\nevery Match block for the sources that you name.");
}

static int warn_of_overridden(struct toggle_plan *p, struct error *err)
{
	const struct sshd_plan *edit = &p->judgement->edit;
	char hint[512];

	for (size_t i = 0; i < edit->notes_len; i++) {
		if (edit->notes[i].kind != SSHD_NOTE_OVERRIDDEN)
			continue;
		root_login_describe_block(hint, sizeof(hint), planned_on(p->judgement),
					  &edit->notes[i]);
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

	const struct strings *from = &p->judgement->from;

	if (sshd_access_check(c->host, answers, from->len == 0 || address_is_everyone(from), &found,
			      err) < 0)
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

	if (root_login_judge_reload(c, p, &p->judgement->questions[0].answers_before, false, err) < 0)
		return -1;
	if (p->judgement->yes)
		return 0;
	if (root_login_newer(c, p, &newer, err) < 0)
		return -1;
	return newer.len > 0 ? refuse_newer(&newer, err) : 0;
}

/* The sentence about who gets what, and warnings of the Match blocks that make exceptions. */
static int set_effective(const struct toggle_context *c, struct toggle_plan *p, bool after,
			 struct error *err)
{
	const struct toggle_judgement *j = p->judgement;
	const struct root_login_question *others = root_login_others(j);
	const struct root_login_question *rest = others != NULL ? others : &j->questions[0];
	const struct sshd_answers *first = after ? &j->questions[0].answers_after :
						   &j->questions[0].answers_before;
	const struct sshd_answers *rest_answers = after ? &rest->answers_after :
							  &rest->answers_before;
	_cleanup_free_ char *value = NULL;
	size_t exceptions = 0;

	if (root_login_set_value(&value, rest_answers, err) < 0)
		return -1;
	if (!j->beats_all &&
	    root_login_exceptions(c, planned_on(j), value, &p->warnings, &exceptions, err) < 0)
		return -1;
	p->effective = root_login_effective(first, others != NULL ? rest_answers : NULL, &j->from,
					    exceptions, err);
	return p->effective == NULL ? -1 : 0;
}

static int judge_open_by_others(const struct toggle_context *c, struct toggle_plan *p,
				struct error *err)
{
	if (sshd_permit_parse(p->was) < sshd_permit_parse(p->judgement->allow))
		return refuse_value(p, err);
	p->is = str_dup(p->was, err);
	if (p->is == NULL || set_effective(c, p, false, err) < 0 ||
	    toggle_warn(&p->warnings, err, "nothing was changed, and nothing of rootlatch will "
			"close it", "root may log in by the administrator's own configuration") < 0)
		return -1;
	return warn_of_access(c, &p->judgement->questions[0].answers_before, p, err);
}

static int complete_record(struct toggle_plan *p, struct error *err)
{
	struct state_toggle *t = state_find_toggle(&p->after, p->toggle);
	const struct root_login_question *others = root_login_others(p->judgement);
	char *was = str_dup(p->was, err), *is = str_dup(p->is, err), *rest = NULL;

	if (was == NULL || is == NULL ||
	    (others != NULL && root_login_set_value(&rest, &others->answers_after, err) < 0)) {
		free(was);
		free(is);
		return -1;
	}
	free(t->was);
	free(t->is);
	t->was = was;
	t->is = is;
	if (rest != NULL) {
		free(t->others);
		t->others = rest;
	}
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
	const struct sshd_answers *after = &p->judgement->questions[0].answers_after;

	if (root_login_judge_reload(c, p, after, true, err) < 0 ||
	    set_effective(c, p, true, err) < 0 || complete_record(p, err) < 0 ||
	    warn_of_overridden(p, err) < 0)
		return -1;
	return warn_of_access(c, after, p, err);
}

static int require_value(struct toggle_plan *p, struct error *err)
{
	const struct toggle_judgement *j = p->judgement;

	for (size_t i = 0; i < j->n_questions; i++) {
		const char *value = sshd_answers_get(&j->questions[i].answers_after,
						     "permitrootlogin");

		if (j->questions[i].source &&
		    (value == NULL || sshd_permit_parse(value) != sshd_permit_parse(j->allow)))
			return refuse_value(p, err);
	}
	return 0;
}

static int judge_candidate(struct toggle_plan *p, struct error *err)
{
	struct toggle_judgement *j = p->judgement;

	if (root_login_finish_candidate(j, err) < 0 ||
	    sshd_judge_require_valid(&j->questions[0].answers_after, "sshd would not accept the "
				     "edited configuration", err) < 0 ||
	    root_login_set_value(&p->is, &j->questions[0].answers_after, err) < 0 ||
	    root_login_require_same(j, err) < 0)
		return -1;
	return require_value(p, err);
}

int root_login_judge_open(const struct toggle_context *c, struct toggle_plan *p,
			  struct error *err)
{
	struct toggle_judgement *j = p->judgement;

	if (root_login_finish_baseline(j, err) < 0 ||
	    sshd_judge_require_valid(&j->questions[0].answers_before, "sshd does not accept its own "
				     "configuration as it stands", err) < 0 ||
	    root_login_set_value(&p->was, &j->questions[0].answers_before, err) < 0)
		return -1;
	if (!p->changes)
		return judge_open_by_others(c, p, err);
	if (warn_of_absence(p, err) < 0 || require_not_shared(c, p, err) < 0 ||
	    judge_reload(c, p, err) < 0 || judge_candidate(p, err) < 0)
		return -1;
	return complete(c, p, err);
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One row a kind.
 */
#include "plan/step_kind.h"

static const struct step_ops *const kinds[] = {
	[STEP_REPLACE] = &step_ops_replace,
	[STEP_CREATE] = &step_ops_create,
	[STEP_UNLINK] = &step_ops_unlink,
	[STEP_START] = &step_ops_start,
	[STEP_RUN] = &step_ops_run,
	[STEP_LINK] = &step_ops_link,
	[STEP_DELINK] = &step_ops_delink,
	[STEP_RELINK] = &step_ops_relink,
	[STEP_RENAME] = &step_ops_rename,
	[STEP_MODE] = &step_ops_mode,
	[STEP_TIMES] = &step_ops_times,
};

void step_release(struct step *s)
{
	free(s->path);
	free(s->temp);
	free(s->saved);
	free(s->to);
	free(s->target);
	free(s->new_target);
	strings_release(&s->argv);
	strings_release(&s->undo);
	strings_release(&s->verify);
	*s = (struct step){ 0 };
}

const char *step_kind_name(enum step_kind kind)
{
	return kinds[kind]->name;
}

int step_kind_parse(const char *name, enum step_kind *ret, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(name, kinds[i]->name) != 0)
			continue;
		*ret = (enum step_kind)i;
		return 0;
	}
	return error_set(err, ERROR_REFUSED, "\"kind\" is none that is known");
}

bool step_keeps_file(const struct step *s)
{
	return s->kind == STEP_REPLACE || s->kind == STEP_CREATE || s->kind == STEP_UNLINK;
}

bool step_is_small(const struct step *s)
{
	return s->kind >= STEP_LINK && s->kind <= STEP_TIMES;
}

const char *step_name(const struct step *s)
{
	return s->path != NULL ? s->path : s->argv.items[0];
}

int step_check(const struct host *h, const struct step *s, struct error *err)
{
	return kinds[s->kind]->check(h, s, err);
}

int step_prepare(const struct host *h, const struct step *s, struct error *err)
{
	return kinds[s->kind]->prepare(h, s, err);
}

int step_apply(const struct host *h, const struct step *s, struct error *err)
{
	return kinds[s->kind]->apply(h, s, err);
}

int step_can_finish(const struct host *h, const struct step *s, bool *ret_can, struct error *err)
{
	return kinds[s->kind]->can_finish(h, s, ret_can, err);
}

int step_finish(const struct host *h, const struct step *s, struct error *err)
{
	return kinds[s->kind]->finish(h, s, err);
}

int step_revert(const struct host *h, const struct step *s, struct error *err)
{
	return kinds[s->kind]->revert(h, s, err);
}

int step_no_op(const struct host *h, const struct step *s, struct error *err)
{
	return 0;
}

int step_always_can(const struct host *h, const struct step *s, bool *ret_can, struct error *err)
{
	*ret_can = true;
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/api.h"
#include "base/path.h"

#define DIFF "/usr/bin/diff"

int api_diff(const struct host *h, const char *old_path, struct slice new_text,
	     const char *old_label, const char *new_label, bool reversed, struct buffer *ret,
	     struct error *err)
{
	bool here = host_is_live(h) || strcmp(old_path, API_NO_FILE) == 0;
	_cleanup_free_ char *path = here ? str_dup(old_path, err) :
						      path_join(h->root, old_path, err);
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
	char *stdin_name = (char *)"-";
	char *argv[] = { (char *)DIFF, (char *)"-u", (char *)"--label",
			 (char *)(reversed ? new_label : old_label), (char *)"--label",
			 (char *)(reversed ? old_label : new_label), (char *)"--",
			 reversed ? stdin_name : path, reversed ? path : stdin_name, NULL };
	const struct host_command cmd = { .argv = argv, .input = new_text };

	if (path == NULL || host_run(h, &cmd, &o, err) < 0)
		return -1;
	if (o.status > 1)
		return error_set(err, ERROR_FAILED, "diff(1) could not compare %s: %.200s", old_path,
				 o.err.data != NULL ? o.err.data : "");
	return buffer_append(ret, o.out.data, o.out.len, err);
}

static int diff_step(struct rootlatch *r, const struct step *s, struct buffer *ret,
		     struct error *err)
{
	bool made = s->kind == STEP_CREATE, gone = s->kind == STEP_UNLINK;

	if (!made && !gone && s->kind != STEP_REPLACE)
		return 0;
	return api_diff(&r->host, made ? API_NO_FILE : s->path, s->after_bytes,
			made ? API_NO_FILE : s->path, gone ? API_NO_FILE : s->path, false, ret, err);
}

/* The commands of an opening arm and disarm what closes it, which its result says in better words. */
static int describe_steps(const struct plan *p, struct buffer *ret, struct error *err)
{
	if (!plan_has_small(p))
		return 0;
	for (size_t i = 0; i < p->len; i++)
		if (step_describe(&p->steps[i], false, ret, err) < 0)
			return -1;
	return 0;
}

int rootlatch_plan_diff(struct rootlatch_plan *plan, char **ret_text, struct rootlatch_error *out)
{
	const struct plan *p = &plan->plan->plan;
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;
	struct error err = ERROR_INIT;

	if (buffer_reserve(&text, 0, &err) < 0 || describe_steps(p, &text, &err) < 0)
		return api_error(out, &err);
	for (size_t i = 0; i < p->len; i++)
		if (diff_step(plan->r, &p->steps[i], &text, &err) < 0)
			return api_error(out, &err);
	*ret_text = TAKE_PTR(text.data);
	return 0;
}

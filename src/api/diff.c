/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/api.h"
#include "base/path.h"

#define DIFF "/usr/bin/diff"

int api_diff(const struct host *h, const char *old_path, struct slice new_text,
	     const char *label, bool reversed, struct buffer *ret, struct error *err)
{
	_cleanup_free_ char *path = host_is_live(h) ? str_dup(old_path, err) :
						      path_join(h->root, old_path, err);
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
	char *stdin_name = (char *)"-";
	char *argv[] = { (char *)DIFF, (char *)"-u", (char *)"--label", (char *)label,
			 (char *)"--label", (char *)label, (char *)"--",
			 reversed ? stdin_name : path, reversed ? path : stdin_name, NULL };
	const struct host_command cmd = { .argv = argv, .input = new_text };

	if (path == NULL || host_run(h, &cmd, &o, err) < 0)
		return -1;
	if (o.status > 1)
		return error_set(err, ERROR_FAILED, "diff(1) could not compare %s: %.200s", old_path,
				 o.err.data != NULL ? o.err.data : "");
	return buffer_append(ret, o.out.data, o.out.len, err);
}

int rootlatch_plan_diff(struct rootlatch_plan *plan, char **ret_text, struct rootlatch_error *out)
{
	const struct plan *p = &plan->plan->plan;
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;
	struct error err = ERROR_INIT;

	if (buffer_reserve(&text, 0, &err) < 0)
		return api_error(out, &err);
	for (size_t i = 0; i < p->len; i++)
		if (api_diff(&plan->r->host, p->steps[i].path, p->steps[i].after_bytes,
			     p->steps[i].path, false, &text, &err) < 0)
			return api_error(out, &err);
	*ret_text = TAKE_PTR(text.data);
	return 0;
}

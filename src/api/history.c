/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * show, log and recover: what was done before.
 */
#include "api/api.h"

#include <errno.h>

#include "store/log.h"
#include "transaction/transaction.h"

static int log_recovery(struct rootlatch *r, const struct recovery *found, struct error *err)
{
	_cleanup_free_ char *by = host_actor(err);
	json_t *line;

	if (by == NULL)
		return -1;
	line = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "event", "recovered", "command",
			 found->command, "toggle", found->toggle, "id", found->id, "by", by, "how",
			 found->finished ? "finished" : "undone", "host", "localhost");
	if (line != NULL)
		log_append(&r->store, line);
	json_decref(line);
	return 0;
}

static json_t *warnings_of(const struct recovery *found, struct error *err)
{
	struct toggle_warning one = { .kind = "note", .text = (char *)found->remarks.message,
				      .hint = (char *)"" };
	const struct toggle_warnings all = { .items = &one,
					     .len = found->remarks.code != ERROR_NONE };

	return api_warnings_json(&all, err);
}

static json_t *recovery_json(const struct recovery *found, struct error *err)
{
	_cleanup_json_ json_t *one = json_pack("{s:s, s:s?, s:s?, s:s?, s:b, s:s, s:b, s:I, s:I}", "host", "localhost",
			 "toggle", found->toggle, "id", found->found ? found->id : NULL, "command",
			 found->command, "changed", found->found, "how",
			 !found->found ? "nothing" : found->finished ? "finished" : "undone",
			 "still_open", found->found && found->closing && !found->finished, "swept", (json_int_t)found->swept, "reloaded",
			 (json_int_t)found->reloaded);

	return json_put(one, "warnings", warnings_of(found, err), err) < 0 ? NULL : json_incref(one);
}

/* Watchers of openings that were undone end, too. */
static int recover_locked(struct rootlatch *r, struct recovery *ret, struct error *err)
{
	_cleanup_closer_context_ struct closer_context c = CLOSER_CONTEXT_INIT;
	_cleanup_state_ struct state s = STATE_INIT;
	struct error why = ERROR_INIT;

	if (recovery_run(&r->store, ret, err) < 0)
		return -1;
	if (!host_is_live(&r->host))
		return 0;
	if (state_read(&r->store, &s, err) < 0 ||
	    closer_context_init(&c, &r->host, &r->store, err) < 0)
		return -1;
	if (deadline_sweep(&c, &s, &why) < 0 && why.sys_errno != EROFS) {
		*err = why;
		return -1;
	}
	return 0; /* where nothing can be swept, there is still something to close */
}

static int recover_all(struct rootlatch *r, struct recovery *ret, struct error *err)
{
	int failed;

	if (!store_exists(&r->store))
		return host_is_live(&r->host) ? deadline_sweep_tokens(&r->host, err) : 0;
	if (store_lock(&r->store, false, r->wait_seconds, err) < 0)
		return -1;
	failed = recover_locked(r, ret, err);
	store_unlock(&r->store);
	return failed;
}

static int recover(struct rootlatch *r, struct rootlatch_result **ret, struct error *err)
{
	_cleanup_recovery_ struct recovery found = RECOVERY_INIT;
	struct rootlatch_result *result;

	if (recover_all(r, &found, err) < 0 ||
	    (found.found && log_recovery(r, &found, err) < 0))
		return -1;
	result = api_result_new("recover", err);
	if (result == NULL)
		return -1;
	if (api_result_add(result, recovery_json(&found, err), err) < 0 ||
	    api_result_seal(result, found.found && found.closing && !found.finished ?
			    ROOTLATCH_IN_DOUBT : ROOTLATCH_OK, found.found || found.swept > 0,
			    err) < 0) {
		rootlatch_result_free(result);
		return -1;
	}
	*ret = result;
	return 0;
}

bool rootlatch_needs_recovery(const struct rootlatch *r)
{
	return recovery_is_needed(&r->store);
}

int rootlatch_recover(struct rootlatch *r, struct rootlatch_result **ret,
		      struct rootlatch_error *out)
{
	struct error err = ERROR_INIT;

	return recover(r, ret, &err) < 0 ? api_error(out, &err) : 0;
}

/* The one transaction whose id begins so. */
static int find_event(const struct state *s, const char *id, const struct state_event **ret,
		      struct error *err)
{
	const struct state_event *found = NULL;
	size_t len = strlen(id);

	if (len < 2 || strspn(id, "0123456789abcdef") != len) {
		(void)error_set(err, ERROR_USAGE, "%.40s is not the id of a transaction", id);
		return error_hint(err, "`rootlatch log` has them.");
	}
	for (size_t i = 0; i < s->n_events; i++) {
		if (strncmp(s->events[i].id, id, len) != 0)
			continue;
		if (found != NULL)
			return error_set(err, ERROR_USAGE, "%s is the beginning of several ids", id);
		found = &s->events[i];
	}
	if (found == NULL) {
		(void)error_set(err, ERROR_REFUSED, "no transaction %s is known", id);
		return error_hint(err, "`rootlatch log` has them; the last %d are kept.",
				  STATE_HISTORY_MAX);
	}
	*ret = found;
	return 0;
}

static bool is_kind(const json_t *file, enum step_kind kind)
{
	return strcmp(json_get_string(file, "kind", ""), step_kind_name(kind)) == 0;
}

/* What a close put back is the other way round in the snapshot of its opening. */
static int diff_file(struct rootlatch *r, const char *id, const json_t *file, bool reversed,
		     struct buffer *ret, struct error *err)
{
	bool made = is_kind(file, STEP_CREATE), unlinked = is_kind(file, STEP_UNLINK);
	const char *path = json_get_string(file, "path", "?");
	_cleanup_free_ char *before = snapshot_saved_path(
		&r->store, id, (size_t)json_get_int(file, "number", 0), err);
	_cleanup_buffer_ struct buffer after = BUFFER_INIT;

	if (before == NULL || snapshot_read_after(&r->store, id, file, &after, err) < 0)
		return -1;
	return api_diff(&r->host, before, slice_of(after.data, after.len),
			made ? API_NO_FILE : path, unlinked ? API_NO_FILE : path, reversed, ret,
			err);
}

/* A file whose bytes are in the snapshot of the opening that made it. */
static int diff_unlinked(struct rootlatch *r, const char *id, const json_t *file,
			 struct buffer *ret, struct error *err)
{
	const char *path = json_get_string(file, "path", "");
	_cleanup_json_ json_t *opening = NULL;
	const json_t *files;

	if (id[0] == '\0')
		return 0;
	if (snapshot_read(&r->store, id, &opening, err) < 0)
		return -1;
	files = json_object_get(opening, "files");
	for (size_t i = 0; i < json_array_size(files); i++) {
		const json_t *made = json_array_get(files, i);

		if (is_kind(made, STEP_CREATE) &&
		    strcmp(json_get_string(made, "path", ""), path) == 0)
			return diff_file(r, id, made, true, ret, err);
	}
	return 0;
}

static int diff_files(struct rootlatch *r, const char *id, const struct state_event *e,
		      const json_t *manifest, struct buffer *ret, struct error *err)
{
	const json_t *files = json_object_get(manifest, "files");

	for (size_t i = 0; i < json_array_size(files); i++) {
		const json_t *file = json_array_get(files, i);
		bool elsewhere = is_kind(file, STEP_UNLINK) && json_get_bool(file, "ready");

		if ((elsewhere ? diff_unlinked(r, e->undoes, file, ret, err) :
				 diff_file(r, id, file, id != e->id, ret, err)) < 0)
			return -1;
	}
	return 0;
}

/* What the plan changed beside the bytes of files; in a manifest of before there was such a thing, none. */
static int describe_steps(const json_t *manifest, bool reversed, struct buffer *ret,
			  struct error *err)
{
	const json_t *steps = json_object_get(manifest, "steps");
	size_t len = json_array_size(steps);

	for (size_t i = 0; i < len; i++) {
		struct step s = { 0 };
		int r;

		if (step_from_json(json_array_get(steps, reversed ? len - 1 - i : i), &s, err) < 0)
			return -1;
		r = step_describe(&s, reversed, ret, err);
		step_release(&s);
		if (r < 0)
			return -1;
	}
	return 0;
}

/* Its own snapshot; a close that needed none shows that of its opening. Without either (another
 * deadline) there is no diff. */
static int read_snapshot(struct rootlatch *r, const struct state_event *e, json_t **ret_manifest,
			 struct buffer *diff, char **ret_script, struct error *err)
{
	const char *id = snapshot_exists(&r->store, e->id) ? e->id : e->undoes;

	if (buffer_reserve(diff, 0, err) < 0)
		return -1;
	if (id[0] == '\0')
		return 0;
	if (snapshot_read(&r->store, id, ret_manifest, err) < 0 ||
	    describe_steps(*ret_manifest, id != e->id, diff, err) < 0 ||
	    diff_files(r, id, e, *ret_manifest, diff, err) < 0)
		return -1;
	*ret_script = str_format(err, "%s/snapshots/%s/restore.sh", r->store.dir, id);
	return *ret_script == NULL ? -1 : 0;
}

static json_t *show_json(struct rootlatch *r, const struct state *s, const struct state_event *e,
			 struct error *err)
{
	const struct state_toggle *t = state_find_toggle(s, e->toggle);
	_cleanup_json_ json_t *manifest = NULL, *one = NULL;
	_cleanup_buffer_ struct buffer diff = BUFFER_INIT;
	_cleanup_free_ char *script = NULL;
	json_t *text;

	if (read_snapshot(r, e, &manifest, &diff, &script, err) < 0)
		return NULL;
	/* lines of foreign files may hold any byte; newlines stay */
	text = json_string(diff.data);
	one = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s?, s:s?, s:o, s:s?, s:b}", "host",
			"localhost", "toggle", e->toggle, "id", e->id, "command", e->command, "at",
			api_time_json(e->at_ns), "undoes", e->undoes[0] != '\0' ? e->undoes : NULL,
			"by", json_get_string(manifest, "by", NULL), "diff",
			text != NULL ? text : json_foreign(diff.data), "restore", script, "applied",
			t != NULL && strcmp(t->id, e->id) == 0);
	if (one == NULL) {
		(void)error_oom(err);
		return NULL;
	}
	return json_put(one, "reason", json_text(json_get_string(manifest, "reason", NULL)), err) < 0 ?
		       NULL : json_incref(one);
}

static int show(struct rootlatch *r, const char *id, struct rootlatch_result **ret,
		struct error *err)
{
	_cleanup_state_ struct state s = STATE_INIT;
	const struct state_event *e = NULL;
	struct rootlatch_result *result;

	if (state_read(&r->store, &s, err) < 0 || find_event(&s, id, &e, err) < 0)
		return -1;
	result = api_result_new("show", err);
	if (result == NULL)
		return -1;
	if (api_result_add(result, show_json(r, &s, e, err), err) < 0 ||
	    api_result_seal(result, ROOTLATCH_OK, false, err) < 0) {
		rootlatch_result_free(result);
		return -1;
	}
	*ret = result;
	return 0;
}

int rootlatch_show(struct rootlatch *r, const char *id, struct rootlatch_result **ret,
		   struct rootlatch_error *out)
{
	struct error err = ERROR_INIT;

	return show(r, id, ret, &err) < 0 ? api_error(out, &err) : 0;
}

static int log_result(struct rootlatch *r, const char *toggle, int64_t since_ns, int64_t until_ns,
		      struct rootlatch_result **ret, struct error *err)
{
	_cleanup_json_ json_t *events = NULL;
	struct rootlatch_result *result;
	size_t unreadable;

	if (log_read(&r->store, toggle, since_ns, until_ns, &events, &unreadable, err) < 0)
		return -1;
	result = api_result_new("log", err);
	if (result == NULL)
		return -1;
	if (json_put(result->doc, "results", json_incref(events), err) < 0 ||
	    json_put(result->doc, "unreadable", json_integer((json_int_t)unreadable), err) < 0 ||
	    api_result_seal(result, ROOTLATCH_OK, false, err) < 0) {
		rootlatch_result_free(result);
		return -1;
	}
	*ret = result;
	return 0;
}

int rootlatch_log(struct rootlatch *r, const char *toggle, int64_t since_ns, int64_t until_ns,
		  struct rootlatch_result **ret, struct rootlatch_error *out)
{
	struct error err = ERROR_INIT;

	if (toggle != NULL && api_check_toggle(toggle, &err) < 0)
		return api_error(out, &err);
	return log_result(r, toggle, since_ns, until_ns, ret, &err) < 0 ? api_error(out, &err) : 0;
}

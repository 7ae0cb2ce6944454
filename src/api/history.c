/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * show, log and recover: what was done before.
 */
#include "api/api.h"
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

static json_t *recovery_json(const struct recovery *found)
{
	return json_pack("{s:s, s:s?, s:s?, s:s?, s:b, s:s, s:b, s:I, s:I}", "host", "localhost",
			 "toggle", found->toggle, "id", found->found ? found->id : NULL, "command",
			 found->command, "changed", found->found, "how",
			 !found->found ? "nothing" : found->finished ? "finished" : "undone",
			 "still_open", found->found && found->closing && !found->finished, "swept", (json_int_t)found->swept, "reloaded",
			 (json_int_t)found->reloaded);
}

static int recover(struct rootlatch *r, struct rootlatch_result **ret, struct error *err)
{
	_cleanup_recovery_ struct recovery found = RECOVERY_INIT;
	struct rootlatch_result *result;

	if (recovery_run(&r->store, r->wait_seconds, &found, err) < 0 ||
	    (found.found && log_recovery(r, &found, err) < 0))
		return -1;
	result = api_result_new("recover", err);
	if (result == NULL)
		return -1;
	if (api_result_add(result, recovery_json(&found), err) < 0 ||
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

/* What a close put back is the other way round in the snapshot of its opening. */
static int diff_file(struct rootlatch *r, const char *id, size_t n, const json_t *file,
		     bool reversed, struct buffer *ret, struct error *err)
{
	_cleanup_free_ char *before = snapshot_saved_path(&r->store, id, n, err);
	_cleanup_buffer_ struct buffer after = BUFFER_INIT;

	if (before == NULL || snapshot_read_after(&r->store, id, n, file, &after, err) < 0)
		return -1;
	return api_diff(&r->host, before, slice_of(after.data, after.len),
			json_get_string(file, "path", "?"), reversed, ret, err);
}

static json_t *show_json(struct rootlatch *r, const struct state *s, const struct state_event *e,
			 struct error *err)
{
	const char *id = snapshot_exists(&r->store, e->id) ? e->id : e->undoes;
	_cleanup_json_ json_t *manifest = NULL, *one = NULL;
	_cleanup_buffer_ struct buffer diff = BUFFER_INIT;
	_cleanup_free_ char *script = NULL;
	const json_t *files;

	if (snapshot_read(&r->store, id, &manifest, err) < 0 || buffer_reserve(&diff, 0, err) < 0)
		return NULL;
	files = json_object_get(manifest, "files");
	for (size_t i = 0; i < json_array_size(files); i++)
		if (diff_file(r, id, i, json_array_get(files, i), id != e->id, &diff, err) < 0)
			return NULL;
	script = str_format(err, "%s/snapshots/%s/restore.sh", r->store.dir, id);
	if (script == NULL)
		return NULL;
	one = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s?, s:s, s:o, s:s, s:b}", "host", "localhost",
			"toggle", e->toggle, "id", e->id, "command", e->command, "at",
			api_time_json(e->at_ns), "undoes", e->undoes[0] != '\0' ? e->undoes : NULL,
			"by", json_get_string(manifest, "by", ""), "diff",
			json_foreign(NULL), "restore", script, "applied",
			state_find_toggle(s, e->toggle) != NULL &&
				strcmp(state_find_toggle(s, e->toggle)->id, e->id) == 0);
	if (one == NULL) {
		(void)error_oom(err);
		return NULL;
	}
	if (json_put(one, "reason", json_text(json_get_string(manifest, "reason", NULL)), err) < 0)
		return NULL;
	/* lines of foreign files may hold any byte; newlines stay */
	{
		json_t *text = json_string(diff.data);

		if (json_put(one, "diff", text != NULL ? text : json_foreign(diff.data), err) < 0)
			return NULL;
	}
	return json_incref(one);
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

	return log_result(r, toggle, since_ns, until_ns, ret, &err) < 0 ? api_error(out, &err) : 0;
}

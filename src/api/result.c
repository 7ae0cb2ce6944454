/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>

#include "api/api.h"
#include "base/when.h"
#include "store/log.h"

#define RESULT_SCHEMA 1

struct rootlatch_result *api_result_new(const char *command, struct error *err)
{
	struct rootlatch_result *result = calloc(1, sizeof(*result));

	if (result != NULL)
		result->doc = json_pack("{s:i, s:s, s:b, s:b, s:[]}", "schema", RESULT_SCHEMA,
					"command", command, "ok", 1, "changed", 0, "results");
	if (result == NULL || result->doc == NULL) {
		rootlatch_result_free(result);
		(void)error_oom(err);
		return NULL;
	}
	return result;
}

int api_result_add(struct rootlatch_result *result, json_t *one, struct error *err)
{
	return json_push(json_object_get(result->doc, "results"), one, err);
}

static bool status_is_ok(int status)
{
	return status == ROOTLATCH_OK || status == ROOTLATCH_DIFFERENT;
}

int api_result_seal(struct rootlatch_result *result, int status, bool changed, struct error *err)
{
	result->status = status;
	if (json_put(result->doc, "ok", json_boolean(status_is_ok(status)), err) < 0 ||
	    json_put(result->doc, "changed", json_boolean(changed), err) < 0)
		return -1;
	result->text = json_dumps(result->doc, JSON_INDENT(2));
	return result->text == NULL ? error_oom(err) : 0;
}

const char *rootlatch_result_json(const struct rootlatch_result *result)
{
	return result->text;
}

int rootlatch_result_status(const struct rootlatch_result *result)
{
	return result->status;
}

void rootlatch_result_free(struct rootlatch_result *result)
{
	if (result == NULL)
		return;
	json_decref(result->doc);
	free(result->text);
	free(result);
}

int api_worse(int a, int b)
{
	static const int order[] = { ROOTLATCH_IN_DOUBT, ROOTLATCH_FAILED, ROOTLATCH_REFUSED,
				     ROOTLATCH_UNREACHABLE, ROOTLATCH_BUSY };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return a != ROOTLATCH_OK ? a : b;
}

/* A command that failed left the toggle as it was, or nobody knows. */
static const char *state_after_failure(struct rootlatch *r, const char *toggle, int code)
{
	_cleanup_state_ struct state s = STATE_INIT;

	if (code == ROOTLATCH_IN_DOUBT)
		return "in-doubt";
	if (r == NULL || toggle == NULL || state_read(&r->store, &s, NULL) < 0)
		return NULL;
	return state_find_toggle(&s, toggle) != NULL ? "applied" : "normal";
}

static json_t *hint_json(const char *hint)
{
	json_t *json = hint[0] != '\0' ? json_string(hint) : json_null();

	return json != NULL ? json : json_foreign(hint);
}

json_t *api_failure_json(struct rootlatch *r, const char *toggle,
			 const struct rootlatch_error *err)
{
	return json_pack("{s:s, s:o, s:s?, s:b, s:{s:i, s:o, s:o}}", "host", "localhost", "toggle",
			 json_foreign(toggle), "state", state_after_failure(r, toggle, err->code),
			 "changed", 0, "error", "code", err->code, "message",
			 json_foreign(err->message), "hint", hint_json(err->hint));
}

char *rootlatch_error_json(struct rootlatch *r, const char *command, const char *toggle,
			   const struct rootlatch_error *err)
{
	_cleanup_json_ json_t *doc = json_pack("{s:i, s:s?, s:b, s:b, s:[o]}", "schema",
					       RESULT_SCHEMA, "command", command, "ok", 0,
					       "changed", 0, "results",
					       api_failure_json(r, toggle, err));

	return doc == NULL ? NULL : json_dumps(doc, JSON_INDENT(2));
}

json_t *api_time_json(int64_t ns)
{
	char text[WHEN_MAX];

	if (ns == 0)
		return json_null();
	when_format_utc(ns, text);
	return json_string(text);
}

json_t *api_warnings_json(const struct toggle_warnings *w, struct error *err)
{
	_cleanup_json_ json_t *array = json_array();

	for (size_t i = 0; i < w->len; i++) {
		json_t *one = json_pack("{s:s, s:o, s:o}", "kind", w->items[i].kind, "message",
					json_foreign(w->items[i].text), "hint",
					json_foreign_lines(w->items[i].hint));

		if (json_push(array, one, err) < 0)
			return NULL;
	}
	return json_incref(array);
}

void api_log(struct rootlatch *r, const char *event, const struct toggle_plan *p, const char *by,
	     const char *reason)
{
	_cleanup_json_ json_t *line = NULL;
	const struct plan *plan = &p->plan;

	line = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?}", "event", event,
			 "command", p->command, "toggle", p->toggle, "id", plan->id, "by", by,
			 "reason", reason, "was", p->was, "is", p->is, "undoes",
			 p->undoes[0] != '\0' ? p->undoes : NULL);
	if (line != NULL)
		log_append(&r->store, line);
}

void rootlatch_log_failure(struct rootlatch *r, const char *command, const char *toggle,
			   const struct rootlatch_error *err)
{
	_cleanup_free_ char *by = host_actor(NULL);
	_cleanup_json_ json_t *line = json_pack("{s:s, s:s, s:s?, s:o, s:i, s:o}", "event",
						err->code == ROOTLATCH_REFUSED ? "refused" : "failed",
						"command", command, "toggle", toggle, "by",
						json_foreign(by), "status", err->code, "message",
						json_foreign(err->message));

	if (line != NULL)
		log_append(&r->store, line);
}

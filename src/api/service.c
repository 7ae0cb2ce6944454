/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Plans of boot services: several toggles, one transaction.
 */
#include <stdio.h>

#include "api/api.h"
#include "service/boot.h"
#include "store/log.h"
#include "toggle/toggle.h"

/* With the first one's name; the others are in `toggles`. */
static int plan_new(struct rootlatch *r, const char *const *toggles, size_t n, const char *command,
		    struct rootlatch_plan **ret, struct error *err)
{
	_cleanup_(api_plan_cleanup) struct rootlatch_plan *plan = NULL;
	_cleanup_buffer_ struct buffer all = BUFFER_INIT;

	if (api_plan_new(r, toggles[0], command, &plan, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!strings_contain(&plan->plan->toggles, toggles[i]) &&
		    (strings_add(&plan->plan->toggles, toggles[i], err) < 0 ||
		     buffer_printf(&all, err, "%s%s", i > 0 ? "," : "", toggles[i]) < 0))
			return -1;
	free(plan->plan->toggle);
	plan->plan->toggle = TAKE_PTR(all.data);
	*ret = TAKE_PTR(plan);
	return 0;
}

static int toggles_of(const struct rootlatch_service_terms *t, struct strings *ret,
		      struct error *err)
{
	if (t->n_services == 0)
		return error_set(err, ERROR_USAGE, "which service?");
	for (size_t i = 0; i < t->n_services; i++)
		if (boot_name_check(t->services[i], err) < 0 ||
		    strings_addf(ret, err, "service/%s", t->services[i]) < 0)
			return -1;
	return 0;
}

static int plan_services(struct rootlatch *r, const struct rootlatch_service_terms *t,
			 struct rootlatch_plan **ret, struct error *err)
{
	_cleanup_(api_plan_cleanup) struct rootlatch_plan *plan = NULL;
	_cleanup_strings_ struct strings toggles = STRINGS_INIT;

	if (toggles_of(t, &toggles, err) < 0 || api_check_reason(t->reason, err) < 0 ||
	    plan_new(r, (const char *const *)toggles.items, toggles.len,
		     t->enable ? "enable" : "disable", &plan, err) < 0)
		return -1;
	if (t->reason != NULL && (plan->reason = str_dup(t->reason, err)) == NULL)
		return -1;
	plan->terms.reason = plan->reason;
	plan->terms.enable = t->enable;
	plan->terms.now = t->now;
	plan->terms.remove_links = t->remove_links;
	if (plan->plan->kind->plan_apply(&plan->context, &plan->terms, plan->plan, err) < 0)
		return api_plan_refused(plan, err);
	*ret = TAKE_PTR(plan);
	return 0;
}

int rootlatch_plan_services(struct rootlatch *r, const struct rootlatch_service_terms *terms,
			    struct rootlatch_plan **ret, struct rootlatch_error *out)
{
	struct error err = ERROR_INIT;

	return plan_services(r, terms, ret, &err) < 0 ? api_error(out, &err) : 0;
}

int api_plan_revert_services(struct rootlatch *r, const char *const *toggles, size_t n,
			     struct rootlatch_plan **ret, struct error *err)
{
	_cleanup_(api_plan_cleanup) struct rootlatch_plan *plan = NULL;

	for (size_t i = 0; i < n; i++) {
		if (toggle_service_name(toggles[i]) == NULL)
			return error_set(err, ERROR_USAGE, "%.80s is no service/NAME", toggles[i]);
		if (api_check_toggle(toggles[i], err) < 0)
			return -1;
	}
	if (n == 0)
		return error_set(err, ERROR_USAGE, "which toggle?");
	if (plan_new(r, toggles, n, "revert", &plan, err) < 0)
		return -1;
	if (plan->plan->kind->plan_undo(&plan->context, &plan->terms, plan->plan, err) < 0)
		return api_plan_refused(plan, err);
	*ret = TAKE_PTR(plan);
	return 0;
}

int rootlatch_plan_revert_services(struct rootlatch *r, const char *const *toggles, size_t n,
				   struct rootlatch_plan **ret, struct rootlatch_error *out)
{
	struct error err = ERROR_INIT;

	return api_plan_revert_services(r, toggles, n, ret, &err) < 0 ? api_error(out, &err) : 0;
}

/* ---- results */

static json_t *mode_json(mode_t mode)
{
	char text[16];

	if (mode == 0)
		return json_null();
	(void)snprintf(text, sizeof(text), "%04o", (unsigned)mode);
	return json_string(text);
}

static int put_service(json_t *one, const struct toggle_service *n, struct error *err)
{
	if (json_put(one, "service", json_string(n->name), err) < 0 ||
	    json_put(one, "starts_at_boot", json_boolean(n->will_start), err) < 0 ||
	    json_put(one, "effective", json_foreign(n->why), err) < 0 ||
	    json_put(one, "links_before", json_text(n->links_before), err) < 0 ||
	    json_put(one, "links", json_text(n->links_after), err) < 0 ||
	    json_put(one, "mode_before", mode_json(n->mode_before), err) < 0 ||
	    json_put(one, "mode", mode_json(n->mode_after), err) < 0 ||
	    json_put(one, "unit", json_text(n->unit), err) < 0 ||
	    json_put(one, "unit_before", json_text(n->unit != NULL ? n->unit_before : NULL), err) < 0 ||
	    json_put(one, "unit_state", json_text(n->unit != NULL ? n->unit_after : NULL), err) < 0)
		return -1;
	return 0;
}

static json_t *service_json(const struct rootlatch_plan *plan, const struct toggle_service *n,
			    bool first, bool done, struct error *err)
{
	const struct toggle_plan *p = plan->plan;
	const struct toggle_warnings none = { 0 };
	const struct strings nothing = STRINGS_INIT;
	const char *id = n->changes ? p->plan.id : n->undoes;
	_cleanup_json_ json_t *one = json_pack(
		"{s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:b, s:b, s:b}", "host", "localhost", "toggle",
		n->toggle, "state", n->verdict, "changed", done && n->changes, "would_change",
		n->changes, "stopped", n->stops, "started", n->starts, "exact", n->exact, "others_stay",
		n->others_stay, "upgraded", n->upgraded);

	if (one == NULL) {
		(void)error_oom(err);
		return NULL;
	}
	if (put_service(one, n, err) < 0 ||
	    json_put(one, "id", json_text(id[0] != '\0' ? id : NULL), err) < 0 ||
	    json_put(one, "undoes", json_text(n->undoes[0] != '\0' ? n->undoes : NULL), err) < 0 ||
	    json_put(one, "since", api_time_json(n->since_ns), err) < 0 ||
	    json_put(one, "until", json_null(), err) < 0 ||
	    /* of all of them together: one plan has them once */
	    json_put(one, "files", strings_to_json(first ? &p->files : &nothing, err), err) < 0 ||
	    json_put(one, "warnings", api_warnings_json(first ? &p->warnings : &none, err), err) < 0)
		return NULL;
	return json_incref(one);
}

int api_services_json(const struct rootlatch_plan *plan, bool done,
		      struct rootlatch_result *result, struct error *err)
{
	for (size_t i = 0; i < plan->plan->n_services; i++)
		if (api_result_add(result, service_json(plan, &plan->plan->services[i], i == 0, done,
							err), err) < 0)
			return -1;
	return 0;
}

void api_log_services(const struct rootlatch_plan *plan)
{
	const struct toggle_plan *p = plan->plan;

	for (size_t i = 0; i < p->n_services; i++) {
		const struct toggle_service *n = &p->services[i];
		_cleanup_json_ json_t *line = json_pack(
			"{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?}", "event",
			strcmp(p->command, "revert") == 0 ? "reverted" :
			strcmp(p->command, "enable") == 0 ? "enabled" : "disabled",
			"command", p->command, "toggle", n->toggle, "id", p->plan.id, "by", plan->by,
			"reason", plan->reason, "was", n->links_before, "is", n->links_after);

		if (n->changes && line != NULL)
			log_append(&plan->r->store, line);
	}
}

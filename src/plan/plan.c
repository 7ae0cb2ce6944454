/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plan/plan.h"

#include <limits.h>
#include <stdio.h>

#include "base/path.h"
#include "host/clock.h"

void plan_release(struct plan *p)
{
	for (size_t i = 0; i < p->len; i++)
		step_release(&p->steps[i]);
	free(p->steps);
	strings_release(&p->on_commit);
	strings_release(&p->on_abort);
	*p = (struct plan)PLAN_INIT;
}

int plan_new_id(char ret_id[PLAN_ID_LEN + 1], const struct strings *taken, struct error *err)
{
	do {
		if (host_random_hex(ret_id, PLAN_ID_LEN / 2, err) < 0)
			return -1;
	} while (strings_contain(taken, ret_id));
	return 0;
}

char *plan_temp_path(const char *path, const char *id, struct error *err)
{
	_cleanup_free_ char *dir = path_dirname(path, err);
	_cleanup_free_ char *name = NULL;

	if (dir == NULL)
		return NULL;
	name = str_format(err, ".rootlatch-%s-%s~", id, path_basename(path));
	if (name != NULL && strlen(name) > NAME_MAX) {
		(void)error_set(err, ERROR_REFUSED, "%s: the name is too long for a hidden file "
				"beside it", path);
		(void)error_hint(err, "Nothing was changed. Give the file a shorter name.");
		return NULL;
	}
	return name != NULL ? path_join(dir, name, err) : NULL;
}

static int insert(struct plan *p, size_t at, struct step *s, struct error *err)
{
	if (p->len == p->cap) {
		size_t cap = p->cap != 0 ? p->cap * 2 : 4;
		struct step *steps = realloc(p->steps, cap * sizeof(*steps));

		if (steps == NULL) {
			step_release(s);
			return error_oom(err);
		}
		p->steps = steps;
		p->cap = cap;
	}
	memmove(&p->steps[at + 1], &p->steps[at], (p->len - at) * sizeof(*p->steps));
	s->number = (unsigned)p->len++;
	p->steps[at] = *s;
	*s = (struct step){ 0 };
	return 0;
}

int plan_add(struct plan *p, struct step *s, struct error *err)
{
	return insert(p, p->len, s, err);
}

int plan_prepend(struct plan *p, struct step *s, struct error *err)
{
	return insert(p, 0, s, err);
}

bool plan_has_small(const struct plan *p)
{
	for (size_t i = 0; i < p->len; i++)
		if (step_is_small(&p->steps[i]))
			return true;
	return false;
}

static bool is_folder_of_any(const char *folder, const struct strings *paths)
{
	size_t len = strlen(folder);

	for (size_t i = 0; i < paths->len; i++)
		if (strncmp(paths->items[i], folder, len) == 0 &&
		    path_basename(paths->items[i]) == paths->items[i] + len + 1)
			return true;
	return false;
}

int plan_settle_times(const struct host *h, const struct plan *p, const struct strings *tidied,
		      bool applied, struct error *err)
{
	for (size_t i = 0; i < p->len; i++) {
		const struct step *s = &p->steps[i];

		if (s->kind == STEP_TIMES && is_folder_of_any(s->path, tidied) &&
		    (applied ? step_finish(h, s, err) : step_revert(h, s, err)) < 0)
			return -1;
	}
	return 0;
}

json_t *strings_to_json(const struct strings *s, struct error *err)
{
	_cleanup_json_ json_t *array = json_array();

	for (size_t i = 0; i < s->len; i++)
		if (json_push(array, json_string(s->items[i]), err) < 0)
			return NULL;
	return json_incref(array);
}

int strings_from_json(const json_t *array, struct strings *ret, struct error *err)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *item = json_string_value(json_array_get(array, i));

		if (item == NULL)
			return error_set(err, ERROR_REFUSED, "a list with something else than text");
		if (strings_add(ret, item, err) < 0)
			return -1;
	}
	return 0;
}

json_t *plan_to_json(const struct plan *p, struct error *err)
{
	_cleanup_json_ json_t *json = json_object();
	_cleanup_json_ json_t *steps = json_array();

	for (size_t i = 0; i < p->len; i++) {
		json_t *step = step_to_json(&p->steps[i], err);

		if (step == NULL || json_push(steps, step, err) < 0)
			return NULL;
	}
	if (json_put(json, "id", json_string(p->id), err) < 0 ||
	    json_put(json, "steps", json_incref(steps), err) < 0 ||
	    json_put(json, "on_commit", strings_to_json(&p->on_commit, err), err) < 0 ||
	    json_put(json, "on_abort", strings_to_json(&p->on_abort, err), err) < 0)
		return NULL;
	return json_incref(json);
}

static int steps_from_json(const json_t *array, struct plan *p, struct error *err)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		struct step s = { 0 };

		if (step_from_json(json_array_get(array, i), &s, err) < 0 ||
		    plan_add(p, &s, err) < 0)
			return error_prefix(err, "step %zu", i + 1);
	}
	return 0;
}

static int require_clean(const struct strings *paths, struct error *err)
{
	for (size_t i = 0; i < paths->len; i++)
		if (!path_is_clean(paths->items[i]))
			return error_set(err, ERROR_REFUSED, "a path that is not clean and absolute");
	return 0;
}

int plan_from_json(const json_t *json, struct plan *ret, struct error *err)
{
	_cleanup_plan_ struct plan p = PLAN_INIT;
	json_t *steps, *on_commit, *on_abort;
	const char *id;

	if (json_need_string(json, "id", &id, err) < 0 ||
	    json_need_array(json, "steps", &steps, err) < 0 ||
	    json_need_array(json, "on_commit", &on_commit, err) < 0 ||
	    json_need_array(json, "on_abort", &on_abort, err) < 0)
		return -1;
	if (strlen(id) != PLAN_ID_LEN || strspn(id, "0123456789abcdef") != PLAN_ID_LEN)
		return error_set(err, ERROR_REFUSED, "\"id\" is no transaction's");
	memcpy(p.id, id, sizeof(p.id));
	if (steps_from_json(steps, &p, err) < 0 ||
	    strings_from_json(on_commit, &p.on_commit, err) < 0 ||
	    strings_from_json(on_abort, &p.on_abort, err) < 0)
		return -1;
	if (require_clean(&p.on_commit, err) < 0 || require_clean(&p.on_abort, err) < 0)
		return -1;
	*ret = p;
	p = (struct plan)PLAN_INIT;
	return 0;
}

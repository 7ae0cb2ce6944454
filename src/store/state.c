/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: state.json is replaced whole, and is sealed by its own digest.
 */
#include "store/state.h"

#include <errno.h>

#include "store/state_json.h"

#define STATE_FILE "state.json"

void state_service_free(struct state_service *s)
{
	if (s == NULL)
		return;
	strings_release(&s->before);
	strings_release(&s->after);
	free(s);
}

void state_toggle_release(struct state_toggle *t)
{
	free(t->name);
	free(t->by);
	free(t->reason);
	free(t->boot);
	free(t->watch);
	strings_release(&t->closers);
	strings_release(&t->from);
	free(t->placement);
	free(t->allow);
	free(t->was);
	free(t->is);
	free(t->others);
	free(t->config);
	strings_release(&t->closure);
	state_service_free(t->service);
	*t = (struct state_toggle){ 0 };
}

void state_file_release(struct state_file *f)
{
	for (size_t i = 0; i < f->len; i++) {
		free(f->edits[i].toggle);
		edit_release(&f->edits[i].edit);
	}
	free(f->edits);
	free(f->path);
	free(f->twin);
	free(f->saved);
	*f = (struct state_file){ 0 };
}

static void event_release(struct state_event *e)
{
	free(e->command);
	free(e->toggle);
}

static void image_release(struct state_image *i)
{
	strings_release(&i->applied);
	*i = (struct state_image){ .applied = STRINGS_INIT };
}

void state_release(struct state *s)
{
	for (size_t i = 0; i < s->n_images; i++)
		image_release(&s->images[i]);
	free(s->images);
	for (size_t i = 0; i < s->n_toggles; i++)
		state_toggle_release(&s->toggles[i]);
	for (size_t i = 0; i < s->n_files; i++)
		state_file_release(&s->files[i]);
	for (size_t i = 0; i < s->n_events; i++)
		event_release(&s->events[i]);
	free(s->toggles);
	free(s->files);
	free(s->events);
	*s = (struct state)STATE_INIT;
}

struct state_toggle *state_find_toggle(const struct state *s, const char *name)
{
	for (size_t i = 0; i < s->n_toggles; i++)
		if (strcmp(s->toggles[i].name, name) == 0)
			return &s->toggles[i];
	return NULL;
}

struct state_file *state_find_file(const struct state *s, const char *path)
{
	for (size_t i = 0; i < s->n_files; i++)
		if (strcmp(s->files[i].path, path) == 0)
			return &s->files[i];
	return NULL;
}

/* One more place at the end of an array; NULL when there is no memory. */
static void *grow(void *array, size_t len, size_t size, struct error *err)
{
	void *more = reallocarray(array, len + 1, size);

	if (more == NULL)
		(void)error_oom(err);
	return more;
}

int state_add_toggle(struct state *s, struct state_toggle *t, struct error *err)
{
	struct state_toggle *more = grow(s->toggles, s->n_toggles, sizeof(*more), err);

	if (more == NULL) {
		state_toggle_release(t);
		return -1;
	}
	s->toggles = more;
	s->toggles[s->n_toggles++] = *t;
	*t = (struct state_toggle){ 0 };
	return 0;
}

int state_add_file(struct state *s, struct state_file *f, struct error *err)
{
	struct state_file *more = grow(s->files, s->n_files, sizeof(*more), err);

	if (more == NULL) {
		state_file_release(f);
		return -1;
	}
	s->files = more;
	s->files[s->n_files++] = *f;
	*f = (struct state_file){ 0 };
	return 0;
}

int state_add_edit(struct state_file *f, const char *toggle, const struct edit *edit,
		   bool harmless, struct error *err)
{
	_cleanup_free_ char *name = str_dup(toggle, err);
	struct state_edit *more;
	struct edit copy = EDIT_INIT;

	if (name == NULL || edit_copy(edit, &copy, err) < 0)
		return -1;
	more = grow(f->edits, f->len, sizeof(*more), err);
	if (more == NULL) {
		edit_release(&copy);
		return -1;
	}
	f->edits = more;
	f->edits[f->len++] = (struct state_edit){ .toggle = TAKE_PTR(name), .edit = copy,
						     .harmless = harmless };
	return 0;
}

int state_add_event(struct state *s, const char *id, const char *command, const char *toggle,
		    const char *undoes, int64_t at_ns, struct error *err)
{
	struct state_event e = { .at_ns = at_ns };
	struct state_event *more;

	memcpy(e.id, id, sizeof(e.id));
	if (undoes != NULL)
		memcpy(e.undoes, undoes, sizeof(e.undoes));
	e.command = str_dup(command, err);
	e.toggle = str_dup(toggle, err);
	more = grow(s->events, s->n_events, sizeof(*more), err);
	if (e.command == NULL || e.toggle == NULL || more == NULL) {
		s->events = more != NULL ? more : s->events;
		event_release(&e);
		return -1;
	}
	s->events = more;
	s->events[s->n_events++] = e;
	if (s->n_events > STATE_HISTORY_MAX) {
		event_release(&s->events[0]);
		memmove(s->events, s->events + 1, --s->n_events * sizeof(*s->events));
	}
	return 0;
}

int state_add_image(struct state *s, const char *id, const struct strings *applied,
		    struct error *err)
{
	struct state_image *more = grow(s->images, s->n_images, sizeof(*more), err);
	struct state_image i = { .applied = STRINGS_INIT };

	if (more == NULL)
		return -1;
	s->images = more;
	(void)memcpy(i.id, id, sizeof(i.id));
	if (strings_copy(applied, &i.applied, err) < 0) {
		image_release(&i);
		return -1;
	}
	s->images[s->n_images++] = i;
	return 0;
}

static bool is_key_of(const struct state_toggle *t, const char *key)
{
	size_t len = strlen(t->id);

	return strncmp(key, t->id, len) == 0 && key[len] == ' ' &&
	       strcmp(key + len + 1, t->name) == 0;
}

static bool is_applied(const struct state *s, const char *key)
{
	for (size_t i = 0; i < s->n_toggles; i++)
		if (is_key_of(&s->toggles[i], key))
			return true;
	return false;
}

void state_drop_images(struct state *s, bool all)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n_images; i++) {
		bool dead = all;

		for (size_t k = 0; k < s->images[i].applied.len; k++)
			dead |= !is_applied(s, s->images[i].applied.items[k]);
		if (dead)
			image_release(&s->images[i]);
		else
			s->images[kept++] = s->images[i];
	}
	s->n_images = kept;
}

int state_service_ids(const struct state *s, struct strings *ret, struct error *err)
{
	for (size_t i = 0; i < s->n_toggles; i++)
		if (s->toggles[i].service != NULL &&
		    strings_addf(ret, err, "%s %s", s->toggles[i].id, s->toggles[i].name) < 0)
			return -1;
	strings_sort(ret);
	return 0;
}

void state_remove_toggle(struct state *s, const char *name)
{
	struct state_toggle *t = state_find_toggle(s, name);

	if (t == NULL)
		return;
	state_toggle_release(t);
	s->n_toggles--;
	memmove(t, t + 1, (size_t)(s->toggles + s->n_toggles - t) * sizeof(*t));
}

void state_remove_file(struct state *s, const char *path)
{
	struct state_file *f = state_find_file(s, path);

	if (f == NULL)
		return;
	state_file_release(f);
	s->n_files--;
	memmove(f, f + 1, (size_t)(s->files + s->n_files - f) * sizeof(*f));
}

int state_ids(const struct state *s, struct strings *ret_ids, struct error *err)
{
	for (size_t i = 0; i < s->n_events; i++)
		if (strings_add(ret_ids, s->events[i].id, err) < 0)
			return -1;
	for (size_t i = 0; i < s->n_toggles; i++)
		if (strings_add(ret_ids, s->toggles[i].id, err) < 0)
			return -1;
	for (size_t i = 0; i < s->n_images; i++)
		if (strings_add(ret_ids, s->images[i].id, err) < 0)
			return -1;
	/* a base image may come from a toggle that is reverted already */
	for (size_t i = 0; i < s->n_files; i++) {
		const char *in = s->files[i].saved != NULL ? strstr(s->files[i].saved, "/snapshots/") :
							     NULL;

		if (in != NULL &&
		    strings_addn(ret_ids, in + strlen("/snapshots/"), PLAN_ID_LEN, err) < 0)
			return -1;
	}
	return 0;
}

int state_read(const struct store *store, struct state *ret, struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;
	_cleanup_json_ json_t *body = NULL;
	_cleanup_free_ char *path = store_path(store, STATE_FILE, err);
	struct error why = ERROR_INIT;
	struct digest seal;

	if (path == NULL)
		return -1;
	if (slot_read(store, STATE_FILE, &text, &why) < 0) {
		if (why.sys_errno == ENOENT)
			return 0;
		*err = why;
		return -1;
	}
	if (json_unseal(slice_of(text.data, text.len), path, STATE_SCHEMA, &body, &seal, err) < 0)
		return -1;
	if (state_from_json(body, ret, err) < 0)
		return error_prefix(err, "%s", path);
	ret->seal = seal;
	return 0;
}

int state_is_current(const struct store *store, const struct state *s, bool *ret_is,
		     struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;
	struct error why = ERROR_INIT;

	if (slot_read(store, STATE_FILE, &text, &why) == 0) {
		*ret_is = json_seal_is(slice_of(text.data, text.len), &s->seal);
		return 0;
	}
	if (why.sys_errno != ENOENT) {
		*err = why;
		return -1;
	}
	*ret_is = s->seal.hex[0] == '\0';
	return 0;
}

int state_write(const struct store *store, const struct state *s, struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;
	_cleanup_json_ json_t *body = state_to_json(s, err);

	if (body == NULL || json_seal(body, STATE_SCHEMA, &text, err) < 0)
		return -1;
	return slot_write(store, STATE_FILE, slice_of(text.data, text.len), err);
}

int state_check_reserve(const struct store *store, struct error *err)
{
	return slot_check_spare(store, STATE_FILE, err);
}

int state_reserve(const struct store *store, struct error *err)
{
	const struct state empty = STATE_INIT;

	if (!slot_exists(store, STATE_FILE) && state_write(store, &empty, err) < 0)
		return -1;
	return slot_reserve(store, STATE_FILE, err);
}

int state_copy(const struct state *s, struct state *ret, struct error *err)
{
	_cleanup_json_ json_t *json = state_to_json(s, err);

	return json == NULL ? -1 : state_from_json(json, ret, err);
}

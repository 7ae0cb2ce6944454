/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/state_json.h"

#include "base/text.h"

static const char *const kind_names[] = {
	[EDIT_DISABLE] = "disable",
	[EDIT_SET] = "set",
	[EDIT_INSERT] = "insert",
};

json_t *state_meta_to_json(const struct host_meta *m)
{
	return json_pack("{s:i, s:i, s:i, s:I, s:s}", "mode", (int)m->mode, "uid", (int)m->uid,
			 "gid", (int)m->gid, "mtime_ns", (json_int_t)m->mtime_ns, "attrs",
			 m->attrs.hex);
}

static const char *or_none(const char *s)
{
	return s != NULL ? s : "";
}

static json_t *service_to_json(const struct state_service *s, struct error *err)
{
	_cleanup_json_ json_t *json = json_pack(
		"{s:b, s:b, s:b, s:b, s:i, s:i, s:s}", "on", s->on, "stopped", s->stopped,
		"started", s->started, "removed", s->removed, "mode_before", (int)s->mode_before, "mode_after", (int)s->mode_after,
		"script", s->script.hex);

	if (json == NULL || json_put(json, "before", strings_to_json(&s->before, err), err) < 0 ||
	    json_put(json, "after", strings_to_json(&s->after, err), err) < 0)
		return NULL;
	return json_incref(json);
}

static json_t *toggle_to_json(const struct state_toggle *t, struct error *err)
{
	_cleanup_json_ json_t *json = json_pack(
		"{s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:s?, s:s, s:s, s:s, s:s, s:s, s:s}", "name",
		t->name, "id", t->id, "since_ns", (json_int_t)t->since_ns, "until_ns",
		(json_int_t)t->until_ns, "until_boot_ns", (json_int_t)t->until_boot_ns, "boot",
		or_none(t->boot), "watch", or_none(t->watch), "by", t->by, "reason", t->reason, "placement",
		t->placement, "allow", t->allow, "was", t->was, "is", t->is, "others",
		or_none(t->others),
		"config", t->config);

	if (json == NULL || json_put(json, "closure", strings_to_json(&t->closure, err), err) < 0 ||
	    json_put(json, "closers", strings_to_json(&t->closers, err), err) < 0 ||
	    json_put(json, "from", strings_to_json(&t->from, err), err) < 0 ||
	    (t->service != NULL &&
	     json_put(json, "service", service_to_json(t->service, err), err) < 0))
		return NULL;
	return json_incref(json);
}

static int put_encoded(json_t *json, const char *key, const char *line, struct error *err)
{
	_cleanup_free_ char *text = NULL;

	if (line == NULL)
		return 0;
	text = text_encode(line, err);
	return text == NULL ? -1 : json_put(json, key, json_string(text), err);
}

static json_t *edit_to_json(const struct state_edit *e, struct error *err)
{
	_cleanup_json_ json_t *changes = json_array();

	for (size_t i = 0; i < e->edit.len; i++) {
		const struct edit_change *c = &e->edit.changes[i];
		json_t *json = json_pack("{s:s}", "kind", kind_names[c->kind]);

		if (json_push(changes, json, err) < 0 ||
		    put_encoded(json, "original", c->original, err) < 0 ||
		    put_encoded(json, "ours", c->ours, err) < 0)
			return NULL;
	}
	return json_pack("{s:s, s:s, s:b, s:O}", "toggle", e->toggle, "id", e->edit.id, "harmless",
			 e->harmless, "changes", changes);
}

static json_t *file_to_json(const struct state_file *f, struct error *err)
{
	_cleanup_json_ json_t *edits = json_array();

	for (size_t i = 0; i < f->len; i++)
		if (json_push(edits, edit_to_json(&f->edits[i], err), err) < 0)
			return NULL;
	return json_pack("{s:s, s:b, s:s, s:s, s:s, s:o, s:s, s:o, s:O}", "path", f->path, "made",
			 f->made, "twin", or_none(f->twin), "saved", or_none(f->saved), "base", f->base.hex,
			 "base_meta", state_meta_to_json(&f->base_meta), "left", f->left.hex, "left_meta",
			 state_meta_to_json(&f->left_meta), "edits", edits);
}

static json_t *event_to_json(const struct state_event *e)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:I}", "id", e->id, "command", e->command, "toggle",
			 e->toggle, "undoes", e->undoes, "at_ns", (json_int_t)e->at_ns);
}

static json_t *images_to_json(const struct state *s, struct error *err)
{
	_cleanup_json_ json_t *images = json_array();

	for (size_t i = 0; i < s->n_images; i++) {
		json_t *one = json_pack("{s:s}", "id", s->images[i].id);

		if (json_push(images, one, err) < 0 ||
		    json_put(one, "applied", strings_to_json(&s->images[i].applied, err), err) < 0)
			return NULL;
	}
	return json_incref(images);
}

/* Where no service toggle ever was there is nothing of it in the file. */
static int put_boot(json_t *json, const struct state *s, struct error *err)
{
	if (s->boot_left.hex[0] == '\0' && s->n_images == 0)
		return 0;
	return json_put(json, "boot_left", json_string(s->boot_left.hex), err) < 0 ?
		       -1 : json_put(json, "images", images_to_json(s, err), err);
}

json_t *state_to_json(const struct state *s, struct error *err)
{
	_cleanup_json_ json_t *json = json_object(), *toggles = json_array(),
				*files = json_array(), *events = json_array();

	for (size_t i = 0; i < s->n_toggles; i++)
		if (json_push(toggles, toggle_to_json(&s->toggles[i], err), err) < 0)
			return NULL;
	for (size_t i = 0; i < s->n_files; i++)
		if (json_push(files, file_to_json(&s->files[i], err), err) < 0)
			return NULL;
	for (size_t i = 0; i < s->n_events; i++)
		if (json_push(events, event_to_json(&s->events[i]), err) < 0)
			return NULL;
	if (json_put(json, "generation", json_integer(s->generation), err) < 0 ||
	    json_put(json, "toggles", json_incref(toggles), err) < 0 ||
	    json_put(json, "files", json_incref(files), err) < 0 ||
	    json_put(json, "events", json_incref(events), err) < 0 ||
	    json_put(json, "reloaded_pid", json_integer(s->reloaded.pid), err) < 0 ||
	    json_put(json, "reloaded_start", json_integer((json_int_t)s->reloaded.start_ticks),
		     err) < 0 ||
	    json_put(json, "reloaded_ns", json_integer(s->reloaded_ns), err) < 0 ||
	    put_boot(json, s, err) < 0)
		return NULL;
	return json_incref(json);
}

static int copy_string(const json_t *json, const char *key, char **ret, struct error *err)
{
	const char *s;

	if (json_need_string(json, key, &s, err) < 0)
		return -1;
	*ret = str_dup(s, err);
	return *ret == NULL ? -1 : 0;
}

static int copy_strings(const json_t *json, const char *key, struct strings *ret,
			struct error *err)
{
	json_t *array;

	return json_need_array(json, key, &array, err) < 0 ? -1 :
							     strings_from_json(array, ret, err);
}

/* With `may_be_none` also "": there is no such file. */
static int copy_path(const json_t *json, const char *key, bool may_be_none, char **ret,
		     struct error *err)
{
	const char *path = json_get_string(json, key, NULL);

	if (may_be_none && path != NULL && path[0] == '\0')
		return copy_string(json, key, ret, err);
	return json_need_path(json, key, ret, err);
}

static int copy_id(const json_t *json, const char *key, char ret[PLAN_ID_LEN + 1],
		   struct error *err)
{
	const char *id;

	if (json_need_string(json, key, &id, err) < 0)
		return -1;
	if (!marker_id_valid(id))
		return error_set(err, ERROR_REFUSED, "\"%s\" is no transaction's id", key);
	memcpy(ret, id, PLAN_ID_LEN + 1);
	return 0;
}

static int meta_from_json(const json_t *json, bool may_be_none, struct host_meta *ret,
			  struct error *err)
{
	int64_t mode, uid, gid;

	if (json_need_int(json, "mode", &mode, err) < 0 ||
	    json_need_int(json, "uid", &uid, err) < 0 ||
	    json_need_int(json, "gid", &gid, err) < 0 ||
	    json_need_int(json, "mtime_ns", &ret->mtime_ns, err) < 0 ||
	    json_need_digest(json, "attrs", may_be_none, &ret->attrs, err) < 0)
		return -1;
	ret->mode = (mode_t)mode & 07777;
	ret->uid = (uid_t)uid;
	ret->gid = (gid_t)gid;
	return 0;
}

static int service_from_json(const json_t *json, struct state_service **ret, struct error *err)
{
	struct state_service *s;
	int64_t before, after;

	if (json == NULL)
		return 0;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return error_oom(err);
	*ret = s;
	s->on = json_get_bool(json, "on");
	s->stopped = json_get_bool(json, "stopped");
	s->started = json_get_bool(json, "started");
	s->removed = json_get_bool(json, "removed");
	if (json_need_int(json, "mode_before", &before, err) < 0 ||
	    json_need_int(json, "mode_after", &after, err) < 0 ||
	    json_need_digest(json, "script", true, &s->script, err) < 0 ||
	    copy_strings(json, "before", &s->before, err) < 0 ||
	    copy_strings(json, "after", &s->after, err) < 0)
		return -1;
	s->mode_before = (mode_t)before & 07777;
	s->mode_after = (mode_t)after & 07777;
	return 0;
}

static bool is_of_a_service(const char *name)
{
	return strncmp(name, "service/", strlen("service/")) == 0;
}

static int toggle_from_json(const json_t *json, struct state *s, struct error *err)
{
	struct state_toggle t = { 0 };
	const char *reason = json_get_string(json, "reason", NULL);

	if (copy_strings(json, "closure", &t.closure, err) < 0 ||
	    copy_strings(json, "closers", &t.closers, err) < 0 ||
	    copy_strings(json, "from", &t.from, err) < 0 ||
	    copy_string(json, "name", &t.name, err) < 0 ||
	    copy_id(json, "id", t.id, err) < 0 ||
	    json_need_int(json, "since_ns", &t.since_ns, err) < 0 ||
	    json_need_int(json, "until_ns", &t.until_ns, err) < 0 ||
	    json_need_int(json, "until_boot_ns", &t.until_boot_ns, err) < 0 ||
	    copy_string(json, "boot", &t.boot, err) < 0 ||
	    copy_path(json, "watch", true, &t.watch, err) < 0 ||
	    copy_string(json, "by", &t.by, err) < 0 ||
	    copy_string(json, "placement", &t.placement, err) < 0 ||
	    copy_string(json, "allow", &t.allow, err) < 0 ||
	    copy_string(json, "was", &t.was, err) < 0 || copy_string(json, "is", &t.is, err) < 0 ||
	    copy_string(json, "others", &t.others, err) < 0 ||
	    json_need_path(json, "config", &t.config, err) < 0 ||
	    service_from_json(json_object_get(json, "service"), &t.service, err) < 0)
		goto failed;
	/* two of one name would be reverted as one */
	if (t.name[0] == '\0' || !text_is_plain(t.name) || state_find_toggle(s, t.name) != NULL) {
		(void)error_set(err, ERROR_REFUSED, "a toggle without a name, or with another's");
		goto failed;
	}
	if (is_of_a_service(t.name) != (t.service != NULL)) {
		(void)error_set(err, ERROR_REFUSED, "%s has another kind's record", t.name);
		goto failed;
	}
	if (reason != NULL && (t.reason = str_dup(reason, err)) == NULL)
		goto failed;
	return state_add_toggle(s, &t, err);
failed:
	state_toggle_release(&t);
	return -1;
}

static int change_from_json(const json_t *json, struct edit *edit, struct error *err)
{
	const char *original = json_get_string(json, "original", NULL);
	const char *ours = json_get_string(json, "ours", NULL);
	_cleanup_free_ char *original_line = NULL, *ours_line = NULL;
	const char *kind;

	if (json_need_string(json, "kind", &kind, err) < 0)
		return -1;
	if (original != NULL && (original_line = text_decode(original, err)) == NULL)
		return -1;
	if (ours != NULL && (ours_line = text_decode(ours, err)) == NULL)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(kind_names); i++)
		if (strcmp(kind, kind_names[i]) == 0)
			return edit_add(edit, (enum edit_kind)i, original_line, ours_line, err);
	return error_set(err, ERROR_REFUSED, "\"kind\" %s", kind);
}

static int edit_from_json(const json_t *json, struct state_file *f, struct error *err)
{
	_cleanup_edit_ struct edit edit = EDIT_INIT;
	const char *toggle;
	json_t *changes;

	if (json_need_string(json, "toggle", &toggle, err) < 0 ||
	    copy_id(json, "id", edit.id, err) < 0 ||
	    json_need_array(json, "changes", &changes, err) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(changes); i++)
		if (change_from_json(json_array_get(changes, i), &edit, err) < 0)
			return -1;
	return state_add_edit(f, toggle, &edit, json_get_bool(json, "harmless"), err);
}

static int file_from_json(const json_t *json, struct state *s, struct error *err)
{
	struct state_file f = { 0 };
	json_t *edits;

	f.made = json_get_bool(json, "made");
	if (json_need_path(json, "path", &f.path, err) < 0 ||
	    copy_path(json, "twin", f.made, &f.twin, err) < 0 ||
	    copy_path(json, "saved", f.made, &f.saved, err) < 0 ||
	    json_need_digest(json, "base", true, &f.base, err) < 0 ||
	    meta_from_json(json_object_get(json, "base_meta"), f.made, &f.base_meta, err) < 0 ||
	    json_need_digest(json, "left", false, &f.left, err) < 0 ||
	    meta_from_json(json_object_get(json, "left_meta"), false, &f.left_meta, err) < 0 ||
	    json_need_array(json, "edits", &edits, err) < 0)
		goto failed;
	for (size_t i = 0; i < json_array_size(edits); i++)
		if (edit_from_json(json_array_get(edits, i), &f, err) < 0)
			goto failed;
	return state_add_file(s, &f, err);
failed:
	state_file_release(&f);
	return -1;
}

static int event_from_json(const json_t *json, struct state *s, struct error *err)
{
	const char *undoes = json_get_string(json, "undoes", "");
	const char *command, *toggle;
	char id[PLAN_ID_LEN + 1];
	int64_t at_ns;

	if (copy_id(json, "id", id, err) < 0 ||
	    json_need_string(json, "command", &command, err) < 0 ||
	    json_need_string(json, "toggle", &toggle, err) < 0 ||
	    json_need_int(json, "at_ns", &at_ns, err) < 0)
		return -1;
	return state_add_event(s, id, command, toggle, marker_id_valid(undoes) ? undoes : NULL,
			       at_ns, err);
}

static int image_from_json(const json_t *json, struct state *s, struct error *err)
{
	_cleanup_strings_ struct strings applied = STRINGS_INIT;
	char id[PLAN_ID_LEN + 1];

	if (copy_id(json, "id", id, err) < 0 || copy_strings(json, "applied", &applied, err) < 0)
		return -1;
	return state_add_image(s, id, &applied, err);
}

/* What opens is the opening's that made it: under another name the opening would seem to be
 * closed, and what is left of it would be tidied up, long before its deadline. */
static int check_edits(const struct state *s, const struct state_file *f, struct error *err)
{
	for (size_t i = 0; i < f->len; i++)
		for (size_t k = 0; k < s->n_toggles; k++)
			if (!f->edits[i].harmless &&
			    strcmp(f->edits[i].edit.id, s->toggles[k].id) == 0 &&
			    strcmp(f->edits[i].toggle, s->toggles[k].name) != 0)
				return error_set(err, ERROR_REFUSED, "%s was changed by %s, which is not "
						 "the toggle of that transaction", f->path,
						 f->edits[i].toggle);
	return 0;
}

static int each(const json_t *json, const char *key, struct state *s,
		int (*one)(const json_t *, struct state *, struct error *), struct error *err)
{
	json_t *array;

	if (json_need_array(json, key, &array, err) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(array); i++)
		if (one(json_array_get(array, i), s, err) < 0)
			return error_prefix(err, "%s %zu", key, i + 1);
	return 0;
}

int state_from_json(const json_t *json, struct state *ret, struct error *err)
{
	_cleanup_state_ struct state s = STATE_INIT;

	if (json_need_int(json, "generation", &s.generation, err) < 0 ||
	    each(json, "toggles", &s, toggle_from_json, err) < 0 ||
	    each(json, "files", &s, file_from_json, err) < 0 ||
	    each(json, "events", &s, event_from_json, err) < 0 ||
	    (json_object_get(json, "boot_left") != NULL &&
	     (json_need_digest(json, "boot_left", true, &s.boot_left, err) < 0 ||
	      each(json, "images", &s, image_from_json, err) < 0)))
		return -1;
	for (size_t i = 0; i < s.n_files; i++)
		if (check_edits(&s, &s.files[i], err) < 0)
			return error_prefix(err, "files %zu", i + 1);
	s.reloaded.pid = (pid_t)json_get_int(json, "reloaded_pid", 0);
	s.reloaded.start_ticks = (uint64_t)json_get_int(json, "reloaded_start", 0);
	s.reloaded_ns = json_get_int(json, "reloaded_ns", 0);
	*ret = s;
	s = (struct state)STATE_INIT;
	return 0;
}

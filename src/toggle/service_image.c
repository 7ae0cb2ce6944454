/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/path.h"
#include "base/text.h"
#include "toggle/service.h"

#include <stdio.h>

bool service_is_depend(const char *path)
{
	return strcmp(path, SERVICE_INITD ".depend.boot") == 0 ||
	       strcmp(path, SERVICE_INITD ".depend.start") == 0 ||
	       strcmp(path, SERVICE_INITD ".depend.stop") == 0;
}

static bool is_depend(const struct host_tree_entry *e)
{
	return service_is_depend(e->path);
}

/* Neither insserv nor rc looks at it: a twin of ours, a package's .dpkg-new. */
static bool is_hidden(const struct host_tree_entry *e)
{
	return strrchr(e->path, '/')[1] == '.' && !is_depend(e);
}

static int add_line(const struct host_tree_entry *e, struct buffer *ret, struct error *err)
{
	if (is_hidden(e))
		return 0;
	switch (e->kind) {
	case HOST_TREE_LINK:
		return buffer_printf(ret, err, "link %s\n%s\n", e->path, e->target);
	case HOST_TREE_FILE:
		return buffer_printf(ret, err, "file %s\n%o %u %u %s\n", e->path, (unsigned)e->mode,
				     (unsigned)e->uid, (unsigned)e->gid,
				     is_depend(e) ? host_tree_digest(e).hex : "");
	default:
		return 0; /* an empty *.wants folder decides nothing */
	}
}

int service_tree_digest(const struct host_tree *t, struct digest *ret, struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;

	for (size_t i = 0; i < t->len; i++)
		if (add_line(&t->items[i], &text, err) < 0)
			return -1;
	*ret = digest_of(text.data != NULL ? text.data : "", text.len);
	return 0;
}

static json_t *put_text(json_t *json, const char *key, const char *s, struct error *err)
{
	_cleanup_free_ char *text = text_encode(s, err);

	return text == NULL || json_put(json, key, json_string(text), err) < 0 ? NULL : json;
}

static json_t *entry_to_json(const struct host_tree_entry *e, struct error *err)
{
	_cleanup_json_ json_t *json = json_pack("{s:i, s:i, s:I}", "kind", (int)e->kind, "mode",
						(int)e->mode, "mtime_ns", (json_int_t)e->mtime_ns);

	if (json == NULL || put_text(json, "path", e->path, err) == NULL ||
	    (e->kind == HOST_TREE_LINK && put_text(json, "target", e->target, err) == NULL))
		return NULL;
	/* the text of scripts stays what it is */
	if (is_depend(e) && e->kind == HOST_TREE_FILE) {
		_cleanup_free_ char *bytes = str_ndup(e->bytes.data != NULL ? e->bytes.data : "",
						      e->bytes.len, err);

		if (bytes != NULL && strlen(bytes) != e->bytes.len) {
			(void)error_set(err, ERROR_REFUSED, "%s has a NUL byte in it", e->path);
			(void)error_hint(err, "Nothing was changed. `insserv` writes it anew.");
			return NULL;
		}
		if (bytes == NULL || put_text(json, "bytes", bytes, err) == NULL)
			return NULL;
	}
	return json_incref(json);
}

json_t *service_image_to_json(const struct host_tree *t, struct error *err)
{
	_cleanup_json_ json_t *entries = json_array();

	for (size_t i = 0; i < t->len; i++) {
		json_t *entry;

		if (t->items[i].kind == HOST_TREE_OTHER || is_hidden(&t->items[i]))
			continue;
		entry = entry_to_json(&t->items[i], err);
		if (entry == NULL || json_push(entries, entry, err) < 0)
			return NULL;
	}
	return json_incref(entries);
}

static char *get_text(const json_t *json, const char *key, struct error *err)
{
	const char *text;

	return json_need_string(json, key, &text, err) < 0 ? NULL : text_decode(text, err);
}

/* A file that is there keeps its text, but for a .depend file's. */
static int put_file(const json_t *json, const char *path, struct host_tree *t, struct error *err)
{
	struct host_tree_entry *e = host_tree_find(t, path);
	_cleanup_free_ char *bytes = NULL;

	if (e == NULL && service_is_depend(path)) {
		const struct host_tree_entry none = { .path = (char *)path, .kind = HOST_TREE_FILE,
						      .links = 1 };

		if (host_tree_put(t, &none, err) < 0)
			return -1;
		e = host_tree_find(t, path);
	}
	if (e == NULL || e->kind != HOST_TREE_FILE)
		return 0;
	e->mode = (mode_t)json_get_int(json, "mode", 0) & 07777;
	if (!is_depend(e))
		return 0;
	bytes = get_text(json, "bytes", err);
	if (bytes == NULL)
		return -1;
	e->mtime_ns = json_get_int(json, "mtime_ns", 0);
	buffer_release(&e->bytes);
	if (buffer_append_str(&e->bytes, bytes, err) < 0)
		return -1;
	return 0;
}

static int put_entry(const json_t *json, const char *path, struct host_tree *t, struct error *err)
{
	_cleanup_free_ char *target = NULL;
	struct host_tree_entry *e;

	switch ((enum host_tree_kind)json_get_int(json, "kind", HOST_TREE_OTHER)) {
	case HOST_TREE_LINK:
		target = get_text(json, "target", err);
		if (target == NULL || host_tree_put_link(t, path, target, err) < 0)
			return -1;
		host_tree_find(t, path)->mtime_ns = json_get_int(json, "mtime_ns", 0);
		return 0;
	case HOST_TREE_FOLDER:
		e = host_tree_find(t, path);
		if (e != NULL)
			e->mtime_ns = json_get_int(json, "mtime_ns", 0);
		return 0;
	case HOST_TREE_FILE:
		return put_file(json, path, t, err);
	default:
		return 0;
	}
}

/* Links and .depend files that the image does not have. */
static void remove_others(const struct strings *paths, struct host_tree *t)
{
	for (size_t i = t->len; i > 0; i--) {
		const struct host_tree_entry *e = &t->items[i - 1];

		if ((e->kind == HOST_TREE_LINK || is_depend(e)) && !is_hidden(e) && !strings_contain(paths, e->path))
			host_tree_remove(t, e->path);
	}
}

/* A path that an image can have: of one of `folders`, or within it, and spelled in one way. What is
 * put at any other would become a step that is done as root. */
static int check_path(const struct strings *folders, const char *path, struct error *err)
{
	_cleanup_free_ char *clean = path_clean("/", path, err);

	if (clean == NULL)
		return -1;
	for (size_t i = 0; i < folders->len; i++)
		if (path_is_below(path, folders->items[i]) && strcmp(clean, path) == 0)
			return 0;
	return error_set(err, ERROR_REFUSED, "its path is in no folder that decides at boot");
}

int service_image_apply(const json_t *image, struct host_tree *t, struct error *err)
{
	_cleanup_strings_ struct strings paths = STRINGS_INIT, folders = STRINGS_INIT;

	if (boot_folders(&folders, err) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(image); i++) {
		const json_t *json = json_array_get(image, i);
		_cleanup_free_ char *path = get_text(json, "path", err);

		if (path == NULL || check_path(&folders, path, err) < 0 ||
		    put_entry(json, path, t, err) < 0 ||
		    strings_add(&paths, path, err) < 0)
			return error_prefix(err, "boot.json, entry %zu", i + 1);
	}
	remove_others(&paths, t);
	return 0;
}

static int add_link(const struct host_tree *t, const char *path, struct strings *ret,
		    struct error *err)
{
	const struct host_tree_entry *e = host_tree_find(t, path);

	if (e == NULL || e->kind != HOST_TREE_LINK)
		return 0;
	return strings_addf(ret, err, "%s %s", path, e->target);
}

static int add_mask(const struct host_tree *t, const char *unit, struct strings *ret,
		    struct error *err)
{
	_cleanup_free_ char *path = str_format(err, "%s%s", SERVICE_UNITS, unit);

	return path == NULL ? -1 : add_link(t, path, ret, err);
}

int service_links(const struct host_tree *t, const struct boot_service *s, struct strings *ret,
		  struct error *err)
{
	for (size_t i = 0; i < s->n_links; i++)
		if (add_link(t, s->links[i].path, ret, err) < 0)
			return -1;
	for (size_t i = 0; i < s->unit.wanted.len; i++)
		if (add_link(t, s->unit.wanted.items[i], ret, err) < 0)
			return -1;
	for (size_t i = 0; i < s->unit.aliases.len; i++)
		if (add_mask(t, s->unit.aliases.items[i], ret, err) < 0)
			return -1;
	return s->unit.name != NULL ? add_mask(t, s->unit.name, ret, err) : 0;
}

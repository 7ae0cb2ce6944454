/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The unit of a service: which it is, whatever its name, and what starts it. It is looked at as
 * the next boot will find it: what is in /run counts only where nothing else is.
 */
#include "service/boot_units.h"

#include "base/path.h"

/* A name that systemd knows it by: its own, an alias, an instance of it. */
static bool is_name_of(const struct boot_unit *unit, const char *name)
{
	const char *at = strchr(unit->name, '@');

	if (strcmp(name, unit->name) == 0 || strings_contain(&unit->aliases, name))
		return true;
	return at != NULL && at[1] == '.' && boot_ends_with(name, ".service") &&
	       strncmp(name, unit->name, (size_t)(at + 1 - unit->name)) == 0;
}

char *boot_unit_name(const char *service, struct error *err)
{
	size_t len = strlen(service);

	return str_format(err, "%.*s.service",
			  (int)(boot_ends_with(service, ".sh") ? len - 3 : len), service);
}

/* Links in folders of units whose end it is. */
static int read_aliases(const struct boot_units *u, struct boot_unit *unit, struct error *err)
{
	for (size_t i = 0; i < u->n_files; i++) {
		const struct boot_unit_file *f = &u->files[i];
		const char *name;

		if (f->kind != BOOT_UNIT_ALIAS || strings_contain(&unit->aliases, f->name))
			continue;
		if (boot_units_find(u, f->name, BOOT_UNITS_LASTING | BOOT_UNITS_UNMASKED, &name) !=
			    NULL &&
		    strcmp(name, unit->name) == 0 && strings_add(&unit->aliases, f->name, err) < 0)
			return -1;
	}
	strings_sort(&unit->aliases);
	return 0;
}

/* Alias= of [Install], which systemctl(1) enable would make a link of. */
static int add_aliases_said(const struct boot_units *u, const struct boot_unit_text *text,
			    struct boot_unit *unit, struct error *err)
{
	for (size_t i = 0; i < text->aliases.len; i++) {
		const char *alias = text->aliases.items[i], *name;

		if (strcmp(alias, unit->name) != 0 && !strings_contain(&unit->aliases, alias) &&
		    boot_units_find(u, alias, BOOT_UNITS_LASTING, &name) == NULL &&
		    strings_add(&unit->aliases, alias, err) < 0)
			return -1;
	}
	strings_sort(&unit->aliases);
	return 0;
}

static int read_wanted(struct boot_reading *r, const struct boot_units *u,
		       const struct boot_reach *b, bool *ret_enabled, struct error *err)
{
	struct boot_unit *unit = &r->service->unit;

	*ret_enabled = false;
	for (size_t i = 0; i < u->n_wants; i++) {
		const struct boot_want *w = &u->wants[i];

		if (w->masked || !is_name_of(unit, w->name))
			continue;
		*ret_enabled = *ret_enabled || w->local;
		if (strings_add(&unit->wanted, w->path, err) < 0 ||
		    (boot_reach_wants(r, w) && strings_add(&r->starters, w->path, err) < 0))
			return -1;
	}
	for (size_t i = 0; i < b->names.len; i++)
		if (b->by.items[i][0] != '\0' && is_name_of(unit, b->names.items[i]) &&
		    strings_add(&r->starters, b->by.items[i], err) < 0)
			return -1;
	strings_sort(&unit->wanted);
	return 0;
}

/* Whether the socket, path or timer of that name starts the unit. */
static int starts_it(const struct boot_reading *r, const struct boot_units *u, const char *name,
		     const char **ret_name, bool *ret, struct error *err)
{
	const struct boot_unit_file *f = boot_units_find(u, name, BOOT_UNITS_LASTING, ret_name);
	_cleanup_boot_unit_text_ struct boot_unit_text text = BOOT_UNIT_TEXT_INIT;
	const struct boot_unit *unit = &r->service->unit;
	_cleanup_free_ char *same_stem = NULL, *template = NULL;
	int stem;

	*ret = false;
	if (f == NULL || f->kind != BOOT_UNIT_FILE)
		return 0;
	stem = (int)(strrchr(*ret_name, '.') - *ret_name);
	same_stem = str_format(err, "%.*s.service", stem, *ret_name);
	/* with Accept=yes it is an instance for each connection */
	template = str_format(err, "%.*s@.service", stem, *ret_name);
	if (same_stem == NULL || template == NULL ||
	    boot_units_text(r, u, f, *ret_name, &text, err) < 0)
		return -1;
	*ret = text.starts != NULL ? is_name_of(unit, text.starts) :
				     is_name_of(unit, same_stem) || is_name_of(unit, template);
	return 0;
}

static int read_sockets(const struct boot_reading *r, const struct boot_units *u,
			const struct boot_reach *b, struct error *err)
{
	struct strings *sockets = &r->service->unit.sockets;

	for (size_t i = 0; i < b->names.len; i++) {
		const char *reached = b->names.items[i], *name;
		bool starts;

		if (!boot_ends_with(reached, ".socket") && !boot_ends_with(reached, ".path") &&
		    !boot_ends_with(reached, ".timer"))
			continue;
		if (starts_it(r, u, reached, &name, &starts, err) < 0 ||
		    (starts && !strings_contain(sockets, name) && strings_add(sockets, name, err) < 0))
			return -1;
	}
	strings_sort(sockets);
	return 0;
}

static const char *alias_link(const struct boot_units *u, const struct strings *aliases)
{
	for (size_t i = 0; i < u->n_files; i++)
		if (u->files[i].local && u->files[i].kind == BOOT_UNIT_ALIAS &&
		    strings_contain(aliases, u->files[i].name))
			return u->files[i].at;
	return NULL;
}

/* A display manager has no WantedBy: graphical.target wants the alias. */
static int start_by_alias(struct boot_reading *r, const struct boot_units *u,
			  const struct boot_unit_text *text, bool *enabled, struct error *err)
{
	const char *link = text->wanted_by ? NULL : alias_link(u, &text->aliases);

	if (link == NULL)
		return 0;
	*enabled = true;
	return strings_add(&r->starters, link, err);
}

static int read_native(struct boot_reading *r, const struct boot_units *u, const char *name,
		       const struct boot_unit_file *file, struct error *err)
{
	_cleanup_boot_unit_text_ struct boot_unit_text text = BOOT_UNIT_TEXT_INIT;
	_cleanup_buffer_ struct buffer bytes = BUFFER_INIT;
	_cleanup_boot_reach_ struct boot_reach reach = BOOT_REACH_INIT;
	struct boot_unit *unit = &r->service->unit;
	const struct boot_unit_file *lasting, *now;
	const char *same;
	bool enabled = false;

	lasting = boot_units_find(u, name, BOOT_UNITS_LASTING, &same);
	now = boot_units_find(u, name, 0, &same);
	if (lasting != NULL)
		file = lasting;
	unit->name = str_dup(name, err);
	unit->path = str_dup(file->kind == BOOT_UNIT_FILE ? file->path : file->at, err);
	unit->local = file->regular && path_is_below(file->at, BOOT_UNITS_ETC);
	r->unit_is_broken = file->kind == BOOT_UNIT_BROKEN;
	r->masked_until_boot = now != NULL && now->kind == BOOT_UNIT_MASK && now->passing;
	if (unit->name == NULL || unit->path == NULL || read_aliases(u, unit, err) < 0)
		return -1;
	if (file->kind == BOOT_UNIT_FILE &&
	    (boot_bytes(r, file->path, &bytes, err) < 0 ||
	     boot_unit_text_parse(slice_of(bytes.data, bytes.len), &text, err) < 0))
		return -1;
	if (boot_reach_read(r, u, &reach, err) < 0 || read_wanted(r, u, &reach, &enabled, err) < 0 ||
	    read_sockets(r, u, &reach, err) < 0 || start_by_alias(r, u, &text, &enabled, err) < 0 ||
	    add_aliases_said(u, &text, unit, err) < 0)
		return -1;
	if (file->kind == BOOT_UNIT_MASK)
		unit->state = BOOT_UNIT_MASKED;
	else if (enabled)
		unit->state = BOOT_UNIT_ENABLED;
	else
		unit->state = text.has_install ? BOOT_UNIT_DISABLED : BOOT_UNIT_STATIC;
	return 0;
}

/* The names in Provides: become aliases of a generated unit, but for those that are units. */
static int read_generated(struct boot_reading *r, const struct boot_units *u, const char *name,
			  struct error *err)
{
	const struct strings *provides = &r->service->header.provides;
	_cleanup_boot_reach_ struct boot_reach reach = BOOT_REACH_INIT;
	struct boot_unit *unit = &r->service->unit;
	bool enabled;

	unit->state = BOOT_UNIT_GENERATED;
	unit->name = str_dup(name, err);
	if (unit->name == NULL)
		return -1;
	for (size_t i = 0; i < provides->len; i++) {
		_cleanup_free_ char *alias = NULL;
		const char *same;

		if (provides->items[i][0] == '$')
			continue;
		alias = boot_unit_name(provides->items[i], err);
		if (alias == NULL)
			return -1;
		if (strcmp(alias, name) != 0 && !strings_contain(&unit->aliases, alias) &&
		    boot_units_find(u, alias, BOOT_UNITS_LASTING, &same) == NULL &&
		    strings_add(&unit->aliases, alias, err) < 0)
			return -1;
	}
	strings_sort(&unit->aliases);
	if (boot_reach_read(r, u, &reach, err) < 0 || read_wanted(r, u, &reach, &enabled, err) < 0)
		return -1;
	return read_sockets(r, u, &reach, err);
}

static bool boots_multi_user(const struct boot_units *u)
{
	const char *name;

	(void)boot_units_find(u, "default.target", BOOT_UNITS_LASTING, &name);
	return strcmp(name, "multi-user.target") == 0 || strcmp(name, "runlevel3.target") == 0;
}

/* Without systemd nothing reads a unit; but update-rc.d(8) makes its links, and removes them. */
static int read_links_alone(struct boot_reading *r, const char *own, struct error *err)
{
	for (size_t i = 0; i < r->tree->len; i++) {
		const struct host_tree_entry *e = &r->tree->items[i];
		_cleanup_free_ char *folder = NULL;

		if (e->kind != HOST_TREE_LINK || !path_is_below(e->path, BOOT_UNITS_ETC) ||
		    strcmp(path_basename(e->path), own) != 0)
			continue;
		folder = path_dirname(e->path, err);
		if (folder == NULL ||
		    (boot_units_is_wants(folder) &&
		     strings_add(&r->service->unit.wanted, e->path, err) < 0))
			return -1;
	}
	return 0;
}

int boot_read_unit(struct boot_reading *r, struct error *err)
{
	_cleanup_boot_units_ struct boot_units u = BOOT_UNITS_INIT;
	struct boot_service *s = r->service;
	_cleanup_free_ char *own = boot_unit_name(s->name, err), *template = NULL;
	const struct boot_unit_file *file, *mask;
	const char *name, *same;

	if (own == NULL)
		return -1;
	if (s->init == BOOT_SYSV && s->has_script)
		return read_links_alone(r, own, err);
	if (boot_units_read(r, &u, err) < 0)
		return -1;
	r->boots_multi_user = boots_multi_user(&u);
	file = boot_units_find(&u, own, BOOT_UNITS_LASTING | BOOT_UNITS_UNMASKED, &name);
	if (file == NULL)
		file = boot_units_find(&u, own, BOOT_UNITS_UNMASKED, &name);
	mask = boot_units_find(&u, own, BOOT_UNITS_LASTING, &same);
	if (file != NULL && mask != NULL && mask->kind == BOOT_UNIT_MASK &&
	    strcmp(mask->name, name) != 0) {
		r->name_mask = str_dup(mask->at, err);
		if (r->name_mask == NULL)
			return -1;
	}
	/* what a socket with Accept=yes makes an instance of for each connection */
	if (file == NULL && mask == NULL && !s->has_script && strchr(own, '@') == NULL) {
		template = str_format(err, "%s@.service", s->name);
		if (template == NULL)
			return -1;
		file = boot_units_find(&u, template, BOOT_UNITS_UNMASKED, &name);
	}
	if (file != NULL)
		return read_native(r, &u, name, file, err);
	if (mask != NULL)
		return read_native(r, &u, mask->name, mask, err);
	if (s->init == BOOT_SYSTEMD && r->script_runs && (s->script_mode & S_IXUSR) != 0)
		return read_generated(r, &u, own, err);
	return 0;
}

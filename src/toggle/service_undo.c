/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Undoing service toggles: the whole tree as it was, when nobody but us has touched it since;
 * otherwise each service's own links, mode and mask, and the order computed anew, so that what was
 * switched or installed meanwhile stays as it is.
 */
#include <stdio.h>

#include "base/path.h"
#include "service/boot_run.h"
#include "toggle/service.h"

#define INSSERV "/sbin/insserv"

struct undoing {
	const struct toggle_context *c;
	struct toggle_plan *p;
};

/* ---- exactly */

/* A key is "ID NAME". */
static bool is_undone(const struct toggle_plan *p, const char *key)
{
	return strings_contain(&p->toggles, strchr(key, ' ') + 1);
}

/* Of those that stay applied. */
static int remaining_ids(const struct undoing *u, struct strings *ret, struct error *err)
{
	_cleanup_strings_ struct strings all = STRINGS_INIT;

	if (state_service_ids(u->c->state, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.len; i++)
		if (!is_undone(u->p, all.items[i]) && strings_add(ret, all.items[i], err) < 0)
			return -1;
	return 0;
}

/* The state has dropped the images that do not lead to the tree as it is. */
static int take_image(const struct undoing *u, struct error *err)
{
	_cleanup_strings_ struct strings remaining = STRINGS_INIT;
	_cleanup_json_ json_t *image = NULL;
	const struct state *s = &u->p->after;

	if (remaining_ids(u, &remaining, err) < 0)
		return -1;
	for (size_t i = 0; i < s->n_images && !u->p->boot->exact; i++) {
		struct error why = ERROR_INIT;

		if (!strings_equal(&s->images[i].applied, &remaining))
			continue;
		if (snapshot_read_boot(u->c->store, s->images[i].id, &image, &why) == 0)
			u->p->boot->exact = true;
		else if (toggle_warn(&u->p->warnings, err, "undone by meaning instead",
				     "the image of transaction %s can't be read: %s", s->images[i].id,
				     why.message) < 0)
			return -1;
	}
	return u->p->boot->exact ? service_image_apply(image, &u->p->boot->wanted, err) : 0;
}

/* ---- by meaning */

/* One service's link in one runlevel. */
struct level_link {
	char letter; /* 'S', 'K'; 0: none */
	char path[64 + BOOT_NAME_MAX];
	char target[256];
};

static bool parse_link(const char *path, const char *target, const char *folder, const char *name,
		       struct level_link *ret)
{
	size_t len = strlen(folder);

	if (strncmp(path, folder, len) != 0 || path[len] != '/' || strlen(path + len) <= 4 ||
	    strcmp(path + len + 4, name) != 0)
		return false;
	ret->letter = path[len + 1];
	(void)snprintf(ret->path, sizeof(ret->path), "%s", path);
	(void)snprintf(ret->target, sizeof(ret->target), "%s", target);
	return true;
}

static struct level_link recorded(const struct strings *lines, const char *folder, const char *name)
{
	struct level_link found = { .letter = 0 };

	for (size_t i = 0; i < lines->len; i++) {
		char path[256];
		size_t len = strcspn(lines->items[i], " ");

		(void)snprintf(path, sizeof(path), "%.*s", (int)len, lines->items[i]);
		if (lines->items[i][len] == ' ' &&
		    parse_link(path, lines->items[i] + len + 1, folder, name, &found))
			break;
	}
	return found;
}

static struct level_link present(const struct host_tree *t, const char *folder, const char *name)
{
	struct level_link found = { .letter = 0 };

	for (size_t i = 0; i < t->len; i++)
		if (t->items[i].kind == HOST_TREE_LINK &&
		    parse_link(t->items[i].path, t->items[i].target, folder, name, &found))
			break;
	return found;
}

/* What somebody else did to it is not undone. */
#define stays(u, n, err, ...) \
	((n)->others_stay = true, \
	 toggle_warn(&(u)->p->warnings, err, "that stays as it is", __VA_ARGS__))

static int put_level_back(const struct undoing *u, const struct state_toggle *t, char level,
			  struct toggle_service *n, struct error *err)
{
	const char *name = toggle_service_name(t->name);
	char folder[] = "/etc/rc?.d";
	struct level_link was, ours, now;

	folder[strlen("/etc/rc")] = level;
	was = recorded(&t->service->before, folder, name);
	ours = recorded(&t->service->after, folder, name);
	now = present(&u->p->boot->wanted, folder, name);
	if (was.letter == ours.letter || was.letter == now.letter)
		return 0;
	if (now.letter != ours.letter)
		return stays(u, n, err, "somebody else changed the link of %s in %s", name, folder);
	if (now.letter != 0)
		host_tree_remove(&u->p->boot->wanted, now.path);
	return was.letter != 0 ? host_tree_put_link(&u->p->boot->wanted, was.path, was.target, err) : 0;
}

static int put_mode_back(const struct undoing *u, const struct state_toggle *t,
			 const struct boot_service *now, struct toggle_service *n,
			 struct error *err)
{
	const struct state_service *r = t->service;

	if (r->mode_before == 0 || !now->has_script || now->script_mode == r->mode_before)
		return 0;
	if (now->script_mode != r->mode_after)
		return stays(u, n, err, "somebody else changed the mode of " SERVICE_INITD "%s to %o",
			     now->name, (unsigned)now->script_mode);
	return service_set_mode(u->p, now->name, r->mode_before, err);
}

static bool is_unit_link(const char *line)
{
	return strncmp(line, SERVICE_UNITS, strlen(SERVICE_UNITS)) == 0;
}

static int take_units_away(const struct undoing *u, const struct state_toggle *t, struct error *err)
{
	const struct state_service *r = t->service;
	struct host_tree *tree = &u->p->boot->wanted;

	for (size_t i = 0; i < r->after.len; i++) {
		_cleanup_free_ char *path = str_ndup(r->after.items[i],
						     strcspn(r->after.items[i], " "), err);
		const struct host_tree_entry *e;

		if (path == NULL)
			return -1;
		e = host_tree_find(tree, path);
		if (is_unit_link(path) && !strings_contain(&r->before, r->after.items[i]) &&
		    e != NULL && e->kind == HOST_TREE_LINK &&
		    strcmp(e->target, r->after.items[i] + strlen(path) + 1) == 0)
			host_tree_remove(tree, path);
	}
	return 0;
}

static bool is_link_to(const struct host_tree_entry *e, const char *target)
{
	return e != NULL && e->kind == HOST_TREE_LINK && strcmp(e->target, target) == 0;
}

static int put_units_back(const struct undoing *u, const struct state_toggle *t,
			  struct toggle_service *n, struct error *err)
{
	const struct state_service *r = t->service;
	struct host_tree *tree = &u->p->boot->wanted;

	for (size_t i = 0; i < r->before.len; i++) {
		_cleanup_free_ char *path = str_ndup(r->before.items[i],
						     strcspn(r->before.items[i], " "), err);

		if (path == NULL)
			return -1;
		if (!is_unit_link(path) || strings_contain(&r->after, r->before.items[i]) ||
		    is_link_to(host_tree_find(tree, path), r->before.items[i] + strlen(path) + 1))
			continue;
		if ((host_tree_find(tree, path) != NULL ?
			     stays(u, n, err, "somebody else made %s", path) :
			     host_tree_put_link(tree, path, r->before.items[i] + strlen(path) + 1,
						err)) < 0)
			return -1;
	}
	return 0;
}

/* "rc2.d S apache2" of everybody: what no order computed anew may change. */
static int letters_of(const struct host_tree *t, struct strings *ret, struct error *err)
{
	for (size_t i = 0; i < t->len; i++) {
		const char *path = t->items[i].path, *name = strrchr(path, '/') + 1;

		if (t->items[i].kind == HOST_TREE_LINK && strncmp(path, "/etc/rc", 7) == 0 &&
		    strlen(name) > 3 &&
		    strings_addf(ret, err, "%.*s %c %s", (int)(name - 1 - path), path, name[0],
				 name + 3) < 0)
			return -1;
	}
	strings_sort(ret);
	return 0;
}

/* Where the order is kept by insserv(8) it is for all services together. Without -d it keeps each one's
 * runlevels. */
static int order_anew(const struct undoing *u, const struct boot_service *s, struct error *err)
{
	_cleanup_strings_ struct strings before = STRINGS_INIT, after = STRINGS_INIT;
	_cleanup_free_ char *said = NULL;

	if (!s->has_insserv)
		return 0;
	if (letters_of(&u->p->boot->wanted, &before, err) < 0 ||
	    service_rehearse(u->c, u->p, (const char *const[]){ INSSERV, NULL }, &said, err) < 0 ||
	    letters_of(&u->p->boot->wanted, &after, err) < 0)
		return -1;
	if (strings_equal(&before, &after))
		return 0;
	(void)error_set(err, ERROR_REFUSED, "insserv would change more than the order:%s",
			said[0] != '\0' ? said : " it said nothing");
	return error_hint(err, "Nothing was changed. `insserv -n -v` shows what it would do; mend that "
			  "first.");
}

/* Its script, a conffile, is gone, and it has no unit, now that it is not masked: links of a unit
 * would lead nowhere. */
static int is_purged(const struct undoing *u, const struct state_toggle *t,
		     const struct boot_service *now, bool *ret, struct error *err)
{
	_cleanup_boot_service_ struct boot_service after = BOOT_SERVICE_INIT;

	*ret = false;
	if (now->has_script || t->service->mode_before == 0)
		return 0;
	if (service_read_wanted(u->c, u->p, now->name, &after, err) < 0)
		return -1;
	*ret = after.unit.name == NULL;
	return 0;
}

static int undo_by_meaning(const struct undoing *u, const struct state_toggle *t,
			   const struct boot_service *now, struct toggle_service *n,
			   struct error *err)
{
	bool purged;

	if (put_mode_back(u, t, now, n, err) < 0 || take_units_away(u, t, err) < 0 ||
	    is_purged(u, t, now, &purged, err) < 0)
		return -1;
	n->others_stay |= !now->has_script && t->service->mode_before != 0;
	if (!now->has_script && t->service->mode_before != 0 &&
	    toggle_warn(&u->p->warnings, err, "its links and its mode can't come back", "the script of %s "
			"is gone: its package was removed", now->name) < 0)
		return -1;
	if (!purged && put_units_back(u, t, n, err) < 0)
		return -1;
	for (const char *level = "0123456S"; now->has_script && *level != '\0'; level++)
		if (put_level_back(u, t, *level, n, err) < 0)
			return -1;
	return 0;
}

/* ---- all of them */

static int plan_now(const struct undoing *u, const struct state_toggle *t,
		    const struct boot_service *now, struct toggle_service *n, struct error *err)
{
	_cleanup_boot_run_ struct boot_run run = BOOT_RUN_INIT;

	if ((!t->service->stopped && !t->service->started) || !host_is_live(u->c->host))
		return 0;
	if (boot_run_read(u->c->host, now, &run, err) < 0)
		return -1;
	n->starts = t->service->stopped && !run.active &&
		    (now->has_script || now->unit.name != NULL);
	n->stops = t->service->started && run.active;
	return 0;
}

static int undo_one(const struct undoing *u, const char *toggle, struct error *err)
{
	_cleanup_boot_service_ struct boot_service now = BOOT_SERVICE_INIT;
	const struct state_toggle *t = state_find_toggle(u->c->state, toggle);
	struct toggle_plan *p = u->p;
	struct toggle_service *n;

	/* the tree that the state has, not what an image made of it */
	if (boot_service_read(u->c->host, NULL, &p->boot->before,
			      toggle_service_name(toggle), &now, err) < 0)
		return -1;
	n = service_note(p, &now, err);
	if (n == NULL)
		return -1;
	if (t == NULL)
		return 0;
	n->changes = true;
	n->exact = p->boot->exact;
	n->since_ns = t->since_ns;
	(void)memcpy(n->undoes, t->id, sizeof(n->undoes));
	n->upgraded = now.has_script && t->service->script.hex[0] != '\0' &&
		      !digest_equal(&now.script, &t->service->script);
	if (plan_now(u, t, &now, n, err) < 0 ||
	    (!p->boot->exact && undo_by_meaning(u, t, &now, n, err) < 0))
		return -1;
	state_remove_toggle(&p->after, toggle);
	return 0;
}

static int note_all(const struct undoing *u, bool *ret_meaning, struct error *err)
{
	struct toggle_plan *p = u->p;

	for (size_t i = 0; i < p->n_services; i++) {
		_cleanup_boot_service_ struct boot_service after = BOOT_SERVICE_INIT;
		struct toggle_service *n = &p->services[i];

		if (i == 0 && !p->boot->exact && *ret_meaning) {
			if (service_read_wanted(u->c, p, n->name, &after, err) < 0 ||
			    order_anew(u, &after, err) < 0)
				return -1;
			boot_service_release(&after);
			after = (struct boot_service)BOOT_SERVICE_INIT;
		}
		if (service_read_wanted(u->c, p, n->name, &after, err) < 0 ||
		    service_note_after(n, &after, err) < 0)
			return -1;
		p->changes |= n->changes;
	}
	return 0;
}

static int add_runs(const struct undoing *u, bool start, struct error *err)
{
	struct toggle_plan *p = u->p;

	for (size_t i = 0; i < p->n_services; i++)
		if ((start ? p->services[i].starts : p->services[i].stops) &&
		    (start ? service_add_start(u->c, p, p->services[i].name, err) :
			     service_add_stop(u->c, p, p->services[i].name, err)) < 0)
			return -1;
	return 0;
}

int service_plan_undo(const struct toggle_context *c, const struct toggle_terms *terms,
		      struct toggle_plan *p, struct error *err)
{
	const struct undoing u = { .c = c, .p = p };
	bool any = false;

	if (service_begin(c, p, err) < 0 || service_check_folders(&p->boot->before, err) < 0)
		return -1;
	for (size_t i = 0; i < p->toggles.len; i++)
		any |= state_find_toggle(c->state, p->toggles.items[i]) != NULL;
	if (any && take_image(&u, err) < 0)
		return -1;
	for (size_t i = 0; i < p->toggles.len; i++)
		if (undo_one(&u, p->toggles.items[i], err) < 0)
			return -1;
	if (note_all(&u, &any, err) < 0)
		return -1;
	if (!any)
		return 0;
	if (add_runs(&u, false, err) < 0 || service_add_reload(c, p, false, err) < 0 ||
	    service_finish(c, terms, p, err) < 0 || service_add_reload(c, p, true, err) < 0)
		return -1;
	return add_runs(&u, true, err);
}

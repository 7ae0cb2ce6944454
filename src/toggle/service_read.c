/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the state has of a service, what the host says, and why the service will start at boot or
 * not. A service that was never touched is explained all the same.
 */
#include "base/path.h"
#include "service/boot_run.h"
#include "toggle/service.h"

struct reading {
	const struct toggle_context *c;
	struct config_augeas *augeas;
	struct host_tree tree;
	struct boot_service s;
	struct toggle_report *report;
};

static void reading_release(struct reading *r)
{
	config_augeas_free(r->augeas);
	host_tree_release(&r->tree);
	boot_service_release(&r->s);
}

/* Both take a format behind what they are about. */
#define fact(r, err, label, ...)                                          \
	(strings_add(&(r)->report->facts, label, err) < 0 ?               \
		 -1 :                                                     \
		 strings_addf(&(r)->report->facts, err, __VA_ARGS__))
#define differs(r, err, ...)                                              \
	((r)->report->agrees = false,                                     \
	 strings_addf(&(r)->report->differences, err, __VA_ARGS__))

/* ---- does the host agree */

/* Numbers are insserv's; the letter in each runlevel is ours. */
static char letter_in(const struct strings *lines, char level, const char *name)
{
	for (size_t i = 0; i < lines->len; i++) {
		const char *p = lines->items[i];

		if (strncmp(p, "/etc/rc", 7) == 0 && p[7] == level && strncmp(p + 8, ".d/", 3) == 0 &&
		    strlen(p) > 14 && strncmp(p + 14, name, strlen(name)) == 0 &&
		    p[14 + strlen(name)] == ' ')
			return p[11];
	}
	return 0;
}

/* Looked up by its path: a removed package leaves its units' links, and no unit that they are of. */
static bool is_as_recorded(const struct host_tree *t, const char *line)
{
	size_t len = strcspn(line, " ");

	for (size_t i = 0; i < t->len; i++)
		if (t->items[i].kind == HOST_TREE_LINK && strlen(t->items[i].path) == len &&
		    strncmp(t->items[i].path, line, len) == 0)
			return line[len] == ' ' && strcmp(t->items[i].target, line + len + 1) == 0;
	return false;
}

static int compare_links(struct reading *r, const struct state_toggle *t, struct error *err)
{
	_cleanup_strings_ struct strings now = STRINGS_INIT;

	if (service_links(&r->tree, &r->s, &now, err) < 0)
		return -1;
	for (const char *level = "0123456S"; *level != '\0'; level++) {
		char is = letter_in(&now, *level, r->s.name);
		char ours = letter_in(&t->service->after, *level, r->s.name);

		if (is != ours && differs(r, err, "/etc/rc%c.d: its link was %s%c, and is %s%c now",
					  *level, ours == 0 ? "none" : "", ours == 0 ? ' ' : ours,
					  is == 0 ? "gone" : "", is == 0 ? ' ' : is) < 0)
			return -1;
	}
	for (size_t i = 0; i < t->service->after.len; i++) {
		const char *line = t->service->after.items[i];

		if (strncmp(line, SERVICE_UNITS, strlen(SERVICE_UNITS)) == 0 &&
		    !is_as_recorded(&r->tree, line) &&
		    differs(r, err, "%.*s is not as it was set", (int)strcspn(line, " "), line) < 0)
			return -1;
	}
	return 0;
}

/* The procedure of old leaves a unit of systemd's own on, which was said beforehand. */
static bool starts_anyway(const struct reading *r, const struct state_service *was)
{
	return was->removed && r->s.init == BOOT_SYSTEMD && r->s.unit.name != NULL &&
	       r->s.unit.state != BOOT_UNIT_GENERATED;
}

static int compare(struct reading *r, const struct state_toggle *t, struct error *err)
{
	mode_t mode = r->s.has_script ? r->s.script_mode : 0;

	if (mode == 0 && t->service->mode_after != 0)
		return differs(r, err, "its script is gone: the package was removed");
	if (compare_links(r, t, err) < 0)
		return -1;
	if (mode != t->service->mode_after &&
	    differs(r, err, "%sits script's mode was set to %o, and is %o now",
		    t->service->on || r->s.starts ? "" : "still off: ",
		    (unsigned)t->service->mode_after, (unsigned)mode) < 0)
		return -1;
	if (r->s.starts != t->service->on && !starts_anyway(r, t->service))
		return differs(r, err, "it %s at boot: %s", r->s.starts ? "WILL start" :
			       "will not start", r->s.why);
	return 0;
}

/* ---- what there is */

static const char *depend_text(enum boot_depend d)
{
	return d == BOOT_DEPEND_LISTED ? "names it" :
	       d == BOOT_DEPEND_MISSING ? "does not name it" : "is not there";
}

static int link_facts(struct reading *r, struct error *err)
{
	_cleanup_free_ char *links = boot_links_text(&r->s, err);

	if (links == NULL || fact(r, err, "links", "%s", links) < 0)
		return -1;
	for (size_t i = 0; i < r->s.n_links; i++)
		if ((r->s.links[i].dangling || r->s.links[i].elsewhere) &&
		    fact(r, err, "", "%s points to %s%s", r->s.links[i].path, r->s.links[i].target,
			 r->s.links[i].dangling ? ", which is not there" : "") < 0)
			return -1;
	if (!r->s.has_insserv)
		return 0;
	return fact(r, err, "order", "/etc/init.d/.depend.boot %s, .depend.start %s, .depend.stop %s",
		    depend_text(r->s.boot), depend_text(r->s.start), depend_text(r->s.stop));
}

static int header_facts(struct reading *r, struct error *err)
{
	const struct lsb_header *h = &r->s.header;

	if (!h->found)
		return fact(r, err, "header", "none: update-rc.d can't tell its runlevels");
	return fact(r, err, "header", "Default-Start: %s; Default-Stop: %s",
		    h->default_start != NULL && h->default_start[0] != '\0' ? h->default_start : "none",
		    h->default_stop != NULL && h->default_stop[0] != '\0' ? h->default_stop : "none");
}

static int script_facts(struct reading *r, struct error *err)
{
	const struct boot_service *s = &r->s;

	if (!s->has_script)
		return s->n_links == 0 ? 0 : link_facts(r, err);
	if (link_facts(r, err) < 0 ||
	    fact(r, err, "script", SERVICE_INITD "%s, %s %o%s", s->name,
		 s->script_is_regular ? "mode" : "no regular file, mode", (unsigned)s->script_mode,
		 s->script_uid != 0 ? ", not root's" : "") < 0)
		return -1;
	if (s->statoverride != 0 &&
	    fact(r, err, "", "dpkg-statoverride sets it to %o at each upgrade",
		 (unsigned)s->statoverride) < 0)
		return -1;
	return header_facts(r, err);
}

static int unit_facts(struct reading *r, struct error *err)
{
	const struct boot_unit *u = &r->s.unit;
	_cleanup_buffer_ struct buffer aliases = BUFFER_INIT;

	if (u->name == NULL)
		return 0;
	for (size_t i = 0; i < u->aliases.len; i++)
		if (buffer_printf(&aliases, err, "%s%s", i > 0 ? ", " : " (also ",
				  u->aliases.items[i]) < 0)
			return -1;
	if (fact(r, err, "unit", "%s, %s%s%s", u->name, boot_unit_state_name(u->state),
		 aliases.data != NULL ? aliases.data : "", aliases.data != NULL ? ")" : "") < 0)
		return -1;
	for (size_t i = 0; i < u->sockets.len; i++)
		if (fact(r, err, "", "%s is enabled%s", u->sockets.items[i],
			 u->state == BOOT_UNIT_MASKED ? ", and can't start it" : " and starts it") < 0)
			return -1;
	if (r->s.init != BOOT_SYSTEMD || r->s.starts || u->state == BOOT_UNIT_MASKED ||
	    u->state == BOOT_UNIT_GENERATED)
		return 0;
	return fact(r, err, "not seen", "generators, udev and D-Bus, which may start it all the same");
}

/* What the files say is said, whatever is not to be had of what runs. */
static int not_known(struct reading *r, const struct error *why, struct error *err)
{
	return fact(r, err, "now", "not known: %s", why->message);
}

static int run_facts(struct reading *r, struct error *err)
{
	_cleanup_boot_run_ struct boot_run run = BOOT_RUN_INIT;
	_cleanup_buffer_ struct buffer listens = BUFFER_INIT;
	struct error why = ERROR_INIT;

	if (!host_is_live(r->c->host))
		return 0;
	if (boot_run_read(r->c->host, &r->s, &run, &why) < 0)
		return not_known(r, &why, err);
	if (run.len == 0)
		return fact(r, err, "now", run.active ? "active, without a process" : "not running");
	for (size_t i = 0; i < run.listens.len; i++)
		if (buffer_printf(&listens, err, "%s%s", i > 0 ? ", " : ", listening on ",
				  run.listens.items[i]) < 0)
			return -1;
	return fact(r, err, "now", "running, pid %d%s", (int)run.processes[0].pid,
		    listens.data != NULL ? listens.data : "");
}

static int all_facts(struct reading *r, struct error *err)
{
	if (script_facts(r, err) < 0 || unit_facts(r, err) < 0)
		return -1;
	for (size_t i = 0; i < r->s.inetd.len; i++)
		if (fact(r, err, i == 0 ? "inetd" : "", "%s", r->s.inetd.items[i]) < 0)
			return -1;
	return run_facts(r, err);
}

int service_read(const struct toggle_context *c, const char *toggle, bool offline,
		 struct toggle_report *ret, struct error *err)
{
	_cleanup_(reading_release) struct reading r = { .c = c, .report = ret,
							.tree = HOST_TREE_INIT,
							.s = BOOT_SERVICE_INIT };
	const struct state_toggle *t = state_find_toggle(c->state, toggle);
	_cleanup_strings_ struct strings folders = STRINGS_INIT;

	if (config_augeas_new(c->lens_dir, &r.augeas, err) < 0 || boot_folders(&folders, err) < 0 ||
	    host_tree_read(c->host, &folders, &r.tree, err) < 0 ||
	    boot_service_read(c->host, r.augeas, &r.tree, toggle_service_name(toggle), &r.s, err) < 0)
		return -1;
	if (t == NULL && !boot_service_is_known(&r.s))
		return service_refuse_unknown(&r.s, err);
	ret->applied = t != NULL;
	ret->starts = r.s.starts;
	ret->effective = str_dup(r.s.why, err);
	if (ret->effective == NULL || all_facts(&r, err) < 0)
		return -1;
	return t != NULL ? compare(&r, t, err) : 0;
}

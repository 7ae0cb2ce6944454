/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Planning to switch services off, or on.
 *
 *     off   update-rc.d NAME disable, mode 644, the unit disabled and masked: a package upgrade, a
 *           reinstall and a reconfigure leave it off
 *     off   (remove_links) update-rc.d -f NAME remove, mode 644: the procedure of old
 *     on    unmasked, mode 755, then update-rc.d NAME enable (without links: defaults)
 */
#include <stdio.h>

#include "base/path.h"
#include "base/text.h"
#include "host/clock.h"
#include "service/boot_run.h"
#include "toggle/service.h"

#define MODE_OFF 0644
#define MODE_ON 0755
#define NO_UNIT "/dev/null"
#define SYSTEMCTL "/usr/bin/systemctl"

static bool disagrees(const struct state_toggle *t, const struct toggle_terms *terms)
{
	return t != NULL && (t->service->on != terms->enable ||
			     (!terms->enable && t->service->removed != terms->remove_links));
}

/* ---- off */

static void unlink_unit(struct toggle_plan *p, const struct boot_service *s)
{
	for (size_t i = 0; i < s->unit.wanted.len; i++)
		host_tree_remove(&p->boot->wanted, s->unit.wanted.items[i]);
}

/* "/dev/null", also by way of "../": systemd takes both. */
static bool is_mask(const struct host_tree_entry *e)
{
	const char *target = e->kind == HOST_TREE_LINK ? e->target : "";

	while (strncmp(target, "../", 3) == 0)
		target += 3;
	return strcmp(target, NO_UNIT) == 0 ||
	       (target != e->target && strcmp(target, NO_UNIT + 1) == 0);
}

static int mask(struct toggle_plan *p, const char *unit, bool alias, struct error *err)
{
	_cleanup_free_ char *path = str_format(err, SERVICE_UNITS "%s", unit);
	const struct host_tree_entry *e;

	if (path == NULL)
		return -1;
	e = host_tree_find(&p->boot->wanted, path);
	/* what systemctl(1) takes away when it disables a unit stays away: an alias, a linked file */
	if (e == NULL && host_tree_find(&p->boot->before, path) != NULL)
		return 0;
	if (e == NULL)
		return host_tree_put_link(&p->boot->wanted, path, NO_UNIT, err);
	/* by an alias that is a link (sshd.service) the unit itself is reached, which is masked */
	if (is_mask(e) || (alias && e->kind == HOST_TREE_LINK))
		return 0;
	/* a unit of the administrator's own lies where the mask would: it stays, disabled */
	return toggle_warn(&p->warnings, err, "it is disabled, and can still be started by others",
			   "%s is %s of this host's own and can't be masked", path,
			   e->kind == HOST_TREE_LINK ? "a link" : "a file");
}

/* A unit has to be out of the way under every name that leads to it. */
static int disable_unit(const struct toggle_context *c, struct toggle_plan *p, const char *name,
			struct error *err)
{
	_cleanup_boot_service_ struct boot_service s = BOOT_SERVICE_INIT;

	if (service_read_wanted(c, p, name, &s, err) < 0)
		return -1;
	if (s.unit.name == NULL || s.unit.state == BOOT_UNIT_GENERATED || s.init != BOOT_SYSTEMD)
		return 0;
	unlink_unit(p, &s);
	for (size_t i = 0; i < s.unit.sockets.len; i++)
		if (toggle_warn(&p->warnings, err, "it is masked, so nothing is started",
				"%s stays enabled, and goes on trying to start %s",
				s.unit.sockets.items[i], name) < 0)
			return -1;
	for (size_t i = 0; i < s.unit.aliases.len; i++)
		if (mask(p, s.unit.aliases.items[i], true, err) < 0)
			return -1;
	return mask(p, s.unit.name, false, err);
}

static int disable_links(const struct toggle_context *c, struct toggle_plan *p,
			 const struct boot_service *s, char **ret_said, struct error *err)
{
	/* `disable` turns links that are there; an upgrade makes new ones where there are none */
	return service_update_rc(c, p, s->name, s->n_links > 0 ? "disable" : "defaults-disabled",
				 ret_said, err);
}

static int warn_of_return(struct toggle_plan *p, const struct boot_service *s, struct error *err)
{
	if (s->unit.name != NULL && s->init == BOOT_SYSTEMD &&
	    s->unit.state != BOOT_UNIT_GENERATED)
		return toggle_warn(&p->warnings, err, "--method disable switches the unit off too",
				   "--method remove does not touch %s, which systemd starts by itself",
				   s->unit.name);
	return toggle_warn(&p->warnings, err, "--method disable survives that as well",
			   "--method remove: removing and installing the package again brings %s "
			   "back", s->name);
}

static int switch_off(const struct toggle_context *c, const struct toggle_terms *terms,
		      struct toggle_plan *p, const struct boot_service *s, char **ret_said,
		      struct error *err)
{
	mode_t mode = s->script_mode & (mode_t)~0111;

	if (s->has_script &&
	    ((terms->remove_links ? service_update_rc(c, p, s->name, "remove", ret_said, err) :
				    disable_links(c, p, s, ret_said, err)) < 0 ||
	     service_set_mode(p, s->name, s->script_mode == MODE_ON ? MODE_OFF : mode, err) < 0))
		return -1;
	return terms->remove_links ? warn_of_return(p, s, err) : disable_unit(c, p, s->name, err);
}

/* ---- on */

static int unmask(struct toggle_plan *p, const char *unit, struct error *err)
{
	_cleanup_free_ char *path = str_format(err, SERVICE_UNITS "%s", unit);
	const struct host_tree_entry *e;

	if (path == NULL)
		return -1;
	e = host_tree_find(&p->boot->wanted, path);
	if (e != NULL && is_mask(e))
		host_tree_remove(&p->boot->wanted, path);
	return 0;
}

static int unmask_all(struct toggle_plan *p, const struct boot_service *s, struct error *err)
{
	for (size_t i = 0; i < s->unit.aliases.len; i++)
		if (unmask(p, s->unit.aliases.items[i], err) < 0)
			return -1;
	return s->unit.name != NULL ? unmask(p, s->unit.name, err) : 0;
}

/* Not only under the script's name, which may be an alias that systemctl refuses. */
static int enable_unit(const struct toggle_context *c, struct toggle_plan *p, const char *name,
		       char **ret_said, struct error *err)
{
	_cleanup_boot_service_ struct boot_service s = BOOT_SERVICE_INIT;

	if (service_read_wanted(c, p, name, &s, err) < 0)
		return -1;
	if (s.init != BOOT_SYSTEMD || s.unit.name == NULL || s.unit.state != BOOT_UNIT_DISABLED)
		return 0;
	return service_rehearse(c, p, (const char *const[]){ SYSTEMCTL, "--quiet", "enable",
							      s.unit.name, NULL }, ret_said, err);
}

/* The mode comes first: insserv passes over a script that can't be run. */
static int switch_on(const struct toggle_context *c, struct toggle_plan *p,
		     const struct boot_service *s, char **ret_said, struct error *err)
{
	bool runs = (s->script_mode & S_IXUSR) != 0;

	if (s->init == BOOT_SYSTEMD && unmask_all(p, s, err) < 0)
		return -1;
	if (s->has_script &&
	    (service_set_mode(p, s->name, runs ? s->script_mode : MODE_ON, err) < 0 ||
	     service_update_rc(c, p, s->name, s->n_links > 0 ? "enable" : "defaults", ret_said,
			       err) < 0))
		return -1;
	return enable_unit(c, p, s->name, ret_said, err);
}

/* ---- the record */

static struct state_service *record_new(struct toggle_plan *p, const struct boot_service *before,
					const struct state_toggle *was, struct error *err)
{
	struct state_service *r = calloc(1, sizeof(*r));
	const struct state_service *old = was != NULL ? was->service : NULL;

	if (r == NULL) {
		(void)error_oom(err);
		return NULL;
	}
	/* switched twice, it still leads back to what was before the first time */
	r->mode_before = old != NULL ? old->mode_before :
			 before->has_script ? before->script_mode : 0;
	r->stopped = old != NULL && old->stopped;
	r->started = old != NULL && old->started;
	r->script = old != NULL ? old->script : before->script;
	if ((old != NULL ? strings_copy(&old->before, &r->before, err) :
			   service_links(&p->boot->before, before, &r->before, err)) < 0) {
		state_service_free(r);
		return NULL;
	}
	return r;
}

static int fill_record(const struct toggle_terms *terms, struct toggle_plan *p,
		       struct toggle_service *n, const struct boot_service *after,
		       struct state_toggle *t, struct error *err)
{
	t->service->on = terms->enable;
	t->service->removed = terms->remove_links;
	t->service->stopped |= n->stops && !t->service->started;
	t->service->started |= n->starts && !t->service->stopped;
	t->service->mode_after = after->has_script ? after->script_mode : 0;
	t->name = str_dup(n->toggle, err);
	t->by = str_dup(terms->by, err);
	t->reason = terms->reason != NULL ? str_dup(terms->reason, err) : NULL;
	t->boot = str_dup("", err);
	t->placement = str_dup("boot", err);
	t->allow = str_dup(terms->enable ? "on" : "off", err);
	t->was = str_dup(n->links_before, err);
	t->is = str_dup(n->links_after, err);
	t->config = service_script(n->name, err);
	t->since_ns = clock_realtime_ns();
	(void)memcpy(t->id, p->plan.id, sizeof(t->id));
	if (t->name == NULL || t->by == NULL || (terms->reason != NULL && t->reason == NULL) ||
	    t->boot == NULL || t->placement == NULL || t->allow == NULL || t->was == NULL ||
	    t->is == NULL || t->config == NULL)
		return -1;
	return service_links(&p->boot->wanted, after, &t->service->after, err);
}

static int record(const struct toggle_context *c, const struct toggle_terms *terms,
		  struct toggle_plan *p, struct toggle_service *n, const struct boot_service *before,
		  const struct boot_service *after, struct error *err)
{
	const struct state_toggle *was = state_find_toggle(c->state, n->toggle);
	struct state_toggle t = { .service = record_new(p, before, was, err) };

	if (t.service == NULL || fill_record(terms, p, n, after, &t, err) < 0) {
		state_toggle_release(&t);
		return -1;
	}
	n->verdict = "applied";
	n->changes = true;
	n->since_ns = t.since_ns;
	if (was != NULL)
		(void)memcpy(n->undoes, was->id, sizeof(n->undoes));
	state_remove_toggle(&p->after, n->toggle);
	return state_add_toggle(&p->after, &t, err);
}

/* ---- one service */

/* Off by its mode alone it would be on again after an upgrade. */
static const struct boot_link *link_left(const struct toggle_terms *terms,
					 const struct boot_service *after)
{
	for (size_t i = 0; i < after->n_links; i++) {
		const struct boot_link *l = &after->links[i];

		if (terms->remove_links && after->has_script)
			return l;
		if (l->kind == 'S' && after->header.default_start != NULL &&
		    strchr(after->header.default_start, l->level) != NULL)
			return l;
	}
	return NULL;
}

static int refuse_effect(const char *said, struct error *err)
{
	return error_hint(err, "Nothing was changed.%s", said);
}

/* insserv(8), which update-rc.d(8) runs and whose end it does not look at, did not get that far. Where
 * there was no link, the new ones come with an entry: insserv sees them off at its next run. */
static bool is_still_ordered(const struct boot_service *before, const struct boot_service *after)
{
	if (before->n_links == 0)
		return false;
	for (size_t i = 0; i < after->n_links; i++)
		if (after->links[i].kind == 'S')
			return false;
	return after->has_insserv && after->has_script &&
	       (after->boot == BOOT_DEPEND_LISTED || after->start == BOOT_DEPEND_LISTED);
}

static int check_effect(const struct toggle_terms *terms, const struct boot_service *before,
			const struct boot_service *after, const char *said, struct error *err)
{
	const struct boot_link *left = terms->enable ? NULL : link_left(terms, after);

	if (left != NULL) {
		(void)error_set(err, ERROR_REFUSED, "update-rc.d would leave %s as it is", left->path);
		return refuse_effect(said, err);
	}
	if (!terms->enable && is_still_ordered(before, after)) {
		(void)error_set(err, ERROR_REFUSED, "update-rc.d would leave %s among what " SERVICE_INITD
				".depend.start and .depend.boot have started: insserv did not do its part",
				after->name);
		return refuse_effect(said, err);
	}
	if (after->starts == terms->enable || (terms->remove_links && after->n_links == 0 &&
					       (after->script_mode & 0111) == 0))
		return 0;
	(void)error_set(err, ERROR_REFUSED, "%s would %s start at boot: %s", after->name,
			terms->enable ? "still not" : "still", after->why);
	return refuse_effect(said, err);
}

/* Where units are enabled and masked. */
static int unit_links(const struct toggle_plan *p, const struct boot_service *s,
		      struct strings *ret, struct error *err)
{
	_cleanup_strings_ struct strings all = STRINGS_INIT;

	if (service_links(&p->boot->wanted, s, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.len; i++)
		if (strncmp(all.items[i], SERVICE_UNITS, strlen(SERVICE_UNITS)) == 0 &&
		    strings_add(ret, all.items[i], err) < 0)
			return -1;
	return 0;
}

static bool same_levels(const struct boot_service *a, const struct boot_service *b)
{
	if (a->n_links != b->n_links)
		return false;
	for (size_t i = 0; i < a->n_links; i++)
		if (a->links[i].level != b->links[i].level || a->links[i].kind != b->links[i].kind)
			return false;
	return true;
}

/* It is so already: that insserv(8) would order it, or others, anew is no reason to write. */
static int is_alike(const struct toggle_plan *p, const struct boot_service *before,
		    const struct strings *units_before, const struct boot_service *after,
		    bool *ret, struct error *err)
{
	_cleanup_strings_ struct strings units = STRINGS_INIT;

	if (unit_links(p, after, &units, err) < 0)
		return -1;
	*ret = before->starts == after->starts && before->script_mode == after->script_mode &&
	       before->boot == after->boot && before->start == after->start &&
	       before->stop == after->stop && before->unit.state == after->unit.state &&
	       same_levels(before, after) && strings_equal(units_before, &units);
	return 0;
}

/* At once: whether it runs is asked now, and looked at again when it is done. */
static int plan_now(const struct toggle_context *c, const struct toggle_terms *terms,
		    struct toggle_plan *p, const struct boot_service *before,
		    struct toggle_service *n, struct error *err)
{
	_cleanup_boot_run_ struct boot_run run = BOOT_RUN_INIT;

	if (!terms->now || !host_is_live(c->host))
		return 0;
	if (boot_run_read(c->host, before, &run, err) < 0)
		return -1;
	/* a unit may be active without a process: a firewall, a socket that waits */
	n->stops = !terms->enable && run.active;
	n->starts = terms->enable && !run.active;
	if (terms->enable || run.active || before->init == BOOT_SYSTEMD || !before->starts)
		return 0;
	return toggle_warn(&p->warnings, err, "what its script set up without one stays as it is until "
			   "the next boot", "no process of %s was found, so nothing was stopped",
			   before->name);
}

static int plan_one(const struct toggle_context *c, const struct toggle_terms *terms,
		    struct toggle_plan *p, const char *name, struct error *err)
{
	_cleanup_boot_service_ struct boot_service before = BOOT_SERVICE_INIT,
						   after = BOOT_SERVICE_INIT;
	_cleanup_free_ char *said = str_dup("", err);
	struct toggle_service *n;
	_cleanup_strings_ struct strings units = STRINGS_INIT;
	const struct state_toggle *was;
	bool same;

	/* as it is on the disk: another service of the same plan may have had its links renumbered */
	if (said == NULL ||
	    boot_service_read(c->host, NULL, &p->boot->before, name, &before, err) < 0 ||
	    service_check(c, terms, p, &before, err) < 0 || unit_links(p, &before, &units, err) < 0 ||
	    (n = service_note(p, &before, err)) == NULL || plan_now(c, terms, p, &before, n, err) < 0 ||
	    (terms->enable ? switch_on(c, p, &before, &said, err) :
			     switch_off(c, terms, p, &before, &said, err)) < 0 ||
	    service_read_wanted(c, p, name, &after, err) < 0 ||
	    service_note_after(n, &after, err) < 0 ||
	    check_effect(terms, &before, &after, said, err) < 0 ||
	    is_alike(p, &before, &units, &after, &same, err) < 0)
		return -1;
	was = state_find_toggle(c->state, n->toggle);
	n->verdict = was != NULL ? "applied" : "normal";
	n->since_ns = was != NULL ? was->since_ns : 0;
	if (same && !n->stops && !n->starts && !disagrees(was, terms))
		return 0;
	return record(c, terms, p, n, &before, &after, err);
}

/* ---- all of them */

static int add_stops(const struct toggle_context *c, struct toggle_plan *p, struct error *err)
{
	for (size_t i = 0; i < p->n_services; i++)
		if (p->services[i].stops && service_add_stop(c, p, p->services[i].name, err) < 0)
			return -1;
	return service_add_reload(c, p, false, err);
}

static int add_starts(const struct toggle_context *c, struct toggle_plan *p, struct error *err)
{
	if (service_add_reload(c, p, true, err) < 0)
		return -1;
	for (size_t i = 0; i < p->n_services; i++)
		if (p->services[i].starts && service_add_start(c, p, p->services[i].name, err) < 0)
			return -1;
	return 0;
}

static bool any_changes(const struct toggle_plan *p)
{
	for (size_t i = 0; i < p->n_services; i++)
		if (p->services[i].changes)
			return true;
	return false;
}

int service_plan_apply(const struct toggle_context *c, const struct toggle_terms *terms,
		       struct toggle_plan *p, struct error *err)
{
	if (service_begin(c, p, err) < 0)
		return -1;
	for (size_t i = 0; i < p->toggles.len; i++)
		if (plan_one(c, terms, p, toggle_service_name(p->toggles.items[i]), err) < 0)
			return p->toggles.len > 1 ?
				       error_prefix(err, "%s", p->toggles.items[i]) : -1;
	p->verdict = p->services[0].verdict;
	if (!any_changes(p))
		return 0;
	if (add_stops(c, p, err) < 0 || service_finish(c, terms, p, err) < 0)
		return -1;
	return add_starts(c, p, err);
}

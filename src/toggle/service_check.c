/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is not switched, or not without --yes, and what has to be known before it is.
 */
#include "base/path.h"
#include "toggle/service.h"

static int refuse_script(const struct boot_service *s, const char *what, const char *hint,
			 struct error *err)
{
	(void)error_set(err, ERROR_REFUSED, SERVICE_INITD "%s %s", s->name, what);
	return error_hint(err, "Nothing was changed. %s", hint);
}

static int check_script(const struct boot_service *s, struct error *err)
{
	if (!s->has_script)
		return 0;
	if (!s->script_is_regular)
		return refuse_script(s, "is no regular file", "A link or a device in its place is not "
				     "changed by rootlatch.", err);
	if (s->script_uid != 0)
		return refuse_script(s, "does not belong to root", "Whoever owns it decides what root "
				     "runs at boot: `ls -l` it.", err);
	if ((s->script_mode & (S_IWGRP | S_IWOTH)) != 0)
		return refuse_script(s, "can be written by others than root", "`ls -l` it; chmod go-w "
				     "mends that.", err);
	if (!s->header.found)
		return refuse_script(s, "has no LSB header (### BEGIN INIT INFO)", "Without it "
				     "update-rc.d can't tell what to change: add one (insserv(8)).", err);
	return 0;
}

/* By another name of the same file somebody else may rely on its mode. */
static int check_names(const struct host_tree *t, const struct boot_service *s, struct error *err)
{
	_cleanup_free_ char *path = service_script(s->name, err);
	const struct host_tree_entry *e;

	if (path == NULL)
		return -1;
	e = host_tree_find(t, path);
	if (e == NULL || e->kind != HOST_TREE_FILE || e->links <= 1)
		return 0;
	return refuse_script(s, "has other names (hard links)", "Its mode would change for those, too: "
			     "`find / -xdev -samefile` it, and leave one.", err);
}

static bool is_boot_folder(const struct host_tree_entry *e)
{
	return e->kind == HOST_TREE_FOLDER && path_is_below(e->path, "/etc") &&
	       (strcmp(e->path, "/etc/init.d") == 0 ||
		(strncmp(e->path, "/etc/rc", 7) == 0 && strcmp(e->path + 8, ".d") == 0));
}

int service_check_folders(const struct host_tree *t, struct error *err)
{
	for (size_t i = 0; i < t->len; i++) {
		const struct host_tree_entry *e = &t->items[i];
		bool others = (e->mode & (S_IWGRP | S_IWOTH)) != 0;

		if (!is_boot_folder(e) || (e->uid == 0 && !others))
			continue;
		(void)error_set(err, ERROR_REFUSED, "%s %s", e->path, e->uid != 0 ?
				"does not belong to root" : "can be written by others than root");
		return error_hint(err, "Nothing was changed. Whoever can write there decides what root "
				  "runs at boot:\n`ls -ld` it; chown root and chmod go-w mend that.");
	}
	return 0;
}

static int check_known(const struct host_tree *t, const struct boot_service *s, struct error *err)
{
	if (!boot_service_is_known(s))
		return service_refuse_unknown(s, err);
	if (!s->has_script && s->unit.name == NULL) {
		(void)error_set(err, ERROR_REFUSED, "%s has no init script and no unit: %s", s->name,
				s->why);
		return error_hint(err, "Nothing was changed. rootlatch switches init scripts and units; "
				  "an inetd line or a leftover link is edited by hand.");
	}
	return check_script(s, err) < 0 ? -1 : check_names(t, s, err);
}

static int check_sshd(const struct toggle_context *c, const struct toggle_terms *terms,
		      struct toggle_plan *p, const struct boot_service *s, struct error *err)
{
	_cleanup_free_ char *why = NULL;

	if (terms->enable ||
	    boot_service_carries_sshd(c->host, NULL, &p->boot->wanted, s->name, &why,
				      err) < 0)
		return terms->enable ? 0 : -1;
	if (why == NULL)
		return 0;
	if (terms->yes)
		return toggle_warn(&p->warnings, err, "keep another way in before the next reboot", "%s",
				   why);
	(void)error_set(err, ERROR_REFUSED, "%s: without it nobody may be able to log in by ssh after "
			"the next boot", why);
	return error_hint(err, "Nothing was changed. --yes does it all the same.");
}

/* Switched off by a name that enabling made it would be known by no name of the toggle's. */
static int check_name(const struct boot_service *s, struct error *err)
{
	size_t len = strlen(s->name);

	if (s->has_script || s->unit.name == NULL ||
	    (strncmp(s->unit.name, s->name, len) == 0 && strcmp(s->unit.name + len, ".service") == 0))
		return 0;
	(void)error_set(err, ERROR_REFUSED, "%s is another name of %s", s->name, s->unit.name);
	return error_hint(err, "Nothing was changed. Name it by its own, without .service.");
}

/* halt, reboot, umountroot: they do their work in runlevels 0 and 6, and start at no boot. */
static bool is_for_shutdown(const struct boot_service *s)
{
	bool ends = false;

	if (s->init != BOOT_SYSV || !s->has_script || !s->header.found ||
	    (s->header.default_start != NULL && s->header.default_start[0] != '\0'))
		return false;
	for (size_t i = 0; i < s->n_links; i++) {
		bool end = s->links[i].level == '0' || s->links[i].level == '6';

		if (s->links[i].kind == 'S' && !end)
			return false;
		ends |= end;
	}
	return ends;
}

static int check_shutdown(const struct toggle_terms *terms, struct toggle_plan *p,
			  const struct boot_service *s, struct error *err)
{
	if (terms->enable || !is_for_shutdown(s))
		return 0;
	if (terms->yes)
		return toggle_warn(&p->warnings, err, "the host may not shut down as it should",
				   "%s is for shutting down alone", s->name);
	(void)error_set(err, ERROR_REFUSED, "%s starts at no boot: it is for shutting down, which may "
			"not work without it", s->name);
	return error_hint(err, "Nothing was changed. --yes switches it off all the same.");
}

static bool is_cron(const char *name)
{
	static const char *const names[] = { "cron", "crond", "cronie", "bcron", "bcron-sched",
					     "systemd-cron", "busybox-crond" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* It may be what closes an opening when its time has come. */
static int warn_of_closer(const struct toggle_context *c, const struct toggle_terms *terms,
			  struct toggle_plan *p, const struct boot_service *s, struct error *err)
{
	if (terms->enable || !is_cron(s->name))
		return 0;
	for (size_t i = 0; i < c->state->n_toggles; i++) {
		const struct state_toggle *t = &c->state->toggles[i];

		if (strings_contain(&t->closers, "cron") &&
		    toggle_warn(&p->warnings, err, "rootlatch status tells what else does; `rootlatch "
				"reap` does it by hand", "%s closes in time by %s, too, as long as that "
				"runs", t->name, s->name) < 0)
			return -1;
	}
	return 0;
}

int service_check(const struct toggle_context *c, const struct toggle_terms *terms,
		  struct toggle_plan *p, const struct boot_service *s, struct error *err)
{
	if (service_check_folders(&p->boot->before, err) < 0 ||
	    check_known(&p->boot->before, s, err) < 0 || check_name(s, err) < 0 || check_sshd(c, terms, p, s, err) < 0 ||
	    check_shutdown(terms, p, s, err) < 0)
		return -1;
	return warn_of_closer(c, terms, p, s, err);
}

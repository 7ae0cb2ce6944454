/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The verdict: whether a service starts at boot, and the one sentence that says why. What starts
 * it is told before what would have to change for it.
 */
#include "service/boot_units.h"

#include "base/path.h"

struct levels {
	char list[9]; /* each once */
	size_t len;
};

static void levels_add(struct levels *l, char level)
{
	if (memchr(l->list, level, l->len) == NULL)
		l->list[l->len++] = level;
}

static int levels_print(const struct levels *l, const char *rest, struct buffer *why,
			struct error *err)
{
	bool one = l->len == 1;

	if (buffer_printf(why, err, "its link%s it in runlevel%s", one ? " starts" : "s start",
			  one ? "" : "s") < 0)
		return -1;
	for (size_t i = 0; i < l->len; i++)
		if (buffer_printf(why, err, " %c", l->list[i]) < 0)
			return -1;
	return buffer_append_str(why, rest, err);
}

/* 0 and 6 only stop. */
static bool is_start_link(const struct boot_link *l)
{
	return l->kind == 'S' && l->level != '0' && l->level != '6';
}

static bool is_listed(const struct boot_reading *r, const struct boot_link *l)
{
	const struct boot_service *s = r->service;

	return r->by_number || (l->level == 'S' ? s->boot : s->start) == BOOT_DEPEND_LISTED;
}

static int print_mode(const struct boot_reading *r, struct buffer *why, struct error *err)
{
	return buffer_printf(why, err, "its script is not executable (mode %03o)",
			     (unsigned)r->service->script_mode);
}

/* Why a link that is there starts nothing. */
static int print_obstacle(const struct boot_reading *r, const struct boot_link *l,
			  struct buffer *why, struct error *err)
{
	const struct boot_service *s = r->service;
	bool runs;

	if (boot_link_runs(r, l, &runs, err) < 0)
		return -1;
	if (runs)
		return buffer_printf(why, err, "its links would start it, but "
				     BOOT_INIT_D "/.depend.%s does not name it",
				     l->level == 'S' ? "boot" : "start");
	if (l->elsewhere)
		return buffer_printf(why, err, "%s leads to %s, which is not %s", l->path,
				     l->target != NULL ? l->target : "no script",
				     l->dangling ? "there" : "executable");
	if (!s->has_script)
		return buffer_printf(why, err, "its links would start it, but there is no "
				     BOOT_INIT_D "/%s", s->name);
	if (!r->script_runs)
		return buffer_printf(why, err, "its links would start it, but " BOOT_INIT_D
				     "/%s is no file that can be run", s->name);
	return print_mode(r, why, err);
}

static int print_no_link(const struct boot_reading *r, struct buffer *why, struct error *err)
{
	if (buffer_append_str(why, "no runlevel has a start link for it", err) < 0)
		return -1;
	if (!r->script_runs || (r->service->script_mode & 0111) != 0)
		return 0;
	return buffer_append_str(why, ", and ", err) < 0 ? -1 : print_mode(r, why, err);
}

static bool has_trace_of_sysv(const struct boot_service *s)
{
	return s->has_script || s->n_links > 0;
}

static int decide_sysv(const struct boot_reading *r, struct buffer *why, struct error *err)
{
	struct boot_service *s = r->service;
	const struct boot_link *first = NULL;
	struct levels starts = { .len = 0 };

	for (size_t i = 0; i < s->n_links; i++) {
		const struct boot_link *l = &s->links[i];
		bool of_boot = l->level == 'S' || l->level == r->default_level, runs;

		if (!is_start_link(l))
			continue;
		if (boot_link_runs(r, l, &runs, err) < 0)
			return -1;
		if (runs && is_listed(r, l)) {
			levels_add(&starts, l->level);
			s->starts = s->starts || of_boot;
		} else if (first == NULL || of_boot) {
			first = l;
		}
	}
	if (s->starts)
		return levels_print(&starts, "", why, err);
	if (starts.len > 0) {
		if (levels_print(&starts, "", why, err) < 0)
			return -1;
		return buffer_printf(why, err, ", and the host boots into %c", r->default_level);
	}
	if (first != NULL)
		return print_obstacle(r, first, why, err);
	return has_trace_of_sysv(s) ? print_no_link(r, why, err) : 0;
}

/* rc1.d is rescue.target's, rcS.d nobody's (systemd-sysv-generator(8)). The links count by
 * their names, wherever they lead. */
static int decide_generated(const struct boot_reading *r, struct buffer *why, struct error *err)
{
	struct boot_service *s = r->service;
	struct levels starts = { .len = 0 };

	for (size_t i = 0; i < s->n_links; i++) {
		const struct boot_link *l = &s->links[i];

		if (l->kind == 'S' && l->level >= '2' && l->level <= '5') {
			levels_add(&starts, l->level);
			s->starts = s->starts || l->level != '5' || !r->boots_multi_user;
		}
	}
	if (s->starts)
		return levels_print(&starts, ", by the unit that systemd makes of its script", why,
				    err);
	if (starts.len > 0)
		return levels_print(&starts, ", and the host boots into multi-user.target", why,
				    err);
	return buffer_append_str(why, "no runlevel from 2 to 5 has a start link for it", err);
}

static int decide_without_unit(const struct boot_reading *r, struct buffer *why,
			       struct error *err)
{
	const struct boot_service *s = r->service;

	if (r->script_runs)
		return print_mode(r, why, err);
	if (s->has_script)
		return buffer_printf(why, err, BOOT_INIT_D "/%s is no file that can be run", s->name);
	if (s->n_links > 0)
		return buffer_printf(why, err, "it has links, but there is no " BOOT_INIT_D "/%s",
				     s->name);
	return 0;
}

static const char *state_text(const struct boot_unit *unit)
{
	switch (unit->state) {
	case BOOT_UNIT_ENABLED:
		return "is enabled";
	case BOOT_UNIT_DISABLED:
		return "is disabled";
	case BOOT_UNIT_MASKED:
		return "is masked";
	case BOOT_UNIT_GENERATED:
		return "is made of its script";
	default:
		return "has no [Install] section";
	}
}

static int print_wanted(const struct boot_reading *r, struct buffer *why, struct error *err)
{
	const struct boot_unit *unit = &r->service->unit;

	if (unit->state == BOOT_UNIT_ENABLED)
		return buffer_printf(why, err, "its unit %s is enabled", unit->name);
	return buffer_printf(why, err, "its unit %s %s, and %s starts it", unit->name,
			     state_text(unit), r->starters.items[0]);
}

static int print_sockets(const struct boot_unit *unit, struct buffer *why, struct error *err)
{
	const char *first = unit->sockets.items[0];
	const char *when = boot_ends_with(first, ".socket") ? " when somebody connects" :
			   boot_ends_with(first, ".timer") ? " when it is time" :
							     " when a file is there";

	return buffer_printf(why, err, "its unit %s %s, but %s starts it%s", unit->name,
			     state_text(unit), first, when);
}

static int decide_unit(const struct boot_reading *r, struct buffer *why, struct error *err)
{
	struct boot_service *s = r->service;
	const struct boot_unit *unit = &s->unit;
	bool masked = unit->state == BOOT_UNIT_MASKED;

	if (r->unit_is_broken)
		return buffer_printf(why, err, "its unit %s is a link that leads nowhere", unit->path);
	if (!masked && r->starters.len > 0) {
		s->starts = true;
		return print_wanted(r, why, err);
	}
	if (unit->state == BOOT_UNIT_GENERATED) {
		if (unit->sockets.len == 0)
			return decide_generated(r, why, err);
		if (decide_generated(r, why, err) < 0 || s->starts)
			return s->starts ? 0 : -1;
		why->len = 0;
	}
	if (!masked && unit->sockets.len > 0) {
		s->starts = true;
		return print_sockets(unit, why, err);
	}
	if (unit->state == BOOT_UNIT_ENABLED)
		return buffer_printf(why, err, "its unit %s is enabled, but a boot does not get to %s",
				     unit->name, unit->wanted.items[0]);
	return buffer_printf(why, err, "its unit %s %s%s", unit->name, state_text(unit),
			     unit->state == BOOT_UNIT_STATIC ? ", and no unit of a boot starts it" : "");
}

static int print_masks(const struct boot_reading *r, struct buffer *why, struct error *err)
{
	if (r->masked_until_boot &&
	    buffer_append_str(why, " (its mask in /run goes with the next boot)", err) < 0)
		return -1;
	return r->name_mask == NULL ? 0 :
	       buffer_printf(why, err, " (the mask %s is of another name of it)", r->name_mask);
}

static int decide_inetd(const struct boot_reading *r, struct buffer *why, struct error *err)
{
	struct boot_service *s = r->service;
	const char *entry;

	if (s->inetd.len == 0)
		return 0;
	entry = s->inetd.items[0];
	if (buffer_printf(why, err, "%sinetd starts it when somebody connects: %.*s",
			  why->len == 0 ? "" : s->starts ? ", and " : ", but ",
			  (int)(strstr(entry, ": ") - entry), entry) < 0)
		return -1;
	s->starts = true;
	return 0;
}

int boot_decide(struct boot_reading *r, struct error *err)
{
	_cleanup_buffer_ struct buffer why = BUFFER_INIT;
	struct boot_service *s = r->service;
	int failed;

	if (s->init == BOOT_SYSV)
		failed = decide_sysv(r, &why, err);
	else if (s->unit.name == NULL)
		failed = decide_without_unit(r, &why, err);
	else
		failed = decide_unit(r, &why, err) < 0 ? -1 : print_masks(r, &why, err);
	if (failed < 0 || decide_inetd(r, &why, err) < 0)
		return -1;
	if (why.len == 0 && s->unit.name != NULL &&
	    buffer_printf(&why, err, "it has no init script, and sysvinit does not read its unit %s",
			  s->unit.name) < 0)
		return -1;
	if (why.len == 0 && buffer_append_str(&why, "there is no trace of it", err) < 0)
		return -1;
	s->why = TAKE_PTR(why.data);
	return 0;
}

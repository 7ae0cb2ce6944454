/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which units a boot gets to: from the targets that every boot reaches, by the *.wants folders and by
 * what the units and their drop-ins say (systemd.unit(5)). Not looked at: generators, udev(7), D-Bus,
 * and units of other kinds (mounts, devices).
 */
#include "service/boot_units.h"

void boot_reach_release(struct boot_reach *b)
{
	strings_release(&b->names);
	strings_release(&b->by);
}

bool boot_reach_wants(const struct boot_reading *r, const struct boot_want *w)
{
	static const char *const never[] = {
		"rescue.target", "emergency.target", "shutdown.target", "umount.target",
		"final.target", "reboot.target", "poweroff.target", "halt.target", "kexec.target",
		"soft-reboot.target", "exit.target", "sleep.target", "suspend.target",
		"hibernate.target", "hybrid-sleep.target", "suspend-then-hibernate.target",
		"ctrl-alt-del.target", "runlevel0.target", "runlevel1.target", "runlevel6.target",
	};
	size_t len = (size_t)(strrchr(w->folder, '.') - w->folder);

	if (w->passing || w->masked)
		return false;
	if (r->boots_multi_user && (strncmp(w->folder, "graphical.target.", 17) == 0 ||
				    strncmp(w->folder, "runlevel5.target.", 17) == 0))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (strncmp(w->folder, never[i], len) == 0 && never[i][len] == '\0')
			return false;
	return true;
}

struct reaching {
	const struct boot_reading *r;
	const struct boot_units *u;
	struct boot_reach *b;
};

/* By the name that it has in the end: an alias is another way to it. */
static int reach(const struct reaching *k, const char *word, const char *by, struct error *err)
{
	const char *name;

	if (strchr(word, '%') != NULL)
		return 0; /* a specifier, which takes a running systemd */
	(void)boot_units_find(k->u, word, BOOT_UNITS_LASTING, &name);
	if (strings_contain(&k->b->names, name))
		return 0;
	return strings_add(&k->b->names, name, err) < 0 ? -1 : strings_add(&k->b->by, by, err);
}

static bool is_of_target(const struct boot_want *w)
{
	static const char target[] = ".target";
	const char *end = strrchr(w->folder, '.');
	size_t len = strlen(target);

	return (size_t)(end - w->folder) > len && strncmp(end - len, target, len) == 0;
}

static int reach_roots(const struct reaching *k, struct error *err)
{
	static const char *const roots[] = {
		"default.target", "multi-user.target", "basic.target", "sysinit.target",
		"sockets.target", "timers.target", "paths.target", "slices.target",
		"local-fs.target", "swap.target", "getty.target",
	};

	for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
		if (reach(k, roots[i], "", err) < 0)
			return -1;
	if (!k->r->boots_multi_user && reach(k, "graphical.target", "", err) < 0)
		return -1;
	for (size_t i = 0; i < k->u->n_wants; i++) {
		const struct boot_want *w = &k->u->wants[i];

		if (is_of_target(w) && boot_reach_wants(k->r, w) && reach(k, w->name, "", err) < 0)
			return -1;
	}
	return 0;
}

/* "foo.service.wants" of "foo.service" */
static bool is_folder_of(const struct boot_want *w, const char *name)
{
	size_t len = strlen(name);

	return strncmp(w->folder, name, len) == 0 && strrchr(w->folder, '.') == w->folder + len;
}

static int reach_from(const struct reaching *k, const char *name, struct error *err)
{
	_cleanup_boot_unit_text_ struct boot_unit_text text = BOOT_UNIT_TEXT_INIT;
	const struct boot_unit_file *f;
	const char *same;

	f = boot_units_find(k->u, name, BOOT_UNITS_LASTING, &same);
	if (f != NULL && f->kind != BOOT_UNIT_FILE)
		return 0;
	for (size_t i = 0; i < k->u->n_wants; i++)
		if (is_folder_of(&k->u->wants[i], name) && boot_reach_wants(k->r, &k->u->wants[i]) &&
		    reach(k, k->u->wants[i].name, "", err) < 0)
			return -1;
	if (f == NULL)
		return 0;
	if (boot_units_text(k->r, k->u, f, name, &text, err) < 0)
		return -1;
	for (size_t i = 0; i < text.pulls.len; i++)
		if (reach(k, text.pulls.items[i], text.pulls_by.items[i], err) < 0)
			return -1;
	return 0;
}

int boot_reach_read(const struct boot_reading *r, const struct boot_units *u,
		    struct boot_reach *ret, struct error *err)
{
	const struct reaching k = { .r = r, .u = u, .b = ret };

	if (reach_roots(&k, err) < 0)
		return -1;
	/* it grows while it is walked */
	for (size_t i = 0; i < ret->names.len; i++) {
		_cleanup_free_ char *name = str_dup(ret->names.items[i], err);

		if (name == NULL || reach_from(&k, name, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- texts */

static int add_text(const struct boot_reading *r, const char *path, struct boot_unit_text *t,
		    struct error *err)
{
	_cleanup_buffer_ struct buffer bytes = BUFFER_INIT;

	if (boot_bytes(r, path, &bytes, err) < 0 ||
	    boot_unit_text_parse(slice_of(bytes.data, bytes.len), t, err) < 0)
		return -1;
	while (t->pulls_by.len < t->pulls.len)
		if (strings_add(&t->pulls_by, path, err) < 0)
			return -1;
	return 0;
}

/* Its own, and of an instance also its template's. */
static bool is_drop_in_of(const struct boot_want *d, const char *name)
{
	const char *at = strchr(name, '@'), *dot = strrchr(name, '.');
	size_t stem = at != NULL ? (size_t)(at + 1 - name) : 0;

	if (is_folder_of(d, name))
		return true;
	return at != NULL && dot != NULL && strncmp(d->folder, name, stem) == 0 &&
	       strncmp(d->folder + stem, dot, strlen(dot)) == 0 &&
	       strcmp(d->folder + stem + strlen(dot), ".d") == 0;
}

int boot_units_text(const struct boot_reading *r, const struct boot_units *u,
		    const struct boot_unit_file *f, const char *name, struct boot_unit_text *ret,
		    struct error *err)
{
	if (add_text(r, f->path, ret, err) < 0)
		return -1;
	for (size_t i = 0; i < u->n_drop_ins; i++) {
		const struct boot_want *d = &u->drop_ins[i];

		if (!d->masked && !d->passing && is_drop_in_of(d, name) &&
		    add_text(r, d->path, ret, err) < 0)
			return -1;
	}
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What sshd's unit can't be started without, as systemd.unit(5) has it: Requires=, Requisite= and
 * BindsTo=, the links in its .requires folders, and what those units need in turn. What is Wanted
 * may fail; a unit that is made of an init script wants, and requires nothing.
 *
 * /etc/systemd/system is the tree's, the other folders are the host's.
 */
#include "service/boot_needs.h"

#include "base/path.h"
#include "service/boot_parts.h"

#define LOCAL "/etc/systemd/system"
#define SUFFIX ".service"
#define UNITS_MAX 500

static const char *const folders[] = {
	"/run/systemd/system",
	"/usr/local/lib/systemd/system",
	"/lib/systemd/system",
	"/usr/lib/systemd/system",
};

struct units {
	struct strings names;
	struct strings by; /* who needs it: a name before it; "" for sshd's own */
};

static int add_unit(struct units *u, const char *name, const char *by, struct error *err)
{
	if (*name == '\0' || strchr(name, '/') != NULL || u->names.len == UNITS_MAX ||
	    strings_contain(&u->names, name))
		return 0;
	if (strings_add(&u->names, name, err) < 0)
		return -1;
	return strings_add(&u->by, by, err);
}

/* The lines of a unit file that name what it can't do without; one may go on behind a \. */
static int read_requires(struct slice text, struct strings *ret, struct error *err)
{
	static const char *const keys[] = { "Requires", "Requisite", "BindsTo" };
	struct slice line;
	bool goes_on = false;

	while (boot_next_line(&text, &line)) {
		bool ours = goes_on;

		for (size_t i = 0; i < ARRAY_SIZE(keys) && !ours; i++) {
			size_t n = strlen(keys[i]);

			if (line.len <= n || memcmp(line.data, keys[i], n) != 0)
				continue;
			while (n < line.len && line.data[n] == ' ')
				n++;
			if (n == line.len || line.data[n] != '=')
				continue;
			line = slice_of(line.data + n + 1, line.len - n - 1);
			ours = true;
		}
		if (!ours)
			continue;
		goes_on = line.len > 0 && line.data[line.len - 1] == '\\';
		line.len -= goes_on;
		if (boot_needs_words(line, ret, err) < 0)
			return -1;
	}
	return 0;
}

static int read_file(const struct host *h, const char *folder, const char *name,
		     struct strings *ret, struct error *err)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	_cleanup_free_ char *path = path_join(folder, name, err);

	if (path == NULL || boot_needs_read(h, path, &f, err) < 0)
		return -1;
	return read_requires(slice_of(f.bytes.data, f.bytes.len), ret, err);
}

/* The unit, its drop-ins and its .requires folder, below one folder of the host. */
static int read_folder(const struct host *h, const char *folder, const char *unit,
		       struct strings *ret, struct error *err)
{
	_cleanup_free_ char *drop_ins = str_format(err, "%s/%s.d", folder, unit);
	_cleanup_free_ char *links = str_format(err, "%s/%s.requires", folder, unit);
	_cleanup_strings_ struct strings names = STRINGS_INIT;

	if (drop_ins == NULL || links == NULL ||
	    read_file(h, folder, unit, ret, err) < 0 ||
	    host_dir_list(h, links, ret, err) < 0 ||
	    host_dir_list(h, drop_ins, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++)
		if (read_file(h, drop_ins, names.items[i], ret, err) < 0)
			return -1;
	return 0;
}

/* What a unit is really called, when that is a link: "inetd.service" for an "openbsd-inetd.service". A
 * mask is no name. */
static int add_alias(const struct host *h, const struct host_tree *t, const char *folder,
		     const char *unit, struct strings *ret, struct error *err)
{
	const struct boot_reading r = { .host = h, .tree = t };
	_cleanup_boot_seen_ struct boot_seen seen = BOOT_SEEN_INIT;
	_cleanup_free_ char *path = path_join(folder, unit, err), *end = NULL;

	if (path == NULL || boot_follow(&r, path, &end, &seen, err) < 0)
		return -1;
	if (seen.kind == BOOT_SEEN_OTHER || strcmp(path_basename(end), unit) == 0)
		return 0;
	return strings_add(ret, path_basename(end), err);
}

static int add_aliases(const struct host *h, const struct host_tree *t, const char *unit,
		       struct strings *ret, struct error *err)
{
	if (add_alias(h, t, LOCAL, unit, ret, err) < 0)
		return -1;
	for (size_t f = 0; f < ARRAY_SIZE(folders); f++)
		if (add_alias(h, t, folders[f], unit, ret, err) < 0)
			return -1;
	return 0;
}

/* The same in the tree, where a link is but another name. */
static int read_local(const struct host_tree *t, const char *unit, struct strings *ret,
		      struct error *err)
{
	_cleanup_free_ char *file = str_format(err, LOCAL "/%s", unit);
	_cleanup_free_ char *drop_ins = str_format(err, LOCAL "/%s.d/", unit);
	_cleanup_free_ char *links = str_format(err, LOCAL "/%s.requires/", unit);

	if (file == NULL || drop_ins == NULL || links == NULL)
		return -1;
	for (size_t i = 0; i < t->len; i++) {
		const struct host_tree_entry *e = &t->items[i];
		bool same = strcmp(e->path, file) == 0;
		int r = 0;

		if (e->kind == HOST_TREE_FILE &&
		    (same || strncmp(e->path, drop_ins, strlen(drop_ins)) == 0))
			r = read_requires(slice_of(e->bytes.data, e->bytes.len), ret,
					  err);
		else if (strncmp(e->path, links, strlen(links)) == 0)
			r = strings_add(ret, path_basename(e->path), err);
		if (r < 0)
			return -1;
	}
	return 0;
}

static int expand(const struct host *h, const struct host_tree *t, struct units *u,
		  size_t i, struct error *err)
{
	_cleanup_free_ char *unit = str_dup(u->names.items[i], err);
	_cleanup_strings_ struct strings needs = STRINGS_INIT;

	if (unit == NULL || read_local(t, unit, &needs, err) < 0 ||
	    add_aliases(h, t, unit, &needs, err) < 0)
		return -1;
	for (size_t f = 0; f < ARRAY_SIZE(folders); f++)
		if (read_folder(h, folders[f], unit, &needs, err) < 0)
			return -1;
	for (size_t n = 0; n < needs.len; n++)
		if (add_unit(u, needs.items[n], unit, err) < 0)
			return -1;
	return 0;
}

/* "sshd needs a.service, which needs b.service": found from its end. */
static int explain(const struct units *u, size_t i, char **ret, struct error *err)
{
	_cleanup_free_ char *chain = str_dup(u->names.items[i], err);

	while (chain != NULL && u->by.items[i][0] != '\0') {
		_cleanup_free_ char *rest = chain;
		const char *by = u->by.items[i];

		for (i = 0; strcmp(u->names.items[i], by) != 0;)
			i++;
		chain = u->by.items[i][0] == '\0' ?
				str_format(err, "%s needs %s", by, rest) :
				str_format(err, "%s, which needs %s", by, rest);
	}
	if (chain == NULL)
		return -1;
	*ret = TAKE_PTR(chain);
	return 0;
}

/* The names that systemd has for it. */
static int own_names(const struct host *h, const struct host_tree *t, const char *name,
		     struct strings *ret, struct error *err)
{
	static const char *const suffixes[] = { SUFFIX, ".socket", ".path", ".timer",
						".mount" };
	_cleanup_free_ char *unit = NULL;
	bool has_suffix = false;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		const char *dot = strrchr(name, '.');

		has_suffix = has_suffix || (dot != NULL && strcmp(dot, suffixes[i]) == 0);
	}
	if (strings_addf(ret, err, "%s%s", name, has_suffix ? "" : SUFFIX) < 0)
		return -1;
	unit = str_dup(ret->items[0], err);
	return unit != NULL ? add_aliases(h, t, unit, ret, err) : -1;
}

static int search(const struct host *h, const struct host_tree *t,
		  const struct strings *own, struct units *u, char **ret_why,
		  struct error *err)
{
	static const char *const sshd[] = { "ssh.service", "sshd.service", "ssh.socket",
					    "sshd.socket" };

	for (size_t i = 0; i < own->len; i++) {
		if (!boot_needs_is_sshd(own->items[i]))
			continue;
		*ret_why =
			str_format(err, "%s is another name of %s, which is sshd itself",
				   own->items[0], own->items[i]);
		return *ret_why != NULL ? 0 : -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(sshd); i++)
		if (add_unit(u, sshd[i], "", err) < 0)
			return -1;
	for (size_t i = 0; i < u->names.len; i++) {
		if (strings_contain(own, u->names.items[i]))
			return explain(u, i, ret_why, err);
		if (expand(h, t, u, i, err) < 0)
			return -1;
	}
	return 0;
}

int boot_needs_by_units(const struct host *h, const struct host_tree *t, const char *name,
			char **ret_why, struct error *err)
{
	_cleanup_strings_ struct strings own = STRINGS_INIT;
	struct units u = { .names = STRINGS_INIT, .by = STRINGS_INIT };
	int r = own_names(h, t, name, &own, err);

	if (r == 0)
		r = search(h, t, &own, &u, ret_why, err);
	strings_release(&u.names);
	strings_release(&u.by);
	return r;
}

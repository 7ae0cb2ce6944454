/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The folders are read once, in their order, /etc/systemd/system from the tree. What a link means
 * is a matter of its text: within the folders of units it is another name, elsewhere it is the file
 * (systemd.unit(5), "linked unit files").
 */
#include "service/boot_units.h"

#include "base/path.h"

#define ALIASES_MAX 16

const char *const boot_unit_folders[] = {
	"/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient",
	BOOT_UNITS_ETC,                "/etc/systemd/system.attached", "/run/systemd/system",
	"/run/systemd/system.attached", "/usr/local/lib/systemd/system",
	"/lib/systemd/system",         "/usr/lib/systemd/system",
};

const size_t boot_n_unit_folders = ARRAY_SIZE(boot_unit_folders);

static void release_file(struct boot_unit_file *f)
{
	free(f->name);
	free(f->at);
	free(f->path);
	free(f->to);
}

static void release_wants(struct boot_want *wants, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(wants[i].folder);
		free(wants[i].name);
		free(wants[i].path);
	}
	free(wants);
}

void boot_units_release(struct boot_units *u)
{
	for (size_t i = 0; i < u->n_files; i++)
		release_file(&u->files[i]);
	release_wants(u->wants, u->n_wants);
	release_wants(u->drop_ins, u->n_drop_ins);
	free(u->files);
	*u = (struct boot_units)BOOT_UNITS_INIT;
}

static bool is_unit_name(const char *name)
{
	return boot_ends_with(name, ".service") || boot_ends_with(name, ".socket") ||
	       boot_ends_with(name, ".path") || boot_ends_with(name, ".timer") ||
	       boot_ends_with(name, ".target");
}

bool boot_units_is_wants(const char *name)
{
	return boot_ends_with(name, ".wants") || boot_ends_with(name, ".requires") ||
	       boot_ends_with(name, ".upholds");
}

/* "foo.service.d" */
static bool is_drop_in_folder(const char *name)
{
	size_t len = strlen(name);
	char stem[256];

	if (!boot_ends_with(name, ".d") || len >= sizeof(stem))
		return false;
	(void)memcpy(stem, name, len - 2);
	stem[len - 2] = '\0';
	return is_unit_name(stem);
}

static bool is_unit_folder(const char *path)
{
	for (size_t i = 0; i < boot_n_unit_folders; i++)
		if (strcmp(path, boot_unit_folders[i]) == 0)
			return true;
	return false;
}

/* The other name that a link gives its own to; NULL when it is none. */
static int alias_of(const char *name, const char *target, char **ret, bool *ret_is_itself,
		    struct error *err)
{
	_cleanup_free_ char *folder = path_dirname(target, err);
	const char *other = path_basename(target);

	*ret = NULL;
	*ret_is_itself = false;
	if (folder == NULL)
		return -1;
	if (!is_unit_folder(folder) || !is_unit_name(other))
		return 0;
	*ret_is_itself = strcmp(other, name) == 0;
	if (*ret_is_itself)
		return 0;
	*ret = str_dup(other, err);
	return *ret != NULL ? 0 : -1;
}

/* What is at f->at. False for what systemd passes over: a folder, a link to its own name. */
static int classify(const struct boot_reading *r, struct boot_unit_file *f, bool *ret_is_unit,
		    struct error *err)
{
	_cleanup_boot_seen_ struct boot_seen first = BOOT_SEEN_INIT, last = BOOT_SEEN_INIT;
	bool is_itself = false;

	*ret_is_unit = false;
	if (boot_look(r, f->at, &first, err) < 0)
		return -1;
	f->regular = first.kind == BOOT_SEEN_FILE;
	if (first.kind == BOOT_SEEN_LINK &&
	    alias_of(f->name, first.target, &f->to, &is_itself, err) < 0)
		return -1;
	f->kind = BOOT_UNIT_ALIAS;
	*ret_is_unit = f->to != NULL;
	if (f->to != NULL || is_itself)
		return 0;
	if (boot_follow(r, f->at, &f->path, &last, err) < 0)
		return -1;
	if (strcmp(f->path, "/dev/null") == 0 || last.empty)
		f->kind = BOOT_UNIT_MASK;
	else
		f->kind = last.kind == BOOT_SEEN_FILE ? BOOT_UNIT_FILE : BOOT_UNIT_BROKEN;
	*ret_is_unit = f->kind != BOOT_UNIT_BROKEN || first.kind == BOOT_SEEN_LINK;
	return 0;
}

static int make_room_for_file(struct boot_units *u, struct error *err)
{
	size_t cap = u->cap_files > 0 ? 2 * u->cap_files : 256;
	struct boot_unit_file *more;

	if (u->n_files < u->cap_files)
		return 0;
	more = reallocarray(u->files, cap, sizeof(*more));
	if (more == NULL)
		return error_oom(err);
	u->files = more;
	u->cap_files = cap;
	return 0;
}

static int add_file(const struct boot_reading *r, struct boot_units *u, const char *folder,
		    const char *name, struct error *err)
{
	struct boot_unit_file f = { .passing = path_is_below(folder, "/run"),
				    .local = path_is_below(folder, "/etc") };
	bool is_unit = false;

	f.name = str_dup(name, err);
	f.at = path_join(folder, name, err);
	if (f.name == NULL || f.at == NULL || make_room_for_file(u, err) < 0 ||
	    classify(r, &f, &is_unit, err) < 0) {
		release_file(&f);
		return -1;
	}
	if (is_unit)
		u->files[u->n_files++] = f;
	else
		release_file(&f);
	return 0;
}

static bool is_hidden(const struct boot_want *wants, size_t n, const char *folder,
		      const char *name)
{
	for (size_t i = 0; i < n; i++)
		/* what is in /run hides nothing at the next boot */
		if (!wants[i].passing && strcmp(wants[i].name, name) == 0 &&
		    strcmp(wants[i].folder, folder) == 0)
			return true;
	return false;
}

static int make_room_for_want(struct boot_want **wants, size_t n, size_t *cap, struct error *err)
{
	size_t more_cap = *cap > 0 ? 2 * *cap : 64;
	struct boot_want *more;

	if (n < *cap)
		return 0;
	more = reallocarray(*wants, more_cap, sizeof(*more));
	if (more == NULL)
		return error_oom(err);
	*wants = more;
	*cap = more_cap;
	return 0;
}

static int add_want(const struct boot_reading *r, struct boot_want **wants, size_t *n, size_t *cap,
		    const char *folder, const char *path, const char *name, struct error *err)
{
	_cleanup_boot_seen_ struct boot_seen last = BOOT_SEEN_INIT;
	_cleanup_free_ char *at = path_join(path, name, err), *end = NULL;
	struct boot_want *w;

	if (at == NULL || boot_follow(r, at, &end, &last, err) < 0 ||
	    make_room_for_want(wants, *n, cap, err) < 0)
		return -1;
	w = &(*wants)[(*n)++];
	*w = (struct boot_want){ .folder = str_dup(folder, err), .name = str_dup(name, err),
				 .path = TAKE_PTR(at),
				 /* where it leads does not matter but for that */
				 .masked = strcmp(end, "/dev/null") == 0,
				 .passing = path_is_below(path, "/run"),
				 .local = path_is_below(path, "/etc") };
	return w->folder != NULL && w->name != NULL ? 0 : -1;
}

/* A *.wants and its like, or (drop_ins) a *.d. */
static int read_wants(const struct boot_reading *r, struct boot_units *u, const char *unit_folder,
		      const char *folder, bool drop_ins, struct error *err)
{
	_cleanup_free_ char *path = path_join(unit_folder, folder, err);
	_cleanup_strings_ struct strings names = STRINGS_INIT;
	struct boot_want **wants = drop_ins ? &u->drop_ins : &u->wants;
	size_t *n = drop_ins ? &u->n_drop_ins : &u->n_wants;
	size_t *cap = drop_ins ? &u->cap_drop_ins : &u->cap_wants;

	if (path == NULL || boot_list(r, path, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		const char *name = names.items[i];

		if ((drop_ins ? boot_ends_with(name, ".conf") : is_unit_name(name)) &&
		    !is_hidden(*wants, *n, folder, name) &&
		    add_want(r, wants, n, cap, folder, path, name, err) < 0)
			return -1;
	}
	return 0;
}

/* Where /lib is /usr/lib, the last folder is the one before it. */
static int count_folders(const struct boot_reading *r, size_t *ret, struct error *err)
{
	_cleanup_boot_seen_ struct boot_seen lib = BOOT_SEEN_INIT;

	if (boot_look(r, "/lib", &lib, err) < 0)
		return -1;
	*ret = boot_n_unit_folders;
	if (lib.kind == BOOT_SEEN_LINK && strcmp(lib.target, "/usr/lib") == 0)
		--*ret;
	return 0;
}

int boot_units_read(const struct boot_reading *r, struct boot_units *ret, struct error *err)
{
	size_t n_folders;

	if (count_folders(r, &n_folders, err) < 0)
		return -1;
	for (size_t i = 0; i < n_folders; i++) {
		_cleanup_strings_ struct strings names = STRINGS_INIT;
		const char *folder = boot_unit_folders[i];

		if (boot_list(r, folder, &names, err) < 0)
			return -1;
		for (size_t k = 0; k < names.len; k++) {
			const char *name = names.items[k];

			if (is_unit_name(name) && add_file(r, ret, folder, name, err) < 0)
				return -1;
			if ((boot_units_is_wants(name) || is_drop_in_folder(name)) &&
			    read_wants(r, ret, folder, name, !boot_units_is_wants(name), err) < 0)
				return -1;
		}
	}
	return 0;
}

static const struct boot_unit_file *first_of(const struct boot_units *u, const char *name,
					     size_t len, unsigned how)
{
	for (size_t i = 0; i < u->n_files; i++) {
		const struct boot_unit_file *f = &u->files[i];

		if (strncmp(f->name, name, len) != 0 ||
		    ((how & BOOT_UNITS_LASTING) != 0 && f->passing) ||
		    ((how & BOOT_UNITS_UNMASKED) != 0 && f->kind == BOOT_UNIT_MASK))
			continue;
		if (strcmp(f->name + len, name[len] == '\0' ? "" : strrchr(name, '.')) == 0)
			return f;
	}
	return NULL;
}

const struct boot_unit_file *boot_units_find(const struct boot_units *u, const char *name,
					     unsigned how, const char **ret_name)
{
	*ret_name = name;
	for (unsigned i = 0; i < ALIASES_MAX; i++) {
		const struct boot_unit_file *f = first_of(u, *ret_name, strlen(*ret_name), how);
		const char *at = strchr(*ret_name, '@');

		if (f == NULL && at != NULL && strrchr(at, '.') != NULL)
			f = first_of(u, *ret_name, (size_t)(at + 1 - *ret_name), how);
		if (f == NULL || f->kind != BOOT_UNIT_ALIAS)
			return f;
		*ret_name = f->to;
	}
	return NULL;
}

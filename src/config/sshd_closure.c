/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The files are read depth first, as Includes expand in place. Each reading has a frame
 * on the C stack, at most SSHD_DEPTH_MAX + 1 of them: what holds outside (fixed) and
 * what holds here (set anew by every Match of the file).
 */
#include "config/sshd_closure.h"

#include <fnmatch.h>
#include <stdio.h>

#include "base/path.h"
#include "config/ascii.h"

struct reading {
	struct sshd_closure *closure;
	const struct strings *groups;
	const struct sshd_closure_io *io;
	size_t reads;
};

/* One file being read. */
struct frame {
	const struct frame *parent; /* NULL: the main file */
	const char *path;
	size_t number; /* of the line being read */
	size_t depth;
	enum sshd_scope outer; /* of the Include that led here */
	enum sshd_scope scope; /* of the next directive */
	size_t outer_match;
	size_t match;
};

void sshd_closure_release(struct sshd_closure *closure)
{
	for (size_t i = 0; i < closure->files_len; i++) {
		free(closure->files[i].path);
		sshd_lines_release(&closure->files[i].lines);
	}
	free(closure->files);
	free(closure->directives);
	strings_release(&closure->patterns);
	*closure = (struct sshd_closure)SSHD_CLOSURE_INIT;
}

/* Room for one more of `size` bytes in an array. */
static int grow(void **items, size_t len, size_t *cap, size_t size, struct error *err)
{
	size_t more = *cap != 0 ? *cap * 2 : 8;
	void *p;

	if (len < *cap)
		return 0;
	p = reallocarray(*items, more, size);
	if (p == NULL)
		return error_oom(err);
	*items = p;
	*cap = more;
	return 0;
}

static int too_deep(const struct frame *parent, const char *path, struct error *err)
{
	const struct frame *frames[SSHD_DEPTH_MAX + 1];
	char chain[ERROR_MESSAGE_MAX / 2] = "";
	size_t n = 0, used = 0;

	for (const struct frame *f = parent; f != NULL && n < ARRAY_SIZE(frames);
	     f = f->parent)
		frames[n++] = f;
	while (n-- > 0 && used < sizeof(chain) - 1)
		used += (size_t)snprintf(chain + used, sizeof(chain) - used,
					 "%s line %zu -> ", frames[n]->path,
					 frames[n]->number);
	error_set(err, ERROR_REFUSED, "Includes are nested more than %d deep: %s%s",
		  SSHD_DEPTH_MAX, chain, path);
	return error_hint(err, "sshd refuses this as well. Look for a file that includes "
			       "itself, or one that includes it.");
}

static int file_load(struct reading *r, const char *path, const struct frame *parent,
		     size_t *ret, struct error *err)
{
	struct sshd_closure *c = r->closure;
	struct sshd_file file = { .path = NULL };

	for (size_t i = 0; i < c->files_len; i++) {
		if (strcmp(c->files[i].path, path) == 0) {
			*ret = i;
			return 0;
		}
	}
	if (c->files_len == SSHD_FILES_MAX)
		return error_set(err, ERROR_REFUSED, "more than %d files are included",
				 SSHD_FILES_MAX);
	if (grow((void **)&c->files, c->files_len, &c->files_cap, sizeof(file), err) < 0)
		return -1;
	if (r->io->load(r->io->ctx, path, &file.text, err) < 0) {
		if (parent != NULL)
			error_prefix(err, "%s line %zu", parent->path, parent->number);
		return -1;
	}
	if (sshd_lines_scan(path, file.text, &file.lines, err) < 0)
		return -1;
	file.path = str_dup(path, err);
	if (file.path == NULL) {
		sshd_lines_release(&file.lines);
		return -1;
	}
	*ret = c->files_len;
	c->files[c->files_len++] = file;
	return 0;
}

static int directive_add(struct reading *r, const struct frame *f, size_t file,
			 size_t line, struct error *err)
{
	struct sshd_closure *c = r->closure;
	const struct sshd_file *in = &c->files[file];
	struct sshd_directive *d;

	if (c->directives_len == SSHD_DIRECTIVES_MAX)
		return error_set(err, ERROR_REFUSED,
				 "more than %d PermitRootLogin and Match lines are read",
				 SSHD_DIRECTIVES_MAX);
	if (grow((void **)&c->directives, c->directives_len, &c->directives_cap,
		 sizeof(*d), err) < 0)
		return -1;
	d = &c->directives[c->directives_len++];
	*d = (struct sshd_directive){
		.keyword = in->lines.items[line].keyword,
		.scope = f->scope,
		.file = file,
		.line = line,
		.match = f->match,
	};
	if (d->keyword == SSHD_PERMIT_ROOT_LOGIN)
		sshd_line_value(&in->lines.items[line], in->text, d->value,
				sizeof(d->value));
	return 0;
}

static int count_read(struct reading *r, struct error *err)
{
	if (r->reads++ == SSHD_READS_MAX)
		return error_set(err, ERROR_REFUSED, "more than %d Includes are followed",
				 SSHD_READS_MAX);
	return 0;
}

static int read_file(struct reading *r, const char *path, const struct frame *parent,
		     struct error *err);

char *sshd_include_pattern(const char *argument, struct error *err)
{
	if (argument[0] == '/' || argument[0] == '~')
		return str_dup(argument, err);
	return path_join(SSHD_CONFIG_FOLDER, argument, err);
}

bool sshd_include_finds(const char *pattern, const char *path)
{
	return fnmatch(pattern, path, FNM_PATHNAME | FNM_PERIOD) == 0;
}

bool sshd_closure_would_read(const struct sshd_closure *closure, const char *path)
{
	for (size_t i = 0; i < closure->patterns.len; i++)
		if (sshd_include_finds(closure->patterns.items[i], path))
			return true;
	return false;
}

static int read_pattern(struct reading *r, const struct frame *f, const char *pattern,
			struct error *err)
{
	_cleanup_strings_ struct strings paths = STRINGS_INIT;
	_cleanup_free_ char *full = sshd_include_pattern(pattern, err);
	struct strings *known = &r->closure->patterns;

	if (full == NULL || count_read(r, err) < 0)
		return -1;
	if (!strings_contain(known, full) && strings_add(known, full, err) < 0)
		return -1;
	if (r->io->glob(r->io->ctx, full, &paths, err) < 0)
		return error_prefix(err, "%s line %zu", f->path, f->number);
	for (size_t i = 0; i < paths.len; i++)
		if (read_file(r, paths.items[i], f, err) < 0)
			return -1;
	return 0;
}

static int read_include(struct reading *r, const struct frame *f,
			const struct strings *args, struct error *err)
{
	r->closure->has_include = true;
	for (size_t i = 0; i < args->len; i++)
		if (read_pattern(r, f, args->items[i], err) < 0)
			return -1;
	return 0;
}

static int read_match(struct reading *r, struct frame *f, size_t file, size_t line,
		      const struct strings *args, struct error *err)
{
	f->scope = sshd_scope_and(f->outer, sshd_match_scope(args, r->groups));
	f->match = f->outer_match;
	if (directive_add(r, f, file, line, err) < 0)
		return -1;
	f->match = r->closure->directives_len - 1;
	return 0;
}

static int read_line(struct reading *r, struct frame *f, size_t file, size_t line,
		     struct error *err)
{
	_cleanup_strings_ struct strings args = STRINGS_INIT;
	/* A copy: an Include may move the files. */
	const struct sshd_line l = r->closure->files[file].lines.items[line];

	f->number = l.number;
	if (l.keyword == SSHD_PERMIT_ROOT_LOGIN)
		return directive_add(r, f, file, line, err);
	if (sshd_line_args(&l, r->closure->files[file].text, &args, err) < 0)
		return error_prefix(err, "%s line %zu", f->path, f->number);
	if (l.keyword == SSHD_MATCH)
		return read_match(r, f, file, line, &args, err);
	return read_include(r, f, &args, err);
}

static int read_file(struct reading *r, const char *path, const struct frame *parent,
		     struct error *err)
{
	struct frame f = { .parent = parent, .path = path, .match = SSHD_NONE };
	size_t file = 0, lines;

	if (parent != NULL) {
		f.depth = parent->depth + 1;
		f.outer = parent->scope;
		f.match = parent->match;
	}
	f.scope = f.outer;
	f.outer_match = f.match;
	if (f.depth > SSHD_DEPTH_MAX)
		return too_deep(parent, path, err);
	if (count_read(r, err) < 0)
		return -1;
	if (file_load(r, path, parent, &file, err) < 0)
		return -1;
	lines = r->closure->files[file].lines.len;
	for (size_t i = 0; i < lines; i++)
		if (read_line(r, &f, file, i, err) < 0)
			return -1;
	return 0;
}

int sshd_closure_read(const char *path, const struct strings *groups,
		      const struct sshd_closure_io *io, struct sshd_closure *ret,
		      struct error *err)
{
	_cleanup_sshd_closure_ struct sshd_closure closure = SSHD_CLOSURE_INIT;
	struct reading r = { .closure = &closure, .groups = groups, .io = io };

	if (read_file(&r, path, NULL, err) < 0)
		return -1;
	sshd_closure_release(ret);
	*ret = closure;
	closure = (struct sshd_closure)SSHD_CLOSURE_INIT;
	return 0;
}

size_t sshd_closure_deciding(const struct sshd_closure *closure)
{
	size_t global = SSHD_NONE;

	for (size_t i = 0; i < closure->directives_len; i++) {
		const struct sshd_directive *d = &closure->directives[i];

		if (d->keyword != SSHD_PERMIT_ROOT_LOGIN)
			continue;
		if (d->scope == SSHD_SCOPE_ROOT)
			return i;
		if (d->scope == SSHD_SCOPE_GLOBAL && global == SSHD_NONE)
			global = i;
	}
	return global;
}

const char *sshd_directive_path(const struct sshd_closure *closure,
				const struct sshd_directive *directive)
{
	return closure->files[directive->file].path;
}

size_t sshd_directive_number(const struct sshd_closure *closure,
			     const struct sshd_directive *directive)
{
	return closure->files[directive->file].lines.items[directive->line].number;
}

struct slice sshd_directive_text(const struct sshd_closure *closure,
				 const struct sshd_directive *directive)
{
	const struct sshd_file *file = &closure->files[directive->file];

	return sshd_line_text(&file->lines.items[directive->line], file->text);
}

enum sshd_permit sshd_permit_parse(const char *value)
{
	static const struct {
		const char *name;
		enum sshd_permit permit;
	} table[] = {
		{ "yes", SSHD_PERMIT_YES },
		{ "no", SSHD_PERMIT_NO },
		{ "prohibit-password", SSHD_PERMIT_PROHIBIT_PASSWORD },
		{ "without-password", SSHD_PERMIT_PROHIBIT_PASSWORD },
		{ "forced-commands-only", SSHD_PERMIT_FORCED_COMMANDS_ONLY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (ascii_equal(value, table[i].name))
			return table[i].permit;
	return SSHD_PERMIT_INVALID;
}

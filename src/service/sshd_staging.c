/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: real.items[i] is copied to copies.items[i], which is a name without a character
 * that sshd or glob(7) would read as anything but itself. Lines keep their numbers.
 */
#include "service/sshd_staging.h"

#include <errno.h>
#include <stdio.h>

#include "base/path.h"
#include "config/sshd_closure.h"
#include "host/clock.h"
#include "host/file.h"
#include "host/meta.h"
#include "service/sshd_views.h"

#define LINKS_MAX 16

struct work {
	const struct host *h;
	const struct host_view *views;
	size_t n_views;
	struct sshd_staging *s;
};

static size_t find_real(const struct work *w, const char *path)
{
	size_t i = 0;

	while (i < w->s->real.len && strcmp(w->s->real.items[i], path) != 0)
		i++;
	return i;
}

static int add_file(struct work *w, const char *path, struct error *err)
{
	size_t n = w->s->real.len;

	if (find_real(w, path) < n)
		return 0;
	if (n == SSHD_FILES_MAX)
		return error_set(err, ERROR_REFUSED, "more than %d files are included", (int)n);
	if (strings_addf(&w->s->copies, err, "%s/%zu", w->s->dir, n) < 0)
		return -1;
	return strings_add(&w->s->real, path, err);
}

/* Where a symbolic link leads; a copy of the path when it is none. */
static char *follow(const struct host *h, const char *path, struct error *err)
{
	char *at = str_dup(path, err);

	for (int i = 0; at != NULL && i < LINKS_MAX; i++) {
		_cleanup_free_ char *target = NULL, *dir = NULL, *from = at;
		struct stat st;

		if (host_lstat(h, at, &st) < 0 || !S_ISLNK(st.st_mode)) {
			from = NULL;
			break;
		}
		target = host_link_target(h, at, err);
		dir = path_dirname(at, err);
		at = target != NULL && dir != NULL ? path_clean(dir, target, err) : NULL;
	}
	return at;
}

/* A file that can't be read is left to sshd, which will say so itself. */
static int load(const struct work *w, const char *path, struct host_file *keep,
		struct slice *ret_text, struct error *err)
{
	const struct host_view *view = sshd_views_find(w->views, w->n_views, path);
	_cleanup_free_ char *real = NULL;

	if (view != NULL) {
		*ret_text = view->bytes.len > 0 ? view->bytes : slice_of("", 0);
		return 0;
	}
	real = follow(w->h, path, err);
	if (real == NULL ||
	    host_file_read(w->h, real, HOST_READ_ANY | HOST_READ_NO_DIGEST, keep, err) < 0)
		return -1;
	*ret_text = slice_of(keep->bytes.data, keep->bytes.len);
	return 0;
}

/* What sshd's glob(3) would find, were the views on the disk. */
static int find_included(const struct work *w, const char *argument, struct strings *ret,
			 struct error *err)
{
	_cleanup_free_ char *pattern = sshd_include_pattern(argument, err);

	if (pattern == NULL)
		return -1;
	return sshd_views_glob(w->h, w->views, w->n_views, pattern, ret, err);
}

/* The arguments of one Include, led to the copies. Included files join the work. */
static int write_include(struct work *w, const struct sshd_line *line, struct slice text,
			 struct buffer *out, struct error *err)
{
	_cleanup_strings_ struct strings arguments = STRINGS_INIT;
	size_t written = 0;

	if (sshd_line_args(line, text, &arguments, err) < 0)
		return -1;
	for (size_t i = 0; i < arguments.len; i++) {
		_cleanup_strings_ struct strings paths = STRINGS_INIT;

		if (find_included(w, arguments.items[i], &paths, err) < 0)
			return -1;
		for (size_t k = 0; k < paths.len; k++) {
			if (add_file(w, paths.items[k], err) < 0 ||
			    buffer_printf(out, err, "%s%s", written++ > 0 ? " " : "",
					  w->s->copies.items[find_real(w, paths.items[k])]) < 0)
				return -1;
		}
	}
	if (written > 0 || arguments.len == 0) /* one without arguments is sshd's to reject */
		return 0;
	return buffer_printf(out, err, "%s/none", w->s->dir);
}

static int rewrite(struct work *w, const char *path, struct slice text, struct buffer *out,
		   struct error *err)
{
	_cleanup_sshd_lines_ struct sshd_lines lines = SSHD_LINES_INIT;
	size_t done = 0;

	if (sshd_lines_scan(path, text, &lines, err) < 0)
		return -1;
	for (size_t i = 0; i < lines.len; i++) {
		const struct sshd_line *line = &lines.items[i];
		size_t arguments = line->offset + line->value_offset;

		if (line->keyword != SSHD_INCLUDE || line->value_len == 0)
			continue;
		if (buffer_append(out, text.data + done, arguments - done, err) < 0 ||
		    write_include(w, line, text, out, err) < 0)
			return -1;
		done = line->offset + line->args_end;
	}
	return buffer_append(out, text.data + done, text.len - done, err);
}

static int stage_one(struct work *w, size_t i, struct error *err)
{
	_cleanup_host_file_ struct host_file keep = HOST_FILE_INIT;
	_cleanup_buffer_ struct buffer out = BUFFER_INIT;
	struct slice text;

	if (load(w, w->s->real.items[i], &keep, &text, err) < 0 ||
	    rewrite(w, w->s->real.items[i], text, &out, err) < 0)
		return error_prefix(err, "copying %s for sshd", w->s->real.items[i]);
	return host_file_create(w->h, w->s->copies.items[i], slice_of(out.data, out.len),
				0600, -1, err);
}

int sshd_staging_make(const struct host *h, const char *config, const struct host_view *views,
		      size_t n_views, struct sshd_staging *ret, struct error *err)
{
	struct sshd_staging s = SSHD_STAGING_INIT;
	struct work w = { .h = h, .views = views, .n_views = n_views, .s = &s };
	char random[13];

	if (host_random_hex(random, 6, err) < 0)
		return -1;
	s.dir = str_format(err, "%s/%s%s", SSHD_STAGING_PARENT, SSHD_STAGING_PREFIX, random);
	if (s.dir == NULL)
		return -1;
	if (host_dir_create(h, SSHD_STAGING_PARENT, true, err) < 0 ||
	    host_dir_create(h, s.dir, true, err) < 0 || add_file(&w, config, err) < 0)
		goto undo;
	for (size_t i = 0; i < s.real.len; i++) /* it grows meanwhile */
		if (stage_one(&w, i, err) < 0)
			goto undo;
	*ret = s;
	return 0;
undo:
	sshd_staging_remove(h, &s);
	return -1;
}

void sshd_staging_remove(const struct host *h, struct sshd_staging *s)
{
	if (s->dir != NULL && host_dir_remove(h, s->dir, NULL) < 0)
		errno = 0; /* left to the sweep */
	free(s->dir);
	strings_release(&s->real);
	strings_release(&s->copies);
	*s = (struct sshd_staging)SSHD_STAGING_INIT;
}

/* The number behind "DIR/" when that is the name of a copy. */
static bool parse_copy(const struct sshd_staging *s, const char *at, size_t *ret_index,
		       size_t *ret_len)
{
	size_t dir_len = strlen(s->dir);
	char *end;

	if (strncmp(at, s->dir, dir_len) != 0 || at[dir_len] != '/')
		return false;
	*ret_index = strtoul(at + dir_len + 1, &end, 10);
	*ret_len = (size_t)(end - at);
	return end > at + dir_len + 1 && *ret_index < s->real.len;
}

int sshd_staging_translate(const struct sshd_staging *s, struct slice text, struct buffer *ret,
			   struct error *err)
{
	const char *end = text.data + text.len;

	for (const char *p = text.data; p < end;) {
		const char *hit = memmem(p, (size_t)(end - p), s->dir, strlen(s->dir));
		size_t index, len;

		if (hit == NULL)
			return buffer_append(ret, p, (size_t)(end - p), err);
		if (buffer_append(ret, p, (size_t)(hit - p), err) < 0)
			return -1;
		if (!parse_copy(s, hit, &index, &len)) {
			len = 1;
			if (buffer_append(ret, hit, len, err) < 0)
				return -1;
		} else if (buffer_append_str(ret, s->real.items[index], err) < 0) {
			return -1;
		}
		p = hit + len;
	}
	return 0;
}

int sshd_staging_sweep(const struct host *h, struct error *err)
{
	_cleanup_strings_ struct strings names = STRINGS_INIT;

	if (host_dir_list(h, SSHD_STAGING_PARENT, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		_cleanup_free_ char *path = NULL;

		if (strncmp(names.items[i], SSHD_STAGING_PREFIX, strlen(SSHD_STAGING_PREFIX)) != 0)
			continue;
		path = path_join(SSHD_STAGING_PARENT, names.items[i], err);
		if (path == NULL || host_dir_remove(h, path, err) < 0)
			return -1;
	}
	return 0;
}

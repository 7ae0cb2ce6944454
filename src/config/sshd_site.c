/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * In doubt the answer is line 1 of the main file, which is always right. So nothing here
 * has to understand every pattern: it has to be sure of those that it says yes to.
 */
#include "config/sshd_site.h"

#include <fnmatch.h>

#include "base/path.h"

/* The folder of a pattern, NULL when it is not one certain folder. */
static int literal_folder(const char *pattern, char **ret, struct error *err)
{
	_cleanup_free_ char *folder = path_dirname(pattern, err);

	if (folder == NULL)
		return -1;
	*ret = NULL;
	/* ~ begins no clean path */
	if (strpbrk(folder, "*?[\\") == NULL && path_is_clean(folder))
		*ret = TAKE_PTR(folder);
	return 0;
}

/* As glob(3) matches without flags. */
static bool matches(const char *pattern, const char *path)
{
	return fnmatch(pattern, path, FNM_PATHNAME | FNM_PERIOD) == 0;
}

/* Does sshd read a file by this pattern before `path`, or that very one? */
static bool comes_too_late(const struct sshd_closure *closure, const char *pattern,
			   const char *path)
{
	for (size_t i = 0; i < closure->files_len; i++)
		if (matches(pattern, closure->files[i].path) &&
		    strcmp(closure->files[i].path, path) <= 0)
			return true;
	return false;
}

static int find_by_pattern(const struct sshd_closure *closure, const char *pattern,
			   char **ret_path, struct error *err)
{
	_cleanup_free_ char *folder = NULL, *path = NULL;

	*ret_path = NULL;
	if (literal_folder(pattern, &folder, err) < 0)
		return -1;
	if (folder == NULL)
		return 0;
	path = path_join(folder, SSHD_SITE_NAME, err);
	if (path == NULL)
		return -1;
	if (matches(pattern, path) && !comes_too_late(closure, pattern, path))
		*ret_path = TAKE_PTR(path);
	return 0;
}

/* What sshd hands to glob(3) for the first pattern of an Include; "" when it has none. */
static char *first_pattern(const struct sshd_file *file, const struct sshd_line *include,
			   struct error *err)
{
	_cleanup_strings_ struct strings patterns = STRINGS_INIT;

	if (sshd_line_args(include, file->text, &patterns, err) < 0) {
		(void)error_prefix(err, "%s line %zu", file->path, include->number);
		return NULL;
	}
	if (patterns.len == 0)
		return str_dup("", err);
	if (patterns.items[0][0] == '/' || patterns.items[0][0] == '~')
		return str_dup(patterns.items[0], err);
	return path_join(SSHD_CONFIG_FOLDER, patterns.items[0], err);
}

int sshd_site_find(const struct sshd_closure *closure, char **ret_path, struct error *err)
{
	const struct sshd_file *file = &closure->files[0];
	const struct sshd_line *first = file->lines.items;
	_cleanup_free_ char *pattern = NULL;
	char *path = NULL;

	if (file->lines.len > 0 && first->keyword == SSHD_INCLUDE) {
		pattern = first_pattern(file, first, err);
		if (pattern == NULL || find_by_pattern(closure, pattern, &path, err) < 0)
			return -1;
	}
	*ret_path = path;
	return 0;
}

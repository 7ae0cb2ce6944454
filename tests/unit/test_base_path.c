/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <limits.h>

#include "base/path.h"

Test(base_path, is_clean_or_not)
{
	static const struct {
		const char *path;
		bool clean;
	} rows[] = {
		{ "/", true },
		{ "/a", true },
		{ "/a/b.c", true },
		{ "/...", true },
		{ "/.a", true },
		{ "/a b/\xe4", true },
		{ "", false },
		{ "a", false },
		{ "./a", false },
		{ "//", false },
		{ "/a/", false },
		{ "/a//b", false },
		{ "/.", false },
		{ "/a/.", false },
		{ "/a/./b", false },
		{ "/..", false },
		{ "/a/..", false },
		{ "/../a", false },
		{ "/a\nb", false },
		{ "/a\tb", false },
		{ "/a\x1b[2J", false },
		{ "/a\x7f", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect(eq(int, path_is_clean(rows[i].path), rows[i].clean), "\"%s\"",
			  rows[i].path);
}

Test(base_path, is_clean_up_to_the_length_that_the_kernel_takes)
{
	static char path[PATH_MAX + 1];

	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	cr_expect(not(path_is_clean(path)));
	path[PATH_MAX - 1] = '\0';
	cr_expect(path_is_clean(path));
}

Test(base_path, is_made_clean)
{
	static const struct {
		const char *cwd, *path, *wanted;
	} rows[] = {
		{ "/", "a", "/a" },
		{ "/w", "a", "/w/a" },
		{ "/w/", "./a", "/w/a" },
		{ "/w", "", "/w" },
		{ "/w", ".", "/w" },
		{ "/w", "..", "/" },
		{ "/w", "../..", "/" },
		{ "/w/v", "../a", "/w/a" },
		{ "/w", "/", "/" },
		{ "/w", "//a///b/", "/a/b" },
		{ "/w", "/a/../../b", "/b" },
		{ "/w", "/a/b/../c", "/a/c" },
		{ "/w", "/..a/.b/...", "/..a/.b/..." },
		{ "/", "", "/" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;
		char *got = path_clean(rows[i].cwd, rows[i].path, &err);

		box_str(got, rows[i].wanted, "\"%s\" in \"%s\"", rows[i].path, rows[i].cwd);
		cr_expect(path_is_clean(got), "%s", got);
		free(got);
	}
}

Test(base_path, has_a_folder_and_a_name)
{
	static const struct {
		const char *path, *dir, *name;
	} rows[] = {
		{ "/a/b", "/a", "b" }, { "/a", "/", "a" }, { "a", ".", "a" }, { "a/b", "a", "b" },
		{ "/a/b/", "/a/b", "" }, { "/", "/", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;
		char *dir = path_dirname(rows[i].path, &err);

		box_str(dir, rows[i].dir, "\"%s\"", rows[i].path);
		box_str(path_basename(rows[i].path), rows[i].name, "\"%s\"", rows[i].path);
		free(dir);
	}
}

Test(base_path, is_joined_with_one_slash)
{
	static const char *const dirs[] = { "/", "//", "/a", "/a/", "/a//" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		struct error err = ERROR_INIT;
		char *got = path_join(dirs[i], "n", &err);

		box_str(got, i < 2 ? "/n" : "/a/n", "\"%s\"", dirs[i]);
		free(got);
	}
}

Test(base_path, is_below_a_folder_by_whole_names)
{
	static const struct {
		const char *path, *dir;
		bool below;
	} rows[] = {
		{ "/a/b", "/a", true },  { "/a", "/a", true },	   { "/a", "/a/", true },
		{ "/a", "/", true },	 { "/", "/", true },	   { "/ab", "/a", false },
		{ "/a", "/a/b", false }, { "/a/b/c", "/a", true }, { "/b/a", "/a", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect(eq(int, path_is_below(rows[i].path, rows[i].dir), rows[i].below),
			  "\"%s\" below \"%s\"", rows[i].path, rows[i].dir);
}

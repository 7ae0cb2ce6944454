/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test_config: what the tests of the editors share. Files are strings here.
 */
#ifndef ROOTLATCH_TEST_CONFIG_H
#define ROOTLATCH_TEST_CONFIG_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "config/sshd_closure.h"

static inline struct slice text(const char *s)
{
	return slice_of(s, strlen(s));
}

/* A copy that Criterion can print; one of 8, used in turn. */
static inline char *show(struct slice s)
{
	static char copies[8][65536];
	static unsigned int next;
	char *copy = copies[next++ % 8];

	snprintf(copy, sizeof(copies[0]), "%.*s", (int)s.len, s.len > 0 ? s.data : "");
	return copy;
}

static inline const char *lens_dir(void)
{
	static char dir[4096];
	const char *top = getenv("top_srcdir");

	snprintf(dir, sizeof(dir), "%s/lenses", top != NULL ? top : ".");
	return dir;
}

/* Files for a closure: names and texts, ended by a NULL name. A pattern is a name, or
 * ends in a `*` that stands for anything; the files are in the order in which sshd
 * sorts them. */
struct test_file {
	const char *path;
	const char *text;
};

static inline int test_glob(void *ctx, const char *pattern, struct strings *ret,
			    struct error *err)
{
	size_t len = strlen(pattern);

	for (const struct test_file *f = ctx; f->path != NULL; f++) {
		if (pattern[len - 1] == '*' ? strncmp(f->path, pattern, len - 1) != 0 :
					      strcmp(f->path, pattern) != 0)
			continue;
		if (strings_add(ret, f->path, err) < 0)
			return -1;
	}
	return 0;
}

static inline int test_load(void *ctx, const char *path, struct slice *ret,
			    struct error *err)
{
	for (const struct test_file *f = ctx; f->path != NULL; f++) {
		if (strcmp(f->path, path) == 0) {
			*ret = text(f->text);
			return 0;
		}
	}
	return error_set(err, ERROR_FAILED, "no file %s", path);
}

/* The first file is the main one; root is in the groups root and adm. */
static inline int test_closure(const struct test_file *files, struct sshd_closure *ret,
			       struct error *err)
{
	char *names[] = { (char *)"root", (char *)"adm", NULL };
	const struct strings groups = { .items = names, .len = 2 };
	const struct sshd_closure_io io = {
		.ctx = (void *)files,
		.glob = test_glob,
		.load = test_load,
	};

	return sshd_closure_read(files[0].path, &groups, &io, ret, err);
}

#endif

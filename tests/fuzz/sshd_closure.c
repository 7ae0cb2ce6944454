/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An sshd_config with all that it includes: parts named "== /path", the first is the main file.
 * Whatever it is, reading it ends, and every file that was read is one that an Include would find.
 */
#include "fuzz.h"

#include "base/path.h"
#include "config/sshd_closure.h"

#define FILES_MAX 8

struct folder {
	char *paths[FILES_MAX];
	struct slice texts[FILES_MAX];
	size_t len;
};

static int glob_in(void *ctx, const char *pattern, struct strings *ret, struct error *err)
{
	const struct folder *f = ctx;

	for (size_t i = 0; i < f->len; i++)
		if (sshd_include_finds(pattern, f->paths[i]) &&
		    strings_add(ret, f->paths[i], err) < 0)
			return -1;
	return 0;
}

static int load_from(void *ctx, const char *path, struct slice *ret, struct error *err)
{
	const struct folder *f = ctx;

	for (size_t i = 0; i < f->len; i++) {
		if (strcmp(f->paths[i], path) == 0) {
			*ret = f->texts[i];
			return 0;
		}
	}
	FUZZ_MUST(!"a file that nothing named");
	return -1;
}

static void check(const struct sshd_closure *c)
{
	size_t deciding = sshd_closure_deciding(c);

	for (size_t i = 1; i < c->files_len; i++)
		FUZZ_MUST(sshd_closure_would_read(c, c->files[i].path));
	for (size_t i = 0; i < c->directives_len; i++) {
		const struct sshd_directive *d = &c->directives[i];

		FUZZ_MUST(d->file < c->files_len &&
			  d->line < c->files[d->file].lines.len);
		FUZZ_MUST(
			d->match == SSHD_NONE ||
			(d->match < i && c->directives[d->match].keyword == SSHD_MATCH));
		FUZZ_MUST(strnlen(d->value, SSHD_VALUE_MAX) < SSHD_VALUE_MAX);
		(void)sshd_permit_parse(d->value);
		FUZZ_MUST(sshd_directive_number(c, d) > 0 &&
			  sshd_directive_path(c, d)[0] == '/');
		FUZZ_MUST(sshd_directive_text(c, d).len > 0);
	}
	FUZZ_MUST(deciding == SSHD_NONE ||
		  (deciding < c->directives_len &&
		   c->directives[deciding].keyword == SSHD_PERMIT_ROOT_LOGIN));
}

FUZZ_TARGET(sshd_closure)
{
	struct folder folder = { .len = 0 };
	const struct sshd_closure_io io = { .ctx = &folder,
					    .glob = glob_in,
					    .load = load_from };
	_cleanup_sshd_closure_ struct sshd_closure c = SSHD_CLOSURE_INIT;
	struct slice rest = fuzz_input(data, size),
		     name = slice_of("/etc/ssh/sshd_config", 20);
	struct error err = ERROR_INIT;

	while (folder.len < FILES_MAX && (folder.len == 0 || name.len > 0)) {
		char *path = fuzz_string(name);

		if (!path_is_clean(path)) {
			free(path);
			break;
		}
		folder.paths[folder.len] = path;
		folder.texts[folder.len++] = fuzz_part(&rest, &name);
	}
	if (sshd_closure_read(folder.paths[0], NULL, &io, &c, &err) == 0)
		check(&c);
	else
		FUZZ_MUST(err.code == ERROR_REFUSED && c.files_len == 0);
	for (size_t i = 0; i < folder.len; i++)
		free(folder.paths[i]);
	return 0;
}

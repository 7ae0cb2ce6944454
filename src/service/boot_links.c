/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The links in /etc/rc?.d, and what they lead to.
 */
#include "service/boot_parts.h"

#include "base/path.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* S20foo, K01foo: what update-rc.d(8) and the generator of systemd take for a link of foo. */
static bool is_link_of(const char *base, const char *name)
{
	return (base[0] == 'S' || base[0] == 'K') && is_digit(base[1]) && is_digit(base[2]) &&
	       strcmp(base + 3, name) == 0;
}

static int add_link(struct boot_reading *r, char level, const char *base, struct error *err)
{
	struct boot_service *s = r->service;
	_cleanup_free_ char *path = str_format(err, "/etc/rc%c.d/%s", level, base);
	_cleanup_free_ char *script = path_join(BOOT_INIT_D, s->name, err);
	_cleanup_boot_seen_ struct boot_seen seen = BOOT_SEEN_INIT, last = BOOT_SEEN_INIT;
	_cleanup_free_ char *end = NULL, *target = NULL;
	struct boot_link *more;

	if (path == NULL || script == NULL || boot_look(r, path, &seen, err) < 0 ||
	    boot_follow(r, path, &end, &last, err) < 0)
		return -1;
	if (seen.kind == BOOT_SEEN_LINK) {
		target = str_dup(host_tree_find(r->tree, path)->target, err);
		if (target == NULL)
			return -1;
	}
	more = reallocarray(s->links, s->n_links + 1, sizeof(*more));
	if (more == NULL)
		return error_oom(err);
	s->links = more;
	s->links[s->n_links++] = (struct boot_link){
		.level = level,
		.kind = base[0],
		.number = (unsigned)((base[1] - '0') * 10 + base[2] - '0'),
		.dangling = last.kind == BOOT_SEEN_NOTHING,
		.elsewhere = seen.kind != BOOT_SEEN_LINK || strcmp(seen.target, script) != 0,
		.path = TAKE_PTR(path),
		.target = TAKE_PTR(target),
	};
	return 0;
}

int boot_read_links(struct boot_reading *r, struct error *err)
{
	static const char levels[] = "0123456S";

	for (size_t i = 0; levels[i] != '\0'; i++) {
		_cleanup_strings_ struct strings names = STRINGS_INIT;
		char folder[] = { '/', 'e', 't', 'c', '/', 'r', 'c', levels[i], '.', 'd', '\0' };

		if (boot_list(r, folder, &names, err) < 0)
			return -1;
		for (size_t k = 0; k < names.len; k++)
			if (is_link_of(names.items[k], r->service->name) &&
			    add_link(r, levels[i], names.items[k], err) < 0)
				return -1;
	}
	return 0;
}

int boot_link_runs(const struct boot_reading *r, const struct boot_link *l, bool *ret,
		   struct error *err)
{
	_cleanup_boot_seen_ struct boot_seen last = BOOT_SEEN_INIT;
	_cleanup_free_ char *end = NULL;

	if (boot_follow(r, l->path, &end, &last, err) < 0)
		return -1;
	*ret = last.kind == BOOT_SEEN_FILE && (last.mode & 0111) != 0;
	return 0;
}

static int add_group(const struct boot_service *s, const struct boot_link *first,
		     struct buffer *ret, struct error *err)
{
	if (buffer_printf(ret, err, "%s%c%02u in", ret->len > 0 ? ", " : "", first->kind,
			  first->number) < 0)
		return -1;
	for (const struct boot_link *l = first; l < s->links + s->n_links; l++)
		if (l->kind == first->kind && l->number == first->number &&
		    buffer_printf(ret, err, " rc%c", l->level) < 0)
			return -1;
	return 0;
}

static bool is_first_of_group(const struct boot_service *s, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (s->links[k].kind == s->links[i].kind && s->links[k].number == s->links[i].number)
			return false;
	return true;
}

char *boot_links_text(const struct boot_service *s, struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;

	for (const char *kind = "SK"; *kind != '\0'; kind++)
		for (size_t i = 0; i < s->n_links; i++)
			if (s->links[i].kind == *kind && is_first_of_group(s, i) &&
			    add_group(s, &s->links[i], &text, err) < 0)
				return NULL;
	if (text.len == 0)
		return str_dup("none", err);
	return TAKE_PTR(text.data);
}

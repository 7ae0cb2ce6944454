/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The order of sysvinit: /etc/init.d/.depend.* of insserv(8), which startpar(1) goes by, and
 * /etc/inittab. rc of sysv-rc goes by the numbers of the links alone when one of the three files is
 * missing or empty, or when there is a .legacy-bootordering.
 */
#include "service/boot_parts.h"

#define STARTPAR_LINE 2047 /* LINE_MAX - 1, what its fgets(3) takes at once */

static bool words_have(struct slice words, const char *name)
{
	struct slice word;

	while (boot_next_word(&words, &word))
		if (boot_slice_is(word, name))
			return true;
	return false;
}

/* startpar knows the names behind "TARGETS =", and those around a colon; it is blind to the
 * rest of a line that is too long for it. */
static bool line_names(struct slice line, const char *name)
{
	static const char targets[] = "TARGETS =", interactive[] = "INTERACTIVE =";
	const char *colon;

	while (line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t')) {
		line.data++;
		line.len--;
	}
	if (line.len == 0 || line.data[0] == '#')
		return false;
	if (line.len >= 9 && memcmp(line.data, targets, 9) == 0)
		return words_have(slice_of(line.data + 9, line.len - 9), name);
	if (line.len >= 13 && memcmp(line.data, interactive, 13) == 0)
		return false;
	colon = memchr(line.data, ':', line.len);
	if (colon == NULL)
		return false;
	return boot_slice_is(slice_of(line.data, (size_t)(colon - line.data)), name) ||
	       words_have(slice_of(colon + 1, line.len - (size_t)(colon + 1 - line.data)), name);
}

bool boot_depend_names(struct slice text, const char *name)
{
	struct slice line;

	while (boot_next_line(&text, &line)) {
		while (line.len > STARTPAR_LINE) {
			if (line_names(slice_of(line.data, STARTPAR_LINE), name))
				return true;
			line.data += STARTPAR_LINE;
			line.len -= STARTPAR_LINE;
		}
		if (line_names(line, name))
			return true;
	}
	return false;
}

static int read_depend(const struct boot_reading *r, const char *path, enum boot_depend *ret,
		       struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;

	if (boot_bytes(r, path, &text, err) < 0)
		return -1;
	if (text.len == 0)
		*ret = BOOT_DEPEND_NO_FILE;
	else
		*ret = boot_depend_names(slice_of(text.data, text.len), r->service->name) ?
			       BOOT_DEPEND_LISTED : BOOT_DEPEND_MISSING;
	return 0;
}

/* id:runlevels:action:process, inittab(5) */
static char default_of_line(struct slice line)
{
	const char *level, *action;

	if (line.len == 0 || line.data[0] == '#')
		return '\0';
	level = memchr(line.data, ':', line.len);
	if (level == NULL)
		return '\0';
	level++;
	action = memchr(level, ':', line.len - (size_t)(level - line.data));
	if (action != level + 1 || memmem(action, line.len - (size_t)(action - line.data),
					  ":initdefault:", 13) != action)
		return '\0';
	return *level == 's' ? 'S' : *level;
}

char boot_inittab_level(struct slice text)
{
	char ret = '2';
	struct slice line;

	while (boot_next_line(&text, &line)) {
		char level = default_of_line(line);

		if (level != '\0' && strchr("0123456S", level) != NULL)
			ret = level;
	}
	return ret;
}

static int read_default_level(struct boot_reading *r, struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;

	if (boot_bytes(r, "/etc/inittab", &text, err) < 0)
		return -1;
	r->default_level = boot_inittab_level(slice_of(text.data, text.len));
	return 0;
}

int boot_read_depends(struct boot_reading *r, struct error *err)
{
	struct boot_service *s = r->service;

	if (read_depend(r, BOOT_INIT_D "/.depend.boot", &s->boot, err) < 0 ||
	    read_depend(r, BOOT_INIT_D "/.depend.start", &s->start, err) < 0 ||
	    read_depend(r, BOOT_INIT_D "/.depend.stop", &s->stop, err) < 0)
		return -1;
	r->by_number = s->boot == BOOT_DEPEND_NO_FILE || s->start == BOOT_DEPEND_NO_FILE ||
		       s->stop == BOOT_DEPEND_NO_FILE ||
		       host_tree_find(r->tree, BOOT_INIT_D "/.legacy-bootordering") != NULL;
	return read_default_level(r, err);
}

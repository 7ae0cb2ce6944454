/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The few settings of a unit file that bear on its start: systemd.syntax(7), read line by line. Bytes
 * that make no sense are passed over, as systemd does.
 */
#include "service/boot_units.h"

void boot_unit_text_release(struct boot_unit_text *t)
{
	strings_release(&t->aliases);
	strings_release(&t->pulls);
	strings_release(&t->pulls_by);
	free(t->starts);
	*t = (struct boot_unit_text)BOOT_UNIT_TEXT_INIT;
}

static struct slice trimmed(struct slice s)
{
	while (s.len > 0 && strchr(" \t\r", s.data[0]) != NULL && s.data[0] != '\0') {
		s.data++;
		s.len--;
	}
	while (s.len > 0 && strchr(" \t\r", s.data[s.len - 1]) != NULL && s.data[s.len - 1] != '\0')
		s.len--;
	return s;
}

static int take_aliases(struct boot_unit_text *t, struct slice value, struct error *err)
{
	struct slice word;

	/* an empty one forgets what was said before */
	if (value.len == 0)
		strings_release(&t->aliases);
	while (boot_next_word(&value, &word))
		if (memchr(word.data, '\0', word.len) == NULL &&
		    strings_addn(&t->aliases, word.data, word.len, err) < 0)
			return -1;
	return 0;
}

/* They add up: an empty one forgets nothing (systemd.unit(5)). */
static int take_pulls(struct boot_unit_text *t, struct slice value, struct error *err)
{
	struct slice word;

	while (boot_next_word(&value, &word))
		if (memchr(word.data, '\0', word.len) == NULL &&
		    strings_addn(&t->pulls, word.data, word.len, err) < 0)
			return -1;
	return 0;
}

static bool is_pull(struct slice key)
{
	static const char *const keys[] = { "Wants", "Requires", "BindsTo", "Upholds" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (boot_slice_is(key, keys[i]))
			return true;
	return false;
}

static int take_setting(struct boot_unit_text *t, struct slice section, struct slice line,
			struct error *err)
{
	const char *equals = memchr(line.data, '=', line.len);
	struct slice key, value;

	if (equals == NULL)
		return 0;
	key = trimmed(slice_of(line.data, (size_t)(equals - line.data)));
	value = trimmed(slice_of(equals + 1, line.len - (size_t)(equals + 1 - line.data)));
	if (boot_slice_is(section, "[Install]")) {
		if (boot_slice_is(key, "WantedBy") || boot_slice_is(key, "RequiredBy") ||
		    boot_slice_is(key, "UpheldBy"))
			t->wanted_by = t->wanted_by || value.len > 0;
		return boot_slice_is(key, "Alias") ? take_aliases(t, value, err) : 0;
	}
	if (boot_slice_is(section, "[Unit]"))
		return is_pull(key) ? take_pulls(t, value, err) : 0;
	if ((boot_slice_is(section, "[Socket]") && boot_slice_is(key, "Service")) ||
	    ((boot_slice_is(section, "[Path]") || boot_slice_is(section, "[Timer]")) &&
	     boot_slice_is(key, "Unit"))) {
		free(t->starts);
		t->starts = str_ndup(value.data, value.len, err);
		return t->starts != NULL ? 0 : -1;
	}
	return 0;
}

/* A line with those that it goes on in: a backslash at the end is a blank (systemd.syntax(7)). */
static bool next_whole_line(struct slice *rest, struct buffer *whole, bool *ret_oom)
{
	struct slice line;
	bool more;

	whole->len = 0;
	*ret_oom = false;
	do {
		if (!boot_next_line(rest, &line))
			return whole->len > 0;
		line = trimmed(line);
		/* comments do not end what goes on */
		if (whole->len > 0 && line.len > 0 && strchr("#;", line.data[0]) != NULL) {
			more = true;
			continue;
		}
		more = line.len > 0 && line.data[line.len - 1] == '\\';
		if (buffer_append(whole, line.data, more ? line.len - 1 : line.len, NULL) < 0 ||
		    buffer_append(whole, " ", 1, NULL) < 0) {
			*ret_oom = true;
			return false;
		}
	} while (more);
	return true;
}

int boot_unit_text_parse(struct slice text, struct boot_unit_text *ret, struct error *err)
{
	_cleanup_buffer_ struct buffer whole = BUFFER_INIT, section = BUFFER_INIT;
	bool oom;

	while (next_whole_line(&text, &whole, &oom)) {
		struct slice line = trimmed(slice_of(whole.data, whole.len));

		if (line.len == 0 || line.data[0] == '#' || line.data[0] == ';')
			continue;
		if (line.data[0] == '[') {
			section.len = 0;
			if (buffer_append(&section, line.data, line.len, err) < 0)
				return -1;
			ret->has_install = ret->has_install || boot_slice_is(line, "[Install]");
			continue;
		}
		if (take_setting(ret, slice_of(section.data, section.len), line, err) < 0)
			return -1;
	}
	return oom ? error_oom(err) : 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The init script itself, its header, and what else is said about it: an override of insserv(8),
 * and dpkg-statoverride(1).
 */
#include "service/boot_parts.h"

#include <stdlib.h>

#include "base/path.h"

#define STATOVERRIDE "/var/lib/dpkg/statoverride"

/* update-rc.d(8) disable takes Default-Start from there when it is not empty. */
static int read_header_text(const struct boot_reading *r, const char *script, struct buffer *ret,
			    struct error *err)
{
	_cleanup_free_ char *override =
		path_join("/etc/insserv/overrides", r->service->name, err);
	_cleanup_boot_seen_ struct boot_seen seen = BOOT_SEEN_INIT;
	_cleanup_free_ char *end = NULL;

	if (override == NULL || boot_follow(r, override, &end, &seen, err) < 0)
		return -1;
	if (seen.kind == BOOT_SEEN_FILE && boot_bytes(r, end, ret, err) < 0)
		return -1;
	return ret->len > 0 ? 0 : boot_bytes(r, script, ret, err);
}

static int read_header(const struct boot_reading *r, struct config_augeas *augeas,
		       const char *script, struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;
	struct error why = ERROR_INIT;

	if (read_header_text(r, script, &text, err) < 0)
		return -1;
	if (lsb_header_parse(augeas, slice_of(text.data, text.len), &r->service->header, &why) == 0)
		return 0;
	/* a header that nobody can read is as good as none, and does not keep it from starting */
	if (why.code == ERROR_REFUSED)
		return 0;
	if (err != NULL)
		*err = why;
	return -1;
}

static int read_statoverride(const struct boot_reading *r, const char *script, struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;
	struct slice rest, line;

	if (boot_bytes(r, STATOVERRIDE, &text, err) < 0)
		return -1;
	rest = slice_of(text.data, text.len);
	while (boot_next_line(&rest, &line)) {
		struct slice user, group, mode, path;

		if (!boot_next_word(&line, &user) || !boot_next_word(&line, &group) ||
		    !boot_next_word(&line, &mode) || !boot_next_word(&line, &path) ||
		    !boot_slice_is(path, script))
			continue;
		/* a blank ends it */
		r->service->statoverride = (mode_t)strtoul(mode.data, NULL, 8) & 07777;
	}
	return 0;
}

int boot_read_script(struct boot_reading *r, struct config_augeas *augeas, struct error *err)
{
	struct boot_service *s = r->service;
	_cleanup_free_ char *script = path_join(BOOT_INIT_D, s->name, err);
	_cleanup_boot_seen_ struct boot_seen first = BOOT_SEEN_INIT, last = BOOT_SEEN_INIT;
	_cleanup_buffer_ struct buffer bytes = BUFFER_INIT;
	_cleanup_free_ char *end = NULL;

	if (script == NULL || read_statoverride(r, script, err) < 0 ||
	    boot_look(r, script, &first, err) < 0 || boot_follow(r, script, &end, &last, err) < 0)
		return -1;
	s->has_script = first.kind != BOOT_SEEN_NOTHING;
	s->script_is_regular = first.kind == BOOT_SEEN_FILE;
	/* of a link, what it leads to: that is what is run */
	s->script_mode = last.kind == BOOT_SEEN_NOTHING ? first.mode : last.mode;
	s->script_uid = last.kind == BOOT_SEEN_NOTHING ? first.uid : last.uid;
	r->script_runs = last.kind == BOOT_SEEN_FILE;
	if (!r->script_runs)
		return 0;
	if (boot_bytes(r, end, &bytes, err) < 0)
		return -1;
	s->script = digest_of(bytes.data, bytes.len);
	return read_header(r, augeas, end, err);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/sshd_opening.h"

#include "base/path.h"
#include "base/text.h"
#include "config/marker_text.h"
#include "config/sshd_closure.h"

static bool has_from(const struct sshd_opening *o)
{
	return o->from != NULL && o->from->len > 0;
}

static int match_address(const struct strings *from, struct strings *ret, struct error *err)
{
	_cleanup_buffer_ struct buffer line = BUFFER_INIT;

	for (size_t i = 0; i < from->len; i++) {
		const char *entry = from->items[i];

		/* It becomes a part of root's configuration: nothing but an address. */
		if (*entry == '\0' || entry[strspn(entry, "0123456789abcdef.:/")] != '\0')
			return error_set(err, ERROR_FAILED,
					 "an address that was not checked (a bug)");
		if (buffer_printf(&line, err, "%s%s", i == 0 ? "Match Address " : ",",
				  entry) < 0)
			return -1;
	}
	return strings_add(ret, line.data, err);
}

static int add_lines(const struct sshd_opening *o, struct strings *ret, struct error *err)
{
	bool block = has_from(o) || o->everybody_matched;

	if (has_from(o) && match_address(o->from, ret, err) < 0)
		return -1;
	if (!has_from(o) && block && strings_add(ret, "Match all", err) < 0)
		return -1;
	return strings_addf(ret, err, "%sPermitRootLogin %s", block ? "    " : "", o->allow);
}

int sshd_opening_lines(const struct sshd_opening *o, struct strings *ret, struct error *err)
{
	_cleanup_strings_ struct strings lines = STRINGS_INIT;

	if (sshd_permit_parse(o->allow) == SSHD_PERMIT_INVALID)
		return error_set(err, ERROR_USAGE, "not a value of PermitRootLogin: %.100s",
				 o->allow);
	if (add_lines(o, &lines, err) < 0)
		return -1;
	strings_release(ret);
	*ret = lines;
	lines = (struct strings)STRINGS_INIT;
	return 0;
}

static const char *words(enum sshd_permit permit)
{
	switch (permit) {
	case SSHD_PERMIT_YES:
		return "root may log in";
	case SSHD_PERMIT_PROHIBIT_PASSWORD:
		return "root may log in, but not with a password";
	case SSHD_PERMIT_FORCED_COMMANDS_ONLY:
		return "root may run the commands that its keys are bound to";
	default:
		return "root may not log in";
	}
}

static int add_head(const struct sshd_opening *o, struct buffer *ret, struct error *err)
{
	return buffer_printf(ret, err,
			     "%s%s#\n"
			     "# Made by rootlatch: %s%s.\n"
			     "# `rootlatch close` removes this file.%s\n",
			     MARKER_TAG, o->id, words(sshd_permit_parse(o->allow)),
			     has_from(o) ? ", from the addresses below" : "",
			     o->runtime ? " So does a reboot." : "");
}

int sshd_opening_text(const struct sshd_opening *o, struct buffer *ret, struct error *err)
{
	_cleanup_strings_ struct strings lines = STRINGS_INIT;
	_cleanup_buffer_ struct buffer made = BUFFER_INIT;

	if (!marker_id_valid(o->id))
		return error_set(err, ERROR_REFUSED, "not an ID of 8 hex digits: %.32s",
				 o->id);
	if (sshd_opening_lines(o, &lines, err) < 0 || add_head(o, &made, err) < 0)
		return -1;
	for (size_t i = 0; i < lines.len; i++)
		if (buffer_printf(&made, err, "%s\n", lines.items[i]) < 0)
			return -1;
	return buffer_append(ret, made.data, made.len, err);
}

static int refuse_path(const char *path, struct error *err)
{
	_cleanup_buffer_ struct buffer shown = BUFFER_INIT;

	if (text_escape(slice_of(path, strnlen(path, 400)), false, &shown, err) < 0)
		return -1;
	(void)error_set(err, ERROR_REFUSED, "%s can't be named in an Include of sshd's",
			shown.data);
	return error_hint(err, "Nothing was changed. An absolute path without * ? [ ] quotes, "
			  "backslashes and control characters can.");
}

int sshd_include_text(const char *path, char **ret_line, struct error *err)
{
	/* sshd 8.2 to 8.6 cut words at = as well. */
	const char *quote = strpbrk(path, " =") != NULL ? "\"" : "";
	char *line;

	if (!path_is_clean(path) || strpbrk(path, "*?[]\"'\\") != NULL)
		return refuse_path(path, err);
	line = str_format(err, "Include %s%s%s", quote, path, quote);
	if (line == NULL)
		return -1;
	*ret_line = line;
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The value of one line through the lens: a line that can be read gets a new value, and every byte
 * before and behind the value is as it was. Slow, for it is libaugeas that works here.
 */
#include "fuzz.h"

#include "config/sshd_lines.h"
#include "config/sshd_value.h"

static struct config_augeas *augeas; /* for as long as the program runs */

static void check_set(struct slice line, const char *value)
{
	_cleanup_free_ char *keyword = NULL, *is = NULL;
	_cleanup_buffer_ struct buffer set = BUFFER_INIT;
	struct error err = ERROR_INIT;
	struct sshd_line before;
	size_t behind;

	if (sshd_value_set(augeas, line, value, &set, &err) < 0)
		return;
	sshd_line_parse(line, &before);
	behind = line.len - (before.value_offset + before.value_len);
	FUZZ_MUST(set.len >= before.value_offset + strlen(value) + behind);
	FUZZ_MUST(memcmp(set.data, line.data, before.value_offset) == 0);
	FUZZ_MUST(memcmp(set.data + set.len - behind, line.data + line.len - behind,
			 behind) == 0);
	FUZZ_MUST(sshd_value_get(augeas, slice_of(set.data, set.len), &keyword, &is,
				 &err) == 0);
	FUZZ_MUST(strcmp(is, value) == 0);
}

FUZZ_TARGET(sshd_value)
{
	_cleanup_free_ char *keyword = NULL, *value = NULL, *lenses = NULL;
	struct slice rest = fuzz_input(data, size), line;
	const char *top = getenv("top_srcdir");
	struct error err = ERROR_INIT;

	if (augeas == NULL) {
		lenses = str_format(&err, "%s/lenses", top != NULL ? top : ".");
		FUZZ_MUST(lenses != NULL &&
			  config_augeas_new(lenses, &augeas, &err) == 0);
	}
	if (!fuzz_line(&rest, &line))
		return 0;
	if (sshd_value_get(augeas, line, &keyword, &value, &err) == 0)
		check_set(line, "prohibit-password");
	else
		FUZZ_MUST(err.code == ERROR_REFUSED && keyword == NULL && value == NULL);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/sshd_pattern.h"

#include <string.h>

#include "base/buffer.h"

/* The last * is where a mismatch goes back to, one character further each time: linear in
 * practice, and never worse than the product of both lengths. */
bool sshd_pattern_match(const char *text, const char *pattern)
{
	const char *star = NULL, *resume = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			resume = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

enum sshd_match sshd_pattern_user(const char *user, const char *pattern)
{
	const char *at = strchr(pattern, '@');
	_cleanup_free_ char *name = NULL;

	if (at == NULL)
		return sshd_pattern_match(user, pattern) ? SSHD_MATCH_YES : SSHD_MATCH_NO;
	name = str_ndup(pattern, (size_t)(at - pattern), NULL);
	/* when in doubt (no memory) the host decides */
	if (name != NULL && !sshd_pattern_match(user, name))
		return SSHD_MATCH_NO;
	return strcmp(at + 1, "*") == 0 ? SSHD_MATCH_YES : SSHD_MATCH_SOURCE;
}

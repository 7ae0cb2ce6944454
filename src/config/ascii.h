/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ascii: letters compared as sshd compares them, whatever the locale (strcasecmp(3) is
 * not the same everywhere: in a Turkish 8-bit locale I and i differ).
 */
#ifndef ROOTLATCH_CONFIG_ASCII_H
#define ROOTLATCH_CONFIG_ASCII_H

#include <stdbool.h>
#include <stddef.h>

static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* `lower` is in lower case already. */
static inline bool ascii_equal(const char *s, const char *lower)
{
	while (*s != '\0' && ascii_lower(*s) == *lower) {
		s++;
		lower++;
	}
	return *s == '\0' && *lower == '\0';
}

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/duration.h"

#include <stddef.h>

static int64_t unit_seconds(char unit)
{
	switch (unit) {
	case '\0':
	case 's':
	case 'S':
		return 1;
	case 'm':
	case 'M':
		return 60;
	case 'h':
	case 'H':
		return 3600;
	case 'd':
	case 'D':
		return 86400;
	case 'w':
	case 'W':
		return 7 * 86400;
	default:
		return 0;
	}
}

static int bad_duration(const char *text, struct error *err)
{
	(void)error_set(err, ERROR_USAGE, "\"%.40s\" is not a duration", text);
	return error_hint(err, "For instance 90m, 2h30m or 1d; a bare number is seconds.");
}

int duration_parse(const char *text, int64_t *ret_seconds, struct error *err)
{
	int64_t total = 0;
	const char *p = text;

	do {
		int64_t n = 0, unit;
		const char *digits = p;

		for (; *p >= '0' && *p <= '9' && n <= DURATION_MAX_S; p++)
			n = n * 10 + (*p - '0');
		unit = unit_seconds(*p);
		if (p == digits || unit == 0)
			return bad_duration(text, err);
		total += n * unit;
		if (n > DURATION_MAX_S || total > DURATION_MAX_S)
			return bad_duration(text, err);
		p += *p != '\0';
	} while (*p != '\0');
	if (total < 1)
		return bad_duration(text, err);
	*ret_seconds = total;
	return 0;
}

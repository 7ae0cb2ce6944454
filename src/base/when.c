/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/when.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS 1000000000LL

/* What fits into 64 bits of nanoseconds. */
#define YEAR_FIRST 1970
#define YEAR_LAST 2261

void when_format_utc(int64_t ns, char ret[WHEN_MAX])
{
	time_t t = (time_t)(ns / NS);
	struct tm tm = { 0 };

	(void)gmtime_r(&t, &tm);
	if (strftime(ret, WHEN_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		ret[0] = '\0';
}

void when_format_local(int64_t ns, int64_t now_ns, char ret[WHEN_MAX])
{
	int64_t later = ns > now_ns ? ns : now_ns, sooner = ns > now_ns ? now_ns : ns, away;
	bool is_near = !__builtin_sub_overflow(later, sooner, &away) && away < 86400 * NS;
	time_t t = (time_t)(ns / NS);
	struct tm tm = { 0 };

	(void)localtime_r(&t, &tm);
	if (strftime(ret, WHEN_MAX, is_near ? "%H:%M" : "%Y-%m-%d %H:%M", &tm) == 0)
		ret[0] = '\0';
}

void when_format_span(int64_t ns, char ret[WHEN_MAX])
{
	long long s = ns > 0 ? ns / NS + (ns % NS >= NS / 2) : 0;

	if (s < 60)
		(void)snprintf(ret, WHEN_MAX, "%lld s", s);
	else if (s < 3600)
		(void)snprintf(ret, WHEN_MAX, "%lld min", s / 60);
	else if (s < 86400 && s / 60 % 60 != 0)
		(void)snprintf(ret, WHEN_MAX, "%lld h %lld min", s / 3600, s / 60 % 60);
	else if (s < 86400)
		(void)snprintf(ret, WHEN_MAX, "%lld h", s / 3600);
	else if (s / 3600 % 24 != 0)
		(void)snprintf(ret, WHEN_MAX, "%lld d %lld h", s / 86400, s / 3600 % 24);
	else
		(void)snprintf(ret, WHEN_MAX, "%lld d", s / 86400);
}

static int bad_time(const char *text, struct error *err)
{
	(void)error_set(err, ERROR_USAGE, "\"%.40s\" is not a time", text);
	return error_hint(err, "ISO 8601, for instance 2026-03-01, 2026-03-01T14:30 or "
			  "2026-03-01T13:30:00Z");
}

/* Two digits; -1 for anything else. */
static int two_digits(const char *p)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return -1;
	return (p[0] - '0') * 10 + (p[1] - '0');
}

/* Z, +HH:MM, +HHMM or nothing. Seconds east of UTC. */
static int parse_zone(const char *p, bool *ret_has_zone, long *ret_offset)
{
	int hours, minutes, sign = *p == '-' ? -1 : 1;

	*ret_has_zone = *p != '\0';
	*ret_offset = 0;
	if (*p == '\0' || strcmp(p, "Z") == 0)
		return 0;
	if (*p != '+' && *p != '-')
		return -1;
	hours = two_digits(++p);
	if (hours < 0)
		return -1;
	p += 2;
	p += *p == ':';
	minutes = two_digits(p);
	if (minutes < 0 || p[2] != '\0' || hours > 14 || minutes > 59)
		return -1;
	*ret_offset = sign * (hours * 3600L + minutes * 60L);
	return 0;
}

int when_parse(const char *text, int64_t *ret_ns, struct error *err)
{
	struct tm tm = { .tm_isdst = -1 };
	struct tm given;
	bool has_zone;
	const char *p;
	long offset;
	time_t t;

	p = strptime(text, "%Y-%m-%d", &tm);
	if (p != NULL && (*p == 'T' || *p == ' ')) {
		const char *with_seconds = strptime(p + 1, "%H:%M:%S", &tm);

		p = with_seconds != NULL ? with_seconds : strptime(p + 1, "%H:%M", &tm);
	}
	if (p == NULL || parse_zone(p, &has_zone, &offset) < 0 || tm.tm_year < YEAR_FIRST - 1900 ||
	    tm.tm_year > YEAR_LAST - 1900)
		return bad_time(text, err);
	given = tm;
	t = has_zone ? timegm(&tm) - offset : mktime(&tm);
	/* the calendar's own arithmetic would turn 30 February into 2 March */
	if (tm.tm_mday != given.tm_mday || tm.tm_mon != given.tm_mon)
		return bad_time(text, err);
	*ret_ns = (int64_t)t * NS;
	return 0;
}

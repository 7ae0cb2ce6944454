/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <time.h>

#include "base/when.h"

#define S 1000000000LL

static void set_zone(const char *tz)
{
	cr_assert(eq(int, setenv("TZ", tz, 1), 0));
	tzset();
}

Test(base_when, is_read_back_as_it_was_written)
{
	static const int64_t times[] = { 0, 1, 59, 951782400, 951868799, 1234567890, 1772375825,
					 2147483647, 2147483648, 4102444799 };

	set_zone("Europe/Berlin");
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		struct error err = ERROR_INIT;
		char text[WHEN_MAX];
		int64_t back;

		when_format_utc(times[i] * S + 999999999, text);
		box_ok(when_parse(text, &back, &err));
		cr_expect(eq(i64, back, times[i] * S), "%s", text);
	}
}

Test(base_when, is_read_in_every_form_that_is_promised)
{
	static const struct {
		const char *text;
		int64_t wanted;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-03-01T13:30:00Z", 1772371800 },
		{ "2026-03-01T13:30Z", 1772371800 },
		{ "2026-03-01 13:30:00Z", 1772371800 },
		{ "2026-03-01T14:30:00+01:00", 1772371800 },
		{ "2026-03-01T14:30+0100", 1772371800 },
		{ "2026-03-01T08:00:00-05:30", 1772371800 },
		{ "2026-03-02T03:30:00+14:00", 1772371800 },
		/* Berlin's own: winter, summer, and the hours at which it changes */
		{ "2026-03-01T14:30", 1772371800 },
		{ "2026-03-01 14:30:00", 1772371800 },
		{ "2026-03-01", 1772319600 },
		{ "2026-07-01T14:30", 1782909000 },
		{ "2026-03-29T01:59:59", 1774745999 },
		{ "2026-03-29T03:00", 1774746000 },
		{ "2026-10-25T03:00", 1792893600 },
		{ "2028-02-29", 1835391600 },
	};

	set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;
		int64_t got = -1;

		cr_expect(eq(int, when_parse(rows[i].text, &got, &err), 0), "%s", rows[i].text);
		cr_expect(eq(i64, got, rows[i].wanted * S), "%s", rows[i].text);
	}
}

Test(base_when, refuses_what_is_no_time)
{
	static const char *const rows[] = {
		"",
		"now",
		"2026",
		"2026-03",
		"2026-13-01",
		"2026-00-01",
		"2026-02-30",
		"2026-02-29",
		"2026-04-31T10:00",
		"2026-03-01T",
		"2026-03-01T25:00",
		"2026-03-01T10:60",
		"2026-03-01T10",
		"2026-03-01X10:00",
		"2026-03-01T10:00:00 ",
		"2026-03-01T10:00:00z",
		"2026-03-01T10:00:00ZZ",
		"2026-03-01T10:00:00.5Z",
		"2026-03-01T10:00:00+",
		"2026-03-01T10:00:00+1",
		"2026-03-01T10:00:00+15:00",
		"2026-03-01T10:00:00+01:60",
		"2026-03-01T10:00:00+01:00x",
		"2026-03-01T10:00:00++1:00",
		"2026-03-01T10:00:00+ 1:00",
		"2026-03-01 tomorrow",
	};

	set_zone("UTC");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;
		int64_t got = 42;

		cr_expect(eq(int, when_parse(rows[i], &got, &err), -1), "\"%s\"", rows[i]);
		cr_expect(eq(int, err.code, ERROR_USAGE), "\"%s\"", rows[i]);
		cr_expect(eq(i64, got, 42), "\"%s\"", rows[i]);
	}
}

/* A time in nanoseconds ends in 2262. */
Test(base_when, refuses_what_it_can_not_count)
{
	static const char *const rows[] = { "9999-12-31", "2263-01-01T00:00:00Z",
					    "0001-01-01T00:00:00Z" };

	set_zone("UTC");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;
		int64_t got = 42;

		cr_expect(eq(int, when_parse(rows[i], &got, &err), -1), "\"%s\" is %lld", rows[i],
			  (long long)got);
	}
}

Test(base_when, is_shown_short_within_a_day)
{
	const int64_t now = 1772371800 * S; /* 2026-03-01 14:30 in Berlin */
	static const struct {
		int64_t away;
		const char *wanted;
	} rows[] = {
		{ 0, "14:30" },
		{ 7200, "16:30" },
		{ -7200, "12:30" },
		{ 86399, "14:29" },
		{ 86400, "2026-03-02 14:30" },
		{ -86400, "2026-02-28 14:30" },
		/* past the change to summer time */
		{ 30 * 86400, "2026-03-31 15:30" },
	};

	set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[WHEN_MAX];

		when_format_local(now + rows[i].away * S, now, text);
		box_str(text, rows[i].wanted, "%lld s away", (long long)rows[i].away);
	}
}

Test(base_when, is_shown_as_a_span_in_two_units)
{
	static const struct {
		int64_t ns;
		const char *wanted;
	} rows[] = {
		{ -5 * S, "0 s" },
		{ 0, "0 s" },
		{ S / 2 - 1, "0 s" },
		{ S / 2, "1 s" },
		{ 59 * S, "59 s" },
		{ 59 * S + S / 2, "1 min" },
		{ 60 * S, "1 min" },
		{ 119 * S, "1 min" },
		{ 3599 * S, "59 min" },
		{ 3600 * S, "1 h" },
		{ 3659 * S, "1 h" },
		{ 7500 * S, "2 h 5 min" },
		{ 86399 * S, "23 h 59 min" },
		{ 86400 * S, "1 d" },
		{ 86400 * 3 * S + 3600 * 4 * S, "3 d 4 h" },
		{ 86400 * 400 * S, "400 d" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[WHEN_MAX];

		when_format_span(rows[i].ns, text);
		box_str(text, rows[i].wanted, "%lld ns", (long long)rows[i].ns);
	}
}

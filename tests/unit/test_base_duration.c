/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include "base/duration.h"

/* TIME FORMATS of sshd_config(5), its own examples among them. */
Test(base_duration, is_read_in_every_form_that_sshd_takes)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} rows[] = {
		{ "1", 1 },	     { "600", 600 },	 { "10m", 600 },     { "1h30m", 5400 },
		{ "90m", 5400 },     { "2H", 7200 },	 { "1d", 86400 },    { "1w", 604800 },
		{ "1W2D3H4M5S", 788645 }, { "0001h", 3600 }, { "1m30", 90 }, { "0h1s", 1 },
		{ "366d", DURATION_MAX_S },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;
		int64_t got = -1;

		cr_expect(eq(int, duration_parse(rows[i].text, &got, &err), 0), "%s", rows[i].text);
		cr_expect(eq(i64, got, rows[i].seconds), "%s", rows[i].text);
	}
}

Test(base_duration, refuses_what_is_none)
{
	static const char *const rows[] = {
		"",    "0",   "0h0m", "-1",   "+1",   " 1",   "1 ",  "1 h",	   "h",	 "1hh",
		"1x",  "1.5h", "1h-1m", "0x10", "367d", "1y",  "m1",  "99999999999999999999999w",
		"18446744073709551617", "366d1s", "9223372036854775807w",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;
		int64_t got = 42;

		cr_expect(eq(int, duration_parse(rows[i], &got, &err), -1), "\"%s\"", rows[i]);
		cr_expect(eq(int, err.code, ERROR_USAGE), "\"%s\"", rows[i]);
		cr_expect(eq(i64, got, 42), "\"%s\"", rows[i]);
	}
}

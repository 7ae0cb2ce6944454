/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A time that was read is printed and read back as the same; any number at all can be printed. The
 * input is a time; when it is 16 bytes they are two numbers too.
 */
#include "fuzz.h"

#include <time.h>

#include "base/text.h"
#include "base/when.h"

#define NS 1000000000LL

static void zone_of_the_test(void)
{
	static bool done;

	if (done)
		return;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	done = true;
}

static void check_text(const char *text)
{
	int64_t ns = -1, again = -1;
	struct error err = ERROR_INIT;
	char utc[WHEN_MAX];

	if (when_parse(text, &ns, &err) < 0) {
		FUZZ_MUST(err.code == ERROR_USAGE && ns == -1);
		return;
	}
	when_format_utc(ns, utc);
	/* a zone may lead out of the years that can be given */
	if (ns < 0 || strncmp(utc, "2262", 4) == 0)
		return;
	FUZZ_MUST(when_parse(utc, &again, &err) == 0);
	FUZZ_MUST(again == ns);
}

static void check_numbers(int64_t ns, int64_t now_ns)
{
	char utc[WHEN_MAX], local[WHEN_MAX], span[WHEN_MAX];
	struct error err = ERROR_INIT;
	int64_t again;

	when_format_utc(ns, utc);
	when_format_local(ns, now_ns, local);
	when_format_span(ns, span);
	FUZZ_MUST(text_is_plain(utc) && text_is_plain(local) && text_is_plain(span));
	FUZZ_MUST(utc[0] != '\0' && local[0] != '\0' && span[0] != '\0');
	if (ns >= 0 && strncmp(utc, "2262", 4) != 0)
		FUZZ_MUST(when_parse(utc, &again, &err) == 0 && again == ns / NS * NS);
}

FUZZ_TARGET(when)
{
	_cleanup_free_ char *text = fuzz_string(fuzz_input(data, size));

	zone_of_the_test();
	if (size == 16) {
		int64_t numbers[2];

		memcpy(numbers, data, sizeof(numbers));
		check_numbers(numbers[0], numbers[1]);
	}
	check_text(text);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A duration is within its bounds, the same as that many seconds, and part of a longer one.
 */
#include "fuzz.h"

#include "base/duration.h"

FUZZ_TARGET(duration)
{
	_cleanup_free_ char *text = fuzz_string(fuzz_input(data, size)), *more = NULL;
	int64_t seconds = -1, again = -1;
	struct error err = ERROR_INIT;
	char plain[32];

	if (duration_parse(text, &seconds, &err) < 0) {
		FUZZ_MUST(err.code == ERROR_USAGE && seconds == -1);
		return 0;
	}
	FUZZ_MUST(seconds >= 1 && seconds <= DURATION_MAX_S);
	snprintf(plain, sizeof(plain), "%llds", (long long)seconds);
	FUZZ_MUST(duration_parse(plain, &again, &err) == 0 && again == seconds);
	more = str_format(&err, "1w%s", text);
	FUZZ_MUST(more != NULL);
	if (seconds + 7 * 86400 <= DURATION_MAX_S)
		FUZZ_MUST(duration_parse(more, &again, &err) == 0 &&
			  again == seconds + 7 * 86400);
	else
		FUZZ_MUST(duration_parse(more, &again, &err) < 0);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The header of an init script, as it is told without the lens: a word is required exactly when it
 * stands in the header's Required-Start. lsb_lens.c compares with the lens.
 */
#include "fuzz.h"

#include "config/lsb_header.h"

static bool requires(struct slice script, char *word)
{
	char *items[] = { word, NULL };
	const struct strings words = { .items = items, .len = 1 };

	return lsb_header_requires(script, &words);
}

FUZZ_TARGET(lsb_header)
{
	static char ssh[] = "$remote_fs", empty[] = "", blank[] = "a b";
	_cleanup_free_ char *copy = fuzz_string(fuzz_input(data, size));
	struct slice script = slice_of(copy, size);

	FUZZ_MUST(!requires(script, empty) && !requires(script, blank));
	if (requires(script, ssh))
		FUZZ_MUST(memmem(data, size, "BEGIN INIT INFO", 15) != NULL &&
			  memmem(data, size, "END INIT INFO", 13) != NULL &&
			  memmem(data, size, ssh, strlen(ssh)) != NULL);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The header of an init script through the lens: what it says of Required-Start is what is told
 * without the lens. Slow, for it is libaugeas that works here.
 */
#include "fuzz.h"

#include "base/text.h"
#include "config/lsb_header.h"

static struct config_augeas *augeas; /* for as long as the program runs */

static void check(struct slice script, const struct lsb_header *l)
{
	const struct strings *words = &l->required_start;

	FUZZ_MUST(l->found || words->len == 0);
	FUZZ_MUST(lsb_header_requires(script, words) == (words->len > 0));
	for (size_t i = 0; i < words->len; i++) {
		const struct strings one = { .items = &words->items[i], .len = 1 };

		FUZZ_MUST(text_is_plain(words->items[i]));
		FUZZ_MUST(lsb_header_requires(script, &one));
	}
	for (size_t i = 0; i < l->provides.len; i++)
		FUZZ_MUST(text_is_plain(l->provides.items[i]));
}

FUZZ_TARGET(lsb_lens)
{
	_cleanup_free_ char *copy = fuzz_string(fuzz_input(data, size)), *lenses = NULL;
	_cleanup_lsb_header_ struct lsb_header l = LSB_HEADER_INIT;
	const char *top = getenv("top_srcdir");
	struct error err = ERROR_INIT;

	if (augeas == NULL) {
		lenses = str_format(&err, "%s/lenses", top != NULL ? top : ".");
		FUZZ_MUST(lenses != NULL &&
			  config_augeas_new(lenses, &augeas, &err) == 0);
	}
	if (lsb_header_parse(augeas, slice_of(copy, size), &l, &err) == 0)
		check(slice_of(copy, size), &l);
	else
		FUZZ_MUST(err.code == ERROR_REFUSED && !l.found);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The header of an init script through the lens: what it says is what is told without the lens. Slow, for it is libaugeas that works here.
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

static bool same_text(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static bool same_words(const struct strings *a, const struct strings *b)
{
	for (size_t i = 0; a->len == b->len && i < a->len; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return a->len == b->len;
}

static void compare(const struct lsb_header *a, const struct lsb_header *b)
{
	FUZZ_MUST(a->found == b->found && same_words(&a->provides, &b->provides) &&
		  same_words(&a->required_start, &b->required_start) &&
		  same_words(&a->should_start, &b->should_start) &&
		  same_words(&a->required_stop, &b->required_stop) &&
		  same_words(&a->should_stop, &b->should_stop) &&
		  same_words(&a->x_start_before, &b->x_start_before));
	FUZZ_MUST(same_text(a->default_start, b->default_start) &&
		  same_text(a->default_stop, b->default_stop) &&
		  same_text(a->short_description, b->short_description));
}

FUZZ_TARGET(lsb_lens)
{
	_cleanup_free_ char *copy = fuzz_string(fuzz_input(data, size)), *lenses = NULL;
	_cleanup_lsb_header_ struct lsb_header l = LSB_HEADER_INIT, plain = LSB_HEADER_INIT;
	const char *top = getenv("top_srcdir");
	struct error err = ERROR_INIT, why = ERROR_INIT;

	if (augeas == NULL) {
		lenses = str_format(&err, "%s/lenses", top != NULL ? top : ".");
		FUZZ_MUST(lenses != NULL &&
			  config_augeas_new(lenses, &augeas, &err) == 0);
	}
	if (lsb_header_parse(augeas, slice_of(copy, size), &l, &err) == 0)
		check(slice_of(copy, size), &l);
	else
		FUZZ_MUST(err.code == ERROR_REFUSED && !l.found);
	FUZZ_MUST(lsb_header_parse(NULL, slice_of(copy, size), &plain, &why) == 0 ||
		  (why.code == ERROR_REFUSED && err.code == ERROR_REFUSED));
	compare(&l, &plain);
	return 0;
}

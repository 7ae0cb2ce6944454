/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A list of addresses: what is printed is read back as the same, and no entry lies within another.
 * The input is a list; a second line is a client's address.
 */
#include "fuzz.h"

#include "base/address.h"
#include "base/text.h"

static char *joined(const struct strings *list)
{
	struct buffer b = BUFFER_INIT;

	for (size_t i = 0; i < list->len; i++)
		FUZZ_MUST(buffer_printf(&b, NULL, "%s%s", i > 0 ? "," : "",
					list->items[i]) == 0);
	return b.data;
}

static void check_entry(const struct strings *list, size_t i)
{
	char first[ADDRESS_MAX];

	FUZZ_MUST(text_is_plain(list->items[i]));
	FUZZ_MUST(strpbrk(list->items[i], " ,\t\n") == NULL);
	address_first(list->items[i], first);
	for (size_t k = 0; k < list->len; k++)
		FUZZ_MUST(address_contains(list->items[k], first) == (k == i));
}

FUZZ_TARGET(address)
{
	_cleanup_strings_ struct strings list = STRINGS_INIT, again = STRINGS_INIT;
	struct slice rest = fuzz_input(data, size), line = slice_of("", 0);
	_cleanup_free_ char *text = NULL, *client = NULL, *canonical = NULL;
	struct error err = ERROR_INIT;

	(void)fuzz_line(&rest, &line);
	text = fuzz_string(line);
	client = fuzz_string(rest);
	(void)address_contains(text, client);
	if (address_list_parse(text, &list, &err) < 0) {
		FUZZ_MUST(err.code == ERROR_USAGE && list.len == 0);
		return 0;
	}
	FUZZ_MUST(list.len > 0 && list.len <= ADDRESS_LIST_MAX);
	for (size_t i = 0; i < list.len; i++) {
		check_entry(&list, i);
		(void)address_contains(list.items[i], client);
	}
	(void)address_is_everyone(&list);
	canonical = joined(&list);
	FUZZ_MUST(address_list_parse(canonical, &again, &err) == 0);
	FUZZ_MUST(strings_equal(&list, &again));
	return 0;
}

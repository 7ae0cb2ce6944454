/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <stdint.h>

Test(base_buffer, is_terminated_after_every_append)
{
	_cleanup_buffer_ struct buffer b = BUFFER_INIT;
	struct error err = ERROR_INIT;

	box_ok(buffer_reserve(&b, 0, &err));
	box_str(b.data, "");
	for (unsigned i = 0; i < 2000; i++) {
		box_ok(buffer_append(&b, "ab", 2, &err));
		cr_assert(eq(sz, strlen(b.data), 2 * (i + 1)));
		cr_assert(lt(sz, b.len, b.cap));
	}
	box_ok(buffer_append_str(&b, "!", &err));
	box_ok(buffer_append(&b, NULL, 0, &err));
	cr_expect(eq(sz, b.len, 4001));
}

Test(base_buffer, keeps_any_byte)
{
	_cleanup_buffer_ struct buffer b = BUFFER_INIT;
	struct error err = ERROR_INIT;
	char all[256];

	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	box_ok(buffer_append(&b, all, sizeof(all), &err));
	cr_expect(slice_equal(slice_of(b.data, b.len), slice_of(all, sizeof(all))));
	cr_expect(not(slice_equal(slice_of(b.data, b.len), slice_of(all, sizeof(all) - 1))));
	cr_expect(slice_equal(slice_of(NULL, 0), slice_of("", 0)));
}

Test(base_buffer, prints_what_does_not_fit_at_first)
{
	_cleanup_buffer_ struct buffer b = BUFFER_INIT;
	struct error err = ERROR_INIT;

	box_ok(buffer_printf(&b, &err, "%s", ""));
	box_str(b.data, "");
	box_ok(buffer_printf(&b, &err, "%01000d", 7));
	cr_expect(eq(sz, b.len, 1000));
	box_ok(buffer_printf(&b, &err, "%s", "end"));
	box_str(b.data + 999, "7end");
}

Test(base_buffer, refuses_a_size_that_can_not_be)
{
	_cleanup_buffer_ struct buffer b = BUFFER_INIT;
	struct error err = ERROR_INIT;

	box_ok(buffer_append_str(&b, "x", &err));
	cr_expect(eq(int, buffer_reserve(&b, SIZE_MAX, &err), -1));
	cr_expect(eq(int, buffer_reserve(&b, SIZE_MAX / 2, &err), -1));
	box_str(b.data, "x");
}

Test(base_buffer, gives_strings_that_serve_as_argv)
{
	_cleanup_strings_ struct strings s = STRINGS_INIT;
	struct error err = ERROR_INIT;

	cr_expect(not(strings_contain(&s, "x")));
	for (int i = 0; i < 100; i++) {
		box_ok(strings_addf(&s, &err, "item %d", i));
		cr_assert(s.items[s.len] == NULL);
	}
	box_ok(strings_addn(&s, "part of it", 4, &err));
	box_ok(strings_add(&s, "", &err));
	box_str(s.items[100], "part");
	cr_expect(strings_contain(&s, "item 99"));
	cr_expect(strings_contain(&s, ""));
	cr_expect(not(strings_contain(&s, "item")));
	cr_expect(eq(sz, s.len, 102));
}

Test(base_buffer, copies_strings)
{
	struct error err = ERROR_INIT;
	char *a = str_dup("ab", &err), *b = str_ndup("abc", 2, &err), *c = str_ndup(NULL, 0, &err),
	     *d = str_format(&err, "%d", 12);

	box_str(a, "ab");
	box_str(b, "ab");
	box_str(c, "");
	box_str(d, "12");
	free(a);
	free(b);
	free(c);
	free(d);
}

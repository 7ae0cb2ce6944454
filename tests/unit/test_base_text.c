/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include "base/text.h"

static char *escape(const char *s, size_t len, bool lines)
{
	static struct buffer b = BUFFER_INIT;
	struct error err = ERROR_INIT;

	buffer_release(&b);
	box_ok(text_escape(slice_of(s, len), lines, &b, &err));
	return b.data;
}

Test(base_text, escapes_what_a_terminal_would_obey)
{
	static const struct {
		const char *given, *wanted;
	} rows[] = {
		{ "", "" },
		{ "plain ~ text", "plain ~ text" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91" },
		/* C0, DEL and C1, raw and as UTF-8 */
		{ "\x01\t\n\r\x1b[2J\x1f", "\\x01\\x09\\x0a\\x0d\\x1b[2J\\x1f" },
		{ "a\x7f""b", "a\\x7f""b" },
		{ "\x9b""31m", "\\x9b""31m" },
		{ "\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f\xc2\xa0" },
		/* what turns the direction around, or can't be seen */
		{ "\xe2\x80\xae", "\\xe2\\x80\\xae" }, /* U+202E RLO */
		{ "\xe2\x80\xaa\xe2\x80\xad", "\\xe2\\x80\\xaa\\xe2\\x80\\xad" },
		{ "\xe2\x81\xa6\xe2\x81\xa9", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9" },
		{ "\xe2\x80\x8b\xe2\x80\x8e\xe2\x80\x8f", "\\xe2\\x80\\x8b\\xe2\\x80\\x8e\\xe2\\x80\\x8f" },
		{ "\xe2\x80\xa8\xe2\x80\xa9", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9" }, /* LS, PS */
		{ "\xef\xbb\xbf", "\\xef\\xbb\\xbf" },
		/* no UTF-8: a lone continuation, a cut sequence, the overlong, surrogates, too far */
		{ "\xe4 ", "\\xe4 " },
		{ "\x80", "\\x80" },
		{ "\xe2\x82", "\\xe2\\x82" },
		{ "\xe2\x82z", "\\xe2\\x82z" },
		{ "\xc0\xaf", "\\xc0\\xaf" },
		{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },
		{ "\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		{ "\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80" },
		{ "\xff\xfe", "\\xff\\xfe" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		box_str(escape(rows[i].given, strlen(rows[i].given), false), rows[i].wanted,
			"row %zu", i);
		cr_expect(eq(int, text_is_plain(rows[i].given),
			     strcmp(rows[i].given, rows[i].wanted) == 0), "row %zu: %s", i,
			  rows[i].wanted);
	}
	box_str(escape("a\0b", 3, false), "a\\x00b");
}

Test(base_text, escapes_every_single_byte_that_is_not_printable_ascii)
{
	for (int c = 0; c < 256; c++) {
		char given = (char)c, wanted[8];

		(void)snprintf(wanted, sizeof(wanted), c >= 0x20 && c < 0x7f ? "%c" : "\\x%02x", c);
		box_str(escape(&given, 1, false), wanted, "byte %d", c);
	}
}

Test(base_text, escapes_every_bidirectional_control)
{
	/* the property Bidi_Control (UAX #9) */
	static const unsigned codes[] = { 0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d,
					  0x202e, 0x2066, 0x2067, 0x2068, 0x2069 };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		unsigned c = codes[i];
		char s[4] = { (char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 63)),
			      (char)(0x80 | (c & 63)) };

		if (c < 0x800) {
			s[0] = (char)(0xc0 | c >> 6);
			s[1] = (char)(0x80 | (c & 63));
			s[2] = '\0';
		}
		cr_expect(eq(chr, escape(s, strlen(s), false)[0], '\\'), "U+%04X", c);
		cr_expect(not(text_is_plain(s)), "U+%04X", c);
	}
}

Test(base_text, keeps_newlines_alone_when_there_are_lines)
{
	box_str(escape("a\nb\r\n\tc", 7, true), "a\nb\\x0d\n\\x09c");
}

Test(base_text, comes_back_as_it_was)
{
	struct error err = ERROR_INIT;
	unsigned seed = 1;

	for (int round = 0; round < 500; round++) {
		char given[128];
		size_t len = (size_t)(rand_r(&seed) % 127);
		char *coded, *back;

		for (size_t i = 0; i < len; i++)
			given[i] = (char)(1 + rand_r(&seed) % 255);
		given[len] = '\0';
		coded = text_encode(given, &err);
		cr_assert(coded != NULL);
		for (const char *p = coded; *p != '\0'; p++)
			cr_assert(p[0] >= 0x20 && p[0] < 0x7f, "round %d: %s", round, coded);
		back = text_decode(coded, &err);
		cr_assert(back != NULL, "%s: %s", coded, err.message);
		cr_assert(eq(str, back, given), "round %d", round);
		free(coded);
		free(back);
	}
}

Test(base_text, refuses_a_code_that_it_never_writes)
{
	static const char *const rows[] = { "\\",     "\\x",   "\\x1",   "a\\xg0", "\\x0g",
					    "\\x00",  "\\n",   "\\\\",   "\\X41",  "\\x4",
					    "x\\x4G", "\\xA0", "\\x1\\x", "\\x2f",
					    "a\tb",  "\xc3\xa9" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;

		cr_expect(text_decode(rows[i], &err) == NULL, "%s", rows[i]);
		cr_expect(eq(int, err.code, ERROR_REFUSED), "%s", rows[i]);
	}
}

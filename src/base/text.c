/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/text.h"

#include <ctype.h>
#include <stdint.h>

/* The length of the UTF-8 sequence at `p` (RFC 3629), 0 when it is none; the code point. */
static size_t utf8_length(const unsigned char *p, size_t left, uint32_t *ret_code)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} forms[] = { { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 },
		      { 0xf8, 0xf0, 0x10000 } };

	for (size_t len = 1; len <= 4 && len <= left; len++) {
		uint32_t code;

		if ((p[0] & forms[len - 1].mask) != forms[len - 1].lead)
			continue;
		code = p[0] & (unsigned char)~forms[len - 1].mask;
		for (size_t i = 1; i < len; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (p[i] & 0x3f);
		}
		if (code < forms[len - 1].least || code > 0x10ffff ||
		    (code >= 0xd800 && code <= 0xdfff))
			return 0;
		*ret_code = code;
		return len;
	}
	return 0;
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) ||
	       /* what turns the direction of writing around, or hides (Unicode 9.0, Cf) */
	       code == 0x061c || (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

int text_escape(struct slice s, bool lines, struct buffer *ret, struct error *err)
{
	const unsigned char *p = (const unsigned char *)s.data;

	for (size_t i = 0; i < s.len;) {
		uint32_t code = 0;
		size_t len = utf8_length(p + i, s.len - i, &code);
		bool keep = len > 0 && (!is_control(code) || (lines && code == '\n'));
		int r;

		if (keep)
			r = buffer_append(ret, p + i, len, err);
		else
			r = buffer_printf(ret, err, "\\x%02x", p[i]);
		if (r < 0)
			return -1;
		i += keep ? len : 1;
	}
	return buffer_reserve(ret, 0, err);
}

bool text_is_plain(const char *s)
{
	size_t left = strlen(s);

	while (left > 0) {
		uint32_t code = 0;
		size_t len = utf8_length((const unsigned char *)s, left, &code);

		if (len == 0 || is_control(code))
			return false;
		s += len;
		left -= len;
	}
	return true;
}

static bool is_written_as_it_is(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '\\';
}

char *text_encode(const char *s, struct error *err)
{
	_cleanup_buffer_ struct buffer b = BUFFER_INIT;

	if (buffer_reserve(&b, strlen(s), err) < 0)
		return NULL;
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;
		int r;

		if (is_written_as_it_is(c))
			r = buffer_append(&b, s, 1, err);
		else
			r = buffer_printf(&b, err, "\\x%02x", c);
		if (r < 0)
			return NULL;
	}
	return TAKE_PTR(b.data);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

char *text_decode(const char *s, struct error *err)
{
	_cleanup_free_ char *out = malloc(strlen(s) + 1);
	size_t len = 0;

	if (out == NULL) {
		(void)error_oom(err);
		return NULL;
	}
	while (*s != '\0') {
		int high, low, code;

		if (is_written_as_it_is((unsigned char)*s)) {
			out[len++] = *s++;
			continue;
		}
		high = s[0] == '\\' && s[1] == 'x' ? hex_value(s[2]) : -1;
		low = high >= 0 ? hex_value(s[3]) : -1;
		code = low >= 0 ? high << 4 | low : 0;
		if (code == 0 || is_written_as_it_is((unsigned char)code)) {
			(void)error_set(err, ERROR_REFUSED, "a text that was not encoded by us");
			return NULL;
		}
		out[len++] = (char)code;
		s += 4;
	}
	out[len] = '\0';
	return TAKE_PTR(out);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include "base/json.h"

#define SCHEMA 3

static json_t *sample(void)
{
	json_t *body = json_pack("{s:s, s:I, s:[s, n, b], s:{s:s}, s:f}", "path",
				 "/etc/ssh/sshd_config", "at", (json_int_t)1772371800000000000,
				 "list", "a\n\\\"\xc3\xa4", 1, "empty", "", "", "third", 0.5);

	cr_assert(body != NULL);
	return body;
}

static struct buffer sealed(const json_t *body)
{
	struct buffer b = BUFFER_INIT;
	struct error err = ERROR_INIT;

	box_ok(json_seal(body, SCHEMA, &b, &err));
	return b;
}

static int unseal(const char *text, size_t len, json_t **ret, struct error *err)
{
	return json_unseal(slice_of(text, len), "the paper", SCHEMA, ret, NULL, err);
}

Test(base_json, comes_out_of_the_seal_as_it_went_in)
{
	_cleanup_json_ json_t *body = sample(), *back = NULL;
	_cleanup_buffer_ struct buffer b = sealed(body);
	struct error err = ERROR_INIT;

	box_ok(unseal(b.data, b.len, &back, &err));
	cr_expect(json_equal(body, back));
}

Test(base_json, is_known_again_by_its_digest)
{
	_cleanup_json_ json_t *body = sample(), *back = NULL, *other = json_object();
	_cleanup_buffer_ struct buffer b = sealed(body), c = sealed(other);
	struct digest digest, none = { .hex = "" };
	struct error err = ERROR_INIT;

	box_ok(json_unseal(slice_of(b.data, b.len), "it", SCHEMA, &back, &digest, &err));
	cr_expect(json_seal_is(slice_of(b.data, b.len), &digest));
	cr_expect(not(json_seal_is(slice_of(c.data, c.len), &digest)));
	cr_expect(not(json_seal_is(slice_of(b.data, b.len), &none)));
	cr_expect(not(json_seal_is(slice_of("", 0), &digest)));
}

Test(base_json, is_refused_with_any_byte_altered)
{
	_cleanup_json_ json_t *body = sample();
	_cleanup_buffer_ struct buffer b = sealed(body);
	static const char others[] = "\0 01a\"}x\x80\xff";
	unsigned same = 0;

	for (size_t i = 0; i < b.len; i++) {
		for (size_t k = 0; k < sizeof(others) + 8; k++) {
			char was = b.data[i];
			_cleanup_json_ json_t *back = NULL;
			struct error err = ERROR_INIT;

			/* each of its bits, and some bytes that mean something */
			b.data[i] = k < 8 ? (char)(was ^ 1 << k) : others[k - 8];
			if (b.data[i] != was && unseal(b.data, b.len, &back, &err) == 0) {
				same++;
				cr_assert(json_equal(body, back), "byte %zu, was %02x, now %02x", i,
					  (unsigned char)was, (unsigned char)b.data[i]);
			} else if (b.data[i] != was) {
				cr_assert(eq(int, err.code, ERROR_REFUSED));
				cr_assert(back == NULL);
				cr_assert(strstr(err.message, "the paper") != NULL);
			}
			b.data[i] = was;
		}
	}
	/* blanks alone may differ, so nearly everything was refused */
	cr_expect(lt(uint, same, (unsigned)b.len));
}

Test(base_json, is_refused_when_it_is_torn)
{
	_cleanup_json_ json_t *body = sample();
	_cleanup_buffer_ struct buffer b = sealed(body);

	/* the last byte is the newline */
	for (size_t len = 0; len + 1 < b.len; len++) {
		struct error err = ERROR_INIT;
		json_t *back = NULL;

		cr_assert(eq(int, unseal(b.data, len, &back, &err), -1), "%zu of %zu bytes", len,
			  b.len);
		cr_assert(eq(int, err.code, ERROR_REFUSED));
		cr_assert(strstr(err.message, "torn or was altered") != NULL);
	}
}

Test(base_json, is_refused_with_bytes_put_in_or_left_out)
{
	_cleanup_json_ json_t *body = sample();
	_cleanup_buffer_ struct buffer b = sealed(body);
	char text[2048];

	cr_assert(lt(sz, b.len, sizeof(text) - 1));
	for (size_t i = 0; i < b.len; i++) {
		_cleanup_json_ json_t *back = NULL;
		struct error err = ERROR_INIT;

		memcpy(text, b.data, i);
		memcpy(text + i, b.data + i + 1, b.len - i - 1);
		if (unseal(text, b.len - 1, &back, &err) == 0)
			cr_assert(json_equal(body, back), "without byte %zu", i);
	}
	for (size_t i = 0; i <= b.len; i++) {
		_cleanup_json_ json_t *back = NULL;
		struct error err = ERROR_INIT;

		memcpy(text, b.data, i);
		text[i] = '0';
		memcpy(text + i + 1, b.data + i, b.len - i);
		if (unseal(text, b.len + 1, &back, &err) == 0)
			cr_assert(json_equal(body, back), "with a 0 before byte %zu", i);
	}
}

Test(base_json, of_a_newer_program_is_told_apart)
{
	_cleanup_json_ json_t *body = sample(), *back = NULL;
	_cleanup_buffer_ struct buffer b = BUFFER_INIT;
	struct error err = ERROR_INIT;

	box_ok(json_seal(body, SCHEMA + 1, &b, &err));
	box_fails(unseal(b.data, b.len, &back, &err), ERROR_REFUSED, "newer rootlatch (schema 4");
	buffer_release(&b);
	box_ok(json_seal(body, SCHEMA - 1, &b, &err));
	box_fails(unseal(b.data, b.len, &back, &err), ERROR_REFUSED, "torn or was altered");
}

Test(base_json, is_refused_when_it_is_something_else)
{
	static const char *const rows[] = {
		"", "null", "[]", "{}", "\"x\"", "3", "{\"schema\": 3}",
		"{\"schema\": 3, \"sha256\": \"\", \"body\": []}",
		"{\"schema\": \"3\", \"sha256\": \"\", \"body\": {}}",
		"{\"schema\": 3, \"sha256\": 7, \"body\": {}}",
		"{\"schema\": 3, \"body\": {}}",
		/* the right digest of {} */
		"{\"schema\": 3, \"body\": {}, \"body\": {\"a\": 1}, \"sha256\": "
		"\"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;
		json_t *back = NULL;

		cr_expect(eq(int, unseal(rows[i], strlen(rows[i]), &back, &err), -1), "%s", rows[i]);
		cr_expect(eq(int, err.code, ERROR_REFUSED), "%s", rows[i]);
	}
}

Test(base_json, gives_members_of_the_right_type_only)
{
	_cleanup_json_ json_t *o = json_pack("{s:s, s:I, s:[], s:b, s:n, s:f}", "s", "text", "i",
					     (json_int_t)-7, "a", "t", 1, "n", "f", 1.0);
	static const char *const keys[] = { "s", "i", "a", "t", "n", "f", "missing" };
	const char *s;
	json_t *a;
	int64_t i;

	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		struct error err = ERROR_INIT;
		int want_s = keys[k][0] == 's' ? 0 : -1, want_i = keys[k][0] == 'i' ? 0 : -1,
		    want_a = keys[k][0] == 'a' ? 0 : -1;

		cr_expect(eq(int, json_need_string(o, keys[k], &s, &err), want_s), "%s", keys[k]);
		cr_expect(eq(int, json_need_int(o, keys[k], &i, &err), want_i), "%s", keys[k]);
		cr_expect(eq(int, json_need_array(o, keys[k], &a, &err), want_a), "%s", keys[k]);
		cr_expect(eq(int, err.code, ERROR_REFUSED), "%s", keys[k]);
		cr_expect(strstr(err.message, keys[k]) != NULL, "%s", keys[k]);
	}
	cr_expect(eq(i64, json_get_int(o, "i", 0), -7));
	cr_expect(eq(i64, json_get_int(o, "s", 5), 5));
	box_str(json_get_string(o, "s", ""), "text");
	box_str(json_get_string(o, "n", "none"), "none");
	cr_expect(json_get_bool(o, "t"));
	cr_expect(not(json_get_bool(o, "n")));
	cr_expect(eq(int, json_need_string(NULL, "s", &s, NULL), -1));
}

Test(base_json, takes_foreign_bytes_escaped)
{
	_cleanup_json_ json_t *text = json_text("\xe4"), *foreign = json_foreign("a\xe4\x1b\n"),
			      *none = json_foreign(NULL);
	struct error err = ERROR_INIT;
	_cleanup_json_ json_t *o = json_object();

	cr_expect(text == NULL);
	box_str(json_string_value(foreign), "a\\xe4\\x1b\\x0a");
	cr_expect(eq(int, (int)json_typeof(none), (int)JSON_NULL));
	cr_expect(eq(int, json_put(o, "x", NULL, &err), -1));
	cr_expect(eq(int, json_push(o, json_null(), &err), -1));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"

#include "base/path.h"
#include "base/text.h"

int json_need_string(const json_t *object, const char *key, const char **ret, struct error *err)
{
	const char *s = json_string_value(json_object_get(object, key));

	if (s == NULL)
		return error_set(err, ERROR_REFUSED, "\"%s\" is missing or no text", key);
	*ret = s;
	return 0;
}

int json_need_int(const json_t *object, const char *key, int64_t *ret, struct error *err)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		return error_set(err, ERROR_REFUSED, "\"%s\" is missing or no number", key);
	*ret = json_integer_value(value);
	return 0;
}

int json_need_array(const json_t *object, const char *key, json_t **ret, struct error *err)
{
	json_t *value = json_object_get(object, key);

	if (!json_is_array(value))
		return error_set(err, ERROR_REFUSED, "\"%s\" is missing or no list", key);
	*ret = value;
	return 0;
}

int json_need_path(const json_t *object, const char *key, char **ret, struct error *err)
{
	const char *path = NULL;

	if (json_need_string(object, key, &path, err) < 0)
		return -1;
	if (!path_is_clean(path))
		return error_set(err, ERROR_REFUSED, "\"%s\" is no clean absolute path", key);
	*ret = str_dup(path, err);
	return *ret == NULL ? -1 : 0;
}

int json_need_digest(const json_t *object, const char *key, bool may_be_empty,
		     struct digest *ret, struct error *err)
{
	const char *hex = "";

	if (json_need_string(object, key, &hex, err) < 0)
		return -1;
	if (!digest_is_valid(hex) && !(may_be_empty && hex[0] == '\0'))
		return error_set(err, ERROR_REFUSED, "\"%s\" is no digest", key);
	(void)memcpy(ret->hex, hex, strlen(hex) + 1);
	return 0;
}

const char *json_get_string(const json_t *object, const char *key, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s != NULL ? s : otherwise;
}

int64_t json_get_int(const json_t *object, const char *key, int64_t otherwise)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool json_get_bool(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

int json_put(json_t *object, const char *key, json_t *value, struct error *err)
{
	if (value == NULL || json_object_set_new(object, key, value) < 0)
		return error_oom(err);
	return 0;
}

int json_push(json_t *array, json_t *value, struct error *err)
{
	if (value == NULL || json_array_append_new(array, value) < 0)
		return error_oom(err);
	return 0;
}

json_t *json_text(const char *s)
{
	return s != NULL ? json_string(s) : json_null();
}

static json_t *escaped(const char *s, bool lines)
{
	_cleanup_buffer_ struct buffer b = BUFFER_INIT;

	if (s == NULL)
		return json_null();
	if (text_escape(slice_of(s, strlen(s)), lines, &b, NULL) < 0)
		return NULL;
	return json_string(b.data);
}

json_t *json_foreign(const char *s)
{
	return escaped(s, false);
}

json_t *json_foreign_lines(const char *s)
{
	return escaped(s, true);
}

static const char seal_head[] = "{\"schema\": ";
static const char seal_digest[] = ", \"sha256\": \"";
static const char seal_body[] = "\", \"body\":\n";
static const char seal_tail[] = "}\n";

int json_seal(const json_t *body, int schema, struct buffer *ret, struct error *err)
{
	_cleanup_free_ char *text = json_dumps(body, JSON_INDENT(1) | JSON_SORT_KEYS);
	struct digest digest;

	if (text == NULL)
		return error_oom(err);
	digest = digest_of(text, strlen(text));
	return buffer_printf(ret, err, "%s%d%s%s%s%s%s", seal_head, schema, seal_digest, digest.hex,
			     seal_body, text, seal_tail);
}

static int altered(struct error *err, const char *what, const char *why)
{
	(void)error_set(err, ERROR_REFUSED, "%s is torn or was altered: %s", what, why);
	return error_hint(err, "Nothing was changed. Each snapshots/ID/restore.sh beside it puts "
			  "back what it names; `rootlatch check` finds markers without a state.");
}

/* Moves past `expected`; false when something else is there. */
static bool skip(struct slice *text, const char *expected)
{
	size_t len = strlen(expected);

	if (text->len < len || memcmp(text->data, expected, len) != 0)
		return false;
	*text = slice_of(text->data + len, text->len - len);
	return true;
}

/* The parts of a sealed document, whose frame is always spelt the same. */
static bool take_apart(struct slice text, int64_t *ret_schema, struct digest *ret_digest,
		       struct slice *ret_body)
{
	size_t tail = strlen(seal_tail);
	int64_t schema = 0;

	if (!skip(&text, seal_head))
		return false;
	for (; text.len > 0 && text.data[0] >= '0' && text.data[0] <= '9' && schema < 1000000;
	     text = slice_of(text.data + 1, text.len - 1))
		schema = schema * 10 + (text.data[0] - '0');
	*ret_schema = schema;
	if (!skip(&text, seal_digest) || text.len < DIGEST_HEX_LEN)
		return false;
	memcpy(ret_digest->hex, text.data, DIGEST_HEX_LEN);
	ret_digest->hex[DIGEST_HEX_LEN] = '\0';
	text = slice_of(text.data + DIGEST_HEX_LEN, text.len - DIGEST_HEX_LEN);
	if (!skip(&text, seal_body) || text.len < tail ||
	    memcmp(text.data + text.len - tail, seal_tail, tail) != 0)
		return false;
	*ret_body = slice_of(text.data, text.len - tail);
	return true;
}

static int check_schema(int64_t version, const char *what, int schema, struct error *err)
{
	if (version == schema)
		return 0;
	if (version < schema)
		return altered(err, what, "no schema that was ever written");
	(void)error_set(err, ERROR_REFUSED, "%s was written by a newer rootlatch (schema %lld, this "
			"one knows %d)", what, (long long)version, schema);
	return error_hint(err, "Nothing was changed. Use the newer rootlatch.");
}

int json_unseal(struct slice text, const char *what, int schema, json_t **ret_body,
		struct digest *ret_digest, struct error *err)
{
	json_error_t why = { 0 };
	struct digest said, is;
	struct slice body;
	int64_t version;
	json_t *json;

	if (!take_apart(text, &version, &said, &body))
		return altered(err, what, "it does not begin and end as it was written");
	if (check_schema(version, what, schema, err) < 0)
		return -1;
	is = digest_of(body.data, body.len);
	if (!digest_equal(&said, &is))
		return altered(err, what, "its digest does not match");
	json = json_loadb(body.data, body.len, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(json)) {
		json_decref(json);
		return altered(err, what, why.text);
	}
	*ret_body = json;
	if (ret_digest != NULL)
		*ret_digest = said;
	return 0;
}

bool json_seal_is(struct slice text, const struct digest *digest)
{
	struct digest said;
	struct slice body;
	int64_t version;

	return take_apart(text, &version, &said, &body) && digest_equal(&said, digest);
}

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

json_t *json_foreign(const char *s)
{
	_cleanup_buffer_ struct buffer b = BUFFER_INIT;

	if (s == NULL)
		return json_null();
	if (text_escape(slice_of(s, strlen(s)), false, &b, NULL) < 0)
		return NULL;
	return json_string(b.data);
}

/* One spelling for one value, whatever order the members were read or written in. */
static int body_digest(const json_t *body, struct digest *ret, struct error *err)
{
	_cleanup_free_ char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);

	if (text == NULL)
		return error_oom(err);
	*ret = digest_of(text, strlen(text));
	return 0;
}

int json_seal(const json_t *body, int schema, struct buffer *ret, struct error *err)
{
	_cleanup_free_ char *text = json_dumps(body, JSON_INDENT(1) | JSON_SORT_KEYS);
	struct digest digest;

	if (text == NULL)
		return error_oom(err);
	if (body_digest(body, &digest, err) < 0)
		return -1;
	return buffer_printf(ret, err, "{\"schema\": %d, \"sha256\": \"%s\", \"body\":\n%s}\n",
			     schema, digest.hex, text);
}

static int altered(struct error *err, const char *what, const char *why)
{
	(void)error_set(err, ERROR_REFUSED, "%s is torn or was altered: %s", what, why);
	return error_hint(err, "Nothing was changed. Each snapshots/ID/restore.sh beside it puts "
			  "back what it names; `rootlatch check` finds markers without a state.");
}

int json_unseal(struct slice text, const char *what, int schema, json_t **ret_body,
		struct error *err)
{
	json_error_t why = { 0 };
	_cleanup_json_ json_t *doc = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &why);
	json_t *body = json_object_get(doc, "body");
	int64_t version = json_get_int(doc, "schema", -1);
	struct digest digest;

	if (doc == NULL)
		return altered(err, what, why.text);
	if (version > schema) {
		(void)error_set(err, ERROR_REFUSED, "%s was written by a newer rootlatch (schema "
				"%lld, this one knows %d)", what, (long long)version, schema);
		return error_hint(err, "Nothing was changed. Use the newer rootlatch.");
	}
	if (version != schema || !json_is_object(body))
		return altered(err, what, "no schema or no body");
	if (body_digest(body, &digest, err) < 0)
		return -1;
	if (strcmp(json_get_string(doc, "sha256", ""), digest.hex) != 0)
		return altered(err, what, "its digest does not match");
	*ret_body = json_incref(body);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * json: what every reader of our own JSON needs on top of jansson: members that must be there
 * and of their type, and a document with its own digest, so that a torn or altered file is seen.
 */
#ifndef ROOTLATCH_BASE_JSON_H
#define ROOTLATCH_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/digest.h"

static inline void cleanup_json(json_t **j)
{
	json_decref(*j);
}

#define _cleanup_json_ _cleanup_(cleanup_json)

/* A member of `object`, or ERROR_REFUSED that names it. The string belongs to `object`. */
int json_need_string(const json_t *object, const char *key, const char **ret, struct error *err)
	_must_check_;
int json_need_int(const json_t *object, const char *key, int64_t *ret, struct error *err)
	_must_check_;
int json_need_array(const json_t *object, const char *key, json_t **ret, struct error *err)
	_must_check_;

/* The same for a clean absolute path, which is copied for the caller, and for a digest; an empty
 * digest is one with `may_be_empty` only. */
int json_need_path(const json_t *object, const char *key, char **ret, struct error *err)
	_must_check_;
int json_need_digest(const json_t *object, const char *key, bool may_be_empty,
		     struct digest *ret, struct error *err) _must_check_;

/* A member that may be missing or null. */
const char *json_get_string(const json_t *object, const char *key, const char *otherwise);
int64_t json_get_int(const json_t *object, const char *key, int64_t otherwise);
bool json_get_bool(const json_t *object, const char *key);

/* Takes `value`; fails when it is NULL (out of memory) too. */
int json_put(json_t *object, const char *key, json_t *value, struct error *err) _must_check_;
int json_push(json_t *array, json_t *value, struct error *err) _must_check_;

/* A string, or null for NULL. */
json_t *json_text(const char *s);
/* The same for foreign bytes, which are escaped (text_escape) first. */
json_t *json_foreign(const char *s);
/* The same for what may have several lines. */
json_t *json_foreign_lines(const char *s);

/* Text of a sealed document: {"schema": N, "sha256": of the body's bytes, "body": ...}. */
int json_seal(const json_t *body, int schema, struct buffer *ret, struct error *err)
	_must_check_;
/* Its body, a new reference, and its digest (NULL: not wanted). ERROR_REFUSED when it is torn,
 * altered, or of a newer schema; `what` names it in the message. */
int json_unseal(struct slice text, const char *what, int schema, json_t **ret_body,
		struct digest *ret_digest, struct error *err) _must_check_;
/* Whether a sealed document is the one with this digest. Its body is not looked at. */
bool json_seal_is(struct slice text, const struct digest *digest);

#endif

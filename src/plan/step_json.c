/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A step in the journal: its kind, and exactly the members that the kind has.
 */
#include <limits.h>
#include <stddef.h>

#include "base/path.h"
#include "plan/plan.h"
#include "plan/step_kind.h"

#define REPLACE (1u << STEP_REPLACE)
#define CREATE (1u << STEP_CREATE)
#define UNLINK (1u << STEP_UNLINK)
#define START (1u << STEP_START)
#define RUN (1u << STEP_RUN)
#define LINK (1u << STEP_LINK)
#define DELINK (1u << STEP_DELINK)
#define RELINK (1u << STEP_RELINK)
#define RENAME (1u << STEP_RENAME)
#define MODE (1u << STEP_MODE)
#define TIMES (1u << STEP_TIMES)
#define SMALL (LINK | DELINK | RELINK | RENAME | MODE | TIMES)

enum member_type {
	MEMBER_PATH,
	MEMBER_PATH_OR_NULL,
	MEMBER_DIGEST,
	MEMBER_FLAG,
	MEMBER_MODE,
	MEMBER_TIME,
	MEMBER_TARGET,
	MEMBER_COMMAND,
	MEMBER_COMMAND_OR_NONE,
};

static const struct member {
	const char *key;
	enum member_type type;
	size_t offset;  /* in struct step */
	unsigned kinds; /* that have it */
} members[] = {
	{ "path", MEMBER_PATH, offsetof(struct step, path), REPLACE | CREATE | UNLINK | START | SMALL },
	{ "temp", MEMBER_PATH, offsetof(struct step, temp), REPLACE | CREATE | UNLINK | RELINK },
	{ "before", MEMBER_DIGEST, offsetof(struct step, before), REPLACE | UNLINK },
	{ "after", MEMBER_DIGEST, offsetof(struct step, after), REPLACE | CREATE },
	{ "saved", MEMBER_PATH_OR_NULL, offsetof(struct step, saved), REPLACE | UNLINK },
	{ "ready", MEMBER_FLAG, offsetof(struct step, ready), REPLACE | UNLINK },
	{ "mode", MEMBER_MODE, offsetof(struct step, meta.mode), CREATE | UNLINK },
	{ "argv", MEMBER_COMMAND, offsetof(struct step, argv), START | RUN },
	{ "undo", MEMBER_COMMAND_OR_NONE, offsetof(struct step, undo), RUN },
	{ "verify", MEMBER_COMMAND_OR_NONE, offsetof(struct step, verify), RUN },
	{ "verify_fails", MEMBER_FLAG, offsetof(struct step, verify_fails), RUN },
	{ "to", MEMBER_PATH, offsetof(struct step, to), RENAME },
	{ "target", MEMBER_TARGET, offsetof(struct step, target), LINK | DELINK | RELINK | RENAME },
	{ "new_target", MEMBER_TARGET, offsetof(struct step, new_target), RELINK },
	{ "made_folder", MEMBER_FLAG, offsetof(struct step, made_folder), LINK | DELINK },
	{ "mtime_ns", MEMBER_TIME, offsetof(struct step, mtime_ns), LINK | DELINK | RELINK },
	{ "new_mtime_ns", MEMBER_TIME, offsetof(struct step, new_mtime_ns), RELINK },
	{ "mode_before", MEMBER_MODE, offsetof(struct step, mode_before), MODE },
	{ "mode_after", MEMBER_MODE, offsetof(struct step, mode_after), MODE },
	{ "mtime_before_ns", MEMBER_TIME, offsetof(struct step, mtime_before_ns), TIMES },
	{ "mtime_after_ns", MEMBER_TIME, offsetof(struct step, mtime_after_ns), TIMES },
};

static json_t *member_to_json(const struct member *m, const struct step *s)
{
	const void *at = (const char *)s + m->offset;

	switch (m->type) {
	case MEMBER_PATH:
	case MEMBER_PATH_OR_NULL:
	case MEMBER_TARGET:
		return json_text(*(char *const *)at);
	case MEMBER_DIGEST:
		return json_string(((const struct digest *)at)->hex);
	case MEMBER_FLAG:
		return json_boolean(*(const bool *)at);
	case MEMBER_MODE:
		return json_integer(*(const mode_t *)at);
	case MEMBER_TIME:
		return json_integer(*(const int64_t *)at);
	case MEMBER_COMMAND:
	case MEMBER_COMMAND_OR_NONE:
		return strings_to_json(at, NULL);
	}
	return NULL;
}

json_t *step_to_json(const struct step *s, struct error *err)
{
	_cleanup_json_ json_t *json = json_pack("{s:s}", "kind", step_kind_name(s->kind));

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_t *value;

		if ((members[i].kinds & 1u << s->kind) == 0)
			continue;
		value = member_to_json(&members[i], s);
		if (value == NULL) {
			(void)error_set(err, ERROR_REFUSED, "%s: a path, or an argument, that is not "
					"UTF-8", step_name(s));
			return NULL;
		}
		if (json_put(json, members[i].key, value, err) < 0)
			return NULL;
	}
	return json_incref(json);
}

static int need_flag(const json_t *json, const char *key, bool *ret, struct error *err)
{
	const json_t *value = json_object_get(json, key);

	if (!json_is_boolean(value))
		return error_set(err, ERROR_REFUSED, "\"%s\" is missing or neither true nor false",
				 key);
	*ret = json_is_true(value);
	return 0;
}

static int need_mode(const json_t *json, const char *key, mode_t *ret, struct error *err)
{
	int64_t mode;

	if (json_need_int(json, key, &mode, err) < 0)
		return -1;
	if (mode < 0 || mode > 07777)
		return error_set(err, ERROR_REFUSED, "\"%s\" is no mode", key);
	*ret = (mode_t)mode;
	return 0;
}

static int need_time(const json_t *json, const char *key, int64_t *ret, struct error *err)
{
	int64_t ns;

	if (json_need_int(json, key, &ns, err) < 0)
		return -1;
	if (ns < -1)
		return error_set(err, ERROR_REFUSED, "\"%s\" is no time", key);
	*ret = ns;
	return 0;
}

/* A link may hold any text: where it leads is not ours to judge. */
static int need_target(const json_t *json, const char *key, char **ret, struct error *err)
{
	const char *target;

	if (json_need_string(json, key, &target, err) < 0)
		return -1;
	if (target[0] == '\0' || strlen(target) >= PATH_MAX)
		return error_set(err, ERROR_REFUSED, "\"%s\" is nothing that a link points to", key);
	*ret = str_dup(target, err);
	return *ret == NULL ? -1 : 0;
}

static int need_command(const json_t *json, const char *key, bool may_be_empty,
			struct strings *ret, struct error *err)
{
	json_t *array;

	if (json_need_array(json, key, &array, err) < 0)
		return -1;
	if (strings_from_json(array, ret, err) < 0)
		return error_prefix(err, "\"%s\"", key);
	if (ret->len > 0 ? ret->items[0][0] == '/' : may_be_empty)
		return 0;
	return error_set(err, ERROR_REFUSED, "\"%s\" is no command with an absolute path", key);
}

static int member_from_json(const struct member *m, const json_t *json, struct step *s,
			    struct error *err)
{
	void *at = (char *)s + m->offset;

	switch (m->type) {
	case MEMBER_PATH_OR_NULL:
		if (json_is_null(json_object_get(json, m->key)))
			return 0;
		return json_need_path(json, m->key, at, err);
	case MEMBER_PATH:
		return json_need_path(json, m->key, at, err);
	case MEMBER_DIGEST:
		return json_need_digest(json, m->key, false, at, err);
	case MEMBER_FLAG:
		return need_flag(json, m->key, at, err);
	case MEMBER_MODE:
		return need_mode(json, m->key, at, err);
	case MEMBER_TIME:
		return need_time(json, m->key, at, err);
	case MEMBER_TARGET:
		return need_target(json, m->key, at, err);
	case MEMBER_COMMAND:
	case MEMBER_COMMAND_OR_NONE:
		return need_command(json, m->key, m->type == MEMBER_COMMAND_OR_NONE, at, err);
	}
	return -1;
}

/* Every member of the kind, and no other: what is written here is done as root. */
static int read_members(const json_t *json, struct step *s, struct error *err)
{
	size_t n = 1; /* "kind" */

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if ((members[i].kinds & 1u << s->kind) == 0)
			continue;
		if (member_from_json(&members[i], json, s, err) < 0)
			return -1;
		n++;
	}
	if (json_object_size(json) == n)
		return 0;
	return error_set(err, ERROR_REFUSED, "something that a step of the kind \"%s\" does not have",
			 step_kind_name(s->kind));
}

/* Another name, in the same folder. */
static int check_new_name(const struct step *s, struct error *err)
{
	_cleanup_free_ char *folder = path_dirname(s->path, err);
	_cleanup_free_ char *other = path_dirname(s->to, err);

	if (folder == NULL || other == NULL)
		return -1;
	if (strcmp(folder, other) == 0 && strcmp(s->path, s->to) != 0)
		return 0;
	return error_set(err, ERROR_REFUSED, "\"to\" is no other name in the folder of \"path\"");
}

/* Otherwise nobody can tell before from after. */
static int check_new_target(const struct step *s, struct error *err)
{
	if (strcmp(s->target, s->new_target) != 0)
		return 0;
	return error_set(err, ERROR_REFUSED, "\"new_target\" is the same as \"target\"");
}

int step_from_json(const json_t *json, struct step *ret, struct error *err)
{
	struct step s = { .after_mtime_ns = -1 };
	const char *kind;

	if (json_need_string(json, "kind", &kind, err) < 0 ||
	    step_kind_parse(kind, &s.kind, err) < 0)
		return -1;
	if (read_members(json, &s, err) < 0 ||
	    (s.kind == STEP_RENAME && check_new_name(&s, err) < 0) ||
	    (s.kind == STEP_RELINK && check_new_target(&s, err) < 0)) {
		step_release(&s);
		return -1;
	}
	*ret = s;
	return 0;
}

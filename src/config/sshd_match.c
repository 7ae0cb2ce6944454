/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The conditions of a Match line must all hold, so each only narrows the scope: it
 * starts as "root from everywhere" and grows towards "never".
 */
#include "config/sshd_match.h"

#include "config/ascii.h"

/* OpenSSH gives up a list at a pattern of this length (match.c). */
#define PATTERN_MAX 1023

enum criterion_kind {
	CRITERION_USER,
	CRITERION_GROUP,
	CRITERION_NAME, /* Host, Address, LocalAddress: never absent, so "*" holds */
	CRITERION_NUMBER, /* LocalPort, RDomain: a value that may be absent */
	CRITERION_UNKNOWN,
};

static const struct {
	const char *name;
	enum criterion_kind kind;
} criteria[] = {
	{ "user", CRITERION_USER },         { "group", CRITERION_GROUP },
	{ "host", CRITERION_NAME },         { "address", CRITERION_NAME },
	{ "localaddress", CRITERION_NAME }, { "localport", CRITERION_NUMBER },
	{ "rdomain", CRITERION_NUMBER },
};

/* The next pattern of a list, without its `!`. False at the end. */
static bool pattern_next(const char **list, struct slice *pattern, bool *negated)
{
	const char *p = *list;

	if (*p == '\0')
		return false;
	*negated = *p == '!';
	if (*negated)
		p++;
	pattern->data = p;
	pattern->len = strcspn(p, ",");
	p += pattern->len;
	*list = *p == ',' ? p + 1 : p;
	return true;
}

/* `*` and `?`, without recursion: a mismatch falls back to the last `*`. */
static bool pattern_match(struct slice pattern, const char *s)
{
	const char *p = pattern.data, *end = p + pattern.len, *star = NULL, *retry = s;

	while (*s != '\0') {
		if (p < end && *p == '*') {
			star = p++;
			retry = s;
		} else if (p < end && (*p == '?' || *p == *s)) {
			p++;
			s++;
		} else if (star != NULL) {
			p = star + 1;
			s = ++retry;
		} else {
			return false;
		}
	}
	while (p < end && *p == '*')
		p++;
	return p == end;
}

int sshd_pattern_list_match(const char *list, const char *s)
{
	struct slice pattern;
	bool negated, positive = false;

	while (pattern_next(&list, &pattern, &negated)) {
		if (pattern.len >= PATTERN_MAX)
			return 0;
		if (!pattern_match(pattern, s))
			continue;
		if (negated)
			return -1;
		positive = true;
	}
	return positive ? 1 : 0;
}

static bool slice_is(struct slice s, const char *text)
{
	return slice_equal(s, slice_of(text, strlen(text)));
}

/* What a list says about a name that can be anything. */
static enum sshd_scope name_scope(const char *list)
{
	bool any = false, any4 = false, any6 = false, negated, positive = false,
	     negative = false;
	struct slice pattern;

	while (pattern_next(&list, &pattern, &negated)) {
		negative |= negated;
		positive |= !negated;
		any |= pattern.len > 0 && strspn(pattern.data, "*") >= pattern.len;
		any4 |= slice_is(pattern, "0.0.0.0/0");
		any6 |= slice_is(pattern, "::/0");
	}
	if (!positive)
		return SSHD_SCOPE_NEVER;
	return !negative && (any || (any4 && any6)) ? SSHD_SCOPE_ROOT :
						      SSHD_SCOPE_NETWORK;
}

/* groupaccess.c: a negated pattern that matches any of the groups settles it. */
static enum sshd_scope group_scope(const char *list, const struct strings *groups)
{
	bool found = false;

	if (groups == NULL)
		return SSHD_SCOPE_UNKNOWN;
	for (size_t i = 0; i < groups->len; i++) {
		switch (sshd_pattern_list_match(list, groups->items[i])) {
		case -1:
			return SSHD_SCOPE_NEVER;
		case 1:
			found = true;
		}
	}
	return found ? SSHD_SCOPE_ROOT : SSHD_SCOPE_NEVER;
}

static enum sshd_scope criterion_scope(enum criterion_kind kind, const char *list,
				       const struct strings *groups)
{
	switch (kind) {
	case CRITERION_USER:
		return sshd_pattern_list_match(list, "root") == 1 ? SSHD_SCOPE_ROOT :
								    SSHD_SCOPE_NEVER;
	case CRITERION_GROUP:
		return group_scope(list, groups);
	case CRITERION_NAME:
		return name_scope(list);
	case CRITERION_NUMBER:
		return name_scope(list) == SSHD_SCOPE_NEVER ? SSHD_SCOPE_NEVER :
							      SSHD_SCOPE_NETWORK;
	default:
		return SSHD_SCOPE_UNKNOWN;
	}
}

static enum criterion_kind criterion_lookup(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(criteria); i++)
		if (ascii_equal(name, criteria[i].name))
			return criteria[i].kind;
	return CRITERION_UNKNOWN;
}

enum sshd_scope sshd_match_scope(const struct strings *args, const struct strings *groups)
{
	enum sshd_scope scope = SSHD_SCOPE_ROOT;
	enum criterion_kind kind;

	if (args->len > 0 && ascii_equal(args->items[0], "all"))
		return args->len == 1 ? SSHD_SCOPE_ROOT : SSHD_SCOPE_UNKNOWN;
	for (size_t i = 0; i < args->len; i += 2) {
		kind = criterion_lookup(args->items[i]);
		/* What follows may be its argument or the next criterion. */
		if (kind == CRITERION_UNKNOWN || i + 1 == args->len)
			return sshd_scope_and(scope, SSHD_SCOPE_UNKNOWN);
		scope = sshd_scope_and(scope,
				       criterion_scope(kind, args->items[i + 1], groups));
	}
	return args->len > 0 ? scope : SSHD_SCOPE_UNKNOWN;
}

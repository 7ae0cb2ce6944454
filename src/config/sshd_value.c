/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Only the part of a line from the keyword to the end of the first argument goes
 * through the lens. What comes back is checked with our own scanner: one of the two may
 * be wrong.
 */
#include "config/sshd_value.h"

#include "config/sshd_lines.h"

#define LENS "Rootlatch_sshd.lns"

/* A line cut in three: what stands before the fragment, the fragment as the lens gets
 * it, and what stands behind it. */
struct cut {
	struct sshd_line line;
	struct slice keyword; /* as written */
	struct buffer fragment;
	size_t fragment_keyword; /* length of the keyword in the fragment */
};

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* PermitRootLogin or "PermitRootLogin": the lens knows these. */
static bool keyword_simple(struct slice keyword)
{
	size_t quotes = keyword.len > 1 && keyword.data[0] == '"' ? 1 : 0;

	for (size_t i = quotes; i < keyword.len - quotes; i++)
		if (!is_alnum(keyword.data[i]))
			return false;
	return quotes == 0 || keyword.data[keyword.len - 1] == '"';
}

/* sshd also reads Permit"RootLogin": such a keyword is shown to the lens as a quoted
 * one. */
static int fragment_keyword(struct cut *cut, struct error *err)
{
	struct slice k = cut->keyword;

	if (keyword_simple(k))
		return buffer_append(&cut->fragment, k.data, k.len, err);
	if (buffer_append(&cut->fragment, "\"", 1, err) < 0)
		return -1;
	for (size_t i = 0; i < k.len; i++)
		if (k.data[i] != '"' &&
		    buffer_append(&cut->fragment, &k.data[i], 1, err) < 0)
			return -1;
	return buffer_append(&cut->fragment, "\"", 1, err);
}

static int cut_line(struct slice line, struct cut *cut, struct error *err)
{
	const struct sshd_line *l = &cut->line;
	size_t behind;

	sshd_line_parse(line, &cut->line);
	if (l->keyword == SSHD_OTHER || l->value_len == 0)
		return error_set(err, ERROR_REFUSED, "not a directive with a value: %.*s",
				 (int)(line.len < 200 ? line.len : 200), line.data);
	if (l->value_offset + l->value_len - l->keyword_offset > CONFIG_FRAGMENT_MAX)
		return error_set(err, ERROR_REFUSED,
				 "keyword and value are longer than %d bytes",
				 CONFIG_FRAGMENT_MAX);
	cut->keyword = slice_of(line.data + l->keyword_offset, l->keyword_len);
	if (fragment_keyword(cut, err) < 0)
		return -1;
	cut->fragment_keyword = cut->fragment.len;
	behind = l->keyword_offset + l->keyword_len;
	return buffer_append(&cut->fragment, line.data + behind,
			     l->value_offset + l->value_len - behind, err);
}

int sshd_value_get(struct config_augeas *augeas, struct slice line, char **ret_keyword,
		   char **ret_value, struct error *err)
{
	struct cut cut = { .fragment = BUFFER_INIT };
	int r = cut_line(line, &cut, err);

	if (r == 0)
		r = config_augeas_get(augeas, LENS,
				      slice_of(cut.fragment.data, cut.fragment.len),
				      ret_keyword, ret_value, err);
	buffer_release(&cut.fragment);
	return r;
}

/* Nothing but the value may differ. */
static bool result_good(struct slice line, const struct sshd_line *was, struct slice made,
			const char *value)
{
	struct sshd_line is;
	size_t tail = line.len - was->value_offset - was->value_len;
	char now[64];

	sshd_line_parse(made, &is);
	if (is.keyword != was->keyword || is.value_offset != was->value_offset ||
	    made.len - is.value_offset - is.value_len != tail)
		return false;
	sshd_line_value(&is, made, now, sizeof(now));
	return strcmp(now, value) == 0 &&
	       memcmp(made.data, line.data, was->value_offset) == 0 &&
	       memcmp(made.data + made.len - tail, line.data + line.len - tail, tail) ==
		       0;
}

static int set(struct config_augeas *augeas, struct slice line, const struct cut *cut,
	       const char *value, struct buffer *made, struct error *err)
{
	_cleanup_buffer_ struct buffer fragment = BUFFER_INIT;
	size_t keyword_end = cut->line.keyword_offset + cut->line.keyword_len;
	size_t value_end = cut->line.value_offset + cut->line.value_len;
	size_t k = cut->fragment_keyword;

	if (config_augeas_set(augeas, LENS,
			      slice_of(cut->fragment.data, cut->fragment.len), value,
			      &fragment, err) < 0)
		return -1;
	if (fragment.len < k || memcmp(fragment.data, cut->fragment.data, k) != 0)
		return error_set(err, ERROR_FAILED, "the lens changed the keyword");
	if (buffer_append(made, line.data, keyword_end, err) < 0 ||
	    buffer_append(made, fragment.data + k, fragment.len - k, err) < 0 ||
	    buffer_append(made, line.data + value_end, line.len - value_end, err) < 0)
		return -1;
	if (!result_good(line, &cut->line, slice_of(made->data, made->len), value))
		return error_set(err, ERROR_FAILED,
				 "lens and scanner read the line differently");
	return 0;
}

static bool value_valid(const char *value)
{
	if (*value == '\0')
		return false;
	for (; *value != '\0'; value++)
		if (!is_alnum(*value) && *value != '-')
			return false;
	return true;
}

int sshd_value_set(struct config_augeas *augeas, struct slice line, const char *value,
		   struct buffer *ret, struct error *err)
{
	_cleanup_buffer_ struct buffer made = BUFFER_INIT;
	struct cut cut = { .fragment = BUFFER_INIT };
	int r;

	if (!value_valid(value))
		return error_set(err, ERROR_USAGE, "not a value that can be set: %.100s",
				 value);
	r = cut_line(line, &cut, err);
	if (r == 0)
		r = set(augeas, line, &cut, value, &made, err);
	buffer_release(&cut.fragment);
	if (r < 0)
		return -1;
	return buffer_append(ret, made.data, made.len, err);
}

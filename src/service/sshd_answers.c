/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: keywords and values point into one buffer that the answers own.
 */
#include "service/sshd_answers.h"

#include <ctype.h>
#include <stdio.h>

#include "base/text.h"

void sshd_answers_release(struct sshd_answers *a)
{
	strings_release(&a->complaints);
	free(a->items);
	buffer_release(&a->text);
	*a = (struct sshd_answers)SSHD_ANSWERS_INIT;
}

/* "FILE: line 7: ..." is said "FILE line 7: ...", as sshd itself does for other mistakes; that
 * there were mistakes is no news behind them. */
static int add_complaint(struct slice line, struct strings *ret, struct error *err)
{
	static const char terminating[] = ": terminating, ";
	_cleanup_buffer_ struct buffer b = BUFFER_INIT;
	char *colon;

	if (text_escape(line, false, &b, err) < 0)
		return -1;
	if (b.len == 0 || (ret->len > 0 && strstr(b.data, terminating) != NULL))
		return 0;
	colon = b.data[0] == '/' ? strstr(b.data, ": line ") : NULL;
	if (colon != NULL)
		memmove(colon, colon + 1, strlen(colon));
	return strings_contain(ret, b.data) ? 0 : strings_add(ret, b.data, err);
}

static int parse_complaints(struct slice text, struct strings *ret, struct error *err)
{
	const char *p = text.data, *end = text.data + text.len;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t whole = newline != NULL ? (size_t)(newline - p) : (size_t)(end - p);
		size_t len = whole;

		while (len > 0 && isspace((unsigned char)p[len - 1]))
			len--; /* sshd ends these lines with a CR */
		if (add_complaint(slice_of(p, len), ret, err) < 0)
			return -1;
		p += whole + 1;
	}
	return 0;
}

static size_t count_lines(const struct buffer *text)
{
	size_t n = 0;

	for (const char *p = text->data; (p = strchr(p, '\n')) != NULL; p++)
		n++;
	return n;
}

static int parse_items(struct sshd_answers *a, struct error *err)
{
	char *line = a->text.data;

	a->items = calloc(count_lines(&a->text) + 1, sizeof(*a->items));
	if (a->items == NULL)
		return error_oom(err);
	while (*line != '\0') {
		char *end = line + strcspn(line, "\n");
		char *next = *end != '\0' ? end + 1 : end;
		char *value;

		*end = '\0';
		value = line + strcspn(line, " ");
		if (*value != '\0')
			*value++ = '\0';
		if (*line != '\0')
			a->items[a->len++] = (struct sshd_answer){ .keyword = line,
								   .value = value };
		line = next;
	}
	return 0;
}

int sshd_answers_parse(struct slice out, struct slice err_out, int status,
		       struct sshd_answers *ret, struct error *err)
{
	_cleanup_sshd_answers_ struct sshd_answers a = SSHD_ANSWERS_INIT;

	if (parse_complaints(err_out, &a.complaints, err) < 0 ||
	    buffer_append(&a.text, out.data != NULL ? out.data : "", out.len, err) < 0 ||
	    parse_items(&a, err) < 0)
		return -1;
	a.valid = status == 0 && a.len > 0;
	if (!a.valid && a.complaints.len == 0 &&
	    strings_addf(&a.complaints, err, "sshd ended with status %d and said nothing",
			 status) < 0)
		return -1;
	*ret = a;
	a = (struct sshd_answers)SSHD_ANSWERS_INIT;
	return 0;
}

const char *sshd_answers_nth(const struct sshd_answers *a, const char *keyword, size_t n)
{
	for (size_t i = 0; i < a->len; i++)
		if (strcasecmp(a->items[i].keyword, keyword) == 0 && n-- == 0)
			return a->items[i].value;
	return NULL;
}

const char *sshd_answers_get(const struct sshd_answers *a, const char *keyword)
{
	return sshd_answers_nth(a, keyword, 0);
}

static bool is_among(const char *const *list, const char *keyword)
{
	for (; list != NULL && *list != NULL; list++)
		if (strcasecmp(*list, keyword) == 0)
			return true;
	return false;
}

static size_t skip_excepted(const struct sshd_answers *a, size_t i, const char *const *except)
{
	while (i < a->len && is_among(except, a->items[i].keyword))
		i++;
	return i;
}

/* sshd prints in one order, so equal answers are equal line by line. An AllowUsers of 50,000
 * names is 50,000 lines: this is the way that is taken nearly always. */
static bool equal_line_by_line(const struct sshd_answers *a, const struct sshd_answers *b,
			       const char *const *except)
{
	size_t i = 0, k = 0;

	for (;; i++, k++) {
		i = skip_excepted(a, i, except);
		k = skip_excepted(b, k, except);
		if (i == a->len || k == b->len)
			return i == a->len && k == b->len;
		if (strcmp(a->items[i].keyword, b->items[k].keyword) != 0 ||
		    strcmp(a->items[i].value, b->items[k].value) != 0)
			return false;
	}
}

static int join_values(const struct sshd_answers *a, const char *keyword, struct buffer *ret,
		       struct error *err)
{
	size_t found = 0;

	for (size_t i = 0; i < a->len; i++)
		if (strcmp(a->items[i].keyword, keyword) == 0 &&
		    buffer_printf(ret, err, "%s%s", found++ > 0 ? " | " : "",
				  a->items[i].value) < 0)
			return -1;
	return found > 0 ? 0 : buffer_append_str(ret, "(not set)", err);
}

static int compare_keyword(const struct sshd_answers *before, const struct sshd_answers *after,
			   const char *keyword, struct strings *differences, struct error *err)
{
	_cleanup_buffer_ struct buffer was = BUFFER_INIT, is = BUFFER_INIT, line = BUFFER_INIT;
	_cleanup_buffer_ struct buffer shown = BUFFER_INIT;

	if (join_values(before, keyword, &was, err) < 0 || join_values(after, keyword, &is, err) < 0)
		return -1;
	if (strcmp(was.data, is.data) == 0)
		return 0;
	if (buffer_printf(&line, err, "%s: %s -> %s", keyword, was.data, is.data) < 0 ||
	    text_escape(slice_of(line.data, line.len), false, &shown, err) < 0)
		return -1;
	return strings_add(differences, shown.data, err);
}

static int collect_keywords(const struct sshd_answers *a, const char *const *except,
			    struct strings *keywords, struct error *err)
{
	for (size_t i = 0; i < a->len; i++) {
		const char *keyword = a->items[i].keyword;

		if ((i > 0 && strcmp(a->items[i - 1].keyword, keyword) == 0) ||
		    is_among(except, keyword) || strings_contain(keywords, keyword))
			continue;
		if (strings_add(keywords, keyword, err) < 0)
			return -1;
	}
	return 0;
}

int sshd_answers_differ(const struct sshd_answers *before, const struct sshd_answers *after,
			const char *const *except, struct strings *differences, struct error *err)
{
	_cleanup_strings_ struct strings keywords = STRINGS_INIT;

	if (equal_line_by_line(before, after, except))
		return 0;
	if (collect_keywords(before, except, &keywords, err) < 0 ||
	    collect_keywords(after, except, &keywords, err) < 0)
		return -1;
	for (size_t i = 0; i < keywords.len; i++)
		if (compare_keyword(before, after, keywords.items[i], differences, err) < 0)
			return -1;
	return 0;
}

const char *sshd_permit_text(const char *value)
{
	return strcasecmp(value, "without-password") == 0 ? "prohibit-password" : value;
}

char *sshd_answers_effective(const struct sshd_answers *a, const char *who, struct error *err)
{
	const char *value = sshd_answers_get(a, "permitrootlogin");

	if (value == NULL) {
		(void)error_set(err, ERROR_FAILED, "sshd said nothing about permitrootlogin");
		return NULL;
	}
	return str_format(err, "permitrootlogin %s for %s", sshd_permit_text(value), who);
}

int sshd_answers_complaint_text(const struct sshd_answers *a, struct buffer *ret,
				struct error *err)
{
	for (size_t i = 0; i < a->complaints.len; i++)
		if (buffer_printf(ret, err, "%s  %s", ret->len > 0 ? "\n" : "",
				  a->complaints.items[i]) < 0)
			return -1;
	return 0;
}

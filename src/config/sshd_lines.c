/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A line passes three rules of OpenSSH, one after the other: blanks are cut off at both
 * ends (load_server_config, process_server_config_line), the keyword is taken by
 * strdelim(), the arguments by argv_split(), or once more by strdelim() in a Match.
 */
#include "config/sshd_lines.h"

#include "config/ascii.h"

/* Longest keyword of interest, and room to see that a word is longer. */
#define KEYWORD_MAX 24

/* A part of a line that is still to be cut. */
struct cursor {
	const char *at;
	const char *end;
};

/* A word as written, and its meaning in a buffer of the caller's. */
struct word {
	const char *start;
	size_t raw_len;
	char *text; /* terminated, cut to cap - 1 bytes; may be NULL */
	size_t cap;
	size_t len;
};

void sshd_lines_release(struct sshd_lines *lines)
{
	free(lines->items);
	*lines = (struct sshd_lines)SSHD_LINES_INIT;
}

static void word_start(struct word *w, const char *at)
{
	w->start = at;
	w->raw_len = 0;
	w->len = 0;
	if (w->text != NULL)
		w->text[0] = '\0';
}

static void word_put(struct word *w, const char *bytes, size_t len)
{
	size_t room = w->text != NULL ? w->cap - 1 - w->len : 0;

	if (len > room)
		len = room;
	if (len == 0)
		return;
	memcpy(w->text + w->len, bytes, len);
	w->len += len;
	w->text[w->len] = '\0';
}

/* strdelim()'s WHITESPACE, without the newline that no line has. */
static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_quote(char c)
{
	return c == '"' || c == '\'';
}

static void skip_space(struct cursor *c)
{
	while (c->at < c->end && is_space(*c->at))
		c->at++;
}

/* One word by strdelim(): up to a blank, or one "=" with blanks around it. A quote may
 * open anywhere in it, and the word ends where it closes. False: it never closes, or
 * there is nothing left. */
static bool keyword_next(struct cursor *c, struct word *w)
{
	const char *p = c->at, *close;
	bool equals;

	if (p == NULL)
		return false;
	word_start(w, p);
	while (p < c->end && !is_space(*p) && *p != '"' && *p != '=')
		p++;
	word_put(w, c->at, (size_t)(p - c->at));
	w->raw_len = (size_t)(p - c->at);
	if (p == c->end) {
		c->at = NULL;
		return true;
	}
	if (*p == '"') {
		close = memchr(p + 1, '"', (size_t)(c->end - p - 1));
		if (close == NULL)
			return false;
		word_put(w, p + 1, (size_t)(close - p - 1));
		w->raw_len = (size_t)(close + 1 - c->at);
		c->at = close + 1;
		skip_space(c);
		return true;
	}
	equals = *p == '=';
	c->at = p + 1;
	skip_space(c);
	if (!equals && c->at < c->end && *c->at == '=') {
		c->at++;
		skip_space(c);
	}
	return true;
}

/* One word by argv_split(). 1: a word, 0: the end or a comment, -1: a quote never
 * closes. */
static int argument_next(struct cursor *c, struct word *w)
{
	const char *p = c->at;
	char quote = '\0';

	while (p < c->end && (*p == ' ' || *p == '\t'))
		p++;
	c->at = p;
	if (p == c->end || *p == '#')
		return 0;
	word_start(w, p);
	for (; p < c->end; p++) {
		if (*p == '\\' && p + 1 < c->end &&
		    (is_quote(p[1]) || p[1] == '\\' || (quote == '\0' && p[1] == ' ')))
			p++;
		else if (quote == '\0' && (*p == ' ' || *p == '\t'))
			break;
		else if (quote == '\0' && is_quote(*p)) {
			quote = *p;
			continue;
		} else if (quote != '\0' && *p == quote) {
			quote = '\0';
			continue;
		}
		word_put(w, p, 1);
	}
	w->raw_len = (size_t)(p - w->start);
	c->at = p;
	return quote == '\0' ? 1 : -1;
}

static enum sshd_keyword keyword_lookup(const char *word)
{
	static const struct {
		const char *name;
		enum sshd_keyword keyword;
	} table[] = {
		{ "permitrootlogin", SSHD_PERMIT_ROOT_LOGIN },
		{ "match", SSHD_MATCH },
		{ "include", SSHD_INCLUDE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (ascii_equal(word, table[i].name))
			return table[i].keyword;
	return SSHD_OTHER;
}

/* The keyword of a line without blanks at both ends. A first word that is empty (from a
 * leading = or "") is passed over once, as sshd does. */
static enum sshd_keyword keyword_read(struct cursor *c, struct word *w)
{
	if (!keyword_next(c, w))
		return SSHD_OTHER;
	if (w->len == 0 && !keyword_next(c, w))
		return SSHD_OTHER;
	return keyword_lookup(w->text);
}

/* Most lines are told to be none of ours by their first letter. */
static bool may_be_ours(char c)
{
	switch (c) {
	case 'p':
	case 'P':
	case 'm':
	case 'M':
	case 'i':
	case 'I':
	case '"':
	case '=':
		return true;
	default:
		return false;
	}
}

/* Without trailing blanks; the first byte stays, whatever it is. */
static const char *content_end(const char *start, const char *end)
{
	while (end > start + 1 && (is_space(end[-1]) || end[-1] == '\f'))
		end--;
	return end;
}

static void line_parse(const char *start, const char *end, struct sshd_line *line)
{
	struct cursor c = { .at = start, .end = end };
	char name[KEYWORD_MAX];
	struct word word = { .text = name, .cap = sizeof(name) };
	struct word value = { .text = NULL };

	line->keyword = SSHD_OTHER;
	skip_space(&c);
	if (c.at == end || !may_be_ours(*c.at))
		return;
	c.end = content_end(c.at, end);
	line->keyword = keyword_read(&c, &word);
	if (line->keyword == SSHD_OTHER)
		return;
	line->keyword_offset = (size_t)(word.start - start);
	line->keyword_len = word.raw_len;
	line->args_end = (size_t)(c.end - start);
	line->args_offset = c.at != NULL ? (size_t)(c.at - start) : line->args_end;
	line->value_offset = line->args_offset;
	line->value_len = 0;
	c.at = start + line->args_offset;
	if (argument_next(&c, &value) != 0) {
		line->value_offset = (size_t)(value.start - start);
		line->value_len = value.raw_len;
	}
}

void sshd_line_parse(struct slice line, struct sshd_line *ret)
{
	*ret = (struct sshd_line){ .number = 1, .len = line.len };
	if (line.len > 0)
		line_parse(line.data, line.data + line.len, ret);
}

static int lines_add(struct sshd_lines *lines, const struct sshd_line *line,
		     struct error *err)
{
	size_t cap = lines->cap != 0 ? lines->cap * 2 : 8;
	struct sshd_line *items;

	if (lines->len == lines->cap) {
		items = reallocarray(lines->items, cap, sizeof(*items));
		if (items == NULL)
			return error_oom(err);
		lines->items = items;
		lines->cap = cap;
	}
	lines->items[lines->len++] = *line;
	return 0;
}

static int refuse_nul(const char *path, struct slice text, const char *nul,
		      struct error *err)
{
	const char *p = text.data;
	size_t number = 1;

	while ((p = memchr(p, '\n', (size_t)(nul - p))) != NULL) {
		p++;
		number++;
	}
	error_set(err, ERROR_REFUSED,
		  "%s line %zu: a NUL byte; sshd ignores the rest of that "
		  "line, an editor can't be exact about it",
		  path, number);
	return error_hint(err,
			  "Remove the byte, or the whole line, and look at the file with "
			  "`sshd -T -f %s`.",
			  path);
}

int sshd_lines_scan(const char *path, struct slice text, struct sshd_lines *ret,
		    struct error *err)
{
	_cleanup_sshd_lines_ struct sshd_lines lines = SSHD_LINES_INIT;
	struct sshd_line line = { .number = 1 };
	const char *p = text.data, *end, *nul, *eol;

	if (text.len == 0) {
		*ret = lines;
		return 0;
	}
	nul = memchr(text.data, '\0', text.len);
	if (nul != NULL)
		return refuse_nul(path, text, nul, err);
	for (end = p + text.len; p < end; p += line.len, line.number++) {
		eol = memchr(p, '\n', (size_t)(end - p));
		line_parse(p, eol != NULL ? eol : end, &line);
		line.len = (size_t)((eol != NULL ? eol + 1 : end) - p);
		if (line.keyword == SSHD_OTHER)
			continue;
		line.offset = (size_t)(p - text.data);
		line.eol_len = eol == NULL ? 0 : eol > p && eol[-1] == '\r' ? 2 : 1;
		if (lines_add(&lines, &line, err) < 0)
			return -1;
	}
	*ret = lines;
	lines = (struct sshd_lines)SSHD_LINES_INIT;
	return 0;
}

static struct cursor line_args(const struct sshd_line *line, struct slice text)
{
	const char *start = text.data + line->offset;

	return (struct cursor){
		.at = start + line->args_offset,
		.end = start + line->args_end,
	};
}

/* match_cfg_line() stops at an empty word and at a comment. */
static int match_args(struct cursor c, struct word *w, struct strings *ret,
		      struct error *err)
{
	while (keyword_next(&c, w) && w->len > 0 && w->text[0] != '#')
		if (strings_addn(ret, w->text, w->len, err) < 0)
			return -1;
	return 0;
}

int sshd_line_args(const struct sshd_line *line, struct slice text, struct strings *ret,
		   struct error *err)
{
	_cleanup_strings_ struct strings args = STRINGS_INIT;
	struct cursor c = line_args(line, text);
	_cleanup_free_ char *copy = malloc((size_t)(c.end - c.at) + 1);
	struct word w = { .text = copy, .cap = (size_t)(c.end - c.at) + 1 };
	int found;

	if (copy == NULL)
		return error_oom(err);
	while ((found = argument_next(&c, &w)) > 0)
		if (line->keyword != SSHD_MATCH &&
		    strings_addn(&args, copy, w.len, err) < 0)
			return -1;
	if (found < 0)
		return error_set(err, ERROR_REFUSED, "a quote is not closed");
	if (line->keyword == SSHD_MATCH &&
	    match_args(line_args(line, text), &w, &args, err) < 0)
		return -1;
	strings_release(ret);
	*ret = args;
	args = (struct strings)STRINGS_INIT;
	return 0;
}

void sshd_line_value(const struct sshd_line *line, struct slice text, char *ret,
		     size_t cap)
{
	struct cursor c = line_args(line, text);
	struct word w = { .text = ret, .cap = cap };

	ret[0] = '\0';
	(void)argument_next(&c, &w);
}

struct slice sshd_line_text(const struct sshd_line *line, struct slice text)
{
	const char *start = text.data + line->offset;
	struct cursor c = { .at = start, .end = start + line->len - line->eol_len };

	skip_space(&c);
	if (c.at < c.end)
		c.end = content_end(c.at, c.end);
	return slice_of(c.at, (size_t)(c.end - c.at));
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A script is anybody's text, so the lens does not get it as it is. What insserv would read is
 * looked up here as insserv 1.24 does it (scan_lsb_headers): from the first line with BEGIN INIT
 * INFO in it to the next with END INIT INFO, the first line of each keyword, letters and the
 * number of - and _ not mattering, nothing continued. Those lines alone go through the lens, in
 * one piece.
 *
 * In one thing we see more than insserv, which ends a value at a tab: what stands behind it was
 * meant, systemd reads it, and nobody should lose a service over it.
 */
#include "config/lsb_header.h"

#include "base/text.h"
#include "config/ascii.h"

#define LENS "Rootlatch_lsb.lns"
#define BEGIN "### BEGIN INIT INFO"
#define END "### END INIT INFO"
#define KEYWORD_MAX 64
#define DESCRIPTION_MAX 200

enum field {
	PROVIDES,
	REQUIRED_START,
	SHOULD_START,
	REQUIRED_STOP,
	SHOULD_STOP,
	START_BEFORE,
	DEFAULT_START,
	DEFAULT_STOP,
	SHORT_DESCRIPTION,
	N_FIELDS,
	NO_FIELD = N_FIELDS,
};

static const struct {
	const char *name;
	bool extended; /* X-, X-UnitedLinux- and the like may stand before it */
} fields[N_FIELDS] = {
	[PROVIDES] = { "provides", false },
	[REQUIRED_START] = { "required-start", false },
	[SHOULD_START] = { "should-start", true },
	[REQUIRED_STOP] = { "required-stop", false },
	[SHOULD_STOP] = { "should-stop", true },
	[START_BEFORE] = { "start-before", true },
	[DEFAULT_START] = { "default-start", false },
	[DEFAULT_STOP] = { "default-stop", false },
	[SHORT_DESCRIPTION] = { "short-description", false },
};

/* A line of the header that we need. */
struct found {
	size_t number; /* of the line; 0: not found */
	struct slice keyword;
	struct slice value;
};

void lsb_header_release(struct lsb_header *l)
{
	strings_release(&l->provides);
	strings_release(&l->required_start);
	strings_release(&l->should_start);
	strings_release(&l->required_stop);
	strings_release(&l->should_stop);
	strings_release(&l->x_start_before);
	free(l->default_start);
	free(l->default_stop);
	free(l->short_description);
	*l = (struct lsb_header)LSB_HEADER_INIT;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_keyword_char(char c)
{
	c = ascii_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Cuts the first line off; false at the end. */
static bool next_line(struct slice *text, struct slice *ret)
{
	const char *nl;

	if (text->len == 0)
		return false;
	nl = memchr(text->data, '\n', text->len);
	*ret = slice_of(text->data, nl != NULL ? (size_t)(nl - text->data) : text->len);
	text->data += ret->len + (nl != NULL);
	text->len -= ret->len + (nl != NULL);
	return true;
}

static bool has(struct slice line, const char *what)
{
	return memmem(line.data, line.len, what, strlen(what)) != NULL;
}

static enum field field_of(struct slice keyword)
{
	char name[KEYWORD_MAX];
	size_t n = 0;

	if (keyword.len >= sizeof(name))
		return NO_FIELD;
	for (size_t i = 0; i < keyword.len; i++) {
		char c = ascii_lower(keyword.data[i]);

		if (c == '_')
			c = '-';
		if (c != '-' || n == 0 || name[n - 1] != '-')
			name[n++] = c;
	}
	name[n] = '\0';
	for (enum field f = 0; f < N_FIELDS; f++) {
		size_t len = strlen(fields[f].name);

		if (strcmp(name, fields[f].name) == 0 ||
		    (fields[f].extended && strncmp(name, "x-", 2) == 0 && n >= len + 2 &&
		     strcmp(name + n - len, fields[f].name) == 0))
			return f;
	}
	return NO_FIELD;
}

static enum field cut_line(struct slice line, struct found *ret)
{
	size_t i = 1, keyword;

	if (line.len == 0 || line.data[0] != '#')
		return NO_FIELD;
	while (i < line.len && is_blank(line.data[i]))
		i++;
	keyword = i;
	while (i < line.len && is_keyword_char(line.data[i]))
		i++;
	if (i == line.len || line.data[i] != ':')
		return NO_FIELD;
	ret->keyword = slice_of(line.data + keyword, i - keyword);
	for (i++; i < line.len && is_blank(line.data[i]);)
		i++;
	while (line.len > i &&
	       (is_blank(line.data[line.len - 1]) || line.data[line.len - 1] == '\r'))
		line.len--;
	ret->value = slice_of(line.data + i, line.len - i);
	return field_of(ret->keyword);
}

/* *ret_begin: the line where it begins, 0 when it does not. False: it has no end. */
static bool scan(struct slice script, struct found found[N_FIELDS], size_t *ret_begin)
{
	struct slice line;

	*ret_begin = 0;
	for (size_t number = 1; next_line(&script, &line); number++) {
		struct found f = { .number = number };
		enum field field;

		if (*ret_begin == 0) {
			if (has(line, BEGIN))
				*ret_begin = number;
			continue;
		}
		if (has(line, END))
			return true;
		field = cut_line(line, &f);
		if (field != NO_FIELD && found[field].number == 0)
			found[field] = f;
	}
	return *ret_begin == 0;
}

static int check(const struct found *f, struct error *err)
{
	if (f->keyword.len + f->value.len + 4 > CONFIG_FRAGMENT_MAX)
		return error_set(err, ERROR_REFUSED,
				 "line %zu of its INIT INFO is longer than %d bytes",
				 f->number, CONFIG_FRAGMENT_MAX);
	for (size_t i = 0; i < f->value.len; i++) {
		unsigned char c = (unsigned char)f->value.data[i];

		if ((c < 0x20 && c != '\t') || c > 0x7e)
			return error_set(
				err, ERROR_REFUSED,
				"line %zu, in its INIT INFO, has a byte 0x%02x in %.*s",
				f->number, c, (int)f->keyword.len, f->keyword.data);
	}
	return 0;
}

/* In whatever language it is: as ASCII, and no more of it than anybody wants to see. */
static char *description_encode(struct slice value, struct error *err)
{
	_cleanup_free_ char *cut = NULL;

	if (value.len > DESCRIPTION_MAX) {
		value.len = DESCRIPTION_MAX;
		while (value.len > 0 &&
		       ((unsigned char)value.data[value.len] & 0xc0) == 0x80)
			value.len--;
		while (value.len > 0 && is_blank(value.data[value.len - 1]))
			value.len--;
	}
	cut = str_ndup(value.data, value.len, err);
	return cut != NULL ? text_encode(cut, err) : NULL;
}

static int add_line(enum field field, const struct found *f, struct buffer *lines,
		    struct error *err)
{
	_cleanup_free_ char *encoded = NULL;
	struct slice value = f->value;

	if (field == SHORT_DESCRIPTION) {
		encoded = description_encode(value, err);
		if (encoded == NULL)
			return -1;
		value = slice_of(encoded, strlen(encoded));
	} else if (check(f, err) < 0) {
		return -1;
	}
	return buffer_printf(lines, err, "# %.*s: %.*s\n", (int)f->keyword.len,
			     f->keyword.data, (int)value.len, value.data);
}

static int words(const char *value, struct strings *ret, struct error *err)
{
	for (;;) {
		size_t len;

		value += strspn(value, " \t");
		len = strcspn(value, " \t");
		if (len == 0)
			return 0;
		if (strings_addn(ret, value, len, err) < 0)
			return -1;
		value += len;
	}
}

static int text_value(const char *value, char **ret, struct error *err)
{
	*ret = str_dup(value, err);
	return *ret != NULL ? 0 : -1;
}

static int set(struct lsb_header *l, enum field field, const char *value,
	       struct error *err)
{
	switch (field) {
	case PROVIDES:
		return words(value, &l->provides, err);
	case REQUIRED_START:
		return words(value, &l->required_start, err);
	case SHOULD_START:
		return words(value, &l->should_start, err);
	case REQUIRED_STOP:
		return words(value, &l->required_stop, err);
	case SHOULD_STOP:
		return words(value, &l->should_stop, err);
	case START_BEFORE:
		return words(value, &l->x_start_before, err);
	case DEFAULT_START:
		return text_value(value, &l->default_start, err);
	case DEFAULT_STOP:
		return text_value(value, &l->default_stop, err);
	case SHORT_DESCRIPTION:
		l->short_description = text_decode(value, err);
		return l->short_description != NULL ? 0 : -1;
	default:
		return error_set(err, ERROR_FAILED, "the lens changed a keyword");
	}
}

static int read_lines(struct config_augeas *augeas, struct slice lines,
		      struct lsb_header *l, struct error *err)
{
	_cleanup_strings_ struct strings keywords = STRINGS_INIT, values = STRINGS_INIT;

	if (config_augeas_get_all(augeas, LENS, lines, &keywords, &values, err) < 0)
		return -1;
	for (size_t i = 0; i < keywords.len; i++) {
		const char *k = keywords.items[i];

		if (set(l, field_of(slice_of(k, strlen(k))), values.items[i], err) < 0)
			return -1;
	}
	return 0;
}

static int read_through_lens(struct config_augeas *augeas, const struct found *found,
			     struct lsb_header *l, struct error *err)
{
	_cleanup_buffer_ struct buffer lines = BUFFER_INIT;

	if (buffer_append_str(&lines, BEGIN "\n", err) < 0)
		return -1;
	for (enum field f = 0; f < N_FIELDS; f++)
		if (found[f].number != 0 && add_line(f, &found[f], &lines, err) < 0)
			return -1;
	if (buffer_append_str(&lines, END "\n", err) < 0)
		return -1;
	return read_lines(augeas, slice_of(lines.data, lines.len), l, err);
}

static int read_as_it_stands(enum field field, const struct found *f, struct lsb_header *l,
			     struct error *err)
{
	_cleanup_free_ char *value = NULL;

	if (f->number == 0)
		return 0;
	if (field != SHORT_DESCRIPTION && check(f, err) < 0)
		return -1;
	value = field == SHORT_DESCRIPTION ? description_encode(f->value, err) :
					     str_ndup(f->value.data, f->value.len, err);
	return value == NULL ? -1 : set(l, field, value, err);
}

int lsb_header_parse(struct config_augeas *augeas, struct slice script,
		     struct lsb_header *ret, struct error *err)
{
	_cleanup_lsb_header_ struct lsb_header l = LSB_HEADER_INIT;
	struct found found[N_FIELDS] = { { .number = 0 } };
	size_t begin;

	if (!scan(script, found, &begin))
		return error_set(err, ERROR_REFUSED,
				 "the INIT INFO that begins at line %zu does not end",
				 begin);
	if (begin == 0) {
		*ret = l;
		return 0;
	}
	if (augeas != NULL && read_through_lens(augeas, found, &l, err) < 0)
		return -1;
	for (enum field f = 0; augeas == NULL && f < N_FIELDS; f++)
		if (read_as_it_stands(f, &found[f], &l, err) < 0)
			return -1;
	l.found = true;
	*ret = l;
	l = (struct lsb_header)LSB_HEADER_INIT;
	return 0;
}

static bool has_word(struct slice value, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < value.len;) {
		size_t start = i;

		while (i < value.len && !is_blank(value.data[i]))
			i++;
		if (i - start == len && memcmp(value.data + start, word, len) == 0)
			return true;
		while (i < value.len && is_blank(value.data[i]))
			i++;
	}
	return false;
}

bool lsb_header_requires(struct slice script, const struct strings *facilities)
{
	struct found found[N_FIELDS] = { { .number = 0 } };
	size_t begin;

	if (!scan(script, found, &begin) || begin == 0)
		return false;
	for (size_t i = 0; i < facilities->len; i++)
		if (has_word(found[REQUIRED_START].value, facilities->items[i]))
			return true;
	return false;
}

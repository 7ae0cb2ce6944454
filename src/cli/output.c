/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/output.h"

#include <stdarg.h>
#include <time.h>

#include "base/text.h"
#include "base/when.h"

#define WIDTH 80
#define LABEL_END 17
#define RIGHT_COLUMN 56

static int64_t now_ns(void)
{
	return (int64_t)time(NULL) * 1000000000LL;
}

void output_text(FILE *to, const char *text)
{
	_cleanup_buffer_ struct buffer b = BUFFER_INIT;

	if (text_escape(slice_of(text, strlen(text)), true, &b, NULL) == 0)
		(void)fputs(b.data, to);
}

static const char *color_code(const struct cli *cli, enum output_color color)
{
	if (!cli->color || color == OUTPUT_PLAIN)
		return "";
	return color == OUTPUT_OPEN ? "\033[33m" : "\033[31m";
}

void output_headline(const struct cli *cli, enum output_color color, const char *left,
		     const char *right)
{
	size_t len = strlen(left);

	(void)fputs(color_code(cli, color), stdout);
	output_text(stdout, left);
	if (*color_code(cli, color) != '\0')
		(void)fputs("\033[0m", stdout);
	if (right != NULL && right[0] != '\0') {
		if (len + 2 <= RIGHT_COLUMN && RIGHT_COLUMN + strlen(right) < WIDTH)
			(void)printf("%*s", (int)(RIGHT_COLUMN - len), "");
		else
			(void)fputs("\n  ", stdout);
		output_text(stdout, right);
	}
	(void)putchar('\n');
}

/* A word that is wider than the line stays whole: a path that is broken can't be copied. */
static void print_wrapped(const char *text)
{
	size_t column = LABEL_END;

	while (*text != '\0') {
		size_t word = strcspn(text, " ");

		if (column > LABEL_END && column + 1 + word > WIDTH - 1) {
			(void)printf("\n%*s", LABEL_END, "");
			column = LABEL_END;
		} else if (column > LABEL_END) {
			(void)putchar(' ');
			column++;
		}
		(void)printf("%.*s", (int)word, text);
		column += word;
		text += word;
		text += strspn(text, " ");
	}
	(void)putchar('\n');
}

/* The bytes of the first `columns` characters: one column each, as far as we can tell. */
static size_t bytes_of(const char *text, size_t columns)
{
	size_t len = 0;

	while (text[len] != '\0') {
		if (((unsigned char)text[len] & 0xc0) != 0x80 && columns-- == 0)
			break;
		len++;
	}
	return len;
}

static size_t columns_of(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void output_cell(struct output_row *row, const char *value, size_t next)
{
	_cleanup_buffer_ struct buffer b = BUFFER_INIT;
	size_t pad;

	if (text_escape(slice_of(value, strlen(value)), false, &b, NULL) < 0 || b.data == NULL)
		return;
	row->column += columns_of(b.data);
	pad = next == 0 ? 0 : row->column < next ? next - row->column : 1;
	row->column += pad;
	(void)printf("%s%*s", b.data, (int)pad, "");
}

bool output_last_cell(struct output_row *row, const char *value)
{
	static const char dots[] = "...";
	_cleanup_buffer_ struct buffer b = BUFFER_INIT;
	size_t room = row->column + 2 * strlen(dots) < WIDTH ? WIDTH - row->column : 2 * strlen(dots);

	if (text_escape(slice_of(value, strlen(value)), false, &b, NULL) < 0 || b.data == NULL)
		return true;
	if (columns_of(b.data) <= room) {
		(void)printf("%s\n", b.data);
		return true;
	}
	(void)printf("%.*s%s\n", (int)bytes_of(b.data, room - strlen(dots)), b.data, dots);
	return false;
}

void output_field(const char *label, const char *value)
{
	_cleanup_buffer_ struct buffer b = BUFFER_INIT;

	if (value == NULL || value[0] == '\0' ||
	    text_escape(slice_of(value, strlen(value)), false, &b, NULL) < 0)
		return;
	(void)printf("  %-*s", LABEL_END - 2, label);
	print_wrapped(b.data);
}

void output_fieldf(const char *label, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	output_field(label, text);
}

void output_list(const char *label, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		output_field(i == 0 ? label : "", json_string_value(json_array_get(list, i)));
}

char *output_joined(const json_t *list)
{
	struct buffer text = BUFFER_INIT;

	for (size_t i = 0; i < json_array_size(list); i++)
		if (buffer_printf(&text, NULL, "%s%s", i > 0 ? ", " : "",
				  json_string_value(json_array_get(list, i))) < 0)
			break;
	return text.data;
}

void output_closers(const json_t *result)
{
	const json_t *list = json_object_get(result, "closers");
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (buffer_printf(&text, NULL, "%s%s", i > 0 ? ", " : "",
				  strcmp(name, "reboot") == 0 ? "the next reboot" : name) < 0)
			return;
	}
	output_field("closes by", text.data);
}

void output_reloaded(const json_t *result)
{
	const char *sshd = json_get_string(result, "sshd", "");
	int64_t daemons = json_get_int(result, "daemons", 0);

	if (strcmp(sshd, "at-first-connection") == 0)
		output_field("reloaded", "nothing: ssh.socket starts sshd with the next connection");
	else if (strcmp(sshd, "per-connection") == 0)
		output_field("reloaded", "nothing: sshd is started for each connection");
	else if (daemons == 0)
		output_field("reloaded", "no sshd is running with this file: nothing to reload");
	else if (daemons > 1)
		output_fieldf("reloaded", "%lld sshd listeners", (long long)daemons);
}

void output_hint(const char *hint)
{
	while (*hint != '\0') {
		size_t len = strcspn(hint, "\n");
		_cleanup_free_ char *line = str_ndup(hint, len, NULL);

		(void)fputs("  ", stderr);
		if (line != NULL)
			output_text(stderr, line + strspn(line, " "));
		(void)fputs("\n", stderr);
		hint += len;
		hint += *hint == '\n';
	}
}

void output_warnings(const json_t *result)
{
	const json_t *list = json_object_get(result, "warnings");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		const char *hint = json_get_string(one, "hint", "");

		(void)fputs("rootlatch: warning: ", stderr);
		output_text(stderr, json_get_string(one, "message", ""));
		(void)fputs("\n", stderr);
		output_hint(hint);
	}
}

const json_t *output_first(const json_t *doc)
{
	return json_array_get(json_object_get(doc, "results"), 0);
}

/* "2 h" right after it was set, not "1 h 59 min". */
static int64_t rounded(int64_t left_ns)
{
	const int64_t minute = 60 * 1000000000LL;

	return left_ns > 5 * minute ? left_ns + minute / 2 : left_ns;
}

void output_time(const json_t *result, const char *key, char ret[OUTPUT_TIME_MAX])
{
	const char *text = json_get_string(result, key, NULL);
	char at[WHEN_MAX], span[WHEN_MAX];
	int64_t ns;

	(void)snprintf(ret, OUTPUT_TIME_MAX, "-");
	if (text == NULL || when_parse(text, &ns, NULL) < 0)
		return;
	when_format_local(ns, now_ns(), at);
	when_format_span(ns > now_ns() ? rounded(ns - now_ns()) : now_ns() - ns, span);
	(void)snprintf(ret, OUTPUT_TIME_MAX, "%s (%s%s)", at, span, ns > now_ns() ? "" : " ago");
}

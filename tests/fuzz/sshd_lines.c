/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The lines of an sshd_config: those that the scan tells are exactly those that are directives when
 * they are read alone, every offset is within its line, and each Match has a scope.
 */
#include "fuzz.h"

#include "config/sshd_lines.h"
#include "config/sshd_match.h"

static void check_match(const struct strings *args)
{
	static char root[] = "root", adm[] = "adm";
	char *names[] = { root, adm, NULL };
	const struct strings groups = { .items = names, .len = 2 };
	enum sshd_scope known = sshd_match_scope(args, &groups);
	enum sshd_scope unknown = sshd_match_scope(args, NULL);

	FUZZ_MUST(known > SSHD_SCOPE_GLOBAL && known <= SSHD_SCOPE_NEVER);
	FUZZ_MUST(unknown > SSHD_SCOPE_GLOBAL && unknown <= SSHD_SCOPE_NEVER);
	for (size_t i = 0; i < args->len; i++)
		(void)sshd_pattern_list_match(args->items[i],
					      args->items[args->len - 1 - i]);
}

static void check_line(const struct sshd_line *l, struct slice text)
{
	_cleanup_strings_ struct strings args = STRINGS_INIT;
	struct error err = ERROR_INIT;
	struct slice shown;
	char value[32];

	FUZZ_MUST(l->offset + l->len <= text.len && l->eol_len <= 2 &&
		  l->eol_len <= l->len);
	FUZZ_MUST(l->offset == 0 || text.data[l->offset - 1] == '\n');
	FUZZ_MUST(l->keyword_len > 0);
	FUZZ_MUST(l->keyword_offset + l->keyword_len <= l->args_offset);
	FUZZ_MUST(l->args_offset <= l->args_end && l->args_end + l->eol_len <= l->len);
	if (l->value_len > 0)
		FUZZ_MUST(l->value_offset >= l->args_offset &&
			  l->value_offset + l->value_len <= l->args_end);
	sshd_line_value(l, text, value, sizeof(value));
	FUZZ_MUST(strnlen(value, sizeof(value)) < sizeof(value));
	shown = sshd_line_text(l, text);
	FUZZ_MUST(shown.len <= l->len);
	if (sshd_line_args(l, text, &args, &err) < 0)
		FUZZ_MUST(err.code == ERROR_REFUSED);
	else if (l->keyword == SSHD_MATCH)
		check_match(&args);
}

/* The line read alone says the same. */
static void check_alone(const struct sshd_line *l, struct slice line)
{
	struct sshd_line alone;
	_cleanup_free_ char *copy = fuzz_string(line);

	sshd_line_parse(slice_of(copy, line.len), &alone);
	if (alone.keyword == SSHD_OTHER) {
		FUZZ_MUST(l == NULL);
		return;
	}
	FUZZ_MUST(l != NULL && alone.keyword == l->keyword);
	FUZZ_MUST(alone.keyword_offset == l->keyword_offset &&
		  alone.keyword_len == l->keyword_len);
	FUZZ_MUST(alone.value_offset == l->value_offset &&
		  alone.value_len == l->value_len);
	FUZZ_MUST(alone.args_offset == l->args_offset && alone.args_end == l->args_end);
}

FUZZ_TARGET(sshd_lines)
{
	_cleanup_sshd_lines_ struct sshd_lines lines = SSHD_LINES_INIT;
	struct slice text = fuzz_input(data, size), rest = text, line;
	struct error err = ERROR_INIT;
	size_t next = 0;

	if (sshd_lines_scan("/f", text, &lines, &err) < 0) {
		FUZZ_MUST(err.code == ERROR_REFUSED && lines.len == 0);
		FUZZ_MUST(size > 0 && memchr(data, '\0', size) != NULL);
		return 0;
	}
	for (size_t number = 1; fuzz_line(&rest, &line); number++) {
		const struct sshd_line *l = next < lines.len ? &lines.items[next] : NULL;

		if (l == NULL || l->number != number) {
			l = NULL;
		} else {
			FUZZ_MUST(text.data + l->offset == line.data);
			check_line(l, text);
			line.len = l->len - l->eol_len;
			next++;
		}
		check_alone(l, line);
	}
	FUZZ_MUST(next == lines.len);
	return 0;
}

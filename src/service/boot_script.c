/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A word that can't be expanded (a command's output, a variable that nothing here sets) is no
 * word: a wrong pid file would be worse than none.
 */
#include "service/boot_script.h"

#include <ctype.h>

#include "base/path.h"

struct reading {
	struct boot_script *s;
	struct strings vars; /* "NAME=value", the later ones count */
};

void boot_script_release(struct boot_script *s)
{
	strings_release(&s->programs);
	strings_release(&s->names);
	strings_release(&s->pid_files);
	buffer_release(&s->text);
}

bool boot_script_is_interpreter(const char *name)
{
	static const char *const names[] = { "sh", "ash", "dash", "bash", "ksh", "zsh", "busybox",
					     "perl", "python", "ruby", "node", "nodejs", "java",
					     "php", "tclsh", "lua", "guile", "mono", "env",
					     "start-stop-daem", "start-stop-daemon" };
	size_t len = strlen(name);

	/* python3.11, perl5.36, php8.2 */
	while (len > 0 && (isdigit((unsigned char)name[len - 1]) || name[len - 1] == '.'))
		len--;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0)
			return true;
	return false;
}

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("_.-/@+", c) != NULL);
}

bool boot_script_mentions(const struct boot_script *s, const char *word)
{
	size_t len = strlen(word);
	const char *text = s->text.data;

	if (text == NULL || len == 0)
		return false;
	for (const char *p = text; (p = strstr(p, word)) != NULL; p++)
		if ((p == text || !is_word_char(p[-1])) && !is_word_char(p[len]))
			return true;
	return false;
}

static int add_once(struct strings *list, const char *item, struct error *err)
{
	return strings_contain(list, item) ? 0 : strings_add(list, item, err);
}

/* ---- words */

static const char *var_value(const struct reading *r, const char *name, size_t len)
{
	for (size_t i = r->vars.len; i-- > 0;)
		if (strncmp(r->vars.items[i], name, len) == 0 && r->vars.items[i][len] == '=')
			return r->vars.items[i] + len + 1;
	return NULL;
}

static size_t name_length(const char *p)
{
	size_t len = 0;

	while (isalnum((unsigned char)p[len]) || p[len] == '_')
		len++;
	return isdigit((unsigned char)p[0]) ? 0 : len;
}

/* $NAME, ${NAME} and ${NAME:-DEFAULT}, `p` behind the dollar. Where it ends; NULL for what takes a
 * shell. */
static const char *expand_var(const struct reading *r, const char *p, struct buffer *out)
{
	bool braces = *p == '{';
	const char *name = braces ? p + 1 : p, *end, *value;
	size_t len = name_length(name);

	if (len == 0)
		return NULL;
	value = var_value(r, name, len);
	end = name + len;
	if (braces && end[0] == ':' && end[1] == '-') {
		size_t rest = strcspn(end + 2, "}$`\"'\\\n");

		if (value == NULL && buffer_append(out, end + 2, rest, NULL) < 0)
			return NULL;
		if (value == NULL)
			value = "";
		end += 2 + rest;
	}
	if (value == NULL || (braces && *end != '}') || buffer_append_str(out, value, NULL) < 0)
		return NULL;
	return braces ? end + 1 : end;
}

/* Behind a word that could not be expanded. */
static const char *skip_word(const char *p)
{
	return p + strcspn(p, " \t\n");
}

/* The next word of a line, without its quotes. False when it can't be told. */
static bool next_word(const struct reading *r, const char **p, struct buffer *out)
{
	char quote = '\0';
	const char *at = *p;

	out->len = 0;
	if (buffer_append_str(out, "", NULL) < 0)
		return false;
	for (; *at != '\0' && *at != '\n'; at++) {
		if (quote == '\0' && strchr(" \t;&|()<>", *at) != NULL)
			break;
		if ((*at == '"' || *at == '\'') && (quote == '\0' || quote == *at)) {
			quote = quote == '\0' ? *at : '\0';
		} else if (*at == '$' && quote != '\'') {
			at = expand_var(r, at + 1, out);
			if (at == NULL)
				break;
			at--;
		} else if (*at == '`' || *at == '\\' || buffer_append(out, at, 1, NULL) < 0) {
			at = NULL;
			break;
		}
	}
	if (at != NULL && quote == '\0') {
		*p = at;
		return true;
	}
	*p = skip_word(*p);
	return false;
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t;&|()<>");
}

/* ---- what they mean */

static int add_program(struct reading *r, const char *path, struct error *err)
{
	const char *name = path_basename(path);

	if (boot_script_is_interpreter(name) || name[0] == '\0')
		return 0;
	if (path_is_clean(path) && add_once(&r->s->programs, path, err) < 0)
		return -1;
	return add_once(&r->s->names, name, err);
}

static int add_pid_file(struct reading *r, const char *path, struct error *err)
{
	return path_is_clean(path) ? add_once(&r->s->pid_files, path, err) : 0;
}

static bool is_about_pid(const char *name, size_t len)
{
	for (size_t i = 0; i + 3 <= len; i++)
		if (strncasecmp(name + i, "pid", 3) == 0)
			return true;
	return false;
}

static int take_assignment(struct reading *r, const char *name, size_t len, const char *value,
			   struct error *err)
{
	if (strings_addf(&r->vars, err, "%.*s=%s", (int)len, name, value) < 0)
		return -1;
	if (len == 6 && strncmp(name, "DAEMON", 6) == 0 && value[0] == '/')
		return add_program(r, value, err);
	return is_about_pid(name, len) ? add_pid_file(r, value, err) : 0;
}

/* "NAME=value" at the beginning of a line, with or without export. */
static int read_assignment(struct reading *r, const char *line, struct error *err)
{
	_cleanup_buffer_ struct buffer value = BUFFER_INIT;
	const char *p = line + strspn(line, " \t");
	size_t len;

	for (int i = 0; i < 2; i++) {
		static const char *const before[] = { "export ", "readonly " };

		if (strncmp(p, before[i], strlen(before[i])) == 0)
			p += strlen(before[i]) + strspn(p + strlen(before[i]), " \t");
	}
	len = name_length(p);
	if (len == 0 || p[len] != '=')
		return 0;
	line = p + len + 1;
	return next_word(r, &line, &value) ? take_assignment(r, p, len, value.data, err) : 0;
}

/* "# pidfile: PATH" and "# processname: NAME", as chkconfig(8) has them. */
static int read_comment(struct reading *r, const char *line, struct error *err)
{
	static const char *const keys[] = { "pidfile:", "processname:" };
	const char *p = line + strspn(line, "# \t");

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		_cleanup_free_ char *value = NULL;
		const char *at = p + strlen(keys[i]);

		if (strncasecmp(p, keys[i], strlen(keys[i])) != 0)
			continue;
		at += strspn(at, " \t");
		value = str_ndup(at, strcspn(at, " \t\r\n"), err);
		if (value == NULL)
			return -1;
		return i == 0 ? add_pid_file(r, value, err) : add_program(r, value, err);
	}
	return 0;
}

enum option { OPTION_NONE, OPTION_PROGRAM, OPTION_PID_FILE };

/* The value of "--exec=VALUE", or NULL when it is the next word. */
static enum option option_of(const char *word, const char **ret_value)
{
	static const struct {
		const char *name;
		enum option is;
	} rows[] = {
		{ "--exec", OPTION_PROGRAM },      { "-x", OPTION_PROGRAM },
		{ "--startas", OPTION_PROGRAM },   { "-a", OPTION_PROGRAM },
		{ "--name", OPTION_PROGRAM },      { "-n", OPTION_PROGRAM },
		{ "--pidfile", OPTION_PID_FILE },  { "-p", OPTION_PID_FILE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t len = strlen(rows[i].name);

		if (strncmp(word, rows[i].name, len) != 0 || (word[len] != '\0' && word[len] != '='))
			continue;
		*ret_value = word[len] == '=' ? word + len + 1 : NULL;
		return rows[i].is;
	}
	return OPTION_NONE;
}

static int take_option(struct reading *r, enum option is, const char *value, struct error *err)
{
	return is == OPTION_PROGRAM ? add_program(r, value, err) : add_pid_file(r, value, err);
}

/* The options of start-stop-daemon(8), and of killproc and its like (LSB Core 5.0, 22.8). */
static int read_command(struct reading *r, const char *line, struct error *err)
{
	static const char *const commands[] = { "start-stop-daemon", "start_daemon", "killproc",
						"pidofproc", "status_of_proc" };
	_cleanup_buffer_ struct buffer word = BUFFER_INIT;
	enum option waits = OPTION_NONE;
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		found |= strstr(line, commands[i]) != NULL;
	if (!found)
		return 0;
	for (const char *p = skip_blanks(line); *p != '\0'; p = skip_blanks(p)) {
		bool told = next_word(r, &p, &word);
		enum option is = waits;
		const char *value = word.data;

		waits = OPTION_NONE;
		if (!told)
			continue;
		if (strcmp(word.data, "--") == 0)
			break; /* the daemon's own options */
		if (is == OPTION_NONE) {
			is = option_of(word.data, &value);
			if (is != OPTION_NONE && value == NULL) {
				waits = is;
				continue;
			}
		}
		if (is != OPTION_NONE && take_option(r, is, value, err) < 0)
			return -1;
	}
	return 0;
}

static int read_line(struct reading *r, const char *line, struct error *err)
{
	if (line[strspn(line, " \t")] == '#')
		return read_comment(r, line, err);
	if (read_assignment(r, line, err) < 0)
		return -1;
	return read_command(r, line, err);
}

/* Lines that a backslash continues are one. */
static int read_lines(struct reading *r, struct error *err)
{
	_cleanup_buffer_ struct buffer line = BUFFER_INIT;

	for (const char *p = r->s->text.data; *p != '\0';) {
		size_t len = strcspn(p, "\n");
		bool goes_on = len > 0 && p[len - 1] == '\\' && p[len] == '\n';

		if (buffer_append(&line, p, goes_on ? len - 1 : len, err) < 0)
			return -1;
		p += len + (p[len] == '\n');
		if (goes_on)
			continue;
		if (read_line(r, line.data, err) < 0)
			return -1;
		line.len = 0;
	}
	return line.len > 0 ? read_line(r, line.data, err) : 0;
}

static int add_usual(struct reading *r, struct error *err)
{
	struct boot_script *s = r->s;

	for (size_t i = 0; i < s->names.len; i++) {
		const char *name = s->names.items[i];
		_cleanup_free_ char *flat = str_format(err, "/run/%s.pid", name);
		_cleanup_free_ char *deep = str_format(err, "/run/%s/%s.pid", name, name);

		if (flat == NULL || deep == NULL || add_pid_file(r, flat, err) < 0 ||
		    add_pid_file(r, deep, err) < 0)
			return -1;
		if (i == 0)
			s->n_own = s->pid_files.len;
	}
	return 0;
}

static int parse(struct reading *r, const char *name, struct slice text, struct error *err)
{
	/* init-d-script(5) sets NAME; others set it themselves */
	if (buffer_append(&r->s->text, text.data, text.len, err) < 0 ||
	    strings_addf(&r->vars, err, "NAME=%s", name) < 0 ||
	    strings_add(&r->s->names, name, err) < 0 || read_lines(r, err) < 0)
		return -1;
	return add_usual(r, err);
}

int boot_script_parse(const char *name, struct slice text, struct boot_script *ret,
		      struct error *err)
{
	_cleanup_boot_script_ struct boot_script s = BOOT_SCRIPT_INIT;
	struct reading r = { .s = &s };
	int failed = parse(&r, name, text, err);

	strings_release(&r.vars);
	if (failed < 0)
		return -1;
	*ret = s;
	s = (struct boot_script)BOOT_SCRIPT_INIT;
	return 0;
}

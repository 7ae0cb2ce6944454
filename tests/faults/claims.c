/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "claims.h"

#include <jansson.h>
#include <stdarg.h>

#include "die.h"
#include "fixture.h"
#include "trace.h"

#define is_wrong(why, ...) ((void)snprintf(why, CLAIMS_WHY_MAX, __VA_ARGS__), false)

void claims_read_output(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	text[n > 0 ? n : 0] = '\0';
}

void claims_clear_output(int fd)
{
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		die("the output file");
}

/* ---- state.json and status */

static void __attribute__((format(printf, 3, 4)))
append(char *text, size_t size, const char *format, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text + len, size - len, format, args);
	va_end(args);
}

bool claims_of_state(const struct image *now, struct claims *ret,
		     char why[CLAIMS_WHY_MAX])
{
	const struct image_entry *e = image_find(now, FIXTURE_STATE "/state.json");
	const json_t *toggle, *toggles;
	json_error_t error;
	json_t *state;
	size_t i;

	*ret = (struct claims){ .applied = false };
	if (e == NULL)
		return true;
	state = json_loadb(e->bytes, e->len, 0, &error);
	if (state == NULL)
		return is_wrong(why, "state.json is torn: %s", error.text);
	toggles = json_object_get(json_object_get(state, "body"), "toggles");
	json_array_foreach (toggles, i, toggle) {
		const char *name = json_string_value(json_object_get(toggle, "name"));

		append(ret->toggles, sizeof(ret->toggles), " %s", name != NULL ? name : "?");
	}
	toggle = json_array_get(toggles, 0);
	if (toggle != NULL) {
		const char *watch = json_string_value(json_object_get(toggle, "watch"));

		ret->applied = true;
		ret->until_ns = json_integer_value(json_object_get(toggle, "until_ns"));
		(void)snprintf(ret->watch, sizeof(ret->watch), "%s",
			       watch != NULL ? watch : "");
	}
	json_decref(state);
	return true;
}

bool claims_of_status(const char *text, char ret[CLAIMS_STATUS_MAX],
		      char why[CLAIMS_WHY_MAX])
{
	const char *said = "normal";
	const json_t *result;
	json_error_t error;
	json_t *root = json_loads(text, 0, &error);
	size_t i;

	if (root == NULL)
		return is_wrong(why, "status --json: %s", error.text);
	json_array_foreach (json_object_get(root, "results"), i, result) {
		const char *toggle = json_string_value(json_object_get(result, "toggle"));
		const char *state = json_string_value(json_object_get(result, "state"));

		if (toggle != NULL && strcmp(toggle, "root-login") == 0)
			said = state != NULL ? state : "nothing";
	}
	(void)snprintf(ret, CLAIMS_STATUS_MAX, "%s", said);
	json_decref(root);
	return true;
}

bool claims_of_services(const char *text, char ret[CLAIMS_STATUS_MAX],
			char why[CLAIMS_WHY_MAX])
{
	static const char *const keys[] = { "toggle", "state", "effective" };
	const json_t *result, *fact;
	json_error_t error;
	json_t *root = json_loads(text, 0, &error);
	size_t i, k;

	if (root == NULL)
		return is_wrong(why, "status --json: %s", error.text);
	ret[0] = '\0';
	json_array_foreach (json_object_get(root, "results"), i, result) {
		for (k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			const char *value = json_string_value(json_object_get(result, keys[k]));

			append(ret, CLAIMS_STATUS_MAX, "%s; ", value != NULL ? value : "?");
		}
		append(ret, CLAIMS_STATUS_MAX, "%s; ",
		       json_is_true(json_object_get(result, "starts_at_boot")) ? "on" : "off");
		json_array_foreach (json_object_get(result, "facts"), k, fact)
			append(ret, CLAIMS_STATUS_MAX, "%s; ",
			       json_string_value(json_object_get(fact, "value")));
	}
	json_decref(root);
	return true;
}

/* ---- sshd */

bool claims_of_sshd(int output_fd, bool *ret_open, char why[CLAIMS_WHY_MAX])
{
	static const char *const argv[] = {
		"/usr/sbin/sshd", "-T", "-C",
		"user=root,host=a.example,addr=192.0.2.10,laddr=127.0.0.1,lport=22", NULL
	};
	static const char answer[] = "\npermitrootlogin ";
	struct trace_outcome o;
	char text[16384], *found;

	claims_clear_output(output_fd);
	trace_run_plain((char *const *)argv, output_fd, &o);
	claims_read_output(output_fd, text, sizeof(text));
	found = strstr(text, answer);
	if (o.status != 0 || found == NULL)
		return is_wrong(why, "sshd -T: %.200s", text);
	*ret_open = strncmp(found + strlen(answer), "yes\n", strlen("yes\n")) == 0;
	return true;
}

/* ---- The daemon */

static bool is_sshds(const struct image_entry *e)
{
	return S_ISREG(e->st.st_mode) && strstr(e->path, "/.rootlatch-") == NULL &&
	       (strncmp(e->path, "/etc/ssh/", strlen("/etc/ssh/")) == 0 ||
		strncmp(e->path, FIXTURE_RUN "/sshd/", strlen(FIXTURE_RUN "/sshd/")) ==
			0);
}

/* All that it may read, one file behind the other. */
static char *sshds_text(const struct image *image)
{
	size_t len = 1;
	char *text, *p;

	for (size_t i = 0; i < image->count; i++)
		len += image->entries[i].len + 1;
	p = text = calloc(1, len);
	if (text == NULL)
		die("out of memory");
	for (size_t i = 0; i < image->count; i++)
		if (is_sshds(&image->entries[i]))
			p += sprintf(p, "%s\n", image->entries[i].bytes);
	return text;
}

static bool has_line(const char *text, const char *line)
{
	size_t n = strlen(line);

	for (const char *p = text; (p = strstr(p, line)) != NULL; p += n)
		if (p == text || p[-1] == '\n')
			return true;
	return false;
}

/* What only `text` has must be loaded, or must not. */
static bool check_lines(pid_t daemon, const char *text, const char *other, bool expected,
			char why[CLAIMS_WHY_MAX])
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n") + 1;
		char needle[256], *line = needle + 1;

		/* a comment may quote it */
		(void)snprintf(needle, sizeof(needle), "\n%.*s", (int)n, text);
		text += text[n - 1] == '\n' ? n : n - 1;
		if (line[0] == '#' || line[0] == '\n' || has_line(other, line))
			continue;
		if (fixture_daemon_loaded(daemon, needle) != expected)
			return is_wrong(why, "the daemon has %sloaded: %.*s",
					expected ? "not " : "", (int)strcspn(line, "\n"),
					line);
	}
	return true;
}

bool claims_of_daemon(pid_t daemon, const struct image *is, const struct image *other,
		      char why[CLAIMS_WHY_MAX])
{
	char *has = sshds_text(is), *has_not = sshds_text(other);
	const char *reason;
	bool agrees;

	agrees = fixture_daemon_answers(daemon, &reason);
	if (!agrees)
		(void)is_wrong(why, "%s", reason);
	agrees = agrees && check_lines(daemon, has, has_not, true, why) &&
		 check_lines(daemon, has_not, has, false, why);
	free(has);
	free(has_not);
	return agrees;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "verdict.h"

#include <ctype.h>
#include <jansson.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <time.h>

#include "die.h"
#include "fixture.h"

#define ID_DIGITS 8
#define MAX_WORDS 32

static bool __attribute__((format(printf, 2, 3)))
wrong(struct verdict *v, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(v->why, sizeof(v->why), format, args);
	va_end(args);
	return false;
}

/* ---- Asking the tool */

static void read_output(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	text[n > 0 ? n : 0] = '\0';
}

static void clear_output(int fd)
{
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		die("the output file");
}

static bool run_words(const struct verdict_terms *terms, const char *words,
		      int *ret_status)
{
	struct trace_outcome o;
	char copy[512], *argv[MAX_WORDS] = { terms->tool };
	char *save = NULL;
	int n = 1;

	(void)snprintf(copy, sizeof(copy), "%s", words);
	for (char *w = strtok_r(copy, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save)) {
		if (n == MAX_WORDS - 1)
			die("too many words");
		argv[n++] = w;
	}
	clear_output(terms->output_fd);
	trace_run_plain(argv, terms->output_fd, &o);
	*ret_status =
		WIFEXITED(o.status) ? WEXITSTATUS(o.status) : 128 + WTERMSIG(o.status);
	return !o.hung;
}

bool verdict_tool(const struct verdict_terms *terms, const char *words,
		  struct verdict *ret)
{
	char text[400];
	int status;

	if (!run_words(terms, words, &status))
		return wrong(ret, "`%s` hangs", words);
	if (status == 0)
		return true;
	read_output(terms->output_fd, text, sizeof(text));
	return wrong(ret, "`%s` exits %d: %s", words, status, text);
}

/* ---- What is where. Names carry the ID of a transaction: for comparing, any ID will do. */

static size_t hex_digits(const char *text)
{
	return strspn(text, "0123456789abcdef");
}

/* In place: each run of digits that is as long as an ID becomes question marks. */
static void blur_ids(char *text)
{
	while (*text != '\0') {
		size_t digits = hex_digits(text);

		if (digits == ID_DIGITS)
			memset(text, '?', digits);
		text += digits > 0 ? digits : 1;
	}
}

static void blur_path(const char *path, char *out, size_t size)
{
	(void)snprintf(out, size, "%s", path);
	blur_ids(out);
}

static unsigned count_alike(const struct image *image, const char *blurred)
{
	char name[4096];
	unsigned n = 0;

	for (size_t i = 0; i < image->count; i++) {
		blur_path(image->entries[i].path, name, sizeof(name));
		n += strcmp(name, blurred) == 0;
	}
	return n;
}

/* Made once and for all by the first command that writes. */
static bool may_be_there(const char *path)
{
	static const char *const lasting[] = {
		FIXTURE_STATE,
		FIXTURE_STATE "/lock",
		FIXTURE_STATE "/log",
		FIXTURE_STATE "/state.json",
		FIXTURE_STATE "/state.json.spare",
		FIXTURE_STATE "/journal.spare",
		FIXTURE_STATE "/snapshots",
		"/run/rootlatch",
	};

	for (size_t i = 0; i < sizeof(lasting) / sizeof(lasting[0]); i++)
		if (strcmp(path, lasting[i]) == 0)
			return true;
	return false;
}

static bool check_names(const struct image *now, const struct image *reference,
			struct verdict *v)
{
	const struct image *sides[] = { now, reference };
	char name[4096];

	for (int s = 0; s < 2; s++)
		for (size_t i = 0; i < sides[s]->count; i++) {
			unsigned are, were;

			if (may_be_there(sides[s]->entries[i].path))
				continue;
			blur_path(sides[s]->entries[i].path, name, sizeof(name));
			are = count_alike(now, name);
			were = count_alike(reference, name);
			if (are > were)
				return wrong(v, "left over: %s",
					     sides[s]->entries[i].path);
			if (are < were)
				return wrong(v, "missing: %s", name);
		}
	return true;
}

static bool is_ours(const char *path)
{
	return strstr(path, "/.rootlatch-") != NULL ||
	       strncmp(path, "/etc/ssh", strlen("/etc/ssh")) != 0;
}

static bool same_but_ids(const struct image_entry *a, const struct image_entry *b)
{
	struct image_entry blurred_a = *a, blurred_b = *b;
	bool same;

	blurred_a.bytes = strdup(a->bytes);
	blurred_b.bytes = strdup(b->bytes);
	if (blurred_a.bytes == NULL || blurred_b.bytes == NULL)
		die("out of memory");
	blur_ids(blurred_a.bytes);
	blur_ids(blurred_b.bytes);
	same = image_entry_same(&blurred_a, &blurred_b);
	free(blurred_a.bytes);
	free(blurred_b.bytes);
	return same;
}

/* Everything in /etc/ssh that is not rootlatch's, one way or the other; a file that is as it
 * was before everything has its time from then as well. */
static bool config_is(const struct image *now, const struct image *reference,
		      const struct image *pristine, char *ret_differs, size_t size)
{
	for (size_t i = 0; i < reference->count; i++) {
		const struct image_entry *was = &reference->entries[i];
		const struct image_entry *is = image_find(now, was->path);
		const struct image_entry *first = image_find(pristine, was->path);

		if (is_ours(was->path) || S_ISDIR(was->st.st_mode))
			continue;
		(void)snprintf(ret_differs, size, "%s (%s)", was->path,
			       is == NULL            ? "missing" :
			       is->len != was->len   ? "another size" :
			       same_but_ids(is, was) ? "another mtime" :
						       "other bytes, owner or mode");
		if (is == NULL || !same_but_ids(is, was))
			return false;
		if (first != NULL && image_entry_same(is, first) &&
		    !image_entry_same_time(is, first))
			return false;
	}
	return true;
}

static bool check_config(const struct verdict_terms *terms, const struct image *now,
			 struct verdict *v)
{
	char from_opened[300], from_closed[300];

	if (config_is(now, &terms->opened, &terms->pristine, from_opened,
		      sizeof(from_opened))) {
		v->opened = true;
		return true;
	}
	if (config_is(now, &terms->closed, &terms->pristine, from_closed,
		      sizeof(from_closed))) {
		v->opened = false;
		return true;
	}
	return wrong(v, "neither old nor new: open but for %s, closed but for %s",
		     from_opened, from_closed);
}

/* ---- What is said */

static bool says_applied(const json_t *state)
{
	return json_array_size(
		       json_object_get(json_object_get(state, "body"), "toggles")) > 0;
}

static bool names_id(const char *state, const char *text)
{
	char id[ID_DIGITS + 1];

	(void)snprintf(id, sizeof(id), "%s", text);
	return strstr(state, id) != NULL;
}

/* What carries an ID belongs to a transaction that the state knows. */
static bool check_ids(const struct image *now, const char *state, struct verdict *v)
{
	static const char hidden[] = "/.rootlatch-", marker[] = "#rootlatch:";

	for (size_t i = 0; i < now->count; i++) {
		const struct image_entry *e = &now->entries[i];
		const char *twin = strstr(e->path, hidden), *marked = NULL;

		if (twin != NULL && !names_id(state, twin + strlen(hidden)))
			return wrong(v, "%s belongs to no toggle", e->path);
		if (!is_ours(e->path) && S_ISREG(e->st.st_mode))
			marked = strstr(e->bytes, marker);
		if (marked != NULL && !names_id(state, marked + strlen(marker)))
			return wrong(v, "a marker in %s belongs to no toggle", e->path);
	}
	return true;
}

static bool check_state_file(const struct image *now, struct verdict *v)
{
	const struct image_entry *e = image_find(now, FIXTURE_STATE "/state.json");
	bool applied = false;
	json_error_t error;
	json_t *state;

	if (e != NULL) {
		state = json_loadb(e->bytes, e->len, 0, &error);
		if (state == NULL)
			return wrong(v, "state.json is torn: %s", error.text);
		applied = says_applied(state);
		json_decref(state);
	}
	if (applied != v->opened)
		return wrong(v, "state.json says %s, the host is %s",
			     applied ? "applied" : "not applied",
			     v->opened ? "open" : "closed");
	return check_ids(now, e != NULL ? e->bytes : "", v);
}

static bool check_status(const struct verdict_terms *terms, struct verdict *v)
{
	const char *expected = v->opened ? "applied" : "normal", *said = "normal";
	const json_t *result;
	json_error_t error;
	char text[8192];
	json_t *root;
	size_t i;
	bool same;

	if (!verdict_tool(terms, "status --offline --json", v))
		return false;
	read_output(terms->output_fd, text, sizeof(text));
	root = json_loads(text, 0, &error);
	if (root == NULL)
		return wrong(v, "status --json: %s", error.text);
	json_array_foreach (json_object_get(root, "results"), i, result) {
		const char *toggle = json_string_value(json_object_get(result, "toggle"));
		const char *state = json_string_value(json_object_get(result, "state"));

		if (toggle != NULL && strcmp(toggle, "root-login") == 0)
			said = state != NULL ? state : "nothing";
	}
	same = strcmp(said, expected) == 0;
	if (!same)
		(void)wrong(v, "status says %s, the host is %s", said,
			    v->opened ? "open" : "closed");
	json_decref(root);
	return same;
}

/* ---- The daemon */

static bool has_line(const char *text, const char *line)
{
	size_t n = strlen(line);

	for (const char *p = text; (p = strstr(p, line)) != NULL; p += n)
		if (p == text || p[-1] == '\n')
			return true;
	return false;
}

/* What only one of the two has must be loaded, or must not. */
static bool check_loaded(const struct verdict_terms *terms, const char *text,
			 const char *other, bool expected, struct verdict *v)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n") + 1;
		char needle[256], *line = needle + 1;

		/* a comment may quote it */
		(void)snprintf(needle, sizeof(needle), "\n%.*s", (int)n, text);
		text += text[n - 1] == '\n' ? n : n - 1;
		if (line[0] == '#' || line[0] == '\n' || has_line(other, line))
			continue;
		if (fixture_daemon_loaded(terms->daemon, needle) != expected)
			return wrong(v,
				     "the host is %s, but the daemon has %sloaded: %.*s",
				     v->opened ? "open" : "closed",
				     expected ? "not " : "", (int)strcspn(line, "\n"),
				     line);
	}
	return true;
}

static bool daemon_agrees(const struct verdict_terms *terms, struct verdict *v)
{
	const char *opened = image_find(&terms->opened, FIXTURE_TARGET)->bytes;
	const char *closed = image_find(&terms->closed, FIXTURE_TARGET)->bytes;
	const char *why;

	if (!fixture_daemon_answers(terms->daemon, &why))
		return wrong(v, "%s", why);
	return check_loaded(terms, opened, closed, v->opened, v) &&
	       check_loaded(terms, closed, opened, !v->opened, v);
}

static bool check_daemon(const struct verdict_terms *terms, struct verdict *v)
{
	const struct timespec a_while = { .tv_nsec = 500000000 };
	char at_once[500];

	if (terms->daemon == 0 || daemon_agrees(terms, v))
		return true;
	(void)snprintf(at_once, sizeof(at_once), "%.490s", v->why);
	(void)nanosleep(&a_while, NULL);
	return daemon_agrees(terms, v) ? wrong(v, "%s, for a moment", at_once) : false;
}

/* ---- All of it */

bool verdict_whole(const struct verdict_terms *terms, struct verdict *v)
{
	unsigned strays = fixture_count_strays(terms->daemon),
		 mounts = fixture_count_mounts();
	struct image now;
	bool whole;

	if (strays > 0)
		return wrong(v, "%u processes left over", strays);
	if (mounts != terms->mounts)
		return wrong(v, "%u mounts, %u before", mounts, terms->mounts);
	image_capture(fixture_roots, &now);
	whole = check_config(terms, &now, v) && check_state_file(&now, v) &&
		check_names(&now, v->opened ? &terms->opened : &terms->closed, v);
	image_release(&now);
	return whole && check_status(terms, v) && check_daemon(terms, v);
}

bool verdict_way_back(const struct verdict_terms *terms, struct verdict *v)
{
	struct image now;
	char differs[300];
	bool same;

	if (!verdict_tool(terms, "check", v))
		return false;
	if (!v->opened)
		return true;
	if (!verdict_tool(terms, "close", v))
		return false;
	image_capture(fixture_roots, &now);
	same = config_is(&now, &terms->pristine, &terms->pristine, differs,
			 sizeof(differs));
	if (!same)
		(void)wrong(v, "after close: %s", differs);
	v->opened = false;
	image_release(&now);
	return same && check_daemon(terms, v);
}

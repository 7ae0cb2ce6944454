/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "race_judge.h"

#include <jansson.h>
#include <stdarg.h>
#include <sys/wait.h>

#include "claims.h"
#include "die.h"
#include "fixture.h"
#include "trace.h"
#include "watchers.h"

#define STATE FIXTURE_STATE "/state.json"
#define SNAPSHOTS FIXTURE_STATE "/snapshots/"
#define WORDS_MAX 16
#define ID_LEN 8
#define OUTPUT_MAX 65536

/* What service-host makes, and what applies its toggle. */
static const struct {
	const char *name, *apply;
} services[JUDGE_SERVICES] = { { "foo", "disable foo" },
			       { "bar", "enable bar" },
			       { "baz", "disable baz" } };

static bool __attribute__((format(printf, 2, 3))) wrong(char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, JUDGE_WHY_MAX, format, args);
	va_end(args);
	return false;
}

/* ---- Commands */

int judge_run(const struct judge *j, const char *words)
{
	char *argv[WORDS_MAX + 2] = { j->tool }, text[512];
	struct trace_outcome o;
	int n = 1;

	(void)snprintf(text, sizeof(text), "%s", words);
	for (char *word = strtok(text, " "); word != NULL && n <= WORDS_MAX;
	     word = strtok(NULL, " "))
		argv[n++] = word;
	claims_clear_output(j->output_fd);
	trace_run_plain(argv, j->output_fd, &o);
	return WIFEXITED(o.status) ? WEXITSTATUS(o.status) : 255;
}

static bool succeeds(const struct judge *j, const char *words, char *why)
{
	int status = judge_run(j, words);
	char said[1024];

	if (status == 0)
		return true;
	claims_read_output(j->output_fd, said, sizeof(said));
	return wrong(why, "`%s` exits %d: %s", words, status, said);
}

/* ---- The state file */

static json_t *load_state(void)
{
	json_t *root = json_load_file(STATE, 0, NULL), *body = NULL;

	if (root == NULL && access(STATE, F_OK) == 0) {
		/* nobody writes it any more */
		dprintf(STDOUT_FILENO, "# a round leaves a state.json that can't be read\n");
		_exit(1);
	}
	if (root != NULL)
		body = json_incref(json_object_get(root, "body"));
	json_decref(root);
	return body;
}

long long judge_generation(void)
{
	json_t *state = load_state();
	long long generation = json_integer_value(json_object_get(state, "generation"));

	json_decref(state);
	return generation;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static const json_t *find_toggle(const json_t *state, const char *name)
{
	const json_t *toggle;
	size_t i;

	json_array_foreach (json_object_get(state, "toggles"), i, toggle)
		if (strcmp(text_of(toggle, "name"), name) == 0)
			return toggle;
	return NULL;
}

/* ---- Does the host agree? */

static bool check_login(const struct judge *j, const json_t *state, char *why)
{
	bool recorded = find_toggle(state, "root-login") != NULL, open;
	char reason[CLAIMS_WHY_MAX];

	if (!claims_of_sshd(j->output_fd, &open, reason))
		return wrong(why, "%s", reason);
	return open == recorded || wrong(why, "state.json says %s, sshd says %s",
					 recorded ? "open" : "closed", open ? "open" : "closed");
}

static bool is_services(const struct image_entry *e, const char *name)
{
	const char *base = strrchr(e->path, '/') + 1;
	size_t len = strlen(base), n = strlen(name), unit = n + strlen(".service");

	if (strncmp(e->path, "/etc/", strlen("/etc/")) != 0)
		return false;
	return (len >= n && strcmp(base + len - n, name) == 0) ||
	       (len == unit && strncmp(base, name, n) == 0);
}

static bool has_services_of(const struct image *image, const struct image *other,
			    const char *name, char *why)
{
	for (size_t i = 0; i < other->count; i++) {
		const struct image_entry *was = &other->entries[i], *is;

		if (!is_services(was, name))
			continue;
		is = image_find(image, was->path);
		if (is == NULL || !image_entry_same(is, was))
			return wrong(why, "%s is %s", was->path,
				     is == NULL ? "not as expected" : "another one");
	}
	return true;
}

static bool check_services(const struct judge *j, const json_t *state, const struct image *now,
			   char *why)
{
	for (size_t i = 0; i < JUDGE_SERVICES; i++) {
		char toggle[64], reason[JUDGE_WHY_MAX];
		const struct image *expected;

		(void)snprintf(toggle, sizeof(toggle), "service/%s", services[i].name);
		expected = find_toggle(state, toggle) != NULL ? &j->switched[i] : &j->pristine;
		if (!has_services_of(now, expected, services[i].name, reason) ||
		    !has_services_of(expected, now, services[i].name, reason))
			return wrong(why, "state.json says %s is %s, but %.1000s", toggle,
				     expected == &j->pristine ? "not applied" : "applied", reason);
	}
	return true;
}

/* All that it says is applied is recorded, and the other way round. */
static bool check_status(const struct judge *j, const json_t *state, char *why)
{
	const json_t *result;
	size_t i, applied = 0;
	char said[OUTPUT_MAX];
	json_t *root;
	bool fine = true;

	if (!succeeds(j, "status --json", why))
		return false;
	claims_read_output(j->output_fd, said, sizeof(said));
	root = json_loads(said, JSON_DISABLE_EOF_CHECK, NULL);
	if (root == NULL)
		return wrong(why, "status --json: %.500s", said);
	json_array_foreach (json_object_get(root, "results"), i, result) {
		const char *is = text_of(result, "state"), *name = text_of(result, "toggle");
		bool recorded = find_toggle(state, name) != NULL;

		applied += recorded;
		if (strcmp(is, recorded ? "applied" : "normal") != 0)
			fine = wrong(why, "status says %s is %s; recorded: %s", name, is,
				     recorded ? "yes" : "no");
	}
	if (fine && applied != json_array_size(json_object_get(state, "toggles")))
		fine = wrong(why, "status leaves out what is applied");
	json_decref(root);
	return fine;
}

/* ---- Is anything left over? */

static bool knows_id(const char *state, const char *id)
{
	char text[ID_LEN + 1];

	(void)snprintf(text, sizeof(text), "%s", id);
	return strlen(text) == ID_LEN && strstr(state, text) != NULL;
}

/* What carries an ID belongs to a transaction that the state knows. */
static bool check_ids(const struct image *now, char *why)
{
	static const char hidden[] = "/.rootlatch", marker[] = "#rootlatch:";
	const struct image_entry *state = image_find(now, STATE);

	for (size_t i = 0; i < now->count; i++) {
		const struct image_entry *e = &now->entries[i];
		const char *twin = strstr(e->path, hidden), *text = state != NULL ? state->bytes : "";
		const char *marked = S_ISREG(e->st.st_mode) &&
				     strncmp(e->path, "/etc/", strlen("/etc/")) == 0 ?
			strstr(e->bytes, marker) : NULL;

		if ((twin != NULL && !knows_id(text, twin + strlen(hidden) + 1)) ||
		    (strncmp(e->path, SNAPSHOTS, strlen(SNAPSHOTS)) == 0 &&
		     !knows_id(text, e->path + strlen(SNAPSHOTS))))
			return wrong(why, "left over: %s", e->path);
		if (marked != NULL && !knows_id(text, marked + strlen(marker)))
			return wrong(why, "a marker in %s belongs to no transaction", e->path);
	}
	return true;
}

static bool check_watchers(const struct judge *j, const json_t *state, char *why)
{
	const char *file = text_of(find_toggle(state, "root-login"), "watch");
	unsigned due = file[0] != '\0', alive = watchers_settle(due, j->patience_s);

	if (alive != due || (due > 0 && !watchers_file_is_held(file)))
		return wrong(why, "%u watchers, %u are due", alive, due);
	return true;
}

static bool check_processes(const struct judge *j, char *why)
{
	const char *reason;
	unsigned strays = fixture_count_strays(j->daemon);

	if (strays > 0)
		return wrong(why, "%u processes are left over", strays);
	return j->daemon == 0 || fixture_daemon_answers(j->daemon, &reason) ||
	       wrong(why, "%s", reason);
}

/* ---- Both questions */

static bool agrees(const struct judge *j, const json_t *state, const struct image *now, char *why)
{
	return check_login(j, state, why) && check_services(j, state, now, why) &&
	       check_status(j, state, why) && check_ids(now, why) && check_watchers(j, state, why) &&
	       check_processes(j, why);
}

bool judge_settled(const struct judge *j, char why[JUDGE_WHY_MAX])
{
	struct image now;
	json_t *state;
	bool fine;

	if (!succeeds(j, "recover", why) || !succeeds(j, "check", why))
		return false;
	if (access(FIXTURE_STATE "/journal", F_OK) == 0)
		return wrong(why, "after `recover` there is a journal");
	state = load_state();
	image_capture(fixture_roots, &now);
	fine = agrees(j, state, &now, why);
	image_release(&now);
	json_decref(state);
	return fine;
}

/* The state and the log go on; what was and is there is the same otherwise. */
static bool is_history(const struct image_entry *e)
{
	return strncmp(e->path, FIXTURE_STATE, strlen(FIXTURE_STATE)) == 0 ||
	       strcmp(e->path, FIXTURE_RUN) == 0;
}

/* Folders in which our files come and go have the time of that. */
static bool time_counts(const struct image_entry *e)
{
	return strncmp(e->path, "/etc/", strlen("/etc/")) == 0 && strcmp(e->path, "/etc/ssh") != 0 &&
	       strcmp(e->path, "/etc/ssh/sshd_config.d") != 0;
}

static bool is_as_before(const struct image *now, const struct image *was, char *why)
{
	for (size_t i = 0; i < was->count; i++) {
		const struct image_entry *e = &was->entries[i], *is = image_find(now, e->path);

		if (is_history(e))
			continue;
		if (is == NULL || !image_entry_same(is, e))
			return wrong(why, "all is reverted, but %s is %s", e->path,
				     is == NULL ? "gone" : "another one");
		if (time_counts(e) && !image_entry_same_time(is, e))
			return wrong(why, "all is reverted, but %s has another time", e->path);
	}
	for (size_t i = 0; i < now->count; i++)
		if (!is_history(&now->entries[i]) && image_find(was, now->entries[i].path) == NULL)
			return wrong(why, "all is reverted, but there is %s", now->entries[i].path);
	return true;
}

/* The services are one transaction. */
static bool revert_all(const struct judge *j, char *why)
{
	json_t *state = load_state();
	char words[256] = "revert";
	const json_t *toggle;
	size_t i, len = strlen(words), n = len;
	bool login = find_toggle(state, "root-login") != NULL;

	json_array_foreach (json_object_get(state, "toggles"), i, toggle)
		if (strncmp(text_of(toggle, "name"), "service/", strlen("service/")) == 0)
			n += (size_t)snprintf(words + n, sizeof(words) - n, " %s",
					      text_of(toggle, "name"));
	json_decref(state);
	return (!login || succeeds(j, "close", why)) && (n == len || succeeds(j, words, why));
}

bool judge_reverted(const struct judge *j, char why[JUDGE_WHY_MAX])
{
	struct image now;
	json_t *state;
	bool fine;

	if (!revert_all(j, why) || !succeeds(j, "check", why))
		return false;
	state = load_state();
	image_capture(fixture_roots, &now);
	fine = agrees(j, state, &now, why) && is_as_before(&now, &j->pristine, why);
	image_release(&now);
	json_decref(state);
	return fine;
}

/* ---- Before the race */

void judge_learn(struct judge *j, struct versions *legal)
{
	char words[64], why[JUDGE_WHY_MAX];

	for (size_t i = 0; i < JUDGE_SERVICES; i++) {
		if (judge_run(j, services[i].apply) != 0)
			die("%s", services[i].apply);
		image_capture(fixture_roots, &j->switched[i]);
		versions_learn(legal);
		(void)snprintf(words, sizeof(words), "revert service/%s", services[i].name);
		if (!succeeds(j, words, why))
			die("%s", why);
	}
	image_capture(fixture_roots, &j->pristine);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "verdict.h"

#include <ctype.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <time.h>

#include "boot_tree.h"
#include "die.h"
#include "fixture.h"
#include "trace.h"
#include "watchers.h"

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

static const char *name_of(const struct verdict_terms *terms, const struct verdict_host *host)
{
	if (terms->services)
		return host == &terms->before ? "as before" : "as after";
	return host->open ? "open" : "closed";
}

/* ---- Asking the tool */

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
	claims_clear_output(terms->output_fd);
	trace_run_plain(argv, terms->output_fd, &o);
	*ret_status =
		WIFEXITED(o.status) ? WEXITSTATUS(o.status) : 128 + WTERMSIG(o.status);
	return !o.hung;
}

static bool tool_gives(const struct verdict_terms *terms, const char *words, int expected,
		       struct verdict *v)
{
	char text[400];
	int status;

	if (!run_words(terms, words, &status))
		return wrong(v, "`%s` hangs", words);
	if (status == expected)
		return true;
	claims_read_output(terms->output_fd, text, sizeof(text));
	return wrong(v, "`%s` exits %d: %s", words, status, text);
}

bool verdict_tool(const struct verdict_terms *terms, const char *words,
		  struct verdict *ret)
{
	return tool_gives(terms, words, 0, ret);
}

static bool ask_status(const struct verdict_terms *terms, char ret[CLAIMS_STATUS_MAX],
		       struct verdict *v)
{
	char text[8192], why[CLAIMS_WHY_MAX];

	if (!verdict_tool(terms,
			  terms->services ? "status --json foo bar baz" : "status --offline --json",
			  v))
		return false;
	claims_read_output(terms->output_fd, text, sizeof(text));
	if (terms->services)
		return claims_of_services(text, ret, why) || wrong(v, "%s", why);
	return claims_of_status(text, ret, why) || wrong(v, "%s", why);
}

static bool ask_sshd(const struct verdict_terms *terms, bool *ret_open, struct verdict *v)
{
	char why[CLAIMS_WHY_MAX];

	return claims_of_sshd(terms->output_fd, ret_open, why) || wrong(v, "%s", why);
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

unsigned verdict_count_alike(const struct image *image, const char *path)
{
	char name[4096];

	blur_path(path, name, sizeof(name));
	return count_alike(image, name);
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
		FIXTURE_RUN,
		FIXTURE_RUN "/boot",
		FIXTURE_RUN "/sshd",
		WATCHERS_DIR,
	};

	for (size_t i = 0; i < sizeof(lasting) / sizeof(lasting[0]); i++)
		if (strcmp(path, lasting[i]) == 0)
			return true;
	return false;
}

static const char *state_text(const struct image *now)
{
	const struct image_entry *e = image_find(now, FIXTURE_STATE "/state.json");

	return e != NULL ? e->bytes : "";
}

static bool names_id(const char *state, const char *text)
{
	char id[ID_DIGITS + 1];

	(void)snprintf(id, sizeof(id), "%s", text);
	return strstr(state, id) != NULL;
}

/* A reap that had to tidy up is one more transaction, and has a snapshot for `show`. */
static bool is_of_later(const struct image *now, const char *path)
{
	static const char snapshots[] = FIXTURE_STATE "/snapshots/";

	return strncmp(path, snapshots, strlen(snapshots)) == 0 &&
	       names_id(state_text(now), path + strlen(snapshots));
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
			if (are > were && !(v->tidied_later &&
					    is_of_later(now, sides[s]->entries[i].path)))
				return wrong(v, "left over: %s",
					     sides[s]->entries[i].path);
			if (are < were)
				return wrong(v, "missing: %s", name);
		}
	return true;
}

static bool is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && path[n] == '/';
}

/* A file that an opening may change, or make: not what rootlatch keeps for itself. */
bool verdict_is_target(const struct image_entry *e)
{
	return S_ISREG(e->st.st_mode) && strstr(e->path, "/.rootlatch-") == NULL &&
	       !is_below(e->path, FIXTURE_STATE) &&
	       (!is_below(e->path, FIXTURE_RUN) ||
		is_below(e->path, FIXTURE_RUN "/sshd"));
}

bool verdict_same_but_ids(const struct image_entry *a, const struct image_entry *b)
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

/* NULL: as it was. A file that is as it was before everything has its time from then as well. */
static const char *difference(const struct image_entry *is, const struct image_entry *was,
			      const struct image *pristine)
{
	const struct image_entry *first = image_find(pristine, was->path);

	if (is == NULL)
		return "missing";
	if (!verdict_same_but_ids(is, was))
		return is->len != was->len ? "another size" :
					     "other bytes, owner or mode";
	if (first != NULL && image_entry_same(is, first) &&
	    !image_entry_same_time(is, first))
		return "another mtime";
	return NULL;
}

/* All targets, and no others. */
static bool config_is(const struct image *now, const struct image *reference,
		      const struct image *pristine, char *ret_differs, size_t size)
{
	for (size_t i = 0; i < reference->count; i++) {
		const struct image_entry *was = &reference->entries[i];
		const char *differs;

		if (!verdict_is_target(was))
			continue;
		differs = difference(image_find(now, was->path), was, pristine);
		(void)snprintf(ret_differs, size, "%s (%s)", was->path,
			       differs != NULL ? differs : "");
		if (differs != NULL)
			return false;
	}
	for (size_t i = 0; i < now->count; i++) {
		(void)snprintf(ret_differs, size, "%s (new)", now->entries[i].path);
		if (verdict_is_target(&now->entries[i]) &&
		    image_find(reference, now->entries[i].path) == NULL)
			return false;
	}
	return true;
}

static bool host_is(const struct verdict_terms *terms, const struct image *now,
		    const struct image *reference, char *ret_differs, size_t size)
{
	if (terms->services)
		return boot_tree_is(now, reference, &terms->before.image, &terms->pristine,
				    ret_differs, size);
	return config_is(now, reference, &terms->pristine, ret_differs, size);
}

/* Where the configuration is the same on both sides, the deadline tells. */
static bool find_host(const struct verdict_terms *terms, const struct image *now,
		      const struct claims *claims, struct verdict *v)
{
	char from_before[300], from_after[300];
	bool before = host_is(terms, now, &terms->before.image, from_before,
			      sizeof(from_before));
	bool after = host_is(terms, now, &terms->after.image, from_after, sizeof(from_after));

	if (!before && !after)
		return wrong(v, "neither old nor new: %s but for %s, %s but for %s",
			     name_of(terms, &terms->before), from_before,
			     name_of(terms, &terms->after), from_after);
	v->host =
		!after || (before && claims->until_ns == terms->before.claims.until_ns) ?
			&terms->before :
			&terms->after;
	return true;
}

static bool is_either(const struct image_entry *is, const struct image *before,
		      const struct image *after)
{
	const struct image *sides[] = { before, after };

	for (int s = 0; s < 2; s++) {
		const struct image_entry *was = image_find(sides[s], is->path);

		if (was != NULL && verdict_same_but_ids(is, was))
			return true;
	}
	return false;
}

static bool has_all(const struct image *now, const struct image *before,
		    const struct image *after, struct verdict *v)
{
	for (size_t i = 0; i < before->count; i++) {
		const char *path = before->entries[i].path;

		if (verdict_is_target(&before->entries[i]) && image_find(after, path) != NULL &&
		    image_find(now, path) == NULL)
			return wrong(v, "before recover: %s is missing", path);
	}
	return true;
}

bool verdict_untorn(const struct verdict_terms *terms, struct verdict *v)
{
	const struct image *before = &terms->before.image, *after = &terms->after.image;
	struct image now;
	bool whole = true;

	if (terms->services)
		return true;
	image_capture(fixture_roots, &now);
	for (size_t i = 0; i < now.count && whole; i++)
		if (verdict_is_target(&now.entries[i]) && !is_either(&now.entries[i], before, after))
			whole = wrong(v, "before recover: %s is neither old nor new",
				      now.entries[i].path);
	whole = whole && has_all(&now, before, after, v);
	image_release(&now);
	return whole;
}

/* ---- What is said */

/* What carries an ID belongs to a transaction that the state knows. */
static bool check_ids(const struct image *now, struct verdict *v)
{
	static const char hidden[] = "/.rootlatch-", marker[] = "#rootlatch:";
	const char *state = state_text(now);

	for (size_t i = 0; i < now->count; i++) {
		const struct image_entry *e = &now->entries[i];
		const char *twin = strstr(e->path, hidden);
		const char *marked = verdict_is_target(e) ? strstr(e->bytes, marker) : NULL;

		if (twin != NULL && !names_id(state, twin + strlen(hidden)))
			return wrong(v, "%s belongs to no toggle", e->path);
		if (marked != NULL && !names_id(state, marked + strlen(marker)))
			return wrong(v, "a marker in %s belongs to no toggle", e->path);
	}
	return true;
}

static bool check_claims(const struct verdict_terms *terms, const struct claims *claims,
			 struct verdict *v)
{
	const struct claims *expected = &v->host->claims;

	if (claims->applied != expected->applied)
		return wrong(v, "state.json says %s, the host is %s",
			     claims->applied ? "applied" : "not applied",
			     name_of(terms, v->host));
	if (strcmp(claims->toggles, expected->toggles) != 0)
		return wrong(v, "state.json has%s, the host is %s", claims->toggles,
			     name_of(terms, v->host));
	if (claims->until_ns != expected->until_ns)
		return wrong(v, "state.json says until %lld, not %lld",
			     (long long)claims->until_ns, (long long)expected->until_ns);
	return true;
}

static bool check_status(const struct verdict_terms *terms, struct verdict *v)
{
	char said[CLAIMS_STATUS_MAX];

	if (!ask_status(terms, said, v))
		return false;
	return strcmp(said, v->host->status) == 0 ||
	       wrong(v, "status says %s, the host is %s", said, name_of(terms, v->host));
}

/* ---- What runs */

static unsigned watchers_due(const struct verdict_terms *terms,
			     const struct claims *claims)
{
	if (!claims->applied || claims->watch[0] == '\0' || terms->cut)
		return 0;
	return !terms->emptied || strcmp(claims->watch, terms->before.claims.watch) != 0;
}

static bool check_watchers(const struct verdict_terms *terms, const struct claims *claims,
			   unsigned alive, struct verdict *v)
{
	unsigned due = watchers_due(terms, claims);

	if (alive > due)
		return wrong(v, "a watcher lives on, the host is %s",
			     name_of(terms, v->host));
	if (alive < due || (due > 0 && !watchers_file_is_held(claims->watch)))
		return wrong(v, "no watcher holds %s, the host is %s", claims->watch,
			     name_of(terms, v->host));
	return true;
}

static bool check_daemon(const struct verdict_terms *terms, const struct image *is,
			 const struct image *other, const char *name, struct verdict *v)
{
	const struct timespec a_while = { .tv_nsec = 500000000 };
	char why[CLAIMS_WHY_MAX];

	if (terms->daemon == 0 || claims_of_daemon(terms->daemon, is, other, why))
		return true;
	(void)wrong(v, "the host is %s, but %s", name, why);
	(void)nanosleep(&a_while, NULL);
	if (claims_of_daemon(terms->daemon, is, other, why))
		return wrong(v, "the host is %s, but for a moment %s", name, why);
	return false;
}

/* ---- All of it */

void verdict_look(const struct verdict_terms *terms, struct verdict_host *ret)
{
	char why[CLAIMS_WHY_MAX];
	struct verdict v;

	image_capture(fixture_roots, &ret->image);
	if (!claims_of_state(&ret->image, &ret->claims, why))
		die("%s", why);
	if (!ask_status(terms, ret->status, &v) ||
	    (!terms->services && !ask_sshd(terms, &ret->open, &v)))
		die("%s", v.why);
}

/* The state says how many watchers there shall be, and their files go with them. */
static bool look_when_settled(const struct verdict_terms *terms, struct image *ret,
			      struct claims *ret_claims, unsigned *ret_alive,
			      struct verdict *v)
{
	static const char *const state[] = { FIXTURE_STATE, NULL };
	char why[CLAIMS_WHY_MAX];
	bool sensible;

	image_capture(state, ret);
	sensible = claims_of_state(ret, ret_claims, why);
	image_release(ret);
	*ret_alive = watchers_settle(watchers_due(terms, ret_claims), terms->patience_s);
	image_capture(fixture_roots, ret);
	return sensible || wrong(v, "%s", why);
}

static bool check_host(const struct verdict_terms *terms, struct verdict *v)
{
	struct claims claims;
	struct image now;
	unsigned alive;
	bool whole;

	whole = look_when_settled(terms, &now, &claims, &alive, v) &&
		find_host(terms, &now, &claims, v) && check_claims(terms, &claims, v) &&
		check_ids(&now, v) && check_watchers(terms, &claims, alive, v) &&
		check_names(&now, &v->host->image, v);
	image_release(&now);
	return whole;
}

bool verdict_whole(const struct verdict_terms *terms, struct verdict *v)
{
	unsigned strays = fixture_count_strays(terms->daemon),
		 mounts = fixture_count_mounts();
	const struct verdict_host *other;

	if (strays > 0)
		return wrong(v, "%u processes left over", strays);
	if (mounts != terms->mounts)
		return wrong(v, "%u mounts, %u before", mounts, terms->mounts);
	if (!check_host(terms, v) || !check_status(terms, v))
		return false;
	other = v->host == &terms->before ? &terms->after : &terms->before;
	return check_daemon(terms, &v->host->image, &other->image, name_of(terms, v->host),
			    v);
}

bool verdict_said(const struct verdict_terms *terms, int status, struct verdict *v)
{
	const bool after = v->host == &terms->after;

	return !terms->services || (status == 0) == after ||
	       wrong(v, "it exits %d, the host is %s", status, name_of(terms, v->host));
}

/* What counts before anybody has tidied up: no folders, and nothing hidden. */
static bool is_kept(const struct verdict_terms *terms, const struct image_entry *e)
{
	if (!terms->services)
		return verdict_is_target(e);
	return strncmp(e->path, "/etc/", strlen("/etc/")) == 0 && !S_ISDIR(e->st.st_mode) &&
	       strstr(e->path, "/.rootlatch-") == NULL;
}

/* The first of `a` that `b` has not, or otherwise. */
static const struct image_entry *find_other(const struct verdict_terms *terms,
					    const struct image *a, const struct image *b)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct image_entry *e = &a->entries[i], *other;

		if (!is_kept(terms, e))
			continue;
		other = image_find(b, e->path);
		if (other == NULL || !verdict_same_but_ids(e, other))
			return e;
	}
	return NULL;
}

bool verdict_kept(const struct verdict_terms *terms, int status, struct verdict *v)
{
	const struct verdict_host *host = status == 0 ? &terms->after : &terms->before;
	const struct image_entry *other;
	char why[CLAIMS_WHY_MAX];
	struct claims claims;
	struct image now;
	bool kept = false;

	if (status == 4)
		return true;
	v->host = host;
	image_capture(fixture_roots, &now);
	other = find_other(terms, &now, &host->image);
	if (other == NULL)
		other = find_other(terms, &host->image, &now);
	if (other != NULL)
		(void)wrong(v, "it exits %d, the host is not %s: %s", status,
			    name_of(terms, host), other->path);
	else if (!claims_of_state(&now, &claims, why))
		(void)wrong(v, "%s", why);
	else
		kept = check_claims(terms, &claims, v);
	image_release(&now);
	return kept;
}

bool verdict_left_over(const struct verdict_terms *terms, struct verdict *v)
{
	static const char *const state[] = { FIXTURE_STATE, NULL };
	char why[CLAIMS_WHY_MAX];
	struct claims claims;
	struct image now;
	bool open;

	image_capture(state, &now);
	if (!claims_of_state(&now, &claims, why))
		(void)wrong(v, "%s", why);
	else if (claims.applied)
		(void)wrong(v, "it exits 4, and state.json says applied");
	else if (ask_sshd(terms, &open, v) && open)
		(void)wrong(v, "it exits 4, and sshd lets root in");
	else
		v->why[0] = '\0';
	image_release(&now);
	v->tidied_later = true;
	return v->why[0] == '\0' && verdict_tool(terms, "reap", v);
}

static bool check_closed(const struct verdict_terms *terms, struct verdict *v)
{
	char differs[300];
	struct image now;
	bool same, open;

	if (watchers_settle(0, terms->patience_s) > 0)
		return wrong(v, "after close: a watcher lives on");
	image_capture(fixture_roots, &now);
	same = config_is(&now, &terms->pristine, &terms->pristine, differs,
			 sizeof(differs));
	image_release(&now);
	if (!same)
		return wrong(v, "after close: %s", differs);
	if (!ask_sshd(terms, &open, v))
		return false;
	return !open || wrong(v, "after close sshd lets root in");
}

static bool check_reverted(const struct verdict_terms *terms, struct verdict *v)
{
	char differs[300];
	struct image now;
	bool same;

	image_capture(fixture_roots, &now);
	same = boot_tree_is(&now, &terms->pristine, &terms->pristine, &terms->pristine, differs,
			    sizeof(differs));
	image_release(&now);
	return same || wrong(v, "after revert: %s", differs);
}

static bool revert_services(const struct verdict_terms *terms, struct verdict *v)
{
	char words[300];

	if (!tool_gives(terms, "check", 0, v))
		return false;
	(void)snprintf(words, sizeof(words), "revert%s", v->host->claims.toggles);
	return !v->host->claims.applied ||
	       (verdict_tool(terms, words, v) && check_reverted(terms, v));
}

bool verdict_way_back(const struct verdict_terms *terms, struct verdict *v)
{
	const struct verdict_host *host = v->host;
	bool open, overdue = (terms->overdue && host == &terms->before) ||
			     (terms->cut && host->claims.until_ns != 0);

	if (terms->services)
		return revert_services(terms, v);
	if (!ask_sshd(terms, &open, v))
		return false;
	if (open != host->open)
		return wrong(v, "sshd says otherwise, the host is %s", name_of(terms, host));
	if (!tool_gives(terms, "check", overdue ? 2 : 0, v))
		return false;
	if (!host->claims.applied)
		return true;
	return verdict_tool(terms, "close", v) && check_closed(terms, v) &&
	       check_daemon(terms, &terms->pristine, &host->image, "closed", v);
}

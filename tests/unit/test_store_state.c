/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/state.h"
#include "store/state_json.h"

#define DIR "/lib"
#define FILE_ DIR "/state.json"

static struct store store = STORE_INIT;

static void enter(void)
{
	struct error err = ERROR_INIT;

	box_enter();
	box_mkdir(DIR, 0700);
	box_ok(store_init(&store, &box()->host, DIR, &err));
}

static void leave(void)
{
	store_release(&store);
	box_leave();
}

TestSuite(store_state, .init = enter, .fini = leave, .timeout = 60);

/* Bytes of a sshd_config that was written in Latin-1, with what JSON would choke on. */
#define ORIGINAL "PermitRootLogin no # f\xfcr \"Fr\xe4ulein\" \\x41 \t\x7f\x01"
#define OURS "PermitRootLogin yes # f\xfcr"

static void add_toggle(struct state *s, const char *name, const char *id, const char *reason)
{
	struct state_toggle t = {
		.name = strdup(name),
		.since_ns = 1772371800123456789,
		.until_ns = 0,
		.by = strdup("alice"),
		.reason = reason != NULL ? strdup(reason) : NULL,
		.placement = strdup("in-place"),
		.allow = strdup("yes"),
		.was = strdup("no"),
		.is = strdup("yes"),
		.config = strdup("/etc/ssh/sshd_config"),
	};
	struct error err = ERROR_INIT;

	memcpy(t.id, id, sizeof(t.id));
	box_ok(strings_add(&t.closure, "/etc/ssh/sshd_config", &err));
	box_ok(strings_add(&t.closure, "/etc/ssh/other", &err));
	box_ok(state_add_toggle(s, &t, &err));
}

static void add_file(struct state *s, const char *path, const char *saved)
{
	const struct host_meta meta = { .mode = 04640, .uid = 0, .gid = 4294967294u,
					.mtime_ns = 1234567890000000007,
					.attrs = digest_of("a", 1) };
	struct state_file f = {
		.path = strdup(path),
		.twin = strdup("/etc/ssh/.twin"),
		.saved = strdup(saved),
		.base = digest_of("base", 4),
		.base_meta = meta,
		.left = digest_of("left", 4),
		.left_meta = meta,
	};
	struct edit edit = EDIT_INIT;
	struct error err = ERROR_INIT;

	memcpy(edit.id, "0badcafe", 9);
	box_ok(edit_add(&edit, EDIT_SET, ORIGINAL, OURS, &err));
	box_ok(edit_add(&edit, EDIT_DISABLE, "\xff", NULL, &err));
	box_ok(edit_add(&edit, EDIT_INSERT, NULL, "", &err));
	box_ok(state_add_edit(&f, "root-login", &edit, false, &err));
	memcpy(edit.id, "0badf00d", 9);
	box_ok(state_add_edit(&f, "root-login@/srv/sshd_config", &edit, true, &err));
	edit_release(&edit);
	box_ok(state_add_file(s, &f, &err));
}

static void fill(struct state *s)
{
	struct error err = ERROR_INIT;

	s->generation = 12;
	s->reloaded = (struct host_process){ .pid = 412, .start_ticks = 123456789 };
	s->reloaded_ns = 1772371800000000001;
	add_toggle(s, "root-login", "0badcafe", "move www \xc3\xa4 \"now\"");
	add_toggle(s, "root-login@/srv/sshd_config", "0badf00d", NULL);
	add_file(s, "/etc/ssh/sshd_config", "/lib/snapshots/0badcafe/0.before");
	add_file(s, "/etc/ssh/other", "/lib/snapshots/12345678/1.before");
	box_ok(state_add_event(s, "0badcafe", "open", "root-login", NULL, 5, &err));
	box_ok(state_add_event(s, "0badf00d", "close", "root-login", "0badcafe", 6, &err));
}

static void expect_same(const struct state *a, const struct state *b)
{
	struct error err = ERROR_INIT;
	_cleanup_json_ json_t *ja = state_to_json(a, &err), *jb = state_to_json(b, &err);
	_cleanup_free_ char *ta = json_dumps(ja, JSON_SORT_KEYS | JSON_INDENT(1));
	_cleanup_free_ char *tb = json_dumps(jb, JSON_SORT_KEYS | JSON_INDENT(1));

	box_str(tb, ta);
}

Test(store_state, that_is_missing_is_empty)
{
	_cleanup_state_ struct state s = STATE_INIT;
	struct error err = ERROR_INIT;

	box_ok(state_read(&store, &s, &err));
	cr_expect(eq(i64, s.generation, 0));
	cr_expect(eq(sz, s.n_toggles + s.n_files + s.n_events, 0));
	box_str(box_names(DIR), "");
}

Test(store_state, comes_back_as_it_was)
{
	_cleanup_state_ struct state s = STATE_INIT, back = STATE_INIT, copy = STATE_INIT;
	const struct state_file *f;
	struct error err = ERROR_INIT;

	fill(&s);
	box_ok(state_write(&store, &s, &err));
	cr_expect(eq(uint, box_mode(FILE_), 0600));
	box_ok(state_read(&store, &back, &err));
	expect_same(&s, &back);
	box_ok(state_copy(&s, &copy, &err));
	expect_same(&s, &copy);
	/* and to the byte, where JSON could hide a loss */
	f = state_find_file(&back, "/etc/ssh/sshd_config");
	cr_assert(f != NULL && f->len == 2 && f->edits[0].edit.len == 3);
	box_str(f->edits[0].edit.changes[0].original, ORIGINAL);
	box_str(f->edits[0].edit.changes[0].ours, OURS);
	box_str(f->edits[0].edit.changes[1].original, "\xff");
	cr_expect(f->edits[0].edit.changes[1].ours == NULL);
	cr_expect(f->edits[0].edit.changes[2].original == NULL);
	box_str(f->edits[0].edit.changes[2].ours, "");
	cr_expect(eq(uint, f->base_meta.gid, 4294967294u));
	cr_expect(eq(uint, f->base_meta.mode, 04640));
	cr_expect(eq(i64, f->left_meta.mtime_ns, 1234567890000000007));
	box_str(back.toggles[0].reason, "move www \xc3\xa4 \"now\"");
	cr_expect(back.toggles[1].reason == NULL);
	box_str(back.events[0].undoes, "");
	box_str(back.events[1].undoes, "0badcafe");
	cr_expect(eq(int, back.reloaded.pid, 412));
	cr_expect(eq(u64, back.reloaded.start_ticks, 123456789));
}

/* A file that somebody wrote to between two edits of ours has no base image any more. */
Test(store_state, comes_back_without_a_base)
{
	_cleanup_state_ struct state s = STATE_INIT, back = STATE_INIT;
	struct error err = ERROR_INIT;

	fill(&s);
	s.files[0].base.hex[0] = '\0';
	box_ok(state_write(&store, &s, &err));
	box_ok(state_read(&store, &back, &err));
	cr_assert(eq(sz, back.n_files, 2));
	box_str(back.files[0].base.hex, "");
	expect_same(&s, &back);
}

Test(store_state, is_refused_when_it_is_not_root_s_alone)
{
	_cleanup_state_ struct state s = STATE_INIT, back = STATE_INIT;
	struct error err = ERROR_INIT;

	fill(&s);
	box_ok(state_write(&store, &s, &err));
	cr_assert(eq(int, chmod(box_path(FILE_), 0660), 0));
	box_fails(state_read(&store, &back, &err), ERROR_REFUSED, "may have been altered");
	cr_assert(eq(int, chmod(box_path(FILE_), 0600), 0));
	cr_assert(eq(int, chown(box_path(FILE_), 1000, 0), 0));
	box_fails(state_read(&store, &back, &err), ERROR_REFUSED, "may have been altered");
	cr_assert(eq(int, chown(box_path(FILE_), 0, 0), 0));
	cr_assert(eq(int, link(box_path(FILE_), box_path("/second")), 0));
	box_fails(state_read(&store, &back, &err), ERROR_REFUSED, "2 links");
	cr_assert(eq(int, unlink(box_path(FILE_)), 0));
	cr_assert(eq(int, symlink("../second", box_path(FILE_)), 0));
	box_fails(state_read(&store, &back, &err), ERROR_REFUSED, "symbolic link");
	cr_expect(eq(sz, back.n_toggles, 0));
}

Test(store_state, is_refused_when_it_is_torn_or_altered)
{
	_cleanup_state_ struct state s = STATE_INIT;
	struct error err = ERROR_INIT;
	char text[16384];
	size_t len;

	fill(&s);
	box_ok(state_write(&store, &s, &err));
	(void)snprintf(text, sizeof(text), "%s", box_text(FILE_));
	len = strlen(text);
	for (size_t cut = 0; cut < len - 1; cut += cut < 64 ? 1 : 101) {
		_cleanup_state_ struct state back = STATE_INIT;
		char was = text[cut];

		text[cut] = '\0';
		box_write(FILE_, text);
		text[cut] = was;
		box_fails(state_read(&store, &back, &err), ERROR_REFUSED, "torn or was altered");
		cr_expect(strstr(err.message, FILE_) != NULL, "%s", err.message);
	}
	for (size_t at = 0; at < len; at += 53) {
		_cleanup_state_ struct state back = STATE_INIT;
		char was = text[at];

		if (was == ' ' || was == '\n')
			continue;
		text[at] = was == '1' ? '2' : '1';
		box_write(FILE_, text);
		text[at] = was;
		box_fails(state_read(&store, &back, &err), ERROR_REFUSED, "");
	}
}

static void seal_and_write(const json_t *body, int schema)
{
	_cleanup_buffer_ struct buffer b = BUFFER_INIT;
	struct error err = ERROR_INIT;

	box_ok(json_seal(body, schema, &b, &err));
	box_write(FILE_, b.data);
	cr_assert(eq(int, chmod(box_path(FILE_), 0600), 0));
}

Test(store_state, of_a_newer_program_is_refused)
{
	_cleanup_json_ json_t *body = json_object();
	_cleanup_state_ struct state back = STATE_INIT;
	struct error err = ERROR_INIT;

	seal_and_write(body, STATE_SCHEMA + 1);
	box_fails(state_read(&store, &back, &err), ERROR_REFUSED, "newer rootlatch");
	seal_and_write(body, STATE_SCHEMA);
	box_fails(state_read(&store, &back, &err), ERROR_REFUSED, "generation");
}

/* Sealed, and still nothing that we would write. */
Test(store_state, refuses_values_that_it_never_writes)
{
	static const struct {
		const char *list, *key, *value;
	} rows[] = {
		{ "files", "path", "relative" },
		{ "files", "path", "/etc/../etc/shadow" },
		{ "files", "twin", "/etc//x" },
		{ "files", "saved", "" },
		{ "files", "base", "zz" },
		{ "files", "left", "" },
		{ "files", "edits", NULL },
		{ "files", "base_meta", NULL },
		{ "toggles", "id", "../../xx" },
		{ "toggles", "id", "0BADCAFE" },
		{ "toggles", "config", "etc" },
		{ "toggles", "name", NULL },
		{ "toggles", "since_ns", "yesterday" },
		{ "events", "id", "" },
		{ "events", "command", NULL },
		{ "events", "at_ns", "x" },
	};
	_cleanup_state_ struct state s = STATE_INIT;
	struct error err = ERROR_INIT;

	fill(&s);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_json_ json_t *json = state_to_json(&s, &err);
		_cleanup_state_ struct state back = STATE_INIT;
		json_t *one = json_array_get(json_object_get(json, rows[i].list), 1);

		(void)json_object_set_new(one, rows[i].key,
					  rows[i].value != NULL ? json_string(rows[i].value) :
								  json_null());
		box_fails(state_from_json(json, &back, &err), ERROR_REFUSED, rows[i].list);
		cr_expect(eq(sz, back.n_files + back.n_toggles, 0), "row %zu", i);
	}
}

/* Or an opening under another name would be left to whoever tidies up. */
Test(store_state, refuses_what_does_not_belong_together)
{
	static const struct {
		const char *key, *value, *why;
	} rows[] = {
		{ "name", "root-login@/etc/x", "not the toggle of that transaction" },
		{ "name", "service/foo", "another kind's record" },
		{ "service", NULL, "another kind's record" },
	};
	_cleanup_state_ struct state s = STATE_INIT;
	struct error err = ERROR_INIT;

	fill(&s);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_json_ json_t *json = state_to_json(&s, &err);
		_cleanup_state_ struct state back = STATE_INIT;
		json_t *one = json_array_get(json_object_get(json, "toggles"), 0);
		json_t *service = json_pack("{s:i, s:i, s:s, s:[], s:[]}", "mode_before", 0, "mode_after",
					    0, "script", "", "before", "after");

		(void)json_object_set_new(one, rows[i].key, rows[i].value != NULL ?
					  json_string(rows[i].value) : json_incref(service));
		json_decref(service);
		box_fails(state_from_json(json, &back, &err), ERROR_REFUSED, rows[i].why);
	}
}

Test(store_state, refuses_an_edit_that_makes_no_sense)
{
	static const struct {
		const char *kind, *original, *ours;
	} rows[] = {
		{ "explode", "a", "b" },
		{ "set", "a", NULL },
		{ "set", NULL, "b" },
		{ "insert", "a", "b" },
		{ "insert", NULL, NULL },
		{ "disable", NULL, NULL },
		{ "disable", "a", "b" },
		{ "set", "a\\x0ab", "b" },
		{ "set", "a", "b\\x0a" },
		{ "set", "a\\x00", "b" },
		{ "set", "a\\", "b" },
	};
	_cleanup_state_ struct state s = STATE_INIT;
	struct error err = ERROR_INIT;

	fill(&s);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_json_ json_t *json = state_to_json(&s, &err);
		_cleanup_state_ struct state back = STATE_INIT;
		json_t *edits = json_object_get(json_array_get(json_object_get(json, "files"), 0),
						"edits");
		json_t *changes = json_object_get(json_array_get(edits, 0), "changes");

		(void)json_array_set_new(changes, 0, json_pack("{s:s, s:s?, s:s?}", "kind",
							       rows[i].kind, "original",
							       rows[i].original, "ours",
							       rows[i].ours));
		cr_expect(eq(int, state_from_json(json, &back, &err), -1), "row %zu: %s", i,
			  rows[i].kind);
	}
}

Test(store_state, keeps_the_last_hundred_events)
{
	_cleanup_state_ struct state s = STATE_INIT, back = STATE_INIT;
	_cleanup_strings_ struct strings ids = STRINGS_INIT;
	struct error err = ERROR_INIT;
	char id[16];

	for (unsigned i = 0; i < STATE_HISTORY_MAX + 30; i++) {
		(void)snprintf(id, sizeof(id), "%08x", i);
		box_ok(state_add_event(&s, id, "open", "root-login", NULL, i, &err));
	}
	cr_expect(eq(sz, s.n_events, STATE_HISTORY_MAX));
	box_str(s.events[0].id, "0000001e");
	box_str(s.events[STATE_HISTORY_MAX - 1].id, id);
	box_ok(state_write(&store, &s, &err));
	box_ok(state_read(&store, &back, &err));
	cr_expect(eq(sz, back.n_events, STATE_HISTORY_MAX));
	/* a toggle and a base image that are older than that keep their snapshots */
	add_toggle(&s, "root-login", "0badcafe", NULL);
	add_file(&s, "/etc/x", "/lib/snapshots/0badf00d/0.before");
	box_ok(state_ids(&s, &ids, &err));
	cr_expect(strings_contain(&ids, "0badcafe"));
	cr_expect(strings_contain(&ids, "0badf00d"));
	cr_expect(strings_contain(&ids, id));
	cr_expect(not(strings_contain(&ids, "00000000")));
}

Test(store_state, finds_and_forgets)
{
	_cleanup_state_ struct state s = STATE_INIT;

	fill(&s);
	cr_expect(state_find_toggle(&s, "root-login@/srv/sshd_config") == &s.toggles[1]);
	cr_expect(state_find_toggle(&s, "root") == NULL);
	cr_expect(state_find_file(&s, "/etc/ssh/other") == &s.files[1]);
	state_remove_toggle(&s, "root-login");
	state_remove_toggle(&s, "root-login");
	cr_assert(eq(sz, s.n_toggles, 1));
	box_str(s.toggles[0].name, "root-login@/srv/sshd_config");
	state_remove_file(&s, "/etc/ssh/sshd_config");
	state_remove_file(&s, "/etc/none");
	cr_assert(eq(sz, s.n_files, 1));
	box_str(s.files[0].path, "/etc/ssh/other");
}

static void add_service(struct state *s, const char *name, const char *id)
{
	struct state_toggle t = {
		.name = strdup(name), .since_ns = 1, .by = strdup("root"), .placement = strdup("boot"),
		.allow = strdup("off"), .was = strdup("S02 in rc2"), .is = strdup("K02 in rc2"),
		.config = strdup("/etc/init.d/foo"), .service = calloc(1, sizeof(*t.service)),
	};
	struct error err = ERROR_INIT;

	memcpy(t.id, id, sizeof(t.id));
	t.service->stopped = true;
	t.service->removed = true;
	t.service->mode_before = 0750;
	t.service->mode_after = 0644;
	t.service->script = digest_of("x", 1);
	box_ok(strings_add(&t.service->before, "/etc/rc2.d/S02foo ../init.d/foo", &err));
	box_ok(strings_add(&t.service->after, "/etc/rc2.d/K02foo ../init.d/foo", &err));
	box_ok(state_add_toggle(s, &t, &err));
}

Test(store_state, keeps_service_toggles_and_the_images_that_lead_back)
{
	_cleanup_state_ struct state s = STATE_INIT, back = STATE_INIT;
	_cleanup_strings_ struct strings none = STRINGS_INIT, ids = STRINGS_INIT, all = STRINGS_INIT;
	const struct state_service *r;
	struct error err = ERROR_INIT;

	add_service(&s, "service/foo", "00000001");
	add_service(&s, "service/bar", "00000002");
	s.boot_left = digest_of("tree", 4);
	box_ok(state_service_ids(&s, &ids, &err));
	box_ok(state_add_image(&s, "00000001", &none, &err));
	box_ok(state_add_image(&s, "00000003", &ids, &err));
	box_ok(state_write(&store, &s, &err));
	box_ok(state_read(&store, &back, &err));
	r = back.toggles[0].service;
	cr_assert_not_null(r);
	cr_expect(r->stopped && r->removed && !r->on && !r->started);
	cr_expect(eq(int, (int)r->mode_before, 0750));
	cr_expect(eq(int, (int)r->mode_after, 0644));
	cr_expect_str_eq(r->before.items[0], "/etc/rc2.d/S02foo ../init.d/foo");
	cr_expect_str_eq(r->after.items[0], "/etc/rc2.d/K02foo ../init.d/foo");
	cr_expect(digest_equal(&back.boot_left, &s.boot_left));
	cr_assert(eq(sz, back.n_images, 2));
	cr_expect(strings_equal(&back.images[1].applied, &ids));
	/* its snapshot has to stay, although no event and no toggle names it */
	box_ok(state_ids(&back, &all, &err));
	cr_expect(strings_contain(&all, "00000003"));

	/* what was applied in it is not applied any more: it leads nowhere */
	state_remove_toggle(&back, "service/bar");
	state_drop_images(&back, false);
	cr_assert(eq(sz, back.n_images, 1));
	cr_expect_str_eq(back.images[0].id, "00000001");
	state_drop_images(&back, true);
	cr_expect(eq(sz, back.n_images, 0));
}

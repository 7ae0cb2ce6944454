/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include "plan/plan.h"

#define HEX "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static struct step sample_step(const char *path, const char *saved, bool ready)
{
	struct step s = {
		.path = strdup(path),
		.temp = strdup("/etc/.t"),
		.before = digest_of("old", 3),
		.after = digest_of("new", 3),
		.saved = saved != NULL ? strdup(saved) : NULL,
		.ready = ready,
		.dev = 7,
	};

	return s;
}

static json_t *sample_plan(void)
{
	_cleanup_plan_ struct plan p = PLAN_INIT;
	struct step a = sample_step("/etc/a", "/state/0.before", false),
		    b = sample_step("/etc/b \xc3\xa4", NULL, true);
	struct error err = ERROR_INIT;
	json_t *json;

	memcpy(p.id, "0badcafe", 9);
	box_ok(plan_add(&p, &a, &err));
	box_ok(plan_add(&p, &b, &err));
	cr_expect(a.path == NULL && b.path == NULL);
	box_ok(strings_add(&p.on_commit, "/etc/.t", &err));
	box_ok(strings_add(&p.on_abort, "/etc/.u", &err));
	json = plan_to_json(&p, &err);
	cr_assert(json != NULL, "%s", err.message);
	return json;
}

Test(plan_json, comes_back_as_it_was)
{
	_cleanup_json_ json_t *json = sample_plan(), *again = NULL;
	_cleanup_plan_ struct plan p = PLAN_INIT;
	struct error err = ERROR_INIT;

	box_ok(plan_from_json(json, &p, &err));
	box_str(p.id, "0badcafe");
	cr_assert(eq(sz, p.len, 2));
	box_str(p.steps[0].path, "/etc/a");
	box_str(p.steps[0].saved, "/state/0.before");
	box_str(p.steps[0].before.hex, digest_of("old", 3).hex);
	box_str(p.steps[0].after.hex, digest_of("new", 3).hex);
	cr_expect(not(p.steps[0].ready));
	box_str(p.steps[1].path, "/etc/b \xc3\xa4");
	cr_expect(p.steps[1].saved == NULL);
	cr_expect(p.steps[1].ready);
	cr_expect(eq(i64, p.steps[1].after_mtime_ns, -1));
	cr_expect(p.steps[1].before_bytes.data == NULL);
	again = plan_to_json(&p, &err);
	cr_expect(json_equal(json, again));
}

Test(plan_json, refuses_a_step_that_it_never_writes)
{
	static const char *const paths[] = { "", "etc/a", "/etc/../shadow", "/etc//a", "/etc/./a",
					     "/etc/a/", "/etc/a\n", "/etc/\x1b[2J" };
	static const char *const keys[] = { "path", "temp", "saved" };
	static const char *const digests[] = { "", "0", HEX "0",
		"BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"../816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" };

	for (size_t i = 0; i < ARRAY_SIZE(paths) * ARRAY_SIZE(keys); i++) {
		const char *key = keys[i % 3], *path = paths[i / 3];
		_cleanup_json_ json_t *json = sample_plan();
		struct step s = { 0 };
		struct error err = ERROR_INIT;
		json_t *step = json_array_get(json_object_get(json, "steps"), 0);

		(void)json_object_set_new(step, key, json_string(path));
		box_fails(step_from_json(step, &s, &err), ERROR_REFUSED, key);
		cr_expect(s.path == NULL && s.temp == NULL && s.saved == NULL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(digests) * 2; i++) {
		const char *key = i % 2 ? "before" : "after";
		_cleanup_json_ json_t *json = sample_plan();
		_cleanup_plan_ struct plan p = PLAN_INIT;
		struct error err = ERROR_INIT;
		json_t *step = json_array_get(json_object_get(json, "steps"), 1);

		(void)json_object_set_new(step, key, json_string(digests[i / 2]));
		box_fails(plan_from_json(json, &p, &err), ERROR_REFUSED, "step 2: ");
		cr_expect(strstr(err.message, key) != NULL, "%s", err.message);
	}
}

Test(plan_json, refuses_what_is_missing_or_of_another_type)
{
	static const char *const keys[] = { "id", "steps", "on_commit", "on_abort" };
	static const char *const step_keys[] = { "path", "temp", "before", "after" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		for (int type = 0; type < 4; type++) {
			_cleanup_json_ json_t *json = sample_plan();
			_cleanup_plan_ struct plan p = PLAN_INIT;
			struct error err = ERROR_INIT;

			if (type == 0)
				(void)json_object_del(json, keys[i]);
			else
				(void)json_object_set_new(json, keys[i], type == 1 ? json_null() :
							  type == 2 ? json_integer(1) :
								      json_pack("[i]", 1));
			box_fails(plan_from_json(json, &p, &err), ERROR_REFUSED, "");
			cr_expect(eq(sz, p.len, 0));
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(step_keys); i++) {
		_cleanup_json_ json_t *json = sample_plan();
		_cleanup_plan_ struct plan p = PLAN_INIT;
		struct error err = ERROR_INIT;

		(void)json_object_del(json_array_get(json_object_get(json, "steps"), 0), step_keys[i]);
		box_fails(plan_from_json(json, &p, &err), ERROR_REFUSED, step_keys[i]);
	}
}

Test(plan_json, refuses_an_id_that_is_none)
{
	static const char *const ids[] = { "", "0badcaf", "0badcafe0", "0BADCAFE", "../../xx",
					   "0badcafg" };

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		_cleanup_json_ json_t *json = sample_plan();
		_cleanup_plan_ struct plan p = PLAN_INIT;
		struct error err = ERROR_INIT;

		(void)json_object_set_new(json, "id", json_string(ids[i]));
		box_fails(plan_from_json(json, &p, &err), ERROR_REFUSED, "is no transaction's");
	}
}

/* They are unlinked: what a hostile journal could name here is as good as what it names above. */
Test(plan_json, refuses_to_remove_what_is_no_clean_path)
{
	static const char *const paths[] = { "", "relative", "/etc/../etc/shadow", "/a//b", "/a\n" };

	for (size_t i = 0; i < ARRAY_SIZE(paths) * 2; i++) {
		_cleanup_json_ json_t *json = sample_plan();
		_cleanup_plan_ struct plan p = PLAN_INIT;
		struct error err = ERROR_INIT;

		(void)json_object_set_new(json, i % 2 ? "on_commit" : "on_abort",
					  json_pack("[s]", paths[i / 2]));
		box_fails(plan_from_json(json, &p, &err), ERROR_REFUSED, "");
	}
}

Test(plan_json, says_so_when_a_path_is_no_utf_8)
{
	struct step s = sample_step("/etc/\xe4", NULL, false);
	struct error err = ERROR_INIT;

	cr_expect(step_to_json(&s, &err) == NULL);
	cr_expect(eq(int, err.code, ERROR_REFUSED));
	cr_expect(strstr(err.message, "not UTF-8") != NULL, "%s", err.message);
	step_release(&s);
}

Test(plan_json, has_ids_of_eight_digits_which_are_not_taken)
{
	_cleanup_strings_ struct strings taken = STRINGS_INIT;
	struct error err = ERROR_INIT;
	char id[PLAN_ID_LEN + 1];

	for (int i = 0; i < 200; i++) {
		box_ok(plan_new_id(id, &taken, &err));
		cr_expect(eq(sz, strlen(id), PLAN_ID_LEN));
		cr_expect(eq(sz, strspn(id, "0123456789abcdef"), PLAN_ID_LEN));
		cr_expect(not(strings_contain(&taken, id)));
		box_ok(strings_add(&taken, id, &err));
	}
}

/* ---- the kinds */

static const char *const kind_names[] = { "replace", "create", "unlink", "start", "run",
					  "link", "delink", "relink", "rename", "mode", "times" };

static struct step step_of_kind(enum step_kind kind)
{
	struct step s = { .kind = kind, .meta = { .mode = 04640 } };
	struct error err = ERROR_INIT;

	if (kind != STEP_RUN)
		s.path = strdup("/run/a");
	if (kind == STEP_REPLACE || kind == STEP_CREATE || kind == STEP_UNLINK ||
	    kind == STEP_RELINK)
		s.temp = strdup("/run/.a");
	if (kind == STEP_REPLACE || kind == STEP_UNLINK) {
		s.before = digest_of("old", 3);
		s.saved = strdup("/state/3.middle");
		s.ready = true;
	}
	if (kind == STEP_REPLACE || kind == STEP_CREATE)
		s.after = digest_of("new", 3);
	if (kind == STEP_START || kind == STEP_RUN) {
		box_ok(strings_add(&s.argv, "/bin/a", &err));
		box_ok(strings_add(&s.argv, "an argument\n", &err));
		box_ok(strings_add(&s.argv, "", &err));
	}
	if (kind == STEP_RUN) {
		box_ok(strings_add(&s.undo, "/bin/undo", &err));
		box_ok(strings_add(&s.verify, "/bin/verify", &err));
		s.verify_fails = true;
	}
	if (kind >= STEP_LINK && kind <= STEP_RENAME)
		s.target = strdup("../init.d/a b\n");
	if (kind >= STEP_LINK && kind <= STEP_RELINK)
		s.mtime_ns = kind == STEP_LINK ? -1 : 1234567890000000005;
	s.made_folder = kind == STEP_LINK || kind == STEP_DELINK;
	if (kind == STEP_RELINK) {
		s.new_target = strdup("/dev/null\n");
		s.new_mtime_ns = 1300000000000000007;
	}
	if (kind == STEP_RENAME)
		s.to = strdup("/run/b");
	if (kind == STEP_MODE) {
		s.mode_before = 04755;
		s.mode_after = 0;
	}
	if (kind == STEP_TIMES) {
		s.mtime_before_ns = 1234567890000000005;
		s.mtime_after_ns = -1;
	}
	return s;
}

static json_t *json_of_kind(enum step_kind kind)
{
	struct step s = step_of_kind(kind);
	struct error err = ERROR_INIT;
	json_t *json = step_to_json(&s, &err);

	cr_assert(json != NULL, "%s", err.message);
	step_release(&s);
	cr_expect(s.path == NULL && s.argv.items == NULL && s.undo.items == NULL &&
		  s.verify.items == NULL);
	return json;
}

static void expect_strings(const struct strings *is, const struct strings *was)
{
	cr_assert(eq(sz, is->len, was->len));
	for (size_t i = 0; i < was->len; i++)
		box_str(is->items[i], was->items[i]);
}

static const char *or_none(const char *s)
{
	return s != NULL ? s : "(none)";
}

Test(plan_json, comes_back_as_every_kind_of_step_was)
{
	for (size_t i = 0; i < ARRAY_SIZE(kind_names); i++) {
		_cleanup_json_ json_t *json = json_of_kind((enum step_kind)i), *again = NULL;
		struct step was = step_of_kind((enum step_kind)i), is = { 0 };
		struct error err = ERROR_INIT;

		box_str(json_get_string(json, "kind", ""), kind_names[i]);
		box_str(step_kind_name((enum step_kind)i), kind_names[i]);
		box_ok(step_from_json(json, &is, &err));
		cr_expect(eq(int, is.kind, was.kind));
		box_str(or_none(is.path), or_none(was.path));
		box_str(or_none(is.temp), or_none(was.temp));
		box_str(or_none(is.saved), or_none(was.saved));
		box_str(is.before.hex, was.before.hex);
		box_str(is.after.hex, was.after.hex);
		cr_expect(eq(int, is.ready, was.ready));
		cr_expect(eq(int, is.verify_fails, was.verify_fails));
		if (is.kind == STEP_CREATE || is.kind == STEP_UNLINK)
			cr_expect(eq(uint, is.meta.mode, 04640));
		box_str(or_none(is.to), or_none(was.to));
		box_str(or_none(is.target), or_none(was.target));
		box_str(or_none(is.new_target), or_none(was.new_target));
		cr_expect(eq(i64, is.new_mtime_ns, was.new_mtime_ns));
		cr_expect(eq(int, is.made_folder, was.made_folder));
		cr_expect(eq(i64, is.mtime_ns, was.mtime_ns));
		cr_expect(eq(uint, is.mode_before, was.mode_before));
		cr_expect(eq(uint, is.mode_after, was.mode_after));
		cr_expect(eq(i64, is.mtime_before_ns, was.mtime_before_ns));
		cr_expect(eq(i64, is.mtime_after_ns, was.mtime_after_ns));
		expect_strings(&is.argv, &was.argv);
		expect_strings(&is.undo, &was.undo);
		expect_strings(&is.verify, &was.verify);
		box_str(step_name(&is), i == STEP_RUN ? "/bin/a" : "/run/a");
		cr_expect(eq(int, step_keeps_file(&is), i <= STEP_UNLINK));
		cr_expect(eq(int, step_is_small(&is), i >= STEP_LINK));
		again = step_to_json(&is, &err);
		cr_expect(json_equal(json, again));
		step_release(&is);
		step_release(&was);
	}
}

static void expect_refused(const json_t *json, const char *words)
{
	struct step s = { 0 };
	struct error err = ERROR_INIT;

	box_fails(step_from_json(json, &s, &err), ERROR_REFUSED, words);
	cr_expect(s.path == NULL && s.temp == NULL && s.argv.items == NULL && s.to == NULL &&
		  s.target == NULL && s.new_target == NULL);
}

/* What a journal says is done as root: every member of the kind, of its type, and no other. */
Test(plan_json, refuses_a_member_too_few_or_too_many)
{
	static const char *const keys[] = { "kind", "path", "temp", "before", "after", "saved",
					    "ready", "mode", "argv", "undo", "verify",
					    "verify_fails", "number", "to", "target",
					    "made_folder", "mtime_ns", "new_target",
					    "new_mtime_ns", "mode_before", "mode_after",
					    "mtime_before_ns", "mtime_after_ns" };

	for (size_t i = 0; i < ARRAY_SIZE(kind_names) * ARRAY_SIZE(keys); i++) {
		enum step_kind kind = (enum step_kind)(i / ARRAY_SIZE(keys));
		const char *key = keys[i % ARRAY_SIZE(keys)];
		_cleanup_json_ json_t *json = json_of_kind(kind), *odd = json_of_kind(kind);

		if (json_object_get(json, key) == NULL) {
			(void)json_object_set_new(json, key, json_string("/x"));
			expect_refused(json, kind_names[kind]);
			continue;
		}
		(void)json_object_del(json, key);
		expect_refused(json, key);
		(void)json_object_set_new(odd, key, json_real(1.5));
		expect_refused(odd, key);
	}
}

Test(plan_json, refuses_a_kind_that_is_not_known)
{
	static const char *const kinds[] = { "", "REPLACE", "replace ", "chmod", "runs" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_json_ json_t *json = json_of_kind(STEP_REPLACE);

		(void)json_object_set_new(json, "kind", json_string(kinds[i]));
		expect_refused(json, "\"kind\" is none that is known");
	}
}

Test(plan_json, refuses_a_command_that_is_not_named_in_full)
{
	static const char *const keys[] = { "argv", "undo", "verify" };
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		json_t *const odd[] = { json_pack("[s]", ""), json_pack("[s, s]", "sh", "/x"),
					json_pack("[s]", "./sh"), json_pack("[i]", 1),
					json_pack("[s, n]", "/bin/sh") };
		_cleanup_json_ json_t *empty = json_of_kind(STEP_RUN);
		struct step s = { 0 };

		for (size_t j = 0; j < ARRAY_SIZE(odd); j++) {
			_cleanup_json_ json_t *json = json_of_kind(STEP_RUN);

			(void)json_object_set_new(json, keys[i], odd[j]);
			expect_refused(json, keys[i]);
		}
		(void)json_object_set_new(empty, keys[i], json_array());
		if (i == 0) {
			expect_refused(empty, keys[i]);
			continue;
		}
		box_ok(step_from_json(empty, &s, &err));
		step_release(&s);
	}
}

Test(plan_json, refuses_a_mode_that_is_none)
{
	static const int modes[] = { -1, 010000, 0100644 };

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		_cleanup_json_ json_t *json = json_of_kind(STEP_CREATE);
		_cleanup_json_ json_t *from = json_of_kind(STEP_MODE), *to = json_of_kind(STEP_MODE);

		(void)json_object_set_new(json, "mode", json_integer(modes[i]));
		expect_refused(json, "\"mode\" is no mode");
		(void)json_object_set_new(from, "mode_before", json_integer(modes[i]));
		expect_refused(from, "\"mode_before\" is no mode");
		(void)json_object_set_new(to, "mode_after", json_integer(modes[i]));
		expect_refused(to, "\"mode_after\" is no mode");
	}
}

Test(plan_json, refuses_a_link_that_can_not_be)
{
	static const char *const names[] = { "/run/a", "/run/b/c", "/b", "/etc/b", "b", "/run/../b", "" };
	static const struct {
		enum step_kind kind;
		const char *key;
	} timed[] = { { STEP_DELINK, "mtime_ns" },        { STEP_RELINK, "mtime_ns" },
		      { STEP_RELINK, "new_mtime_ns" },    { STEP_TIMES, "mtime_before_ns" },
		      { STEP_TIMES, "mtime_after_ns" } };
	static char long_target[5000];
	const char *const targets[] = { "", long_target };

	memset(long_target, 'a', 4096);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_json_ json_t *json = json_of_kind(STEP_RENAME);

		(void)json_object_set_new(json, "to", json_string(names[i]));
		expect_refused(json, "\"to\"");
	}
	for (size_t i = 0; i < ARRAY_SIZE(targets) * 4; i++) {
		_cleanup_json_ json_t *json = json_of_kind(STEP_LINK + i / 2);

		(void)json_object_set_new(json, "target", json_string(targets[i % 2]));
		expect_refused(json, "\"target\"");
	}
	for (size_t i = 0; i < ARRAY_SIZE(timed); i++) {
		_cleanup_json_ json_t *json = json_of_kind(timed[i].kind);

		(void)json_object_set_new(json, timed[i].key, json_integer(-2));
		expect_refused(json, timed[i].key);
	}
	for (size_t i = 0; i < ARRAY_SIZE(targets) + 1; i++) {
		_cleanup_json_ json_t *json = json_of_kind(STEP_RELINK);
		const char *same = json_string_value(json_object_get(json, "target"));

		(void)json_object_set_new(json, "new_target",
					  json_string(i < ARRAY_SIZE(targets) ? targets[i] : same));
		expect_refused(json, "\"new_target\"");
	}
}

/* ---- as a line for people */

Test(plan_json, describes_what_is_no_file)
{
	static const char *const wanted[][2] = {
		[STEP_RUN] = { "run    a an argument\\x0a \n", "run    undo\n" },
		[STEP_LINK] = { "link   /run/a -> ../init.d/a b\\x0a\n",
				"remove /run/a -> ../init.d/a b\\x0a\n" },
		[STEP_DELINK] = { "remove /run/a -> ../init.d/a b\\x0a\n",
				  "link   /run/a -> ../init.d/a b\\x0a\n" },
		[STEP_RELINK] = { "relink /run/a ../init.d/a b\\x0a -> /dev/null\\x0a\n",
				  "relink /run/a /dev/null\\x0a -> ../init.d/a b\\x0a\n" },
		[STEP_RENAME] = { "rename /run/a -> b\n", "rename /run/b -> a\n" },
		[STEP_MODE] = { "mode   /run/a 4755 -> 000\n", "mode   /run/a 000 -> 4755\n" },
		[STEP_TIMES] = { NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kind_names) * 2; i++) {
		struct step s = step_of_kind((enum step_kind)(i / 2));
		_cleanup_buffer_ struct buffer line = BUFFER_INIT;
		struct error err = ERROR_INIT;

		box_ok(step_describe(&s, i % 2, &line, &err));
		box_str(line.data != NULL ? line.data : "(none)", or_none(wanted[i / 2][i % 2]));
		step_release(&s);
	}
}

/* It is there for what undoes it. */
Test(plan_json, says_nothing_of_a_command_that_does_nothing)
{
	struct step s = { .kind = STEP_RUN };
	_cleanup_buffer_ struct buffer line = BUFFER_INIT;
	struct error err = ERROR_INIT;

	box_ok(strings_add(&s.argv, "/bin/true", &err));
	box_ok(step_describe(&s, false, &line, &err));
	cr_expect(eq(sz, line.len, 0));
	box_ok(step_describe(&s, true, &line, &err));
	cr_expect(eq(sz, line.len, 0));
	step_release(&s);
}

Test(plan_json, says_so_when_an_argument_is_no_utf_8)
{
	_cleanup_plan_ struct plan p = PLAN_INIT;
	struct step s = step_of_kind(STEP_RUN);
	struct error err = ERROR_INIT;

	box_ok(strings_add(&s.undo, "\xe4", &err));
	box_ok(plan_add(&p, &s, &err));
	cr_expect(plan_to_json(&p, &err) == NULL);
	cr_expect(eq(int, err.code, ERROR_REFUSED));
	cr_expect(strstr(err.message, "not UTF-8") != NULL, "%s", err.message);
}

/* The numbers name files: they stay with their steps, whatever comes to stand before them. */
Test(plan_json, numbers_steps_in_the_order_in_which_they_came)
{
	static const struct {
		const char *path;
		bool first;
	} rows[] = { { "/0", false }, { "/1", true }, { "/2", false }, { "/3", true }, { "/4", true },
		     { "/5", false } };
	static const unsigned order[] = { 4, 3, 1, 0, 2, 5 };
	_cleanup_plan_ struct plan p = PLAN_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct step s = { .path = strdup(rows[i].path), .number = 99 };
		struct error err = ERROR_INIT;

		box_ok((rows[i].first ? plan_prepend : plan_add)(&p, &s, &err));
		cr_expect(s.path == NULL);
	}
	cr_assert(eq(sz, p.len, ARRAY_SIZE(order)));
	for (size_t i = 0; i < p.len; i++) {
		cr_expect(eq(uint, p.steps[i].number, order[i]));
		box_str(p.steps[i].path, rows[order[i]].path);
	}
}

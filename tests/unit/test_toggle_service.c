/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What counts of the boot tree, its image and the way back to it, and the steps from one tree to
 * another.
 */
#include "fault_host.h"

#include <string.h>

#include "toggle/service.h"

static struct store store = STORE_INIT;

static void enter(void)
{
	struct error err = ERROR_INIT;

	box_enter();
	box_mkdir("/lib", 0700);
	box_mkdir("/etc", 0755);
	box_mkdir("/etc/init.d", 0755);
	box_ok(store_init(&store, &box()->host, "/lib", &err));
}

static void leave(void)
{
	store_release(&store);
	box_leave();
}

TestSuite(toggle_service, .init = enter, .fini = leave, .timeout = 60);

static void put(struct host_tree *t, enum host_tree_kind kind, const char *path, const char *text,
		mode_t mode, int64_t mtime_ns)
{
	struct host_tree_entry e = { .path = (char *)path, .kind = kind, .mode = mode, .links = 1,
				     .mtime_ns = mtime_ns };
	struct error err = ERROR_INIT;

	if (kind == HOST_TREE_LINK)
		e.target = (char *)text;
	if (kind == HOST_TREE_FILE)
		e.bytes = (struct buffer){ .data = (char *)text, .len = strlen(text) };
	box_ok(host_tree_put(t, &e, &err));
}

static void usual(struct host_tree *t)
{
	put(t, HOST_TREE_FOLDER, "/etc/init.d", NULL, 0755, 11);
	put(t, HOST_TREE_FILE, "/etc/init.d/.depend.start", "TARGETS = foo bar\n", 0644, 12);
	put(t, HOST_TREE_FILE, "/etc/init.d/bar", "#!/bin/sh\n# bar\n", 0755, 13);
	put(t, HOST_TREE_FILE, "/etc/init.d/foo", "#!/bin/sh\n# foo\n", 0750, 14);
	put(t, HOST_TREE_FOLDER, "/etc/rc2.d", NULL, 0755, 15);
	put(t, HOST_TREE_LINK, "/etc/rc2.d/S01bar", "../init.d/bar", 0777, 16);
	put(t, HOST_TREE_LINK, "/etc/rc2.d/S77foo", "/etc/init.d/foo", 0777, 17);
}

static struct digest meaning(const struct host_tree *t)
{
	struct error err = ERROR_INIT;
	struct digest d;

	box_ok(service_tree_digest(t, &d, &err));
	return d;
}

Test(toggle_service, tells_trees_apart_by_links_modes_and_order_alone)
{
	static const struct {
		enum host_tree_kind kind;
		const char *path, *text;
		mode_t mode;
		int64_t mtime_ns;
		bool counts;
	} changes[] = {
		{ HOST_TREE_LINK, "/etc/rc2.d/S77foo", "/etc/init.d/foo", 0777, 99, false },
		{ HOST_TREE_LINK, "/etc/rc2.d/S77foo", "../init.d/foo", 0777, 17, true },
		{ HOST_TREE_LINK, "/etc/rc2.d/S02new", "../init.d/foo", 0777, 17, true },
		{ HOST_TREE_FILE, "/etc/init.d/foo", "#!/bin/sh\n# version 2\n", 0750, 14, false },
		{ HOST_TREE_FILE, "/etc/init.d/foo", "#!/bin/sh\n# foo\n", 0755, 14, true },
		{ HOST_TREE_FILE, "/etc/init.d/.depend.start", "TARGETS = foo\n", 0644, 12, true },
		{ HOST_TREE_FILE, "/etc/init.d/new", "#!/bin/sh\n", 0755, 12, true },
		{ HOST_TREE_FILE, "/etc/init.d/.rootlatch-0badcafe-.depend.start~", "", 0644, 1, false },
		{ HOST_TREE_FOLDER, "/etc/systemd/system/x.wants", NULL, 0755, 1, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		_cleanup_host_tree_ struct host_tree a = HOST_TREE_INIT, b = HOST_TREE_INIT;
		struct digest one, other;

		usual(&a);
		usual(&b);
		put(&b, changes[i].kind, changes[i].path, changes[i].text, changes[i].mode,
		    changes[i].mtime_ns);
		one = meaning(&a);
		other = meaning(&b);
		cr_expect(digest_equal(&one, &other) == !changes[i].counts, "%s -> %s",
			  changes[i].path, changes[i].text);
	}
}

static void expect_equal(const struct host_tree *a, const struct host_tree *b)
{
	cr_assert(eq(sz, a->len, b->len));
	for (size_t i = 0; i < a->len; i++) {
		const struct host_tree_entry *x = &a->items[i], *y = &b->items[i];

		cr_expect_str_eq(x->path, y->path);
		cr_expect(eq(int, (int)x->kind, (int)y->kind), "%s", x->path);
		cr_expect(eq(int, (int)x->mode, (int)y->mode), "%s", x->path);
		cr_expect(eq(i64, x->mtime_ns, y->mtime_ns), "%s", x->path);
		if (x->kind == HOST_TREE_LINK)
			cr_expect_str_eq(x->target, y->target);
		if (x->kind == HOST_TREE_FILE)
			cr_expect(host_tree_same_bytes(x, y), "%s", x->path);
	}
}

Test(toggle_service, goes_back_to_an_image_with_the_times_of_links_and_folders)
{
	_cleanup_host_tree_ struct host_tree before = HOST_TREE_INIT, t = HOST_TREE_INIT;
	_cleanup_json_ json_t *image = NULL;
	struct error err = ERROR_INIT;

	usual(&before);
	image = service_image_to_json(&before, &err);
	cr_assert_not_null(image, "%s", err.message);
	box_ok(host_tree_copy(&before, &t, &err));
	host_tree_remove(&t, "/etc/rc2.d/S77foo");
	put(&t, HOST_TREE_LINK, "/etc/rc2.d/K01foo", "../init.d/foo", 0777, 100);
	put(&t, HOST_TREE_FILE, "/etc/init.d/.depend.start", "TARGETS = bar\n", 0644, 101);
	put(&t, HOST_TREE_FILE, "/etc/init.d/.depend.stop", "TARGETS =\n", 0644, 102);
	host_tree_find(&t, "/etc/init.d/foo")->mode = 0644;
	host_tree_find(&t, "/etc/init.d")->mtime_ns = 103;
	host_tree_find(&t, "/etc/rc2.d")->mtime_ns = 104;
	box_ok(service_image_apply(image, &t, &err));
	expect_equal(&t, &before);
}

Test(toggle_service, keeps_the_text_of_a_script_that_a_package_replaced)
{
	_cleanup_host_tree_ struct host_tree t = HOST_TREE_INIT;
	_cleanup_json_ json_t *image = NULL;
	struct error err = ERROR_INIT;

	usual(&t);
	image = service_image_to_json(&t, &err);
	put(&t, HOST_TREE_FILE, "/etc/init.d/foo", "v2", 0644, 200);
	box_ok(service_image_apply(image, &t, &err));
	cr_expect_str_eq(host_tree_find(&t, "/etc/init.d/foo")->bytes.data, "v2");
	cr_expect(eq(int, (int)host_tree_find(&t, "/etc/init.d/foo")->mode, 0750));
	cr_expect(eq(i64, host_tree_find(&t, "/etc/init.d/foo")->mtime_ns, 200));
}

Test(toggle_service, refuses_an_image_that_is_none)
{
	static const char *const images[] = {
		"[{}]", "[{\"kind\": 2, \"path\": 7}]", "[{\"kind\": 2, \"path\": \"/etc/rc2.d/S01x\"}]",
		"[{\"kind\": 2, \"path\": \"\\\\xZZ\", \"target\": \"x\"}]", "[7]",
	};

	for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
		_cleanup_json_ json_t *image = json_loads(images[i], 0, NULL);
		_cleanup_host_tree_ struct host_tree t = HOST_TREE_INIT;
		struct error err = ERROR_INIT;

		usual(&t);
		box_fails(service_image_apply(image, &t, &err), ERROR_REFUSED, "entry 1");
	}
}

/* ---- steps */

struct planning {
	struct toggle_plan *p;
	struct toggle_context c;
	struct state state;
};

static void plan_begin(struct planning *k)
{
	struct error err = ERROR_INIT;

	*k = (struct planning){ .c = { .host = &box()->host, .store = &store, .state = &k->state } };
	box_ok(toggle_plan_new("service/foo", "disable", &k->p, &err));
	k->p->boot = calloc(1, sizeof(*k->p->boot));
	memcpy(k->p->plan.id, "0badcafe", 9);
	usual(&k->p->boot->before);
	usual(&k->p->boot->wanted);
}

static const struct step *step_of(const struct planning *k, enum step_kind kind, const char *path)
{
	for (size_t i = 0; i < k->p->plan.len; i++)
		if (k->p->plan.steps[i].kind == kind && strcmp(k->p->plan.steps[i].path, path) == 0)
			return &k->p->plan.steps[i];
	return NULL;
}

Test(toggle_service, renames_a_link_and_keeps_what_it_points_to)
{
	struct planning k;
	struct error err = ERROR_INIT;
	const struct step *s;

	plan_begin(&k);
	host_tree_remove(&k.p->boot->wanted, "/etc/rc2.d/S77foo");
	put(&k.p->boot->wanted, HOST_TREE_LINK, "/etc/rc2.d/K23foo", "../init.d/foo", 0777, 50);
	host_tree_find(&k.p->boot->wanted, "/etc/init.d/foo")->mode = 0644;
	box_ok(service_add_steps(&k.c, k.p, &err));
	s = step_of(&k, STEP_RENAME, "/etc/rc2.d/S77foo");
	cr_assert_not_null(s);
	cr_expect_str_eq(s->to, "/etc/rc2.d/K23foo");
	cr_expect_str_eq(s->target, "/etc/init.d/foo");
	/* the tree that is compared with the disk afterwards has it too */
	cr_expect_str_eq(host_tree_find(&k.p->boot->wanted, "/etc/rc2.d/K23foo")->target,
			 "/etc/init.d/foo");
	s = step_of(&k, STEP_MODE, "/etc/init.d/foo");
	cr_assert_not_null(s);
	cr_expect(eq(int, (int)s->mode_before, 0750));
	cr_expect(eq(int, (int)s->mode_after, 0644));
	/* first, so that a rollback sets it last */
	cr_expect(eq(int, (int)k.p->plan.steps[0].kind, STEP_TIMES));
	cr_expect_str_eq(k.p->plan.steps[0].path, "/etc/rc2.d");
	cr_expect(eq(i64, k.p->plan.steps[0].mtime_before_ns, 15));
	cr_expect(eq(sz, k.p->plan.len, 3));
	toggle_plan_free(&k.p);
}

Test(toggle_service, makes_a_link_anew_where_an_image_has_another_one)
{
	struct planning k;
	struct error err = ERROR_INIT;
	const struct step *s;

	plan_begin(&k);
	k.p->boot->exact = true;
	host_tree_remove(&k.p->boot->before, "/etc/rc2.d/S77foo");
	put(&k.p->boot->before, HOST_TREE_LINK, "/etc/rc2.d/K23foo", "../init.d/foo", 0777, 50);
	box_ok(service_add_steps(&k.c, k.p, &err));
	cr_expect_not_null(step_of(&k, STEP_DELINK, "/etc/rc2.d/K23foo"));
	s = step_of(&k, STEP_LINK, "/etc/rc2.d/S77foo");
	cr_assert_not_null(s);
	cr_expect_str_eq(s->target, "/etc/init.d/foo");
	cr_expect(eq(i64, s->mtime_ns, 17));
	s = &k.p->plan.steps[k.p->plan.len - 1];
	cr_expect(eq(int, (int)s->kind, STEP_TIMES));
	cr_expect(eq(i64, s->mtime_after_ns, 15));
	toggle_plan_free(&k.p);
}

/* In one step: gone and made again it would be missing in between, and what a plan makes may not be
 * there when it begins. */
Test(toggle_service, lets_a_link_point_to_something_else)
{
	for (int exact = 0; exact < 2; exact++) {
		struct planning k;
		struct error err = ERROR_INIT;
		const struct step *s;

		plan_begin(&k);
		k.p->boot->exact = exact;
		host_tree_remove(&k.p->boot->wanted, "/etc/rc2.d/S77foo");
		put(&k.p->boot->wanted, HOST_TREE_LINK, "/etc/rc2.d/S77foo", "../init.d/foo", 0777, 18);
		box_ok(service_add_steps(&k.c, k.p, &err));
		s = step_of(&k, STEP_RELINK, "/etc/rc2.d/S77foo");
		cr_assert_not_null(s);
		cr_expect_str_eq(s->target, "/etc/init.d/foo");
		cr_expect_str_eq(s->new_target, "../init.d/foo");
		cr_expect_str_eq(s->temp, "/etc/rc2.d/.rootlatch-0badcafe-S77foo~");
		cr_expect(eq(i64, s->mtime_ns, 17));
		cr_expect(eq(i64, s->new_mtime_ns, exact ? 18 : -1));
		cr_expect(strings_contain(&k.p->plan.on_commit, s->temp));
		cr_expect(strings_contain(&k.p->plan.on_abort, s->temp));
		cr_expect(strings_contain(&k.p->files, "/etc/rc2.d/S77foo"));
		/* and the folder's time, before it and, of an image, behind it */
		cr_expect(eq(int, (int)k.p->plan.steps[0].kind, STEP_TIMES));
		cr_expect(eq(sz, k.p->plan.len, exact ? 3 : 2));
		toggle_plan_free(&k.p);
	}
}

Test(toggle_service, refuses_what_would_become_something_else)
{
	struct planning k;
	struct error err = ERROR_INIT;

	plan_begin(&k);
	put(&k.p->boot->wanted, HOST_TREE_FILE, "/etc/rc2.d/S77foo", "a file", 0644, 1);
	box_fails(service_add_steps(&k.c, k.p, &err), ERROR_REFUSED, "something else");
	toggle_plan_free(&k.p);
}

Test(toggle_service, finds_its_kind_by_the_prefix)
{
	cr_expect(toggle_kind_find("service/apache2") == &service_kind);
	cr_expect(toggle_kind_find("service/getty@tty1") == &service_kind);
	cr_expect_null(toggle_kind_find("service"));
	cr_expect_null(toggle_kind_find("services/x"));
	cr_expect(toggle_kind_find("root-login@/x/y") != &service_kind);
	cr_expect_str_eq(toggle_config("service/getty@tty1"), "/etc/ssh/sshd_config");
	cr_expect_str_eq(toggle_service_name("service/foo"), "foo");
	cr_expect_null(toggle_service_name("root-login"));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/tree.h"

TestSuite(host_tree, .init = box_enter, .fini = box_leave, .timeout = 60);

static void add(struct strings *s, const char *item)
{
	struct error err = ERROR_INIT;

	box_ok(strings_add(s, item, &err));
}

/* "path|" for folders, "path=text|" for files, "path>target|", "path?|". One of 4 in turn. */
static const char *text_of(const struct host_tree *t)
{
	static struct buffer shown[4];
	static unsigned turn;
	struct buffer *b = &shown[turn++ % ARRAY_SIZE(shown)];
	static const char marks[] = "\0=>?";

	b->len = 0;
	for (size_t i = 0; i < t->len; i++) {
		const struct host_tree_entry *e = &t->items[i];
		int r = buffer_printf(b, NULL, "%s%.1s%s%s|", e->path, &marks[e->kind],
				      e->kind == HOST_TREE_FILE ? e->bytes.data : "",
				      e->target != NULL ? e->target : "");

		cr_assert(eq(int, r, 0));
	}
	return b->data != NULL ? b->data : "";
}

static struct host_tree read_one(const char *folder)
{
	_cleanup_strings_ struct strings folders = STRINGS_INIT;
	struct host_tree t = HOST_TREE_INIT;
	struct error err = ERROR_INIT;

	add(&folders, folder);
	box_ok(host_tree_read(&box()->host, &folders, &t, &err));
	return t;
}

static void make_link(const char *target, const char *path)
{
	cr_assert(eq(int, symlink(target, box_path(path)), 0), "%s", path);
}

static void set_times(const char *path, int64_t ns)
{
	const struct timespec at[2] = { timespec_of_ns(ns), timespec_of_ns(ns) };

	cr_assert(eq(int, utimensat(AT_FDCWD, box_path(path), at, AT_SYMLINK_NOFOLLOW), 0));
}

static void make_services(void)
{
	box_mkdir("/etc", 0755);
	box_mkdir("/etc/init.d", 0755);
	box_mkdir("/etc/init.d/sub", 0700);
	box_write("/etc/init.d/foo", "#!/bin/sh\n");
	box_write("/etc/init.d/sub/x", "x\n");
	box_write("/etc/init.d/sub-way", "");
	box_mkdir("/etc/rc2.d", 0755);
	make_link("../init.d/foo", "/etc/rc2.d/S01foo");
	make_link("/etc/init.d/none", "/etc/rc2.d/K01gone");
}

Test(host_tree, holds_folders_with_all_that_is_in_them)
{
	_cleanup_strings_ struct strings folders = STRINGS_INIT;
	_cleanup_host_tree_ struct host_tree t = HOST_TREE_INIT;
	struct error err = ERROR_INIT;

	make_services();
	add(&folders, "/etc/rc2.d");
	add(&folders, "/etc/rc3.d"); /* is not there */
	add(&folders, "/etc/init.d");
	add(&folders, "/etc/init.d/sub"); /* comes with the one before */
	box_ok(host_tree_read(&box()->host, &folders, &t, &err));
	box_str(text_of(&t), "/etc/init.d|/etc/init.d/foo=#!/bin/sh\n|/etc/init.d/sub|"
		"/etc/init.d/sub-way=|/etc/init.d/sub/x=x\n|/etc/rc2.d|"
		"/etc/rc2.d/K01gone>/etc/init.d/none|/etc/rc2.d/S01foo>../init.d/foo|");
}

Test(host_tree, holds_what_can_be_seen_of_each_entry)
{
	_cleanup_host_tree_ struct host_tree t = HOST_TREE_INIT;
	const struct host_tree_entry *file, *to, *fifo, *folder;
	struct digest digest = digest_of("text", 4), is;

	box_mkdir("/d", 02751);
	box_write("/d/file", "text");
	cr_assert(eq(int, chown(box_path("/d/file"), 12, 13), 0));
	cr_assert(eq(int, chmod(box_path("/d/file"), 04750), 0));
	cr_assert(eq(int, link(box_path("/d/file"), box_path("/other")), 0));
	set_times("/d/file", 1234567890123456789);
	make_link("file", "/d/link");
	cr_assert(eq(int, lchown(box_path("/d/link"), 14, 15), 0));
	set_times("/d/link", 7000000001);
	cr_assert(eq(int, mkfifo(box_path("/d/fifo"), 0620), 0));
	set_times("/d", 5);
	t = read_one("/d");
	file = host_tree_find(&t, "/d/file");
	to = host_tree_find(&t, "/d/link");
	fifo = host_tree_find(&t, "/d/fifo");
	folder = host_tree_find(&t, "/d");
	cr_assert(file != NULL && to != NULL && fifo != NULL && folder != NULL);
	cr_expect(eq(uint, file->mode, 04750));
	cr_expect(eq(uint, file->uid, 12));
	cr_expect(eq(uint, file->gid, 13));
	cr_expect(eq(i64, file->mtime_ns, 1234567890123456789));
	cr_expect(eq(uint, (unsigned)file->links, 2));
	cr_expect(eq(sz, file->bytes.len, 4));
	is = host_tree_digest(file);
	cr_expect(digest_equal(&is, &digest));
	cr_expect(eq(uint, to->uid, 14));
	cr_expect(eq(uint, to->gid, 15));
	cr_expect(eq(i64, to->mtime_ns, 7000000001));
	cr_expect(eq(int, (int)fifo->kind, HOST_TREE_OTHER));
	cr_expect(eq(i64, folder->mtime_ns, 5));
	cr_expect(eq(uint, folder->mode, 02751));
	cr_expect(host_tree_find(&t, "/d/fil") == NULL);
	cr_expect(host_tree_find(&t, "/") == NULL);
}

Test(host_tree, is_not_read_through_a_link)
{
	static const struct {
		const char *folder, *words;
	} rows[] = {
		{ "/link", "/link is reached by a symbolic link" },
		{ "/up/init.d", "/up/init.d is reached by a symbolic link" },
		{ "/etc/init.d/foo", "/etc/init.d/foo is not a folder" },
		{ "/etc/init.d/foo/x", "/etc/init.d/foo/x is not a folder" },
		{ "/etc/rc2.d/S01foo", "/etc/rc2.d/S01foo is reached by a symbolic link" },
	};

	make_services();
	make_link("etc/init.d", "/link");
	make_link("/etc", "/up");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strings_ struct strings folders = STRINGS_INIT;
		struct host_tree t = HOST_TREE_INIT;
		struct error err = ERROR_INIT;

		add(&folders, "/etc/init.d");
		add(&folders, rows[i].folder);
		box_fails(host_tree_read(&box()->host, &folders, &t, &err), ERROR_REFUSED,
			  rows[i].words);
		cr_expect(t.items == NULL);
	}
}

Test(host_tree, refuses_a_file_of_a_size_that_no_script_has)
{
	_cleanup_strings_ struct strings folders = STRINGS_INIT;
	struct host_tree t = HOST_TREE_INIT;
	struct error err = ERROR_INIT;

	box_mkdir("/d", 0755);
	box_write("/d/big", "");
	cr_assert(eq(int, truncate(box_path("/d/big"), (16 << 20) + 1), 0));
	add(&folders, "/d");
	box_fails(host_tree_read(&box()->host, &folders, &t, &err), ERROR_REFUSED,
		  "/d/big: larger than 16 MiB");
}

static void make_other(void *ctx)
{
	const char *what = ctx;

	(void)unlink(box_path("/d/a"));
	(void)rmdir(box_path("/d/a"));
	if (strcmp(what, "link") == 0)
		make_link("else", "/d/a");
	else if (strcmp(what, "file") == 0)
		box_write("/d/a", "else");
	else if (strcmp(what, "folder") == 0)
		box_mkdir("/d/a", 0755);
	else if (strcmp(what, "fifo") == 0)
		cr_assert(eq(int, mkfifo(box_path("/d/a"), 0600), 0));
}

/* Whatever becomes of an entry in whichever moment, it is what it was or what it became. */
Test(host_tree, is_read_while_it_is_changed)
{
	static const char *const kinds[] = { "file", "folder", "link", "fifo", "nothing" };
	static const char *const texts[] = { "/d|/d/a=else|", "/d|/d/a|", "/d|/d/a>else|",
					     "/d|/d/a?|", "/d|" };
	struct fault *f = &box()->fault;
	unsigned turns = 0;

	box_mkdir("/d", 0755);
	for (size_t was = 0; was < ARRAY_SIZE(kinds) - 1; was++)
		for (size_t is = 0; is < ARRAY_SIZE(kinds); is++)
			for (unsigned n = 1;; n++) {
				_cleanup_host_tree_ struct host_tree t = HOST_TREE_INIT;
				const char *text;

				make_other((char *)kinds[was]);
				f->meanwhile = make_other;
				f->meanwhile_ctx = (char *)kinds[is];
				fault_arm(f, FAULT_NONE, n, 0);
				t = read_one("/d");
				f->meanwhile = NULL;
				text = text_of(&t);
				cr_expect(strcmp(text, texts[was]) == 0 ||
					  strcmp(text, texts[is]) == 0, "%s to %s at %u: %s",
					  kinds[was], kinds[is], n, text);
				turns++;
				if (f->calls < n)
					break;
			}
	cr_expect(gt(uint, turns, 60), "%u", turns);
}

Test(host_tree, is_whole_or_an_error)
{
	struct fault *f = &box()->fault;
	_cleanup_strings_ struct strings folders = STRINGS_INIT;

	make_services();
	add(&folders, "/etc/init.d");
	add(&folders, "/etc/rc2.d");
	for (unsigned n = 1;; n++) {
		_cleanup_host_tree_ struct host_tree t = HOST_TREE_INIT;
		struct error err = ERROR_INIT;
		int r;

		fault_arm(f, FAULT_ERROR, n, EIO);
		r = host_tree_read(&box()->host, &folders, &t, &err);
		if (!fault_disarm(f)) {
			cr_expect(eq(sz, t.len, 8));
			break;
		}
		cr_expect(eq(int, r, -1), "call %u", n);
		cr_expect(eq(int, err.sys_errno, EIO), "call %u", n);
	}
	for (enum fault_kind kind = FAULT_ONE_BYTE; kind <= FAULT_INTERRUPT; kind++) {
		_cleanup_host_tree_ struct host_tree t = HOST_TREE_INIT;
		struct error err = ERROR_INIT;

		fault_arm(f, kind, 0, 0);
		box_ok(host_tree_read(&box()->host, &folders, &t, &err));
		(void)fault_disarm(f);
		cr_expect(strstr(text_of(&t), "foo=#!/bin/sh\n|") != NULL);
	}
}

Test(host_tree, is_changed_in_memory)
{
	_cleanup_host_tree_ struct host_tree t = HOST_TREE_INIT, copy = HOST_TREE_INIT;
	struct error err = ERROR_INIT;
	const char *before;

	box_ok(host_tree_put_link(&copy, "/a", "b", &err));
	box_str(text_of(&copy), "/a>b|");
	host_tree_release(&copy);
	make_services();
	t = read_one("/etc");
	before = text_of(&t);
	box_ok(host_tree_copy(&t, &copy, &err));
	box_str(text_of(&copy), before);
	host_tree_remove(&copy, "/etc/none");
	host_tree_remove(&copy, "/etc/init");
	box_str(text_of(&copy), before);
	host_tree_remove(&copy, "/etc/init.d/foo");
	box_ok(host_tree_put_link(&copy, "/etc/rc2.d/S02foo", "../init.d/foo", &err));
	box_ok(host_tree_put_link(&copy, "/etc/rc2.d/K01gone", "here", &err));
	box_ok(host_tree_put_link(&copy, "/etc/init.d/sub", "now a link", &err));
	box_str(text_of(&copy), "/etc|/etc/init.d|/etc/init.d/sub>now a link|/etc/init.d/sub-way=|"
		"/etc/rc2.d|/etc/rc2.d/K01gone>here|/etc/rc2.d/S01foo>../init.d/foo|"
		"/etc/rc2.d/S02foo>../init.d/foo|");
	/* what it was copied from, and what is on the disk, are as they were */
	box_str(text_of(&t), before);
	host_tree_release(&copy);
	copy = read_one("/etc");
	box_str(text_of(&copy), before);
}

/* The path that says which one is freed with it. */
Test(host_tree, removes_an_entry_by_its_own_path)
{
	_cleanup_host_tree_ struct host_tree t = HOST_TREE_INIT;
	struct error err = ERROR_INIT;

	make_services();
	t = read_one("/etc");
	box_ok(host_tree_put_link(&t, "/etc/rc2.d/K01gone", "here", &err));
	host_tree_remove(&t, host_tree_find(&t, "/etc/rc2.d/K01gone")->path);
	box_str(text_of(&t), "/etc|/etc/init.d|/etc/init.d/foo=#!/bin/sh\n|/etc/init.d/sub|"
		"/etc/init.d/sub-way=|/etc/init.d/sub/x=x\n|/etc/rc2.d|"
		"/etc/rc2.d/S01foo>../init.d/foo|");
	host_tree_remove(&t, host_tree_find(&t, "/etc/init.d")->path);
	box_str(text_of(&t), "/etc|/etc/rc2.d|/etc/rc2.d/S01foo>../init.d/foo|");
}

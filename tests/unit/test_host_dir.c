/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/file.h"

TestSuite(host_dir, .init = box_enter, .fini = box_leave, .timeout = 60);

static const struct host *host(void)
{
	return &box()->host;
}

/* What host_glob or host_dir_list found, a blank before each. */
static const char *joined(struct strings *found)
{
	static char text[4096];

	text[0] = '\0';
	for (size_t i = 0; i < found->len; i++)
		(void)strcat(strcat(text, " "), found->items[i]);
	strings_release(found);
	return text;
}

static const char *globbed(const char *pattern)
{
	struct strings found = STRINGS_INIT;
	struct error err = ERROR_INIT;

	box_ok(host_glob(host(), pattern, &found, &err));
	return joined(&found);
}

Test(host_dir, is_made_with_its_parents)
{
	static const mode_t masks[] = { 022, 077, 0 };

	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		struct error err = ERROR_INIT;
		char path[32];

		(void)umask(masks[i]);
		(void)snprintf(path, sizeof(path), "/a%zu/b/c", i);
		box_ok(host_dir_create(host(), path, true, &err));
		cr_expect(eq(uint, box_mode(path), 0700), "umask %03o", (unsigned)masks[i]);
		*strrchr(path, '/') = '\0';
		cr_expect(eq(uint, box_mode(path), 0755), "umask %03o", (unsigned)masks[i]);
		*strrchr(path, '/') = '\0';
		cr_expect(eq(uint, box_mode(path), 0755), "umask %03o", (unsigned)masks[i]);
	}
}

Test(host_dir, of_ours_must_be_root_s_alone)
{
	static const mode_t bad[] = { 0755, 0750, 0701, 01700, 02700, 0500 };
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		box_mkdir("/own", bad[i]);
		box_fails(host_dir_create(host(), "/own", true, &err), ERROR_REFUSED,
			  "is not a folder of root's alone");
		cr_expect(eq(uint, box_mode("/own"), bad[i]));
		box_ok(host_dir_create(host(), "/own", false, &err));
	}
	box_mkdir("/own", 0700);
	box_ok(host_dir_create(host(), "/own", true, &err));
	cr_assert(eq(int, chown(box_path("/own"), 1000, 0), 0));
	box_fails(host_dir_create(host(), "/own", true, &err), ERROR_REFUSED, "owner 1000");
	box_write("/file", "");
	box_fails(host_dir_create(host(), "/file", true, &err), ERROR_REFUSED, "is not a folder");
	cr_assert(eq(int, symlink("own", box_path("/link")), 0));
	box_fails(host_dir_create(host(), "/link", true, &err), ERROR_REFUSED, "is not a folder");
}

Test(host_dir, does_not_change_a_parent_that_is_there_whatever_call_fails)
{
	for (unsigned n = 1;; n++) {
		struct error err = ERROR_INIT;

		(void)rmdir(box_path("/parent/state"));
		box_mkdir("/parent", 0711);
		fault_arm(&box()->fault, FAULT_ERROR, n, EMFILE);
		error_ignore(host_dir_create(host(), "/parent/state", true, &err));
		cr_expect(eq(uint, box_mode("/parent"), 0711), "call %u, %s", n, box()->fault.last);
		if (!fault_disarm(&box()->fault))
			break;
	}
}

Test(host_dir, is_listed_in_the_order_of_bytes)
{
	struct strings names = STRINGS_INIT;
	struct error err = ERROR_INIT;

	box_mkdir("/d", 0755);
	box_write("/d/b", "");
	box_write("/d/.hidden", "");
	box_write("/d/B", "");
	box_write("/d/10", "");
	box_write("/d/9", "");
	box_write("/d/\xc3\xa4", "");
	box_mkdir("/d/a", 0755);
	box_ok(host_dir_list(host(), "/d", &names, &err));
	box_str(joined(&names), " .hidden 10 9 B a b \xc3\xa4");
	box_ok(host_dir_list(host(), "/none", &names, &err));
	box_str(joined(&names), "");
	cr_expect(eq(int, host_dir_list(host(), "/d/b", &names, &err), -1));
}

Test(host_dir, is_removed_with_its_files)
{
	struct error err = ERROR_INIT;

	box_mkdir("/d", 0700);
	box_write("/d/a", "");
	box_write("/d/.b", "");
	box_write("/victim", "");
	cr_assert(eq(int, symlink("../victim", box_path("/d/link")), 0));
	box_ok(host_dir_remove(host(), "/d", &err));
	box_ok(host_dir_remove(host(), "/d", &err));
	box_str(box_names(""), " victim");
	/* a folder in it is none of ours */
	box_mkdir("/d", 0700);
	box_mkdir("/d/sub", 0700);
	cr_expect(eq(int, host_dir_remove(host(), "/d", &err), -1));
	box_str(box_names("/d"), " sub");
	/* nor is what a link leads to */
	cr_assert(eq(int, symlink("d", box_path("/to-d")), 0));
	cr_expect(eq(int, host_dir_remove(host(), "/to-d", &err), -1));
	box_str(box_names("/d"), " sub");
}

Test(host_dir, is_searched_as_sshd_searches_it)
{
	box_mkdir("/d", 0755);
	box_write("/d/b.conf", "");
	box_write("/d/a.conf", "");
	box_write("/d/B.conf", "");
	box_write("/d/.c.conf", "");
	box_write("/d/10.conf", "");
	box_write("/d/9.conf", "");
	box_write("/d/x.txt", "");
	box_str(globbed("/d/*.conf"), " /d/10.conf /d/9.conf /d/B.conf /d/a.conf /d/b.conf");
	box_str(globbed("/d/.*.conf"), " /d/.c.conf");
	box_str(globbed("/d/[ab].conf"), " /d/a.conf /d/b.conf");
	box_str(globbed("/d/?.conf"), " /d/9.conf /d/B.conf /d/a.conf /d/b.conf");
	box_str(globbed("/*/x.txt"), " /d/x.txt");
	box_str(globbed("/d/a.conf"), " /d/a.conf");
	box_str(globbed("/d/none*"), "");
	box_str(globbed("/none/*"), "");
	box_str(globbed("/d/none"), "");
}

Test(host_dir, is_searched_in_an_image_whose_own_path_looks_like_a_pattern)
{
	struct host h = HOST_INIT;
	struct strings found = STRINGS_INIT;
	struct error err = ERROR_INIT;

	box_mkdir("/im[a]g*e", 0755);
	box_mkdir("/imagxe", 0755);
	box_write("/im[a]g*e/1.conf", "");
	box_write("/imagxe/2.conf", "");
	box_ok(host_init(&h, box_path("/im[a]g*e"), NULL, NULL, &err));
	box_ok(host_glob(&h, "/*.conf", &found, &err));
	box_str(joined(&found), " /1.conf");
	host_release(&h);
}

/* In an image an absolute link leads to the image's own folder, not to ours. */
Test(host_dir, is_searched_below_the_root)
{
	if (!box()->is_private)
		cr_skip_test("no mount namespaces here");
	cr_assert(eq(int, mkdir("/run/outside", 0755), 0));
	cr_assert(eq(int, mkdir("/run/outside/theirs.conf", 0755), 0));
	cr_assert(eq(int, symlink("/run/outside", box_path("/link")), 0));
	box_mkdir("/run", 0755);
	box_mkdir("/run/outside", 0755);
	box_write("/run/outside/ours.conf", "");
	box_str(globbed("/link/*"), " /link/ours.conf");
	box_str(globbed("/../outside/*"), "");
}

Test(host_dir, in_memory_is_told_from_one_on_a_disk)
{
	struct host live = HOST_INIT;
	struct error err = ERROR_INIT;

	if (!box()->is_private)
		cr_skip_test("no mount namespaces here");
	box_ok(host_init(&live, "/", NULL, NULL, &err));
	box_mkdir("/ram", 0755);
	cr_assert(eq(int, mount("ramfs", box_path("/ram"), "ramfs", 0, NULL), 0));
	box_write("/file", "");
	cr_assert(eq(int, symlink("/run", box_path("/link")), 0));
	cr_expect(host_is_tmpfs(&live, "/run"));
	cr_expect(host_is_tmpfs(&live, box_path("/link")));
	cr_expect(host_is_tmpfs(&live, box_path("/ram")));
	cr_expect(not(host_is_tmpfs(&live, "/proc")));
	cr_expect(not(host_is_tmpfs(&live, box_path("/file"))));
	cr_expect(not(host_is_tmpfs(&live, box_path("/none"))));
	cr_expect(not(host_is_tmpfs(host(), "/ram")), "an image");
	host_release(&live);
}

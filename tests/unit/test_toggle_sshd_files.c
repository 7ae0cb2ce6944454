/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "toggle/sshd_files.h"

#define MAIN "/etc/ssh/sshd_config"

static void enter(void)
{
	box_enter();
	box_mkdir("/etc", 0755);
	box_mkdir("/etc/ssh", 0755);
	box_mkdir("/etc/ssh/d", 0755);
	box_write(MAIN, "Include d/*.conf\nPermitRootLogin no\n");
	box_write("/etc/ssh/d/m.conf", "PermitRootLogin forced-commands-only\n");
}

TestSuite(toggle_sshd_files, .init = enter, .fini = box_leave, .timeout = 60);

#define VIEW(path_, text) { .path = (path_), .bytes = { .data = (text), .len = strlen(text) } }

/* "path=value;" of each PermitRootLogin, in order, then the number of files. */
static const char *values(const struct sshd_files *f)
{
	static char out[1024];

	out[0] = '\0';
	for (size_t i = 0; i < f->closure.directives_len; i++) {
		const struct sshd_directive *d = &f->closure.directives[i];

		if (d->keyword == SSHD_PERMIT_ROOT_LOGIN)
			(void)sprintf(out + strlen(out), "%s=%s; ",
				      strrchr(sshd_directive_path(&f->closure, d), '/') + 1, d->value);
	}
	(void)sprintf(out + strlen(out), "%zu files", f->closure.files_len);
	return out;
}

static const char *values_as(const struct host_view *views, size_t n)
{
	_cleanup_sshd_files_ struct sshd_files f = { 0 };
	struct error err = ERROR_INIT;

	box_ok(sshd_files_read_as(&box()->host, MAIN, views, n, &f, &err));
	cr_expect(eq(sz, f.len, f.closure.files_len));
	return values(&f);
}

Test(toggle_sshd_files, are_read_as_they_stand)
{
	_cleanup_sshd_files_ struct sshd_files f = { 0 };
	struct error err = ERROR_INIT;

	box_ok(sshd_files_read(&box()->host, MAIN, &f, &err));
	box_str(values(&f), "m.conf=forced-commands-only; sshd_config=no; 2 files");
	box_str(values_as(NULL, 0), values(&f));
}

Test(toggle_sshd_files, are_read_with_the_views_in_place)
{
	const struct host_view main_file[] = { VIEW(MAIN, "PermitRootLogin yes\nInclude d/m.conf\n") };
	const struct host_view included[] = { VIEW("/etc/ssh/d/m.conf", "PermitRootLogin yes\n") };
	const struct host_view gone[] = { VIEW("/etc/ssh/d/m.conf", "") };
	const struct host_view none[] = { { .path = "/etc/ssh/d/m.conf", .gone = true } };

	box_str(values_as(main_file, 1), "sshd_config=yes; m.conf=forced-commands-only; 2 files");
	box_str(values_as(included, 1), "m.conf=yes; sshd_config=no; 2 files");
	box_str(values_as(gone, 1), "sshd_config=no; 2 files");
	box_str(values_as(none, 1), "sshd_config=no; 1 files");
}

Test(toggle_sshd_files, are_read_with_files_that_are_not_there)
{
	const struct host_view views[] = {
		VIEW("/etc/ssh/d/z.conf", "PermitRootLogin yes\n"),
		VIEW("/etc/ssh/d/B.conf", "Include /run/new/*\nPermitRootLogin no\n"),
		VIEW("/etc/ssh/d/.h.conf", "PermitRootLogin yes\n"),
		VIEW("/etc/ssh/d/n.confx", "PermitRootLogin yes\n"),
		VIEW("/run/new/f", "PermitRootLogin prohibit-password\n"),
		VIEW("/etc/ssh/d/m.conf", "PermitRootLogin yes\n"),
	};
	const struct host_view main_file[] = { VIEW(MAIN, "Include d/m.conf\n") };

	box_str(values_as(views, ARRAY_SIZE(views)), "f=prohibit-password; B.conf=no; m.conf=yes; "
		"z.conf=yes; sshd_config=no; 5 files");
	/* and the main file may be one */
	cr_assert(eq(int, unlink(box_path(MAIN)), 0));
	box_str(values_as(main_file, 1), "m.conf=forced-commands-only; 2 files");
}

Test(toggle_sshd_files, have_the_bytes_and_metadata_of_the_real_ones_only)
{
	static const char text[] = "PermitRootLogin yes\n";
	const struct host_view views[] = { VIEW("/etc/ssh/d/a.conf", text) };
	const struct host_file zero = HOST_FILE_INIT;
	_cleanup_sshd_files_ struct sshd_files f = { 0 };
	struct error err = ERROR_INIT;
	struct stat st;

	box_ok(sshd_files_read_as(&box()->host, MAIN, views, 1, &f, &err));
	cr_assert(eq(sz, f.len, 3));
	cr_assert(eq(int, stat(box_path("/etc/ssh/d/m.conf"), &st), 0));
	box_str(f.closure.files[1].path, "/etc/ssh/d/a.conf");
	cr_expect(f.closure.files[1].text.data == views[0].bytes.data);
	cr_expect(eq(int, memcmp(&f.items[1], &zero, sizeof(zero)), 0));
	box_str(f.items[2].bytes.data, "PermitRootLogin forced-commands-only\n");
	cr_expect(f.items[2].ino == st.st_ino && f.items[2].dev == st.st_dev);
	cr_expect(f.closure.files[2].text.data == f.items[2].bytes.data);
}

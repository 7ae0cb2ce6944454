/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/file.h"
#include "host/process.h"

static struct host live = HOST_INIT;

static void enter(void)
{
	struct error err = ERROR_INIT;

	box_enter();
	if (!box()->is_private)
		cr_skip_test("no mount namespaces here");
	box_ok(host_init(&live, "/", NULL, NULL, &err));
}

static void leave(void)
{
	host_release(&live);
	box_leave();
}

TestSuite(host_namespace, .init = enter, .fini = leave, .timeout = 60);

static const char *sh_in(const struct host *h, const char *script, struct host_command cmd)
{
	static struct host_outcome o = HOST_OUTCOME_INIT;
	char *argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)script, NULL };
	struct error err = ERROR_INIT;

	host_outcome_release(&o);
	cmd.argv = argv;
	cmd.private_mounts = true;
	box_ok(host_run(h, &cmd, &o, &err));
	cr_assert(not(o.no_namespaces));
	cr_assert(eq(int, o.status, 0), "%s: %s", script, o.err.data);
	return o.out.data;
}

#define VIEW(path_, text) { .path = (path_), .bytes = { .data = (text), .len = strlen(text) } }

Test(host_namespace, shows_a_command_other_bytes_and_nobody_else)
{
	const char *a = box_path("/a"), *b = box_path("/b");
	const struct host_view views[] = { VIEW(a, "candidate a\n"), VIEW(b, "") };
	const struct host_command cmd = { .views = views, .n_views = 2 };
	struct error err = ERROR_INIT;
	char script[512], *look, *again;

	box_write("/a", "real a\n");
	box_write("/b", "real b\n");
	look = box_look("/a");
	/* what lies where it might work is seen all the same */
	cr_assert(eq(int, mount("tmpfs", "/media", "tmpfs", 0, NULL), 0));
	box_ok(host_file_create(&live, "/media/theirs", slice_of("theirs\n", 7), -1, &err));
	(void)snprintf(script, sizeof(script), "cat %s %s /media/theirs; echo spoilt >>%s", a, b, a);
	box_str(sh_in(&live, script, cmd), "candidate a\ntheirs\n");
	again = box_look("/a");
	box_str(again, look);
	box_str(box_text("/b"), "real b\n");
	box_str(box_names(""), " a b");
	free(look);
	free(again);
}

Test(host_namespace, shows_files_in_the_very_folder_that_it_would_work_in)
{
	const struct host_view views[] = { VIEW("/media/f", "candidate\n"), VIEW("/mnt/f", "other\n") };
	const struct host_command cmd = { .views = views, .n_views = 2 };
	struct error err = ERROR_INIT;

	cr_assert(eq(int, mount("tmpfs", "/media", "tmpfs", 0, NULL), 0));
	cr_assert(eq(int, mount("tmpfs", "/mnt", "tmpfs", 0, NULL), 0));
	box_ok(host_file_create(&live, "/media/f", slice_of("x", 1), -1, &err));
	box_ok(host_file_create(&live, "/mnt/f", slice_of("x", 1), -1, &err));
	box_str(sh_in(&live, "cat /media/f /mnt/f", cmd), "candidate\nother\n");
}

Test(host_namespace, can_not_show_a_file_that_is_not_there)
{
	const char *path = box_path("/none");
	const struct host_view views[] = { VIEW(path, "x") };
	char *argv[] = { (char *)"/bin/true", NULL };
	const struct host_command cmd = { .argv = argv, .views = views, .n_views = 1,
					  .private_mounts = true };
	struct host_outcome o = HOST_OUTCOME_INIT;
	struct error err = ERROR_INIT;

	box_fails(host_run(&live, &cmd, &o, &err), ERROR_FAILED, "mount namespace: No such file");
	box_str(box_names(""), "");
}

Test(host_namespace, fails_before_the_command_whatever_call_fails)
{
	const struct host_view views[] = { VIEW("/f", "candidate\n") };
	char *argv[] = { (char *)"/bin/cat", (char *)box_path("/f"), NULL };
	const struct host_command cmd = { .argv = argv, .views = views, .n_views = 1,
					  .private_mounts = true };
	unsigned failed = 0;

	box_write("/f", "real\n");
	for (unsigned n = 1; n < 30; n++) {
		_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
		struct error err = ERROR_INIT;
		int r;

		/* the calls are the child's: here nothing is counted */
		fault_arm(&box()->fault, FAULT_ERROR, n, EIO);
		r = host_run(&box()->host, &cmd, &o, &err);
		(void)fault_disarm(&box()->fault);
		failed += r < 0;
		if (r == 0)
			box_str(o.out.data, "candidate\n", "call %u", n);
		box_str(box_text("/f"), "real\n", "call %u", n);
	}
	cr_expect(ge(uint, failed, 2u), "%u", failed);
}

Test(host_namespace, shows_a_folder_that_is_missing)
{
	const char *missing = "/run/daemon";
	const struct host_command cmd = { .missing_dir = missing };
	struct stat st;

	cr_assert(eq(int, mkdir("/run/sub", 0755), 0));
	cr_assert(eq(int, symlink("sub", "/run/link"), 0));
	box_write("/f", "beside it\n");
	box_str(sh_in(&live, "stat -c '%a %u' /run/daemon; ls -A /run/daemon; cat /run/box/f; "
		      "readlink /run/link; echo 1 >/run/sub/new", cmd),
		"755 0\nbeside it\nsub\n");
	cr_expect(ne(int, lstat(missing, &st), 0));
	/* the others are the real ones */
	cr_expect(eq(int, lstat("/run/sub/new", &st), 0));
	cr_assert(eq(int, mkdir(missing, 0711), 0));
	box_str(sh_in(&live, "stat -c %a /run/daemon", cmd), "711\n");
}

Test(host_namespace, keeps_what_is_mounted_inside_to_itself)
{
	box_str(sh_in(&live, "mount -t tmpfs none /run/box && touch /run/box/x && ls /run/box",
		      (struct host_command){ .timeout_ms = 0 }), "x\n");
	box_str(box_names(""), "");
}

static void run_as_nobody(void *ctx)
{
	char *argv[] = { (char *)"/bin/true", NULL };
	const struct host_command cmd = { .argv = argv, .private_mounts = true };
	struct host_outcome o = HOST_OUTCOME_INIT;
	int r;

	if (setgid(65534) < 0 || setuid(65534) < 0)
		_exit(100);
	r = host_run(&live, &cmd, &o, NULL);
	_exit(r < 0 ? 101 : !o.no_namespaces ? 102 : 0);
}

Test(host_namespace, that_can_not_be_had_is_said_and_nothing_is_run)
{
	cr_expect(eq(int, box_fork(run_as_nobody, NULL), 0));
}

Test(host_namespace, runs_in_an_image_with_its_own_files_and_a_null_device)
{
	const struct host_view views[] = { VIEW("/etc/f", "candidate\n") };
	char *argv[] = { (char *)"/busybox", (char *)"sh", (char *)"-c",
			 (char *)"pwd; cat /etc/f; echo x >/dev/null; ls /etc", NULL };
	struct host_command cmd = { .argv = argv, .views = views, .n_views = 1,
				    .private_mounts = true, .in_root = true };
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
	struct error err = ERROR_INIT;
	char script[1024];

	if (access("/bin/busybox", X_OK) < 0)
		cr_skip_test("no busybox");
	box_mkdir("/etc", 0755);
	box_mkdir("/dev", 0755);
	box_mkdir("/bin", 0755);
	box_write("/etc/f", "real\n");
	/* with the libraries that it may want */
	(void)snprintf(script, sizeof(script), "cd %s && cp /bin/busybox . && for a in cat ls sh; do "
		       "ln -s /busybox bin/$a; done && for l in $(ldd busybox | grep -o '/[^ ]*'); do "
		       "mkdir -p .${l%%/*} && cp $l .$l; done", box_path(""));
	cr_assert(eq(int, system(script), 0));
	box_ok(host_run(&box()->host, &cmd, &o, &err));
	cr_expect(eq(int, o.status, 0), "%s", o.err.data);
	box_str(o.out.data, "/\ncandidate\nf\n");
	box_str(box_text("/etc/f"), "real\n");
	box_str(box_names("/dev"), "");
}

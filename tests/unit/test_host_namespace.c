/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

#define BARE { .n_views = 0 }
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
	box_ok(host_file_create(&live, "/media/theirs", slice_of("theirs\n", 7), 0600, -1, &err));
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
	box_ok(host_file_create(&live, "/media/f", slice_of("x", 1), 0600, -1, &err));
	box_ok(host_file_create(&live, "/mnt/f", slice_of("x", 1), 0600, -1, &err));
	box_str(sh_in(&live, "cat /media/f /mnt/f", cmd), "candidate\nother\n");
}

Test(host_namespace, shows_a_file_that_is_not_there)
{
	const char *path = box_path("/none");
	const struct host_view views[] = { VIEW(path, "new\n") };
	const struct host_command cmd = { .views = views, .n_views = 1 };

	box_write("/a", "real\n");
	box_str(sh_in(&live, "cd /run/box && ls && stat -c '%a %u' none && cat none a", cmd),
		"a\nnone\n644 0\nnew\nreal\n");
	box_str(box_names(""), " a");
}

Test(host_namespace, shows_files_in_folders_that_are_not_there)
{
	const struct host_view views[] = { VIEW("/run/x/y/f", "one\n"), VIEW("/run/x/y/g", "two\n"),
					   VIEW("/run/x/h", "three\n"), VIEW("/run/i", "") };
	const struct host_command cmd = { .views = views, .n_views = ARRAY_SIZE(views),
					  .missing_dir = "/run/daemon/below" };
	static const char count[] = "grep -c ' /run ' /proc/self/mountinfo";
	int n;

	(void)umask(077); /* as it is in earnest */
	box_str(sh_in(&live, "cd /run && stat -c '%n %a %u %s' daemon daemon/* x x/* x/y/* i | "
		      "sed '/ 755 /s/ [0-9]*$//' && cat x/y/f x/y/g x/h i && umask && ls -A", cmd),
		"daemon 755 0\ndaemon/below 755 0\nx 755 0\nx/h 644 0 6\nx/y 755 0\n"
		"x/y/f 644 0 4\nx/y/g 644 0 4\ni 644 0 0\none\ntwo\nthree\n0077\n"
		"box\ndaemon\ni\nx\n");
	/* and /run was shown anew but once */
	n = atoi(sh_in(&live, count, (struct host_command)BARE));
	cr_expect(eq(int, atoi(sh_in(&live, count, cmd)), n + 1));
}

/* All that can be seen of a tree: names, types, modes, owners, times of change, texts. */
#define LOOK_AT "cd /run && find . -printf '%p %y %m %U:%G %l %T@ %C@\\n' | sort && " \
		"find . -type f -exec cat {} +"

/* As a transaction does: it makes its folders while sshd judges. */
static pid_t start_maker(const char *dir, const char *file, unsigned delay_us)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)usleep(delay_us);
	(void)mkdir(dir, 0755);
	(void)close(open(file, O_WRONLY | O_CREAT, 0600));
	_exit(0);
}

Test(host_namespace, shows_files_in_folders_that_come_meanwhile)
{
	const char *dir = box_path("/coming"), *other = box_path("/coming/other");
	const char *file = box_path("/coming/new/file");
	const struct host_view views[] = { VIEW(file, "candidate\n") };
	const struct host_command cmd = { .views = views, .n_views = 1 };
	char script[256];

	(void)snprintf(script, sizeof(script), "cat %s", file);
	/* so that it comes at any moment of it */
	for (unsigned i = 0; i < 200; i++) {
		pid_t maker;

		(void)unlink(other);
		(void)rmdir(dir);
		maker = start_maker(dir, other, 10 * i);
		cr_assert(gt(int, maker, 0));
		box_str(sh_in(&live, script, cmd), "candidate\n");
		(void)waitpid(maker, NULL, 0);
		cr_expect(eq(int, access(file, F_OK), -1));
	}
}

Test(host_namespace, writes_nothing_into_the_real_folders)
{
	const struct host_view views[] = {
		VIEW("/run/new/f", "1\n"), VIEW("/run/sub/new/f", "2\n"), VIEW("/run/sub/old", ""),
		VIEW("/run/sub/deep/mnt/f", "3\n"), VIEW("/run/sub/deep/mnt/old", "4\n"),
		VIEW("/run/sub/deep/g", "5\n"), VIEW("/run/box/new/f", "6\n"),
	};
	_cleanup_free_ char *before = NULL;

	box_str(sh_in(&live, "mkdir -p /run/sub/deep/mnt", (struct host_command)BARE), "");
	cr_assert(eq(int, mount("tmpfs", "/run/sub/deep/mnt", "tmpfs", 0, NULL), 0));
	box_str(sh_in(&live, "echo old >/run/sub/old; echo older >/run/sub/deep/mnt/old",
		      (struct host_command)BARE), "");
	before = strdup(sh_in(&live, LOOK_AT, (struct host_command)BARE));
	cr_assert(before != NULL);
	/* in either order: a copy within a copy, and a copy around one */
	for (size_t turn = 0; turn < 2; turn++) {
		struct host_view turned[ARRAY_SIZE(views)];
		const struct host_command cmd = { .views = turned, .n_views = ARRAY_SIZE(turned),
						  .missing_dir = "/run/daemon" };

		for (size_t i = 0; i < ARRAY_SIZE(views); i++)
			turned[i] = views[turn == 0 ? i : ARRAY_SIZE(views) - 1 - i];
		box_str(sh_in(&live, "cd /run && cat new/f sub/new/f sub/old sub/deep/mnt/f "
			      "sub/deep/mnt/old sub/deep/g box/new/f && ls -A . sub sub/deep", cmd),
			"1\n2\n3\n4\n5\n6\n.:\nbox\ndaemon\nnew\nsub\n\nsub:\ndeep\nnew\nold\n\n"
			"sub/deep:\ng\nmnt\n", "turn %zu", turn);
		box_str(sh_in(&live, LOOK_AT, (struct host_command)BARE), before);
	}
}

Test(host_namespace, shows_a_folder_anew_as_it_is)
{
	const char *none = box_path("/d/none");
	const struct host_view views[] = { VIEW(none, "") };
	const struct host_command cmd = { .views = views, .n_views = 1 };
	static const char make[] = "cd /run/box/d && echo x >file && ln -s 'no where' link && "
				   "chown -h 12:13 link && mkfifo -m 620 fifo && chown 7 file && "
				   "mknod -m 604 null c 1 3 && mkdir -m 710 sub && touch -d @7 sub .";
	static const char look[] = "cd /run/box/d && stat -c '%a %u:%g' . && "
				   "find . -mindepth 1 ! -name none -printf "
				   "'%p %y %m %U:%G %l %i %T@\\n' | grep -v link | sort; "
				   "stat -c '%F %u:%g' link; readlink link; cat file";
	_cleanup_free_ char *before = NULL;

	box_mkdir("/d", 0700);
	cr_assert(eq(int, chown(box_path("/d"), 77, 78), 0));
	cr_assert(eq(int, chmod(box_path("/d"), 01771), 0));
	(void)sh_in(&live, make, (struct host_command)BARE);
	before = strdup(sh_in(&live, look, (struct host_command)BARE));
	cr_assert(before != NULL && strstr(before, "1771 77:78\n") == before, "%s", before);
	box_str(sh_in(&live, look, cmd), before);
	box_str(sh_in(&live, "ls -A /run/box/d", cmd), "fifo\nfile\nlink\nnone\nnull\nsub\n");
}

Test(host_namespace, follows_links_to_where_a_missing_file_would_be)
{
	const struct host_view views[] = { VIEW("/run/link/new/f", "new\n") };
	const struct host_command cmd = { .views = views, .n_views = 1 };

	cr_assert(eq(int, symlink("/run/box/real", "/run/link"), 0));
	box_mkdir("/real", 0755);
	box_write("/real/old", "old\n");
	box_str(sh_in(&live, "readlink /run/link; cat /run/box/real/new/f /run/link/new/f "
		      "/run/link/old", cmd), "/run/box/real\nnew\nnew\nold\n");
	box_str(box_names("/real"), " old");
}

/* The command sees the file of an image at its path, with the root in front. */
static const char *sh_on_image(const char *script, const struct host_view *view)
{
	const struct host_command cmd = { .views = view, .n_views = 1 };

	return sh_in(&box()->host, script, cmd);
}

Test(host_namespace, follows_links_of_an_image_below_its_root)
{
	const struct host_view view = VIEW("/var/run/new/f", "new\n");

	box_mkdir("/dev", 0755);
	box_mkdir("/run", 0755);
	box_mkdir("/var", 0755);
	cr_assert(eq(int, symlink("/run", box_path("/var/run")), 0));
	box_str(sh_on_image("cat /run/box/run/new/f; ls /run", &view), "new\nbox\n");
	box_str(box_names("/run"), "");
}

Test(host_namespace, shows_the_root_anew_when_that_is_the_nearest_folder)
{
	static const char none[] = "/rootlatch-test-none";
	const struct host_view views[] = { VIEW("/rootlatch-test-none/f", "new\n"),
					   VIEW("/rootlatch-test-none/g", "too\n"),
					   VIEW("/run/box/h", "here\n"),
					   VIEW("/run/box/old", "candidate\n") };
	const struct host_command cmd = { .views = views, .n_views = ARRAY_SIZE(views) };
	const struct host_view in_image = VIEW("/run/sub/f", "new\n");

	cr_assert(ne(int, access(none, F_OK), 0));
	box_write("/old", "real\n");
	box_str(sh_in(&live, "cat /rootlatch-test-none/* /run/box/*; ls -d /etc/passwd /..", cmd),
		"new\ntoo\nhere\ncandidate\n/..\n/etc/passwd\n");
	cr_assert(ne(int, access(none, F_OK), 0));
	box_mkdir("/dev", 0755);
	box_str(sh_on_image("cat /run/box/run/sub/f /run/box/old", &in_image), "new\nreal\n");
	box_str(box_names(""), " dev old");
}

Test(host_namespace, can_not_show_a_file_where_no_folder_can_be)
{
	char *argv[] = { (char *)"/bin/true", NULL };
	static const struct {
		const char *path, *words;
	} rows[] = {
		{ "/run/box/file/f", "mount namespace: Not a directory" },
		{ "/run/box/dangling/f", "mount namespace: File exists" },
		{ "/run/box/loop/f", "mount namespace: Too many levels" },
	};

	box_write("/file", "");
	cr_assert(eq(int, symlink("nowhere", box_path("/dangling")), 0));
	cr_assert(eq(int, symlink("loop", box_path("/loop")), 0));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct host_view views[] = { VIEW(rows[i].path, "x") };
		const struct host_command cmd = { .argv = argv, .views = views, .n_views = 1,
						  .private_mounts = true };
		struct host_outcome o = HOST_OUTCOME_INIT;
		struct error err = ERROR_INIT;

		box_fails(host_run(&live, &cmd, &o, &err), ERROR_FAILED, rows[i].words);
	}
	box_str(box_names(""), " dangling file loop");
}

static void expect_no_namespaces(const char *path)
{
	char *argv[] = { (char *)"/bin/true", NULL };
	const struct host_view views[] = { VIEW(path, "x") };
	const struct host_command cmd = { .argv = argv, .views = views, .n_views = 1,
					  .private_mounts = true };
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
	struct error err = ERROR_INIT;

	box_ok(host_run(&live, &cmd, &o, &err));
	cr_expect(o.no_namespaces, "%s", path);
}

/* What is hidden by the folder that is worked in would be missing for the command. */
Test(host_namespace, says_that_it_can_not_when_it_would_hide_something)
{
	static const char *const folders[] = { "/media", "/mnt", "/srv", "/opt", "/home", "/var/opt",
					       "/var/local", "/tmp", "/var/tmp" };
	struct error err = ERROR_INIT;

	cr_assert(eq(int, mount("tmpfs", "/media", "tmpfs", 0, NULL), 0));
	cr_assert(eq(int, symlink("/media", box_path("/link")), 0));
	expect_no_namespaces(box_path("/link/f"));
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		char path[64];

		if (access(folders[i], F_OK) < 0)
			continue;
		cr_assert(eq(int, mount("tmpfs", folders[i], "tmpfs", 0, NULL), 0));
		(void)snprintf(path, sizeof(path), "%s/theirs", folders[i]);
		box_ok(host_file_create(&live, path, slice_of("", 0), 0600, -1, &err));
	}
	expect_no_namespaces("/var/rootlatch-test-none/f");
	cr_assert(eq(int, symlink("/var/tmp", box_path("/last")), 0));
	expect_no_namespaces(box_path("/last/f"));
	cr_expect(ne(int, access("/media/f", F_OK), 0));
	cr_expect(ne(int, access("/var/tmp/f", F_OK), 0));
}

Test(host_namespace, fails_before_the_command_whatever_call_fails)
{
	const struct host_view views[] = { VIEW("/f", "candidate\n"), VIEW("/new/sub/g", "new\n") };
	char *argv[] = { (char *)"/bin/cat", (char *)"/run/box/f", (char *)"/run/box/new/sub/g",
			 NULL };
	const struct host_command cmd = { .argv = argv, .views = views, .n_views = 2,
					  .private_mounts = true };
	unsigned failed = 0, last = 0;

	box_mkdir("/dev", 0755);
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
		last = r < 0 ? n : last;
		if (r == 0)
			box_str(o.out.data, "candidate\nnew\n", "call %u", n);
		box_str(box_text("/f"), "real\n", "call %u", n);
		box_str(box_names(""), " dev f", "call %u", n);
	}
	cr_expect(ge(uint, failed, 6u), "%u", failed);
	cr_expect(lt(uint, last, 29u), "%u", last);
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
		      (struct host_command)BARE), "x\n");
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

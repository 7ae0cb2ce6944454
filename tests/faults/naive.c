/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A stand-in for rootlatch that can be wrong in known ways, so that a sweep which finds nothing
 * means something. The bug is in the program's name, naive-BUG, as every command of a sweep has
 * the same one. naive-none has none: its opening is one rename, and recover sees by the target
 * itself on which side of that it was killed. With --runtime it is a file in /run, an Include of
 * it, and a watcher, which the state file decides about.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define TARGET "/etc/ssh/sshd_config"
#define TWIN "/etc/ssh/.rootlatch-0123abcd-twin"
#define STATE_DIR "/var/lib/rootlatch"
#define SNAPSHOTS STATE_DIR "/snapshots"
#define SNAPSHOT SNAPSHOTS "/0123abcd"
#define MARK STATE_DIR "/log"
#define STATE STATE_DIR "/state.json"
#define APPLIED \
	"{\"body\":{\"toggles\":[{\"name\":\"root-login\",\"id\":\"0123abcd\"}]}}\n"
#define NORMAL "{\"body\":{\"toggles\":[]}}\n"

#define RUN_DIR "/run/rootlatch"
#define OWN_DIR RUN_DIR "/sshd"
#define OWN OWN_DIR "/default.conf"
#define OWN_NEW OWN_DIR "/.rootlatch-new"
#define SITE "/etc/ssh/sshd_config.d/00-rootlatch.conf"
#define SITE_NEW "/etc/ssh/sshd_config.d/.rootlatch-new"
#define WATCH_DIR RUN_DIR "/watch"
#define WATCH WATCH_DIR "/0123abcd"
#define LOCK STATE_DIR "/lock"
#define UP_FD 10 /* of a watcher: the pipe of who waits for it */
#define UNTIL(when)                                                                               \
	"{\"body\":{\"toggles\":[{\"name\":\"root-login\",\"id\":\"0123abcd\",\"watch\":\"" WATCH \
	"\",\"until_ns\":" when "}]}}\n"

static const char *bug;
static char *self;

static bool has(const char *name)
{
	return strcmp(bug, name) == 0;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static size_t slurp(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, text, size - 1) : 0;

	if (fd >= 0)
		(void)close(fd);
	text[n] = '\0';
	return (size_t)n;
}

static void spill(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
	size_t half = len / 2;

	if (fd < 0 || write(fd, text, half) != (ssize_t)half ||
	    write(fd, text + half, len - half) != (ssize_t)(len - half) || close(fd) < 0)
		fail(path);
}

static void put_state(const char *text)
{
	spill(STATE ".new", text, strlen(text));
	if (rename(STATE ".new", STATE) < 0)
		fail(STATE);
}

static bool is_open(void)
{
	char text[4096];

	(void)slurp(TARGET, text, sizeof(text));
	return strstr(text, "\nPermitRootLogin yes\n") != NULL || access(OWN, F_OK) == 0;
}

/* With a watcher. */
static bool is_recorded(void)
{
	char text[4096];

	(void)slurp(STATE, text, sizeof(text));
	return strstr(text, WATCH) != NULL;
}

/* Where there is a daemon: what a reload with a bad configuration comes to. */
static void reload(void)
{
	char text[32];

	if (slurp("/run/sshd.pid", text, sizeof(text)) > 0 && has("reload-kills"))
		(void)kill(atoi(text), SIGKILL);
}

/* A child that does nothing, at some length. */
static void with_child(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		if (!has("stray"))
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* a parent that died before the prctl sends nothing any more */
		if (!has("stray") && getppid() != parent)
			_exit(0);
		for (int i = 0; i < 20; i++)
			(void)getppid();
		for (;;)
			(void)pause();
	}
	(void)usleep(1000);
	(void)kill(pid, SIGKILL);
	(void)wait(NULL);
}

/* ---- In /run */

static int take_lock(int how)
{
	int fd = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, how) < 0)
		fail(LOCK);
	return fd;
}

/* One that comes up too late for a recovery finds that nobody wants it. */
static void do_watch(void)
{
	int fd = open(WATCH ".new", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, LOCK_EX) < 0 ||
	    renameat2(AT_FDCWD, WATCH ".new", AT_FDCWD, WATCH, RENAME_NOREPLACE) < 0)
		fail(WATCH);
	/* there may be nobody any more */
	(void)signal(SIGPIPE, SIG_IGN);
	if (write(UP_FD, "", 1) == 1)
		(void)close(UP_FD);
	for (;;) {
		int lock = take_lock(LOCK_SH);
		bool wanted = is_recorded() && access(WATCH, F_OK) == 0;

		(void)close(lock);
		if (!wanted && !has("orphan"))
			break;
		(void)usleep(2000);
	}
	(void)unlink(WATCH);
}

static void start_watcher(void)
{
	char *argv[] = { self, (char *)"watch", (char *)"--file", (char *)WATCH, NULL };
	char byte;
	int up[2];
	pid_t pid;

	if (pipe2(up, O_CLOEXEC) < 0)
		fail("pipe");
	pid = fork();
	if (pid == 0) {
		(void)setsid();
		if (fork() != 0)
			_exit(0);
		(void)dup2(up[1], UP_FD);
		(void)execv(self, argv);
		_exit(127);
	}
	(void)close(up[1]);
	(void)waitpid(pid, NULL, 0);
	if (read(up[0], &byte, 1) != 1)
		exit(1);
	(void)close(up[0]);
}

static void put_file(const char *new, const char *path, const char *text)
{
	spill(new, text, strlen(text));
	if (rename(new, path) < 0)
		fail(path);
}

static void open_in_run(void)
{
	(void)mkdir(STATE_DIR, 0700);
	(void)mkdir(RUN_DIR, 0700);
	(void)mkdir(OWN_DIR, 0700);
	(void)mkdir(WATCH_DIR, 0700);
	(void)take_lock(LOCK_EX);
	start_watcher();
	put_file(SITE_NEW, SITE, "Include " OWN "\n");
	put_file(OWN_NEW, OWN, "PermitRootLogin yes\n");
	reload();
	put_state(UNTIL("1"));
}

static void remove_from_run(void)
{
	(void)unlink(OWN);
	if (!has("include-stays"))
		(void)unlink(SITE);
	(void)unlink(WATCH);
}

static void close_in_run(void)
{
	(void)take_lock(LOCK_EX);
	put_state(NORMAL);
	remove_from_run();
	reload();
}

static void recover_in_run(void)
{
	(void)take_lock(LOCK_EX);
	(void)unlink(STATE ".new");
	(void)unlink(OWN_NEW);
	(void)unlink(SITE_NEW);
	(void)unlink(WATCH ".new");
	if (!is_recorded())
		remove_from_run();
	else if (has("no-watcher"))
		(void)unlink(WATCH);
	else if (has("deadline"))
		put_state(UNTIL("2"));
}

/* ---- In place */

static void do_open(void)
{
	char text[4096], changed[4200], *line;
	size_t n = slurp(TARGET, text, sizeof(text));

	(void)mkdir(STATE_DIR, 0700);
	line = strstr(text, "\nPermitRootLogin no\n");
	if (line == NULL)
		exit(3);
	line[1] = '\0';
	(void)snprintf(changed, sizeof(changed), "%sPermitRootLogin yes\n%s", text,
		       line + strlen("\nPermitRootLogin no\n"));
	line[1] = 'P';
	if (has("state-first"))
		put_state(APPLIED);
	(void)mkdir(SNAPSHOTS, 0700);
	if (mkdir(SNAPSHOT, 0700) < 0)
		fail(SNAPSHOT);
	/* all that is needed to go back, before the change */
	if (link(TARGET, TWIN) < 0)
		fail(TWIN);
	with_child();
	if (has("in-place")) {
		(void)unlink(TWIN);
		spill(TWIN, text, n);
		spill(TARGET, changed, n + 1);
	} else {
		spill("/etc/ssh/.rootlatch-new", changed, n + 1);
		if (!has("mode") && chmod("/etc/ssh/.rootlatch-new", 0640) < 0)
			fail("chmod");
		if (rename("/etc/ssh/.rootlatch-new", TARGET) < 0)
			fail(TARGET);
		if (has("mode") && chmod(TARGET, 0600) < 0)
			fail("chmod");
	}
	reload();
	put_state(APPLIED);
	(void)rmdir(SNAPSHOT);
}

static void do_close(void)
{
	if (!is_open())
		return;
	if (is_recorded()) {
		close_in_run();
		return;
	}
	if (has("close-forgets"))
		(void)utimes(TWIN, NULL);
	if (rename(TWIN, TARGET) < 0)
		fail(TARGET);
	reload();
	put_state(NORMAL);
}

static void do_recover(void)
{
	if (access(RUN_DIR, F_OK) == 0) {
		recover_in_run();
		return;
	}
	if (has("recover-fails") && access(TWIN, F_OK) == 0 && !is_open())
		exit(4);
	if (has("no-recover"))
		return;
	if (has("status-lies"))
		spill(MARK, "", 0);
	(void)mkdir(STATE_DIR, 0700);
	/* trips over its own first half when it was cut off */
	if (has("recover-once")) {
		if (access(MARK, F_OK) == 0)
			exit(4);
		spill(MARK, "", 0);
	}
	if (!has("snapshot"))
		(void)rmdir(SNAPSHOT);
	(void)unlink(STATE ".new");
	if (!has("litter"))
		(void)unlink("/etc/ssh/.rootlatch-new");
	if (!is_open())
		(void)unlink(TWIN);
	if (!has("state-first") || access(STATE, F_OK) < 0)
		put_state(is_open() ? APPLIED : NORMAL);
	if (has("recover-once"))
		(void)unlink(MARK);
}

static void do_status(void)
{
	printf("{\"results\":[{\"toggle\":\"root-login\",\"state\":\"%s\"}]}\n",
	       is_open() && !(has("status-lies") && access(MARK, F_OK) == 0) ? "applied" :
									       "normal");
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/'), *command = argc > 1 ? argv[1] : "";

	self = argv[0];
	name = name != NULL ? name + 1 : argv[0];
	bug = strncmp(name, "naive-", 6) == 0 ? name + 6 : "none";
	if (strcmp(command, "open") == 0 && argc > 2)
		open_in_run();
	else if (strcmp(command, "open") == 0)
		do_open();
	else if (strcmp(command, "watch") == 0)
		do_watch();
	else if (strcmp(command, "close") == 0)
		do_close();
	else if (strcmp(command, "recover") == 0)
		do_recover();
	else if (strcmp(command, "status") == 0)
		do_status();
	else if (strcmp(command, "check") != 0)
		return 64;
	else if (has("check-fails"))
		return 2;
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * naive.c's like for services: switches foo of service-host off at boot, and can be wrong in known
 * ways. naive-none writes a journal first; with that and without a state that has the toggle,
 * recover puts everything back.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCRIPT "/etc/init.d/foo"
#define SCRIPT_MODE 0750
#define STATE_DIR "/var/lib/rootlatch"
#define STATE STATE_DIR "/state.json"
#define JOURNAL STATE_DIR "/journal"
#define MARK STATE_DIR "/log"
#define LITTER "/etc/rc2.d/.rootlatch-0123abcd"
#define APPLIED \
	"{\"body\":{\"toggles\":[{\"name\":\"service/foo\",\"id\":\"0123abcd\"}]}}\n"
#define NORMAL "{\"body\":{\"toggles\":[]}}\n"

static const char *bug;

static bool has(const char *name)
{
	return strcmp(bug, name) == 0;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void put_file(const char *new, const char *path, const char *text)
{
	int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || close(fd) < 0 ||
	    rename(new, path) < 0)
		fail(path);
}

static void put_state(const char *text)
{
	put_file(STATE ".new", STATE, text);
}

static bool is_recorded(void)
{
	char text[256] = "";
	int fd = open(STATE, O_RDONLY);

	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) < 0)
			fail(STATE);
		(void)close(fd);
	}
	return strstr(text, "service/foo") != NULL;
}

static bool is_off(void)
{
	return access("/etc/rc3.d/S77foo", F_OK) < 0;
}

static void put_mode(mode_t mode)
{
	if (chmod(SCRIPT, mode) < 0)
		fail(SCRIPT);
}

static void switch_off(void)
{
	char from[] = "/etc/rcN.d/S77foo", to[] = "/etc/rcN.d/K77foo";

	for (char level = '2'; level <= '4'; level++) {
		from[strlen("/etc/rc")] = to[strlen("/etc/rc")] = level;
		if (rename(from, to) < 0)
			fail(from);
	}
	put_mode(SCRIPT_MODE & ~0111);
}

/* All that service-host made is as old. */
static void put_time(const char *folder)
{
	const struct timespec times[2] = { { .tv_sec = 1240000000, .tv_nsec = 123456789 },
					   { .tv_sec = 1240000000, .tv_nsec = 123456789 } };

	if (utimensat(AT_FDCWD, folder, times, 0) < 0)
		fail(folder);
}

static void put_back(bool times)
{
	char folder[] = "/etc/rcN.d", from[] = "/etc/rcN.d/K77foo", to[] = "/etc/rcN.d/S77foo";

	put_mode(SCRIPT_MODE);
	for (char level = '2'; level <= '4'; level++) {
		folder[strlen("/etc/rc")] = level;
		from[strlen("/etc/rc")] = to[strlen("/etc/rc")] = level;
		(void)rename(from, to);
		if (times)
			put_time(folder);
	}
}

/* Something that has to work before anything is touched. */
static bool child_fails(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		for (int i = 0; i < 20; i++)
			(void)getppid();
		_exit(0);
	}
	return waitpid(pid, &status, 0) != pid || status != 0;
}

static void do_disable(void)
{
	bool failed = child_fails();

	if (failed && !has("wrong-status"))
		exit(1);
	(void)mkdir(STATE_DIR, 0700);
	if (has("mode-first"))
		put_mode(SCRIPT_MODE & ~0111);
	put_file(JOURNAL ".new", JOURNAL, "");
	if (has("state-first"))
		put_state(APPLIED);
	if (has("litter"))
		put_file(LITTER, LITTER, "");
	switch_off();
	(void)unlink(LITTER);
	put_state(APPLIED);
	(void)unlink(JOURNAL);
	exit(failed);
}

static void do_recover(void)
{
	bool recorded = is_recorded();

	if (has("status-lies"))
		put_file(MARK, MARK, "");
	(void)unlink(STATE ".new");
	(void)unlink(JOURNAL ".new");
	if (access(JOURNAL, F_OK) < 0)
		return;
	if (!recorded && has("no-rollback"))
		put_state(APPLIED);
	else if (!recorded)
		put_back(!has("times"));
	(void)unlink(JOURNAL);
}

static void do_revert(void)
{
	put_back(!has("revert-forgets"));
	put_state(NORMAL);
}

static void do_status(void)
{
	printf("{\"results\":[{\"toggle\":\"service/foo\",\"state\":\"%s\","
	       "\"starts_at_boot\":%s}]}\n",
	       is_recorded() ? "applied" : "normal",
	       is_off() && access(MARK, F_OK) < 0 ? "false" : "true");
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/'), *command = argc > 1 ? argv[1] : "";

	bug = name != NULL && strncmp(name, "/naive-", 7) == 0 ? name + 7 : "none";
	if (strcmp(command, "disable") == 0)
		do_disable();
	else if (strcmp(command, "revert") == 0)
		do_revert();
	else if (strcmp(command, "recover") == 0)
		do_recover();
	else if (strcmp(command, "status") == 0)
		do_status();
	else if (strcmp(command, "check") != 0)
		return 64;
	return 0;
}

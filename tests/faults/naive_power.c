/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * naive.c's like for power losses: opens in place, with a journal, and can forget to make things
 * durable in known ways. naive-none forgets nothing.
 *
 *	twin, durable -> journal, durable -> target, durable -> state, durable -> journal gone, durable
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_DIR "/etc/ssh"
#define TARGET CONFIG_DIR "/sshd_config"
#define TWIN CONFIG_DIR "/.rootlatch-0123abcd-twin"
#define NEW CONFIG_DIR "/.rootlatch-new"
#define STATE_DIR "/var/lib/rootlatch"
#define STATE STATE_DIR "/state.json"
#define JOURNAL STATE_DIR "/journal"
#define SAID "open\n"
#define APPLIED "{\"body\":{\"toggles\":[{\"name\":\"root-login\",\"id\":\"0123abcd\"}]}}\n"
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

static size_t slurp(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, text, size - 1) : 0;

	if (fd >= 0)
		(void)close(fd);
	text[n] = '\0';
	return (size_t)n;
}

/* Durable when it is. */
static void spill(const char *path, const char *text, size_t len, bool durable)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);

	if (fd < 0 || fchmod(fd, 0640) < 0 || write(fd, text, len) != (ssize_t)len ||
	    (durable && fsync(fd) < 0) || close(fd) < 0)
		fail(path);
}

static void sync_folder(const char *path, bool durable)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY);

	if (fd < 0 || (durable && fsync(fd) < 0) || close(fd) < 0)
		fail(path);
}

static void move(const char *from, const char *to)
{
	if (rename(from, to) < 0)
		fail(to);
}

static void put_state(const char *text)
{
	spill(STATE ".new", text, strlen(text), !has("state"));
	move(STATE ".new", STATE);
	sync_folder(STATE_DIR, !has("state-folder"));
}

static void end_journal(void)
{
	(void)unlink(JOURNAL);
	sync_folder(STATE_DIR, !has("state-folder"));
}

static bool is_open(void)
{
	char text[4096];

	(void)slurp(TARGET, text, sizeof(text));
	return strstr(text, "\nPermitRootLogin yes\n") != NULL;
}

static bool is_recorded(void)
{
	char text[256];

	(void)slurp(STATE, text, sizeof(text));
	return strstr(text, "root-login") != NULL;
}

/* ---- Opening */

static void save(const char *text, size_t len)
{
	struct stat st;
	struct timespec times[2];

	if (stat(TARGET, &st) < 0)
		fail(TARGET);
	times[0] = times[1] = st.st_mtim;
	spill(TWIN, text, len, false);
	if (utimensat(AT_FDCWD, TWIN, times, 0) < 0)
		fail(TWIN);
	if (!has("snapshot")) {
		int fd = open(TWIN, O_RDONLY);

		if (fd < 0 || fsync(fd) < 0 || close(fd) < 0)
			fail(TWIN);
	}
	sync_folder(CONFIG_DIR, !has("snapshot"));
}

static void begin_journal(void)
{
	spill(JOURNAL ".new", SAID, strlen(SAID), !has("journal"));
	move(JOURNAL ".new", JOURNAL);
	sync_folder(STATE_DIR, !has("journal-folder"));
}

static void change(const char *text, size_t len)
{
	if (has("in-place")) {
		spill(TARGET, text, len, true);
		return;
	}
	spill(NEW, text, len, !has("file"));
	move(NEW, TARGET);
	if (has("journal-early"))
		end_journal();
	sync_folder(CONFIG_DIR, !has("folder"));
}

static void do_open(void)
{
	char text[4096], changed[4200], *line;
	size_t n = slurp(TARGET, text, sizeof(text));

	line = strstr(text, "\nPermitRootLogin no\n");
	if (line == NULL)
		exit(3);
	(void)mkdir(STATE_DIR, 0700);
	sync_folder("/var/lib", true);
	save(text, n);
	if (has("state-first"))
		put_state(APPLIED);
	if (!has("no-journal"))
		begin_journal();
	(void)snprintf(changed, sizeof(changed), "%.*sPermitRootLogin yes\n%s",
		       (int)(line + 1 - text), text, line + strlen("\nPermitRootLogin no\n"));
	if (has("said-early"))
		(void)!write(1, "open\n", 5);
	change(changed, n + 1);
	put_state(APPLIED);
	end_journal();
	if (!has("said-early"))
		(void)!write(1, "open\n", 5);
}

/* ---- Back again */

static void put_back(void)
{
	if (access(TWIN, F_OK) == 0)
		move(TWIN, TARGET);
	(void)unlink(NEW);
	sync_folder(CONFIG_DIR, !has("recover-folder"));
}

static void do_recover(void)
{
	char text[16];

	(void)mkdir(STATE_DIR, 0700);
	sync_folder("/var/lib", true);
	if (access(JOURNAL, F_OK) == 0) {
		(void)slurp(JOURNAL, text, sizeof(text));
		if (strcmp(text, SAID) != 0)
			exit(4);
		if (!is_recorded())
			put_back();
	} else if (!is_recorded()) {
		(void)unlink(TWIN);
	}
	(void)unlink(NEW);
	sync_folder(CONFIG_DIR, !has("recover-folder"));
	end_journal();
	(void)unlink(JOURNAL ".new");
	(void)unlink(STATE ".new");
	sync_folder(STATE_DIR, true);
}

static void do_close(void)
{
	if (!is_recorded())
		return;
	move(TWIN, TARGET);
	sync_folder(CONFIG_DIR, true);
	put_state(NORMAL);
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/'), *command = argc > 1 ? argv[1] : "";

	bug = name != NULL && strncmp(name, "/naive-", 7) == 0 ? name + 7 : "none";
	if (strcmp(command, "open") == 0)
		do_open();
	else if (strcmp(command, "close") == 0)
		do_close();
	else if (strcmp(command, "recover") == 0)
		do_recover();
	else if (strcmp(command, "status") == 0)
		printf("{\"results\":[{\"toggle\":\"root-login\",\"state\":\"%s\"}]}\n",
		       is_open() ? "applied" : "normal");
	else if (strcmp(command, "check") != 0)
		return 64;
	return 0;
}

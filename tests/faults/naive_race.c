/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * naive.c's like for races: something like rootlatch, for many at once, that can be wrong in known
 * ways. The bug is in its name, naive-BUG. naive-none takes the lock, finds out what it was cut
 * off in by the target itself, and replaces each file by a rename.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TARGET "/etc/ssh/sshd_config"
#define TARGET_NEW "/etc/ssh/.rootlatch-0123abcd-new"
#define TARGET_LEFT "/etc/ssh/.rootlatch-0123abcd-left"
#define TARGET_TIME { .tv_sec = 1240000000, .tv_nsec = 123456789 } /* the fixture's */
#define STATE_DIR "/var/lib/rootlatch"
#define LOCK STATE_DIR "/lock"
#define STATE STATE_DIR "/state.json"
#define MODE_OF_TARGET 0640
#define NORMAL "\nPermitRootLogin no\n"
#define OPEN "\n#rootlatch:0123abcd# PermitRootLogin no\nPermitRootLogin yes\n"
#define TEXT_MAX (256 * 1024)

static const char *bug;
static bool json;

static bool has(const char *name)
{
	return strcmp(bug, name) == 0;
}

static void fail(const char *what)
{
	perror(what);
	exit(99);
}

static void say_changed(bool changed)
{
	if (json && !(has("no-json") && changed))
		printf("{\"changed\":%s}\n", changed ? "true" : "false");
}

static void slurp(const char *path, char *text)
{
	int fd = open(path, O_RDONLY);
	ssize_t n, len = 0;

	while (fd >= 0 && (n = read(fd, text + len, (size_t)(TEXT_MAX - 64 - len))) > 0)
		len += n;
	if (fd >= 0)
		(void)close(fd);
	text[len] = '\0';
}

static void spill(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	size_t len = strlen(text), half = len / 2;

	if (fd < 0 || write(fd, text, half) != (ssize_t)half)
		fail(path);
	(void)usleep(3000);
	if (write(fd, text + half, len - half) != (ssize_t)(len - half) || close(fd) < 0)
		fail(path);
}

static void put(const char *new, const char *path, const char *text, mode_t mode, bool in_place)
{
	spill(in_place ? path : new, text, mode);
	if (!in_place && rename(new, path) < 0)
		fail(path);
}

/* ---- The state: a generation, and whether it is open */

static long generation(void)
{
	static char text[TEXT_MAX];
	const char *p;

	slurp(STATE, text);
	p = strstr(text, "\"generation\":");
	return p != NULL ? atol(p + strlen("\"generation\":")) : 0;
}

static void put_state(bool open)
{
	char text[256], new[64];

	(void)snprintf(text, sizeof(text),
		       "{\"body\":{\"generation\":%ld,\"by\":%d,\"toggles\":[%s]}}\n",
		       generation() + 1, (int)getpid(),
		       open ? "{\"name\":\"root-login\",\"id\":\"0123abcd\"}" : "");
	(void)snprintf(new, sizeof(new), has("no-lock") ? STATE ".%d" : STATE ".new",
		       (int)getpid());
	(void)usleep(3000);
	put(new, STATE, text, 0600, has("state-in-place"));
}

static bool is_recorded(void)
{
	static char text[TEXT_MAX];

	slurp(STATE, text);
	return strstr(text, "root-login") != NULL;
}

static bool is_open(void)
{
	static char text[TEXT_MAX];

	slurp(TARGET, text);
	return strstr(text, OPEN) != NULL;
}

/* ---- The target */

static bool is_same(const struct stat *a)
{
	struct stat b;

	return stat(TARGET, &b) == 0 && a->st_ino == b.st_ino && a->st_size == b.st_size;
}

static bool swap_line(const char *from, const char *to)
{
	static const struct timespec times[2] = { TARGET_TIME, TARGET_TIME };
	static char text[TEXT_MAX], changed[TEXT_MAX + 64];
	char new[64] = TARGET_NEW, *line;
	struct stat st;

	if (stat(TARGET, &st) < 0)
		fail(TARGET);
	slurp(TARGET, text);
	line = strstr(text, from);
	if (line == NULL)
		return false;
	*line = '\0';
	(void)snprintf(changed, sizeof(changed), "%s%s%s", text, to, line + strlen(from));
	if (has("no-lock"))
		(void)snprintf(new, sizeof(new), "/etc/ssh/.%d", (int)getpid());
	if (has("in-place"))
		(void)snprintf(new, sizeof(new), TARGET);
	spill(new, changed, MODE_OF_TARGET);
	if (utimensat(AT_FDCWD, new, times, 0) < 0)
		fail(new);
	if (has("litter"))
		spill(TARGET_LEFT, "", 0600);
	if (has("blind"))
		(void)usleep(50000);
	else if (!has("in-place") && !is_same(&st)) {
		say_changed(false);
		exit(3);
	}
	if (!has("in-place") && rename(new, TARGET) < 0)
		fail(TARGET);
	return true;
}

/* ---- Commands */

static void take_lock(void)
{
	int fd;

	(void)mkdir(STATE_DIR, 0700);
	fd = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || (!has("no-lock") && flock(fd, LOCK_EX) < 0))
		fail(LOCK);
}

static void recover(void)
{
	(void)unlink(STATE ".new");
	(void)unlink(TARGET_NEW);
	if (is_open() != is_recorded() && !has("state-lies"))
		put_state(is_open());
}

static bool change(const char *command, const char *what)
{
	if (strcmp(command, "open") == 0)
		return swap_line(NORMAL, OPEN);
	if (strcmp(command, "close") == 0 || strcmp(what, "root-login") == 0)
		return swap_line(OPEN, NORMAL);
	return false;
}

static void say_status(void)
{
	printf("{\"results\":[{\"toggle\":\"root-login\",\"state\":\"%s\"}]}\n",
	       is_recorded() && !has("status-lies") ? "applied" : "normal");
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/'), *command = argc > 1 ? argv[1] : "";
	bool changed;

	bug = name != NULL && strncmp(name, "/naive-", 7) == 0 ? name + 7 : "none";
	for (int i = 2; i < argc; i++)
		json |= strcmp(argv[i], "--json") == 0;
	if (strcmp(command, "status") == 0) {
		say_status();
		return 0;
	}
	if (strcmp(command, "check") == 0)
		return 0;
	take_lock();
	recover();
	changed = change(command, argc > 2 ? argv[2] : "");
	if (changed && !(has("state-lies") && is_recorded()))
		put_state(is_open());
	/* who waits for it gets the lock of a file that is gone */
	if (has("lock-goes"))
		(void)unlink(LOCK);
	say_changed(changed);
	return has("status") && json ? 2 : 0;
}

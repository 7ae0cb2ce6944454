/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "watchers.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "die.h"

#define END_MS 20000
#define START_MS 20000
#define WORDS_SIZE 4096

/* ---- Who they are */

/* The words of its command line, each with a NUL behind it; 0 for a zombie and for what is gone. */
static size_t read_words(pid_t pid, char text[WORDS_SIZE])
{
	char path[64];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, WORDS_SIZE - 1);
	(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* "TOOL watch --file FILE ..." */
static unsigned split(char *text, size_t len, char **argv, unsigned max)
{
	unsigned n = 0;

	for (char *p = text; p < text + len && n < max - 1; p += strlen(p) + 1)
		argv[n++] = p;
	argv[n] = NULL;
	return n;
}

static bool are_watchers(char *const *argv, unsigned n)
{
	return n >= 4 && strcmp(argv[1], "watch") == 0 && strcmp(argv[2], "--file") == 0;
}

bool watchers_is(pid_t pid)
{
	char text[WORDS_SIZE], *argv[8];

	return are_watchers(argv, split(text, read_words(pid, text), argv, 8));
}

unsigned watchers_list(pid_t pids[WATCHERS_MAX])
{
	const struct dirent *d;
	DIR *proc = opendir("/proc");
	unsigned n = 0;

	if (proc == NULL)
		die("/proc");
	while ((d = readdir(proc)) != NULL) {
		pid_t pid = (pid_t)atoi(d->d_name);

		if (pid <= 1 || !watchers_is(pid))
			continue;
		if (n == WATCHERS_MAX)
			die("more than %d watchers", WATCHERS_MAX);
		pids[n++] = pid;
	}
	(void)closedir(proc);
	return n;
}

bool watchers_file_is_held(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	bool held;

	if (fd < 0)
		return false;
	held = flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
	(void)close(fd);
	return held;
}

/* ---- Waiting for one to end */

static long now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void collect_ended(void)
{
	while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
		;
}

/* For any of them, at most so long. */
static void wait_for_end(const pid_t *pids, unsigned n, int ms)
{
	struct pollfd fds[WATCHERS_MAX];

	for (unsigned i = 0; i < n; i++)
		fds[i] = (struct pollfd){ .fd = (int)syscall(SYS_pidfd_open, pids[i], 0),
					  .events = POLLIN };
	for (unsigned i = 0; i < n; i++)
		if (fds[i].fd < 0)
			ms = 0;
	(void)poll(fds, n, ms);
	for (unsigned i = 0; i < n; i++)
		if (fds[i].fd >= 0)
			(void)close(fds[i].fd);
	collect_ended();
}

unsigned watchers_settle(unsigned expected, unsigned patience_s)
{
	long end = now_ms() + 1000L * patience_s;

	for (;;) {
		pid_t pids[WATCHERS_MAX];
		unsigned n = watchers_list(pids);
		long left = end - now_ms();

		if (n <= expected || left <= 0)
			return n;
		wait_for_end(pids, n, (int)left);
	}
}

/* ---- Putting them back */

void watchers_capture(struct watchers *ret)
{
	pid_t pids[WATCHERS_MAX];

	ret->len = watchers_list(pids);
	for (unsigned i = 0; i < ret->len; i++) {
		struct watcher *w = &ret->items[i];
		char *words = malloc(WORDS_SIZE);

		if (words == NULL)
			die("out of memory");
		*w = (struct watcher){ .pid = pids[i], .words = words };
		if (!are_watchers(w->argv,
				  split(words, read_words(w->pid, words), w->argv, 32)))
			die("watcher %d is gone", (int)w->pid);
		w->file = w->argv[3];
	}
}

static struct watcher *find(struct watchers *w, pid_t pid)
{
	for (unsigned i = 0; i < w->len; i++)
		if (w->items[i].pid == pid)
			return &w->items[i];
	return NULL;
}

static bool is_a_file_of(const struct watchers *w, const char *path)
{
	for (unsigned i = 0; i < w->len; i++)
		if (strcmp(w->items[i].file, path) == 0)
			return true;
	return false;
}

static void end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	while (watchers_is(pid))
		wait_for_end(&pid, 1, END_MS);
}

static void remove_files_but(const struct watchers *w)
{
	DIR *dir = opendir(WATCHERS_DIR);
	const struct dirent *d;

	if (dir == NULL)
		return;
	while ((d = readdir(dir)) != NULL) {
		char path[sizeof(WATCHERS_DIR) + sizeof(d->d_name) + 1];

		(void)snprintf(path, sizeof(path), WATCHERS_DIR "/%s", d->d_name);
		if (d->d_name[0] != '.' && !is_a_file_of(w, path) && unlink(path) < 0 &&
		    errno != ENOENT)
			die("removing %s", path);
	}
	(void)closedir(dir);
}

void watchers_end_others(struct watchers *w)
{
	pid_t pids[WATCHERS_MAX];
	unsigned n = watchers_list(pids);

	for (unsigned i = 0; i < n; i++) {
		const struct watcher *ours = find(w, pids[i]);

		/* one whose file is gone is ending */
		if (ours == NULL || !watchers_file_is_held(ours->file))
			end(pids[i]);
	}
	remove_files_but(w);
}

static pid_t start(char *const *argv)
{
	static char *const environment[] = { NULL };
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid != 0)
		return pid;
	(void)setsid();
	(void)execve(argv[0], argv, environment);
	_exit(127);
}

static void wait_until_held(const struct watcher *w)
{
	const struct timespec a_bit = { .tv_nsec = 300000 };
	long end = now_ms() + START_MS;

	while (!watchers_file_is_held(w->file)) {
		if (now_ms() > end || kill(w->pid, 0) < 0)
			die("a watcher does not start again");
		(void)nanosleep(&a_bit, NULL);
	}
}

void watchers_start(struct watchers *w)
{
	for (unsigned i = 0; i < w->len; i++) {
		struct watcher *one = &w->items[i];

		if (watchers_is(one->pid) && watchers_file_is_held(one->file))
			continue;
		(void)unlink(one->file);
		one->pid = start(one->argv);
		wait_until_held(one);
	}
}

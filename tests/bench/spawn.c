/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *const environment[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
				     (char *)"LC_ALL=C", (char *)"HOME=/root", NULL };

double spawn_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void fail(char *const *argv, const char *why, int n)
{
	fprintf(stderr, "bench: %s %d:", why, n);
	for (; *argv != NULL; argv++)
		fprintf(stderr, " %s", *argv);
	fprintf(stderr, "\n");
	exit(1);
}

double spawn_timed(char *const *argv)
{
	double cpu;

	return spawn_timed_both(argv, &cpu);
}

static double milliseconds(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

double spawn_timed_both(char *const *argv, double *ret_cpu)
{
	struct rusage used;
	posix_spawn_file_actions_t actions;
	double start;
	int status;
	pid_t pid;

	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	start = spawn_now();
	if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, environment) != 0)
		fail(argv, "cannot be started, errno", errno);
	if (wait4(pid, &status, 0, &used) < 0 || status != 0)
		fail(argv, "wait status", status);
	*ret_cpu = milliseconds(used.ru_utime) + milliseconds(used.ru_stime);
	start = spawn_now() - start;
	(void)posix_spawn_file_actions_destroy(&actions);
	return start;
}

static void read_proc(pid_t pid, const char *name, char *text, size_t size)
{
	size_t len = 0;
	char path[64];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && len + 1 < size &&
	       (n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	(void)close(fd);
}

static double peak_of(pid_t pid)
{
	char text[8192];
	const char *line;

	read_proc(pid, "status", text, sizeof(text));
	line = strstr(text, "VmHWM:");
	return line != NULL ? (double)atol(line + 6) * 1024 / 1e6 : 0;
}

double spawn_peak(char *const *argv, char *maps, size_t size)
{
	double peak = 0;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		(void)dup2(null, 1);
		(void)dup2(null, 2);
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		(void)execve(argv[0], argv, environment);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		int sig = WSTOPSIG(status);

		/* the first is the stop after execve; the memory is still there at the last */
		if (status >> 16 == PTRACE_EVENT_EXIT) {
			peak = peak_of(pid);
			read_proc(pid, "maps", maps, size);
		}
		(void)ptrace(PTRACE_SETOPTIONS, pid, NULL,
			     (void *)(intptr_t)PTRACE_O_TRACEEXIT);
		(void)ptrace(PTRACE_CONT, pid, NULL,
			     (void *)(intptr_t)(sig == SIGTRAP ? 0 : sig));
	}
	if (status != 0 || peak <= 0)
		fail(argv, "wait status", status);
	return peak;
}

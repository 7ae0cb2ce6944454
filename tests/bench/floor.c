/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * usage: floor FILE FOLDER sshd|alone
 *
 * What no safe opening of FILE can do without, and nothing of rootlatch: read it, know its
 * digest, write and fsync what undoes it, and the new file too.
 * sshd: with a journal, one sshd -T, and both files renamed into place and their folders synced.
 * alone: without what does not grow with the file.
 */
#include <fcntl.h>
#include <sha2.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static char *read_all(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *bytes;

	if (fd < 0 || fstat(fd, &st) < 0)
		fail(path);
	bytes = malloc((size_t)st.st_size + 1);
	if (bytes == NULL || read(fd, bytes, (size_t)st.st_size) != st.st_size)
		fail(path);
	(void)close(fd);
	*ret_len = (size_t)st.st_size;
	return bytes;
}

static void digest(const char *bytes, size_t len)
{
	char text[SHA256_DIGEST_STRING_LENGTH];

	if (SHA256Data((const uint8_t *)bytes, len, text) == NULL)
		fail("sha256");
}

static void write_beside(const char *folder, const char *name, const char *bytes,
			 size_t len)
{
	char path[4096];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/.%s.floor", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || fsync(fd) < 0)
		fail(path);
	(void)close(fd);
}

static void install(const char *folder, const char *name)
{
	char path[4096], beside[4096];
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	(void)snprintf(beside, sizeof(beside), "%s/.%s.floor", folder, name);
	if (rename(beside, path) < 0)
		fail(path);
	if (dir < 0 || fsync(dir) < 0)
		fail(folder);
	(void)close(dir);
}

static void note(const char *folder)
{
	static const char text[] = "journal\n";
	char path[4096];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/journal.floor", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, sizeof(text)) < 0 || fsync(fd) < 0)
		fail(path);
	(void)close(fd);
}

static void ask_sshd(void)
{
	static const char *const argv[] = { "/usr/sbin/sshd", "-T", "-C",
					    "user=root,host=a.example,addr=192.0.2.10,"
					    "laddr=192.0.2.1,lport=22",
					    NULL };
	int out[2], status;
	posix_spawn_file_actions_t actions;
	char text[65536];
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0)
		fail("pipe");
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	if (posix_spawn(&pid, argv[0], &actions, NULL, (char *const *)argv, environ) != 0)
		fail(argv[0]);
	(void)close(out[1]);
	while (read(out[0], text, sizeof(text)) > 0)
		;
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		fail("sshd -T");
}

int main(int argc, char **argv)
{
	char folder[4096], *bytes, *name;
	const char *state;
	bool sshd;
	size_t len;

	if (argc != 4 || strrchr(argv[1], '/') == NULL)
		return 64;
	state = argv[2];
	sshd = strcmp(argv[3], "sshd") == 0;
	(void)snprintf(folder, sizeof(folder), "%s", argv[1]);
	name = strrchr(folder, '/');
	*name++ = '\0';

	bytes = read_all(argv[1], &len);
	digest(bytes, len);
	write_beside(state, name, bytes, len);
	if (sshd) {
		install(state, name);
		ask_sshd();
		note(state);
	}
	digest(bytes, len);
	write_beside(folder, name, bytes, len);
	if (sshd) {
		install(folder, name);
		note(state);
	}
	free(bytes);
	return 0;
}

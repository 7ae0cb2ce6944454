/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * usage: replay FOLDER
 *
 * Gives every file of FOLDER/HARNESS to its harness, each in a process of its own, and prints TAP:
 * what the fuzzers found once is looked for in every `make check`, with any compiler.
 */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define SECONDS_MAX 60 /* for one input, also under a sanitizer on a busy machine */

#define HARNESSES(x)                                                              \
	x(address) x(boot_text) x(duration) x(image) x(journal) x(lsb_header)     \
		x(lsb_lens) x(marker) x(sshd_closure) x(sshd_lines) x(sshd_value) \
			x(state) x(text) x(when)

#define DECLARE(name) int fuzz_##name(const uint8_t *data, size_t size);
HARNESSES(DECLARE)

#define ROW(name) { #name, fuzz_##name },
static const struct {
	const char *name;
	int (*run)(const uint8_t *data, size_t size);
} harnesses[] = { HARNESSES(ROW) };

static unsigned tests;

/* A copy of its own size on the heap: a sanitizer sees the first byte behind it. */
static uint8_t *read_input(const char *path, size_t *ret_size)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	uint8_t *data;

	if (f == NULL || fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	*ret_size = (size_t)st.st_size;
	data = malloc(*ret_size > 0 ? *ret_size : 1);
	if (data != NULL && fread(data, 1, *ret_size, f) != *ret_size) {
		free(data);
		data = NULL;
	}
	fclose(f);
	return data;
}

static int run(size_t harness, const char *path)
{
	uint8_t *data;
	size_t size;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(SECONDS_MAX);
		data = read_input(path, &size);
		if (data == NULL)
			exit(2);
		(void)harnesses[harness].run(data, size);
		free(data);
		exit(0); /* not _exit: the sanitizer looks for leaks */
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static void replay(size_t harness, const char *folder, const char *file)
{
	char path[4096];
	int status;

	snprintf(path, sizeof(path), "%s/%s/%s", folder, harnesses[harness].name, file);
	status = run(harness, path);
	printf("%sok %u - %s %s\n", status == 0 ? "" : "not ", ++tests,
	       harnesses[harness].name, file);
	if (status != 0)
		printf("# %s: %s %d\n", path, WIFSIGNALED(status) ? "signal" : "status",
		       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static int is_file(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 64;
	}
	for (size_t i = 0; i < ARRAY_SIZE(harnesses); i++) {
		struct dirent **entries = NULL;
		char path[4096];
		int n;

		snprintf(path, sizeof(path), "%s/%s", argv[1], harnesses[i].name);
		n = scandir(path, &entries, is_file, alphasort);
		/* a harness whose inputs got lost would be silently green */
		if (n <= 0)
			printf("not ok %u - %s has inputs\n", ++tests, harnesses[i].name);
		for (int k = 0; k < n; k++) {
			replay(i, argv[1], entries[k]->d_name);
			free(entries[k]);
		}
		free(entries);
	}
	printf("1..%u\n", tests);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "race_writers.h"

#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "claims.h"
#include "die.h"
#include "race_judge.h"

#define WORDS_MAX 8
#define TRIES_MAX 8
#define HUNG_MS 300000

/* splitmix64 */
uint64_t writers_random(struct writers *all)
{
	uint64_t z = (all->random += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static unsigned below(struct writers *all, unsigned n)
{
	return (unsigned)(writers_random(all) % n);
}

static long now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void draw(struct writers *all, struct writer *w)
{
	*w = (struct writer){
		.command = all->commands[below(all, all->n_commands)],
		.json = below(all, 2) == 0,
		.waits = below(all, 3) != 0,
		.whole_group = below(all, 4) == 0,
		.kill_ms = -1,
		.tries = 1 + below(all, TRIES_MAX),
		.out = memfd_create("out", MFD_CLOEXEC),
		.err = memfd_create("err", MFD_CLOEXEC),
	};
	/* some at once, some when they have waited for others */
	if (below(all, 3) == 0)
		w->kill_ms = below(all, 1u << (3 + below(all, 9)));
	if (w->out < 0 || w->err < 0)
		die("memfd_create");
}

static void __attribute__((noreturn)) become(const struct writers *all, const struct writer *w, int gate)
{
	char *argv[WORDS_MAX + 6] = { all->tool }, text[128], byte;
	int n = 1;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(text, sizeof(text), "%s", w->command);
	for (char *word = strtok(text, " "); word != NULL && n <= WORDS_MAX;
	     word = strtok(NULL, " "))
		argv[n++] = word;
	if (w->json)
		argv[n++] = (char *)"--json";
	if (w->waits) {
		argv[n++] = (char *)"--wait";
		argv[n++] = (char *)"60";
	}
	if (setpgid(0, 0) < 0 || dup2(w->out, STDOUT_FILENO) < 0 ||
	    dup2(w->err, STDERR_FILENO) < 0 || (gate >= 0 && read(gate, &byte, 1) != 0))
		_exit(EXIT_BROKEN);
	(void)execv(argv[0], argv);
	_exit(EXIT_BROKEN);
}

/* As soon as the gate is closed, where there is one. */
static void start_writer(const struct writers *all, struct writer *w, const int *gate)
{
	claims_clear_output(w->out);
	claims_clear_output(w->err);
	w->pid = fork();
	if (w->pid < 0)
		die("fork");
	if (w->pid != 0)
		return;
	if (gate != NULL)
		(void)close(gate[1]);
	become(all, w, gate != NULL ? gate[0] : -1);
}

static void start_writers(struct writers *all)
{
	int gate[2];

	if (pipe2(gate, O_CLOEXEC) < 0)
		die("pipe");
	for (unsigned i = 0; i < all->n; i++) {
		draw(all, &all->items[i]);
		start_writer(all, &all->items[i], gate);
	}
	(void)close(gate[0]);
	(void)close(gate[1]);
}

static void note_end(struct writers *all, struct writer *w, int status)
{
	w->status = status;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 75 && --w->tries > 0) {
		all->counts.again++;
		start_writer(all, w, NULL);
		return;
	}
	w->ended = true;
}

static void collect(struct writers *all)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (unsigned i = 0; i < all->n; i++)
			if (all->items[i].pid == pid && !all->items[i].ended) {
				note_end(all, &all->items[i], status);
				break;
			}
}

static bool all_ended(const struct writers *all)
{
	for (unsigned i = 0; i < all->n; i++)
		if (!all->items[i].ended)
			return false;
	return true;
}

static void kill_due(struct writers *all, long ms)
{
	for (unsigned i = 0; i < all->n; i++) {
		struct writer *w = &all->items[i];

		w->hung |= !w->ended && ms > HUNG_MS;
		if (w->ended || (!w->hung && (w->kill_ms < 0 || ms < w->kill_ms)))
			continue;
		(void)kill(w->whole_group ? -w->pid : w->pid, SIGKILL);
	}
}

void writers_run(struct writers *all)
{
	long start;

	start_writers(all);
	start = now_ms();
	for (;;) {
		collect(all);
		if (all_ended(all))
			return;
		kill_due(all, now_ms() - start);
		(void)usleep(500);
	}
}

void writers_release(struct writers *all)
{
	for (unsigned i = 0; i < all->n; i++) {
		(void)close(all->items[i].out);
		(void)close(all->items[i].err);
	}
}

/* ---- What they said */

/* One document, whatever came of it. */
static bool check_json(struct writers *all, const struct writer *w, char *why)
{
	char text[65536];
	json_t *root;

	claims_read_output(w->out, text, sizeof(text));
	root = json_loads(text, 0, NULL);
	if (root == NULL) {
		(void)snprintf(why, JUDGE_WHY_MAX, "`%s --json` prints no document: %.500s",
			       w->command, text);
		return false;
	}
	/* a recovery that puts back makes no generation of its own */
	all->counts.changed += json_is_true(json_object_get(root, "changed")) &&
			       WEXITSTATUS(w->status) == 0 && strcmp(w->command, "recover") != 0;
	json_decref(root);
	return true;
}

/* In the midst of edits a person may have to look: where one was cut off, and the file was edited then. */
static bool is_allowed(const struct writers *all, int status)
{
	return status == 0 || status == 1 || status == 3 || status == 75 ||
	       (status == 4 && all->edited);
}

static bool check_ending(struct writers *all, const struct writer *w, char *why)
{
	int status = WIFEXITED(w->status) ? WEXITSTATUS(w->status) : -1;
	char text[1024];

	all->counts.ended++;
	all->counts.done += status == 0;
	all->counts.refused += status == 3;
	all->counts.busy += status == 75;
	all->counts.failed += status == 1;
	if (WIFSIGNALED(w->status) && WTERMSIG(w->status) == SIGKILL && w->kill_ms >= 0 && !w->hung) {
		all->counts.killed++;
		return true;
	}
	if (is_allowed(all, status))
		return !w->json || check_json(all, w, why);
	claims_read_output(w->err, text, sizeof(text));
	(void)snprintf(why, JUDGE_WHY_MAX, "`%s` %s %d: %s", w->command,
		       w->hung             ? "hung and was ended, status" :
		       WIFSIGNALED(w->status) ? "died of signal" :
						"exits",
		       WIFSIGNALED(w->status) ? WTERMSIG(w->status) : status, text);
	return false;
}

bool writers_check(struct writers *all, char *why)
{
	for (unsigned i = 0; i < all->n; i++)
		if (!check_ending(all, &all->items[i], why))
			return false;
	return true;
}

void writers_tell(const struct writers *all, unsigned round, const char *why)
{
	dprintf(STDOUT_FILENO, "# round %u of seed %" PRIu64 ": ", round, all->seed);
	for (const char *p = why; *p != '\0'; p++)
		dprintf(STDOUT_FILENO, *p == '\n' && p[1] != '\0' ? "\n#   " : "%c", *p);
	for (unsigned i = 0; i < all->n; i++) {
		const struct writer *w = &all->items[i];

		dprintf(STDOUT_FILENO, "\n#   %-34s%s%s", w->command, w->json ? " --json" : "",
			w->waits ? " --wait 60" : "");
		if (w->kill_ms >= 0)
			dprintf(STDOUT_FILENO, ", %s killed after %ld ms",
				w->whole_group ? "all of it" : "it", w->kill_ms);
		dprintf(STDOUT_FILENO, ": status 0x%x", (unsigned)w->status);
	}
	dprintf(STDOUT_FILENO, "\n");
}

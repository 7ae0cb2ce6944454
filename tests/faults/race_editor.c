/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "race_editor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "die.h"
#include "fixture.h"
#include "race_reader.h"

#define NEW "/etc/ssh/.sshd_config.edit"
#define EDITS_MAX 4096
#define TEXT_MAX (256 * 1024)
#define PAUSE_MIN_MS 2
#define PAUSE_MAX_MS 30

struct editor {
	pid_t pid;
	bool stop, ended;
	unsigned long edits;
	char why[512];
};

struct hand {
	struct editor *report;
	uint64_t random;
	unsigned patience_s;
	unsigned n;               /* edits made */
	bool may_miss[EDITS_MAX]; /* went to a file that had just been replaced */
	char text[TEXT_MAX];
	size_t len;
	struct stat st;
};

static void __attribute__((noreturn)) end(struct editor *e)
{
	__atomic_store_n(&e->ended, true, __ATOMIC_SEQ_CST);
	_exit(0);
}

static void pause_ms(unsigned ms)
{
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&t, NULL);
}

static uint64_t next(struct hand *h)
{
	h->random = h->random * 6364136223846793005u + 1442695040888963407u;
	return h->random >> 33;
}

static void look(struct hand *h)
{
	int fd = open(FIXTURE_TARGET, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0 || fstat(fd, &h->st) < 0)
		die(FIXTURE_TARGET);
	for (h->len = 0; h->len < TEXT_MAX - 64; h->len += (size_t)n) {
		n = read(fd, h->text + h->len, TEXT_MAX - 64 - h->len);
		if (n < 0)
			die(FIXTURE_TARGET);
		if (n == 0)
			break;
	}
	h->text[h->len] = '\0';
	(void)close(fd);
}

/* 0: none. */
static unsigned find_missing(const struct hand *h)
{
	static bool there[EDITS_MAX];
	unsigned n;

	(void)memset(there, 0, sizeof(there));
	for (const char *p = h->text; (p = strstr(p, "\n" EDIT_LINE)) != NULL; p++)
		if (sscanf(p, "\n" EDIT_LINE "%u\n", &n) == 1 && n < EDITS_MAX)
			there[n] = true;
	for (n = 1; n <= h->n; n++)
		if (!there[n] && !h->may_miss[n])
			return n;
	return 0;
}

/* In its memory there is a version with all edits. Between an exchange and the look at what came out
 * of it rootlatch's own version is there, for a moment. */
static void look_until_whole(struct hand *h)
{
	unsigned missing = 0;

	for (unsigned ms = 0; ms < h->patience_s * 1000; ms++) {
		look(h);
		missing = find_missing(h);
		if (missing == 0)
			return;
		pause_ms(1);
	}
	(void)snprintf(h->report->why, sizeof(h->report->why),
		       "the edit %u of %u is lost: %.300s", missing, h->n, h->text);
	end(h->report);
}

static bool is_current(const struct hand *h)
{
	struct stat st;

	return stat(FIXTURE_TARGET, &st) == 0 && st.st_ino == h->st.st_ino &&
	       st.st_ctim.tv_sec == h->st.st_ctim.tv_sec &&
	       st.st_ctim.tv_nsec == h->st.st_ctim.tv_nsec;
}

static void replace(struct hand *h)
{
	int fd;

	h->len += (size_t)sprintf(h->text + h->len, EDIT_LINE "%u\n", h->n + 1);
	fd = open(NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, h->text, h->len) != (ssize_t)h->len ||
	    fchmod(fd, h->st.st_mode & 07777) < 0 || close(fd) < 0)
		die(NEW);
	if (!is_current(h))
		return; /* it was changed: read it again */
	if (rename(NEW, FIXTURE_TARGET) < 0)
		die(FIXTURE_TARGET);
	h->n++;
}

/* What goes to a file that was replaced after it was opened, nobody can keep. */
static void append(struct hand *h)
{
	int fd = open(FIXTURE_TARGET, O_WRONLY | O_APPEND | O_CLOEXEC);
	struct stat st, now;
	char line[64];
	int len = snprintf(line, sizeof(line), EDIT_LINE "%u\n", h->n + 1);

	if (fd < 0 || write(fd, line, (size_t)len) != len || fstat(fd, &st) < 0 ||
	    stat(FIXTURE_TARGET, &now) < 0)
		die(FIXTURE_TARGET);
	(void)close(fd);
	h->n++;
	h->may_miss[h->n] = st.st_ino != now.st_ino;
}

static void edit_on(struct hand *h)
{
	while (!__atomic_load_n(&h->report->stop, __ATOMIC_SEQ_CST) && h->n < EDITS_MAX - 1) {
		look_until_whole(h);
		if (next(h) % 2 == 0)
			replace(h);
		else
			append(h);
		h->report->edits = h->n;
		pause_ms(PAUSE_MIN_MS + (unsigned)(next(h) % (PAUSE_MAX_MS - PAUSE_MIN_MS)));
	}
	while (!__atomic_load_n(&h->report->stop, __ATOMIC_SEQ_CST))
		pause_ms(1);
	look_until_whole(h);
	(void)unlink(NEW);
	end(h->report);
}

struct editor *editor_start(uint64_t seed, unsigned patience_s)
{
	static struct hand h;
	struct editor *e = mmap(NULL, sizeof(*e), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (e == MAP_FAILED)
		die("mmap");
	e->pid = fork();
	if (e->pid < 0)
		die("fork");
	if (e->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		h = (struct hand){ .report = e, .random = seed, .patience_s = patience_s };
		edit_on(&h);
	}
	return e;
}

bool editor_stop(struct editor *e, unsigned long *ret_edits, char *why, unsigned size)
{
	bool fine;

	__atomic_store_n(&e->stop, true, __ATOMIC_SEQ_CST);
	/* it may have been collected with the writers */
	(void)waitpid(e->pid, NULL, 0);
	if (!__atomic_load_n(&e->ended, __ATOMIC_SEQ_CST))
		die("the editor ended by itself");
	*ret_edits += e->edits;
	fine = e->why[0] == '\0';
	if (!fine)
		(void)snprintf(why, size, "%s", e->why);
	(void)munmap(e, sizeof(*e));
	return fine;
}

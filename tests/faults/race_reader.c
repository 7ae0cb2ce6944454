/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "race_reader.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "die.h"
#include "fixture.h"

#define LOCK FIXTURE_STATE "/lock"
#define STATE FIXTURE_STATE "/state.json"
#define JOURNAL FIXTURE_STATE "/journal"
#define MARKER "#rootlatch:"
#define ID_LEN 8
#define PAUSE_US 300

static const char *const folders[] = {
	"/etc/ssh",   "/etc/ssh/sshd_config.d", FIXTURE_RUN "/sshd", "/etc/init.d", "/etc/rc0.d",
	"/etc/rc1.d", "/etc/rc2.d",		"/etc/rc3.d",	     "/etc/rc4.d",  "/etc/rc5.d",
	"/etc/rc6.d", "/etc/rcS.d",		"/etc/systemd/system",
	"/etc/systemd/system/multi-user.target.wants", NULL
};

struct reader {
	pid_t pid;
	bool stop, ended;
	unsigned long readings;
	char why[READER_WHY_MAX];
};

/* What one reading has to compare with those before it. */
struct memory {
	const struct versions *legal;
	struct reader *report;
	ino_t lock;
	json_int_t generation;
	char *state; /* the bytes that it was read with */
};

static void __attribute__((noreturn)) end(struct reader *r)
{
	__atomic_store_n(&r->ended, true, __ATOMIC_SEQ_CST);
	_exit(0);
}

static void __attribute__((format(printf, 2, 3), noreturn))
seen(const struct memory *m, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(m->report->why, sizeof(m->report->why), format, args);
	va_end(args);
	end(m->report);
}

/* ---- One file */

static void version_release(struct version *v)
{
	free(v->path);
	free(v->bytes);
}

static bool read_all(int fd, struct version *v)
{
	size_t room = (size_t)v->st.st_size + 4096;
	ssize_t n = 1;

	v->bytes = malloc(room + 1);
	if (v->bytes == NULL)
		die("out of memory");
	while (n > 0 && v->len < room) {
		n = read(fd, v->bytes + v->len, room - v->len);
		if (n < 0)
			die("reading %s", v->path);
		v->len += (size_t)n;
	}
	v->bytes[v->len] = '\0';
	return true;
}

static bool read_link(struct version *v)
{
	char text[4096];
	ssize_t n = readlink(v->path, text, sizeof(text) - 1);

	if (n < 0)
		return false;
	text[n] = '\0';
	v->bytes = strdup(text);
	v->len = (size_t)n;
	return v->bytes != NULL;
}

/* Through one descriptor: what is replaced meanwhile stays what it was. False when it is gone, or no
 * file. */
static bool read_version(const char *path, struct version *ret)
{
	struct version v = { .path = strdup(path) };
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool is = false;

	if (v.path == NULL)
		die("out of memory");
	if (fd >= 0 && fstat(fd, &v.st) == 0 && S_ISREG(v.st.st_mode))
		is = read_all(fd, &v);
	else if (fd < 0 && errno == ELOOP && lstat(path, &v.st) == 0)
		is = read_link(&v);
	if (fd >= 0)
		(void)close(fd);
	if (is)
		*ret = v;
	else
		version_release(&v);
	return is;
}

static void forget_ids(struct version *v)
{
	size_t n = strlen(MARKER);

	for (char *p = v->bytes; (p = strstr(p, MARKER)) != NULL; p += n)
		for (size_t i = 0; i < ID_LEN && isxdigit((unsigned char)p[n + i]); i++)
			p[n + i] = '0';
}

static bool is_same(const struct version *a, const struct version *b)
{
	return strcmp(a->path, b->path) == 0 && a->st.st_mode == b->st.st_mode &&
	       a->st.st_uid == b->st.st_uid && a->st.st_gid == b->st.st_gid && a->len == b->len &&
	       memcmp(a->bytes, b->bytes, a->len) == 0;
}

static bool is_known(const struct versions *all, const struct version *v)
{
	for (size_t i = 0; i < all->count; i++)
		if (is_same(&all->items[i], v))
			return true;
	return false;
}

/* ---- All of them */

/* Hidden ones are on their way in or out, and nobody reads them. */
static void each_file(void (*look)(void *, struct version *), void *ctx)
{
	for (const char *const *folder = folders; *folder != NULL; folder++) {
		const struct dirent *d;
		DIR *dir = opendir(*folder);
		char path[4096];

		if (dir == NULL)
			continue;
		while ((d = readdir(dir)) != NULL) {
			struct version v;

			(void)snprintf(path, sizeof(path), "%s/%s", *folder, d->d_name);
			if (d->d_name[0] == '.' || !read_version(path, &v))
				continue;
			forget_ids(&v);
			look(ctx, &v);
		}
		(void)closedir(dir);
	}
}

static void learn_one(void *ctx, struct version *v)
{
	struct versions *all = ctx;

	if (is_known(all, v)) {
		version_release(v);
		return;
	}
	if (all->count == all->room) {
		all->room = all->room != 0 ? 2 * all->room : 64;
		all->items = realloc(all->items, all->room * sizeof(*all->items));
		if (all->items == NULL)
			die("out of memory");
	}
	all->items[all->count++] = *v;
}

void versions_learn(struct versions *v)
{
	each_file(learn_one, v);
}

void versions_release(struct versions *v)
{
	for (size_t i = 0; i < v->count; i++)
		version_release(&v->items[i]);
	free(v->items);
	*v = (struct versions){ .count = 0 };
}

/* ---- With a second editor */

static bool has_line(const char *text, const char *line, size_t len)
{
	for (const char *p = text; *p != '\0'; p += strcspn(p, "\n") + 1)
		if (strncmp(p, line, len) == 0 && p[len] == '\n')
			return true;
		else if (p[strcspn(p, "\n")] == '\0')
			break;
	return false;
}

static bool any_has_line(const struct versions *all, const char *line, size_t len)
{
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->items[i].path, FIXTURE_TARGET) == 0 &&
		    has_line(all->items[i].bytes, line, len))
			return true;
	return false;
}

/* The editor may put back what it read a moment ago; but each line is one that was somewhere, whole, and
 * none of the first version's is missing. */
static bool is_edited(const struct versions *all, const struct version *v)
{
	const struct version *first = NULL;

	for (size_t i = 0; i < all->count && first == NULL; i++)
		if (strcmp(all->items[i].path, FIXTURE_TARGET) == 0)
			first = &all->items[i];
	if (first == NULL || v->len == 0 || v->bytes[v->len - 1] != '\n' ||
	    v->st.st_mode != first->st.st_mode)
		return false;
	for (const char *p = v->bytes; *p != '\0'; p += strcspn(p, "\n") + 1)
		if (strncmp(p, EDIT_LINE, strlen(EDIT_LINE)) != 0 &&
		    !any_has_line(all, p, strcspn(p, "\n")))
			return false;
	for (const char *p = first->bytes; *p != '\0'; p += strcspn(p, "\n") + 1) {
		int len = (int)strcspn(p, "\n");
		char ours[512];

		(void)snprintf(ours, sizeof(ours), MARKER "00000000# %.*s", len, p);
		if (!has_line(v->bytes, p, (size_t)len) && !has_line(v->bytes, ours, strlen(ours)))
			return false;
	}
	return true;
}

/* ---- One reading */

static void check_one(void *ctx, struct version *v)
{
	const struct memory *m = ctx;
	bool is_targets = strcmp(v->path, FIXTURE_TARGET) == 0;

	if (!is_known(m->legal, v) &&
	    !(m->legal->edited && is_targets && is_edited(m->legal, v)))
		seen(m, "%s is none of its versions: mode %o, %zu bytes: %.600s", v->path,
		     v->st.st_mode, v->len, v->bytes);
	version_release(v);
}

static void check_target(const struct memory *m)
{
	if (access(FIXTURE_TARGET, F_OK) < 0)
		seen(m, "for a moment there is no " FIXTURE_TARGET);
}

static bool is_unchanged(const char *path, const struct stat *was)
{
	struct stat st;

	return lstat(path, &st) == 0 && st.st_ino == was->st_ino &&
	       st.st_ctim.tv_sec == was->st_ctim.tv_sec &&
	       st.st_ctim.tv_nsec == was->st_ctim.tv_nsec;
}

/* A spare that was a slot a moment ago is written over: such a reading is none. */
static json_t *read_slot(const struct memory *m, const char *path, struct version *ret)
{
	json_error_t error;
	json_t *root;

	if (!read_version(path, ret))
		return NULL;
	root = json_loadb(ret->bytes, ret->len, 0, &error);
	if (root != NULL && is_unchanged(path, &ret->st))
		return root;
	if (root == NULL && is_unchanged(path, &ret->st))
		seen(m, "%s is torn: %s: %.600s", path, error.text, ret->bytes);
	json_decref(root);
	version_release(ret);
	return NULL;
}

/* Two at a time would make two different states of the same generation. */
static void check_state(struct memory *m)
{
	struct version v;
	json_t *root = read_slot(m, STATE, &v);
	json_int_t generation;

	if (root == NULL)
		return;
	generation = json_integer_value(
		json_object_get(json_object_get(root, "body"), "generation"));
	json_decref(root);
	if (generation < m->generation)
		seen(m, "generation %lld follows %lld", (long long)generation,
		     (long long)m->generation);
	if (generation == m->generation && m->state != NULL && strcmp(m->state, v.bytes) != 0)
		seen(m, "two states are generation %lld", (long long)generation);
	m->generation = generation;
	free(m->state);
	m->state = v.bytes;
	free(v.path);
}

static void check_journal(const struct memory *m)
{
	struct version v;
	json_t *root = read_slot(m, JOURNAL, &v);

	if (root == NULL)
		return;
	json_decref(root);
	version_release(&v);
}

/* The kernel writes the first page of them at one go; with the next one they may be others. */
static unsigned count_holders(const struct stat *lock)
{
	char text[4096], wanted[64];
	int fd = open("/proc/locks", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	unsigned n = 0;

	if (len < 0)
		die("/proc/locks");
	(void)close(fd);
	text[len] = '\0';
	(void)snprintf(wanted, sizeof(wanted), " %02x:%02x:%lu ", major(lock->st_dev),
		       minor(lock->st_dev), (unsigned long)lock->st_ino);
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
		n += strstr(line, "->") == NULL && strstr(line, " WRITE ") != NULL &&
		     strstr(line, wanted) != NULL;
	return n;
}

/* The kernel gives one file's lock to one at a time: another file would be another lock. */
static void check_lock(struct memory *m)
{
	struct stat st;

	if (lstat(LOCK, &st) < 0) {
		if (m->lock != 0)
			seen(m, "the lock is gone");
		return;
	}
	if (m->lock != 0 && m->lock != st.st_ino)
		seen(m, "the lock is another file than before");
	m->lock = st.st_ino;
	if (count_holders(&st) > 1)
		seen(m, "the lock has two holders");
}

static void read_on(struct memory *m)
{
	for (;;) {
		bool last = __atomic_load_n(&m->report->stop, __ATOMIC_SEQ_CST);

		check_lock(m);
		check_target(m);
		check_state(m);
		check_journal(m);
		each_file(check_one, m);
		m->report->readings++;
		if (last)
			end(m->report);
		(void)usleep(PAUSE_US);
	}
}

struct reader *reader_start(const struct versions *legal)
{
	struct reader *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct memory m = { .legal = legal, .report = r };

	if (r == MAP_FAILED)
		die("mmap");
	r->pid = fork();
	if (r->pid < 0)
		die("fork");
	if (r->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		read_on(&m);
	}
	return r;
}

bool reader_stop(struct reader *r, unsigned long *ret_readings, char why[READER_WHY_MAX])
{
	bool fine;

	__atomic_store_n(&r->stop, true, __ATOMIC_SEQ_CST);
	/* it may have been collected with the writers */
	(void)waitpid(r->pid, NULL, 0);
	if (!__atomic_load_n(&r->ended, __ATOMIC_SEQ_CST))
		die("the reader ended by itself");
	*ret_readings += r->readings;
	(void)snprintf(why, READER_WHY_MAX, "%s", r->why);
	fine = r->why[0] == '\0';
	(void)munmap(r, sizeof(*r));
	return fine;
}

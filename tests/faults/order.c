/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "order.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/uio.h>

#include "die.h"
#include "fixture.h"

#define STATE_FILE FIXTURE_STATE "/state.json"

static void __attribute__((format(printf, 2, 3)))
wrong(struct order *o, const char *format, ...)
{
	char why[2 * PATH_MAX + 100];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	o->wrong++;
	dprintf(STDOUT_FILENO, "# %s: order: %s\n", o->name, why);
}

/* ---- Which file */

static void path_of_fd(const struct trace_call *call, uint64_t fd, char path[PATH_MAX])
{
	char link[64];
	ssize_t n;

	if ((int)fd == AT_FDCWD)
		(void)snprintf(link, sizeof(link), "/proc/%d/cwd", (int)call->pid);
	else
		(void)snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)call->pid, (int)fd);
	n = readlink(link, path, PATH_MAX - 1);
	path[n > 0 ? n : 0] = '\0';
}

/* A path that is an argument, with the folder that it is looked up in; none is that one itself. */
static void path_at(const struct trace_call *call, uint64_t dir, uint64_t address,
		    char path[PATH_MAX])
{
	char text[PATH_MAX], folder[PATH_MAX];
	struct iovec to = { .iov_base = text, .iov_len = 1 };
	struct iovec from = { .iov_base = (void *)(uintptr_t)address, .iov_len = 1 };
	size_t n = 0;

	path_of_fd(call, dir, folder);
	/* byte by byte: the page behind it may not be there */
	while (address != 0 && n < sizeof(text) - 1 &&
	       process_vm_readv(call->pid, &to, 1, &from, 1, 0) == 1 && text[n] != '\0') {
		n++;
		to.iov_base = text + n;
		from.iov_base = (char *)from.iov_base + 1;
	}
	text[n] = '\0';
	if (text[0] == '/' || text[0] == '\0')
		(void)snprintf(path, PATH_MAX, "%s", text[0] == '/' ? text : folder);
	else if (snprintf(path, PATH_MAX, "%s/%s", folder[1] != '\0' ? folder : "", text) >= PATH_MAX)
		die("a path is too long");
}

static void folder_of(const char *path, char folder[PATH_MAX])
{
	char *slash;

	(void)snprintf(folder, PATH_MAX, "%s", path);
	slash = strrchr(folder, '/');
	if (slash != NULL)
		*slash = '\0';
}

static bool is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* The log is best effort, the lock has no content. */
static bool is_ours(const char *path)
{
	if (is_below(path, FIXTURE_RUN) || is_below(path, FIXTURE_STATE "/log") ||
	    is_below(path, FIXTURE_STATE "/lock"))
		return false;
	for (const char *const *root = fixture_roots; *root != NULL; root++)
		if (is_below(path, *root))
			return true;
	return false;
}

/* What others read, and not what lies hidden beside it. */
static bool is_target(const char *path)
{
	return is_ours(path) && !is_below(path, FIXTURE_STATE) &&
	       strstr(path, "/.rootlatch") == NULL;
}

/* ---- What is not durable yet */

static int find(const struct order *o, const char *path)
{
	for (unsigned i = 0; i < o->n_marks; i++)
		if (strcmp(o->marks[i], path) == 0)
			return (int)i;
	return -1;
}

static void mark(struct order *o, const char *path)
{
	if (!is_ours(path) || find(o, path) >= 0)
		return;
	if (o->n_marks == ORDER_MARKS)
		die("more than %d files that are not fsynced", ORDER_MARKS);
	(void)snprintf(o->marks[o->n_marks++], PATH_MAX, "%s", path);
}

static void mark_folder(struct order *o, const char *path)
{
	char folder[PATH_MAX];

	folder_of(path, folder);
	mark(o, folder);
}

static void unmark(struct order *o, const char *path)
{
	int i = find(o, path);

	if (i >= 0)
		memmove(o->marks[i], o->marks[o->n_marks - 1], PATH_MAX);
	o->n_marks -= i >= 0;
}

/* ---- The rules */

static void check_prepared(struct order *o, const char *path)
{
	for (unsigned i = 0; is_target(path) && i < o->n_marks; i++)
		if (is_below(o->marks[i], FIXTURE_STATE))
			wrong(o, "%s is changed before %s was fsynced", path, o->marks[i]);
}

static void check_recorded(struct order *o, const char *path)
{
	for (unsigned i = 0; strcmp(path, STATE_FILE) == 0 && i < o->n_marks; i++)
		if (!is_below(o->marks[i], FIXTURE_STATE))
			wrong(o, "the state says so before %s was fsynced", o->marks[i]);
}

static void check_all(struct order *o, const char *moment)
{
	for (unsigned i = 0; i < o->n_marks; i++)
		wrong(o, "%s before %s was fsynced", moment, o->marks[i]);
}

static void see_open(struct order *o, const struct trace_call *call)
{
	const uint64_t flags = call->args[2];
	char path[PATH_MAX];

	if ((flags & (O_CREAT | O_TRUNC)) == 0)
		return;
	path_at(call, call->args[0], call->args[1], path);
	if (!is_ours(path))
		return;
	if (is_target(path))
		wrong(o, "%s is written in place", path);
	else if ((flags & (O_CREAT | O_EXCL)) == O_CREAT && !is_below(path, FIXTURE_STATE))
		wrong(o, "%s is made without O_EXCL", path);
	if ((flags & O_CREAT) != 0)
		mark_folder(o, path);
}

static void see_bytes(struct order *o, const struct trace_call *call)
{
	char path[PATH_MAX];

	path_of_fd(call, call->args[0], path);
	mark(o, path);
}

static void see_meta(struct order *o, const struct trace_call *call)
{
	char path[PATH_MAX];

	path_of_fd(call, call->args[0], path);
	if (is_target(path))
		wrong(o, "%s gets its owner or mode where it lies", path);
	mark(o, path);
}

static void see_time(struct order *o, const struct trace_call *call)
{
	char path[PATH_MAX];

	path_at(call, call->args[0], call->args[1], path);
	mark(o, path);
}

static void see_rename(struct order *o, const struct trace_call *call)
{
	char from[PATH_MAX], to[PATH_MAX];

	path_at(call, call->args[0], call->args[1], from);
	path_at(call, call->args[2], call->args[3], to);
	if (find(o, from) >= 0)
		wrong(o, "%s is renamed to %s before it was fsynced", from, to);
	check_prepared(o, to);
	check_recorded(o, to);
	unmark(o, from);
	mark_folder(o, from);
	mark_folder(o, to);
}

/* What was removed of the history may come back: it is swept again. */
static void see_unlink(struct order *o, const struct trace_call *call)
{
	char path[PATH_MAX];

	path_at(call, call->args[0], call->args[1], path);
	check_prepared(o, path);
	unmark(o, path);
	if (!is_below(path, FIXTURE_STATE "/snapshots"))
		mark_folder(o, path);
}

static void see_name(struct order *o, const struct trace_call *call)
{
	char path[PATH_MAX];

	path_at(call, call->args[0], call->args[1], path);
	mark_folder(o, path);
}

static void see_fsync(struct order *o, const struct trace_call *call)
{
	char path[PATH_MAX];

	path_of_fd(call, call->args[0], path);
	unmark(o, path);
	o->syncs++;
}

static void see_write(struct order *o, const struct trace_call *call)
{
	if (call->args[0] == STDOUT_FILENO)
		check_all(o, "it is said to be done");
	else
		see_bytes(o, call);
}

void order_see(void *order, const struct trace_call *call)
{
	static const struct {
		const char *name;
		void (*see)(struct order *o, const struct trace_call *call);
	} rows[] = {
		{ "openat", see_open },	      { "write", see_write },
		{ "ftruncate", see_bytes },   { "fchmod", see_meta },
		{ "fchown", see_meta },	      { "fsetxattr", see_meta },
		{ "utimensat", see_time },    { "renameat", see_rename },
		{ "renameat2", see_rename },  { "unlinkat", see_unlink },
		{ "mkdirat", see_name },      { "fsync", see_fsync },
	};
	struct order *o = order;

	if (call->process != 0 || call->result < 0)
		return;
	o->calls++;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(trace_call_name(call->number), rows[i].name) == 0)
			rows[i].see(o, call);
}

void order_end(struct order *o)
{
	check_all(o, "it ends");
}

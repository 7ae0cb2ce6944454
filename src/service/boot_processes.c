/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * All of /proc is read first; then processes are marked in that table, each rule by itself: those
 * of the pid files, those that run the program, those that descend from a marked one.
 *
 * A pid file may be stale and its number somebody else's by now, so what it names must run what the
 * script is about.
 */
#include "service/boot_processes.h"

#include <errno.h>

#include "base/path.h"
#include "host/file.h"
#include "host/net.h"
#include "service/boot_script.h"
#include "service/sshd.h"

#define COMM_MAX 15 /* the kernel cuts names there */
#define NAME_LEAST 3 /* a shorter word in a script tells nothing */

struct entry {
	struct host_process process;
	pid_t parent;
	char *exe; /* NULL: a kernel thread */
	char name[HOST_PROCESS_NAME_MAX];
	bool is_us;  /* or an ancestor of ours */
	bool is_main;
	bool is_member;
	bool ends_there; /* what descends from it is not the service's */
};

struct table {
	const struct host *h;
	struct entry *items;
	size_t len;
};

void boot_processes_release(struct boot_processes *p)
{
	free(p->items);
	*p = (struct boot_processes)BOOT_PROCESSES_INIT;
}

static void table_release(struct table *t)
{
	for (size_t i = 0; i < t->len; i++)
		free(t->items[i].exe);
	free(t->items);
}

static struct entry *find(const struct table *t, pid_t pid)
{
	for (size_t i = 0; i < t->len; i++)
		if (t->items[i].process.pid == pid)
			return &t->items[i];
	return NULL;
}

/* ---- the table */

static void mark_us(const struct table *t)
{
	struct entry *e = find(t, getpid());

	for (size_t i = 0; e != NULL && i < t->len; i++) {
		e->is_us = true;
		e = find(t, e->parent);
	}
}

static int read_table(struct table *t, struct error *err)
{
	_cleanup_free_ pid_t *pids = NULL;
	size_t n = 0;

	if (host_process_list(&pids, &n, err) < 0)
		return -1;
	t->items = calloc(n + 1, sizeof(*t->items));
	if (t->items == NULL)
		return error_oom(err);
	for (size_t i = 0; i < n; i++) {
		struct entry *e = &t->items[t->len];

		if (host_process_of(pids[i], &e->process) < 0)
			continue;
		e->parent = host_process_parent(pids[i]);
		e->exe = host_process_exe(pids[i]);
		(void)host_process_name(pids[i], e->name);
		t->len++;
	}
	mark_us(t);
	return 0;
}

static bool runs_sshd(const struct entry *e)
{
	return e->exe != NULL && strcmp(path_basename(e->exe), "sshd") == 0;
}

static bool is_sshd_session(const struct entry *e)
{
	_cleanup_buffer_ struct buffer cmdline = BUFFER_INIT;
	_cleanup_strings_ struct strings argv = STRINGS_INIT, options = STRINGS_INIT;
	const char *config;

	if (!runs_sshd(e) || host_process_cmdline(e->process.pid, &cmdline, NULL) < 0)
		return false;
	switch (sshd_title_parse(slice_of(cmdline.data, cmdline.len), &argv)) {
	case SSHD_TITLE_OTHER:
		return true;
	case SSHD_TITLE_CUT:
		return false;
	case SSHD_TITLE_LISTENER:
		break;
	}
	return !sshd_options_parse(&argv, &config, &options);
}

static void mark(struct entry *e)
{
	e->is_member = true;
	e->ends_there = runs_sshd(e);
}

/* The branch that we hang on is left out, with all that hangs on it as well. */
static void mark_descendants(const struct table *t)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < t->len; i++) {
			struct entry *e = &t->items[i];
			const struct entry *parent = find(t, e->parent);

			if (e->is_member || e->is_us || parent == NULL || !parent->is_member ||
			    parent->ends_there)
				continue;
			mark(e);
			more = true;
		}
	}
}

static int by_rank(const void *a, const void *b)
{
	const struct entry *one = a, *two = b;

	if (one->is_main != two->is_main)
		return one->is_main ? -1 : 1;
	if (one->process.start_ticks != two->process.start_ticks)
		return one->process.start_ticks < two->process.start_ticks ? -1 : 1;
	return one->process.pid < two->process.pid ? -1 : 1;
}

static int take_members(struct table *t, struct boot_processes *ret, struct error *err)
{
	struct host_process *items = calloc(t->len + 1, sizeof(*items));

	if (items == NULL)
		return error_oom(err);
	qsort(t->items, t->len, sizeof(*t->items), by_rank);
	ret->len = 0;
	ret->items = items;
	for (size_t i = 0; i < t->len; i++)
		if (t->items[i].is_member)
			items[ret->len++] = t->items[i].process;
	return 0;
}

/* ---- by script */

static bool is_called(const struct entry *e, const char *name)
{
	size_t len = strlen(e->name);

	return strcmp(e->name, name) == 0 || (len == COMM_MAX && strncmp(e->name, name, len) == 0);
}

/* The script itself, at work: it bears the service's name. */
static bool runs_a_script(const struct entry *e)
{
	_cleanup_buffer_ struct buffer cmdline = BUFFER_INIT;

	if (host_process_cmdline(e->process.pid, &cmdline, NULL) < 0)
		return false;
	for (size_t at = 0; at < cmdline.len; at += strlen(cmdline.data + at) + 1)
		if (path_is_below(cmdline.data + at, "/etc/init.d"))
			return true;
	return false;
}

/* Whether one of its arguments is a program of the script's, or names the service. */
static bool arguments_tell(const struct boot_script *s, const struct entry *e)
{
	_cleanup_buffer_ struct buffer cmdline = BUFFER_INIT;

	if (host_process_cmdline(e->process.pid, &cmdline, NULL) < 0)
		return false;
	for (size_t at = 0; at < cmdline.len; at += strlen(cmdline.data + at) + 1)
		if (at > 0 && (strings_contain(&s->programs, cmdline.data + at) ||
			       strings_contain(&s->names, path_basename(cmdline.data + at))))
			return true;
	return false;
}

/* Anybody can put a program there, or call his own by that name. */
static bool is_somebody_elses(const struct table *t, const struct entry *e)
{
	struct error ignored = ERROR_INIT;

	return host_file_exists(t->h, e->exe) &&
	       host_file_require_trusted(t->h, e->exe, &ignored) < 0;
}

static bool runs_program(const struct table *t, const struct boot_script *s, const struct entry *e)
{
	const char *base = e->exe != NULL ? path_basename(e->exe) : NULL;

	if (base == NULL || is_sshd_session(e))
		return false;
	for (size_t i = 0; i < s->names.len; i++) {
		if (strcmp(base, s->names.items[i]) == 0)
			return !is_somebody_elses(t, e);
		if (is_called(e, s->names.items[i]))
			return !runs_a_script(e) && (host_process_is_roots(e->process.pid) ||
						     arguments_tell(s, e));
	}
	return false;
}

/* A daemon may have changed its root; a container's, and one in a chroot, have other paths. */
static bool is_at_home(const struct table *t, const struct boot_script *s, const struct entry *e)
{
	if (host_process_shares_root(e->process.pid))
		return true;
	if (e->exe == NULL || !host_process_shares_mounts(e->process.pid))
		return false;
	for (size_t i = 0; i < s->programs.len; i++) {
		_cleanup_free_ char *program = host_canonical(t->h, s->programs.items[i], NULL);

		if (program != NULL && strcmp(program, e->exe) == 0)
			return true;
	}
	return false;
}

/* What a pid file names may be called otherwise, if only the script speaks of it. */
static bool script_speaks_of(const struct boot_script *s, const struct entry *e)
{
	const char *service = s->names.items[0];

	if (e->exe == NULL || is_sshd_session(e))
		return false;
	if (boot_script_is_interpreter(path_basename(e->exe)) && arguments_tell(s, e))
		return true;
	if (boot_script_is_interpreter(e->name))
		return false;
	if (!boot_script_is_interpreter(path_basename(e->exe)) && boot_script_mentions(s, e->exe))
		return true;
	return strlen(e->name) >= NAME_LEAST && (strncmp(e->name, service, strlen(service)) == 0 ||
						 boot_script_mentions(s, e->name));
}

/* The number in a pid file, 0 when there is none. */
static pid_t read_pid_file(const struct host *h, const char *path)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	long pid;

	if (host_file_read(h, path, HOST_READ_FOLLOW | HOST_READ_NO_DIGEST, &f, NULL) < 0)
		return 0;
	pid = strtol(f.bytes.data, NULL, 10);
	return pid > 1 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

static void mark_by_pid_files(const struct table *t, const struct boot_script *s)
{
	for (size_t i = 0; i < s->pid_files.len; i++) {
		pid_t pid = read_pid_file(t->h, s->pid_files.items[i]);
		struct entry *e = pid != 0 ? find(t, pid) : NULL;

		if (e == NULL || pid == getpid() || !host_process_shares_pids(pid) ||
		    (!runs_program(t, s, e) && !script_speaks_of(s, e)))
			continue;
		mark(e);
		e->is_main = true;
	}
}

static void mark_by_program(const struct table *t, const struct boot_script *s)
{
	for (size_t i = 0; i < t->len; i++) {
		struct entry *e = &t->items[i];

		/* an sshd above us that listens is no session: it is the service */
		if (e->is_member || (e->is_us && (!runs_sshd(e) || e->process.pid == getpid())) ||
		    !runs_program(t, s, e) || !host_process_shares_pids(e->process.pid) ||
		    !is_at_home(t, s, e))
			continue;
		mark(e);
	}
}

static int read_script(const struct host *h, const char *name, struct boot_script *ret,
		       struct error *err)
{
	_cleanup_free_ char *path = str_format(err, "/etc/init.d/%s", name);
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	struct error why = ERROR_INIT;

	if (path == NULL)
		return -1;
	if (host_file_read(h, path, HOST_READ_FOLLOW | HOST_READ_NO_DIGEST, &f, &why) < 0 &&
	    why.sys_errno != ENOENT) {
		if (err != NULL)
			*err = why;
		return -1;
	}
	return boot_script_parse(name, slice_of(f.bytes.data, f.bytes.len), ret, err);
}

int boot_processes_of_script(const struct host *h, const char *name, struct boot_processes *ret,
			     struct error *err)
{
	_cleanup_boot_script_ struct boot_script s = BOOT_SCRIPT_INIT;
	_cleanup_(table_release) struct table t = { .h = h };

	if (read_script(h, name, &s, err) < 0 || read_table(&t, err) < 0)
		return -1;
	mark_by_pid_files(&t, &s);
	mark_by_program(&t, &s);
	mark_descendants(&t);
	return take_members(&t, ret, err);
}

/* ---- by unit */

static bool mark_pids(const struct table *t, const struct host *h, const char *path)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	char *p;

	if (host_file_read(h, path, HOST_READ_ANY | HOST_READ_NO_DIGEST, &f, NULL) < 0)
		return false;
	for (p = f.bytes.data; *p != '\0';) {
		struct entry *e = find(t, (pid_t)strtol(p, &p, 10));

		if (e != NULL && !e->is_us && !is_sshd_session(e))
			mark(e);
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	return true;
}

/* A group may have groups below it (Delegate=). */
static bool mark_group(const struct table *t, const struct host *h, const char *dir, int depth)
{
	_cleanup_free_ char *procs = path_join(dir, "cgroup.procs", NULL);
	_cleanup_strings_ struct strings names = STRINGS_INIT;

	if (procs == NULL || !mark_pids(t, h, procs))
		return false;
	if (depth > 8 || host_dir_list(h, dir, &names, NULL) < 0)
		return true;
	for (size_t i = 0; i < names.len; i++) {
		_cleanup_free_ char *below = path_join(dir, names.items[i], NULL);
		struct stat st;

		if (below != NULL && host_lstat(h, below, &st) == 0 && S_ISDIR(st.st_mode))
			(void)mark_group(t, h, below, depth + 1);
	}
	return true;
}

/* The unified hierarchy, and systemd's own in the older layouts. */
static bool mark_cgroup(const struct table *t, const struct host *h, const char *cgroup)
{
	static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified",
					      "/sys/fs/cgroup/systemd" };

	if (cgroup == NULL || cgroup[0] != '/' || cgroup[1] == '\0')
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		_cleanup_free_ char *dir = str_format(NULL, "%s%s", mounts[i], cgroup);

		if (dir != NULL && mark_group(t, h, dir, 0))
			return true;
	}
	return false;
}

int boot_processes_of_unit(const struct host *h, const char *cgroup, pid_t main_pid,
			   struct boot_processes *ret, struct error *err)
{
	_cleanup_(table_release) struct table t = { .h = h };
	bool has_group;
	struct entry *e;

	if (read_table(&t, err) < 0)
		return -1;
	has_group = mark_cgroup(&t, h, cgroup);
	e = main_pid > 1 ? find(&t, main_pid) : NULL;
	if (e != NULL) {
		mark(e);
		e->is_main = true;
	}
	if (!has_group)
		mark_descendants(&t);
	return take_members(&t, ret, err);
}

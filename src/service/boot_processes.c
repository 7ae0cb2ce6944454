/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * All of /proc is read first; then processes are marked in that table, each rule by itself: those
 * of the pid files, those that run the program, those that descend from a marked one.
 *
 * A pid file may be stale and its number somebody else's by now, so what it names must run what the
 * script is about. What the pid file of another script names is that one's, though it run the same
 * program.
 */
#include "service/boot_processes.h"

#include <errno.h>

#include "base/path.h"
#include "host/file.h"
#include "host/net.h"
#include "service/boot_script.h"
#include "service/boot_table.h"

#define INIT_D "/etc/init.d"
#define COMM_MAX 15 /* the kernel cuts names there */
#define NAME_LEAST 3 /* a shorter word in a script tells nothing */

static bool is_called(const struct boot_entry *e, const char *name)
{
	size_t len = strlen(e->name);

	return strcmp(e->name, name) == 0 || (len == COMM_MAX && strncmp(e->name, name, len) == 0);
}

/* The script itself, at work: it bears the service's name. */
static bool runs_a_script(const struct boot_entry *e)
{
	_cleanup_buffer_ struct buffer cmdline = BUFFER_INIT;

	if (host_process_cmdline(e->process.pid, &cmdline, NULL) < 0)
		return false;
	for (size_t at = 0; at < cmdline.len; at += strlen(cmdline.data + at) + 1)
		if (path_is_below(cmdline.data + at, INIT_D))
			return true;
	return false;
}

/* Whether one of its arguments is a program of the script's, or names the service. */
static bool arguments_tell(const struct boot_script *s, const struct boot_entry *e)
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
static bool is_somebody_elses(const struct boot_table *t, const struct boot_entry *e)
{
	struct error ignored = ERROR_INIT;

	return host_file_exists(t->h, e->exe) &&
	       host_file_require_trusted(t->h, e->exe, &ignored) < 0;
}

static bool runs_program(const struct boot_table *t, const struct boot_script *s,
			 const struct boot_entry *e)
{
	const char *base = e->exe != NULL ? path_basename(e->exe) : NULL;

	if (base == NULL || boot_is_sshd_session(e))
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
static bool is_at_home(const struct boot_table *t, const struct boot_script *s,
		       const struct boot_entry *e)
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
static bool script_speaks_of(const struct boot_script *s, const struct boot_entry *e)
{
	const char *service = s->names.items[0];

	if (e->exe == NULL || boot_is_sshd_session(e))
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

/* The process that a pid file names, if it is one of the script's. */
static struct boot_entry *find_by_pid_file(const struct boot_table *t, const struct boot_script *s,
					   const char *path)
{
	pid_t pid = read_pid_file(t->h, path);
	struct boot_entry *e = pid != 0 ? boot_find(t, pid) : NULL;

	if (e == NULL || pid == getpid() || !host_process_shares_pids(pid) ||
	    (!runs_program(t, s, e) && !script_speaks_of(s, e)))
		return NULL;
	return e;
}

/* Of the pid files from `from` to `to`. */
static void mark_by_pid_files(const struct boot_table *t, const struct boot_script *s, size_t from,
			      size_t to)
{
	for (size_t i = from; i < to; i++) {
		struct boot_entry *e = find_by_pid_file(t, s, s->pid_files.items[i]);

		if (e == NULL || e->is_others)
			continue;
		boot_mark(e);
		e->is_main = true;
	}
}

static bool is_candidate(const struct boot_table *t, const struct boot_script *s,
			 const struct boot_entry *e)
{
	/* an sshd above us that listens is no session: it is the service */
	return !e->is_member && !e->is_others &&
	       (!e->is_us || (boot_runs_sshd(e) && e->process.pid != getpid())) &&
	       runs_program(t, s, e) && host_process_shares_pids(e->process.pid) &&
	       is_at_home(t, s, e);
}

static bool has_candidates(const struct boot_table *t, const struct boot_script *s)
{
	for (size_t i = 0; i < t->len; i++)
		if (is_candidate(t, s, &t->items[i]))
			return true;
	return false;
}

static void mark_by_program(const struct boot_table *t, const struct boot_script *s)
{
	for (size_t i = 0; i < t->len; i++)
		if (is_candidate(t, s, &t->items[i]))
			boot_mark(&t->items[i]);
}

static int read_script(const struct host *h, const char *name, struct boot_script *ret,
		       struct error *err)
{
	_cleanup_free_ char *path = str_format(err, INIT_D "/%s", name);
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

/* ---- other services with the same program */

static bool shares_a_program(const struct boot_script *a, const struct boot_script *b)
{
	for (size_t i = 0; i < a->names.len; i++)
		if (strings_contain(&b->names, a->names.items[i]))
			return true;
	return false;
}

static void mark_others_descendants(const struct boot_table *t)
{
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < t->len; i++) {
			struct boot_entry *e = &t->items[i];
			const struct boot_entry *parent = boot_find(t, e->parent);

			if (e->is_member || e->is_others || parent == NULL || !parent->is_others)
				continue;
			e->is_others = true;
			more = true;
		}
	}
}

/* A script that can't be read claims nothing. */
static void mark_others_of(const struct boot_table *t, const struct boot_script *s,
			   const char *name)
{
	_cleanup_boot_script_ struct boot_script other = BOOT_SCRIPT_INIT;

	if (read_script(t->h, name, &other, NULL) < 0 || !shares_a_program(s, &other))
		return;
	for (size_t i = 0; i < other.n_own; i++) {
		struct boot_entry *e = find_by_pid_file(t, &other, other.pid_files.items[i]);

		if (e != NULL && !e->is_member)
			e->is_others = true;
	}
}

static int mark_others(const struct boot_table *t, const struct boot_script *s, const char *name,
		       struct error *err)
{
	_cleanup_strings_ struct strings names = STRINGS_INIT;

	if (!host_file_exists(t->h, INIT_D))
		return 0;
	if (host_dir_list(t->h, INIT_D, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++)
		if (names.items[i][0] != '.' && strcmp(names.items[i], name) != 0)
			mark_others_of(t, s, names.items[i]);
	mark_others_descendants(t);
	return 0;
}

int boot_processes_of_script(const struct host *h, const char *name, struct boot_processes *ret,
			     struct error *err)
{
	_cleanup_boot_script_ struct boot_script s = BOOT_SCRIPT_INIT;
	_cleanup_boot_table_ struct boot_table t = { .h = h };

	if (read_script(h, name, &s, err) < 0 || boot_table_read(&t, err) < 0)
		return -1;
	mark_by_pid_files(&t, &s, 0, s.n_own);
	boot_mark_descendants(&t);
	if (has_candidates(&t, &s) && mark_others(&t, &s, name, err) < 0)
		return -1;
	mark_by_pid_files(&t, &s, s.n_own, s.pid_files.len);
	mark_by_program(&t, &s);
	boot_mark_descendants(&t);
	return boot_take_members(&t, ret, err);
}

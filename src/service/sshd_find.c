/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The pid file names the listener nearly always, so that is looked at first. All of /proc is read
 * all the same: a second listener, in whatever namespace, would keep what it has loaded.
 */
#include <errno.h>
#include <stdio.h>

#include "base/path.h"
#include "host/clock.h"
#include "host/file.h"
#include "service/sshd.h"
#include "service/sshd_manager.h"

#define SETTLE_TRIES 25
#define SETTLE_TITLE_TRIES 3
#define SETTLE_MS 20

struct search {
	const struct host *h;
	const char *config;
	struct host_sockets listeners; /* of this network namespace */
	struct sshd_daemons found;
};

static bool read_proc(const struct host *h, pid_t pid, const char *name, struct host_file *ret)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return host_file_read(h, path, HOST_READ_ANY | HOST_READ_NO_DIGEST, ret, NULL) == 0;
}

/* The number in a pid file, 0 when there is none. */
static pid_t read_pid_file(const struct host *h, const char *path, int64_t *ret_mtime_ns)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	long pid;

	if (host_file_read(h, path, HOST_READ_ANY | HOST_READ_NO_DIGEST, &f, NULL) < 0)
		return 0;
	pid = strtol(f.bytes.data, NULL, 10);
	*ret_mtime_ns = f.meta.mtime_ns;
	return pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

int sshd_daemon_note_pid_file(const struct host *h, struct sshd_daemon *d, const char *path,
			      struct error *err)
{
	int64_t mtime_ns = 0;
	char *copy;

	if (path == NULL || path[0] != '/' || read_pid_file(h, path, &mtime_ns) != d->process.pid)
		return 0;
	if (d->pid_file == NULL || strcmp(d->pid_file, path) != 0) {
		copy = str_dup(path, err);
		if (copy == NULL)
			return -1;
		free(d->pid_file);
		d->pid_file = copy;
	}
	/* written at each start and each reload; a time to come means that the clock was set */
	if (mtime_ns > d->loaded_ns && mtime_ns <= clock_realtime_ns())
		d->loaded_ns = mtime_ns;
	return 0;
}

/* The PidFile of its -o options: the first one counts, as everywhere in sshd. */
static const char *pid_file_option(const struct sshd_daemon *d)
{
	for (size_t i = 0; i + 1 < d->options.len; i++) {
		const char *value = d->options.items[i + 1];

		if (strcmp(d->options.items[i], "-o") == 0 &&
		    strncasecmp(value, "PidFile", 7) == 0 && strchr(" \t=", value[7]) != NULL)
			return value + 7 + strspn(value + 7, " \t=");
	}
	return SSHD_PID_FILE_DEFAULT;
}

/* The same file, as the daemon sees it, and as we do. One that is missing is told by its name. */
static bool has_our_config(const struct search *s, pid_t pid, const char *config)
{
	struct stat ours, theirs, root, our_root;

	if (host_process_stat(pid, config, &theirs) == 0)
		return stat(s->config, &ours) == 0 && ours.st_dev == theirs.st_dev &&
		       ours.st_ino == theirs.st_ino;
	return strcmp(config, s->config) == 0 && host_process_stat(pid, "/", &root) == 0 &&
	       stat("/", &our_root) == 0 && root.st_dev == our_root.st_dev &&
	       root.st_ino == our_root.st_ino;
}

static enum sshd_title read_title(const struct search *s, pid_t pid, struct strings *ret_argv)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;

	if (!read_proc(s->h, pid, "cmdline", &f) || f.bytes.len == 0)
		return SSHD_TITLE_OTHER;
	return sshd_title_parse(slice_of(f.bytes.data, f.bytes.len), ret_argv);
}

/* What has ended, or hides, is none of ours. What could not be looked at may be a listener that goes
 * on with what it has loaded. errno is of the look, or 0. */
static int require_looked(pid_t pid, struct error *err)
{
	if (errno != EIO && errno != ENOMEM && errno != EMFILE && errno != ENFILE)
		return 0;
	return error_sys(err, ERROR_FAILED, errno, "process %d", (int)pid);
}

enum listener {
	LISTENER_NONE,  /* a session, somebody else's program, no sshd at all */
	LISTENER_CUT,   /* its arguments can't be told */
	LISTENER_OTHER, /* it reads another file */
	LISTENER_OURS,
};

/* What its title says it is; the arguments and the file that these name. */
static enum listener read_arguments(const struct search *s, pid_t pid, struct sshd_daemon *d)
{
	enum sshd_title title = read_title(s, pid, &d->argv);
	const char *config = NULL;

	for (int i = 0; title == SSHD_TITLE_CUT && i < SETTLE_TITLE_TRIES; i++) {
		clock_sleep_ms(SETTLE_MS); /* it may be just writing it */
		title = read_title(s, pid, &d->argv);
	}
	if (title != SSHD_TITLE_LISTENER)
		return title == SSHD_TITLE_CUT ? LISTENER_CUT : LISTENER_NONE;
	if (!sshd_options_parse(&d->argv, &config, &d->options))
		return LISTENER_NONE;
	/* a daemon's folder is /, which is where a relative -f leads it at each reload */
	d->config = config == NULL ? str_dup(SSHD_CONFIG_DEFAULT, NULL) :
				     path_clean("/", config, NULL);
	if (d->config == NULL)
		return LISTENER_NONE;
	return has_our_config(s, pid, d->config) ? LISTENER_OURS : LISTENER_OTHER;
}

static int refuse_elsewhere(pid_t pid, struct error *err)
{
	(void)error_set(err, ERROR_REFUSED, "sshd (pid %d) reads this file in another network "
			"namespace", (int)pid);
	return error_hint(err, "Nothing was changed. From here nobody can see whether it reloads. Run "
			  "rootlatch there:\nnsenter --net=/proc/%d/ns/net rootlatch ...", (int)pid);
}

static int refuse_cut(pid_t pid, struct error *err)
{
	(void)error_set(err, ERROR_REFUSED, "the arguments of sshd (pid %d) can't be told: its "
			"title is cut off", (int)pid);
	return error_hint(err, "Nothing was changed. It may read the file that is to be changed. "
			  "That happens to an sshd\nthat was started with an empty environment: "
			  "start it by its service.");
}

/* A listener that is just starting, or reloading, has no socket for some milliseconds. */
static int wait_for_sockets(struct search *s, struct sshd_daemon *d, struct error *err)
{
	for (int i = 0; i < SETTLE_TRIES; i++) {
		if (host_process_sockets(d->process.pid, &s->listeners, &d->sockets, err) < 0)
			return -1;
		if (d->sockets.len > 0 || !host_process_alive(&d->process))
			return 0;
		clock_sleep_ms(SETTLE_MS);
		host_sockets_release(&s->listeners);
		if (host_net_listeners(s->h, &s->listeners, err) < 0)
			return -1;
	}
	return 0;
}

/* A listener's child holds its sockets and its title until it has executed: the elder counts. */
static bool is_known(struct search *s, struct sshd_daemon *d)
{
	for (size_t i = 0; i < s->found.len; i++) {
		struct sshd_daemon *known = &s->found.items[i];

		if (!host_sockets_hold_inode(&known->sockets, d->sockets.items[0].inode))
			continue;
		if (d->process.start_ticks < known->process.start_ticks) {
			struct sshd_daemon younger = *known;

			*known = *d;
			*d = younger;
		}
		return true;
	}
	return false;
}

static int add_daemon(struct sshd_daemon **items, size_t *len, struct sshd_daemon *d,
		      struct error *err)
{
	struct sshd_daemon *more = reallocarray(*items, *len + 1, sizeof(*more));

	if (more == NULL)
		return error_oom(err);
	*items = more;
	more[(*len)++] = *d;
	*d = (struct sshd_daemon)SSHD_DAEMON_INIT;
	return 0;
}

static int complete(const struct search *s, struct sshd_daemon *d, struct error *err)
{
	d->binary = host_process_exe(d->process.pid);
	d->cwd = host_process_cwd(d->process.pid);
	if (d->binary == NULL)
		return error_sys(err, ERROR_FAILED, errno, "the program of sshd (pid %d)",
				 (int)d->process.pid);
	if (host_file_exists(s->h, d->binary) &&
	    host_file_require_trusted(s->h, d->binary, err) < 0)
		return error_prefix(err, "sshd (pid %d)", (int)d->process.pid);
	d->loaded_ns = host_process_started_ns(&d->process);
	if (sshd_daemon_note_pid_file(s->h, d, pid_file_option(d), err) < 0)
		return -1;
	return sshd_manager_detect(s->h, d, err);
}

static int add_listener(struct search *s, enum listener kind, struct sshd_daemon *d,
			struct error *err)
{
	if (kind == LISTENER_OTHER)
		return add_daemon(&s->found.others, &s->found.n_others, d, err);
	return is_known(s, d) ? 0 : add_daemon(&s->found.items, &s->found.len, d, err);
}

/* Adds the process to the found ones if it is a listener. */
static int consider(struct search *s, pid_t pid, struct error *err)
{
	_cleanup_sshd_daemon_ struct sshd_daemon d = SSHD_DAEMON_INIT;
	enum listener kind;

	errno = 0;
	/* anybody can call a program sshd, and its arguments what he likes; this one is run */
	if (host_process_of(pid, &d.process) < 0 || !host_process_is_roots(pid))
		return require_looked(pid, err);
	errno = 0;
	kind = read_arguments(s, pid, &d);
	if (kind != LISTENER_OURS && require_looked(pid, err) < 0)
		return -1;
	if (kind == LISTENER_NONE)
		return 0;
	if (!host_process_shares_net(pid))
		return kind == LISTENER_OURS ? refuse_elsewhere(pid, err) : 0;
	if (host_process_sockets(pid, &s->listeners, &d.sockets, err) < 0)
		return -1;
	if (kind == LISTENER_CUT)
		return d.sockets.len > 0 ? refuse_cut(pid, err) : 0;
	if (d.sockets.len == 0 && wait_for_sockets(s, &d, err) < 0)
		return -1;
	if (d.sockets.len == 0)
		return 0;
	if (complete(s, &d, err) < 0) /* that it ended meanwhile is no error */
		return host_process_alive(&d.process) ? -1 : 0;
	return add_listener(s, kind, &d, err);
}

/* Adds it if it runs sshd and listens. */
static int consider_program(struct search *s, pid_t pid, struct error *err)
{
	_cleanup_free_ char *exe = NULL;

	errno = 0;
	exe = host_process_exe(pid);
	if (exe == NULL)
		return require_looked(pid, err);
	return strcmp(path_basename(exe), "sshd") == 0 ? consider(s, pid, err) : 0;
}

static int consider_all(struct search *s, struct error *err)
{
	_cleanup_free_ pid_t *pids = NULL;
	size_t n = 0;

	if (host_process_list(&pids, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		bool known = false;

		for (size_t k = 0; k < s->found.len; k++)
			known |= s->found.items[k].process.pid == pids[i];
		for (size_t k = 0; k < s->found.n_others; k++)
			known |= s->found.others[k].process.pid == pids[i];
		if (!known && consider_program(s, pids[i], err) < 0)
			return -1;
	}
	return 0;
}

static int search(struct search *s, struct error *err)
{
	int64_t mtime_ns;
	pid_t pid;

	if (host_net_listeners(s->h, &s->listeners, err) < 0)
		return -1;
	pid = read_pid_file(s->h, SSHD_PID_FILE_DEFAULT, &mtime_ns);
	if (pid != 0 && consider_program(s, pid, err) < 0)
		return -1;
	if (consider_all(s, err) < 0)
		return -1;
	if (s->found.len == 0 && strcmp(s->config, SSHD_CONFIG_DEFAULT) == 0)
		return sshd_manager_absence(s->h, &s->found.absence, err);
	return 0;
}

int sshd_find(const struct host *h, const char *config, struct sshd_daemons *ret,
	      struct error *err)
{
	struct search s = { .h = h, .config = config };
	int failed = 0;

	if (host_is_live(h))
		failed = search(&s, err);
	host_sockets_release(&s.listeners);
	if (failed < 0) {
		sshd_daemons_release(&s.found);
		return error_prefix(err, "looking for the running sshd");
	}
	*ret = s.found;
	return 0;
}

int sshd_daemon_refresh(const struct host *h, struct sshd_daemon *d, struct error *err)
{
	_cleanup_host_sockets_ struct host_sockets all = HOST_SOCKETS_INIT, held = HOST_SOCKETS_INIT;
	char name[SSHD_DAEMON_NAME_MAX];

	if (!host_process_alive(&d->process))
		return error_set(err, ERROR_FAILED, "%s has ended", sshd_daemon_name(d, name));
	if (host_net_listeners(h, &all, err) < 0 ||
	    host_process_sockets(d->process.pid, &all, &held, err) < 0)
		return -1;
	host_sockets_release(&d->sockets);
	d->sockets = held;
	held = (struct host_sockets)HOST_SOCKETS_INIT;
	if (d->loaded_ns == 0)
		d->loaded_ns = host_process_started_ns(&d->process);
	return sshd_daemon_note_pid_file(h, d, d->pid_file, err);
}

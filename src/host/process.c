/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A captured child dies with us (PR_SET_PDEATHSIG): nothing of it is left over when rootlatch
 * is killed. What goes wrong between fork and exec comes back through a pipe that execve closes.
 */
#include "host/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "host/clock.h"
#include "host/file.h"
#include "host/namespace.h"

#define OUTPUT_MAX (4u << 20)
#define DEFAULT_TIMEOUT_MS 60000

struct host_child {
	pid_t pid;
	int out, err, trouble; /* read ends */
	bool is_staged;        /* what it leaves running is not waited for */
	int64_t deadline_ns;   /* of CLOCK_BOOTTIME */
	bool in_memory;        /* out and err are memfd_create(2)'s, no pipes */
	char *name;
};

struct trouble {
	pid_t pid; /* set: no trouble, but who is about to be the program */
	int no_namespaces;
	int sys_errno;
	char where[32];
};

static char *const clean_environment[] = {
	(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
	(char *)"LC_ALL=C",
	(char *)"HOME=/root",
	NULL,
};

#define CLEAN_MAX (ARRAY_SIZE(clean_environment) - 1)

void host_outcome_release(struct host_outcome *o)
{
	buffer_release(&o->out);
	buffer_release(&o->err);
}

static void __attribute__((noreturn)) child_trouble(int fd, bool no_namespaces, const char *where)
{
	struct trouble t = { .no_namespaces = no_namespaces, .sys_errno = errno };

	(void)snprintf(t.where, sizeof(t.where), "%s", where);
	if (write(fd, &t, sizeof(t)) < 0)
		_exit(126);
	_exit(127);
}

/* All of one, or the end. */
static bool read_one_trouble(int fd, struct trouble *ret)
{
	struct trouble t;
	size_t got = 0;

	while (got < sizeof(t)) {
		ssize_t n = TEMP_FAILURE_RETRY(read(fd, (char *)&t + got, sizeof(t) - got));

		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	*ret = t;
	return true;
}

/* Signals as a fresh program expects them; of descriptors only 0-2. */
static void child_reset(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL); /* what can't be set is as it should be */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC);
}

static void make_environment(const struct host_command *cmd,
			     char *ret[CLEAN_MAX + HOST_ENV_MAX + 1])
{
	size_t n = CLEAN_MAX;

	(void)memcpy(ret, clean_environment, CLEAN_MAX * sizeof(*ret));
	for (size_t i = 0; cmd->env != NULL && i < HOST_ENV_MAX && cmd->env[i] != NULL; i++)
		ret[n++] = cmd->env[i];
	ret[n] = NULL;
}

static void __attribute__((noreturn)) child_main(const struct host *h,
						 const struct host_command *cmd, pid_t parent,
						 int in, int out, int err, int trouble)
{
	int input = in >= 0 ? in : TEMP_FAILURE_RETRY(open("/dev/null", O_RDONLY));
	char *environment[CLEAN_MAX + HOST_ENV_MAX + 1];

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* ^C on the terminal is for us, who may not let it in just now; a session comes below */
	if (getppid() != parent || (!cmd->leaves_daemons && setpgid(0, 0) < 0))
		_exit(127);
	if (input < 0 || dup2(input, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		child_trouble(trouble, false, "dup2");
	if (cmd->leaves_daemons) {
		(void)setsid();
		(void)umask(022);
		if (chdir("/") < 0)
			child_trouble(trouble, false, "chdir");
	}
	/* what it makes there is to have the modes that it would have */
	if (cmd->stage != NULL)
		(void)umask(022);
	switch (namespace_enter(h, cmd)) {
	case NAMESPACE_READY:
		break;
	case NAMESPACE_UNAVAILABLE:
		child_trouble(trouble, true, "mount namespace");
	case NAMESPACE_FAILED:
		child_trouble(trouble, false, "mount namespace");
	}
	child_reset();
	make_environment(cmd, environment);
	(void)execve(cmd->argv[0], cmd->argv, environment);
	child_trouble(trouble, false, "execve");
}

static void close_pair(int fds[2])
{
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
}

/* The input in memory, so that no pipe can fill up. -1 when there is none. */
static int open_input(const struct host *h, struct slice input, struct error *err)
{
	_cleanup_close_ int fd = -1;

	if (input.len == 0)
		return -1;
	fd = memfd_create("input", MFD_CLOEXEC);
	if (fd < 0 || host_write_all(h, fd, input, err) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	return TAKE_FD(fd);
}

/* A pipe's end would come when the last daemon closes it, and a daemon that writes when nobody
 * reads any more would die of it. */
static int open_output(const struct host_command *cmd, int fds[2])
{
	if (!cmd->leaves_daemons)
		return pipe2(fds, O_CLOEXEC);
	fds[0] = memfd_create("output", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	fds[1] = fds[0] >= 0 ? fcntl(fds[0], F_DUPFD_CLOEXEC, 3) : -1;
	return fds[1] < 0 ? -1 : 0;
}

int host_child_start(const struct host *h, const struct host_command *cmd,
		     struct host_child **ret_child, struct error *err)
{
	_cleanup_close_ int in = open_input(h, cmd->input, err);
	int out[2] = { -1, -1 }, errors[2] = { -1, -1 }, trouble[2] = { -1, -1 };
	_cleanup_free_ struct host_child *c = calloc(1, sizeof(*c));
	_cleanup_free_ char *name = str_dup(cmd->argv[0], err);
	unsigned timeout = cmd->timeout_ms != 0 ? cmd->timeout_ms : DEFAULT_TIMEOUT_MS;
	pid_t parent = getpid();

	if (c == NULL || name == NULL || (in < 0 && cmd->input.len > 0))
		return error_oom(err);
	if (open_output(cmd, out) < 0 || open_output(cmd, errors) < 0 ||
	    pipe2(trouble, O_CLOEXEC) < 0)
		goto failed;
	c->pid = fork();
	if (c->pid < 0)
		goto failed;
	if (c->pid == 0)
		child_main(h, cmd, parent, in, out[1], errors[1], trouble[1]);
	(void)close(out[1]);
	(void)close(errors[1]);
	(void)close(trouble[1]);
	c->out = out[0];
	c->err = errors[0];
	c->trouble = trouble[0];
	c->in_memory = cmd->leaves_daemons;
	c->is_staged = cmd->stage != NULL;
	c->deadline_ns = clock_boottime_ns() + (int64_t)timeout * 1000000;
	c->name = TAKE_PTR(name);
	*ret_child = TAKE_PTR(c);
	return 0;
failed:
	(void)error_sys(err, ERROR_FAILED, errno, "starting %s", name);
	close_pair(out);
	close_pair(errors);
	close_pair(trouble);
	return -1;
}

static void child_release(struct host_child *c)
{
	if (c->out >= 0)
		(void)close(c->out);
	if (c->err >= 0)
		(void)close(c->err);
	if (c->trouble >= 0)
		(void)close(c->trouble);
	free(c->name);
	free(c);
}

static int child_reap(struct host_child *c, bool *ret_killed)
{
	int status;

	*ret_killed = true;
	while (waitpid(c->pid, &status, 0) < 0)
		if (errno != EINTR)
			return 255;
	*ret_killed = WIFSIGNALED(status);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Before it is reaped: until then nobody else can have its number. */
static void child_kill(const struct host_child *c)
{
	(void)kill(c->pid, SIGKILL);
	if (c->is_staged)
		(void)kill(-c->pid, SIGKILL);
}

void host_child_stop(struct host_child **child)
{
	bool killed;

	if (*child == NULL)
		return;
	child_kill(*child);
	(void)child_reap(*child, &killed);
	child_release(TAKE_PTR(*child));
}

/* Takes what is there; closes the descriptor at its end. */
static int drain(int *fd, struct buffer *b, struct error *err)
{
	ssize_t n;

	if (buffer_reserve(b, 16384, err) < 0)
		return -1;
	n = read(*fd, b->data + b->len, b->cap - b->len - 1);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 :
		       error_sys(err, ERROR_FAILED, errno, "reading a command's output");
	if (n == 0) {
		(void)close(*fd);
		*fd = -1;
	} else {
		b->len += (size_t)n;
		if (b->len > OUTPUT_MAX)
			b->len = OUTPUT_MAX;
	}
	b->data[b->len] = '\0';
	return 0;
}

/* True when it ended in time. The second way is for kernels before 5.3. */
static bool ends_in_time(const struct host_child *c)
{
	struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, c->pid, 0), .events = POLLIN };
	siginfo_t info = { 0 };
	int n;

	while (end.fd >= 0) {
		int64_t left = (c->deadline_ns - clock_boottime_ns()) / 1000000;

		n = poll(&end, 1, left > 0 ? (int)left : 0);
		if (n < 0 && errno == EINTR)
			continue;
		(void)close(end.fd);
		return n != 0;
	}
	for (unsigned ms = 1; clock_boottime_ns() < c->deadline_ns; ms = ms < 50 ? 2 * ms : ms) {
		if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		    info.si_pid == c->pid)
			return true;
		clock_sleep_ms(ms);
	}
	return false;
}

/* A command may close its output and stay. */
static void wait_for_end(const struct host_child *c, struct host_outcome *o)
{
	if (ends_in_time(c))
		return;
	o->timed_out = true;
	child_kill(c);
}

/* What is in the pipe, not what may come yet. */
static int drain_rest(int *fd, struct buffer *b, struct error *err)
{
	for (unsigned i = 0; i < 64 && *fd >= 0; i++) {
		struct pollfd now = { .fd = *fd, .events = POLLIN };

		if (poll(&now, 1, 0) <= 0)
			return 0;
		if (drain(fd, b, err) < 0)
			return -1;
	}
	return 0;
}

/* Until it ends, whoever still holds its outputs then. */
static int collect_staged(struct host_child *c, struct host_outcome *o, struct error *err)
{
	_cleanup_close_ int end = (int)syscall(SYS_pidfd_open, c->pid, 0);
	bool ended = false;

	while (!ended) {
		struct pollfd fds[3] = { { .fd = c->out, .events = POLLIN },
					 { .fd = c->err, .events = POLLIN },
					 { .fd = end, .events = POLLIN } };
		int64_t left = (c->deadline_ns - clock_boottime_ns()) / 1000000;
		siginfo_t info = { 0 };

		if (left <= 0)
			return 0; /* wait_for_end sees it */
		/* a kernel before 5.3 does not say that it ended */
		if (poll(fds, 3, end >= 0 || left < 10 ? (int)left : 10) < 0 && errno != EINTR)
			return error_sys(err, ERROR_FAILED, errno, "poll");
		ended = waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
			info.si_pid == c->pid;
		if (drain_rest(&c->out, &o->out, err) < 0 || drain_rest(&c->err, &o->err, err) < 0)
			return -1;
	}
	(void)kill(-c->pid, SIGKILL);
	return 0;
}

static int collect(struct host_child *c, struct host_outcome *o, struct error *err)
{
	while (c->out >= 0 || c->err >= 0) {
		struct pollfd fds[2] = { { .fd = c->out, .events = POLLIN },
					 { .fd = c->err, .events = POLLIN } };
		int64_t left = (c->deadline_ns - clock_boottime_ns()) / 1000000;
		int n = poll(fds, 2, left > 0 ? (int)left : 0);

		if (n < 0 && errno != EINTR)
			return error_sys(err, ERROR_FAILED, errno, "poll");
		if (n == 0) {
			o->timed_out = true;
			child_kill(c);
			return 0;
		}
		if (n > 0 && fds[0].revents != 0 && drain(&c->out, &o->out, err) < 0)
			return -1;
		if (n > 0 && fds[1].revents != 0 && drain(&c->err, &o->err, err) < 0)
			return -1;
	}
	return 0;
}

/* What was said up to now; more than that nobody can write from now on. */
static int take_memory(int fd, struct buffer *b, struct error *err)
{
	struct stat st;

	if (fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) < 0 || fstat(fd, &st) < 0)
		return error_sys(err, ERROR_FAILED, errno, "a command's output");
	if (st.st_size > OUTPUT_MAX)
		st.st_size = OUTPUT_MAX;
	if (buffer_reserve(b, (size_t)st.st_size, err) < 0)
		return -1;
	while (b->len < (size_t)st.st_size) {
		ssize_t n = pread(fd, b->data + b->len, (size_t)st.st_size - b->len, (off_t)b->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_sys(err, ERROR_FAILED, errno, "reading a command's output");
		b->len += (size_t)n;
	}
	b->data[b->len] = '\0';
	return 0;
}

static int collect_memory(const struct host_child *c, struct host_outcome *o, struct error *err)
{
	wait_for_end(c, o);
	if (take_memory(c->out, &o->out, err) < 0)
		return -1;
	return take_memory(c->err, &o->err, err);
}

int host_child_finish(struct host_child **child, struct host_outcome *ret_outcome,
		      struct error *err)
{
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
	struct host_child *c = *child;
	struct trouble t;
	bool troubled;

	if ((c->in_memory ? collect_memory(c, &o, err) :
	     c->is_staged ? collect_staged(c, &o, err) :
			    collect(c, &o, err)) < 0) {
		host_child_stop(child);
		return -1;
	}
	*child = NULL;
	wait_for_end(c, &o);
	o.status = child_reap(c, &o.killed);
	troubled = read_one_trouble(c->trouble, &t);
	if (troubled && !t.no_namespaces) {
		(void)error_sys(err, ERROR_FAILED, t.sys_errno, "starting %s: %s", c->name,
				t.where);
		child_release(c);
		return -1;
	}
	o.no_namespaces = troubled;
	child_release(c);
	*ret_outcome = o;
	o = (struct host_outcome)HOST_OUTCOME_INIT;
	return 0;
}

int host_run(const struct host *h, const struct host_command *cmd,
	     struct host_outcome *ret_outcome, struct error *err)
{
	_cleanup_host_child_ struct host_child *c = NULL;

	if (host_child_start(h, cmd, &c, err) < 0)
		return -1;
	return host_child_finish(&c, ret_outcome, err);
}

static void __attribute__((noreturn)) detached_main(char *const *argv, const char *cwd, int trouble)
{
	int null = TEMP_FAILURE_RETRY(open("/dev/null", O_RDWR));
	struct trouble t = { .sys_errno = 0 };
	pid_t pid;

	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
	    setsid() < 0)
		child_trouble(trouble, false, "setsid");
	pid = fork();
	if (pid != 0)
		_exit(pid < 0 ? 127 : 0);
	(void)umask(022);
	if (chdir(cwd) < 0 && chdir("/") < 0)
		child_trouble(trouble, false, "chdir");
	child_reset();
	t.pid = getpid();
	if (write(trouble, &t, sizeof(t)) < 0)
		_exit(126);
	(void)execve(argv[0], argv, clean_environment);
	child_trouble(trouble, false, "execve");
}

/* Up to the end that execve(2) makes, or exit. True when there was trouble. */
static bool read_trouble(int fd, pid_t *ret_pid, struct trouble *ret)
{
	struct trouble t;

	while (read_one_trouble(fd, &t)) {
		if (t.pid == 0) {
			*ret = t;
			return true;
		}
		*ret_pid = t.pid;
	}
	return false;
}

int host_spawn_detached(const struct host *h, char *const *argv, const char *cwd,
			struct host_process *ret, struct error *err)
{
	int trouble[2], status = -1;
	pid_t pid, started = 0;
	struct trouble t;
	bool failed;

	if (pipe2(trouble, O_CLOEXEC) < 0)
		return error_sys(err, ERROR_FAILED, errno, "starting %s", argv[0]);
	pid = fork();
	if (pid == 0)
		detached_main(argv, cwd, trouble[1]);
	(void)close(trouble[1]);
	if (pid < 0) {
		(void)close(trouble[0]);
		return error_sys(err, ERROR_FAILED, errno, "starting %s", argv[0]);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	failed = read_trouble(trouble[0], &started, &t);
	(void)close(trouble[0]);
	if (failed)
		return error_sys(err, ERROR_FAILED, t.sys_errno, "starting %s: %s", argv[0],
				 t.where);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return error_set(err, ERROR_FAILED, "starting %s: it could not be detached", argv[0]);
	if (ret != NULL && host_process_of(started, ret) < 0)
		*ret = (struct host_process){ .pid = 0 };
	return 0;
}

/* Fields 3 and 22 of proc_pid_stat(5); the name in field 2 may hold anything, so count from
 * its last parenthesis. */
static int read_stat(pid_t pid, char *ret_state, uint64_t *ret_start)
{
	char name[64], text[1024];
	unsigned long long start;
	const char *p;

	(void)snprintf(name, sizeof(name), "%d/stat", (int)pid);
	if (host_proc_read(name, text, sizeof(text)) <= 0)
		return -1;
	p = strrchr(text, ')');
	if (p == NULL || sscanf(p + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d "
				"%*d %*d %*d %*d %*d %llu", ret_state, &start) != 2)
		return -1;
	*ret_start = start;
	return 0;
}

int host_process_of(pid_t pid, struct host_process *ret)
{
	uint64_t start;
	char state;

	if (pid <= 0 || read_stat(pid, &state, &start) < 0 || state == 'Z' || state == 'X')
		return -1;
	*ret = (struct host_process){ .pid = pid, .start_ticks = start };
	return 0;
}

bool host_process_alive(const struct host_process *p)
{
	struct host_process now;

	return host_process_of(p->pid, &now) == 0 && now.start_ticks == p->start_ticks;
}

int64_t host_process_started_ns(const struct host_process *p)
{
	int64_t tick_ns = NSEC_PER_SEC / sysconf(_SC_CLK_TCK);
	int64_t booted = clock_realtime_ns() - clock_boottime_ns();

	return booted + (int64_t)p->start_ticks * tick_ns;
}

int host_process_signal(const struct host *h, const struct host_process *p, int sig,
			struct error *err)
{
	int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	int r;

	/* the descriptor holds the process; only then is it known to be the one that is meant */
	if (!host_process_alive(p)) {
		if (fd >= 0)
			(void)close(fd);
		return error_sys(err, ERROR_FAILED, ESRCH, "process %d", (int)p->pid);
	}
	r = fd >= 0 ? (int)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) :
		      h->ops->kill(h->ctx, p->pid, sig);
	if (r < 0)
		(void)error_sys(err, ERROR_FAILED, errno, "signal %d to process %d", sig,
				(int)p->pid);
	if (fd >= 0)
		(void)close(fd);
	return r < 0 ? -1 : 0;
}

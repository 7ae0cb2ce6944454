/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Only the process that will be killed is stopped at its system calls; the others run freely
 * but for their forks. A SIGKILL sent while a process stands at the entry of a call is taken
 * before the call is made.
 */
#include "trace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "die.h"
#include "fixture.h"
#include "watchers.h"

#define RUN_SECONDS 30
#define STRAY_SECONDS 10
#define STATE_FILE "state.json"
#define SYSCALL_STOP (SIGTRAP | 0x80)
#define OPTIONS                                                           \
	(PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
	 PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)

struct process {
	pid_t pid;
	bool alive;
	bool watcher;
	unsigned calls;
	unsigned nth[TRACE_NUMBERS]; /* of each number, how often it was made */
	int last_call;
	uint64_t args[6];
	uint64_t loader, loader_end; /* where ld.so is */
	bool foreign;		     /* it has become another program */
	bool injected;		     /* in the call that it is about to leave */
	uint64_t argument;	     /* of that call, as it was */
	bool state_replaced, state_durable;
};

struct run {
	const struct trace_point *point;
	struct trace_calls *record;
	struct trace_outcome *outcome;
	struct process processes[TRACE_PROCESSES];
	/* made, and stopped, before the parent's own stop told us whose child it is */
	pid_t waiting[TRACE_PROCESSES];
	size_t n_waiting;
	bool started; /* process 0 is past its execve */
	bool ending;  /* all were killed: no more of them may come */
};

static const char *const call_names[] = {
#include "calls.inc"
};

static volatile sig_atomic_t alarmed;

static void on_alarm(int sig)
{
	alarmed = 1;
}

const char *trace_call_name(int number)
{
	size_t n = sizeof(call_names) / sizeof(call_names[0]);

	if (number < 0 || (size_t)number >= n || call_names[number] == NULL)
		return "unknown";
	return call_names[number];
}

int trace_call_find(const char *name)
{
	size_t n = sizeof(call_names) / sizeof(call_names[0]);

	for (size_t i = 0; i < n; i++)
		if (call_names[i] != NULL && strcmp(call_names[i], name) == 0)
			return (int)i;
	return -1;
}

void trace_calls_release(struct trace_calls *calls)
{
	for (unsigned i = 0; i < TRACE_PROCESSES; i++)
		free(calls[i].items);
	memset(calls, 0, TRACE_PROCESSES * sizeof(*calls));
}

static void set_alarm(unsigned seconds)
{
	struct sigaction act = { .sa_handler = on_alarm };

	/* without SA_RESTART: it has to get us out of waitpid */
	alarmed = 0;
	if (sigaction(SIGALRM, &act, NULL) < 0)
		die("sigaction");
	(void)alarm(seconds);
}

static _Noreturn void exec_child(char *const *argv, int output_fd, int gate)
{
	static char *const environment[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
					     (char *)"LC_ALL=C", (char *)"HOME=/root",
					     NULL };
	int null = open("/dev/null", O_RDONLY);
	char byte;

	/* one kill(2) reaches the tree at once by its group */
	if (setpgid(0, 0) < 0 || null < 0 || dup2(null, 0) < 0 ||
	    dup2(output_fd, 1) < 0 || dup2(output_fd, 2) < 0)
		_exit(127);
	if (gate >= 0 && read(gate, &byte, 1) != 1)
		_exit(127);
	(void)execve(argv[0], argv, environment);
	_exit(127);
}

static void count_call(struct trace_calls *calls, const struct trace_entry *call)
{
	if (calls->count == calls->room) {
		calls->room = calls->room != 0 ? 2 * calls->room : 512;
		calls->items = realloc(calls->items, calls->room * sizeof(*calls->items));
		if (calls->items == NULL)
			die("out of memory");
	}
	calls->items[calls->count++] = *call;
}

static struct process *find_process(struct run *run, pid_t pid)
{
	for (unsigned i = 0; i < run->outcome->processes; i++)
		if (run->processes[i].pid == pid && run->processes[i].alive)
			return &run->processes[i];
	return NULL;
}

static unsigned number_of(const struct run *run, const struct process *p)
{
	return (unsigned)(p - run->processes);
}

static unsigned count_alive(const struct run *run)
{
	unsigned n = 0;

	for (unsigned i = 0; i < run->outcome->processes; i++)
		n += run->processes[i].alive;
	return n;
}

static void at_stop(struct run *run, pid_t pid, int status);

/* The command sees the file of a watcher before we are told that it is there: one that is just
 * renaming it may have been waited for already, and is let go first. */
static void settle_watchers(struct run *run, const struct process *but)
{
	for (unsigned i = 0; i < run->outcome->processes; i++) {
		struct process *p = &run->processes[i];
		int status;

		while (p != but && p->alive && p->watcher && p->last_call == SYS_renameat2 &&
		       waitpid(p->pid, &status, __WALL) == p->pid) {
			if (WIFSTOPPED(status))
				at_stop(run, p->pid, status);
			else
				p->alive = false;
		}
	}
}

static void kill_all(struct run *run)
{
	run->ending = true;
	(void)kill(-run->processes[0].pid, SIGKILL);
	for (unsigned i = 0; i < run->outcome->processes; i++)
		if (run->processes[i].alive)
			(void)kill(run->processes[i].pid, SIGKILL);
	for (size_t i = 0; i < run->n_waiting; i++)
		(void)kill(run->waiting[i], SIGKILL);
}

static void resume(struct run *run, const struct process *p, int sig)
{
	bool wanted = run->record != NULL || p->watcher || p->injected ||
		      (run->point->call != 0 && !run->outcome->fired &&
		       run->point->process == number_of(run, p));

	/* fails when it was killed meanwhile, which its exit will say */
	(void)ptrace(wanted && run->started ? PTRACE_SYSCALL : PTRACE_CONT, p->pid, NULL,
		     (void *)(intptr_t)sig);
}

static void add_process(struct run *run, pid_t pid, const struct process *parent)
{
	struct process *p = &run->processes[run->outcome->processes];

	if (run->outcome->processes == TRACE_PROCESSES)
		die("more than %d processes", TRACE_PROCESSES);
	*p = (struct process){ .pid = pid, .alive = true };
	if (parent != NULL) {
		p->foreign = parent->foreign;
		p->loader = parent->loader;
		p->loader_end = parent->loader_end;
	}
	run->outcome->processes++;
	for (size_t i = 0; i < run->n_waiting; i++)
		if (run->waiting[i] == pid) {
			run->waiting[i] = run->waiting[--run->n_waiting];
			resume(run, p, 0);
			return;
		}
}

/* A file, a folder, a name, a lock, a process. */
static bool is_change(int number, const uint64_t *args)
{
	static const char changing[] =
		" write pwrite64 writev ftruncate fallocate fsync fdatasync sync_file_range "
		"chmod fchmod fchmodat chown fchown fchownat setxattr fsetxattr utimensat "
		"rename renameat renameat2 link linkat symlink symlinkat unlink unlinkat rmdir "
		"mkdir mkdirat flock mount umount2 fork vfork clone clone3 execve kill exit_group ";
	char word[64];

	if (number == SYS_openat)
		return (args[2] & (O_CREAT | O_TRUNC)) != 0;
	(void)snprintf(word, sizeof(word), " %s ", trace_call_name(number));
	return strstr(changing, word) != NULL;
}

/* The state is what commits: once it has been renamed, and its folder made durable. A first opening
 * reserves the room for one, before there is a journal: that says nothing yet. */
static void watch_commit(struct process *p, const struct __ptrace_syscall_info *info)
{
	if (inject_renames(p->pid, info, STATE_FILE) &&
	    access(FIXTURE_STATE "/journal", F_OK) == 0) {
		p->state_replaced = true;
		p->state_durable = false;
	}
}

static bool is_loading(const struct process *p, const struct __ptrace_syscall_info *info)
{
	return p->foreign || (info->instruction_pointer >= p->loader &&
			      info->instruction_pointer < p->loader_end);
}

static void inject(struct run *run, struct process *p,
		   const struct __ptrace_syscall_info *info, unsigned kinds)
{
	const struct trace_point *point = run->point;

	inject_describe(p->pid, info, run->outcome->about, sizeof(run->outcome->about));
	if ((kinds & 1u << point->kind) != 0 &&
	    inject_enter(p->pid, point->number, point->kind, &p->argument)) {
		p->injected = run->outcome->fired = true;
		run->outcome->call_number = point->number;
		run->outcome->loading = is_loading(p, info);
		run->outcome->committed = p->state_durable;
	}
	resume(run, p, 0);
}

static void end(struct run *run, const struct process *p, int number)
{
	const struct trace_point *point = run->point;

	run->outcome->fired = true;
	run->outcome->locked = watchers_file_is_held(FIXTURE_STATE "/lock");
	run->outcome->call_number = number;
	if (point->hooks != NULL && point->hooks->before_kill != NULL)
		point->hooks->before_kill(point->hooks->ctx);
	if (point->mode == TRACE_ALL) {
		settle_watchers(run, p);
		kill_all(run);
	} else {
		(void)kill(p->pid, SIGKILL);
	}
}

static void at_entry(struct run *run, struct process *p,
		     const struct __ptrace_syscall_info *info)
{
	const struct trace_point *point = run->point;
	struct trace_entry call = { .number = (int)info->entry.nr };
	bool mine = number_of(run, p) == point->process && !run->outcome->fired;

	p->last_call = call.number;
	if (point->changes && !is_change(call.number, p->args)) {
		resume(run, p, 0);
		return;
	}
	p->calls++;
	if (info->entry.nr < TRACE_NUMBERS)
		call.nth = ++p->nth[call.number];
	if (run->record != NULL || point->mode == TRACE_ERROR)
		call.kinds = inject_kinds(p->pid, info);
	if (run->record != NULL)
		count_call(&run->record[number_of(run, p)], &call);
	if (mine && point->mode == TRACE_ERROR)
		watch_commit(p, info);
	if (mine && point->mode == TRACE_ERROR && point->call != 0 &&
	    point->number == call.number && point->call == call.nth)
		inject(run, p, info, call.kinds);
	else if (mine && point->mode != TRACE_ERROR && p->calls == point->call)
		end(run, p, call.number);
	else
		resume(run, p, 0);
}

static void at_leave(struct run *run, struct process *p)
{
	if (p->injected)
		(void)inject_leave(p->pid, p->last_call, run->point->kind, p->argument);
	p->injected = false;
	if (p->state_replaced && inject_is_sync(p->last_call))
		p->state_durable = true;
	resume(run, p, 0);
}

/* A watcher publishes its file by renaming it. */
static bool has_published(const struct process *p,
			  const struct __ptrace_syscall_info *info)
{
	return p->watcher && p->last_call == SYS_renameat2 && !info->exit.is_error;
}

static void let_go(struct run *run, struct process *p)
{
	if (ptrace(PTRACE_DETACH, p->pid, NULL, NULL) < 0)
		return; /* it was killed meanwhile */
	p->alive = false;
	run->outcome->let_go++;
}

static void tell(struct run *run, const struct process *p, int64_t result)
{
	const struct trace_hooks *hooks = run->point->hooks;
	struct trace_call call = { .pid = p->pid,
				   .process = number_of(run, p),
				   .index = p->calls,
				   .number = p->last_call,
				   .result = result };

	if (hooks == NULL || hooks->after_call == NULL || run->record == NULL)
		return;
	memcpy(call.args, p->args, sizeof(call.args));
	hooks->after_call(hooks->ctx, &call);
}

static void at_call(struct run *run, struct process *p)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, sizeof(info), &info) <= 0) {
		resume(run, p, 0);
		return;
	}
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		for (size_t i = 0; i < 6; i++)
			p->args[i] = info.entry.args[i];
	if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		tell(run, p, info.exit.rval);
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		at_entry(run, p, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT && has_published(p, &info))
		let_go(run, p);
	else
		at_leave(run, p);
}

static void find_loader(struct process *p)
{
	char path[64], line[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)p->pid);
	f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strstr(line, "/ld-") != NULL && strstr(line, " r-xp ") != NULL)
			(void)sscanf(line, "%" SCNx64 "-%" SCNx64, &p->loader, &p->loader_end);
	if (f != NULL)
		(void)fclose(f);
}

static void at_event(struct run *run, struct process *p, int event)
{
	unsigned long child = 0;

	if (event == PTRACE_EVENT_EXEC) {
		run->started = true;
		p->watcher = watchers_is(p->pid);
		p->foreign = number_of(run, p) != 0 && !p->watcher;
		if (run->point->mode == TRACE_ERROR)
			find_loader(p);
		if (run->record != NULL)
			run->record[number_of(run, p)].watcher = p->watcher;
	} else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
		   event == PTRACE_EVENT_CLONE) {
		if (ptrace(PTRACE_GETEVENTMSG, p->pid, NULL, &child) == 0)
			add_process(run, (pid_t)child, p);
	}
	resume(run, p, 0);
}

static void at_stop(struct run *run, pid_t pid, int status)
{
	struct process *p = find_process(run, pid);
	int event = status >> 16, sig = WSTOPSIG(status);

	if (p == NULL && run->ending) {
		(void)kill(pid, SIGKILL);
		return;
	}
	if (p == NULL) {
		if (run->n_waiting == TRACE_PROCESSES)
			die("more than %d processes", TRACE_PROCESSES);
		run->waiting[run->n_waiting++] = pid;
		return;
	}
	if (sig == SYSCALL_STOP)
		at_call(run, p);
	else if (event != 0)
		at_event(run, p, event);
	else
		resume(run, p, sig);
}

static void at_exit(struct run *run, pid_t pid, int status)
{
	struct process *p = find_process(run, pid);

	if (p == NULL)
		return;
	p->alive = false;
	if (number_of(run, p) == 0) {
		run->outcome->status = status;
		set_alarm(STRAY_SECONDS);
	}
}

static void at_alarm(struct run *run)
{
	if (run->processes[0].alive)
		run->outcome->hung = true;
	else
		run->outcome->strays += count_alive(run) + (unsigned)run->n_waiting;
	kill_all(run);
	set_alarm(STRAY_SECONDS);
}

static bool is_traced_by_us(pid_t pid)
{
	char path[64], line[256];
	int tracer = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	while (tracer == 0 && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "TracerPid: %d", &tracer) == 1)
			break;
	(void)fclose(f);
	return tracer == (int)getpid();
}

/* A child that its parent was just making when both were to be killed is traced, but nobody told
 * us of it. */
static void end_unseen(void)
{
	const struct dirent *d;
	DIR *proc = opendir("/proc");
	int status;

	if (proc == NULL)
		die("/proc");
	while ((d = readdir(proc)) != NULL) {
		pid_t pid = (pid_t)atoi(d->d_name);

		if (pid <= 1 || !is_traced_by_us(pid))
			continue;
		(void)kill(pid, SIGKILL);
		while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status))
			;
	}
	(void)closedir(proc);
}

static void run_loop(struct run *run)
{
	set_alarm(RUN_SECONDS);
	while (count_alive(run) > 0 || run->n_waiting > 0) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno == ECHILD)
			break;
		if (pid < 0 && alarmed)
			at_alarm(run);
		if (pid < 0)
			continue;
		if (WIFSTOPPED(status))
			at_stop(run, pid, status);
		else
			at_exit(run, pid, status);
	}
	(void)alarm(0);
	if (run->ending)
		end_unseen();
	/* orphans of theirs are ours now */
	while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
		;
}

void trace_run(char *const *argv, const struct trace_point *point, int output_fd,
	       struct trace_calls *calls, struct trace_outcome *ret)
{
	struct run run = { .point = point, .record = calls, .outcome = ret };
	int gate[2];
	pid_t pid;

	*ret = (struct trace_outcome){ .call_number = -1 };
	if (pipe2(gate, O_CLOEXEC) < 0)
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		(void)close(gate[1]);
		exec_child(argv, output_fd, gate[0]);
	}
	(void)close(gate[0]);
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)(intptr_t)OPTIONS) < 0)
		die("ptrace");
	add_process(&run, pid, NULL);
	if (write(gate[1], "", 1) != 1)
		die("write");
	(void)close(gate[1]);
	run_loop(&run);
}

void trace_run_plain(char *const *argv, int output_fd, struct trace_outcome *ret)
{
	pid_t pid = fork();
	int status = 0;

	*ret = (struct trace_outcome){ .call_number = -1, .processes = 1 };
	if (pid < 0)
		die("fork");
	if (pid == 0)
		exec_child(argv, output_fd, -1);
	set_alarm(RUN_SECONDS);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			die("waitpid");
		ret->hung = true;
		(void)kill(-pid, SIGKILL);
		(void)kill(pid, SIGKILL);
	}
	(void)alarm(0);
	ret->status = status;
}

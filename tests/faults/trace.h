/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * trace: runs one command under ptrace(2) and kills it at one system call, or lets that call fail.
 *
 * Processes are numbered in the order in which they are made, the command itself being 0, and
 * each counts its own calls. Two children that run at the same time interleave differently in
 * every run; what each of them does by itself is the same.
 *
 * A watcher (watchers.h) is one of them until it has published its file. Then it is let go: it
 * outlives the command, whatever becomes of that.
 */
#ifndef ROOTLATCH_TESTS_TRACE_H
#define ROOTLATCH_TESTS_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "inject.h"

#define TRACE_PROCESSES 16
#define TRACE_NUMBERS 512 /* of system calls: they are smaller */

enum trace_mode {
	TRACE_PROCESS, /* the process that makes the call, alone */
	TRACE_ALL,     /* the whole tree at once */
	TRACE_ERROR,   /* nobody: the call gets `kind` */
};

/* A call that was made, while its process stands still behind it. */
struct trace_call {
	pid_t pid;
	unsigned process, index; /* index: as in trace_point */
	int number;
	uint64_t args[6];
	int64_t result;
};

struct trace_hooks {
	void *ctx;
	/* every call of everybody, in a run that is recorded */
	void (*after_call)(void *ctx, const struct trace_call *call);
	/* at the call that will not be made any more */
	void (*before_kill)(void *ctx);
};

struct trace_point {
	unsigned process;
	unsigned
		call; /* counted from 1, after execve for process 0; 0: nothing is killed */
	enum trace_mode mode;
	bool changes; /* only calls that change something count; the others see what they left */
	const struct trace_hooks *hooks; /* or NULL */
	/* with TRACE_ERROR, where `call` counts those with this number */
	int number;
	enum inject_kind kind;
};

/* A call that was about to be made. */
struct trace_entry {
	int number;
	unsigned nth;	/* of those with this number; 0: not counted, as it is none of TRACE_NUMBERS */
	unsigned kinds; /* that make sense for it, one bit each */
};

/* The calls of one process, in order. */
struct trace_calls {
	struct trace_entry *items;
	size_t count, room;
	bool watcher; /* it is one; what it did after it was let go is not among them */
};

struct trace_outcome {
	bool fired;
	bool locked; /* somebody held the lock then */
	int call_number; /* of the call that never happened, when it fired */
	bool loading;	 /* the call was made before main, or by another program */
	char about[200]; /* with TRACE_ERROR: the file */
	bool committed;	 /* the state had been replaced, and that made durable */
	int status;      /* of process 0, as of waitpid(2) */
	bool hung;       /* process 0 had to be ended */
	unsigned strays; /* other processes that outlived it and had to be ended */
	unsigned processes;
	unsigned let_go; /* watchers */
};

/* Runs argv with stdout and stderr going to output_fd. When `calls` is not NULL it has room for
 * TRACE_PROCESSES and receives the calls of every process; the caller frees them. */
void trace_run(char *const *argv, const struct trace_point *point, int output_fd,
	       struct trace_calls *calls, struct trace_outcome *ret);

/* Runs argv without tracing it; for what may leave a daemon behind. */
void trace_run_plain(char *const *argv, int output_fd, struct trace_outcome *ret);

const char *trace_call_name(int number);
/* -1 when there is none of that name. */
int trace_call_find(const char *name);
void trace_calls_release(struct trace_calls *calls);

#endif

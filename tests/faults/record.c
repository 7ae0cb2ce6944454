/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a call did is read off the folders, not out of its arguments: so it does not matter which
 * call it was, or whose.
 */
#include "record.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "die.h"

/* What changes a file, whatever kind of machine this is. */
static bool may_change(int number)
{
	static const int numbers[] = {
		SYS_write,	SYS_pwrite64,	SYS_writev,	 SYS_pwritev,	 SYS_pwritev2,
		SYS_sendfile,	SYS_splice,	SYS_ftruncate,	 SYS_truncate,	 SYS_fallocate,
		SYS_openat,	SYS_openat2,	SYS_renameat2,	 SYS_linkat,	 SYS_symlinkat,
		SYS_unlinkat,	SYS_mkdirat,	SYS_mknodat,	 SYS_fchmod,	 SYS_fchmodat,
		SYS_fchown,	SYS_fchownat,	SYS_utimensat,	 SYS_copy_file_range,
#ifdef SYS_open
		SYS_open,	SYS_creat,	SYS_rename,	 SYS_renameat,	 SYS_link,
		SYS_symlink,	SYS_unlink,	SYS_rmdir,	 SYS_mkdir,	 SYS_mknod,
		SYS_chmod,	SYS_chown,	SYS_lchown,	 SYS_utime,	 SYS_utimes,
		SYS_futimesat,
#endif
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i] == number)
			return true;
	return false;
}

/* Most that are opened are libraries. */
static bool only_reads(const struct trace_call *call)
{
	const uint64_t writing = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;

	if (call->number == SYS_openat)
		return (call->args[2] & writing) == 0;
#ifdef SYS_open
	if (call->number == SYS_open)
		return (call->args[1] & writing) == 0;
#endif
	return false;
}

static bool look(struct record *r)
{
	struct image now;
	bool any;

	image_capture(r->roots, &now);
	any = disk_see(r->disk, &now);
	image_release(&now);
	return any;
}

static bool sync_file(struct record *r, const struct trace_call *call)
{
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)call->pid, (int)call->args[0]);
	if (stat(path, &st) < 0)
		die("stat %s", path);
	return disk_sync(r->disk, st.st_dev, st.st_ino, call->number == SYS_fdatasync);
}

static bool changes(struct record *r, const struct trace_call *call)
{
	switch (call->number) {
	case SYS_fsync:
	case SYS_fdatasync:
		return sync_file(r, call);
	case SYS_sync:
	case SYS_syncfs:
		return disk_sync_all(r->disk);
	default:
		return may_change(call->number) && !only_reads(call) && look(r);
	}
}

static void after_call(void *ctx, const struct trace_call *call)
{
	struct record *r = ctx;

	if (call->result < 0)
		return;
	if (call->number == SYS_write && call->process == 0 && call->args[0] == 1 &&
	    r->said == SIZE_MAX)
		r->said = disk_moments(r->disk);
	if (!changes(r, call))
		return;
	r->calls = realloc(r->calls, (r->n_calls + 1) * sizeof(*r->calls));
	if (r->calls == NULL)
		die("out of memory");
	r->calls[r->n_calls++] = (struct record_call){ .process = call->process,
						       .index = call->index,
						       .number = call->number,
						       .moment = disk_moments(r->disk) };
}

void record_run(struct record *r, char *const *argv, int output_fd, int *ret_status)
{
	const struct trace_hooks hooks = { .ctx = r, .after_call = after_call };
	const struct trace_point none = { .hooks = &hooks };
	struct trace_calls calls[TRACE_PROCESSES] = { 0 };
	struct trace_outcome o;

	free(r->calls);
	r->calls = NULL;
	r->n_calls = 0;
	r->said = SIZE_MAX;
	trace_run(argv, &none, output_fd, calls, &o);
	trace_calls_release(calls);
	if (look(r))
		die("a call that changes files is missing in the list of those that do");
	*ret_status = WIFEXITED(o.status) ? WEXITSTATUS(o.status) : 128 + WTERMSIG(o.status);
}

void record_release(struct record *r)
{
	free(r->calls);
	r->calls = NULL;
}

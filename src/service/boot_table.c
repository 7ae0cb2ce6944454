/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/boot_table.h"

#include "base/path.h"
#include "service/sshd.h"

void boot_processes_release(struct boot_processes *p)
{
	free(p->items);
	*p = (struct boot_processes)BOOT_PROCESSES_INIT;
}

void boot_table_release(struct boot_table *t)
{
	for (size_t i = 0; i < t->len; i++)
		free(t->items[i].exe);
	free(t->items);
}

struct boot_entry *boot_find(const struct boot_table *t, pid_t pid)
{
	for (size_t i = 0; i < t->len; i++)
		if (t->items[i].process.pid == pid)
			return &t->items[i];
	return NULL;
}

static void mark_us(const struct boot_table *t)
{
	struct boot_entry *e = boot_find(t, getpid());

	for (size_t i = 0; e != NULL && i < t->len; i++) {
		e->is_us = true;
		e = boot_find(t, e->parent);
	}
}

int boot_table_read(struct boot_table *t, struct error *err)
{
	_cleanup_free_ pid_t *pids = NULL;
	size_t n = 0;

	if (host_process_list(&pids, &n, err) < 0)
		return -1;
	t->items = calloc(n + 1, sizeof(*t->items));
	if (t->items == NULL)
		return error_oom(err);
	for (size_t i = 0; i < n; i++) {
		struct boot_entry *e = &t->items[t->len];

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

bool boot_runs_sshd(const struct boot_entry *e)
{
	return e->exe != NULL && strcmp(path_basename(e->exe), "sshd") == 0;
}

bool boot_is_sshd_session(const struct boot_entry *e)
{
	_cleanup_buffer_ struct buffer cmdline = BUFFER_INIT;
	_cleanup_strings_ struct strings argv = STRINGS_INIT, options = STRINGS_INIT;
	const char *config;

	if (!boot_runs_sshd(e) || host_process_cmdline(e->process.pid, &cmdline, NULL) < 0)
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

void boot_mark(struct boot_entry *e)
{
	e->is_member = true;
	e->ends_there = boot_runs_sshd(e);
}

/* The branch that we hang on is left out, with all that hangs on it as well. */
void boot_mark_descendants(const struct boot_table *t)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < t->len; i++) {
			struct boot_entry *e = &t->items[i];
			const struct boot_entry *parent = boot_find(t, e->parent);

			if (e->is_member || e->is_us || e->is_others || parent == NULL ||
			    !parent->is_member || parent->ends_there)
				continue;
			boot_mark(e);
			more = true;
		}
	}
}

static int by_rank(const void *a, const void *b)
{
	const struct boot_entry *one = a, *two = b;

	if (one->is_main != two->is_main)
		return one->is_main ? -1 : 1;
	if (one->process.start_ticks != two->process.start_ticks)
		return one->process.start_ticks < two->process.start_ticks ? -1 : 1;
	return one->process.pid < two->process.pid ? -1 : 1;
}

int boot_take_members(struct boot_table *t, struct boot_processes *ret, struct error *err)
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
	if (ret->len == 0) {
		free(items);
		ret->items = NULL;
	}
	return 0;
}

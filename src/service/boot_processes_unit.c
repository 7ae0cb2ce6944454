/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The processes of a systemd unit: those of its control group.
 */
#include "base/path.h"
#include "host/file.h"
#include "host/net.h"
#include "service/boot_table.h"

static bool mark_pids(const struct boot_table *t, const struct host *h, const char *path)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	char *p;

	if (host_file_read(h, path, HOST_READ_ANY | HOST_READ_NO_DIGEST, &f, NULL) < 0)
		return false;
	for (p = f.bytes.data; *p != '\0';) {
		struct boot_entry *e = boot_find(t, (pid_t)strtol(p, &p, 10));

		if (e != NULL && !e->is_us && !boot_is_sshd_session(e))
			boot_mark(e);
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	return true;
}

/* A group may have groups below it (Delegate=). */
static bool mark_group(const struct boot_table *t, const struct host *h, const char *dir, int depth)
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
static bool mark_cgroup(const struct boot_table *t, const struct host *h, const char *cgroup)
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
	_cleanup_boot_table_ struct boot_table t = { .h = h };
	bool has_group;
	struct boot_entry *e;

	if (boot_table_read(&t, err) < 0)
		return -1;
	has_group = mark_cgroup(&t, h, cgroup);
	e = main_pid > 1 ? boot_find(&t, main_pid) : NULL;
	if (e != NULL) {
		boot_mark(e);
		e->is_main = true;
	}
	if (!has_group)
		boot_mark_descendants(&t);
	return boot_take_members(&t, ret, err);
}

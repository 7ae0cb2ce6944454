/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One file in /etc/cron.d for all timed toggles of a state folder: recorded like any file that is
 * made, as an edit of the closers (no toggle has their name); it goes when no toggle has a deadline
 * any more, or, where it can't go then, with the next transaction that can take it away.
 *
 * cron(8) says nothing about a file that it ignores. So what it wants is asked here: root's, 0644,
 * one link, a name without a dot, a newline at the end, one line that is not too long.
 */
#include <errno.h>
#include <stdio.h>

#include "base/path.h"
#include "deadline/closer.h"
#include "host/net.h"

#define CRON_DIR "/etc/cron.d"
#define CRON_MODE 0644
#define CRON_LINE_MAX 900 /* cron(8)'s own is 1000 for the command */

char *closer_cron_path(const struct store *s, struct error *err)
{
	struct digest d;

	if (strcmp(s->dir, STORE_DIR_DEFAULT) == 0)
		return str_dup(CRON_DIR "/rootlatch", err);
	d = digest_of(s->dir, strlen(s->dir));
	return str_format(err, CRON_DIR "/rootlatch-%.8s", d.hex);
}

char *closer_cron_text(const struct closer_context *c, struct error *err)
{
	_cleanup_strings_ struct strings argv = STRINGS_INIT;
	_cleanup_buffer_ struct buffer b = BUFFER_INIT;

	if (closer_reap_argv(c, &argv, err) < 0 ||
	    buffer_append_str(&b, "# Written by rootlatch: what is open for a while is closed again when its "
			      "time is over.\n# It goes with the last opening; `rootlatch status` says "
			      "what is open.\n* * * * * root", err) < 0)
		return NULL;
	for (size_t i = 0; i < argv.len; i++)
		if (buffer_printf(&b, err, " %s", argv.items[i]) < 0)
			return NULL;
	return buffer_append(&b, "\n", 1, err) < 0 ? NULL : TAKE_PTR(b.data);
}

/* ---- the daemon */

static bool is_cron(const struct host *h, pid_t pid)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	return host_file_read(h, path, HOST_READ_ANY | HOST_READ_NO_DIGEST, &f, NULL) == 0 &&
	       (strcmp(f.bytes.data, "cron\n") == 0 || strcmp(f.bytes.data, "crond\n") == 0) &&
	       host_process_is_roots(pid);
}

/* BusyBox's crond knows no /etc/cron.d (crontabs of users alone). */
static bool is_busybox(pid_t pid)
{
	_cleanup_free_ char *exe = host_process_exe(pid);

	return exe != NULL && strncmp(path_basename(exe), "busybox", 7) == 0;
}

/* A container's cron is in our /proc too, and reads a folder of its own. */
static bool sees_our_folder(pid_t pid, const struct stat *ours)
{
	struct stat theirs;

	return host_process_stat(pid, CRON_DIR, &theirs) == 0 && theirs.st_dev == ours->st_dev &&
	       theirs.st_ino == ours->st_ino;
}

int closer_cron_runs(const struct host *h, bool *ret_runs, const char **ret_why, struct error *err)
{
	const char *why = "cron is not running";
	_cleanup_free_ pid_t *pids = NULL;
	struct stat folder;
	size_t n = 0;

	*ret_runs = false;
	if (host_lstat(h, CRON_DIR, &folder) < 0 || !S_ISDIR(folder.st_mode)) {
		*ret_why = "there is no folder " CRON_DIR;
		return 0;
	}
	if (host_process_list(&pids, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n && !*ret_runs; i++) {
		if (!is_cron(h, pids[i]) || !sees_our_folder(pids[i], &folder))
			continue;
		if (is_busybox(pids[i]))
			why = "the cron that is running is BusyBox's, which does not read " CRON_DIR;
		else
			*ret_runs = true;
	}
	*ret_why = why;
	return 0;
}

/* ---- the file */

enum cron_file {
	CRON_MISSING,
	CRON_OURS,    /* the very bytes, and as cron wants it */
	CRON_FOREIGN, /* anything else */
};

/* `file` is filled in for CRON_OURS. */
static int look_at_file(const struct host *h, const char *path, const char *text,
			struct host_file *file, enum cron_file *ret, struct error *err)
{
	struct error why = ERROR_INIT;
	struct stat st;

	*ret = CRON_MISSING;
	if (host_lstat(h, path, &st) < 0)
		return errno == ENOENT ? 0 : error_sys(err, ERROR_FAILED, errno, "%s", path);
	*ret = CRON_FOREIGN;
	if (!S_ISREG(st.st_mode) || st.st_uid != 0 || (st.st_mode & 07777) != CRON_MODE ||
	    st.st_nlink != 1)
		return 0;
	if (host_file_read(h, path, HOST_READ_ANY, file, &why) < 0) {
		if (why.code == ERROR_REFUSED)
			return 0;
		*err = why;
		return -1;
	}
	if (slice_equal(slice_of(file->bytes.data, file->bytes.len), slice_of(text, strlen(text))))
		*ret = CRON_OURS;
	return 0;
}

static bool fits_on_a_line(const char *text)
{
	const char *last = strrchr(text, '*');

	return last == NULL || strlen(last) <= CRON_LINE_MAX;
}

/* Why it can't be had at all, whatever the file; NULL when it can. Owned by the caller. */
static int find_obstacle(const struct closer_context *c, const char *path, const char *text,
			 char **ret_why, struct error *err)
{
	_cleanup_strings_ struct strings argv = STRINGS_INIT;
	struct error why = ERROR_INIT;
	const char *reason = NULL;
	bool runs = false;

	if (closer_reap_argv(c, &argv, err) < 0)
		return -1;
	if (!host_is_live(c->host))
		reason = "no cron runs in a folder";
	else if (closer_cron_runs(c->host, &runs, &reason, err) < 0)
		return -1;
	else if (runs && !closer_argv_is_plain(&argv))
		reason = "cron can't run a program, or be told a state folder, with such a name";
	else if (runs && !fits_on_a_line(text))
		reason = "the line for cron would be too long";
	else if (runs && host_folders_require_trusted(c->host, path, &why) < 0)
		reason = why.message;
	else if (runs)
		return 0;
	*ret_why = str_dup(reason, err);
	return *ret_why == NULL ? -1 : 0;
}

/* ---- the record */

static int record_use(struct state_file *f, const struct closer_job *j, struct error *err)
{
	_cleanup_edit_ struct edit edit = EDIT_INIT;

	memcpy(edit.id, j->plan->id, sizeof(edit.id));
	return state_add_edit(f, CLOSER_OWNER, &edit, true, err);
}

static struct host_meta new_meta(void)
{
	return (struct host_meta){ .mode = CRON_MODE, .attrs = digest_of("", 0) };
}

static int record_file(const struct closer_job *j, const char *path, const struct digest *left,
		       struct error *err)
{
	struct state_file *known = state_find_file(j->after, path);
	/* the metadata of a file that was not there; the state has no other word for none */
	struct state_file f = { .made = true, .left = *left, .left_meta = new_meta(),
				.base_meta = new_meta() };

	if (known != NULL) {
		known->left = *left;
		known->left_meta = f.left_meta;
		return 0;
	}
	f.path = str_dup(path, err);
	f.twin = str_dup("", err);
	f.saved = str_dup("", err);
	if (f.path == NULL || f.twin == NULL || f.saved == NULL || record_use(&f, j, err) < 0) {
		state_file_release(&f);
		return -1;
	}
	return state_add_file(j->after, &f, err);
}

/* ---- arming */

/* A copy of the text that lives as long as the steps. */
static int keep_text(struct closer_context *c, const char *text, struct slice *ret, struct error *err)
{
	if (strings_add(&c->texts, text, err) < 0)
		return -1;
	*ret = slice_of(c->texts.items[c->texts.len - 1], strlen(text));
	return 0;
}

static int add_create(const struct closer_job *j, const char *path, const char *text,
		      struct error *err)
{
	struct step s = { .kind = STEP_CREATE, .after_mtime_ns = -1, .meta = new_meta() };

	s.path = str_dup(path, err);
	s.temp = plan_temp_path(path, j->plan->id, err);
	s.after = digest_of(text, strlen(text));
	if (s.path == NULL || s.temp == NULL || keep_text(j->c, text, &s.after_bytes, err) < 0 ||
	    strings_add(&j->plan->on_abort, s.temp, err) < 0 ||
	    record_file(j, path, &s.after, err) < 0) {
		step_release(&s);
		return -1;
	}
	return plan_add(j->plan, &s, err);
}

static int arm_file(struct closer_job *j, const char *path, const char *text, bool *ret_armed,
		    struct error *err)
{
	_cleanup_host_file_ struct host_file file = HOST_FILE_INIT;
	struct state_file *known = state_find_file(j->after, path);
	enum cron_file is;

	if (look_at_file(j->c->host, path, text, &file, &is, err) < 0)
		return -1;
	if (is == CRON_FOREIGN)
		return strings_addf(j->missing, err, known != NULL ?
				    "%s was changed by somebody else, and is no use to cron so" :
				    "%s is somebody else's", path);
	*ret_armed = true;
	if (is == CRON_MISSING)
		return add_create(j, path, text, err);
	/* one that is there already and is not ours stays when ours goes */
	return 0;
}

static int cron_arm(struct closer_job *j, bool *ret_armed, struct error *err)
{
	_cleanup_free_ char *path = closer_cron_path(j->c->store, err);
	_cleanup_free_ char *text = closer_cron_text(j->c, err);
	_cleanup_free_ char *why = NULL;

	if (path == NULL || text == NULL || find_obstacle(j->c, path, text, &why, err) < 0)
		return -1;
	if (why != NULL)
		return strings_add(j->missing, why, err);
	return arm_file(j, path, text, ret_armed, err);
}

/* ---- disarming */

static int fill_unlink(struct closer_context *c, struct plan *plan, const char *path,
		       const struct host_file *file, struct step *s, struct error *err)
{
	/* We know what it says: no copy, so that a full disk is no obstacle. */
	s->ready = true;
	s->path = str_dup(path, err);
	s->temp = plan_temp_path(path, plan->id, err);
	s->before = file->digest;
	s->meta = file->meta;
	s->dev = file->dev;
	s->ino = file->ino;
	s->ctime_ns = file->ctime_ns;
	if (s->path == NULL || s->temp == NULL ||
	    keep_text(c, file->bytes.data, &s->before_bytes, err) < 0)
		return -1;
	return strings_add(&plan->on_commit, s->temp, err);
}

/* What is not as we left it stays, and is theirs now. What can't be taken away must not stand in the
 * way of a close, for a `reap` a minute that finds nothing to do harms nobody: it stays in the
 * record. */
static int take_away(struct closer_context *c, struct plan *plan, const struct state_file *f,
		     struct strings *left, bool *ret_done, struct error *err)
{
	_cleanup_host_file_ struct host_file file = HOST_FILE_INIT;
	struct step s = { .kind = STEP_UNLINK, .after_mtime_ns = -1 };
	struct error why = ERROR_INIT;
	struct stat st;

	*ret_done = true;
	if (host_lstat(c->host, f->path, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (host_file_read(c->host, f->path, HOST_READ_TARGET, &file, &why) < 0) {
		*ret_done = false;
		if (why.code == ERROR_REFUSED)
			return strings_add(left, f->path, err);
		*err = why;
		return -1;
	}
	if (!digest_equal(&file.digest, &f->left))
		return 0;
	if (fill_unlink(c, plan, f->path, &file, &s, err) < 0) {
		step_release(&s);
		return -1;
	}
	return plan_add(plan, &s, err);
}

bool deadline_is_needed(const struct state *s)
{
	for (size_t i = 0; i < s->n_toggles; i++)
		if (s->toggles[i].until_ns != 0)
			return true;
	return false;
}

static int cron_disarm(struct closer_context *c, const struct state_toggle *was, struct plan *plan,
		       struct state *after, struct strings *left, struct error *err)
{
	_cleanup_free_ char *path = closer_cron_path(c->store, err);
	struct state_file *f;
	bool done;

	if (path == NULL)
		return -1;
	f = state_find_file(after, path);
	if (f == NULL || deadline_is_needed(after))
		return 0;
	if (take_away(c, plan, f, left, &done, err) < 0)
		return -1;
	if (done)
		state_remove_file(after, path);
	return 0;
}

static int cron_is_armed(struct closer_context *c, const struct state_toggle *t, bool *ret_is,
			 struct strings *lost, struct error *err)
{
	_cleanup_host_file_ struct host_file file = HOST_FILE_INIT;
	_cleanup_free_ char *path = closer_cron_path(c->store, err);
	_cleanup_free_ char *text = closer_cron_text(c, err);
	const char *why = "";
	enum cron_file is;

	if (path == NULL || text == NULL ||
	    look_at_file(c->host, path, text, &file, &is, err) < 0)
		return -1;
	if (is == CRON_MISSING)
		return strings_addf(lost, err, "%s is gone", path);
	if (is == CRON_FOREIGN)
		return strings_addf(lost, err, "%s is not as it was written: cron may ignore it", path);
	if (closer_cron_runs(c->host, ret_is, &why, err) < 0)
		return -1;
	return *ret_is ? 0 : strings_add(lost, why, err);
}

const struct closer closer_cron = {
	.name = "cron",
	.remedy = "apt-get install cron, and start it: it closes what is open, also after a reboot.",
	.arm = cron_arm,
	.disarm = cron_disarm,
	.is_armed = cron_is_armed,
};

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What differs between two trees becomes steps. A link that gets another number or letter is
 * renamed: its inode, and with it its time and an absolute target, stays.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/path.h"
#include "host/clock.h"
#include "toggle/service.h"

#define SYSTEMCTL "/usr/bin/systemctl"
#define TRUE "/bin/true"
/* exits with STEP_UNDO_REMARKS */
#define AGAIN "said=$(" SYSTEMCTL " daemon-reload 2>&1) && exit; echo \"systemd could not read its units " \
	      "again, and may go on with those of the attempt until \\`systemctl daemon-reload\\` succeeds. " \
	      "It said: $said\"; exit 10"
#define OWN_PROGRAM "/proc/self/exe"

struct diff {
	const struct toggle_context *c;
	struct toggle_plan *p;
	const struct host_tree *before;
	struct host_tree *wanted;
	struct strings folders; /* whose entries change */
	struct strings renamed; /* links that are accounted for, by their new names */
};

static void diff_release(struct diff *d)
{
	strings_release(&d->folders);
	strings_release(&d->renamed);
}

static int folder_of(const char *path, char **ret, struct error *err)
{
	const char *slash = strrchr(path, '/');

	*ret = str_ndup(path, (size_t)(slash - path), err);
	return *ret == NULL ? -1 : 0;
}

static int note_folder(struct diff *d, const char *path, struct error *err)
{
	_cleanup_free_ char *folder = NULL;

	if (folder_of(path, &folder, err) < 0)
		return -1;
	return strings_contain(&d->folders, folder) ? 0 : strings_add(&d->folders, folder, err);
}

static int add(struct diff *d, struct step *s, const char *path, struct error *err)
{
	s->path = str_dup(path, err);
	if (s->path == NULL || note_folder(d, path, err) < 0 ||
	    (!strings_contain(&d->p->files, path) && strings_add(&d->p->files, path, err) < 0)) {
		step_release(s);
		return -1;
	}
	return plan_add(&d->p->plan, s, err);
}

/* The hidden file beside `path`, which goes whatever comes of it. */
static int add_temp(struct diff *d, struct step *s, const char *path, struct error *err)
{
	struct plan *plan = &d->p->plan;

	s->temp = plan_temp_path(path, plan->id, err);
	if (s->temp == NULL || strings_add(&plan->on_abort, s->temp, err) < 0)
		return -1;
	return strings_add(&plan->on_commit, s->temp, err);
}

static bool is_runlevel_link(const struct host_tree_entry *e)
{
	const char *name = strrchr(e->path, '/') + 1;

	return e->kind == HOST_TREE_LINK && strncmp(e->path, "/etc/rc", 7) == 0 &&
	       (name[0] == 'S' || name[0] == 'K') && strlen(name) > 3;
}

/* The link that takes the place of one that goes: of the same script, in the same folder. Its
 * target is written in another way at most ("../init.d/x", "/etc/init.d/x"). */
static const struct host_tree_entry *new_name_of(const struct diff *d,
						 const struct host_tree_entry *old)
{
	size_t folder = (size_t)(strrchr(old->path, '/') + 1 - old->path);

	for (size_t i = 0; is_runlevel_link(old) && i < d->wanted->len; i++) {
		const struct host_tree_entry *e = &d->wanted->items[i];

		if (is_runlevel_link(e) && strncmp(e->path, old->path, folder) == 0 &&
		    strchr(e->path + folder, '/') == NULL &&
		    strcmp(e->path + folder + 3, old->path + folder + 3) == 0 &&
		    host_tree_find(d->before, e->path) == NULL &&
		    !strings_contain(&d->renamed, e->path) &&
		    /* what an image has is put back to the letter */
		    (!d->p->boot->exact || (strcmp(e->target, old->target) == 0 &&
					    e->mtime_ns == old->mtime_ns)))
			return e;
	}
	return NULL;
}

static int add_rename(struct diff *d, const struct host_tree_entry *from,
		      const struct host_tree_entry *to, struct error *err)
{
	/* with insserv there are dozens of them in each folder */
	struct step s = { .kind = STEP_RENAME, .lazy = true };

	s.to = str_dup(to->path, err);
	s.target = str_dup(from->target, err);
	/* what points to the script in another way goes on doing so */
	if (s.to == NULL || s.target == NULL || strings_add(&d->renamed, s.to, err) < 0 ||
	    (!d->p->boot->exact && host_tree_put_link(d->wanted, s.to, s.target, err) < 0)) {
		step_release(&s);
		return -1;
	}
	return add(d, &s, from->path, err);
}

static int add_delink(struct diff *d, const struct host_tree_entry *e, struct error *err)
{
	struct step s = { .kind = STEP_DELINK, .mtime_ns = e->mtime_ns };

	s.target = str_dup(e->target, err);
	return s.target == NULL ? -1 : add(d, &s, e->path, err);
}

static int add_link(struct diff *d, const struct host_tree_entry *e, struct error *err)
{
	struct step s = { .kind = STEP_LINK,
			  .mtime_ns = d->p->boot->exact ? e->mtime_ns : -1 };
	_cleanup_free_ char *folder = NULL;

	if (folder_of(e->path, &folder, err) < 0)
		return -1;
	s.made_folder = host_tree_find(d->before, folder) == NULL &&
			!host_file_exists(d->c->host, folder);
	s.target = str_dup(e->target, err);
	return s.target == NULL ? -1 : add(d, &s, e->path, err);
}

/* A unit may be masked in another way, and a link may have been made to lead elsewhere. */
static int add_relink(struct diff *d, const struct host_tree_entry *was,
		      const struct host_tree_entry *is, struct error *err)
{
	struct step s = { .kind = STEP_RELINK, .mtime_ns = was->mtime_ns,
			  .new_mtime_ns = d->p->boot->exact ? is->mtime_ns : -1 };

	s.target = str_dup(was->target, err);
	s.new_target = str_dup(is->target, err);
	if (s.target == NULL || s.new_target == NULL ||
	    add_temp(d, &s, was->path, err) < 0) {
		step_release(&s);
		return -1;
	}
	return add(d, &s, was->path, err);
}

static int add_mode(struct diff *d, const struct host_tree_entry *was,
		    const struct host_tree_entry *is, struct error *err)
{
	struct step s = { .kind = STEP_MODE, .mode_before = was->mode, .mode_after = is->mode };

	if (is->mode == was->mode)
		return 0;
	s.path = str_dup(is->path, err);
	if (s.path == NULL || strings_add(&d->p->files, is->path, err) < 0) {
		step_release(&s);
		return -1;
	}
	return plan_add(&d->p->plan, &s, err);
}

/* ---- .depend files */

static struct slice bytes_of(const struct host_tree_entry *e)
{
	return slice_of(e->bytes.data != NULL ? e->bytes.data : "", e->bytes.len);
}

static int read_target(struct diff *d, const struct host_tree_entry *was, struct host_file **ret,
		       struct digest *ret_digest, struct error *err)
{
	struct toggle_boot *b = d->p->boot;
	struct host_file *more = reallocarray(b->files, b->n_files + 1, sizeof(*more)), *f;

	if (more == NULL)
		return error_oom(err);
	b->files = more;
	f = &b->files[b->n_files];
	*f = (struct host_file)HOST_FILE_INIT;
	if (host_file_read(d->c->host, was->path, HOST_READ_TARGET, f, err) < 0)
		return -1;
	b->n_files++;
	*ret_digest = host_tree_digest(was);
	if (!digest_equal(&f->digest, ret_digest))
		return error_set(err, ERROR_REFUSED, "%s is being changed by somebody else",
				 was->path);
	*ret = f;
	return 0;
}

static int fill_existing(struct diff *d, const struct host_tree_entry *was, struct step *s,
			 struct error *err)
{
	struct host_file *f = NULL;

	if (read_target(d, was, &f, &s->before, err) < 0)
		return -1;
	s->saved = snapshot_saved_path(d->c->store, d->p->plan.id, d->p->plan.len, err);
	s->before_bytes = bytes_of(was);
	s->meta = f->meta;
	s->dev = f->dev;
	s->ino = f->ino;
	s->ctime_ns = f->ctime_ns;
	return s->saved == NULL ? -1 : 0;
}

/* From one text to another; NULL: no file. */
static int add_text(struct diff *d, const struct host_tree_entry *was,
		    const struct host_tree_entry *is, struct error *err)
{
	const char *path = was != NULL ? was->path : is->path;
	struct step s = { .kind = was == NULL ? STEP_CREATE :
				  is == NULL ? STEP_UNLINK : STEP_REPLACE,
			  .after_mtime_ns = -1, .before_bytes = slice_of("", 0) };

	s.meta.mode = is != NULL ? is->mode : 0;

	if (add_temp(d, &s, path, err) < 0 || (was != NULL && fill_existing(d, was, &s, err) < 0)) {
		step_release(&s);
		return -1;
	}
	if (is != NULL) {
		s.after = host_tree_digest(is);
		s.after_bytes = bytes_of(is);
		s.after_mtime_ns = d->p->boot->exact ? is->mtime_ns : -1;
	}
	return add(d, &s, path, err);
}

/* ---- all of them */

static int refuse_change(const char *path, struct error *err)
{
	(void)error_set(err, ERROR_REFUSED, "%s would become something else", path);
	return error_hint(err, "Nothing was changed. A person must look.");
}

static int add_changed(struct diff *d, const struct host_tree_entry *was,
		       const struct host_tree_entry *is, struct error *err)
{
	if (was->kind != is->kind)
		return refuse_change(was->path, err);
	switch (was->kind) {
	case HOST_TREE_LINK:
		return strcmp(was->target, is->target) == 0 ? 0 : add_relink(d, was, is, err);
	case HOST_TREE_FILE:
		if (!host_tree_same_bytes(was, is) && add_text(d, was, is, err) < 0)
			return -1;
		return add_mode(d, was, is, err);
	default:
		return 0;
	}
}

static int add_gone(struct diff *d, const struct host_tree_entry *was, struct error *err)
{
	const struct host_tree_entry *to;

	switch (was->kind) {
	case HOST_TREE_LINK:
		to = new_name_of(d, was);
		return to != NULL ? add_rename(d, was, to, err) : add_delink(d, was, err);
	case HOST_TREE_FILE:
		return add_text(d, was, NULL, err);
	default:
		return 0; /* an empty folder decides nothing */
	}
}

static int add_new(struct diff *d, const struct host_tree_entry *is, struct error *err)
{
	switch (is->kind) {
	case HOST_TREE_LINK:
		return strings_contain(&d->renamed, is->path) ? 0 : add_link(d, is, err);
	case HOST_TREE_FILE:
		return add_text(d, NULL, is, err);
	default:
		return 0; /* with the first link in it */
	}
}

/* First what goes, then what comes: a name may change hands. */
static int add_entries(struct diff *d, struct error *err)
{
	for (size_t i = 0; i < d->before->len; i++) {
		const struct host_tree_entry *was = &d->before->items[i];
		const struct host_tree_entry *is = host_tree_find(d->wanted, was->path);

		if ((is == NULL ? add_gone(d, was, err) : add_changed(d, was, is, err)) < 0)
			return -1;
	}
	for (size_t i = 0; i < d->wanted->len; i++)
		if (host_tree_find(d->before, d->wanted->items[i].path) == NULL &&
		    add_new(d, &d->wanted->items[i], err) < 0)
			return -1;
	return 0;
}

static int add_times(struct plan *plan, const char *path, int64_t before_ns, int64_t after_ns,
		     bool first, struct error *err)
{
	struct step s = { .kind = STEP_TIMES, .mtime_before_ns = before_ns,
			  .mtime_after_ns = after_ns };

	s.path = str_dup(path, err);
	if (s.path == NULL)
		return -1;
	return first ? plan_prepend(plan, &s, err) : plan_add(plan, &s, err);
}

/* A folder's own time, which each step in it changes by the way: put back last. */
static int add_folder_times(struct diff *d, struct error *err)
{
	for (size_t i = 0; i < d->folders.len; i++) {
		const struct host_tree_entry *was = host_tree_find(d->before, d->folders.items[i]);
		const struct host_tree_entry *is = host_tree_find(d->wanted, d->folders.items[i]);

		if (was != NULL && add_times(&d->p->plan, was->path, was->mtime_ns, -1, true, err) < 0)
			return -1;
		if (is != NULL && d->p->boot->exact &&
		    add_times(&d->p->plan, is->path, -1, is->mtime_ns, false, err) < 0)
			return -1;
	}
	return 0;
}

/* By a step that gives it its time, too. */
static bool is_replaced(const struct host_tree_entry *was, const struct host_tree_entry *is)
{
	return was->kind == HOST_TREE_FILE ? !host_tree_same_bytes(was, is) :
	       was->kind == HOST_TREE_LINK ? strcmp(was->target, is->target) != 0 :
					     false;
}

/* Where our last commit left a folder as it is, but not its time (a lazily removed temporary). */
static int add_other_times(struct diff *d, struct error *err)
{
	for (size_t i = 0; d->p->boot->exact && i < d->wanted->len; i++) {
		const struct host_tree_entry *is = &d->wanted->items[i];
		const struct host_tree_entry *was = host_tree_find(d->before, is->path);

		if (was == NULL || was->mtime_ns == is->mtime_ns ||
		    strings_contain(&d->folders, is->path) || is_replaced(was, is))
			continue;
		if (add_times(&d->p->plan, is->path, was->mtime_ns, is->mtime_ns, false, err) < 0)
			return -1;
	}
	return 0;
}

int service_add_steps(const struct toggle_context *c, struct toggle_plan *p, struct error *err)
{
	_cleanup_(diff_release) struct diff d = { .c = c, .p = p, .before = &p->boot->before,
						  .wanted = &p->boot->wanted };

	if (add_entries(&d, err) < 0 || add_other_times(&d, err) < 0)
		return -1;
	return add_folder_times(&d, err);
}

/* ---- commands */

/* The program that we are, by a name that a recovery finds too. */
static char *own_program(struct error *err)
{
	char path[4096];
	ssize_t len = readlink(OWN_PROGRAM, path, sizeof(path) - 1);

	if (len < 0) {
		(void)error_sys(err, ERROR_FAILED, errno, "%s", OWN_PROGRAM);
		return NULL;
	}
	path[len] = '\0';
	return str_dup(path, err);
}

static int own_command(const char *verb, const char *name, struct strings *ret, struct error *err)
{
	_cleanup_free_ char *program = own_program(err);

	return program == NULL || strings_add(ret, program, err) < 0 ||
			       strings_add(ret, "service-run", err) < 0 ||
			       strings_add(ret, verb, err) < 0 || strings_add(ret, name, err) < 0 ?
		       -1 : 0;
}

/* `start` looks by itself at what came of it: a script may start nothing that stays. Stopping is
 * planned for what runs, so whether that is so can be asked. */
static int add_run(struct toggle_plan *p, const char *name, bool start, struct error *err)
{
	struct step s = { .kind = STEP_RUN };

	if (own_command(start ? "start" : "stop", name, &s.argv, err) < 0 ||
	    own_command(start ? "stop" : "start", name, &s.undo, err) < 0 ||
	    (!start && own_command("stopped", name, &s.verify, err) < 0)) {
		step_release(&s);
		return -1;
	}
	return plan_add(&p->plan, &s, err);
}

int service_add_stop(const struct toggle_context *c, struct toggle_plan *p, const char *name,
		     struct error *err)
{
	return add_run(p, name, false, err);
}

int service_add_start(const struct toggle_context *c, struct toggle_plan *p, const char *name,
		      struct error *err)
{
	return add_run(p, name, true, err);
}

static int add_command(const char *const *argv, struct strings *ret, struct error *err)
{
	for (; *argv != NULL; argv++)
		if (strings_add(ret, *argv, err) < 0)
			return -1;
	return 0;
}

/* systemd reads its units anew after they were changed, and after they were put back. When it can't
 * even do that the files are back all the same, and it is said. */
int service_add_reload(const struct toggle_context *c, struct toggle_plan *p, bool last,
		       struct error *err)
{
	static const char *const reload[] = { SYSTEMCTL, "daemon-reload", NULL };
	static const char *const again[] = { "/bin/sh", "-c", AGAIN, NULL };
	static const char *const nothing[] = { TRUE, NULL };
	struct step s = { .kind = STEP_RUN };
	bool systemd = false;

	if (host_is_live(c->host) && boot_runs_systemd(c->host, &systemd, err) < 0)
		return -1;
	if (!systemd)
		return 0;
	if (add_command(last ? reload : nothing, &s.argv, err) < 0 ||
	    (!last && add_command(again, &s.undo, err) < 0)) {
		step_release(&s);
		return -1;
	}
	return plan_add(&p->plan, &s, err);
}

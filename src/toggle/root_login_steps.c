/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The changes of an opening become steps, and records of what undoes them. A file that the opening
 * which makes room (--replace) had changed too gets one step from what it is to what it shall be,
 * and keeps its base image: closing leads back to the bytes before the first of them.
 */
#include "base/path.h"
#include "host/clock.h"
#include "toggle/root_login.h"

#define OWN_MODE 0644 /* nothing in it is secret, and sshd_config itself is no stricter */

struct adding {
	const struct toggle_context *c;
	struct toggle_plan *p;
	struct root_login_change *change;
};

static struct step *find_step(const struct plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->len; i++)
		if (plan->steps[i].path != NULL && strcmp(plan->steps[i].path, path) == 0)
			return &plan->steps[i];
	return NULL;
}

/* It was read for its content; now whether it may be replaced is asked, of the very same file. */
static int check_target(const struct adding *a, struct error *err)
{
	const struct sshd_files *files = &a->p->judgement->files;
	struct host_file *target = &a->change->target;

	if (host_file_read(a->c->host, a->change->path, HOST_READ_TARGET, target, err) < 0)
		return -1;
	for (size_t i = 0; i < files->closure.files_len; i++) {
		const struct host_file *read = &files->items[i];

		if (strcmp(files->closure.files[i].path, a->change->path) == 0 &&
		    (target->dev != read->dev || target->ino != read->ino ||
		     target->ctime_ns != read->ctime_ns ||
		     target->meta.mtime_ns != read->meta.mtime_ns))
			return error_set(err, ERROR_REFUSED, "%s is being changed by somebody else",
					 a->change->path);
	}
	return 0;
}

static int note_temp(const struct adding *a, const struct step *s, struct error *err)
{
	if (strings_add(&a->p->plan.on_abort, s->temp, err) < 0)
		return -1;
	return strings_contain(&a->p->files, s->path) ? 0 : strings_add(&a->p->files, s->path, err);
}

static void set_after(struct step *s, const struct root_login_change *change)
{
	s->after_bytes = slice_of(change->text.data != NULL ? change->text.data : "",
				  change->text.len);
	s->after = digest_of(s->after_bytes.data, s->after_bytes.len);
	s->after_mtime_ns = -1;
}

static int fill_edit(const struct adding *a, struct step *s, struct error *err)
{
	const struct host_file *target = &a->change->target;

	s->kind = STEP_REPLACE;
	s->saved = snapshot_saved_path(a->c->store, a->p->plan.id, a->p->plan.len, err);
	s->before = target->digest;
	s->before_bytes = slice_of(target->bytes.data, target->bytes.len);
	s->meta = target->meta;
	s->dev = target->dev;
	s->ino = target->ino;
	s->ctime_ns = target->ctime_ns;
	return s->saved == NULL ? -1 : 0;
}

static int fill_step(const struct adding *a, struct step *s, struct error *err)
{
	s->path = str_dup(a->change->path, err);
	s->temp = plan_temp_path(a->change->path, a->p->plan.id, err);
	set_after(s, a->change);
	s->kind = STEP_CREATE;
	s->before_bytes = slice_of("", 0);
	s->meta.mode = OWN_MODE;
	if (s->path == NULL || s->temp == NULL ||
	    (!a->change->made && fill_edit(a, s, err) < 0))
		return -1;
	return note_temp(a, s, err);
}

static int new_step(const struct adding *a, struct error *err)
{
	struct step s = { .after_mtime_ns = -1 };

	if ((a->change->made ? host_folder_require_writable(a->c->host, a->change->path, err) :
			       check_target(a, err)) < 0)
		return -1;
	if (fill_step(a, &s, err) < 0) {
		step_release(&s);
		return -1;
	}
	return plan_add(&a->p->plan, &s, err);
}

static int add_edit(const struct adding *a, struct state_file *f, struct error *err)
{
	return state_add_edit(f, a->p->toggle, &a->change->edit, a->change->harmless, err);
}

/* `base` NULL: the file as the step finds it, or none. */
static int new_record(const struct adding *a, const struct step *s, const struct state_file *base,
		      struct error *err)
{
	struct state_file f = {
		.path = str_dup(s->path, err),
		.made = a->change->made,
		.left = s->after,
		.left_meta = s->meta,
	};

	if (f.made) {
		f.left_meta.attrs = digest_of("", 0);
	} else {
		f.twin = str_dup(base != NULL ? base->twin : s->temp, err);
		f.saved = str_dup(base != NULL ? base->saved : s->saved, err);
		f.base = base != NULL ? base->base : s->before;
		f.base_meta = base != NULL ? base->base_meta : s->meta;
	}
	if (f.path == NULL || (!f.made && (f.twin == NULL || f.saved == NULL)) ||
	    add_edit(a, &f, err) < 0) {
		state_file_release(&f);
		return -1;
	}
	return state_add_file(&a->p->after, &f, err);
}

/* A file that another toggle edits already keeps its base image, unless somebody else wrote to it
 * since: then the base is nobody's any more, and undoing goes by meaning alone. */
static int record(const struct adding *a, const struct step *s, struct error *err)
{
	struct state_file *f = state_find_file(&a->p->after, s->path);

	if (f == NULL)
		return new_record(a, s, NULL, err);
	if (!digest_equal(&f->left, &s->before))
		f->base.hex[0] = '\0';
	f->left = s->after;
	f->left_meta = s->meta;
	if (strings_add(&a->p->plan.on_commit, s->temp, err) < 0)
		return -1;
	return add_edit(a, f, err);
}

static void strings_drop(struct strings *s, const char *item)
{
	for (size_t i = 0; i < s->len; i++) {
		if (strcmp(s->items[i], item) != 0)
			continue;
		free(s->items[i]);
		memmove(&s->items[i], &s->items[i + 1], (--s->len - i) * sizeof(*s->items));
		return;
	}
}

/* The step that undid the other opening's change makes ours too. */
static int turn_step(const struct adding *a, struct step *s, struct error *err)
{
	free(s->temp);
	free(s->saved);
	s->kind = STEP_REPLACE;
	s->ready = false;
	s->temp = plan_temp_path(s->path, a->p->plan.id, err);
	s->saved = snapshot_saved_path(a->c->store, a->p->plan.id, s->number, err);
	set_after(s, a->change);
	if (s->temp == NULL || s->saved == NULL || strings_add(&a->p->plan.on_commit, s->temp, err) < 0)
		return -1;
	return note_temp(a, s, err);
}

static int merge(const struct adding *a, struct step *s, struct error *err)
{
	const struct state_file *old = state_find_file(a->c->state, s->path);
	bool exact = old != NULL && old->len == 1 && digest_equal(&s->before, &old->left);

	strings_drop(&a->p->plan.on_commit, s->temp);
	if (exact && !old->made)
		strings_drop(&a->p->plan.on_commit, old->twin);
	if (turn_step(a, s, err) < 0)
		return -1;
	if (state_find_file(&a->p->after, s->path) != NULL)
		return record(a, s, err);
	if (new_record(a, s, exact ? old : NULL, err) < 0)
		return -1;
	/* somebody else wrote to it: there are no bytes to go back to, only lines to take out */
	if (!exact && !a->change->made)
		state_find_file(&a->p->after, s->path)->base.hex[0] = '\0';
	return 0;
}

static int add_one(const struct adding *a, struct error *err)
{
	struct step *s = find_step(&a->p->plan, a->change->path);

	if (s != NULL)
		return merge(a, s, err);
	if (new_step(a, err) < 0)
		return -1;
	return record(a, &a->p->plan.steps[a->p->plan.len - 1], err);
}

int root_login_add_changes(const struct toggle_context *c, struct toggle_plan *p,
			   struct error *err)
{
	for (size_t i = 0; i < p->judgement->n_changes; i++) {
		const struct adding a = { .c = c, .p = p, .change = &p->judgement->changes[i] };

		if (add_one(&a, err) < 0)
			return -1;
	}
	/* whatever was undone on the way is not as it was before any opening */
	strings_release(&p->restored);
	strings_release(&p->removed);
	return 0;
}

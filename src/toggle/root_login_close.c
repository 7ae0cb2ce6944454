/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Closing, for each file that the opening edited:
 *
 *     as we left it, and no other edit   the old file itself comes back
 *     edited by others, our lines clear  our lines are taken out, theirs stay
 *     our lines gone already             nothing to do there
 *     can't be told apart                refused, with the difference
 */
#include "toggle/root_login.h"

#include <errno.h>
#include <stdio.h>

#include "base/path.h"
#include "base/when.h"
#include "host/clock.h"
#include "service/sshd_check.h"

struct closing {
	const struct toggle_context *c;
	struct toggle_plan *p;
	const struct state_toggle *t;
	const struct state_file *f; /* the record as it is */
	size_t n;                   /* of the file in the judgement's arrays */
};

static const struct edit *own_edit(const struct closing *k)
{
	for (size_t i = 0; i < k->f->len; i++)
		if (strcmp(k->f->edits[i].toggle, k->t->name) == 0)
			return &k->f->edits[i].edit;
	return NULL;
}

static int other_edits(const struct closing *k, struct edits *ret, struct error *err)
{
	for (size_t i = 0; i < k->f->len; i++)
		if (strcmp(k->f->edits[i].toggle, k->t->name) != 0 &&
		    edits_add(ret, &k->f->edits[i].edit, err) < 0)
			return -1;
	return 0;
}

/* A writer that still had the old file open wrote into what was put aside: that is all there is of
 * it, so it stays, and is said. */
static int drop_twin(const struct closing *k, const struct state_file *f, struct error *err)
{
	_cleanup_host_file_ struct host_file twin = HOST_FILE_INIT;
	struct error why = ERROR_INIT;

	if (f->base.hex[0] == '\0' || !host_file_exists(k->c->host, f->twin) ||
	    (host_file_read(k->c->host, f->twin, HOST_READ_ANY, &twin, &why) == 0 &&
	     digest_equal(&twin.digest, &f->base)))
		return strings_add(&k->p->plan.on_commit, f->twin, err);
	return toggle_warn(&k->p->warnings, err, "it is kept: look what was written, and remove it",
			   "%s was altered while it was put aside", f->twin);
}

/* Our edit leaves the record; with the last one the file does, and what was put aside goes. */
static int forget_edit(const struct closing *k, bool keep_twin, struct error *err)
{
	struct state_file *f = state_find_file(&k->p->after, k->f->path);

	for (size_t i = 0; i < f->len; i++) {
		if (strcmp(f->edits[i].toggle, k->t->name) != 0)
			continue;
		free(f->edits[i].toggle);
		edit_release(&f->edits[i].edit);
		memmove(&f->edits[i], &f->edits[i + 1], (--f->len - i) * sizeof(*f->edits));
		break;
	}
	if (f->len > 0)
		return 0;
	if (!keep_twin && drop_twin(k, f, err) < 0)
		return -1;
	state_remove_file(&k->p->after, k->f->path);
	return 0;
}

/* The step takes the target as it is to `bytes`. */
static int add_step(const struct closing *k, const char *temp, const char *saved, bool ready,
		    struct slice bytes, int64_t mtime_ns, struct error *err)
{
	const struct host_file *target = &k->p->judgement->targets[k->n];
	struct step s = {
		.path = str_dup(k->f->path, err),
		.temp = str_dup(temp, err),
		.saved = saved != NULL ? str_dup(saved, err) : NULL,
		.ready = ready,
		.before = target->digest,
		.after = digest_of(bytes.data, bytes.len),
		.before_bytes = slice_of(target->bytes.data, target->bytes.len),
		.after_bytes = bytes,
		.after_mtime_ns = mtime_ns,
		.meta = target->meta,
		.dev = target->dev,
		.ino = target->ino,
		.ctime_ns = target->ctime_ns,
	};

	if (s.path == NULL || s.temp == NULL || (saved != NULL && s.saved == NULL) ||
	    strings_add(&k->p->plan.on_commit, temp, err) < 0 ||
	    (!ready && strings_add(&k->p->plan.on_abort, temp, err) < 0) ||
	    strings_add(&k->p->files, s.path, err) < 0) {
		step_release(&s);
		return -1;
	}
	return plan_add(&k->p->plan, &s, err);
}

/* A step whose new file is written now, with the target's own owner, mode and attributes. */
static int add_written_step(const struct closing *k, struct slice bytes, int64_t mtime_ns,
			    struct error *err)
{
	_cleanup_free_ char *temp = plan_temp_path(k->f->path, k->p->plan.id, err);
	_cleanup_free_ char *saved = NULL;

	if (temp == NULL)
		return -1;
	saved = snapshot_saved_path(k->c->store, k->p->plan.id, k->p->plan.len, err);
	if (saved == NULL)
		return -1;
	return add_step(k, temp, saved, false, bytes, mtime_ns, err);
}

static int read_base(const struct closing *k, const char *path, enum host_read_flags flags,
		     struct host_file *ret, bool *ret_found, struct error *err)
{
	struct error why = ERROR_INIT;

	*ret_found = false;
	if (host_file_read(k->c->host, path, flags, ret, &why) < 0) {
		if (why.code != ERROR_REFUSED) {
			*err = why;
			return -1;
		}
		return 0;
	}
	*ret_found = digest_equal(&ret->digest, &k->f->base);
	if (!*ret_found)
		host_file_release(ret);
	return 0;
}

/* Nobody wrote to the file. When its owner and mode are as we left them too, the old file itself
 * comes back; otherwise its bytes and times do, and the new owner and mode stay. */
static int undo_exactly(const struct closing *k, bool *ret_done, struct error *err)
{
	struct host_file *twin = &k->p->judgement->twins[k->n];
	const struct host_file *target = &k->p->judgement->targets[k->n];
	bool found;

	*ret_done = false;
	if (read_base(k, k->f->twin, HOST_READ_TARGET, twin, &found, err) < 0)
		return -1;
	if (found && host_meta_equal(&target->meta, &k->f->left_meta) &&
	    host_meta_equal(&twin->meta, &k->f->base_meta) &&
	    twin->meta.mtime_ns == k->f->base_meta.mtime_ns) {
		*ret_done = true;
		if (add_step(k, k->f->twin, NULL, true, slice_of(twin->bytes.data, twin->bytes.len),
			     -1, err) < 0 ||
		    strings_add(&k->p->restored, k->f->path, err) < 0)
			return -1;
		return forget_edit(k, true, err);
	}
	if (!found && read_base(k, k->f->saved, HOST_READ_OWN, twin, &found, err) < 0)
		return -1;
	if (!found)
		return 0;
	*ret_done = true;
	if (add_written_step(k, slice_of(twin->bytes.data, twin->bytes.len),
			     k->f->base_meta.mtime_ns, err) < 0)
		return -1;
	if (host_meta_equal(&target->meta, &k->f->base_meta) &&
	    strings_add(&k->p->restored, k->f->path, err) < 0)
		return -1;
	return forget_edit(k, false, err);
}

static int refuse_conflict(const struct closing *k, const struct marker_result *r,
			   struct error *err)
{
	char since[WHEN_MAX];

	when_format_local(k->t->since_ns, clock_realtime_ns(), since);
	(void)error_set(err, ERROR_REFUSED, "%s was edited since it was opened (%s, by %s), and "
			"our line can't be told from the edit: %s", k->f->path, since, k->t->by,
			r->conflict.message);
	return error_hint(err, "%s%s`rootlatch show %s` has what we changed. Put our lines back, or "
			  "take them all out,\nthen close again. Nothing was changed. The login is "
			  "still OPEN.", r->conflict.hint,
			  r->conflict.hint[0] != '\0' ? "\n" : "", k->t->id);
}

/* What stays in the record after our edit was taken out by meaning. */
static int rebase_record(const struct closing *k, const struct edits *others,
			 struct slice bytes, struct error *err)
{
	const struct host_file *target = &k->p->judgement->targets[k->n];
	struct state_file *f;

	if (forget_edit(k, false, err) < 0)
		return -1;
	f = state_find_file(&k->p->after, k->f->path);
	if (f == NULL)
		return 0;
	if (!digest_equal(&target->digest, &f->left))
		f->base.hex[0] = '\0';
	f->left = digest_of(bytes.data, bytes.len);
	f->left_meta = target->meta;
	for (size_t i = 0; i < f->len && i < others->len; i++) {
		edit_release(&f->edits[i].edit);
		f->edits[i].edit = (struct edit)EDIT_INIT;
		if (edit_copy(&others->items[i], &f->edits[i].edit, err) < 0)
			return -1;
	}
	return 0;
}

static int undo_by_meaning(const struct closing *k, struct error *err)
{
	const struct host_file *target = &k->p->judgement->targets[k->n];
	_cleanup_marker_result_ struct marker_result r = MARKER_RESULT_INIT;
	_cleanup_edits_ struct edits others = EDITS_INIT;
	struct buffer *text = &k->p->judgement->texts[k->n];
	struct slice bytes;

	if (other_edits(k, &others, err) < 0 ||
	    marker_edit_revert(slice_of(target->bytes.data, target->bytes.len), own_edit(k), &others,
			       &r, err) < 0)
		return -1;
	switch (r.verdict) {
	case MARKER_CONFLICT:
		return refuse_conflict(k, &r, err);
	case MARKER_GONE:
		if (toggle_warn(&k->p->warnings, err, "their version of the file stays",
				"%s: our change was taken out by somebody else", k->f->path) < 0)
			return -1;
		return forget_edit(k, false, err);
	case MARKER_REVERTED:
		break;
	}
	*text = r.text;
	r.text = (struct buffer)BUFFER_INIT;
	bytes = slice_of(text->data != NULL ? text->data : "", text->len);
	if (!digest_equal(&target->digest, &k->f->left) &&
	    toggle_warn(&k->p->warnings, err, "only our change was undone, the edit stays",
			"%s was edited while it was open", k->f->path) < 0)
		return -1;
	if (add_written_step(k, bytes, -1, err) < 0)
		return -1;
	return rebase_record(k, &r.others, bytes, err);
}

static int undo_file(const struct closing *k, struct error *err)
{
	struct host_file *target = &k->p->judgement->targets[k->n];
	struct error why = ERROR_INIT;
	bool done;

	if (host_file_read(k->c->host, k->f->path, HOST_READ_TARGET, target, &why) < 0) {
		if (why.sys_errno != ENOENT) {
			*err = why;
			return -1;
		}
		if (toggle_warn(&k->p->warnings, err, "it is not made again",
				"%s was removed by somebody else, and our change with it",
				k->f->path) < 0)
			return -1;
		return forget_edit(k, false, err);
	}
	if (k->f->len == 1 && k->f->base.hex[0] != '\0') {
		if (digest_equal(&target->digest, &k->f->base))
			return forget_edit(k, false, err); /* restore.sh, or a person, was here */
		if (digest_equal(&target->digest, &k->f->left)) {
			if (undo_exactly(k, &done, err) < 0 || done)
				return done ? 0 : -1;
		}
	}
	return undo_by_meaning(k, err);
}

static int undo_files(const struct toggle_context *c, const struct state_toggle *t,
		      struct toggle_plan *p, struct error *err)
{
	if (root_login_judgement_reserve(p->judgement, c->state->n_files, err) < 0)
		return -1;
	for (size_t i = 0; i < c->state->n_files; i++) {
		const struct closing k = { .c = c, .p = p, .t = t, .f = &c->state->files[i], .n = i };

		if (own_edit(&k) != NULL && undo_file(&k, err) < 0)
			return -1;
	}
	return 0;
}

static int take_out(const struct toggle_context *c, const struct toggle_terms *terms,
		    const struct state_toggle *t, struct toggle_plan *p, struct error *err)
{
	_cleanup_strings_ struct strings taken = STRINGS_INIT;

	memcpy(p->undoes, t->id, sizeof(p->undoes));
	p->since_ns = t->since_ns;
	p->placement = str_dup(t->placement, err);
	p->judgement->was = str_dup(t->was, err);
	p->judgement->allow = str_dup(t->allow, err);
	if (p->placement == NULL || p->judgement->was == NULL || p->judgement->allow == NULL ||
	    state_ids(c->state, &taken, err) < 0 || plan_new_id(p->plan.id, &taken, err) < 0 ||
	    state_copy(c->state, &p->after, err) < 0 || undo_files(c, t, p, err) < 0)
		return -1;
	state_remove_toggle(&p->after, p->toggle);
	p->after.generation++;
	root_login_fill_snapshot(terms, p);
	p->changes = true;
	p->closing = true;
	return state_add_event(&p->after, p->plan.id, p->command, p->toggle, t->id,
			       clock_realtime_ns(), err);
}

/* The Include closure is wanted for one warning only; a closing does not depend on it. */
static void read_files_if_possible(const struct toggle_context *c, struct toggle_judgement *j)
{
	struct error ignored = ERROR_INIT;

	error_ignore(sshd_files_read(c->host, c->config, &j->files, &ignored));
}

int root_login_plan_close(const struct toggle_context *c, const struct toggle_terms *terms,
			  struct toggle_plan *p, struct error *err)
{
	const struct state_toggle *t = state_find_toggle(c->state, p->toggle);

	if (root_login_judgement_new(p, err) < 0 || root_login_judge_baseline(c, p, err) < 0)
		return -1;
	read_files_if_possible(c, p->judgement);
	if (t == NULL)
		return root_login_require_no_strays(c, &p->judgement->files, ERROR_IN_DOUBT, err);
	if (take_out(c, terms, t, p, err) < 0)
		return -1;
	if (p->plan.len == 0 || p->judgement->before == NULL)
		return 0;
	return root_login_judge_candidate(c, p, err);
}

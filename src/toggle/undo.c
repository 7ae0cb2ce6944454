/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: a file's record leaves the state only together with a step that takes our edit out, or
 * when it is out already.
 */
#include "toggle/undo.h"

#include <errno.h>

#include "base/path.h"
#include "base/when.h"
#include "host/clock.h"

/* What the steps point into. One entry a file of the state. */
struct toggle_undo {
	struct host_file *targets; /* as they are now */
	struct host_file *twins;   /* what was put aside */
	struct buffer *texts;      /* what they become by meaning */
	size_t len;
};

void toggle_undo_free(struct toggle_undo **undo)
{
	struct toggle_undo *u = *undo;

	if (u == NULL)
		return;
	for (size_t i = 0; i < u->len; i++) {
		host_file_release(&u->targets[i]);
		host_file_release(&u->twins[i]);
		buffer_release(&u->texts[i]);
	}
	free(u->targets);
	free(u->twins);
	free(u->texts);
	free(u);
	*undo = NULL;
}

static int undo_new(size_t len, struct toggle_undo **ret, struct error *err)
{
	_cleanup_(toggle_undo_free) struct toggle_undo *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return error_oom(err);
	u->targets = calloc(len + 1, sizeof(*u->targets));
	u->twins = calloc(len + 1, sizeof(*u->twins));
	u->texts = calloc(len + 1, sizeof(*u->texts));
	if (u->targets == NULL || u->twins == NULL || u->texts == NULL)
		return error_oom(err);
	u->len = len;
	*ret = TAKE_PTR(u);
	return 0;
}

struct undoing {
	const struct toggle_context *c;
	struct toggle_plan *p;
	const struct state_toggle *t; /* NULL: only leftovers */
	const struct state_file *f;   /* the record as it is */
	size_t n;                     /* of the file in the arrays */
};

static const struct state_edit *own_edit(const struct state_file *f, const char *toggle)
{
	for (size_t i = 0; i < f->len; i++)
		if (strcmp(f->edits[i].toggle, toggle) == 0)
			return &f->edits[i];
	return NULL;
}

bool toggle_has_edits(const struct state *s, const char *toggle)
{
	for (size_t i = 0; i < s->n_files; i++)
		if (own_edit(&s->files[i], toggle) != NULL)
			return true;
	return false;
}

/* A writer that still had the old file open wrote into what was put aside: that is all there is of
 * it, so it stays, and is said. */
static int drop_twin(const struct undoing *k, const struct state_file *f, struct error *err)
{
	_cleanup_host_file_ struct host_file twin = HOST_FILE_INIT;
	struct error why = ERROR_INIT;

	if (f->made)
		return 0;
	if (f->base.hex[0] == '\0' || !host_file_exists(k->c->host, f->twin) ||
	    (host_file_read(k->c->host, f->twin, HOST_READ_ANY, &twin, &why) == 0 &&
	     digest_equal(&twin.digest, &f->base)))
		return strings_add(&k->p->plan.on_commit, f->twin, err);
	return toggle_warn(&k->p->warnings, err, "it is kept: look what was written, and remove it",
			   "%s was altered while it was put aside", f->twin);
}

/* Our edits leave the record; with the last one the file does, and what was put aside goes. */
static int forget_edit(const struct undoing *k, bool keep_twin, struct error *err)
{
	struct state_file *f = state_find_file(&k->p->after, k->f->path);

	for (size_t i = f->len; i > 0; i--) {
		if (strcmp(f->edits[i - 1].toggle, k->p->toggle) != 0)
			continue;
		free(f->edits[i - 1].toggle);
		edit_release(&f->edits[i - 1].edit);
		memmove(&f->edits[i - 1], &f->edits[i], (f->len - i) * sizeof(*f->edits));
		f->len--;
	}
	if (f->len > 0)
		return 0;
	if (!keep_twin && drop_twin(k, f, err) < 0)
		return -1;
	state_remove_file(&k->p->after, k->f->path);
	return 0;
}

/* The step takes the target as it is to `bytes`. */
static int add_step(const struct undoing *k, const char *temp, const char *saved, bool ready,
		    struct slice bytes, int64_t mtime_ns, struct error *err)
{
	const struct host_file *target = &k->p->undo->targets[k->n];
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
static int add_written_step(const struct undoing *k, struct slice bytes, int64_t mtime_ns,
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

static int read_base(const struct undoing *k, const char *path, enum host_read_flags flags,
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
static int undo_exactly(const struct undoing *k, bool *ret_done, struct error *err)
{
	struct host_file *twin = &k->p->undo->twins[k->n];
	const struct host_file *target = &k->p->undo->targets[k->n];
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

static int refuse_conflict(const struct undoing *k, const struct edit *edit,
			   const struct marker_result *r, struct error *err)
{
	char since[WHEN_MAX] = "";

	if (k->t != NULL)
		when_format_local(k->t->since_ns, clock_realtime_ns(), since);
	(void)error_set(err, ERROR_REFUSED, "%s was edited since it was opened%s%s%s%s%s, and our line "
			"can't be told from the edit: %s", k->f->path, k->t != NULL ? " (" : "", since,
			k->t != NULL ? ", by " : "", k->t != NULL ? k->t->by : "",
			k->t != NULL ? ")" : "", r->conflict.message);
	return error_hint(err, "%s%s`rootlatch show %s` has what we changed. Put our lines back, or "
			  "take them all out,\nthen close again. Nothing was changed.%s",
			  r->conflict.hint, r->conflict.hint[0] != '\0' ? "\n" : "", edit->id,
			  k->t != NULL ? " The login is still OPEN." : "");
}

/* What stays in the record after our edit was taken out by meaning. */
static int rebase_record(const struct undoing *k, const struct edits *others,
			 struct slice bytes, struct error *err)
{
	const struct host_file *target = &k->p->undo->targets[k->n];
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

/* The file goes, with whatever stands in it; `known` when that is what we left, which the snapshot of
 * the opening has. */
static int remove_made(const struct undoing *k, bool known, struct error *err)
{
	const struct host_file *target = &k->p->undo->targets[k->n];
	struct step s = {
		.kind = STEP_UNLINK,
		.path = str_dup(k->f->path, err),
		.temp = plan_temp_path(k->f->path, k->p->plan.id, err),
		.ready = known,
		.before = target->digest,
		.before_bytes = slice_of(target->bytes.data, target->bytes.len),
		.after_bytes = slice_of("", 0),
		.after_mtime_ns = -1,
		.meta = target->meta,
		.dev = target->dev,
		.ino = target->ino,
		.ctime_ns = target->ctime_ns,
	};

	if (!known)
		s.saved = snapshot_saved_path(k->c->store, k->p->plan.id, k->p->plan.len, err);
	if (s.path == NULL || s.temp == NULL || (!known && s.saved == NULL) ||
	    strings_add(&k->p->plan.on_commit, s.temp, err) < 0 ||
	    (!known && strings_add(&k->p->plan.on_abort, s.temp, err) < 0) ||
	    strings_add(&k->p->files, s.path, err) < 0 ||
	    strings_add(&k->p->removed, s.path, err) < 0) {
		step_release(&s);
		return -1;
	}
	return plan_add(&k->p->plan, &s, err) < 0 ? -1 : forget_edit(k, false, err);
}

/* All of the file's edits but one. */
static int copy_others(const struct edits *all, size_t but, struct edits *ret, struct error *err)
{
	for (size_t i = 0; i < all->len; i++)
		if (i != but && edits_add(ret, &all->items[i], err) < 0)
			return -1;
	return 0;
}

struct taking_out {
	struct edits left;  /* the edits that are still in the text, in their order */
	struct buffer text; /* once one was taken out */
	bool reverted;
};

static void taking_out_release(struct taking_out *o)
{
	edits_release(&o->left);
	buffer_release(&o->text);
}

static int take_one_out(const struct undoing *k, size_t n, struct taking_out *o, struct error *err)
{
	const struct host_file *target = &k->p->undo->targets[k->n];
	_cleanup_marker_result_ struct marker_result r = MARKER_RESULT_INIT;
	_cleanup_edits_ struct edits others = EDITS_INIT;
	struct slice from = slice_of(target->bytes.data, target->bytes.len);

	if (o->reverted)
		from = slice_of(o->text.data != NULL ? o->text.data : "", o->text.len);
	if (copy_others(&o->left, n, &others, err) < 0 ||
	    marker_edit_revert(from, &o->left.items[n], &others, &r, err) < 0)
		return -1;
	if (r.verdict == MARKER_CONFLICT)
		return refuse_conflict(k, &o->left.items[n], &r, err);
	edits_release(&o->left);
	if (r.verdict == MARKER_GONE) {
		o->left = others;
		others = (struct edits)EDITS_INIT;
		return 0;
	}
	o->left = r.others;
	r.others = (struct edits)EDITS_INIT;
	buffer_release(&o->text);
	o->text = r.text;
	r.text = (struct buffer)BUFFER_INIT;
	o->reverted = true;
	return 0;
}

/* Usually there is one; two where the first could not be told apart and was overruled. */
static int take_out(const struct undoing *k, struct taking_out *o, struct error *err)
{
	for (size_t i = 0; i < k->f->len; i++)
		if (edits_add(&o->left, &k->f->edits[i].edit, err) < 0)
			return -1;
	for (size_t i = k->f->len; i > 0; i--)
		if (strcmp(k->f->edits[i - 1].toggle, k->p->toggle) == 0 &&
		    take_one_out(k, i - 1, o, err) < 0)
			return -1;
	return 0;
}

static int undo_by_meaning(const struct undoing *k, struct error *err)
{
	const struct host_file *target = &k->p->undo->targets[k->n];
	_cleanup_(taking_out_release) struct taking_out o = { .reverted = false };
	struct buffer *text = &k->p->undo->texts[k->n];
	struct slice bytes;

	if (take_out(k, &o, err) < 0)
		return -1;
	if (!o.reverted) {
		if (toggle_warn(&k->p->warnings, err, "their version of the file stays",
				"%s: our change was taken out by somebody else", k->f->path) < 0)
			return -1;
		return forget_edit(k, false, err);
	}
	*text = o.text;
	o.text = (struct buffer)BUFFER_INIT;
	bytes = slice_of(text->data != NULL ? text->data : "", text->len);
	if (!digest_equal(&target->digest, &k->f->left) &&
	    toggle_warn(&k->p->warnings, err, "only our change was undone, the edit stays",
			"%s was edited while it was open", k->f->path) < 0)
		return -1;
	if (k->f->made && bytes.len == 0)
		return remove_made(k, false, err);
	if (add_written_step(k, bytes, -1, err) < 0)
		return -1;
	return rebase_record(k, &o.left, bytes, err);
}

static int undo_edited(const struct undoing *k, struct error *err)
{
	const struct host_file *target = &k->p->undo->targets[k->n];
	bool done;

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

static int undo_made(const struct undoing *k, struct error *err)
{
	const struct edit *edit = &own_edit(k->f, k->p->toggle)->edit;
	bool known = digest_equal(&k->p->undo->targets[k->n].digest, &k->f->left);

	if (k->f->len > 1 && edit->len == 0)
		return forget_edit(k, true, err); /* another toggle needs it */
	if (k->f->len == 1 && known)
		return remove_made(k, !k->p->keeps_snapshot, err);
	if (edit->len > 0)
		return undo_by_meaning(k, err);
	if (toggle_warn(&k->p->warnings, err, "`rootlatch show` has what stood there", "%s was ours, and "
			"was edited by somebody else: it was removed", k->f->path) < 0)
		return -1;
	k->p->drops_foreign = true;
	return remove_made(k, false, err);
}

/* It is gone, and our change with it. A reboot empties /run, which is what it is for. */
static int undo_missing(const struct undoing *k, struct error *err)
{
	if (!path_is_below(k->f->path, "/run") &&
	    toggle_warn(&k->p->warnings, err, "it is not made again",
			"%s was removed by somebody else, and our change with it", k->f->path) < 0)
		return -1;
	return forget_edit(k, false, err);
}

static int undo_file(const struct undoing *k, struct error *err)
{
	struct host_file *target = &k->p->undo->targets[k->n];
	struct error why = ERROR_INIT;

	host_file_release(target);
	if (host_file_read(k->c->host, k->f->path, HOST_READ_TARGET, target, &why) < 0) {
		if (why.sys_errno == ENOENT)
			return undo_missing(k, err);
		*err = why;
		return -1;
	}
	return k->f->made ? undo_made(k, err) : undo_edited(k, err);
}

/* It stays in the record, and is said. */
static int leave(const struct undoing *k, const struct error *why, struct error *err)
{
	if (why != NULL &&
	    toggle_warn(&k->p->warnings, err, "it opens nothing by itself; `rootlatch close` tries again",
			"%s could not be tidied up: %s", k->f->path, why->message) < 0)
		return -1;
	return strings_add(&k->p->leftovers, k->f->path, err);
}

static int undo_harmless(const struct undoing *k, bool tidy, struct error *err)
{
	struct error why = ERROR_INIT;

	if (!tidy)
		return leave(k, NULL, err);
	if (undo_file(k, &why) == 0)
		return 0;
	if (why.code == ERROR_REFUSED)
		return leave(k, &why, err);
	*err = why;
	return -1;
}

/* The last that was made or edited comes first: what opens stands behind what leads to it. */
static int undo_pass(const struct toggle_context *c, const struct state_toggle *t, bool harmless,
		     bool tidy, struct toggle_plan *p, struct error *err)
{
	for (size_t i = c->state->n_files; i > 0; i--) {
		const struct undoing k = { .c = c, .p = p, .t = t, .f = &c->state->files[i - 1],
					   .n = i - 1 };
		const struct state_edit *own = own_edit(k.f, p->toggle);

		if (own == NULL || own->harmless != harmless)
			continue;
		if ((harmless ? undo_harmless(&k, tidy, err) : undo_file(&k, err)) < 0)
			return -1;
	}
	return 0;
}

int toggle_undo_files(const struct toggle_context *c, const struct state_toggle *t, bool tidy,
		      struct toggle_plan *p, struct error *err)
{
	if (undo_new(c->state->n_files, &p->undo, err) < 0)
		return -1;
	return undo_pass(c, t, false, tidy, p, err) < 0 ? -1 : undo_pass(c, t, true, tidy, p, err);
}

void toggle_undo_reset(struct toggle_plan *p)
{
	char id[PLAN_ID_LEN + 1];

	memcpy(id, p->plan.id, sizeof(id));
	plan_release(&p->plan);
	memcpy(p->plan.id, id, sizeof(id));
	state_release(&p->after);
	toggle_undo_free(&p->undo);
	strings_release(&p->files);
	strings_release(&p->restored);
	strings_release(&p->removed);
	strings_release(&p->leftovers);
	toggle_warnings_release(&p->warnings);
}

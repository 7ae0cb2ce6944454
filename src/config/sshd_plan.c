/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A line may be read more than once (its file is included twice), in different scopes.
 * So the PermitRootLogin directives are looked at line by line: in the order of files
 * and lines, all readings of one line together.
 */
#include "config/sshd_plan.h"

#include "config/sshd_value.h"

struct planning {
	const struct sshd_closure *closure;
	const char *value;
	enum sshd_permit permit;
	const char *id;
	size_t deciding;
	bool insert;   /* a new first line decides, not the deciding one */
	size_t *order; /* the PermitRootLogin directives, sorted by line */
	size_t order_len;
	struct buffer ours;            /* our line */
	struct marker_change *changes; /* of the file at hand */
	size_t changes_len;
	struct sshd_plan plan;
};

void sshd_plan_release(struct sshd_plan *plan)
{
	for (size_t i = 0; i < plan->files_len; i++) {
		buffer_release(&plan->files[i].text);
		edit_release(&plan->files[i].edit);
	}
	free(plan->files);
	free(plan->notes);
	*plan = (struct sshd_plan)SSHD_PLAN_INIT;
}

static void planning_release(struct planning *p)
{
	free(p->order);
	free(p->changes);
	buffer_release(&p->ours);
	sshd_plan_release(&p->plan);
}

static const struct sshd_directive *directive(const struct planning *p, size_t index)
{
	return &p->closure->directives[index];
}

static bool contradicts(const struct planning *p, const struct sshd_directive *d)
{
	return sshd_permit_parse(d->value) != p->permit;
}

static int collect_notes(struct planning *p, struct error *err)
{
	struct sshd_blocks blocks = SSHD_BLOCKS_INIT;

	if (sshd_plan_blocks(p->closure, p->value, &blocks, err) < 0)
		return -1;
	p->plan.notes = blocks.items;
	p->plan.notes_len = blocks.len;
	return 0;
}

static int compare_places(const void *a, const void *b, void *ctx)
{
	const struct sshd_directive *x = directive(ctx, *(const size_t *)a);
	const struct sshd_directive *y = directive(ctx, *(const size_t *)b);

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return 0;
}

static int sort_directives(struct planning *p, struct error *err)
{
	p->order = calloc(p->closure->directives_len + 1, sizeof(*p->order));
	p->changes = calloc(p->closure->directives_len + 1, sizeof(*p->changes));
	if (p->order == NULL || p->changes == NULL)
		return error_oom(err);
	for (size_t i = 0; i < p->closure->directives_len; i++)
		if (directive(p, i)->keyword == SSHD_PERMIT_ROOT_LOGIN)
			p->order[p->order_len++] = i;
	qsort_r(p->order, p->order_len, sizeof(*p->order), compare_places, p);
	return 0;
}

/* Where the readings of the line that begin at `start` end; whether all are global. */
static size_t line_readings(const struct planning *p, size_t start, bool *ret_global)
{
	size_t end = start;

	*ret_global = true;
	while (end < p->order_len &&
	       compare_places(&p->order[start], &p->order[end], (void *)p) == 0) {
		*ret_global &= directive(p, p->order[end])->scope == SSHD_SCOPE_GLOBAL;
		end++;
	}
	return end;
}

/* Setting a global line that is also read inside a Match would change that block too. */
static bool deciding_is_shared(const struct planning *p)
{
	size_t end;
	bool global;

	if (directive(p, p->deciding)->scope != SSHD_SCOPE_GLOBAL)
		return false;
	for (size_t i = 0; i < p->order_len; i = end) {
		end = line_readings(p, i, &global);
		if (compare_places(&p->order[i], &p->deciding, (void *)p) == 0)
			return !global;
	}
	return false;
}

/* The line as marker.h and the lens want it: a CR that ends the file is a line end. */
static struct slice line_content(const struct sshd_file *file,
				 const struct sshd_line *line)
{
	size_t len = line->len - line->eol_len;

	if (line->eol_len == 0 && len > 0 &&
	    file->text.data[line->offset + len - 1] == '\r')
		len--;
	return slice_of(file->text.data + line->offset, len);
}

static int make_our_line(struct planning *p, struct config_augeas *augeas,
			 struct error *err)
{
	const struct sshd_directive *d;
	const struct sshd_file *file;

	if (p->insert)
		return buffer_printf(&p->ours, err, "PermitRootLogin %s", p->value);
	d = directive(p, p->deciding);
	file = &p->closure->files[d->file];
	if (sshd_value_set(augeas, line_content(file, &file->lines.items[d->line]),
			   p->value, &p->ours, err) < 0)
		return error_prefix(err, "%s line %zu",
				    sshd_directive_path(p->closure, d),
				    sshd_directive_number(p->closure, d));
	return 0;
}

static void change_add(struct planning *p, enum edit_kind kind, size_t line)
{
	p->changes[p->changes_len++] = (struct marker_change){
		.kind = kind,
		.line = line,
		.ours = slice_of(p->ours.data, p->ours.len),
	};
}

/* The changes of one file: its lines are order[start] up to the return value. */
static size_t collect_changes(struct planning *p, size_t file, size_t start)
{
	bool in_match = p->deciding != SSHD_NONE &&
			directive(p, p->deciding)->scope == SSHD_SCOPE_ROOT;
	bool global;
	size_t end;

	p->changes_len = 0;
	if (p->insert && file == 0)
		change_add(p, EDIT_INSERT, 1);
	for (; start < p->order_len; start = end) {
		const struct sshd_directive *d = directive(p, p->order[start]);

		if (d->file != file)
			break;
		end = line_readings(p, start, &global);
		if (!p->insert && compare_places(&p->order[start], &p->deciding, p) == 0)
			change_add(p, EDIT_SET, sshd_directive_number(p->closure, d));
		else if (!in_match && global && contradicts(p, d))
			change_add(p, EDIT_DISABLE, sshd_directive_number(p->closure, d));
	}
	return start;
}

static int change_file(struct planning *p, size_t file, struct error *err)
{
	const struct sshd_file *f = &p->closure->files[file];
	struct sshd_plan_file *changed = &p->plan.files[p->plan.files_len];

	if (p->changes_len == 0)
		return 0;
	changed->file = file;
	if (marker_edit_apply(f->text, p->id, p->changes, p->changes_len, &changed->text,
			      &changed->edit, err) < 0)
		return error_prefix(err, "%s", f->path);
	p->plan.files_len++;
	return 0;
}

static int change_files(struct planning *p, struct error *err)
{
	size_t at = 0;

	p->plan.files = calloc(p->closure->files_len, sizeof(*p->plan.files));
	if (p->plan.files == NULL)
		return error_oom(err);
	for (size_t file = 0; file < p->closure->files_len; file++) {
		at = collect_changes(p, file, at);
		if (change_file(p, file, err) < 0)
			return -1;
	}
	return 0;
}

static int make_plan(struct planning *p, struct config_augeas *augeas, struct error *err)
{
	p->deciding = sshd_closure_deciding(p->closure);
	p->plan.deciding = p->deciding;
	if (collect_notes(p, err) < 0)
		return -1;
	if (p->deciding != SSHD_NONE && !contradicts(p, directive(p, p->deciding)))
		return 0;
	if (sort_directives(p, err) < 0)
		return -1;
	p->insert = p->deciding == SSHD_NONE || deciding_is_shared(p);
	if (make_our_line(p, augeas, err) < 0)
		return -1;
	return change_files(p, err);
}

int sshd_plan_permit_root_login(const struct sshd_closure *closure, const char *value,
				const char *id, struct config_augeas *augeas,
				struct sshd_plan *ret, struct error *err)
{
	struct planning p = {
		.closure = closure,
		.value = value,
		.permit = sshd_permit_parse(value),
		.id = id,
	};

	if (p.permit == SSHD_PERMIT_INVALID)
		return error_set(err, ERROR_USAGE,
				 "not a value of PermitRootLogin: %.100s", value);
	if (make_plan(&p, augeas, err) < 0) {
		planning_release(&p);
		return -1;
	}
	sshd_plan_release(ret);
	*ret = p.plan;
	p.plan = (struct sshd_plan)SSHD_PLAN_INIT;
	planning_release(&p);
	return 0;
}

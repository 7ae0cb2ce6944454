/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The administrator's Match blocks: which of them bear on a value, and a block of ours
 * in front of them.
 */
#include "config/sshd_plan.h"

#include "config/marker_text.h"
#include "config/sshd_opening.h"

void sshd_blocks_release(struct sshd_blocks *blocks)
{
	free(blocks->items);
	*blocks = (struct sshd_blocks)SSHD_BLOCKS_INIT;
}

static int block_add(struct sshd_blocks *blocks, enum sshd_note_kind kind, size_t directive,
		     size_t match, struct error *err)
{
	size_t cap = blocks->cap != 0 ? blocks->cap * 2 : 4;
	struct sshd_note *items;

	if (blocks->len == blocks->cap) {
		items = reallocarray(blocks->items, cap, sizeof(*items));
		if (items == NULL)
			return error_oom(err);
		blocks->items = items;
		blocks->cap = cap;
	}
	blocks->items[blocks->len++] = (struct sshd_note){
		.kind = kind,
		.directive = directive,
		.match = match,
	};
	blocks->has_root |= kind == SSHD_NOTE_OVERRIDDEN;
	blocks->has_network |= kind != SSHD_NOTE_OVERRIDDEN;
	return 0;
}

/* Has the block itself, or one around it, a value already? Wherever it holds, that one
 * does, too. */
static bool block_has_value(const struct sshd_closure *c, const bool *has_value, size_t match)
{
	while (match != SSHD_NONE && !has_value[match])
		match = c->directives[match].match;
	return match != SSHD_NONE;
}

/* Of blocks that hold, the first decides. So behind one that holds for root everywhere
 * nothing has a say, and in one block (or blocks within it) nothing but its first line. */
static int collect(const struct sshd_closure *c, enum sshd_permit permit, bool *has_value,
		   struct sshd_blocks *ret, struct error *err)
{
	static const enum sshd_note_kind kinds[] = {
		[SSHD_SCOPE_ROOT] = SSHD_NOTE_OVERRIDDEN,
		[SSHD_SCOPE_NETWORK] = SSHD_NOTE_NETWORK,
		[SSHD_SCOPE_UNKNOWN] = SSHD_NOTE_UNKNOWN,
	};

	for (size_t i = 0; i < c->directives_len; i++) {
		const struct sshd_directive *d = &c->directives[i];

		if (d->keyword != SSHD_PERMIT_ROOT_LOGIN || d->scope == SSHD_SCOPE_GLOBAL ||
		    d->scope == SSHD_SCOPE_NEVER || block_has_value(c, has_value, d->match))
			continue;
		has_value[d->match] = true;
		if (sshd_permit_parse(d->value) != permit &&
		    block_add(ret, kinds[d->scope], i, d->match, err) < 0)
			return -1;
		if (d->scope == SSHD_SCOPE_ROOT)
			return 0;
	}
	return 0;
}

int sshd_plan_blocks(const struct sshd_closure *closure, const char *value,
		     struct sshd_blocks *ret, struct error *err)
{
	_cleanup_sshd_blocks_ struct sshd_blocks blocks = SSHD_BLOCKS_INIT;
	_cleanup_free_ bool *has_value = calloc(closure->directives_len + 1, sizeof(*has_value));
	enum sshd_permit permit = sshd_permit_parse(value);

	if (has_value == NULL)
		return error_oom(err);
	if (permit == SSHD_PERMIT_INVALID)
		return error_set(err, ERROR_USAGE, "not a value of PermitRootLogin: %.100s", value);
	if (collect(closure, permit, has_value, &blocks, err) < 0)
		return -1;
	sshd_blocks_release(ret);
	*ret = blocks;
	blocks = (struct sshd_blocks)SSHD_BLOCKS_INIT;
	return 0;
}

static int no_match(const struct sshd_closure *c, struct error *err)
{
	(void)error_set(err, ERROR_REFUSED, "%s has no Match that a block of ours could stand "
			"before, and a block at the end of the file would swallow every line that "
			"is appended later", c->files[0].path);
	return error_hint(err, "Nothing was changed. It can be opened without --from; with "
			  "--from by an sshd that has Include (OpenSSH 8.2 and later).");
}

/* The first Match line of the main file, before which nothing else may match. */
static const struct sshd_line *find_match(const struct sshd_closure *c, struct error *err)
{
	const struct sshd_lines *lines = &c->files[0].lines;

	for (size_t i = 0; i < c->directives_len; i++) {
		const struct sshd_directive *d = &c->directives[i];

		if (d->keyword != SSHD_MATCH)
			continue;
		if (d->file == 0)
			return &lines->items[d->line];
		(void)error_set(err, ERROR_REFUSED, "%s line %zu: a Match that is read before those "
				"of %s", sshd_directive_path(c, d), sshd_directive_number(c, d),
				c->files[0].path);
		(void)error_hint(err, "Nothing was changed. The block would have to stand before "
				 "the Include.");
		return NULL;
	}
	(void)no_match(c, err);
	return NULL;
}

static struct text_line line_before(struct slice text, size_t offset)
{
	size_t start = offset - 1;

	while (start > 0 && text.data[start - 1] != '\n')
		start--;
	return text_line_at(text, start);
}

/* Where nothing of ours is torn apart: a Match line that another edit has inserted has its
 * marker before it. Not above a line that one has commented out: it would come back as a
 * part of our block. */
static size_t place_before(struct slice text, const struct sshd_line *match)
{
	size_t offset = match->offset, number = match->number;
	struct marker marker;

	while (offset > 0) {
		struct text_line before = line_before(text, offset);

		if (!marker_parse(text, before, &marker) || marker.original.data != NULL)
			break;
		offset = before.offset;
		number--;
	}
	return number;
}

static int insert_lines(const struct sshd_file *file, size_t number, const struct strings *lines,
			const char *id, struct sshd_plan_file *ret, struct error *err)
{
	struct marker_change changes[4];

	if (lines->len > ARRAY_SIZE(changes))
		return error_set(err, ERROR_FAILED, "too many lines for a block (a bug)");
	for (size_t i = 0; i < lines->len; i++)
		changes[i] = (struct marker_change){
			.kind = EDIT_INSERT,
			.line = number,
			.ours = slice_of(lines->items[i], strlen(lines->items[i])),
		};
	if (marker_edit_apply(file->text, id, changes, lines->len, &ret->text, &ret->edit, err) < 0)
		return error_prefix(err, "%s", file->path);
	return 0;
}

int sshd_plan_block_before_match(const struct sshd_closure *closure,
				 const struct strings *from, const char *value,
				 const char *id, struct sshd_plan *ret, struct error *err)
{
	_cleanup_sshd_plan_ struct sshd_plan plan = SSHD_PLAN_INIT;
	_cleanup_strings_ struct strings lines = STRINGS_INIT;
	const struct sshd_opening opening = { .id = id, .allow = value, .from = from };
	const struct sshd_file *file = &closure->files[0];
	const struct sshd_line *match;

	if (from->len == 0)
		return error_set(err, ERROR_FAILED, "a block for no address (a bug)");
	if (sshd_opening_lines(&opening, &lines, err) < 0)
		return -1;
	match = find_match(closure, err);
	if (match == NULL)
		return -1;
	plan.deciding = sshd_closure_deciding(closure);
	plan.files = calloc(1, sizeof(*plan.files));
	if (plan.files == NULL)
		return error_oom(err);
	if (insert_lines(file, place_before(file->text, match), &lines, id, &plan.files[0], err) < 0)
		return -1;
	plan.files_len = 1;
	sshd_plan_release(ret);
	*ret = plan;
	plan = (struct sshd_plan)SSHD_PLAN_INIT;
	return 0;
}

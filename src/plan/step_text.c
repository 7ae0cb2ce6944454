/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Steps as lines for people.
 */
#include "base/path.h"
#include "base/text.h"
#include "plan/step_kind.h"

static int append_foreign(struct buffer *b, const char *s, struct error *err)
{
	return text_escape(slice_of(s, strlen(s)), false, b, err);
}

static int append_change(struct buffer *b, const char *from, const char *to,
			 struct error *err)
{
	if (append_foreign(b, from, err) < 0 || buffer_append_str(b, " -> ", err) < 0 ||
	    append_foreign(b, to, err) < 0)
		return -1;
	return buffer_append(b, "\n", 1, err);
}

/* "WHAT FROM -> TO" */
static int append_line(struct buffer *b, const char *what, const char *from,
		       const char *to, struct error *err)
{
	return buffer_printf(b, err, "%-6s ", what) < 0 ? -1 :
							  append_change(b, from, to, err);
}

/* "relink PATH FROM -> TO" */
static int append_relink(struct buffer *b, const struct step *s, bool reversed,
			 struct error *err)
{
	if (buffer_append_str(b, "relink ", err) < 0 ||
	    append_foreign(b, s->path, err) < 0 || buffer_append(b, " ", 1, err) < 0)
		return -1;
	return append_change(b, reversed ? s->new_target : s->target,
			     reversed ? s->target : s->new_target, err);
}

static int append_mode(struct buffer *b, const struct step *s, bool reversed,
		       struct error *err)
{
	mode_t from = reversed ? s->mode_after : s->mode_before;
	mode_t to = reversed ? s->mode_before : s->mode_after;

	if (buffer_append_str(b, "mode   ", err) < 0 ||
	    append_foreign(b, s->path, err) < 0)
		return -1;
	return buffer_printf(b, err, " %03o -> %03o\n", (unsigned)from, (unsigned)to);
}

static int append_command(struct buffer *b, const struct strings *argv, struct error *err)
{
	if (argv->len == 0 || strcmp(path_basename(argv->items[0]), "true") == 0)
		return 0;
	if (buffer_append_str(b, "run    ", err) < 0 ||
	    append_foreign(b, path_basename(argv->items[0]), err) < 0)
		return -1;
	for (size_t i = 1; i < argv->len; i++)
		if (buffer_append(b, " ", 1, err) < 0 ||
		    append_foreign(b, argv->items[i], err) < 0)
			return -1;
	return buffer_append(b, "\n", 1, err);
}

int step_describe(const struct step *s, bool reversed, struct buffer *ret,
		  struct error *err)
{
	switch (s->kind) {
	case STEP_LINK:
	case STEP_DELINK:
		return append_line(ret,
				   (s->kind == STEP_LINK) != reversed ? "link" : "remove",
				   s->path, s->target, err);
	case STEP_RELINK:
		return append_relink(ret, s, reversed, err);
	case STEP_RENAME:
		return append_line(ret, "rename", reversed ? s->to : s->path,
				   path_basename(reversed ? s->path : s->to), err);
	case STEP_MODE:
		return append_mode(ret, s, reversed, err);
	case STEP_RUN:
		return append_command(ret, reversed ? &s->undo : &s->argv, err);
	default:
		return 0;
	}
}

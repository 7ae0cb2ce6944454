/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * restore.sh's part for links, modes and times. Other utilities than for files are needed for it:
 * chmod, find, ln, ls, mkdir, mv, readlink, rm, rmdir, touch.
 */
#include <stdio.h>
#include <time.h>

#include "host/clock.h"
#include "store/restore_script.h"

static const char functions[] =
	"\n"
	"# readlink is in POSIX since 2024, and was everywhere long before.\n"
	"is_link() { [ -h \"$1\" ] && [ \"$(readlink \"$1\")\" = \"$2\" ]; }\n"
	"has_mode() { [ -n \"$(find \"$1\" -prune -type f -perm \"$2\" 2>/dev/null)\" ]; }\n"
	"is_empty() { [ -d \"$1\" ] && [ -z \"$(ls -A \"$1\")\" ]; }\n"
	"\n"
	"#     link PATH TARGET WHETHER-ITS-FOLDER-WAS-MADE\n"
	"#     delink PATH TARGET TIME TIME\n"
	"#     relink PATH BEFORE AFTER TIME TIME TWIN\n"
	"#     rename PATH TO TARGET\n"
	"#     mode PATH BEFORE AFTER\n"
	"#     times PATH TIME TIME\n"
	"# was: it is what it was before\n"
	"was() {\n"
	"\tcase $1 in\n"
	"\tlink) missing \"$2\" && { [ \"$4\" = no ] || ! is_empty \"${2%/*}\"; } ;;\n"
	"\tdelink | relink) is_link \"$2\" \"$3\" ;;\n"
	"\trename) is_link \"$2\" \"$4\" && ! is_link \"$3\" \"$4\" ;;\n"
	"\tmode) has_mode \"$2\" \"$3\" ;;\n"
	"\tesac\n"
	"}\n"
	"# became: it is as the transaction left it\n"
	"became() {\n"
	"\tcase $1 in\n"
	"\tlink) missing \"$2\" || is_link \"$2\" \"$3\" ;;\n"
	"\tdelink) missing \"$2\" ;;\n"
	"\trelink) is_link \"$2\" \"$4\" || { missing \"$2\" && is_link \"$7\" \"$3\"; } ;;\n"
	"\trename) missing \"$2\" && is_link \"$3\" \"$4\" ;;\n"
	"\tmode) has_mode \"$2\" \"$4\" ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"check_small() {\n"
	"\t[ \"$1\" != times ] || return 0\n"
	"\twas \"$@\" && return 0\n"
	"\tbecame \"$@\" && { todo=yes; return 0; }\n"
	"\tcomplain \"refused, nothing was changed: $2 was changed since\"\n"
	"\tcase $1 in\n"
	"\tlink) complain \"  it was not there before\" ;;\n"
	"\tdelink) complain \"  it was a symbolic link to $3\" ;;\n"
	"\trelink) complain \"  it was a symbolic link to $3, and became one to $4\" ;;\n"
	"\trename) complain \"  it was a symbolic link to $4, and became $3\" ;;\n"
	"\tmode) complain \"  it was a regular file with the mode $3, and got the mode $4\" ;;\n"
	"\tesac\n"
	"\texit 3\n"
	"}\n"
	"\n"
	"# set_time PATH TIME TIME: to the nanosecond where touch can, otherwise to the second. A link's\n"
	"# own is set with -h, which POSIX does not have: as well as it goes.\n"
	"set_time() {\n"
	"\tif [ -h \"$1\" ]; then\n"
	"\t\ttouch -h -m -d \"$2\" \"$1\" 2>/dev/null ||\n"
	"\t\t\tTZ=UTC0 touch -h -m -t \"$3\" \"$1\" 2>/dev/null\n"
	"\telif [ -e \"$1\" ]; then\n"
	"\t\ttouch -c -m -d \"$2\" \"$1\" 2>/dev/null || TZ=UTC0 touch -c -m -t \"$3\" \"$1\"\n"
	"\tfi || complain \"the time of $1 could not be put back; all else was\"\n"
	"}\n"
	"\n"
	"undo_link() {\n"
	"\trm -f \"$1\" || return\n"
	"\t[ \"$3\" = no ] || rmdir \"${1%/*}\" 2>/dev/null\n"
	"\t:\n"
	"}\n"
	"undo_delink() {\n"
	"\t[ -d \"${1%/*}\" ] || mkdir -m 755 \"${1%/*}\" || return\n"
	"\tln -s -- \"$2\" \"$1\" || return\n"
	"\t[ -z \"$3\" ] || set_time \"$1\" \"$3\" \"$4\"\n"
	"}\n"
	"# mv would put the twin into a folder that the link leads to.\n"
	"undo_relink() {\n"
	"\tis_link \"$5\" \"$2\" || { rm -f \"$5\" && ln -s -- \"$2\" \"$5\"; } || return\n"
	"\t[ -z \"$3\" ] || set_time \"$5\" \"$3\" \"$4\"\n"
	"\t[ ! -d \"$1\" ] || rm -f \"$1\" || return\n"
	"\tmv -f \"$5\" \"$1\"\n"
	"}\n"
	"undo_rename() { mv -f \"$2\" \"$1\"; }\n"
	"undo_mode() { chmod \"$2\" \"$1\"; }\n"
	"\n"
	"undo_small() {\n"
	"\tif [ \"$1\" = times ]; then\n"
	"\t\tset_time \"$2\" \"$3\" \"$4\"\n"
	"\t\treturn 0\n"
	"\tfi\n"
	"\twas \"$@\" && return 0\n"
	"\tbecame \"$@\" || { complain \"$2 was changed just now\"; failed; }\n"
	"\tcase $1 in\n"
	"\tlink) undo_link \"$2\" \"$3\" \"$4\" ;;\n"
	"\tdelink) undo_delink \"$2\" \"$3\" \"$4\" \"$5\" ;;\n"
	"\trelink) undo_relink \"$2\" \"$3\" \"$5\" \"$6\" \"$7\" ;;\n"
	"\trename) undo_rename \"$2\" \"$3\" ;;\n"
	"\tmode) undo_mode \"$2\" \"$3\" ;;\n"
	"\tesac || { complain \"$2 could not be put back\"; failed; }\n"
	"\twas \"$@\" || { complain \"$2 is not as it should be\"; failed; }\n"
	"\tsay \"$2 is as it was before\"\n"
	"}\n"
	"\n";

static const char run_function[] =
	"\n"
	"run() {\n"
	"\t[ -x \"$1\" ] || { complain \"no $1 to run\"; return 0; }\n"
	"\t\"$@\" </dev/null || complain \"$* ended with status $?: run it yourself\"\n"
	"}\n";

static int append_argument(struct buffer *b, const char *s, struct error *err)
{
	return buffer_append(b, " ", 1, err) < 0 ? -1 : restore_append_quoted(b, s, err);
}

/* The same time twice, for touch -d and, to the second, for touch -t in UTC; both empty for none. */
static int append_time(struct buffer *b, int64_t ns, struct error *err)
{
	char fine[64] = "", coarse[64] = "";
	time_t s = (time_t)(ns / NSEC_PER_SEC);
	struct tm tm;
	size_t len;

	if (ns >= 0 && gmtime_r(&s, &tm) != NULL) {
		len = strftime(fine, sizeof(fine), "%Y-%m-%dT%H:%M:%S", &tm);
		(void)snprintf(fine + len, sizeof(fine) - len, ".%09dZ",
			       (int)(ns % NSEC_PER_SEC));
		(void)strftime(coarse, sizeof(coarse), "%Y%m%d%H%M.%S", &tm);
	}
	return append_argument(b, fine, err) < 0 ? -1 : append_argument(b, coarse, err);
}

static int append_mode(struct buffer *b, mode_t mode, struct error *err)
{
	return buffer_printf(b, err, " %04o", (unsigned)mode);
}

static int append_relink(struct buffer *b, const struct step *s, struct error *err)
{
	if (append_argument(b, s->target, err) < 0 ||
	    append_argument(b, s->new_target, err) < 0 ||
	    append_time(b, s->mtime_ns, err) < 0)
		return -1;
	return append_argument(b, s->temp, err);
}

static int append_what(struct buffer *b, const struct step *s, struct error *err)
{
	switch (s->kind) {
	case STEP_LINK:
		return append_argument(b, s->target, err) < 0 ?
			       -1 :
			       buffer_append_str(b, s->made_folder ? " yes" : " no", err);
	case STEP_DELINK:
		return append_argument(b, s->target, err) < 0 ?
			       -1 :
			       append_time(b, s->mtime_ns, err);
	case STEP_RELINK:
		return append_relink(b, s, err);
	case STEP_RENAME:
		return append_argument(b, s->to, err) < 0 ?
			       -1 :
			       append_argument(b, s->target, err);
	case STEP_MODE:
		return append_mode(b, s->mode_before, err) < 0 ?
			       -1 :
			       append_mode(b, s->mode_after, err);
	case STEP_TIMES:
		return append_time(b, s->mtime_before_ns, err);
	default:
		return 0;
	}
}

int restore_append_small(struct buffer *b, const struct plan *plan, struct error *err)
{
	if (buffer_append_str(b, functions, err) < 0 ||
	    buffer_append_str(b, "each_small() {\n\t:\n", err) < 0)
		return -1;
	for (size_t i = plan->len; i > 0; i--) {
		const struct step *s = &plan->steps[i - 1];

		if (!step_is_small(s) ||
		    (s->kind == STEP_TIMES && s->mtime_before_ns < 0))
			continue;
		if (buffer_printf(b, err, "\t\"$1\" %s", step_kind_name(s->kind)) < 0 ||
		    append_argument(b, s->path, err) < 0 || append_what(b, s, err) < 0 ||
		    buffer_append(b, "\n", 1, err) < 0)
			return -1;
	}
	return buffer_append_str(b, "}\n", err);
}

static bool same_command(const struct strings *a, const struct strings *b)
{
	for (size_t i = 0; i < a->len && i < b->len; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return a->len == b->len;
}

static bool comes_later(const struct plan *plan, size_t n)
{
	for (size_t i = n + 1; i < plan->len; i++)
		if (plan->steps[i].kind == STEP_RUN &&
		    same_command(&plan->steps[i].undo, &plan->steps[n].undo))
			return true;
	return false;
}

int restore_append_commands(struct buffer *b, const struct plan *plan, struct error *err)
{
	bool first = true;

	for (size_t i = plan->len; i > 0; i--) {
		const struct step *s = &plan->steps[i - 1];

		if (s->kind != STEP_RUN || s->undo.len == 0 || comes_later(plan, i - 1))
			continue;
		if ((first && buffer_append_str(b, run_function, err) < 0) ||
		    buffer_append_str(b, "run", err) < 0)
			return -1;
		first = false;
		for (size_t j = 0; j < s->undo.len; j++)
			if (append_argument(b, s->undo.items[j], err) < 0)
				return -1;
		if (buffer_append(b, "\n", 1, err) < 0)
			return -1;
	}
	return 0;
}

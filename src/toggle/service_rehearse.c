/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * update-rc.d(8) says 0 for dependency loops, missing facilities and folders that it can't write
 * to; so what it did is read, and judged by whoever asked for it.
 */
#include "base/path.h"
#include "base/text.h"
#include "toggle/service.h"

#define UPDATE_RC "/usr/sbin/update-rc.d"
#define SAID_MAX 400

/* Its complaints, or else its output, in one line: "; " stands where a line ended. */
static int add_words(const struct host_outcome *o, struct buffer *ret, struct error *err)
{
	const struct buffer *b = o->err.len > 0 ? &o->err : &o->out;
	const char *p = b->data != NULL ? b->data : "";
	const char *end = p + strnlen(p, SAID_MAX);
	bool first = true;

	while (p < end) {
		size_t len = strcspn(p, "\r\n");

		if (len > (size_t)(end - p))
			len = (size_t)(end - p);
		if (len > 0 && (buffer_append_str(ret, first ? "" : "; ", err) < 0 ||
				text_escape(slice_of(p, len), false, ret, err) < 0))
			return -1;
		first = first && len == 0;
		p += len + (p + len < end);
	}
	return 0;
}

/* " update-rc.d said (status 1): WORDS"; nothing for one that did not fail and said nothing. */
static int add_said(const char *command, const struct host_outcome *o, struct buffer *ret,
		    struct error *err)
{
	_cleanup_buffer_ struct buffer words = BUFFER_INIT;

	if (add_words(o, &words, err) < 0)
		return -1;
	if (words.len == 0 && o->status == 0)
		return 0;
	return buffer_printf(ret, err, " %s said%s (status %d)%s%s", path_basename(command),
			     words.len > 0 ? "" : " nothing", o->status, words.len > 0 ? ": " : "",
			     words.len > 0 ? words.data : "");
}

/* What was said before stays in front of it. */
static char *said_by(const char *before, const char *command, const struct host_outcome *o,
		     struct error *err)
{
	_cleanup_buffer_ struct buffer said = BUFFER_INIT;

	if (buffer_append_str(&said, before != NULL ? before : "", err) < 0 ||
	    add_said(command, o, &said, err) < 0)
		return NULL;
	return TAKE_PTR(said.data);
}

static int refuse_namespaces(const char *command, struct error *err)
{
	(void)error_set(err, ERROR_REFUSED, "%s can't be rehearsed: mount namespaces are not "
			"allowed here", command);
	return error_hint(err, "Nothing was changed. Run rootlatch outside of the container, with its "
			  "folder as --root.");
}

static int refuse_half(const char *command, const struct host_outcome *o, struct error *err)
{
	_cleanup_buffer_ struct buffer said = BUFFER_INIT;

	if (add_said(command, o, &said, err) < 0)
		return -1;
	(void)error_set(err, ERROR_REFUSED, "%s %s", command, o->timed_out ? "did not end in time" :
			"was killed before it was done");
	return error_hint(err, "Nothing was changed.%s", said.len > 0 ? said.data : "");
}

/* Scripts are read by it, and nothing else. */
static int check_scripts(const struct host_tree *before, const struct host_tree *after,
			 const char *command, struct error *err)
{
	for (size_t i = 0; i < before->len; i++) {
		const struct host_tree_entry *was = &before->items[i];
		const struct host_tree_entry *is;

		if (was->kind != HOST_TREE_FILE || service_is_depend(was->path))
			continue;
		is = host_tree_find(after, was->path);
		if (is == NULL || is->kind != HOST_TREE_FILE || is->mode != was->mode ||
		    !host_tree_same_bytes(is, was)) {
			(void)error_set(err, ERROR_REFUSED, "%s would change %s", command, was->path);
			return error_hint(err, "Nothing was changed. That is none of its business; a "
					  "person must look.");
		}
	}
	return 0;
}

int service_rehearse(const struct toggle_context *c, struct toggle_plan *p,
		     const char *const *argv, char **ret_said, struct error *err)
{
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
	_cleanup_host_tree_ struct host_tree after = HOST_TREE_INIT;
	const struct host_command cmd = { .argv = (char *const *)argv, .in_root = true };
	struct host_tree swap;
	char *said;

	if (host_tree_rehearse(c->host, &p->boot->wanted, &p->boot->folders, &cmd, &o, &after,
			       err) < 0)
		return -1;
	if (o.no_namespaces)
		return refuse_namespaces(argv[0], err);
	if (o.timed_out || o.killed)
		return refuse_half(argv[0], &o, err);
	if (check_scripts(&p->boot->wanted, &after, argv[0], err) < 0)
		return -1;
	said = said_by(*ret_said, argv[0], &o, err);
	if (said == NULL)
		return -1;
	swap = p->boot->wanted;
	p->boot->wanted = after;
	after = swap;
	free(*ret_said);
	*ret_said = said;
	return 0;
}

int service_update_rc(const struct toggle_context *c, struct toggle_plan *p, const char *name,
		      const char *action, char **ret_said, struct error *err)
{
	const bool remove = strcmp(action, "remove") == 0;
	/* -f means nothing any more; it is what the procedure of old says */
	const char *const plain[] = { UPDATE_RC, name, action, NULL };
	const char *const forced[] = { UPDATE_RC, "-f", name, action, NULL };

	if (!host_file_exists(c->host, UPDATE_RC)) {
		(void)error_set(err, ERROR_REFUSED, "there is no %s on this host", UPDATE_RC);
		return error_hint(err, "Nothing was changed. Debian's init-system-helpers has it.");
	}
	return service_rehearse(c, p, remove ? forced : plain, ret_said, err);
}

int service_set_mode(struct toggle_plan *p, const char *name, mode_t mode, struct error *err)
{
	_cleanup_free_ char *path = service_script(name, err);
	struct host_tree_entry *e;

	if (path == NULL)
		return -1;
	e = host_tree_find(&p->boot->wanted, path);
	if (e != NULL && e->kind == HOST_TREE_FILE)
		e->mode = mode;
	return 0;
}

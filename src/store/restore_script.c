/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * restore.sh: the exact undo of one transaction for a host on which rootlatch is gone or
 * broken. POSIX sh and utilities (cmp, dd, cat, mv, cp, rm, chmod, chown, touch), and sshd.
 *
 *     compare all -> remove what was made -> install the prepared twins by rename
 *     -> links, modes and times -> sshd -t -> reload -> commands
 *
 * Nothing is changed unless every file is as the transaction left it, or is restored already. What
 * was made goes first: that is what closes.
 */
#include "base/path.h"
#include "store/restore_script.h"

static const char script_head[] =
	"#!/bin/sh\n"
	"# Puts back what rootlatch changed, without rootlatch. Run it as root:\n"
	"#     sh restore.sh\n"
	"# 0: restored, or it was already. 1: failed. 3: refused, nothing was changed: a file was\n"
	"# edited since. 4: a person must look.\n"
	"set -u\n"
	"umask 077\n"
	"LC_ALL=C; export LC_ALL\n"
	"unset CDPATH\n"
	"here=${0%/*}\n"
	"[ \"$here\" != \"$0\" ] || here=.\n"
	"here=$(cd -P -- \"$here\" && pwd) && cd \"$here\" || exit 1\n"
	"say() { printf '%s\\n' \"$*\"; }\n"
	"complain() { printf 'restore.sh: %s\\n' \"$*\" >&2; }\n"
	"\n";

static const char script_judge[] =
	"# A sshd that was started with other options or another file is asked with them.\n"
	"judge() {\n"
	"\t[ -x \"$sshd\" ] || { complain \"no $sshd to ask; not asked\"; return 0; }\n"
	"\tsshd_test\n"
	"}\n"
	"\n";

static const char script_files[] =
	"missing() { [ ! -e \"$1\" ] && [ ! -h \"$1\" ]; }\n"
	"# restored KIND PATH N: PATH is what it was before; where it was made there was nothing\n"
	"restored() {\n"
	"\t[ \"$1\" != create ] || { missing \"$2\"; return; }\n"
	"\t[ -f \"$2\" ] && [ ! -h \"$2\" ] && cmp -s \"$3.before\" \"$2\"\n"
	"}\n"
	"# ours KIND PATH N HEAD TAIL: PATH is as the transaction left it: gone where it was unlinked,\n"
	"# otherwise the old one's first HEAD blocks, what differs, and the old one from block TAIL on\n"
	"ours() {\n"
	"\t[ \"$1\" != unlink ] || { missing \"$2\" && [ -d \"${2%/*}/\" ]; return; }\n"
	"\t[ -f \"$2\" ] && [ ! -h \"$2\" ] || return 1\n"
	"\t{\n"
	"\t\t[ \"$4\" = 0 ] || dd if=\"$3.before\" bs=512 count=\"$4\"\n"
	"\t\tcat \"$3.middle\"\n"
	"\t\tdd if=\"$3.before\" bs=512 skip=\"$5\"\n"
	"\t} 2>/dev/null | cmp -s - \"$2\"\n"
	"}\n"
	"\n"
	"check() {\n"
	"\trestored \"$1\" \"$2\" \"$3\" && return 0\n"
	"\tours \"$1\" \"$2\" \"$3\" \"$8\" \"$9\" && { todo=yes; return 0; }\n"
	"\tcomplain \"refused, nothing was changed: $2 was edited since\"\n"
	"\tcase $1 in\n"
	"\tcreate) complain \"  it was not there before\" ;;\n"
	"\t*) complain \"  what it was: $here/$3.before\" ;;\n"
	"\tesac\n"
	"\texit 3\n"
	"}\n"
	"\n"
	"# copy and put_back PATH N TWIN UID GID MODE: the twin lies on the same filesystem and is\n"
	"# complete, so one rename puts it in place. Where it is gone a new one is made from the copy here.\n"
	"copy() {\n"
	"\trm -f \"$3\" && cp \"$2.before\" \"$3\" && chown \"$4:$5\" \"$3\" && chmod \"$6\" \"$3\" &&\n"
	"\t\ttouch -r \"$2.before\" \"$3\"\n"
	"}\n"
	"put_back() {\n"
	"\tif ! { [ -f \"$3\" ] && [ ! -h \"$3\" ] && cmp -s \"$2.before\" \"$3\"; }; then\n"
	"\t\tcopy \"$@\" || { rm -f \"$3\"; complain \"$1 could not be prepared\"; failed; }\n"
	"\tfi\n"
	"\tmv -f \"$3\" \"$1\" || { complain \"$1 could not be installed\"; failed; }\n"
	"}\n"
	"take_away() { rm -f \"$1\" || { complain \"$1 could not be removed\"; failed; }; }\n"
	"\n"
	"# install KIND PATH N TWIN UID GID MODE HEAD TAIL\n"
	"install() {\n"
	"\trestored \"$1\" \"$2\" \"$3\" && return 0\n"
	"\tcase $1 in\n"
	"\tcreate) take_away \"$2\" ;;\n"
	"\t*) put_back \"$2\" \"$3\" \"$4\" \"$5\" \"$6\" \"$7\" ;;\n"
	"\tesac\n"
	"\trestored \"$1\" \"$2\" \"$3\" || { complain \"$2 is not as it should be\"; failed; }\n"
	"\tsay \"$2 is as it was before\"\n"
	"}\n"
	"failed() { complain \"A person must look. What the files were: $here/*.before\"; exit 4; }\n"
	"\n";

static const char script_check[] =
	"\n"
	"todo=no\n"
	"each check\n";

static const char script_undo[] =
	"if [ \"$todo\" = no ]; then\n"
	"\tsay \"everything is as it was before; nothing was changed\"\n"
	"\texit 0\n"
	"fi\n"
	"each install\n";

static const char script_reload[] =
	"if ! judge; then\n"
	"\tcomplain \"the files are restored, but sshd does not accept them; it was NOT reloaded\"\n"
	"\tfailed\n"
	"fi\n"
	"\n"
	"# Only a live listener of this very sshd is signalled.\n"
	"reload() {\n"
	"\tpid=\n"
	"\t[ -f \"$pid_file\" ] && read -r pid <\"$pid_file\"\n"
	"\tcase $pid in '' | *[!0-9]*) return 1 ;; esac\n"
	"\tread -r name <\"/proc/$pid/comm\" && [ \"$name\" = sshd ] || return 1\n"
	"\tkill -HUP \"$pid\" || return 1\n"
	"\tsay \"sshd (pid $pid) was told to reload\"\n"
	"}\n"
	"if ! reload 2>/dev/null; then\n"
	"\tcomplain \"no pid in $pid_file: reload sshd yourself, if it runs\"\n"
	"fi\n";

/* In single quotes a shell takes every byte as it is, but for the single quote. */
int restore_append_quoted(struct buffer *b, const char *s, struct error *err)
{
	if (buffer_append(b, "'", 1, err) < 0)
		return -1;
	for (; *s != '\0'; s++)
		if ((*s == '\'' ? buffer_append_str(b, "'\\''", err) : buffer_append(b, s, 1, err)) < 0)
			return -1;
	return buffer_append(b, "'", 1, err);
}

static int append_setting(struct buffer *b, const char *name, const char *value,
			  struct error *err)
{
	if (buffer_printf(b, err, "%s=", name) < 0 || restore_append_quoted(b, value, err) < 0)
		return -1;
	return buffer_append(b, "\n", 1, err);
}

static int append_file(struct buffer *b, const struct step *s, struct error *err)
{
	struct snapshot_change c = snapshot_compare_step(s);

	if (buffer_printf(b, err, "\t\"$1\" %s ", step_kind_name(s->kind)) < 0 ||
	    restore_append_quoted(b, s->path, err) < 0 || buffer_printf(b, err, " %u ", s->number) < 0 ||
	    restore_append_quoted(b, s->temp, err) < 0)
		return -1;
	return buffer_printf(b, err, " %u %u %04o %zu %zu\n", (unsigned)s->meta.uid,
			     (unsigned)s->meta.gid, (unsigned)s->meta.mode, c.head, c.tail);
}

/* Those that were made, or all others. The bytes of an unlinked one that was ready are not in this
 * snapshot: it stays away. */
static int append_files(struct buffer *b, const struct plan *plan, bool made, struct error *err)
{
	for (size_t i = 0; i < plan->len; i++) {
		const struct step *s = &plan->steps[i];

		if (!step_keeps_file(s) || (s->kind == STEP_CREATE) != made ||
		    (s->kind == STEP_UNLINK && s->ready))
			continue;
		if (append_file(b, s, err) < 0)
			return -1;
	}
	return 0;
}

/* With the listener's own options: -o and -p may decide. */
static int append_judge(struct buffer *b, const struct snapshot_info *info, struct error *err)
{
	if (buffer_append_str(b, "sshd_test() {\n\t\"$sshd\" -t -f \"$config\"", err) < 0)
		return -1;
	for (size_t i = 0; info->options != NULL && i < info->options->len; i++)
		if (buffer_append(b, " ", 1, err) < 0 ||
		    restore_append_quoted(b, info->options->items[i], err) < 0)
			return -1;
	return buffer_append_str(b, "\n}\n", err);
}

static int append_daemon(struct buffer *b, const struct snapshot_info *info, struct error *err)
{
	if (append_setting(b, "sshd", info->sshd, err) < 0 ||
	    append_setting(b, "config", info->config, err) < 0 ||
	    append_setting(b, "pid_file", info->pid_file != NULL ? info->pid_file : "", err) < 0)
		return -1;
	return append_judge(b, info, err);
}

/* Services that were switched by one command are undone by one, a word each. */
static int append_toggles(struct buffer *b, const char *toggle, struct error *err)
{
	bool services = strncmp(toggle, "service/", strlen("service/")) == 0;

	for (;;) {
		size_t len = services ? strcspn(toggle, ",") : strlen(toggle);
		_cleanup_free_ char *one = str_ndup(toggle, len, err);

		if (one == NULL || restore_append_quoted(b, one, err) < 0)
			return -1;
		if (toggle[len] == '\0')
			return 0;
		if (buffer_append_str(b, " ", err) < 0)
			return -1;
		toggle += len + 1;
	}
}

static int append_farewell(struct buffer *b, const struct snapshot_info *info, bool daemon,
			   struct error *err)
{
	if (daemon)
		return buffer_append_str(b, "say \"rootlatch, where it is still there, tidies its "
					    "state with: rootlatch close\"\n", err);
	if (buffer_append_str(b, "say \"rootlatch, where it is still there, tidies its state with: "
				 "rootlatch revert\" ", err) < 0 ||
	    append_toggles(b, info->toggle, err) < 0)
		return -1;
	return buffer_append(b, "\n", 1, err);
}

static int append_undo(struct buffer *b, const struct plan *plan, bool small, bool daemon,
		       struct error *err)
{
	if (buffer_append_str(b, script_check, err) < 0 ||
	    (small && buffer_append_str(b, "each_small check_small\n", err) < 0) ||
	    buffer_append_str(b, script_undo, err) < 0 ||
	    (small && buffer_append_str(b, "each_small undo_small\n", err) < 0) ||
	    buffer_append_str(b, "sync 2>/dev/null\n", err) < 0 ||
	    (daemon && buffer_append_str(b, script_reload, err) < 0))
		return -1;
	return small ? restore_append_commands(b, plan, err) : 0;
}

int restore_script(const struct plan *plan, const struct snapshot_info *info,
		   struct buffer *ret, struct error *err)
{
	bool daemon = info->sshd != NULL && info->config != NULL, small = plan_has_small(plan);

	if (buffer_append_str(ret, script_head, err) < 0 ||
	    (daemon && buffer_append_str(ret, script_judge, err) < 0) ||
	    buffer_append_str(ret, script_files, err) < 0 ||
	    (daemon && append_daemon(ret, info, err) < 0) ||
	    buffer_append_str(ret, "each() {\n\t:\n", err) < 0 ||
	    append_files(ret, plan, true, err) < 0 || append_files(ret, plan, false, err) < 0 ||
	    buffer_append_str(ret, "}\n", err) < 0 ||
	    (small && restore_append_small(ret, plan, err) < 0) ||
	    append_undo(ret, plan, small, daemon, err) < 0)
		return -1;
	return append_farewell(ret, info, daemon, err);
}

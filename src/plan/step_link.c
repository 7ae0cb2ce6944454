/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * LINK, DELINK, RENAME: symbolic links, told by where they point to. A link's bytes are its target,
 * which the step has, so nothing else is kept of it.
 */
#include <errno.h>
#include <stdio.h>

#include "base/path.h"
#include "host/clock.h"
#include "plan/step_kind.h"

enum at {
	AT_NOTHING,
	AT_OURS,    /* the step's link */
	AT_FOREIGN, /* something else */
};

static int look(const struct host *h, const struct step *s, const char *path,
		enum at *ret, struct stat *ret_st, struct error *err)
{
	_cleanup_free_ char *target = NULL;

	if (host_link_read(h, path, &target, ret_st, err) < 0)
		return -1;
	*ret = ret_st->st_mode == 0                             ? AT_NOTHING :
	       target != NULL && strcmp(target, s->target) == 0 ? AT_OURS :
								  AT_FOREIGN;
	return 0;
}

static int locate(const struct host *h, const struct step *s, const char *path,
		  enum at *ret, struct error *err)
{
	struct stat st;

	return look(h, s, path, ret, &st, err);
}

/* An entry of a folder is changed, whatever the entry itself would allow. */
static int check_folder(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_free_ char *folder = path_dirname(s->path, err);

	if (folder == NULL)
		return -1;
	if (s->kind == STEP_LINK && s->made_folder) {
		char *up = path_dirname(folder, err);

		free(folder);
		folder = up;
	}
	return folder == NULL ? -1 : host_require_changeable(h, folder, err);
}

/* It is the step's link, and is to have its time. */
static int settle(const struct host *h, const struct step *s, struct error *err)
{
	if (s->mtime_ns >= 0)
		return host_set_mtime(h, s->path, s->mtime_ns, err);
	return step_sync_folder(h, s, err);
}

static int make(const struct host *h, const struct step *s, struct error *err)
{
	struct error why = ERROR_INIT;

	if (host_link_create(h, s->path, s->target, s->mtime_ns, &why) == 0)
		return 0;
	if (why.sys_errno == EEXIST)
		return step_refuse_made(s->path, err);
	*err = why;
	return -1;
}

static int changed_meanwhile(const struct step *s, struct error *err)
{
	return error_set(err, ERROR_IN_DOUBT, "%s was changed meanwhile", s->path);
}

/* The link goes, if it is there still, and with it the folder that is there for it alone. */
static int take_away(const struct host *h, const struct step *s, enum at at,
		     struct error *err)
{
	_cleanup_free_ char *folder = NULL;

	if ((at == AT_OURS ? host_file_unlink(h, s->path, err) :
			     step_sync_folder(h, s, err)) < 0)
		return -1;
	if (!s->made_folder)
		return 0;
	folder = path_dirname(s->path, err);
	return folder == NULL ? -1 : host_dir_remove_empty(h, folder, err);
}

/* For LINK and DELINK. */
static int can_finish(const struct host *h, const struct step *s, bool *ret_can,
		      struct error *err)
{
	enum at at;

	if (locate(h, s, s->path, &at, err) < 0)
		return -1;
	*ret_can = at != AT_FOREIGN;
	return 0;
}

/* ---- LINK */

static int link_check(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_free_ char *folder = NULL;

	if (step_check_none(h, s, err) < 0)
		return -1;
	folder = path_dirname(s->path, err);
	if (folder == NULL)
		return -1;
	if (s->made_folder && host_file_exists(h, folder))
		return step_refuse_made(folder, err);
	return check_folder(h, s, err);
}

static int link_apply(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_free_ char *folder = path_dirname(s->path, err);

	if (folder == NULL || (s->made_folder && host_dir_make(h, folder, err) < 0))
		return -1;
	return make(h, s, err);
}

static int link_finish(const struct host *h, const struct step *s, struct error *err)
{
	enum at at;

	if (locate(h, s, s->path, &at, err) < 0)
		return -1;
	if (at == AT_FOREIGN)
		return changed_meanwhile(s, err);
	return at == AT_OURS ? settle(h, s, err) : link_apply(h, s, err);
}

static int link_revert(const struct host *h, const struct step *s, struct error *err)
{
	enum at at;

	if (locate(h, s, s->path, &at, err) < 0)
		return -1;
	if (at == AT_FOREIGN) {
		(void)error_set(err, ERROR_IN_DOUBT,
				"%s was changed meanwhile: it is not what we "
				"made it",
				s->path);
		return error_hint(
			err,
			"It was not there before. Remove it, then `rootlatch recover`.");
	}
	return take_away(h, s, at, err);
}

const struct step_ops step_ops_link = {
	.name = "link",
	.check = link_check,
	.prepare = step_no_op,
	.apply = link_apply,
	.can_finish = can_finish,
	.finish = link_finish,
	.revert = link_revert,
};

/* ---- DELINK */

static int require_target(const struct step *s, const struct stat *st, enum at at,
			  struct error *err)
{
	if (at == AT_NOTHING)
		return error_sys(err, ERROR_REFUSED, ENOENT, "%s", s->path);
	return at == AT_OURS ? 0 : step_refuse_changed(s, err);
}

/* One of somebody else's would come back as root's. */
int step_check_link(const struct host *h, const struct step *s, struct error *err)
{
	struct stat st;
	enum at at;

	if (look(h, s, s->path, &at, &st, err) < 0 || require_target(s, &st, at, err) < 0)
		return -1;
	if (s->mtime_ns >= 0 && timespec_ns(st.st_mtim) != s->mtime_ns)
		return step_refuse_changed(s, err);
	if (st.st_uid != 0 || st.st_gid != 0) {
		(void)error_set(err, ERROR_REFUSED, "%s belongs to %u:%u, not to root",
				s->path, (unsigned)st.st_uid, (unsigned)st.st_gid);
		return error_hint(err, "Nothing was changed. chown -h root:root %s",
				  s->path);
	}
	return check_folder(h, s, err);
}

static int delink_apply(const struct host *h, const struct step *s, struct error *err)
{
	enum at at;

	if (locate(h, s, s->path, &at, err) < 0)
		return -1;
	return at == AT_OURS ? take_away(h, s, at, err) : step_refuse_changed(s, err);
}

static int delink_finish(const struct host *h, const struct step *s, struct error *err)
{
	enum at at;

	if (locate(h, s, s->path, &at, err) < 0)
		return -1;
	if (at == AT_FOREIGN)
		return changed_meanwhile(s, err);
	return take_away(h, s, at, err);
}

/* systemctl(1) removes a *.wants folder with its last link. */
static int make_again(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_free_ char *folder = path_dirname(s->path, err);

	if (folder == NULL ||
	    (!host_file_exists(h, folder) && host_dir_make(h, folder, err) < 0))
		return -1;
	return make(h, s, err);
}

int step_link_in_doubt(const struct step *s, const char *how, struct error *err)
{
	(void)error_set(err, ERROR_IN_DOUBT,
			"%s %s: it is neither what it was nor what we made it", s->path,
			how);
	return error_hint(
		err,
		"It was a symbolic link to %s. Make it that again, then `rootlatch "
		"recover`.",
		s->target);
}

static int delink_revert(const struct host *h, const struct step *s, struct error *err)
{
	enum at at;

	if (locate(h, s, s->path, &at, err) < 0)
		return -1;
	if (at == AT_FOREIGN)
		return step_link_in_doubt(s, "was changed meanwhile", err);
	return at == AT_OURS ? settle(h, s, err) : make_again(h, s, err);
}

const struct step_ops step_ops_delink = {
	.name = "delink",
	.check = step_check_link,
	.prepare = step_no_op,
	.apply = delink_apply,
	.can_finish = can_finish,
	.finish = delink_finish,
	.revert = delink_revert,
};

/* ---- RENAME */

static int locate_both(const struct host *h, const struct step *s, enum at *ret_at,
		       enum at *ret_to, struct error *err)
{
	if (locate(h, s, s->path, ret_at, err) < 0)
		return -1;
	return locate(h, s, s->to, ret_to, err);
}

static int rename_check(const struct host *h, const struct step *s, struct error *err)
{
	enum at at, to;
	struct stat st;

	if (look(h, s, s->path, &at, &st, err) < 0 ||
	    require_target(s, &st, at, err) < 0 || locate(h, s, s->to, &to, err) < 0)
		return -1;
	return to != AT_NOTHING ? step_refuse_made(s->to, err) : check_folder(h, s, err);
}

static int there(const struct host *h, const struct step *s, struct error *err)
{
	return step_rename(h, s, s->path, s->to, RENAME_NOREPLACE, err);
}

static int rename_apply(const struct host *h, const struct step *s, struct error *err)
{
	enum at at;

	if (locate(h, s, s->path, &at, err) < 0)
		return -1;
	if (at != AT_OURS)
		return step_refuse_changed(s, err);
	return s->lazy ? step_rename_lazily(h, s, s->path, s->to, RENAME_NOREPLACE, err) :
			 there(h, s, err);
}

static int rename_can_finish(const struct host *h, const struct step *s, bool *ret_can,
			     struct error *err)
{
	enum at at, to;

	if (locate_both(h, s, &at, &to, err) < 0)
		return -1;
	*ret_can = (at == AT_OURS && to == AT_NOTHING) ||
		   (at == AT_NOTHING && to == AT_OURS);
	return 0;
}

static int rename_finish(const struct host *h, const struct step *s, struct error *err)
{
	enum at at, to;

	if (locate_both(h, s, &at, &to, err) < 0)
		return -1;
	if (at == AT_NOTHING && to == AT_OURS)
		return step_sync_folder(h, s, err);
	if (at == AT_OURS && to == AT_NOTHING)
		return there(h, s, err);
	return changed_meanwhile(s, err);
}

static int rename_revert(const struct host *h, const struct step *s, struct error *err)
{
	enum at at, to;

	if (locate_both(h, s, &at, &to, err) < 0)
		return -1;
	if (at == AT_NOTHING && to == AT_OURS)
		return step_rename(h, s, s->to, s->path, RENAME_NOREPLACE, err);
	/* what else is at `to` came there before ours could, or was put there since: theirs stays */
	if (at == AT_OURS && to != AT_OURS)
		return step_sync_folder(h, s, err);
	if (at == AT_OURS) {
		(void)error_set(err, ERROR_IN_DOUBT,
				"%s is there, and so is %s: one of them is not "
				"ours",
				s->path, s->to);
		return error_hint(
			err,
			"Only %s was there before. Remove the other one, then `rootlatch "
			"recover`.",
			s->path);
	}
	return step_link_in_doubt(s, at == AT_NOTHING ? "is gone" : "was changed meanwhile",
			    err);
}

const struct step_ops step_ops_rename = {
	.name = "rename",
	.check = rename_check,
	.prepare = step_no_op,
	.apply = rename_apply,
	.can_finish = rename_can_finish,
	.finish = rename_finish,
	.revert = rename_revert,
};

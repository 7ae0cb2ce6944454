/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: path exists at every instant, wholly old or wholly new.
 */
#include "plan/step.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/path.h"
#include "host/clock.h"

enum step_position {
	STEP_BEFORE,  /* path has the old bytes */
	STEP_AFTER,   /* path has the new bytes */
	STEP_MISSING, /* nothing is there */
	STEP_FOREIGN, /* somebody else's bytes */
};

void step_release(struct step *s)
{
	free(s->path);
	free(s->temp);
	free(s->saved);
	*s = (struct step){ 0 };
}

static int refuse_changed(const struct step *s, struct error *err)
{
	(void)error_set(err, ERROR_REFUSED, "%s was changed by somebody else in this very moment",
			s->path);
	return error_hint(err, "Nothing was changed. Look at it, then run the command again.");
}

int step_check(const struct host *h, const struct step *s, struct error *err)
{
	struct stat st;

	if (host_lstat(h, s->path, &st) < 0)
		return error_sys(err, ERROR_REFUSED, errno, "%s", s->path);
	if (st.st_dev != s->dev || st.st_ino != s->ino || timespec_ns(st.st_ctim) != s->ctime_ns ||
	    timespec_ns(st.st_mtim) != s->meta.mtime_ns)
		return refuse_changed(s, err);
	return 0;
}

/* Owner, mode, ACL and attributes must have arrived before the file is installed. */
static int check_twin_meta(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_host_file_ struct host_file twin = HOST_FILE_INIT;

	if (host_file_read(h, s->temp, HOST_READ_TARGET | HOST_READ_META, &twin, err) < 0)
		return -1;
	if (host_meta_equal(&twin.meta, &s->meta))
		return 0;
	return error_set(err, ERROR_FAILED, "%s: the owner, mode, ACL or extended attributes of "
			 "%s could not be copied to it", s->temp, s->path);
}

static int check_ready(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_host_file_ struct host_file twin = HOST_FILE_INIT;

	if (host_file_read(h, s->temp, HOST_READ_ANY, &twin, err) < 0)
		return -1;
	if (digest_equal(&twin.digest, &s->after))
		return 0;
	return error_set(err, ERROR_REFUSED, "%s was altered: it is not what was put aside for %s",
			 s->temp, s->path);
}

int step_prepare(const struct host *h, const struct step *s, struct error *err)
{
	if (s->ready)
		return check_ready(h, s, err);
	if (host_file_stage(h, s->temp, s->path, s->after_bytes, s->after_mtime_ns, err) < 0)
		return -1;
	if (check_twin_meta(h, s, err) < 0) {
		(void)host_file_unlink_lazily(h, s->temp, NULL);
		return -1;
	}
	return 0;
}

static int exchange(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_free_ char *folder = path_dirname(s->path, err);
	_cleanup_close_ int dir = -1;

	if (folder == NULL)
		return -1;
	dir = host_open_dir(h, folder, err);
	if (dir < 0)
		return -1;
	if (h->ops->renameat2(h->ctx, dir, path_basename(s->temp), dir, path_basename(s->path),
			      RENAME_EXCHANGE) < 0)
		return error_sys(err, ERROR_FAILED, errno, "exchanging %s and %s", s->path, s->temp);
	if (h->ops->fsync(h->ctx, dir) < 0)
		return error_sys(err, ERROR_FAILED, errno, "fsync of the folder %s", folder);
	return 0;
}

/* The names are right; whether that is durable is not known. */
static int sync_folder(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_free_ char *folder = path_dirname(s->path, err);

	return folder == NULL ? -1 : host_dir_fsync(h, folder, err);
}

static bool bytes_are_before(const struct step *s, const struct host_file *f)
{
	if (s->before_bytes.data != NULL)
		return slice_equal(s->before_bytes, slice_of(f->bytes.data, f->bytes.len));
	return digest_equal(&f->digest, &s->before);
}

int step_apply(const struct host *h, const struct step *s, struct error *err)
{
	enum host_read_flags flags = s->before_bytes.data != NULL ? HOST_READ_NO_DIGEST : 0;
	_cleanup_host_file_ struct host_file old = HOST_FILE_INIT;

	if (step_check(h, s, err) < 0 || exchange(h, s, err) < 0 ||
	    host_file_read(h, s->temp, flags, &old, err) < 0)
		return -1;
	if (bytes_are_before(s, &old))
		return 0;
	if (exchange(h, s, err) < 0)
		return -1;
	return refuse_changed(s, err);
}

static int locate(const struct host *h, const char *path, const struct step *s,
		  enum step_position *ret, struct error *err)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	struct error why = ERROR_INIT;

	if (!host_file_exists(h, path)) {
		*ret = STEP_MISSING;
		return 0;
	}
	if (host_file_read(h, path, HOST_READ_ANY, &f, &why) < 0) {
		if (why.code != ERROR_REFUSED) {
			*err = why;
			return -1;
		}
		*ret = STEP_FOREIGN;
		return 0;
	}
	*ret = digest_equal(&f.digest, &s->before) ? STEP_BEFORE :
	       digest_equal(&f.digest, &s->after)  ? STEP_AFTER :
						     STEP_FOREIGN;
	return 0;
}

int step_can_finish(const struct host *h, const struct step *s, bool *ret_can, struct error *err)
{
	enum step_position at, aside;

	if (locate(h, s->path, s, &at, err) < 0 || locate(h, s->temp, s, &aside, err) < 0)
		return -1;
	*ret_can = at == STEP_AFTER || (at == STEP_BEFORE && aside == STEP_AFTER);
	return 0;
}

int step_finish(const struct host *h, const struct step *s, struct error *err)
{
	enum step_position at;

	if (locate(h, s->path, s, &at, err) < 0)
		return -1;
	if (at == STEP_AFTER)
		return sync_folder(h, s, err);
	if (at == STEP_BEFORE)
		return exchange(h, s, err);
	return error_set(err, ERROR_IN_DOUBT, "%s was changed meanwhile", s->path);
}

char *step_copy_path(const char *temp, struct error *err)
{
	static const char prefix[] = ".rootlatch-";
	_cleanup_free_ char *dir = path_dirname(temp, err);
	_cleanup_free_ char *name = NULL;
	const char *base = path_basename(temp);

	if (dir == NULL)
		return NULL;
	/* as long as the other one's, which fits; a journal may name anything */
	if (strncmp(base, prefix, strlen(prefix)) == 0)
		name = str_format(err, ".rootlatch_%s", base + strlen(prefix));
	else
		name = str_format(err, "%s~", base);
	return name != NULL ? path_join(dir, name, err) : NULL;
}

/* Somebody removed the old file beside path: the copy in the state folder takes its place. */
static int restore_saved(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_host_file_ struct host_file saved = HOST_FILE_INIT;
	_cleanup_free_ char *copy = NULL, *folder = NULL;
	_cleanup_close_ int dir = -1;

	if (s->saved == NULL)
		return error_set(err, ERROR_IN_DOUBT, "%s is gone, and with it the old %s", s->temp,
				 s->path);
	if (host_file_read(h, s->saved, HOST_READ_OWN, &saved, err) < 0)
		return -1;
	if (!digest_equal(&saved.digest, &s->before))
		return error_set(err, ERROR_IN_DOUBT, "%s is not what was saved of %s", s->saved,
				 s->path);
	copy = step_copy_path(s->temp, err);
	folder = path_dirname(s->path, err);
	if (copy == NULL || folder == NULL || host_file_unlink_lazily(h, copy, err) < 0 ||
	    host_file_stage(h, copy, s->path, slice_of(saved.bytes.data, saved.bytes.len),
			    saved.meta.mtime_ns, err) < 0)
		return -1;
	dir = host_open_dir(h, folder, err);
	if (dir < 0)
		return -1;
	if (h->ops->renameat2(h->ctx, dir, path_basename(copy), dir, path_basename(s->temp), 0) < 0)
		return error_sys(err, ERROR_FAILED, errno, "renaming %s", copy);
	return exchange(h, s, err);
}

int step_revert(const struct host *h, const struct step *s, struct error *err)
{
	enum step_position at, aside;

	if (locate(h, s->path, s, &at, err) < 0 || locate(h, s->temp, s, &aside, err) < 0)
		return -1;
	switch (at) {
	case STEP_BEFORE:
		return sync_folder(h, s, err);
	case STEP_AFTER:
		return aside == STEP_BEFORE ? exchange(h, s, err) : restore_saved(h, s, err);
	case STEP_MISSING:
	case STEP_FOREIGN:
		if (aside == STEP_AFTER)
			return 0; /* ours was never put in place, or was taken back: theirs stays */
		break;
	}
	(void)error_set(err, ERROR_IN_DOUBT, "%s %s: it is neither what it was nor what we made "
			"it", s->path, at == STEP_MISSING ? "is gone" : "was changed meanwhile");
	return error_hint(err, "What it was: %s\nMake them the same (cp -p, your own edit put in "
			  "afterwards), then `rootlatch recover`.",
			  aside == STEP_BEFORE ? s->temp : s->saved != NULL ? s->saved : "unknown");
}

json_t *step_to_json(const struct step *s, struct error *err)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:b}", "path", s->path, "temp", s->temp,
				 "before", s->before.hex, "after", s->after.hex, "saved", s->saved,
				 "ready", s->ready);

	if (json == NULL)
		(void)error_set(err, ERROR_REFUSED, "%s: a path that is not UTF-8", s->path);
	return json;
}

int step_from_json(const json_t *json, struct step *ret, struct error *err)
{
	struct step s = { .after_mtime_ns = -1, .ready = json_get_bool(json, "ready") };

	if (json_need_path(json, "path", &s.path, err) < 0 ||
	    json_need_path(json, "temp", &s.temp, err) < 0 ||
	    json_need_digest(json, "before", false, &s.before, err) < 0 ||
	    json_need_digest(json, "after", false, &s.after, err) < 0)
		goto failed;
	if (json_get_string(json, "saved", NULL) != NULL &&
	    json_need_path(json, "saved", &s.saved, err) < 0)
		goto failed;
	*ret = s;
	return 0;
failed:
	step_release(&s);
	return -1;
}

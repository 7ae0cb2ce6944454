/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the kinds that change a file have in common.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/path.h"
#include "base/seeded.h"
#include "host/clock.h"
#include "plan/step_kind.h"

int step_refuse_changed(const struct step *s, struct error *err)
{
	(void)error_set(err, ERROR_REFUSED, "%s was changed by somebody else in this very moment",
			s->path);
	return error_hint(err, "Nothing was changed. Look at it, then run the command again.");
}

int step_refuse_made(const char *path, struct error *err)
{
	(void)error_set(err, ERROR_REFUSED, "%s was made by somebody else in this very moment",
			path);
	return error_hint(err, "Nothing was changed. Look at it, then run the command again.");
}

int step_check_same(const struct host *h, const struct step *s, struct error *err)
{
	struct stat st;

	if (SEEDED("overwrite"))
		return 0;
	if (host_lstat(h, s->path, &st) < 0)
		return error_sys(err, ERROR_REFUSED, errno, "%s", s->path);
	if (st.st_dev != s->dev || st.st_ino != s->ino || timespec_ns(st.st_ctim) != s->ctime_ns ||
	    timespec_ns(st.st_mtim) != s->meta.mtime_ns)
		return step_refuse_changed(s, err);
	return 0;
}

int step_check_none(const struct host *h, const struct step *s, struct error *err)
{
	struct stat st;

	if (host_lstat(h, s->path, &st) == 0)
		return step_refuse_made(s->path, err);
	if (errno == ENOENT)
		return 0;
	return error_sys(err, ERROR_REFUSED, errno, "%s", s->path);
}

bool step_bytes_are_before(const struct step *s, const struct host_file *f)
{
	if (SEEDED("overwrite"))
		return true;
	if (s->before_bytes.data != NULL)
		return slice_equal(s->before_bytes, slice_of(f->bytes.data, f->bytes.len));
	return digest_equal(&f->digest, &s->before);
}

int step_locate(const struct host *h, const char *path, const struct step *s,
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

int step_locate_both(const struct host *h, const struct step *s, enum step_position *ret_at,
		     enum step_position *ret_aside, struct error *err)
{
	if (step_locate(h, s->path, s, ret_at, err) < 0)
		return -1;
	return step_locate(h, s->temp, s, ret_aside, err);
}

int step_make_folder(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_free_ char *folder = path_dirname(s->path, err);

	return folder == NULL ? -1 : host_dir_create(h, folder, false, err);
}

int step_find_folder(const struct host *h, const struct step *s, bool *ret_found,
		     struct error *err)
{
	_cleanup_free_ char *folder = path_dirname(s->path, err);

	if (folder == NULL)
		return -1;
	*ret_found = host_file_exists(h, folder);
	return 0;
}

int step_sync_folder(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_free_ char *folder = path_dirname(s->path, err);

	if (folder == NULL)
		return -1;
	return host_file_exists(h, folder) ? host_dir_fsync(h, folder, err) : 0;
}

int step_sync_temp(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_close_ int fd = host_open(h, s->temp, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

	if (fd < 0)
		return error_sys(err, ERROR_FAILED, errno, "%s", s->temp);
	if (h->ops->fsync(h->ctx, fd) < 0)
		return error_sys(err, ERROR_FAILED, errno, "fsync of %s", s->temp);
	return 0;
}

static int rename_in(const struct host *h, const struct step *s, const char *from, const char *to,
		     unsigned flags, bool durable, struct error *err)
{
	_cleanup_free_ char *folder = path_dirname(s->path, err);
	_cleanup_close_ int dir = -1;

	if (folder == NULL)
		return -1;
	dir = host_open_dir(h, folder, err);
	if (dir < 0)
		return -1;
	if (h->ops->renameat2(h->ctx, dir, path_basename(from), dir, path_basename(to), flags) < 0) {
		if ((flags & RENAME_NOREPLACE) != 0 && errno == EEXIST)
			return step_refuse_made(to, err);
		return error_sys(err, ERROR_FAILED, errno, "renaming %s to %s", from, to);
	}
	if (SEEDED("no-fsync-folder"))
		return 0;
	if (durable && h->ops->fsync(h->ctx, dir) < 0)
		return error_sys(err, ERROR_FAILED, errno, "fsync of the folder %s", folder);
	return 0;
}

int step_rename(const struct host *h, const struct step *s, const char *from, const char *to,
		unsigned flags, struct error *err)
{
	return rename_in(h, s, from, to, flags, true, err);
}

int step_rename_lazily(const struct host *h, const struct step *s, const char *from,
		       const char *to, unsigned flags, struct error *err)
{
	return rename_in(h, s, from, to, flags, false, err);
}

int step_sync(const struct host *h, const struct step *s, struct error *err)
{
	return s->lazy ? step_sync_folder(h, s, err) : 0;
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

int step_read_saved(const struct host *h, const struct step *s, struct host_file *ret,
		    struct error *err)
{
	_cleanup_host_file_ struct host_file saved = HOST_FILE_INIT;

	if (s->saved == NULL) {
		(void)error_set(err, ERROR_IN_DOUBT, "%s is gone, and with it the old %s", s->temp,
				s->path);
		return error_hint(err, "Put the old %s back, then `rootlatch recover`.", s->path);
	}
	if (host_file_read(h, s->saved, HOST_READ_OWN, &saved, err) < 0)
		return -1;
	if (!digest_equal(&saved.digest, &s->before))
		return error_set(err, ERROR_IN_DOUBT, "%s is not what was saved of %s", s->saved,
				 s->path);
	*ret = saved;
	saved = (struct host_file)HOST_FILE_INIT;
	return 0;
}

int step_in_doubt(const struct step *s, enum step_position at, enum step_position aside,
		  struct error *err)
{
	(void)error_set(err, ERROR_IN_DOUBT, "%s %s: it is neither what it was nor what we made "
			"it", s->path, at == STEP_MISSING ? "is gone" : "was changed meanwhile");
	return error_hint(err, "What it was: %s\nMake them the same (cp -p, your own edit put in "
			  "afterwards), then `rootlatch recover`.",
			  aside == STEP_BEFORE ? s->temp : s->saved != NULL ? s->saved : "unknown");
}

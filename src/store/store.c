/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 *     NAME.spare --write, fsync--> NAME.spare --rename/exchange, fsync--> NAME
 *                                                NAME --clear--> NAME.spare
 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#include "base/path.h"
#include "base/seeded.h"
#include "host/clock.h"

/* Readers hold it for a moment only; who writes waits at least as long. */
#define READERS_GRACE_NS (NSEC_PER_SEC / 2)
#define READER_TRIES 20

/* What a slot gets at least, so that a later content which is somewhat longer fits too. */
#define SLOT_RESERVE (32 * 1024)

int store_init(struct store *s, const struct host *h, const char *dir, struct error *err)
{
	*s = (struct store){ .host = h, .lock_fd = -1, .dir = str_dup(dir, err) };
	return s->dir == NULL ? -1 : 0;
}

void store_release(struct store *s)
{
	store_unlock(s);
	free(s->dir);
	s->dir = NULL;
}

char *store_path(const struct store *s, const char *name, struct error *err)
{
	return path_join(s->dir, name, err);
}

bool store_exists(const struct store *s)
{
	return host_file_exists(s->host, s->dir);
}

int store_check(const struct store *s, struct error *err)
{
	if (!store_exists(s))
		return 0;
	if (host_dir_check_own(s->host, s->dir, err) < 0)
		return -1;
	return host_folders_require_trusted(s->host, s->dir, err);
}

static int take_flock(struct store *s, int fd, unsigned wait_seconds, struct error *err)
{
	int64_t until = clock_boottime_ns() + READERS_GRACE_NS +
			(int64_t)wait_seconds * NSEC_PER_SEC;

	for (;;) {
		if (s->host->ops->flock(s->host->ctx, fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return error_sys(err, ERROR_FAILED, errno, "locking %s", s->dir);
		if (clock_boottime_ns() >= until)
			break;
		clock_sleep_ms(50);
	}
	(void)error_set(err, ERROR_BUSY, "another rootlatch is at work on this host (%s/lock)",
			s->dir);
	return error_hint(err, "Nothing was changed. --wait SECONDS waits for it.");
}

/* What would be refused from then on, the close too, must not be opened first, and no folder is made
 * where others than root can write. */
static int check_place(const struct store *s, struct error *err)
{
	_cleanup_free_ char *path = str_dup(s->dir, err);

	while (path != NULL) {
		char *up = path_dirname(path, err);

		if (up == NULL)
			return -1;
		if (up[1] == '\0' || host_file_exists(s->host, up)) {
			free(up);
			return host_folders_require_trusted(s->host, path, err);
		}
		free(path);
		path = up;
	}
	return -1;
}

int store_lock(struct store *s, bool create, unsigned wait_seconds, struct error *err)
{
	_cleanup_free_ char *path = store_path(s, "lock", err);
	_cleanup_close_ int fd = -1;

	if (path == NULL)
		return -1;
	if (create && !store_exists(s) && check_place(s, err) < 0)
		return -1;
	if ((create || store_exists(s)) && host_dir_create(s->host, s->dir, true, err) < 0)
		return -1;
	fd = host_open_own(s->host, path, O_RDWR | O_CREAT, err);
	if (fd < 0)
		return error_prefix(err, "the lock");
	if (take_flock(s, fd, wait_seconds, err) < 0)
		return -1;
	s->lock_fd = TAKE_FD(fd);
	return 0;
}

void store_unlock(struct store *s)
{
	if (s->lock_fd >= 0)
		(void)close(s->lock_fd);
	s->lock_fd = -1;
}

bool store_lock_shared(struct store *s)
{
	_cleanup_free_ char *path = store_path(s, "lock", NULL);
	_cleanup_close_ int fd = -1;

	if (path == NULL || !store_exists(s))
		return true;
	fd = host_open_own(s->host, path, O_RDWR, NULL);
	if (fd < 0)
		return true; /* nobody ever locked it */
	for (int i = 0; i < READER_TRIES; i++) {
		if (s->host->ops->flock(s->host->ctx, fd, LOCK_SH | LOCK_NB) == 0) {
			s->lock_fd = TAKE_FD(fd);
			return true;
		}
		clock_sleep_ms(50);
	}
	return false;
}

static char *spare_path(const struct store *s, const char *name, struct error *err)
{
	return str_format(err, "%s/%s.spare", s->dir, name);
}

bool slot_exists(const struct store *s, const char *name)
{
	_cleanup_free_ char *path = store_path(s, name, NULL);

	return path != NULL && host_file_exists(s->host, path);
}

int slot_read(const struct store *s, const char *name, struct buffer *ret, struct error *err)
{
	_cleanup_free_ char *path = store_path(s, name, err);
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;

	if (path == NULL ||
	    host_file_read(s->host, path, HOST_READ_OWN | HOST_READ_NO_DIGEST, &f, err) < 0)
		return -1;
	*ret = f.bytes;
	f.bytes = (struct buffer)BUFFER_INIT;
	return 0;
}

/* The old content's blocks are written over, only then is the rest cut off: nothing new is
 * needed of the disk when the content did not grow. */
static int fill_spare(const struct store *s, const char *spare, struct slice content,
		      struct error *err)
{
	const struct host *h = s->host;
	_cleanup_close_ int fd = host_open_own(h, spare, O_WRONLY | O_CREAT, err);

	if (fd < 0)
		return -1;
	if (host_write_all(h, fd, content, err) < 0)
		return error_prefix(err, "%s", spare);
	if (TEMP_FAILURE_RETRY(h->ops->ftruncate(h->ctx, fd, (off_t)content.len)) < 0)
		return error_sys(err, ERROR_FAILED, errno, "%s", spare);
	/* a reserve for the next content; not every filesystem has it to give */
	(void)TEMP_FAILURE_RETRY(h->ops->fallocate(h->ctx, fd, FALLOC_FL_KEEP_SIZE, 0,
						   (off_t)content.len + SLOT_RESERVE));
	if ((SEEDED("no-fsync-state") && strstr(spare, "/state.json.") != NULL) ||
	    (SEEDED("no-fsync-journal") && strstr(spare, "/journal.") != NULL))
		return 0;
	if (h->ops->fsync(h->ctx, fd) < 0)
		return error_sys(err, ERROR_FAILED, errno, "fsync of %s", spare);
	return 0;
}

/* Where a filesystem can't exchange names, the old content is let go. */
static int swap_names(const struct store *s, const char *from, const char *to, bool both,
		      struct error *err)
{
	const struct host *h = s->host;
	_cleanup_close_ int dir = host_open_dir(h, s->dir, err);
	int r;

	if (dir < 0)
		return -1;
	r = h->ops->renameat2(h->ctx, dir, path_basename(from), dir, path_basename(to),
			      both ? RENAME_EXCHANGE : 0);
	if (r < 0 && both && errno == EINVAL) {
		both = false;
		r = h->ops->renameat2(h->ctx, dir, path_basename(from), dir, path_basename(to), 0);
	}
	if (r < 0)
		return error_sys(err, ERROR_FAILED, errno, "renaming %s to %s", from, to);
	if (SEEDED("no-fsync-store") || h->ops->fsync(h->ctx, dir) == 0)
		return 0;
	/* what is not known to be durable must not be read as if it were */
	(void)error_sys(err, ERROR_FAILED, errno, "fsync of the folder %s", s->dir);
	if (h->ops->renameat2(h->ctx, dir, path_basename(to), dir, path_basename(from),
			      both ? RENAME_EXCHANGE : 0) < 0 && err != NULL)
		err->code = ERROR_IN_DOUBT;
	return -1;
}

int slot_fill(const struct store *s, const char *name, struct slice content, struct error *err)
{
	_cleanup_free_ char *spare = spare_path(s, name, err);

	return spare == NULL ? -1 : fill_spare(s, spare, content, err);
}

int slot_switch(const struct store *s, const char *name, struct error *err)
{
	_cleanup_free_ char *path = store_path(s, name, err);
	_cleanup_free_ char *spare = spare_path(s, name, err);

	if (path == NULL || spare == NULL)
		return -1;
	return swap_names(s, spare, path, host_file_exists(s->host, path), err);
}

/* By a file of its own, which needs blocks of the disk that nobody kept for it. */
static int write_anew(const struct store *s, const char *name, struct slice content,
		      struct error *err)
{
	_cleanup_free_ char *path = store_path(s, name, err);
	_cleanup_free_ char *fresh = str_format(err, "%s/%s.new", s->dir, name);

	if (path == NULL || fresh == NULL || host_file_unlink(s->host, fresh, err) < 0 ||
	    fill_spare(s, fresh, content, err) < 0)
		return -1;
	return swap_names(s, fresh, path, false, err);
}

int slot_write(const struct store *s, const char *name, struct slice content, struct error *err)
{
	struct error why = ERROR_INIT, ignored = ERROR_INIT;

	if (slot_fill(s, name, content, &why) == 0)
		return slot_switch(s, name, err);
	/* something else has the spare's name: that must not keep a close from being recorded */
	if (why.code == ERROR_REFUSED && write_anew(s, name, content, &ignored) == 0)
		return 0;
	if (err != NULL)
		*err = why;
	return -1;
}

int slot_check_spare(const struct store *s, const char *name, struct error *err)
{
	_cleanup_free_ char *spare = spare_path(s, name, err);
	_cleanup_close_ int fd = -1;

	if (spare == NULL)
		return -1;
	if (!host_file_exists(s->host, spare))
		return 0;
	fd = host_open_own(s->host, spare, O_WRONLY, err);
	return fd < 0 ? -1 : 0;
}

int slot_reserve(const struct store *s, const char *name, struct error *err)
{
	const struct host *h = s->host;
	_cleanup_free_ char *path = store_path(s, name, err);
	_cleanup_free_ char *spare = spare_path(s, name, err);
	_cleanup_close_ int fd = -1;
	struct stat st = { 0 };

	if (path == NULL || spare == NULL)
		return -1;
	if (host_lstat(h, path, &st) < 0 && errno != ENOENT)
		return error_sys(err, ERROR_FAILED, errno, "%s", path);
	fd = host_open_own(h, spare, O_WRONLY | O_CREAT, err);
	if (fd < 0)
		return -1;
	if (TEMP_FAILURE_RETRY(h->ops->fallocate(h->ctx, fd, FALLOC_FL_KEEP_SIZE, 0,
						 st.st_size + SLOT_RESERVE)) < 0 &&
	    errno != EOPNOTSUPP && errno != ENOSYS)
		return error_sys(err, ERROR_FAILED, errno, "room for what closing will write (%s)",
				 spare);
	return 0;
}

int slot_clear(const struct store *s, const char *name, struct error *err)
{
	_cleanup_free_ char *path = store_path(s, name, err);
	_cleanup_free_ char *spare = spare_path(s, name, err);

	if (path == NULL || spare == NULL)
		return -1;
	if (!host_file_exists(s->host, path))
		return 0;
	return swap_names(s, path, spare, false, err);
}

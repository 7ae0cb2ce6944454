/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: the token file is there whole or not at all. It is written beside its place and
 * renamed into it, unless another one was quicker: then that one counts.
 */
#include "deadline/deadline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/path.h"

/* Somebody else makes and removes it all the time: then something is wrong. */
#define TOKEN_TRIES 16

static int refuse_token(struct error *err)
{
	(void)error_set(err, ERROR_REFUSED, "%s is not as rootlatch makes it", DEADLINE_BOOT_FILE);
	return error_hint(err, "Nothing was changed. It tells this boot from the next one. `rm %s` lets "
			  "it be made anew;\nwhat is open until some time then closes as after a "
			  "reboot.", DEADLINE_BOOT_FILE);
}

/* "" when there is none. ERROR_REFUSED for one that is not as we make it. */
static int read_token(const struct host *h, char ret[DEADLINE_TOKEN_LEN + 1], struct error *err)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	struct error why = ERROR_INIT;

	ret[0] = '\0';
	if (host_file_read(h, DEADLINE_BOOT_FILE, HOST_READ_OWN | HOST_READ_NO_DIGEST, &f, &why) < 0) {
		if (why.sys_errno == ENOENT)
			return 0;
		if (why.code == ERROR_REFUSED || why.sys_errno == ENOTDIR)
			return refuse_token(err);
		if (err != NULL)
			*err = why;
		return -1;
	}
	if (f.bytes.len != DEADLINE_TOKEN_LEN ||
	    strspn(f.bytes.data, "0123456789abcdef") != DEADLINE_TOKEN_LEN)
		return refuse_token(err);
	memcpy(ret, f.bytes.data, DEADLINE_TOKEN_LEN + 1);
	return 0;
}

static int write_token(const struct host *h, const char *path, struct error *err)
{
	_cleanup_close_ int fd = host_open(h, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	char token[DEADLINE_TOKEN_LEN + 1];

	if (fd < 0)
		return error_sys(err, ERROR_FAILED, errno, "creating %s", path);
	if (host_random_hex(token, DEADLINE_TOKEN_LEN / 2, err) < 0)
		return -1;
	return host_write_all(h, fd, slice_of(token, DEADLINE_TOKEN_LEN), err);
}

/* One that another process made meanwhile stays, and that is success. */
static int publish_token(const struct host *h, const char *path, struct error *err)
{
	_cleanup_close_ int dir = host_open_dir(h, DEADLINE_RUN_DIR, err);

	if (dir < 0)
		return -1;
	if (h->ops->renameat2(h->ctx, dir, path_basename(path), dir,
			      path_basename(DEADLINE_BOOT_FILE), RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EEXIST && errno != ENOENT) /* ENOENT: swept as a leftover in this very moment */
		return error_sys(err, ERROR_FAILED, errno, "renaming %s", path);
	return host_file_unlink_lazily(h, path, err);
}

static int make_token(const struct host *h, struct error *err)
{
	_cleanup_free_ char *path = NULL;
	char suffix[9];

	if (host_dir_create(h, DEADLINE_RUN_DIR, true, err) < 0 ||
	    host_random_hex(suffix, 4, err) < 0)
		return -1;
	path = str_format(err, "%s.%s", DEADLINE_BOOT_FILE, suffix);
	if (path == NULL)
		return -1;
	if (write_token(h, path, err) < 0 || publish_token(h, path, err) < 0) {
		(void)host_file_unlink_lazily(h, path, NULL);
		return -1;
	}
	return 0;
}

static int need_token(const struct host *h, char ret[DEADLINE_TOKEN_LEN + 1], struct error *err)
{
	for (int i = 0; i < TOKEN_TRIES; i++) {
		if (read_token(h, ret, err) < 0)
			return -1;
		if (ret[0] != '\0')
			return 0;
		if (make_token(h, err) < 0)
			return error_prefix(err, "this boot can't be told from the next one");
	}
	return error_set(err, ERROR_FAILED, "%s does not stay", DEADLINE_BOOT_FILE);
}

static int look_for_token(const struct host *h, char ret[DEADLINE_TOKEN_LEN + 1],
			  struct error *err)
{
	struct error why = ERROR_INIT;

	if (read_token(h, ret, &why) == 0 || why.code == ERROR_REFUSED)
		return 0;
	if (err != NULL)
		*err = why;
	return -1;
}

int deadline_boot_identity(const struct host *h, bool create, char ret[DEADLINE_BOOT_MAX],
			   struct error *err)
{
	char token[DEADLINE_TOKEN_LEN + 1], boot[CLOCK_BOOT_MAX];

	if ((create ? need_token(h, token, err) : look_for_token(h, token, err)) < 0)
		return -1;
	if (clock_boot_identity(boot, err) < 0)
		return -1;
	(void)snprintf(ret, DEADLINE_BOOT_MAX, "%s-%s", boot, token);
	return 0;
}

int deadline_now_read(const struct host *h, struct deadline_now *ret, struct error *err)
{
	struct deadline_now now = { .real_ns = clock_realtime_ns(),
				    .boot_ns = clock_boottime_ns() };

	if (deadline_boot_identity(h, false, now.boot, err) < 0)
		return -1;
	*ret = now;
	return 0;
}

enum deadline_due deadline_is_due(const struct state_toggle *t, const struct deadline_now *now)
{
	bool this_boot_only = t->boot != NULL && t->boot[0] != '\0';

	if (this_boot_only && strcmp(t->boot, now->boot) != 0)
		return DEADLINE_REBOOTED;
	if (t->until_ns == 0)
		return DEADLINE_NOT_DUE;
	if (now->real_ns >= t->until_ns)
		return DEADLINE_PASSED;
	/* the clock since boot means nothing in another boot */
	if (this_boot_only && now->boot_ns >= t->until_boot_ns)
		return DEADLINE_ELAPSED;
	return DEADLINE_NOT_DUE;
}

const char *deadline_due_text(enum deadline_due due)
{
	switch (due) {
	case DEADLINE_PASSED:
		return "its time is over";
	case DEADLINE_ELAPSED:
		return "its time is over, though the clock was set back";
	case DEADLINE_REBOOTED:
		return "the host was booted since";
	case DEADLINE_NOT_DUE:
		break;
	}
	return "its time is not over";
}

int deadline_set(struct state_toggle *t, const struct host *h, int64_t until_ns, bool create,
		 struct error *err)
{
	char boot[DEADLINE_BOOT_MAX];
	char *copy;

	if (deadline_boot_identity(h, create, boot, err) < 0)
		return -1;
	copy = str_dup(boot, err);
	if (copy == NULL)
		return -1;
	free(t->boot);
	t->boot = copy;
	t->until_ns = until_ns;
	t->until_boot_ns = until_ns != 0 ? clock_boottime_ns() + (until_ns - clock_realtime_ns()) : 0;
	return 0;
}

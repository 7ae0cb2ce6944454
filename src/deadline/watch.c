/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: from the moment its file is there under its name the watcher holds the file's lock,
 * its timers stand, and it sees the file go. Timers only wake it up: whether the time is over is
 * asked of the clocks.
 */
#include "deadline/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>

#include "base/path.h"
#include "base/text.h"
#include "base/when.h"
#include "deadline/closer.h"
#include "store/journal.h"
#include "store/log.h"

#define RETRY_MS 5000
#define RETRY_MAX_MS 60000
#define REAP_TIMEOUT_MS (10 * 60 * 1000)
/* Where inotify(7) can't be had the file is looked at so often. */
#define LOOK_MS 2000
/* A reap that fails by itself gets so many chances before the script is tried. */
#define REAP_TRIES 3

enum watch_event {
	WATCH_GONE, /* the file is not ours any more */
	WATCH_DUE,
	WATCH_TIMEOUT,
};

struct watch {
	const struct deadline_watch_terms *terms;
	int file;    /* open, locked */
	int inotify; /* -1: not to be had */
	int real;    /* timerfd_create(2) */
	int boot;
	char snapshot[PLAN_ID_LEN + 1]; /* of the toggle, as it was last seen */
	unsigned failures;
	bool replaces; /* its opening took another one's place */
	bool restored; /* the script said so */
};

static void watch_release(struct watch *w)
{
	const int fds[] = { w->file, w->inotify, w->real, w->boot };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
}

/* ---- publishing */

static int check_terms(const struct deadline_watch_terms *t, struct error *err)
{
	_cleanup_free_ char *dir = path_dirname(t->file, err);

	if (dir == NULL)
		return -1;
	if (!path_is_clean(t->file) || strcmp(dir, DEADLINE_WATCH_DIR) != 0 ||
	    strlen(path_basename(t->file)) != PLAN_ID_LEN ||
	    strspn(path_basename(t->file), "0123456789abcdef") != PLAN_ID_LEN)
		return error_set(err, ERROR_USAGE, "a watcher's file is %s/ID", DEADLINE_WATCH_DIR);
	if (!path_is_clean(t->store->dir) || !text_is_plain(t->toggle) || t->until_real_ns <= 0)
		return error_set(err, ERROR_USAGE, "a watcher needs a toggle, a deadline and a state "
				 "folder");
	return 0;
}

/* CANCEL_ON_SET wakes us when the clock is set (timerfd_create(2)); in this very moment, too. */
static int arm_real(const struct watch *w)
{
	const struct itimerspec at = { .it_value = timespec_of_ns(w->terms->until_real_ns) };
	int r;

	do
		r = timerfd_settime(w->real, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, NULL);
	while (r < 0 && errno == ECANCELED);
	return r;
}

static int open_timers(struct watch *w, struct error *err)
{
	const struct itimerspec at = { .it_value = timespec_of_ns(w->terms->until_boot_ns) };

	w->real = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (w->real < 0 || arm_real(w) < 0)
		return error_sys(err, ERROR_FAILED, errno, "a timer");
	if (w->terms->until_boot_ns <= 0)
		return 0;
	w->boot = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (w->boot < 0 || timerfd_settime(w->boot, TFD_TIMER_ABSTIME, &at, NULL) < 0)
		return error_sys(err, ERROR_FAILED, errno, "a timer");
	return 0;
}

static int write_text(const struct watch *w, struct error *err)
{
	const struct deadline_watch_terms *t = w->terms;
	_cleanup_buffer_ struct buffer b = BUFFER_INIT;
	char until[WHEN_MAX];

	when_format_utc(t->until_real_ns, until);
	if (buffer_printf(&b, err, "pid %d\ntoggle %s\nuntil %s\nstate-dir %s\n", (int)getpid(),
			  t->toggle, until, t->store->dir) < 0)
		return -1;
	return host_write_all(t->host, w->file, slice_of(b.data, b.len), err);
}

static int take_lock(const struct watch *w, const char *path, struct error *err)
{
	const struct host *h = w->terms->host;
	int r;

	do
		r = h->ops->flock(h->ctx, w->file, LOCK_EX);
	while (r < 0 && errno == EINTR);
	return r < 0 ? error_sys(err, ERROR_FAILED, errno, "locking %s", path) : 0;
}

/* The watch is on the file itself, whatever its name: by way of the descriptor. */
static void open_inotify(struct watch *w)
{
	char self[64];

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", w->file);
	w->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->inotify < 0 ||
	    inotify_add_watch(w->inotify, self, IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF) >= 0)
		return;
	(void)close(w->inotify);
	w->inotify = -1;
}

static int rename_into_place(const struct watch *w, const char *from, struct error *err)
{
	const struct host *h = w->terms->host;
	_cleanup_close_ int dir = host_open_dir(h, DEADLINE_WATCH_DIR, err);

	if (dir < 0)
		return -1;
	if (h->ops->renameat2(h->ctx, dir, path_basename(from), dir,
			      path_basename(w->terms->file), RENAME_NOREPLACE) < 0)
		return error_sys(err, ERROR_FAILED, errno, "renaming %s to %s", from,
				 w->terms->file);
	return 0;
}

static int fill_file(struct watch *w, const char *path, struct error *err)
{
	if (take_lock(w, path, err) < 0 || write_text(w, err) < 0 || open_timers(w, err) < 0)
		return -1;
	open_inotify(w);
	return rename_into_place(w, path, err);
}

static int publish(struct watch *w, struct error *err)
{
	const struct host *h = w->terms->host;
	_cleanup_free_ char *path = str_format(err, "%s.new", w->terms->file);

	if (path == NULL || host_dir_create(h, DEADLINE_RUN_DIR, true, err) < 0 ||
	    host_dir_create(h, DEADLINE_WATCH_DIR, true, err) < 0)
		return -1;
	w->file = host_open(h, path, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (w->file < 0)
		return error_sys(err, ERROR_FAILED, errno, "creating %s", path);
	if (fill_file(w, path, err) == 0)
		return 0;
	(void)host_file_unlink_lazily(h, path, NULL);
	return -1;
}

/* ---- waiting */

/* What can't be looked at is taken for ours: a watcher that ends for want of a descriptor would
 * leave open what it should close. */
static bool file_is_ours(const struct watch *w)
{
	const struct host *h = w->terms->host;
	struct stat ours, there;

	if (h->ops->fstatat(h->ctx, w->file, "", &ours, AT_EMPTY_PATH) < 0)
		return true;
	if (ours.st_nlink == 0)
		return false;
	if (host_lstat(h, w->terms->file, &there) < 0)
		return errno != ENOENT;
	return ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

static bool is_due(const struct watch *w)
{
	return clock_realtime_ns() >= w->terms->until_real_ns ||
	       (w->terms->until_boot_ns > 0 && clock_boottime_ns() >= w->terms->until_boot_ns);
}

/* Whatever woke us up is taken, so that it does not do so again; a clock that was set leaves the
 * timer cancelled. */
static void take_events(const struct watch *w)
{
	char events[4096];
	uint64_t n;

	while (w->inotify >= 0 && read(w->inotify, events, sizeof(events)) > 0)
		;
	while (w->boot >= 0 && read(w->boot, &n, sizeof(n)) > 0)
		;
	if (read(w->real, &n, sizeof(n)) >= 0 || errno != EAGAIN)
		(void)arm_real(w);
}

static int poll_timeout(const struct watch *w, int64_t until_ns)
{
	int64_t left = INT_MAX;

	if (until_ns >= 0)
		left = (until_ns - clock_boottime_ns() + 999999) / 1000000;
	else if (w->inotify >= 0)
		return -1;
	if (w->inotify < 0 && left > LOOK_MS)
		left = LOOK_MS;
	return left > 0 ? (int)(left < INT_MAX ? left : INT_MAX) : 0;
}

/* For the deadline, at most `timeout_ms`, or (-1) as long as it takes. With `timers` false the
 * deadline is behind us already. */
static enum watch_event watch_wait(const struct watch *w, bool timers, int64_t timeout_ms)
{
	int64_t until = timeout_ms < 0 ? -1 : clock_boottime_ns() + timeout_ms * 1000000;

	for (;;) {
		struct pollfd fds[] = { { .fd = w->inotify, .events = POLLIN },
					{ .fd = timers ? w->real : -1, .events = POLLIN },
					{ .fd = timers ? w->boot : -1, .events = POLLIN } };

		if (!file_is_ours(w))
			return WATCH_GONE;
		if (timers && is_due(w))
			return WATCH_DUE;
		if (until >= 0 && clock_boottime_ns() >= until)
			return WATCH_TIMEOUT;
		if (poll(fds, ARRAY_SIZE(fds), poll_timeout(w, until)) < 0 && errno != EINTR)
			clock_sleep_ms(100); /* no memory: not as fast as it can */
		take_events(w);
	}
}

/* ---- whether anybody wants it */

static bool took_place(const struct state *s, const char *id)
{
	for (size_t i = 0; i < s->n_events; i++)
		if (strcmp(s->events[i].id, id) == 0)
			return s->events[i].undoes[0] != '\0';
	return false;
}

/* A journal although nobody holds the lock is a transaction that was cut off: what it opened may be
 * open. It is looked for first: a transaction ends it last. */
static bool is_wanted_now(struct watch *w)
{
	const struct store *store = w->terms->store;
	_cleanup_state_ struct state state = STATE_INIT;
	bool cut_off = journal_exists(store);
	struct error why = ERROR_INIT;

	if (state_read(store, &state, &why) < 0)
		return true;
	for (size_t i = 0; i < state.n_toggles; i++) {
		const struct state_toggle *t = &state.toggles[i];

		if (t->watch == NULL || strcmp(t->watch, w->terms->file) != 0)
			continue;
		memcpy(w->snapshot, t->id, sizeof(w->snapshot));
		w->replaces = took_place(&state, t->id);
		return true;
	}
	return cut_off;
}

/* While somebody holds the lock it is not known yet. */
static bool is_wanted(struct watch *w)
{
	bool is;

	if (!store_lock_shared(w->terms->store))
		return true;
	is = is_wanted_now(w);
	store_unlock(w->terms->store);
	return is;
}

/* The transaction that started us holds the lock until it is done. */
static enum watch_event wait_for_lock(struct watch *w)
{
	enum watch_event event = WATCH_TIMEOUT;

	while (event == WATCH_TIMEOUT && store_exists(w->terms->store)) {
		if (store_lock_shared(w->terms->store)) {
			store_unlock(w->terms->store);
			break;
		}
		event = watch_wait(w, true, 0);
	}
	return event;
}

/* ---- closing */

static void log_last_resort(const struct watch *w, int status)
{
	json_t *event = json_pack("{s:s, s:s, s:s, s:i}", "event", "last-resort", "toggle",
				  w->terms->toggle, "id", w->snapshot, "status", status);

	if (event == NULL)
		return;
	log_append(w->terms->store, event);
	json_decref(event);
}

static int run(const struct watch *w, char *const *argv, bool *ret_killed)
{
	const struct host_command cmd = { .argv = argv, .timeout_ms = REAP_TIMEOUT_MS };
	_cleanup_host_outcome_ struct host_outcome outcome = HOST_OUTCOME_INIT;

	*ret_killed = false;
	if (host_run(w->terms->host, &cmd, &outcome, NULL) < 0)
		return 127;
	*ret_killed = outcome.killed;
	return outcome.status;
}

/* Our program can't do it: the snapshot of the opening can be put back without it. But the snapshot
 * of one that took another's place holds that one, and it may be the wider of the two. */
static void restore_by_script(struct watch *w)
{
	const struct store *store = w->terms->store;
	_cleanup_free_ char *script = str_format(NULL, "%s/snapshots/%s/restore.sh", store->dir,
						 w->snapshot);
	char *const argv[] = { (char *)"/bin/sh", script, NULL };
	bool killed;
	int status;

	if (w->restored || w->replaces || script == NULL || store_check(store, NULL) < 0)
		return;
	status = run(w, argv, &killed);
	w->restored = status == 0;
	log_last_resort(w, status);
}

/* 75: another rootlatch is at work, which may be closing it. 0: done, or not due as it sees it. */
static bool reap_failed(struct watch *w)
{
	const char *program = w->terms->program != NULL ? w->terms->program : "/proc/self/exe";
	_cleanup_strings_ struct strings argv = STRINGS_INIT;
	bool killed;
	int status;

	if (closer_reap_argv_of(program, w->terms->store, &argv, NULL) < 0)
		return false;
	status = run(w, argv.items, &killed);
	if (status == 0 || status == ERROR_BUSY)
		return false;
	w->failures++;
	return killed || status == 126 || status == 127 || w->failures >= REAP_TRIES;
}

static void close_it(struct watch *w)
{
	int64_t pause = w->terms->retry_ms != 0 ? w->terms->retry_ms : RETRY_MS;

	for (;;) {
		bool failed = reap_failed(w);

		if (!is_wanted(w))
			return;
		if (failed)
			restore_by_script(w);
		if (watch_wait(w, false, pause) == WATCH_GONE)
			return;
		pause = pause < RETRY_MAX_MS / 2 ? 2 * pause : RETRY_MAX_MS;
	}
}

static int leave(const struct watch *w)
{
	if (file_is_ours(w))
		(void)host_file_unlink_lazily(w->terms->host, w->terms->file, NULL);
	return 0;
}

int deadline_watch(const struct deadline_watch_terms *terms, struct error *err)
{
	_cleanup_(watch_release) struct watch w = { .terms = terms, .file = -1, .inotify = -1,
						    .real = -1, .boot = -1 };
	enum watch_event event;

	if (check_terms(terms, err) < 0)
		return -1;
	memcpy(w.snapshot, path_basename(terms->file), sizeof(w.snapshot));
	if (chdir("/") < 0)
		return error_sys(err, ERROR_FAILED, errno, "/");
	if (publish(&w, err) < 0)
		return -1;
	event = wait_for_lock(&w);
	if (event == WATCH_TIMEOUT) {
		if (!is_wanted(&w))
			return leave(&w);
		event = watch_wait(&w, true, -1);
	}
	if (event == WATCH_DUE)
		close_it(&w);
	return leave(&w);
}

char *deadline_watch_state_dir(const struct host *h, const char *file)
{
	static const char key[] = "\nstate-dir ";
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	const char *line;

	if (host_file_read(h, file, HOST_READ_OWN | HOST_READ_NO_DIGEST, &f, NULL) < 0)
		return NULL;
	line = strstr(f.bytes.data, key);
	if (line == NULL || strchr(line + 1, '\n') == NULL)
		return NULL;
	line += strlen(key);
	return str_ndup(line, strcspn(line, "\n"), NULL);
}

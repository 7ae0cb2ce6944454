/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A real watcher, in a child. Its `reap` is a script that keeps a record of its calls in
 * /run/reaps, a line each, and does what a test wants of it.
 */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deadline/watch.h"
#include "store/state.h"

#define STATE_DIR "/run/box/lib"
#define ID "0badcafe"
#define FILE_ DEADLINE_WATCH_DIR "/" ID
#define REAP "/run/reap"
#define HOUR (3600 * NSEC_PER_SEC)

static struct host live = HOST_INIT;
static struct store store = STORE_INIT;
static int the_lock = -1; /* of a transaction; a program that is executed does not get it */

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	cr_assert(f != NULL, "%s: %s", path, strerror(errno));
	cr_assert(fputs(text, f) >= 0);
	cr_assert(eq(int, fclose(f), 0));
	cr_assert(eq(int, chmod(path, mode), 0));
}

static void enter(void)
{
	struct error err = ERROR_INIT;

	box_enter();
	if (!box()->is_private)
		cr_skip_test("no mounts of its own");
	box_ok(host_init(&live, "/", &fault_ops, &box()->fault, &err));
	box_ok(store_init(&store, &live, STATE_DIR, &err));
	cr_assert(eq(int, mkdir(STATE_DIR, 0700), 0));
	write_file(STATE_DIR "/lock", "", 0600);
}

static void leave(void)
{
	store_release(&store);
	host_release(&live);
	box_leave();
}

TestSuite(deadline_watch, .init = enter, .fini = leave, .timeout = 120);

/* ---- the scene */

static void write_state(bool open)
{
	struct state s = STATE_INIT;
	struct state_toggle t = {
		.name = strdup("root-login"), .boot = strdup("b"), .watch = strdup(FILE_),
		.by = strdup("alice"), .placement = strdup("runtime"), .allow = strdup("yes"),
		.was = strdup("no"), .is = strdup("yes"), .config = strdup("/etc/ssh/sshd_config"),
		.id = ID,
	};
	struct error err = ERROR_INIT;

	if (open)
		box_ok(state_add_toggle(&s, &t, &err));
	else
		state_toggle_release(&t);
	box_ok(state_write(&store, &s, &err));
	state_release(&s);
}

/* The toggle is applied; /run/closed is the state without it, for the script to install. */
static void open_it(void)
{
	write_state(false);
	cr_assert(eq(int, rename(STATE_DIR "/state.json", "/run/closed"), 0));
	write_state(true);
}

#define CLOSE "cp -p /run/closed " STATE_DIR "/state.new && mv " STATE_DIR "/state.new " STATE_DIR \
	      "/state.json\n"
/* The first N calls do something else. */
#define AFTER(n, before) "[ $(wc -l </run/reaps) -gt " #n " ] || " before "\n"

static void on_reap(const char *script)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "#!/bin/sh\necho \"$*\" >>/run/reaps\n%s", script);
	write_file(REAP, text, 0755);
}

static void on_restore(const char *script)
{
	char text[1024];

	cr_assert(eq(int, system("mkdir -pm 700 " STATE_DIR "/snapshots/" ID), 0));
	(void)snprintf(text, sizeof(text), "echo restored >>/run/restores\n%s", script);
	write_file(STATE_DIR "/snapshots/" ID "/restore.sh", text, 0600);
}

static unsigned lines_in(const char *path)
{
	FILE *f = fopen(path, "r");
	unsigned n = 0;

	for (int c; f != NULL && (c = getc(f)) != EOF;)
		n += c == '\n';
	if (f != NULL)
		(void)fclose(f);
	return n;
}

/* ---- the watcher */

static struct deadline_watch_terms terms_of(int64_t real_in_ns, int64_t boot_in_ns)
{
	return (struct deadline_watch_terms){
		.host = &live, .store = &store, .file = FILE_, .toggle = "root-login",
		.until_real_ns = clock_realtime_ns() + real_in_ns,
		.until_boot_ns = clock_boottime_ns() + boot_in_ns, .program = REAP, .retry_ms = 1,
	};
}

static pid_t start(struct deadline_watch_terms terms)
{
	pid_t pid = fork();

	cr_assert(ge(int, pid, 0));
	if (pid == 0) {
		struct error err = ERROR_INIT;
		int r;

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close(the_lock);
		r = deadline_watch(&terms, &err);
		_exit(r == 0 ? 0 : err.code);
	}
	return pid;
}

static int wait_for_end(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		cr_assert(eq(int, errno, EINTR));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static void wait_until_there(const char *path, pid_t pid)
{
	while (!is_there(path)) {
		cr_assert(eq(int, waitpid(pid, NULL, WNOHANG), 0), "it ended");
		clock_sleep_ms(2);
	}
}

static void wait_for_lines(const char *path, unsigned n, pid_t pid)
{
	while (lines_in(path) < n) {
		cr_assert(eq(int, waitpid(pid, NULL, WNOHANG), 0), "it ended");
		clock_sleep_ms(2);
	}
}

/* ---- its file */

Test(deadline_watch, file_is_there_locked_and_says_whose_it_is)
{
	struct deadline_watch_terms terms = terms_of(HOUR, HOUR);
	_cleanup_free_ char *dir = NULL;
	char wanted[256];
	struct stat st;
	pid_t pid;

	open_it();
	terms.until_real_ns = 4102444800 * NSEC_PER_SEC;
	pid = start(terms);
	wait_until_there(FILE_, pid);
	cr_expect(host_file_is_locked(&live, FILE_));
	(void)snprintf(wanted, sizeof(wanted), "pid %d\ntoggle root-login\n"
		       "until 2100-01-01T00:00:00Z\nstate-dir %s\n", (int)pid, STATE_DIR);
	box_str(box_text("/../rootlatch/watch/" ID), wanted);
	box_str(box_names("/../rootlatch/watch"), " " ID);
	cr_assert(eq(int, stat(FILE_, &st), 0));
	cr_expect(eq(uint, st.st_mode & 07777, 0600));
	cr_expect(eq(uint, box_mode("/../rootlatch/watch"), 0700));
	cr_expect(eq(uint, box_mode("/../rootlatch"), 0700));
	dir = deadline_watch_state_dir(&live, FILE_);
	box_str(dir, STATE_DIR);
	(void)kill(pid, SIGKILL);
	cr_expect(eq(int, wait_for_end(pid), 128 + SIGKILL));
	/* whoever looks sees that nobody watches any more */
	cr_expect(not(host_file_is_locked(&live, FILE_)));
}

Test(deadline_watch, ends_when_its_file_goes)
{
	static const char *const ways[] = { "rm " FILE_, "mv " FILE_ " /run/away",
					    "echo x >/run/new; mv /run/new " FILE_ };

	open_it();
	on_reap("");
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		pid_t pid = start(terms_of(HOUR, HOUR));

		wait_until_there(FILE_, pid);
		cr_assert(eq(int, system(ways[i]), 0));
		cr_expect(eq(int, wait_for_end(pid), 0), "%s", ways[i]);
		/* one that another put there is not its own */
		cr_expect(eq(int, is_there(FILE_), strstr(ways[i], "new") != NULL), "%s", ways[i]);
		(void)unlink(FILE_);
	}
	cr_expect(eq(uint, lines_in("/run/reaps"), 0));
}

Test(deadline_watch, takes_nobodys_file_and_leaves_nothing_when_it_can_not_begin)
{
	struct deadline_watch_terms terms = terms_of(HOUR, HOUR);
	struct error err = ERROR_INIT;

	open_it();
	cr_assert(eq(int, mkdir(DEADLINE_RUN_DIR, 0700), 0));
	cr_assert(eq(int, mkdir(DEADLINE_WATCH_DIR, 0700), 0));
	write_file(FILE_, "somebody's\n", 0600);
	box_fails(deadline_watch(&terms, &err), ERROR_FAILED, "renaming");
	box_str(box_text("/../rootlatch/watch/" ID), "somebody's\n");
	box_str(box_names("/../rootlatch/watch"), " " ID);
	cr_assert(eq(int, chmod(DEADLINE_WATCH_DIR, 0777), 0));
	box_fails(deadline_watch(&terms, &err), ERROR_REFUSED, DEADLINE_WATCH_DIR);
}

Test(deadline_watch, leaves_nothing_whatever_fails_before_it_is_seen)
{
	struct fault *f = &box()->fault;

	open_it();
	write_state(false); /* when nothing fails any more it ends by itself */
	for (unsigned n = 1;; n++) {
		const struct deadline_watch_terms terms = terms_of(HOUR, HOUR);
		struct error err = ERROR_INIT;
		int r;

		fault_arm(f, FAULT_ERROR, n, EIO);
		f->only = FAULT_OPEN | FAULT_WRITE | FAULT_LOCK | FAULT_RENAME | FAULT_MKDIR;
		r = deadline_watch(&terms, &err);
		if (!fault_disarm(f) || r == 0)
			break;
		cr_expect(not(is_there(FILE_)), "call %u", n);
		cr_expect(not(is_there(FILE_ ".new")), "call %u: %s", n, f->last);
		cr_assert(lt(uint, n, 200));
	}
	cr_expect(not(is_there(FILE_)));
}

Test(deadline_watch, is_told_what_it_needs)
{
	static const struct {
		const char *what, *file, *toggle;
		int64_t until;
	} rows[] = {
		{ "another folder", "/etc/0badcafe", "root-login", 1 },
		{ "no id", DEADLINE_WATCH_DIR "/password", "root-login", 1 },
		{ "a way out", DEADLINE_WATCH_DIR "/../0badcafe", "root-login", 1 },
		{ "a line more", FILE_, "x\nstate-dir /", 1 },
		{ "no deadline", FILE_, "root-login", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct deadline_watch_terms terms = terms_of(HOUR, HOUR);
		struct error err = ERROR_INIT;

		terms.file = rows[i].file;
		terms.toggle = rows[i].toggle;
		terms.until_real_ns = rows[i].until;
		cr_expect(eq(int, deadline_watch(&terms, &err), -1), "%s", rows[i].what);
		cr_expect(eq(int, (int)err.code, (int)ERROR_USAGE), "%s", rows[i].what);
	}
	cr_expect(not(is_there(DEADLINE_RUN_DIR)));
}

/* ---- beginning */

Test(deadline_watch, ends_when_nobody_wants_it)
{
	write_state(false);
	cr_expect(eq(int, wait_for_end(start(terms_of(HOUR, HOUR))), 0));
	cr_expect(not(is_there(FILE_)));
	/* no state at all */
	cr_assert(eq(int, system("rm -r " STATE_DIR), 0));
	cr_expect(eq(int, wait_for_end(start(terms_of(HOUR, HOUR))), 0));
	cr_expect(not(is_there(FILE_)));
	cr_expect(not(is_there(STATE_DIR)));
}

static void lock(void)
{
	the_lock = open(STATE_DIR "/lock", O_RDWR | O_CLOEXEC);
	cr_assert(ge(int, the_lock, 0));
	cr_assert(eq(int, flock(the_lock, LOCK_EX), 0));
}

static void unlock(void)
{
	(void)close(the_lock);
	the_lock = -1;
}

Test(deadline_watch, waits_for_the_transaction_that_started_it)
{
	struct deadline_watch_terms terms = terms_of(HOUR, HOUR);
	pid_t pid;

	lock();
	/* nothing is recorded yet: without waiting it would end */
	write_state(false);
	terms.until_boot_ns = clock_boottime_ns() + 2 * NSEC_PER_SEC;
	on_reap("rm " FILE_);
	pid = start(terms);
	wait_until_there(FILE_, pid);
	open_it();
	unlock();
	cr_expect(eq(int, wait_for_end(pid), 0));
	cr_expect(eq(uint, lines_in("/run/reaps"), 1));
}

Test(deadline_watch, ends_when_a_long_transaction_recorded_nothing)
{
	pid_t pid;

	lock();
	write_state(false);
	pid = start(terms_of(HOUR, HOUR));
	wait_until_there(FILE_, pid);
	clock_sleep_ms(1500); /* longer than anybody who only reads waits */
	unlock();
	cr_expect(eq(int, wait_for_end(pid), 0));
	cr_expect(not(is_there(FILE_)));
}

Test(deadline_watch, ends_when_the_transaction_that_started_it_is_put_back)
{
	pid_t pid;

	lock();
	pid = start(terms_of(HOUR, HOUR));

	wait_until_there(FILE_, pid);
	cr_assert(eq(int, unlink(FILE_), 0));
	cr_expect(eq(int, wait_for_end(pid), 0));
	unlock();
}

Test(deadline_watch, stays_for_a_transaction_that_was_cut_off)
{
	pid_t pid;

	write_state(false);
	write_file(STATE_DIR "/journal", "", 0600);
	on_reap("rm " STATE_DIR "/journal");
	pid = start(terms_of(NSEC_PER_SEC / 2, HOUR));
	cr_expect(eq(int, wait_for_end(pid), 0));
	cr_expect(eq(uint, lines_in("/run/reaps"), 1));
	cr_expect(not(is_there(FILE_)));
}

Test(deadline_watch, stays_for_a_state_that_can_not_be_read)
{
	pid_t pid;

	write_file(STATE_DIR "/state.json", "{", 0600);
	on_reap("rm " STATE_DIR "/state.json");
	pid = start(terms_of(NSEC_PER_SEC / 2, HOUR));
	cr_expect(eq(int, wait_for_end(pid), 0));
	cr_expect(eq(uint, lines_in("/run/reaps"), 1));
}

Test(deadline_watch, holds_no_lock_while_it_waits)
{
	struct error err = ERROR_INIT;
	pid_t pid;

	open_it();
	pid = start(terms_of(HOUR, HOUR));
	wait_until_there(FILE_, pid);
	box_ok(store_lock(&store, false, 60, &err));
	store_unlock(&store);
	(void)unlink(FILE_);
	cr_expect(eq(int, wait_for_end(pid), 0));
}

/* ---- closing */

Test(deadline_watch, has_reap_run_at_the_deadline_by_either_clock)
{
	static const struct {
		const char *what;
		int64_t real_in_ns, boot_in_ns;
	} rows[] = {
		{ "both are over", -HOUR, -1 },
		{ "the wall clock", NSEC_PER_SEC / 5, HOUR },
		{ "the clock was set back", HOUR, NSEC_PER_SEC / 5 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_it();
		on_reap(CLOSE);
		cr_expect(eq(int, wait_for_end(start(terms_of(rows[i].real_in_ns,
							      rows[i].boot_in_ns))), 0));
		box_str(box_text("/../reaps"), "reap --quiet --wait 50 --state-dir " STATE_DIR "\n",
			"%s", rows[i].what);
		cr_expect(not(is_there(FILE_)), "%s", rows[i].what);
		(void)unlink("/run/reaps");
	}
}

Test(deadline_watch, does_not_go_by_a_clock_that_it_was_not_given)
{
	struct deadline_watch_terms terms = terms_of(NSEC_PER_SEC / 2, 0);

	open_it();
	on_reap(CLOSE);
	terms.until_boot_ns = 0;
	cr_expect(eq(int, wait_for_end(start(terms)), 0));
	cr_expect(ge(i64, clock_realtime_ns(), terms.until_real_ns));
}

Test(deadline_watch, tries_again_until_it_is_closed)
{
	static const char *const before[] = { "exit 0", "exit 1", "exit 75", "exit 4" };

	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		char script[512];

		open_it();
		(void)snprintf(script, sizeof(script), "[ $(wc -l </run/reaps) -gt 4 ] || %s\n" CLOSE,
			       before[i]);
		on_reap(script);
		cr_expect(eq(int, wait_for_end(start(terms_of(-1, -1))), 0), "%s", before[i]);
		cr_expect(eq(uint, lines_in("/run/reaps"), 5), "%s", before[i]);
		cr_expect(not(is_there(FILE_)), "%s", before[i]);
		(void)unlink("/run/reaps");
	}
}

Test(deadline_watch, does_not_try_again_when_its_file_is_gone)
{
	open_it();
	on_reap("rm " FILE_ "; exit 1");
	cr_expect(eq(int, wait_for_end(start(terms_of(-1, -1))), 0));
	cr_expect(eq(uint, lines_in("/run/reaps"), 1));
}

/* ---- the last resort */

Test(deadline_watch, restores_by_the_script_when_the_program_is_gone)
{
	struct deadline_watch_terms terms = terms_of(-1, -1);

	open_it();
	on_restore("rm " FILE_);
	terms.program = "/no/such/rootlatch";
	cr_expect(eq(int, wait_for_end(start(terms)), 0));
	cr_expect(eq(uint, lines_in("/run/restores"), 1));
}

Test(deadline_watch, restores_once_when_the_program_does_not_work)
{
	static const struct {
		const char *how;
		unsigned tries; /* before the script is asked */
	} rows[] = { { "kill -9 $$", 1 }, { "exit 127", 1 }, { "exit 126", 1 }, { "exit 1", 3 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char script[256];

		open_it();
		on_restore("wc -l </run/reaps >/run/tries");
		(void)snprintf(script, sizeof(script), "[ $(wc -l </run/reaps) -gt 5 ] || %s\n" CLOSE,
			       rows[i].how);
		on_reap(script);
		cr_expect(eq(int, wait_for_end(start(terms_of(-1, -1))), 0));
		cr_expect(eq(uint, lines_in("/run/restores"), 1), "%s", rows[i].how);
		cr_expect(eq(int, atoi(box_text("/../tries")), (int)rows[i].tries), "%s", rows[i].how);
		cr_expect(strstr(box_text("/lib/log"), "\"last-resort\"") != NULL);
		(void)unlink("/run/reaps");
		(void)unlink("/run/restores");
	}
}

Test(deadline_watch, restores_again_when_the_script_failed)
{
	open_it();
	on_restore("[ $(wc -l </run/restores) -gt 2 ]");
	on_reap(AFTER(6, "exit 127") CLOSE);
	cr_expect(eq(int, wait_for_end(start(terms_of(-1, -1))), 0));
	cr_expect(eq(uint, lines_in("/run/restores"), 3));
}

Test(deadline_watch, does_not_restore_what_another_is_closing_or_what_is_not_due)
{
	static const char *const how[] = { "exit 75", "exit 0" };

	for (size_t i = 0; i < ARRAY_SIZE(how); i++) {
		char script[256];

		open_it();
		on_restore("");
		(void)snprintf(script, sizeof(script), "[ $(wc -l </run/reaps) -gt 5 ] || %s\n" CLOSE,
			       how[i]);
		on_reap(script);
		cr_expect(eq(int, wait_for_end(start(terms_of(-1, -1))), 0));
		cr_expect(not(is_there("/run/restores")), "%s", how[i]);
		(void)unlink("/run/reaps");
	}
}

Test(deadline_watch, does_not_restore_an_opening_that_this_one_took_the_place_of)
{
	struct deadline_watch_terms terms = terms_of(-1, -1);
	struct state s = STATE_INIT;
	struct error err = ERROR_INIT;
	pid_t pid;

	open_it();
	box_ok(state_read(&store, &s, &err));
	box_ok(state_add_event(&s, ID, "open", "root-login", "0badf00d", 1, &err));
	box_ok(state_write(&store, &s, &err));
	state_release(&s);
	on_restore("");
	on_reap("exit 127");
	pid = start(terms);
	wait_for_lines("/run/reaps", 5, pid);
	cr_assert(eq(int, unlink(FILE_), 0));
	cr_expect(eq(int, wait_for_end(pid), 0));
	cr_expect(not(is_there("/run/restores")));
}

Test(deadline_watch, runs_no_script_from_a_folder_that_is_anybodys)
{
	pid_t pid;

	open_it();
	on_restore("");
	on_reap("exit 127");
	cr_assert(eq(int, chmod(STATE_DIR, 0777), 0));
	pid = start(terms_of(-1, -1));
	wait_for_lines("/run/reaps", 5, pid);
	cr_assert(eq(int, unlink(FILE_), 0));
	cr_expect(eq(int, wait_for_end(pid), 0));
	cr_expect(not(is_there("/run/restores")));
}

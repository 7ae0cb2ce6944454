/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What arms and what disarms, as steps; nothing of it is carried out here. The host is the real
 * one, for a closer needs something that runs; /run and /etc are the test's own.
 */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deadline/closer.h"

#define STATE_DIR "/run/box/lib"
#define PROGRAM "/run/box/rootlatch"
#define OPEN_ID "0badcafe"
#define OTHER_ID "0badf00d"
#define BOOT "b-1-0123456789abcdef"
#define UNTIL 1772371800000000000
#define UNTIL_BOOT 3600000000000
#define WATCH_FILE DEADLINE_WATCH_DIR "/" OPEN_ID

static struct host live = HOST_INIT;
static struct store store = STORE_INIT;
static struct closer_context context = CLOSER_CONTEXT_INIT;

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
	cr_assert(eq(int, mount("tmpfs", "/etc", "tmpfs", 0, "mode=0755"), 0));
	cr_assert(eq(int, mkdir("/etc/cron.d", 0755), 0));
	write_file(PROGRAM, "", 0755);
	box_ok(host_init(&live, "/", &fault_ops, &box()->fault, &err));
	box_ok(store_init(&store, &live, STATE_DIR, &err));
	box_ok(closer_context_init(&context, &live, &store, &err));
	free(context.program);
	context.program = strdup(PROGRAM);
}

static void leave(void)
{
	closer_context_release(&context);
	store_release(&store);
	host_release(&live);
	box_leave();
}

TestSuite(closers, .init = enter, .fini = leave, .timeout = 60);

static const char *cron_path(void)
{
	static char path[64];
	struct error err = ERROR_INIT;
	_cleanup_free_ char *p = closer_cron_path(&store, &err);

	(void)strcpy(path, p);
	return path;
}

static const char *cron_text(void)
{
	static char text[1024];
	struct error err = ERROR_INIT;
	_cleanup_free_ char *t = closer_cron_text(&context, &err);

	(void)strcpy(text, t);
	return text;
}

/* ---- daemons */

struct daemon {
	const char *exe;  /* a copy of sleep(1) */
	const char *name; /* by which it is started */
	uid_t uid;
	bool elsewhere;   /* with a /etc/cron.d of its own */
};

static const struct daemon cron = { .exe = "/run/cron", .name = "/run/cron" };

static void __attribute__((noreturn)) be_daemon(const struct daemon *d)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (d->elsewhere && (unshare(CLONE_NEWNS) < 0 ||
			     mount("tmpfs", "/etc/cron.d", "tmpfs", 0, NULL) < 0))
		_exit(1);
	if (d->uid != 0 && setuid(d->uid) < 0)
		_exit(1);
	(void)execl(d->name, d->name, "600", (char *)NULL);
	_exit(1);
}

static bool is_called(pid_t pid, const char *name)
{
	char path[64], comm[32] = "";
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, comm, sizeof(comm) - 1) < 0)
		comm[0] = '\0';
	(void)close(fd);
	return strncmp(comm, name, strlen(name)) == 0;
}

/* Returns once it is under way. */
static pid_t start(const struct daemon *d)
{
	char command[256];
	pid_t pid;

	(void)snprintf(command, sizeof(command), "cp /bin/sleep %s", d->exe);
	cr_assert(eq(int, system(command), 0));
	if (strcmp(d->exe, d->name) != 0)
		cr_assert(eq(int, symlink(d->exe, d->name), 0));
	pid = fork();
	if (pid == 0)
		be_daemon(d);
	cr_assert(gt(int, pid, 0));
	while (!is_called(pid, strrchr(d->name, '/') + 1)) {
		cr_assert(eq(int, waitpid(pid, NULL, WNOHANG), 0));
		(void)usleep(1000);
	}
	return pid;
}

static void stop(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

Test(closers, cron_counts_when_it_is_roots_and_reads_our_folder)
{
	static const struct {
		const char *what;
		struct daemon daemon;
		bool runs;
	} rows[] = {
		{ "Debian's", { "/run/cron", "/run/cron", 0, false }, true },
		{ "Red Hat's", { "/run/crond", "/run/crond", 0, false }, true },
		{ "a user's", { "/run/cron2/cron", "/run/cron2/cron", 65534, false }, false },
		{ "a container's", { "/run/cron3/cron", "/run/cron3/cron", 0, true }, false },
		{ "BusyBox's", { "/run/busybox", "/run/b/crond", 0, false }, false },
		{ "another program", { "/run/crontab", "/run/crontab", 0, false }, false },
	};
	struct error err = ERROR_INIT;
	const char *why;
	bool runs;

	cr_assert(eq(int, system("mkdir -m 755 /run/cron2 /run/cron3 /run/b"), 0));
	box_ok(closer_cron_runs(&live, &runs, &why, &err));
	cr_expect(not(runs));
	box_str(why, "cron is not running");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		pid_t pid = start(&rows[i].daemon);

		box_ok(closer_cron_runs(&live, &runs, &why, &err));
		cr_expect(eq(int, runs, rows[i].runs), "%s", rows[i].what);
		if (strcmp(rows[i].what, "BusyBox's") == 0)
			cr_expect(strstr(why, "BusyBox") != NULL, "%s", why);
		stop(pid);
	}
	(void)rmdir("/etc/cron.d");
	box_ok(closer_cron_runs(&live, &runs, &why, &err));
	cr_expect(not(runs));
	cr_expect(strstr(why, "no folder") != NULL, "%s", why);
}

/* ---- texts */

Test(closers, cron_is_told_one_line)
{
	free(context.program);
	context.program = strdup("/usr/sbin/rootlatch");
	box_str(cron_text(),
		"# Written by rootlatch: what is open for a while is closed again when its time is over.\n"
		"# It goes with the last opening; `rootlatch status` says what is open.\n"
		"* * * * * root /usr/sbin/rootlatch reap --quiet --wait 50 --state-dir /run/box/lib\n");
	box_str(cron_path(), "/etc/cron.d/rootlatch-6bf34d7d");
	free(store.dir);
	store.dir = strdup("/var/lib/rootlatch");
	cr_expect(strstr(cron_text(), "\n* * * * * root /usr/sbin/rootlatch reap --quiet --wait 50\n") !=
		  NULL, "%s", cron_text());
	box_str(cron_path(), "/etc/cron.d/rootlatch");
}

Test(closers, words_are_plain_or_not)
{
	static const struct {
		const char *word;
		bool plain;
	} rows[] = {
		{ "/usr/sbin/rootlatch", true }, { "/srv/gr\xc3\xb6\xc3\x9f" "e/x-1_2+3@4,5:6=7", true },
		{ "/a b", false }, { "/a\tb", false }, { "/a%b", false }, { "/a$b", false },
		{ "/a'b", false }, { "/a\"b", false }, { "/a\\b", false }, { "/a;b", false },
		{ "/a&b", false }, { "/a*b", false }, { "/a~b", false }, { "/a\nb", false },
		{ "/a`b", false }, { "/a#b", false }, { "/a|b", false }, { "/a(b", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *items[] = { (char *)"ok", (char *)rows[i].word, NULL };
		const struct strings argv = { .items = items, .len = 2 };

		cr_expect(eq(int, closer_argv_is_plain(&argv), rows[i].plain), "%s", rows[i].word);
	}
}

/* ---- arming */

struct job {
	struct plan plan;
	struct state after;
	struct strings missing;
};

#define _cleanup_job_ _cleanup_(job_release)

static void job_release(struct job *j)
{
	plan_release(&j->plan);
	state_release(&j->after);
	strings_release(&j->missing);
	*j = (struct job){ .plan = PLAN_INIT };
}

static void add_toggle(struct state *s, const char *name, const char *placement)
{
	struct state_toggle t = {
		.name = strdup(name), .until_ns = UNTIL, .until_boot_ns = UNTIL_BOOT,
		.boot = strdup(BOOT), .by = strdup("alice"), .placement = strdup(placement),
		.allow = strdup("yes"), .was = strdup("no"), .is = strdup("yes"),
		.config = strdup("/etc/ssh/sshd_config"),
	};
	struct error err = ERROR_INIT;

	memcpy(t.id, OPEN_ID, sizeof(t.id));
	box_ok(state_add_toggle(s, &t, &err));
}

/* A plan with a step of the toggle's own. */
static struct job new_job(const char *id)
{
	struct job j = { .plan = PLAN_INIT, .after = STATE_INIT };
	struct step s = { .path = strdup("/etc/toggle"), .temp = strdup("/etc/.toggle") };
	struct error err = ERROR_INIT;

	memcpy(j.plan.id, id, sizeof(j.plan.id));
	box_ok(plan_add(&j.plan, &s, &err));
	return j;
}

static struct job new_opening(const char *placement)
{
	struct job j = new_job(OPEN_ID);

	add_toggle(&j.after, "root-login", placement);
	return j;
}

static void arm(struct job *j, const char *toggle)
{
	struct error err = ERROR_INIT;

	box_ok(deadline_arm(&context, toggle, &j->plan, &j->after, &j->missing, &err));
}

static const char *joined(const struct strings *s)
{
	static char texts[4][2048];
	static unsigned next;
	char *ret = texts[next++ % ARRAY_SIZE(texts)];
	size_t len = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < s->len; i++)
		len += (size_t)snprintf(ret + len, sizeof(texts[0]) - len, "%s%s", i > 0 ? " " : "",
					s->items[i]);
	return ret;
}

/* "START PATH", a word each step. */
static const char *steps_of(const struct plan *p)
{
	static const char *const kinds[] = { "REPLACE", "CREATE", "UNLINK", "START", "RUN" };
	static char text[1024];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < p->len; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s:%s", i > 0 ? " " : "",
					kinds[p->steps[i].kind],
					p->steps[i].path != NULL ? p->steps[i].path : "");
	return text;
}

/* As the record is after it was written and read. */
static void expect_record(const struct state *s, const char *toggles)
{
	const struct state_file *f = state_find_file(s, cron_path());
	struct strings names = STRINGS_INIT;
	struct error err = ERROR_INIT;
	struct state copy = STATE_INIT;

	box_ok(state_copy(s, &copy, &err));
	cr_assert(f != NULL);
	cr_expect(f->made);
	box_str(f->twin, "");
	box_str(f->saved, "");
	box_str(f->base.hex, "");
	box_str(f->left.hex, digest_of(cron_text(), strlen(cron_text())).hex);
	cr_expect(eq(uint, f->left_meta.mode, 0644));
	for (size_t i = 0; i < f->len; i++) {
		box_ok(strings_add(&names, f->edits[i].toggle, &err));
		cr_expect(eq(sz, f->edits[i].edit.len, 0));
		box_str(f->edits[i].edit.id, OPEN_ID);
	}
	box_str(joined(&names), toggles);
	strings_release(&names);
	state_release(&copy);
}

Test(closers, are_armed_before_anything_else)
{
	pid_t pid = start(&cron);
	_cleanup_job_ struct job j = new_opening("runtime");
	const struct state_toggle *t = j.after.toggles;
	char wanted[256];

	arm(&j, "root-login");
	(void)snprintf(wanted, sizeof(wanted), "START:%s CREATE:%s REPLACE:/etc/toggle", WATCH_FILE,
		       cron_path());
	box_str(steps_of(&j.plan), wanted);
	box_str(joined(&t->closers), "watcher cron");
	box_str(t->watch, WATCH_FILE);
	box_str(joined(&j.missing), "");
	box_str(joined(&j.plan.steps[0].argv),
		PROGRAM " watch --file " WATCH_FILE " --toggle root-login --until-real "
		"1772371800000000000 --until-boot 3600000000000 --state-dir " STATE_DIR);
	expect_record(&j.after, "closers");
	stop(pid);
}

Test(closers, step_for_cron_is_complete)
{
	pid_t pid = start(&cron);
	_cleanup_job_ struct job j = new_opening("runtime");
	const struct step *s;

	arm(&j, "root-login");
	s = &j.plan.steps[1];
	cr_expect(slice_equal(s->after_bytes, slice_of(cron_text(), strlen(cron_text()))));
	box_str(s->after.hex, digest_of(cron_text(), strlen(cron_text())).hex);
	box_str(s->before.hex, "");
	cr_expect(eq(uint, s->meta.mode, 0644));
	cr_expect(eq(uint, s->meta.uid, 0));
	cr_expect(eq(i64, s->after_mtime_ns, -1));
	/* hidden, and beside it; it goes when nothing becomes of the plan */
	cr_expect(eq(int, strncmp(s->temp, "/etc/cron.d/.rootlatch-" OPEN_ID, 31), 0), "%s", s->temp);
	box_str(joined(&j.plan.on_abort), s->temp);
	box_str(joined(&j.plan.on_commit), "");
	stop(pid);
}

Test(closers, numbers_of_steps_stay_their_own)
{
	pid_t pid = start(&cron);
	_cleanup_job_ struct job j = new_opening("runtime");

	arm(&j, "root-login");
	cr_expect(eq(uint, j.plan.steps[2].number, 0));
	cr_expect(ne(uint, j.plan.steps[0].number, j.plan.steps[1].number));
	cr_expect(ne(uint, j.plan.steps[0].number, 0));
	cr_expect(ne(uint, j.plan.steps[1].number, 0));
	stop(pid);
}

Test(closers, that_can_not_be_had_are_named)
{
	_cleanup_job_ struct job j = new_opening("runtime");
	_cleanup_job_ struct job kept = new_opening("in-place");

	arm(&j, "root-login");
	box_str(steps_of(&j.plan), "START:" WATCH_FILE " REPLACE:/etc/toggle");
	box_str(joined(&j.after.toggles[0].closers), "watcher");
	box_str(joined(&j.missing), "cron is not running");
	cr_expect(eq(sz, j.after.n_files, 0));
	/* an opening that survives a reboot has nobody then */
	arm(&kept, "root-login");
	cr_expect(eq(sz, kept.missing.len, 2));
	cr_expect(strstr(kept.missing.items[1], "after a reboot") != NULL);
}

Test(closers, watcher_of_what_outlives_the_boot_goes_by_the_wall_clock)
{
	_cleanup_job_ struct job j = new_opening("in-place");

	j.after.toggles[0].boot[0] = '\0';
	arm(&j, "root-login");
	cr_expect(strstr(joined(&j.plan.steps[0].argv), " --until-boot 0 ") != NULL, "%s",
		  joined(&j.plan.steps[0].argv));
}

Test(closers, are_not_needed_by_what_is_kept)
{
	_cleanup_job_ struct job j = new_opening("in-place");

	j.after.toggles[0].until_ns = 0;
	arm(&j, "root-login");
	box_str(steps_of(&j.plan), "REPLACE:/etc/toggle");
	box_str(joined(&j.missing), "");
}

static int try_to_arm(struct error *err)
{
	_cleanup_job_ struct job j = new_opening("runtime");

	return deadline_arm(&context, "root-login", &j.plan, &j.after, &j.missing, err);
}

Test(closers, none_at_all_is_refused)
{
	struct error err = ERROR_INIT;

	cr_assert(eq(int, mount("none", "/run", "none", MS_REMOUNT | MS_RDONLY, NULL), 0));
	box_fails(try_to_arm(&err), ERROR_REFUSED, "nothing on this host would close it: a watcher");
	cr_expect(strstr(err.message, "Read-only file system; cron is not running") != NULL, "%s",
		  err.message);
	cr_expect(strstr(err.hint, "Nothing was changed. --keep") != NULL, "%s", err.hint);
	cr_expect(strstr(err.hint, "apt-get install cron") != NULL, "%s", err.hint);
}

Test(closers, are_not_had_in_an_image)
{
	struct error err = ERROR_INIT;

	context.host = &box()->host;
	free(context.program);
	context.program = strdup("/rootlatch");
	box_fails(try_to_arm(&err), ERROR_REFUSED, "nothing on this host would close it: no process");
	context.host = &live;
}

Test(closers, run_no_program_that_others_can_replace)
{
	pid_t pid = start(&cron);
	struct error err = ERROR_INIT;

	cr_assert(eq(int, chmod(PROGRAM, 0775), 0));
	box_fails(try_to_arm(&err), ERROR_REFUSED, "nothing on this host would close it");
	cr_expect(strstr(err.message, PROGRAM) != NULL, "%s", err.message);
	cr_assert(eq(int, chmod(PROGRAM, 0755), 0));
	cr_assert(eq(int, chmod("/run/box", 0777), 0));
	box_fails(try_to_arm(&err), ERROR_REFUSED, "/run/box");
	cr_assert(eq(int, chmod("/run/box", 0755), 0));
	cr_assert(eq(int, unlink(PROGRAM), 0));
	box_fails(try_to_arm(&err), ERROR_REFUSED, PROGRAM);
	stop(pid);
}

Test(closers, watcher_has_no_file_in_a_folder_that_is_anybodys)
{
	_cleanup_job_ struct job j = new_opening("runtime");
	struct error err = ERROR_INIT;

	cr_assert(eq(int, mkdir(DEADLINE_RUN_DIR, 0755), 0));
	box_fails(deadline_arm(&context, "root-login", &j.plan, &j.after, &j.missing, &err),
		  ERROR_REFUSED, DEADLINE_RUN_DIR);
	/* nothing came before the step that was there */
	box_str(steps_of(&j.plan), "REPLACE:/etc/toggle");
}

Test(closers, name_of_a_folder_that_cron_would_read_otherwise_is_not_given_to_it)
{
	static const char *const names[] = { "/srv/a b", "/srv/50%", "/srv/$HOME" };
	pid_t pid = start(&cron);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_job_ struct job j = new_opening("runtime");

		free(store.dir);
		store.dir = strdup(names[i]);
		arm(&j, "root-login");
		box_str(joined(&j.after.toggles[0].closers), "watcher", "%s", names[i]);
		cr_expect(strstr(joined(&j.missing), "with such a name") != NULL, "%s",
			  joined(&j.missing));
	}
	stop(pid);
}

Test(closers, line_that_cron_would_not_take_whole_is_not_given_to_it)
{
	pid_t pid = start(&cron);
	_cleanup_job_ struct job j = new_opening("runtime");
	char name[1001] = "/";

	memset(name + 1, 'x', sizeof(name) - 2);
	free(store.dir);
	store.dir = strdup(name);
	arm(&j, "root-login");
	box_str(joined(&j.after.toggles[0].closers), "watcher");
	cr_expect(strstr(joined(&j.missing), "too long") != NULL, "%s", joined(&j.missing));
	stop(pid);
}

/* ---- a file that is there already */

Test(closers, file_of_somebody_else_is_not_touched)
{
	static const struct {
		const char *what;
		mode_t mode;
		uid_t uid;
		bool link, other;
	} rows[] = {
		{ "other bytes", 0644, 0, false, true },
		{ "a mode that cron ignores", 0664, 0, false, false },
		{ "a user's", 0644, 65534, false, false },
		{ "a link more", 0644, 0, true, false },
	};
	pid_t pid = start(&cron);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_job_ struct job j = new_opening("runtime");

		write_file(cron_path(), rows[i].other ? "# mine\n" : cron_text(), rows[i].mode);
		cr_assert(eq(int, chown(cron_path(), rows[i].uid, 0), 0));
		if (rows[i].link)
			cr_assert(eq(int, link(cron_path(), "/etc/other"), 0));
		arm(&j, "root-login");
		box_str(joined(&j.after.toggles[0].closers), "watcher", "%s", rows[i].what);
		cr_expect(strstr(joined(&j.missing), "somebody else's") != NULL, "%s: %s",
			  rows[i].what, joined(&j.missing));
		cr_expect(eq(sz, j.after.n_files, 0), "%s", rows[i].what);
		cr_assert(eq(int, unlink(cron_path()), 0));
	}
	cr_assert(eq(int, symlink("/etc/other", cron_path()), 0));
	{
		_cleanup_job_ struct job j = new_opening("runtime");

		arm(&j, "root-login");
		box_str(joined(&j.after.toggles[0].closers), "watcher");
	}
	stop(pid);
}

Test(closers, file_that_is_as_ours_serves_and_stays)
{
	pid_t pid = start(&cron);
	_cleanup_job_ struct job j = new_opening("runtime"), closing = new_job(OTHER_ID);
	_cleanup_strings_ struct strings left = STRINGS_INIT;
	struct error err = ERROR_INIT;

	write_file(cron_path(), cron_text(), 0644);
	arm(&j, "root-login");
	box_str(steps_of(&j.plan), "START:" WATCH_FILE " REPLACE:/etc/toggle");
	box_str(joined(&j.after.toggles[0].closers), "watcher cron");
	box_str(joined(&j.missing), "");
	cr_expect(eq(sz, j.after.n_files, 0));
	box_ok(deadline_disarm(&context, j.after.toggles, &closing.plan, &closing.after, &left, &err));
	cr_expect(eq(sz, left.len, 0));
	box_str(steps_of(&closing.plan), "REPLACE:/etc/toggle");
	stop(pid);
}

/* ---- disarming */

/* What the steps would do. */
static void carry_out(void)
{
	struct error err = ERROR_INIT;

	write_file(cron_path(), cron_text(), 0644);
	(void)mkdir(DEADLINE_RUN_DIR, 0700);
	(void)mkdir(DEADLINE_WATCH_DIR, 0700);
	write_file(WATCH_FILE, "", 0600);
	(void)err;
}

static struct job close_of(const struct job *opening)
{
	struct job j = new_job(OTHER_ID);
	struct error err = ERROR_INIT;

	box_ok(state_copy(&opening->after, &j.after, &err));
	state_remove_toggle(&j.after, "root-login");
	return j;
}

static void disarm(struct job *j, const struct job *opening, const char *toggle)
{
	_cleanup_strings_ struct strings left = STRINGS_INIT;
	struct error err = ERROR_INIT;

	box_ok(deadline_disarm(&context, state_find_toggle(&opening->after, toggle), &j->plan,
			       &j->after, &left, &err));
	cr_expect(eq(sz, left.len, 0));
}

Test(closers, are_disarmed_with_the_toggle)
{
	pid_t pid = start(&cron);
	_cleanup_job_ struct job j = new_opening("runtime"), closing = { .plan = PLAN_INIT };
	const struct step *s;
	char wanted[256];
	struct stat st;

	arm(&j, "root-login");
	carry_out();
	closing = close_of(&j);
	disarm(&closing, &j, "root-login");
	(void)snprintf(wanted, sizeof(wanted), "REPLACE:/etc/toggle UNLINK:%s", cron_path());
	box_str(steps_of(&closing.plan), wanted);
	s = &closing.plan.steps[1];
	cr_expect(eq(sz, closing.after.n_files, 0));
	(void)snprintf(wanted, sizeof(wanted), "%s %s", WATCH_FILE, s->temp);
	box_str(joined(&closing.plan.on_commit), wanted);
	/* what it says is known, so no copy is made: a full disk is no obstacle */
	cr_expect(s->ready);
	cr_expect(eq(ptr, s->saved, NULL));
	box_str(joined(&closing.plan.on_abort), "");
	box_str(s->before.hex, digest_of(cron_text(), strlen(cron_text())).hex);
	box_str(s->after.hex, "");
	cr_expect(slice_equal(s->before_bytes, slice_of(cron_text(), strlen(cron_text()))));
	cr_assert(eq(int, lstat(cron_path(), &st), 0));
	cr_expect(eq(u64, s->ino, st.st_ino));
	cr_expect(eq(uint, s->meta.mode, 0644));
	stop(pid);
}

Test(closers, file_for_cron_goes_with_the_last_toggle_only)
{
	pid_t pid = start(&cron);
	_cleanup_job_ struct job j = new_opening("runtime"), second = { .plan = PLAN_INIT },
				  closing = { .plan = PLAN_INIT }, last = { .plan = PLAN_INIT };

	arm(&j, "root-login");
	carry_out();
	second = new_job(OTHER_ID);
	cr_assert(eq(int, state_copy(&j.after, &second.after, NULL), 0));
	add_toggle(&second.after, "root-login@/srv/sshd_config", "runtime");
	memcpy(second.plan.id, OPEN_ID, sizeof(second.plan.id));
	arm(&second, "root-login@/srv/sshd_config");
	box_str(steps_of(&second.plan), "START:" WATCH_FILE " REPLACE:/etc/toggle");
	box_str(joined(&second.after.toggles[1].closers), "watcher cron");
	expect_record(&second.after, "closers");
	closing = close_of(&second);
	disarm(&closing, &second, "root-login");
	box_str(steps_of(&closing.plan), "REPLACE:/etc/toggle");
	expect_record(&closing.after, "closers");
	last = close_of(&closing);
	state_remove_toggle(&last.after, "root-login@/srv/sshd_config");
	disarm(&last, &closing, "root-login@/srv/sshd_config");
	cr_expect(strstr(steps_of(&last.plan), " UNLINK:/etc/cron.d/") != NULL);
	cr_expect(eq(sz, last.after.n_files, 0));
	stop(pid);
}

Test(closers, that_are_gone_or_changed_do_not_stand_in_the_way_of_a_close)
{
	static const char *const rows[] = { "gone", "changed", "a link" };
	pid_t pid = start(&cron);
	_cleanup_job_ struct job j = new_opening("runtime");

	arm(&j, "root-login");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_job_ struct job closing = close_of(&j);

		(void)unlink(cron_path());
		if (strcmp(rows[i], "changed") == 0)
			write_file(cron_path(), "# mine\n", 0644);
		else if (strcmp(rows[i], "a link") == 0)
			cr_assert(eq(int, symlink("rootlatch", cron_path()), 0));
		disarm(&closing, &j, "root-login");
		box_str(steps_of(&closing.plan), "REPLACE:/etc/toggle", "%s", rows[i]);
		box_str(joined(&closing.plan.on_commit), "", "%s", rows[i]);
		cr_expect(eq(sz, closing.after.n_files, 0), "%s", rows[i]);
	}
	stop(pid);
}

Test(closers, file_that_went_while_it_was_recorded_is_made_again)
{
	pid_t pid = start(&cron);
	_cleanup_job_ struct job j = new_opening("runtime"), second = new_job(OTHER_ID);

	arm(&j, "root-login");
	cr_assert(eq(int, state_copy(&j.after, &second.after, NULL), 0));
	add_toggle(&second.after, "root-login@/srv/sshd_config", "runtime");
	memcpy(second.plan.id, OPEN_ID, sizeof(second.plan.id));
	arm(&second, "root-login@/srv/sshd_config");
	cr_expect(strstr(steps_of(&second.plan), " CREATE:/etc/cron.d/") != NULL, "%s",
		  steps_of(&second.plan));
	expect_record(&second.after, "closers");
	stop(pid);
}

/* ---- another deadline */

Test(closers, other_deadline_has_another_watcher)
{
	pid_t pid = start(&cron);
	_cleanup_job_ struct job j = new_opening("runtime"), extend = new_job(OTHER_ID);
	const struct state_toggle *was = j.after.toggles, *now;
	struct error err = ERROR_INIT;

	arm(&j, "root-login");
	carry_out();
	cr_assert(eq(int, state_copy(&j.after, &extend.after, NULL), 0));
	extend.after.toggles[0].until_ns++;
	box_ok(deadline_rearm(&context, was, &extend.plan, &extend.after, &extend.missing, &err));
	now = extend.after.toggles;
	box_str(steps_of(&extend.plan),
		"START:" DEADLINE_WATCH_DIR "/" OTHER_ID " REPLACE:/etc/toggle");
	cr_expect(strstr(joined(&extend.plan.steps[0].argv), " 1772371800000000001 ") != NULL);
	box_str(joined(&extend.plan.on_commit), WATCH_FILE);
	box_str(now->watch, DEADLINE_WATCH_DIR "/" OTHER_ID);
	box_str(joined(&now->closers), "watcher cron");
	expect_record(&extend.after, "closers");
	stop(pid);
}

/* ---- looking */

static int lock(const char *path)
{
	int fd = open(path, O_RDWR);

	cr_assert(ge(int, fd, 0));
	cr_assert(eq(int, flock(fd, LOCK_EX), 0));
	return fd;
}

static void expect_look(const struct state_toggle *t, const char *armed, const char *lost)
{
	struct strings is = STRINGS_INIT, is_not = STRINGS_INIT;
	struct error err = ERROR_INIT;

	box_ok(deadline_look(&context, t, &is, &is_not, &err));
	box_str(joined(&is), armed);
	cr_expect(eq(sz, is_not.len, lost[0] != '\0'));
	cr_expect(strstr(joined(&is_not), lost) != NULL, "\"%s\" is not in \"%s\"", lost,
		  joined(&is_not));
	strings_release(&is);
	strings_release(&is_not);
}

Test(closers, are_looked_at_one_by_one)
{
	pid_t pid = start(&cron);
	_cleanup_job_ struct job j = new_opening("runtime"), kept = new_opening("in-place");
	const struct state_toggle *t = j.after.toggles;
	int fd;

	arm(&j, "root-login");
	arm(&kept, "root-login");
	carry_out();
	expect_look(t, "cron reboot", "watcher is gone");
	fd = lock(WATCH_FILE);
	expect_look(t, "watcher cron reboot", "");
	expect_look(kept.after.toggles, "watcher cron", "");
	cr_assert(eq(int, chmod(cron_path(), 0640), 0));
	expect_look(t, "watcher reboot", "not as it was written");
	write_file(cron_path(), "# mine\n", 0644);
	expect_look(t, "watcher reboot", "not as it was written");
	cr_assert(eq(int, unlink(cron_path()), 0));
	expect_look(t, "watcher reboot", " is gone");
	write_file(cron_path(), cron_text(), 0644);
	stop(pid);
	expect_look(t, "watcher reboot", "cron is not running");
	(void)close(fd);
	cr_assert(eq(int, unlink(WATCH_FILE), 0));
	pid = start(&(const struct daemon){ "/run/crond", "/run/crond", 0, false });
	expect_look(t, "cron reboot", "watcher is gone");
	stop(pid);
}

Test(closers, that_were_never_armed_are_not_missed)
{
	_cleanup_job_ struct job j = new_opening("in-place");

	expect_look(j.after.toggles, "", "");
}

/* ---- systemd, played by a script: a timer is active while its file is there */

static void play_systemd(void)
{
	write_file("/run/systemctl",
		   "#!/bin/sh\n"
		   "echo \"$*\" >>/run/asked\n"
		   "[ \"$1 $2\" = \"is-active --quiet\" ] && [ -e \"/run/$3\" ]\n", 0755);
	cr_assert(eq(int, mkdir("/run/systemd", 0755), 0));
	cr_assert(eq(int, mkdir("/run/systemd/system", 0755), 0));
	if (access("/usr/bin/systemctl", F_OK) < 0 || access("/usr/bin/systemd-run", F_OK) < 0)
		cr_skip_test("no systemd here");
	cr_assert(eq(int, mount("/run/systemctl", "/usr/bin/systemctl", NULL, MS_BIND, NULL), 0));
}

#define TIMER "rootlatch-" OPEN_ID ".timer"

Test(closers, timer_stands_in_for_cron)
{
	_cleanup_job_ struct job j = new_opening("runtime");
	const struct step *s;

	play_systemd();
	arm(&j, "root-login");
	box_str(steps_of(&j.plan), "START:" WATCH_FILE " RUN: REPLACE:/etc/toggle");
	s = &j.plan.steps[1];
	box_str(joined(&s->argv),
		"/usr/bin/systemd-run --unit=rootlatch-" OPEN_ID " --on-calendar=*:*:00 "
		"--timer-property=AccuracySec=1s --collect --quiet " PROGRAM " reap --quiet --wait 50 "
		"--state-dir " STATE_DIR);
	box_str(joined(&s->undo), "/usr/bin/systemctl stop " TIMER);
	box_str(joined(&s->verify), "/usr/bin/systemctl is-active --quiet " TIMER);
	cr_expect(not(s->verify_fails));
	box_str(joined(&j.after.toggles[0].closers), "watcher systemd");
	box_str(joined(&j.missing), "cron is not running");
}

Test(closers, timer_is_not_for_long)
{
	_cleanup_job_ struct job j = new_opening("in-place");

	play_systemd();
	arm(&j, "root-login");
	box_str(joined(&j.after.toggles[0].closers), "watcher systemd");
	cr_expect(strstr(joined(&j.missing), "after a reboot nothing closes it") != NULL);
}

Test(closers, timer_is_not_wanted_beside_cron)
{
	pid_t pid = start(&cron);
	_cleanup_job_ struct job j = new_opening("runtime");

	play_systemd();
	arm(&j, "root-login");
	box_str(joined(&j.after.toggles[0].closers), "watcher cron");
	cr_expect(ne(int, access("/run/asked", F_OK), 0));
	stop(pid);
}

Test(closers, timer_is_looked_at_and_stopped)
{
	_cleanup_job_ struct job j = new_opening("runtime"), closing = { .plan = PLAN_INIT },
				  lost = { .plan = PLAN_INIT };
	const struct step *s;
	int fd;

	play_systemd();
	arm(&j, "root-login");
	carry_out();
	fd = lock(WATCH_FILE);
	expect_look(j.after.toggles, "watcher reboot", TIMER " is not active");
	lost = close_of(&j);
	disarm(&lost, &j, "root-login");
	box_str(steps_of(&lost.plan), "REPLACE:/etc/toggle");
	write_file("/run/" TIMER, "", 0600);
	expect_look(j.after.toggles, "watcher systemd reboot", "");
	closing = close_of(&j);
	disarm(&closing, &j, "root-login");
	box_str(steps_of(&closing.plan), "REPLACE:/etc/toggle RUN:");
	s = &closing.plan.steps[1];
	box_str(joined(&s->argv), "/usr/bin/systemctl stop " TIMER);
	/* a close that is put back has its timer again */
	box_str(joined(&s->undo), joined(&j.plan.steps[1].argv));
	box_str(joined(&s->verify), "/usr/bin/systemctl is-active --quiet " TIMER);
	cr_expect(s->verify_fails);
	(void)close(fd);
}

Test(closers, timer_serves_another_deadline_too)
{
	_cleanup_job_ struct job j = new_opening("runtime"), extend = new_job(OTHER_ID),
				  later = new_job(OTHER_ID);
	struct error err = ERROR_INIT;
	pid_t pid;

	play_systemd();
	arm(&j, "root-login");
	carry_out();
	cr_assert(eq(int, unlink(cron_path()), 0));
	write_file("/run/" TIMER, "", 0600);
	cr_assert(eq(int, state_copy(&j.after, &extend.after, NULL), 0));
	box_ok(deadline_rearm(&context, j.after.toggles, &extend.plan, &extend.after,
			      &extend.missing, &err));
	box_str(steps_of(&extend.plan),
		"START:" DEADLINE_WATCH_DIR "/" OTHER_ID " REPLACE:/etc/toggle");
	box_str(joined(&extend.after.toggles[0].closers), "watcher systemd");
	/* cron is there now, and takes its place */
	pid = start(&cron);
	cr_assert(eq(int, state_copy(&j.after, &later.after, NULL), 0));
	box_ok(deadline_rearm(&context, j.after.toggles, &later.plan, &later.after, &later.missing,
			      &err));
	cr_expect(strstr(steps_of(&later.plan), "REPLACE:/etc/toggle RUN:") != NULL, "%s",
		  steps_of(&later.plan));
	box_str(joined(&later.after.toggles[0].closers), "watcher cron");
	stop(pid);
}

/* ---- sweeping */

static void add_watch(const char *name, const char *state_dir)
{
	char path[128], text[256];

	(void)snprintf(path, sizeof(path), "%s/%s", DEADLINE_WATCH_DIR, name);
	(void)snprintf(text, sizeof(text), "pid 1\ntoggle x\n%s%s\n",
		       state_dir != NULL ? "state-dir " : "until", state_dir != NULL ? state_dir : "");
	write_file(path, text, 0600);
}

Test(closers, files_of_watchers_that_nobody_names_are_swept)
{
	_cleanup_job_ struct job j = new_opening("runtime");
	struct error err = ERROR_INIT;
	int locked, other, starting;

	arm(&j, "root-login");
	carry_out();
	write_file(DEADLINE_BOOT_FILE, "0123456789abcdef", 0600);
	write_file(DEADLINE_BOOT_FILE ".0badcafe", "0123", 0600);
	add_watch(OPEN_ID, STATE_DIR);
	add_watch("11111111", STATE_DIR);
	add_watch("22222222", STATE_DIR);
	add_watch("33333333", "/var/lib/other");
	add_watch("44444444.new", STATE_DIR);
	add_watch("55555555.new", NULL);
	add_watch("66666666.new", NULL);
	locked = lock(DEADLINE_WATCH_DIR "/22222222");
	other = lock(DEADLINE_WATCH_DIR "/33333333");
	starting = lock(DEADLINE_WATCH_DIR "/66666666.new");
	box_ok(deadline_sweep(&context, &j.after, &err));
	box_str(box_names("/../rootlatch/watch"), " " OPEN_ID " 33333333 66666666.new");
	box_str(box_names("/../rootlatch"), " boot watch");
	(void)close(locked);
	(void)close(other);
	(void)close(starting);
}

Test(closers, sweep_makes_nothing)
{
	const struct state none = STATE_INIT;
	struct error err = ERROR_INIT;

	box_ok(deadline_sweep(&context, &none, &err));
	cr_expect(ne(int, access(DEADLINE_RUN_DIR, F_OK), 0));
}

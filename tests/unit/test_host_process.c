/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/process.h"

static struct host live = HOST_INIT;

static void enter(void)
{
	struct error err = ERROR_INIT;

	box_ok(host_init(&live, "/", NULL, NULL, &err));
}

static void leave(void)
{
	host_release(&live);
}

TestSuite(host_process, .init = enter, .fini = leave, .timeout = 60);

/* /bin/sh -c SCRIPT */
static struct host_outcome sh_with(const char *script, struct host_command cmd)
{
	char *argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)script, NULL };
	struct host_outcome o = HOST_OUTCOME_INIT;
	struct error err = ERROR_INIT;

	cmd.argv = argv;
	box_ok(host_run(&live, &cmd, &o, &err));
	return o;
}

static struct host_outcome sh(const char *script)
{
	return sh_with(script, (struct host_command){ .timeout_ms = 0 });
}

Test(host_process, gives_both_outputs_and_the_status)
{
	static const struct {
		const char *script, *out, *err;
		int status;
	} rows[] = {
		{ "true", "", "", 0 },
		{ "exit 7", "", "", 7 },
		{ "printf out; printf err >&2; exit 255", "out", "err", 255 },
		{ "printf 'a\\nb\\n'", "a\nb\n", "", 0 },
		{ "kill -TERM $$", "", "", 128 + SIGTERM },
		{ "printf x; kill -KILL $$", "x", "", 128 + SIGKILL },
		{ "read -r line || echo nothing", "nothing\n", "", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_host_outcome_ struct host_outcome o = sh(rows[i].script);

		box_str(o.out.data, rows[i].out, "%s", rows[i].script);
		box_str(o.err.data, rows[i].err, "%s", rows[i].script);
		cr_expect(eq(int, o.status, rows[i].status), "%s", rows[i].script);
		cr_expect(not(o.timed_out), "%s", rows[i].script);
		cr_expect(not(o.no_namespaces), "%s", rows[i].script);
	}
}

Test(host_process, takes_more_output_than_a_pipe_holds)
{
	_cleanup_host_outcome_ struct host_outcome o =
		sh("head -c 1000000 /dev/zero >&2; head -c 3000000 /dev/zero");

	cr_expect(eq(sz, o.out.len, 3000000));
	cr_expect(eq(sz, o.err.len, 1000000));
	cr_expect(eq(int, o.status, 0));
}

Test(host_process, is_heard_to_the_end_but_not_kept_beyond_4_mib)
{
	_cleanup_host_outcome_ struct host_outcome o =
		sh("printf abc; sleep 0.2; head -c 9000000 /dev/zero | tr '\\0' a; sleep 0.2; "
		   "printf behind; printf end >&2");

	cr_expect(le(sz, o.out.len, 4u << 20));
	cr_expect(gt(sz, o.out.len, (4u << 20) - 65536));
	/* what is kept is the beginning, without a hole */
	cr_expect(strstr(o.out.data, "behind") == NULL);
	box_str(o.err.data, "end");
	cr_expect(eq(int, o.status, 0));
}

Test(host_process, is_given_its_input)
{
	static char input[300000];
	const struct host_command cmd = { .input = slice_of(input, sizeof(input)) };
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;

	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = (char)i;
	o = sh_with("cat", cmd);
	cr_expect(slice_equal(slice_of(o.out.data, o.out.len), cmd.input));
	host_outcome_release(&o);
	/* one that does not care for it does not stop us */
	o = sh_with("exit 3", cmd);
	cr_expect(eq(int, o.status, 3));
}

static bool took_less_than_ms(int64_t since_ns, int64_t ms)
{
	return clock_boottime_ns() - since_ns < ms * 1000000;
}

Test(host_process, does_not_wait_for_daemons_that_hold_the_output_of_a_command_that_may_leave_some)
{
	const struct host_command cmd = { .leaves_daemons = true };
	int64_t since_ns = clock_boottime_ns();
	mode_t was = umask(077);
	_cleanup_host_outcome_ struct host_outcome o =
		sh_with("printf a; (exec sleep 3 &); printf b; umask >&2; pwd >&2; exit 5", cmd);

	(void)umask(was);
	cr_expect(took_less_than_ms(since_ns, 2000));
	box_str(o.out.data, "ab");
	box_str(o.err.data, "0022\n/\n");
	cr_expect(eq(int, o.status, 5));
	cr_expect(not(o.timed_out));
	host_outcome_release(&o);
	o = sh_with("head -c 9000000 /dev/zero", cmd);
	cr_expect(eq(sz, o.out.len, 4u << 20));
	host_outcome_release(&o);
	/* one that takes too long is ended all the same */
	o = sh_with("printf x; exec sleep 60",
		    (struct host_command){ .leaves_daemons = true, .timeout_ms = 100 });
	cr_expect(o.timed_out);
	box_str(o.out.data, "x");
}

Test(host_process, is_killed_when_it_takes_too_long)
{
	int64_t start = clock_boottime_ns();
	_cleanup_host_outcome_ struct host_outcome o =
		sh_with("printf begun; sleep 30; printf done", (struct host_command){ .timeout_ms = 300 });

	cr_expect(o.timed_out);
	cr_expect(eq(int, o.status, 128 + SIGKILL));
	box_str(o.out.data, "begun");
	cr_expect(took_less_than_ms(start, 10000));
}

Test(host_process, is_killed_too_when_it_closed_its_outputs, .timeout = 20)
{
	int64_t start = clock_boottime_ns();
	_cleanup_host_outcome_ struct host_outcome o =
		sh_with("exec >&- 2>&-; exec sleep 4", (struct host_command){ .timeout_ms = 300 });

	cr_expect(o.timed_out);
	cr_expect(took_less_than_ms(start, 3000));
}

/* A child that ends without an exec has let go of what its parent still holds. */
static void skip_under_valgrind(void)
{
	const char *preloaded = getenv("LD_PRELOAD");

	if (preloaded != NULL && strstr(preloaded, "vgpreload") != NULL)
		cr_skip_test("a child that could not exec looks like a leak to valgrind");
}

Test(host_process, that_is_missing_is_an_error_which_names_it)
{
	static const struct {
		const char *path;
		int sys_errno;
	} rows[] = { { "/no/such/program", ENOENT }, { "/etc", EACCES }, { "/etc/passwd", EACCES } };

	skip_under_valgrind();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *argv[] = { (char *)rows[i].path, NULL };
		const struct host_command cmd = { .argv = argv };
		struct host_outcome o = HOST_OUTCOME_INIT;
		struct error err = ERROR_INIT;

		box_fails(host_run(&live, &cmd, &o, &err), ERROR_FAILED, rows[i].path);
		cr_expect(eq(int, err.sys_errno, rows[i].sys_errno), "%s", rows[i].path);
		box_fails(host_spawn_detached(&live, argv, "/", NULL, &err), ERROR_FAILED, rows[i].path);
		cr_expect(eq(int, err.sys_errno, rows[i].sys_errno), "%s", rows[i].path);
	}
}

Test(host_process, has_no_descriptors_of_ours)
{
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
	int leaked = open("/dev/null", O_RDWR), higher = fcntl(leaked, F_DUPFD, 200);

	cr_assert(leaked >= 0 && higher >= 200);
	/* the listing itself opens 3 */
	o = sh("for fd in /proc/$$/fd/*; do echo ${fd##*/}; done");
	box_str(o.out.data, "0\n1\n2\n3\n");
	(void)close(leaked);
	(void)close(higher);
}

Test(host_process, has_an_environment_of_its_own)
{
	static const char *const hostile[] = { "LD_PRELOAD", "LD_LIBRARY_PATH", "AUGEAS_ROOT", "IFS",
					       "BASH_ENV", "ENV", "LANG", "TMPDIR", "PATH",
					       "SUDO_USER" };
	char *argv[] = { (char *)"/usr/bin/env", NULL };
	const struct host_command cmd = { .argv = argv };
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++)
		(void)setenv(hostile[i], "/evil", 1);
	box_ok(host_run(&live, &cmd, &o, &err));
	box_str(o.out.data, "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C\nHOME=/root\n");
}

Test(host_process, has_signals_as_a_fresh_program)
{
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
	sigset_t set;

	/* whoever runs the tests in the background ignores these for them */
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGQUIT, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigfillset(&set);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	/* the C library keeps 32 and 33 to itself */
	o = sh("grep -E 'SigBlk|SigIgn' /proc/self/status | sed 's/80000000$/00000000/'; "
	       "yes | head -n 1");
	box_str(o.out.data, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\ny\n");
}

static void start_and_die(void *ctx)
{
	char *argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)"echo $$ >&2; exec sleep 60", NULL };
	const struct host_command cmd = { .argv = argv };
	struct host_child *c = NULL;

	/* no waiting for it: we are gone at once */
	_exit(host_child_start(&live, &cmd, &c, NULL) < 0);
}

static bool has_child(void)
{
	return waitpid(-1, NULL, WNOHANG) == 0;
}

Test(host_process, dies_with_us)
{
	/* as a subreaper we are told of the orphan */
	cr_assert(eq(int, prctl(PR_SET_CHILD_SUBREAPER, 1), 0));
	cr_assert(eq(int, box_fork(start_and_die, NULL), 0));
	for (int i = 0; i < 500 && has_child(); i++)
		clock_sleep_ms(10);
	cr_expect(not(has_child()));
}

Test(host_process, is_stopped_when_it_is_not_wanted)
{
	char *argv[] = { (char *)"/bin/sleep", (char *)"60", NULL };
	const struct host_command cmd = { .argv = argv };
	struct host_child *c = NULL;
	struct error err = ERROR_INIT;
	int64_t start = clock_boottime_ns();

	box_ok(host_child_start(&live, &cmd, &c, &err));
	host_child_stop(&c);
	cr_expect(c == NULL);
	host_child_stop(&c);
	cr_expect(took_less_than_ms(start, 10000));
	cr_expect(eq(int, waitpid(-1, NULL, WNOHANG), -1));
}

static int written_pid(const char *path)
{
	int pid = 0;

	for (int i = 0; i < 500 && pid == 0; i++) {
		FILE *f = fopen(path, "r");

		if (f == NULL || fscanf(f, "%d\n", &pid) != 1)
			pid = 0;
		if (f != NULL)
			(void)fclose(f);
		clock_sleep_ms(10);
	}
	return pid;
}

Test(host_process, that_is_detached_is_in_a_session_of_its_own)
{
	char dir[] = "/tmp/rootlatch-unit.XXXXXX", script[512], path[64], line[256];
	char *argv[] = { (char *)"/bin/sh", (char *)"-c", script, NULL };
	struct host_process process;
	struct error err = ERROR_INIT;
	FILE *f;
	int pid;

	cr_assert(mkdtemp(dir) != NULL);
	cr_assert(eq(int, prctl(PR_SET_CHILD_SUBREAPER, 1), 0));
	(void)snprintf(path, sizeof(path), "%s/pid", dir);
	(void)snprintf(script, sizeof(script), "cd %s; fds=$(for fd in 0 1 2; do readlink "
		       "/proc/$$/fd/$fd; done); { echo $OLDPWD; umask; echo \"$fds\"; } >facts; "
		       "echo $$ >new; mv new pid; exec sleep 60", dir);
	box_ok(host_spawn_detached(&live, argv, "/usr", &process, &err));
	pid = written_pid(path);
	cr_assert(gt(int, pid, 0));
	cr_expect(eq(int, process.pid, pid));
	cr_expect(host_process_alive(&process));
	cr_expect(ne(int, getsid(pid), getsid(0)));
	(void)snprintf(path, sizeof(path), "%s/facts", dir);
	f = fopen(path, "r");
	cr_assert(f != NULL);
	line[fread(line, 1, sizeof(line) - 1, f)] = '\0';
	(void)fclose(f);
	box_str(line, "/usr\n0022\n/dev/null\n/dev/null\n/dev/null\n");
	cr_expect(eq(int, kill(pid, SIGKILL), 0));
	(void)waitpid(pid, NULL, 0);
	(void)snprintf(script, sizeof(script), "rm -r %s", dir);
	cr_expect(eq(int, system(script), 0));
}

/* ---- processes that we look at */

static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)pause();
		_exit(0);
	}
	cr_assert(gt(int, pid, 0));
	return pid;
}

Test(host_process, is_told_apart_from_a_later_one_of_the_same_number)
{
	struct host_process p = { 0 }, other;
	struct error err = ERROR_INIT;
	pid_t pid = start_sleeper();
	int64_t away;

	cr_assert(eq(int, host_process_of(pid, &p), 0));
	cr_expect(eq(int, p.pid, pid));
	cr_expect(host_process_alive(&p));
	away = clock_realtime_ns() - host_process_started_ns(&p);
	cr_expect(away > -NSEC_PER_SEC && away < 10 * NSEC_PER_SEC, "%lld ns", (long long)away);
	other = p;
	other.start_ticks--;
	cr_expect(not(host_process_alive(&other)));
	box_fails(host_process_signal(&live, &other, SIGKILL, &err), ERROR_FAILED, "No such process");
	cr_expect(host_process_alive(&p));
	box_ok(host_process_signal(&live, &p, SIGKILL, &err));
	for (int i = 0; i < 500 && host_process_alive(&p); i++)
		clock_sleep_ms(10);
	/* a zombie by now: it was not waited for */
	cr_expect(eq(int, kill(pid, 0), 0));
	cr_expect(not(host_process_alive(&p)));
	cr_expect(eq(int, host_process_of(pid, &other), -1));
	cr_expect(eq(int, host_process_signal(&live, &p, SIGKILL, &err), -1));
	(void)waitpid(pid, NULL, 0);
	cr_expect(eq(int, host_process_of(pid, &other), -1));
	cr_expect(eq(int, host_process_of(0, &other), -1));
	cr_expect(eq(int, host_process_of(-1, &other), -1));
}

Test(host_process, is_read_whatever_its_name)
{
	static const char *const names[] = { "a b", ") Z 1 (", "((", "x)\n" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct host_process p;

		cr_assert(eq(int, prctl(PR_SET_NAME, names[i]), 0));
		cr_expect(eq(int, host_process_of(getpid(), &p), 0), "%s", names[i]);
		cr_expect(host_process_alive(&p), "%s", names[i]);
	}
}

/* ---- ourselves */

/* A bit for each thing that is not as it should be. */
static void harden(void *ctx)
{
	static const char *const hostile[] = { "LD_PRELOAD", "LD_LIBRARY_PATH", "AUGEAS_ROOT",
					       "AUGEAS_LENS_LIB", "IFS", "LANG", "LC_MESSAGES",
					       "MALLOC_CHECK_", "HOME", "COLUMNS" };
	static char much[300];
	int wrong = 0;

	memset(much, '1', sizeof(much) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++)
		(void)setenv(hostile[i], much, 1);
	(void)setenv("PATH", "/evil", 1);
	(void)setenv("SUDO_USER", "alice", 1);
	(void)setenv("TZ", "Europe/Berlin", 1);
	(void)setenv("NO_COLOR", "1", 1);
	(void)close(0);
	(void)close(1);
	(void)close(2);
	(void)umask(0);
	if (host_process_harden(NULL) < 0)
		_exit(127);
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++)
		wrong |= getenv(hostile[i]) != NULL;
	wrong |= strcmp(getenv("PATH"), "/usr/sbin:/usr/bin:/sbin:/bin") != 0 ? 2 : 0;
	wrong |= strcmp(getenv("LC_ALL"), "C.UTF-8") != 0 ? 4 : 0;
	wrong |= getenv("SUDO_USER") == NULL || strcmp(getenv("SUDO_USER"), "alice") != 0 ? 8 : 0;
	wrong |= getenv("TZ") == NULL || getenv("NO_COLOR") == NULL ? 16 : 0;
	wrong |= umask(077) != 077 ? 32 : 0;
	for (int fd = 0; fd < 3; fd++)
		wrong |= fcntl(fd, F_GETFL) < 0 ? 64 : 0;
	_exit(wrong);
}

Test(host_process, that_is_ours_is_made_fit_to_act_as_root)
{
	cr_expect(eq(int, box_fork(harden, NULL), 0));
}

Test(host_process, is_on_behalf_of_the_user_behind_sudo)
{
	static const struct {
		const char *sudo, *doas, *wanted;
	} rows[] = {
		{ "alice", "bob", "alice" },
		{ "", "bob", "bob" },
		{ NULL, "bob", "bob" },
		/* anybody's text, and it goes to terminals and into the state */
		{ "J\xfcrgen\x1b[2J", "bob", "J\\xfcrgen\\x1b[2J" },
	};
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *actor = NULL;

		(void)unsetenv("SUDO_USER");
		if (rows[i].sudo != NULL)
			(void)setenv("SUDO_USER", rows[i].sudo, 1);
		(void)setenv("DOAS_USER", rows[i].doas, 1);
		actor = host_actor(&err);
		box_str(actor, rows[i].wanted);
	}
	(void)unsetenv("SUDO_USER");
	(void)unsetenv("DOAS_USER");
	if (getuid() == 0) {
		_cleanup_free_ char *actor = host_actor(&err);

		box_str(actor, "root");
	}
}

Test(host_process, gets_random_digits)
{
	char a[17], b[17];
	struct error err = ERROR_INIT;

	box_ok(host_random_hex(a, 8, &err));
	box_ok(host_random_hex(b, 8, &err));
	cr_expect(eq(sz, strspn(a, "0123456789abcdef"), 16));
	cr_expect(eq(sz, strlen(a), 16));
	cr_expect(ne(str, a, b));
}

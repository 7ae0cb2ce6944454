/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Real daemons under init scripts of the test's own. /etc/init.d and /run are empty ones that only
 * the test sees; the programs are copies under a name that nothing else on the machine has, and end
 * with the test.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/clock.h"
#include "service/boot_processes.h"
#include "service/boot_run.h"
#include "test_service_fixture.h"

static struct host live = HOST_INIT;
/* Tests run side by side and see each other's processes: each has a name of its own, $N */
static char name[16], script[64], program[64];
static struct boot_service service = { .name = name, .has_script = true };

static void __attribute__((format(printf, 1, 2))) sh(const char *fmt, ...)
{
	char command[4096];
	va_list args;

	va_start(args, fmt);
	cr_assert(vsnprintf(command, sizeof(command), fmt, args) < (int)sizeof(command));
	va_end(args);
	cr_assert(eq(int, system(command), 0), "%s", command);
}

static void enter(void)
{
	struct error err = ERROR_INIT;

	if (geteuid() != 0)
		cr_skip_test("not root");
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		cr_skip_test("no mount and network namespaces here");
	(void)umask(022);
	cr_assert(mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") == 0);
	cr_assert(mount("tmpfs", "/etc/init.d", "tmpfs", 0, "mode=0755") == 0);
	(void)snprintf(name, sizeof(name), "rlt%d", (int)getpid());
	(void)snprintf(script, sizeof(script), "/etc/init.d/%s", name);
	(void)snprintf(program, sizeof(program), "/run/bin/%s", name);
	cr_assert(setenv("N", name, 1) == 0);
	sh("mkdir /run/bin && cp /bin/sleep /run/bin/$N && cp /bin/sh /run/bin/$N-sh");
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	assert_ok(host_init(&live, "/", NULL, NULL, &err));
}

static void leave(void)
{
	/* those of its children become ours when they lose their parent */
	for (int i = 0; i < 5; i++)
		fixture_leave_daemons();
	host_release(&live);
}

TestSuite(service_boot_run, .init = enter, .fini = leave, .timeout = 120);

/* An init script with these commands for start, stop and status. */
static void write_script(const char *start, const char *stop, const char *status)
{
	FILE *f = fopen(script, "w");

	cr_assert(f != NULL);
	(void)fprintf(f, "#!/bin/sh\nN=%s\nDAEMON=/run/bin/$N\nPIDFILE=/run/$N.pid\n"
		      "case $1 in\nstart) %s ;;\nstop) %s ;;\nstatus) %s ;;\n*) exit 3 ;;\nesac\n",
		      name, start, stop, status);
	cr_assert(fclose(f) == 0);
	cr_assert(chmod(script, 0755) == 0);
}

#define START "start-stop-daemon -S -q -b -m -p $PIDFILE -x $DAEMON -- 1000"
#define STOP "start-stop-daemon -K -q -o -p $PIDFILE -x $DAEMON; rm -f $PIDFILE"
#define IGNORES_TERM                                                                       \
	"cp /run/bin/$N-sh $DAEMON; start-stop-daemon -S -q -b -m -p $PIDFILE "      \
	"-x $DAEMON -- -c 'trap \"\" TERM; while :; do sleep 1; done'; sleep 0.2"

static void start(void)
{
	struct error err = ERROR_INIT;

	assert_ok(boot_run_start(&live, &service, &err));
}

static struct boot_run look(void)
{
	struct boot_run r = BOOT_RUN_INIT;
	struct error err = ERROR_INIT;

	assert_ok(boot_run_read(&live, &service, &r, &err));
	return r;
}

static bool has(const struct boot_run *r, pid_t pid)
{
	for (size_t i = 0; i < r->len; i++)
		if (r->processes[i].pid == pid)
			return true;
	return false;
}

/* A child that execs; named after its program, with another argv[0] if that is not NULL. */
static pid_t spawn(const char *path, const char *title)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(path, title != NULL ? title : path, "1000", (char *)NULL);
		_exit(127);
	}
	clock_sleep_ms(50);
	return pid;
}

Test(service_boot_run, starts_and_stops_a_daemon)
{
	_cleanup_boot_run_ struct boot_run r = BOOT_RUN_INIT;
	struct error err = ERROR_INIT;

	write_script(START, STOP, "exit 3");
	r = look();
	cr_expect(eq(sz, r.len, 0));
	cr_expect(not(r.active));
	assert_ok(boot_run_stop(&live, &service, &err));
	start();
	r = look();
	cr_assert(eq(sz, r.len, 1));
	cr_expect(r.active);
	assert_ok(boot_run_stop(&live, &service, &err));
	cr_expect(not(host_process_alive(&r.processes[0])));
	boot_run_release(&r);
	r = look();
	cr_expect(eq(sz, r.len, 0));
}

Test(service_boot_run, finds_a_double_forking_daemon_without_a_pid_file_and_its_children)
{
	_cleanup_boot_run_ struct boot_run r = BOOT_RUN_INIT;
	struct error err = ERROR_INIT;

	write_script("cp /run/bin/$N-sh $DAEMON; (setsid $DAEMON -c 'sleep 1000; :' &)",
		     "pkill -x $N; exit 1", "exit 3");
	start();
	clock_sleep_ms(200);
	r = look();
	cr_assert(eq(sz, r.len, 2));
	/* its child outlives it: that is no stop */
	cr_assert(eq(int, boot_run_stop(&live, &service, &err), -1));
	cr_expect(eq(int, err.code, ERROR_FAILED));
	assert_contains(err.message, "(sleep) still runs");
	assert_contains(err.hint, "told to start again");
	cr_expect(host_process_alive(&r.processes[1]));
	boot_run_release(&r);
	r = look();
	cr_expect(gt(sz, r.len, 0), "it was not started again");
}

Test(service_boot_run, does_not_believe_a_stop_that_says_0)
{
	_cleanup_boot_run_ struct boot_run r = BOOT_RUN_INIT;
	struct error err = ERROR_INIT;
	char wanted[64];

	write_script(IGNORES_TERM, STOP "; exit 0", "exit 3");
	start();
	r = look();
	cr_assert(gt(sz, r.len, 0));
	cr_assert(eq(int, boot_run_stop(&live, &service, &err), -1));
	cr_expect(eq(int, err.code, ERROR_FAILED));
	(void)snprintf(wanted, sizeof(wanted), "pid %d (%s)", (int)r.processes[0].pid, name);
	assert_contains(err.message, wanted);
	assert_contains(err.message, "(status 0)");
}

Test(service_boot_run, names_a_stop_that_fails_and_says_nothing)
{
	struct error err = ERROR_INIT;

	write_script(START, "exit 1", "exit 3");
	start();
	cr_assert(eq(int, boot_run_stop(&live, &service, &err), -1));
	cr_expect(eq(int, err.code, ERROR_FAILED));
	assert_contains(err.message, "still runs; it said nothing (status 1)");
	expect_str(err.hint, "");
}

Test(service_boot_run, quotes_a_start_that_fails)
{
	struct error err = ERROR_INIT;

	write_script("printf 'no \\033[1mway\\nmore\\n' >&2; exit 7", STOP, "exit 3");
	cr_assert(eq(int, boot_run_start(&live, &service, &err), -1));
	cr_expect(eq(int, err.code, ERROR_FAILED));
	assert_contains(err.message, "does not run; it said (status 7): no \\x1b[1mway");
	cr_expect(strstr(err.message, "more") == NULL);
}

Test(service_boot_run, does_not_believe_a_daemon_that_ends_at_once)
{
	struct error err = ERROR_INIT;

	write_script("($DAEMON 0.1 &)", STOP, "exit 3");
	cr_assert(eq(int, boot_run_start(&live, &service, &err), -1));
	cr_expect(eq(int, err.code, ERROR_FAILED));
}

Test(service_boot_run, believes_the_status_of_a_service_without_processes)
{
	struct error err = ERROR_INIT;

	write_script("exit 0", "exit 0", "exit 0");
	assert_ok(boot_run_start(&live, &service, &err));
	/* but not when the start itself failed */
	write_script("exit 1", "exit 0", "exit 0");
	cr_expect(eq(int, boot_run_start(&live, &service, &err), -1));
}

Test(service_boot_run, passes_over_a_pid_file_that_names_somebody_else)
{
	_cleanup_boot_run_ struct boot_run r = BOOT_RUN_INIT;
	struct error err = ERROR_INIT;
	pid_t pid;

	write_script(START, STOP, "exit 3");
	pid = spawn("/bin/sleep", NULL);
	sh("echo %d >/run/$N.pid", (int)pid);
	r = look();
	cr_expect(eq(sz, r.len, 0));
	assert_ok(boot_run_stop(&live, &service, &err));
	cr_expect(eq(int, kill(pid, 0), 0));
	sh("echo %d >/run/$N.pid", (int)getpid());
	r = look();
	cr_expect(eq(sz, r.len, 0));
}

Test(service_boot_run, takes_a_pid_file_that_names_what_the_script_speaks_of)
{
	_cleanup_boot_run_ struct boot_run r = BOOT_RUN_INIT;
	pid_t pid;

	sh("cp /bin/sleep /run/bin/other");
	write_script("/run/bin/other -f", STOP, "exit 3");
	pid = spawn("/run/bin/other", NULL);
	r = look();
	cr_expect(eq(sz, r.len, 0));
	sh("echo %d >/run/$N.pid", (int)pid);
	r = look();
	cr_assert(eq(sz, r.len, 1));
	cr_expect(eq(int, r.processes[0].pid, pid));
}

/* Another service with the same program, told apart by its pid file alone. */
static void write_other_script(const char *pid_file)
{
	char path[80], text[512];

	(void)snprintf(path, sizeof(path), "/etc/init.d/%s-two", name);
	(void)snprintf(text, sizeof(text), "#!/bin/sh\nDAEMON=%s\nPIDFILE=%s\n", program, pid_file);
	fixture_write(path, text);
}

Test(service_boot_run, tells_two_services_with_the_same_program_apart)
{
	_cleanup_boot_run_ struct boot_run r = BOOT_RUN_INIT, gone = BOOT_RUN_INIT;
	struct error err = ERROR_INIT;
	char two[32];
	struct boot_service other = { .name = two, .has_script = true };
	pid_t pid, child;

	(void)snprintf(two, sizeof(two), "%s-two", name);
	write_script(START, STOP, "exit 3");
	write_other_script("/run/two.pid");
	pid = spawn(program, NULL);
	child = spawn(program, NULL);
	sh("echo %d >/run/two.pid", (int)pid);
	/* one that no pid file names may be either's */
	r = look();
	cr_expect(has(&r, child) && !has(&r, pid));
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	start();
	boot_run_release(&r);
	r = look();
	cr_assert(eq(sz, r.len, 1));
	cr_expect(not(has(&r, pid)));
	assert_ok(boot_run_stop(&live, &service, &err));
	gone = look();
	cr_expect(eq(sz, gone.len, 0));
	cr_expect(eq(int, kill(pid, 0), 0));
	/* the other one's, asked for by its own name: also by a file that bears the program's name */
	boot_run_release(&r);
	assert_ok(boot_run_read(&live, &other, &r, &err));
	cr_expect(has(&r, pid));
	sh("mv /run/two.pid /run/$N.pid");
	boot_run_release(&r);
	assert_ok(boot_run_read(&live, &other, &r, &err));
	cr_expect(not(has(&r, pid)), "the first one's pid file says that it is the first one's");
}

Test(service_boot_run, leaves_no_process_out_for_a_copy_of_its_own_script)
{
	_cleanup_boot_run_ struct boot_run r = BOOT_RUN_INIT;

	write_script(START, STOP, "exit 3");
	sh("cp /etc/init.d/$N /etc/init.d/$N.dpkg-old");
	start();
	r = look();
	cr_expect(eq(sz, r.len, 1));
}

Test(service_boot_run, passes_over_other_roots_and_other_pid_namespaces)
{
	_cleanup_boot_run_ struct boot_run r = BOOT_RUN_INIT;
	pid_t pid;

	write_script(START, STOP, "exit 3");
	sh("mkdir /run/root && mount -t tmpfs none /run/root && cd /run/root && mkdir usr mnt && "
	   "mount --bind /usr usr && cp /run/bin/$N mnt/$N && for d in lib lib64; do "
	   "[ -L /$d ] && cp -P /$d . || { [ ! -d /$d ] || { mkdir $d && mount --bind /$d $d; }; }; "
	   "done; (chroot /run/root /mnt/$N 1000 &)");
	sh("(unshare --pid --fork --kill-child /run/bin/$N 1000 &)");
	clock_sleep_ms(300);
	pid = spawn(program, NULL);
	sh("test $(pgrep -cx $N) -eq 3");
	r = look();
	cr_expect(has(&r, pid));
	cr_expect(eq(sz, r.len, 1));
}

Test(service_boot_run, leaves_the_sessions_of_sshd_alone)
{
	static struct boot_service ssh = { .name = (char *)"ssh", .has_script = true };
	_cleanup_boot_run_ struct boot_run r = BOOT_RUN_INIT;
	struct error err = ERROR_INIT;
	pid_t listener, session;

	sh("cp /bin/sleep /run/bin/sshd; echo DAEMON=/run/bin/sshd >/etc/init.d/ssh");
	listener = spawn("/run/bin/sshd", "sshd: /run/bin/sshd -D [listener] 0 of 10-100 startups");
	session = spawn("/run/bin/sshd", "sshd: root@pts/0");
	assert_ok(boot_run_read(&live, &ssh, &r, &err));
	cr_expect(has(&r, listener));
	cr_expect(not(has(&r, session)));
	sh("echo %d >/run/ssh.pid", (int)session);
	boot_run_release(&r);
	assert_ok(boot_run_read(&live, &ssh, &r, &err));
	cr_expect(not(has(&r, session)), "a stale pid file names a session");
}

Test(service_boot_run, is_not_held_up_by_what_a_daemon_holds_open)
{
	_cleanup_boot_run_ struct boot_run r = BOOT_RUN_INIT;
	int64_t begun = clock_boottime_ns();

	/* it writes when nobody reads any more, to no avail, and lives */
	write_script("cp /run/bin/$N-sh $DAEMON; umask >/run/umask; pwd >>/run/umask\n"
		     "$DAEMON -c 'while :; do echo x; sleep 0.1; : >/run/wrote; done' &", STOP,
		     "exit 3");
	(void)umask(077);
	start();
	cr_expect(clock_boottime_ns() - begun < 5 * NSEC_PER_SEC);
	sh("rm -f /run/wrote; sleep 0.5; test -e /run/wrote");
	r = look();
	cr_expect(gt(sz, r.len, 0), "it died of its output");
	sh("test \"$(cat /run/umask | tr '\\n' ' ')\" = '0022 / '");
	sh("test \"$(ps -o sid= -p %d)\" -ne \"$(ps -o sid= -p %d)\"", (int)r.processes[0].pid,
	   (int)getpid());
}

Test(service_boot_run, stops_and_starts_again_by_a_script_that_is_not_executable)
{
	struct error err = ERROR_INIT;

	write_script(START, STOP, "exit 3");
	start();
	cr_assert(chmod(script, 0644) == 0);
	assert_ok(boot_run_stop(&live, &service, &err));
	assert_ok(boot_run_start(&live, &service, &err));
}

Test(service_boot_run, refuses_to_run_a_script_that_others_can_write)
{
	struct error err = ERROR_INIT;

	write_script(START, STOP, "exit 3");
	start();
	cr_assert(chmod(script, 0777) == 0);
	cr_expect(eq(int, boot_run_stop(&live, &service, &err), -1));
	cr_expect(eq(int, boot_run_start(&live, &service, &err), -1));
}

Test(service_boot_run, names_its_ports_once)
{
	_cleanup_boot_run_ struct boot_run r = BOOT_RUN_INIT;
	pid_t pid = fork();

	if (pid == 0) {
		struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(8013) };
		struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(8014) };
		int tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
		int tcp6 = socket(AF_INET6, SOCK_STREAM, 0);

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)prctl(PR_SET_NAME, name);
		if (bind(tcp, (struct sockaddr *)&in, sizeof(in)) < 0 || listen(tcp, 1) < 0 ||
		    bind(tcp6, (struct sockaddr *)&in6, sizeof(in6)) < 0 || listen(tcp6, 1) < 0 ||
		    bind(udp, (struct sockaddr *)&in, sizeof(in)) < 0 || fork() < 0)
			_exit(1);
		(void)pause();
		_exit(0);
	}
	write_script(START, STOP, "exit 3");
	clock_sleep_ms(200);
	r = look();
	cr_assert(eq(sz, r.len, 2));
	cr_assert(eq(sz, r.listens.len, 3));
	expect_str(r.listens.items[0], "8013/tcp");
	expect_str(r.listens.items[1], "8014/tcp6");
	expect_str(r.listens.items[2], "8013/udp");
	sh("kill -KILL $(pgrep -x $N)");
}

/* ---- systemd, as far as systemctl goes */

static void fake_systemd(void)
{
	if (access("/usr/bin/systemctl", F_OK) < 0)
		cr_skip_test("no /usr/bin/systemctl");
	if (mount("tmpfs", "/sys/fs/cgroup", "tmpfs", 0, "mode=0755") < 0)
		cr_skip_test("no /sys/fs/cgroup");
	sh("echo $N >/run/name; mkdir -p /run/systemd/system /run/units "
	   "/sys/fs/cgroup/system.slice/$N.service/sub");
	/* every unit has a file with its state; the service has a process, too */
	fixture_write("/run/systemctl", "#!/bin/sh\nN=$(cat /run/name)\n"
		"cg=/sys/fs/cgroup/system.slice/$N.service/sub/cgroup.procs\n"
		"echo \"$*\" >>/run/said\n"
		"while [ $# -gt 0 ]; do case $1 in -p) shift ;; --) shift; break ;; -*) ;;\n"
		"*) verb=$1 ;; esac; shift; done\n"
		"for unit; do\n"
		"case $verb in\n"
		"show) echo ActiveState=$(cat /run/units/$unit)\n"
		"  echo ControlGroup=/system.slice/$N.service; echo MainPID=0 ;;\n"
		"stop) [ -e /run/stuck ] || { echo inactive >/run/units/$unit; kill $(cat $cg); } ;;\n"
		"start) [ -e /run/broken ] && { echo failed >/run/units/$unit; echo 'Job failed' >&2; }\n"
		"  [ -e /run/broken ] || { echo active >/run/units/$unit; } ;;\n"
		"esac; done 2>>/run/errors\nexit 0\n");
	sh(": >/sys/fs/cgroup/system.slice/$N.service/cgroup.procs; chmod 755 /run/systemctl; "
	   "echo inactive >/run/units/$N.service; echo inactive >/run/units/$N.socket");
	cr_assert(mount("/run/systemctl", "/usr/bin/systemctl", NULL, MS_BIND, NULL) == 0);
}

Test(service_boot_run, asks_systemd_where_that_runs)
{
	char socket[32], *sockets[] = { socket, NULL };
	struct boot_service s = { .name = name,
				  .unit.sockets = { .items = sockets, .len = 1 } };
	_cleanup_boot_run_ struct boot_run r = BOOT_RUN_INIT;
	struct error err = ERROR_INIT;
	pid_t pid;

	(void)snprintf(socket, sizeof(socket), "%s.socket", name);
	fake_systemd();
	assert_ok(boot_run_start(&live, &s, &err));
	pid = spawn(program, NULL);
	sh("echo %d >/sys/fs/cgroup/system.slice/$N.service/sub/cgroup.procs", (int)pid);
	assert_ok(boot_run_read(&live, &s, &r, &err));
	cr_assert(eq(sz, r.len, 1));
	cr_expect(eq(int, r.processes[0].pid, pid));
	cr_expect(r.active);
	assert_ok(boot_run_stop(&live, &s, &err));
	sh("grep -q \"stop -- $N.socket $N.service\" /run/said");
	cr_expect(not(host_process_alive(&r.processes[0])));
	/* an idle socket would start it */
	sh("echo active >/run/units/$N.socket; rm /sys/fs/cgroup/system.slice/*/sub/*");
	boot_run_release(&r);
	assert_ok(boot_run_read(&live, &s, &r, &err));
	cr_expect(r.active);
	sh(": >/run/broken");
	cr_expect(eq(int, boot_run_start(&live, &s, &err), -1));
	cr_expect(eq(int, err.code, ERROR_FAILED));
}

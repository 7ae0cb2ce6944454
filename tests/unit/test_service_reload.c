/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_service_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/clock.h"
#include "service/sshd_check.h"
#include "service/sshd_judge.h"
#include "service/sshd_reload.h"

TestSuite(service_reload, .init = fixture_enter, .fini = fixture_leave, .timeout = 60);

static const char plain[] = "Port 2222\nListenAddress 127.0.0.1\nListenAddress ::1\n";

static struct sshd_daemons found;

static struct sshd_daemon *find_one(void)
{
	struct error err = ERROR_INIT;

	sshd_daemons_release(&found);
	assert_ok(sshd_find(fixture_host(), CONFIG, &found, &err));
	cr_assert(eq(sz, found.len, 1));
	return &found.items[0];
}

static struct sshd_daemon *start(const char *config)
{
	fixture_write(CONFIG, config);
	(void)fixture_start_default();
	return find_one();
}

static int check_bindable(struct sshd_daemon *d, bool keep_all, struct error *err)
{
	struct sshd_answers answers = SSHD_ANSWERS_INIT;
	struct sshd_connection c;
	int r;

	sshd_connection_default(d, 0, &c);
	r = sshd_judge(fixture_host(), d, CONFIG, NULL, 0, &c, &answers, err);
	cr_assert(eq(int, r, 0), "%s", err->message);
	r = sshd_check_bindable(fixture_host(), d, &answers, keep_all, err);
	sshd_answers_release(&answers);
	return r;
}

static int take_port(uint16_t port)
{
	struct sockaddr_in where = { .sin_family = AF_INET, .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(eq(int, bind(fd, (struct sockaddr *)&where, sizeof(where)), 0));
	cr_assert(eq(int, listen(fd, 1), 0));
	return fd;
}

/* ---- before the reload */

Test(service_reload, is_safe_when_nothing_changed)
{
	struct error err = ERROR_INIT;

	cr_expect(eq(int, check_bindable(start(plain), true, &err), 0), "%s", err.message);
}

Test(service_reload, is_refused_when_no_address_is_there)
{
	struct sshd_daemon *d = start(plain);
	struct error err = ERROR_INIT;

	fixture_write(CONFIG, "Port 2222\nListenAddress 10.99.0.1\nListenAddress 2001:db8::1\n");
	cr_expect(eq(int, check_bindable(d, true, &err), -1));
	cr_expect(eq(int, err.code, ERROR_REFUSED));
	assert_contains(err.message, "a reload would stop sshd");
	assert_contains(err.message, "ListenAddress 10.99.0.1:2222");
	assert_contains(err.message, "[2001:db8::1]:2222");
}

Test(service_reload, is_refused_when_an_address_that_is_served_would_be_lost)
{
	struct sshd_daemon *d = start(plain);
	struct error err = ERROR_INIT;

	fixture_write(CONFIG, "Port 2222\nListenAddress 127.0.0.1\n");
	cr_expect(eq(int, check_bindable(d, true, &err), -1));
	cr_expect(eq(int, err.code, ERROR_REFUSED));
	assert_contains(err.message, "would not listen on [::1]:2222 any more");

	/* a close is worth an address */
	cr_expect(eq(int, check_bindable(d, false, &err), 0), "%s", err.message);
}

Test(service_reload, is_refused_when_another_program_holds_the_port)
{
	struct sshd_daemon *d = start(plain);
	struct error err = ERROR_INIT;
	int fd = take_port(2300);

	fixture_write(CONFIG, "Port 2300\nListenAddress 127.0.0.1\n");
	cr_expect(eq(int, check_bindable(d, true, &err), -1));
	assert_contains(err.message, "127.0.0.1:2300 (another program holds the port)");
	(void)close(fd);
}

Test(service_reload, minds_no_address_that_was_missing_all_along)
{
	struct sshd_daemon *d =
		start("Port 2222\nListenAddress 127.0.0.1\nListenAddress 10.99.0.1\n");
	struct error err = ERROR_INIT;

	cr_expect(eq(int, check_bindable(d, true, &err), 0), "%s", err.message);
}

/* ---- the reload */

Test(service_reload, is_proven_by_new_sockets_of_the_same_process)
{
	struct sshd_daemon *d = start(plain);
	struct host_process before = d->process;
	struct error err = ERROR_INIT;
	int64_t loaded_ns = d->loaded_ns;
	struct sshd_proof proof;

	assert_ok(sshd_reload(fixture_host(), d, 0, &proof, &err));
	cr_expect(eq(int, d->process.pid, before.pid));
	cr_expect(eq(u64, d->process.start_ticks, before.start_ticks));
	cr_expect(ne(ulong, (unsigned long)proof.new_inode, (unsigned long)proof.old_inode));
	cr_expect(eq(sz, d->sockets.len, 2));
	cr_expect(proof.answered);
	cr_expect(d->loaded_ns > loaded_ns);
	cr_expect(lt(uint, proof.took_ms, 2000u));
	/* and once more, as for a close */
	assert_ok(sshd_reload(fixture_host(), d, 0, &proof, &err));
	cr_expect(proof.answered);
}

Test(service_reload, makes_the_new_configuration_live)
{
	struct sshd_daemon *d = start(plain);
	struct error err = ERROR_INIT;
	struct sshd_proof proof;
	char line[256] = "";

	fixture_write(CONFIG, "Port 2222\nListenAddress 127.0.0.1\nListenAddress ::1\n"
			      "VersionAddendum reloaded\n");
	assert_ok(sshd_reload(fixture_host(), d, 0, &proof, &err));
	cr_assert(eq(int, host_net_first_line(&d->sockets.items[0], 2000, line, sizeof(line)), 0));
	assert_contains(line, "reloaded");
}

Test(service_reload, fails_when_it_ends_sshd_and_sshd_is_started_again)
{
	struct sshd_daemon *d = start(plain);
	struct host_process before = d->process;
	struct error err = ERROR_INIT;
	struct sshd_proof proof = { .new_inode = 0 };

	fixture_write(CONFIG, "Port 2222\nListenAddress 10.99.0.1\n");
	cr_expect(eq(int, sshd_reload(fixture_host(), d, 5000, &proof, &err), -1));
	cr_expect(eq(int, err.code, ERROR_FAILED));
	assert_contains(err.message, "ended at the reload");
	cr_expect(not(host_process_alive(&before)));
	cr_expect(eq(ulong, (unsigned long)proof.new_inode, 0ul));
	/* started with one address of two it is not back */
	fixture_write(CONFIG, "Port 2222\nListenAddress 127.0.0.1\n");
	cr_expect(eq(int, sshd_start(fixture_host(), d, 300, d, &err), -1));
	cr_expect(eq(int, err.code, ERROR_IN_DOUBT));
	fixture_leave_daemons();
	fixture_write(CONFIG, plain);
	assert_ok(sshd_start(fixture_host(), d, 5000, d, &err));
	cr_expect(ne(int, d->process.pid, before.pid));
	cr_expect(eq(sz, d->sockets.len, 2));
	cr_expect(eq(sz, d->argv.len, 2));
	assert_ok(sshd_reload(fixture_host(), d, 0, &proof, &err));
}

Test(service_reload, fails_at_a_bad_file)
{
	struct sshd_daemon *d = start(plain);
	struct error err = ERROR_INIT;
	struct sshd_proof proof;

	fixture_write(CONFIG, "Prot 3\n");
	cr_expect(eq(int, sshd_reload(fixture_host(), d, 5000, &proof, &err), -1));
	assert_contains(err.message, "ended at the reload");
	cr_expect(eq(int, sshd_start(fixture_host(), d, 500, d, &err), -1));
	cr_expect(eq(int, err.code, ERROR_IN_DOUBT));
	assert_contains(err.hint, "/usr/sbin/sshd -D");
}

Test(service_reload, fails_when_sshd_never_comes_back)
{
	struct sshd_daemon *d = start(plain);
	int64_t before_ns = clock_boottime_ns();
	struct error err = ERROR_INIT;
	struct sshd_proof proof;

	cr_assert(eq(int, kill(d->process.pid, SIGSTOP), 0));
	cr_expect(eq(int, sshd_reload(fixture_host(), d, 400, &proof, &err), -1));
	cr_expect(eq(int, err.code, ERROR_FAILED));
	assert_contains(err.message, "did not reload in time");
	cr_expect(host_process_alive(&d->process));
	cr_expect(ge(i64, clock_boottime_ns() - before_ns, 390 * 1000000LL));
	cr_expect(lt(i64, clock_boottime_ns() - before_ns, 2000 * 1000000LL));
	/* continued, it reloads what is there then; it is found, and proven, as ever */
	cr_assert(eq(int, kill(d->process.pid, SIGCONT), 0));
	clock_sleep_ms(200);
	d = find_one();
	assert_ok(sshd_reload(fixture_host(), d, 0, &proof, &err));
}

Test(service_reload, fails_when_an_address_is_lost)
{
	struct sshd_daemon *d = start(plain);
	struct error err = ERROR_INIT;
	struct sshd_proof proof;

	fixture_write(CONFIG, "Port 2222\nListenAddress 127.0.0.1\n");
	cr_expect(eq(int, sshd_reload(fixture_host(), d, 400, &proof, &err), -1));
	cr_expect(eq(int, err.code, ERROR_FAILED));
}

Test(service_reload, minds_no_daemon_that_is_too_busy_to_answer)
{
	struct sshd_daemon *d =
		start("Port 2222\nListenAddress 127.0.0.1\nMaxStartups 1:100:1\n"
		      "LoginGraceTime 20\n");
	struct sockaddr_in where = { .sin_family = AF_INET, .sin_port = htons(2222),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct error err = ERROR_INIT;
	struct sshd_proof proof;
	int fds[3];

	/* the startups are counted anew by the re-executed one, so they come while it reloads */
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		cr_assert(eq(int, connect(fds[i], (struct sockaddr *)&where, sizeof(where)), 0));
	}
	assert_ok(sshd_reload(fixture_host(), d, 5000, &proof, &err));
	cr_expect(ne(ulong, (unsigned long)proof.new_inode, (unsigned long)proof.old_inode));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		(void)close(fds[i]);
}

Test(service_reload, minds_no_door_that_is_closed_to_loopback)
{
	struct sshd_daemon *d = start(plain);
	struct error err = ERROR_INIT;
	struct sshd_proof proof;

	fixture_write("/run/deny", "sshd: ALL\n");
	if (access("/etc/hosts.deny", F_OK) < 0)
		cr_skip_test("no /etc/hosts.deny to mount over");
	cr_assert(eq(int, mount("/run/deny", "/etc/hosts.deny", "none", MS_BIND, NULL), 0));
	assert_ok(sshd_reload(fixture_host(), d, 5000, &proof, &err));
	cr_expect(not(proof.answered));
}

Test(service_reload, is_not_sent_to_another_process_with_the_same_number)
{
	struct sshd_daemon *d = start(plain);
	struct error err = ERROR_INIT;
	struct sshd_proof proof;

	d->process.start_ticks++;
	cr_expect(eq(int, sshd_reload(fixture_host(), d, 400, &proof, &err), -1));
	assert_contains(err.message, "has ended");
}

/* ---- starting again */

Test(service_reload, leaves_one_alone_that_came_back_by_itself)
{
	struct sshd_daemon *d = start(plain);
	struct sshd_daemon again = SSHD_DAEMON_INIT;
	struct error err = ERROR_INIT;
	pid_t other;

	cr_assert(eq(int, kill(d->process.pid, SIGKILL), 0));
	cr_assert(eq(int, waitpid(d->process.pid, NULL, 0), d->process.pid));
	other = fixture_start_default();
	fixture_write("/run/trap", "#!/bin/sh\n: >/run/called\n");
	cr_assert(eq(int, chmod("/run/trap", 0755), 0));
	free(d->argv.items[0]);
	d->argv.items[0] = strdup("/run/trap");
	assert_ok(sshd_start(fixture_host(), d, 2000, &again, &err));
	cr_expect(eq(int, again.process.pid, other));
	clock_sleep_ms(50);
	cr_expect(eq(int, access("/run/called", F_OK), -1));
	sshd_daemon_release(&again);
}

Test(service_reload, starts_by_the_init_script_what_the_script_started)
{
	struct sshd_daemon again = SSHD_DAEMON_INIT;
	struct error err = ERROR_INIT;
	struct sshd_daemon *d;

	cr_assert(eq(int, system("mkdir /run/init && mount --bind /run/init /etc/init.d"), 0));
	fixture_write("/etc/init.d/ssh", "#!/bin/sh\necho \"$1\" >/run/called\n"
					 "exec /usr/sbin/sshd\n");
	cr_assert(eq(int, chmod("/etc/init.d/ssh", 0755), 0));
	fixture_write(CONFIG, plain);
	cr_assert(eq(int, system("/usr/sbin/sshd"), 0));
	clock_sleep_ms(200);
	d = find_one();
	cr_expect(eq(int, d->manager, SSHD_INIT));
	expect_str(d->unit, "/etc/init.d/ssh");
	cr_assert(eq(int, kill(d->process.pid, SIGKILL), 0));
	assert_ok(sshd_start(fixture_host(), d, 5000, &again, &err));
	cr_expect(eq(int, access("/run/called", F_OK), 0));
	cr_expect(eq(int, again.manager, SSHD_INIT));
	sshd_daemon_release(&again);
}

Test(service_reload, does_not_use_the_script_for_one_with_other_arguments)
{
	struct sshd_daemon *d;

	cr_assert(eq(int, system("mkdir /run/init && mount --bind /run/init /etc/init.d"), 0));
	fixture_write("/etc/init.d/ssh", "#!/bin/sh\n");
	cr_assert(eq(int, chmod("/etc/init.d/ssh", 0755), 0));
	d = start(plain); /* -D, as a supervisor starts it */
	cr_expect(eq(int, d->manager, SSHD_BARE));
}

/* ---- under systemd, whose part a script plays */

static void play_systemd(void)
{
	cr_assert(eq(int, system("mkdir -p /run/upper /run/work /run/o && "
				 "mount -t tmpfs tmpfs /run/o && mkdir /run/o/up /run/o/work"), 0));
	if (system("mount -t overlay overlay -o "
		   "lowerdir=/usr/bin,upperdir=/run/o/up,workdir=/run/o/work /usr/bin") != 0)
		cr_skip_test("no overlay for a systemctl of our own");
	fixture_write("/usr/bin/systemctl",
		      "#!/bin/sh\necho \"$*\" >>/run/called\ncase $1 in\n"
		      "try-restart) kill -9 $(cat /run/sshd.pid); sleep .1; /usr/sbin/sshd ;;\n"
		      "start) /usr/sbin/sshd ;;\nesac\n");
	cr_assert(eq(int, chmod("/usr/bin/systemctl", 0755), 0));
}

static void expect_called(const char *expected)
{
	char got[256] = "";
	FILE *f = fopen("/run/called", "r");

	cr_assert(f != NULL);
	cr_assert(gt(sz, fread(got, 1, sizeof(got) - 1, f), 0));
	(void)fclose(f);
	expect_str(got, expected);
}

Test(service_reload, restarts_the_service_of_a_socket)
{
	struct sshd_daemon *d = start(plain);
	pid_t before = d->process.pid;
	struct error err = ERROR_INIT;
	struct sshd_proof proof;

	play_systemd();
	d->manager = SSHD_SOCKET;
	d->unit = strdup("ssh.service");
	assert_ok(sshd_reload(fixture_host(), d, 5000, &proof, &err));
	expect_called("reset-failed ssh.service\ntry-restart ssh.service\n");
	cr_expect(ne(int, proof.process.pid, before));
	cr_expect(eq(int, d->process.pid, proof.process.pid));
	cr_expect(proof.answered);
}

Test(service_reload, starts_the_service_that_died)
{
	struct sshd_daemon *d = start(plain);
	struct sshd_daemon again = SSHD_DAEMON_INIT;
	struct error err = ERROR_INIT;

	play_systemd();
	d->manager = SSHD_SERVICE;
	d->unit = strdup("ssh.service");
	cr_assert(eq(int, kill(d->process.pid, SIGKILL), 0));
	assert_ok(sshd_start(fixture_host(), d, 5000, &again, &err));
	expect_called("reset-failed ssh.service\nstart ssh.service\n");
	cr_expect(ne(int, again.process.pid, d->process.pid));
	sshd_daemon_release(&again);
}

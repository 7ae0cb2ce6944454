/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_service_fixture.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "host/clock.h"
#include "service/sshd_check.h"
#include "service/sshd_manager.h"

TestSuite(service_find, .init = fixture_enter, .fini = fixture_leave, .timeout = 30);

static const char plain[] = "Port 2222\nListenAddress 127.0.0.1\nListenAddress ::1\n";

static struct sshd_daemons find(const char *config)
{
	struct sshd_daemons found = SSHD_DAEMONS_INIT;
	struct error err = ERROR_INIT;

	assert_ok(sshd_find(fixture_host(), config, &found, &err));
	return found;
}

Test(service_find, describes_the_listener_of_the_pid_file)
{
	_cleanup_sshd_daemons_ struct sshd_daemons found = SSHD_DAEMONS_INIT;
	char text[HOST_SOCKET_TEXT_MAX];
	struct sshd_daemon *d;
	pid_t pid;

	fixture_write(CONFIG, plain);
	pid = fixture_start_default();
	found = find(CONFIG);
	cr_assert(eq(sz, found.len, 1));
	d = &found.items[0];
	cr_expect(eq(int, d->process.pid, pid));
	expect_str(d->binary, "/usr/sbin/sshd");
	expect_str(d->config, CONFIG);
	expect_str(d->pid_file, SSHD_PID_FILE_DEFAULT);
	cr_expect(eq(int, d->manager, SSHD_BARE));
	cr_expect(eq(sz, d->argv.len, 2));
	cr_assert(eq(sz, d->sockets.len, 2));
	expect_str(host_socket_text(&d->sockets.items[0], text), "127.0.0.1:2222");
	expect_str(host_socket_text(&d->sockets.items[1], text), "[::1]:2222");
	cr_expect(d->loaded_ns <= clock_realtime_ns());
	cr_expect(d->loaded_ns > clock_realtime_ns() - 10 * NSEC_PER_SEC);
	sshd_daemons_release(&found);
}

Test(service_find, finds_none_when_none_runs)
{
	_cleanup_sshd_daemons_ struct sshd_daemons found = SSHD_DAEMONS_INIT;

	fixture_write(CONFIG, plain);
	found = find(CONFIG);
	cr_expect(eq(sz, found.len, 0));
	cr_expect(eq(int, found.absence, SSHD_ABSENT));
	fixture_write("/run/sshd.pid", "1\n");
	found = find(CONFIG);
	cr_expect(eq(sz, found.len, 0));
}

Test(service_find, finds_one_without_a_pid_file)
{
	static const char *const argv[] = { "/usr/sbin/sshd", "-D", "-o", "PidFile=none", NULL };
	_cleanup_sshd_daemons_ struct sshd_daemons found = SSHD_DAEMONS_INIT;
	pid_t pid;

	fixture_write(CONFIG, plain);
	pid = fixture_start(NULL, argv);
	found = find(CONFIG);
	cr_assert(eq(sz, found.len, 1));
	cr_expect(eq(int, found.items[0].process.pid, pid));
	cr_expect(found.items[0].pid_file == NULL);
	sshd_daemons_release(&found);
}

Test(service_find, takes_the_pid_file_of_the_arguments)
{
	static const char *const argv[] = { "/usr/sbin/sshd", "-D", "-o", "PidFile /run/my.pid",
					    NULL };
	_cleanup_sshd_daemons_ struct sshd_daemons found = SSHD_DAEMONS_INIT;

	fixture_write(CONFIG, plain);
	(void)fixture_start("/run/my.pid", argv);
	found = find(CONFIG);
	cr_assert(eq(sz, found.len, 1));
	expect_str(found.items[0].pid_file, "/run/my.pid");
	sshd_daemons_release(&found);
}

Test(service_find, tells_instances_apart_by_their_file)
{
	static const char *const argv[] = { "/usr/sbin/sshd", "-D", "-f", "/etc/ssh/other_config",
					    NULL };
	_cleanup_sshd_daemons_ struct sshd_daemons found = SSHD_DAEMONS_INIT;
	pid_t first, second;

	fixture_write(CONFIG, plain);
	fixture_write("/etc/ssh/other_config",
		      "Port 2223\nListenAddress 127.0.0.1\nPidFile /run/other.pid\n");
	first = fixture_start_default();
	second = fixture_start("/run/other.pid", argv);
	found = find(CONFIG);
	cr_assert(eq(sz, found.len, 1));
	cr_expect(eq(int, found.items[0].process.pid, first));
	sshd_daemons_release(&found);
	found = find("/etc/ssh/other_config");
	cr_assert(eq(sz, found.len, 1));
	cr_expect(eq(int, found.items[0].process.pid, second));
	sshd_daemons_release(&found);
}

Test(service_find, finds_two_with_the_same_file)
{
	static const char *const argv[] = { "/usr/sbin/sshd", "-D", "-p", "2223", "-o",
					    "PidFile=/run/second.pid", "-o",
					    "ListenAddress=127.0.0.1:2223", NULL };
	_cleanup_sshd_daemons_ struct sshd_daemons found = SSHD_DAEMONS_INIT;
	pid_t first, second;

	fixture_write(CONFIG, "Port 2222\n");
	first = fixture_start_default();
	second = fixture_start("/run/second.pid", argv);
	found = find(CONFIG);
	cr_assert(eq(sz, found.len, 2));
	cr_expect(eq(int, found.items[0].process.pid, first));
	cr_expect(eq(int, found.items[1].process.pid, second));
	cr_expect(eq(sz, found.items[1].options.len, 6));
	sshd_daemons_release(&found);
}

Test(service_find, refuses_a_listener_with_the_file_in_another_network_namespace)
{
	_cleanup_sshd_daemons_ struct sshd_daemons found = SSHD_DAEMONS_INIT;
	struct error err = ERROR_INIT;
	pid_t pid;

	fixture_write(CONFIG, plain);
	pid = fixture_start_default();
	cr_assert(eq(int, unshare(CLONE_NEWNET), 0));
	cr_assert(eq(int, sshd_find(fixture_host(), CONFIG, &found, &err), -1));
	cr_expect(eq(int, err.code, ERROR_REFUSED));
	cr_expect(ne(ptr, strstr(err.message, "another network namespace"), NULL), "%s (pid %d)",
		  err.message, (int)pid);
	/* of another file nothing is asked there */
	cr_assert(eq(int, sshd_find(fixture_host(), "/etc/ssh/other", &found, &err), 0), "%s",
		  err.message);
	cr_expect(eq(sz, found.len, 0));
}

Test(service_find, passes_over_a_program_of_somebody_elses_that_is_called_sshd)
{
	_cleanup_sshd_daemons_ struct sshd_daemons found = SSHD_DAEMONS_INIT;
	pid_t pid;

	fixture_write(CONFIG, plain);
	cr_assert(eq(int, system("mkdir -p /run/evil && cp /usr/sbin/sshd /run/evil/sshd && "
				 "chmod -R a+rX /run"), 0));
	pid = fork();
	if (pid == 0) {
		static const char title[] = "sshd: /run/evil/sshd -D [listener] 0 of 10-100 startups";
		struct sockaddr_in where = { .sin_family = AF_INET, .sin_port = htons(2299) };
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0 || bind(fd, (struct sockaddr *)&where, sizeof(where)) < 0 ||
		    listen(fd, 1) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
			_exit(1);
		(void)execl("/run/evil/sshd", title, "-D", "-p", "2299", (char *)NULL);
		_exit(1);
	}
	(void)usleep(200000);
	found = find(CONFIG);
	cr_expect(eq(sz, found.len, 0));
	cr_expect(eq(sz, found.n_others, 0));
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

Test(service_find, passes_over_a_file_of_the_same_name_elsewhere)
{
	_cleanup_sshd_daemons_ struct sshd_daemons found = SSHD_DAEMONS_INIT;

	fixture_write(CONFIG, plain);
	(void)fixture_start_default();
	cr_assert(eq(int, unshare(CLONE_NEWNS), 0));
	cr_assert(eq(int, mount("tmpfs", "/etc/ssh", "tmpfs", 0, "mode=0755"), 0));
	fixture_write(CONFIG, plain);
	found = find(CONFIG);
	cr_expect(eq(sz, found.len, 0));
}

Test(service_find, gives_the_path_of_a_binary_that_was_replaced)
{
	static const char *const argv[] = { "/run/bin/sshd", "-D", NULL };
	_cleanup_sshd_daemons_ struct sshd_daemons found = SSHD_DAEMONS_INIT;

	fixture_write(CONFIG, plain);
	cr_assert(eq(int, system("mkdir /run/bin && cp /usr/sbin/sshd /run/bin/sshd"), 0));
	(void)fixture_start(SSHD_PID_FILE_DEFAULT, argv);
	cr_assert(eq(int, system("cp /run/bin/sshd /run/bin/new && mv /run/bin/new /run/bin/sshd"),
		     0));
	found = find(CONFIG);
	cr_assert(eq(sz, found.len, 1));
	expect_str(found.items[0].binary, "/run/bin/sshd");
	sshd_daemons_release(&found);
}

Test(service_find, refuses_a_listener_whose_arguments_are_cut_off)
{
	_cleanup_sshd_daemons_ struct sshd_daemons found = SSHD_DAEMONS_INIT;
	struct error err = ERROR_INIT;

	fixture_write(CONFIG, plain);
	cr_assert(eq(int, clearenv(), 0));
	(void)fixture_start_default();
	cr_expect(eq(int, sshd_find(fixture_host(), CONFIG, &found, &err), -1));
	cr_expect(eq(int, err.code, ERROR_REFUSED));
	assert_contains(err.message, "cut off");
}

Test(service_find, survives_a_journey_through_json)
{
	struct sshd_daemon back = SSHD_DAEMON_INIT;
	struct error err = ERROR_INIT;
	_cleanup_sshd_daemons_ struct sshd_daemons found = SSHD_DAEMONS_INIT;
	struct sshd_daemon *d;
	json_t *json;

	fixture_write(CONFIG, plain);
	(void)fixture_start_default();
	found = find(CONFIG);
	d = &found.items[0];
	cr_assert(eq(int, strings_add(&d->argv, "-o\xff\"\\", &err), 0));
	json = sshd_daemon_to_json(d, &err);
	cr_assert(json != NULL, "%s", err.message);
	assert_ok(sshd_daemon_from_json(json, &back, &err));
	cr_expect(eq(int, back.process.pid, d->process.pid));
	cr_expect(eq(u64, back.process.start_ticks, d->process.start_ticks));
	expect_str(back.binary, d->binary);
	cr_expect(back.unit == NULL);
	cr_assert(eq(sz, back.argv.len, 3));
	expect_str(back.argv.items[2], d->argv.items[2]);
	cr_assert(eq(sz, back.sockets.len, 2));
	expect_str(back.sockets.items[1].address, d->sockets.items[1].address);
	(void)json_object_del(json, "binary");
	cr_expect(eq(int, sshd_daemon_from_json(json, &back, &err), -1));
	assert_contains(err.message, "binary");
	json_decref(json);
	sshd_daemon_release(&back);
	sshd_daemons_release(&found);
}

Test(service_find, names_files_that_changed_since_they_were_loaded)
{
	static const char *const paths[] = { CONFIG, "/etc/ssh/untouched", "/etc/ssh/missing" };
	struct strings newer = STRINGS_INIT;
	struct error err = ERROR_INIT;
	_cleanup_sshd_daemons_ struct sshd_daemons found = SSHD_DAEMONS_INIT;

	fixture_write(CONFIG, plain);
	fixture_write("/etc/ssh/untouched", "");
	(void)fixture_start_default();
	found = find(CONFIG);
	assert_ok(sshd_check_newer(fixture_host(), &found.items[0], NULL, (char *const *)paths, 3,
				   &newer, &err));
	cr_expect(eq(sz, newer.len, 0));
	clock_sleep_ms(50);
	fixture_write(CONFIG, plain);
	assert_ok(sshd_check_newer(fixture_host(), &found.items[0], NULL, (char *const *)paths, 3,
				   &newer, &err));
	cr_assert(eq(sz, newer.len, 1));
	expect_str(newer.items[0], CONFIG);
	strings_release(&newer);
	/* a reload writes the pid file anew, and that settles it */
	cr_assert(eq(int, kill(found.items[0].process.pid, SIGHUP), 0));
	clock_sleep_ms(200);
	sshd_daemons_release(&found);
	found = find(CONFIG);
	cr_assert(eq(sz, found.len, 1));
	assert_ok(sshd_check_newer(fixture_host(), &found.items[0], NULL, (char *const *)paths, 3,
				   &newer, &err));
	cr_expect(eq(sz, newer.len, 0));
	sshd_daemons_release(&found);
}

static const struct {
	const char *cgroups;
	const char *unit;
} cgroups[] = {
	{ "0::/system.slice/ssh.service\n", "ssh.service" },
	{ "0::/system.slice/sshd.service\n", "sshd.service" },
	{ "12:pids:/x\n1:name=systemd:/system.slice/ssh.service\n0::/\n", "ssh.service" },
	{ "1:name=systemd:/\n0::/system.slice/ssh.service\n", "ssh.service" },
	{ "1:name=systemd:/system.slice/cron.service\n0::/system.slice/ssh.service/x\n", NULL },
	{ "0::/user.slice/user-0.slice/session-3.scope\n", NULL },
	{ "0::/user.slice/user-1.slice/user@1.service/app.slice/ssh.service\n", NULL },
	{ "0::/system.slice/cron.service\n", NULL },
	{ "0::/\n", NULL },
	{ "", NULL },
};

Test(service_manager, reads_the_unit_from_the_cgroup)
{
	for (size_t i = 0; i < ARRAY_SIZE(cgroups); i++) {
		char *unit = sshd_unit_of_cgroup(cgroups[i].cgroups);

		if (cgroups[i].unit == NULL)
			cr_expect(unit == NULL, "%s", cgroups[i].cgroups);
		else
			cr_expect(unit != NULL && strcmp(unit, cgroups[i].unit) == 0, "%s",
				  cgroups[i].cgroups);
		free(unit);
	}
}

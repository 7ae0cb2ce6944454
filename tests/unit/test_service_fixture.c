/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_service_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/net.h"

static struct host the_host = HOST_INIT;

static bool run_keygen(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execl("/usr/bin/ssh-keygen", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
		      "/etc/ssh/ssh_host_ed25519_key", (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static bool bring_loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;

	(void)close(fd);
	return up;
}

void fixture_enter(void)
{
	struct error err = ERROR_INIT;

	if (geteuid() != 0)
		cr_skip_test("not root");
	if (access("/usr/sbin/sshd", X_OK) < 0)
		cr_skip_test("no /usr/sbin/sshd");
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		cr_skip_test("no mount and network namespaces here");
	(void)umask(022);
	cr_assert(mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") == 0);
	cr_assert(mount("tmpfs", "/etc/ssh", "tmpfs", 0, "mode=0755") == 0);
	cr_assert(mkdir("/run/sshd", 0755) == 0);
	cr_assert(bring_loopback_up());
	cr_assert(run_keygen());
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)setenv("FIXTURE", "room for the title of an sshd, which needs some", 1);
	assert_ok(host_init(&the_host, "/", NULL, NULL, &err));
}

struct host *fixture_host(void)
{
	return &the_host;
}

void fixture_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert(f != NULL, "%s: %s", path, strerror(errno));
	cr_assert(fputs(text, f) >= 0);
	cr_assert(fclose(f) == 0);
}

static bool listens(pid_t pid)
{
	struct host_sockets all = HOST_SOCKETS_INIT, held = HOST_SOCKETS_INIT;
	struct error err = ERROR_INIT;
	bool yes;

	assert_ok(host_net_listeners(&the_host, &all, &err));
	assert_ok(host_process_sockets(pid, &all, &held, &err));
	yes = held.len > 0;
	host_sockets_release(&all);
	host_sockets_release(&held);
	return yes;
}

pid_t fixture_start(const char *pid_file, const char *const *arguments)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);
		int other[2];

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent || socketpair(AF_UNIX, SOCK_STREAM, 0, other) < 0)
			_exit(127);
		(void)dup2(other[0], 0); /* a socket more than those that listen */
		(void)dup2(null, 1);
		(void)dup2(null, 2);
		execv(arguments[0], (char *const *)arguments);
		_exit(127);
	}
	cr_assert(pid > 0);
	for (int i = 0; i < 500; i++) {
		if (listens(pid) && (pid_file == NULL || access(pid_file, F_OK) == 0))
			return pid;
		cr_assert(waitpid(pid, NULL, WNOHANG) == 0, "%s ended", arguments[0]);
		clock_sleep_ms(10);
	}
	cr_fatal("%s does not listen", arguments[0]);
}

pid_t fixture_start_default(void)
{
	static const char *const arguments[] = { "/usr/sbin/sshd", "-D", NULL };

	return fixture_start(SSHD_PID_FILE_DEFAULT, arguments);
}

void fixture_leave_daemons(void)
{
	char path[64];
	FILE *f;
	int pid;

	/* as a subreaper, we are the parent of every daemon that lost its own */
	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	f = fopen(path, "r");
	while (f != NULL && fscanf(f, "%d", &pid) == 1) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	if (f != NULL)
		(void)fclose(f);
}

void fixture_leave(void)
{
	fixture_leave_daemons();
	host_release(&the_host);
}

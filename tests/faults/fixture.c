/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "die.h"
#include "image.h"
#include "trace.h"
#include "watchers.h"

#define HOST_KEY "/etc/ssh/ssh_host_ed25519_key"
#define CRON_DIR "/etc/cron.d"

static const char *const login_roots[] = { "/etc/ssh", CRON_DIR, FIXTURE_STATE,
					   FIXTURE_RUN, NULL };
static const char *const service_roots[] = {
	"/etc/init.d", "/etc/rc0.d", "/etc/rc1.d", "/etc/rc2.d",	  "/etc/rc3.d",	 "/etc/rc4.d",
	"/etc/rc5.d",  "/etc/rc6.d", "/etc/rcS.d", "/etc/systemd/system", FIXTURE_STATE, FIXTURE_RUN,
	NULL
};
const char *const *fixture_roots = login_roots;

#define CONFIG_HEAD "# What the procedure of 2009 starts from.\n"
#define CONFIG_INCLUDE "Include /etc/ssh/sshd_config.d/*.conf\n"
#define CONFIG_REST                              \
	"Port 22\n"                              \
	"ListenAddress 127.0.0.1\n"              \
	"HostKey " HOST_KEY "\n"                 \
	"\n"                                     \
	"# Authentication:\n"                    \
	"LoginGraceTime 120\n"                   \
	"PermitRootLogin no\n"                   \
	"# for the backups\n"                    \
	"PermitRootLogin forced-commands-only\n" \
	"PasswordAuthentication no\n"            \
	"UsePAM yes\n"                           \
	"\n"                                     \
	"Subsystem sftp /usr/lib/openssh/sftp-server\n"

/* Where the Include comes last, nothing in its folder can decide. */
static const char config[] = CONFIG_HEAD CONFIG_INCLUDE CONFIG_REST;
static const char config_line_1[] = CONFIG_HEAD CONFIG_REST CONFIG_INCLUDE;

static const char included[] = "LogLevel VERBOSE\n";

/* The modules beyond `files` add a hundred calls to each sshd, and none of ours. */
static const char names[] = "passwd: files\ngroup: files\nshadow: files\nhosts: files\n";

static void write_file(const char *path, const char *text, mode_t mode)
{
	const struct timespec times[2] = { { .tv_sec = 1240000000, .tv_nsec = 123456789 },
					   { .tv_sec = 1240000000,
					     .tv_nsec = 123456789 } };
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || fchmod(fd, mode) < 0 ||
	    futimens(fd, times) < 0)
		die("writing %s", path);
	(void)close(fd);
}

static void mount_tmpfs(const char *path)
{
	if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
		die("tmpfs on %s", path);
}

static void make_host_key(void)
{
	static const char *const argv[] = { "/usr/bin/ssh-keygen",
					    "-q",
					    "-t",
					    "ed25519",
					    "-N",
					    "",
					    "-C",
					    "",
					    "-f",
					    HOST_KEY,
					    NULL };
	struct trace_outcome o;

	trace_run_plain((char *const *)argv, STDOUT_FILENO, &o);
	if (o.status != 0)
		die("ssh-keygen");
}

static void raise_loopback(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		die("loopback");
	(void)close(fd);
}

/* rootlatch asks whether one runs, and no more. */
static void start_cron(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid != 0)
		return;
	(void)prctl(PR_SET_NAME, "cron");
	for (;;)
		(void)pause();
}

static void make_services(const char *command)
{
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	struct trace_outcome o;

	trace_run_plain((char *const *)argv, STDOUT_FILENO, &o);
	if (o.status != 0)
		die("%s", command);
}

static void build(const struct fixture_terms *terms)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL) < 0)
		die("mounts");
	mount_tmpfs("/etc/ssh");
	mount_tmpfs("/var/lib");
	mount_tmpfs("/run");
	if (access(CRON_DIR, F_OK) == 0)
		mount_tmpfs(CRON_DIR);
	else if (terms->cron)
		skip("there is no " CRON_DIR);
	if (mkdir("/run/sshd", 0755) < 0 || mkdir("/etc/ssh/sshd_config.d", 0755) < 0)
		die("mkdir");
	write_file("/run/nsswitch.conf", names, 0644);
	if (mount("/run/nsswitch.conf", "/etc/nsswitch.conf", NULL, MS_BIND, NULL) < 0)
		die("nsswitch.conf");
	write_file(FIXTURE_TARGET, terms->line_1 ? config_line_1 : config, 0640);
	write_file("/etc/ssh/sshd_config.d/10-log.conf", included, 0644);
	make_host_key();
	raise_loopback();
	if (terms->cron)
		start_cron();
	if (terms->services != NULL)
		make_services(terms->services);
}

static void stay_on_one(unsigned worker)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(worker % (unsigned)(n > 0 ? n : 1), &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static bool is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && path[n] == '/';
}

int fixture_run(unsigned worker, const struct fixture_terms *terms, void (*work)(void *),
		void *arg)
{
	int status;
	pid_t pid;

	if (terms->services != NULL)
		fixture_roots = service_roots;
	if (is_below(terms->tool, "/run") || is_below(terms->tool, "/var/lib") ||
	    is_below(terms->tool, "/etc/ssh"))
		skip("%s lies where the fixture mounts its own", terms->tool);
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID) < 0)
		skip("namespaces are not allowed here");
	stay_on_one(worker);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		/* the first process of its namespace takes no other signal */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* bash ignores some of them for us */
		(void)umask(022);
		build(terms);
		work(arg);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) < 0)
		die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_BROKEN;
}

/* ---- The daemon */

static void pause_ms(long ms)
{
	const struct timespec t = { .tv_nsec = ms * 1000000 };

	(void)nanosleep(&t, NULL);
}

static int connect_loopback(void)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons(22),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static bool greets(void)
{
	const struct timeval limit = { .tv_sec = 5 };
	char text[4] = "";
	int fd = connect_loopback();
	ssize_t n;

	if (fd < 0)
		return false;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	n = recv(fd, text, sizeof(text), MSG_WAITALL);
	(void)close(fd);
	return n == (ssize_t)sizeof(text) && memcmp(text, "SSH-", 4) == 0;
}

pid_t fixture_daemon_start(void)
{
	static const char *const argv[] = { "/usr/sbin/sshd", NULL };
	struct trace_outcome o;
	int pid = 0;

	(void)unlink("/run/sshd.pid");
	trace_run_plain((char *const *)argv, STDOUT_FILENO, &o);
	if (o.status != 0)
		die("sshd does not start");
	for (int i = 0; i < 15000; i++) {
		FILE *f = fopen("/run/sshd.pid", "re");
		int n = f != NULL ? fscanf(f, "%d", &pid) : 0;

		if (f != NULL)
			(void)fclose(f);
		if (n == 1 && greets())
			return pid;
		pause_ms(2);
	}
	die("sshd does not listen");
}

void fixture_daemon_stop(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

bool fixture_daemon_answers(pid_t pid, const char **why)
{
	*why = "the daemon is gone";
	(void)waitpid(pid, NULL, WNOHANG);
	if (kill(pid, 0) < 0)
		return false;
	*why = "the daemon does not answer";
	return greets();
}

/* The listener keeps the text of its configuration for its children, comments left out. */
bool fixture_daemon_loaded(pid_t pid, const char *line)
{
	unsigned long from, to;
	char path[64], text[512];
	bool found = false;
	FILE *maps;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (maps == NULL || fd < 0)
		die("the memory of process %d", (int)pid);
	while (!found && fgets(text, sizeof(text), maps) != NULL) {
		char *memory;
		ssize_t n;

		if (strstr(text, "[heap]") == NULL ||
		    sscanf(text, "%lx-%lx", &from, &to) != 2)
			continue;
		memory = malloc(to - from);
		n = memory != NULL ? pread(fd, memory, to - from, (off_t)from) : -1;
		if (n < 0)
			die("the heap of process %d", (int)pid);
		found = memmem(memory, (size_t)n, line, strlen(line)) != NULL;
		free(memory);
	}
	(void)fclose(maps);
	(void)close(fd);
	return found;
}

/* ---- A boot */

void fixture_lose_boot_token(void)
{
	if (unlink(FIXTURE_RUN "/boot") < 0)
		die("the token of this boot");
}

void fixture_lose_run(void)
{
	static const char *const roots[] = { FIXTURE_RUN, NULL };
	const struct image empty = IMAGE_INIT;
	struct watchers none = { .len = 0 };

	watchers_end_others(&none);
	image_restore(&empty, roots, NULL);
}

/* ---- What is left over */

unsigned fixture_count_mounts(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	unsigned lines = 0;
	int c;

	if (f == NULL)
		die("mountinfo");
	while ((c = getc(f)) != EOF)
		lines += c == '\n';
	(void)fclose(f);
	return lines;
}

static pid_t parent_of(pid_t pid)
{
	char path[64], text[512] = "";
	const char *p;
	int fd, parent = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	(void)close(fd);
	p = strrchr(text, ')');
	/* a zombie is nobody's leftover: the worker reaps it */
	if (p == NULL || sscanf(p, ") %*c %d", &parent) != 1 || p[2] == 'Z')
		return 0;
	return parent;
}

static bool descends(pid_t pid, pid_t from)
{
	while (pid > 1) {
		if (pid == from)
			return true;
		pid = parent_of(pid);
	}
	return false;
}

static bool is_cron(pid_t pid)
{
	char path[64], text[8] = "";
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	(void)close(fd);
	return strcmp(text, "cron\n") == 0;
}

static bool belongs_here(pid_t pid, pid_t daemon)
{
	return (daemon != 0 && descends(pid, daemon)) || watchers_is(pid) || is_cron(pid);
}

static unsigned each_stray(pid_t daemon, int sig)
{
	const struct dirent *d;
	DIR *proc = opendir("/proc");
	unsigned n = 0;

	if (proc == NULL)
		die("/proc");
	while ((d = readdir(proc)) != NULL) {
		pid_t pid = (pid_t)atoi(d->d_name);

		if (pid <= 1 || parent_of(pid) == 0 || belongs_here(pid, daemon))
			continue;
		n++;
		(void)kill(pid, sig);
	}
	(void)closedir(proc);
	return n;
}

unsigned fixture_count_strays(pid_t daemon)
{
	unsigned n = 0;

	/* what was just killed takes a moment */
	for (int i = 0; i < 1500; i++) {
		n = each_stray(daemon, 0);
		if (n == 0)
			return 0;
		(void)waitpid(-1, NULL, WNOHANG);
		pause_ms(2);
	}
	return n;
}

void fixture_end_strays(pid_t daemon)
{
	(void)each_stray(daemon, SIGKILL);
	(void)fixture_count_strays(daemon);
}

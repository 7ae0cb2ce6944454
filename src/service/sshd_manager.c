/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * systemctl costs as much as sshd itself, so what /proc and /run tell is not asked of it.
 */
#include "service/sshd_manager.h"

#include <stdio.h>

#include "base/path.h"
#include "host/file.h"

static bool read_text(const struct host *h, const char *path, struct host_file *ret)
{
	return host_file_read(h, path, HOST_READ_ANY | HOST_READ_NO_DIGEST, ret, NULL) == 0;
}

bool sshd_manager_is_systemd(const struct host *h)
{
	return host_is_live(h) && host_file_exists(h, "/run/systemd/system");
}

/* The unified hierarchy, or systemd's own in the old layout. Where both are mounted one of them may
 * be empty: which one is in use is told by the unit in it. */
static const char *systemd_path(const char *line)
{
	const char *path = strstr(line, ":/");

	if (path == NULL || (strncmp(line, "0::", 3) != 0 && strstr(line, ":name=systemd:") == NULL))
		return NULL;
	return path + 1;
}

static char *unit_of_path(const char *path, size_t len)
{
	static const char suffix[] = ".service";
	const char *slash = memrchr(path, '/', len);
	size_t name_len = slash != NULL ? len - (size_t)(slash + 1 - path) : 0;
	char *name;

	/* a service of a user's manager is none of ours, and an sshd that another service
	 * started (or a session of an ssh.service, by hand) is not that service's listener */
	if (name_len < sizeof(suffix) || strncmp(path, "/user.slice", 11) == 0)
		return NULL;
	name = str_ndup(slash + 1, name_len, NULL);
	if (name != NULL && strstr(name, "ssh") != NULL &&
	    strcmp(name + name_len - (sizeof(suffix) - 1), suffix) == 0)
		return name;
	free(name);
	return NULL;
}

char *sshd_unit_of_cgroup(const char *cgroups)
{
	for (const char *line = cgroups; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		_cleanup_free_ char *one = str_ndup(line, len, NULL);
		const char *path = one != NULL ? systemd_path(one) : NULL;
		char *unit = path != NULL ? unit_of_path(path, strlen(path)) : NULL;

		if (unit != NULL)
			return unit;
		line += len + (line[len] == '\n');
	}
	return NULL;
}

static int detect_systemd(const struct host *h, struct sshd_daemon *d, struct error *err)
{
	_cleanup_host_sockets_ struct host_sockets handed = HOST_SOCKETS_INIT;
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)d->process.pid);
	if (!read_text(h, path, &f))
		return 0;
	d->unit = sshd_unit_of_cgroup(f.bytes.data);
	if (d->unit == NULL)
		return 0;
	d->manager = SSHD_SERVICE;
	/* a socket that PID 1 holds as well was handed over by it */
	if (host_process_sockets(1, &d->sockets, &handed, err) < 0)
		return -1;
	if (handed.len > 0)
		d->manager = SSHD_SOCKET;
	return 0;
}

/* The value of SSHD_OPTS= in /etc/default/ssh, which the init script gives its sshd. */
static char *default_options(const struct host *h)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	const char *line, *value = "";
	size_t len;

	if (!read_text(h, "/etc/default/ssh", &f))
		return str_dup("", NULL);
	for (line = f.bytes.data; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n')
		if (strncmp(line, "SSHD_OPTS=", 10) == 0)
			value = line + 10;
	len = strcspn(value, "\r\n");
	if (len >= 2 && (value[0] == '"' || value[0] == '\'') && value[len - 1] == value[0]) {
		value++;
		len -= 2;
	}
	return str_ndup(value, len, NULL);
}

/* The script would give it other arguments than it has: then it was not the script that started
 * this one, and must not be what starts it again. */
static bool script_would_start_it(const struct host *h, const struct sshd_daemon *d)
{
	_cleanup_free_ char *options = default_options(h);
	_cleanup_buffer_ struct buffer own = BUFFER_INIT;

	for (size_t i = 1; i < d->argv.len; i++)
		if (buffer_printf(&own, NULL, "%s%s", i > 1 ? " " : "", d->argv.items[i]) < 0)
			return false;
	return options != NULL && strcmp(options, own.data != NULL ? own.data : "") == 0;
}

static int detect_init(const struct host *h, struct sshd_daemon *d, struct error *err)
{
	static const char *const scripts[] = { "/etc/init.d/ssh", "/etc/init.d/sshd" };
	struct stat st;

	if (d->pid_file == NULL || strcmp(d->pid_file, SSHD_PID_FILE_DEFAULT) != 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		if (host_lstat(h, scripts[i], &st) < 0 || !S_ISREG(st.st_mode) ||
		    (st.st_mode & S_IXUSR) == 0)
			continue;
		if (!script_would_start_it(h, d))
			return 0;
		d->unit = str_dup(scripts[i], err);
		if (d->unit == NULL)
			return -1;
		d->manager = SSHD_INIT;
		return 0;
	}
	return 0;
}

int sshd_manager_detect(const struct host *h, struct sshd_daemon *d, struct error *err)
{
	return sshd_manager_is_systemd(h) ? detect_systemd(h, d, err) : detect_init(h, d, err);
}

static bool inetd_serves_ssh(const struct host *h)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;

	if (!read_text(h, "/etc/inetd.conf", &f))
		return false;
	for (const char *line = f.bytes.data; *line != '\0';) {
		size_t len = strcspn(line, "\n");

		if (line[0] != '#' && memmem(line, len, "sshd", 4) != NULL)
			return true;
		line += len + (line[len] == '\n');
	}
	return false;
}

int sshd_manager_absence(const struct host *h, enum sshd_absence *ret, struct error *err)
{
	static const char *const argv[] = { "/usr/bin/systemctl", "show", "ssh.socket",
					    "--property=ActiveState,Accept", NULL };
	const struct host_command cmd = { .argv = (char *const *)argv, .timeout_ms = 10000 };
	_cleanup_host_outcome_ struct host_outcome outcome = HOST_OUTCOME_INIT;
	const char *out;

	*ret = inetd_serves_ssh(h) ? SSHD_PER_CONNECTION : SSHD_ABSENT;
	if (!sshd_manager_is_systemd(h))
		return 0;
	if (host_run(h, &cmd, &outcome, err) < 0)
		return -1;
	out = outcome.out.data != NULL ? outcome.out.data : "";
	if (strstr(out, "ActiveState=active") != NULL)
		*ret = strstr(out, "Accept=yes") != NULL ? SSHD_PER_CONNECTION : SSHD_SOCKET_IDLE;
	return 0;
}

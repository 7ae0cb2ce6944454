/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who is asked to stop or start a service decides what its daemons inherit: systemd's come of
 * systemd, those of an init script come of us (see leaves_daemons in host/process.h).
 */
#include "service/boot_control.h"

#include <stdio.h>

#include "base/text.h"
#include "host/file.h"
#include "service/boot_parts.h"
#include "service/sshd_manager.h"

#define SYSTEMCTL "/usr/bin/systemctl"
#define STATUS_MS 5000
#define WORDS_MAX 300
#define UNIT_NAME_MAX (BOOT_NAME_MAX + sizeof(".service"))

/* ---- systemd's answers */

void boot_control_unit_release(struct boot_control_unit *u)
{
	free(u->cgroup);
}

static const char *unit_name(const struct boot_service *s, char *ret, size_t len)
{
	if (s->unit.name != NULL)
		return s->unit.name;
	(void)snprintf(ret, len, "%s.service", s->name);
	return ret;
}

static char *value_of(const char *text, const char *key)
{
	size_t key_len = strlen(key);

	for (const char *line = text; *line != '\0';) {
		size_t len = strcspn(line, "\n");

		if (len > key_len && strncmp(line, key, key_len) == 0 && line[key_len] == '=')
			return str_ndup(line + key_len + 1, len - key_len - 1, NULL);
		line += len + (line[len] == '\n');
	}
	return str_dup("", NULL);
}

static bool is_one_of(const char *value, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(value, *list) == 0)
			return true;
	return false;
}

static int parse_unit(const char *text, struct boot_control_unit *ret, struct error *err)
{
	static const char *const active[] = { "active", "reloading", "refreshing", NULL };
	static const char *const off[] = { "inactive", "failed", NULL };
	_cleanup_free_ char *state = value_of(text, "ActiveState");
	_cleanup_free_ char *pid = value_of(text, "MainPID");
	_cleanup_free_ char *type = value_of(text, "Type");
	_cleanup_free_ char *result = value_of(text, "Result");

	ret->cgroup = value_of(text, "ControlGroup");
	if (state == NULL || pid == NULL || type == NULL || result == NULL || ret->cgroup == NULL)
		return error_oom(err);
	ret->active = is_one_of(state, active);
	ret->settled = ret->active || is_one_of(state, off);
	ret->main_pid = (pid_t)strtol(pid, NULL, 10);
	ret->leaves_nothing = strcmp(type, "oneshot") == 0 && strcmp(result, "success") == 0 &&
			      strcmp(state, "inactive") == 0;
	return state[0] != '\0' ? 0 : error_set(err, ERROR_FAILED, "no ActiveState");
}

static int no_answer(const struct host_outcome *o, const char *name, struct error *err)
{
	_cleanup_buffer_ struct buffer words = BUFFER_INIT;

	if (boot_control_add_words(o, &words, err) < 0)
		return -1;
	return error_set(err, ERROR_FAILED, "systemctl does not say whether %s is active%s", name,
			 words.data);
}

int boot_control_read_unit(const struct host *h, const char *name,
			   struct boot_control_unit *ret, struct error *err)
{
	const char *const argv[] = { SYSTEMCTL, "--no-pager", "show", "-p",
				     "ActiveState,ControlGroup,MainPID,Type,Result", "--", name,
				     NULL };
	const struct host_command cmd = { .argv = (char *const *)argv, .timeout_ms = STATUS_MS };
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;

	if (!host_file_exists(h, SYSTEMCTL))
		return error_set(err, ERROR_FAILED, "there is no " SYSTEMCTL " to ask");
	if (host_run(h, &cmd, &o, err) < 0)
		return -1;
	if (o.timed_out)
		return error_set(err, ERROR_FAILED, "systemctl did not answer within %d s",
				 STATUS_MS / 1000);
	if (parse_unit(o.out.data != NULL ? o.out.data : "", ret, err) == 0)
		return 0;
	return no_answer(&o, name, err);
}

int boot_control_read_own_unit(const struct host *h, const struct boot_service *s,
			       struct boot_control_unit *ret, struct error *err)
{
	char room[UNIT_NAME_MAX];

	return boot_control_read_unit(h, unit_name(s, room, sizeof(room)), ret, err);
}

/* ---- its commands */

/* The interpreter of a script that is not executable, so that it can be run all the same. */
static int add_interpreter(const struct host *h, const char *path, struct strings *argv,
			   struct error *err)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	const char *line, *arg;
	size_t len;

	if (host_file_read(h, path, HOST_READ_ANY | HOST_READ_NO_DIGEST, &f, err) < 0)
		return -1;
	if ((f.meta.mode & 0111) != 0)
		return 0;
	if (strncmp(f.bytes.data, "#!", 2) != 0)
		return strings_add(argv, "/bin/sh", err);
	line = f.bytes.data + 2 + strspn(f.bytes.data + 2, " \t");
	len = strcspn(line, " \t\r\n");
	arg = line + len + strspn(line + len, " \t");
	if (len == 0 || line[0] != '/')
		return error_set(err, ERROR_FAILED, "%s is not executable", path);
	if (strings_addn(argv, line, len, err) < 0)
		return -1;
	len = strcspn(arg, "\r\n");
	return len > 0 ? strings_addn(argv, arg, len, err) : 0;
}

static int script_argv(const struct host *h, const struct boot_service *s, const char *verb,
		       struct strings *ret, struct error *err)
{
	_cleanup_free_ char *path = str_format(err, "/etc/init.d/%s", s->name);

	if (path == NULL)
		return -1;
	if (!host_file_exists(h, path))
		return error_set(err, ERROR_FAILED, "there is no %s", path);
	if (host_file_require_trusted(h, path, err) < 0)
		return -1;
	/* what was stopped by a transaction that failed has to be started again, whatever its mode */
	if (add_interpreter(h, path, ret, err) < 0 || strings_add(ret, path, err) < 0)
		return -1;
	return strings_add(ret, verb, err);
}

/* What a timer or a path starts is a job, which is not to be done because its timer is back. */
bool boot_control_waits(const struct boot_service *s)
{
	for (size_t i = 0; i < s->unit.sockets.len; i++)
		if (!boot_ends_with(s->unit.sockets.items[i], ".socket"))
			return true;
	return false;
}

static int systemctl_argv(const struct boot_service *s, const char *verb, struct strings *ret,
			  struct error *err)
{
	const char *const before[] = { SYSTEMCTL, "--no-pager", "--no-ask-password", verb, "--" };
	char room[UNIT_NAME_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		if (strings_add(ret, before[i], err) < 0)
			return -1;
	/* in one transaction of systemd's: a connection in between would start it again */
	if (strings_copy(&s->unit.sockets, ret, err) < 0)
		return -1;
	if (strcmp(verb, "start") == 0 && boot_control_waits(s))
		return 0;
	return strings_add(ret, unit_name(s, room, sizeof(room)), err);
}

int boot_control_run(const struct host *h, const struct boot_service *s, const char *verb,
		     unsigned timeout_ms, struct host_outcome *ret, struct error *err)
{
	_cleanup_strings_ struct strings argv = STRINGS_INIT;
	bool systemd = sshd_manager_is_systemd(h);
	struct host_command cmd = { .leaves_daemons = !systemd, .timeout_ms = timeout_ms };

	if ((systemd ? systemctl_argv(s, verb, &argv, err) :
		       script_argv(h, s, verb, &argv, err)) < 0)
		return -1;
	cmd.argv = argv.items;
	return host_run(h, &cmd, ret, err);
}

void boot_control_reset_failed(const struct host *h, const struct boot_service *s)
{
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;

	if (sshd_manager_is_systemd(h) &&
	    boot_control_run(h, s, "reset-failed", STATUS_MS, &o, NULL) < 0)
		return; /* then the start says so */
}

int boot_control_add_words(const struct host_outcome *o, struct buffer *ret, struct error *err)
{
	const struct buffer *said[] = { &o->err, &o->out };

	if (o->timed_out && buffer_append_str(ret, "; the command did not end in time", err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
		const char *p = said[i]->data != NULL ? said[i]->data : "";
		size_t len;

		p += strspn(p, "\r\n \t");
		len = strcspn(p, "\r\n");
		if (len == 0)
			continue;
		if (buffer_printf(ret, err, "; it said (status %d): ", o->status) < 0)
			return -1;
		return text_escape(slice_of(p, len < WORDS_MAX ? len : WORDS_MAX), false, ret, err);
	}
	return buffer_printf(ret, err, "; it said nothing (status %d)", o->status);
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The description of a listener as a value: released, named, kept in the journal.
 */
#include <stdio.h>

#include "base/json.h"
#include "base/text.h"
#include "service/sshd.h"

static const char *const manager_names[] = {
	[SSHD_BARE] = "bare",
	[SSHD_INIT] = "init",
	[SSHD_SERVICE] = "service",
	[SSHD_SOCKET] = "socket",
};

const char *sshd_manager_name(enum sshd_manager manager)
{
	return manager_names[manager];
}

void sshd_daemon_release(struct sshd_daemon *d)
{
	free(d->unit);
	free(d->binary);
	free(d->config);
	free(d->pid_file);
	free(d->cwd);
	strings_release(&d->argv);
	strings_release(&d->options);
	host_sockets_release(&d->sockets);
	*d = (struct sshd_daemon)SSHD_DAEMON_INIT;
}

const char *sshd_daemons_presence(const struct sshd_daemons *d)
{
	static const char *const names[] = {
		[SSHD_ABSENT] = "not-running",
		[SSHD_SOCKET_IDLE] = "at-first-connection",
		[SSHD_PER_CONNECTION] = "per-connection",
	};

	return d->len > 0 ? "running" : names[d->absence];
}

void sshd_daemons_release(struct sshd_daemons *d)
{
	for (size_t i = 0; i < d->len; i++)
		sshd_daemon_release(&d->items[i]);
	free(d->items);
	for (size_t i = 0; i < d->n_others; i++)
		sshd_daemon_release(&d->others[i]);
	free(d->others);
	*d = (struct sshd_daemons)SSHD_DAEMONS_INIT;
}

const char *sshd_daemon_name(const struct sshd_daemon *d, char *ret)
{
	(void)snprintf(ret, SSHD_DAEMON_NAME_MAX, "sshd (pid %d%s%.80s)", (int)d->process.pid,
		       d->unit != NULL ? ", " : "", d->unit != NULL ? d->unit : "");
	return ret;
}

/* Paths and arguments may be any bytes, JSON holds only text: they are kept escaped. */
static json_t *encoded(const char *s)
{
	_cleanup_free_ char *text = s != NULL ? text_encode(s, NULL) : NULL;

	if (s == NULL)
		return json_null();
	return text != NULL ? json_string(text) : NULL;
}

static int put_strings(json_t *object, const char *key, const struct strings *s,
		       struct error *err)
{
	_cleanup_json_ json_t *array = json_array();

	for (size_t i = 0; i < s->len; i++)
		if (json_push(array, encoded(s->items[i]), err) < 0)
			return -1;
	return json_put(object, key, json_incref(array), err);
}

static int put_sockets(json_t *object, const char *key, const struct host_sockets *s,
		       struct error *err)
{
	_cleanup_json_ json_t *array = json_array();
	char text[HOST_SOCKET_TEXT_MAX];

	for (size_t i = 0; i < s->len; i++)
		if (json_push(array, json_string(host_socket_text(&s->items[i], text)), err) < 0)
			return -1;
	return json_put(object, key, json_incref(array), err);
}

json_t *sshd_daemon_to_json(const struct sshd_daemon *d, struct error *err)
{
	_cleanup_json_ json_t *json = json_object();

	if (json_put(json, "pid", json_integer(d->process.pid), err) < 0 ||
	    json_put(json, "start_ticks", json_integer((json_int_t)d->process.start_ticks),
		     err) < 0 ||
	    json_put(json, "manager", json_string(sshd_manager_name(d->manager)), err) < 0 ||
	    json_put(json, "unit", encoded(d->unit), err) < 0 ||
	    json_put(json, "binary", encoded(d->binary), err) < 0 ||
	    json_put(json, "config", encoded(d->config), err) < 0 ||
	    json_put(json, "pid_file", encoded(d->pid_file), err) < 0 ||
	    json_put(json, "cwd", encoded(d->cwd), err) < 0 ||
	    put_strings(json, "argv", &d->argv, err) < 0 ||
	    put_strings(json, "options", &d->options, err) < 0 ||
	    put_sockets(json, "sockets", &d->sockets, err) < 0)
		return NULL;
	return json_incref(json);
}

static int take_text(const json_t *json, const char *key, bool needed, char **ret,
		     struct error *err)
{
	const char *text = json_get_string(json, key, NULL);

	if (text == NULL)
		return needed ? json_need_string(json, key, &text, err) : 0;
	*ret = text_decode(text, err);
	return *ret != NULL ? 0 : error_prefix(err, "%s", key);
}

static int take_strings(const json_t *json, const char *key, struct strings *ret,
			struct error *err)
{
	json_t *array, *item;
	size_t i;

	if (json_need_array(json, key, &array, err) < 0)
		return -1;
	json_array_foreach(array, i, item) {
		const char *text = json_string_value(item);
		_cleanup_free_ char *plain = text != NULL ? text_decode(text, err) : NULL;

		if (text == NULL)
			return error_set(err, ERROR_REFUSED, "%s: not a list of strings", key);
		if (plain == NULL || strings_add(ret, plain, err) < 0)
			return error_prefix(err, "%s", key);
	}
	return 0;
}

static int take_sockets(const json_t *json, const char *key, struct host_sockets *ret,
			struct error *err)
{
	json_t *array, *item;
	size_t i;

	if (json_need_array(json, key, &array, err) < 0)
		return -1;
	json_array_foreach(array, i, item) {
		const char *text = json_string_value(item);
		struct host_socket s;

		if (text == NULL || !host_socket_parse(text, &s))
			return error_set(err, ERROR_REFUSED, "%s: not a list of addresses", key);
		if (host_sockets_add(ret, &s, err) < 0)
			return -1;
	}
	return 0;
}

static int take_manager(const json_t *json, enum sshd_manager *ret, struct error *err)
{
	const char *name;

	if (json_need_string(json, "manager", &name, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(manager_names); i++)
		if (strcmp(name, manager_names[i]) == 0) {
			*ret = (enum sshd_manager)i;
			return 0;
		}
	return error_set(err, ERROR_REFUSED, "manager: \"%.32s\" is unknown", name);
}

static int take_all(const json_t *json, struct sshd_daemon *d, struct error *err)
{
	int64_t pid, ticks;

	if (json_need_int(json, "pid", &pid, err) < 0 ||
	    json_need_int(json, "start_ticks", &ticks, err) < 0 ||
	    take_manager(json, &d->manager, err) < 0 ||
	    take_text(json, "unit", false, &d->unit, err) < 0 ||
	    take_text(json, "binary", true, &d->binary, err) < 0 ||
	    take_text(json, "config", true, &d->config, err) < 0 ||
	    take_text(json, "pid_file", false, &d->pid_file, err) < 0 ||
	    take_text(json, "cwd", false, &d->cwd, err) < 0 ||
	    take_strings(json, "argv", &d->argv, err) < 0 ||
	    take_strings(json, "options", &d->options, err) < 0 ||
	    take_sockets(json, "sockets", &d->sockets, err) < 0)
		return -1;
	if (d->argv.len == 0)
		return error_set(err, ERROR_REFUSED, "argv: empty");
	d->process = (struct host_process){ .pid = (pid_t)pid, .start_ticks = (uint64_t)ticks };
	return 0;
}

int sshd_daemon_from_json(const json_t *json, struct sshd_daemon *ret, struct error *err)
{
	_cleanup_sshd_daemon_ struct sshd_daemon d = SSHD_DAEMON_INIT;

	if (take_all(json, &d, err) < 0)
		return error_prefix(err, "the record of a running sshd");
	*ret = d;
	d = (struct sshd_daemon)SSHD_DAEMON_INIT;
	return 0;
}

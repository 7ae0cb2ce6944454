/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/log.h"

#include <errno.h>
#include <fcntl.h>
#include <syslog.h>

#include "base/when.h"
#include "host/clock.h"

#define LOG_FILE "log"

/* Whether the last line has no end: the next one would be lost with it. */
static bool is_torn(const struct host *h, int fd)
{
	char last = '\n';

	if (lseek(fd, -1, SEEK_END) < 0)
		return false; /* it is empty */
	return h->ops->read(h->ctx, fd, &last, 1) == 1 && last != '\n';
}

void log_append(const struct store *s, json_t *event)
{
	_cleanup_free_ char *path = store_path(s, LOG_FILE, NULL);
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;
	_cleanup_free_ char *line = NULL;
	_cleanup_close_ int fd = -1;
	char at[WHEN_MAX];

	when_format_utc(clock_realtime_ns(), at);
	(void)json_object_set_new(event, "at", json_string(at));
	line = json_dumps(event, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
	if (line == NULL || path == NULL)
		return;
	if (host_is_live(s->host)) {
		openlog("rootlatch", LOG_PID, LOG_AUTHPRIV);
		syslog(LOG_NOTICE, "%s", line);
		closelog();
	}
	if (!store_exists(s))
		return;
	fd = host_open_own(s->host, path, O_RDWR | O_APPEND | O_CREAT, NULL);
	/* one write, so that two writers' lines never mix */
	if (fd >= 0 && buffer_printf(&text, NULL, "%s%s\n", is_torn(s->host, fd) ? "\n" : "",
				     line) == 0)
		error_ignore(host_write_all(s->host, fd, slice_of(text.data, text.len), NULL));
}

static bool wanted(const json_t *event, const char *toggle, int64_t since_ns, int64_t until_ns)
{
	const char *at = json_get_string(event, "at", "");
	int64_t at_ns;

	if (when_parse(at, &at_ns, NULL) < 0)
		return false;
	if (toggle != NULL && strcmp(json_get_string(event, "toggle", ""), toggle) != 0)
		return false;
	return at_ns >= since_ns && (until_ns == 0 || at_ns <= until_ns);
}

int log_read(const struct store *s, const char *toggle, int64_t since_ns, int64_t until_ns,
	     json_t **ret_events, size_t *ret_unreadable, struct error *err)
{
	_cleanup_free_ char *path = store_path(s, LOG_FILE, err);
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	_cleanup_json_ json_t *events = json_array();
	struct error why = ERROR_INIT;

	*ret_unreadable = 0;
	if (path == NULL || events == NULL)
		return error_oom(err);
	if (host_file_read(s->host, path, HOST_READ_OWN | HOST_READ_NO_DIGEST, &f, &why) < 0 &&
	    why.sys_errno != ENOENT) {
		*err = why;
		return -1;
	}
	for (size_t start = 0; start < f.bytes.len;) {
		const char *line = f.bytes.data + start;
		size_t len = strcspn(line, "\n");
		_cleanup_json_ json_t *event = json_loadb(line, len, 0, NULL);

		if (event == NULL && len > 0)
			++*ret_unreadable;
		if (event != NULL && wanted(event, toggle, since_ns, until_ns) &&
		    json_push(events, json_incref(event), err) < 0)
			return -1;
		start += len + 1;
	}
	*ret_events = json_incref(events);
	return 0;
}

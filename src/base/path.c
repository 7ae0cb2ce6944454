/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/path.h"

#include <limits.h>
#include <string.h>

#include "base/buffer.h"

const char *path_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

char *path_dirname(const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return str_dup(".", err);
	if (slash == path)
		return str_dup("/", err);
	return str_ndup(path, (size_t)(slash - path), err);
}

char *path_join(const char *dir, const char *name, struct error *err)
{
	size_t len = strlen(dir);

	while (len > 0 && dir[len - 1] == '/')
		len--;
	return str_format(err, "%.*s/%s", (int)len, dir, name);
}

static bool component_is_clean(const char *start, size_t len)
{
	if (len == 0)
		return false;
	if (len == 1 && start[0] == '.')
		return false;
	if (len == 2 && start[0] == '.' && start[1] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)start[i] < 0x20 || start[i] == 0x7f)
			return false;
	return true;
}

bool path_is_clean(const char *path)
{
	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return false;
	if (path[1] == '\0')
		return true;
	for (const char *p = path; *p != '\0';) {
		size_t len = strcspn(p + 1, "/");

		if (!component_is_clean(p + 1, len))
			return false;
		p += 1 + len;
	}
	return true;
}

static void clean_append(struct buffer *out, const char *component, size_t len)
{
	if (len == 0 || (len == 1 && component[0] == '.'))
		return;
	if (len == 2 && component[0] == '.' && component[1] == '.') {
		while (out->len > 0 && out->data[--out->len] != '/')
			;
		out->data[out->len] = '\0';
		return;
	}
	/* room for it was reserved by path_clean */
	out->data[out->len++] = '/';
	memcpy(out->data + out->len, component, len);
	out->len += len;
	out->data[out->len] = '\0';
}

static void clean_append_all(struct buffer *out, const char *path)
{
	while (*path != '\0') {
		size_t len = strcspn(path, "/");

		clean_append(out, path, len);
		path += len;
		path += *path == '/';
	}
}

char *path_clean(const char *cwd, const char *path, struct error *err)
{
	_cleanup_buffer_ struct buffer out = BUFFER_INIT;

	if (buffer_reserve(&out, strlen(cwd) + strlen(path) + 3, err) < 0)
		return NULL;
	if (path[0] != '/')
		clean_append_all(&out, cwd);
	clean_append_all(&out, path);
	if (out.len == 0)
		out.data[out.len++] = '/';
	out.data[out.len] = '\0';
	return TAKE_PTR(out.data);
}

bool path_is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	while (len > 0 && dir[len - 1] == '/')
		len--;
	return strncmp(path, dir, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

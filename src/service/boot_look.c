/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Looking at paths: the folders of the tree are seen in the tree alone, whatever is on the disk, so
 * that what a command would leave can be judged before it is run.
 */
#include "service/boot_parts.h"

#include <errno.h>

#include "base/path.h"
#include "host/meta.h"

#define LINKS_MAX 40 /* as many as the kernel follows */

void boot_seen_release(struct boot_seen *s)
{
	free(s->target);
	*s = (struct boot_seen)BOOT_SEEN_INIT;
}

static bool is_of_tree(const char *path)
{
	static const char *const folders[] = {
		"/etc/init.d", "/etc/rc0.d", "/etc/rc1.d", "/etc/rc2.d", "/etc/rc3.d",
		"/etc/rc4.d",  "/etc/rc5.d", "/etc/rc6.d", "/etc/rcS.d", BOOT_UNITS_ETC,
	};

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (path_is_below(path, folders[i]))
			return true;
	return false;
}

int boot_folders(struct strings *ret, struct error *err)
{
	static const char levels[] = "0123456S";

	if (strings_add(ret, BOOT_INIT_D, err) < 0)
		return -1;
	for (size_t i = 0; levels[i] != '\0'; i++)
		if (strings_addf(ret, err, "/etc/rc%c.d", levels[i]) < 0)
			return -1;
	return strings_add(ret, BOOT_UNITS_ETC, err);
}

static char *absolute(const char *path, const char *target, struct error *err)
{
	_cleanup_free_ char *folder = path_dirname(path, err);

	return folder != NULL ? path_clean(folder, target, err) : NULL;
}

static int look_in_tree(const struct boot_reading *r, const char *path, struct boot_seen *ret,
			struct error *err)
{
	static const enum boot_seen_kind kinds[] = {
		[HOST_TREE_FOLDER] = BOOT_SEEN_OTHER,
		[HOST_TREE_FILE] = BOOT_SEEN_FILE,
		[HOST_TREE_LINK] = BOOT_SEEN_LINK,
		[HOST_TREE_OTHER] = BOOT_SEEN_OTHER,
	};
	const struct host_tree_entry *e = host_tree_find(r->tree, path);
	struct boot_seen seen = BOOT_SEEN_INIT;

	if (e != NULL) {
		seen.kind = kinds[e->kind];
		seen.mode = e->mode;
		seen.uid = e->uid;
		seen.empty = e->kind == HOST_TREE_FILE && e->bytes.len == 0;
	}
	if (seen.kind == BOOT_SEEN_LINK) {
		seen.target = absolute(path, e->target, err);
		if (seen.target == NULL)
			return -1;
	}
	*ret = seen;
	return 0;
}

static int look_on_disk(const struct boot_reading *r, const char *path, struct boot_seen *ret,
			struct error *err)
{
	struct boot_seen seen = BOOT_SEEN_INIT;
	_cleanup_free_ char *target = NULL;
	struct stat st;

	if (host_lstat(r->host, path, &st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != ENAMETOOLONG)
			return error_sys(err, ERROR_FAILED, errno, "%s", path);
		*ret = seen;
		return 0;
	}
	seen.kind = S_ISREG(st.st_mode) ? BOOT_SEEN_FILE :
		    S_ISLNK(st.st_mode) ? BOOT_SEEN_LINK : BOOT_SEEN_OTHER;
	seen.mode = st.st_mode & 07777;
	seen.uid = st.st_uid;
	seen.empty = S_ISREG(st.st_mode) && st.st_size == 0;
	if (seen.kind == BOOT_SEEN_LINK) {
		target = host_link_target(r->host, path, NULL);
		if (target == NULL)
			return error_set(err, ERROR_FAILED, "reading the link %s", path);
		seen.target = absolute(path, target, err);
		if (seen.target == NULL)
			return -1;
	}
	*ret = seen;
	return 0;
}

int boot_look(const struct boot_reading *r, const char *path, struct boot_seen *ret,
	      struct error *err)
{
	return is_of_tree(path) ? look_in_tree(r, path, ret, err) :
				  look_on_disk(r, path, ret, err);
}

int boot_follow(const struct boot_reading *r, const char *path, char **ret_path,
		struct boot_seen *ret, struct error *err)
{
	_cleanup_free_ char *at = str_dup(path, err);

	if (at == NULL)
		return -1;
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		_cleanup_boot_seen_ struct boot_seen seen = BOOT_SEEN_INIT;

		if (strcmp(at, "/dev/null") == 0)
			seen.kind = BOOT_SEEN_OTHER;
		else if (boot_look(r, at, &seen, err) < 0)
			return -1;
		if (seen.kind != BOOT_SEEN_LINK) {
			*ret_path = TAKE_PTR(at);
			*ret = seen;
			return 0;
		}
		free(at);
		at = TAKE_PTR(seen.target);
	}
	*ret_path = TAKE_PTR(at);
	*ret = (struct boot_seen)BOOT_SEEN_INIT;
	return 0;
}

int boot_list(const struct boot_reading *r, const char *folder, struct strings *ret,
	      struct error *err)
{
	size_t len = strlen(folder);

	if (!is_of_tree(folder)) {
		struct boot_seen seen = BOOT_SEEN_INIT;
		_cleanup_free_ char *end = NULL;

		/* something else by that name has no names in it either */
		if (boot_follow(r, folder, &end, &seen, err) < 0)
			return -1;
		return seen.kind == BOOT_SEEN_OTHER && strcmp(end, "/dev/null") != 0 ?
			       host_dir_list(r->host, folder, ret, err) : 0;
	}
	for (size_t i = 0; i < r->tree->len; i++) {
		const char *path = r->tree->items[i].path;

		if (strncmp(path, folder, len) == 0 && path[len] == '/' &&
		    strchr(path + len + 1, '/') == NULL &&
		    strings_add(ret, path + len + 1, err) < 0)
			return -1;
	}
	return 0;
}

int boot_bytes(const struct boot_reading *r, const char *path, struct buffer *ret,
	       struct error *err)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	struct error why = ERROR_INIT;

	if (is_of_tree(path)) {
		const struct host_tree_entry *e = host_tree_find(r->tree, path);

		return e == NULL || e->kind != HOST_TREE_FILE ? 0 :
		       buffer_append(ret, e->bytes.data, e->bytes.len, err);
	}
	if (host_file_read(r->host, path, HOST_READ_NO_DIGEST, &f, &why) < 0) {
		if (why.code == ERROR_REFUSED || why.sys_errno == ENOTDIR || why.sys_errno == ENXIO)
			return 0;
		return error_sys(err, ERROR_FAILED, why.sys_errno, "reading %s", path);
	}
	buffer_release(ret);
	*ret = f.bytes;
	f.bytes = (struct buffer)BUFFER_INIT;
	return 0;
}

bool boot_next_line(struct slice *rest, struct slice *line)
{
	const char *end;

	if (rest->len == 0)
		return false;
	end = memchr(rest->data, '\n', rest->len);
	*line = slice_of(rest->data, end != NULL ? (size_t)(end - rest->data) : rest->len);
	rest->data += line->len + (end != NULL);
	rest->len -= line->len + (end != NULL);
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool boot_next_word(struct slice *rest, struct slice *word)
{
	size_t len = 0;

	while (rest->len > 0 && is_blank(rest->data[0])) {
		rest->data++;
		rest->len--;
	}
	while (len < rest->len && !is_blank(rest->data[len]))
		len++;
	*word = slice_of(rest->data, len);
	rest->data += len;
	rest->len -= len;
	return len > 0;
}

bool boot_slice_is(struct slice s, const char *text)
{
	return slice_equal(s, slice_of(text, strlen(text)));
}

bool boot_ends_with(const char *s, const char *suffix)
{
	size_t len = strlen(s), n = strlen(suffix);

	return len > n && strcmp(s + len - n, suffix) == 0;
}

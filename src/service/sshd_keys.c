/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/sshd_keys.h"

#include <stdio.h>

#include "base/path.h"
#include "host/file.h"

void sshd_keys_release(struct sshd_keys *k)
{
	strings_release(&k->files);
	strings_release(&k->unsafe);
}

static int expand_token(const struct sshd_account *account, char token, struct buffer *b,
			struct error *err)
{
	switch (token) {
	case 'h':
		return buffer_append_str(b, account->home, err);
	case 'u':
		return buffer_append_str(b, account->name, err);
	case 'U':
		return buffer_append_str(b, "0", err);
	default:
		return buffer_append(b, &token, 1, err);
	}
}

char *sshd_keys_expand(const struct sshd_account *account, const char *pattern, size_t len,
		       struct error *err)
{
	_cleanup_buffer_ struct buffer b = BUFFER_INIT;

	if (buffer_reserve(&b, len, err) < 0)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		int failed = pattern[i] == '%' && i + 1 < len ?
				     expand_token(account, pattern[++i], &b, err) :
				     buffer_append(&b, pattern + i, 1, err);

		if (failed < 0)
			return NULL;
	}
	b.data[b.len] = '\0';
	return path_clean(account->home, b.data, err);
}

static bool holds_key(const struct buffer *text)
{
	for (const char *line = text->data; *line != '\0';) {
		line += strspn(line, " \t\r");
		if (*line != '#' && *line != '\n' && *line != '\0')
			return true;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return false;
}

/* As sshd's safe_path: owned by root and written by nobody else, up to the home folder. */
static int add_unsafe(const struct host *h, const char *path, struct sshd_keys *k,
		      struct error *err)
{
	struct stat st;

	if (host_lstat(h, path, &st) < 0 || S_ISLNK(st.st_mode))
		return 0;
	if (st.st_uid != 0)
		return strings_addf(&k->unsafe, err, "%s (owner %u)", path, (unsigned)st.st_uid);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return strings_addf(&k->unsafe, err, "%s (mode %04o)", path,
				    (unsigned)(st.st_mode & 07777));
	return 0;
}

static int check_modes(const struct host *h, const struct sshd_account *account, const char *file,
		       struct sshd_keys *k, struct error *err)
{
	_cleanup_free_ char *path = str_dup(file, err);

	while (path != NULL) {
		_cleanup_free_ char *here = TAKE_PTR(path);

		if (add_unsafe(h, here, k, err) < 0)
			return -1;
		if (strcmp(here, account->home) == 0 || strcmp(here, "/") == 0)
			return 0;
		path = path_dirname(here, err);
	}
	return -1;
}

static int look_at(const struct host *h, const struct sshd_account *account, const char *path,
		   bool strict, struct sshd_keys *k, struct error *err)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;

	if (host_file_read(h, path, HOST_READ_ANY | HOST_READ_NO_DIGEST, &f, NULL) < 0 ||
	    !holds_key(&f.bytes))
		return 0;
	if (strings_add(&k->files, path, err) < 0)
		return -1;
	return strict ? check_modes(h, account, path, k, err) : 0;
}

int sshd_keys_look(const struct host *h, const struct sshd_account *account, const char *patterns,
		   bool strict, struct sshd_keys *ret, struct error *err)
{
	struct sshd_keys k = SSHD_KEYS_INIT;

	while (*(patterns += strspn(patterns, " ")) != '\0') {
		size_t len = strcspn(patterns, " ");
		_cleanup_free_ char *path = NULL;

		if (len != 4 || strncasecmp(patterns, "none", 4) != 0) {
			path = sshd_keys_expand(account, patterns, len, err);
			if (path == NULL || look_at(h, account, path, strict, &k, err) < 0) {
				sshd_keys_release(&k);
				return -1;
			}
		}
		patterns += len;
	}
	*ret = k;
	return 0;
}

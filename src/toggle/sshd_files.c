/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "toggle/sshd_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#include "service/sshd_views.h"

#define GROUPS_MAX 65536 /* lines of /etc/group that are looked at */

static int files_glob(void *ctx, const char *pattern, struct strings *ret_paths,
		      struct error *err)
{
	const struct sshd_files *f = ctx;

	return sshd_views_glob(f->host, f->views, f->n_views, pattern, ret_paths, err);
}

/* sshd reads nothing from a folder or from /dev/null, and goes on. (A FIFO would stop it.) */
static bool reads_as_empty(const struct host *h, const char *path)
{
	_cleanup_close_ int fd = host_open_following(h, path, O_PATH, NULL);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 &&
	       (S_ISDIR(st.st_mode) || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)));
}

static int files_load(void *ctx, const char *path, struct slice *ret_text, struct error *err)
{
	struct sshd_files *f = ctx;
	const struct host_view *view = sshd_views_find(f->views, f->n_views, path);
	struct host_file *more = reallocarray(f->items, f->len + 1, sizeof(*more));

	if (more == NULL)
		return error_oom(err);
	f->items = more;
	f->items[f->len] = (struct host_file)HOST_FILE_INIT;
	if (view != NULL || (f->len > 0 && reads_as_empty(f->host, path))) {
		*ret_text = view != NULL && view->bytes.len > 0 ? view->bytes : slice_of("", 0);
		f->len++;
		return 0;
	}
	if (host_file_read(f->host, path, HOST_READ_FOLLOW | HOST_READ_NO_DIGEST,
			   &f->items[f->len], err) < 0)
		return -1;
	*ret_text = slice_of(f->items[f->len].bytes.data, f->items[f->len].bytes.len);
	f->len++;
	return 0;
}

/* root's primary group: field 4 of its line in passwd(5). */
static void primary_group(const struct host *h, char ret[16])
{
	_cleanup_host_file_ struct host_file passwd = HOST_FILE_INIT;
	const char *line;

	(void)snprintf(ret, 16, "0");
	if (host_file_read(h, "/etc/passwd", HOST_READ_FOLLOW | HOST_READ_NO_DIGEST, &passwd,
			   NULL) < 0)
		return;
	line = strncmp(passwd.bytes.data, "root:", 5) == 0 ? passwd.bytes.data :
							     strstr(passwd.bytes.data, "\nroot:");
	if (line != NULL)
		(void)sscanf(line + (*line == '\n'), "root:%*[^:\n]:%*[0-9]:%15[0-9]", ret);
}

static bool has_member(const char *members, const char *name)
{
	size_t len = strlen(name);

	while (*members != '\0') {
		size_t n = strcspn(members, ",");

		if (n == len && strncmp(members, name, len) == 0)
			return true;
		members += n + (members[n] == ',');
	}
	return false;
}

/* The names of root's groups, from the host's (or image's) own group(5): for an image the
 * machine's name service would answer about the wrong host. */
static int root_groups(const struct host *h, struct strings *ret, struct error *err)
{
	_cleanup_host_file_ struct host_file group = HOST_FILE_INIT;
	char *save = NULL, primary[16];
	size_t lines = 0;

	primary_group(h, primary);
	if (host_file_read(h, "/etc/group", HOST_READ_FOLLOW | HOST_READ_NO_DIGEST, &group,
			   NULL) < 0)
		return strings_add(ret, "root", err);
	for (char *line = strtok_r(group.bytes.data, "\n", &save);
	     line != NULL && lines < GROUPS_MAX; line = strtok_r(NULL, "\n", &save), lines++) {
		const char *name = strsep(&line, ":");
		const char *gid;

		(void)strsep(&line, ":");
		gid = strsep(&line, ":");
		if (gid == NULL || line == NULL)
			continue;
		if ((strcmp(gid, primary) == 0 || has_member(line, "root")) &&
		    strings_add(ret, name, err) < 0)
			return -1;
	}
	return 0;
}

int sshd_files_read_as(const struct host *h, const char *config, const struct host_view *views,
		       size_t n_views, struct sshd_files *ret, struct error *err)
{
	_cleanup_sshd_files_ struct sshd_files f = { .host = h, .views = views,
						     .n_views = n_views };
	_cleanup_strings_ struct strings groups = STRINGS_INIT;
	const struct sshd_closure_io io = { .ctx = &f, .glob = files_glob, .load = files_load };

	if (root_groups(h, &groups, err) < 0 ||
	    sshd_closure_read(config, &groups, &io, &f.closure, err) < 0)
		return -1;
	*ret = f;
	f = (struct sshd_files){ 0 };
	return 0;
}

int sshd_files_read(const struct host *h, const char *config, struct sshd_files *ret,
		    struct error *err)
{
	return sshd_files_read_as(h, config, NULL, 0, ret, err);
}

int sshd_files_paths(const struct sshd_files *f, struct strings *ret, struct error *err)
{
	for (size_t i = 0; i < f->closure.files_len; i++)
		if (strings_add(ret, f->closure.files[i].path, err) < 0)
			return -1;
	return 0;
}

void sshd_files_release(struct sshd_files *f)
{
	for (size_t i = 0; i < f->len; i++)
		host_file_release(&f->items[i]);
	free(f->items);
	sshd_closure_release(&f->closure);
	*f = (struct sshd_files){ 0 };
}

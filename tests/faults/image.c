/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image.h"

#include <dirent.h>
#include <fcntl.h>

#include "die.h"

static void read_bytes(struct image_entry *e)
{
	int fd = open(e->path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	e->len = (size_t)e->st.st_size;
	e->bytes = calloc(1, e->len + 1);
	if (fd < 0 || e->bytes == NULL)
		die("reading %s", e->path);
	n = read(fd, e->bytes, e->len);
	if (n != (ssize_t)e->len)
		die("reading %s", e->path);
	(void)close(fd);
}

static void read_link(struct image_entry *e)
{
	e->len = (size_t)e->st.st_size;
	e->bytes = calloc(1, e->len + 1);
	if (e->bytes == NULL || readlink(e->path, e->bytes, e->len) != (ssize_t)e->len)
		die("reading %s", e->path);
}

static struct image_entry *add_entry(struct image *image, const char *path)
{
	struct image_entry *e;

	if (image->count == image->room) {
		image->room = image->room != 0 ? 2 * image->room : 32;
		image->entries = realloc(image->entries, image->room * sizeof(*e));
		if (image->entries == NULL)
			die("out of memory");
	}
	e = &image->entries[image->count];
	*e = (struct image_entry){ .path = strdup(path) };
	if (e->path == NULL)
		die("out of memory");
	if (lstat(path, &e->st) < 0)
		die("lstat %s", path);
	image->count++;
	return e;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void capture_tree(struct image *image, const char *path)
{
	struct image_entry *e = add_entry(image, path);
	const struct dirent *d;
	char below[4096];
	DIR *dir;

	if (S_ISREG(e->st.st_mode))
		read_bytes(e);
	else if (S_ISLNK(e->st.st_mode))
		read_link(e);
	if (!S_ISDIR(e->st.st_mode))
		return;
	dir = opendir(path);
	if (dir == NULL)
		die("opendir %s", path);
	while ((d = readdir(dir)) != NULL) {
		if (is_dots(d->d_name))
			continue;
		(void)snprintf(below, sizeof(below), "%s/%s", path, d->d_name);
		capture_tree(image, below);
	}
	(void)closedir(dir);
}

void image_capture(const char *const *roots, struct image *ret)
{
	*ret = (struct image)IMAGE_INIT;
	for (; *roots != NULL; roots++)
		if (access(*roots, F_OK) == 0)
			capture_tree(ret, *roots);
}

void image_release(struct image *image)
{
	for (size_t i = 0; i < image->count; i++) {
		free(image->entries[i].path);
		free(image->entries[i].bytes);
	}
	free(image->entries);
	*image = (struct image)IMAGE_INIT;
}

const struct image_entry *image_find(const struct image *image, const char *path)
{
	for (size_t i = 0; i < image->count; i++)
		if (strcmp(image->entries[i].path, path) == 0)
			return &image->entries[i];
	return NULL;
}

bool image_entry_same(const struct image_entry *a, const struct image_entry *b)
{
	return a->st.st_mode == b->st.st_mode && a->st.st_uid == b->st.st_uid &&
	       a->st.st_gid == b->st.st_gid && a->len == b->len &&
	       (a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

bool image_entry_same_time(const struct image_entry *a, const struct image_entry *b)
{
	return a->st.st_mtim.tv_sec == b->st.st_mtim.tv_sec &&
	       a->st.st_mtim.tv_nsec == b->st.st_mtim.tv_nsec;
}

static void restore_time(const struct image_entry *e)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, e->st.st_mtim };

	if (utimensat(AT_FDCWD, e->path, times, AT_SYMLINK_NOFOLLOW) < 0)
		die("utimensat %s", e->path);
}

static void restore_entry(const struct image_entry *e)
{
	int fd;

	if (S_ISDIR(e->st.st_mode)) {
		if (mkdir(e->path, 0700) < 0 && errno != EEXIST)
			die("mkdir %s", e->path);
	} else if (S_ISLNK(e->st.st_mode)) {
		if (symlink(e->bytes, e->path) < 0)
			die("symlink %s", e->path);
	} else {
		fd = open(e->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 || write(fd, e->bytes, e->len) != (ssize_t)e->len)
			die("writing %s", e->path);
		(void)close(fd);
	}
	if (lchown(e->path, e->st.st_uid, e->st.st_gid) < 0)
		die("chown %s", e->path);
	if (!S_ISLNK(e->st.st_mode) && chmod(e->path, e->st.st_mode & 07777) < 0)
		die("chmod %s", e->path);
	restore_time(e);
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static bool is_in(const char *path, const char *folder)
{
	size_t n = folder != NULL ? strlen(folder) : 0;

	return n > 0 && strncmp(path, folder, n) == 0 && path[n] == '/';
}

static bool is_unchanged(const struct image_entry *is, const struct image *image)
{
	const struct image_entry *was = image_find(image, is->path);

	if (was == NULL)
		return false;
	if (S_ISDIR(was->st.st_mode))
		return S_ISDIR(is->st.st_mode);
	return image_entry_same(is, was) && image_entry_same_time(is, was);
}

void image_restore(const struct image *image, const char *const *roots, const char *but)
{
	struct image now;

	image_capture(roots, &now);
	/* backwards: what is in a folder goes before the folder */
	for (size_t i = now.count; i-- > 0;) {
		const struct image_entry *is = &now.entries[i];

		if (is_in(is->path, but) || is_unchanged(is, image))
			continue;
		if (S_ISDIR(is->st.st_mode) ? rmdir(is->path) < 0 : unlink(is->path) < 0)
			die("removing %s", is->path);
	}
	for (size_t i = 0; i < image->count; i++)
		if (!is_in(image->entries[i].path, but) &&
		    (S_ISDIR(image->entries[i].st.st_mode) ||
		     !exists(image->entries[i].path)))
			restore_entry(&image->entries[i]);
	/* what was put into a folder, and taken out of it, gave it another */
	for (size_t i = 0; i < image->count; i++)
		if (S_ISDIR(image->entries[i].st.st_mode))
			restore_time(&image->entries[i]);
	image_release(&now);
}

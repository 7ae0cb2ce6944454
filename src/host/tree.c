/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: the items are in byte order of their paths, each path once; but for a tree that is
 * being read, until host_tree_sort.
 */
#include "host/tree.h"

#include "base/path.h"
#include "host/clock.h"

static void entry_release(struct host_tree_entry *e)
{
	free(e->path);
	free(e->target);
	buffer_release(&e->bytes);
}

void host_tree_release(struct host_tree *t)
{
	for (size_t i = 0; i < t->len; i++)
		entry_release(&t->items[i]);
	free(t->items);
	*t = (struct host_tree)HOST_TREE_INIT;
}

static int make_room(struct host_tree *t, struct error *err)
{
	size_t cap = t->cap != 0 ? 2 * t->cap : 64;
	struct host_tree_entry *items;

	if (t->len < t->cap)
		return 0;
	items = reallocarray(t->items, cap, sizeof(*items));
	if (items == NULL)
		return error_oom(err);
	t->items = items;
	t->cap = cap;
	return 0;
}

struct host_tree_entry *host_tree_add(struct host_tree *t, const char *path,
				      const struct stat *st, struct error *err)
{
	char *copy = str_dup(path, err);
	struct host_tree_entry *e;

	if (copy == NULL || make_room(t, err) < 0) {
		free(copy);
		return NULL;
	}
	e = &t->items[t->len++];
	*e = (struct host_tree_entry){
		.path = copy,
		.kind = S_ISDIR(st->st_mode) ? HOST_TREE_FOLDER :
			S_ISREG(st->st_mode) ? HOST_TREE_FILE :
			S_ISLNK(st->st_mode) ? HOST_TREE_LINK :
					       HOST_TREE_OTHER,
		.mode = st->st_mode & 07777,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.links = st->st_nlink,
		.mtime_ns = timespec_ns(st->st_mtim),
	};
	return e;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct host_tree_entry *)a)->path,
		      ((const struct host_tree_entry *)b)->path);
}

void host_tree_sort(struct host_tree *t)
{
	size_t kept = 0;

	if (t->len > 1)
		qsort(t->items, t->len, sizeof(*t->items), by_path);
	for (size_t i = 0; i < t->len; i++) {
		if (kept > 0 && strcmp(t->items[kept - 1].path, t->items[i].path) == 0)
			entry_release(&t->items[i]);
		else
			t->items[kept++] = t->items[i];
	}
	t->len = kept;
}

static int copy_entry(const struct host_tree_entry *e, struct host_tree_entry *ret,
		      struct error *err)
{
	struct host_tree_entry copy = *e;

	copy.path = str_dup(e->path, err);
	copy.target = e->target != NULL ? str_dup(e->target, err) : NULL;
	copy.bytes = (struct buffer)BUFFER_INIT;
	if (copy.path == NULL || (copy.target == NULL && e->target != NULL) ||
	    (e->bytes.data != NULL &&
	     buffer_append(&copy.bytes, e->bytes.data, e->bytes.len, err) < 0)) {
		entry_release(&copy);
		return -1;
	}
	*ret = copy;
	return 0;
}

int host_tree_copy(const struct host_tree *t, struct host_tree *ret, struct error *err)
{
	_cleanup_host_tree_ struct host_tree copy = HOST_TREE_INIT;

	for (size_t i = 0; i < t->len; i++) {
		if (make_room(&copy, err) < 0 ||
		    copy_entry(&t->items[i], &copy.items[copy.len], err) < 0)
			return -1;
		copy.len++;
	}
	*ret = copy;
	copy = (struct host_tree)HOST_TREE_INIT;
	return 0;
}

static struct slice bytes_of(const struct host_tree_entry *e)
{
	return slice_of(e->bytes.data != NULL ? e->bytes.data : "", e->bytes.len);
}

struct digest host_tree_digest(const struct host_tree_entry *e)
{
	struct slice bytes = bytes_of(e);

	return digest_of(bytes.data, bytes.len);
}

bool host_tree_same_bytes(const struct host_tree_entry *a, const struct host_tree_entry *b)
{
	return a->bytes.len == b->bytes.len &&
	       memcmp(bytes_of(a).data, bytes_of(b).data, a->bytes.len) == 0;
}

struct host_tree_entry *host_tree_find(const struct host_tree *t, const char *path)
{
	const struct host_tree_entry key = { .path = (char *)path };

	if (t->len == 0)
		return NULL;
	return bsearch(&key, t->items, t->len, sizeof(*t->items), by_path);
}

/* The first entry that is not before it. */
static size_t place_of(const struct host_tree *t, const char *path)
{
	size_t from = 0, to = t->len;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (strcmp(t->items[mid].path, path) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static int put_entry(struct host_tree *t, struct host_tree_entry *e, struct error *err)
{
	size_t at;

	if (make_room(t, err) < 0)
		return -1;
	host_tree_remove(t, e->path);
	at = place_of(t, e->path);
	(void)memmove(&t->items[at + 1], &t->items[at], (t->len - at) * sizeof(*t->items));
	t->items[at] = *e;
	t->len++;
	*e = (struct host_tree_entry){ .path = NULL };
	return 0;
}

int host_tree_put(struct host_tree *t, const struct host_tree_entry *e, struct error *err)
{
	struct host_tree_entry copy;
	int r;

	if (copy_entry(e, &copy, err) < 0)
		return -1;
	r = put_entry(t, &copy, err);
	entry_release(&copy);
	return r;
}

int host_tree_put_link(struct host_tree *t, const char *path, const char *target,
		       struct error *err)
{
	const struct host_tree_entry e = {
		.path = (char *)path,
		.kind = HOST_TREE_LINK,
		.mode = 0777,
		.links = 1,
		.mtime_ns = clock_realtime_ns(),
		.target = (char *)target,
	};

	return host_tree_put(t, &e, err);
}

/* `path` may be the entry's own, so that one goes last. */
void host_tree_remove(struct host_tree *t, const char *path)
{
	const struct host_tree_entry *found = host_tree_find(t, path);
	struct host_tree_entry itself;
	size_t at, kept = 0;

	if (found == NULL)
		return;
	at = (size_t)(found - t->items);
	itself = *found;
	for (size_t i = 0; i < t->len; i++) {
		if (i != at && !path_is_below(t->items[i].path, path))
			t->items[kept++] = t->items[i];
		else if (i != at)
			entry_release(&t->items[i]);
	}
	t->len = kept;
	entry_release(&itself);
}

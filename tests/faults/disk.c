/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "disk.h"

#include <stdint.h>

#include "die.h"

#define NONE SIZE_MAX

/* A file, a folder or a link, as it came into being. */
struct node {
	dev_t dev;
	ino_t ino;
	struct stat st;
	char *bytes;
	size_t len;
};

struct name {
	size_t dir, node; /* node NONE: the name is gone */
	char *text;
};

enum kind { NAMES, BYTES, ATTRIBUTES };

struct effect {
	enum kind kind;
	size_t issued, durable; /* moments */
	size_t node;            /* of BYTES and ATTRIBUTES */
	struct stat st;         /* mode, owner and time behind it */
	/* of NAMES: at most two folders */
	struct name *names;
	size_t n_names;
	size_t dirs[2];
	struct timespec times[2];
	bool synced[2];
	unsigned n_dirs;
	/* of BYTES: those from..to, and the size of it all */
	char *bytes;
	size_t from, to, old_len, len;
};

struct disk {
	const char *const *roots;
	struct node *nodes;
	size_t n_nodes;
	struct name *start; /* and the last look */
	size_t n_start;
	struct image last;
	struct name *names;
	size_t n_names;
	struct effect *effects;
	size_t n_effects, moment;
};

static void *grow(void *items, size_t n, size_t size)
{
	/* by powers of two */
	if (n != 0 && (n & (n - 1)) != 0)
		return items;
	items = realloc(items, (n != 0 ? 2 * n : 1) * size);
	if (items == NULL)
		die("out of memory");
	return items;
}

static void *copy(const void *bytes, size_t len)
{
	char *p = malloc(len + 1);

	if (p == NULL)
		die("out of memory");
	if (len > 0)
		memcpy(p, bytes, len);
	p[len] = '\0';
	return p;
}

/* ---- What there is */

static size_t find_node(const struct disk *d, dev_t dev, ino_t ino)
{
	for (size_t i = 0; i < d->n_nodes; i++)
		if (d->nodes[i].ino == ino && d->nodes[i].dev == dev)
			return i;
	return NONE;
}

static size_t add_node(struct disk *d, const struct stat *st, const char *bytes, size_t len)
{
	d->nodes = grow(d->nodes, d->n_nodes, sizeof(*d->nodes));
	d->nodes[d->n_nodes] = (struct node){ .dev = st->st_dev,
					      .ino = st->st_ino,
					      .st = *st,
					      .bytes = copy(bytes, len),
					      .len = len };
	return d->n_nodes++;
}

/* Bytes of a new file are written after it is there; a link has its own from the first. */
static size_t node_of(struct disk *d, const struct image_entry *e, bool whole)
{
	size_t node = find_node(d, e->st.st_dev, e->st.st_ino);
	bool has = whole || S_ISLNK(e->st.st_mode);

	if (node != NONE)
		return node;
	return add_node(d, &e->st, has ? e->bytes : "", has ? e->len : 0);
}

/* The folder that an entry is in: one that is looked at, or that of a root. */
static size_t folder_of(struct disk *d, const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];
	struct stat st;
	size_t node;

	(void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	if (lstat(folder, &st) < 0)
		die("lstat %s", folder);
	node = find_node(d, st.st_dev, st.st_ino);
	return node != NONE ? node : add_node(d, &st, "", 0);
}

static const char *last_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

static void add_name(struct name **names, size_t *n, size_t dir, const char *text, size_t node)
{
	*names = grow(*names, *n, sizeof(**names));
	(*names)[(*n)++] =
		(struct name){ .dir = dir, .text = copy(text, strlen(text)), .node = node };
}

static void release_names(struct name *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i].text);
	free(names);
}

static struct name *find_name(struct name *names, size_t n, size_t dir, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].dir == dir && strcmp(names[i].text, text) == 0)
			return &names[i];
	return NULL;
}

static void list_names(struct disk *d, const struct image *image, bool whole, struct name **ret,
		       size_t *ret_n)
{
	*ret = NULL;
	*ret_n = 0;
	for (size_t i = 0; i < image->count; i++) {
		const struct image_entry *e = &image->entries[i];
		size_t node = node_of(d, e, whole);

		add_name(ret, ret_n, folder_of(d, e->path), last_of(e->path), node);
	}
}

static void copy_image(const struct image *image, struct image *ret)
{
	*ret = (struct image)IMAGE_INIT;
	ret->entries = calloc(image->count + 1, sizeof(*ret->entries));
	if (ret->entries == NULL)
		die("out of memory");
	for (size_t i = 0; i < image->count; i++) {
		const struct image_entry *e = &image->entries[i];

		ret->entries[i] = (struct image_entry){ .path = copy(e->path, strlen(e->path)),
							.st = e->st,
							.bytes = copy(e->bytes, e->len),
							.len = e->len };
	}
	ret->count = ret->room = image->count;
}

struct disk *disk_new(const struct image *start, const char *const *roots)
{
	struct disk *d = calloc(1, sizeof(*d));

	if (d == NULL)
		die("out of memory");
	d->roots = roots;
	list_names(d, start, true, &d->start, &d->n_start);
	list_names(d, start, true, &d->names, &d->n_names);
	copy_image(start, &d->last);
	return d;
}

void disk_free(struct disk *d)
{
	for (size_t i = 0; i < d->n_nodes; i++)
		free(d->nodes[i].bytes);
	for (size_t i = 0; i < d->n_effects; i++) {
		release_names(d->effects[i].names, d->effects[i].n_names);
		free(d->effects[i].bytes);
	}
	release_names(d->start, d->n_start);
	release_names(d->names, d->n_names);
	image_release(&d->last);
	free(d->nodes);
	free(d->effects);
	free(d);
}

/* ---- Effects */

static struct effect *add_effect(struct disk *d, enum kind kind, size_t node)
{
	struct effect *e;

	d->effects = grow(d->effects, d->n_effects, sizeof(*d->effects));
	e = &d->effects[d->n_effects++];
	*e = (struct effect){ .kind = kind, .node = node, .issued = d->moment + 1, .durable = NONE };
	return e;
}

static const struct image_entry *entry_of(const struct disk *d, const struct image *image,
					  size_t node)
{
	for (size_t i = 0; i < image->count; i++)
		if (image->entries[i].st.st_ino == d->nodes[node].ino &&
		    image->entries[i].st.st_dev == d->nodes[node].dev)
			return &image->entries[i];
	return NULL;
}

static void name_folder(struct disk *d, struct effect *e, const struct image *now, size_t dir)
{
	const struct image_entry *folder = entry_of(d, now, dir);

	for (unsigned i = 0; i < e->n_dirs; i++)
		if (e->dirs[i] == dir)
			return;
	if (e->n_dirs == 2)
		die("one call changed three folders");
	e->dirs[e->n_dirs] = dir;
	e->times[e->n_dirs++] = folder != NULL ? folder->st.st_mtim : d->nodes[dir].st.st_mtim;
}

static void see_name(struct disk *d, const struct image *now, size_t dir, const char *text,
		     size_t node, struct effect **effect)
{
	if (*effect == NULL)
		*effect = add_effect(d, NAMES, NONE);
	add_name(&(*effect)->names, &(*effect)->n_names, dir, text, node);
	name_folder(d, *effect, now, dir);
}

/* What appeared or is another file now, and what is gone. */
static bool see_names(struct disk *d, const struct image *now)
{
	struct effect *effect = NULL;
	struct name *names;
	size_t n;

	list_names(d, now, false, &names, &n);
	for (size_t i = 0; i < n; i++) {
		const struct name *was =
			find_name(d->names, d->n_names, names[i].dir, names[i].text);

		if (was == NULL || was->node != names[i].node)
			see_name(d, now, names[i].dir, names[i].text, names[i].node, &effect);
	}
	for (size_t i = 0; i < d->n_names; i++)
		if (find_name(names, n, d->names[i].dir, d->names[i].text) == NULL)
			see_name(d, now, d->names[i].dir, d->names[i].text, NONE, &effect);
	release_names(d->names, d->n_names);
	d->names = names;
	d->n_names = n;
	return effect != NULL;
}

static size_t same_head(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t i = 0;

	while (i < a_len && i < b_len && a[i] == b[i])
		i++;
	return i;
}

static void see_bytes(struct disk *d, const struct image_entry *now, const char *was, size_t was_len)
{
	struct effect *e = add_effect(d, BYTES, find_node(d, now->st.st_dev, now->st.st_ino));
	size_t to = now->len;

	e->st = now->st;
	e->old_len = was_len;
	e->len = now->len;
	e->from = same_head(now->bytes, now->len, was, was_len);
	while (now->len == was_len && to > e->from && now->bytes[to - 1] == was[to - 1])
		to--;
	e->to = to;
	e->bytes = copy(now->bytes + e->from, e->to - e->from);
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_attributes(const struct stat *a, const struct stat *b)
{
	return a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
	       same_time(a->st_mtim, b->st_mtim);
}

/* A folder in which names changed has another time for that. */
static bool is_renamed_in(const struct disk *d, size_t node)
{
	const struct effect *e = d->n_effects > 0 ? &d->effects[d->n_effects - 1] : NULL;

	if (e == NULL || e->kind != NAMES || e->issued != d->moment + 1)
		return false;
	return (e->n_dirs > 0 && e->dirs[0] == node) || (e->n_dirs > 1 && e->dirs[1] == node);
}

static bool see_entry(struct disk *d, const struct image_entry *now)
{
	size_t node = find_node(d, now->st.st_dev, now->st.st_ino);
	const struct image_entry *was = entry_of(d, &d->last, node);
	const char *bytes = was != NULL ? was->bytes : "";
	size_t len = was != NULL ? was->len : 0;

	if (S_ISREG(now->st.st_mode) &&
	    (len != now->len || (len > 0 && memcmp(bytes, now->bytes, len) != 0))) {
		see_bytes(d, now, bytes, len);
		return true;
	}
	if (was == NULL || same_attributes(&was->st, &now->st) || is_renamed_in(d, node))
		return false;
	add_effect(d, ATTRIBUTES, node)->st = now->st;
	return true;
}

bool disk_see(struct disk *d, const struct image *now)
{
	bool any = see_names(d, now);

	for (size_t i = 0; i < now->count; i++)
		any |= see_entry(d, &now->entries[i]);
	image_release(&d->last);
	copy_image(now, &d->last);
	d->moment += any;
	return any;
}

/* A link can't be opened, and so not be fsynced: its inode goes along with its folder. */
static bool is_link_in(const struct disk *d, size_t node, size_t dir)
{
	if (!S_ISLNK(d->nodes[node].st.st_mode))
		return false;
	for (size_t i = 0; i < d->n_names; i++)
		if (d->names[i].node == node && d->names[i].dir == dir)
			return true;
	return false;
}

static bool is_synced_by(const struct disk *d, struct effect *e, size_t node, bool data)
{
	if (e->kind != NAMES)
		return (e->node == node && !(data && e->kind == ATTRIBUTES)) ||
		       is_link_in(d, e->node, node);
	for (unsigned i = 0; i < e->n_dirs; i++)
		e->synced[i] |= e->dirs[i] == node;
	return e->synced[0] && (e->n_dirs < 2 || e->synced[1]);
}

bool disk_sync(struct disk *d, dev_t dev, ino_t ino, bool data)
{
	size_t node = find_node(d, dev, ino);
	bool any = false;

	for (size_t i = 0; i < d->n_effects && node != NONE; i++)
		if (d->effects[i].durable == NONE && is_synced_by(d, &d->effects[i], node, data)) {
			d->effects[i].durable = d->moment + 1;
			any = true;
		}
	d->moment += any;
	return any;
}

bool disk_sync_all(struct disk *d)
{
	bool any = false;

	for (size_t i = 0; i < d->n_effects; i++)
		if (d->effects[i].durable == NONE) {
			d->effects[i].durable = d->moment + 1;
			any = true;
		}
	d->moment += any;
	return any;
}

size_t disk_moments(const struct disk *d)
{
	return d->moment;
}

size_t disk_effects(const struct disk *d)
{
	return d->n_effects;
}

size_t disk_pending(const struct disk *d, size_t moment, size_t *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n_effects; i++)
		if (d->effects[i].issued <= moment && d->effects[i].durable > moment)
			ret[n++] = i;
	return n;
}

bool disk_is_bytes(const struct disk *d, size_t effect)
{
	const struct effect *e = &d->effects[effect];

	return e->kind == BYTES && e->to > e->from;
}

/* ---- What is left of it */

struct build {
	const struct disk *disk;
	struct node *nodes;
	struct name *names;
	size_t n_names;
};

static void build_names(struct build *b, const struct effect *e)
{
	for (size_t i = 0; i < e->n_names; i++) {
		const struct name *change = &e->names[i];
		struct name *name = find_name(b->names, b->n_names, change->dir, change->text);

		if (name != NULL)
			name->node = change->node;
		else
			add_name(&b->names, &b->n_names, change->dir, change->text, change->node);
	}
}

static void build_bytes(struct node *node, const struct effect *e, enum disk_fate fate)
{
	size_t to = fate == DISK_HALF ? e->from + (e->to - e->from) / 2 : e->to;
	size_t len = node->len;
	char *bytes;

	if (e->len < e->old_len)
		len = e->len;
	if (len < to)
		len = to;
	bytes = calloc(1, len + 1);
	if (bytes == NULL)
		die("out of memory");
	memcpy(bytes, node->bytes, node->len < len ? node->len : len);
	if (fate == DISK_ZERO)
		memset(bytes + e->from, 0, to - e->from);
	else if (to > e->from)
		memcpy(bytes + e->from, e->bytes, to - e->from);
	free(node->bytes);
	node->bytes = bytes;
	node->len = len;
	node->st.st_mtim = e->st.st_mtim;
}

static void build_effect(struct build *b, const struct effect *e, enum disk_fate fate)
{
	struct node *node = e->kind != NAMES ? &b->nodes[e->node] : NULL;

	switch (e->kind) {
	case NAMES:
		build_names(b, e);
		for (unsigned i = 0; i < e->n_dirs; i++)
			b->nodes[e->dirs[i]].st.st_mtim = e->times[i];
		break;
	case BYTES:
		build_bytes(node, e, fate);
		break;
	case ATTRIBUTES:
		node->st.st_mode = e->st.st_mode;
		node->st.st_uid = e->st.st_uid;
		node->st.st_gid = e->st.st_gid;
		node->st.st_mtim = e->st.st_mtim;
		break;
	}
}

static void walk(const struct build *b, const char *path, size_t node, struct image *ret)
{
	struct node *n = &b->nodes[node];
	char below[4096];

	ret->entries = grow(ret->entries, ret->count, sizeof(*ret->entries));
	ret->entries[ret->count++] = (struct image_entry){ .path = copy(path, strlen(path)),
							   .st = n->st,
							   .bytes = copy(n->bytes, n->len),
							   .len = n->len };
	if (!S_ISDIR(n->st.st_mode))
		return;
	for (size_t i = 0; i < b->n_names; i++) {
		if (b->names[i].dir != node || b->names[i].node == NONE)
			continue;
		(void)snprintf(below, sizeof(below), "%s/%s", path, b->names[i].text);
		walk(b, below, b->names[i].node, ret);
	}
}

static bool is_kept(const struct effect *e, size_t moment, enum disk_fate *fate)
{
	if (e->issued > moment)
		return false;
	if (e->durable <= moment)
		*fate = DISK_KEPT;
	return *fate != DISK_LOST;
}

void disk_build(const struct disk *d, size_t moment, const enum disk_fate *fates,
		struct image *ret)
{
	struct build b = { .disk = d };

	b.nodes = calloc(d->n_nodes, sizeof(*b.nodes));
	if (b.nodes == NULL)
		die("out of memory");
	for (size_t i = 0; i < d->n_nodes; i++) {
		b.nodes[i] = d->nodes[i];
		b.nodes[i].bytes = copy(d->nodes[i].bytes, d->nodes[i].len);
	}
	for (size_t i = 0; i < d->n_start; i++)
		add_name(&b.names, &b.n_names, d->start[i].dir, d->start[i].text, d->start[i].node);
	for (size_t i = 0; i < d->n_effects; i++) {
		enum disk_fate fate = fates[i];

		if (is_kept(&d->effects[i], moment, &fate))
			build_effect(&b, &d->effects[i], fate);
	}
	*ret = (struct image)IMAGE_INIT;
	for (const char *const *root = d->roots; *root != NULL; root++) {
		const struct name *name;
		char up[4096];
		struct stat st;

		(void)snprintf(up, sizeof(up), "%.*s", (int)(last_of(*root) - *root - 1), *root);
		if (lstat(up, &st) < 0)
			die("lstat %s", up);
		name = find_name(b.names, b.n_names, find_node(d, st.st_dev, st.st_ino),
				 last_of(*root));
		if (name != NULL && name->node != NONE)
			walk(&b, *root, name->node, ret);
	}
	release_names(b.names, b.n_names);
	for (size_t i = 0; i < d->n_nodes; i++)
		free(b.nodes[i].bytes);
	free(b.nodes);
}

void disk_describe(const struct disk *d, size_t effect, char *text, size_t size)
{
	const struct effect *e = &d->effects[effect];
	const struct image_entry *entry;

	switch (e->kind) {
	case NAMES:
		(void)snprintf(text, size, "%s %s%s%s",
			       e->names[0].node == NONE ? "gone:" : "name:", e->names[0].text,
			       e->n_names > 1 ? ", " : "", e->n_names > 1 ? e->names[1].text : "");
		break;
	case BYTES:
		(void)snprintf(text, size, "bytes %zu-%zu", e->from, e->to);
		break;
	case ATTRIBUTES:
		(void)snprintf(text, size, "mode, owner or time");
		break;
	}
	entry = e->kind != NAMES ? entry_of(d, &d->last, e->node) : NULL;
	if (entry != NULL)
		(void)snprintf(text + strlen(text), size - strlen(text), " of %s", entry->path);
}

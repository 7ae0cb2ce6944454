/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "boot_tree.h"

#include "die.h"

static bool is_part(const struct image_entry *e)
{
	return strncmp(e->path, "/etc/", strlen("/etc/")) == 0;
}

static bool has_time_of(const struct image_entry *e, const struct image *image)
{
	const struct image_entry *other = image_find(image, e->path);

	return other != NULL && image_entry_same_time(e, other);
}

/* NULL: as it was. */
static const char *difference(const struct image_entry *is, const struct image_entry *was,
			      bool time_counts)
{
	if (is == NULL)
		return "missing";
	if (is->len != was->len || (was->len > 0 && memcmp(is->bytes, was->bytes, was->len) != 0))
		return S_ISLNK(was->st.st_mode) ? "another target" : "other bytes";
	if (!image_entry_same(is, was))
		return "another mode or owner";
	return time_counts && !image_entry_same_time(is, was) ? "another mtime" : NULL;
}

bool boot_tree_is(const struct image *now, const struct image *reference,
		  const struct image *before, const struct image *pristine, char *ret_differs,
		  size_t size)
{
	for (size_t i = 0; i < reference->count; i++) {
		const struct image_entry *was = &reference->entries[i];
		const char *differs;

		if (!is_part(was))
			continue;
		differs = difference(image_find(now, was->path), was,
				     has_time_of(was, before) || has_time_of(was, pristine));
		if (differs != NULL) {
			(void)snprintf(ret_differs, size, "%s (%s)", was->path, differs);
			return false;
		}
	}
	for (size_t i = 0; i < now->count; i++)
		if (is_part(&now->entries[i]) &&
		    image_find(reference, now->entries[i].path) == NULL) {
			(void)snprintf(ret_differs, size, "%s (new)", now->entries[i].path);
			return false;
		}
	return true;
}

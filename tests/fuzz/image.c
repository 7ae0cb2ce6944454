/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The image of the boot tree that a snapshot keeps: the input is one. It is put onto a tree that
 * stays in order, nothing but what decides at boot is touched, and a second time changes nothing.
 */
#include "fuzz.h"

#include "toggle/service.h"

static const struct host_tree_entry entries[] = {
	{ .path = (char *)"/etc/init.d", .kind = HOST_TREE_FOLDER, .mode = 0755 },
	{ .path = (char *)"/etc/init.d/.depend.boot",
	  .kind = HOST_TREE_FILE,
	  .mode = 0644 },
	{ .path = (char *)"/etc/init.d/cron", .kind = HOST_TREE_FILE, .mode = 0755 },
	{ .path = (char *)"/etc/rc2.d", .kind = HOST_TREE_FOLDER, .mode = 0755 },
	{ .path = (char *)"/etc/rc2.d/S01cron",
	  .kind = HOST_TREE_LINK,
	  .mode = 0777,
	  .target = (char *)"../init.d/cron" },
	{ .path = (char *)"/etc/systemd/system", .kind = HOST_TREE_FOLDER, .mode = 0755 },
	{ .path = (char *)"/etc/systemd/system/own.service",
	  .kind = HOST_TREE_FILE,
	  .mode = 0644 },
};

static void check_tree(const struct host_tree *t, const struct strings *folders)
{
	for (size_t i = 0; i < t->len; i++) {
		const struct host_tree_entry *e = &t->items[i];
		bool below = false;

		FUZZ_MUST(i == 0 || strcmp(t->items[i - 1].path, e->path) < 0);
		for (size_t k = 0; k < folders->len; k++)
			below |= strncmp(e->path, folders->items[k],
					 strlen(folders->items[k])) == 0;
		FUZZ_MUST(below && strstr(e->path, "/../") == NULL);
		FUZZ_MUST((e->kind == HOST_TREE_LINK) == (e->target != NULL));
	}
}

FUZZ_TARGET(image)
{
	_cleanup_json_ json_t *json = json_loadb((const char *)data, size, 0, NULL),
			      *again = NULL;
	_cleanup_host_tree_ struct host_tree tree = HOST_TREE_INIT;
	_cleanup_strings_ struct strings folders = STRINGS_INIT;
	struct digest before, after;
	struct error err = ERROR_INIT;

	if (json == NULL)
		return 0;
	FUZZ_MUST(boot_folders(&folders, &err) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		FUZZ_MUST(host_tree_put(&tree, &entries[i], &err) == 0);
	if (service_image_apply(json, &tree, &err) < 0) {
		FUZZ_MUST(err.code == ERROR_REFUSED);
		return 0;
	}
	check_tree(&tree, &folders);
	FUZZ_MUST(service_tree_digest(&tree, &before, &err) == 0);
	again = service_image_to_json(&tree, &err);
	FUZZ_MUST(again != NULL && service_image_apply(again, &tree, &err) == 0);
	FUZZ_MUST(service_tree_digest(&tree, &after, &err) == 0);
	FUZZ_MUST(digest_equal(&before, &after));
	return 0;
}

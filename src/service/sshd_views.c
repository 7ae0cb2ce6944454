/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/sshd_views.h"

#include "config/sshd_closure.h"
#include "host/file.h"

const struct host_view *sshd_views_find(const struct host_view *views, size_t n_views,
					const char *path)
{
	for (size_t i = 0; i < n_views; i++)
		if (strcmp(views[i].path, path) == 0)
			return &views[i];
	return NULL;
}

static bool is_gone(const struct host_view *views, size_t n_views, const char *path)
{
	const struct host_view *view = sshd_views_find(views, n_views, path);

	return view != NULL && view->gone;
}

int sshd_views_glob(const struct host *h, const struct host_view *views, size_t n_views,
		    const char *pattern, struct strings *ret_paths, struct error *err)
{
	_cleanup_strings_ struct strings found = STRINGS_INIT;

	if (host_glob(h, pattern, &found, err) < 0)
		return -1;
	for (size_t i = 0; i < n_views; i++)
		if (sshd_include_finds(pattern, views[i].path) &&
		    !strings_contain(&found, views[i].path) &&
		    strings_add(&found, views[i].path, err) < 0)
			return -1;
	strings_sort(&found);
	for (size_t i = 0; i < found.len; i++)
		if (!is_gone(views, n_views, found.items[i]) &&
		    strings_add(ret_paths, found.items[i], err) < 0)
			return -1;
	return 0;
}

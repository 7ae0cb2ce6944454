/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * /run/rootlatch is shared by all state folders of a host, and each tidies up its own.
 */
#include <string.h>

#include "base/path.h"
#include "deadline/closer.h"
#include "deadline/watch.h"

static bool is_named(const struct state *state, const char *path)
{
	for (size_t i = 0; i < state->n_toggles; i++)
		if (state->toggles[i].watch != NULL && strcmp(state->toggles[i].watch, path) == 0)
			return true;
	return false;
}

/* Who locks a file is alive. One that does not say whose it is was never finished. */
static bool is_leftover(const struct closer_context *c, const char *path)
{
	_cleanup_free_ char *dir = deadline_watch_state_dir(c->host, path);

	if (dir == NULL)
		return !host_file_is_locked(c->host, path);
	return strcmp(dir, c->store->dir) == 0;
}

static int sweep_watchers(const struct closer_context *c, const struct state *state,
			  struct error *err)
{
	_cleanup_strings_ struct strings names = STRINGS_INIT;

	if (host_dir_list(c->host, DEADLINE_WATCH_DIR, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		_cleanup_free_ char *path = path_join(DEADLINE_WATCH_DIR, names.items[i], err);

		if (path == NULL)
			return -1;
		if (!is_named(state, path) && is_leftover(c, path) &&
		    host_file_unlink_lazily(c->host, path, err) < 0)
			return -1;
	}
	return 0;
}

/* One that is just being made is made again. */
int deadline_sweep_tokens(const struct host *h, struct error *err)
{
	_cleanup_strings_ struct strings names = STRINGS_INIT;
	const char *prefix = path_basename(DEADLINE_BOOT_FILE ".");

	if (host_dir_list(h, DEADLINE_RUN_DIR, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		_cleanup_free_ char *path = path_join(DEADLINE_RUN_DIR, names.items[i], err);

		if (path == NULL)
			return -1;
		if (strncmp(names.items[i], prefix, strlen(prefix)) == 0 &&
		    host_file_unlink_lazily(h, path, err) < 0)
			return -1;
	}
	return 0;
}

int deadline_sweep(const struct closer_context *c, const struct state *state, struct error *err)
{
	return sweep_watchers(c, state, err) < 0 ? -1 : deadline_sweep_tokens(c->host, err);
}

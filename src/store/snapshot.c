/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: a snapshot that the state or the journal names is complete and durable. One that
 * neither names is a leftover of a transaction that never began, and is swept.
 */
#include "store/snapshot.h"

#include <errno.h>

#include "base/path.h"
#include "host/clock.h"
#include "store/state.h"

#define SNAPSHOT_SCHEMA 1

static char *snapshot_dir(const struct store *s, const char *id, struct error *err)
{
	return str_format(err, "%s/snapshots/%s", s->dir, id);
}

static char *member(const struct store *s, const char *id, const char *name, struct error *err)
{
	return str_format(err, "%s/snapshots/%s/%s", s->dir, id, name);
}

char *snapshot_saved_path(const struct store *s, const char *id, size_t n, bool after,
			  struct error *err)
{
	return str_format(err, "%s/snapshots/%s/%zu.%s", s->dir, id, n,
			  after ? "after" : "before");
}

bool snapshot_exists(const struct store *s, const char *id)
{
	_cleanup_free_ char *dir = snapshot_dir(s, id, NULL);

	return dir != NULL && host_file_exists(s->host, dir);
}

static json_t *file_to_json(const struct step *step)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "path", step->path, "twin", step->temp,
			 "before", step->before.hex, "after", step->after.hex, "meta",
			 state_meta_to_json(&step->meta));
}

static json_t *manifest_of(const struct plan *plan, const struct snapshot_info *info,
			   struct error *err)
{
	_cleanup_json_ json_t *files = json_array();

	for (size_t i = 0; i < plan->len; i++)
		if (json_push(files, file_to_json(&plan->steps[i]), err) < 0)
			return NULL;
	return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:I, s:O}", "id", plan->id, "command",
			 info->command, "toggle", info->toggle, "by", info->by, "reason",
			 info->reason, "config", info->config, "at_ns",
			 (json_int_t)clock_realtime_ns(), "files", files);
}

static int write_member(const struct store *s, const char *id, const char *name,
			struct slice bytes, struct error *err)
{
	_cleanup_free_ char *path = member(s, id, name, err);

	return path == NULL ? -1 : host_file_create(s->host, path, bytes, -1, err);
}

static int write_files(const struct store *s, const struct plan *plan, struct error *err)
{
	for (size_t i = 0; i < plan->len; i++) {
		const struct step *step = &plan->steps[i];
		_cleanup_free_ char *before = snapshot_saved_path(s, plan->id, i, false, err);
		_cleanup_free_ char *after = snapshot_saved_path(s, plan->id, i, true, err);

		if (before == NULL || after == NULL ||
		    host_file_create(s->host, before, step->before_bytes,
				     step->meta.mtime_ns, err) < 0 ||
		    host_file_create(s->host, after, step->after_bytes, -1, err) < 0)
			return -1;
	}
	return 0;
}

static int write_all(const struct store *s, const struct plan *plan,
		     const struct snapshot_info *info, const char *dir, struct error *err)
{
	_cleanup_json_ json_t *manifest = manifest_of(plan, info, err);
	_cleanup_buffer_ struct buffer text = BUFFER_INIT, script = BUFFER_INIT;
	_cleanup_free_ char *all = store_path(s, "snapshots", err);

	if (manifest == NULL || all == NULL)
		return error_oom(err);
	if (json_seal(manifest, SNAPSHOT_SCHEMA, &text, err) < 0 ||
	    restore_script(plan, info, &script, err) < 0 || write_files(s, plan, err) < 0 ||
	    write_member(s, plan->id, "manifest.json", slice_of(text.data, text.len), err) < 0 ||
	    write_member(s, plan->id, "restore.sh", slice_of(script.data, script.len), err) < 0)
		return -1;
	return host_dir_fsync(s->host, dir, err);
}

int snapshot_create(const struct store *s, const struct plan *plan,
		    const struct snapshot_info *info, struct error *err)
{
	_cleanup_free_ char *dir = snapshot_dir(s, plan->id, err);
	_cleanup_free_ char *all = store_path(s, "snapshots", err);

	if (dir == NULL || all == NULL)
		return -1;
	if (host_dir_create(s->host, all, true, err) < 0 ||
	    host_dir_create(s->host, dir, true, err) < 0 ||
	    write_all(s, plan, info, dir, err) < 0) {
		error_ignore(snapshot_remove(s, plan->id, NULL));
		return error_prefix(err, "the snapshot");
	}
	return 0;
}

int snapshot_read(const struct store *s, const char *id, json_t **ret_manifest,
		  struct error *err)
{
	_cleanup_free_ char *path = member(s, id, "manifest.json", err);
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;

	if (path == NULL || host_file_read(s->host, path, HOST_READ_OWN, &f, err) < 0)
		return -1;
	return json_unseal(slice_of(f.bytes.data, f.bytes.len), path, SNAPSHOT_SCHEMA, ret_manifest,
			   err);
}

int snapshot_remove(const struct store *s, const char *id, struct error *err)
{
	_cleanup_free_ char *dir = snapshot_dir(s, id, err);

	return dir == NULL ? -1 : host_dir_remove(s->host, dir, err);
}

int snapshot_sweep(const struct store *s, const struct strings *keep, size_t *ret_swept,
		   struct error *err)
{
	_cleanup_strings_ struct strings names = STRINGS_INIT;
	_cleanup_free_ char *all = store_path(s, "snapshots", err);

	*ret_swept = 0;
	if (all == NULL || host_dir_list(s->host, all, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		if (!marker_id_valid(names.items[i]) || strings_contain(keep, names.items[i]))
			continue;
		if (snapshot_remove(s, names.items[i], err) < 0)
			return -1;
		++*ret_swept;
	}
	return 0;
}

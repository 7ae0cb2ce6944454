/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: a snapshot that the state or the journal names is complete and durable. One that
 * neither names is a leftover of a transaction that never began, and is swept.
 */
#include "store/snapshot.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "base/path.h"
#include "base/seeded.h"
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

char *snapshot_saved_path(const struct store *s, const char *id, size_t n, struct error *err)
{
	return str_format(err, "%s/snapshots/%s/%zu.before", s->dir, id, n);
}

/* How many bytes are the same from the beginning. memcmp(3) does most of the work. */
static size_t same_head(struct slice a, struct slice b)
{
	size_t most = a.len < b.len ? a.len : b.len, n = 0;

	while (n + 4096 <= most && memcmp(a.data + n, b.data + n, 4096) == 0)
		n += 4096;
	while (n < most && a.data[n] == b.data[n])
		n++;
	return n;
}

/* And from the end, at most `most`. */
static size_t same_tail(struct slice a, struct slice b, size_t most)
{
	const char *a_end = a.data + a.len, *b_end = b.data + b.len;
	size_t n = 0;

	while (n + 4096 <= most && memcmp(a_end - n - 4096, b_end - n - 4096, 4096) == 0)
		n += 4096;
	while (n < most && a_end[-(ptrdiff_t)n - 1] == b_end[-(ptrdiff_t)n - 1])
		n++;
	return n;
}

struct snapshot_change snapshot_compare(struct slice before, struct slice after)
{
	size_t shorter = before.len < after.len ? before.len : after.len;
	size_t head = same_head(before, after);
	size_t tail = same_tail(before, after, shorter - head);
	struct snapshot_change c = {
		.head = head / SNAPSHOT_BLOCK,
		.tail = (before.len - tail + SNAPSHOT_BLOCK - 1) / SNAPSHOT_BLOCK,
	};
	size_t from = c.head * SNAPSHOT_BLOCK, kept = 0;

	if (c.tail * SNAPSHOT_BLOCK < before.len)
		kept = before.len - c.tail * SNAPSHOT_BLOCK;
	c.middle = slice_of(after.data + from, after.len - kept - from);
	return c;
}

bool snapshot_exists(const struct store *s, const char *id)
{
	_cleanup_free_ char *dir = snapshot_dir(s, id, NULL);

	return dir != NULL && host_file_exists(s->host, dir);
}

/* No file is no bytes. */
static struct slice bytes_or_none(struct slice s)
{
	return s.data != NULL ? s : slice_of("", 0);
}

struct snapshot_change snapshot_compare_step(const struct step *step)
{
	return snapshot_compare(bytes_or_none(step->before_bytes), bytes_or_none(step->after_bytes));
}

static json_t *file_to_json(const struct step *step)
{
	struct snapshot_change c = snapshot_compare_step(step);

	return json_pack("{s:s, s:i, s:b, s:s, s:s, s:s, s:s, s:I, s:I, s:o}", "kind",
			 step_kind_name(step->kind), "number", (int)step->number, "ready",
			 step->ready, "path", step->path, "twin", step->temp, "before",
			 step->before.hex, "after", step->after.hex, "head_blocks",
			 (json_int_t)c.head, "tail_block", (json_int_t)c.tail, "meta",
			 state_meta_to_json(&step->meta));
}

static json_t *files_of(const struct plan *plan, struct error *err)
{
	_cleanup_json_ json_t *files = json_array();

	for (size_t i = 0; i < plan->len; i++)
		if (step_keeps_file(&plan->steps[i]) &&
		    json_push(files, file_to_json(&plan->steps[i]), err) < 0)
			return NULL;
	return json_incref(files);
}

static json_t *steps_of(const struct plan *plan, struct error *err)
{
	_cleanup_json_ json_t *steps = json_array();
	bool commands = plan_has_small(plan);

	for (size_t i = 0; i < plan->len; i++) {
		const struct step *s = &plan->steps[i];
		json_t *step;

		if (!step_is_small(s) && !(commands && s->kind == STEP_RUN))
			continue;
		step = step_to_json(s, err);
		if (step == NULL || json_push(steps, step, err) < 0)
			return NULL;
	}
	return json_incref(steps);
}

static json_t *manifest_of(const struct plan *plan, const struct snapshot_info *info,
			   struct error *err)
{
	_cleanup_json_ json_t *files = files_of(plan, err), *steps = steps_of(plan, err);

	json_t *manifest;

	if (files == NULL || steps == NULL)
		return NULL;
	manifest = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?, s:I, s:O, s:O}", "id", plan->id,
			 "command", info->command, "toggle", info->toggle, "by", info->by, "reason",
			 info->reason, "config", info->config, "at_ns",
			 (json_int_t)clock_realtime_ns(), "files", files, "steps", steps);
	if (manifest == NULL)
		(void)error_oom(err);
	return manifest;
}

static int write_member(const struct store *s, const char *id, const char *name,
			struct slice bytes, struct error *err)
{
	_cleanup_free_ char *path = member(s, id, name, err);

	return path == NULL ? -1 : host_file_create(s->host, path, bytes, 0600, -1, err);
}

static int write_file(const struct store *s, const char *id, const struct step *step,
		      struct error *err)
{
	int64_t mtime_ns = step->kind != STEP_CREATE ? step->meta.mtime_ns : -1;
	_cleanup_free_ char *before = NULL;
	char middle[32];

	if (step->kind == STEP_UNLINK && step->ready)
		return 0;
	before = snapshot_saved_path(s, id, step->number, err);
	if (before == NULL || host_file_create(s->host, before, step->before_bytes, 0600, mtime_ns,
					       err) < 0)
		return -1;
	if (step->kind == STEP_UNLINK)
		return 0;
	(void)snprintf(middle, sizeof(middle), "%u.middle", step->number);
	return write_member(s, id, middle, snapshot_compare_step(step).middle, err);
}

static int write_files(const struct store *s, const struct plan *plan, struct error *err)
{
	for (size_t i = 0; i < plan->len; i++)
		if (step_keeps_file(&plan->steps[i]) &&
		    write_file(s, plan->id, &plan->steps[i], err) < 0)
			return -1;
	return 0;
}

static int read_changed(const struct store *s, const char *id, const json_t *file,
			struct buffer *ret, struct error *err)
{
	size_t n = (size_t)json_get_int(file, "number", 0);
	_cleanup_free_ char *before_path = snapshot_saved_path(s, id, n, err);
	_cleanup_host_file_ struct host_file before = HOST_FILE_INIT, middle = HOST_FILE_INIT;
	_cleanup_free_ char *middle_path = NULL;
	size_t head = (size_t)json_get_int(file, "head_blocks", 0) * SNAPSHOT_BLOCK;
	size_t tail = (size_t)json_get_int(file, "tail_block", 0) * SNAPSHOT_BLOCK;
	struct digest digest;

	if (before_path == NULL)
		return -1;
	middle_path = str_format(err, "%s/snapshots/%s/%zu.middle", s->dir, id, n);
	if (middle_path == NULL ||
	    host_file_read(s->host, before_path, HOST_READ_OWN, &before, err) < 0 ||
	    host_file_read(s->host, middle_path, HOST_READ_OWN, &middle, err) < 0)
		return -1;
	if (head > before.bytes.len)
		return error_set(err, ERROR_REFUSED, "%s is too short", before_path);
	if (tail > before.bytes.len)
		tail = before.bytes.len;
	if (buffer_append(ret, before.bytes.data, head, err) < 0 ||
	    buffer_append(ret, middle.bytes.data, middle.bytes.len, err) < 0 ||
	    buffer_append(ret, before.bytes.data + tail, before.bytes.len - tail, err) < 0)
		return -1;
	digest = digest_of(ret->data, ret->len);
	if (strcmp(digest.hex, json_get_string(file, "after", "")) != 0)
		return error_set(err, ERROR_REFUSED, "%s and .middle do not give what the manifest "
				 "says", before_path);
	return 0;
}

int snapshot_read_after(const struct store *s, const char *id, const json_t *file,
			struct buffer *ret, struct error *err)
{
	if (strcmp(json_get_string(file, "kind", ""), step_kind_name(STEP_UNLINK)) == 0)
		return buffer_reserve(ret, 0, err);
	return read_changed(s, id, file, ret, err);
}

static int write_boot(const struct store *s, const char *id, const json_t *boot, struct error *err)
{
	_cleanup_json_ json_t *body = NULL;
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;

	if (boot == NULL)
		return 0;
	body = json_pack("{s:O}", "entries", boot);
	if (body == NULL)
		return error_oom(err);
	if (json_seal(body, SNAPSHOT_SCHEMA, &text, err) < 0)
		return -1;
	return write_member(s, id, "boot.json", slice_of(text.data, text.len), err);
}

static int write_all(const struct store *s, const struct plan *plan,
		     const struct snapshot_info *info, const char *dir, struct error *err)
{
	_cleanup_json_ json_t *manifest = manifest_of(plan, info, err);
	_cleanup_buffer_ struct buffer text = BUFFER_INIT, script = BUFFER_INIT;
	_cleanup_free_ char *all = store_path(s, "snapshots", err);

	if (manifest == NULL || all == NULL)
		return -1;
	if (json_seal(manifest, SNAPSHOT_SCHEMA, &text, err) < 0 ||
	    restore_script(plan, info, &script, err) < 0 || write_files(s, plan, err) < 0 ||
	    write_member(s, plan->id, "manifest.json", slice_of(text.data, text.len), err) < 0 ||
	    write_boot(s, plan->id, info->boot, err) < 0 ||
	    write_member(s, plan->id, "restore.sh", slice_of(script.data, script.len), err) < 0)
		return -1;
	return SEEDED("no-fsync-snapshot") ? 0 : host_dir_fsync(s->host, dir, err);
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

static int read_sealed(const struct store *s, const char *id, const char *name, json_t **ret,
		       struct error *err)
{
	_cleanup_free_ char *path = member(s, id, name, err);
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;

	if (path == NULL || host_file_read(s->host, path, HOST_READ_OWN, &f, err) < 0)
		return -1;
	return json_unseal(slice_of(f.bytes.data, f.bytes.len), path, SNAPSHOT_SCHEMA, ret, NULL,
			   err);
}

int snapshot_read(const struct store *s, const char *id, json_t **ret_manifest,
		  struct error *err)
{
	return read_sealed(s, id, "manifest.json", ret_manifest, err);
}

int snapshot_read_boot(const struct store *s, const char *id, json_t **ret_boot,
		       struct error *err)
{
	_cleanup_json_ json_t *body = NULL;
	json_t *entries;

	if (read_sealed(s, id, "boot.json", &body, err) < 0 ||
	    json_need_array(body, "entries", &entries, err) < 0)
		return -1;
	*ret_boot = json_incref(entries);
	return 0;
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

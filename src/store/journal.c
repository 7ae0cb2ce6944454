/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/journal.h"

#include "base/path.h"
#include "host/clock.h"
#include "store/state_json.h"

#define JOURNAL_FILE "journal"
#define JOURNAL_SCHEMA 1

void journal_release(struct journal *j)
{
	plan_release(&j->plan);
	free(j->command);
	free(j->toggle);
	free(j->config);
	json_decref(j->daemons);
	state_release(&j->after);
	*j = (struct journal)JOURNAL_INIT;
}

bool journal_exists(const struct store *s)
{
	return slot_exists(s, JOURNAL_FILE);
}

int journal_prepare(const struct store *s, const struct plan *plan, const char *command,
		  const char *toggle, const char *config, const json_t *daemons, bool closing,
		  const struct state *after, struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;
	_cleanup_json_ json_t *body = plan_to_json(plan, err);
	char boot[CLOCK_BOOT_MAX];

	if (body == NULL || clock_boot_identity(boot, err) < 0 ||
	    json_put(body, "boot", json_string(boot), err) < 0 ||
	    json_put(body, "command", json_string(command), err) < 0 ||
	    json_put(body, "toggle", json_string(toggle), err) < 0 ||
	    json_put(body, "config", json_string(config), err) < 0 ||
	    json_put(body, "generation", json_integer(after->generation), err) < 0 ||
	    json_put(body, "closing", json_boolean(closing), err) < 0 ||
	    (closing && json_put(body, "after", state_to_json(after, err), err) < 0) ||
	    json_put(body, "at_ns", json_integer(clock_realtime_ns()), err) < 0 ||
	    json_put(body, "reloads", json_boolean(daemons != NULL), err) < 0 ||
	    json_put(body, "daemons", daemons != NULL ? json_deep_copy(daemons) : json_array(),
		     err) < 0 ||
	    json_seal(body, JOURNAL_SCHEMA, &text, err) < 0)
		return error_prefix(err, "the journal");
	return slot_fill(s, JOURNAL_FILE, slice_of(text.data, text.len), err);
}

int journal_begin(const struct store *s, struct error *err)
{
	return slot_switch(s, JOURNAL_FILE, err);
}

static int read_body(const json_t *body, struct journal *j, struct error *err)
{
	const char *command, *toggle, *config, *boot;
	char this_boot[CLOCK_BOOT_MAX];
	json_t *daemons;

	if (plan_from_json(body, &j->plan, err) < 0 ||
	    json_need_string(body, "command", &command, err) < 0 ||
	    json_need_string(body, "toggle", &toggle, err) < 0 ||
	    json_need_string(body, "config", &config, err) < 0 ||
	    json_need_string(body, "boot", &boot, err) < 0 ||
	    json_need_int(body, "generation", &j->generation, err) < 0 ||
	    json_need_int(body, "at_ns", &j->at_ns, err) < 0 ||
	    json_need_array(body, "daemons", &daemons, err) < 0)
		return -1;
	if (!path_is_clean(config))
		return error_set(err, ERROR_REFUSED, "\"config\" is no clean absolute path");
	j->closing = json_get_bool(body, "closing");
	j->reloads = json_get_bool(body, "reloads");
	if (j->closing && state_from_json(json_object_get(body, "after"), &j->after, err) < 0)
		return error_prefix(err, "after");
	if (clock_boot_identity(this_boot, err) < 0)
		return -1;
	j->same_boot = strcmp(boot, this_boot) == 0;
	j->command = str_dup(command, err);
	j->toggle = str_dup(toggle, err);
	j->config = str_dup(config, err);
	j->daemons = json_incref(daemons);
	return j->command == NULL || j->toggle == NULL || j->config == NULL ? -1 : 0;
}

int journal_from_json(const json_t *body, struct journal *ret, struct error *err)
{
	_cleanup_journal_ struct journal j = JOURNAL_INIT;

	if (read_body(body, &j, err) < 0)
		return -1;
	*ret = j;
	j = (struct journal)JOURNAL_INIT;
	return 0;
}

int journal_read(const struct store *s, struct journal *ret, struct error *err)
{
	_cleanup_free_ char *path = store_path(s, JOURNAL_FILE, err);
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;
	_cleanup_json_ json_t *body = NULL;

	if (path == NULL || slot_read(s, JOURNAL_FILE, &text, err) < 0 ||
	    json_unseal(slice_of(text.data, text.len), path, JOURNAL_SCHEMA, &body, NULL, err) < 0)
		return -1;
	if (journal_from_json(body, ret, err) < 0)
		return error_prefix(err, "%s", path);
	return 0;
}

int journal_end(const struct store *s, struct error *err)
{
	return slot_clear(s, JOURNAL_FILE, err);
}

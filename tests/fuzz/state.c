/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The state file. The input is the body of one, for no fuzzer guesses a SHA-256, and is tried as a
 * whole file too: what is taken is written and read back as the same.
 */
#include "fuzz.h"

#include "store/state_json.h"

static json_t *body_of(struct slice text, struct error *err)
{
	json_t *body = NULL;

	return json_unseal(text, "state.json", STATE_SCHEMA, &body, NULL, err) == 0 ?
		       body :
		       NULL;
}

static void check_sealed(const json_t *body)
{
	_cleanup_buffer_ struct buffer sealed = BUFFER_INIT;
	_cleanup_json_ json_t *back = NULL;
	struct error err = ERROR_INIT;

	FUZZ_MUST(json_seal(body, STATE_SCHEMA, &sealed, &err) == 0);
	back = body_of(slice_of(sealed.data, sealed.len), &err);
	FUZZ_MUST(back != NULL && json_equal((json_t *)body, back));
	sealed.data[sealed.len / 2] ^= 1;
	FUZZ_MUST(body_of(slice_of(sealed.data, sealed.len), &err) == NULL);
}

static void check_state(const struct state *s)
{
	_cleanup_json_ json_t *json = NULL, *again = NULL;
	_cleanup_strings_ struct strings ids = STRINGS_INIT;
	_cleanup_state_ struct state copy = STATE_INIT;
	struct error err = ERROR_INIT;

	json = state_to_json(s, &err);
	FUZZ_MUST(json != NULL);
	FUZZ_MUST(state_from_json(json, &copy, &err) == 0);
	again = state_to_json(&copy, &err);
	FUZZ_MUST(again != NULL && json_equal(json, again));
	check_sealed(json);
	FUZZ_MUST(state_ids(s, &ids, &err) == 0);
	for (size_t i = 0; i < s->n_toggles; i++)
		FUZZ_MUST(state_find_toggle(s, s->toggles[i].name) != NULL);
	for (size_t i = 0; i < s->n_files; i++)
		FUZZ_MUST(state_find_file(s, s->files[i].path) != NULL);
}

FUZZ_TARGET(state)
{
	_cleanup_json_ json_t *sealed = NULL, *body = NULL;
	_cleanup_state_ struct state s = STATE_INIT;
	struct error err = ERROR_INIT;

	sealed = body_of(fuzz_input(data, size), &err);
	FUZZ_MUST(sealed != NULL || err.code == ERROR_REFUSED);
	body = sealed != NULL ?
		       json_incref(sealed) :
		       json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	if (body == NULL)
		return 0;
	if (state_from_json(body, &s, &err) == 0)
		check_state(&s);
	else
		FUZZ_MUST(err.code == ERROR_REFUSED && s.n_toggles == 0 &&
			  s.n_files == 0);
	return 0;
}

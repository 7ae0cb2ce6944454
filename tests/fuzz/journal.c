/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The journal: the input is the body of one. A plan that is taken has clean paths alone, for what is
 * written there is done as root, and is written and read back as the same.
 */
#include "fuzz.h"

#include "base/path.h"
#include "store/journal.h"

static void check_plan(const struct plan *p)
{
	_cleanup_json_ json_t *json = NULL, *again = NULL;
	_cleanup_buffer_ struct buffer said = BUFFER_INIT;
	_cleanup_plan_ struct plan copy = PLAN_INIT;
	struct error err = ERROR_INIT;

	FUZZ_MUST(marker_id_valid(p->id));
	for (size_t i = 0; i < p->len; i++) {
		const struct step *s = &p->steps[i];

		FUZZ_MUST(s->path == NULL || path_is_clean(s->path));
		FUZZ_MUST(s->temp == NULL || path_is_clean(s->temp));
		FUZZ_MUST(s->saved == NULL || path_is_clean(s->saved));
		FUZZ_MUST(s->to == NULL || path_is_clean(s->to));
		FUZZ_MUST(s->argv.len == 0 || s->argv.items[0][0] == '/');
		FUZZ_MUST(step_name(s) != NULL);
		FUZZ_MUST(step_describe(s, i % 2 == 0, &said, &err) == 0);
	}
	for (size_t i = 0; i < p->on_commit.len; i++)
		FUZZ_MUST(path_is_clean(p->on_commit.items[i]));
	for (size_t i = 0; i < p->on_abort.len; i++)
		FUZZ_MUST(path_is_clean(p->on_abort.items[i]));
	json = plan_to_json(p, &err);
	FUZZ_MUST(json != NULL);
	FUZZ_MUST(plan_from_json(json, &copy, &err) == 0);
	again = plan_to_json(&copy, &err);
	FUZZ_MUST(again != NULL && json_equal(json, again));
}

FUZZ_TARGET(journal)
{
	_cleanup_journal_ struct journal j = JOURNAL_INIT;
	_cleanup_plan_ struct plan plan = PLAN_INIT;
	struct error err = ERROR_INIT;
	_cleanup_json_ json_t *body =
		json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);

	if (body == NULL)
		return 0;
	if (plan_from_json(body, &plan, &err) < 0) {
		FUZZ_MUST(err.code == ERROR_REFUSED && plan.len == 0);
		return 0;
	}
	check_plan(&plan);
	if (journal_from_json(body, &j, &err) == 0)
		FUZZ_MUST(path_is_clean(j.config) && j.plan.len == plan.len);
	else
		FUZZ_MUST(err.code == ERROR_REFUSED && j.command == NULL &&
			  j.plan.len == 0);
	return 0;
}

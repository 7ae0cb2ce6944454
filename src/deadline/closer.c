/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: what arms comes before all other steps, in the order of the table; so nothing is open
 * at any instant without something that ends it.
 */
#include "deadline/closer.h"

#include <errno.h>
#include <unistd.h>

#include "host/net.h"

/* systemd is asked after cron, which it stands in for. */
static const struct closer *const closers[] = { &closer_watcher, &closer_cron, &closer_systemd };

int closer_context_init(struct closer_context *c, const struct host *h, const struct store *s,
			struct error *err)
{
	_cleanup_free_ char *program = host_process_exe(getpid());

	if (program == NULL)
		return error_sys(err, ERROR_FAILED, errno, "/proc/self/exe");
	*c = (struct closer_context){ .host = h, .store = s, .program = TAKE_PTR(program) };
	return 0;
}

void closer_context_release(struct closer_context *c)
{
	free(c->program);
	strings_release(&c->texts);
	*c = (struct closer_context)CLOSER_CONTEXT_INIT;
}

int closer_reap_argv_of(const char *program, const struct store *s, struct strings *ret,
			struct error *err)
{
	if (strings_add(ret, program, err) < 0 || strings_add(ret, "reap", err) < 0 ||
	    strings_add(ret, "--quiet", err) < 0 || strings_add(ret, "--wait", err) < 0 ||
	    strings_add(ret, "50", err) < 0)
		return -1;
	if (strcmp(s->dir, STORE_DIR_DEFAULT) == 0)
		return 0;
	return strings_add(ret, "--state-dir", err) < 0 ? -1 : strings_add(ret, s->dir, err);
}

int closer_reap_argv(const struct closer_context *c, struct strings *ret, struct error *err)
{
	return closer_reap_argv_of(c->program, c->store, ret, err);
}

static bool is_plain(unsigned char c)
{
	/* what is not ASCII is a letter to all of them */
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c >= 0x80 || (c != '\0' && strchr("/._+-@,:=", c) != NULL);
}

bool closer_argv_is_plain(const struct strings *argv)
{
	for (size_t i = 0; i < argv->len; i++)
		for (const char *p = argv->items[i]; *p != '\0'; p++)
			if (!is_plain((unsigned char)*p))
				return false;
	return true;
}

/* What closers run as root must be root's. */
static int check_program(const struct closer_context *c, struct error *err)
{
	struct error why = ERROR_INIT;

	if (host_file_require_trusted(c->host, c->program, &why) == 0)
		return 0;
	(void)error_set(err, ERROR_REFUSED, "nothing on this host would close it: rootlatch itself can't "
			"be run from where it lies, for %s", why.message);
	return error_hint(err, "Nothing was changed. Install it where only root can write, for instance in "
			  "/usr/local/sbin; --keep opens until you say `rootlatch close`.");
}

static int refuse_unclosed(const struct strings *missing, struct error *err)
{
	_cleanup_buffer_ struct buffer why = BUFFER_INIT;

	if (buffer_reserve(&why, 1, err) < 0)
		return -1;
	why.data[0] = '\0';
	for (size_t i = 0; i < missing->len; i++)
		if (buffer_printf(&why, err, "%s%s", i > 0 ? "; " : "", missing->items[i]) < 0)
			return -1;
	(void)error_set(err, ERROR_REFUSED, "nothing on this host would close it: %s", why.data);
	(void)error_hint(err, "Nothing was changed. --keep opens until you say `rootlatch close`.");
	for (size_t i = 0; i < ARRAY_SIZE(closers); i++)
		if (closers[i]->remedy != NULL)
			(void)error_hint_add(err, "%s", closers[i]->remedy);
	return -1;
}

static bool survives_reboot(const struct state_toggle *t)
{
	return t->placement == NULL || strcmp(t->placement, "runtime") != 0;
}

static int arm_all(struct closer_job *j, struct error *err)
{
	strings_release(&j->toggle->closers);
	free(TAKE_PTR(j->toggle->watch));
	for (size_t i = 0; i < ARRAY_SIZE(closers); i++) {
		bool armed = false;

		if (closers[i]->arm(j, &armed, err) < 0)
			return error_prefix(err, "%s", closers[i]->name);
		if (armed && strings_add(&j->toggle->closers, closers[i]->name, err) < 0)
			return -1;
	}
	if (j->toggle->closers.len == 0)
		return refuse_unclosed(j->missing, err);
	if (survives_reboot(j->toggle) && !strings_contain(&j->toggle->closers, "cron"))
		return strings_add(j->missing, "after a reboot nothing closes it by itself: install cron",
				   err);
	return 0;
}

static int move_strings(struct strings *from, struct strings *to, struct error *err)
{
	for (size_t i = 0; i < from->len; i++)
		if (strings_add(to, from->items[i], err) < 0)
			return -1;
	return 0;
}

/* All of `arming` before all of `plan`. */
static int put_first(struct plan *arming, struct plan *plan, struct error *err)
{
	for (size_t i = arming->len; i-- > 0;)
		if (plan_prepend(plan, &arming->steps[i], err) < 0)
			return -1;
	if (move_strings(&arming->on_commit, &plan->on_commit, err) < 0)
		return -1;
	return move_strings(&arming->on_abort, &plan->on_abort, err);
}

int deadline_arm(struct closer_context *c, const char *toggle, struct plan *plan,
		 struct state *after, struct strings *ret_missing, struct error *err)
{
	_cleanup_strings_ struct strings missing = STRINGS_INIT;
	_cleanup_plan_ struct plan arming = PLAN_INIT;
	struct closer_job j = { .c = c, .plan = &arming, .after = after, .missing = &missing };

	j.toggle = state_find_toggle(after, toggle);
	if (j.toggle == NULL)
		return error_set(err, ERROR_FAILED, "%s is not among what is applied", toggle);
	if (j.toggle->until_ns == 0)
		return 0;
	memcpy(arming.id, plan->id, sizeof(arming.id));
	if (check_program(c, err) < 0 || arm_all(&j, err) < 0 || put_first(&arming, plan, err) < 0)
		return -1;
	return move_strings(&missing, ret_missing, err);
}

int deadline_rearm(struct closer_context *c, const struct state_toggle *was, struct plan *plan,
		   struct state *after, struct strings *ret_missing, struct error *err)
{
	const struct state_toggle *now;

	_cleanup_strings_ struct strings left = STRINGS_INIT;

	if (deadline_arm(c, was->name, plan, after, ret_missing, err) < 0 ||
	    closer_watcher.disarm(c, was, plan, after, &left, err) < 0)
		return -1;
	/* the timer serves any deadline; unless it has another name now, or cron took its place */
	now = state_find_toggle(after, was->name);
	if (strings_contain(&now->closers, closer_systemd.name) && strcmp(now->id, was->id) == 0)
		return 0;
	return closer_systemd.disarm(c, was, plan, after, &left, err);
}

bool deadline_has_leftovers(const struct state *s)
{
	for (size_t i = 0; i < s->n_files; i++)
		for (size_t k = 0; k < s->files[i].len; k++)
			if (strcmp(s->files[i].edits[k].toggle, CLOSER_OWNER) == 0)
				return !deadline_is_needed(s);
	return false;
}

int deadline_disarm(struct closer_context *c, const struct state_toggle *was, struct plan *plan,
		    struct state *after, struct strings *ret_left, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(closers); i++)
		if (closers[i]->disarm(c, was, plan, after, ret_left, err) < 0)
			return error_prefix(err, "%s", closers[i]->name);
	return 0;
}

static int look_at(struct closer_context *c, const struct closer *closer,
		   const struct state_toggle *t, struct strings *armed, struct strings *lost,
		   struct error *err)
{
	bool is = false;

	if (!strings_contain(&t->closers, closer->name))
		return 0;
	if (closer->is_armed(c, t, &is, lost, err) < 0)
		return error_prefix(err, "%s", closer->name);
	return is ? strings_add(armed, closer->name, err) : 0;
}

int deadline_look(struct closer_context *c, const struct state_toggle *t,
		  struct strings *ret_armed, struct strings *ret_lost, struct error *err)
{
	_cleanup_strings_ struct strings armed = STRINGS_INIT, lost = STRINGS_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(closers); i++)
		if (look_at(c, closers[i], t, &armed, &lost, err) < 0)
			return -1;
	if (!survives_reboot(t) && strings_add(&armed, "reboot", err) < 0)
		return -1;
	return move_strings(&armed, ret_armed, err) < 0 ? -1 : move_strings(&lost, ret_lost, err);
}

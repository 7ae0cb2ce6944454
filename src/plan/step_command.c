/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * START: a process that lives as long as its file. RUN: a command. What they did is read back;
 * their exit status proves nothing.
 */
#include "base/text.h"
#include "host/clock.h"
#include "host/process.h"
#include "plan/step_kind.h"

#define UP_WITHIN_NS (10 * NSEC_PER_SEC)
#define POLL_MAX_MS 10
#define RUN_TIMEOUT_MS 60000
#define SHOWN_MAX 300 /* bytes of a command, or of what it said, in a message */
#define OWN_MAX 800   /* of what a command of ours said */
#define OWN_VERB "service-run" /* (src/cli): what it says is a message, and lines of what to do */

/* ---- START */

static int wait_until_up(const struct host *h, const struct step *s,
			 const struct host_process *process, struct error *err)
{
	int64_t end = clock_boottime_ns() + UP_WITHIN_NS;

	for (unsigned ms = 1; !host_file_is_locked(h, s->path); ms = ms < POLL_MAX_MS ? ms + 1 : ms) {
		if (clock_boottime_ns() >= end || !host_process_alive(process))
			return error_set(err, ERROR_FAILED, "%s did not come up: it does not hold %s",
					 s->argv.items[0], s->path);
		clock_sleep_ms(ms);
	}
	return 0;
}

static int start_apply(const struct host *h, const struct step *s, struct error *err)
{
	struct host_process process;

	if (step_check_none(h, s, err) < 0 ||
	    host_spawn_detached(h, s->argv.items, "/", &process, err) < 0)
		return -1;
	return wait_until_up(h, s, &process, err);
}

static int start_revert(const struct host *h, const struct step *s, struct error *err)
{
	return host_file_unlink(h, s->path, err);
}

const struct step_ops step_ops_start = {
	.name = "start",
	.check = step_check_none,
	.prepare = step_make_folder,
	.apply = start_apply,
	.can_finish = step_always_can,
	.finish = step_no_op,
	.revert = start_revert,
};

/* ---- RUN */

static int run(const struct host *h, const struct strings *argv, struct host_outcome *ret,
	       struct error *err)
{
	const struct host_command cmd = {
		.argv = argv->items,
		.in_root = !host_is_live(h),
		.timeout_ms = RUN_TIMEOUT_MS,
	};

	return host_run(h, &cmd, ret, err);
}

static int show_command(const struct strings *argv, struct buffer *ret, struct error *err)
{
	_cleanup_buffer_ struct buffer line = BUFFER_INIT;

	for (size_t i = 0; i < argv->len; i++)
		if (buffer_printf(&line, err, "%s%s", i > 0 ? " " : "", argv->items[i]) < 0)
			return -1;
	return text_escape(slice_of(line.data, line.len < SHOWN_MAX ? line.len : SHOWN_MAX), false,
			   ret, err);
}

/* The first line that it said, of its complaints before its output. */
static int show_words(const struct host_outcome *o, struct buffer *ret, struct error *err)
{
	const struct buffer *said[] = { &o->err, &o->out };

	for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
		const char *p = said[i]->data != NULL ? said[i]->data : "";
		size_t len;

		p += strspn(p, "\r\n");
		len = strcspn(p, "\r\n");
		if (len > 0)
			return text_escape(slice_of(p, len < SHOWN_MAX ? len : SHOWN_MAX), false, ret,
					   err);
	}
	return buffer_append_str(ret, "it said nothing", err);
}

static bool is_own(const struct strings *argv)
{
	return argv->len == 4 && strcmp(argv->items[1], OWN_VERB) == 0;
}

/* In its own words. False when there are none. */
static bool repeat(const struct strings *argv, const struct host_outcome *o, enum error_code code,
		   struct error *err)
{
	const char *p = o->err.data != NULL ? o->err.data : "";
	_cleanup_buffer_ struct buffer words = BUFFER_INIT;
	size_t len = strcspn(p, "\n");

	if (!is_own(argv) || o->timed_out || o->killed || len == 0 ||
	    text_escape(slice_of(p, len < OWN_MAX ? len : OWN_MAX), false, &words, NULL) < 0)
		return false;
	(void)error_set(err, code, "%s", words.data);
	for (p += len; *p == '\n'; p += len) {
		p += 1 + strspn(p + 1, " ");
		len = strcspn(p, "\n");
		words.len = 0;
		if (len > 0 && text_escape(slice_of(p, len < OWN_MAX ? len : OWN_MAX), false, &words,
					   NULL) == 0)
			(void)error_hint_add(err, "%s", words.data);
	}
	return true;
}

/* "COMMAND WHAT (status N): WORDS" */
static int complain(const struct strings *argv, const struct host_outcome *o, const char *what,
		    enum error_code code, struct error *err)
{
	_cleanup_buffer_ struct buffer command = BUFFER_INIT, words = BUFFER_INIT;

	if (repeat(argv, o, code, err))
		return -1;
	if (is_own(argv) && !o->timed_out)
		return error_set(err, code, "%s: the %s %s, and it said nothing (status %d)",
				 argv->items[3], argv->items[2], what, o->status);
	if (show_command(argv, &command, err) < 0 || show_words(o, &words, err) < 0)
		return -1;
	if (o->timed_out)
		what = "did not end in time";
	return error_set(err, code, "%s %s (status %d): %s", command.data, what, o->status,
			 words.data);
}

/* Whether argv is in effect. One that was killed, or that took too long, has not answered. */
static int ask(const struct host *h, const struct step *s, bool *ret_is, struct error *err)
{
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;

	if (run(h, &s->verify, &o, err) < 0)
		return -1;
	if (o.killed || o.timed_out)
		return complain(&s->verify, &o, "gave no answer", ERROR_FAILED, err);
	*ret_is = (o.status == 0) != s->verify_fails;
	return 0;
}

static int run_apply(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
	bool in_effect;

	if (run(h, &s->argv, &o, err) < 0)
		return -1;
	in_effect = o.status == 0;
	if (s->verify.len > 0 && ask(h, s, &in_effect, err) < 0)
		return -1;
	return in_effect ? 0 : complain(&s->argv, &o, "had no effect", ERROR_FAILED, err);
}

static int run_finish(const struct host *h, const struct step *s, struct error *err)
{
	bool in_effect = false;

	if (s->verify.len > 0 && ask(h, s, &in_effect, err) < 0)
		return -1;
	return in_effect ? 0 : run_apply(h, s, err);
}

static int still_in_effect(const struct step *s, const struct host_outcome *o, struct error *err)
{
	if (s->undo.len > 0)
		(void)complain(&s->undo, o, "did not undo it", ERROR_IN_DOUBT, err);
	else
		(void)complain(&s->argv, o, "is in effect, and nothing undoes it", ERROR_IN_DOUBT,
			       err);
	if (is_own(&s->undo))
		return error_hint_add(err, "`rootlatch recover` tries again. If that fails, too, %s %s by hand "
				      "first.", s->undo.items[2], s->undo.items[3]);
	return error_hint(err, "`rootlatch recover` tries again. If that fails, too, undo it by hand "
			  "first.");
}

static int remark(const struct host_outcome *o, struct error *err)
{
	_cleanup_buffer_ struct buffer words = BUFFER_INIT;

	return show_words(o, &words, err) < 0 ? -1 :
	       error_set(err, ERROR_DIFFERENT, "%s", words.data);
}

static int run_revert(const struct host *h, const struct step *s, struct error *err)
{
	_cleanup_host_outcome_ struct host_outcome o = { .status = 0 };
	bool in_effect = true;

	if (s->verify.len > 0 && ask(h, s, &in_effect, err) < 0)
		return -1;
	if (!in_effect)
		return 0;
	if (s->undo.len > 0 && run(h, &s->undo, &o, err) < 0)
		return -1;
	if (o.status == STEP_UNDO_REMARKS && s->verify.len == 0)
		return remark(&o, err);
	in_effect = o.status != 0;
	if (s->verify.len > 0 && ask(h, s, &in_effect, err) < 0)
		return -1;
	return in_effect ? still_in_effect(s, &o, err) : 0;
}

const struct step_ops step_ops_run = {
	.name = "run",
	.check = step_no_op,
	.prepare = step_no_op,
	.apply = run_apply,
	.can_finish = step_always_can,
	.finish = run_finish,
	.revert = run_revert,
};

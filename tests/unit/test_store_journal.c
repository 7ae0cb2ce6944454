/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/journal.h"

#define DIR "/lib"
#define JOURNAL DIR "/journal"

static struct store store = STORE_INIT;
static struct plan plan = PLAN_INIT;

static void enter(void)
{
	struct step s = { .path = strdup("/etc/conf"), .temp = strdup("/etc/.t"),
			  .before = digest_of("a", 1), .after = digest_of("b", 1) };
	struct error err = ERROR_INIT;

	box_enter();
	box_mkdir(DIR, 0700);
	box_ok(store_init(&store, &box()->host, DIR, &err));
	memcpy(plan.id, "0badcafe", 9);
	box_ok(plan_add(&plan, &s, &err));
	box_ok(strings_add(&plan.on_abort, "/etc/.t", &err));
}

static void leave(void)
{
	plan_release(&plan);
	store_release(&store);
	box_leave();
}

TestSuite(store_journal, .init = enter, .fini = leave, .timeout = 60);

static int begin_as(bool closing, struct error *err)
{
	_cleanup_json_ json_t *daemons = json_pack("[{s:i}]", "pid", 412);
	const struct state after = { .generation = 7 };

	if (journal_prepare(&store, &plan, "open", "root-login", "/etc/ssh/sshd_config", daemons,
			    closing, &after, err) < 0)
		return -1;
	/* prepared is not begun; while calls fail nobody can tell */
	cr_expect(box()->fault.kind != FAULT_NONE || !journal_exists(&store));
	return journal_begin(&store, err);
}

static int begin(struct error *err)
{
	return begin_as(false, err);
}

static int read_it(struct error *err)
{
	_cleanup_journal_ struct journal j = JOURNAL_INIT;

	return journal_read(&store, &j, err);
}

Test(store_journal, comes_back_as_it_was)
{
	_cleanup_journal_ struct journal j = JOURNAL_INIT;
	struct error err = ERROR_INIT;

	cr_expect(not(journal_exists(&store)));
	box_ok(begin(&err));
	cr_expect(journal_exists(&store));
	cr_expect(eq(uint, box_mode(JOURNAL), 0600));
	box_ok(journal_read(&store, &j, &err));
	box_str(j.plan.id, "0badcafe");
	cr_assert(eq(sz, j.plan.len, 1));
	box_str(j.plan.steps[0].path, "/etc/conf");
	box_str(j.plan.on_abort.items[0], "/etc/.t");
	box_str(j.command, "open");
	box_str(j.toggle, "root-login");
	box_str(j.config, "/etc/ssh/sshd_config");
	cr_expect(eq(i64, j.generation, 7));
	cr_expect(gt(i64, j.at_ns, 1700000000000000000));
	cr_expect(j.same_boot);
	cr_expect(eq(i64, json_get_int(json_array_get(j.daemons, 0), "pid", 0), 412));
	box_ok(journal_end(&store, &err));
	cr_expect(not(journal_exists(&store)));
	box_ok(journal_end(&store, &err));
}

Test(store_journal, of_a_close_holds_the_state_that_it_leads_to)
{
	_cleanup_journal_ struct journal open = JOURNAL_INIT, close = JOURNAL_INIT;
	struct error err = ERROR_INIT;

	box_ok(begin_as(false, &err));
	box_ok(journal_read(&store, &open, &err));
	cr_expect(not(open.closing));
	box_ok(journal_end(&store, &err));
	box_ok(begin_as(true, &err));
	box_ok(journal_read(&store, &close, &err));
	cr_expect(close.closing);
	cr_expect(eq(i64, close.after.generation, 7));
}

Test(store_journal, is_refused_when_it_is_torn_or_altered)
{
	struct error err = ERROR_INIT;
	char text[8192];
	size_t len;

	box_ok(begin(&err));
	(void)snprintf(text, sizeof(text), "%s", box_text(JOURNAL));
	len = strlen(text);
	for (size_t cut = 0; cut + 1 < len; cut += 7) {
		char was = text[cut];

		text[cut] = '\0';
		box_write(JOURNAL, text);
		box_fails(read_it(&err), ERROR_REFUSED, "torn or was altered");
		text[cut] = was == 'x' ? 'y' : 'x';
		box_write(JOURNAL, text);
		text[cut] = was;
		if (was != ' ' && was != '\n')
			box_fails(read_it(&err), ERROR_REFUSED, JOURNAL);
	}
	box_write(JOURNAL, text);
	box_ok(read_it(&err));
	cr_assert(eq(int, chmod(box_path(JOURNAL), 0644), 0));
	box_fails(read_it(&err), ERROR_REFUSED, "may have been altered");
}

Test(store_journal, refuses_values_that_it_never_writes)
{
	static const struct {
		const char *key, *value;
	} rows[] = {
		{ "config", "sshd_config" }, { "config", "/etc/../etc/x" }, { "config", NULL },
		{ "command", NULL },	     { "toggle", NULL },	    { "generation", "7" },
		{ "at_ns", NULL },	     { "daemons", NULL },	    { "steps", NULL },
		{ "id", "../../../" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_json_ json_t *body = NULL;
		_cleanup_buffer_ struct buffer text = BUFFER_INIT;
		struct error err = ERROR_INIT;
		const char *whole;

		box_ok(begin(&err));
		whole = box_text(JOURNAL);
		box_ok(json_unseal(slice_of(whole, strlen(whole)), "it", 1, &body, NULL, &err));
		(void)json_object_set_new(body, rows[i].key, rows[i].value != NULL ?
					  json_string(rows[i].value) : json_null());
		box_ok(json_seal(body, 1, &text, &err));
		box_write(JOURNAL, text.data);
		box_fails(read_it(&err), ERROR_REFUSED, rows[i].key);
		box_ok(journal_end(&store, &err));
		cr_assert(eq(int, chmod(box_path(JOURNAL ".spare"), 0600), 0));
	}
}

Test(store_journal, is_not_there_when_it_could_not_be_begun)
{
	for (unsigned n = 1;; n++) {
		struct error err = ERROR_INIT;
		int r;

		fault_arm(&box()->fault, FAULT_ERROR, n, ENOSPC);
		r = begin(&err);
		if (!fault_disarm(&box()->fault)) {
			cr_expect(eq(int, r, 0));
			break;
		}
		/* an EMFILE while it is asked whether there is one already may be survived */
		cr_expect(eq(int, journal_exists(&store), r == 0), "call %u, %s", n,
			  box()->fault.last);
		box_ok(journal_end(&store, &err));
	}
}

/* Taking it for absent would let the next transaction write over it. */
Test(store_journal, is_not_taken_for_absent_when_it_could_not_be_looked_for)
{
	struct error err = ERROR_INIT;

	box_ok(begin(&err));
	for (unsigned n = 1; n <= 2; n++) {
		fault_arm(&box()->fault, FAULT_ERROR, n, EMFILE);
		cr_expect(journal_exists(&store), "call %u, %s", n, box()->fault.last);
		cr_expect(fault_disarm(&box()->fault));
	}
}

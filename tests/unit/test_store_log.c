/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/when.h"
#include "host/clock.h"
#include "store/log.h"

#define DIR "/lib"
#define LOG DIR "/log"

static struct store store = STORE_INIT;

static void enter(void)
{
	struct error err = ERROR_INIT;

	box_enter();
	box_ok(store_init(&store, &box()->host, DIR, &err));
}

static void leave(void)
{
	store_release(&store);
	box_leave();
}

TestSuite(store_log, .init = enter, .fini = leave, .timeout = 60);

static void append(const char *toggle, const char *message)
{
	_cleanup_json_ json_t *event = json_pack("{s:s, s:s}", "toggle", toggle, "message", message);

	log_append(&store, event);
}

/* The messages that are found, a blank before each. */
static const char *found(const char *toggle, int64_t since_ns, int64_t until_ns, size_t unreadable)
{
	_cleanup_json_ json_t *events = NULL;
	struct error err = ERROR_INIT;
	static char text[1024];
	size_t n = 99;

	box_ok(log_read(&store, toggle, since_ns, until_ns, &events, &n, &err));
	cr_expect(eq(sz, n, unreadable));
	text[0] = '\0';
	for (size_t i = 0; i < json_array_size(events); i++)
		(void)strcat(strcat(text, " "),
			     json_get_string(json_array_get(events, i), "message", "?"));
	return text;
}

Test(store_log, makes_no_folder_of_its_own)
{
	append("root-login", "a");
	box_str(box_names(""), "");
	box_str(found(NULL, 0, 0, 0), "");
}

Test(store_log, gives_back_what_was_appended)
{
	int64_t now = clock_realtime_ns() / NSEC_PER_SEC * NSEC_PER_SEC;

	box_mkdir(DIR, 0700);
	(void)umask(0);
	append("root-login", "a");
	append("root-login@/srv/c", "b");
	append("root-login", "c");
	cr_expect(eq(uint, box_mode(LOG), 0600));
	box_str(found(NULL, 0, 0, 0), " a b c");
	box_str(found("root-login", 0, 0, 0), " a c");
	box_str(found("root-login@/srv/c", 0, 0, 0), " b");
	box_str(found("root", 0, 0, 0), "");
	box_str(found(NULL, now, 0, 0), " a b c");
	box_str(found(NULL, now + 100 * NSEC_PER_SEC, 0, 0), "");
	box_str(found(NULL, 0, now - 100 * NSEC_PER_SEC, 0), "");
	box_str(found(NULL, now, now + 100 * NSEC_PER_SEC, 0), " a b c");
}

Test(store_log, is_one_line_of_ascii_an_event)
{
	size_t lines = 0;

	box_mkdir(DIR, 0700);
	append("root-login", "a\nb\x1b[2J \xc3\xa4 \xe2\x80\xae \"quoted\"");
	append("root-login", "b");
	for (const char *p = box_text(LOG); *p != '\0'; p++) {
		cr_assert(p[0] == '\n' || (p[0] >= 0x20 && p[0] < 0x7f), "%s", box_text(LOG));
		lines += *p == '\n';
	}
	cr_expect(eq(sz, lines, 2));
	box_str(found(NULL, 0, 0, 0), " a\nb\x1b[2J \xc3\xa4 \xe2\x80\xae \"quoted\" b");
}

Test(store_log, passes_over_lines_that_can_not_be_read)
{
	box_mkdir(DIR, 0700);
	append("root-login", "a");
	{
		FILE *f = fopen(box_path(LOG), "a");

		cr_assert(f != NULL);
		(void)fputs("{\"torn\": \n\n[]\n\"text\"\nnonsense\n", f);
		(void)fwrite("\0\0{}\n", 1, 5, f);
		(void)fputs("{\"at\": \"yesterday\", \"message\": \"x\"}\n", f);
		cr_assert(eq(int, fclose(f), 0));
	}
	append("root-login", "b");
	cr_expect(strstr(found(NULL, 0, 0, 3), " a b") != NULL);
}

/* A power cut can tear the last line. The next event must not go with it. */
Test(store_log, begins_a_new_line_behind_one_that_was_torn)
{
	box_mkdir(DIR, 0700);
	box_write(LOG, "{\"at\": \"2026-03-0");
	cr_assert(eq(int, chmod(box_path(LOG), 0600), 0));
	append("root-login", "a");
	box_str(found(NULL, 0, 0, 1), " a");
}

Test(store_log, that_is_not_ours_alone_is_refused)
{
	json_t *events = NULL;
	struct error err = ERROR_INIT;
	size_t n;

	box_mkdir(DIR, 0700);
	append("root-login", "a");
	cr_assert(eq(int, chmod(box_path(LOG), 0644), 0));
	box_fails(log_read(&store, NULL, 0, 0, &events, &n, &err), ERROR_REFUSED, "altered");
	cr_assert(eq(int, unlink(box_path(LOG)), 0));
	cr_assert(eq(int, symlink("/run/elsewhere", box_path(LOG)), 0));
	append("root-login", "a");
	box_fails(log_read(&store, NULL, 0, 0, &events, &n, &err), ERROR_REFUSED, "symbolic link");
	box_str(box_names(""), " lib");
}

Test(store_log, is_best_effort)
{
	box_mkdir(DIR, 0700);
	for (unsigned n = 1;; n++) {
		fault_arm(&box()->fault, FAULT_ERROR, n, ENOSPC);
		append("root-login", "a");
		if (!fault_disarm(&box()->fault))
			break;
	}
	cr_expect(strlen(box_text(LOG)) > 10);
}

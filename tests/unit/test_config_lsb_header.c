/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_config.h"

#include "config/lsb_header.h"

#define BEGIN "### BEGIN INIT INFO\n"
#define END "### END INIT INFO\n"

static struct config_augeas *handle(void)
{
	struct config_augeas *augeas = NULL;
	struct error err = ERROR_INIT;

	cr_assert(eq(int, config_augeas_new(lens_dir(), &augeas, &err), 0));
	return augeas;
}

/* The words with one blank between them. */
static const char *join(const struct strings *s, char *ret)
{
	*ret = '\0';
	for (size_t i = 0; i < s->len; i++)
		strcat(strcat(ret, i > 0 ? " " : ""), s->items[i]);
	return ret;
}

/* All that was read, one line a field that is not empty. */
static const char *dump(const struct lsb_header *l)
{
	static char text[8192];
	char list[2048];

	snprintf(text, sizeof(text), "%s", l->found ? "" : "not found\n");
	for (size_t i = 0; i < 6; i++) {
		const struct strings *lists[] = { &l->provides,	      &l->required_start,
						  &l->should_start,   &l->required_stop,
						  &l->should_stop,    &l->x_start_before };
		static const char *const names[] = { "P", "RS", "SS", "RK", "SK", "XB" };

		if (lists[i]->len > 0)
			sprintf(text + strlen(text), "%s=%s\n", names[i], join(lists[i], list));
	}
	if (l->default_start != NULL)
		sprintf(text + strlen(text), "DS=%s\n", l->default_start);
	if (l->default_stop != NULL)
		sprintf(text + strlen(text), "DK=%s\n", l->default_stop);
	if (l->short_description != NULL)
		sprintf(text + strlen(text), "SD=%s\n", l->short_description);
	return text;
}

static const struct {
	const char *what;
	const char *script;
	const char *dump;
} rows[] = {
	{ "no text", "", "not found\n" },
	{ "no header", "#! /bin/sh\n# Provides: a\nexit 0\n", "not found\n" },
	{ "an end alone", "#! /bin/sh\n" END "# Provides: a\n", "not found\n" },
	{ "nothing in it", BEGIN END, "" },
	{ "the one of openssh-server",
	  "#! /bin/sh\n\n" BEGIN "# Provides:\t\tssh sshd\n# Required-Start:\t$remote_fs $syslog\n"
	  "# Required-Stop:\t$remote_fs $syslog\n# Default-Start:\t2 3 4 5\n"
	  "# Default-Stop:\t\t\n# Short-Description:\tOpenBSD Secure Shell server\n" END
	  "\nset -e\n",
	  "P=ssh sshd\nRS=$remote_fs $syslog\nRK=$remote_fs $syslog\nDS=2 3 4 5\nDK=\n"
	  "SD=OpenBSD Secure Shell server\n" },
	{ "no final newline", BEGIN "# Provides: a\n### END INIT INFO", "P=a\n" },
	{ "CRLF", "### BEGIN INIT INFO\r\n# Provides: a b\r\n# Default-Stop:\r\n### END INIT INFO\r\n",
	  "P=a b\nDK=\n" },
	{ "tabs and blanks, also behind", BEGIN "#\t Provides:\ta \t b\t \n#Default-Start:2 3\n" END,
	  "P=a b\nDS=2 3\n" },
	{ "letters, - and _", BEGIN "# pROVIDES: a\n# REQUIRED__Start: b\n# should-_stop: c\n" END,
	  "P=a\nRS=b\nSK=c\n" },
	{ "extensions",
	  BEGIN "# X-UnitedLinux-Should-Start: a\n# X_Should-Stop: b\n# X-Start-Before: c\n"
		"# X-Stop-After: d\n# X-Interactive: true\n" END,
	  "SS=a\nSK=b\nXB=c\n" },
	{ "Start-Before as it is", BEGIN "# Start-Before: a\n" END, "XB=a\n" },
	{ "what takes no extension", BEGIN "# X-Provides: a\n# X-Required-Start: b\n" END, "" },
	{ "nearly a keyword",
	  BEGIN "# Provides : a\n# NotProvides: b\n## Provides: c\n # Provides: d\nProvides: e\n"
		"# RequiredStart: f\n" END,
	  "" },
	{ "the first of two lines", BEGIN "# Provides: a\n# Provides: b\n" END, "P=a\n" },
	{ "the first, be it empty", BEGIN "# Default-Start:\n# Default-Start: 2\n" END, "DS=\n" },
	{ "the first of two headers",
	  BEGIN "# Provides: a\n" END BEGIN "# Provides: b\n# Default-Start: 2\n" END, "P=a\n" },
	{ "a second begin is nothing", BEGIN "# Provides: a\n" BEGIN "# Default-Start: 2\n" END,
	  "P=a\nDS=2\n" },
	{ "begin and end inside lines",
	  "echo '### BEGIN INIT INFO'\n# Provides: a\n#### END INIT INFO ####\n# Default-Start: 2\n",
	  "P=a\n" },
	{ "a description goes on, a list does not",
	  BEGIN "# Description: a\n#  b: c\n#\tmore\n# Required-Start: d\n#\te\n#  f\n# Provides: g\n" END,
	  "P=g\nRS=d\n" },
	{ "what a description says is a keyword, too",
	  BEGIN "# Description: a\n#   Provides: b\n" END, "P=b\n" },
	{ "code and empty lines in it", BEGIN "\n# Provides: a\nPATH=/bin\n\n# Default-Start: S\n" END,
	  "P=a\nDS=S\n" },
	{ "other languages where they do no harm",
	  BEGIN "# Provides: a\n# Short-Description: Pr\xc3\xa9par\xc3\xa9 \\x41 \"b\"\n"
		"# Description: \xe9\x01\x04\n# \x80: y\n" END "\x80\x04",
	  "P=a\nSD=Pr\xc3\xa9par\xc3\xa9 \\x41 \"b\"\n" },
	{ "values that look like something else",
	  BEGIN "# Provides: # : \\\n# Short-Description: : # ' [1]\n" END, "P=# : \\\nSD=: # ' [1]\n" },
};

Test(config_lsb_header, reads_what_insserv_reads)
{
	_cleanup_config_augeas_ struct config_augeas *augeas = handle();

	for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		_cleanup_lsb_header_ struct lsb_header l = LSB_HEADER_INIT;
		const size_t n = i / 2;
		struct error err = ERROR_INIT;

		/* through the lens, and without */
		cr_expect(eq(int, lsb_header_parse(i % 2 == 0 ? augeas : NULL, text(rows[n].script),
						   &l, &err), 0),
			  "%s: %s", rows[n].what, err.message);
		cr_expect(eq(str, (char *)dump(&l), (char *)rows[n].dump), "%s", rows[n].what);
	}
}

Test(config_lsb_header, refuses_what_cannot_be_read_and_names_the_line)
{
	static const struct {
		const char *script;
		const char *message;
	} refused[] = {
		{ "#! /bin/sh\n" BEGIN "# Provides: a\nexit 0\n", "begins at line 2 does not end" },
		{ BEGIN "# Provides: a\n# Required-Start: b\xe9\n" END,
		  "line 3, in its INIT INFO, has a byte 0xe9 in Required-Start" },
		{ BEGIN "# Provides: a\x04\n" END, "line 2, in its INIT INFO, has a byte 0x04" },
		{ BEGIN "# Default-Start: 2\r3\n" END, "line 2, in its INIT INFO, has a byte 0x0d" },
	};
	_cleanup_config_augeas_ struct config_augeas *augeas = handle();

	for (size_t i = 0; i < 2 * ARRAY_SIZE(refused); i++) {
		_cleanup_lsb_header_ struct lsb_header l = LSB_HEADER_INIT;
		const size_t n = i / 2;
		struct error err = ERROR_INIT;

		cr_assert(eq(int, lsb_header_parse(i % 2 == 0 ? augeas : NULL,
						   text(refused[n].script), &l, &err), -1),
			  "%s", refused[n].message);
		cr_expect(eq(int, err.code, ERROR_REFUSED), "%s", err.message);
		cr_expect(not(zero(ptr, strstr(err.message, refused[n].message))), "%s: %s",
			  refused[n].message, err.message);
		cr_expect(not(l.found));
	}
}

Test(config_lsb_header, finds_one_far_down_and_stops_at_no_byte_outside)
{
	_cleanup_config_augeas_ struct config_augeas *augeas = handle();
	_cleanup_buffer_ struct buffer script = BUFFER_INIT;
	_cleanup_lsb_header_ struct lsb_header l = LSB_HEADER_INIT;
	struct error err = ERROR_INIT;

	for (int i = 0; i < 500; i++)
		cr_assert(eq(int, buffer_append(&script, "\0\x04: code\n", 9, &err), 0));
	cr_assert(eq(int, buffer_append_str(&script, BEGIN "# Provides: a\n" END, &err), 0));
	cr_assert(eq(int, buffer_append(&script, "\0\xff", 2, &err), 0));
	cr_assert(eq(int, lsb_header_parse(augeas, slice_of(script.data, script.len), &l, &err), 0),
		  "%s", err.message);
	cr_expect(eq(str, (char *)dump(&l), (char *)"P=a\n"));
}

Test(config_lsb_header, refuses_a_nul_byte_in_a_field)
{
	static const char script[] = BEGIN "# Provides: a\0b\n" END;
	_cleanup_config_augeas_ struct config_augeas *augeas = handle();
	struct lsb_header l = LSB_HEADER_INIT;
	struct error err = ERROR_INIT;

	cr_expect(eq(int, lsb_header_parse(augeas, slice_of(script, sizeof(script) - 1), &l, &err),
		     -1));
	cr_expect(eq(int, err.code, ERROR_REFUSED), "%s", err.message);
}

static char *long_line(const char *keyword, size_t len)
{
	char *script = malloc(len + 200);

	char *p = script + sprintf(script, BEGIN "# %s: ", keyword);

	for (size_t i = 0; i < len; i++)
		*p++ = i % 10 == 9 ? ' ' : 'x';
	*p = '\0';
	return strcat(script, "\n" END);
}

Test(config_lsb_header, bounds_a_line_and_cuts_a_description)
{
	_cleanup_config_augeas_ struct config_augeas *augeas = handle();
	_cleanup_free_ char *fits = long_line("Required-Start", 1005);
	_cleanup_free_ char *too_long = long_line("Required-Start", 1050);
	_cleanup_free_ char *description = long_line("Short-Description", 60000);
	_cleanup_lsb_header_ struct lsb_header a = LSB_HEADER_INIT, b = LSB_HEADER_INIT;
	struct error err = ERROR_INIT;

	cr_assert(eq(int, lsb_header_parse(augeas, text(fits), &a, &err), 0), "%s", err.message);
	cr_expect(eq(sz, a.required_start.len, 101));
	cr_expect(eq(int, lsb_header_parse(augeas, text(too_long), &b, &err), -1));
	cr_expect(eq(int, err.code, ERROR_REFUSED), "%s", err.message);
	cr_assert(eq(int, lsb_header_parse(augeas, text(description), &b, &err), 0), "%s",
		  err.message);
	cr_expect(eq(sz, strlen(b.short_description), 199));
}

Test(config_lsb_header, tells_without_a_lens_which_scripts_require_a_facility)
{
	static const struct {
		const char *script;
		bool requires;
	} scripts[] = {
		{ BEGIN "# Required-Start: a\n" END, true },
		{ BEGIN "# Required-Start:\t$x\ta\n" END, true },
		{ BEGIN "# required_start: b\n" END, true },
		{ BEGIN "# Provides: a\n# Should-Start: a\n# Required-Stop: a\n# Description: a\n" END, false },
		{ BEGIN "# Required-Start: aa ab $a\n" END, false },
		{ "# Required-Start: a\n", false },
		{ BEGIN "# Required-Start: a\n", false },
	};
	char *items[] = { (char *)"b", (char *)"a", NULL };
	const struct strings facilities = { .items = items, .len = 2 };

	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++)
		cr_expect(eq(int, lsb_header_requires(text(scripts[i].script), &facilities),
			     scripts[i].requires),
			  "%s", scripts[i].script);
}

Test(config_augeas, takes_lines_of_printable_ascii_and_no_more_than_it_says)
{
	_cleanup_config_augeas_ struct config_augeas *augeas = handle();
	_cleanup_strings_ struct strings keywords = STRINGS_INIT, values = STRINGS_INIT;
	static char lines[CONFIG_LINES_MAX + 2];
	struct error err = ERROR_INIT;

	memset(lines, '\n', sizeof(lines) - 1);
	memcpy(lines, BEGIN, strlen(BEGIN));
	cr_expect(eq(int, config_augeas_get_all(augeas, "Rootlatch_lsb.lns",
						slice_of(lines, CONFIG_LINES_MAX + 1), &keywords,
						&values, &err), -1));
	cr_expect(eq(int, err.code, ERROR_REFUSED));
	cr_expect(not(zero(ptr, strstr(err.message, "longer"))), "%s", err.message);
	cr_expect(eq(int, config_augeas_get_all(augeas, "Rootlatch_lsb.lns",
						text(BEGIN "# A: \x04\n" END), &keywords, &values,
						&err), -1));
	cr_expect(not(zero(ptr, strstr(err.message, "0x04"))), "%s", err.message);
	cr_expect(eq(sz, keywords.len + values.len, 0));
	cr_assert(eq(int, config_augeas_get_all(augeas, "Rootlatch_lsb.lns",
						text(BEGIN "# A: b\n# c\n# D:\n" END), &keywords,
						&values, &err), 0), "%s", err.message);
	cr_assert(eq(sz, keywords.len, 3));
	cr_expect(eq(str, keywords.items[2], (char *)"D"));
	cr_expect(eq(str, values.items[0], (char *)"b"));
	cr_expect(eq(str, values.items[2], (char *)""));
}

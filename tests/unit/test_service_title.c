/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_service_fixture.h"

static char *join(const struct strings *s)
{
	struct buffer b = BUFFER_INIT;

	for (size_t i = 0; i < s->len; i++)
		cr_assert(eq(int, buffer_printf(&b, NULL, "%s%s", i > 0 ? "|" : "", s->items[i]), 0));
	return b.data != NULL ? b.data : strdup("");
}

#define BYTES(s) (s), sizeof(s) - 1

static const struct {
	const char *cmdline;
	size_t len;
	enum sshd_title title;
	const char *argv;
} titles[] = {
	{ BYTES("sshd: /usr/sbin/sshd [listener] 0 of 10-100 startups\0"), SSHD_TITLE_LISTENER,
	  "/usr/sbin/sshd" },
	{ BYTES("sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups\0\0\0"),
	  SSHD_TITLE_LISTENER, "/usr/sbin/sshd|-D" },
	{ BYTES("sshd: /usr/sbin/sshd -D -p 2222 -f /etc/my sshd/config -o X y [listener] 1"),
	  SSHD_TITLE_LISTENER, "/usr/sbin/sshd|-D|-p|2222|-f|/etc/my sshd/config|-o|X y" },
	{ BYTES("sshd: /usr/sbin/sshd -Dp 22 -oPermitRootLogin yes [listener] 0"),
	  SSHD_TITLE_LISTENER, "/usr/sbin/sshd|-Dp|22|-oPermitRootLogin yes" },
	/* cut where an empty environment ends */
	{ BYTES("sshd: /usr/sbin/sshd -f /etc/ssh/ssh\0g\0"), SSHD_TITLE_CUT, "" },
	{ BYTES("sshd: /usr/s\0d\0"), SSHD_TITLE_CUT, "" },
	{ BYTES("sshd: /usr/sbin/sshd -D [listen"), SSHD_TITLE_CUT, "" },
	/* sessions */
	{ BYTES("sshd: root@pts/0\0"), SSHD_TITLE_OTHER, "" },
	{ BYTES("sshd: root [priv]\0"), SSHD_TITLE_OTHER, "" },
	{ BYTES("sshd: unknown [net]\0"), SSHD_TITLE_OTHER, "" },
	{ BYTES("sshd: [accepted]\0"), SSHD_TITLE_OTHER, "" },
	{ BYTES("sshd: x [listener] y\0"), SSHD_TITLE_OTHER, "" },
	/* before the title is set, and before 8.2 */
	{ BYTES("/usr/sbin/sshd\0-D\0-f\0/a b\0"), SSHD_TITLE_LISTENER, "/usr/sbin/sshd|-D|-f|/a b" },
	{ BYTES("/usr/sbin/sshd\0-D\0-R\0"), SSHD_TITLE_OTHER, "" },
	{ BYTES("/usr/sbin/sshd\0-i\0"), SSHD_TITLE_OTHER, "" },
	{ BYTES("/usr/sbin/sshd\0-T\0"), SSHD_TITLE_OTHER, "" },
	{ BYTES("/usr/sbin/sshd-session\0-D\0"), SSHD_TITLE_OTHER, "" },
	{ BYTES("sshd-session: root@pts/0\0"), SSHD_TITLE_OTHER, "" },
	{ BYTES("sshd\0-D\0"), SSHD_TITLE_OTHER, "" },
	{ BYTES("vim\0/usr/sbin/sshd\0"), SSHD_TITLE_OTHER, "" },
	{ BYTES(""), SSHD_TITLE_OTHER, "" },
};

Test(service_title, tells_listeners_from_the_rest)
{
	for (size_t i = 0; i < ARRAY_SIZE(titles); i++) {
		struct strings argv = STRINGS_INIT;
		enum sshd_title title =
			sshd_title_parse(slice_of(titles[i].cmdline, titles[i].len), &argv);
		char *got = join(&argv);

		cr_expect(eq(int, title, titles[i].title), "\"%s\"", titles[i].cmdline);
		expect_str(got, titles[i].argv, "\"%s\"", titles[i].cmdline);
		free(got);
		strings_release(&argv);
	}
}

static const struct {
	const char *argv[8];
	bool listens;
	const char *config;
	const char *options;
} options[] = {
	{ { "sshd" }, true, NULL, "" },
	{ { "sshd", "-D" }, true, NULL, "" },
	{ { "sshd", "-De", "-f", "/x" }, true, "/x", "" },
	{ { "sshd", "-f/x", "-p22", "-oPort 23", "-4" }, true, "/x", "-p|22|-o|Port 23|-4" },
	{ { "sshd", "-D4p", "22", "-E", "-f", "-u0" }, true, NULL, "-4|-p|22|-u|0" },
	{ { "sshd", "-h", "/k", "-c", "/c", "-g", "5" }, true, NULL, "-h|/k|-c|/c|-g|5" },
	{ { "sshd", "-C", "user=root", "-6" }, true, NULL, "-6" },
	{ { "sshd", "-i" }, false, NULL, "" },
	{ { "sshd", "-Dt" }, false, NULL, "" },
	{ { "sshd", "-p", "-T" }, true, NULL, "-p|-T" },
};

Test(service_title, takes_the_options_that_bear_on_answers)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		struct strings argv = STRINGS_INIT, found = STRINGS_INIT;
		const char *config = NULL;
		bool listens;
		char *got;

		for (size_t k = 0; k < 8 && options[i].argv[k] != NULL; k++)
			cr_assert(eq(int, strings_add(&argv, options[i].argv[k], NULL), 0));
		listens = sshd_options_parse(&argv, &config, &found);
		got = join(&found);
		cr_expect(eq(int, listens, options[i].listens), "row %zu", i);
		expect_str(got, options[i].options, "row %zu", i);
		if (options[i].config == NULL)
			cr_expect(config == NULL, "row %zu", i);
		else
			cr_expect(config != NULL && strcmp(config, options[i].config) == 0,
				  "row %zu", i);
		free(got);
		strings_release(&found);
		strings_release(&argv);
	}
}

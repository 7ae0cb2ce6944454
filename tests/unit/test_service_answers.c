/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_service_fixture.h"

#include "service/sshd_answers.h"
#include "service/sshd_pattern.h"

static struct sshd_answers parse(const char *out, const char *complaints, int status)
{
	struct sshd_answers a = SSHD_ANSWERS_INIT;
	struct error err = ERROR_INIT;

	assert_ok(sshd_answers_parse(slice_of(out, strlen(out)),
				     slice_of(complaints, strlen(complaints)), status, &a, &err));
	return a;
}

Test(service_answers, keeps_keywords_that_repeat_and_values_that_are_empty)
{
	struct sshd_answers a = parse("port 22\nallowusers a\nallowusers b c\nbanner \nlast\n", "",
				      0);

	cr_assert(a.valid);
	cr_expect(eq(sz, a.len, 5));
	expect_str(sshd_answers_get(&a, "AllowUsers"), "a");
	expect_str(sshd_answers_nth(&a, "allowusers", 1), "b c");
	cr_expect(sshd_answers_nth(&a, "allowusers", 2) == NULL);
	expect_str(sshd_answers_get(&a, "banner"), "");
	expect_str(sshd_answers_get(&a, "last"), "");
	cr_expect(sshd_answers_is(&a, "port", "22"));
	cr_expect(not(sshd_answers_is(&a, "port", "2")));
	sshd_answers_release(&a);
}

static const struct {
	const char *complaints;
	const char *first;
	size_t n;
} complaints[] = {
	{ "/etc/ssh/sshd_config: line 7: Bad configuration option: Prot\r\n"
	  "/etc/ssh/sshd_config: terminating, 1 bad configuration options\r\n",
	  "/etc/ssh/sshd_config line 7: Bad configuration option: Prot", 1 },
	{ "/etc/ssh/sshd_config line 3: no argument after keyword \"X\"\r\n\r\n",
	  "/etc/ssh/sshd_config line 3: no argument after keyword \"X\"", 1 },
	{ "Missing privilege separation directory: /run/sshd\r\n",
	  "Missing privilege separation directory: /run/sshd", 1 },
	{ "a line 1: Bad \033[31mred\n", "a line 1: Bad \\x1b[31mred", 1 },
	{ "x: terminating, 1 bad configuration options", "x: terminating, 1 bad configuration options",
	  1 },
	{ "same\nsame\nother\n", "same", 2 },
	{ "", "sshd ended with status 255 and said nothing", 1 },
};

Test(service_answers, keeps_what_sshd_complains_about)
{
	for (size_t i = 0; i < ARRAY_SIZE(complaints); i++) {
		struct sshd_answers a = parse("", complaints[i].complaints, 255);

		cr_expect(not(a.valid), "row %zu", i);
		cr_assert(eq(sz, a.complaints.len, complaints[i].n), "row %zu", i);
		expect_str(a.complaints.items[0], complaints[i].first, "row %zu", i);
		sshd_answers_release(&a);
	}
}

static const struct {
	const char *before, *after;
	const char *except;
	const char *difference; /* the first; NULL: none */
} differences[] = {
	{ "a 1\nb 2\n", "a 1\nb 2\n", NULL, NULL },
	{ "a 1\nb 2\n", "a 1\nb 3\n", NULL, "b: 2 -> 3" },
	{ "a 1\nb 2\n", "a 1\nb 3\n", "b", NULL },
	{ "a 1\nb 2\n", "a 1\nb 3\n", "B", NULL },
	{ "a 1\nb 2\n", "a 2\nb 3\n", "b", "a: 1 -> 2" },
	{ "a 1\na 2\n", "a 2\na 1\n", NULL, "a: 1 | 2 -> 2 | 1" },
	{ "a 1\na 2\n", "a 2\n", NULL, "a: 1 | 2 -> 2" },
	{ "a 1\n", "a 1\nnew x\n", NULL, "new: (not set) -> x" },
	{ "a 1\nold x\n", "a 1\n", NULL, "old: x -> (not set)" },
	{ "a 1\nb 2\nb 3\n", "a 1\n", "b", NULL },
	{ "a 1\nb 2\n", "b 2\na 1\n", NULL, NULL }, /* another order is no difference */
};

Test(service_answers, differ_in_what_was_not_meant)
{
	for (size_t i = 0; i < ARRAY_SIZE(differences); i++) {
		struct sshd_answers before = parse(differences[i].before, "", 0);
		struct sshd_answers after = parse(differences[i].after, "", 0);
		const char *const except[] = { differences[i].except, NULL };
		struct strings found = STRINGS_INIT;
		struct error err = ERROR_INIT;

		assert_ok(sshd_answers_differ(&before, &after, except, &found, &err));
		cr_expect(eq(sz, found.len, differences[i].difference != NULL ? 1 : 0), "row %zu", i);
		if (found.len > 0 && differences[i].difference != NULL)
			expect_str(found.items[0], differences[i].difference, "row %zu", i);
		strings_release(&found);
		sshd_answers_release(&before);
		sshd_answers_release(&after);
	}
}

Test(service_answers, says_the_effective_value_in_todays_words)
{
	struct sshd_answers a = parse("permitrootlogin without-password\n", "", 0);
	struct error err = ERROR_INIT;
	char *text = sshd_answers_effective(&a, "everybody", &err);

	expect_str(text, "permitrootlogin prohibit-password for everybody");
	free(text);
	sshd_answers_release(&a);
}

static const struct {
	const char *text, *pattern;
	bool matches;
} patterns[] = {
	{ "root", "root", true },   { "root", "Root", false },	{ "root", "*", true },
	{ "root", "r??t", true },   { "root", "r?t", false },	{ "root", "*t", true },
	{ "root", "r*o*t", true },  { "root", "root*", true },	{ "root", "?root", false },
	{ "root", "", false },	    { "", "*", true },		{ "", "", true },
	{ "root", "**t", true },    { "aab", "*ab", true },	{ "root", "[r]oot", false },
	{ "root", "!root", false },
};

Test(service_pattern, matches_as_sshd_does)
{
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		cr_expect(eq(int, sshd_pattern_match(patterns[i].text, patterns[i].pattern),
			     patterns[i].matches),
			  "%s %s", patterns[i].text, patterns[i].pattern);
}

static const struct {
	const char *pattern;
	enum sshd_match match;
} users[] = {
	{ "root", SSHD_MATCH_YES },	    { "*", SSHD_MATCH_YES },
	{ "bob", SSHD_MATCH_NO },	    { "root@10.0.0.1", SSHD_MATCH_SOURCE },
	{ "root@*", SSHD_MATCH_YES },	    { "bob@10.0.0.1", SSHD_MATCH_NO },
	{ "*@10.0.0.0/8", SSHD_MATCH_SOURCE }, { "r*@host", SSHD_MATCH_SOURCE },
};

Test(service_pattern, leaves_the_host_of_a_user_open)
{
	for (size_t i = 0; i < ARRAY_SIZE(users); i++)
		cr_expect(eq(int, sshd_pattern_user("root", users[i].pattern), users[i].match), "%s",
			  users[i].pattern);
}

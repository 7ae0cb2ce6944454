/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_config.h"

#include "config/sshd_match.h"

static const char *const names[] = { "global", "root", "network", "unknown", "never" };

static enum sshd_scope scope_of(const char *condition, const struct strings *groups)
{
	_cleanup_strings_ struct strings args = STRINGS_INIT;
	struct error err = ERROR_INIT;
	char line[512];
	struct sshd_line l;

	snprintf(line, sizeof(line), "Match %s", condition);
	sshd_line_parse(text(line), &l);
	cr_assert(eq(int, sshd_line_args(&l, text(line), &args, &err), 0), "%s", line);
	return sshd_match_scope(&args, groups);
}

/* Asked of OpenSSH 9.2 as `sshd -T -C user=root,...`, from several addresses. */
Test(config_sshd_match, tells_for_whom_a_match_holds)
{
	static const struct {
		const char *condition;
		const char *scope;
	} rows[] = {
		{ "all", "root" },
		{ "ALL # note", "root" },
		{ "\"all\"", "root" },
		{ "User root", "root" },
		{ "uSER root", "root" },
		{ "User=root", "root" },
		{ "User Root", "never" },
		{ "User bob", "never" },
		{ "User !bob", "never" },
		{ "User !root", "never" },
		{ "User *", "root" },
		{ "User *,!root", "never" },
		{ "User *,!bob", "root" },
		{ "User !root,root", "never" },
		{ "User bob,ro?t", "root" },
		{ "User r*t,", "root" },
		{ "User ?", "never" },
		{ "User 'root'", "never" },
		{ "User \"root\"", "root" },
		{ "User \"bob, root\"", "never" },
		{ "User root User bob", "never" },
		{ "Group root", "root" },
		{ "Group adm", "root" },
		{ "Group wheel", "never" },
		{ "Group !wheel", "never" },
		{ "Group *,!adm", "never" },
		{ "Group *", "root" },
		{ "Address 192.0.2.1", "network" },
		{ "Address 192.0.2.0/24,2001:db8::/32", "network" },
		{ "Address *", "root" },
		{ "Address 192.0.2.1,*", "root" },
		{ "Address *,!192.0.2.1", "network" },
		{ "Address !192.0.2.1", "never" },
		{ "Address 0.0.0.0/0", "network" },
		{ "Address 0.0.0.0/0,::/0", "root" },
		{ "Address ?*", "network" },
		{ "Host *", "root" },
		{ "Host **", "root" },
		{ "Host *.example.org", "network" },
		{ "Host !x", "never" },
		{ "LocalAddress 192.0.2.1", "network" },
		{ "LocalAddress *", "root" },
		{ "LocalPort 22", "network" },
		{ "RDomain *", "network" },
		{ "RDomain !*", "never" },
		{ "User root Address 192.0.2.1", "network" },
		{ "Address 192.0.2.1 User bob", "never" },
		{ "User bob Address 192.0.2.1", "never" },
		{ "Address * User root", "root" },
		{ "Exec true", "unknown" },
		{ "User root Exec true", "unknown" },
		{ "User bob Exec true", "never" },
		{ "Exec true User bob", "unknown" },
		{ "invalid-user", "unknown" },
		{ "Version x*", "unknown" },
		{ "User", "unknown" },
		{ "all User root", "unknown" },
		{ "# note", "unknown" },
	};
	char *items[] = { (char *)"root", (char *)"adm", NULL };
	const struct strings groups = { .items = items, .len = 2 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect(eq(str, (char *)names[scope_of(rows[i].condition, &groups)],
			     (char *)rows[i].scope),
			  "Match %s", rows[i].condition);
}

Test(config_sshd_match, says_unknown_when_the_groups_are_not_known)
{
	cr_expect(eq(int, scope_of("Group root", NULL), SSHD_SCOPE_UNKNOWN));
	cr_expect(eq(int, scope_of("Group root User bob", NULL), SSHD_SCOPE_NEVER));
	cr_expect(eq(int, scope_of("User root", NULL), SSHD_SCOPE_ROOT));
}

Test(config_sshd_match, matches_patterns_like_openssh)
{
	static const struct {
		const char *list;
		const char *s;
		int matches;
	} rows[] = {
		{ "", "", 0 },      { "", "a", 0 },           { "*", "", 1 },
		{ "?", "", 0 },     { "a*b*c", "aXbbXc", 1 }, { "a*b*c", "aXbbX", 0 },
		{ "*a", "aaa", 1 }, { "a,!a", "a", -1 },      { "!b,a", "a", 1 },
		{ "!a", "b", 0 },   { ",a", "a", 1 },
	};
	char hostile[1100];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect(eq(int, sshd_pattern_list_match(rows[i].list, rows[i].s),
			     rows[i].matches),
			  "%s on %s", rows[i].list, rows[i].s);
	/* Backtracking must stay cheap, and an overlong pattern ends the list. */
	for (size_t i = 0; i + 1 < 900; i++)
		hostile[i] = i % 2 == 0 ? '*' : 'a';
	hostile[899] = '\0';
	cr_expect(eq(int, sshd_pattern_list_match(hostile, "aaaaaaaaaaaaaaaaaaaaaaaaab"),
		     0));
	memset(hostile, 'x', 1030);
	strcpy(hostile + 1030, ",root");
	cr_expect(eq(int, sshd_pattern_list_match(hostile, "root"), 0));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_service_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include "service/sshd_access.h"
#include "service/sshd_account.h"
#include "service/sshd_answers.h"
#include "service/sshd_keys.h"

/* A host of files: an account of root's, its keys, and nothing else. */
static char root_dir[64];
static struct host image = HOST_INIT;

static void write_below(const char *path, const char *text, mode_t mode)
{
	char full[256];

	(void)snprintf(full, sizeof(full), "%s%s", root_dir, path);
	fixture_write(full, text);
	cr_assert(eq(int, chmod(full, mode), 0));
}

static void make_below(const char *path)
{
	char full[256];

	(void)snprintf(full, sizeof(full), "%s%s", root_dir, path);
	cr_assert(eq(int, mkdir(full, 0755), 0));
}

static void make_image(void)
{
	struct error err = ERROR_INIT;

	if (geteuid() != 0)
		cr_skip_test("not root: files of root's can't be made");
	(void)umask(022);
	(void)snprintf(root_dir, sizeof(root_dir), "/tmp/test-access.XXXXXX");
	cr_assert(mkdtemp(root_dir) != NULL);
	cr_assert(eq(int, chmod(root_dir, 0755), 0));
	make_below("/etc");
	make_below("/bin");
	make_below("/root");
	make_below("/root/.ssh");
	write_below("/bin/bash", "", 0755);
	write_below("/etc/passwd", "daemon:x:1:1::/:/bin/false\nroot:x:0:0:root:/root:/bin/bash\n",
		    0644);
	write_below("/etc/shadow", "root:$y$j9T$x:19000:0:99999:7:::\n", 0600);
	write_below("/etc/group", "root:x:0:\nwheel:x:10:bob,root\nsshusers:x:11:bob\n", 0644);
	write_below("/root/.ssh/authorized_keys", "# mine\n\nssh-ed25519 AAAA root@x\n", 0600);
	assert_ok(host_init(&image, root_dir, NULL, NULL, &err));
}

static void remove_image(void)
{
	char command[128];

	host_release(&image);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", root_dir);
	if (root_dir[0] != '\0')
		cr_expect(eq(int, system(command), 0));
}

TestSuite(service_access, .init = make_image, .fini = remove_image, .timeout = 30);

/* What sshd answers for a Debian that has been opened, with `more` before it: the first value of
 * a keyword counts here. */
static struct sshd_findings check(const char *more, bool everywhere)
{
	static const char usual[] = "permitrootlogin yes\nusepam yes\npubkeyauthentication yes\n"
				    "passwordauthentication no\nkbdinteractiveauthentication no\n"
				    "strictmodes yes\nmaxsessions 10\nforcecommand none\n"
				    "chrootdirectory none\nrevokedkeys none\ntrustedusercakeys none\n"
				    "authorizedkeyscommand none\nauthenticationmethods any\n"
				    "permitemptypasswords no\n"
				    "authorizedkeysfile .ssh/authorized_keys .ssh/authorized_keys2\n";
	struct sshd_findings found = SSHD_FINDINGS_INIT;
	struct sshd_answers answers = SSHD_ANSWERS_INIT;
	struct buffer all = BUFFER_INIT;
	struct error err = ERROR_INIT;

	assert_ok(buffer_printf(&all, &err, "%s%s", more, usual));
	assert_ok(sshd_answers_parse(slice_of(all.data, all.len), slice_of("", 0), 0, &answers,
				     &err));
	assert_ok(sshd_access_check(&image, &answers, everywhere, &found, &err));
	sshd_answers_release(&answers);
	buffer_release(&all);
	return found;
}

static void expect_finding(const char *more, enum sshd_finding_kind kind, const char *text)
{
	struct sshd_findings found = check(more, true);
	bool seen = false;

	for (size_t i = 0; i < found.len; i++) {
		seen |= found.items[i].kind == kind && strcmp(found.items[i].text, text) == 0;
		cr_expect(le(sz, strlen(found.items[i].text), 76), "%s", found.items[i].text);
	}
	cr_expect(seen, "\"%s\" gives %zu findings, the first is %s \"%s\", not %s \"%s\"", more,
		  found.len, found.len > 0 ? sshd_finding_kind_name(found.items[0].kind) : "none",
		  found.len > 0 ? found.items[0].text : "", sshd_finding_kind_name(kind), text);
	sshd_findings_release(&found);
}

static void expect_nothing(const char *more)
{
	struct sshd_findings found = check(more, true);

	cr_expect(eq(sz, found.len, 0), "\"%s\" gives \"%s\"", more,
		  found.len > 0 ? found.items[0].text : "");
	sshd_findings_release(&found);
}

static const struct {
	const char *answers;
	enum sshd_finding_kind kind;
	const char *text; /* NULL: nothing is found */
} rows[] = {
	{ "", SSHD_BLOCKS, NULL },
	{ "allowusers root\n", SSHD_BLOCKS, NULL },
	{ "allowusers bob\nallowusers r*\n", SSHD_BLOCKS, NULL },
	{ "allowusers bob\nallowusers alice\n", SSHD_BLOCKS, "AllowUsers does not name root" },
	{ "allowusers bob\nallowusers root@10.0.0.*\n", SSHD_MAY_BLOCK,
	  "AllowUsers admits root only as root@10.0.0.*" },
	{ "denyusers bob\n", SSHD_BLOCKS, NULL },
	{ "denyusers bob\ndenyusers ro?t\n", SSHD_BLOCKS, "DenyUsers ro?t keeps root out" },
	{ "denyusers root@10.*\n", SSHD_MAY_BLOCK, "DenyUsers root@10.* keeps root out from there" },
	{ "denyusers root\nallowusers root\n", SSHD_BLOCKS, "DenyUsers root keeps root out" },
	{ "allowgroups root\n", SSHD_BLOCKS, NULL },
	{ "allowgroups wheel\n", SSHD_BLOCKS, NULL },
	{ "allowgroups sshusers\nallowgroups adm\n", SSHD_BLOCKS,
	  "AllowGroups names none of root's groups" },
	{ "denygroups whee*\n", SSHD_BLOCKS, "DenyGroups whee* keeps root out" },
	{ "denygroups sshusers\n", SSHD_BLOCKS, NULL },
	{ "authenticationmethods publickey,password\n", SSHD_MAY_BLOCK,
	  "AuthenticationMethods asks for publickey,password" },
	{ "pubkeyauthentication no\n", SSHD_BLOCKS,
	  "neither keys nor passwords are accepted for root" },
	{ "pubkeyauthentication no\ngssapiauthentication yes\n", SSHD_MAY_BLOCK,
	  "neither keys nor passwords are accepted for root" },
	{ "permitrootlogin without-password\npubkeyauthentication no\npasswordauthentication yes\n",
	  SSHD_BLOCKS, "neither keys nor passwords are accepted for root" },
	{ "authorizedkeysfile none\n", SSHD_BLOCKS,
	  "no keys are read (AuthorizedKeysFile none)" },
	{ "authorizedkeysfile /etc/ssh/keys/%u\n", SSHD_BLOCKS,
	  "root has no key in /etc/ssh/keys/%u" },
	{ "authorizedkeysfile /etc/ssh/keys/%u\ntrustedusercakeys /etc/ssh/ca.pub\n", SSHD_MAY_BLOCK,
	  "root has no key in /etc/ssh/keys/%u" },
	{ "authorizedkeysfile %h/.ssh/authorized_keys\n", SSHD_BLOCKS, NULL },
	{ "revokedkeys /etc/ssh/revoked\n", SSHD_BLOCKS,
	  "RevokedKeys /etc/ssh/revoked is missing, so no key is accepted" },
	{ "forcecommand /bin/date\n", SSHD_MAY_BLOCK,
	  "ForceCommand /bin/date runs in place of a shell" },
	{ "chrootdirectory /srv\n", SSHD_MAY_BLOCK, "ChrootDirectory /srv locks root in" },
	{ "maxsessions 0\n", SSHD_BLOCKS, "MaxSessions is 0" },
	/* what lets in more */
	{ "passwordauthentication yes\n", SSHD_EXPOSES,
	  "passwords are accepted for root, from everywhere" },
	{ "kbdinteractiveauthentication yes\n", SSHD_EXPOSES,
	  "passwords are accepted for root, from everywhere" },
	{ "kbdinteractiveauthentication yes\nusepam no\n", SSHD_BLOCKS, NULL },
	{ "permitrootlogin without-password\npasswordauthentication yes\n", SSHD_BLOCKS, NULL },
	{ "passwordauthentication yes\nauthenticationmethods password\n", SSHD_EXPOSES,
	  "passwords are accepted for root, from everywhere" },
	{ "passwordauthentication yes\nauthenticationmethods a,b keyboard-interactive:pam\n"
	  "kbdinteractiveauthentication yes\n", SSHD_EXPOSES,
	  "passwords are accepted for root, from everywhere" },
};

Test(service_access, finds_what_the_answers_say)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].text == NULL)
			expect_nothing(rows[i].answers);
		else
			expect_finding(rows[i].answers, rows[i].kind, rows[i].text);
}

Test(service_access, does_not_warn_of_passwords_that_do_not_suffice)
{
	struct sshd_findings found = check("passwordauthentication yes\n", false);

	cr_expect(eq(sz, found.len, 0));
	found = check("passwordauthentication yes\nauthenticationmethods publickey,password\n", true);
	cr_assert(eq(sz, found.len, 1));
	cr_expect(eq(int, found.items[0].kind, SSHD_MAY_BLOCK));
	sshd_findings_release(&found);
	found = check("kbdinteractiveauthentication yes\n"
		      "authenticationmethods keyboard-interactive:pam,publickey\n", true);
	cr_assert(eq(sz, found.len, 1));
	cr_expect(eq(int, found.items[0].kind, SSHD_MAY_BLOCK));
	sshd_findings_release(&found);
}

Test(service_access, names_both_remedies_for_passwords)
{
	struct sshd_findings found = check("passwordauthentication yes\n", true);

	cr_assert(eq(sz, found.len, 1));
	assert_contains(found.items[0].hint, "--from ADDR");
	assert_contains(found.items[0].hint, "--allow prohibit-password");
	sshd_findings_release(&found);
}

Test(service_access, minds_the_shell)
{
	write_below("/etc/passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\n", 0644);
	expect_finding("", SSHD_BLOCKS, "root's shell is /usr/sbin/nologin, which ends at once");
	write_below("/etc/passwd", "root:x:0:0:root:/root:/bin/zsh\n", 0644);
	expect_finding("", SSHD_BLOCKS, "root's shell /bin/zsh is missing");
	write_below("/bin/zsh", "", 0644);
	expect_finding("", SSHD_BLOCKS, "root's shell /bin/zsh is not executable");
}

Test(service_access, minds_a_locked_account)
{
	write_below("/etc/shadow", "root:!$y$j9T$x:19000:0:99999:7:::\n", 0600);
	expect_nothing("");
	expect_finding("usepam no\n", SSHD_BLOCKS, "root's account is locked, and UsePAM is no");
	write_below("/etc/shadow", "root:*:19000:0:99999:7:::\n", 0600);
	expect_nothing("usepam no\n");
	expect_finding("usepam no\npubkeyauthentication no\npasswordauthentication yes\n", SSHD_BLOCKS,
		       "only passwords are accepted, and root has none");
	/* PAM may know of passwords that are not in shadow */
	expect_finding("pubkeyauthentication no\npasswordauthentication yes\n", SSHD_MAY_BLOCK,
		       "only passwords are accepted, and root has none");
	expect_finding("passwordauthentication yes\n", SSHD_EXPOSES,
		       "passwords are accepted for root, from everywhere");
	expect_nothing("usepam no\npasswordauthentication yes\n");
}

Test(service_access, minds_an_empty_password)
{
	write_below("/etc/shadow", "root::19000:0:99999:7:::\n", 0600);
	expect_finding("passwordauthentication yes\npermitemptypasswords yes\n", SSHD_EXPOSES,
		       "root's password is empty, and sshd accepts it");
}

static const struct {
	long changed, max, inactive, expires, today;
	enum sshd_expiry expiry;
} expiries[] = {
	{ 19000, 99999, -1, -1, 20000, SSHD_VALID },
	{ 19000, -1, -1, -1, 20000, SSHD_VALID },
	{ -1, 10, -1, -1, 20000, SSHD_VALID },
	{ 19000, 30, -1, -1, 19030, SSHD_VALID },
	{ 19000, 30, -1, -1, 19031, SSHD_PASSWORD_EXPIRED },
	{ 0, 99999, -1, -1, 20000, SSHD_PASSWORD_EXPIRED },
	{ 19000, 30, 7, -1, 19037, SSHD_PASSWORD_EXPIRED },
	{ 19000, 30, 7, -1, 19038, SSHD_ACCOUNT_EXPIRED },
	{ 19000, 99999, -1, 19500, 19499, SSHD_VALID },
	{ 19000, 99999, -1, 19500, 19500, SSHD_ACCOUNT_EXPIRED },
};

Test(service_account, reckons_with_days_as_pam_does)
{
	for (size_t i = 0; i < ARRAY_SIZE(expiries); i++) {
		struct sshd_account a = { .changed_day = expiries[i].changed,
					  .max_days = expiries[i].max,
					  .inactive_days = expiries[i].inactive,
					  .expires_day = expiries[i].expires };

		cr_expect(eq(int, sshd_account_expiry(&a, expiries[i].today), expiries[i].expiry),
			  "row %zu", i);
	}
}

Test(service_access, minds_what_has_expired)
{
	write_below("/etc/shadow", "root:$y$x:19000:0:30:7:::\n", 0600);
	expect_finding("", SSHD_MAY_BLOCK, "root's password has expired");
	write_below("/etc/shadow", "root:$y$x:19000:0:99999:7::19001:\n", 0600);
	expect_finding("", SSHD_BLOCKS, "root's account has expired");
}

Test(service_access, minds_keys_and_their_modes)
{
	char full[128];

	(void)snprintf(full, sizeof(full), "%s/root/.ssh", root_dir);
	cr_assert(eq(int, chmod(full, 0775), 0));
	expect_finding("", SSHD_BLOCKS,
		       "sshd ignores root's keys: /root/.ssh (mode 0775)");
	expect_nothing("strictmodes no\n");
	cr_assert(eq(int, chmod(full, 0700), 0));
	write_below("/root/.ssh/authorized_keys", "ssh-ed25519 AAAA x\n", 0602);
	expect_finding("", SSHD_BLOCKS, "sshd ignores root's keys: "
					"/root/.ssh/authorized_keys (mode 0602)");
	write_below("/root/.ssh/authorized_keys", "# none\n  \n", 0600);
	expect_finding("", SSHD_BLOCKS, "root has no key in "
					".ssh/authorized_keys .ssh/authorized_keys2");
	write_below("/root/.ssh/authorized_keys2", "ssh-ed25519 AAAA x", 0600);
	expect_nothing("");
}

Test(service_access, minds_hosts_deny)
{
	write_below("/etc/hosts.deny", "# ALL: ALL\nin.ftpd: ALL\n", 0644);
	expect_nothing("");
	write_below("/etc/hosts.deny", "sshd: ALL EXCEPT 10.0.0.1\n", 0644);
	expect_finding("", SSHD_MAY_BLOCK, "/etc/hosts.deny says \"sshd: ALL EXCEPT 10.0.0.1\"");
}

Test(service_access, passes_over_an_account_that_is_not_there)
{
	write_below("/etc/passwd", "", 0644);
	expect_nothing("");
}

static const struct {
	const char *pattern, *path;
} tokens[] = {
	{ ".ssh/authorized_keys", "/root/.ssh/authorized_keys" },
	{ "%h/.ssh/%u", "/root/.ssh/root" },
	{ "/etc/keys/%U%%", "/etc/keys/0%" },
	{ "/etc//keys/./x", "/etc/keys/x" },
};

Test(service_keys, expands_tokens)
{
	struct sshd_account a = { .name = (char *)"root", .home = (char *)"/root" };

	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
		char *path = sshd_keys_expand(&a, tokens[i].pattern, strlen(tokens[i].pattern), NULL);

		expect_str(path, tokens[i].path);
		free(path);
	}
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/sshd_access_checks.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/path.h"
#include "base/text.h"
#include "host/clock.h"
#include "host/file.h"
#include "service/sshd_pattern.h"

static int _printf_(5, 6) find(struct sshd_access *a, enum sshd_finding_kind kind, const char *hint,
			       struct error *err, const char *fmt, ...)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;
	char plain[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(plain, sizeof(plain), fmt, args);
	va_end(args);
	if (text_escape(slice_of(plain, strlen(plain)), false, &text, err) < 0)
		return -1;
	return sshd_findings_add(a->found, kind, &text, hint, err);
}

/* The value of a keyword that is set to something, or NULL. */
static const char *set_to(const struct sshd_access *a, const char *keyword)
{
	const char *value = sshd_answers_get(a->answers, keyword);

	return value == NULL || value[0] == '\0' || strcmp(value, "none") == 0 ? NULL : value;
}

/* ---- who */

static enum sshd_match match_users(const struct sshd_access *a, const char *keyword,
				   const char **ret_pattern)
{
	enum sshd_match best = SSHD_MATCH_NO;

	for (size_t i = 0; i < a->answers->len; i++) {
		const struct sshd_answer *answer = &a->answers->items[i];
		enum sshd_match m;

		if (strcmp(answer->keyword, keyword) != 0)
			continue;
		m = sshd_pattern_user("root", answer->value);
		if (m > best) {
			best = m;
			*ret_pattern = answer->value;
		}
	}
	return best;
}

static int check_deny_users(struct sshd_access *a, struct error *err)
{
	static const char hint[] = "DenyUsers beats AllowUsers and PermitRootLogin.";
	const char *pattern = NULL;

	switch (match_users(a, "denyusers", &pattern)) {
	case SSHD_MATCH_YES:
		return find(a, SSHD_BLOCKS, hint, err, "DenyUsers %s keeps root out", pattern);
	case SSHD_MATCH_SOURCE:
		return find(a, SSHD_MAY_BLOCK, hint, err, "DenyUsers %s keeps root out from there",
			    pattern);
	case SSHD_MATCH_NO:
		break;
	}
	return 0;
}

static int check_allow_users(struct sshd_access *a, struct error *err)
{
	const char *pattern = NULL;

	if (sshd_answers_get(a->answers, "allowusers") == NULL)
		return 0;
	switch (match_users(a, "allowusers", &pattern)) {
	case SSHD_MATCH_NO:
		return find(a, SSHD_BLOCKS, "Only those that AllowUsers names may log in: add root.",
			    err, "AllowUsers does not name root");
	case SSHD_MATCH_SOURCE:
		return find(a, SSHD_MAY_BLOCK, "From elsewhere root stays out.", err,
			    "AllowUsers admits root only as %s", pattern);
	case SSHD_MATCH_YES:
		break;
	}
	return 0;
}

/* The pattern of a list of groups that one of root's groups matches. */
static const char *match_groups(const struct sshd_access *a, const char *keyword)
{
	const char *pattern;

	for (size_t i = 0; (pattern = sshd_answers_nth(a->answers, keyword, i)) != NULL; i++)
		for (size_t g = 0; g < a->account.groups.len; g++)
			if (sshd_pattern_match(a->account.groups.items[g], pattern))
				return pattern;
	return NULL;
}

static int check_deny_groups(struct sshd_access *a, struct error *err)
{
	const char *pattern = match_groups(a, "denygroups");

	return pattern == NULL ? 0 :
	       find(a, SSHD_BLOCKS, "DenyGroups beats AllowGroups and PermitRootLogin.", err,
		    "DenyGroups %s keeps root out", pattern);
}

static int check_allow_groups(struct sshd_access *a, struct error *err)
{
	if (sshd_answers_get(a->answers, "allowgroups") == NULL || a->account.groups.len == 0 ||
	    match_groups(a, "allowgroups") != NULL)
		return 0;
	return find(a, SSHD_BLOCKS, "Only members of those groups may log in.", err,
		    "AllowGroups names none of root's groups");
}

/* ---- by what */

static int check_methods(struct sshd_access *a, struct error *err)
{
	const char *methods = set_to(a, "authenticationmethods");

	if (methods == NULL || strcmp(methods, "any") == 0)
		return 0;
	return find(a, SSHD_MAY_BLOCK, "A comma joins what is asked for together, a blank what is "
		    "offered instead.", err, "AuthenticationMethods asks for %s", methods);
}

static int check_any_way_in(struct sshd_access *a, struct error *err)
{
	const char *methods = set_to(a, "authenticationmethods");

	if (a->by_key || a->by_password || (methods != NULL && strcmp(methods, "any") != 0))
		return 0;
	return find(a, a->by_other ? SSHD_MAY_BLOCK : SSHD_BLOCKS,
		    "PubkeyAuthentication, PasswordAuthentication, KbdInteractiveAuthentication",
		    err, "neither keys nor passwords are accepted for root");
}

static bool has_certificates(const struct sshd_access *a)
{
	return set_to(a, "trustedusercakeys") != NULL || set_to(a, "authorizedkeyscommand") != NULL;
}

static int check_has_key(struct sshd_access *a, struct error *err)
{
	const char *files = sshd_answers_get(a->answers, "authorizedkeysfile");

	if (!a->by_key || a->by_password || a->account.name == NULL || a->key_files.files.len > 0)
		return 0;
	return find(a, has_certificates(a) || a->by_other ? SSHD_MAY_BLOCK : SSHD_BLOCKS,
		    "Only keys are accepted: put one there, or let passwords in meanwhile.", err,
		    strcmp(files != NULL ? files : "none", "none") == 0 ?
			    "no keys are read (AuthorizedKeysFile %s)" : "root has no key in %s",
		    files != NULL ? files : "none");
}

static int check_modes(struct sshd_access *a, struct error *err)
{
	if (!a->by_key || a->key_files.unsafe.len == 0)
		return 0;
	return find(a, a->by_password ? SSHD_MAY_BLOCK : SSHD_BLOCKS,
		    "StrictModes: root must own it, and nobody else may write to it.", err,
		    "sshd ignores root's keys: %s", a->key_files.unsafe.items[0]);
}

static int check_revoked(struct sshd_access *a, struct error *err)
{
	const char *path = set_to(a, "revokedkeys");

	if (!a->by_key || path == NULL || path[0] != '/' || host_file_exists(a->h, path))
		return 0;
	return find(a, a->by_password ? SSHD_MAY_BLOCK : SSHD_BLOCKS,
		    "A RevokedKeys that can't be read revokes every key.", err,
		    "RevokedKeys %s is missing, so no key is accepted", path);
}

/* No password gives such a hash: nobody can log in by one. */
static bool is_locked(const struct sshd_access *a)
{
	return a->account.hash != NULL &&
	       (a->account.hash[0] == '!' || a->account.hash[0] == '*');
}

static int check_locked(struct sshd_access *a, struct error *err)
{
	if (!is_locked(a))
		return 0;
	if (!a->pam && a->account.hash[0] == '!')
		return find(a, SSHD_BLOCKS, "passwd -u root, or UsePAM yes", err,
			    "root's account is locked, and UsePAM is no");
	if (a->by_password && !a->by_key)
		return find(a, a->pam ? SSHD_MAY_BLOCK : SSHD_BLOCKS,
			    "passwd sets one; or put a key into authorized_keys and accept keys.",
			    err, "only passwords are accepted, and root has none");
	return 0;
}

static int check_expired(struct sshd_access *a, struct error *err)
{
	long today = (long)(clock_realtime_ns() / NSEC_PER_SEC / 86400);

	if (a->account.hash == NULL)
		return 0;
	switch (sshd_account_expiry(&a->account, today)) {
	case SSHD_ACCOUNT_EXPIRED:
		return find(a, SSHD_BLOCKS, "chage -l root shows it, chage -E -1 root mends it.", err,
			    "root's account has expired");
	case SSHD_PASSWORD_EXPIRED:
		return find(a, SSHD_MAY_BLOCK, "Commands fail until it is changed at a login; chage "
			    "-l root shows it.", err, "root's password has expired");
	case SSHD_VALID:
		break;
	}
	return 0;
}

/* ---- to what */

static int check_shell(struct sshd_access *a, struct error *err)
{
	const char *shell = a->account.shell;
	const char *name;
	struct stat st;

	if (shell == NULL || set_to(a, "chrootdirectory") != NULL)
		return 0;
	name = path_basename(shell);
	if (strcmp(name, "nologin") == 0 || strcmp(name, "false") == 0 ||
	    strcmp(name, "true") == 0)
		return find(a, SSHD_BLOCKS, "chsh -s /bin/bash root", err,
			    "root's shell is %s, which ends at once", shell);
	if (host_lstat(a->h, shell, &st) < 0)
		return find(a, SSHD_BLOCKS, "sshd refuses an account without its shell.", err,
			    "root's shell %s is missing", shell);
	if (S_ISREG(st.st_mode) && (st.st_mode & 0111) == 0)
		return find(a, SSHD_BLOCKS, "sshd refuses an account without its shell.", err,
			    "root's shell %s is not executable", shell);
	return 0;
}

static int check_force_command(struct sshd_access *a, struct error *err)
{
	const char *command = set_to(a, "forcecommand");

	return command == NULL ? 0 :
	       find(a, SSHD_MAY_BLOCK, "Every login of root's runs that, and nothing else.", err,
		    "ForceCommand %s runs in place of a shell", command);
}

static int check_chroot(struct sshd_access *a, struct error *err)
{
	const char *dir = set_to(a, "chrootdirectory");

	return dir == NULL ? 0 :
	       find(a, SSHD_MAY_BLOCK, "Root sees nothing outside of it.", err,
		    "ChrootDirectory %s locks root in", dir);
}

static int check_max_sessions(struct sshd_access *a, struct error *err)
{
	return !sshd_access_is(a, "maxsessions", "0") ? 0 :
	       find(a, SSHD_BLOCKS, "Logins succeed, but get no shell and run no command.", err,
		    "MaxSessions is 0");
}

static bool line_names_sshd(const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);

	if (line[0] == '#' || colon == NULL)
		return false;
	len = (size_t)(colon - line);
	return memmem(line, len, "sshd", 4) != NULL || memmem(line, len, "ALL", 3) != NULL;
}

/* Debian's sshd is linked with libwrap: hosts_access(5). */
static int check_hosts_deny(struct sshd_access *a, struct error *err)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;

	if (host_file_read(a->h, "/etc/hosts.deny", HOST_READ_ANY | HOST_READ_NO_DIGEST, &f,
			   NULL) < 0)
		return 0;
	for (const char *line = f.bytes.data; *line != '\0';) {
		size_t len = strcspn(line, "\n");

		if (line_names_sshd(line, len))
			return find(a, SSHD_MAY_BLOCK, "What /etc/hosts.allow names is let in all "
				    "the same.", err, "/etc/hosts.deny says \"%.*s\"",
				    len < 48 ? (int)len : 48, line);
		line += len + (line[len] == '\n');
	}
	return 0;
}

/* ---- more than was meant */

static int check_empty_password(struct sshd_access *a, struct error *err)
{
	if (!a->by_password || !sshd_access_is(a, "permitemptypasswords", "yes") ||
	    a->account.hash == NULL || a->account.hash[0] != '\0')
		return 0;
	return find(a, SSHD_EXPOSES, "PermitEmptyPasswords no, or passwd root", err,
		    "root's password is empty, and sshd accepts it");
}

static int check_passwords(struct sshd_access *a, struct error *err)
{
	if (!a->by_password || !a->everywhere || (is_locked(a) && !a->pam))
		return 0;
	return find(a, SSHD_EXPOSES, "--from ADDR admits one source; --allow prohibit-password "
		    "admits keys only", err, "passwords are accepted for root, from everywhere");
}

int (*const sshd_access_checks[])(struct sshd_access *a, struct error *err) = {
	check_deny_users,
	check_allow_users,
	check_deny_groups,
	check_allow_groups,
	check_shell,
	check_locked,
	check_expired,
	check_methods,
	check_any_way_in,
	check_has_key,
	check_modes,
	check_revoked,
	check_force_command,
	check_chroot,
	check_max_sessions,
	check_hosts_deny,
	check_empty_password,
	check_passwords,
	NULL,
};

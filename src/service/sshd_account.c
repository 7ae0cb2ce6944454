/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/sshd_account.h"

#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>

#include "host/file.h"

void sshd_account_release(struct sshd_account *a)
{
	free(a->name);
	free(a->home);
	free(a->shell);
	free(a->hash);
	strings_release(&a->groups);
	*a = (struct sshd_account)SSHD_ACCOUNT_INIT;
}

/* A database of /etc as a stream; NULL when there is none. The stream reads from `keep`. */
static FILE *open_database(const struct host *h, const char *path, struct host_file *keep)
{
	if (host_file_read(h, path, HOST_READ_ANY | HOST_READ_NO_DIGEST, keep, NULL) < 0 ||
	    keep->bytes.len == 0)
		return NULL;
	return fmemopen(keep->bytes.data, keep->bytes.len, "r");
}

static int read_passwd(const struct host *h, const char *name, struct sshd_account *a,
		       gid_t *ret_gid, struct error *err)
{
	_cleanup_host_file_ struct host_file keep = HOST_FILE_INIT;
	FILE *f = open_database(h, "/etc/passwd", &keep);
	struct passwd pw, *found = NULL;
	char text[4096];

	while (f != NULL && fgetpwent_r(f, &pw, text, sizeof(text), &found) == 0)
		if (strcmp(pw.pw_name, name) == 0)
			break;
	if (f != NULL)
		(void)fclose(f);
	if (found == NULL)
		return 0;
	a->name = str_dup(pw.pw_name, err);
	a->home = str_dup(pw.pw_dir, err);
	a->shell = str_dup(pw.pw_shell[0] != '\0' ? pw.pw_shell : "/bin/sh", err);
	*ret_gid = pw.pw_gid;
	return a->name != NULL && a->home != NULL && a->shell != NULL ? 0 : -1;
}

static int read_shadow(const struct host *h, struct sshd_account *a, struct error *err)
{
	_cleanup_host_file_ struct host_file keep = HOST_FILE_INIT;
	FILE *f = open_database(h, "/etc/shadow", &keep);
	struct spwd sp, *found = NULL;
	char text[4096];

	while (f != NULL && fgetspent_r(f, &sp, text, sizeof(text), &found) == 0)
		if (strcmp(sp.sp_namp, a->name) == 0)
			break;
	if (f != NULL)
		(void)fclose(f);
	if (found == NULL)
		return 0;
	a->hash = str_dup(sp.sp_pwdp, err);
	a->changed_day = sp.sp_lstchg;
	a->max_days = sp.sp_max;
	a->inactive_days = sp.sp_inact;
	a->expires_day = sp.sp_expire;
	return a->hash != NULL ? 0 : -1;
}

static bool has_member(const struct group *g, const char *name)
{
	for (char *const *m = g->gr_mem; *m != NULL; m++)
		if (strcmp(*m, name) == 0)
			return true;
	return false;
}

static int read_groups(const struct host *h, gid_t gid, struct sshd_account *a, struct error *err)
{
	_cleanup_host_file_ struct host_file keep = HOST_FILE_INIT;
	FILE *f = open_database(h, "/etc/group", &keep);
	struct group g, *found = NULL;
	_cleanup_free_ char *text = malloc(65536);
	int failed = text == NULL ? error_oom(err) : 0;

	while (failed == 0 && f != NULL && fgetgrent_r(f, &g, text, 65536, &found) == 0)
		if (g.gr_gid == gid || has_member(&g, a->name))
			failed = strings_add(&a->groups, g.gr_name, err);
	if (f != NULL)
		(void)fclose(f);
	return failed;
}

int sshd_account_read(const struct host *h, const char *name, struct sshd_account *ret,
		      struct error *err)
{
	_cleanup_sshd_account_ struct sshd_account a = SSHD_ACCOUNT_INIT;
	gid_t gid = 0;

	a.changed_day = a.max_days = a.inactive_days = a.expires_day = -1;
	if (read_passwd(h, name, &a, &gid, err) < 0)
		return -1;
	if (a.name != NULL && (read_shadow(h, &a, err) < 0 || read_groups(h, gid, &a, err) < 0))
		return -1;
	*ret = a;
	a = (struct sshd_account)SSHD_ACCOUNT_INIT;
	return 0;
}

/* As pam_unix(8) reckons: an account expires by itself, or when a password has been overdue for
 * the days of inactivity. */
enum sshd_expiry sshd_account_expiry(const struct sshd_account *a, long today)
{
	long due;

	if (a->expires_day > 0 && today >= a->expires_day)
		return SSHD_ACCOUNT_EXPIRED;
	if (a->changed_day == 0)
		return SSHD_PASSWORD_EXPIRED;
	if (a->changed_day < 0 || a->max_days < 0 || today < a->changed_day)
		return SSHD_VALID;
	due = a->changed_day + a->max_days;
	if (today <= due)
		return SSHD_VALID;
	return a->inactive_days >= 0 && today > due + a->inactive_days ? SSHD_ACCOUNT_EXPIRED :
									 SSHD_PASSWORD_EXPIRED;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is known of sshd's answers and of root's account is gathered once; then each check of the
 * table has its say.
 */
#include "service/sshd_access.h"

#include "service/sshd_access_checks.h"

static const char *const kind_names[] = {
	[SSHD_BLOCKS] = "blocks",
	[SSHD_MAY_BLOCK] = "may-block",
	[SSHD_EXPOSES] = "exposes",
};

const char *sshd_finding_kind_name(enum sshd_finding_kind kind)
{
	return kind_names[kind];
}

void sshd_findings_release(struct sshd_findings *f)
{
	for (size_t i = 0; i < f->len; i++) {
		free(f->items[i].text);
		free(f->items[i].hint);
	}
	free(f->items);
	*f = (struct sshd_findings)SSHD_FINDINGS_INIT;
}

int sshd_findings_add(struct sshd_findings *f, enum sshd_finding_kind kind, struct buffer *text,
		      const char *hint, struct error *err)
{
	_cleanup_free_ char *hint_copy = str_dup(hint, err);

	if (hint_copy == NULL)
		return -1;
	if (f->len == f->cap) {
		size_t cap = f->cap != 0 ? 2 * f->cap : 8;
		struct sshd_finding *items = reallocarray(f->items, cap, sizeof(*items));

		if (items == NULL)
			return error_oom(err);
		f->items = items;
		f->cap = cap;
	}
	f->items[f->len++] = (struct sshd_finding){ .kind = kind, .text = TAKE_PTR(text->data),
						    .hint = TAKE_PTR(hint_copy) };
	*text = (struct buffer)BUFFER_INIT;
	return 0;
}

/* True when this method alone is enough: "any", or a list by itself ("publickey password,x"). */
static bool enough_alone(const struct sshd_answers *answers, const char *method)
{
	const char *lists = sshd_answers_get(answers, "authenticationmethods");
	size_t method_len = strlen(method);

	if (lists == NULL || strcmp(lists, "any") == 0)
		return true;
	while (*(lists += strspn(lists, " ")) != '\0') {
		size_t len = strcspn(lists, " ");

		if (len >= method_len && strncmp(lists, method, method_len) == 0 &&
		    memchr(lists, ',', len) == NULL &&
		    (len == method_len || lists[method_len] == ':'))
			return true;
		lists += len;
	}
	return false;
}

static void find_ways_in(struct sshd_access *a)
{
	/* kbdinteractive has nobody to ask but PAM */
	bool kbd = sshd_access_is(a, "kbdinteractiveauthentication", "yes") ||
		   sshd_access_is(a, "challengeresponseauthentication", "yes");

	a->pam = sshd_access_is(a, "usepam", "yes");
	a->by_key = sshd_access_is(a, "pubkeyauthentication", "yes") &&
		    enough_alone(a->answers, "publickey");
	a->by_password = sshd_access_is(a, "permitrootlogin", "yes") &&
			 ((sshd_access_is(a, "passwordauthentication", "yes") &&
			   enough_alone(a->answers, "password")) ||
			  (kbd && a->pam && enough_alone(a->answers, "keyboard-interactive")));
	a->by_other = sshd_access_is(a, "gssapiauthentication", "yes") ||
		      sshd_access_is(a, "hostbasedauthentication", "yes");
}

static int look_around(struct sshd_access *a, struct error *err)
{
	const char *files = sshd_answers_get(a->answers, "authorizedkeysfile");

	find_ways_in(a);
	if (sshd_account_read(a->h, "root", &a->account, err) < 0)
		return -1;
	if (a->account.name == NULL || files == NULL)
		return 0;
	return sshd_keys_look(a->h, &a->account, files, sshd_access_is(a, "strictmodes", "yes"),
			      &a->key_files, err);
}

int sshd_access_check(const struct host *h, const struct sshd_answers *answers, bool everywhere,
		      struct sshd_findings *ret, struct error *err)
{
	_cleanup_sshd_findings_ struct sshd_findings found = SSHD_FINDINGS_INIT;
	struct sshd_access a = { .h = h, .answers = answers, .everywhere = everywhere,
				 .found = &found };
	int failed = look_around(&a, err);

	for (size_t i = 0; failed == 0 && sshd_access_checks[i] != NULL; i++)
		failed = sshd_access_checks[i](&a, err);
	sshd_account_release(&a.account);
	sshd_keys_release(&a.key_files);
	if (failed < 0)
		return -1;
	*ret = found;
	found = (struct sshd_findings)SSHD_FINDINGS_INIT;
	return 0;
}

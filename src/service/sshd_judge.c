/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 *     start -> sshd -T in a mount namespace -> finish -> answers
 *                        \-> no namespaces here -> staged copies -> sshd -T -> answers
 */
#include "service/sshd_judge.h"

#include <stdio.h>

#include "config/ascii.h"
#include "host/file.h"
#include "service/sshd_staging.h"

#define JUDGE_TIMEOUT_MS 30000

struct sshd_judge {
	const struct host *h;
	const struct sshd_daemon *daemon;
	const char *config;
	const struct host_view *views;
	size_t n_views;
	char *spec; /* of -C */
	struct host_child *child;
};

static bool is_wildcard(const char *address)
{
	return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

/* The first socket of a family (AF_UNSPEC: of any). */
static const struct host_socket *first_socket(const struct sshd_daemon *daemon, int family)
{
	for (size_t i = 0; daemon != NULL && i < daemon->sockets.len; i++)
		if (family == AF_UNSPEC || daemon->sockets.items[i].family == family)
			return &daemon->sockets.items[i];
	return NULL;
}

static void connect_to(const struct host_socket *to, struct sshd_connection *ret)
{
	ret->lport = to->port;
	if (!is_wildcard(to->address)) {
		(void)snprintf(ret->laddr_room, sizeof(ret->laddr_room), "%s", to->address);
		ret->laddr = ret->laddr_room;
	}
}

void sshd_connection_default(const struct sshd_daemon *daemon, uint16_t port,
			     struct sshd_connection *ret)
{
	const struct host_socket *to = first_socket(daemon, AF_UNSPEC);

	*ret = (struct sshd_connection){ .user = "root", .host = SSHD_ADDR_ELSEWHERE,
					 .addr = SSHD_ADDR_ELSEWHERE,
					 .laddr = SSHD_LADDR_ELSEWHERE,
					 .lport = port != 0 ? port : 22 };
	if (to != NULL)
		connect_to(to, ret);
}

void sshd_connection_from(const struct sshd_daemon *daemon, const char *addr,
			  struct sshd_connection *ret)
{
	int family = strchr(addr, ':') != NULL ? AF_INET6 : AF_INET;
	const struct host_socket *to = first_socket(daemon, family);

	sshd_connection_default(daemon, 0, ret);
	ret->host = addr;
	ret->addr = addr;
	if (to == NULL)
		return;
	ret->laddr = family == AF_INET6 ? SSHD_LADDR_ELSEWHERE_6 : SSHD_LADDR_ELSEWHERE;
	connect_to(to, ret);
}

static int make_argv(const struct sshd_judge *j, const char *config, struct strings *ret,
		     struct error *err)
{
	const struct sshd_daemon *d = j->daemon;

	if (strings_add(ret, d != NULL ? d->binary : SSHD_BINARY_DEFAULT, err) < 0 ||
	    strings_add(ret, "-T", err) < 0)
		return -1;
	for (size_t i = 0; d != NULL && i < d->options.len; i++)
		if (strings_add(ret, d->options.items[i], err) < 0)
			return -1;
	if (strings_add(ret, "-f", err) < 0 || strings_add(ret, config, err) < 0 ||
	    strings_add(ret, "-C", err) < 0)
		return -1;
	return strings_add(ret, j->spec, err);
}

/* A daemon that is reloaded without its /run/sshd ends, so then sshd shall say so. What starts one
 * makes that folder first: systemd, which took the old one's away when that ended, the init script,
 * the boot of an image. Nobody does for one that was started by hand. */
static bool needs_its_folder(const struct sshd_daemon *d)
{
	if (d == NULL || d->manager == SSHD_SOCKET)
		return false;
	return d->manager == SSHD_BARE || host_process_alive(&d->process);
}

static const char *folder_to_provide(const struct sshd_judge *j)
{
	return needs_its_folder(j->daemon) || host_file_exists(j->h, SSHD_PRIVSEP_DIR) ?
		       NULL : SSHD_PRIVSEP_DIR;
}

static int start_child(struct sshd_judge *j, struct error *err)
{
	_cleanup_strings_ struct strings argv = STRINGS_INIT;
	const char *missing_dir = folder_to_provide(j);
	struct host_command cmd = { .views = j->views, .n_views = j->n_views,
				    .missing_dir = missing_dir,
				    .in_root = !host_is_live(j->h),
				    .timeout_ms = JUDGE_TIMEOUT_MS };

	if (make_argv(j, j->config, &argv, err) < 0)
		return -1;
	cmd.argv = argv.items;
	/* without anything to show it needs no namespace; an image has no /dev of its own */
	cmd.private_mounts = j->n_views > 0 || missing_dir != NULL || cmd.in_root;
	return host_child_start(j->h, &cmd, &j->child, err);
}

static char *make_spec(const struct sshd_connection *c, struct error *err)
{
	const char *const parts[] = { c->user, c->host, c->addr, c->laddr };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i][0] == '\0' || strpbrk(parts[i], ", \t\n") != NULL) {
			(void)error_set(err, ERROR_USAGE, "sshd can't be asked about \"%.64s\"",
					parts[i]);
			return NULL;
		}
	return str_format(err, "user=%s,host=%s,addr=%s,laddr=%s,lport=%u", c->user, c->host,
			  c->addr, c->laddr, (unsigned)c->lport);
}

int sshd_judge_start(const struct host *h, const struct sshd_daemon *daemon, const char *config,
		     const struct host_view *views, size_t n_views,
		     const struct sshd_connection *connection, struct sshd_judge **ret,
		     struct error *err)
{
	_cleanup_sshd_judge_ struct sshd_judge *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return error_oom(err);
	*j = (struct sshd_judge){ .h = h, .daemon = daemon, .config = config, .views = views,
				  .n_views = n_views };
	j->spec = make_spec(connection, err);
	if (j->spec == NULL || start_child(j, err) < 0)
		return -1;
	*ret = TAKE_PTR(j);
	return 0;
}

void sshd_judge_stop(struct sshd_judge **judge)
{
	struct sshd_judge *j = *judge;

	if (j == NULL)
		return;
	host_child_stop(&j->child);
	free(j->spec);
	free(j);
	*judge = NULL;
}

/* The same question about copies. Nothing provides a missing folder there. */
static int run_staged(struct sshd_judge *j, struct sshd_staging *s, struct host_outcome *ret,
		      struct error *err)
{
	_cleanup_strings_ struct strings argv = STRINGS_INIT;
	_cleanup_buffer_ struct buffer said = BUFFER_INIT;
	struct host_command cmd = { .in_root = !host_is_live(j->h),
				    .timeout_ms = JUDGE_TIMEOUT_MS };

	if (make_argv(j, s->copies.items[0], &argv, err) < 0)
		return -1;
	cmd.argv = argv.items;
	if (host_run(j->h, &cmd, ret, err) < 0 ||
	    sshd_staging_translate(s, slice_of(ret->err.data, ret->err.len), &said, err) < 0)
		return -1;
	buffer_release(&ret->err);
	ret->err = said;
	said = (struct buffer)BUFFER_INIT;
	return 0;
}

static int judge_copies(struct sshd_judge *j, struct host_outcome *ret, struct error *err)
{
	struct sshd_staging s = SSHD_STAGING_INIT;
	int failed;

	if (sshd_staging_make(j->h, j->config, j->views, j->n_views, &s, err) < 0)
		return -1;
	failed = run_staged(j, &s, ret, err);
	sshd_staging_remove(j->h, &s);
	return failed;
}

static int take_outcome(struct sshd_judge *j, struct host_outcome *outcome,
			struct sshd_answers *ret, struct error *err)
{
	if (host_child_finish(&j->child, outcome, err) < 0)
		return -1;
	if (outcome->no_namespaces) {
		host_outcome_release(outcome);
		*outcome = (struct host_outcome)HOST_OUTCOME_INIT;
		if (judge_copies(j, outcome, err) < 0)
			return -1;
	}
	if (outcome->timed_out)
		return error_set(err, ERROR_FAILED, "sshd -T did not answer within %d s",
				 JUDGE_TIMEOUT_MS / 1000);
	if (outcome->killed)
		return error_set(err, ERROR_FAILED, "sshd -T was killed (status %d): that is no "
				 "verdict", outcome->status);
	return sshd_answers_parse(slice_of(outcome->out.data, outcome->out.len),
				  slice_of(outcome->err.data, outcome->err.len), outcome->status,
				  ret, err);
}

int sshd_judge_finish(struct sshd_judge **judge, struct sshd_answers *ret, struct error *err)
{
	_cleanup_host_outcome_ struct host_outcome outcome = HOST_OUTCOME_INIT;
	int failed = take_outcome(*judge, &outcome, ret, err);

	sshd_judge_stop(judge);
	return failed < 0 ? error_prefix(err, "asking sshd") : 0;
}

int sshd_judge(const struct host *h, const struct sshd_daemon *daemon, const char *config,
	       const struct host_view *views, size_t n_views,
	       const struct sshd_connection *connection, struct sshd_answers *ret,
	       struct error *err)
{
	struct sshd_judge *j;

	if (sshd_judge_start(h, daemon, config, views, n_views, connection, &j, err) < 0)
		return -1;
	return sshd_judge_finish(&j, ret, err);
}

static bool says_no_include(const struct sshd_answers *a)
{
	static const char words[] = "bad configuration option: include";

	for (size_t i = 0; i < a->complaints.len; i++) {
		const char *said = a->complaints.items[i];

		for (; *said != '\0'; said++)
			if (ascii_equal(said, words))
				return true;
	}
	return false;
}

int sshd_judge_knows_include(const struct host *h, const struct sshd_daemon *daemon,
			     const char *config, bool *ret_knows, struct error *err)
{
	static const char only_include[] = "Include " SSHD_STAGING_PARENT "/none\n";
	const struct host_view view = { .path = config, .bytes = { .data = only_include,
							.len = sizeof(only_include) - 1 } };
	_cleanup_sshd_answers_ struct sshd_answers answers = SSHD_ANSWERS_INIT;
	struct sshd_connection c;

	sshd_connection_default(daemon, 0, &c);
	if (sshd_judge(h, daemon, config, &view, 1, &c, &answers, err) < 0)
		return -1;
	*ret_knows = answers.valid || !says_no_include(&answers);
	return 0;
}

int sshd_judge_require_valid(const struct sshd_answers *a, const char *what, struct error *err)
{
	_cleanup_buffer_ struct buffer said = BUFFER_INIT;

	if (a->valid)
		return 0;
	if (sshd_answers_complaint_text(a, &said, err) < 0)
		return -1;
	(void)error_set(err, ERROR_REFUSED, "%s", what);
	return error_hint(err, "%s\nA reload would have stopped sshd. Mend the line, `sshd -t` "
			  "shows the rest.", said.data);
}

int sshd_judge_sweep(const struct host *h, struct error *err)
{
	return sshd_staging_sweep(h, err);
}

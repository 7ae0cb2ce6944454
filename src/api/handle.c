/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <unistd.h>

#include "api/api.h"
#include "base/path.h"
#include "base/text.h"

_Static_assert(ROOTLATCH_MESSAGE_MAX == ERROR_MESSAGE_MAX, "messages fit");
_Static_assert(ROOTLATCH_HINT_MAX == ERROR_HINT_MAX, "hints fit");

const char *rootlatch_version(void)
{
	return ROOTLATCH_VERSION;
}

int api_error(struct rootlatch_error *out, const struct error *err)
{
	if (out == NULL)
		return -1;
	out->code = (int)err->code;
	out->sys_errno = err->sys_errno;
	memcpy(out->message, err->message, sizeof(out->message));
	memcpy(out->hint, err->hint, sizeof(out->hint));
	return -1;
}

int rootlatch_process_harden(struct rootlatch_error *err)
{
	struct error why = ERROR_INIT;

	return host_process_harden(&why) < 0 ? api_error(err, &why) : 0;
}

static char *clean_path(const char *given, const char *otherwise, struct error *err)
{
	char cwd[4096];
	char *path;

	if (given == NULL)
		return str_dup(otherwise, err);
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		(void)strcpy(cwd, "/");
	path = path_clean(cwd, given, err);
	if (path != NULL && (!path_is_clean(path) || !text_is_plain(path))) {
		(void)error_set(err, ERROR_USAGE, "a path with control characters, not UTF-8, or too "
				"long");
		free(path);
		return NULL;
	}
	return path;
}

/* One file has one name, and the default one keeps its own, whatever links lead to it. */
static char *canonical_config(const struct rootlatch *r, const char *given, struct error *err)
{
	_cleanup_free_ char *path = clean_path(given, SSHD_CONFIG_DEFAULT, err);
	_cleanup_free_ char *standard = host_canonical(&r->host, SSHD_CONFIG_DEFAULT, err);
	_cleanup_free_ char *canonical = NULL;

	if (path == NULL || standard == NULL)
		return NULL;
	canonical = host_canonical(&r->host, path, err);
	if (canonical != NULL && strcmp(canonical, standard) == 0)
		return str_dup(SSHD_CONFIG_DEFAULT, err);
	return TAKE_PTR(canonical);
}

static int fill(struct rootlatch *r, const struct rootlatch_options *o, struct error *err)
{
	_cleanup_free_ char *root = clean_path(o->root, "/", err);
	_cleanup_free_ char *state_dir = clean_path(o->state_dir, STORE_DIR_DEFAULT, err);

	if (root == NULL || state_dir == NULL || host_init(&r->host, root, NULL, NULL, err) < 0 ||
	    store_init(&r->store, &r->host, state_dir, err) < 0 || store_check(&r->store, err) < 0)
		return -1;
	r->config = canonical_config(r, o->sshd_config, err);
	if (r->config == NULL)
		return -1;
	r->root_login = toggle_name("root-login", r->config, err);
	if (r->root_login == NULL)
		return -1;
	if (o->lens_dir != NULL && (r->lens_dir = clean_path(o->lens_dir, NULL, err)) == NULL)
		return -1;
	r->wait_seconds = o->wait_seconds;
	r->offline = o->offline;
	r->yes = o->yes;
	r->event = o->event;
	r->event_ctx = o->event_ctx;
	return 0;
}

int rootlatch_new(const struct rootlatch_options *options, struct rootlatch **ret,
		  struct rootlatch_error *out)
{
	struct error err = ERROR_INIT;
	struct rootlatch *r;

	if (geteuid() != 0) {
		(void)error_set(&err, ERROR_NOT_PERMITTED, "rootlatch must be run as root");
		(void)error_hint(&err, "Nothing was changed. sudo rootlatch ...");
		return api_error(out, &err);
	}
	r = calloc(1, sizeof(*r));
	if (r == NULL) {
		(void)error_oom(&err);
		return api_error(out, &err);
	}
	r->host = (struct host)HOST_INIT;
	r->store = (struct store)STORE_INIT;
	if (fill(r, options, &err) < 0) {
		rootlatch_free(r);
		return api_error(out, &err);
	}
	*ret = r;
	return 0;
}

void rootlatch_free(struct rootlatch *r)
{
	if (r == NULL)
		return;
	store_release(&r->store);
	host_release(&r->host);
	free(r->config);
	free(r->root_login);
	free(r->lens_dir);
	free(r);
}

const char *rootlatch_root_login(const struct rootlatch *r)
{
	return r->root_login;
}

/* A tree that was moved, or was staged and not installed, finds its lenses beside itself. */
static int find_lenses(struct rootlatch *r, struct error *err)
{
	_cleanup_free_ char *dir = NULL, *beside = NULL, *clean = NULL;

	if (r->lens_dir != NULL)
		return 0;
	dir = host_program_dir(NULL);
	if (dir != NULL)
		beside = str_format(err, "%s/../share/rootlatch/lenses", dir);
	if (beside != NULL)
		clean = path_clean("/", beside, err);
	if (clean != NULL && access(clean, X_OK) == 0)
		r->lens_dir = TAKE_PTR(clean);
	else
		r->lens_dir = str_dup(ROOTLATCH_LENS_DIR, err);
	return r->lens_dir == NULL ? -1 : 0;
}

int api_context(struct rootlatch *r, const struct state *state, const char *config,
		struct toggle_context *ret, struct error *err)
{
	if (find_lenses(r, err) < 0)
		return -1;
	*ret = (struct toggle_context){
		.host = &r->host,
		.state = state,
		.store = &r->store,
		.lens_dir = r->lens_dir,
		.config = config,
	};
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where an opening is written (design decision 4), as whole texts of files:
 *
 *     runtime              one file of ours in /run, and one Include line that is read first
 *     drop-in              the same file in a folder that is included first
 *     in place             the deciding line, where it stands
 *     in place, for some   a file of ours beside the main file, included on its line 1; for a sshd
 *                          without Include a block before the first Match
 *
 * The file of ours comes last: the Include line opens nothing, so it is harmless.
 */
#include <errno.h>
#include <stdio.h>

#include "base/path.h"
#include "config/sshd_opening.h"
#include "config/sshd_site.h"
#include "toggle/root_login.h"

#define RUNTIME_FOLDER "/run/rootlatch/sshd"

struct placing {
	const struct toggle_context *c;
	const struct toggle_terms *terms;
	struct toggle_plan *p;
	const struct sshd_files *files; /* that the changes are made to */
	char *site;         /* a file that would be read before everything else; NULL: line 1 */
	const char *value;
	bool runtime;       /* the file of ours is in /run */
	bool everybody;     /* it has to beat Match blocks for everybody */
};

static void placing_release(struct placing *pl)
{
	free(pl->site);
}

/* "default", or "sshd_config_b-1a2b3c4d": one file has one name, which globs and shells take as it is. */
static char *instance_name(const char *config, struct error *err)
{
	struct digest digest = digest_of(config, strlen(config));
	char *name;

	if (strcmp(config, SSHD_CONFIG_DEFAULT) == 0)
		return str_dup("default", err);
	name = str_format(err, "%.100s-%.8s", path_basename(config), digest.hex);
	for (char *p = name; p != NULL && *p != '\0'; p++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", *p) ==
		    NULL)
			*p = '_';
	return name;
}

static char *runtime_path(const char *config, struct error *err)
{
	_cleanup_free_ char *name = instance_name(config, err);

	return name != NULL ? str_format(err, RUNTIME_FOLDER "/%s.conf", name) : NULL;
}

/* Takes the text and the edit over. */
static int add_change(struct placing *pl, const char *path, bool made, bool harmless,
		      struct buffer *text, struct edit *edit, struct error *err)
{
	struct toggle_judgement *j = pl->p->judgement;
	struct root_login_change *more = reallocarray(j->changes, j->n_changes + 1, sizeof(*more));
	char *copy = str_dup(path, err);

	if (more != NULL)
		j->changes = more;
	if (more == NULL || copy == NULL) {
		free(copy);
		return error_oom(err);
	}
	j->changes[j->n_changes++] = (struct root_login_change){
		.path = copy,
		.made = made,
		.harmless = harmless,
		.text = *text,
		.edit = *edit,
		.target = HOST_FILE_INIT,
	};
	*text = (struct buffer)BUFFER_INIT;
	*edit = (struct edit)EDIT_INIT;
	return 0;
}

static int add_own_file(struct placing *pl, const char *path, struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;
	_cleanup_edit_ struct edit edit = EDIT_INIT;
	const struct sshd_opening opening = {
		.id = pl->p->plan.id,
		.allow = pl->value,
		.from = pl->p->judgement->from.len > 0 ? &pl->p->judgement->from : NULL,
		.everybody_matched = pl->everybody,
		.runtime = pl->runtime,
	};

	if (sshd_opening_text(&opening, &text, err) < 0)
		return -1;
	memcpy(edit.id, pl->p->plan.id, sizeof(edit.id));
	return add_change(pl, path, true, false, &text, &edit, err);
}

/* The Include line of `own`, as the first of a file (empty: of one that is made). */
static int add_include(struct placing *pl, const char *path, bool made, struct slice in,
		       const char *own, struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;
	_cleanup_edit_ struct edit edit = EDIT_INIT;
	_cleanup_free_ char *line = NULL;
	struct marker_change change = { .kind = EDIT_INSERT, .line = 1 };

	if (sshd_include_text(own, &line, err) < 0)
		return -1;
	change.ours = slice_of(line, strlen(line));
	if (marker_edit_apply(in, pl->p->plan.id, &change, 1, &text, &edit, err) < 0)
		return error_prefix(err, "%s", path);
	return add_change(pl, path, made, true, &text, &edit, err);
}

static int add_include_on_line_1(struct placing *pl, const char *own, struct error *err)
{
	const struct sshd_file *main_file = &pl->files->closure.files[0];

	return add_include(pl, main_file->path, false, main_file->text, own, err);
}

static int add_edits(struct placing *pl, struct error *err)
{
	struct sshd_plan *edit = &pl->p->judgement->edit;

	for (size_t i = 0; i < edit->files_len; i++)
		if (add_change(pl, pl->files->closure.files[edit->files[i].file].path, false, false,
			       &edit->files[i].text, &edit->files[i].edit, err) < 0)
			return -1;
	return 0;
}

/* Only root writes to its folder. One that can't be looked at is no reason to write elsewhere. */
static int is_trusted(const struct placing *pl, const char *site, bool *ret, struct error *err)
{
	struct error why = ERROR_INIT;

	*ret = host_folders_require_trusted(pl->c->host, site, &why) == 0;
	if (*ret || why.code == ERROR_REFUSED || why.sys_errno == ENOENT)
		return 0;
	if (err != NULL)
		*err = why;
	return -1;
}

/* A folder that no other instance reads. */
static bool is_alone(const struct placing *pl, const char *site)
{
	_cleanup_sshd_files_ struct sshd_files standard = { 0 };
	const struct toggle_context *c = pl->c;

	if (root_login_is_shared(c, pl->p, site))
		return false;
	if (strcmp(c->config, SSHD_CONFIG_DEFAULT) == 0)
		return true;
	return sshd_files_read(c->host, SSHD_CONFIG_DEFAULT, &standard, NULL) < 0 ||
	       !sshd_closure_would_read(&standard.closure, site);
}

static int find_site(struct placing *pl, struct error *err)
{
	bool usable = false;

	if (sshd_site_find(&pl->files->closure, &pl->site, err) < 0)
		return -1;
	if (pl->site != NULL && is_trusted(pl, pl->site, &usable, err) < 0)
		return -1;
	if (pl->site != NULL && !(usable && is_alone(pl, pl->site))) {
		free(pl->site);
		pl->site = NULL;
	}
	return 0;
}

static int knows_include(const struct placing *pl, bool *ret, struct error *err)
{
	const struct sshd_daemons *daemons = &pl->p->daemons;

	*ret = pl->files->closure.has_include;
	if (*ret)
		return 0;
	return sshd_judge_knows_include(pl->c->host, daemons->len > 0 ? &daemons->items[0] : NULL,
					pl->c->config, ret, err);
}

static int refuse_both(const struct placing *pl, const struct sshd_blocks *blocks,
		       struct error *err)
{
	_cleanup_buffer_ struct buffer list = BUFFER_INIT;
	char line[512];

	for (size_t i = 0; i < blocks->len && i < 8; i++) {
		root_login_describe_block(line, sizeof(line), &pl->files->closure, &blocks->items[i]);
		if (buffer_printf(&list, err, "  %s\n", line) < 0)
			return -1;
	}
	(void)error_set(err, ERROR_REFUSED, "Match blocks for root everywhere and blocks for some "
			"connections both say otherwise: what would beat the first would beat the "
			"others too");
	return error_hint(err, "%sNothing was changed. `--from ADDR` opens for the sources that you "
			  "name, whatever\nthese blocks say; `--in-place` edits the deciding one.",
			  list.data);
}

/* How the administrator's Match blocks bear on a file that is read before them. Those with a network
 * condition which stay in force are named when sshd has judged. */
static int weigh_blocks(struct placing *pl, struct error *err)
{
	struct sshd_blocks *blocks = &pl->p->judgement->blocks;
	const struct sshd_closure *closure = &pl->files->closure;
	bool some = pl->p->judgement->from.len > 0;
	char hint[512];

	if (sshd_plan_blocks(closure, pl->value, blocks, err) < 0)
		return -1;
	if (!some && blocks->has_root && blocks->has_network)
		return refuse_both(pl, blocks, err);
	pl->everybody = !some && blocks->has_root;
	pl->p->judgement->beats_all = pl->everybody;
	for (size_t i = 0; i < blocks->len; i++) {
		if (!some && blocks->items[i].kind != SSHD_NOTE_OVERRIDDEN)
			continue;
		root_login_describe_block(hint, sizeof(hint), closure, &blocks->items[i]);
		if (toggle_warn(&pl->p->warnings, err, hint, some ?
				"for the sources named this Match block is overridden" :
				"this Match block says otherwise and is overridden") < 0)
			return -1;
	}
	return 0;
}

static int place_runtime(struct placing *pl, struct error *err)
{
	_cleanup_free_ char *own = runtime_path(pl->c->config, err);

	pl->runtime = true;
	if (own == NULL || weigh_blocks(pl, err) < 0)
		return -1;
	if ((pl->site != NULL ? add_include(pl, pl->site, true, slice_of("", 0), own, err) :
				add_include_on_line_1(pl, own, err)) < 0)
		return -1;
	return add_own_file(pl, own, err);
}

static int place_drop_in(struct placing *pl, struct error *err)
{
	return weigh_blocks(pl, err) < 0 ? -1 : add_own_file(pl, pl->site, err);
}

static int place_beside(struct placing *pl, struct error *err)
{
	_cleanup_free_ char *own = str_format(err, "%s.rootlatch", pl->c->config);

	if (own == NULL || weigh_blocks(pl, err) < 0 || add_include_on_line_1(pl, own, err) < 0)
		return -1;
	return add_own_file(pl, own, err);
}

static int place_in_lines(struct placing *pl, struct error *err)
{
	struct sshd_plan *edit = &pl->p->judgement->edit;
	bool include;

	if (pl->p->judgement->from.len == 0) {
		_cleanup_config_augeas_ struct config_augeas *augeas = NULL;

		if (config_augeas_new(pl->c->lens_dir, &augeas, err) < 0 ||
		    sshd_plan_permit_root_login(&pl->files->closure, pl->value, pl->p->plan.id,
						augeas, edit, err) < 0)
			return -1;
		return add_edits(pl, err);
	}
	if (knows_include(pl, &include, err) < 0)
		return -1;
	if (include)
		return place_beside(pl, err);
	if (weigh_blocks(pl, err) < 0 ||
	    sshd_plan_block_before_match(&pl->files->closure, &pl->p->judgement->from, pl->value,
					 pl->p->plan.id, edit, err) < 0)
		return -1;
	return add_edits(pl, err);
}

/* What keeps an opening out of /run; NULL: nothing. */
static int runtime_obstacle(const struct placing *pl, const char **ret, struct error *err)
{
	bool include = true;

	*ret = NULL;
	if (!host_is_live(pl->c->host)) {
		*ret = "an image has no /run";
		return 0;
	}
	if (!host_is_tmpfs(pl->c->host, "/run")) {
		*ret = "/run is no tmpfs here, so a reboot would not empty it";
		return 0;
	}
	if (knows_include(pl, &include, err) < 0)
		return -1;
	if (!include)
		*ret = "this sshd has no Include (it came with OpenSSH 8.2)";
	return 0;
}

static int refuse_placement(const char *option, const char *why, struct error *err)
{
	(void)error_set(err, ERROR_REFUSED, "%s is not possible: %s", option, why);
	return error_hint(err, "Nothing was changed. Without %s rootlatch takes what is possible.",
			  option);
}

static int choose(struct placing *pl, enum toggle_placement *ret, struct error *err)
{
	const char *why = NULL;

	*ret = pl->terms->placement;
	if (*ret == TOGGLE_ANYWHERE)
		*ret = pl->terms->keep ? TOGGLE_DROP_IN : TOGGLE_RUNTIME;
	if (*ret == TOGGLE_RUNTIME && runtime_obstacle(pl, &why, err) < 0)
		return -1;
	if (*ret == TOGGLE_DROP_IN && pl->site == NULL)
		why = "no Include of a folder comes before everything else, or another sshd reads it too";
	if (why == NULL)
		return 0;
	if (pl->terms->placement != TOGGLE_ANYWHERE)
		return refuse_placement(*ret == TOGGLE_RUNTIME ? "--runtime" : "--drop-in", why, err);
	if (*ret == TOGGLE_RUNTIME &&
	    toggle_warn(&pl->p->warnings, err, "a reboot does not close that by itself",
			"it is written in place: %s", why) < 0)
		return -1;
	*ret = TOGGLE_IN_PLACE;
	return 0;
}

static int place_by(struct placing *pl, enum toggle_placement placement, struct error *err)
{
	switch (placement) {
	case TOGGLE_RUNTIME:
		pl->p->placement = str_dup("runtime", err);
		return pl->p->placement == NULL ? -1 : place_runtime(pl, err);
	case TOGGLE_DROP_IN:
		pl->p->placement = str_dup("drop-in", err);
		return pl->p->placement == NULL ? -1 : place_drop_in(pl, err);
	default:
		pl->p->placement = str_dup("in-place", err);
		return pl->p->placement == NULL ? -1 : place_in_lines(pl, err);
	}
}

int root_login_place(const struct toggle_context *c, const struct toggle_terms *terms,
		     struct toggle_plan *p, struct error *err)
{
	struct toggle_judgement *j = p->judgement;
	_cleanup_(placing_release) struct placing pl = {
		.c = c,
		.terms = terms,
		.p = p,
		.files = j->base.closure.files_len > 0 ? &j->base : &j->files,
		.value = terms->allow,
	};
	enum toggle_placement placement;

	if (terms->placement != TOGGLE_IN_PLACE && find_site(&pl, err) < 0)
		return -1;
	return choose(&pl, &placement, err) < 0 ? -1 : place_by(&pl, placement, err);
}

/* The usual name may be taken: by the very opening that can't be undone, or by somebody else. */
static char *overruling_path(const struct toggle_context *c, const char *id, struct error *err)
{
	char *path = str_format(err, "%s.rootlatch", c->config);

	if (path == NULL || (state_find_file(c->state, path) == NULL &&
			     !host_file_exists(c->host, path)))
		return path;
	free(path);
	return str_format(err, "%s.rootlatch-%s", c->config, id);
}

int root_login_place_overruling(const struct toggle_context *c, const char *value,
				struct toggle_plan *p, struct error *err)
{
	struct toggle_judgement *j = p->judgement;
	_cleanup_free_ char *own = overruling_path(c, p->plan.id, err);
	struct placing pl = {
		.c = c,
		.p = p,
		.files = &j->files,
		.value = value,
		.everybody = true,
	};

	if (own == NULL || add_include_on_line_1(&pl, own, err) < 0 ||
	    add_own_file(&pl, own, err) < 0)
		return -1;
	/* it only closes: without it nothing is more open than the files are */
	j->changes[j->n_changes - 1].harmless = true;
	return 0;
}

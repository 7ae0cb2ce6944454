/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * service: the kind of service/NAME, for this room alone.
 *
 * What decides at boot is one tree (boot_folders) for all services: update-rc.d(8) may renumber the
 * links of every one. So the command is rehearsed on a copy of the tree, and what it would
 * change there becomes the plan's steps:
 *
 *     before --(modes, links and mask in memory; update-rc.d rehearsed)--> wanted
 *     steps = wanted - before
 *
 * Undoing wants the tree as it was before the first toggle, when nobody else has touched it since
 * (an image, state.h); otherwise the service's own links and mode alone, and the order computed
 * anew.
 */
#ifndef ROOTLATCH_TOGGLE_SERVICE_H
#define ROOTLATCH_TOGGLE_SERVICE_H

#include "host/tree.h"
#include "service/boot.h"
#include "toggle/toggle.h"

#define SERVICE_PREFIX "service/"
#define SERVICE_INITD "/etc/init.d/"
#define SERVICE_UNITS "/etc/systemd/system/"

extern const struct toggle_kind service_kind;

struct toggle_boot {
	struct strings folders;
	struct host_tree before; /* as it is on the disk */
	struct host_tree wanted; /* as the steps shall leave it */
	struct digest left;      /* of wanted, by meaning */
	json_t *image;           /* of `before` */
	/* for the plan's steps, which borrow from these */
	struct host_file *files;
	size_t n_files;
	bool exact;              /* undo: wanted is an image, with its times */
};

/* "/etc/init.d/NAME"; owned by the caller. */
char *service_script(const char *name, struct error *err) _must_check_;

/* ERROR_REFUSED: nothing of it is there, and where it was looked for. Returns -1. */
int service_refuse_unknown(const struct boot_service *s, struct error *err);

/* Whether it may be switched as `terms` want (service_check.c). ERROR_REFUSED says why not. */
int service_check(const struct toggle_context *c, const struct toggle_terms *terms,
		  struct toggle_plan *p, const struct boot_service *s, struct error *err)
	_must_check_;

/* ERROR_REFUSED when others than root can write to /etc/init.d or one of /etc/rc?.d. */
int service_check_folders(const struct host_tree *t, struct error *err) _must_check_;

/* ---- the tree by meaning (service_image.c) */

/* One of the three files that startpar(8) reads. */
bool service_is_depend(const char *path);

/* What counts for "as we left it": links, scripts' modes and owners, .depend files, units. Neither
 * times nor the text of scripts, which a package may replace. */
int service_tree_digest(const struct host_tree *t, struct digest *ret, struct error *err)
	_must_check_;
json_t *service_image_to_json(const struct host_tree *t, struct error *err) _must_check_;
/* Makes `t`, whose digest is that of the tree as we left it, what the image has. ERROR_REFUSED for
 * what service_image_to_json never makes. */
int service_image_apply(const json_t *image, struct host_tree *t, struct error *err) _must_check_;
/* The links that make a service start or keep it from it, as "PATH TARGET". */
int service_links(const struct host_tree *t, const struct boot_service *s, struct strings *ret,
		  struct error *err) _must_check_;

/* ---- rehearsing (service_rehearse.c) */

/* Runs argv on p->boot->wanted, which becomes what it leaves. ERROR_REFUSED without namespaces, when
 * it was cut off, and when it changed what is none of its business. Its exit status is no error.
 * *ret_said, NULL or a string before, gets more of " COMMAND said (status N):
 * WORDS", nothing when it said nothing and did not fail; owned by the caller. */
int service_rehearse(const struct toggle_context *c, struct toggle_plan *p,
		     const char *const *argv, char **ret_said, struct error *err) _must_check_;
/* "update-rc.d NAME ACTION" */
int service_update_rc(const struct toggle_context *c, struct toggle_plan *p, const char *name,
		      const char *action, char **ret_said, struct error *err) _must_check_;
/* In memory. */
int service_set_mode(struct toggle_plan *p, const char *name, mode_t mode, struct error *err)
	_must_check_;

/* ---- steps (service_steps.c) */

/* All that differs between p->boot->before and wanted. */
int service_add_steps(const struct toggle_context *c, struct toggle_plan *p, struct error *err)
	_must_check_;
/* What has to be done first, and last: stopping, starting, and telling systemd. */
int service_add_stop(const struct toggle_context *c, struct toggle_plan *p, const char *name,
		     struct error *err) _must_check_;
int service_add_start(const struct toggle_context *c, struct toggle_plan *p, const char *name,
		      struct error *err) _must_check_;
int service_add_reload(const struct toggle_context *c, struct toggle_plan *p, bool last,
		       struct error *err) _must_check_;

/* ---- what the kind does */

int service_begin(const struct toggle_context *c, struct toggle_plan *p, struct error *err)
	_must_check_;
/* The name behind the prefix, or NULL. */
const char *service_name_of(const char *toggle);
int service_read_wanted(const struct toggle_context *c, struct toggle_plan *p, const char *name,
			struct boot_service *ret, struct error *err) _must_check_;
struct toggle_service *service_note(struct toggle_plan *p, const struct boot_service *before,
				    struct error *err) _must_check_;
int service_note_after(struct toggle_service *n, const struct boot_service *after,
		       struct error *err) _must_check_;
/* Steps, snapshot, events and the images of p->after. */
int service_finish(const struct toggle_context *c, const struct toggle_terms *terms,
		   struct toggle_plan *p, struct error *err) _must_check_;

int service_plan_apply(const struct toggle_context *c, const struct toggle_terms *terms,
		       struct toggle_plan *p, struct error *err) _must_check_;
int service_plan_undo(const struct toggle_context *c, const struct toggle_terms *terms,
		      struct toggle_plan *p, struct error *err) _must_check_;
int service_read(const struct toggle_context *c, const char *toggle, bool offline,
		 struct toggle_report *ret, struct error *err) _must_check_;

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * boot_units: the unit files of a host and the links that enable them, as systemd.unit(5) reads
 * them. Only boot_unit and its like use it.
 */
#ifndef ROOTLATCH_SERVICE_BOOT_UNITS_H
#define ROOTLATCH_SERVICE_BOOT_UNITS_H

#include "service/boot_parts.h"

enum boot_unit_file_kind {
	BOOT_UNIT_FILE,
	BOOT_UNIT_MASK,  /* empty, or a link to /dev/null */
	BOOT_UNIT_BROKEN, /* a link out of the folders that leads nowhere: it hides other files yet */
	BOOT_UNIT_ALIAS, /* a link to another name in a folder of units */
};

struct boot_unit_file { /* an entry of a folder of units */
	char *name;
	char *at;     /* the entry itself */
	char *path;   /* FILE: the file, at the end of the links */
	char *to;     /* ALIAS: the other name */
	enum boot_unit_file_kind kind;
	bool passing; /* in /run: gone with the next boot */
	bool local;   /* in /etc */
	bool regular; /* `at` is no link */
};

struct boot_want { /* an entry of a *.wants or *.requires; those that hide no others are left out */
	char *folder; /* "multi-user.target.wants" */
	char *name;   /* "cron.service" */
	char *path;
	bool masked;  /* it only hides another of that name further down */
	bool passing;
	bool local;
};

struct boot_units {
	struct boot_unit_file *files; /* in the order of the folders: the first of a name counts */
	size_t n_files, cap_files;
	struct boot_want *wants;
	size_t n_wants, cap_wants;
	struct boot_want *drop_ins; /* the *.conf of a *.d: "foo.service.d", "local.conf" */
	size_t n_drop_ins, cap_drop_ins;
};

#define BOOT_UNITS_INIT { .files = NULL }
#define _cleanup_boot_units_ _cleanup_(boot_units_release)

/* Whether a folder's name is that of what a unit wants: "cron.service.requires". */
bool boot_units_is_wants(const char *name);

void boot_units_release(struct boot_units *u);
int boot_units_read(const struct boot_reading *r, struct boot_units *ret, struct error *err)
	_must_check_;

enum boot_units_how {
	BOOT_UNITS_LASTING = 1, /* without what is in /run */
	BOOT_UNITS_UNMASKED = 2, /* the file that would be read if nothing masked it */
};

/* The entry that a name ends at: no ALIAS, or NULL. foo@bar.service ends at foo@.service
 * when there is none of its own. `ret_name` is the unit's name, never that of an alias; it is
 * `name`, or points into the units. */
const struct boot_unit_file *boot_units_find(const struct boot_units *u, const char *name,
					     unsigned how, const char **ret_name);

struct boot_unit_text { /* of a unit file, what bears on its start */
	bool has_install;
	bool wanted_by; /* there is a unit that it could be enabled for */
	struct strings aliases;
	struct strings pulls;    /* Wants=, Requires=, BindsTo=, Upholds=: what is started with it */
	struct strings pulls_by; /* the file that says so, for each of them (boot_units_text) */
	char *starts;   /* of a socket, path or timer: the unit; NULL: that of the same stem */
};

#define BOOT_UNIT_TEXT_INIT { .starts = NULL }
#define _cleanup_boot_unit_text_ _cleanup_(boot_unit_text_release)

void boot_unit_text_release(struct boot_unit_text *t);
int boot_unit_text_parse(struct slice text, struct boot_unit_text *ret, struct error *err)
	_must_check_;
/* Of a unit's file and its drop-ins. */
int boot_units_text(const struct boot_reading *r, const struct boot_units *u,
		    const struct boot_unit_file *f, const char *name, struct boot_unit_text *ret,
		    struct error *err) _must_check_;

struct boot_reach { /* the units that a boot gets to, as their files say */
	struct strings names;
	struct strings by; /* the file that pulls each of them in; "" for one of a *.wants, or a root */
};

#define BOOT_REACH_INIT { .names = STRINGS_INIT }
#define _cleanup_boot_reach_ _cleanup_(boot_reach_release)

void boot_reach_release(struct boot_reach *b);
int boot_reach_read(const struct boot_reading *r, const struct boot_units *u,
		    struct boot_reach *ret, struct error *err) _must_check_;

/* Whether a boot gets to the unit whose *.wants it is. */
bool boot_reach_wants(const struct boot_reading *r, const struct boot_want *w);

#endif

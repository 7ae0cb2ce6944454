/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * boot_parts: what the files of boot share. Nobody else includes it.
 */
#ifndef ROOTLATCH_SERVICE_BOOT_PARTS_H
#define ROOTLATCH_SERVICE_BOOT_PARTS_H

#include "service/boot.h"

#define BOOT_INIT_D "/etc/init.d"
#define BOOT_UNITS_ETC "/etc/systemd/system"

/* One reading of a service. */
struct boot_reading {
	const struct host *host;
	const struct host_tree *tree;
	struct boot_service *service;
	char default_level;     /* initdefault of /etc/inittab */
	bool by_number;         /* rc of sysv-rc goes by the links alone, without startpar */
	bool script_runs;       /* there is a file at the end of /etc/init.d/NAME */
	bool boots_multi_user;  /* default.target is multi-user.target: nothing of graphical.target */
	bool masked_until_boot; /* only in /run */
	bool unit_is_broken;    /* its file is a link that leads nowhere */
	char *name_mask;        /* a mask of the service's name, which is but an alias of its unit */
	struct strings starters; /* those of unit.wanted that a boot gets to */
};

enum boot_seen_kind {
	BOOT_SEEN_NOTHING,
	BOOT_SEEN_FILE,
	BOOT_SEEN_LINK,
	BOOT_SEEN_OTHER, /* a folder too */
};

struct boot_seen { /* what is at a path: in the tree when it is of its folders, otherwise on the disk */
	enum boot_seen_kind kind;
	mode_t mode;
	uid_t uid;
	bool empty;   /* a FILE of no bytes */
	char *target; /* LINK: made absolute, clean */
};

#define BOOT_SEEN_INIT { .kind = BOOT_SEEN_NOTHING }
#define _cleanup_boot_seen_ _cleanup_(boot_seen_release)

void boot_seen_release(struct boot_seen *s);

int boot_look(const struct boot_reading *r, const char *path, struct boot_seen *ret,
	      struct error *err) _must_check_;

/* To the end of the links. *ret_path is the last path; owned by the caller. A link that leads
 * nowhere, or in a circle, ends at NOTHING; one to /dev/null at OTHER, also where there is none. */
int boot_follow(const struct boot_reading *r, const char *path, char **ret_path,
		struct boot_seen *ret, struct error *err) _must_check_;

/* The names in a folder, in byte order; no folder has none. */
int boot_list(const struct boot_reading *r, const char *folder, struct strings *ret,
	      struct error *err) _must_check_;

/* The bytes of the file at `path`, which is no link. A file that is not there, or can't be one of
 * text (a FIFO, gigabytes), has none. */
int boot_bytes(const struct boot_reading *r, const char *path, struct buffer *ret,
	       struct error *err) _must_check_;

/* The next line without its end, *line the text behind it; false behind the last. */
bool boot_next_line(struct slice *rest, struct slice *line);
/* The next word, between blanks. */
bool boot_next_word(struct slice *rest, struct slice *word);
bool boot_slice_is(struct slice s, const char *text);
bool boot_ends_with(const char *s, const char *suffix);

int boot_read_links(struct boot_reading *r, struct error *err) _must_check_;
int boot_read_depends(struct boot_reading *r, struct error *err) _must_check_;
int boot_read_script(struct boot_reading *r, struct config_augeas *augeas, struct error *err)
	_must_check_;
int boot_read_unit(struct boot_reading *r, struct error *err) _must_check_;
int boot_read_inetd(struct boot_reading *r, struct error *err) _must_check_;

/* Whether a .depend file has the service; initdefault of an inittab, '2' without one; the lines of an
 * inetd.conf that start the service, as boot_service.inetd has them. Text in, values out, no I/O. */
bool boot_depend_names(struct slice text, const char *name);
char boot_inittab_level(struct slice text);
int boot_inetd_find(struct slice text, const char *path, const char *name, struct strings *ret,
		    struct error *err) _must_check_;

/* Sets starts and why. */
int boot_decide(struct boot_reading *r, struct error *err) _must_check_;

/* Where it leads can be run. */
int boot_link_runs(const struct boot_reading *r, const struct boot_link *l, bool *ret,
		   struct error *err) _must_check_;

/* The unit that systemd would make of the script, and that native ones go before: "foo.service",
 * also of foo.sh. Owned by the caller. */
char *boot_unit_name(const char *service, struct error *err) _must_check_;

/* The folders of units in the order of systemd.unit(5), but for those that generators fill at boot. */
extern const char *const boot_unit_folders[];
extern const size_t boot_n_unit_folders;

#endif

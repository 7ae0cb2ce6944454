/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * boot: whether a service will start at boot, and why. One answer for links, .depend files, the
 * script's mode, the native unit with its aliases and mask, and the inetd entry.
 *
 * sysvinit's startpar starts the intersection of the links and the targets in
 * /etc/init.d/.depend.*; systemd starts what is wanted and not masked, natively or by a unit that
 * its generator makes of the script (systemd-sysv-generator(8)).
 */
#ifndef ROOTLATCH_SERVICE_BOOT_H
#define ROOTLATCH_SERVICE_BOOT_H

#include "config/lsb_header.h"
#include "host/tree.h"

#define BOOT_NAME_MAX 64

enum boot_init {
	BOOT_SYSV,    /* sysvinit, or nothing that we know */
	BOOT_SYSTEMD, /* it runs, or in an image: it is /sbin/init */
};

struct boot_link { /* an entry of /etc/rc?.d */
	char level;       /* '0'-'6', 'S' */
	char kind;        /* 'S', 'K' */
	unsigned number;  /* 0-99 */
	bool dangling;    /* what it points to is not there */
	bool elsewhere;   /* it points to something other than /etc/init.d/NAME */
	char *path;
	char *target;
};

enum boot_depend { /* what one of the .depend files says */
	BOOT_DEPEND_NO_FILE,
	BOOT_DEPEND_LISTED,
	BOOT_DEPEND_MISSING, /* the file is there, and does not name it */
};

enum boot_unit_state { /* as the next boot finds it: a mask or a link in /run does not count */
	BOOT_UNIT_NONE,
	BOOT_UNIT_ENABLED,
	BOOT_UNIT_DISABLED,
	BOOT_UNIT_MASKED,
	BOOT_UNIT_STATIC,    /* it has no [Install]: others start it, or nobody does */
	BOOT_UNIT_GENERATED, /* of the script, by systemd-sysv-generator(8): no file of its own */
};

struct boot_unit {
	char *name;   /* "inetd.service"; NULL: there is none */
	char *path;   /* of the file that systemd reads; NULL for a generated one */
	enum boot_unit_state state;
	bool local;   /* that file is a regular one in /etc/systemd/system: it can't be masked there */
	struct strings aliases; /* other names of it, "openbsd-inetd.service" */
	struct strings wanted;  /* the links in *.wants and *.requires that start it, paths */
	struct strings sockets; /* of .socket and .path and .timer units that are enabled and start it */
};

struct boot_service {
	char *name;
	enum boot_init init;
	bool has_insserv;      /* update-rc.d(8) orders by it */

	bool has_script;       /* there is something at /etc/init.d/NAME */
	bool script_is_regular;
	mode_t script_mode;
	uid_t script_uid;
	struct digest script;  /* of its bytes */
	struct lsb_header header;
	struct boot_link *links; /* by path */
	size_t n_links;
	enum boot_depend boot, start, stop; /* .depend.boot, .depend.start, .depend.stop */
	struct boot_unit unit;
	struct strings inetd;  /* "/etc/inetd.conf line 12: ftp stream tcp ..." of what inetd(8) starts of it */
	mode_t statoverride;   /* what dpkg-statoverride(1) has for the script; 0: nothing */

	bool starts;           /* at boot */
	char *why;             /* one sentence: what makes it start, or what keeps it from it */
};

#define BOOT_SERVICE_INIT { .name = NULL }
#define _cleanup_boot_service_ _cleanup_(boot_service_release)

void boot_service_release(struct boot_service *s);

/* /etc/init.d, /etc/rc?.d and /etc/systemd/system: all that decides, and that update-rc.d(8) and
 * systemctl(1) write to. */
int boot_folders(struct strings *ret, struct error *err) _must_check_;

/* ERROR_REFUSED for what is no name of a service: ^[A-Za-z0-9][A-Za-z0-9_.@-]*$, BOOT_NAME_MAX at
 * most, no trailing ".service", not "." or "..": update-rc.d(8) takes globs and paths as they
 * come. */
int boot_name_check(const char *name, struct error *err) _must_check_;

/* Whether systemd runs this host, which must be the live one. */
int boot_runs_systemd(const struct host *h, bool *ret, struct error *err) _must_check_;

/* Reads all of it; `t` has the boot_folders, which may not be those on the disk. A service of which there
 * is no trace is no error: see boot_service_is_known. `augeas`: as lsb_header_parse has it. */
int boot_service_read(const struct host *h, struct config_augeas *augeas,
		      const struct host_tree *t, const char *name, struct boot_service *ret,
		      struct error *err) _must_check_;

/* A script, a unit, a link or an inetd line is there. */
bool boot_service_is_known(const struct boot_service *s);

/* "enabled", "masked", ... */
const char *boot_unit_state_name(enum boot_unit_state state);

/* What was looked at, for a refusal: "no /etc/init.d/foo, no foo.service in /lib/systemd/system, ..."
 * Owned by the caller. */
char *boot_service_traces(const struct boot_service *s, struct error *err) _must_check_;

/* "S02 in rc2 rc3 rc4 rc5, K02 in rc0 rc1 rc6"; "none". Owned by the caller. */
char *boot_links_text(const struct boot_service *s, struct error *err) _must_check_;

/* Whether sshd can't do without it, and the chain as a sentence: it is sshd's own script or unit, or
 * provides what its header requires ($remote_fs and $syslog by way of /etc/insserv.conf,
 * transitively), or its unit requires. *ret_why is NULL when it can; owned by the caller. */
int boot_service_carries_sshd(const struct host *h, struct config_augeas *augeas,
			      const struct host_tree *t, const char *name, char **ret_why,
			      struct error *err) _must_check_;

#endif

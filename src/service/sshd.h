/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd: the daemon that listens with a given sshd_config(5).
 *
 * Ours is a listener in our network namespace whose configuration file is the very file that we
 * change (device and inode, as the daemon sees it): not a container's, not another instance
 * with another -f, never a process that serves one session. Several listeners may share one
 * file (`sshd -p 2222` beside the service); all of them have to be reloaded.
 */
#ifndef ROOTLATCH_SERVICE_SSHD_H
#define ROOTLATCH_SERVICE_SSHD_H

#include <jansson.h>

#include "base/buffer.h"
#include "host/host.h"
#include "host/net.h"
#include "host/process.h"

#define SSHD_CONFIG_DEFAULT "/etc/ssh/sshd_config"
#define SSHD_BINARY_DEFAULT "/usr/sbin/sshd"
#define SSHD_PID_FILE_DEFAULT "/run/sshd.pid"
#define SSHD_PRIVSEP_DIR "/run/sshd"

enum sshd_manager {
	SSHD_BARE,    /* started by hand or by something that we do not know */
	SSHD_INIT,    /* /etc/init.d/ssh or sshd: `unit` is the script's path */
	SSHD_SERVICE, /* a systemd service: `unit` is its name */
	SSHD_SOCKET,  /* a systemd service under a .socket with Accept=no: `unit` is the service */
};

const char *sshd_manager_name(enum sshd_manager manager);

struct sshd_daemon {
	struct host_process process;
	enum sshd_manager manager;
	char *unit;                  /* see enum sshd_manager; NULL for a bare one */
	char *binary;                /* what is at the path of its executable now */
	char *config;                /* as its -f has it, otherwise the default */
	char *pid_file;              /* NULL: it has none that we know */
	char *cwd;
	struct strings argv;         /* to start it again */
	struct strings options;      /* those that bear on what it answers: -o -p -h -c -4 ... */
	struct host_sockets sockets; /* where it listens */
	int64_t loaded_ns;           /* CLOCK_REALTIME: when it last read its configuration, at
				      * the latest that we know of */
};

#define SSHD_DAEMON_INIT { .manager = SSHD_BARE }
#define _cleanup_sshd_daemon_ _cleanup_(sshd_daemon_release)

void sshd_daemon_release(struct sshd_daemon *d);

/* When there is no listener: what serves connections instead. */
enum sshd_absence {
	SSHD_ABSENT,         /* nothing that we know of: it is not running */
	SSHD_SOCKET_IDLE,    /* a .socket which starts the daemon at the first connection */
	SSHD_PER_CONNECTION, /* a .socket with Accept=yes, or inetd(8): sshd -i each time */
};

struct sshd_daemons {
	struct sshd_daemon *items;
	size_t len;
	enum sshd_absence absence; /* with len == 0 */
	struct sshd_daemon *others; /* listeners with another main file */
	size_t n_others;
};

#define SSHD_DAEMONS_INIT { .items = NULL, .len = 0, .absence = SSHD_ABSENT }
#define _cleanup_sshd_daemons_ _cleanup_(sshd_daemons_release)

void sshd_daemons_release(struct sshd_daemons *d);

/* "running", "not-running", "at-first-connection" or "per-connection", for programs. */
const char *sshd_daemons_presence(const struct sshd_daemons *d);

/* Finds every listener of root's that was started with `config`, and those with another file. None
 * is success with len 0, and so is a host that is not live. ERROR_REFUSED when there is one whose
 * arguments can't be told (its title was cut off), because it might be ours; one that reads
 * `config` in another network namespace, where it can be neither seen nor proven to have
 * reloaded; and one whose program others than root could have written. */
int sshd_find(const struct host *h, const char *config, struct sshd_daemons *ret,
	      struct error *err) _must_check_;

/* Looks again at one that is known: sockets and loaded_ns are brought up to date. -1 with
 * ERROR_FAILED when the process is gone. */
int sshd_daemon_refresh(const struct host *h, struct sshd_daemon *d, struct error *err)
	_must_check_;

/* Takes `path` (the answer to "pidfile", "none" is fine) as its pid file, if its pid stands
 * there: loaded_ns becomes that file's time when it is later. */
int sshd_daemon_note_pid_file(const struct host *h, struct sshd_daemon *d, const char *path,
			      struct error *err) _must_check_;

/* "sshd (pid 412, ssh.service)", for messages. `ret` has room for SSHD_DAEMON_NAME_MAX. */
#define SSHD_DAEMON_NAME_MAX 128
const char *sshd_daemon_name(const struct sshd_daemon *d, char *ret);

/* What recovery needs to reload it or to start it again. The JSON object is new; NULL on
 * failure. */
json_t *sshd_daemon_to_json(const struct sshd_daemon *d, struct error *err) _must_check_;
int sshd_daemon_from_json(const json_t *json, struct sshd_daemon *ret, struct error *err)
	_must_check_;

/* The listener's title, "sshd: /usr/sbin/sshd -D -p 22 [listener] 0 of 10-100 startups" (or, of
 * an sshd before 8.2, its plain arguments, NUL between them), as arguments. */
enum sshd_title {
	SSHD_TITLE_OTHER, /* a session, or no sshd at all */
	SSHD_TITLE_CUT,   /* a listener, but its arguments are not all there */
	SSHD_TITLE_LISTENER,
};

enum sshd_title sshd_title_parse(struct slice cmdline, struct strings *ret_argv);

/* sshd's own options out of its arguments: the file of -f (a pointer into argv, or NULL), and those
 * that bear on its answers, spelt so that another sshd can be given them. False for an sshd that
 * does not listen (-i, -t, -T, -V, -?). */
bool sshd_options_parse(const struct strings *argv, const char **ret_config,
			struct strings *ret_options);

#endif

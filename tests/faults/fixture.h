/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fixture: a host to break: /etc/ssh, /etc/cron.d, /var/lib and /run on tmpfs in namespaces of
 * their own (mounts, network, processes), with the sshd_config that the procedure of 2009 starts
 * from; or with
 * an /etc whose boot services are switched off and on.
 */
#ifndef ROOTLATCH_TESTS_FIXTURE_H
#define ROOTLATCH_TESTS_FIXTURE_H

#include <stdbool.h>
#include <sys/types.h>

#define FIXTURE_TARGET "/etc/ssh/sshd_config"
#define FIXTURE_STATE "/var/lib/rootlatch"
#define FIXTURE_RUN "/run/rootlatch"

struct fixture_terms {
	const char *tool;
	bool line_1; /* no Include of a folder comes first: ours goes to line 1 of the main file */
	bool cron; /* something that looks like a cron daemon runs */
	const char *services; /* a shell command that makes the boot services, or NULL */
};

/* Everything that a run may change, NULL after the last. */
extern const char *const *fixture_roots;

/* Runs `work` as the first process of the new namespaces and waits for it; gives its exit
 * status. All that it left running dies with it. Exits with EXIT_SKIPPED where namespaces are
 * not allowed. The worker stays on one processor: waking a tracer on another costs more. */
int fixture_run(unsigned worker, const struct fixture_terms *terms, void (*work)(void *),
		void *arg);

/* An sshd like one started by hand, listening on 127.0.0.1:22. */
pid_t fixture_daemon_start(void);
void fixture_daemon_stop(pid_t pid);
/* Whether it runs and greets; `why` says what is wrong. */
bool fixture_daemon_answers(pid_t pid, const char **why);
/* Whether what it has loaded contains this line of an sshd_config. */
bool fixture_daemon_loaded(pid_t pid, const char *line);

unsigned fixture_count_mounts(void);
/* What a boot does to /run; and to it alone, when what ran goes on. */
void fixture_lose_boot_token(void);
void fixture_lose_run(void);
/* Other processes than the worker, the daemon and the daemon's own, cron and watchers. */
unsigned fixture_count_strays(pid_t daemon);
void fixture_end_strays(pid_t daemon);

#endif

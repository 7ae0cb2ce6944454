/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * claims: what state.json, sshd and a running daemon say of the host; and `status` of services.
 */
#ifndef ROOTLATCH_TESTS_CLAIMS_H
#define ROOTLATCH_TESTS_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "image.h"

#define CLAIMS_STATUS_MAX 600
#define CLAIMS_WHY_MAX 300

/* What the state records of its first toggle. */
struct claims {
	bool applied;
	char toggles[200]; /* the names of all, with a blank before each */
	int64_t until_ns; /* 0: no deadline */
	char watch[64];   /* the file of its watcher; "": it has none */
};

/* Each: false, and `why` says the reason, when it says nothing sensible. */
bool claims_of_state(const struct image *now, struct claims *ret,
		     char why[CLAIMS_WHY_MAX]);
/* `text` is what `status --json` printed. */
bool claims_of_status(const char *text, char ret[CLAIMS_STATUS_MAX],
		      char why[CLAIMS_WHY_MAX]);
/* The same of services: what is said of each, and whether it will start. */
bool claims_of_services(const char *text, char ret[CLAIMS_STATUS_MAX],
			char why[CLAIMS_WHY_MAX]);
/* Whether sshd, asked about root's connection, would let it in. */
bool claims_of_sshd(int output_fd, bool *ret_open, char why[CLAIMS_WHY_MAX]);

/* Whether the daemon answers, has loaded the configuration `is`, and nothing that only `other`
 * has. */
bool claims_of_daemon(pid_t daemon, const struct image *is, const struct image *other,
		      char why[CLAIMS_WHY_MAX]);

/* The start of what is in an output file. */
void claims_read_output(int fd, char *text, size_t size);
void claims_clear_output(int fd);

#endif

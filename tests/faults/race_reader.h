/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * race_reader: a process that reads all that decides about logins and about boots, again and again
 * while others write it. Each file of each reading must be one that was learnt, as a whole: bytes,
 * mode and owner. It asks for no lock.
 */
#ifndef ROOTLATCH_TESTS_RACE_READER_H
#define ROOTLATCH_TESTS_RACE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define READER_WHY_MAX 1024
#define EDIT_LINE "# edit " /* of the second editor: these belong to no version */

struct version {
	char *path;
	struct stat st;
	char *bytes; /* each transaction's ID as zeros; or the target of a link */
	size_t len;
};

struct versions {
	struct version *items;
	size_t count, room;
	bool edited; /* somebody else edits sshd_config, and may have read any version of it */
};

struct reader;

/* What stands there now is what may stand there. */
void versions_learn(struct versions *v);
void versions_release(struct versions *v);

struct reader *reader_start(const struct versions *v);
/* After one more reading. False when it has seen what may not be: `why` says what. */
bool reader_stop(struct reader *r, unsigned long *ret_readings, char why[READER_WHY_MAX]);

#endif

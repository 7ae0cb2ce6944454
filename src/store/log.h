/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * log: one JSON line an event, appended, and the same to syslog (authpriv). Best effort: a full
 * disk must not keep a login open.
 */
#ifndef ROOTLATCH_STORE_LOG_H
#define ROOTLATCH_STORE_LOG_H

#include "store/store.h"

/* `event` gets the time ("at") and goes out on one line. Where there is no state folder, only
 * syslog hears of it. */
void log_append(const struct store *s, json_t *event);

/* All events of a toggle (NULL: all) between two times, oldest first: a JSON list. A line that
 * can't be read is passed over and counted. */
int log_read(const struct store *s, const char *toggle, int64_t since_ns, int64_t until_ns,
	     json_t **ret_events, size_t *ret_unreadable, struct error *err) _must_check_;

#endif

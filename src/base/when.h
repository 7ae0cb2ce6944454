/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * when: points in time as text. Inside they are nanoseconds of CLOCK_REALTIME.
 */
#ifndef ROOTLATCH_BASE_WHEN_H
#define ROOTLATCH_BASE_WHEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define WHEN_MAX 40

/* "2026-03-01T14:37:05Z" (RFC 3339, UTC), for JSON and files. */
void when_format_utc(int64_t ns, char ret[WHEN_MAX]);

/* The way back, and what people type for --since and --until: ISO 8601 date, optional time
 * (T or a blank between), optional seconds, optional Z or +HH:MM; without a zone it is in the
 * zone of the process (tzset(3)). ERROR_USAGE otherwise. */
int when_parse(const char *text, int64_t *ret_ns, struct error *err) _must_check_;

/* For people, in the zone of the process: "14:37" when that is within a day of `now_ns`,
 * "2026-03-01 14:37" otherwise. */
void when_format_local(int64_t ns, int64_t now_ns, char ret[WHEN_MAX]);

/* "2 h 5 min", "14 min", "5 s", "3 d 4 h": the two largest units. Negative counts as 0. */
void when_format_span(int64_t ns, char ret[WHEN_MAX]);

#endif

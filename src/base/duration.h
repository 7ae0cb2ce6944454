/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * duration: TIME FORMATS of sshd_config(5): "90m", "2h30m", "1d"; a bare number is seconds.
 */
#ifndef ROOTLATCH_BASE_DURATION_H
#define ROOTLATCH_BASE_DURATION_H

#include <stdint.h>

#include "base/error.h"

#define DURATION_MAX_S (366LL * 86400)

/* Seconds, at least 1. ERROR_USAGE for anything else, and for more than DURATION_MAX_S. */
int duration_parse(const char *text, int64_t *ret_seconds, struct error *err) _must_check_;

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * state_json: the state as the body of state.json, and back. Lines of foreign files are kept
 * encoded (text_encode), for they may hold any byte.
 */
#ifndef ROOTLATCH_STORE_STATE_JSON_H
#define ROOTLATCH_STORE_STATE_JSON_H

#include "store/state.h"

/* A new reference; NULL on failure. */
json_t *state_to_json(const struct state *s, struct error *err) _must_check_;
/* `ret` must be empty. ERROR_REFUSED for what state_to_json never makes. */
int state_from_json(const json_t *json, struct state *ret, struct error *err) _must_check_;

#endif

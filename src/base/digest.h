/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * digest: SHA-256 (FIPS 180-4) through libmd, as 64 lowercase hexadecimal digits.
 */
#ifndef ROOTLATCH_BASE_DIGEST_H
#define ROOTLATCH_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_HEX_LEN 64

struct digest {
	char hex[DIGEST_HEX_LEN + 1]; /* empty: no digest, for instance of a file that is missing */
};

struct digest digest_of(const void *bytes, size_t len);
bool digest_equal(const struct digest *a, const struct digest *b);

/* True for 64 lowercase hexadecimal digits. */
bool digest_is_valid(const char *hex);

#endif

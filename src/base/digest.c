/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/digest.h"

#include <sha2.h>
#include <stdint.h>
#include <string.h>

struct digest digest_of(const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t raw[SHA256_DIGEST_LENGTH];
	struct digest d;
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, bytes, len);
	SHA256Final(raw, &ctx);
	for (size_t i = 0; i < sizeof(raw); i++) {
		d.hex[2 * i] = digits[raw[i] >> 4];
		d.hex[2 * i + 1] = digits[raw[i] & 15];
	}
	d.hex[DIGEST_HEX_LEN] = '\0';
	return d;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return strcmp(a->hex, b->hex) == 0;
}

bool digest_is_valid(const char *hex)
{
	return strspn(hex, "0123456789abcdef") == DIGEST_HEX_LEN && hex[DIGEST_HEX_LEN] == '\0';
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include "base/digest.h"

/* The examples of FIPS 180-4 (NIST, "SHA256.pdf" and "SHA2_Additional.pdf"). */
Test(base_digest, is_that_of_fips_180_4)
{
	static const struct {
		const char *text, *hex;
	} rows[] = {
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
		{ "\xbd", "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b" },
		{ "\xc9\x8c\x8e\x55",
		  "7abc22c0ae5af26ce93dbb94433a0e0b2e119d014f8e7f65bd56c61ccccd9504" },
	};
	static char million[1000000];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct digest d = digest_of(rows[i].text, strlen(rows[i].text));

		box_str(d.hex, rows[i].hex, "\"%s\"", rows[i].text);
	}
	memset(million, 'a', sizeof(million));
	box_str(digest_of(million, sizeof(million)).hex,
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	memset(million, 0, sizeof(million));
	/* the lengths about which the padding turns */
	box_str(digest_of(million, 55).hex,
		"02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7");
	box_str(digest_of(million, 56).hex,
		"d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb");
	box_str(digest_of(million, 64).hex,
		"f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
}

Test(base_digest, is_64_lowercase_digits)
{
	struct digest a = digest_of("a", 1), b = digest_of("b", 1), none = { .hex = "" };
	char hex[DIGEST_HEX_LEN + 2];

	cr_expect(digest_is_valid(a.hex));
	cr_expect(digest_equal(&a, &a));
	cr_expect(not(digest_equal(&a, &b)));
	cr_expect(not(digest_equal(&a, &none)));
	cr_expect(not(digest_is_valid("")));
	memcpy(hex, a.hex, sizeof(a.hex));
	hex[DIGEST_HEX_LEN - 1] = '\0';
	cr_expect(not(digest_is_valid(hex)));
	memcpy(hex, a.hex, sizeof(a.hex));
	(void)strcat(hex, "0");
	cr_expect(not(digest_is_valid(hex)));
	memcpy(hex, a.hex, sizeof(a.hex));
	hex[3] = 'A';
	cr_expect(not(digest_is_valid(hex)));
	hex[3] = 'g';
	cr_expect(not(digest_is_valid(hex)));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "service/boot.h"

#define TEN "0123456789"

Test(service_boot_name, takes_what_packages_call_their_services)
{
	static const char *const names[] = {
		"a", "7", "apache2", "openbsd-inetd", "hwclock.sh", "mountall-bootclean.sh",
		"getty@tty1", "x11-common", "ifup_down", "ssh.socket", "Debian-exim", "a..b", "a--",
		"a.services", TEN TEN TEN TEN TEN TEN "0123",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct error err = ERROR_INIT;

		cr_expect(eq(int, boot_name_check(names[i], &err), 0), "%s: %s", names[i],
			  err.message);
	}
}

Test(service_boot_name, refuses_what_is_no_name_and_shows_it_escaped)
{
	static const struct {
		const char *name;
		const char *message;
	} rows[] = {
		{ "", "empty" },
		{ ".", "begins with" },
		{ "..", "begins with" },
		{ ".depend.boot", "begins with" },
		{ "-f", "begins with" },
		{ "--help", "begins with" },
		{ "_a", "begins with" },
		{ "@a", "begins with" },
		{ " a", "begins with" },
		{ "*", "begins with" },
		{ "/etc/init.d/ssh", "begins with" },
		{ "../ssh", "begins with" },
		{ "\xc3\xa4", "begins with" },
		{ "fo?", "letters, digits" },
		{ "fo*", "letters, digits" },
		{ "a[b]", "letters, digits" },
		{ "{a,b}", "begins with" },
		{ "a/b", "letters, digits" },
		{ "a/../b", "letters, digits" },
		{ "a b", "letters, digits" },
		{ "a ", "letters, digits" },
		{ "a;id", "letters, digits" },
		{ "a$(id)", "letters, digits" },
		{ "a`id`", "letters, digits" },
		{ "a|b", "letters, digits" },
		{ "a&", "letters, digits" },
		{ "a\\b", "letters, digits" },
		{ "a'", "letters, digits" },
		{ "a%i", "letters, digits" },
		{ "a,start=2", "letters, digits" },
		{ "a\n", "\"a\\x0a\" is no name" },
		{ "a\x1b[2J", "\"a\\x1b[2J\" is no name" },
		{ "a\x7f", "letters, digits" },
		{ "a\xc3\xa4", "letters, digits" },
		{ "a\xff", "letters, digits" },
		{ "ssh.service", "without .service" },
		{ "a.service.service", "without .service" },
		{ TEN TEN TEN TEN TEN TEN "01234", "too long" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;

		cr_assert(eq(int, boot_name_check(rows[i].name, &err), -1), "%s", rows[i].name);
		cr_expect(eq(int, (int)err.code, (int)ERROR_REFUSED), "%s", rows[i].name);
		cr_expect(not(zero(ptr, strstr(err.message, rows[i].message))), "%s: %s",
			  rows[i].name, err.message);
		for (const char *p = err.message; *p != '\0'; p++)
			cr_expect(ge(int, (unsigned char)*p, 0x20), "%s", rows[i].name);
	}
}

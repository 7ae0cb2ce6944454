/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include "base/address.h"

/* The list as one string; "?" and the message when it is refused. */
static char *parsed(const char *text)
{
	static char out[8][4096];
	static unsigned int next;
	char *s = out[next++ % 8];
	_cleanup_strings_ struct strings list = STRINGS_INIT;
	struct error err = ERROR_INIT;

	s[0] = '\0';
	if (address_list_parse(text, &list, &err) < 0)
		snprintf(s, sizeof(out[0]), "?%s", err.message);
	for (size_t i = 0; i < list.len; i++)
		sprintf(s + strlen(s), "%s%s", i > 0 ? "," : "", list.items[i]);
	return s;
}

Test(base_address, is_read_in_its_canonical_spelling)
{
	static const struct {
		const char *text;
		const char *list;
	} rows[] = {
		{ "192.0.2.10", "192.0.2.10" },
		{ " 192.0.2.10\t", "192.0.2.10" },
		{ "192.0.2.10/32", "192.0.2.10" },
		{ "192.0.2.0/24", "192.0.2.0/24" },
		{ "192.0.2.10/31", "192.0.2.10/31" },
		{ "128.0.0.0/1", "128.0.0.0/1" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "2001:DB8:0:0::10", "2001:db8::10" },
		{ "2001:0db8::0010/128", "2001:db8::10" },
		{ "2001:db8::/32", "2001:db8::/32" },
		{ "2001:db8:0:1::/63", "?2001:db8:0:1::/63 has host bits set" },
		{ "2001:db8:0:2::/63", "2001:db8:0:2::/63" },
		{ "::/0", "::/0" },
		{ "fe80::/9", "fe80::/9" },
		{ "::1", "::1" },
		/* sshd sees these clients as IPv4 */
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "::FFFF:c000:0201/128", "192.0.2.1" },
		{ "::ffff:192.0.2.0/120", "192.0.2.0/24" },
		{ "::ffff:0:0/96", "0.0.0.0/0" },
		{ "::fffe:192.0.2.1", "::fffe:c000:201" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect(eq(str, parsed(rows[i].text), (char *)rows[i].list), "%s", rows[i].text);
}

Test(base_address, lists_are_sorted_and_hold_nothing_twice)
{
	static const struct {
		const char *text;
		const char *list;
	} rows[] = {
		{ "192.0.2.10,192.0.2.9", "192.0.2.9,192.0.2.10" },
		{ "::1 , 192.0.2.10", "192.0.2.10,::1" },
		{ "192.0.2.10,192.0.2.10,::ffff:192.0.2.10", "192.0.2.10" },
		{ "192.0.2.10,192.0.2.0/24", "192.0.2.0/24" },
		{ "192.0.2.255,192.0.3.0,192.0.2.0/24,192.0.2.0", "192.0.2.0/24,192.0.3.0" },
		{ "10.0.0.0/16,10.1.0.0/16,10.0.0.0/8,10.0.5.0/24,11.0.0.0", "10.0.0.0/8,11.0.0.0" },
		/* the container is not the one right before */
		{ "10.0.0.0/8,10.0.0.0/16,10.2.0.0", "10.0.0.0/8" },
		{ "2001:db8::1,2001:db8::/64,2001:db8:0:1::1", "2001:db8::/64,2001:db8:0:1::1" },
		/* the same bytes in both families */
		{ "2001:db8::,32.1.13.184", "32.1.13.184,2001:db8::" },
		{ "::/0,192.0.2.1", "192.0.2.1,::/0" },
		{ "0.0.0.0/0,192.0.2.1,::1", "0.0.0.0/0,::1" },
		{ "9.0.0.0,100.0.0.0,20.0.0.0", "9.0.0.0,20.0.0.0,100.0.0.0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect(eq(str, parsed(rows[i].text), (char *)rows[i].list), "%s", rows[i].text);
}

Test(base_address, refuses_what_is_none_and_says_what_to_give)
{
	static const struct {
		const char *text;
		const char *message;
		const char *hint;
	} rows[] = {
		{ "192.0.2.10/24", "192.0.2.10/24 has host bits set",
		  "Nothing was changed. 192.0.2.0/24 is the network, 192.0.2.10 the host." },
		{ "10.0.0.1, 192.0.2.10/24", "192.0.2.10/24 has host bits set", "192.0.2.0/24" },
		{ "0.0.0.1/0", "0.0.0.1/0 has host bits set", "0.0.0.0/0 is the network" },
		{ "2001:db8::1/64", "2001:db8::1/64 has host bits set",
		  "2001:db8::/64 is the network, 2001:db8::1 the host." },
		{ "::ffff:192.0.2.10/120", "::ffff:192.0.2.10/120 has host bits set",
		  "192.0.2.0/24 is the network, 192.0.2.10 the host." },
		{ "192.0.2.0/33", "192.0.2.0/33 has a bad prefix length", "from 0 to 32." },
		{ "192.0.2.0/", "192.0.2.0/ has a bad prefix length", "from 0 to 32." },
		{ "192.0.2.0/024", "192.0.2.0/024 has a bad prefix length", "" },
		{ "192.0.2.0/-1", "192.0.2.0/-1 has a bad prefix length", "" },
		{ "192.0.2.0/ 24", "192.0.2.0/ 24 has a bad prefix length", "" },
		{ "192.0.2.0/24/24", "192.0.2.0/24/24 has a bad prefix length", "" },
		{ "192.0.2.0/255.255.255.0", "192.0.2.0/255.255.255.0 has a bad prefix length", "" },
		{ "192.0.2.0/4294967320", "has a bad prefix length", "" },
		{ "2001:db8::/129", "2001:db8::/129 has a bad prefix length", "from 0 to 128." },
		{ "::ffff:0:0/129", "has a bad prefix length", "from 0 to 128." },
		{ "::ffff:0:0/95", "::ffff:0:0/95 is more than IPv4-mapped addresses",
		  "give the IPv4 network" },
		{ "::ffff:192.0.2.0/24", "is more than IPv4-mapped", "" },
		{ "www.example.org", "www.example.org is not an IP address",
		  "Names are not looked up: give the address." },
		{ "10.0.0.1,localhost/8", "localhost/8 is not an IP address", "Names are not" },
		{ "192.0.02.1", "192.0.02.1 is not an IP address", "no leading zeros" },
		{ "192.0.2", "192.0.2 is not an IP address", "" },
		{ "192.0.2.256", "192.0.2.256 is not an IP address", "" },
		{ "192.0.2.*", "192.0.2.* is not an IP address", "" },
		{ "!192.0.2.1", "!192.0.2.1 is not an IP address", "" },
		{ "[2001:db8::1]", "[2001:db8::1] is not an IP address", "For instance" },
		{ "2001:db8::1::2", "2001:db8::1::2 is not an IP address", "For instance" },
		{ "/24", "/24 is not an IP address", "" },
		{ "192.0.2.1 192.0.2.2", "192.0.2.1 192.0.2.2 is not an IP address", "" },
		{ "192.0.2.1\nPort 23", "192.0.2.1\\x0aPort 23 is not an IP address", "" },
		{ "fe80::1%eth0", "fe80::1%eth0 has a zone", "give another address of the client." },
		{ "fe80::1", "fe80::1 is link-local", "give another address of the client." },
		{ "fe80::/64", "fe80::/64 is link-local", "" },
		{ "", "the list has an empty entry", "" },
		{ "192.0.2.1,", "192.0.2.1, has an empty entry", "separated by one comma" },
		{ "192.0.2.1, ,::1", "192.0.2.1, ,::1 has an empty entry", "" },
		{ ",192.0.2.1", ",192.0.2.1 has an empty entry", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strings_ struct strings list = STRINGS_INIT;
		struct error err = ERROR_INIT;

		cr_expect(eq(int, address_list_parse(rows[i].text, &list, &err), -1), "%s",
			  rows[i].text);
		cr_expect(eq(int, err.code, ERROR_USAGE), "%s", rows[i].text);
		cr_expect(not(zero(ptr, strstr(err.message, rows[i].message))), "%s: %s",
			  rows[i].text, err.message);
		cr_expect(eq(int, strncmp(err.hint, "Nothing was changed. ", 21), 0), "%s", err.hint);
		cr_expect(not(zero(ptr, strstr(err.hint, rows[i].hint))), "%s: %s", rows[i].text,
			  err.hint);
		cr_expect(zero(ptr, list.items), "%s", rows[i].text);
	}
}

Test(base_address, a_list_has_at_most_so_many_entries)
{
	char text[ADDRESS_LIST_MAX * 16 + 16] = "192.0.2.0";
	_cleanup_strings_ struct strings list = STRINGS_INIT;
	struct error err = ERROR_INIT;

	for (unsigned int i = 1; i < ADDRESS_LIST_MAX; i++)
		sprintf(text + strlen(text), ",192.0.2.%u", i);
	cr_assert(eq(int, address_list_parse(text, &list, &err), 0), "%s", err.message);
	cr_expect(eq(sz, list.len, ADDRESS_LIST_MAX));
	strcat(text, ",192.0.2.0");
	cr_assert(eq(int, address_list_parse(text, &list, &err), -1));
	cr_expect(eq(int, err.code, ERROR_USAGE));
	cr_expect(not(zero(ptr, strstr(err.message, "more than 32 addresses"))), "%s", err.message);
	cr_expect(eq(sz, list.len, ADDRESS_LIST_MAX), "the last list is left alone");
}

Test(base_address, a_very_long_entry_is_cut_in_the_message)
{
	char text[5000];
	_cleanup_strings_ struct strings list = STRINGS_INIT;
	struct error err = ERROR_INIT;

	memset(text, '1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	cr_assert(eq(int, address_list_parse(text, &list, &err), -1));
	cr_expect(not(zero(ptr, strstr(err.message, "111... is not an IP address"))), "%s", err.message);
	cr_expect(lt(sz, strlen(err.message), 200));
}

Test(base_address, everyone_is_all_of_a_family)
{
	static const struct {
		const char *text;
		bool everyone;
	} rows[] = {
		{ "0.0.0.0/0", true },	  { "192.0.2.1,::/0", true }, { "::ffff:0:0/96", true },
		{ "0.0.0.0", false },	  { "::", false },	      { "0.0.0.0/1,::/1", false },
		{ "192.0.2.1,::1", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strings_ struct strings list = STRINGS_INIT;
		struct error err = ERROR_INIT;

		cr_assert(eq(int, address_list_parse(rows[i].text, &list, &err), 0));
		cr_expect(eq(int, address_is_everyone(&list), rows[i].everyone), "%s", rows[i].text);
	}
}

Test(base_address, the_first_one_of_an_entry_is_its_network)
{
	static const struct {
		const char *entry;
		const char *first;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "192.0.2.0/24", "192.0.2.0" },
		{ "::/0", "::" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.0/120",
		  "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char first[ADDRESS_MAX];

		address_first(rows[i].entry, first);
		cr_expect(eq(str, first, (char *)rows[i].first));
	}
}

Test(base_address, an_entry_contains_what_sshd_would_match)
{
	static const struct {
		const char *entry;
		const char *addr;
		bool contains;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.1", "::ffff:192.0.2.1", true },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.0/31", "192.0.2.1", true },
		{ "192.0.2.0/31", "192.0.2.2", false },
		{ "0.0.0.0/0", "255.255.255.255", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "192.0.2.1", false },
		{ "::/0", "::ffff:192.0.2.1", false },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "2001:db8::1", "2001:DB8:0::0001", true },
		/* the same bytes in the other family */
		{ "32.1.13.184", "2001:db8::", false },
		/* neither one nor the other */
		{ "192.0.2.1/24", "192.0.2.1", false },
		{ "host", "host", false },
		{ "::/0", "fe80::1%eth0", false },
		{ "192.0.2.0/24", "192.0.2.0/24", false },
		{ "", "", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect(eq(int, address_contains(rows[i].entry, rows[i].addr), rows[i].contains),
			  "%s in %s", rows[i].addr, rows[i].entry);
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Invariant: a range that was parsed has no bit set behind its prefix, and is never an
 * IPv4-mapped one.
 */
#include "base/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

_Static_assert(ADDRESS_MAX == INET6_ADDRSTRLEN, "an address fits");

#define ENTRY_SHOWN 80
#define MAPPED_PREFIX 96 /* of ::ffff:0:0/96, RFC 4291 2.5.5.2 */
#define ENTRY_MAX (ADDRESS_MAX + sizeof("/128"))

struct range {
	bool v6;
	unsigned char bytes[16]; /* in network order; IPv4 has four */
	unsigned prefix;         /* bits */
};

static unsigned range_bits(const struct range *r)
{
	return r->v6 ? 128 : 32;
}

/* An error about one entry, which may hold any bytes. */
static int refuse(struct slice entry, const char *why, const char *hint, struct error *err)
{
	_cleanup_buffer_ struct buffer shown = BUFFER_INIT;
	struct slice head = slice_of(entry.data, entry.len < ENTRY_SHOWN ? entry.len : ENTRY_SHOWN);

	if (text_escape(head, false, &shown, err) < 0)
		return -1;
	(void)error_set(err, ERROR_USAGE, "%s%s %s", shown.data,
			head.len < entry.len ? "..." : "", why);
	return error_hint(err, "Nothing was changed. %s", hint);
}

static int refuse_address(struct slice entry, struct error *err)
{
	bool letter = false;

	for (size_t i = 0; i < entry.len; i++)
		letter |= (entry.data[i] >= 'a' && entry.data[i] <= 'z') ||
			  (entry.data[i] >= 'A' && entry.data[i] <= 'Z');
	if (letter && memchr(entry.data, ':', entry.len) == NULL)
		return refuse(entry, "is not an IP address",
			      "Names are not looked up: give the address.", err);
	return refuse(entry, "is not an IP address",
		      "For instance 192.0.2.10, 2001:db8::10 or 192.0.2.0/24; no leading zeros.", err);
}

/* An address without a prefix length; a mapped one becomes IPv4. */
static bool parse_address(struct slice s, struct range *ret, bool *ret_mapped)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct range r = { .v6 = memchr(s.data, ':', s.len) != NULL };
	char text[ADDRESS_MAX];

	if (s.len >= sizeof(text))
		return false;
	memcpy(text, s.data, s.len);
	text[s.len] = '\0';
	if (inet_pton(r.v6 ? AF_INET6 : AF_INET, text, r.bytes) != 1)
		return false;
	*ret_mapped = r.v6 && memcmp(r.bytes, mapped, sizeof(mapped)) == 0;
	if (*ret_mapped) {
		memmove(r.bytes, r.bytes + sizeof(mapped), 4);
		memset(r.bytes + 4, 0, sizeof(r.bytes) - 4);
		r.v6 = false;
	}
	r.prefix = range_bits(&r);
	*ret = r;
	return true;
}

/* A decimal number up to `max`, without leading zeros. */
static bool parse_prefix(struct slice s, unsigned max, unsigned *ret)
{
	unsigned n = 0;

	if (s.len == 0 || s.len > 3 || (s.len > 1 && s.data[0] == '0'))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] < '0' || s.data[i] > '9')
			return false;
		n = n * 10 + (unsigned)(s.data[i] - '0');
	}
	*ret = n;
	return n <= max;
}

static struct range range_network(const struct range *r)
{
	struct range network = *r;

	for (unsigned bit = r->prefix; bit < range_bits(r); bit++)
		network.bytes[bit / 8] &= (unsigned char)~(0x80u >> bit % 8);
	return network;
}

static void range_format(const struct range *r, char ret[ENTRY_MAX])
{
	/* It can't fail: the family is known and there is room. */
	(void)inet_ntop(r->v6 ? AF_INET6 : AF_INET, r->bytes, ret, ADDRESS_MAX);
	if (r->prefix < range_bits(r))
		(void)snprintf(ret + strlen(ret), sizeof("/128"), "/%u", r->prefix % 1000);
}

static int refuse_host_bits(struct slice entry, const struct range *r, struct error *err)
{
	struct range network = range_network(r), host = *r;
	char network_text[ENTRY_MAX], host_text[ENTRY_MAX], hint[3 * ENTRY_MAX];

	host.prefix = range_bits(r);
	range_format(&network, network_text);
	range_format(&host, host_text);
	(void)snprintf(hint, sizeof(hint), "%s is the network, %s the host.", network_text,
		       host_text);
	return refuse(entry, "has host bits set", hint, err);
}

static int apply_prefix(struct slice entry, struct slice prefix, bool mapped, struct range *r,
			struct error *err)
{
	unsigned bits = mapped ? 128 : range_bits(r);
	struct range network;

	if (!parse_prefix(prefix, bits, &r->prefix))
		return refuse(entry, "has a bad prefix length",
			      bits == 32 ? "It is a number from 0 to 32." :
					   "It is a number from 0 to 128.", err);
	if (mapped && r->prefix < MAPPED_PREFIX)
		return refuse(entry, "is more than IPv4-mapped addresses",
			      "sshd sees a client ::ffff:192.0.2.1 as 192.0.2.1: give the IPv4 "
			      "network.", err);
	r->prefix -= mapped ? MAPPED_PREFIX : 0;
	network = range_network(r);
	if (memcmp(network.bytes, r->bytes, sizeof(network.bytes)) != 0)
		return refuse_host_bits(entry, r, err);
	return 0;
}

static int parse_range(struct slice entry, struct range *ret, struct error *err)
{
	const char *slash = entry.len > 0 ? memchr(entry.data, '/', entry.len) : NULL;
	struct slice address = entry, prefix;
	struct range r;
	bool mapped = false;

	if (slash != NULL)
		address.len = (size_t)(slash - entry.data);
	if (!parse_address(address, &r, &mapped))
		return refuse_address(entry, err);
	if (slash != NULL) {
		prefix = slice_of(slash + 1, entry.len - address.len - 1);
		if (apply_prefix(entry, prefix, mapped, &r, err) < 0)
			return -1;
	}
	*ret = r;
	return 0;
}

static bool range_contains(const struct range *outer, const struct range *inner)
{
	struct range cut = *inner;

	if (outer->v6 != inner->v6 || outer->prefix > inner->prefix)
		return false;
	cut.prefix = outer->prefix;
	cut = range_network(&cut);
	return memcmp(cut.bytes, outer->bytes, sizeof(cut.bytes)) == 0;
}

static bool is_link_local(const struct range *r)
{
	static const struct range link_local = { .v6 = true, .bytes = { 0xfe, 0x80 }, .prefix = 10 };

	return range_contains(&link_local, r);
}

static struct slice trim(struct slice s)
{
	while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t'))
		s = slice_of(s.data + 1, s.len - 1);
	while (s.len > 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
		s.len--;
	return s;
}

static int parse_entry(struct slice list, struct slice entry, struct range *ret,
		       struct error *err)
{
	static const char use_another[] =
		"sshd knows a link-local client by its zone as well, a name that only this host "
		"has for the link: give another address of the client.";
	static const char nothing[] = "the list";

	if (entry.len == 0)
		return refuse(list.len > 0 ? list : slice_of(nothing, sizeof(nothing) - 1),
			      "has an empty entry",
			      "Addresses are separated by one comma: 192.0.2.10,2001:db8::10", err);
	if (memchr(entry.data, '%', entry.len) != NULL)
		return refuse(entry, "has a zone", use_another, err);
	if (parse_range(entry, ret, err) < 0)
		return -1;
	if (is_link_local(ret))
		return refuse(entry, "is link-local", use_another, err);
	return 0;
}

/* IPv4 first, by number, and of ranges that begin alike the widest first: so whatever lies
 * within another one comes behind it. */
static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	int order;

	if (x->v6 != y->v6)
		return x->v6 ? 1 : -1;
	order = memcmp(x->bytes, y->bytes, sizeof(x->bytes));
	if (order != 0)
		return order;
	return x->prefix < y->prefix ? -1 : x->prefix > y->prefix;
}

static int add_sorted(struct range *ranges, size_t len, struct strings *ret, struct error *err)
{
	const struct range *last = NULL;
	char text[ENTRY_MAX];

	qsort(ranges, len, sizeof(*ranges), compare_ranges);
	for (size_t i = 0; i < len; i++) {
		if (last != NULL && range_contains(last, &ranges[i]))
			continue;
		last = &ranges[i];
		range_format(last, text);
		if (strings_add(ret, text, err) < 0)
			return -1;
	}
	return 0;
}

int address_list_parse(const char *text, struct strings *ret, struct error *err)
{
	_cleanup_strings_ struct strings list = STRINGS_INIT;
	struct range ranges[ADDRESS_LIST_MAX];
	struct slice all = slice_of(text, strlen(text));
	const char *p = text;
	size_t len = 0;

	for (bool more = true; more;) {
		struct slice entry = slice_of(p, strcspn(p, ","));

		if (len == ADDRESS_LIST_MAX) {
			(void)error_set(err, ERROR_USAGE, "more than %d addresses", ADDRESS_LIST_MAX);
			return error_hint(err, "Nothing was changed. Give a network instead: "
					  "192.0.2.0/24");
		}
		if (parse_entry(all, trim(entry), &ranges[len++], err) < 0)
			return -1;
		more = p[entry.len] == ',';
		p += entry.len + (more ? 1 : 0);
	}
	if (add_sorted(ranges, len, &list, err) < 0)
		return -1;
	strings_release(ret);
	*ret = list;
	list = (struct strings)STRINGS_INIT;
	return 0;
}

bool address_is_everyone(const struct strings *list)
{
	return strings_contain(list, "0.0.0.0/0") || strings_contain(list, "::/0");
}

void address_first(const char *entry, char ret[ADDRESS_MAX])
{
	(void)snprintf(ret, ADDRESS_MAX, "%.*s", (int)strcspn(entry, "/"), entry);
}

bool address_contains(const char *entry, const char *addr)
{
	struct range range, client;
	bool mapped;

	return parse_range(slice_of(entry, strlen(entry)), &range, NULL) == 0 &&
	       parse_address(slice_of(addr, strlen(addr)), &client, &mapped) &&
	       range_contains(&range, &client);
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * address: the sources of `--from ADDR[,ADDR...]`, as sshd compares them with a client's
 * address (sshd_config(5), Match Address). Nothing is looked up.
 *
 * An entry of a list is an IPv4 or IPv6 address or a network in CIDR notation, in the
 * spelling of inet_ntop(3), without /32 and /128. sshd sees a client that comes by an
 * IPv4-mapped address (::ffff:192.0.2.1) as the IPv4 one, and so do we.
 */
#ifndef ROOTLATCH_BASE_ADDRESS_H
#define ROOTLATCH_BASE_ADDRESS_H

#include <stdbool.h>

#include "base/buffer.h"

#define ADDRESS_MAX 46       /* INET6_ADDRSTRLEN: an address with its NUL */
#define ADDRESS_LIST_MAX 32  /* entries, as they are given */

/* Reads a comma-separated list; blanks around an entry are allowed. *ret is sorted (IPv4
 * first, then by number), without duplicates and without entries that lie within another
 * one. ERROR_USAGE, which names the entry: not an address (names, a zone, leading zeros),
 * a bad prefix length, host bits set, an empty entry, too many; IPv6 networks that hold
 * more than IPv4-mapped addresses but begin with one; link-local ones, because sshd
 * (measured, 9.2) matches a client fe80::1%eth0 with no address that has no zone. */
int address_list_parse(const char *text, struct strings *ret, struct error *err)
	_must_check_;

/* Does a list name all of IPv4 or all of IPv6? */
bool address_is_everyone(const struct strings *list);

/* The address of an entry without its prefix length: the first one that it stands for. */
void address_first(const char *entry, char ret[ADDRESS_MAX]);

/* Is a client's address, in whatever spelling, one of those that an entry stands for?
 * False for anything that is no entry, or no address. */
bool address_contains(const char *entry, const char *addr);

#endif

# shellcheck shell=bash
# Clients with addresses of their own, all of them on this host, and the logins that they try.

# sources_make: the host is 192.0.2.1 and 2001:db8::1, its clients end in 10 and 11
sources_make()
{
	local address

	for address in 192.0.2.{1,10,11}/32 2001:db8::{1,10,11}/128; do
		ip address add "$address" dev lo nodad 2>/dev/null || ip address add "$address" dev lo ||
			{ echo "Bail out! no address $address"; exit 99; }
	done
}

# by4 LOGIN... and by6 LOGIN...: to the host's address of the family that -b is of
by4() { ssh_target=192.0.2.1 "$@"; }
by6() { ssh_target=2001:db8::1 "$@"; }

# outcomes: of root by key from 192.0.2.10 and .11, by password from the two, by key from
# 2001:db8::10 and ::11; of alice by key from 192.0.2.11
outcomes()
{
	by4 login_key root -b 192.0.2.10 >/tmp/1 &
	by4 login_key root -b 192.0.2.11 >/tmp/2 &
	by4 login_password root -b 192.0.2.10 >/tmp/3 &
	by4 login_password root -b 192.0.2.11 >/tmp/4 &
	by6 login_key root -b 2001:db8::10 >/tmp/5 &
	by6 login_key root -b 2001:db8::11 >/tmp/6 &
	by4 login_key alice -b 192.0.2.11 >/tmp/7 &
	wait
	cat /tmp/[1-7] | paste -sd ' '
}
closed="refused refused refused refused refused refused in"

# root_gets: what sshd says for root from 192.0.2.10, from .11 and from elsewhere
root_gets() { echo "$(permits root 192.0.2.10) $(permits root 192.0.2.11) $(permits root)"; }

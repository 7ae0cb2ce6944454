#!/bin/bash
# --from: real logins from several addresses. The ones that are named are admitted inside the window, the
# others are refused all along. And what is no address is refused.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
. "$sandbox_lib/sources.sh"
sandbox_enter
sources_make

main=/etc/ssh/sshd_config
d=/etc/ssh/sshd_config.d
common='UsePAM yes\nSubsystem sftp internal-sftp\n'
no='PermitRootLogin no\n'
watched+=(/run/rootlatch/sshd)
main_file() { printf '%b' "$1" | write $main; }
next() { etc_ssh_reset; }

# window NAME WHILE_OPEN [OPTION...]
window()
{
	local name=$1 open=$2 before pid
	shift 2
	t "$name: open $*"
	before=$(config_fingerprint)
	pid=$(sshd_pids)
	expect "$(outcomes)" "$closed" "before"
	rl open "$@"
	expect "$status" 0 "open exits"
	expect "$(outcomes)" "$open" "while open"
	rl close
	expect "$status" 0 "close exits"
	expect "$(outcomes)" "$closed" "after"
	expect "$(sshd_pids)" "$pid" "the daemon"
	expect "$(config_fingerprint)" "$before" "the files"
	expect "$(leftovers)" "" "leftovers"
}

main_file "Include $d/*.conf\n${common}$no"
sshd_start
window "one address" "in refused in refused refused refused in" --from 192.0.2.10
window "one of IPv6" "refused refused refused refused in refused in" --from 2001:db8::10
window "one of each" "refused in refused in in refused in" --from 192.0.2.11,2001:db8::10
window "a network" "in in in in refused refused in" --from 192.0.2.10/31
window "a network of IPv6" "refused refused refused refused in in in" --from 2001:db8::10/127
window "the network beside it" "$closed" --from 192.0.2.8/31,2001:db8::12/127
window "blanks, capitals and a mapped address" "in refused in refused refused in in" \
	--from " ::FFFF:192.0.2.10 , 2001:DB8:0::11"
window "keys alone" "in refused refused refused refused refused in" \
	--from 192.0.2.10 --allow prohibit-password
window "as a drop-in" "in refused in refused in refused in" --keep --from 192.0.2.10,2001:db8::10
window "in place" "in refused in refused in refused in" --in-place --keep --from 192.0.2.10,2001:db8::10
sshd_stop
next

main_file "${common}${no}Match User root\n\tPermitRootLogin no\nMatch Address 192.0.2.0/24\n\tPermitRootLogin no\n"
sshd_start
window "past Match blocks that say no" "in refused in refused refused refused in" --from 192.0.2.10
sshd_stop
next

t "without --from a block for some connections stays in force, and the others get in"
main_file "${common}${no}Match Address 192.0.2.11,2001:db8::11\n\tPermitRootLogin no\n"
sshd_start
expect "$(outcomes)" "$closed" "before"
rl open
expect "$status" 0 "open exits"
expect_match "$err" "$main line 4: Match Address" "the block, named"
expect "$(outcomes)" "in refused in refused in refused in" "while open"
rl close
expect "$(outcomes)" "$closed" "after"
sshd_stop
next

# ---- Values that are none

main_file "$no"
bad()
{
	local shown
	printf -v shown %q "$1"
	t "usage: --from ${shown:0:60}"
	before=$(listing /etc /run /var/lib)
	rl open --from "$1"
	expect "$status" 64 "open exits"
	[ -z "${2-}" ] || expect_match "$(head -n 1 <<<"$err")" "(^|[^0-9a-z])$2( |\$)" "the entry, named"
	expect_match "$err" '[Nn]othing was changed' "the message"
	expect "$(listing /etc /run /var/lib)" "$before" "the files"
}
bad ''
bad ' '
bad ,
bad '192.0.2.10,' '192[.]0[.]2[.]10,'
bad '192.0.2.10,,192.0.2.11'
bad '192.0.2.11 192.0.2.10' '192[.]0[.]2[.]11 192[.]0[.]2[.]10'
for entry in 192.0.2.300 192.0.2 192.0.02.1 192.0.2.10/33 192.0.2.10/-1 192.0.2.10/08 192.0.2.10/ 192.0.2.10/24 \
	192.0.2.10/255.255.255.0 2001:db8::1/64 2001:db8::/129 2001:db8:::1 ::ffff:0:0/64 :: fe80::1 1 \
	fe80::1%eth0 www.example.org localhost root@192.0.2.1 any all none; do
	[ "$entry" != :: ] || continue
	bad "192.0.2.11,$entry,192.0.2.12" "${entry//./[.]}"
done
bad '*' '[*]'
bad '192.0.2.11,!192.0.2.10' '!192[.]0[.]2[.]10'
bad '192.0.2.*' '192[.]0[.]2[.][*]'
bad '192.0.2.10;PermitRootLogin yes'
bad $'192.0.2.10\nPermitRootLogin yes'
bad $'192.0.2.10\tPermitRootLogin yes'
bad '192.0.2.10"'
bad '192.0.2.10 # note'
bad $'\e[31m192.0.2.10'
expect "$(tr -cd '\033' <<<"$err" | wc -c)" 0 "escapes in the message"
bad "$(printf '192.0.2.%d,' {1..200})192.0.2.201"
bad "$(printf '1%.0s' {1..5000})"
t "usage: --from without a value"
rl open --from
expect "$status" 64 "open exits"
next

done_testing

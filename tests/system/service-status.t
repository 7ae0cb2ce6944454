#!/bin/bash
# What status says of services, as people read it: several at once, names and reasons of any length.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
sandbox_enter

printf 'PermitRootLogin no\n' | write /etc/ssh/sshd_config
mkdir -p /etc/init.d /etc/rc{0,1,2,3,4,5,6,S}.d

# script NAME: an init script, off at boot
script()
{
	printf '%s\n' '#!/bin/sh' '### BEGIN INIT INFO' "# Provides: $1" '# Required-Start:' '# Required-Stop:' \
		'# Default-Start: 2 3 4 5' '# Default-Stop: 0 1 6' '### END INIT INFO' | write "/etc/init.d/$1" 755
}
script one
script two

t "several, and one of them is not there: the others, then the refusal"
rl status one nosuch two
expect "$status" 3 "exits"
expect "$(grep -c 'does not start at boot' <<<"$out")" 2 "services that are shown"
expect_match "$err" 'refused, nothing was changed: there is no service nosuch' "the refusal"
rl status nosuch one --json
expect "$status" 3 "with --json exits"
expect "$(json '.ok, (.results | length), .results[0].error.code, .results[1].service' | paste -sd' ')" \
	"false 2 3 one" "the document"
expect_match "$err" 'there is no service nosuch' "the refusal, with --json"
rl status one '../x' root-login
expect "$status" 3 "with a name that is none exits"
expect_match "$out" '^root-login ' "what is shown"
expect_match "$err" 'is not the name of a toggle|no name of a service' "the refusal"
rl status nosuch
expect "$status" 3 "of one alone exits"
expect "$out" "" "what is shown of one alone"

done_testing

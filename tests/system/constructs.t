#!/bin/bash
# Everything that sshd accepts can be opened, in the file and on the line that decides, and
# closed again; what it rejects is refused.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
sandbox_enter

opens() { t "opens and closes: $1"; main_file "$2"; opens_and_closes; next; }
already() { t "open by the administrator: $1"; main_file "$2"; is_open_already; next; }
rejected()
{
	t "refused: $1"
	main_file "$2"
	expect_not "$(judge root >/dev/null; echo $?)" 0 "sshd -T exits"
	is_refused
	next
}

unsafe()
{
	t "refused, though sshd accepts it: $1"
	main_file "$2"
	expect "$(judge root >/dev/null; echo $?)" 0 "sshd -T exits"
	is_refused
	next
}

stays()
{
	local inside

	t "stays in force and is named: $1"
	main_file "$no$2\n\tPermitRootLogin $3\n"
	inside=$(permits root 192.0.2.7)
	rl open "${terms[@]}" --json
	expect "$status" 0 "open exits"
	expect "$(permits root)" yes "sshd's answer for root from elsewhere"
	expect "$(permits root 192.0.2.7)" "$inside" "sshd's answer for root from there"
	expect_match "$(json '.results[0].warnings[].hint')" 'sshd_config line 2:' "warnings, with file and line"
	rl close
	expect "$status" 0 "close exits"
	expect "$(leftovers)" "" "leftovers"
	next
}

warns()
{
	local name=$1 content=$2 pattern=$3
	shift 3
	t "a warning that root is still out: $name"
	main_file "$content"
	rl open "${terms[@]}" --json "$@"
	expect "$status" 0 "open exits"
	expect_match "$(json '.results[0].warnings[] | tostring' | tr '[:upper:]' '[:lower:]')" "$pattern" "warnings"
	rl close
	expect "$status" 0 "close exits"
	next
}

. "$sandbox_lib/constructs.sh"

t "no warning where nothing keeps root out, and keys alone are accepted"
main_file "${no}AllowUsers root alice\nDenyUsers bob\nAuthenticationMethods any\n"
rl open --in-place --keep --json --allow prohibit-password
expect "$status" 0 "open exits"
expect "$(json '.results[0].warnings // [] | length')" 0 "warnings"
next

# ---- The other values of --allow

for value in prohibit-password forced-commands-only; do
	t "opens and closes: --allow $value"
	main_file "${no}Match User alice\n\tX11Forwarding no\n"
	allow=$value opens_and_closes
	next
done

done_testing

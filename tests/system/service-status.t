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

# record TOGGLE NAME REASON: as if it were switched, in a state that is sealed as ours are
seal_state()
{
	printf '{"schema": 1, "sha256": "%s", "body":\n%s}\n' "$(printf %s "$1" | sha256sum | cut -d' ' -f1)" "$1" \
		>/var/lib/rootlatch/state.json
}
record()
{
	seal_state "$(tail -n +2 /var/lib/rootlatch/state.json | head -c -2 | jq --arg name "$1" --arg by "$2" \
		--arg reason "$3" '.toggles = [.toggles[0] | .name = $name | .by = $by | .reason = $reason |
			.config = "/etc/init.d/one" | .service = {on: false, stopped: false, started: false,
			removed: false, mode_before: 493, mode_after: 493, script: "", before: [], after: []}] | .files = []')"
}

t "names and reasons of any length: columns, 80 of them, and the whole reason"
rl open --in-place --keep
long=service/a-service-with-a-name-that-is-longer-than-any-that-anybody-saw-1
record service/openbsd-inetd root "a reason which is longer than what is left of this line, by some words: end"
rl status
expect "$status" 0 "exits"
expect_match "$out" '^service/openbsd-inetd drifted  *-  *root    a reason' "the row"
expect "$(grep -o 'a reason.*' <<<"$out" | head -n 1)" "a reason which is longer ..." "the reason, cut"
expect_match "$(tr -s '\n ' ' ' <<<"$out")" 'reason a reason which .* by some words: end' "the whole reason"
rows=("$(grep -m 1 '^TOGGLE' <<<"$out")" "$(grep -m 1 '^service' <<<"$out")")
for word in WHY:'a reason' BY:root; do
	expect "$(awk -v s="${word#*:}" '{ print index($0, s) }' <<<"${rows[1]}")" \
		"$(awk -v s="${word%%:*}" '{ print index($0, s) }' <<<"${rows[0]}")" "the column of $word"
done
record "$long" somebody-with-a-long-name "ä ö ü, in $(printf 'ä%.0s' {1..60})"
rl status
expect_match "$out" "^$long *\$" "a name as long as can be, alone"
expect "$(LC_ALL=C.UTF-8 awk 'length($0) > 80' <<<"$out" | grep -v ä | wc -l)" 0 "lines of more than 80 columns"
expect_match "$(grep -m 1 'somebody' <<<"$out")" '^                 drifted   -                somebody-with-a-long-name ä ö ü' "its row"
rm -rf /var/lib/rootlatch

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

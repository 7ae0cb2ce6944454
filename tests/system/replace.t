#!/bin/bash
# Opening what is open: the same terms are no error and change nothing, others are refused, and with
# --replace they take the place of the first ones. However often that is done, closing leads back to
# the bytes of before the first opening.
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

A=192.0.2.10
B=192.0.2.11
watchers() { pgrep -cf 'rootlatch watch ' || true; }
state_of() { json '.results[] | select(.toggle == "root-login") | [.placement, .until != null, (.from | join(",")), (.closers | index("watcher") != null)] | map(tostring) | join(" ")'; }

# already OPTION...: 0, nothing written, and the deadline is as it was
already()
{
	local before until
	t "already, after open $opened: open $*"
	rl status --json
	until=$(json '.results[0].until')
	before=$(listing /etc /run/rootlatch /var/lib/rootlatch/state.json /var/lib/rootlatch/snapshots)
	rl open "$@" --json
	expect "$status" 0 "open exits"
	expect "$(json '[.ok, .changed, .results[0].state, .results[0].until] | map(tostring) | join(" ")')" \
		"true false applied $until" "JSON"
	expect "$(listing /etc /run/rootlatch /var/lib/rootlatch/state.json /var/lib/rootlatch/snapshots)" "$before" "the files"
	rl open "$@"
	expect "$status" 0 "open without --json exits"
	expect_match "$out" 'already' "stdout"
}

# other PATTERN OPTION...: 3, nothing written, and what it is that differs
other()
{
	local before pattern=$1
	shift
	t "refused, after open $opened: open $*"
	before=$(listing /etc /run/rootlatch /var/lib/rootlatch/state.json /var/lib/rootlatch/snapshots)
	rl open "$@"
	expect "$status" 3 "open exits"
	expect_match "$err" "$pattern" "what differs"
	expect_match "$err" '[Nn]othing was changed' "the message"
	expect_match "$err" '--replace' "what would do it"
	expect "$(listing /etc /run/rootlatch /var/lib/rootlatch/state.json /var/lib/rootlatch/snapshots)" "$before" "the files"
}

main_file "Include $d/*.conf\n$no"
opened="--from $A"
rl open --from $A
already --from $A
already --from $A --replace
already --from "$A/32, ::ffff:$A"
already --from $A --for 3h
already --from $A --until "$(date -d '+5 hours' +%Y-%m-%dT%H:%M)"
already --from $A --runtime
other 'other sources' --from $B
other 'other sources' --from $A,$B
other 'other sources'
other '--allow' --from $A --allow prohibit-password
other 'deadline' --from $A --keep
other 'placement' --from $A --drop-in
other 'placement' --from $A --in-place
rl close
opened=--keep
rl open --keep
already --keep
already --keep --drop-in
other 'sources' --keep --from $A
other 'deadline' --for 1h
other 'deadline'
other 'placement' --keep --in-place
rl close
opened='--in-place --keep --from'
rl open --in-place --keep --from $B,$A
already --in-place --keep --from $A,$B
other 'sources' --in-place --keep --from $A
other 'sources' --in-place --keep
rl close
next

# scope NAME: sets terms to open's options, and wants to what is to be seen
scope()
{
	case $1 in
	everybody) terms=(--runtime) wants="yes yes yes, runtime true  true" ;;
	'from A') terms=(--from $A) wants="yes no no, runtime true $A true" ;;
	'from B') terms=(--from $B) wants="no yes no, runtime true $B true" ;;
	'keys from B') terms=(--from $B --allow prohibit-password) wants="no without-password no, runtime true $B true" ;;
	'drop-in from B') terms=(--drop-in --keep --from $B) wants="no yes no, drop-in false $B false" ;;
	drop-in) terms=(--drop-in --keep) wants="yes yes yes, drop-in false  false" ;;
	in-place) terms=(--in-place --keep) wants="yes yes yes, in-place false  false" ;;
	'in-place from A') terms=(--in-place --keep --from $A) wants="yes no no, in-place false $A false" ;;
	'in-place for 2h') terms=(--in-place --for 2h) wants="yes yes yes, in-place true  true" ;;
	esac
}
scopes=(everybody 'from A' 'keys from B' 'drop-in from B' drop-in in-place 'in-place from A')

seen()
{
	run_quietly "$ROOTLATCH" status --json
	echo "$(root_gets), $(state_of)"
}

# From each scope to three others, and closed: of every two of the seven, one by the other one. With
# FULL=1 both by each other.
distances=(1 2 4)
[ -z "${FULL:-}" ] || distances=(1 2 3 4 5 6)
for i in "${!scopes[@]}"; do
	first=${scopes[i]}
	main_file "Include $d/*.conf\nX11Forwarding no\n$no"
	before=$(config_fingerprint)
	for distance in "${distances[@]}"; do
		second=${scopes[(i + distance) % ${#scopes[@]}]}
		t "--replace: $first by $second, and closed"
		scope "$first"
		rl open "${terms[@]}"
		expect "$status" 0 "open exits"
		expect "$(seen)" "$wants" "what is to be seen first"
		scope "$second"
		rl open --replace "${terms[@]}"
		expect "$status" 0 "open --replace exits"
		expect "$(seen)" "$wants" "what is to be seen then"
		rl check
		expect "$status" 0 "check exits"
		rl close
		expect "$status" 0 "close exits"
		expect "$(config_fingerprint)" "$before" "the files after close"
		expect "$(leftovers)" "" "leftovers"
		if [ -n "$tap_problems" ]; then
			next
			main_file "Include $d/*.conf\nX11Forwarding no\n$no"
		fi
	done
	next
done

t "--replace, again and again: the bytes of before the first come back"
main_file "X11Forwarding no\n$no"
before=$(config_fingerprint)
for name in in-place everybody 'from A' 'in-place from A' 'keys from B' 'in-place for 2h' 'from B' in-place 'from A'; do
	scope "$name"
	rl open --replace "${terms[@]}"
	expect "$status" 0 "open, $name, exits"
	expect "$(seen)" "$wants" "what is to be seen, $name"
done
for i in {1..50}; do [ "$(watchers)" -gt 1 ] || break; sleep 0.1; done
expect "$(watchers)" 1 "watchers"
expect "$(find /run/rootlatch/watch -type f | wc -l)" 1 "files of watchers"
rl close
expect "$status" 0 "close exits"
expect "$(config_fingerprint)" "$before" "the files after close"
expect "$(leftovers)" "" "leftovers"
for i in {1..50}; do [ "$(watchers)" -gt 0 ] || break; sleep 0.1; done
expect "$(watchers)" 0 "watchers after close"
next

t "--replace where nothing is open opens"
main_file "$no"
rl open --replace --from $A
expect "$status" 0 "open exits"
expect "$(root_gets)" "yes no no" "what root gets"

t "--replace that is refused leaves what is open as it is"
rl status --json
was=$(json '.results[0] | [.id, .until] | join(" ")')
echo 'Prot 2' >>$main
listing /etc /run/rootlatch >/tmp/before
rl open --replace --from $B
expect "$status" 3 "open exits"
expect "$(listing /etc /run/rootlatch)" "$(</tmp/before)" "the files"
sed -i '/^Prot/d' $main
printf 'Match Address 198.51.100.0/24\n\tPermitRootLogin no\nMatch User root\n\tPermitRootLogin no\n' >>$main
listing /etc /run/rootlatch >/tmp/before
rl open --replace
expect "$status" 3 "open that can't be for everybody exits"
expect "$(listing /etc /run/rootlatch)" "$(</tmp/before)" "the files"
rl status --json
expect "$(json '.results[0] | [.id, .until] | join(" ")')" "$was" "what is open"
expect "$(root_gets)" "yes no no" "what root gets"

t "--replace after an edit of the administrator's: ours alone is replaced and closed, theirs stays"
echo '# by hand' >>$main
edited=$(tail -n +3 $main)
rl open --replace --from $B
expect "$status" 0 "open exits"
expect "$(root_gets)" "no yes no" "what root gets"
expect "$(tail -n +3 $main)" "$edited" "the file below our lines"
rl close
expect "$status" 0 "close exits"
expect "$(cat $main)" "$edited" "the file after close"
expect "$(leftovers)" "" "leftovers"
next

t "--replace by real logins: the first source is out, the second is in, by one reload"
main_file "${common}$no"
before=$(config_fingerprint)
sshd_start
rl open --from $A
expect "$(outcomes)" "in refused in refused refused refused in" "first"
listener=$(sshd_pids)
rl open --replace --from $B --json
expect "$status" 0 "open exits"
expect "$(json '.results[0].reloaded')" 1 "reloads"
expect "$(sshd_pids)" "$listener" "the daemon"
expect "$(outcomes)" "refused in refused in refused refused in" "then"
rl open --replace --keep --in-place
expect "$(outcomes)" "in in in in in in in" "for everybody"
rl open --replace --from $A
expect "$(outcomes)" "in refused in refused refused refused in" "and back"
rl close
expect "$status" 0 "close exits"
expect "$(outcomes)" "$closed" "after"
expect "$(config_fingerprint)" "$before" "the files after close"
sshd_stop

done_testing

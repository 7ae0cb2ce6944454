#!/bin/bash
# A state that is torn, altered, newer than we are, or not root's alone is refused, and the files
# that it is about stay untouched. Markers without a state are found.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
sandbox_enter

main=/etc/ssh/sshd_config
state=/var/lib/rootlatch

opened()
{
	rm -rf $state
	etc_ssh_reset
	printf 'PermitRootLogin no\nX11Forwarding no\n' | write $main
	before=$(fingerprint $main)
	rl open --in-place --keep --reason "the state" --json
	expect "$status" 0 "open exits"
	id=$(json '.results[0].id')
}

# distrusted NAME DAMAGE
distrusted()
{
	t "refused: $1"
	opened
	eval "$2"
	listing /etc/ssh >/tmp/before
	for command in close "open --in-place --keep --allow prohibit-password" recover; do
		# shellcheck disable=SC2086 # words
		run timeout 10 "$ROOTLATCH" $command
		expect "$status" 3 "$command exits"
		expect_match "$err" "$state" "the message names it"
		expect "$(listing /etc/ssh)" "$(</tmp/before)" "the files"
	done
	for command in status check; do
		run timeout 10 "$ROOTLATCH" $command
		expect_not "$status" 0 "$command exits"
	done
	expect "$(permits root)" yes "sshd's answer, still"
	chattr -i $state/state.json 2>/dev/null
}

distrusted "the state file, torn in the middle" 'truncate -s $(($(stat -c %s $state/state.json) / 2)) $state/state.json'
distrusted "the state file, without its last byte but one" \
	'truncate -s $(($(stat -c %s $state/state.json) - 2)) $state/state.json'
distrusted "the state file, empty" ': >$state/state.json'
distrusted "the state file, no JSON" 'echo "root-login is open" >$state/state.json'
distrusted "the state file, JSON of another shape" 'echo "[]" >$state/state.json'
distrusted "the state file, one word altered" 'sed -i s/the\ state/the\ stale/ $state/state.json'
distrusted "the state file, of a newer schema" \
	'sed -i "s/\"schema\": *[0-9]*/\"schema\": 999/" $state/state.json; grep -q 999 $state/state.json || problem "no schema in state.json"'
distrusted "the state file, zeros of the same size" \
	'n=$(stat -c %s $state/state.json); head -c $n /dev/zero >$state/state.json'
distrusted "the state file, writable by all" 'chmod 666 $state/state.json'
distrusted "the state file, another's" 'chown alice $state/state.json'
distrusted "the state file, a symlink" 'mv $state/state.json $state/other; ln -s other $state/state.json'
distrusted "the state file, a FIFO" 'rm $state/state.json; mkfifo $state/state.json'
distrusted "the state folder, writable by all" 'chmod 777 $state'
distrusted "the state folder, another's" 'chown alice $state'
distrusted "the state folder, a symlink" 'mv $state /var/lib/elsewhere; ln -s elsewhere $state'
rm -rf /var/lib/elsewhere
distrusted "the journal, garbage" 'echo garbage >$state/journal'

t "a state folder that anybody could have made: refused on the first open"
rm -rf $state
etc_ssh_reset
printf 'PermitRootLogin no\n' | write $main
mkdir -m 777 $state
is_refused
rm -rf $state

t "a cloned image: check finds markers without a state, and names them"
opened
rm -rf $state
rl check
expect "$status" 2 "check exits"
expect_match "$out$err" "$id" "the id is named"
expect_match "$out$err" "$main" "the file is named"
listing /etc/ssh >/tmp/before
rl status
expect "$(listing /etc/ssh)" "$(</tmp/before)" "the files after status"
rl close
expect "$status" 4 "close exits"
expect_match "$err" "$main line [0-9]+: a marker" "what close says"
expect_match "$err" 'OPEN' "what it says of the login"
expect "$(listing /etc/ssh)" "$(</tmp/before)" "the files after close"
rl open --in-place --keep
expect "$status" 3 "open exits"

t "a snapshot that is gone or altered: ours is taken out by its markers, or it is refused"
for damage in 'rm -rf $state/snapshots' 'find $state/snapshots -type f -exec sh -c "echo x >>\$1" - {} \;'; do
	opened
	eval "$damage"
	rl close
	case $status in
	0) expect "$(cat $main)" $'PermitRootLogin no\nX11Forwarding no' "the file ($damage)" ;;
	3 | 4) expect_match "$err" 'OPEN|a person must look' "the message ($damage)" ;;
	*) problem "close exits $status ($damage)" ;;
	esac
done

t "the twin beside the file is gone or altered: the file still comes back"
for damage in 'rm -f /etc/ssh/.rootlatch-*' 'for f in /etc/ssh/.rootlatch-*; do echo "PermitRootLogin yes" >$f; done'; do
	opened
	eval "$damage"
	rl close
	expect "$status" 0 "close exits ($damage)"
	expect "$(cat $main)" $'PermitRootLogin no\nX11Forwarding no' "the file ($damage)"
	# What somebody wrote into the old file, by a descriptor from before, is kept and named.
	for left in $(leftovers); do
		expect_match "$err" "$left" "the warning of what is kept ($damage)"
		rm -f "$left"
	done
done

t "modes: folders 0700, files 0600, whatever they hold"
opened
expect "$(find $state -type d ! -perm 700)" "" "folders of another mode"
expect "$(find $state -type f -perm /077)" "" "files that others may read"
rl close
expect "$(fingerprint $main)" "$before" "the file"

t "the log: one JSON line an event, and a lost log is no failure"
rl log
n=$(wc -l <$state/log)
expect "$(jq -s length <$state/log 2>&1)" "$n" "JSON lines"
rm $state/log && mkdir $state/log
rl open --in-place --keep
expect "$status" 0 "open exits"
rl close
expect "$status" 0 "close exits"
expect "$(fingerprint $main)" "$before" "the file"

done_testing

#!/bin/bash
# The options that say where and how, and what must not matter: the environment, the umask, closed
# descriptors, and what a reason contains.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
sandbox_enter

main=/etc/ssh/sshd_config
plain() { printf 'PermitRootLogin no\nX11Forwarding no\n' | write $main; }
next() { etc_ssh_reset; plain; }
plain
before=$(fingerprint $main)
open_and_close()
{
	expect "$status" 0 "open exits"
	expect "$(permits root)" yes "sshd's answer"
	rl close "$@"
	expect "$status" 0 "close exits"
	expect "$(fingerprint $main)" "$before" "the file after close"
	expect "$(leftovers)" "" "leftovers"
}

t "--sshd-config: another instance's file, and only that"
main_before=$(fingerprint $main)
printf 'Port 2222\nPermitRootLogin no\n' | write /etc/ssh/second_config
second_before=$(fingerprint /etc/ssh/second_config)
rl open --in-place --keep --sshd-config /etc/ssh/second_config --json
expect "$status" 0 "open exits"
expect "$(json '.results[0].toggle')" "root-login@/etc/ssh/second_config" "toggle"
expect "$(fingerprint $main)" "$main_before" "the main file"
expect "$(sshd_config=/etc/ssh/second_config permits root)" yes "sshd's answer for the second"
expect "$(permits root)" no "sshd's answer for the main file"
rl status --json
expect_match "$(json '.results[] | [.toggle, .state] | join(" ")')" '^root-login@/etc/ssh/second_config applied$' "status"
rl open --in-place --keep
expect "$status" 0 "open of the main one exits"
rl close
expect "$status" 0 "close of the main one exits"
expect "$(fingerprint $main)" "$main_before" "the main file"
expect "$(sshd_config=/etc/ssh/second_config permits root)" yes "sshd's answer for the second"
rl revert root-login@/etc/ssh/second_config
expect "$status" 0 "revert exits"
expect "$(fingerprint /etc/ssh/second_config)" "$second_before" "the second file"
expect "$(leftovers)" "" "leftovers"
rl open --in-place --keep --sshd-config /etc/ssh/second_config
rl close --sshd-config /etc/ssh/second_config
expect "$status" 0 "close --sshd-config exits"
expect "$(fingerprint /etc/ssh/second_config)" "$second_before" "the second file, again"
rl open --in-place --keep --sshd-config /etc/ssh/nothing
expect "$status" 3 "open with --sshd-config of no file exits"
next

t "--state-dir: everything of ours is there, and nothing elsewhere"
rl open --in-place --keep --state-dir /var/lib/elsewhere
expect "$([ -s /var/lib/elsewhere/state.json ] && [ ! -e /var/lib/rootlatch ]; echo $?)" 0 "where the state is"
expect "$(stat -c %a /var/lib/elsewhere)" 700 "its mode"
expect "$(find /var/lib/elsewhere ! -type d -perm /077)" "" "files that others may read"
rl check --state-dir /var/lib/elsewhere
expect "$status" 0 "check exits"
rl open --in-place --keep --state-dir /var/lib/elsewhere
open_and_close --state-dir /var/lib/elsewhere
next

t "options before the command, and -n"
rl --json --state-dir /var/lib/elsewhere open --in-place --keep -n
expect "$status" 2 "exit status"
expect "$(json .command)" open "JSON"
next

t "--diff shows what was done"
rl open --in-place --keep --diff
expect_match "$out" '^\+PermitRootLogin yes$' "stdout"
open_and_close
next

t "--json is one document on stdout, and --quiet leaves it there"
rl open --in-place --keep --json --quiet --verbose
expect "$(jq -s length <<<"$out" 2>&1)" 1 "documents"
open_and_close
next

t "the environment does not matter"
run env -i AUGEAS_ROOT=/nowhere AUGEAS_LENS_LIB=/nowhere PATH=/nowhere LC_ALL=xx_XX IFS=/ ENV=/nowhere \
	TZ=Antarctica/Troll HOME=/nowhere TMPDIR=/nowhere "$ROOTLATCH" open --in-place --keep
open_and_close
next

t "the umask does not matter"
(umask 0 && "$ROOTLATCH" open --in-place --keep >/dev/null 2>&1)
status=$?
expect "$(find /var/lib/rootlatch -perm /077)" "" "what others may read, with umask 0"
open_and_close
next
(umask 0777 && "$ROOTLATCH" open --in-place --keep >/dev/null 2>&1)
status=$?
open_and_close
next

t "closed descriptors do not matter"
"$ROOTLATCH" open --in-place --keep <&- >&- 2>&-
status=$?
open_and_close
next

t "the current folder does not matter, even where it is gone"
mkdir /tmp/gone
status=$(cd /tmp/gone && rmdir /tmp/gone && "$ROOTLATCH" open --in-place --keep >/dev/null 2>&1; echo $?)
open_and_close
next

for reason in $'a\e[31mred' $'a\e]0;title\a' $'one line\nroot-login closed' $'\x9b31m' "$(printf 'x%.0s' {1..600})"; do
	printf -v shown %q "${reason:0:20}"
	t "usage: a reason that would not be shown as it is: $shown"
	before_reason=$(listing /etc/ssh /var/lib)
	rl open --in-place --keep --reason "$reason"
	expect "$status" 64 "open exits"
	expect "$(listing /etc/ssh /var/lib)" "$before_reason" "the files"
done

t "a reason is kept, quotes and all; what the environment says is shown without control characters"
reason=$'"quoted" \\ \u2192 \'caf\u00e9\' %s $(id)'
run env SUDO_USER=$'a\e[31mred\e]0;title\a\nroot-login closed' "$ROOTLATCH" open --in-place --keep --reason "$reason"
expect "$status" 0 "open exits"
rl status --json
expect "$(json '.results[] | select(.toggle == "root-login") | .reason')" "$reason" "the reason, in JSON"
for command in status log; do
	rl $command
	expect "$(LC_ALL=C tr -cd '\033\007\233' <<<"$out" | wc -c)" 0 "control characters in $command"
	expect_no_match "$out" '^root-login closed' "a line of its own making in $command"
	rl $command --json
	expect "$(json type)" object "$command --json"
done
rl close
expect "$status" 0 "close exits"
next

t "no colour where stdout is no terminal"
rl open --in-place --keep
expect_no_match "$out" $'\e' "stdout of open"
open_and_close
next

t "one failure in the log too: a refusal"
echo 'Prot 2' >>$main
rl open --in-place --keep --reason "this one is refused"
expect "$status" 3 "open exits"
plain
rl open --in-place --keep
open_and_close
rl log
expect_match "$out" 'refused' "log"
next

t "an edit by hand, ours undone by --yes or not, never by a wrong guess: close of what is not open"
printf 'PermitRootLogin yes\n' | write $main
hand=$(fingerprint $main)
rl close
expect "$(fingerprint $main)" "$hand" "the file"

done_testing

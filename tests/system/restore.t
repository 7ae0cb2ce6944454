#!/bin/bash
# A snapshot can be restored without rootlatch: restore.sh undoes exactly, by a POSIX shell and the
# POSIX utilities, besides sshd.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
sandbox_enter

main=/etc/ssh/sshd_config
d=/etc/ssh/sshd_config.d

# PATH holds what POSIX has, and sshd, and nothing else.
mkdir /opt/posix
for utility in awk basename cat chgrp chmod chown cksum cmp comm cp cut date dd df diff dirname du echo \
	ed env expr false find fold getconf grep head id join kill ln logger ls mkdir mkfifo mv nl nohup od \
	paste pathchk pr printf ps pwd rm rmdir sed sh sleep sort split strings tail tee test touch tr true \
	tsort tty umask uname uniq wait wc xargs; do
	path=$(type -P $utility) && ln -s "$path" /opt/posix/$utility
done
ln -s /usr/sbin/sshd /opt/posix/sshd

# restore SHELL [OPTION...]: of the snapshot $id
restore()
{
	local shell
	shell=$(type -P "$1") && shift &&
		run env -i PATH=/opt/posix "$shell" "$@" "/var/lib/rootlatch/snapshots/$id/restore.sh"
}

opened()
{
	etc_ssh_reset
	printf 'Include %s/*.conf\nUsePAM yes\nPermitRootLogin forced-commands-only\n' $d | write $main 640
	printf 'PermitRootLogin no\n' | write $d/10.conf 600
	chgrp mail $main
	before=$(config_fingerprint)
	[ "${1-}" != daemon ] || sshd_start
	rl open --in-place --keep --json
	expect "$status" 0 "open exits"
	id=$(json '.results[0].id')
}

for shell in dash "busybox sh" "bash --posix"; do
	read -ra words <<<"$shell"
	type -P "${words[0]}" >/dev/null || { skip "$shell" "no ${words[0]}"; continue; }

	t "$shell: exact undo, without a daemon"
	opened
	expect "$(permits root)" yes "sshd's answer while open"
	restore "${words[@]}"
	expect "$status" 0 "restore.sh exits"
	expect "$(config_fingerprint)" "$before" "the files"
	expect "$(leftovers)" "" "leftovers"
	expect "$(permits root)" no "sshd's answer"

	t "$shell: a second run is harmless"
	listing /etc/ssh >/tmp/before
	restore "${words[@]}"
	expect "$status" 0 "restore.sh exits"
	expect "$(listing /etc/ssh)" "$(</tmp/before)" "the files"

	t "$shell: afterwards status tells the truth, and close tidies the state"
	rl check
	expect_match "$status" '^[02]$' "check exits"
	rl status --json
	expect_not "$(json '.results[] | select(.toggle == "root-login") | .state')" applied "status"
	rl close
	expect "$status" 0 "close exits"
	expect "$(config_fingerprint)" "$before" "the files"
	rl status --json
	expect "$(json '[.results[] | select(.state != "normal")] | length')" 0 "toggles that are not normal"
	rl check
	expect "$status" 0 "check exits"

	t "$shell: a file that was changed since is not overwritten"
	opened
	echo 'PrintMotd yes' >>$main
	listing /etc/ssh >/tmp/before
	restore "${words[@]}"
	expect_not "$status" 0 "restore.sh exits"
	expect_not "${#err}" 0 "length of its message"
	expect "$(listing /etc/ssh)" "$(</tmp/before)" "the files"
	rl close
	expect "$status" 0 "close exits"
done

t "with a daemon: it is reloaded, and root is refused"
opened daemon
expect "$(login_key root)" in "root while open"
listener=$(sshd_pids)
restore dash
expect "$status" 0 "restore.sh exits"
sshd_answers
sleep 0.1
expect "$(sshd_pids)" "$listener" "listener"
expect "$(login_key root) $(login_key alice)" "refused in" "root and alice"
rl close
expect "$status" 0 "close exits"
sshd_stop

t "ACL and xattrs come back too"
etc_ssh_reset
printf 'PermitRootLogin no\n' | write $main
if setfattr -n user.note -v "a note" $main 2>/dev/null && setfacl -m u:alice:r $main; then
	touch -d '2009-05-14 03:12:45.5 UTC' $main
	before=$(config_fingerprint)
	rl open --in-place --keep --json
	id=$(json '.results[0].id')
	restore dash
	expect "$status" 0 "restore.sh exits"
	expect "$(config_fingerprint)" "$before" "the file"
else
	expect skipped skipped "no xattrs on this filesystem"
fi

t "the undo would be rejected by sshd: said, and sshd is not reloaded"
opened daemon
socket=$(sshd_socket)
echo 'Prot 2' >$d/00-broken.conf
restore dash
expect_not "$status" 0 "restore.sh exits"
expect "$(sshd_socket)" "$socket" "listening sockets"
rm $d/00-broken.conf
rl close --yes
expect "$status" 0 "close exits"
sshd_stop

done_testing

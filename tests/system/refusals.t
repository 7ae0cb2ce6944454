#!/bin/bash
# What is refused is refused before anything is touched, with the exit status that scripts depend
# on, and the reason is named.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
sandbox_enter

main=/etc/ssh/sshd_config
d=/etc/ssh/sshd_config.d
state=/var/lib/rootlatch
plain() { printf 'Port 22\nPermitRootLogin no\nX11Forwarding no\n' | write $main; }
next() { etc_ssh_reset; chmod 755 /etc/ssh; chgrp root /etc/ssh; plain; }
plain

# ---- Files that are not safe to replace

t "refused: a symlink, with its target named"
mv $main /etc/ssh/real && ln -s real $main
because='(symlink|symbolic link).*real' is_refused
next

t "refused: a hard link"
ln $main /etc/ssh/other
because='hard link' is_refused
next

t "refused: a FIFO, at once"
rm $main && mkfifo $main
listing /etc/ssh >/tmp/before
run timeout 5 "$ROOTLATCH" open --in-place --keep
expect "$status" 3 "open exits"
expect_match "$err" '[Nn]othing was changed' "the message"
expect "$(listing /etc/ssh)" "$(</tmp/before)" "the files"
rm $main
next

t "refused: a folder in the file's place"
rm $main && mkdir $main
is_refused
rmdir $main
next

t "refused: no file at all"
rm $main
is_refused
next

t "refused: another owner"
chown alice $main
because='alice|owne|2001' is_refused
next

for mode in 664 646 666; do
	t "refused: a file of mode $mode, group mail"
	chgrp mail $main && chmod $mode $main
	because="writ|mode" is_refused
	next
done

for mode in 777 775 1777; do
	t "refused: a folder of mode $mode, group mail"
	chgrp mail /etc/ssh
	chmod $mode /etc/ssh
	because="/etc/ssh" is_refused
	next
done

t "refused: a folder of another owner"
chown alice /etc/ssh
because="/etc/ssh" is_refused
chown root /etc/ssh
next

t "refused: an ACL that lets somebody else write"
if setfacl -m u:alice:rw $main 2>/dev/null; then
	is_refused
	next
else
	skip "refused: an ACL that lets somebody else write" "no ACLs on this filesystem"
fi

for flag in i a; do
	if chattr +$flag $main 2>/dev/null; then
		t "refused: chattr +$flag, named, and not cleared"
		because='immutable|append' is_refused
		expect_match "$(lsattr $main | cut -d' ' -f1)" "$flag" "the flag"
		chattr -$flag $main
		next
	else
		skip "refused: chattr +$flag" "no such flag on this filesystem"
	fi
done

t "refused: a file that is bind-mounted read-only"
mount --bind $main $main && mount -o remount,bind,ro $main
because='/etc/ssh/sshd_config' is_refused
umount $main
next

t "refused: a file that is bind-mounted, and could not be renamed over"
mount --bind $main $main
because='/etc/ssh/sshd_config' is_refused
umount $main
next

t "refused: a folder that is read-only"
mount --bind /etc/ssh /etc/ssh && mount -o remount,bind,ro /etc/ssh
because='[Rr]ead-only|read only' is_refused
umount /etc/ssh
next

# The same for an included file that holds the deciding line
printf 'Include %s/*.conf\n' $d | write $main
included=$d/10.conf
next_included() { etc_ssh_reset; printf 'Include %s/*.conf\n' $d | write $main; echo 'PermitRootLogin no' | write $included; }
next_included
t "refused: the deciding line is in a symlink"
mv $included /etc/ssh/real && ln -s ../real $included
because='10.conf' is_refused
next_included
t "refused: the deciding line is in a hard link"
ln $included /etc/ssh/other
because='10.conf' is_refused
next_included
t "refused: the deciding line is in a file that anybody can write"
chmod 666 $included
because='10.conf' is_refused
next_included
t "refused: the deciding line is in a folder that anybody can write"
chmod 777 $d
because='sshd_config.d' is_refused
chmod 755 $d
next

# ---- Attributes are kept

t "ACL and xattrs are kept, open and closed"
if setfattr -n user.note -v "a note" $main 2>/dev/null && setfacl -m u:alice:r $main; then
	setfattr -n trusted.note -v "another" $main 2>/dev/null
	touch -d '2009-05-14 03:12:45.5 UTC' $main
	attributes=$(getfattr -d -m - -e hex --absolute-names $main | sort)
	before=$(fingerprint $main)
	rl open --in-place --keep
	expect "$status" 0 "open exits"
	expect "$(getfattr -d -m - -e hex --absolute-names $main | sort)" "$attributes" "xattrs while open"
	expect "$(permits root)" yes "sshd's answer"
	rl close
	expect "$status" 0 "close exits"
	expect "$(fingerprint $main)" "$before" "the file after close"
	next

	t "a default ACL of the folder does not get onto the file"
	setfacl -d -m u:alice:rw /etc/ssh
	before=$(fingerprint $main)
	rl open --in-place --keep
	expect "$status" 0 "open exits"
	expect "$(getfattr -d -m - --absolute-names $main)" "" "xattrs while open"
	expect "$(stat -c %a $main)" 644 "mode while open"
	rl close
	expect "$(fingerprint $main)" "$before" "the file after close"
	setfacl -k /etc/ssh
	next
else
	skip "ACL and xattrs are kept" "none on this filesystem"
	next
fi

# ---- What is not asked for properly

not_done()
{
	local wanted=$1 name=$2
	shift 2
	t "exit status $wanted: $name"
	listing /etc /var/lib >/tmp/before
	run "$@"
	expect "$status" "$wanted" "exit status"
	expect_not "${#err}" 0 "length of the message"
	expect "$(listing /etc /var/lib)" "$(</tmp/before)" "the files"
}

refused_with_words() { not_done 3 "$@"; expect_match "$err" '[Nn]othing was changed' "the message"; }
refused_with_words "a window under 60 s" "$ROOTLATCH" open --for 59
refused_with_words "a window under 60 s, in place" "$ROOTLATCH" open --in-place --for 30
refused_with_words "a deadline in the past" "$ROOTLATCH" open --until 2009-03-01
because_json=$("$ROOTLATCH" open --for 59 --json 2>/dev/null)
expect "$(jq -r '[.ok, .changed, .results[0].error.code != null, .results[0].error.message != null] | join(" ")' \
	<<<"$because_json")" "false false true true" "the same, as JSON"

for command in open close revert recover; do
	arguments=()
	[ $command != open ] || arguments=(--in-place --keep)
	[ $command != revert ] || arguments=(root-login)
	not_done 77 "$command, by alice" setpriv --reuid=2001 --regid=2001 --clear-groups \
		"$ROOTLATCH" $command "${arguments[@]}"
done

not_done 64 "no command" "$ROOTLATCH"
not_done 64 "an unknown command" "$ROOTLATCH" opne
not_done 64 "an unknown option" "$ROOTLATCH" open --in-place --keep --frobnicate
not_done 64 "an unknown value of --allow" "$ROOTLATCH" open --in-place --keep --allow maybe
not_done 64 "an argument too many" "$ROOTLATCH" open --in-place --keep now
not_done 64 "--keep and --for" "$ROOTLATCH" open --in-place --keep --for 1h
not_done 64 "show without an ID" "$ROOTLATCH" show
not_done 64 "revert without a toggle" "$ROOTLATCH" revert
not_done 64 "an option without its value" "$ROOTLATCH" open --in-place --keep --reason
not_done 64 "--wait that is no number" "$ROOTLATCH" open --in-place --keep --wait soon

t "--help and --version are on stdout, and 0"
rl --help
expect "$status" 0 "--help exits"
expect_match "$out" 'open' "--help"
expect "$err" "" "its stderr"
rl --version
expect "$status" 0 "--version exits"
expect_match "$out" '^rootlatch [0-9]' "--version"

# ---- --dry-run

t "--dry-run writes nothing at all, and says 2 for what it would do"
rm -rf $state
listing / -xdev -path /proc -prune -o -path /dev -prune -o -path /tmp -prune -o -path /usr -prune -o >/tmp/before
rl open --in-place --keep --dry-run --diff
expect "$status" 2 "open --dry-run exits"
expect "$(listing / -xdev -path /proc -prune -o -path /dev -prune -o -path /tmp -prune -o -path /usr -prune -o)" \
	"$(</tmp/before)" "all files"
expect_match "$out" '^-PermitRootLogin no$' "--diff"
expect_match "$out" '^\+PermitRootLogin yes$' "--diff"
rl open --in-place --keep -n --json
expect "$status" 2 "-n --json exits"
expect "$(json '.command')" open "-n --json"

t "close --dry-run writes nothing, and says 2 where it would close"
rl open --in-place --keep
expect "$status" 0 "open exits"
listing /etc /var/lib >/tmp/before
rl close --dry-run --diff
expect "$status" 2 "close --dry-run exits"
expect_match "$out" '^\+PermitRootLogin no$' "--diff"
expect "$(listing /etc /var/lib)" "$(</tmp/before)" "the files"

# ---- A second open

t "a second open of the same is 0, and nothing is written"
listing /etc $state/state.json $state/snapshots >/tmp/before
rl open --in-place --keep --json
expect "$status" 0 "open exits"
expect "$(json '[.ok, .changed, .results[0].state] | join(" ")')" "true false applied" "JSON"
expect "$(listing /etc $state/state.json $state/snapshots)" "$(</tmp/before)" "the files"
rl open --in-place --keep --dry-run
expect "$status" 0 "with --dry-run, it exits"

t "another open on other terms is 3, and nothing is written"
rl open --in-place --keep --allow prohibit-password
expect "$status" 3 "open exits"
expect_match "$err" '[Nn]othing was changed' "the message"
expect "$(listing /etc $state/state.json $state/snapshots)" "$(</tmp/before)" "the files"
expect "$(permits root)" yes "sshd's answer"
rl close
expect "$status" 0 "close exits"

# ---- The lock

t "exit status 75 while another one holds the lock, and status is not in its way"
exec 9>>$state/lock && flock 9
listing /etc >/tmp/before
rl open --in-place --keep
expect "$status" 75 "open exits"
run timeout 10 "$ROOTLATCH" open --in-place --keep --wait 1
expect "$status" 75 "open --wait 1 exits"
rl close
expect "$status" 75 "close exits"
expect "$(listing /etc)" "$(</tmp/before)" "the files"
rl status
expect "$status" 0 "status exits"
exec 9>&-
flock $state/lock sleep 0.5 &
sleep 0.1
rl open --in-place --keep --wait 10
expect "$status" 0 "open --wait 10, with the lock free after half a second, exits"
wait
rl close
next

# ---- A baseline that would not survive the reload

t "refused: sshd does not accept its own configuration; file and line are named"
printf 'PermitRootLogin no\nInclude %s/*.conf\n' $d | write $main
printf '# Ours\n\nProt 2\n' | write $d/50-team.conf
because='50-team.conf line 3' is_refused
next

if ip address add 192.0.2.50/32 dev lo; then
	t "refused: an address that this host no longer has would not survive a reload"
	printf 'ListenAddress 127.0.0.1\nListenAddress 192.0.2.50\nPermitRootLogin no\n' | write $main
	sshd_start
	ip address delete 192.0.2.50/32 dev lo
	listener=$(sshd_pids) socket=$(sshd_socket)
	because='192.0.2.50' is_refused
	expect "$(sshd_pids) $(sshd_socket)" "$listener $socket" "the daemon"
	sshd_stop
	next
fi

t "refused: a file that is newer than what the daemon has loaded"
printf 'Include %s/*.conf\nPermitRootLogin no\n' $d | write $main
sshd_start
sleep 0.05
socket=$(sshd_socket)
echo 'X11Forwarding no' >$d/50-team.conf
because='50-team.conf' is_refused
expect "$(sshd_socket)" "$socket" "listening socket"
rl open --in-place --keep --yes
expect "$status" 0 "open --yes exits"
expect "$(permits root)" yes "sshd's answer"
rl close
expect "$status" 0 "close exits"
sleep 0.05
echo '#' >>$d/50-team.conf
is_refused
kill -HUP "$(sshd_pids)"
sleep 0.2
sshd_answers
rl open --in-place --keep
expect "$status" 0 "open after the administrator's own reload exits"
rl close
sshd_stop

done_testing

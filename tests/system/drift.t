#!/bin/bash
# The host is changed by somebody else while a login is open. Closing undoes ours alone, and
# theirs stays; or, where that cannot be told apart, it is refused, shown, and said to be open.
# In no case is root admitted by what is ours and said to be closed.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
sandbox_enter

main=/etc/ssh/sshd_config
d=/etc/ssh/sshd_config.d

# opened: the file, opened; its marker is $marker
opened()
{
	etc_ssh_reset
	write $main 640 <<END
Include $d/*.conf
Port 22
PermitRootLogin no
X11Forwarding no
PermitRootLogin forced-commands-only
PrintMotd no
END
	echo 'PrintLastLog no' | write $d/20.conf
	cp -p $main /tmp/original
	rl open --in-place --keep --json
	expect "$status" 0 "open exits"
	id=$(json '.results[0].id')
	marker="#rootlatch:$id#"
}

notices()
{
	rl check
	expect "$status" 2 "check exits"
	rl check --json
	expect "$status" 2 "check --json exits"
	rl status --json
	expect "$(json '.results[] | select(.toggle == "root-login") | .state')" drifted "status"
}

# ours_alone NAME EDIT: the edit, done to the file while open, is the same as done to the original
ours_alone()
{
	t "ours alone is undone: $1"
	opened
	eval "$2"
	notices
	rl close --json
	expect "$status" 0 "close exits"
	expect "$(json '.results[0].state')" normal "its JSON"
	cp -p $main /tmp/after
	cp -p /tmp/original $main
	eval "$2"
	expect "$(cat /tmp/after)" "$(cat $main)" "the file"
	expect "$(stat -c '%a %U:%G' /tmp/after)" "$(stat -c '%a %U:%G' $main)" "its mode and owner"
	cp -p /tmp/after $main
	expect "$(permits root)" no "sshd's answer"
	expect "$(leftovers)" "" "leftovers"
	rl check
	expect "$status" 0 "check afterwards exits"
}

# refused NAME EDIT: closing would be a guess
refused()
{
	t "refused, and said to be open: $1"
	opened
	eval "$2"
	notices
	listing /etc/ssh >/tmp/before
	rl close
	expect "$status" 3 "close exits"
	expect_match "$err" '[Nn]othing was changed' "the message"
	expect_match "$err" 'OPEN' "the message"
	expect_match "$err" '^ *[-+].*(rootlatch|PermitRootLogin)|lines? [0-9]+' "the difference, or where it is"
	expect "$(listing /etc/ssh)" "$(</tmp/before)" "the files"
	rl status --json
	expect_match "$(json '.results[] | select(.toggle == "root-login") | .state')" 'drifted|in-doubt' "status"
	rl show "$id"
	expect "$status" 0 "show exits"
}

# honest NAME EDIT: either is right; what is said has to be true
honest()
{
	t "undone or refused, and the truth is said: $1"
	opened
	eval "$2"
	notices
	listing /etc/ssh >/tmp/before
	rl close --json
	case $status in
	0 | 4)
		# Only what is somebody else's may keep root in, and then it is said.
		if [ "$(permits root)" = yes ]; then
			expect "$status" 4 "close exits, where root still gets in"
			expect_match "$out$err" 'person must look' "the message"
		else
			expect "$status" 0 "close exits"
		fi
		expect "$(json '.results[0].state')" normal "close's JSON"
		expect "$(leftovers)" "" "leftovers"
		rl check
		expect "$status" 0 "check afterwards exits"
		;;
	3)
		expect "$(listing /etc/ssh)" "$(</tmp/before)" "the files"
		[ "$(permits root)" != yes ] || expect_match "$err" OPEN "the message"
		;;
	*) problem "close exits $status" ;;
	esac
}

ours_alone "a line appended" "echo 'PrintMotd yes' >>$main"
ours_alone "a Match block appended" "printf 'Match User alice\n\tX11Forwarding yes\n' >>$main"
ours_alone "sed -i of another line" "sed -i 's/X11Forwarding no/X11Forwarding yes/' $main"
ours_alone "a line inserted on top" "sed -i '1i # by hand' $main"
ours_alone "another line deleted" "sed -i '/^Port/d' $main"
ours_alone "all other lines changed" "sed -i -e 's/^Port 22/Port 2022/' -e 's/^X11.*/X11Forwarding yes/' -e 's/^Pri.*/PrintMotd yes/' -e '/^Include/d' $main"
ours_alone "the final newline removed" "truncate -s -1 $main"
ours_alone "the file made CRLF by an editor, but for our lines" "sed -i '/rootlatch\|PermitRoot/!s/\$/\r/' $main"
ours_alone "the mode changed alone" "chmod 600 $main"
ours_alone "the owner changed alone" "chgrp mail $main"

t "exactly undone: the file touched, the file copied over itself with a new inode"
opened
touch $main
rl close
expect "$status" 0 "close after touch exits"
expect "$(cat $main)" "$(cat /tmp/original)" "the file"
opened
cp -p $main /tmp/package && mv /tmp/package $main
rl close
expect "$status" 0 "close after a new inode exits"
expect "$(cat $main; stat -c '%a %U:%G %y' $main)" "$(cat /tmp/original; stat -c '%a %U:%G %y' /tmp/original)" "the file"
expect "$(leftovers)" "" "leftovers"

refused "our marker deleted, our line left" "sed -i \"/^\$marker PermitRootLogin no/d\" $main"
refused "our first marker copied" "sed -i \"/^\$marker PermitRootLogin no/p\" $main"
refused "all of our markers deleted, our line left" "sed -i \"/^\$marker/d\" $main"
refused "replaced by a package, which says yes" "printf 'PermitRootLogin yes\nX11Forwarding no\n' >$main"

honest "replaced by a package, which says prohibit-password" "printf 'PermitRootLogin prohibit-password\nUsePAM yes\n' >/tmp/new; mv /tmp/new $main"
honest "replaced by what it was before" "cp -p /tmp/original /tmp/new; mv /tmp/new $main"
honest "our lines moved to the end" "sed -n \"/^\$marker PermitRootLogin no/,+1p\" $main >/tmp/ours; sed -i \"/^\$marker PermitRootLogin no/,+1d\" $main; cat /tmp/ours >>$main"
honest "our marker moved below our line" "sed -i \"/^\$marker PermitRootLogin no/{h;d}; /^PermitRootLogin yes/G\" $main"
honest "our marker moved to the top" "sed -i \"/^\$marker PermitRootLogin no/d\" $main; sed -i \"1i \$marker PermitRootLogin no\" $main"
honest "our lines copied to the end" "sed -n \"/^\$marker PermitRootLogin no/,+1p\" $main >/tmp/ours; cat /tmp/ours >>$main"
honest "our line deleted" "sed -i '/^PermitRootLogin yes/d' $main"
honest "our line set to no by hand" "sed -i 's/^PermitRootLogin yes/PermitRootLogin no/' $main"
honest "our line set to prohibit-password by hand" "sed -i 's/^PermitRootLogin yes/PermitRootLogin prohibit-password/' $main"
honest "what our marker keeps changed" "sed -i \"s/^\$marker PermitRootLogin no/\$marker PermitRootLogin yes/\" $main"
honest "the id in our marker changed" "sed -i \"s/^\$marker/#rootlatch:00000000#/\" $main"
honest "our commented line made active again" "sed -i \"s/^\$marker PermitRootLogin forced/PermitRootLogin forced/\" $main"
honest "a line of somebody's above ours says yes" "sed -i '1i PermitRootLogin yes' $main"
honest "a line of somebody's between our marker and our line" "sed -i \"/^\$marker PermitRootLogin no/a PrintMotd yes\" $main"
honest "emptied" ": >$main"

t "an included file that says yes appeared: ours is undone, and it is said that root gets in"
opened
echo 'PermitRootLogin yes' >$d/00-new.conf
rl close --json
expect "$status" 4 "close exits"
expect_match "$out$err" 'person must look' "the message"
expect "$(cat $main)" "$(cat /tmp/original)" "the main file"
expect "$(leftovers)" "" "leftovers"
expect "$(permits root)" yes "sshd's answer, by the file that appeared"

t "an included file that says no appeared: noticed, and ours is undone"
opened
echo 'PermitRootLogin no' >$d/00-new.conf
notices
rl close
expect "$status" 0 "close exits"
expect "$(cat $main)" "$(cat /tmp/original)" "the main file"
expect "$(cat $d/00-new.conf)" 'PermitRootLogin no' "the new file"
expect "$(permits root)" no "sshd's answer"

t "an included file that does not matter appeared, another went"
opened
echo 'PrintMotd yes' >$d/00-new.conf
rm $d/20.conf
rl close
expect "$status" 0 "close exits"
expect "$(cat $main)" "$(cat /tmp/original)" "the main file"
expect "$(find $d -name '*.conf')" "$d/00-new.conf" "included files"
expect "$(leftovers)" "" "leftovers"

t "the included file that we edited went, and the main file decides"
etc_ssh_reset
printf 'Include %s/*.conf\nPermitRootLogin no\n' $d | write $main
echo 'PermitRootLogin no' | write $d/10.conf
before=$(fingerprint $main)
rl open --in-place --keep
expect "$status" 0 "open exits"
rm $d/10.conf
notices
rl close
expect_match "$status" '^[03]$' "close exits"
expect "$(permits root)" no "sshd's answer"
expect "$([ ! -e $d/10.conf ] || cat $d/10.conf)" "" "the file that went stays away"

t "the file is gone"
opened
rm $main
rl check
expect "$status" 2 "check exits"
rl close
expect "$status" 3 "close exits"
expect "$([ -e $main ]; echo $?)" 1 "the file stays away"

t "a configuration broken by somebody else while open: close does not reload it into the daemon"
etc_ssh_reset
printf 'PermitRootLogin no\nX11Forwarding no\n' | write $main
sshd_start
rl open --in-place --keep
expect "$status" 0 "open exits"
listener=$(sshd_pids)
sleep 0.05
echo 'Prot 2' >>$main
rl close
expect_not "$status" 0 "close exits"
expect_match "$err" 'OPEN' "the message"
expect "$(sshd_pids)" "$listener" "the daemon"
expect_match "$(sshd_banner)" '^SSH-' "its banner"

t "another one's edit while open, with a daemon: root is out after close, and their line counts"
sed -i '/^Prot/d' $main
sed -i 's/X11Forwarding no/X11Forwarding yes/' $main
rl close --yes
expect "$status" 0 "close exits"
expect "$(cat $main)" $'PermitRootLogin no\nX11Forwarding yes' "the file"
expect "$(login_key root)" refused "root"
expect "$(login_key alice)" in "alice"

done_testing

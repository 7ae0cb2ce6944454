#!/bin/bash
# The host is changed by somebody else while a login is open for a time. It closes on time all the
# same, by hand and past its deadline: ours goes, theirs stays, and what was found is said. Where ours
# can't be told from theirs closing by hand is refused, and the deadline overrules.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
. "$(dirname "$0")/../lib/deadline.sh" || exit 99
[ $# -gt 0 ] || sandboxes folder main_file daemon overruled
sandbox_enter "$1"
program_install

main=/etc/ssh/sshd_config
d=/etc/ssh/sshd_config.d
site=$d/00-rootlatch.conf
own=/run/rootlatch/sshd/default.conf

# fresh WHERE: where the Include line of a runtime opening goes (`folder`, `main_file`) is in $line
fresh()
{
	sshd_stop
	host_is_clean
	etc_ssh_reset
	case $1 in
	folder)
		line=$site
		printf '%s\n' "Include $d/*.conf" 'Port 22' 'PermitRootLogin no' 'X11Forwarding no' \
			'Subsystem sftp internal-sftp' 'PrintMotd no'
		;;
	main_file)
		line=$main
		printf '%s\n' 'Port 22' 'PermitRootLogin no' 'X11Forwarding no' "Include $d/*.conf" \
			'Subsystem sftp internal-sftp' 'PrintMotd no'
		;;
	esac | write $main 640
	[ "$1" = folder ] && line=$site || line=$main
	echo 'PrintLastLog no' | write $d/20.conf
	before=$(config_fingerprint)
	rm -rf /tmp/original && cp -a /etc/ssh /tmp/original
}

# opened WHERE [OPTION...]
opened()
{
	local where=$1
	shift
	fresh "$where"
	open_it "$@"
}

open_it()
{
	rl open --for 1h --json "$@"
	expect "$status" 0 "open exits"
	id=$(result id)
	marker="#rootlatch:$id#"
}

# texts [FOLDER]: of all files that sshd reads, but for empty ones
texts() { (cd "${1:-/etc/ssh}" && find . -type f ! -name 'ssh_host_*' -size +0 -print -exec cat {} + | sort); }

# once_edited EDIT: the same of the files as they were before, edited
once_edited()
{
	cp -a /etc/ssh /tmp/after
	find /etc/ssh -type f -delete
	cp -a /tmp/original/. /etc/ssh/
	eval "$1" 2>/dev/null
	texts
	find /etc/ssh -type f -delete
	cp -a /tmp/after/. /etc/ssh/
	rm -rf /tmp/after
}

notices()
{
	rl check
	expect "$status" 2 "check exits"
	rl status --json
	expect "$(result state)" drifted "status"
	expect_not "$(result 'differences | length')" 0 "differences"
}

# close_by HOW: `close`, or `reap` past the deadline
close_by()
{
	case $1 in
	close) rl close ;;
	reap) rl_later reap ;;
	esac
}

# stays WHERE NAME EDIT [SAID [EDIT_OF_THE_ORIGINAL]]: closed, and the edit, done while it is open, is
# the same as done before. SAID: a pattern for what closing says of it.
stays()
{
	local where=$1 name=$2 edit=$3 said=${4-} original=${5-$3} how

	take_turns close reap
	for how in "${turn[@]}"; do
		t "$where, $how: $name"
		opened "$where"
		eval "$edit"
		notices
		close_by $how
		expect "$status" 0 "$how exits"
		[ -z "$said" ] || expect_match "$err" "$said" "what is said"
		expect "$(texts)" "$(once_edited "$original")" "the files"
		expect "$(permits root)" no "sshd's answer"
		expect "$(litter)" "" "leftovers"
		rl check
		expect "$status" 0 "check afterwards exits"
		expect "$(result_of_status state)" normal "status afterwards"
	done
}
result_of_status() { run_quietly "$ROOTLATCH" status --json; result "$1"; }

# left_over WHERE NAME EDIT EDIT_OF_THE_ORIGINAL: closed; a line of ours that opens nothing may be left,
# and then it is said (4), and once a person has taken it out there is nothing left.
left_over()
{
	local where=$1 name=$2 edit=$3 original=$4 how

	take_turns close reap
	for how in "${turn[@]}"; do
		t "$where, $how, and maybe a line is left: $name"
		opened "$where"
		eval "$edit"
		notices
		close_by $how
		expect "$(permits root)" no "sshd's answer"
		expect "$([ -e $own ]; echo $?)" 1 "whether our file is gone"
		if [ "$status" = 4 ]; then
			expect_match "$err" "$line could not be tidied up" "what is said"
			expect_match "$err" 'line [0-9]+' "what is said"
			rl check
			expect "$status" 2 "check, with what is left, exits"
			expect_match "$out" "$line still has" "what check says"
			rl_later reap
			expect_match "$status" '^[04]$' "another reap exits"
			expect "$(permits root)" no "sshd's answer after another reap"
			rl open --for 1h
			expect "$status" 3 "open, with what is left, exits"
			sed -i '/rootlatch/d' "$line"
			rl close
		fi
		expect "$status" 0 "close, at last, exits"
		expect "$(texts)" "$(once_edited "$original")" "the files"
		expect "$(litter)" "" "leftovers"
		rl check
		expect "$status" 0 "check afterwards exits"
	done
}

edited='edited while it was open'
taken='our change was taken out by somebody else'

# edits WHERE: what administrators and their tools do to the file that has the Include line
edits()
{
	local where=$1

	stays "$where" "a line inserted on top" 'touch $line; sed -i "1i # by hand" $line; [ -s $line ] || echo "# by hand" >$line' "$edited"
	stays "$where" "a line appended" 'echo "ClientAliveInterval 30" >>$line' "$edited"
	stays "$where" "lines inserted on both sides" \
		'sed -i "1i # above" $line; echo "# below" >>$line' "$edited" \
		'[ -s $line ] && sed -i "1i # above" $line || echo "# above" >$line; echo "# below" >>$line'
	left_over "$where" "our marker deleted, the Include line kept" 'sed -i "/^$marker/d" $line' :
	left_over "$where" "our Include line deleted, the marker kept" 'sed -i "/^Include .run/d" $line' :
	left_over "$where" "a line between our marker and our Include line" \
		'sed -i "/^Include .run/i # between" $line' '[ -s $line ] && sed -i "1i # between" $line || echo "# between" >$line'
	left_over "$where" "our marker has another id" 'sed -i "s/^$marker/#rootlatch:00000000#/" $line' :
	stays "$where" "our Include line copied to the end" 'echo "Include $own" >>$line' "$edited"
	stays "$where" "both our lines deleted" 'sed -i "/rootlatch/d" $line' "" :
	stays "$where" "our file says prohibit-password" 'sed -i s/yes/prohibit-password/ $own' "$own was ours, and was edited" :
	stays "$where" "our file without its marker" 'echo "PermitRootLogin yes" >$own' "$own was ours, and was edited" :
	stays "$where" "our file says more than root's login" 'echo "ClientAliveInterval 30" >>$own' \
		"$own was ours, and was edited" :
	stays "$where" "our file removed" 'rm $own' "" :
	stays "$where" "all of /run/rootlatch removed" 'rm -r /run/rootlatch' "" :
	stays "$where" "another included file appears" 'echo "ClientAliveInterval 30" >$d/10-new.conf'
	stays "$where" "an included file goes" 'rm $d/20.conf'
	stays "$where" "an included file that says no, first of all" 'echo "PermitRootLogin no" >$d/00-a.conf'
}

test_folder()
{
	edits folder
	stays folder "00-rootlatch.conf removed" 'rm $site' "$site was removed by somebody else" :
	stays folder "00-rootlatch.conf replaced" 'echo "ClientAliveInterval 30" >/tmp/new; mv /tmp/new $site' "$taken"
	stays folder "00-rootlatch.conf emptied" ': >$site' "$taken" :
	stays folder "the main file replaced by a configuration manager" \
		'printf "Port 22\nPermitRootLogin no\nPrintMotd yes\n" >/tmp/new; mv /tmp/new $main'
	stays folder "the main file's Include deleted" 'sed -i 1d $main'
	stays folder "the main file's Include moved down" 'sed -i "1{h;d};\$G" $main'

	t "folder, our file edited: what stood there is in the snapshot"
	opened folder
	echo 'ClientAliveInterval 30' >>$own
	rl close --json
	expect "$status" 0 "close exits"
	rl show "$(result id)"
	expect_match "$out" '^-ClientAliveInterval 30$' "show of the close"

	t "folder: what others wrote into 00-rootlatch.conf lets root in: said, with 4"
	opened folder
	echo 'PermitRootLogin yes' >>$site
	rl close --json
	expect "$status" 4 "close exits"
	expect_match "$err" 'A person must look' "the message"
	expect "$(result state)" normal "its state"
	expect "$(cat $site)" 'PermitRootLogin yes' "what stays"

	t "folder: an included file lets root in: said, with 4, by close and by reap"
	for how in close reap; do
		opened folder
		echo 'PermitRootLogin yes' >$d/10-new.conf
		close_by $how
		expect "$status" 4 "$how exits"
		expect_match "$err" 'A person must look' "the message of $how"
		expect "$(litter)" "" "leftovers after $how"
	done
}

test_main_file()
{
	turns_taken=1 # each edit is closed by the other one than in the folder
	edits main_file
	stays main_file "sed -i of another line" 'sed -i "s/^X11Forwarding no/X11Forwarding yes/" $main' "$edited"
	stays main_file "another line deleted" 'sed -i "/^PrintMotd/d" $main' "$edited"
	stays main_file "other lines moved" 'sed -i "/^Port/d" $main; echo "Port 22" >>$main' "$edited"
	stays main_file "our lines moved to the end" \
		'sed -n "/rootlatch/p" $main >/tmp/ours; sed -i "/rootlatch/d" $main; cat /tmp/ours >>$main' "$edited" :
	stays main_file "the final newline removed" 'truncate -s -1 $main' "$edited"
	stays main_file "the file replaced by a configuration manager" \
		'printf "Port 22\nPermitRootLogin no\nPrintMotd yes\n" >/tmp/new; mv /tmp/new $main' "$taken"
	stays main_file "the file replaced by what it was" 'cp -p /tmp/original/sshd_config /tmp/new; mv /tmp/new $main' "" :

	t "main_file: touched, copied over itself, another mode: the bytes come back"
	for edit in 'touch $main' 'cp -p $main /tmp/new; mv /tmp/new $main' 'chmod 600 $main'; do
		opened main_file
		eval "$edit"
		rl close
		expect "$status" 0 "close exits ($edit)"
		expect "$(cat $main)" "$(cat /tmp/original/sshd_config)" "the file ($edit)"
		expect "$(litter)" "" "leftovers ($edit)"
	done
	expect "$(stat -c %a $main)" 600 "the mode that somebody gave it"
}

# ---- With a daemon and logins

# out_of NAME EDIT: root was in, the edit is done, it is closed, and root is out
out_of()
{
	local name=$1 edit=$2 combination where how

	take_turns 'folder close' 'main_file reap' 'folder reap' 'main_file close'
	for combination in "${turn[@]}"; do
		read -r where how <<<"$combination"
		t "by login, $where, $how: $name"
		fresh $where
		sshd_start
		listener=$(sshd_pids)
		open_it
		expect "$(login_key root)" in "root, while it is open"
		eval "$edit"
		close_by $how
		expect_match "$status" '^[04]$' "$how exits"
		[ "$status" = 0 ] || expect_match "$err" 'could not be tidied up' "what is said"
		expect "$(login_key root) $(login_key alice)" "refused in" "root and alice"
		expect "$(sshd_pids)" "$listener" "listener"
	done
}

# As a configuration manager does it
reloaded() { kill -HUP "$listener" && sleep 0.2 && sshd_answers; }

test_daemon()
{
	out_of "a line appended" 'echo "ClientAliveInterval 30" >>$line'
	out_of "our marker deleted" 'sed -i "/^$marker/d" $line'
	out_of "our Include line deleted, and not reloaded" 'sed -i "/^Include .run/d" $line'
	out_of "the main file replaced, and reloaded" \
		'printf "Port 22\nPermitRootLogin no\nSubsystem sftp internal-sftp\n" >/tmp/new; mv /tmp/new $main; reloaded'
	out_of "our file replaced, and reloaded" 'printf "PermitRootLogin prohibit-password\n" >$own; reloaded'
	out_of "our file says more than root's login, and reloaded" 'echo "ClientAliveInterval 30" >>$own; reloaded'
	out_of "our file removed, and not reloaded" 'rm $own'

	t "by login: the watcher closes what was edited, when its time is over"
	fresh main_file
	sshd_start
	open_for_seconds 12
	expect "$status" 0 "open exits"
	sed -i 's/^X11Forwarding no/X11Forwarding yes/' $main
	expect "$(login_key root)" in "root, while it is open"
	within 60 is_missing $own
	within 30 root_is_refused
	expect "$(login_key root) $(login_key alice)" "refused in" "root and alice"
	expect "$(texts)" "$(once_edited "sed -i 's/^X11Forwarding no/X11Forwarding yes/' $main")" "the files"
	within 10 no_watchers
	expect "$(watchers)$(litter)" "" "watchers and leftovers"

	t "a configuration that somebody broke: sshd lives, it is said, and it closes once it is mended"
	fresh folder
	sshd_start
	listener=$(sshd_pids)
	open_it
	echo 'Prot 2' >>$main
	rl_later reap
	expect_not "$status" 0 "reap exits"
	expect_match "$err" 'OPEN' "the message"
	expect_match "$err" 'person must look' "the message"
	expect "$(sshd_pids)" "$listener" "listener"
	expect "$(login_key alice)" in "alice"
	rl_later check
	expect "$status" 2 "check exits"
	sed -i '/^Prot/d' $main
	rl_later reap
	expect "$status" 0 "reap exits"
	expect "$(login_key root) $(login_key alice)" "refused in" "root and alice"
	expect "$(texts)" "$(texts /tmp/original)" "the files"
	expect_closed "$(config_fingerprint)"
}
is_missing() { [ ! -e "$1" ]; }

# ---- In place, where ours can't be told from theirs

overrule_cases=(
	"our marker deleted, our line left" 'sed -i "/^$marker/d" $main'
	"replaced by a package, which says yes" 'printf "PermitRootLogin yes\nSubsystem sftp internal-sftp\n" >$main'
	"our line and its marker copied" 'sed -n "/^$marker/,+1p" $main >/tmp/ours; cat /tmp/ours >>$main'
)

# Repairs: of the person who looks. What the file is once it is all closed, but for what the edit did:
take_out() { sed -i -e '/^#rootlatch:[0-9a-f]*# PermitRootLogin/d' -e 's/^PermitRootLogin yes/PermitRootLogin no/' $main; }
put_back() { cp -p /tmp/original/sshd_config /tmp/new; mv /tmp/new $main; }

overruled()
{
	local name=$1 edit=$2 repair=$3 expected

	t "in place: $name: close is refused, the deadline is not"
	fresh folder
	sshd_start
	listener=$(sshd_pids)
	open_it --in-place
	expect "$(login_key root)" in "root, while it is open"
	eval "$edit"
	notices
	listing /etc/ssh >/tmp/before
	rl close
	expect "$status" 3 "close exits"
	expect_match "$err" '[Nn]othing was changed' "the message"
	expect_match "$err" 'OPEN' "the message"
	expect_match "$err" '^ *[-+].*(rootlatch|PermitRootLogin)|lines? [0-9]+' "the difference, or where it is"
	rl reap
	expect "$status" 0 "reap, before its time, exits"
	expect "$(listing /etc/ssh)" "$(</tmp/before)" "the files"
	expect "$(login_key root)" in "root, after close was refused"

	rl_later reap --json
	expect "$status" 4 "reap, past its time, exits"
	expect "$(json '.ok')" false "ok"
	expect_match "$(result leftovers)" "$main" "leftovers in JSON"
	expect "$(login_key root) $(login_password root)" "refused refused" "root, past its time"
	expect "$(login_key alice)" in "alice"
	expect "$(sshd_pids)" "$listener" "listener"
	expect "$(permits root) $(permits root 127.0.0.1)" "no no" "sshd's answers"

	t "in place: $name: what is left is said until a person has looked ($repair)"
	rl check
	expect "$status" 2 "check exits"
	expect_match "$out" "$main" "check"
	rl check --json
	expect "$(json '[.results[] | select(.leftovers)] | length')" 1 "leftovers in check --json"
	rl status
	expect_match "$out" "$main.* (still|left)" "status"
	rl_later reap
	expect_match "$status" '^[04]$' "another reap exits"
	expect_no_match "$out$err" 'could not be closed' "what another reap says"
	expect "$(login_key root)" refused "root, after another reap"
	rl open --for 1h
	expect "$status" 3 "open, with what is left, exits"

	$repair
	expected=$(grep -vE 'rootlatch' $main)
	rl close
	expect "$status" 0 "close, after the repair, exits"
	expect "$(cat $main)" "$expected" "the file"
	expect "$(litter)" "" "leftovers"
	expect "$(find /etc/ssh -name '*rootlatch*')" "" "files of ours"
	expect "$(login_key root) $(login_key alice)" "refused in" "root and alice"
	rl check
	expect "$status" 0 "check exits"
	rl open --for 1h
	expect "$status" 0 "open, afterwards, exits"
	expect "$(login_key root)" in "root, opened again"
	rl close
	expect "$(cat $main)" "$expected" "the file, closed again"
}

test_overruled()
{
	local i repair

	for ((i = 0; i < ${#overrule_cases[@]}; i += 2)); do
		for repair in take_out put_back; do
			overruled "${overrule_cases[i]}" "${overrule_cases[i + 1]}" $repair
		done
	done

	t "in place: the watcher overrules, too"
	fresh folder
	sshd_start
	open_for_seconds 12 --in-place
	expect "$status" 0 "open exits"
	sed -i '/^#rootlatch/d' $main
	expect "$(login_key root)" in "root, while it is open"
	within 60 root_is_refused
	expect "$(login_key root) $(login_key alice)" "refused in" "root and alice"
	rl check
	expect "$status" 2 "check exits"

	t "in place: a block of somebody's for some addresses does not become more open"
	fresh folder
	printf 'Match Address 127.0.0.7\n\tPermitRootLogin no\n' >>$main
	sed -i 's/^PermitRootLogin no/PermitRootLogin prohibit-password/' $main
	sshd_start
	expect "$(login_key root) $(login_key root -b 127.0.0.7)" "in refused" "root, before, from two addresses"
	open_it --in-place
	expect "$(login_password root) $(login_key root -b 127.0.0.7)" "in refused" "root, while it is open"
	sed -i '/^#rootlatch/d' $main
	rl_later reap
	expect "$status" 4 "reap exits"
	expect "$(login_password root) $(login_key root -b 127.0.0.7)" "refused refused" "root, overruled"
}

"test_$1"
done_testing

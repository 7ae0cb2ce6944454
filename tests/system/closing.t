#!/bin/bash
# What may be missing when it is time to close: a place to write to, the program, its lenses. Root is
# out all the same, what could not be tidied up is said, and is tidied up later.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
. "$(dirname "$0")/../lib/deadline.sh" || exit 99
[ $# -gt 0 ] || sandboxes read_only full program record lenses
sandbox_enter "$1"
program_install

main=/etc/ssh/sshd_config
d=/etc/ssh/sshd_config.d
own=/run/rootlatch/sshd/default.conf
state=/var/lib/rootlatch

# fresh WHERE: root is out; the Include line of a runtime opening goes into a file of its own in a
# `folder`, or on top of the `main_file`
fresh()
{
	sshd_stop
	host_is_clean
	umount /etc/ssh 2>/dev/null
	umount $state 2>/dev/null
	umount /srv/small 2>/dev/null
	etc_ssh_reset
	mkdir -p -m 700 $state
	configure "$1"
	before=$(config_fingerprint)
}

configure()
{
	case $1 in
	folder) printf '%s\n' "Include $d/*.conf" 'Port 22' 'PermitRootLogin no' 'Subsystem sftp internal-sftp' ;;
	main_file) printf '%s\n' 'Port 22' 'PermitRootLogin no' "Include $d/*.conf" 'Subsystem sftp internal-sftp' ;;
	esac | write $main 640
	echo 'PrintMotd no' | write $d/20-motd.conf
}

# on_a_small_filesystem: /etc/ssh and the state folder lie on one, which can be filled up
on_a_small_filesystem()
{
	mkdir -p /srv/small
	mount -t tmpfs -o size=1m,nr_inodes=200 small /srv/small
	cp -a /etc/ssh /srv/small/ssh
	mkdir -m 700 /srv/small/state
	mount --bind /srv/small/ssh /etc/ssh
	mount --bind /srv/small/state $state
	before=$(config_fingerprint)
}

fill_blocks() { cat /dev/zero >/srv/small/fill 2>/dev/null; }

fill_inodes()
{
	local i

	for ((i = 0; i < 1000; i++)); do
		(: >/srv/small/fill.$i) 2>/dev/null || return 0
	done
	problem "there was no end to the inodes"
}
make_room() { rm -f /srv/small/fill*; }

# opened [OPTION...]
opened()
{
	sshd_start
	listener=$(sshd_pids)
	rl open --for 1h "$@"
	expect "$status" 0 "open exits"
	expect "$(login_key root)" in "root, while it is open"
}

# close_by HOW: `close`, or `reap` past the deadline
close_by()
{
	case $1 in
	close) rl close --json ;;
	reap) rl_later reap --json ;;
	esac
}

is_out()
{
	expect "$(login_key root) $(login_key alice)" "refused in" "root and alice"
	expect "$(sshd_pids)" "$listener" "listener"
	expect "$(permits root)" no "sshd's answer"
}

# is_tidy HOW: after everything can be written again
is_tidy()
{
	case $1 in
	close) rl close ;;
	reap) rl reap ;;
	esac
	expect "$status" 0 "$1, with everything as it should be, exits"
	is_out
	expect_closed "$before"
	rl check
	expect "$status" 0 "check exits"
}

openings=("folder" "main_file" "folder --in-place" "folder --drop-in" "folder --in-place --from 127.0.0.1")

# ---- Read-only

# leaves_the_include WHERE HOW LATER
leaves_the_include()
{
	local where=$1 how=$2 later=$3 file=$main

	t "/etc/ssh read-only, the Include line in the $where: $how closes, $later tidies up"
	[ "$where" = main_file ] || file=$d/00-rootlatch.conf
	fresh "$where"
	mount --bind /etc/ssh /etc/ssh
	opened
	mount -o remount,bind,ro /etc/ssh
	close_by "$how"
	expect "$status" 4 "$how exits"
	expect "$(result leftovers)" "$file" "leftovers in JSON"
	expect_match "$err" "$file could not be tidied up" "what is said"
	expect_match "$err" '[Rr]ead-only' "what is said"
	is_out
	expect "$([ -e $own ]; echo $?)" 1 "whether our file is gone"
	rl check
	expect "$status" 2 "check, with what is left, exits"
	expect_match "$out" "$file" "check"
	rl close
	expect "$status" 4 "close, with what is left, exits"
	mount -o remount,bind,rw /etc/ssh
	is_tidy "$later"
}

test_read_only()
{
	local options

	leaves_the_include folder close reap
	leaves_the_include folder reap close
	leaves_the_include main_file close close
	leaves_the_include main_file reap reap

	t "all of /etc read-only"
	fresh folder
	mount --bind /etc /etc
	opened
	mount -o remount,bind,ro /etc
	rl close
	expect "$status" 4 "close exits"
	is_out
	mount -o remount,bind,rw /etc
	is_tidy close
	umount -l /etc

	if cron_is_there; then
		t "all of /etc read-only, with a file for cron in it"
		fresh folder
		cron_start
		mount --bind /etc /etc
		opened
		expect "$([ -e /etc/cron.d/rootlatch ]; echo $?)" 0 "whether there is a file for cron"
		mount -o remount,bind,ro /etc
		rl close
		expect "$status" 4 "close exits"
		expect_match "$out$err" "/etc/cron.d/rootlatch" "what is said"
		is_out
		mount -o remount,bind,rw /etc
		is_tidy close
		cron_stop
		umount -l /etc
	else
		skip "all of /etc read-only, with a file for cron in it" "needs cron"
	fi

	for options in "--in-place" "--drop-in" "--in-place --from 127.0.0.1"; do
		t "/etc/ssh read-only, open $options: it can't be closed, and that is said; then it can"
		fresh folder
		mount --bind /etc/ssh /etc/ssh
		# shellcheck disable=SC2086 # words
		opened $options
		mount -o remount,bind,ro /etc/ssh
		rl close
		expect_match "$status" '^[134]$' "close exits"
		expect_match "$err" 'OPEN' "what is said"
		expect_match "$err" '[Rr]ead-only' "what is said"
		rl_later reap
		expect_match "$status" '^[134]$' "reap exits"
		expect_match "$err" 'OPEN' "what is said"
		rl_later check
		expect "$status" 2 "check exits"
		mount -o remount,bind,rw /etc/ssh
		is_tidy close
	done
}

# ---- Full

# closes_when_full WHAT HOW OPENING
closes_when_full()
{
	local what=$1 how=$2 words

	t "/etc/ssh and the state have no $what left, open $3: $how"
	read -r -a words <<<"$3"
	fresh "${words[0]}"
	on_a_small_filesystem
	opened "${words[@]:1}"
	"fill_$what"
	expect "$({ echo "some bytes" >/etc/ssh/new; } 2>&1 | grep -c 'No space left')" 1 "whether it is full"
	rm -f /etc/ssh/new
	close_by "$how"
	expect_match "$status" '^[04]$' "$how exits"
	is_out
	[ "$status" = 0 ] || expect_match "$(result leftovers)$err" '/etc/ssh/' "what is named as left over"
	[ "$status" = 4 ] || expect "$(config_fingerprint)" "$before" "the files"
	make_room
	is_tidy "$how"
}

test_full()
{
	local options how

	for options in "${openings[@]}"; do
		take_turns close reap
		for how in "${turn[@]}"; do closes_when_full blocks "$how" "$options"; done
	done
	for options in "${openings[@]}"; do
		take_turns close reap
		for how in "${turn[@]}"; do closes_when_full inodes "$how" "$options"; done
	done

	t "full for the watcher, too"
	fresh folder
	on_a_small_filesystem
	sshd_start
	listener=$(sshd_pids)
	open_for_seconds 12
	expect "$status" 0 "open exits"
	fill_blocks
	expect "$(login_key root)" in "root, while it is open"
	within 60 root_is_refused
	is_out
	make_room
	is_tidy reap
}

# ---- The program and its lenses

# closes_by_itself WHERE [OPTION...]: the watcher does, after $damage
closes_by_itself()
{
	program_install
	fresh "$1"
	shift
	sshd_start
	listener=$(sshd_pids)
	open_for_seconds 8 "$@"
	expect "$status" 0 "open exits"
	$damage
	expect "$(login_key root)" in "root, while it is open"
	within 60 root_is_refused
	within 20 no_watchers
	is_out
	expect "$(watchers)" "" "watchers"
	program_install
	expect_closed "$before"
}
program_goes() { rm -rf $program_dir; }
program_is_emptied() { : >$program_dir/sbin/new && mv $program_dir/sbin/new "$ROOTLATCH"; }

test_program()
{
	local options damage=program_goes

	for options in "folder" "folder --in-place" "folder --drop-in"; do
		t "the program and all that it came with are gone, open $options: the watcher closes"
		# shellcheck disable=SC2086 # words
		closes_by_itself $options
	done

	t "the program was replaced by an empty file: the watcher closes"
	damage=program_is_emptied
	closes_by_itself folder
}

test_record()
{
	local options words

	for options in "folder" "folder --in-place"; do
		t "the record is torn, open $options: the watcher puts the snapshot back by its script"
		read -r -a words <<<"$options"
		fresh "${words[0]}"
		sshd_start
		listener=$(sshd_pids)
		open_for_seconds 6 "${words[@]:1}"
		expect "$status" 0 "open exits"
		truncate -s 40 $state/state.json
		expect "$(login_key root)" in "root, while it is open"
		within 100 root_is_refused
		is_out
		expect "$(config_fingerprint)" "$before" "the files"
		rl check
		expect "$status" 3 "check exits"
		expect_match "$err" "$state/state.json" "what check says"
		expect_match "$(tail -n 1 $state/log)" 'last-resort' "the log"
	done
}

test_lenses()
{
	local options words how

	for options in "${openings[@]}"; do
		read -r -a words <<<"$options"
		take_turns close reap
		for how in "${turn[@]}"; do
			t "the lenses are gone, open $options: $how needs none"
			program_install
			fresh "${words[0]}"
			opened "${words[@]:1}"
			rm -rf $program_dir/share
			close_by $how
			expect "$status" 0 "$how exits"
			is_out
			expect_closed "$before"
		done
	done
}

"test_$1"
done_testing

#!/bin/bash
# Openings end by themselves: at their time, whichever of the closers is left, whatever the clocks
# say, with the session that made them gone, and with the boot.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
. "$(dirname "$0")/../lib/deadline.sh" || exit 99
[ $# -gt 0 ] || sandboxes watcher cron clocks reboots extend refusals sessions
sandbox_enter "$1"
program_install

main=/etc/ssh/sshd_config
d=/etc/ssh/sshd_config.d
own=/run/rootlatch/sshd/default.conf
state=/var/lib/rootlatch
# all but the log, which has the refusals, too
kept="/etc $state/state.json $state/snapshots"

# fresh: root is out, and sshd runs
fresh()
{
	sshd_stop
	host_is_clean
	etc_ssh_reset
	write $main 640 <<-END_OF_CONFIG
		Include $d/*.conf
		Port 22
		UsePAM yes
		PermitRootLogin no
		Subsystem sftp internal-sftp
	END_OF_CONFIG
	echo 'PrintMotd no' | write $d/20-motd.conf
	before=$(config_fingerprint)
	sshd_start
	listener=$(sshd_pids)
}

# is_open: root is in, and the record agrees
is_open()
{
	expect "$(login_key root)" in "root"
	run_quietly "$ROOTLATCH" check
	expect "$status" 0 "check, while it is open, exits"
}

is_closed()
{
	expect "$(login_key root)" refused "root"
	expect "$(login_key alice)" in "alice"
	expect "$(sshd_pids)" "$listener" "listener"
	expect_closed "$before"
	run_quietly "$ROOTLATCH" check
	expect "$status" 0 "check, now that it is closed, exits"
}

# ---- The minute, as it is

test_watcher()
{
	local watch pid left until

	t "open --for 60s: runtime, and what will close it is said"
	fresh
	expect "$(login_key root) $(login_password root)" "refused refused" "root by key, by password"
	rl open --for 60s --reason "a minute" --json
	expect "$status" 0 "open exits"
	expect "$(result placement)" runtime "placement"
	expect_match "$(result closers)" '(^| )watcher( |$)' "closers"
	left=$(seconds_left) until=$(date -d "$(result until)" +%s)
	expect "$((left > 40 && left <= 60))" 1 "whether the $left s that are left are a minute"
	expect "$(cat $d/00-rootlatch.conf | grep -v '^#')" "Include $own" "the Include line"
	expect_match "$(cat $own)" '^PermitRootLogin yes$' "our file"
	expect "$(changed_main)" "" "changes of the main file"
	is_open
	expect "$(login_password root) $(login_key alice)" "in in" "root by password, alice by key"

	t "the watcher: a process of its own, which holds the lock of its file"
	watch=$(watch_files) pid=$(watchers)
	expect_match "$watch" '^/run/rootlatch/watch/[0-9a-f]{8}$' "its file"
	expect "$(is_locked "$watch" && echo yes)" yes "whether it is locked"
	expect_match "$pid" '^[0-9]+$' "its process, one"
	expect "$(ps -o sid= -p "$pid" | tr -d ' ')" "$(ps -o pgid= -p "$pid" | tr -d ' ')" "its session"
	expect_not "$(ps -o sid= -p "$pid" | tr -d ' ')" "$(ps -o sid= -p $$ | tr -d ' ')" "its session"
	expect "$(readlink /proc/"$pid"/fd/{0,1,2} | sort -u)" /dev/null "its first three descriptors"
	expect "$(readlink "/proc/$pid/cwd")" / "its folder"
	expect "$(stat -c '%a %U' "$watch" /run/rootlatch /run/rootlatch/watch | paste -sd ' ')" \
		"600 root 700 root 700 root" "modes"

	t "status shows placement, closers and the time that is left"
	rl status
	expect "$status" 0 "status exits"
	expect_match "$out" 'root-login.*open.*[0-9] s\)' "time left"
	expect_match "$out" 'runtime' "placement"
	expect_match "$out" 'closes by.*watcher' "closers"
	expect_match "$out" 'a minute' "reason"
	rl status --json
	expect "$(result state) $(result placement) $(result overdue)" "applied runtime false" "JSON"
	expect_match "$(result closers)" '(^| )watcher( |$)' "closers in JSON"

	t "past its time root is refused, and everything is as before"
	within 120 is_missing $own
	expect "$(($(date +%s) >= until))" 1 "whether it was not closed before its time"
	within 30 root_is_refused
	is_closed
	expect "$(login_password root)" refused "root by password"
	rl log --json
	expect_match "$out" '"command": *"reap"' "the log"
}

changed_main() { [ -z "$(sed -n '/rootlatch/p' $main)" ] || echo "a line of ours"; }

# ---- The second closer

test_cron()
{
	local pid

	if ! cron_is_there; then
		skip "cron closes what the watcher does not" "needs cron"
		return
	fi
	t "with a cron daemon there are two closers"
	fresh
	cron_start
	open_for_seconds 20 --json
	expect "$status" 0 "open exits"
	expect_match "$(result closers)" 'watcher cron' "closers"
	expect "$(stat -c '%a %U:%G %h' /etc/cron.d/rootlatch)" "644 root:root 1" "the file for cron"
	expect_match "$(cat /etc/cron.d/rootlatch)" '^\* \* \* \* \* root .*/rootlatch reap' "its line"
	expect "$(login_key root)" in "root"

	t "the watcher killed: check says so"
	kill -KILL "$(watchers)"
	within 5 unwatched
	rl check
	expect "$status" 2 "check exits"
	expect_match "$out$err" 'watcher' "what is said"
	rl check --json
	expect "$status" 2 "check --json exits"
	expect_no_match "$(result closers)" 'watcher' "closers that are armed"
	expect_match "$(result closers)" 'cron' "closers that are armed"

	t "cron's minute closes it"
	within 100 is_missing $own
	within 30 root_is_refused
	is_closed

	t "the cron daemon gone: check says so; its file gone: check says so"
	rl open --for 1h
	cron_stop
	rl check
	expect "$status" 2 "check without the daemon exits"
	expect_match "$out$err" 'cron' "what is said"
	cron_start
	rl check
	expect "$status" 0 "check with the daemon exits"
	rm /etc/cron.d/rootlatch
	rl check
	expect "$status" 2 "check without the file exits"
	expect_match "$out$err" '/etc/cron.d/rootlatch' "what is said"
	rl close
	expect "$status" 0 "close exits"
	is_closed
	cron_stop
}

# ---- The clocks

# openings: each as the words of its options
placements=("--runtime" "--drop-in" "--in-place" "--in-place --from 127.0.0.0/8" "--from 127.0.0.1,::1")

test_clocks()
{
	local options clocks placed id

	for options in "${placements[@]}"; do
		t "open $options --for 1h: reap leaves it alone before its time"
		fresh
		# shellcheck disable=SC2086 # words
		rl open $options --for 1h
		expect "$status" 0 "open exits"
		placed=$(config_fingerprint)
		is_open
		for clocks in "0 0" "3500 3500" "-100000 0" "-100000 3500"; do
			# shellcheck disable=SC2086 # words
			rl_at $clocks reap
			expect "$status" 0 "reap exits"
			expect "$(config_fingerprint)" "$placed" "the files"
		done
		rl_at 3500 3500 reap --dry-run
		expect "$status" 0 "reap --dry-run exits"
		is_open

		t "open $options --for 1h: past it by the wall clock it is closed"
		rl_at 3700 0 check
		expect "$status" 2 "check, past its time, exits"
		rl_at 3700 0 status --json
		expect "$(result overdue)" true "overdue"
		rl_at 3700 0 reap --dry-run
		expect "$status" 2 "reap --dry-run exits"
		expect "$(config_fingerprint)" "$placed" "the files after what only reads"
		rl_at 3700 0 reap
		expect "$status" 0 "reap exits"
		is_closed

		t "open $options --for 1h: past it by the clock since boot, the wall clock set back"
		# shellcheck disable=SC2086 # words
		rl open $options --for 1h
		is_open
		rl_at -100000 3700 check
		expect "$status" 2 "check, past its time, exits"
		rl_at -100000 3700 reap
		expect "$status" 0 "reap exits"
		is_closed
	done

	t "open and extend close first what is past its time"
	fresh
	rl open --for 1h --reason first --json
	id=$(result id)
	rl_later extend --for 2h
	expect "$status" 3 "extend of what is over exits"
	is_closed
	rl open --for 1h --reason first --json
	id=$(result id)
	rl_later open --for 1h --reason second --json
	expect "$status" 0 "open exits"
	expect_match "$err" 'past its deadline' "what is said"
	expect_not "$(result id)" "$id" "its id"
	rl_later close
	expect "$status" 0 "close of what is over exits"
	is_closed

	t "reap, where nothing is open, is 0 and writes nothing"
	listing /etc $state >/tmp/before
	rl_later reap
	expect "$status" 0 "reap exits"
	rl reap --quiet
	expect "$status $out$err" "0 " "reap --quiet"
	expect "$(listing /etc $state)" "$(</tmp/before)" "the files"

	t "what is kept is not reaped, however late"
	rl open --keep
	expect "$status" 0 "open exits"
	placed=$(config_fingerprint)
	rl_later reap
	expect "$status" 0 "reap exits"
	expect "$(config_fingerprint)" "$placed" "the files"
	is_open
	expect "$(watchers)" "" "watchers"
	rl close
	is_closed
}

# ---- Reboots

test_reboots()
{
	local options damage

	t "after a reboot sshd's first answer refuses root, and nothing of ours has run"
	fresh
	rl open --for 1h
	expect "$status" 0 "open exits"
	is_open
	host_reboots
	cp -a $state /tmp/state
	sshd_start
	listener=$(sshd_pids)
	expect "$(login_key root) $(login_password root)" "refused refused" "root by key, by password"
	expect "$(login_key alice)" in "alice"
	expect "$(grep -v '^#' $d/00-rootlatch.conf)" "Include $own" "the Include line, which is still there"
	expect "$(listing $state | grep -v ' d,' | sed 's/inode [0-9]*//')" \
		"$(listing /tmp/state | sed -e 's/inode [0-9]*//' -e "s|/tmp/state|$state|" | grep -v ' d,')" "the state"
	rl check
	expect "$status" 2 "check exits"
	rl status --json
	expect "$(result overdue)" true "overdue"

	t "reap tidies up what the reboot left"
	rl reap
	expect "$status" 0 "reap exits"
	is_closed

	t "after a reboot the Include line is line 1 of the main file"
	fresh
	sed -i '/^Include/d' $main
	before=$(config_fingerprint)
	kill -HUP "$listener" && sleep 0.2 && sshd_answers
	rl open --for 1h
	expect "$status" 0 "open exits"
	is_open
	host_reboots
	sshd_start
	listener=$(sshd_pids)
	expect "$(login_key root)" refused "root"
	expect "$(sed -n '2p' $main)" "Include $own" "the Include line, which is still there"
	rl reap
	expect "$status" 0 "reap exits"
	is_closed

	for options in "--in-place" "--drop-in" "--in-place --from 127.0.0.1" "--runtime" "--runtime --keep"; do
		t "open $options: a closer of the boot closes it before sshd is there"
		fresh
		case $options in
		*--keep) ;;
		*) options+=" --for 1h" ;;
		esac
		# shellcheck disable=SC2086 # words
		rl open $options
		expect "$status" 0 "open exits"
		is_open
		host_reboots
		rl reap --quiet
		expect "$status" 0 "reap exits"
		sshd_start
		listener=$(sshd_pids)
		is_closed
	done

	t "open --in-place: sshd was faster, and root is out as soon as reap ran"
	fresh
	rl open --in-place --for 1h
	host_reboots
	sshd_start
	listener=$(sshd_pids)
	expect "$(login_key root)" in "root, until reap runs"
	rl reap
	expect "$status" 0 "reap exits"
	is_closed

	t "what is kept is kept over a reboot"
	fresh
	rl open --keep
	expect "$status" 0 "open exits"
	host_reboots
	rl reap
	expect "$status" 0 "reap exits"
	sshd_start
	listener=$(sshd_pids)
	is_open
	rl close
	expect "$status" 0 "close exits"
	is_closed

	for damage in 'rm /run/rootlatch/boot' 'printf 0123456789abcdef >/run/rootlatch/boot'; do
		t "a container that was started anew, on the same kernel: $damage"
		fresh
		rl open --in-place --for 1h
		expect "$status" 0 "open exits"
		is_open
		eval "$damage"
		rl check
		expect "$status" 2 "check exits"
		rl reap
		expect "$status" 0 "reap exits"
		is_closed
	done
}

# ---- extend

# expect_watched UNTIL WHAT: by one watcher, whose file the record names, for about so many seconds
expect_watched()
{
	local left

	within 5 one_watcher
	expect "$(watchers | wc -w) $(watch_files | wc -l)" "1 1" "watchers, their files ($2)"
	expect "$(is_locked "$(watch_files)" && echo yes)" yes "whether its file is locked ($2)"
	rl status --json
	left=$(seconds_left)
	expect "$((left > $1 - 30 && left <= $1))" 1 "whether the $left s that are left are $1 ($2)"
	rl check
	expect "$status" 0 "check exits ($2)"
}
one_watcher() { [ "$(watchers | wc -w)" = 1 ]; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }

# unmoved WANTED NAME ARGUMENT...: refused, and the deadline is as it was
unmoved()
{
	local wanted=$1 name=$2 files pid
	shift 2
	files=$(listing $kept /run/rootlatch/sshd) pid=$(watchers)
	rl "$@"
	expect "$status" "$wanted" "$name exits"
	[ "$wanted" != 3 ] || expect_match "$err" '[Nn]othing was changed' "the message ($name)"
	expect "$(listing $kept /run/rootlatch/sshd)" "$files" "the files ($name)"
	expect "$(watchers)" "$pid" "watchers ($name)"
}

test_extend()
{
	local first socket placed

	t "extend: the deadline moves, one watcher is left, sshd is not reloaded"
	fresh
	rl open --for 1h --reason "the move" --json
	expect "$status" 0 "open exits"
	expect_watched 3600 opened
	first=$(watchers) socket=$(sshd_socket) placed=$(config_fingerprint)
	rl extend --for 2h --json
	expect "$status" 0 "extend exits"
	expect "$(json '[.command, .ok, .changed] | join(" ")')" "extend true true" "JSON"
	within 5 is_gone "$first"
	expect "$(kill -0 "$first" 2>&1 >/dev/null | wc -l)" 1 "whether the old watcher ended"
	expect_watched 7200 extended
	expect "$(sshd_socket)" "$socket" "listening sockets"
	expect "$(config_fingerprint)" "$placed" "the files"
	is_open
	rl status
	expect_match "$out" 'the move' "the reason is as it was"

	t "the deadline that counts is the new one"
	rl_at 3700 3700 reap
	expect "$status" 0 "reap, past the old one, exits"
	is_open
	rl_at 7300 0 reap
	expect "$status" 0 "reap, past the new one, exits"
	is_closed

	t "extend to what is earlier: refused without --yes"
	rl open --for 1h
	unmoved 3 "extend --for 10m" extend --for 10m
	expect_match "$err" '--yes' "the hint"
	unmoved 3 "extend --until" extend --until "$(date -u -d '+5 minutes' +%FT%TZ)"
	expect_watched 3600 refused
	rl extend --for 10m --yes
	expect "$status" 0 "extend --yes exits"
	expect_watched 600 shortened
	is_open

	t "extend --until, root-login by name"
	rl extend root-login --until "$(date -u -d '+3 hours' +%FT%TZ)"
	expect "$status" 0 "extend exits"
	expect_watched 10800 until

	t "extend: what can't be a deadline"
	unmoved 3 "into the past" extend --until "$(date -u -d '-1 hour' +%FT%TZ)" --yes
	unmoved 3 "--for 59" extend --for 59 --yes
	unmoved 64 "without a time" extend
	unmoved 64 "no time" extend --for soon
	unmoved 64 "no toggle" extend root-logout --for 4h
	unmoved 3 "another toggle, which is not open" extend root-login@/etc/ssh/other_config --for 4h

	t "open again on the same terms is already: nothing is written, the deadline is as it was"
	unmoved 0 "open --for 1h" open --for 1h
	expect_match "$out" 'already' "what is said"
	unmoved 0 "open" open --json
	expect "$(json '[.ok, .changed] | join(" ")')" "true false" "JSON"
	expect_watched 10800 "opened again"
	unmoved 3 "open --keep" open --keep
	unmoved 3 "open --from" open --from 192.0.2.1 --for 1h

	t "open --replace: one watcher is left, and it closes to what was there first"
	first=$(watchers)
	rl open --replace --from 127.0.0.1 --for 30m
	expect "$status" 0 "open --replace exits"
	within 5 is_gone "$first"
	expect_watched 1800 replaced
	expect "$(login_key root)" in "root from 127.0.0.1"
	expect "$(login_key root -b 127.0.0.7)" refused "root from 127.0.0.7"
	rl open --replace --keep
	expect "$status" 0 "open --replace --keep exits"
	within 5 no_watchers
	expect "$(watchers)" "" "watchers of what is kept"
	is_open
	unmoved 3 "extend of what is kept" extend --for 1h
	rl open --replace --for 1h
	expect "$status" 0 "open --replace --for 1h exits"
	expect_watched 3600 "replaced again"
	rl close
	expect "$status" 0 "close exits"
	is_closed

	t "extend of what is not open"
	unmoved 3 "extend" extend --for 1h

	t "extend gives a watcher to one that lost its own"
	rl open --for 1h
	kill -KILL "$(watchers)"
	within 5 unwatched
	rl check
	expect "$status" 2 "check exits"
	rl extend --for 2h
	expect "$status" 0 "extend exits"
	expect_watched 7200 "watched again"
	rl close
	is_closed
}

# ---- What is refused

# refused STATUS OPTION...: of open; @WHEN is that time, as date(1) takes it
refused()
{
	local wanted=$1 option options=()
	shift
	t "exit status $wanted: open $*"
	for option; do
		case $option in
		@*) options+=("$(date -u -d "${option#@}" +%FT%TZ)") ;;
		*) options+=("$option") ;;
		esac
	done
	listing $kept >/tmp/before
	rl open "${options[@]}"
	expect "$status" "$wanted" "open exits"
	[ "$wanted" != 3 ] || expect_match "$err" '[Nn]othing was changed' "the message"
	expect "$(listing $kept)" "$(</tmp/before)" "the files"
	expect "$(watchers)$(watch_files)" "" "watchers"
	expect "$(permits root)" no "sshd's answer"
}

test_refusals()
{
	local options

	fresh
	# so that what is written once is there
	rl open --keep
	rl close

	refused 3 --until '@-1 hour'
	refused 3 --until '@-1 second'
	refused 3 --for 59
	refused 3 --for 30s
	refused 3 --until '@+400 days'
	refused 64 --for 1h --keep
	refused 64 --keep --until '@+1 hour'
	refused 64 --for tomorrow
	refused 64 --for -1h
	refused 64 --until someday
	refused 64 --runtime --in-place

	t "--for 60 is enough"
	rl open --for 60
	expect "$status" 0 "open exits"
	rl close
	is_closed

	t "no closer could be had: refused, and it is said what would help"
	mount --bind /run /run && mount -o remount,bind,ro /run
	for options in "" "--runtime" "--in-place" "--drop-in"; do
		listing $kept >/tmp/before
		# shellcheck disable=SC2086 # words
		rl open $options --for 1h
		expect "$status" 3 "open $options exits"
		expect_match "$err" '[Nn]othing was changed' "the message ($options)"
		case $options in
		--in-place | --drop-in) expect_match "$err" 'install cron' "what would help ($options)" ;;
		*) expect_match "$err" '/run.* read-only' "the reason ($options)" ;;
		esac
		expect "$(listing $kept)" "$(</tmp/before)" "the files ($options)"
		expect "$(login_key root)" refused "root ($options)"
	done

	t "no closer could be had: --keep needs none"
	rl open --keep
	expect "$status" 0 "open --keep exits"
	expect "$(login_key root)" in "root"
	rl close
	expect "$status" 0 "close exits"
	umount /run
	is_closed

	t "a program that others may write to is not run by closers: refused, and said"
	mkdir -m 777 /srv/shared
	cp -r $program_dir /srv/shared/
	run timeout 60 /srv/shared/rootlatch/sbin/rootlatch open --for 1h
	expect "$status" 3 "open exits"
	expect_match "$err" '/srv/shared' "the message"
	expect_closed "$before"
}

# ---- The session that opened it

test_sessions()
{
	local pid by_ssh signal

	printf 'Port 2222\nPermitRootLogin yes\nPidFile /run/second.pid\nSubsystem sftp internal-sftp\n' |
		write /opt/second_config
	fresh
	sshd_port=2222 sshd_start -f /opt/second_config
	by_ssh=("${ssh_options[@]}" -o BatchMode=yes -i "$user_key" -p 2222)

	t "ssh HOST rootlatch open returns: the watcher holds no descriptor of the session's"
	run timeout 30 ssh "${by_ssh[@]}" root@127.0.0.1 "$ROOTLATCH open --for 1h"
	expect "$status" 0 "ssh exits (124: it hangs)"
	expect_watched 3600 "by ssh"
	is_open

	t "ssh HOST rootlatch extend returns, too"
	run timeout 30 ssh "${by_ssh[@]}" root@127.0.0.1 "$ROOTLATCH extend --for 2h"
	expect "$status" 0 "ssh exits (124: it hangs)"
	expect_watched 7200 "by ssh"
	rl close
	is_closed

	t "the terminal that it was opened on is hung up: it is watched over all the same"
	ssh "${by_ssh[@]}" -tt root@127.0.0.1 "$ROOTLATCH open --for 1h; echo \$\$ >/tmp/session; sleep 1000" \
		>/dev/null 2>&1 </dev/null &
	within 20 test -s /tmp/session
	pid=$(</tmp/session)
	expect_watched 3600 "on a terminal"
	expect_match "$(ps -o tty= -p "$pid")" 'pts' "the terminal of the shell"
	kill $!
	within 10 is_gone "$pid"
	expect "$(kill -0 "$pid" 2>&1 >/dev/null | wc -l)" 1 "whether the shell is gone"
	expect_watched 3600 "hung up"
	is_open

	t "SIGHUP, SIGINT, SIGTERM of the one who opened it do not reach the watcher"
	rl close
	setsid bash -c "$ROOTLATCH open --for 1h --quiet 2>/dev/null; echo >/tmp/opened; sleep 1000" &
	disown
	within 20 test -e /tmp/opened
	for signal in HUP INT TERM KILL; do kill -$signal -- -$! 2>/dev/null; done
	within 5 is_gone $!
	expect_watched 3600 "killed"
	is_open
	rl close
	is_closed
}

is_missing() { [ ! -e "$1" ]; }

"test_$1"
done_testing

#!/bin/bash
# What goes wrong with services: tools that lie, files that are not as they should be, units that
# run without a process, and what must not be switched off without being asked twice.
. "$(dirname "$0")/host.sh" || exit 99
hosts_enter sysvinit systemd
host_boot old sysvinit
host_boot new systemd

# tree_is NAME TREE: the boot tree is that
tree_is()
{
	local now

	now=$(host_tree "$1")
	expect "$(diff <(echo "$2") <(echo "$now"))" "" "what differs in the boot tree"
}

# refused NAME MATCH ARGUMENT...: status 3, and not a link has changed
refused()
{
	local name=$1 match=$2 before
	shift 2

	before=$(host_tree "$name")
	host_rl "$name" "$@"
	expect "$status" 3 "$* exits"
	expect_match "$err" "$match" "the refusal"
	tree_is "$name" "$before"
}

# is_undone NAME SERVICE [OPTION...]: off, and back to the letter
is_undone()
{
	local name=$1 service=$2 before
	shift 2

	before=$(host_tree "$name")
	host_rl "$name" disable "$service" "$@"
	expect "$status" 0 "disable exits"
	host_rl "$name" revert "service/$service"
	expect "$status" 0 "revert exits"
	tree_is "$name" "$before"
}

# stand_in NAME PROGRAM TEXT: another program for it; stand_back NAME PROGRAM
stand_in()
{
	host_run "$1" sh -c 'mv "$0" "$0.real" && printf "#!/bin/sh\n%s\n" "$1" >"$0" && chmod 755 "$0"' \
		"$2" "$3"
}
stand_back() { host_run "$1" mv "$2.real" "$2"; }

# unit NAME FILE: its text comes from standard input
unit()
{
	host_run "$1" sh -c 'mkdir -p "${0%/*}" && cat >"$0"' "/usr/local/lib/systemd/system/$2"
}
active() { host_run new systemctl is-active "$1"; }

t "update-rc.d that does nothing, and says so or not: refused"
for says in 'exit 0' 'exit 1' 'echo one; printf "two\033[1m\nthree" >&2; exit 7'; do
	stand_in old /usr/sbin/update-rc.d "$says"
	refused old 'would leave /etc/rc2.d/S..apache2 as it is' disable apache2
	refused old 'would leave /etc/rc[0-6].d/[SK]..apache2 as it is' disable apache2 --method remove
	case $says in
	exit\ 1) expect_match "$err" 'update-rc.d said nothing .status 1.' "its words" ;;
	echo*) expect_match "$err" 'update-rc.d said .status 7.: two\\x1b\[1m; three' "its words" ;;
	esac
	stand_back old /usr/sbin/update-rc.d
done

t "update-rc.d whose insserv is killed beneath it: refused, in its own words"
stand_in old /sbin/insserv 'kill -9 $$'
refused old 'would leave apache2 among what .*depend.start .*: insserv did not' disable apache2
refused old 'would leave /etc/rc[0-6].d/[SK]..apache2 as it is' disable apache2 --method remove
stand_back old /sbin/insserv
stand_in old /sbin/insserv 'echo "no order today" >&2; exit 1'
refused old 'update-rc.d said .status [0-9]+.: no order today; ' disable apache2
stand_back old /sbin/insserv

t "update-rc.d that is killed: refused, with what it said until then"
stand_in old /usr/sbin/update-rc.d 'echo "I was at it" >&2; kill -9 $$'
refused old 'update-rc.d was killed before it was done' disable apache2
expect_match "$err" 'update-rc.d said .status 137.: I was at it' "its words"
stand_back old /usr/sbin/update-rc.d

t "update-rc.d that writes elsewhere: refused, and nothing is written"
stand_in old /usr/sbin/update-rc.d 'rm -f /etc/rc2.d/S*; touch /etc/written; echo x >>/etc/init.d/cron'
refused old 'would change /etc/init.d/cron' disable apache2
expect "$(host_run old ls /etc/written 2>&1 | grep -c 'No such')" 1 "what it wrote elsewhere"
stand_back old /usr/sbin/update-rc.d

t "without .depend files: they are made as insserv makes them, and go again"
host_run old sh -c 'mkdir /root/depend && cp -p /etc/init.d/.depend.* /root/depend && rm /etc/init.d/.depend.*'
before=$(host_tree old)
host_rl old disable apache2
expect "$status" 0 "disable exits"
expect "$(host_run old sh -c 'stat -c %a /etc/init.d/.depend.*' | sort -u)" 644 "their modes"
host_rl old revert service/apache2
expect "$status" 0 "revert exits"
tree_is old "$before"

t "a .depend file with a NUL byte: refused"
host_run old sh -c 'cp -p /root/depend/.depend.* /etc/init.d && printf "# \\0\n" >>/etc/init.d/.depend.start'
refused old '/etc/init.d/.depend.start has a NUL byte' disable apache2
host_run old sh -c 'cp -p /root/depend/.depend.* /etc/init.d'

t "what is for shutting down alone: not without --yes"
for service in halt reboot umountroot; do
	refused old "$service starts at no boot: it is for shutting down" disable "$service"
done
host_rl old disable reboot --yes --dry-run
expect "$status" 2 "--yes exits"

t "cron, while an opening is closed by it: said"
host_rl old open --for 1h
host_rl old disable cron --dry-run
expect_match "$err" 'root-login closes in time by cron' "the warning"
host_rl old close
host_rl old disable cron --dry-run
expect "$err" "" "the warning when nothing is open"

t "--now without a process of it: said"
host_run old sh -c 'sed "s/^case.*//" >/etc/init.d/wall; chmod 755 /etc/init.d/wall; update-rc.d wall defaults' <<'SCRIPT'
#!/bin/sh
### BEGIN INIT INFO
# Provides:          wall
# Required-Start:
# Required-Stop:
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
### END INIT INFO
SCRIPT
host_rl old disable wall --now
expect "$status" 0 "disable exits"
expect_match "$err" 'no process of wall was found, so nothing was stopped' "the warning"
host_rl old revert service/wall
expect "$status" 0 "revert exits"

t "two in one command, and somebody changes a third: each comes back by its own links"
host_run old chmod 700 /etc/init.d/openbsd-inetd
starts=$(host_run old sh -c 'cd /etc; ls rc?.d/S??cron rc?.d/S??apache2')
host_rl old disable apache2 cron
host_run old chmod 755 /etc/init.d/openbsd-inetd
host_rl old revert service/cron
expect "$status" 0 "revert of the second exits"
host_rl old revert service/apache2
expect "$status" 0 "revert of the first exits"
expect "$(host_run old sh -c 'cd /etc; ls rc?.d/S??cron rc?.d/S??apache2')" "$starts" "their links"

t "restore.sh ends with a command that can be given"
host_rl old disable apache2 cron
snapshot=$(host_run old sh -c 'ls -td /var/lib/rootlatch/snapshots/* | head -n 1')
command=$(host_run old sh "$snapshot/restore.sh" 2>&1 | sed -n 's/.*tidies its state with: //p')
host_run old sh -c "$command" >/dev/null 2>&1
expect "$?" 0 "\"$command\" exits"
host_rl old check
expect "$status" 0 "check exits"

t "^C while a service is being stopped: the stop is not cut off"
host_run old cp /bin/sleep /usr/local/sbin/slowd
host_run old sh -c 'cat >/etc/init.d/slow; chmod 755 /etc/init.d/slow; update-rc.d slow defaults; /etc/init.d/slow start' <<'SCRIPT'
#!/bin/sh
### BEGIN INIT INFO
# Provides:          slow
# Required-Start:
# Required-Stop:
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
### END INIT INFO
case $1 in
start) start-stop-daemon --start --oknodo --background --exec /usr/local/sbin/slowd -- 1000;;
stop) >/run/stopping; sleep 2; start-stop-daemon --stop --oknodo --exec /usr/local/sbin/slowd;;
esac
SCRIPT
host_run old bash -c 'set -m; rootlatch disable slow --now >/run/said 2>&1 & i=0
	until test -e /run/stopping || test $((i++)) -gt 100; do sleep 0.1; done
	kill -INT -- -$!; wait $!' >/dev/null 2>&1
expect "$(host_run old cat /run/said | grep -c 'did not stop\|rolled back')" 0 "failures"
expect "$(host_run old pgrep -c slowd)" 0 "its processes"
host_rl old status slow --json
expect "$(json '.results[0].state')" applied "status"
host_rl old revert service/slow
expect "$status $(host_run old pgrep -c slowd)" "0 1" "revert, and its processes"

t "foreign entries among the links: left as they are"
host_run old sh -c 'cd /etc/rc2.d && mkdir S50folder && ln -s ../init.d/gone S77gone && echo >S88file &&
	ln -s ../init.d/x+y S20x+y && mkfifo S60fifo && ln -s /etc/init.d/apache2 K99apache2'
is_undone old apache2

t "systemctl that is silent, hangs, or is not there: status says the rest, and what it could not ask"
systemctl_is()
{
	host_rl new status openbsd-inetd
	expect "$status" 0 "status exits, systemctl $1"
	expect_match "$out" 'openbsd-inetd will start at boot' "what the files say, systemctl $1"
	expect_match "$(tr -s '\n ' ' ' <<<"$out")" "now not known: .*$2" "what it could not ask, systemctl $1"
}
stand_in new /usr/bin/systemctl 'exit 0'
systemctl_is silent 'systemctl does not say whether inetd.service is active; it said nothing .status 0'
stand_back new /usr/bin/systemctl
stand_in new /usr/bin/systemctl 'echo "no bus" >&2; exit 1'
systemctl_is "without an answer" 'active; it said .status 1.: no bus'
stand_back new /usr/bin/systemctl
stand_in new /usr/bin/systemctl 'exec sleep 1000'
systemctl_is hanging 'systemctl did not answer within'
host_rl new disable openbsd-inetd --now
expect "$status" 1 "disable --now exits"
expect_match "$err" 'openbsd-inetd: systemctl did not answer' "why"
expect_match "$err" 'nothing was changed' "what is the case"
stand_back new /usr/bin/systemctl
host_run new mv /usr/bin/systemctl /root/systemctl
systemctl_is missing 'there is no /usr/bin/systemctl to ask'
host_run new mv /root/systemctl /usr/bin/systemctl

unit new pulls.service <<'UNIT'
[Unit]
Wants=pulled.service
[Service]
ExecStart=/bin/sleep 1000
[Install]
WantedBy=multi-user.target
UNIT
unit new pulled.service <<<$'[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target'

t "what another unit wants starts at boot, and is off when it is masked"
host_run new sh -c 'systemctl daemon-reload; systemctl --quiet enable pulls'
host_rl new status pulled
expect_match "$out" '^pulled will start at boot' "status"
expect_match "$out" '/pulls.service' "what starts it"
host_reboot new
for ((i = 0; i < 100; i++)); do
	[ "$(active pulled)" != active ] || break
	sleep 0.1
done
expect "$(active pulled)" active "after a boot"
is_undone new pulled
host_rl new disable pulled
host_reboot new
expect "$(active pulled)" inactive "after a boot, switched off"
host_rl new revert service/pulled

unit new once.service <<'UNIT'
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/touch /run/once
ExecStop=/bin/rm /run/once
[Install]
WantedBy=multi-user.target
Alias=twice.service
UNIT
unit new waits.socket <<'UNIT'
[Socket]
ListenStream=777
[Install]
WantedBy=sockets.target
UNIT
unit new waits.service <<<$'[Service]\nExecStart=/bin/sleep 1000'
unit new job.timer <<'UNIT'
[Timer]
OnCalendar=2199-01-01
[Install]
WantedBy=timers.target
UNIT
unit new job.service <<<$'[Service]\nType=oneshot\nExecStart=/bin/touch /run/job'
unit new many@.service <<<$'[Service]\nExecStart=/bin/sleep 1000'
unit new many.socket <<'UNIT'
[Socket]
ListenStream=778
Accept=yes
[Install]
WantedBy=sockets.target
UNIT
host_run new sh -c 'systemctl daemon-reload; systemctl --quiet enable --now once waits.socket job.timer many.socket' 2>&1

t "a unit that is active without a process: stopped at once, and started again"
before=$(host_tree new)
host_rl new disable once --now
expect "$status $(active once) $(host_run new ls /run/once 2>/dev/null)" "0 inactive " "disable"
host_rl new revert service/once
expect "$status $(active once) $(host_run new ls /run/once 2>/dev/null)" "0 active /run/once" "revert"
tree_is new "$before"

t "by a name that enabling made: refused, with its own"
refused new 'twice is another name of once.service' disable twice
refused new 'twice is another name of once.service' enable twice

t "a socket that waits: closed at once, and back"
expect "$(host_port new 777)" open "before"
host_rl new disable waits --now
expect "$status $(host_port new 777)" "0 closed" "disable"
host_rl new revert service/waits
expect "$status $(host_port new 777)" "0 open" "revert"

t "a timer: stopped at once, and back without its job being done"
host_rl new disable job --now
expect "$status $(active job.timer)" "0 inactive" "disable"
host_rl new revert service/job
expect "$status $(active job.timer)" "0 active" "revert"
expect "$(host_run new ls /run/job 2>/dev/null)" "" "what the job made"

t "a template: switched, and no stumbling block for status and check"
host_rl new disable many@ --now
expect "$status" 0 "disable exits"
host_rl new status many@
expect "$status" 0 "status exits"
host_rl new check
expect "$status" 0 "check exits"
host_rl new revert service/many@
expect "$status" 0 "revert exits"

done_testing

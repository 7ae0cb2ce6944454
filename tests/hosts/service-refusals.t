#!/bin/bash
# Services: what is refused, what fails halfway, and what somebody else changed meanwhile.
. "$(dirname "$0")/services.sh" || exit 99
hosts_enter sysvinit systemd
host_boot old sysvinit
host_boot new systemd

in_host() { host_run "$1" sh -ec "cd /; $2"; }

# script NAME [LINE...]: an init script of the test's own, in $root
script()
{
	{
		printf '%s\n' '#!/bin/sh' '### BEGIN INIT INFO' "# Provides: $1" '# Required-Start: $remote_fs' \
			'# Required-Stop:' '# Default-Start: 2 3 4 5' '# Default-Stop: 0 1 6' '### END INIT INFO'
		printf '%s\n' "${@:2}"
	} >"$root/etc/init.d/$1"
	chmod 755 "$root/etc/init.d/$1"
}

# expect_refused HOST STATUS PATTERN ARGUMENT...: and nothing is written
expect_refused()
{
	local name=$1 want=$2 pattern=$3 before ours
	shift 3

	before=$(host_tree "$name")
	ours=$(ours "$name")
	host_rl "$name" "$@"
	expect "$status" "$want" "${*@Q} exits"
	expect_match "$err" "$pattern" "what ${*@Q} says"
	expect_no_match "$err" $'[\x01-\x08\x0b-\x1f]' "control characters"
	expect "$(host_tree "$name")" "$before" "the tree after ${*@Q}"
	expect "$(ours "$name")" "$ours" "the state after ${*@Q}"
}

# ---- Refusals

root=$(host_root old)
t "names that are none: refused, and nothing is run"
for bad in '' /etc/init.d/apache2 ../init.d/apache2 apache2/ 'apach?2' 'apache*' '[a]pache2' .depend.boot \
	$'apache2\n' $'a\e[2J' 'apache2 cron' 'a;reboot' "$(printf 'a%.0s' {1..65})" apache2.service; do
	expect_refused old 3 'no name of a service' disable "$bad"
done
expect_refused old 3 'no name of a service' disable -- -f

t "a service that is not there: says what was looked at"
expect_refused old 3 'there is no service nosuch on this host' disable nosuch
expect_match "$err" 'What was looked at:' "the heading"
expect_match "$err" '^ *no /etc/init\.d/nosuch$' "the script"
expect_match "$err" '^ *no link .*nosuch in /etc/rc\?\.d$' "the links"
expect_refused old 3 'no service nosuch' enable nosuch
expect_refused old 3 'no service nosuch' disable apache2 nosuch
expect_refused new 3 'no service nosuch' disable nosuch

t "scripts that it keeps its hands off"
script header; sed -i '/###/d' "$root/etc/init.d/header"
script theirs; chown 2001 "$root/etc/init.d/theirs"
script open; chmod 777 "$root/etc/init.d/open"
ln -s apache2 "$root/etc/init.d/link"
mkfifo "$root/etc/init.d/fifo"
expect_refused old 3 '/etc/init.d/header has no LSB header' disable header
expect_refused old 3 '/etc/init.d/theirs does not belong to root' disable theirs
expect_refused old 3 '/etc/init.d/open can be written by others' disable open
expect_refused old 3 '/etc/init.d/link is no regular file' disable link
expect_refused old 3 '/etc/init.d/fifo is no regular file' disable fifo
script twin; ln "$root/etc/init.d/twin" "$root/root/twin"
expect_refused old 3 '/etc/init.d/twin has other names .hard links' disable twin
rm "$root"/etc/init.d/{header,theirs,open,link,fifo,twin} "$root/root/twin"

t "folders that others than root can write to: neither switched nor put back"
rl_ok old disable cron
for folder in init.d rc0.d rcS.d; do
	for damage in 'chmod 775' 'chmod 1777' 'chown 2001'; do
		in_host old "$damage etc/$folder"
		says='can be written by others than root'
		[ "$damage" != 'chown 2001' ] || says='does not belong to root'
		expect_refused old 3 "/etc/$folder $says" disable apache2
		expect_refused old 3 "/etc/$folder $says" revert service/cron
		in_host old "chown 0 etc/$folder; chmod 755 etc/$folder"
	done
done
rl_ok old revert service/cron

t "what sshd needs: --yes, and then a warning (sysvinit)"
before=$(host_tree old)
for service in ssh mountall.sh; do
	expect_refused old 3 '(ssh|sshd).*nobody may be able to log in' disable "$service"
	expect_match "$err" '[-]-yes does it all the same' "the way out"
	rl_ok old disable "$service" --yes
	expect_match "$err" 'warning: ' "the warning"
	expect "$(host_login old root)" in "a login, before the next reboot"
	rl_ok old revert "service/$service"
	expect "$(host_tree old)" "$before" "the tree after $service"
done

t "what sshd needs: --yes, and then a warning (systemd)"
before=$(host_tree new)
expect_refused new 3 'ssh.*nobody may be able to log in' disable ssh
rl_ok new disable ssh --yes
expect_match "$err" 'warning: ' "the warning"
expect "$(starts new ssh)" off "ssh at boot"
rl_ok new revert service/ssh
expect "$(starts new ssh)" on "ssh at boot, reverted"
expect "$(host_tree new)" "$before" "the tree"

# ---- Drift

t "others switch, install and edit meanwhile: theirs stays, ours is back (sysvinit)"
host_rl old disable apache2
host_rl old check
expect "$status" 0 "check exits, before"
in_host old 'update-rc.d cron disable' >/dev/null 2>&1
script mine
in_host old 'update-rc.d mine defaults' >/dev/null 2>&1
in_host old 'mv etc/rc3.d/K??apache2 etc/rc3.d/S05apache2'
expect "$(starts old mine) $(starts old cron) $(starts old apache2)" "on off off" "at boot, before"
host_rl old check
expect "$status" 2 "check exits"
expect_match "$out$err" '/etc/rc3.d: its link was K, and is S now' "what check says"
host_rl old status apache2
expect_match "$out$err" '/etc/rc3.d: its link was K, and is S now' "what status says"
rl_ok old revert service/apache2
expect "$(starts old mine) $(starts old cron) $(starts old apache2)" "on off on" "at boot"
expect "$(in_host old 'ls etc/rc[2-5].d | grep -c S..apache2; stat -c %a etc/init.d/apache2')" $'4\n755' \
	"links and mode"
rl_ok old check
in_host old 'update-rc.d cron enable; update-rc.d -f mine remove; rm etc/init.d/mine' >/dev/null 2>&1

t "others change what is to be put back: theirs stays, and nothing is said to be as before"
rl_ok old disable apache2
in_host old 'chmod 700 etc/init.d/apache2; rm etc/rc4.d/K??apache2'
rl_ok old revert service/apache2
expect_match "$err" 'somebody else changed the mode of /etc/init.d/apache2 to 700' "the warning"
expect_match "$err" 'somebody else changed the link of apache2 in /etc/rc4.d' "the warning"
expect_match "$out" '^apache2 is back, but for what others changed' "the headline"
expect_no_match "$out" 'as before|are as they were' "what is said"
in_host old 'chmod 755 etc/init.d/apache2; update-rc.d -f apache2 remove; update-rc.d apache2 defaults' \
	>/dev/null 2>&1

t "two are off, somebody switches a third: each is back by meaning, in any order"
for order in "apache2 openbsd-inetd" "openbsd-inetd apache2"; do
	rl_ok old disable apache2
	in_host old 'update-rc.d cron disable' >/dev/null 2>&1
	rl_ok old disable openbsd-inetd
	rl_ok old revert "service/${order% *}"
	expect "$(starts old "${order% *}") $(starts old "${order#* }")" "on off" "the first is back"
	rl_ok old revert "service/${order#* }"
	expect "$(starts old apache2) $(starts old openbsd-inetd) $(starts old cron)" "on on off" "both are"
	in_host old 'update-rc.d cron enable' >/dev/null 2>&1
done

t "others switch meanwhile (systemd)"
rl_ok new disable apache2
in_host new 'systemctl disable cron; systemctl unmask apache2' >/dev/null 2>&1
host_rl new check
expect "$status" 2 "check exits"
expect_match "$out$err" '/etc/systemd/system/apache2.service' "what check says"
rl_ok new revert service/apache2
expect "$(starts new apache2) $(starts new cron)" "on off" "at boot"
in_host new 'systemctl enable cron' >/dev/null 2>&1

# ---- Failures

# expect_rolled_back HOST STATUS PATTERN COMMAND...: the cause, and everything as before
expect_rolled_back()
{
	local name=$1 want=$2 pattern=$3 before
	shift 3

	before=$(host_tree "$name")
	run host_run "$name" timeout 90 "$@"
	expect "$status" "$want" "$* exits"
	expect_match "$err" "$pattern" "the cause"
	expect_match "$err" '[Nn]othing was changed|everything is as before' "what is the case"
	expect "$(host_tree "$name")" "$before" "the tree"
	host_rl "$name" check
	expect "$status" 0 "check exits"
}

for host in old new; do
	t "a folder of links that is read-only ($host)"
	in_host $host 'mount --bind etc/rc2.d etc/rc2.d; mount -o remount,bind,ro etc/rc2.d'
	expect_rolled_back $host 3 '/etc/rc2.d' rootlatch disable apache2
	in_host $host 'umount etc/rc2.d'

	t "a chmod of the script that fails ($host)"
	expect_rolled_back $host 1 '/etc/init.d/apache2.*(Input/output|EIO)' \
		strace -qq -o /dev/null -P /etc/init.d/apache2 -e trace=fchmod \
		-e inject=fchmod:error=EIO:when=1 rootlatch disable apache2
	done

t "systemctl daemon-reload that fails"
in_host new 'cp usr/bin/systemctl root/systemctl.real
	printf "%s\n" "#!/bin/sh" "case \$* in *daemon-reload*) echo no reload today >&2; exit 1 ;; esac" \
		"exec /root/systemctl.real \"\$@\"" >root/systemctl
	chmod 755 root/systemctl; mount --bind root/systemctl usr/bin/systemctl'
expect_rolled_back new 1 \
	'But systemd .* until .systemctl daemon-reload. succeeds. It said: no reload today' \
	rootlatch disable apache2
in_host new 'umount usr/bin/systemctl'
expect "$(starts new apache2)" on "at boot"

t "--now, and one that does not stop: what was stopped is started again"
script stubborn 'case $1 in start) start-stop-daemon -S -q -b -m -p /run/stubborn.pid -x /root/stubborn ;;' \
	'stop) start-stop-daemon -K -q -o -p /run/stubborn.pid ;; esac'
printf '%s\n' '#!/bin/sh' 'trap "" TERM' 'while :; do sleep 1; done' >"$root/root/stubborn"
chmod 755 "$root/root/stubborn"
in_host old 'update-rc.d stubborn defaults; etc/init.d/stubborn start' >/dev/null 2>&1
expect_rolled_back old 1 'failed: stubborn did not stop: pid [0-9]+ .stubborn.* still run' \
	rootlatch disable apache2 stubborn --now
host_wait_port old 80 open
in_host old 'kill -KILL $(cat run/stubborn.pid); update-rc.d -f stubborn remove; rm etc/init.d/stubborn' >/dev/null 2>&1

# ---- What is told beforehand and afterwards

t "--dry-run and --diff write nothing; --json, show and log have it all"
before=$(host_tree old)
ours=$(ours old)
host_rl old disable apache2 --now --dry-run --diff
expect "$status" 2 "a dry run that would change something exits"
expect_match "$out" 'rc2.d/S..apache2' "the diff"
expect_match "$out" 'init.d/apache2' "the diff"
expect "$(host_tree old)" "$before" "the tree"
expect "$(ours old)" "$ours" "the state"
expect "$(host_port old 80)" open "port 80"
rl_ok old disable apache2 --reason "replaced by nginx" --json
expect "$(json '.results[0] | "\(.service) \(.changed) \(.mode_before) \(.mode) \(.starts_at_boot) \(.unit)"')" \
	"apache2 true 0755 0644 false null" "the result"
expect_match "$(json '.results[0].links_before')" '^S.* in rc2 rc3 rc4 rc5, K.* in rc0 rc1 rc6$' "links before"
expect_match "$(json '.results[0].links')" '^K.. in rc0 rc1 rc2 rc3 rc4 rc5 rc6$' "links"
id=$(json '.results[0].id')
host_rl old show "$id"
expect "$status" 0 "show exits"
expect_match "$out" 'replaced by nginx' "show: why"
expect_match "$out" 'init.d/apache2' "show: the script"
expect_match "$out" 'rc2.d' "show: the links"
host_rl old log service/apache2
expect_match "$out" "disable.*" "log"
expect_match "$out" "$id" "log"

t "restore.sh brings it back without rootlatch"
expect "$(starts old apache2)" off "before"
in_host old "dash var/lib/rootlatch/snapshots/$id/restore.sh" >"$tap_err" 2>&1 ||
	problem "it exits $?: $(<"$tap_err")"
expect "$(host_tree old | sed 's/ mtime [0-9.]*//')" "$(sed 's/ mtime [0-9.]*//' <<<"$before")" \
	"the tree, but for times"
expect "$(starts old apache2)" on "at boot"
in_host old 'rm -rf var/lib/rootlatch'

# ---- Another root

# at_root NAME COMMAND...: while it is down, its root is a folder of this side
at_root()
{
	local folder=$hosts/$1

	mount -t overlay -o "lowerdir=$(<"$folder/lower"),upperdir=$folder/upper,workdir=$folder/work" \
		host "$folder/root"
	"${@:2}"
	umount "$folder/root"
}
tree_of() { ( host_root() { echo "$hosts/$1/root"; }; host_tree "$1" ); }

for host in old new; do
	t "--root of a host that is down: off, and back ($host)"
	host_halt $host
	before=$(at_root $host tree_of $host)
	at_root $host run "$ROOTLATCH" --root "$hosts/$host/root" disable apache2
	expect "$status" 0 "disable exits"
	host_start $host
	expect "$(host_port $host 80)" closed "port 80"
	expect "$(starts $host apache2)" off "at boot"
	host_rl $host check
	expect "$status" 0 "check, in there, exits"
	host_halt $host
	at_root $host run "$ROOTLATCH" --root "$hosts/$host/root" revert service/apache2
	expect "$status" 0 "revert exits"
	expect "$(at_root $host tree_of $host)" "$before" "the tree"
done

done_testing

#!/bin/bash
# Hostile arguments, paths and environments: each is refused with its exit status and its reason, and
# nothing is changed.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
. "$(dirname "$0")/../lib/hostile.sh"
sandbox_enter

main=/etc/ssh/sshd_config
printf 'PermitRootLogin no\nX11Forwarding no\n' | write $main
mkdir -p /etc/init.d /etc/rc{0,1,2,3,4,5,6,S}.d
printf '#!/bin/sh\nexit 0\n' | write /etc/init.d/real 755

esc=$'\e[31m' bel=$'\a' nl=$'\n' bad=$'\xff\xfe' c1=$'\u009b31m' bidi=$'\u202e' cut=$'caf\xc3'
long() { printf "%${1}s" '' | tr ' ' "${2:-a}"; }
# shown TEXT: for the name of a row
shown() { printf -v shown '%q' "${1:0:24}"; }

# ---- names

# service_name PATTERN NAME: as every command takes one
service_name()
{
	shown "$2"
	row 3 "$1" "disable $shown" disable -- "$2"
	row 3 "$1" "enable --now $shown" enable --now -- "$2"
	row 3 "$1" "revert service/$shown" revert -- "service/$2"
	[[ $2 == */* ]] || row 3 "$1" "status $shown" status -- "$2"
}

group "the name of a service"
for name in ../../etc/passwd /etc/passwd .hidden -x _a ... "$esc" "${nl}b" "$bad" "$c1" "${bidi}a" %s%n '*' '[ab]' \
	'$(id)' '`id`' ' a'; do
	service_name 'is no name of a service: it begins with neither' "$name"
done
for name in a/b 'a b' 'a;id' 'a$(id)' 'a*' "a$esc" "a$nl" "caf$cut" 'a\x41' 'a%n' a/../real; do
	service_name 'is no name of a service: there are letters' "$name"
done
service_name 'is no name of a service: it is too long' "$(long 300)"
service_name 'is no name of a service: it is too long' "$(long 100000)"
service_name 'without .service' real.service
service_name 'is no name of a service: it is empty' ''
row 3 'no name of a service' "the second of two" disable real ../x
row 64 'takes SERVICE' "65 of them" disable $(long 65 'a' | sed 's/a/real /g')
row 3 'nothing was changed: there is no service' "one that is not there" disable nothing-of-that-name

group "the name of a toggle"
for name in root-login@ root-login@relative root-login@/etc/../etc/ssh/sshd_config root-login@//etc \
	"root-login@/a${nl}b" "root-login@/$esc" "root-login@/$bad" "root-login@/$(long 5000)" "$esc" "$bad" \
	"$(long 9000)" / foo/bar; do
	shown "$name"
	row 3 'nothing was changed: .* is not the name of a toggle' "revert $shown" revert -- "$name"
done
for name in root-logins ROOT-LOGIN forced '' service 'root-login '; do
	shown "$name"
	row 64 'is not the name of a toggle' "revert $shown" revert -- "$name"
done
for name in root-login@relative root-login@ "root-login@/$esc" foo/bar "/$bad"; do
	shown "$name"
	row 3 'is not the name of a toggle' "status $shown" status -- "$name"
	row 3 'is not the name of a toggle' "extend $shown" extend --for 1h -- "$name"
	row 3 'is not the name of a toggle' "log $shown" log -- "$name"
done

# ---- --from

group "--from"
for address in www.example.org localhost 192.0.2 192.0.2.256 192.0.2.010 192.0.2.1.1 0x7f.1 2130706433 '*' any \
	'192.0.2.*' '!192.0.2.1' 192.0.2.1:22 2001:db8::1::2 2001:db8:::1 '[2001:db8::1]' :: ::g '192.0.2.1;id' \
	"192.0.2.1${nl}Match all" "$esc" "$bad" "192.0.2.1$c1" "$(long 9000 1)" '192.0.2.1 192.0.2.2' "'192.0.2.1'"; do
	[ "$address" != :: ] || continue
	shown "$address"
	row 64 'is not an IP address' "$shown" open --from "$address"
done
for address in '' , 192.0.2.1, ,192.0.2.1 192.0.2.1,,192.0.2.2; do
	row 64 'empty entry' "'$address'" open --from "$address"
done
for address in 192.0.2.1/ 192.0.2.0/33 192.0.2.0/-1 192.0.2.0/024 192.0.2.0/24/24 2001:db8::/129 192.0.2.0/2x \
	192.0.2.0/255.255.255.0 "192.0.2.0/24$esc" 192.0.2.0/4294967320; do
	shown "$address"
	row 64 'bad prefix length' "$shown" open --from "$address"
done
row 64 '192.0.2.0/24 is the network' "host bits" open --from 192.0.2.1/24
row 64 '2001:db8::/32 is the network' "host bits, IPv6" open --from 2001:db8::1/32
row 64 'has a zone' "a zone" open --from fe80::1%eth0
row 64 'has a zone' "a zone with an escape" open --from "fe80::1%$esc"
row 64 'link-local' "link-local" open --from fe80::1
row 64 'more than IPv4-mapped' "mapped, and more" open --from ::ffff:0:0/95
row 64 'more than [0-9]+ addresses' "too many" open --from "$(printf '192.0.2.%d,' {1..250} {1..250} {1..250} {1..250})192.0.2.1"

# ---- durations and times

group "--for"
for duration in '' h 1x -1 +1h '1h ' ' 1h' 1h30 1.5h 0 0s 1hh 1h-1m 99999999999999999999 1e9 0x10 "1h$esc" "1h${nl}2h" \
	"$bad" 1,5h ١h "$(long 5000 9)" 9223372036854775807w PT1H; do
	[ "$duration" != 1h30 ] || continue
	shown "$duration"
	row 64 'is not a duration' "open $shown" open --for "$duration"
done
row 3 '60 s|at least' "open 59" open --for 59
row 3 '60 s|at least' "open 1s" open --for 1s
for duration in '' -1 1x "$esc"; do
	shown "$duration"
	row 64 'is not a duration' "extend $shown" extend --for "$duration"
done

group "--until"
for time in '' soon tomorrow 25:00 2026-13-01 2026-02-30 2026-01-01T25:00 2026-01-01T10:61 2026-01-01T10 \
	2026-01-01T10:00:00+25:00 2026-01-01T10:00:00Q 2026-01-01T10:00:00ZZ 99999-01-01 0000-00-00 1969-12-31 \
	"2999-01-01" "2026-01-01$esc" "2026-01-01$nl" "$bad" '@1' -1 "$(long 9000 2)"; do
	shown "$time"
	row 64 'is not a time' "open $shown" open --until "$time"
done
row 3 'past|60 s' "a day in the past" open --until 1999-01-01
row 64 'is not a time' "log --since" log --since "$esc"
row 64 'is not a time' "log --until" log --until 2026-99-99

# ---- what else has a value

group "--reason"
for reason in "a${nl}b" $'a\rb' "a$esc" "a$bel" "$bad" "$cut" "$c1" "$bidi" $'a\tb' $'\x7f' $'\u2028' $'\ufeff' "$(long 600)" \
	"$(long 100000)" $'\xc0\x80' $'\xed\xa0\x80' $'\xf5\x80\x80\x80'; do
	shown "$reason"
	row 64 'one line of UTF-8' "open $shown" open --keep --reason "$reason"
done
row 64 'one line of UTF-8' "disable, an escape" disable real --reason "$esc"
row 64 'one line of UTF-8' "enable, too long" enable real --reason "$(long 600)"

group "--allow, --method, --wait and IDs"
for value in '' YES no without-password 'yes ' "$esc" "$bad" "yes$nl" "$(long 9000)"; do
	shown "$value"
	row 64 '--allow takes yes' "--allow $shown" open --keep --allow "$value"
done
for value in '' Remove defaults "$esc" 'disable '; do
	shown "$value"
	row 64 '--method takes' "--method $shown" disable real --method "$value"
done
for value in '' -1 ' -1' 86401 1s 1.5 99999999999999999999 0x1 "$esc" "1$nl" ' 1' +1; do
	shown "$value"
	row 64 '--wait takes seconds' "--wait $shown" open --keep --wait "$value"
done
for id in '' ../state.json /etc/passwd 0 00000000 ffffffff DEADBEEF zzzzzzzz 7f3a7f3a/../x '*' "$esc" "$bad" "7f3a$nl" "$(long 9000 f)" %n; do
	shown "$id"
	row '(3|64)' 'rootlatch: ' "show $shown" show -- "$id"
done

group "commands and options"
for command in '' opne OPEN "open$nl" "$esc" "$bad" "$c1" ../open "$(long 9000)" '*' --; do
	shown "$command"
	row 64 'not a command|which command' "command $shown" "$command"
done
for option in --frobnicate "--$esc" "--$bad" -Z -$'\e' $'-\xff' "--fr${nl}om" --key=x --re "--$(long 9000)" "--keep=$esc" \
	"--$esc=1"; do
	shown "$option"
	row 64 'the option .* (is not known here|takes no argument)' "open $shown" open "$option"
	row 64 'the option .* (is not known here|takes no argument|needs)' "$shown first" "$option" open
done
for command in open close check recover reap; do
	row 64 "$command takes no arguments" "$command with an argument" $command "$esc"
done
for option in --from --for --until --reason --allow --state-dir --sshd-config --root --wait; do
	row 64 "the option $option needs" "$option without its value" open $option
done
row 64 'exclude each other' "--in-place and --drop-in" open --in-place --drop-in
row 64 'exclude each other' "--runtime and --in-place" open --runtime --in-place
row 64 '.' "--keep and --for" open --keep --for 1h
row 64 '.' "--keep and --until" open --until 2099-01-01 --keep
row 64 'until when' "extend without a time" extend
row 64 'started by open' "watch without its options" watch
row 64 'takes nanoseconds' "watch, a number that is none" watch --until-real 1e9
row 64 'is started by' "service-run, another word" service-run frob real
row 3 'no name' "service-run, a path" service-run stop ../../bin/sh
row 64 '.' "revert of two that are no services" revert root-login root-login

# ---- paths

group_end
: >/opt/file
mkfifo /opt/fifo
ln -s nowhere /opt/dangling
ln -s loop /opt/loop
mkdir -m 755 /opt/plain /opt/target
mkdir -m 777 /opt/everybody
mkdir -m 700 /opt/alices /opt/real
chown alice /opt/alices
ln -s real /opt/link
mkdir -m 1777 /opt/sticky
group "--state-dir, --root and --sshd-config"
for option in --state-dir --root --sshd-config; do
	for path in "/opt/a${nl}b" "/opt/$esc" "/opt/$bad" "/opt/$c1" "/opt/$(long 5000)" "/opt/$bidi"; do
		shown "$path"
		row 64 'a path with control characters' "$option $shown" open --keep $option "$path"
		row 64 'a path with control characters' "status $option $shown" status $option "$path"
	done
	for path in /opt/fifo /opt/dangling /opt/loop /dev/null /opt/file/below "/opt/$(long 300)"; do
		shown "$path"
		row '[13]' "$path|${path:0:200}" "$option $shown" open --keep $option "$path"
	done
done
for path in /opt/file /opt/plain /opt/everybody /opt/alices /opt/link; do
	row 3 "$path is not a folder of root's alone" "--state-dir $path" open --keep --state-dir $path
	row 3 "$path is not a folder of root's alone" "close --state-dir $path" close --state-dir $path
	row 3 "$path is not a folder of root's alone" "status --state-dir $path" status --state-dir $path
done
row 3 '/opt/everybody' "--state-dir in a folder that anybody can write to" open --keep --state-dir /opt/everybody/state
row 3 '/opt/alices' "--state-dir in another's folder" open --keep --state-dir /opt/alices/state
row 3 '/opt/sticky' "--state-dir in a folder as /tmp" open --keep --state-dir /opt/sticky/state
row '[13]' "/opt/file can't be used as the root" "--root, a file" status --root /opt/file
row 3 "can't be used as the root" "--root, nothing" status --root /opt/nothing
row 3 'nothing in an image' "--root and --for" open --for 1h --root /opt/target
row 3 '/opt/target/usr/sbin/sshd' "--root without an sshd" open --keep --root /opt/target
row 3 '/opt/nothing' "--sshd-config, nothing" open --keep --sshd-config /opt/nothing
row 3 'not a regular file' "--sshd-config, a folder" open --keep --sshd-config /opt/plain
row 3 'not a regular file' "--sshd-config, a device" open --keep --sshd-config /dev/zero
row 64 'takes no' "--state-dir, empty, then a word" open --state-dir '' x
group_end

# ---- the environment

# env_row NAME COMMAND...: a refusal that has gone all the way through to sshd
broken=/etc/ssh/broken_config
printf 'PermitRootLogin no\nProt 2\n' | write $broken
mkdir -p /opt/planted
for program in sshd update-rc.d systemctl service sh cat logger crontab at wall start-stop-daemon; do
	printf '#!/bin/sh\necho "$0 $*" >>/opt/planted/was-run\nexit 0\n' >/opt/planted/$program
done
chmod 755 /opt/planted/*
: >/opt/planted/module.so
env_row()
{
	on_row 3 'broken_config line 2: Bad configuration option' "$1" \
		"${@:2}" "$ROOTLATCH" open --in-place --keep --sshd-config $broken
}

"$ROOTLATCH" open --in-place --keep --quiet && "$ROOTLATCH" close --quiet
group "the environment"
env_row "none at all" env -i
env_row "PATH with programs of somebody's" env PATH=/opt/planted
env_row "PATH empty" env PATH=
env_row "PATH of the current folder" env -C /opt/planted PATH=.:
env_row "PATH of 100000 bytes" env PATH="$(long 100000)"
env_row "LD_PRELOAD, a file that is no library" env LD_PRELOAD=/opt/planted/module.so
env_row "LD_LIBRARY_PATH" env LD_LIBRARY_PATH=/opt/planted
env_row "AUGEAS_ROOT" env AUGEAS_ROOT=/opt/planted
env_row "AUGEAS_LENS_LIB" env AUGEAS_LENS_LIB=/opt/planted
env_row "LC_ALL that is none" env LC_ALL="$esc" LANG="$bad"
env_row "LC_ALL of a path" env LC_ALL=../../../opt/planted LOCPATH=/opt/planted NLSPATH=/opt/planted/%N
env_row "TZ, a path" env TZ=:/opt/fifo
env_row "TZ, garbage" env TZ="$esc$bad"
env_row "TZ of 5000 bytes" env TZ="$(long 5000)"
env_row "HOME unset" env -u HOME
env_row "HOME, IFS, ENV, BASH_ENV, SHELLOPTS, CDPATH" env HOME=/opt/planted IFS=/ ENV=/opt/planted/sh \
	BASH_ENV=/opt/planted/sh CDPATH=/opt/planted
env_row "TMPDIR" env TMPDIR=/opt/planted
env_row "GLIBC_TUNABLES and MALLOC_" env GLIBC_TUNABLES=glibc.malloc.check=3 MALLOC_PERTURB_=165 MALLOC_CHECK_=3
env_row "SUDO_USER with an escape" env SUDO_USER="$esc"
env_row "SUDO_USER of 100000 bytes" env SUDO_USER="$(long 100000)"
env_row "TERM, COLUMNS and NO_COLOR" env TERM="$esc" COLUMNS=-1 NO_COLOR="$bad"
env_row "DBUS_SYSTEM_BUS_ADDRESS, SYSTEMD_" env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/opt/fifo SYSTEMD_OFFLINE=1
env_row "a thousand variables" env $(printf 'v%d=1 ' {1..1000})
env_row "umask 000" bash -c 'umask 000; exec "$@"' -
env_row "umask 777" bash -c 'umask 777; exec "$@"' -
env_row "SIGPIPE, SIGCHLD and SIGTERM ignored" bash -c 'trap "" PIPE CHLD TERM HUP INT; exec "$@"' -
env_row "SIGCHLD blocked or not: no zombie is waited for" env --block-signal=CHLD
env_row "stdin closed" bash -c 'exec "$@" <&-' -
env_row "stdout closed" bash -c 'exec "$@" >&-' -
env_row "stdin and stdout closed" bash -c 'exec "$@" <&- >&-' -
env_row "stdout full" bash -c 'exec "$@" >/dev/full' -
env_row "stdin a folder" bash -c 'exec "$@" </etc' -
env_row "descriptors 3 to 200 open" bash -c 'for i in {10..200}; do eval "exec $i</dev/null"; done; exec "$@"' -
env_row "a current folder that is gone" bash -c 'mkdir /tmp/gone && cd /tmp/gone && rmdir /tmp/gone; exec "$@"' -
env_row "a low priority" nice -n 19
env_row "RLIMIT_STACK of 256 KiB" bash -c 'ulimit -s 256; exec "$@"' -
env_row "RLIMIT_CORE and RLIMIT_FSIZE without end" bash -c 'ulimit -c unlimited; exec "$@"' -
on_row 3 '^$' "stderr closed" bash -c 'exec "$@" 2>&-' - "$ROOTLATCH" open --keep --sshd-config $broken
on_row 3 '^$' "all three closed" bash -c 'exec "$@" <&- >&- 2>&-' - "$ROOTLATCH" open --keep --sshd-config $broken
on_row 3 '^$' "stderr full" bash -c 'exec "$@" 2>/dev/full' - "$ROOTLATCH" open --keep --sshd-config $broken
on_row '[13]' 'rootlatch: ' "RLIMIT_NOFILE of 5" bash -c 'ulimit -n 5; exec "$@"' - "$ROOTLATCH" open --keep
on_row '[13]' 'rootlatch: ' "RLIMIT_AS of 40 MiB" bash -c 'ulimit -v 40000; exec "$@"' - "$ROOTLATCH" open --keep \
	--sshd-config $broken
on_row 1 'output could not be written' "status to a full disk" bash -c 'exec "$@" >/dev/full' - "$ROOTLATCH" status
on_row 1 'output could not be written' "status --json to a full disk" bash -c 'exec "$@" >/dev/full' - \
	"$ROOTLATCH" status --json
on_row '[01]' '' "--help to a full disk" bash -c 'exec "$@" >/dev/full' - "$ROOTLATCH" --help
on_row 1 '' "--version to a full disk" bash -c 'exec "$@" >/dev/full' - "$ROOTLATCH" --version
on_row '(0|1|141)' '' "status to a reader that has gone" bash -c '"$@" | :; exit "${PIPESTATUS[0]}"' - "$ROOTLATCH" status
group_end
t "no program of somebody's was run"
expect "$(cat /opt/planted/was-run 2>&1)" "cat: /opt/planted/was-run: No such file or directory" "their trace"
rows_at_least 350
done_testing

#!/bin/bash
# The daemon that runs is found, whatever its binary and options, and reloaded; a reload that it
# does not survive, or does not answer, is rolled back, and the daemon runs as before.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
sandbox_enter

main=/etc/ssh/sshd_config
plain() { printf 'PermitRootLogin no\nUsePAM yes\n' | write $main; }

next()
{
	local port

	for port in 22 2222; do sshd_stop $port; done
	rm -f /run/next
	etc_ssh_reset
	plain
}
plain

# A daemon whose re-exec misbehaves: sshd is /usr/sbin/sshd, and known by the name of this script,
# which is what it runs again when it is reloaded. What it does then is in /run/next, once.
mkdir -p /opt/sbin
cat >/opt/sbin/sshd <<'END'
#!/bin/bash
case " $* " in
*" -T "* | *" -t "* | *" -R "*) ;;
*)
	if [ -e /run/next ]; then
		next=$(cat /run/next)
		[ "$next" = "die always" ] || rm /run/next
		case $next in
		die*) exit 1 ;;
		hang) exec -a "sshd: hung" sleep 1000 ;;
		slow) until [ -e /run/go ]; do sleep 0.01; done ;;
		esac
	fi
	;;
esac
exec -a /opt/sbin/sshd /usr/sbin/sshd "$@"
END
chmod 755 /opt/sbin/sshd
odd_sshd() { sshd=/opt/sbin/sshd sshd_start "$@"; }

unchanged()
{
	expect "$(fingerprint $main)" "$before" "the file"
	expect "$(leftovers)" "" "leftovers"
	rl status --json
	expect "$(json '[.results[] | select(.state != "normal")] | length')" 0 "toggles that are not normal, in status"
}

t "no daemon: 0, and it is said"
rl open --in-place --keep
expect "$status" 0 "open exits"
expect_match "$out$err" '[Nn]o (sshd|daemon|listener)|not running|[Nn]one (is )?running' "what is said"
rl close
expect "$status" 0 "close exits"
next

# ---- How it was started

# found NAME PORT OPTION...: an sshd with these options is found and reloaded
found()
{
	local name=$1 port=$2 listener socket file=${file:-$main} before instance=()
	shift 2
	t "found and reloaded: sshd $name"
	before=$(fingerprint "$file")
	sshd_port=$port sshd_start "$@"
	[ "$file" = $main ] || instance=(--sshd-config "$file")
	listener=$(sshd_pids "$port") socket=$(sshd_socket "$port")
	expect "$(login_key root -p "$port")" refused "root before"
	rl open --in-place --keep "${instance[@]}"
	expect "$status" 0 "open exits"
	expect "$(sshd_pids "$port")" "$listener" "listener"
	expect_not "$(sshd_socket "$port")" "$socket" "listening sockets"
	expect "$(login_key root -p "$port")" in "root while open"
	rl check "${instance[@]}"
	expect "$status" 0 "check exits"
	socket=$(sshd_socket "$port")
	rl close "${instance[@]}"
	expect "$status" 0 "close exits"
	expect_not "$(sshd_socket "$port")" "$socket" "listening sockets"
	expect "$(login_key root -p "$port")" refused "root after"
	expect "$(fingerprint "$file")" "$before" "the file"
	next
}

found "plain" 22
found "-p 2222" 2222 -p 2222
found "-o Port=2222 -o X11Forwarding=no" 2222 -o Port=2222 -o X11Forwarding=no
found "-o with a blank and quotes" 22 -o 'VersionAddendum a "b" c' -o AllowTcpForwarding=no
found "-4" 22 -4
printf 'Port 22\nPermitRootLogin no\nPidFile none\n' | write $main
found "without a pid file" 22
printf 'Port 22\nPort 2222\nListenAddress 127.0.0.1\nListenAddress ::1\nPermitRootLogin no\n' | write $main
found "on two ports and two addresses" 2222
printf 'Port 2222\nPermitRootLogin no\n' | write /etc/ssh/other_config
file=/etc/ssh/other_config found "-f, another file, with --sshd-config" 2222 -f /etc/ssh/other_config

t "the only daemon runs with another file: it is found, or it is said that root is not let in by it"
printf 'PermitRootLogin no\n' | write /etc/ssh/other_config
sshd_start -f /etc/ssh/other_config
rl open --in-place --keep
if [ "$status" = 0 ] && [ "$(login_key root)" = in ]; then
	expect "$(permits root)" no "the file that no daemon reads"
else
	expect_match "$out$err" '/etc/ssh/other_config' "what is said"
fi
next

t "found and reloaded: sshd -D, in the foreground of something else"
/usr/sbin/sshd -D 2>>$sshd_log &
sshd_answers
socket=$(sshd_socket)
rl open --in-place --keep
expect "$status" 0 "open exits"
expect_not "$(sshd_socket)" "$socket" "listening sockets"
expect "$(login_key root)" in "root"
rl close
expect "$(login_key root)" refused "root after"
next

t "found and reloaded: another binary, known by the daemon's own name"
odd_sshd
rl open --in-place --keep
expect "$status" 0 "open exits"
expect "$(login_key root)" in "root"
rl close
expect "$status" 0 "close exits"
next

t "sshd -o PermitRootLogin=no: no edit could open it, so it is refused"
sshd_start -o PermitRootLogin=no
before=$(fingerprint $main) socket=$(sshd_socket)
rl open --in-place --keep
expect "$status" 3 "open exits"
expect_match "$err" '[Nn]othing was changed' "the message"
expect_match "$err" 'PermitRootLogin=no' "the message"
expect "$(sshd_socket)" "$socket" "listening sockets"
unchanged
next

t "two instances: each is opened, reloaded and closed for itself"
printf 'Port 2222\nPermitRootLogin no\nPidFile /run/second.pid\n' | write /etc/ssh/second_config
sshd_start
sshd_port=2222 sshd_start -f /etc/ssh/second_config
first=$(sshd_socket 22) second=$(sshd_socket 2222)
rl open --in-place --keep --sshd-config $main
expect "$status" 0 "open of the first exits"
expect_not "$(sshd_socket 22)" "$first" "the first's sockets"
expect "$(sshd_socket 2222)" "$second" "the second's sockets"
first=$(sshd_socket 22)
expect "$(login_key root) $(login_key root -p 2222)" "in refused" "root on both"
rl open --in-place --keep --sshd-config /etc/ssh/second_config
expect "$status" 0 "open of the second exits"
expect "$(sshd_socket 22)" "$first" "the first's sockets"
expect "$(login_key root) $(login_key root -p 2222)" "in in" "root on both"
rl close --sshd-config $main
expect "$status" 0 "close of the first exits"
expect "$(login_key root) $(login_key root -p 2222)" "refused in" "root on both"
rl close --sshd-config /etc/ssh/second_config
expect "$(login_key root) $(login_key root -p 2222)" "refused refused" "root on both"
expect "$(leftovers)" "" "leftovers"
next

# ---- What goes wrong

t "the reload kills sshd: rolled back, and started again as before"
before=$(fingerprint $main)
odd_sshd -o X11Forwarding=no
listener=$(sshd_pids)
echo die >/run/next
rl open --in-place --keep
expect "$status" 1 "open exits"
expect_match "$err" 'rolled back, everything is as before' "the message"
expect "$([ -e /run/next ]; echo $?)" 1 "whether the reload was reached (the fault fired)"
expect_not "$(sshd_pids)" "$listener" "listener"
expect_match "$(tr '\0' ' ' <"/proc/$(sshd_pids)/cmdline")" 'sshd' "its command line"
expect "$(login_key root) $(login_key alice)" "refused in" "root and alice"
unchanged
next

t "the reload kills sshd, as JSON"
odd_sshd
echo die >/run/next
rl open --in-place --keep --json
expect "$status" 1 "open exits"
expect "$(json '[.ok, .changed, .results[0].state, .results[0].error.code != null] | join(" ")')" \
	"false false normal true" "JSON"
next

t "the reload kills sshd, and it cannot be started again: a person must look, and the file is as before"
odd_sshd
echo "die always" >/run/next
rl open --in-place --keep
expect "$status" 4 "open exits"
expect_match "$err" 'a person must look' "the message"
expect "$(fingerprint $main)" "$before" "the file"
expect "$(permits root)" no "sshd's answer"
rm -f /run/next
next

t "the reload hangs: rolled back, and a daemon answers"
odd_sshd
echo hang >/run/next
run timeout 60 "$ROOTLATCH" open --in-place --keep
expect_match "$status" '^[14]$' "open exits"
expect "$([ -e /run/next ]; echo $?)" 1 "whether the reload was reached (the fault fired)"
expect "$(fingerprint $main)" "$before" "the file"
if [ "$status" = 1 ]; then
	expect_match "$err" 'rolled back, everything is as before' "the message"
	expect "$(login_key root) $(login_key alice)" "refused in" "root and alice"
else
	expect_match "$err" 'a person must look' "the message"
fi
kill $(pgrep -f 'sshd: hung') 2>/dev/null
next

# closes_all_the_same FAULT: a reload that goes wrong while closing ends with sshd started again, closed
closes_all_the_same()
{
	odd_sshd
	rl open --in-place --keep
	expect "$status" 0 "open exits"
	echo "$1" >/run/next
	run timeout 60 "$ROOTLATCH" close
	expect "$([ -e /run/next ]; echo $?)" 1 "whether the reload was reached (the fault fired)"
	expect "$status" 0 "close exits"
	expect "$(login_key root) $(login_key alice)" "refused in" "root and alice"
	expect "$(fingerprint $main)" "$before" "the file"
	expect "$(leftovers)" "" "leftovers"
}

t "the reload kills sshd while closing: closed, and started again"
closes_all_the_same die
next

t "the reload hangs while closing: closed, and started again"
closes_all_the_same hang
kill $(pgrep -f 'sshd: hung') 2>/dev/null
next

t "cut off while sshd is just reloading: recovery waits for that very one"
odd_sshd
listener=$(sshd_pids)
echo slow >/run/next
"$ROOTLATCH" open --in-place --keep >/dev/null 2>&1 &
until [ ! -e /run/next ]; do sleep 0.01; done
kill -KILL $!
wait $! 2>/dev/null
(sleep 1 && touch /run/go) &
rl recover
expect "$status" 0 "recover exits"
expect "$(sshd_pids)" "$listener" "who listens"
expect "$(login_key root) $(login_key alice)" "refused in" "root and alice"
expect "$(fingerprint $main)" "$before" "the file"
expect "$(leftovers)" "" "leftovers"
rm -f /run/go
next

t "a daemon that does not react while closing: closed on the disk, and a person must look"
sshd_start
rl open --in-place --keep
listener=$(sshd_pids)
kill -STOP "$listener"
run timeout 60 "$ROOTLATCH" close
expect "$status" 4 "close exits"
expect_match "$err" 'a person must look' "the message"
expect_match "$err" 'Root may still log in' "what it says of the login"
expect "$(fingerprint $main)" "$before" "the file"
run timeout 60 "$ROOTLATCH" check
expect "$status" 2 "check exits"
kill -CONT "$listener"
sleep 0.5
sshd_answers
expect "$(login_key root) $(login_key alice)" "refused in" "root and alice, once it goes on"
next

t "a daemon that never comes back to itself: rolled back"
sshd_start
listener=$(sshd_pids)
kill -STOP "$listener"
run timeout 60 "$ROOTLATCH" open --in-place --keep
kill -CONT "$listener"
expect_match "$status" '^[134]$' "open exits"
expect_match "$err" '[Nn]othing was changed|rolled back, everything is as before|a person must look' "the message"
expect "$(fingerprint $main)" "$before" "the file"
sshd_answers
sleep 0.2
sshd_answers
expect "$(login_key root) $(login_key alice)" "refused in" "root and alice, once it goes on"
expect "$(leftovers)" "" "leftovers"
next

t "the baseline is broken while a daemon runs: refused, and the daemon is left alone"
sshd_start
sleep 0.05
echo 'Prot 2' >>$main
socket=$(sshd_socket)
is_refused
expect "$(sshd_socket)" "$socket" "listening sockets"
is_refused --yes
expect "$(sshd_socket)" "$socket" "listening sockets"
expect "$(login_key alice)" in "alice"
next

done_testing

#!/bin/bash
# The test hosts are what they should be: hosts. Each runs its own init, with the services that
# the other tests switch, and survives its own reboot.
. "$(dirname "$0")/host.sh" || exit 99
hosts_enter sysvinit systemd

# is_a_host NAME FLAVOUR
is_a_host()
{
	expect "$(host_run "$1" ps -o comm= -p 1)" "$([ "$2" = sysvinit ] && echo init || echo systemd)" "PID 1"
	expect "$(host_run "$1" hostname)" "$1" "its name"
	expect "$(host_port "$1" 80) $(host_port "$1" 13) $(host_port "$1" 7)" "open open closed" \
		"apache2, daytime and echo"
	expect "$(host_login "$1" root) $(host_login "$1" alice)" "in in" "root and alice"
	expect "$(host_run "$1" pgrep -c cron)" 1 "cron"
	host_rl "$1" status
	expect "$status" 0 "rootlatch's status exits"
}

for flavour in sysvinit systemd; do
	t "$flavour: boots"
	host_boot $flavour $flavour
	is_a_host $flavour $flavour
	[ $flavour = sysvinit ] || expect "$(host_run $flavour systemctl --failed --no-legend --plain)" "" "failed units"

	t "$flavour: reboots, and keeps what was written"
	before=$(host_tree $flavour)
	expect_match "$before" 'apache2' "the boot tree"
	host_run $flavour touch /etc/kept /run/lost
	host_reboot $flavour
	is_a_host $flavour $flavour
	expect "$(host_tree $flavour)" "$before" "the boot tree"
	expect "$(host_run $flavour ls -d /etc/kept /run/lost 2>/dev/null)" /etc/kept "what is still there"

	t "$flavour: goes down and comes up"
	host_halt $flavour
	expect "$(host_port $flavour 22)" closed "sshd's port"
	host_start $flavour
	is_a_host $flavour $flavour

	t "$flavour: survives a power cut"
	host_down $flavour
	expect "$(host_port $flavour 22)" closed "sshd's port"
	host_start $flavour
	is_a_host $flavour $flavour
done

t "a session stays, and is seen to end"
session_open one sysvinit alice
expect "$(session_lives one)" yes "the session"
host_run sysvinit pkill -u alice sshd
sleep 0.2
expect_match "$(session_lives one)" '^no' "the session"
session_close one

done_testing

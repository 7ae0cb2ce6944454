#!/bin/bash
# Under systemd sshd is a service of its own, or inetd's (or its socket's: sshd-socket.t).
. "$(dirname "$0")/sshd.sh" || exit 99
hosts_enter systemd
host_boot new systemd
sshd_forbids_root new
host_run new systemctl reload ssh.service

is_both_ways new "ssh.service"

t "ssh.service: it is reloaded, never restarted"
listener=$(host_run new systemctl show -P MainPID ssh.service)
host_rl new open --for 1h
expect "$(host_run new systemctl show -P MainPID ssh.service)" "$listener" "its process"
host_rl new close
expect "$(host_run new systemctl show -P MainPID ssh.service)" "$listener" "its process"

t "ssh.service dies at the reload: rolled back, and it is the service that runs again"
dies_at_the_reload new
expect "$(host_run new systemctl is-active ssh.service)" active "ssh.service"
expect "$(host_run new systemctl show -P MainPID ssh.service)" "$(host_run new cat /run/sshd.pid)" "its process"
comes_back_whole new

t "ssh.service: a reboot closes, and cron clears up"
closes_after new boots_closed

t "ssh.service, --in-place: after a reboot cron closes"
closes_after new host_reboot --in-place

t "no cron: a timer of systemd's is armed, and goes with the close"
before=$(sshd_files new)
host_run new systemctl stop cron.service
host_rl new open --for 1h --json
expect "$(json '.results[0].closers | index("systemd") != null')" true "among the closers: systemd"
timer=$(host_run new systemctl list-timers --no-legend --plain 'rootlatch-*' | grep -o 'rootlatch-[0-9a-f]*\.timer')
expect "$(host_run new systemctl is-active "$timer")" active "its timer"
host_rl new close
expect "$status" 0 "close exits"
expect "$(host_run new systemctl is-active "$timer")" inactive "its timer, after the close"
expect "$(sshd_files new)" "$before" "the files"
host_run new systemctl start cron.service

inetd_serves_ssh new
is_both_ways new inetd

t "inetd: there is nothing to reload, and nothing is started"
host_rl new open --for 1h
expect_match "$out" 'reloaded +nothing: sshd is started for each connection' "what is said by open"
host_rl new close
expect_match "$out" 'reloaded +nothing: sshd is started for each connection' "what is said by close"
expect "$(host_run new pgrep -f 'sshd.*listener')" "" "listeners"
expect "$(host_run new systemctl is-active ssh.socket ssh.service | paste -sd ' ')" "inactive inactive" \
	"ssh.socket and ssh.service"

done_testing

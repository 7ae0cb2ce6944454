#!/bin/bash
# Under sysvinit sshd is started by its init script, or by inetd.
. "$(dirname "$0")/sshd.sh" || exit 99
hosts_enter sysvinit
host_boot old sysvinit
sshd_forbids_root old
sshd_restart old

is_both_ways old "/etc/init.d/ssh"

t "/etc/init.d/ssh: it is reloaded, never restarted"
listener=$(host_run old cat /run/sshd.pid)
host_rl old open --for 1h
expect "$(host_run old cat /run/sshd.pid)" "$listener" "its process"
host_rl old close
expect "$(host_run old cat /run/sshd.pid)" "$listener" "its process"

t "/etc/init.d/ssh, it dies at the reload: rolled back, and the script has started it again"
dies_at_the_reload old
expect "$(host_run old service ssh status)" "sshd is running." "its status"
comes_back_whole old

t "/etc/init.d/ssh: a reboot closes, and cron clears up"
closes_after old boots_closed

t "/etc/init.d/ssh, --in-place: after a power cut cron closes"
closes_after old power_cut --in-place

inetd_serves_ssh old
is_both_ways old inetd

t "inetd: there is nothing to reload, and nothing is started"
host_rl old open --for 1h
expect_match "$out" 'reloaded +nothing: sshd is started for each connection' "what is said by open"
host_rl old close
expect_match "$out" 'reloaded +nothing: sshd is started for each connection' "what is said by close"
expect "$(host_run old pgrep -f 'sshd.*listener')" "" "listeners"

done_testing

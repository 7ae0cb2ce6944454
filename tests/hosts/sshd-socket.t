#!/bin/bash
# Under ssh.socket the service starts with the first connection, and stays; a HUP would cost it the
# socket.
. "$(dirname "$0")/sshd.sh" || exit 99
hosts_enter systemd
host_boot new systemd
sshd_forbids_root new
host_run new systemctl disable --now --quiet ssh.service
host_run new systemctl enable --now --quiet ssh.socket

# socket_is_idle: what connects first starts the service, which then stays
socket_is_idle()
{
	host_run new systemctl stop ssh.service ssh.socket
	host_run new systemctl start ssh.socket
	expect "$(host_run new systemctl is-active ssh.socket ssh.service | paste -sd ' ')" "active inactive" \
		"ssh.socket and ssh.service"
}

t "ssh.socket, not yet started: open and close start nothing"
socket_is_idle
before=$(sshd_files new)
for how in "--for 1h" "--in-place --keep"; do
	# shellcheck disable=SC2086 # several words
	host_rl new open $how
	expect "$status" 0 "open $how exits"
	expect_match "$out" 'reloaded +nothing: ssh.socket starts' "what is said"
	expect "$(host_run new systemctl is-active ssh.service)" inactive "ssh.service"
	host_rl new close
	expect "$status" 0 "close exits"
	expect "$(host_run new systemctl is-active ssh.service)" inactive "ssh.service"
	expect "$(sshd_files new)" "$before" "the files"
done
expect "$(logins new)" "refused in" "root and alice, and now it is started"

t "ssh.socket, not yet started: the first to connect is root, who is in"
socket_is_idle
host_rl new open --for 1h
expect "$status" 0 "open exits"
expect "$(logins new)" "in in" "root and alice"
host_rl new close
expect "$status" 0 "close exits"
expect "$(logins new)" "refused in" "root and alice after"
expect "$(sshd_files new)" "$before" "the files"

is_both_ways new "ssh.socket, started"

t "ssh.socket: many changes in a row do not make systemd give up on it"
for i in {1..4}; do
	host_rl new open --for 1h
	expect "$status" 0 "open exits"
	host_rl new close
	expect "$status" 0 "close exits"
done
expect "$(host_run new systemctl is-active ssh.socket ssh.service | paste -sd ' ')" "active active" \
	"ssh.socket and ssh.service"
expect "$(logins new)" "refused in" "root and alice"

t "ssh.socket: a reboot closes, and cron clears up"
closes_after new boots_closed

# With Accept=yes each connection has an sshd -i of its own.
units=$(host_root new)/etc/systemd/system
mkdir "$units/ssh.socket.d"
printf '[Socket]\nAccept=yes\n' >"$units/ssh.socket.d/accept.conf"
printf '[Service]\nExecStart=-/usr/sbin/sshd -i\nStandardInput=socket\nRuntimeDirectory=sshd\nRuntimeDirectoryPreserve=yes\nKillMode=process\n' \
	>"$units/ssh@.service"
host_run new systemctl stop ssh.service ssh.socket
host_run new systemctl daemon-reload
host_run new systemctl start ssh.socket

t "ssh.socket with Accept=yes: open --for 1h, and close"
opens_and_closes new --for 1h
expect_match "$(host_run new systemctl show -P NAccepted ssh.socket)" '^[1-9]' "connections that it took"

done_testing

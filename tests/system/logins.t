#!/bin/bash
# Real logins by ssh(1), by key and by password: refused before, admitted while open as far as
# --allow goes, refused after.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
sandbox_enter

main=/etc/ssh/sshd_config
common='UsePAM yes\nSubsystem sftp internal-sftp\n'
ssh-keygen -q -t ed25519 -N '' -C forced -f /root/keys/forced </dev/null
echo "command=\"echo admitted\" $(cat /root/keys/forced.pub)" >>/root/.ssh/authorized_keys
login_forced() { ssh_identity=/root/keys/forced login_key "$@"; }

# outcomes: root by key, by password, by the key with a command; alice by key
outcomes()
{
	login_key root >/tmp/1 &
	login_password root >/tmp/2 &
	login_forced root >/tmp/3 &
	login_key alice >/tmp/4 &
	wait
	cat /tmp/[1-4] | paste -sd ' '
}

# daemon CONFIGURATION: in the main file, and a daemon that has read it
daemon()
{
	printf '%b' "$1" | write $main
	sshd_start
}
no_daemon() { sshd_stop; etc_ssh_reset; }

# window NAME CONFIGURATION BEFORE OPEN [OPTION...]: outcomes before, while open, and after
window()
{
	local name=$1 configuration=$2 before=$3 open=$4
	shift 4
	t "$name"
	daemon "$configuration"
	expect "$(outcomes)" "$before" "before"
	rl open --in-place --keep "$@"
	expect "$status" 0 "open exits"
	expect "$(outcomes)" "$open" "while open"
	rl close
	expect "$status" 0 "close exits"
	expect "$(outcomes)" "$before" "after"
	expect "$(leftovers)" "" "leftovers"
	no_daemon
}

window "--allow yes: keys and passwords" \
	"PermitRootLogin no\n$common" "refused refused refused in" "in in in in"
window "--allow prohibit-password: keys alone" \
	"PermitRootLogin no\n$common" "refused refused refused in" "in refused in in" --allow prohibit-password
window "--allow forced-commands-only: keys with a command alone" \
	"PermitRootLogin no\n$common" "refused refused refused in" "dropped refused in in" --allow forced-commands-only
window "from the default, where keys are allowed already" \
	"$common" "in refused in in" "in in in in"
window "from forced-commands-only" \
	"PermitRootLogin forced-commands-only\n$common" "dropped refused in in" "in in in in"
window "without PAM" \
	"PermitRootLogin no\nUsePAM no\n" "refused refused refused in" "in in in in"
window "Match User root says no, and is overridden" \
	"PermitRootLogin no\n${common}Match User root\n\tPermitRootLogin no\n" \
	"refused refused refused in" "in in in in"

echo 'PermitRootLogin no' | write /etc/ssh/sshd_config.d/10-hardening.conf
window "the deciding line is in an included file" \
	"Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin yes\n$common" \
	"refused refused refused in" "in in in in"

t "Match Address of the administrator's stays in force: by source address"
daemon "PermitRootLogin no\n${common}Match Address 127.0.0.7\n\tPermitRootLogin no\n"
rl open --in-place --keep
expect "$status" 0 "open exits"
expect "$(login_key root)" in "root from 127.0.0.1"
expect "$(login_key root -b 127.0.0.7)" refused "root from 127.0.0.7"
expect "$(login_key alice -b 127.0.0.7)" in "alice from 127.0.0.7"
rl close
expect "$(login_key root)" refused "root from 127.0.0.1, after"
no_daemon

t "keyboard-interactive takes the password through PAM, and is closed too"
daemon "PermitRootLogin no\nUsePAM yes\nPasswordAuthentication no\nKbdInteractiveAuthentication yes\n"
ssh_password_method=keyboard-interactive
expect "$(login_password root)" refused "before"
rl open --in-place --keep
expect "$status" 0 "open exits"
expect "$(login_password root)" in "while open"
rl close
expect "$(login_password root)" refused "after"
ssh_password_method=
no_daemon

t "what is open is open when the daemon is stopped and started, and closed likewise"
daemon "PermitRootLogin no\n$common"
rl open --in-place --keep
sshd_stop
sshd_start
expect "$(login_key root)" in "root, after the start"
sshd_stop
rl close
expect "$status" 0 "close with no daemon exits"
sshd_start
expect "$(login_key root)" refused "root, after close and start"
no_daemon

done_testing

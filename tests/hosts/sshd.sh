# shellcheck shell=bash
# A root login opened and closed on a test host, however its sshd is run, shown by real logins.

. "$(dirname "${BASH_SOURCE[0]}")/host.sh" || exit 99

# sshd_forbids_root NAME: the configuration that each of these starts from
sshd_forbids_root()
{
	sed -i 's/^#PermitRootLogin.*/PermitRootLogin no/' "$(host_root "$1")/etc/ssh/sshd_config" &&
		grep -qx 'PermitRootLogin no' "$(host_root "$1")/etc/ssh/sshd_config"
}

# sshd_files NAME: what has to be as before, once it is closed; all but the time of the folders, in
# which files came and went
sshd_files()
{
	host_tree "$1" etc/ssh etc/inetd.conf etc/default/ssh etc/cron.d |
		sed '/^[^:]*: d,/s/ mtime.*//'
}

logins() { echo "$(host_login "$1" root) $(host_login "$1" alice)"; }

# opens_and_closes NAME OPEN'S OPTION...: refused, in, refused; a session from before lives through it
# all, and so does one of root's from in between
opens_and_closes()
{
	local name=$1 before
	shift

	before=$(sshd_files "$name")
	session_open before "$name" alice
	expect "$(logins "$name")" "refused in" "root and alice before"

	host_rl "$name" open "$@"
	expect "$status" 0 "open exits"
	expect "$(host_ssh "$name" root id -u 2>&1)" 0 "root's command"
	expect "$(host_login "$name" alice)" in "alice while it is open"
	session_open between "$name" root
	expect "$(session_lives before) $(session_lives between)" "yes yes" "the sessions, while it is open"
	host_rl "$name" status --json
	expect "$(json '.results[] | select(.toggle == "root-login") | "\(.state) \(.agrees) \(.effective)"')" \
		"applied true permitrootlogin yes for everybody" "status"
	host_rl "$name" check
	expect "$status" 0 "check exits"

	host_rl "$name" close
	expect "$status" 0 "close exits"
	expect "$(logins "$name")" "refused in" "root and alice after"
	expect "$(session_lives before) $(session_lives between)" "yes yes" "the sessions, after the close"
	session_close before
	session_close between
	expect "$(sshd_files "$name")" "$before" "the files"
	host_rl "$name" check
	expect "$status" 0 "check exits"
}

# is_both_ways NAME HOW: for a time, and kept in place
is_both_ways()
{
	t "$2: open --for 1h, and close"
	opens_and_closes "$1" --for 1h
	t "$2: open --in-place --keep, and close"
	opens_and_closes "$1" --in-place --keep
}

# cron_command NAME: what cron is to run every minute
cron_command()
{
	sed -n 's/^\* \* \* \* \* root //p' "$(host_root "$1")/etc/cron.d/rootlatch"
}

# cron_runs NAME COMMAND: now, not in less than a minute; cron itself may be doing it already
cron_runs()
{
	expect_match "$(host_run "$1" env -i HOME=/root PATH=/usr/bin:/bin SHELL=/bin/sh sh -c "$2" 2>&1)" \
		'^$|another rootlatch' "what cron would mail"
}

# closes_after NAME BOOT [OPEN'S OPTION...]: opened for an hour, in which BOOT, and who may log in then
closes_after()
{
	local name=$1 boot=$2 before command
	shift 2

	before=$(sshd_files "$name")
	host_rl "$name" open --for 1h "$@"
	expect "$status" 0 "open exits"
	expect "$(logins "$name")" "in in" "root and alice"
	command=$(cron_command "$name")
	expect_match "$command" 'rootlatch.* reap' "what cron runs"
	"$boot" "$name"
	cron_runs "$name" "$command"
	for _ in {1..50}; do
		[ "$(sshd_files "$name")" != "$before" ] || break
		sleep 0.1
	done
	expect "$(sshd_files "$name")" "$before" "the files"
	expect "$(logins "$name")" "refused in" "root and alice, after the boot and cron"
	host_rl "$name" status --json
	expect "$(json '.results[0].state')" normal "status"
	host_rl "$name" check
	expect "$status" 0 "check exits"
}

# boots_closed NAME: closed by the boot itself, with nothing done by anybody
boots_closed()
{
	host_reboot "$1"
	expect "$(logins "$1")" "refused in" "root and alice, after the boot"
}

power_cut()
{
	host_down "$1"
	host_start "$1"
}

# dies_at_the_reload NAME: it does not survive that, so all is rolled back, and it runs as before
dies_at_the_reload()
{
	local root before

	root=$(host_root "$1")
	before=$(sshd_files "$1")
	mkdir "$root/usr/lib/real"
	mv "$root/usr/sbin/sshd" "$root/usr/lib/real/sshd"
	cat >"$root/usr/sbin/sshd" <<-'END'
		#!/bin/bash
		if [[ " $* " != *" -"[Tt]" "* ]] && [ -e /run/die ]; then
			rm /run/die
			exit 1
		fi
		exec -a /usr/sbin/sshd /usr/lib/real/sshd "$@"
	END
	chmod 755 "$root/usr/sbin/sshd"
	sshd_restart "$1"
	session_open before "$1" alice
	: >"$root/run/die"
	host_rl "$1" open --for 1h
	expect "$status" 1 "open exits"
	expect_match "$err" 'rolled back, everything is as before' "the message"
	expect "$([ -e "$root/run/die" ]; echo $?)" 1 "whether the reload was reached"
	expect "$(logins "$1")" "refused in" "root and alice"
	expect "$(session_lives before)" yes "the session"
	session_close before
	expect "$(sshd_files "$1")" "$before" "the files"
}

# comes_back_whole NAME
comes_back_whole()
{
	mv "$(host_root "$1")/usr/lib/real/sshd" "$(host_root "$1")/usr/sbin/sshd"
	sshd_restart "$1"
}

sshd_restart()
{
	host_run "$1" service ssh restart >/dev/null
	host_sshd "$1"
}

# inetd_serves_ssh NAME: there is no sshd but what inetd(8) starts for each connection
inetd_serves_ssh()
{
	local root

	root=$(host_root "$1")
	if [ -d "$root/run/systemd/system" ]; then
		host_run "$1" systemctl disable --now --quiet ssh.service ssh.socket
		echo 'd /run/sshd 0755' >"$root/etc/tmpfiles.d/sshd.conf"
		host_run "$1" systemd-tmpfiles --create sshd.conf
	else
		host_run "$1" /etc/init.d/ssh stop >/dev/null
		mkdir -p "$root/run/sshd"
	fi
	host_wait_port "$1" 22 closed
	echo 'ssh stream tcp nowait root /usr/sbin/sshd sshd -i' >>"$root/etc/inetd.conf"
	host_run "$1" pkill -HUP -x inetd
	host_sshd "$1"
}

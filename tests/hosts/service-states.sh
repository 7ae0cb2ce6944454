# shellcheck shell=bash
# What an administrator may have made of a service: each goes off, on, and back to just that, on a
# host that runs.

. "$(dirname "${BASH_SOURCE[0]}")/services.sh" || exit 99

folders='etc/rc0.d etc/rc1.d etc/rc2.d etc/rc3.d etc/rc4.d etc/rc5.d etc/rc6.d etc/rcS.d etc/init.d etc/systemd/system'
in_host() { host_run "$1" sh -ec "cd /; $2"; }
keep() { in_host "$1" "tar -cf /root/keep.tar $folders"; }
# As it came, without a trace of ours
reset()
{
	in_host "$1" "find $folders -mindepth 1 -delete; tar -xf /root/keep.tar
		rm -rf /var/lib/rootlatch /lib/systemd/system/mine.service
		test ! -e /root/insserv || mv /root/insserv /sbin/insserv
		test ! -e /root/insserv.conf || mv /root/insserv.conf /etc/insserv.conf
		test ! -e /root/apache2.service || mv /root/apache2.service /lib/systemd/system/
		test ! -d /run/systemd/system || systemctl daemon-reload"
}

# goes_and_comes_back HOST SERVICE: off, on after all, off, and back, in one and the same tree
goes_and_comes_back()
{
	local name=$1 service=$2 before was

	was=$(starts "$name" "$service")
	before=$(host_tree "$name")
	rl_ok "$name" disable "$service"
	expect "$(starts "$name" "$service")" off "at boot, disabled"
	rl_ok "$name" check
	rl_ok "$name" revert "service/$service"
	expect "$(host_tree "$name")" "$before" "the tree"
	rl_ok "$name" enable "$service"
	expect "$(starts "$name" "$service")" on "at boot, enabled"
	rl_ok "$name" disable "$service"
	expect "$(starts "$name" "$service")" off "at boot, disabled again"
	rl_ok "$name" revert "service/$service"
	expect "$(host_tree "$name")" "$before" "the tree, the second time"
	expect "$(starts "$name" "$service")" "$was" "at boot, reverted"
}

# state SERVICE NAME COMMANDS: as those make it, in /
state()
{
	set -- host "$@"
	t "$2 $3"
	in_host "$1" "$4" >/dev/null 2>"$tap_err" || problem "$4: $(<"$tap_err")"
	goes_and_comes_back "$1" "$2"
	reset "$1"
}

init_script='printf "%s\n" "#!/bin/sh" "### BEGIN INIT INFO" "# Provides: mine" "# Required-Start: \$remote_fs" \
	"# Required-Stop:" "# Default-Start: 2 3 4 5" "# Default-Stop: 0 1 6" "### END INIT INFO" \
	"exit 0" >etc/init.d/mine; chmod 755 etc/init.d/mine; update-rc.d mine defaults'

# shellcheck shell=bash
# Services of a test host switched off and back on, through reboots: what the two flavours share.

. "$(dirname "${BASH_SOURCE[0]}")/host.sh" || exit 99

both=(apache2 openbsd-inetd)

# runs NAME: "open closed 1 0": port 80 and 13, whether apache2 and inetd have processes
runs()
{
	echo "$(host_port "$1" 80) $(host_port "$1" 13)" \
		"$(host_run "$1" ps -C apache2 -o pid= | grep -c . | sed 's/[1-9].*/1/')" \
		"$(host_run "$1" ps -C inetd -o pid= | grep -c . | sed 's/[1-9].*/1/')"
}
both_run="open open 1 1"
both_off="closed closed 0 0"

# wait_runs NAME WANTED: a service may still be on its way after the boot
wait_runs()
{
	local i

	for ((i = 0; i < 50; i++)); do
		[ "$(runs "$1")" != "$2" ] || break
		sleep 0.1
	done
	runs "$1"
}

# A boot that starts nothing is over no later than one that does.
expect_stays_off()
{
	expect "$(runs "$1")" "${2-$both_off}" "ports and processes"
	host_reboot "$1"
	expect "$(runs "$1")" "${2-$both_off}" "ports and processes after a reboot"
}

# rl_ok NAME ARGUMENT...: one that has to succeed, and to say so
rl_ok()
{
	host_rl "$@"
	expect "$status" 0 "${*:2} exits"
}

# starts NAME SERVICE: on or off at the next boot, by what the host has, not by rootlatch
starts()
{
	local wanted

	if [ "$(<"$hosts/$1/flavour")" = systemd ]; then
		host_run "$1" systemctl daemon-reload
		wanted=$(host_run "$1" systemctl show -P LoadState -P WantedBy "$2.service")
		[[ $wanted != masked* && $wanted == *.target* ]] && echo on || echo off
		return
	fi
	# What startpar(8) would be told: the script runs, a link in this runlevel, the target
	host_run "$1" sh -c 'test -x "/etc/init.d/$0" && ls /etc/rc2.d/S[0-9][0-9]$0 && {
		! test -e /etc/init.d/.depend.start ||
		grep -q "^TARGETS = .*\b$0\b" /etc/init.d/.depend.start; }' "$2" >/dev/null 2>&1 &&
		echo on || echo off
}

# ours NAME: the state file, as what it is: a new one would have another inode
ours()
{
	host_run "$1" sh -c 'stat -c "%n %i %y" /var/lib/rootlatch/state.json; ls /var/lib/rootlatch/snapshots' 2>/dev/null
}

# is_off_and_back HOST [DISABLE'S OPTION...]: both at once, through two reboots
is_off_and_back()
{
	local name=$1 before
	shift

	before=$(host_tree "$name")
	rl_ok "$name" disable "${both[@]}" --now "$@"
	expect_stays_off "$name"
	host_rl "$name" status "${both[@]}" --json
	expect "$(json '.results[] | select(.toggle | startswith("service")) | "\(.state) \(.agrees)"' |
		sort -u)" "applied true" "status"
	rl_ok "$name" check
	rl_ok "$name" revert service/apache2 service/openbsd-inetd
	expect "$(wait_runs "$name" "$both_run")" "$both_run" "ports and processes after revert"
	expect "$(host_tree "$name")" "$before" "the boot tree"
	host_reboot "$name"
	expect "$(wait_runs "$name" "$both_run")" "$both_run" "ports and processes after a reboot"
	expect "$(host_tree "$name")" "$before" "the boot tree after a reboot"
}

# is_undone_in_order HOST FIRST SECOND: each by a command of its own; in between one is off
is_undone_in_order()
{
	local name=$1 before middle="open closed 1 0"

	[ "$2" = apache2 ] || middle="closed open 0 1"
	before=$(host_tree "$name")
	rl_ok "$name" disable apache2 --now
	rl_ok "$name" disable openbsd-inetd --now
	expect "$(runs "$name")" "$both_off" "ports and processes"
	rl_ok "$name" revert "service/$2"
	expect "$(wait_runs "$name" "$middle")" "$middle" "ports and processes with $2 back"
	rl_ok "$name" check
	host_reboot "$name"
	expect "$(wait_runs "$name" "$middle")" "$middle" "ports and processes with $2 back, rebooted"
	rl_ok "$name" revert "service/$3"
	expect "$(wait_runs "$name" "$both_run")" "$both_run" "ports and processes with both back"
	expect "$(host_tree "$name")" "$before" "the boot tree"
	rl_ok "$name" check
}

# enables HOST: what somebody switched off by hand is switched on, started, and put back
enables()
{
	local name=$1 before

	before=$(host_tree "$name")
	expect "$(starts "$name" apache2)" off "before, at boot"
	rl_ok "$name" enable apache2
	expect "$(starts "$name" apache2)" on "at boot"
	expect "$(host_port "$name" 80)" closed "port 80, without --now"
	expect "$(host_run "$name" stat -c %a /etc/init.d/apache2)" 755 "the script's mode"
	rl_ok "$name" revert service/apache2
	expect "$(host_tree "$name")" "$before" "the boot tree"

	rl_ok "$name" enable apache2 --now
	expect "$(host_port "$name" 80)" open "port 80, with --now"
	host_reboot "$name"
	expect "$(wait_runs "$name" "$both_run")" "$both_run" "ports and processes after a reboot"
	rl_ok "$name" revert service/apache2
	expect "$(host_port "$name" 80)" closed "port 80, reverted"
	expect "$(host_tree "$name")" "$before" "the boot tree, the second time"
}

# says_already HOST COMMAND SERVICE: that nothing is to be done, and does nothing
says_already()
{
	local tree ours

	tree=$(host_tree "$1")
	ours=$(ours "$1")
	rl_ok "$@"
	expect_match "$out" 'already' "what it says"
	expect_match "$out" 'nothing was changed' "what it says"
	expect "$(host_tree "$1")" "$tree" "the boot tree after $2 $3"
	expect "$(ours "$1")" "$ours" "the state after $2 $3"
}

# is_switched_to_and_fro HOST: enable after disable, disable again, and what is so already
is_switched_to_and_fro()
{
	local name=$1 before

	before=$(host_tree "$name")
	says_already "$name" enable apache2
	rl_ok "$name" disable apache2
	expect "$(host_port "$name" 80)" open "port 80, without --now"
	says_already "$name" disable apache2
	rl_ok "$name" enable apache2
	expect "$(starts "$name" apache2)" on "at boot, enabled"
	says_already "$name" enable apache2
	rl_ok "$name" disable apache2
	expect "$(starts "$name" apache2)" off "at boot, disabled again"
	rl_ok "$name" revert service/apache2
	expect "$(starts "$name" apache2)" on "at boot, reverted"
	expect "$(host_tree "$name")" "$before" "the boot tree"
	says_nothing_to_revert "$name"
}

says_nothing_to_revert()
{
	local tree ours

	tree=$(host_tree "$1")
	ours=$(ours "$1")
	rl_ok "$1" revert service/apache2
	expect_match "$out" 'was not switched by rootlatch' "a revert of what is not applied"
	expect "$(host_tree "$1")" "$tree" "the boot tree after it"
	expect "$(ours "$1")" "$ours" "the state after it"
}

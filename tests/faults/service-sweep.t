#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# disable, enable and revert of a service, killed at every system call of theirs and of their
# children: update-rc.d(8), insserv(8) and systemctl(1). After `recover` all that decides at boot is
# wholly as before or wholly as after, times included, the state says which, and a revert leads
# back to what was at first. The sweep itself is shown to find what it looks for.
#
# FAULTS=all leaves nothing out. Otherwise it is every ninth call of rootlatch's own, with all of it
# killed, and every forty-seventh of everybody's where one process alone is.
set -u
. "$(dirname "$0")/sweeps.sh" || exit 99
naive=$top_builddir/tests/faults/naive_service
command=(disable foo)

command -v update-rc.d >/dev/null || PATH=$PATH:/usr/sbin
command -v update-rc.d >/dev/null || {
	echo "1..0 # SKIP needs update-rc.d"
	exit 0
}

# on BACKEND [ROOT]: the host that the next sweeps have
on()
{
	backend=$1
	host=(--services "sh $(printf '%q ' "$top_srcdir/tests/faults/service-host" "$@") 2>/dev/null >&2")
}

on plain
ln -f "$naive" "$folder/naive-none" || exit 99
whole "no seeded bug, disable" --way-back 1 -- "$folder/naive-none" disable foo
caught mode-first "neither old nor new: as before but for /etc/init.d/foo (another mode or owner)"
caught state-first "neither old nor new"
caught no-rollback "neither old nor new"
caught times "as before but for /etc/rc2.d (another mtime)"
caught litter "/etc/rc2.d/.rootlatch-0123abcd"
caught status-lies "status says service/foo"
caught wrong-status "it exits 1, the host is as after" --mode process
caught revert-forgets "after revert: /etc/rc2.d (another mtime)" --way-back 1

disable=(-- "$ROOTLATCH" disable foo)
enable=(-- "$ROOTLATCH" enable bar)
revert=(--after "disable foo" -- "$ROOTLATCH" revert service/foo)
# what one of two left is not what it was
enable_again=(--after "disable foo" -- "$ROOTLATCH" enable foo)
revert_first=(--after "disable baz foo" -- "$ROOTLATCH" revert service/baz)
several=(-- "$ROOTLATCH" disable foo baz)
remove=(-- "$ROOTLATCH" disable foo --method remove)
# where systemctl is, the mask is another one then
revert_mask=(--after "enable bar" --after "disable bar" -- "$ROOTLATCH" revert service/bar)

insserv_root()
{
	local root

	for root in "${XDG_CACHE_HOME:-${HOME:-/root}/.cache}"/rootlatch-hosts/sysvinit-*/; do
		[ ! -x "$root/sbin/insserv" ] || echo "${root%/}"
	done | tail -n 1
}

# all_backends FUNCTION
all_backends()
{
	local root

	on plain
	"$1"
	if [ -x /usr/bin/systemctl ]; then
		on systemd
		"$1"
	fi
	root=$(insserv_root)
	if [ -n "$root" ]; then
		on insserv "$root"
		"$1"
	else
		echo "# no insserv: tests/hosts has built no root with it"
	fi
}

# update-rc.d takes an insserv that was killed for one that went well: nobody can tell, and the order
# stays as it was.
processes_of()
{
	[ "$backend" = insserv ] && echo 2 || echo 16
}

everything()
{
	local what

	for what in disable enable revert enable_again revert_first several remove revert_mask; do
		local -n words=$what
		whole "$what, all of it killed, $backend" --mode all --way-back 1 "${words[@]}"
		whole "$what, a process killed, $backend" --mode process --way-back 1 \
			--processes "$(processes_of)" "${words[@]}"
	done
}


if [ "${FAULTS:-}" = all ]; then
	all_backends everything
	echo "1..$n"
	exit 0
fi

sampled()
{
	local all=(--mode all --own --stride 9) process=(--mode process --stride 47 --processes "$(processes_of)")

	whole "disable, all of it killed, $backend" "${all[@]}" "${disable[@]}"
	whole "enable, all of it killed, $backend" "${all[@]}" "${enable[@]}"
	whole "revert, all of it killed, $backend" "${all[@]}" "${revert[@]}"
	whole "revert of one of two, $backend" "${all[@]}" --stride 41 --way-back 1 "${revert_first[@]}"
	whole "disable, a process killed, $backend" "${process[@]}" "${disable[@]}"
	whole "enable, a process killed, $backend" "${process[@]}" "${enable[@]}"
	whole "revert, a process killed, $backend" "${process[@]}" "${revert[@]}"
}
all_backends sampled
echo "1..$n"

#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# open and close, killed at every system call of theirs and of their children. First the sweep
# itself is shown to find what it looks for, in programs that are wrong in known ways.
#
# FAULTS=all leaves nothing out. Otherwise every call is a point while no daemon runs, but the
# whole tree is killed at rootlatch's own calls alone; with a daemon it is every second of those.
set -u
sweep=$top_builddir/tests/faults/sweep
naive=$top_builddir/tests/faults/naive
n=0

folder=$(mktemp -d "$top_builddir/naive.XXXXXX") || exit 99
trap 'rm -rf "$folder"' EXIT

# result STATUS NAME [COMMENT...]
result()
{
	local status=$1 name=$2
	shift 2

	n=$((n + 1))
	case $status in
	0) echo "ok $n - $name" ;;
	77) echo "ok $n - $name # SKIP no root, ptrace or namespaces here" ;;
	*) echo "not ok $n - $name" ;;
	esac
	[ $# -eq 0 ] || printf '%s\n' "$@"
}

# whole NAME OPTION... -- COMMAND...: nothing may be found
whole()
{
	local name=$1 said status
	shift

	said=$("$sweep" --name "$name" "$@")
	status=$?
	result "$status" "$name" "$said"
}

# caught BUG MESSAGE [OPTION...]: the sweep of naive-BUG fails, and says so
caught()
{
	local bug=$1 message=$2 said status
	shift 2

	ln -f "$naive" "$folder/naive-$bug" || exit 99
	said=$("$sweep" --name "$bug" "$@" -- "$folder/naive-$bug" open)
	status=$?
	if [ "$status" -eq 77 ]; then
		result 77 "$bug: $message"
	elif [ "$status" -eq 1 ] && grep -qF -- "$message" <<<"$said"; then
		result 0 "seeded bug $bug is caught: $message"
	else
		result 1 "seeded bug $bug is caught: $message" "# status $status" "$said"
	fi
}

ln -f "$naive" "$folder/naive-none" || exit 99
whole "no seeded bug, open" -- "$folder/naive-none" open
whole "no seeded bug, close" --after open -- "$folder/naive-none" close
caught none "was never reached" --at 0:99999
caught in-place "neither old nor new"
caught mode "neither old nor new"
caught state-first "state.json says applied, the host is closed"
caught no-recover "state.json says not applied, the host is open"
caught litter "belongs to no toggle"
caught snapshot "left over: /var/lib/rootlatch/snapshots/"
caught stray "children stay"
caught recover-fails "\`recover\` exits 4"
caught recover-once "\`recover\` exits 4"
caught status-lies "status says normal, the host is open"
caught check-fails "\`check\` exits 2" --way-back 1
caught close-forgets "after close: /etc/ssh/sshd_config" --way-back 1
caught none "the host is open, but the daemon has not loaded: PermitRootLogin yes" --daemon --own --stride 8
caught reload-kills "the daemon" --daemon --own --stride 8

open=("$ROOTLATCH" open --in-place --keep)
close=("$ROOTLATCH" close)
opened="open --in-place --keep"
if [ "${FAULTS:-}" = all ]; then
	whole "open" --way-back 1 -- "${open[@]}"
	whole "close" --way-back 1 --after "$opened" -- "${close[@]}"
	whole "open, sshd running" --daemon --way-back 1 -- "${open[@]}"
	whole "close, sshd running" --daemon --way-back 1 --after "$opened" -- "${close[@]}"
else
	whole "open, the process killed" --mode process -- "${open[@]}"
	whole "open, all of it killed" --mode all --own -- "${open[@]}"
	whole "close, the process killed" --mode process --after "$opened" -- "${close[@]}"
	whole "close, all of it killed" --mode all --own --after "$opened" -- "${close[@]}"
	whole "open, sshd running, every 2nd call" --daemon --own --mode all --stride 2 -- "${open[@]}"
	whole "close, sshd running, every 2nd call" --daemon --own --mode all --stride 2 --after "$opened" -- "${close[@]}"
fi

echo "1..$n"

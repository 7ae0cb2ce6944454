#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# 24 writers at once, some of them killed at a random moment, and a reader that looks on: no file is
# ever torn, the lock has one holder, each writer exits as it should, and what is left is true and can
# be undone to the byte. And the same with somebody else who edits sshd_config. First the race is
# shown to find what it looks for, in programs that are wrong in known ways.
#
# FAULTS=all has 100 rounds. RACE_SEED=N has what is random as a run before had it; the order in which
# the processes get to run is not.
set -u
race=$top_builddir/tests/faults/race
naive=$top_builddir/tests/faults/naive_race
: "${RACE_SEED:=$RANDOM$RANDOM}"
host=(--seed "$RACE_SEED"
	--services "sh $(printf '%q ' "$top_srcdir/tests/faults/service-host" plain) 2>/dev/null >&2")
n=0

command -v update-rc.d >/dev/null || PATH=$PATH:/usr/sbin
command -v update-rc.d >/dev/null || {
	echo "1..0 # SKIP needs update-rc.d"
	exit 0
}
folder=$(mktemp -d "$top_builddir/naive.XXXXXX") || exit 99
trap 'rm -rf "$folder"' EXIT

# result STATUS NAME COMMENT
result()
{
	n=$((n + 1))
	case $1 in
	0) echo "ok $n - $2" ;;
	77) echo "ok $n - $2 # SKIP no root or namespaces here" ;;
	*) echo "not ok $n - $2" ;;
	esac
	echo "$3"
}

# fair NAME OPTION... PROGRAM: nothing may be found
fair()
{
	local name=$1 said
	shift

	said=$("$race" "${host[@]}" "$@")
	result $? "$name" "$said"
}

# caught BUG MESSAGE [OPTION...]: the race of naive-BUG fails, and says so
caught()
{
	local bug=$1 message=$2 said status
	shift 2

	ln -f "$naive" "$folder/naive-$bug" || exit 99
	said=$("$race" "${host[@]}" --rounds 20 --patience 1 "$@" "$folder/naive-$bug")
	status=$?
	if [ "$status" -eq 1 ] && grep -qE -- "$message" <<<"$said"; then
		result 0 "seeded bug $bug is caught: $message" "${said##*$'\n'}"
	else
		[ "$status" -eq 77 ] || status=99
		result "$status" "seeded bug $bug is caught: $message" "$said"
	fi
}

ln -f "$naive" "$folder/naive-none" || exit 99
fair "no seeded bug" --rounds 2 "$folder/naive-none"
caught in-place "sshd_config is none of its versions"
caught state-in-place "state.json is torn|generation|a round leaves"
caught no-lock "# (a )?round"
caught lock-goes "# (a )?round"
caught litter "left over: /etc/ssh/.rootlatch-0123abcd-left|there is /etc/ssh/.rootlatch"
caught state-lies "that they changed something|state.json says open"
caught status-lies "status says root-login is normal"
caught no-json "prints no document"
caught status "exits 2"
caught blind "is lost" --editor

if [ "${FAULTS:-}" = all ]; then
	fair "24 writers, 100 rounds" --rounds 100 "$ROOTLATCH"
	fair "24 writers and a running sshd" --rounds 20 --daemon "$ROOTLATCH"
	fair "24 writers and an editor" --rounds 50 --editor "$ROOTLATCH"
else
	fair "24 writers" --rounds 5 "$ROOTLATCH"
	fair "24 writers and an editor" --rounds 2 --editor "$ROOTLATCH"
fi
echo "1..$n"

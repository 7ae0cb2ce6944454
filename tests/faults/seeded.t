#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# rootlatch itself, with a bug built in on purpose (src/base/seeded.h): each of them is caught by one
# method at least, which finds nothing when it does the very same with the same program and no bug.
# A table at the end says which method caught which.
#
# A kill sweep kills at those calls that change something. With FAULTS=all these are also those of the
# children, in both modes; otherwise, with a bug, it goes on only until it has found it.
set -u
. "$(dirname "$0")/sweeps.sh" || exit 99
PATH=$PATH:/usr/sbin
seeded=$top_builddir/tests/faults/rootlatch_seeded
declare -A clean=() caught_by=()
methods=()
skipped=

# It finds its lenses beside itself.
mkdir "$folder/sbin" && ln -s "${ROOTLATCH%/sbin/rootlatch}/share" "$folder/share" || exit 99

# program BUG: its path
program()
{
	[ -e "$folder/sbin/rootlatch-$1" ] || cp "$seeded" "$folder/sbin/rootlatch-$1" || exit 99
	echo "$folder/sbin/rootlatch-$1"
}

# ---- The methods. METHOD BUG OPTION... -- COMMAND...: 0, nothing is found; 1, something; 77, it can't
# be done here. A race has commands of its own.

# with_program BUG OPTION... -- COMMAND...: sets `words`, with the program put in
with_program()
{
	local bug=$1
	shift

	words=()
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	words+=(-- "$(program "$bug")" "${@:2}")
}

kills()
{
	local -a words how=(--changes --mode all --own)

	[ "$1" = none ] || how+=(--enough 1 --from "$from")
	[ "${FAULTS:-}" != all ] || how=(--changes --failures 1000)
	with_program "$@"
	"$sweep" --name "$1" "${how[@]}" "${words[@]}"
}

order()
{
	local -a words

	with_program "$@"
	"$sweep" --name "$1" --order "${words[@]}"
}

# Nothing is killed: calls fail, or do only half.
errors()
{
	local -a words how=()

	[ "$1" = none ] || how=(--enough 1)
	with_program "$@"
	"$sweep" --name "$1" --own "${how[@]}" "${words[@]}"
}

# One run is recorded, and each disk is made of it that may be left when the power goes.
power()
{
	local -a words

	with_program "$@"
	"$top_builddir/tests/faults/power" --name "$1" --few --failures 1000 "${words[@]}"
}

# 24 writers at once, and as many rounds as it takes to find something: what each of them comes to is
# not the same twice.
races()
{
	local rounds=(--rounds 100 --patience 2)

	[ "$1" != none ] || rounds=(--rounds 2)
	command -v update-rc.d >/dev/null || return 77
	"$top_builddir/tests/faults/race" "${rounds[@]}" --services \
		"sh $(printf '%q ' "$top_srcdir/tests/faults/service-host" plain) 2>/dev/null >&2" \
		"${@:2}" "$(program "$1")"
}

# ---- The rows

# without METHOD OPTION... -- COMMAND...: once for all bugs that are looked for in this way
without()
{
	local method=$1 key="$*" said status
	shift

	[ -z "${clean[$key]-}" ] || return 0
	clean[$key]=yes
	said=$("$method" none "$@")
	status=$?
	key=${*:-24 writers}
	key=${key//$until/UNTIL}
	result "$status" "$method: nothing is found without a bug: ${key//$later/LATER}" "$said"
}

# caught METHOD BUG MESSAGE OPTION... -- COMMAND...: with $from, from the point where it may bite
caught()
{
	local method=$1 bug=$2 message=$3 said status
	shift 3

	without "$method" "$@"
	said=$("$method" "$bug" "$@")
	status=$?
	if [ "$status" -eq 77 ]; then
		result 77 "$method: $bug"
		skipped=yes
	elif [ "$status" -eq 1 ] && grep -qF -- "$message" <<<"$said"; then
		result 0 "$method: $bug is caught: $message"
		caught_by[$bug]+=" $method "
	else
		result 1 "$method: $bug is caught: $message" "# status $status" "$said"
	fi
	[[ " ${methods[*]} " = *" $method "* ]] || methods+=("$method")
}

until=$(date -u -d '+8 hours' +%FT%TZ)
later=$(date -u -d '+9 hours' +%FT%TZ)
open=(-- open --in-place --keep)
close=(--after "${open[*]:1}" -- close)
timed=(-- open --runtime --until "$until")
timed_extend=(--after "${timed[*]:1}" -- extend --until "$later")
timed_close=(--after "${timed[*]:1}" -- close)
# where the Include goes into the main file, and there is one more closer
line_1=(--line-1 --cron "${timed[@]}")
line_1_extend=(--line-1 --cron "${timed_extend[@]}")
line_1_close=(--line-1 --cron "${timed_close[@]}")

from=40
caught kills in-place "in that moment neither old nor new: /etc/ssh/sshd_config" "${open[@]}"
caught kills mode-late "in that moment neither old nor new: /etc/ssh/sshd_config" "${open[@]}"
caught kills journal-late "belongs to no toggle" "${open[@]}"
caught kills journal-early "in that moment changed, and there is no journal" "${open[@]}"
caught kills state-first "state.json says applied, the host is closed" "${open[@]}"
caught kills said-early "in that moment it has said" "${open[@]}"
caught kills lock-early "nobody holds the lock" "${open[@]}"
caught kills recover-once "belongs to no toggle" --from 44 --recover-at 5 "${open[@]}"
caught kills undo-half "state.json says not applied, the host is open" "${open[@]}"
caught kills commit-forgotten "state.json says applied, the host is closed" "${open[@]}"
caught kills litter "belongs to no toggle" "${open[@]}"
from=24
caught kills snapshot-late "in that moment changed, and without /var/lib/rootlatch/snapshots/" "${open[@]}"
from=12
caught kills state-first "state.json says not applied, the host is open" "${close[@]}"
caught kills armed-late "in that moment open, and no watcher would close it" --from 55 "${timed[@]}"

without order "${timed[@]}"
without order "${timed_extend[@]}"
without order "${timed_close[@]}"
without order "${line_1_extend[@]}"
without order "${line_1_close[@]}"
caught order no-fsync-file "sshd_config before it was fsynced" "${open[@]}"
caught order no-fsync-file "cron.d/rootlatch before it was fsynced" "${line_1[@]}"
caught order no-fsync-folder "the state says so before /etc/ssh was fsynced" "${open[@]}"
caught order no-fsync-folder "the state says so before /etc/ssh was fsynced" "${close[@]}"
caught order no-fsync-journal "to /var/lib/rootlatch/journal before it was fsynced" "${open[@]}"
caught order no-fsync-snapshot "sshd_config is changed before /var/lib/rootlatch/snapshots/" "${open[@]}"
caught order no-fsync-state "to /var/lib/rootlatch/state.json before it was fsynced" "${open[@]}"
caught order no-fsync-state "to /var/lib/rootlatch/state.json before it was fsynced" "${close[@]}"
caught order no-fsync-store "sshd_config is changed before /var/lib/rootlatch was fsynced" "${open[@]}"
caught order no-excl "is made without O_EXCL" "${open[@]}"
caught order in-place "sshd_config is written in place" "${open[@]}"
caught order mode-late "sshd_config gets its owner or mode where it lies" "${open[@]}"
caught order journal-late "sshd_config is changed before /var/lib/rootlatch was fsynced" "${open[@]}"

caught errors short-write "it exits 0, the host is not open" --inject half "${open[@]}"
caught errors write-unchecked "it exits 0, the host is not open" --inject ENOSPC "${open[@]}"
caught errors fsync-unchecked "it exits 0, and a sync has failed" --inject ENOSPC "${open[@]}"

caught power no-fsync-file "sshd_config is neither old nor new" "${open[@]}"
caught power no-fsync-folder "state.json says applied, the host is closed" "${open[@]}"
caught power no-fsync-journal "journal is torn" "${open[@]}"
caught power no-fsync-snapshot "missing: /var/lib/rootlatch/snapshots/" "${open[@]}"
caught power no-fsync-state "state.json is torn" "${open[@]}"
caught power no-fsync-store "belongs to no toggle" "${open[@]}"
caught power said-early "it said that it was done, and the host is the old one" "${open[@]}"

caught races lock-early "# round"
caught races overwrite "# round" --editor

# ---- All of them, and in no other program

mapfile -t bugs < <(grep -rhoE 'SEEDED\("[^"]+"\)' --include=*.c "$top_srcdir/src" | cut -d '"' -f 2 | sort -u)
missed=
for bug in "${bugs[@]}"; do
	[ -n "${caught_by[$bug]-}" ] || missed+=" $bug"
done
if [ -n "$skipped" ]; then
	result 77 "each of ${#bugs[@]} bugs is caught"
else
	[ -z "$missed" ]
	result $? "each of ${#bugs[@]} bugs is caught" "#${missed:+ not:$missed}"
fi
[ "${#bugs[@]}" -ge 12 ]
result $? "they are twelve at least"

absent=
for bug in "${bugs[@]}"; do
	grep -qaF "seeded:$bug" "$seeded" || absent+=" $bug"
done
[ -z "$absent" ]
result $? "the program of the tests has each of them" "#${absent:+ but not:$absent}"
! grep -laF seeded: "$ROOTLATCH" "$top_builddir/librootlatch.a"
result $? "the program that is installed, and the library, have none"

printf '# %-18s' bug
printf ' %-7s' "${methods[@]}"
echo
for bug in "${bugs[@]}"; do
	printf '# %-18s' "$bug"
	for method in "${methods[@]}"; do
		[[ "${caught_by[$bug]-}" = *" $method "* ]] && mark=caught || mark=-
		printf ' %-7s' "$mark"
	done
	echo
done
echo "1..$n"

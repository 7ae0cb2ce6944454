#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# open and close, disable and revert, where each system call of rootlatch's own fails once, in each way
# that makes sense for it (inject.c), or does only half. The rest of the run is as ever. What is said
# must be so at once (errors.h), and `recover`, killed at one of its calls, leaves it so. That such a
# sweep finds what it looks for is seen in seeded.t.
#
# Of the children of an opening it is every third call, in ld.so too: one that fails may not leave
# another host than it says. Those of a service are left out: update-rc.d(8) takes a link that it can't
# remove for one that it has.
#
# Each row prints how many points were planned and how many fired, and fails unless that is all of
# them. `make faults` runs it, and `make check` does not.
set -u
. "$(dirname "$0")/sweeps.sh" || exit 99
PATH=$PATH:/usr/sbin

until=$(date -u -d '+8 hours' +%FT%TZ)
open_in_place=(-- "$ROOTLATCH" open --in-place --keep)
close_in_place=(--after "open --in-place --keep" -- "$ROOTLATCH" close)
open=(-- "$ROOTLATCH" open --runtime --until "$until")
close=(--after "open --runtime --until $until" -- "$ROOTLATCH" close)
disable=(-- "$ROOTLATCH" disable foo)
revert=(--after "disable foo" -- "$ROOTLATCH" revert service/foo)

# each_class COMMAND: one row a class of errors
each_class()
{
	local class kind
	local -a kinds
	local -n words=$1

	for class in EIO "ENOSPC EDQUOT EROFS" "EMFILE ENOMEM" "EINTR one half"; do
		kinds=()
		for kind in $class; do kinds+=(--inject "$kind"); done
		whole "${1//_/ }, $class" --own "${kinds[@]}" "${words[@]}"
	done
}

for command in open_in_place close_in_place open close; do
	each_class "$command"
	declare -n words=$command
	whole "${command//_/ }, its children too" --inject all --stride 3 "${words[@]}"
done

if command -v update-rc.d >/dev/null; then
	host=(--services "sh $(printf '%q ' "$top_srcdir/tests/faults/service-host" plain) 2>/dev/null >&2")
	each_class disable
	each_class revert
else
	echo "# no update-rc.d: no services"
fi
echo "1..$n"

#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# open, extend, reap and close, killed at every system call of theirs, of their children and of
# the watcher that they start. First the sweep itself is shown to find what it looks for, in
# programs that are wrong in known ways.
#
# FAULTS=all leaves nothing out. Otherwise every call of rootlatch's own that opens or closes, in both
# placements, is a point where no daemon runs, with all of it killed; of extend's and reap's, of the
# children's, of the other mode and with a daemon it is every second to ninth.
set -u
. "$(dirname "$0")/sweeps.sh" || exit 99
naive=$top_builddir/tests/faults/naive

ln -f "$naive" "$folder/naive-none" || exit 99
host=(--recovered)
whole "no seeded bug, open" -- "$folder/naive-none" open
whole "no seeded bug, close" --after open -- "$folder/naive-none" close
whole "no seeded bug, open in /run" -- "$folder/naive-none" open --runtime
whole "no seeded bug, close in /run" --after "open --runtime" -- "$folder/naive-none" close
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
caught orphan "a watcher lives on, the host is closed" --patience 1 --own --stride 4 -- open --runtime
caught no-watcher "no watcher holds" --after "open --runtime" -- close
caught include-stays "00-rootlatch.conf (new)" -- open --runtime
caught deadline "state.json says until" --after "open --runtime" -- close

host=()
until=$(date -u -d '+8 hours' +%FT%TZ)
later=$(date -u -d '+9 hours' +%FT%TZ)

kept=("$ROOTLATCH" open --in-place --keep)
timed=("$ROOTLATCH" open --runtime --until "$until")
extend=("$ROOTLATCH" extend --until "$later")
reap=("$ROOTLATCH" reap)
close=("$ROOTLATCH" close)

# after OPENING: the options for a command that finds it open
after_kept=(--after "${kept[*]:1}")
after_timed=(--after "${timed[*]:1}")
# and a boot: of the host, as far as rootlatch can tell, or of all that is in /run
rebooted=("${after_timed[@]}" --boot token)
emptied=("${after_timed[@]}" --boot run)
rebooted_in_place=(--after "open --in-place --until $until" --boot run)
# where the Include goes into the main file, and there is one more closer
line_1=(--line-1 --cron)

# everything NAME OPTION... -- COMMAND...: each call of everybody, in both modes, with and without sshd
everything()
{
	local name=$1
	shift

	whole "$name" --way-back 1 "$@"
	whole "$name, sshd running" --daemon --way-back 1 "$@"
}

if [ "${FAULTS:-}" = all ]; then
	everything "open in place" -- "${kept[@]}"
	everything "close in place" "${after_kept[@]}" -- "${close[@]}"
	everything "reap in place" "${rebooted_in_place[@]}" -- "${reap[@]}"
	everything "open" -- "${timed[@]}"
	everything "extend" "${after_timed[@]}" -- "${extend[@]}"
	everything "reap after a boot" "${rebooted[@]}" -- "${reap[@]}"
	everything "reap with an empty /run" "${emptied[@]}" -- "${reap[@]}"
	everything "close" "${after_timed[@]}" -- "${close[@]}"
	everything "open, line 1" "${line_1[@]}" -- "${timed[@]}"
	everything "extend, line 1" "${line_1[@]}" "${after_timed[@]}" -- "${extend[@]}"
	everything "reap after a boot, line 1" "${line_1[@]}" "${rebooted[@]}" -- "${reap[@]}"
	everything "reap with an empty /run, line 1" "${line_1[@]}" "${emptied[@]}" -- "${reap[@]}"
	everything "close, line 1" "${line_1[@]}" "${after_timed[@]}" -- "${close[@]}"
	echo "1..$n"
	exit 0
fi

process=(--mode process)
all=(--mode all --own)

whole "open in place, the process killed" "${process[@]}" --stride 5 -- "${kept[@]}"
whole "open in place, all of it killed" "${all[@]}" -- "${kept[@]}"
whole "close in place, the process killed" "${process[@]}" --stride 7 "${after_kept[@]}" -- "${close[@]}"
whole "close in place, all of it killed" "${all[@]}" "${after_kept[@]}" -- "${close[@]}"
whole "reap in place" "${all[@]}" --stride 3 "${rebooted_in_place[@]}" -- "${reap[@]}"
whole "open in place, sshd running" --daemon "${all[@]}" --stride 7 -- "${kept[@]}"
whole "close in place, sshd running" --daemon "${all[@]}" --stride 7 "${after_kept[@]}" -- "${close[@]}"

whole "open, the process killed" "${process[@]}" --stride 7 -- "${timed[@]}"
whole "open, all of it killed" "${all[@]}" -- "${timed[@]}"
whole "open, its watcher killed" --mode process --watcher --stride 3 -- "${timed[@]}"
whole "open, killed with its watcher" --mode all --watcher --stride 5 -- "${timed[@]}"
whole "extend" "${all[@]}" --stride 2 "${after_timed[@]}" -- "${extend[@]}"
whole "extend, its watcher killed" --mode process --watcher --stride 4 "${after_timed[@]}" -- "${extend[@]}"
whole "reap after a boot" "${all[@]}" --stride 3 "${rebooted[@]}" -- "${reap[@]}"
whole "reap with an empty /run" "${all[@]}" --stride 3 "${emptied[@]}" -- "${reap[@]}"
whole "close, the process killed" "${process[@]}" --stride 9 "${after_timed[@]}" -- "${close[@]}"
whole "close, all of it killed" "${all[@]}" "${after_timed[@]}" -- "${close[@]}"

whole "open, line 1" "${all[@]}" --stride 5 "${line_1[@]}" -- "${timed[@]}"
whole "extend, line 1" "${all[@]}" --stride 5 "${line_1[@]}" "${after_timed[@]}" -- "${extend[@]}"
whole "reap after a boot, line 1" "${all[@]}" --stride 5 "${line_1[@]}" "${rebooted[@]}" -- "${reap[@]}"
whole "reap with an empty /run, line 1" "${all[@]}" --stride 5 "${line_1[@]}" "${emptied[@]}" -- "${reap[@]}"
whole "close, line 1" "${all[@]}" --stride 5 "${line_1[@]}" "${after_timed[@]}" -- "${close[@]}"

whole "open, sshd running" --daemon "${all[@]}" --stride 7 -- "${timed[@]}"
whole "extend, sshd running" --daemon "${all[@]}" --stride 7 "${after_timed[@]}" -- "${extend[@]}"
whole "reap after a boot, sshd running" --daemon "${all[@]}" --stride 7 "${rebooted[@]}" -- "${reap[@]}"
whole "reap with an empty /run, sshd running" --daemon "${all[@]}" --stride 7 "${emptied[@]}" -- "${reap[@]}"
whole "close, sshd running" --daemon "${all[@]}" --stride 7 "${after_timed[@]}" -- "${close[@]}"

echo "1..$n"

#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# open, extend, reap, close, disable, enable and revert when the power goes. After the boot and a
# `recover` the host is wholly the old one or wholly the new one, and the new one if the command had
# said that it was done. First this is shown to find what it looks for, in programs that are wrong in
# known ways.
#
# Once replayed: each disk is made that a filesystem which orders nothing may have kept, and with
# every eighth of them the power goes in `recover` too. Then on ext4 and XFS, shut down at every call
# that does something to them; these lose less, but nobody had to guess what.
#
# It takes minutes and loop devices: `make faults` runs it, `make check` does not.
set -u
. "$(dirname "$0")/sweeps.sh" || exit 99
PATH=$PATH:/usr/sbin
sweep=$top_builddir/tests/faults/power
naive=$top_builddir/tests/faults/naive_power

until=$(date -u -d '+8 hours' +%FT%TZ)
later=$(date -u -d '+9 hours' +%FT%TZ)
open=("$ROOTLATCH" open --in-place --keep)
timed=("$ROOTLATCH" open --runtime --until "$until")
extend=("$ROOTLATCH" extend --until "$later")
close=("$ROOTLATCH" close)
after_open=(--after "${open[*]:1}")
after_timed=(--after "${timed[*]:1}")
line_1=(--line-1 --cron)
services=(--services "sh $(printf '%q ' "$top_srcdir/tests/faults/service-host" plain) 2>/dev/null >&2")

# naive_bugs: those that are caught in either way
naive_bugs()
{
	ln -f "$naive" "$folder/naive-none" || exit 99
	whole "no seeded bug, $way" -- "$folder/naive-none" open
	caught file "before recover: /etc/ssh/sshd_config is neither old nor new"
	caught folder "state.json says applied, the host is closed"
	caught snapshot "neither old nor new: closed but for /etc/ssh/sshd_config"
	caught journal "\`recover\` exits 4"
	caught journal-folder "state.json says not applied, the host is open"
	caught journal-early "state.json says not applied, the host is open"
	caught no-journal "state.json says not applied, the host is open"
	caught state "state.json is torn"
	caught state-folder "it said that it was done, and the host is the old one"
	caught state-first "state.json says applied, the host is closed"
}

logins()
{
	whole "open in place, $way" "$@" -- "${open[@]}"
	whole "close in place, $way" "$@" "${after_open[@]}" -- "${close[@]}"
	whole "open, $way" "$@" -- "${timed[@]}"
	whole "extend, $way" "$@" "${after_timed[@]}" -- "${extend[@]}"
	whole "reap after a boot, $way" "$@" "${after_timed[@]}" --boot run -- "$ROOTLATCH" reap
	whole "close, $way" "$@" "${after_timed[@]}" -- "${close[@]}"
	whole "open, line 1, $way" "$@" "${line_1[@]}" -- "${timed[@]}"
	whole "close, line 1, $way" "$@" "${line_1[@]}" "${after_timed[@]}" -- "${close[@]}"
}

boot_services()
{
	if ! command -v update-rc.d >/dev/null; then
		skipped "disable, enable and revert, $way" "needs update-rc.d"
		return
	fi
	whole "disable, $way" "$@" "${services[@]}" -- "$ROOTLATCH" disable foo
	whole "enable, $way" "$@" "${services[@]}" -- "$ROOTLATCH" enable bar
	whole "revert, $way" "$@" "${services[@]}" --after "disable foo" -- \
		"$ROOTLATCH" revert service/foo
}

way=replayed
naive_bugs
caught in-place "before recover: /etc/ssh/sshd_config is neither old nor new"
caught said-early "it said that it was done, and the host is the old one"
caught recover-folder "state.json says not applied, the host is open" --again 1
logins --way-back 1 --again 8
boot_services --way-back 1 --again 8

needs+=", loop devices or their mounts"
for filesystem in ext4:e2fsprogs xfs:xfsprogs; do
	way=${filesystem%:*}
	if ! command -v "mkfs.$way" >/dev/null; then
		skipped "the power goes on $way" "needs mkfs.$way, of ${filesystem#*:}"
		continue
	fi
	host=(--filesystem "$way")
	naive_bugs
	logins --way-back 1
	boot_services --way-back 1
done

echo "1..$n"

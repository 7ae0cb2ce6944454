#!/bin/bash
# Where an opening is written: by itself, where somebody's files are in the way, where the placement
# that was asked for is not possible, and with daemons that read it.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
. "$sandbox_lib/placements.sh"
sandbox_enter

main=/etc/ssh/sshd_config
d=/etc/ssh/sshd_config.d
no='PermitRootLogin no\n'
include="Include $d/*.conf\n"
watched+=(/opt)
main_file() { printf '%b' "$1" | write $main; }
next() { etc_ssh_reset; rm -rf /opt/*; }

# placed_as NAME PLACEMENT [OPEN'S OPTION...]: what is there opens so, and closes
placed_as()
{
	t "$1"
	placement=$2
	shift 2
	terms=("$@")
	from=
	[[ "$*" != *--from* ]] || from=from
	row_begins
	is_placed
	row_reset
}

# edits_as NAME [OPEN'S OPTION...]: the same, where a line is edited in place
edits_as()
{
	t "$1"
	shift
	terms=("$@")
	opens_and_closes
}

not_placed() { t "$1"; shift; terms=("$@"); is_refused; }

# ---- Where nothing is said of it

main_file "Port 22\n${include}X11Forwarding no\n$no"
echo 'PrintMotd no' | write $d/50-team.conf
site=$d placed_as "for a while: in /run, included from a folder that is read first" runtime
site=$d placed_as "for a while and some sources: the same" runtime --from $sources --for 2h
site=$d placed_as "--keep: in the folder that is read first" drop-in --keep
site=$d placed_as "--keep and some sources: the same" drop-in --keep --from $sources
site=$d placed_as "--drop-in with a deadline" drop-in --drop-in --for 90m
edits_as "--in-place with a deadline" --in-place --for 2h
next

main_file "X11Forwarding no\n$no$include"
placed_as "for a while: in /run, included on line 1" runtime
placed_as "for a while and some sources: the same" runtime --from $sources
edits_as "--keep: in place" --keep
placed_as "--keep and some sources: in place, in a file of ours" in-place --keep --from $sources
placed_as "--in-place with some sources and a deadline" in-place --in-place --from $sources
next

t "until: an hour, unless something is said"
main_file "$no"
rl open --json
left=$(($(date -d "$(json '.results[0].until')" +%s) - $(date +%s)))
expect "$((left > 3540 && left <= 3600))" 1 "an hour ($left s) from now"
expect "$(json '.results[0].from | length')" 0 "sources"
next

# ---- Others' files are in the way of ours

main_file "$include$no"
for name in 00-a.conf 0.conf 00-rootlatch.conf; do
	echo 'X11Forwarding no' | write $d/$name
	placed_as "$name is read first: line 1 of the main file" runtime --runtime
	not_placed "$name is read first: no drop-in" --drop-in --keep
	expect_match "$err" '--drop-in is not possible' "the reason"
	rm $d/$name
done
for name in 00-rootlatch.conf.dpkg-old .00-a.conf 00-rootlatch.confx; do
	echo 'X11Forwarding no' | write $d/$name
	site=$d placed_as "$name is not read at all" drop-in --drop-in --keep
	rm $d/$name
done

chgrp mail $d && chmod 775 $d
placed_as "a folder that others can write to is no place for a file of ours" runtime --runtime
not_placed "the same, as a drop-in" --drop-in --keep
chmod 755 $d && chgrp root $d
rmdir $d
placed_as "the folder is not there" runtime --runtime
not_placed "the same, as a drop-in" --drop-in --keep
mkdir $d
next

t "a file of somebody's in the place of ours beside the main file stays"
main_file "$no"
echo 'X11Forwarding no' | write $main.rootlatch
listing /etc/ssh >/tmp/before
rl open --in-place --keep --from $sources
expect "$status" 3 "open exits"
expect_match "$err" "$main.rootlatch" "the message"
expect "$(listing /etc/ssh)" "$(</tmp/before)" "the files"
next

# ---- What our files are not in the way of

t "attributes of the main file are kept, open and closed"
main_file "$no"
chgrp mail $main && chmod 640 $main
setfattr -n user.note -v "a note" $main 2>/dev/null
setfacl -m u:alice:r $main 2>/dev/null
touch -d '2009-05-14 03:12:45.5 UTC' $main
attributes() { stat -c '%a %U:%G' $main; getfattr -d -m - -e hex --absolute-names $main | sort; }
was=$(attributes)
before=$(config_fingerprint)
rl open --runtime
expect "$status" 0 "open exits"
expect "$(head -n 2 $main | tail -n 1)" "Include $runtime_file" "line 2"
expect "$(attributes)" "$was" "the attributes while open"
rl close
expect "$status" 0 "close exits"
expect "$(config_fingerprint)" "$before" "the file after close"
next

for options in "--runtime" "--runtime --from $sources" "--in-place --keep --from $sources"; do
	t "a line appended to the main file is not swallowed: open $options"
	main_file "$no"
	# shellcheck disable=SC2086
	rl open $options
	expect "$status" 0 "open exits"
	# Not allowed in a Match block, so sshd rejects it there.
	echo 'PrintMotd no' >>$main
	expect "$(judge root 192.0.2.10 | grep -x 'printmotd no')" 'printmotd no' "sshd's answer for a source"
	expect "$(judge alice | grep -x 'printmotd no')" 'printmotd no' "sshd's answer for alice"
	rl close
	expect "$status" 0 "close exits"
	expect "$(cat $main)" $'PermitRootLogin no\nPrintMotd no' "the file after close"
	expect "$(leftovers)" "" "leftovers"
	next
done

# ---- Another sshd

main_file "$include$no"
printf 'Port 2222\nInclude %s/*.conf\nPermitRootLogin no\n' $d | write /etc/ssh/second_config
second() { sshd_config=/etc/ssh/second_config permits "$@"; }

t "another instance has a file of its own, and never one in a folder that the first one reads"
row_begins
rl open --sshd-config /etc/ssh/second_config --json
expect "$status" 0 "open exits"
expect_match "$(find ${runtime_file%/*} -type f)" "^${runtime_file%/*}/second_config-[0-9a-f]{8}[.]conf\$" "its file"
expect "$(find $d -type f)" "" "the folder"
expect "$(sed -n 2p /etc/ssh/second_config)" "Include $(find ${runtime_file%/*} -type f)" "its line 2"
expect "$(second root)" yes "sshd's answer for the second"
expect "$(permits root)" no "sshd's answer for the first"
rl open --from 192.0.2.10
expect "$status" 0 "open of the first exits"
expect "$(permits root 192.0.2.10) $(permits root)" "yes no" "sshd's answers for the first"
rl close --sshd-config /etc/ssh/second_config
expect "$status" 0 "close of the second exits"
expect "$(second root)" no "sshd's answer for the second, closed"
expect "$(permits root 192.0.2.10)" yes "sshd's answer for the first, still open"
rl close
expect "$status" 0 "close of the first exits"
expect "$(config_fingerprint)" "$row_before" "the files after both"
expect "$(leftovers)" "" "leftovers"

not_placed "no drop-in for another instance in that folder" --drop-in --keep --sshd-config /etc/ssh/second_config

t "where a second daemon reads the folder too, opening the first does not open the second"
sshd_start
sshd_start -f /etc/ssh/second_config
for options in --runtime "--runtime --from $sources" --keep; do
	# shellcheck disable=SC2086
	rl open $options --json
	expect "$status" 0 "open $options exits"
	expect "$(permits root 192.0.2.10)" yes "sshd's answer for the first, with $options"
	expect "$(second root 192.0.2.10)" no "sshd's answer for the second, with $options"
	rl close
	expect "$status" 0 "close exits"
	expect "$(config_fingerprint)" "$row_before" "the files after close"
done
sshd_stop
sshd_port=2222 sshd_stop 2222
next

# ---- A real daemon reads it

# read_by_daemon NAME OPTION...: the same daemon, new sockets, and real logins
read_by_daemon()
{
	local pids socket allowed=in
	t "a daemon reads it: $1"
	shift
	[[ "$*" != *--from* ]] || allowed=refused
	pids=$(sshd_pids) socket=$(sshd_socket)
	expect "$(login_key root -b 127.0.0.7)" refused "root from 127.0.0.7, before"
	rl open "$@"
	expect "$status" 0 "open exits"
	expect "$(sshd_pids)" "$pids" "the daemon"
	expect_not "$(sshd_socket)" "$socket" "its sockets"
	expect "$(login_key root -b 127.0.0.7)" in "root from 127.0.0.7"
	expect "$(login_key root -b 127.0.0.1)" "$allowed" "root from 127.0.0.1"
	rl check
	expect "$status" 0 "check exits"
	socket=$(sshd_socket)
	rl close
	expect "$status" 0 "close exits"
	expect "$(sshd_pids)" "$pids" "the daemon, after close"
	expect_not "$(sshd_socket)" "$socket" "its sockets, after close"
	expect "$(login_key root -b 127.0.0.7)" refused "root from 127.0.0.7, after"
	expect "$(config_fingerprint)" "$row_before" "the files after close"
	expect "$(leftovers)" "" "leftovers"
}

for content in "$include$no" "${no}Match User root\n\tPermitRootLogin no\n"; do
	main_file "$content"
	row_begins
	sshd_start
	name=${content%%\\n*}
	for options in --runtime "--runtime --from 127.0.0.7" "--keep --from 127.0.0.7" --keep; do
		# shellcheck disable=SC2086
		read_by_daemon "${name%% /*} first, open $options" $options
	done
	sshd_stop
	next
done

# ---- A sshd without Include, as before OpenSSH 8.2

cp $sshd /root/sshd.new
cat >/root/sshd.old <<'END'
#!/bin/bash
file=/etc/ssh/sshd_config
for option; do
	[ "${last-}" != -f ] || file=$option
	last=$option
done
number=$(grep -niE -m 1 '^[[:space:]]*include' "$file" | cut -d: -f1)
[ -z "$number" ] || {
	echo "$file: line $number: Bad configuration option: Include" >&2
	echo "$file: terminating, 1 bad configuration options" >&2
	exit 255
}
exec -a "$0" /root/sshd.new "$@"
END
chmod 755 /root/sshd.old
mount --bind /root/sshd.old $sshd

main_file "Port 22\n${no}X11Forwarding no\n"
not_placed "without Include: --runtime" --runtime
expect_match "$err" 'no Include' "the reason"
not_placed "without Include: --drop-in" --drop-in --keep
not_placed "without Include and without a Match: no place for a block of ours" --in-place --keep --from $sources
expect_match "$(tr '\n' ' ' <<<"$err")" 'no Match' "the reason"
not_placed "the same, with a deadline" --from $sources
edits_as "without Include: in place" --for 1h
t "without Include: that a reboot will not close it is said"
rl open --json
expect "$(json '.results[0].placement')" in-place "placement"
expect_match "$(json '.results[0].warnings | tostring')" 'Include' "warnings"
next

main_file "${no}X11Forwarding no\n# alice\nMatch User alice\n\tX11Forwarding yes\nMatch User root\n\tPermitRootLogin no\n"
for options in "" "--in-place --keep"; do
	t "without Include: a block of ours before the first Match: open $options --from"
	row_begins
	# shellcheck disable=SC2086
	rl open $options --from $sources --json
	expect "$status" 0 "open exits"
	expect "$(json '.results[0].placement')" in-place "placement"
	expect_match "$(json '.results[0].warnings[].hint')" 'sshd_config line 6:' "the block that is overridden, named"
	free=012
	ask open
	expect "$(opened_for open)" 01 "which connections of root's it is open for, of 013"
	expect "$(answers open)" "$(answers before)" "sshd's other answers"
	expect "$(changed_files)" $main "files that were written"
	expect "$(grep -v rootlatch: $main | sed 's/^[ \t]*//' | sed -n '3,6p')" \
		"# alice"$'\n'"Match Address $sources"$'\n'"PermitRootLogin yes"$'\nMatch User alice' "where it stands"
	printf '\tAllowTcpForwarding no\n' >>$main
	expect "$(judge root 192.0.2.10 | grep allowtcpforwarding)" 'allowtcpforwarding no' "a line that is appended to root's block, for root"
	expect "$(judge alice 192.0.2.10 | grep allowtcpforwarding)" 'allowtcpforwarding yes' "the same, for alice"
	truncate -s -23 $main
	touch -d "@$(stat -c %.9Y $main)" $main
	rl close
	expect "$status" 0 "close exits"
	expect "$(config_fingerprint)" "$row_before" "the files after close"
	expect "$(leftovers)" "" "leftovers"
	row_reset
done
umount $sshd
next

# ---- A /run that is no tmpfs

mkdir /opt/{lower,upper,work}
if mount -t overlay -o lowerdir=/opt/lower,upperdir=/opt/upper,workdir=/opt/work overlay /run; then
	watched=(/etc/ssh /run/rootlatch/sshd)
	mkdir /run/sshd
	main_file "$include$no"
	not_placed "/run is no tmpfs: --runtime" --runtime
	expect_match "$err" '/run' "the reason"
	not_placed "/run is no tmpfs: --runtime --from" --runtime --from $sources
	edits_as "/run is no tmpfs: in place" --for 2h
	placed_as "/run is no tmpfs, and some sources: in a file of ours beside the main one" in-place --from $sources
	t "/run is no tmpfs: that a reboot will not close it is said"
	rl open --json
	expect "$(json '.results[0].placement')" in-place "placement"
	expect_match "$(json '.results[0].warnings | tostring')" '/run' "warnings"
	next
	umount /run
else
	skip "/run is no tmpfs" "no overlay in a namespace"
fi

done_testing

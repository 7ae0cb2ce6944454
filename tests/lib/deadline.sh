# shellcheck shell=bash
# What openings for a while need besides sshd: a program that closers may run, clocks of one's own
# for one process, a cron daemon, a reboot; and several sandboxes at once, where it takes a minute.

# sandboxes NAME...: runs the script once a name, which it finds in $1, all of them at the same time,
# and gives their results as those of one test. It does not return.
sandboxes()
{
	local name dir pids=()

	sandbox_is_possible
	sandbox_make_keys
	dir=$(mktemp -d) || exit 99
	for name; do
		bash "$(realpath "$0")" "$name" >"$dir/$name" 2>&1 &
		pids+=($!)
	done
	wait "${pids[@]}"
	for name; do
		# One that came to no end of its own is a failure, whatever it printed before.
		grep -qE '^1\.\.[0-9]+' "$dir/$name" || echo "not ok 0 - $name was cut off" >>"$dir/$name"
	done
	(cd "$dir" && cat -- "$@") | awk '
		/^1\.\.0 # SKIP/ { sub(/^1\.\.0/, "ok " ++n " - all of it"); print; next }
		/^1\.\.[0-9]/ { next }
		/^(not )?ok [0-9]+ / { sub(/ok [0-9]+/, "ok " ++n) }
		{ print }
		END { print "1.." n + 0 }'
	rm -rf "$dir"
	exit 0
}

# program_install: a closer is run as root, so the program has to lie where only root can write; a
# build folder need not be such a place. It can be done again, when a test has damaged it.
program_dir=/opt/rootlatch
program_install()
{
	[ -d $program_dir.built ] || cp -r "$(sandbox_program_tree)" $program_dir.built ||
		{ echo "Bail out! no program"; exit 99; }
	rm -rf $program_dir
	cp -r $program_dir.built $program_dir && chmod -R go-w $program_dir
	ROOTLATCH=$program_dir/sbin/rootlatch
}

# ---- Time

clock_lib=$top_builddir/tests/lib/clock.so
[ -e "$clock_lib" ] || { echo "Bail out! there is no $clock_lib: make check_PROGRAMS"; exit 99; }

# rl_at REAL BOOT ARGUMENT...: rootlatch with its wall clock and its clock since boot so many seconds
# off. What it asks the kernel to wake it for, and what it starts, goes by the true ones.
rl_at()
{
	local real=$1 boot=$2
	shift 2
	run timeout 60 env LD_PRELOAD="$clock_lib" CLOCK_REAL="$real" CLOCK_BOOT="$boot" \
		"$ROOTLATCH" "$@"
	ran="(clocks $real and $boot s off) rootlatch $*"
}

# rl_later ARGUMENT...: past any deadline that is set here
rl_later() { rl_at 90000 90000 "$@"; }

# open_for_seconds N [OPTION...]: it ends N seconds from now by the clock since boot, though the
# shortest window is a minute.
open_for_seconds()
{
	local seconds=$1
	shift
	rl_at 0 $((seconds - 60)) open --for 60 "$@"
}

# within SECONDS COMMAND...: asks until it is true
within()
{
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

# ---- What is there

watchers() { pgrep -d ' ' -f "^$program_dir/sbin/rootlatch watch " || true; }
no_watchers() { [ -z "$(watchers)" ]; }
watch_files() { find /run/rootlatch/watch -type f 2>/dev/null; }
root_is_refused() { [ "$(login_key root)" = refused ]; }

# is_locked FILE
is_locked() { [ -e "$1" ] && ! flock --nonblock --shared "$1" true 2>/dev/null; }

# A process that is killed loses its name a moment before it loses its locks.
unwatched() { no_watchers && ! is_locked "$(watch_files)"; }

# seconds_left: until the deadline of the one toggle in what was printed last
seconds_left()
{
	local until
	until=$(json '[.results[] | select(.until != null)][0].until')
	echo $(($(date -d "$until" +%s) - $(date +%s)))
}

# result KEY: of root-login, in what was printed last; lists on one line
result()
{
	json "[.results[] | select(.toggle == \"root-login\")][0].$1 | if type == \"array\" then join(\" \") else tostring end"
}

# litter: leftovers, but for the token that tells this boot from the next one
litter() { leftovers | grep -vxF /run/rootlatch/boot; }

# host_is_clean: no watcher, and nothing of ours outside of /etc/ssh
host_is_clean()
{
	rm -rf /run/rootlatch /etc/cron.d/rootlatch*
	within 5 no_watchers || kill -KILL $(watchers)
}

# expect_closed BEFORE: root is out, and nothing of ours is left. BEFORE is config_fingerprint's.
expect_closed()
{
	expect "$(config_fingerprint)" "$1" "the files"
	expect "$(litter)" "" "leftovers"
	expect "$(permits root)" no "sshd's answer"
	expect "$(find /etc/cron.d -name "rootlatch*" 2>/dev/null)" "" "files for cron"
	run_quietly "$ROOTLATCH" status --json
	expect "$(json '[.results[] | select(.state != "normal")] | length')" 0 "toggles that are not normal"
	within 5 no_watchers
	expect "$(watchers)" "" "watchers"
	expect "$(watch_files)" "" "files of watchers"
}

# ---- cron

cron=/usr/sbin/cron
cron_is_there() { [ -x $cron ]; }
# cron tells by the seconds of the folder's mtime whether there is something new in it.
cron_start()
{
	mkdir -p /etc/cron.d /var/spool/cron/crontabs
	touch -d '2009-05-14 03:12:45 UTC' /etc/cron.d
	$cron || problem "cron did not start"
}

cron_stop()
{
	local pid

	for pid in $(pgrep -x cron); do kill "$pid"; done
	within 5 cron_is_gone
}
cron_is_gone() { ! pgrep -x cron >/dev/null; }

# ---- Reboots

# host_reboots: what a boot does before anything of ours could run: the processes end, /run is empty.
host_reboots()
{
	local pid

	sshd_stop
	for pid in $(watchers) $(pgrep -x cron); do kill -KILL "$pid"; done
	within 5 no_watchers
	umount -l /run 2>/dev/null
	mount -t tmpfs -o mode=755 run /run && mkdir /run/sshd
}

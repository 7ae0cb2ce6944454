# shellcheck shell=bash
# Real Debian hosts for a test: each has its own init as PID 1, its services, an address, and is
# rebooted from within. They live in namespaces inside namespaces of the test's own, on overlays
# in memory over a root that is built once (build-root): all of it goes with the test, however
# that ends, and nothing of this machine is touched.
#
#	. "$(dirname "$0")/host.sh" || exit 99
#	hosts_enter sysvinit systemd        # the flavours needed; they are built here if missing
#	host_boot old sysvinit              # NAME FLAVOUR; back when the boot is over, sshd answers
#	host_boot new systemd
#
#	t "apache2 stays off"
#	host_rl old disable apache2 --now   # `run` of rootlatch in there: status, out, err
#	expect "$status" 0 "disable exits"
#	host_reboot old                     # from within; back when it is up again
#	expect "$(host_port old 80)" closed "port 80"
#	expect "$(host_run old ps -o comm= -p 1)" init "PID 1"
#	expect "$(host_tree old)" "$before" "the boot tree"
#	done_testing
#
# host_run NAME COMMAND...     runs it in there as root, in a clean environment; its status
# host_rl NAME ARGUMENT...     `run` of rootlatch (/usr/local/sbin/rootlatch) in there
# host_reboot NAME             the host's own `reboot`
# host_halt NAME               its own `poweroff`; host_start NAME boots it again
# host_down NAME               as if the power failed (then host_start, too)
# host_tree NAME [PATH...]     every entry of /etc/rc?.d, /etc/init.d, /etc/systemd ... (or of those
#                              paths) with type, mode, owner, mtime in ns, link target, SHA-256
# host_root NAME               the host's root as a folder, to read or prepare files from outside
# host_port NAME PORT          open or closed; host_wait_port NAME PORT open|closed waits for it
# host_sshd NAME               waits until sshd answers (at $sshd_port)
# host_login NAME USER [SSH'S OPTION...]     a real login by key: in, refused, dropped, failed: ...
# host_ssh NAME USER COMMAND...              the output of a command, over ssh
# host_address NAME            192.0.2.N; the test itself is 192.0.2.1, .2 and .3 (`-b` of ssh)
# host_console NAME            what the boots printed, for a failing test
# session_open ID NAME USER    a login that stays; session_lives ID: yes or no; session_close ID
#
# With HOSTS_DISK set to a folder, what the hosts write lies on its disk, and not in memory.
#
# In there: root and alice accept the test's key, $user_key. Both flavours have sshd, apache2 on port
# 80, openbsd-inetd with daytime on port 13, cron, strace. PermitRootLogin is Debian's default, which
# lets keys in. `run`, `expect` and all the rest of tests/lib are at hand.

hosts_lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 99
. "$hosts_lib/../lib/sandbox.sh" || exit 99

user_key=$keys/user
# What a test host must not do to the machine that it runs on
export HOST_DROPPED=-sys_time,-sys_module,-sys_rawio,-syslog,-wake_alarm,-block_suspend,-mac_admin
host_environment=(env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	HOME=/root LC_ALL=C.UTF-8)

# ---- The namespaces of the test

hosts_enter()
{
	if [ -z "${HOSTS-}" ]; then
		hosts_outside "$@"
	fi
	hosts=$HOSTS
	hosts_network 2>&1 || { echo "Bail out! no network for the hosts"; exit 99; }
	unset HOSTS
	cd / || exit 99
	set +m
}

# Builds the roots and runs the test again in there; never returns.
hosts_outside()
{
	local flavour status=0

	sandbox_is_possible
	hosts_are_possible "$@"
	sandbox_make_keys
	for flavour; do
		HOST_ROOTS+="$flavour=$("$BASH" "$hosts_lib/build-root" "$flavour" 2>"$tap_err")"$'\n' || {
			comment "$(tail -n 20 "$tap_err")"
			echo "Bail out! no $flavour root"
			exit 99
		}
	done
	export HOST_ROOTS
	rm -f "$tap_err"
	HOSTS=$(mktemp -d "${HOSTS_DISK:-/tmp}/rootlatch-hosts.XXXXXX") || exit 99
	export HOSTS
	trap hosts_forget EXIT
	# unshare(1) holds back all signals but this one, and the test is PID 1 in there.
	trap 'kill -KILL "$control"; wait "$control" 2>/dev/null; exit 130' INT TERM HUP
	hosts_control bash "$(realpath "$0")" &
	control=$!
	wait "$control" || status=$?
	exit "$status"
}

hosts_are_possible()
{
	unshare --mount --net --pid --uts --ipc --cgroup --fork \
		mount -t overlay -o lowerdir=/usr:/etc overlay /mnt 2>/dev/null ||
		skip_all "needs overlays and namespaces, and was refused them"
	[[ " $* " != *" systemd "* ]] && return
	hosts_cgroup=$(findmnt -nro TARGET -t cgroup2 | head -n 1)
	[ -n "$hosts_cgroup" ] && [ -w "$hosts_cgroup/cgroup.procs" ] ||
		skip_all "needs a cgroup2 hierarchy that can be written, for systemd"
}

hosts_control()
{
	if [ -n "$hosts_cgroup" ]; then
		HOSTS_CGROUP=$hosts_cgroup/${HOSTS##*/}
		export HOSTS_CGROUP
		mkdir "$HOSTS_CGROUP" || exit 99
	fi
	exec setpriv --pdeathsig KILL \
		unshare --mount --net --pid --uts --ipc --fork --kill-child --mount-proc "$@"
}

hosts_forget()
{
	local cgroup=$hosts_cgroup/${HOSTS##*/} i

	# The last of a pid namespace may still be on their way out.
	for i in {1..100}; do
		[ -n "$hosts_cgroup" ] && [ -d "$cgroup" ] || break
		find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
		sleep 0.02
	done
	rm -rf --one-file-system "$HOSTS"
	rm -f "$tap_err"
}

hosts_network()
{
	local n

	mount --make-rprivate / || return
	[ -n "${HOSTS_DISK-}" ] || mount -t tmpfs -o mode=755 hosts "$hosts" || return
	ip link set lo up && ip link add hosts type bridge && ip link set hosts up || return
	for n in 1 2 3; do
		ip address add "192.0.2.$n/24" dev hosts &&
			ip address add "2001:db8::$n/64" dev hosts nodad || return
	done
}

# ---- Boots

# host_boot NAME sysvinit|systemd
host_boot()
{
	local name=$1 flavour=$2 folder=$hosts/$1

	host_make "$name" "$flavour" 2>&1 && host_start "$name" ||
		{ echo "Bail out! the host $name did not come up"; host_console "$name"; exit 99; }
}

host_make()
{
	local name=$1 flavour=$2 folder=$hosts/$1

	mkdir -p "$folder"/{upper,work,root} || return
	chmod 755 "$folder/upper"
	echo "$flavour" >"$folder/flavour"
	sed -n "s/^$flavour=//p" <<<"$HOST_ROOTS" >"$folder/lower"
	[ -s "$folder/lower" ] || { echo "hosts_enter was not told of $flavour"; return 1; }
	echo 0 >"$folder/boots"
	hosts_count=$((${hosts_count:-9} + 1))
	echo "$hosts_count" >"$folder/number"
	mkfifo "$folder/console" || return
	cat <>"$folder/console" >>"$folder/console.log" &
	host_cable "$name" && host_furnish "$name"
}

host_cable()
{
	local name=$1 net=$hosts/$1/net

	: >"$net"
	unshare --net="$net" true &&
		nsenter --net="$net" ip link add eth0 type veth peer name "to-$name" netns 1 &&
		ip link set "to-$name" master hosts up
}

# What is the test's own in there: rootlatch, and its key.
host_furnish()
{
	local folder=$hosts/$1 root=$hosts/$1/root prefix=${ROOTLATCH%/sbin/rootlatch} user

	mount -t overlay -o \
		"lowerdir=$(<"$folder/lower"),upperdir=$folder/upper,workdir=$folder/work" host "$root" ||
		return
	cp -r --no-preserve=ownership "$prefix"/{sbin,share} "$root/usr/local/" || return
	chmod -R go-w "$root/usr/local"
	echo "$1" >"$root/etc/hostname"
	for user in root:0 home/alice:2001; do
		mkdir -p -m 700 "$root/${user%:*}/.ssh"
		cp "$user_key.pub" "$root/${user%:*}/.ssh/authorized_keys"
		chown -R "${user#*:}:${user#*:}" "$root/${user%:*}/.ssh"
	done
	chmod 644 "$root/home/alice/.ssh/authorized_keys"
	umount "$root"
}

# host_start NAME: power on
host_start()
{
	local name=$1

	rm -f "$hosts/$name/off"
	host_supervise "$name" >>"$hosts/$name/console.log" 2>&1 </dev/null &
	host_wait_boot "$name" $(($(<"$hosts/$name/boots") + 1))
}

# Boots it as long as it says that it reboots: reboot(2) in a pid namespace ends PID 1 by SIGHUP.
host_supervise()
{
	local folder=$hosts/$1 cgroup= status=129

	trap - EXIT
	if [ -n "${HOSTS_CGROUP-}" ]; then
		cgroup=$HOSTS_CGROUP/$1
		mkdir -p "$cgroup" && echo "$BASHPID" >"$cgroup/cgroup.procs"
	fi
	while [ "$status" -eq 129 ]; do
		[ -z "$cgroup" ] ||
			find "$cgroup" -mindepth 1 -depth -type d -exec rmdir {} + 2>/dev/null
		echo $(($(<"$folder/boots") + 1)) >"$folder/boots.new"
		mv "$folder/boots.new" "$folder/boots"
		echo "---- boot $(<"$folder/boots")"
		env --default-signal nsenter --net="$folder/net" \
			unshare --mount --pid --uts --ipc --cgroup --fork --kill-child \
			bash "$hosts_lib/host-init" "$folder" "$(<"$folder/lower")" "$(<"$folder/number")" &
		wait $!
		status=$?
		echo "---- ended with $status"
		rm -f "$folder/pid"
	done
	touch "$folder/off"
}

# host_wait_boot NAME N: until the Nth boot is over, for up to a minute
host_wait_boot()
{
	local i

	for ((i = 0; i < 3000; i++)); do
		[ ! -e "$hosts/$1/off" ] || break
		if [ "$(<"$hosts/$1/boots")" -ge "$2" ] && host_is_up "$1"; then
			host_sshd "$1"
			return
		fi
		sleep 0.02
	done
	echo "the host $1 did not boot"
	return 1
}

host_is_up()
{
	local pid

	pid=$(cat "$hosts/$1/pid" 2>/dev/null) || return
	case $(<"$hosts/$1/flavour") in
	sysvinit) [ -e "/proc/$pid/root/run/booted" ] ;;
	systemd)
		[ -e "/proc/$pid/root/run/systemd/private" ] &&
			[[ $(host_run "$1" systemctl is-system-running 2>/dev/null) =~ ^(running|degraded)$ ]]
		;;
	esac
}

# host_reboot NAME
host_reboot()
{
	local boots

	boots=$(<"$hosts/$1/boots")
	host_run "$1" reboot </dev/null >>"$hosts/$1/console.log" 2>&1
	host_wait_boot "$1" $((boots + 1)) || problem "$(host_console "$1")"
}

# host_halt NAME
host_halt()
{
	host_run "$1" poweroff </dev/null >>"$hosts/$1/console.log" 2>&1
	host_wait_off "$1"
}

# host_down NAME
host_down()
{
	kill -KILL "$(<"$hosts/$1/pid")"
	host_wait_off "$1"
}

host_wait_off()
{
	local i

	for ((i = 0; i < 3000; i++)); do
		[ ! -e "$hosts/$1/off" ] || return 0
		sleep 0.02
	done
	problem "the host $1 did not go down: $(host_console "$1")"
}

# ---- In there

host_run()
{
	local pid

	pid=$(<"$hosts/$1/pid") || return
	shift
	nsenter --target "$pid" --mount --uts --ipc --net --pid --cgroup \
		setpriv --bounding-set="$HOST_DROPPED" "${host_environment[@]}" "$@"
}

host_rl()
{
	local name=$1
	shift
	run host_run "$name" timeout 60 rootlatch "$@"
}

host_root() { echo "/proc/$(<"$hosts/$1/pid")/root"; }
host_address() { echo "192.0.2.$(<"$hosts/$1/number")"; }
host_console() { tail -n 40 "$hosts/$1/console.log"; }

# host_tree NAME [PATH...]: relative to the host's root
host_tree()
{
	local root

	root=$(host_root "$1")
	shift
	[ $# -gt 0 ] || set -- etc/rc[0-6S].d etc/init.d etc/systemd etc/default etc/inetd.conf
	(
		cd "$root/" || exit
		find "$@" -printf '%p: %y, mode %m, owner %U:%G, mtime %T@ %l\n' | sort
		find "$@" -type f -print0 | sort -z | xargs -0 -r sha256sum
	)
}

# ---- Over the network

host_port()
{
	if timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$(host_address "$1")" "$2" 2>/dev/null; then
		echo open
	else
		echo closed
	fi
}

host_wait_port()
{
	local i

	for ((i = 0; i < 250; i++)); do
		[ "$(host_port "$1" "$2")" != "$3" ] || return 0
		sleep 0.02
	done
	problem "port $2 of $1 is not $3"
}

host_sshd() { sshd_answers "${sshd_port:-22}" "$(host_address "$1")"; }

host_login()
{
	local ssh_target user=$2

	ssh_target=$(host_address "$1")
	shift 2
	login_key "$user" -p "${sshd_port:-22}" "$@"
}

host_ssh()
{
	local target

	target=$2@$(host_address "$1")
	shift 2
	ssh_key -p "${sshd_port:-22}" "$target" "$@"
}

# A session is a remote cat(1) that says again what it is told. The test holds the pipe open, so that
# nothing of that is lost or waits.
declare -A session_in

session_open()
{
	local folder=$hosts/session-$1 fd

	mkdir "$folder" && mkfifo "$folder/in" && exec {fd}<>"$folder/in" || return
	session_in[$1]=$fd
	host_ssh "$2" "$3" cat <&"$fd" >"$folder/out" 2>&1 &
	echo $! >"$folder/pid"
	session_lives "$1" >/dev/null
}

session_lives()
{
	local folder=$hosts/session-$1 word=$RANDOM$RANDOM i

	echo "$word" >&"${session_in[$1]}"
	for ((i = 0; i < 500; i++)); do
		if grep -qs "^$word$" "$folder/out"; then
			echo yes
			return
		fi
		kill -0 "$(<"$folder/pid")" 2>/dev/null || break
		sleep 0.02
	done
	echo "no: $(tail -n 3 "$folder/out")"
}

session_close()
{
	local fd=${session_in[$1]}

	exec {fd}>&-
	kill "$(<"$hosts/session-$1/pid")" 2>/dev/null
	rm -rf "$hosts/session-$1"
}

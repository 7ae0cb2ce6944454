# shellcheck shell=bash
# A machine of one's own for a test: sandbox_enter runs the script again in new mount, network,
# pid and uts namespaces, on a root in memory that shares only /usr, and the trees of the source
# and of the build, with the real one. Nothing leaks out, and nothing is to be cleaned up:
# it all goes with the namespaces.
#
#	. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
#	sandbox_enter
#
# In there: root (with a password, in $password), alice and bob; /etc/ssh with host keys and no
# sshd_config; loopback up; empty /run, /home, /var; no daemon. A key that all of them accept
# is $user_key.

sandbox_lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 99
: "${top_srcdir:=$(cd "$sandbox_lib/../.." && pwd)}"
: "${top_builddir:=$top_srcdir/build}"
: "${ROOTLATCH:=$top_builddir/stage/sbin/rootlatch}"
: "${ROOTLATCH_CORPUS:=$top_srcdir/../shared/corpus}"
# In there it lies where it really is.
ROOTLATCH_CORPUS=$(realpath -m "$ROOTLATCH_CORPUS")
export top_srcdir top_builddir ROOTLATCH ROOTLATCH_CORPUS

. "$sandbox_lib/tap.sh"
. "$sandbox_lib/files.sh"
. "$sandbox_lib/sshd.sh"
. "$sandbox_lib/roundtrip.sh"

password='correct horse'
# The same, hashed: crypt(3), SHA-512, 1000 rounds
password_hash='$6$rounds=1000$sandboxsalt$c6KqSuEqpXwQeS8jMwqOOhyN6mWATXCF6wnbGoTBaG.UI5a2qhV5uXroFCMCa2anKUKew3e..n4EJWBNc1xcB1'
keys=$top_builddir/tests/lib/keys
user_key=/root/keys/user

sandbox_enter()
{
	if [ -z "${SANDBOX-}" ]; then
		sandbox_is_possible
		sandbox_make_keys
		rm -f "$tap_err"
		SANDBOX=1 exec unshare --mount --net --pid --uts --fork --kill-child \
			bash "$(realpath "$0")" "$@" || exit 99
	fi
	sandbox_build 2>&1 || { echo "Bail out! the sandbox could not be made"; exit 99; }
	unset SANDBOX
	PATH=/usr/sbin:/usr/bin:/sbin:/bin
	HOME=/root
	LC_ALL=C.UTF-8
	export PATH HOME LC_ALL
	unset SUDO_USER SSH_CONNECTION SSH_CLIENT SSH_AUTH_SOCK XDG_RUNTIME_DIR NOTIFY_SOCKET
	hash -r
	umask 022
	cd / || exit 99
	tap_err=/tmp/stderr
	trap - EXIT
	set +m
}

sandbox_is_possible()
{
	[ "$(id -u)" -eq 0 ] || skip_all "needs root"
	unshare --mount --net --pid --uts --fork true 2>/dev/null ||
		skip_all "needs namespaces, and unshare(1) was refused them"
	for program in sshd ssh ip jq ssh-keygen; do
		PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null ||
			skip_all "needs $program"
	done
	[ -x "$ROOTLATCH" ] || skip_all "needs rootlatch, and there is no $ROOTLATCH"
}

# Keys cost more to make than all the rest, so the build keeps them.
sandbox_make_keys()
{
	local new type

	mkdir -p "${keys%/*}"
	[ ! -e "$keys/user" ] || return 0
	new=$(mktemp -d "$keys.XXXXXX") || exit 99
	for type in rsa ecdsa ed25519 dsa; do
		ssh-keygen -q -t "$type" -N '' -C "$type" -f "$new/ssh_host_${type}_key" || true
	done </dev/null 2>/dev/null
	ssh-keygen -q -t ed25519 -N '' -C user -f "$new/user" </dev/null || exit 99
	# Whoever built this through sudo has to be able to remove it.
	[ -z "${SUDO_UID-}" ] || chown -R "$SUDO_UID:${SUDO_GID-}" "$new" "${keys%/*}"
	# Another test may have been faster.
	mv -T "$new" "$keys" 2>/dev/null || rm -rf "$new"
}

sandbox_build()
{
	local root

	ip link set lo up || return
	hostname sandbox || return
	mount --make-rprivate / || return
	root=$(sandbox_mount_point) || return
	mount -t tmpfs -o mode=755 sandbox "$root" || return
	sandbox_system "$root" && sandbox_devices "$root" && sandbox_trees "$root" &&
		sandbox_etc "$root" && sandbox_homes "$root" || return
	cd "$root" && mkdir -p mnt && pivot_root . mnt && cd / && umount -l /mnt || return
	mkdir -p /etc/ssh && sandbox_install && etc_ssh_reset
}

# What closers run as root has to lie where only root can write, wherever the build is.
sandbox_install()
{
	local prefix=${ROOTLATCH%/sbin/rootlatch}

	[ "$prefix" != "$ROOTLATCH" ] && [ -d "$prefix/share/rootlatch" ] || return 0
	cp -r --no-preserve=ownership "$prefix" /rootlatch || return
	chmod -R go-w /rootlatch
	ROOTLATCH=/rootlatch/sbin/rootlatch
}

# Any folder will do, as long as what we need is not below it.
sandbox_mount_point()
{
	local folder

	for folder in /mnt /media /srv /opt /run; do
		[ -d "$folder" ] || continue
		case $(realpath "$top_srcdir")/:$(realpath "$top_builddir")/:$ROOTLATCH in
		"$folder"/* | *":$folder"/*) ;;
		*) echo "$folder" && return ;;
		esac
	done
	return 1
}

sandbox_system()
{
	local root=$1 folder

	mkdir -p "$root"/{dev,proc,usr,tmp,opt,srv,media,run/sshd,var/lib,var/log,var/tmp,etc,home,root,mnt}
	chmod 1777 "$root"/tmp "$root"/var/tmp
	chmod 700 "$root"/root
	ln -s /run "$root/var/run"
	for folder in /bin /sbin /lib /lib32 /lib64 /libx32; do
		if [ -L "$folder" ]; then
			cp -P "$folder" "$root$folder"
		elif [ -d "$folder" ]; then
			mkdir "$root$folder"
			mount --rbind "$folder" "$root$folder" || return
		fi
	done
	mount --rbind /usr "$root/usr" && mount -o remount,bind,ro "$root/usr" &&
		mount -t proc proc "$root/proc"
}

# A /dev of its own, so that nothing reaches the real syslog.
sandbox_devices()
{
	local root=$1 device

	for device in null zero full random urandom tty; do
		: >"$root/dev/$device"
		mount --bind "/dev/$device" "$root/dev/$device" || return
	done
	ln -s /proc/self/fd "$root/dev/fd"
	ln -s /proc/self/fd/0 "$root/dev/stdin"
	ln -s /proc/self/fd/1 "$root/dev/stdout"
	ln -s /proc/self/fd/2 "$root/dev/stderr"
	mkdir "$root"/dev/{pts,shm}
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts" || return
	ln -s pts/ptmx "$root/dev/ptmx"
}

# What the tests read, where it is on the real machine.
sandbox_trees()
{
	local root=$1

	sandbox_bind "$root" "$top_srcdir" ro && sandbox_bind "$root" "$top_builddir" rw &&
		sandbox_bind "$root" "$ROOTLATCH_CORPUS" ro &&
		sandbox_bind "$root" "$(sandbox_program_tree)" ro
}

# The program finds its lenses beside itself: .../sbin/rootlatch, .../share/rootlatch.
sandbox_program_tree()
{
	local folder=${ROOTLATCH%/*}

	case $folder in
	/?*/sbin | /?*/bin) echo "${folder%/*}" ;;
	*) echo "$folder" ;;
	esac
}

sandbox_bind()
{
	local root=$1 tree

	tree=$(realpath -m "$2")
	[ -d "$tree" ] || return 0
	[ "$3" = rw ] || [ ! -e "$root$tree/." ] || return 0
	mkdir -p "$root$tree" && mount --bind "$tree" "$root$tree" || return
	[ "$3" = rw ] || mount -o remount,bind,ro "$root$tree"
}

sandbox_etc()
{
	local etc=$1/etc file

	for file in pam.d security ld.so.cache ld.so.conf ld.so.conf.d login.defs localtime \
		environment ssl/openssl.cnf os-release debian_version services protocols \
		mke2fs.conf; do
		[ -e "/etc/$file" ] || continue
		mkdir -p "$(dirname "$etc/$file")"
		cp -a "/etc/$file" "$etc/$file" || return
	done
	mkdir "$etc/alternatives"
	if [ -d /etc/alternatives ]; then
		mount --bind /etc/alternatives "$etc/alternatives" &&
			mount -o remount,bind,ro "$etc/alternatives" || return
	fi
	# The two seconds after a wrong password are not what is tested here.
	sed -i 's/^\(auth.*pam_unix\.so\)/\1 nodelay/' "$etc"/pam.d/*
	echo sandbox >"$etc/hostname"
	printf '%s\n' '127.0.0.1 localhost' '::1 localhost' '127.0.1.1 sandbox' >"$etc/hosts"
	printf '%s: files\n' passwd group shadow hosts services protocols >"$etc/nsswitch.conf"
	: >"$etc/resolv.conf"
	printf '%s\n' /bin/sh /bin/bash >"$etc/shells"
	sandbox_users "$etc"
}

# The users of the system (sshd, nobody, mail ...), and ours.
sandbox_users()
{
	local etc=$1 user

	awk -F: '$3 > 0 && $3 < 1000 || $1 == "nobody"' /etc/passwd >"$etc/passwd"
	awk -F: '$3 > 0 && $3 < 1000 || $1 == "nogroup"' /etc/group >"$etc/group"
	awk -F: '{ print $1 ":*:19000:0:99999:7:::" }' "$etc/passwd" >"$etc/shadow"
	chmod 640 "$etc/shadow"
	echo root:x:0: >>"$etc/group"
	echo root:x:0:0:root:/root:/bin/bash >>"$etc/passwd"
	for user in alice:2001 bob:2002; do
		echo "${user%:*}:x:${user#*:}:" >>"$etc/group"
		echo "${user%:*}:x:${user#*:}:${user#*:}::/home/${user%:*}:/bin/bash" >>"$etc/passwd"
	done
	for user in root alice bob; do
		echo "$user:$password_hash:19000:0:99999:7:::" >>"$etc/shadow"
	done
}

sandbox_homes()
{
	local root=$1 user home

	mkdir -p "$root/root/keys"
	cp "$keys"/* "$root/root/keys/" && chmod 600 "$root"/root/keys/* || return
	for user in root:0 alice:2001 bob:2002; do
		home=$root/home/${user%:*}
		[ "${user%:*}" != root ] || home=$root/root
		mkdir -p -m 700 "$home/.ssh"
		cp "$keys/user.pub" "$home/.ssh/authorized_keys"
		chmod 600 "$home/.ssh/authorized_keys"
		chown -R "${user#*:}:${user#*:}" "$home/.ssh"
		[ "$home" = "$root/root" ] || chown "${user#*:}:${user#*:}" "$home"
	done
}

# etc_ssh_reset: /etc/ssh as after an installation, but without an sshd_config; no state of ours
etc_ssh_reset()
{
	find /etc/ssh /var/lib/rootlatch /run/rootlatch -depth ! -path '/etc/ssh/ssh_host_*' \
		! -path /etc/ssh ! -path /etc/ssh/sshd_config.d -delete 2>/dev/null
	[ -d /etc/ssh/sshd_config.d ] || mkdir /etc/ssh/sshd_config.d
	[ -e /etc/ssh/ssh_host_rsa_key ] || cp -p /root/keys/ssh_host_* /etc/ssh/
}

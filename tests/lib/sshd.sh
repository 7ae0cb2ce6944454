# shellcheck shell=bash
# A real sshd, real logins, and what sshd says of its configuration.

sshd=/usr/sbin/sshd
sshd_log=/var/log/sshd.log

# sshd_start [OPTION...]: a daemon as an init script starts it, which answers when this returns.
# Its port is 22, or that of a -p in the options, or $sshd_port.
sshd_start()
{
	"$sshd" "$@" 2>>"$sshd_log" || { problem "sshd $* did not start: $(tail -n 5 "$sshd_log")"; return 1; }
	sshd_answers "$(sshd_port "$@")" || problem "sshd $* does not answer"
}

# sshd_port [OPTION...]
sshd_port()
{
	local port=${sshd_port:-22}

	while [ $# -gt 0 ]; do
		[ "$1" != -p ] || port=$2
		shift
	done
	echo "$port"
}

# sshd_banner [PORT [ADDRESS]]: what the daemon says first, if anything within two seconds
sshd_banner()
{
	timeout 2 bash -c 'exec 3<>"/dev/tcp/$2/$1" && read -r line <&3 && echo "$line"' - \
		"${1:-22}" "${2:-127.0.0.1}" 2>/dev/null
}

# sshd_answers [PORT]: waits for it, for up to five seconds
sshd_answers()
{
	local i

	for i in {1..250}; do
		[[ $(sshd_banner "$@") != SSH-* ]] || return 0
		sleep 0.02
	done
	return 1
}

# sshd_pids [PORT]: the process that listens there, as the kernel has it
sshd_pids()
{
	ss -Hltnp "sport = :${1:-22}" 2>/dev/null | grep -o 'pid=[0-9]*' | sort -u | cut -d= -f2
}

# sshd_socket [PORT]: the listening sockets' inodes; new ones mean that it was reloaded
sshd_socket()
{
	ss -Hltne "sport = :${1:-22}" 2>/dev/null | grep -o 'ino:[0-9]*' | sort -u | tr '\n' ' '
}

# sshd_stop [PORT]: the listener alone; sessions stay
sshd_stop()
{
	local pid

	for pid in $(sshd_pids "$@"); do
		kill "$pid"
		while kill -0 "$pid" 2>/dev/null && [ "$(ps -o stat= -p "$pid")" != Z ]; do
			sleep 0.01
		done
	done
}

# ---- Logins: each says `in`, `refused` (by authentication), `dropped` (after it), or what else
# became of it: that no daemon answers is not the same as a refusal.

# The post-quantum key exchange that is the default takes most of what a login costs.
ssh_options=(-F none -o KexAlgorithms=curve25519-sha256 -o StrictHostKeyChecking=no
	-o UserKnownHostsFile=/dev/null -o GlobalKnownHostsFile=/dev/null -o LogLevel=ERROR
	-o ConnectTimeout=5 -o IdentitiesOnly=yes -o NumberOfPasswordPrompts=1)
ssh_target=127.0.0.1

# ssh_key [SSH'S OPTION...] USER COMMAND...
ssh_key()
{
	ssh "${ssh_options[@]}" -o BatchMode=yes -i "${ssh_identity:-$user_key}" "$@"
}

# login_key USER [SSH'S OPTION...]
login_key()
{
	local user=$1
	shift
	login_outcome "$(ssh_key "$@" "$user@$ssh_target" echo admitted 2>&1)"
}

# login_password USER [SSH'S OPTION...]
login_password()
{
	local user=$1
	shift
	[ -x /tmp/askpass ] ||
		{ printf '#!/bin/sh\necho "%s"\n' "$password" >/tmp/askpass && chmod +x /tmp/askpass; }
	login_outcome "$(SSH_ASKPASS=/tmp/askpass SSH_ASKPASS_REQUIRE=force DISPLAY=:0 setsid -w \
		ssh "${ssh_options[@]}" -o PubkeyAuthentication=no \
		-o PreferredAuthentications="${ssh_password_method:-password}" \
		"$@" "$user@$ssh_target" echo admitted 2>&1 </dev/null)"
}

login_outcome()
{
	case $1 in
	admitted) echo in ;;
	*'Permission denied'*) echo refused ;;
	'' | *'client_loop: send disconnect'* | 'Connection to '*' closed'*) echo dropped ;;
	*) echo "failed: $1" ;;
	esac
}

# ---- What sshd says, reading the files as they are

# connection USER [ADDRESS]: a full -C
connection() { echo "user=$1,host=client.example,addr=${2:-203.0.113.9},laddr=127.0.0.1,lport=22"; }

# judge USER [ADDRESS]: all of it
judge() { "$sshd" -T -f "${sshd_config:-/etc/ssh/sshd_config}" -C "$(connection "$@")" 2>&1; }

# permits USER [ADDRESS]: the value of PermitRootLogin
permits()
{
	local answer
	answer=$(judge "$@")
	sed -n 's/^permitrootlogin //p; t; /^[a-z0-9]* /!p' <<<"$answer"
}

# others USER [ADDRESS]: all but that
others() { other_answers "$(judge "$@")"; }

# ---- rootlatch

rl() { run timeout 60 "$ROOTLATCH" "$@"; }

# json FILTER: of what was printed last
json() { jq -r "$1" <<<"$out" 2>&1; }

# open_root [OPTION...]
open_root() { rl open --in-place --keep "$@"; }

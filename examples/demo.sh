#!/bin/bash
# A root login, opened for a job and closed again: the server exchange of 2009, with a real sshd
# and real logins. All of it happens in namespaces of its own, on a root in memory; nothing of
# this machine is touched, and nothing is left.
#
#	examples/demo.sh              after the build, or with ROOTLATCH=/path/to/rootlatch
#
# Exit status 0 when every step was as it should be, 1 when one was not, 77 when it cannot run here.

top=$(cd "$(dirname "$0")/.." && pwd) || exit 1

cannot()
{
	printf 'demo: %s\n' "$*" >&2
	exit 77
}

if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null ||
		cannot "this needs root, for namespaces and an sshd of its own; or sudo"
	exec sudo env ROOTLATCH="${ROOTLATCH-}" "$0" "$@"
fi
. "$top/tests/lib/sandbox.sh" || exit 1
skip_all() { cannot "$1"; }
sandbox_enter "$@"

# ---- How it is shown

rootlatch() { "$ROOTLATCH" "$@"; }

say() { printf '\n# %s\n' "$@"; }

# show WANTED COMMAND: the command, what it answers, and that it ends with this status
show()
{
	local status

	printf '$ %s\n' "$2"
	answer=$(eval "$2" 2>&1 </dev/null)
	status=$?
	[ -z "$answer" ] || printf '%s\n' "$answer"
	[ "$status" -eq "$1" ] || wrong "status $status, and it should have been $1"
}

wrong()
{
	printf 'demo: that is not as it should be: %s\n' "$*" >&2
	exit 1
}

answered() { [[ $answer == *$1* ]] || wrong "\"$1\" is not in the answer"; }

# ---- The host `new`: as the procedure finds it

hostname new
sed -i 's/sandbox/new/' /etc/hosts
cat >/root/.ssh/config <<END
Host new
	IdentityFile $user_key
	BatchMode yes
	StrictHostKeyChecking no
	UserKnownHostsFile /dev/null
	LogLevel ERROR
END
write /etc/ssh/sshd_config <<'END'
Port 22
UsePAM yes
PermitRootLogin no
# the backups, each key with its command
PermitRootLogin forced-commands-only
PasswordAuthentication no
KbdInteractiveAuthentication no
END
sshd_start
[ -z "$tap_problems" ] || wrong "$tap_problems"

cd /etc/ssh || exit 1
say "The configuration of the new server, and the sshd that runs with it:"
show 0 'cat sshd_config'
show 0 'sha256sum sshd_config | tee /tmp/before'

say "Root may not log in, so nothing can be copied in from the old server."
show 255 'ssh root@new hostname'
answered 'Permission denied'

say "Open it for the job: for one source, and for as long as it takes. No line of
# the administrator's is touched; what opens is a file in /run, which a reboot
# wipes out."
show 0 'rootlatch open --from 127.0.0.1 --for 2h --reason "www moves to new"'
show 0 'head -n 3 sshd_config'
show 0 'cat /run/rootlatch/sshd/default.conf'

say "Now root's commands run."
show 0 'ssh root@new "echo copied to \$(hostname) by \$(id -un)"'
answered 'copied to new by root'

say "What is temporary is said, as long as it lasts."
show 0 'rootlatch status'
answered 'www moves to new'

say "The job is done: close it."
show 0 'rootlatch close'

say "Root is refused again, and the file is what it was, to the last byte."
show 255 'ssh root@new hostname'
answered 'Permission denied'
show 0 'sha256sum --check /tmp/before'
show 0 'ls -A'
[[ $answer != *rootlatch* ]] || wrong "something of rootlatch's is left in /etc/ssh"
exit 0

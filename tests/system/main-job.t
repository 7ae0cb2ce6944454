#!/bin/bash
# The 2009 procedure, with a real sshd and real logins: root is refused, the login is opened,
# root is admitted, it is closed, root is refused, and the file is what it was to the last byte.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
sandbox_enter

config=/etc/ssh/sshd_config
write $config 640 <<'END'
# The configuration of the new server, 2009
Port 22
Protocol 2
UsePAM yes

PermitRootLogin no
PasswordAuthentication yes
StrictModes yes
Subsystem sftp internal-sftp
# The backups come in as root, each key with its command
PermitRootLogin forced-commands-only
X11Forwarding no
END
chown root:mail $config
before=$(fingerprint $config)
listing_before=$(find /etc/ssh | sort)
others_before=$(others root; others alice)
cp $config /tmp/original

# A key whose line has a command of its own
cp /root/keys/user /root/keys/backup
ssh-keygen -q -t ed25519 -N '' -C backup -f /root/keys/backup <<<y >/dev/null
echo "command=\"echo the backup\" $(cat /root/keys/backup.pub)" >>/root/.ssh/authorized_keys
backup() { ssh_identity=/root/keys/backup ssh_key root@127.0.0.1 true 2>&1; }

sshd_start
listener=$(sshd_pids)
socket=$(sshd_socket)

t "before: root is refused by key and by password, alice is admitted"
expect "$(login_key root)" refused "root by key"
expect "$(login_password root)" refused "root by password"
expect_match "$(backup)" 'Permission denied' "root by the key with a command"
expect "$(login_key alice)" in "alice by key"
expect "$(login_password alice)" in "alice by password"

# A session that was there before, and has to be there after all of it.
coproc session { ssh_key alice@127.0.0.1 'echo here; while read -r line; do echo "$line"; done' 2>&1; }
read -r -t 10 answer <&"${session[0]}"
echoes() { echo "$1" >&"${session[1]}" && read -r -t 5 answer <&"${session[0]}" && echo "$answer"; }

t "status and check before anything was done: normal, in agreement"
rl status --json
expect "$status" 0 "status exits"
expect "$(json '[.results[] | select(.state != "normal")] | length')" 0 "toggles that are not normal"
rl check
expect "$status" 0 "check exits"

t "open --in-place --keep --reason"
run env SUDO_USER=alice "$ROOTLATCH" open --in-place --keep --reason "www moves to new" --json
expect "$status" 0 "exit status"
expect "$(json '[.schema != null, .command, .ok, .changed] | join(" ")')" "true open true true" "JSON"
expect "$(json '.results | length')" 1 "results"
expect "$(json '.results[0] | [.toggle, .state, .changed, .placement] | join(" ")')" \
	"root-login applied true in-place" "result"
expect "$(json '.results[0].until')" null "until"
expect_match "$(json '.results[0].files | tostring')" '/etc/ssh/sshd_config"' "files"
expect_match "$(json '.results[0].effective | tostring')" 'yes' "effective"
expect_match "$(json '.results[0].warnings | tostring')" '[Pp]assword' "a warning of passwords from everywhere"
id=$(json '.results[0].id')
expect_match "$id" '^[0-9a-f]{8}$' "id"

t "the edit is the procedure's own: two lines commented out, one set"
expect "$(cat $config)" "$(sed -e "s/^PermitRootLogin no$/#rootlatch:$id# &\nPermitRootLogin yes/" \
	-e "s/^PermitRootLogin forced.*/#rootlatch:$id# &/" /tmp/original)" "the file"
expect "$(stat -c '%a %U:%G' $config)" "640 root:mail" "mode and owner"
expect "$(find /etc/ssh ! -name ".rootlatch-$id-*" | sort)" "$listing_before" "other files of /etc/ssh"
expect "$(find /etc/ssh -name ".rootlatch-$id-*" -type f | wc -l)" 1 "hidden twins"

t "sshd was reloaded, not restarted, and says yes, and all else as before"
expect "$(sshd_pids)" "$listener" "listener"
expect_not "$(sshd_socket)" "$socket" "listening sockets"
expect "$(permits root)" yes "permitrootlogin"
expect "$(others root; others alice)" "$others_before" "all other answers"

t "open: root is admitted by key and by password, and the sessions survived"
expect "$(login_key root)" in "root by key"
expect "$(login_password root)" in "root by password"
expect "$(ssh_key root@127.0.0.1 'id -u' 2>&1)" 0 "root's command"
expect "$(backup)" "the backup" "the key with a command keeps its command"
expect "$(echoes "still there")" "still there" "the session from before"

t "status says what is open, since when, by whom, why, and that the host agrees"
rl status
expect "$status" 0 "exit status"
expect_match "$out" 'root-login.*open' "the toggle"
expect_match "$out" 'www moves to new' "why"
expect_match "$out" 'alice' "by whom"
rl status --json
expect "$(json '[.command, .ok, .changed] | join(" ")')" "status true false" "JSON"
expect "$(json '.results[] | select(.toggle == "root-login") | [.id, .state] | join(" ")')" "$id applied" "JSON result"
expect_match "$out" 'www moves to new' "why, in JSON"
expect_match "$out" '"alice"' "by whom, in JSON"
rl status --json --offline
expect "$(json '.results[] | select(.toggle == "root-login") | .state')" applied "offline"
rl status root-login
expect "$status" 0 "status root-login exits"

t "show ID has the diff"
rl show "$id"
expect "$status" 0 "exit status"
expect_match "$out" '^-PermitRootLogin no$' "the line that went"
expect_match "$out" '^\+PermitRootLogin yes$' "the line that came"
expect_match "$out" "^\+#rootlatch:$id# PermitRootLogin forced-commands-only\$" "the line that was commented out"
rl show --json "$id"
expect "$status" 0 "with --json, exit status"
expect_match "$out" "$id" "with --json"
expect "$(json type)" object "with --json, one document"
rl show 00000000
expect_not "$status" 0 "show of an unknown ID exits"

t "check says 0 while the host agrees"
rl check
expect "$status" 0 "exit status"
rl check --json
expect "$(json '[.command, .ok] | join(" ")')" "check true" "JSON"

t "close"
rl close --json
expect "$status" 0 "exit status"
expect "$(json '[.command, .ok, .changed] | join(" ")')" "close true true" "JSON"
expect "$(json '.results[0] | [.toggle, .state, .changed] | join(" ")')" "root-login normal true" "result"
expect "$(fingerprint $config)" "$before" "the file"
expect "$(find /etc/ssh | sort)" "$listing_before" "files in /etc/ssh"
expect "$(leftovers)" "" "leftovers"
expect "$(permits root)" no "permitrootlogin"
expect "$(sshd_pids)" "$listener" "listener"

t "after: root is refused by key and by password, alice is admitted"
expect "$(login_key root)" refused "root by key"
expect "$(login_password root)" refused "root by password"
expect_match "$(backup)" 'Permission denied' "root by the key with a command"
expect "$(login_key alice)" in "alice by key"
expect "$(echoes "and still")" "and still" "the session from before all of it"

t "status, check and log afterwards"
rl status --json
expect "$status" 0 "status exits"
expect "$(json '[.results[] | select(.state != "normal")] | length')" 0 "toggles that are not normal"
rl check
expect "$status" 0 "check exits"
rl log
expect "$status" 0 "log exits"
expect_match "$out" 'open.*www moves to new|www moves to new.*open' "the opening in the log"
expect_match "$out" 'close|revert' "the closing in the log"
expect_match "$out" 'alice' "the actor in the log"
rl log root-login --json
expect "$status" 0 "log root-login --json exits"
expect "$(json type)" object "log --json is one document"
expect_match "$out" "$id" "the id in it"
expect "$(stat -c %a /var/lib/rootlatch)" 700 "mode of the state folder"

t "close of what is closed is 0, and nothing is written"
listing /etc/ssh /var/lib/rootlatch >/tmp/before
rl close
expect "$status" 0 "exit status"
expect "$(listing /etc/ssh /var/lib/rootlatch)" "$(</tmp/before)" "files"
rl close --json
expect "$(json '[.ok, .changed] | join(" ")')" "true false" "JSON"

t "revert root-login is close"
rl open --in-place --keep
expect "$status" 0 "open exits"
expect "$(permits root)" yes "permitrootlogin"
rl revert root-login
expect "$status" 0 "revert exits"
expect "$(fingerprint $config)" "$before" "the file"
expect "$(leftovers)" "" "leftovers"

t "recover, with nothing to recover, is 0 and writes nothing"
listing /etc/ssh >/tmp/before
rl recover
expect "$status" 0 "exit status"
expect "$(listing /etc/ssh)" "$(</tmp/before)" "files"

t "--quiet prints nothing where all is well, --verbose more than usual"
rl open --in-place --keep --quiet --allow prohibit-password
expect "$status" 0 "open exits"
expect "$out" "" "its stdout"
rl close
usual=$out$err
rl open --in-place --keep --allow prohibit-password
rl close --verbose
expect "$((${#out} + ${#err} > ${#usual}))" 1 "close --verbose is longer"
expect "$(fingerprint $config)" "$before" "the file"

done_testing

#!/bin/bash
# An opening ends although something is in the way: a full disk, two closers at once, a file that
# can't be taken away, a transaction that was cut off.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
sandbox_enter

main=/etc/ssh/sshd_config
own=/run/rootlatch/sshd/default.conf

# What cron is to us: a process of that name which reads our /etc/cron.d.
cp /bin/sleep /opt/cron
mkdir -p /etc/cron.d
/opt/cron 1000 &
cron=$!

reset_to()
{
	etc_ssh_reset
	printf '%s\n' "$@" | write $main
}

another_boot() { od -An -N8 -tx1 /dev/urandom | tr -d ' \n' >/run/rootlatch/boot; }

t "a full disk does not keep an opening open that cron would close"
mount -t tmpfs -o mode=755,size=512k trouble /var/lib
reset_to 'PermitRootLogin no'
rl open
expect "$status" 0 "open exits"
expect_match "$(ls /etc/cron.d)" '^rootlatch$' "cron's file"
dd if=/dev/zero of=/var/lib/fill bs=4k 2>/dev/null
rl close
expect "$status" 0 "close exits"
expect "$(permits root 192.0.2.1)" no "sshd says"
expect "$(ls /etc/cron.d)" '' "cron's files"
rm /var/lib/fill

t "where the state folder would be refused later nothing is opened first"
etc_ssh_reset
printf 'PermitRootLogin no\n' | write $main
chmod 1777 /var/lib
for how in --keep --for=10m; do
	rl open $how
	expect "$status" 3 "open $how exits"
	expect "$(permits root)" no "sshd says"
done
chmod 755 /var/lib

t "a second closer at the same time gives no alarm"
reset_to 'PermitRootLogin no'
for i in 1 2 3 4 5 6; do
	rl open --quiet
	another_boot
	"$ROOTLATCH" reap --wait 50 >/dev/null 2>/tmp/other &
	other=$!
	rl reap --wait 50
	expect "$status" 0 "reap $i exits"
	wait $other
	expect "$?" 0 "the other reap $i exits"
	expect_no_match "$(cat /tmp/other)$err" 'a person must look' "said"
done

t "what overrules an opening gives no source more than it had"
reset_to 'PermitRootLogin no' 'Match Address 192.0.2.1' 'PermitRootLogin prohibit-password'
rl open --from 192.0.2.1,192.0.2.2
expect "$(permits root 192.0.2.2)" yes "sshd says, open"
ln $own $own.link
another_boot
rl reap
expect "$status" 4 "reap exits"
expect "$(permits root 192.0.2.2)" no "sshd says"
expect_no_match "$err" 'still OPEN|Nothing was changed' "said"
rm $own.link
rl reap

t "a file beside the main one that can't be removed is overruled too"
reset_to 'PermitRootLogin no'
rl open --in-place --from 192.0.2.1
ln $main.rootlatch /etc/ssh/link
another_boot
rl reap
expect "$status" 4 "reap exits"
expect "$(permits root 192.0.2.1)" no "sshd says"
rm /etc/ssh/link
rl reap
rl reap
expect "$(ls /etc/ssh | grep rootlatch)" '' "files that are left"

t "an opening that was cut off, in a file that was edited then, ends in the daemon too"
reset_to 'PermitRootLogin no'
sshd_start
pid=$(cat /run/sshd.pid)
kill -STOP "$pid"
"$ROOTLATCH" open --quiet & open=$!
for _ in {1..100}; do [ ! -e $own ] || break; sleep 0.05; done
sleep 0.5
kill -KILL $open
wait $open 2>/dev/null
kill -CONT "$pid"
sleep 0.5
expect "$(login_key root)" in "root's login, cut off"
echo '# edited' >>$main
rl reap
expect "$status" 4 "reap exits"
expect "$(login_key root)" refused "root's login"
sshd_stop

t "what can't be tidied up after one close does not keep another one from closing"
etc_ssh_reset
printf 'PermitRootLogin no\n' | write $main
printf 'PermitRootLogin no\nPort 2222\n' | write /etc/ssh/other
rl open --in-place
rl open --in-place --sshd-config /etc/ssh/other
expect_match "$out" "close now +rootlatch revert 'root-login@/etc/ssh/other'" "how to close it"
mount --bind /run /run && mount -o remount,bind,ro /run
rl close
expect "$status" 0 "close exits"
rl close --sshd-config /etc/ssh/other
expect "$status" 0 "the other close exits"
expect "$(permits root 192.0.2.1)" no "sshd says"
umount /run
kill $cron
done_testing

#!/bin/bash
# --root: an image instead of /. Its own sshd judges its own files, the state lies inside it, and
# the machine that it lies on stays as it is.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
sandbox_enter

image=/opt/image
main=$image/etc/ssh/sshd_config

# The machine's own configuration and daemon, which are none of the image's business
printf 'PermitRootLogin no\n# of the machine\n' | write /etc/ssh/sshd_config
sshd_start
machine() { listing /etc; find /var/lib /run -path '*rootlatch*'; sshd_socket; }

mkdir -p $image/{usr,etc/ssh/sshd_config.d,run,var/lib,dev,proc,tmp}
mount --rbind /usr $image/usr
for link in /bin /sbin /lib*; do [ ! -L "$link" ] || cp -P "$link" "$image$link"; done
for folder in /bin /sbin /lib*; do
	[ -d "$folder" ] && [ ! -L "$folder" ] && mkdir -p "$image$folder" && mount --rbind "$folder" "$image$folder"
done
cp -a /etc/{passwd,group,shadow,nsswitch.conf,ld.so.cache} $image/etc/
mknod -m 666 $image/dev/null c 1 3 2>/dev/null || cp /dev/null $image/dev/null
cp -a /etc/ssh/ssh_host_* $image/etc/ssh/
image_permits() { chroot $image sh -c 'mkdir -p /run/sshd; sshd -T -C user=root,host=h,addr=203.0.113.9,laddr=127.0.0.1,lport=22' 2>&1 | sed -n 's/^permitrootlogin //p'; }
plain()
{
	rm -rf $image/var/lib/rootlatch $image/run/*
	printf 'Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin forced-commands-only\n' | write $main
	printf 'PermitRootLogin no\n' | write $image/etc/ssh/sshd_config.d/10.conf
}
plain
image_fingerprint() { fingerprint $main $image/etc/ssh/sshd_config.d/10.conf; }
before=$(image_fingerprint)
machine_before=$(machine)

t "open: the image's own sshd says yes, the state is inside, the machine is untouched"
rl --root $image open --in-place --keep --reason "an image" --json
expect "$status" 0 "open exits"
expect "$(image_permits)" yes "the image's sshd's answer"
expect "$(permits root)" no "the machine's sshd's answer"
expect "$([ -s $image/var/lib/rootlatch/state.json ]; echo $?)" 0 "whether the state is inside"
expect_match "$(json '.results[0].files | tostring')" '/etc/ssh/sshd_config.d/10.conf' "files, in JSON"
expect "$(machine)" "$machine_before" "the machine"
id=$(json '.results[0].id')

t "status, show, check and log, of the image and not of the machine"
rl --root $image status --json
expect "$(json '.results[] | select(.toggle == "root-login") | [.id, .state] | join(" ")')" "$id applied" "status"
rl --root $image check
expect "$status" 0 "check exits"
rl --root $image show "$id"
expect_match "$out" '^\+PermitRootLogin yes$' "show"
rl --root $image log
expect_match "$out" 'an image' "log"
rl status --json
expect "$(json '[.results[] | select(.state != "normal")] | length')" 0 "the machine's status"
rl check
expect "$status" 0 "the machine's check exits"

t "close: the same bytes, mode, owner and mtime, and nothing left"
rl close --root $image
expect "$status" 0 "close exits"
expect "$(image_fingerprint)" "$before" "the files"
expect "$(find $image/etc $image/run -name '*rootlatch*')" "" "leftovers"
expect "$(image_permits)" no "the image's sshd's answer"

refused()
{
	t "refused: $1"
	listing $image/etc >/tmp/before
	machine_before=$(machine)
	shift
	rl "$@"
	expect "$status" 3 "exit status"
	expect_match "$err" '[Nn]othing was changed' "the message"
	expect "$(listing $image/etc)" "$(</tmp/before)" "the image"
	expect "$(machine)" "$machine_before" "the machine"
}
refused "without --keep" --root $image open --in-place
refused "without --keep, --for 1h" --root $image open --in-place --for 1h
echo 'Prot 2' >>$main
refused "the image's own configuration is broken" --root $image open --in-place --keep
plain
mv $main $image/etc/ssh/real && ln -s /etc/ssh/sshd_config $main
refused "a symlink that means the machine's file from outside" --root $image open --in-place --keep
rm $main $image/etc/ssh/real
plain
mv $image/etc/ssh $image/etc/ssh.real && ln -s /etc/ssh $image/etc/ssh
refused "a folder that means the machine's from outside" --root $image open --in-place --keep
rm $image/etc/ssh && mv $image/etc/ssh.real $image/etc/ssh

t "a way up and out stays inside"
ln -s ../../../../../../etc/ssh $image/etc/up
machine_before=$(machine)
before=$(image_fingerprint)
rl --root $image open --in-place --keep --sshd-config /etc/up/sshd_config
expect_match "$status" '^[03]$' "open exits"
expect "$(machine)" "$machine_before" "the machine"
rl --root $image close --sshd-config /etc/up/sshd_config
expect "$status" 0 "close exits"
expect "$(image_fingerprint)" "$before" "the files of the image"
rm $image/etc/up

t "no sshd in the image: nothing is changed"
umount -l $image/usr
listing $image/etc >/tmp/before
rl --root $image open --in-place --keep
expect_match "$status" '^[13]$' "exit status"
expect_match "$err" '[Nn]othing was changed' "the message"
expect "$(listing $image/etc)" "$(</tmp/before)" "the image"
mount --rbind /usr $image/usr

refused "no such folder" --root /opt/nothing open --in-place --keep

t "usage: a relative --root that is right, and / as always"
plain
before=$(image_fingerprint)
cd /opt
rl --root image open --in-place --keep
expect_match "$status" '^(0|64)$' "open exits"
[ "$status" = 64 ] || rl --root image close
expect "$(image_fingerprint)" "$before" "the files"
cd /
rl --root / status
expect "$status" 0 "status of / exits"

done_testing

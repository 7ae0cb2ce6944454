#!/bin/bash
# Configurations of sshd and init scripts that are huge, binary, deeply nested, looping, or no files at
# all: refused and named, or managed, never a crash, never a wait, and nothing is changed.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
. "$(dirname "$0")/../lib/hostile.sh"
sandbox_enter

main=/etc/ssh/sshd_config
d=/etc/ssh/hostile.d
esc=$'\e[31m'
repeat() { yes "$2" | head -n "$1"; }

# config STATUS PATTERN NAME MAKE [OPTION...]: MAKE writes the main file, and what it includes
config()
{
	etc_ssh_reset
	rm -rf $d
	mkdir $d
	eval "$4"
	hostile_listing >/tmp/hostile.before
	on_row "$1" "$2" "$3" "$ROOTLATCH" open --in-place --keep -n "${@:5}"
	expect "$(hostile_listing)" "$(</tmp/hostile.before)" "the files"
}
hostile_watched=(/etc /var)
hostile_group="sshd_config"

config 3 'NUL' "a NUL" "printf 'PermitRootLogin no\n\0Port 22\n' >$main"
config 3 'NUL|line 1' "a NUL first" "printf '\0PermitRootLogin no\n' >$main"
config 3 "$main" "binary" "head -c 100000 /dev/urandom >$main"
config 3 "$main" "a program" "cp /bin/true $main"
config 3 'NUL byte' "of 20 MiB" "truncate -s 20M $main"
config 3 "$main" "a line of 4 MiB" "{ printf 'PermitRootLogin no'; head -c 4M /dev/zero | tr '\0' ' '; printf 'x\n'; } >$main"
config '[23]' "$main" "a comment of 4 MiB" "{ printf '#'; head -c 4M /dev/zero | tr '\0' x; printf '\nPermitRootLogin no\n'; } >$main"
config 2 "would" "100000 lines" "{ repeat 100000 '# nothing'; echo PermitRootLogin no; } >$main"
config 2 "would" "100000 empty lines behind it" "{ echo PermitRootLogin no; repeat 100000 ''; } >$main"
config '[23]' "root|$main" "2000 Match blocks" "{ echo PermitRootLogin no; for i in {1..2000}; do printf 'Match User u%d\nX11Forwarding no\n' \$i; done; } >$main"
config 2 "would" "CRLF" "printf 'PermitRootLogin no\r\nX11Forwarding no\r\n' >$main"
config 2 "would" "no final newline" "printf 'PermitRootLogin no' >$main"
config 2 "would" "empty" ": >$main"
config 2 "would" "a newline alone" "echo >$main"
config 3 "line 1: Bad configuration option" "a BOM" "printf '\xef\xbb\xbfPermitRootLogin no\n' >$main"
config 3 "line 1" "UTF-16" "printf 'P\0e\0r\0m\0i\0t\0' >$main"
config 3 "line 2: Bad configuration option" "an escape sequence as a keyword" "printf 'PermitRootLogin no\n${esc}x y\n' >$main"
config 3 "line 2" "a C1 control as a value" "printf 'PermitRootLogin no\nPort \xc2\x9b31m\n' >$main"
config 3 "line 1" "an escape as its value" "printf 'PermitRootLogin ${esc}\n' >$main"
config 3 "line 1" "quotes that do not end" "printf 'PermitRootLogin \"no\n' >$main"
config 3 "line 2" "a Match that is none" "printf 'PermitRootLogin no\nMatch Foo bar\n' >$main"
config 3 "" "Match exec" "printf 'PermitRootLogin no\nMatch Exec \"touch /etc/was-run\"\nX11Forwarding no\n' >$main"
config 3 "sshd_config" "an Include of itself" "printf 'PermitRootLogin no\nInclude $main\n' >$main"
config 3 "hostile.d/[ab]" "two that include one another" "echo Include $d/a >$main; echo Include $d/b >$d/a; echo Include $d/a >$d/b"
config 3 "hostile.d/" "a folder that includes itself" "echo Include '$d/*' >$main; echo Include '$d/*' >$d/a"
config 3 "hostile.d/" "Includes 40 deep" "echo Include $d/1 >$main; for i in {1..40}; do echo Include $d/\$((i + 1)) >$d/\$i; done"
config '[23]' "" "Includes 10 deep" "echo Include $d/1 >$main; for i in {1..10}; do echo Include $d/\$((i + 1)) >$d/\$i; done"
config '[23]' "" "2000 included files" "echo Include '$d/*' >$main; for i in {1..2000}; do echo X11Forwarding no >$d/\$i; done"
config 3 "hostile.d/fifo" "an Include of a FIFO" "echo Include $d/fifo >$main; mkfifo $d/fifo"
config 3 "/dev/zero" "an Include of a device without end" "echo Include /dev/zero >$main"
config '[23]' "" "an Include of /dev/null" "printf 'Include /dev/null\nPermitRootLogin no\n' >$main"
config '[23]' "" "an Include of a folder" "echo Include $d/folder >$main; mkdir $d/folder"
config '[23]' "" "an Include of nothing" "printf 'Include /nowhere/*\nPermitRootLogin no\n' >$main"
config '[23]' "" "an Include of a link that loops" "printf 'Include $d/loop\nPermitRootLogin no\n' >$main; ln -s loop $d/loop"
config 3 "hostile.d/binary" "an Include of a binary" "echo Include $d/binary >$main; head -c 1000 /dev/urandom >$d/binary; printf '\0' >>$d/binary"
config '[23]' "" "an Include with an escape in its name" "printf 'Include $d/*\n' >$main; echo PermitRootLogin no >'$d/$esc'"
config 3 "" "an Include with a newline in its name" "printf 'Include $d/*\n' >$main; echo Prot 2 >$d/\$'a\nb'"
config 3 "hostile.d/x.*line 1" "an included file that is wrong" "echo Include $d/x >$main; echo Prot 2 >$d/x"
config 3 "hostile.d/alices|alice|2001" "an included file of another's with the deciding line" "echo Include $d/alices >$main; echo PermitRootLogin no >$d/alices; chown alice $d/alices"
config '[23]' "" "mode 000" "echo PermitRootLogin no >$main; chmod 000 $main"
config 3 "setuid|mode|$main" "mode 6777" "echo PermitRootLogin no >$main; chmod 6777 $main"
config 3 "not a regular file" "a socket in its place" "rm -f $main; mkfifo $main"
config 3 "symbolic link" "a link to shadow" "ln -s /etc/shadow $main"
config 3 "" "a backslash at the end" "printf 'PermitRootLogin no\\\\' >$main"
config 3 "$main" "a keyword of a megabyte" "{ head -c 1M /dev/zero | tr '\0' a; echo ' x'; } >$main"
config '[23]' "" "PermitRootLogin 50000 times" "repeat 50000 'PermitRootLogin no' >$main"
config '[23]' "" "AllowUsers of 2000" "{ echo PermitRootLogin no; printf AllowUsers; printf ' u%d' {1..2000}; echo; } >$main"
t "no command of a configuration was run"
expect "$(ls /etc/was-run 2>&1)" "ls: cannot access '/etc/was-run': No such file or directory" "what Match Exec would have made"

# ---- init scripts

etc_ssh_reset
rm -rf $d
echo 'PermitRootLogin no' | write $main
header() { printf '#!/bin/sh\n### BEGIN INIT INFO\n# Provides: hostile\n# Required-Start: $local_fs\n# Required-Stop:\n# Default-Start: 2 3 4 5\n# Default-Stop: 0 1 6\n%b### END INIT INFO\n' "$1"; }
script=/etc/init.d/hostile
mkdir -p /etc/init.d /etc/rc{0,1,2,3,4,5,6,S}.d

# service STATUS PATTERN NAME MAKE: of `disable --dry-run`, and status answers with 0 or 3
service()
{
	rm -rf /etc/init.d /etc/rc?.d
	mkdir /etc/init.d /etc/rc{0,1,2,3,4,5,6,S}.d
	for level in 2 3 4 5; do ln -s ../init.d/hostile /etc/rc$level.d/S02hostile; done
	eval "$4"
	hostile_listing >/tmp/hostile.before
	row "$1" "$2" "$3, disable" disable hostile -n
	row '[03]' 'hostile|rc2.d is not a folder' "$3, status" status hostile
	expect "$(hostile_listing)" "$(</tmp/hostile.before)" "the files"
}
hostile_group="an init script"
service 2 'would stay off' "plain" "header '' >$script; chmod 755 $script"
service '[23]' hostile "huge" "{ header ''; repeat 200000 '# nothing'; } >$script; chmod 755 $script"
service '[23]' hostile "of 20 MiB" "header '' >$script; truncate -s 20M $script; chmod 755 $script"
service '[23]' hostile "binary" "cp /bin/true $script"
service '[23]' hostile "random" "head -c 10000 /dev/urandom >$script; chmod 755 $script"
service '[23]' hostile "empty" ": >$script; chmod 755 $script"
service '[23]' hostile "without a header" "printf '#!/bin/sh\nexit 0\n' >$script; chmod 755 $script"
service '[23]' hostile "a header without an end" "header '' | grep -v END >$script; chmod 755 $script"
service '[23]' hostile "two headers" "{ header ''; header ''; } >$script; chmod 755 $script"
service '[23]' hostile "a header with escapes" "header '# Description: $esc\n# Short-Description: \xff\xfe\n' >$script; chmod 755 $script"
service '[23]' hostile "Provides of another's path" "header '# Provides: ../../etc/passwd\n' >$script; chmod 755 $script"
service '[23]' hostile "Provides an escape" "header '# Provides: $esc\n' >$script; chmod 755 $script"
service '[23]' hostile "runlevels that are none" "header '' | sed 's/2 3 4 5/2 3 99 x %%n/' >$script; chmod 755 $script"
service '[23]' hostile "it requires itself" "header '' | sed 's/.local_fs/hostile/' >$script; chmod 755 $script"
service '[23]' hostile "a header line of a megabyte" "{ header '' | head -n 7; printf '# X-Foo: '; head -c 1M /dev/zero | tr '\0' x; printf '\n### END INIT INFO\n'; } >$script; chmod 755 $script"
service '[23]' hostile "a NUL in its header" "header '# X: \0\n' >$script; chmod 755 $script"
service '[23]' hostile "CRLF" "header '' | sed 's/$/\r/' >$script; chmod 755 $script"
service 3 'link' "a symbolic link" "ln -s /etc/shadow $script"
service 3 hostile "a link to itself" "ln -s hostile $script"
service 3 'regular' "a FIFO" "mkfifo $script"
service 3 'regular' "a folder" "mkdir $script"
service 3 'regular' "a device" "mknod $script c 1 5"
service 3 'has other names' "a hard link" "header '' >$script; chmod 755 $script; ln $script /etc/other"
rm -f /etc/other
service 3 'hostile' "alice's" "header '' >$script; chmod 755 $script; chown alice $script"
service 3 'hostile' "writable by all" "header '' >$script; chmod 777 $script"
service '[23]' 'hostile' "setuid" "header '' >$script; chmod 4755 $script"
service 3 'can be written by others than root' "in a folder that anybody can write to" "header '' >$script; chmod 755 $script; chmod 777 /etc/init.d"
service '[23]' 'hostile' "its links are files" "header '' >$script; chmod 755 $script; rm /etc/rc2.d/*; header '' >/etc/rc2.d/S02hostile"
service '[23]' 'hostile' "its links lead elsewhere" "header '' >$script; chmod 755 $script; ln -sf /etc/shadow /etc/rc2.d/S02hostile"
service '[23]' 'hostile' "a link twice in a level" "header '' >$script; chmod 755 $script; ln -s ../init.d/hostile /etc/rc2.d/S99hostile"
service '[23]' 'hostile' "a FIFO as a link" "header '' >$script; chmod 755 $script; rm /etc/rc2.d/*; mkfifo /etc/rc2.d/S02hostile"
service '[23]' 'hostile' "names with escapes beside it" "header '' >$script; chmod 755 $script; ln -s ../init.d/hostile '/etc/rc2.d/S02$esc'; : >'/etc/init.d/$esc'"
service 3 'rc2.d is not a folder' "runlevel folders are files" "header '' >$script; chmod 755 $script; rm -rf /etc/rc2.d; : >/etc/rc2.d"
hostile_group=
rows_at_least 100
done_testing

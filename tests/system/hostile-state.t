#!/bin/bash
# A state folder in which somebody else was at work: torn, altered, of other types, no files at all.
# Each is refused, named, and nothing else is changed.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
. "$(dirname "$0")/../lib/hostile.sh"
sandbox_enter

main=/etc/ssh/sshd_config
state=/var/lib/rootlatch
good=/tmp/good
esc=$'\e[31m'

# What the folder is, put back before every row; its own listing is compared after it
fresh()
{
	rm -rf $state
	cp -a $good $state
}

# body FILE: what is sealed in it. seal FILE [SCHEMA]: stdin, sealed as rootlatch does.
body() { tail -n +2 "$1" | head -c -2; }
seal()
{
	local text
	text=$(cat; echo x)
	text=${text%x}
	printf '{"schema": %s, "sha256": "%s", "body":\n%s}\n' "${2:-1}" \
		"$(printf %s "$text" | sha256sum | cut -d' ' -f1)" "$text" >"$1"
}
# reseal FILE FILTER: altered by somebody who knows how
reseal()
{
	local text
	text=$(body "$1" | jq "$2") || { problem "jq: $2"; return; }
	[ "$text" != "$(body "$1" | jq .)" ] || problem "$2 changes nothing"
	printf %s "$text" | seal "$1"
}
flip()
{
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	# shellcheck disable=SC2059 # it is the format that makes a byte
	printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# damaged STATUS PATTERN NAME DAMAGE COMMAND...
damaged()
{
	fresh
	eval "$4"
	hostile_state >/tmp/state.before
	row "$1" "$2" "$3: ${*:5}" "${@:5}"
	expect "$(hostile_state)" "$(</tmp/state.before)" "the state folder"
}
hostile_state()
{
	find -L $state -maxdepth 0 -printf '%y %m %U\n' 2>&1
	[ -d $state ] || return 0
	find $state/ ! -name log ! -name '*.spare' ! -path $state/ ! -path $state/snapshots \
		-printf '%p %y %m %U %s %l\n' | sort
	find $state/ -type f ! -name log ! -name '*.spare' -size -2000k -print0 | sort -z | xargs -0r sha256sum
}
# distrusted PATTERN NAME DAMAGE: to one of the $commands, all of which have to read it
distrusted()
{
	take_turns "${commands[@]}"
	# shellcheck disable=SC2086 # words
	damaged 3 "$1" "$2" "$3" $turn
	[[ $3 == mv* ]] || [ "$(</tmp/state.before)" != "$(</tmp/state.good)" ] || problem "$3 changes nothing"
}
readers=(status check)
writers=(close recover 'open --keep --allow prohibit-password' 'revert root-login' 'extend --for 1h' reap 'disable real')

printf 'PermitRootLogin no\nX11Forwarding no\n' | write $main
mkdir -p /etc/init.d /etc/rc{0,1,2,3,4,5,6,S}.d
printf '#!/bin/sh\nexit 0\n' | write /etc/init.d/real 755
"$ROOTLATCH" open --in-place --keep --reason "the state" --quiet 2>/dev/null
cp -a $state $good
size=$(stat -c %s $good/state.json)
hostile_watched=(/etc)
fresh
hostile_state >/tmp/state.good

for file in state.json journal; do
	f=$state/$file
	commands=("${writers[@]}" "${readers[@]}")
	if [ $file = journal ]; then
		# one that is real: the transaction was cut off behind its first step
		body $good/journal.spare >/dev/null 2>&1 && cp -a $good/journal.spare $good/journal
		size=$(stat -c %s $good/journal)
		# who only reads says that there is one
		commands=("${writers[@]}")
		fresh
		hostile_state >/tmp/state.good
		group "journal, for who only reads"
		for command in status check; do
			damaged 4 'transaction was cut off' "torn" "truncate -s 50 $f" $command
			damaged 4 'transaction was cut off' "a FIFO" "rm $f; mkfifo $f" $command
			damaged 4 'transaction was cut off' "a link" "ln -sf /etc/shadow $f" $command
		done
	fi
	group "$file, torn"
	for at in 0 1 10 50 100 $((size / 3)) $((size / 2)) $((size - 100)) $((size - 3)) $((size - 2)) $((size - 1)); do
		distrusted "$file is torn or was altered" "cut off at $at" "truncate -s $at $f"
	done
	distrusted "$file is torn or was altered" "longer by a zero" "truncate -s +1 $f"
	distrusted "$file is torn or was altered" "twice" "cat $f $f >/tmp/twice; cat /tmp/twice >$f"
	distrusted "$file is torn or was altered" "its first line missing" "sed -i 1d $f; chmod 600 $f"

	group "$file, altered"
	for at in 0 5 12 30 95 120 $((size / 2)) $((size - 5)) $((size - 1)); do
		distrusted "$file (is torn or was altered|was written by a newer)" "a bit of byte $at" "flip $f $at"
	done
	distrusted "$file is torn or was altered" "zeros" "head -c $size /dev/zero >$f"
	distrusted "$file is torn or was altered" "random" "head -c $size /dev/urandom >$f"
	distrusted "$file is torn or was altered" "a NUL in it" "printf '\0' | dd of=$f bs=1 seek=200 conv=notrunc status=none"
	distrusted "$file is torn or was altered" "escapes" "printf '%s\n' '$esc' >$f"
	distrusted "$file is torn or was altered" "0 as its schema" "body $f | seal $f.x 0; cat $f.x >$f; rm $f.x"
	distrusted "$file was written by a newer" "a newer schema" "body $f | seal $f.x 99; cat $f.x >$f; rm $f.x"
	distrusted "$file was written by a newer" "schema 2" "body $f | seal $f.x 2; cat $f.x >$f; rm $f.x"
	distrusted "$file" "a schema beyond all numbers" "sed -i '1s/: 1,/: 99999999999999999999999,/' $f; chmod 600 $f"
	distrusted "$file" "a negative schema" "sed -i '1s/: 1,/: -1,/' $f; chmod 600 $f"
	distrusted "$file is torn or was altered" "no digest" "sed -i '1s/[0-9a-f]\{64\}//' $f; chmod 600 $f"

	group "$file, sealed by somebody who knows how"
	for text in '' null true 1 '"x"' '[]' '{' '{}' '{"a": 1, "a": 2}' '{"toggles": []}' "$(printf '\xff')" '{"toggles": NaN}' \
		"{\"\": \"$esc\"}"; do
		printf -v shown %q "${text:0:24}"
		printf %s "$text" >/tmp/text
		distrusted "$file" "$shown" "seal $f </tmp/text"
	done
	printf '%*s' 100000 '' | tr ' ' '[' >/tmp/text
	distrusted "$file is torn or was altered" "100000 lists in one another" "seal $f </tmp/text"
	{ printf '%*s' 5000 '' | sed 's/ /{"a":/g'; } >/tmp/text
	distrusted "$file is torn or was altered" "5000 objects in one another" "seal $f </tmp/text"

	group "$file, not root's alone"
	distrusted "$file is not as rootlatch left it" "alice's" "chown alice $f"
	for mode in 666 644 640 4600 601 000; do
		distrusted "$file is not as rootlatch left it" "mode $mode" "chmod $mode $f"
	done
	distrusted "$file is not as rootlatch left it" "a hard link" "ln $f $state/other"
	distrusted "$file is a symbolic link to other" "a symbolic link" "mv $f $state/other; ln -s other $f"
	distrusted "$file is a symbolic link to /etc/shadow" "a link to another file" "ln -sf /etc/shadow $f"
	distrusted "$file is a symbolic link" "a link to itself" "ln -sf $file $f"
	distrusted "$file is a symbolic link" "a link to nothing, with an escape" "ln -sf '$esc' $f"
	distrusted "$file is not a regular file" "a FIFO" "rm $f; mkfifo -m 600 $f"
	distrusted "$file is not a regular file" "a folder" "rm $f; mkdir -m 700 $f"
	distrusted "$file(: larger than|.*altered)" "of a gigabyte" "truncate -s 1G $f"
done
rm -f $good/journal
fresh
hostile_state >/tmp/state.good
commands=("${writers[@]}" "${readers[@]}")
f=$state/state.json

group "state.json, types"
for filter in '.toggles = {}' '.toggles = "x"' 'del(.toggles)' '.toggles[0].name = 1' '.toggles[0].name = ""' \
	'.toggles[0].id = ""' '.toggles[0].id = "../../x"' '.toggles[0].id = "zzzzzzzz"' \
	'.toggles += .toggles' '.toggles = [null]' '.toggles[0] = []' '.files = {}' 'del(.files)' '.files[0].path = "relative"' \
	'.files[0].path = "/etc/../etc/shadow"' '.files[0].path = 1' '.files[0].path = "/etc/\n"' '.files[0].edits = 1' \
	'.files[0].twin = "/etc/./x"' '.files[0].saved = "x"' '.files = [1]' '.events = 1' '.events[0].id = 5' \
	'.generation = "x"' 'del(.generation)' '.toggles[0].until_ns = "soon"' '.toggles[0].from = "all"' \
	'.toggles[0].name = "frob"' '.toggles[0].name = "service/real"' '.toggles[0].service = {}' \
	'.toggles[0].closers = 1' '.toggles[0].config = "x"' '.toggles[0].closure = {}'; do
	printf %s "$filter" >/tmp/filter
	distrusted "state.json" "$filter" "reseal $f \"\$(</tmp/filter)\""
done

group "the state folder"
for damage in "chmod 777 $state" "chmod 755 $state" "chmod 1700 $state" "chown alice $state" \
	"mv $state /var/lib/elsewhere; ln -s elsewhere $state" "rm -rf $state; mkfifo $state" "rm -rf $state; : >$state" \
	"rm -rf $state; ln -s nowhere $state"; do
	distrusted "/var/lib/rootlatch is not a folder of root's alone" "$damage" "$damage"
	rm -rf /var/lib/elsewhere
done

# in_the_way FILE COMMAND...
in_the_way()
{
	local damage
	for damage in "ln -sf /etc/shadow" "ln -f /etc/hostname" "mkfifo -m 600" "mkdir -m 700"; do
		damaged 3 "$state/$1 is not a file of rootlatch's own" "$damage" \
			"rm -f $state/$1; $damage $state/$1" "${@:2}"
	done
	damaged 3 "$state/$1 is not a file of rootlatch's own" "another's" "chown alice $state/$1" "${@:2}"
}
group "the lock, and where the next content is written"
in_the_way lock close
in_the_way journal.spare close
group_end
fresh
"$ROOTLATCH" close --quiet
rm -rf $good
cp -a $state $good
group "the same, with nothing open"
in_the_way lock open --keep
in_the_way journal.spare open --in-place --keep
in_the_way state.json.spare open --in-place --keep
rows_at_least 150


t "an open login is closed, and recorded, although something is where the record would be written"
for damage in "ln -s /etc/shadow" mkfifo "mkdir -m 700"; do
	fresh
	rl open --in-place --keep
	rm $state/state.json.spare
	$damage $state/state.json.spare
	rl close
	expect "$status" 0 "close exits"
	expect_match "$err" "written to a new file: $state/state.json.spare is not a file" "the warning"
	expect "$(permits root)" no "sshd says"
	rl status --json
	expect "$(json '.results[0].state')" normal "status"
	expect "$(find $state -name '*.new')" "" "what is left"
	rl open --in-place --keep
	expect "$status" 3 "open exits"
done

t "an open login is closed although that can't be recorded, and a person is told to look"
fresh
rl open --in-place --keep
rm $state/state.json.spare
mkfifo $state/state.json.spare
mkdir $state/state.json.new
rl close
expect "$status" 4 "close exits"
expect_match "$err" "the login is closed, but that could not be recorded: $state/state.json.spare is not a file" "the message"
expect "$(permits root)" no "sshd says"
rmdir $state/state.json.new
rm $state/state.json.spare
rl recover
expect "$status" 0 "recover exits"

t "toggles of a kind that this version does not know: shown, left alone, and in nobody's way"
rm -rf $state
rl open --in-place --keep
reseal $state/state.json '.toggles += [.toggles[0] | .name = "frob" | .id = "0badcafe" | .until_ns = 5 | .boot = ""]'
rl reap
expect "$status" 0 "reap exits"
expect "$(permits root)" yes "sshd says"
rl status
expect "$status" 0 "status exits"
expect_match "$out" '^frob .*drifted' "its line"
expect_match "$out" 'does not know its kind' "what is said of it"
rl check
expect "$status" 2 "check exits"
rl extend frob --for 2h
expect "$status" 64 "extend exits"
rl close
expect "$status" 0 "close exits"
expect "$(permits root)" no "sshd says"
expect "$(body $state/state.json | jq -r '.toggles[].name')" frob "the toggles that are recorded"
done_testing

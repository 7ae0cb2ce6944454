# shellcheck shell=bash
# What is true of every configuration wherever the opening is written, and with or without sources:
# it opens for whom it shall, sshd says nothing else anew to anybody, nothing is written but what
# that placement needs, and it closes back to what it was. Without a daemon.

sources=192.0.2.10,2001:db8::/32
runtime_file=/run/rootlatch/sshd/default.conf
watched+=("${runtime_file%/*}")

# Whom sshd is asked about; `sources` has the first three.
connections=('root 192.0.2.10' 'root 2001:db8:5::7' 'alice 192.0.2.10' 'root 192.0.2.11' 'alice 203.0.113.9')

# Those that rows take turns in, each row in one of them: 'PLACEMENT [from]'. With FULL=1 each row goes
# through all of them. In place for everybody is what opens_and_closes tests.
placements=()

# place 'PLACEMENT [from]': sets terms, placement, from, and the name of it for test points
place()
{
	read -r placement from <<<"$1"
	case $placement in
	runtime) terms=(--runtime) ;;
	*) terms=("--$placement" --keep) ;;
	esac
	placed="$placement${from:+, --from}"
	[ -z "$from" ] || terms+=(--from "$sources")
}

# ask NAME: what sshd says to each of them, in /tmp/NAME.N
ask()
{
	local i

	for i in "${!connections[@]}"; do
		# shellcheck disable=SC2086
		judge ${connections[i]} >"/tmp/$1.$i" &
	done
	wait
}

# answers NAME: all that was said, without the PermitRootLogin of those in $free
answers()
{
	# What sshd complains of moves with the lines that are added.
	awk -v free="[.][$free]\$" '
		FNR == 1 { print "== " substr(FILENAME, length(FILENAME)) }
		/^permitrootlogin / && FILENAME ~ free { next }
		{ sub(/ line [0-9]+: /, " line: "); print }' /tmp/"$1".[0-9]
}

# opened_for NAME: those of root's connections that get $allow
opened_for()
{
	# Each that is not root's own is passed over; no file, no name.
	grep -lx "permitrootlogin $(sshd_word "${allow:-yes}")" /tmp/"$1".[013] | sed 's/.*[.]//' | tr -d '\n'
}

# row_begins: keeps what it is before, to compare with and to put back
row_begins()
{
	row_before=$(config_fingerprint)
	config_copy
	ask before
}

# row_reset: a failure must not be the next one's, too
row_reset()
{
	[ -n "$tap_problems" ] || return 0
	"$ROOTLATCH" close --quiet >/dev/null 2>&1
	config_files | xargs -r -d '\n' rm -f
	rm -rf /var/lib/rootlatch /run/rootlatch
	cp -a /tmp/copy/. /
}

# is_placed: what row_begins has seen opens by $terms and closes; then it is as before. $block and
# $site are the row's (constructs.sh), $network is a pattern for a block that stays in force, $allow
# the value (yes). $opened and $free are the connections that it is opened for and those whose
# PermitRootLogin may change, where that is not everybody; with --from it is always the sources.
is_placed()
{
	local opened=${opened-013} free=${free-01234} allow=${allow:-yes}

	[ -z "$from" ] || opened=01 free=012
	rl open "${terms[@]}" --json --allow "$allow"
	if ! expect "$status" 0 "open exits"; then
		expect "$(config_fingerprint)" "$row_before" "the files after the failure"
		return
	fi
	is_in_json '"ok":true' && is_in_json '"changed":true' && is_in_json "\"placement\":\"$placement\""
	names_blocks
	ask open
	expect "$(opened_for open)" "$opened" "which connections of root's it is open for, of 013"
	expect "$(answers open)" "$(answers before)" "sshd's other answers"
	is_written

	rl close --json
	expect "$status" 0 "close exits"
	is_in_json '"state":"normal"'
	expect "$(config_fingerprint)" "$row_before" "the files after close"
	expect "$(leftovers)" "" "leftovers"
}

names_blocks()
{
	[ -z "${network-}" ] || expect_match "$out" "$network" "the block that stays in force, named"
	if [ -n "${block-}" ]; then
		expect_match "$out" "$block" "the block that is overridden, named"
		expect_match "$out" 'overridden' "what is said of it"
	else
		expect_no_match "$out" 'overridden' "blocks that are said to be overridden"
	fi
}

# is_written: our file has nothing in it but what opens, one line includes it, and all else is untouched
is_written()
{
	local own includes id

	id=$(sed -n 's/^ *"id": "\([0-9a-f]*\)".*/\1/p' <<<"$out")
	case $placement in
	runtime) own=$runtime_file includes=${site:+$site/00-rootlatch.conf} ;;
	drop-in) own=$site/00-rootlatch.conf includes=$own ;;
	in-place) own=$main.rootlatch includes= ;;
	esac
	: "${includes:=$main}"
	expect "$(changed_files)" "$(printf '%s\n' "$own" "$includes" | sort -u)" "files that were written"
	is_in_json "\"$own\"" && is_in_json "\"$includes\""
	expect "$(sed -e '/^# /d' -e 's/^[ \t]*//' "$own")" "#rootlatch:$id#"$'\n'"$(directives)" "$own"
	expect "$(stat -c '%a %U:%G' "$own")" "644 root:root" "its mode and owner"
	[ "$includes" != "$own" ] || return 0
	expect "$(head -n 2 "$includes" | tr -d '\r')" "#rootlatch:$id#"$'\n'"Include $own" "the Include line"
	tail -n +3 "$includes" | cmp -s - "$([ "$includes" = $main ] && echo /tmp/copy$main || echo /dev/null)"
	expect "$?" 0 "comparing the other lines of $includes"
}

directives()
{
	if [ -n "$from" ]; then
		printf 'Match Address %s\nPermitRootLogin %s\n' "$sources" "$allow"
	elif [ -n "${block-}" ]; then
		printf 'Match all\nPermitRootLogin %s\n' "$allow"
	else
		echo "PermitRootLogin $allow"
	fi
}

# ---- The rows of constructs.sh

# placeable: a drop-in needs an Include that comes first
placeable() { [ "$placement" != drop-in ] || [ -n "${site-}" ]; }

# possible_turn: of the placements where this row can be, the next one. Rows that a drop-in is possible
# in, and the others, take turns among themselves; with FULL=1 it is all placements, possible or not.
turns_of=(0 0 0 0 0 0)
possible_turn()
{
	local where possible=()

	for where in "${placements[@]}"; do
		place "$where"
		! placeable && [ -z "${FULL:-}" ] || possible+=("$where")
	done
	turns_taken=${turns_of[${#possible[@]}]}
	take_turns "${possible[@]}"
	turns_of[${#possible[@]}]=$turns_taken
}

# row FUNCTION WHAT NAME MAIN: in a placement that is possible
row()
{
	local where

	main_file "$4"
	row_begins
	possible_turn
	for where in "${turn[@]}"; do
		place "$where"
		t "$2: $3 ($placed)"
		if placeable; then
			"$1"
		else
			because='--drop-in is not possible' is_refused
		fi
		row_reset
	done
	next
}

# everywhere FUNCTION WHAT NAME MAIN: in a placement, possible or not
everywhere()
{
	local where

	main_file "$4"
	row_begins
	turns_taken=$((everywhere++))
	take_turns "${placements[@]}"
	for where in "${turn[@]}"; do
		place "$where"
		t "$2: $3 ($placed)"
		"$1"
		row_reset
	done
	next
}

opens() { row is_placed "opens and closes" "$@"; }
rejected() { everywhere is_refused "refused" "$@"; }
unsafe() { everywhere is_refused "refused, though sshd accepts it" "$@"; }
already() { everywhere is_open_already "open by the administrator" "$@"; }

# The block's network has the first source in it, and the one that is next to it.
stays() { row is_placed_beside_a_network "a block for some connections" "$1" "$no$2\n\tPermitRootLogin $3\n"; }
is_placed_beside_a_network()
{
	if [ -n "$from" ]; then
		block='sshd_config line 2:' is_placed
	else
		network='sshd_config line 2:' opened=1 free=124 is_placed
	fi
}
# What these rows are about has nothing to do with the placement: the first one that is always possible.
warns()
{
	local name=$1 content=$2 pattern=$3
	shift 3
	place "${placements[0]}"
	t "a warning that root is still out: $name ($placed)"
	main_file "$content"
	rl open "${terms[@]}" --json "$@"
	expect "$status" 0 "open exits"
	expect_match "$(json '.results[0].warnings[] | tostring' | tr '[:upper:]' '[:lower:]')" "$pattern" "warnings"
	rl close
	expect "$status" 0 "close exits"
	expect "$(leftovers)" "" "leftovers"
	next
}

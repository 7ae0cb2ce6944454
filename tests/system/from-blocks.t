#!/bin/bash
# The administrator's own Match blocks, and an opening that is read before them, for everybody and for
# one source (design decision 4): which are overridden, which stay in force, where it can't be done.
# Each that has a say is named, with file and line.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
. "$sandbox_lib/sources.sh"
sandbox_enter

main=/etc/ssh/sshd_config
d=/etc/ssh/sshd_config.d
no='PermitRootLogin no\n'
watched+=(/run/rootlatch/sshd)
main_file() { printf '%b' "$1" | write $main; }
next() { etc_ssh_reset; }

# said: the blocks that warnings of the last command name, `MESSAGE'S KIND FILE LINE`, one a line
said()
{
	jq -r '.results[0].warnings[] | select(.hint // "" | test(" line [0-9]+: "))
		| (if .message | test("overridden|changed") then "over"
			elif .message | test("stays in force") then "stays" else .message end)
			+ " " + (.hint | sub(".*/(?<f>[^/]*) line (?<n>[0-9]+): .*"; "\(.f) \(.n)"))' <<<"$out" | sort
}

lines() { [ $# -eq 0 ] || printf '%s\n' "$@" | sort; }

# blocks NAME MAIN EVERYBODY SAID... -- SAID_WITH_FROM...: opens for everybody, and root gets EVERYBODY
# (root_gets); opens for 192.0.2.10, and nobody else gets anything new. Each time what is said of
# the blocks is all of SAID.
blocks()
{
	local name=$1 everybody=$3 before was said=()

	main_file "$no$2"
	before=$(config_fingerprint)
	was=$(root_gets)
	shift 3
	while [ "$1" != -- ]; do said+=("$1"); shift; done
	shift

	t "$name: for everybody"
	expect_not "$was" "" "sshd's answers before"
	rl open --json
	expect "$status" 0 "open exits"
	expect "$(root_gets)" "$everybody" "what root gets from 192.0.2.10, .11 and elsewhere"
	expect "$(said)" "$(lines "${said[@]}")" "what is said of the blocks"
	rl close
	expect "$(config_fingerprint)" "$before" "the files after close"

	opens_for_one "$name" "$@"
	next
}

opens_for_one()
{
	local name=$1
	shift
	t "$name: --from 192.0.2.10"
	rl open --from 192.0.2.10 --json
	expect "$status" 0 "open exits"
	expect "$(root_gets)" "yes ${was#* }" "what root gets from 192.0.2.10, .11 and elsewhere"
	expect "$(said)" "$(lines "$@")" "what is said of the blocks"
	rl close
	expect "$status" 0 "close exits"
	expect "$(config_fingerprint)" "$before" "the files after close"
	expect "$(leftovers)" "" "leftovers"
}

# not_both NAME MAIN PATTERN SAID_WITH_FROM...: for everybody it is refused, with what the pattern has
# and what would do it; for one source it opens.
not_both()
{
	local name=$1 pattern=$3 before was

	main_file "$no$2"
	before=$(config_fingerprint)
	was=$(root_gets)
	shift 3

	t "$name: refused for everybody"
	terms=()
	because=$pattern is_refused
	expect_match "$err" '--from' "what would do it"
	opens_for_one "$name" "$@"
	next
}

says='\n\tPermitRootLogin no\n'
c='sshd_config'

# Those that hold for root everywhere are overridden.
for match in all ALL 'User root' 'user ROOT,root' 'User *' 'User !bob,r?ot' 'Group root' 'Address *' \
	'Address 0.0.0.0/0,::/0' 'User root Address *' 'User root Host *'; do
	blocks "Match $match" "Match $match$says" "yes yes yes" "over $c 2" -- "over $c 2"
done
# Those that never hold have no say.
for match in 'User alice' 'User ROOT' 'User !bob' 'User *,!root' 'Group sshd' 'Address !192.0.2.10' \
	'User alice Address 192.0.2.0/24'; do
	blocks "Match $match" "Match $match$says" "yes yes yes" --
done
# Those for some connections stay in force.
for match in 'Address 192.0.2.0/24' 'User root Address 192.0.2.0/24' 'Address 192.0.2.0/24 User root' \
	'Address 192.0.2.10,192.0.2.11' 'Address "192.0.2.1?"' 'Address 198.51.100.0/24,192.0.2.0/24'; do
	blocks "Match $match" "Match $match$says" "no no yes" "stays $c 2" -- "over $c 2"
done
blocks "Match Address of the source alone" "Match Address 192.0.2.10$says" "no yes yes" "stays $c 2" -- "over $c 2"
blocks "Match Host" "Match Host client.example$says" "no no no" "stays $c 2" -- "over $c 2"
blocks "Match Host of somebody else" "Match Host *.example.net$says" "yes yes yes" "stays $c 2" -- "over $c 2"
blocks "Match LocalAddress" "Match LocalAddress 127.0.0.1$says" "no no no" "stays $c 2" -- "over $c 2"
blocks "Match User root LocalAddress" "Match User root LocalAddress 127.0.0.1$says" "no no no" "stays $c 2" -- "over $c 2"
blocks "Match LocalPort of another port" "Match LocalPort 2222$says" "yes yes yes" "stays $c 2" -- "over $c 2"
blocks "Match RDomain" "Match RDomain blue$says" "yes yes yes" "stays $c 2" -- "over $c 2"
# In an included file, the line is told there.
echo -e "Match User root\n\tPermitRootLogin no" | write $d/20-a.conf
blocks "Match User root in an included file" "Include $d/*.conf\n" "yes yes yes" "over 20-a.conf 1" -- "over 20-a.conf 1"
echo -e "# note\nMatch Address 192.0.2.0/24\n\tPermitRootLogin no" | write $d/20-a.conf
blocks "Match Address in an included file" "Include $d/*.conf\n" "no no yes" "stays 20-a.conf 2" -- "over 20-a.conf 2"
echo "PermitRootLogin no" | write $d/20-a.conf
blocks "an Include in Match Address" "Match Address 192.0.2.0/24\n\tInclude $d/*.conf\n" "no no yes" \
	"stays $c 2" -- "over $c 2"
# They say what is asked for: nothing is to be said.
blocks "Match User root says yes to alice's network alone" \
	"Match User root Address 198.51.100.0/24\n\tPermitRootLogin yes\n" "yes yes yes" --  "stays $c 2"
# One of each: what beats the one for root beats the other one, too.
both="$c line 2: .*$c line 4: "
not_both "Match Address, then Match User root" "Match Address 192.0.2.0/24${says}Match User root$says" "$both" \
	"over $c 2" "over $c 4"
not_both "Match Host, then Match all" "Match Host *.example.net${says}Match all$says" "$both" "over $c 2" "over $c 4"
not_both "Match LocalAddress, then Match Group root" \
	"Match LocalAddress 198.51.100.1${says}Match Group root$says" "$both" "over $c 2" "over $c 4"
# The port that sshd listens on: the block would hold for every login.
not_both "Match LocalPort of its own port" "Match LocalPort 22$says" "$c line 2: " "over $c 2"

t "one of each, the one for root first: refused, or what is said of them is true"
main_file "${no}Match User root${says}Match Address 192.0.2.0/24$says"
before=$(listing /etc/ssh)
rl open --json
case $status in
0)
	expect "$(root_gets)" "yes yes yes" "what root gets"
	expect "$(said)" "over $c 2" "what is said of the blocks"
	expect_no_match "$(json '.results[0].effective')" 'all but' "the sentence on who gets it"
	;;
3)
	expect_match "$(tr '\n' ' ' <<<"$err")" "$both" "the message"
	expect_match "$err" '--from' "what would do it"
	expect "$(listing /etc/ssh)" "$before" "the files"
	;;
*) problem "open exits $status" ;;
esac
rl close
next

# What this sshd has not heard of, it rejects; later ones need not.
for match in 'Exec "true"' 'Tagged x' 'Version OpenSSH_9' 'all User root'; do
	main_file "${no}Match $match$says"
	if judge root >/dev/null; then
		skip "Match $match" "this sshd knows it"
	else
		for terms in "" "--from 192.0.2.10"; do
			t "refused: Match $match, open $terms"
			read -ra terms <<<"$terms"
			because="$c line 2" is_refused
		done
	fi
	next
done

t "open for the source by a Match block of the administrator's: nothing is changed, and it is said"
main_file "${no}Match Address 192.0.2.0/24\n\tPermitRootLogin yes\n"
terms=(--from 192.0.2.10)
before=$(listing "${watched[@]}")
fingerprint=$(config_fingerprint)
rl open "${terms[@]}" --json
expect "$status" 0 "open exits"
expect "$(json '[.ok, .changed] | join(" ")')" "true false" "JSON"
expect_match "$(json '.results[0].warnings[].message')" "administrator's own" "warnings"
expect "$(listing "${watched[@]}")" "$before" "the files"
rl open --from 192.0.2.10,203.0.113.9 --json
expect "$status" 0 "open for it and another one exits"
expect "$(root_gets)" "yes yes yes" "what root gets then"
rl close
expect "$status" 0 "close exits"
expect "$(config_fingerprint)" "$fingerprint" "the files after close"

t "refused: less than one of the sources has already"
terms=(--from 192.0.2.10,203.0.113.9 --allow prohibit-password)
because='192[.]0[.]2[.]10' is_refused
next

done_testing

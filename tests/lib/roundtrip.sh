# shellcheck shell=bash
# What is true of every configuration: it opens, sshd says so and says nothing else anew, and it
# closes back to what it was; or it is refused and untouched. Without a daemon.

# The folders that hold the configuration and all that it includes
watched=(/etc/ssh)
# How all of these open it
terms=(--in-place --keep)

config_files()
{
	find "${watched[@]}" \( -type f -o -type l \) ! -name 'ssh_host_*' ! -name '.rootlatch-*' \
		2>/dev/null | sort
}

config_fingerprint()
{
	local files
	mapfile -t files < <(config_files)
	fingerprint "${files[@]}"
}

# changed_files COPY: those that differ from the copy that config_copy made
config_copy() { rm -rf /tmp/copy && mkdir /tmp/copy && config_files | xargs -r -d '\n' cp -a --parents -t /tmp/copy; }
changed_files()
{
	config_files | while read -r file; do
		cmp -s "$file" "/tmp/copy$file" || echo "$file"
	done
}

# foreign_changes FILE...: what changed in them that is neither a line of ours nor a PermitRootLogin
foreign_changes()
{
	local file

	for file; do
		diff -a "/tmp/copy$file" "$file" | LC_ALL=C sed -n \
			-e '/^[<>].*[Pp][Ee][Rr][Mm][Ii][Tt][Rr][Oo][Oo][Tt][Ll][Oo][Gg][Ii][Nn]/d' \
			-e '/^> #rootlatch:[0-9a-f]\{8\}#\r\{0,1\}$/d' -e '/^[<>]/p'
	done
}

# judge_all: sets root and alice to all that sshd answers for them; fails when it rejects the file
judge_all() { root=$(judge root) && alice=$(judge alice); }

# opens_and_closes [OPEN'S OPTION...]: in place, sshd's answer for root becomes $allow (yes), and
# nothing else changes. $edited, where set, names the files that may be edited, and $block is a
# pattern for the Match block that is overridden, with file and line.
opens_and_closes()
{
	local before root alice was_root was_alice changed allow=${allow:-yes}

	judge_all || { problem "sshd rejects it: $root $alice"; return; }
	was_root=$root was_alice=$alice
	before=$(config_fingerprint)
	config_copy

	rl open "${terms[@]}" --json --allow "$allow" "$@"
	if ! expect "$status" 0 "open exits"; then
		expect "$(config_fingerprint)" "$before" "the files after the failure"
		return
	fi
	is_in_json '"ok":true' && is_in_json '"changed":true' && is_in_json '"state":"applied"'
	[ -z "${block-}" ] || expect_match "$out" "$block" "the block that is overridden, named"
	judge_all || problem "sshd rejects what was written: $root $alice"
	expect "$(permitted "$root")" "$(sshd_word "$allow")" "sshd's answer for root"
	expect "$(other_answers "$root")" "$(other_answers "$was_root")" "its other answers for root"
	expect "$(other_answers "$alice")" "$(other_answers "$was_alice")" "its answers for alice"
	mapfile -t changed < <(changed_files)
	expect_not "${#changed[@]}" 0 "number of edited files"
	[ -z "${edited-}" ] || expect "$(printf '%s\n' "${changed[@]}")" "$edited" "files that were edited"
	expect "$(foreign_changes "${changed[@]}")" "" "lines changed that are not ours"

	rl close --json
	expect "$status" 0 "close exits"
	expect "$(config_fingerprint)" "$before" "the files after close"
	expect "$(leftovers)" "" "leftovers"
}

# is_in_json TEXT: in what was printed last, white space aside. jq costs as much as an open.
is_in_json()
{
	local compact=${out//[[:space:]]/}
	expect "$([[ $compact == *"$1"* ]] && echo yes)" yes "whether $1 is in the JSON"
}

# is_open_already: the administrator's own configuration admits root
is_open_already()
{
	local root alice before

	judge_all || { problem "sshd rejects it: $root $alice"; return; }
	expect "$(permitted "$root")" yes "sshd's answer for root"
	before=$(listing "${watched[@]}")
	rl open "${terms[@]}" --json
	expect "$status" 0 "open exits"
	expect "$(json '[.ok, .changed] | join(" ")')" "true false" "open's JSON"
	expect_not "$(json '.results[0].warnings | length')" 0 "warnings"
	expect "$(listing "${watched[@]}")" "$before" "the files after open"
	rl close
	expect "$status" 0 "close exits"
	expect "$(listing "${watched[@]}")" "$before" "the files after close"
}

# is_refused [OPEN'S OPTION...]: status 3, the words, and nothing written. $because, where set, is
# a pattern that the message has to match.
is_refused()
{
	local before

	before=$(listing "${watched[@]}")
	rl open "${terms[@]}" "$@"
	expect "$status" 3 "open exits"
	expect_match "$err" '[Nn]othing was changed' "the message"
	[ -z "${because-}" ] || expect_match "$(tr '\n' ' ' <<<"$err")" "$because" "the reason"
	expect "$(listing "${watched[@]}")" "$before" "the files"
	expect "$(leftovers)" "" "leftovers"
}

permitted() { sed -n 's/^permitrootlogin //p' <<<"$1"; }
# What sshd complains of moves with the lines that are added.
other_answers() { sed -e '/^permitrootlogin /d' -e 's/ line [0-9]*: / line: /' <<<"$1"; }

# sshd_word VALUE: as sshd -T prints it
sshd_word()
{
	case $1 in
	prohibit-password) echo without-password ;;
	*) echo "$1" ;;
	esac
}

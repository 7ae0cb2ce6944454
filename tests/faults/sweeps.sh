# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# What the sweeps have in common. The one that reads this has set `naive`, the program with the seeded
# bugs, and may set `host`: options of `sweep` that all have; another `sweep`; or, in words, what it
# `needs` more.
set -u
sweep=$top_builddir/tests/faults/sweep
host=()
needs="root, ptrace or namespaces"
n=0
command=(open)

folder=$(mktemp -d "$top_builddir/naive.XXXXXX") || exit 99
trap 'rm -rf "$folder"' EXIT

# result STATUS NAME [COMMENT...]
result()
{
	local status=$1 name=$2
	shift 2

	n=$((n + 1))
	case $status in
	0) echo "ok $n - $name" ;;
	77) echo "ok $n - $name # SKIP no $needs here" ;;
	*) echo "not ok $n - $name" ;;
	esac
	[ $# -eq 0 ] || printf '%s\n' "$@"
}

# skipped NAME WHY
skipped()
{
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

# whole NAME OPTION... -- COMMAND...: nothing may be found
whole()
{
	local name=$1 said status
	shift

	said=$("$sweep" --name "$name" "${host[@]}" "$@")
	status=$?
	result "$status" "$name" "$said"
}

# caught BUG MESSAGE [OPTION...] [-- COMMAND...]: the sweep of naive-BUG fails, and says so. The
# command is $command if not given.
caught()
{
	local bug=$1 message=$2 said status
	local -a options=()
	shift 2

	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	[ $# -gt 0 ] && shift || set -- "${command[@]}"
	ln -f "$naive" "$folder/naive-$bug" || exit 99
	said=$("$sweep" --name "$bug" --failures 1000 "${host[@]}" "${options[@]}" -- "$folder/naive-$bug" "$@")
	status=$?
	if [ "$status" -eq 77 ]; then
		result 77 "$bug: $message"
	elif [ "$status" -eq 1 ] && grep -qF -- "$message" <<<"$said"; then
		result 0 "seeded bug $bug is caught: $message"
	else
		result 1 "seeded bug $bug is caught: $message" "# status $status" "$said"
	fi
}


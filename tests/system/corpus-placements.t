#!/bin/bash
# Real configurations in the other placements: each that sshd accepts opens, in turn for everybody or for
# the sources that are named, in /run or elsewhere, and closes back to what it was; sshd's other answers
# stay as they were, and with sources all of its answers for everybody else. Each that it rejects is
# refused, untouched. With FULL=1 each goes through all placements.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
. "$sandbox_lib/corpus.sh"
. "$sandbox_lib/placements.sh"
sandbox_enter

# included_first: the folder of the Include that comes before anything which decides, if one does
included_first()
{
	grep -aiE -m 1 '^[[:space:]]*(include|match|permitrootlogin)[[:space:]=]' $main |
		sed -nE 's|^[[:space:]]*[Ii][Nn][Cc][Ll][Uu][Dd][Ee][[:space:]]+(/[^*[:space:]]*)/\*\.conf[[:space:]]*$|\1|p'
}

placements=('drop-in from' runtime 'in-place from' drop-in 'runtime from')
one()
{
	local name=$1 verdict=$2 site where

	site=$(included_first)
	row_begins
	possible_turn
	for where in "${turn[@]}"; do
		place "$where"
		t "$name: $verdict ($placed)"
		of_its_kind
		row_reset
	done
}

of_its_kind()
{
	if ! root=$(judge root); then
		expect reject "$verdict" "sshd ($root)"
		is_refused
		return
	fi
	expect accept "$verdict" "sshd"
	if [ "$(permitted "$root")" = yes ]; then
		is_open_already
	elif placeable; then
		is_placed
	else
		because='--drop-in is not possible' is_refused
	fi
}
corpus_each one

done_testing

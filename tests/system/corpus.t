#!/bin/bash
# Real configurations: each that sshd accepts opens and closes back to the same bytes, mode, owner
# and mtime, and sshd's other answers stay as they were; each that it rejects is refused,
# untouched.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
. "$sandbox_lib/corpus.sh"
sandbox_enter

n=0
one()
{
	local name=$1 verdict=$2 answers

	t "$name: $verdict"
	if answers=$(judge root); then
		expect accept "$verdict" "sshd"
		case $(permitted "$answers") in
		yes) is_open_already ;;
		*) opens_and_closes ;;
		esac
	else
		expect reject "$verdict" "sshd ($answers)"
		is_refused
	fi

	n=$((n + 1))
	if [ "$verdict" = accept ] && [ $((n % 8)) = 1 ]; then
		t "$name: with a NUL byte at its end"
		printf '#\0\n' >>$main
		because=NUL is_refused
	fi
}
corpus_each one

done_testing

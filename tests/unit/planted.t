#!/bin/bash
# The memory checks find what planted.c hides, so their silence elsewhere means something.
planted=$top_builddir/tests/unit/planted
tool=valgrind
[ "$SANITIZERS" = yes ] && tool=asan

if [ ! -x "$planted" ]; then
	echo "1..0 # SKIP no Criterion when this was configured (Debian: libcriterion-dev)"
	exit 0
elif [ "$tool" = valgrind ] && [ -z "$VALGRIND" ]; then
	echo "1..0 # SKIP no valgrind when this was configured"
	exit 0
fi

# ran TEST: the output of that one test under the tool, and the status of the check
ran()
{
	output=$("$top_srcdir/tests/lib/memory" "$tool" \
		"$planted" --quiet --tap=/dev/stdout --filter "planted/$1" 2>&1)
}

n=0
# result STATUS DESCRIPTION
result()
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $tool: $2"
	else
		echo "not ok $n - $tool: $2"
		sed 's/^/# | /' <<<"$output"
	fi
}

# found TEST REGEX: the check failed, because of a report that says this
found()
{
	! ran "$1" && grep -q "^# $tool reported" <<<"$output" && grep -Eq "^# .*($2)" <<<"$output"
}

found leak 'definitely lost: 64 bytes|LeakSanitizer'
result $? "a planted leak fails the check"
found use_after_free 'Invalid read|heap-use-after-free'
result $? "a planted use after free fails the check"
if [ "$tool" = asan ]; then
	found overflow 'signed integer overflow'
	result $? "a planted overflow fails the check"
fi
ran nothing && grep -q '^ok.*planted::nothing' <<<"$output"
result $? "a clean test passes the check"
echo "1..$n"

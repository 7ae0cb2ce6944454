#!/bin/bash
# The lens tests: each module's get and put tests, by augparse.
shopt -s nullglob
modules=("$top_srcdir"/lenses/tests/test_*.aug)

if [ -z "$AUGPARSE" ]; then
	echo "1..0 # SKIP no augparse when this was configured (Debian: augeas-tools)"
	exit 0
fi

echo "1..${#modules[@]}"
n=0
for module in "${modules[@]}"; do
	n=$((n + 1))
	if output=$("$AUGPARSE" --nostdinc -I "$top_srcdir/lenses" "$module" 2>&1); then
		echo "ok $n - ${module##*/}"
	else
		echo "not ok $n - ${module##*/}"
		printf '%s\n' "$output" | sed 's/^/# /'
	fi
done

#!/bin/bash
# The unit tests again, under valgrind.
unit=$top_builddir/tests/unit/unit

if [ ! -x "$unit" ]; then
	echo "1..0 # SKIP no Criterion when this was configured (Debian: libcriterion-dev)"
	exit 0
elif [ -z "$VALGRIND" ]; then
	echo "1..0 # SKIP no valgrind when this was configured"
	exit 0
fi
# Criterion would take one job alone, lest reports mingle: here each process has its own.
exec "$top_srcdir/tests/lib/memory" valgrind \
	"$unit" --jobs "$(nproc)" --quiet --tap=/dev/stdout

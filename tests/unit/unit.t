#!/bin/bash
# The unit tests: one program, whose own TAP this is.
unit=$top_builddir/tests/unit/unit

if [ ! -x "$unit" ]; then
	echo "1..0 # SKIP no Criterion when this was configured (Debian: libcriterion-dev)"
	exit 0
fi
exec "$unit" --quiet --tap=/dev/stdout

#!/bin/bash
# The unit tests: one program, whose own TAP this is.
unit=$top_builddir/tests/unit/unit

if [ ! -x "$unit" ]; then
	echo "1..0 # SKIP no Criterion when this was configured (Debian: libcriterion-dev)"
	exit 0
fi
# Many of them wait for a process.
exec "$unit" --jobs $((2 * $(nproc))) --quiet --tap=/dev/stdout

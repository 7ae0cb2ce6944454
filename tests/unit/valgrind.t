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
# What valgrind sees and the sanitizers do not is memory that was never written, and that is a matter
# of those who take texts of others apart. Each test is a fresh start, which costs valgrind more than
# a second; check-asan runs all of them.
suites='@(base_@(address|json|text|when)|config_sshd_@(lines|match|value)|service_answers|store_@(journal|state))'

# The others are no tests of this run, so Criterion's skips of them are taken out of it.
chosen()
{
	awk '/^1\.\./ || /# SKIP test was skipped/ { next }
		/^(not )?ok / { n++ }
		{ print }
		END { print "1.." n }'
}

# Criterion would take one job alone, lest reports mingle: here each process has its own.
set -o pipefail
"$top_srcdir/tests/lib/memory" valgrind \
	"$unit" --filter "$suites/*" --jobs "$(nproc)" --quiet --tap=/dev/stdout | chosen

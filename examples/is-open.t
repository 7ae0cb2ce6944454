#!/bin/bash
# The library's side: a program that asks whether a root login is open.
. "$(dirname "$0")/../tests/lib/sandbox.sh" || exit 99
sandbox_enter

write /etc/ssh/sshd_config 644 <<<'PermitRootLogin no'

t "nothing is open"
run "$top_builddir/examples/is-open"
expect "$status" 0 "exit status"
expect "$out" "no root login is open by rootlatch" "what it says"

t "something is open"
rl open --in-place --keep
expect "$status" 0 "open exits"
run "$top_builddir/examples/is-open"
expect "$status" 1 "exit status"
expect_match "$out" '^root-login is open since 20' "what it says"

t "nobody may ask but root"
run setpriv --reuid 65534 --regid 65534 --clear-groups "$top_builddir/examples/is-open"
expect "$status" 2 "exit status"

done_testing

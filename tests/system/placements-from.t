#!/bin/bash
# Everything that sshd accepts can be opened for the sources that are named, and for nobody else, in
# the placements, which take turns, and closed again; what it rejects is refused. All in all of them: FULL=1.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
. "$sandbox_lib/placements.sh"
sandbox_enter

placements=('runtime from' 'drop-in from' 'in-place from')
. "$sandbox_lib/constructs.sh"

done_testing

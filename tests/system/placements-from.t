#!/bin/bash
# Everything that sshd accepts can be opened for the sources that are named, and for nobody else, in
# every placement, and closed again; what it rejects is refused in all of them.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
. "$sandbox_lib/placements.sh"
sandbox_enter

placements=('runtime from' 'drop-in from' 'in-place from')
. "$sandbox_lib/constructs.sh"

done_testing

#!/bin/bash
# Everything that sshd accepts can be opened for everybody in the placements, which take turns (in
# place: constructs.t), and closed again; what it rejects is refused. All in all of them: FULL=1.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
. "$sandbox_lib/placements.sh"
sandbox_enter

placements=(runtime drop-in)
. "$sandbox_lib/constructs.sh"

done_testing

#!/bin/bash
# Everything that sshd accepts can be opened for everybody in every placement (in place:
# constructs.t), and closed again; what it rejects is refused in all of them.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
. "$sandbox_lib/placements.sh"
sandbox_enter

placements=(runtime drop-in)
. "$sandbox_lib/constructs.sh"

done_testing

#!/bin/bash
# Does it stay off, where sysvinit is the init?
. "$(dirname "$0")/packages.sh" || exit 99
hosts_enter sysvinit
is_table old sysvinit
done_testing

#!/bin/bash
# Does it stay off, where systemd is the init?
. "$(dirname "$0")/packages.sh" || exit 99
hosts_enter systemd
is_table new systemd
done_testing

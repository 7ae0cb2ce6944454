#!/bin/bash
# Services switched off and back on under sysvinit, which orders them by insserv.
. "$(dirname "$0")/services.sh" || exit 99
hosts_enter sysvinit
host_boot old sysvinit

t "apache2 and inetd: off through a reboot, and back through another"
is_off_and_back old

t "in two commands, undone in the order they were done in"
is_undone_in_order old apache2 openbsd-inetd
t "in two commands, undone in the other order"
is_undone_in_order old openbsd-inetd apache2

t "--method remove, the procedure of old: off, and back"
is_off_and_back old --method remove

t "--method remove says what would bring it back"
host_rl old disable apache2 --method remove --dry-run
expect "$status" 2 "a dry run that would change something exits"
expect_match "$err" 'removing and installing the package again brings apache2 back' "the warning"
expect_match "$err" '^  --method disable survives that' "what to do instead"

t "enable and disable, to and fro, and what is so already"
is_switched_to_and_fro old

t "enable: what was switched off by hand, and back to that"
host_run old sh -c '/etc/init.d/apache2 stop; update-rc.d apache2 disable; chmod 644 /etc/init.d/apache2' >/dev/null 2>&1
enables old
t "enable: without any link, and back to that"
host_run old sh -c 'update-rc.d -f apache2 remove' >/dev/null 2>&1
enables old

done_testing

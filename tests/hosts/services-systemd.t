#!/bin/bash
# Services switched off and back on under systemd: native units, one of them with an alias.
. "$(dirname "$0")/services.sh" || exit 99
hosts_enter systemd
host_boot new systemd

t "apache2 and inetd: off through a reboot, and back through another"
is_off_and_back new

t "in two commands, undone in the order they were done in"
is_undone_in_order new apache2 openbsd-inetd
t "in two commands, undone in the other order"
is_undone_in_order new openbsd-inetd apache2

t "--method remove, the procedure of old: says that it does not touch the unit, and it comes back"
before=$(host_tree new)
rl_ok new disable apache2 --now --method remove
expect_match "$err" 'does not touch apache2.service, which systemd' "the warning"
expect "$(host_port new 80)" closed "port 80"
host_reboot new
host_wait_port new 80 open
rl_ok new revert service/apache2
expect "$(host_tree new)" "$before" "the boot tree"
expect "$(wait_runs new "$both_run")" "$both_run" "ports and processes"

t "enable and disable, to and fro, and what is so already"
is_switched_to_and_fro new

t "enable: what was disabled by hand, and back to that"
host_run new sh -c 'systemctl stop apache2; update-rc.d apache2 disable; chmod 644 /etc/init.d/apache2' >/dev/null 2>&1
enables new
t "enable: masked, and back to that"
host_run new sh -c 'systemctl mask apache2' >/dev/null 2>&1
enables new

done_testing

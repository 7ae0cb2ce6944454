#!/bin/bash
# What may have become of a unit, under systemd
. "$(dirname "$0")/service-states.sh" || exit 99
hosts_enter systemd
host_boot host systemd
keep host

unit='printf "%s\n" "[Service]" "ExecStart=/bin/sleep 1000" "[Install]" "WantedBy=multi-user.target"'

state apache2 "as installed" :
state apache2 "at S77" 'for l in 2 3 4 5; do mv etc/rc$l.d/S??apache2 etc/rc$l.d/S77apache2; done'
state apache2 "with absolute targets" 'for l in etc/rc?.d/[SK]??apache2; do ln -sfn /etc/init.d/apache2 $l; done'
state apache2 "without links" 'rm etc/rc?.d/[SK]??apache2'
state apache2 "beside a dangling link" 'ln -s ../init.d/gone etc/rc2.d/S20gone; ln -s /nowhere etc/systemd/system/gone.service'
state apache2 "with mode 644 already" 'chmod 644 etc/init.d/apache2'
state apache2 "disabled" 'systemctl disable apache2'
state apache2 "disabled, the unit alone" 'rm etc/systemd/system/multi-user.target.wants/apache2.service'
state apache2 "masked" 'systemctl mask apache2'
state apache2 "masked by a link of another kind" 'ln -s ../../../dev/null etc/systemd/system/apache2.service'
state apache2 "with a drop-in" 'mkdir etc/systemd/system/apache2.service.d
	printf "[Service]\nNice=3\n" >etc/systemd/system/apache2.service.d/nice.conf'
state apache2 "wanted by another target, too" 'mkdir etc/systemd/system/graphical.target.wants
	ln -s /lib/systemd/system/apache2.service etc/systemd/system/graphical.target.wants/'
state apache2 "with the administrator's own unit" "cp lib/systemd/system/apache2.service etc/systemd/system/
	systemctl daemon-reload; systemctl reenable apache2"
state apache2 "linked from elsewhere" 'cp lib/systemd/system/apache2.service root/; rm lib/systemd/system/apache2.service
	rm etc/systemd/system/multi-user.target.wants/apache2.service; systemctl link /root/apache2.service
	systemctl enable apache2'
state openbsd-inetd "an alias" :
state openbsd-inetd "an alias, masked by its other name" 'systemctl mask inetd'
state inetd "a unit by its own name" :
state mine "with a unit alone, in /etc" "$unit >etc/systemd/system/mine.service; systemctl enable mine"
state mine "with a unit alone, in /lib" "$unit >lib/systemd/system/mine.service; systemctl enable mine"
state mine "with a script alone" "$init_script; systemctl daemon-reload"
state mine "with a script and a unit" "$init_script; $unit >lib/systemd/system/mine.service; systemctl enable mine"

done_testing

#!/bin/bash
# What may have become of an init script's links, under sysvinit
. "$(dirname "$0")/service-states.sh" || exit 99
hosts_enter sysvinit
host_boot host sysvinit
keep host

state apache2 "as installed" :
state apache2 "at S77" 'for l in 2 3 4 5; do mv etc/rc$l.d/S??apache2 etc/rc$l.d/S77apache2; done'
state apache2 "at S77 and K03" 'for l in 2 3 4 5; do mv etc/rc$l.d/S??apache2 etc/rc$l.d/S77apache2; done
	for l in 0 1 6; do mv etc/rc$l.d/K??apache2 etc/rc$l.d/K03apache2; done'
state apache2 "off in runlevel 3" 'update-rc.d apache2 disable 3'
state apache2 "K in rc3, by hand" 'mv etc/rc3.d/S??apache2 etc/rc3.d/K99apache2'
state apache2 "without its link in rc3" 'rm etc/rc3.d/S??apache2'
state apache2 "without any link" 'rm etc/rc?.d/[SK]??apache2'
state apache2 "removed by update-rc.d" 'update-rc.d -f apache2 remove'
state apache2 "disabled by update-rc.d" 'update-rc.d apache2 disable'
state apache2 "with absolute targets" 'for l in etc/rc?.d/[SK]??apache2; do ln -sfn /etc/init.d/apache2 $l; done'
state apache2 "with an absolute target, old" 'touch -hd 2001-02-03T04:05:06.789 etc/rc?.d/[SK]??apache2 etc/rc?.d'
state apache2 "beside a dangling link of another" 'ln -s ../init.d/gone etc/rc2.d/S20gone; ln -s /nowhere etc/rc3.d/K05gone'
state apache2 "with mode 750" 'chmod 750 etc/init.d/apache2'
state apache2 "with mode 700, set-group-ID" 'chmod 2700 etc/init.d/apache2'
state apache2 "with mode 644 already" 'chmod 644 etc/init.d/apache2'
for file in boot start stop; do
	state apache2 "without .depend.$file" "rm etc/init.d/.depend.$file"
done
state apache2 "without .depend files" 'rm etc/init.d/.depend.*'
state apache2 "with hidden and foreign files" 'echo x >etc/init.d/.apache2.swp; echo y >etc/rc2.d/note; touch -d 2001-02-03 etc/rc2.d/note'
state apache2 "without the program insserv" 'mv sbin/insserv root/insserv'
state apache2 "without insserv.conf" 'mv etc/insserv.conf root/insserv.conf'
state apache2 "without insserv, at S77" 'mv sbin/insserv root/insserv
	for l in 2 3 4 5; do mv etc/rc$l.d/S??apache2 etc/rc$l.d/S77apache2; done; rm etc/init.d/.depend.*'
state apache2 "without insserv, without links" 'mv sbin/insserv root/insserv; rm etc/rc?.d/[SK]??apache2'
state mine "with a script of one's own" "$init_script"

done_testing

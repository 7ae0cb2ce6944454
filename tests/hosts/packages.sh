# shellcheck shell=bash
# Does a service stay off when its package is upgraded, reinstalled, reconfigured, removed or
# purged? A table, for services of packages of our own, whose maintainer scripts are those that
# debhelper 13.11 (Debian 12) generates:
#
#	is_table NAME FLAVOUR           boots the host NAME
#
# There is a service for each method, variant and kind of event, so that one boot shows them all:
#
#	kept-METHOD-VARIANT             upgraded, reinstalled, reconfigured, one after the other
#	removed-METHOD-VARIANT          removed and installed
#	purged-METHOD-VARIANT           purged and installed
#	left-..., gone-...              removed, or purged, and that is it
#
# VARIANT is sysv, an init script alone, or unit: a unit as well.
# METHOD is links (`update-rc.d -f NAME remove`) or mode (chmod 644), both by hand, to see that the
# table can say ON; remove or disable, by rootlatch. A service that was started has a file
# /run/NAME.up, with the version of its package, until the next boot.

. "$(dirname "${BASH_SOURCE[0]}")/host.sh" || exit 99

# services_of PACKAGE
services_of()
{
	local methods=(links mode remove disable) method variant

	[[ $1 != @(left|gone) ]] || methods=(remove disable)
	for method in "${methods[@]}"; do
		for variant in sysv unit; do
			echo "$1-$method-$variant"
		done
	done
}

# named NAME PATTERN: services of $services, by a pattern of the shell
named()
{
	local service

	for service in "${services[@]}"; do
		# shellcheck disable=SC2053 # a pattern
		[[ $service != $1 ]] || echo "$service"
	done
}

# ---- The packages

init_script()
{
	cat <<-END
		#!/bin/sh
		### BEGIN INIT INFO
		# Provides:          $1
		# Required-Start:    \$remote_fs
		# Required-Stop:     \$remote_fs
		# Default-Start:     2 3 4 5
		# Default-Stop:      0 1 6
		# Short-Description: does nothing, version $3
		### END INIT INFO
		[ -x /usr/sbin/$2d ] || exit 0
		case "\$1" in
		start) start-stop-daemon --start --quiet --oknodo --background --make-pidfile \\
			--pidfile /run/$1.pid --startas /usr/sbin/$2d -- $1 ;;
		stop) start-stop-daemon --stop --quiet --oknodo --retry 5 --remove-pidfile \\
			--pidfile /run/$1.pid ;;
		restart|force-reload) \$0 stop; \$0 start ;;
		esac
	END
}

# maintainer_script WHICH PACKAGE: what dh_installinit and dh_installsystemd add to it
maintainer_script()
{
	local service units=

	printf '#!/bin/sh\nset -e\n'
	for service in $(services_of "$2"); do
		[[ $service != *-unit ]] || units+=" '$service.service'"
	done
	[ -z "$units" ] || [ "$1" != prerm ] || prerm_units
	for service in $(services_of "$2"); do
		"$1_init"
	done
	[ -z "$units" ] || [ "$1" = prerm ] || "$1_units"
}

preinst_init()
{
	cat <<-END
		if [ "\$1" = "install" ] && [ -n "\$2" ] && [ -e "/etc/init.d/$service" ] ; then
			chmod +x "/etc/init.d/$service" >/dev/null || true
		fi
	END
}

# shellcheck disable=SC2016 # expanded in the scripts
configuring='[ "$1" = "configure" ] || [ "$1" = "abort-upgrade" ] || [ "$1" = "abort-deconfigure" ] || [ "$1" = "abort-remove" ]'

postinst_init()
{
	cat <<-END
		if $configuring ; then
			if [ -z "\${DPKG_ROOT:-}" ] && [ -x "/etc/init.d/$service" ]; then
				update-rc.d $service defaults >/dev/null
				if [ -n "\$2" ]; then
					_dh_action=restart
				else
					_dh_action=start
				fi
				invoke-rc.d --skip-systemd-native $service \$_dh_action || exit 1
			fi
		fi
	END
}

prerm_init()
{
	cat <<-END
		if [ -z "\${DPKG_ROOT:-}" ] && [ "\$1" = remove ] && [ -x "/etc/init.d/$service" ] ; then
			invoke-rc.d --skip-systemd-native $service stop || exit 1
		fi
	END
}

postrm_init()
{
	cat <<-END
		if [ "\$1" = "remove" ] && [ -x "/etc/init.d/$service" ] ; then
			chmod -x "/etc/init.d/$service" >/dev/null || true
		fi
		if [ -z "\${DPKG_ROOT:-}" ] && [ "\$1" = "purge" ] ; then
			update-rc.d $service remove >/dev/null
		fi
	END
}

preinst_units() { :; }

postinst_units()
{
	local unit

	for unit in $units; do
		cat <<-END
			if $configuring ; then
				deb-systemd-helper unmask $unit >/dev/null || true
				if deb-systemd-helper --quiet was-enabled $unit; then
					deb-systemd-helper enable $unit >/dev/null || true
				else
					deb-systemd-helper update-state $unit >/dev/null || true
				fi
			fi
		END
	done
	cat <<-END
		if $configuring ; then
			if [ -d /run/systemd/system ]; then
				systemctl --system daemon-reload >/dev/null || true
				if [ -n "\$2" ]; then
					_dh_action=restart
				else
					_dh_action=start
				fi
				deb-systemd-invoke \$_dh_action $units >/dev/null || true
			fi
		fi
	END
}

prerm_units()
{
	cat <<-END
		if [ -z "\${DPKG_ROOT:-}" ] && [ "\$1" = remove ] && [ -d /run/systemd/system ] ; then
			deb-systemd-invoke stop $units >/dev/null || true
		fi
	END
}

postrm_units()
{
	cat <<-END
		if [ "\$1" = remove ] && [ -d /run/systemd/system ] ; then
			systemctl --system daemon-reload >/dev/null || true
		fi
		if [ "\$1" = "purge" ]; then
			if [ -x "/usr/bin/deb-systemd-helper" ]; then
				deb-systemd-helper purge $units >/dev/null || true
			fi
		fi
	END
}

# package HOST PACKAGE VERSION: makes /srv/PACKAGE_VERSION.deb in there
package()
{
	local folder service which
	folder=$(host_root "$1")/srv/$2_$3

	mkdir -p "$folder"/{DEBIAN,etc/init.d,usr/sbin,lib/systemd/system} || return
	# shellcheck disable=SC2016 # expanded in the daemon
	printf '#!/bin/sh\necho %s >"/run/$1.up"\nexec sleep infinity\n' "$3" >"$folder/usr/sbin/$2d"
	for service in $(services_of "$2"); do
		init_script "$service" "$2" "$3" >"$folder/etc/init.d/$service"
		[[ $service != *-unit ]] ||
			printf '[Service]\nExecStart=/usr/sbin/%s %s\n[Install]\nWantedBy=multi-user.target\n' \
				"$2d" "$service" >"$folder/lib/systemd/system/$service.service"
		echo "/etc/init.d/$service" >>"$folder/DEBIAN/conffiles"
	done
	for which in preinst postinst prerm postrm; do
		maintainer_script $which "$2" >"$folder/DEBIAN/$which"
	done
	printf '%s\n' "Package: $2" "Version: $3" 'Architecture: all' \
		'Maintainer: nobody <nobody@example.org>' 'Description: does nothing' \
		>"$folder/DEBIAN/control"
	chmod 755 "$folder"/{DEBIAN/p*,usr/sbin/*,etc/init.d/*}
	host_run "$1" dpkg-deb -Znone --root-owner-group --build "/srv/$2_$3" "/srv/$2_$3.deb"
}

dpkg_there()
{
	run host_run "$host" env DEBIAN_FRONTEND=noninteractive dpkg "$@"
	expect "$status" 0 "dpkg $* exits"
}

# ---- What starts at boot: what rootlatch says, what the links and units say, what a boot showed

said()
{
	host_run "$host" rootlatch status "${services[@]}" | sed -n 's/^\([^ ]*\) will start at boot.*/\1/p' | sort
}

entitled()
{
	# shellcheck disable=SC2016 # expanded in there
	if [ "$(<"$hosts/$host/flavour")" = sysvinit ]; then
		host_run "$host" bash -c 'targets=" $(sed -n "s/^TARGETS = //p" /etc/init.d/.depend.start) "
			for name; do
				compgen -G "/etc/rc2.d/S??$name" >/dev/null && [ -x "/etc/init.d/$name" ] &&
					[[ $targets == *" $name "* ]] && echo "$name"
			done' - "${services[@]}" | sort
	else
		host_run "$host" bash -c 'systemctl daemon-reload
			comm -12 <(systemctl show --property=Wants --value multi-user.target | tr " " "\n" | sort) \
				<(systemctl show --property=Id,LoadState "${@/%/.service}" |
				sed -n "/^Id=/{s///;h};/^LoadState=loaded/{g;p}" | sort)' - "${services[@]}" |
			sed "s/\.service$//" | sort
	fi
}

booted()
{
	(
		cd "$(host_root "$host")/run" || exit
		for service in "${services[@]}"; do
			[ ! -e "$service.up" ] || echo "$service"
		done | sort
	)
}

# is_on PATTERN...: of $services these and no others will start at boot, by all accounts. Sets $on.
is_on()
{
	local pattern

	on=$(for pattern; do named "$pattern"; done | sort -u)
	expect "$(entitled)" "$on" "what the host has that starts"
	expect "$(said)" "$on" "what rootlatch says that starts"
}

# checks STATUS [PATTERN]: what `check` says of our services
checks()
{
	host_rl "$host" check
	expect "$status" "$1" "check exits"
	[ -z "${2-}" ] || expect_match "$out" "$2" "check"
}

# ---- The table

# is_table NAME FLAVOUR
is_table()
{
	host=$1
	on_anyway=()
	forgotten=('purged-*')
	host_boot "$host" "$2"
	# What systemd starts by a unit of its own is not switched by links or modes; a mask is
	# not the package's, and outlives it.
	if [ "$2" = systemd ]; then
		on_anyway=('*-@(links|mode|remove)-unit')
		forgotten=('purged-*-sysv')
	fi
	is_installed
	is_switched_off
	is_kept
	is_removed_and_purged
	is_as_told_after_a_boot
	is_reverted
	is_left_and_gone
}

# on PATTERN...: those, and what is on anyway
on() { is_on "${on_anyway[@]}" "$@"; }

is_installed()
{
	local name

	t "$host: installed, all of them start"
	services=()
	for name in kept removed purged left gone; do
		package "$host" $name 1 >/dev/null
		mapfile -t -O "${#services[@]}" services < <(services_of $name)
	done
	package "$host" kept 2 >/dev/null
	dpkg_there -i /srv/{kept,removed,purged,left,gone}_1.deb
	is_on '*'
	for name in "${services[@]}"; do
		expect "$(started "$name" 1)" 1 "the version of $name that runs"
	done
}

# started SERVICE VERSION: which version was started last; it may take a moment
started()
{
	local file version i

	file=$(host_root "$host")/run/$1.up
	for ((i = 0; i < 250; i++)); do
		version=$(cat "$file" 2>&1)
		[ "$version" != "$2" ] || break
		sleep 0.02
	done
	echo "$version"
}

# switch METHOD SERVICE...
switch()
{
	# shellcheck disable=SC2016 # expanded in there
	case $1 in
	links) run host_run "$host" bash -c 'for n; do update-rc.d -f "$n" remove; done' - "${@:2}" ;;
	mode) run host_run "$host" bash -c 'cd /etc/init.d && chmod 644 "$@"' - "${@:2}" ;;
	remove) host_rl "$host" disable --method remove "${@:2}" ;;
	disable) host_rl "$host" disable "${@:2}" ;;
	esac
	expect "$status" 0 "$1 exits"
}

is_switched_off()
{
	local method names purge=0

	t "$host: switched off, before anything happens to the packages"
	for method in links mode remove disable; do
		mapfile -t names < <(named "*-$method-*")
		switch $method "${names[@]}"
		case $method in
		remove) expect_match "$err" 'installing the package again brings kept-remove-sysv' "the warning" ;;
		disable) purge=$(grep -c 'a purge forgets it' <<<"$out") ;;
		esac
	done
	on
	mapfile -t names < <(named '*-disable-@(sysv|unit)')
	[ ${#on_anyway[@]} -eq 0 ] || mapfile -t names < <(named '*-disable-sysv')
	expect "$purge" ${#names[@]} "services of which it is said that a purge forgets it"
	[ ${#on_anyway[@]} -eq 0 ] || expect_match "$out" 'reconfigure and purge \(masked\)' "what is said of the others"
	checks 0 'The host agrees'
}

# One after the other. What is back was switched off again by hand, as before.
is_kept()
{
	local event by_links

	mapfile -t by_links < <(named 'kept-links-*')
	for event in upgrade reinstall reconfigure; do
		t "$host: $event"
		case $event in
		upgrade | reinstall) dpkg_there -i /srv/kept_2.deb ;;
		reconfigure)
			run host_run "$host" env DPKG_MAINTSCRIPT_PACKAGE=kept \
				/var/lib/dpkg/info/kept.postinst configure 2
			expect "$status" 0 "postinst configure exits"
			;;
		esac
		on 'kept-links-*'
		expect "$(started kept-links-sysv 2) $(started kept-disable-sysv 1) $(started kept-disable-unit 1)" \
			"2 1 1" "the versions that run: what is off is not restarted"
		checks 0 'The host agrees'
		[ $event = reconfigure ] || switch links "${by_links[@]}"
	done
}

is_removed_and_purged()
{
	t "$host: remove + install"
	dpkg_there -r removed
	checks 0 'The host agrees'
	dpkg_there -i /srv/removed_1.deb
	on 'kept-links-*' 'removed-@(links|mode|remove)-*'
	host_rl "$host" status removed-disable-sysv
	expect_match "$out" "still off: its script.s mode was set to 644, and is 755 now" "what has changed"
	expect_no_match "$out" "WILL start" "what has changed"
	host_rl "$host" status removed-remove-sysv
	expect_match "$out" "will start at boot" "that it is back"
	expect_match "$out" "DIFFERS" "that it is not as it was left"
	expect_match "$out" "WILL start" "that this is the difference"
	expect_no_match "$out" "still off" "that this is the difference"
	checks 2 'The host does not agree'

	t "$host: purge + install"
	dpkg_there -P purged
	dpkg_there -i /srv/purged_1.deb
	on 'kept-links-*' 'removed-@(links|mode|remove)-*' "${forgotten[@]}"
	host_rl "$host" status purged-disable-sysv
	expect_match "$out" "WILL start" "what has changed"
	checks 2 'The host does not agree'
}

is_as_told_after_a_boot()
{
	t "$host: a boot shows the same"
	host_reboot "$host"
	expect "$(booted)" "$on" "what was started"
	on 'kept-links-*' 'removed-@(links|mode|remove)-*' "${forgotten[@]}"
}

is_reverted()
{
	local name names

	t "$host: revert after an upgrade puts back modes and links, and leaves the script"
	mapfile -t names < <(named 'kept-@(remove|disable)-*')
	host_rl "$host" revert "${names[@]/#/service/}"
	expect "$status" 0 "revert exits"
	expect "$(grep -c 'it is another version by now' <<<"$out")" 4 "times it is said of the scripts"
	expect "$(grep -c 'will start at boot' <<<"$out")" 4 "services that will start"
	for name in "${names[@]}"; do
		expect "$(grep -c 'does nothing, version 2' "$(host_root "$host")/etc/init.d/$name")" 1 \
			"the new text of $name"
		expect "$(stat -c %a "$(host_root "$host")/etc/init.d/$name")" 755 "the mode of $name"
		host_rl "$host" status "service/$name"
		expect_no_match "$out" 'switched|DIFFERS' "its state"
	done
	on 'kept-@(links|remove|disable)-*' 'removed-@(links|mode|remove)-*' "${forgotten[@]}"
}

is_left_and_gone()
{
	local name names

	t "$host: removed: its script and what switched it off are still there"
	dpkg_there -r left
	for name in left-{remove,disable}-{sysv,unit}; do
		host_rl "$host" status "$name"
		expect_match "$out" "does not start at boot" "$name"
		expect_no_match "$out" DIFFERS "$name"
	done
	host_rl "$host" revert service/left-{remove,disable}-{sysv,unit}
	expect "$status $err" "0 " "revert exits, and says"

	t "$host: purged: nothing is left but the record, which revert forgets"
	dpkg_there -P gone
	for name in gone-{remove,disable}-{sysv,unit}; do
		host_rl "$host" status "$name"
		expect_match "$out" "does not start at boot" "$name"
		expect_match "$out" "its script is gone: the package was removed" "$name"
	done
	host_rl "$host" revert service/gone-{remove,disable}-{sysv,unit}
	expect "$status" 0 "revert exits"
	expect "$(grep -c 'is not on this host any more' <<<"$out")" 4 "services that are gone"
	expect "$(grep -c 'warning: the script of .* is gone' <<<"$err")" 4 "warnings"
	expect_no_match "$out" 'as before|as they were' "what was done"
	expect "$(cd "$(host_root "$host")/etc" && find rc?.d systemd init.d -name '*gone-*')" "" "what is left of it"
	host_rl "$host" status gone-disable-sysv
	expect "$status" 3 "status exits"
	expect_match "$err" 'there is no service gone-disable-sysv' "status"

	t "$host: installed again after that, they start as if nothing had been"
	dpkg_there -i /srv/{left,gone}_1.deb
	on 'kept-@(links|remove|disable)-*' 'removed-@(links|mode|remove)-*' "${forgotten[@]}" \
		'left-*' 'gone-*'
	mapfile -t names < <(named '@(removed|purged)-@(remove|disable)-*')
	host_rl "$host" revert "${names[@]/#/service/}"
	expect "$status" 0 "revert exits"
	checks 0 'The host agrees'
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "service/boot.h"
#include "test_config.h"

TestSuite(service_boot, .init = box_enter, .fini = box_leave, .timeout = 120);

#define SCRIPT                                                                              \
	"#!/bin/sh\n### BEGIN INIT INFO\n# Provides:          %s\n"                           \
	"# Required-Start:    $remote_fs\n# Required-Stop:     $remote_fs\n"                  \
	"# Default-Start:     2 3 4 5\n# Default-Stop:      0 1 6\n### END INIT INFO\n"

static void make_parents(const char *path)
{
	char folder[4096];

	for (const char *slash = strchr(path + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		(void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
		cr_assert(mkdir(box_path(folder), 0755) == 0 || errno == EEXIST, "%s", folder);
	}
}

static void link_to(const char *path, const char *target)
{
	make_parents(path);
	cr_assert(eq(int, symlink(target, box_path(path)), 0), "%s: %s", path, strerror(errno));
}

static void links_of(const char *name, const char *kinds)
{
	static const char levels[] = "0123456";

	for (size_t i = 0; i < 7; i++) {
		char path[128], target[128];

		(void)snprintf(path, sizeof(path), "/etc/rc%c.d/%c02%s", levels[i], kinds[i], name);
		(void)snprintf(target, sizeof(target), "../init.d/%s", name);
		link_to(path, target);
	}
}

static void script_of(const char *name, const char *mode)
{
	char path[128], text[1024];

	(void)snprintf(path, sizeof(path), "/etc/init.d/%s", name);
	(void)snprintf(text, sizeof(text), SCRIPT, name);
	make_parents(path);
	box_write(path, text);
	cr_assert(eq(int, chmod(box_path(path), (mode_t)strtoul(mode, NULL, 8)), 0));
}

/* `|` is a newline */
static void file_of(const char *path, char *text)
{
	for (char *p = text; *p != '\0'; p++)
		if (*p == '|')
			*p = '\n';
	make_parents(path);
	box_write(path, text);
}

static void depends_of(const char *names)
{
	static const char *const kinds[] = { "boot", "start", "stop" };

	for (size_t i = 0; i < 3; i++) {
		char path[64], text[512];

		(void)snprintf(path, sizeof(path), "/etc/init.d/.depend.%s", kinds[i]);
		(void)snprintf(text, sizeof(text), "TARGETS = first %s\nINTERACTIVE = no\n", names);
		make_parents(path);
		box_write(path, text);
	}
}

/* One line of a setup: a word that says what, a path or name, the rest. */
static void set_up_one(char *line)
{
	char *what = strtok_r(line, " ", &line), *name = strtok_r(NULL, " ", &line), *rest = line;

	if (strcmp(what, "systemd") == 0)
		link_to("/sbin/init", "../lib/systemd/systemd");
	else if (strcmp(what, "script") == 0)
		script_of(name, rest);
	else if (strcmp(what, "links") == 0)
		links_of(name, rest);
	else if (strcmp(what, "link") == 0)
		link_to(name, rest);
	else if (strcmp(what, "file") == 0)
		file_of(name, rest != NULL ? rest : (char[]){ "" });
	else if (strcmp(what, "depend") == 0)
		depends_of(name != NULL ? name : "");
	else if (strcmp(what, "rm") == 0)
		cr_assert(eq(int, unlink(box_path(name)), 0), "%s", name);
	else
		cr_assert(false, "%s?", what);
}

static void set_up(const char *setup)
{
	_cleanup_free_ char *copy = strdup(setup);
	char *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		set_up_one(line);
}

/* The box as it was made. */
static void empty_box(void)
{
	static const char *const folders[] = { "etc", "sbin", "lib", "usr", "run", "var", "srv" };
	char command[256];

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		(void)snprintf(command, sizeof(command), "rm -rf %s/%s", box()->path, folders[i]);
		cr_assert(eq(int, system(command), 0));
	}
}

static int try_read(const char *name, struct boot_service *s, struct error *err)
{
	_cleanup_config_augeas_ struct config_augeas *augeas = NULL;
	_cleanup_strings_ struct strings folders = STRINGS_INIT;
	_cleanup_host_tree_ struct host_tree tree = HOST_TREE_INIT;

	if (config_augeas_new(lens_dir(), &augeas, err) < 0 || boot_folders(&folders, err) < 0 ||
	    host_tree_read(&box()->host, &folders, &tree, err) < 0)
		return -1;
	return boot_service_read(&box()->host, augeas, &tree, name, s, err);
}

static struct boot_service read_service(const char *name)
{
	struct boot_service s = BOOT_SERVICE_INIT;
	struct error err = ERROR_INIT;

	box_ok(try_read(name, &s, &err));
	return s;
}

static const char *joined(const struct strings *s)
{
	static char texts[8][1024];
	static unsigned next;
	char *text = texts[next++ % ARRAY_SIZE(texts)];

	text[0] = '\0';
	for (size_t i = 0; i < s->len; i++)
		(void)strcat(strcat(text, i > 0 ? " " : ""), s->items[i]);
	return text;
}

#define UP "links foo KKSSSSK\n"
#define DOWN "links foo KKKKKKK\n"
#define FOO "script foo 755\n" UP
#define NATIVE "file /lib/systemd/system/foo.service [Service]|[Install]|WantedBy=multi-user.target|\n"
#define WANTED "link /etc/systemd/system/multi-user.target.wants/foo.service "\
	       "/lib/systemd/system/foo.service\n"
#define INETD "file /lib/systemd/system/inetd.service [Service]|[Install]|WantedBy=multi-user.target|\n"\
	      "link /lib/systemd/system/foo.service inetd.service\n"
#define INETD_WANTED "link /etc/systemd/system/multi-user.target.wants/inetd.service "\
		     "/lib/systemd/system/inetd.service\n"

static const struct {
	const char *setup;
	bool starts;
	const char *why;
} verdicts[] = {
	/* sysvinit: links, modes */
	{ FOO, true, "its links start it in runlevels 2 3 4 5" },
	{ "script foo 755\nlink /etc/rcS.d/S01foo ../init.d/foo", true,
	  "its link starts it in runlevel S" },
	{ "script foo 755\n" DOWN, false, "no runlevel has a start link for it" },
	{ "script foo 644\n" DOWN, false,
	  "no runlevel has a start link for it, and its script is not executable (mode 644)" },
	{ "script foo 644\n" UP, false, "its script is not executable (mode 644)" },
	{ "script foo 750\n" UP, true, "its links start it in runlevels 2 3 4 5" },
	{ "script foo 755", false, "no runlevel has a start link for it" },
	{ UP, false, "its links would start it, but there is no /etc/init.d/foo" },
	{ "script foo 755\nlinks foo KKKSSSK", false,
	  "its links start it in runlevels 3 4 5, and the host boots into 2" },
	{ "script foo 755\nlinks foo KKKSSSK\n"
	  "file /etc/inittab # c|id:3:initdefault:|si::sysinit:/etc/init.d/rcS|", true,
	  "its links start it in runlevels 3 4 5" },
	{ "script foo 755\nlinks foo SKKKKKS", false, "no runlevel has a start link for it" },
	{ "script foo 755\nlink /etc/rc2.d/S77foo /etc/init.d/foo", true,
	  "its link starts it in runlevel 2" },
	{ "script foo 755\nlink /etc/rc2.d/S2foo ../init.d/foo\n"
	  "link /etc/rc2.d/S02foobar ../init.d/foo", false,
	  "no runlevel has a start link for it" },
	{ "file /srv/foo x\nlink /etc/rc2.d/S01foo /srv/foo", false,
	  "/etc/rc2.d/S01foo leads to /srv/foo, which is not executable" },
	{ "link /etc/rc2.d/S01foo /srv/foo", false,
	  "/etc/rc2.d/S01foo leads to /srv/foo, which is not there" },
	{ "script foo 755\nlink /etc/init.d/bar foo\nlink /etc/rc2.d/S01bar ../init.d/bar\n"
	  "link /etc/rc2.d/S01foo ../init.d/bar", true, "its link starts it in runlevel 2" },
	{ "link /etc/init.d/foo foo\n" UP, false,
	  "its links would start it, but /etc/init.d/foo is no file that can be run" },
	{ "", false, "there is no trace of it" },
	/* .depend files */
	{ FOO "depend foo", true, "its links start it in runlevels 2 3 4 5" },
	{ FOO "depend bar", false,
	  "its links would start it, but /etc/init.d/.depend.start does not name it" },
	{ "script foo 755\nlink /etc/rcS.d/S01foo ../init.d/foo\ndepend bar", false,
	  "its links would start it, but /etc/init.d/.depend.boot does not name it" },
	{ FOO "depend bar\nrm /etc/init.d/.depend.stop", true,
	  "its links start it in runlevels 2 3 4 5" },
	{ FOO "depend bar\nrm /etc/init.d/.depend.stop\nfile /etc/init.d/.depend.stop", true,
	  "its links start it in runlevels 2 3 4 5" },
	{ FOO "depend bar\nfile /etc/init.d/.legacy-bootordering", true,
	  "its links start it in runlevels 2 3 4 5" },
	{ FOO "depend bar\nfile /etc/init.d/.depend.start INTERACTIVE = foo|#foo:|", false,
	  "its links would start it, but /etc/init.d/.depend.start does not name it" },
	{ FOO "depend bar\nfile /etc/init.d/.depend.start first: x foo y|", true,
	  "its links start it in runlevels 2 3 4 5" },
	/* inetd */
	{ "file /etc/inetd.conf # x|#<off># foo|foo stream tcp nowait root /usr/sbin/tcpd in.food", true,
	  "inetd starts it when somebody connects: /etc/inetd.conf line 3" },
	{ "file /etc/inetd.d/x 127.0.0.1:2121 stream tcp nowait root|\t/usr/sbin/tcpd in.food", true,
	  "inetd starts it when somebody connects: /etc/inetd.d/x line 1" },
	{ "script foo 755\n" DOWN
	  "file /etc/inetd.conf ftp stream tcp nowait root /usr/sbin/food food", true,
	  "no runlevel has a start link for it, but inetd starts it when somebody connects: "
	  "/etc/inetd.conf line 1" },
	{ FOO "file /etc/inetd.conf ftp stream tcp nowait root /usr/sbin/foobar foo", true,
	  "its links start it in runlevels 2 3 4 5" },
	/* a unit means nothing to sysvinit */
	{ "script foo 755\n" DOWN NATIVE WANTED, false, "no runlevel has a start link for it" },

	{ NATIVE WANTED, false,
	  "it has no init script, and sysvinit does not read its unit foo.service" },

	/* systemd: native units */
	{ "systemd\n" NATIVE WANTED, true, "its unit foo.service is enabled" },
	{ "systemd\n" FOO NATIVE, false, "its unit foo.service is disabled" },
	{ "systemd\n" NATIVE WANTED "link /etc/systemd/system/foo.service /dev/null", false,
	  "its unit foo.service is masked" },
	{ "systemd\n" NATIVE WANTED "file /etc/systemd/system/foo.service", false,
	  "its unit foo.service is masked" },
	{ "systemd\n" FOO "link /etc/systemd/system/foo.service /dev/null", false,
	  "its unit foo.service is masked" },
	{ "systemd\n" NATIVE WANTED "link /run/systemd/system/foo.service /dev/null", true,
	  "its unit foo.service is enabled (its mask in /run goes with the next boot)" },
	{ "systemd\nfile /run/systemd/system/foo.service [Service]|", false,
	  "its unit foo.service has no [Install] section, and no unit of a boot starts it" },
	{ "systemd\n" NATIVE
	  "link /run/systemd/system/multi-user.target.wants/foo.service x", false,
	  "its unit foo.service is disabled" },
	{ "systemd\nfile /lib/systemd/system/foo.service [Service]|", false,
	  "its unit foo.service has no [Install] section, and no unit of a boot starts it" },
	{ "systemd\nfile /lib/systemd/system/foo.service [Service]|\n"
	  "link /lib/systemd/system/sysinit.target.wants/foo.service ../foo.service", true,
	  "its unit foo.service has no [Install] section, and "
	  "/lib/systemd/system/sysinit.target.wants/foo.service starts it" },
	{ "systemd\nfile /lib/systemd/system/foo.service [Service]|\n"
	  "link /lib/systemd/system/sysinit.target.wants/foo.service ../foo.service\n"
	  "link /etc/systemd/system/sysinit.target.wants/foo.service /dev/null", false,
	  "its unit foo.service has no [Install] section, and no unit of a boot starts it" },
	{ "systemd\n" NATIVE "link /etc/systemd/system/rescue.target.wants/foo.service x", false,
	  "its unit foo.service is enabled, but a boot does not get to "
	  "/etc/systemd/system/rescue.target.wants/foo.service" },
	{ "systemd\n" NATIVE "link /etc/systemd/system/graphical.target.wants/foo.service x", true,
	  "its unit foo.service is enabled" },
	{ "systemd\n" NATIVE "link /etc/systemd/system/graphical.target.wants/foo.service x\n"
	  "link /etc/systemd/system/default.target /lib/systemd/system/multi-user.target", false,
	  "its unit foo.service is enabled, but a boot does not get to "
	  "/etc/systemd/system/graphical.target.wants/foo.service" },
	/* the order of the folders */
	{ "systemd\n" NATIVE "file /etc/systemd/system/foo.service [Service]|", false,
	  "its unit foo.service has no [Install] section, and no unit of a boot starts it" },
	{ "systemd\n" NATIVE "file /usr/local/lib/systemd/system/foo.service [Service]|", false,
	  "its unit foo.service has no [Install] section, and no unit of a boot starts it" },
	{ "systemd\n" NATIVE "file /usr/lib/systemd/system/foo.service [Service]|", false,
	  "its unit foo.service is disabled" },
	{ "systemd\n" WANTED NATIVE "file /etc/systemd/system.control/foo.service", false,
	  "its unit foo.service is masked" },
	/* aliases */
	{ "systemd\n" INETD INETD_WANTED, true, "its unit inetd.service is enabled" },
	{ "systemd\n" INETD "link /etc/systemd/system/multi-user.target.wants/foo.service x", true,
	  "its unit inetd.service is enabled" },
	{ "systemd\n" INETD INETD_WANTED "link /etc/systemd/system/foo.service /dev/null", true,
	  "its unit inetd.service is enabled "
	  "(the mask /etc/systemd/system/foo.service is of another name of it)" },
	{ "systemd\n" INETD INETD_WANTED "link /etc/systemd/system/inetd.service /dev/null", false,
	  "its unit inetd.service is masked" },
	{ "systemd\nfile /lib/systemd/system/gdm.service [Install]|Alias=foo.service|\n"
	  "link /etc/systemd/system/foo.service /lib/systemd/system/gdm.service", true,
	  "its unit gdm.service is enabled" },
	{ "systemd\nfile /srv/own [Install]|WantedBy=x.target|\n"
	  "link /etc/systemd/system/foo.service /srv/own", false,
	  "its unit foo.service is disabled" },
	{ "systemd\nlink /etc/systemd/system/foo.service bar.service\n"
	  "link /etc/systemd/system/bar.service foo.service", false, "there is no trace of it" },
	{ "systemd\nlink /etc/systemd/system/foo.service /srv/nowhere\n" NATIVE WANTED, false,
	  "its unit /etc/systemd/system/foo.service is a link that leads nowhere" },
	{ "systemd\nlink /etc/systemd/system/foo.service /lib/systemd/system/foo.service\n" NATIVE
	  WANTED, true, "its unit foo.service is enabled" },
	{ "systemd\nlink /etc/systemd/system/foo.service /lib/systemd/system/foo.service", false,
	  "there is no trace of it" },
	/* what starts it later */
	{ "systemd\n" NATIVE "file /lib/systemd/system/foo.socket [Socket]|ListenStream=7|\n"
	  "link /etc/systemd/system/sockets.target.wants/foo.socket x", true,
	  "its unit foo.service is disabled, but foo.socket starts it when somebody connects" },
	{ "systemd\n" NATIVE "file /lib/systemd/system/bar.socket [Socket]|Service = foo.service|\n"
	  "link /etc/systemd/system/sockets.target.wants/bar.socket x", true,
	  "its unit foo.service is disabled, but bar.socket starts it when somebody connects" },
	{ "systemd\n" NATIVE "file /lib/systemd/system/foo.socket [Socket]|Service=bar.service|\n"
	  "link /etc/systemd/system/sockets.target.wants/foo.socket x", false,
	  "its unit foo.service is disabled" },
	{ "systemd\n" NATIVE "file /lib/systemd/system/foo.socket [Socket]|", false,
	  "its unit foo.service is disabled" },
	{ "systemd\n" NATIVE "file /lib/systemd/system/foo.timer [Timer]|OnCalendar=daily|\n"
	  "link /etc/systemd/system/timers.target.wants/foo.timer x", true,
	  "its unit foo.service is disabled, but foo.timer starts it when it is time" },
	{ "systemd\n" NATIVE "file /lib/systemd/system/b.path [Path]|Unit=\\|# not yet|; nor now| foo.service|\n"
	  "link /etc/systemd/system/paths.target.wants/b.path x", true,
	  "its unit foo.service is disabled, but b.path starts it when a file is there" },
	{ "systemd\n" NATIVE "file /lib/systemd/system/foo.socket [Socket]|\n"
	  "link /etc/systemd/system/sockets.target.wants/foo.socket x\n"
	  "link /etc/systemd/system/foo.service /dev/null", false,
	  "its unit foo.service is masked" },
	{ "systemd\n" NATIVE "file /lib/systemd/system/foo.socket [Socket]|\n"
	  "link /etc/systemd/system/sockets.target.wants/foo.socket x\n"
	  "link /etc/systemd/system/foo.socket /dev/null", false,
	  "its unit foo.service is disabled" },
	/* what other units say */
#define BAR_WANTED "link /etc/systemd/system/multi-user.target.wants/bar.service x\n"
#define BY_BAR "its unit foo.service is disabled, and /lib/systemd/system/bar.service starts it"
	{ "systemd\n" NATIVE BAR_WANTED
	  "file /lib/systemd/system/bar.service [Unit]|Wants=x.service foo.service|", true, BY_BAR },
	{ "systemd\n" NATIVE BAR_WANTED
	  "file /lib/systemd/system/bar.service [Unit]|Requires=foo.service|Requires=|", true, BY_BAR },
	{ "systemd\n" NATIVE BAR_WANTED
	  "file /lib/systemd/system/bar.service [Unit]|BindsTo=foo.service|", true, BY_BAR },
	{ "systemd\n" NATIVE BAR_WANTED
	  "file /lib/systemd/system/bar.service [Unit]|Upholds=foo.service|", true, BY_BAR },
	{ "systemd\n" NATIVE BAR_WANTED
	  "file /lib/systemd/system/bar.service [Unit]|After=foo.service|PartOf=foo.service|", false,
	  "its unit foo.service is disabled" },
	{ "systemd\n" NATIVE BAR_WANTED "file /lib/systemd/system/bar.service [Unit]|Wants=a.target|\n"
	  "file /lib/systemd/system/a.target [Unit]|Wants=b.service|\n"
	  "file /lib/systemd/system/b.service [Unit]|Wants=bar.service foo.service|", true,
	  "its unit foo.service is disabled, and /lib/systemd/system/b.service starts it" },
	{ "systemd\n" NATIVE "file /lib/systemd/system/bar.service [Unit]|Wants=foo.service|", false,
	  "its unit foo.service is disabled" },
	{ "systemd\n" NATIVE BAR_WANTED
	  "file /lib/systemd/system/bar.service [Unit]|Wants=foo.service|\n"
	  "link /etc/systemd/system/bar.service /dev/null", false, "its unit foo.service is disabled" },
	{ "systemd\n" NATIVE "file /lib/systemd/system/bar.service [Unit]|Wants=foo.service|\n"
	  "link /etc/systemd/system/rescue.target.wants/bar.service x", false,
	  "its unit foo.service is disabled" },
	{ "systemd\n" NATIVE "file /lib/systemd/system/bar.service [Unit]|Wants=foo.service|\n"
	  "link /etc/systemd/system/foo.service.wants/bar.service x", false,
	  "its unit foo.service is disabled" },
	{ "systemd\n" NATIVE
	  "file /lib/systemd/system/multi-user.target [Unit]|Wants=a\\| foo.service|", true,
	  "its unit foo.service is disabled, and /lib/systemd/system/multi-user.target starts it" },
	{ "systemd\n" NATIVE BAR_WANTED "file /lib/systemd/system/bar.service [Unit]|\n"
	  "file /etc/systemd/system/bar.service.d/x.conf [Unit]|Wants=foo.service|", true,
	  "its unit foo.service is disabled, and /etc/systemd/system/bar.service.d/x.conf starts it" },
	{ "systemd\n" NATIVE BAR_WANTED "file /lib/systemd/system/bar.service [Unit]|\n"
	  "file /lib/systemd/system/bar.service.d/x.conf [Unit]|Wants=foo.service|\n"
	  "link /etc/systemd/system/bar.service.d/x.conf /dev/null", false,
	  "its unit foo.service is disabled" },
	{ "systemd\n" NATIVE "file /lib/systemd/system/bar@.service [Unit]|\n"
	  "link /etc/systemd/system/multi-user.target.wants/bar@a.service x\n"
	  "file /etc/systemd/system/bar@.service.d/x.conf [Unit]|Wants=foo.service|", true,
	  "its unit foo.service is disabled, and /etc/systemd/system/bar@.service.d/x.conf starts it" },
	{ "systemd\n" INETD BAR_WANTED
	  "file /lib/systemd/system/bar.service [Unit]|Wants=foo.service|", true,
	  "its unit inetd.service is disabled, and /lib/systemd/system/bar.service starts it" },
	{ "systemd\nscript foo 755\n" DOWN BAR_WANTED
	  "file /lib/systemd/system/bar.service [Unit]|Wants=foo.service|", true,
	  "its unit foo.service is made of its script, and /lib/systemd/system/bar.service starts it" },
	{ "systemd\n" NATIVE BAR_WANTED "file /lib/systemd/system/bar.service [Unit]|Wants=foo.socket|\n"
	  "file /lib/systemd/system/foo.socket [Socket]|ListenStream=7|", true,
	  "its unit foo.service is disabled, but foo.socket starts it when somebody connects" },
	{ "systemd\nfile /lib/systemd/system/foo@.service [Service]|\n"
	  "file /lib/systemd/system/foo.socket [Socket]|Accept=yes|\n"
	  "link /etc/systemd/system/sockets.target.wants/foo.socket x", true,
	  "its unit foo@.service has no [Install] section, but foo.socket starts it when somebody "
	  "connects" },
	{ "systemd\n" NATIVE "link /etc/systemd/system/foo.service /dev/null\n" BAR_WANTED
	  "file /lib/systemd/system/bar.service [Unit]|Wants=foo.service|", false,
	  "its unit foo.service is masked" },
	/* generated units */
	{ "systemd\n" FOO, true,
	  "its links start it in runlevels 2 3 4 5, by the unit that systemd makes of its script" },
	{ "systemd\nscript foo 755\n" DOWN, false,
	  "no runlevel from 2 to 5 has a start link for it" },
	{ "systemd\nscript foo 755\nlink /etc/rcS.d/S01foo ../init.d/foo\n"
	  "link /etc/rc1.d/S01foo ../init.d/foo", false,
	  "no runlevel from 2 to 5 has a start link for it" },
	{ "systemd\nscript foo 755\nlink /etc/rc4.d/S01foo nowhere", true,
	  "its link starts it in runlevel 4, by the unit that systemd makes of its script" },
	{ "systemd\nscript foo 755\nlink /etc/rc5.d/S01foo ../init.d/foo\n"
	  "link /lib/systemd/system/default.target multi-user.target", false,
	  "its link starts it in runlevel 5, and the host boots into multi-user.target" },
	{ "systemd\nscript foo 644\n" UP, false, "its script is not executable (mode 644)" },
	{ "systemd\nscript foo 611\n" UP "depend bar", false,
	  "its script is not executable (mode 611)" },
	{ "systemd\n" UP, false, "it has links, but there is no /etc/init.d/foo" },
	{ "systemd\nscript foo 755\n" DOWN
	  "link /etc/systemd/system/multi-user.target.wants/foo.service x", true,
	  "its unit foo.service is made of its script, and "
	  "/etc/systemd/system/multi-user.target.wants/foo.service starts it" },
};

Test(service_boot, says_whether_and_why)
{
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		_cleanup_(boot_service_release) struct boot_service s = BOOT_SERVICE_INIT;

		empty_box();
		set_up(verdicts[i].setup);
		s = read_service("foo");
		cr_expect(eq(int, s.starts, verdicts[i].starts), "%s", verdicts[i].setup);
		box_str(s.why, verdicts[i].why, "%s", verdicts[i].setup);
	}
}

static const struct {
	const char *setup;
	const char *links;
	const char *unit; /* name, path, state, local, aliases, wanted, sockets */
} readings[] = {
	{ FOO, "S02 in rc2 rc3 rc4 rc5, K02 in rc0 rc1 rc6", "- - 0 0 [] [] []" },
	{ "link /etc/rc2.d/S77foo x\nlink /etc/rc3.d/S02foo x\nlink /etc/rc4.d/S77foo x\n"
	  "link /etc/rc2.d/K01foo x\nlink /etc/rcS.d/S02foo x",
	  "S77 in rc2 rc4, S02 in rc3 rcS, K01 in rc2", "- - 0 0 [] [] []" },
	{ "script foo 755", "none", "- - 0 0 [] [] []" },
	{ NATIVE WANTED, "none",
	  "foo.service /lib/systemd/system/foo.service 1 0 [] "
	  "[/etc/systemd/system/multi-user.target.wants/foo.service] []" },
	{ INETD, "none",
	  "inetd.service /lib/systemd/system/inetd.service 2 0 [foo.service] [] []" },
	{ "file /etc/systemd/system/foo.service [Install]|Alias=bar.service x.service|", "none",
	  "foo.service /etc/systemd/system/foo.service 2 1 [bar.service x.service] [] []" },
	{ NATIVE "file /lib/systemd/system/bar.service [Install]|Alias=x|\n"
	  "link /etc/systemd/system/baz.service bar.service\n"
	  "link /etc/systemd/system/bar.service /lib/systemd/system/foo.service", "none",
	  "foo.service /lib/systemd/system/foo.service 2 0 [bar.service baz.service] [] []" },
	{ NATIVE "link /etc/systemd/system/foo.service /dev/null", "none",
	  "foo.service /etc/systemd/system/foo.service 3 0 [] [] []" },
	{ NATIVE "file /lib/systemd/system/foo.socket [Socket]|\n"
	  "link /etc/systemd/system/x.target.requires/foo.socket y\n"
	  "link /etc/systemd/system/y.target.wants/foo.socket y", "none",
	  "foo.service /lib/systemd/system/foo.service 2 0 [] [] [foo.socket]" },
	{ "systemd\n" FOO, "S02 in rc2 rc3 rc4 rc5, K02 in rc0 rc1 rc6",
	  "foo.service - 5 0 [] [] []" },
};

static const char *or_dash(const char *s)
{
	return s != NULL ? s : "-";
}

Test(service_boot, reads_links_and_units)
{
	for (size_t i = 0; i < ARRAY_SIZE(readings); i++) {
		_cleanup_(boot_service_release) struct boot_service s = BOOT_SERVICE_INIT;
		_cleanup_free_ char *unit = NULL, *links = NULL;
		struct error err = ERROR_INIT;

		empty_box();
		set_up(readings[i].setup);
		s = read_service("foo");
		links = boot_links_text(&s, &err);
		unit = str_format(&err, "%s %s %u %d [%s] [%s] [%s]", or_dash(s.unit.name),
				  or_dash(s.unit.path), s.unit.state, s.unit.local,
				  joined(&s.unit.aliases), joined(&s.unit.wanted),
				  joined(&s.unit.sockets));
		box_str(links, readings[i].links, "%s", readings[i].setup);
		box_str(unit, readings[i].unit, "%s", readings[i].setup);
	}
}

Test(service_boot, reads_the_other_names_of_a_script)
{
	_cleanup_(boot_service_release) struct boot_service s = BOOT_SERVICE_INIT;

	set_up("systemd\nscript hwclock.sh 755\nlink /etc/rc2.d/S01hwclock.sh x\n"
	       "file /etc/insserv/overrides/hwclock.sh ### BEGIN INIT INFO|# Provides: rtc hwclock|"
	       "# Default-Start: S|### END INIT INFO|");
	s = read_service("hwclock.sh");
	box_str(s.unit.name, "hwclock.service");
	box_str(joined(&s.unit.aliases), "rtc.service");
	box_str(s.header.default_start, "S");
	cr_expect(s.starts);
}

Test(service_boot, knows_templates)
{
	_cleanup_(boot_service_release) struct boot_service one = BOOT_SERVICE_INIT,
							    all = BOOT_SERVICE_INIT;

	set_up("systemd\nfile /lib/systemd/system/foo@.service [Install]|WantedBy=x.target|\n"
	       "link /etc/systemd/system/multi-user.target.wants/foo@a.service "
	       "/lib/systemd/system/foo@.service");
	one = read_service("foo@a");
	box_str(one.unit.name, "foo@a.service");
	box_str(one.why, "its unit foo@a.service is enabled");
	boot_service_release(&one);
	one = read_service("foo@b");
	box_str(one.why, "its unit foo@b.service is disabled");
	all = read_service("foo@");
	box_str(all.why, "its unit foo@.service is enabled");
}

Test(service_boot, reads_the_script)
{
	_cleanup_(boot_service_release) struct boot_service s = BOOT_SERVICE_INIT;
	struct digest empty = digest_of("x", 1);

	set_up("file /etc/init.d/foo x\nfile /sbin/insserv x\nfile /etc/insserv.conf x\n"
	       "file /var/lib/dpkg/statoverride root root 600 /etc/init.d/foobar|"
	       "root adm 0750 /etc/init.d/foo|");
	s = read_service("foo");
	cr_expect(s.has_script && s.script_is_regular && !s.header.found);
	cr_expect(eq(uint, s.script_mode, 0644));
	cr_expect(eq(uint, s.script_uid, 0));
	cr_expect(digest_equal(&s.script, &empty));
	cr_expect(eq(uint, s.statoverride, 0750));
	cr_expect(not(s.has_insserv)); /* update-rc.d looks for a program */
	boot_service_release(&s);
	cr_assert(eq(int, chmod(box_path("/sbin/insserv"), 0755), 0));
	s = read_service("foo");
	cr_expect(s.has_insserv);
}

static const struct {
	const char *setup;
	bool known;
	const char *traces;
} traces[] = {
	{ "", false,
	  "no /etc/init.d/foo, no link [SK]??foo in /etc/rc?.d, no foo.service in "
	  "/etc/systemd/system /run/systemd/system /usr/local/lib/systemd/system "
	  "/lib/systemd/system /usr/lib/systemd/system, nothing of it in /etc/inetd.conf" },
	{ FOO NATIVE "file /etc/inetd.conf foo stream tcp nowait root \tx\x1b y", true,
	  "/etc/init.d/foo (mode 755, owner 0, with an LSB header), links S02 in rc2 rc3 rc4 rc5, "
	  "K02 in rc0 rc1 rc6, /etc/inetd.conf line 1: foo stream tcp nowait root x\\x1b y" },
	{ "systemd\nlink /etc/init.d/foo x\n" NATIVE, true,
	  "/etc/init.d/foo is not a regular file, no link [SK]??foo in /etc/rc?.d, "
	  "/lib/systemd/system/foo.service, nothing of it in /etc/inetd.conf" },
	{ "link /etc/rc2.d/S01foo x", true, NULL },
	{ NATIVE, true, NULL },
	{ "file /etc/inetd.conf foo stream tcp nowait root x", true, NULL },
};

Test(service_boot, says_what_was_looked_at)
{
	for (size_t i = 0; i < ARRAY_SIZE(traces); i++) {
		_cleanup_(boot_service_release) struct boot_service s = BOOT_SERVICE_INIT;
		struct error err = ERROR_INIT;
		_cleanup_free_ char *text = NULL;

		empty_box();
		set_up(traces[i].setup);
		s = read_service("foo");
		text = boot_service_traces(&s, &err);
		cr_expect(eq(int, boot_service_is_known(&s), traces[i].known), "%s",
			  traces[i].setup);
		if (traces[i].traces != NULL)
			box_str(text, traces[i].traces, "%s", traces[i].setup);
	}
}

/* startpar(1) reads 2047 bytes at once; a name that it does not see there it does not start. */
Test(service_boot, is_as_blind_as_startpar)
{
	static char text[5000];
	_cleanup_(boot_service_release) struct boot_service s = BOOT_SERVICE_INIT;

	set_up(FOO "depend bar");
	(void)memset(text, 'x', sizeof(text) - 1);
	(void)memcpy(text, "TARGETS =", 9);
	text[9] = ' ';
	(void)memcpy(text + 2100, " foo ", 5);
	box_write("/etc/init.d/.depend.start", text);
	s = read_service("foo");
	cr_expect(not(s.starts));
	boot_service_release(&s);
	(void)memcpy(text + 1100, " foo ", 5);
	box_write("/etc/init.d/.depend.start", text);
	s = read_service("foo");
	cr_expect(s.starts);
}

static void write_bytes(const char *path, const void *bytes, size_t len, unsigned times)
{
	FILE *f;

	make_parents(path);
	f = fopen(box_path(path), "w");
	cr_assert(f != NULL);
	for (unsigned i = 0; i < times; i++)
		cr_assert(eq(sz, fwrite(bytes, 1, len, f), len));
	cr_assert(eq(int, fclose(f), 0));
}

Test(service_boot, survives_what_makes_no_sense)
{
	static const char entry[] = "foo stream tcp nowait root /usr/sbin/food\n";
	static const char noise[] = "\0[Install]\n\xff=\0\n[\n=\\\n#\n\0\0Alias=\0a b\\";
	_cleanup_(boot_service_release) struct boot_service s = BOOT_SERVICE_INIT;

	set_up("systemd\nlink /etc/inetd.d/loop loop\nlink /etc/systemd/system/x.wants loop\n"
	       "link /etc/systemd/system/y.service y.service\n"
	       "link /etc/systemd/system/z@.service z@.service\n"
	       "link /etc/systemd/system/.service a.service\n"
	       "link /etc/systemd/system/a.service .service\n"
	       "link /etc/systemd/system/multi-user.target.wants/.socket a\n"
	       "link /etc/systemd/system/multi-user.target.wants/@.timer a\n"
	       "link /etc/rc2.d/S01foo S02foo\nlink /etc/rc2.d/S02foo S01foo\n"
	       "file /etc/rc3.d/S02foo\nfile /lib/systemd/system.control x\n"
	       "file /run/systemd/system x\nlink /sbin/insserv insserv");
	write_bytes("/etc/inetd.conf", entry, sizeof(entry) - 1, 100000);
	write_bytes("/lib/systemd/system/foo.service", noise, sizeof(noise) - 1, 5000);
	write_bytes("/etc/init.d/foo", noise, sizeof(noise) - 1, 10);
	write_bytes("/etc/init.d/.depend.start", noise, sizeof(noise) - 1, 1000);
	write_bytes("/var/lib/dpkg/statoverride", noise, sizeof(noise) - 1, 1000);
	write_bytes("/etc/inittab", noise, sizeof(noise) - 1, 1000);
	cr_assert(eq(int, mkfifo(box_path("/etc/inetd.d/fifo"), 0600), 0));
	cr_assert(eq(int, mkfifo(box_path("/lib/systemd/system/b.socket"), 0600), 0));
	s = read_service("foo");
	box_str(s.unit.name, "foo.service");
	cr_expect(le(sz, s.inetd.len, 64));
	cr_expect(eq(sz, s.n_links, 3));
}

Test(service_boot, reports_each_failing_call)
{
	unsigned failed = 0;

	set_up("systemd\n" FOO NATIVE WANTED "depend foo\n"
	       "file /lib/systemd/system/foo.socket [Socket]|\n"
	       "link /etc/systemd/system/sockets.target.wants/foo.socket x\n"
	       "file /etc/inetd.conf foo stream tcp nowait root x");
	for (unsigned n = 1;; n++) {
		struct boot_service s = BOOT_SERVICE_INIT;
		struct error err = ERROR_INIT;
		int r;

		fault_arm(&box()->fault, FAULT_ERROR, n, EIO);
		r = try_read("foo", &s, &err);
		if (!fault_disarm(&box()->fault)) {
			box_ok(r);
			boot_service_release(&s);
			break;
		}
		cr_expect(eq(int, r, -1), "call %u (%s) failed unseen", n, box()->fault.last);
		cr_expect(err.message[0] != '\0', "call %u", n);
		failed += r < 0;
		boot_service_release(&s);
	}
	cr_expect(gt(uint, failed, 50));
}

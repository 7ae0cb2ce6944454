/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The scripts and /etc/systemd/system are a tree in memory; insserv.conf and systemd's own folders
 * are files of the box.
 */
#include "unit/fault_host.h"

#include "service/boot.h"
#include "test_config.h"

TestSuite(service_boot_needs, .init = box_enter, .fini = box_leave);

#define HEADER(lines) "#! /bin/sh\n### BEGIN INIT INFO\n" lines "### END INIT INFO\n"
#define NEEDS(name, needs) HEADER("# Provides: " name "\n# Required-Start: " needs "\n")

static struct host_tree_entry items[64];
static struct host_tree tree = { .items = items };

/* Kept in byte order, as host_tree_read has it. The texts are the caller's. */
static void put(const char *path, enum host_tree_kind kind, const char *what)
{
	size_t i = tree.len;

	while (i > 0 && strcmp(items[i - 1].path, path) >= 0)
		i--;
	if (i == tree.len || strcmp(items[i].path, path) != 0) {
		cr_assert(lt(sz, tree.len, ARRAY_SIZE(items)));
		memmove(&items[i + 1], &items[i], (tree.len++ - i) * sizeof(items[0]));
	}
	items[i] = (struct host_tree_entry){ .path = (char *)path, .kind = kind };
	if (kind == HOST_TREE_LINK)
		items[i].target = (char *)what;
	else
		items[i].bytes = (struct buffer){ .data = (char *)what, .len = strlen(what) };
}

#define script(name, text) put("/etc/init.d/" name, HOST_TREE_FILE, text)
#define unit(name, text) put("/etc/systemd/system/" name, HOST_TREE_FILE, text)
#define link(name, target) put("/etc/systemd/system/" name, HOST_TREE_LINK, target)

/* Debian 12's, cut to what counts. */
static void put_scripts(void)
{
	box_mkdir("/etc", 0755);
	box_write("/etc/insserv.conf",
		  "# a comment\n$local_fs\t+mountall +umountfs\n$remote_fs\t$local_fs +mountnfs\n"
		  "$syslog\t\t+rsyslog +syslog-ng\n$network +networking\n$named bind9\n"
		  "<interactive>\tudev\n");
	put("/etc/init.d", HOST_TREE_FOLDER, "");
	script("ssh", HEADER("# Provides: ssh sshd\n# Required-Start:\t$remote_fs $syslog\n"
			     "# Required-Stop: $network\n# Should-Start: $named\n"));
	script("rsyslog", NEEDS("rsyslog", "$remote_fs $time"));
	script("mountall.sh", NEEDS("mountall", "checkfs"));
	script("checkfs.sh", NEEDS("checkfs", "checkroot") "# Required-Start: cron\n");
	script("checkroot", NEEDS("checkroot mtab", "\r"));
	script("umountfs", NEEDS("umountfs", ""));
	script("networking", NEEDS("networking", "mountall"));
	script("bind9", NEEDS("bind9", "$syslog"));
	script("cron", NEEDS("cron", "$syslog"));
	script("apache2", NEEDS("apache2", "$syslog cron"));
	script("broken", "### BEGIN INIT INFO\n# Provides: broken\n# Required-Start: cron\n");
}

static void put_systemd(void)
{
	box_mkdir("/sbin", 0755);
	cr_assert(eq(int, symlink("/lib/systemd/systemd", box_path("/sbin/init")), 0));
	box_mkdir("/lib", 0755);
	box_mkdir("/lib/systemd", 0755);
	box_mkdir("/lib/systemd/system", 0755);
	box_write("/lib/systemd/system/ssh.service",
		  "[Unit]\nWants=wanted.service\nAfter=after.service\n[Service]\nExecStart=/usr/sbin/sshd -D\n");
}

/* The sentence, "" when sshd can do without it, the message with "! " before it. */
static const char *why(const char *name)
{
	static char text[4096];
	_cleanup_config_augeas_ struct config_augeas *augeas = NULL;
	_cleanup_free_ char *ret = NULL;
	struct error err = ERROR_INIT;

	box_ok(config_augeas_new(lens_dir(), &augeas, &err));
	if (boot_service_carries_sshd(&box()->host, augeas, &tree, name, &ret, &err) < 0)
		snprintf(text, sizeof(text), "! %s", err.message);
	else
		snprintf(text, sizeof(text), "%s", ret != NULL ? ret : "");
	return text;
}

Test(service_boot_needs, names_sshd_itself_on_every_host)
{
	static const char *const names[] = { "ssh", "sshd", "ssh.socket", "sshd.socket", "sshd@" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		cr_expect(not(zero(ptr, strstr(why(names[i]), "is sshd itself"))), "%s", names[i]);
	box_str(why("sshguard"), "");
	put_scripts();
	script("openssh", NEEDS("sshd", ""));
	box_str(why("openssh"), "openssh provides sshd");
}

Test(service_boot_needs, follows_the_headers_and_insserv_conf_to_sshd)
{
	static const struct {
		const char *name;
		const char *why;
	} rows[] = {
		{ "rsyslog", "sshd needs $syslog, which rsyslog provides" },
		{ "umountfs", "sshd needs $remote_fs, which needs $local_fs, which umountfs provides" },
		{ "mountall.sh",
		  "sshd needs $remote_fs, which needs $local_fs, which mountall.sh provides" },
		{ "checkroot",
		  "sshd needs $remote_fs, which needs $local_fs, which mountall.sh provides; "
		  "that needs checkfs, which checkfs.sh provides; that needs checkroot" },
		/* Required-Stop, Should-Start, nothing, what a script without an end says, not there */
		{ "networking", "" },
		{ "bind9", "" },
		{ "cron", "" },
		{ "apache2", "" },
		{ "syslog-ng", "" },
	};

	put_scripts();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		box_str(why(rows[i].name), rows[i].why, "%s", rows[i].name);
}

Test(service_boot_needs, takes_a_script_by_its_name_when_it_provides_nothing)
{
	put_scripts();
	script("plain", "#! /bin/sh\n");
	script("ssh", NEEDS("ssh", "plain"));
	box_str(why("plain"), "sshd needs plain");
}

Test(service_boot_needs, ends_where_scripts_need_each_other)
{
	put_scripts();
	script("a", NEEDS("a", "b"));
	script("b", NEEDS("b", "a"));
	box_write("/etc/insserv.conf", "$x $y\n$y $x +a\n");
	box_str(why("a"), "");
}

Test(service_boot_needs, reads_conf_d_and_overrides)
{
	put_scripts();
	box_mkdir("/etc/insserv.conf.d", 0755);
	box_mkdir("/etc/insserv.conf.d/a-folder", 0755);
	box_write("/etc/insserv.conf.d/mine", "$syslog = cron\n");
	box_str(why("cron"), "sshd needs $syslog, which cron provides");
	box_mkdir("/etc/insserv", 0755);
	box_mkdir("/etc/insserv/overrides", 0755);
	box_write("/etc/insserv/overrides/ssh", NEEDS("ssh", "networking"));
	box_str(why("rsyslog"), "");
	box_str(why("networking"), "sshd needs networking");
}

Test(service_boot_needs, does_without_insserv_conf)
{
	put_scripts();
	cr_assert(eq(int, unlink(box_path("/etc/insserv.conf")), 0));
	box_str(why("rsyslog"), "");
}

Test(service_boot_needs, refuses_a_service_whose_header_cannot_be_read)
{
	put_scripts();
	box_str(why("broken"),
		"! /etc/init.d/broken: the INIT INFO that begins at line 1 does not end");
}

Test(service_boot_needs, names_the_inetd_that_starts_sshd)
{
	box_mkdir("/etc", 0755);
	box_write("/etc/inetd.conf",
		  "#ssh stream tcp nowait root /usr/sbin/sshd sshd -i\n"
		  "ftp stream tcp nowait root /usr/sbin/ftpd ftpd\n");
	box_str(why("openbsd-inetd"), "");
	box_write("/etc/inetd.conf",
		  "ftp stream tcp nowait root /usr/sbin/ftpd ftpd\n"
		  "ssh\tstream tcp nowait root /usr/sbin/tcpd /usr/sbin/sshd -i\n");
	box_str(why("openbsd-inetd"), "openbsd-inetd starts sshd (/etc/inetd.conf line 2)");
	box_write("/etc/inetd.conf", "ssh stream tcp nowait root /usr/sbin/sshd -i\n");
	box_str(why("inetd"), "inetd starts sshd (/etc/inetd.conf line 1)");
	box_str(why("cron"), "");
}

Test(service_boot_needs, asks_the_units_alone_under_systemd)
{
	put_scripts();
	put_systemd();
	box_str(why("rsyslog"), "");
	box_str(why("wanted"), "");
	box_str(why("after"), "");
}

Test(service_boot_needs, follows_what_units_require)
{
	put_systemd();
	unit("ssh.service.d/vpn.conf", "[Unit]\nRequires = a.service \\\n  vpn.service\n");
	box_write("/lib/systemd/system/vpn.service", "[Unit]\nBindsTo=tun.service tap.service\r\n");
	unit("tap.service", "[Unit]\nRequisite=c.socket\nRequires=ssh.service\n");
	link("ssh.service.requires/keys.service", "/lib/systemd/system/keys.service");
	link("openvpn.service", "/lib/systemd/system/vpn.service");
	link("admin.service", "/lib/systemd/system/ssh.service");
	link("tun.service", "/dev/null");
	unit("ssh.service.d/dns.conf", "Requires=dns.service ntp.service\n");
	link("dns.service", "named.service");
	unit("named.service", "");
	cr_assert(eq(int, symlink("chrony.service", box_path("/lib/systemd/system/ntp.service")), 0));
	box_write("/lib/systemd/system/chrony.service", "");
	box_str(why("a"), "ssh.service needs a.service");
	box_str(why("named"), "ssh.service needs dns.service, which needs named.service");
	box_str(why("chrony"), "ssh.service needs ntp.service, which needs chrony.service");
	box_str(why("ntp"), "ssh.service needs ntp.service");
	box_str(why("vpn"), "ssh.service needs vpn.service");
	box_str(why("openvpn"), "ssh.service needs vpn.service");
	box_str(why("tap"), "ssh.service needs vpn.service, which needs tap.service");
	box_str(why("c.socket"),
		"ssh.service needs vpn.service, which needs tap.service, which needs c.socket");
	box_str(why("keys"), "ssh.service needs keys.service");
	box_str(why("admin"), "admin.service is another name of ssh.service, which is sshd itself");
	box_str(why("c"), "");
	box_str(why("b"), "");
}

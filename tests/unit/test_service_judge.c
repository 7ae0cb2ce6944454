/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_service_fixture.h"

#include <dirent.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/file.h"
#include "service/sshd_judge.h"

TestSuite(service_judge, .init = fixture_enter, .fini = fixture_leave, .timeout = 30);

static const char base[] = "Port 2222\nListenAddress 127.0.0.1\nPermitRootLogin no\n";
static const char open_up[] = "Port 2222\nListenAddress 127.0.0.1\nPermitRootLogin yes\n";

static struct sshd_answers judge_as(const struct sshd_daemon *daemon, const struct host_view *view,
				    size_t n, const struct sshd_connection *c)
{
	struct sshd_answers answers = SSHD_ANSWERS_INIT;
	struct error err = ERROR_INIT;

	assert_ok(sshd_judge(fixture_host(), daemon, CONFIG, view, n, c, &answers, &err));
	return answers;
}

static struct sshd_answers judge(const struct host_view *view, size_t n)
{
	struct sshd_connection c;

	sshd_connection_default(NULL, 2222, &c);
	return judge_as(NULL, view, n, &c);
}

static void expect_permit(const struct sshd_answers *answers, const char *value)
{
	const char *is = sshd_answers_get(answers, "permitrootlogin");

	cr_assert(answers->valid, "%s",
		  answers->complaints.len > 0 ? answers->complaints.items[0] : "");
	cr_assert(is != NULL);
	expect_str(is, value);
}

/* What a container without CAP_SYS_ADMIN is like: no mount namespace is to be had. Nothing that
 * is executed later gets it back. */
static void lose_namespaces(void)
{
	cr_assert(eq(int, prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0), 0));
	cr_assert(eq(int, prctl(PR_SET_SECUREBITS, 0, 0, 0, 0), 0));
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	extern int capget(struct __user_cap_header_struct *, struct __user_cap_data_struct *);
	extern int capset(struct __user_cap_header_struct *,
			  const struct __user_cap_data_struct *);
	cr_assert(eq(int, capget(&head, data), 0));
	data[0].effective &= ~(1u << CAP_SYS_ADMIN);
	data[0].permitted &= ~(1u << CAP_SYS_ADMIN);
	data[0].inheritable &= ~(1u << CAP_SYS_ADMIN);
	cr_assert(eq(int, capset(&head, data), 0));
}

static size_t count_copies(void)
{
	struct strings names = STRINGS_INIT;
	size_t n = 0;

	cr_assert(eq(int, host_dir_list(fixture_host(), "/run/rootlatch", &names, NULL), 0));
	for (size_t i = 0; i < names.len; i++)
		n += strncmp(names.items[i], "judge.", 6) == 0;
	strings_release(&names);
	return n;
}

Test(service_judge, answers_for_the_file_as_it_stands)
{
	struct sshd_answers answers;

	fixture_write(CONFIG, base);
	answers = judge(NULL, 0);
	expect_permit(&answers, "no");
	expect_str(sshd_answers_get(&answers, "Port"), "2222");
	cr_expect(sshd_answers_get(&answers, "nosuchkeyword") == NULL);
	sshd_answers_release(&answers);
}

Test(service_judge, answers_for_a_candidate_that_is_not_on_the_disk)
{
	struct host_view view = { CONFIG, { open_up, sizeof(open_up) - 1 }, false };
	struct host_file file = HOST_FILE_INIT;
	struct error err = ERROR_INIT;
	struct sshd_answers answers;

	fixture_write(CONFIG, base);
	answers = judge(&view, 1);
	expect_permit(&answers, "yes");
	sshd_answers_release(&answers);
	assert_ok(host_file_read(fixture_host(), CONFIG, HOST_READ_ANY, &file, &err));
	expect_str(file.bytes.data, base);
	host_file_release(&file);
}

#define VIEW(path_, text) { .path = (path_), .bytes = { .data = (text), .len = strlen(text) } }

/* ---- files that are not there, and files as if they were gone */

#define YES "PermitRootLogin yes\n"
#define OURS "/run/rootlatch/sshd/x.conf"

struct planned {
	const char *config; /* on the disk */
	struct host_view views[3];
	size_t n_views;
	const char *permit;
	const char *max_sessions; /* NULL: the default */
};

static const struct planned planned[] = {
	{ "PermitRootLogin no\n", { VIEW(OURS, YES) }, 1, "no", NULL },
	{ "Include " OURS "\nPermitRootLogin no\n", { VIEW(OURS, YES) }, 1, "yes", NULL },
	{ "Include /run/rootlatch/*/[xyz].co?f\nPermitRootLogin no\n", { VIEW(OURS, YES) }, 1, "yes",
	  NULL },
	{ "Include *.new\nPermitRootLogin no\n", { VIEW("/etc/ssh/a.new", YES) }, 1, "yes", NULL },
	{ "Include *.new\nPermitRootLogin no\n", { VIEW("/etc/ssh/.a.new", YES) }, 1, "no", NULL },
	{ "Include new.d/*.conf\nPermitRootLogin no\n",
	  { VIEW("/etc/ssh/new.d/b.conf", "PermitRootLogin no\n"),
	    VIEW("/etc/ssh/new.d/a.conf", YES) }, 2, "yes", NULL },
	/* beside one that is there, before and behind it */
	{ "Include old.d/*.conf\n",
	  { VIEW("/etc/ssh/old.d/z.conf", "MaxSessions 3\n"), VIEW("/etc/ssh/old.d/0.conf", YES) }, 2,
	  "yes", "4" },
	/* from the view of the main file, and from one that is new itself */
	{ "PermitRootLogin no\n",
	  { VIEW(CONFIG, "Include " OURS "\nPermitRootLogin no\n"), VIEW(OURS, YES) }, 2, "yes",
	  NULL },
	{ "Include new.d/*\nPermitRootLogin no\n",
	  { VIEW("/etc/ssh/new.d/00.conf", "MaxSessions 5\nInclude /run/rootlatch/sshd/*.conf\n"),
	    VIEW(OURS, YES) }, 2, "yes", "5" },
	/* gone */
	{ "Include old.d/*.conf\n", { VIEW("/etc/ssh/old.d/m.conf", "") }, 1, "without-password",
	  NULL },
	{ "Include old.d/m.conf\n", { { "/etc/ssh/old.d/m.conf", { NULL, 0 }, false } }, 1,
	  "without-password", NULL },
	{ "Include old.d/m.conf\n", { VIEW("/etc/ssh/old.d/m.conf", ""), VIEW(OURS, "") }, 2,
	  "without-password", NULL },
};

static void expect_planned(const struct planned *p)
{
	const char *sessions = p->max_sessions != NULL ? p->max_sessions : "10";
	struct sshd_answers answers;

	fixture_write(CONFIG, p->config);
	answers = judge(p->views, p->n_views);
	cr_assert(answers.valid, "%s: %s", p->config,
		  answers.complaints.len > 0 ? answers.complaints.items[0] : "");
	expect_str(sshd_answers_get(&answers, "permitrootlogin"), p->permit, "%s", p->config);
	expect_str(sshd_answers_get(&answers, "maxsessions"), sessions, "%s", p->config);
	cr_expect(ne(int, access("/run/rootlatch/sshd", F_OK), 0));
	cr_expect(ne(int, access("/etc/ssh/new.d", F_OK), 0));
	sshd_answers_release(&answers);
}

Test(service_judge, judges_files_that_are_not_there_and_files_as_if_gone)
{
	cr_assert(eq(int, mkdir("/etc/ssh/old.d", 0755), 0));
	fixture_write("/etc/ssh/old.d/m.conf", "PermitRootLogin no\nMaxSessions 4\n");
	for (size_t i = 0; i < ARRAY_SIZE(planned); i++)
		expect_planned(&planned[i]);
	cr_expect(ne(int, access("/run/rootlatch", F_OK), 0));
	/* the folder that sshd wants is shown in the same copy of /run */
	cr_assert(eq(int, rmdir("/run/sshd"), 0));
	for (size_t i = 0; i < ARRAY_SIZE(planned); i++)
		expect_planned(&planned[i]);
	cr_expect(ne(int, access("/run/sshd", F_OK), 0));
}

Test(service_judge, judges_two_at_the_same_time)
{
	struct host_view view = { CONFIG, { open_up, sizeof(open_up) - 1 }, false };
	struct sshd_answers before = SSHD_ANSWERS_INIT, after = SSHD_ANSWERS_INIT;
	static const char *const except[] = { "permitrootlogin", NULL };
	struct strings differences = STRINGS_INIT;
	struct sshd_judge *one, *two;
	struct error err = ERROR_INIT;
	struct sshd_connection c;

	fixture_write(CONFIG, base);
	sshd_connection_default(NULL, 0, &c);
	assert_ok(sshd_judge_start(fixture_host(), NULL, CONFIG, NULL, 0, &c, &one, &err));
	assert_ok(sshd_judge_start(fixture_host(), NULL, CONFIG, &view, 1, &c, &two, &err));
	assert_ok(sshd_judge_finish(&two, &after, &err));
	assert_ok(sshd_judge_finish(&one, &before, &err));
	cr_expect(one == NULL);
	assert_ok(sshd_answers_differ(&before, &after, except, &differences, &err));
	cr_expect(eq(sz, differences.len, 0));
	assert_ok(sshd_answers_differ(&before, &after, NULL, &differences, &err));
	cr_assert(eq(sz, differences.len, 1));
	expect_str(differences.items[0], "permitrootlogin: no -> yes");
	strings_release(&differences);
	sshd_answers_release(&before);
	sshd_answers_release(&after);
}

Test(service_judge, gives_the_reasons_of_a_refusal)
{
	struct error err = ERROR_INIT;
	struct sshd_answers answers;

	fixture_write(CONFIG, "Port 2222\nProt 3\nPermitRootLogin maybe\n");
	answers = judge(NULL, 0);
	cr_expect(not(answers.valid));
	cr_assert(eq(sz, answers.complaints.len, 2));
	expect_str(answers.complaints.items[0],
		   CONFIG " line 2: Bad configuration option: Prot");
	expect_str(answers.complaints.items[1], CONFIG " line 3: unsupported option \"maybe\".");
	cr_expect(eq(int, sshd_judge_require_valid(&answers, "sshd does not accept it", &err), -1));
	cr_expect(eq(int, err.code, ERROR_REFUSED));
	assert_contains(err.hint, "line 2: Bad configuration option: Prot");
	sshd_answers_release(&answers);
}

Test(service_judge, answers_for_one_connection)
{
	struct sshd_connection c;
	struct sshd_answers answers;

	fixture_write(CONFIG, "PermitRootLogin no\nMatch Address 10.0.0.0/8\nPermitRootLogin yes\n"
			      "Match LocalPort 2200\nPermitRootLogin forced-commands-only\n"
			      "Match LocalAddress 10.1.1.1\nPermitRootLogin prohibit-password\n");
	sshd_connection_default(NULL, 0, &c);
	answers = judge_as(NULL, NULL, 0, &c);
	expect_permit(&answers, "no");
	sshd_answers_release(&answers);
	c.addr = "10.9.9.9";
	answers = judge_as(NULL, NULL, 0, &c);
	expect_permit(&answers, "yes");
	sshd_answers_release(&answers);
	sshd_connection_default(NULL, 2200, &c);
	answers = judge_as(NULL, NULL, 0, &c);
	expect_permit(&answers, "forced-commands-only");
	sshd_answers_release(&answers);
	sshd_connection_default(NULL, 0, &c);
	c.laddr = "10.1.1.1";
	answers = judge_as(NULL, NULL, 0, &c);
	expect_permit(&answers, "without-password");
	sshd_answers_release(&answers);
}

/* A listener of the tests' own, which is not there. */
static void add_socket(struct sshd_daemon *d, int family, const char *address, uint16_t port)
{
	struct host_socket one = { .family = family, .port = port };
	struct error err = ERROR_INIT;

	(void)strcpy(one.address, address);
	assert_ok(host_sockets_add(&d->sockets, &one, &err));
}

static void expect_from(const struct sshd_daemon *d, const char *addr, const char *laddr,
			uint16_t lport)
{
	struct sshd_connection c;

	sshd_connection_from(d, addr, &c);
	expect_str(c.user, "root");
	expect_str(c.addr, addr);
	expect_str(c.host, addr);
	expect_str(c.laddr, laddr, "from %s", addr);
	cr_expect(eq(int, c.lport, lport), "from %s", addr);
}

Test(service_judge, asks_for_a_source_at_the_socket_of_its_family)
{
	struct sshd_daemon d = SSHD_DAEMON_INIT;

	expect_from(NULL, "192.0.2.1", SSHD_LADDR_ELSEWHERE, 22);
	expect_from(NULL, "2001:db8::1", SSHD_LADDR_ELSEWHERE, 22);
	add_socket(&d, AF_INET, "0.0.0.0", 2201);
	expect_from(&d, "192.0.2.1", SSHD_LADDR_ELSEWHERE, 2201);
	expect_from(&d, "2001:db8::1", SSHD_LADDR_ELSEWHERE, 2201);
	add_socket(&d, AF_INET6, "::", 2202);
	add_socket(&d, AF_INET6, "::1", 2203);
	expect_from(&d, "192.0.2.1", SSHD_LADDR_ELSEWHERE, 2201);
	expect_from(&d, "2001:db8::1", SSHD_LADDR_ELSEWHERE_6, 2202);
	host_sockets_release(&d.sockets);
	d.sockets = (struct host_sockets)HOST_SOCKETS_INIT;
	add_socket(&d, AF_INET6, "::1", 2203);
	expect_from(&d, "192.0.2.1", "::1", 2203);
	add_socket(&d, AF_INET, "127.0.0.1", 2204);
	expect_from(&d, "192.0.2.1", "127.0.0.1", 2204);
	expect_from(&d, "2001:db8::1", "::1", 2203);
	host_sockets_release(&d.sockets);
}

Test(service_judge, answers_for_a_source)
{
	static const struct {
		const char *addr, *permit;
	} rows[] = {
		{ "192.0.2.1", "yes" }, { "192.0.3.1", "no" },
		{ "2001:db8:1::7", "forced-commands-only" }, { "2001:db8:2::7", "no" }, { "2001:db9::1", "without-password" },
	};

	fixture_write(CONFIG, "PermitRootLogin no\nMatch Address 192.0.2.0/24\nPermitRootLogin yes\n"
			      "Match Address 2001:db8:1::/48\nPermitRootLogin forced-commands-only\n"
			      "Match Host 2001:db9::1\nPermitRootLogin prohibit-password\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sshd_connection c;
		struct sshd_answers answers;

		sshd_connection_from(NULL, rows[i].addr, &c);
		answers = judge_as(NULL, NULL, 0, &c);
		expect_permit(&answers, rows[i].permit);
		sshd_answers_release(&answers);
	}
}

/* ---- Include */

static bool knows_include(const struct sshd_daemon *daemon)
{
	struct error err = ERROR_INIT;
	bool knows = false;

	assert_ok(sshd_judge_knows_include(fixture_host(), daemon, CONFIG, &knows, &err));
	return knows;
}

/* An sshd that says this of a file with one Include, and something else of any other. */
static bool knows_include_who_says(const char *words)
{
	struct sshd_daemon d = SSHD_DAEMON_INIT;
	char script[512];

	d.binary = (char *)"/run/old-sshd";
	(void)snprintf(script, sizeof(script), "#!/bin/sh\nwhile [ \"$1\" != -f ]; do shift; done\n"
		       "[ \"$(sed 's:/judge[^/]*::' \"$2\")\" = 'Include /run/rootlatch/none' ] || "
		       "exit 1\n"
		       "printf '%s\\r\\n' >&2\n"
		       "echo '/etc/ssh/sshd_config: terminating, 1 bad configuration options' >&2\n"
		       "exit 255\n", words);
	fixture_write(d.binary, script);
	cr_assert(eq(int, chmod(d.binary, 0755), 0));
	return knows_include(&d);
}

Test(service_judge, tells_whether_an_sshd_knows_include)
{
	/* whatever is in the file, and in a file that it includes */
	fixture_write(CONFIG, "Broken\nInclude /etc/ssh/broken\n");
	fixture_write("/etc/ssh/broken", "Broken too\n");
	cr_expect(knows_include(NULL));
	cr_expect(not(knows_include_who_says(CONFIG ": line 1: Bad configuration option: Include")));
	cr_expect(not(knows_include_who_says(CONFIG ": line 1: bad Configuration Option: include")));
	cr_expect(knows_include_who_says(CONFIG ": line 1: Bad configuration option: Includes"));
	cr_assert(eq(int, system("rm /etc/ssh/ssh_host*"), 0));
	cr_expect(knows_include(NULL));
	lose_namespaces();
	cr_expect(knows_include(NULL));
	cr_expect(not(knows_include_who_says("/run/rootlatch/judge.1/0: line 1: Bad configuration "
					     "option: Include")));
}

Test(service_judge, asks_with_the_options_of_the_listener)
{
	static const char *const argv[] = { "/usr/sbin/sshd", "-D", "-o", "PermitRootLogin yes",
					    "-p", "2229", NULL };
	struct sshd_daemons found = SSHD_DAEMONS_INIT;
	struct error err = ERROR_INIT;
	struct sshd_answers answers;
	struct sshd_connection c;

	fixture_write(CONFIG, "PermitRootLogin no\nListenAddress 127.0.0.1\n");
	(void)fixture_start(SSHD_PID_FILE_DEFAULT, argv);
	assert_ok(sshd_find(fixture_host(), CONFIG, &found, &err));
	cr_assert(eq(sz, found.len, 1));
	sshd_connection_default(&found.items[0], 0, &c);
	cr_expect(eq(int, c.lport, 2229));
	expect_str(c.laddr, "127.0.0.1");
	answers = judge_as(&found.items[0], NULL, 0, &c);
	expect_permit(&answers, "yes");
	expect_str(sshd_answers_get(&answers, "port"), "2229");
	sshd_answers_release(&answers);
	sshd_daemons_release(&found);
}

/* Whether a daemon that is so managed has to have its /run/sshd, running and ended. */
static const struct {
	enum sshd_manager manager;
	bool running, ended;
} needing[] = {
	{ SSHD_BARE, true, true },
	{ SSHD_INIT, true, false },
	{ SSHD_SERVICE, true, false },
	{ SSHD_SOCKET, false, false },
};

static void expect_needing(const struct sshd_daemon *d, bool needs)
{
	struct sshd_answers answers;
	struct sshd_connection c;

	sshd_connection_default(NULL, 0, &c);
	answers = judge_as(d, NULL, 0, &c);
	cr_expect(answers.valid != needs, "%s", d != NULL ? sshd_manager_name(d->manager) : "none");
	if (needs && answers.complaints.len > 0)
		assert_contains(answers.complaints.items[0],
				"Missing privilege separation directory: /run/sshd");
	sshd_answers_release(&answers);
	cr_expect(eq(int, access("/run/sshd", F_OK), -1));
}

Test(service_judge, provides_run_sshd_only_where_no_daemon_needs_it)
{
	struct sshd_daemons found = SSHD_DAEMONS_INIT;
	struct error err = ERROR_INIT;

	fixture_write(CONFIG, base);
	(void)fixture_start_default();
	assert_ok(sshd_find(fixture_host(), CONFIG, &found, &err));
	cr_assert(eq(int, rmdir("/run/sshd"), 0));
	expect_needing(NULL, false);
	for (size_t i = 0; i < ARRAY_SIZE(needing); i++) {
		struct sshd_daemon *d = &found.items[0];

		d->manager = needing[i].manager;
		expect_needing(d, needing[i].running);
		d->process.start_ticks++; /* the pid is another's now */
		expect_needing(d, needing[i].ended);
		d->process.start_ticks--;
	}
	sshd_daemons_release(&found);
}

Test(service_judge, refuses_a_connection_that_is_no_word)
{
	struct sshd_judge *j = NULL;
	struct error err = ERROR_INIT;
	struct sshd_connection c;

	sshd_connection_default(NULL, 0, &c);
	c.addr = "10.0.0.1,user=bob";
	cr_expect(eq(int, sshd_judge_start(fixture_host(), NULL, CONFIG, NULL, 0, &c, &j, &err), -1));
	cr_expect(eq(int, err.code, ERROR_USAGE));
	cr_expect(j == NULL);
}

/* ---- without namespaces */

static const char main_text[] = "  include\tb*.conf \"/etc/ssh/sub/[xy].conf\"   # two\r\n"
				"Port 2222\nPermitRootLogin no\nMatch User nobody\n"
				"Include none*.conf\n";

static void write_tree(void)
{
	cr_assert(eq(int, mkdir("/etc/ssh/sub", 0755), 0));
	fixture_write(CONFIG, main_text);
	fixture_write("/etc/ssh/b1.conf", "Include /etc/ssh/sub/deep.conf\n");
	fixture_write("/etc/ssh/sub/deep.conf", "MaxSessions 7\n");
	fixture_write("/etc/ssh/sub/x.conf", "MaxAuthTries 5\n");
	cr_assert(eq(int, symlink("sub/real", "/etc/ssh/b2.conf"), 0));
	fixture_write("/etc/ssh/sub/real", "LoginGraceTime 33\n");
}

Test(service_judge, gives_the_same_answers_without_namespaces)
{
	static const char deep[] = "MaxSessions 8\nPermitRootLogin yes\n";
	struct host_view view = { "/etc/ssh/sub/deep.conf", { deep, sizeof(deep) - 1 }, false };
	struct sshd_answers with, without;
	struct strings differences = STRINGS_INIT;
	struct error err = ERROR_INIT;

	write_tree();
	with = judge(&view, 1);
	lose_namespaces();
	without = judge(&view, 1);
	expect_permit(&with, "yes");
	expect_permit(&without, "yes");
	expect_str(sshd_answers_get(&without, "maxsessions"), "8");
	expect_str(sshd_answers_get(&without, "maxauthtries"), "5");
	expect_str(sshd_answers_get(&without, "logingracetime"), "33");
	assert_ok(sshd_answers_differ(&with, &without, NULL, &differences, &err));
	cr_expect(eq(sz, differences.len, 0), "%s", differences.len > 0 ? differences.items[0] : "");
	cr_expect(eq(sz, count_copies(), 0));
	sshd_answers_release(&with);
	sshd_answers_release(&without);
}

Test(service_judge, sees_a_new_file_without_namespaces)
{
	static const char text[] = "PermitRootLogin yes\n";
	struct host_view view = { "/etc/ssh/b0.conf", { text, sizeof(text) - 1 }, false };
	struct sshd_answers answers;

	write_tree();
	lose_namespaces();
	answers = judge(&view, 1);
	expect_permit(&answers, "yes");
	sshd_answers_release(&answers);
}

Test(service_judge, judges_what_is_not_there_without_namespaces_too)
{
	cr_assert(eq(int, mkdir("/etc/ssh/old.d", 0755), 0));
	fixture_write("/etc/ssh/old.d/m.conf", "PermitRootLogin no\nMaxSessions 4\n");
	lose_namespaces();
	for (size_t i = 0; i < ARRAY_SIZE(planned); i++)
		expect_planned(&planned[i]);
	cr_expect(eq(sz, count_copies(), 0));
}

Test(service_judge, names_the_real_files_without_namespaces)
{
	static const char deep[] = "MaxSessions 8\nProt 3\n";
	struct host_view view = { "/etc/ssh/sub/deep.conf", { deep, sizeof(deep) - 1 }, false };
	struct sshd_answers answers;

	write_tree();
	lose_namespaces();
	answers = judge(&view, 1);
	cr_expect(not(answers.valid));
	cr_assert(gt(sz, answers.complaints.len, 0));
	expect_str(answers.complaints.items[0],
		   "/etc/ssh/sub/deep.conf line 2: Bad configuration option: Prot");
	cr_expect(eq(sz, count_copies(), 0));
	sshd_answers_release(&answers);
}

Test(service_judge, sweeps_what_a_killed_one_left)
{
	struct error err = ERROR_INIT;

	assert_ok(host_dir_create(fixture_host(), "/run/rootlatch", true, &err));
	assert_ok(host_dir_create(fixture_host(), "/run/rootlatch/judge.abc", true, &err));
	fixture_write("/run/rootlatch/judge.abc/0", "x");
	fixture_write("/run/rootlatch/judge", "not ours");
	cr_expect(eq(sz, count_copies(), 1));
	assert_ok(sshd_judge_sweep(fixture_host(), &err));
	cr_expect(eq(sz, count_copies(), 0));
	cr_expect(eq(int, access("/run/rootlatch/judge", F_OK), 0));
}

/* ---- an image */

Test(service_judge, asks_the_sshd_of_an_image)
{
	static const char *const binds[] = { "usr", "lib", "lib64", "etc/passwd" };
	static const char text[] = "PermitRootLogin yes\n";
	struct host_view view = { CONFIG, { text, sizeof(text) - 1 }, false };
	struct sshd_answers answers = SSHD_ANSWERS_INIT;
	struct sshd_connection c;
	struct error err = ERROR_INIT;
	struct host h = HOST_INIT;

	cr_assert(eq(int, system("mkdir -p /run/image/usr /run/image/lib /run/image/lib64 "
				 "/run/image/etc/ssh /run/image/dev /run/image/run && "
				 ": >/run/image/etc/passwd"), 0));
	for (size_t i = 0; i < ARRAY_SIZE(binds); i++) {
		char from[64], to[64];

		(void)snprintf(from, sizeof(from), "/%s", binds[i]);
		(void)snprintf(to, sizeof(to), "/run/image/%s", binds[i]);
		cr_assert(eq(int, mount(from, to, "none", MS_BIND, NULL), 0));
	}
	cr_assert(eq(int, system("cp /etc/ssh/ssh_host* /run/image/etc/ssh/"), 0));
	fixture_write("/run/image/etc/ssh/sshd_config", "PermitRootLogin no\n");
	fixture_write(CONFIG, "Broken\n");
	assert_ok(host_init(&h, "/run/image", NULL, NULL, &err));
	sshd_connection_default(NULL, 0, &c);
	assert_ok(sshd_judge(&h, NULL, CONFIG, NULL, 0, &c, &answers, &err));
	expect_permit(&answers, "no");
	sshd_answers_release(&answers);
	assert_ok(sshd_judge(&h, NULL, CONFIG, &view, 1, &c, &answers, &err));
	expect_permit(&answers, "yes");
	sshd_answers_release(&answers);
	host_release(&h);
}

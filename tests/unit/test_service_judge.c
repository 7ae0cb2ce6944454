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
	struct host_view view = { CONFIG, { open_up, sizeof(open_up) - 1 } };
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

Test(service_judge, judges_two_at_the_same_time)
{
	struct host_view view = { CONFIG, { open_up, sizeof(open_up) - 1 } };
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

Test(service_judge, provides_run_sshd_only_where_no_daemon_needs_it)
{
	struct sshd_daemons found = SSHD_DAEMONS_INIT;
	struct error err = ERROR_INIT;
	struct sshd_answers answers;
	struct sshd_connection c;

	fixture_write(CONFIG, base);
	(void)fixture_start_default();
	assert_ok(sshd_find(fixture_host(), CONFIG, &found, &err));
	cr_assert(eq(int, rmdir("/run/sshd"), 0));
	sshd_connection_default(NULL, 0, &c);
	answers = judge_as(NULL, NULL, 0, &c);
	expect_permit(&answers, "no");
	sshd_answers_release(&answers);
	cr_expect(eq(int, access("/run/sshd", F_OK), -1));
	answers = judge_as(&found.items[0], NULL, 0, &c);
	cr_expect(not(answers.valid));
	cr_assert(eq(sz, answers.complaints.len, 1));
	assert_contains(answers.complaints.items[0],
			"Missing privilege separation directory: /run/sshd");
	sshd_answers_release(&answers);
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
	struct host_view view = { "/etc/ssh/sub/deep.conf", { deep, sizeof(deep) - 1 } };
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
	struct host_view view = { "/etc/ssh/b0.conf", { text, sizeof(text) - 1 } };
	struct sshd_answers answers;

	write_tree();
	lose_namespaces();
	answers = judge(&view, 1);
	expect_permit(&answers, "yes");
	sshd_answers_release(&answers);
}

Test(service_judge, names_the_real_files_without_namespaces)
{
	static const char deep[] = "MaxSessions 8\nProt 3\n";
	struct host_view view = { "/etc/ssh/sub/deep.conf", { deep, sizeof(deep) - 1 } };
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
	struct host_view view = { CONFIG, { text, sizeof(text) - 1 } };
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

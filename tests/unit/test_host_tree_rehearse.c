/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * In a /media of the test's own, for /run, where the box is, is hidden from the command.
 */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/tree.h"

static struct host live = HOST_INIT;
static struct strings folders = STRINGS_INIT;

static int shell(const char *script)
{
	return system(script);
}

static void enter(void)
{
	struct error err = ERROR_INIT;

	box_enter();
	if (!box()->is_private)
		cr_skip_test("no mount namespaces here");
	box_ok(host_init(&live, "/", NULL, NULL, &err));
	cr_assert(eq(int, mount("tmpfs", "/media", "tmpfs", 0, "mode=0755"), 0));
	cr_assert(eq(int, shell("cd /media && mkdir init.d rc2.d real && echo foo >init.d/foo && "
				"ln -s ../init.d/foo rc2.d/S01foo && ln -s /no/where rc2.d/K01bar && "
				"mkdir -m 2750 init.d/sub && echo x >init.d/sub/x && "
				"chown -h 12:13 rc2.d/K01bar init.d/sub/x && "
				"chmod 4711 init.d/sub/x && mkfifo init.d/fifo && "
				"ln init.d/foo real/foo && find . -exec touch -h -d @7.5 {} +"), 0));
	box_ok(strings_add(&folders, "/media/init.d", &err));
	box_ok(strings_add(&folders, "/media/init.d/sub", &err));
	box_ok(strings_add(&folders, "/media/none", &err));
	box_ok(strings_add(&folders, "/media/rc2.d", &err));
}

static void leave(void)
{
	strings_release(&folders);
	host_release(&live);
	box_leave();
}

TestSuite(host_tree_rehearse, .init = enter, .fini = leave, .timeout = 60);

/* All that can be seen of the real folders: names, types, modes, owners, times, texts. */
static char *look(void)
{
	static char text[65536];
	FILE *p = popen("cd /media && find . -printf '%p %y %m %U:%G %l %n %T@ %C@\\n' | sort && "
			"find . -type f -exec cat {} +", "r");
	size_t len;

	cr_assert(p != NULL);
	len = fread(text, 1, sizeof(text) - 1, p);
	text[len] = '\0';
	(void)pclose(p);
	return strdup(text);
}

static struct host_tree read_tree(const struct host *h)
{
	struct host_tree t = HOST_TREE_INIT;
	struct error err = ERROR_INIT;

	box_ok(host_tree_read(h, &folders, &t, &err));
	return t;
}

static bool is_entry_equal(const struct host_tree_entry *a, const struct host_tree_entry *b)
{
	return strcmp(a->path, b->path) == 0 && a->kind == b->kind && a->mode == b->mode &&
	       a->uid == b->uid && a->gid == b->gid && a->links == b->links &&
	       a->mtime_ns == b->mtime_ns && host_tree_same_bytes(a, b) &&
	       strcmp(a->target != NULL ? a->target : "", b->target != NULL ? b->target : "") == 0;
}

/* The paths of those that are not in both as they are. One of 4 in turn. */
static const char *differences(const struct host_tree *a, const struct host_tree *b)
{
	static struct buffer shown[4];
	static unsigned turn;
	struct buffer *text = &shown[turn++ % ARRAY_SIZE(shown)];

	text->len = 0;
	cr_assert(eq(int, buffer_append_str(text, "", NULL), 0));
	for (size_t i = 0; i < a->len; i++) {
		const struct host_tree_entry *other = host_tree_find(b, a->items[i].path);
		const char *mark = other == NULL ? "-" :
				   is_entry_equal(&a->items[i], other) ? NULL : "!";

		if (mark != NULL)
			cr_assert(eq(int, buffer_printf(text, NULL, "%s%s ", mark,
							a->items[i].path), 0));
	}
	for (size_t i = 0; i < b->len; i++)
		if (host_tree_find(a, b->items[i].path) == NULL)
			cr_assert(eq(int, buffer_printf(text, NULL, "+%s ", b->items[i].path), 0));
	return text->data;
}

/* /bin/sh -c SCRIPT. `ret_after` may be NULL. */
static struct host_outcome rehearse_in(const struct host *h, const struct host_tree *t,
				       const char *script, struct host_command cmd,
				       struct host_tree *ret_after)
{
	_cleanup_host_tree_ struct host_tree after = HOST_TREE_INIT;
	char *argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)script, NULL };
	struct host_outcome o = HOST_OUTCOME_INIT;
	struct error err = ERROR_INIT;

	cmd.argv = argv;
	box_ok(host_tree_rehearse(h, t, &folders, &cmd, &o, &after, &err));
	cr_assert(not(o.no_namespaces));
	if (ret_after != NULL) {
		*ret_after = after;
		after = (struct host_tree)HOST_TREE_INIT;
	}
	return o;
}

#define PLAIN ((struct host_command){ .timeout_ms = 20000 })

Test(host_tree_rehearse, shows_what_a_command_would_do_and_does_nothing)
{
	_cleanup_free_ char *before = look(), *later = NULL;
	_cleanup_host_tree_ struct host_tree t = read_tree(&live), after = HOST_TREE_INIT;
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
	const struct host_tree_entry *e;

	o = rehearse_in(&live, &t, "cd /media && cat init.d/foo && mv rc2.d/S01foo rc2.d/K05foo && "
			"rm rc2.d/K01bar && echo new >init.d/new && chmod 600 init.d/sub/x && "
			"mkdir init.d/sub/more && exit 5", PLAIN, &after);
	box_str(o.out.data, "foo\n");
	box_str(o.err.data, "");
	cr_expect(eq(int, o.status, 5));
	box_str(differences(&t, &after), "!/media/init.d !/media/init.d/sub !/media/init.d/sub/x "
		"!/media/rc2.d -/media/rc2.d/K01bar -/media/rc2.d/S01foo +/media/init.d/new "
		"+/media/init.d/sub/more +/media/rc2.d/K05foo ");
	e = host_tree_find(&after, "/media/rc2.d/K05foo");
	cr_assert(e != NULL);
	box_str(e->target, "../init.d/foo");
	cr_expect(eq(i64, e->mtime_ns, 7500000000));
	e = host_tree_find(&after, "/media/init.d/sub/x");
	cr_expect(eq(uint, e->mode, 0600));
	cr_expect(eq(i64, e->mtime_ns, 7500000000));
	box_str(host_tree_find(&after, "/media/init.d/new")->bytes.data, "new\n");
	later = look();
	box_str(later, before);
}

Test(host_tree_rehearse, leaves_what_is_not_touched_as_it_was)
{
	_cleanup_host_tree_ struct host_tree t = read_tree(&live), after = HOST_TREE_INIT;
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;

	o = rehearse_in(&live, &t, "cd /media && stat -c '%n %a %u:%g %y' init.d init.d/sub/x", PLAIN,
			&after);
	box_str(differences(&t, &after), "");
	cr_expect(strstr(o.out.data, "init.d/sub/x 4711 12:13 1970-01-01 00:00:07.5") != NULL, "%s",
		  o.out.data);
}

/* Not what is there, what the tree says. */
Test(host_tree_rehearse, begins_with_the_tree_that_it_is_given)
{
	_cleanup_host_tree_ struct host_tree t = read_tree(&live), after = HOST_TREE_INIT;
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
	struct error err = ERROR_INIT;

	host_tree_remove(&t, "/media/init.d/sub");
	host_tree_remove(&t, "/media/init.d/fifo");
	box_ok(host_tree_put_link(&t, "/media/rc2.d/S77foo", "../init.d/foo", &err));
	o = rehearse_in(&live, &t, "cd /media && ls init.d rc2.d", PLAIN, &after);
	box_str(o.out.data, "init.d:\nfoo\n\nrc2.d:\nK01bar\nS01foo\nS77foo\n");
	box_str(differences(&t, &after), "");
	host_outcome_release(&o);
	host_tree_release(&after);
	/* a folder without an entry is the real one, and not in the answer */
	host_tree_remove(&t, "/media/rc2.d");
	o = rehearse_in(&live, &t, "cd /media && ls rc2.d; rm rc2.d/*", PLAIN, &after);
	box_str(o.out.data, "K01bar\nS01foo\n");
	cr_expect(strstr(o.err.data, "Read-only file system") != NULL, "%s", o.err.data);
	box_str(differences(&t, &after), "");
}

Test(host_tree_rehearse, hides_run_and_lets_nothing_else_be_written)
{
	_cleanup_host_tree_ struct host_tree t = read_tree(&live);
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;

	o = rehearse_in(&live, &t, "ls -A /run; echo x >/run/x && cat /run/x; for f in /media/real/foo "
			"/media/new /run/box/new /tmp/rootlatch-new /etc/rootlatch-new; do "
			"echo x 2>/dev/null >$f && echo wrote $f; done; echo x >/dev/null; "
			"echo $SYSTEMD_OFFLINE", PLAIN, NULL);
	box_str(o.out.data, "x\n1\n");
	box_str(box_names(""), "");
	cr_expect(eq(int, access("/run/x", F_OK), -1));
}

Test(host_tree_rehearse, adds_to_the_environment)
{
	_cleanup_host_tree_ struct host_tree t = read_tree(&live);
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
	char *env[] = { (char *)"A=1", (char *)"B=two words", NULL };

	o = rehearse_in(&live, &t, "env | grep -v '^PWD\\|^SHLVL\\|^_' | sort",
			(struct host_command){ .env = env }, NULL);
	box_str(o.out.data, "A=1\nB=two words\nHOME=/root\nLC_ALL=C\n"
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin\nSYSTEMD_OFFLINE=1\n");
}

static bool runs(const char *marker)
{
	char script[128];

	(void)snprintf(script, sizeof(script), "pgrep -f '^sleep %s$' >/dev/null", marker);
	return shell(script) == 0;
}

Test(host_tree_rehearse, does_not_wait_for_what_is_left_running, .timeout = 20)
{
	_cleanup_host_tree_ struct host_tree t = read_tree(&live), after = HOST_TREE_INIT;
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
	_cleanup_free_ char *before = look(), *later = NULL;
	int64_t start = clock_boottime_ns();

	/* one in its group, and one that left it; both hold the outputs, and one goes on to write */
	o = rehearse_in(&live, &t, "sleep 31.7 & setsid sh -c 'for i in 1 2 3 4 5; do "
			"echo x >/media/init.d/late; echo x >/media/real/late; sleep 0.2; done' & "
			"echo out; exit 3", PLAIN, &after);
	cr_expect(lt(i64, clock_boottime_ns() - start, 5000000000));
	cr_expect(eq(int, o.status, 3));
	cr_expect(not(o.timed_out));
	box_str(o.out.data, "out\n");
	cr_expect(not(runs("31.7")));
	cr_expect(host_tree_find(&after, "/media/rc2.d/S01foo") != NULL);
	clock_sleep_ms(1500);
	later = look();
	box_str(later, before);
}

Test(host_tree_rehearse, is_killed_with_its_group_when_it_takes_too_long, .timeout = 20)
{
	_cleanup_host_tree_ struct host_tree t = read_tree(&live), after = HOST_TREE_INIT;
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;

	o = rehearse_in(&live, &t, "rm /media/init.d/foo; echo begun; sleep 31.8; echo done",
			(struct host_command){ .timeout_ms = 500 }, &after);
	cr_expect(o.timed_out);
	cr_expect(o.killed);
	cr_expect(eq(int, o.status, 128 + SIGKILL));
	box_str(o.out.data, "begun\n");
	cr_expect(not(runs("31.8")));
	box_str(differences(&t, &after), "!/media/init.d -/media/init.d/foo ");
}

Test(host_tree_rehearse, says_that_the_command_was_killed)
{
	_cleanup_host_tree_ struct host_tree t = read_tree(&live);
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;

	o = rehearse_in(&live, &t, "kill -KILL $$", PLAIN, NULL);
	cr_expect(o.killed);
	cr_expect(not(o.timed_out));
}

Test(host_tree_rehearse, takes_all_of_its_output)
{
	_cleanup_host_tree_ struct host_tree t = read_tree(&live);
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;

	o = rehearse_in(&live, &t, "head -c 1000000 /dev/zero >&2; head -c 3000000 /dev/zero", PLAIN,
			NULL);
	cr_expect(eq(sz, o.out.len, 3000000));
	cr_expect(eq(sz, o.err.len, 1000000));
}

/* At any moment: nothing of it is seen, and nothing stays. */
Test(host_tree_rehearse, leaves_nothing_when_we_are_killed)
{
	_cleanup_host_tree_ struct host_tree t = read_tree(&live);
	_cleanup_free_ char *before = look(), *later = NULL;

	for (unsigned i = 0; i < 40; i++) {
		pid_t pid = fork();

		cr_assert(ge(int, pid, 0));
		if (pid == 0) {
			(void)rehearse_in(&live, &t, "rm -r /media/init.d/*; echo >/media/rc2.d/x; "
					  "exec sleep 31.9", PLAIN, NULL);
			_exit(0);
		}
		(void)usleep(300 * i);
		(void)kill(pid, SIGKILL);
		cr_assert(eq(int, waitpid(pid, NULL, 0), pid));
	}
	for (unsigned i = 0; i < 100 && runs("31.9"); i++)
		clock_sleep_ms(20);
	cr_expect(not(runs("31.9")));
	cr_expect(eq(int, shell("test $(grep -c ' /media' /proc/self/mounts) = 1"), 0));
	later = look();
	box_str(later, before);
}

Test(host_tree_rehearse, works_where_a_folder_is_mounted_read_only)
{
	_cleanup_host_tree_ struct host_tree t = read_tree(&live), after = HOST_TREE_INIT;
	_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;

	cr_assert(eq(int, mount("/media/rc2.d", "/media/rc2.d", NULL, MS_BIND, NULL), 0));
	cr_assert(eq(int, mount(NULL, "/media/rc2.d", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL),
		     0));
	o = rehearse_in(&live, &t, "rm /media/rc2.d/S01foo", PLAIN, &after);
	box_str(o.err.data, "");
	box_str(differences(&t, &after), "!/media/rc2.d -/media/rc2.d/S01foo ");
	cr_expect(eq(int, shell("test -L /media/rc2.d/S01foo"), 0));
}

/* With the machine's own programs; without a /run unless it is made. */
static void make_image(void)
{
	cr_assert(eq(int, shell("cd /run/box && mkdir dev && for d in bin lib lib64 usr; do "
				"if [ -L /$d ]; then cp -P /$d .; elif [ -d /$d ]; then "
				"mkdir $d && mount --bind /$d $d; fi; done && cp -a /media ."), 0));
}

Test(host_tree_rehearse, works_in_an_image)
{
	const struct host *image = &box()->host;
	_cleanup_free_ char *before = look(), *later = NULL;

	make_image();
	for (unsigned with_run = 0; with_run < 2; with_run++) {
		_cleanup_host_tree_ struct host_tree t = read_tree(image), after = HOST_TREE_INIT;
		_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;

		if (with_run)
			cr_assert(eq(int, shell("mkdir -p /run/box/run/systemd/system"), 0));
		o = rehearse_in(image, &t, "cd /media && rm rc2.d/S01foo && echo / /r* && pwd && "
				"ls -A /run; echo x >/media/new", PLAIN, &after);
		box_str(o.out.data, with_run ? "/ /run\n/media\n" : "/ /r*\n/media\n");
		cr_expect(strstr(o.err.data, "Read-only file system") != NULL, "%s", o.err.data);
		box_str(differences(&t, &after), "!/media/rc2.d -/media/rc2.d/S01foo ");
		box_str(box_names("/media/rc2.d"), " K01bar S01foo");
		box_str(box_names("/media"), " init.d rc2.d real");
		box_str(box_names("/dev"), "");
	}
	later = look();
	box_str(later, before);
}

static void rehearse_as_nobody(void *ctx)
{
	struct host_tree t = read_tree(&live), after = HOST_TREE_INIT;
	char *argv[] = { (char *)"/bin/true", NULL };
	const struct host_command cmd = { .argv = argv };
	struct host_outcome o = HOST_OUTCOME_INIT;
	int r;

	if (setgid(65534) < 0 || setuid(65534) < 0)
		_exit(100);
	r = host_tree_rehearse(&live, &t, &folders, &cmd, &o, &after, NULL);
	_exit(r < 0 ? 101 : !o.no_namespaces ? 102 : after.len != 0 ? 103 : 0);
}

Test(host_tree_rehearse, says_that_there_are_no_namespaces)
{
	cr_expect(eq(int, box_fork(rehearse_as_nobody, NULL), 0));
}

Test(host_tree_rehearse, fails_when_the_command_is_not_there)
{
	_cleanup_host_tree_ struct host_tree t = read_tree(&live);
	char *argv[] = { (char *)"/no/such/program", NULL };
	const struct host_command cmd = { .argv = argv };
	struct host_outcome o = HOST_OUTCOME_INIT;
	struct host_tree after = HOST_TREE_INIT;
	struct error err = ERROR_INIT;

	box_fails(host_tree_rehearse(&live, &t, &folders, &cmd, &o, &after, &err), ERROR_FAILED,
		  "rehearsing /no/such/program: ");
	cr_expect(after.items == NULL);
}

/* The calls of the parent and of the child, each with its own count. */
Test(host_tree_rehearse, is_whole_or_an_error)
{
	const struct host *image = &box()->host;
	struct fault *f = &box()->fault;
	_cleanup_host_tree_ struct host_tree t = HOST_TREE_INIT;
	unsigned failed = 0, last = 0;

	make_image();
	cr_assert(eq(int, shell("mkdir /run/box/run && rm -r /run/box/media/init.d/sub"), 0));
	t = read_tree(image);
	for (unsigned n = 1; n < 30; n++) {
		_cleanup_host_outcome_ struct host_outcome o = HOST_OUTCOME_INIT;
		_cleanup_host_tree_ struct host_tree after = HOST_TREE_INIT;
		char *argv[] = { (char *)"/bin/rm", (char *)"/media/rc2.d/S01foo", NULL };
		const struct host_command cmd = { .argv = argv };
		struct error err = ERROR_INIT;
		int r;

		fault_arm(f, FAULT_ERROR, n, EIO);
		r = host_tree_rehearse(image, &t, &folders, &cmd, &o, &after, &err);
		(void)fault_disarm(f);
		failed += r < 0;
		last = r < 0 ? n : last;
		if (r == 0)
			box_str(differences(&t, &after), "!/media/rc2.d -/media/rc2.d/S01foo ",
				"call %u", n);
		else
			cr_expect(after.items == NULL, "call %u", n);
		box_str(box_names("/media/rc2.d"), " K01bar S01foo", "call %u", n);
	}
	cr_expect(ge(uint, failed, 8), "%u", failed);
	cr_expect(lt(uint, last, 29), "%u", last);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/process.h"
#include "store/snapshot.h"
#include "test_restore.h"

#define DIR "/lib"
#define ALL DIR "/snapshots"
#define ONE ALL "/0badcafe"

#define OLD "one\ntw\xf6\n"
#define NEW "one\nthree\n"

/* A name that every way of quoting wrongly would stumble over. */
#define HOSTILE "/etc/it's $(touch pwned) `touch pwned` \"q\" \\ ; # * -n"
#define HOSTILE_TWIN "/etc/.it's $(touch pwned) twin"

static struct store store = STORE_INIT;
static struct plan plan = PLAN_INIT;

static void add_step(const char *path, const char *temp)
{
	struct step s = {
		.path = strdup(path),
		.temp = strdup(temp),
		.before = digest_of(OLD, strlen(OLD)),
		.after = digest_of(NEW, strlen(NEW)),
		.before_bytes = slice_of(OLD, strlen(OLD)),
		.after_bytes = slice_of(NEW, strlen(NEW)),
		.meta = { .mode = 0640, .uid = 0, .gid = 12, .mtime_ns = 1234567890000000007 },
	};
	struct error err = ERROR_INIT;

	box_ok(plan_add(&plan, &s, &err));
}

static void enter(void)
{
	struct error err = ERROR_INIT;

	box_enter();
	box_mkdir("/etc", 0755);
	box_mkdir(DIR, 0700);
	box_ok(store_init(&store, &box()->host, DIR, &err));
	memcpy(plan.id, "0badcafe", 9);
}

static void leave(void)
{
	plan_release(&plan);
	store_release(&store);
	box_leave();
}

TestSuite(store_snapshot, .init = enter, .fini = leave, .timeout = 60);

static struct snapshot_info info(void)
{
	return (struct snapshot_info){
		.command = "open",
		.toggle = "root-login",
		.by = "alice",
		.reason = "move \xc3\xa4",
		.config = "/etc/ssh/sshd_config",
		.sshd = "/usr/sbin/sshd",
	};
}

static int create(struct error *err)
{
	const struct snapshot_info i = info();

	return snapshot_create(&store, &plan, &i, err);
}

Test(store_snapshot, holds_all_that_is_needed_to_put_it_back)
{
	_cleanup_json_ json_t *manifest = NULL;
	struct error err = ERROR_INIT;
	const json_t *file;
	struct stat st;

	add_step("/etc/a", "/etc/.a");
	add_step("/etc/b", "/etc/.b");
	box_ok(create(&err));
	cr_expect(snapshot_exists(&store, "0badcafe"));
	cr_expect(not(snapshot_exists(&store, "00000000")));
	box_str(box_names(ONE), " 0.before 0.middle 1.before 1.middle manifest.json restore.sh");
	cr_expect(eq(uint, box_mode(ONE), 0700));
	cr_expect(eq(uint, box_mode(ALL), 0700));
	cr_expect(eq(uint, box_mode(ONE "/0.before"), 0600));
	cr_expect(eq(uint, box_mode(ONE "/restore.sh"), 0600));
	cr_expect(eq(uint, box_mode(ONE "/manifest.json"), 0600));
	box_str(box_text(ONE "/1.before"), OLD);
	cr_assert(eq(int, stat(box_path(ONE "/0.before"), &st), 0));
	cr_expect(eq(i64, timespec_ns(st.st_mtim), 1234567890000000007));
	box_ok(snapshot_read(&store, "0badcafe", &manifest, &err));
	box_str(json_get_string(manifest, "id", ""), "0badcafe");
	box_str(json_get_string(manifest, "by", ""), "alice");
	box_str(json_get_string(manifest, "reason", ""), "move \xc3\xa4");
	cr_assert(eq(sz, json_array_size(json_object_get(manifest, "files")), 2));
	file = json_array_get(json_object_get(manifest, "files"), 1);
	box_str(json_get_string(file, "path", ""), "/etc/b");
	box_str(json_get_string(file, "twin", ""), "/etc/.b");
	box_str(json_get_string(file, "before", ""), digest_of(OLD, strlen(OLD)).hex);
	cr_expect(eq(i64, json_get_int(json_object_get(file, "meta"), "mode", 0), 0640));
	cr_expect(eq(i64, json_get_int(json_object_get(file, "meta"), "gid", 0), 12));
	{
		_cleanup_buffer_ struct buffer after = BUFFER_INIT;

		box_ok(snapshot_read_after(&store, "0badcafe", file, &after, &err));
		box_str(after.data, NEW);
	}
}

static void add_made(const char *path, const char *temp)
{
	struct step s = {
		.kind = STEP_CREATE,
		.path = strdup(path),
		.temp = strdup(temp),
		.after = digest_of(NEW, strlen(NEW)),
		.after_bytes = slice_of(NEW, strlen(NEW)),
		.meta = { .mode = 0600 },
	};
	struct error err = ERROR_INIT;

	box_ok(plan_add(&plan, &s, &err));
}

static void add_unlinked(const char *path, const char *temp, bool ready)
{
	struct step s = {
		.kind = STEP_UNLINK,
		.path = strdup(path),
		.temp = strdup(temp),
		.before = digest_of(OLD, strlen(OLD)),
		.before_bytes = slice_of(OLD, strlen(OLD)),
		.ready = ready,
		.meta = { .mode = 0644, .mtime_ns = 1234567890000000007 },
	};
	struct error err = ERROR_INIT;

	box_ok(plan_add(&plan, &s, &err));
}

/* Before all others, when they are there. */
static void prepend_start(void)
{
	struct step s = { .kind = STEP_START, .path = strdup("/run/watch") };
	struct error err = ERROR_INIT;

	box_ok(strings_add(&s.argv, "/bin/watch", &err));
	box_ok(plan_prepend(&plan, &s, &err));
}

static void add_run(void)
{
	struct step s = { .kind = STEP_RUN };
	struct error err = ERROR_INIT;

	box_ok(strings_add(&s.argv, "/bin/run", &err));
	box_ok(plan_add(&plan, &s, &err));
}

Test(store_snapshot, keeps_the_files_of_every_kind_by_number)
{
	static const struct {
		const char *kind, *path, *after;
		int number;
		bool ready;
	} rows[] = { { "replace", "/etc/a", NEW, 0, false }, { "create", "/run/b", NEW, 1, false },
		     { "unlink", "/etc/c", "", 4, false },   { "unlink", "/etc/d", "", 5, true } };
	_cleanup_json_ json_t *manifest = NULL;
	struct error err = ERROR_INIT;
	const json_t *files;

	add_step("/etc/a", "/etc/.a");
	add_made("/run/b", "/run/.b");
	add_run();
	prepend_start();
	add_unlinked("/etc/c", "/etc/.c", false);
	add_unlinked("/etc/d", "/etc/.d", true);
	box_ok(create(&err));
	box_str(box_names(ONE), " 0.before 0.middle 1.before 1.middle 4.before manifest.json restore.sh");
	box_str(box_text(ONE "/1.before"), "");
	box_str(box_text(ONE "/1.middle"), NEW);
	box_str(box_text(ONE "/4.before"), OLD);
	box_ok(snapshot_read(&store, "0badcafe", &manifest, &err));
	files = json_object_get(manifest, "files");
	cr_assert(eq(sz, json_array_size(files), ARRAY_SIZE(rows)));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const json_t *file = json_array_get(files, i);
		_cleanup_buffer_ struct buffer after = BUFFER_INIT;

		box_str(json_get_string(file, "kind", ""), rows[i].kind);
		box_str(json_get_string(file, "path", ""), rows[i].path);
		cr_expect(eq(i64, json_get_int(file, "number", -1), rows[i].number));
		cr_expect(eq(int, json_get_bool(file, "ready"), rows[i].ready));
		box_ok(snapshot_read_after(&store, "0badcafe", file, &after, &err));
		box_str(after.data, rows[i].after);
	}
	box_write(ONE "/1.middle", "altered\n");
	{
		_cleanup_buffer_ struct buffer after = BUFFER_INIT;

		box_fails(snapshot_read_after(&store, "0badcafe", json_array_get(files, 1), &after, &err),
			  ERROR_REFUSED, "do not give what the manifest says");
	}
}

/* Both versions of a file, their sizes about the blocks at which they are compared. */
struct versions {
	char before[3000], after[3000];
	size_t before_len, after_len;
};

static void make_versions(struct versions *v, unsigned *seed)
{
	static const size_t sizes[] = { 0, 1, 511, 512, 513, 1023, 1024, 1025, 1536, 2600 };

	v->before_len = sizes[(size_t)rand_r(seed) % ARRAY_SIZE(sizes)];
	v->after_len = rand_r(seed) % 3 == 0 ? v->before_len :
		       sizes[(size_t)rand_r(seed) % ARRAY_SIZE(sizes)];
	for (size_t i = 0; i < sizeof(v->before); i++)
		v->before[i] = v->after[i] = (char)('a' + i / 100 % 26);
	for (int i = rand_r(seed) % 4; i > 0; i--)
		v->after[(size_t)rand_r(seed) % sizeof(v->after)] ^= 1;
	/* something put in or taken out near the end leaves a common tail, moved */
	if (rand_r(seed) % 2 == 0 && v->before_len > 600) {
		v->after_len = v->before_len;
		memmove(v->after + 512, v->before + 512 - rand_r(seed) % 2 * 512, 2000);
	}
}

Test(store_snapshot, keeps_what_differs_and_nothing_is_lost)
{
	unsigned seed = 7;

	for (unsigned round = 0; round < 3000; round++) {
		struct versions v;
		struct snapshot_change c;
		char back[8000];
		size_t len, tail;

		make_versions(&v, &seed);
		c = snapshot_compare(slice_of(v.before, v.before_len), slice_of(v.after, v.after_len));
		len = c.head * SNAPSHOT_BLOCK;
		tail = c.tail * SNAPSHOT_BLOCK < v.before_len ? c.tail * SNAPSHOT_BLOCK : v.before_len;
		cr_assert(le(sz, len, v.before_len), "round %u", round);
		memcpy(back, v.before, len);
		if (c.middle.len > 0)
			memcpy(back + len, c.middle.data, c.middle.len);
		len += c.middle.len;
		memcpy(back + len, v.before + tail, v.before_len - tail);
		len += v.before_len - tail;
		cr_assert(slice_equal(slice_of(back, len), slice_of(v.after, v.after_len)),
			  "round %u: %zu and %zu bytes, %zu %zu %zu", round, v.before_len, v.after_len,
			  c.head, c.tail, c.middle.len);
	}
}

Test(store_snapshot, gives_back_every_version_of_a_file)
{
	unsigned seed = 11;

	for (unsigned round = 0; round < 100; round++) {
		_cleanup_json_ json_t *manifest = NULL;
		_cleanup_buffer_ struct buffer after = BUFFER_INIT;
		struct error err = ERROR_INIT;
		struct versions v;

		make_versions(&v, &seed);
		plan_release(&plan);
		memcpy(plan.id, "0badcafe", 9);
		add_step("/etc/a", "/etc/.a");
		plan.steps[0].before_bytes = slice_of(v.before, v.before_len);
		plan.steps[0].after_bytes = slice_of(v.after, v.after_len);
		plan.steps[0].before = digest_of(v.before, v.before_len);
		plan.steps[0].after = digest_of(v.after, v.after_len);
		box_ok(create(&err));
		box_ok(snapshot_read(&store, "0badcafe", &manifest, &err));
		box_ok(snapshot_read_after(&store, "0badcafe",
					   json_array_get(json_object_get(manifest, "files"), 0), &after,
					   &err));
		cr_assert(slice_equal(slice_of(after.data, after.len), slice_of(v.after, v.after_len)),
			  "round %u", round);
		box_ok(snapshot_remove(&store, "0badcafe", &err));
	}
}

Test(store_snapshot, is_whole_or_not_there_whatever_call_fails)
{
	static const int errors[] = { ENOSPC, EMFILE };

	add_step("/etc/a", "/etc/.a");
	add_made("/run/b", "/run/.b");
	add_unlinked("/etc/c", "/etc/.c", false);
	for (size_t e = 0; e < ARRAY_SIZE(errors); e++) {
		for (unsigned n = 1;; n++) {
			_cleanup_json_ json_t *manifest = NULL;
			struct error err = ERROR_INIT;
			int r;

			fault_arm(&box()->fault, FAULT_ERROR, n, errors[e]);
			r = create(&err);
			if (!fault_disarm(&box()->fault)) {
				cr_expect(eq(int, r, 0));
				cr_expect(gt(uint, n, 20u));
				break;
			}
			if (r == 0) {
				box_ok(snapshot_read(&store, "0badcafe", &manifest, &err));
				box_ok(snapshot_remove(&store, "0badcafe", &err));
			}
			cr_expect(not(snapshot_exists(&store, "0badcafe")), "call %u, %s", n,
				  box()->fault.last);
			if (strcmp(box_names(ALL), "(none)") != 0)
				box_str(box_names(ALL), "", "call %u, %s", n, box()->fault.last);
		}
		box_str(box_names(ONE), " 0.before 0.middle 1.before 1.middle 2.before manifest.json "
					"restore.sh");
		error_ignore(snapshot_remove(&store, "0badcafe", NULL));
	}
}

Test(store_snapshot, that_is_altered_is_refused)
{
	json_t *manifest = NULL;
	struct error err = ERROR_INIT;

	add_step("/etc/a", "/etc/.a");
	box_ok(create(&err));
	box_write(ONE "/manifest.json", "{}");
	box_fails(snapshot_read(&store, "0badcafe", &manifest, &err), ERROR_REFUSED, "torn or was");
	cr_assert(eq(int, chmod(box_path(ONE "/manifest.json"), 0640), 0));
	box_fails(snapshot_read(&store, "0badcafe", &manifest, &err), ERROR_REFUSED, "altered");
	box_fails(snapshot_read(&store, "00000000", &manifest, &err), ERROR_REFUSED, "No such file");
}

Test(store_snapshot, is_swept_when_nothing_names_it)
{
	_cleanup_strings_ struct strings keep = STRINGS_INIT;
	struct error err = ERROR_INIT;
	size_t swept = 99;

	box_ok(snapshot_sweep(&store, &keep, &swept, &err));
	cr_expect(eq(sz, swept, 0));
	add_step("/etc/a", "/etc/.a");
	box_ok(create(&err));
	memcpy(plan.id, "0badf00d", 9);
	box_ok(create(&err));
	/* what the kill of a snapshot_create leaves */
	box_mkdir(ALL "/00000001", 0700);
	box_write(ALL "/00000001/0.before", "half");
	/* and what is none of ours */
	box_mkdir(ALL "/lost+found", 0700);
	box_write(ALL "/notes", "");
	box_ok(strings_add(&keep, "0badf00d", &err));
	box_ok(snapshot_sweep(&store, &keep, &swept, &err));
	cr_expect(eq(sz, swept, 2));
	box_str(box_names(ALL), " 0badf00d lost+found notes");
	box_str(box_names(ALL "/0badf00d"), " 0.before 0.middle manifest.json restore.sh");
}

/* ---- restore.sh */

Test(store_snapshot, has_a_script_that_every_shell_can_read)
{
	struct error err = ERROR_INIT;
	unsigned asked = 0;

	add_step(HOSTILE, HOSTILE_TWIN);
	add_step("/etc/plain", "/etc/.plain");
	add_made(HOSTILE "made", HOSTILE_TWIN "made");
	add_unlinked(HOSTILE "gone", HOSTILE_TWIN "gone", false);
	box_ok(create(&err));
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		char **argv = shell(i, "-n", box_path(ONE "/restore.sh"));

		if (argv != NULL) {
			_cleanup_host_outcome_ struct host_outcome o = run(argv);

			cr_expect(eq(int, o.status, 0), "%s: %s", shells[i], o.err.data);
			box_str(o.err.data, "");
			asked++;
		}
	}
	if (asked == 0)
		cr_skip_test("neither dash nor busybox");
}

Test(store_snapshot, has_a_script_that_shellcheck_finds_nothing_in)
{
	char *argv[] = { (char *)"/usr/bin/shellcheck", (char *)"-s", (char *)"sh", NULL, NULL };
	struct error err = ERROR_INIT;

	if (access(argv[0], X_OK) < 0)
		cr_skip_test("no shellcheck");
	add_step("/etc/edited", "/etc/.edited");
	add_made("/run/made", "/run/.made");
	add_unlinked("/etc/gone", "/etc/.gone", false);
	box_ok(create(&err));
	argv[3] = (char *)box_path(ONE "/restore.sh");
	{
		_cleanup_host_outcome_ struct host_outcome o = run(argv);

		cr_expect(eq(int, o.status, 0), "%s", o.out.data);
	}
}

/* The same names, but of this machine, and a sshd that says what it was asked. */
static void make_restorable(void)
{
	static char *option_items[] = { (char *)"-o", (char *)"Banner=it's $(touch pwned)", NULL };
	static const struct strings options = { .items = option_items, .len = 2 };
	struct snapshot_info i = info();
	struct error err = ERROR_INIT;
	FILE *f;

	plan_release(&plan);
	memcpy(plan.id, "0badcafe", 9);
	add_step(box_path(HOSTILE), box_path(HOSTILE_TWIN));
	i.sshd = box_path("/sshd");
	i.config = box_path("/etc/its config");
	i.pid_file = box_path("/etc/no pid");
	i.options = &options;
	box_ok(snapshot_create(&store, &plan, &i, &err));
	f = fopen(i.sshd, "w");
	cr_assert(f != NULL);
	(void)fprintf(f, "#!/bin/sh\nfor a in \"$@\"; do printf '<%%s>' \"$a\"; done >>%s\n",
		      box_path("/asked"));
	cr_assert(eq(int, fclose(f), 0));
	cr_assert(eq(int, chmod(i.sshd, 0755), 0));
}

/* Its exit status; -1 without such a shell. */
static int restore(size_t n)
{
	char **argv = shell(n, box_path(ONE "/restore.sh"), NULL);
	struct host_outcome o = HOST_OUTCOME_INIT;
	int status;

	if (argv == NULL)
		return -1;
	o = run(argv);
	status = o.status;
	host_outcome_release(&o);
	return status;
}

/* As the transaction left it: the new bytes, and the old file beside them. */
static void apply_by_hand(void)
{
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1234567890, .tv_nsec = 7 } };

	box_write(HOSTILE, NEW);
	box_write(HOSTILE_TWIN, OLD);
	cr_assert(eq(int, chmod(box_path(HOSTILE_TWIN), 0640), 0));
	cr_assert(eq(int, chown(box_path(HOSTILE_TWIN), 0, 12), 0));
	cr_assert(eq(int, utimensat(AT_FDCWD, box_path(HOSTILE_TWIN), times, 0), 0));
	(void)unlink(box_path("/asked"));
}

static void write_bytes(const char *path, const char *bytes, size_t len)
{
	FILE *f = fopen(box_path(path), "w");

	cr_assert(f != NULL);
	cr_assert(eq(sz, fwrite(bytes, 1, len, f), len));
	cr_assert(eq(int, fclose(f), 0));
}

/* The script has to put the new version together to compare it. */
Test(store_snapshot, has_a_script_that_tells_every_version_from_an_edit)
{
	unsigned seed = 13;

	if (access(shells[0], X_OK) < 0)
		cr_skip_test("no dash");
	for (unsigned round = 0; round < 25; round++) {
		struct error err = ERROR_INIT;
		struct snapshot_info i = info();
		struct versions v;

		make_versions(&v, &seed);
		if (slice_equal(slice_of(v.before, v.before_len), slice_of(v.after, v.after_len)))
			continue;
		plan_release(&plan);
		memcpy(plan.id, "0badcafe", 9);
		add_step(box_path("/etc/a"), box_path("/etc/.a"));
		plan.steps[0].before_bytes = slice_of(v.before, v.before_len);
		plan.steps[0].after_bytes = slice_of(v.after, v.after_len);
		i.sshd = "/none/such/sshd";
		box_ok(snapshot_create(&store, &plan, &i, &err));
		/* one byte more than ours is somebody's edit */
		v.after[v.after_len] = 'x';
		write_bytes("/etc/a", v.after, v.after_len + 1);
		if (v.after_len + 1 != v.before_len || memcmp(v.after, v.before, v.before_len) != 0)
			cr_expect(eq(int, restore(0), 3), "round %u", round);
		write_bytes("/etc/a", v.after, v.after_len);
		cr_expect(eq(int, restore(0), 0), "round %u: %zu and %zu bytes", round, v.before_len,
			  v.after_len);
		v.before[v.before_len] = '\0';
		box_str(box_text("/etc/a"), v.before, "round %u", round);
		box_ok(snapshot_remove(&store, "0badcafe", &err));
	}
}

Test(store_snapshot, has_a_script_that_restores_whatever_the_name)
{
	unsigned asked = 0;

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		struct error err = ERROR_INIT;
		char *look, *again;
		char wanted[512];

		make_restorable();
		apply_by_hand();
		look = box_look(HOSTILE_TWIN);
		if (shell(i, NULL, NULL) != NULL) {
			cr_expect(eq(int, restore(i), 0), "%s", shells[i]);
			again = box_look(HOSTILE);
			box_str(again, look, "%s", shells[i]);
			free(again);
			cr_expect(ne(int, access(box_path(HOSTILE_TWIN), F_OK), 0));
			(void)snprintf(wanted, sizeof(wanted), "<-t><-f><%s><-o><Banner=it's "
				       "$(touch pwned)>", box_path("/etc/its config"));
			box_str(box_text("/asked"), wanted, "%s", shells[i]);
			/* again: nothing to do, and nobody is asked */
			cr_expect(eq(int, restore(i), 0), "%s", shells[i]);
			box_str(box_text("/asked"), wanted, "%s", shells[i]);
			/* without the twin, from the copy */
			box_write(HOSTILE, NEW);
			cr_expect(eq(int, restore(i), 0), "%s", shells[i]);
			box_str(box_text(HOSTILE), OLD, "%s", shells[i]);
			cr_expect(eq(uint, box_mode(HOSTILE), 0640), "%s", shells[i]);
			/* edited since: refused, untouched */
			apply_by_hand();
			box_write(HOSTILE, "theirs\n");
			cr_expect(eq(int, restore(i), 3), "%s", shells[i]);
			box_str(box_text(HOSTILE), "theirs\n", "%s", shells[i]);
			box_str(box_text(HOSTILE_TWIN), OLD, "%s", shells[i]);
			box_str(box_text("/asked"), "(none)", "%s", shells[i]);
			cr_expect(ne(int, access(box_path(ONE "/pwned"), F_OK), 0));
			asked++;
		}
		free(look);
		box_ok(snapshot_remove(&store, "0badcafe", &err));
	}
	if (asked == 0)
		cr_skip_test("neither dash nor busybox");
}

/* ---- restore.sh, of files that were made or unlinked */

#define MADE "/etc/made"
#define REPLACED "/etc/replaced"
#define TWIN "/etc/.replaced"

/* An opening: a file was made, and another one edited before. */
static void set_opened_scene(void)
{
	struct snapshot_info i = info();
	struct error err = ERROR_INIT;

	plan_release(&plan);
	memcpy(plan.id, "0badcafe", 9);
	error_ignore(snapshot_remove(&store, "0badcafe", NULL));
	box_mkdir("/etc", 0755);
	add_step(box_path(REPLACED), box_path(TWIN));
	prepend_start();
	add_made(box_path(MADE), box_path("/etc/.made"));
	add_run();
	i.sshd = "/none/such/sshd";
	box_ok(snapshot_create(&store, &plan, &i, &err));
	box_write(MADE, NEW);
	box_write(REPLACED, NEW);
	box_write(TWIN, OLD);
}

static void expect_restored(int status, const char *shell_name)
{
	cr_expect(eq(int, status, 0), "%s", shell_name);
	box_str(box_names("/etc"), " replaced", "%s", shell_name);
	box_str(box_text(REPLACED), OLD, "%s", shell_name);
}

Test(store_snapshot, has_a_script_that_takes_away_what_was_made)
{
	unsigned asked = 0;

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		if (shell(i, NULL, NULL) == NULL)
			continue;
		asked++;
		set_opened_scene();
		expect_restored(restore(i), shells[i]);
		/* again: nothing to do */
		expect_restored(restore(i), shells[i]);
		/* it is gone already: somebody removed it */
		set_opened_scene();
		cr_assert(eq(int, unlink(box_path(MADE)), 0));
		expect_restored(restore(i), shells[i]);
		/* what was edited is restored already, the made one is there still */
		set_opened_scene();
		cr_assert(eq(int, rename(box_path(TWIN), box_path(REPLACED)), 0));
		expect_restored(restore(i), shells[i]);
	}
	if (asked == 0)
		cr_skip_test("neither dash nor busybox");
}

/* All checks come before the first change. */
Test(store_snapshot, has_a_script_that_leaves_a_made_file_which_was_edited)
{
	unsigned asked = 0;

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		if (shell(i, NULL, NULL) == NULL)
			continue;
		asked++;
		set_opened_scene();
		box_write(MADE, NEW "theirs\n");
		cr_expect(eq(int, restore(i), 3), "%s", shells[i]);
		box_str(box_text(MADE), NEW "theirs\n", "%s", shells[i]);
		box_str(box_text(REPLACED), NEW, "%s", shells[i]);
		/* a link is none of ours, wherever it leads */
		cr_assert(eq(int, unlink(box_path(MADE)), 0));
		cr_assert(eq(int, symlink("/nowhere", box_path(MADE)), 0));
		cr_expect(eq(int, restore(i), 3), "%s", shells[i]);
		box_str(box_names("/etc"), " .replaced made replaced", "%s", shells[i]);
		/* nor does the made one go when the other one can't */
		cr_assert(eq(int, unlink(box_path(MADE)), 0));
		box_write(MADE, NEW);
		box_write(REPLACED, "theirs\n");
		cr_expect(eq(int, restore(i), 3), "%s", shells[i]);
		box_str(box_text(MADE), NEW, "%s", shells[i]);
		cr_assert(eq(int, unlink(box_path(TWIN)), 0));
	}
	if (asked == 0)
		cr_skip_test("neither dash nor busybox");
}

/* That is what closes: whatever fails later, it is done. */
Test(store_snapshot, has_a_script_that_takes_made_files_away_first)
{
	if (access(shells[0], X_OK) < 0)
		cr_skip_test("no dash");
	set_opened_scene();
	cr_assert(eq(int, unlink(box_path(TWIN)), 0));
	box_mkdir(TWIN, 0700); /* so that no new twin can be made */
	cr_expect(eq(int, restore(0), 4));
	box_str(box_names("/etc"), " .replaced replaced");
	box_str(box_text(REPLACED), NEW);
}

/* Only what was in /run was made: its folder is gone with it. */
Test(store_snapshot, has_a_script_that_has_nothing_to_do_after_a_reboot)
{
	unsigned asked = 0;

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		struct snapshot_info with = info();
		struct error err = ERROR_INIT;

		if (shell(i, NULL, NULL) == NULL)
			continue;
		asked++;
		plan_release(&plan);
		memcpy(plan.id, "0badcafe", 9);
		add_made(box_path("/run/rootlatch/made"), box_path("/run/rootlatch/.made"));
		with.sshd = box_path("/asked if it is run");
		box_ok(snapshot_create(&store, &plan, &with, &err));
		cr_expect(eq(int, restore(i), 0), "%s", shells[i]);
		cr_expect(ne(int, access(box_path("/run"), F_OK), 0));
		box_ok(snapshot_remove(&store, "0badcafe", &err));
	}
	if (asked == 0)
		cr_skip_test("neither dash nor busybox");
}

/* A close, taken back: what was unlinked comes back from the copy. */
Test(store_snapshot, has_a_script_that_puts_back_what_was_unlinked)
{
	unsigned asked = 0;

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		struct snapshot_info with = info();
		struct error err = ERROR_INIT;
		struct stat st;

		if (shell(i, NULL, NULL) == NULL)
			continue;
		asked++;
		plan_release(&plan);
		memcpy(plan.id, "0badcafe", 9);
		add_unlinked(box_path("/etc/gone"), box_path("/etc/.gone"), false);
		add_unlinked(box_path("/etc/elsewhere"), box_path("/etc/.elsewhere"), true);
		with.sshd = "/none/such/sshd";
		box_ok(snapshot_create(&store, &plan, &with, &err));
		cr_expect(eq(int, restore(i), 0), "%s", shells[i]);
		box_str(box_names("/etc"), " gone", "%s", shells[i]);
		box_str(box_text("/etc/gone"), OLD, "%s", shells[i]);
		cr_assert(eq(int, stat(box_path("/etc/gone"), &st), 0));
		cr_expect(eq(uint, st.st_mode & 07777, 0644), "%s", shells[i]);
		cr_expect(eq(i64, st.st_mtim.tv_sec, 1234567890), "%s", shells[i]);
		cr_expect(eq(int, restore(i), 0), "%s", shells[i]);
		/* somebody made another one in its place */
		box_write("/etc/gone", "theirs\n");
		cr_expect(eq(int, restore(i), 3), "%s", shells[i]);
		box_str(box_text("/etc/gone"), "theirs\n", "%s", shells[i]);
		/* or took the folder away too: there is no place for it */
		cr_assert(eq(int, unlink(box_path("/etc/gone")), 0));
		cr_assert(eq(int, rmdir(box_path("/etc")), 0));
		cr_expect(eq(int, restore(i), 3), "%s", shells[i]);
		box_mkdir("/etc", 0755);
		box_ok(snapshot_remove(&store, "0badcafe", &err));
	}
	if (asked == 0)
		cr_skip_test("neither dash nor busybox");
}

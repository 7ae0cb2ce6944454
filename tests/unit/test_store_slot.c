/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/clock.h"
#include "store/store.h"

#define DIR "/lib"

static struct store store = STORE_INIT;

static void enter(void)
{
	struct error err = ERROR_INIT;

	box_enter();
	box_ok(store_init(&store, &box()->host, DIR, &err));
}

static void leave(void)
{
	store_release(&store);
	box_leave();
}

TestSuite(store_slot, .init = enter, .fini = leave, .timeout = 60);

/* ---- the lock */

static bool is_locked(void)
{
	int fd = open(box_path(DIR "/lock"), O_RDWR | O_CLOEXEC);
	bool locked = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0;

	if (fd >= 0)
		(void)close(fd);
	return locked;
}

Test(store_slot, lock_makes_the_folder_only_when_it_is_asked_to)
{
	struct error err = ERROR_INIT;

	cr_expect(not(store_exists(&store)));
	cr_expect(not(is_locked()));
	cr_expect(eq(int, store_lock(&store, false, 0, &err), -1));
	box_str(box_names(""), "");
	box_ok(store_lock(&store, true, 0, &err));
	cr_expect(eq(uint, box_mode(DIR), 0700));
	box_str(box_names(DIR), " lock");
	cr_expect(is_locked());
	store_unlock(&store);
	cr_expect(not(is_locked()));
	store_unlock(&store);
}

Test(store_slot, lock_is_refused_in_a_folder_that_others_can_read)
{
	struct error err = ERROR_INIT;

	box_mkdir(DIR, 0755);
	box_fails(store_lock(&store, false, 0, &err), ERROR_REFUSED, "not a folder of root's alone");
	box_fails(store_lock(&store, true, 0, &err), ERROR_REFUSED, "not a folder of root's alone");
	box_str(box_names(DIR), "");
}

/* Takes the lock, says so, and keeps it for that long. */
static pid_t start_holder(unsigned ms)
{
	int ready[2];
	char byte;
	pid_t pid;

	cr_assert(eq(int, pipe(ready), 0));
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (store_lock(&store, true, 0, NULL) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		clock_sleep_ms(ms);
		_exit(0);
	}
	(void)close(ready[1]);
	cr_assert(eq(int, (int)read(ready[0], &byte, 1), 1));
	(void)close(ready[0]);
	return pid;
}

Test(store_slot, lock_is_one_process_s_and_is_freed_when_that_is_killed)
{
	struct error err = ERROR_INIT;
	pid_t pid = start_holder(60000);
	int64_t start = clock_boottime_ns();

	cr_expect(is_locked());
	box_fails(store_lock(&store, true, 0, &err), ERROR_BUSY, "another rootlatch is at work");
	cr_expect(lt(i64, clock_boottime_ns() - start, 10 * NSEC_PER_SEC));
	box_fails(store_lock(&store, true, 1, &err), ERROR_BUSY, "another rootlatch is at work");
	cr_expect(ge(i64, clock_boottime_ns() - start, NSEC_PER_SEC));
	cr_expect(eq(int, kill(pid, SIGKILL), 0));
	(void)waitpid(pid, NULL, 0);
	cr_expect(not(is_locked()));
	box_ok(store_lock(&store, true, 0, &err));
}

Test(store_slot, lock_is_waited_for)
{
	struct error err = ERROR_INIT;
	pid_t pid = start_holder(300);

	box_ok(store_lock(&store, true, 30, &err));
	(void)waitpid(pid, NULL, 0);
}

Test(store_slot, lock_is_taken_through_interruptions_and_not_through_errors)
{
	struct error err = ERROR_INIT;

	fault_arm(&box()->fault, FAULT_INTERRUPT, 0, 0);
	box_ok(store_lock(&store, true, 0, &err));
	(void)fault_disarm(&box()->fault);
	store_unlock(&store);
	fault_arm(&box()->fault, FAULT_ERROR, 1, ENOLCK);
	box()->fault.only = FAULT_LOCK;
	box_fails(store_lock(&store, true, 0, &err), ERROR_FAILED, "No locks available");
	cr_expect(fault_disarm(&box()->fault));
	cr_expect(not(is_locked()));
}

/* ---- the slots */

static int put(const char *content, struct error *err)
{
	return slot_write(&store, "x", slice_of(content, strlen(content)), err);
}

/* What a reader gets: its content, or "(none)". */
static const char *get(void)
{
	static struct buffer b = BUFFER_INIT;
	struct error err = ERROR_INIT;

	buffer_release(&b);
	if (slot_read(&store, "x", &b, &err) < 0) {
		cr_assert(eq(int, err.sys_errno, ENOENT), "%s", err.message);
		cr_assert(not(slot_exists(&store, "x")));
		return "(none)";
	}
	cr_assert(slot_exists(&store, "x"));
	return b.data;
}

static void make_folder(void)
{
	struct error err = ERROR_INIT;

	box_ok(store_lock(&store, true, 0, &err));
}

Test(store_slot, is_replaced_and_cleared)
{
	struct error err = ERROR_INIT;

	make_folder();
	box_str(get(), "(none)");
	for (int round = 0; round < 3; round++) {
		box_ok(put("one", &err));
		box_str(get(), "one");
		box_ok(put("something longer", &err));
		box_str(get(), "something longer");
		box_ok(put("", &err));
		box_str(get(), "");
		box_ok(put("two", &err));
		box_str(get(), "two");
		cr_expect(eq(uint, box_mode(DIR "/x"), 0600));
		box_ok(slot_clear(&store, "x", &err));
		box_str(get(), "(none)");
		box_ok(slot_clear(&store, "x", &err));
	}
}

Test(store_slot, does_not_mind_a_spare_that_was_torn)
{
	struct error err = ERROR_INIT;

	make_folder();
	box_ok(put("one", &err));
	box_write(DIR "/x.spare", "half of some longer content that was being wri");
	cr_assert(eq(int, chmod(box_path(DIR "/x.spare"), 0600), 0));
	box_str(get(), "one");
	box_ok(put("two", &err));
	box_str(get(), "two");
}

Test(store_slot, is_written_anew_where_its_spare_is_not_ours)
{
	struct error err = ERROR_INIT;

	make_folder();
	box_ok(put("one", &err));
	box_ok(slot_check_spare(&store, "x", &err));
	(void)unlink(box_path(DIR "/x.spare"));
	cr_assert(eq(int, mkfifo(box_path(DIR "/x.spare"), 0600), 0));
	box_fails(slot_check_spare(&store, "x", &err), ERROR_REFUSED, "x.spare is not a file");
	box_ok(put("two", &err));
	box_str(get(), "two");
	box_str(box_names(DIR), " lock x x.spare");
	cr_assert(eq(int, mkdir(box_path(DIR "/x.new"), 0700), 0));
	box_fails(put("six", &err), ERROR_REFUSED,
		  "x.spare is not a file");
	box_str(get(), "two");
}

Test(store_slot, must_be_as_we_left_it)
{
	struct error err = ERROR_INIT;
	struct buffer b = BUFFER_INIT;

	make_folder();
	box_ok(put("one", &err));
	cr_assert(eq(int, chmod(box_path(DIR "/x"), 0644), 0));
	box_fails(slot_read(&store, "x", &b, &err), ERROR_REFUSED, "may have been altered");
	cr_assert(eq(int, unlink(box_path(DIR "/x")), 0));
	cr_assert(eq(int, symlink("/etc/shadow", box_path(DIR "/x")), 0));
	box_fails(slot_read(&store, "x", &b, &err), ERROR_REFUSED, "symbolic link");
}

/* `first`: what is there before, NULL for nothing. */
static void fail_at_every_call(const char *first, enum fault_kind kind, int error)
{
	for (unsigned n = 1;; n++) {
		struct error err = ERROR_INIT;
		int r;

		(void)unlink(box_path(DIR "/x"));
		(void)unlink(box_path(DIR "/x.spare"));
		if (first != NULL) {
			box_ok(put("before that", &err));
			box_ok(put(first, &err));
		}
		fault_arm(&box()->fault, kind, n, error);
		r = put("new content", &err);
		if (!fault_disarm(&box()->fault)) {
			cr_expect(eq(int, r, 0));
			cr_expect(gt(uint, n, 6u));
			return;
		}
		if (r == 0)
			box_str(get(), "new content", "call %u, %s", n, box()->fault.last);
		else if (kind == FAULT_ERROR)
			/* what failed must not look done: the caller rolls the host back */
			box_str(get(), first != NULL ? first : "(none)", "call %u, %s", n,
				box()->fault.last);
		else if (strcmp(get(), "new content") != 0)
			box_str(get(), first != NULL ? first : "(none)", "call %u, %s", n,
				box()->fault.last);
		err = (struct error)ERROR_INIT;
		box_ok(put("the next", &err));
		box_str(get(), "the next", "after call %u, %s", n, box()->fault.last);
	}
}

Test(store_slot, is_the_old_one_whatever_call_of_its_replacement_fails)
{
	make_folder();
	fail_at_every_call("old", FAULT_ERROR, ENOSPC);
	fail_at_every_call("something much longer than the new content", FAULT_ERROR, EIO);
}

Test(store_slot, is_not_there_whatever_call_of_its_first_writing_fails)
{
	make_folder();
	fail_at_every_call(NULL, FAULT_ERROR, ENOSPC);
}

Test(store_slot, is_old_or_new_when_a_call_was_done_that_says_it_failed)
{
	make_folder();
	fail_at_every_call("old", FAULT_DONE, EIO);
	fail_at_every_call(NULL, FAULT_DONE, EIO);
	fail_at_every_call("old", FAULT_ERROR_ON, EIO);
}

static void put_and_die(void *ctx)
{
	fault_arm(&box()->fault, FAULT_DIE, *(unsigned *)ctx, 0);
	_exit(put("new", NULL) < 0);
}

Test(store_slot, is_old_or_new_wherever_the_process_dies)
{
	int status = FAULT_DEATH;

	make_folder();
	for (unsigned n = 1; status == FAULT_DEATH; n++) {
		struct error err = ERROR_INIT;

		box_ok(put("old", &err));
		box_ok(put("old", &err));
		status = box_fork(put_and_die, &n);
		if (strcmp(get(), "new") != 0)
			box_str(get(), "old", "call %u", n);
	}
	cr_expect(eq(int, status, 0));
}

Test(store_slot, is_cleared_or_not_whatever_call_fails)
{
	make_folder();
	for (unsigned n = 1;; n++) {
		struct error err = ERROR_INIT;
		int r;

		box_ok(put("old", &err));
		fault_arm(&box()->fault, FAULT_ERROR, n, EIO);
		r = slot_clear(&store, "x", &err);
		if (!fault_disarm(&box()->fault)) {
			cr_expect(eq(int, r, 0));
			break;
		}
		/* success is what the caller takes for the end of a transaction */
		if (r == 0)
			box_str(get(), "(none)", "call %u, %s", n, box()->fault.last);
		else if (strcmp(get(), "(none)") != 0)
			box_str(get(), "old", "call %u, %s", n, box()->fault.last);
		err = (struct error)ERROR_INIT;
		box_ok(slot_clear(&store, "x", &err));
		box_str(get(), "(none)");
	}
}

Test(store_slot, is_the_same_when_every_call_is_interrupted_or_short)
{
	static const enum fault_kind kinds[] = { FAULT_INTERRUPT, FAULT_ONE_BYTE };

	make_folder();
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct error err = ERROR_INIT;

		fault_arm(&box()->fault, kinds[k], 0, 0);
		box_ok(put("one", &err));
		box_ok(put("another", &err));
		box_str(get(), "another");
		box_ok(slot_clear(&store, "x", &err));
		(void)fault_disarm(&box()->fault);
		box_str(get(), "(none)");
	}
}

/* ---- a disk without a free block */

static void fill_up(void)
{
	static char block[4096];
	int fd = open(box_path(DIR "/ballast"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	while (write(fd, block, sizeof(block)) > 0)
		;
	cr_assert(eq(int, errno, ENOSPC));
	(void)close(fd);
}

static void make_small_disk(void)
{
	if (!box()->is_private)
		cr_skip_test("no mount namespaces here");
	box_mkdir(DIR, 0700);
	if (mount("tmpfs", box_path(DIR), "tmpfs", 0, "size=512k,mode=0700") < 0)
		cr_skip_test("no tmpfs can be mounted here");
	make_folder();
}

static char *text_of(size_t len, char c)
{
	char *s = malloc(len + 1);

	memset(s, c, len);
	s[len] = '\0';
	return s;
}

static void rewrite_on_a_full_disk(unsigned times_before, bool reserve)
{
	_cleanup_free_ char *old = text_of(9000, 'o'), *same = text_of(9000, 's'),
			    *shorter = text_of(100, 'x'), *longer = text_of(20000, 'l');
	struct error err = ERROR_INIT;

	make_small_disk();
	for (unsigned i = 0; i < times_before; i++)
		box_ok(put(old, &err));
	if (reserve)
		box_ok(slot_reserve(&store, "x", &err));
	fill_up();
	box_ok(put(same, &err));
	box_str(get(), same);
	box_ok(put(shorter, &err));
	box_str(get(), shorter);
	box_ok(put(same, &err));
	/* and somewhat longer: there is a reserve */
	box_ok(put(longer, &err));
	box_str(get(), longer);
}

Test(store_slot, is_rewritten_on_a_full_disk)
{
	rewrite_on_a_full_disk(3, false);
}

/* The first opening of a host writes the state once, and the closing has to write it again. */
Test(store_slot, is_rewritten_on_a_full_disk_after_its_first_writing_and_a_reserve)
{
	rewrite_on_a_full_disk(1, true);
}

Test(store_slot, is_reserved_before_it_is_written)
{
	_cleanup_free_ char *first_one = text_of(9000, 'f');
	struct error err = ERROR_INIT;

	make_small_disk();
	box_ok(slot_reserve(&store, "x", &err));
	cr_expect(not(slot_exists(&store, "x")));
	fill_up();
	box_ok(put(first_one, &err));
	box_str(get(), first_one);
}

/* What is larger than the least reserve has to be as large as what it stands in for. */
Test(store_slot, has_a_reserve_as_large_as_its_content)
{
	_cleanup_free_ char *old = text_of(100000, 'o'), *same = text_of(100000, 's');
	struct error err = ERROR_INIT;
	struct buffer b = BUFFER_INIT;

	make_small_disk();
	box_ok(put(old, &err));
	box_ok(slot_reserve(&store, "x", &err));
	fill_up();
	box_ok(put(same, &err));
	box_ok(slot_read(&store, "x", &b, &err));
	cr_expect(slice_equal(slice_of(b.data, b.len), slice_of(same, 100000)));
	buffer_release(&b);
}

/* A reserve that the disk has not got is no reserve. */
Test(store_slot, can_not_be_reserved_on_a_full_disk)
{
	struct error err = ERROR_INIT;

	make_small_disk();
	fill_up();
	cr_expect(eq(int, slot_reserve(&store, "x", &err), -1));
	cr_expect(eq(int, err.sys_errno, ENOSPC));
}

Test(store_slot, is_written_again_on_a_full_disk_after_it_was_cleared)
{
	_cleanup_free_ char *old = text_of(9000, 'o');
	struct error err = ERROR_INIT;

	make_small_disk();
	box_ok(put(old, &err));
	box_ok(slot_clear(&store, "x", &err));
	fill_up();
	box_ok(put(old, &err));
	box_ok(slot_clear(&store, "x", &err));
	box_ok(put(old, &err));
	box_str(get(), old);
}

Test(store_slot, that_does_not_fit_is_the_old_one)
{
	_cleanup_free_ char *huge = text_of(300000, 'h');
	struct error err = ERROR_INIT;

	make_small_disk();
	box_ok(put("one", &err));
	box_ok(put("two", &err));
	fill_up();
	cr_expect(eq(int, put(huge, &err), -1));
	cr_expect(eq(int, err.sys_errno, ENOSPC));
	box_str(get(), "two");
}

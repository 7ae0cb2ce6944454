/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What listens, once the old files are back. Everything else of a rollback is in the tests of whole
 * transactions.
 */
#include "test_service_fixture.h"

#include <signal.h>
#include <unistd.h>

#include "transaction/rollback.h"

TestSuite(transaction_rollback, .init = fixture_enter, .fini = fixture_leave, .timeout = 120);

static const char plain[] = "Port 2222\nListenAddress 127.0.0.1\n";

static struct sshd_daemons found;

static struct sshd_daemon *find_one(void)
{
	struct error err = ERROR_INIT;

	sshd_daemons_release(&found);
	assert_ok(sshd_find(fixture_host(), CONFIG, &found, &err));
	cr_assert(eq(sz, found.len, 1));
	return &found.items[0];
}

static struct sshd_daemon *start(void)
{
	fixture_write(CONFIG, plain);
	(void)fixture_start_default();
	return find_one();
}

static void end(const struct sshd_daemon *d)
{
	cr_assert(eq(int, kill(d->process.pid, SIGKILL), 0));
	while (host_process_alive(&d->process))
		(void)usleep(1000);
}

static int roll_back(const struct sshd_daemon *before, size_t n, const struct sshd_daemon *failed,
		     size_t *ret_reloaded, struct error *err)
{
	return rollback_listeners(fixture_host(), CONFIG, before, n, failed, ret_reloaded, err);
}

Test(transaction_rollback, makes_what_listens_read_the_old_files)
{
	struct sshd_daemon *d = start();
	struct host_process before = d->process;
	struct error err = ERROR_INIT;
	size_t reloaded = 0;

	assert_ok(roll_back(d, 1, NULL, &reloaded, &err));
	cr_expect(eq(sz, reloaded, 1));
	cr_expect(eq(int, find_one()->process.pid, before.pid));
	/* and whoever has started it, since */
	assert_ok(roll_back(NULL, 0, NULL, &reloaded, &err));
	cr_expect(eq(sz, reloaded, 1));
}

Test(transaction_rollback, starts_what_has_died_again)
{
	struct sshd_daemon *d = start();
	struct host_process before = d->process;
	struct error err = ERROR_INIT;
	size_t reloaded = 7;

	end(d);
	cr_expect(not(rollback_serves(d)));
	assert_ok(roll_back(d, 1, NULL, &reloaded, &err));
	cr_expect(ne(int, find_one()->process.pid, before.pid));
}

/* After a boot nobody knows what should be there. */
Test(transaction_rollback, starts_nothing_that_it_can_not_blame_on_us)
{
	struct sshd_daemon *d = start();
	struct error err = ERROR_INIT;
	size_t reloaded = 7;

	end(d);
	assert_ok(roll_back(d, 0, NULL, &reloaded, &err));
	cr_expect(eq(sz, reloaded, 0));
	sshd_daemons_release(&found);
	assert_ok(sshd_find(fixture_host(), CONFIG, &found, &err));
	cr_expect(eq(sz, found.len, 0));
}

/* A reload would end it: with what it has loaded it serves on. */
Test(transaction_rollback, is_in_doubt_when_sshd_rejects_the_files)
{
	struct sshd_daemon *d = start();
	struct error err = ERROR_INIT;
	size_t reloaded = 7;

	fixture_write(CONFIG, "Prot 3\n");
	cr_expect(eq(int, roll_back(d, 1, NULL, &reloaded, &err), -1));
	cr_expect(eq(int, err.code, ERROR_IN_DOUBT));
	assert_contains(err.message, "the files are in place, but not sshd");
	cr_expect(eq(sz, reloaded, 0));
	cr_expect(rollback_serves(d));
	end(d);
	err = (struct error)ERROR_INIT;
	cr_expect(eq(int, roll_back(d, 1, NULL, &reloaded, &err), -1));
	cr_expect(eq(int, err.code, ERROR_IN_DOUBT), "%s", err.message);
}

/* It never took the signal: it will find the old files whenever it does. */
Test(transaction_rollback, leaves_one_alone_that_never_reacted)
{
	struct sshd_daemon *d = start();
	struct error err = ERROR_INIT;
	size_t reloaded = 7;

	cr_assert(eq(int, kill(d->process.pid, SIGSTOP), 0));
	assert_ok(roll_back(d, 1, d, &reloaded, &err));
	cr_expect(eq(sz, reloaded, 0));
	cr_expect(rollback_serves(d));
	cr_assert(eq(int, kill(d->process.pid, SIGCONT), 0));
}

/* Alive, with none of the sockets that it had: it hangs in its reload, and nobody gets in. */
Test(transaction_rollback, ends_one_that_hangs_and_starts_another)
{
	struct sshd_daemon *d = start();
	struct sshd_daemon hung = *d;
	struct host_process before = d->process;
	struct error err = ERROR_INIT;
	size_t reloaded = 7;

	hung.sockets.items = NULL;
	hung.sockets.len = 0;
	cr_expect(not(rollback_serves(&hung)));
	assert_ok(roll_back(d, 1, &hung, &reloaded, &err));
	cr_expect(not(host_process_alive(&before)));
	cr_expect(ne(int, find_one()->process.pid, before.pid));
}

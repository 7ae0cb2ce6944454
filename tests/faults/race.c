/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Many rootlatches at once, on a host of the fixture's: in each round so many writers start together,
 * some are killed at a random moment, and a reader looks on (race_reader.h). When all have
 * ended, what is left is judged (race_judge.h). With --editor somebody else edits sshd_config
 * meanwhile, and what he wrote has to stay (race_editor.h).
 *
 * All that is random comes from the seed that is printed; what the processes make of it is their own.
 */
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "claims.h"
#include "die.h"
#include "fixture.h"
#include "race_editor.h"
#include "race_judge.h"
#include "race_reader.h"
#include "race_writers.h"
#include "watchers.h"

static const char *const race_roots[] = {
	"/etc/ssh",   "/etc/init.d", "/etc/rc0.d", "/etc/rc1.d", "/etc/rc2.d",
	"/etc/rc3.d", "/etc/rc4.d",  "/etc/rc5.d", "/etc/rc6.d", "/etc/rcS.d",
	"/etc/systemd/system", FIXTURE_STATE, FIXTURE_RUN, NULL
};

/* What a writer may do. The first ones open, each in a way of its own. */
#define OPENINGS 3
static const char *const commands[] = {
	"open --in-place --keep",
	"open --runtime --for 1h",
	"open --keep",
	"open --runtime --for 1h --replace",
	"close",
	"close",
	"revert root-login",
	"disable foo",
	"disable baz foo",
	"enable bar",
	"revert service/foo",
	"revert service/bar service/baz",
	"extend --for 2h",
	"recover",
	NULL
};
static const char *const edited_commands[] = {
	"open --in-place --keep", "open --runtime --for 1h", "close", "revert root-login", NULL
};

struct race {
	unsigned rounds;
	bool with_daemon;
	const char *services;
	struct writers writers;
	struct judge judge;
	struct versions legal;
	unsigned long readings, edits;
};

/* ---- A round */

static bool race_round(struct race *r, char *why)
{
	struct reader *reader = reader_start(&r->legal);
	unsigned long before = r->writers.counts.changed;
	long long generation = judge_generation();
	char seen[READER_WHY_MAX];
	bool fine;

	writers_run(&r->writers);
	fine = reader_stop(reader, &r->readings, seen);
	if (!fine)
		(void)snprintf(why, JUDGE_WHY_MAX, "a reader: %s", seen);
	fine = fine && writers_check(&r->writers, why);
	/* one that says so has made a generation, and nobody has overwritten it */
	if (fine && judge_generation() - generation < (long long)(r->writers.counts.changed - before)) {
		(void)snprintf(why, JUDGE_WHY_MAX, "%lu say that they changed something, %lld did",
			       r->writers.counts.changed - before, judge_generation() - generation);
		fine = false;
	}
	return fine && judge_settled(&r->judge, why) && judge_reverted(&r->judge, why);
}

static bool sshd_accepts(const struct race *r, char *why)
{
	char reason[CLAIMS_WHY_MAX];
	bool open;

	if (claims_of_sshd(r->judge.output_fd, &open, reason))
		return true;
	(void)snprintf(why, JUDGE_WHY_MAX, "%s", reason);
	return false;
}

/* What became of the login is the editor's matter too: he may have written down any version that he
 * saw. The next round has the host as it was. */
static bool edited_round(struct race *r, char *why)
{
	struct reader *reader = reader_start(&r->legal);
	struct editor *editor = editor_start(writers_random(&r->writers), r->judge.patience_s);
	struct watchers none = { .len = 0 };
	char seen[READER_WHY_MAX];
	bool fine, whole;

	writers_run(&r->writers);
	(void)judge_run(&r->judge, "recover");
	whole = editor_stop(editor, &r->edits, why, JUDGE_WHY_MAX);
	fine = reader_stop(reader, &r->readings, seen);
	if (!fine)
		(void)snprintf(why, JUDGE_WHY_MAX, "a reader: %s", seen);
	fine = fine && whole && writers_check(&r->writers, why) && sshd_accepts(r, why);
	watchers_end_others(&none);
	image_restore(&r->judge.pristine, fixture_roots, NULL);
	return fine;
}

static void learn(struct race *r)
{
	versions_learn(&r->legal);
	for (unsigned i = 0; i < OPENINGS; i++) {
		char text[1024];

		if (judge_run(&r->judge, commands[i]) == 0) {
			versions_learn(&r->legal);
			if (judge_run(&r->judge, "close") == 0)
				continue;
		}
		claims_read_output(r->judge.output_fd, text, sizeof(text));
		die("%s: %s", commands[i], text);
	}
	judge_learn(&r->judge, &r->legal);
}

static void use_all_processors(void)
{
	cpu_set_t set;

	(void)memset(&set, 0xff, sizeof(set));
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static void work(void *arg)
{
	struct race *r = arg;
	const struct writers_counts *c = &r->writers.counts;
	char why[JUDGE_WHY_MAX] = "";
	unsigned wrong = 0;

	use_all_processors();
	fixture_roots = race_roots;
	r->judge.output_fd = memfd_create("output", MFD_CLOEXEC);
	if (r->with_daemon)
		r->judge.daemon = fixture_daemon_start();
	learn(r);
	for (unsigned i = 1; i <= r->rounds && wrong == 0; i++) {
		if (!(r->writers.edited ? edited_round(r, why) : race_round(r, why))) {
			writers_tell(&r->writers, i, why);
			wrong++;
		}
		writers_release(&r->writers);
	}
	dprintf(STDOUT_FILENO,
		"# seed %" PRIu64 ": %u rounds, %lu writers, %lu of them again: %lu done, "
		"%lu refused, %lu busy, %lu failed, %lu killed; %lu readings, %lu edits\n",
		r->writers.seed, r->rounds, c->ended, c->again, c->done, c->refused, c->busy, c->failed,
		c->killed, r->readings, r->edits);
	if (wrong == 0 && (c->done == 0 || c->killed == 0 || (r->writers.edited && r->edits == 0))) {
		dprintf(STDOUT_FILENO, "# there was no race\n");
		wrong++;
	}
	_exit(wrong != 0);
}

static void usage(void)
{
	dprintf(STDERR_FILENO, "usage: race --services COMMAND [--rounds N] [--writers N] "
			       "[--seed N] [--patience SECONDS] [--editor] [--daemon] TOOL\n");
	_exit(EXIT_BROKEN);
}

static void parse(int argc, char **argv, struct race *r)
{
	static const struct option options[] = {
		{ "services", required_argument, NULL, 's' }, { "rounds", required_argument, NULL, 'r' },
		{ "writers", required_argument, NULL, 'w' },  { "seed", required_argument, NULL, 'S' },
		{ "editor", no_argument, NULL, 'e' },	      { "daemon", no_argument, NULL, 'd' },
		{ "patience", required_argument, NULL, 'p' },
		{ 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 's': r->services = optarg; break;
		case 'r': r->rounds = (unsigned)atoi(optarg); break;
		case 'w': r->writers.n = (unsigned)atoi(optarg); break;
		case 'S': r->writers.seed = strtoull(optarg, NULL, 0); break;
		case 'e': r->writers.edited = true; break;
		case 'p': r->judge.patience_s = (unsigned)atoi(optarg); break;
		case 'd': r->with_daemon = true; break;
		default: usage();
		}
	if (optind != argc - 1 || r->services == NULL || r->writers.n == 0 ||
	    r->writers.n > WRITERS_MAX)
		usage();
	r->judge.tool = argv[optind];
}

int main(int argc, char **argv)
{
	static struct race r = { .rounds = 1,
				 .writers = { .n = 24, .commands = commands },
				 .judge.patience_s = 60 };
	struct writers *w = &r.writers;
	struct fixture_terms terms = { 0 };

	if (getrandom(&w->seed, sizeof(w->seed), 0) != sizeof(w->seed))
		die("getrandom");
	parse(argc, argv, &r);
	w->random = w->seed;
	w->tool = r.judge.tool;
	r.legal.edited = w->edited;
	if (w->edited)
		w->commands = edited_commands;
	while (w->commands[w->n_commands] != NULL)
		w->n_commands++;
	/* an Include that comes last: then the one of a runtime opening goes into sshd_config */
	terms = (struct fixture_terms){ .tool = r.judge.tool, .services = r.services,
					.line_1 = w->edited };
	return fixture_run(0, &terms, work, &r);
}

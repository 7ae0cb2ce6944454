/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * usage: power [OPTION...] -- PROGRAM [ARGUMENT...]
 *
 * Cuts the power while PROGRAM and its children run, lets `PROGRAM recover` tidy after the boot, and
 * looks whether the host is whole (verdict.h); where PROGRAM had said that it was done, it has to be
 * the new one. In one of two ways:
 *
 *	replay        one run is recorded, and each disk is made that a filesystem which orders nothing
 *	              may have kept of it (states.h)
 *	filesystem    the folders lie on a real one, which is shut down at each call that does something
 *	              to them (device.h)
 *
 * In both all processes are gone after the boot, and so is all that was in /run.
 */
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "device.h"
#include "die.h"
#include "fixture.h"
#include "image.h"
#include "power_options.h"
#include "record.h"
#include "states.h"
#include "trace.h"
#include "verdict.h"
#include "watchers.h"

#define MAX_WORDS 32
#define ROOTS_MAX 16
#define TRIES 24

struct power {
	const struct power_options *options;
	struct verdict_terms terms;
	const char *roots[ROOTS_MAX]; /* that outlive it */
	struct record record;
	size_t start; /* the moment at which the command begins */
	struct image ready; /* the host, running, before it */
	struct watchers watchers;
	unsigned index; /* of the state that is looked at */
	unsigned planned, different, done, wrong, backs, again, kept_old, became_new, repeated;
	double began;
};

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- Looking */

static void find_roots(struct power *p)
{
	unsigned n = 0;

	for (const char *const *root = fixture_roots; *root != NULL; root++) {
		if (strcmp(*root, FIXTURE_RUN) == 0)
			continue;
		if (n == ROOTS_MAX - 1)
			die("more than %d folders", ROOTS_MAX);
		p->roots[n++] = *root;
	}
}

/* What runs ends, and /run is empty. */
static void lose_what_runs(struct power *p)
{
	fixture_end_strays(0);
	fixture_lose_run();
}

static void report(struct power *p, const char *what, const char *why)
{
	if (p->wrong++ < p->options->failures)
		dprintf(STDOUT_FILENO, "# %s: --only %u (%s): %s\n", p->options->name, p->index,
			what, why);
}

/* After the boot. */
static bool is_whole(struct power *p, bool said, struct verdict *v)
{
	if (!verdict_untorn(&p->terms, v) || !verdict_tool(&p->terms, "recover", v) ||
	    !verdict_whole(&p->terms, v))
		return false;
	if (said && v->host != &p->terms.after) {
		(void)snprintf(v->why, sizeof(v->why),
			       "it said that it was done, and the host is the old one");
		return false;
	}
	if (v->host == &p->terms.after)
		p->became_new++;
	else
		p->kept_old++;
	if (p->options->way_back == 0 || p->index % p->options->way_back != 0)
		return true;
	p->backs++;
	return verdict_way_back(&p->terms, v);
}

static void judge(struct power *p, bool said, const char *what)
{
	struct verdict v = { 0 };

	p->done++;
	if (!is_whole(p, said, &v))
		report(p, what, v.why);
	fixture_end_strays(0);
}

static bool is_wanted(const struct power *p)
{
	if (p->options->only != 0)
		return p->index == p->options->only;
	return p->index % p->options->stride == 0;
}

/* ---- Replaying */

static void put_disk(struct power *p, const struct state *state)
{
	lose_what_runs(p);
	image_restore(&state->image, p->roots, NULL);
}

static void visit_again(void *ctx, const struct state *state)
{
	struct power *p = ctx;
	char what[STATES_WHAT_MAX + 16];
	struct verdict v = { 0 };

	p->again++;
	put_disk(p, state);
	(void)snprintf(what, sizeof(what), "in recover, %s", state->what);
	if (!verdict_untorn(&p->terms, &v) || !verdict_tool(&p->terms, "recover", &v) ||
	    !verdict_whole(&p->terms, &v))
		report(p, what, v.why);
}

/* The power goes once more, during recover. */
static void cut_recover(struct power *p, const struct state *state)
{
	char *argv[] = { p->terms.tool, (char *)"recover", NULL };
	struct record record = { .roots = p->roots };
	struct states again = { .few = true, .said = SIZE_MAX, .visit = visit_again, .ctx = p };
	struct image start;
	int status;

	put_disk(p, state);
	image_capture(p->roots, &start);
	record.disk = disk_new(&start, p->roots);
	claims_clear_output(p->terms.output_fd);
	record_run(&record, argv, p->terms.output_fd, &status);
	again.disk = record.disk;
	states_visit(&again);
	image_release(&start);
	disk_free(record.disk);
	record_release(&record);
}

static void visit(void *ctx, const struct state *state)
{
	struct power *p = ctx;

	p->index++;
	if (p->options->list)
		dprintf(STDOUT_FILENO, "%u %s%s\n", p->index, state->what,
			state->said ? ", said" : "");
	if (p->options->list || !is_wanted(p))
		return;
	put_disk(p, state);
	judge(p, state->said, state->what);
	if (p->options->again != 0 && p->done % p->options->again == 0)
		cut_recover(p, state);
}

/* Nothing was missed, and nothing misunderstood. */
static void check_replay(const struct power *p)
{
	const struct disk *disk = p->record.disk;
	enum disk_fate *fates = malloc((disk_effects(disk) + 1) * sizeof(*fates));
	struct image built, now;

	if (fates == NULL)
		die("out of memory");
	for (size_t i = 0; i < disk_effects(disk); i++)
		fates[i] = DISK_KEPT;
	disk_build(disk, disk_moments(disk), fates, &built);
	image_capture(p->roots, &now);
	if (built.count != now.count)
		die("replayed there are %zu files, not %zu", built.count, now.count);
	for (size_t i = 0; i < now.count; i++) {
		const struct image_entry *e = image_find(&built, now.entries[i].path);

		if (e == NULL || !image_entry_same(e, &now.entries[i]) ||
		    !image_entry_same_time(e, &now.entries[i]))
			die("replayed it is another %s", now.entries[i].path);
	}
	image_release(&built);
	image_release(&now);
	free(fates);
}

static void replay(struct power *p)
{
	struct states states = { .disk = p->record.disk,
				 .first = p->start,
				 .said = p->record.said,
				 .few = p->options->few,
				 .visit = visit,
				 .ctx = p };

	states_visit(&states);
	p->planned = (unsigned)states.planned;
	p->different = (unsigned)states.different;
}

/* ---- On a real filesystem */

static void before_kill(void *ctx)
{
	(void)ctx;
	device_cut();
}

static void make_ready(struct power *p)
{
	watchers_end_others(&p->watchers);
	image_restore(&p->ready, fixture_roots, WATCHERS_DIR);
	watchers_start(&p->watchers);
	device_sync();
}

/* Call 0: only when it is over. True when the power was cut where it was to be. */
static bool cut_at(struct power *p, unsigned process, unsigned call, struct trace_outcome *o)
{
	const struct trace_hooks hooks = { .before_kill = before_kill };
	const struct trace_point point = {
		.process = process, .call = call, .mode = TRACE_ALL, .hooks = &hooks
	};

	make_ready(p);
	claims_clear_output(p->terms.output_fd);
	trace_run(p->options->argv, &point, p->terms.output_fd, NULL, o);
	if (!o->fired)
		device_cut();
	lose_what_runs(p);
	device_boot();
	return o->fired || call == 0;
}

static void cut_point(struct power *p, unsigned process, unsigned call)
{
	struct trace_outcome o;
	char what[100];

	p->index++;
	if (!is_wanted(p) && call != 0)
		return;
	/* how often children wait for each other varies */
	for (int i = 0; !cut_at(p, process, call, &o); i++) {
		if (i == TRIES) {
			report(p, "the plan", "a call was never reached");
			return;
		}
		p->repeated++;
	}
	(void)snprintf(what, sizeof(what), "%u:%u %s", process, call,
		       call != 0 ? trace_call_name(o.call_number) : "the end");
	judge(p, !o.fired && WIFEXITED(o.status) && WEXITSTATUS(o.status) == 0, what);
}

static void cut_everywhere(struct power *p)
{
	const struct record *r = &p->record;

	p->planned = p->different = (unsigned)r->n_calls + 1;
	for (size_t i = 0; i < r->n_calls; i++)
		cut_point(p, r->calls[i].process, r->calls[i].index);
	cut_point(p, 0, 0);
}

/* ---- The hosts */

static void record_or_die(struct power *p, char *const *argv)
{
	char text[600];
	int status;

	claims_clear_output(p->terms.output_fd);
	record_run(&p->record, argv, p->terms.output_fd, &status);
	claims_read_output(p->terms.output_fd, text, sizeof(text));
	if (status != 0)
		die("%s %s exits %d: %s", argv[0], argv[1], status, text);
	/* it need not say anything */
	if (p->record.said > disk_moments(p->record.disk))
		p->record.said = disk_moments(p->record.disk);
}

static void record_words(struct power *p, const char *words)
{
	char *copy = strdup(words), *argv[MAX_WORDS + 1] = { p->terms.tool }, *save = NULL;
	unsigned n = 1;

	if (copy == NULL)
		die("out of memory");
	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		if (n == MAX_WORDS)
			die("too many words");
		argv[n++] = w;
	}
	record_or_die(p, argv);
	free(copy);
}

/* An orderly boot before the command: all that was done by then is on the disk. */
static void boot(struct power *p)
{
	if (p->options->boot == NULL)
		return;
	(void)disk_sync_all(p->record.disk);
	if (strcmp(p->options->boot, "token") == 0)
		fixture_lose_boot_token();
	else
		fixture_lose_run();
}

/* The host as a boot finds it when nothing was lost but what a boot takes away. */
static void look_after_a_boot(struct power *p, struct verdict_host *ret)
{
	struct watchers none = { .len = 0 };

	watchers_end_others(&none);
	lose_what_runs(p);
	verdict_look(&p->terms, ret);
}

static void record_all(struct power *p)
{
	struct image start;

	image_capture(fixture_roots, &p->terms.pristine);
	image_capture(p->roots, &start);
	p->record.roots = p->roots;
	p->record.disk = disk_new(&start, p->roots);
	image_release(&start);
	if (p->options->after != NULL)
		record_words(p, p->options->after);
	boot(p);
	image_capture(fixture_roots, &p->ready);
	watchers_capture(&p->watchers);
	p->start = disk_moments(p->record.disk);
	record_or_die(p, p->options->argv);
	if (p->options->filesystem == NULL)
		check_replay(p);
	look_after_a_boot(p, &p->terms.after);
	image_restore(&p->ready, fixture_roots, NULL);
	look_after_a_boot(p, &p->terms.before);
}

/* Both hosts have to have been seen, or the power did not go while anything was done. */
static _Noreturn void finish(const struct power *p)
{
	bool both = (p->kept_old > 0 && p->became_new > 0) || p->options->only != 0;

	if (!both)
		dprintf(STDOUT_FILENO, "# %s: the host was never the %s one\n", p->options->name,
			p->kept_old == 0 ? "old" : "new");
	dprintf(STDOUT_FILENO,
		"# %s: %u %s planned, %u different, %u done; %u old, %u new; %u ways back; %u times "
		"again in recover; %u repeated; %u not whole (%.1f s)\n",
		p->options->name, p->planned,
		p->options->filesystem != NULL ? "points" : "states", p->different, p->done,
		p->kept_old, p->became_new, p->backs, p->again, p->repeated, p->wrong,
		seconds() - p->began);
	_exit(p->done == 0 || p->wrong > 0 || !both);
}

static void work(void *arg)
{
	struct power *p = arg;
	const struct power_options *o = p->options;

	p->terms.output_fd = memfd_create("output", MFD_CLOEXEC);
	p->terms.tool = o->argv[0];
	p->terms.patience_s = 20;
	p->terms.services = o->host.services != NULL;
	p->terms.cut = true;
	find_roots(p);
	if (o->filesystem != NULL)
		device_take_over(o->filesystem, p->terms.services);
	p->terms.mounts = fixture_count_mounts();
	record_all(p);
	if (o->filesystem != NULL)
		cut_everywhere(p);
	else
		replay(p);
	disk_free(p->record.disk);
	record_release(&p->record);
	if (!o->list)
		finish(p);
}

int main(int argc, char **argv)
{
	struct power_options options;
	struct power power = { .options = &options, .began = seconds() };

	power_options_parse(argc, argv, &options);
	return fixture_run(0, &options.host, work, &power);
}

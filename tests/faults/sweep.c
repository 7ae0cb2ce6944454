/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * usage: sweep [OPTION...] -- PROGRAM [ARGUMENT...]
 *
 * Kills PROGRAM at every system call that it and its children make, one call a run, or lets that call
 * fail (errors.h); lets `PROGRAM recover` tidy, itself killed once at a call that moves; and looks
 * whether the host is whole (verdict.h). The plan is what a few recorded runs made; a planned call
 * that is never reached fails the sweep, and so does every host that is not whole.
 *
 *	record -> for each point: restore the host, run and kill, recover and kill, recover, verdict
 */
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "die.h"
#include "errors.h"
#include "fixture.h"
#include "image.h"
#include "instant.h"
#include "options.h"
#include "order.h"
#include "trace.h"
#include "verdict.h"
#include "watchers.h"

#define SEGMENTS_MAX (2 * TRACE_PROCESSES)
#define RECORDED_RUNS 8
/* Children and daemons let their parent wait more or less often, so a run may be shorter. */
#define TRIES 24
/* Coprime to the lengths of runs, more or less: consecutive kills of recover lie far apart. */
#define RECOVER_STEP 37

/* The calls of one process, killed in one mode. */
struct segment {
	unsigned process, calls;
	enum trace_mode mode;
};

struct shared {
	struct segment segments[SEGMENTS_MAX];
	unsigned n_segments, planned;
	atomic_uint ready, next, fired, beyond, repeated, recover_killed, left_over,
		backs, wrong, never, past_end;
	/* of commands that had a call fail */
	atomic_uint done, undone, in_doubt;
	struct errors errors;
};

struct worker {
	const struct options *options;
	struct shared *shared;
	unsigned number;
	struct verdict_terms terms;
	struct watchers watchers; /* that are there before a run */
	unsigned recover_call;
	bool daemon_stale;
};

/* ---- One point */

static void show_output(int fd)
{
	char text[2000];

	claims_read_output(fd, text, sizeof(text));
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
		dprintf(STDOUT_FILENO, "#     %s\n", line);
}

static void restart_daemon(struct worker *w)
{
	if (w->terms.daemon != 0)
		fixture_daemon_stop(w->terms.daemon);
	fixture_end_strays(0);
	w->terms.daemon = fixture_daemon_start();
}

static void reset(struct worker *w)
{
	watchers_end_others(&w->watchers);
	image_restore(&w->terms.before.image, fixture_roots, WATCHERS_DIR);
	watchers_start(&w->watchers);
	if (w->options->daemon && w->daemon_stale)
		restart_daemon(w);
	w->daemon_stale = false;
}

static void run_killed(struct worker *w, const struct trace_point *point,
		       struct trace_outcome *ret)
{
	claims_clear_output(w->terms.output_fd);
	trace_run(w->options->argv, point, w->terms.output_fd, NULL, ret);
	if (w->options->verbose)
		show_output(w->terms.output_fd);
}

/* A kill that comes after its last call leaves a recover that is done; the next starts over. */
static struct trace_point kill_recover(struct worker *w)
{
	char *argv[] = { w->terms.tool, (char *)"recover", NULL };
	struct trace_point point = { .process = 0, .mode = TRACE_ALL,
				     .changes = w->options->changes };
	unsigned step = point.changes ? 1 : RECOVER_STEP;
	struct trace_outcome o;

	point.call =
		w->options->recover_at != 0 ? w->options->recover_at : w->recover_call;
	claims_clear_output(w->terms.output_fd);
	trace_run(argv, &point, w->terms.output_fd, NULL, &o);
	if (o.fired)
		w->shared->recover_killed++;
	w->recover_call = o.fired ? w->recover_call + step : w->recover_call % step + 1;
	return point;
}

static void report(struct worker *w, const struct trace_point *point,
		   const struct trace_outcome *o, unsigned recover_at, const char *why)
{
	if (w->shared->wrong++ >= w->options->failures)
		return;
	if (point->mode == TRACE_ERROR)
		dprintf(STDOUT_FILENO, "# %s: --inject %s --at %u:%s:%u --recover-at %u (%s): %s\n",
			w->options->name, inject_name(point->kind), point->process,
			trace_call_name(point->number), point->call, recover_at, o->about,
			why);
	else
		dprintf(STDOUT_FILENO, "# %s: --mode %s --at %u:%u --recover-at %u (%s): %s\n",
			w->options->name, point->mode == TRACE_ALL ? "all" : "process",
			point->process, point->call, recover_at,
			trace_call_name(o->call_number), why);
}

static bool is_tidy(struct worker *w, const struct trace_point *point,
		    const struct trace_outcome *o, struct verdict *v)
{
	if (point->mode == TRACE_ERROR)
		return errors_are_tidied(&w->terms, o, v);
	if (!WIFEXITED(o->status) || WEXITSTATUS(o->status) != 4)
		return true;
	if (w->terms.services) {
		(void)snprintf(v->why, sizeof(v->why), "exits 4");
		return false;
	}
	w->shared->left_over++;
	return verdict_left_over(&w->terms, v);
}

static bool has_said(struct worker *w, const struct trace_point *point,
		     const struct trace_outcome *o, struct verdict *v)
{
	if (point->mode == TRACE_ERROR)
		return errors_fit(&w->terms, o, v);
	return !WIFEXITED(o->status) || verdict_said(&w->terms, WEXITSTATUS(o->status), v);
}

static void count_exit(struct worker *w, const struct trace_point *point, int status)
{
	if (point->mode != TRACE_ERROR)
		return;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		w->shared->done++;
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 4)
		w->shared->in_doubt++;
	else
		w->shared->undone++;
}

static bool is_whole(struct worker *w, const struct trace_point *point,
		     const struct trace_outcome *o, bool far, struct verdict *v)
{
	if (o->hung || o->strays > 0) {
		(void)snprintf(v->why, sizeof(v->why),
			       o->hung ? "hangs" : "%u children stay", o->strays);
		return false;
	}
	if (!verdict_tool(&w->terms, "recover", v) || !is_tidy(w, point, o, v) ||
	    !verdict_whole(&w->terms, v) || !has_said(w, point, o, v))
		return false;
	w->daemon_stale = v->host != &w->terms.before;
	if (!far)
		return true;
	w->shared->backs++;
	w->daemon_stale = true;
	return verdict_way_back(&w->terms, v);
}

/* Before anything recovers. */
static bool is_good_at_once(struct worker *w, const struct trace_point *point,
			    const struct trace_outcome *o, struct verdict *v)
{
	if (point->mode == TRACE_ERROR)
		return errors_are_honest(&w->terms, point, o, v);
	return w->options->recovered ||
	       instant_whole(&w->terms, point->mode == TRACE_PROCESS || o->locked, v);
}

/* True when the kill came before the run was over. */
static bool sweep_point(struct worker *w, const struct trace_point *point, bool far)
{
	struct verdict v = { 0 };
	struct trace_point recover;
	struct trace_outcome o;
	bool good, comparable;

	reset(w);
	run_killed(w, point, &o);
	if (!o.fired) {
		w->daemon_stale = true;
		return false;
	}
	count_exit(w, point, o.status);
	good = is_good_at_once(w, point, &o, &v);
	if (!good)
		report(w, point, &o, 0, v.why);
	comparable = point->mode != TRACE_ERROR || !errors_are_by_meaning(&w->terms);
	recover = kill_recover(w);
	if (good && comparable && !is_whole(w, point, &o, far, &v)) {
		report(w, point, &o, recover.call, v.why);
		fixture_end_strays(w->terms.daemon);
		w->daemon_stale = true;
	}
	return true;
}

/* ---- The plan */

static void record(struct worker *w, const struct trace_hooks *hooks, struct trace_calls *calls)
{
	const struct trace_point none = { .changes = w->options->changes, .hooks = hooks };
	struct trace_outcome o;

	w->daemon_stale = true;
	reset(w);
	w->daemon_stale = true;
	claims_clear_output(w->terms.output_fd);
	trace_run(w->options->argv, &none, w->terms.output_fd, calls, &o);
	if (!WIFEXITED(o.status) || WEXITSTATUS(o.status) != 0) {
		show_output(w->terms.output_fd);
		die("without a kill it exits %d", WEXITSTATUS(o.status));
	}
}

static void plan_segment(struct worker *w, unsigned process, unsigned calls,
			 enum trace_mode mode)
{
	struct shared *s = w->shared;

	s->segments[s->n_segments++] =
		(struct segment){ .process = process, .calls = calls, .mode = mode };
	s->planned += calls / w->options->stride;
}

static bool is_wanted(const struct options *options, unsigned p,
		      const struct trace_calls *calls)
{
	return calls->count > 0 && (!options->own || p == 0) &&
	       p < options->processes &&
	       (!options->watcher || calls->watcher);
}

/* A sweep that ends early is after one failure, and not after every call. */
static int recorded_runs(const struct options *options)
{
	return options->enough == UINT_MAX ? RECORDED_RUNS : 1;
}

static void count_numbers(const struct trace_calls *calls, unsigned ret[TRACE_NUMBERS])
{
	memset(ret, 0, TRACE_NUMBERS * sizeof(*ret));
	for (size_t i = 0; i < calls->count; i++)
		if (calls->items[i].nth != 0)
			ret[calls->items[i].number]++;
}

/* What every one of a few runs makes. */
static void plan_errors(struct worker *w)
{
	static unsigned shortest[TRACE_PROCESSES][TRACE_NUMBERS];
	struct trace_calls first[TRACE_PROCESSES] = { 0 };
	struct errors *errors = &w->shared->errors;

	record(w, NULL, first);
	for (unsigned p = 0; p < TRACE_PROCESSES; p++)
		count_numbers(&first[p], shortest[p]);
	for (int run = 1; run < recorded_runs(w->options); run++) {
		struct trace_calls calls[TRACE_PROCESSES] = { 0 };
		unsigned counts[TRACE_NUMBERS];

		record(w, NULL, calls);
		for (unsigned p = 0; p < TRACE_PROCESSES; p++) {
			count_numbers(&calls[p], counts);
			for (unsigned i = 0; i < TRACE_NUMBERS; i++)
				if (counts[i] < shortest[p][i])
					shortest[p][i] = counts[i];
		}
		trace_calls_release(calls);
	}
	for (unsigned p = 0; p < TRACE_PROCESSES; p++)
		if (is_wanted(w->options, p, &first[p]))
			errors_plan(p, &first[p], shortest[p], w->options->kinds, errors);
	trace_calls_release(first);
	errors_thin(errors, w->options->stride);
	w->shared->planned = errors->n_points;
}

/* The shortest of a few runs is what every run makes. */
static void make_plan(struct worker *w)
{
	const struct options *options = w->options;
	unsigned shortest[TRACE_PROCESSES];
	bool wanted[TRACE_PROCESSES];

	for (int run = 0; run < recorded_runs(options); run++) {
		struct trace_calls calls[TRACE_PROCESSES] = { 0 };

		record(w, NULL, calls);
		for (unsigned p = 0; p < TRACE_PROCESSES; p++)
			if (run == 0 || calls[p].count < shortest[p]) {
				shortest[p] = (unsigned)calls[p].count;
				wanted[p] = is_wanted(options, p, &calls[p]);
			}
		trace_calls_release(calls);
	}
	for (unsigned p = 0; p < TRACE_PROCESSES; p++) {
		if (options->process && wanted[p])
			plan_segment(w, p, shortest[p], TRACE_PROCESS);
		if (options->all && wanted[p])
			plan_segment(w, p, shortest[p], TRACE_ALL);
	}
}

static void list_calls(struct worker *w)
{
	struct trace_calls calls[TRACE_PROCESSES] = { 0 };

	record(w, NULL, calls);
	for (unsigned p = 0; p < TRACE_PROCESSES; p++)
		for (size_t i = 0; i < calls[p].count; i++)
			dprintf(STDOUT_FILENO, "%u:%zu %s\n", p, i + 1,
				trace_call_name(calls[p].items[i].number));
	trace_calls_release(calls);
}

static void check_order(struct worker *w)
{
	static struct order order;
	const struct trace_hooks hooks = { .ctx = &order, .after_call = order_see };
	struct trace_calls calls[TRACE_PROCESSES] = { 0 };

	order.name = w->options->name;
	record(w, &hooks, calls);
	trace_calls_release(calls);
	order_end(&order);
	w->shared->wrong = order.wrong;
	dprintf(STDOUT_FILENO, "# %s: %u calls that went well, %u of them fsync\n", order.name,
		order.calls, order.syncs);
}

/* The index-th point of the plan. */
static bool planned_point(const struct worker *w, unsigned index, struct trace_point *ret)
{
	unsigned stride = w->options->stride;

	if (index < w->shared->errors.n_points) {
		*ret = w->shared->errors.points[index];
		return true;
	}
	for (unsigned i = 0; i < w->shared->n_segments; i++) {
		const struct segment *s = &w->shared->segments[i];
		unsigned points = s->calls / stride;

		if (index < points) {
			*ret = (struct trace_point){ .process = s->process,
						     .mode = s->mode,
						     .changes = w->options->changes,
						     .call = (index + 1) * stride };
			return true;
		}
		index -= points;
	}
	return false;
}

static bool is_sampled(const struct worker *w, unsigned index)
{
	return w->options->way_back != 0 && index % w->options->way_back == 0;
}

/* How often a reload is polled for depends on how busy the machine is. So with a daemon the last
 * twentieth of the calls may belong to no run any more; none before them. */
static bool is_past_a_shorter_end(const struct worker *w, const struct trace_point *point)
{
	if (!w->options->daemon)
		return false;
	for (unsigned i = 0; i < w->shared->n_segments; i++) {
		const struct segment *s = &w->shared->segments[i];

		if (s->process == point->process && s->mode == point->mode)
			return point->call > s->calls - s->calls / 20;
	}
	return false;
}

static void sweep_planned(struct worker *w, const struct trace_point *point,
			  unsigned index)
{
	for (int i = 0; i < TRIES; i++) {
		if (sweep_point(w, point, is_sampled(w, index))) {
			w->shared->fired++;
			return;
		}
		w->shared->repeated++;
	}
	if (is_past_a_shorter_end(w, point)) {
		w->shared->past_end++;
		return;
	}
	w->shared->never++;
	if (point->mode == TRACE_ERROR)
		dprintf(STDOUT_FILENO, "# %s: --inject %s --at %u:%s:%u was never reached\n",
			w->options->name, inject_name(point->kind), point->process,
			trace_call_name(point->number), point->call);
	else
		dprintf(STDOUT_FILENO, "# %s: --at %u:%u was never reached\n",
			w->options->name, point->process, point->call);
}

/* Longer runs than the recorded ones: on to the call that no run makes. */
static void sweep_beyond(struct worker *w, const struct segment *segment)
{
	struct trace_point point = { .process = segment->process,
				     .mode = segment->mode,
				     .changes = w->options->changes,
				     .call = segment->calls + 1 };

	for (; sweep_point(w, &point, true); point.call++)
		w->shared->beyond++;
}

static void sweep_all(struct worker *w)
{
	struct shared *s = w->shared;

	while (s->wrong < w->options->enough) {
		unsigned index = s->next++;
		struct trace_point point;

		if (planned_point(w, index, &point))
			sweep_planned(w, &point, index);
		else if (index - s->planned < s->n_segments)
			sweep_beyond(w, &s->segments[index - s->planned]);
		else
			return;
	}
}

/* ---- A worker */

static void do_or_die(struct worker *w, const char *words)
{
	struct verdict v;

	if (!verdict_tool(&w->terms, words, &v))
		die("%s", v.why);
}

/* What runs goes on, but for sshd: it has to read what a boot lets it read. */
static void boot(struct worker *w)
{
	w->terms.overdue = w->options->boot != BOOT_NONE;
	w->terms.emptied = w->options->boot == BOOT_RUN;
	if (w->options->boot == BOOT_TOKEN)
		fixture_lose_boot_token();
	if (w->options->boot == BOOT_RUN)
		fixture_lose_run();
	if (w->options->boot == BOOT_RUN && w->options->daemon)
		restart_daemon(w);
}

static const char *expected_status(const struct worker *w,
				   const struct verdict_host *host)
{
	if (!host->claims.applied)
		return "normal";
	return w->terms.overdue && host == &w->terms.before ? "drifted" : "applied";
}

static void look(struct worker *w, struct verdict_host *host)
{
	bool emptied = w->terms.emptied && host == &w->terms.before;
	unsigned due, alive;

	verdict_look(&w->terms, host);
	due = host->claims.watch[0] != '\0' && !emptied;
	alive = watchers_settle(due, w->terms.patience_s);
	if (fixture_count_strays(w->terms.daemon) > 0)
		die("without a kill it leaves processes behind");
	if (w->terms.services)
		return;
	/* what a boot made of it depends on where it was written */
	if (!emptied && host->open != host->claims.applied)
		die("without a kill sshd says %s", host->open ? "open" : "closed");
	if (strcmp(host->status, expected_status(w, host)) != 0)
		die("without a kill status says %s", host->status);
	if (alive != due)
		die("without a kill there are %u watchers, not %u", alive, due);
}

/* The first words that are no warning: what follows a wide gap is of this run alone. */
static void read_headline(struct worker *w)
{
	char text[4096];

	claims_read_output(w->terms.output_fd, text, sizeof(text));
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		char *gap = strstr(line, "  ");

		if (line[0] == ' ' || strncmp(line, "rootlatch: ", strlen("rootlatch: ")) == 0)
			continue;
		if (gap != NULL)
			*gap = '\0';
		(void)snprintf(w->terms.headline, sizeof(w->terms.headline), "%s", line);
		return;
	}
}

static void capture_hosts(struct worker *w)
{
	struct trace_outcome o;

	image_capture(fixture_roots, &w->terms.pristine);
	for (const char *const *words = w->options->after; *words != NULL; words++)
		do_or_die(w, *words);
	boot(w);
	look(w, &w->terms.before);
	watchers_capture(&w->watchers);
	claims_clear_output(w->terms.output_fd);
	trace_run_plain(w->options->argv, w->terms.output_fd, &o);
	if (o.status != 0) {
		show_output(w->terms.output_fd);
		die("without a kill and a tracer it exits %d", WEXITSTATUS(o.status));
	}
	read_headline(w);
	look(w, &w->terms.after);
}

static void work(void *arg)
{
	struct worker *w = arg;
	const struct options *options = w->options;

	w->terms.output_fd = memfd_create("output", MFD_CLOEXEC);
	w->terms.tool = options->argv[0];
	w->terms.patience_s = options->patience_s;
	w->terms.services = options->services != NULL;
	w->recover_call = 1 + w->number * RECOVER_STEP / 2;
	if (options->daemon)
		w->terms.daemon = fixture_daemon_start();
	capture_hosts(w);
	w->terms.mounts = fixture_count_mounts();
	if (options->list) {
		list_calls(w);
	} else if (options->order) {
		check_order(w);
	} else if (options->at.call != 0) {
		w->shared->planned = 1;
		w->daemon_stale = true;
		sweep_planned(w, &options->at, 0);
	} else {
		if (w->number == 0) {
			if (options->kinds != 0)
				plan_errors(w);
			else
				make_plan(w);
			w->shared->next = options->from;
			w->shared->ready = 1;
		}
		while (!w->shared->ready)
			(void)usleep(1000);
		w->daemon_stale = true;
		sweep_all(w);
	}
}

/* ---- All of them */

static int run_workers(const struct options *options, struct shared *shared)
{
	const struct fixture_terms terms = { .tool = options->argv[0],
					     .line_1 = options->line_1,
					     .cron = options->cron,
					     .services = options->services };
	int worst = 0, status;

	for (unsigned i = 0; i < options->workers; i++) {
		struct worker w = { .options = options, .shared = shared, .number = i };
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			_exit(fixture_run(i, &terms, work, &w));
		}
	}
	while (wait(&status) > 0) {
		int code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_BROKEN;

		worst = code > worst ? code : worst;
		if (code != 0 && !shared->ready)
			shared->ready = 1;
	}
	return worst;
}

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct options options;
	double start = seconds();
	struct shared *shared;
	int broken;

	options_parse(argc, argv, &options);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die("mmap");
	broken = run_workers(&options, shared);
	if (broken != 0 || options.list)
		return broken;
	if (options.order)
		return shared->wrong > 0;
	dprintf(STDOUT_FILENO,
		"# %s: %u points planned, %u fired, %u past a shorter end, %u beyond the plan, "
		"%u repeated; recover killed %u times; %u tidied later; %u ways back; %u not whole "
		"(%.1f s)\n",
		options.name, shared->planned, shared->fired, shared->past_end,
		shared->beyond, shared->repeated, shared->recover_killed,
		shared->left_over, shared->backs, shared->wrong, seconds() - start);
	if (options.kinds != 0)
		dprintf(STDOUT_FILENO, "# %s: after a failed call %u done, %u undone, %u in doubt\n",
			options.name, shared->done, shared->undone, shared->in_doubt);
	return shared->planned == 0 ||
	       options.from + shared->fired + shared->past_end != shared->planned ||
	       shared->never > 0 || shared->wrong > 0;
}

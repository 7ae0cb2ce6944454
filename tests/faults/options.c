/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "options.h"

#include <getopt.h>
#include <limits.h>

#include "die.h"

static void usage(void)
{
	dprintf(STDERR_FILENO,
		"usage: sweep [OPTION...] -- PROGRAM [ARGUMENT...]\n"
		"  --name NAME        what it is called in the output\n"
		"  --after WORDS      first `PROGRAM WORDS`: what leads up to the command; given\n"
		"                     again, these are next\n"
		"  --boot WHAT        and then a boot; token: only its token is gone; run: all of\n"
		"                     /run/rootlatch, and the watchers\n"
		"  --line-1           with a main file that includes no folder first\n"
		"  --cron             with a cron running\n"
		"  --services COMMAND with boot services, which this shell command makes; no login\n"
		"  --daemon           with an sshd running\n"
		"  --order            kill nothing: hold the calls of one run against the rules of\n"
		"                     order.h\n"
		"  --own              only PROGRAM's own calls, not its children's\n"
		"  --processes N      only those of the first N processes\n"
		"  --watcher          only those of the watcher that it starts, which are its\n"
		"                     children's too, until that has published its file\n"
		"  --changes          only calls that change something: before any other the host is\n"
		"                     as before the next of them\n"
		"  --mode MODE        process: kill the one that makes the call; all: the whole\n"
		"                     tree; both (the default)\n"
		"  --inject KIND      kill nothing, but let each call fail: EIO, ENOSPC, EROFS, EDQUOT,\n"
		"                     EMFILE, ENOMEM, EINTR, or be short: one, half; or all of these.\n"
		"                     May be given several times\n"
		"  --stride K         only every Kth call; with --inject the first of each call and\n"
		"                     kind as well\n"
		"  --recovered        look at the host only when it was recovered: PROGRAM has no\n"
		"                     journal and no lock\n"
		"  --way-back K       after every Kth kill also check and close; 0: never\n"
		"  --at P:N           only call N of process P; with --inject P:CALL:N, the Nth CALL\n"
		"  --recover-at N     kill recover at its call N\n"
		"  --list             print the calls instead\n"
		"  --jobs N           workers, one a processor if not given\n"
		"  --patience N       how many seconds a watcher has to end, 20 if not given\n"
		"  --failures N       how many are shown, 12 if not given\n"
		"  --enough N         stop when so many were found\n"
		"  --from N           leave out the first N points\n"
		"  --verbose\n");
	exit(64);
}

static void parse_mode(struct options *o, const char *mode)
{
	o->process = strcmp(mode, "all") != 0;
	o->all = strcmp(mode, "process") != 0;
	o->at.mode = o->process ? TRACE_PROCESS : TRACE_ALL;
	if (o->process && o->all && strcmp(mode, "both") != 0)
		usage();
}

static void parse_kind(struct options *o, const char *name)
{
	enum inject_kind kind = inject_find(name);

	if (strcmp(name, "all") == 0)
		o->kinds = (1u << INJECT_KINDS) - 1;
	else if (kind < INJECT_KINDS)
		o->kinds |= 1u << kind;
	else
		usage();
	o->at.mode = TRACE_ERROR;
	o->at.kind = kind;
}

static void parse_at(struct options *o, const char *value)
{
	char name[32];

	if (sscanf(value, "%u:%31[a-z0-9_]:%u", &o->at.process, name, &o->at.call) == 3)
		o->at.number = trace_call_find(name);
	else if (sscanf(value, "%u:%u", &o->at.process, &o->at.call) != 2)
		usage();
}

static void parse_boot(struct options *o, const char *what)
{
	if (strcmp(what, "token") != 0 && strcmp(what, "run") != 0)
		usage();
	o->boot = strcmp(what, "token") == 0 ? BOOT_TOKEN : BOOT_RUN;
}

static void add_after(struct options *o, const char *words)
{
	unsigned n = 0;

	while (o->after[n] != NULL)
		n++;
	if (n == AFTER_MAX)
		usage();
	o->after[n] = words;
}

static void take(struct options *o, int c, char *value)
{
	switch (c) {
	case 'n':
		o->name = value;
		break;
	case 'a':
		add_after(o, value);
		break;
	case 'b':
		parse_boot(o, value);
		break;
	case '1':
		o->line_1 = true;
		break;
	case 'c':
		o->cron = true;
		break;
	case 'S':
		o->services = value;
		break;
	case 'd':
		o->daemon = true;
		break;
	case 'o':
		o->own = true;
		break;
	case 'N':
		o->processes = (unsigned)atoi(value);
		break;
	case 'W':
		o->watcher = true;
		break;
	case 'C':
		o->changes = true;
		break;
	case 'R':
		o->recovered = true;
		break;
	case 'O':
		o->order = true;
		break;
	case 'm':
		parse_mode(o, value);
		break;
	case 's':
		o->stride = (unsigned)atoi(value);
		break;
	case 'w':
		o->way_back = (unsigned)atoi(value);
		break;
	case 'p':
		parse_at(o, value);
		break;
	case 'i':
		parse_kind(o, value);
		break;
	case 'r':
		o->recover_at = (unsigned)atoi(value);
		break;
	case 'l':
		o->list = true;
		break;
	case 'j':
		o->workers = (unsigned)atoi(value);
		break;
	case 'P':
		o->patience_s = (unsigned)atoi(value);
		break;
	case 'f':
		o->failures = (unsigned)atoi(value);
		break;
	case 'e':
		o->enough = (unsigned)atoi(value);
		break;
	case 'F':
		o->from = (unsigned)atoi(value);
		break;
	case 'v':
		o->verbose = true;
		break;
	default:
		usage();
	}
}

void options_parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "name", 1, NULL, 'n' },
		{ "after", 1, NULL, 'a' },
		{ "boot", 1, NULL, 'b' },
		{ "line-1", 0, NULL, '1' },
		{ "cron", 0, NULL, 'c' },
		{ "services", 1, NULL, 'S' },
		{ "daemon", 0, NULL, 'd' },
		{ "own", 0, NULL, 'o' },
		{ "processes", 1, NULL, 'N' },
		{ "watcher", 0, NULL, 'W' },
		{ "recovered", 0, NULL, 'R' },
		{ "order", 0, NULL, 'O' },
		{ "changes", 0, NULL, 'C' },
		{ "mode", 1, NULL, 'm' },
		{ "inject", 1, NULL, 'i' },
		{ "stride", 1, NULL, 's' },
		{ "way-back", 1, NULL, 'w' },
		{ "at", 1, NULL, 'p' },
		{ "recover-at", 1, NULL, 'r' },
		{ "list", 0, NULL, 'l' },
		{ "jobs", 1, NULL, 'j' },
		{ "patience", 1, NULL, 'P' },
		{ "failures", 1, NULL, 'f' },
		{ "enough", 1, NULL, 'e' },
		{ "from", 1, NULL, 'F' },
		{ "verbose", 0, NULL, 'v' },
		{ 0 },
	};
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int c;

	*o = (struct options){ .name = "sweep",
			       .stride = 1,
			       .way_back = 8,
			       .workers = 1,
			       .failures = 12,
			       .enough = UINT_MAX,
			       .patience_s = 20,
			       .processes = TRACE_PROCESSES };
	o->process = o->all = true;
	if (processors > 0)
		o->workers =
			processors > WORKERS_MAX ? WORKERS_MAX : (unsigned)processors;
	while ((c = getopt_long(argc, argv, "+", longs, NULL)) != -1)
		take(o, c, optarg);
	o->at.changes = o->changes;
	o->argv = argv + optind;
	if (optind == argc || o->stride == 0 || o->workers == 0 ||
	    o->workers > WORKERS_MAX)
		usage();
	if (o->list || o->order || o->at.call != 0)
		o->workers = 1;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "power_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void usage(void)
{
	dprintf(STDERR_FILENO,
		"usage: power [OPTION...] -- PROGRAM [ARGUMENT...]\n"
		"  --filesystem NAME  cut the power of an ext4 or xfs, instead of replaying\n"
		"  --name NAME        what it is called in the output\n"
		"  --after WORDS      first `PROGRAM WORDS`: what leads up to the command\n"
		"  --boot WHAT        and then an orderly boot; token: only its token is gone;\n"
		"                     run: all of /run/rootlatch, and the watchers\n"
		"  --line-1           with a main file that includes no folder first\n"
		"  --cron             with a cron running\n"
		"  --services COMMAND with boot services, which this shell command makes; no login\n"
		"  --few              no combinations of effects\n"
		"  --stride K         only every Kth state or call\n"
		"  --way-back K       after every Kth also check and close; 0: never\n"
		"  --again K          replaying: after every Kth the power goes in recover too,\n"
		"                     in each way; 0: never\n"
		"  --only N           only the Nth\n"
		"  --list             print the states instead\n"
		"  --failures N       how many are shown, 12 if not given\n");
	exit(64);
}

static void take(struct power_options *o, int c, char *value)
{
	switch (c) {
	case 'F':
		o->filesystem = value;
		break;
	case 'n':
		o->name = value;
		break;
	case 'a':
		o->after = value;
		break;
	case 'b':
		o->boot = value;
		break;
	case '1':
		o->host.line_1 = true;
		break;
	case 'c':
		o->host.cron = true;
		break;
	case 'S':
		o->host.services = value;
		break;
	case 'e':
		o->few = true;
		break;
	case 's':
		o->stride = (unsigned)atoi(value);
		break;
	case 'w':
		o->way_back = (unsigned)atoi(value);
		break;
	case 'A':
		o->again = (unsigned)atoi(value);
		break;
	case 'o':
		o->only = (unsigned)atoi(value);
		break;
	case 'l':
		o->list = true;
		break;
	case 'f':
		o->failures = (unsigned)atoi(value);
		break;
	default:
		usage();
	}
}

void power_options_parse(int argc, char **argv, struct power_options *ret)
{
	static const struct option longs[] = {
		{ "filesystem", 1, NULL, 'F' },
		{ "name", 1, NULL, 'n' },
		{ "after", 1, NULL, 'a' },
		{ "boot", 1, NULL, 'b' },
		{ "line-1", 0, NULL, '1' },
		{ "cron", 0, NULL, 'c' },
		{ "services", 1, NULL, 'S' },
		{ "few", 0, NULL, 'e' },
		{ "stride", 1, NULL, 's' },
		{ "way-back", 1, NULL, 'w' },
		{ "again", 1, NULL, 'A' },
		{ "only", 1, NULL, 'o' },
		{ "list", 0, NULL, 'l' },
		{ "failures", 1, NULL, 'f' },
		{ 0 },
	};
	int c;

	*ret = (struct power_options){ .name = "power", .stride = 1, .way_back = 8, .failures = 12 };
	while ((c = getopt_long(argc, argv, "+", longs, NULL)) != -1)
		take(ret, c, optarg);
	ret->argv = argv + optind;
	if (optind == argc || ret->stride == 0)
		usage();
	ret->host.tool = ret->argv[0];
}

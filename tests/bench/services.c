/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * usage: services ROOTLATCH NAME FLAVOUR
 *
 * Runs on a booted host, whose service NAME starts at boot: switches it off and back on, in turns
 * with what the procedure of 2009 types. In each turn the two begin with the same host.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figures.h"
#include "spawn.h"

#define ROUNDS 40

enum {
	DISABLE,
	REVERT,
	TYPED,
	N_SERIES,
};

static double wall[N_SERIES][ROUNDS], cpu[N_SERIES][ROUNDS];

static void run(unsigned kind, size_t i, char *const *argv)
{
	wall[kind][i] = spawn_timed_both(argv, &cpu[kind][i]);
}

static void turn_rootlatch(char *tool, char *name, size_t i)
{
	char toggle[100], *disable[] = { tool, (char *)"disable", name, NULL },
			  *revert[] = { tool, (char *)"revert", toggle, NULL };

	(void)snprintf(toggle, sizeof(toggle), "service/%s", name);
	run(DISABLE, i, disable);
	run(REVERT, i, revert);
}

static void turn_typed(const char *name, size_t i)
{
	char off[200], on[200], *typed[] = { (char *)"sh", (char *)"-c", off, NULL },
				*back[] = { (char *)"sh", (char *)"-c", on, NULL };

	(void)snprintf(off, sizeof(off),
		       "update-rc.d %s disable 2>/dev/null; chmod 644 /etc/init.d/%s", name,
		       name);
	(void)snprintf(on, sizeof(on),
		       "chmod 755 /etc/init.d/%s; update-rc.d %s enable 2>/dev/null", name,
		       name);
	run(TYPED, i, typed);
	(void)spawn_timed(back);
}

static void print(const char *flavour)
{
	const bool goals = strcmp(flavour, "sysvinit") == 0;
	double off = figures_median_ratio(wall[DISABLE], wall[TYPED], ROUNDS, 1);
	double back = figures_median_ratio(wall[REVERT], wall[TYPED], ROUNDS, 1);
	char text[120];

	(void)snprintf(text, sizeof(text),
		       "Against `update-rc.d NAME disable; chmod 644 ...`, on a %s host",
		       flavour);
	figures_title(text);
	if (goals) {
		figures_row_goal("disable / that line", off, "", 1.25, false);
		figures_row_goal("revert / that line", back, "", 0.5, false);
	} else {
		figures_row_plain("disable / that line", off, "");
		figures_row_plain("revert / that line", back, "");
	}
	figures_row_plain("disable / that line, processor time",
			  figures_median_ratio(cpu[DISABLE], cpu[TYPED], ROUNDS, 1), "");
	figures_row_plain("revert / that line, processor time",
			  figures_median_ratio(cpu[REVERT], cpu[TYPED], ROUNDS, 1), "");
	figures_row_plain("disable", figures_median(wall[DISABLE], ROUNDS), " ms");
	figures_row_plain("revert", figures_median(wall[REVERT], ROUNDS), " ms");
	figures_row_plain("that line", figures_median(wall[TYPED], ROUNDS), " ms");
	if (figures_missed > 0)
		printf("\n%u goals missed.\n", figures_missed);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 64;
	/* the first turn is for the caches */
	for (size_t i = 0; i <= ROUNDS; i++) {
		size_t at = i > 0 ? i - 1 : 0;

		if (i % 2 == 0)
			turn_typed(argv[2], at);
		turn_rootlatch(argv[1], argv[2], at);
		if (i % 2 != 0)
			turn_typed(argv[2], at);
	}
	print(argv[3]);
	return 0;
}

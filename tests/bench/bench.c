/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * usage: bench ROOTLATCH PROGRAMS STATE
 *
 * Runs inside the namespace that `run` makes, where /etc/ssh is a scratch folder on a disk.
 * Everything that is compared is measured in the same loop, in turns, and compared within its
 * turn: the machine's noise is then in both, and the median of the ratios is what is printed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "figures.h"
#include "spawn.h"

#define CONFIG "/etc/ssh/sshd_config"
#define ASK "sshd -T -C user=root,host=a.example,addr=192.0.2.10,laddr=192.0.2.1,lport=22"
#define ROUNDS 80
#define AUGTOOL_EVERY 4
#define GROWTH_ROUNDS 15
#define WORDS 8

struct tools {
	char *rootlatch, *floor, *recorded, *state;
};

/* What is measured in each turn. */
enum {
	OPEN,
	CLOSE,
	RUN_OPEN, /* the default: a file in /run, a deadline, a watcher */
	RUN_STATUS,
	RUN_CLOSE,
	STATUS,
	STATUS_OFFLINE,
	TYPED_OPEN,
	TYPED_CLOSE,
	TYPED_STATUS,
	FLOOR,
	SSHD_TEST,
	AUGTOOL,
	N_SERIES,
};

static const char *const typed_open =
	"sed -i 's/^PermitRootLogin no/PermitRootLogin yes/' " CONFIG
	" && sshd -t && " ASK;
static const char *const typed_close =
	"sed -i 's/^PermitRootLogin yes/PermitRootLogin no/' " CONFIG
	" && sshd -t && " ASK;
static const char *const typed_status =
	"grep -i permitrootlogin " CONFIG " && " ASK " | grep -i permitrootlogin";

static double series[N_SERIES][ROUNDS];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Of every `every`th turn, as the rest has no value for one of the two. */
static double median_ratio(const double *a, const double *b, size_t every)
{
	return figures_median_ratio(a, b, ROUNDS, every);
}

/* ---- Commands */

static double timed(const char *words, const struct tools *t)
{
	char *argv[WORDS + 1] = { t->rootlatch, (char *)"--state-dir", t->state };
	char copy[256], *save = NULL;
	int n = 3;

	(void)snprintf(copy, sizeof(copy), "%s", words);
	for (char *w = strtok_r(copy, " ", &save); w != NULL && n < WORDS;
	     w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	return spawn_timed(argv);
}

static double timed_sh(const char *line)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)line, NULL };

	return spawn_timed(argv);
}

static double timed_floor(const struct tools *t, const char *how)
{
	char *argv[] = { t->floor, (char *)CONFIG, t->state, (char *)how, NULL };

	return spawn_timed(argv);
}

static double timed_sshd(const char *option)
{
	char *argv[] = { (char *)"/usr/sbin/sshd", (char *)option, NULL };

	return spawn_timed(argv);
}

static double timed_augtool(void)
{
	char *argv[] = {
		(char *)"augtool", (char *)"-s",
		(char *)"set",     (char *)"/files/etc/ssh/sshd_config/PermitRootLogin",
		(char *)"yes",     NULL
	};

	return spawn_timed(argv);
}

/* ---- The file */

/* What long files consist of: settings with a comment here and there, then Match blocks. */
static void write_config(unsigned lines)
{
	static const char *const settings[] = {
		"# How often a client that says nothing is asked for a sign of life.",
		"ClientAliveInterval 300",
		"ClientAliveCountMax 2",
		"#MaxAuthTries 6",
		"X11Forwarding no",
		"# Nowhere else, and not the second name that it has had.",
		"AuthorizedKeysFile .ssh/authorized_keys",
		"# The log goes to the central host as well, with every key's fingerprint.",
		"LogLevel VERBOSE",
		"",
	};
	FILE *f = fopen(CONFIG, "we");
	unsigned n = 0, users = 0;

	if (f == NULL)
		fail(CONFIG);
	for (; n < lines / 2; n++)
		if (n == lines / 4)
			fprintf(f, "PermitRootLogin no\n");
		else
			fprintf(f, "%s\n",
				settings[n % (sizeof(settings) / sizeof(settings[0]))]);
	for (; n < lines; n++)
		switch (n % 5) {
		case 0:
			fprintf(f, "Match User backup%05u Address 10.0.0.0/8\n", users++);
			break;
		case 1:
			fprintf(f,
				"\t# the nightly copy of a workstation, pushed from there\n");
			break;
		case 2:
			fprintf(f, "\tAllowTcpForwarding no\n");
			break;
		case 3:
			fprintf(f, "\tForceCommand /usr/local/sbin/backup-receive\n");
			break;
		default:
			fprintf(f, "\tPermitTTY no\n");
		}
	if (fchmod(fileno(f), 0644) < 0 || fclose(f) != 0)
		fail(CONFIG);
}

/* ---- The measurements */

static void measure_rootlatch(const struct tools *t, size_t i)
{
	series[OPEN][i] = timed("open --in-place --keep", t);
	series[STATUS][i] = timed("status", t);
	series[STATUS_OFFLINE][i] = timed("status --offline", t);
	series[CLOSE][i] = timed("close", t);
}

static void measure_runtime(const struct tools *t, size_t i)
{
	series[RUN_OPEN][i] = timed("open --for 1h", t);
	series[RUN_STATUS][i] = timed("status", t);
	series[RUN_CLOSE][i] = timed("close", t);
}

static void measure_typed(const struct tools *t, size_t i)
{
	series[TYPED_OPEN][i] = timed_sh(typed_open);
	series[TYPED_STATUS][i] = timed_sh(typed_status);
	series[TYPED_CLOSE][i] = timed_sh(typed_close);
}

static void measure_rest(const struct tools *t, size_t i)
{
	series[FLOOR][i] = timed_floor(t, "sshd");
	series[SSHD_TEST][i] = timed_sshd("-t");
	if (i % AUGTOOL_EVERY != 0)
		return;
	series[AUGTOOL][i] = timed_augtool();
	write_config(100);
}

static void measure(const struct tools *t)
{
	static void (*const turns[])(const struct tools *, size_t) = {
		measure_rootlatch, measure_runtime, measure_typed, measure_rest,
	};
	const size_t n = sizeof(turns) / sizeof(turns[0]);

	write_config(100);
	for (size_t k = 0; k < n; k++)
		turns[k](t, 0);
	for (size_t i = 0; i < ROUNDS; i++)
		for (size_t k = 0; k < n; k++)
			turns[(i + k) % n](t, i);
}

static void print_measured(void)
{
	figures_title("Against what a careful person types: sed -i, sshd -t, sshd -T -C ...");
	figures_row_goal("open in place / that line", median_ratio(series[OPEN], series[TYPED_OPEN], 1),
		 "", 0.85, false);
	figures_row_plain("close in place / that line",
		  median_ratio(series[CLOSE], series[TYPED_CLOSE], 1), "");
	figures_row_plain("open --for 1h / that line",
		  median_ratio(series[RUN_OPEN], series[TYPED_OPEN], 1), "");
	figures_row_goal("close of that / that line",
		 median_ratio(series[RUN_CLOSE], series[TYPED_CLOSE], 1), "", 0.8, false);
	figures_row_plain("status of that / grep and sshd -T -C ...",
		  median_ratio(series[RUN_STATUS], series[TYPED_STATUS], 1), "");
	figures_row_plain("status / grep and sshd -T -C ...",
		  median_ratio(series[STATUS], series[TYPED_STATUS], 1), "");
	figures_row_goal("status --offline / sshd -t",
		 median_ratio(series[STATUS_OFFLINE], series[SSHD_TEST], 1), "", 0.5,
		 false);
	figures_row_goal("augtool -s set ... / open",
		 median_ratio(series[AUGTOOL], series[OPEN], AUGTOOL_EVERY), "x", 10,
		 true);
	figures_row_plain("open / the floor of a safe opening",
		  median_ratio(series[OPEN], series[FLOOR], 1), "");

	figures_title("Medians");
	figures_row_plain("open in place", figures_median(series[OPEN], ROUNDS), " ms");
	figures_row_plain("close in place", figures_median(series[CLOSE], ROUNDS), " ms");
	figures_row_plain("open --for 1h", figures_median(series[RUN_OPEN], ROUNDS), " ms");
	figures_row_plain("close of that", figures_median(series[RUN_CLOSE], ROUNDS), " ms");
	figures_row_plain("status", figures_median(series[STATUS], ROUNDS), " ms");
	figures_row_plain("status --offline", figures_median(series[STATUS_OFFLINE], ROUNDS), " ms");
	figures_row_plain("the line for open", figures_median(series[TYPED_OPEN], ROUNDS), " ms");
	figures_row_plain("the floor of a safe opening", figures_median(series[FLOOR], ROUNDS), " ms");
	figures_row_plain("sshd -t", figures_median(series[SSHD_TEST], ROUNDS), " ms");
}

static void print_memory(const struct tools *t)
{
	static const char *const unwanted[] = { "libssh", "libcrypto", "libxml2",
						"libicu" };
	char *open_argv[] = {
		t->rootlatch,         (char *)"--state-dir", t->state, (char *)"open",
		(char *)"--in-place", (char *)"--keep",      NULL
	};
	char *close_argv[] = { t->rootlatch, (char *)"--state-dir", t->state,
			       (char *)"close", NULL };
	static char maps[256 << 10];
	double peak;

	figures_title("Memory of its own, and libraries");
	peak = spawn_peak(open_argv, maps, sizeof(maps));
	figures_row_goal("open, 100 lines", peak, " MB", 6, false);
	for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++) {
		bool loaded = strstr(maps, unwanted[i]) != NULL;

		figures_row(unwanted[i], loaded ? "loaded" : "not loaded", "not",
		    loaded ? "MISSED" : "met");
		figures_missed += loaded;
	}
	figures_row_plain("close, 100 lines", spawn_peak(close_argv, maps, sizeof(maps)), " MB");
}

/* With sshd's answers repeated from a recording: what is left is rootlatch's own time. */
static double own_time(const struct tools *t, double *floor)
{
	double own[GROWTH_ROUNDS], floors[GROWTH_ROUNDS], ratios[GROWTH_ROUNDS];

	if (mount(t->recorded, "/usr/sbin/sshd", NULL, MS_BIND, NULL) < 0)
		fail("bind over sshd");
	/* the first time records */
	for (int i = -1; i < GROWTH_ROUNDS; i++) {
		double ms = timed("open --in-place --keep", t);

		(void)timed("close", t);
		if (i < 0)
			continue;
		own[i] = ms;
		floors[i] = timed_floor(t, "alone");
		ratios[i] = own[i] / floors[i];
	}
	if (umount2("/usr/sbin/sshd", MNT_DETACH) < 0)
		fail("umount");
	*floor = figures_median(floors, GROWTH_ROUNDS);
	printf("  %8.2f %8.2f %7.2f", figures_median(own, GROWTH_ROUNDS), *floor,
	       figures_median(ratios, GROWTH_ROUNDS));
	return figures_median(ratios, GROWTH_ROUNDS);
}

static void print_growth(const struct tools *t)
{
	static const unsigned lines[] = { 100, 1000, 10000, 100000 };
	double ratio = 0, floor;

	figures_title("Growth: open without sshd's own time, against read, two SHA-256, two write + fsync");
	printf("  %8s %8s  %8s %8s %7s\n", "lines", "sshd -T", "open", "floor", "ratio");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		write_config(lines[i]);
		printf("  %8u %8.2f", lines[i], timed_sshd("-T"));
		ratio = own_time(t, &floor);
		printf("\n");
		(void)fflush(stdout);
	}
	figures_row_goal("100000 lines: open / floor", ratio, "", 1.5, false);
}

static void make_recorder(void)
{
	int fd;

	/* the real one, under another name, while ours stands in its place */
	if (mkdir("/run/recorded", 0700) < 0 ||
	    (fd = open("/run/recorded/sshd", O_WRONLY | O_CREAT | O_CLOEXEC, 0700)) < 0 ||
	    close(fd) < 0 ||
	    mount("/usr/sbin/sshd", "/run/recorded/sshd", NULL, MS_BIND, NULL) < 0)
		fail("/run/recorded");
}

int main(int argc, char **argv)
{
	char floor_path[4096], recorded_path[4096];
	struct tools t;
	double load;

	if (argc != 4)
		return 64;
	(void)snprintf(floor_path, sizeof(floor_path), "%s/floor", argv[2]);
	(void)snprintf(recorded_path, sizeof(recorded_path), "%s/recorded", argv[2]);
	t = (struct tools){ .rootlatch = argv[1],
			    .floor = floor_path,
			    .recorded = recorded_path,
			    .state = argv[3] };
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	/* open uses two processors at once, the typed line one after the other */
	if (getloadavg(&load, 1) == 1 && load > 0.7)
		printf("The load is %.1f: open and close look slower than they are.\n",
		       load);
	measure(&t);
	print_measured();
	print_memory(&t);
	make_recorder();
	print_growth(&t);
	if (figures_missed > 0)
		printf("\n%u goals missed.\n", figures_missed);
	return 0;
}

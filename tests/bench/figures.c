/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned figures_missed;

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double figures_median(const double *values, size_t n)
{
	double sorted[FIGURES_MAX];

	memcpy(sorted, values, n * sizeof(*values));
	qsort(sorted, n, sizeof(*sorted), compare);
	return n % 2 != 0 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

double figures_median_ratio(const double *a, const double *b, size_t n, size_t every)
{
	double ratios[FIGURES_MAX];
	size_t k = 0;

	for (size_t i = 0; i < n; i += every)
		ratios[k++] = a[i] / b[i];
	return figures_median(ratios, k);
}

void figures_title(const char *text)
{
	printf("\n%s\n", text);
}

void figures_row(const char *figure, const char *value, const char *goal,
		 const char *verdict)
{
	printf("  %-48s %10s  %-9s %s\n", figure, value, goal, verdict);
}

void figures_row_goal(const char *figure, double value, const char *unit, double goal,
		      bool more)
{
	bool met = more ? value >= goal : value <= goal;
	char text[32], limit[32];

	(void)snprintf(text, sizeof(text), "%.2f%s", value, unit);
	(void)snprintf(limit, sizeof(limit), "%s %g%s", more ? ">=" : "<=", goal, unit);
	figures_row(figure, text, limit, met ? "met" : "MISSED");
	figures_missed += !met;
}

void figures_row_plain(const char *figure, double value, const char *unit)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%.2f%s", value, unit);
	figures_row(figure, text, "", "");
}

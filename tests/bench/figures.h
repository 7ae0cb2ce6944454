/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * figures: what was measured, in rows of 80 columns, against its goals.
 */
#ifndef ROOTLATCH_BENCH_FIGURES_H
#define ROOTLATCH_BENCH_FIGURES_H

#include <stdbool.h>
#include <stddef.h>

#define FIGURES_MAX 100

extern unsigned figures_missed; /* goals */

double figures_median(const double *values, size_t n);
/* Of the ratios of every `every`th pair. */
double figures_median_ratio(const double *a, const double *b, size_t n, size_t every);

void figures_title(const char *text);
void figures_row(const char *figure, const char *value, const char *goal,
		 const char *verdict);
void figures_row_goal(const char *figure, double value, const char *unit, double goal,
		      bool more);
void figures_row_plain(const char *figure, double value, const char *unit);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * spawn: one command, timed from posix_spawn(3) to wait4(2), so that no shell's start is in it
 * but one that belongs to the command.
 */
#ifndef ROOTLATCH_TESTS_SPAWN_H
#define ROOTLATCH_TESTS_SPAWN_H

#include <stddef.h>

/* Milliseconds. Exits when the command does not give 0: a failed run measures nothing. */
double spawn_timed(char *const *argv);
/* The processor time of it and of all that it waited for, too. */
double spawn_timed_both(char *const *argv, double *ret_cpu);

/* Its own peak resident memory, in MB of 10^6 bytes; not that of its children, which is what
 * wait4 would give. `maps` receives the libraries it had mapped at the end. */
double spawn_peak(char *const *argv, char *maps, size_t size);

double spawn_now(void);

#endif

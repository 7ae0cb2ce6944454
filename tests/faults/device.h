/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * device: the folders of the fixture on real filesystems, whose power can be cut. What configures
 * the host lies on one, the state of rootlatch on another, as /etc and /var often do: what is
 * written to the one says nothing about the other.
 *
 * They are loop devices over memory. The kernel takes all of it away with the namespaces that they
 * are mounted in, however those end.
 */
#ifndef ROOTLATCH_TESTS_DEVICE_H
#define ROOTLATCH_TESTS_DEVICE_H

#include <stdbool.h>

/* Moves the folders, with what is in them, to new filesystems: "ext4" or "xfs". To be called in the
 * fixture. Exits with EXIT_SKIPPED where loop devices or mounts are not allowed, or the kernel has no
 * such filesystem; what else goes wrong is a failure, a missing mkfs too. */
void device_take_over(const char *filesystem, bool services);

void device_sync(void);
/* From now on nothing reaches the devices. What was not written is lost, the log included. */
void device_cut(void);
/* Mounts them again, as after a boot. Nothing may run on them any more. */
void device_boot(void);

#endif

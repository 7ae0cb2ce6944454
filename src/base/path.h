/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * path: absolute paths as text. Nothing here looks at the disk.
 */
#ifndef ROOTLATCH_BASE_PATH_H
#define ROOTLATCH_BASE_PATH_H

#include <stdbool.h>

#include "base/error.h"

/* The last component, a pointer into `path`. */
const char *path_basename(const char *path);

/* All but the last component, "/" for a file in the root. Owned by the caller. */
char *path_dirname(const char *path, struct error *err) _must_check_;

/* "dir/name". Owned by the caller. */
char *path_join(const char *dir, const char *name, struct error *err) _must_check_;

/* Absolute, no empty, "." or ".." component, no control character, shorter than PATH_MAX. */
bool path_is_clean(const char *path);

/* `path` made absolute against `cwd` and freed of ".", ".." and doubled slashes, by text alone. */
char *path_clean(const char *cwd, const char *path, struct error *err) _must_check_;

/* True when `path` is `dir` or lies below it. */
bool path_is_below(const char *path, const char *dir);

#endif

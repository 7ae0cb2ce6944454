/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * update-rc.d(8) takes a name as it comes: as a glob, as a path, as an option. What is not plainly
 * a name is refused before anything else is done with it.
 */
#include "service/boot.h"

#include "base/text.h"

#define FIRST "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define SUFFIX ".service"

static int refuse(const char *name, const char *why, struct error *err)
{
	_cleanup_buffer_ struct buffer shown = BUFFER_INIT;

	if (text_escape(slice_of(name, strnlen(name, 2 * BOOT_NAME_MAX)), false, &shown,
			err) < 0)
		return -1;
	(void)error_set(err, ERROR_REFUSED, "\"%s\" is no name of a service: %s", shown.data, why);
	return error_hint(err, "Nothing was changed.");
}

int boot_name_check(const char *name, struct error *err)
{
	size_t len = strlen(name), suffix = strlen(SUFFIX);

	if (len == 0)
		return refuse(name, "it is empty", err);
	if (len > BOOT_NAME_MAX)
		return refuse(name, "it is too long", err);
	if (strspn(name, FIRST) == 0)
		return refuse(name, "it begins with neither a letter nor a digit", err);
	if (strspn(name, FIRST "_.@-") != len)
		return refuse(name, "there are letters, digits and _ . @ - in one", err);
	if (len >= suffix && strcmp(name + len - suffix, SUFFIX) == 0)
		return refuse(name, "it is given without " SUFFIX, err);
	return 0;
}

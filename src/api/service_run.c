/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A boot service's processes, from within a transaction: the steps of it run these. What is on
 * the disk decides, and nothing of ours is read or written.
 */
#include "api/api.h"
#include "service/boot_run.h"

static int read_service(struct rootlatch *r, const char *name, struct boot_service *ret,
			struct error *err)
{
	_cleanup_host_tree_ struct host_tree tree = HOST_TREE_INIT;
	_cleanup_strings_ struct strings folders = STRINGS_INIT;

	if (boot_name_check(name, err) < 0)
		return -1;
	if (!host_is_live(&r->host))
		return error_set(err, ERROR_REFUSED, "nothing runs in an image");
	if (boot_folders(&folders, err) < 0 ||
	    host_tree_read(&r->host, &folders, &tree, err) < 0)
		return -1;
	return boot_service_read(&r->host, NULL, &tree, name, ret, err);
}

int rootlatch_service_stop(struct rootlatch *r, const char *name, struct rootlatch_error *out)
{
	_cleanup_boot_service_ struct boot_service s = BOOT_SERVICE_INIT;
	struct error err = ERROR_INIT;

	if (read_service(r, name, &s, &err) < 0 || boot_run_stop(&r->host, &s, &err) < 0)
		return api_error(out, &err);
	return 0;
}

int rootlatch_service_start(struct rootlatch *r, const char *name, struct rootlatch_error *out)
{
	_cleanup_boot_service_ struct boot_service s = BOOT_SERVICE_INIT;
	struct error err = ERROR_INIT;

	if (read_service(r, name, &s, &err) < 0 || boot_run_start(&r->host, &s, &err) < 0)
		return api_error(out, &err);
	return 0;
}

int rootlatch_service_is_running(struct rootlatch *r, const char *name, bool *ret_running,
				 struct rootlatch_error *out)
{
	_cleanup_boot_service_ struct boot_service s = BOOT_SERVICE_INIT;
	_cleanup_boot_run_ struct boot_run run = BOOT_RUN_INIT;
	struct error err = ERROR_INIT;

	if (read_service(r, name, &s, &err) < 0 || boot_run_read(&r->host, &s, &run, &err) < 0)
		return api_error(out, &err);
	*ret_running = run.active;
	return 0;
}

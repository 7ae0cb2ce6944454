/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A service is read in the order in which things follow from one another: the init, the script
 * and its links, the unit (which may be made of the script), inetd; then the verdict.
 */
#include <errno.h>

#include "service/boot_parts.h"

#include "base/path.h"

void boot_service_release(struct boot_service *s)
{
	free(s->name);
	for (size_t i = 0; i < s->n_links; i++) {
		free(s->links[i].path);
		free(s->links[i].target);
	}
	free(s->links);
	lsb_header_release(&s->header);
	free(s->unit.name);
	free(s->unit.path);
	strings_release(&s->unit.aliases);
	strings_release(&s->unit.wanted);
	strings_release(&s->unit.sockets);
	strings_release(&s->inetd);
	free(s->why);
	*s = (struct boot_service)BOOT_SERVICE_INIT;
}

int boot_runs_systemd(const struct host *h, bool *ret, struct error *err)
{
	static const char folder[] = "/run/systemd/system"; /* as sd_booted(3) and update-rc.d(8) ask */
	struct stat st;

	*ret = host_lstat(h, folder, &st) == 0;
	if (!*ret && errno != ENOENT && errno != ENOTDIR)
		return error_sys(err, ERROR_FAILED, errno, "%s", folder);
	return 0;
}

static int read_init(struct boot_reading *r, struct error *err)
{
	_cleanup_boot_seen_ struct boot_seen seen = BOOT_SEEN_INIT;
	_cleanup_free_ char *end = NULL;
	bool systemd;

	if (host_is_live(r->host)) {
		if (boot_runs_systemd(r->host, &systemd, err) < 0)
			return -1;
	} else {
		if (boot_follow(r, "/sbin/init", &end, &seen, err) < 0)
			return -1;
		systemd = strcmp(path_basename(end), "systemd") == 0;
	}
	r->service->init = systemd ? BOOT_SYSTEMD : BOOT_SYSV;
	return 0;
}

/* As update-rc.d(8) finds out. */
static int read_insserv(struct boot_reading *r, struct error *err)
{
	static const char *const programs[] = { "/sbin/insserv", "/usr/lib/insserv/insserv" };

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		_cleanup_boot_seen_ struct boot_seen program = BOOT_SEEN_INIT,
						     conf = BOOT_SEEN_INIT;
		_cleanup_free_ char *program_end = NULL, *conf_end = NULL;

		if (boot_follow(r, programs[i], &program_end, &program, err) < 0 ||
		    boot_follow(r, "/etc/insserv.conf", &conf_end, &conf, err) < 0)
			return -1;
		if (program.kind == BOOT_SEEN_FILE && (program.mode & 0111) != 0 &&
		    conf.kind != BOOT_SEEN_NOTHING)
			r->service->has_insserv = true;
	}
	return 0;
}

static int read_all(struct boot_reading *r, struct config_augeas *augeas, const char *name,
		    struct error *err)
{
	r->service->name = str_dup(name, err);
	if (r->service->name == NULL || read_init(r, err) < 0 || read_insserv(r, err) < 0 ||
	    boot_read_script(r, augeas, err) < 0 || boot_read_links(r, err) < 0 ||
	    boot_read_depends(r, err) < 0 || boot_read_unit(r, err) < 0 ||
	    boot_read_inetd(r, err) < 0)
		return -1;
	return boot_decide(r, err);
}

int boot_service_read(const struct host *h, struct config_augeas *augeas,
		      const struct host_tree *t, const char *name, struct boot_service *ret,
		      struct error *err)
{
	struct boot_service s = BOOT_SERVICE_INIT;
	struct boot_reading r = { .host = h, .tree = t, .service = &s };
	int failed;

	if (boot_name_check(name, err) < 0)
		return -1;
	failed = read_all(&r, augeas, name, err);
	free(r.name_mask);
	strings_release(&r.starters);
	if (failed < 0) {
		boot_service_release(&s);
		return error_prefix(err, "the service %s", name);
	}
	*ret = s;
	return 0;
}

bool boot_service_is_known(const struct boot_service *s)
{
	return s->has_script || s->n_links > 0 || s->unit.name != NULL || s->inetd.len > 0;
}

static int print_script(const struct boot_service *s, struct buffer *text, struct error *err)
{
	if (!s->has_script)
		return buffer_printf(text, err, "no " BOOT_INIT_D "/%s", s->name);
	if (!s->script_is_regular)
		return buffer_printf(text, err, BOOT_INIT_D "/%s is not a regular file", s->name);
	return buffer_printf(text, err, BOOT_INIT_D "/%s (mode %03o, owner %u, %s LSB header)",
			     s->name, (unsigned)s->script_mode, (unsigned)s->script_uid,
			     s->header.found ? "with an" : "no");
}

static int print_links(const struct boot_service *s, struct buffer *text, struct error *err)
{
	_cleanup_free_ char *links = NULL;

	if (s->n_links == 0)
		return buffer_printf(text, err, ", no link [SK]??%s in /etc/rc?.d", s->name);
	links = boot_links_text(s, err);
	return links == NULL ? -1 : buffer_printf(text, err, ", links %s", links);
}

static int print_unit(const struct boot_service *s, struct buffer *text, struct error *err)
{
	_cleanup_free_ char *name = boot_unit_name(s->name, err);

	if (name == NULL)
		return -1;
	if (s->unit.path != NULL)
		return buffer_printf(text, err, ", %s", s->unit.path);
	if (s->unit.name != NULL)
		return buffer_printf(text, err, ", %s made of the script", s->unit.name);
	if (s->init == BOOT_SYSV && s->has_script)
		return 0; /* nothing reads units there, and neither did we */
	if (buffer_printf(text, err, ", no %s in", name) < 0)
		return -1;
	for (size_t i = 0; i < boot_n_unit_folders; i++)
		/* the well-known ones: the rest is systemd's own */
		if (strchr(path_basename(boot_unit_folders[i]), '.') == NULL &&
		    strcmp(path_basename(boot_unit_folders[i]), "system") == 0 &&
		    buffer_printf(text, err, " %s", boot_unit_folders[i]) < 0)
			return -1;
	return 0;
}

char *boot_service_traces(const struct boot_service *s, struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;

	if (print_script(s, &text, err) < 0 || print_links(s, &text, err) < 0 ||
	    print_unit(s, &text, err) < 0 ||
	    buffer_printf(&text, err, ", %s", s->inetd.len > 0 ? s->inetd.items[0] :
			  "nothing of it in /etc/inetd.conf") < 0)
		return NULL;
	return TAKE_PTR(text.data);
}

const char *boot_unit_state_name(enum boot_unit_state state)
{
	static const char *const names[] = {
		[BOOT_UNIT_NONE] = "none",
		[BOOT_UNIT_ENABLED] = "enabled",
		[BOOT_UNIT_DISABLED] = "disabled",
		[BOOT_UNIT_MASKED] = "masked",
		[BOOT_UNIT_STATIC] = "static",
		[BOOT_UNIT_GENERATED] = "made of the script by systemd",
	};

	return names[state];
}

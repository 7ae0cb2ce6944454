/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Whether sshd can do without a service: what disabling it would mean for those who administer
 * the host through that sshd.
 */
#include "service/boot_needs.h"

#include "base/path.h"
#include "service/boot_parts.h"

#include <errno.h>

#define INETD_CONF "/etc/inetd.conf"

bool boot_needs_is_sshd(const char *name)
{
	static const char *const names[] = {
		"ssh",  "ssh.service",  "ssh.socket",  "ssh@",  "ssh@.service",
		"sshd", "sshd.service", "sshd.socket", "sshd@", "sshd@.service",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

int boot_needs_read(const struct host *h, const char *path, struct host_file *ret,
		    struct error *err)
{
	struct error e = ERROR_INIT;

	if (host_file_read(h, path, HOST_READ_FOLLOW | HOST_READ_NO_DIGEST, ret, &e) ==
		    0 ||
	    e.sys_errno == ENOENT || e.sys_errno == ENOTDIR || e.code == ERROR_REFUSED)
		return 0;
	if (err != NULL)
		*err = e;
	return -1;
}

int boot_needs_words(struct slice text, struct strings *ret, struct error *err)
{
	struct slice word;

	while (boot_next_word(&text, &word))
		if (strings_addn(ret, word.data, word.len, err) < 0)
			return -1;
	return 0;
}

static bool is_inetd(const char *name)
{
	return strcmp(name, "inetd") == 0 || strcmp(name, "openbsd-inetd") == 0 ||
	       strcmp(name, "inetutils-inetd") == 0 || strcmp(name, "rlinetd") == 0;
}

/* inetd.conf(5): a line of it which has sshd as its program, or as tcpd's. */
static int by_inetd(const struct host *h, const char *name, char **ret_why,
		    struct error *err)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	struct slice text, line;

	if (!is_inetd(name))
		return 0;
	if (boot_needs_read(h, INETD_CONF, &f, err) < 0)
		return -1;
	text = slice_of(f.bytes.data, f.bytes.len);
	for (size_t number = 1; boot_next_line(&text, &line); number++) {
		_cleanup_strings_ struct strings words = STRINGS_INIT;

		if (line.len == 0 || line.data[0] == '#')
			continue;
		if (boot_needs_words(line, &words, err) < 0)
			return -1;
		for (size_t i = 5; i < words.len; i++) {
			if (strcmp(path_basename(words.items[i]), "sshd") != 0)
				continue;
			*ret_why = str_format(err,
					      "%s starts sshd (" INETD_CONF " line %zu)",
					      name, number);
			return *ret_why != NULL ? 0 : -1;
		}
	}
	return 0;
}

/* As boot_service_read has it. */
static int find_init(const struct host *h, const struct host_tree *t, bool *ret_systemd,
		     struct error *err)
{
	const struct boot_reading r = { .host = h, .tree = t };
	_cleanup_boot_seen_ struct boot_seen seen = BOOT_SEEN_INIT;
	_cleanup_free_ char *end = NULL;

	if (host_is_live(h))
		return boot_runs_systemd(h, ret_systemd, err);
	if (boot_follow(&r, "/sbin/init", &end, &seen, err) < 0)
		return -1;
	*ret_systemd = strcmp(path_basename(end), "systemd") == 0;
	return 0;
}

int boot_service_carries_sshd(const struct host *h, struct config_augeas *augeas,
			      const struct host_tree *t, const char *name, char **ret_why,
			      struct error *err)
{
	_cleanup_free_ char *why = NULL;
	bool systemd;
	int r;

	if (boot_needs_is_sshd(name)) {
		why = str_format(err, "%s is sshd itself", name);
		if (why == NULL)
			return -1;
	} else if (by_inetd(h, name, &why, err) < 0) {
		return -1;
	}
	if (why == NULL) {
		if (find_init(h, t, &systemd, err) < 0)
			return -1;
		r = systemd ? boot_needs_by_units(h, t, name, &why, err) :
			      boot_needs_by_scripts(h, augeas, t, name, &why, err);
		if (r < 0)
			return -1;
	}
	*ret_why = TAKE_PTR(why);
	return 0;
}

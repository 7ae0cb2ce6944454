/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The texts that tell what is started at boot: unit files, init scripts, .depend files, inittab and
 * inetd.conf. The first line is a service's name, the rest is read as each of them.
 */
#include "fuzz.h"

#include "base/path.h"
#include "base/text.h"
#include "service/boot_parts.h"
#include "service/boot_script.h"
#include "service/boot_units.h"

static void check_unit(struct slice text)
{
	_cleanup_boot_unit_text_ struct boot_unit_text t = BOOT_UNIT_TEXT_INIT;
	struct error err = ERROR_INIT;

	FUZZ_MUST(boot_unit_text_parse(text, &t, &err) == 0);
	for (size_t i = 0; i < t.aliases.len; i++)
		FUZZ_MUST(t.aliases.items[i][0] != '\0' &&
			  strpbrk(t.aliases.items[i], " \t\r\n") == NULL);
	FUZZ_MUST(t.has_install || (t.aliases.len == 0 && !t.wanted_by));
}

static void check_script(const char *name, struct slice text)
{
	_cleanup_boot_script_ struct boot_script s = BOOT_SCRIPT_INIT;
	struct error err = ERROR_INIT;

	FUZZ_MUST(boot_script_parse(name, text, &s, &err) == 0);
	FUZZ_MUST(s.names.len > 0 && s.pid_files.len > 0);
	for (size_t i = 0; i < s.programs.len; i++)
		FUZZ_MUST(path_is_clean(s.programs.items[i]));
	for (size_t i = 0; i < s.pid_files.len; i++)
		FUZZ_MUST(path_is_clean(s.pid_files.items[i]));
	for (size_t i = 0; i < s.names.len; i++) {
		FUZZ_MUST(s.names.items[i][0] != '\0' &&
			  strchr(s.names.items[i], '/') == NULL);
		(void)boot_script_mentions(&s, s.names.items[i]);
		(void)boot_script_is_interpreter(s.names.items[i]);
	}
}

static void check_inetd(const char *name, struct slice text)
{
	_cleanup_strings_ struct strings lines = STRINGS_INIT;
	struct error err = ERROR_INIT;

	FUZZ_MUST(boot_inetd_find(text, "/etc/inetd.conf", name, &lines, &err) == 0);
	for (size_t i = 0; i < lines.len; i++)
		FUZZ_MUST(text_is_plain(lines.items[i]));
}

FUZZ_TARGET(boot_text)
{
	struct slice rest = fuzz_input(data, size), line = slice_of("", 0);
	_cleanup_free_ char *name = NULL, *text = NULL;
	struct error err = ERROR_INIT;
	char level;

	(void)fuzz_line(&rest, &line);
	name = fuzz_string(line);
	if (boot_name_check(name, &err) < 0)
		return 0;
	FUZZ_MUST(strpbrk(name, "/*?[ \t") == NULL && name[0] != '.' && name[0] != '-');
	text = fuzz_string(rest);
	rest.data = text;
	check_unit(rest);
	check_script(name, rest);
	check_inetd(name, rest);
	(void)boot_depend_names(rest, name);
	level = boot_inittab_level(rest);
	FUZZ_MUST(level != '\0' && strchr("0123456S", level) != NULL);
	return 0;
}

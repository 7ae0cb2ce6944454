/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "service/boot_script.h"

TestSuite(service_boot_script);

static char *joined(const struct strings *s)
{
	struct buffer b = BUFFER_INIT;

	cr_assert(buffer_append_str(&b, "", NULL) == 0);
	for (size_t i = 0; i < s->len; i++)
		cr_assert(buffer_printf(&b, NULL, "%s%s", i > 0 ? " " : "", s->items[i]) == 0);
	return b.data;
}

#define USUAL " /run/foo.pid /run/foo/foo.pid"
#define USUAL_D USUAL " /run/food.pid /run/food/food.pid"

Test(service_boot_script, tells_programs_and_pid_files)
{
	static const struct {
		const char *text, *programs, *names, *pid_files;
	} rows[] = {
		{ "", "", "foo", "/run/foo.pid /run/foo/foo.pid" },
		{ "DAEMON=/usr/sbin/food\n", "/usr/sbin/food", "foo food",
		  "/run/foo.pid /run/foo/foo.pid /run/food.pid /run/food/food.pid" },
		{ "  export DAEMON=\"/usr/sbin/food\" # it", "/usr/sbin/food", "foo food",
		  "/run/foo.pid /run/foo/foo.pid /run/food.pid /run/food/food.pid" },
		{ "NAME=food\nDAEMON='/usr/sbin/'$NAME\nPIDFILE=/var/run/${NAME}d.pid\n",
		  "/usr/sbin/food", "foo food", "/var/run/foodd.pid" USUAL_D },
		{ "PIDFILE=/run/$NAME.pid.d", "", "foo", "/run/foo.pid.d" USUAL },
		{ "PID=${UNSET:-/run/x.pid}\nPIDX=${PID:-/y}", "", "foo", "/run/x.pid" USUAL },
		{ "PIDFILE=$(. /etc/x && echo $P)\nPIDFILE=`x`\nPIDFILE=$UNSET/a.pid\n"
		  "PIDFILE=\"/run/a b.pid", "", "foo", "/run/foo.pid /run/foo/foo.pid" },
		{ "# pidfile: /run/a.pid\n# processname: food\n", "", "foo food",
		  "/run/a.pid" USUAL_D },
		{ "#DAEMON=/usr/sbin/no\n", "", "foo", "/run/foo.pid /run/foo/foo.pid" },
		{ "DAEMON=/usr/bin/python3.11\n", "", "foo", "/run/foo.pid /run/foo/foo.pid" },
		{ "D=/usr/sbin/food\n\tstart-stop-daemon --start --quiet --exec $D \\\n"
		  "\t\t--pidfile=/run/d.pid -- --pidfile /run/no.pid\n",
		  "/usr/sbin/food", "foo food", "/run/d.pid" USUAL_D },
		{ "killproc -p \"/run/k.pid\" food || true; mkdir -p /run/no", "", "foo",
		  "/run/k.pid /run/no" USUAL },
		{ "[ -x /usr/sbin/no ] || exit 0; mkdir -p /run/no\n", "", "foo",
		  "/run/foo.pid /run/foo/foo.pid" },
		{ "PIDFILE=/run/../etc/x", "", "foo", "/run/foo.pid /run/foo/foo.pid" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_boot_script_ struct boot_script s = BOOT_SCRIPT_INIT;
		_cleanup_free_ char *programs = NULL, *names = NULL, *pid_files = NULL;
		struct error err = ERROR_INIT;

		cr_assert(eq(int, boot_script_parse("foo", slice_of(rows[i].text, strlen(rows[i].text)),
						    &s, &err), 0));
		programs = joined(&s.programs);
		names = joined(&s.names);
		pid_files = joined(&s.pid_files);
		cr_expect(eq(str, programs, (char *)rows[i].programs), "%s", rows[i].text);
		cr_expect(eq(str, names, (char *)rows[i].names), "%s", rows[i].text);
		cr_expect(strncmp(pid_files, rows[i].pid_files + (rows[i].pid_files[0] == ' '),
				  strlen(rows[i].pid_files)) == 0, "%s: %s", rows[i].text,
			  pid_files);
	}
}

Test(service_boot_script, mentions_whole_words_alone)
{
	_cleanup_boot_script_ struct boot_script s = BOOT_SCRIPT_INIT;
	static const char text[] = "x=/usr/sbin/food-ng; y=\"/usr/sbin/bard\" (baz) z\n";
	struct error err = ERROR_INIT;

	cr_assert(eq(int, boot_script_parse("foo", slice_of(text, strlen(text)), &s, &err), 0));
	cr_expect(boot_script_mentions(&s, "/usr/sbin/bard"));
	cr_expect(boot_script_mentions(&s, "baz"));
	cr_expect(boot_script_mentions(&s, "z"));
	cr_expect(not(boot_script_mentions(&s, "/usr/sbin/food")));
	cr_expect(not(boot_script_mentions(&s, "bard")));
	cr_expect(not(boot_script_mentions(&s, "")));
}

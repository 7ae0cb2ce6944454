/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_config.h"

#include "config/sshd_value.h"

static const struct {
	const char *line;
	const char *keyword;
	const char *value;
	const char *set; /* with the value no */
} rows[] = {
	{ "PermitRootLogin yes", "PermitRootLogin", "yes", "PermitRootLogin no" },
	{ "permitrootlogin yes", "permitrootlogin", "yes", "permitrootlogin no" },
	{ " \t\r PermitRootLogin \t yes", "PermitRootLogin", "yes",
	  " \t\r PermitRootLogin \t no" },
	{ "PermitRootLogin=yes", "PermitRootLogin", "yes", "PermitRootLogin=no" },
	{ "PermitRootLogin = yes", "PermitRootLogin", "yes", "PermitRootLogin = no" },
	{ "PermitRootLogin\r=\ryes", "PermitRootLogin", "yes", "PermitRootLogin\r=\rno" },
	{ "PermitRootLogin yes # y\xe9s\t", "PermitRootLogin", "yes",
	  "PermitRootLogin no # y\xe9s\t" },
	{ "PermitRootLogin yes \f \r", "PermitRootLogin", "yes",
	  "PermitRootLogin no \f \r" },
	{ "PermitRootLogin \"yes\"", "PermitRootLogin", "yes", "PermitRootLogin \"no\"" },
	{ "PermitRootLogin 'yes'  #'", "PermitRootLogin", "yes",
	  "PermitRootLogin 'no'  #'" },
	{ "PermitRootLogin y\"e\"s", "PermitRootLogin", "y\"e\"s", "PermitRootLogin no" },
	{ "PermitRootLogin \"\"yes#", "PermitRootLogin", "\"\"yes#",
	  "PermitRootLogin no" },
	{ "\"PermitRootLogin\" yes", "PermitRootLogin", "yes", "\"PermitRootLogin\" no" },
	{ "\"PermitRootLogin\"yes", "PermitRootLogin", "yes", "\"PermitRootLogin\"no" },
	{ "\"PermitRootLogin\"\"yes\"", "PermitRootLogin", "yes",
	  "\"PermitRootLogin\"\"no\"" },
	{ "Permit\"RootLogin\" yes", "PermitRootLogin", "yes", "Permit\"RootLogin\" no" },
	{ "PermitRootLogin\"\" yes", "PermitRootLogin", "yes", "PermitRootLogin\"\" no" },
	{ "=PermitRootLogin yes", "PermitRootLogin", "yes", "=PermitRootLogin no" },
	{ "\"\"PermitRootLogin yes", "PermitRootLogin", "yes", "\"\"PermitRootLogin no" },
	{ "Match User root", "Match", "User", "Match no root" },
	{ "Include /etc/x/*.conf y", "Include", "/etc/x/*.conf", "Include no y" },
};

static struct config_augeas *handle(void)
{
	struct config_augeas *augeas = NULL;
	struct error err = ERROR_INIT;

	cr_assert(eq(int, config_augeas_new(lens_dir(), &augeas, &err), 0));
	return augeas;
}

Test(config_sshd_value, gets_keyword_and_value_as_the_lens_sees_them)
{
	_cleanup_config_augeas_ struct config_augeas *augeas = handle();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *keyword = NULL, *value = NULL;
		struct error err = ERROR_INIT;

		cr_assert(eq(int,
			     sshd_value_get(augeas, text(rows[i].line), &keyword, &value,
					    &err),
			     0),
			  "%s: %s", rows[i].line, err.message);
		cr_expect(eq(str, keyword, (char *)rows[i].keyword), "line: %s",
			  rows[i].line);
		cr_expect(eq(str, value, (char *)rows[i].value), "line: %s",
			  rows[i].line);
	}
}

Test(config_sshd_value, sets_the_value_and_keeps_every_other_byte)
{
	_cleanup_config_augeas_ struct config_augeas *augeas = handle();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_buffer_ struct buffer line = BUFFER_INIT;
		struct error err = ERROR_INIT;

		cr_assert(
			eq(int,
			   sshd_value_set(augeas, text(rows[i].line), "no", &line, &err),
			   0),
			"%s: %s", rows[i].line, err.message);
		cr_expect(eq(str, line.data, (char *)rows[i].set), "line: %s",
			  rows[i].line);
	}
}

Test(config_sshd_value, refuses_lines_that_it_cannot_be_exact_about)
{
	static const char *const lines[] = {
		"Port 22",
		"",
		"# PermitRootLogin yes",
		"PermitRootLogin",
		"PermitRootLogin \"yes",
		"PermitRootLogin == yes",
		"PermitRootLogin y\x04"
		"es",
		"PermitRootLogin y\xe9s",
		"PermitRootLogin\x01yes",
	};
	_cleanup_config_augeas_ struct config_augeas *augeas = handle();

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		_cleanup_buffer_ struct buffer line = BUFFER_INIT;
		struct error err = ERROR_INIT;

		cr_expect(eq(int,
			     sshd_value_set(augeas, text(lines[i]), "no", &line, &err),
			     -1),
			  "line: %s", lines[i]);
		cr_expect(eq(int, err.code, ERROR_REFUSED), "line: %s: %s", lines[i],
			  err.message);
		cr_expect(eq(sz, line.len, 0));
	}
}

Test(config_sshd_value, bounds_what_the_lens_gets_and_not_the_rest_of_the_line)
{
	_cleanup_config_augeas_ struct config_augeas *augeas = handle();
	_cleanup_buffer_ struct buffer set = BUFFER_INIT;
	_cleanup_free_ char *line = malloc(70001);
	struct error err = ERROR_INIT;

	memset(line, 'x', 70000);
	line[70000] = '\0';
	memcpy(line, "PermitRootLogin yes #", 21);
	cr_assert(eq(int, sshd_value_set(augeas, text(line), "no", &set, &err), 0), "%s",
		  err.message);
	cr_expect(eq(sz, set.len, 69999));
	memcpy(line, "PermitRootLogin x", 17);
	memset(line + 17, 'x', 10);
	cr_assert(eq(int, sshd_value_set(augeas, text(line), "no", &set, &err), -1));
	cr_expect(eq(int, err.code, ERROR_REFUSED));
}

Test(config_sshd_value, takes_no_value_that_would_need_quotes)
{
	static const char *const values[] = { "", "a b", "a\"", "a\n", "#", "a,b" };
	_cleanup_config_augeas_ struct config_augeas *augeas = handle();

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		_cleanup_buffer_ struct buffer line = BUFFER_INIT;
		struct error err = ERROR_INIT;

		cr_expect(eq(int,
			     sshd_value_set(augeas, text("PermitRootLogin no"), values[i],
					    &line, &err),
			     -1),
			  "value: %s", values[i]);
		cr_expect(eq(int, err.code, ERROR_USAGE), "value: %s", values[i]);
	}
}

Test(config_sshd_value, names_the_folder_when_the_lens_is_missing)
{
	_cleanup_config_augeas_ struct config_augeas *augeas = NULL;
	_cleanup_buffer_ struct buffer line = BUFFER_INIT;
	struct error err = ERROR_INIT;

	cr_assert(eq(int, config_augeas_new("/nowhere/lenses", &augeas, &err), 0));
	for (int i = 0; i < 2; i++) {
		cr_assert(eq(int,
			     sshd_value_set(augeas, text("PermitRootLogin no"), "yes",
					    &line, &err),
			     -1));
		cr_expect(eq(int, err.code, ERROR_REFUSED), "%s", err.message);
		cr_expect(not(zero(ptr, strstr(err.hint, "/nowhere/lenses"))), "%s: %s",
			  err.message, err.hint);
	}
}

Test(config_sshd_value, goes_on_after_a_line_that_the_lens_refused)
{
	_cleanup_config_augeas_ struct config_augeas *augeas = handle();
	_cleanup_buffer_ struct buffer line = BUFFER_INIT;
	struct error err = ERROR_INIT;

	cr_assert(eq(int,
		     sshd_value_set(augeas, text("PermitRootLogin == yes"), "no", &line,
				    &err),
		     -1));
	cr_expect(not(zero(ptr, strstr(err.message, "does not accept"))), "%s",
		  err.message);
	cr_assert(
		eq(int,
		   sshd_value_set(augeas, text("PermitRootLogin yes"), "no", &line, &err),
		   0),
		"%s", err.message);
	cr_expect(eq(str, line.data, (char *)"PermitRootLogin no"));
}

Test(config_augeas, takes_short_printable_fragments_only)
{
	_cleanup_config_augeas_ struct config_augeas *augeas = handle();
	_cleanup_free_ char *keyword = NULL, *value = NULL;
	char fragment[CONFIG_FRAGMENT_MAX + 2];
	struct error err = ERROR_INIT;

	memset(fragment, 'x', sizeof(fragment));
	memcpy(fragment, "A ", 2);
	cr_assert(eq(int, config_augeas_get(augeas, "Rootlatch_sshd.lns",
					    slice_of(fragment, CONFIG_FRAGMENT_MAX + 1),
					    &keyword, &value, &err), -1));
	cr_expect(eq(int, err.code, ERROR_REFUSED));
	cr_assert(eq(int, config_augeas_get(augeas, "Rootlatch_sshd.lns",
					    slice_of(fragment, CONFIG_FRAGMENT_MAX), &keyword,
					    &value, &err), 0), "%s", err.message);
	cr_expect(eq(str, keyword, (char *)"A"));
	cr_expect(eq(sz, strlen(value), CONFIG_FRAGMENT_MAX - 2));
	for (int c = 0; c < 256; c++) {
		_cleanup_free_ char *k = NULL, *v = NULL;

		if ((c >= 0x20 && c <= 0x7e) || c == '\t' || c == '\r')
			continue;
		fragment[3] = (char)c;
		cr_expect(eq(int, config_augeas_get(augeas, "Rootlatch_sshd.lns",
						    slice_of(fragment, 10), &k, &v, &err),
			     -1), "byte %d", c);
	}
}

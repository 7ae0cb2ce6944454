/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is shown holds nothing that a terminal obeys; what is encoded comes back as it was, and
 * nothing else can be decoded. A path that was cleaned is clean.
 */
#include "fuzz.h"

#include "base/path.h"
#include "base/text.h"

static void check_escape(struct slice s)
{
	_cleanup_buffer_ struct buffer shown = BUFFER_INIT, lines = BUFFER_INIT;

	FUZZ_MUST(text_escape(s, false, &shown, NULL) == 0);
	FUZZ_MUST(shown.len == 0 ||
		  (strlen(shown.data) == shown.len && text_is_plain(shown.data)));
	FUZZ_MUST(text_escape(s, true, &lines, NULL) == 0);
	for (size_t i = 0; i < lines.len; i++)
		if (lines.data[i] == '\n')
			lines.data[i] = ' ';
	FUZZ_MUST(lines.len == 0 || text_is_plain(lines.data));
}

static void check_encode(const char *s)
{
	_cleanup_free_ char *encoded = NULL, *back = NULL, *decoded = NULL, *again = NULL;
	struct error err = ERROR_INIT;

	encoded = text_encode(s, &err);
	FUZZ_MUST(encoded != NULL && text_is_plain(encoded));
	back = text_decode(encoded, &err);
	FUZZ_MUST(back != NULL && strcmp(back, s) == 0);
	decoded = text_decode(s, &err);
	if (decoded == NULL) {
		FUZZ_MUST(err.code == ERROR_REFUSED);
		return;
	}
	again = text_encode(decoded, &err);
	FUZZ_MUST(again != NULL && strcmp(again, s) == 0);
}

static void check_path(const char *s)
{
	_cleanup_free_ char *clean = NULL, *again = NULL, *folder = NULL, *joined = NULL;
	struct error err = ERROR_INIT;

	clean = path_clean("/etc/ssh", s, &err);
	if (clean == NULL)
		return;
	FUZZ_MUST(clean[0] == '/');
	again = path_clean("/", clean, &err);
	FUZZ_MUST(again != NULL && strcmp(again, clean) == 0);
	if (!path_is_clean(clean) || strcmp(clean, "/") == 0)
		return;
	FUZZ_MUST(path_is_below(clean, "/") && path_is_below(clean, clean));
	folder = path_dirname(clean, &err);
	FUZZ_MUST(folder != NULL && path_is_below(clean, folder));
	joined = path_join(folder, path_basename(clean), &err);
	FUZZ_MUST(joined != NULL && strcmp(joined, clean) == 0);
}

FUZZ_TARGET(text)
{
	_cleanup_free_ char *s = fuzz_string(fuzz_input(data, size));

	check_escape(fuzz_input(data, size));
	check_encode(s);
	check_path(s);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What inetd(8) starts of a service: lines of inetd.conf(5) that name it, as the service or as the
 * program, "in." before and "d" behind it or not.
 */
#include "service/boot_parts.h"

#include "base/path.h"
#include "base/text.h"

#define LINES_MAX 64 /* nobody reads more of them */
#define SHOWN_MAX 160

static bool is_program_of(struct slice word, const char *name)
{
	const char *slash = memrchr(word.data, '/', word.len);
	size_t n = strlen(name);

	if (slash != NULL)
		word = slice_of(slash + 1, word.len - (size_t)(slash + 1 - word.data));
	if (word.len > 3 && memcmp(word.data, "in.", 3) == 0 && word.len - 3 >= n)
		word = slice_of(word.data + 3, word.len - 3);
	if (word.len == n + 1 && word.data[n] == 'd')
		word.len = n;
	return boot_slice_is(word, name);
}

/* "127.0.0.1:ftp" */
static struct slice without_address(struct slice service)
{
	const char *colon = memrchr(service.data, ':', service.len);

	return colon == NULL ? service :
	       slice_of(colon + 1, service.len - (size_t)(colon + 1 - service.data));
}

static bool entry_is_of(struct slice entry, const char *name)
{
	struct slice word;

	if (!boot_next_word(&entry, &word) || word.data[0] == '#')
		return false;
	if (boot_slice_is(without_address(word), name))
		return true;
	/* type, protocol, wait, user */
	for (unsigned i = 0; i < 4; i++)
		if (!boot_next_word(&entry, &word))
			return false;
	if (!boot_next_word(&entry, &word))
		return false;
	if (is_program_of(word, name))
		return true;
	/* tcpd(8) is given the program */
	return is_program_of(word, "tcp") && boot_next_word(&entry, &word) &&
	       is_program_of(word, name);
}

static int add_entry(struct strings *ret, const char *path, unsigned line, struct slice entry,
		     struct error *err)
{
	_cleanup_buffer_ struct buffer words = BUFFER_INIT, shown = BUFFER_INIT;
	struct slice word;

	while (words.len < SHOWN_MAX && boot_next_word(&entry, &word)) {
		size_t room = SHOWN_MAX - words.len;

		if ((words.len > 0 && buffer_append(&words, " ", 1, err) < 0) ||
		    buffer_append(&words, word.data, word.len < room ? word.len : room, err) < 0)
			return -1;
	}
	if (text_escape(slice_of(words.data, words.len), false, &shown, err) < 0)
		return -1;
	return strings_addf(ret, err, "%s line %u: %s", path, line, shown.data);
}

int boot_inetd_find(struct slice rest, const char *path, const char *name, struct strings *ret,
		    struct error *err)
{
	struct slice line;
	unsigned n = 0;

	while (ret->len < LINES_MAX && boot_next_line(&rest, &line)) {
		struct slice more = line;
		unsigned first = ++n;

		/* a line that begins with a blank goes on with the one before */
		while (rest.len > 0 && (rest.data[0] == ' ' || rest.data[0] == '\t') &&
		       boot_next_line(&rest, &more)) {
			line.len = (size_t)(more.data + more.len - line.data);
			n++;
		}
		if (entry_is_of(line, name) && add_entry(ret, path, first, line, err) < 0)
			return -1;
	}
	return 0;
}

static int read_file(const struct boot_reading *r, const char *path, struct error *err)
{
	_cleanup_boot_seen_ struct boot_seen seen = BOOT_SEEN_INIT;
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;
	_cleanup_free_ char *end = NULL;

	if (boot_follow(r, path, &end, &seen, err) < 0)
		return -1;
	if (seen.kind != BOOT_SEEN_FILE)
		return 0;
	if (boot_bytes(r, end, &text, err) < 0)
		return -1;
	return boot_inetd_find(slice_of(text.data, text.len), path, r->service->name,
			       &r->service->inetd, err);
}

int boot_read_inetd(struct boot_reading *r, struct error *err)
{
	_cleanup_strings_ struct strings names = STRINGS_INIT;

	if (read_file(r, "/etc/inetd.conf", err) < 0 || boot_list(r, "/etc/inetd.d", &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		_cleanup_free_ char *path = path_join("/etc/inetd.d", names.items[i], err);

		if (path == NULL || read_file(r, path, err) < 0)
			return -1;
	}
	return 0;
}

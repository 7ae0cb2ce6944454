/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sshd writes its title over its arguments, with single blanks between them, and cuts it where
 * their room (and that of its environment) ends. So a title without its "[listener]" is one of
 * which something is missing.
 *
 * sshd takes no operands: a word that is neither an option nor an option's argument is the rest
 * of an argument with a blank in it.
 */
#include <ctype.h>

#include "base/path.h"
#include "service/sshd.h"

/* sshd's getopt(3) string (9.2, with the letters that later ones added). */
static const char with_argument[] = "CEbcfghkopu";
static const char only_asks[] = "GQRTVit?"; /* prints and ends, or serves one connection */
static const char bears_on_answers[] = "46cfghopu";

struct option {
	char letter;
	const char *argument; /* NULL: it takes none */
};

struct walk {
	const struct strings *argv;
	size_t word;
	size_t at; /* in the word; 0: before its dash */
};

static bool next_option(struct walk *w, struct option *ret)
{
	const char *word = NULL;

	while (w->word < w->argv->len) {
		word = w->argv->items[w->word];
		if (w->at == 0 && word[0] == '-')
			w->at = 1;
		if (w->at != 0 && word[w->at] != '\0')
			break;
		w->word++;
		w->at = 0;
	}
	if (w->word >= w->argv->len)
		return false;
	*ret = (struct option){ .letter = word[w->at++] };
	if (strchr(with_argument, ret->letter) == NULL)
		return true;
	ret->argument = word + w->at;
	if (*ret->argument == '\0' && w->word + 1 < w->argv->len)
		ret->argument = w->argv->items[++w->word];
	w->word++;
	w->at = 0;
	return true;
}

static bool add_option(struct strings *options, const struct option *o)
{
	char dashed[3] = { '-', o->letter, '\0' };

	return strings_add(options, dashed, NULL) == 0 &&
	       (o->argument == NULL || strings_add(options, o->argument, NULL) == 0);
}

bool sshd_options_parse(const struct strings *argv, const char **ret_config,
			struct strings *ret_options)
{
	_cleanup_strings_ struct strings options = STRINGS_INIT;
	struct walk w = { .argv = argv, .word = 1 };
	const char *config = NULL;
	struct option o;

	while (next_option(&w, &o)) {
		if (strchr(only_asks, o.letter) != NULL)
			return false;
		if (o.letter == 'f')
			config = o.argument;
		else if (strchr(bears_on_answers, o.letter) != NULL && !add_option(&options, &o))
			return false;
	}
	*ret_config = config;
	strings_release(ret_options);
	*ret_options = options;
	options = (struct strings)STRINGS_INIT;
	return true;
}

/* True when the last option of this word wants the next one as its argument. */
static bool wants_next(const char *word)
{
	for (const char *p = word + 1; *p != '\0'; p++)
		if (strchr(with_argument, *p) != NULL)
			return p[1] == '\0';
	return false;
}

static int append_to_last(struct strings *argv, const char *word, size_t len)
{
	char **last = &argv->items[argv->len - 1];
	char *longer = str_format(NULL, "%s %.*s", *last, (int)len, word);

	if (longer == NULL)
		return -1;
	free(*last);
	*last = longer;
	return 0;
}

static int split_title(const char *text, size_t len, struct strings *argv)
{
	const char *end = text + len;
	bool is_argument = true; /* the first word is the binary */

	while (text < end) {
		size_t word = (size_t)(end - text);
		const char *blank = memchr(text, ' ', word);

		if (blank != NULL)
			word = (size_t)(blank - text);
		if (is_argument || text[0] == '-') {
			if (strings_addn(argv, text, word, NULL) < 0)
				return -1;
			is_argument = !is_argument && wants_next(argv->items[argv->len - 1]);
		} else if (argv->len < 2 || append_to_last(argv, text, word) < 0) {
			return -1;
		}
		text += word + (blank != NULL);
	}
	return 0;
}

static int split_arguments(struct slice cmdline, struct strings *argv)
{
	const char *p = cmdline.data, *end = cmdline.data + cmdline.len;

	while (p < end) {
		size_t len = strnlen(p, (size_t)(end - p));

		if (strings_addn(argv, p, len, NULL) < 0)
			return -1;
		p += len + 1;
	}
	return 0;
}

static enum sshd_title give(struct strings *argv, struct strings *ret)
{
	strings_release(ret);
	*ret = *argv;
	*argv = (struct strings)STRINGS_INIT;
	return SSHD_TITLE_LISTENER;
}

enum sshd_title sshd_title_parse(struct slice cmdline, struct strings *ret_argv)
{
	static const char prefix[] = "sshd: ", suffix[] = " [listener]";
	_cleanup_strings_ struct strings argv = STRINGS_INIT;
	_cleanup_strings_ struct strings options = STRINGS_INIT;
	size_t len = strnlen(cmdline.data, cmdline.len);
	const char *title, *end, *config;

	if (len < sizeof(prefix) || memcmp(cmdline.data, prefix, sizeof(prefix) - 1) != 0) {
		/* before it has set its title, and before 8.2 */
		if (cmdline.len == 0 || cmdline.data[0] != '/' ||
		    split_arguments(cmdline, &argv) < 0 || argv.len == 0 ||
		    strcmp(path_basename(argv.items[0]), "sshd") != 0 ||
		    !sshd_options_parse(&argv, &config, &options))
			return SSHD_TITLE_OTHER;
		return give(&argv, ret_argv);
	}
	title = cmdline.data + sizeof(prefix) - 1;
	len -= sizeof(prefix) - 1;
	if (title[0] != '/') /* "sshd: root@pts/0", "sshd: root [priv]" */
		return SSHD_TITLE_OTHER;
	end = memmem(title, len, suffix, sizeof(suffix) - 1);
	if (end == NULL || split_title(title, (size_t)(end - title), &argv) < 0 ||
	    !sshd_options_parse(&argv, &config, &options))
		return SSHD_TITLE_CUT;
	return give(&argv, ret_argv);
}

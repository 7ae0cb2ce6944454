/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One handle, used over and over: a fragment is put into a node, a lens makes a tree of
 * it, the tree is read or changed, and a lens makes text of it again. The first use of a
 * lens compiles it, which is what costs: one handle for all that is read.
 */
#include "config/augeas.h"

#include <augeas.h>
#include <stdio.h>

#define NODES "/rootlatch"
#define NODE_IN NODES "/in"
#define NODE_TREE NODES "/tree"
#define NODE_OUT NODES "/out"
#define DIRECTIVE NODE_TREE "/*[1]"
#define NODE_ERROR "/augeas/text" NODE_TREE "/error"

struct config_augeas {
	augeas *aug; /* NULL before the first use */
	char *lens_dir;
};

int config_augeas_new(const char *lens_dir, struct config_augeas **ret, struct error *err)
{
	struct config_augeas *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return error_oom(err);
	a->lens_dir = str_dup(lens_dir, err);
	if (a->lens_dir == NULL) {
		free(a);
		return -1;
	}
	*ret = a;
	return 0;
}

void config_augeas_free(struct config_augeas *augeas)
{
	if (augeas == NULL)
		return;
	if (augeas->aug != NULL)
		aug_close(augeas->aug);
	free(augeas->lens_dir);
	free(augeas);
}

static int aug_failed(struct config_augeas *a, const char *what, struct error *err)
{
	const char *details = aug_error_details(a->aug);

	if (aug_error(a->aug) == AUG_ENOMEM)
		return error_oom(err);
	return error_set(err, ERROR_FAILED, "libaugeas: %s: %s%s%s", what,
			 aug_error_message(a->aug), details != NULL ? ": " : "",
			 details != NULL ? details : "");
}

/* No file is read here: lenses are loaded by name, when they are first used. */
static int open_handle(struct config_augeas *a, struct error *err)
{
	const unsigned int flags =
		AUG_NO_STDINC | AUG_NO_MODL_AUTOLOAD | AUG_NO_LOAD | AUG_NO_ERR_CLOSE;

	if (a->aug != NULL)
		return 0;
	a->aug = aug_init("/", a->lens_dir, flags);
	if (a->aug == NULL)
		return error_oom(err);
	if (aug_error(a->aug) != AUG_NOERROR) {
		aug_failed(a, "cannot start", err);
		aug_close(a->aug);
		a->aug = NULL;
		return -1;
	}
	return 0;
}

static int check_fragment(struct slice fragment, struct error *err)
{
	if (fragment.len > CONFIG_FRAGMENT_MAX)
		return error_set(err, ERROR_REFUSED,
				 "keyword and value are longer than %d bytes",
				 CONFIG_FRAGMENT_MAX);
	for (size_t i = 0; i < fragment.len; i++) {
		unsigned char c = (unsigned char)fragment.data[i];

		if ((c < 0x20 && c != '\t' && c != '\r') || c > 0x7e)
			return error_set(err, ERROR_REFUSED,
					 "keyword and value have a byte 0x%02x", c);
	}
	return 0;
}

static int check_lines(struct slice lines, struct error *err)
{
	const char *end = lines.data + lines.len;

	if (lines.len > CONFIG_LINES_MAX)
		return error_set(err, ERROR_REFUSED, "the lines are longer than %d bytes",
				 CONFIG_LINES_MAX);
	for (const char *p = lines.data; p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl != NULL ? nl : end;

		if (check_fragment(slice_of(p, (size_t)(stop - p)), err) < 0)
			return -1;
		p = nl != NULL ? nl + 1 : end;
	}
	return 0;
}

/* aug_error() knows only that a lens is missing or broken; what the lens did not like
 * about the text is in the tree. */
static int explain(struct config_augeas *a, const char *lens, struct error *err)
{
	const char *message = NULL;

	switch (aug_error(a->aug)) {
	case AUG_ENOLENS:
	case AUG_ESYNTAX:
		(void)aug_failed(a, lens, err);
		err->code = ERROR_REFUSED;
		return error_hint(err,
				  "The lens is looked for in %s. Is rootlatch installed "
				  "completely?",
				  a->lens_dir);
	case AUG_NOERROR:
		break;
	default:
		return aug_failed(a, lens, err);
	}
	if (aug_get(a->aug, NODE_ERROR "/message", &message) != 1 &&
	    aug_get(a->aug, NODE_ERROR, &message) != 1)
		message = NULL;
	return error_set(err, ERROR_REFUSED, "the lens %s does not accept the line: %s",
			 lens, message != NULL ? message : "no reason given");
}

/* Makes the tree of a text that was checked. */
static int store(struct config_augeas *a, const char *lens, struct slice checked,
		 struct error *err)
{
	_cleanup_free_ char *text = NULL;

	if (open_handle(a, err) < 0)
		return -1;
	text = str_ndup(checked.data, checked.len, err);
	if (text == NULL)
		return -1;
	if (aug_rm(a->aug, NODES) < 0 || aug_rm(a->aug, "/augeas/text") < 0 ||
	    aug_set(a->aug, NODE_IN, text) < 0)
		return aug_failed(a, "cannot set a node", err);
	if (aug_text_store(a->aug, lens, NODE_IN, NODE_TREE) < 0)
		return explain(a, lens, err);
	return 0;
}

/* Makes the tree of a fragment: one directive. */
static int parse(struct config_augeas *a, const char *lens, struct slice fragment,
		 struct error *err)
{
	if (check_fragment(fragment, err) < 0 || store(a, lens, fragment, err) < 0)
		return -1;
	if (aug_match(a->aug, NODE_TREE "/*", NULL) != 1)
		return error_set(err, ERROR_REFUSED,
				 "the lens %s sees no single directive", lens);
	return 0;
}

int config_augeas_get(struct config_augeas *augeas, const char *lens,
		      struct slice fragment, char **ret_keyword, char **ret_value,
		      struct error *err)
{
	_cleanup_free_ char *keyword = NULL;
	const char *label = NULL, *value = NULL;

	if (parse(augeas, lens, fragment, err) < 0)
		return -1;
	if (aug_label(augeas->aug, DIRECTIVE, &label) != 1 || label == NULL)
		return aug_failed(augeas, "cannot read the keyword", err);
	(void)aug_get(augeas->aug, DIRECTIVE, &value);
	if (value == NULL)
		(void)aug_get(augeas->aug, DIRECTIVE "/word", &value);
	if (value == NULL)
		return aug_failed(augeas, "cannot read the value", err);
	keyword = str_dup(label, err);
	if (keyword == NULL)
		return -1;
	*ret_value = str_dup(value, err);
	if (*ret_value == NULL)
		return -1;
	*ret_keyword = TAKE_PTR(keyword);
	return 0;
}

static int add_directive(struct config_augeas *a, const char *path,
			 struct strings *keywords, struct strings *values,
			 struct error *err)
{
	const char *label = NULL, *value = NULL;

	if (aug_label(a->aug, path, &label) != 1 || label == NULL ||
	    aug_get(a->aug, path, &value) != 1)
		return aug_failed(a, "cannot read a directive", err);
	if (strings_add(keywords, label, err) < 0)
		return -1;
	return strings_add(values, value != NULL ? value : "", err);
}

int config_augeas_get_all(struct config_augeas *augeas, const char *lens,
			  struct slice lines, struct strings *ret_keywords,
			  struct strings *ret_values, struct error *err)
{
	_cleanup_strings_ struct strings keywords = STRINGS_INIT, values = STRINGS_INIT;
	char **paths = NULL;
	int n, r = 0;

	if (check_lines(lines, err) < 0 || store(augeas, lens, lines, err) < 0)
		return -1;
	n = aug_match(augeas->aug, NODE_TREE "/*", &paths);
	if (n < 0)
		return aug_failed(augeas, "cannot list the directives", err);
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = add_directive(augeas, paths[i], &keywords, &values, err);
		free(paths[i]);
	}
	free(paths);
	if (r < 0)
		return -1;
	*ret_keywords = keywords;
	*ret_values = values;
	keywords = values = (struct strings)STRINGS_INIT;
	return 0;
}

int config_augeas_set(struct config_augeas *augeas, const char *lens,
		      struct slice fragment, const char *value, struct buffer *ret,
		      struct error *err)
{
	const char *out = NULL;

	if (parse(augeas, lens, fragment, err) < 0)
		return -1;
	if (aug_rm(augeas->aug, DIRECTIVE "/word") < 0 ||
	    aug_set(augeas->aug, DIRECTIVE, value) < 0)
		return aug_failed(augeas, "cannot set the value", err);
	if (aug_text_retrieve(augeas->aug, lens, NODE_IN, NODE_TREE, NODE_OUT) < 0)
		return explain(augeas, lens, err);
	if (aug_get(augeas->aug, NODE_OUT, &out) != 1 || out == NULL)
		return aug_failed(augeas, "cannot read the new line", err);
	return buffer_append_str(ret, out, err);
}

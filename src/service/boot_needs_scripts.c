/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The search goes from the service towards sshd, not the other way: nothing requires most
 * services, and then one header is all that has to be read.
 *
 *     service --provides--> facility --in insserv.conf--> $facility --required by--> script ... sshd
 */
#include "service/boot_needs.h"

#include "base/path.h"
#include "service/boot_parts.h"

#include <ctype.h>

#define INIT_D "/etc/init.d/"
#define CONF "/etc/insserv.conf"
#define CONF_D "/etc/insserv.conf.d"

/* What is known to need the service. */
struct node {
	char *name; /* a script's, or a facility of insserv.conf */
	bool facility;
	struct strings offers; /* what others may require of it */
	size_t needs; /* the node that it needs; the service itself needs none of them */
	char *by;     /* the word by which it does */
};

struct facility { /* a line of insserv.conf */
	char *name;
	struct strings members;
};

struct search {
	const struct host *h;
	struct config_augeas *augeas;
	const struct host_tree *t;
	struct node *nodes; /* in the order in which they are looked at */
	size_t n_nodes;
	struct facility *facilities;
	size_t n_facilities;
	struct strings overrides[2]; /* what is in each of the override_folders */
};

static void search_release(struct search *s)
{
	for (size_t i = 0; i < s->n_nodes; i++) {
		free(s->nodes[i].name);
		free(s->nodes[i].by);
		strings_release(&s->nodes[i].offers);
	}
	for (size_t i = 0; i < s->n_facilities; i++) {
		free(s->facilities[i].name);
		strings_release(&s->facilities[i].members);
	}
	for (size_t i = 0; i < ARRAY_SIZE(s->overrides); i++)
		strings_release(&s->overrides[i]);
	free(s->nodes);
	free(s->facilities);
}

static int add_facility(struct search *s, struct strings *words, struct error *err)
{
	struct facility *f, *grown;

	grown = reallocarray(s->facilities, s->n_facilities + 1, sizeof(*grown));
	if (grown == NULL)
		return error_oom(err);
	s->facilities = grown;
	f = &grown[s->n_facilities];
	*f = (struct facility){ .name = str_dup(words->items[0], err) };
	if (f->name == NULL)
		return -1;
	s->n_facilities++;
	for (size_t i = 1; i < words->len; i++) {
		const char *w = words->items[i];

		if (strings_add(&f->members, *w == '+' ? w + 1 : w, err) < 0)
			return -1;
	}
	return 0;
}

/* insserv(8): "$name member +optional ...", parted by blanks; a = or : may stand behind the name. */
static int read_conf(struct search *s, const char *path, struct error *err)
{
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	struct slice text, line;

	if (boot_needs_read(s->h, path, &f, err) < 0)
		return -1;
	text = slice_of(f.bytes.data, f.bytes.len);
	while (boot_next_line(&text, &line)) {
		_cleanup_strings_ struct strings words = STRINGS_INIT;
		_cleanup_buffer_ struct buffer apart = BUFFER_INIT;
		size_t n = 1;

		if (line.len < 2 || line.data[0] != '$')
			continue;
		while (n < line.len && (isalnum((unsigned char)line.data[n]) ||
					line.data[n] == '_' || line.data[n] == '-'))
			n++;
		if (buffer_append(&apart, line.data, line.len, err) < 0)
			return -1;
		n += strspn(apart.data + n, " \t");
		if (apart.data[n] == '=' || apart.data[n] == ':')
			apart.data[n] = ' ';
		if (boot_needs_words(slice_of(apart.data, apart.len), &words, err) < 0 ||
		    add_facility(s, &words, err) < 0)
			return -1;
	}
	return 0;
}

static int read_confs(struct search *s, struct error *err)
{
	_cleanup_strings_ struct strings names = STRINGS_INIT;

	if (read_conf(s, CONF, err) < 0 || host_dir_list(s->h, CONF_D, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.len; i++) {
		_cleanup_free_ char *path = path_join(CONF_D, names.items[i], err);

		if (path == NULL || read_conf(s, path, err) < 0)
			return -1;
	}
	return 0;
}

/* insserv reads a header in one of these instead of the script's own. */
static const char *const override_folders[] = {
	"/etc/insserv/overrides",
	"/usr/share/insserv/overrides",
};

static int list_overrides(struct search *s, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(override_folders); i++)
		if (host_dir_list(s->h, override_folders[i], &s->overrides[i], err) < 0)
			return -1;
	return 0;
}

/* The text that has the header: the script's own, or that of `storage`. */
static int header_text(const struct search *s, const struct host_tree_entry *e,
		       const char *name, struct host_file *storage, struct slice *ret,
		       struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(override_folders) && storage->bytes.len == 0;
	     i++) {
		_cleanup_free_ char *path = NULL;

		if (!strings_contain(&s->overrides[i], name))
			continue;
		path = path_join(override_folders[i], name, err);
		if (path == NULL || boot_needs_read(s->h, path, storage, err) < 0)
			return -1;
	}
	*ret = storage->bytes.len > 0 ?
		       slice_of(storage->bytes.data, storage->bytes.len) :
		       slice_of(e->bytes.data, e->bytes.len);
	return 0;
}

/* A script's name, NULL for anything else in the tree. */
static const char *script_name(const struct host_tree_entry *e)
{
	const char *name;

	if (e->kind != HOST_TREE_FILE || strncmp(e->path, INIT_D, strlen(INIT_D)) != 0)
		return NULL;
	name = e->path + strlen(INIT_D);
	if (*name == '.' || strchr(name, '/') != NULL || strstr(name, ".dpkg-") != NULL)
		return NULL;
	return name;
}

static bool is_known(const struct search *s, const char *name, bool facility)
{
	for (size_t i = 0; i < s->n_nodes; i++)
		if (s->nodes[i].facility == facility &&
		    strcmp(s->nodes[i].name, name) == 0)
			return true;
	return false;
}

/* Takes the offers over. */
static int add_node(struct search *s, const char *name, bool facility,
		    struct strings *offers, size_t needs, const char *by,
		    struct error *err)
{
	struct node *n, *grown = reallocarray(s->nodes, s->n_nodes + 1, sizeof(*grown));

	if (grown == NULL)
		return error_oom(err);
	s->nodes = grown;
	n = &grown[s->n_nodes];
	*n = (struct node){ .facility = facility, .needs = needs };
	n->name = str_dup(name, err);
	if (n->name == NULL)
		return -1;
	n->by = str_dup(by, err);
	if (n->by == NULL) {
		free(n->name);
		return -1;
	}
	n->offers = *offers;
	*offers = (struct strings)STRINGS_INIT;
	s->n_nodes++;
	/* Without a header, and with an empty Provides, it is the name of the script. */
	return n->offers.len > 0 ? 0 : strings_add(&n->offers, name, err);
}

/* The first of `words` which is one of `offers`. */
static const char *common(const struct strings *words, const struct strings *offers)
{
	for (size_t i = 0; i < words->len; i++)
		if (strings_contain(offers, words->items[i]))
			return words->items[i];
	return NULL;
}

static int add_facilities(struct search *s, size_t node, struct error *err)
{
	for (size_t i = 0; i < s->n_facilities; i++) {
		const struct facility *f = &s->facilities[i];
		const char *by = common(&f->members, &s->nodes[node].offers);
		struct strings none = STRINGS_INIT;

		if (by != NULL && !is_known(s, f->name, true) &&
		    add_node(s, f->name, true, &none, node, by, err) < 0)
			return -1;
	}
	return 0;
}

/* A header that can't be read says nothing about what its script needs: insserv refuses to work at
 * all as long as it is there, and whoever disables that very script is told by others. */
static int add_script(struct search *s, const char *name, struct slice text, size_t node,
		      struct error *err)
{
	_cleanup_lsb_header_ struct lsb_header l = LSB_HEADER_INIT;
	struct error e = ERROR_INIT;
	const char *by;

	if (!lsb_header_requires(text, &s->nodes[node].offers))
		return 0;
	if (lsb_header_parse(s->augeas, text, &l, &e) < 0) {
		if (e.code == ERROR_REFUSED && e.hint[0] == '\0')
			return 0;
		if (err != NULL)
			*err = e;
		return -1;
	}
	by = common(&l.required_start, &s->nodes[node].offers);
	return by != NULL ? add_node(s, name, false, &l.provides, node, by, err) : 0;
}

static int add_scripts(struct search *s, size_t node, struct error *err)
{
	for (size_t i = 0; i < s->t->len; i++) {
		_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
		const struct host_tree_entry *e = &s->t->items[i];
		const char *name = script_name(e);
		struct slice text;

		if (name == NULL || is_known(s, name, false))
			continue;
		if (header_text(s, e, name, &f, &text, err) < 0 ||
		    add_script(s, name, text, node, err) < 0)
			return -1;
	}
	return 0;
}

/* "; that needs $remote_fs", "; that needs checkfs, which checkfs.sh provides"; of a facility, what
 * makes it one: ", which needs $local_fs", ", which rsyslog provides" */
static int explain_node(const struct search *s, const struct node *n, const char *who,
			struct buffer *b, struct error *err)
{
	const struct node *next = &s->nodes[n->needs];

	if (!n->facility && buffer_printf(b, err, "%s needs %s", who, n->by) < 0)
		return -1;
	if (n->facility && next->facility)
		return buffer_printf(b, err, ", which needs %s", next->name);
	if (!next->facility && (n->facility || strcmp(n->by, next->name) != 0))
		return buffer_printf(b, err, ", which %s provides", next->name);
	return 0;
}

static int explain(const struct search *s, size_t node, char **ret, struct error *err)
{
	_cleanup_buffer_ struct buffer b = BUFFER_INIT;
	const char *who = "sshd";

	/* The first node is the service itself. */
	for (; node != 0; node = s->nodes[node].needs) {
		if (explain_node(s, &s->nodes[node], who, &b, err) < 0)
			return -1;
		who = "; that";
	}
	*ret = b.data;
	b = (struct buffer)BUFFER_INIT;
	return 0;
}

static bool is_sshd(const struct node *n)
{
	return !n->facility &&
	       (boot_needs_is_sshd(n->name) || strings_contain(&n->offers, "sshd"));
}

static int search(struct search *s, char **ret_why, struct error *err)
{
	for (size_t i = 0; i < s->n_nodes; i++) {
		size_t n = s->n_nodes;

		if (add_facilities(s, i, err) < 0 || add_scripts(s, i, err) < 0)
			return -1;
		for (; n < s->n_nodes; n++)
			if (is_sshd(&s->nodes[n]))
				return explain(s, n, ret_why, err);
	}
	return 0;
}

static int start(struct search *s, const char *name, char **ret_why, struct error *err)
{
	_cleanup_free_ char *path = str_format(err, INIT_D "%s", name);
	_cleanup_host_file_ struct host_file f = HOST_FILE_INIT;
	_cleanup_lsb_header_ struct lsb_header l = LSB_HEADER_INIT;
	const struct host_tree_entry *e;
	struct slice text;

	if (path == NULL)
		return -1;
	e = host_tree_find(s->t, path);
	if (e == NULL || e->kind != HOST_TREE_FILE)
		return 0;
	if (list_overrides(s, err) < 0 || header_text(s, e, name, &f, &text, err) < 0)
		return -1;
	if (lsb_header_parse(s->augeas, text, &l, err) < 0)
		return error_prefix(err, "%s", path);
	if (strings_contain(&l.provides, "sshd")) {
		*ret_why = str_format(err, "%s provides sshd", name);
		return *ret_why != NULL ? 0 : -1;
	}
	if (add_node(s, name, false, &l.provides, 0, "", err) < 0 ||
	    read_confs(s, err) < 0)
		return -1;
	return search(s, ret_why, err);
}

int boot_needs_by_scripts(const struct host *h, struct config_augeas *augeas,
			  const struct host_tree *t, const char *name, char **ret_why,
			  struct error *err)
{
	struct search s = { .h = h, .augeas = augeas, .t = t };
	int r = start(&s, name, ret_why, err);

	search_release(&s);
	return r;
}

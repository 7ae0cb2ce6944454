/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * augeas_stubs: what libaugeas.a wants from libxml2 and libselinux, answered by "no".
 *
 * Two corners of libaugeas use them, and we enter neither: aug_to_xml (and the dump-xml of
 * aug_srun) makes an XML tree, and aug_save keeps the SELinux label of the file that it
 * replaces. Our editors go from text to text by aug_text_store and aug_text_retrieve;
 * src/host/ alone replaces files. The real libraries would be loaded all the same, ICU with
 * them, and cost each run more than a millisecond: several times what an edit costs.
 *
 * Nothing here may pretend to work: should a later libaugeas come this way, it gets a
 * failure that it has to report. The prototypes are repeated rather than included, so that
 * the pointers stay opaque, and the symbols are hidden, so that a libxml2 which something
 * else brings into the process keeps its own.
 */
#include <errno.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

void *xmlNewNode(void *ns, const unsigned char *name);
void *xmlNewChild(void *parent, void *ns, const unsigned char *name,
		  const unsigned char *content);
void *xmlNewTextChild(void *parent, void *ns, const unsigned char *name,
		      const unsigned char *content);
void *xmlSetProp(void *node, const unsigned char *name, const unsigned char *value);
void xmlFreeNode(void *node);
void xmlElemDump(void *file, void *doc, void *node);
extern void (*xmlFree)(void *mem);

int is_selinux_enabled(void);
int getfilecon(const char *path, char **con);
int lgetfilecon(const char *path, char **con);
int fgetfilecon(int fd, char **con);
int fsetfilecon(int fd, const char *con);
void freecon(char *con);

/* libxml2: a NULL node is "out of memory" to every caller. */

void *xmlNewNode(void *ns, const unsigned char *name)
{
	return NULL;
}

void *xmlNewChild(void *parent, void *ns, const unsigned char *name,
		  const unsigned char *content)
{
	return NULL;
}

void *xmlNewTextChild(void *parent, void *ns, const unsigned char *name,
		      const unsigned char *content)
{
	return NULL;
}

void *xmlSetProp(void *node, const unsigned char *name, const unsigned char *value)
{
	return NULL;
}

void xmlFreeNode(void *node)
{
}

void xmlElemDump(void *file, void *doc, void *node)
{
}

static void free_nothing(void *mem)
{
}

void (*xmlFree)(void *mem) = free_nothing;

/* libselinux: as on a kernel without SELinux. */

static int no_label(void)
{
	errno = ENOTSUP;
	return -1;
}

int is_selinux_enabled(void)
{
	return 0;
}

int getfilecon(const char *path, char **con)
{
	return no_label();
}

int lgetfilecon(const char *path, char **con)
{
	return no_label();
}

int fgetfilecon(int fd, char **con)
{
	return no_label();
}

int fsetfilecon(int fd, const char *con)
{
	return no_label();
}

void freecon(char *con)
{
}

#pragma GCC visibility pop

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "instant.h"

#include <stdarg.h>

#include "die.h"
#include "fixture.h"
#include "watchers.h"

#define JOURNAL FIXTURE_STATE "/journal"
#define SNAPSHOTS FIXTURE_STATE "/snapshots/"

static bool __attribute__((format(printf, 2, 3)))
wrong(struct verdict *v, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(v->why, sizeof(v->why), format, args);
	va_end(args);
	return false;
}

/* Both may be missing. */
static bool is_same(const struct image_entry *a, const struct image_entry *b)
{
	return a == NULL || b == NULL ? a == b : verdict_same_but_ids(a, b);
}

static bool is_old(const struct verdict_terms *terms, const struct image *now, const char *path)
{
	return is_same(image_find(now, path), image_find(&terms->before.image, path));
}

static bool is_new(const struct verdict_terms *terms, const struct image *now, const char *path)
{
	return is_same(image_find(now, path), image_find(&terms->after.image, path));
}

struct change {
	bool any;
	bool login; /* what sshd reads */
};

static bool is_below(const char *path, const char *folder)
{
	return strncmp(path, folder, strlen(folder)) == 0;
}

/* Of the files in `side`. */
static bool check_files(const struct verdict_terms *terms, const struct image *now,
			const struct image *side, struct change *ret, struct verdict *v)
{
	for (size_t i = 0; i < side->count; i++) {
		const struct image_entry *e = &side->entries[i];
		bool old;

		if (!verdict_is_target(e))
			continue;
		old = is_old(terms, now, e->path);
		ret->any |= !old;
		ret->login |= !old && !is_below(e->path, "/etc/cron.d/");
		if (!old && !is_new(terms, now, e->path))
			return wrong(v, "in that moment neither old nor new: %s", e->path);
	}
	return true;
}

static bool check_snapshots(const struct verdict_terms *terms, const struct image *now,
			    struct verdict *v)
{
	const struct image *after = &terms->after.image;

	for (size_t i = 0; i < after->count; i++) {
		const char *path = after->entries[i].path;

		if (is_below(path, SNAPSHOTS) &&
		    verdict_count_alike(now, path) < verdict_count_alike(after, path))
			return wrong(v, "in that moment changed, and without %s", path);
	}
	return true;
}

/* Who has a file there, and holds it, is at work. */
static bool check_armed(const struct verdict_terms *terms, const struct image *now,
			struct verdict *v)
{
	if (terms->after.claims.watch[0] == '\0')
		return true;
	for (size_t i = 0; i < now->count; i++)
		if (is_below(now->entries[i].path, WATCHERS_DIR "/") &&
		    watchers_file_is_held(now->entries[i].path))
			return true;
	return wrong(v, "in that moment open, and no watcher would close it");
}

static bool is_recorded(const struct verdict_terms *terms, const struct image *now)
{
	const struct claims *before = &terms->before.claims;
	char why[CLAIMS_WHY_MAX];
	struct claims claims;

	return claims_of_state(now, &claims, why) &&
	       (claims.applied != before->applied || claims.until_ns != before->until_ns);
}

/* Where an opening's own listings begin: "root may log in". */
static bool check_said(const struct verdict_terms *terms, const struct image *now,
		       struct verdict *v)
{
	char text[4096];

	claims_read_output(terms->output_fd, text, sizeof(text));
	if (terms->headline[0] == '\0' || strstr(text, terms->headline) == NULL ||
	    is_recorded(terms, now))
		return true;
	return wrong(v, "in that moment it has said \"%s\", and the state has not",
		     terms->headline);
}

bool instant_whole(const struct verdict_terms *terms, bool locked, struct verdict *v)
{
	struct change changed = { .any = false };
	struct image now;
	bool whole, journal;

	if (terms->services)
		return true;
	image_capture(fixture_roots, &now);
	journal = image_find(&now, JOURNAL) != NULL;
	whole = check_files(terms, &now, &terms->before.image, &changed, v) &&
		check_files(terms, &now, &terms->after.image, &changed, v) &&
		check_files(terms, &now, &now, &changed, v) && check_said(terms, &now, v) &&
		(!changed.any || check_snapshots(terms, &now, v)) &&
		(!changed.login || check_armed(terms, &now, v));
	if (whole && changed.any && !journal && !is_recorded(terms, &now))
		whole = wrong(v, "in that moment changed, and there is no journal");
	if (whole && journal && !locked)
		whole = wrong(v, "in that moment there is a journal, and nobody holds the lock");
	image_release(&now);
	return whole;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "states.h"

#include <stdint.h>

#include "die.h"

struct seen {
	uint64_t *digests;
	size_t n, room;
};

struct walk {
	struct states *states;
	struct seen seen;
	size_t moment;
	size_t *pending, n_pending;
	enum disk_fate *fates;
};

/* ---- No state twice */

static uint64_t add(uint64_t digest, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	/* FNV-1a */
	for (size_t i = 0; i < len; i++)
		digest = (digest ^ p[i]) * 0x100000001b3ULL;
	return digest;
}

static uint64_t digest_of(const struct image *image, bool said)
{
	uint64_t digest = add(0xcbf29ce484222325ULL, &said, sizeof(said));

	for (size_t i = 0; i < image->count; i++) {
		const struct image_entry *e = &image->entries[i];
		const int64_t attributes[] = { e->st.st_mode, e->st.st_uid, e->st.st_gid,
					       e->st.st_mtim.tv_sec, e->st.st_mtim.tv_nsec,
					       (int64_t)e->len };

		digest = add(digest, e->path, strlen(e->path) + 1);
		digest = add(digest, attributes, sizeof(attributes));
		digest = add(digest, e->bytes, e->len);
	}
	return digest;
}

static bool is_new(struct seen *seen, uint64_t digest)
{
	for (size_t i = 0; i < seen->n; i++)
		if (seen->digests[i] == digest)
			return false;
	if (seen->n == seen->room) {
		seen->room = seen->room != 0 ? 2 * seen->room : 256;
		seen->digests = realloc(seen->digests, seen->room * sizeof(*seen->digests));
		if (seen->digests == NULL)
			die("out of memory");
	}
	seen->digests[seen->n++] = digest;
	return true;
}

/* ---- The states of a moment */

static void describe(const struct walk *w, char *text, size_t size)
{
	static const char *const marks[] = { "-", "+", "half ", "zero " };
	size_t len;

	(void)snprintf(text, size, "moment %zu", w->moment);
	for (size_t i = 0; i < w->n_pending; i++) {
		len = strlen(text);
		(void)snprintf(text + len, size - len, "%s %s", i == 0 ? ":" : ",",
			       marks[w->fates[w->pending[i]]]);
		len = strlen(text);
		disk_describe(w->states->disk, w->pending[i], text + len, size - len);
	}
}

static void visit(struct walk *w)
{
	struct states *s = w->states;
	struct state state = { .moment = w->moment, .said = w->moment >= s->said };

	s->planned++;
	disk_build(s->disk, w->moment, w->fates, &state.image);
	if (is_new(&w->seen, digest_of(&state.image, state.said))) {
		s->different++;
		describe(w, state.what, sizeof(state.what));
		s->visit(s->ctx, &state);
	}
	image_release(&state.image);
}

static void set_all(struct walk *w, enum disk_fate fate)
{
	for (size_t i = 0; i < w->n_pending; i++)
		w->fates[w->pending[i]] = fate;
}

static void visit_all_but(struct walk *w, enum disk_fate all, size_t but, enum disk_fate fate)
{
	set_all(w, all);
	w->fates[w->pending[but]] = fate;
	visit(w);
}

static void visit_torn(struct walk *w, size_t i)
{
	if (!disk_is_bytes(w->states->disk, w->pending[i]))
		return;
	visit_all_but(w, DISK_KEPT, i, DISK_HALF);
	visit_all_but(w, DISK_KEPT, i, DISK_ZERO);
	visit_all_but(w, DISK_LOST, i, DISK_HALF);
	visit_all_but(w, DISK_LOST, i, DISK_ZERO);
}

static void visit_prefix(struct walk *w, size_t n)
{
	set_all(w, DISK_LOST);
	for (size_t i = 0; i < n; i++)
		w->fates[w->pending[i]] = DISK_KEPT;
	visit(w);
}

static void visit_combinations(struct walk *w)
{
	if (w->states->few || w->n_pending > STATES_FEW)
		return;
	for (unsigned bits = 0; bits < 1u << w->n_pending; bits++) {
		for (size_t i = 0; i < w->n_pending; i++)
			w->fates[w->pending[i]] = bits & 1u << i ? DISK_KEPT : DISK_LOST;
		visit(w);
	}
}

static void visit_moment(struct walk *w)
{
	w->n_pending = disk_pending(w->states->disk, w->moment, w->pending);
	set_all(w, DISK_LOST);
	visit(w);
	if (w->n_pending == 0)
		return;
	set_all(w, DISK_KEPT);
	visit(w);
	for (size_t i = 0; i < w->n_pending; i++) {
		visit_all_but(w, DISK_KEPT, i, DISK_LOST);
		visit_all_but(w, DISK_LOST, i, DISK_KEPT);
		visit_prefix(w, i);
		visit_torn(w, i);
	}
	visit_combinations(w);
}

void states_visit(struct states *s)
{
	size_t effects = disk_effects(s->disk);
	struct walk w = { .states = s,
			  .pending = calloc(effects + 1, sizeof(*w.pending)),
			  .fates = calloc(effects + 1, sizeof(*w.fates)) };

	if (w.pending == NULL || w.fates == NULL)
		die("out of memory");
	s->planned = s->different = 0;
	for (w.moment = s->first; w.moment <= disk_moments(s->disk); w.moment++)
		visit_moment(&w);
	free(w.pending);
	free(w.fates);
	free(w.seen.digests);
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What switching services off, on, and undoing that have in common.
 */
#include "toggle/service.h"

#include "base/path.h"
#include "host/clock.h"

char *service_script(const char *name, struct error *err)
{
	return str_format(err, SERVICE_INITD "%s", name);
}

/* A line each: it is more than fits into one. */
int service_refuse_unknown(const struct boot_service *s, struct error *err)
{
	_cleanup_free_ char *traces = boot_service_traces(s, err);

	if (traces == NULL)
		return -1;
	(void)error_set(err, ERROR_REFUSED, "there is no service %s on this host", s->name);
	(void)error_hint(err, "Nothing was changed. What was looked at:");
	for (char *rest = traces, *one; (one = strsep(&rest, ",")) != NULL;)
		(void)error_hint_add(err, "%s", one + strspn(one, " "));
	return -1;
}

void toggle_boot_free(struct toggle_boot **boot)
{
	struct toggle_boot *b = TAKE_PTR(*boot);

	if (b == NULL)
		return;
	strings_release(&b->folders);
	host_tree_release(&b->before);
	host_tree_release(&b->wanted);
	json_decref(b->image);
	for (size_t i = 0; i < b->n_files; i++)
		host_file_release(&b->files[i]);
	free(b->files);
	free(b);
}

/* The chain of images holds as long as the tree is as our last commit left it. */
static int follow_chain(struct toggle_plan *p, struct error *err)
{
	struct digest now;

	if (service_tree_digest(&p->boot->before, &now, err) < 0)
		return -1;
	if (!digest_equal(&now, &p->after.boot_left))
		state_drop_images(&p->after, true);
	return 0;
}

int service_begin(const struct toggle_context *c, struct toggle_plan *p, struct error *err)
{
	_cleanup_strings_ struct strings taken = STRINGS_INIT;

	p->reloads = false;
	p->boot = calloc(1, sizeof(*p->boot));
	if (p->boot == NULL)
		return error_oom(err);
	if (boot_folders(&p->boot->folders, err) < 0 ||
	    host_tree_read(c->host, &p->boot->folders, &p->boot->before, err) < 0 ||
	    host_tree_copy(&p->boot->before, &p->boot->wanted, err) < 0 ||
	    state_ids(c->state, &taken, err) < 0 || plan_new_id(p->plan.id, &taken, err) < 0 ||
	    state_copy(c->state, &p->after, err) < 0)
		return -1;
	return follow_chain(p, err);
}

int service_read_wanted(const struct toggle_context *c, struct toggle_plan *p, const char *name,
			struct boot_service *ret, struct error *err)
{
	return boot_service_read(c->host, NULL, &p->boot->wanted, name, ret, err);
}

struct toggle_service *service_note(struct toggle_plan *p, const struct boot_service *before,
				    struct error *err)
{
	struct toggle_service *more = reallocarray(p->services, p->n_services + 1, sizeof(*more)), *n;

	if (more == NULL) {
		(void)error_oom(err);
		return NULL;
	}
	p->services = more;
	n = &p->services[p->n_services++];
	*n = (struct toggle_service){ .verdict = "normal" };
	n->name = str_dup(before->name, err);
	n->toggle = str_format(err, SERVICE_PREFIX "%s", before->name);
	n->links_before = boot_links_text(before, err);
	n->mode_before = before->has_script ? before->script_mode : 0;
	n->unit = before->unit.name != NULL ? str_dup(before->unit.name, err) : NULL;
	n->unit_before = boot_unit_state_name(before->unit.state);
	if (n->name == NULL || n->toggle == NULL || n->links_before == NULL ||
	    (before->unit.name != NULL && n->unit == NULL))
		return NULL;
	return n;
}

int service_note_after(struct toggle_service *n, const struct boot_service *after,
		       struct error *err)
{
	free(n->why);
	free(n->links_after);
	n->will_start = after->starts;
	n->why = str_dup(after->why, err);
	n->links_after = boot_links_text(after, err);
	n->mode_after = after->has_script ? after->script_mode : 0;
	n->unit_after = boot_unit_state_name(after->unit.state);
	return n->why == NULL || n->links_after == NULL ? -1 : 0;
}

static int add_events(struct toggle_plan *p, struct error *err)
{
	int64_t now_ns = clock_realtime_ns();

	for (size_t i = 0; i < p->n_services; i++) {
		const struct toggle_service *n = &p->services[i];

		if (n->changes &&
		    state_add_event(&p->after, p->plan.id, p->command, n->toggle,
				    n->undoes[0] != '\0' ? n->undoes : NULL, now_ns, err) < 0)
			return -1;
	}
	return 0;
}

/* What the tree was before leads back, as long as those toggles stay applied that were then. */
static int keep_image(const struct toggle_context *c, struct toggle_plan *p, struct error *err)
{
	_cleanup_strings_ struct strings applied = STRINGS_INIT;

	if (state_service_ids(c->state, &applied, err) < 0 ||
	    state_add_image(&p->after, p->plan.id, &applied, err) < 0 ||
	    service_tree_digest(&p->boot->wanted, &p->boot->left, err) < 0)
		return -1;
	p->after.boot_left = p->boot->left;
	state_drop_images(&p->after, false);
	return 0;
}

/* Undoing leads to no image of its own: what it undid is not applied any more. */
static int make_image(struct toggle_plan *p, struct error *err)
{
	size_t n = p->after.n_images;

	if (n == 0 || strcmp(p->after.images[n - 1].id, p->plan.id) != 0)
		return 0;
	p->boot->image = service_image_to_json(&p->boot->before, err);
	return p->boot->image == NULL ? -1 : 0;
}

static void forget_tree(struct state *s)
{
	for (size_t i = 0; i < s->n_toggles; i++)
		if (s->toggles[i].service != NULL)
			return;
	s->boot_left.hex[0] = '\0';
	state_drop_images(s, true);
}

int service_finish(const struct toggle_context *c, const struct toggle_terms *terms,
		   struct toggle_plan *p, struct error *err)
{
	if (service_add_steps(c, p, err) < 0 || add_events(p, err) < 0 ||
	    keep_image(c, p, err) < 0)
		return -1;
	forget_tree(&p->after);
	if (make_image(p, err) < 0)
		return -1;
	p->changes = true;
	p->keeps_snapshot = true;
	p->after.generation++;
	p->snapshot = (struct snapshot_info){
		.command = p->command,
		.toggle = p->toggle,
		.by = terms->by,
		.reason = terms->reason,
		.config = p->config,
		.boot = p->boot->image,
	};
	return 0;
}

/* Nothing of this is for sshd to judge. */
static int judge(const struct toggle_context *c, struct toggle_plan *p, struct error *err)
{
	return 0;
}

static void release(struct toggle_judgement *j)
{
}

/* Neither a command's exit status nor a step's own look is believed: all of it is read once more. */
static int verify(const struct toggle_context *c, const struct toggle_plan *p, struct error *err)
{
	_cleanup_host_tree_ struct host_tree now = HOST_TREE_INIT;
	struct digest is;

	if (host_tree_read(c->host, &p->boot->folders, &now, err) < 0 ||
	    service_tree_digest(&now, &is, err) < 0)
		return -1;
	if (digest_equal(&is, &p->boot->left))
		return 0;
	return error_set(err, ERROR_FAILED, "the links, modes or units are not what they were just set "
			 "to: somebody else is changing them");
}

const struct toggle_kind service_kind = {
	.name = SERVICE_PREFIX,
	.plan_apply = service_plan_apply,
	.plan_undo = service_plan_undo,
	.judge = judge,
	.release = release,
	.verify = verify,
	.read = service_read,
};

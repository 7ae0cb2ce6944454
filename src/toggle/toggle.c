/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "toggle/toggle.h"

#include <stdio.h>

#include "toggle/root_login.h"
#include "toggle/service.h"
#include "toggle/undo.h"

static const struct toggle_kind *const kinds[] = {
	&root_login_kind,
	&service_kind,
};

const struct toggle_kind *toggle_kind_find(const char *toggle)
{
	size_t len = strcspn(toggle, "@/");

	len += toggle[len] == '/';
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strlen(kinds[i]->name) == len && strncmp(kinds[i]->name, toggle, len) == 0)
			return kinds[i];
	return NULL;
}

const char *toggle_service_name(const char *toggle)
{
	size_t len = strlen(SERVICE_PREFIX);

	return strncmp(toggle, SERVICE_PREFIX, len) == 0 ? toggle + len : NULL;
}

char *toggle_name(const char *kind, const char *config, struct error *err)
{
	if (strcmp(config, SSHD_CONFIG_DEFAULT) == 0)
		return str_dup(kind, err);
	return str_format(err, "%s@%s", kind, config);
}

const char *toggle_config(const char *toggle)
{
	const char *at = toggle_service_name(toggle) == NULL ? strchr(toggle, '@') : NULL;

	return at != NULL ? at + 1 : SSHD_CONFIG_DEFAULT;
}

int toggle_plan_new(const char *toggle, const char *command, struct toggle_plan **ret,
		    struct error *err)
{
	_cleanup_toggle_plan_ struct toggle_plan *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return error_oom(err);
	p->kind = toggle_kind_find(toggle);
	p->toggle = str_dup(toggle, err);
	p->command = str_dup(command, err);
	p->config = str_dup(toggle_config(toggle), err);
	if (p->toggle == NULL || p->command == NULL || p->config == NULL)
		return -1;
	p->verdict = "normal";
	p->reloads = true;
	*ret = TAKE_PTR(p);
	return 0;
}

static void service_release(struct toggle_service *s)
{
	free(s->toggle);
	free(s->name);
	free(s->why);
	free(s->links_before);
	free(s->links_after);
	free(s->unit);
}

void toggle_plan_free(struct toggle_plan **plan)
{
	struct toggle_plan *p = TAKE_PTR(*plan);

	if (p == NULL)
		return;
	if (p->judgement != NULL)
		p->kind->release(p->judgement);
	toggle_undo_free(&p->undo);
	toggle_boot_free(&p->boot);
	for (size_t i = 0; i < p->n_services; i++)
		service_release(&p->services[i]);
	free(p->services);
	strings_release(&p->toggles);
	plan_release(&p->plan);
	state_release(&p->after);
	sshd_daemons_release(&p->daemons);
	toggle_warnings_release(&p->warnings);
	strings_release(&p->files);
	strings_release(&p->restored);
	strings_release(&p->removed);
	strings_release(&p->leftovers);
	strings_release(&p->from);
	free(p->toggle);
	free(p->command);
	free(p->config);
	free(p->was);
	free(p->is);
	free(p->effective);
	free(p->placement);
	free(p);
}

void toggle_report_release(struct toggle_report *r)
{
	free(r->value);
	free(r->effective);
	strings_release(&r->differences);
	strings_release(&r->strays);
	strings_release(&r->facts);
	toggle_warnings_release(&r->warnings);
	*r = (struct toggle_report)TOGGLE_REPORT_INIT;
}

int toggle_warn(struct toggle_warnings *w, struct error *err, const char *hint, const char *fmt,
		...)
{
	struct toggle_warning one = { .kind = "note",
				      .hint = str_dup(hint != NULL ? hint : "", err) };
	struct toggle_warning *more = reallocarray(w->items, w->len + 1, sizeof(*more));
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&one.text, fmt, args);
	va_end(args);
	if (more != NULL)
		w->items = more;
	if (more == NULL || n < 0 || one.hint == NULL) {
		free(one.hint);
		if (n >= 0)
			free(one.text);
		return error_oom(err);
	}
	w->items[w->len++] = one;
	return 0;
}

void toggle_warnings_release(struct toggle_warnings *w)
{
	for (size_t i = 0; i < w->len; i++) {
		free(w->items[i].text);
		free(w->items[i].hint);
	}
	free(w->items);
	*w = (struct toggle_warnings){ 0 };
}

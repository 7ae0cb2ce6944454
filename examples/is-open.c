/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Asks the library whether a root login is open on this host, and says so in one line; for a
 * login banner, say. Exit status: 0 nothing is open, 1 something is, 2 it can't be told.
 *
 *     cc is-open.c $(pkg-config --cflags --libs --static rootlatch) -o is-open
 */
#include <jansson.h>
#include <rootlatch.h>
#include <stdio.h>

static int print_open(const char *text)
{
	json_t *doc = json_loads(text, 0, NULL);
	const json_t *results = json_object_get(doc, "results");
	int open = 0;

	for (size_t i = 0; i < json_array_size(results); i++) {
		const json_t *one = json_array_get(results, i);
		const char *id = json_string_value(json_object_get(one, "id"));
		const char *since = json_string_value(json_object_get(one, "since"));

		if (id == NULL)
			continue;
		printf("%s is open since %s (%s)\n",
		       json_string_value(json_object_get(one, "toggle")), since, id);
		open = 1;
	}
	if (!open)
		printf("no root login is open by rootlatch\n");
	json_decref(doc);
	return open;
}

int main(int argc, char **argv)
{
	const struct rootlatch_options options = {
		.state_dir = argc > 1 ? argv[1] : NULL,
		.offline = true,
	};
	struct rootlatch_result *result = NULL;
	struct rootlatch *host = NULL;
	struct rootlatch_error err;
	int status = 2;

	if (rootlatch_process_harden(&err) < 0 || rootlatch_new(&options, &host, &err) < 0 ||
	    rootlatch_status(host, NULL, &result, &err) < 0)
		fprintf(stderr, "%s\n%s\n", err.message, err.hint);
	else
		status = print_open(rootlatch_result_json(result));
	rootlatch_result_free(result);
	rootlatch_free(host);
	return status;
}

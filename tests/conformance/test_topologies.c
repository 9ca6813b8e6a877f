// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs the tables of cases on one driver: IOASIDCTL_TEST_DRIVER, by default the reference device in
 * this process; with IOASIDCTL_TEST_NODE set, behind its node. After each step the dump must be a
 * config that changes nothing; after a failed one it must be the dump of before; after the last the
 * host drivers must be what they were.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply/engine.h"
#include "base/cleanup.h"
#include "cases.h"
#include "config/config.h"
#include "refdev/refdev.h"

static const struct device devices[] = {
	{.selector = SELECTOR_PCI, .address = (char *)"0000:00:03.0"},
	{.selector = SELECTOR_PCI, .address = (char *)"0000:00:04.0"},
	{.selector = SELECTOR_PCI, .address = (char *)"0000:01:00.0"},
	{.selector = SELECTOR_PCI, .address = (char *)"0000:03:01.0"},
	{.selector = SELECTOR_PCI, .address = (char *)"0000:03:02.0"},
};

struct run {
	const struct driver *driver;
	struct driver_env env;
	struct engine *engine;
	const struct conformance_case *c;
	bool failed;
	size_t number; /* of cases that were run */
};

static void complain(struct run *r, size_t step, const char *what, const char *detail)
{
	printf("# %s, step %zu: %s%s%s\n", r->c->name, step + 1, what, detail ? ": " : "",
	       detail ? detail : "");
	r->failed = true;
}

static char *host_drivers(const struct run *r)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		struct device_facts facts = {.group = NO_INDEX};
		int ret = r->driver->device_find(&r->env, &devices[i], &facts, NULL);

		fprintf(out, "%s %d %s\n", devices[i].address, ret,
			facts.driver ? facts.driver : "none");
		device_facts_done(&facts);
	}
	fclose(out);
	return text;
}

static int apply_text(struct run *r, const char *yaml, json_t **result,
		      struct ioasidctl_error **err)
{
	const struct transaction how = {.driver = r->driver->choice};
	struct topology *desired;
	int ret = config_parse(yaml, strlen(yaml), "case.yaml", &desired, err);

	return ret ? ret : engine_apply(r->engine, desired, &how, result, err);
}

static char *dump(const struct run *r)
{
	const struct topology *t = engine_topology(r->engine, "case");
	char *text = NULL;
	size_t length;

	if (!t)
		return strdup("nothing");
	return config_write(t, &text, &length, NULL) ? NULL : text;
}

/* Dump -> apply -> no change. */
static void check_dump(struct run *r, size_t step)
{
	_cleanup_free_ char *text = dump(r);
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	json_t *result = NULL;

	if (!text || apply_text(r, text, &result, &err))
		complain(r, step, "its dump does not apply", err ? err->message : NULL);
	else if (json_boolean_value(json_object_get(result, "changed")))
		complain(r, step, "its dump changes something", text);
	json_decref(result);
}

static void expect(const struct run *r, size_t step, enum error_kind *error, int *errnum)
{
	*error = r->c->steps[step].error;
	*errnum = r->c->steps[step].errnum;
	if (r->c->difference.driver && !strcmp(r->c->difference.driver, r->driver->name) &&
	    r->c->difference.step == step) {
		*error = r->c->difference.error;
		*errnum = 0;
	}
}

static void check_failure(struct run *r, size_t step, const struct ioasidctl_error *err,
			  const char *before)
{
	_cleanup_free_ char *after = dump(r);
	enum error_kind kind;
	int errnum;

	expect(r, step, &kind, &errnum);
	if (kind == NO_ERROR)
		complain(r, step, "it should apply", err->message);
	else if (err->kind != kind)
		complain(r, step, "another kind of error", err->message);
	else if (errnum && err->errnum != errnum)
		complain(r, step, "another errno", err->message);
	if (err->next)
		complain(r, step, "undoing failed", err->next->message);
	if (!before || !after || strcmp(before, after))
		complain(r, step, "a failed apply changed something", after);
}

static bool is_lacking(const struct run *r)
{
	return r->c->difference.needs && r->driver->missing[r->c->difference.needs - 1];
}

/* Whether there is a next one. */
static bool run_step(struct run *r, size_t step)
{
	const struct conformance_step *s = &r->c->steps[step];
	_cleanup_free_ char *yaml = NULL, *before = dump(r);
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	json_t *result = NULL;
	enum error_kind kind;
	int errnum;

	if (asprintf(&yaml, "version: 1\nname: case\n%s", s->yaml) < 0)
		abort();
	if (apply_text(r, yaml, &result, &err)) {
		if (is_lacking(r) && err->kind == ERROR_REFUSED && err->errnum == EOPNOTSUPP)
			return false;
		check_failure(r, step, err, before);
		return true;
	}
	expect(r, step, &kind, &errnum);
	if (kind != NO_ERROR)
		complain(r, step, "it should be refused", error_kind_name(kind));
	if (s->same == json_boolean_value(json_object_get(result, "changed")))
		complain(r, step, s->same ? "there was something to do" : "nothing was done", NULL);
	json_decref(result);
	check_dump(r, step);
	return true;
}

static void run_case(struct run *r)
{
	const struct transaction how = {0};
	_cleanup_free_ char *before = host_drivers(r), *after = NULL;
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	json_t *result = NULL;
	size_t step = 0;

	while (step < MAX_STEPS && r->c->steps[step].yaml && run_step(r, step))
		step++;
	if (is_lacking(r) && (step == MAX_STEPS || !r->c->steps[step].yaml))
		complain(r, step - 1, "the driver lacks what it asks for", NULL);
	if (engine_count(r->engine) && engine_delete(r->engine, "case", &how, &result, &err))
		complain(r, step, "delete failed", err->message);
	json_decref(result);
	after = host_drivers(r);
	if (strcmp(before, after))
		complain(r, step, "host drivers are not restored", after);
}

static const struct driver *choose_driver(void)
{
	const char *name = getenv("IOASIDCTL_TEST_DRIVER");

	for (size_t i = 0; drivers[i]; i++)
		if (!strcmp(drivers[i]->name, name ? name : "ioasid"))
			return drivers[i];
	return NULL;
}

static int run_table(struct run *r, const struct conformance_table *table)
{
	int failed = 0;

	for (size_t i = 0; i < table->n; i++) {
		r->c = &table->cases[i];
		r->failed = false;
		run_case(r);
		failed += r->failed;
		printf("%s %zu - %s: %s\n", r->failed ? "not ok" : "ok", ++r->number,
		       r->driver->name, r->c->name);
		fflush(stdout);
	}
	return failed;
}

int main(void)
{
	struct run r = {.driver = choose_driver(), .env = {.root = ""}};
	_cleanup_free_ char *why = NULL;
	struct refdev *refdev = NULL;
	int failed;

	if (!r.driver || refdev_new(NULL, 0, &refdev, &why))
		return 1;
	r.env.refdev = getenv("IOASIDCTL_TEST_NODE") ? NULL : refdev;
	if (engine_new(&r.env, &r.engine, NULL))
		return 1;
	printf("1..%zu\n", topology_cases.n + change_cases.n);
	failed = run_table(&r, &topology_cases) + run_table(&r, &change_cases);
	engine_free(r.engine);
	refdev_free(refdev);
	return failed != 0;
}

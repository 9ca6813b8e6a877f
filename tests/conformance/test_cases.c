// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs the table of cases. IOASIDCTL_TEST_BACKENDS says on which backends, "mock vt-d"; by default
 * those that need no kernel. IOASIDCTL_TEST_CASE: only cases with that in their names. Prints TAP.
 *
 * After each config the dump must be a config that changes nothing; after what is refused, dump and
 * objects must be those of before; after the last step, when all is deleted, the host drivers.
 *
 *	test_cases --document		what backends lack, and where they differ, as Markdown
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "base/cleanup.h"
#include "config/config.h"
#include "document.h"
#include "refdev/refdev.h"

struct run {
	struct scene scene;
	const struct conformance_case *c;
	bool failed;
	size_t number; /* of cases that were run */
};

static void complain(struct run *r, size_t step, const char *what, const char *detail)
{
	printf("# %s: %s, step %zu: %s%s%s\n", r->scene.backend->name, r->c->name, step + 1, what,
	       detail ? ": " : "", detail ? detail : "");
	r->failed = true;
}

/* The devices among the words: what has an address. */
static char *host_drivers(const struct run *r)
{
	static const char *const names[] = {"edu", "test", "nic", "left", "right"};
	const struct backend *b = r->scene.backend;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (const struct word *w = b->words; w->name; w++)
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			char address[16];
			const struct device spec = {.selector = SELECTOR_PCI, .address = address};
			struct device_facts facts = {.group = NO_INDEX};
			int ret;

			if (strcmp(w->name, names[i]) ||
			    sscanf(w->text, "pci: '%15[^']'", address) != 1)
				continue;
			ret = b->driver->device_find(&r->scene.env, &spec, &facts, NULL);
			fprintf(out, "%s %d %s\n", address, ret,
				facts.driver ? facts.driver : "none");
			device_facts_done(&facts);
		}
	fclose(out);
	return text;
}

static int apply_text(struct run *r, const char *yaml, json_t **result,
		      struct ioasidctl_error **err)
{
	const struct transaction how = {.driver = r->scene.backend->driver->choice};
	struct topology *desired;
	int ret = config_parse(yaml, strlen(yaml), "case.yaml", &desired, err);

	return ret ? ret : engine_apply(r->scene.engine, desired, &how, result, err);
}

static char *dump(const struct run *r)
{
	const struct topology *t = engine_topology(r->scene.engine, "case");
	char *text = NULL;
	size_t length;

	if (!t)
		return strdup("nothing");
	return config_write(t, &text, &length, NULL) ? NULL : text;
}

static void describe_ioasid(const struct iommu_fd *fd, const struct ioasid *ioasid, FILE *out)
{
	struct ioasid_info info = {0};
	int ret = fd->ops->ioasid_info(fd->live.handle, ioasid->live.id, &info, NULL);

	fprintf(out, "# %s: %d %d, alignment 0x%" PRIx64 ", %u tables of %" PRIu64 " bytes",
		ioasid->name, fd->ops->ioasid_probe(fd->live.handle, ioasid->live.id), ret,
		info.alignment, info.domains, info.page_table_bytes);
	for (size_t i = 0; i < info.n_ranges; i++)
		fprintf(out, " 0x%" PRIx64 "-0x%" PRIx64, info.ranges[i].first,
			info.ranges[i].last);
	fputc('\n', out);
	ioasid_info_done(&info);
}

/* All that can be asked: the dump, and what the kernel says of each object. */
static char *describe(const struct run *r)
{
	const struct topology *t = engine_topology(r->scene.engine, "case");
	_cleanup_free_ char *declared = dump(r);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fprintf(out, "# %zu topologies\n", engine_count(r->scene.engine));
	fputs(declared ? declared : "no memory", out);
	for (size_t i = 0; t && i < t->n_fds; i++) {
		const struct iommu_fd *fd = &t->fds[i];

		for (size_t j = 0; j < fd->n_ioasids; j++)
			describe_ioasid(fd, &fd->ioasids[j], out);
		for (size_t j = 0; j < fd->n_viommus; j++)
			fprintf(out, "# %s: %d\n", fd->viommus[j].name,
				fd->ops->viommu_probe(fd->live.handle, fd->viommus[j].live.id));
	}
	fclose(out);
	return text;
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

static bool says(const struct ioasidctl_error *err, const char *what)
{
	return strstr(err->message, what) || (err->cause && strstr(err->cause, what)) ||
	       (err->hint && strstr(err->hint, what));
}

/* Of a refusal: the outcome is that, it says so, and nothing has changed. */
static void check_refusal(struct run *r, const struct conformance_step *s, size_t step,
			  const struct ioasidctl_error *err, const char *before)
{
	_cleanup_free_ char *after = describe(r);
	char text[512];

	snprintf(text, sizeof(text), "%s, %s: %s%s%s", error_kind_name(err->kind),
		 strerrorname_np(err->errnum), err->message, err->cause ? ": " : "",
		 err->cause ? err->cause : "");
	if (s->outcome.error == NO_ERROR)
		complain(r, step, "it should be done", text);
	else if (err->kind != s->outcome.error)
		complain(r, step, "another kind of error", text);
	else if (s->outcome.errnum && err->errnum != s->outcome.errnum)
		complain(r, step, "another errno", text);
	else if (s->says && !says(err, s->says))
		complain(r, step, "it says something else", text);
	/* Several refusals come one behind the other, too. */
	if (err->next && err->next->kind != err->kind)
		complain(r, step, "undoing failed", err->next->message);
	if (before && strcmp(before, after))
		complain(r, step, "what was refused changed something", after);
}

/* The step as it is on this backend. */
static struct conformance_step step_of(const struct run *r, size_t step)
{
	const uint32_t here = 1U << (r->scene.backend - backends);
	struct conformance_step s = r->c->steps[step];

	for (size_t i = 0; i < MAX_DIFFERENCES; i++) {
		const struct difference *d = &r->c->differences[i];

		if (!(d->backends & here) || d->step != step)
			continue;
		s.outcome = d->outcome;
		s.says = d->says;
	}
	return s;
}

/* What is lacking of what the case needs; NULL: nothing. */
static const char *lacking(const struct run *r, struct outcome *refusal)
{
	struct outcome one;
	const char *reason = NULL, *why;

	for (int feature = 0; feature < FEATURE_COUNT; feature++) {
		if (!(r->c->needs & 1ULL << feature))
			continue;
		why = backend_lacks(r->scene.backend, feature, &one);
		/* What can't be asked for at all weighs more. */
		if (!why || (reason && one.error != NO_ERROR))
			continue;
		reason = why;
		*refusal = one;
		if (one.error == NO_ERROR)
			break;
	}
	return reason;
}

static int take_step(struct run *r, const struct conformance_step *s, size_t step,
		     struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = backend_expand(r->scene.backend, s->text), *yaml = NULL,
			    *answer = NULL;
	json_t *result = NULL;
	int ret;

	if (*text == '!') {
		ret = act(&r->scene, text + 1, &answer, err);
		/* The calls that explain nothing. */
		if (ret && err && !*err)
			error_new(err, ERROR_KERNEL, -ret, "%s", text);
		if (!ret && s->outcome.error == NO_ERROR && s->says && strcmp(answer, s->says))
			complain(r, step, s->text, answer);
		return ret;
	}
	if (asprintf(&yaml, "version: 1\nname: %s\n%s", *text == '+' ? "other" : "case",
		     *text == '+' ? text + 1 : text) < 0)
		abort();
	ret = apply_text(r, yaml, &result, err);
	if (!ret && s->same == json_boolean_value(json_object_get(result, "changed")))
		complain(r, step, s->same ? "there was something to do" : "nothing was done", NULL);
	if (!ret)
		check_dump(r, step);
	json_decref(result);
	return ret;
}

/* Whether there is a next one. */
static bool run_step(struct run *r, size_t step, const struct outcome *refusal)
{
	struct conformance_step s = step_of(r, step);
	/* Asked only where it is compared: behind a node each question takes its time. */
	const bool expected = refusal || s.outcome.error != NO_ERROR;
	_cleanup_free_ char *before = expected ? describe(r) : NULL;
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	if (!take_step(r, &s, step, &err)) {
		if (s.outcome.error != NO_ERROR)
			complain(r, step, "it should be refused", error_kind_name(s.outcome.error));
		return true;
	}
	if (refusal && err->kind == refusal->error &&
	    (!refusal->errnum || refusal->errnum == err->errnum)) {
		s.outcome = *refusal;
		s.says = NULL;
		check_refusal(r, &s, step, err, before);
		return false;
	}
	check_refusal(r, &s, step, err, before);
	return true;
}

static void delete_all(struct run *r, size_t step)
{
	const char *const names[] = {"other", "case"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct transaction how = {0};
		_cleanup_error_ struct ioasidctl_error *err = NULL;
		json_t *result = NULL;

		if (engine_topology(r->scene.engine, names[i]) &&
		    engine_delete(r->scene.engine, names[i], &how, &result, &err))
			complain(r, step, "delete failed", err->message);
		json_decref(result);
	}
}

static void run_steps(struct run *r, const struct outcome *refusal)
{
	_cleanup_free_ char *before = host_drivers(r), *after = NULL;
	size_t step = 0;

	while (step < MAX_STEPS && r->c->steps[step].text && run_step(r, step, refusal))
		step++;
	if (refusal && (step == MAX_STEPS || !r->c->steps[step].text))
		complain(r, step - 1, "the backend lacks what it asks for", NULL);
	delete_all(r, step);
	after = host_drivers(r);
	if (strcmp(before, after))
		complain(r, step, "host drivers are not restored", after);
}

static bool run_case(struct run *r, const struct conformance_case *c)
{
	const char *name = r->scene.backend->name, *only = getenv("IOASIDCTL_TEST_CASE"), *reason;
	struct outcome refusal;

	if (only && !strstr(c->name, only))
		return true;
	r->c = c;
	r->failed = false;
	reason = lacking(r, &refusal);
	if (reason && refusal.error == NO_ERROR) {
		printf("ok %zu - %s: %s # SKIP %s\n", ++r->number, name, c->name, reason);
		return true;
	}
	run_steps(r, reason ? &refusal : NULL);
	printf("%s %zu - %s: %s%s%s%s\n", r->failed ? "not ok" : "ok", ++r->number, name, c->name,
	       reason ? " (refused: " : "", reason ? reason : "", reason ? ")" : "");
	fflush(stdout);
	return !r->failed;
}

static bool run_backend(const struct backend *b, size_t *number)
{
	struct run r = {.scene = {.backend = b, .env = {.root = ""}}, .number = *number};
	_cleanup_free_ char *why = NULL;
	struct refdev *refdev = NULL;
	bool passed = true;

	if (refdev_new(NULL, 0, &refdev, &why))
		abort();
	r.scene.env.refdev = b->in_process ? refdev : NULL;
	if (engine_new(&r.scene.env, &r.scene.engine, NULL))
		abort();
	for (size_t i = 0; i < n_conformance_tables; i++)
		for (size_t j = 0; j < conformance_tables[i]->n; j++)
			passed = run_case(&r, &conformance_tables[i]->cases[j]) && passed;
	engine_free(r.scene.engine);
	refdev_free(refdev);
	*number = r.number;
	return passed;
}

int main(int argc, char **argv)
{
	const char *names = getenv("IOASIDCTL_TEST_BACKENDS");
	_cleanup_free_ char *list = strdup(names ? names : "reference reference-mock");
	size_t number = 0;
	char *state = NULL;
	bool passed = true;

	if (argc == 2 && !strcmp(argv[1], "--document"))
		return print_document(stdout);
	for (char *name = strtok_r(list, " ", &state); name; name = strtok_r(NULL, " ", &state)) {
		const struct backend *b = backend_find(name);

		if (!b) {
			fprintf(stderr, "there is no backend %s\n", name);
			return 64;
		}
		passed = run_backend(b, &number) && passed;
	}
	printf("1..%zu\n", number);
	return !passed;
}

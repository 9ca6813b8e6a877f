// SPDX-License-Identifier: GPL-2.0-or-later
#include "document.h"

#include <string.h>

#include "backends.h"
#include "base/cleanup.h"

#define NAMES_MAX 128

const struct conformance_table *const conformance_tables[] = {
	&topology_cases, &change_cases, &nesting_cases, &viommu_cases,
	&pasid_cases,	 &fault_cases,	&page_cases,	&refusal_cases,
};

const size_t n_conformance_tables = ARRAY_SIZE(conformance_tables);

static const char head[] =
	"# What the drivers agree on\n\n"
	"One table of cases (`tests/conformance/support_cases_*.c`) runs on every backend: configs "
	"that are\napplied one after the other, what is done with the live topology between them, "
	"and single calls of the\ndriver, each with its outcome. After each config the dump has to "
	"apply without a change; what is\nrefused must leave dump and kernel objects as they "
	"were.\n\nThis page comes from that table: `make generate`.\n";

static void print_backends(FILE *out)
{
	size_t n = 0;

	for (size_t i = 0; i < n_conformance_tables; i++)
		n += conformance_tables[i]->n;
	fprintf(out, "\n## Backends\n\n%zu cases, in %zu files:", n, n_conformance_tables);
	for (size_t i = 0; i < n_conformance_tables; i++)
		fprintf(out, "%s %s (%zu)", i ? "," : "", conformance_tables[i]->subject,
			conformance_tables[i]->n);
	fputs(".\n\n| backend | what it is | driver | run by |\n|---|---|---|---|\n", out);
	for (size_t i = 0; i < BACKEND_COUNT; i++)
		fprintf(out, "| %s | %s | %s | %s |\n", backends[i].name, backends[i].title,
			backends[i].driver->name, backends[i].place);
}

static bool lack_the_same(const struct backend *a, const struct backend *b)
{
	return a->driver == b->driver && a->lacks == b->lacks;
}

/* Its name, and those of others that lack just the same. NULL: one before has named it. */
static const char *names_of(const struct backend *b, char text[static NAMES_MAX])
{
	int used = snprintf(text, NAMES_MAX, "%s", b->name);

	for (const struct backend *other = backends; other < b; other++)
		if (lack_the_same(other, b))
			return NULL;
	for (const struct backend *other = b + 1; other < backends + BACKEND_COUNT; other++)
		if (lack_the_same(other, b))
			used += snprintf(text + used, (size_t)(NAMES_MAX - used), ", %s",
					 other->name);
	return text;
}

static void print_lack(FILE *out, const struct backend *b, int feature)
{
	struct outcome refusal;
	const char *reason = backend_lacks(b, feature, &refusal);
	char text[NAMES_MAX];

	if (reason && names_of(b, text))
		fprintf(out, "| %s | %s | %s | %s |\n", text, feature_text(feature),
			refusal.error == NO_ERROR ? "skipped" : "refused", reason);
}

static uint64_t needed(void)
{
	uint64_t all = 0;

	for (size_t i = 0; i < n_conformance_tables; i++)
		for (size_t j = 0; j < conformance_tables[i]->n; j++)
			all |= conformance_tables[i]->cases[j].needs;
	return all;
}

static void print_lacks(FILE *out)
{
	fputs("\n## What a backend hasn't got\n\nCases that need it are skipped with that reason; "
	      "or, where it can be asked for, they are run, and\nhave to be refused without a "
	      "change.\n\n| backend | what | cases are | reason |\n|---|---|---|---|\n",
	      out);
	for (size_t i = 0; i < BACKEND_COUNT; i++)
		for (int feature = 0; feature < FEATURE_COUNT; feature++)
			if (needed() & 1ULL << feature)
				print_lack(out, &backends[i], feature);
}

static void print_outcome(FILE *out, const struct outcome *o)
{
	if (o->error == NO_ERROR)
		fputs("done", out);
	else
		fprintf(out, "%s%s%s", error_kind_name(o->error), o->errnum ? ", " : "",
			o->errnum ? strerrorname_np(o->errnum) : "");
}

static void print_difference(FILE *out, const struct conformance_case *c,
			     const struct difference *d)
{
	bool any = false;

	fprintf(out, "| %s | %zu | ", c->name, d->step + 1);
	print_outcome(out, &c->steps[d->step].outcome);
	if (c->steps[d->step].outcome.error == NO_ERROR && c->steps[d->step].says)
		fprintf(out, ": %s", c->steps[d->step].says);
	fputs(" | ", out);
	for (size_t i = 0; i < BACKEND_COUNT; i++) {
		if (!(d->backends & 1U << i))
			continue;
		fprintf(out, "%s%s", any ? ", " : "", backends[i].name);
		any = true;
	}
	fputs(": ", out);
	print_outcome(out, &d->outcome);
	if (d->outcome.error == NO_ERROR && d->says)
		fprintf(out, ": %s", d->says);
	fprintf(out, " | %s |\n", d->reason);
}

static void print_differences(FILE *out)
{
	fputs("\n## Where they differ\n\n| case | step | outcome | instead | reason |\n"
	      "|---|---|---|---|---|\n",
	      out);
	for (size_t i = 0; i < n_conformance_tables; i++)
		for (size_t j = 0; j < conformance_tables[i]->n; j++) {
			const struct conformance_case *c = &conformance_tables[i]->cases[j];

			for (size_t k = 0; k < MAX_DIFFERENCES && c->differences[k].backends; k++)
				print_difference(out, c, &c->differences[k]);
		}
}

int print_document(FILE *out)
{
	fputs(head, out);
	print_backends(out);
	print_lacks(out);
	print_differences(out);
	return 0;
}

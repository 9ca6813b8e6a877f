// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/explain.h"

#include <errno.h>
#include <string.h>

#include "host/explain_state.h"

const char *const explain_check_names[] = {
#define X(id, name) [EXPLAIN_##id] = name,
	EXPLAIN_CHECKS(X)
#undef X
		NULL};

const char *const finding_state_names[] = {
#define X(id, name) [FINDING_##id] = name,
	FINDING_STATES(X)
#undef X
		NULL};

const char *const explain_verdict_names[] = {"yes", "config", "no", NULL};

static const char *verdict_of(enum finding_state worst)
{
	static const uint8_t verdicts[] = {[FINDING_CONFIG] = 1, [FINDING_OBSTACLE] = 2};

	return explain_verdict_names[verdicts[worst]];
}

void find(struct explaining *x, struct findings *f, enum explain_check check,
	  enum finding_state state, const char *text, const char *remedy)
{
	if (f->n == f->capacity) {
		size_t capacity = f->capacity ? 2 * f->capacity : 8;
		struct finding *grown = arena_alloc_array(&x->out->arena, capacity, sizeof(*grown));

		if (!grown) {
			x->no_memory = true;
			return;
		}
		if (f->n)
			memcpy(grown, f->list, f->n * sizeof(*grown));
		f->list = grown;
		f->capacity = capacity;
	}
	x->no_memory |= !text;
	f->list[f->n++] = (struct finding){explain_check_names[check], finding_state_names[state],
					   text, remedy};
	if (state > f->worst)
		f->worst = state;
}

const struct host_group *find_host_group(const struct host *host, uint64_t id)
{
	for (size_t i = 0; id != HOST_UNKNOWN && i < host->n_groups; i++)
		if (host->groups[i].id == id)
			return &host->groups[i];
	return NULL;
}

const struct host_device *find_host_device(const struct host *host, const char *address)
{
	for (size_t i = 0; i < host->n_devices; i++)
		if (!strcmp(host->devices[i].address, address))
			return &host->devices[i];
	return NULL;
}

static enum finding_state explain_all(struct explaining *x)
{
	struct explanation *out = x->out;
	struct findings machine = {0}, together = {0};
	enum finding_state worst;

	explain_machine(x, &machine);
	worst = machine.worst;
	for (size_t i = 0; i < x->n_asked; i++) {
		const struct host_device *d = x->found[i];
		struct findings f = {0};

		explain_device(x, &f, i);
		out->devices[i] = (struct explained_device){
			.selector = selector_names[x->asked[i].selector],
			.address = x->asked[i].address,
			.driver = d ? d->driver : NULL,
			.group = d ? d->group : HOST_UNKNOWN,
			.verdict = verdict_of(f.worst),
			.entry = explain_entry(x, i, &f),
		};
		out->devices[i].findings = f.list;
		out->devices[i].n_findings = f.n;
		worst = f.worst > worst ? f.worst : worst;
	}
	if (x->n_asked > 1)
		explain_together(x, &together);
	out->machine = machine.list;
	out->n_machine = machine.n;
	out->together = together.list;
	out->n_together = together.n;
	return together.worst > worst ? together.worst : worst;
}

static bool is_same(const struct explaining *x, size_t i, const struct explain_device *device,
		    const struct host_device *found)
{
	if (found || x->found[i])
		return found == x->found[i];
	return x->asked[i].selector == device->selector &&
	       !strcmp(x->asked[i].address, device->address);
}

/* Each of them once, however often and by whatever name it was asked for. */
static int take_question(struct explaining *x, const struct explain_device *devices, size_t n)
{
	struct explain_device *asked = arena_alloc_array(&x->out->arena, n, sizeof(*asked));

	x->asked = asked;
	x->found = arena_alloc_array(&x->out->arena, n, sizeof(*x->found));
	if (!asked || !x->found)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct host_device *found = explain_find(x->host, &devices[i]);
		size_t j = 0;

		while (j < x->n_asked && !is_same(x, j, &devices[i], found))
			j++;
		if (j < x->n_asked)
			continue;
		asked[j] = devices[i];
		x->found[j] = found;
		x->n_asked++;
	}
	return 0;
}

int host_explain(const char *root, const struct host *host, const struct explain_device *devices,
		 size_t n, uint64_t memory, struct explanation *out)
{
	struct explaining x = {
		.root = root,
		.host = host,
		.out = out,
		.memory = memory,
	};
	enum finding_state worst;

	*out = (struct explanation){.one_fd = HOST_UNKNOWN,
				    .one_ioasid = HOST_UNKNOWN,
				    .unseen = host->unseen,
				    .n_unseen = host->n_unseen};
	if (take_question(&x, devices, n))
		return -ENOMEM;
	out->n_devices = x.n_asked;
	out->devices = arena_alloc_array(&out->arena, x.n_asked, sizeof(*out->devices));
	if (!out->devices)
		return -ENOMEM;
	worst = explain_all(&x);
	out->verdict = verdict_of(worst);
	return x.no_memory ? -ENOMEM : 0;
}

void explanation_done(struct explanation *e)
{
	arena_done(&e->arena);
	*e = (struct explanation){0};
}

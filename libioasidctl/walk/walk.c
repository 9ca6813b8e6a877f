// SPDX-License-Identifier: LGPL-2.1-or-later
#include "walk/walk.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "walk/format.h"

const char *const walk_stop_names[] = {
#define X(id, name) [WALK_STOP_##id] = name,
	WALK_STOPS(X)
#undef X
		NULL};

void walk_begin(struct walk *w, const struct walk_request *request,
		const struct walk_memory *memory)
{
	*w = (struct walk){.request = request, .memory = memory, .access = ACCESS_RW};
}

static struct walk_step *add_step(struct walk *w, const char *entry, unsigned n_words)
{
	struct walk_step *step = &w->steps[w->n_steps++];

	*step = (struct walk_step){.entry = entry, .n_words = n_words, .memory = NO_INDEX};
	return step;
}

const struct walk_step *walk_read(struct walk *w, const char *entry, uint64_t address,
				  unsigned n_words)
{
	struct walk_step *step = add_step(w, entry, n_words);

	step->in_memory = true;
	step->address = address;
	w->stop = (struct walk_stop){.step = w->n_steps - 1};
	if (w->memory->read(w->memory->data, step, &w->stop))
		return step;
	step->n_words = 0;
	w->stopped = true;
	return NULL;
}

void walk_given(struct walk *w, const char *entry, const uint64_t *words, unsigned n_words)
{
	struct walk_step *step = add_step(w, entry, n_words);

	for (unsigned i = 0; i < n_words; i++)
		step->words[i] = words[i];
}

bool walk_stop(struct walk *w, enum walk_stop_kind kind, const char *fault, const char *fmt, ...)
{
	va_list args;

	w->stopped = true;
	w->stop = (struct walk_stop){.kind = kind,
				     .step = w->n_steps ? w->n_steps - 1 : WALK_NO_STEP};
	va_start(args, fmt);
	vsnprintf(w->stop.reason, sizeof(w->stop.reason), fmt, args);
	va_end(args);
	if (fault)
		snprintf(w->stop.fault, sizeof(w->stop.fault), "%s%s", fault,
			 w->aftermath ? w->aftermath : "");
	return false;
}

void walk_deny(struct walk *w, uint8_t access, const char *fault, const char *reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(w->denials); i++)
		if (access & (1U << i) && !w->denials[i].denied)
			w->denials[i] = (struct walk_denial){true, w->n_steps - 1, reason, fault};
	w->access &= (uint8_t)~access;
}

/* The first right that is missed: reading before writing. */
static const struct walk_denial *find_denial(const struct walk *w)
{
	const uint8_t wanted = w->request->access;

	for (size_t i = 0; i < ARRAY_SIZE(w->denials); i++)
		if (w->denials[i].denied && (wanted ? wanted & (1U << i) : !w->access))
			return &w->denials[i];
	return NULL;
}

void walk_finish(struct walk *w, uint64_t gpa, uint64_t page_size)
{
	const struct walk_denial *denial = find_denial(w);

	w->gpa = gpa;
	w->page_size = page_size;
	if (!denial)
		return;
	walk_stop(w, WALK_STOP_ACCESS, denial->fault, "%s", denial->reason);
	w->stop.step = denial->step;
}

void walk_bypass(struct walk *w)
{
	walk_finish(w, w->request->iova, 0);
}

/* Its cache cells are all that it has: nothing is translated. */
static void walk_mock(struct walk *w, const struct table *table)
{
	walk_given(w, "IOTLB value", table->words, 1);
	walk_bypass(w);
}

static void walk_nothing(struct walk *w, const struct table *table)
{
	(void)table;
	walk_stop(w, WALK_STOP_NO_TABLE, NULL, "it has no table");
}

void walk_table(const struct table *table, const struct walk_request *request,
		const struct walk_memory *memory, struct walk *out)
{
	static void (*const walkers[TABLE_COUNT])(struct walk * w, const struct table *table) = {
		[TABLE_NONE] = walk_nothing,
		[TABLE_VTD_S1] = walk_vtd_s1,
		[TABLE_ARM_SMMUV3] = walk_arm_smmuv3,
		[TABLE_AMD_GUEST] = walk_amd_guest,
		[TABLE_MOCK] = walk_mock,
		[TABLE_X86_64] = walk_x86_64,
	};

	walk_begin(out, request, memory);
	walkers[table->format](out, table);
}

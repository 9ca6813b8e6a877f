// SPDX-License-Identifier: LGPL-2.1-or-later
#include "plan/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "plan/match.h"
#include "plan/planner.h"
#include "plan/refusal.h"

void emit(struct planner *p, enum phase phase, struct operation op)
{
	struct operation_list *list = &p->phases[phase];

	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 16;
		struct operation *grown =
			reallocarray(list->operations, capacity, sizeof(*list->operations));

		if (!grown) {
			p->ret = -ENOMEM;
			return;
		}
		list->operations = grown;
		list->capacity = capacity;
	}
	list->operations[list->count++] = op;
}

enum phase phase_of_memory(const struct planner *p, const struct memory *m)
{
	if (m->backing != BACKING_DMABUF || m->prev != NO_INDEX)
		return PHASE_BUILD;
	return phase_of_binding(p, &p->desired->devices[m->device]);
}

static void plan_new_memory(struct planner *p, uint32_t i)
{
	const struct memory *m = &p->desired->memories[i];

	if (m->prev == NO_INDEX)
		emit(p, phase_of_memory(p, m),
		     OPERATION(CREATE_MEMORY, .fd = NO_INDEX, .object = i));
	else if (m->size > p->live->memories[m->prev].size)
		emit(p, PHASE_BUILD, OPERATION(GROW_MEMORY, .fd = NO_INDEX, .object = i));
}

/* That of devices comes once they are bound. */
static void plan_new_memories(struct planner *p, bool of_devices)
{
	for (uint32_t i = 0; i < p->desired->n_memories; i++)
		if ((p->desired->memories[i].backing == BACKING_DMABUF) == of_devices)
			plan_new_memory(p, i);
}

static void plan_old_memories(struct planner *p)
{
	_cleanup_free_ bool *kept = calloc(p->live->n_memories + 1, sizeof(*kept));

	if (!kept) {
		p->ret = -ENOMEM;
		return;
	}
	for (uint32_t i = 0; p->desired && i < p->desired->n_memories; i++) {
		const struct memory *m = &p->desired->memories[i];

		if (m->prev == NO_INDEX)
			continue;
		kept[m->prev] = true;
		/* By now nothing maps the end of a memory that shrinks. */
		if (m->size < p->live->memories[m->prev].size)
			emit(p, PHASE_FINAL, OPERATION(SHRINK_MEMORY, .fd = NO_INDEX, .object = i));
	}
	for (uint32_t i = 0; i < p->live->n_memories; i++)
		if (!kept[i])
			emit(p, PHASE_FINAL,
			     OPERATION(DESTROY_MEMORY, .old = true, .fd = NO_INDEX, .object = i));
}

const struct iommu_fd *heir_of_fd(const struct planner *p, uint32_t live_fd)
{
	for (size_t i = 0; p->desired && i < p->desired->n_fds; i++)
		if (p->desired->fds[i].prev == live_fd)
			return &p->desired->fds[i];
	return NULL;
}

static int plan_new(struct planner *p)
{
	int ret = 0;

	plan_new_memories(p, false);
	for (uint32_t i = 0; i < p->desired->n_fds; i++)
		if (p->desired->fds[i].prev == NO_INDEX)
			emit(p, PHASE_BUILD, OPERATION(OPEN_FD, .fd = i));
	plan_new_devices(p);
	plan_new_memories(p, true);
	for (uint32_t i = 0; !ret && i < p->desired->n_fds; i++)
		ret = plan_new_ioasids(p, i);
	return ret;
}

static void plan_old(struct planner *p)
{
	plan_old_viommus(p);
	for (uint32_t i = 0; i < p->live->n_fds; i++)
		plan_old_ioasids(p, i);
	plan_old_devices(p);
	for (uint32_t i = 0; i < p->live->n_fds; i++)
		if (!heir_of_fd(p, i))
			emit(p, PHASE_FINAL, OPERATION(CLOSE_FD, .old = true, .fd = i));
	plan_old_memories(p);
}

static int join_phases(struct planner *p, struct plan *plan)
{
	size_t total = 0;

	for (int i = 0; i < PHASE_COUNT; i++)
		total += p->phases[i].count;
	plan->operations = calloc(total + 1, sizeof(*plan->operations));
	if (!plan->operations)
		return -ENOMEM;
	for (int i = 0; i < PHASE_COUNT; i++) {
		if (!p->phases[i].count)
			continue;
		memcpy(plan->operations + plan->n_operations, p->phases[i].operations,
		       p->phases[i].count * sizeof(*plan->operations));
		plan->n_operations += p->phases[i].count;
	}
	return 0;
}

static int run_planner(struct planner *p, struct plan *plan)
{
	int ret = 0;

	if (p->live) {
		p->detached = calloc(p->live->n_devices + 1, sizeof(*p->detached));
		p->unbound = calloc(p->live->n_devices + 1, sizeof(*p->unbound));
		p->nameless = calloc(p->live->n_devices + 1, sizeof(*p->nameless));
		if (!p->detached || !p->unbound || !p->nameless)
			return -ENOMEM;
	}
	plan_old_queues(p);
	if (p->desired)
		ret = plan_new(p);
	if (!ret)
		ret = plan_attachments(p);
	if (!ret && p->desired)
		plan_placements(p);
	if (!ret && p->live)
		plan_old(p);
	if (!ret)
		ret = p->ret;
	return ret ? ret : join_phases(p, plan);
}

int plan_make(const struct topology *live, struct topology *desired, struct plan *plan,
	      struct ioasidctl_error **err)
{
	struct planner p = {.live = live, .desired = desired};
	int ret;

	*plan = (struct plan){.live = live, .desired = desired};
	if (desired) {
		if (match_topologies(live, desired))
			return error_nomem(err);
		ret = refuse_without_device(desired, err);
		if (!ret && live)
			ret = refuse_stranded(live, desired, err);
		if (!ret && live)
			ret = refuse_moved_memory(live, desired, err);
		if (!ret && live)
			ret = refuse_recount(live, desired, err);
		if (!ret && live)
			ret = refuse_remade(live, desired, err);
		if (!ret && live)
			ret = refuse_forgetting(live, desired, err);
		if (ret)
			return ret;
	}
	ret = run_planner(&p, plan);
	for (int i = 0; i < PHASE_COUNT; i++)
		free(p.phases[i].operations);
	free(p.detached);
	free(p.unbound);
	free(p.nameless);
	return ret ? error_nomem(err) : 0;
}

void plan_done(struct plan *plan)
{
	free(plan->operations);
	plan->operations = NULL;
	plan->n_operations = 0;
}

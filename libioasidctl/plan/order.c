// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>

#include "plan/planner.h"

struct visit {
	uint32_t ioasid;
	size_t next; /* mapping to look at; 0 also looks at the parent first */
};

/* The next ioasid that `v` depends on, NO_INDEX when all were seen. */
static uint32_t next_dependency(const struct iommu_fd *fd, struct visit *v)
{
	const struct ioasid *ioasid = &fd->ioasids[v->ioasid];

	if (v->next == 0) {
		v->next = 1;
		if (ioasid->parent != NO_INDEX)
			return ioasid->parent;
	}
	while (v->next <= ioasid->n_maps) {
		const struct mapping *m = &ioasid->maps[v->next++ - 1];

		if (m->source != NO_INDEX)
			return m->source;
	}
	return NO_INDEX;
}

/* Depth first with a stack of its own: a chain of copies may be as long as the config allows. */
static void visit_from(const struct iommu_fd *fd, uint32_t start, struct visit *stack, bool *seen,
		       uint32_t *order, size_t *n_order)
{
	size_t depth = 0;

	seen[start] = true;
	stack[depth++] = (struct visit){start, 0};
	while (depth) {
		uint32_t next = next_dependency(fd, &stack[depth - 1]);

		if (next == NO_INDEX) {
			order[(*n_order)++] = stack[--depth].ioasid;
		} else if (!seen[next]) {
			seen[next] = true;
			stack[depth++] = (struct visit){next, 0};
		}
	}
}

int order_ioasids(const struct iommu_fd *fd, uint32_t **order)
{
	size_t n = fd->n_ioasids, n_order = 0;
	struct visit *stack = calloc(n + 1, sizeof(*stack));
	bool *seen = calloc(n + 1, sizeof(*seen));
	int ret = 0;

	*order = calloc(n + 1, sizeof(**order));
	if (!stack || !seen || !*order) {
		free(*order);
		*order = NULL;
		ret = -ENOMEM;
	}
	for (uint32_t i = 0; !ret && i < n; i++)
		if (!seen[i])
			visit_from(fd, i, stack, seen, *order, &n_order);
	free(stack);
	free(seen);
	return ret;
}

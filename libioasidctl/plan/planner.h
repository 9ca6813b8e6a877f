/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of the planner share; internal to plan/. */
#pragma once

#include "plan/plan.h"

/* In the order in which a plan runs. */
enum phase {
	PHASE_BUILD, /* new objects beside the old ones */
	PHASE_SWITCH, /* what can't exist twice changes over: devices, mappings at the same IOVA */
	PHASE_REMOVE, /* old things whose removal can still be taken back */
	PHASE_FINAL, /* no way back */
	PHASE_COUNT
};

struct operation_list {
	struct operation *operations;
	size_t count, capacity;
};

struct planner {
	const struct topology *live; /* may be NULL */
	struct topology *desired; /* may be NULL */
	struct operation_list phases[PHASE_COUNT];
	bool *detached; /* by live device: its attachments are taken care of */
	int ret; /* -ENOMEM once something could not be recorded */
};

void emit(struct planner *p, enum phase phase, struct operation op);

#define OPERATION(k, ...) ((struct operation){.kind = OPERATION_##k, __VA_ARGS__})

/* refuse.c: what the fds' drivers can't do, all of it. 0 or -EOPNOTSUPP. */
int refuse_unsupported(const struct topology *desired, struct ioasidctl_error **err);

/* order.c: ioasids of an fd, parents and sources of copies first. *order owned. */
int order_ioasids(const struct iommu_fd *fd, uint32_t **order);

/* plan_devices.c */
void plan_new_devices(struct planner *p);
void plan_old_devices(struct planner *p);

/* plan_ioasids.c */
int plan_new_ioasids(struct planner *p, uint32_t fd);
void plan_old_ioasids(struct planner *p, uint32_t fd);

/* plan_mappings.c: of one desired ioasid; `states` by ioasid, those of its sources filled. */
int plan_mappings(struct planner *p, uint32_t fd, uint32_t ioasid, uint8_t **states);

/* plan_attachments.c */
int plan_attachments(struct planner *p);

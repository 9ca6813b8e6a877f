/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of the planner share; internal to plan/. */
#pragma once

#include "plan/plan.h"

/* In the order in which a plan runs. */
enum phase {
	PHASE_BUILD, /* new objects beside the old ones */
	PHASE_LEAVE, /* what must have gone before others can take its place */
	PHASE_SWITCH, /* what can't exist twice changes over: devices, mappings at the same IOVA */
	PHASE_REMOVE, /* old things whose removal can still be taken back */
	PHASE_LATE, /* what devices were in the way of that have left by now */
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
	bool *unbound; /* by live device: its unbinding is planned */
	int ret; /* -ENOMEM once something could not be recorded */
};

void emit(struct planner *p, enum phase phase, struct operation op);

#define OPERATION(k, ...) ((struct operation){.kind = OPERATION_##k, __VA_ARGS__})

/* refuse.c: what the fds' drivers can't do, all of it. 0 or -EOPNOTSUPP. */
int refuse_unsupported(const struct topology *desired, struct ioasidctl_error **err);

/* refuse.c: devices that the plan couldn't give back to their host drivers. 0 or -EBUSY. */
int refuse_stranded(const struct topology *live, const struct topology *desired,
		    struct ioasidctl_error **err);

/* plan_devices.c */
bool has_heir(const struct topology *desired, uint32_t live_device);
/* A desired device of the live one's group, not its heir, that will be bound; NULL: none. */
const struct device *find_group_mate(const struct topology *live, const struct topology *desired,
				     uint32_t live_device);
void plan_new_devices(struct planner *p);
void plan_old_devices(struct planner *p);

/* plan_ioasids.c */
int plan_new_ioasids(struct planner *p, uint32_t fd);
void plan_old_ioasids(struct planner *p, uint32_t fd);

/* All devices leave it: what their reserved ranges forbade becomes possible. */
bool is_deserted(const struct planner *p, uint32_t fd, const struct ioasid *desired);

/* plan_mappings.c: of all ioasids of a desired fd. */
int plan_mappings(struct planner *p, uint32_t fd);

/* plan_attachments.c */
int plan_attachments(struct planner *p);

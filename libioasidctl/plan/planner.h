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
	bool *nameless; /* by live device: the freeing of its vdevice is planned */
	/* Of the desired fd at hand and of the live one it comes from; see count_users(). */
	uint32_t *users, *live_users;
	int ret; /* -ENOMEM once something could not be recorded */
};

void emit(struct planner *p, enum phase phase, struct operation op);

#define OPERATION(k, ...) ((struct operation){.kind = OPERATION_##k, __VA_ARGS__})

/* refuse.c: devices that the plan couldn't give back to their host drivers. 0 or -EBUSY. */
int refuse_stranded(const struct topology *live, const struct topology *desired,
		    struct ioasidctl_error **err);

/* refuse.c: devices whose BAR is memory, and which would be bound anew. 0 or -EBUSY. */
int refuse_moved_memory(const struct topology *live, const struct topology *desired,
			struct ioasidctl_error **err);

/* refuse.c: IOASIDs that would be made anew while they record dirty pages. 0 or -EBUSY. */
int refuse_forgetting(const struct topology *live, const struct topology *desired,
		      struct ioasidctl_error **err);

/* refuse_nested.c: new nested IOASIDs all of whose devices are absent. 0 or -errno. */
int refuse_without_device(const struct topology *desired, struct ioasidctl_error **err);

/* plan.c: when a desired memory is there. */
enum phase phase_of_memory(const struct planner *p, const struct memory *m);

/* plan_devices.c */
bool has_heir(const struct topology *desired, uint32_t live_device);
/* A desired device of the live one's group, not its heir, that will be bound; NULL: none. */
const struct device *find_group_mate(const struct topology *live, const struct topology *desired,
				     uint32_t live_device);
void plan_new_devices(struct planner *p);
/* In which phase a device that isn't kept comes. */
enum phase phase_of_new(const struct planner *p, const struct device *d);
void plan_old_devices(struct planner *p);
/* When a desired device is bound to its fd: PHASE_BUILD also for what has been. */
enum phase phase_of_binding(const struct planner *p, const struct device *d);

/* plan_vfs.c: the number of virtual functions that devices have. */
void plan_new_vfs(struct planner *p);
void plan_old_vfs(struct planner *p);
/* Whether the VF (a live device) vanishes with the old number. */
bool vf_vanishes(const struct planner *p, const struct device *vf);
/* Refuses another number where VFs would vanish under those who have them. 0 or -EBUSY. */
int refuse_recount(const struct topology *live, const struct topology *desired,
		   struct ioasidctl_error **err);

/* plan_ioasids.c */
int plan_new_ioasids(struct planner *p, uint32_t fd);
void plan_old_ioasids(struct planner *p, uint32_t fd);

/* plan_viommus.c */
void plan_new_viommus(struct planner *p, uint32_t fd);
/* When a desired viommu is there. */
enum phase phase_of_viommu(const struct planner *p, uint32_t fd, uint32_t viommu);
/* First of all: the kernel lets nobody unmap the memory of a hardware queue. */
void plan_old_queues(struct planner *p);
/* What of the live viommus goes after the devices have left it, and the viommus themselves. */
void plan_old_viommus(struct planner *p);
void plan_viommu_removals(struct planner *p, uint32_t live_fd);
/* A live device is about to be unbound: its identity on a viommu goes before. */
void free_vdevice_of(struct planner *p, enum phase phase, uint32_t live_device);

/* The desired fd that a live one lives on as; NULL: it goes. */
const struct iommu_fd *heir_of_fd(const struct planner *p, uint32_t live_fd);

/*
 * Devices by ioasid of the fd: those in it and those in what is nested on it, whose DMA goes
 * through it, too. Owned; NULL: out of memory.
 */
uint32_t *count_users(const struct iommu_fd *fd);
/* All devices leave it: what their reserved ranges forbade becomes possible. */
bool is_deserted(const struct planner *p, uint32_t fd, uint32_t ioasid);

/* plan_mappings.c: of all ioasids of a desired fd. */
int plan_mappings(struct planner *p, uint32_t fd);
/* Those that the kernel places, which it can once the devices' ranges are known. */
void plan_placements(struct planner *p);

/* plan_attachments.c */
int plan_attachments(struct planner *p);

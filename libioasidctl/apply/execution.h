/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One run of a plan; internal to apply/. */
#pragma once

#include <stdatomic.h>

#include "driver/driver.h"
#include "plan/plan.h"

struct execution {
	const struct driver_env *env;
	struct topology *live; /* NULL: nothing lives yet */
	struct topology *desired; /* NULL: everything goes */
	const struct plan *plan;
	const atomic_bool *cancel; /* may be NULL */
	void (*between)(void *data); /* before each operation; may be NULL */
	void *between_data;
};

/* actions.c: runs one operation; or its inverse. */
int run_operation(struct execution *x, const struct operation *op, struct ioasidctl_error **err);
int undo_operation(struct execution *x, const struct operation *op, struct ioasidctl_error **err);

/*
 * execute.c: runs the plan. On failure everything was undone; what could not be undone is named by
 * further errors of the chain. `verify` reads the state back before the first final operation.
 * *committed: the desired topology is the live one now; with an error besides, some of the old one
 * could not be removed and is named.
 */
int execute_plan(struct execution *x, bool verify, bool *committed, struct ioasidctl_error **err);

/*
 * execute.c: adds to the newest error of a failed operation what was being done, and where the
 * config asked for it.
 */
void explain_failure(const struct execution *x, const struct operation *op,
		     struct ioasidctl_error **err);

/*
 * rehearse.c: runs a plan that makes everything anew, and goes on after failures with what doesn't
 * need what failed. Undoes nothing. 0, or the first failure; *err has all.
 */
int rehearse_plan(struct execution *x, struct ioasidctl_error **err);
/* Makes all memory of a topology sparse and of no special kind: it will only be mapped. */
void rehearse_without_memory(struct topology *t);

/*
 * users.c: whether devices that would change drivers at the end of the plan, when nothing can be
 * undone any more, can leave those that they have: 0, or -EBUSY with the processes in the way.
 */
int refuse_used_devices(const struct driver_env *env, const struct plan *plan,
			struct ioasidctl_error **err);

/* verify.c: is the kernel's state what `desired` says? 0, or ERROR_VERIFY for each difference. */
int verify_topology(const struct topology *desired, struct ioasidctl_error **err);

/* What becomes of devices that aren't there. */
struct survey {
	bool may_wait; /* somebody will put them in later, so those with hotplug: attach may be
			  absent */
	const char *const *attempt; /* NULL: all are wanted; else of those absent only these */
};

/*
 * survey.c: what can be known of the desired devices before anything is changed; it is noted in
 * them. Refuses what can't work. Members of their groups that are to be taken become devices of
 * the topology, too; `live` (may be NULL) has those that were taken before, and those that are
 * absent.
 */
int survey_devices(const struct driver_env *env, const struct topology *live,
		   struct topology *desired, const struct survey *how,
		   struct ioasidctl_error **err);

/* groups.c: takes or refuses the other members of one device's group. */
int survey_group(const struct topology *live, struct topology *desired, uint32_t device,
		 const struct iommu_group *group, struct ioasidctl_error **err);
/*
 * release.c: a live topology loses a device, which is closed. `gone`: there is nothing any more
 * whose host driver could be restored.
 */
void release_device(struct topology *live, uint32_t device, bool gone);

/*
 * takeover_restore.c: for engine.c, see takeover.h. restore: on failure what was restored is still
 * there, for leave_topology(), which frees the topology.
 */
int restore_topology(const struct driver_env *env, struct topology *t, const json_t *record,
		     struct descriptors *given, struct ioasidctl_error **err);
void leave_topology(struct topology *t);
int adopt_topology(struct topology *t, struct ioasidctl_error **err);
void probe_topology(const struct topology *t, void (*said)(void *data, const char *what),
		    void *data);

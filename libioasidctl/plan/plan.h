/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The planner: (live, desired) -> operations in order. Pure: no I/O, no clock, nothing mutated but
 * the plan and the `prev` links of the desired topology.
 *
 * Order: build all that is new, switch what must change over, remove what is old. Everything before
 * the first final operation can be undone by running inverses backwards.
 */
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "model/topology.h"

/*
 * The one table of operations: identifier, name in JSON, verb for people, inverse, final.
 * A final operation has no way back; the planner puts all of them last.
 */
#define OPERATIONS(X)                                                                  \
	X(OPEN_FD, "open-fd", "open", CLOSE_FD, false)                                 \
	X(CREATE_MEMORY, "create-memory", "create memory", DESTROY_MEMORY, false)      \
	X(GROW_MEMORY, "grow-memory", "enlarge memory", SHRINK_MEMORY, false)          \
	X(CREATE_VDPA, "create-vdpa", "make vDPA device", DELETE_VDPA, false)          \
	X(SET_DRIVER, "set-driver", "bind driver of", RESTORE_DRIVER, false)           \
	X(SET_VFS, "set-vfs", "set number of VFs of", RESTORE_VFS, false)              \
	X(OPEN_DEVICE, "open-device", "open device", CLOSE_DEVICE, false)              \
	X(BIND_DEVICE, "bind-device", "bind device", UNBIND_DEVICE, false)             \
	X(ALLOC, "alloc", "allocate", FREE, false)                                     \
	X(ALLOW, "allow", "allow ranges of", ALLOW, false)                             \
	X(ALLOC_VIOMMU, "alloc-viommu", "allocate vIOMMU", FREE_VIOMMU, false)         \
	X(ALLOC_EVENTS, "alloc-events", "allocate event queue of", FREE_EVENTS, false) \
	X(FREE_EVENTS, "free-events", "free event queue of", ALLOC_EVENTS, false)      \
	X(ALLOC_QUEUE, "alloc-queue", "allocate hardware queue", FREE_QUEUE, false)    \
	X(FREE_QUEUE, "free-queue", "free hardware queue", ALLOC_QUEUE, false)         \
	X(ALLOC_VDEVICE, "alloc-vdevice", "allocate vdevice of", FREE_VDEVICE, false)  \
	X(FREE_VDEVICE, "free-vdevice", "free vdevice of", ALLOC_VDEVICE, false)       \
	X(SET_COMPAT, "set-vfio-compat", "serve as VFIO container", SET_COMPAT, false) \
	X(MAP, "map", "map", UNMAP, false)                                             \
	X(COPY, "copy", "copy", UNMAP, false)                                          \
	X(ATTACH, "attach", "attach", DETACH, false)                                   \
	X(REPLACE, "replace", "move", REPLACE, false)                                  \
	X(DETACH, "detach", "detach", ATTACH, false)                                   \
	X(UNMAP, "unmap", "unmap", MAP, false)                                         \
	X(UNBIND_DEVICE, "unbind-device", "unbind device", BIND_DEVICE, false)         \
	X(SUSPEND_DEVICE, "suspend-device", "close device", OPEN_DEVICE, false)        \
	X(SHRINK_MEMORY, "shrink-memory", "shrink memory", GROW_MEMORY, true)          \
	X(FREE, "free", "free", ALLOC, true)                                           \
	X(FREE_VIOMMU, "free-viommu", "free vIOMMU", ALLOC_VIOMMU, true)               \
	X(CLOSE_DEVICE, "close-device", "close device", OPEN_DEVICE, true)             \
	X(RESTORE_DRIVER, "restore-driver", "restore driver of", SET_DRIVER, true)     \
	X(RESTORE_VFS, "restore-vfs", "restore number of VFs of", SET_VFS, true)       \
	X(DELETE_VDPA, "delete-vdpa", "delete vDPA device", CREATE_VDPA, true)         \
	X(CLOSE_FD, "close-fd", "close", OPEN_FD, true)                                \
	X(DESTROY_MEMORY, "destroy-memory", "release memory", CREATE_MEMORY, true)

enum operation_kind {
#define X(id, name, verb, inverse, final) OPERATION_##id,
	OPERATIONS(X)
#undef X
		OPERATION_COUNT
};

struct operation {
	uint8_t kind; /* enum operation_kind */
	bool old; /* the indices are into the live topology, else into the desired one */
	uint32_t fd; /* NO_INDEX: of memory */
	/* ioasid or viommu of the fd; or memory; or device. SET_COMPAT: NO_INDEX for none */
	uint32_t object;
	/*
	 * Mapping or attachment of the ioasid; vdevice or queue of the viommu. ALLOC of a nested
	 * ioasid: the device that it's made for, NO_INDEX where the driver needs none.
	 */
	uint32_t item;
	/* REPLACE: fd, ioasid and attachment of the live topology that it comes from. */
	uint32_t from_fd, from, from_item;
};

struct plan {
	const struct topology *live; /* NULL: nothing lives; not owned */
	struct topology *desired; /* NULL: remove everything; not owned */
	struct operation *operations;
	size_t n_operations;
	size_t n_capacity;
};

const char *operation_name(enum operation_kind kind);
const char *operation_verb(enum operation_kind kind);
enum operation_kind operation_inverse(enum operation_kind kind);
bool operation_is_final(enum operation_kind kind);

/* What the drivers of the desired fds can't do, each with its position. 0 or -EOPNOTSUPP. */
int refuse_unsupported(const struct topology *desired, struct ioasidctl_error **err);

/*
 * Fills a zeroed plan. Both topologies must outlive it; refuse_unsupported() has passed. Refuses
 * (ERROR_REFUSED, with position) what would leave devices without a way back. 0 or -errno.
 */
int plan_make(const struct topology *live, struct topology *desired, struct plan *plan,
	      struct ioasidctl_error **err);
void plan_done(struct plan *plan);
#define _cleanup_plan_ __attribute__((cleanup(plan_done)))

/* One operation for people: "map main/gpa 0x0-0xbfffffff to ram+0x0 rw". Owned; NULL: no memory. */
char *operation_text(const struct plan *plan, const struct operation *op);

/* {changed, counts, operations: [...]}; `list` false leaves the list out. New reference or NULL. */
json_t *plan_json(const struct plan *plan, bool list);

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A plan run for its failures only: it goes on after each with whatever doesn't depend on what
 * failed, so that one run finds them all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apply/execution.h"
#include "base/cleanup.h"

#define FAILURES_MAX 100

enum part {
	PART_FD,
	PART_MEMORY,
	PART_DEVICE,
	PART_IOASID,
	PART_MAPPINGS, /* some of an ioasid */
	PART_LOCKED_MEMORY, /* of an fd: there is no more */
	PART_VIOMMU
};

/* What others need and isn't there, since making it failed. */
struct lost {
	enum part part;
	uint32_t fd; /* NO_INDEX: of memory and devices */
	uint32_t index;
};

struct rehearsal {
	struct execution *x;
	struct lost *lost;
	size_t n_lost, capacity;
	size_t failures;
	int ret; /* of the first one */
};

static bool is_lost(const struct rehearsal *r, enum part part, uint32_t fd, uint32_t index)
{
	for (size_t i = 0; i < r->n_lost; i++)
		if (r->lost[i].part == part && r->lost[i].fd == fd && r->lost[i].index == index)
			return true;
	return false;
}

static bool device_is_lost(const struct rehearsal *r, uint32_t device)
{
	return device != NO_INDEX && is_lost(r, PART_DEVICE, NO_INDEX, device);
}

static bool mapping_lacks(const struct rehearsal *r, const struct operation *op,
			  const struct mapping *m)
{
	return is_lost(r, PART_LOCKED_MEMORY, op->fd, 0) ||
	       (m->memory != NO_INDEX && is_lost(r, PART_MEMORY, NO_INDEX, m->memory)) ||
	       (m->source != NO_INDEX && (is_lost(r, PART_IOASID, op->fd, m->source) ||
					  is_lost(r, PART_MAPPINGS, op->fd, m->source)));
}

static bool viommu_lacks(const struct rehearsal *r, const struct operation *op,
			 const struct viommu *v)
{
	switch ((enum operation_kind)op->kind) {
	case OPERATION_ALLOC_VIOMMU:
		return is_lost(r, PART_IOASID, op->fd, v->parent) || device_is_lost(r, v->device);
	case OPERATION_ALLOC_VDEVICE:
		return is_lost(r, PART_VIOMMU, op->fd, op->object) ||
		       device_is_lost(r, v->vdevices[op->item].device);
	case OPERATION_ALLOC_QUEUE:
		return is_lost(r, PART_VIOMMU, op->fd, op->object) ||
		       is_lost(r, PART_MAPPINGS, op->fd, v->parent);
	default:
		return is_lost(r, PART_VIOMMU, op->fd, op->object);
	}
}

static bool ioasid_lacks(const struct rehearsal *r, const struct operation *op,
			 const struct ioasid *i)
{
	if (op->kind == OPERATION_ALLOC)
		return (i->parent != NO_INDEX && is_lost(r, PART_IOASID, op->fd, i->parent)) ||
		       (i->viommu != NO_INDEX && is_lost(r, PART_VIOMMU, op->fd, i->viommu)) ||
		       (i->kind == IOASID_NESTED && device_is_lost(r, op->item));
	if (is_lost(r, PART_IOASID, op->fd, op->object))
		return true;
	if (op->kind == OPERATION_MAP || op->kind == OPERATION_COPY)
		return mapping_lacks(r, op, &i->maps[op->item]);
	return op->kind == OPERATION_ATTACH && device_is_lost(r, i->attach[op->item].device);
}

/* Whether it can't succeed for a reason that was told already. */
static bool lacks_something(const struct rehearsal *r, const struct operation *op)
{
	const struct topology *t = r->x->desired;

	if (op->fd != NO_INDEX && is_lost(r, PART_FD, op->fd, 0))
		return true;
	switch ((enum operation_kind)op->kind) {
	case OPERATION_CREATE_VDPA:
	case OPERATION_SET_DRIVER:
	case OPERATION_SET_VFS:
	case OPERATION_OPEN_DEVICE:
	case OPERATION_BIND_DEVICE:
		return device_is_lost(r, op->object);
	case OPERATION_ALLOC:
	case OPERATION_ALLOW:
	case OPERATION_MAP:
	case OPERATION_COPY:
	case OPERATION_ATTACH:
		return ioasid_lacks(r, op, &t->fds[op->fd].ioasids[op->object]);
	case OPERATION_ALLOC_VIOMMU:
	case OPERATION_ALLOC_EVENTS:
	case OPERATION_ALLOC_QUEUE:
	case OPERATION_ALLOC_VDEVICE:
		return viommu_lacks(r, op, &t->fds[op->fd].viommus[op->object]);
	case OPERATION_SET_COMPAT:
		return op->object != NO_INDEX && is_lost(r, PART_IOASID, op->fd, op->object);
	default:
		return false;
	}
}

/* `ret` 0: it wasn't even tried. */
static struct lost loss_of(const struct operation *op, int ret)
{
	switch ((enum operation_kind)op->kind) {
	case OPERATION_OPEN_FD:
		return (struct lost){PART_FD, op->fd, 0};
	case OPERATION_CREATE_MEMORY:
		return (struct lost){PART_MEMORY, NO_INDEX, op->object};
	case OPERATION_CREATE_VDPA:
	case OPERATION_SET_DRIVER:
	case OPERATION_SET_VFS:
	case OPERATION_OPEN_DEVICE:
	case OPERATION_BIND_DEVICE:
		return (struct lost){PART_DEVICE, NO_INDEX, op->object};
	case OPERATION_ALLOC:
		return (struct lost){PART_IOASID, op->fd, op->object};
	case OPERATION_ALLOC_VIOMMU:
		return (struct lost){PART_VIOMMU, op->fd, op->object};
	case OPERATION_MAP:
	case OPERATION_COPY:
		/* The limit is reached: every further mapping would say so again. */
		if (ret == -ENOMEM)
			return (struct lost){PART_LOCKED_MEMORY, op->fd, 0};
		return (struct lost){PART_MAPPINGS, op->fd, op->object};
	default:
		return (struct lost){PART_FD, NO_INDEX, 0}; /* nothing needs it */
	}
}

/*
 * The reference device hands out any device that no host driver uses. On Linux a driver of VFIO
 * does that, so it must be there.
 */
static int check_driver(const struct topology *t, const struct device *d,
			struct ioasidctl_error **err)
{
	const char *driver = d->driver ? d->driver : d->found.driver;
	int ret;

	if ((d->selector != SELECTOR_PCI && d->selector != SELECTOR_PLATFORM) ||
	    (driver && strstr(driver, "vfio")))
		return 0;
	if (driver && *driver)
		ret = error_new(err, ERROR_REFUSED, ENODEV,
				"device %s (%s) is bound to %s, which doesn't hand it out", d->name,
				d->address, driver);
	else
		ret = error_new(err, ERROR_REFUSED, ENODEV,
				"device %s (%s) has no driver to hand it out", d->name, d->address);
	error_object(err, "%s: open device %s", t->name, d->name);
	error_hint(err, "give it `driver: vfio-pci`, or bind it to a driver of VFIO beforehand");
	return ret;
}

static int try_operation(struct rehearsal *r, const struct operation *op,
			 struct ioasidctl_error **err)
{
	const struct topology *t = r->x->desired;
	int ret = 0;

	if (op->kind == OPERATION_OPEN_DEVICE)
		ret = check_driver(t, &t->devices[op->object], err);
	if (!ret)
		ret = run_operation(r->x, op, err);
	if (ret)
		explain_failure(r->x, op, err);
	return ret;
}

static int lose(struct rehearsal *r, struct lost lost)
{
	struct lost *grown;

	if (is_lost(r, lost.part, lost.fd, lost.index))
		return 0;
	if (r->n_lost == r->capacity) {
		size_t more = r->capacity ? 2 * r->capacity : 16;

		grown = reallocarray(r->lost, more, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		r->lost = grown;
		r->capacity = more;
	}
	r->lost[r->n_lost++] = lost;
	return 0;
}

static int rehearse_operation(struct rehearsal *r, const struct operation *op,
			      struct ioasidctl_error **err)
{
	int ret = 0;

	if (!lacks_something(r, op)) {
		ret = try_operation(r, op, err);
		if (!ret)
			return 0;
		r->failures++;
		r->ret = r->ret ? r->ret : ret;
	}
	return lose(r, loss_of(op, ret)) ? error_nomem(err) : 0;
}

int rehearse_plan(struct execution *x, struct ioasidctl_error **err)
{
	struct rehearsal r = {.x = x};
	int ret = 0;

	for (size_t i = 0; !ret && i < x->plan->n_operations && r.failures < FAILURES_MAX; i++)
		ret = rehearse_operation(&r, &x->plan->operations[i], err);
	free(r.lost);
	return ret ? ret : r.ret;
}

void rehearse_without_memory(struct topology *t)
{
	for (size_t i = 0; i < t->n_memories; i++) {
		struct memory *m = &t->memories[i];

		m->backing = BACKING_MEMFD;
		m->page_size = 0;
		m->prefault = false;
		m->numa_node = NO_NODE;
	}
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "plan/match.h"

#include <errno.h>
#include <string.h>

#include "driver/driver.h"
#include "model/name_index.h"

#define _cleanup_index_ __attribute__((cleanup(name_index_freep)))
#define INDEX_BY_NAME(array, count, type) \
	name_index_new(array, count, sizeof(type), offsetof(type, name))

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static const char *device_name(const struct topology *t, uint32_t device)
{
	return device == NO_INDEX ? NULL : t->devices[device].name;
}

/* A size can change under a memory; what it is made of can't. */
static bool same_memory(const struct topology *live, const struct memory *a,
			const struct topology *desired, const struct memory *b)
{
	return a->backing == b->backing && a->page_size == b->page_size &&
	       a->numa_node == b->numa_node && same_text(a->path, b->path) && a->bar == b->bar &&
	       same_text(device_name(live, a->device), device_name(desired, b->device)) &&
	       (a->size == b->size || a->backing == BACKING_MEMFD);
}

static int match_memories(const struct topology *live, struct topology *desired)
{
	_cleanup_index_ struct name_index *index =
		INDEX_BY_NAME(live->memories, live->n_memories, struct memory);

	if (!index)
		return -ENOMEM;
	for (size_t i = 0; i < desired->n_memories; i++) {
		struct memory *m = &desired->memories[i];
		uint32_t found = name_index_find(index, m->name, i);

		if (found != NO_INDEX && same_memory(live, &live->memories[found], desired, m))
			m->prev = found;
	}
	return 0;
}

static bool same_table(const struct table *a, const struct table *b)
{
	return a->format == b->format && a->address == b->address &&
	       a->address_width == b->address_width && a->n_words == b->n_words &&
	       !memcmp(a->words, b->words, a->n_words * sizeof(a->words[0]));
}

static uint32_t viommu_prev(const struct iommu_fd *desired, uint32_t viommu)
{
	return viommu == NO_INDEX ? NO_INDEX : desired->viommus[viommu].prev;
}

/*
 * A table made for PASIDs serves as well without them; changing back would need another one, which
 * a device can't go to while a PASID of it is still attached.
 */
static bool same_flags(const struct ioasid *live, const struct ioasid *desired)
{
	return live->flags == desired->flags || live->flags == (desired->flags | IOASID_FLAG_PASID);
}

/* Parents and viommus have been matched by now. */
static bool same_ioasid(const struct ioasid *a, const struct iommu_fd *desired,
			const struct ioasid *b)
{
	return a->kind == b->kind && same_flags(a, b) && same_table(&a->table, &b->table) &&
	       a->viommu == viommu_prev(desired, b->viommu) &&
	       (b->viommu == NO_INDEX || a->viommu != NO_INDEX) &&
	       (b->parent == NO_INDEX || desired->ioasids[b->parent].prev == a->parent);
}

static bool has_whole(const struct ioasid *ioasid, uint32_t device)
{
	for (size_t i = 0; i < ioasid->n_attach; i++)
		if (ioasid->attach[i].device == device && ioasid->attach[i].pasid == NO_PASID)
			return true;
	return false;
}

/*
 * Hardware learns a device's identity when the device comes to a table on its viommu, and never
 * again. One that stays and gets another identity has to come to a new table.
 */
static bool keeps_identities(const struct ioasid *live, const struct topology *t,
			     const struct iommu_fd *desired, const struct ioasid *ioasid)
{
	const struct viommu *v =
		ioasid->viommu == NO_INDEX ? NULL : &desired->viommus[ioasid->viommu];

	for (size_t i = 0; v && i < v->n_vdevices; i++) {
		const uint32_t device = v->vdevices[i].device, was = t->devices[device].prev;

		if (v->vdevices[i].prev == NO_INDEX && was != NO_INDEX && has_whole(live, was) &&
		    has_whole(ioasid, device))
			return false;
	}
	return true;
}

static int match_ioasids(const struct iommu_fd *live, const struct topology *t,
			 struct iommu_fd *desired, enum ioasid_kind kind)
{
	_cleanup_index_ struct name_index *index =
		INDEX_BY_NAME(live->ioasids, live->n_ioasids, struct ioasid);

	if (!index)
		return -ENOMEM;
	for (size_t i = 0; i < desired->n_ioasids; i++) {
		struct ioasid *ioasid = &desired->ioasids[i];
		uint32_t found;

		if (ioasid->kind != kind)
			continue;
		found = name_index_find(index, ioasid->name, i);
		if (found == NO_INDEX || !same_ioasid(&live->ioasids[found], desired, ioasid) ||
		    !keeps_identities(&live->ioasids[found], t, desired, ioasid))
			continue;
		ioasid->prev = found;
		ioasid->flags = live->ioasids[found].flags;
	}
	return 0;
}

static bool same_fd(const struct iommu_fd *a, const struct iommu_fd *b)
{
	return a->ops == b->ops && same_text(a->node, b->node) && a->accounting == b->accounting;
}

static int match_fds(const struct topology *live, struct topology *desired)
{
	_cleanup_index_ struct name_index *index =
		INDEX_BY_NAME(live->fds, live->n_fds, struct iommu_fd);

	if (!index)
		return -ENOMEM;
	for (size_t i = 0; i < desired->n_fds; i++) {
		struct iommu_fd *fd = &desired->fds[i];
		uint32_t found = name_index_find(index, fd->name, i);
		int ret;

		if (found == NO_INDEX || !same_fd(&live->fds[found], fd))
			continue;
		fd->prev = found;
		ret = match_ioasids(&live->fds[found], desired, fd, IOASID_GPA);
		if (ret)
			return ret;
	}
	return 0;
}

static const struct driver *device_driver(const struct topology *t, const struct device *d)
{
	return d->fd == NO_INDEX ? NULL : t->fds[d->fd].ops;
}

/*
 * The live device at the same address, where the new one isn't that very object. One that is absent
 * takes over nothing but the past of another absent one.
 */
static uint32_t find_predecessor(const struct topology *live, const struct topology *desired,
				 const struct device *d)
{
	for (uint32_t i = 0; d->fd != NO_INDEX && i < live->n_devices; i++) {
		const struct device *was = &live->devices[i];

		if ((was->absent || !d->absent) && was->selector == d->selector &&
		    !strcmp(was->address, d->address) &&
		    drivers_share_machine(device_driver(live, was), device_driver(desired, d)))
			return i;
	}
	return NO_INDEX;
}

static int match_devices(const struct topology *live, struct topology *desired)
{
	_cleanup_index_ struct name_index *index =
		INDEX_BY_NAME(live->devices, live->n_devices, struct device);

	if (!index)
		return -ENOMEM;
	for (size_t i = 0; i < desired->n_devices; i++) {
		struct device *d = &desired->devices[i];
		uint32_t found = name_index_find(index, d->name, i);
		const struct device *was = found == NO_INDEX ? NULL : &live->devices[found];

		if (was && !was->absent && !d->absent && was->selector == d->selector &&
		    same_text(was->address, d->address) && same_text(was->driver, d->driver) &&
		    was->host_only == d->host_only && devices_made_alike(was, d) &&
		    device_driver(live, was) == device_driver(desired, d))
			d->prev = found;
		else
			d->successor_of = find_predecessor(live, desired, d);
	}
	return 0;
}

static void match_parts(const struct viommu *live, struct viommu *desired, const struct topology *t)
{
	for (size_t i = 0; i < desired->n_vdevices; i++) {
		struct vdevice *v = &desired->vdevices[i];

		for (uint32_t j = 0; j < live->n_vdevices; j++)
			if (live->vdevices[j].id == v->id &&
			    live->vdevices[j].device == t->devices[v->device].prev &&
			    live->vdevices[j].device != NO_INDEX)
				v->prev = j;
	}
	/* Hardware stacks its queues: what comes after one that changes is made anew, too. */
	for (uint32_t i = 0; i < desired->n_queues && i < live->n_queues; i++) {
		const struct hw_queue *was = &live->queues[i];
		struct hw_queue *q = &desired->queues[i];

		if (was->index != q->index || was->iova != q->iova || was->length != q->length)
			break;
		q->prev = i;
	}
}

/* What was made on a device outlives its absence, and is of the same device as long as that lasts.
 */
static bool keeps_device(const struct topology *live, const struct topology *desired, uint32_t was,
			 const struct device *d)
{
	if (d->absent)
		return live->devices[was].absent && d->successor_of == was;
	return was == d->prev && device_keeps_binding(live, desired, d);
}

/* A vdevice is gone when its device is bound anew. */
static void drop_rebound(const struct topology *live, const struct topology *desired,
			 struct viommu *viommu)
{
	for (size_t i = 0; i < viommu->n_vdevices; i++)
		if (!device_keeps_binding(live, desired,
					  &desired->devices[viommu->vdevices[i].device]))
			viommu->vdevices[i].prev = NO_INDEX;
}

static void match_viommus(const struct topology *live, const struct topology *desired,
			  struct iommu_fd *fd)
{
	const struct iommu_fd *live_fd = &live->fds[fd->prev];

	for (size_t i = 0; i < fd->n_viommus; i++) {
		struct viommu *v = &fd->viommus[i];
		const struct device *d = &desired->devices[v->device];
		uint32_t found = iommu_fd_find_viommu(live_fd, v->name);
		const struct viommu *was = found == NO_INDEX ? NULL : &live_fd->viommus[found];

		if (!was || was->type != v->type || !keeps_device(live, desired, was->device, d) ||
		    was->parent != fd->ioasids[v->parent].prev)
			continue;
		v->prev = found;
		match_parts(was, v, desired);
		drop_rebound(live, desired, v);
	}
}

static void forget_viommu(struct viommu *viommu)
{
	viommu->prev = NO_INDEX;
	for (size_t i = 0; i < viommu->n_vdevices; i++)
		viommu->vdevices[i].prev = NO_INDEX;
	for (size_t i = 0; i < viommu->n_queues; i++)
		viommu->queues[i].prev = NO_INDEX;
}

static void forget_links(struct topology *desired)
{
	for (size_t i = 0; i < desired->n_memories; i++)
		desired->memories[i].prev = NO_INDEX;
	for (size_t i = 0; i < desired->n_devices; i++)
		desired->devices[i].prev = desired->devices[i].successor_of = NO_INDEX;
	for (size_t i = 0; i < desired->n_fds; i++) {
		desired->fds[i].prev = NO_INDEX;
		for (size_t j = 0; j < desired->fds[i].n_ioasids; j++)
			desired->fds[i].ioasids[j].prev = NO_INDEX;
		for (size_t j = 0; j < desired->fds[i].n_viommus; j++)
			forget_viommu(&desired->fds[i].viommus[j]);
	}
}

int match_topologies(const struct topology *live, struct topology *desired)
{
	int ret;

	forget_links(desired);
	if (!live)
		return 0;
	ret = match_memories(live, desired);
	if (!ret)
		ret = match_fds(live, desired);
	if (!ret)
		ret = match_devices(live, desired);
	/* Each level stays only where what is below it does. */
	for (size_t i = 0; !ret && i < desired->n_fds; i++) {
		struct iommu_fd *fd = &desired->fds[i];

		if (fd->prev == NO_INDEX)
			continue;
		match_viommus(live, desired, fd);
		ret = match_ioasids(&live->fds[fd->prev], desired, fd, IOASID_NESTED);
		for (size_t j = 0; !ret && j < fd->n_ioasids; j++)
			if (fd->ioasids[j].prev != NO_INDEX)
				ret = match_placements(
					&live->fds[fd->prev].ioasids[fd->ioasids[j].prev], desired,
					&fd->ioasids[j]);
	}
	return ret;
}

bool device_keeps_binding(const struct topology *live, const struct topology *desired,
			  const struct device *device)
{
	const struct device *was = device->prev == NO_INDEX ? NULL : &live->devices[device->prev];

	return was && was->bound && device->bound && desired->fds[device->fd].prev == was->fd;
}

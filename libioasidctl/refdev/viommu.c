// SPDX-License-Identifier: LGPL-2.1-or-later
/* viommus, the devices on them, their hardware queues. The order of the checks is Linux's. */
#include <errno.h>
#include <stdlib.h>

#include "base/number.h"
#include "refdev/memory.h"
#include "refdev/state.h"

/* What the cells of a mock device's cache begin with. */
#define CACHE_DEFAULT 0xbaddad

struct refdev_hw_queue {
	struct refdev_object object;
	struct refdev_viommu *viommu;
	uint32_t index;
	uint64_t iova, last;
};

static struct refdev_viommu *viommu_find(const struct refdev_file *file, uint32_t id)
{
	return (struct refdev_viommu *)object_find(file, id, OBJECT_VIOMMU);
}

int call_viommu_alloc(struct refdev_file *file, struct ioasid_viommu_args *args)
{
	const struct refdev_device *device = device_find_cookie(file, args->cookie);
	struct refdev_ioasid *parent = ioasid_find(file, args->parent);
	const struct machine_iommu *iommu;
	struct refdev_viommu *viommu;
	uint32_t type;
	int ret;

	if (args->reserved)
		return -EOPNOTSUPP;
	if (!device)
		return -ENOENT;
	iommu = device->group->hw->iommu;
	type = args->type;
	/* The plain one: the first that the IOMMU has. */
	if (type == IOASID_VIOMMU_DEFAULT && iommu->viommu_types)
		type = (uint32_t)__builtin_ctz(iommu->viommu_types);
	if (type > IOASID_VIOMMU_MOCK || !(iommu->viommu_types & 1U << type))
		return -EOPNOTSUPP;
	if (!parent || parent->parent)
		return -ENOENT;
	if (!(parent->flags & IOASID_ALLOC_NEST_PARENT))
		return -EINVAL;
	viommu = object_new(file, OBJECT_VIOMMU, sizeof(*viommu), &ret);
	if (!viommu)
		return ret;
	viommu->queues = calloc(iommu->hw_queues + 1, sizeof(*viommu->queues));
	if (!viommu->queues) {
		free(viommu);
		return -ENOMEM;
	}
	ret = ioasid_realise(parent, NULL, iommu, &viommu->below);
	if (ret) {
		free(viommu->queues);
		free(viommu);
		return ret;
	}
	ioasid_refresh(parent);
	viommu->type = type;
	viommu->iommu = iommu;
	viommu->cookie = args->cookie;
	viommu->parent = parent;
	parent->object.users++;
	object_publish(&viommu->object);
	args->viommu = viommu->object.id;
	return 0;
}

void viommu_destroy(struct refdev_viommu *viommu)
{
	viommu->parent->object.users--;
	domain_put(viommu->parent, viommu->below);
	ioasid_refresh(viommu->parent);
	free(viommu->queues);
}

static bool has_identity(const struct refdev_viommu *viommu, uint64_t virt_id)
{
	const struct refdev_vdevice *v = viommu->vdevices;

	while (v && v->virt_id != virt_id)
		v = v->next;
	return v;
}

int call_vdevice_alloc(struct refdev_file *file, struct ioasid_vdevice_args *args)
{
	struct refdev_viommu *viommu = viommu_find(file, args->viommu);
	struct refdev_device *device = device_find_cookie(file, args->cookie);
	struct refdev_vdevice *vdevice;
	int ret;

	if (!viommu || !device)
		return -ENOENT;
	if (device->group->hw->iommu != viommu->iommu)
		return -EINVAL;
	if (device->vdevice || has_identity(viommu, args->virt_id))
		return -EEXIST;
	vdevice = object_new(file, OBJECT_VDEVICE, sizeof(*vdevice), &ret);
	if (!vdevice)
		return ret;
	vdevice->viommu = viommu;
	vdevice->device = device;
	vdevice->virt_id = args->virt_id;
	for (size_t i = 0; i < sizeof(vdevice->cache) / sizeof(vdevice->cache[0]); i++)
		vdevice->cache[i] = CACHE_DEFAULT;
	vdevice->next = viommu->vdevices;
	viommu->vdevices = vdevice;
	viommu->object.users++;
	device->vdevice = vdevice;
	object_publish(&vdevice->object);
	args->vdevice = vdevice->object.id;
	return 0;
}

void vdevice_destroy(struct refdev_vdevice *vdevice)
{
	struct refdev_viommu *viommu = vdevice->viommu;
	struct refdev_vdevice **at = &viommu->vdevices;

	while (*at != vdevice)
		at = &(*at)->next;
	*at = vdevice->next;
	vdevice->device->vdevice = NULL;
	viommu->object.users--;
}

/* Mappings with a queue in them stay: whole pages of the CPU, as that pins them. */
static void lock_memory(const struct refdev_hw_queue *queue, uint32_t change)
{
	struct itree *mappings = &queue->viommu->parent->mappings;
	uint64_t mask = memory_page_size() - 1, first = queue->iova & ~mask;
	uint64_t last = queue->last | mask;

	for (struct itree_node *n = itree_first(mappings, first, last); n;
	     n = itree_next(mappings, n, first, last))
		((struct refdev_mapping *)n)->locks += change;
}

/* Pages must begin and end where those of the memory do, and be there without a hole. */
static int check_memory(const struct refdev_ioasid *parent, uint64_t iova, uint64_t length)
{
	uint64_t mask = memory_page_size() - 1, last = range_last(iova, length) | mask;

	for (iova &= ~mask;;) {
		struct itree_node *n = itree_first(&parent->mappings, iova, iova);
		const struct refdev_mapping *m = (struct refdev_mapping *)n;

		if (!n)
			return -ENOENT;
		if ((m->vaddr + (iova - n->first)) & mask)
			return -EINVAL;
		if (n->last >= last)
			return 0;
		if ((m->vaddr + (n->last - n->first) + 1) & mask)
			return -EINVAL;
		iova = n->last + 1;
	}
}

static int check_queue(const struct refdev_viommu *viommu, const struct ioasid_hw_queue_args *args)
{
	int ret = check_memory(viommu->parent, args->iova, args->length);

	if (ret)
		return ret;
	if (args->index >= viommu->iommu->hw_queues)
		return -EINVAL;
	if (viommu->queues[args->index])
		return -EEXIST;
	if (args->index && !viommu->queues[args->index - 1])
		return -EIO;
	return 0;
}

int call_hw_queue_alloc(struct refdev_file *file, struct ioasid_hw_queue_args *args)
{
	struct refdev_viommu *viommu = viommu_find(file, args->viommu);
	struct refdev_hw_queue *queue;
	int ret;

	if (args->reserved)
		return -EOPNOTSUPP;
	if (!args->length)
		return -EINVAL;
	if (!range_valid(args->iova, args->length))
		return -EOVERFLOW;
	if (!viommu)
		return -ENOENT;
	if (!viommu->iommu->hw_queues)
		return -EOPNOTSUPP;
	ret = check_queue(viommu, args);
	if (ret)
		return ret;
	queue = object_new(file, OBJECT_HW_QUEUE, sizeof(*queue), &ret);
	if (!queue)
		return ret;
	queue->viommu = viommu;
	queue->index = args->index;
	queue->iova = args->iova;
	queue->last = range_last(args->iova, args->length);
	lock_memory(queue, 1);
	viommu->queues[args->index] = queue;
	viommu->object.users++;
	if (args->index)
		viommu->queues[args->index - 1]->object.users++;
	object_publish(&queue->object);
	args->queue = queue->object.id;
	return 0;
}

void hw_queue_destroy(struct refdev_hw_queue *queue)
{
	struct refdev_viommu *viommu = queue->viommu;

	lock_memory(queue, UINT32_MAX);
	viommu->queues[queue->index] = NULL;
	viommu->object.users--;
	if (queue->index)
		viommu->queues[queue->index - 1]->object.users--;
}

void hw_queue_describe(const struct refdev_object *object, struct ioasid_entry_hw_queue *out)
{
	const struct refdev_hw_queue *queue = (const struct refdev_hw_queue *)object;

	*out = (struct ioasid_entry_hw_queue){
		.queue = object->id,
		.viommu = queue->viommu->object.id,
		.index = queue->index,
		.iova = queue->iova,
		.length = queue->last - queue->iova + 1,
	};
}

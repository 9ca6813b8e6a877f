// SPDX-License-Identifier: LGPL-2.1-or-later
/* Introspection: objects, a page at a time. */
#include <errno.h>
#include <string.h>

#include "refdev/memory.h"
#include "refdev/state.h"

/* Entries on their way to the caller, some at a time. */
struct sink {
	struct ioasid_list_args *args;
	pid_t process;
	uint32_t room;
	size_t held; /* bytes in `buffer` */
	uint64_t to;
	int error;
	char buffer[8192];
};

static void flush(struct sink *sink)
{
	if (!sink->error && sink->held)
		sink->error = memory_write(sink->process, sink->to, sink->buffer, sink->held, NULL);
	sink->to += sink->held;
	sink->held = 0;
}

/* False: no room for it; the list goes on from `key` another time. */
static bool give(struct sink *sink, uint64_t key, const void *entry, size_t size)
{
	if (sink->args->count == sink->room) {
		sink->args->flags |= IOASID_LIST_MORE;
		sink->args->next = key;
		return false;
	}
	if (sink->held + size > sizeof(sink->buffer))
		flush(sink);
	memcpy(sink->buffer + sink->held, entry, size);
	sink->held += size;
	sink->args->count++;
	return !sink->error;
}

#define GIVE(sink, key, ...)                                \
	({                                                  \
		__auto_type entry__ = __VA_ARGS__;          \
		give(sink, key, &entry__, sizeof(entry__)); \
	})

/* Of all objects: one of the kind, from `start` on. */
static bool is_wanted(const struct sink *sink, const struct refdev_object *object,
		      enum object_kind kind)
{
	return object->kind == kind && object->id >= sink->args->start;
}

static int list_ioasids(struct refdev_file *file, struct sink *sink)
{
	for (size_t i = 0; i < file->n_objects; i++) {
		const struct refdev_ioasid *ioasid = (struct refdev_ioasid *)file->objects[i];

		if (!is_wanted(sink, file->objects[i], OBJECT_IOASID))
			continue;
		if (!GIVE(sink, ioasid->object.id,
			  (struct ioasid_entry_ioasid){
				  .ioasid = ioasid->object.id,
				  .kind = ioasid->parent ? IOASID_KIND_NESTED : IOASID_KIND_GPA,
				  .alloc_flags = ioasid->flags,
				  .parent =
					  ioasid->parent ? ioasid->parent->object.id : IOASID_NONE,
				  .n_mappings = ioasid->n_mappings,
				  .n_attached = ioasid_count_attached(ioasid),
				  .domains = ioasid_count_domains(ioasid),
				  .viommu = ioasid->viommu ? ioasid->viommu->object.id : 0,
				  .n_faults = (uint32_t)ioasid->n_requests,
				  .table = ioasid->table,
			  }))
			break;
	}
	return 0;
}

/* Objects of a kind that belong to viommu `object`, or to any; describe_KIND() says to which. */
#define LIST_OF_VIOMMU(function, kind, type, member)                                    \
	static int list_##function(struct refdev_file *file, struct sink *sink)         \
	{                                                                               \
		uint32_t viommu = sink->args->object;                                   \
                                                                                        \
		if (viommu != IOASID_NONE && !object_find(file, viommu, OBJECT_VIOMMU)) \
			return -ENOENT;                                                 \
		for (size_t i = 0; i < file->n_objects; i++) {                          \
			struct type entry;                                              \
                                                                                        \
			if (!is_wanted(sink, file->objects[i], kind))                   \
				continue;                                               \
			member##_describe(file->objects[i], &entry);                    \
			if (viommu != IOASID_NONE && entry.viommu != viommu)            \
				continue;                                               \
			if (!give(sink, file->objects[i]->id, &entry, sizeof(entry)))   \
				break;                                                  \
		}                                                                       \
		return 0;                                                               \
	}

static void viommu_describe(const struct refdev_object *object, struct ioasid_entry_viommu *out)
{
	const struct refdev_viommu *viommu = (const struct refdev_viommu *)object;

	*out = (struct ioasid_entry_viommu){.viommu = object->id,
					    .type = viommu->type,
					    .parent = viommu->parent->object.id,
					    .cookie = viommu->cookie};
}

static void vdevice_describe(const struct refdev_object *object, struct ioasid_entry_vdevice *out)
{
	const struct refdev_vdevice *vdevice = (const struct refdev_vdevice *)object;

	*out = (struct ioasid_entry_vdevice){.vdevice = object->id,
					     .viommu = vdevice->viommu->object.id,
					     .cookie = vdevice->device->cookie,
					     .virt_id = vdevice->virt_id};
}

LIST_OF_VIOMMU(viommus, OBJECT_VIOMMU, ioasid_entry_viommu, viommu)
LIST_OF_VIOMMU(vdevices, OBJECT_VDEVICE, ioasid_entry_vdevice, vdevice)
LIST_OF_VIOMMU(hw_queues, OBJECT_HW_QUEUE, ioasid_entry_hw_queue, hw_queue)
LIST_OF_VIOMMU(event_queues, OBJECT_EVENT_QUEUE, ioasid_entry_event_queue, event_queue)

static int list_mappings(struct refdev_file *file, struct sink *sink)
{
	const struct refdev_ioasid *ioasid = ioasid_find(file, sink->args->object);
	struct itree_node *n;

	if (!ioasid)
		return -ENOENT;
	n = itree_first(&ioasid->mappings, sink->args->start, UINT64_MAX);
	/* A page begins with a mapping, never in the middle of one. */
	if (n && n->first < sink->args->start)
		n = itree_next(&ioasid->mappings, n, sink->args->start, UINT64_MAX);
	for (; n; n = itree_next(&ioasid->mappings, n, 0, UINT64_MAX)) {
		const struct refdev_mapping *m = (struct refdev_mapping *)n;

		if (!GIVE(sink, n->first,
			  (struct ioasid_entry_mapping){.iova = n->first,
							.vaddr = m->vaddr,
							.size = n->last - n->first + 1,
							.flags = m->flags}))
			break;
	}
	return 0;
}

static int list_devices(struct refdev_file *file, struct sink *sink)
{
	for (size_t i = 0; i < file->n_devices; i++) {
		const struct refdev_device *device = file->devices[i];
		const struct refdev_attachment *a = device_attachment(device, IOASID_NO_PASID);
		struct ioasid_entry_device entry = {.cookie = device->cookie,
						    .group = device->group->hw->id,
						    .ioasid =
							    a ? a->ioasid->object.id : IOASID_NONE};

		if (device->cookie < sink->args->start)
			continue;
		device_name_write(device, &entry.device);
		if (!give(sink, device->cookie, &entry, sizeof(entry)))
			break;
	}
	return 0;
}

/* The next higher PASID of a device; the whole device comes last. */
static const struct refdev_attachment *next_attachment(const struct refdev_device *device,
						       const struct refdev_attachment *before)
{
	const struct refdev_attachment *next = NULL;

	for (const struct refdev_attachment *a = device->group->attachments; a;
	     a = a->next_of_group)
		if (a->has[device->member] && (!before || a->pasid > before->pasid) &&
		    (!next || a->pasid < next->pasid))
			next = a;
	return next;
}

/* `start` counts them. */
static int list_attachments(struct refdev_file *file, struct sink *sink)
{
	const struct refdev_ioasid *ioasid = ioasid_find(file, sink->args->object);
	uint64_t at = 0;

	if (!ioasid && sink->args->object != IOASID_NONE)
		return -ENOENT;
	for (size_t i = 0; i < file->n_devices; i++) {
		const struct refdev_attachment *a = NULL;

		while ((a = next_attachment(file->devices[i], a))) {
			if ((ioasid && a->ioasid != ioasid) || at++ < sink->args->start)
				continue;
			if (!GIVE(sink, at - 1,
				  (struct ioasid_entry_attachment){.cookie =
									   file->devices[i]->cookie,
								   .ioasid = a->ioasid->object.id,
								   .pasid = a->pasid}))
				return 0;
		}
	}
	return 0;
}

/* By index among the machine's devices: they never change. */
static int list_members(struct refdev_file *file, struct sink *sink)
{
	const struct refdev *refdev = file->refdev;
	uint32_t group = sink->args->object;

	if (group != IOASID_NONE && machine_find_group(refdev->machine, group) < 0)
		return -ENOENT;
	for (uint64_t i = sink->args->start; i < refdev->machine->n_devices; i++) {
		const struct refdev_device *device = &refdev->devices[i];
		struct ioasid_entry_member entry = {.device_flags = device_flags(file, device),
						    .group = device->group ? device->group->hw->id
									   : IOASID_NONE};

		if (group != IOASID_NONE && entry.group != group)
			continue;
		device_name_write(device, &entry.device);
		memcpy(entry.driver, device->driver, sizeof(entry.driver));
		if (!give(sink, i, &entry, sizeof(entry)))
			break;
	}
	return 0;
}

/* `at` counts regions over all groups of a list. */
static bool give_reserved(struct sink *sink, const struct refdev_group *group, uint64_t cookie,
			  uint64_t *at)
{
	const struct machine_iommu *iommu = group->hw->iommu;
	const struct machine_reserved edges[] = {
		{0, iommu->first - 1, IOASID_RESERVED_APERTURE},
		{iommu->last + 1, UINT64_MAX, IOASID_RESERVED_APERTURE}};
	const bool exists[] = {iommu->first != 0, iommu->last != UINT64_MAX};

	for (size_t i = 0; i < group->hw->n_reserved + 2; i++) {
		size_t edge = i - group->hw->n_reserved;
		bool inside = i < group->hw->n_reserved;
		const struct machine_reserved *r = inside ? &group->hw->reserved[i] : &edges[edge];

		if ((!inside && !exists[edge]) || (*at)++ < sink->args->start)
			continue;
		if (!GIVE(sink, *at - 1,
			  (struct ioasid_entry_reserved){.first = r->first,
							 .last = r->last,
							 .cookie = cookie,
							 .type = r->type}))
			return false;
	}
	return true;
}

static int list_reserved(struct refdev_file *file, struct sink *sink)
{
	const struct refdev_ioasid *ioasid = ioasid_find(file, sink->args->object);
	uint64_t at = 0;

	if (!ioasid)
		return -ENOENT;
	for (size_t i = 0; i < file->n_devices; i++) {
		const struct refdev_device *device = file->devices[i];
		const struct refdev_attachment *a = device_attachment(device, IOASID_NO_PASID);

		if (a && ioasid_paging(a->ioasid) == ioasid &&
		    !give_reserved(sink, device->group, device->cookie, &at))
			break;
	}
	return 0;
}

static int list_reserved_device(struct refdev_file *file, struct sink *sink)
{
	const struct refdev_device *device = device_find_cookie(file, sink->args->cookie);
	uint64_t at = 0;

	if (!device)
		return -ENOENT;
	give_reserved(sink, device->group, device->cookie, &at);
	return 0;
}

static int (*const listers[])(struct refdev_file *, struct sink *) = {
	[IOASID_LIST_IOASIDS] = list_ioasids,
	[IOASID_LIST_MAPPINGS] = list_mappings,
	[IOASID_LIST_DEVICES] = list_devices,
	[IOASID_LIST_ATTACHMENTS] = list_attachments,
	[IOASID_LIST_MEMBERS] = list_members,
	[IOASID_LIST_RESERVED] = list_reserved,
	[IOASID_LIST_RESERVED_DEVICE] = list_reserved_device,
	[IOASID_LIST_VIOMMUS] = list_viommus,
	[IOASID_LIST_VDEVICES] = list_vdevices,
	[IOASID_LIST_HW_QUEUES] = list_hw_queues,
	[IOASID_LIST_EVENT_QUEUES] = list_event_queues,
};

int call_list(struct refdev_file *file, struct ioasid_list_args *args)
{
	struct sink sink = {
		.args = args, .process = file->caller, .room = args->count, .to = args->entries};
	int ret;

	if (args->reserved)
		return -EOPNOTSUPP;
	if (args->kind >= sizeof(listers) / sizeof(listers[0]))
		return -EINVAL;
	args->count = 0;
	args->next = 0;
	ret = listers[args->kind](file, &sink);
	flush(&sink);
	return ret ? ret : sink.error;
}

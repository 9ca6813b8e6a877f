// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report/gather.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

static char *keep_text(struct gather *g, const char *text)
{
	size_t length = text ? strlen(text) : 0;
	char *copy = text ? gather_array(g, length + 1, 1) : NULL;

	if (copy)
		memcpy(copy, text, length);
	return copy;
}

static void gather_members(struct gather *g, const struct iommu_group *group,
			   struct device_record *out)
{
	struct member_record *members = gather_array(g, group->n_members, sizeof(*members));

	if (!members)
		return;
	out->group_members = members;
	out->n_group_members = group->n_members;
	for (size_t i = 0; i < group->n_members; i++)
		members[i] = (struct member_record){keep_text(g, group->members[i].address),
						    keep_text(g, group->members[i].driver)};
}

static const struct hardware_record *gather_hardware(struct gather *g, struct device_info *info)
{
	struct hardware_record *out = gather_array(g, 1, sizeof(*out));
	uint64_t *sizes = gather_array(g, 64, sizeof(*sizes));
	struct register_record *registers = gather_array(g, info->n_registers, sizeof(*registers));

	if (!out || !sizes || !registers)
		return NULL;
	*out = (struct hardware_record){
		.type = info->type ? info->type : "none",
		.iova_bits = info->iova_bits ? info->iova_bits : FIELD_UNKNOWN,
		.page_sizes = sizes,
		.nesting = info->nesting,
		.pasid_bits = info->pasid_bits,
		.dirty_tracking = info->dirty_tracking,
		.snoop_control = info->snoop_control,
		.registers = registers,
		.n_registers = info->n_registers,
	};
	for (unsigned bit = 0; bit < 64; bit++)
		if (info->page_sizes & (1ULL << bit))
			sizes[out->n_page_sizes++] = 1ULL << bit;
	for (size_t i = 0; i < info->n_registers; i++)
		registers[i] =
			(struct register_record){info->registers[i].name, info->registers[i].value};
	return out;
}

static const struct iotlb_record *gather_iotlb(struct gather *g, const struct driver *ops,
					       const struct driver_device *handle)
{
	struct iotlb_record *out = gather_array(g, 1, sizeof(*out));
	struct iotlb_table_record *tables;
	struct iotlb_info info;

	ops->iotlb_info(handle, &info);
	tables = gather_array(g, info.n_tables, sizeof(*tables));
	if (!out || !tables)
		return NULL;
	*out = (struct iotlb_record){.address_spaces = info.spaces,
				     .vq_groups = info.groups,
				     .first = info.usable.first,
				     .last = info.usable.last,
				     .tables = tables,
				     .n_tables = info.n_tables};
	for (size_t i = 0; i < info.n_tables; i++)
		tables[i] = (struct iotlb_table_record){info.tables[i].asid,
							info.tables[i].vq_group == NO_INDEX
								? FIELD_UNKNOWN
								: info.tables[i].vq_group,
							info.tables[i].entries};
	return out;
}

/* The driver that answers for the device: that of its fd. */
static const struct driver *ops_of(const struct topology *t, const struct device *d)
{
	return device_ops(t, d);
}

static void ask_machine(struct gather *g, const struct driver *ops, const struct device *d,
			struct device_record *out)
{
	_cleanup_(device_facts_done)
	struct device_facts facts = {.group = NO_INDEX, .vfs = NO_INDEX};

	if (!ops || !ops->device_find || ops->device_find(g->env, d, &facts, NULL))
		facts.present = false;
	out->present = facts.present;
	out->driver = keep_text(g, facts.driver);
	if (facts.group != NO_INDEX)
		out->group = facts.group;
	gather_members(g, &facts.members, out);
}

static void ask_fd(struct gather *g, const struct driver *ops, const struct iommu_fd *fd,
		   const struct device *d, struct device_record *out)
{
	struct device_info info = {0};

	if (!ops || !d->live.handle || !d->live.bound || !fd->live.handle)
		return;
	if (d->live.id != NO_INDEX)
		out->id = d->live.id;
	out->alive = ops->device_probe(fd->live.handle, d->live.handle) != -ENOENT;
	if (out->alive && !ops->device_info(fd->live.handle, d->live.handle, &info, NULL))
		out->hardware = gather_hardware(g, &info);
	if (ops->iotlb_info)
		out->iotlb = gather_iotlb(g, ops, d->live.handle);
}

static uint64_t known(uint32_t number)
{
	return number == NO_INDEX ? FIELD_UNKNOWN : number;
}

enum device_state { STATE_HELD, STATE_PENDING, STATE_GONE, STATE_RELEASED };

const char *const device_state_names[] = {[STATE_HELD] = "held",
					  [STATE_PENDING] = "pending",
					  [STATE_GONE] = "gone",
					  [STATE_RELEASED] = "released",
					  NULL};

static const char *state_of(const struct device *d, const struct device_record *asked)
{
	enum device_state state = STATE_HELD;

	if (d->fd == NO_INDEX)
		return NULL;
	if (d->absent && d->hotplug == HOTPLUG_ATTACH)
		state = STATE_PENDING;
	else if (!asked->present || !asked->alive)
		state = STATE_GONE;
	else if (d->absent)
		state = STATE_RELEASED;
	return device_state_names[state];
}

static void gather_device(struct gather *g, const struct topology *t, const struct device *d,
			  struct device_record *out)
{
	const struct driver *ops = ops_of(t, d);
	const struct iommu_fd *fd = d->fd == NO_INDEX ? NULL : &t->fds[d->fd];

	*out = (struct device_record){
		.name = d->name,
		.selector = selector_names[d->selector],
		.address = d->address,
		.alive = FIELD_UNKNOWN,
		.wanted_driver = d->driver,
		.management = d->live.made ? d->vdpa.management : NULL,
		.original_driver = d->live.original_driver,
		.taken_for = d->taken_for == NO_INDEX ? NULL : t->devices[d->taken_for].name,
		.vf_of = d->vf_of == NO_INDEX ? NULL : t->devices[d->vf_of].name,
		.vf_index = known(d->vf_index),
		.vfs = known(d->vfs),
		.original_vfs = known(d->live.original_vfs),
		.group_policy = group_policy_names[d->group],
		.force = d->force,
		.hotplug = hotplug_names[d->hotplug],
		.trouble = d->absent ? d->trouble : NULL,
		.group = FIELD_UNKNOWN,
		.fd = fd ? fd->name : NULL,
		.open = d->live.handle != NULL,
		.bound = d->live.handle && d->live.bound,
		.id = FIELD_UNKNOWN,
	};
	ask_machine(g, ops, d, out);
	ask_fd(g, ops, fd, d, out);
	out->state = state_of(d, out);
}

/* Calls `each` for every attachment of the topology. */
static void each_place(const struct topology *t,
		       void (*each)(void *data, const struct iommu_fd *fd,
				    const struct ioasid *ioasid, const struct attachment *a),
		       void *data)
{
	for (const struct iommu_fd *fd = t->fds; fd < t->fds + t->n_fds; fd++)
		for (size_t i = 0; i < fd->n_ioasids; i++)
			for (size_t j = 0; j < attachment_count(&fd->ioasids[i]); j++)
				each(data, fd, &fd->ioasids[i], &fd->ioasids[i].attach[j]);
}

static void count_place(void *data, const struct iommu_fd *fd, const struct ioasid *ioasid,
			const struct attachment *a)
{
	struct device_record *devices = data;

	(void)fd;
	(void)ioasid;
	devices[a->device].n_attached_to++;
}

static void fill_place(void *data, const struct iommu_fd *fd, const struct ioasid *ioasid,
		       const struct attachment *a)
{
	struct place_record **next = data;

	*next[a->device]++ = (struct place_record){
		fd->name, ioasid->name, a->pasid == NO_PASID ? FIELD_UNKNOWN : a->pasid,
		a->vq_group == NO_INDEX ? FIELD_UNKNOWN : a->vq_group,
		a >= ioasid->attach + ioasid->n_attach};
}

/* Counts first: a device may be in many IOASIDs, and each has its array. */
static void gather_places(struct gather *g, const struct topology *t, struct device_record *devices)
{
	struct place_record **next = gather_array(g, t->n_devices, sizeof(*next));

	if (!next)
		return;
	each_place(t, count_place, devices);
	for (size_t d = 0; d < t->n_devices; d++) {
		next[d] = gather_array(g, devices[d].n_attached_to, sizeof(**next));
		devices[d].attached_to = next[d];
		if (!next[d])
			return;
	}
	each_place(t, fill_place, next);
}

const struct device_record *gather_devices(struct gather *g, const struct topology *t)
{
	struct device_record *out = gather_array(g, t->n_devices, sizeof(*out));

	if (!out)
		return NULL;
	for (size_t i = 0; i < t->n_devices; i++)
		gather_device(g, t, &t->devices[i], &out[i]);
	gather_places(g, t, out);
	return out;
}

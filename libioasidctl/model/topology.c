// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/topology.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const backing_names[] = {
	[BACKING_MEMFD] = "memfd", [BACKING_FILE] = "file", [BACKING_DMABUF] = "dmabuf", NULL};
const char *const selector_names[] = {[SELECTOR_PCI] = "pci",
				      [SELECTOR_MDEV] = "mdev",
				      [SELECTOR_PLATFORM] = "platform",
				      [SELECTOR_VDPA] = "vdpa",
				      [SELECTOR_MOCK] = "mock",
				      [SELECTOR_VF] = "vf",
				      NULL};
const char *const group_policy_names[] = {[GROUP_STRICT] = "strict", [GROUP_TAKE] = "take", NULL};
const char *const hotplug_names[] = {
	[HOTPLUG_MANUAL] = "manual", [HOTPLUG_ATTACH] = "attach", NULL};
const char *const ioasid_kind_names[] = {[IOASID_GPA] = "gpa", [IOASID_NESTED] = "nested", NULL};
const char *const table_format_names[] = {[TABLE_NONE] = "none",
					  [TABLE_VTD_S1] = "vtd-s1",
					  [TABLE_ARM_SMMUV3] = "arm-smmuv3",
					  [TABLE_AMD_GUEST] = "amd-guest",
					  [TABLE_MOCK] = "mock",
					  [TABLE_X86_64] = "x86-64",
					  NULL};
const char *const viommu_type_names[] = {[VIOMMU_DEFAULT] = "default",
					 [VIOMMU_ARM_SMMUV3] = "arm-smmuv3",
					 [VIOMMU_TEGRA241_CMDQV] = "tegra241-cmdqv",
					 [VIOMMU_MOCK] = "mock",
					 NULL};
const char *const driver_choice_names[] = {[DRIVER_AUTO] = "auto",
					   [DRIVER_IOMMUFD] = "iommufd",
					   [DRIVER_VFIO] = "vfio",
					   [DRIVER_IOASID] = "ioasid",
					   NULL};
const char *const accounting_names[] = {[ACCOUNTING_DEFAULT] = "default",
					[ACCOUNTING_PROCESS] = "process",
					[ACCOUNTING_USER] = "user",
					NULL};
const char *const access_names[] = {
	[0] = "none", [ACCESS_READ] = "r", [ACCESS_WRITE] = "w", [ACCESS_RW] = "rw", NULL};

void memory_init(struct memory *m)
{
	*m = (struct memory){
		.device = NO_INDEX, .numa_node = NO_NODE, .live.fd = -1, .prev = NO_INDEX};
}

void device_init(struct device *d)
{
	*d = (struct device){.fd = NO_INDEX,
			     .taken_for = NO_INDEX,
			     .vf_of = NO_INDEX,
			     .vf_index = NO_INDEX,
			     .vfs = NO_INDEX,
			     .found.vfs = NO_INDEX,
			     .live.original_vfs = NO_INDEX,
			     .live.vfs_before = NO_INDEX,
			     .live.id = NO_INDEX,
			     .iommu_group = NO_INDEX,
			     .prev = NO_INDEX,
			     .successor_of = NO_INDEX};
}

void ioasid_init(struct ioasid *i)
{
	*i = (struct ioasid){
		.parent = NO_INDEX, .viommu = NO_INDEX, .live.id = NO_INDEX, .prev = NO_INDEX};
}

void viommu_init(struct viommu *v)
{
	const struct live_object none = {.id = NO_INDEX};

	*v = (struct viommu){.parent = NO_INDEX,
			     .device = NO_INDEX,
			     .live = none,
			     .live_events = none,
			     .prev = NO_INDEX};
}

void vdevice_init(struct vdevice *v)
{
	*v = (struct vdevice){.device = NO_INDEX, .live.id = NO_INDEX, .prev = NO_INDEX};
}

void hw_queue_init(struct hw_queue *q)
{
	*q = (struct hw_queue){.live.id = NO_INDEX, .prev = NO_INDEX};
}

void iommu_fd_init(struct iommu_fd *fd)
{
	*fd = (struct iommu_fd){.vfio_compat = NO_INDEX, .prev = NO_INDEX};
}

void mapping_init(struct mapping *m)
{
	*m = (struct mapping){.memory = NO_INDEX, .source = NO_INDEX, .access = ACCESS_RW};
}

struct topology *topology_new(void)
{
	return calloc(1, sizeof(struct topology));
}

static void ioasid_release(struct ioasid *i)
{
	free(i->name);
	free(i->allow);
	free(i->maps);
	free(i->attach);
}

static void iommu_fd_release(struct iommu_fd *fd)
{
	free(fd->name);
	free(fd->node);
	for (size_t i = 0; i < fd->n_ioasids; i++)
		ioasid_release(&fd->ioasids[i]);
	free(fd->ioasids);
	for (size_t i = 0; i < fd->n_viommus; i++) {
		free(fd->viommus[i].name);
		free(fd->viommus[i].vdevices);
		free(fd->viommus[i].queues);
	}
	free(fd->viommus);
}

void topology_free(struct topology *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_memories; i++) {
		free(t->memories[i].name);
		free(t->memories[i].path);
	}
	for (size_t i = 0; i < t->n_devices; i++) {
		free(t->devices[i].name);
		free(t->devices[i].address);
		free(t->devices[i].driver);
		free(t->devices[i].trouble);
		free(t->devices[i].live.original_driver);
		free(t->devices[i].found.name);
		free(t->devices[i].found.driver);
		free(t->devices[i].found.override);
		free(t->devices[i].vdpa.management);
	}
	for (size_t i = 0; i < t->n_fds; i++)
		iommu_fd_release(&t->fds[i]);
	free(t->memories);
	free(t->devices);
	free(t->fds);
	free(t->name);
	free(t->owner_user);
	free(t->file);
	free(t);
}

void topology_freep(struct topology **t)
{
	topology_free(*t);
}

int topology_take_member(struct topology *t, uint32_t taker, enum selector selector,
			 const char *address)
{
	static const char *const takers[SELECTOR_COUNT] = {
		[SELECTOR_PCI] = "vfio-pci",
		[SELECTOR_PLATFORM] = "vfio-platform",
	};
	struct device *d, *grown;

	if (selector >= SELECTOR_COUNT || !takers[selector])
		return -EOPNOTSUPP;
	grown = reallocarray(t->devices, t->n_devices + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	t->devices = grown;
	d = &grown[t->n_devices];
	device_init(d);
	d->selector = selector;
	d->at = grown[taker].at;
	d->group = GROUP_TAKE;
	d->taken_for = taker;
	d->force = grown[taker].force;
	d->host_only = true;
	d->fd = grown[taker].fd;
	d->iommu_group = grown[taker].iommu_group;
	if (asprintf(&d->name, "%s:%s", selector_names[selector], address) < 0)
		d->name = NULL;
	d->address = strdup(address);
	d->driver = strdup(takers[selector]);
	if (d->name && d->address && d->driver) {
		t->n_devices++;
		return 0;
	}
	free(d->name);
	free(d->address);
	free(d->driver);
	return -ENOMEM;
}

const char *device_label(const struct topology *t, const struct device *d,
			 char buf[static DEVICE_LABEL_MAX])
{
	if (d->taken_for == NO_INDEX)
		snprintf(buf, DEVICE_LABEL_MAX, "%s (%s)", d->name, d->address);
	else
		snprintf(buf, DEVICE_LABEL_MAX, "%s (in the group of %s)", d->address,
			 t->devices[d->taken_for].name);
	return buf;
}

bool devices_made_alike(const struct device *a, const struct device *b)
{
	const char *on = a->vdpa.management, *other = b->vdpa.management;

	return (on && other ? !strcmp(on, other) : on == other) &&
	       a->vdpa.has_mac == b->vdpa.has_mac &&
	       !memcmp(a->vdpa.mac, b->vdpa.mac, sizeof(a->vdpa.mac)) &&
	       a->vdpa.mtu == b->vdpa.mtu && a->vdpa.max_queue_pairs == b->vdpa.max_queue_pairs;
}

/* Those that stay keep their order, as do those that become pending. */
static void part_attachments(struct ioasid *i, uint32_t device)
{
	for (size_t k = i->n_attach; k-- > 0;) {
		const struct attachment a = i->attach[k];

		if (a.device != device)
			continue;
		i->n_attach--;
		i->n_pending++;
		memmove(&i->attach[k], &i->attach[k + 1], (i->n_attach - k) * sizeof(*i->attach));
		i->attach[i->n_attach] = a;
	}
}

void topology_set_absent(struct topology *t, uint32_t device)
{
	struct device *d = &t->devices[device];

	d->absent = true;
	d->bound = false;
	for (size_t i = 0; d->fd != NO_INDEX && i < t->fds[d->fd].n_ioasids; i++)
		part_attachments(&t->fds[d->fd].ioasids[i], device);
}

#define FIND(function, container, items, count)                  \
	uint32_t function(const container *in, const char *name) \
	{                                                        \
		for (size_t i = 0; i < in->count; i++)           \
			if (!strcmp(in->items[i].name, name))    \
				return (uint32_t)i;              \
		return NO_INDEX;                                 \
	}

FIND(topology_find_memory, struct topology, memories, n_memories)
FIND(topology_find_device, struct topology, devices, n_devices)
FIND(topology_find_fd, struct topology, fds, n_fds)
FIND(iommu_fd_find_ioasid, struct iommu_fd, ioasids, n_ioasids)
FIND(iommu_fd_find_viommu, struct iommu_fd, viommus, n_viommus)

bool mapping_is_placed(const struct mapping *m)
{
	return !m->auto_iova || m->placed;
}

static bool later(struct position a, struct position b)
{
	return a.line != b.line ? a.line > b.line : a.column > b.column;
}

int mapping_compare(const void *a, const void *b)
{
	const struct mapping *x = a, *y = b;

	if (mapping_is_placed(x) != mapping_is_placed(y))
		return mapping_is_placed(x) ? 1 : -1;
	if (x->iova != y->iova)
		return x->iova < y->iova ? -1 : 1;
	return later(x->at, y->at) ? 1 : later(y->at, x->at) ? -1 : 0;
}

void ioasid_sort_mappings(struct ioasid *ioasid)
{
	for (size_t i = 1; i < ioasid->n_maps; i++)
		if (mapping_compare(&ioasid->maps[i - 1], &ioasid->maps[i]) > 0) {
			qsort(ioasid->maps, ioasid->n_maps, sizeof(*ioasid->maps), mapping_compare);
			return;
		}
}

const struct mapping *ioasid_mapping_at(const struct ioasid *i, uint64_t iova)
{
	size_t low = 0, high = i->n_maps;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct mapping *m = &i->maps[middle];

		if (mapping_is_placed(m) && m->iova == iova)
			return m;
		if (!mapping_is_placed(m) || m->iova < iova)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

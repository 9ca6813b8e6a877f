// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report/gather.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

static const struct range_record *gather_ranges(struct gather *g, const struct range *ranges,
						size_t n)
{
	struct range_record *out = gather_array(g, n, sizeof(*out));

	for (size_t i = 0; out && i < n; i++)
		out[i] = (struct range_record){ranges[i].first, ranges[i].last};
	return out;
}

void gather_mapping(const struct topology *t, const struct iommu_fd *fd, const struct mapping *m,
		    struct mapping_record *out)
{
	const bool copy = m->memory == NO_INDEX;

	*out = (struct mapping_record){
		.iova = m->iova,
		.length = m->length,
		.access = access_names[m->access & ACCESS_RW],
		.memory = copy ? NULL : t->memories[m->memory].name,
		.offset = copy ? FIELD_UNKNOWN : m->offset,
		.copy = copy && m->source != NO_INDEX ? fd->ioasids[m->source].name : NULL,
		.from = copy ? m->offset : FIELD_UNKNOWN,
		.automatic = m->auto_iova ? true : FIELD_UNKNOWN,
	};
}

static const struct mapping_record *gather_mappings(struct gather *g, const struct topology *t,
						    const struct iommu_fd *fd,
						    const struct ioasid *ioasid)
{
	struct mapping_record *out = gather_array(g, ioasid->n_maps, sizeof(*out));

	for (size_t i = 0; out && i < ioasid->n_maps; i++)
		gather_mapping(t, fd, &ioasid->maps[i], &out[i]);
	return out;
}

static const struct attachment_record *gather_attachments(struct gather *g,
							  const struct topology *t,
							  const struct ioasid *ioasid)
{
	const size_t n = attachment_count(ioasid);
	struct attachment_record *out = gather_array(g, n, sizeof(*out));

	for (size_t i = 0; out && i < n; i++) {
		const struct attachment *a = &ioasid->attach[i];

		out[i] = (struct attachment_record){
			.device = t->devices[a->device].name,
			.pasid = a->pasid == NO_PASID ? FIELD_UNKNOWN : a->pasid,
			.vq_group = a->vq_group == NO_INDEX ? FIELD_UNKNOWN : a->vq_group,
			.pending = i >= ioasid->n_attach,
		};
	}
	return out;
}

static const struct table_record *gather_table(struct gather *g, const struct table *table)
{
	struct table_record *out;

	if (table->format == TABLE_NONE)
		return NULL;
	out = gather_array(g, 1, sizeof(*out));
	if (out)
		*out = (struct table_record){
			.format = table_format_names[table->format],
			.address = table->address,
			.address_width =
				table->address_width ? table->address_width : FIELD_UNKNOWN,
			.words = table->words,
			.n_words = table->n_words,
		};
	return out;
}

static void gather_flags(struct gather *g, uint32_t flags, struct ioasid_record *out)
{
	const char **names = gather_array(g, 32, sizeof(*names));

	out->flags = names;
	for (size_t bit = 0; names && ioasid_flag_names[bit]; bit++)
		if (flags & (1U << bit))
			names[out->n_flags++] = ioasid_flag_names[bit];
}

/* What only the kernel knows. */
static void ask_kernel(struct gather *g, const struct iommu_fd *fd, const struct ioasid *ioasid,
		       struct ioasid_record *out)
{
	_cleanup_(ioasid_info_done)
	struct ioasid_info info = {0};

	if (!ioasid->live.exists || !fd->live.handle || !fd->ops)
		return;
	out->id = ioasid->live.id;
	/* Anything but "gone" means that the kernel answered for this object. */
	out->alive = fd->ops->ioasid_probe(fd->live.handle, ioasid->live.id) != -ENOENT;
	if (!out->alive || fd->ops->ioasid_info(fd->live.handle, ioasid->live.id, &info, NULL))
		return;
	out->ranges = gather_ranges(g, info.ranges, info.n_ranges);
	out->n_ranges = info.n_ranges;
	if (info.alignment)
		out->alignment = info.alignment;
	if (info.counted)
		out->domains = info.domains;
	if (info.measured)
		out->page_table_bytes = info.page_table_bytes;
}

void gather_ioasid(struct gather *g, const struct topology *t, const struct iommu_fd *fd,
		   const struct ioasid *ioasid, struct ioasid_record *out)
{
	*out = (struct ioasid_record){
		.name = ioasid->name,
		.kind = ioasid_kind_names[ioasid->kind],
		.id = FIELD_UNKNOWN,
		.parent = ioasid->parent == NO_INDEX ? NULL : fd->ioasids[ioasid->parent].name,
		.viommu = ioasid->viommu == NO_INDEX ? NULL : fd->viommus[ioasid->viommu].name,
		.dirty_active =
			ioasid->flags & IOASID_FLAG_DIRTY ? ioasid->live.dirty : FIELD_UNKNOWN,
		.table = gather_table(g, &ioasid->table),
		.allow = gather_ranges(g, ioasid->allow, ioasid->n_allow),
		.n_allow = ioasid->n_allow,
		.alignment = FIELD_UNKNOWN,
		.domains = FIELD_UNKNOWN,
		.page_table_bytes = FIELD_UNKNOWN,
		.mappings = gather_mappings(g, t, fd, ioasid),
		.n_mappings = ioasid->n_maps,
		.attachments = gather_attachments(g, t, ioasid),
		.n_attachments = attachment_count(ioasid),
	};
	gather_flags(g, ioasid->flags, out);
	ask_kernel(g, fd, ioasid, out);
}

static uint64_t object_id(const struct live_object *live)
{
	return live->exists ? live->id : FIELD_UNKNOWN;
}

static const struct vdevice_record *gather_vdevices(struct gather *g, const struct topology *t,
						    const struct viommu *viommu)
{
	struct vdevice_record *out = gather_array(g, viommu->n_vdevices, sizeof(*out));

	for (size_t i = 0; out && i < viommu->n_vdevices; i++) {
		const struct vdevice *v = &viommu->vdevices[i];

		out[i] = (struct vdevice_record){t->devices[v->device].name, v->id,
						 object_id(&v->live)};
	}
	return out;
}

static const struct queue_record *gather_queues(struct gather *g, const struct viommu *viommu)
{
	struct queue_record *out = gather_array(g, viommu->n_queues, sizeof(*out));

	for (size_t i = 0; out && i < viommu->n_queues; i++) {
		const struct hw_queue *q = &viommu->queues[i];

		out[i] = (struct queue_record){q->index, q->iova, q->length, object_id(&q->live)};
	}
	return out;
}

static uint64_t probe_viommu(const struct iommu_fd *fd, const struct viommu *viommu)
{
	if (!viommu->live.exists || !fd->live.handle || !fd->ops || !fd->ops->viommu_probe)
		return FIELD_UNKNOWN;
	return fd->ops->viommu_probe(fd->live.handle, viommu->live.id) != -ENOENT;
}

void gather_viommu(struct gather *g, const struct topology *t, const struct iommu_fd *fd,
		   const struct viommu *viommu, struct viommu_record *out)
{
	*out = (struct viommu_record){
		.name = viommu->name,
		.type = viommu_type_names[viommu->type],
		.parent = viommu->parent == NO_INDEX ? NULL : fd->ioasids[viommu->parent].name,
		.device = viommu->device == NO_INDEX ? NULL : t->devices[viommu->device].name,
		.id = object_id(&viommu->live),
		.alive = probe_viommu(fd, viommu),
		.events_depth = viommu->events_depth,
		.events_id = object_id(&viommu->live_events),
		.vdevices = gather_vdevices(g, t, viommu),
		.n_vdevices = viommu->n_vdevices,
		.queues = gather_queues(g, viommu),
		.n_queues = viommu->n_queues,
	};
}

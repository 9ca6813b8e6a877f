// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "base/number.h"
#include "config/build.h"

/* A reference to a device, with all that a message about it needs. */
struct use {
	uint64_t key; /* what must be unique */
	uint32_t order;
	uint32_t device;
	struct place owner, item; /* item.up is set when it is reported: this struct moves */
	uint32_t fd;
	const struct raw_head *head;
};

struct uses {
	struct use *list;
	size_t n;
};

static int compare_uses(const void *a, const void *b)
{
	const struct use *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static const struct place *use_place(const struct builder *b, struct use *use, struct place *fd)
{
	*fd = (struct place){NULL, "fds", b->raw->fds[use->fd].head.index};
	use->owner.up = fd;
	use->item.up = &use->owner;
	return &use->item;
}

static void add_use(struct uses *uses, const struct use *use)
{
	uses->list[uses->n] = *use;
	uses->list[uses->n].order = (uint32_t)uses->n;
	uses->n++;
}

/* Calls `report` for every use whose key an earlier one has. */
static void find_doubles(struct builder *b, struct uses *uses,
			 void (*report)(struct builder *b, const struct place *place,
					const struct use *first, const struct use *again))
{
	struct place fd;

	qsort(uses->list, uses->n, sizeof(*uses->list), compare_uses);
	for (size_t i = 1; i < uses->n && !faults_full(b->faults); i++)
		if (uses->list[i].key == uses->list[i - 1].key)
			report(b, use_place(b, &uses->list[i], &fd), &uses->list[i - 1],
			       &uses->list[i]);
}

/* A device is bound to the fd that first uses it, and to no other. */
static void take_device(struct builder *b, const struct place *place, const struct raw_head *head,
			const char *key, uint32_t device, uint32_t fd)
{
	struct device *d;

	if (device == NO_INDEX)
		return;
	build_refuse_physical(b, place, head, key, device);
	d = &b->t->devices[device];
	d->bound = true;
	if (d->fd == NO_INDEX)
		d->fd = fd;
	if (d->fd == fd)
		return;
	fault(b->faults, place, key, build_at(head, key),
	      "device \"%s\" is in the fd \"%s\" (line %u) already, a device can be in one fd only",
	      d->name, b->t->fds[d->fd].name, b->t->fds[d->fd].at.line);
	fault_hint(b->faults, "put the IOASID into that fd too: an fd holds any number of them");
}

static void report_attachment(struct builder *b, const struct place *place, const struct use *first,
			      const struct use *again)
{
	const struct raw_attachment *raw = (const struct raw_attachment *)again->head;
	const char *name = b->t->devices[again->device].name;

	if (raw->pasid) {
		fault(b->faults, place, "pasid", build_at(again->head, "pasid"),
		      "PASID %s of device \"%s\" is attached twice, first in line %u", raw->pasid,
		      name, first->head->at->line);
		fault_hint(b->faults, "each PASID is in one IOASID: leave one of the two out");
		return;
	}
	if (raw->vq_group) {
		fault(b->faults, place, "vq_group", build_at(again->head, "vq_group"),
		      "virtqueue group %s of device \"%s\" is attached twice, first in line %u",
		      raw->vq_group, name, first->head->at->line);
		fault_hint(b->faults, "each group is in one IOASID: leave one of the two out");
		return;
	}
	fault(b->faults, place, "device", build_at(again->head, "device"),
	      "device \"%s\" is attached twice, first in line %u", name, first->head->at->line);
	fault_hint(b->faults, "a device is in one IOASID at a time; others need a pasid each");
}

/* What of the device it is: PASIDs have 20 bits. */
static uint32_t part_of(const struct attachment *a)
{
	return a->vq_group == NO_INDEX ? a->pasid : 1U << 30 | a->vq_group;
}

static void check_vq_group(struct builder *b, const struct place *place,
			   const struct raw_attachment *raw, const struct attachment *a)
{
	const struct device *d = a->device == NO_INDEX ? NULL : &b->t->devices[a->device];

	if (a->vq_group == NO_INDEX || !d || b->raw->devices[a->device].head.bad)
		return;
	if (d->selector != SELECTOR_VDPA)
		fault(b->faults, place, "vq_group", build_at(&raw->head, "vq_group"),
		      "device \"%s\" is selected by %s, expected a vDPA device: others have no "
		      "virtqueue groups",
		      d->name, selector_names[d->selector]);
	else if (raw->pasid)
		fault(b->faults, place, "vq_group", build_at(&raw->head, "vq_group"),
		      "a virtqueue group has no PASID");
}

static void link_attachments(struct builder *b, uint32_t fd, uint32_t index,
			     const struct place *owner, struct uses *uses)
{
	const struct raw_ioasid *from = &b->raw->fds[fd].ioasids[index];
	struct ioasid *to = &b->t->fds[fd].ioasids[index];

	to->attach = build_array(b, from->attach_count, sizeof(*to->attach));
	to->n_attach = to->attach ? from->attach_count : 0;
	for (uint32_t i = 0; i < to->n_attach; i++) {
		const struct raw_attachment *raw = &from->attach[i];
		const struct place place = {owner, "attach", raw->head.index};
		struct attachment *a = &to->attach[i];

		a->at = build_position(&raw->head);
		a->pasid = raw->pasid ? (uint32_t)build_number(raw->pasid) : NO_PASID;
		a->vq_group = raw->vq_group ? (uint32_t)build_number(raw->vq_group) : NO_INDEX;
		a->device = build_reference(b, &b->things, THING_DEVICE, &place, &raw->head,
					    "device", raw->device);
		check_vq_group(b, &place, raw, a);
		take_device(b, &place, &raw->head, "device", a->device, fd);
		if (a->device != NO_INDEX && !raw->head.bad)
			add_use(uses, &(struct use){.key = (uint64_t)a->device << 32 | part_of(a),
						    .device = a->device,
						    .owner = *owner,
						    .item = place,
						    .fd = fd,
						    .head = &raw->head});
	}
}

/* The name of the IOASID at the end of the parents of a nested one; NULL: they go in a circle. */
static const struct ioasid *root_parent(const struct iommu_fd *fd, uint32_t index)
{
	const struct ioasid *ioasid = &fd->ioasids[index];

	for (size_t steps = 0; steps <= CONFIG_MAX_DEPTH; steps++) {
		if (ioasid->kind != IOASID_NESTED || ioasid->parent == NO_INDEX)
			return ioasid;
		ioasid = &fd->ioasids[ioasid->parent];
	}
	return NULL;
}

/* `index` is what `key` of `head` refers to: an IOASID that others are to be put on. */
static void check_parent(struct builder *b, const struct place *place, const struct raw_head *head,
			 uint32_t fd, uint32_t index)
{
	const struct ioasid *parent, *root;

	if (index == NO_INDEX || b->raw->fds[fd].ioasids[index].head.bad)
		return;
	parent = &b->t->fds[fd].ioasids[index];
	if (parent->kind == IOASID_GPA && parent->flags & IOASID_FLAG_NEST_PARENT)
		return;
	if (parent->kind == IOASID_GPA) {
		fault(b->faults, place, "parent", build_at(head, "parent"),
		      "\"%s\" in line %u can't be a parent: it lacks nest_parent: true",
		      parent->name, parent->at.line);
		fault_hint(b->faults, "add nest_parent: true to \"%s\"", parent->name);
		return;
	}
	root = root_parent(&b->t->fds[fd], index);
	fault(b->faults, place, "parent", build_at(head, "parent"),
	      "\"%s\" in line %u is %s, expected a gpa IOASID", parent->name, parent->at.line,
	      root ? "nested itself" : "nested itself, and the parents go in a circle");
	if (root && root->kind == IOASID_GPA)
		fault_hint(b->faults, "nested IOASIDs don't stack: did you mean %s?", root->name);
}

static void check_ioasid_viommu(struct builder *b, const struct place *place,
				const struct raw_ioasid *raw, uint32_t fd,
				const struct ioasid *ioasid)
{
	const struct viommu *viommu;

	if (ioasid->viommu == NO_INDEX || ioasid->parent == NO_INDEX)
		return;
	viommu = &b->t->fds[fd].viommus[ioasid->viommu];
	if (viommu->parent == NO_INDEX || viommu->parent == ioasid->parent)
		return;
	fault(b->faults, place, "viommu", build_at(&raw->head, "viommu"),
	      "viommu \"%s\" in line %u has another parent, \"%s\", than this IOASID", viommu->name,
	      viommu->at.line, b->t->fds[fd].ioasids[viommu->parent].name);
	fault_hint(b->faults, "what is nested on a viommu has the viommu's parent");
}

static void report_vdevice(struct builder *b, const struct place *place, const struct use *first,
			   const struct use *again)
{
	fault(b->faults, place, "device", build_at(again->head, "device"),
	      "device \"%s\" has a vdevice already, in line %u: it can have one",
	      b->t->devices[again->device].name, first->head->at->line);
	fault_hint(b->faults, "a device is on one viommu: leave one of the two out");
}

static void report_vdevice_id(struct builder *b, const struct place *place, const struct use *first,
			      const struct use *again)
{
	fault(b->faults, place, "id", build_at(again->head, "id"),
	      "id %s is taken by the vdevice in line %u of the same viommu",
	      ((const struct raw_vdevice *)again->head)->id, first->head->at->line);
	fault_hint(b->faults, "give each device the id that the guest knows it by");
}

static void link_vdevices(struct builder *b, uint32_t fd, uint32_t index, const struct place *owner,
			  struct uses *devices)
{
	const struct raw_viommu *from = &b->raw->fds[fd].viommus[index];
	struct viommu *to = &b->t->fds[fd].viommus[index];
	struct uses ids = {
		.list = arena_alloc_array(b->arena, from->vdevices_count, sizeof(struct use))};

	to->vdevices = build_array(b, from->vdevices_count, sizeof(*to->vdevices));
	to->n_vdevices = to->vdevices ? from->vdevices_count : 0;
	if (!ids.list) {
		b->faults->no_memory = true;
		return;
	}
	for (uint32_t i = 0; i < to->n_vdevices; i++) {
		const struct raw_vdevice *raw = &from->vdevices[i];
		struct vdevice *v = &to->vdevices[i];
		struct use use = {.owner = *owner,
				  .item = {owner, "vdevices", raw->head.index},
				  .fd = fd,
				  .head = &raw->head};

		vdevice_init(v);
		v->at = build_position(&raw->head);
		v->id = build_number(raw->id);
		v->device = build_reference(b, &b->things, THING_DEVICE, &use.item, &raw->head,
					    "device", raw->device);
		take_device(b, &use.item, &raw->head, "device", v->device, fd);
		build_refuse_absence(b, &use.item, &raw->head, v->device, "vdevice");
		use.key = use.device = v->device;
		if (v->device != NO_INDEX)
			add_use(devices, &use);
		use.key = v->id;
		if (raw->id)
			add_use(&ids, &use);
	}
	find_doubles(b, &ids, report_vdevice_id);
}

static int compare_queues(const void *a, const void *b)
{
	const struct hw_queue *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

static void link_queues(struct builder *b, uint32_t fd, uint32_t index, const struct place *owner)
{
	const struct raw_viommu *from = &b->raw->fds[fd].viommus[index];
	struct viommu *to = &b->t->fds[fd].viommus[index];

	to->queues = build_array(b, from->queues_count, sizeof(*to->queues));
	to->n_queues = to->queues ? from->queues_count : 0;
	for (uint32_t i = 0; i < to->n_queues; i++) {
		const struct raw_queue *raw = &from->queues[i];
		const struct place place = {owner, "queues", raw->head.index};
		struct hw_queue *q = &to->queues[i];

		hw_queue_init(q);
		q->at = build_position(&raw->head);
		q->index = (uint32_t)build_number(raw->index);
		q->iova = build_number(raw->iova);
		q->length = build_number(raw->length);
		if (raw->head.bad)
			continue;
		if (range_valid(q->iova, q->length))
			continue;
		fault(b->faults, &place, "length", build_at(&raw->head, "length"),
		      "the queue goes past the end of the 64-bit address space");
		fault_hint(b->faults, "write a smaller iova or length");
	}
	/* In the order in which the hardware takes them. */
	if (to->n_queues)
		qsort(to->queues, to->n_queues, sizeof(*to->queues), compare_queues);
}

static void link_vfio_compat(struct builder *b, uint32_t index, const struct place *up)
{
	const struct raw_fd *raw = &b->raw->fds[index];
	struct iommu_fd *fd = &b->t->fds[index];

	fd->vfio_compat = build_reference(b, &b->members[index], THING_IOASID, up, &raw->head,
					  "vfio_compat", raw->vfio_compat);
	if (fd->vfio_compat == NO_INDEX || raw->ioasids[fd->vfio_compat].head.bad ||
	    fd->ioasids[fd->vfio_compat].kind == IOASID_GPA)
		return;
	fault(b->faults, up, "vfio_compat", build_at(&raw->head, "vfio_compat"),
	      "\"%s\" in line %u is nested, expected a gpa IOASID",
	      fd->ioasids[fd->vfio_compat].name, fd->ioasids[fd->vfio_compat].at.line);
	fault_hint(b->faults, "a VFIO container maps memory: name an IOASID that does");
}

static void resolve_fd(struct builder *b, uint32_t index, const struct place *up)
{
	const struct raw_fd *raw = &b->raw->fds[index];
	struct iommu_fd *fd = &b->t->fds[index];
	struct names *members = &b->members[index];

	for (uint32_t i = 0; i < fd->n_ioasids; i++) {
		const struct raw_ioasid *from = &raw->ioasids[i];
		const struct place place = {up, "ioasids", from->head.index};

		fd->ioasids[i].parent = build_reference(b, members, THING_IOASID, &place,
							&from->head, "parent", from->parent);
		fd->ioasids[i].viommu = build_reference(b, members, THING_VIOMMU, &place,
							&from->head, "viommu", from->viommu);
	}
	for (uint32_t i = 0; i < fd->n_viommus; i++) {
		const struct raw_viommu *from = &raw->viommus[i];
		const struct place place = {up, "viommus", from->head.index};
		struct viommu *to = &fd->viommus[i];

		to->parent = build_reference(b, members, THING_IOASID, &place, &from->head,
					     "parent", from->parent);
		to->device = build_reference(b, &b->things, THING_DEVICE, &place, &from->head,
					     "device", from->device);
		take_device(b, &place, &from->head, "device", to->device, index);
		build_refuse_absence(b, &place, &from->head, to->device, "viommu");
	}
}

static void link_fd(struct builder *b, uint32_t index, struct uses *attachments,
		    struct uses *vdevices)
{
	const struct raw_fd *raw = &b->raw->fds[index];
	struct iommu_fd *fd = &b->t->fds[index];
	const struct place up = {NULL, "fds", raw->head.index};

	resolve_fd(b, index, &up);
	link_vfio_compat(b, index, &up);
	for (uint32_t i = 0; i < fd->n_ioasids; i++) {
		const struct raw_ioasid *from = &raw->ioasids[i];
		const struct place place = {&up, "ioasids", from->head.index};

		check_parent(b, &place, &from->head, index, fd->ioasids[i].parent);
		check_ioasid_viommu(b, &place, from, index, &fd->ioasids[i]);
		link_attachments(b, index, i, &place, attachments);
	}
	for (uint32_t i = 0; i < fd->n_viommus; i++) {
		const struct raw_viommu *from = &raw->viommus[i];
		const struct place place = {&up, "viommus", from->head.index};

		check_parent(b, &place, &from->head, index, fd->viommus[i].parent);
		link_vdevices(b, index, i, &place, vdevices);
		link_queues(b, index, i, &place);
	}
}

static void each_attachment(struct topology *t,
			    void (*visit)(struct ioasid *ioasid, const struct attachment *a,
					  bool *with_pasids),
			    bool *with_pasids)
{
	for (size_t i = 0; i < t->n_fds; i++)
		for (size_t j = 0; j < t->fds[i].n_ioasids; j++) {
			struct ioasid *ioasid = &t->fds[i].ioasids[j];

			for (size_t k = 0; k < ioasid->n_attach; k++)
				if (ioasid->attach[k].device != NO_INDEX)
					visit(ioasid, &ioasid->attach[k], with_pasids);
		}
}

static void note_pasid(struct ioasid *ioasid, const struct attachment *a, bool *with_pasids)
{
	(void)ioasid;
	if (a->pasid != NO_PASID)
		with_pasids[a->device] = true;
}

static void flag_pasid(struct ioasid *ioasid, const struct attachment *a, bool *with_pasids)
{
	if (with_pasids[a->device])
		ioasid->flags |= IOASID_FLAG_PASID;
}

/*
 * A device whose PASIDs are used needs tables made for that everywhere, also where its other DMA
 * goes: the flag follows from the attachments.
 */
static void derive_pasid_flags(struct builder *b)
{
	bool *with_pasids = arena_alloc_array(b->arena, b->t->n_devices, sizeof(*with_pasids));

	if (!with_pasids) {
		b->faults->no_memory = true;
		return;
	}
	each_attachment(b->t, note_pasid, with_pasids);
	each_attachment(b->t, flag_pasid, with_pasids);
}

void build_links(struct builder *b)
{
	struct uses attachments = {0}, vdevices = {0};
	size_t n_attachments = 0, n_vdevices = 0;

	for (uint32_t i = 0; i < b->raw->fds_count; i++) {
		const struct raw_fd *fd = &b->raw->fds[i];

		for (uint32_t j = 0; j < fd->ioasids_count; j++)
			n_attachments += fd->ioasids[j].attach_count;
		for (uint32_t j = 0; j < fd->viommus_count; j++)
			n_vdevices += fd->viommus[j].vdevices_count;
	}
	attachments.list = arena_alloc_array(b->arena, n_attachments, sizeof(struct use));
	vdevices.list = arena_alloc_array(b->arena, n_vdevices, sizeof(struct use));
	if (!attachments.list || !vdevices.list) {
		b->faults->no_memory = true;
		return;
	}
	for (uint32_t i = 0; i < b->t->n_fds; i++)
		link_fd(b, i, &attachments, &vdevices);
	find_doubles(b, &attachments, report_attachment);
	find_doubles(b, &vdevices, report_vdevice);
	derive_pasid_flags(b);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "driver/driver.h"
#include "plan/plan.h"

static const struct {
	const char *name, *verb;
	enum operation_kind inverse;
	bool final;
} kinds[] = {
#define X(id, name, verb, inverse, final) \
	[OPERATION_##id] = {name, verb, OPERATION_##inverse, final},
	OPERATIONS(X)
#undef X
};

const char *operation_name(enum operation_kind kind)
{
	return kinds[kind].name;
}

const char *operation_verb(enum operation_kind kind)
{
	return kinds[kind].verb;
}

enum operation_kind operation_inverse(enum operation_kind kind)
{
	return kinds[kind].inverse;
}

bool operation_is_final(enum operation_kind kind)
{
	return kinds[kind].final;
}

/* What an operation's indices mean, looked up once for text and JSON. */
struct operands {
	const struct topology *t;
	const struct memory *memory;
	const struct device *device;
	const struct iommu_fd *fd;
	const struct ioasid *ioasid;
	const struct viommu *viommu;
	const struct vdevice *vdevice;
	const struct hw_queue *queue;
	const struct mapping *mapping;
	const struct attachment *attachment;
	const struct ioasid *from;
	const struct iommu_fd *from_fd;
};

static void look_up_attachment(const struct plan *plan, const struct operation *op,
			       struct operands *o)
{
	o->ioasid = &o->fd->ioasids[op->object];
	o->attachment = &o->ioasid->attach[op->item];
	o->device = &o->t->devices[o->attachment->device];
	if (op->kind == OPERATION_REPLACE) {
		o->from_fd = &plan->live->fds[op->from_fd];
		o->from = &o->from_fd->ioasids[op->from];
	}
}

static void look_up_viommu(const struct operation *op, struct operands *o)
{
	o->viommu = &o->fd->viommus[op->object];
	if (op->kind == OPERATION_ALLOC_VDEVICE || op->kind == OPERATION_FREE_VDEVICE) {
		o->vdevice = &o->viommu->vdevices[op->item];
		o->device = &o->t->devices[o->vdevice->device];
	} else if (op->kind == OPERATION_ALLOC_QUEUE || op->kind == OPERATION_FREE_QUEUE) {
		o->queue = &o->viommu->queues[op->item];
	}
}

static struct operands look_up(const struct plan *plan, const struct operation *op)
{
	struct operands o = {.t = op->old ? plan->live : plan->desired};

	if (op->fd != NO_INDEX)
		o.fd = &o.t->fds[op->fd];
	switch ((enum operation_kind)op->kind) {
	case OPERATION_CREATE_MEMORY:
	case OPERATION_GROW_MEMORY:
	case OPERATION_SHRINK_MEMORY:
	case OPERATION_DESTROY_MEMORY:
		o.memory = &o.t->memories[op->object];
		break;
	case OPERATION_SET_VFS:
	case OPERATION_RESTORE_VFS:
	case OPERATION_CREATE_VDPA:
	case OPERATION_DELETE_VDPA:
	case OPERATION_SET_DRIVER:
	case OPERATION_RESTORE_DRIVER:
	case OPERATION_OPEN_DEVICE:
	case OPERATION_SUSPEND_DEVICE:
	case OPERATION_CLOSE_DEVICE:
	case OPERATION_BIND_DEVICE:
	case OPERATION_UNBIND_DEVICE:
		o.device = &o.t->devices[op->object];
		break;
	case OPERATION_MAP:
	case OPERATION_COPY:
	case OPERATION_UNMAP:
		o.ioasid = &o.fd->ioasids[op->object];
		o.mapping = &o.ioasid->maps[op->item];
		break;
	case OPERATION_ATTACH:
	case OPERATION_REPLACE:
	case OPERATION_DETACH:
		look_up_attachment(plan, op, &o);
		break;
	case OPERATION_ALLOC:
	case OPERATION_ALLOW:
	case OPERATION_FREE:
		o.ioasid = &o.fd->ioasids[op->object];
		break;
	case OPERATION_ALLOC_VIOMMU:
	case OPERATION_FREE_VIOMMU:
	case OPERATION_ALLOC_EVENTS:
	case OPERATION_FREE_EVENTS:
	case OPERATION_ALLOC_QUEUE:
	case OPERATION_FREE_QUEUE:
	case OPERATION_ALLOC_VDEVICE:
	case OPERATION_FREE_VDEVICE:
		look_up_viommu(op, &o);
		break;
	case OPERATION_SET_COMPAT:
		if (op->object != NO_INDEX)
			o.ioasid = &o.fd->ioasids[op->object];
		break;
	case OPERATION_OPEN_FD:
	case OPERATION_CLOSE_FD:
	case OPERATION_COUNT:
		break;
	}
	return o;
}

static void print_mapping(FILE *out, const struct operands *o, bool with_target)
{
	const struct mapping *m = o->mapping;
	char size[NUMBER_TEXT_MAX];

	if (mapping_is_placed(m))
		fprintf(out, " 0x%" PRIx64 "-0x%" PRIx64, m->iova, range_last(m->iova, m->length));
	else
		fprintf(out, " %s anywhere", number_size(m->length, size));
	if (!with_target)
		return;
	if (m->memory != NO_INDEX)
		fprintf(out, " to %s+0x%" PRIx64, o->t->memories[m->memory].name, m->offset);
	else
		fprintf(out, " from %s 0x%" PRIx64, o->fd->ioasids[m->source].name, m->offset);
	fprintf(out, " %s", access_names[m->access]);
}

static void print_attachment(FILE *out, enum operation_kind kind, const struct operands *o)
{
	fprintf(out, " %s", o->device->name);
	if (o->attachment->pasid != NO_PASID)
		fprintf(out, " pasid %" PRIu32, o->attachment->pasid);
	if (o->attachment->vq_group != NO_INDEX)
		fprintf(out, " vq group %" PRIu32, o->attachment->vq_group);
	if (o->from)
		fprintf(out, " from %s/%s", o->from_fd->name, o->from->name);
	fprintf(out, " %s %s/%s", kind == OPERATION_DETACH ? "from" : "to", o->fd->name,
		o->ioasid->name);
	/* Of one name, but not the same object: what it was made with can't be changed. */
	if (o->from && !strcmp(o->from->name, o->ioasid->name) &&
	    !strcmp(o->from_fd->name, o->fd->name))
		fprintf(out, " made anew");
	if (o->from && o->fd->ops && o->fd->ops->missing[CAP_GAPLESS])
		fprintf(out, " (no DMA meanwhile)");
}

static void print_viommu(FILE *out, const struct operation *op, const struct operands *o)
{
	if (o->vdevice)
		fprintf(out, " %s as 0x%" PRIx64 " of", o->device->name, o->vdevice->id);
	else if (o->queue)
		fprintf(out, " %" PRIu32 " of", o->queue->index);
	fprintf(out, " %s/%s", o->fd->name, o->viommu->name);
	if (op->kind == OPERATION_ALLOC_VIOMMU)
		fprintf(out, " (%s)", viommu_type_names[o->viommu->type]);
	else if (op->kind == OPERATION_ALLOC_EVENTS)
		fprintf(out, " of %" PRIu32 " events", o->viommu->events_depth);
	else if (op->kind == OPERATION_ALLOC_QUEUE)
		fprintf(out, " at 0x%" PRIx64 "-0x%" PRIx64, o->queue->iova,
			range_last(o->queue->iova, o->queue->length));
}

static void print_details(FILE *out, const struct operation *op, const struct operands *o)
{
	char size[NUMBER_TEXT_MAX];

	switch ((enum operation_kind)op->kind) {
	case OPERATION_CREATE_MEMORY:
	case OPERATION_GROW_MEMORY:
	case OPERATION_SHRINK_MEMORY:
		fprintf(out, " %s%s", op->kind == OPERATION_CREATE_MEMORY ? "of " : "to ",
			number_size(o->memory->size, size));
		break;
	case OPERATION_CREATE_VDPA:
		fprintf(out, " on %s", o->device->vdpa.management);
		break;
	case OPERATION_SET_DRIVER:
		fprintf(out, " to %s", o->device->driver);
		break;
	case OPERATION_RESTORE_DRIVER:
		fprintf(out, " to %s",
			*o->device->live.original_driver ? o->device->live.original_driver
							 : "none");
		break;
	case OPERATION_SET_VFS:
		fprintf(out, " to %u", o->device->vfs);
		break;
	case OPERATION_RESTORE_VFS:
		fprintf(out, " to %u", o->device->live.original_vfs);
		break;
	case OPERATION_BIND_DEVICE:
		fprintf(out, " to %s", o->fd->name);
		break;
	case OPERATION_OPEN_FD:
		fprintf(out, " (%s)", driver_choice_names[o->fd->driver]);
		break;
	case OPERATION_ALLOC:
		fprintf(out, " (%s)", ioasid_kind_names[o->ioasid->kind]);
		break;
	default:
		break;
	}
}

static void print_operation(FILE *out, const struct plan *plan, const struct operation *op)
{
	char label[DEVICE_LABEL_MAX];
	const struct operands o = look_up(plan, op);

	fputs(operation_verb(op->kind), out);
	if (o.attachment) {
		print_attachment(out, op->kind, &o);
		return;
	}
	if (o.viommu) {
		print_viommu(out, op, &o);
		return;
	}
	if (o.ioasid)
		fprintf(out, " %s/%s", o.fd->name, o.ioasid->name);
	else if (op->kind == OPERATION_SET_COMPAT)
		fprintf(out, " nothing of %s", o.fd->name);
	else if (o.device)
		fprintf(out, " %s", device_label(o.t, o.device, label));
	else if (o.memory)
		fprintf(out, " %s", o.memory->name);
	else
		fprintf(out, " %s", o.fd->name);
	if (o.mapping)
		print_mapping(out, &o, op->kind != OPERATION_UNMAP);
	print_details(out, op, &o);
}

char *operation_text(const struct plan *plan, const struct operation *op)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return NULL;
	print_operation(out, plan, op);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static void set_hex(json_t *object, const char *key, uint64_t value)
{
	char hex[NUMBER_TEXT_MAX];

	json_object_set_new(object, key, json_string(number_hex(value, hex)));
}

static void mapping_json(json_t *j, const struct operands *o)
{
	const struct mapping *m = o->mapping;

	if (mapping_is_placed(m))
		set_hex(j, "iova", m->iova);
	set_hex(j, "length", m->length);
	if (m->memory != NO_INDEX) {
		json_object_set_new(j, "memory", json_string(o->t->memories[m->memory].name));
		set_hex(j, "offset", m->offset);
	} else {
		json_object_set_new(j, "copy", json_string(o->fd->ioasids[m->source].name));
		set_hex(j, "from", m->offset);
	}
	json_object_set_new(j, "access", json_string(access_names[m->access]));
}

static json_t *operation_json(const struct plan *plan, const struct operation *op)
{
	const struct operands o = look_up(plan, op);
	_cleanup_free_ char *text = operation_text(plan, op);
	json_t *j = json_pack("{s:s, s:s?}", "action", operation_name(op->kind), "text", text);

	if (!j)
		return NULL;
	if (o.fd)
		json_object_set_new(j, "fd", json_string(o.fd->name));
	if (o.ioasid)
		json_object_set_new(j, "ioasid", json_string(o.ioasid->name));
	if (o.viommu)
		json_object_set_new(j, "viommu", json_string(o.viommu->name));
	if (o.device)
		json_object_set_new(j, "device", json_string(o.device->name));
	if (o.memory)
		json_object_set_new(j, "memory", json_string(o.memory->name));
	if (o.attachment && o.attachment->pasid != NO_PASID)
		json_object_set_new(j, "pasid", json_integer(o.attachment->pasid));
	if (o.attachment && o.attachment->vq_group != NO_INDEX)
		json_object_set_new(j, "vq_group", json_integer(o.attachment->vq_group));
	if (o.from)
		json_object_set_new(j, "from", json_string(o.from->name));
	if (o.mapping)
		mapping_json(j, &o);
	return j;
}

json_t *plan_json(const struct plan *plan, bool list)
{
	const struct topology *t = plan->desired ? plan->desired : plan->live;
	size_t counts[OPERATION_COUNT] = {0};
	json_t *j = json_pack("{s:s, s:b, s:{}}", "name", t->name, "changed",
			      plan->n_operations > 0, "counts");
	json_t *operations = list ? json_array() : NULL;

	if (!j || (list && !operations)) {
		json_decref(j);
		json_decref(operations);
		return NULL;
	}
	for (size_t i = 0; i < plan->n_operations; i++) {
		counts[plan->operations[i].kind]++;
		if (list)
			json_array_append_new(operations,
					      operation_json(plan, &plan->operations[i]));
	}
	for (int kind = 0; kind < OPERATION_COUNT; kind++)
		if (counts[kind])
			json_object_set_new(json_object_get(j, "counts"), operation_name(kind),
					    json_integer((json_int_t)counts[kind]));
	if (list)
		json_object_set_new(j, "operations", operations);
	return j;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* What has a number in a file: numbers, finding, the end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "refdev/state.h"

#define OBJECTS_MAX (1U << 20)

/* Index of the first id that isn't below `id`. */
static size_t position(const struct refdev_file *file, uint32_t id)
{
	size_t low = 0, high = file->n_objects;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (file->objects[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct refdev_object *object_find_any(const struct refdev_file *file, uint32_t id)
{
	size_t i = position(file, id);

	return i < file->n_objects && file->objects[i]->id == id ? file->objects[i] : NULL;
}

struct refdev_object *object_find(const struct refdev_file *file, uint32_t id,
				  enum object_kind kind)
{
	struct refdev_object *object = object_find_any(file, id);

	return object && object->kind == kind ? object : NULL;
}

static int make_room(struct refdev_file *file)
{
	size_t capacity = file->objects_capacity ? 2 * file->objects_capacity : 8;
	struct refdev_object **bigger;

	/* Ids are never used twice, or a stale one would name a stranger. */
	if (file->n_objects >= OBJECTS_MAX || file->next_id == IOASID_NONE)
		return -ENOSPC;
	if (file->n_objects < file->objects_capacity)
		return 0;
	bigger = realloc(file->objects, capacity * sizeof(struct refdev_object *));
	if (!bigger)
		return -ENOMEM;
	file->objects = bigger;
	file->objects_capacity = capacity;
	return 0;
}

void *object_new(struct refdev_file *file, enum object_kind kind, size_t size, int *ret)
{
	struct refdev_object *object;

	*ret = make_room(file);
	if (*ret)
		return NULL;
	object = calloc(1, size);
	if (!object) {
		*ret = -ENOMEM;
		return NULL;
	}
	object->id = file->next_id;
	object->kind = kind;
	object->file = file;
	return object;
}

void object_publish(struct refdev_object *object)
{
	struct refdev_file *file = object->file;

	file->objects[file->n_objects++] = object;
	file->next_id++;
	if (object->kind == OBJECT_IOASID)
		file->n_ioasids++;
}

void object_destroy(struct refdev_object *object)
{
	struct refdev_file *file = object->file;
	size_t i = position(file, object->id);

	switch (object->kind) {
	case OBJECT_IOASID:
		file->n_ioasids--;
		ioasid_destroy((struct refdev_ioasid *)object);
		break;
	case OBJECT_VIOMMU:
		viommu_destroy((struct refdev_viommu *)object);
		break;
	case OBJECT_VDEVICE:
		vdevice_destroy((struct refdev_vdevice *)object);
		break;
	case OBJECT_HW_QUEUE:
		hw_queue_destroy((struct refdev_hw_queue *)object);
		break;
	case OBJECT_EVENT_QUEUE:
		event_queue_destroy((struct refdev_event_queue *)object);
		break;
	}
	file->n_objects--;
	memmove(&file->objects[i], &file->objects[i + 1],
		(file->n_objects - i) * sizeof(struct refdev_object *));
	free(object);
}

int call_object_free(struct refdev_file *file, struct ioasid_free_args *args)
{
	struct refdev_object *object = object_find_any(file, args->ioasid);

	if (args->reserved)
		return -EOPNOTSUPP;
	if (!object)
		return -ENOENT;
	if (object->users)
		return -EBUSY;
	object_destroy(object);
	return 0;
}

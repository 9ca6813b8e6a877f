// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Living on in another process: what this driver knows of its objects, as JSON, and back. The
 * kernel can't be asked for any of it: who has made an object must remember it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "driver/iommufd.h"

/* What has been read of a queue and not been handed out yet; the kernel has forgotten it. */
static json_t *unread_json(const struct iommufd_queue *queue)
{
	json_t *array = json_array();

	for (size_t i = queue->start; array && i < queue->end; i++)
		if (json_array_append_new(array, json_integer(queue->buffer[i]))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static int add_named(struct descriptors *out, int fd, const char *name, const char *kind,
		     uint32_t id)
{
	_cleanup_free_ char *full = NULL;

	if (asprintf(&full, "%s/%s.%u", name, kind, id) < 0) {
		full = NULL;
		return -ENOMEM;
	}
	return descriptors_add(out, fd, full);
}

static int take_named(struct descriptors *given, const char *name, const char *kind, uint32_t id)
{
	_cleanup_free_ char *full = NULL;
	int fd;

	if (asprintf(&full, "%s/%s.%u", name, kind, id) < 0) {
		full = NULL;
		return -ENOMEM;
	}
	fd = descriptors_take(given, full);
	return fd < 0 ? -EINVAL : fd;
}

/* A queue of that kind; null where there is none. */
static json_t *queue_json(const struct iommufd_queue *queue, const char *name, const char *kind,
			  struct descriptors *out)
{
	if (queue->id == NO_OBJECT)
		return json_null();
	if (add_named(out, queue->fd, name, kind, queue->id))
		return NULL;
	return json_pack("{s:I, s:o}", "id", (json_int_t)queue->id, "unread", unread_json(queue));
}

static json_t *hwpts_json(const struct iommufd_space *space)
{
	json_t *array = json_array();

	for (const struct iommufd_hwpt *h = space->hwpts; array && h; h = h->next)
		json_array_append_new(array, json_integer(h->id));
	return array;
}

static json_t *space_json(const struct iommufd_space *space, const char *name,
			  struct descriptors *out)
{
	return json_pack(
		"{s:I, s:s, s:I, s:o, s:o, s:b, s:s, s:I, s:I}", "id", (json_int_t)space->id,
		"name", space->name, "flags", (json_int_t)space->flags, "faults",
		queue_json(&space->faults, name, "faults", out), "hwpts", hwpts_json(space),
		"dirty", space->dirty, "format", table_format_names[space->format], "parent_hwpt",
		(json_int_t)space->parent_hwpt, "viommu", (json_int_t)space->viommu);
}

static json_t *vdevices_json(const struct iommufd_viommu *v)
{
	json_t *array = json_array();

	for (const struct iommufd_vdevice *d = v->vdevices; array && d; d = d->next)
		json_array_append_new(array, json_pack("{s:I, s:I}", "id", (json_int_t)d->id,
						       "virt_id", (json_int_t)d->virt_id));
	return array;
}

static json_t *viommu_json(const struct iommufd_viommu *v, const char *name,
			   struct descriptors *out)
{
	return json_pack("{s:I, s:s, s:s, s:I, s:o, s:o}", "id", (json_int_t)v->id, "name", v->name,
			 "type", viommu_type_names[v->type], "parent_hwpt",
			 (json_int_t)v->parent_hwpt, "vdevices", vdevices_json(v), "events",
			 queue_json(&v->events, name, "events", out));
}

static json_t *spaces_json(const struct driver_fd *fd, const char *name, struct descriptors *out)
{
	json_t *array = json_array();

	for (const struct iommufd_space *s = fd->spaces; array && s; s = s->next)
		if (json_array_append_new(array, space_json(s, name, out))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *viommus_json(const struct driver_fd *fd, const char *name, struct descriptors *out)
{
	json_t *array = json_array();

	for (const struct iommufd_viommu *v = fd->viommus; array && v; v = v->next)
		if (json_array_append_new(array, viommu_json(v, name, out))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

int iommufd_record(const struct driver_fd *fd, const char *name, struct descriptors *out,
		   json_t **state, struct ioasidctl_error **err)
{
	json_t *spaces, *viommus;

	if (descriptors_add(out, fd->fd, name))
		return error_nomem(err);
	spaces = spaces_json(fd, name, out);
	viommus = viommus_json(fd, name, out);
	*state = json_pack("{s:s, s:b, s:I, s:I, s:o, s:o}", "node", fd->node, "map_file",
			   fd->map_file, "parking_ioas", (json_int_t)fd->parking_ioas,
			   "parking_hwpt", (json_int_t)fd->parking_hwpt, "spaces", spaces,
			   "viommus", viommus);
	return *state ? 0 : error_nomem(err);
}

static int restore_unread(const json_t *array, struct iommufd_queue *queue)
{
	const size_t n = json_array_size(array);

	queue->buffer = n ? malloc(n) : NULL;
	if (n && !queue->buffer)
		return -ENOMEM;
	queue->size = queue->end = n;
	for (size_t i = 0; i < n; i++) {
		const json_int_t byte = json_integer_value(json_array_get(array, i));

		if (byte < 0 || byte > UINT8_MAX)
			return -EINVAL;
		queue->buffer[i] = (unsigned char)byte;
	}
	return 0;
}

static int restore_queue(const json_t *json, const char *name, const char *kind,
			 struct descriptors *given, struct iommufd_queue *queue)
{
	const json_t *unread;
	int fd;

	if (json_is_null(json))
		return 0;
	if (json_member_u32(json, "id", &queue->id) || json_member_array(json, "unread", &unread))
		return -EINVAL;
	fd = take_named(given, name, kind, queue->id);
	if (fd < 0)
		return fd;
	queue->fd = fd;
	return restore_unread(unread, queue);
}

static int restore_hwpts(const json_t *array, struct iommufd_space *space)
{
	struct iommufd_hwpt **end = &space->hwpts;
	const json_t *id;
	size_t i;

	json_array_foreach (array, i, id) {
		struct iommufd_hwpt *hwpt = calloc(1, sizeof(*hwpt));

		if (!hwpt)
			return -ENOMEM;
		hwpt->id = (uint32_t)json_integer_value(id);
		*end = hwpt;
		end = &hwpt->next;
		if (json_integer_value(id) <= 0 || json_integer_value(id) > UINT32_MAX)
			return -EINVAL;
	}
	return 0;
}

static int by_name(const char *const names[], const char *name)
{
	for (int i = 0; names[i]; i++)
		if (!strcmp(names[i], name))
			return i;
	return -EINVAL;
}

/* The space is linked in by the caller, so that it goes with the fd whatever comes. */
static int restore_space(const json_t *json, const char *name, struct descriptors *given,
			 struct iommufd_space *space)
{
	const char *own, *format;
	const json_t *hwpts;
	int ret;

	if (json_member_u32(json, "id", &space->id) || json_member_text(json, "name", &own) ||
	    json_member_u32(json, "flags", &space->flags) ||
	    json_member_bool(json, "dirty", &space->dirty) ||
	    json_member_text(json, "format", &format) ||
	    json_member_u32(json, "parent_hwpt", &space->parent_hwpt) ||
	    json_member_u32(json, "viommu", &space->viommu) ||
	    json_member_array(json, "hwpts", &hwpts))
		return -EINVAL;
	ret = by_name(table_format_names, format);
	if (ret < 0)
		return ret;
	space->format = (enum table_format)ret;
	space->name = strdup(own);
	if (!space->name)
		return -ENOMEM;
	ret = restore_queue(json_object_get(json, "faults"), name, "faults", given, &space->faults);
	return ret ? ret : restore_hwpts(hwpts, space);
}

static int restore_spaces(const json_t *array, const char *name, struct descriptors *given,
			  struct driver_fd *fd)
{
	struct iommufd_space **end = &fd->spaces;
	const json_t *json;
	size_t i;
	int ret = 0;

	json_array_foreach (array, i, json) {
		struct iommufd_space *space = calloc(1, sizeof(*space));

		if (!space)
			return -ENOMEM;
		space->faults.fd = -1;
		*end = space;
		end = &space->next;
		ret = ret ? ret : restore_space(json, name, given, space);
	}
	return ret;
}

static int restore_vdevices(const json_t *array, struct iommufd_viommu *v)
{
	struct iommufd_vdevice **end = &v->vdevices;
	const json_t *json;
	size_t i;

	json_array_foreach (array, i, json) {
		struct iommufd_vdevice *d = calloc(1, sizeof(*d));

		if (!d)
			return -ENOMEM;
		*end = d;
		end = &d->next;
		if (json_member_u32(json, "id", &d->id) ||
		    !json_is_integer(json_object_get(json, "virt_id")))
			return -EINVAL;
		d->virt_id = (uint64_t)json_integer_value(json_object_get(json, "virt_id"));
	}
	return 0;
}

static int restore_viommu(const json_t *json, const char *name, struct descriptors *given,
			  struct iommufd_viommu *v)
{
	const char *own, *type;
	const json_t *vdevices;
	int ret;

	if (json_member_u32(json, "id", &v->id) || json_member_text(json, "name", &own) ||
	    json_member_text(json, "type", &type) ||
	    json_member_u32(json, "parent_hwpt", &v->parent_hwpt) ||
	    json_member_array(json, "vdevices", &vdevices))
		return -EINVAL;
	ret = by_name(viommu_type_names, type);
	if (ret < 0)
		return ret;
	v->type = (enum viommu_type)ret;
	v->name = strdup(own);
	if (!v->name)
		return -ENOMEM;
	ret = restore_queue(json_object_get(json, "events"), name, "events", given, &v->events);
	return ret ? ret : restore_vdevices(vdevices, v);
}

static int restore_viommus(const json_t *array, const char *name, struct descriptors *given,
			   struct driver_fd *fd)
{
	struct iommufd_viommu **end = &fd->viommus;
	const json_t *json;
	size_t i;
	int ret = 0;

	json_array_foreach (array, i, json) {
		struct iommufd_viommu *v = calloc(1, sizeof(*v));

		if (!v)
			return -ENOMEM;
		v->events.fd = -1;
		*end = v;
		end = &v->next;
		ret = ret ? ret : restore_viommu(json, name, given, v);
	}
	return ret;
}

static int restore_fd(const char *name, const json_t *state, struct descriptors *given,
		      struct driver_fd *fd)
{
	const json_t *spaces, *viommus;
	const char *node;
	int ret;

	fd->fd = descriptors_take(given, name);
	if (fd->fd < 0 || json_member_text(state, "node", &node) ||
	    json_member_bool(state, "map_file", &fd->map_file) ||
	    json_member_u32(state, "parking_ioas", &fd->parking_ioas) ||
	    json_member_u32(state, "parking_hwpt", &fd->parking_hwpt) ||
	    json_member_array(state, "spaces", &spaces) ||
	    json_member_array(state, "viommus", &viommus))
		return -EINVAL;
	fd->node = strdup(node);
	if (!fd->node)
		return -ENOMEM;
	ret = restore_spaces(spaces, name, given, fd);
	return ret ? ret : restore_viommus(viommus, name, given, fd);
}

static int explain_restore(const char *name, int ret, struct ioasidctl_error **err)
{
	if (ret == -ENOMEM)
		return error_nomem(err);
	error_new(err, ERROR_PROTOCOL, -ret, "what is told of %s doesn't make sense", name);
	error_cause(err, "a value or a descriptor is missing");
	return ret;
}

int iommufd_restore(const struct driver_env *env, const char *name, const json_t *state,
		    struct descriptors *given, struct driver_fd **out, struct ioasidctl_error **err)
{
	struct driver_fd *fd = calloc(1, sizeof(*fd));
	int ret;

	if (!fd)
		return error_nomem(err);
	fd->env = env;
	fd->fd = -1;
	ret = restore_fd(name, state, given, fd);
	if (ret) {
		iommufd_leave(fd);
		return explain_restore(name, ret, err);
	}
	*out = fd;
	return 0;
}

static json_t *places_json(const struct driver_device *dev)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < dev->n_places; i++)
		json_array_append_new(array, json_pack("{s:I, s:I, s:I}", "pasid",
						       (json_int_t)dev->places[i].pasid, "ioasid",
						       (json_int_t)dev->places[i].ioasid, "hwpt",
						       (json_int_t)dev->places[i].hwpt));
	return array;
}

int iommufd_device_record(const struct driver_device *dev, const char *name,
			  struct descriptors *out, json_t **state, struct ioasidctl_error **err)
{
	/* A mock device has no file of its own. */
	if (dev->fd >= 0 && descriptors_add(out, dev->fd, name))
		return error_nomem(err);
	*state = json_pack("{s:s, s:s?, s:s?, s:s, s:I, s:I, s:I, s:b, s:o}", "label", dev->label,
			   "dir", dev->dir, "node", dev->node, "selector",
			   selector_names[dev->selector], "group", (json_int_t)dev->group, "id",
			   (json_int_t)dev->id, "mock_id", (json_int_t)dev->mock_id, "bound",
			   dev->owner != NULL, "places", places_json(dev));
	return *state ? 0 : error_nomem(err);
}

static int restore_places(const json_t *array, struct driver_device *dev)
{
	const size_t n = json_array_size(array);

	dev->places = calloc(n + 1, sizeof(*dev->places));
	if (!dev->places)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const json_t *json = json_array_get(array, i);
		struct iommufd_place *place = &dev->places[i];

		if (json_member_u32(json, "pasid", &place->pasid) ||
		    json_member_u32(json, "ioasid", &place->ioasid) ||
		    json_member_u32(json, "hwpt", &place->hwpt))
			return -EINVAL;
	}
	dev->n_places = n;
	return 0;
}

static int copy_text(const char *text, char **out)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -ENOMEM : 0;
}

static int restore_device(const char *name, const json_t *state, struct descriptors *given,
			  struct driver_device *dev, bool *bound)
{
	const char *label, *dir, *node, *selector;
	const json_t *places;
	int ret;

	if (json_member_text(state, "label", &label) ||
	    json_member_text_or_null(state, "dir", &dir) ||
	    json_member_text_or_null(state, "node", &node) ||
	    json_member_text(state, "selector", &selector) ||
	    json_member_u32(state, "group", &dev->group) ||
	    json_member_u32(state, "id", &dev->id) ||
	    json_member_u32(state, "mock_id", &dev->mock_id) ||
	    json_member_bool(state, "bound", bound) || json_member_array(state, "places", &places))
		return -EINVAL;
	ret = by_name(selector_names, selector);
	if (ret < 0)
		return ret;
	dev->selector = (enum selector)ret;
	dev->fd = descriptors_take(given, name);
	if (dev->selector == SELECTOR_MOCK ? dev->fd >= 0 : dev->fd < 0 || !dir || !node)
		return -EINVAL;
	if (copy_text(label, &dev->label) || copy_text(dir, &dev->dir) ||
	    copy_text(node, &dev->node))
		return -ENOMEM;
	return restore_places(places, dev);
}

int iommufd_device_restore(struct driver_fd *fd, const char *name, const json_t *state,
			   struct descriptors *given, struct driver_device **out,
			   struct ioasidctl_error **err)
{
	struct driver_device *dev = calloc(1, sizeof(*dev));
	bool bound = false;
	int ret;

	if (!dev)
		return error_nomem(err);
	dev->env = fd->env;
	dev->fd = dev->request = -1;
	ret = restore_device(name, state, given, dev, &bound);
	if (ret) {
		iommufd_device_close(dev);
		return explain_restore(name, ret, err);
	}
	if (bound) {
		dev->owner = fd;
		dev->next = fd->devices;
		fd->devices = dev;
	}
	*out = dev;
	return 0;
}

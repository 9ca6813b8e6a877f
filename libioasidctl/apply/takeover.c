// SPDX-License-Identifier: LGPL-2.1-or-later
/* Writing a live topology down, and whether that makes sense at all. */
#include "apply/takeover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply/takeover_names.h"
#include "base/cleanup.h"

static int refuse(const struct topology *t, const char *kind, const char *name, const char *why,
		  const char *hint, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_REFUSED, EOPNOTSUPP,
			    "topology %s can't be taken over by another process: %s %s", t->name,
			    kind, name);

	error_cause(err, "%s", why);
	error_hint(err, "%s", hint);
	error_object(err, "%s", name);
	return ret;
}

static const char give_up[] =
	"delete the topology first, or end the holder with --keep, which has it made anew";

/* IOMMU_IOAS_CHANGE_PROCESS takes memory files, and nothing but these. */
static int check_memory(const struct topology *t, const struct iommu_fd *fd, const struct memory *m,
			struct ioasidctl_error **err)
{
	if (m->backing == BACKING_DMABUF)
		return refuse(t, "memory", m->name,
			      "it is a device's BAR, of which the kernel can't say whose it is",
			      give_up, err);
	if (fd->ops->wants_va(fd->live.handle, m))
		return refuse(t, "memory", m->name,
			      "it is mapped by its address in the holder, and so belongs to that "
			      "process",
			      m->backing == BACKING_FILE
				      ? "memory with backing: memfd can be taken over; or delete "
					"the topology first"
				      : give_up,
			      err);
	return 0;
}

static int check_fd(const struct topology *t, const struct iommu_fd *fd,
		    struct ioasidctl_error **err)
{
	int ret = 0;

	if (!fd->live.handle)
		return 0;
	if (fd->ops->missing[CAP_TAKEOVER])
		return refuse(t, "fd", fd->name, fd->ops->missing[CAP_TAKEOVER], give_up, err);
	for (size_t i = 0; i < fd->n_ioasids; i++)
		for (size_t j = 0; !ret && j < fd->ioasids[i].n_maps; j++) {
			const struct mapping *m = &fd->ioasids[i].maps[j];

			if (m->memory != NO_INDEX)
				ret = check_memory(t, fd, &t->memories[m->memory], err);
		}
	return ret;
}

int takeover_check(const struct topology *t, struct ioasidctl_error **err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < t->n_fds; i++)
		ret = check_fd(t, &t->fds[i], err);
	for (size_t i = 0; !ret && i < t->n_devices; i++) {
		const struct device *d = &t->devices[i];

		if (d->live.handle && device_has_iotlb(t, d))
			ret = refuse(t, "device", d->name,
				     "its own table of addresses belongs to the process that made "
				     "it",
				     give_up, err);
	}
	return ret;
}

/* Null where it isn't there: a vdevice whose device had to be let go, for one. */
static json_t *id_json(bool exists, uint32_t id)
{
	return exists ? json_integer(id) : json_null();
}

static int compare_places(const void *a, const void *b)
{
	const struct mapping *x = *(const struct mapping *const *)a,
			     *y = *(const struct mapping *const *)b;

	if (x->at.line != y->at.line)
		return x->at.line < y->at.line ? -1 : 1;
	return x->at.column < y->at.column ? -1 : x->at.column > y->at.column;
}

/* Where what the kernel placed came to lie, in the order of the config. */
static json_t *placed_json(const struct ioasid *ioasid)
{
	_cleanup_free_ const struct mapping **placed = calloc(ioasid->n_maps + 1, sizeof(*placed));
	json_t *array = json_array();
	size_t n = 0;

	for (size_t i = 0; placed && i < ioasid->n_maps; i++)
		if (ioasid->maps[i].auto_iova)
			placed[n++] = &ioasid->maps[i];
	if (placed)
		qsort(placed, n, sizeof(*placed), compare_places);
	for (size_t i = 0; placed && array && i < n; i++)
		json_array_append_new(array, json_integer((json_int_t)placed[i]->iova));
	if (placed)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *ioasids_json(const struct iommu_fd *fd)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < fd->n_ioasids; i++) {
		const struct ioasid *s = &fd->ioasids[i];

		json_object_set_new(object, s->name,
				    json_pack("{s:o, s:b, s:o}", "id",
					      id_json(s->live.exists, s->live.id), "dirty",
					      s->live.dirty, "placed", placed_json(s)));
	}
	return object;
}

static json_t *vdevices_json(const struct viommu *v)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < v->n_vdevices; i++)
		json_array_append_new(array,
				      id_json(v->vdevices[i].live.exists, v->vdevices[i].live.id));
	return array;
}

static json_t *queues_json(const struct viommu *v)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < v->n_queues; i++)
		json_array_append_new(array,
				      id_json(v->queues[i].live.exists, v->queues[i].live.id));
	return array;
}

static json_t *viommus_json(const struct iommu_fd *fd)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < fd->n_viommus; i++) {
		const struct viommu *v = &fd->viommus[i];

		json_object_set_new(
			object, v->name,
			json_pack("{s:o, s:o, s:o, s:o}", "id", id_json(v->live.exists, v->live.id),
				  "events", id_json(v->live_events.exists, v->live_events.id),
				  "vdevices", vdevices_json(v), "queues", queues_json(v)));
	}
	return object;
}

static int record_fd(const struct iommu_fd *fd, struct descriptors *out, json_t *fds,
		     struct ioasidctl_error **err)
{
	char name[TAKEOVER_NAME_MAX];
	json_t *state = json_null();
	int ret = 0;

	if (fd->live.handle)
		ret = fd->ops->fd_record(fd->live.handle, takeover_name(name, "fd", fd->name), out,
					 &state, err);
	if (ret)
		return ret;
	return json_object_set_new(fds, fd->name,
				   json_pack("{s:s, s:o, s:o, s:o}", "driver", fd->ops->name,
					     "state", state, "ioasids", ioasids_json(fd), "viommus",
					     viommus_json(fd)))
		       ? error_nomem(err)
		       : 0;
}

static json_t *found_json(const struct device *d)
{
	return json_pack("{s:s?, s:s?, s:s?, s:I}", "name", d->found.name, "driver",
			 d->found.driver, "override", d->found.override, "vfs",
			 (json_int_t)d->found.vfs);
}

static int record_device(const struct topology *t, const struct device *d, struct descriptors *out,
			 json_t *devices, struct ioasidctl_error **err)
{
	char name[TAKEOVER_NAME_MAX];
	json_t *state = json_null();
	int ret = 0;

	if (d->live.handle)
		ret = device_ops(t, d)->device_record(
			d->live.handle, takeover_name(name, "device", d->name), out, &state, err);
	if (ret)
		return ret;
	return json_object_set_new(devices, d->name,
				   json_pack("{s:o, s:b, s:o, s:I, s:o, s:s?}", "state", state,
					     "absent", d->absent, "id",
					     id_json(d->live.bound, d->live.id), "group",
					     (json_int_t)d->iommu_group, "found", found_json(d),
					     "trouble", d->trouble))
		       ? error_nomem(err)
		       : 0;
}

int takeover_record(const struct topology *t, struct descriptors *out, json_t **record,
		    struct ioasidctl_error **err)
{
	json_t *fds = json_object(), *devices = json_object(), *memories = json_object();
	char name[TAKEOVER_NAME_MAX];
	int ret = fds && devices && memories ? 0 : error_nomem(err);

	for (size_t i = 0; !ret && i < t->n_fds; i++)
		ret = record_fd(&t->fds[i], out, fds, err);
	for (size_t i = 0; !ret && i < t->n_devices; i++)
		ret = record_device(t, &t->devices[i], out, devices, err);
	for (size_t i = 0; !ret && i < t->n_memories; i++) {
		const struct memory *m = &t->memories[i];

		if (json_object_set_new(memories, m->name, json_boolean(m->live.fd >= 0)) ||
		    (m->live.fd >= 0 &&
		     descriptors_add(out, m->live.fd, takeover_name(name, "memory", m->name))))
			ret = error_nomem(err);
	}
	/* The references are given away even when it fails. */
	*record =
		json_pack("{s:o, s:o, s:o}", "memories", memories, "devices", devices, "fds", fds);
	if (!ret && !*record)
		ret = error_nomem(err);
	if (ret) {
		json_decref(*record);
		*record = NULL;
	}
	return ret;
}

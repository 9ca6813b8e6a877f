// SPDX-License-Identifier: LGPL-2.1-or-later
/* A topology that another process made becomes one of this process. */
#include <errno.h>
#include <string.h>

#include "apply/execution.h"
#include "apply/memory.h"
#include "apply/takeover.h"
#include "apply/takeover_names.h"
#include "base/cleanup.h"
#include "base/json.h"

static int misfit(const struct topology *t, const char *object, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_PROTOCOL, EINVAL,
			    "topology %s: what is told of %s doesn't fit its config", t->name,
			    object);

	error_cause(err, "the holder that made it wrote something else, or is of another version");
	error_object(err, "%s", object);
	return ret;
}

/* A number, or null for none. */
static int restore_id(const json_t *value, bool *exists, uint32_t *id)
{
	const json_int_t number = json_integer_value(value);

	if (json_is_null(value))
		return 0;
	if (!json_is_integer(value) || number < 0 || number >= UINT32_MAX)
		return -EINVAL;
	*exists = true;
	*id = (uint32_t)number;
	return 0;
}

static int restore_object(const json_t *value, struct live_object *out)
{
	return restore_id(value, &out->exists, &out->id);
}

static int restore_memories(struct topology *t, const json_t *memories, struct descriptors *given,
			    struct ioasidctl_error **err)
{
	char name[TAKEOVER_NAME_MAX];
	int ret = 0;

	if (json_object_size(memories) != t->n_memories)
		ret = misfit(t, "its memories", err);
	for (size_t i = 0; !ret && i < t->n_memories; i++) {
		struct memory *m = &t->memories[i];
		bool open;

		if (json_member_bool(memories, m->name, &open))
			ret = misfit(t, m->name, err);
		if (ret || !open)
			continue;
		m->live.fd = descriptors_take(given, takeover_name(name, "memory", m->name));
		if (m->live.fd < 0)
			ret = misfit(t, m->name, err);
	}
	return ret;
}

/* Mappings without an IOVA come first and in the order of the config: see mapping_compare(). */
static int restore_placed(struct ioasid *ioasid, const json_t *placed)
{
	size_t n = 0;

	while (n < ioasid->n_maps && ioasid->maps[n].auto_iova)
		n++;
	if (json_array_size(placed) != n)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_array_get(placed, i);

		if (!json_is_integer(value))
			return -EINVAL;
		ioasid->maps[i].iova = (uint64_t)json_integer_value(value);
		ioasid->maps[i].placed = true;
	}
	ioasid_sort_mappings(ioasid);
	return 0;
}

static int restore_ioasid(struct ioasid *ioasid, const json_t *record)
{
	const json_t *placed;

	if (restore_id(json_object_get(record, "id"), &ioasid->live.exists, &ioasid->live.id) ||
	    json_member_bool(record, "dirty", &ioasid->live.dirty) ||
	    json_member_array(record, "placed", &placed))
		return -EINVAL;
	return restore_placed(ioasid, placed);
}

static int restore_viommu(struct viommu *v, const json_t *record)
{
	const json_t *vdevices, *queues;
	int ret = 0;

	if (restore_object(json_object_get(record, "id"), &v->live) ||
	    restore_object(json_object_get(record, "events"), &v->live_events) ||
	    json_member_array(record, "vdevices", &vdevices) ||
	    json_member_array(record, "queues", &queues) ||
	    json_array_size(vdevices) != v->n_vdevices || json_array_size(queues) != v->n_queues)
		return -EINVAL;
	for (size_t i = 0; !ret && i < v->n_vdevices; i++)
		ret = restore_object(json_array_get(vdevices, i), &v->vdevices[i].live);
	for (size_t i = 0; !ret && i < v->n_queues; i++)
		ret = restore_object(json_array_get(queues, i), &v->queues[i].live);
	return ret;
}

static const struct driver *driver_named(const struct driver_env *env, const char *name)
{
	const struct driver *const *d = env->drivers ? env->drivers : drivers;

	while (*d && strcmp((*d)->name, name))
		d++;
	return *d && !(*d)->missing[CAP_TAKEOVER] ? *d : NULL;
}

static int restore_members(const struct topology *t, struct iommu_fd *fd, const json_t *record,
			   struct ioasidctl_error **err)
{
	const json_t *ioasids = json_object_get(record, "ioasids"),
		     *viommus = json_object_get(record, "viommus");

	if (json_object_size(ioasids) != fd->n_ioasids ||
	    json_object_size(viommus) != fd->n_viommus)
		return misfit(t, fd->name, err);
	for (size_t i = 0; i < fd->n_ioasids; i++)
		if (restore_ioasid(&fd->ioasids[i], json_object_get(ioasids, fd->ioasids[i].name)))
			return misfit(t, fd->ioasids[i].name, err);
	for (size_t i = 0; i < fd->n_viommus; i++)
		if (restore_viommu(&fd->viommus[i], json_object_get(viommus, fd->viommus[i].name)))
			return misfit(t, fd->viommus[i].name, err);
	return 0;
}

static int restore_fd(const struct driver_env *env, struct topology *t, struct iommu_fd *fd,
		      const json_t *record, struct descriptors *given, struct ioasidctl_error **err)
{
	const json_t *state = json_object_get(record, "state");
	char name[TAKEOVER_NAME_MAX];
	const char *driver;
	int ret = 0;

	if (json_member_text(record, "driver", &driver) || !state)
		return misfit(t, fd->name, err);
	fd->ops = driver_named(env, driver);
	if (!fd->ops)
		return error_new(err, ERROR_REFUSED, EOPNOTSUPP,
				 "topology %s: this build can't take over an fd of driver %s",
				 t->name, driver);
	fd->driver = fd->ops->choice;
	if (!json_is_null(state))
		ret = fd->ops->fd_restore(env, takeover_name(name, "fd", fd->name), state, given,
					  &fd->live.handle, err);
	return ret ? ret : restore_members(t, fd, record, err);
}

static int copy_text(const char *text, char **out)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -ENOMEM : 0;
}

static int restore_facts(struct device *d, const json_t *record)
{
	const json_t *found = json_object_get(record, "found");
	const char *name, *driver, *override, *trouble;

	if (json_member_u32(record, "group", &d->iommu_group) ||
	    json_member_text_or_null(record, "trouble", &trouble) ||
	    json_member_text_or_null(found, "name", &name) ||
	    json_member_text_or_null(found, "driver", &driver) ||
	    json_member_text_or_null(found, "override", &override) ||
	    json_member_u32(found, "vfs", &d->found.vfs))
		return -EINVAL;
	return copy_text(name, &d->found.name) || copy_text(driver, &d->found.driver) ||
			       copy_text(override, &d->found.override) ||
			       copy_text(trouble, &d->trouble)
		       ? -ENOMEM
		       : 0;
}

static int restore_device(struct topology *t, uint32_t index, const json_t *record,
			  struct descriptors *given, struct ioasidctl_error **err)
{
	struct device *d = &t->devices[index];
	const json_t *state = json_object_get(record, "state");
	struct iommu_fd *fd = d->fd == NO_INDEX ? NULL : &t->fds[d->fd];
	char name[TAKEOVER_NAME_MAX];
	bool absent;
	int ret;

	if (json_member_bool(record, "absent", &absent) || !state ||
	    restore_id(json_object_get(record, "id"), &d->live.bound, &d->live.id))
		return misfit(t, d->name, err);
	ret = restore_facts(d, record);
	if (ret == -ENOMEM)
		return error_nomem(err);
	if (ret || (!json_is_null(state) && (!fd || !fd->live.handle)))
		return misfit(t, d->name, err);
	if (fd)
		d->node = fd->node;
	if (absent)
		topology_set_absent(t, index);
	if (json_is_null(state))
		return 0;
	return fd->ops->device_restore(fd->live.handle, takeover_name(name, "device", d->name),
				       state, given, &d->live.handle, err);
}

int restore_topology(const struct driver_env *env, struct topology *t, const json_t *record,
		     struct descriptors *given, struct ioasidctl_error **err)
{
	const json_t *devices = json_object_get(record, "devices"),
		     *fds = json_object_get(record, "fds");
	int ret = restore_memories(t, json_object_get(record, "memories"), given, err);

	if (!ret &&
	    (json_object_size(devices) != t->n_devices || json_object_size(fds) != t->n_fds))
		ret = misfit(t, "its fds and devices", err);
	for (size_t i = 0; !ret && i < t->n_fds; i++)
		ret = restore_fd(env, t, &t->fds[i], json_object_get(fds, t->fds[i].name), given,
				 err);
	for (uint32_t i = 0; !ret && i < t->n_devices; i++)
		ret = restore_device(t, i, json_object_get(devices, t->devices[i].name), given,
				     err);
	return ret;
}

void leave_topology(struct topology *t)
{
	/* An fd first: from then on closing its devices concerns this process alone. */
	for (size_t i = 0; i < t->n_fds; i++)
		if (t->fds[i].live.handle && t->fds[i].ops->leave)
			t->fds[i].ops->leave(t->fds[i].live.handle);
	for (size_t i = 0; i < t->n_devices; i++)
		if (t->devices[i].live.handle)
			device_ops(t, &t->devices[i])->device_close(t->devices[i].live.handle);
	for (size_t i = 0; i < t->n_fds; i++)
		if (t->fds[i].live.handle && !t->fds[i].ops->leave)
			t->fds[i].ops->close(t->fds[i].live.handle);
	for (size_t i = 0; i < t->n_memories; i++)
		memory_destroy(&t->memories[i]);
	topology_free(t);
}

int adopt_topology(struct topology *t, struct ioasidctl_error **err)
{
	int ret = 0;

	if (takeover_check(t, NULL))
		return 0;
	for (size_t i = 0; !ret && i < t->n_fds; i++)
		if (t->fds[i].live.handle && t->fds[i].ops->adopt)
			ret = t->fds[i].ops->adopt(t->fds[i].live.handle, err);
	return ret;
}

static void probe_fd(const struct iommu_fd *fd, void (*said)(void *data, const char *what),
		     void *data)
{
	char what[3 * NAME_MAX_LENGTH];

	for (size_t i = 0; i < fd->n_ioasids; i++) {
		if (!fd->ioasids[i].live.exists ||
		    !fd->ops->ioasid_probe(fd->live.handle, fd->ioasids[i].live.id))
			continue;
		snprintf(what, sizeof(what), "IOASID %s/%s", fd->name, fd->ioasids[i].name);
		said(data, what);
	}
	for (size_t i = 0; i < fd->n_viommus; i++) {
		if (!fd->viommus[i].live.exists || !fd->ops->viommu_probe ||
		    !fd->ops->viommu_probe(fd->live.handle, fd->viommus[i].live.id))
			continue;
		snprintf(what, sizeof(what), "vIOMMU %s/%s", fd->name, fd->viommus[i].name);
		said(data, what);
	}
}

void probe_topology(const struct topology *t, void (*said)(void *data, const char *what),
		    void *data)
{
	char what[3 * NAME_MAX_LENGTH];

	for (size_t i = 0; i < t->n_fds; i++)
		if (t->fds[i].live.handle)
			probe_fd(&t->fds[i], said, data);
	for (size_t i = 0; i < t->n_devices; i++) {
		const struct device *d = &t->devices[i];

		if (!d->live.bound ||
		    !device_ops(t, d)->device_probe(t->fds[d->fd].live.handle, d->live.handle))
			continue;
		snprintf(what, sizeof(what), "device %s", d->name);
		said(data, what);
	}
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* A slice of an IOMMU for one guest, and what belongs to it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "driver/iommufd.h"

struct iommufd_viommu *iommufd_find_viommu(const struct driver_fd *fd, uint32_t id)
{
	struct iommufd_viommu *v = fd->viommus;

	while (v && v->id != id)
		v = v->next;
	return v;
}

static void viommu_done(struct iommufd_viommu *v)
{
	iommufd_queue_done(&v->events);
	while (v->vdevices) {
		struct iommufd_vdevice *d = v->vdevices;

		v->vdevices = d->next;
		free(d);
	}
	free(v->name);
	free(v);
}

static void viommu_donep(struct iommufd_viommu **v)
{
	if (*v)
		viommu_done(*v);
}

void iommufd_viommus_done(struct driver_fd *fd)
{
	while (fd->viommus) {
		struct iommufd_viommu *v = fd->viommus;

		fd->viommus = v->next;
		viommu_done(v);
	}
}

static struct iommufd_viommu *viommu_new(const struct viommu *spec)
{
	struct iommufd_viommu *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->events.fd = -1;
	v->type = spec->type;
	v->name = strdup(spec->name);
	if (v->name)
		return v;
	free(v);
	return NULL;
}

static uint32_t viommu_number(enum viommu_type type)
{
	switch (type) {
	case VIOMMU_ARM_SMMUV3:
		return IOMMUFD_VIOMMU_ARM_SMMUV3;
	case VIOMMU_TEGRA241_CMDQV:
		return IOMMUFD_VIOMMU_TEGRA241_CMDQV;
	default:
		return IOMMUFD_VIOMMU_MOCK;
	}
}

/* The kernel takes no default: it's the plain one of the device's IOMMU. */
static int choose_type(struct driver_fd *fd, struct driver_device *dev, struct iommufd_viommu *v,
		       struct ioasidctl_error **err)
{
	struct device_info info;
	int ret;

	if (v->type != VIOMMU_DEFAULT)
		return 0;
	ret = iommufd_device_info(fd, dev, &info, err);
	if (ret)
		return ret;
	if (!strcmp(info.type, "smmuv3")) {
		v->type = VIOMMU_ARM_SMMUV3;
		return 0;
	}
	if (!strcmp(info.type, "mock")) {
		v->type = VIOMMU_MOCK;
		return 0;
	}
	ret = error_new(err, ERROR_REFUSED, EOPNOTSUPP, "%s: Linux has no viommus of %s", v->name,
			info.type);
	error_cause(err, "that is the IOMMU of %s", dev->label);
	error_hint(err, "put the nested IOASID on its parent alone: leave `viommu` out");
	return ret;
}

struct viommu_try {
	struct driver_fd *fd;
	struct driver_device *dev;
	struct iommufd_viommu *v;
	const char *parent; /* its name */
	struct iommufd_viommu_alloc args;
	struct iommufd_viommu_tegra241_cmdqv cmdqv;
};

static int try_viommu(void *data, uint32_t hwpt)
{
	struct viommu_try *try = data;

	try->args.hwpt_id = hwpt;
	return iommufd_viommu_alloc(try->fd, &try->args);
}

static void fail_viommu(void *data, int ret, struct ioasidctl_error **err)
{
	struct viommu_try *try = data;

	iommufd_fail(err, "IOMMU_VIOMMU_ALLOC", ret, "can't make %s on %s for %s", try->v->name,
		     try->parent, try->dev->label);
	iommufd_explain_viommu(try->fd, try->dev, try->v->type, -ret, err);
}

int iommufd_viommu_make(struct driver_fd *fd, const struct viommu *spec, uint32_t parent,
			struct driver_device *dev, uint32_t *id, struct ioasidctl_error **err)
{
	_cleanup_(viommu_donep)
	struct iommufd_viommu *v = viommu_new(spec);
	struct viommu_try try = {.fd = fd, .dev = dev, .v = v};
	const struct iommufd_hwpt_user user = {try_viommu, fail_viommu, &try};
	struct iommufd_space *below;
	int ret;

	if (!v)
		return error_nomem(err);
	ret = iommufd_find_parent(fd, parent, spec->name, &below, err);
	if (!ret)
		ret = choose_type(fd, dev, v, err);
	if (ret)
		return ret;
	try.parent = below->name;
	try.args.type = viommu_number(v->type);
	try.args.dev_id = dev->id;
	if (v->type == VIOMMU_TEGRA241_CMDQV) {
		try.args.data_len = sizeof(try.cmdqv);
		try.args.data_uptr = (uintptr_t)&try.cmdqv;
	}
	ret = iommufd_with_hwpt(fd, below, dev, &user, err);
	if (ret)
		return ret;
	v->id = try.args.out_viommu_id;
	v->parent_hwpt = try.args.hwpt_id;
	v->next = fd->viommus;
	fd->viommus = v;
	*id = v->id;
	v = NULL;
	return 0;
}

int iommufd_viommu_free(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err)
{
	struct iommufd_viommu **link = &fd->viommus, *v;
	uint32_t below;
	int ret;

	while (*link && (*link)->id != id)
		link = &(*link)->next;
	v = *link;
	ret = iommufd_destroy(fd, id);
	if (ret) {
		iommufd_fail(err, "IOMMU_DESTROY", ret, "can't free viommu %s", v ? v->name : "");
		if (ret == -EBUSY)
			error_cause(err, "a nested IOASID, vdevice or queue is still on it");
		return ret;
	}
	if (!v)
		return 0;
	below = v->parent_hwpt;
	*link = v->next;
	viommu_done(v);
	iommufd_release_hwpt(fd, below);
	return 0;
}

int iommufd_viommu_probe(struct driver_fd *fd, uint32_t id)
{
	/* Whatever else it says of no entries of no type, it has found the object. */
	struct iommufd_hwpt_invalidate args = {.hwpt_id = id};
	int ret = iommufd_hwpt_invalidate(fd, &args);

	return ret == -ENOENT ? ret : 0;
}

int iommufd_vdevice_make(struct driver_fd *fd, uint32_t viommu, struct driver_device *dev,
			 uint64_t virt_id, uint32_t *id, struct ioasidctl_error **err)
{
	struct iommufd_viommu *v = iommufd_find_viommu(fd, viommu);
	struct iommufd_vdevice *d = calloc(1, sizeof(*d));
	struct iommufd_vdevice_alloc args = {
		.viommu_id = viommu, .dev_id = dev->id, .virt_id = virt_id};
	int ret;

	if (!d)
		return error_nomem(err);
	ret = iommufd_vdevice_alloc(fd, &args);
	if (ret) {
		free(d);
		iommufd_fail(err, "IOMMU_VDEVICE_ALLOC", ret,
			     "can't make %s known to %s as 0x%" PRIx64, dev->label,
			     v ? v->name : "its viommu", virt_id);
		return ret;
	}
	d->id = args.out_vdevice_id;
	d->virt_id = virt_id;
	if (v) {
		d->next = v->vdevices;
		v->vdevices = d;
	} else {
		free(d);
	}
	*id = args.out_vdevice_id;
	return 0;
}

static void forget_vdevice(struct driver_fd *fd, uint32_t id)
{
	for (struct iommufd_viommu *v = fd->viommus; v; v = v->next)
		for (struct iommufd_vdevice **link = &v->vdevices; *link; link = &(*link)->next)
			if ((*link)->id == id) {
				struct iommufd_vdevice *d = *link;

				*link = d->next;
				free(d);
				return;
			}
}

int iommufd_vdevice_free(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err)
{
	int ret = iommufd_destroy(fd, id);

	if (ret)
		return iommufd_fail(err, "IOMMU_DESTROY", ret, "can't free vdevice %u", id);
	forget_vdevice(fd, id);
	return 0;
}

static int refuse_queue(const struct iommufd_viommu *v, struct ioasidctl_error **err)
{
	int ret =
		error_new(err, ERROR_REFUSED, EOPNOTSUPP, "%s can't have hardware queues", v->name);

	error_cause(err, "viommus of type %s have none", viommu_type_names[v->type]);
	error_hint(err, "leave `queues` out; type tegra241-cmdqv has them");
	return ret;
}

int iommufd_hw_queue_make(struct driver_fd *fd, uint32_t viommu, const struct hw_queue *spec,
			  uint32_t *id, struct ioasidctl_error **err)
{
	const struct iommufd_viommu *v = iommufd_find_viommu(fd, viommu);
	struct iommufd_hw_queue_alloc args = {
		.viommu_id = viommu,
		.index = spec->index,
		.nesting_parent_iova = spec->iova,
		.length = spec->length,
	};
	int ret;

	if (!v)
		return error_new(err, ERROR_KERNEL, ENOENT, "there is no viommu %u", viommu);
	if (v->type == VIOMMU_ARM_SMMUV3)
		return refuse_queue(v, err);
	args.type =
		v->type == VIOMMU_MOCK ? IOMMUFD_HW_QUEUE_MOCK : IOMMUFD_HW_QUEUE_TEGRA241_CMDQV;
	ret = iommufd_hw_queue_alloc(fd, &args);
	if (ret)
		return iommufd_fail(err, "IOMMU_HW_QUEUE_ALLOC", ret,
				    "can't give %s hardware queue %u at 0x%" PRIx64, v->name,
				    spec->index, spec->iova);
	*id = args.out_hw_queue_id;
	return 0;
}

int iommufd_hw_queue_free(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err)
{
	int ret = iommufd_destroy(fd, id);

	return ret ? iommufd_fail(err, "IOMMU_DESTROY", ret, "can't free hardware queue %u", id)
		   : 0;
}

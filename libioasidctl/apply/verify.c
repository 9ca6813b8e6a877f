// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reading back, as far as the interface can be asked. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "apply/execution.h"
#include "base/cleanup.h"
#include "base/number.h"

/* The walk over what the kernel lists, beside what should be there. */
struct comparison {
	const struct iommu_fd *fd;
	const struct ioasid *ioasid;
	size_t next; /* mapping expected next */
	struct ioasidctl_error **err;
	int ret;
};

static int differs(const struct comparison *c, const char *what, uint64_t iova, uint64_t length)
{
	int ret = error_new(c->err, ERROR_VERIFY, EIO,
			    "%s/%s: mapping 0x%" PRIx64 "-0x%" PRIx64 " %s", c->fd->name,
			    c->ioasid->name, iova, range_last(iova, length), what);

	error_hint(c->err, "somebody else changed this address space meanwhile, or the driver or "
			   "kernel has a fault; --no-verify skips the reading back");
	return ret;
}

static int compare_mapping(void *data, uint64_t iova, uint64_t length, uint8_t access)
{
	struct comparison *c = data;
	const struct mapping *m = c->next < c->ioasid->n_maps ? &c->ioasid->maps[c->next] : NULL;

	if (m && m->iova < iova)
		return c->ret = differs(c, "is missing", m->iova, m->length);
	if (!m || m->iova != iova || m->length != length)
		return c->ret = differs(c, "is there but not declared", iova, length);
	if (m->access != access)
		return c->ret = differs(c, "has other access rights than declared", iova, length);
	c->next++;
	return 0;
}

static int verify_list(const struct iommu_fd *fd, const struct ioasid *ioasid,
		       struct ioasidctl_error **err)
{
	struct comparison c = {.fd = fd, .ioasid = ioasid, .err = err};
	int ret;

	ret = fd->ops->list_mappings(fd->live.handle, ioasid->live.id, compare_mapping, &c, err);
	if (c.ret)
		return c.ret;
	if (ret)
		return ret;
	if (c.next < ioasid->n_maps)
		return differs(&c, "is missing", ioasid->maps[c.next].iova,
			       ioasid->maps[c.next].length);
	return 0;
}

static bool covered(const struct ioasid_info *info, const struct mapping *m)
{
	for (size_t i = 0; i < info->n_ranges; i++)
		if (info->ranges[i].first <= m->iova &&
		    range_last(m->iova, m->length) <= info->ranges[i].last)
			return true;
	return false;
}

/* Without a list: each mapping must at least lie in what the kernel allows. */
static int verify_ranges(const struct iommu_fd *fd, const struct ioasid *ioasid,
			 struct ioasidctl_error **err)
{
	struct comparison c = {.fd = fd, .ioasid = ioasid, .err = err};
	struct ioasid_info info = {0};
	int ret = fd->ops->ioasid_info(fd->live.handle, ioasid->live.id, &info, err);

	for (size_t i = 0; !ret && i < ioasid->n_maps; i++)
		if (!covered(&info, &ioasid->maps[i]))
			ret = differs(&c, "is outside what the devices can reach",
				      ioasid->maps[i].iova, ioasid->maps[i].length);
	ioasid_info_done(&info);
	return ret;
}

static bool is_sorted(const struct ioasid *ioasid)
{
	for (size_t i = 1; i < ioasid->n_maps; i++)
		if (mapping_compare(&ioasid->maps[i - 1], &ioasid->maps[i]) > 0)
			return false;
	return true;
}

/* While a plan runs, mappings that the kernel has placed are still where the plan knows them. */
static int verify_mappings(const struct iommu_fd *fd, const struct ioasid *ioasid,
			   struct ioasidctl_error **err)
{
	_cleanup_free_ struct mapping *maps = NULL;
	struct ioasid sorted = *ioasid;

	if (!is_sorted(ioasid)) {
		maps = calloc(ioasid->n_maps, sizeof(*maps));
		if (!maps)
			return error_nomem(err);
		memcpy(maps, ioasid->maps, ioasid->n_maps * sizeof(*maps));
		sorted.maps = maps;
		ioasid_sort_mappings(&sorted);
	}
	return fd->ops->list_mappings ? verify_list(fd, &sorted, err)
				      : verify_ranges(fd, &sorted, err);
}

static int verify_viommu(const struct iommu_fd *fd, const struct viommu *viommu,
			 struct ioasidctl_error **err)
{
	if (fd->ops->viommu_probe && fd->ops->viommu_probe(fd->live.handle, viommu->live.id))
		return error_new(err, ERROR_VERIFY, ENOENT, "%s/%s is gone right after it was made",
				 fd->name, viommu->name);
	return 0;
}

static int verify_ioasid(const struct iommu_fd *fd, const struct ioasid *ioasid,
			 struct ioasidctl_error **err)
{
	if (fd->ops->ioasid_probe(fd->live.handle, ioasid->live.id))
		return error_new(err, ERROR_VERIFY, ENOENT, "%s/%s is gone right after it was made",
				 fd->name, ioasid->name);
	if (ioasid->kind != IOASID_GPA)
		return 0;
	return verify_mappings(fd, ioasid, err);
}

int verify_topology(const struct topology *t, struct ioasidctl_error **err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < t->n_fds; i++)
		for (size_t j = 0; !ret && j < t->fds[i].n_ioasids; j++)
			ret = verify_ioasid(&t->fds[i], &t->fds[i].ioasids[j], err);
	for (size_t i = 0; !ret && i < t->n_fds; i++)
		for (size_t j = 0; !ret && j < t->fds[i].n_viommus; j++)
			ret = verify_viommu(&t->fds[i], &t->fds[i].viommus[j], err);
	for (size_t i = 0; !ret && i < t->n_devices; i++) {
		const struct device *d = &t->devices[i];

		if (d->live.bound &&
		    device_ops(t, d)->device_probe(t->fds[d->fd].live.handle, d->live.handle))
			ret = error_new(err, ERROR_VERIFY, ENODEV,
					"device %s is gone right after it was bound", d->name);
	}
	return ret;
}

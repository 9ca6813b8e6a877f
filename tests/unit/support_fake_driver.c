// SPDX-License-Identifier: GPL-2.0-or-later
#include "support_fake_driver.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "support_fake_state.h"

static struct driver_fd fds[MAX_OBJECTS];
struct driver_device fake_devices[MAX_OBJECTS];
size_t fake_n_devices;
static int calls, fail_at, fail_again_at;
static bool lose_mappings;
static uint32_t iova_bits;

void fake_reset(void)
{
	memset(fds, 0, sizeof(fds));
	memset(fake_devices, 0, sizeof(fake_devices));
	fake_revoke_bars(NULL);
	memset(fake_driver.missing, 0, sizeof(fake_driver.missing));
	fake_driver.viommu_alloc = fake_viommu_calls.viommu_alloc;
	fake_driver.viommu_free = fake_viommu_calls.viommu_free;
	fake_driver.vdevice_alloc = fake_viommu_calls.vdevice_alloc;
	fake_driver.vdevice_free = fake_viommu_calls.vdevice_free;
	fake_driver.queue_alloc = fake_viommu_calls.queue_alloc;
	fake_driver.queue_free = fake_viommu_calls.queue_free;
	fake_driver.events_alloc = fake_viommu_calls.events_alloc;
	fake_driver.events_free = fake_viommu_calls.events_free;
	fake_driver.viommu_probe = fake_viommu_calls.viommu_probe;
	fake_driver.set_vfio_compat = fake_viommu_calls.set_vfio_compat;
	fake_driver.device_bar_fd = fake_bar_fd;
	fake_n_devices = 0;
	calls = 0;
	fail_at = fail_again_at = -1;
	lose_mappings = false;
	iova_bits = 0;
	fake_tell_members(false);
}

void fake_fail_at(int call)
{
	fake_fail_at_both(call, -1);
}

void fake_fail_at_both(int call, int other)
{
	fail_at = call;
	fail_again_at = other;
	calls = 0;
}

int fake_calls(void)
{
	return calls;
}

void fake_lose_mappings(bool lose)
{
	lose_mappings = lose;
}

void fake_add_device(const char *address, const char *driver, uint32_t group)
{
	struct driver_device *d = &fake_devices[fake_n_devices++];

	snprintf(d->address, sizeof(d->address), "%s", address);
	snprintf(d->driver, sizeof(d->driver), "%s", driver);
	d->group = group;
	d->attached = -1;
}

void fake_iova_bits(uint32_t bits)
{
	iova_bits = bits;
}

int fake_step(const char *what, struct ioasidctl_error **err)
{
	int call = calls++;

	if (call != fail_at && call != fail_again_at)
		return 0;
	return error_new(err, ERROR_KERNEL, EIO, "%s failed as it was told to", what);
}

struct driver_device *fake_device_at(const char *address)
{
	for (size_t i = 0; i < fake_n_devices; i++)
		if (!strcmp(fake_devices[i].address, address) && !fake_devices[i].gone)
			return &fake_devices[i];
	return NULL;
}

void fake_unplug(const char *address)
{
	fake_device_at(address)->gone = true;
}

void fake_plug(const char *address, const char *driver)
{
	for (size_t i = 0; i < fake_n_devices; i++)
		if (!strcmp(fake_devices[i].address, address)) {
			fake_devices[i].gone = false;
			snprintf(fake_devices[i].driver, sizeof(fake_devices[i].driver), "%s",
				 driver);
		}
}

static bool is_bound(const struct driver_device *other, const struct driver_device *d)
{
	(void)d;
	return other->fd;
}

static bool is_bound_elsewhere(const struct driver_device *other, const struct driver_device *d)
{
	return other->fd && other->fd != d->fd;
}

static bool is_attached(const struct driver_device *other, const struct driver_device *d)
{
	(void)d;
	return other->attached >= 0;
}

/* The other member of the device's group of which that is true. */
static struct driver_device *group_mate(const struct driver_device *d,
					bool (*test)(const struct driver_device *other,
						     const struct driver_device *d))
{
	for (size_t i = 0; i < fake_n_devices; i++)
		if (&fake_devices[i] != d && fake_devices[i].group == d->group &&
		    test(&fake_devices[i], d))
			return &fake_devices[i];
	return NULL;
}

static int fake_available(const struct driver_env *env, const char *node,
			  struct ioasidctl_error **err)
{
	(void)env, (void)node, (void)err;
	return 0;
}

static int fake_open(const struct driver_env *env, const struct iommu_fd *spec,
		     struct driver_fd **out, struct ioasidctl_error **err)
{
	int ret = fake_step("open", err);

	(void)env, (void)spec;
	if (ret)
		return ret;
	for (size_t i = 0; i < MAX_OBJECTS; i++)
		if (!fds[i].open) {
			memset(&fds[i], 0, sizeof(fds[i]));
			fds[i].open = true;
			fds[i].compat = NO_INDEX;
			*out = &fds[i];
			return 0;
		}
	return -EMFILE;
}

static void fake_close(struct driver_fd *fd)
{
	fd->open = false;
}

static int fake_fd_number(const struct driver_fd *fd)
{
	(void)fd;
	return -1;
}

static int fake_find(const struct driver_env *env, const struct device *spec,
		     struct device_facts *out, struct ioasidctl_error **err)
{
	const struct driver_device *d = fake_device_at(spec->address);

	(void)env, (void)err;
	out->present = d;
	if (!d)
		return 0;
	out->group = d->group;
	out->driver = *d->driver ? strdup(d->driver) : NULL;
	fake_host_facts(d, out);
	return 0;
}

static int fake_set_driver(const struct driver_env *env, const struct device *spec,
			   const char *driver, char **original, struct ioasidctl_error **err)
{
	struct driver_device *d = fake_device_at(spec->address);
	int ret = fake_step("set driver", err);

	(void)env;
	if (ret)
		return ret;
	/* As in Linux: a driver that does DMA of its own can't have a device of an owned group. */
	if (d->open || (*driver && !strstr(driver, "vfio") && group_mate(d, is_bound)))
		return error_new(err, ERROR_BUSY, EBUSY, "%s can't be bound to %s", d->address,
				 driver);
	if (original)
		*original = strdup(d->driver);
	snprintf(d->driver, sizeof(d->driver), "%s", driver);
	return 0;
}

static int fake_device_open(const struct driver_env *env, const struct device *spec,
			    struct driver_device **out, struct ioasidctl_error **err)
{
	struct driver_device *d = fake_device_at(spec->address);
	int ret = fake_step("open device", err);

	(void)env;
	if (ret)
		return ret;
	if (d->open)
		return error_new(err, ERROR_BUSY, EBUSY, "%s is open", d->address);
	d->open = true;
	*out = d;
	return 0;
}

static void fake_device_close(struct driver_device *dev)
{
	if (dev->fd && fake_has_vdevice(dev->fd, dev))
		dev->fd->leaked++;
	dev->open = false;
	fake_revoke_bars(dev);
	memset(dev->pasids, 0, sizeof(dev->pasids));
	dev->fd = NULL;
	dev->attached = -1;
}

static int fake_device_fd_number(const struct driver_device *dev)
{
	(void)dev;
	return -1;
}

static int fake_bind(struct driver_fd *fd, struct driver_device *dev, uint32_t *id,
		     struct ioasidctl_error **err)
{
	int ret = fake_step("bind", err);

	if (ret)
		return ret;
	if (dev->fd)
		return error_new(err, ERROR_BUSY, EBUSY, "%s is bound", dev->address);
	dev->fd = fd;
	if (group_mate(dev, is_bound_elsewhere)) {
		dev->fd = NULL;
		return error_new(err, ERROR_BUSY, EBUSY, "the group of %s is bound elsewhere",
				 dev->address);
	}
	*id = (uint32_t)(dev - fake_devices);
	return 0;
}

static int fake_device_info(struct driver_fd *fd, struct driver_device *dev,
			    struct device_info *out, struct ioasidctl_error **err)
{
	(void)fd, (void)dev, (void)err;
	*out = (struct device_info){.type = "none", .iova_bits = iova_bits};
	return 0;
}

static int fake_alloc(struct driver_fd *fd, const struct ioasid *spec, const struct nesting *on,
		      uint32_t *id, struct ioasidctl_error **err)
{
	int ret = fake_step("alloc", err);

	if (on && on->device && on->device->fd != fd)
		return error_new(err, ERROR_KERNEL, EINVAL, "%s is not bound here",
				 on->device->address);
	for (uint32_t i = 0; !ret && i < MAX_OBJECTS; i++)
		if (!fd->ioasids[i].exists) {
			memset(&fd->ioasids[i], 0, sizeof(fd->ioasids[i]));
			fd->ioasids[i].exists = true;
			fd->ioasids[i].flags = spec->flags;
			fd->ioasids[i].nested = on;
			fd->ioasids[i].parent = on ? on->parent : NO_INDEX;
			fd->ioasids[i].viommu = on ? on->viommu : NO_INDEX;
			*id = i;
			return 0;
		}
	return ret ? ret : -ENOSPC;
}

static int fake_free(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err)
{
	int ret = fake_step("free", err);

	for (size_t i = 0; i < fake_n_devices; i++) {
		bool in = fake_devices[i].fd == fd && fake_devices[i].attached == (int)id;

		for (size_t j = 0; fake_devices[i].fd == fd && j < MAX_PASIDS; j++)
			in |= fake_devices[i].pasids[j].pasid &&
			      fake_devices[i].pasids[j].ioasid == (int)id;
		if (in)
			return error_new(err, ERROR_BUSY, EBUSY, "ioasid is in use");
	}
	for (size_t i = 0; i < MAX_OBJECTS; i++)
		if (fd->ioasids[i].exists && fd->ioasids[i].nested && fd->ioasids[i].parent == id)
			return error_new(err, ERROR_BUSY, EBUSY, "ioasid has children");
	if (fake_viommu_uses(fd, id) || fd->compat == id)
		return error_new(err, ERROR_BUSY, EBUSY, "ioasid is referred to");
	if (!ret)
		fd->ioasids[id].exists = false;
	return ret;
}

static int fake_info(struct driver_fd *fd, uint32_t id, struct ioasid_info *out,
		     struct ioasidctl_error **err)
{
	(void)fd, (void)id, (void)err;
	*out = (struct ioasid_info){0};
	return 0;
}

static int fake_allow(struct driver_fd *fd, uint32_t id, const struct range *ranges, size_t n,
		      struct ioasidctl_error **err)
{
	int ret = fake_step("allow", err);

	(void)ranges;
	if (!ret)
		fd->ioasids[id].n_allow = n;
	return ret;
}

static bool fake_wants_va(const struct driver_fd *fd, const struct memory *memory)
{
	(void)fd, (void)memory;
	return false;
}

static int insert(struct driver_fd *fd, uint32_t id, struct fake_mapping m,
		  struct ioasidctl_error **err)
{
	size_t n = fd->ioasids[id].n_maps, at = 0;
	struct fake_mapping *maps = fd->ioasids[id].maps;

	while (at < n && maps[at].iova < m.iova)
		at++;
	if ((at && maps[at - 1].iova + maps[at - 1].length > m.iova) ||
	    (at < n && m.iova + m.length > maps[at].iova))
		return error_new(err, ERROR_KERNEL, EEXIST, "mappings overlap");
	memmove(&maps[at + 1], &maps[at], (n - at) * sizeof(m));
	maps[at] = m;
	fd->ioasids[id].n_maps++;
	return 0;
}

static int fake_map(struct driver_fd *fd, uint32_t id, const struct map_args *args,
		    struct ioasidctl_error **err)
{
	struct fake_mapping m = {args->iova, args->length, args->offset, args->access};
	int ret = fake_step("map", err);

	if (ret)
		return ret;
	if (fake_is_revoked(args->fd))
		return error_new(err, ERROR_KERNEL, ENODEV, "the device has been closed");
	/* Behind everything that is there. */
	if (args->placed) {
		const size_t n = fd->ioasids[id].n_maps;
		const struct fake_mapping *last = &fd->ioasids[id].maps[n ? n - 1 : 0];

		m.iova = n ? last->iova + last->length : 0x100000;
		*args->placed = m.iova;
	}
	return insert(fd, id, m, err);
}

static int fake_copy(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t length,
		     uint8_t access, uint32_t source, uint64_t from, struct ioasidctl_error **err)
{
	int ret = fake_step("copy", err);

	for (size_t i = 0; !ret && i < fd->ioasids[source].n_maps; i++) {
		const struct fake_mapping *s = &fd->ioasids[source].maps[i];

		if (s->iova == from && s->length == length)
			return insert(fd, id,
				      (struct fake_mapping){iova, length, s->offset, access}, err);
	}
	return ret ? ret : error_new(err, ERROR_KERNEL, ENOENT, "nothing to copy");
}

static int fake_unmap(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t length,
		      struct ioasidctl_error **err)
{
	int ret = fake_step("unmap", err);

	for (size_t i = 0; !ret && i < fd->ioasids[id].n_maps; i++) {
		struct fake_mapping *m = &fd->ioasids[id].maps[i];

		if (m->iova != iova || m->length != length)
			continue;
		if (fake_queue_in(fd, id, iova, length))
			return error_new(err, ERROR_BUSY, EBUSY, "a queue lies there");
		memmove(m, m + 1, (fd->ioasids[id].n_maps - i - 1) * sizeof(*m));
		fd->ioasids[id].n_maps--;
		return 0;
	}
	return ret ? ret : error_new(err, ERROR_KERNEL, ENOENT, "nothing to unmap");
}

static int fake_list(struct driver_fd *fd, uint32_t id,
		     int (*each)(void *data, uint64_t iova, uint64_t length, uint8_t access),
		     void *data, struct ioasidctl_error **err)
{
	int ret = 0;

	(void)err;
	for (size_t i = 0; !ret && !lose_mappings && i < fd->ioasids[id].n_maps; i++)
		ret = each(data, fd->ioasids[id].maps[i].iova, fd->ioasids[id].maps[i].length,
			   fd->ioasids[id].maps[i].access);
	return ret;
}

static int attach_pasid(struct driver_device *dev, uint32_t id, uint32_t pasid,
			struct ioasidctl_error **err)
{
	size_t at = 0, vacant = MAX_PASIDS;

	for (; at < MAX_PASIDS && dev->pasids[at].pasid != pasid; at++)
		if (!dev->pasids[at].pasid)
			vacant = at;
	at = at < MAX_PASIDS ? at : vacant;
	if (at == MAX_PASIDS || !(dev->fd->ioasids[id].flags & IOASID_FLAG_PASID) ||
	    (dev->attached >= 0 && !(dev->fd->ioasids[dev->attached].flags & IOASID_FLAG_PASID)))
		return error_new(err, ERROR_KERNEL, EINVAL, "no PASIDs there");
	dev->pasids[at].pasid = pasid;
	dev->pasids[at].ioasid = (int)id;
	return 0;
}

static bool has_pasids(const struct driver_device *dev)
{
	for (size_t i = 0; i < MAX_PASIDS; i++)
		if (dev->pasids[i].pasid)
			return true;
	return false;
}

static int fake_attach(struct driver_fd *fd, struct driver_device *dev, uint32_t id, uint32_t pasid,
		       struct ioasidctl_error **err)
{
	const struct driver_device *mate = group_mate(dev, is_attached);
	int ret = fake_step("attach", err);

	if (ret)
		return ret;
	if (dev->fd != fd)
		return error_new(err, ERROR_KERNEL, EINVAL, "%s is not bound here", dev->address);
	for (size_t i = 0; iova_bits && i < fd->ioasids[id].n_maps; i++)
		if ((fd->ioasids[id].maps[i].iova + fd->ioasids[id].maps[i].length - 1) >>
		    iova_bits)
			return error_new(err, ERROR_KERNEL, EADDRINUSE, "out of reach");
	if (pasid != NO_PASID)
		return attach_pasid(dev, id, pasid, err);
	if (has_pasids(dev) && !(fd->ioasids[id].flags & IOASID_FLAG_PASID))
		return error_new(err, ERROR_KERNEL, EINVAL, "%s has PASIDs", dev->address);
	/* As in Linux: who is in moves the whole group, who isn't joins it where it is. */
	if (dev->attached < 0 && mate && mate->attached != (int)id)
		return error_new(err, ERROR_KERNEL, EINVAL, "the group of %s is somewhere else",
				 dev->address);
	dev->attached = (int)id;
	for (size_t i = 0; i < fake_n_devices; i++)
		if (fake_devices[i].group == dev->group && fake_devices[i].attached >= 0)
			fake_devices[i].attached = (int)id;
	return 0;
}

static int fake_detach(struct driver_fd *fd, struct driver_device *dev, uint32_t pasid,
		       struct ioasidctl_error **err)
{
	int ret = fake_step("detach", err);

	(void)fd;
	if (ret)
		return ret;
	if (pasid == NO_PASID)
		dev->attached = -1;
	for (size_t i = 0; pasid != NO_PASID && i < MAX_PASIDS; i++)
		if (dev->pasids[i].pasid == pasid)
			dev->pasids[i].pasid = 0;
	return 0;
}

static int fake_ioasid_probe(struct driver_fd *fd, uint32_t id)
{
	return fd->ioasids[id].exists ? 0 : -ENOENT;
}

static int fake_device_probe(struct driver_fd *fd, struct driver_device *dev)
{
	return dev->fd == fd ? 0 : -ENOENT;
}

struct driver fake_driver = {
	.name = "fake",
	.choice = DRIVER_IOASID,
	.available = fake_available,
	.open = fake_open,
	.close = fake_close,
	.fd_number = fake_fd_number,
	.device_find = fake_find,
	.device_set_driver = fake_set_driver,
	.device_carries = fake_device_carries,
	.device_users = fake_device_users,
	.device_set_vfs = fake_set_vfs,
	.device_set_override = fake_set_override,
	.device_open = fake_device_open,
	.device_close = fake_device_close,
	.device_fd_number = fake_device_fd_number,
	.device_bind = fake_bind,
	.device_info = fake_device_info,
	.ioasid_alloc = fake_alloc,
	.ioasid_free = fake_free,
	.ioasid_info = fake_info,
	.allow = fake_allow,
	.wants_va = fake_wants_va,
	.map = fake_map,
	.copy = fake_copy,
	.unmap = fake_unmap,
	.list_mappings = fake_list,
	.attach = fake_attach,
	.detach = fake_detach,
	.tables = UINT32_MAX,
	.viommus = UINT32_MAX,
	.event_viommus = UINT32_MAX,
	.queue_viommus = UINT32_MAX,
	.nested_needs_device = true,
	.ioasid_probe = fake_ioasid_probe,
	.device_probe = fake_device_probe,
};

static void print_fd(FILE *out, size_t i)
{
	fprintf(out, "fd %zu\n", i);
	for (size_t j = 0; j < MAX_OBJECTS; j++) {
		if (!fds[i].ioasids[j].exists)
			continue;
		fprintf(out, "  ioasid %zu flags %x allow %zu", j, fds[i].ioasids[j].flags,
			fds[i].ioasids[j].n_allow);
		if (fds[i].ioasids[j].nested)
			fprintf(out, " on %d, viommu %d", (int)fds[i].ioasids[j].parent,
				(int)fds[i].ioasids[j].viommu);
		fputc('\n', out);
		for (size_t k = 0; k < fds[i].ioasids[j].n_maps; k++) {
			const struct fake_mapping *m = &fds[i].ioasids[j].maps[k];

			fprintf(out, "    %" PRIx64 "+%" PRIx64 " at %" PRIx64 " %s\n", m->iova,
				m->length, m->offset, access_names[m->access]);
		}
	}
	fake_print_viommus(out, &fds[i]);
}

static void print_device(FILE *out, const struct driver_device *d)
{
	fprintf(out, "device %s driver %s open %d fd %td attached %d", d->address, d->driver,
		d->open, d->fd ? d->fd - fds : -1, d->attached);
	fputs(d->gone ? " gone" : "", out);
	for (uint32_t pasid = 1; pasid < 16; pasid++)
		for (size_t i = 0; i < MAX_PASIDS; i++)
			if (d->pasids[i].pasid == pasid)
				fprintf(out, ", pasid %u in %d", pasid, d->pasids[i].ioasid);
	fputc('\n', out);
}

char *fake_snapshot(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < MAX_OBJECTS; i++)
		if (fds[i].open)
			print_fd(out, i);
	for (size_t i = 0; i < fake_n_devices; i++)
		print_device(out, &fake_devices[i]);
	fclose(out);
	return text;
}

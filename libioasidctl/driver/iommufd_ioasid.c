// SPDX-License-Identifier: LGPL-2.1-or-later
/* IOASIDs: a gpa is an IOAS, a nested one an HWPT in the format of its hardware. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "driver/iommufd.h"

/* What vtd-s1 takes where no width is given: four levels. */
#define VTD_ADDRESS_WIDTH 48

struct iommufd_space *iommufd_find_space(const struct driver_fd *fd, uint32_t id)
{
	struct iommufd_space *s = fd->spaces;

	while (s && s->id != id)
		s = s->next;
	return s;
}

static void space_free(struct iommufd_space *space)
{
	iommufd_queue_done(&space->faults);
	while (space->hwpts) {
		struct iommufd_hwpt *h = space->hwpts;

		space->hwpts = h->next;
		free(h);
	}
	free(space->name);
	free(space);
}

static void space_freep(struct iommufd_space **space)
{
	if (*space)
		space_free(*space);
}

void iommufd_spaces_done(struct driver_fd *fd)
{
	while (fd->spaces) {
		struct iommufd_space *s = fd->spaces;

		fd->spaces = s->next;
		space_free(s);
	}
}

static struct iommufd_space *space_new(const struct ioasid *spec)
{
	struct iommufd_space *space = calloc(1, sizeof(*space));

	if (!space)
		return NULL;
	space->name = strdup(spec->name);
	space->flags = spec->flags;
	space->viommu = NO_INDEX;
	space->faults.fd = -1;
	if (space->name)
		return space;
	free(space);
	return NULL;
}

static int refuse_flags(const struct ioasid *spec, struct ioasidctl_error **err)
{
	const uint32_t both = IOASID_FLAG_NEST_PARENT | IOASID_FLAG_FAULT_QUEUE;
	int ret;

	if ((spec->flags & both) != both)
		return 0;
	ret = error_new(err, ERROR_REFUSED, EOPNOTSUPP,
			"%s can't have a fault queue and be a nest_parent", spec->name);
	error_cause(err, "Linux gives faults of a nested translation to the IOASIDs on top");
	error_hint(err, "put fault_queue: true on the nested IOASIDs instead");
	return ret;
}

static int alloc_gpa(struct driver_fd *fd, struct iommufd_space *space,
		     struct ioasidctl_error **err)
{
	uint64_t off = 0;
	int ret = iommufd_ioas_alloc(fd, &space->id);

	if (ret)
		return iommufd_fail(err, "IOMMU_IOAS_ALLOC", ret, "can't allocate %s", space->name);
	if (space->flags & IOASID_FLAG_NO_HUGE)
		ret = iommufd_option(fd, IOMMUFD_OPTION_HUGE_PAGES, IOMMUFD_OPTION_SET, space->id,
				     &off);
	if (ret) {
		iommufd_fail(err, "IOMMU_OPTION", ret, "can't keep %s to small pages", space->name);
		iommufd_destroy(fd, space->id);
	}
	return ret;
}

union table_data {
	struct iommufd_hwpt_vtd_s1 vtd;
	struct iommufd_hwpt_arm_smmuv3 smmuv3;
	struct iommufd_hwpt_amd_guest amd;
	struct iommufd_hwpt_mock mock;
};

/* Fills data with the table as the kernel takes it: its type and length, or type 0. */
static uint32_t encode_table(const struct table *table, union table_data *data, uint32_t *length)
{
	*data = (union table_data){0};
	switch (table->format) {
	case TABLE_VTD_S1:
		data->vtd.pgtbl_addr = table->address;
		data->vtd.addr_width =
			table->address_width ? table->address_width : VTD_ADDRESS_WIDTH;
		*length = sizeof(data->vtd);
		return IOMMUFD_HWPT_TYPE_VTD_S1;
	case TABLE_ARM_SMMUV3:
		for (size_t i = 0; i < ARRAY_SIZE(data->smmuv3.ste); i++)
			data->smmuv3.ste[i] = htole64(table->words[i]);
		*length = sizeof(data->smmuv3);
		return IOMMUFD_HWPT_TYPE_ARM_SMMUV3;
	case TABLE_AMD_GUEST:
		memcpy(data->amd.dte, table->words, sizeof(data->amd.dte));
		*length = sizeof(data->amd);
		return IOMMUFD_HWPT_TYPE_AMD_GUEST;
	case TABLE_MOCK:
		data->mock.iotlb = (uint32_t)table->words[0];
		*length = sizeof(data->mock);
		return IOMMUFD_HWPT_TYPE_MOCK;
	default:
		return IOMMUFD_HWPT_TYPE_NONE;
	}
}

static int refuse_parent(const struct iommufd_space *parent, const char *name,
			 struct ioasidctl_error **err)
{
	int ret;

	if (parent && parent->flags & IOASID_FLAG_NEST_PARENT)
		return 0;
	ret = error_new(err, ERROR_REFUSED, EINVAL, "%s can't be put on %s", name,
			parent ? parent->name : "this parent");
	error_cause(err, "the parent has to be a gpa IOASID with nest_parent: true");
	error_hint(err, "add nest_parent: true to the parent in the config");
	return ret;
}

int iommufd_find_parent(const struct driver_fd *fd, uint32_t id, const char *name,
			struct iommufd_space **parent, struct ioasidctl_error **err)
{
	*parent = iommufd_find_space(fd, id);
	return refuse_parent(*parent, name, err);
}

struct nested_try {
	struct driver_fd *fd;
	struct driver_device *dev;
	const struct ioasid *spec;
	const char *parent; /* its name */
	struct iommufd_hwpt_alloc args;
	uint32_t parent_hwpt; /* of the try that succeeded */
};

static int try_nested(void *data, uint32_t hwpt)
{
	struct nested_try *try = data;

	try->args.pt_id = hwpt;
	try->parent_hwpt = hwpt;
	return iommufd_hwpt_alloc(try->fd, &try->args);
}

static void fail_nested(void *data, int ret, struct ioasidctl_error **err)
{
	struct nested_try *try = data;

	iommufd_fail(err, "IOMMU_HWPT_ALLOC", ret, "can't put %s on %s for %s", try->spec->name,
		     try->parent, try->dev->label);
	iommufd_explain_nested(try->fd, try->dev, try->spec->table.format, -ret, err);
}

static int refuse_format(const struct ioasid *spec, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_REFUSED, EOPNOTSUPP, "%s: Linux has no tables of format %s",
			    spec->name, table_format_names[spec->table.format]);

	error_hint(err, "it has vtd-s1, arm-smmuv3, amd-guest and mock, each for its own hardware; "
			"the reference device (driver: ioasid) has others");
	return ret;
}

static int alloc_nested(struct driver_fd *fd, struct iommufd_space *space,
			const struct ioasid *spec, const struct nesting *on,
			struct ioasidctl_error **err)
{
	struct iommufd_viommu *viommu = iommufd_find_viommu(fd, on->viommu);
	struct iommufd_space *parent;
	union table_data data;
	struct nested_try try = {
		.fd = fd,
		.dev = on->device,
		.spec = spec,
		.args = {.flags = (space->flags & IOASID_FLAG_PASID ? IOMMUFD_HWPT_PASID : 0) |
				  (space->faults.id ? IOMMUFD_HWPT_HAS_FAULT_ID : 0),
			 .data_uptr = (uintptr_t)&data,
			 .fault_id = space->faults.id},
	};
	int ret = iommufd_find_parent(fd, on->parent, spec->name, &parent, err);

	if (ret)
		return ret;
	try.args.data_type = encode_table(&spec->table, &data, &try.args.data_len);
	if (try.args.data_type == IOMMUFD_HWPT_TYPE_NONE)
		return refuse_format(spec, err);
	try.args.dev_id = on->device->id;
	try.parent = viommu ? viommu->name : parent->name;
	if (on->viommu == NO_INDEX) {
		const struct iommufd_hwpt_user user = {try_nested, fail_nested, &try};

		ret = iommufd_with_hwpt(fd, parent, on->device, &user, err);
	} else {
		ret = try_nested(&try, on->viommu);
		if (ret)
			fail_nested(&try, ret, err);
	}
	if (ret)
		return ret;
	space->id = try.args.out_hwpt_id;
	space->format = spec->table.format;
	space->viommu = on->viommu;
	space->parent_hwpt = on->viommu == NO_INDEX ? try.parent_hwpt : NO_OBJECT;
	return 0;
}

static int alloc_faults(struct driver_fd *fd, struct iommufd_space *space,
			struct ioasidctl_error **err)
{
	int ret;

	if (!(space->flags & IOASID_FLAG_FAULT_QUEUE))
		return 0;
	ret = iommufd_fault_alloc(fd, &space->faults.id, &space->faults.fd);
	if (!ret)
		return 0;
	space->faults = (struct iommufd_queue){.fd = -1};
	return iommufd_fail(err, "IOMMU_FAULT_QUEUE_ALLOC", ret, "can't make the fault queue of %s",
			    space->name);
}

int iommufd_ioasid_alloc(struct driver_fd *fd, const struct ioasid *spec, const struct nesting *on,
			 uint32_t *id, struct ioasidctl_error **err)
{
	_cleanup_(space_freep)
	struct iommufd_space *space = space_new(spec);
	int ret = refuse_flags(spec, err);

	if (ret)
		return ret;
	if (!space)
		return error_nomem(err);
	ret = alloc_faults(fd, space, err);
	if (ret)
		return ret;
	ret = on ? alloc_nested(fd, space, spec, on, err) : alloc_gpa(fd, space, err);
	if (ret) {
		iommufd_queue_free(fd, &space->faults);
		return ret;
	}
	*id = space->id;
	space->next = fd->spaces;
	fd->spaces = steal_pointer(space);
	return 0;
}

static struct iommufd_space **link_of(struct driver_fd *fd, const struct iommufd_space *space)
{
	struct iommufd_space **link = &fd->spaces;

	while (*link != space)
		link = &(*link)->next;
	return link;
}

/* What it can still hold: HWPTs that were kept for their dirty pages, or busy when tried. */
static void free_hwpts(struct driver_fd *fd, struct iommufd_space *space)
{
	space->dirty = false;
	iommufd_release_hwpts(fd, space);
}

static int free_queue(struct driver_fd *fd, struct iommufd_space *space,
		      struct ioasidctl_error **err)
{
	int ret = iommufd_queue_free(fd, &space->faults);

	if (!ret)
		return 0;
	iommufd_fail(err, "IOMMU_DESTROY", ret, "can't free the fault queue of %s", space->name);
	if (ret == -EBUSY)
		error_cause(err, "a process that it was handed to has it open");
	return ret;
}

int iommufd_ioasid_free(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err)
{
	struct iommufd_space *space = iommufd_find_space(fd, id);
	uint32_t below = space ? space->parent_hwpt : NO_OBJECT;
	int ret;

	if (space)
		free_hwpts(fd, space);
	ret = iommufd_destroy(fd, id);
	if (ret) {
		iommufd_fail(err, "IOMMU_DESTROY", ret, "can't free %s %u",
			     space && space->format ? "nested HWPT" : "IOAS", id);
		iommufd_explain_free(fd, space, -ret, err);
		return ret;
	}
	if (!space)
		return 0;
	*link_of(fd, space) = space->next;
	ret = free_queue(fd, space, err);
	space_free(space);
	if (below != NO_OBJECT)
		iommufd_release_hwpt(fd, below);
	return ret;
}

static bool is_own_hwpt(const struct iommufd_space *space, uint32_t hwpt)
{
	for (const struct iommufd_hwpt *h = space ? space->hwpts : NULL; h; h = h->next)
		if (h->id == hwpt)
			return true;
	return false;
}

/* Whether a place before this one has the same HWPT. */
static bool is_repeated(const struct driver_fd *fd, const struct iommufd_place *place)
{
	for (const struct driver_device *d = fd->devices; d; d = d->next)
		for (size_t i = 0; i < d->n_places; i++) {
			if (&d->places[i] == place)
				return false;
			if (d->places[i].hwpt == place->hwpt)
				return true;
		}
	return false;
}

/*
 * The HWPTs that an IOASID has: those made here, and those the kernel put its devices into. What
 * has no IOMMU behind it (a mediated device) is in the IOAS itself.
 */
static uint32_t count_hwpts(const struct driver_fd *fd, uint32_t id)
{
	const struct iommufd_space *space = iommufd_find_space(fd, id);
	uint32_t n = 0;

	for (const struct iommufd_hwpt *h = space ? space->hwpts : NULL; h; h = h->next)
		n++;
	for (const struct driver_device *d = fd->devices; d; d = d->next)
		for (size_t i = 0; i < d->n_places; i++) {
			const struct iommufd_place *p = &d->places[i];

			if (p->ioasid == id && p->hwpt != id && !is_own_hwpt(space, p->hwpt) &&
			    !is_repeated(fd, p))
				n++;
		}
	return n;
}

int iommufd_ioasid_info(struct driver_fd *fd, uint32_t id, struct ioasid_info *out,
			struct ioasidctl_error **err)
{
	const struct iommufd_space *space = iommufd_find_space(fd, id);
	int ret;

	/* A nested IOASID is one HWPT, and its addresses are the guest's business. */
	if (space && space->format != TABLE_NONE) {
		*out = (struct ioasid_info){.counted = true, .domains = 1};
		return 0;
	}
	ret = iommufd_ioas_info(fd, id, out, err);
	if (ret)
		return ret;
	out->counted = true;
	out->domains = count_hwpts(fd, id);
	return 0;
}

int iommufd_ioasid_probe(struct driver_fd *fd, uint32_t id)
{
	const struct iommufd_space *space = iommufd_find_space(fd, id);
	struct iommufd_ioas_iova_ranges args = {.size = sizeof(args), .ioas_id = id};
	int ret;

	if (space && space->format != TABLE_NONE)
		return iommufd_viommu_probe(fd, id);
	ret = iommufd_ioas_ranges(fd, &args);
	/* With no room for any range the kernel says how many there are: it exists. */
	return ret == -EMSGSIZE ? 0 : ret;
}

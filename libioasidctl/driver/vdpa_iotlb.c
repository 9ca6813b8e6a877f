// SPDX-License-Identifier: LGPL-2.1-or-later
/* IOASIDs in the IOTLB of a vDPA device. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "driver/vdpa.h"

static bool has_feature(const struct driver_device *dev, unsigned bit)
{
	return dev->features >> bit & 1;
}

static bool same_space(const struct iotlb_space *a, const struct iotlb_space *b)
{
	return a->fd == b->fd && a->ioasid == b->ioasid;
}

static struct vdpa_place *find_place(const struct driver_device *dev, uint32_t group)
{
	for (size_t i = 0; i < dev->n_places; i++)
		if (dev->places[i].group == group)
			return &dev->places[i];
	return NULL;
}

/*
 * The first is that of all groups without a place of their own. Some may still use an ASID that no
 * place has: that can't be changed while they run.
 */
static bool is_free(const struct driver_device *dev, uint32_t asid)
{
	for (size_t i = 0; i < dev->n_places; i++)
		if (dev->places[i].asid == asid)
			return false;
	for (uint32_t g = 0; g < dev->groups; g++)
		if (dev->group_asid[g] == asid)
			return false;
	return asid;
}

static uint32_t find_free(const struct driver_device *dev)
{
	uint32_t asid = 0;

	while (asid < dev->spaces && !is_free(dev, asid))
		asid++;
	return asid < dev->spaces ? asid : NO_INDEX;
}

/* The kernel lets nobody change it while the device runs (EBUSY). */
static int put_group(struct driver_device *dev, uint32_t group, uint32_t asid)
{
	struct vhost_vdpa_state state = {.index = group, .num = asid};
	int ret =
		vhost_vdpa_call(dev, "VHOST_VDPA_SET_GROUP_ASID", VHOST_VDPA_GROUP_TO_ASID, &state);

	if (!ret)
		dev->group_asid[group] = asid;
	return ret;
}

/* All groups of a place; after a failure those that were put come back. */
static int put_groups(struct driver_device *dev, uint32_t group, uint32_t asid)
{
	uint32_t was[VDPA_GROUPS_MAX], g;
	int ret = 0;

	memcpy(was, dev->group_asid, sizeof(was));
	if (group != NO_INDEX)
		return put_group(dev, group, asid);
	for (g = 0; !ret && g < dev->groups; g++)
		if (!find_place(dev, g) && dev->group_asid[g] != asid)
			ret = put_group(dev, g, asid);
	for (uint32_t back = 0; ret && back < g; back++)
		if (dev->group_asid[back] != was[back])
			put_group(dev, back, was[back]);
	return ret;
}

static int update_failed(struct driver_device *dev, const struct map_args *args, int ret,
			 struct ioasidctl_error **err)
{
	vdpa_fail(err, "VHOST_IOTLB_UPDATE", ret, "can't map 0x%" PRIx64 "-0x%" PRIx64 " for %s",
		  args->iova, range_last(args->iova, args->length), dev->label);
	vdpa_explain_update(dev, args, err);
	return ret;
}

static int refuse_range(const struct driver_device *dev, const struct map_args *args,
			struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_REFUSED, ERANGE, "%s can't reach 0x%" PRIx64 "-0x%" PRIx64,
			    dev->label, args->iova, range_last(args->iova, args->length));

	error_cause(err, "it uses the addresses 0x%" PRIx64 "-0x%" PRIx64 " only",
		    dev->usable.first, dev->usable.last);
	error_hint(err, "map what it needs there, or put it into another IOASID");
	return ret;
}

static int check_range(const struct driver_device *dev, const struct map_args *args,
		       struct ioasidctl_error **err)
{
	return args->iova < dev->usable.first ||
			       range_last(args->iova, args->length) > dev->usable.last
		       ? refuse_range(dev, args, err)
		       : 0;
}

static int update(struct driver_device *dev, uint32_t asid, const struct map_args *args,
		  struct ioasidctl_error **err)
{
	int ret = vhost_vdpa_write(dev, asid, VHOST_VDPA_UPDATE, args);

	return ret ? update_failed(dev, args, ret, err) : 0;
}

static int begin(struct driver_device *dev, uint32_t asid)
{
	return has_feature(dev, VHOST_VDPA_F_BATCH)
		       ? vhost_vdpa_write(dev, asid, VHOST_VDPA_BATCH_BEGIN, NULL)
		       : 0;
}

static int end(struct driver_device *dev, uint32_t asid)
{
	return has_feature(dev, VHOST_VDPA_F_BATCH)
		       ? vhost_vdpa_write(dev, asid, VHOST_VDPA_BATCH_END, NULL)
		       : 0;
}

static int add_all(struct driver_device *dev, uint32_t asid, const struct iotlb_content *content,
		   struct ioasidctl_error **err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < content->n; i++)
		ret = update(dev, asid, &content->maps[i], err);
	return ret;
}

/*
 * Fills an ASID with `content` instead of what is in it; after a failure `before` is in it again.
 * Also an empty table is written: some devices let everything through until they get their first.
 */
static int fill(struct driver_device *dev, uint32_t asid, bool clear,
		const struct iotlb_content *content, const struct iotlb_content *before,
		struct ioasidctl_error **err)
{
	int ret = begin(dev, asid), last;

	if (ret)
		return vdpa_fail(err, "VHOST_IOTLB_BATCH_BEGIN", ret, "can't fill the IOTLB of %s",
				 dev->label);
	if (clear)
		ret = vhost_vdpa_clear(dev, asid);
	if (ret)
		vdpa_fail(err, "VHOST_IOTLB_INVALIDATE", ret, "can't empty the IOTLB of %s",
			  dev->label);
	else
		ret = add_all(dev, asid, content, err);
	if (ret) {
		vhost_vdpa_clear(dev, asid);
		if (add_all(dev, asid, before, NULL))
			error_cause(err,
				    "and what it could reach before could not be mapped again");
	}
	last = end(dev, asid);
	if (last && !ret)
		ret = vdpa_fail(err, "VHOST_IOTLB_BATCH_END", last, "can't fill the IOTLB of %s",
				dev->label);
	return ret;
}

static int empty(struct driver_device *dev, uint32_t asid)
{
	const struct iotlb_content nothing = {0};

	return fill(dev, asid, true, &nothing, &nothing, NULL);
}

static int refuse_group(const struct driver_device *dev, uint32_t group,
			struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_REFUSED, EINVAL, "%s has no virtqueue group %" PRIu32,
			    dev->label, group);

	if (dev->groups == 1)
		error_cause(err, "it has group 0 alone");
	else
		error_cause(err, "its groups are 0 to %" PRIu32, dev->groups - 1);
	return ret;
}

static int refuse_no_space(const struct driver_device *dev, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_REFUSED, ENOSPC,
			    "%s has no address space left for a virtqueue group of its own",
			    dev->label);

	error_cause(err, "it has %" PRIu32 " in all", dev->spaces);
	error_hint(err, "attach the whole device, without vq_group");
	return ret;
}

static int put_failed(const struct driver_device *dev, int ret, struct ioasidctl_error **err)
{
	return vdpa_fail(err, "VHOST_VDPA_SET_GROUP_ASID", ret,
			 "can't give virtqueues of %s another address space", dev->label);
}

static int enter(struct driver_device *dev, struct vdpa_place *place,
		 const struct iotlb_content *content, struct ioasidctl_error **err)
{
	const struct iotlb_content nothing = {0};
	int ret;

	place->asid = place->group == NO_INDEX ? 0 : find_free(dev);
	if (place->asid == NO_INDEX)
		return refuse_no_space(dev, err);
	ret = fill(dev, place->asid, false, content, &nothing, err);
	if (ret)
		return ret;
	ret = put_groups(dev, place->group, place->asid);
	if (ret) {
		put_failed(dev, ret, err);
		empty(dev, place->asid);
	}
	return ret;
}

static int reserve_place(struct driver_device *dev, struct ioasidctl_error **err)
{
	struct vdpa_place *grown = reallocarray(dev->places, dev->n_places + 1, sizeof(*grown));

	if (!grown)
		return error_nomem(err);
	dev->places = grown;
	return 0;
}

int vdpa_iotlb_attach(struct driver_device *dev, uint32_t vq_group, const struct iotlb_space *space,
		      const struct iotlb_content *content, const struct iotlb_content *before,
		      struct ioasidctl_error **err)
{
	struct vdpa_place *place = find_place(dev, vq_group);
	struct vdpa_place fresh = {.group = vq_group};
	int ret = 0;

	if (vq_group != NO_INDEX && vq_group >= dev->groups)
		return refuse_group(dev, vq_group, err);
	for (size_t i = 0; !ret && i < content->n; i++)
		ret = check_range(dev, &content->maps[i], err);
	if (!ret && !place)
		ret = reserve_place(dev, err);
	if (ret)
		return ret;
	/*
	 * One that moves keeps its address space, which changes in one batch: every driver begins
	 * with a reset of the device, and that puts all groups back into the first.
	 */
	ret = place ? fill(dev, place->asid, true, content, before, err)
		    : enter(dev, &fresh, content, err);
	if (ret)
		return ret;
	if (!place) {
		place = &dev->places[dev->n_places++];
		*place = fresh;
	}
	place->space = *space;
	place->entries = content->n;
	return 0;
}

int vdpa_iotlb_detach(struct driver_device *dev, uint32_t vq_group, struct ioasidctl_error **err)
{
	struct vdpa_place *place = find_place(dev, vq_group);
	int ret;

	if (!place)
		return 0;
	ret = empty(dev, place->asid);
	if (ret)
		return vdpa_fail(err, "VHOST_IOTLB_INVALIDATE", ret, "can't empty the IOTLB of %s",
				 dev->label);
	/* Where that is refused, the device runs: the group stays where there is nothing. */
	if (vq_group != NO_INDEX)
		put_group(dev, vq_group, 0);
	*place = dev->places[--dev->n_places];
	return 0;
}

int vdpa_iotlb_unmap(struct driver_device *dev, const struct iotlb_space *space,
		     const struct map_args *args, struct ioasidctl_error **err)
{
	int ret = 0;

	for (size_t i = 0; i < dev->n_places; i++) {
		int failed;

		if (!same_space(&dev->places[i].space, space))
			continue;
		failed = vhost_vdpa_write(dev, dev->places[i].asid, VHOST_VDPA_INVALIDATE, args);
		if (failed)
			ret = vdpa_fail(err, "VHOST_IOTLB_INVALIDATE", failed,
					"can't unmap 0x%" PRIx64 "-0x%" PRIx64 " for %s",
					args->iova, range_last(args->iova, args->length),
					dev->label);
		else if (dev->places[i].entries)
			dev->places[i].entries--;
	}
	return ret;
}

int vdpa_iotlb_map(struct driver_device *dev, const struct iotlb_space *space,
		   const struct map_args *args, struct ioasidctl_error **err)
{
	size_t i;
	int ret = vdpa_iotlb_has(dev, space) ? check_range(dev, args, err) : 0;

	for (i = 0; !ret && i < dev->n_places; i++) {
		if (!same_space(&dev->places[i].space, space))
			continue;
		ret = update(dev, dev->places[i].asid, args, err);
		if (!ret)
			dev->places[i].entries++;
	}
	for (size_t done = 0; ret && i && done < i - 1; done++) {
		if (!same_space(&dev->places[done].space, space))
			continue;
		vhost_vdpa_write(dev, dev->places[done].asid, VHOST_VDPA_INVALIDATE, args);
		dev->places[done].entries--;
	}
	return ret;
}

bool vdpa_iotlb_has(const struct driver_device *dev, const struct iotlb_space *space)
{
	for (size_t i = 0; i < dev->n_places; i++)
		if (same_space(&dev->places[i].space, space))
			return true;
	return false;
}

void vdpa_iotlb_info(const struct driver_device *dev, struct iotlb_info *out)
{
	*out = (struct iotlb_info){
		.spaces = dev->spaces, .groups = dev->groups, .usable = dev->usable};
	for (size_t i = 0; i < dev->n_places && out->n_tables < IOTLB_TABLES_MAX; i++)
		out->tables[out->n_tables++] =
			(struct iotlb_table){.asid = dev->places[i].asid,
					     .vq_group = dev->places[i].group,
					     .entries = dev->places[i].entries};
}

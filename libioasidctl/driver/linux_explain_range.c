// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why addresses can't be mapped. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "driver/linux.h"
#include "host/group.h"

/* The first part of [first, last] that no range of `info` covers. */
static bool find_uncovered(const struct ioasid_info *info, struct range wanted, struct range *out)
{
	for (size_t i = 0; i < info->n_ranges && wanted.first <= wanted.last; i++) {
		const struct range *r = &info->ranges[i];

		if (r->last < wanted.first)
			continue;
		if (r->first > wanted.first) {
			*out = (struct range){wanted.first,
					      r->first <= wanted.last ? r->first - 1 : wanted.last};
			return true;
		}
		if (r->last >= wanted.last)
			return false;
		wanted.first = r->last + 1;
	}
	*out = wanted;
	return true;
}

bool linux_explain_uncovered(const struct ioasid_info *info, struct range wanted,
			     struct ioasidctl_error **err)
{
	struct range hole;

	if (!find_uncovered(info, wanted, &hole))
		return false;
	error_cause(err,
		    "0x%" PRIx64 "-0x%" PRIx64 " of it is out of reach or reserved for a device "
		    "that is attached",
		    hole.first, hole.last);
	error_hint(err, "`ioasidctl show` lists the usable ranges");
	return true;
}

static bool takes_away(const struct driver_env *env, struct range hole, const char *label,
		       uint32_t group, struct ioasidctl_error **err)
{
	_cleanup_free_ struct reserved_region *regions = NULL;
	size_t n = 0;

	if (group == NO_INDEX || iommu_group_reserved(env->root, group, &regions, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct reserved_region *r = &regions[i];

		/* The kernel lets mappings lie there, as the device rarely means it. */
		if (!strcmp(r->type, "direct-relaxable") ||
		    !ranges_overlap(r->first, r->last, hole.first, hole.last))
			continue;
		error_cause(err, "0x%" PRIx64 "-0x%" PRIx64 " is reserved (%s) by %s", r->first,
			    r->last, r->type, label);
		error_hint(err, "leave that range out");
		return true;
	}
	return false;
}

bool linux_explain_culprit(const struct driver_env *env, const struct ioasid_info *info,
			   struct range wanted, const char *label, uint32_t group,
			   uint32_t iova_bits, struct ioasidctl_error **err)
{
	struct range hole;
	uint64_t last;

	if (!find_uncovered(info, wanted, &hole))
		return false;
	if (takes_away(env, hole, label, group, err))
		return true;
	last = iova_bits && iova_bits < 64 ? ((uint64_t)1 << iova_bits) - 1 : UINT64_MAX;
	if (hole.last <= last)
		return false;
	error_cause(err,
		    "the IOMMU of %s translates addresses of %u bits, up to 0x%" PRIx64
		    "; 0x%" PRIx64 " is beyond",
		    label, iova_bits, last, hole.last);
	error_hint(err, "keep below that");
	return true;
}

bool linux_explain_range(const struct ioasid_info *info, const struct map_args *args,
			 struct ioasidctl_error **err)
{
	uint64_t mask = info->alignment ? info->alignment - 1 : 0;

	if (!((args->iova | args->length | args->offset) & mask))
		return linux_explain_uncovered(
			info, (struct range){args->iova, range_last(args->iova, args->length)},
			err);
	error_cause(err, "address, length and offset must be multiples of 0x%" PRIx64 " here",
		    info->alignment);
	error_hint(err, "that is the page size of the IOMMU: align them");
	return false;
}

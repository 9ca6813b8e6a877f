// SPDX-License-Identifier: GPL-2.0-or-later
/* What a container of VFIO answers about itself: a struct and a chain of capabilities behind it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "driver/vfio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is taken for usable ranges has an order. */
static void check(const struct vfio_info *info)
{
	if (!info->ranges)
		abort();
	for (size_t i = 0; i < info->n_ranges; i++)
		if (info->ranges[i].last < info->ranges[i].first ||
		    (i && info->ranges[i].first <= info->ranges[i - 1].last))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ struct vfio_t1_info *answer = NULL;
	struct vfio_info info;

	if (size < sizeof(*answer) || size > 1U << 20)
		return 0;
	answer = malloc(size);
	if (!answer)
		return 0;
	memcpy(answer, data, size);
	answer->argsz = (uint32_t)size;
	if (vfio_info_take(answer, &info, NULL))
		return 0;
	check(&info);
	vfio_info_done(&info);
	return 0;
}

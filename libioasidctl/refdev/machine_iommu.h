/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "refdev/json_reader.h"
#include "refdev/machine.h"

/* Fills a zeroed one in. 0, -ENOMEM, or -EINVAL with the fault in `r`. */
int machine_read_iommu(struct reader *r, const json_t *object, struct machine_iommu *iommu);

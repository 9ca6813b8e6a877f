/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filling the records of the dump. Everything a record points to lives as long as the gathering. */
#pragma once

#include <stdbool.h>

#include "driver/driver.h"
#include "model/topology.h"
#include "report/records.h"
#include "report/report.h"

struct gather_block;

struct gather {
	const struct driver_env *env;
	struct gather_block *blocks;
	bool failed; /* out of memory; records filled since are incomplete */
};

/* Zeroed; NULL and `failed` without memory. Not NULL for n 0, so that empty isn't unknown. */
void *gather_array(struct gather *g, size_t n, size_t size);
void gather_done(struct gather *g);

/* The records of all devices of `t`. */
const struct device_record *gather_devices(struct gather *g, const struct topology *t);
void gather_ioasid(struct gather *g, const struct topology *t, const struct iommu_fd *fd,
		   const struct ioasid *ioasid, struct ioasid_record *out);
void gather_mapping(const struct topology *t, const struct iommu_fd *fd, const struct mapping *m,
		    struct mapping_record *out);
void gather_viommu(struct gather *g, const struct topology *t, const struct iommu_fd *fd,
		   const struct viommu *viommu, struct viommu_record *out);

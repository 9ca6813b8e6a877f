/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Collecting what drivers can't do; internal to plan/. */
#pragma once

#include "driver/driver.h"

struct refusal {
	const struct topology *t;
	const struct iommu_fd *fd; /* whose driver is asked */
	struct ioasidctl_error **err;
	int ret;
};

/* Refuses the object where the driver lacks the capability. */
void need(struct refusal *r, enum capability cap, struct position at, const char *object);

/* refuse_nested.c: combinations of tables, vIOMMUs and queues that the driver doesn't know. */
void refuse_nested(struct refusal *r, const struct ioasid *ioasid);
/* refuse_vdpa.c: what a device with an IOTLB of its own can't be in, or be used for. */
void refuse_attachments(struct refusal *r, const struct ioasid *ioasid);
void refuse_vdpa_viommu(struct refusal *r, const struct viommu *viommu);
/* What can't change about a device while it lives. 0 or -EBUSY. */
int refuse_remade(const struct topology *live, const struct topology *desired,
		  struct ioasidctl_error **err);
void refuse_viommu(struct refusal *r, const struct viommu *viommu);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One operation being run or undone; what the files of actions share. */
#pragma once

#include "apply/execution.h"

struct step {
	struct execution *x;
	const struct operation *op;
	bool undo; /* the operation is run backwards */
	struct topology *t;
	struct iommu_fd *fd; /* NULL: of memory */
	struct ioasidctl_error **err;
};

/* A device that an undo failed to open again: what follows must say so, not crash. 0 or -ENODEV. */
int need_handle(const struct step *s, const struct device *d);

/* viommu_actions.c */
int alloc_viommu(const struct step *s);
int free_viommu(const struct step *s);
int alloc_events(const struct step *s);
int free_events(const struct step *s);
int alloc_queue(const struct step *s);
int free_queue(const struct step *s);
int alloc_vdevice(const struct step *s);
int free_vdevice(const struct step *s);

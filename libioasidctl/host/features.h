/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the running kernel has, and what it was told about its IOMMUs when it was booted. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FEATURE_UNKNOWN UINT64_MAX

/* Numbers are 0 or 1, FEATURE_UNKNOWN where /proc or sysfs doesn't tell. */
struct kernel_features {
	char *release; /* "7.3.4"; NULL: not told */
	uint64_t iommufd; /* /dev/iommu is registered */
	uint64_t vfio_device; /* VFIO devices have nodes of their own (/dev/vfio/devices) */
	uint64_t vfio_group; /* VFIO groups and containers */
	uint64_t vfio_type1; /* the type 1 driver of containers */
	uint64_t vhost_vdpa; /* the vhost-vdpa driver */
	/*
	 * A device can raise only the interrupts that are meant for it. x86: interrupt remapping,
	 * shown in the names of the interrupt controllers; Arm: the GIC's ITS. Unknown elsewhere,
	 * and on Arm as long as no device uses the ITS.
	 */
	uint64_t interrupt_remapping;
	uint64_t unsafe_interrupts; /* iommufd or type 1 is told to go without */
	const char **parameters; /* of the command line, those about IOMMUs: "intel_iommu=on" */
	size_t n_parameters;
	char *command_line; /* what they point into */
};

/* 0 or -ENOMEM. */
int kernel_features_read(const char *root, struct kernel_features *out);
/* The parameters alone, all else 0: costs next to nothing. */
int kernel_parameters_read(const char *root, struct kernel_features *out);
void kernel_features_done(struct kernel_features *features);
#define _cleanup_features_ __attribute__((cleanup(kernel_features_done)))

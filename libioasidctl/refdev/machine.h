/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A machine description, parsed: what hardware there is. Constant once made. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uapi/ioasid.h"

#define MACHINE_SCHEMA_VERSION 1

/* Limits against hostile descriptions; the largest hosts have a few thousand devices. */
#define MACHINE_MAX_BYTES   (16U << 20)
#define MACHINE_MAX_IOMMUS  1024
#define MACHINE_MAX_MEMBERS 65536 /* groups, devices, reserved regions of a group */

struct machine_iommu {
	char name[IOASID_NAME_SIZE];
	char format[IOASID_NAME_SIZE]; /* of page tables: "vtd", "arm-smmuv3" */
	uint32_t address_bits;
	uint64_t page_sizes; /* bit n: pages of 2^n bytes */
	uint64_t first, last; /* aperture */
	bool nesting;
	uint32_t nested_formats; /* bit n: it walks tables of enum ioasid_table_format n */
	uint32_t viommu_types; /* bit n: enum ioasid_viommu_type n */
	uint32_t hw_queues; /* of a viommu */
	bool dirty_tracking;
	bool snoop_control;
	uint32_t pasid_bits;
};

struct machine_reserved {
	uint64_t first, last;
	enum ioasid_reserved_type type;
};

struct machine_group {
	uint32_t id;
	const struct machine_iommu *iommu; /* of its members; NULL: it has none */
	struct machine_reserved *reserved;
	size_t n_reserved;
	uint32_t *members; /* indices of devices */
	size_t n_members;
};

struct machine_device {
	enum ioasid_selector selector;
	char name[IOASID_NAME_SIZE];
	char driver[IOASID_NAME_SIZE]; /* host driver at the start; "" none */
	uint32_t group; /* index of its group, IOASID_NONE: no IOMMU in front of it */
	bool bridge;
	bool no_snoop;
	bool page_faults; /* it can wait for pages */
	uint32_t pasid_bits;
};

struct machine {
	struct machine_iommu *iommus;
	size_t n_iommus;
	struct machine_group *groups; /* sorted by id */
	size_t n_groups;
	struct machine_device *devices;
	size_t n_devices;
	char (*drivers)[IOASID_NAME_SIZE]; /* host drivers beside those in use */
	size_t n_drivers;
	/* Formats that can live in one file; format pairs as listed. */
	char (*shared)[2][IOASID_NAME_SIZE];
	size_t n_shared;
	uint32_t max_domains; /* per IOASID; 0: no limit */
	uint64_t max_pinned_bytes; /* 0: no limit */
	bool no_interrupt_remapping; /* of PCI and platform devices: none can be bound */
};

/* 0, -ENOMEM or -EINVAL with *why (owned by the caller). */
int machine_parse(const char *text, size_t length, struct machine **out, char **why);
void machine_free(struct machine *machine);

/* Index; -1: none of that id. */
long machine_find_group(const struct machine *machine, uint32_t id);

/* Whether tables of both formats can live in one file. */
bool machine_formats_share(const struct machine *machine, const char *a, const char *b);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts that host_read() is made of; internal to the inventory. */
#pragma once

#include "host/inventory.h"

struct host_scan {
	const char *root;
	struct host *host;
	size_t devices_capacity;
	bool config_hidden; /* some device's extended configuration space couldn't be read */
	bool no_names; /* there is no pci.ids */
	bool no_memory; /* some text could not be kept: the whole is -ENOMEM */
};

/* Texts that live as long as the host; NULL with no_memory set. */
char *scan_keep(struct host_scan *scan, const char *text);
/* The last part of a link's target; NULL also where there is no such link. */
const char *scan_link(struct host_scan *scan, int directory, const char *name);

/* All return 0 or -ENOMEM; what vanishes meanwhile or can't be read is left out. */
int scan_iommus(struct host_scan *scan); /* needs the kernel's parameters */
int scan_buses(struct host_scan *scan); /* needs IOMMUs */
int scan_groups(struct host_scan *scan); /* needs devices and nodes; adds those of other buses */
int scan_names(struct host_scan *scan);
int scan_drivers(struct host_scan *scan);

/* Adds the device whose directory is `name` in `directory`. `bus` lives as long as the host. */
int scan_device(struct host_scan *scan, const char *bus, int directory, const char *name);

/* The decoded registers of iommu_registers.c; `scalable`: the kernel may use scalable mode. */
int decode_vtd(struct host_iommu *iommu, struct arena *arena, uint64_t cap, uint64_t ecap,
	       bool scalable);
int decode_amd(struct host_iommu *iommu, struct arena *arena, uint64_t efr, uint64_t efr2);

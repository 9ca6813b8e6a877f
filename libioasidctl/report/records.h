/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The objects of the dump, as flat records that the field tables of tables.c describe. Strings and
 * arrays are borrowed from the topology or from the gathering that filled the record. A number that
 * isn't known is FIELD_UNKNOWN, a text NULL.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "report/fields.h"
#include "report/report.h"

struct range_record {
	uint64_t first, last;
};

struct mapping_record {
	uint64_t iova, length;
	const char *access;
	const char *memory;
	uint64_t offset;
	const char *copy;
	uint64_t from;
	uint64_t automatic;
};

struct attachment_record {
	const char *device;
	uint64_t pasid, vq_group, pending;
};

struct table_record {
	const char *format;
	uint64_t address, address_width;
	const uint64_t *words;
	size_t n_words;
};

struct ioasid_record {
	const char *name, *kind;
	uint64_t id, alive;
	const char *parent, *viommu;
	const char **flags;
	size_t n_flags;
	uint64_t dirty_active;
	const struct table_record *table;
	const struct range_record *allow;
	size_t n_allow;
	const struct range_record *ranges;
	size_t n_ranges;
	uint64_t alignment, domains, page_table_bytes;
	const struct mapping_record *mappings;
	size_t n_mappings;
	const struct attachment_record *attachments;
	size_t n_attachments;
};

struct vdevice_record {
	const char *device;
	uint64_t id, object;
};

struct queue_record {
	uint64_t index, iova, length, object;
};

struct viommu_record {
	const char *name, *type, *parent, *device;
	uint64_t id, alive;
	uint64_t events_depth, events_id;
	const struct vdevice_record *vdevices;
	size_t n_vdevices;
	const struct queue_record *queues;
	size_t n_queues;
};

struct fd_record {
	const char *name, *driver, *node, *accounting;
	uint64_t open;
	const char *vfio_compat;
	const struct ioasid_record *ioasids;
	size_t n_ioasids;
	const struct viommu_record *viommus;
	size_t n_viommus;
};

struct memory_record {
	const char *name, *backing;
	uint64_t size, page_size, prefault, numa_node;
	const char *path, *device;
	uint64_t bar, alive, populated;
};

struct member_record {
	const char *address, *driver;
};

struct register_record {
	const char *name;
	uint64_t value;
};

struct hardware_record {
	const char *type;
	uint64_t iova_bits;
	const uint64_t *page_sizes;
	size_t n_page_sizes;
	uint64_t nesting, pasid_bits, dirty_tracking, snoop_control;
	const struct register_record *registers;
	size_t n_registers;
};

struct place_record {
	const char *fd, *ioasid;
	uint64_t pasid, vq_group, pending;
};

struct iotlb_table_record {
	uint64_t asid, vq_group, entries;
};

struct iotlb_record {
	uint64_t address_spaces, vq_groups, first, last;
	const struct iotlb_table_record *tables;
	size_t n_tables;
};

struct device_record {
	const char *name, *selector, *address;
	uint64_t present, alive;
	const char *driver, *wanted_driver, *original_driver, *taken_for, *vf_of;
	const char *state, *trouble;
	const char *group_policy, *hotplug;
	uint64_t force, vf_index, vfs, original_vfs;
	uint64_t group;
	const struct member_record *group_members;
	size_t n_group_members;
	const char *fd;
	uint64_t open, bound, id;
	const struct place_record *attached_to;
	size_t n_attached_to;
	const struct hardware_record *hardware;
	const char *management;
	const struct iotlb_record *iotlb;
};

struct topology_record {
	const char *name, *owner, *file;
	const struct memory_record *memories;
	size_t n_memories;
	const struct device_record *devices;
	size_t n_devices;
	const struct fd_record *fds;
	size_t n_fds;
	const struct taker_record *taken;
	size_t n_taken;
};

extern const struct field_table topology_fields, mapping_fields, range_fields;

/* What is the matter with a device. */
extern const char *const device_state_names[];

/* Names of enum ioasid_flag, in the order of the bits. */
extern const char *const ioasid_flag_names[];

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Something that happened, as `monitor` tells it. */
#pragma once

#include <jansson.h>

#include "report/fields.h"

/* Identifier, name in JSON, what it means. */
#define EVENT_KINDS(X)                                                                             \
	X(MONITORING, "monitoring", "the first event: what happens from now on is told")           \
	X(LOST, "lost", "count events came faster than they were taken, and were dropped here")    \
	X(KERNEL_LOST, "kernel-lost", "the kernel had to drop device events; the holder looked")   \
	X(ENDING, "ending", "the holder ends")                                                     \
	X(APPLIED, "applied", "a topology was made or changed by user uid, process pid")           \
	X(DELETED, "deleted", "a topology was removed by user uid, process pid")                   \
	X(TAKEN, "taken", "descriptors of a topology were handed to user uid, process pid")        \
	X(RETURNED, "returned", "what was handed to user uid, process pid is closed everywhere")   \
	X(DEVICE_ADDED, "device-added", "the machine has a new device")                            \
	X(DEVICE_REMOVED, "device-removed", "a device has gone from the machine")                  \
	X(DRIVER_CHANGED, "driver-changed", "a device has another host driver, or none")           \
	X(GROUP_CHANGED, "group-changed", "the IOMMU group of a declared device has others in it") \
	X(DEVICE_RELEASED, "device-released", "a held device was given up")                        \
	X(DEVICE_ATTACHED, "device-attached", "a device with hotplug: attach came, and is in")     \
	X(ATTACH_FAILED, "attach-failed",                                                          \
	  "a device with hotplug: attach is there and couldn't be put in; tried again in "         \
	  "retry_ms, or given up")                                                                 \
	X(PAGE_FAULT, "page-fault", "a device waits with a page fault for an answer")              \
	X(VIOMMU_EVENT, "viommu-event", "what an IOMMU says of a guest's part of it")              \
	X(VIOMMU_LOST, "viommu-lost", "a viommu's queue was full, and events were lost")

enum event_kind {
#define X(id, name, meaning) EVENT_##id,
	EVENT_KINDS(X)
#undef X
		EVENT_KIND_COUNT
};

/* Numbers that aren't known are FIELD_UNKNOWN, texts NULL; begin with event_record(). */
struct event_record {
	uint64_t schema_version;
	const char *time, *kind;
	const char *topology, *device, *selector, *address, *driver;
	uint64_t group;
	const char *const *members;
	size_t n_members;
	uint64_t uid, pid, count, tries, retry_ms;
	const char *fd, *ioasid, *viommu;
	uint64_t pasid, iova, length;
	const char *const *access;
	size_t n_access;
	uint64_t fault_group, cookie, last, sequence;
	const uint64_t *words;
	size_t n_words;
	const char *message;
};

extern const char *const event_kind_names[];
/* Of enum fault_access, in the order of the bits. */
extern const char *const fault_access_names[];
extern const struct field_table event_fields;

/* Of that kind, with nothing known. */
struct event_record event_record(enum event_kind kind);

/* The event with the time of the call. New reference; NULL: out of memory. */
json_t *report_event(const struct event_record *record);

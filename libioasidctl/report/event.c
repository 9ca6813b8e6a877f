// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report/event.h"

#include <stdio.h>
#include <time.h>

#include "model/topology.h"
#include "report/report.h"

const char *const event_kind_names[] = {
#define X(id, name, meaning) [EVENT_##id] = name,
	EVENT_KINDS(X)
#undef X
		[EVENT_KIND_COUNT] = NULL};

const char *const fault_access_names[] = {"read", "write", "execute", "privileged", NULL};

static const char kinds[] = "what happened."
#define X(id, name, meaning) " " name ": " meaning "."
	EVENT_KINDS(X)
#undef X
	;

#define IS(type_, key_, about, ...)                                                                \
	{                                                                                          \
		.key = #key_, .type = FIELD_##type_, .optional = true,                             \
		.offset = offsetof(struct event_record, key_), .description = about, ##__VA_ARGS__ \
	}

static const struct field event_list[] = {
	{.key = "schema_version",
	 .type = FIELD_COUNT,
	 .offset = offsetof(struct event_record, schema_version),
	 .description = "of this kind of document; now 1"},
	{.key = "time",
	 .type = FIELD_TEXT,
	 .offset = offsetof(struct event_record, time),
	 .description = "when the holder noticed it: RFC 3339, UTC"},
	{.key = "kind",
	 .type = FIELD_TEXT,
	 .offset = offsetof(struct event_record, kind),
	 .names = event_kind_names,
	 .description = kinds},
	IS(TEXT, topology, "whose it is; absent: nobody's"),
	IS(TEXT, device, "name of the device in the topology"),
	IS(TEXT, selector, "how a config selects the device", .names = selector_names),
	IS(TEXT, address, "what the selector selects"),
	IS(TEXT, driver, "host driver that it is bound to now; absent: to none, or not known"),
	IS(COUNT, group, "number of its IOMMU group"),
	IS(TEXTS, members, "addresses of those in the group now",
	   .count_offset = offsetof(struct event_record, n_members)),
	IS(COUNT, uid, "user id of who did it; absent: nobody asked for it"),
	IS(COUNT, pid, "process id of who did it"),
	IS(COUNT, count, "how many"),
	IS(COUNT, tries, "how often it was tried"),
	IS(COUNT, retry_ms, "milliseconds until the next try; absent: there is none"),
	IS(TEXT, fd, "name of the fd that the object is on"),
	IS(TEXT, ioasid, "page fault: name of the IOASID"),
	IS(TEXT, viommu, "name of the vIOMMU"),
	IS(COUNT, pasid, "page fault: of the device; absent: all of the device"),
	IS(HEX, iova, "page fault: address"),
	IS(HEX, length, "page fault: bytes wanted, where the device tells"),
	IS(TEXTS, access, "page fault: what the device wants to do there",
	   .count_offset = offsetof(struct event_record, n_access), .names = fault_access_names),
	IS(COUNT, fault_group, "page fault: those of one group are answered together"),
	IS(COUNT, cookie, "page fault: what the kernel's interface calls it"),
	IS(BOOL, last, "page fault: the one of its group that is answered"),
	IS(COUNT, sequence, "event of a vIOMMU: its number; a gap: some were lost"),
	IS(HEXES, words, "event of a vIOMMU: its words, in the format of the hardware",
	   .count_offset = offsetof(struct event_record, n_words)),
	IS(TEXT, message, "the same for people, or why"),
	{0},
};

const struct field_table event_fields = {
	.name = "event",
	.description = "something that happened",
	.record_size = sizeof(struct event_record),
	.fields = event_list,
};

struct event_record event_record(enum event_kind kind)
{
	return (struct event_record){.schema_version = REPORT_SCHEMA_VERSION,
				     .kind = event_kind_names[kind],
				     .group = FIELD_UNKNOWN,
				     .uid = FIELD_UNKNOWN,
				     .pid = FIELD_UNKNOWN,
				     .count = FIELD_UNKNOWN,
				     .tries = FIELD_UNKNOWN,
				     .retry_ms = FIELD_UNKNOWN,
				     .pasid = FIELD_UNKNOWN,
				     .iova = FIELD_UNKNOWN,
				     .length = FIELD_UNKNOWN,
				     .fault_group = FIELD_UNKNOWN,
				     .cookie = FIELD_UNKNOWN,
				     .last = FIELD_UNKNOWN,
				     .sequence = FIELD_UNKNOWN};
}

json_t *report_event(const struct event_record *record)
{
	struct event_record dated = *record;
	struct timespec now;
	struct tm utc;
	char time[48];
	size_t length;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	length = strftime(time, sizeof(time), "%FT%T", &utc);
	snprintf(time + length, sizeof(time) - length, ".%06uZ",
		 (unsigned)(now.tv_nsec / 1000) % 1000000);
	dated.time = time;
	return fields_encode(&event_fields, &dated);
}
